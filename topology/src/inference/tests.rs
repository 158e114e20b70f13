use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{DeviceId, InterfaceId, MacAddr};

fn device(number: u64) -> DeviceId {
    DeviceId::from_raw(number)
}

/// Port `port` of device `device`.
fn port(device: u64, port: u64) -> InterfaceId {
    InterfaceId::from_raw(device * 1000 + port)
}

fn host(number: u64) -> MacAddr {
    MacAddr::from_u64(0x001b_2100_0000 + number).expect("below 2^48")
}

fn own(device: u64) -> MacAddr {
    MacAddr::from_u64(0x00e0_fc00_0000 + device).expect("below 2^48")
}

fn row(mac: MacAddr, vlan: u16, at: InterfaceId) -> ForwardingEvidence {
    ForwardingEvidence { mac, vlan: Some(vlan), interface: Some(at), learned: true }
}

fn switch(number: u64, forwarding: Vec<ForwardingEvidence>) -> DeviceEvidence {
    let own_macs = vec![own(number)];
    DeviceEvidence {
        id: device(number),
        own_macs,
        interfaces: Vec::new(),
        forwarding,
        neighbours: Vec::new(),
        facing: Vec::new(),
        stations: Vec::new(),
    }
}

fn interface(id: InterfaceId) -> InterfaceEvidence {
    let name = format!("GigabitEthernet0/0/{}", id.raw() % 1000);
    InterfaceEvidence {
        id,
        name,
        if_index: 1,
        mac: None,
        kind: PortLink::Wired,
        up: Some(true),
        aggregate: None,
        partner: None,
    }
}

fn lldp(at: InterfaceId, remote: u64) -> NeighbourEvidence {
    let chassis_id = own(remote).to_string();
    NeighbourEvidence { interface: at, device: None, remote_interface: None, chassis_id, claims: None, phone: None }
}

fn at(device_number: u64, port_number: u64, vlan: u16) -> Where {
    let (device, interface) = (device(device_number), port(device_number, port_number));
    Where::Port(Place { device, interface, vlan: Some(vlan) })
}

fn end(device_number: u64, port_number: u64) -> End {
    End { device: device(device_number), interface: Some(port(device_number, port_number)) }
}

fn inferred(devices: Vec<DeviceEvidence>) -> SiteInference {
    infer(&SiteEvidence { devices, anchors: Vec::new() })
}

fn reasons(attachment: &Attachment) -> Vec<RejectReason> {
    attachment.rejected.iter().map(|rejected| rejected.reason).collect()
}

/// Switch 1 with its port 1 to port 9 of switch 2; each hears the other's own address.
fn pair(one: Vec<ForwardingEvidence>, two: Vec<ForwardingEvidence>) -> Vec<DeviceEvidence> {
    let mut devices = vec![switch(1, one), switch(2, two)];
    devices[0].forwarding.push(row(own(2), 1, port(1, 1)));
    devices[1].forwarding.push(row(own(1), 1, port(2, 9)));
    devices
}

#[test]
fn an_endpoint_is_at_the_port_without_a_managed_device_behind_it() {
    let result = inferred(pair(vec![row(host(1), 10, port(1, 1))], vec![row(host(1), 10, port(2, 3))]));
    let found = &result.attachments[&host(1)];
    assert_eq!((found.at, found.confidence), (at(2, 3, 10), 95));
    assert_eq!(found.reason, Reason::EdgePort { macs: 1 });
    assert_eq!(reasons(found), [RejectReason::LeadsTo { device: device(2) }]);
    assert_eq!(result.between_switches.len(), 2);
}

#[test]
fn lldp_alone_tells_a_port_between_switches() {
    let mut devices =
        vec![switch(1, vec![row(host(1), 10, port(1, 1))]), switch(2, vec![row(host(1), 10, port(2, 3))])];
    devices[0].neighbours.push(lldp(port(1, 1), 2));
    assert_eq!(inferred(devices).attachments[&host(1)].at, at(2, 3, 10));
}

#[test]
fn a_phone_that_speaks_lldp_is_no_switch() {
    let mut one = switch(1, vec![row(host(1), 10, port(1, 3))]);
    one.neighbours.push(NeighbourEvidence { chassis_id: host(1).to_string(), ..lldp(port(1, 3), 7) });
    let found = &inferred(vec![one]).attachments[&host(1)];
    assert_eq!((found.at, found.confidence), (at(1, 3, 10), 95));
}

#[test]
fn a_terminal_behind_a_phone_is_at_the_phones_port_and_the_reason_names_it() {
    let rows = vec![row(host(1), 10, port(1, 3)), row(host(2), 20, port(1, 3)), row(host(3), 10, port(1, 4))];
    let mut one = switch(1, rows);
    one.neighbours.push(NeighbourEvidence { phone: Some(host(2)), ..lldp(port(1, 3), 99) });
    let found = inferred(vec![one]).attachments;
    assert_eq!((found[&host(1)].at, found[&host(1)].confidence), (at(1, 3, 10), 95));
    assert_eq!(found[&host(1)].reason, Reason::BehindPhone { phone: host(2) });
    assert_eq!(found[&host(2)].reason, Reason::EdgePort { macs: 2 }, "the phone itself, in its own VLAN");
    assert_eq!(found[&host(3)].reason, Reason::EdgePort { macs: 1 });
}

#[test]
fn a_phone_that_the_port_has_not_learned_and_two_phones_say_nothing() {
    let rows = vec![row(host(1), 10, port(1, 3))];
    let mut one = switch(1, rows);
    one.neighbours.push(NeighbourEvidence { phone: Some(host(2)), ..lldp(port(1, 3), 99) });
    assert_eq!(inferred(vec![one.clone()]).attachments[&host(1)].reason, Reason::EdgePort { macs: 1 });
    one.forwarding.extend([row(host(2), 20, port(1, 3)), row(host(3), 20, port(1, 3))]);
    one.neighbours.push(NeighbourEvidence { phone: Some(host(3)), ..lldp(port(1, 3), 98) });
    assert_eq!(inferred(vec![one]).attachments[&host(1)].reason, Reason::EdgePort { macs: 3 });
}

#[test]
fn a_station_is_at_its_controller_and_not_at_the_access_points_port() {
    let one = switch(1, vec![row(host(1), 10, port(1, 3)), row(host(2), 10, port(1, 4))]);
    let mut controller = switch(2, Vec::new());
    controller.stations.push(StationEvidence { mac: host(1), vlan: None });
    controller.stations.push(StationEvidence { mac: host(7), vlan: Some(30) });
    let found = inferred(vec![one, controller]).attachments;
    let here = |vlan| Where::Behind { device: device(2), vlan: Some(vlan) };
    assert_eq!((found[&host(1)].at, found[&host(1)].reason), (here(10), Reason::Wireless));
    assert!(found[&host(1)].confidence > 80);
    assert_eq!(reasons(&found[&host(1)]), [RejectReason::Wireless]);
    assert_eq!(found[&host(7)].at, here(30), "no table has it");
    assert_eq!(found[&host(2)].at, at(1, 4, 10));
}

#[test]
fn many_addresses_on_a_port_are_still_at_that_port() {
    let rows = (1..=8).map(|number| row(host(number), 10, port(1, 3))).collect();
    let found = &inferred(vec![switch(1, rows)]).attachments[&host(5)];
    assert_eq!((found.at, found.reason), (at(1, 3, 10), Reason::EdgePort { macs: 8 }));
    assert_eq!(found.confidence, 85, "something unmanaged is behind it");
}

#[test]
fn of_several_ports_the_one_with_the_fewest_addresses_wins_with_little_confidence() {
    let one = vec![row(host(1), 10, port(1, 1)), row(host(2), 10, port(1, 1)), row(host(3), 10, port(1, 1))];
    let devices = vec![switch(1, one), switch(2, vec![row(host(1), 10, port(2, 3))])];
    let found = &inferred(devices).attachments[&host(1)];
    assert_eq!((found.at, found.reason), (at(2, 3, 10), Reason::FewestAddresses { macs: 1, next: 3 }));
    assert!(found.confidence < 50);
    assert_eq!(reasons(found), [RejectReason::MoreAddresses { macs: 3 }]);
}

#[test]
fn between_two_switches_with_tables_there_is_something_unmanaged() {
    let found = inferred(pair(
        vec![row(host(1), 10, port(1, 1))],
        vec![row(host(1), 10, port(2, 9)), row(host(2), 10, port(2, 3))],
    ));
    let found = &found.attachments[&host(1)];
    assert_eq!((found.at, found.reason), (at(1, 1, 10), Reason::UnmanagedBehind { towards: device(2) }));
    assert_eq!(found.also, [Place { device: device(2), interface: port(2, 9), vlan: Some(10) }]);
    assert!(found.confidence > 80, "both ends have it at the ports that face each other");
}

#[test]
fn behind_a_switch_whose_table_lacks_the_row_the_port_is_unresolved() {
    let found = inferred(pair(vec![row(host(1), 10, port(1, 1))], vec![row(host(2), 10, port(2, 3))]));
    let found = &found.attachments[&host(1)];
    assert_eq!(found.at, Where::Behind { device: device(2), vlan: Some(10) });
    assert_eq!(found.reason, Reason::RowMissing { towards: device(2) });
    assert!(found.confidence < 50);
}

#[test]
fn a_switch_that_may_be_behind_the_port_makes_it_unresolved() {
    // Both know the gateway; nothing tells which port of the first leads to the second, which has no row.
    let gateway = |at| row(host(9), 10, at);
    let one = vec![gateway(port(1, 8)), row(host(1), 10, port(1, 1))];
    let found = &inferred(vec![switch(1, one.clone()), switch(2, vec![gateway(port(2, 9))])]).attachments[&host(1)];
    assert_eq!(found.at, Where::Behind { device: device(1), vlan: Some(10) });
    assert!(reasons(found).contains(&RejectReason::MayLeadTo { device: device(2) }));
    // One with hosts of its own would have them at that port.
    let hosts = (21..27).map(|number| row(host(number), 10, port(2, number)));
    let two = std::iter::once(gateway(port(2, 9))).chain(hosts).collect();
    assert_eq!(inferred(vec![switch(1, one), switch(2, two)]).attachments[&host(1)].at, at(1, 1, 10));
}

#[test]
fn hosts_alone_tell_which_port_leads_to_a_switch() {
    // Switch 2 has hosts at two ports; switch 1 sees them at one, and shows no neighbour and no address of switch 2.
    let one = (1..=4).map(|number| row(host(number), 10, port(1, 7))).chain([row(host(5), 10, port(1, 2))]);
    let two = (1..=4).map(|number| row(host(number), 10, port(2, number))).chain([row(host(5), 10, port(2, 9))]);
    let result = inferred(vec![switch(1, one.collect()), switch(2, two.collect())]);
    assert_eq!(result.attachments[&host(3)].at, at(2, 3, 10));
    assert_eq!(result.attachments[&host(5)].at, at(1, 2, 10));
    let [link] = result.links[..] else { panic!("{:?}", result.links) };
    assert_eq!((link.a, link.b), (end(1, 7), end(2, 9)));
    assert!(matches!(link.reason, LinkReason::SharedHosts { .. }), "{link:?}");
}

#[test]
fn a_neighbour_that_traffic_contradicts_is_shown_and_not_believed() {
    // An old announcement at port 5, where host 1 is now; switch 2 is really at port 1.
    let mut devices = pair(
        vec![row(host(1), 10, port(1, 5)), row(host(2), 10, port(1, 1)), row(host(3), 10, port(1, 1))],
        vec![row(host(1), 10, port(2, 9)), row(host(2), 10, port(2, 2)), row(host(3), 10, port(2, 3))],
    );
    devices[0].neighbours.push(lldp(port(1, 5), 2));
    let result = inferred(devices);
    assert_eq!(result.attachments[&host(1)].at, at(1, 5, 10));
    assert_eq!(result.attachments[&host(2)].at, at(2, 2, 10));
    let of = |reason| result.links.iter().filter(move |link| link.reason == reason).collect::<Vec<_>>();
    let contradicted = of(LinkReason::Contradicted);
    assert_eq!(contradicted.len(), 1, "{:?}", result.links);
    assert_eq!(contradicted[0].a, end(1, 5));
    assert!(contradicted[0].confidence < 50);
    let believed = of(LinkReason::OwnAddress { both: true });
    assert_eq!((believed[0].a, believed[0].b), (end(1, 1), end(2, 9)));
}

#[test]
fn neighbours_that_hear_each_other_are_the_surest_links_and_parallel_cables_are_told_apart() {
    let mut devices = pair(Vec::new(), Vec::new());
    for (here, there) in [(1, 9), (2, 8)] {
        devices[0]
            .neighbours
            .push(NeighbourEvidence { remote_interface: Some(port(2, there)), ..lldp(port(1, here), 2) });
        devices[1]
            .neighbours
            .push(NeighbourEvidence { remote_interface: Some(port(1, here)), ..lldp(port(2, there), 1) });
    }
    for (number, ports) in [(0, [1, 2]), (1, [8, 9])] {
        let id = number as u64 + 1;
        devices[number].interfaces = ports.map(|at| interface(port(id, at))).to_vec();
    }
    let links = inferred(devices).links;
    let ends: Vec<_> = links.iter().map(|link| (link.a, link.b)).collect();
    assert_eq!(ends, [(end(1, 1), end(2, 9)), (end(1, 2), end(2, 8))]);
    assert!(links.iter().all(|link| link.reason == LinkReason::TwoSided && link.confidence > 90), "{links:?}");
}

/// Switches 1 and 2 with a device 3 between their ports 9, which tells neither table nor neighbours; switch 2 has `hosts`
/// hosts, and nobody has learned an address of a device.
fn around_a_silent_one(hosts: u64) -> Vec<DeviceEvidence> {
    let mut devices = vec![switch(1, Vec::new()), switch(2, Vec::new()), switch(3, Vec::new())];
    devices[2].interfaces = [1, 2].map(|at| interface(port(3, at))).to_vec();
    for number in 1..=5 {
        devices[0].forwarding.push(row(host(number), 10, port(1, number)));
        devices[1].forwarding.push(row(host(number), 10, port(2, 9)));
    }
    for number in 11..11 + hosts {
        devices[0].forwarding.push(row(host(number), 10, port(1, 9)));
        devices[1].forwarding.push(row(host(number), 10, port(2, number)));
    }
    devices
}

/// Ports 9 of switches 1 and 2 hear somebody who says that he is device 3, at its port of that number.
fn claimed(mut devices: Vec<DeviceEvidence>) -> Vec<DeviceEvidence> {
    for number in [1, 2] {
        let remote_interface = Some(port(3, number));
        let chassis_id = String::new();
        let claims = Some(device(3));
        let interface = port(number, 9);
        let device = &mut devices[usize::try_from(number).unwrap() - 1];
        device.neighbours.push(NeighbourEvidence {
            interface,
            device: None,
            remote_interface,
            chassis_id,
            claims,
            phone: None,
        });
    }
    devices
}

#[test]
fn whom_two_hear_at_the_ports_that_lead_to_each_other_stands_between_them() {
    let alone = inferred(around_a_silent_one(4));
    assert_eq!(alone.links.len(), 1, "nothing tells of device 3: {:?}", alone.links);
    let links = inferred(claimed(around_a_silent_one(4))).links;
    let ends: Vec<_> = links.iter().map(|link| (link.a, link.b)).collect();
    assert_eq!(ends, [(end(1, 9), end(3, 1)), (end(2, 9), end(3, 2))]);
    assert!(links.iter().all(|link| link.reason == LinkReason::OneSided && link.confidence > 80), "{links:?}");
}

#[test]
fn a_link_past_somebody_whom_both_hear_is_not_told_where_little_bears_him_out() {
    assert_eq!(inferred(around_a_silent_one(1)).links.len(), 1);
    assert_eq!(inferred(claimed(around_a_silent_one(1))).links, []);
}

#[test]
fn a_terminal_that_calls_itself_a_device_is_not_between_switches() {
    let mut devices = claimed(around_a_silent_one(4));
    devices[0].neighbours[0].interface = port(1, 3);
    let result = inferred(devices);
    let ends: Vec<_> = result.links.iter().map(|link| (link.a, link.b)).collect();
    assert_eq!(ends, [(end(1, 9), end(2, 9))], "only switch 2 hears it at the port that leads to the other");
    assert_eq!(result.attachments[&host(3)].at, at(1, 3, 10));
}

#[test]
fn switches_that_hear_each_other_and_a_third_are_on_one_segment() {
    let mut devices = claimed(around_a_silent_one(4));
    devices[0].neighbours.push(NeighbourEvidence { remote_interface: Some(port(2, 9)), ..lldp(port(1, 9), 2) });
    let links = inferred(devices).links;
    assert!(links.iter().any(|link| (link.a, link.b) == (end(1, 9), end(2, 9))), "{links:?}");
}

#[test]
fn ports_of_two_switches_with_the_same_partner_are_one() {
    let bundle = |at| InterfaceEvidence { partner: Some("host-1 key 3".to_owned()), ..interface(at) };
    let mut devices = pair(vec![row(host(1), 10, port(1, 4))], vec![row(host(1), 10, port(2, 4))]);
    devices[0].interfaces.push(bundle(port(1, 4)));
    devices[1].interfaces.push(bundle(port(2, 4)));
    let found = &inferred(devices).attachments[&host(1)];
    assert_eq!((found.at, found.reason), (at(1, 4, 10), Reason::SharedPorts { ports: 2 }));
    assert_eq!(found.also, [Place { device: device(2), interface: port(2, 4), vlan: Some(10) }]);
    assert!(found.confidence > 80 && found.rejected.is_empty(), "{found:?}");
}

#[test]
fn several_ports_that_two_switches_have_in_common_make_them_a_pair() {
    let shared = |device| move |number| row(host(number), 10, port(device, number + 3));
    let devices = |count| pair((1..=count).map(shared(1)).collect(), (1..=count).map(shared(2)).collect());
    let found = &inferred(devices(3)).attachments[&host(2)];
    assert_eq!((found.reason, found.also.len()), (Reason::SharedPorts { ports: 2 }, 1));
    // One or two may be on the move.
    let found = &inferred(devices(2)).attachments[&host(2)];
    assert!(found.also.is_empty() && found.confidence < 50, "{found:?}");
}

#[test]
fn where_the_agent_has_no_foot_an_answer_is_less_sure() {
    let rows = vec![row(host(1), 10, port(1, 1)), row(host(2), 20, port(1, 2)), row(host(9), 10, port(1, 9))];
    let result = infer(&SiteEvidence { devices: vec![switch(1, rows)], anchors: vec![host(9)] });
    assert_eq!(result.attachments[&host(1)].confidence, 95);
    assert!(result.attachments[&host(2)].confidence < 95);
}

/// A walk over two switches: host 1 is at this port of switch 2, whose row may be missing, and host 2 at port 5.
fn walk(at: Option<u64>) -> SiteEvidence {
    let mut two = vec![row(host(2), 10, port(2, 5))];
    two.extend(at.map(|at| row(host(1), 10, port(2, at))));
    let one = vec![row(host(1), 10, port(1, 1)), row(host(2), 10, port(1, 1))];
    SiteEvidence { devices: pair(one, two), anchors: Vec::new() }
}

fn after(walks: &[SiteEvidence]) -> Attachment {
    let mut believed = Walks::default();
    let last = walks.iter().map(|walk| believed.take(walk.clone())).last().expect("a walk");
    last.attachments[&host(1)].clone()
}

#[test]
fn a_row_that_a_walk_missed_moves_nobody() {
    let mut walks = vec![walk(Some(3))];
    walks.extend((0..8).map(|_| walk(None)));
    assert_eq!(after(&walks).at, at(2, 3, 10));
}

#[test]
fn a_move_is_believed_after_two_walks_and_told_before() {
    let pending = after(&[walk(Some(3)), walk(Some(3)), walk(Some(4))]);
    assert_eq!(pending.at, at(2, 3, 10));
    assert!(reasons(&pending).contains(&RejectReason::MovePending), "{pending:?}");
    assert!(pending.confidence <= 60);
    assert_eq!(after(&[walk(Some(3)), walk(Some(4)), walk(Some(4))]).at, at(2, 4, 10));
    assert_eq!(after(&[walk(Some(3)), walk(Some(4)), walk(Some(3))]).at, at(2, 3, 10), "a flap");
}

#[test]
fn a_move_from_a_port_that_went_down_is_believed_at_once() {
    let mut last = walk(Some(4));
    last.devices[1].interfaces.push(InterfaceEvidence { up: Some(false), ..interface(port(2, 3)) });
    last.devices[1].forwarding.push(row(host(1), 10, port(2, 3)));
    assert_eq!(after(&[walk(Some(3)), last]).at, at(2, 4, 10));
}

#[test]
fn behind_a_switch_that_shows_no_table_the_port_is_unresolved() {
    let mut devices = vec![switch(1, vec![row(host(1), 10, port(1, 1))]), switch(2, Vec::new())];
    devices[0].forwarding.push(row(own(2), 1, port(1, 1)));
    let found = &inferred(devices).attachments[&host(1)];
    assert_eq!(found.at, Where::Behind { device: device(2), vlan: Some(10) });
    assert_eq!(found.reason, Reason::NoTableBehind);
    assert!(found.confidence < 50);
}

#[test]
fn a_bridge_port_that_does_not_resolve_still_tells_the_switch() {
    let unresolved = ForwardingEvidence { interface: None, ..row(host(1), 10, port(2, 3)) };
    let found = inferred(pair(vec![row(host(1), 10, port(1, 1))], vec![unresolved]));
    let found = &found.attachments[&host(1)];
    assert_eq!(found.at, Where::Behind { device: device(2), vlan: Some(10) });
    assert_eq!(reasons(found), [RejectReason::LeadsTo { device: device(2) }]);
}

#[test]
fn what_is_no_endpoint_is_dropped_with_the_reason() {
    let group = "01:80:c2:00:00:00".parse().unwrap();
    let vrrp = "00:00:5e:00:01:0a".parse().unwrap();
    let rows = [group, vrrp, MacAddr::ZERO, own(2)].map(|mac| row(mac, 10, port(1, 1))).to_vec();
    let result = inferred(vec![switch(1, rows), switch(2, Vec::new())]);
    assert!(result.attachments.is_empty());
    let expected = [
        (group, DropReason::Multicast),
        (vrrp, DropReason::VirtualRouter),
        (MacAddr::ZERO, DropReason::Zero),
        (own(2), DropReason::DeviceOwn { device: Some(device(2)) }),
    ];
    assert_eq!(result.dropped, BTreeMap::from(expected));
}

#[test]
fn rows_that_were_not_learned_and_ports_that_are_down_tell_nothing() {
    let fixed = ForwardingEvidence { learned: false, ..row(host(1), 10, port(1, 4)) };
    let mut one = switch(1, vec![fixed, row(host(1), 10, port(1, 5)), row(host(1), 10, port(1, 6))]);
    one.interfaces.push(InterfaceEvidence { up: Some(false), ..interface(port(1, 5)) });
    let found = &inferred(vec![one.clone()]).attachments[&host(1)];
    assert_eq!((found.at, found.confidence), (at(1, 6, 10), 95));
    assert_eq!(reasons(found), [RejectReason::NotLearned, RejectReason::PortDown]);
    one.forwarding.truncate(2);
    let found = &inferred(vec![one.clone()]).attachments[&host(1)];
    assert_eq!((found.at, found.reason), (at(1, 5, 10), Reason::PortDown));
    assert!(found.confidence < 50);
    one.forwarding.truncate(1);
    assert_eq!(inferred(vec![one]).attachments[&host(1)].at, Where::Nowhere);
}

#[test]
fn members_of_an_aggregate_are_the_aggregate() {
    let member = |number| InterfaceEvidence { aggregate: Some(port(1, 100)), ..interface(port(1, number)) };
    let mut devices = pair(vec![row(host(1), 10, port(1, 2))], vec![row(host(1), 10, port(2, 3))]);
    devices[0].interfaces = vec![member(1), member(2)];
    let result = inferred(devices);
    assert_eq!(result.attachments[&host(1)].at, at(2, 3, 10), "own address on one member, endpoint on the other");
    assert_eq!(result.between_switches[0].1, port(1, 100));
}

#[test]
fn a_table_without_vlans_joins_the_vlan_that_others_tell() {
    let blind = ForwardingEvidence { vlan: None, ..row(host(1), 0, port(2, 3)) };
    let found = inferred(pair(vec![row(host(1), 10, port(1, 1))], vec![blind]));
    assert_eq!(found.attachments[&host(1)].at, at(2, 3, 10));
}

#[test]
fn an_endpoint_in_two_vlans_is_where_it_is_known_best() {
    let two = vec![row(host(1), 10, port(2, 3)), row(host(1), 20, port(2, 9))];
    let found = inferred(pair(vec![row(host(1), 20, port(1, 1))], two));
    let found = &found.attachments[&host(1)];
    assert_eq!(found.at, at(2, 3, 10));
    assert!(reasons(found).contains(&RejectReason::OtherVlan));
}

#[test]
fn an_address_that_two_devices_claim_leads_nowhere() {
    let mut devices = pair(vec![row(host(1), 10, port(1, 1))], vec![row(host(1), 10, port(2, 3))]);
    devices[0].own_macs.push(own(7));
    devices[1].own_macs.push(own(7));
    devices[0].forwarding.push(row(own(7), 10, port(1, 8)));
    let result = inferred(devices);
    assert_eq!(result.dropped[&own(7)], DropReason::DeviceOwn { device: None });
    assert!(result.between_switches.iter().all(|(_, interface, _)| *interface != port(1, 8)));
}

#[test]
fn evidence_and_conclusions_survive_their_own_text() {
    let evidence = SiteEvidence {
        devices: pair(
            vec![row(host(1), 10, port(1, 1))],
            vec![row(host(1), 10, port(2, 3)), row(host(2), 9, port(2, 9))],
        ),
        anchors: vec![host(2)],
    };
    let json = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<SiteEvidence>(&json).unwrap(), evidence);
    let result = infer(&evidence);
    let json = serde_json::to_string(&result).unwrap();
    assert_eq!(serde_json::from_str::<SiteInference>(&json).unwrap(), result);
}

/// A tree of switches with hosts: switch `n` hangs by its port 900 under `parents[n - 2]`, at that one's port `n`. Every
/// switch has learned everybody, as after a broadcast of each. Returns the evidence and where each host really is.
fn network(parents: &[u64], homes: &[u64]) -> (SiteEvidence, BTreeMap<MacAddr, InterfaceId>) {
    let count = parents.len() as u64 + 1;
    let above = |number: u64| (number > 1).then(|| parents[usize::try_from(number).unwrap() - 2]);
    let way_up = |mut number: u64| {
        let mut way = vec![number];
        while let Some(next) = above(number) {
            way.push(next);
            number = next;
        }
        way
    };
    // The port of `from` that leads to switch `to`.
    let towards = |from: u64, to: u64| match way_up(to).iter().position(|it| *it == from) {
        Some(step) => port(from, way_up(to)[step - 1]),
        None => port(from, 900),
    };
    let mut truth = BTreeMap::new();
    let mut devices: Vec<_> = (1..=count).map(|number| switch(number, Vec::new())).collect();
    for (index, home) in homes.iter().enumerate() {
        truth.insert(host(index as u64), port(*home, 500 + index as u64));
    }
    for (number, device) in (1..=count).zip(&mut devices) {
        for other in (1..=count).filter(|other| *other != number) {
            device.forwarding.push(row(own(other), 1, towards(number, other)));
        }
        for (index, home) in homes.iter().enumerate() {
            let mac = host(index as u64);
            let at = if *home == number { truth[&mac] } else { towards(number, *home) };
            device.forwarding.push(row(mac, 10 + u16::try_from(index % 3).unwrap_or(0), at));
        }
    }
    (SiteEvidence { devices, anchors: Vec::new() }, truth)
}

fn any_network() -> impl Strategy<Value = (SiteEvidence, BTreeMap<MacAddr, InterfaceId>)> {
    (1_usize..12).prop_flat_map(|count| {
        let parents: Vec<_> = (2..=count as u64).map(|number| 1..number).collect();
        (parents, prop::collection::vec(1..=count as u64, 1..24)).prop_map(|(parents, homes)| network(&parents, &homes))
    })
}

/// Any evidence at all, of few devices, ports and addresses, so that it contradicts itself.
fn any_evidence() -> impl Strategy<Value = SiteEvidence> {
    let mac = prop_oneof![(0_u64..4).prop_map(host), (1_u64..4).prop_map(own), Just(MacAddr::ZERO)];
    let vlan = prop::option::of(prop::sample::select(vec![10_u16, 20]));
    let any_row = (mac, vlan, prop::option::of(0_u64..5), any::<bool>());
    let any_interface = (0_u64..5, prop::option::of(any::<bool>()), prop::option::of(0_u64..5));
    let any_device = (
        1_u64..4,
        prop::collection::vec(any_row, 0..8),
        prop::collection::vec(any_interface, 0..3),
        prop::option::of((0_u64..5, 1_u64..4)),
        prop::collection::vec((0_u64..5, 1_u64..4, prop::option::of(0_u64..5), 0_u8..5), 0..4),
    );
    let devices = prop::collection::vec(any_device, 0..5);
    devices.prop_map(|devices| {
        let evidence = devices.into_iter().map(|(number, rows, interfaces, neighbour, protocols)| {
            let forwarding = rows.into_iter().map(|(mac, vlan, at, learned)| {
                let interface = at.map(|at| port(number, at));
                ForwardingEvidence { mac, vlan, interface, learned }
            });
            let mut device = switch(number, forwarding.collect());
            device.interfaces.extend(interfaces.into_iter().map(|(id, up, whole)| {
                let aggregate = whole.map(|whole| port(number, whole));
                InterfaceEvidence { up, aggregate, ..interface(port(number, id)) }
            }));
            device.neighbours.extend(neighbour.map(|(at, remote)| lldp(port(number, at), remote)));
            for (at, far, far_port, kind) in protocols {
                let (interface, remote_interface) = (port(number, at), far_port.map(|at| port(far, at)));
                let facing = |source| FacingEvidence {
                    interface,
                    device: super::tests::device(far),
                    far_interface: remote_interface,
                    source,
                };
                match kind {
                    0 => device.facing.push(facing(FacingSource::Stp)),
                    1 => device.facing.push(facing(FacingSource::Lacp)),
                    2 => device.stations.push(StationEvidence { mac: host(far), vlan: Some(10) }),
                    3 => device.neighbours.push(NeighbourEvidence { phone: Some(host(far)), ..lldp(interface, 99) }),
                    _ => device.neighbours.push(NeighbourEvidence {
                        chassis_id: String::new(),
                        remote_interface,
                        claims: Some(super::tests::device(far)),
                        ..lldp(interface, far)
                    }),
                }
            }
            device
        });
        SiteEvidence { devices: evidence.collect(), anchors: Vec::new() }
    })
}

/// The same evidence in another order, with every device said twice.
fn shuffled(evidence: &SiteEvidence, turn: usize) -> SiteEvidence {
    let mut devices: Vec<_> = evidence.devices.iter().chain(&evidence.devices).cloned().collect();
    for device in &mut devices {
        if !device.forwarding.is_empty() {
            let turn = turn % device.forwarding.len();
            device.forwarding.rotate_left(turn);
            device.forwarding.extend(device.forwarding.clone());
        }
        device.interfaces.reverse();
        device.neighbours.reverse();
        device.facing.reverse();
        device.stations.reverse();
    }
    if !devices.is_empty() {
        let turn = turn % devices.len();
        devices.rotate_left(turn);
        devices.reverse();
    }
    SiteEvidence { devices, anchors: evidence.anchors.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn with_complete_tables_every_endpoint_is_at_its_port((evidence, truth) in any_network()) {
        let result = infer(&evidence);
        prop_assert_eq!(result.attachments.len(), truth.len());
        for (mac, attachment) in &result.attachments {
            let Where::Port(place) = attachment.at else { panic!("{mac}: {attachment:?}") };
            prop_assert_eq!(place.interface, truth[mac]);
            prop_assert!(attachment.confidence > 80);
            prop_assert_eq!(attachment.rejected.len() + 1, evidence.devices.len(), "each other row has its reason");
        }
    }

    #[test]
    fn neither_order_nor_repetition_of_the_evidence_shows(evidence in any_evidence(), turn in 0_usize..16) {
        prop_assert_eq!(infer(&shuffled(&evidence, turn)), infer(&evidence));
    }

    #[test]
    fn every_address_is_attached_or_dropped(evidence in any_evidence()) {
        let result = infer(&evidence);
        for row in evidence.devices.iter().flat_map(|device| &device.forwarding) {
            prop_assert!(result.attachments.contains_key(&row.mac) != result.dropped.contains_key(&row.mac));
        }
        for attachment in result.attachments.values() {
            let sure = matches!(
                attachment.reason,
                Reason::EdgePort { .. }
                    | Reason::BehindPhone { .. }
                    | Reason::Wireless
                    | Reason::SharedPorts { .. }
                    | Reason::UnmanagedBehind { .. }
            );
            prop_assert!(attachment.confidence <= 100 && (sure || attachment.confidence < 50), "{attachment:?}");
        }
    }
}

#[test]
fn a_site_of_sixty_switches_is_inferred_whole() {
    let parents: Vec<u64> = (2..=60).map(|number| number / 3 + 1).map(|parent| parent.min(59)).collect();
    let homes: Vec<u64> = (0..340).map(|index| index % 60 + 1).collect();
    let (evidence, truth) = network(&parents, &homes);
    let rows: usize = evidence.devices.iter().map(|device| device.forwarding.len()).sum();
    assert!(rows > 20_000, "{rows}");
    let result = infer(&evidence);
    let right =
        result.attachments.iter().filter(|(mac, it)| matches!(it.at, Where::Port(at) if at.interface == truth[mac]));
    assert_eq!(right.count(), truth.len());
}
