//! The notice of a case (通报): what it says on the page of the case, and as a document to print.

use std::str::FromStr as _;

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::case::{Case, Notice, NoticeNumber};

use super::{category_name, kind, known};
use crate::{
    access::View,
    api::{Problem, cases_anywhere},
    console::{
        Reader, contacts, layout,
        parts::{self, Mark},
        text::{self, Text},
        words,
    },
};

/// The notices on the page of their case, the last one first.
pub(super) fn summaries(reader: &Reader, view: &View, case: &Case) -> Markup {
    html! {
        @for notice in case.notices.iter().rev() {
            h2 { (reader.say(text::CASE_NOTICE)) " " span.sub { (notice.number) } " " (standing(reader, view, notice)) }
            (parts::facts(&rows(reader, view, notice)))
            p.told { (notice.text) }
            (whom(reader, notice))
            (answers(reader, notice))
            p.hint {
                a href=(format!("/cases/{}/notices/{}", case.id, notice.number)) { (reader.say(text::CASE_NOTICE_PRINT)) }
            }
        }
    }
}

/// How far a notice is.
fn standing(reader: &Reader, view: &View, notice: &Notice) -> Markup {
    let (mark, word) = match notice.answered() {
        None if notice.ended.is_some() => (Mark::Idle, text::NOTICE_ENDED),
        None if notice.due < view.now() => (Mark::Bad, text::NOTICE_LATE),
        None => (Mark::Warn, text::NOTICE_AWAITS),
        Some(answer) if answer.rectified => (Mark::Good, text::NOTICE_RECTIFIED),
        Some(_) => (Mark::Warn, text::NOTICE_ANSWERED),
    };
    parts::mark(reader, mark, word)
}

/// Every answer, and what was said to it; nothing where there is none.
fn answers(reader: &Reader, notice: &Notice) -> Markup {
    let columns =
        [text::CASE_NOTICE_ANSWERED, text::CASE_BY, text::CASE_SAID, text::STATE_RECTIFIED, text::NOTICE_RETURNED];
    html! {
        @if !notice.answers.is_empty() {
            p.hint { (reader.say(text::NOTICE_ANSWERS)) }
            div.scroll { table {
                (parts::head(reader, &columns, 0))
                tbody {
                    @for it in &notice.answers {
                        tr {
                            td { (parts::moment(it.time)) @if it.is_late() { " " (parts::mark(reader, Mark::Bad, text::NOTICE_WAS_LATE)) } }
                            td { (it.by) }
                            td.words { (it.text) }
                            td { @if it.rectified { (parts::mark(reader, Mark::Good, text::STATE_RECTIFIED)) } @else { span.none { "–" } } }
                            td.words {
                                @match &it.returned {
                                    Some(back) => { (parts::moment(back.time)) " · " (back.by) " · " (back.text) }
                                    None => span.none { "–" },
                                }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn rows(reader: &Reader, view: &View, notice: &Notice) -> Vec<(&'static str, Markup)> {
    let of = |it: Option<String>| parts::or_dash(it.as_deref());
    let received = notice.received.as_ref().map(|(at, by)| format!("{} · {by}", parts::moment(*at)));
    vec![
        (reader.say(text::CASE_NOTICE_TO), super::site(reader, view, notice.to)),
        (reader.say(text::CASE_NOTICE_ISSUER), issuer(reader, view, notice)),
        (reader.say(text::CASE_NOTICE_SENT), html! { (parts::moment(notice.sent)) }),
        (reader.say(text::CASE_NOTICE_DUE), html! { (parts::moment(notice.due)) }),
        (reader.say(text::CASE_NOTICE_RECEIVED), of(received)),
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

/// The last notice to print.
pub(in crate::console) async fn last(reader: Reader, Path(case): Path<String>) -> Response {
    reader.answer(made(&reader, &case, None))
}

/// A notice to print.
pub(in crate::console) async fn page(reader: Reader, Path((case, number)): Path<(String, String)>) -> Response {
    reader.answer(made(&reader, &case, Some(&number)))
}

fn made(reader: &Reader, id: &str, number: Option<&str>) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let case = known(&view, id)?;
    let notice = match number {
        Some(number) => NoticeNumber::from_str(number).ok().and_then(|number| case.numbered(number)),
        None => case.notice(),
    };
    Ok(document(reader, &view, case, notice.ok_or_else(Problem::not_found)?))
}

/// Returns a notice of a case as a document of its own.
fn document(reader: &Reader, view: &View, case: &Case, notice: &Notice) -> Markup {
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
        (parts::facts(&rows(reader, view, notice)))
        (whom(reader, notice))
        h2 { (reader.say(text::NOTICE_ABOUT)) }
        (parts::facts(&about))
        @if let Some(means) = text::means(&case.key.kind) { p { (reader.say(means)) } }
        h2 { (reader.say(text::CASE_SAID)) }
        p.told { (notice.text) }
        h2 { (reader.say(text::CASE_EVIDENCE)) }
        (super::evidence(reader, case))
        (super::files::of_notice(reader, view, case, notice))
        @if notice.answers.is_empty() { p { (reader.say(text::CASE_NOTICE_ASK)) } } @else {
            h2 { (reader.say(text::CASE_NOTICE_ANSWERED)) }
            (answers(reader, notice))
        }
    };
    layout::sheet(reader.language, reader.say(title), &content)
}
