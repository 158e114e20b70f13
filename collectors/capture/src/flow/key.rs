//! Which flow a packet belongs to, and in which direction it goes.
//!
//! Invariant: both directions of a flow give the same [`Key`].

use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
};

use onenet_topology::flow::FlowEnd;

use crate::{
    VlanTag,
    decode::{
        Ip, Packet, Transport,
        icmp::Icmp,
        ip::protocol::{TCP, UDP},
    },
};

/// What all packets of a flow have in common, in 48 bytes. Addresses are numbers, IPv4 mapped into IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    low_ip: u128,
    high_ip: u128,
    /// The virtual network of a tunnel: addresses mean another thing in each.
    network: u32,
    low_port: u16,
    high_port: u16,
    vlan: u16,
    inner_vlan: u16,
    pub(super) protocol: u8,
    is_v4: bool,
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
        let ports = u64::from(self.low_port) << 16 | u64::from(self.high_port);
        let vlans = u64::from(self.vlan) << 48 | u64::from(self.inner_vlan) << 32;
        let kind = u64::from(self.protocol) << 1 | u64::from(self.is_v4);
        if self.is_v4 {
            // What stands above the last 32 bits is the same in all.
            state.write_u64(last_32(self.low_ip) << 32 | last_32(self.high_ip));
        } else {
            state.write_u128(self.low_ip);
            state.write_u128(self.high_ip);
        }
        state.write_u64(vlans | ports);
        state.write_u64(u64::from(self.network) << 32 | kind);
    }
}

impl Key {
    /// Returns the low or the high end, without its link address.
    pub(super) fn end(&self, low: bool) -> FlowEnd {
        let mapped = Ipv6Addr::from_bits(self.ip(low));
        let ip = if self.is_v4 { mapped.to_ipv4_mapped().map(IpAddr::V4) } else { None };
        FlowEnd { ip: ip.unwrap_or(IpAddr::V6(mapped)), port: self.port(low), mac: None }
    }

    /// Returns the port of the low or the high end.
    pub(super) const fn port(&self, low: bool) -> u16 {
        if low { self.low_port } else { self.high_port }
    }

    /// Returns the address of the low or the high end, as a number.
    pub(super) const fn ip(&self, low: bool) -> u128 {
        if low { self.low_ip } else { self.high_ip }
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
        let (source, destination) = ((pack(ip.header.source), from), (pack(ip.header.destination), to));
        let from_low = source <= destination;
        let (low, high) = if from_low { (source, destination) } else { (destination, source) };
        let key = Key {
            low_ip: low.0,
            high_ip: high.0,
            low_port: low.1,
            high_port: high.1,
            protocol: ip.header.protocol,
            is_v4: ip.header.source.is_ipv4(),
            vlan: packet.vlan.unwrap_or(0),
            inner_vlan: packet.inner_vlan.unwrap_or(0),
            network: packet.network.map_or(0, |network| network.saturating_add(1)),
        };
        Self { key, from_low, answers }
    }
}

impl Key {
    /// Returns the key of a frame that is TCP or UDP over IPv4 without options, behind one tag at most, as most are. It is read
    /// without a look at what else it may be: good for a guess.
    #[inline]
    pub(super) fn guess(tag: Option<VlanTag>, frame: &[u8]) -> Option<Self> {
        let (mut at, mut vlan) = (14, tag.and_then(VlanTag::id));
        let mut field = half(frame, 12)?;
        if field == 0x8100 {
            vlan = vlan.or(VlanTag { protocol: field, control: half(frame, 14)? }.id());
            (at, field) = (18, half(frame, 16)?);
        }
        let (header, _) = frame.get(at..)?.split_first_chunk::<24>()?;
        let [0x45, .., f0, f1, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3, p0, p1, q0, q1] = *header else {
            return None;
        };
        if field != 0x0800 || !matches!(protocol, TCP | UDP) || u16::from_be_bytes([f0, f1]) & 0x3fff != 0 {
            return None;
        }
        let address = |octets: [u8; 4]| pack(IpAddr::from(octets));
        let source = (address([s0, s1, s2, s3]), u16::from_be_bytes([p0, p1]));
        let destination = (address([d0, d1, d2, d3]), u16::from_be_bytes([q0, q1]));
        let (low, high) = if source <= destination { (source, destination) } else { (destination, source) };
        Some(Self {
            low_ip: low.0,
            high_ip: high.0,
            network: 0,
            low_port: low.1,
            high_port: high.1,
            vlan: vlan.unwrap_or(0),
            inner_vlan: 0,
            protocol,
            is_v4: true,
        })
    }
}

#[inline]
fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|half| u16::from_be_bytes(*half))
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

/// Returns the last 32 bits of an address.
fn last_32(ip: u128) -> u64 {
    u64::try_from(ip & u128::from(u32::MAX)).unwrap_or(0)
}

fn pack(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameMeta, LinkType, decode::Content};

    /// A datagram of 10.0.0.1:1000, or the answer to it, behind these tags.
    fn frame(answer: bool, tags: &[u16], protocol: u8) -> Vec<u8> {
        let mut frame = vec![2; 12];
        for id in tags {
            frame.extend([0x81, 0x00]);
            frame.extend(id.to_be_bytes());
        }
        frame.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
        let (from, to) = ([10, 0, 0, 1, 3, 232], [10, 0, 0, 2, 0, 53]);
        let (from, to) = if answer { (to, from) } else { (from, to) };
        frame.extend([&from[..4], &to[..4], &from[4..], &to[4..]].concat());
        frame.extend([0, 20, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        frame
    }

    #[test]
    fn the_guess_of_a_frame_is_its_key() {
        for (answer, tags, protocol) in
            [(false, &[][..], UDP), (true, &[], UDP), (false, &[5], TCP), (true, &[0x6005], TCP), (false, &[0], UDP)]
        {
            let bytes = frame(answer, tags, protocol);
            let meta = FrameMeta::whole(u32::try_from(bytes.len()).unwrap());
            let packet = Packet::parse(LinkType::Ethernet, meta, &bytes).unwrap();
            let Content::Ip(ip) = &packet.content else { panic!("{packet:?}") };
            let (ports, answers) = ports(&ip.transport).unwrap();
            assert_eq!(Key::guess(None, &bytes), Some(Place::new(&packet, ip, ports, answers).key), "{tags:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_not_guessed() {
        let mut part = frame(false, &[], UDP);
        part[20] = 0x20;
        assert_eq!(Key::guess(None, &part), None);
        assert_eq!(Key::guess(None, &frame(false, &[5, 6], UDP)), None);
        assert_eq!(Key::guess(None, &frame(false, &[], 1)), None);
        assert_eq!(Key::guess(None, &frame(false, &[], UDP)[..37]), None);
    }
}
