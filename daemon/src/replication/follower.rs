//! Following the shared log: from its entries to the records that the owner of the state takes in, one after the other.
//!
//! Invariant: every replica hands the same records over, at the same positions and times, in the same order; what it keeps beside
//! ([`LogState`]) follows from the log alone. Of a tick, whose conclusions lean on what is not kept, the replica that wrote it says
//! what it comes to; the first answer in the log counts for everybody, and another replica gives one when that one says nothing.
//!
//! # Tasks
//!
//! [`Follower::run`], owned by the replication, and one that reads ([`Journal::read`]), which it owns and makes anew from the next
//! number when that one fails. It can be cancelled between any two entries: what was not handed over is read again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use onenet_topology::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{
    EntryProblem, FollowError, Told,
    entry::{Concluded, Content, Entry, EntryError, Seal},
    journal::{Extent, Journal, Read},
    writer::Waiting,
};
use crate::{
    clock::{Clock, monotonic},
    estate::{Change, LogState, WRITERS_MAX},
    ingest::{Answer, Feed, Logged},
    record::{Body, Command},
};

/// What was read and is not yet looked at; when full, reading waits.
const READ_AHEAD: usize = 1_024;
/// Entries that wait behind a tick until it is known what it comes to.
const HELD_MAX: usize = 100_000;
/// How often it is looked whether something is due.
const BEAT: Duration = Duration::from_millis(100);
/// How often whoever has the lease ticks.
const TICK: Duration = Duration::from_secs(1);
/// After how long without a tick another replica ticks: longer than the lease.
const TAKE_OVER: Duration = Duration::from_millis(5_200);
/// After how long another replica says what a tick comes to.
const CONCLUDE_FOR_ANOTHER: Duration = Duration::from_millis(1_500);
/// A replica that is no more entries behind than this, knows what there is to know.
const CAUGHT_UP: u64 = 256;
/// For how long the lease is used since the tick was handed to the writer: less than it lasts in the log, by more than
/// the servers' clocks may differ.
const LEASE_USED: Duration = Duration::from_secs(3);
/// After how long, in milliseconds, without any entry nobody can have been heard.
const DEAF_MS: i64 = 30_000;
/// How often it is looked whether the log still has what was read.
const EXTENT: Duration = Duration::from_secs(10);
/// How often while it is not known whether this replica has caught up.
const READY_LOOK: Duration = Duration::from_millis(500);
/// Changes in one part of what a tick comes to.
const PART_CHANGES: usize = 4_000;
/// Bytes in one part, before it is packed: less than the servers take at once.
const PART_BYTES: usize = 6 << 20;
/// The pause before reading is tried again.
const READ_PAUSE: Duration = Duration::from_millis(300);

/// Follows the log.
pub(super) struct Follower<J> {
    pub(super) journal: J,
    pub(super) seal: Seal,
    pub(super) name: String,
    pub(super) incarnation: u64,
    pub(super) rules: u64,
    pub(super) feed: Feed,
    pub(super) waiting: Waiting,
    pub(super) own: mpsc::Sender<Content>,
    pub(super) clock: Clock,
    pub(super) told: Arc<Told>,
    /// What is to be done on every replica once a command is part of the state.
    pub(super) after: After,
    pub(super) shutdown: CancellationToken,
    pub(super) log: LogState,
    /// The number of the next entry to read.
    pub(super) next: u64,
    pub(super) beats: Beats,
}

/// What a replica does when a command is part of its state.
pub(crate) type After = Arc<dyn Fn(&Command) + Send + Sync>;

/// What is waited for, and since when.
pub(super) struct Beats {
    held: VecDeque<Held>,
    tick: Option<WaitingTick>,
    /// When the last tick was taken in.
    ticked: Instant,
    /// When a tick of this replica was handed to the writer that did not come back yet.
    sent: Option<Instant>,
    /// When the last entry was appended, on the log's clock.
    time: Timestamp,
    /// By what the last entry that was read is known again.
    last: Option<u64>,
    looked: Instant,
    /// How often in a row the log was shorter than what was read.
    short: u32,
    /// Whether the lease was this replica's with its last tick.
    holds: bool,
    /// Who plans by other rules than this replica; said once.
    others: BTreeSet<String>,
    caught_up: bool,
}

/// An entry that waits; `None` of one that does not count.
struct Held {
    sequence: u64,
    time: Timestamp,
    mark: u64,
    entry: Option<Entry>,
}

/// A tick of which it is not known yet what it comes to.
struct WaitingTick {
    position: u64,
    time: Timestamp,
    state: Arc<LogState>,
    mine: bool,
    since: Instant,
    asked: bool,
    /// The parts that came, by writer.
    parts: HashMap<(String, u64), BTreeMap<u32, Vec<Change>>>,
}

impl Beats {
    /// Returns that nothing is waited for, and that the last entry was appended at `time` and is known by `last`.
    pub(super) fn new(time: Timestamp, last: Option<u64>) -> Self {
        let now = monotonic();
        Self {
            held: VecDeque::new(),
            tick: None,
            ticked: now,
            sent: None,
            time,
            last,
            looked: now,
            short: 0,
            holds: false,
            others: BTreeSet::new(),
            caught_up: false,
        }
    }
}

/// Returns changes in parts, each of which fits an entry; one part where there are none.
fn parted(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let (mut parts, mut len) = (vec![Vec::new()], 0);
    for change in changes {
        // What cannot be written is told of where the entry is.
        let bytes = serde_json::to_vec(&change).map_or(0, |json| json.len());
        let is_full =
            parts.last().is_some_and(|part| part.len() >= PART_CHANGES || !part.is_empty() && len + bytes > PART_BYTES);
        if is_full {
            parts.push(Vec::new());
            len = 0;
        }
        len += bytes;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

/// Returns by what an entry is known again: the end of its seal, which differs with every bit of it.
fn mark(bytes: &[u8]) -> u64 {
    bytes.last_chunk().map_or(0, |last| u64::from_be_bytes(*last))
}

impl<J: Journal> Follower<J> {
    /// Follows the log until `shutdown`, or until it cannot be followed any more.
    pub(super) async fn run(mut self) -> Result<(), FollowError> {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.shutdown.clone();
        loop {
            let (to, mut reads) = mpsc::channel(READ_AHEAD);
            // Once more from the last one, which has to be the same still.
            let (journal, from) = (self.journal.clone(), self.next.saturating_sub(1).max(1));
            let mut reading = tokio::spawn(async move { journal.read(from, to).await });
            let failure = loop {
                tokio::select! {
                    read = reads.recv() => match read {
                        Some(read) => {
                            if !self.take(read).await? {
                                reading.abort();
                                break "entries are missing".to_owned();
                            }
                        }
                        None => break (&mut reading).await.map_or_else(|error| error.to_string(), |error| error.to_string()),
                    },
                    _ = beat.tick() => self.beat().await?,
                    () = shutdown.cancelled() => {
                        reading.abort();
                        return Ok(());
                    }
                }
            };
            Told::count(&self.told.read_failures);
            tracing::warn!(error = failure, next = self.next, "the log cannot be read; tried again");
            self.look().await?;
            tokio::time::sleep(READ_PAUSE).await;
        }
    }

    /// Takes what was read. Returns false where something is missing in front of it.
    async fn take(&mut self, read: Read) -> Result<bool, FollowError> {
        let mark = mark(&read.bytes);
        if read.sequence < self.next {
            let is_last = read.sequence + 1 == self.next;
            if is_last && self.beats.last.is_some_and(|last| last != mark) {
                return Err(FollowError::Rewritten(read.sequence));
            }
            return Ok(true);
        }
        if read.sequence > self.next {
            return Ok(false);
        }
        self.next += 1;
        self.beats.last = Some(mark);
        self.told.behind(read.behind);
        let entry = match self.seal.read(&read.bytes) {
            Ok(entry) => Some(entry),
            Err(EntryError::Seal) => {
                Told::count(&self.told.unsealed);
                tracing::warn!(
                    sequence = read.sequence,
                    "an entry of the log is not sealed by this centre, and does not count"
                );
                None
            }
            Err(error) => return Err(FollowError::Entry { sequence: read.sequence, source: EntryProblem(error) }),
        };
        let held = Held { sequence: read.sequence, time: read.time, mark, entry };
        self.beats.caught_up = read.behind <= CAUGHT_UP;
        if self.beats.tick.is_some() {
            self.note(held.entry.as_ref()).await?;
        }
        self.beats.held.push_back(held);
        if self.beats.held.len() > HELD_MAX {
            return Err(FollowError::Undecided);
        }
        self.go_on().await?;
        Ok(true)
    }

    /// Hands over what waits, as far as it can be.
    async fn go_on(&mut self) -> Result<(), FollowError> {
        while self.beats.tick.is_none() {
            let Some(held) = self.beats.held.pop_front() else { break };
            self.apply(held).await?;
        }
        Ok(())
    }

    async fn apply(&mut self, held: Held) -> Result<(), FollowError> {
        let Held { sequence, time, mark, entry } = held;
        self.beats.time = self.beats.time.max(time);
        self.log.last = Some(mark);
        self.told.at(sequence);
        let Some(Entry { writer, incarnation, number, rules, content }) = entry else { return Ok(()) };
        if writer == self.name && incarnation > self.incarnation {
            return Err(FollowError::SameName(self.name.clone()));
        }
        if !self.log.admit(&writer, incarnation, number) {
            if writer == self.name && !self.log.writers.contains_key(&writer) && self.log.writers.len() >= WRITERS_MAX {
                return Err(FollowError::TooMany);
            }
            Told::count(&self.told.repeated);
            return Ok(());
        }
        self.compare_rules(&writer, rules);
        let Content::Record(body) = content else { return Ok(()) };
        let mine = writer == self.name && incarnation == self.incarnation;
        let position = self.log.base + sequence;
        if matches!(body, Body::Tick) {
            self.log.ticked(&writer, incarnation, time);
            return self.ticked(position, time, mine).await;
        }
        if let Body::Relayed { through } = body {
            self.log.relayed = self.log.relayed.max(through);
        }
        let answer = if mine { self.waiting.take(number) } else { None };
        let state = Arc::new(self.log.clone());
        let answer = self.then(&body, answer);
        let logged = Logged { position, time, body, state, decided: None, answer };
        self.feed.next(logged).await.map_err(|_| FollowError::Stopped)
    }

    /// Says that another replica plans otherwise: what each of them holds differs from then on.
    fn compare_rules(&mut self, writer: &str, rules: u64) {
        // Writers are bounded.
        if rules != self.rules && self.beats.caught_up && self.beats.others.insert(writer.to_owned()) {
            tracing::error!(
                writer,
                "another replica has another version, or other [inventory], [cases] or [detection] than this one, so that their states will differ: \
                 give all the same, and all but one a backup of that one"
            );
        }
    }

    /// Returns who waits for a record, with what is to be done here once it is part of the state.
    fn then(&self, body: &Body, answer: Option<Answer>) -> Option<Answer> {
        let Body::Command { command, .. } = body else { return answer };
        if !matches!(&**command, Command::RevokeAgent { .. } | Command::Configure { .. }) {
            return answer;
        }
        let (done, heard): (Answer, _) = oneshot::channel();
        let (after, command) = (Arc::clone(&self.after), Arc::clone(command));
        tokio::spawn(async move {
            let Ok(result) = heard.await else { return };
            if result.is_ok() {
                after(&command);
            }
            // Whoever does not wait any more will ask again.
            let _ = answer.map(|answer| answer.send(result));
        });
        Some(done)
    }

    /// Begins to wait for what a tick comes to.
    async fn ticked(&mut self, position: u64, time: Timestamp, mine: bool) -> Result<(), FollowError> {
        let state = Arc::new(self.log.clone());
        let since = monotonic();
        self.beats.tick = Some(WaitingTick { position, time, state, mine, since, asked: false, parts: HashMap::new() });
        // It may have been said already, behind what else was read.
        let held = std::mem::take(&mut self.beats.held);
        for held in &held {
            self.note(held.entry.as_ref()).await?;
        }
        self.beats.held = held;
        if mine { self.conclude().await } else { Ok(()) }
    }

    /// Looks whether an entry says what the tick comes to, and takes it in then. The first one to be whole counts.
    async fn note(&mut self, entry: Option<&Entry>) -> Result<(), FollowError> {
        let Some(tick) = &mut self.beats.tick else { return Ok(()) };
        let Some(Entry { writer, incarnation, content: Content::Concluded(said), .. }) = entry else { return Ok(()) };
        if said.of != tick.position {
            return Ok(());
        }
        let parts = tick.parts.entry((writer.clone(), *incarnation)).or_default();
        parts.insert(said.part, said.changes.clone());
        if u32::try_from(parts.len()).ok() != Some(said.parts) {
            return Ok(());
        }
        let decided = std::mem::take(parts).into_values().flatten().collect();
        let Some(tick) = self.beats.tick.take() else { return Ok(()) };
        let WaitingTick { position, time, state, mine, .. } = tick;
        self.beats.ticked = monotonic();
        let (answer, answered) = oneshot::channel();
        let (body, held) = (Body::Tick, Arc::clone(&state));
        let logged = Logged { position, time, body, state, decided: Some(decided), answer: Some(answer) };
        self.feed.next(logged).await.map_err(|_| FollowError::Stopped)?;
        if mine {
            // Whoever acts by the lease sees everything that was in the log before it.
            answered.await.map_err(|_| FollowError::Stopped)?.map_err(|_| FollowError::Stopped)?;
        }
        self.hold_lease(&held, mine, time).await
    }

    /// Notes whether this replica may act on the outside.
    async fn hold_lease(&mut self, state: &LogState, mine: bool, now: Timestamp) -> Result<(), FollowError> {
        let is_here = state.lease.as_ref().is_some_and(|lease| lease.is_of(&self.name, self.incarnation));
        if is_here && !std::mem::replace(&mut self.beats.holds, is_here) {
            self.feed.takes_over(now).await.map_err(|_| FollowError::Stopped)?;
        }
        self.beats.holds = is_here;
        let sent = if mine { self.beats.sent.take() } else { None };
        match (is_here, sent) {
            (true, Some(sent)) => self.told.lease_until(Some(sent + LEASE_USED)),
            (true, None) => {}
            (false, _) => self.told.lease_until(None),
        }
        Ok(())
    }

    /// Says what the tick comes to.
    async fn conclude(&mut self) -> Result<(), FollowError> {
        let Some(tick) = &mut self.beats.tick else { return Ok(()) };
        tick.asked = true;
        let (of, time) = (tick.position, tick.time);
        let changes = self.feed.conclude(of, time).await.map_err(|_| FollowError::Stopped)?;
        let parts = parted(changes);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        for (part, changes) in (0..).zip(parts) {
            let said = Content::Concluded(Concluded { of, part, parts: count, changes });
            self.own.send(said).await.map_err(|_| FollowError::Stopped)?;
        }
        Ok(())
    }

    /// Does what is due.
    async fn beat(&mut self) -> Result<(), FollowError> {
        self.go_on().await?;
        if self.beats.looked.elapsed() >= if self.told.is_ready() { EXTENT } else { READY_LOOK } {
            self.look().await?;
        }
        if let Some(tick) = &self.beats.tick {
            let due = tick.mine || (self.beats.caught_up && tick.since.elapsed() >= CONCLUDE_FOR_ANOTHER);
            return if due && !tick.asked { self.conclude().await } else { Ok(()) };
        }
        if !self.beats.caught_up || self.beats.sent.is_some() {
            return Ok(());
        }
        let holds = self.log.lease.as_ref().is_none_or(|lease| lease.is_of(&self.name, self.incarnation));
        if self.beats.ticked.elapsed() >= if holds { TICK } else { TAKE_OVER } {
            self.tick().await?;
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), FollowError> {
        if self.clock.now().ms_since(self.beats.time) > DEAF_MS {
            self.own.send(Content::Record(Body::Resumed)).await.map_err(|_| FollowError::Stopped)?;
        }
        self.beats.sent = Some(monotonic());
        self.own.send(Content::Record(Body::Tick)).await.map_err(|_| FollowError::Stopped)
    }

    /// Looks whether the log still has what comes next, and all that was read.
    async fn look(&mut self) -> Result<(), FollowError> {
        self.beats.looked = monotonic();
        // Servers that do not answer are told of where reading and appending fail.
        let Ok(extent) = self.journal.extent().await else { return Ok(()) };
        let Extent { created, first, last } = extent;
        if created != self.log.created {
            return Err(FollowError::AnotherLog(self.log.stream.clone()));
        }
        if first > self.next {
            return Err(FollowError::Removed { needed: self.next, first });
        }
        self.beats.short = if last + 1 < self.next { self.beats.short + 1 } else { 0 };
        self.told.short(self.beats.short > 0);
        if self.beats.short > 2 {
            return Err(FollowError::Shortened { read: self.next - 1, last });
        }
        if self.next > last && !self.beats.caught_up {
            self.beats.caught_up = true;
        }
        if self.beats.caught_up && !self.told.is_ready() {
            let now = self.clock.now();
            self.feed.hears(now).await.map_err(|_| FollowError::Stopped)?;
            self.told.ready();
        }
        Ok(())
    }
}
