//! The forms with which people act on a case, and what becomes of them.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::case::{Case, CaseState, CaseVerdict, Category};
use serde::Deserialize;

use super::{GRADES, category_name, did, notifying, verdict_name};
use crate::{
    access::{Action, View},
    api::{App, CaseActionBody, Problem, act_on_case, open_case_about},
    console::{
        Reader, parts,
        text::{self, Text},
        trouble, words,
    },
};

/// What the form of an action carries. What does not go with the action is left out or empty.
#[derive(Deserialize)]
pub(in crate::console) struct Acted {
    form: String,
    action: String,
    text: Option<String>,
    to: Option<String>,
    grade: Option<String>,
    category: Option<String>,
    due: Option<String>,
    issuer: Option<String>,
    telephone: Option<String>,
    other: Option<String>,
    rectified: Option<String>,
    verdict: Option<String>,
}

/// What the form that opens a case carries.
#[derive(Deserialize)]
pub(in crate::console) struct Opened {
    form: String,
}

/// Does what a form asks for, and shows the case again.
pub(in crate::console) async fn act(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(case): Path<String>,
    Form(acted): Form<Acted>,
) -> Response {
    if let Some(stale) = stale(&reader, &acted.form) {
        return stale;
    }
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let body = CaseActionBody {
        action: acted.action,
        text: acted.text,
        to: filled(acted.to),
        grade: acted.grade,
        category: acted.category,
        due: filled(acted.due),
        issuer: filled(acted.issuer),
        telephone: filled(acted.telephone),
        other: filled(acted.other),
        rectified: acted.rectified.is_some(),
        verdict: acted.verdict,
    };
    match act_on_case(&app, &reader.gate.clone().for_change(), &case, body).await {
        Ok(id) => Redirect::to(&format!("/cases/{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// Opens a case about an incident, and shows it.
pub(in crate::console) async fn open(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(incident): Path<String>,
    Form(opened): Form<Opened>,
) -> Response {
    if let Some(stale) = stale(&reader, &opened.form) {
        return stale;
    }
    match open_case_about(&app, &reader.gate.clone().for_change(), &incident).await {
        Ok(id) => Redirect::to(&format!("/cases/{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// Returns the answer to a form that is not one of the reader's session: another site's form must not act in his name.
pub(in crate::console) fn stale(reader: &Reader, form: &str) -> Option<Response> {
    let ours = !form.is_empty() && form == reader.form;
    (!ours).then(|| trouble(reader.language, &Problem::forbidden(reader.say(text::FORM_STALE))))
}

/// What the reader can do with a case now.
pub(super) fn forms(reader: &Reader, view: &View, case: &Case) -> Markup {
    let reviews = view.may(Action::ReviewCases, case.key.site);
    let told = case.notice.as_ref().map(|it| it.to);
    let answers = case.state == CaseState::Notified && told.is_some_and(|to| view.may(Action::AnswerCases, to));
    // Who came with a token and no session has no forms to fill.
    if reader.form.is_empty() || !reviews && !answers {
        return parts::nothing();
    }
    let received = case.notice.as_ref().is_some_and(|it| it.received.is_some());
    html! {
        h2 { (reader.say(text::CASE_ACTIONS)) }
        div.sheet.acts {
            @if answers {
                @if !received { (form(reader, case, "receive", &parts::nothing())) }
                (form(reader, case, "answer", &html! {
                    (said(reader, "answer"))
                    label { input type="checkbox" name="rectified" value="1"; " " (reader.say(text::CASE_RECTIFIED_BOX)) }
                }))
            }
            @if reviews { (of_reviewers(reader, view, case)) }
        }
    }
}

/// What goes with the state first, then what can be said at any time.
fn of_reviewers(reader: &Reader, view: &View, case: &Case) -> Markup {
    use CaseState::{Acknowledged, Closed, New, Notified, Rectified, Silenced};
    let (state, nothing) = (case.state, parts::nothing());
    let is_open = state.is_open();
    let answered = case.notice.as_ref().is_some_and(|it| it.answered.is_some());
    html! {
        @if matches!(state, New | Silenced) { (form(reader, case, "acknowledge", &nothing)) }
        @if matches!(state, New | Silenced | Acknowledged) { (form(reader, case, "review", &nothing)) }
        @if is_open { (form(reader, case, "grade", &graded(reader, case))) }
        @if case.can_be_notified() { (notifying::step(reader, view, case)) }
        @if state == Rectified || state == Notified && answered {
            (form(reader, case, "return", &html! { (said(reader, "return")) (day(reader, "return", text::CASE_DUE_DAY)) }))
        }
        @if is_open {
            (form(reader, case, "close", &html! { (verdicts(reader, case)) (said(reader, "close")) }))
            (form(reader, case, "assign", &line(reader, "assign", "to", text::CASE_TO)))
            (form(reader, case, "set_due", &day(reader, "set_due", text::CASE_DUE_ON)))
        }
        @if matches!(state, Closed(_)) { (form(reader, case, "reopen", &said(reader, "reopen"))) }
        (form(reader, case, "comment", &said(reader, "comment")))
        (form(reader, case, "attach", &said(reader, "attach")))
        (form(reader, case, "relate", &line(reader, "relate", "other", text::CASE_OTHER)))
    }
}

/// One form: folded, but for what has nothing to fill in.
fn form(reader: &Reader, case: &Case, action: &str, fields: &Markup) -> Markup {
    let name = reader.say(did(action));
    let inner = |button: &str| {
        html! {
            form.act method="post" action=(format!("/cases/{}/act", case.id)) {
                input type="hidden" name="form" value=(reader.form);
                input type="hidden" name="action" value=(action);
                (fields)
                button type="submit" { (button) }
            }
        }
    };
    if fields.0.is_empty() {
        return inner(name);
    }
    html! { details.act { summary { (name) } (inner(reader.say(text::CASE_DO))) } }
}

fn said(reader: &Reader, action: &str) -> Markup {
    let id = format!("{action}-text");
    html! {
        label for=(id) { (reader.say(text::CASE_TEXT)) }
        textarea id=(id) name="text" rows="3" maxlength="2000" required {}
    }
}

fn line(reader: &Reader, action: &str, field: &str, label: Text) -> Markup {
    let id = format!("{action}-{field}");
    html! {
        label for=(id) { (reader.say(label)) }
        input id=(id) type="text" name=(field) maxlength="100" required;
    }
}

fn day(reader: &Reader, action: &str, label: Text) -> Markup {
    let id = format!("{action}-due");
    html! {
        label for=(id) { (reader.say(label)) }
        input id=(id) type="date" name="due" required[action == "set_due"];
    }
}

fn graded(reader: &Reader, case: &Case) -> Markup {
    html! {
        label for="grade-grade" { (reader.say(text::CASE_GRADE)) }
        select #grade-grade name="grade" {
            @for it in GRADES {
                option value=(it.name()) selected[it == case.grade] { (reader.say(words::severity(it))) }
            }
        }
        label for="grade-category" { (reader.say(text::CASE_CATEGORY)) }
        select #grade-category name="category" {
            @for it in Category::ALL {
                option value=(it.name()) selected[Some(it) == case.category] { (reader.say(category_name(it))) }
            }
        }
    }
}

fn verdicts(reader: &Reader, case: &Case) -> Markup {
    let fits = |it: &CaseVerdict| {
        let confirmed = *it != CaseVerdict::True || case.graded_by.is_some();
        (*it == CaseVerdict::Drill) == case.key.drill && confirmed
    };
    html! {
        label for="close-verdict" { (reader.say(text::CASE_VERDICT)) }
        select #close-verdict name="verdict" {
            @for it in CaseVerdict::ALL.into_iter().filter(fits) {
                option value=(it.name()) { (reader.say(verdict_name(it))) }
            }
        }
    }
}
