//! The frame around each page.

use maud::{DOCTYPE, Markup, html};

use super::{Language, Reader, text};
use crate::access::{Action, View};

/// Where the style is; the version makes browsers fetch a new one.
const STYLE: &str = concat!("/static/console.css?v=", env!("CARGO_PKG_VERSION"));

/// The picture in the browser's tab: one network, in colours that show on light and dark.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='7' fill='%231f5fa8'/%3E%3Cg stroke='%23fff' stroke-width='2'%3E\
    %3Cpath d='M16 9v6M16 15l-8 7M16 15v7M16 15l8 7' fill='none'/%3E%3C/g%3E%3Cg fill='%23fff'%3E\
    %3Ccircle cx='16' cy='8' r='3'/%3E%3Ccircle cx='8' cy='23' r='3'/%3E%3Ccircle cx='16' cy='23' r='3'/%3E\
    %3Ccircle cx='24' cy='23' r='3'/%3E%3C/g%3E%3C/svg%3E";

/// A page of a known reader.
pub(super) fn page(reader: &Reader, view: &View, title: &str, query: &str, content: &Markup) -> Markup {
    let say = |text| reader.say(text);
    let (_, time) = view.as_of();
    document(
        reader.language,
        title,
        &html! {
            (top(reader, query))
            @if view.has_demo() {
                p.demo-banner role="note" { (say(text::DEMO_BANNER)) }
            }
            main #content { (content) }
            footer {
                (say(text::AS_OF)) " " time datetime=(time.to_string()) { (super::parts::moment(time)) }
                " · onenetd " (env!("CARGO_PKG_VERSION"))
            }
        },
    )
}

/// A page that says to a known reader why there is none: he can go on from it.
pub(super) fn apology(reader: &Reader, title: &str, content: &Markup) -> Markup {
    document(reader.language, title, &html! { (top(reader, "")) main #content { (content) } })
}

/// The head of each page of a known reader: where he can go, the search, and who he is.
fn top(reader: &Reader, query: &str) -> Markup {
    let say = |text| reader.say(text);
    html! {
        header.top {
            a.brand href="/" { (say(text::PRODUCT)) }
            nav.places aria-label=(say(text::PLACES)) {
                (place(reader, "/", text::OVERVIEW))
                (place(reader, "/incidents", text::INCIDENTS))
                @if reads_cases(reader) { (place(reader, "/cases", text::CASES)) }
                (place(reader, "/anomalies", text::ANOMALIES))
                (place(reader, "/endpoints", text::ENDPOINTS))
                (place(reader, "/coverage", text::COVERAGE))
                (place(reader, "/availability", text::AVAILABILITY))
            }
            form.find role="search" action="/find" method="get" {
                label.hidden for="find" { (say(text::SEARCH_ALL)) }
                input #find type="search" name="q" value=(query) maxlength="100" placeholder=(say(text::SEARCH_HINT));
                button type="submit" { (say(text::SEARCH)) }
            }
            div.account {
                (other_language(reader.language, &reader.address))
                span.who title=(say(text::SIGNED_IN_AS)) { (reader.gate.caller().principal.name) }
                form method="post" action="/logout" {
                    input type="hidden" name="form" value=(reader.form);
                    button.quiet type="submit" { (say(text::SIGN_OUT)) }
                }
            }
        }
    }
}

/// A page for whoever is not signed in, or where there is nothing to show.
pub(super) fn bare(language: Language, title: &str, content: &Markup) -> Markup {
    document(
        language,
        title,
        &html! {
            header.top {
                a.brand href="/" { (language.of(text::PRODUCT)) }
                div.account { (other_language(language, "")) }
            }
            main #content .narrow { (content) }
        },
    )
}

/// A document of its own, to be printed or kept.
pub(super) fn sheet(language: Language, title: &str, content: &Markup) -> Markup {
    document(language, title, &html! { main #content { (content) } })
}

fn document(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (language.of(text::PRODUCT)) }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href=(STYLE);
            }
            body {
                a.skip href="#content" { (language.of(text::SKIP_TO_CONTENT)) }
                (body)
            }
        }
    }
}

/// Whether the reader has cases to read, or to answer.
fn reads_cases(reader: &Reader) -> bool {
    let principal = &reader.gate.caller().principal;
    [Action::ReadCases, Action::AnswerCases].into_iter().any(|action| principal.reaches(action).next().is_some())
}

/// A link to a place of the console; the one where the reader is says so.
fn place(reader: &Reader, path: &str, name: text::Text) -> Markup {
    let here = reader.address.split('?').next() == Some(path);
    html! { a href=(path) aria-current=[here.then_some("page")] { (reader.say(name)) } }
}

/// A link to the same page in the other language.
fn other_language(language: Language, address: &str) -> Markup {
    let other = language.other();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
    let query: Vec<&str> = kept.collect();
    let joined = if query.is_empty() { String::new() } else { format!("&{}", query.join("&")) };
    let name = match other {
        Language::Zh => "中文",
        Language::En => "English",
    };
    html! {
        a.language lang=(other.tag()) hreflang=(other.tag()) href=(format!("{path}?lang={}{joined}", other.word())) { (name) }
    }
}
