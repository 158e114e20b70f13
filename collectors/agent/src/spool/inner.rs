//! The spool's owner of state: the store, the two lanes' tables and numbers, kept in step.
//!
//! Invariant: memory changes only after the disk took the change; where the disk fails halfway, everything is read anew.
//!
//! This module knows no lock and raises no condition: its owner does.

use std::path::Path;

use onenet_topology::{
    Timestamp,
    fact::{FactChange, Group},
};
use onenet_wire::{Batch, Clocks, Content, Lane, Position, v1};
use prost::Message as _;

use super::{
    FORMAT, SpoolConfig, SpoolError, View,
    change::Rules,
    epoch,
    history::{Caps, History, numbers, own_group},
    keys, migrate, refused,
    sorted::SortedFacts,
    state::StateTable,
    store::{Purpose, Store, Writes},
    time,
    tree_history::LeftInTree,
};

/// How often a loss that goes on is reported while the line is up, in milliseconds.
const LOSS_REPORT_MS: u64 = 60_000;

/// How long pages are held back that nothing else writes, in milliseconds. What the centre takes within that time is written once, as
/// sent, and not twice; a process that is killed reads what it held back anew.
const HELD_BACK_MS: u64 = 5_000;

/// For how many milliseconds, and for how many bytes of history more or less, the folder is not looked at again: a busy agent seals
/// several times a second.
const MEASURED_MS: u64 = 5_000;
const MEASURED_BYTES: u64 = 1 << 20;

/// The spool's one owner of state.
#[derive(Debug)]
pub(super) struct Inner {
    /// `None` after an error of the disk, until it is opened again.
    pub(super) store: Option<Store>,
    pub(super) state: StateTable,
    state_epoch: u64,
    state_sequence: u64,
    pub(super) outstanding: bool,
    /// The outstanding batch as it was written, until it is asked for: mostly at once, and then never again.
    made: Option<v1::Batch>,
    pub(super) history: History,
    pub(super) refused_batches: u64,
    pub(super) refused_facts: u64,
    pub(super) damaged: usize,
    pub(super) disk_full: bool,
    loss_reported_ms: Option<u64>,
    /// When pages that were held back were last written.
    written_out_ms: u64,
    measured: Option<Measured>,
}

/// What the folder took on disk when it was last looked at.
#[derive(Debug, Clone, Copy)]
struct Measured {
    at_ms: u64,
    taken: u64,
    /// The bytes of history at that time.
    history: u64,
}

impl Inner {
    pub(super) fn open(folder: &Path, now: &Clocks) -> Result<Self, SpoolError> {
        let store = Store::open(folder)?;
        let found = store.get(keys::FORMAT)?.and_then(|value| numbers::<1>(&value)).map(|[found]| found);
        match found {
            None | Some(2 | FORMAT) => {}
            Some(1) => migrate::from_format_1(&store)?,
            Some(found) => return Err(SpoolError::Format { folder: folder.to_owned(), found }),
        }
        migrate::remove_format_1(&store)?;
        let shift = clock_shift(&store, now)?;
        let (state, damaged) = StateTable::load(&store, shift, time(now))?;
        let lane = store.get(keys::STATE_LANE)?.and_then(|value| numbers::<2>(&value));
        let [state_epoch, state_sequence] = lane.unwrap_or([epoch()?, 0]);
        let outstanding =
            store.keys(vec![keys::OUTSTANDING]..vec![keys::OUTSTANDING + 1]).next().transpose()?.is_some();
        let history = History::load(&store, epoch()?)?;
        let damaged = damaged + history.damaged;
        let inner = Self {
            store: Some(store),
            state,
            state_epoch,
            state_sequence,
            outstanding,
            made: None,
            history,
            refused_batches: 0,
            refused_facts: 0,
            damaged,
            disk_full: false,
            loss_reported_ms: None,
            written_out_ms: now.boot_ms,
            measured: None,
        };
        inner.write_meta(now)?;
        Ok(inner)
    }

    /// Writes what names this spool. Done at every opening, so that an epoch is on disk before it is used.
    pub(super) fn write_meta(&self, now: &Clocks) -> Result<(), SpoolError> {
        let mut writes = Writes::together();
        writes.put(keys::FORMAT, &FORMAT.to_be_bytes());
        writes.put(keys::CLOCK, encode_clock(now));
        writes.put(keys::STATE_LANE, encode_lane(self.state_epoch, self.state_sequence));
        LeftInTree::take_over(&mut writes);
        let store = self.store()?;
        store.apply(writes, Purpose::Start)?;
        store.flush()
    }

    /// Opens the store again where its disk failed. Returns whether it did.
    pub(super) fn reopen(&mut self, folder: &Path, now: &Clocks) -> Result<bool, SpoolError> {
        if self.store.is_some() {
            return Ok(false);
        }
        let mut fresh = Self::open(folder, now)?;
        std::mem::swap(self, &mut fresh);
        let before = fresh;
        self.history.take_over(before.history);
        self.refused_batches = before.refused_batches;
        self.refused_facts = before.refused_facts;
        self.damaged += before.damaged;
        self.disk_full = before.disk_full;
        Ok(true)
    }

    pub(super) fn store(&self) -> Result<&Store, SpoolError> {
        opened(self.store.as_ref())
    }

    pub(super) fn has_space(&self) -> bool {
        self.store.as_ref().is_some_and(Store::has_space)
    }

    /// Writes pages that were held back long enough.
    pub(super) fn write_out_in_time(&mut self, now: &Clocks) -> Result<(), SpoolError> {
        if now.boot_ms.saturating_sub(self.written_out_ms) < HELD_BACK_MS {
            return Ok(());
        }
        self.store()?.write_out()?;
        self.written_out_ms = now.boot_ms;
        Ok(())
    }

    pub(super) fn observe(
        &mut self,
        changes: Vec<(Group, FactChange)>,
        config: SpoolConfig,
    ) -> Result<bool, SpoolError> {
        let Self { store, state, .. } = self;
        state.observe(opened(store.as_ref())?, changes, config.rules(), Purpose::Observation)
    }

    pub(super) fn replace(
        &mut self,
        group: &Group,
        facts: &SortedFacts,
        now: &Clocks,
        config: SpoolConfig,
    ) -> Result<bool, SpoolError> {
        let Self { store, state, .. } = self;
        state.replace(opened(store.as_ref())?, group, facts, time(now), config.rules())
    }

    pub(super) fn renew(
        &mut self,
        groups: &[Group],
        observed: Timestamp,
        config: SpoolConfig,
    ) -> Result<bool, SpoolError> {
        let Self { store, state, .. } = self;
        let store = opened(store.as_ref())?;
        let mut changed = false;
        for group in groups {
            changed |= state.renew(store, group, observed, config.rules())?;
        }
        Ok(changed)
    }

    pub(super) fn forget(
        &mut self,
        group: &Group,
        before: Timestamp,
        now: &Clocks,
        config: SpoolConfig,
    ) -> Result<bool, SpoolError> {
        let Self { store, state, .. } = self;
        state.forget(opened(store.as_ref())?, group, before, time(now), config.rules())
    }

    pub(super) fn observe_own(&mut self, change: FactChange, config: SpoolConfig) -> Result<bool, SpoolError> {
        let Self { store, state, .. } = self;
        let rules = Rules { max_facts: usize::MAX, ..config.rules() };
        state.observe(opened(store.as_ref())?, [(own_group(), change)], rules, Purpose::BookKeeping)
    }

    pub(super) fn seal(&mut self, config: SpoolConfig, now: &Clocks) -> Result<bool, SpoolError> {
        let Self { store, history, .. } = self;
        let sealed = history.is_open();
        history.close(opened(store.as_ref())?, now)?;
        // On a small disk the oldest history goes before the spool has filled it: sled gives no space back.
        let taken = self.taken(now)?;
        let Self { store, history, .. } = self;
        let store = opened(store.as_ref())?;
        let caps = Caps { age_ms: config.age_cap_ms, disk_bytes: config.byte_cap.min(store.room(taken)), taken };
        history.enforce(store, caps, now)?;
        let since = self.loss_reported_ms.map(|at| now.boot_ms.saturating_sub(at));
        if since.is_some_and(|since| since >= LOSS_REPORT_MS) {
            self.report_lost(now)?;
        }
        Ok(sealed)
    }

    /// Returns what the folder takes on disk, in bytes, now or when it was looked at a moment ago.
    fn taken(&mut self, now: &Clocks) -> Result<u64, SpoolError> {
        let history = self.history.bytes();
        let is_recent = |it: &Measured| {
            now.boot_ms.saturating_sub(it.at_ms) < MEASURED_MS && history.abs_diff(it.history) < MEASURED_BYTES
        };
        let measured = match self.measured.filter(is_recent) {
            Some(measured) => measured,
            None => Measured { at_ms: now.boot_ms, taken: self.store()?.disk_bytes(), history },
        };
        self.measured = Some(measured);
        Ok(measured.taken)
    }

    pub(super) fn report_lost(&mut self, now: &Clocks) -> Result<(), SpoolError> {
        let Self { store, history, .. } = self;
        history.report_lost(opened(store.as_ref())?, now)?;
        self.loss_reported_ms = Some(now.boot_ms);
        Ok(())
    }

    pub(super) const fn state_position(&self) -> Position {
        Position { lane: Lane::State, epoch: self.state_epoch, sequence: self.state_sequence }
    }

    pub(super) fn view(&self) -> View {
        View {
            state: self.state_position(),
            outstanding: self.outstanding,
            state_waiting: self.state.waiting() > 0,
            history: self.history.position(),
            history_before_first: self.history.before_first(),
        }
    }

    pub(super) fn cut_state(&mut self, now: &Clocks) -> Result<bool, SpoolError> {
        if self.outstanding || self.state.waiting() == 0 {
            return Ok(self.outstanding);
        }
        let Self { store, state, .. } = self;
        let store = opened(store.as_ref())?;
        let mut cut = state.cut(store)?;
        if cut.is_empty() {
            return Ok(false);
        }
        let sequence = self.state_sequence + 1;
        let position = Position { lane: Lane::State, epoch: self.state_epoch, sequence };
        let content = Content::State(std::mem::take(&mut cut.groups));
        let batch = Batch { position, clocks: *now, content };
        let mut writes = Writes::together();
        let made = v1::Batch::from(&batch);
        writes.put_parts(&[keys::OUTSTANDING], &made.encode_to_vec());
        writes.put(keys::STATE_LANE, encode_lane(self.state_epoch, sequence));
        if let Content::State(groups) = batch.content {
            cut.groups = groups;
        }
        state.write_sent(store, &mut cut, &mut writes)?;
        store.apply(writes, Purpose::BookKeeping)?;
        store.sync()?;
        state.sent(cut);
        self.state_sequence = sequence;
        self.outstanding = true;
        self.made = Some(made);
        Ok(true)
    }

    /// Returns the state batch that waits for its acknowledgement.
    pub(super) fn outstanding(&mut self) -> Result<Option<v1::Batch>, SpoolError> {
        if let Some(made) = self.made.take() {
            return Ok(Some(made));
        }
        let bytes = self.store()?.get_parts(&[keys::OUTSTANDING])?;
        Ok(if bytes.is_empty() { None } else { v1::Batch::decode(&bytes[..]).ok() })
    }

    /// Returns whether nothing waits on the position's lane any more.
    pub(super) fn acknowledge(&mut self, position: Position) -> Result<bool, SpoolError> {
        match position.lane {
            Lane::State if position.epoch == self.state_epoch => {
                if self.outstanding && position.sequence >= self.state_sequence {
                    self.drop_outstanding()?;
                }
                Ok(!self.outstanding)
            }
            Lane::History if position.epoch == self.history.position().epoch => {
                let Self { store, history, .. } = self;
                history.acknowledge(opened(store.as_ref())?, position.sequence)?;
                Ok(history.waiting() == 0)
            }
            _ => Ok(false),
        }
    }

    pub(super) fn drop_outstanding(&mut self) -> Result<(), SpoolError> {
        let store = self.store()?;
        let mut writes = Writes::together();
        store.remove_all(&[keys::OUTSTANDING], &mut writes)?;
        store.apply(writes, Purpose::BookKeeping)?;
        (self.outstanding, self.made) = (false, None);
        Ok(())
    }

    /// Returns whether the batch was there.
    pub(super) fn set_aside(&mut self, position: Position) -> Result<bool, SpoolError> {
        let bytes = match position.lane {
            Lane::State if position == self.state_position() && self.outstanding => {
                let bytes = self.store()?.get_parts(&[keys::OUTSTANDING])?;
                refused::keep(self.store()?, position, &bytes)?;
                self.drop_outstanding()?;
                return Ok(self.count_refused());
            }
            Lane::History if position.epoch == self.history.position().epoch => {
                let Self { store, history, .. } = self;
                history.refused(opened(store.as_ref())?, position.sequence)?
            }
            _ => None,
        };
        let Some(bytes) = bytes else { return Ok(false) };
        refused::keep(self.store()?, position, &bytes)?;
        // The journal may be on disk sooner than the tree.
        self.store()?.sync()?;
        let Self { store, history, .. } = self;
        history.acknowledge(opened(store.as_ref())?, position.sequence)?;
        Ok(self.count_refused())
    }

    pub(super) const fn count_refused(&mut self) -> bool {
        self.refused_batches += 1;
        true
    }

    pub(super) fn renew_state(&mut self, epoch: u64) -> Result<(), SpoolError> {
        let store = self.store()?;
        let mut writes = Writes::together();
        store.remove_all(&[keys::OUTSTANDING], &mut writes)?;
        writes.put(keys::STATE_LANE, encode_lane(epoch, 0));
        // A group that the dropped batch emptied holds nothing here, and must be said to.
        let dropped = v1::Batch::decode(&store.get_parts(&[keys::OUTSTANDING])?[..]).ok();
        let dropped = dropped.and_then(|batch| Batch::try_from(batch).ok());
        let mut groups = self.state.group_names();
        if let Some(Batch { content: Content::State(parts), .. }) = dropped {
            groups.extend(parts.into_iter().map(|part| part.group));
        }
        for group in &groups {
            writes.put(keys::group(keys::RESYNC, group), &0_u64.to_be_bytes());
        }
        store.apply(writes, Purpose::BookKeeping)?;
        store.sync()?;
        self.state.mark(&groups);
        (self.state_epoch, self.state_sequence, self.outstanding, self.made) = (epoch, 0, false, None);
        Ok(())
    }
}

/// Returns the open store.
pub(super) fn opened(store: Option<&Store>) -> Result<&Store, SpoolError> {
    store.ok_or(SpoolError::Closed)
}

/// Returns by how much the times on disk must be moved: within one boot, the timeline's anchor may have changed since.
fn clock_shift(store: &Store, now: &Clocks) -> Result<i64, SpoolError> {
    let stored = store.get(keys::CLOCK)?;
    let before = stored.as_deref().and_then(|value| value.split_first_chunk::<16>());
    let Some((boot_id, anchor)) = before else { return Ok(0) };
    let anchor = <[u8; 8]>::try_from(anchor).map_or(0, i64::from_be_bytes);
    Ok(if *boot_id == now.boot_id { anchor_of(now).saturating_sub(anchor) } else { 0 })
}

fn anchor_of(now: &Clocks) -> i64 {
    now.wall_ms.saturating_sub(i64::try_from(now.boot_ms).unwrap_or(i64::MAX))
}

fn encode_clock(now: &Clocks) -> Vec<u8> {
    [&now.boot_id[..], &anchor_of(now).to_be_bytes()].concat()
}

fn encode_lane(epoch: u64, sequence: u64) -> Vec<u8> {
    [epoch, sequence].map(u64::to_be_bytes).concat()
}
