//! Incidents: the list of them, and a page for each.
//!
//! Invariant: a page says what is believed, why, and what could not be told apart; what its reader may not see is named by
//! its sort alone.

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    AgentId, DeviceId, IncidentId, SiteId,
    incident::{Closing, Clue, Explanation, Incident, Severity, Subject},
};

use super::{
    Reader,
    impact::{self, Checks},
    layout, parameter,
    parts::{self, Mark},
    text::{self, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{App, Problem},
};

/// Incidents on the first page.
const OVERVIEW_MAX: usize = 10;
/// Incidents of a list; the API has all of them.
const LIST_MAX: usize = 200;
/// Things of each sort that a page names.
const NAMED_MAX: usize = 300;

/// The list.
pub(super) async fn list(State(_): State<Arc<App>>, reader: Reader) -> Response {
    reader.answer(listed(&reader))
}

fn listed(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let closed = parameter(reader.query(), "state").as_deref() == Some("closed");
    let all = view.drilled_incidents().chain(view.incidents());
    let all: Vec<&Incident> = all.filter(|it| it.is_open() != closed).take(LIST_MAX).collect();
    let (planned, open): (Vec<&Incident>, Vec<&Incident>) =
        all.into_iter().partition(|it| it.planned.is_some() && !closed);
    let content = html! {
        h1 { (reader.say(if closed { text::INCIDENTS_CLOSED } else { text::INCIDENTS_OPEN })) }
        (table(reader, &view, &open, closed))
        @if !planned.is_empty() {
            h2 { (reader.say(text::INCIDENTS_PLANNED)) }
            (table(reader, &view, &planned, closed))
        }
        p.hint {
            @if closed { a href="/incidents" { (reader.say(text::INCIDENTS_OPEN)) } }
            @else { a href="/incidents?state=closed" { (reader.say(text::INCIDENTS_CLOSED)) } }
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::INCIDENTS), "", &content))
}

/// What is broken now, for the first page; nothing where nothing is or may be read.
pub(super) fn overview(reader: &Reader, view: &View) -> Markup {
    let mut open: Vec<&Incident> = view.open_incidents().filter(|it| it.planned.is_none()).collect();
    if open.is_empty() {
        return parts::nothing();
    }
    // The gravest first, and of those the newest.
    open.sort_by_key(|it| (std::cmp::Reverse(it.severity), std::cmp::Reverse(it.since)));
    let count = open.len();
    open.truncate(OVERVIEW_MAX);
    html! {
        h2 { a href="/incidents" { (reader.say(text::INCIDENTS_OPEN)) } " " span.sub { (count) } }
        (table(reader, view, &open, false))
        h2 { (reader.say(text::SITES)) }
    }
}

/// What is broken at a site, or keeps it from working.
pub(super) fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    // A device or an agent of the site stands among what is to be done there, with its remedy and a link to its incident.
    let told = |it: &Incident| it.site == site && matches!(it.subject, Subject::Device(_) | Subject::Agent(_));
    let drilled = view.drilled_incidents().filter(|it| it.is_open() && it.concerns_site(site));
    let open = view.open_incidents().filter(|it| it.concerns_site(site) && !told(it));
    let open: Vec<&Incident> = drilled.chain(open).collect();
    if open.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 { (reader.say(text::INCIDENTS_OPEN)) }
        (table(reader, view, &open, false))
    }
}

fn table(reader: &Reader, view: &View, incidents: &[&Incident], closed: bool) -> Markup {
    if incidents.is_empty() {
        return html! { p.calm { (parts::mark(reader, Mark::Good, text::NO_INCIDENTS)) } };
    }
    let columns =
        [text::GRADE, text::WHAT_IS_BROKEN, text::SUBJECT, text::IMPACT, text::SINCE, text::DURATION, text::POSSIBLE];
    let checks = Checks::of(view, incidents.iter().copied().filter(|it| it.is_open()));
    html! {
        div.scroll {
            table {
                thead { tr { @for column in &columns { th scope="col" { (reader.say(*column)) } } } }
                tbody {
                    @for incident in incidents {
                        tr {
                            td { (grade(reader, incident.severity)) }
                            th scope="row" {
                                a href=(format!("/incidents/{}", incident.id)) { (reader.say(words::incident(incident.kind))) }
                                (drill_tag(reader, view, incident))
                            }
                            td { (subject(reader, view, &incident.subject)) }
                            td { (impact::brief(reader, view, incident, &checks)) }
                            td { (parts::ago(reader, view, Some(incident.since))) }
                            td { (parts::span(reader.language, incident.duration_ms(view.now()))) }
                            td {
                                (possible(reader, incident)) @if closed { (ending(reader, incident)) }
                                (impact::why(incident, &checks))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Says that an incident is a drill: nothing is broken.
fn drill_tag(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    html! { @if view.drill_of_incident(incident.id).is_some() { " " span.tag { (reader.say(text::CASE_DRILL)) } } }
}

/// A grade in its colour, which is a proposal.
fn grade(reader: &Reader, severity: Severity) -> Markup {
    html! { span class=(format!("grade {}", severity.name())) { (reader.say(words::severity(severity))) } }
}

fn possible(reader: &Reader, incident: &Incident) -> Markup {
    let known: Vec<&str> = explanations(incident).map(|it| reader.say(words::explanation(it))).collect();
    html! { (known.join(reader.say(text::OR))) }
}

/// What may be behind an incident; that it is the thing itself goes without saying.
fn explanations(incident: &Incident) -> impl Iterator<Item = Explanation> {
    incident.possible.iter().copied().filter(|it| *it != Explanation::Itself)
}

fn ending(reader: &Reader, incident: &Incident) -> Markup {
    match incident.closed.map(|(_, how)| how) {
        Some(Closing::PartOf(id)) => html! {
            " · " a href=(format!("/incidents/{id}")) { (reader.say(text::PART_OF_ANOTHER)) }
        },
        Some(Closing::Gone) => html! { " · " (reader.say(text::SUBJECT_GONE)) },
        Some(Closing::Healed) | None => parts::nothing(),
    }
}

/// What is broken, as far as the reader may see it.
fn subject(reader: &Reader, view: &View, subject: &Subject) -> Markup {
    match subject {
        Subject::Link { child, parent } => html! {
            (site(reader, view, *child)) span.of { " ⇡ " } (site(reader, view, *parent))
        },
        Subject::Site(id) => site(reader, view, *id),
        Subject::Agent(id) => agent(reader, view, *id),
        Subject::Device(id) => device(reader, view, *id),
        Subject::Interface(id) => html! {
            @if let Some((_, of, interface)) = view.interface(*id) {
                (device(reader, view, of.id)) " " code { (interface.said.name) }
            } @else { (hidden(reader)) }
        },
        Subject::Service(name) => html! { code { (name) } },
        Subject::Centre => html! { (reader.say(text::THE_CENTRE)) },
    }
}

/// What the reader may not see.
fn hidden(reader: &Reader) -> Markup {
    html! { span.none { (reader.say(text::NOT_YOURS)) } }
}

fn site(reader: &Reader, view: &View, id: SiteId) -> Markup {
    view.site(id).map_or_else(|| hidden(reader), |site| parts::site_link(reader, view, site))
}

/// An agent, by its site, since nobody knows it by its number.
fn agent(reader: &Reader, view: &View, id: AgentId) -> Markup {
    html! {
        @if let Some(agent) = view.agent(id) { (site(reader, view, agent.site)) " " code { (id) } }
        @else { (hidden(reader)) }
    }
}

fn device(reader: &Reader, view: &View, id: DeviceId) -> Markup {
    html! {
        @if let Some((state, device)) = view.device(id) {
            (site(reader, view, state.id)) " " a href=(format!("/devices/{id}")) { (device.name()) }
        } @else { (hidden(reader)) }
    }
}

/// The page of an incident.
pub(super) async fn page(State(_): State<Arc<App>>, reader: Reader, Path(incident): Path<String>) -> Response {
    reader.answer(made(&reader, &incident))
}

fn made(reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let incident = IncidentId::from_str(id).ok().and_then(|id| view.incident(id)).ok_or_else(Problem::not_found)?;
    let title = reader.say(words::incident(incident.kind));
    let content = html! {
        nav.trail aria-label=(reader.say(text::INCIDENTS)) {
            ol {
                li { a href="/incidents" { (reader.say(text::INCIDENTS)) } }
                li aria-current="page" { (incident.id) }
            }
        }
        h1 { (title) span.query { (subject(reader, &view, &incident.subject)) } (grade(reader, incident.severity)) (drill_tag(reader, &view, incident)) }
        (facts(reader, &view, incident))
        (case(reader, &view, incident))
        (believed(reader, incident))
        (impact::section(reader, &view, incident))
        h2 { (reader.say(text::EVIDENCE_FOR)) }
        (clues(reader, &view, incident.evidence_for.iter()))
        @if !incident.evidence_against.is_empty() {
            h2 { (reader.say(text::EVIDENCE_AGAINST)) }
            (clues(reader, &view, incident.evidence_against.iter()))
        }
        (affected(reader, &view, incident))
        (versions(reader, &view, incident))
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

fn facts(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    let state = match (incident.closed, incident.planned) {
        (None, None) => parts::mark(reader, Mark::Bad, text::OPEN),
        (None, Some(_)) => parts::mark(reader, Mark::Warn, text::PLANNED),
        (Some(_), _) => parts::mark(reader, Mark::Good, text::CLOSED),
    };
    let closed = incident.closed.map(|(at, _)| parts::moment(at));
    parts::facts(&[
        (reader.say(text::STATE), html! { (state) (ending(reader, incident)) }),
        (reader.say(text::SINCE), html! { (parts::moment(incident.since)) }),
        (reader.say(text::OVER_SINCE), parts::or_dash(closed.as_deref())),
        (reader.say(text::DURATION), html! { (parts::duration(reader.language, incident.duration_ms(view.now()))) }),
        (reader.say(text::RAISED), html! { (parts::moment(incident.raised)) }),
        (reader.say(text::FILED_UNDER), site(reader, view, incident.site)),
    ])
}

/// Its case, or the form that opens one, for whoever reviews cases there.
fn case(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    let known = view.cases().find(|it| it.incident == Some(incident.id));
    let may = view.may(Action::ReviewCases, incident.site) && !reader.form.is_empty();
    html! {
        @if let Some(case) = known {
            p { (reader.say(text::CASE_NUMBER)) " " a href=(format!("/cases/{}", case.id)) { (case.id) } }
        } @else if may {
            form method="post" action=(format!("/incidents/{}/case", incident.id)) {
                input type="hidden" name="form" value=(reader.form);
                button type="submit" { (reader.say(text::CASE_OPEN_ABOUT)) }
            }
        }
    }
}

/// What may be behind it, and that it cannot be told apart where it cannot.
fn believed(reader: &Reader, incident: &Incident) -> Markup {
    let known: Vec<Explanation> = explanations(incident).collect();
    html! {
        @if !known.is_empty() {
            div.sheet {
                @for it in &known { p { strong { (reader.say(words::explanation(*it))) } " · " (reader.say(words::explained(*it))) } }
                @if known.len() > 1 { p.hint { (reader.say(text::NOT_TOLD_APART)) } }
            }
        }
    }
}

fn clues<'c>(reader: &Reader, view: &View, clues: impl Iterator<Item = &'c Clue>) -> Markup {
    let mut clues = clues.peekable();
    html! {
        @if clues.peek().is_none() { p.calm { "–" } } @else {
            div.scroll { table { tbody { @for it in clues { (clue(reader, view, it)) } } } }
        }
    }
}

fn clue(reader: &Reader, view: &View, clue: &Clue) -> Markup {
    let (about, since) = match clue {
        Clue::ProbeFails { agent: by, since, .. }
        | Clue::ProbeAnswered { agent: by, since, .. }
        | Clue::ServiceChecked { agent: by, since, .. }
        | Clue::AgentHeard { agent: by, since }
        | Clue::AgentLost { agent: by, since }
        | Clue::Restarted { agent: by, at: since } => (agent(reader, view, *by), Some(*since)),
        Clue::DeviceAnswers { device: of, .. } => (device(reader, view, *of), None),
        Clue::DeviceSilent { device: of, since, .. } => (device(reader, view, *of), Some(*since)),
        Clue::InterfaceDown { interface, since } => {
            (subject(reader, view, &Subject::Interface(*interface)), Some(*since))
        }
        Clue::AgentsLostAtOnce { lost, of } => (html! { (lost) " / " (of) }, None),
        Clue::WaysFailedAtOnce { ways } => (html! { (ways) }, None),
        Clue::Flapping | Clue::NobodyMeasures => (parts::nothing(), None),
    };
    html! {
        tr {
            th scope="row" { (reader.say(words::clue(clue))) }
            td { (about) }
            td { @if let Some(since) = since { (parts::moment(since)) } }
        }
    }
}

fn affected(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    let sites: Vec<_> = incident.affected.sites.iter().filter_map(|site| view.site(*site)).collect();
    let agents: Vec<_> = incident.affected.agents.iter().filter(|it| view.agent(**it).is_some()).collect();
    let devices: Vec<_> = incident.affected.devices.iter().filter(|it| view.device(**it).is_some()).collect();
    let more = |all: usize| {
        html! { @if all > NAMED_MAX { li { (fill(reader.say(text::AND_MORE), all - NAMED_MAX)) } } }
    };
    html! {
        @if !sites.is_empty() {
            h2 { (reader.say(text::SITES_OUT_OF_REACH)) " " span.sub { (sites.len()) } }
            ul.names {
                @for site in sites.iter().take(NAMED_MAX) { li { (parts::site_link(reader, view, site)) } }
                (more(sites.len()))
            }
        }
        @if !devices.is_empty() {
            h2 { (reader.say(text::DEVICES_OUT_OF_REACH)) " " span.sub { (devices.len()) } }
            ul.names {
                @for id in devices.iter().take(NAMED_MAX) { li { (device(reader, view, **id)) } }
                (more(devices.len()))
            }
        }
        @if !agents.is_empty() {
            h2 { (reader.say(text::AGENTS_NOT_HEARD)) " " span.sub { (agents.len()) } }
            ul.names {
                @for id in agents.iter().take(NAMED_MAX) { li { (agent(reader, view, **id)) } }
                (more(agents.len()))
            }
        }
    }
}

fn versions(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    html! {
        h2 { (reader.say(text::VERSIONS)) }
        div.scroll {
            table {
                (parts::head(reader, &[text::TIME, text::GRADE, text::WHAT_IS_BROKEN, text::SUBJECT, text::POSSIBLE], 0))
                tbody {
                    @for it in incident.revisions.iter().rev() {
                        @let known: Vec<&str> = it.possible.iter().filter(|it| **it != Explanation::Itself)
                            .map(|it| reader.say(words::explanation(*it))).collect();
                        tr {
                            td { (parts::moment(it.time)) }
                            td { (grade(reader, it.severity)) }
                            td { (reader.say(words::incident(it.kind))) }
                            td { (subject(reader, view, &it.subject)) }
                            td { (known.join(reader.say(text::OR))) }
                        }
                    }
                }
            }
        }
    }
}
