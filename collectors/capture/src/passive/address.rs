//! Which address belongs to which MAC: ARP, neighbour discovery, and local IP packets.

use std::net::{IpAddr, Ipv6Addr};

use ipnetwork::IpNetwork;
use onenet_topology::MacAddr;

use crate::{
    decode::{
        Packet, Undecoded,
        arp::Arp,
        icmp::Icmp,
        ip::IpHeader,
        nd::{Message, Nd, kind},
    },
    facts::{Binding, Method},
};

/// The hop limit that proves that a message was not forwarded (RFC 4861, section 11.2).
const UNFORWARDED: u8 = 255;

/// Returns the binding that an ARP packet's sender claims. A probe (RFC 5227) claims nothing yet.
pub(super) fn arp(arp: &Arp) -> Option<Binding> {
    binding(arp.sender_mac, arp.sender_ip.into(), Method::Arp)
}

/// Returns the binding that a neighbour discovery message claims.
///
/// A solicitation from the unspecified address is duplicate address detection and claims nothing yet; a redirect is
/// hearsay.
pub(super) fn nd(header: &IpHeader<'_>, icmp: &Icmp<'_>) -> Result<Option<Binding>, Undecoded> {
    if !matches!(icmp.kind, kind::ROUTER_SOLICITATION..=kind::REDIRECT) || header.fragment.is_some() {
        return Ok(None);
    }
    let Some(nd) = Nd::parse(icmp)? else { return Ok(None) };
    if header.hop_limit != UNFORWARDED || icmp.code != 0 {
        return Ok(None);
    }
    let claim = match nd.message {
        Message::NeighbourAdvertisement { target, .. } => nd.target_link.map(|mac| (mac, IpAddr::V6(target))),
        Message::NeighbourSolicitation { .. } | Message::RouterSolicitation | Message::RouterAdvertisement { .. } => {
            nd.source_link.map(|mac| (mac, header.source))
        }
        Message::Redirect { .. } => None,
    };
    Ok(claim.and_then(|(mac, ip)| binding(mac, ip, Method::NeighbourDiscovery)))
}

/// Returns the binding of a packet whose source address lies in a local prefix: nobody routed it here.
pub(super) fn ip_source(packet: &Packet<'_>, header: &IpHeader<'_>, local: &[IpNetwork]) -> Option<Binding> {
    let mac = packet.source.filter(|_| local.iter().any(|prefix| prefix.contains(header.source)))?;
    binding(mac, header.source, Method::IpSource)
}

/// Returns the binding, unless one of the two cannot belong to a single card.
pub(super) fn binding(mac: MacAddr, ip: IpAddr, method: Method) -> Option<Binding> {
    (mac.is_unicast() && is_host(ip)).then_some(Binding { mac, ip, method })
}

/// Returns whether a host can have the address.
fn is_host(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.octets()[0] == 0 || ip.is_loopback() || ip.is_multicast() || ip.is_broadcast()),
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || is_mapped(ip)),
    }
}

fn is_mapped(ip: Ipv6Addr) -> bool {
    ip.to_ipv4_mapped().is_some()
}
