//! `[cases]` and `[detection]`: by when things that are to be done about cases are due, and what the centre makes cases of itself.
//!
//! Invariant: what is graver is never due later.

use onenet_config::{Scalar, Section};
use onenet_topology::case::{DEADLINE_MS, Deadlines};

use super::number;
use crate::ingest::Concluding;

const MINUTE_MS: i64 = 60_000;

/// Reads the section; what it does not say has a default.
pub(super) fn deadlines(mut section: Section<'_>) -> Deadlines {
    let defaults = Deadlines::default();
    let mut minutes = |key, default| by_grade(&mut section, key, default);
    let deadlines = Deadlines {
        acknowledge: minutes("acknowledge_min", defaults.acknowledge),
        answer: minutes("answer_min", defaults.answer),
        judge: minutes("judge_min", defaults.judge),
        close: minutes("close_min", defaults.close),
        level: minutes("level_min", defaults.level),
    };
    section.finish();
    deadlines
}

/// Reads from what on the centre concludes something itself.
pub(super) fn concluding(mut section: Section<'_>) -> Concluding {
    let defaults = Concluding::default();
    let count = |found: Option<u64>, default| found.and_then(|it| usize::try_from(it).ok()).unwrap_or(default);
    let clone = number(&mut section, "clone_min", 10..=1_440, "minutes");
    let concluding = Concluding {
        worm_sites: count(number(&mut section, "worm_sites", 2..=100, "sites"), defaults.worm_sites),
        unregistered_max: count(
            number(&mut section, "unregistered_max", 1..=1_000, "terminals"),
            defaults.unregistered_max,
        ),
        hub_endpoints: count(number(&mut section, "hub_endpoints", 2..=100, "machines"), defaults.hub_endpoints),
        clone_ms: clone.and_then(|it| i64::try_from(it).ok()).map_or(defaults.clone_ms, |it| it * MINUTE_MS),
    };
    section.finish();
    concluding
}

/// Reads minutes for each grade: general, considerable, major, extraordinary.
fn by_grade(section: &mut Section<'_>, key: &'static str, default: [i64; 4]) -> [i64; 4] {
    let (least, most) = (DEADLINE_MS.start() / MINUTE_MS, DEADLINE_MS.end() / MINUTE_MS);
    let remedy = format!(
        "write four whole numbers of minutes from {least} to {most}, for general, considerable, major and extraordinary, none greater \
         than the one before"
    );
    let Some(found) = section.scalars(key) else { return default };
    let number = |value: &Scalar<'_>| match value {
        Scalar::Integer(number) => number.checked_mul(MINUTE_MS).filter(|ms| DEADLINE_MS.contains(ms)),
        Scalar::Text(_) => None,
    };
    let read: Option<Vec<i64>> = found.iter().map(|found| number(&found.value)).collect();
    let read = read.and_then(|read| <[i64; 4]>::try_from(read).ok());
    let Some(read) = read.filter(|read| read.is_sorted_by(|before, after| before >= after)) else {
        section.note(key, "cannot be used", remedy);
        return default;
    };
    read
}
