//! Cases as a table, for spreadsheets and other systems: what the list of cases has, a line each.

use std::{fmt::Write as _, sync::Arc};

use axum::{http::header, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    cases::{CasesParams, CasesWanted, anywhere},
    coverage::quoted,
};
use crate::{
    access::Gate,
    api::{App, Params, Problem, body::CaseBody},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(cases_csv))
}

/// All cases of a list as a table (CSV, RFC 4180), the newest first. As JSON it is the list itself, page by page.
#[utoipa::path(
    get, path = "/api/v1/cases.csv", tag = "cases",
    params(CasesParams),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn cases_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = anywhere(&gate)?;
    let wanted = CasesWanted::read(&view, &mut params)?;
    params.finish()?;
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}case,kind,subject,site,code,state,verdict,grade,graded_by,category,confidence,drill,first,last,count,\
         opened,acknowledged,closed,assignee,due,overdue,silenced_by,incident,escalations,notice,rule_owner,rule_until\r\n",
    );
    for case in view.cases().filter(|it| wanted.takes(&view, it)) {
        let code = view.site(case.key.site).map(|it| it.code(view.now()).to_owned()).unwrap_or_default();
        let notices: Vec<String> = case.notices.iter().map(|it| it.number.to_string()).collect();
        line(&mut csv, &CaseBody::of(&view, case), &code, &notices.join(" "));
    }
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv))
}

fn line(csv: &mut String, it: &CaseBody, code: &str, notice: &str) {
    let text = |value: &Option<String>| value.as_deref().unwrap_or_default().to_owned();
    let word = |value: Option<&'static str>| value.unwrap_or_default().to_owned();
    let values = [
        it.id.clone(),
        quoted(&it.kind),
        quoted(&it.subject),
        text(&it.site),
        code.to_owned(),
        it.state.to_owned(),
        word(it.verdict),
        it.grade.to_owned(),
        quoted(&text(&it.graded_by)),
        word(it.category),
        it.confidence.map(|it| it.to_string()).unwrap_or_default(),
        it.drill.to_string(),
        it.first.clone(),
        it.last.clone(),
        it.count.to_string(),
        it.opened.clone(),
        text(&it.acknowledged),
        text(&it.closed),
        quoted(&text(&it.assignee)),
        text(&it.due),
        it.overdue.to_string(),
        text(&it.silenced_by),
        text(&it.incident),
        it.escalations.to_string(),
        notice.to_owned(),
        quoted(&it.silenced_rule.as_ref().map(|rule| rule.owner.clone()).unwrap_or_default()),
        it.silenced_rule.as_ref().map(|rule| rule.until.clone()).unwrap_or_default(),
    ];
    let _ = write!(csv, "{}\r\n", values.join(","));
}
