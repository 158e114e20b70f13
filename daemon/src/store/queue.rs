//! What waits for remote write: which batches of samples nobody who keeps series has taken yet.
//!
//! Invariant: a batch waits from the moment at which it is committed, in the same atomic batch as its samples, until it is taken
//! out. A process that is killed loses nothing; what was sent and not yet taken out is sent again, and says the same. Only one
//! task takes out, and from the front. An entry names rows of samples and does not hold them: what expired meanwhile is counted.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use onenet_topology::Timestamp;

use super::{Store, StoreError, keys, samples};
use crate::estate::SampleBlock;

/// Entries that [`Queue::front`] returns at most: those of a few seconds of the nation.
const ENTRIES_MAX: usize = 512;
/// Entries that are removed at once, so that commits do not wait for long.
const REMOVED_AT_ONCE: usize = 4_096;

/// The queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    store: Store,
    waiting: Arc<AtomicU64>,
}

/// A batch that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The position of its record.
    pub position: u64,
    /// What it measured.
    pub blocks: Vec<SampleBlock>,
    /// Rows of it that expired, or cannot be read.
    pub lost_rows: u64,
}

/// Adds the entry of a batch: when it is committed, and the keys of its rows.
pub(super) fn write(batch: &mut sled::Batch, position: u64, time: Timestamp, rows: &BTreeSet<Vec<u8>>) {
    let mut entry = time.unix_ms().to_be_bytes().to_vec();
    for key in rows {
        // Scopes are far shorter than this.
        let Ok(len) = u16::try_from(key.len()) else { continue };
        entry.extend_from_slice(&len.to_be_bytes());
        entry.extend_from_slice(key);
    }
    batch.insert(keys::queued(position), entry);
}

fn read(entry: &[u8]) -> Option<(Timestamp, Vec<&[u8]>)> {
    let (time, mut rest) = entry.split_first_chunk::<8>()?;
    let mut rows = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let (key, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rows.push(key);
        rest = after;
    }
    Some((Timestamp::from_unix_ms(i64::from_be_bytes(*time)), rows))
}

impl Store {
    /// Makes the store queue what its batches measure from now on; what waited before goes on waiting.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn with_queue(mut self) -> Result<Self, StoreError> {
        let mut waiting = 0;
        for row in self.tree.range(keys::queued(0)..=keys::queued(u64::MAX)) {
            row.map_err(|error| self.read_error(error))?;
            waiting += 1;
        }
        self.queued = Some(Arc::new(AtomicU64::new(waiting)));
        Ok(self)
    }

    /// Forgets what waits, where nobody wants it any more. Returns how many batches that were.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn without_queue(&self) -> Result<u64, StoreError> {
        self.remove_queued(u64::MAX, usize::MAX)
    }

    /// Returns the queue, where the store has one.
    pub fn queue(&self) -> Option<Queue> {
        self.queued.as_ref().map(|waiting| Queue { store: self.clone(), waiting: Arc::clone(waiting) })
    }

    /// Removes entries up to a position, `count` at most, from the front.
    fn remove_queued(&self, through: u64, count: usize) -> Result<u64, StoreError> {
        let mut removed = 0_usize;
        loop {
            let mut batch = sled::Batch::default();
            let front = self.tree.range(keys::queued(0)..=keys::queued(through));
            let mut taken = 0_usize;
            for row in front.take(REMOVED_AT_ONCE.min(count.saturating_sub(removed))) {
                let (key, _) = row.map_err(|error| self.read_error(error))?;
                batch.remove(key);
                taken += 1;
            }
            if taken == 0 {
                return Ok(u64::try_from(removed).unwrap_or(u64::MAX));
            }
            self.apply(batch)?;
            removed += taken;
        }
    }
}

impl Queue {
    /// Returns how many batches wait.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Returns when the batch was committed that waits longest.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn oldest(&self) -> Result<Option<Timestamp>, StoreError> {
        let first = self.store.tree.range(keys::queued(0)..=keys::queued(u64::MAX)).next();
        let first = first.transpose().map_err(|error| self.store.read_error(error))?;
        Ok(first.and_then(|(_, entry)| read(&entry).map(|(time, _)| time)))
    }

    /// Returns batches from the front, none behind the position `until`, until they have some `samples` or are many.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn front(&self, until: u64, samples: usize) -> Result<Vec<Waiting>, StoreError> {
        let mut found = Vec::new();
        let mut count = 0;
        for row in self.store.tree.range(keys::queued(0)..=keys::queued(until)) {
            let (key, entry) = row.map_err(|error| self.store.read_error(error))?;
            let waiting = self.resolve(&key, &entry)?;
            count += waiting.blocks.iter().map(|block| block.items.len()).sum::<usize>();
            found.push(waiting);
            if count >= samples || found.len() >= ENTRIES_MAX {
                break;
            }
        }
        Ok(found)
    }

    fn resolve(&self, key: &[u8], entry: &[u8]) -> Result<Waiting, StoreError> {
        let damaged = || self.store.damaged(key, "the entry of the queue is cut short".to_owned());
        let position = keys::queued_position(key).ok_or_else(damaged)?;
        let (_, rows) = read(entry).ok_or_else(damaged)?;
        let mut waiting = Waiting { position, blocks: Vec::with_capacity(rows.len()), lost_rows: 0 };
        let found = self.store.samples.find(position, &rows).map_err(|error| self.store.samples_error(error))?;
        for (key, row) in rows.into_iter().zip(found) {
            match row.map(|row| samples::block(key, &row)) {
                Some(Ok(block)) => waiting.blocks.push(block),
                Some(Err(problem)) => {
                    // It is damaged for good: what is behind it goes on.
                    tracing::warn!(key = keys::readable(key), problem, "a row of samples cannot be sent");
                    waiting.lost_rows += 1;
                }
                None => waiting.lost_rows += 1,
            }
        }
        Ok(waiting)
    }

    /// Takes out all batches up to a position.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn take_out(&self, through: u64) -> Result<(), StoreError> {
        self.removed(self.store.remove_queued(through, usize::MAX)?);
        Ok(())
    }

    /// Drops the oldest batches where more than `max` wait. Returns how many.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn trim(&self, max: u64) -> Result<u64, StoreError> {
        let over = self.waiting().saturating_sub(max);
        let dropped = self.store.remove_queued(u64::MAX, usize::try_from(over).unwrap_or(usize::MAX))?;
        self.removed(dropped);
        Ok(dropped)
    }

    fn removed(&self, count: u64) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }
}
