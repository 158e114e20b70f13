//! Any interleaving of agents and lanes, with any repetitions and crashes, leads to the same estate as the plain order.

use proptest::prelude::*;

use super::*;
use crate::store::{SampleKind, SampleQuery, Store};

const AGENTS: usize = 2;

/// One change of one fact; what happens to be impossible (gone without having been there) is part of the test.
#[derive(Debug, Clone)]
struct Step {
    group: u8,
    fact: u8,
    ip: u8,
    gone: bool,
    age_ms: u64,
    complete: Option<bool>,
}

/// The lanes of one agent: each a list of batches in order.
#[derive(Debug, Clone)]
struct Lanes {
    state: Vec<Vec<Step>>,
    history: Vec<Vec<u64>>,
}

fn step() -> impl Strategy<Value = Step> {
    let complete = prop::option::weighted(0.2, any::<bool>());
    (0..5_u8, 0..5_u8, 0..4_u8, prop::bool::weighted(0.25), 0..900_u64, complete)
        .prop_map(|(group, fact, ip, gone, age_ms, complete)| Step { group, fact, ip, gone, age_ms, complete })
}

fn lanes() -> impl Strategy<Value = Lanes> {
    let state = prop::collection::vec(prop::collection::vec(step(), 1..5), 1..8);
    let history = prop::collection::vec(prop::collection::vec(0..1_000_u64, 1..4), 0..5);
    (state, history).prop_map(|(state, history)| Lanes { state, history })
}

fn interface(step: &Step) -> FactBody {
    let oper = if step.ip.is_multiple_of(2) { fact::InterfaceStatus::Up } else { fact::InterfaceStatus::Down };
    FactBody::Interface(fact::Interface {
        name: format!("ge{}", step.fact),
        if_index: u32::from(step.ip),
        alias: String::new(),
        if_type: 6,
        mac: Some(mac(0xf0 + step.fact)),
        speed_bps: None,
        full_duplex: None,
        last_change_s: None,
        admin: fact::InterfaceStatus::Up,
        oper,
    })
}

fn body(step: &Step) -> (Group, FactBody) {
    let (last, ip) = (step.fact, std::net::IpAddr::from([10, 0, 0, step.ip]));
    match step.group {
        0 => (group(Method::PassiveArp, "eth0"), binding(last, step.ip)),
        1 => {
            let row = fact::Address { ip, interface: "vlan1".into(), mac: mac(last) };
            (group(Method::SnmpAddresses, "core"), FactBody::Address(row))
        }
        2 => {
            let row = fact::Forwarding {
                mac: mac(last),
                vlan: Some(10),
                interface: Some(format!("ge{}", step.ip)),
                bridge_port: 1,
                status: fact::ForwardingStatus::Learned,
            };
            (group(Method::SnmpForwarding, "core"), FactBody::Forwarding(row))
        }
        3 => (group(Method::SnmpInterfaces, "core"), interface(step)),
        _ => {
            let host = fact::Host {
                mac: mac(last),
                hostname: format!("host-{}", step.ip),
                vendor_class: String::new(),
                parameter_list: vec![step.ip],
                client_id: Vec::new(),
            };
            (group(Method::PassiveDhcp, "eth0"), FactBody::Host(Box::new(host)))
        }
    }
}

/// Returns the batches of a lane as the agent would number them.
fn state_batches(steps: &[Vec<Step>]) -> Vec<Batch> {
    let number = |index: usize| u64::try_from(index).unwrap() + 1;
    steps
        .iter()
        .enumerate()
        .map(|(index, steps)| {
            let closed = 100_000 + number(index) * 1_000;
            let mut groups: BTreeMap<Group, GroupChanges> = BTreeMap::new();
            for step in steps {
                let (group, body) = body(step);
                let observed = closed - step.age_ms;
                let entry =
                    groups.entry(group.clone()).or_insert(GroupChanges { group, changes: Vec::new(), complete: None });
                entry.changes.retain(|known| known.key() != body.key());
                entry.changes.push(if step.gone { gone(observed, &body) } else { present(observed, body) });
                let range = |all| if all { KeyRange::ALL } else { KeyRange { first: 0, last: u64::MAX / 2 } };
                entry.complete = entry.complete.or(step.complete.map(range));
            }
            batch(Lane::State, number(index), closed, Content::State(groups.into_values().collect()))
        })
        .collect()
}

fn history_batches(samples: &[Vec<u64>]) -> Vec<Batch> {
    let number = |index: usize| u64::try_from(index).unwrap() + 1;
    samples
        .iter()
        .enumerate()
        .map(|(index, samples)| {
            let closed = 100_000 + number(index) * 1_000;
            let items = samples.iter().map(|age| sample(closed - age, closed * 1_000 + age)).collect();
            batch(Lane::History, number(index), closed, Content::History(items))
        })
        .collect()
}

/// A country of one site and two agents, both connected.
fn country() -> (World, SiteId, Vec<AgentId>) {
    let mut world = World::new();
    let site = world.add_site("000000");
    let agents: Vec<_> = (0..AGENTS).map(|n| world.enrol(site, &[u8::try_from(n).unwrap()])).collect();
    for agent in &agents {
        world.hello(*agent, 1_000_000);
    }
    (world, site, agents)
}

/// Feeds the lanes in the order that `picks` gives. A pick beyond a lane's end sends its last batch again, and some picks
/// send an earlier one again.
fn feed(lanes: &[Lanes], picks: impl Iterator<Item = (usize, bool)>, mut send: impl FnMut(usize, &Batch)) {
    let all: Vec<(usize, Vec<Batch>)> = lanes
        .iter()
        .enumerate()
        .flat_map(|(agent, lanes)| [(agent, state_batches(&lanes.state)), (agent, history_batches(&lanes.history))])
        .collect();
    let mut sent = vec![0_usize; all.len()];
    for (pick, again) in picks {
        let lane = pick % all.len();
        let (agent, batches) = &all[lane];
        if again && sent[lane] > 0 {
            send(*agent, &batches[pick / all.len() % sent[lane]]);
        }
        if let Some(batch) = batches.get(sent[lane]) {
            send(*agent, batch);
            sent[lane] += 1;
        }
    }
    for (lane, (agent, batches)) in all.iter().enumerate() {
        for batch in &batches[sent[lane]..] {
            send(*agent, batch);
        }
    }
}

fn samples(store: &Store, site: SiteId) -> Vec<String> {
    let query = SampleQuery {
        agent: None,
        site,
        scope: Scope::new("core"),
        kind: SampleKind::Interface,
        item: None,
        from: Timestamp::EPOCH,
        until: NOW.plus_ms(1),
        limit: usize::MAX,
    };
    store.samples(&query).unwrap().iter().map(|sample| format!("{sample:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_and_repetition_gives_the_estate_of_the_plain_order(
        lanes in prop::collection::vec(lanes(), AGENTS),
        picks in prop::collection::vec((0..1_000_usize, any::<bool>()), 0..60),
    ) {
        let (mut plain, site, agents) = country();
        feed(&lanes, std::iter::empty(), |agent, batch| {
            plain.report(agents[agent], site, batch.clone()).unwrap();
        });
        let (mut mixed, _, _) = country();
        feed(&lanes, picks.into_iter(), |agent, batch| {
            mixed.report(agents[agent], site, batch.clone()).unwrap();
        });
        prop_assert_eq!(without_ids(&plain.estate), without_ids(&mixed.estate));
        let marks = |world: &World| agents.iter().map(|id| world.estate.agent(*id).unwrap().committed()).collect::<Vec<_>>();
        prop_assert_eq!(marks(&plain), marks(&mixed));
    }

    #[test]
    fn what_changed_adds_up_to_the_estate(lanes in prop::collection::vec(lanes(), AGENTS)) {
        let (mut world, site, agents) = country();
        feed(&lanes, std::iter::empty(), |agent, batch| {
            world.report(agents[agent], site, batch.clone()).unwrap();
        });
        let mut again = Estate::default();
        for change in &world.changes {
            again.apply(change);
        }
        prop_assert_eq!(&again, &world.estate);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A crash after the commit loses the answer: the agent sends again. A crash before it loses the record: likewise.
    #[test]
    fn a_crash_between_any_two_steps_loses_nothing_and_doubles_nothing(
        lanes in prop::collection::vec(lanes(), AGENTS),
        picks in prop::collection::vec((0..1_000_usize, any::<bool>()), 0..40),
        crashes in prop::collection::vec(prop::option::weighted(0.3, any::<bool>()), 40),
    ) {
        let plain_dir = tempfile::tempdir().unwrap();
        let plain_store = Store::open(plain_dir.path()).unwrap();
        let (mut plain, site, agents) = country();
        feed(&lanes, std::iter::empty(), |agent, batch| {
            plain.report(agents[agent], site, batch.clone()).unwrap();
        });
        plain_store.commit(&plain.changes).unwrap();

        let directory = tempfile::tempdir().unwrap();
        let mut store = Some(Store::open(directory.path()).unwrap());
        let (mut world, _, _) = country();
        store.as_ref().unwrap().commit(&std::mem::take(&mut world.changes)).unwrap();
        let mut crashes = crashes.into_iter();
        feed(&lanes, picks.into_iter(), |agent, batch| {
            if let Some(after_commit) = crashes.next().flatten() {
                world.report(agents[agent], site, batch.clone()).unwrap();
                let changes = std::mem::take(&mut world.changes);
                if after_commit {
                    store.as_ref().unwrap().commit(&changes).unwrap();
                }
                drop(store.take());
                let reopened = Store::open(directory.path()).unwrap();
                world.estate = reopened.load().unwrap();
                store = Some(reopened);
            }
            world.report(agents[agent], site, batch.clone()).unwrap();
            store.as_ref().unwrap().commit(&std::mem::take(&mut world.changes)).unwrap();
        });
        prop_assert_eq!(without_ids(&plain.estate), without_ids(&world.estate));
        let store = store.unwrap();
        prop_assert_eq!(&store.load().unwrap(), &world.estate);
        prop_assert_eq!(samples(&plain_store, site), samples(&store, site));
    }
}
