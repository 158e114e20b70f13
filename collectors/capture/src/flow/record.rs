//! A finished flow.

use std::{borrow::Cow, net::IpAddr};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::community::community_id;
use crate::FrameTime;

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct End {
    /// Its address.
    pub ip: IpAddr,
    /// Its port; 0 for protocols without. Of an ICMP flow the originator's is the identifier (0 where the message has
    /// none) and the responder's is type × 256 + code, as flow exporters write it.
    pub port: u16,
}

/// Why a flow's record was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Both sides said that they were done, or one broke it off, and nothing followed.
    Closed,
    /// Its ports were used again for another connection.
    Reused,
    /// It was silent for too long.
    Idle,
    /// It is still going on, and its record became too long: the next record goes on where this one ends.
    Active,
    /// It had to make room in the table: what follows of it is counted as a new flow.
    Evicted,
    /// The capture ended.
    Finished,
}

/// A flow, or the part of it that one record covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRecord {
    /// IP protocol number.
    pub protocol: u8,
    /// Who sent the first packet.
    pub originator: End,
    /// Whom it was sent to.
    pub responder: End,
    /// Id of the outermost VLAN.
    pub vlan: Option<u16>,
    /// Id of the VLAN inside that one.
    pub inner_vlan: Option<u16>,
    /// Packets from the originator.
    pub packets_out: u64,
    /// Packets from the responder.
    pub packets_in: u64,
    /// Bytes from the originator.
    pub bytes_out: u64,
    /// Bytes from the responder.
    pub bytes_in: u64,
    /// TCP flags that the originator has set at least once.
    pub tcp_flags_out: u8,
    /// TCP flags that the responder has set at least once.
    pub tcp_flags_in: u8,
    /// Time of the first packet.
    pub start: FrameTime,
    /// Time of the last packet.
    pub end: FrameTime,
    /// Why the record was closed.
    pub reason: EndReason,
}

/// Returns the protocol's keyword in lower case, its number where it has none that is usual.
pub fn protocol_name(number: u8) -> Cow<'static, str> {
    let name = match number {
        0 => "hopopt",
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmpv6",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        other => return Cow::Owned(other.to_string()),
    };
    Cow::Borrowed(name)
}

impl FlowRecord {
    /// Returns the flow's community id, version 1: the name that other tools give it.
    pub fn community_id(&self) -> String {
        community_id(self)
    }
}

impl Serialize for FlowRecord {
    /// Writes the object of the `replay` contract. `vlan` stands in it only where the flow was tagged.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("flow", 11)?;
        object.serialize_field("protocol", protocol_name(self.protocol).as_ref())?;
        object.serialize_field("community_id", &self.community_id())?;
        object.serialize_field("originator", &self.originator)?;
        object.serialize_field("responder", &self.responder)?;
        match self.vlan {
            Some(vlan) => object.serialize_field("vlan", &vlan)?,
            None => object.skip_field("vlan")?,
        }
        object.serialize_field("packets_out", &self.packets_out)?;
        object.serialize_field("packets_in", &self.packets_in)?;
        object.serialize_field("bytes_out", &self.bytes_out)?;
        object.serialize_field("bytes_in", &self.bytes_in)?;
        object.serialize_field("start", &self.start)?;
        object.serialize_field("end", &self.end)?;
        object.end()
    }
}
