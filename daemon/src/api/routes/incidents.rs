//! Incidents: what is broken, what follows from it, why it is believed; and what happened at a site, in one list.

use std::{collections::BTreeSet, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    IncidentId, SiteId, Timestamp,
    fact::{HistoryBody, Scope},
    incident::{Incident, IncidentKind, Severity, Subject},
    site::Site,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, named, site_filter};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{IncidentBody, IncidentDetailBody, Page, time},
    },
    store::{SampleKind, SampleQuery},
};

/// How far back a timeline goes when the caller does not say, and at most, in milliseconds.
const TIMELINE_SPAN_MS: i64 = 7 * 86_400_000;
const TIMELINE_SPAN_MAX_MS: i64 = 190 * 86_400_000;
/// Events of one scope that a timeline reads.
const EVENTS_MAX: usize = 1_000;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_incidents)).routes(routes!(get_incident)).routes(routes!(get_timeline))
}

/// Lists incidents, the newest first.
///
/// An incident is shown to whoever sees its site or one that it keeps from working.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents",
    params(
        ("state" = Option<String>, Query, description = "`open` (by default), `closed` or `all`"),
        ("site" = Option<String>, Query, description = "Only what concerns this site or those below it: an id or a division code"),
        ("kind" = Option<String>, Query, description = "Only this kind, such as `link_down`"),
        ("severity" = Option<String>, Query, description = "Only this grade"),
        ("drill" = Option<bool>, Query, description = "Only drills, or only what is none"),
        ("planned" = Option<bool>, Query, description = "Only what falls into a planned maintenance, or only what does not"),
        ("from" = Option<String>, Query, description = "Only what was not over before this time, RFC 3339"),
        ("to" = Option<String>, Query, description = "Only what began before this time, RFC 3339"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<IncidentBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_incidents(gate: Gate, mut params: Params) -> Answer<Page<IncidentBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let wanted = Wanted::read(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<IncidentId>("cursor")?);
    params.finish()?;
    // Both have the newest first; a drill's id is one of an incident too.
    let mut all: Vec<&Incident> = view.incidents().chain(view.drilled_incidents()).collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.id));
    let all = all.into_iter().filter(|it| cursor.is_none_or(|last| it.id < last) && wanted.takes(&view, it));
    let bodies = all.map(|incident| IncidentBody::of(&view, incident));
    Ok(Json(super::page_of_ids(bodies, limit, |body| &body.id)))
}

/// What a list of incidents is narrowed to.
struct Wanted {
    open: Option<bool>,
    site: Option<SiteId>,
    kind: Option<IncidentKind>,
    severity: Option<Severity>,
    planned: Option<bool>,
    drill: Option<bool>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Wanted {
    fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let open = match params.text("state") {
            None | Some("open") => Some(true),
            Some("closed") => Some(false),
            Some("all") => None,
            Some(other) => {
                let detail = format!("{other:?} cannot be used: write open, closed or all");
                return Err(Problem::parameter("state", detail));
            }
        };
        Ok(Self {
            open,
            site: site_filter(view, params)?,
            kind: named(params, "kind", &IncidentKind::ALL, |it| it.name())?,
            severity: named(params, "severity", &Severity::ALL, |it| it.name())?,
            planned: params.flag("planned")?,
            drill: params.flag("drill")?,
            from: params.time("from")?,
            to: params.time("to")?,
        })
    }

    fn takes(&self, view: &View, incident: &Incident) -> bool {
        self.open.is_none_or(|open| open == incident.is_open())
            && self.kind.is_none_or(|kind| kind == incident.kind)
            && self.severity.is_none_or(|severity| severity == incident.severity)
            && self.planned.is_none_or(|planned| planned == incident.planned.is_some())
            && self.drill.is_none_or(|drill| drill == view.drill_of_incident(incident.id).is_some())
            && self.to.is_none_or(|to| incident.since < to)
            && self.from.is_none_or(|from| incident.closed.is_none_or(|(at, _)| at >= from))
            && self.site.is_none_or(|root| view.concerns(incident, root))
    }
}

/// One incident, with what follows from it, the evidence, and what was believed before.
#[utoipa::path(
    get, path = "/api/v1/incidents/{incident}", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = IncidentDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_incident(gate: Gate, Path(incident): Path<String>, params: Params) -> Answer<IncidentDetailBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    params.finish()?;
    let found = IncidentId::from_str(&incident).ok().and_then(|id| view.incident(id));
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(IncidentDetailBody::of(&view, found)))
}

/// Something that happened at a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct MomentBody {
    /// When.
    pub time: String,
    /// `incident_began`, `incident_ended`, `event`, `agent_connected`, `agent_silent` or `site_changed`.
    pub what: &'static str,
    /// The incident's kind, the event's kind, or what changed of the site.
    pub kind: String,
    /// The incident.
    pub incident: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// What it was about: a device, an interface, a name.
    pub subject: Option<String>,
    /// In words.
    pub detail: Option<String>,
    /// Whether it falls into a planned maintenance.
    pub planned: bool,
    /// Whether it is a drill.
    pub drill: bool,
}

/// What happened at a site: incidents, silences, events and changes in one list, the newest first.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/timeline", tag = "incidents",
    params(
        ("site" = String, Path, description = "Its id or its division code"),
        ("from" = Option<String>, Query, description = "The first moment, RFC 3339; seven days ago by default"),
        ("to" = Option<String>, Query, description = "The first moment after the last, RFC 3339; now by default"),
        ("limit" = Option<usize>, Query, description = "Entries, 1 to 1000; 100 by default"),
    ),
    responses((status = 200, body = Page<MomentBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_timeline(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    mut params: Params,
) -> Answer<Page<MomentBody>> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    let until = params.time("to")?.unwrap_or(gate.now().plus_ms(1));
    let from = params.time("from")?.unwrap_or(until.plus_ms(-TIMELINE_SPAN_MS));
    let limit = params.limit()?;
    params.finish()?;
    if from >= until || until.ms_since(from) > TIMELINE_SPAN_MAX_MS {
        let detail = format!("{from} does not go with {until}: give an earlier time, at most 190 days before the end");
        return Err(Problem::parameter("from", detail));
    }
    Ok(Json(timeline(&app, &view, site, (from, until), limit).await?))
}

/// Returns what happened at a site from a time until before another, the newest first.
pub(crate) async fn timeline(
    app: &App,
    view: &View,
    site: SiteId,
    (from, until): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Page<MomentBody>, Problem> {
    let mut moments = events(app, view, site, (from, until)).await?;
    for incident in view.incidents().chain(view.drilled_incidents()).filter(|it| it.concerns_site(site)) {
        let drill = view.drill_of_incident(incident.id).is_some();
        let closed = incident.closed.map(|(at, _)| ("incident_ended", at));
        for (what, at) in [("incident_began", incident.since)].into_iter().chain(closed) {
            moments.push((at, MomentBody { drill, ..of_incident(what, at, incident) }));
        }
    }
    for agent in view.agents_of(site) {
        let contact = agent.contact;
        for (what, at) in [("agent_connected", contact.connected_since), ("agent_silent", contact.silent_since)] {
            let moment = |at| MomentBody { agent: Some(agent.id.to_string()), ..moment(at, what, what.to_owned()) };
            moments.extend(at.map(|at| (at, moment(at))));
        }
    }
    moments.extend(view.site(site).into_iter().flat_map(site_changes));
    moments.retain(|(at, _)| from <= *at && *at < until);
    moments.sort_by(|a, b| b.cmp(a));
    let more = moments.len() > limit;
    moments.truncate(limit);
    let next = moments.last().filter(|_| more).map(|(at, _)| time(*at));
    Ok(Page { items: moments.into_iter().map(|(_, moment)| moment).collect(), next })
}

fn moment(at: Timestamp, what: &'static str, kind: String) -> MomentBody {
    MomentBody {
        time: time(at),
        what,
        kind,
        incident: None,
        agent: None,
        subject: None,
        detail: None,
        planned: false,
        drill: false,
    }
}

fn of_incident(what: &'static str, at: Timestamp, incident: &Incident) -> MomentBody {
    let subject = match &incident.subject {
        Subject::Service(name) => Some(name.to_string()),
        Subject::Device(device) => Some(device.to_string()),
        Subject::Interface(interface) => Some(interface.to_string()),
        Subject::Agent(agent) => Some(agent.to_string()),
        Subject::Link { .. } | Subject::Site(_) | Subject::Centre => None,
    };
    MomentBody {
        incident: Some(incident.id.to_string()),
        subject,
        planned: incident.planned.is_some(),
        ..moment(at, what, incident.kind.name().to_owned())
    }
}

/// Returns what changed of the site itself.
fn site_changes(site: &Site) -> Vec<(Timestamp, MomentBody)> {
    let change = |at: Timestamp, kind: &str, detail: Option<String>| {
        (at, MomentBody { detail, ..moment(at, "site_changed", kind.to_owned()) })
    };
    let codes = site.codes.iter().map(|it| change(it.from, "code", Some(it.value.clone())));
    let names = site.names.iter().map(|it| change(it.from, "name", Some(it.value.zh.clone())));
    let parents = site.parents.iter().map(|it| change(it.from, "parents", None));
    let ended = site.ended.iter().map(|it| change(it.at, "ended", None));
    codes.chain(names).chain(parents).chain(ended).collect()
}

/// Returns what agents of the site told of as it happened.
async fn events(
    app: &App,
    view: &View,
    site: SiteId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(Timestamp, MomentBody)>, Problem> {
    let handles = view.inventory(site).into_iter().flat_map(|state| state.handles.keys());
    let scopes: BTreeSet<Scope> = handles.map(|it| it.scope.clone()).chain([Scope::new("")]).collect();
    let centre = app.centre.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for scope in scopes {
            let query = SampleQuery {
                site,
                agent: None,
                scope,
                kind: SampleKind::Event,
                item: None,
                from,
                until,
                limit: EVENTS_MAX,
            };
            found.extend(centre.samples(&query)?);
        }
        Ok::<_, crate::store::StoreError>(found)
    });
    let samples =
        read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))?;
    let events = samples.into_iter().filter_map(|sample| {
        let HistoryBody::Event(event) = sample.item.body else { return None };
        let at = sample.item.time;
        let kind = serde_json::to_value(event.kind).ok()?.as_str()?.to_owned();
        let about = [sample.item.scope.as_str(), event.subject.as_str()].join(" ").trim().to_owned();
        let subject = (!about.is_empty()).then_some(about);
        let detail = (!event.detail.is_empty()).then_some(event.detail);
        let agent = Some(sample.agent.to_string());
        Some((at, MomentBody { agent, subject, detail, ..moment(at, "event", kind) }))
    });
    Ok(events.collect())
}
