//! Cases: listed, shown with their story, opened, drilled, and whatever people do with them.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    CaseId, IncidentId, SiteId, SuppressionId, Timestamp,
    case::{Case, CaseAction, CaseState, CaseVerdict, Category, Issuer, Notice, NoticeNumber},
    incident::Severity,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, named, named_site, page_of_ids, read_body, site_filter, submit};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{CaseBody, CaseDetailBody, ContainmentBody, NoticeDocumentBody, Page},
    },
    containment::proposals,
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_cases, open_case))
        .routes(routes!(get_case))
        .routes(routes!(act_on_case))
        .routes(routes!(notice_document))
        .routes(routes!(contain))
}

/// A case to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCaseBody {
    /// The incident that it is about.
    pub incident: String,
}

/// What to do with a case: the action, and what goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseActionBody {
    /// `acknowledge`, `review`, `assign`, `grade`, `set_due`, `comment`, `attach`, `relate`, `notify`, `return`, `close` or `reopen`;
    /// `receive` and `answer` are for the site that was notified.
    pub action: String,
    /// Of `comment`, `attach`, `notify`, `answer`, `return`, `close` and `reopen`: what there is to say.
    #[serde(default)]
    pub text: Option<String>,
    /// Of `assign`: the person. Of `notify`: the site, which by default is the one of the case.
    #[serde(default)]
    pub to: Option<String>,
    /// Of `grade`: `general`, `considerable`, `major` or `extraordinary`.
    #[serde(default)]
    pub grade: Option<String>,
    /// Of `grade`: the category after GB/T 20986-2023.
    #[serde(default)]
    pub category: Option<String>,
    /// Of `set_due`, `notify` and `return`: by when, a time after RFC 3339 or a day.
    #[serde(default)]
    pub due: Option<String>,
    /// Of `receive`, `answer` and `return`: the number of the notice. By default of `return` the last one that was answered, of the others the
    /// one that is open; who may answer several names it.
    #[serde(default)]
    pub notice: Option<String>,
    /// Of `notify`: the person who issues it; the caller by default.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Of `notify`: the number to ask at; by default that of the issuing unit's contact of that name, or of its first.
    #[serde(default)]
    pub telephone: Option<String>,
    /// Of `relate`: the other case.
    #[serde(default)]
    pub other: Option<String>,
    /// Of `answer`: whether what was wrong is mended.
    #[serde(default)]
    pub rectified: bool,
    /// Of `close`: `true`, `benign`, `false` or `drill`.
    #[serde(default)]
    pub verdict: Option<String>,
}

/// Lists cases, the newest first.
///
/// A case is shown to whoever reads the cases of its site, and to whoever answers for a site that was notified of it, or that it went
/// up to.
#[utoipa::path(
    get, path = "/api/v1/cases", tag = "cases",
    params(
        CasesParams,
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<CaseBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_cases(gate: Gate, mut params: Params) -> Answer<Page<CaseBody>> {
    let view = anywhere(&gate)?;
    let wanted = CasesWanted::read(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<CaseId>("cursor")?);
    params.finish()?;
    let all = view.cases().filter(|it| cursor.is_none_or(|last| it.id < last) && wanted.takes(&view, it));
    Ok(Json(page_of_ids(all.map(|case| CaseBody::of(&view, case)), limit, |body| &body.id)))
}

/// Asks for the cases that the caller may read: as a reader of cases, or as who answers for a site.
pub(crate) fn anywhere(gate: &Gate) -> Result<View, Problem> {
    let answers = gate.caller().principal.reaches(Action::ReadCases).next().is_none()
        && gate.caller().principal.reaches(Action::AnswerCases).next().is_some();
    Ok(gate.anywhere(if answers { Action::AnswerCases } else { Action::ReadCases })?)
}

/// Which cases.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `CasesWanted::read` reads them")]
pub(super) struct CasesParams {
    /// `open` (by default), `all`, or one state: `silenced`, `new`, `acknowledged`, `under_review`, `notified`, `rectified`, `closed`.
    state: Option<String>,
    /// Only those of this site or of those below it: an id or a division code.
    site: Option<String>,
    /// Only this kind, such as `port_scan`.
    kind: Option<String>,
    /// Only this grade.
    grade: Option<String>,
    /// Only those of which something is overdue, or only the others.
    overdue: Option<bool>,
    /// Only drills, or only what is real.
    drill: Option<bool>,
    /// Only those that this rule silences.
    rule: Option<String>,
    /// Only those opened at this time or later, RFC 3339.
    from: Option<String>,
    /// Only those opened before this time, RFC 3339.
    to: Option<String>,
}

/// What a list of cases is narrowed to.
pub(crate) struct CasesWanted {
    state: Option<String>,
    site: Option<SiteId>,
    kind: Option<String>,
    grade: Option<Severity>,
    overdue: Option<bool>,
    drill: Option<bool>,
    rule: Option<SuppressionId>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl CasesWanted {
    /// Reads it from the parameters of a request.
    pub(crate) fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let state = params.text("state").unwrap_or("open").to_owned();
        if !["open", "all"].iter().chain(&CaseState::NAMES).any(|it| *it == state) {
            let detail = format!("{state:?} cannot be used: write open, all or one of {}", CaseState::NAMES.join(", "));
            return Err(Problem::parameter("state", detail));
        }
        Ok(Self {
            state: (state != "all").then_some(state),
            site: site_filter(view, params)?,
            kind: params.text("kind").map(str::to_owned),
            grade: named(params, "grade", &Severity::ALL, |it| it.name())?,
            overdue: params.flag("overdue")?,
            drill: params.flag("drill")?,
            rule: params.parsed("rule")?,
            from: params.time("from")?,
            to: params.time("to")?,
        })
    }

    /// Returns whether a case is one of those.
    pub(crate) fn takes(&self, view: &View, case: &Case) -> bool {
        let in_state = |state: &str| match state {
            "open" => case.is_open(),
            state => case.state.name() == state,
        };
        self.state.as_deref().is_none_or(in_state)
            && self.kind.as_ref().is_none_or(|kind| *kind == case.key.kind)
            && self.grade.is_none_or(|grade| grade == case.grade)
            && self.overdue.is_none_or(|overdue| overdue == case.is_overdue(view.now()))
            && self.drill.is_none_or(|drill| drill == case.key.drill)
            && self.rule.is_none_or(|rule| case.silenced_by == Some(rule))
            && self.from.is_none_or(|from| case.opened >= from)
            && self.to.is_none_or(|to| case.opened < to)
            && self.site.is_none_or(|root| view.is_within(case.key.site, root))
    }
}

/// One case, with its evidence and its whole story.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}", tag = "cases",
    params(("case" = String, Path, description = "Its id")),
    responses((status = 200, body = CaseDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_case(gate: Gate, Path(case): Path<String>, params: Params) -> Answer<CaseDetailBody> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let found = CaseId::from_str(&case).ok().and_then(|id| view.case(id));
    Ok(Json(CaseDetailBody::of(&view, found.ok_or_else(Problem::not_found)?)))
}

/// A notice of a case as a document; as a page to print it is `/cases/{case}/notices/{number}`.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}/notices/{number}", tag = "cases",
    params(
        ("case" = String, Path, description = "Its id"),
        ("number" = String, Path, description = "The number of the notice, such as `2026-0007`"),
    ),
    responses((status = 200, body = NoticeDocumentBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn notice_document(
    gate: Gate,
    Path((case, number)): Path<(String, String)>,
    params: Params,
) -> Answer<NoticeDocumentBody> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let found = CaseId::from_str(&case).ok().and_then(|id| view.case(id)).ok_or_else(Problem::not_found)?;
    let notice = NoticeNumber::from_str(&number).ok().and_then(|number| found.numbered(number));
    Ok(Json(NoticeDocumentBody::of(&view, found, notice.ok_or_else(Problem::not_found)?)))
}

/// What would isolate the endpoints that a case is about: ports, commands, and what undoes them.
///
/// They are proposals, for people to review and carry out: nothing is sent to a device. None where the case is about no endpoint that the
/// caller may see.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}/containment", tag = "cases",
    params(("case" = String, Path, description = "Its id")),
    responses((status = 200, body = Vec<ContainmentBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn contain(gate: Gate, Path(case): Path<String>, params: Params) -> Answer<Vec<ContainmentBody>> {
    let view = anywhere(&gate)?;
    params.finish()?;
    let found = CaseId::from_str(&case).ok().and_then(|id| view.case(id)).ok_or_else(Problem::not_found)?;
    Ok(Json(proposals(&view, found).iter().map(|it| ContainmentBody::of(&view, it)).collect()))
}

/// Opens a case about an incident; where there is an open one, that is it.
#[utoipa::path(
    post, path = "/api/v1/cases", tag = "cases",
    request_body = NewCaseBody,
    responses((status = 200, body = CaseDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn open_case(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewCaseBody>,
) -> Answer<CaseDetailBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    open_about(&app, &gate, &body.incident).await.and_then(|id| shown(&app, &gate, id))
}

/// Opens a case about an incident in the caller's name.
pub(crate) async fn open_about(app: &App, gate: &Gate, incident: &str) -> Result<CaseId, Problem> {
    let id = IncidentId::from_str(incident).ok();
    let (_, site, incident) = gate.thing(Action::ReviewCases, |estate| {
        let known = estate.incidents.get(&id?)?;
        Some((known.site, known.id))
    })?;
    opened(&submit(app, gate, Command::OpenCase { site, incident }).await?)
}

pub(super) fn opened(outcome: &Outcome) -> Result<CaseId, Problem> {
    match outcome {
        Outcome::CaseOpened(id) => Ok(*id),
        // What the incident's case was closed for is over: nothing was opened.
        Outcome::Accepted => {
            Err(Problem::conflict("the case of this incident is closed: open that one again".to_owned()))
        }
        _ => Err(Problem::internal()),
    }
}

/// Does something with a case.
#[utoipa::path(
    post, path = "/api/v1/cases/{case}/actions", tag = "cases",
    params(("case" = String, Path, description = "Its id")),
    request_body = CaseActionBody,
    responses((status = 200, body = CaseDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn act_on_case(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(case): Path<String>,
    params: Params,
    body: JsonBody<CaseActionBody>,
) -> Answer<CaseDetailBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let id = act(&app, &gate, &case, body).await?;
    shown(&app, &gate, id)
}

/// Does something with a case in the caller's name: what a unit answers by its own rights, all else by those at the case's site.
pub(crate) async fn act(app: &App, gate: &Gate, case: &str, body: CaseActionBody) -> Result<CaseId, Problem> {
    let id = CaseId::from_str(case).ok();
    let is_of_unit = matches!(body.action.as_str(), "receive" | "answer");
    let right = if is_of_unit { Action::AnswerCases } else { Action::ReviewCases };
    let number = body.notice.as_deref().filter(|it| !it.is_empty()).map(NoticeNumber::from_str).transpose();
    let notice = number.map_err(|error| Problem::parameter("notice", error.to_string()))?;
    let seen = gate.view_after(app.centre.estate());
    if is_of_unit && notice.is_none() {
        refuse_several(&seen, id)?;
    }
    let (view, site, (id, own)) = gate.thing(right, |estate| {
        let known = estate.cases.all.get(&id?)?;
        let own = known.key.site;
        let told = || told(&seen, known, notice).unwrap_or(own);
        Some((if is_of_unit { told() } else { own }, (known.id, own)))
    })?;
    let action = action(&view, own, body)?;
    submit(app, gate, Command::ActOnCase { site, case: id, action, notice }).await?;
    Ok(id)
}

/// Refuses to guess which notice somebody means who may answer several.
pub(super) fn refuse_several(seen: &View, case: Option<CaseId>) -> Result<(), Problem> {
    let Some(case) = case.and_then(|id| seen.case(id)) else { return Ok(()) };
    let own = |it: &&Notice| it.is_open() && seen.may(Action::AnswerCases, it.to);
    let open: Vec<String> = case.notices.iter().filter(own).map(|it| it.number.to_string()).collect();
    if open.len() < 2 {
        return Ok(());
    }
    Err(Problem::parameter("notice", format!("is missing: {} are open; name the one that is meant", open.join(", "))))
}

/// Returns the site for which the caller acts on what it was told: that of the last notice that it can be about, and where he may act at
/// several, of one that is open.
pub(super) fn told(seen: &View, case: &Case, number: Option<NoticeNumber>) -> Option<SiteId> {
    let told = || case.notices.iter().rev().filter(|it| number.is_none_or(|number| number == it.number));
    let own = |it: &&Notice| seen.may(Action::AnswerCases, it.to);
    let found = told().filter(own).find(|it| it.is_open()).or_else(|| told().find(own)).or_else(|| told().next());
    found.map(|it| it.to)
}

/// Returns the action that a body gives.
fn action(view: &View, site: SiteId, body: CaseActionBody) -> Result<CaseAction, Problem> {
    let CaseActionBody { action, text, to, grade, category, due, issuer, telephone, other, rectified, verdict, .. } =
        body;
    let text = text.map(|text| text.trim().to_owned()).unwrap_or_default();
    let due = due.as_deref().filter(|text| !text.is_empty()).map(Timestamp::from_day_or_time).transpose();
    let due = due.map_err(|error| Problem::parameter("due", error.to_string()))?;
    let given = |name: &str, it: Option<String>| {
        it.ok_or_else(|| Problem::parameter(name, format!("is missing: {action} needs it")))
    };
    Ok(match action.as_str() {
        "acknowledge" => CaseAction::Acknowledge,
        "review" => CaseAction::Review,
        "assign" => CaseAction::Assign { to: given("to", to)?.trim().to_owned() },
        "grade" => CaseAction::Grade {
            grade: word("grade", &given("grade", grade)?, &Severity::ALL, |it| it.name())?,
            category: word("category", &given("category", category)?, &Category::ALL, |it| it.name())?,
        },
        "set_due" => CaseAction::SetDue {
            due: due.ok_or_else(|| Problem::parameter("due", "is missing: write a day or a time"))?,
        },
        "comment" => CaseAction::Comment { text },
        "attach" => CaseAction::Attach { text },
        "relate" => {
            let other = CaseId::from_str(&given("other", other)?).ok().and_then(|id| view.case(id));
            let unknown = || Problem::parameter("other", "there is no such case: onenetd cases list shows them");
            CaseAction::Relate { other: other.ok_or_else(unknown)?.id }
        }
        "notify" => {
            let to = to.filter(|to| !to.is_empty()).map(|to| named_site(view, "to", &to)).transpose()?;
            let issuer = Some(issuing(view, site, (issuer, telephone)));
            CaseAction::Notify { to: to.unwrap_or(site), text, due, issuer }
        }
        "receive" => CaseAction::Receive,
        "answer" => CaseAction::Answer { text, rectified },
        "return" => CaseAction::Return { text, due },
        "close" => {
            let verdict = given("verdict", verdict)?;
            CaseAction::Close { verdict: word("verdict", &verdict, &CaseVerdict::ALL, |it| it.name())?, text }
        }
        "reopen" => CaseAction::Reopen { text },
        other => {
            let detail = format!("{other:?} cannot be done: write one of {}", CaseAction::NAMES.join(", "));
            return Err(Problem::parameter("action", detail));
        }
    })
}

/// Returns who issues a notice about a case of `site`: the caller in the name of his unit, where nothing else is given.
pub(crate) fn issuing(view: &View, site: SiteId, (person, telephone): (Option<String>, Option<String>)) -> Issuer {
    let given = |text: Option<String>| text.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let unit = view.issuing_unit(site);
    let person = given(person).unwrap_or_else(|| view.principal().person().to_owned());
    let known = unit.map(|unit| view.contacts(unit)).unwrap_or_default();
    let mut with_number = known.iter().filter(|it| !it.telephone.is_empty());
    let own = with_number.clone().find(|it| it.name == person).or_else(|| with_number.next());
    let telephone = given(telephone).or_else(|| own.map(|it| it.telephone.clone())).unwrap_or_default();
    Issuer { unit, person, telephone }
}

/// Returns the value that the field `name` of a body gives.
pub(super) fn word<T: Copy>(name: &str, text: &str, all: &[T], of: impl Fn(&T) -> &'static str) -> Result<T, Problem> {
    all.iter().find(|it| of(it) == text).copied().ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(&of).collect();
        Problem::parameter(name, format!("{text:?} cannot be used: write one of {}", known.join(", ")))
    })
}

/// Returns a case as the caller sees it after his change; whoever answered may not see it any more, and then only that it was taken.
pub(super) fn shown(app: &App, gate: &Gate, id: CaseId) -> Answer<CaseDetailBody> {
    let view = gate.view_after(app.centre.estate());
    let found = view.case(id).ok_or_else(Problem::internal)?;
    Ok(Json(CaseDetailBody::of(&view, found)))
}
