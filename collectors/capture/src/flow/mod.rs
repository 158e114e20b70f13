//! Who talks to whom: bidirectional flows.
//!
//! A flow is all packets between two ends (address and port) by one protocol in one VLAN, in both directions, until it is
//! closed, silent for too long, or too old. Its *originator* sent the first packet, except where that packet is the
//! answer to one that was missed (a SYN with ACK, an echo reply).
//!
//! Bytes are lengths of frames on the wire without the checksum at their end: what an interface counter counts, and what
//! the conversation tables of packet analysers show.

mod community;
mod fragments;
mod key;
mod record;
mod table;
mod tcp;

pub use onenet_topology::flow::FlowEnd as End;
pub use record::{EndReason, FlowRecord, protocol_name};
pub use table::{FlowCounters, FlowOptions, Flows};
pub use tcp::{Event, History, TcpRecord};
