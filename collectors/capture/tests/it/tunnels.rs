//! What is inside tunnels has flows of its own, and link addresses only where a switch mirrored it to here.

use std::net::Ipv4Addr;

use onenet_capture::{
    LinkType, Pipeline, PipelineOptions,
    decode::{Packet, Reason},
    flow::FlowRecord,
};

use crate::frames::*;

const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const GRE: u8 = 47;

fn datagram() -> Vec<u8> {
    ipv4(ANNA_IP, BERT_IP, 17, &udp(5_000, 161, b"inside"))
}

fn frame_inside() -> Vec<u8> {
    ethernet(ANNA, BERT, IPV4, &datagram())
}

fn between_routers(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(ROUTER, BERT, IPV4, &ipv4(NEAR, FAR, protocol, payload))
}

fn gre(flags: u16, kind: u16, fields: &[u8], payload: &[u8]) -> Vec<u8> {
    between_routers(GRE, &[&flags.to_be_bytes()[..], &kind.to_be_bytes(), fields, payload].concat())
}

fn over_udp(port: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
    between_routers(17, &udp(49_152, port, &[header, payload].concat()))
}

/// Each tunnel with a datagram of Anna's inside, and how long that is.
fn tunnels() -> Vec<(&'static str, Vec<u8>, usize)> {
    let (packet, frame) = (datagram(), frame_inside());
    let six = ipv6("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap(), 17, 64, &udp(5_000, 161, b"inside"));
    let bare = packet.len();
    let whole = frame.len();
    let erspan_3 = [0x20, 7, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let gtp = [0x34, 0xff, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0x85, 1, 0, 9, 0];
    vec![
        ("4in4", between_routers(4, &packet), bare),
        ("6in4", between_routers(41, &six), six.len()),
        ("gre", gre(0, IPV4, &[], &packet), bare),
        ("gre with checksum, key and number", gre(0xb000, IPV4, &[1; 12], &packet), bare),
        ("gre with mpls", gre(0, 0x8847, &[0, 1, 0x11, 64], &packet), bare + 4),
        ("nvgre", gre(0x2000, 0x6558, &[0, 0, 7, 0], &frame), whole),
        ("pptp", gre(0x3081, 0x880b, &[&[0; 12][..], &[0xff, 3, 0, 0x21]].concat(), &packet), bare),
        ("vxlan", over_udp(4789, &[8, 0, 0, 0, 0, 0, 7, 0], &frame), whole),
        ("geneve", over_udp(6081, &[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 1], &frame), whole),
        ("gtp", over_udp(2152, &gtp, &packet), bare),
        ("erspan 1", gre(0, 0x88be, &[], &frame), whole),
        ("erspan 2", gre(0x1000, 0x88be, &[0, 0, 0, 1, 0x10, 7, 0, 9, 0, 0, 0, 0], &frame), whole),
        ("erspan 3", gre(0x1000, 0x22eb, &[&[0, 0, 0, 1][..], &erspan_3].concat(), &frame), whole),
    ]
}

fn pipeline() -> Pipeline {
    let local = vec!["10.0.0.0/8".parse().unwrap()];
    Pipeline::new(PipelineOptions { local, ..PipelineOptions::default() })
}

fn flows(mut pipeline: Pipeline) -> Vec<FlowRecord> {
    pipeline.finish();
    pipeline.take_flows().collect()
}

#[test]
fn what_is_inside_a_tunnel_is_a_packet_of_its_own_beside_the_outer_one() {
    for (name, frame, length) in tunnels() {
        let mut pipeline = pipeline();
        send(&mut pipeline, 0, &frame);
        let statistics = pipeline.statistics();
        assert_eq!((statistics.frames, statistics.tunnelled, statistics.undecoded().count()), (1, 1, 0), "{name}");
        let flows = flows(pipeline);
        let shown: Vec<_> = flows.iter().map(|flow| (flow.responder.port, flow.bytes_out)).collect();
        assert_eq!(shown.len(), 2, "{name}: {flows:?}");
        assert!(shown.contains(&(161, length as u64)), "{name}: {shown:?}");
        assert!(flows.iter().any(|flow| flow.responder.ip == FAR && flow.bytes_out == frame.len() as u64), "{name}");
    }
}

#[test]
fn link_addresses_inside_are_of_this_segment_only_in_frames_that_a_switch_mirrored() {
    for (name, frame, _) in tunnels() {
        let mut pipeline = pipeline();
        send(&mut pipeline, 0, &frame);
        let mut seen: Vec<_> = pipeline.endpoints().collect();
        seen.sort_by_key(|endpoint| endpoint.mac);
        let macs: Vec<_> = seen.iter().map(|endpoint| endpoint.mac).collect();
        let inner = flows(pipeline).into_iter().find(|flow| flow.responder.port == 161).unwrap();
        if name.starts_with("erspan") {
            assert_eq!(macs, [ANNA, ROUTER], "{name}");
            assert_eq!(seen[0].bindings.len(), 1, "{name}");
            assert_eq!(inner.originator.mac, Some(ANNA), "{name}");
            let vlan = if name == "erspan 1" { None } else { Some(7) };
            assert_eq!((seen[0].vlans[0].vlan, inner.vlan), (vlan, vlan), "{name}");
        } else {
            assert_eq!((macs, inner.originator.mac), (vec![ROUTER], None), "{name}");
            assert!(seen[0].bindings.is_empty(), "{name}");
        }
    }
}

#[test]
fn addresses_in_different_virtual_networks_are_different_flows() {
    let mut pipeline = pipeline();
    for network in [7, 8, 7] {
        send(&mut pipeline, 0, &over_udp(4789, &[8, 0, 0, 0, 0, 0, network, 0], &frame_inside()));
    }
    let mut packets: Vec<_> =
        flows(pipeline).iter().filter(|flow| flow.responder.port == 161).map(|flow| flow.packets_out).collect();
    packets.sort_unstable();
    assert_eq!(packets, [1, 2]);
}

#[test]
fn a_tunnel_that_is_cut_off_is_counted_and_its_outer_flow_stays() {
    for (name, whole, _) in tunnels() {
        for length in 34..whole.len() {
            let mut pipeline = pipeline();
            pipeline.frame(at(0), LinkType::Ethernet, crate::frames::whole(&whole), &whole[..length]);
            let statistics = pipeline.statistics();
            assert!(statistics.undecoded().all(|(reason, _)| reason == Reason::CutByCapture), "{name} {length}");
            // Cut within the header of UDP, not even the outer packet has ports.
            let unread = statistics.flows.packets_unread;
            assert!(
                unread == 1 || flows(pipeline).iter().any(|flow| flow.responder.ip == FAR),
                "{name} cut to {length}"
            );
        }
    }
}

#[test]
fn tunnels_without_end_are_given_up() {
    let mut packet = datagram();
    for _ in 0..20 {
        packet = ipv4(NEAR, FAR, 4, &packet);
    }
    let mut pipeline = pipeline();
    send(&mut pipeline, 0, &ethernet(ROUTER, BERT, IPV4, &packet));
    let statistics = pipeline.statistics();
    assert_eq!(statistics.undecoded().collect::<Vec<_>>(), [(Reason::TunnelDepth, 1)]);
    assert_eq!(statistics.tunnelled, 4);
}

#[test]
fn what_only_has_a_tunnels_port_is_a_datagram_like_others() {
    for (port, payload) in [(4789, &b"not a tunnel"[..]), (4789, b""), (2152, b"GET / HTTP/1.1"), (6081, &[0xff; 30])] {
        let frame = over_udp(port, &[], payload);
        assert_eq!(Packet::parse(LinkType::Ethernet, whole(&frame), &frame).unwrap().inside(), Ok(None), "{port}");
    }
}

#[test]
fn what_gre_carries_and_is_not_read_is_named() {
    let reason = |frame: &[u8]| {
        let mut pipeline = pipeline();
        send(&mut pipeline, 0, frame);
        let found = pipeline.statistics().undecoded().next();
        found.map(|(reason, _)| reason)
    };
    assert_eq!(reason(&gre(0, 0, &[], &[])), None);
    assert_eq!(reason(&gre(0, 0x00fe, &[], &[1; 9])), Some(Reason::GreProtocol));
    assert_eq!(reason(&gre(0, 0x2001, &[], &[1; 9])), Some(Reason::EtherType));
    assert_eq!(reason(&gre(0x4000, IPV4, &[], &datagram())), Some(Reason::GreFormat));
    assert_eq!(reason(&gre(0x2000, IPV4, &[1], &[])), Some(Reason::GreShort));
    assert_eq!(reason(&gre(0x1000, 0x88be, &[0; 9], &[])), Some(Reason::ErspanShort));
    assert_eq!(reason(&gre(0x3001, 0x880b, &[0; 8], &[0xc0, 0x21, 1, 1])), None);
}
