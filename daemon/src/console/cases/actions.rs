//! The forms with which people act on a case, and what becomes of them.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::case::{Case, CaseState, CaseVerdict, Category, Notice};
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
    notice: Option<String>,
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
        notice: filled(acted.notice),
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
    let open = |it: &&Notice| case.is_for(it.to) && it.is_open() && view.may(Action::AnswerCases, it.to);
    let own: Vec<&Notice> = case.notices.iter().filter(open).collect();
    // Who came with a token and no session has no forms to fill.
    if reader.form.is_empty() || !reviews && own.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 { (reader.say(text::CASE_ACTIONS)) }
        div.sheet.acts {
            @for notice in own { (of_unit(reader, case, notice)) }
            @if reviews { (of_reviewers(reader, view, case)) }
        }
    }
}

/// What the unit can do with a notice; which one it is stands there where there are several.
fn of_unit(reader: &Reader, case: &Case, notice: &Notice) -> Markup {
    let number = notice.number.to_string();
    let label = (case.notices.len() > 1).then_some(number.as_str());
    let which = html! { input type="hidden" name="notice" value=(number); };
    html! {
        @if notice.received.is_none() { (labelled(reader, case, "receive", (&which, label), &parts::nothing())) }
        (labelled(reader, case, "answer", (&which, label), &html! {
            (said_of(reader, "answer", &number))
            label { input type="checkbox" name="rectified" value="1"; " " (reader.say(text::CASE_RECTIFIED_BOX)) }
        }))
    }
}

/// What goes with the state first, then what can be said at any time.
fn of_reviewers(reader: &Reader, view: &View, case: &Case) -> Markup {
    use CaseState::{Acknowledged, Closed, New, Silenced};
    let (state, nothing) = (case.state, parts::nothing());
    let is_open = state.is_open();
    html! {
        @if matches!(state, New | Silenced) { (form(reader, case, "acknowledge", &nothing)) }
        @if matches!(state, New | Silenced | Acknowledged) { (form(reader, case, "review", &nothing)) }
        @if is_open { (form(reader, case, "grade", &graded(reader, case))) }
        @if case.can_be_notified() { (notifying::step(reader, view, case)) }
        @for notice in answered(case) { (returning(reader, case, notice)) }
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

/// The notices whose answers stand, and can be given back.
fn answered(case: &Case) -> impl Iterator<Item = &Notice> {
    let is_judged = matches!(case.state, CaseState::Notified | CaseState::Rectified);
    case.notices.iter().filter(move |it| is_judged && it.ended.is_none() && it.answered().is_some())
}

fn returning(reader: &Reader, case: &Case, notice: &Notice) -> Markup {
    let number = notice.number.to_string();
    let label = (case.notices.len() > 1).then_some(number.as_str());
    let which = html! { input type="hidden" name="notice" value=(number); };
    let fields = html! {
        (said_of(reader, "return", &number))
        label for=(format!("return-due-{number}")) { (reader.say(text::CASE_DUE_DAY)) }
        input id=(format!("return-due-{number}")) type="date" name="due";
    };
    labelled(reader, case, "return", (&which, label), &fields)
}

/// One form: folded, but for what has nothing to fill in.
fn form(reader: &Reader, case: &Case, action: &str, fields: &Markup) -> Markup {
    labelled(reader, case, action, (&parts::nothing(), None), fields)
}

/// One form with what it carries unseen, and the number of the notice that it is about.
fn labelled(
    reader: &Reader,
    case: &Case,
    action: &str,
    (unseen, number): (&Markup, Option<&str>),
    fields: &Markup,
) -> Markup {
    let name =
        number.map_or_else(|| reader.say(did(action)).to_owned(), |it| format!("{} {it}", reader.say(did(action))));
    let inner = |button: &str| {
        html! {
            form.act method="post" action=(format!("/cases/{}/act", case.id)) {
                input type="hidden" name="form" value=(reader.form);
                input type="hidden" name="action" value=(action);
                (unseen)
                (fields)
                button type="submit" { (button) }
            }
        }
    };
    if fields.0.is_empty() {
        return inner(&name);
    }
    html! { details.act { summary { (name) } (inner(reader.say(text::CASE_DO))) } }
}

fn said(reader: &Reader, action: &str) -> Markup {
    said_of(reader, action, "text")
}

fn said_of(reader: &Reader, action: &str, of: &str) -> Markup {
    let id = format!("{action}-{of}");
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
