//! Which frames speak of endpoints, and which only seem to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use onenet_capture::{
    Pipeline, PipelineOptions,
    facts::{Fact, Method},
    passive::observe,
};
use onenet_topology::{MacAddr, Timestamp};

use crate::frames::*;

const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// Hands on each fact of a frame as `show` makes it.
fn facts<T>(frame: &[u8], show: impl Fn(Fact<'_>) -> Option<T>) -> Vec<T> {
    let mut facts = Vec::new();
    observe(&packet(frame), &["10.0.0.0/24".parse().unwrap()], |fact| facts.extend(show(fact))).unwrap();
    facts
}

fn bindings(frame: &[u8]) -> Vec<(MacAddr, IpAddr, Method)> {
    facts(frame, |fact| match fact {
        Fact::Binding(binding) => Some((binding.mac, binding.ip, binding.method)),
        _ => None,
    })
}

fn arp_frame(operation: u16, mac: MacAddr, ip: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    ethernet(mac, MacAddr::BROADCAST, ARP, &arp(operation, mac, ip, target))
}

fn dhcp_frame(op: u8, ciaddr: Ipv4Addr, yiaddr: Ipv4Addr, relay: Ipv4Addr, options: &[u8]) -> Vec<u8> {
    let mut message = dhcp(op, ANNA, ciaddr, yiaddr, options);
    message[24..28].copy_from_slice(&relay.octets());
    let ports = if op == 1 { (68, 67) } else { (67, 68) };
    // From a router of another prefix, so that the packet itself binds nothing.
    let ip = ipv4([192, 0, 2, 1].into(), [255; 4].into(), 17, &udp(ports.0, ports.1, &message));
    ethernet(ROUTER, MacAddr::BROADCAST, IPV4, &ip)
}

fn nd_frame(source: Ipv6Addr, hop_limit: u8, message: &[u8]) -> Vec<u8> {
    ethernet(
        ANNA,
        MacAddr([0x33, 0x33, 0, 0, 0, 1]),
        IPV6,
        &ipv6(source, "ff02::1".parse().unwrap(), 58, hop_limit, message),
    )
}

#[test]
fn arp_binds_its_sender_in_requests_replies_and_announcements() {
    for (operation, target) in [(1, BERT_IP), (2, BERT_IP), (1, ANNA_IP)] {
        let heard = bindings(&arp_frame(operation, ANNA, ANNA_IP, target));
        assert_eq!(heard, [(ANNA, ANNA_IP.into(), Method::Arp)]);
    }
}

#[test]
fn a_probe_and_addresses_that_no_host_has_bind_nothing() {
    for ip in [NOBODY, Ipv4Addr::BROADCAST, Ipv4Addr::LOCALHOST, Ipv4Addr::new(224, 0, 0, 1)] {
        assert_eq!(bindings(&arp_frame(1, ANNA, ip, BERT_IP)), []);
    }
    let forged = ethernet(ANNA, BERT, ARP, &arp(2, MacAddr::BROADCAST, ANNA_IP, BERT_IP));
    assert_eq!(bindings(&forged), []);
}

#[test]
fn a_routed_packet_binds_its_source_to_nobody() {
    let routed = ethernet(ROUTER, ANNA, IPV4, &ipv4([203, 0, 113, 9].into(), ANNA_IP, 17, &udp(53, 5_000, b"!")));
    assert_eq!(bindings(&routed), []);
    let local = ethernet(BERT, ANNA, IPV4, &ipv4(BERT_IP, ANNA_IP, 17, &udp(53, 5_000, b"!")));
    assert_eq!(bindings(&local), [(BERT, BERT_IP.into(), Method::IpSource)]);
}

#[test]
fn every_packet_that_confirms_a_binding_counts_as_evidence_whenever_it_is_looked_at() {
    let options = PipelineOptions { local: vec!["10.0.0.0/24".parse().unwrap()], ..PipelineOptions::default() };
    let mut pipeline = Pipeline::new(options);
    let other = Ipv4Addr::new(10, 0, 0, 12);
    let from = |ip| ethernet(ANNA, BERT, IPV4, &ipv4(ip, BERT_IP, 17, &udp(5_000, 53, b"?")));
    let evidence = |pipeline: &Pipeline| {
        let anna = pipeline.endpoints().find(|endpoint| endpoint.mac == ANNA).unwrap();
        let of = |list: &[onenet_capture::facts::Evidence], method| {
            let found = list.iter().find(|known| known.method == method);
            found.map(|known| (known.count, known.first, known.last))
        };
        let bound = anna.bindings.iter().map(|known| of(&known.evidence, Method::IpSource)).collect::<Vec<_>>();
        (bound, of(&anna.evidence, Method::IpSource), of(&anna.evidence, Method::Arp))
    };
    for second in 0..3 {
        send(&mut pipeline, second, &from(ANNA_IP));
    }
    assert_eq!(evidence(&pipeline), (vec![Some((3, at(0), at(2)))], Some((3, at(0), at(2))), None));
    send(&mut pipeline, 3, &arp_frame(1, ANNA, ANNA_IP, BERT_IP));
    send(&mut pipeline, 5, &from(ANNA_IP));
    // One that comes late counts as well.
    send(&mut pipeline, 4, &from(ANNA_IP));
    send(&mut pipeline, 6, &from(other));
    send(&mut pipeline, 7, &from(other));
    let bound = vec![Some((5, at(0), at(5))), Some((2, at(6), at(7)))];
    let all = (bound, Some((7, at(0), at(7))), Some((1, at(3), at(3))));
    assert_eq!(evidence(&pipeline), all);
    pipeline.take_changes(Timestamp::from_unix_ms(0));
    assert_eq!(evidence(&pipeline), all);
}

#[test]
fn neighbour_discovery_binds_who_speaks_for_itself() {
    let (anna6, target): (Ipv6Addr, Ipv6Addr) = ("fe80::a".parse().unwrap(), "2001:db8::a".parse().unwrap());
    let (source_link, target_link) = ([&[1, 1][..], &ANNA.0].concat(), [&[2, 1][..], &ANNA.0].concat());
    let solicit = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &[0xfe; 16], &source_link].concat();
    let advertise = [&[136, 0, 0, 0, 0x20, 0, 0, 0][..], &target.octets(), &target_link].concat();
    let router = [&[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0][..], &source_link].concat();
    let heard = |source, hop_limit, message: &[u8]| bindings(&nd_frame(source, hop_limit, message));
    let nd = Method::NeighbourDiscovery;
    assert_eq!(heard(anna6, 255, &solicit), [(ANNA, anna6.into(), nd)]);
    assert_eq!(heard(anna6, 255, &advertise), [(ANNA, target.into(), nd)]);
    assert_eq!(heard(anna6, 255, &router), [(ANNA, anna6.into(), nd)]);
    // Forwarded from elsewhere; duplicate address detection; a redirect, which is hearsay.
    assert_eq!(heard(anna6, 64, &advertise), []);
    assert_eq!(heard(Ipv6Addr::UNSPECIFIED, 255, &solicit[..24]), []);
    let redirect = [&[137, 0, 0, 0, 0, 0, 0, 0][..], &target.octets(), &target.octets(), &target_link].concat();
    assert_eq!(heard(anna6, 255, &redirect), []);
}

#[test]
fn dhcp_binds_what_was_granted_or_is_in_use() {
    let granted = dhcp_frame(2, NOBODY, ANNA_IP, NOBODY, &[53, 1, 5]);
    assert_eq!(bindings(&granted), [(ANNA, ANNA_IP.into(), Method::DhcpAck)]);
    let informed = dhcp_frame(2, ANNA_IP, NOBODY, NOBODY, &[53, 1, 5]);
    assert_eq!(bindings(&informed), [(ANNA, ANNA_IP.into(), Method::DhcpAck)]);
    let renewing = dhcp_frame(1, ANNA_IP, NOBODY, NOBODY, &[53, 1, 3]);
    assert_eq!(bindings(&renewing), [(ANNA, ANNA_IP.into(), Method::DhcpRequest)]);
    let selecting = dhcp_frame(1, NOBODY, NOBODY, NOBODY, &[53, 1, 3, 50, 4, 10, 0, 0, 10]);
    assert_eq!(bindings(&selecting), [(ANNA, ANNA_IP.into(), Method::DhcpRequest)]);
    // An offer is no grant, and what a relay passes on is not of this segment.
    assert_eq!(bindings(&dhcp_frame(2, NOBODY, ANNA_IP, NOBODY, &[53, 1, 2])), []);
    let relayed = dhcp_frame(1, NOBODY, NOBODY, Ipv4Addr::new(10, 9, 9, 1), &[53, 1, 1, 12, 1, b'x']);
    assert_eq!(facts(&relayed, |_| Some(())), []);
}

#[test]
fn a_refused_request_is_taken_back() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut addresses = |seconds, frame: &[u8]| {
        send(&mut pipeline, seconds, frame);
        let changes = pipeline.take_changes(Timestamp::from(at(seconds)));
        let anna = changes.endpoints.into_iter().find(|endpoint| endpoint.mac == ANNA);
        anna.map(|anna| anna.bindings.iter().map(|binding| binding.ip).collect::<Vec<_>>())
    };
    let request = dhcp_frame(1, NOBODY, NOBODY, NOBODY, &[53, 1, 3, 50, 4, 10, 0, 0, 10]);
    let refusal = dhcp_frame(2, NOBODY, NOBODY, NOBODY, &[53, 1, 6]);
    assert_eq!(addresses(0, &request), Some(vec![IpAddr::from(ANNA_IP)]));
    assert_eq!(addresses(1, &refusal), Some(vec![]));
    // Once it is known otherwise too, a refusal changes nothing.
    assert_eq!(addresses(2, &arp_frame(1, ANNA, ANNA_IP, BERT_IP)), Some(vec![IpAddr::from(ANNA_IP)]));
    assert_eq!(addresses(3, &refusal), None);
}

#[test]
fn a_neighbour_is_reported_when_new_changed_and_gone() {
    let unit = |name: &[u8], ttl: u8| {
        let chassis = lldp_element(1, &[&[4][..], &ROUTER.0].concat());
        let parts = [chassis, lldp_element(2, b"\x05ge1"), lldp_element(3, &[0, ttl]), lldp_element(5, name)];
        ethernet(ROUTER, MacAddr([1, 0x80, 0xc2, 0, 0, 0x0e]), LLDP, &parts.concat())
    };
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut heard = |seconds, frame: &[u8]| {
        send(&mut pipeline, seconds, frame);
        let neighbours = pipeline.take_changes(Timestamp::from(at(seconds))).neighbours;
        neighbours
            .iter()
            .map(|state| (state.neighbour.system_name.clone().unwrap(), state.neighbour.ttl_s))
            .collect::<Vec<_>>()
    };
    assert_eq!(heard(0, &unit(b"core", 120)), [("core".to_owned(), 120)]);
    assert_eq!(heard(30, &unit(b"core", 120)), []);
    assert_eq!(heard(60, &unit(b"core-1", 120)), [("core-1".to_owned(), 120)]);
    assert_eq!(heard(90, &unit(b"core-1", 0)), [("core-1".to_owned(), 0)]);
    assert_eq!(pipeline.neighbours().count(), 0);
}

#[test]
fn traffic_is_reported_as_what_came_since() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    send(&mut pipeline, 0, &segment(false, 1, ACK, 0));
    let mut rows = |seconds, frames: usize| {
        for _ in 0..frames {
            send(&mut pipeline, seconds, &segment(true, 1, ACK, 46));
        }
        let changes = pipeline.take_changes(Timestamp::from(at(seconds)));
        changes.traffic.iter().map(|row| (row.mac, row.traffic.frames_out, row.traffic.bytes_in)).collect::<Vec<_>>()
    };
    assert_eq!(rows(1, 3), [(BERT, 1, 300), (ANNA, 3, 0)]);
    assert_eq!(rows(2, 1), [(BERT, 0, 100), (ANNA, 1, 0)]);
    assert_eq!(rows(3, 0), []);
}
