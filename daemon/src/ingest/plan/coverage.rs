//! Counting coverage once a day, so that there is a trend to show.
//!
//! Invariant: a site's figures of a day are counted once, at its turn after noon in China, when people work; a site that has
//! none yet is counted at once. They are never counted again: what was known then stays what was known then.

use std::sync::Arc;

use onenet_topology::{
    SiteId, Timestamp,
    coverage::{Day, DayFigures},
};

use super::{Draft, tick::is_turn};
use crate::{
    coverage::{self, DAYS_DEFAULT},
    estate::{Change, Estate},
};

const NOON_MS: i64 = 12 * 3_600_000;

/// Counts the sites whose turn it is and that have no figures of today.
pub(super) fn count(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let existing = draft.next.tree.existing(now).map(|site| site.id);
    let due: Vec<SiteId> = existing.filter(|site| is_turn(*site, now) && is_due(&draft.next, *site, now)).collect();
    for site in due {
        let coverage = coverage::of_site(&draft.next, site, now, DAYS_DEFAULT);
        let mut trend = draft.next.coverage.get(&site).cloned().unwrap_or_default();
        Arc::make_mut(&mut trend).add(DayFigures { day: Day::of(now), coverage });
        draft.put(Change::Covered { site, trend });
    }
}

fn is_due(estate: &Estate, site: SiteId, now: Timestamp) -> bool {
    let today = Day::of(now);
    match estate.coverage.get(&site).and_then(|trend| trend.last_day()) {
        None => true,
        Some(last) => last < today && now.ms_since(today.start()) >= NOON_MS,
    }
}
