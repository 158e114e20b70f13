//! Who talks to whom: bidirectional flows.
//!
//! A flow is all packets between two ends (address and port) by one protocol in one VLAN, in both directions, until it is
//! closed, silent for too long, or too old. Its *originator* sent the first packet, except where that packet is the
//! answer to one that was missed (a SYN with ACK, an echo reply).
//!
//! Bytes are lengths of frames on the wire without the checksum at their end: what an interface counter counts, and what
//! the conversation tables of packet analysers show. A packet inside a tunnel has a flow of its own beside the outer packet's, and
//! counts with its own length.

mod community;
mod entry;
mod fragments;
mod key;
mod record;
mod sources;
mod table;
mod tcp;

use onenet_topology::application::Application;

use crate::{FrameTime, application::Details};

pub use onenet_topology::flow::FlowEnd as End;
pub use record::{EndReason, FlowRecord, protocol_name};
pub use table::{FlowCounters, FlowOptions, Flows};
pub use tcp::{Event, History, TcpCounters, TcpRecord};

/// What payload told of the ends of a flow, once it told all that it will.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// When it was told.
    pub time: FrameTime,
    /// Who began the flow.
    pub originator: End,
    /// Whom it went to.
    pub responder: End,
    /// What the flow carries, where payload told.
    pub application: Option<Application>,
    /// Whether the responder is known to take part.
    pub answered: bool,
    /// What was told.
    pub details: Box<Details>,
}
