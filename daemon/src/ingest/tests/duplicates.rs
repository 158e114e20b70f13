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
    let groups =
        [(Method::SnmpSystem, FactBody::System(system)), (Method::SnmpOwnAddresses, FactBody::OwnAddress(own))];
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
