//! Which flow a packet belongs to, and in which direction it goes.
//!
//! Invariant: both directions of a flow give the same [`Key`].

use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
};

use onenet_topology::flow::FlowEnd;

use crate::decode::{Ip, Packet, Transport, icmp::Icmp};

/// An end as the table compares it: the address as a number, IPv4 mapped into IPv6 (the key says which of both it is).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackedEnd {
    ip: u128,
    port: u16,
}

/// What all packets of a flow have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    low: PackedEnd,
    high: PackedEnd,
    pub(super) protocol: u8,
    is_v4: bool,
    vlan: u16,
    inner_vlan: u16,
    /// The virtual network of a tunnel: addresses mean another thing in each.
    network: u32,
}

/// A packet's place: its flow, and whether it goes from the low end to the high one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) key: Key,
    /// Whether the packet's sender is the key's low end.
    pub(super) from_low: bool,
    /// Whether the packet's sender can only be the responder: it answers something.
    pub(super) answers: bool,
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.low.port) << 16 | u64::from(self.high.port);
        let vlans = u64::from(self.vlan) << 48 | u64::from(self.inner_vlan) << 32;
        state.write_u128(self.low.ip);
        state.write_u128(self.high.ip);
        state.write_u64(vlans | ports);
        let kind = u64::from(self.protocol) << 1 | u64::from(self.is_v4);
        state.write_u64(u64::from(self.network) << 32 | kind);
    }
}

impl Key {
    /// Returns the low or the high end, without its link address.
    pub(super) fn end(&self, low: bool) -> FlowEnd {
        let packed = if low { self.low } else { self.high };
        let ip = Ipv6Addr::from_bits(packed.ip);
        let ip = if self.is_v4 { ip.to_ipv4_mapped().map(IpAddr::V4) } else { None };
        let ip = ip.unwrap_or(IpAddr::V6(Ipv6Addr::from_bits(packed.ip)));
        FlowEnd { ip, port: packed.port, mac: None }
    }

    /// Returns the address of the low or the high end, as a number.
    pub(super) const fn ip(&self, low: bool) -> u128 {
        if low { self.low.ip } else { self.high.ip }
    }

    pub(super) fn vlan(&self) -> Option<u16> {
        Some(self.vlan).filter(|id| *id != 0)
    }

    pub(super) fn inner_vlan(&self) -> Option<u16> {
        Some(self.inner_vlan).filter(|id| *id != 0)
    }
}

impl Place {
    /// Returns the place of a packet whose ports are `ports`, source first.
    #[inline]
    pub(super) fn new(packet: &Packet<'_>, ip: &Ip<'_>, (from, to): (u16, u16), answers: bool) -> Self {
        let source = PackedEnd { ip: pack(ip.header.source), port: from };
        let destination = PackedEnd { ip: pack(ip.header.destination), port: to };
        let from_low = source <= destination;
        let (low, high) = if from_low { (source, destination) } else { (destination, source) };
        let key = Key {
            low,
            high,
            protocol: ip.header.protocol,
            is_v4: ip.header.source.is_ipv4(),
            vlan: packet.vlan.unwrap_or(0),
            inner_vlan: packet.inner_vlan.unwrap_or(0),
            network: packet.network.map_or(0, |network| network.saturating_add(1)),
        };
        Self { key, from_low, answers }
    }
}

/// Returns the ports of a packet, source first, and whether it can only be an answer. `None` when they are not in it.
#[inline]
pub(super) fn ports(transport: &Transport<'_>) -> Option<((u16, u16), bool)> {
    match transport {
        Transport::Tcp(tcp) => Some(((tcp.source_port, tcp.destination_port), tcp.answers())),
        Transport::Udp(udp) => Some(((udp.source_port, udp.destination_port), false)),
        Transport::Sctp(sctp) => Some(((sctp.source_port, sctp.destination_port), false)),
        Transport::Icmp(icmp) => Some(icmp_ports(icmp, reply_v4)),
        Transport::Icmpv6(icmp) => Some(icmp_ports(icmp, reply_v6)),
        Transport::Other => Some(((0, 0), false)),
        Transport::LaterFragment | Transport::Unread => None,
    }
}

/// What a type is in a pair of query and reply.
enum Role {
    Query,
    /// A reply, with the type of its query.
    ReplyTo(u8),
    Alone,
}

/// Echo, timestamp, information and address mask (RFC 792, RFC 950).
const fn reply_v4(kind: u8) -> Role {
    match kind {
        8 | 13 | 15 | 17 => Role::Query,
        0 => Role::ReplyTo(8),
        14 | 16 | 18 => Role::ReplyTo(kind - 1),
        _ => Role::Alone,
    }
}

/// Echo (RFC 4443, section 4).
const fn reply_v6(kind: u8) -> Role {
    match kind {
        128 => Role::Query,
        129 => Role::ReplyTo(128),
        _ => Role::Alone,
    }
}

fn icmp_ports(icmp: &Icmp<'_>, role: fn(u8) -> Role) -> ((u16, u16), bool) {
    let number = |kind: u8| u16::from_be_bytes([kind, icmp.code]);
    match role(icmp.kind) {
        Role::Query => ((icmp.identifier, number(icmp.kind)), false),
        Role::ReplyTo(query) => ((number(query), icmp.identifier), true),
        Role::Alone => ((0, number(icmp.kind)), false),
    }
}

fn pack(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}
