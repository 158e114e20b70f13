//! Issuing a notice (通报): whom it goes to is seen before it leaves.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{SiteId, case::Case, site::Site};

use super::{kind, known};
use crate::{
    access::{Action, View},
    api::{App, Problem, cases_anywhere, issuing_notice},
    console::{
        Reader, contacts, layout, parameter,
        parts::{self, Mark},
        text::{self, Text},
    },
};

/// The step to it, on the page of a case: to which site.
pub(super) fn step(reader: &Reader, view: &View, case: &Case) -> Markup {
    let code = view.site(case.key.site).map(|site| site.code(view.now()).to_owned()).unwrap_or_default();
    html! {
        details.act {
            summary { (reader.say(text::DID_NOTIFY)) }
            (to_site(reader, case, &code))
        }
    }
}

fn to_site(reader: &Reader, case: &Case, code: &str) -> Markup {
    html! {
        form.act method="get" action=(format!("/cases/{}/notify", case.id)) {
            label for="notify-to" { (reader.say(text::CASE_TO_SITE)) }
            input #notify-to type="text" name="to" maxlength="100" value=(code) required;
            button type="submit" { (reader.say(text::NOTIFYING_NEXT)) }
        }
    }
}

/// The page.
pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(case): Path<String>,
) -> Response {
    reader.answer(made(&app, &reader, &case))
}

fn made(app: &App, reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let case = known(&view, id)?;
    if !view.may(Action::ReviewCases, case.key.site) {
        return Err(Problem::forbidden(reader.say(text::FORBIDDEN_HINT)));
    }
    let asked = parameter(reader.query(), "to").filter(|it| !it.trim().is_empty());
    let asked = asked.unwrap_or_else(|| case.key.site.to_string());
    let unknown = || Problem::parameter("to", format!("there is no site {asked:?}: write an id or a division code"));
    let site = view.find_site(asked.trim()).ok_or_else(unknown)?;
    let title = reader.say(text::NOTIFYING);
    let content = html! {
        nav.trail aria-label=(reader.say(text::CASES)) {
            ol {
                li { a href="/cases" { (reader.say(text::CASES)) } }
                li { a href=(format!("/cases/{}", case.id)) { (case.id) } }
                li aria-current="page" { (title) }
            }
        }
        h1 { (title) span.query { (kind(reader, &case.key.kind)) } }
        @if case.key.drill { p.told { (reader.say(text::CASE_NOTICE_DRILL)) } }
        p.hint { (reader.say(text::NOTIFYING_HINT)) }
        (whom(app, reader, &view, site))
        @if case.can_be_notified() && !reader.form.is_empty() { (form(reader, &view, case, site)) }
        @else { p.alert { (reader.say(text::NOTIFYING_NOT_NOW)) } }
        h2 { (reader.say(text::NOTIFYING_OTHER)) }
        div.sheet.acts { (to_site(reader, case, site.code(view.now()))) }
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

/// Whom it goes to, or why nobody is mailed.
fn whom(app: &App, reader: &Reader, view: &View, site: &Site) -> Markup {
    let known = view.contacts(site.id);
    let warning = if known.is_empty() {
        Some(text::NOTIFYING_NO_CONTACTS)
    } else if known.iter().all(|it| it.email.is_empty()) {
        Some(text::NOTIFYING_NO_EMAIL)
    } else if !app.notify.iter().any(|it| it.contacts) {
        Some(text::NOTIFYING_NO_CHANNEL)
    } else {
        None
    };
    html! {
        h2 { (reader.say(text::CASE_NOTICE_TO)) " " span.sub { (parts::site_link(reader, view, site)) } }
        @if let Some(warning) = warning { p.alert { (parts::mark(reader, Mark::Warn, warning)) } }
        @if !known.is_empty() {
            p.hint { (reader.say(text::NOTIFYING_TO)) }
            (contacts::listed(reader, known))
        }
        p.hint { a href=(format!("/sites/{}#contacts", site.id)) { (reader.say(text::NOTIFYING_CONTACTS_PAGE)) } }
    }
}

fn form(reader: &Reader, view: &View, case: &Case, site: &Site) -> Markup {
    let issuer = issuing_notice(view, case.key.site, (None, None));
    let line = |field: &str, label: Text, value: &str, most: usize| {
        let id = format!("notify-{field}");
        html! {
            label for=(id) { (reader.say(label)) }
            input id=(id) type="text" name=(field) maxlength=(most) value=(value) required;
        }
    };
    html! {
        div.sheet.acts {
            form.act method="post" action=(format!("/cases/{}/act", case.id)) {
                input type="hidden" name="form" value=(reader.form);
                input type="hidden" name="action" value="notify";
                input type="hidden" name="to" value=(site.id);
                label for="notify-text" { (reader.say(text::NOTIFYING_TEXT)) }
                textarea #notify-text name="text" rows="6" cols="80" maxlength="2000" required {}
                label for="notify-due" { (reader.say(text::NOTIFYING_DUE)) }
                input #notify-due type="date" name="due";
                (unit(reader, view, issuer.unit))
                (line("issuer", text::NOTIFYING_PERSON, &issuer.person, 100))
                (line("telephone", text::NOTIFYING_TELEPHONE, &issuer.telephone, 40))
                button type="submit" { (reader.say(text::NOTIFYING_SEND)) }
            }
        }
    }
}

/// In whose name it is issued.
fn unit(reader: &Reader, view: &View, unit: Option<SiteId>) -> Markup {
    html! {
        @if let Some(unit) = unit {
            p.hint { (reader.say(text::CASE_NOTICE_ISSUER)) ": " (parts::site_link_of(reader, view, unit)) }
        }
    }
}
