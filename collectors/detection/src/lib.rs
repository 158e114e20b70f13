//! What is abnormal: findings about traffic and inventory, each with the evidence from which it was concluded.
//!
//! | part | is |
//! |---|---|
//! | [`observation`] | what detectors are told |
//! | [`settings`], [`threshold`] | what they know of a site, and what may be tuned |
//! | [`catalogue`] | what each looks for, and what it cannot see; `DETECTORS.md` is made from it |
//! | [`Detection`] | all detectors of a site: observations in, findings out |
//! | [`level`] | a model of what is usual in a series of numbers, by hour, day of the week and holidays |
//!
//! Invariants: pure (no clock, socket, task, store or log); time is that of the data; memory is bounded by constants whatever
//! the traffic is; a finding never depends on what a table happened to evict without saying so.
//!
//! It does not know how an observation was made, how a finding travels, nor what people do about it.

pub mod catalogue;
pub mod centre;
pub mod finding;
pub mod level;
pub mod observation;
pub mod settings;
pub mod threshold;

mod book;
mod claims;
mod detection;
mod feeds;
mod flood;
mod guess;
mod levels;
mod names;
mod outage;
mod outward;
mod peers;
mod scan;
mod servers;
mod services;
mod table;
mod terminals;
mod transfers;

pub use book::{DetectorState, FINDINGS_MAX};
pub use catalogue::Kind;
pub use detection::Detection;
pub use finding::{Evidence, Finding, Grade, Label, Subject};
pub use levels::Learnt;
pub use services::Service;
pub use settings::Settings;
