//! What detectors found, and what they do.

use onenet_topology::{
    AgentId, SiteId,
    anomaly::{Anomaly, AnomalyEvidence},
    drill::Drill,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{SilencingBody, given, time};
use crate::{access::View, estate::Running};

/// What detectors found of one kind about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnomalyBody {
    /// The site where it was found.
    pub site: String,
    /// The site's division code, or the code that the ministry gave it.
    pub site_code: String,
    /// The site's name.
    pub site_name: String,
    /// Its case, as far as there is one that may be read.
    pub case: Option<String>,
    /// How far that is, such as `new` or `silenced`.
    pub case_state: Option<&'static str>,
    /// The rule that silences it.
    pub silenced_rule: Option<SilencingBody>,
    /// What kind of thing, such as `port_scan`.
    pub kind: String,
    /// About whom: an address, address and port, a port as `tcp/445`, a station, or `segment`.
    pub subject: String,
    /// How grave it would be: `general`, `considerable`, `major` or `extraordinary`; a proposal.
    pub grade: &'static str,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// Since when.
    pub first: String,
    /// When it was seen last.
    pub last: String,
    /// How many observations bore it out.
    pub count: u64,
    /// From what it was concluded.
    pub evidence: Vec<AnomalyEvidenceBody>,
    /// The agent that told of it last; `centre` where the centre concluded it.
    pub agent: String,
    /// The drill that it is: it was put in, and is in no figure. `null` where it was found.
    pub drill: Option<String>,
}

/// One thing that speaks for an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnomalyEvidenceBody {
    /// What is told, such as `ports` or `flow`.
    pub is: String,
    /// What it is.
    pub value: String,
}

/// What one detector of an agent did since the agent started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DetectorBody {
    /// Whose it is.
    pub agent: String,
    /// What it looks for.
    pub kind: String,
    /// Whether it is on.
    pub on: bool,
    /// Why it is off.
    pub off: Option<String>,
    /// When it saw something last; `null`: it saw nothing yet.
    pub last_run: Option<String>,
    /// How many observations it saw.
    pub inputs: u64,
    /// How many anomalies it found.
    pub found: u64,
    /// How much it had to forget for want of room.
    pub evicted: u64,
    /// As of when.
    pub time: String,
}

impl AnomalyBody {
    /// Returns an anomaly as the view shows it, `drill` where it is one.
    pub(crate) fn of(view: &View, (site, anomaly): (SiteId, &Anomaly), drill: Option<&Drill>) -> Self {
        let evidence = |it: &AnomalyEvidence| AnomalyEvidenceBody { is: it.is.clone(), value: it.value.clone() };
        let known = view.site(site);
        let case = match drill {
            Some(drill) => drill.case.and_then(|id| view.case(id)),
            None => view.case_of(site, &anomaly.key),
        };
        Self {
            site: site.to_string(),
            site_code: known.map(|it| it.code(view.now()).to_owned()).unwrap_or_default(),
            site_name: known.map(|it| it.name(view.now()).zh.clone()).unwrap_or_default(),
            case: case.map(|case| case.id.to_string()),
            case_state: case.map(|case| case.state.name()),
            silenced_rule: case.and_then(|case| SilencingBody::of(view, case.silenced_by?)),
            kind: anomaly.key.kind.clone(),
            subject: anomaly.key.subject.clone(),
            grade: anomaly.grade.name(),
            confidence: anomaly.confidence,
            first: time(anomaly.first),
            last: time(anomaly.last),
            count: anomaly.count,
            evidence: anomaly.evidence.iter().map(evidence).collect(),
            agent: if anomaly.agent == Anomaly::CENTRE { "centre".to_owned() } else { anomaly.agent.to_string() },
            drill: drill.map(|it| it.id.to_string()),
        }
    }
}

impl DetectorBody {
    /// Returns all detectors of an agent.
    pub(crate) fn all(agent: AgentId, running: &Running) -> impl Iterator<Item = Self> {
        running.sample.detectors.iter().map(move |it| {
            let age = it.last_run_age_ms.and_then(|age| i64::try_from(age).ok());
            Self {
                agent: agent.to_string(),
                kind: it.kind.clone(),
                on: it.off.is_empty(),
                off: given(&it.off),
                last_run: age.map(|age| time(running.time.plus_ms(-age))),
                inputs: it.inputs,
                found: it.found,
                evicted: it.evicted,
                time: time(running.time),
            }
        })
    }
}
