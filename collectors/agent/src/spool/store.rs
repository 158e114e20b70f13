//! The one file that names sled: a tree of bytes with ordered writes, atomic batches, flushes, and a watch on the disk's free
//! space.
//!
//! Invariants: what [`Store::flush`] returned for is on disk. Of what was applied since, a process that is killed leaves the first
//! so many writes and none behind them, since sled numbers what it logs and, opening again, reads no further than the first
//! gap: so each lot of writes is in an order of which any beginning is right, or else bound together. The disk is never filled to
//! the last byte: writes are refused while less than a reserve is free, the spool's own book-keeping later than observations,
//! because an acknowledgement must still be able to free space.
//!
//! Pages that observations change are held back until somebody flushes, at most [`HELD_MAX`]: mostly the batch that takes what was
//! observed changes the same pages a moment later, and then each is written once. What is held back is read as if it were
//! written. Pages are independent of each other, so that a process that is killed may lose any of them as of the last flush; what moves
//! facts from one page to another, or takes a page away, is bound, and never held back.
//!
//! History is beside the tree, in the files of `journal.rs`.
//!
//! After an error of the disk sled refuses everything until it is opened again; the owner does that and reads anew.

use std::{
    collections::BTreeMap,
    ops::Range,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{SpoolError, keys};
use crate::disk::{folder_bytes, free_bytes};

/// Memory for pages, at most. The spool of a county is a few hundred kilobytes; that of three hundred switches with their tables fits, and
/// where it does not each page that is looked at is read from its file and taken apart. sled parts it among 256 shards, each
/// of which has to hold some leaves of 16 KiB.
const CACHE_BYTES: u64 = 16 << 20;
/// How often sled flushes by itself what nobody waits for, in milliseconds: touches of facts.
const FLUSH_MS: u64 = 2_000;
/// A value's size limit: sled rewrites whole leaves of sixteen values.
pub(super) const PART_BYTES: usize = 2_048;
/// Free space below which observations are refused.
const RESERVE_BYTES: u64 = 4 << 20;
/// Free space below which everything is refused but what an agent needs to start.
const LAST_RESERVE_BYTES: u64 = 2 << 20;
/// Free space below which not even that is written. sled writes what it was given half a megabyte at a time, so that less may be
/// free than when it was asked.
const START_RESERVE_BYTES: u64 = 1 << 20;
/// How many pages are held back at most, two megabytes: as many as change between two batches where sixty switches are read at once.
const HELD_MAX: usize = 2_048;
/// How often, and with which pause, opening is tried again: a process that was told to end may take a moment.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// How often, with that pause, a folder that is closed is looked at: half a minute, for a slow disk that is synchronised.
const CLOSE_TRIES: usize = 600;
/// Name of the tree's folder within the spool's.
const FOLDER: &str = "sled";
/// Name of the file in it that sled locks.
const FILE: &str = "db";

/// Who writes: it decides how much free space must remain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Something new is kept.
    Observation,
    /// Acknowledgements, positions, conditions: small, and the way out of a full disk.
    BookKeeping,
    /// What has to be on disk before a spool that was opened can be used: an agent starts on whatever disk it ran on.
    Start,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    db: sled::Db,
    /// Pages that were applied and are not written yet: their values, or that they are gone.
    held: Mutex<BTreeMap<sled::IVec, Option<sled::IVec>>>,
    /// After `db`, so that it is dropped after it.
    _closing: Closing,
    /// What was applied, in the steps between which a process may be killed.
    #[cfg(test)]
    pub(super) steps: Steps,
}

/// A step between which and the next a process may be killed.
#[cfg(test)]
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Changes of the tree, all of them.
    Tree(Vec<Change>),
    /// What is done to the journal.
    File(FileStep),
}

/// What is done to a file of the journal, by its order. What is appended may be cut anywhere.
#[cfg(test)]
#[derive(Debug, Clone)]
pub(super) enum FileStep {
    Append(u64, Vec<u8>),
    Remove(u64),
}

/// The steps so far, of tree and journal.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(super) struct Steps(std::sync::Arc<Mutex<Vec<Step>>>);

#[cfg(test)]
impl Steps {
    pub(super) fn push(&self, step: Step) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    pub(super) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits, when it is dropped, until this process has let go of sled's file, whose lock would refuse the next opening: threads
/// of sled's still synchronise it for a moment after the last handle is gone, on a slow or busy machine for seconds.
#[derive(Debug)]
struct Closing(PathBuf);

/// What a key has from now on: a value, or none.
pub(super) type Change = (sled::IVec, Option<sled::IVec>);

/// Changes of the tree, in their order.
#[derive(Debug, Default)]
pub(super) struct Writes {
    changes: Vec<Change>,
    /// Whether the first ones without the rest would be wrong.
    inseparable: bool,
}

/// A value as the tree has it.
pub(super) type Value = sled::IVec;

impl Writes {
    /// Returns no changes yet, of which all happen or none.
    pub(super) fn together() -> Self {
        Self { changes: Vec::new(), inseparable: true }
    }

    /// Makes all of them happen or none, from now on.
    pub(super) const fn bind(&mut self) {
        self.inseparable = true;
    }

    pub(super) fn put(&mut self, key: impl Into<sled::IVec>, value: impl Into<sled::IVec>) {
        self.changes.push((key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, key: impl Into<sled::IVec>) {
        self.changes.push((key.into(), None));
    }

    /// Puts a value of any length, in parts.
    pub(super) fn put_parts(&mut self, prefix: &[u8], value: &[u8]) -> u16 {
        let mut parts = 0;
        for chunk in value.chunks(PART_BYTES) {
            self.put(super::keys::part(prefix, parts), chunk);
            parts += 1;
        }
        parts
    }

    pub(super) const fn len(&self) -> usize {
        self.changes.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Store {
    /// Opens the tree in `folder`, made where it does not exist.
    pub(super) fn open(folder: &Path) -> Result<Self, SpoolError> {
        let failed = |source: sled::Error| match &source {
            // sled reports a lock that another process holds as an I/O error of this text.
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
                SpoolError::InUse { folder: folder.to_owned() }
            }
            _ => SpoolError::Open { folder: folder.to_owned(), source: Box::new(source) },
        };
        let path = folder.join(FOLDER);
        std::fs::create_dir_all(&path).map_err(|error| failed(error.into()))?;
        // A disk that the spool itself has filled is one that it can empty, once it is open.
        check_space(folder, Purpose::Start)?;
        let config = sled::Config::new().path(&path).cache_capacity(CACHE_BYTES).mode(sled::Mode::LowSpace);
        let db = open_patiently(&config.flush_every_ms(Some(FLUSH_MS))).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            db,
            held: Mutex::default(),
            _closing: Closing(path.join(FILE)),
            #[cfg(test)]
            steps: Steps::default(),
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Value>, SpoolError> {
        if let Some(value) = self.held().get(key) {
            return Ok(value.clone());
        }
        self.db.get(key).map_err(|source| self.failed(source))
    }

    /// Returns the keys with this prefix and their values, in order.
    pub(super) fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), SpoolError>> + '_ {
        let unwritten = self.write_out_for(prefix).err().map(Err);
        let found = self.db.scan_prefix(prefix).map(|item| match item {
            Ok((key, value)) => Ok((key.to_vec(), value.to_vec())),
            Err(source) => Err(self.failed(source)),
        });
        unwritten.into_iter().chain(found)
    }

    /// Returns the keys of a range, in order.
    pub(super) fn keys(&self, range: Range<Vec<u8>>) -> impl Iterator<Item = Result<Vec<u8>, SpoolError>> + '_ {
        let unwritten = self.write_out_for(&range.start).err().map(Err);
        let found = self.db.range(range).keys().map(|key| match key {
            Ok(key) => Ok(key.to_vec()),
            Err(source) => Err(self.failed(source)),
        });
        unwritten.into_iter().chain(found)
    }

    /// Returns the first key of this kind.
    #[cfg(test)]
    pub(super) fn first_key(&self, kind: u8) -> Result<Option<Vec<u8>>, SpoolError> {
        let first = self.db.scan_prefix([kind]).keys().next().transpose();
        first.map(|key| key.map(|key| key.to_vec())).map_err(|source| self.failed(source))
    }

    /// Returns a value that was put in parts, empty where there is none.
    pub(super) fn get_parts(&self, prefix: &[u8]) -> Result<Vec<u8>, SpoolError> {
        let mut value = Vec::new();
        for item in self.scan(prefix) {
            value.extend_from_slice(&item?.1);
        }
        Ok(value)
    }

    /// Adds the removal of all keys with this prefix to `writes`.
    pub(super) fn remove_all(&self, prefix: &[u8], writes: &mut Writes) -> Result<(), SpoolError> {
        for item in self.scan(prefix) {
            writes.remove(item?.0);
        }
        Ok(())
    }

    /// Applies the writes, which are on disk after the next [`flush`](Self::flush). When the process is killed before, the first
    /// so many of them are there: those that are inseparable all or none. Only those are written as a batch of sled's, which
    /// writes its log out twice and wakes a thread each time.
    pub(super) fn apply(&self, writes: Writes, purpose: Purpose) -> Result<(), SpoolError> {
        if writes.is_empty() {
            return Ok(());
        }
        check_space(&self.folder, purpose)?;
        let bound = writes.inseparable && writes.len() > 1;
        let are_pages = || writes.changes.iter().all(|(key, _)| key.first() == Some(&keys::PAGE));
        let mut held = self.held();
        if purpose == Purpose::Observation && !bound && are_pages() {
            held.extend(writes.changes);
            return if held.len() > HELD_MAX { self.write_all(std::mem::take(&mut *held)) } else { Ok(()) };
        }
        // What is written now is newer.
        writes.changes.iter().for_each(|(key, _)| _ = held.remove(key));
        drop(held);
        if bound { self.apply_together(writes.changes) } else { self.write_all(writes.changes) }
    }

    /// Writes what is held back, if it may be among what begins with this.
    fn write_out_for(&self, prefix: &[u8]) -> Result<(), SpoolError> {
        if prefix.first().is_none_or(|kind| *kind == keys::PAGE) { self.write_out() } else { Ok(()) }
    }

    /// Writes what is held back; it is on disk after the next [`flush`](Self::flush).
    pub(super) fn write_out(&self) -> Result<(), SpoolError> {
        let held = std::mem::take(&mut *self.held());
        self.write_all(held)
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<sled::IVec, Option<sled::IVec>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, changes: impl IntoIterator<Item = Change>) -> Result<(), SpoolError> {
        for (key, value) in changes {
            #[cfg(test)]
            self.note(vec![(key.clone(), value.clone())]);
            let applied = match value {
                Some(value) => self.db.insert(key, value),
                None => self.db.remove(key),
            };
            applied.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    fn apply_together(&self, changes: Vec<Change>) -> Result<(), SpoolError> {
        #[cfg(test)]
        self.note(changes.clone());
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(|source| self.failed(source))
    }

    #[cfg(test)]
    fn note(&self, step: Vec<Change>) {
        self.steps.push(Step::Tree(step));
    }

    /// Returns when everything applied so far is on disk.
    pub(super) fn flush(&self) -> Result<(), SpoolError> {
        self.write_out()?;
        self.sync()
    }

    /// Returns when everything applied so far is on disk but the pages that are held back.
    pub(super) fn sync(&self) -> Result<(), SpoolError> {
        self.db.flush().map(drop).map_err(|source| self.failed(source))
    }

    /// Returns the spool's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Refuses what the disk has no room for.
    pub(super) fn check(&self, purpose: Purpose) -> Result<(), SpoolError> {
        check_space(&self.folder, purpose)
    }

    /// Returns whether the disk takes observations.
    pub(super) fn has_space(&self) -> bool {
        check_space(&self.folder, Purpose::Observation).is_ok()
    }

    /// Returns how large the spool's folder, which takes so many bytes now, may grow before it alone fills the disk.
    pub(super) fn room(&self, taken: u64) -> u64 {
        taken.saturating_add(free_bytes(&self.folder).saturating_sub(2 * RESERVE_BYTES))
    }

    /// Returns what the spool's folder takes on disk, in bytes.
    pub(super) fn disk_bytes(&self) -> u64 {
        folder_bytes(&self.folder)
    }

    /// Returns the error of a file beside the tree.
    pub(super) fn failed_io(&self, error: std::io::Error) -> SpoolError {
        self.failed(error.into())
    }

    fn failed(&self, source: sled::Error) -> SpoolError {
        SpoolError::Disk { folder: self.folder.clone(), source: Box::new(source) }
    }
}

impl Drop for Store {
    /// Writes what is held back, where the disk still takes it: whoever wanted to be sure has flushed.
    fn drop(&mut self) {
        if let Err(error) = self.write_out() {
            tracing::debug!(%error, "what was observed last is not kept");
        }
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        for _ in 0..CLOSE_TRIES {
            if !is_open_here(&self.0) {
                return;
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        tracing::warn!(file = %self.0.display(), "the spool's file is still being written, although it was closed");
    }
}

/// Returns whether this process has a file open. Where the system does not tell, it has not.
fn is_open_here(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(file), Ok(open)) = (std::fs::metadata(file), std::fs::read_dir("/proc/self/fd")) else { return false };
    open.flatten()
        .filter_map(|entry| std::fs::metadata(entry.path()).ok())
        .any(|other| (other.dev(), other.ino()) == (file.dev(), file.ino()))
}

/// Opens the tree, which another process may still have locked that is about to end.
fn open_patiently(config: &sled::Config) -> sled::Result<sled::Db> {
    for _ in 0..LOCK_TRIES {
        match open_tree(config) {
            Err(sled::Error::Io(_)) => std::thread::sleep(LOCK_PAUSE),
            result => return result,
        }
    }
    open_tree(config)
}

/// Opens the tree. Files that do not fit together let sled panic: that is damage too.
fn open_tree(config: &sled::Config) -> sled::Result<sled::Db> {
    let opened = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    opened.unwrap_or(Err(sled::Error::Corruption { at: None, bt: () }))
}

fn check_space(folder: &Path, purpose: Purpose) -> Result<(), SpoolError> {
    let needed = match purpose {
        Purpose::Observation => RESERVE_BYTES,
        Purpose::BookKeeping => LAST_RESERVE_BYTES,
        Purpose::Start => START_RESERVE_BYTES,
    };
    let free = free_bytes(folder);
    if free < needed { Err(SpoolError::DiskFull { folder: folder.to_owned(), free, needed }) } else { Ok(()) }
}
