//! The history lane's side of the spool: numbered batches of samples and events, append-only.
//!
//! Invariants: a batch is on disk before it is sent, and goes only when it is acknowledged, refused, or dropped by a cap; the
//! oldest is dropped first, and what that costs is counted. On disk batches have numbers that are never used again;
//! on the wire a batch's sequence is its number minus the epoch's base. So when a cap tears a hole before batches that the
//! centre never had, a new epoch, based behind the hole, closes it; no batch is ever numbered twice within an epoch.
//!
//! This module does not know what is in flight.

use std::collections::VecDeque;

use onenet_topology::{
    Timestamp,
    fact::{Event, EventKind, HistoryBody, HistoryItem, Method, Scope},
};
use onenet_wire::{Clocks, Position, codec, history_message, limits, v1};
use prost::Message as _;

use super::{
    SpoolError,
    journal::{Found, Journal, Lane},
    lost::Lost,
    store::{Purpose, Store},
    tree_history::LeftInTree,
};

/// Stored bytes of a batch: small batches let the state lane in between on a slow line.
const CLOSE_BYTES: usize = 24 << 10;
/// Items of a batch.
const CLOSE_ITEMS: usize = 1_024;
/// Age of the oldest item, in milliseconds, at which a batch is closed. A crash loses at most this much.
const CLOSE_AGE_MS: u64 = 1_000;
/// Items that memory keeps while the disk takes none. Then the oldest are dropped, and counted.
const OPEN_ITEMS: usize = 8 * CLOSE_ITEMS;
/// As many full batches are written together: each time the disk is waited for.
const CLOSE_TOGETHER: usize = 4;
/// Batches that memory keeps after they were written: as many as are in flight, and what sixty switches that are read at once fill behind
/// those.
const RECENT: usize = 24;
/// How much of the byte cap may be used before the oldest batches go.
const TRIGGER_PERCENT: u64 = 75;
/// Live bytes that are never dropped for the byte cap, as a share of it: sled needs about twice what lives.
const FLOOR_PERCENT: u64 = 20;
/// Bytes of history that are too few to have filled a disk: they are not dropped because it is full.
const MATTERS_BYTES: u64 = 512 << 10;
/// Before this the clock of a machine without a battery was never set: 2020-01-01.
const PLAUSIBLE_MS: i64 = 1_577_836_800_000;

/// Caps on what is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// Milliseconds since a batch was closed.
    pub(super) age_ms: u64,
    /// Bytes of the spool's folder on disk.
    pub(super) disk_bytes: u64,
    /// Bytes that it takes now.
    pub(super) taken: u64,
}

/// The history lane.
#[derive(Debug)]
pub(super) struct History {
    journal: Journal,
    /// What an older version left in the tree.
    left: LeftInTree,
    /// As the journal has it, but for what was lost before it reached the disk.
    lane: Lane,
    /// When the oldest batch was closed, and its number; `None` for one that cannot be read.
    oldest: Option<(u64, Option<Clocks>)>,
    /// Bytes beyond which the oldest go, while the folder is near its cap.
    limit: Option<u64>,
    /// Size of the folder when `limit` was last tightened.
    disk: u64,
    open: Vec<HistoryItem>,
    open_bytes: usize,
    open_since_ms: u64,
    /// The batches written last, as they are sent: most are asked for at once.
    recent: VecDeque<(u64, v1::Batch)>,
    /// How many of the open items are in each of the batches that are being written.
    closing: Vec<usize>,
    /// Whether the last of the open items tells what was lost.
    tells_lost: bool,
    /// Since the process started.
    pub(super) lost_total: Lost,
    /// Damaged records found when it was opened.
    pub(super) damaged: usize,
}

impl History {
    /// Reads the lane back; `epoch` names it when it is new. What an older version left in the tree stays there until it goes;
    /// [`LeftInTree::take_over`] is to be written then.
    pub(super) fn load(store: &Store, epoch: u64) -> Result<Self, SpoolError> {
        let failed = |error| store.failed_io(error);
        let mut found = Found::of(store.folder()).map_err(failed)?;
        let new = Lane { epoch, base: 0, first: 1, next: 1, lost: Lost::default() };
        let lane = match LeftInTree::lane(store)? {
            Some(lane) => {
                // It was not taken over yet.
                found.clear().map_err(failed)?;
                lane
            }
            None => found.lane.unwrap_or(new),
        };
        let left = LeftInTree::load(store, &lane)?;
        let first = left.first().into_iter().chain(found.first(&lane)).min().unwrap_or(lane.next);
        let (lane, damaged) = (Lane { first, ..lane }, found.damaged);
        let journal = found.begin(&lane).map_err(failed)?;
        #[cfg(test)]
        let journal = journal.with_steps(store.steps.clone());
        Ok(Self {
            journal,
            left,
            lane,
            oldest: None,
            limit: None,
            disk: 0,
            open: Vec::new(),
            open_bytes: 0,
            open_since_ms: 0,
            recent: VecDeque::new(),
            closing: Vec::new(),
            tells_lost: false,
            lost_total: Lost::default(),
            damaged,
        })
    }

    /// Takes over what only memory knew before the disk was opened again.
    pub(super) fn take_over(&mut self, mut before: Self) {
        // Writing batches failed halfway: some are there, and the others are not.
        let batches = usize::try_from(self.lane.next.saturating_sub(before.lane.next)).unwrap_or(usize::MAX);
        let written: usize = before.closing.iter().take(batches).sum();
        before.open.drain(..written.min(before.open.len()));
        self.open = before.open;
        self.open_bytes = before.open_bytes;
        self.open_since_ms = before.open_since_ms;
        self.lost_total = before.lost_total;
    }

    /// Returns the last batch written.
    pub(super) const fn position(&self) -> Position {
        let sequence = (self.lane.next - 1).saturating_sub(self.lane.base);
        Position { lane: onenet_wire::Lane::History, epoch: self.lane.epoch, sequence }
    }

    /// Returns the sequence before the oldest batch kept.
    pub(super) const fn before_first(&self) -> u64 {
        (self.lane.first - 1).saturating_sub(self.lane.base)
    }

    /// Returns how many batches are kept.
    pub(super) const fn waiting(&self) -> u64 {
        self.lane.next - self.lane.first
    }

    /// Returns the bytes of the batches kept.
    pub(super) const fn bytes(&self) -> u64 {
        self.journal.bytes() + self.left.bytes()
    }

    /// Returns what was lost and is not told yet.
    #[cfg(test)]
    pub(super) const fn lost(&self) -> Lost {
        self.lane.lost
    }

    /// Takes in items. They are on disk after the next [`close`](Self::close).
    pub(super) fn record(&mut self, items: impl IntoIterator<Item = HistoryItem>, now: &Clocks) {
        for mut item in items {
            limits::fit_item(&mut item);
            if self.open.is_empty() {
                self.open_since_ms = now.boot_ms;
            }
            self.open_bytes += codec::history_size(&item);
            self.open.push(item);
        }
        if self.open.len() > OPEN_ITEMS {
            for item in self.open.drain(..self.open.len() - OPEN_ITEMS) {
                let one = Lost::of_item(item.time);
                self.lane.lost.add(one);
                self.lost_total.add(one);
            }
        }
    }

    /// Returns whether items wait that should not wait longer.
    pub(super) fn is_due(&self, now: &Clocks) -> bool {
        self.is_full() || (!self.open.is_empty() && now.boot_ms.saturating_sub(self.open_since_ms) >= CLOSE_AGE_MS)
    }

    /// Returns whether so many batches are full as are written together.
    pub(super) const fn is_full(&self) -> bool {
        self.open_bytes >= CLOSE_TOGETHER * CLOSE_BYTES || self.open.len() >= CLOSE_TOGETHER * CLOSE_ITEMS
    }

    /// Returns whether items wait that are on no disk yet.
    pub(super) const fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Writes the items that wait as batches, and returns once they are on disk. When it fails, those not written wait on.
    /// On a full disk the oldest batches make room, where there are enough of them to matter.
    pub(super) fn close(&mut self, store: &Store, now: &Clocks) -> Result<(), SpoolError> {
        let mut closed = self.close_within(store, now, Purpose::Observation);
        while matches!(closed, Err(SpoolError::DiskFull { .. })) && self.make_room(store)? {
            // No more is written than was dropped just now.
            closed = self.close_within(store, now, Purpose::BookKeeping);
        }
        closed
    }

    /// Drops the oldest batches: as many bytes as wait, by an estimate that is never too low. Returns whether there was
    /// enough of them.
    fn make_room(&mut self, store: &Store) -> Result<bool, SpoolError> {
        let wanted = u64::try_from(self.open_bytes).unwrap_or(u64::MAX);
        if self.bytes() < wanted.saturating_add(MATTERS_BYTES) {
            return Ok(false);
        }
        let until = self.bytes() - wanted;
        while self.bytes() > until && self.waiting() > 0 {
            self.drop_first(store)?;
        }
        self.sync(store)?;
        Ok(true)
    }

    fn close_within(&mut self, store: &Store, now: &Clocks, purpose: Purpose) -> Result<(), SpoolError> {
        let mut messages = Vec::new();
        self.closing.clear();
        let written = self.write_batches(store, now, purpose, &mut messages);
        let flushed = if messages.is_empty() { Ok(()) } else { self.sync(store) };
        if flushed.is_ok() {
            // One that failed halfway stays among those that are being written.
            let items: usize = self.closing.drain(..messages.len()).sum();
            self.open.drain(..items.min(self.open.len()));
            for message in messages {
                self.recent.push_back((self.lane.next, message));
                self.lane.next += 1;
            }
            self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        }
        self.open_bytes = self.open.iter().map(codec::history_size).sum();
        written.and(flushed)
    }

    /// Writes the items that wait as batches, which are kept in `messages`.
    fn write_batches(
        &mut self,
        store: &Store,
        now: &Clocks,
        purpose: Purpose,
        messages: &mut Vec<v1::Batch>,
    ) -> Result<(), SpoolError> {
        let (mut next, mut begin) = (self.lane.next, 0);
        while let Some(rest) = self.open.get(begin..).filter(|rest| !rest.is_empty()) {
            let count = batch_len(rest).min(rest.len());
            let message = history_message(rest.get(..count).unwrap_or(rest), now);
            let tells = self.tells_lost && count == rest.len();
            self.closing.push(count);
            store.check(purpose)?;
            let put = self.journal.put(&Lane { next, ..self.lane }, &message.encode_to_vec(), tells);
            put.map_err(|error| store.failed_io(error))?;
            messages.push(message);
            next += 1;
            begin += count;
        }
        Ok(())
    }

    fn sync(&mut self, store: &Store) -> Result<(), SpoolError> {
        self.journal.sync().map_err(|error| store.failed_io(error))
    }

    /// Returns the bytes of a batch, none for one that is not there.
    fn read(&self, store: &Store, number: u64) -> Result<Vec<u8>, SpoolError> {
        if let Some(bytes) = self.left.get(store, number)? {
            return Ok(bytes);
        }
        let read = self.journal.get(number).map_err(|error| store.failed_io(error))?;
        Ok(read.unwrap_or_default())
    }

    /// Returns a batch of this epoch, ready to be sent.
    pub(super) fn batch(&mut self, store: &Store, sequence: u64) -> Result<Option<v1::Batch>, SpoolError> {
        let Some(number) = self.number(sequence) else { return Ok(None) };
        let position = Position { lane: onenet_wire::Lane::History, epoch: self.lane.epoch, sequence };
        // Whoever asks for it again has lost its line, and the disk has it.
        let recent = self.recent.iter().position(|(recent, _)| *recent == number);
        let batch = match recent.and_then(|place| self.recent.remove(place)) {
            Some((_, batch)) => Some(batch),
            None => decode(&self.read(store, number)?),
        };
        Ok(batch.map(|batch| v1::Batch { position: Some((&position).into()), ..batch }))
    }

    /// Returns the number of a batch of this epoch that is kept.
    fn number(&self, sequence: u64) -> Option<u64> {
        let number = self.lane.base.saturating_add(sequence);
        (self.lane.first..self.lane.next).contains(&number).then_some(number)
    }

    /// Forgets the batches up to this sequence of this epoch: the centre has them.
    pub(super) fn acknowledge(&mut self, store: &Store, sequence: u64) -> Result<(), SpoolError> {
        let first = self.lane.base.saturating_add(sequence).saturating_add(1).min(self.lane.next);
        if first > self.lane.first { self.go_on(store, Lane { first, ..self.lane }) } else { Ok(()) }
    }

    /// Goes on as this lane, without the batches before its first.
    fn go_on(&mut self, store: &Store, lane: Lane) -> Result<(), SpoolError> {
        store.check(Purpose::BookKeeping)?;
        self.journal.note(&lane).map_err(|error| store.failed_io(error))?;
        self.lane = lane;
        self.recent.retain(|(number, _)| *number >= lane.first);
        // What is not removed now is when the spool is opened again.
        self.left.remove(store, lane.first)
    }

    /// Begins another epoch with the oldest batch kept as its first.
    pub(super) fn renew(&mut self, store: &Store, epoch: u64) -> Result<(), SpoolError> {
        let before = self.lane;
        self.go_on(store, Lane { epoch, base: before.first - 1, ..before })?;
        self.sync(store)
    }

    /// Returns the bytes of a batch that was refused, and is the oldest then. It stays until it is
    /// [acknowledged](Self::acknowledge).
    pub(super) fn refused(&mut self, store: &Store, sequence: u64) -> Result<Option<Vec<u8>>, SpoolError> {
        let Some(number) = self.number(sequence) else { return Ok(None) };
        // What stands before a refused batch was committed.
        self.acknowledge(store, sequence - 1)?;
        self.read(store, number).map(Some)
    }

    /// Drops what the caps do not allow. Returns whether something was.
    pub(super) fn enforce(&mut self, store: &Store, caps: Caps, now: &Clocks) -> Result<bool, SpoolError> {
        let mut dropped = false;
        while self.waiting() > 0 && self.first_age_ms(store, now)? > caps.age_ms {
            self.drop_first(store)?;
            dropped = true;
        }
        self.tighten(caps.taken, caps.disk_bytes);
        while self.limit.is_some_and(|limit| self.bytes() > limit) && self.waiting() > 0 {
            self.drop_first(store)?;
            dropped = true;
        }
        Ok(dropped)
    }

    /// Decides how many bytes may live. sled uses freed space again but seldom gives it back, so a folder that stays as
    /// large as it was is no reason to drop more.
    fn tighten(&mut self, disk: u64, cap: u64) {
        if disk <= percent(cap, TRIGGER_PERCENT) {
            self.limit = None;
            self.disk = 0;
        } else if self.limit.is_none() || disk > self.disk {
            let tighter = percent(self.limit.unwrap_or(self.bytes()), 90).max(percent(cap, FLOOR_PERCENT));
            self.limit = Some(tighter);
            self.disk = disk;
        }
    }

    /// Returns the age of the oldest batch, in milliseconds. Across boots only plausible wall clocks are compared, so that a
    /// clock that was wrong and is put right costs no history.
    fn first_age_ms(&mut self, store: &Store, now: &Clocks) -> Result<u64, SpoolError> {
        let first = self.lane.first;
        let clocks = match self.oldest {
            Some((number, clocks)) if number == first => clocks,
            _ => decode(&self.read(store, first)?).and_then(|batch| Clocks::try_from(batch.clocks?).ok()),
        };
        self.oldest = Some((first, clocks));
        let Some(clocks) = clocks else {
            // Unreadable: as old as can be.
            return Ok(u64::MAX);
        };
        if clocks.boot_id == now.boot_id {
            return Ok(now.boot_ms.saturating_sub(clocks.boot_ms));
        }
        let both_plausible = clocks.wall_ms >= PLAUSIBLE_MS && now.wall_ms >= PLAUSIBLE_MS;
        let age = now.wall_ms.saturating_sub(clocks.wall_ms);
        Ok(if both_plausible { u64::try_from(age).unwrap_or(0) } else { 0 })
    }

    fn drop_first(&mut self, store: &Store) -> Result<(), SpoolError> {
        let first = self.lane.first;
        let cost = decode(&self.read(store, first)?).as_ref().map_or_else(Lost::unreadable, Lost::of);
        let mut lost = self.lane.lost;
        lost.add(cost);
        self.go_on(store, Lane { first: first + 1, lost, ..self.lane })?;
        self.lost_total.add(cost);
        Ok(())
    }

    /// Turns what was lost into an event among the items that wait.
    pub(super) fn report_lost(&mut self, store: &Store, now: &Clocks) -> Result<(), SpoolError> {
        let lost = self.lane.lost;
        if lost == Lost::default() {
            return Ok(());
        }
        // The event is a batch of its own, so that whoever finds it finds the loss told.
        self.close(store, now)?;
        let event = Event {
            kind: EventKind::HistoryLost,
            subject: onenet_wire::Lane::History.name().to_owned(),
            detail: lost.describe(),
            count: lost.items,
        };
        let item = HistoryItem {
            time: Timestamp::from_unix_ms(now.wall_ms),
            scope: Scope::new(""),
            body: HistoryBody::Event(event),
        };
        self.record([item], now);
        self.tells_lost = true;
        let closed = self.close_within(store, now, Purpose::BookKeeping);
        self.tells_lost = false;
        match &closed {
            Ok(()) => self.lane.lost = Lost::default(),
            // It is made anew.
            Err(_) => _ = self.open.pop(),
        }
        closed
    }
}

/// Returns how many of these items make one batch.
fn batch_len(items: &[HistoryItem]) -> usize {
    let (mut bytes, mut count) = (0, 0);
    for item in items.iter().take(CLOSE_ITEMS) {
        bytes += codec::history_size(item);
        if count > 0 && bytes > CLOSE_BYTES {
            break;
        }
        count += 1;
    }
    count
}

fn decode(bytes: &[u8]) -> Option<v1::Batch> {
    if bytes.is_empty() { None } else { v1::Batch::decode(bytes).ok() }
}

const fn percent(of: u64, share: u64) -> u64 {
    of / 100 * share
}

/// Returns the big-endian numbers that the bytes are.
pub(super) fn numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let (chunks, []) = bytes.as_chunks::<8>() else { return None };
    let numbers: Vec<u64> = chunks.iter().map(|chunk| u64::from_be_bytes(*chunk)).collect();
    numbers.try_into().ok()
}

/// Returns the scope and method under which the spool speaks of itself.
pub(super) fn own_group() -> onenet_topology::fact::Group {
    onenet_topology::fact::Group { method: Method::Agent, scope: Scope::new("spool") }
}
