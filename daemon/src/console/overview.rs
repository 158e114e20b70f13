//! The first page: the tree of sites with their state.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    Reader, cases, incidents, inspections, layout,
    parts::{self, Mark},
    text::{self, Text, fill},
    troubles::attention,
};
use crate::{
    access::{Action, View},
    api::{
        App, Problem,
        body::{Counts, TreeBody},
    },
};

/// Sites up to which the tree is shown whole; beyond that, two levels of it.
const WHOLE_TREE_MAX: usize = 300;

/// The page.
pub(super) async fn page(State(_): State<Arc<App>>, reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadSites)?;
    let mut roots: Vec<TreeBody> = view.roots().into_iter().map(|site| TreeBody::of(&view, site)).collect();
    // What is real stands before what is simulated.
    roots.sort_by_key(|root| root.site.demo);
    let total = roots.iter().fold(Counts::default(), |sum, root| sum.plus(root.counts_below));
    let sites: usize = roots.iter().map(size).sum();
    let depth_max = if sites <= WHOLE_TREE_MAX { usize::MAX } else { 1 };
    let content = html! {
        h1 { (reader.say(text::OVERVIEW)) }
        (cases::awaiting_brief(reader, &view))
        (inspections::awaiting(reader, &view))
        @if roots.is_empty() {
            p.calm { (reader.say(text::NO_SITES)) }
        } @else {
            // Who may not read any inventory is shown no zeros for it.
            (figures(reader, roots.iter().any(is_readable).then_some(&total), sites))
            (incidents::overview(reader, &view))
            (tree(reader, &view, &roots, depth_max))
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::OVERVIEW), "", &content))
}

fn size(tree: &TreeBody) -> usize {
    1 + tree.children.iter().map(size).sum::<usize>()
}

/// Returns whether the reader may read the inventory of a site or of one below it.
fn is_readable(tree: &TreeBody) -> bool {
    tree.site.counts.is_some() || tree.children.iter().any(is_readable)
}

/// The sums over everything that the reader sees; dashes where he may not see any inventory.
pub(super) fn figures(reader: &Reader, counts: Option<&Counts>, sites: usize) -> Markup {
    let may_read = counts.is_some();
    let counts = &counts.copied().unwrap_or_default();
    let figure = |name, value: Markup, note: Markup| {
        html! { div.figure { dt { (reader.say(name)) } dd { (value) } dd.note { (note) } } }
    };
    let attention = attention(counts);
    let some = |counts: &[(u32, Text)]| {
        let there = counts.iter().filter(|(count, _)| *count > 0);
        there.map(|(count, word)| format!("{count} {}", reader.say(*word))).collect::<Vec<_>>().join(" · ")
    };
    let silent = some(&[(counts.agents_silent, text::SILENT), (counts.agents_never_heard, text::NEVER_HEARD)]);
    let troubled = some(&[
        (counts.devices_down, text::DOWN),
        (counts.devices_degraded, text::DEGRADED),
        (counts.devices_unknown, text::UNKNOWN),
    ]);
    let past = some(&[(counts.endpoints_past, text::PAST)]);
    html! {
        dl.figures {
            (figure(text::SITES, html! { (sites) }, parts::nothing()))
            (figure(text::AGENTS, parts::of_all(counts.agents_connected, counts.agents()), html! {
                @if counts.agents() > 0 && silent.is_empty() { (reader.say(text::CONNECTED)) } @else { (silent) }
            }))
            (figure(text::DEVICES_ANSWERING, parts::of_all(counts.devices_up, counts.devices()), html! { (troubled) }))
            @if may_read {
                (figure(text::ENDPOINTS, html! { (counts.endpoints_present) }, html! { (past) }))
                (figure(text::NEEDS_ATTENTION, html! {
                    @if attention > 0 { span.attention { (attention) } } @else { "0" }
                }, parts::nothing()))
            } @else {
                (figure(text::ENDPOINTS, parts::or_dash(None), parts::nothing()))
                (figure(text::NEEDS_ATTENTION, parts::or_dash(None), parts::nothing()))
            }
        }
    }
}

/// A table of sites, each with its sums.
pub(super) fn tree(reader: &Reader, view: &View, roots: &[TreeBody], depth_max: usize) -> Markup {
    let mut rows = Vec::new();
    for root in roots {
        flatten(view, root, 0, depth_max, &mut rows);
    }
    html! {
        div.scroll {
            table.tree {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::SITE)) }
                        th.wide scope="col" { (reader.say(text::TIER)) }
                        th.wide scope="col" { (reader.say(text::CODE)) }
                        th.number.wide scope="col" { (reader.say(text::AGENTS)) }
                        th.number scope="col" { (reader.say(text::DEVICES_ANSWERING)) }
                        th.number scope="col" { (reader.say(text::ENDPOINTS)) }
                        th.number scope="col" { (reader.say(text::NEEDS_ATTENTION)) }
                    }
                }
                tbody { @for it in &rows { (row(reader, view, it, depth_max)) } }
            }
        }
        p.hint { (reader.say(text::WITH_SUBTREE)) }
    }
}

/// A row of the table of sites.
struct Row<'t> {
    tree: &'t TreeBody,
    depth: usize,
    /// How the site itself stands.
    mark: Mark,
    /// Sites below it that are in trouble.
    troubled_below: usize,
}

/// Adds the rows of a tree down to `depth_max`; returns how many of all its sites are in trouble.
fn flatten<'t>(view: &View, tree: &'t TreeBody, depth: usize, depth_max: usize, rows: &mut Vec<Row<'t>>) -> usize {
    let mark = own_mark(view, tree);
    let at = (depth <= depth_max).then_some(rows.len());
    if at.is_some() {
        rows.push(Row { tree, depth, mark, troubled_below: 0 });
    }
    let below = tree.children.iter().map(|child| flatten(view, child, depth + 1, depth_max, rows)).sum();
    if let Some(row) = at.and_then(|at| rows.get_mut(at)) {
        row.troubled_below = below;
    }
    // Of a site whose inventory may not be read nobody says that it is in trouble.
    let troubled = tree.site.counts.is_some() && matches!(mark, Mark::Bad | Mark::Warn | Mark::Unknown);
    below + usize::from(troubled)
}

fn own_mark(view: &View, tree: &TreeBody) -> Mark {
    let Some((counts, site)) = tree.site.counts.as_ref().zip(tree.site.id.parse().ok()) else { return Mark::Unknown };
    // One that was revoked had been attached all the same.
    let enrolled = view.agents_of(site).next().is_some();
    Mark::of_site(view.site_state(site), enrolled, counts)
}

fn row(reader: &Reader, view: &View, row: &Row<'_>, depth_max: usize) -> Markup {
    let Row { tree, depth, mark, troubled_below } = *row;
    let counts = &tree.counts_below;
    let site = tree.site.id.parse().ok().and_then(|id| view.site(id));
    let name = site.map(|site| parts::site_name(reader.language, site.name(view.now())));
    let tier = site.map(|site| parts::tier(reader, view, site));
    let below = size(tree) - 1;
    let attention = attention(counts);
    let troubled = fill(reader.say(text::TROUBLED_BELOW), troubled_below);
    html! {
        tr {
            th scope="row" class=(format!("site depth-{}", depth.min(5))) {
                (parts::dot(reader, mark))
                a href=(format!("/sites/{}", tree.site.id)) { (name.as_deref().unwrap_or(&tree.site.code)) }
                @if troubled_below > 0 {
                    " " span.troubled title=(troubled) {
                        span aria-hidden="true" { "▾ " (troubled_below) } span.hidden { (troubled) }
                    }
                }
                @if depth >= depth_max && below > 0 { " " span.below { (fill(reader.say(text::SITES_BELOW), below)) } }
            }
            td.wide { (parts::or_dash(tier)) }
            td.code.wide { (tree.site.code) }
            td.number.wide { (parts::of_all(counts.agents_connected, counts.agents())) }
            td.number { (parts::of_all(counts.devices_up, counts.devices())) }
            td.number { @if counts.endpoints_present > 0 { (counts.endpoints_present) } @else { span.none { "–" } } }
            td.number { @if attention > 0 { strong.attention { (attention) } } @else { span.none { "–" } } }
        }
    }
}
