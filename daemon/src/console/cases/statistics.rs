//! Figures of cases and notices: by grade, kind, month, part of the network, area or unit.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    case::{CaseFigures, CaseGrouping},
    incident::Severity,
};

use super::super::{
    Reader, coverage, layout, parts,
    text::{self, Text},
    words,
};
use crate::{
    access::View,
    api::{Group, Params, Problem, StatisticsWanted, cases_anywhere},
};

/// The page.
pub(in super::super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let wanted = StatisticsWanted::read(&view, &mut params)?;
    let (rows, total) = wanted.count(&view);
    let name = coverage::title(reader, &view, &wanted.extent);
    let query = wanted.extent.query();
    let address = |by: CaseGrouping| {
        let extent = if query.is_empty() { String::new() } else { format!("&{query}") };
        format!("/cases/statistics?by={}{extent}", by.name())
    };
    let content = html! {
        nav.trail aria-label=(reader.say(text::CASES)) {
            ol {
                li { a href="/cases" { (reader.say(text::CASES)) } }
                li aria-current="page" { (reader.say(text::CASE_STATISTICS)) }
            }
        }
        h1 { (reader.say(text::CASE_STATISTICS)) @if let Some(name) = name { span.sub { (name) } } }
        p.hint { (reader.say(text::CASE_STATISTICS_HINT)) }
        p.hint {
            @for (at, by) in CaseGrouping::ALL.into_iter().enumerate() {
                @if at > 0 { " · " }
                @if by == wanted.by { strong { (reader.say(grouping(by))) } }
                @else { a href=(address(by)) { (reader.say(grouping(by))) } }
            }
        }
        (table(reader, &view, wanted.by, rows.iter().collect(), &total))
    };
    Ok(layout::page(reader, &view, reader.say(text::CASE_STATISTICS), "", &content))
}

const fn grouping(by: CaseGrouping) -> Text {
    match by {
        CaseGrouping::Grade => text::CASE_GRADE,
        CaseGrouping::Kind => text::CASE_KIND,
        CaseGrouping::Month => text::MONTH,
        CaseGrouping::Site => text::SITE,
        CaseGrouping::Area => text::AREA,
        CaseGrouping::Unit => text::UNIT,
        CaseGrouping::UnitMonth => text::UNIT_MONTH,
    }
}

fn table(
    reader: &Reader,
    view: &View,
    by: CaseGrouping,
    rows: Vec<(&Group, &CaseFigures)>,
    total: &CaseFigures,
) -> Markup {
    let columns = [
        grouping(by),
        text::CASES_OPENED,
        text::CASES_OPEN,
        text::CASE_OVERDUE,
        text::CASES_ESCALATED,
        text::VERDICT_TRUE,
        text::VERDICT_BENIGN,
        text::VERDICT_FALSE,
        text::CASES_TAKEN_UP_WITHIN,
        text::CASES_CLOSED_WITHIN,
        text::NOTICES_SENT,
        text::NOTICES_IN_TIME,
        text::NOTICES_LATE,
        text::NOTICES_UNANSWERED,
    ];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    @for (group, figures) in rows {
                        tr { th scope="row" { (named(reader, view, by, group)) } (cells(reader, figures)) }
                    }
                    tr { th scope="row" { (reader.say(text::CASES_ALL)) } (cells(reader, total)) }
                }
            }
        }
    }
}

fn named(reader: &Reader, view: &View, by: CaseGrouping, group: &Group) -> Markup {
    let grade = Severity::ALL.into_iter().find(|it| by == CaseGrouping::Grade && it.name() == group.key);
    html! {
        @match by {
            CaseGrouping::Kind => (words::case_kind(reader.language, &group.key)),
            CaseGrouping::Site | CaseGrouping::Unit => {
                @match group.key.parse::<SiteId>() {
                    Ok(site) => (parts::site_link_of(reader, view, site)),
                    Err(_) => (group.name),
                }
            }
            CaseGrouping::Area => {
                @match view.areas().find(|it| it.id.to_string() == group.key) {
                    Some(area) => (parts::site_name(reader.language, area.name(view.now()))),
                    None => (group.name),
                }
            }
            _ => (grade.map_or(group.name.as_str(), |it| reader.say(words::severity(it)))),
        }
    }
}

fn cells(reader: &Reader, figures: &CaseFigures) -> Markup {
    let [found_true, benign, found_false] = figures.closed;
    let span = |ms: Option<i64>| ms.map(|ms| parts::span(reader.language, ms));
    html! {
        @for number in [figures.opened, figures.open, figures.overdue, figures.escalated, found_true, benign, found_false] {
            td.number { (number) }
        }
        td.number { (parts::or_dash(span(figures.acknowledged_after_ms(50)).as_deref())) }
        td.number { (parts::or_dash(span(figures.closed_after_ms(50)).as_deref())) }
        @let it = figures.notices;
        @for number in [it.sent, it.in_time, it.late, it.unanswered] { td.number { (number) } }
    }
}
