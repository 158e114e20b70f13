//! What is wrong at a site, in words, with what to do about it.
//!
//! Invariant: whatever a mark or a number elsewhere calls trouble stands in this list with its remedy, and the other way
//! round: [`attention`] counts exactly what [`troubles`] lists.

use maud::{Markup, html};
use onenet_topology::{IncidentId, Timestamp, device::Standing, incident::Subject as Broken, site::Site};

use super::{
    Reader,
    parts::{self, Mark},
    text::{self, Text, fill},
    words,
};
use crate::{
    access::View,
    api::body::Counts,
    estate::{Agent, SiteState},
    findings::{Evidence, Finding, Subject, told},
};

/// How many things want somebody's attention.
pub(super) const fn attention(counts: &Counts) -> u32 {
    counts
        .conditions
        .saturating_add(counts.findings)
        .saturating_add(counts.devices_down)
        .saturating_add(counts.devices_degraded)
        .saturating_add(counts.agents_silent)
        .saturating_add(counts.agents_never_heard)
}

/// One thing that is wrong.
struct Trouble {
    mark: Mark,
    what: Text,
    subject: Markup,
    since: Option<Timestamp>,
    detail: Markup,
    remedy: String,
    /// The incident that it is, where there is one.
    incident: Option<IncidentId>,
}

/// The list of what is wrong at a site.
pub(super) fn troubles(reader: &Reader, view: &View, site: &Site, state: Option<&SiteState>) -> Markup {
    let mut all: Vec<Trouble> = view.agents_of(site.id).filter_map(|agent| of_agent(reader, view, agent)).collect();
    if let Some(state) = state {
        all.extend(of_devices(reader, view, state));
        all.extend(state.findings.values().map(|finding| of_finding(reader, finding)));
        all.extend(state.conditions().map(|(agent, observed, condition)| {
            let words = words::condition(condition.kind);
            let subject = if condition.subject.is_empty() { agent.to_string() } else { condition.subject.clone() };
            Trouble {
                mark: Mark::Warn,
                what: words.what,
                subject: html! { code { (subject) } },
                since: Some(observed),
                detail: said(&condition.detail),
                remedy: reader.say(words.remedy).to_owned(),
                incident: None,
            }
        }));
    }
    if all.is_empty() {
        return html! { p.calm { (parts::mark(reader, Mark::Good, text::NOTHING_WRONG)) } };
    }
    html! { ul.troubles { @for trouble in &all { (item(reader, view, trouble)) } } }
}

fn item(reader: &Reader, view: &View, trouble: &Trouble) -> Markup {
    html! {
        li {
            p {
                (parts::dot(reader, trouble.mark)) strong { (reader.say(trouble.what)) } " " (trouble.subject)
                @if trouble.since.is_some() { " · " (parts::ago(reader, view, trouble.since)) }
                @if let Some(id) = trouble.incident { " · " a href=(format!("/incidents/{id}")) { (reader.say(text::INCIDENT)) } }
            }
            (trouble.detail)
            p.remedy { span.label { (reader.say(text::REMEDY)) } (trouble.remedy) }
        }
    }
}

/// What an agent says itself, in its language, which is English.
fn said(detail: &str) -> Markup {
    html! { @if !detail.is_empty() { p.detail lang="en" { (detail) } } }
}

fn incident_of(view: &View, subject: &Broken) -> Option<IncidentId> {
    view.open_incidents().find(|it| it.subject == *subject).map(|it| it.id)
}

fn of_agent(reader: &Reader, view: &View, agent: &Agent) -> Option<Trouble> {
    let (mark, what, remedy, since) = match crate::api::body::agent_state(agent) {
        "silent" => {
            let since = agent.contact.silent_since.or(agent.contact.last_heard);
            (Mark::Warn, text::AGENT_SILENT, text::AGENT_SILENT_REMEDY, since)
        }
        "never_heard" => (Mark::Warn, text::AGENT_NEVER_HEARD, text::AGENT_NEVER_HEARD_REMEDY, None),
        _ => return None,
    };
    let subject = html! { code { (agent.id) } };
    let (detail, remedy) = (parts::nothing(), reader.say(remedy).to_owned());
    let incident = incident_of(view, &Broken::Agent(agent.id));
    Some(Trouble { mark, what, subject, since, detail, remedy, incident })
}

fn of_devices<'a>(reader: &'a Reader, view: &'a View, state: &'a SiteState) -> impl Iterator<Item = Trouble> + 'a {
    state.devices.values().filter_map(|device| {
        let (standing, since) = view.device_standing(device);
        let (mark, what, remedy) = match standing {
            Standing::Down => (Mark::Bad, text::DEVICE_DOWN, text::DEVICE_DOWN_REMEDY),
            Standing::Degraded => (Mark::Warn, text::DEVICE_DEGRADED, text::DEVICE_DEGRADED_REMEDY),
            Standing::Up | Standing::Unknown => return None,
        };
        let answering = device.answering.iter().max_by_key(|it| it.observed);
        let target = answering.map(|it| it.reach.target.as_str()).unwrap_or_default();
        Some(Trouble {
            mark,
            what,
            subject: html! { a href=(format!("/devices/{}", device.id)) { (device.name()) } },
            since,
            detail: said(answering.map(|it| it.reach.detail.as_str()).unwrap_or_default()),
            remedy: fill(reader.say(remedy), target),
            incident: incident_of(view, &Broken::Device(device.id)),
        })
    })
}

fn of_finding(reader: &Reader, finding: &Finding) -> Trouble {
    let words = words::finding(finding.key.kind);
    let detail = match &finding.evidence {
        Evidence::ClockOffset { offset_ms } => parts::clock_offset(reader.language, *offset_ms),
        Evidence::Capacity { held, limit, left_out: 0, .. } => format!("{held} / {limit}"),
        Evidence::Capacity { held, limit, left_out, .. } => {
            format!("{held} / {limit} {}", fill(reader.say(text::LEFT_OUT), left_out))
        }
        Evidence::MacElsewhere { mac, sites } => format!("{mac} {}", fill(reader.say(text::AND_OTHER_SITES), sites)),
        Evidence::TwoMacs { ip, macs } => {
            let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
            format!("{ip}: {}", macs.join(", "))
        }
        Evidence::DeviceAddress { ip, mac, .. } => format!("{ip}: {mac}"),
        Evidence::Flapping { mac, count, changes, .. } => {
            format!("{mac} {}: {}", fill(reader.say(text::CHANGED_PORTS), count), told(changes))
        }
    };
    let subject = match finding.key.subject {
        Subject::Agent(agent) => html! { code { (agent) } },
        Subject::Endpoint(endpoint) => html! { a href=(format!("/endpoints/{endpoint}")) { code { (endpoint) } } },
    };
    Trouble {
        mark: Mark::Warn,
        what: words.what,
        subject,
        since: Some(finding.since),
        detail: html! { p.detail { (detail) } },
        remedy: reader.say(words.remedy).to_owned(),
        incident: None,
    }
}
