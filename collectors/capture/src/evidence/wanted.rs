//! Which packets belong to a piece of evidence.

use std::net::IpAddr;

use onenet_topology::MacAddr;

use super::store::Kept;
use crate::{
    FrameMeta, FrameTime, LinkType,
    decode::{Content, Packet, Transport},
};

/// Whose packets are wanted, and of when. What is left empty does not restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// One of these sent or received the packet, or is who an ARP packet is about.
    pub addresses: Vec<IpAddr>,
    /// One of these sent or received the frame, or is who an ARP packet is about. A packet of one of the addresses is wanted
    /// as well.
    pub macs: Vec<MacAddr>,
    /// One of these is a port of the packet. Packets without ports are wanted when there are none here.
    pub ports: Vec<u16>,
    /// No packet before this.
    pub from: FrameTime,
    /// No packet after this.
    pub to: FrameTime,
    /// The most packets; of more, those nearest to the end of the time.
    pub packets_max: usize,
    /// The most bytes that the packets take in a file that is saved from memory; of more, those nearest to the end of the time.
    pub bytes_max: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            macs: Vec::new(),
            ports: Vec::new(),
            from: FrameTime::from_unix_ns(i64::MIN),
            to: FrameTime::from_unix_ns(i64::MAX),
            packets_max: 100_000,
            bytes_max: usize::MAX,
        }
    }
}

impl Wanted {
    /// Returns whether a packet is wanted.
    pub fn matches(&self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) -> bool {
        if time < self.from || time > self.to {
            return false;
        }
        if self.addresses.is_empty() && self.macs.is_empty() && self.ports.is_empty() {
            return true;
        }
        Packet::parse(link_type, meta, bytes).is_ok_and(|packet| self.is_of_hosts(&packet) && self.is_of_ports(&packet))
    }

    pub(super) fn matches_kept(&self, kept: &Kept<'_>) -> bool {
        self.matches(kept.time, kept.link_type, kept.meta, kept.bytes)
    }

    fn is_of_hosts(&self, packet: &Packet<'_>) -> bool {
        if self.addresses.is_empty() && self.macs.is_empty() {
            return true;
        }
        let is_address = |address: IpAddr| self.addresses.contains(&address);
        let is_mac = |mac: MacAddr| self.macs.contains(&mac);
        if packet.source.is_some_and(is_mac) || packet.destination.is_some_and(is_mac) {
            return true;
        }
        match &packet.content {
            Content::Ip(ip) => is_address(ip.header.source) || is_address(ip.header.destination),
            Content::Arp(arp) => {
                is_address(arp.sender_ip.into())
                    || is_address(arp.target_ip.into())
                    || is_mac(arp.sender_mac)
                    || is_mac(arp.target_mac)
            }
            _ => false,
        }
    }

    fn is_of_ports(&self, packet: &Packet<'_>) -> bool {
        if self.ports.is_empty() {
            return true;
        }
        let Content::Ip(ip) = &packet.content else { return false };
        let (source, destination) = match ip.transport {
            Transport::Tcp(tcp) => (tcp.source_port, tcp.destination_port),
            Transport::Udp(udp) => (udp.source_port, udp.destination_port),
            Transport::Sctp(sctp) => (sctp.source_port, sctp.destination_port),
            // The parts of a datagram whose first part has the port cannot be told from others of the same hosts.
            Transport::LaterFragment => return true,
            _ => return false,
        };
        self.ports.contains(&source) || self.ports.contains(&destination)
    }
}
