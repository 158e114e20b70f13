//! Frames in, facts and flows out: what passes a mirror port says who is there and who talks to whom.
//!
//! A [`Pipeline`] takes frames, whether from a live [`ring`] or from a capture file ([`offline`]), and keeps an
//! [`inventory`] of endpoints and a table of [`flow`]s. Time comes with each frame; the crate reads no clock.
//!
//! Invariants: memory is bounded whatever is sent; no bytes can make it panic; what it did not read it counted.
//! It knows nothing of reports, spools, sites or the centre.

pub mod application;
pub mod decode;
pub mod evidence;
pub mod facts;
pub mod flow;
pub mod interfaces;
pub mod inventory;
pub mod link;
pub mod listener;
pub mod neighbours;
pub mod observations;
pub mod offline;
pub mod passive;
pub mod pipeline;
pub mod replay;
pub mod ring;
pub mod sighting;
pub mod time;

mod table;

pub use link::{FrameMeta, LinkType, VlanTag};
pub use listener::Listener;
pub use pipeline::{Changes, Pipeline, PipelineOptions, Statistics};
pub use time::FrameTime;
