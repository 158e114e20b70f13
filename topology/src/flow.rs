//! A finished flow as a site keeps it, and the question by which it is found again.
//!
//! Invariant: a flow is told from its originator's side: `out` is what the originator sent. Bytes are lengths of frames on
//! the wire, as interface counters count them. It does not know how flows are told apart or kept.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use crate::{MacAddr, Timestamp, application::Application, fact::Scope};

mod page;

pub use page::{FlowCursor, FlowPage, FlowPageEnd, FlowsMissing, FlowsMissingReason, InvalidFlowCursor};

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FlowEnd {
    /// Its address.
    pub ip: IpAddr,
    /// Its port; 0 for protocols without. Of an ICMP flow the originator's is the identifier (0 where the message has
    /// none) and the responder's is type × 256 + code, as flow exporters write it.
    pub port: u16,
    /// The link address that its first packet had where it was captured: its own, or that of the router before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
}

/// What became of a TCP connection, in the terms that Zeek made usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TcpState {
    /// Asked for, never answered (S0).
    Attempted = 1,
    /// Open, and not closed yet (S1).
    Established = 2,
    /// Opened and closed by both sides (SF).
    Finished = 3,
    /// Asked for, and refused by a reset (REJ).
    Refused = 4,
    /// Open, and the originator has closed its half (S2).
    OriginatorClosed = 5,
    /// Open, and the responder has closed its half (S3).
    ResponderClosed = 6,
    /// Open, then broken off by the originator (RSTO).
    OriginatorReset = 7,
    /// Open, then broken off by the responder (RSTR).
    ResponderReset = 8,
    /// Asked for and broken off by the originator, never answered: half-open scans look like this (RSTOS0).
    AttemptReset = 9,
    /// Answered and then broken off by the responder, the request not seen (RSTRH).
    AnswerReset = 10,
    /// Asked for, and closed by the originator, never answered (SH).
    HalfOpenOriginator = 11,
    /// Answered and closed by the responder, the request not seen (SHR).
    HalfOpenResponder = 12,
    /// Its beginning was not seen (OTH).
    Midstream = 13,
}

/// What was measured of a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpFlow {
    /// What became of it.
    pub state: TcpState,
    /// What happened, in order, a letter each, capitals from the originator: `s` SYN, `h` SYN with ACK, `a` pure ACK, `d` payload,
    /// `f` FIN, `r` reset, `t` retransmitted payload, `g` a gap in what was captured, `w` window closed. A letter that follows
    /// itself on one side is told once. At most 32 letters.
    pub history: String,
    /// Segments with payload that the originator sent again.
    pub retransmissions_out: u64,
    /// Segments with payload that the responder sent again.
    pub retransmissions_in: u64,
    /// From the SYN to the acknowledgement that ends the handshake, in microseconds, as seen where it was captured.
    pub handshake_us: Option<u64>,
}

/// A finished flow, or the part of a long one that a record covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// IP protocol number.
    pub protocol: u8,
    /// Who sent the first packet.
    pub originator: FlowEnd,
    /// Whom it was sent to.
    pub responder: FlowEnd,
    /// Id of the outermost VLAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Packets from the originator.
    pub packets_out: u64,
    /// Packets from the responder.
    pub packets_in: u64,
    /// Bytes from the originator.
    pub bytes_out: u64,
    /// Bytes from the responder.
    pub bytes_in: u64,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Time of the last packet.
    pub end: Timestamp,
    /// What it carries, where that is known.
    pub application: Option<Application>,
    /// Whether the application was read from payload; from a port otherwise, which is a guess.
    pub by_payload: bool,
    /// Whom or what it asked for: the server's name (TLS, HTTP), the name looked up (DNS); empty where it named none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of a TCP connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpFlow>,
    /// The capture interface that it was heard on; `None` where it was not heard on one, such as in a capture file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Scope>,
}

/// One end as a question names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowParty {
    /// By link address.
    Mac(MacAddr),
    /// By address, or by all addresses of a prefix.
    Ip(IpNetwork),
}

/// What flows are asked for. All that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowQuery {
    /// Flows that were going on at this time or later …
    pub from: Timestamp,
    /// … and before this.
    pub until: Timestamp,
    /// Flows with this end, whichever side it is.
    pub endpoint: Option<FlowParty>,
    /// And with this at the other end.
    pub peer: Option<FlowParty>,
    /// With this port at either end.
    pub port: Option<u16>,
    /// With this IP protocol.
    pub protocol: Option<u8>,
    /// Of this application.
    pub application: Option<Application>,
    /// The most flows that are wanted, latest first.
    pub limit: u32,
}

impl FlowParty {
    /// Returns whether an end of a flow is meant.
    pub fn is(&self, end: &FlowEnd) -> bool {
        match self {
            Self::Mac(mac) => end.mac == Some(*mac),
            Self::Ip(prefix) => prefix.contains(end.ip),
        }
    }
}

impl FlowQuery {
    /// Returns whether a flow is asked for.
    pub fn wants(&self, flow: &Flow) -> bool {
        let ends = (&flow.originator, &flow.responder);
        let fits = |(one, other): (&FlowEnd, &FlowEnd)| {
            self.endpoint.is_none_or(|party| party.is(one)) && self.peer.is_none_or(|party| party.is(other))
        };
        flow.end >= self.from
            && flow.start < self.until
            && (fits(ends) || fits((ends.1, ends.0)))
            && self.port.is_none_or(|port| port == ends.0.port || port == ends.1.port)
            && self.protocol.is_none_or(|protocol| protocol == flow.protocol)
            && self.application.is_none_or(|application| flow.application == Some(application))
    }
}

impl TcpState {
    /// Every state, by number.
    pub const ALL: [Self; 13] = [
        Self::Attempted,
        Self::Established,
        Self::Finished,
        Self::Refused,
        Self::OriginatorClosed,
        Self::ResponderClosed,
        Self::OriginatorReset,
        Self::ResponderReset,
        Self::AttemptReset,
        Self::AnswerReset,
        Self::HalfOpenOriginator,
        Self::HalfOpenResponder,
        Self::Midstream,
    ];

    /// Returns the number used on the wire and in the flow log.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the state of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// Returns the name used in flows, the API and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempted => "attempted",
            Self::Established => "established",
            Self::Finished => "finished",
            Self::Refused => "refused",
            Self::OriginatorClosed => "originator_closed",
            Self::ResponderClosed => "responder_closed",
            Self::OriginatorReset => "originator_reset",
            Self::ResponderReset => "responder_reset",
            Self::AttemptReset => "attempt_reset",
            Self::AnswerReset => "answer_reset",
            Self::HalfOpenOriginator => "half_open_originator",
            Self::HalfOpenResponder => "half_open_responder",
            Self::Midstream => "midstream",
        }
    }
}

#[cfg(test)]
mod tests;
