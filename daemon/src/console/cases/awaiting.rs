//! What waits for the answer of the reader's own sites: a unit that was notified, also in a drill, sees it before all else.

use maud::{Markup, html};
use onenet_topology::case::Case;

use crate::{
    access::{Action, View},
    console::{
        Reader,
        text::{self, fill},
    },
};

/// The cases whose notices the reader's own sites have not answered, drills among them: what is due first stands first.
pub(super) fn awaiting(view: &View) -> Vec<&Case> {
    let is_due = |case: &&Case| {
        let own = |to| view.may(Action::AnswerCases, to) && !view.may(Action::ReviewCases, to);
        case.awaiting().into_iter().any(|it| own(it.to))
    };
    let mut cases: Vec<&Case> = view.open_cases().filter(is_due).take(super::LIST_MAX).collect();
    cases.sort_by_key(|it| (it.due, it.id));
    cases
}

/// How many notices wait for an answer of the reader's own sites, for the first page; nothing where none does.
pub(in crate::console) fn brief(reader: &Reader, view: &View) -> Markup {
    let count = awaiting(view).len();
    html! {
        @if count > 0 {
            p.told { a href="/cases" { (fill(reader.say(text::CASES_AWAIT_COUNT), count)) } }
        }
    }
}
