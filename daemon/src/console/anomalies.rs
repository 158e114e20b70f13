//! What detectors found: a list that can be narrowed down, each with the case that people work on.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::incident::Severity;

use super::{
    Reader, cases, fields, layout, parameter, parts, suppressions,
    text::{self, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{AnomaliesWanted, ListedAnomaly, Params, Problem},
};

/// Anomalies of a page; the API has all of them.
const LIST_MAX: usize = 300;

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let wanted = AnomaliesWanted::read(&view, &mut params)?;
    let mut found: Vec<ListedAnomaly<'_>> = wanted.of(&view).collect();
    // The last seen first.
    found.sort_by_cached_key(ListedAnomaly::place);
    let count = found.len();
    found.truncate(LIST_MAX);
    let content = html! {
        h1 { (reader.say(text::ANOMALIES)) span.sub { (count) } }
        (filter(reader, &view))
        p.hint { a href=(detectors_of(reader)) { (reader.say(text::DETECTORS)) } }
        @if count > LIST_MAX { p.hint { (fill(reader.say(text::ANOMALIES_CUT), LIST_MAX)) } }
        @let left_out = wanted.left_out(&view);
        @if left_out > 0 { p.hint { (fill(reader.say(text::ANOMALIES_LEFT_OUT), left_out)) } }
        @if found.is_empty() { p.calm { (reader.say(text::NO_ANOMALIES)) } } @else { (table(reader, &view, &found)) }
    };
    Ok(layout::page(reader, &view, reader.say(text::ANOMALIES), "", &content))
}

/// Where it stands what detectors do: of the site to which the list is narrowed down too.
fn detectors_of(reader: &Reader) -> String {
    let site = parameter(reader.query(), "site").filter(|it| !it.is_empty());
    site.map_or_else(|| "/detectors".to_owned(), |site| format!("/detectors?site={}", crate::api::encode(&site)))
}

/// The form that narrows the list down.
fn filter(reader: &Reader, view: &View) -> Markup {
    let say = |text| reader.say(text);
    let given = |name| parameter(reader.query(), name).unwrap_or_default();
    let (kind, grade, area) = (given("kind"), given("grade"), given("area"));
    html! {
        form.ask action="/anomalies" method="get" {
            div.row {
                label.grow { (say(text::FILTER_SITE)) input type="text" name="site" value=(given("site")) maxlength="100"; }
                label {
                    (say(text::AREA))
                    select name="area" {
                        option value="" { (say(text::ANY)) }
                        @for it in view.areas() {
                            @let id = it.id.to_string();
                            option value=(id) selected[id == area] { (parts::site_name(reader.language, it.name(view.now()))) }
                        }
                    }
                }
                label {
                    (say(text::CASE_KIND))
                    select name="kind" {
                        option value="" { (say(text::ANY)) }
                        (fields::anomaly_kinds(reader, &kind))
                    }
                }
                label {
                    (say(text::ANOMALIES_GRADE_FROM))
                    select name="grade" {
                        option value="" { (say(text::ANY)) }
                        @for it in Severity::ALL {
                            option value=(it.name()) selected[it.name() == grade] { (say(words::severity(it))) }
                        }
                    }
                }
                label { (say(text::SUBJECT)) input type="text" name="subject" value=(given("subject")) maxlength="200"; }
                button type="submit" { (say(text::FILTER)) }
            }
        }
    }
}

fn table(reader: &Reader, view: &View, found: &[ListedAnomaly<'_>]) -> Markup {
    let columns = [
        text::CASE_GRADE,
        text::CASE_KIND,
        text::SUBJECT,
        text::SITE,
        text::CONFIDENCE,
        text::CASE_COUNT,
        text::CASE_FIRST,
        text::CASE_LAST,
        text::CASE_NUMBER,
    ];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody { @for it in found { (row(reader, view, *it)) } }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, ListedAnomaly { site, anomaly, drill }: ListedAnomaly<'_>) -> Markup {
    let case = match drill {
        Some(drill) => drill.case.and_then(|id| view.case(id)),
        None => view.case_of(site, &anomaly.key),
    };
    html! {
        tr {
            td { span class=(format!("grade {}", anomaly.grade.name())) { (reader.say(words::severity(anomaly.grade))) } }
            th scope="row" title=(anomaly.key.kind) {
                (words::case_kind(reader.language, &anomaly.key.kind))
                @if drill.is_some() { " " span.tag { (reader.say(text::CASE_DRILL)) } }
            }
            td.long { code { (words::case_subject(reader.language, &anomaly.key.subject)) } }
            td { (parts::site_link_of(reader, view, site)) }
            td { (anomaly.confidence) " %" }
            td { (anomaly.count) }
            td { (parts::moment(anomaly.first)) }
            td { (parts::moment(anomaly.last)) }
            td {
                @match case {
                    Some(case) => {
                        a href=(format!("/cases/{}", case.id)) { (case.id) } " " (cases::state(reader, case.state))
                        @if let Some(rule) = case.silenced_by { br; (suppressions::named(view, rule)) }
                    }
                    None => span.none { "–" },
                }
            }
        }
    }
}
