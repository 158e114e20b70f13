//! A finished flow.

use std::borrow::Cow;

use onenet_topology::{
    application::Application,
    flow::{Flow, FlowEnd as End},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{community::community_id, tcp::TcpRecord};
use crate::FrameTime;

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
    /// What it carries, where that is known.
    pub application: Option<Application>,
    /// Whether the application was read from payload; from a port otherwise, which is a guess.
    pub by_payload: bool,
    /// Whom or what it asked for, where it named that.
    pub name: Option<Box<str>>,
    /// What was measured of a TCP connection.
    pub tcp: Option<TcpRecord>,
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

impl From<FlowRecord> for Flow {
    fn from(record: FlowRecord) -> Self {
        Self {
            protocol: record.protocol,
            originator: record.originator,
            responder: record.responder,
            vlan: record.vlan,
            packets_out: record.packets_out,
            packets_in: record.packets_in,
            bytes_out: record.bytes_out,
            bytes_in: record.bytes_in,
            start: record.start.into(),
            end: record.end.into(),
            application: record.application,
            by_payload: record.by_payload,
            name: record.name.map(String::from).unwrap_or_default(),
            tcp: record.tcp.map(Into::into),
            interface: None,
        }
    }
}

impl Serialize for FlowRecord {
    /// Writes the object of the `replay` contract. What is not known, or is not of this protocol, is left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("flow", 15)?;
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
        if let Some(application) = self.application {
            object.serialize_field("application", &application)?;
            object.serialize_field("by_payload", &self.by_payload)?;
        }
        if let Some(name) = &self.name {
            object.serialize_field("name", name)?;
        }
        if let Some(tcp) = self.tcp {
            object.serialize_field("tcp", &onenet_topology::flow::TcpFlow::from(tcp))?;
        }
        object.end()
    }
}
