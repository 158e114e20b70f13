//! Inspection campaigns: listed, shown, opened, answered by each unit with its own rights, and closed.

use std::{collections::BTreeSet, fmt::Write as _, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};
use onenet_topology::{
    CampaignId, SiteId, Timestamp,
    campaign::{Campaign, CampaignPlan, CheckItem, Compliance, Requirement, Sheet, SheetAction},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, JsonBody, areas,
    cases::{anywhere, word},
    coverage::{Extent, quoted},
    named_sites, page_of_ids, read_body, submit,
};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{InspectionBody, InspectionDetailBody, Page, SheetBody, known},
    },
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_inspections, open_inspection))
        .routes(routes!(get_inspection))
        .routes(routes!(inspection_csv))
        .routes(routes!(close_inspection))
        .routes(routes!(get_sheet))
        .routes(routes!(act_on_sheet))
}

/// An inspection to be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInspectionBody {
    /// What it is called.
    pub title: String,
    /// The site that inspects: its id or its division code.
    pub site: String,
    /// By when units are to answer: a time after RFC 3339, or a day.
    pub due: String,
    /// Who is asked, by ids or division codes; by default the site and all below it.
    #[serde(default)]
    pub units: Vec<String>,
    /// An area by its id, in place of units.
    #[serde(default)]
    pub area: Option<String>,
    /// What is asked; by default the six monitoring requirements of the third grade.
    #[serde(default)]
    pub checklist: Vec<NewItemBody>,
}

/// One thing to be asked: words, a requirement, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItemBody {
    /// In words.
    #[serde(default)]
    pub text: String,
    /// `links`, `equipment`, `devices`, `outward`, `attacks` or `records`: what is known of it goes with each answer.
    #[serde(default)]
    pub requirement: Option<String>,
}

/// What to do with the sheet of a unit: the action, and what goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SheetActionBody {
    /// `answer` and `mend` are for the unit; `find` and `recheck` are for whoever inspects.
    pub action: String,
    /// Of `answer` and `find`: the item, from 1.
    #[serde(default)]
    pub item: u16,
    /// Of `mend` and `recheck`: the finding, from 1.
    #[serde(default)]
    pub finding: u16,
    /// What there is to say; an answer to an item with a requirement may leave it to what is known.
    #[serde(default)]
    pub text: String,
    /// Of `answer`: `fulfilled`, `partly`, `not_fulfilled` or `not_applicable`.
    #[serde(default)]
    pub verdict: String,
    /// Of `answer`: what the unit shows for it, such as the name of a document.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Of `recheck`: whether it is in order.
    #[serde(default)]
    pub passed: bool,
    /// Of `find`, and of `recheck` where it is not in order: by when it is to be mended.
    #[serde(default)]
    pub due: Option<String>,
}

/// The end of an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseInspectionBody {
    /// What there is to say of it.
    pub text: String,
}

/// Lists inspections, the newest first: those that the caller's sites inspect, and those in which they are asked.
#[utoipa::path(
    get, path = "/api/v1/inspections", tag = "inspections",
    params(
        ("open" = Option<bool>, Query, description = "Only those that are open, or only those that are closed"),
        ("site" = Option<String>, Query, description = "Only those that this site or one below it inspects, or is asked in: an id or a division code"),
        ("area" = Option<String>, Query, description = "Only those that a site of this area inspects, or is asked in: an id"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<InspectionBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_inspections(gate: Gate, mut params: Params) -> Answer<Page<InspectionBody>> {
    let view = anywhere(&gate)?;
    let open = params.flag("open")?;
    let concerned = Concerned::read(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<CampaignId>("cursor")?);
    params.finish()?;
    let wanted = |it: &&Campaign| {
        cursor.is_none_or(|last| it.id < last) && open.is_none_or(|open| it.is_open() == open) && concerned.takes(it)
    };
    let all = view.campaigns().filter(wanted).map(|it| InspectionBody::of(&view, it));
    Ok(Json(page_of_ids(all, limit, |body| &body.id)))
}

/// Which sites inspections are narrowed to: those that inspect, or are asked.
pub(crate) struct Concerned(Option<BTreeSet<SiteId>>);

impl Concerned {
    /// Reads it from the parameters of a request.
    pub(crate) fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let extent = Extent::of(view, params)?;
        let all = matches!(extent, Extent::Subtree(None));
        Ok(Self((!all).then(|| extent.sites(view).into_iter().collect())))
    }

    /// Returns whether an inspection is one of theirs.
    pub(crate) fn takes(&self, campaign: &Campaign) -> bool {
        let plan = &campaign.plan;
        self.0.as_ref().is_none_or(|sites| sites.contains(&plan.site) || !sites.is_disjoint(&plan.units))
    }
}

/// One inspection, with its checklist and its units.
#[utoipa::path(
    get, path = "/api/v1/inspections/{inspection}", tag = "inspections",
    params(("inspection" = String, Path, description = "Its id")),
    responses((status = 200, body = InspectionDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_inspection(gate: Gate, Path(id): Path<String>, params: Params) -> Answer<InspectionDetailBody> {
    let view = anywhere(&gate)?;
    params.finish()?;
    Ok(Json(InspectionDetailBody::of(&view, named_campaign(&view, &id)?)))
}

/// The answers of all units to all items of an inspection, as a table (CSV, RFC 4180).
#[utoipa::path(
    get, path = "/api/v1/inspections/{inspection}/answers.csv", tag = "inspections",
    params(("inspection" = String, Path, description = "Its id")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn inspection_csv(gate: Gate, Path(id): Path<String>, params: Params) -> Result<impl IntoResponse, Problem> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let table = table(&view, named_campaign(&view, &id)?);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table))
}

fn table(view: &View, campaign: &Campaign) -> String {
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}site,code,name,item,requirement,asked,verdict,answer,evidence,answered,by,findings,findings_open,\
         overdue\r\n",
    );
    for (id, sheet) in view.units_of(campaign) {
        let Some(site) = view.site(id) else { continue };
        let (code, name) = (site.code(view.now()), quoted(&site.name(view.now()).zh));
        let overdue = campaign.progress(sheet, view.now()).is_overdue;
        for (number, item) in campaign.plan.items() {
            let requirement = item.requirement.map(Requirement::name).unwrap_or_default();
            let (answer, findings) = (answered(sheet, number), findings(sheet, number));
            let asked = quoted(&item.text);
            let _ = write!(csv, "{id},{code},{name},{number},{requirement},{asked},{answer},{findings},{overdue}\r\n");
        }
    }
    csv
}

fn answered(sheet: Option<&Sheet>, item: u16) -> String {
    let Some(it) = sheet.and_then(|it| it.answers.get(&item)) else { return ",,,,".to_owned() };
    let evidence = quoted(&it.evidence.join("; "));
    format!("{},{},{evidence},{},{}", it.verdict.name(), quoted(&it.text), it.time, quoted(&it.by))
}

/// How many findings there are under an item, and how many of them are open.
fn findings(sheet: Option<&Sheet>, item: u16) -> String {
    let of_item = || sheet.into_iter().flat_map(|it| &it.findings).filter(|it| it.item == item);
    format!("{},{}", of_item().count(), of_item().filter(|it| it.is_open()).count())
}

/// What one unit answered, what is known of it, and what was found there.
#[utoipa::path(
    get, path = "/api/v1/inspections/{inspection}/units/{site}", tag = "inspections",
    params(
        ("inspection" = String, Path, description = "Its id"),
        ("site" = String, Path, description = "The unit: its id or its division code"),
    ),
    responses((status = 200, body = SheetBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_sheet(gate: Gate, Path((id, site)): Path<(String, String)>, params: Params) -> Answer<SheetBody> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let campaign = named_campaign(&view, &id)?;
    let unit = view.find_site(&site).and_then(|site| SheetBody::of(&view, campaign, site.id));
    Ok(Json(unit.ok_or_else(Problem::not_found)?))
}

/// Opens an inspection: each unit is asked every item of the checklist.
#[utoipa::path(
    post, path = "/api/v1/inspections", tag = "inspections",
    request_body = NewInspectionBody,
    responses((status = 200, body = InspectionDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn open_inspection(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewInspectionBody>,
) -> Answer<InspectionDetailBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let id = open(&app, &gate, body).await?;
    shown(&app, &gate, id)
}

/// Opens an inspection in the caller's name: he needs the right at each unit.
pub(crate) async fn open(app: &App, gate: &Gate, body: NewInspectionBody) -> Result<CampaignId, Problem> {
    let (view, site) = gate.site(Action::ReviewCases, &body.site)?;
    let units: BTreeSet<SiteId> = match &body.area {
        Some(area) => Extent::Area(areas::named(&view, area)?.id).sites(&view).into_iter().collect(),
        None if body.units.is_empty() => Extent::Subtree(Some(site)).sites(&view).into_iter().collect(),
        None => named_sites(&view, "units", &body.units)?,
    };
    gate.at_each(Action::ReviewCases, units.iter().copied())?;
    let checklist = body.checklist.iter().map(item).collect::<Result<Vec<_>, Problem>>()?;
    let plan = CampaignPlan {
        site,
        title: body.title.trim().to_owned(),
        checklist: if checklist.is_empty() { CheckItem::standard() } else { checklist },
        units,
        due: due(&body.due)?,
    };
    match submit(app, gate, Command::OpenCampaign { plan: Box::new(plan) }).await? {
        Outcome::CampaignOpened(id) => Ok(id),
        _ => Err(Problem::internal()),
    }
}

fn item(body: &NewItemBody) -> Result<CheckItem, Problem> {
    let requirement = body.requirement.as_deref().filter(|it| !it.is_empty());
    let requirement = requirement.map(|it| word("requirement", it, &Requirement::ALL, |it| it.name())).transpose()?;
    Ok(CheckItem { text: body.text.trim().to_owned(), requirement })
}

fn due(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::from_day_or_time(text).map_err(|error| Problem::parameter("due", error.to_string()))
}

/// Answers for a unit, or says what was found there, what was mended and what was seen of that.
#[utoipa::path(
    post, path = "/api/v1/inspections/{inspection}/units/{site}/actions", tag = "inspections",
    params(
        ("inspection" = String, Path, description = "Its id"),
        ("site" = String, Path, description = "The unit: its id or its division code"),
    ),
    request_body = SheetActionBody,
    responses((status = 200, body = SheetBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn act_on_sheet(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((id, site)): Path<(String, String)>,
    params: Params,
    body: JsonBody<SheetActionBody>,
) -> Answer<SheetBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let (id, site) = act(&app, &gate, (&id, &site), body).await?;
    let view = gate.view_after(app.centre.estate());
    let sheet = view.campaign(id).and_then(|it| SheetBody::of(&view, it, site));
    Ok(Json(sheet.ok_or_else(Problem::internal)?))
}

/// Does something with the sheet of a unit in the caller's name, by his rights at the unit.
pub(crate) async fn act(
    app: &App,
    gate: &Gate,
    (id, site): (&str, &str),
    body: SheetActionBody,
) -> Result<(CampaignId, SiteId), Problem> {
    let is_of_unit = matches!(body.action.as_str(), "answer" | "mend");
    let right = if is_of_unit { Action::AnswerCases } else { Action::ReviewCases };
    let (view, site) = gate.site(right, site)?;
    let campaign = named_campaign(&view, id)?;
    let (item, finding, text) = (body.item, body.finding, body.text.trim().to_owned());
    let given = body.due.as_deref().filter(|text| !text.is_empty()).map(due).transpose()?;
    let action = match body.action.as_str() {
        "answer" => SheetAction::Answer {
            item,
            verdict: word("verdict", &body.verdict, &Compliance::ALL, |it| it.name())?,
            text,
            evidence: body.evidence,
            observed: campaign.plan.item(item).map(|it| known(&view, it, site)).unwrap_or_default(),
        },
        "find" => {
            let missing = || Problem::parameter("due", "is missing: write by when it is to be mended");
            SheetAction::Find { item, text, due: given.ok_or_else(missing)? }
        }
        "mend" => SheetAction::Mend { finding, text },
        "recheck" => SheetAction::Recheck { finding, passed: body.passed, text, due: given },
        other => {
            let detail = format!("{other:?} cannot be done: write one of {}", SheetAction::NAMES.join(", "));
            return Err(Problem::parameter("action", detail));
        }
    };
    let id = campaign.id;
    submit(app, gate, Command::ActOnCampaign { site, campaign: id, action }).await?;
    Ok((id, site))
}

/// Closes an inspection of which no finding is open: nothing is answered in it any more.
#[utoipa::path(
    post, path = "/api/v1/inspections/{inspection}/close", tag = "inspections",
    params(("inspection" = String, Path, description = "Its id")),
    request_body = CloseInspectionBody,
    responses((status = 200, body = InspectionDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn close_inspection(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(id): Path<String>,
    params: Params,
    body: JsonBody<CloseInspectionBody>,
) -> Answer<InspectionDetailBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let id = close(&app, &gate, &id, body.text).await?;
    shown(&app, &gate, id)
}

/// Closes an inspection in the caller's name, by his right at the site that inspects.
pub(crate) async fn close(app: &App, gate: &Gate, id: &str, text: String) -> Result<CampaignId, Problem> {
    let id = CampaignId::from_str(id).ok();
    let (_, site, campaign) = gate.thing(Action::ReviewCases, |estate| {
        let known = estate.campaigns.all.get(&id?)?;
        Some((known.plan.site, known.id))
    })?;
    submit(app, gate, Command::CloseCampaign { site, campaign, text }).await?;
    Ok(campaign)
}

/// Returns the campaign of this id, as far as the view shows it.
fn named_campaign<'v>(view: &'v View, id: &str) -> Result<&'v Campaign, Problem> {
    CampaignId::from_str(id).ok().and_then(|id| view.campaign(id)).ok_or_else(Problem::not_found)
}

fn shown(app: &App, gate: &Gate, id: CampaignId) -> Answer<InspectionDetailBody> {
    let view = gate.view_after(app.centre.estate());
    let found = view.campaign(id).ok_or_else(Problem::internal)?;
    Ok(Json(InspectionDetailBody::of(&view, found)))
}
