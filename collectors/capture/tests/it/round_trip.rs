//! Packets that another implementation (pnet) wrote are read back as they were meant.

use std::net::{Ipv4Addr, Ipv6Addr};

use onenet_capture::decode::{Content, Transport, ip::IpHeader, tcp::Tcp, udp::Udp};
use onenet_topology::MacAddr;
use pnet::{
    packet::{
        Packet as _,
        arp::{ArpHardwareTypes, ArpOperations, MutableArpPacket},
        ethernet::{EtherTypes, MutableEthernetPacket},
        ip::IpNextHeaderProtocols,
        ipv4::{self, MutableIpv4Packet},
        ipv6::MutableIpv6Packet,
        tcp::MutableTcpPacket,
        udp::MutableUdpPacket,
    },
    util,
};
use proptest::{collection::vec, prelude::*};

use crate::frames;

proptest! {
    #[test]
    fn arp_written_by_pnet_reads_back(sender: [u8; 6], sender_ip: [u8; 4], target: [u8; 6], target_ip: [u8; 4], reply: bool) {
        let mut body = [0; 28];
        let mut arp = MutableArpPacket::new(&mut body).unwrap();
        arp.set_hardware_type(ArpHardwareTypes::Ethernet);
        arp.set_protocol_type(EtherTypes::Ipv4);
        arp.set_hw_addr_len(6);
        arp.set_proto_addr_len(4);
        arp.set_operation(if reply { ArpOperations::Reply } else { ArpOperations::Request });
        arp.set_sender_hw_addr(util::MacAddr::from(sender));
        arp.set_sender_proto_addr(sender_ip.into());
        arp.set_target_hw_addr(util::MacAddr::from(target));
        arp.set_target_proto_addr(target_ip.into());
        let mut frame = [0; 42];
        let mut ethernet = MutableEthernetPacket::new(&mut frame).unwrap();
        ethernet.set_source(util::MacAddr::from(sender));
        ethernet.set_destination(util::MacAddr::broadcast());
        ethernet.set_ethertype(EtherTypes::Arp);
        ethernet.set_payload(arp.packet());
        let packet = frames::packet(&frame);
        prop_assert_eq!((packet.source, packet.destination), (Some(MacAddr(sender)), Some(MacAddr::BROADCAST)));
        let Content::Arp(arp) = packet.content else { panic!("no ARP: {packet:?}") };
        prop_assert_eq!((arp.sender_mac, arp.sender_ip), (MacAddr(sender), Ipv4Addr::from(sender_ip)));
        prop_assert_eq!((arp.target_mac, arp.target_ip), (MacAddr(target), Ipv4Addr::from(target_ip)));
        prop_assert_eq!(arp.operation, if reply { 2 } else { 1 });
    }

    #[test]
    fn tcp_over_ipv4_written_by_pnet_reads_back(
        from: [u8; 4], to: [u8; 4], ports: (u16, u16), sequence: u32, flags: u8, payload in vec(any::<u8>(), 0..200),
        option_words in 0_u8..=10,
    ) {
        let header = 20 + usize::from(option_words) * 4;
        let mut segment = vec![1; header + payload.len()];
        let mut tcp = MutableTcpPacket::new(&mut segment).unwrap();
        tcp.set_source(ports.0);
        tcp.set_destination(ports.1);
        tcp.set_sequence(sequence);
        tcp.set_flags(flags);
        tcp.set_data_offset(5 + option_words);
        segment[header..].copy_from_slice(&payload);
        let mut bytes = vec![0; 20 + segment.len()];
        let mut packet = MutableIpv4Packet::new(&mut bytes).unwrap();
        packet.set_version(4);
        packet.set_header_length(5);
        packet.set_total_length((20 + segment.len()) as u16);
        packet.set_ttl(9);
        packet.set_next_level_protocol(IpNextHeaderProtocols::Tcp);
        packet.set_source(from.into());
        packet.set_destination(to.into());
        packet.set_payload(&segment);
        let sum = ipv4::checksum(&packet.to_immutable());
        packet.set_checksum(sum);
        let header = IpHeader::parse(&bytes).unwrap();
        prop_assert_eq!((header.source, header.destination), (Ipv4Addr::from(from).into(), Ipv4Addr::from(to).into()));
        prop_assert_eq!((header.hop_limit, header.protocol, header.missing), (9, 6, 0));
        let read = Tcp::parse(header.payload).unwrap();
        prop_assert_eq!((read.source_port, read.destination_port), ports);
        prop_assert_eq!((read.sequence, read.flags, read.payload), (sequence, flags, &payload[..]));
        prop_assert_eq!(read.options.len(), usize::from(option_words) * 4);
    }

    #[test]
    fn udp_over_ipv6_written_by_pnet_reads_back(
        from: [u8; 16], to: [u8; 16], ports: (u16, u16), payload in vec(any::<u8>(), 0..200), padding in 0_usize..20,
    ) {
        let mut datagram = vec![0; 8 + payload.len()];
        let mut udp = MutableUdpPacket::new(&mut datagram).unwrap();
        udp.set_source(ports.0);
        udp.set_destination(ports.1);
        udp.set_length((8 + payload.len()) as u16);
        udp.set_payload(&payload);
        let mut bytes = vec![0; 40 + datagram.len() + padding];
        let mut packet = MutableIpv6Packet::new(&mut bytes).unwrap();
        packet.set_version(6);
        packet.set_payload_length(datagram.len() as u16);
        packet.set_next_header(IpNextHeaderProtocols::Udp);
        packet.set_source(Ipv6Addr::from(from));
        packet.set_destination(Ipv6Addr::from(to));
        packet.set_payload(&datagram);
        let frame = frames::ethernet(frames::ANNA, frames::BERT, frames::IPV6, &bytes);
        let read = frames::packet(&frame);
        prop_assert_eq!(read.addresses(), Some((Ipv6Addr::from(from).into(), Ipv6Addr::from(to).into())));
        let Content::Ip(ip) = read.content else { panic!("no IP: {read:?}") };
        let Transport::Udp(udp) = ip.transport else { panic!("no UDP: {ip:?}") };
        prop_assert_eq!((udp.source_port, udp.destination_port, udp.payload), (ports.0, ports.1, &payload[..]));
        prop_assert_eq!(Udp::parse(&datagram).unwrap(), udp);
    }
}
