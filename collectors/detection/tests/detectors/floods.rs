//! Floods and reflection.

use super::*;

#[test]
fn floods_are_found_at_the_victim_whether_sources_are_forged_or_one() {
    let victim = Subject::Host(ip(9));
    let forged = |number: i64| public(u32::try_from(number).unwrap() * 7_919);
    let syn = |one: bool| {
        found(|detection| {
            for packet in 0..4_000 {
                let from = if one { public(1) } else { forged(packet) };
                let flow = unanswered(packet / 400, from, ip(9), 80);
                detection.flow(&FlowSeen { from_port: u16::try_from(packet).unwrap(), ..flow });
            }
        })
    };
    assert_eq!(syn(false), [(Kind::SynFlood, victim)]);
    assert_eq!(syn(true), [(Kind::SynFlood, victim)]);
    let one = |flow: FlowSeen<'static>| found(|detection| detection.flow(&flow));
    assert_eq!(one(datagrams(0, (ip(77), 4_000), (ip(9), 5_000), 60_000, 0)), [(Kind::UdpFlood, victim)]);
    assert_eq!(one(echo(0, ip(77), ip(9), 6_000, 6_000)), [(Kind::IcmpFlood, victim)]);
    assert_eq!(one(datagrams(0, (ip(77), 4_000), (ip(9), 53), 9_000, 9_000)), [(Kind::DnsFlood, victim)]);
}

#[test]
fn a_camera_and_a_call_and_a_slow_long_flow_are_no_flood() {
    let found = found(|detection| {
        let camera = datagrams(0, (ip(77), 4_000), (ip(9), 5_000), 60_000, 0);
        detection.flow(&FlowSeen { application: Some(Application::Rtp), by_payload: true, ..camera });
        detection.flow(&datagrams(0, (ip(78), 16_384), (ip(79), 16_386), 90_000, 90_000));
        detection.flow(&FlowSeen { end: at(3_600), ..datagrams(0, (ip(80), 4_000), (ip(9), 5_000), 500_000, 0) });
    });
    assert_eq!(found, []);
}

#[test]
fn reflection_is_found_at_the_victim_and_at_the_server_that_is_used() {
    let victim = found(|detection| {
        for server in 0..300 {
            detection.flow(&datagrams(0, (public(server), 53), (ip(9), 33_000), 20, 0));
        }
    });
    assert_eq!(victim, [(Kind::Reflection, Subject::Host(ip(9)))]);
    let used = findings(|detection| {
        let flow = datagrams(0, (public(1), 40_000), (ip(9), 123), 5_000, 5_000);
        detection.flow(&FlowSeen { bytes_in: 5_000_000, ..flow });
    });
    assert!(used.iter().any(|finding| (finding.kind, finding.subject) == (Kind::Reflection, Subject::Host(ip(9)))));
}

#[test]
fn a_flood_that_the_server_answers_is_one_too_and_connections_that_are_opened_and_left_are_not() {
    let flood = |flags_out| {
        found(|detection| {
            for packet in 0..4_000 {
                let flow = unanswered(packet / 400, public(u32::try_from(packet).unwrap() * 7_919), ip(9), 80);
                detection.flow(&FlowSeen { flags_out, packets_in: 1, state: Some(TcpState::Established), ..flow });
            }
        })
    };
    assert_eq!(flood(SYN), [(Kind::SynFlood, Subject::Host(ip(9)))]);
    assert_eq!(flood(0x12), []);
}
