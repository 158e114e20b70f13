//! The rules of planning, one by one.

use onenet_wire::key_hash;

use super::*;
use crate::findings::{FindingKey, FindingKind, Subject};

fn current_ips(world: &World, site: SiteId, last: u8) -> Vec<String> {
    let endpoint = world.endpoint(site, last).unwrap();
    endpoint.current_addresses().map(|address| address.ip.to_string()).collect()
}

#[test]
fn a_batch_has_its_effect_once_with_the_right_times() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let it = state(1, 990_000, vec![present(980_000, binding(1, 1))]);
    let position = it.position;
    assert_eq!(world.report(agent, site, it.clone()), Ok(Outcome::Committed(position)));
    let endpoint = world.endpoint(site, 1).unwrap().clone();
    assert_eq!(endpoint.first_seen(), Some(true_at(980_000)), "the wall clock is 3 hours off");
    let before = world.estate.clone();
    assert_eq!(world.report(agent, site, it), Ok(Outcome::Committed(position)));
    assert_eq!(world.estate, before);
}

#[test]
fn one_agents_complete_group_never_takes_away_what_another_sees() {
    let (mut world, site, one) = World::with_agent(1_000_000);
    let two = world.enrol(site, b"other");
    world.hello(two, 1_000_000);
    world.report(one, site, state(1, 990_000, vec![present(980_000, binding(1, 1))])).unwrap();
    world.report(two, site, state(1, 990_000, vec![present(980_000, binding(1, 1))])).unwrap();
    world.report(two, site, complete(2, 995_000, KeyRange::ALL, vec![])).unwrap();
    assert_eq!(current_ips(&world, site, 1), ["10.0.0.1"]);
    world.report(one, site, complete(2, 995_000, KeyRange::ALL, vec![])).unwrap();
    assert_eq!(current_ips(&world, site, 1), Vec::<String>::new());
    assert!(world.estate.site(site).unwrap().facts.is_empty());
}

#[test]
fn a_complete_range_takes_away_what_lies_within_it_only() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let bodies: Vec<_> = (1..=20).map(|n| binding(n, n)).collect();
    let changes = bodies.iter().map(|body| present(980_000, body.clone())).collect();
    world.report(agent, site, state(1, 990_000, changes)).unwrap();
    let half = KeyRange { first: 0, last: u64::MAX / 2 };
    world.report(agent, site, complete(2, 995_000, half, vec![])).unwrap();
    let expected = bodies.iter().filter(|body| !half.contains(key_hash(&body.key()))).count();
    assert!((1..20).contains(&expected), "{expected} of 20 in the upper half");
    let held = world.estate.site(site).unwrap().group(agent, &group(Method::PassiveArp, "eth0")).unwrap();
    assert_eq!(held.len(), expected);
}

#[test]
fn a_fact_observed_after_a_complete_group_was_closed_stays() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.report(agent, site, state(1, 990_000, vec![present(990_000, binding(1, 1))])).unwrap();
    world.report(agent, site, complete(2, 985_000, KeyRange::ALL, vec![])).unwrap();
    assert_eq!(current_ips(&world, site, 1), ["10.0.0.1"]);
}

#[test]
fn facts_merge_by_observation_and_not_by_arrival() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.report(agent, site, state(1, 990_000, vec![present(990_000, binding(1, 1))])).unwrap();
    world.report(agent, site, state(2, 991_000, vec![gone(980_000, &binding(1, 1))])).unwrap();
    assert_eq!(current_ips(&world, site, 1), ["10.0.0.1"], "found gone before it was seen");
}

#[test]
fn an_address_row_that_changes_hands_moves_the_binding() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let row =
        |last| FactBody::Address(fact::Address { ip: [10, 0, 0, 9].into(), interface: "vlan1".into(), mac: mac(last) });
    let report = |sequence, boot_ms, last| {
        let changes = vec![present(boot_ms, row(last))];
        let groups = vec![GroupChanges { group: group(Method::SnmpAddresses, "core"), changes, complete: None }];
        batch(Lane::State, sequence, boot_ms, Content::State(groups))
    };
    world.report(agent, site, report(1, 980_000, 1)).unwrap();
    world.report(agent, site, report(2, 990_000, 2)).unwrap();
    assert_eq!(current_ips(&world, site, 1), Vec::<String>::new());
    assert_eq!(current_ips(&world, site, 2), ["10.0.0.9"]);
    assert_eq!(world.endpoint(site, 1).unwrap().evidence.bindings().count(), 1, "the past binding is remembered");
}

#[test]
fn a_devices_own_port_is_no_endpoint_whichever_is_heard_of_first() {
    let interface = FactBody::Interface(fact::Interface {
        name: "ge0".into(),
        if_index: 1,
        alias: String::new(),
        if_type: 6,
        mac: Some(mac(1)),
        speed_bps: None,
        full_duplex: None,
        last_change_s: None,
        admin: fact::InterfaceStatus::Up,
        oper: fact::InterfaceStatus::Up,
    });
    let ports = |sequence| {
        let changes = vec![present(980_000, interface.clone())];
        let groups = vec![GroupChanges { group: group(Method::SnmpInterfaces, "core"), changes, complete: None }];
        batch(Lane::State, sequence, 990_000, Content::State(groups))
    };
    let heard = |sequence| state(sequence, 990_000, vec![present(980_000, binding(1, 1))]);
    for order in [[ports(1), heard(2)], [heard(1), ports(2)]] {
        let (mut world, site, agent) = World::with_agent(1_000_000);
        for batch in order {
            world.report(agent, site, batch).unwrap();
        }
        let state = world.estate.site(site).unwrap();
        assert_eq!(state.visible_endpoints().count(), 0);
        assert_eq!(state.endpoints.len(), 1, "what was seen is kept all the same");
    }
}

#[test]
fn an_agent_may_report_for_its_own_site_only_and_not_once_revoked() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let other = SiteId::from_raw(99);
    let batch = state(1, 990_000, vec![]);
    assert_eq!(world.report(agent, other, batch.clone()), Err(Refusal::OtherSite { agent, own: site, asked: other }));
    world.command(Command::RevokeAgent { agent, reason: "lost".into() }).unwrap();
    assert!(matches!(world.report(agent, site, batch), Err(Refusal::Revoked { .. })));
}

#[test]
fn an_unacceptable_batch_is_passed_over_and_the_lane_goes_on() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let position = state(1, 990_000, vec![]).position;
    world.submit(Body::Unacceptable { agent, position }).unwrap();
    assert!(world.report(agent, site, state(2, 990_000, vec![present(980_000, binding(1, 1))])).is_ok());
    assert!(world.endpoint(site, 1).is_some());
}

#[test]
fn the_two_lanes_do_not_touch_each_other() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let history = batch(Lane::History, 1, 990_000, Content::History(vec![sample(980_000, 1)]));
    world.report(agent, site, history).unwrap();
    let committed = world.estate.agent(agent).unwrap().committed();
    assert_eq!(committed, [Position { lane: Lane::History, epoch: 7, sequence: 1 }]);
    world.report(agent, site, state(1, 985_000, vec![])).unwrap();
    assert_eq!(world.estate.agent(agent).unwrap().committed().len(), 2);
}

#[test]
fn silence_makes_unknown_and_never_down_and_speech_ends_it() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let reach = FactBody::Reach(fact::Reach {
        state: fact::ReachState::Answering,
        detail: String::new(),
        target: String::new(),
    });
    let groups = vec![GroupChanges {
        group: group(Method::SnmpReach, "core"),
        changes: vec![present(980_000, reach)],
        complete: None,
    }];
    world.report(agent, site, batch(Lane::State, 1, 990_000, Content::State(groups))).unwrap();
    let standing = |world: &World| {
        let state = world.estate.site(site).unwrap();
        let device = state.devices.values().next().unwrap();
        world.estate.device_standing(device).0.name()
    };
    assert_eq!(standing(&world), "up");
    world.submit(Body::Disconnected { agent }).unwrap();
    world.now = NOW.plus_ms(30_000);
    world.submit(Body::Tick).unwrap();
    assert_eq!(standing(&world), "up", "a short cut is no silence");
    world.now = NOW.plus_ms(61_000);
    world.submit(Body::Tick).unwrap();
    assert_eq!(standing(&world), "unknown");
    let before = world.estate.position;
    world.submit(Body::Tick).unwrap();
    assert_eq!(world.estate.position, before, "nothing new, no record");
    world.hello(agent, 1_061_000);
    assert_eq!(standing(&world), "up");
}

#[test]
fn a_start_of_the_centre_is_not_an_agents_silence() {
    let (mut world, _, agent) = World::with_agent(1_000_000);
    world.now = NOW.plus_ms(3_600_000);
    world.submit(Body::Started).unwrap();
    world.submit(Body::Tick).unwrap();
    assert!(world.estate.is_heard(agent));
    world.now = world.now.plus_ms(61_000);
    world.submit(Body::Tick).unwrap();
    assert!(!world.estate.is_heard(agent));
}

#[test]
fn a_wrong_clock_is_a_finding_until_it_is_right_again() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let key = FindingKey { kind: FindingKind::ClockWrong, subject: Subject::Agent(agent) };
    let finding = world.estate.site(site).unwrap().findings.get(&key).unwrap().clone();
    assert!(finding.remedy().contains("10800 s ahead"), "{}", finding.remedy());
    let clocks = clocks(1, 1_000_000, NOW.unix_ms() + 29_000);
    world.submit(Body::Heard { agent, clocks, received: NOW, history_waiting: 0 }).unwrap();
    assert!(!world.estate.site(site).unwrap().findings.contains_key(&key));
}

#[test]
fn a_token_serves_once_but_the_same_key_may_ask_again() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let command = |key: &[u8]| Command::EnrolAgent { token: TokenHash::of(b"secret"), key: TokenHash::of(key) };
    assert_eq!(world.command(command(b"key")), Ok(Outcome::Enrolled { agent, site }));
    assert_eq!(world.command(command(b"another")), Err(Refusal::TokenSpent(agent)));
    world.now = NOW.plus_ms(2_000);
    assert!(matches!(world.command(command(b"key")), Err(Refusal::TokenExpired(_))));
}

#[test]
fn a_full_site_admits_no_new_endpoint_and_keeps_the_established_ones() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let max = Policy::default().endpoints_per_site_max;
    let mut sequence = 0;
    for chunk in (0..u32::try_from(max).unwrap() + 500).collect::<Vec<_>>().chunks(4_000) {
        sequence += 1;
        let changes = chunk.iter().map(|n| {
            let [a, b, c, d] = n.to_be_bytes();
            present(980_000, FactBody::Sighting(fact::Sighting { mac: MacAddr([0, a, b, c, d, 1]), vlan: None }))
        });
        let changes = changes.collect();
        let groups = vec![GroupChanges { group: group(Method::PassiveFrames, "eth0"), changes, complete: None }];
        world.report(agent, site, batch(Lane::State, sequence, 990_000, Content::State(groups))).unwrap();
    }
    let state = world.estate.site(site).unwrap();
    assert_eq!(state.endpoints.len(), max);
    assert!(state.endpoint_by_mac(MacAddr([0, 0, 0, 0, 0, 1])).is_some());
}

#[test]
fn an_imported_tree_keeps_its_ids_when_it_is_imported_again() {
    let mut world = World::new();
    let rows = onenet_topology::site::parse_sites_csv(onenet_topology::division::csv()).unwrap();
    let command = Command::ImportSites { rows, from: Timestamp::EPOCH };
    let Ok(Outcome::SitesImported { changed, .. }) = world.command(command.clone()) else { panic!() };
    assert!(changed > 3_000, "{changed}");
    let before = world.estate.clone();
    let Ok(Outcome::SitesImported { changed: 0, .. }) = world.command(command) else { panic!() };
    // That it was asked for has its entry in the audit trail, and so its place in the log; nothing else changed.
    assert!(Estate { position: before.position, ..world.estate } == before, "the second import changed something");
}
