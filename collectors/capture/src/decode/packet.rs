//! A whole frame, from its link layer to its transport header.
//!
//! Invariant: the outer layers stay usable when an inner one cannot be read: the fault is noted beside them.

use std::net::IpAddr;

use onenet_topology::MacAddr;

use super::{
    Reason, Undecoded,
    arp::Arp,
    icmp::Icmp,
    ip::{IpHeader, protocol},
    link::{Link, Protocol},
    sctp::Sctp,
    tcp::Tcp,
    udp::Udp,
};
use crate::link::{FrameMeta, LinkType};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_LLDP: u16 = 0x88cc;
/// Spanning tree's service access point (IEEE 802.1D), and the bytes of LLC in front of it.
const LLC_SPANNING_TREE: u8 = 0x42;
const LLC_BYTES: usize = 3;
/// Cisco's organisation in SNAP, and its protocols: discovery, and spanning tree VLAN by VLAN.
const CISCO: [u8; 3] = [0x00, 0x00, 0x0c];
const CISCO_DISCOVERY: u16 = 0x2000;
const CISCO_SPANNING_TREE: u16 = 0x010b;

/// A decoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The sender's address, where the link type has one.
    pub source: Option<MacAddr>,
    /// The receiver's address, where the link type has one.
    pub destination: Option<MacAddr>,
    /// Id of the outermost VLAN.
    pub vlan: Option<u16>,
    /// Id of the VLAN inside that one.
    pub inner_vlan: Option<u16>,
    /// The virtual network that a tunnel says that the packet belongs to.
    pub network: Option<u32>,
    /// Whether the capturing host sent the frame.
    pub outgoing: bool,
    /// Whether it was carried for others, from a segment elsewhere: what it says of link addresses does not count here.
    pub foreign: bool,
    /// Whether the end is missing through no fault of the sender.
    pub(crate) cut: bool,
    /// What the frame carries.
    pub content: Content<'a>,
    /// The first thing in the frame that could not be decoded, or was decoded although it contradicts itself.
    pub fault: Option<Undecoded>,
}

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// Something that is not read, see [`Packet::fault`].
    Unread,
    /// Address resolution.
    Arp(Arp),
    /// An IP packet.
    Ip(Ip<'a>),
    /// A link layer discovery unit, not yet read.
    Lldp(&'a [u8]),
    /// An announcement of Cisco's discovery protocol, not yet read.
    Cdp(&'a [u8]),
    /// What a bridge says of the spanning tree, not yet read.
    SpanningTree(&'a [u8]),
}

/// An IP packet with its transport layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip<'a> {
    /// The header.
    pub header: IpHeader<'a>,
    /// What it carries.
    pub transport: Transport<'a>,
}

/// What an IP packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport<'a> {
    /// A TCP segment.
    Tcp(Tcp<'a>),
    /// A UDP datagram.
    Udp(Udp<'a>),
    /// An SCTP packet.
    Sctp(Sctp),
    /// An ICMP message.
    Icmp(Icmp<'a>),
    /// An ICMPv6 message.
    Icmpv6(Icmp<'a>),
    /// A protocol without ports.
    Other,
    /// A part other than the first: its transport header was in another frame.
    LaterFragment,
    /// A transport header that could not be read.
    Unread,
}

impl<'a> Packet<'a> {
    /// Returns what the frame says, as far as it can be read.
    ///
    /// # Errors
    /// When not even the link layer can be read.
    #[inline]
    pub fn parse(link_type: LinkType, meta: FrameMeta, bytes: &'a [u8]) -> Result<Self, Undecoded> {
        // Where the capture cut the frame, that bytes are missing is no fault of the sender.
        let cut = usize::try_from(meta.wire_length).is_ok_and(|length| length > bytes.len());
        let link = Link::parse(link_type, meta.vlan, bytes).map_err(|fault| fault.blamed(cut))?;
        let mut packet = Self::from_link(&link, bytes, cut);
        packet.outgoing = meta.outgoing || link.outgoing;
        Ok(packet)
    }

    /// Returns what is behind a link layer in `bytes`, the end of which may be `cut` off.
    #[inline]
    pub(crate) fn from_link(link: &Link<'a>, bytes: &'a [u8], cut: bool) -> Self {
        let mut packet = Self {
            source: link.source,
            destination: link.destination,
            vlan: link.vlan,
            inner_vlan: link.inner_vlan,
            network: None,
            outgoing: false,
            foreign: link.carries_frame,
            cut,
            content: Content::Unread,
            fault: None,
        };
        if let Err(fault) = packet.read_content(link, bytes, cut) {
            packet.fault = Some(fault.blamed(cut));
        }
        packet
    }

    #[inline]
    fn read_content(&mut self, link: &Link<'a>, frame: &[u8], cut: bool) -> Result<(), Undecoded> {
        let payload = link.payload;
        let placed = |fault: Undecoded| fault.seen_from(frame, payload);
        let header = match link.protocol? {
            Protocol::EtherType(ETHERTYPE_IPV4) => IpHeader::parse_v4(payload).map_err(placed)?,
            Protocol::EtherType(ETHERTYPE_IPV6) => IpHeader::parse_v6(payload).map_err(placed)?,
            Protocol::Ip => IpHeader::parse(payload).map_err(placed)?,
            Protocol::EtherType(ETHERTYPE_ARP) if !link.carries_frame => {
                self.content = Content::Arp(Arp::parse(payload).map_err(placed)?);
                return Ok(());
            }
            Protocol::EtherType(ETHERTYPE_LLDP) if !link.carries_frame => {
                self.content = Content::Lldp(payload);
                return Ok(());
            }
            Protocol::Llc(LLC_SPANNING_TREE) if !link.carries_frame => {
                self.content = Content::SpanningTree(payload.get(LLC_BYTES..).unwrap_or_default());
                return Ok(());
            }
            Protocol::Snap(CISCO, CISCO_SPANNING_TREE) if !link.carries_frame => {
                self.content = Content::SpanningTree(payload);
                return Ok(());
            }
            Protocol::Snap(CISCO, CISCO_DISCOVERY) if !link.carries_frame => {
                self.content = Content::Cdp(payload);
                return Ok(());
            }
            Protocol::EtherType(number) => return Err(placed(Undecoded::new(Reason::EtherType, 0, 0, number.into()))),
            Protocol::Llc(point) => return Err(placed(Undecoded::new(Reason::LlcService, 0, 0xaa, point.into()))),
            Protocol::Snap(_, number) => {
                return Err(placed(Undecoded::new(Reason::SnapProtocol, 0, 0, number.into())));
            }
        };
        let (transport, fault) = match read_transport(&header) {
            Ok(transport) => (transport, None),
            Err(fault) => (Transport::Unread, Some(fault.seen_from(frame, header.payload))),
        };
        self.content = Content::Ip(Ip { header, transport });
        if header.missing == 0 && fault.is_none() {
            return Ok(());
        }
        let promised = (header.missing != 0 && !cut).then(|| {
            let reason = if header.source.is_ipv4() { Reason::Ipv4TotalLength } else { Reason::Ipv6PayloadLength };
            placed(Undecoded::new(reason, 2, payload.len().saturating_add(header.missing), payload.len()))
        });
        promised.or(fault).map_or(Ok(()), Err)
    }

    /// Returns the packet's IP addresses, source first.
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        match &self.content {
            Content::Ip(ip) => Some((ip.header.source, ip.header.destination)),
            _ => None,
        }
    }
}

#[inline]
fn read_transport<'a>(header: &IpHeader<'a>) -> Result<Transport<'a>, Undecoded> {
    if header.is_later_fragment() {
        return Ok(Transport::LaterFragment);
    }
    match header.protocol {
        protocol::TCP => Tcp::parse(header.payload).map(Transport::Tcp),
        protocol::UDP => Udp::parse(header.payload).map(Transport::Udp),
        protocol::SCTP => Sctp::parse(header.payload).map(Transport::Sctp),
        protocol::ICMP => Icmp::parse(header.payload).map(Transport::Icmp),
        protocol::ICMPV6 => Icmp::parse_v6(header.payload).map(Transport::Icmpv6),
        _ => Ok(Transport::Other),
    }
}
