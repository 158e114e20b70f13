//! The process at a site: polls devices, listens, keeps reports until the centre has them.
//!
//! Invariants: it listens on nothing by default; what it tells the centre is on disk first; memory and disk are bounded.
//! It knows nothing of what the centre concludes.

pub mod cli;
pub mod clock;
pub mod config;
pub mod enrol;
mod render;
pub mod schedule;
pub mod spool;
pub mod uplink;
