//! The names under which frames that could not be decoded are counted.
//!
//! Invariant: a name, once released, keeps its meaning; names are part of the `replay` contract and of the metrics.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a frame, or a layer of it, could not be decoded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// Number of reasons.
            pub const COUNT: usize = Self::ALL.len();

            /// Returns the stable name, in snake_case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    /// The capture's link type is not one the product reads.
    LinkType = "link_type",
    /// The capture kept fewer bytes than the headers need.
    CutByCapture = "cut_by_capture",
    /// An Ethernet header (14 bytes) does not fit.
    EthernetShort = "ethernet_short",
    /// A Linux cooked header does not fit.
    CookedShort = "cooked_short",
    /// A loopback header (4 bytes) does not fit.
    LoopbackShort = "loopback_short",
    /// A loopback header names an address family that is not IP.
    LoopbackFamily = "loopback_family",
    /// A VLAN tag does not fit.
    VlanShort = "vlan_short",
    /// More VLAN tags follow each other than any network stacks.
    VlanDepth = "vlan_depth",
    /// An EtherType the product does not read.
    EtherType = "ethertype",
    /// An LLC or SNAP header does not fit.
    LlcShort = "llc_short",
    /// An LLC service access point the product does not read (IS-IS is one).
    LlcService = "llc_service",
    /// A SNAP organisation the product does not read (VTP is one of Cisco's).
    SnapProtocol = "snap_protocol",
    /// An ARP packet does not fit.
    ArpShort = "arp_short",
    /// An ARP packet that is not about IPv4 over Ethernet.
    ArpFormat = "arp_format",
    /// Neither IPv4 nor IPv6 where IP has to be.
    IpVersion = "ip_version",
    /// An IPv4 header does not fit.
    Ipv4Short = "ipv4_short",
    /// An IPv4 header length below 20 bytes or beyond the packet.
    Ipv4HeaderLength = "ipv4_header_length",
    /// An IPv4 total length below the header's, or beyond the frame.
    Ipv4TotalLength = "ipv4_total_length",
    /// An IPv6 header does not fit.
    Ipv6Short = "ipv6_short",
    /// An IPv6 payload length beyond the frame.
    Ipv6PayloadLength = "ipv6_payload_length",
    /// An IPv6 extension header does not fit.
    Ipv6Extension = "ipv6_extension",
    /// More IPv6 extension headers follow each other than any host sends.
    Ipv6ExtensionDepth = "ipv6_extension_depth",
    /// A TCP header does not fit.
    TcpShort = "tcp_short",
    /// A TCP data offset below 20 bytes or beyond the segment.
    TcpHeaderLength = "tcp_header_length",
    /// A UDP header does not fit.
    UdpShort = "udp_short",
    /// A UDP length below 8 or beyond the packet.
    UdpLength = "udp_length",
    /// An ICMP header does not fit.
    IcmpShort = "icmp_short",
    /// An ICMPv6 header does not fit.
    Icmpv6Short = "icmpv6_short",
    /// A neighbour discovery message does not fit.
    NdShort = "nd_short",
    /// A neighbour discovery option of length zero or beyond the message.
    NdOption = "nd_option",
    /// A BOOTP header does not fit.
    DhcpShort = "dhcp_short",
    /// A BOOTP message without DHCP's magic cookie.
    DhcpCookie = "dhcp_cookie",
    /// A DHCP option beyond the message, or of a length its kind cannot have.
    DhcpOption = "dhcp_option",
    /// An LLDP element beyond the frame.
    LldpShort = "lldp_short",
    /// An LLDP element of a length its kind cannot have.
    LldpElement = "lldp_element",
    /// An LLDP frame whose mandatory elements do not come first and in order.
    LldpOrder = "lldp_order",
    /// An SCTP common header does not fit.
    SctpShort = "sctp_short",
    /// A provider backbone header (802.1ah) does not fit.
    BackboneShort = "backbone_short",
    /// An MPLS label, or the control word of a pseudowire, does not fit.
    MplsShort = "mpls_short",
    /// More MPLS labels follow each other than any network stacks.
    MplsDepth = "mpls_depth",
    /// Neither IP nor a pseudowire behind MPLS labels.
    MplsPayload = "mpls_payload",
    /// A PPPoE header does not fit.
    PppoeShort = "pppoe_short",
    /// A protocol of PPP the product does not read (its link control is one).
    PppProtocol = "ppp_protocol",
    /// A CDP announcement or an element of it does not fit.
    CdpShort = "cdp_short",
    /// A CDP element of a length below that of its own header.
    CdpElement = "cdp_element",
    /// A spanning tree message does not fit.
    StpShort = "stp_short",
    /// A spanning tree message of a protocol or kind that is none.
    StpProtocol = "stp_protocol",
    /// A message of multicast DNS, LLMNR or NetBIOS names, or a record of it, does not fit.
    NamesShort = "names_short",
    /// A name in such a message of more labels than any name has, or with one that is none.
    NamesLabel = "names_label",
    /// A NetBIOS datagram does not fit.
    NetbiosShort = "netbios_short",
    /// A NetBIOS datagram with a name that is none.
    NetbiosName = "netbios_name",
    /// A DHCPv6 header does not fit.
    Dhcpv6Short = "dhcpv6_short",
    /// A DHCPv6 option beyond the message.
    Dhcpv6Option = "dhcpv6_option",
    /// A GRE header, or what its flags promise, does not fit.
    GreShort = "gre_short",
    /// A GRE header of a version, or with a source route, that the product does not read.
    GreFormat = "gre_format",
    /// GRE that carries what is no packet and no frame.
    GreProtocol = "gre_protocol",
    /// A header of ERSPAN does not fit.
    ErspanShort = "erspan_short",
    /// More tunnels are inside each other than any network nests.
    TunnelDepth = "tunnel_depth",
}

impl Reason {
    /// Returns the reason's number, below [`Reason::COUNT`].
    #[expect(clippy::as_conversions, reason = "the number of a field-less variant")]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns whether more bytes might have made the layer readable.
    pub const fn is_short(self) -> bool {
        matches!(
            self,
            Self::EthernetShort
                | Self::CookedShort
                | Self::LoopbackShort
                | Self::VlanShort
                | Self::LlcShort
                | Self::ArpShort
                | Self::Ipv4Short
                | Self::Ipv6Short
                | Self::Ipv6Extension
                | Self::TcpShort
                | Self::UdpShort
                | Self::SctpShort
                | Self::BackboneShort
                | Self::MplsShort
                | Self::PppoeShort
                | Self::GreShort
                | Self::ErspanShort
                | Self::IcmpShort
                | Self::Icmpv6Short
                | Self::NdShort
                | Self::NdOption
                | Self::DhcpShort
                | Self::DhcpOption
                | Self::LldpShort
                | Self::CdpShort
                | Self::StpShort
                | Self::NamesShort
                | Self::NetbiosShort
                | Self::Dhcpv6Short
                | Self::Dhcpv6Option
                | Self::TcpHeaderLength
                | Self::Ipv4HeaderLength
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_snake_case_and_numbers_are_dense() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::COUNT);
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')));
        assert!(Reason::ALL.iter().enumerate().all(|(at, reason)| reason.index() == at));
    }
}
