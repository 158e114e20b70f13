//! The agent of one site without its line: messages in, messages out.
//!
//! Invariant: what is said follows from the site, the minute and what the centre has acknowledged. Of a site's past nothing is kept but
//! how its terminals were when they were last told of.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use onenet_topology::fact::{FactBody, Group};
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
    world::{World, step},
};

/// Milliseconds between signs of life, and between digests.
const HEARTBEAT_MS: u64 = 30_000;
const DIGEST_MS: u64 = 600_000;
/// Minutes after which an agent says again what stayed as it was.
const REFRESH: u64 = 10;
/// Counters of one history batch.
const BATCH_SAMPLES: usize = 2_000;

/// The agent of one site.
#[derive(Debug)]
pub(crate) struct Agent {
    papers: Papers,
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
    book: Book,
    heartbeat_ms: u64,
    digest_ms: Option<u64>,
    known: bool,
    idle: bool,
}

impl Agent {
    /// Returns the agent of a network, of which nothing was told.
    pub(crate) fn new(papers: Papers, network: Network) -> Self {
        let seed = network.site().seed;
        let state = State {
            told: network.slots().to_vec(),
            refreshed: network.minute(),
            network,
            book: Book::new(seed),
            heartbeat_ms: 0,
            digest_ms: None,
            known: false,
            idle: false,
        };
        Self { papers, seed, state: Mutex::new(state), connected: AtomicBool::new(false) }
    }

    /// Returns the papers.
    pub(crate) const fn papers(&self) -> &Papers {
        &self.papers
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
        let boot_ms = boot_ms();
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
        let now_ms = clocks.boot_ms;
        let mut state = self.lock();
        if now_ms >= state.heartbeat_ms + HEARTBEAT_MS {
            state.heartbeat_ms = now_ms;
            let history_waiting = state.written(world) - state.book.committed();
            return Ok(AgentMessage::Heartbeat(Heartbeat { clocks, history_waiting }).into());
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
        let at = world.clock.at(boot_ms());
        let changed = facts::differences(&self.network, &mut self.told, at);
        self.book.put(facts::batches(changed));
        if minute >= self.refreshed + REFRESH {
            self.refreshed = minute;
            self.book.put(facts::batches(facts::again(facts::everything(&self.network), at)));
        }
    }

    fn tell_everything(&mut self, world: &World) {
        self.network.advance(self.minute(world));
        self.told.copy_from_slice(self.network.slots());
        self.refreshed = self.network.minute();
        let at = world.clock.at(boot_ms());
        self.book.put(facts::batches(facts::complete(facts::everything(&self.network), at)));
    }

    fn tell_again(&mut self, groups: &[Group], world: &World) {
        let mut everything = facts::everything(&self.network);
        everything.retain(|group, _| groups.contains(group));
        for group in groups {
            everything.entry(group.clone()).or_default();
        }
        let at = world.clock.at(boot_ms());
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
