//! Drills: something is put in where it would be found, and how long it takes until it is found, taken up and closed.

use std::{fmt::Write as _, net::IpAddr, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};
use onenet_topology::{
    DrillId, SiteId, Timestamp,
    drill::{Drill, DrillPlan, DrillState, LASTS_MS},
    incident::Severity,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, JsonBody,
    cases::{anywhere, word},
    coverage::quoted,
    named, page_of_ids, read_body, site_filter, submit,
};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{DrillBody, Page},
    },
    ingest::{self, Outcome},
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_drills, drill)).routes(routes!(drills_csv)).routes(routes!(get_drill))
}

/// A drill that is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDrillBody {
    /// The site: its id or its division code.
    pub site: String,
    /// What is to be found, such as `port_scan`: a kind that detectors or the centre tell of, or a kind of incident.
    pub kind: String,
    /// About whom or what; the source where nothing is given. Of an incident: the upper site of a link (by default the first), an agent
    /// (by default the first), a device by id or name, a port by id, a service by name; of a site or the centre nothing.
    #[serde(default)]
    pub subject: String,
    /// How grave it is: `general` by default.
    #[serde(default)]
    pub grade: Option<String>,
    /// Since when it would have been going on, RFC 3339; from the moment at which it is put in by default.
    #[serde(default)]
    pub began: Option<String>,
    /// Whose traffic it would be: an address.
    #[serde(default)]
    pub source: Option<String>,
    /// Where to: an address.
    #[serde(default)]
    pub destination: Option<String>,
    /// To which port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Whether it is put in at the centre although the site has an agent, so that nothing is asked of that.
    #[serde(default)]
    pub at_centre: bool,
    /// How long an incident lasts, in minutes, unless its case is closed before: 30 by default, at most a week.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// What is drilled.
    pub text: String,
}

/// Drills: puts something in at a site where it would be found, marked as a drill, that goes the whole way and is in no statistics.
///
/// What detectors of a site find is put in by an agent of the site, as if they had found it, and its case is opened once the centre has heard
/// of it; an agent that is not connected is asked when it is back, within a day. What the centre concludes is put in there, and so is
/// all of a site that has no agent. An incident ends after its time, or when its case is closed.
#[utoipa::path(
    post, path = "/api/v1/drills", tag = "cases",
    request_body = NewDrillBody,
    responses((status = 200, body = DrillBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn drill(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewDrillBody>,
) -> Answer<DrillBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    order(&app, &gate, body).await.map(Json)
}

/// Orders a drill in the caller's name.
pub(crate) async fn order(app: &App, gate: &Gate, body: NewDrillBody) -> Result<DrillBody, Problem> {
    let (_, site) = gate.site(Action::ReviewCases, &body.site)?;
    let command = Command::OrderDrill { site, plan: Box::new(plan(body)?) };
    let Outcome::DrillOrdered(id) = submit(app, gate, command).await? else { return Err(Problem::internal()) };
    let view = gate.view_after(app.centre.estate());
    view.drill(id).map(|it| DrillBody::of(&view, it)).ok_or_else(Problem::internal)
}

fn plan(body: NewDrillBody) -> Result<DrillPlan, Problem> {
    let kinds: Vec<&'static str> = ingest::kinds().collect();
    let kind = word("kind", &body.kind, &kinds, |it| *it)?.to_owned();
    let grade = body.grade.as_deref().map(|text| word("grade", text, &Severity::ALL, |it| it.name())).transpose()?;
    let began = body.began.as_deref().map(Timestamp::from_day_or_time).transpose();
    let began = began.map_err(|error| Problem::parameter("began", error.to_string()))?;
    let source = address("source", body.source.as_deref())?;
    let destination = address("destination", body.destination.as_deref())?;
    let subject = match body.subject.trim() {
        "" => source.map(|it| it.to_string()).unwrap_or_default(),
        subject => subject.to_owned(),
    };
    let (text, port, grade) = (body.text, body.port, grade.unwrap_or(Severity::General));
    let (at_centre, lasts_ms) = (body.at_centre, body.minutes.map_or(LASTS_MS, |minutes| i64::from(minutes) * 60_000));
    Ok(DrillPlan { kind, subject, grade, began, text, source, destination, port, at_centre, lasts_ms })
}

fn address(name: &str, text: Option<&str>) -> Result<Option<IpAddr>, Problem> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let wrong = |text| Problem::parameter(name, format!("{text:?} is no address: write one such as 10.13.1.7"));
    text.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}

/// What a list of drills is narrowed to.
struct Wanted {
    site: Option<SiteId>,
    state: Option<DrillState>,
}

impl Wanted {
    fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let site = site_filter(view, params)?;
        Ok(Self { site, state: named(params, "state", &DrillState::ALL, |it| it.name())? })
    }

    fn takes(&self, view: &View, drill: &Drill) -> bool {
        let case = || drill.case.and_then(|id| view.case(id));
        self.site.is_none_or(|root| view.is_within(drill.site, root))
            && self.state.is_none_or(|state| state == drill.state(case()))
    }
}

/// Lists drills with their times, the newest first.
#[utoipa::path(
    get, path = "/api/v1/drills", tag = "cases",
    params(
        ("site" = Option<String>, Query, description = "Only those of this site and those below it: an id or a division code"),
        ("state" = Option<String>, Query, description = "Only those that are so far: `waiting`, `injected`, `found`, `over` or `failed`"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<DrillBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_drills(gate: Gate, mut params: Params) -> Answer<Page<DrillBody>> {
    let view = anywhere(&gate)?;
    let wanted = Wanted::read(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<DrillId>("cursor")?);
    params.finish()?;
    let all = view.drills().filter(|it| cursor.is_none_or(|last| it.id < last) && wanted.takes(&view, it));
    Ok(Json(page_of_ids(all.map(|it| DrillBody::of(&view, it)), limit, |body| &body.id)))
}

/// All drills of a list as a table (CSV, RFC 4180), the newest first.
#[utoipa::path(
    get, path = "/api/v1/drills.csv", tag = "cases",
    params(
        ("site" = Option<String>, Query, description = "Only those of this site and those below it: an id or a division code"),
        ("state" = Option<String>, Query, description = "Only those that are so far: `waiting`, `injected`, `found`, `over` or `failed`"),
    ),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn drills_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = anywhere(&gate)?;
    let wanted = Wanted::read(&view, &mut params)?;
    params.finish()?;
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}drill,site,code,name,kind,subject,grade,by,agent,state,ordered,injected,found,opened,acknowledged,closed,\
         detected_after_s,acknowledged_after_s,closed_after_s,case,incident,text,why\r\n",
    );
    for drill in view.drills().filter(|it| wanted.takes(&view, it)) {
        line(&mut csv, &DrillBody::of(&view, drill));
    }
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv))
}

fn line(csv: &mut String, it: &DrillBody) {
    let text = |value: &Option<String>| value.as_deref().unwrap_or_default().to_owned();
    let seconds = |value: Option<i64>| value.map(|it| it.to_string()).unwrap_or_default();
    let values = [
        it.id.clone(),
        text(&it.site),
        it.site_code.clone(),
        quoted(&it.site_name),
        quoted(&it.kind),
        quoted(&it.subject),
        it.grade.to_owned(),
        quoted(&it.by),
        text(&it.agent),
        it.state.to_owned(),
        it.ordered.clone(),
        text(&it.injected),
        text(&it.found),
        text(&it.opened),
        text(&it.acknowledged),
        text(&it.closed),
        seconds(it.detected_after_s),
        seconds(it.acknowledged_after_s),
        seconds(it.closed_after_s),
        text(&it.case),
        text(&it.incident),
        quoted(&it.text),
        quoted(&text(&it.why)),
    ];
    let _ = write!(csv, "{}\r\n", values.join(","));
}

/// One drill with its times.
#[utoipa::path(
    get, path = "/api/v1/drills/{drill}", tag = "cases",
    params(("drill" = String, Path, description = "Its id")),
    responses((status = 200, body = DrillBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_drill(gate: Gate, Path(drill): Path<String>, params: Params) -> Answer<DrillBody> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let found = DrillId::from_str(&drill).ok().and_then(|id| view.drill(id)).ok_or_else(Problem::not_found)?;
    Ok(Json(DrillBody::of(&view, found)))
}
