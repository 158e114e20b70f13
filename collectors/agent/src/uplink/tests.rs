//! The link against a model of the centre, over a line that breaks at random: every history item is committed exactly once,
//! and in the end the centre holds what the agent holds.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    MacAddr, Timestamp,
    fact::{
        Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Host, InterfaceSample, ItemKey, Method, Scope,
    },
};
use onenet_wire::{
    Acknowledgement, AgentMessage, Batch, CentreMessage, Clocks, Content, Digest, GroupDigest, Instruction,
    InstructionBody, Lane, Position, Rejection, RejectionReason, Welcome, key_hash, v1,
};
use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use super::{UplinkConfig, link::Link};
use crate::spool::{Spool, SpoolConfig};

/// A centre that keeps the contract, and nothing else.
#[derive(Debug, Clone, Default)]
struct Centre {
    marks: BTreeMap<Lane, Position>,
    retired: Vec<(Lane, u64)>,
    counters: Vec<u64>,
    facts: BTreeMap<(Group, ItemKey), Fact>,
    /// Counters of batches that it refused.
    refused: Vec<u64>,
    digests: usize,
}

impl Centre {
    fn welcome(&self) -> Welcome {
        let committed = self.marks.values().copied().collect();
        Welcome { centre_time: Timestamp::EPOCH, committed, site_name: "site".to_owned() }
    }

    fn receive(&mut self, message: AgentMessage, refuse: bool) -> Option<CentreMessage> {
        match message {
            AgentMessage::Batch(batch) => Some(self.batch(&batch, refuse)),
            AgentMessage::Digest(digest) => self.digest(&digest),
            AgentMessage::Hello(_) | AgentMessage::Heartbeat(_) | AgentMessage::Result(_) => None,
        }
    }

    fn batch(&mut self, batch: &Batch, refuse: bool) -> CentreMessage {
        let Position { lane, epoch, sequence } = batch.position;
        let reject = |position, reason| {
            CentreMessage::Rejection(Rejection { position, reason, detail: "by the model".to_owned() })
        };
        if self.retired.contains(&(lane, epoch)) {
            return reject(batch.position, RejectionReason::EpochRetired);
        }
        let mark = self.marks.get(&lane).copied();
        let committed = mark.filter(|mark| mark.epoch == epoch).map_or(0, |mark| mark.sequence);
        if sequence <= committed {
            let position = Position { lane, epoch, sequence: committed };
            return CentreMessage::Acknowledgement(Acknowledgement { position });
        }
        if sequence > committed + 1 {
            return reject(Position { lane, epoch, sequence: committed }, RejectionReason::Gap);
        }
        if let Some(before) = mark.filter(|mark| mark.epoch != epoch) {
            self.retired.push((lane, before.epoch));
        }
        self.marks.insert(lane, batch.position);
        if refuse && lane == Lane::History {
            self.refused.extend(counters(batch));
            return reject(batch.position, RejectionReason::Invalid);
        }
        self.counters.extend(counters(batch));
        self.commit_state(batch);
        CentreMessage::Acknowledgement(Acknowledgement { position: batch.position })
    }

    fn commit_state(&mut self, batch: &Batch) {
        let Content::State(parts) = &batch.content else { return };
        let closed = batch.closed();
        for part in parts {
            let listed: Vec<_> = part.changes.iter().map(FactChange::key).collect();
            if let Some(range) = part.complete {
                self.facts.retain(|(group, key), fact| {
                    let judged = *group == part.group && range.contains(key_hash(key)) && fact.observed <= closed;
                    !judged || listed.contains(key)
                });
            }
            for change in &part.changes {
                self.merge(&part.group, change);
            }
        }
    }

    fn merge(&mut self, group: &Group, change: &FactChange) {
        let at = (group.clone(), change.key());
        if self.facts.get(&at).is_some_and(|known| known.observed > change.observed()) {
            return;
        }
        match change {
            FactChange::Present(fact) => _ = self.facts.insert(at, fact.clone()),
            FactChange::Gone { .. } => _ = self.facts.remove(&at),
        }
    }

    /// Asks again for the groups in which both sides differ.
    fn digest(&mut self, digest: &Digest) -> Option<CentreMessage> {
        self.digests += 1;
        if self.marks.get(&Lane::State) != Some(&digest.state) {
            return None;
        }
        let mine = self.digests_of_facts();
        let differs = |one: &[GroupDigest], other: &[GroupDigest]| -> Vec<Group> {
            one.iter().filter(|digest| !other.contains(digest)).map(|digest| digest.group.clone()).collect()
        };
        let mut groups = differs(&mine, &digest.groups);
        groups.extend(differs(&digest.groups, &mine));
        groups.sort();
        groups.dedup();
        let body = InstructionBody::Resync(groups.clone());
        (!groups.is_empty()).then_some(CentreMessage::Instruction(Instruction { id: 1, body }))
    }

    fn digests_of_facts(&self) -> Vec<GroupDigest> {
        let mut digests: BTreeMap<Group, GroupDigest> = BTreeMap::new();
        for ((group, _), fact) in &self.facts {
            digests.entry(group.clone()).or_insert_with(|| GroupDigest::empty(group.clone())).add(&fact.body);
        }
        digests.into_values().collect()
    }
}

fn counters(batch: &Batch) -> Vec<u64> {
    let Content::History(items) = &batch.content else { return Vec::new() };
    let counter = |item: &HistoryItem| match &item.body {
        HistoryBody::Interface(sample) => sample.in_octets,
        _ => None,
    };
    items.iter().filter_map(counter).collect()
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Record(u8),
    Observe { number: u8, name: u8 },
    Vanish { number: u8 },
    Pass(u16),
    Send,
    Up(u8),
    UpRefused,
    Down(u8),
    Cut,
    RestartAgent,
    RestoreCentre,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..4_u8).prop_map(Step::Record),
        3 => (0..8_u8, any::<u8>()).prop_map(|(number, name)| Step::Observe { number, name }),
        1 => (0..8_u8).prop_map(|number| Step::Vanish { number }),
        5 => (100..5_000_u16).prop_map(Step::Pass),
        8 => Just(Step::Send),
        8 => (1..6_u8).prop_map(Step::Up),
        1 => Just(Step::UpRefused),
        8 => (1..6_u8).prop_map(Step::Down),
        2 => Just(Step::Cut),
        1 => Just(Step::RestartAgent),
    ]
}

/// Agent, centre, and the line between them.
struct World {
    folder: TempDir,
    now: Clocks,
    spool: Option<Arc<Spool>>,
    link: Option<Link>,
    up: Vec<AgentMessage>,
    down: Vec<CentreMessage>,
    centre: Centre,
    backup: Centre,
    recorded: u64,
    facts: BTreeMap<u8, u8>,
    caps: SpoolConfig,
}

impl World {
    fn new(caps: SpoolConfig) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            now: Clocks { boot_id: [1; 16], boot_ms: 1_000_000, wall_ms: 1_795_420_800_000 },
            spool: None,
            link: None,
            up: Vec::new(),
            down: Vec::new(),
            centre: Centre::default(),
            backup: Centre::default(),
            recorded: 0,
            facts: BTreeMap::new(),
            caps,
        }
    }

    fn spool(&mut self) -> Arc<Spool> {
        let (folder, caps, now) = (self.folder.path(), self.caps, self.now);
        Arc::clone(self.spool.get_or_insert_with(|| Spool::open(folder, caps, &now).unwrap()))
    }

    fn pass(&mut self, ms: u64) {
        self.now.boot_ms += ms;
        self.now.wall_ms += i64::try_from(ms).unwrap();
        let now = self.now;
        self.spool().seal(&now).unwrap();
    }

    fn cut(&mut self) {
        self.link = None;
        self.up.clear();
        self.down.clear();
    }

    fn connect(&mut self) {
        let (spool, now) = (self.spool(), self.now);
        let config = UplinkConfig { digest_ms: 20_000, heartbeat_ms: 10_000, ..UplinkConfig::new("model:0") };
        self.link = Some(Link::open(spool, config, &self.centre.welcome(), &now).unwrap());
    }

    fn send(&mut self) {
        if self.link.is_none() {
            self.connect();
        }
        let now = self.now;
        let link = self.link.as_mut().unwrap();
        while let Some(message) = link.next(&now).unwrap() {
            // Through the wire, as the real ones go.
            self.up.push(message.try_into().unwrap());
        }
    }

    fn up(&mut self, count: u8, refuse: bool) {
        for message in self.up.drain(..usize::from(count).min(self.up.len())) {
            let answer = self.centre.receive(message, refuse);
            self.down.extend(answer.map(|answer| v1::CentreMessage::from(answer).try_into().unwrap()));
        }
    }

    fn down(&mut self, count: u8) {
        let now = self.now;
        for message in self.down.drain(..usize::from(count).min(self.down.len())) {
            self.link.as_mut().unwrap().receive(message, &now).unwrap();
        }
    }

    fn group() -> Group {
        Group { method: Method::PassiveDhcp, scope: Scope::new("lan") }
    }

    fn host(number: u8, name: u8) -> FactBody {
        FactBody::Host(Box::new(Host {
            mac: MacAddr([2, 0, 0, 0, 0, number]),
            hostname: name.to_string(),
            vendor_class: String::new(),
            parameter_list: vec![],
            client_id: vec![],
        }))
    }

    fn apply(&mut self, step: &Step) {
        let (spool, now) = (self.spool(), self.now);
        let time = Timestamp::from_unix_ms(now.wall_ms);
        match *step {
            Step::Record(count) => {
                for _ in 0..count {
                    self.recorded += 1;
                    let sample = InterfaceSample { in_octets: Some(self.recorded), ..InterfaceSample::default() };
                    let body = HistoryBody::Interface(sample);
                    spool.record([HistoryItem { time, scope: Scope::new("core"), body }], &now).unwrap();
                }
            }
            Step::Observe { number, name } => {
                let fact = Fact { observed: time, body: Self::host(number, name) };
                spool.observe(&[(Self::group(), FactChange::Present(fact))], &now).unwrap();
                self.facts.insert(number, name);
                // Two observations of one moment have no order.
                self.pass(1);
            }
            Step::Vanish { number } => {
                let change = FactChange::Gone { key: Self::host(number, 0).key(), observed: time };
                spool.observe(&[(Self::group(), change)], &now).unwrap();
                self.facts.remove(&number);
                self.pass(1);
            }
            Step::Pass(ms) => self.pass(ms.into()),
            Step::Send => self.send(),
            Step::Up(count) => self.up(count, false),
            Step::UpRefused => self.up(1, true),
            Step::Down(count) => self.down(count),
            Step::Cut => self.cut(),
            Step::RestartAgent => {
                drop(spool);
                self.restart_agent();
            }
            Step::RestoreCentre => {
                self.cut();
                self.centre = self.backup.clone();
            }
        }
    }

    fn restart_agent(&mut self) {
        self.cut();
        if let Some(spool) = self.spool.take() {
            spool.flush(&self.now).unwrap();
        }
    }

    /// Lets the line work until nothing more is said.
    fn settle(&mut self) {
        for _ in 0..400 {
            self.pass(1_500);
            self.send();
            self.up(u8::MAX, false);
            self.down(u8::MAX);
        }
        let status = self.spool().status();
        assert_eq!((status.history_batches, status.state_waiting), (0, 0), "{status:?}");
    }

    fn expected_facts(&self) -> BTreeMap<(Group, ItemKey), FactBody> {
        let body = |(number, name): (&u8, &u8)| Self::host(*number, *name);
        self.facts.iter().map(body).map(|body| ((Self::group(), body.key()), body)).collect()
    }

    fn facts_of_centre(&self) -> BTreeMap<(Group, ItemKey), FactBody> {
        let ours = self.centre.facts.iter().filter(|((group, _), _)| *group == Self::group());
        ours.map(|(at, fact)| (at.clone(), fact.body.clone())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn over_a_line_that_breaks_at_random_every_item_is_committed_exactly_once(steps in vec(step(), 1..120)) {
        let mut world = World::new(SpoolConfig::default());
        for step in &steps {
            world.apply(step);
        }
        world.settle();
        let mut all = [&world.centre.counters[..], &world.centre.refused].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (1..=world.recorded).collect::<Vec<_>>());
        prop_assert!(world.centre.counters.is_sorted(), "out of order: {:?}", world.centre.counters);
        prop_assert_eq!(world.facts_of_centre(), world.expected_facts());
        prop_assert!(world.centre.digests > 0);
    }

    #[test]
    fn with_caps_that_drop_history_no_item_is_committed_twice_and_each_is_committed_or_counted(
        steps in vec(step(), 1..120),
    ) {
        let mut world = World::new(SpoolConfig { age_cap_ms: 6_000, ..SpoolConfig::default() });
        for step in &steps {
            // The count of what was lost is one run's.
            if !matches!(step, Step::RestartAgent) {
                world.apply(step);
            }
        }
        world.settle();
        let mut all = [&world.centre.counters[..], &world.centre.refused].concat();
        prop_assert!(world.centre.counters.is_sorted_by(|a, b| a < b), "{:?}", world.centre.counters);
        all.sort_unstable();
        all.dedup();
        let lost = world.spool().status().lost_items;
        prop_assert!(all.len() as u64 + lost >= world.recorded, "{} committed, {lost} lost of {}", all.len(), world.recorded);
    }

    #[test]
    fn a_centre_restored_from_a_backup_ends_up_with_all_the_state_again(
        before in vec(step(), 1..60), after in vec(step(), 1..60),
    ) {
        let mut world = World::new(SpoolConfig::default());
        for (index, step) in before.iter().chain(&[Step::RestoreCentre]).chain(&after).enumerate() {
            if index == before.len() / 2 {
                world.backup = world.centre.clone();
            }
            world.apply(step);
        }
        world.settle();
        prop_assert_eq!(world.facts_of_centre(), world.expected_facts());
        prop_assert!(world.centre.counters.is_sorted_by(|a, b| a < b), "{:?}", world.centre.counters);
    }
}

#[test]
fn drift_is_found_by_the_digest_and_repaired_by_a_resync() {
    let mut world = World::new(SpoolConfig::default());
    for number in 0..8 {
        world.apply(&Step::Observe { number, name: 1 });
    }
    world.settle();
    // The centre forgets one fact, keeps another wrongly, and invents a group.
    let key = World::host(3, 1).key();
    world.centre.facts.remove(&(World::group(), key));
    let invented = Fact { observed: Timestamp::EPOCH, body: World::host(77, 7) };
    world.centre.facts.insert((World::group(), invented.body.key()), invented.clone());
    let other = Group { method: Method::PassiveArp, scope: Scope::new("gone long ago") };
    world.centre.facts.insert((other.clone(), invented.body.key()), invented);
    world.settle();
    assert_eq!(world.facts_of_centre(), world.expected_facts());
    assert!(world.centre.facts.keys().all(|(group, _)| *group != other));
}

#[test]
fn after_an_outage_state_goes_first_and_back_fill_keeps_its_rate() {
    let mut world = World::new(SpoolConfig::default());
    for _ in 0..600 {
        for _ in 0..40 {
            world.apply(&Step::Record(3));
        }
        world.apply(&Step::Pass(2_000));
    }
    world.apply(&Step::Observe { number: 1, name: 1 });
    world.apply(&Step::Pass(500));
    world.send();
    world.pass(500);
    world.send();
    let first = world
        .up
        .iter()
        .position(|message| matches!(message, AgentMessage::Batch(batch) if batch.position.lane == Lane::State));
    let before = world.up[..first.expect("state is sent within a second")].len();
    assert!(before <= 4, "{before} batches of history before the state");

    let rate = UplinkConfig::new("").backfill_bytes_per_s;
    let (start, mut bytes) = (world.now.boot_ms, 0);
    while world.spool().status().history_batches > 20 {
        bytes += world
            .up
            .iter()
            .map(|message| prost::Message::encoded_len(&v1::AgentMessage::from(message)) as u64)
            .sum::<u64>();
        world.up(u8::MAX, false);
        world.down(u8::MAX);
        world.pass(100);
        world.send();
        assert!(world.now.boot_ms - start < 3_600_000, "back-fill does not end");
    }
    let seconds = (world.now.boot_ms - start) / 1_000;
    assert!(bytes <= rate * (seconds + 2), "{bytes} bytes in {seconds} s");
    assert!(bytes >= rate * seconds / 2, "{bytes} bytes in {seconds} s");
}

#[test]
fn a_centre_that_does_not_acknowledge_is_noticed() {
    let mut world = World::new(SpoolConfig::default());
    world.apply(&Step::Record(1));
    world.pass(1_500);
    world.send();
    assert!(!world.link.as_ref().unwrap().is_dead(&world.now));
    world.pass(61_000);
    assert!(world.link.as_ref().unwrap().is_dead(&world.now));
}
