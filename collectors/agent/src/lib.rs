//! The process at a site: polls devices, listens, keeps reports until the centre has them.
//!
//! Invariants: it listens on nothing by default; what it tells the centre is on disk first; memory and disk are bounded.
//! It knows nothing of what the centre concludes.

mod anchor;
mod asked;
mod board;
pub mod cli;
pub mod clock;
mod conditions;
pub mod config;
pub mod detecting;
mod detectors;
pub mod discovery;
mod disk;
mod durable;
pub mod enrol;
mod evidence;
pub mod flow_log;
mod limited;
mod listen;
mod measuring;
mod meter;
mod mirror;
mod observations;
mod poll;
mod probing;
mod reflecting;
mod remote;
mod render;
mod rights;
pub mod roll_up;
mod run;
mod scanning;
pub mod schedule;
pub mod spool;
pub mod status;
mod supervisor;
mod traps;
mod trial;
pub mod uplink;
mod usage;

pub use rights::Opened;
pub use run::{RunError, STOP_WITHIN, run, run_with};
