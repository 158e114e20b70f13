//! The monthly report for management: how far the network is covered and was available, the incidents and the cases, held against the month before. Made to be printed.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::coverage::{Coverage, Month, Terminals, ratio};

use super::{
    Reader, coverage, layout, month as figures_of_month, parts,
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{Extent, Params, Problem},
    coverage::Report,
};

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let month = params.parsed::<Month>("month")?.unwrap_or(Month::of(view.now()));
    let [this, before] = [month, month.before()].map(|month| extent.of_month(&view, month));
    let figures = [month, month.before()].map(|month| extent.figures_of_month(&view, month));
    let query = extent.query();
    let name = coverage::title(reader, &view, &extent);
    let title = letterhead(reader, &view, name.as_deref(), month);
    let address = |month: Month| format!("/reports/monthly?{query}&month={month}");
    let content = html! {
        h1 { (title) }
        p.hint {
            a href=(address(month.before())) { (month.before()) }
            @if month < Month::of(view.now()) { " · " a href=(address(month.after())) { (month.after()) } }
            " · " (reader.say(text::PRINTED)) " " (parts::moment(view.now()))
        }
        @if this.whole == Coverage::default() {
            p.calm { (reader.say(text::MONTH_WITHOUT_FIGURES)) }
        } @else {
            p.hint { (reader.say(text::MONTHLY_HINT)) }
            (comparison(reader, &this.whole, &before.whole))
            h2 { (reader.say(text::BELOW)) }
            (by_part(reader, &view, &this, &before))
        }
        (figures_of_month::availability(reader, &view, &figures[0], &figures[1]))
        (figures_of_month::incidents(reader, &view, &figures[0], &figures[1]))
        (figures_of_month::cases(reader, &figures[0], &figures[1]))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

/// The title of the report: whose, and of which month. Of everything it is the unit's at the top, where there is one.
fn letterhead(reader: &Reader, view: &View, name: Option<&str>, month: Month) -> String {
    let top = || match view.roots().as_slice() {
        [one] => Some(parts::site_name(reader.language, one.name(view.now())).into_owned()),
        _ => None,
    };
    let name = name.map(str::to_owned).or_else(top).unwrap_or_default();
    let (month, said) = (month.to_string(), fill(reader.say(text::MONTHLY_TITLE), name));
    let (year, number) = month.split_once('-').unwrap_or((month.as_str(), ""));
    fill(&fill(&said, year), number).trim().to_owned()
}

/// Each figure of this month beside that of the month before.
fn comparison(reader: &Reader, this: &Coverage, before: &Coverage) -> Markup {
    let counted = *before != Coverage::default();
    let row = |name: Text, of: fn(&Coverage) -> u32| {
        let (now, then) = (of(this), of(before));
        html! {
            tr {
                th scope="row" { (reader.say(name)) }
                td.number { @if counted { (then) } @else { (parts::or_dash(None)) } }
                td.number { (now) }
                td.number { @if counted { (difference(now, then)) } @else { (parts::or_dash(None)) } }
            }
        }
    };
    let columns = [text::NAME, text::MONTH_BEFORE, text::THIS_MONTH, text::CHANGE];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    (row(text::SITES, |it| it.units.planned))
                    (row(text::SITES_ATTACHED, |it| it.units.attached))
                    (row(text::SITES_REACHABLE, |it| it.units.reachable))
                    (row(text::TERMINALS_REGISTERED, |it| it.terminals.registered))
                    (row(text::TERMINALS_SEEN, |it| it.terminals.seen))
                    (row(text::TERMINALS_SILENT, |it| it.terminals.silent))
                    (row(text::TERMINALS_NEVER_SEEN, |it| it.terminals.never_seen))
                    (row(text::TERMINALS_STRAYED, |it| it.terminals.strayed))
                    (row(text::UNREGISTERED, |it| it.terminals.unregistered))
                }
            }
        }
    }
}

pub(super) fn difference(now: u32, then: u32) -> String {
    let difference = i64::from(now) - i64::from(then);
    if difference == 0 { "0".to_owned() } else { format!("{difference:+}") }
}

/// The parts, those first of which the smallest part of the terminals is seen.
fn by_part(reader: &Reader, view: &View, this: &Report, before: &Report) -> Markup {
    let seen = |terminals: &Terminals| ratio(terminals.seen, terminals.registered);
    let mut parts_of: Vec<_> = this.own.iter().chain(&this.parts).collect();
    parts_of.sort_by(|one, two| {
        let key = |it: &Coverage| seen(&it.terminals).unwrap_or(f64::INFINITY);
        key(&one.coverage).total_cmp(&key(&two.coverage))
    });
    let columns = [
        text::SITE,
        text::TERMINALS_REGISTERED,
        text::MONTH_BEFORE,
        text::THIS_MONTH,
        text::UNREGISTERED,
        text::CHANGE,
    ];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 1))
                tbody {
                    @for part in parts_of {
                        @let then = before.own.iter().chain(&before.parts).find(|it| it.site == part.site);
                        @let then = then.map(|it| it.coverage.terminals).filter(|_| before.whole != Coverage::default());
                        @let now = part.coverage.terminals;
                        tr {
                            th scope="row" { (parts::site_link_of(reader, view, part.site)) }
                            td.number { (now.registered) }
                            td.number { (coverage::share(then.as_ref().and_then(seen))) }
                            td.number { (coverage::share(seen(&now))) }
                            td.number { (now.unregistered) }
                            td.number {
                                @match then {
                                    Some(then) => (difference(now.unregistered, then.unregistered)),
                                    None => (parts::or_dash(None)),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
