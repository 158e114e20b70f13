//! The inspection report (检查报告): for each monitoring requirement of the third grade (GB/T 22239-2019) what onenet saw, since when, and where it
//! is blind. Made to be printed.
//!
//! Invariant: what nobody tells of is blind, and never fulfilled: a site counts for a requirement only while an agent that is heard tells that
//! what watches for it ran. It does not judge whether a unit passes: that is the inspector's.

mod requirements;

use axum::response::Response;
use maud::{Markup, html};

use self::requirements::{Requirement, requirements};
use super::{
    Reader, coverage, layout, parts,
    text::{self, fill},
};
use crate::{
    access::Action,
    api::{Extent, Params, Problem},
};

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let sites = extent.members(&view);
    let name = coverage::title(reader, &view, &extent);
    let title = fill(reader.say(text::INSPECTION_TITLE), name.as_deref().unwrap_or_default()).trim().to_owned();
    let content = html! {
        h1 { (title) }
        p.hint { (reader.say(text::PRINTED)) " " (parts::moment(view.now())) " · " (sites.len()) " " (reader.say(text::SITES)) }
        p.hint { (reader.say(text::INSPECTION_HINT)) }
        @for it in &requirements(reader, &view, &sites) { (section(reader, it)) }
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

fn section(reader: &Reader, requirement: &Requirement) -> Markup {
    let since = requirement.since.map(parts::moment);
    html! {
        h2 { (reader.say(requirement.name)) }
        p.hint { (reader.say(requirement.asks)) }
        (parts::facts(&[
            (reader.say(text::INSPECTION_SAW), list(&requirement.saw)),
            (reader.say(text::INSPECTION_SINCE), parts::or_dash(since.as_deref())),
            (reader.say(text::INSPECTION_BLIND), list(&requirement.blind)),
        ]))
    }
}

fn list(lines: &[String]) -> Markup {
    html! {
        @if lines.is_empty() { (parts::or_dash(None)) } @else {
            @for line in lines { div { (line) } }
        }
    }
}
