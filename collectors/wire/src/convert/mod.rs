//! Conversion between the wire's messages and the domain's, both ways, by subject.
//!
//! Invariant: towards the domain everything is checked against [`crate::limits`]; towards the wire nothing can fail.

mod anomaly;
mod check;
mod classification;
mod enums;
mod fact;
mod flow;
mod history;
mod joining;
mod message;
mod network;
mod probe;

pub(crate) use fact::{fact_body, item_key};
pub(crate) use history::{history_group, history_items};
pub use message::history_message;
