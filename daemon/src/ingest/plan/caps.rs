//! Caps of what has to be kept: cases and inspections, for 190 days after they were closed.
//!
//! Invariant: no cap lets go what is younger than that, or open: what is over stays, and is warned of from nine tenths on, once an hour and by
//! `onenet_kept_ratio`.

use super::Draft;
use crate::estate::Estate;

/// How long, in milliseconds, closed things are kept at least: as long as the audit trail (GB/T 22239-2019 asks for six months).
pub(super) const KEPT_MS: i64 = 190 * 86_400_000;
/// Cases that are kept whatever their age; beyond that, closed ones that are old enough give way.
pub(super) const CASES_MAX: usize = 50_000;
/// Campaigns that are kept whatever their age; beyond that, closed ones that are old enough give way.
pub(super) const CAMPAIGNS_MAX: usize = 1_000;

const HOUR_MS: i64 = 3_600_000;

/// How full something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// What is kept.
    pub what: &'static str,
    /// How many there are.
    pub held: usize,
    /// From how many on old ones give way.
    pub max: usize,
}

impl Cap {
    /// Returns whether it is nearly reached.
    pub const fn is_near(&self) -> bool {
        self.held.saturating_mul(10) >= self.max.saturating_mul(9)
    }
}

/// Returns how full everything is that has to be kept.
pub fn caps(estate: &Estate) -> [Cap; 2] {
    [
        Cap { what: "cases", held: estate.cases.all.len(), max: CASES_MAX },
        Cap { what: "inspections", held: estate.campaigns.all.len(), max: CAMPAIGNS_MAX },
    ]
}

/// Warns of what is nearly full, with the first tick of an hour.
pub(super) fn warn(draft: &Draft<'_>) {
    let hour = |ms: i64| ms.div_euclid(HOUR_MS);
    if hour(draft.record.time.unix_ms()) == hour(draft.next.time.unix_ms()) {
        return;
    }
    for cap in caps(&draft.next).iter().filter(|it| it.is_near()) {
        tracing::warn!(
            what = cap.what,
            held = cap.held,
            max = cap.max,
            "nearly as many are kept as there is room for: beyond it, closed ones of more than 190 days give way, and younger ones take \
             memory and disk: export what is old, and close what is done"
        );
    }
}
