//! Whom an incident concerns, and what those who check found last.
//!
//! Invariant: only what the reader's view shows is named or counted. What is told of checks is of now: a closed incident has none.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use onenet_topology::{
    DeviceId, InterfaceId, ProbeRole, ProbeState, SiteId, Timestamp,
    incident::{Incident, Subject},
    inference::{Place, Where},
};

use super::{
    Reader, parts,
    text::{self, fill},
    words,
};
use crate::{
    access::View,
    api::body::{Shown, probes},
};

/// Sites that a row names; of more it says how many.
const NAMED_MAX: usize = 2;
/// Failed checks that a page lists.
const LISTED_MAX: usize = 50;

/// What the sites of a view find of services, by name.
#[derive(Debug, Default)]
pub(super) struct Checks {
    services: BTreeMap<String, Vec<Check>>,
}

/// What one site finds.
#[derive(Debug)]
struct Check {
    site: SiteId,
    state: ProbeState,
    since: Timestamp,
    detail: String,
}

impl Checks {
    /// Looks up what is found of the services that some incidents are of.
    pub(super) fn of<'i>(view: &View, incidents: impl Iterator<Item = &'i Incident>) -> Self {
        let wanted: BTreeSet<&str> = incidents.filter_map(service).collect();
        let mut services: BTreeMap<String, Vec<Check>> = BTreeMap::new();
        if wanted.is_empty() {
            return Self::default();
        }
        for site in view.sites() {
            let of_service =
                |it: &Shown<'_>| it.probe.role == ProbeRole::Named && wanted.contains(it.probe.name.as_str());
            for shown in probes(view, site.id).into_iter().filter(of_service) {
                let Shown { probe, state, since, .. } = shown;
                let check = Check { site: site.id, state, since, detail: probe.detail };
                services.entry(probe.name).or_default().push(check);
            }
        }
        Self { services }
    }

    fn named(&self, incident: &Incident) -> &[Check] {
        service(incident).and_then(|name| self.services.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the checks that fail, the newest first.
    fn failed(&self, incident: &Incident) -> Vec<&Check> {
        let bad = |check: &&Check| matches!(check.state, ProbeState::Down | ProbeState::Degraded);
        let mut failed: Vec<&Check> = self.named(incident).iter().filter(bad).collect();
        failed.sort_by_key(|check| (std::cmp::Reverse(check.since), check.site));
        failed
    }
}

fn service(incident: &Incident) -> Option<&str> {
    match &incident.subject {
        Subject::Service(name) => Some(name),
        _ => None,
    }
}

/// Whom an incident concerns, in a row of a list: who cannot use a service, which sites are out of reach, how many endpoints are
/// behind a device or a port.
pub(super) fn brief(reader: &Reader, view: &View, incident: &Incident, checks: &Checks) -> Markup {
    let sites = incident.affected.sites.iter().filter(|site| view.site(**site).is_some()).count();
    match &incident.subject {
        Subject::Service(_) => of_service(reader, view, incident, checks),
        _ if sites > 0 => html! { (fill(reader.say(text::IMPACT_SITES), sites)) },
        Subject::Device(id) => endpoints(reader, view, *id, None),
        Subject::Interface(id) => match view.interface(*id) {
            Some((_, device, _)) => endpoints(reader, view, device.id, Some(*id)),
            None => parts::or_dash(None),
        },
        _ => parts::or_dash(None),
    }
}

fn of_service(reader: &Reader, view: &View, incident: &Incident, checks: &Checks) -> Markup {
    let judged = |check: &&Check| check.state != ProbeState::Unknown;
    let all: BTreeSet<SiteId> = checks.named(incident).iter().filter(judged).map(|check| check.site).collect();
    let failed: BTreeSet<SiteId> = checks.failed(incident).into_iter().map(|check| check.site).collect();
    if failed.is_empty() {
        return parts::or_dash(None);
    }
    if failed.len() == all.len() && all.len() > NAMED_MAX {
        return html! { (fill(reader.say(text::IMPACT_EVERYWHERE), all.len())) };
    }
    let count = fill(&fill(reader.say(text::IMPACT_OF_ALL), failed.len()), all.len());
    html! {
        @if failed.len() <= NAMED_MAX {
            @for site in &failed { (parts::site_link_of(reader, view, *site)) " " }
            span.sub { (count) }
        } @else { (count) }
    }
}

/// How many endpoints are, or were last, at a device or at one of its ports.
fn endpoints(reader: &Reader, view: &View, device: DeviceId, interface: Option<InterfaceId>) -> Markup {
    let Some((state, _)) = view.device(device) else { return parts::or_dash(None) };
    let behind = |at: Where| match at {
        Where::Port(Place { device: of, interface: port, .. }) => of == device && interface.is_none_or(|it| it == port),
        Where::Behind { device: of, .. } => of == device && interface.is_none(),
        Where::Nowhere => false,
    };
    let count =
        state.visible_endpoints().filter(|it| it.located.as_ref().is_some_and(|found| behind(found.at))).count();
    html! { @if count > 0 { (fill(reader.say(text::IMPACT_ENDPOINTS), count)) } @else { (parts::or_dash(None)) } }
}

/// Why the newest failed check failed, as the agent says it.
pub(super) fn why(incident: &Incident, checks: &Checks) -> Markup {
    let failed = checks.failed(incident);
    let newest = failed.iter().find(|check| !check.detail.is_empty());
    html! { @if let Some(check) = newest { " " span.sub lang="en" { (check.detail) } } }
}

/// What to do, whom it concerns and what checks found, on the page of an incident.
pub(super) fn section(reader: &Reader, view: &View, incident: &Incident) -> Markup {
    if !incident.is_open() {
        return parts::nothing();
    }
    let checks = Checks::of(view, std::iter::once(incident));
    let failed = checks.failed(incident);
    let target = match &incident.subject {
        Subject::Device(id) => view.device(*id).and_then(|(_, device)| device.answering.first()),
        _ => None,
    };
    let target = target.map(|it| it.reach.target.as_str()).unwrap_or_default();
    let mut rows = vec![(reader.say(text::IMPACT), brief(reader, view, incident, &checks))];
    let remedy = words::remedy(incident.kind).map(|remedy| html! { (fill(reader.say(remedy), target)) });
    rows.extend(remedy.map(|remedy| (reader.say(text::REMEDY), remedy)));
    html! {
        (parts::facts_and_line(&rows))
        @if !failed.is_empty() {
            h2 { (reader.say(text::NEWEST_DETAIL)) " " span.sub { (failed.len()) } }
            div.scroll { table { tbody {
                @for check in failed.iter().take(LISTED_MAX) {
                    tr {
                        th scope="row" { (parts::site_link_of(reader, view, check.site)) }
                        td { (parts::moment(check.since)) }
                        td.words lang="en" { (parts::or_dash(Some(&check.detail))) }
                    }
                }
            } } }
        }
    }
}
