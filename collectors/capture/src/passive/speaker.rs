//! On whose word a statement about an endpoint stands.

use std::net::{IpAddr, Ipv4Addr};

use onenet_topology::MacAddr;

use crate::{
    decode::{Packet, ip::IpHeader},
    facts::Speaker,
};

/// Returns who sent a packet and on what that stands, `None` where the frame has no sender.
///
/// What is addressed to the link alone, or comes from an address of the link, was not forwarded by anybody (RFC 5771,
/// section 4; RFC 4291, section 2.5.6): the frame's sender said it. Anything else may come through a router.
pub(super) fn of(packet: &Packet<'_>, header: &IpHeader<'_>) -> Option<(MacAddr, Speaker)> {
    let mac = packet.source.filter(|mac| mac.is_unicast())?;
    let on_link = is_of_link(header.source) || is_to_link(header.destination);
    Some((mac, if on_link { Speaker::Link } else { Speaker::Address(header.source) }))
}

fn is_of_link(source: IpAddr) -> bool {
    matches!(source, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn is_to_link(destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(ip) => ip.octets().starts_with(&[224, 0, 0]) || ip == Ipv4Addr::BROADCAST,
        // The scope is in the low half of the second byte: 1 the interface, 2 the link.
        IpAddr::V6(ip) => ip.is_multicast() && matches!(ip.octets()[1] & 0x0f, 1 | 2),
    }
}
