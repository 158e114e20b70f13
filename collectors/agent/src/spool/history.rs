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
use onenet_wire::{Batch, Clocks, Content, Lane, Position, codec, limits, v1};
use prost::Message as _;

use super::{
    SpoolError, keys,
    store::{Purpose, Store, Writes},
};

/// Stored bytes at which a batch is closed early: small batches let the state lane in between on a slow line.
const CLOSE_BYTES: usize = 24 << 10;
/// Items at which a batch is closed early.
const CLOSE_ITEMS: usize = 1_024;
/// Age of the oldest item, in milliseconds, at which a batch is closed. A crash loses at most this much.
const CLOSE_AGE_MS: u64 = 1_000;
/// Items that memory keeps while the disk takes none. Then the oldest are dropped, and counted.
const OPEN_ITEMS: usize = 8 * CLOSE_ITEMS;
/// Batches that memory keeps after they were written: as many as are in flight.
const RECENT: usize = 4;
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
}

/// What caps cost since it was last reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) batches: u64,
    pub(super) items: u64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

/// The history lane.
#[derive(Debug)]
pub(super) struct History {
    epoch: u64,
    /// The number before the epoch's first batch.
    base: u64,
    /// The oldest batch kept; `next` when there is none.
    first: u64,
    /// The number that the next batch gets.
    next: u64,
    /// Bytes of all batches kept.
    bytes: u64,
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
    pub(super) lost: Lost,
    /// Since the process started.
    pub(super) lost_total: Lost,
}

impl History {
    /// Reads the lane back; `epoch` names it when it is new.
    pub(super) fn load(store: &Store, epoch: u64) -> Result<Self, SpoolError> {
        let meta = store.get(keys::HISTORY_LANE)?.and_then(|value| numbers::<3>(&value));
        let [epoch, base, next] = meta.unwrap_or([epoch, 0, 1]);
        remove_parts(store, next)?;
        let first = store.first_key(keys::HISTORY)?.and_then(|key| keys::parse_history(&key)).unwrap_or(next);
        let mut bytes = 0;
        for item in store.scan(&[keys::HISTORY]) {
            bytes += item?.1.len() as u64;
        }
        let lost = store.get(keys::LOST)?.and_then(|value| Lost::decode(&value)).unwrap_or_default();
        Ok(Self {
            epoch,
            base,
            first,
            next,
            bytes,
            limit: None,
            disk: 0,
            open: Vec::new(),
            open_bytes: 0,
            open_since_ms: 0,
            recent: VecDeque::new(),
            closing: Vec::new(),
            tells_lost: false,
            lost,
            lost_total: Lost::default(),
        })
    }

    /// Takes over what only memory knew before the disk was opened again.
    pub(super) fn take_over(&mut self, mut before: Self) {
        // Writing batches failed halfway: some are there, and the others are not.
        let batches = usize::try_from(self.next.saturating_sub(before.next)).unwrap_or(usize::MAX);
        let written: usize = before.closing.iter().take(batches).sum();
        before.open.drain(..written.min(before.open.len()));
        self.open = before.open;
        self.open_bytes = before.open_bytes;
        self.open_since_ms = before.open_since_ms;
        self.lost_total = before.lost_total;
    }

    /// Returns the last batch written.
    pub(super) const fn position(&self) -> Position {
        Position { lane: Lane::History, epoch: self.epoch, sequence: (self.next - 1).saturating_sub(self.base) }
    }

    /// Returns the sequence before the oldest batch kept.
    pub(super) const fn before_first(&self) -> u64 {
        (self.first - 1).saturating_sub(self.base)
    }

    /// Returns how many batches are kept.
    pub(super) const fn waiting(&self) -> u64 {
        self.next - self.first
    }

    /// Returns the bytes of the batches kept.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
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
                let one = Lost { batches: 0, items: 1, first_ms: item.time.unix_ms(), last_ms: item.time.unix_ms() };
                self.lost.add(one);
                self.lost_total.add(one);
            }
        }
    }

    /// Returns whether items wait that should not wait longer.
    pub(super) fn is_due(&self, now: &Clocks) -> bool {
        self.is_full() || (!self.open.is_empty() && now.boot_ms.saturating_sub(self.open_since_ms) >= CLOSE_AGE_MS)
    }

    /// Returns whether a batch is full.
    pub(super) const fn is_full(&self) -> bool {
        self.open_bytes >= CLOSE_BYTES || self.open.len() >= CLOSE_ITEMS
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
        if self.bytes < wanted.saturating_add(MATTERS_BYTES) {
            return Ok(false);
        }
        let until = self.bytes - wanted;
        while self.bytes > until && self.first < self.next {
            self.drop_first(store)?;
        }
        store.sync()?;
        Ok(true)
    }

    fn close_within(&mut self, store: &Store, now: &Clocks, purpose: Purpose) -> Result<(), SpoolError> {
        let mut messages = Vec::new();
        self.closing.clear();
        let written = self.write_batches(store, now, purpose, &mut messages);
        let flushed = if messages.is_empty() { Ok(()) } else { store.sync() };
        if flushed.is_ok() {
            // One that failed halfway stays among those that are being written.
            let items: usize = self.closing.drain(..messages.len()).sum();
            self.open.drain(..items.min(self.open.len()));
            for (message, bytes) in messages {
                self.recent.push_back((self.next, message));
                self.next += 1;
                self.bytes += bytes;
            }
            self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        }
        self.open_bytes = self.open.iter().map(codec::history_size).sum();
        written.and(flushed)
    }

    /// Writes the items that wait as batches, which are kept in `messages` with their sizes.
    fn write_batches(
        &mut self,
        store: &Store,
        now: &Clocks,
        purpose: Purpose,
        messages: &mut Vec<(v1::Batch, u64)>,
    ) -> Result<(), SpoolError> {
        let mut rest = std::mem::take(&mut self.open);
        let (mut number, mut written) = (self.next, Ok(()));
        while !rest.is_empty() && written.is_ok() {
            let later = rest.split_off(batch_len(&rest).min(rest.len()));
            let (items, message) = history_message(rest, now);
            rest = later;
            let (bytes, count) = (message.encode_to_vec(), items.len());
            self.open.extend(items);
            let mut writes = Writes::default();
            if self.tells_lost && rest.is_empty() {
                writes.bind();
                writes.remove(keys::LOST);
            }
            writes.put_parts(&keys::history(number), &bytes);
            number += 1;
            writes.put(keys::HISTORY_LANE, self.encode_meta(self.base, number));
            self.closing.push(count);
            written = store.apply(writes, purpose);
            if written.is_ok() {
                messages.push((message, bytes.len() as u64));
            }
        }
        self.open.extend(rest);
        written
    }

    /// Returns a batch of this epoch, ready to be sent.
    pub(super) fn batch(&mut self, store: &Store, sequence: u64) -> Result<Option<v1::Batch>, SpoolError> {
        let number = self.base + sequence;
        if number < self.first || number >= self.next {
            return Ok(None);
        }
        let position = Position { lane: Lane::History, epoch: self.epoch, sequence };
        // Whoever asks for it again has lost its line, and the disk has it.
        let recent = self.recent.iter().position(|(recent, _)| *recent == number);
        let batch = match recent.and_then(|place| self.recent.remove(place)) {
            Some((_, batch)) => Some(batch),
            None => decode(&store.get_parts(&keys::history(number))?),
        };
        Ok(batch.map(|batch| v1::Batch { position: Some((&position).into()), ..batch }))
    }

    /// Forgets the batches up to this sequence of this epoch: the centre has them.
    pub(super) fn acknowledge(&mut self, store: &Store, sequence: u64) -> Result<(), SpoolError> {
        let last = self.base.saturating_add(sequence).min(self.next - 1);
        while self.first <= last {
            self.remove_first(store, Writes::default())?;
        }
        Ok(())
    }

    /// Begins another epoch with the oldest batch kept as its first.
    pub(super) fn renew(&mut self, store: &Store, epoch: u64) -> Result<(), SpoolError> {
        let (before, base) = (self.epoch, self.first - 1);
        self.epoch = epoch;
        let mut writes = Writes::default();
        writes.put(keys::HISTORY_LANE, self.encode_meta(base, self.next));
        if let Err(error) = store.apply(writes, Purpose::BookKeeping).and_then(|()| store.sync()) {
            self.epoch = before;
            return Err(error);
        }
        self.base = base;
        Ok(())
    }

    /// Returns the bytes of a batch that was refused, and is the oldest then. It stays until it is
    /// [acknowledged](Self::acknowledge).
    pub(super) fn refused(&mut self, store: &Store, sequence: u64) -> Result<Option<Vec<u8>>, SpoolError> {
        let number = self.base.saturating_add(sequence);
        if number < self.first || number >= self.next {
            return Ok(None);
        }
        // What stands before a refused batch was committed.
        self.acknowledge(store, sequence - 1)?;
        store.get_parts(&keys::history(number)).map(Some)
    }

    /// Drops what the caps do not allow. Returns whether something was.
    pub(super) fn enforce(&mut self, store: &Store, caps: Caps, now: &Clocks) -> Result<bool, SpoolError> {
        let mut dropped = false;
        while self.first < self.next && self.first_age_ms(store, now)? > caps.age_ms {
            self.drop_first(store)?;
            dropped = true;
        }
        self.tighten(store.disk_bytes(), caps.disk_bytes);
        while self.limit.is_some_and(|limit| self.bytes > limit) && self.first < self.next {
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
            let tighter = percent(self.limit.unwrap_or(self.bytes), 90).max(percent(cap, FLOOR_PERCENT));
            self.limit = Some(tighter);
            self.disk = disk;
        }
    }

    /// Returns the age of the oldest batch, in milliseconds. Across boots only plausible wall clocks are compared, so that a
    /// clock that was wrong and is put right costs no history.
    fn first_age_ms(&self, store: &Store, now: &Clocks) -> Result<u64, SpoolError> {
        let bytes = store.get_parts(&keys::history(self.first))?;
        let Some(clocks) = decode(&bytes).and_then(|batch| Clocks::try_from(batch.clocks?).ok()) else {
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
        let cost =
            decode(&store.get_parts(&keys::history(self.first))?).as_ref().map_or_else(Lost::unreadable, Lost::of);
        let mut lost = self.lost;
        lost.add(cost);
        let mut writes = Writes::together();
        writes.put(keys::LOST, lost.encode());
        self.remove_first(store, writes)?;
        self.lost = lost;
        self.lost_total.add(cost);
        Ok(())
    }

    /// Removes the oldest batch, behind what else is written with it.
    fn remove_first(&mut self, store: &Store, mut writes: Writes) -> Result<(), SpoolError> {
        let mut bytes = 0;
        for item in store.scan(&keys::history(self.first)) {
            let (key, value) = item?;
            bytes += value.len() as u64;
            writes.remove(key);
        }
        store.apply(writes, Purpose::BookKeeping)?;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.recent.retain(|(number, _)| *number != self.first);
        self.first += 1;
        Ok(())
    }

    /// Turns what was lost into an event among the items that wait.
    pub(super) fn report_lost(&mut self, store: &Store, now: &Clocks) -> Result<(), SpoolError> {
        let lost = self.lost;
        if lost == Lost::default() {
            return Ok(());
        }
        // The event is a batch of its own, so that whoever finds it finds the loss told.
        self.close(store, now)?;
        let event = Event {
            kind: EventKind::HistoryLost,
            subject: Lane::History.name().to_owned(),
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
            Ok(()) => self.lost = Lost::default(),
            // It is made anew.
            Err(_) => _ = self.open.pop(),
        }
        closed
    }

    /// Returns the lane's numbers as they are on disk.
    pub(super) fn meta(&self) -> Vec<u8> {
        self.encode_meta(self.base, self.next)
    }

    fn encode_meta(&self, base: u64, next: u64) -> Vec<u8> {
        [self.epoch, base, next].map(u64::to_be_bytes).concat()
    }
}

impl Lost {
    fn of(batch: &v1::Batch) -> Self {
        let closed = batch.clocks.as_ref().map_or(0, |clocks| clocks.wall_ms);
        let time = |group: &v1::HistoryGroup| closed - i64::try_from(group.age_ms).unwrap_or(0);
        let items = |group: &v1::HistoryGroup| {
            group.interfaces.len()
                + group.devices.len()
                + group.traffic.len()
                + group.captures.len()
                + group.events.len()
        };
        Self {
            batches: 1,
            items: batch.history.iter().map(items).sum::<usize>() as u64,
            first_ms: batch.history.iter().map(time).min().unwrap_or(closed),
            last_ms: batch.history.iter().map(time).max().unwrap_or(closed),
        }
    }

    /// Returns what an unreadable batch counts as.
    const fn unreadable() -> Self {
        Self { batches: 1, items: 0, first_ms: i64::MAX, last_ms: 0 }
    }

    fn add(&mut self, more: Self) {
        let nothing_yet = self.batches == 0 && self.items == 0;
        self.batches += more.batches;
        self.items += more.items;
        self.first_ms = if nothing_yet { more.first_ms } else { self.first_ms.min(more.first_ms) };
        self.last_ms = self.last_ms.max(more.last_ms);
    }

    /// Says in words what was lost.
    pub(super) fn describe(&self) -> String {
        let (first, last) = (Timestamp::from_unix_ms(self.first_ms), Timestamp::from_unix_ms(self.last_ms));
        format!(
            "{} samples and events of {first} to {last} were dropped by the spool's age or byte cap: restore the line to the \
             centre sooner, or raise the cap",
            self.items
        )
    }

    fn encode(self) -> Vec<u8> {
        let times = [self.first_ms, self.last_ms].map(i64::to_be_bytes).concat();
        [[self.batches, self.items].map(u64::to_be_bytes).concat(), times].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let [batches, items, first, last] = numbers::<4>(bytes)?;
        Some(Self { batches, items, first_ms: first.cast_signed(), last_ms: last.cast_signed() })
    }
}

/// Returns items as they are sent, and the items again. The position is put in when the batch is sent.
fn history_message(items: Vec<HistoryItem>, now: &Clocks) -> (Vec<HistoryItem>, v1::Batch) {
    let position = Position { lane: Lane::History, epoch: 0, sequence: 0 };
    let batch = Batch { position, clocks: *now, content: Content::History(items) };
    let message = v1::Batch { position: None, ..v1::Batch::from(&batch) };
    let Content::History(items) = batch.content else { return (Vec::new(), message) };
    (items, message)
}

/// Removes what is left of a write that was interrupted: the parts of batches from this number on, and, of the oldest batch, parts
/// without the first, which goes first.
fn remove_parts(store: &Store, next: u64) -> Result<(), SpoolError> {
    let mut writes = Writes::default();
    for key in store.keys(keys::history(next)..vec![keys::HISTORY + 1]) {
        writes.remove(key?);
    }
    let first = store.first_key(keys::HISTORY)?.filter(|key| !keys::is_first_part(key));
    if let Some(number) = first.and_then(|key| keys::parse_history(&key)) {
        store.remove_all(&keys::history(number), &mut writes)?;
    }
    store.apply(writes, Purpose::Start)
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
