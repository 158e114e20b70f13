//! Availability: how much of the time sites and ways were there, by layer, part and day, and the worst sites.

use std::collections::BTreeMap;

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    availability::{Figures, Layer, Quality, Spent},
    coverage::Day,
};

use super::{
    Reader, coverage, layout, parts,
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{AvailabilityAsked, Extent, Params, Problem},
    availability::{PartFigures, Report, SiteFigures, Span, sum},
};

/// Sites that the page lists as the worst.
const WORST_MAX: usize = 20;
/// The unknown part of the time beyond which there is no figure: what is left says nothing of the whole.
const UNKNOWN_MAX: f64 = 0.05;
/// Days of a site's strip: those of a month.
const STRIP_DAYS: i32 = 31;

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let asked = AvailabilityAsked::of(&view, &mut params)?;
    let report = Report::of(&view, extent.sites(&view), asked.span, asked.layer);
    let name = coverage::title(reader, &view, &extent);
    let query = extent.query();
    let Span { from, to } = asked.span;
    let content = html! {
        @if let Extent::Subtree(Some(site)) = extent {
            (parts::trail(reader, &view, site, Some(reader.say(text::AVAILABILITY))))
        }
        h1 { (reader.say(text::AVAILABILITY)) @if let Some(name) = &name { span.sub { (name) } } }
        p.hint { (reader.say(text::AVAILABILITY_HINT)) }
        (months(reader, &view, &query, from))
        @if report.sites.count == 0 {
            p.calm { (reader.say(text::NO_AVAILABILITY)) }
        } @else {
            (by_layer(reader, &report))
            (by_part(reader, &view, &report, extent.top(), from, to))
            (worst(reader, &view, &report))
            h2 { (reader.say(text::BY_DAY)) }
            (by_day(reader, &report))
        }
        p {
            a href=(format!("/api/v1/availability.csv?{query}&from={from}&to={to}")) { (reader.say(text::AS_TABLE)) }
            " · " a href=(format!("/reports/monthly?{query}&month={}", from.month())) { (reader.say(text::MONTHLY_REPORT)) }
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::AVAILABILITY), "", &content))
}

/// Which month is shown, and those beside it.
fn months(reader: &Reader, view: &View, query: &str, from: Day) -> Markup {
    let (shown, now) = (from.month(), Day::of(view.now()).month());
    let address = |first: Day| format!("/availability?{query}&from={first}&to={}", first.end_of_month());
    html! {
        p.hint {
            a href=(address(shown.before().first())) { (shown.before()) }
            " · " strong { (shown) }
            @if shown < now { " · " a href=(address(shown.after().first())) { (shown.after()) } }
            " · " (reader.say(text::LATE_HINT))
        }
    }
}

/// The columns of a table of figures; `of` names what stands in the first one, `count` what is counted in the second.
const fn columns(of: Text, count: Text) -> [Text; 9] {
    [
        of,
        count,
        text::AVAILABILITY,
        text::DOWN_TIME,
        text::UNKNOWN_SHARE,
        text::IN_MAINTENANCE,
        text::PROBE_LOSS,
        text::PROBE_ROUND_TRIP,
        text::PROBE_JITTER,
    ]
}

fn by_layer(reader: &Reader, report: &Report) -> Markup {
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns(text::LAYER, text::HOW_MANY), 1))
                tbody {
                    tr { th scope="row" { (reader.say(text::SITES)) } td.number { (report.sites.count) } (cells(reader, &report.sites.figures)) }
                    @for (layer, part) in &report.layers {
                        tr { th scope="row" { (reader.say(layer_name(*layer))) } td.number { (part.count) } (cells(reader, &part.figures)) }
                    }
                }
            }
        }
    }
}

fn by_part(reader: &Reader, view: &View, report: &Report, top: Option<SiteId>, from: Day, to: Day) -> Markup {
    let mut all = report.parts(view, top);
    let least = |part: &PartFigures| known(&part.sites.figures.spent).unwrap_or(f64::INFINITY);
    all.sort_by(|one, other| least(one).total_cmp(&least(other)));
    if all.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 { (reader.say(text::BELOW)) }
        div.scroll {
            table {
                (parts::head(reader, &columns(text::SITE, text::HOW_MANY), 1))
                tbody {
                    @for part in all {
                        @let name = view.site(part.site).map(|site| parts::site_name(reader.language, site.name(view.now())));
                        tr {
                            th scope="row" {
                                a href=(format!("/availability?site={}&from={from}&to={to}", part.site)) { (name.unwrap_or_default()) }
                            }
                            td.number { (part.sites.count) }
                            @let together = Figures { spent: part.sites.figures.spent, quality: part.ways.figures.quality };
                            (cells(reader, &together))
                        }
                    }
                }
            }
        }
    }
}

/// The sites that were available least; those that were there all the time are not among them.
fn worst(reader: &Reader, view: &View, report: &Report) -> Markup {
    let bad = |site: &&SiteFigures| sum(&site.days).spent.availability().is_some_and(|it| it < 1.0);
    let worst: Vec<_> = report.worst().into_iter().filter(bad).take(WORST_MAX).collect();
    html! {
        h2 { (reader.say(text::WORST_SITES)) }
        @if worst.is_empty() {
            p.calm { (reader.say(text::NO_WORST_SITES)) }
        } @else {
            div.scroll {
                table {
                    (parts::head(reader, &columns(text::SITE, text::DAYS_KNOWN), 1))
                    tbody {
                        @for site in worst {
                            tr {
                                th scope="row" { (parts::site_link_of(reader, view, site.site)) }
                                td.number { (site.days.len()) }
                                (cells(reader, &sum(&site.days)))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn by_day(reader: &Reader, report: &Report) -> Markup {
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns(text::DAY, text::HOW_MANY), 1))
                tbody {
                    @for (day, period) in report.periods.iter().rev() {
                        @let quality = period.layers.values().fold(Quality::default(), |mut sum, it| { sum += it.quality; sum });
                        tr {
                            th scope="row" { (day) }
                            td.number { (parts::or_dash(None)) }
                            (cells(reader, &Figures { spent: period.sites.spent, quality }))
                        }
                    }
                }
            }
        }
    }
}

/// How a site and its ways were in the last month, on its page: a strip of days, and the sums.
pub(super) fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    let to = Day::of(view.now());
    let span = Span { from: Day(to.0.saturating_sub(STRIP_DAYS - 1)), to };
    let maintained = view.maintained(span);
    let Some(figures) = view.availability(site, span, &maintained).filter(|it| !it.days.is_empty()) else {
        return parts::nothing();
    };
    html! {
        h2 {
            (reader.say(text::AVAILABILITY)) " "
            span.sub { (span.from) " – " (span.to) }
        }
        (strip(reader, &figures.days, span))
        div.scroll {
            table {
                (parts::head(reader, &columns(text::WAY_UP, text::DAYS_KNOWN), 1))
                tbody {
                    tr { th scope="row" { (reader.say(text::THIS_SITE)) } td.number { (figures.days.len()) } (cells(reader, &sum(&figures.days))) }
                    @for way in figures.ways.iter().filter(|way| !way.days.is_empty()) {
                        tr {
                            th scope="row" {
                                @match way.parent {
                                    Some(parent) => (parts::site_link_of(reader, view, parent)),
                                    None => (reader.say(layer_name(way.layer))),
                                }
                            }
                            td.number { (way.days.len()) }
                            (cells(reader, &sum(&way.days)))
                        }
                    }
                }
            }
        }
    }
}

/// A day a square: its colour says how it was, its title how much.
fn strip(reader: &Reader, days: &BTreeMap<Day, Figures>, span: Span) -> Markup {
    html! {
        ol.strip {
            @for day in span.days() {
                @let spent = days.get(&day).map(|it| it.spent);
                @let told = spent.map_or_else(|| reader.say(text::NOTHING_WATCHED).to_owned(), |it| {
                    format!("{}, {} {}", available(reader, &it), reader.say(text::UNKNOWN_SHARE), share(it.unknown()))
                });
                li class=(grade(spent)) title=(format!("{day}: {told}")) { span.hidden { (day) ": " (told) } }
            }
        }
    }
}

/// The class of a day's square. A day that is mostly unknown is not called good.
fn grade(spent: Option<Spent>) -> &'static str {
    let Some(spent) = spent else { return "none" };
    match (spent.availability(), spent.unknown()) {
        _ if spent.counted_ms() == 0 => "planned",
        (None, _) => "unknown",
        (Some(available), _) if available < 0.99 => "bad",
        (Some(available), _) if available < 0.9999 => "warn",
        (_, Some(unknown)) if unknown > 0.5 => "unknown",
        _ => "good",
    }
}

fn cells(reader: &Reader, figures: &Figures) -> Markup {
    let Figures { spent, quality } = figures;
    let time = |ms: u64| match ms {
        0 => parts::or_dash(None),
        ms => html! { (parts::duration(reader.language, i64::try_from(ms).unwrap_or(i64::MAX))) },
    };
    let milliseconds = |us: Option<u64>| {
        let text = us.map(|us| format!("{}.{} ms", us / 1_000, us % 1_000 / 100));
        parts::or_dash(text.as_deref())
    };
    html! {
        td.number { (available(reader, spent)) }
        td.number { (time(spent.down_ms)) }
        td.number { (share(spent.unknown())) }
        td.number { (time(spent.maintenance_ms)) }
        td.number { (share(quality.loss())) }
        td.number { (milliseconds(quality.round_trip_us())) }
        td.number { (milliseconds(quality.jitter_us())) }
    }
}

/// Returns the availability, where enough of the time is known to call it one.
pub(super) fn known(spent: &Spent) -> Option<f64> {
    spent.availability().filter(|_| spent.unknown().is_some_and(|unknown| unknown <= UNKNOWN_MAX))
}

/// The availability in words: where too little is known, that, with the known part.
pub(super) fn available(reader: &Reader, spent: &Spent) -> String {
    match (known(spent), spent.unknown()) {
        (None, Some(unknown)) => {
            fill(reader.say(text::TOO_LITTLE_KNOWN), format_args!("{:.1} %", (1.0 - unknown) * 100.0))
        }
        (figure, _) => share(figure),
    }
}

/// A part of a whole in percent, to three digits behind the point and never rounded up to all of it.
pub(super) fn share(ratio: Option<f64>) -> String {
    let Some(ratio) = ratio else { return "–".to_owned() };
    format!("{:.3} %", (ratio * 100_000.0).floor() / 1_000.0)
}

/// The name of a layer.
pub(super) const fn layer_name(layer: Layer) -> Text {
    match layer {
        Layer::MinistryProvince => text::LAYER_MINISTRY_PROVINCE,
        Layer::ProvinceCity => text::LAYER_PROVINCE_CITY,
        Layer::CityCounty => text::LAYER_CITY_COUNTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_of_which_too_little_is_known_is_none() {
        let spent = |up_ms, unknown_ms| Spent { up_ms, unknown_ms, ..Spent::default() };
        assert_eq!(known(&spent(4, 996)), None);
        assert_eq!(known(&spent(949, 51)), None);
        assert_eq!(known(&spent(950, 50)), Some(1.0));
        assert_eq!(known(&spent(0, 0)), None);
    }
}
