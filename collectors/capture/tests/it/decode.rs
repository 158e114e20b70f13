//! Each decoder against bytes whose meaning the standard fixes, and against the ways in which they are cut or lie.

use std::net::{IpAddr, Ipv4Addr};

use onenet_capture::{
    FrameMeta, LinkType, VlanTag,
    decode::{
        Content, Packet, Reason, Transport,
        arp::Arp,
        dhcp::{Dhcp, MessageKind},
        icmp::Icmp,
        ip::{Fragment, IpHeader},
        lldp::{Lldp, Name},
        nd::{Message, Nd},
        tcp::Tcp,
        udp::Udp,
    },
};
use onenet_topology::MacAddr;

use crate::frames::*;

fn fault(bytes: &[u8]) -> Option<Reason> {
    packet(bytes).fault.map(|fault| fault.reason)
}

#[test]
fn arp_is_read_and_padding_ignored() {
    let bytes = [
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02, // Ethernet, IPv4, lengths, reply
        0x78, 0x31, 0xc1, 0xc6, 0x3f, 0xc2, 0x0a, 0x00, 0x00, 0x02, // sender
        0xf8, 0xed, 0xa5, 0xc0, 0xa4, 0xf1, 0x0a, 0x00, 0x00, 0x01, // target
        0xff, 0xff, 0xff,
    ];
    let arp = Arp::parse(&bytes).unwrap();
    assert_eq!(arp.operation, 2);
    assert_eq!((arp.sender_mac.to_string().as_str(), arp.sender_ip), ("78:31:c1:c6:3f:c2", Ipv4Addr::new(10, 0, 0, 2)));
    assert_eq!((arp.target_mac.to_string().as_str(), arp.target_ip), ("f8:ed:a5:c0:a4:f1", Ipv4Addr::new(10, 0, 0, 1)));
}

#[test]
fn arp_that_is_cut_or_about_something_else_says_where() {
    let whole = arp(1, ANNA, ANNA_IP, BERT_IP);
    let cut = Arp::parse(&whole[..27]).unwrap_err();
    assert_eq!((cut.reason, cut.offset, cut.expected, cut.actual), (Reason::ArpShort, 27, 20, 19));
    let mut lies = whole.clone();
    lies[4] = 255;
    let lies = Arp::parse(&lies).unwrap_err();
    assert_eq!((lies.reason, lies.offset, lies.expected, lies.actual), (Reason::ArpFormat, 4, 6, 255));
}

#[test]
fn tags_are_taken_off_outermost_first() {
    let inside = tagged(0x6064, 0x8100, &tagged(7, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)));
    let frame = ethernet(ANNA, MacAddr::BROADCAST, 0x88a8, &inside);
    let packet = packet(&frame);
    assert_eq!((packet.vlan, packet.inner_vlan), (Some(100), Some(7)));
    assert!(matches!(packet.content, Content::Arp(_)));
}

#[test]
fn the_tag_that_the_kernel_took_off_is_the_outermost() {
    let frame = ethernet(ANNA, BERT, 0x8100, &tagged(7, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)));
    let meta = FrameMeta { vlan: Some(VlanTag { protocol: 0x88a8, control: 100 }), ..whole(&frame) };
    let packet = Packet::parse(LinkType::Ethernet, meta, &frame).unwrap();
    assert_eq!((packet.vlan, packet.inner_vlan), (Some(100), Some(7)));
}

#[test]
fn a_priority_tag_names_no_vlan() {
    let frame = ethernet(ANNA, BERT, 0x8100, &tagged(0xe000, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)));
    assert_eq!(packet(&frame).vlan, None);
}

#[test]
fn tags_without_end_are_given_up() {
    let mut inside = arp(1, ANNA, ANNA_IP, BERT_IP);
    for _ in 0..20 {
        inside = tagged(1, 0x8100, &inside);
    }
    assert_eq!(fault(&ethernet(ANNA, BERT, 0x8100, &inside)), Some(Reason::VlanDepth));
    assert_eq!(fault(&ethernet(ANNA, BERT, 0x8100, &[0, 1])), Some(Reason::VlanShort));
}

#[test]
fn snap_carries_what_an_ethertype_names_and_the_length_ends_it() {
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 6][..], &arp(1, ANNA, ANNA_IP, BERT_IP)].concat();
    let frame = ethernet(ANNA, BERT, u16::try_from(snap.len()).unwrap(), &[&snap[..], &[0; 10]].concat());
    assert!(matches!(packet(&frame).content, Content::Arp(_)));
    // Novell's IPX, and Cisco's protocol for trunks.
    assert_eq!(fault(&ethernet(ANNA, BERT, 38, &[0xe0; 60])), Some(Reason::LlcService));
    let vtp = [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x03, 1, 2, 3, 4];
    assert_eq!(fault(&ethernet(ANNA, BERT, 12, &vtp)), Some(Reason::SnapProtocol));
    assert_eq!(fault(&ethernet(ANNA, BERT, 2, &[0xaa, 0xaa])), Some(Reason::LlcShort));
}

#[test]
fn what_a_provider_wraps_around_a_packet_is_taken_off_and_its_addresses_stay_those_of_the_link() {
    let datagram = ipv4(ANNA_IP, BERT_IP, 17, &udp(5, 6, b"ab"));
    let inner = ethernet(ANNA, BERT, IPV4, &datagram);
    let labels = [&[0, 1, 0x10, 64][..], &[0, 2, 0x11, 64]].concat();
    let pppoe = |protocol: [u8; 2]| {
        let length = u16::try_from(datagram.len() + 2).unwrap().to_be_bytes();
        [&[0x11, 0, 0, 7][..], &length, &protocol, &datagram, &[0; 4]].concat()
    };
    let wrapped = [
        (0x8847, [&labels[..], &datagram].concat()),
        (0x8848, [&labels[..], &[0; 4], &inner].concat()),
        (0x8864, pppoe([0, 0x21])),
        (0x88e7, [&[0, 0, 0, 9][..], &inner].concat()),
        (0x8100, tagged(7, 0x8847, &[&labels[..], &datagram].concat())),
    ];
    for (kind, payload) in &wrapped {
        let frame = ethernet(ROUTER, BERT, *kind, payload);
        let packet = packet(&frame);
        assert_eq!((packet.source, packet.fault), (Some(ROUTER), None), "{kind:#x}");
        assert_eq!(packet.addresses(), Some((ANNA_IP.into(), BERT_IP.into())), "{kind:#x}");
    }
    for (kind, whole) in &wrapped {
        // PPPoE is padded by four bytes here, which nobody misses.
        let needed = whole.len() - if *kind == 0x8864 { 4 } else { 0 };
        for length in 0..needed {
            let frame = ethernet(ROUTER, BERT, *kind, &whole[..length]);
            assert!(packet(&frame).fault.is_some(), "{kind:#x} cut to {length}");
        }
    }
    assert_eq!(fault(&ethernet(ROUTER, BERT, 0x8864, &pppoe([0xc0, 0x21]))), Some(Reason::PppProtocol));
    assert_eq!(fault(&ethernet(ROUTER, BERT, 0x8847, &[[0, 1, 0x10, 64]; 20].concat())), Some(Reason::MplsDepth));
    assert_eq!(fault(&ethernet(ROUTER, BERT, 0x8847, &[0, 1, 0x11, 64, 0x90])), Some(Reason::MplsPayload));
}

#[test]
fn what_a_customers_frame_says_of_link_addresses_is_not_of_this_link() {
    let inner = ethernet(ANNA, BERT, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP));
    let frame = ethernet(ROUTER, BERT, 0x88e7, &[&[0, 0, 0, 9][..], &inner].concat());
    assert_eq!((packet(&frame).content, fault(&frame)), (Content::Unread, Some(Reason::EtherType)));
}

#[test]
fn sctp_has_ports() {
    let frame = ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 132, &[0, 7, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8]));
    let decoded = packet(&frame);
    let Content::Ip(ip) = decoded.content else { panic!("{decoded:?}") };
    let Transport::Sctp(sctp) = ip.transport else { panic!("{:?}", ip.transport) };
    assert_eq!((sctp.source_port, sctp.destination_port), (7, 80));
    assert_eq!(fault(&ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 132, &[0; 11]))), Some(Reason::SctpShort));
}

#[test]
fn ipv4_options_are_skipped_and_padding_is_no_payload() {
    let mut bytes = ipv4(ANNA_IP, BERT_IP, 17, &[&[1, 1, 1, 0][..], &udp(5, 6, b"ab")].concat());
    bytes[0] = 0x46;
    bytes.extend([0; 9]);
    let header = IpHeader::parse_v4(&bytes).unwrap();
    assert_eq!((header.length, header.payload.len(), header.missing), (34, 10, 0));
    assert_eq!(Udp::parse(header.payload).unwrap().payload, b"ab");
}

#[test]
fn ipv4_lengths_that_contradict_each_other_are_refused() {
    let good = ipv4(ANNA_IP, BERT_IP, 17, &udp(5, 6, b"ab"));
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        IpHeader::parse_v4(&bytes).map(|header| header.missing).map_err(|fault| fault.reason)
    };
    assert_eq!(with(0, 0x44), Err(Reason::Ipv4HeaderLength));
    assert_eq!(with(0, 0x4f), Err(Reason::Ipv4HeaderLength));
    assert_eq!(with(0, 0x55), Err(Reason::IpVersion));
    assert_eq!(with(3, 19), Err(Reason::Ipv4TotalLength));
    assert_eq!(with(3, 40), Ok(10));
    assert_eq!(IpHeader::parse_v4(&good[..19]).unwrap_err().reason, Reason::Ipv4Short);
}

#[test]
fn a_packet_that_promises_more_than_its_frame_holds_is_counted_and_still_read() {
    let mut bytes = ipv4(ANNA_IP, BERT_IP, 17, &udp(5, 6, b"ab"));
    bytes[3] += 10;
    let frame = ethernet(ANNA, BERT, IPV4, &bytes);
    assert_eq!(fault(&frame), Some(Reason::Ipv4TotalLength));
    assert!(matches!(packet(&frame).content, Content::Ip(ip) if matches!(ip.transport, Transport::Udp(_))));
    // The same bytes of a frame that the capture cut are nobody's fault.
    let meta = FrameMeta::whole(u32::try_from(frame.len()).unwrap() + 10);
    assert_eq!(Packet::parse(LinkType::Ethernet, meta, &frame).unwrap().fault, None);
}

#[test]
fn what_the_capture_cut_off_is_blamed_on_the_capture() {
    let frame = segment(true, 1, SYN, 0);
    let cut = &frame[..40];
    let meta = FrameMeta::whole(u32::try_from(frame.len()).unwrap());
    let fault = Packet::parse(LinkType::Ethernet, meta, cut).unwrap().fault.unwrap();
    assert_eq!((fault.reason, fault.offset), (Reason::CutByCapture, 40));
    // Where the capture is whole, it is the packet that promises what is not there.
    assert_eq!(self::fault(cut), Some(Reason::Ipv4TotalLength));
}

#[test]
fn a_total_length_of_zero_is_a_segment_that_the_card_will_cut() {
    let mut bytes = ipv4(ANNA_IP, BERT_IP, 6, &tcp(1, 2, 3, ACK, &[0; 100]));
    bytes[2..4].copy_from_slice(&[0, 0]);
    assert_eq!(IpHeader::parse_v4(&bytes).unwrap().payload.len(), 120);
}

#[test]
fn fragments_are_told_by_offset_and_by_more() {
    let part = |position| {
        let bytes = ipv4_part(ANNA_IP, BERT_IP, 17, (0xbeef, position), &[0; 8]);
        let header = IpHeader::parse_v4(&bytes).unwrap();
        (header.fragment, header.is_later_fragment())
    };
    assert_eq!(part(0x4000), (None, false));
    assert_eq!(part(0x2000), (Some(Fragment { id: 0xbeef, offset: 0, more: true }), false));
    assert_eq!(part(0x00b9), (Some(Fragment { id: 0xbeef, offset: 1480, more: false }), true));
}

#[test]
fn ipv6_extension_headers_lead_to_the_transport() {
    let (from, to) = ("fe80::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
    let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0];
    let destination = [51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let authentication = [44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let fragment = [17, 0, 0, 1, 0, 0, 0, 9];
    let chain = [&hop_by_hop[..], &destination, &authentication, &fragment, &udp(5, 6, b"ab")].concat();
    let bytes = ipv6(from, to, 0, 64, &chain);
    let header = IpHeader::parse(&bytes).unwrap();
    assert_eq!(header.protocol, 17);
    assert_eq!(header.fragment, Some(Fragment { id: 9, offset: 0, more: true }));
    assert_eq!((header.source, header.destination), (IpAddr::V6(from), IpAddr::V6(to)));
    assert_eq!(Udp::parse(header.payload).unwrap().payload, b"ab");
    let cut = IpHeader::parse(&bytes[..50]).unwrap_err();
    assert_eq!((cut.reason, cut.offset), (Reason::Ipv6Extension, 48));
}

#[test]
fn extension_headers_without_end_are_given_up() {
    let chain: Vec<u8> = [60, 0, 1, 4, 0, 0, 0, 0].repeat(100);
    let bytes = ipv6("::1".parse().unwrap(), "::2".parse().unwrap(), 60, 64, &chain);
    assert_eq!(IpHeader::parse(&bytes).unwrap_err().reason, Reason::Ipv6ExtensionDepth);
}

#[test]
fn tcp_is_read_with_its_options() {
    let mut bytes = tcp(443, 50_000, 0x0102_0304, SYN | ACK, b"");
    bytes[12] = 0x60;
    bytes.extend([2, 4, 5, 0xb4, b'h', b'i']);
    let segment = Tcp::parse(&bytes).unwrap();
    assert_eq!((segment.source_port, segment.destination_port, segment.sequence), (443, 50_000, 0x0102_0304));
    assert_eq!((segment.window, segment.options, segment.payload), (0x2000, &[2, 4, 5, 0xb4][..], &b"hi"[..]));
    assert!(segment.answers() && !segment.opens());
    for offset in [0x40, 0xf0] {
        bytes[12] = offset;
        assert_eq!(Tcp::parse(&bytes).unwrap_err().reason, Reason::TcpHeaderLength);
    }
    assert_eq!(Tcp::parse(&bytes[..19]).unwrap_err().reason, Reason::TcpShort);
}

#[test]
fn a_udp_length_below_its_header_is_refused_and_zero_is_a_jumbogram() {
    let mut bytes = udp(1, 2, b"abc");
    bytes[4..6].copy_from_slice(&[0, 7]);
    assert_eq!(Udp::parse(&bytes).unwrap_err().reason, Reason::UdpLength);
    bytes[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(Udp::parse(&bytes).unwrap().payload, b"abc");
}

#[test]
fn neighbour_advertisements_tell_address_and_card() {
    let target = "fe80::21b:21ff:fe00:a".parse().unwrap();
    let body = [&[136, 0, 0, 0, 0xe0, 0, 0, 0][..], &target_octets(target), &[2, 1], &ANNA.0].concat();
    let nd = Nd::parse(&Icmp::parse_v6(&body).unwrap()).unwrap().unwrap();
    assert_eq!(nd.message, Message::NeighbourAdvertisement { target, router: true });
    assert_eq!((nd.source_link, nd.target_link), (None, Some(ANNA)));
}

#[test]
fn router_advertisements_tell_prefix_and_mtu() {
    let prefix = [&[3, 4, 64, 0xc0][..], &[0; 12], &[0x20, 1, 0xd, 0xb8], &[0; 12]].concat();
    let mtu = [5, 1, 0, 0, 0, 0, 0x05, 0xdc];
    let source = [&[1, 1][..], &ROUTER.0].concat();
    let body = [&[134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0][..], &prefix, &mtu, &source].concat();
    let nd = Nd::parse(&Icmp::parse_v6(&body).unwrap()).unwrap().unwrap();
    assert_eq!(nd.message, Message::RouterAdvertisement { lifetime_s: 1800 });
    assert_eq!(nd.prefix, Some(("2001:db8::".parse().unwrap(), 64)));
    assert_eq!((nd.mtu, nd.source_link), (Some(1500), Some(ROUTER)));
}

#[test]
fn a_neighbour_discovery_option_of_length_zero_does_not_hang() {
    let body = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &[0; 16], &[1, 0, 1, 2, 3, 4, 5, 6]].concat();
    let fault = Nd::parse(&Icmp::parse_v6(&body).unwrap()).unwrap_err();
    assert_eq!((fault.reason, fault.offset, fault.actual), (Reason::NdOption, 21, 0));
}

#[test]
fn dhcp_options_tell_what_the_client_is() {
    let options = [
        &[53, 1, 3][..],
        &[50, 4, 10, 0, 0, 10],
        &[54, 4, 10, 0, 0, 1],
        &[12, 4],
        b"desk",
        &[60, 8],
        b"MSFT 5.0",
        &[55, 3, 1, 3, 6, 0, 0],
        &[61, 7, 1, 0, 0x1b, 0x21, 0, 0, 0x0a],
    ];
    let bytes = dhcp(1, ANNA, Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, &options.concat());
    let message = Dhcp::parse(&bytes).unwrap();
    assert!(message.from_client);
    assert_eq!(
        (message.kind, message.client_mac, message.transaction),
        (MessageKind::Request, Some(ANNA), 0xdead_beef)
    );
    assert_eq!((message.requested_ip, message.server), (Some(ANNA_IP), Some(Ipv4Addr::new(10, 0, 0, 1))));
    assert_eq!((message.hostname, message.vendor_class), (Some(&b"desk"[..]), Some(&b"MSFT 5.0"[..])));
    assert_eq!(message.parameter_list, Some(&[1, 3, 6][..]));
    assert_eq!(message.client_id.map(<[u8]>::len), Some(7));
}

#[test]
fn dhcp_options_go_on_in_the_fields_for_names_when_option_52_says_so() {
    let mut bytes = dhcp(1, ANNA, Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, &[53, 1, 1, 52, 1, 3]);
    bytes[108..114].copy_from_slice(&[60, 3, b'a', b'b', b'c', 255]);
    bytes[44..49].copy_from_slice(&[12, 2, b'p', b'c', 255]);
    let message = Dhcp::parse(&bytes).unwrap();
    assert_eq!((message.hostname, message.vendor_class), (Some(&b"pc"[..]), Some(&b"abc"[..])));
    // Without the option, they hold names.
    bytes[245] = 0;
    assert_eq!(Dhcp::parse(&bytes).unwrap().hostname, None);
}

#[test]
fn dhcp_that_is_cut_or_no_dhcp_says_so() {
    let bytes = dhcp(1, ANNA, Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, &[12, 200, b'a']);
    let fault = Dhcp::parse(&bytes).unwrap_err();
    assert_eq!((fault.reason, fault.offset, fault.expected), (Reason::DhcpOption, 240, 200));
    assert_eq!(Dhcp::parse(&bytes[..239]).unwrap_err().reason, Reason::DhcpShort);
    let mut bootp = bytes.clone();
    bootp[236] = 0;
    assert_eq!(Dhcp::parse(&bootp).unwrap_err().reason, Reason::DhcpCookie);
}

#[test]
fn lldp_tells_chassis_port_and_names() {
    let unit = [
        lldp_element(1, &[&[4][..], &ROUTER.0].concat()),
        lldp_element(2, b"\x05GigabitEthernet0/0/1"),
        lldp_element(3, &[0, 120]),
        lldp_element(4, b"uplink"),
        lldp_element(5, b"core"),
        lldp_element(6, b"S5720"),
        lldp_element(7, &[0, 0x14, 0, 0x04]),
        lldp_element(8, &[5, 1, 10, 0, 0, 1, 2, 0, 0, 0, 5, 0]),
        lldp_element(127, &[0, 0x80, 0xc2, 1, 0, 20]),
        lldp_element(0, &[]),
        vec![0xff; 7],
    ]
    .concat();
    let unit = Lldp::parse(&unit).unwrap();
    assert_eq!((unit.chassis, unit.port), (Name::Mac(ROUTER), Name::Text(b"GigabitEthernet0/0/1")));
    assert_eq!((unit.ttl_s, unit.port_vlan, unit.capabilities_enabled), (120, Some(20), Some(4)));
    assert_eq!((unit.port_description, unit.system_name), (Some(&b"uplink"[..]), Some(&b"core"[..])));
    assert_eq!(unit.management[0], Some(IpAddr::from([10, 0, 0, 1])));
}

#[test]
fn lldp_out_of_order_or_beyond_its_frame_says_where() {
    let [chassis, port, ttl] = [lldp_element(1, b"\x07c"), lldp_element(2, b"\x07p"), lldp_element(3, &[0, 1])];
    let parse = |parts: &[&[u8]]| Lldp::parse(&parts.concat()).map_err(|fault| (fault.reason, fault.offset)).err();
    assert_eq!(parse(&[&chassis, &port, &ttl]), None);
    assert_eq!(parse(&[&port, &chassis, &ttl]), Some((Reason::LldpOrder, 0)));
    assert_eq!(parse(&[&chassis, &ttl, &port]), Some((Reason::LldpOrder, 4)));
    assert_eq!(parse(&[&chassis, &port, &ttl, &port]), Some((Reason::LldpOrder, 12)));
    assert_eq!(parse(&[&chassis, &port, &ttl, &[0x0b, 0xff, 1]]), Some((Reason::LldpShort, 14)));
    assert_eq!(parse(&[&chassis, &port, &lldp_element(3, &[1])]), Some((Reason::LldpElement, 10)));
    assert_eq!(parse(&[&chassis, &port, &ttl, &lldp_element(8, &[9, 1])]), Some((Reason::LldpElement, 14)));
}

#[test]
fn cooked_loopback_and_raw_captures_lead_to_the_same_packet() {
    let inside = ipv4(ANNA_IP, BERT_IP, 17, &udp(5, 6, b"ab"));
    let cooked = [&[0, 4, 0, 1, 0, 6][..], &ANNA.0, &[0, 0, 8, 0], &inside].concat();
    let cooked2 = [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6][..], &ANNA.0, &[0, 0], &inside].concat();
    let cases = [
        (LinkType::LinuxCooked, cooked, Some(ANNA), true),
        (LinkType::LinuxCooked2, cooked2, Some(ANNA), true),
        (LinkType::RawIp, inside.clone(), None, false),
        (LinkType::Loopback, [&[2, 0, 0, 0][..], &inside].concat(), None, false),
        (LinkType::Loopback, [&[0, 0, 0, 2][..], &inside].concat(), None, false),
    ];
    for (link_type, bytes, source, outgoing) in cases {
        let packet = Packet::parse(link_type, whole(&bytes), &bytes).unwrap();
        assert_eq!(packet.addresses(), Some((ANNA_IP.into(), BERT_IP.into())), "{link_type:?}");
        assert_eq!((packet.source, packet.outgoing, packet.fault), (source, outgoing, None), "{link_type:?}");
    }
    let unknown = Packet::parse(LinkType::Other(147), whole(&inside), &inside).unwrap_err();
    assert_eq!((unknown.reason, unknown.actual), (Reason::LinkType, 147));
}

fn target_octets(target: std::net::Ipv6Addr) -> [u8; 16] {
    target.octets()
}
