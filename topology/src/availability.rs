//! Availability: how much of a day a way between sites, or a site, was there, and how good it was.
//!
//! Time stands in one of five ways, and every millisecond of a day in exactly one of them:
//!
//! - *maintenance*: it was planned to be out of order. Whatever happened then counts for nothing;
//! - *up*, *degraded* (it works, badly or on one side only; what comes and goes counts here) and *down*: known time;
//! - *unknown*: nobody who is heard could tell.
//!
//! What did not exist, or was neither concluded nor measured, is no time at all. *Availability* is up and degraded as a part of the known
//! time; *unknown* is a part of all time outside maintenance. So unknown time is never up and never down, and a figure says
//! how much of the time it speaks for.
//!
//! Two kinds of evidence tell it. What was *concluded* at the time, from everything together ([`crate::incident`]), is a
//! [`Timeline`]. What was *measured*, minute by minute, is in [`Minutes`]: it may arrive days later with its own times, and
//! then decides what had to stay unknown. [`Standing::revised`] is the rule.
//!
//! Invariant: everything here is pure. Measurements add up in any order and give the same figures; days add up to months, and
//! sites to areas. Days are China's.
//!
//! It does not know what is kept where, who measured, nor what a maintenance was for.

mod day;
mod figures;
mod layer;
mod minutes;
mod timeline;

#[cfg(test)]
mod tests;

pub use day::{DayEvidence, LATE_DAYS};
pub use figures::{Figures, Quality, Spent};
pub use layer::Layer;
pub use minutes::{LOSSY_MILLI, MeasuredDay, Minutes, windows};
pub use timeline::{Standing, TURNS_MAX, Timeline, Turn};
