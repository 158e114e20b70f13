//! What metrics tell of cases: how many there are, how old, how late, and how soon they are taken up.
//!
//! Invariant: the labels are grades, states and verdicts. Drills are in none of the figures.

use std::collections::BTreeMap;

use onenet_topology::{
    case::{Case, CaseState, CaseVerdict},
    incident::Severity,
};

use super::{names, page::Families};
use crate::access::View;

/// How far back, in milliseconds, it counts how soon cases were taken up.
const TAKEN_UP_MS: i64 = 30 * 86_400_000;

/// Adds the figures of the cases of sites whose metrics may be read.
pub(super) fn cases(families: &mut Families, view: &View) {
    let all: Vec<&Case> = view.cases_counted().filter(|case| !case.key.drill).collect();
    let now = view.now();
    for grade in Severity::ALL {
        let of_grade = || all.iter().filter(move |case| case.grade == grade);
        let open = || of_grade().filter(|case| case.is_open());
        for state in CaseState::NAMES.into_iter().filter(|state| *state != "closed") {
            let count = of_grade().filter(|case| case.state.name() == state).count();
            families.add(names::CASES, &[grade.name(), state], number(count));
        }
        let overdue = open().filter(|case| case.is_overdue(now)).count();
        families.add(names::CASES_OVERDUE, &[grade.name()], number(overdue));
        let oldest = open().map(|case| case.age_ms(now)).max().unwrap_or_default();
        families.add(names::CASE_OLDEST, &[grade.name()], seconds(oldest));
        let recent = of_grade().filter(|case| now.ms_since(case.opened) < TAKEN_UP_MS);
        if let Some(median) = median(recent.filter_map(|case| case.acknowledged_after_ms()).collect()) {
            families.add(names::CASE_TAKEN_UP, &[grade.name()], seconds(median));
        }
    }
    let mut closed: BTreeMap<CaseVerdict, usize> = BTreeMap::new();
    for verdict in all.iter().filter_map(|case| case.state.verdict()) {
        *closed.entry(verdict).or_default() += 1;
    }
    for verdict in CaseVerdict::ALL.into_iter().filter(|verdict| *verdict != CaseVerdict::Drill) {
        let count = closed.get(&verdict).copied().unwrap_or_default();
        families.add(names::CASES_CLOSED, &[verdict.name()], number(count));
    }
}

fn median(mut times: Vec<i64>) -> Option<i64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}
