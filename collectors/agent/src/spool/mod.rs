//! The spool: what the agent knows and has not yet got acknowledged, on disk.
//!
//! Invariants: a batch is on disk, flushed, before it is sent, and is removed only when it is acknowledged, refused, or a cap
//! drops it; what a cap costs is counted and reported. The process may be killed at any instruction: opening the folder
//! again finds each lane as of its last flush or later. An error of the disk never panics; the spool goes on when the disk does.
//!
//! Writes are on disk in the order in which they were applied, and bound together only where their order does not make any beginning of
//! them right (`store.rs`):
//!
//! - A page stands for itself; what a page that is split or renamed hands to another is bound to it, so that no fact is in two
//!   pages or in none.
//! - History is in a journal beside the tree (`journal.rs`), a record a batch. A loss is one record with what was dropped, and the event
//!   that tells it one with its being told.
//! - Bound together are a state batch with the settling of what it took, and a new epoch with what is to be sent again. A refused
//!   batch is kept, on disk, before it is forgotten.
//!
//! Format 3: the journal in the folder `history`, and one sled tree, the default one, in the folder `sled`. Keys begin with a letter for
//! their kind (see `keys.rs`),
//! then method (one byte, the wire's number), length of the scope (one byte), scope. Numbers are 8 bytes, big endian.
//!
//! | key | value |
//! |---|---|
//! | `p` group, first key hash | facts that hold, and those that are gone and wait to be sent: a page (see `page.rs`) |
//! | `c` group | it waits to be sent complete: 0, or the first key hash that was not sent yet |
//! | `o` part (2 bytes) | the state batch that waits for its acknowledgement: protobuf, in parts of 2 KiB |
//! | `r` lane, number, part | a batch that the centre refused |
//! | `m/format` | 3 |
//! | `m/clock` | boot id (16 bytes), wall minus boot milliseconds: the timeline of the facts' times |
//! | `m/state` | epoch, last sequence |
//!
//! Format 2 had the history lane in the tree, where its batches stay until they go (`tree_history.rs`):
//!
//! | key | value |
//! |---|---|
//! | `h` number, part | a history batch: protobuf without its position |
//! | `m/history` | epoch, base, next number |
//! | `m/lost` | batches, items, first and last time that caps dropped and that no event has told yet |
//!
//! Format 1 had a record a fact besides; it is brought into pages when it is opened (`migrate.rs`).
//!
//! Calls are synchronous and short; those that flush ([`Spool::seal`], [`Spool::cut_state`]) wait for the disk: call them
//! where blocking is allowed. The spool does not know the line, and reads no clock.

mod change;
mod cut;
mod group;
mod history;
mod inner;
mod journal;
mod keys;
mod lost;
mod migrate;
mod page;
mod refused;
mod sorted;
mod state;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod tree_history;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use onenet_topology::{
    Timestamp,
    fact::{Condition, ConditionKind, Fact, FactBody, FactChange, Group, HistoryItem, ItemKey},
};
use onenet_wire::{Clocks, Digest, Lane, Position, tls, v1};
use serde::Serialize;
use tokio::sync::Notify;

pub use sorted::SortedFacts;
pub(crate) use sorted::one_each;

use change::Rules;
use inner::{Inner, opened};
use lost::Lost;
use store::Store;

/// Version of the format on disk.
const FORMAT: u64 = 3;

/// Facts that the table may hold unless the configuration says otherwise: what 10,000 switches of 48 ports tell, with 300 learned
/// addresses and 200 bindings each, and a tenth more. A fact takes some 50 bytes on disk and two in memory.
pub(crate) const FACTS_MAX_DEFAULT: usize = 6_000_000;

/// What the spool may take, and how eagerly it repeats itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolConfig {
    /// History older than this many milliseconds is dropped.
    pub age_cap_ms: u64,
    /// Bytes that the spool's folder may take on disk, at least [`SpoolConfig::LEAST_BYTE_CAP`].
    pub byte_cap: u64,
    /// A fact that stays the same is sent again after this many milliseconds, with its newer time.
    pub refresh_ms: u64,
    /// Facts that the table may hold. What comes when it is full is refused and counted.
    pub max_facts: usize,
}

/// The spool of one agent. Cheap to share: all methods take `&self`.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    config: SpoolConfig,
    inner: Mutex<Inner>,
    changed: Notify,
    lineage: Lineage,
}

/// Counts the times at which the spool may have come to hold less than it was given: the disk failed, the table was full,
/// facts were forgotten. As long as the number stays, what was taken in is still there. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lineage(Arc<AtomicU64>);

/// How the spool is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpoolStatus {
    /// Facts in the table.
    pub facts: usize,
    /// Facts and groups that wait to be sent.
    pub state_waiting: usize,
    /// Whether a state batch waits for its acknowledgement.
    pub state_outstanding: bool,
    /// History batches not acknowledged.
    pub history_batches: u64,
    /// Their bytes.
    pub history_bytes: u64,
    /// Batches that caps dropped since the agent started.
    pub lost_batches: u64,
    /// Samples and events that caps dropped since the agent started.
    pub lost_items: u64,
    /// Batches that the centre refused since the agent started.
    pub refused_batches: u64,
    /// Facts refused because the table was full, since the agent started.
    pub refused_facts: u64,
    /// Damaged records found and removed at opening; their groups were sent again.
    pub damaged_records: usize,
    /// Bytes of the folder on disk.
    pub disk_bytes: u64,
    /// Whether the disk takes no more.
    pub disk_full: bool,
}

/// What the lane logic needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The last state batch written.
    pub state: Position,
    /// Whether that batch waits for its acknowledgement.
    pub outstanding: bool,
    /// Whether more state waits to be put into a batch.
    pub state_waiting: bool,
    /// The last history batch written.
    pub history: Position,
    /// The sequence before the oldest history batch kept.
    pub history_before_first: u64,
}

/// The spool cannot do what was asked. Nothing of it happened, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder cannot be opened.
    #[error(
        "the spool in {folder} cannot be opened: check that the folder belongs to the agent's user; if it is damaged, move it \
         away and the agent starts an empty one"
    )]
    Open {
        /// The spool's folder.
        folder: PathBuf,
        /// What sled says.
        #[source]
        source: Box<sled::Error>,
    },
    /// Another agent has it open.
    #[error(
        "another agent runs on the spool in {folder}: look with `onenet-agent status`; to start anew, end that one first"
    )]
    InUse {
        /// The spool's folder.
        folder: PathBuf,
    },
    /// The folder was written by another version.
    #[error(
        "the spool in {folder} has format {found}, this agent knows {FORMAT}: move the folder away, or run the agent that wrote it"
    )]
    Format {
        /// The spool's folder.
        folder: PathBuf,
        /// The version found.
        found: u64,
    },
    /// The disk is nearly full. Observations are lost until there is space again.
    #[error(
        "the disk that holds the spool {folder} is full: {free} bytes are free, {needed} must be; delete something there, or move the data to another disk ([data] dir)"
    )]
    DiskFull {
        /// The spool's folder.
        folder: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes that must be free.
        needed: u64,
    },
    /// The disk failed. The spool opens itself again with the next call.
    #[error("the spool in {folder} cannot be read or written: check the disk")]
    Disk {
        /// The spool's folder.
        folder: PathBuf,
        /// What sled says.
        #[source]
        source: Box<sled::Error>,
    },
    /// The table of facts is full; the others were taken in.
    #[error(
        "the spool holds {limit} facts, its limit, and refused {refused} new ones: raise spool.facts_max, or watch less"
    )]
    TableFull {
        /// The limit.
        limit: usize,
        /// How many were refused.
        refused: usize,
    },
    /// The disk failed before, and the spool is not open.
    #[error("the spool is closed since its disk failed; it opens itself again with the next call")]
    Closed,
    /// The system gives no random numbers.
    #[error("no epoch can be chosen")]
    Randomness(#[source] tls::NoRandomness),
}

impl SpoolConfig {
    /// The least byte cap: below it sled's own files leave no room.
    pub const LEAST_BYTE_CAP: u64 = 16 << 20;
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { age_cap_ms: 7 * 86_400_000, byte_cap: 256 << 20, refresh_ms: 600_000, max_facts: FACTS_MAX_DEFAULT }
    }
}

impl Spool {
    /// Opens the spool in `folder`, made where it does not exist.
    ///
    /// # Errors
    /// The folder cannot be opened, is of another format, or its disk is full.
    pub fn open(folder: &Path, config: SpoolConfig, now: &Clocks) -> Result<Arc<Self>, SpoolError> {
        let config = SpoolConfig { byte_cap: config.byte_cap.max(SpoolConfig::LEAST_BYTE_CAP), ..config };
        let inner = Inner::open(folder, now)?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            config,
            inner: Mutex::new(inner),
            changed: Notify::new(),
            lineage: Lineage::default(),
        }))
    }

    /// Takes in differences: what is seen now, what is gone. Repeating what is known costs little; it is sent again, with
    /// its newer time, at most every refresh interval.
    ///
    /// # Errors
    /// The disk is full or fails, and nothing was taken in; or the table is full, and what is new was not.
    pub fn observe(&self, changes: &[(Group, FactChange)], now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, config| inner.observe(changes.to_vec(), config))
    }

    /// Takes in everything that holds now in a group; what else was known of it is gone.
    ///
    /// # Errors
    /// As for [`observe`](Self::observe).
    pub fn replace_group(&self, group: &Group, facts: impl Into<SortedFacts>, now: &Clocks) -> Result<(), SpoolError> {
        // Before the lock is taken: nobody waits for it.
        let facts = facts.into();
        self.work(now, |inner, config| inner.replace(group, &facts, now, config))
    }

    /// Takes note that everything taken in of these groups was observed again at a time, and nothing else: what
    /// [`replace_group`](Self::replace_group) does with the same facts, without them. `since` is the [`lineage`](Self::lineage)
    /// from before they were taken in; nothing happens when it is another by now.
    ///
    /// # Errors
    /// As for [`observe`](Self::observe).
    pub fn renew(&self, groups: &[Group], observed: Timestamp, since: u64, now: &Clocks) -> Result<(), SpoolError> {
        self.work(
            now,
            |inner, config| {
                if self.lineage.number() == since { inner.renew(groups, observed, config) } else { Ok(false) }
            },
        )
    }

    /// Returns what tells whether what was taken in is still there.
    pub fn lineage(&self) -> Lineage {
        self.lineage.clone()
    }

    /// Takes back what was last observed before a time in a group: whoever observed it says no more of it.
    ///
    /// # Errors
    /// As for [`observe`](Self::observe).
    pub fn forget(&self, group: &Group, before: Timestamp, now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, config| {
            let changed = inner.forget(group, before, now, config)?;
            if changed && inner.state.was_renewed(group) {
                self.lineage.end();
            }
            Ok(changed)
        })
    }

    /// Returns the groups that hold facts, those of earlier runs among them.
    pub fn groups(&self) -> Vec<Group> {
        self.lock().state.group_names()
    }

    /// Takes in samples and events. They are on disk within a second, by [`seal`](Self::seal), or at once when they fill a
    /// batch. While the disk takes none, the newest few thousand are kept in memory.
    ///
    /// # Errors
    /// The disk is full or fails; the items are kept in memory as far as there is room.
    pub fn record(&self, items: impl IntoIterator<Item = HistoryItem>, now: &Clocks) -> Result<(), SpoolError> {
        let mut inner = self.lock();
        inner.history.record(items, now);
        let full = inner.history.is_full();
        drop(inner);
        if full { self.seal(now) } else { Ok(()) }
    }

    /// Puts on disk what [`record`](Self::record) took in and is old enough, writes facts that were held back for long, and enforces the
    /// caps. Call it every second.
    /// Blocks until the disk has it.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn seal(&self, now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, config| {
            inner.write_out_in_time(now)?;
            if inner.history.is_due(now) { inner.seal(config, now) } else { Ok(false) }
        })
    }

    /// Puts on disk everything that was taken in. Call it before the process ends.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn flush(&self, now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, config| {
            let sealed = inner.seal(config, now)?;
            inner.store()?.flush().map(|()| sealed)
        })
    }

    /// Sets or clears one of the agent's own conditions of the spool's group.
    fn condition(&self, kind: ConditionKind, subject: &str, detail: Option<String>, now: &Clocks) {
        let observed = time(now);
        let subject = subject.to_owned();
        let change = match detail {
            Some(detail) => {
                FactChange::Present(Fact { observed, body: FactBody::Condition(Condition { kind, subject, detail }) })
            }
            None => FactChange::Gone { key: ItemKey::Condition { kind, subject }, observed },
        };
        let mut inner = self.lock();
        // What cannot be kept now is said again at the next occasion.
        if inner.observe_own(change, self.config).unwrap_or(false) {
            self.changed.notify_one();
        }
    }

    /// Returns how the spool is doing.
    pub fn status(&self) -> SpoolStatus {
        let inner = self.lock();
        SpoolStatus {
            facts: inner.state.facts(),
            state_waiting: inner.state.waiting(),
            state_outstanding: inner.outstanding,
            history_batches: inner.history.waiting(),
            history_bytes: inner.history.bytes(),
            lost_batches: inner.history.lost_total.batches,
            lost_items: inner.history.lost_total.items,
            refused_batches: inner.refused_batches,
            refused_facts: inner.refused_facts,
            damaged_records: inner.damaged,
            disk_bytes: inner.store.as_ref().map_or(0, Store::disk_bytes),
            disk_full: inner.disk_full,
        }
    }

    /// Returns when something new waits to be sent. At most one task waits.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Returns where the lanes are.
    pub fn view(&self) -> View {
        self.lock().view()
    }

    /// Makes the next state batch, on disk when this returns, unless one is outstanding or nothing waits. Returns whether
    /// one is outstanding now. Blocks until the disk has it.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn cut_state(&self, now: &Clocks) -> Result<bool, SpoolError> {
        self.work_quietly(now, |inner, _| inner.cut_state(now))
    }

    /// Returns the state batch that waits for its acknowledgement.
    ///
    /// # Errors
    /// The disk fails.
    pub fn outstanding(&self, now: &Clocks) -> Result<Option<v1::Batch>, SpoolError> {
        self.work_quietly(now, |inner, _| inner.outstanding())
    }

    /// Returns a history batch of the present epoch.
    ///
    /// # Errors
    /// The disk fails.
    pub fn history_batch(&self, sequence: u64, now: &Clocks) -> Result<Option<v1::Batch>, SpoolError> {
        self.work_quietly(now, |inner, _| {
            let Inner { store, history, .. } = inner;
            history.batch(opened(store.as_ref())?, sequence)
        })
    }

    /// Forgets what the centre has on its disk: everything up to this position. Positions of other epochs are ignored.
    ///
    /// # Errors
    /// The disk fails; the batches will be sent again, and the centre drops them.
    pub fn acknowledge(&self, position: Position, now: &Clocks) -> Result<(), SpoolError> {
        let caught_up = self.work_quietly(now, |inner, _| inner.acknowledge(position))?;
        if caught_up && position.lane == Lane::History {
            self.condition(ConditionKind::SpoolLoss, Lane::History.name(), None, now);
        }
        Ok(())
    }

    /// Sets aside a batch that the centre will never take.
    ///
    /// # Errors
    /// The disk fails; the batch will be sent and refused again.
    pub fn set_aside(&self, position: Position, detail: &str, now: &Clocks) -> Result<(), SpoolError> {
        if self.work_quietly(now, |inner, _| inner.set_aside(position))? {
            let lane = position.lane.name();
            let detail = format!("the centre refused batch {} of the lane {lane}: {detail}", position.sequence);
            self.condition(ConditionKind::BatchRejected, lane, Some(detail), now);
        }
        Ok(())
    }

    /// Begins a new epoch of a lane: the state lane sends everything again, the history lane what it still has.
    ///
    /// # Errors
    /// The disk is full or fails, or the system gives no random numbers.
    pub fn renew_epoch(&self, lane: Lane, now: &Clocks) -> Result<(), SpoolError> {
        let epoch = epoch()?;
        self.work_quietly(now, |inner, _| match lane {
            Lane::State => inner.renew_state(epoch),
            Lane::History => {
                let Inner { store, history, .. } = inner;
                history.renew(opened(store.as_ref())?, epoch)
            }
        })
    }

    /// Marks groups to be sent again, complete.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn resync(&self, groups: &[Group], now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, _| {
            let Inner { store, state, .. } = inner;
            state.resync(opened(store.as_ref())?, groups).map(|()| true)
        })
    }

    /// Returns the digest, `None` while something waits on the state lane.
    pub fn digest(&self) -> Option<Digest> {
        let inner = self.lock();
        let settled = !inner.outstanding && inner.state.waiting() == 0;
        settled.then(|| Digest { state: inner.state_position(), groups: inner.state.digests() })
    }

    /// Takes note that the line is up: what was lost meanwhile is reported.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn connected(&self, now: &Clocks) -> Result<(), SpoolError> {
        self.work(now, |inner, _| inner.report_lost(now).map(|()| true))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work that may leave something to be sent, and says so.
    fn work(
        &self,
        now: &Clocks,
        work: impl FnOnce(&mut Inner, SpoolConfig) -> Result<bool, SpoolError>,
    ) -> Result<(), SpoolError> {
        if self.work_quietly(now, work)? {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Does work on an open store, opening it again where it failed before, and keeps the condition of the disk.
    fn work_quietly<T>(
        &self,
        now: &Clocks,
        work: impl FnOnce(&mut Inner, SpoolConfig) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        let mut inner = self.lock();
        let lost_before = inner.history.lost_total;
        let result = inner.reopen(&self.folder, now).and_then(|reopened| {
            if reopened {
                self.lineage.end();
            }
            work(&mut inner, self.config)
        });
        if result.is_err() {
            self.lineage.end();
        }
        if let Err(SpoolError::Disk { .. }) = &result {
            inner.store = None;
        }
        let was_full = inner.disk_full;
        match &result {
            Err(SpoolError::DiskFull { .. } | SpoolError::Disk { .. }) => inner.disk_full = true,
            Err(SpoolError::TableFull { refused, .. }) => inner.refused_facts += *refused as u64,
            _ => inner.disk_full = inner.disk_full && !inner.has_space(),
        }
        let (is_full, lost) = (inner.disk_full, inner.history.lost_total);
        drop(inner);
        self.say(was_full, is_full, result.as_ref().err(), (lost != lost_before).then_some(lost), now);
        result
    }

    /// Keeps the conditions that tell what is wrong with the spool.
    fn say(&self, was_full: bool, is_full: bool, error: Option<&SpoolError>, lost: Option<Lost>, now: &Clocks) {
        if is_full && !was_full {
            let detail = error.map_or_else(String::new, ToString::to_string);
            self.condition(ConditionKind::DiskFull, "spool", Some(detail), now);
        }
        if was_full && !is_full {
            self.condition(ConditionKind::DiskFull, "spool", None, now);
        }
        if let Some(lost) = lost {
            self.condition(ConditionKind::SpoolLoss, Lane::History.name(), Some(lost.describe()), now);
        }
        if let Some(error @ SpoolError::TableFull { .. }) = error {
            self.condition(ConditionKind::TableFull, "spool", Some(error.to_string()), now);
        }
    }
}

impl Lineage {
    /// Returns the present number.
    pub fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl SpoolConfig {
    fn rules(self) -> Rules {
        Rules { refresh_ms: i64::try_from(self.refresh_ms).unwrap_or(i64::MAX), max_facts: self.max_facts }
    }
}

fn time(clocks: &Clocks) -> Timestamp {
    Timestamp::from_unix_ms(clocks.wall_ms)
}

fn epoch() -> Result<u64, SpoolError> {
    // 0 is what a lane without an epoch would say.
    tls::random::<8>().map(|bytes| u64::from_be_bytes(bytes).max(1)).map_err(SpoolError::Randomness)
}
