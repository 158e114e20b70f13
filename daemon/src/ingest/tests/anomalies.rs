//! More anomalies of a site than there is room for.

use onenet_topology::{
    anomaly::{AnomalyKey, AnomalyReport},
    case::{CaseAction, CaseKey, CaseVerdict, Category},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};

use super::*;
use crate::findings::{FindingKey, FindingKind, Subject};

const BOOT_MS: u64 = 1_000_000;
/// As many as a site has room for.
const ROOM: u32 = 4_096;

/// Port scans by so many hosts, each of a grade.
fn scans(sequence: u64, hosts: std::ops::Range<u32>, grade: Severity) -> Batch {
    let time = Timestamp::from_unix_ms(wall_at(BOOT_MS));
    let item = |host: u32| {
        let report = AnomalyReport {
            key: AnomalyKey { kind: "port_scan".into(), subject: subject(host) },
            grade,
            confidence: 80,
            lasted_ms: 0,
            count: 30,
            run: 1,
            evidence: Vec::new(),
            drill: None,
        };
        HistoryItem { time, scope: Scope::new(""), body: HistoryBody::Anomaly(report) }
    };
    batch(Lane::History, sequence, BOOT_MS, Content::History(hosts.map(item).collect()))
}

fn subject(host: u32) -> String {
    std::net::Ipv4Addr::from_bits(0x0a14_0000 + host).to_string()
}

fn holds(world: &World, site: SiteId, host: u32) -> bool {
    let key = AnomalyKey { kind: "port_scan".into(), subject: subject(host) };
    world.estate.site(site).unwrap().anomalies.contains_key(&key)
}

fn left_out(world: &World, site: SiteId, agent: AgentId) -> u64 {
    let key = FindingKey { kind: FindingKind::CapacityReached, subject: Subject::Agent(agent) };
    world.estate.site(site).unwrap().findings.get(&key).map_or(0, |it| it.evidence.left_out())
}

/// A site that is full of scans of the second grade.
fn full() -> (World, SiteId, AgentId) {
    let (mut world, site, agent) = World::with_agent(BOOT_MS);
    world.report(agent, site, scans(1, 0..ROOM, Severity::Considerable)).unwrap();
    assert_eq!((world.estate.site(site).unwrap().anomalies.len(), left_out(&world, site, agent)), (4_096, 0));
    (world, site, agent)
}

#[test]
fn what_is_no_graver_than_all_that_is_open_finds_no_room_and_is_counted_each_time() {
    let (mut world, site, agent) = full();
    world.report(agent, site, scans(2, ROOM..ROOM + 3, Severity::Considerable)).unwrap();
    world.report(agent, site, scans(3, ROOM + 3..ROOM + 5, Severity::General)).unwrap();
    assert_eq!((left_out(&world, site, agent), world.estate.site(site).unwrap().anomalies.len()), (5, 4_096));
    assert!(!holds(&world, site, ROOM));
}

#[test]
fn what_is_graver_takes_the_place_of_the_least_and_that_is_counted() {
    let (mut world, site, agent) = full();
    world.report(agent, site, scans(2, ROOM..ROOM + 1, Severity::Major)).unwrap();
    assert!(holds(&world, site, ROOM) && world.estate.site(site).unwrap().anomalies.len() == 4_096);
    assert_eq!(left_out(&world, site, agent), 1);
    // What is told again has its place.
    world.report(agent, site, scans(3, ROOM..ROOM + 1, Severity::Major)).unwrap();
    assert_eq!(left_out(&world, site, agent), 1);
}

#[test]
fn what_was_closed_as_nothing_gives_way_first_to_anything_and_its_case_stays() {
    let (mut world, site, agent) = full();
    let key = |host| CaseKey { site, kind: "port_scan".into(), subject: subject(host), drill: false };
    for (host, verdict) in [(5, CaseVerdict::True), (7, CaseVerdict::Benign)] {
        let case = world.estate.cases.of_key(&key(host)).unwrap().id;
        let grade = CaseAction::Grade { grade: Severity::Considerable, category: Category::NetworkAttack };
        for action in [CaseAction::Acknowledge, grade, CaseAction::Close { verdict, text: "done".into() }] {
            world.command(Command::ActOnCase { site, case, action, notice: None }).unwrap();
        }
    }
    for (host, gone) in [(ROOM, 7), (ROOM + 1, 5)] {
        world.report(agent, site, scans(u64::from(host - ROOM) + 2, host..host + 1, Severity::General)).unwrap();
        assert!(holds(&world, site, host) && !holds(&world, site, gone), "{host}");
        assert!(world.estate.cases.of_key(&key(gone)).is_some());
    }
    assert_eq!(left_out(&world, site, agent), 0, "nobody waits for what was closed");
}
