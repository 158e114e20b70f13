//! Inspection campaigns: the list of them, a page for each with its units, and the sheet of each unit.
//!
//! Invariant: what a page offers to do is what the reader may do and what the inspection allows; whether it is done is decided where the
//! API's requests are, not here. Of units only those are shown whose sheets the reader may read.

mod forms;

use std::{cmp::Reverse, str::FromStr};

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::{
    CampaignId, SiteId,
    campaign::{
        Campaign, CheckItem, Compliance, FindingState, OVERDUE, Observation, Sheet, SheetAnswer, SheetProgress,
        SheetStep,
    },
};

pub(super) use forms::{act, close, open};

use super::{
    Reader, inspection, layout,
    parts::{self, Mark},
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, body::known, cases_anywhere},
};

/// Inspections of the list, and units of a page; the API has all of them.
const LIST_MAX: usize = 300;

/// The list.
pub(super) async fn list(reader: Reader) -> Response {
    reader.answer(listed(&reader))
}

fn listed(reader: &Reader) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let (open, closed): (Vec<&Campaign>, Vec<&Campaign>) = view.campaigns().take(LIST_MAX).partition(|it| it.is_open());
    let content = html! {
        h1 { (reader.say(text::INSPECTIONS)) span.sub { (open.len()) } }
        p.hint { (reader.say(text::INSPECTIONS_HINT)) }
        (table(reader, &view, &open))
        (forms::opening(reader, &view))
        @if !closed.is_empty() {
            h2 { (reader.say(text::INSPECTIONS_CLOSED)) }
            (table(reader, &view, &closed))
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::INSPECTIONS), "", &content))
}

fn table(reader: &Reader, view: &View, campaigns: &[&Campaign]) -> Markup {
    if campaigns.is_empty() {
        return html! { p.calm { (parts::mark(reader, Mark::Good, text::INSPECTIONS_NONE)) } };
    }
    let columns = [
        text::INSPECTION,
        text::INSPECTION_BY_SITE,
        text::CASE_DUE,
        text::INSPECTION_ANSWERED,
        text::INSPECTION_FINDINGS_OPEN,
        text::CASE_OVERDUE,
    ];
    html! {
        div.scroll { table {
            (parts::head(reader, &columns, 3))
            tbody {
                @for it in campaigns {
                    @let units: Vec<SheetProgress> = view.units_of(it).map(|(_, sheet)| it.progress(sheet, view.now())).collect();
                    @let all = it.plan.checklist.len();
                    tr {
                        th scope="row" { a href=(format!("/inspections/{}", it.id)) { (it.plan.title) } }
                        td { (site(reader, view, it.plan.site)) }
                        td { (parts::moment(it.plan.due)) }
                        td.number { (units.iter().filter(|unit| unit.answered == all).count()) span.of { "/" (units.len()) } }
                        td.number { (units.iter().map(|unit| unit.findings_open).sum::<usize>()) }
                        td.number { (units.iter().filter(|unit| unit.is_overdue).count()) }
                    }
                }
            }
        } }
    }
}

/// How many inspections wait for answers of the reader's own units, for the first page; nothing where none does.
pub(super) fn awaiting(reader: &Reader, view: &View) -> Markup {
    let own = |site: SiteId| view.may(Action::AnswerCases, site) && !view.may(Action::ReviewCases, site);
    let waits = |it: &&Campaign| {
        let all = it.plan.checklist.len();
        let open = |sheet: Option<&Sheet>| {
            sheet.is_none_or(|it| it.answers.len() < all || it.findings.iter().any(|it| it.state == FindingState::Open))
        };
        it.is_open() && view.units_of(it).any(|(site, sheet)| own(site) && open(sheet))
    };
    let count = view.campaigns().filter(waits).count();
    html! {
        @if count > 0 { p.told { a href="/inspections" { (fill(reader.say(text::INSPECTIONS_AWAIT), count)) } } }
    }
}

/// The page of an inspection.
pub(super) async fn page(reader: Reader, Path(id): Path<String>) -> Response {
    reader.answer(made(&reader, &id))
}

fn campaign<'v>(view: &'v View, id: &str) -> Result<&'v Campaign, Problem> {
    CampaignId::from_str(id).ok().and_then(|id| view.campaign(id)).ok_or_else(Problem::not_found)
}

fn made(reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let campaign = campaign(&view, id)?;
    let mut units: Vec<_> =
        view.units_of(campaign).map(|(site, sheet)| (site, campaign.progress(sheet, view.now()))).collect();
    // What is late first, then what is left to be done: what is left lying is seen.
    units.sort_by_key(|(_, it)| (Reverse(it.is_overdue), Reverse(it.findings_open), it.answered));
    let count = units.len();
    units.truncate(LIST_MAX);
    let title = campaign.plan.title.as_str();
    let content = html! {
        (trail(reader, campaign, None))
        h1 { (title) }
        (facts(reader, &view, campaign))
        (forms::closing(reader, &view, campaign))
        h2 { (reader.say(text::INSPECTION_UNITS)) " " span.sub { (count) } }
        (units_table(reader, &view, campaign, &units))
        p.hint { a href=(format!("/api/v1/inspections/{}/answers.csv", campaign.id)) { (reader.say(text::INSPECTION_CSV)) } }
        h2 { (reader.say(text::INSPECTION_CHECKLIST)) }
        div.scroll { table { tbody {
            @for (number, it) in campaign.plan.items() { tr { td.words { (number) ". " (asked(reader, it)) } } }
        } } }
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

fn trail(reader: &Reader, campaign: &Campaign, unit: Option<&str>) -> Markup {
    html! {
        nav.trail aria-label=(reader.say(text::INSPECTIONS)) {
            ol {
                li { a href="/inspections" { (reader.say(text::INSPECTIONS)) } }
                @match unit {
                    None => li aria-current="page" { (campaign.id) },
                    Some(unit) => {
                        li { a href=(format!("/inspections/{}", campaign.id)) { (campaign.plan.title) } }
                        li aria-current="page" { (unit) }
                    }
                }
            }
        }
    }
}

fn facts(reader: &Reader, view: &View, campaign: &Campaign) -> Markup {
    let plan = &campaign.plan;
    // A unit need not see the site that inspects it.
    let inspecting = view.site(plan.site).map(|it| parts::site_link(reader, view, it));
    let mut rows: Vec<_> = inspecting.map(|it| (reader.say(text::INSPECTION_BY_SITE), it)).into_iter().collect();
    rows.extend([
        (reader.say(text::INSPECTION_OPENED), html! { (parts::moment(campaign.opened)) " · " (campaign.by) }),
        (reader.say(text::CASE_DUE), html! { (parts::moment(plan.due)) }),
    ]);
    if let Some(end) = &campaign.closed {
        let closed = html! { (parts::moment(end.time)) " · " (end.by) " · " (end.text) };
        rows.push((reader.say(text::INSPECTION_ENDED), closed));
    }
    parts::facts(&rows)
}

fn units_table(reader: &Reader, view: &View, campaign: &Campaign, units: &[(SiteId, SheetProgress)]) -> Markup {
    let columns = [text::SITE, text::CASE_STATE, text::INSPECTION_ANSWERED, text::INSPECTION_FINDINGS_OPEN];
    let all = campaign.plan.checklist.len();
    html! {
        div.scroll { table {
            (parts::head(reader, &columns, 2))
            tbody {
                @for (id, it) in units {
                    tr {
                        th scope="row" {
                            a href=(format!("/inspections/{}/units/{id}", campaign.id)) { (site_name(reader, view, *id)) }
                        }
                        td { (standing(reader, campaign, it)) }
                        td.number { (it.answered) span.of { "/" (all) } }
                        td.number { (it.findings_open) }
                    }
                }
            }
        } }
    }
}

fn standing(reader: &Reader, campaign: &Campaign, it: &SheetProgress) -> Markup {
    let (all, is_open) = (campaign.plan.checklist.len(), campaign.is_open());
    let (mark, word) = match it {
        SheetProgress { is_overdue: true, .. } => (Mark::Bad, text::CASE_OVERDUE),
        SheetProgress { findings_open: 1.., .. } => (Mark::Warn, text::INSPECTION_TO_MEND),
        SheetProgress { answered, .. } if *answered < all && !is_open => (Mark::Bad, text::INSPECTION_UNANSWERED),
        SheetProgress { answered, .. } if *answered < all => (Mark::Idle, text::INSPECTION_TO_ANSWER),
        _ => (Mark::Good, text::INSPECTION_COMPLETE),
    };
    parts::mark(reader, mark, word)
}

/// The sheet of a unit.
pub(super) async fn unit(reader: Reader, Path((id, site)): Path<(String, String)>) -> Response {
    reader.answer(sheet(&reader, &id, &site))
}

fn sheet(reader: &Reader, id: &str, site: &str) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let campaign = campaign(&view, id)?;
    let unit = view.find_site(site).ok_or_else(Problem::not_found)?;
    let shown = view.units_of(campaign).find(|(it, _)| *it == unit.id).ok_or_else(Problem::not_found)?.1;
    let name = site_name(reader, &view, unit.id);
    let progress = campaign.progress(shown, view.now());
    let content = html! {
        (trail(reader, campaign, Some(&name)))
        h1 { (name) " " (standing(reader, campaign, &progress)) }
        (facts(reader, &view, campaign))
        (findings(reader, &view, campaign, unit.id, shown))
        @for (number, item) in campaign.plan.items() {
            h2 { (number) ". " (asked(reader, item)) }
            (item_section(reader, &view, campaign, unit.id, (number, item), shown))
        }
        @if let Some(sheet) = shown {
            h2 { (reader.say(text::CASE_STORY)) }
            (story(reader, &sheet.steps))
        }
    };
    Ok(layout::page(reader, &view, &name, "", &content))
}

fn item_section(
    reader: &Reader,
    view: &View,
    campaign: &Campaign,
    site: SiteId,
    (number, item): (u16, &CheckItem),
    sheet: Option<&Sheet>,
) -> Markup {
    let now = known(view, item, site);
    let answer = sheet.and_then(|it| it.answers.get(&number));
    html! {
        @if let Some(requirement) = item.requirement { p.hint { (reader.say(inspection::requirement(requirement).1)) } }
        dl.facts.lines {
            @if item.requirement.is_some() { div { dt { (reader.say(text::INSPECTION_KNOWN)) } dd { (observations(reader, &now)) } } }
            div { dt { (reader.say(text::INSPECTION_ANSWER)) } dd {
                @match answer {
                    Some(it) => (answered(reader, it)),
                    None => span.none { (reader.say(text::INSPECTION_TO_ANSWER)) },
                }
            } }
        }
        (forms::of_item(reader, view, campaign, site, number, answer))
    }
}

fn observations(reader: &Reader, all: &[Observation]) -> Markup {
    html! {
        @for it in all {
            div { @if it.is.is_blind() { span.sub { (reader.say(text::INSPECTION_BLIND)) " · " } } (inspection::line(reader, it)) }
        }
    }
}

fn answered(reader: &Reader, it: &SheetAnswer) -> Markup {
    html! {
        div { strong { (reader.say(compliance(it.verdict))) } @if !it.text.is_empty() { " · " (it.text) } }
        @for shown in &it.evidence { div { (reader.say(text::CASE_EVIDENCE)) " · " (shown) } }
        div.sub { (parts::moment(it.time)) " · " (it.by) }
        @if !it.observed.is_empty() {
            details { summary { (reader.say(text::INSPECTION_KNOWN_THEN)) } (observations(reader, &it.observed)) }
        }
    }
}

fn findings(reader: &Reader, view: &View, campaign: &Campaign, site: SiteId, sheet: Option<&Sheet>) -> Markup {
    let all: Vec<_> = (1_u16..).zip(sheet.into_iter().flat_map(|it| &it.findings)).collect();
    html! {
        @if !all.is_empty() {
            h2 { (reader.say(text::INSPECTION_FINDINGS)) " " span.sub { (all.len()) } }
            @for (number, it) in all {
                div.sheet {
                    p {
                        strong { (number) ". " (it.text) } " "
                        @match it.state {
                            FindingState::Open => (parts::mark(reader, Mark::Bad, text::INSPECTION_TO_MEND)),
                            FindingState::Mended => (parts::mark(reader, Mark::Warn, text::INSPECTION_TO_RECHECK)),
                            FindingState::Closed => (parts::mark(reader, Mark::Good, text::INSPECTION_PASSED)),
                        }
                    }
                    p.hint { (fill(reader.say(text::INSPECTION_UNDER_ITEM), it.item)) " · " (reader.say(text::CASE_DUE)) " " (parts::moment(it.due)) }
                    (forms::of_finding(reader, view, campaign, site, number, it.state))
                }
            }
        }
    }
}

fn story(reader: &Reader, steps: &[SheetStep]) -> Markup {
    let columns = [text::TIME, text::CASE_BY, text::CASE_DID, text::INSPECTION_ITEM, text::CASE_SAID];
    html! {
        div.scroll { table {
            (parts::head(reader, &columns, 0))
            tbody {
                @for it in steps {
                    tr {
                        td { (parts::moment(it.time)) }
                        td { (parts::or_dash(Some(&it.by))) }
                        td { (reader.say(did(&it.did))) }
                        td { @if it.item > 0 { (it.item) } @else { (parts::or_dash(None)) } }
                        td.words { (said(reader, &it.text)) }
                    }
                }
            }
        } }
    }
}

/// What a step says; it begins with a word for a verdict where there is one.
fn said(reader: &Reader, text: &str) -> String {
    let (first, rest) = text.split_once(" · ").map_or((text, None), |(first, rest)| (first, Some(rest)));
    let verdict = Compliance::ALL.into_iter().find(|it| it.name() == first).map(compliance);
    let word = verdict.or(match first {
        "passed" => Some(text::INSPECTION_PASSED),
        "not_passed" => Some(text::INSPECTION_NOT_PASSED),
        _ => None,
    });
    let Some(word) = word else { return text.to_owned() };
    [Some(reader.say(word)), rest].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn asked(reader: &Reader, item: &CheckItem) -> Markup {
    let name = item.requirement.map(|it| reader.say(inspection::requirement(it).0));
    html! { @if let Some(name) = name { (name) @if !item.text.is_empty() { " · " } } (item.text) }
}

fn site_name(reader: &Reader, view: &View, id: SiteId) -> String {
    let named = view.site(id).map(|it| parts::site_name(reader.language, it.name(view.now())).into_owned());
    named.unwrap_or_else(|| id.to_string())
}

fn site(reader: &Reader, view: &View, id: SiteId) -> Markup {
    let hidden = || html! { span.none { (reader.say(text::NOT_YOURS)) } };
    view.site(id).map_or_else(hidden, |site| parts::site_link(reader, view, site))
}

const fn compliance(it: Compliance) -> Text {
    match it {
        Compliance::Fulfilled => text::COMPLIANCE_FULFILLED,
        Compliance::Partly => text::COMPLIANCE_PARTLY,
        Compliance::NotFulfilled => text::COMPLIANCE_NOT_FULFILLED,
        Compliance::NotApplicable => text::COMPLIANCE_NOT_APPLICABLE,
    }
}

fn did(name: &str) -> Text {
    match name {
        "find" => text::DID_FIND,
        "mend" => text::DID_MEND,
        "recheck" => text::DID_RECHECK,
        OVERDUE => text::CASE_OVERDUE,
        _ => text::DID_REPLY,
    }
}
