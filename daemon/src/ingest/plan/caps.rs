//! Caps of what has to be kept: cases with their files, and inspections, for 190 days after they were closed.
//!
//! Invariant: no cap lets go what is younger than that, or open: what is over stays, and is warned of from nine tenths on, once an hour and by
//! `onenet_kept_ratio`. Of files nothing more is taken in beyond the cap.

use super::Draft;
use crate::estate::Estate;

/// How long, in milliseconds, closed things are kept at least: as long as the audit trail (GB/T 22239-2019 asks for six months).
pub(super) const KEPT_MS: i64 = 190 * 86_400_000;
/// Cases that are kept whatever their age; beyond that, closed ones that are old enough give way.
pub(super) const CASES_MAX: usize = 50_000;
/// Campaigns that are kept whatever their age; beyond that, closed ones that are old enough give way.
pub(super) const CAMPAIGNS_MAX: usize = 1_000;
/// Bytes of the files of all cases. Beyond that no file is attached; none gives way but with its case.
pub(super) const FILE_BYTES_MAX: u64 = 16 << 30;

const HOUR_MS: i64 = 3_600_000;
const OLD_GO: &str = "closed ones of more than 190 days give way, and younger ones take memory and disk: export what is old, and close what is done";
const NO_FILES: &str =
    "no file is attached to a case any more: they go with their cases, so attach texts that say where files lie";

/// How full something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// What is kept.
    pub what: &'static str,
    /// How many there are.
    pub held: usize,
    /// From how many on old ones give way.
    pub max: usize,
    /// What then happens, and what to do.
    pub beyond: &'static str,
}

impl Cap {
    /// Returns whether it is nearly reached.
    pub const fn is_near(&self) -> bool {
        self.held.saturating_mul(10) >= self.max.saturating_mul(9)
    }
}

/// Returns how full everything is that has to be kept.
pub fn caps(estate: &Estate) -> [Cap; 3] {
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let (cases, campaigns) = (estate.cases.all.len(), estate.campaigns.all.len());
    [
        Cap { what: "cases", held: cases, max: CASES_MAX, beyond: OLD_GO },
        Cap { what: "inspections", held: campaigns, max: CAMPAIGNS_MAX, beyond: OLD_GO },
        Cap { what: "files", held: bytes(estate.cases.file_bytes), max: bytes(FILE_BYTES_MAX), beyond: NO_FILES },
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
            beyond = cap.beyond,
            "nearly as many are kept as there is room for"
        );
    }
}
