//! What a frame says about endpoints, as facts.
//!
//! Invariant: an address is bound to a MAC only by those who may say so on this very segment, and what a packet says of its
//! sender counts for the frame's sender only when the packet cannot have been forwarded or its address is bound to that
//! MAC. A routed packet says nothing about its frame's source, which is the router's.

mod address;
mod brief;
mod dhcp;
mod dhcpv6;
mod discovery;
mod equipment;
pub(crate) mod introduction;
mod names;
mod netbios;
mod opening;
mod speaker;
mod text;

pub use text::printable;

use std::fmt::Write as _;

use ipnetwork::IpNetwork;
use onenet_topology::classify::SignKind;

use self::brief::Brief;
use crate::{
    decode::{Content, Ip, Packet, Transport, Undecoded, icmp::Icmp, nd, udp::Udp},
    facts::{Fact, Said, Speaker, Value},
};

/// The most numbers of a list that are kept: with commas they fit in a text. Clients ask for some forty options.
const LISTED_MAX: usize = 42;

/// Ports of the protocols that are read.
mod port {
    pub(super) const DHCP_SERVER: u16 = 67;
    pub(super) const DHCP_CLIENT: u16 = 68;
    pub(super) const NETBIOS_NAME: u16 = 137;
    pub(super) const NETBIOS_DATAGRAM: u16 = 138;
    pub(super) const DHCPV6_SERVER: u16 = 547;
    pub(super) const SSDP: u16 = 1_900;
    pub(super) const WS_DISCOVERY: u16 = 3_702;
    pub(super) const MDNS: u16 = 5_353;
    pub(super) const LLMNR: u16 = 5_355;
    /// Hikvision's discovery.
    pub(super) const SADP: u16 = 37_020;
    /// Dahua's discovery.
    pub(super) const DHIP: u16 = 37_810;
}

/// Hands the facts in `packet` to `each`; `local` are the prefixes on this segment.
///
/// # Errors
/// When the frame carries a protocol that should speak of endpoints and cannot be decoded.
#[inline]
pub fn observe(packet: &Packet<'_>, local: &[IpNetwork], mut each: impl FnMut(Fact<'_>)) -> Result<(), Undecoded> {
    match &packet.content {
        Content::Unread => Ok(()),
        Content::Arp(arp) => {
            address::arp(arp).map(Fact::Binding).into_iter().for_each(each);
            Ok(())
        }
        Content::Lldp(payload) => equipment::lldp(packet, payload, each),
        Content::Cdp(payload) => equipment::cdp(packet, payload, each),
        Content::SpanningTree(payload) => equipment::spanning_tree(packet, payload, |said| each(Fact::Said(said))),
        Content::Ip(ip) => {
            if !local.is_empty() {
                address::ip_source(packet, &ip.header, local).map(Fact::Binding).into_iter().for_each(&mut each);
            }
            match &ip.transport {
                Transport::Tcp(tcp) if tcp.opens() || tcp.answers() => {
                    if let Some(mac) = packet.source.filter(|mac| mac.is_unicast()) {
                        opening::facts(&ip.header, tcp, mac, each);
                    }
                    Ok(())
                }
                // The start of a fragmented message is no message.
                Transport::Udp(udp) if ip.header.fragment.is_none() => datagram(packet, ip, udp, each),
                Transport::Icmpv6(icmp) => neighbour_discovery(packet, ip, icmp, each),
                _ => Ok(()),
            }
        }
    }
}

/// Reads a datagram by its ports.
#[inline]
fn datagram(packet: &Packet<'_>, ip: &Ip<'_>, udp: &Udp<'_>, mut each: impl FnMut(Fact<'_>)) -> Result<(), Undecoded> {
    let (from, to, payload) = (udp.source_port, udp.destination_port, udp.payload);
    if matches!(
        (from, to),
        (port::DHCP_CLIENT | port::DHCP_SERVER, port::DHCP_SERVER) | (port::DHCP_SERVER, port::DHCP_CLIENT)
    ) {
        return dhcp::facts(payload, packet.source, each);
    }
    // Who answers does so from the protocol's port, whoever asked from any other.
    let known = |number: u16| {
        matches!(
            number,
            port::NETBIOS_NAME
                | port::NETBIOS_DATAGRAM
                | port::SSDP
                | port::WS_DISCOVERY
                | port::MDNS
                | port::LLMNR
                | port::SADP
                | port::DHIP
        )
    };
    let protocol = if known(from) { from } else { to };
    if !known(protocol) && to != port::DHCPV6_SERVER {
        return Ok(());
    }
    let Some(speaker) = speaker::of(packet, &ip.header) else { return Ok(()) };
    let said = |said: Said<'_>| each(Fact::Said(said));
    match protocol {
        port::MDNS => names::mdns(payload, speaker, said),
        port::LLMNR => names::llmnr(payload, speaker, said),
        port::NETBIOS_NAME => netbios::names(payload, speaker, said),
        port::NETBIOS_DATAGRAM => netbios::datagram(payload, speaker, said),
        port::DHCPV6_SERVER => dhcpv6::signs(payload, speaker, said),
        other => {
            match other {
                port::SSDP => discovery::ssdp(payload, speaker, said),
                port::WS_DISCOVERY => discovery::ws_discovery(payload, speaker, said),
                port::SADP => discovery::sadp(payload, speaker, said),
                _ => discovery::dhip(payload, speaker, said),
            }
            Ok(())
        }
    }
}

fn neighbour_discovery(
    packet: &Packet<'_>,
    ip: &Ip<'_>,
    icmp: &Icmp<'_>,
    mut each: impl FnMut(Fact<'_>),
) -> Result<(), Undecoded> {
    let bound = address::nd(&ip.header, icmp)?;
    bound.map(Fact::Binding).into_iter().for_each(&mut each);
    // A router's own word: from its link-local address, and not forwarded (RFC 4861, section 6.1.2).
    let speaker = speaker::of(packet, &ip.header).filter(|(_, by)| *by == Speaker::Link);
    if let (nd::kind::ROUTER_ADVERTISEMENT, Some((mac, by)), true) = (icmp.kind, speaker, bound.is_some()) {
        each(Fact::Said(Said { mac, by, kind: SignKind::RouterAdvertisement, value: Value::Text(b"offers") }));
    }
    Ok(())
}

/// Returns octets as hexadecimal digits.
fn hexadecimal(octets: &[u8]) -> Brief {
    let mut text = Brief::default();
    for octet in octets {
        // What does not fit is left out.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// Returns numbers as a list.
fn listed(numbers: impl IntoIterator<Item = u16>) -> Brief {
    let mut text = Brief::default();
    for (at, number) in numbers.into_iter().enumerate().take(LISTED_MAX) {
        let separator = if at == 0 { "" } else { "," };
        let _ = write!(text, "{separator}{number}");
    }
    text
}
