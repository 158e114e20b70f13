//! The spool from the outside: what goes in comes out once, whatever happens in between.

mod caps;
mod disk;
mod journal;
mod killed;
mod model;
mod state;

use std::sync::Arc;

use onenet_topology::{
    MacAddr, Timestamp,
    fact::{
        Binding, Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, InterfaceSample, ItemKey, Method, Scope,
        Sighting,
    },
};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, Lane, Position, v1};
use tempfile::TempDir;

use super::{Spool, SpoolConfig};

/// A clock that the test moves.
#[derive(Debug, Clone, Copy)]
struct Hands(Clocks);

impl Hands {
    fn new() -> Self {
        Self(Clocks { boot_id: [1; 16], boot_ms: 1_000_000, wall_ms: 1_795_420_800_000 })
    }

    fn pass(&mut self, ms: u64) -> Clocks {
        self.0.boot_ms += ms;
        self.0.wall_ms += i64::try_from(ms).unwrap();
        self.0
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.wall_ms)
    }
}

fn open(folder: &TempDir, now: &Clocks) -> Arc<Spool> {
    Spool::open(folder.path(), SpoolConfig::default(), now).unwrap()
}

fn group(scope: &str) -> Group {
    Group { method: Method::PassiveArp, scope: Scope::new(scope) }
}

fn mac(number: u32) -> MacAddr {
    MacAddr::from_u64(u64::from(number) | 0x0200_0000_0000).unwrap()
}

fn sighting(number: u32, vlan: Option<u16>, observed: Timestamp) -> Fact {
    Fact { observed, body: FactBody::Sighting(Sighting { mac: mac(number), vlan }) }
}

fn binding(number: u32, last: u8, observed: Timestamp) -> Fact {
    Fact { observed, body: FactBody::Binding(Binding { mac: mac(number), ip: [10, 0, 0, last].into() }) }
}

/// A host whose name is its content: the same key, another body.
fn host(number: u32, name: &str, observed: Timestamp) -> Fact {
    let host = onenet_topology::fact::Host {
        mac: mac(number),
        hostname: name.to_owned(),
        vendor_class: String::new(),
        parameter_list: vec![],
        client_id: vec![],
    };
    Fact { observed, body: FactBody::Host(Box::new(host)) }
}

fn present(scope: &str, fact: Fact) -> (Group, FactChange) {
    (group(scope), FactChange::Present(fact))
}

fn gone(scope: &str, key: ItemKey, observed: Timestamp) -> (Group, FactChange) {
    (group(scope), FactChange::Gone { key, observed })
}

fn sample(number: u64, time: Timestamp) -> HistoryItem {
    let sample = InterfaceSample { name: "eth0".to_owned(), in_octets: Some(number), ..InterfaceSample::default() };
    HistoryItem { time, scope: Scope::new("core"), body: HistoryBody::Interface(sample) }
}

fn domain(batch: v1::Batch) -> Batch {
    Batch::try_from(batch).expect("what the spool makes is accepted")
}

/// Takes the next state batch, as if it were sent.
fn take_state(spool: &Spool, now: &Clocks) -> Option<(Position, Vec<GroupChanges>)> {
    if !spool.cut_state(now).unwrap() {
        return None;
    }
    let batch = domain(spool.outstanding(now).unwrap().expect("it was cut"));
    let Content::State(groups) = batch.content else { panic!("another lane") };
    Some((batch.position, groups))
}

/// Takes and acknowledges all state that waits, and returns it.
fn drain_state(spool: &Spool, now: &Clocks) -> Vec<GroupChanges> {
    let mut all = Vec::new();
    while let Some((position, groups)) = take_state(spool, now) {
        all.extend(groups);
        spool.acknowledge(position, now).unwrap();
    }
    all
}

fn changes(groups: &[GroupChanges]) -> Vec<FactChange> {
    groups.iter().flat_map(|group| group.changes.clone()).collect()
}

/// Returns the counters in the history that the spool keeps, in order.
fn counters(spool: &Spool, now: &Clocks) -> Vec<u64> {
    let view = spool.view();
    let mut counters = Vec::new();
    for sequence in view.history_before_first + 1..=view.history.sequence {
        let batch = domain(spool.history_batch(sequence, now).unwrap().expect("it is kept"));
        assert_eq!(batch.position, Position { lane: Lane::History, epoch: view.history.epoch, sequence });
        let Content::History(items) = batch.content else { panic!("another lane") };
        counters.extend(items.iter().filter_map(|item| match &item.body {
            HistoryBody::Interface(sample) => sample.in_octets,
            _ => None,
        }));
    }
    counters
}

#[test]
fn an_item_recorded_is_kept_with_its_own_time_until_it_is_acknowledged() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let taken = hands.time();
    spool.record([sample(1, taken)], &hands.0).unwrap();
    hands.pass(3_000);
    spool.seal(&hands.0).unwrap();
    let batch = domain(spool.history_batch(1, &hands.0).unwrap().unwrap());
    let Content::History(items) = batch.content else { panic!("another lane") };
    assert_eq!(items, [sample(1, taken)]);
    spool.acknowledge(batch.position, &hands.0).unwrap();
    assert_eq!(spool.status().history_batches, 0);
    assert_eq!(spool.history_batch(1, &hands.0).unwrap(), None);
}

#[test]
fn items_wait_a_second_for_others_to_share_their_batch() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    spool.record([sample(1, hands.time())], &hands.0).unwrap();
    hands.pass(600);
    spool.seal(&hands.0).unwrap();
    spool.record([sample(2, hands.time())], &hands.0).unwrap();
    assert_eq!(spool.status().history_batches, 0);
    hands.pass(600);
    spool.seal(&hands.0).unwrap();
    assert_eq!(spool.status().history_batches, 1);
    assert_eq!(counters(&spool, &hands.0), [1, 2]);
}

#[test]
fn a_flood_of_items_is_cut_into_batches_that_fit_and_keep_their_order() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let items: Vec<_> = (0..5_000).map(|number| sample(number, hands.time())).collect();
    spool.record(items.clone(), &hands.0).unwrap();
    assert!(spool.status().history_batches >= 5);
    assert_eq!(counters(&spool, &hands.0), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn a_new_epoch_of_the_history_lane_numbers_what_is_left_from_one() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    for number in 1..=3 {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        spool.seal(&hands.pass(2_000)).unwrap();
    }
    let before = spool.view().history;
    spool.acknowledge(Position { sequence: 1, ..before }, &hands.0).unwrap();
    spool.renew_epoch(Lane::History, &hands.0).unwrap();
    let after = spool.view().history;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.sequence, spool.view().history_before_first), (2, 0));
    assert_eq!(counters(&spool, &hands.0), [2, 3]);
    // A late acknowledgement of the old epoch takes nothing away.
    spool.acknowledge(before, &hands.0).unwrap();
    assert_eq!(counters(&spool, &hands.0), [2, 3]);
    drop(spool);
    assert_eq!(open(&folder, &hands.0).view().history, after);
}

#[test]
fn a_refused_batch_is_set_aside_counted_and_said() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    for number in 1..=3 {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        spool.seal(&hands.pass(2_000)).unwrap();
    }
    let refused = Position { sequence: 2, ..spool.view().history };
    spool.set_aside(refused, "field history[0].scope: is too long", &hands.0).unwrap();
    assert_eq!(counters(&spool, &hands.0), [3]);
    assert_eq!(spool.status().refused_batches, 1);
    let said = drain_state(&spool, &hands.0);
    assert!(format!("{said:?}").contains("history[0].scope"), "{said:?}");
}
