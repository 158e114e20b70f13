//! Addresses that several have.

use super::*;
use crate::findings::{Evidence, Finding, FindingKind};

/// Ticks for a whole round, so that it is every site's turn once.
fn round(world: &mut World) {
    for _ in 0..600 {
        world.now = world.now.plus_ms(1_000);
        world.submit(Body::Tick).unwrap();
    }
}

fn found(world: &World, site: SiteId) -> Vec<Finding> {
    let findings = world.estate.site(site).unwrap().findings.values();
    findings.filter(|it| FindingKind::DUPLICATES.contains(&it.key.kind)).map(|it| Finding::clone(it)).collect()
}

#[test]
fn one_address_of_two_machines_at_a_time_is_found_once_and_cleared() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world
        .report(agent, site, state(1, 900_000, vec![present(800_000, binding(1, 7)), present(801_000, binding(2, 7))]))
        .unwrap();
    world
        .report(agent, site, state(2, 901_000, vec![present(900_000, binding(1, 7)), present(900_000, binding(2, 7))]))
        .unwrap();
    world.report(agent, site, state(3, 902_000, vec![present(900_000, binding(3, 9))])).unwrap();
    round(&mut world);
    let [finding] = &found(&world, site)[..] else { panic!("{:?}", found(&world, site)) };
    assert_eq!(finding.key.kind, FindingKind::IpWithTwoMacs);
    assert_eq!(finding.evidence, Evidence::TwoMacs { ip: [10, 0, 0, 7].into(), macs: vec![mac(1), mac(2)] });
    world.report(agent, site, state(4, 1_700_000, vec![gone(1_700_000, &binding(2, 7))])).unwrap();
    round(&mut world);
    assert_eq!(found(&world, site), []);
}

#[test]
fn an_address_that_went_from_one_machine_to_another_is_no_finding() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.report(agent, site, state(1, 900_000, vec![present(800_000, binding(1, 7))])).unwrap();
    world.report(agent, site, state(2, 901_000, vec![present(900_000, binding(2, 7))])).unwrap();
    round(&mut world);
    assert_eq!(found(&world, site), []);
}

#[test]
fn a_machine_that_is_seen_at_two_sites_is_found_at_both() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let other_site = world.add_site("130000");
    let other = world.enrol(other_site, b"other");
    world.hello(other, 1_000_000);
    world.report(agent, site, state(1, 900_000, vec![present(900_000, binding(1, 7))])).unwrap();
    world.report(other, other_site, state(1, 900_000, vec![present(900_000, binding(1, 8))])).unwrap();
    round(&mut world);
    for site in [site, other_site] {
        let [finding] = &found(&world, site)[..] else { panic!("{:?}", found(&world, site)) };
        assert_eq!(finding.evidence, Evidence::MacElsewhere { mac: mac(1), sites: 1 });
    }
}

#[test]
fn a_terminal_that_uses_the_address_of_a_device_is_found() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let system = fact::System { name: "core".into(), bridge_mac: Some(mac(0xf0)), ..fact::System::default() };
    let own = fact::OwnAddress { ip: [10, 0, 0, 1].into(), prefix_bits: Some(24), interface: "Vlanif1".into() };
    let groups = [
        (Method::SnmpSystem, FactBody::System(Box::new(system))),
        (Method::SnmpOwnAddresses, FactBody::OwnAddress(own)),
    ];
    let groups = groups.into_iter().map(|(method, body)| GroupChanges {
        group: group(method, "core"),
        changes: vec![present(900_000, body)],
        complete: None,
    });
    world.report(agent, site, batch(Lane::State, 1, 900_000, Content::State(groups.collect()))).unwrap();
    world
        .report(
            agent,
            site,
            state(2, 901_000, vec![present(900_000, binding(1, 1)), present(900_000, binding(0xf0, 1))]),
        )
        .unwrap();
    round(&mut world);
    let findings = found(&world, site);
    let used: Vec<_> = findings.iter().filter(|it| it.key.kind == FindingKind::DeviceAddressUsed).collect();
    let [finding] = used[..] else { panic!("{findings:?}") };
    assert!(matches!(finding.evidence, Evidence::DeviceAddress { mac: it, .. } if it == mac(1)), "{finding:?}");
    assert!(finding.remedy().contains("10.0.0.1"));
}

/// A switch whose table has an address at these ports, walk after walk; `ge7` and `ge8` are members of one aggregate.
fn walked(ports: &[u8]) -> (World, SiteId) {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let members = [7, 8].map(|member| {
        let member = part(&format!("ge{member}"), "agg1");
        present(900_000, FactBody::Aggregation(member))
    });
    let system = fact::System { name: "core".into(), ..fact::System::default() };
    let first = [
        (Method::SnmpSystem, vec![present(900_000, FactBody::System(Box::new(system)))]),
        (Method::SnmpAggregation, members.to_vec()),
    ];
    let groups =
        first.map(|(method, changes)| GroupChanges { group: group(method, "core"), changes, complete: None }).to_vec();
    world.report(agent, site, batch(Lane::State, 1, 900_000, Content::State(groups))).unwrap();
    for (sequence, port) in (2..).zip(ports) {
        let at = 900_000 + sequence * 300_000;
        let row = FactBody::Forwarding(fact::Forwarding {
            mac: mac(1),
            vlan: Some(10),
            interface: Some(format!("ge{port}")),
            bridge_port: u32::from(*port),
            status: fact::ForwardingStatus::Learned,
        });
        let changes = vec![present(at, row)];
        let groups = vec![GroupChanges { group: group(Method::SnmpForwarding, "core"), changes, complete: None }];
        world.now = world.now.plus_ms(300_000);
        world.report(agent, site, batch(Lane::State, sequence, at, Content::State(groups))).unwrap();
    }
    round(&mut world);
    (world, site)
}

#[test]
fn an_address_that_goes_back_and_forth_between_ports_is_found_with_ports_and_times() {
    let (mut world, site) = walked(&[1, 2, 1, 2, 1]);
    let [finding] = &found(&world, site)[..] else { panic!("{:?}", found(&world, site)) };
    assert_eq!(finding.key.kind, FindingKind::MacFlaps);
    let Evidence::Flapping { mac: it, count: 4, changes, .. } = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!((*it, changes.len()), (mac(1), 4));
    assert_eq!((&*changes[3].from, &*changes[3].to), ("ge2", "ge1"));
    assert_eq!(changes[3].at.ms_since(changes[2].at), 300_000);
    assert!(finding.remedy().contains("ge2 > ge1"), "{}", finding.remedy());
    // A start of the centre forgets what it counted, and not what it found.
    let directory = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(directory.path()).unwrap();
    store.commit(&world.changes).unwrap();
    world.estate = store.load().unwrap();
    round(&mut world);
    assert_eq!(found(&world, site).len(), 1);
    for _ in 0..12 {
        round(&mut world);
    }
    assert_eq!(found(&world, site), [], "it rests");
}

#[test]
fn who_moves_once_and_who_is_at_two_members_of_an_aggregate_does_not_flap() {
    for ports in [&[1, 2, 2, 2, 2][..], &[1, 2, 3, 4, 5], &[7, 8, 7, 8, 7, 8]] {
        let (world, site) = walked(ports);
        assert_eq!(found(&world, site), [], "{ports:?}");
    }
}
