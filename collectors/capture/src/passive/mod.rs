//! What a frame says about endpoints, as facts.
//!
//! Invariant: an address is bound to a MAC only by those who may say so on this very segment. A routed packet's source
//! address says nothing about its frame's source MAC, which is the router's.

mod address;
mod dhcp;
mod lldp;
mod text;

pub use text::printable;

use ipnetwork::IpNetwork;

use crate::{
    decode::{Content, Packet, Transport, Undecoded},
    facts::Fact,
};

const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;

/// Hands the facts in `packet` to `each`; `local` are the prefixes on this segment.
///
/// # Errors
/// When the frame carries a protocol that should speak of endpoints and cannot be decoded.
#[inline]
pub fn observe(packet: &Packet<'_>, local: &[IpNetwork], mut each: impl FnMut(Fact)) -> Result<(), Undecoded> {
    match &packet.content {
        Content::Unread => Ok(()),
        Content::Arp(arp) => {
            address::arp(arp).map(Fact::Binding).into_iter().for_each(each);
            Ok(())
        }
        Content::Lldp(payload) => {
            lldp::neighbour(packet, payload)?.map(Fact::Neighbour).into_iter().for_each(each);
            Ok(())
        }
        Content::Ip(ip) => {
            if !local.is_empty() {
                address::ip_source(packet, &ip.header, local).map(Fact::Binding).into_iter().for_each(&mut each);
            }
            match &ip.transport {
                Transport::Udp(udp) if is_dhcp(udp.source_port, udp.destination_port) => {
                    // The start of a fragmented message is no message.
                    if ip.header.fragment.is_some() { Ok(()) } else { dhcp::facts(udp.payload, each) }
                }
                Transport::Icmpv6(icmp) => {
                    address::nd(&ip.header, icmp)?.map(Fact::Binding).into_iter().for_each(each);
                    Ok(())
                }
                _ => Ok(()),
            }
        }
    }
}

const fn is_dhcp(source: u16, destination: u16) -> bool {
    matches!((source, destination), (DHCP_CLIENT | DHCP_SERVER, DHCP_SERVER) | (DHCP_SERVER, DHCP_CLIENT))
}
