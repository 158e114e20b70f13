//! Drills as the API tells of them.

use onenet_topology::{
    case::Case,
    drill::{Drill, DrillState, DrillWay},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::access::View;

/// Something that was put in as a drill, and how long it took until it was found, taken up and closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DrillBody {
    /// Its id.
    pub id: String,
    /// The site; `null` where that may not be seen.
    pub site: Option<String>,
    /// The site's division code, or the code that the ministry gave it.
    pub site_code: String,
    /// The site's name.
    pub site_name: String,
    /// What was drilled, such as `port_scan` or `link_down`.
    pub kind: String,
    /// About whom or what.
    pub subject: String,
    /// How grave it was: `general`, `considerable`, `major` or `extraordinary`.
    pub grade: &'static str,
    /// What was drilled, in words.
    pub text: String,
    /// Whose traffic it would be.
    pub source: Option<String>,
    /// Where to.
    pub destination: Option<String>,
    /// To which port.
    pub port: Option<u16>,
    /// Who ordered it.
    pub by: String,
    /// The agent that puts it in; `null` where it is put in at the centre.
    pub agent: Option<String>,
    /// `waiting` for the agent, `injected` there and on its way, `found`, `over` (its case is closed, or a rule silences it), or `failed`.
    pub state: &'static str,
    /// Why nothing became of it, or what it waits for; `null` otherwise.
    pub why: Option<String>,
    /// When it was ordered.
    pub ordered: String,
    /// When it was put in, by the centre's clock.
    pub injected: Option<String>,
    /// When the centre found it.
    pub found: Option<String>,
    /// When its case was opened.
    pub opened: Option<String>,
    /// When somebody took the case up.
    pub acknowledged: Option<String>,
    /// When the case was closed.
    pub closed: Option<String>,
    /// How long after it was put in the centre found it.
    pub detected_after_s: Option<i64>,
    /// How long after the case was opened somebody took it up.
    pub acknowledged_after_s: Option<i64>,
    /// How long after the case was opened it was closed.
    pub closed_after_s: Option<i64>,
    /// Its case.
    pub case: Option<String>,
    /// How far that is.
    pub case_state: Option<&'static str>,
    /// Its incident, where it is one.
    pub incident: Option<String>,
    /// When the incident was over.
    pub incident_closed: Option<String>,
}

impl DrillBody {
    /// Returns a drill as the view shows it.
    pub fn of(view: &View, drill: &Drill) -> Self {
        let case = drill.case.and_then(|id| view.case(id));
        let site = view.site(drill.site);
        let agent = match drill.way {
            DrillWay::Agent(agent) => Some(agent),
            DrillWay::Centre => None,
        };
        let (plan, incident) = (&drill.plan, drill.incident.as_ref());
        Self {
            id: drill.id.to_string(),
            site: site.map(|it| it.id.to_string()),
            site_code: site.map(|it| it.code(view.now()).to_owned()).unwrap_or_default(),
            site_name: site.map(|it| it.name(view.now()).zh.clone()).unwrap_or_default(),
            kind: plan.kind.clone(),
            subject: plan.subject.clone(),
            grade: plan.grade.name(),
            text: plan.text.clone(),
            source: plan.source.map(|it| it.to_string()),
            destination: plan.destination.map(|it| it.to_string()),
            port: plan.port,
            by: drill.by.clone(),
            agent: agent.map(|it| it.to_string()),
            state: drill.state(case).name(),
            why: why(view, drill),
            ordered: time(drill.ordered),
            injected: drill.injected.map(time),
            found: drill.found.map(time),
            opened: case.map(|it| time(it.opened)),
            acknowledged: case.and_then(|it| it.acknowledged).map(time),
            closed: case.and_then(|it| it.closed).map(time),
            detected_after_s: drill.detected_after_ms().map(|ms| ms / 1_000),
            acknowledged_after_s: case.and_then(Case::acknowledged_after_ms).map(|ms| ms / 1_000),
            closed_after_s: case.and_then(Case::closed_after_ms).map(|ms| ms / 1_000),
            case: case.map(|it| it.id.to_string()),
            case_state: case.map(|it| it.state.name()),
            incident: incident.map(|it| it.id.to_string()),
            incident_closed: incident.and_then(|it| it.closed).map(|(at, _)| time(at)),
        }
    }
}

/// Returns why nothing became of a drill, or what it waits for.
fn why(view: &View, drill: &Drill) -> Option<String> {
    if let Some(failed) = drill.failed.as_ref().filter(|_| drill.found.is_none()) {
        return Some(failed.reason.clone());
    }
    let DrillWay::Agent(agent) = drill.way else { return None };
    if drill.state(None) != DrillState::Waiting {
        return None;
    }
    let contact = view.agent(agent).map(|it| it.contact).unwrap_or_default();
    let since = contact.silent_since.or(contact.disconnected_since).map(|at| format!(" since {at}"));
    Some(match (contact.connected_since, contact.last_heard) {
        (Some(_), _) => format!("{agent} is being asked"),
        (None, None) => format!("{agent} never connected: start it at the site; it is asked within a day"),
        (None, Some(_)) => {
            let since = since.unwrap_or_default();
            format!("{agent} is not connected{since}: it is asked when it is back, within a day")
        }
    })
}
