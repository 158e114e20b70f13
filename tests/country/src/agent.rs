//! The agent of one site without its line: messages in, messages out.
//!
//! Invariant: what is said follows from the site, the minute and what the centre has acknowledged. Of a site's past nothing is kept but
//! how its terminals were when they were last told of.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use onenet_topology::{
    Timestamp,
    fact::{FactBody, Group, Method},
};
use onenet_wire::{
    AgentMessage, Batch, CentreMessage, Clocks, Content, Digest, GroupDigest, Heartbeat, Hello, Instruction,
    InstructionBody, InstructionResult, Position, v1,
};
use prost::Message as _;

use crate::{
    book::{Book, Due, Opened},
    clock::boot_ms,
    facts,
    network::{Network, Slot},
    papers::Papers,
    world::{MINUTE_MS, World, step},
};

/// Milliseconds between signs of life, and between digests.
const HEARTBEAT_MS: u64 = 30_000;
const DIGEST_MS: u64 = 600_000;
/// Minutes after which an agent says again what stayed as it was.
const REFRESH: u64 = 10;
/// Milliseconds after which tables that changed last are read again when days pass at once: before anything else can change.
const AGAIN_MS: i64 = 30_000;
/// Milliseconds before a change at which what was there was seen for the last time when days pass at once.
const LAST_SEEN_MS: i64 = 10_000;
/// Counters of one history batch.
const BATCH_SAMPLES: usize = 2_000;

/// The agent of one site.
#[derive(Debug)]
pub(crate) struct Agent {
    papers: Arc<Papers>,
    seed: u64,
    state: Mutex<State>,
    /// Whether it is counted as connected.
    connected: AtomicBool,
}

#[derive(Debug)]
struct State {
    network: Network,
    /// The terminals as they were told of.
    told: Vec<Slot>,
    /// The minute when everything was last told.
    refreshed: u64,
    /// Forwarding tables that changed in the days that passed at once last.
    changed: BTreeSet<Group>,
    book: Book,
    heartbeat_ms: u64,
    digest_ms: Option<u64>,
    known: bool,
    idle: bool,
}

impl Agent {
    /// Returns the agent of a network, of which nothing was told.
    pub(crate) fn new(papers: Arc<Papers>, network: Network) -> Self {
        let seed = network.site().seed;
        Self { papers, seed, state: Mutex::new(State::new(network)), connected: AtomicBool::new(false) }
    }

    /// Returns the papers.
    pub(crate) fn papers(&self) -> &Papers {
        &self.papers
    }

    /// Returns the network as it is.
    pub(crate) fn network(&self) -> Network {
        self.lock().network.clone()
    }

    /// Returns what the agent's chance follows from.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked ends the run.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clocks(&self, world: &World) -> Clocks {
        let boot_ms = world.boot_ms();
        let mut boot_id = [7; 16];
        boot_id[..8].copy_from_slice(&self.seed.to_be_bytes());
        Clocks { boot_id, boot_ms, wall_ms: world.clock.at(boot_ms).unix_ms() }
    }

    /// Returns what opens a stream.
    pub(crate) fn hello(&self, world: &World) -> Hello {
        let state = self.lock();
        Hello {
            agent: self.papers.identity.agent,
            site: self.papers.identity.site,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clocks: self.clocks(world),
            lanes: state.book.lanes(state.written(world)),
            configuration_revision: 0,
        }
    }

    /// Takes note of a welcome.
    pub(crate) fn welcomed(&self, committed: &[Position], world: &World) {
        let now_ms = boot_ms();
        world.counters.streams.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        if state.book.open(committed) == Opened::Anew {
            if state.known {
                world.counters.renewed.fetch_add(1, Ordering::Relaxed);
            }
            state.tell_everything(world);
        }
        state.heartbeat_ms = now_ms;
        state.digest_ms = None;
    }

    /// Takes note that the stream is open.
    pub(crate) fn connected(&self) {
        self.connected.store(true, Ordering::Relaxed);
    }

    /// Takes note that the line broke, or never was.
    pub(crate) fn lost(&self, world: &World) {
        if self.connected.swap(false, Ordering::Relaxed) {
            step(&world.counters.connected, false);
        }
        self.lock().is_idle(false, world);
    }

    /// Returns the next message; where there is none, when to ask again.
    pub(crate) fn next(&self, world: &World) -> Result<v1::AgentMessage, u64> {
        let clocks = self.clocks(world);
        let now_ms = boot_ms();
        let mut state = self.lock();
        if now_ms >= state.heartbeat_ms + HEARTBEAT_MS {
            state.heartbeat_ms = now_ms;
            // Of long ago nothing is told but what was seen: the centre's clock goes on in steps of its own.
            if !world.is_long_ago() {
                let history_waiting = state.written(world) - state.book.committed();
                return Ok(AgentMessage::Heartbeat(Heartbeat { clocks, history_waiting }).into());
            }
        }
        state.follow(world);
        let written = state.written(world);
        let later = match state.book.due(written, now_ms) {
            Due::State => match state.book.cut(clocks) {
                Some(batch) => return Ok(counted(&batch, world).0),
                None => None,
            },
            Due::History(sequence) => {
                let content = Content::History(state.history(sequence, world));
                let batch = Batch { position: state.book.history(sequence), clocks, content };
                let (message, bytes) = counted(&batch, world);
                state.book.sent_history(sequence, bytes, written, now_ms);
                return Ok(message);
            }
            Due::Nothing(later) => later,
        };
        if state.book.is_told() && state.digest_ms.is_none_or(|at| now_ms >= at + DIGEST_MS) {
            state.digest_ms = Some(now_ms);
            return Ok(AgentMessage::Digest(state.digest()).into());
        }
        let idle = state.book.is_idle(written);
        state.is_idle(idle, world);
        let minute = world.begins(state.network.site(), state.minute(world) + 1);
        let next = minute.min(state.heartbeat_ms + HEARTBEAT_MS);
        Err(later.map_or(next, |later| later.min(next)))
    }

    /// Takes in a message. Returns the answer where one is due.
    pub(crate) fn receive(&self, message: CentreMessage, world: &World) -> Option<InstructionResult> {
        let mut state = self.lock();
        match message {
            CentreMessage::Welcome(_) => None,
            CentreMessage::Acknowledgement(it) => {
                let facts = state.book.acknowledged(it.position);
                world.counters.facts.fetch_add(u64::try_from(facts).unwrap_or_default(), Ordering::Relaxed);
                if !state.known && state.book.is_told() {
                    state.known = true;
                    world.counters.known.fetch_add(1, Ordering::Relaxed);
                }
                None
            }
            CentreMessage::Rejection(it) => {
                world.counters.rejected.fetch_add(1, Ordering::Relaxed);
                state.book.rejected(&it);
                None
            }
            CentreMessage::Instruction(Instruction { id, body: InstructionBody::Resync(groups) }) => {
                let count = u64::try_from(groups.len()).unwrap_or_default();
                world.counters.resynced.fetch_add(count, Ordering::Relaxed);
                state.tell_again(&groups, world);
                Some(InstructionResult { id, outcome: Ok(onenet_wire::Done::default()) })
            }
            CentreMessage::Instruction(it) => {
                Some(InstructionResult { id: it.id, outcome: Err("this agent is simulated".to_owned()) })
            }
        }
    }

    /// Lets days pass at once, until a minute that it is now, of which the agent tells when its line is back. Returns how many changes that
    /// are.
    pub(crate) fn live_through(&self, until: u64, world: &World) -> usize {
        self.lock().live_through(until, world)
    }

    /// Hands over everything that the agent holds and has told, and all history that it has written.
    pub(crate) fn truth(&self, world: &World, take: &mut dyn FnMut(Truth<'_>)) {
        let state = self.lock();
        for (group, bodies) in facts::everything(&state.network) {
            for body in bodies {
                take(Truth::Fact(&group, &body));
            }
        }
        for sequence in 1..=state.written(world) {
            for item in state.history(sequence, world) {
                take(Truth::Sample(sequence, &item));
            }
        }
    }
}

/// A thing that the centre should hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Truth<'a> {
    /// A fact.
    Fact(&'a Group, &'a FactBody),
    /// A sample, with the sequence of its batch.
    Sample(u64, &'a onenet_topology::fact::HistoryItem),
}

impl State {
    fn new(network: Network) -> Self {
        Self {
            told: network.slots().to_vec(),
            refreshed: network.minute(),
            book: Book::new(network.site().seed),
            network,
            changed: BTreeSet::new(),
            heartbeat_ms: 0,
            digest_ms: None,
            known: false,
            idle: false,
        }
    }

    /// Returns the minute that it is; it never goes back.
    fn minute(&self, world: &World) -> u64 {
        world.minute(self.network.site()).max(self.network.minute())
    }

    /// Returns how many batches the counters of one minute take.
    fn parts(&self) -> u64 {
        let count = facts::sample_count(&self.network);
        u64::try_from(count.div_ceil(BATCH_SAMPLES)).unwrap_or(1).max(1)
    }

    /// Returns how many history batches there are so far: those of the past, then those of each minute.
    fn written(&self, world: &World) -> u64 {
        if world.is_long_ago() {
            return 0;
        }
        world.past.steps + (self.minute(world) - world.first_minute) * self.parts()
    }

    /// Returns what the history batch of a sequence carries.
    fn history(&self, sequence: u64, world: &World) -> Vec<onenet_topology::fact::HistoryItem> {
        let site = self.network.site();
        if sequence <= world.past.steps {
            let (minute, at) = world.step_of_the_past(site, sequence);
            return facts::few_samples(&self.network, at, minute);
        }
        let sequence = sequence - world.past.steps;
        let (minutes, part) = (1 + (sequence - 1) / self.parts(), (sequence - 1) % self.parts());
        let at = world.clock.at(world.begins(site, world.first_minute + minutes).min(boot_ms()));
        let items = facts::samples(&self.network, at, world.first_minute + minutes);
        let from = usize::try_from(part).unwrap_or_default() * BATCH_SAMPLES;
        items.into_iter().skip(from).take(BATCH_SAMPLES).collect()
    }

    /// Lets the site be as it is now, once what was told before is acknowledged.
    fn follow(&mut self, world: &World) {
        let minute = self.minute(world);
        if minute == self.network.minute() || !self.book.is_told() {
            return;
        }
        self.network.advance(minute);
        let at = world.now();
        let changed = facts::differences(&self.network, &mut self.told, at);
        self.book.put(facts::batches(changed));
        if minute >= self.refreshed + REFRESH {
            self.refreshed = minute;
            self.book.put(facts::batches(facts::again(facts::everything(&self.network), at)));
        }
    }

    /// Tells of each change with the minute at which it was, and that what was there was seen until then: what stays is told again each ten
    /// minutes. A move is believed once tables were read twice: those that changed in the days before were read again soon after.
    fn live_through(&mut self, until: u64, world: &World) -> usize {
        let now = world.now();
        let time = |minute: u64| ago(now, until - minute);
        let mut read_again = facts::everything(&self.network);
        read_again.retain(|group, _| self.changed.contains(group));
        let read_again = facts::again(read_again, time(self.network.minute()).plus_ms(AGAIN_MS));
        let (told, mut changes) = (&mut self.told, Vec::new());
        self.network.live_through(until, |network, minute| {
            changes.extend(facts::seen_again(network, told, time(minute).plus_ms(-LAST_SEEN_MS)));
            changes.extend(facts::differences(network, told, time(minute)));
        });
        let tables = changes.iter().filter(|it| Method::FORWARDING.contains(&it.group.method));
        self.changed = tables.map(|it| it.group.clone()).collect();
        let count = changes.iter().map(|it| it.changes.len()).sum();
        self.book.put(facts::batches(read_again.into_iter().chain(changes).collect()));
        count
    }

    fn tell_everything(&mut self, world: &World) {
        self.network.advance(self.minute(world));
        self.told.copy_from_slice(self.network.slots());
        self.refreshed = self.network.minute();
        let at = world.now();
        self.book.put(facts::batches(facts::complete(facts::everything(&self.network), at)));
    }

    fn tell_again(&mut self, groups: &[Group], world: &World) {
        let mut everything = facts::everything(&self.network);
        everything.retain(|group, _| groups.contains(group));
        for group in groups {
            everything.entry(group.clone()).or_default();
        }
        let at = world.now();
        self.book.put(facts::batches(facts::complete(everything, at)));
    }

    fn digest(&self) -> Digest {
        let groups = facts::everything(&self.network).into_iter().map(|(group, bodies)| {
            let mut digest = GroupDigest::empty(group);
            for body in &bodies {
                digest.add(body);
            }
            digest
        });
        Digest { state: self.book.last_state(), groups: groups.collect() }
    }

    fn is_idle(&mut self, idle: bool, world: &World) {
        if std::mem::replace(&mut self.idle, idle) != idle {
            step(&world.counters.idle, idle);
        }
    }
}

fn ago(now: Timestamp, minutes: u64) -> Timestamp {
    now.plus_ms(-i64::try_from(minutes * MINUTE_MS).unwrap_or_default())
}

/// Returns a batch as it goes over the line, and its bytes; both are counted.
fn counted(batch: &Batch, world: &World) -> (v1::AgentMessage, usize) {
    if let Content::History(items) = &batch.content {
        world.counters.history.fetch_add(1, Ordering::Relaxed);
        world.counters.samples.fetch_add(u64::try_from(items.len()).unwrap_or_default(), Ordering::Relaxed);
    }
    let message = v1::AgentMessage { body: Some(v1::agent_message::Body::Batch(v1::Batch::from(batch))) };
    let bytes = message.encoded_len();
    world.counters.bytes.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
    (message, bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use onenet_topology::{
        division::Tier,
        fact::{FactChange, ItemKey},
    };

    use super::*;
    use crate::sites;

    const THEN: Timestamp = Timestamp::from_unix_ms(1_780_000_000_000);
    const DAY: u64 = 1_440;
    const DAY_MS: i64 = 86_400_000;

    /// What a centre holds of an agent, and since when.
    type Held = BTreeMap<(Group, ItemKey), (Timestamp, FactBody)>;

    /// Lets a centre take everything that waits, as it does: what is older than what it holds has no effect.
    fn take(state: &mut State, held: &mut Held) -> Vec<(Method, Timestamp)> {
        let (clocks, mut told) = (Clocks { boot_id: [1; 16], boot_ms: 5, wall_ms: 5 }, Vec::new());
        while let Some(batch) = state.book.cut(clocks) {
            let Content::State(groups) = &batch.content else { panic!("history of long ago") };
            for (group, change) in groups.iter().flat_map(|it| it.changes.iter().map(|change| (&it.group, change))) {
                let key = (group.clone(), change.key());
                told.push((group.method, change.observed()));
                if held.get(&key).is_some_and(|(since, _)| *since > change.observed()) {
                    continue;
                }
                if let FactChange::Gone { observed, .. } = change {
                    let since = held.get(&key).map(|(since, _)| *since);
                    assert_eq!(since, Some(observed.plus_ms(-LAST_SEEN_MS)), "seen until it was gone");
                }
                match change {
                    FactChange::Present(fact) => held.insert(key, (fact.observed, fact.body.clone())),
                    FactChange::Gone { .. } => held.remove(&key),
                };
            }
            state.book.acknowledged(batch.position);
        }
        told
    }

    fn bodies(held: &Held) -> Vec<(&Group, &FactBody)> {
        held.iter().map(|((group, _), (_, body))| (group, body)).collect()
    }

    #[test]
    fn of_days_of_the_past_each_change_is_told_with_its_minute_and_moves_are_read_twice() {
        let site = sites::all(7, 100).into_iter().find(|it| it.tier == Tier::City).unwrap();
        let first = DAY + 780;
        let world = World::long_ago(String::new(), first, THEN);
        let mut state = State::new(Network::new(site, first));
        state.book.open(&[]);
        state.tell_everything(&world);
        let mut held = Held::new();
        assert!(take(&mut state, &mut held).iter().all(|(_, at)| *at == THEN));
        let mut all = 0;
        for step in 1..=19 {
            let before = THEN.plus_ms((step - 1) * 10 * DAY_MS);
            let now = THEN.plus_ms(step * 10 * DAY_MS);
            world.turn_to(now);
            all += state.live_through(first + step.unsigned_abs() * 10 * DAY, &world);
            let told = take(&mut state, &mut held);
            assert!(told.iter().all(|(_, at)| before < *at && *at <= now), "{step}");
            assert!(told.iter().any(|(_, at)| now.ms_since(*at) > DAY_MS), "all at once in {step}");
            let again = told.iter().filter(|(_, at)| *at == before.plus_ms(AGAIN_MS));
            assert_eq!(again.clone().count() > 0, step > 1);
            assert!(again.into_iter().all(|(method, _)| Method::FORWARDING.contains(method)));
            let mut whole = Held::new();
            for (group, bodies) in facts::everything(&state.network) {
                whole.extend(bodies.into_iter().map(|body| ((group.clone(), body.key()), (now, body))));
            }
            assert_eq!(bodies(&held), bodies(&whole), "{step}");
        }
        assert!(all > 1_000, "{all}");
        assert_eq!(state.written(&world), 0, "counters of long ago");
        assert_eq!(world.now(), THEN.plus_ms(190 * DAY_MS));
    }
}
