//! What detectors found at sites, and what the detectors do.

use std::{cmp::Reverse, collections::BTreeSet, fmt::Write as _, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};
use onenet_topology::{
    DrillId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyKey},
    drill::Drill,
    incident::Severity,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, areas, coverage::quoted, inventory_sites, site_filter};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{AnomalyBody, CentreDetectorBody, DetectorBody, Page},
    },
};

/// Characters of a kind or subject.
const WORD_CHARS_MAX: usize = 200;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_anomalies))
        .routes(routes!(anomalies_csv))
        .routes(routes!(list_detectors))
        .routes(routes!(list_centre_detectors))
}

/// Where an anomaly stands in a list: the last seen first.
type Place = (Reverse<Timestamp>, SiteId, Option<DrillId>, AnomalyKey);

/// An anomaly of a list, with the drill that it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed<'v> {
    pub(crate) site: SiteId,
    pub(crate) anomaly: &'v Anomaly,
    pub(crate) drill: Option<&'v Drill>,
}

/// What a list is narrowed to.
pub(crate) struct AnomaliesWanted {
    sites: Vec<SiteId>,
    kind: Option<String>,
    subject: Option<String>,
    grade: Option<Severity>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    drill: Option<bool>,
}

/// Lists what detectors found, the last seen first.
#[utoipa::path(
    get, path = "/api/v1/anomalies", tag = "anomalies",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("area" = Option<String>, Query, description = "Only sites of this area: its id, or its name"),
        ("kind" = Option<String>, Query, description = "Only this kind, such as `port_scan`"),
        ("subject" = Option<String>, Query, description = "Only about this subject, as it is written"),
        ("grade" = Option<String>, Query, description = "Only what is at least so grave: `general`, `considerable`, `major`, `extraordinary`"),
        ("from" = Option<String>, Query, description = "Only what was seen at this time or later, RFC 3339"),
        ("to" = Option<String>, Query, description = "Only what began before this time, RFC 3339"),
        ("drill" = Option<bool>, Query, description = "Only drills, or only what is none"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<AnomalyBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_anomalies(gate: Gate, mut params: Params) -> Answer<Page<AnomalyBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let wanted = AnomaliesWanted::read(&view, &mut params)?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    let mut found: Vec<(Place, Listed<'_>)> = wanted
        .of(&view)
        .map(|it| (it.place(), it))
        .filter(|(place, _)| after.as_ref().is_none_or(|last| place > last))
        .collect();
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut places = found.iter().map(|(place, _)| place);
    let next = places.nth(limit.saturating_sub(1)).filter(|_| found.len() > limit).map(cursor);
    let items = found.iter().take(limit).map(|(_, it)| it.body(&view)).collect();
    Ok(Json(Page { items, next }))
}

/// All anomalies of a list as a table (CSV, RFC 4180), the last seen first; evidence stands in one field.
#[utoipa::path(
    get, path = "/api/v1/anomalies.csv", tag = "anomalies",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("area" = Option<String>, Query, description = "Only sites of this area: its id, or its name"),
        ("kind" = Option<String>, Query, description = "Only this kind, such as `port_scan`"),
        ("subject" = Option<String>, Query, description = "Only about this subject, as it is written"),
        ("grade" = Option<String>, Query, description = "Only what is at least so grave: `general`, `considerable`, `major`, `extraordinary`"),
        ("from" = Option<String>, Query, description = "Only what was seen at this time or later, RFC 3339"),
        ("to" = Option<String>, Query, description = "Only what began before this time, RFC 3339"),
        ("drill" = Option<bool>, Query, description = "Only drills, or only what is none"),
    ),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn anomalies_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let wanted = AnomaliesWanted::read(&view, &mut params)?;
    params.finish()?;
    let mut found: Vec<Listed<'_>> = wanted.of(&view).collect();
    found.sort_by_cached_key(Listed::place);
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}site,code,name,kind,subject,grade,confidence,first,last,count,case,case_state,rule,rule_owner,rule_until,agent,evidence,drill\r\n",
    );
    for it in found {
        line(&mut csv, &it.body(&view));
    }
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv))
}

fn line(csv: &mut String, it: &AnomalyBody) {
    let rule = it.silenced_rule.as_ref();
    let [rule, owner, until] = [rule.map(|it| &it.rule), rule.map(|it| &it.owner), rule.map(|it| &it.until)]
        .map(|it| it.map(String::as_str).unwrap_or_default());
    let evidence: Vec<String> = it.evidence.iter().map(|it| format!("{}: {}", it.is, it.value)).collect();
    let values = [
        it.site.clone(),
        it.site_code.clone(),
        quoted(&it.site_name),
        quoted(&it.kind),
        quoted(&it.subject),
        it.grade.to_owned(),
        it.confidence.to_string(),
        it.first.clone(),
        it.last.clone(),
        it.count.to_string(),
        it.case.clone().unwrap_or_default(),
        it.case_state.unwrap_or_default().to_owned(),
        rule.to_owned(),
        quoted(owner),
        until.to_owned(),
        it.agent.clone(),
        quoted(&evidence.join("; ")),
        it.drill.clone().unwrap_or_default(),
    ];
    let _ = write!(csv, "{}\r\n", values.join(","));
}

/// What the detectors of a site's agents do: which are on, what each saw and found.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/detectors", tag = "anomalies",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Page<DetectorBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_detectors(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Page<DetectorBody>> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    let running = view.inventory(site).into_iter().flat_map(|state| state.detectors.get().running(view.now()));
    let items = running.flat_map(|(agent, running)| DetectorBody::all(agent, running)).collect();
    Ok(Json(Page::whole(items)))
}

/// What the centre looks for itself: why, by which thresholds, when it looked last, at how much, and what it found.
#[utoipa::path(
    get, path = "/api/v1/detectors", tag = "anomalies",
    responses((status = 200, body = Page<CentreDetectorBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_centre_detectors(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
) -> Answer<Page<CentreDetectorBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    params.finish()?;
    Ok(Json(Page::whole(CentreDetectorBody::all(&view, &app.centre.concluding()))))
}

impl AnomaliesWanted {
    /// Reads it from the parameters of a request.
    ///
    /// # Errors
    /// One cannot be used.
    pub(crate) fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let mut sites = inventory_sites(view, site_filter(view, params)?);
        if let Some(area) = params.text("area") {
            let area = areas::find(view, area)?;
            let members: BTreeSet<SiteId> = view.sites_of_area(area).iter().map(|site| site.id).collect();
            sites.retain(|site| members.contains(site));
        }
        let grade = params.text("grade").map(|text| {
            let known = || Severity::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
            let found = Severity::ALL.into_iter().find(|it| it.name() == text);
            found.ok_or_else(|| {
                Problem::parameter("grade", format!("{text:?} cannot be used: write one of {}", known()))
            })
        });
        Ok(Self {
            sites,
            grade: grade.transpose()?,
            kind: params.short_text("kind", WORD_CHARS_MAX)?,
            subject: params.short_text("subject", WORD_CHARS_MAX)?,
            from: params.time("from")?,
            to: params.time("to")?,
            drill: params.flag("drill")?,
        })
    }

    /// Returns all of them, in no order: what was found, and what was put in as a drill.
    pub(crate) fn of<'v>(&'v self, view: &'v View) -> impl Iterator<Item = Listed<'v>> {
        let states = self.sites.iter().filter_map(|site| view.inventory(*site));
        let found = states
            .flat_map(|state| state.anomalies.values().map(|it| Listed { site: state.id, anomaly: it, drill: None }));
        let drilled = self.sites.iter().flat_map(|site| view.drilled_anomalies(*site));
        let drilled = drilled.map(|(drill, anomaly)| Listed { site: drill.site, anomaly, drill: Some(drill) });
        let wanted = |it: &Listed<'_>| self.drill.is_none_or(|drill| drill == it.drill.is_some());
        found.chain(drilled).filter(move |it| wanted(it) && self.takes(it.anomaly))
    }

    /// Returns how many found no room at these sites, whatever they were.
    pub(crate) fn left_out(&self, view: &View) -> u64 {
        let states = self.sites.iter().filter_map(|site| view.inventory(*site));
        let findings = states.flat_map(|state| state.findings.values());
        findings.map(|it| it.evidence.left_out()).fold(0, u64::saturating_add)
    }

    fn takes(&self, anomaly: &Anomaly) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == anomaly.key.kind)
            && self.subject.as_ref().is_none_or(|subject| *subject == anomaly.key.subject)
            && self.grade.is_none_or(|grade| anomaly.grade >= grade)
            && self.from.is_none_or(|from| anomaly.last >= from)
            && self.to.is_none_or(|to| anomaly.first < to)
    }
}

impl Listed<'_> {
    /// Returns where it stands.
    pub(crate) fn place(&self) -> Place {
        (Reverse(self.anomaly.last), self.site, self.drill.map(|it| it.id), self.anomaly.key.clone())
    }

    fn body(&self, view: &View) -> AnomalyBody {
        AnomalyBody::of(view, (self.site, self.anomaly), self.drill)
    }
}

/// Writes a cursor: time, site, drill, kind and subject, with commas; only the last may have any.
fn cursor((Reverse(last), site, drill, key): &Place) -> String {
    let drill = drill.map(|it| it.to_string()).unwrap_or_default();
    format!("{},{site},{drill},{},{}", last.unix_ms(), key.kind, key.subject)
}

fn parse_cursor(text: &str) -> Result<Place, Problem> {
    let mut parts = text.splitn(5, ',');
    let mut part = || parts.next();
    let parsed = (|| {
        let last = Timestamp::from_unix_ms(part()?.parse().ok()?);
        let site = part()?.parse().ok()?;
        let drill = Some(part()?).filter(|it| !it.is_empty()).map(str::parse).transpose().ok()?;
        let key = AnomalyKey { kind: part()?.to_owned(), subject: part()?.to_owned() };
        Some((Reverse(last), site, drill, key))
    })();
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}
