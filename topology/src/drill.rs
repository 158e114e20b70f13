//! Drills: something is put in where it would be found, marked as a drill, and what became of it is measured.
//!
//! Invariant: a drill keeps what was found of it, anomaly or incident, itself, so that nothing that goes through what is real comes upon
//! it. It is found once, however often it was put in. Nothing here looks at a clock.
//!
//! It does not know how an agent is told of it, who may order one, nor what people do with its case.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, CaseId, DrillId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyEvidence, AnomalyKey, AnomalyReport},
    case::Case,
    incident::{Incident, Severity},
};

/// How long, in milliseconds, an agent may stay away until nobody waits any more for it to put a drill in: a day.
pub const WAITS_MS: i64 = 86_400_000;
/// How long, in milliseconds, an incident that is drilled lasts where nobody says: half an hour.
pub const LASTS_MS: i64 = 30 * 60_000;
/// How long, in milliseconds, it may last at most: a week.
pub const LASTS_MAX_MS: i64 = 7 * 86_400_000;

/// What is to be drilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillPlan {
    /// What is to be found, such as `port_scan` or `link_down`.
    pub kind: String,
    /// About whom or what; of an incident it may be empty where the site says which it is.
    pub subject: String,
    /// How grave it is.
    pub grade: Severity,
    /// Since when it would have been going on; from the moment at which it is put in where nobody says.
    pub began: Option<Timestamp>,
    /// What is drilled, in words.
    pub text: String,
    /// Whose traffic it would be.
    pub source: Option<IpAddr>,
    /// Where to.
    pub destination: Option<IpAddr>,
    /// To which port.
    pub port: Option<u16>,
    /// Whether it is put in at the centre, although the site has an agent.
    #[serde(default)]
    pub at_centre: bool,
    /// How long an incident lasts, in milliseconds, unless its case is closed before.
    pub lasts_ms: i64,
}

/// Where a drill is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillWay {
    /// Into what the detectors of an agent tell.
    Agent(AgentId),
    /// Into what the centre concludes.
    Centre,
}

/// Why nothing became of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillFailure {
    /// When that was clear.
    pub time: Timestamp,
    /// In words.
    pub reason: String,
}

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Its identity.
    pub id: DrillId,
    /// The site.
    pub site: SiteId,
    /// What is drilled.
    pub plan: DrillPlan,
    /// Who ordered it.
    pub by: String,
    /// When.
    pub ordered: Timestamp,
    /// Where it is put in.
    pub way: DrillWay,
    /// When it was put in, by the centre's clock.
    pub injected: Option<Timestamp>,
    /// When the centre found it.
    pub found: Option<Timestamp>,
    /// Why nothing became of it.
    pub failed: Option<DrillFailure>,
    /// The case that was opened of it.
    pub case: Option<CaseId>,
    /// What was found, where it is an anomaly.
    pub anomaly: Option<Anomaly>,
    /// What is broken, where it is an incident.
    pub incident: Option<Incident>,
}

/// How far a drill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrillState {
    /// The agent has not put it in yet.
    Waiting,
    /// The agent put it in, and it is on its way.
    Injected,
    /// It was found, and its case is open.
    Found,
    /// Its case is closed, or a rule silences it.
    Over,
    /// Nothing became of it.
    Failed,
}

impl DrillState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Injected, Self::Found, Self::Over, Self::Failed];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Injected => "injected",
            Self::Found => "found",
            Self::Over => "over",
            Self::Failed => "failed",
        }
    }
}

impl Drill {
    /// Returns how far it is; `case` is its case, as far as that is kept.
    pub fn state(&self, case: Option<&Case>) -> DrillState {
        match (self.found, &self.failed, self.injected) {
            (Some(_), ..) if case.is_some_and(Case::is_open) => DrillState::Found,
            (Some(_), ..) => DrillState::Over,
            (None, Some(_), _) => DrillState::Failed,
            (None, None, Some(_)) => DrillState::Injected,
            (None, None, None) => DrillState::Waiting,
        }
    }

    /// Returns whether `agent` has still to put it in: also where it said that it did, as long as nobody found it, since what it had
    /// not yet on disk may be gone with it.
    pub fn awaits(&self, agent: AgentId) -> bool {
        self.way == DrillWay::Agent(agent) && self.found.is_none() && self.failed.is_none()
    }

    /// Returns whether nothing becomes of it any more by itself.
    pub fn is_settled(&self) -> bool {
        let is_broken = self.incident.as_ref().is_some_and(Incident::is_open);
        self.failed.is_some() || self.found.is_some() && !is_broken
    }

    /// Returns it as detectors would tell of it at `now`. Its number stands for the run of the detectors: told twice it counts once.
    pub fn report(&self, now: Timestamp) -> AnomalyReport {
        let DrillPlan { kind, subject, grade, began, source, destination, port, .. } = &self.plan;
        let ends = [
            ("source", source.map(|it| it.to_string())),
            ("destination", destination.map(|it| it.to_string())),
            ("port", port.map(|it| it.to_string())),
        ];
        let evidence = ends.into_iter().filter_map(|(is, value)| {
            let is = is.to_owned();
            value.map(|value| AnomalyEvidence { is, value })
        });
        AnomalyReport {
            key: AnomalyKey { kind: kind.clone(), subject: subject.clone() },
            grade: *grade,
            confidence: 100,
            lasted_ms: began.map_or(0, |began| u64::try_from(now.ms_since(began)).unwrap_or(0)),
            count: 1,
            run: self.id.raw(),
            evidence: evidence.collect(),
            drill: Some(self.id),
        }
    }

    /// Returns how long it took, in milliseconds, from when it was put in until the centre found it.
    pub fn detected_after_ms(&self) -> Option<i64> {
        Some(self.found?.ms_since(self.injected?).max(0))
    }
}
