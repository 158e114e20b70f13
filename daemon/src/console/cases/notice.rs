//! The notice of a case (通报): what it says on the page of the case, and as a document to print.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::case::{Case, Notice};

use super::{category_name, kind, known};
use crate::{
    access::View,
    api::{Problem, cases_anywhere},
    console::{
        Reader, contacts, layout, parts,
        text::{self, Text},
        words,
    },
};

/// The notice on the page of its case; nothing where there is none.
pub(super) fn summary(reader: &Reader, view: &View, case: &Case) -> Markup {
    let Some(notice) = &case.notice else { return parts::nothing() };
    html! {
        h2 { (reader.say(text::CASE_NOTICE)) " " span.sub { (notice.number) } }
        (parts::facts_and_line(&rows(reader, view, notice)))
        (whom(reader, notice))
        p.told { (notice.text) }
        p.hint { a href=(format!("/cases/{}/notice", case.id)) { (reader.say(text::CASE_NOTICE_PRINT)) } }
    }
}

fn rows(reader: &Reader, view: &View, notice: &Notice) -> Vec<(&'static str, Markup)> {
    let of = |it: Option<String>| parts::or_dash(it.as_deref());
    let received = notice.received.as_ref().map(|(at, by)| format!("{} · {by}", parts::moment(*at)));
    let answered = notice.answered.as_ref().map(|(at, by, said)| format!("{} · {by} · {said}", parts::moment(*at)));
    vec![
        (reader.say(text::CASE_NOTICE_TO), super::site(reader, view, notice.to)),
        (reader.say(text::CASE_NOTICE_ISSUER), issuer(reader, view, notice)),
        (reader.say(text::CASE_NOTICE_SENT), html! { (parts::moment(notice.sent)) }),
        (reader.say(text::CASE_NOTICE_DUE), html! { (parts::moment(notice.due)) }),
        (reader.say(text::CASE_NOTICE_RECEIVED), of(received)),
        (reader.say(text::CASE_NOTICE_ANSWERED), of(answered)),
    ]
}

/// Who issued it: the unit by its name, whatever else the reader may see of it, the person and the number.
fn issuer(reader: &Reader, view: &View, notice: &Notice) -> Markup {
    let Some(issuer) = &notice.issuer else { return parts::or_dash(None) };
    let unit = issuer.unit.and_then(|unit| view.issuer_name(unit));
    let unit = unit.map(|name| parts::site_name(reader.language, name).into_owned()).unwrap_or_default();
    let said = [unit, issuer.person.clone(), issuer.telephone.clone()];
    html! { (said.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")) }
}

/// Whom it went to. Notices of older versions do not say.
fn whom(reader: &Reader, notice: &Notice) -> Markup {
    html! {
        @if !notice.contacts.is_empty() {
            p.hint { (reader.say(text::CASE_NOTICE_CONTACTS)) }
            (contacts::listed(reader, &notice.contacts))
        } @else if notice.issuer.is_some() {
            p.hint { (reader.say(text::NOTICE_NO_CONTACTS)) }
        }
    }
}

/// The notice to print.
pub(in crate::console) async fn page(reader: Reader, Path(case): Path<String>) -> Response {
    reader.answer(made(&reader, &case))
}

fn made(reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    document(reader, &view, known(&view, id)?).ok_or_else(Problem::not_found)
}

/// Returns the notice of a case as a document of its own, `None` where nobody was notified.
fn document(reader: &Reader, view: &View, case: &Case) -> Option<Markup> {
    let notice = case.notice.as_ref()?;
    let title: Text = text::CASE_NOTICE_TITLE;
    let mut about = vec![
        (reader.say(text::CASE_NUMBER), html! { code { (case.id) } }),
        (reader.say(text::CASE_KIND), html! { (kind(reader, &case.key.kind)) }),
        (reader.say(text::SUBJECT), html! { code { (words::case_subject(reader.language, &case.key.subject)) } }),
        (reader.say(text::CASE_GRADE), html! { (reader.say(words::severity(case.grade))) }),
        (reader.say(text::CASE_FIRST), html! { (parts::moment(case.first)) }),
        (reader.say(text::CASE_LAST), html! { (parts::moment(case.last)) }),
    ];
    let category = case.category.map(|it| html! { (reader.say(category_name(it))) });
    about.extend(category.map(|it| (reader.say(text::CASE_CATEGORY), it)));
    let content = html! {
        h1 { (reader.say(title)) span.sub { (notice.number) } }
        @if case.key.drill { p.told { (reader.say(text::CASE_NOTICE_DRILL)) } }
        (parts::facts_and_line(&rows(reader, view, notice)))
        (whom(reader, notice))
        (parts::facts(&about))
        @if let Some(means) = text::means(&case.key.kind) { p { (reader.say(means)) } }
        h2 { (reader.say(text::CASE_SAID)) }
        p.told { (notice.text) }
        h2 { (reader.say(text::CASE_EVIDENCE)) }
        (super::evidence(reader, case))
        p { (reader.say(text::CASE_NOTICE_ASK)) }
    };
    Some(layout::sheet(reader.language, reader.say(title), &content))
}
