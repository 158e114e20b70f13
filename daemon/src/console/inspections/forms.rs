//! The forms with which an inspection is opened, answered and closed, and what becomes of them.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    campaign::{Campaign, Compliance, FindingState, Requirement, SheetAnswer},
};
use serde::Deserialize;

use super::{compliance, did};
use crate::{
    access::{Action, View},
    api::{App, NewInspectionBody, NewItemBody, SheetActionBody, act_on_sheet, close_inspection, open_inspection},
    console::{Reader, cases, fields, inspection, parts, text, trouble},
};

/// What the form that opens an inspection carries.
#[derive(Deserialize)]
pub(in crate::console) struct Opened {
    form: String,
    title: String,
    site: String,
    due: String,
    #[serde(default)]
    units: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    items: String,
    #[serde(default)]
    standard: String,
}

/// What the form of an action carries. What does not go with the action is left out or empty.
#[derive(Deserialize)]
pub(in crate::console) struct Acted {
    form: String,
    action: String,
    #[serde(default)]
    item: u16,
    #[serde(default)]
    finding: u16,
    #[serde(default)]
    text: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    due: String,
}

/// What the form that closes an inspection carries.
#[derive(Deserialize)]
pub(in crate::console) struct Closed {
    form: String,
    text: String,
}

/// Returns the lines of a field that say something.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned)
}

/// Opens an inspection, and shows it.
pub(in crate::console) async fn open(
    State(app): State<Arc<App>>,
    reader: Reader,
    Form(opened): Form<Opened>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &opened.form) {
        return stale;
    }
    let required = Requirement::ALL.into_iter().filter(|_| !opened.standard.is_empty());
    let standard = required.map(|it| NewItemBody { text: String::new(), requirement: Some(it.name().to_owned()) });
    let own = lines(&opened.items).map(|text| NewItemBody { text, requirement: None });
    let body = NewInspectionBody {
        title: opened.title,
        site: opened.site.trim().to_owned(),
        due: opened.due,
        units: lines(&opened.units.replace([',', '，', '、', ' '], "\n")).collect(),
        area: (!opened.area.is_empty()).then_some(opened.area),
        checklist: standard.chain(own).collect(),
    };
    match open_inspection(&app, &reader.gate.clone().for_change(), body).await {
        Ok(id) => Redirect::to(&format!("/inspections/{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// Does what a form asks for, and shows the sheet again.
pub(in crate::console) async fn act(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path((id, site)): Path<(String, String)>,
    Form(acted): Form<Acted>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &acted.form) {
        return stale;
    }
    let (item, finding) = (acted.item, acted.finding);
    let body = SheetActionBody {
        passed: acted.verdict == "passed",
        action: acted.action,
        item,
        finding,
        text: acted.text,
        verdict: acted.verdict,
        evidence: lines(&acted.evidence).collect(),
        due: (!acted.due.is_empty()).then_some(acted.due),
    };
    match act_on_sheet(&app, &reader.gate.clone().for_change(), (&id, &site), body).await {
        Ok((id, site)) => Redirect::to(&format!("/inspections/{id}/units/{site}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// Closes an inspection, and shows it.
pub(in crate::console) async fn close(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Form(closed): Form<Closed>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &closed.form) {
        return stale;
    }
    match close_inspection(&app, &reader.gate.clone().for_change(), &id, closed.text).await {
        Ok(id) => Redirect::to(&format!("/inspections/{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// The form that opens an inspection, for who may open one somewhere.
pub(super) fn opening(reader: &Reader, view: &View) -> Markup {
    let inspects = reader.gate.caller().principal.reaches(Action::ReviewCases).next().is_some();
    if reader.form.is_empty() || !inspects {
        return parts::nothing();
    }
    let fields = html! {
        (fields::line(reader, "open-title", "title", text::INSPECTION_TITLE_FIELD, true))
        (fields::line(reader, "open-site", "site", text::INSPECTION_SITE_FIELD, true))
        (fields::day(reader, "open-due", "due", text::CASE_DUE_ON))
        (fields::lines(reader, "open-units", "units", text::INSPECTION_UNITS_FIELD, false))
        (fields::areas(reader, view, "open-area"))
        label { input type="checkbox" name="standard" value="1" checked; " " (reader.say(text::INSPECTION_STANDARD)) }
        p.hint {
            @for (at, it) in Requirement::ALL.into_iter().enumerate() {
                @if at > 0 { " · " } (reader.say(inspection::requirement(it).0))
            }
        }
        (fields::lines(reader, "open-items", "items", text::INSPECTION_ITEMS_FIELD, false))
    };
    html! { div.sheet.acts { (fields::form(reader, "/inspections/open", text::INSPECTION_OPEN, &fields)) } }
}

/// The form that closes an inspection, for who may.
pub(super) fn closing(reader: &Reader, view: &View, campaign: &Campaign) -> Markup {
    let may = campaign.is_open() && view.may(Action::ReviewCases, campaign.plan.site);
    if reader.form.is_empty() || !may {
        return parts::nothing();
    }
    let address = format!("/inspections/{}/close", campaign.id);
    let fields = fields::lines(reader, "close-text", "text", text::CASE_TEXT, true);
    html! { div.sheet.acts { (fields::form(reader, &address, text::INSPECTION_CLOSE, &fields)) } }
}

/// What the reader can do about an item of a unit.
pub(super) fn of_item(
    reader: &Reader,
    view: &View,
    campaign: &Campaign,
    site: SiteId,
    item: u16,
    answer: Option<&SheetAnswer>,
) -> Markup {
    let [answers, inspects] = [Action::AnswerCases, Action::ReviewCases].map(|it| view.may(it, site));
    if reader.form.is_empty() || !campaign.is_open() || !answers && !inspects {
        return parts::nothing();
    }
    let is_known = campaign.plan.item(item).is_some_and(|it| it.requirement.is_some());
    let (said, shown) = answer.map_or((String::new(), String::new()), |it| (it.text.clone(), it.evidence.join("\n")));
    html! {
        div.sheet.acts {
            @if answers {
                (sheet_form(reader, campaign, site, "answer", &html! {
                    input type="hidden" name="item" value=(item);
                    label for=(format!("verdict-{item}")) { (reader.say(text::INSPECTION_VERDICT)) }
                    select id=(format!("verdict-{item}")) name="verdict" {
                        @for it in Compliance::ALL {
                            option value=(it.name()) selected[answer.is_some_and(|answer| answer.verdict == it)] { (reader.say(compliance(it))) }
                        }
                    }
                    label for=(format!("text-{item}")) { (reader.say(text::CASE_TEXT)) }
                    textarea id=(format!("text-{item}")) name="text" rows="2" maxlength="2000" required[!is_known] { (said) }
                    label for=(format!("evidence-{item}")) { (reader.say(text::INSPECTION_EVIDENCE_FIELD)) }
                    textarea id=(format!("evidence-{item}")) name="evidence" rows="2" maxlength="20000" { (shown) }
                    @if is_known { p.hint { (reader.say(text::INSPECTION_KNOWN_HINT)) } }
                }))
            }
            @if inspects {
                (sheet_form(reader, campaign, site, "find", &html! {
                    input type="hidden" name="item" value=(item);
                    (fields::lines(reader, &format!("find-{item}"), "text", text::CASE_TEXT, true))
                    (fields::day(reader, &format!("find-due-{item}"), "due", text::CASE_DUE_ON))
                }))
            }
        }
    }
}

/// What the reader can do about a finding of a unit.
pub(super) fn of_finding(
    reader: &Reader,
    view: &View,
    campaign: &Campaign,
    site: SiteId,
    finding: u16,
    state: FindingState,
) -> Markup {
    let mends = state == FindingState::Open && view.may(Action::AnswerCases, site);
    let checks = state != FindingState::Closed && view.may(Action::ReviewCases, site);
    if reader.form.is_empty() || !campaign.is_open() || !mends && !checks {
        return parts::nothing();
    }
    let named = html! { input type="hidden" name="finding" value=(finding); };
    html! {
        div.acts {
            @if mends {
                (sheet_form(reader, campaign, site, "mend", &html! {
                    (named) (fields::lines(reader, &format!("mend-{finding}"), "text", text::CASE_TEXT, true))
                }))
            }
            @if checks {
                (sheet_form(reader, campaign, site, "recheck", &html! {
                    (named)
                    label for=(format!("passed-{finding}")) { (reader.say(text::INSPECTION_VERDICT)) }
                    select id=(format!("passed-{finding}")) name="verdict" {
                        option value="passed" { (reader.say(text::INSPECTION_PASSED)) }
                        option value="not_passed" { (reader.say(text::INSPECTION_NOT_PASSED)) }
                    }
                    (fields::lines(reader, &format!("recheck-{finding}"), "text", text::CASE_TEXT, true))
                }))
            }
        }
    }
}

fn sheet_form(reader: &Reader, campaign: &Campaign, site: SiteId, action: &str, fields: &Markup) -> Markup {
    let address = format!("/inspections/{}/units/{site}/act", campaign.id);
    let fields = html! { input type="hidden" name="action" value=(action); (fields) };
    fields::form(reader, &address, did(action), &fields)
}
