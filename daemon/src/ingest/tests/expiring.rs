//! Endpoints that are seen no more, and come back.

use super::*;
use crate::{ingest::Lifetimes, store::Store};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl World {
    /// Lets time pass; agents that are heard go on being heard. Every site has had its turn in the end.
    fn pass(&mut self, ms: i64, heard: &[AgentId]) {
        self.now = self.now.plus_ms(ms - 600_000);
        for _ in 0..600 {
            self.now = self.now.plus_ms(1_000);
            if self.now.unix_ms() % 20_000 == 0 {
                self.alive(heard);
            }
            self.submit(Body::Tick).unwrap();
        }
    }

    fn alive(&mut self, heard: &[AgentId]) {
        for agent in heard {
            let boot_ms = self.boot_ms();
            let clocks = clocks(1, boot_ms, wall_at(boot_ms));
            let received = self.now;
            self.submit(Body::Heard { agent: *agent, clocks, received, history_waiting: 0 }).unwrap();
        }
    }

    fn boot_ms(&self) -> u64 {
        u64::try_from(self.now.ms_since(NOW)).unwrap() + 1_000_000
    }

    /// The agent sees the endpoints now.
    fn sees(&mut self, agent: AgentId, site: SiteId, sequence: u64, lasts: &[u8]) {
        let boot_ms = self.boot_ms();
        let changes = lasts.iter().map(|last| present(boot_ms, binding(*last, *last))).collect();
        self.report(agent, site, state(sequence, boot_ms, changes)).unwrap();
    }
}

fn shown(world: &World, site: SiteId) -> usize {
    world.estate.site(site).unwrap().visible_endpoints().count()
}

#[test]
fn an_endpoint_that_nobody_sees_is_silent_then_retired_and_comes_back_as_itself() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.sees(agent, site, 1, &[1, 2]);
    world.pass(2 * DAY_MS, &[agent]);
    world.sees(agent, site, 2, &[1, 2]);
    let seen = world.now;
    let before = world.endpoint(site, 1).unwrap().clone();
    world.pass(HOUR_MS / 2, &[agent]);
    assert!(world.endpoint(site, 1).unwrap().is_present(), "seen half an hour ago");
    world.sees(agent, site, 3, &[2]);
    world.pass(HOUR_MS, &[agent]);
    let silent = world.endpoint(site, 1).unwrap();
    assert_eq!((silent.is_present(), silent.silent_since), (false, Some(seen)));
    let digest =
        world.estate.site(site).unwrap().group(agent, &group(Method::PassiveArp, "eth0")).unwrap().digest().clone();

    world.pass(90 * DAY_MS, &[agent]);
    // One round to find the second one silent, one to retire it.
    world.pass(HOUR_MS, &[agent]);
    let retired = world.endpoint(site, 1).unwrap();
    assert!(retired.retired_since.is_some(), "{retired:?}");
    assert_eq!(shown(&world, site), 0, "both are retired, and out of the lists");
    let state = world.estate.site(site).unwrap();
    assert_eq!((state.live(), state.retired), (0, 2));
    assert_eq!(
        *state.group(agent, &group(Method::PassiveArp, "eth0")).unwrap().digest(),
        digest,
        "facts are not touched"
    );
    assert_eq!(world.estate.indexes.by_mac(mac(1)).next(), Some(before.id), "it can still be found");

    world.sees(agent, site, 4, &[1]);
    let back = world.endpoint(site, 1).unwrap();
    assert_eq!((back.id, back.first_seen()), (before.id, before.first_seen()), "old identity, old history");
    assert!(back.is_present() && shown(&world, site) == 1);
    assert_eq!(world.estate.site(site).unwrap().live(), 1);

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&world.changes).unwrap();
    assert_eq!(store.load().unwrap(), world.estate);
}

#[test]
fn whoever_was_passing_through_is_retired_sooner_and_forgotten_in_the_end() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.sees(agent, site, 1, &[1]);
    world.pass(6 * DAY_MS, &[agent]);
    assert_eq!(shown(&world, site), 1);
    world.pass(2 * DAY_MS, &[agent]);
    assert_eq!(shown(&world, site), 0);
    world.pass(Lifetimes::default().forget_ms, &[agent]);
    assert!(world.endpoint(site, 1).is_none());
    assert_eq!(world.estate.indexes.by_mac(mac(1)).count(), 0);
    world.sees(agent, site, 2, &[1]);
    assert!(world.endpoint(site, 1).is_some(), "a newcomer like any other");
}

#[test]
fn an_agents_silence_makes_nothing_silent_until_it_lapses_or_is_revoked() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let other = world.enrol(site, b"other");
    world.hello(other, 1_000_000);
    world.sees(agent, site, 1, &[1]);
    world.pass(20 * DAY_MS, &[other]);
    assert!(!world.estate.is_heard(agent));
    assert_eq!(world.endpoint(site, 1).unwrap().silent_since, None, "what it watched is unknown");
    world.pass(11 * DAY_MS, &[other]);
    assert!(world.endpoint(site, 1).unwrap().silent_since.is_some());

    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.sees(agent, site, 1, &[1]);
    world.command(Command::RevokeAgent { agent, reason: "gone".into() }).unwrap();
    world.pass(2 * HOUR_MS, &[]);
    assert!(world.endpoint(site, 1).unwrap().silent_since.is_some());
}

#[test]
fn a_line_that_was_cut_for_hours_silences_nobody_when_it_is_back() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.sees(agent, site, 1, &[1]);
    world.submit(Body::Disconnected { agent }).unwrap();
    world.pass(5 * HOUR_MS, &[]);
    let boot_ms = world.boot_ms();
    world.hello(agent, boot_ms);
    world.pass(900_000, &[agent]);
    assert_eq!(world.endpoint(site, 1).unwrap().silent_since, None, "the agent has had no time to say what is there");
}

#[test]
fn a_flood_of_forged_addresses_makes_room_again_and_established_endpoints_stay() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.sees(agent, site, 1, &[1]);
    world.pass(2 * DAY_MS, &[agent]);
    world.sees(agent, site, 2, &[1]);
    let boot_ms = world.boot_ms();
    let forged = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        present(boot_ms, FactBody::Sighting(fact::Sighting { mac: MacAddr([0x00, 0x1b, 0x22, a, b, c]), vlan: None }))
    };
    let max = u32::try_from(Policy::default().endpoints_per_site_max).unwrap();
    for (chunk, sequence) in (0..max).collect::<Vec<_>>().chunks(4_000).zip(3..) {
        let groups = vec![GroupChanges {
            group: group(Method::PassiveFrames, "eth0"),
            changes: chunk.iter().map(|n| forged(*n)).collect(),
            complete: None,
        }];
        world.report(agent, site, batch(Lane::State, sequence, boot_ms, Content::State(groups))).unwrap();
    }
    world.sees(agent, site, 8, &[2]);
    assert!(world.endpoint(site, 2).is_none(), "the site is full");
    // Silent after an hour, out of the way within some rounds.
    for _ in 0..3 {
        world.pass(HOUR_MS, &[agent]);
    }
    assert!(world.estate.site(site).unwrap().live() < usize::try_from(max).unwrap());
    world.sees(agent, site, 9, &[1, 2]);
    assert!(world.endpoint(site, 2).is_some_and(Endpoint::is_present));
    assert!(world.endpoint(site, 1).is_some_and(|it| it.retired_since.is_none()), "established ones never gave way");
}
