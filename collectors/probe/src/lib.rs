//! Measures the ways that lead away from a site, and judges them.
//!
//! | part | is |
//! |---|---|
//! | [`track`], [`judge`], [`recent`], [`closer`], [`window`] | the pure core: sequence numbers into loss, order and percentiles; results into a state |
//! | [`stamp`], [`echo`] | packets, written and read without a socket |
//! | [`service`] | what services are asked, and what is wrong with their answers |
//! | [`Prober`] | one task that asks all targets by ICMP echo and STAMP, and a task a service |
//! | [`path`] | how large packets may be on a way |
//! | [`media`], [`emodel`] | a call of ten seconds, and what people would say of it |
//! | [`throughput`] | as much as was allowed, for some seconds |
//! | [`Reflector`] | the other side of STAMP |
//!
//! Invariants: memory is bounded by the number of probes; a packet counts only with what its question carried; the reflector
//! never answers with more bytes than it was asked with. Only `clock.rs` reads clocks, only `net.rs` names the crate `nix`.
//!
//! It does not know how what it says travels, where its settings come from, nor the centre.

pub mod clock;
pub mod closer;
pub mod echo;
pub mod emodel;
pub mod gateway;
pub mod judge;
pub mod media;
pub mod path;
pub mod recent;
pub mod service;
pub mod stamp;
pub mod throughput;
pub mod track;
pub mod window;

mod key;
mod net;
mod paced;
mod plan;
mod prober;
mod reflector;

pub use key::{Key, KeyError};
pub use net::{EchoSockets, open_reflector};
pub use plan::{Plan, Service, Target, Thresholds, WINDOW};
pub use prober::{Prober, Said};
pub use reflector::{Reflector, ReflectorConfig, ReflectorCounts};
pub use service::certificate::{Roots, RootsError};
