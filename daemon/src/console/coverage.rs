//! Coverage: which units are connected, and which of their terminals are known and seen.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    coverage::{Coverage, Terminals, ratio},
};

use super::{
    Reader, layout, parts,
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{Extent, Params, Problem, trend},
    coverage::{DAYS_DEFAULT, Part, Report},
};

// The words for what was seen lately name the days.
const _: () = assert!(DAYS_DEFAULT == 30, "the texts of coverage say 30 days");

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let report = extent.report(&view, &|site| view.coverage(site, DAYS_DEFAULT));
    let name = title(reader, &view, &extent);
    let query = extent.query();
    let content = html! {
        @if let Extent::Subtree(Some(site)) = extent {
            (parts::trail(reader, &view, site, Some(reader.say(text::COVERAGE))))
        }
        h1 { (reader.say(text::COVERAGE)) @if let Some(name) = &name { span.sub { (name) } } }
        p.hint { (fill(reader.say(text::COVERAGE_HINT), DAYS_DEFAULT)) }
        (figures(reader, &report.whole, site_query(&extent).as_deref()))
        @if report.whole.terminals.registered == 0 { p.calm { (reader.say(text::NO_ASSETS)) } }
        (by_part(reader, &view, &report))
        p {
            a href=(format!("/api/v1/coverage.csv?{query}")) { (reader.say(text::AS_TABLE)) }
            " · " a href=(format!("/reports/monthly?{query}")) { (reader.say(text::MONTHLY_REPORT)) }
            " · " a href=(format!("/reports/inspection?{query}")) { (reader.say(text::INSPECTION_REPORT)) }
        }
        h2 { (reader.say(text::TREND)) }
        (trend_table(reader, &view, &extent))
    };
    Ok(layout::page(reader, &view, reader.say(text::COVERAGE), "", &content))
}

/// The name of what figures are of; `None` where it is everything.
pub(super) fn title(reader: &Reader, view: &View, extent: &Extent) -> Option<String> {
    let name = match extent {
        Extent::Subtree(root) => view.site((*root)?)?.name(view.now()),
        Extent::Area(area) => view.area(*area)?.name(view.now()),
    };
    Some(parts::site_name(reader.language, name).into_owned())
}

/// Lists of assets and endpoints are of a site and those below it: of an area there is no list.
fn site_query(extent: &Extent) -> Option<String> {
    match extent {
        Extent::Subtree(Some(site)) => Some(format!("&site={site}")),
        Extent::Subtree(None) => Some(String::new()),
        Extent::Area(_) => None,
    }
}

/// The figures of one site on its page: a line, where there is anything to say.
pub(super) fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    let Some(coverage) = view.coverage(site, DAYS_DEFAULT).filter(|it| it.terminals != Terminals::default()) else {
        return parts::nothing();
    };
    let it = coverage.terminals;
    html! {
        p.hint {
            a href=(format!("/coverage?site={site}")) { (reader.say(text::COVERAGE)) } ": "
            (reader.say(text::TERMINALS_SEEN)) " " (parts::of_all(it.seen, it.registered))
            @for (word, count, address) in [
                (text::TERMINALS_SILENT, it.silent, format!("/assets?site={site}&standing=silent")),
                (text::TERMINALS_NEVER_SEEN, it.never_seen, format!("/assets?site={site}&standing=never_seen")),
                (text::UNREGISTERED, it.unregistered, format!("/endpoints?site={site}&registered=false&class=pc")),
            ] {
                @if count > 0 { " · " a href=(address) { (reader.say(word)) " " (count) } }
            }
        }
    }
}

fn figures(reader: &Reader, whole: &Coverage, lists: Option<&str>) -> Markup {
    let Coverage { units, terminals } = *whole;
    let figure = |name: Text, value: Markup, note: Markup| {
        html! { div.figure { dt { (reader.say(name)) } dd { (value) } dd.note { (note) } } }
    };
    let listed = |count: u32, address: &str| match lists {
        Some(site) if count > 0 => html! { a href=(format!("{address}{site}")) { (count) } },
        _ => html! { (count) },
    };
    let unknown = terminals.unregistered_unclassified;
    html! {
        dl.figures {
            (figure(text::SITES_ATTACHED, parts::of_all(units.attached, units.planned), share(ratio(units.attached, units.planned))))
            (figure(text::SITES_REACHABLE, parts::of_all(units.reachable, units.planned), share(ratio(units.reachable, units.planned))))
            (figure(text::TERMINALS_SEEN, parts::of_all(terminals.seen, terminals.registered), share(ratio(terminals.seen, terminals.registered))))
            (figure(text::TERMINALS_SILENT, listed(terminals.silent, "/assets?standing=silent"), parts::nothing()))
            (figure(text::TERMINALS_NEVER_SEEN, listed(terminals.never_seen, "/assets?standing=never_seen"), parts::nothing()))
            (figure(text::UNREGISTERED, listed(terminals.unregistered, "/endpoints?registered=false&class=pc"), html! {
                @if unknown > 0 { (fill(reader.say(text::UNREGISTERED_UNKNOWN), unknown)) }
            }))
        }
    }
}

/// A part of a whole in percent, to one digit behind the point.
pub(super) fn share(ratio: Option<f64>) -> Markup {
    let text = ratio.map(|ratio| format!("{:.1} %", ratio * 100.0));
    parts::or_dash(text.as_deref())
}

/// The columns of a table of figures; `of` names what stands in the first one.
const fn columns(of: Text) -> [Text; 10] {
    [
        of,
        text::SITES_ATTACHED,
        text::SITES_REACHABLE,
        text::TERMINALS_REGISTERED,
        text::SEEN_SHARE,
        text::SHARE,
        text::TERMINALS_SILENT,
        text::TERMINALS_NEVER_SEEN,
        text::TERMINALS_STRAYED,
        text::UNREGISTERED,
    ]
}

fn by_part(reader: &Reader, view: &View, report: &Report) -> Markup {
    let columns = columns(text::SITE);
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    @if let Some(own) = &report.own { (part_row(reader, view, own, Some(text::THIS_SITE_ALONE))) }
                    @for part in &report.parts { (part_row(reader, view, part, None)) }
                }
                tfoot { tr { th scope="row" { (reader.say(text::WHOLE)) } (cells(&report.whole)) } }
            }
        }
    }
}

fn part_row(reader: &Reader, view: &View, part: &Part, note: Option<Text>) -> Markup {
    let name = view.site(part.site).map(|site| parts::site_name(reader.language, site.name(view.now())));
    html! {
        tr {
            th scope="row" {
                @let name = name.as_deref().unwrap_or_default();
                @match note {
                    Some(note) => { (name) " " span.none { (reader.say(note)) } },
                    None => a href=(format!("/coverage?site={}", part.site)) { (name) },
                }
            }
            (cells(&part.coverage))
        }
    }
}

fn cells(coverage: &Coverage) -> Markup {
    let Coverage { units, terminals: it } = *coverage;
    let number = |count: u32| html! { td.number { @if count > 0 { (count) } @else { span.none { "–" } } } };
    html! {
        td.number { (parts::of_all(units.attached, units.planned)) }
        td.number { (parts::of_all(units.reachable, units.planned)) }
        (number(it.registered))
        td.number { (share(ratio(it.seen, it.registered))) }
        td.bar { @if it.registered > 0 { meter aria-hidden="true" min="0" max=(it.registered) value=(it.seen) {} } }
        (number(it.silent))
        (number(it.never_seen))
        (number(it.strayed))
        (number(it.unregistered))
    }
}

fn trend_table(reader: &Reader, view: &View, extent: &Extent) -> Markup {
    let days = trend(view, extent);
    if days.len() < 2 {
        return html! { p.calm { (reader.say(text::NO_TREND)) } };
    }
    let columns = columns(text::DAY);
    html! {
        p.hint { (reader.say(text::TREND_HINT)) }
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody { @for (day, (_, coverage)) in days.iter().rev() { tr { th scope="row" { (day) } (cells(coverage)) } } }
            }
        }
    }
}
