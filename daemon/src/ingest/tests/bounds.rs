//! An agent that reports more than anybody has.

use super::*;
use crate::findings::{Capacity, Evidence, FindingKey, FindingKind, Subject};

fn sightings(range: std::ops::Range<u32>) -> Vec<FactChange> {
    let seen = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        let mac = MacAddr([0x00, 0x1b, 0x23, a, b, c]);
        present(980_000, FactBody::Sighting(fact::Sighting { mac, vlan: None }))
    };
    range.map(seen).collect()
}

fn frames(sequence: u64, changes: Vec<FactChange>) -> Batch {
    let groups = vec![GroupChanges { group: group(Method::PassiveFrames, "eth0"), changes, complete: None }];
    batch(Lane::State, sequence, 990_000, Content::State(groups))
}

fn evidence(world: &World, site: SiteId, agent: AgentId) -> Option<Evidence> {
    let key = FindingKey { kind: FindingKind::CapacityReached, subject: Subject::Agent(agent) };
    Some(world.estate.site(site)?.findings.get(&key)?.evidence.clone())
}

/// A site with room for 100 endpoints, and agents that may hold 200 facts each.
fn small() -> (World, SiteId, AgentId, AgentId) {
    let (mut world, site, one) = World::with_agent(1_000_000);
    let two = world.enrol(site, b"other");
    world.hello(two, 1_000_000);
    world.policy.endpoints_per_site_max = 100;
    world.policy.facts_per_agent_max = 200;
    world.policy.devices_per_agent_max = 5;
    (world, site, one, two)
}

#[test]
fn a_million_endpoints_of_one_agent_are_bounded_and_another_agents_still_find_room() {
    let (mut world, site, hostile, honest) = small();
    for (sequence, chunk) in (1..=250_u32).map(|n| (u64::from(n), n * 4_000 - 4_000..n * 4_000)) {
        // Bounded means that the later ones cost next to nothing: nothing of them is kept.
        world.changes.clear();
        world.report(hostile, site, frames(sequence, sightings(chunk))).unwrap();
        assert!(world.changes.len() < 1_000 || sequence == 1, "{} changes", world.changes.len());
    }
    let state = world.estate.site(site).unwrap();
    assert_eq!(state.held.get(&hostile), Some(&200));
    assert_eq!(state.endpoints.len(), 75, "the last quarter is kept for others");
    assert!(matches!(
        evidence(&world, site, hostile),
        Some(Evidence::Capacity { what: Capacity::Facts, held: 200, limit: 200, left_out: 0 })
    ));
    world.report(honest, site, state_of(1, 20)).unwrap();
    assert_eq!(world.estate.site(site).unwrap().endpoints.len(), 95);
    assert_eq!(evidence(&world, site, honest), None);
}

fn state_of(sequence: u64, count: u8) -> Batch {
    state(sequence, 990_000, (1..=count).map(|n| present(980_000, binding(n, n))).collect())
}

#[test]
fn the_finding_goes_when_there_is_room_again() {
    let (mut world, site, agent, _) = small();
    world.report(agent, site, frames(1, sightings(0..300))).unwrap();
    let finding = evidence(&world, site, agent);
    assert!(finding.is_some());
    world.report(agent, site, frames(2, vec![])).unwrap();
    assert_eq!(evidence(&world, site, agent), finding, "still full");
    let none =
        GroupChanges { group: group(Method::PassiveFrames, "eth0"), changes: vec![], complete: Some(KeyRange::ALL) };
    world.report(agent, site, batch(Lane::State, 3, 991_000, Content::State(vec![none]))).unwrap();
    assert_eq!(evidence(&world, site, agent), None);
}

#[test]
fn an_agent_polls_so_many_devices_and_no_more() {
    let (mut world, site, agent, _) = small();
    let system = |n: u8| GroupChanges {
        group: group(Method::SnmpSystem, &format!("sw{n}")),
        changes: vec![present(
            980_000,
            FactBody::System(Box::new(fact::System { name: format!("s{n}"), ..Default::default() })),
        )],
        complete: None,
    };
    world.report(agent, site, batch(Lane::State, 1, 990_000, Content::State((0..20).map(system).collect()))).unwrap();
    assert_eq!(world.estate.site(site).unwrap().devices.len(), 5);
    assert!(matches!(
        evidence(&world, site, agent),
        Some(Evidence::Capacity { what: Capacity::Devices, held: 5, limit: 5, left_out: 0 })
    ));
    let text = world.estate.site(site).unwrap().findings.values().map(|it| it.remedy()).collect::<String>();
    assert!(text.contains("let another agent"), "{text}");
}

#[test]
fn sequences_at_the_end_of_their_range_are_gaps_and_nothing_worse() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    for sequence in [2, u64::MAX - 1, u64::MAX] {
        let refused = world.report(agent, site, state(sequence, 990_000, vec![]));
        assert!(matches!(refused, Err(Refusal::Gap { .. })), "{sequence}: {refused:?}");
    }
    let zero = world.report(agent, site, state(0, 990_000, vec![])).unwrap_err().to_string();
    assert!(zero.contains("batch.position.sequence") && zero.contains("count from 1"), "{zero}");
}
