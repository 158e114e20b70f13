//! The files of samples, in the folder `samples` of the store: logs that samples are added to, and sealed files, which are sorted and
//! packed.
//!
//! sled would take 17 bytes of memory for each row and half a kilobyte of disk; a day of the country is some thirty million rows, and thirty days are kept. A file takes
//! half a kilobyte of memory.
//!
//! Invariant: samples are on disk before the state says that they were taken in, and found from then on. A sealed file
//! never changes: it goes as a whole, once all in it was committed too long ago. What is the same in two files counts once.
//!
//! The last log is written. The one before it is kept as it is, so that whoever asks for the last minutes finds them by an index in memory. Older ones are
//! sealed, one after the other, by a thread that ends with the last of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use arc_swap::ArcSwap;
use onenet_topology::Timestamp;

use super::{
    log::{Extent, Filed, Frames, Log, Place},
    segment::Segment,
};
use crate::store::keys;

/// How long a log is written, by the time of what is committed.
const LOG_MS: i64 = 10 * 60_000;
/// Bytes after which a log ends all the same: places in it are numbers of 32 bits.
const LOG_BYTES_MAX: usize = 512 << 20;
/// Logs that are not sealed: the one that is written, and the one before it.
const OPEN_LOGS: usize = 2;

/// A row: its key and value.
type Row = (Vec<u8>, Vec<u8>);

/// The files of a store. The last owner waits for the thread that seals.
#[derive(Debug)]
pub(in crate::store) struct SampleFiles {
    shared: Arc<Shared>,
    sealer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    held: ArcSwap<Held>,
}

/// Which files there are, the oldest first.
#[derive(Debug, Clone, Default)]
struct Held {
    logs: Vec<Arc<Log>>,
    sealed: BTreeMap<u64, Arc<Segment>>,
}

impl Held {
    fn next_generation(&self) -> u64 {
        let sealed = self.sealed.last_key_value().map(|(generation, _)| *generation);
        self.logs.last().map(|log| log.generation).max(sealed).map_or(0, |last| last + 1)
    }
}

impl Drop for SampleFiles {
    fn drop(&mut self) {
        let sealer = self.sealer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if sealer.is_some_and(|sealer| sealer.join().is_err()) {
            tracing::error!("the thread that seals files of samples panicked");
        }
    }
}

impl SampleFiles {
    /// Opens the files in `folder`, which is made. Of the logs counts what is of records up to the position `committed`. A sealed file that
    /// cannot be read is set aside, and said in the log: the rest goes on without it.
    pub(in crate::store) fn open(folder: PathBuf, committed: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut held = Held::default();
        for generation in generations(&folder, "samples")? {
            match Segment::open(&folder, generation) {
                Ok(segment) => drop(held.sealed.insert(generation, Arc::new(segment))),
                Err(error) => set_aside(&Segment::path(&folder, generation), &error)?,
            }
        }
        for generation in generations(&folder, "log")? {
            if held.sealed.contains_key(&generation) {
                // Sealed, and killed before it was taken away.
                fs::remove_file(Log::path(&folder, generation))?;
            } else {
                held.logs.push(Arc::new(Log::open(&folder, generation, committed)?));
            }
        }
        let shared = Arc::new(Shared { folder, held: ArcSwap::from_pointee(held) });
        let files = Self { shared, sealer: Mutex::new(None) };
        files.seal();
        Ok(files)
    }

    /// Writes batches, and returns the log when they are on disk. They are found once they are [published](Log::publish) there.
    pub(in crate::store) fn write(&self, frames: &Frames) -> io::Result<Arc<Log>> {
        let log = match self.shared.held.load().logs.last() {
            Some(log) if has_room(log, frames) => Arc::clone(log),
            _ => self.next_log()?,
        };
        log.write(frames)?;
        Ok(log)
    }

    fn next_log(&self) -> io::Result<Arc<Log>> {
        let log = Arc::new(Log::create(&self.shared.folder, self.shared.held.load().next_generation())?);
        self.shared.change(|held| held.logs.push(Arc::clone(&log)));
        self.seal();
        Ok(log)
    }

    /// Seals the logs that nobody writes, in a thread of its own, unless one is at it: what that one did not see is left to the next.
    fn seal(&self) {
        if self.shared.held.load().logs.len() <= OPEN_LOGS {
            return;
        }
        let mut sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner);
        if sealer.as_ref().is_some_and(|sealer| !sealer.is_finished()) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        match thread::Builder::new().name("samples".into()).spawn(move || shared.seal()) {
            Ok(thread) => drop(sealer.replace(thread)),
            Err(error) => tracing::warn!(%error, "no thread to seal files of samples; tried again with the next"),
        }
    }

    /// Waits until all is sealed that is to be.
    #[cfg(test)]
    pub(in crate::store) fn settle(&self) {
        let sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner).take();
        assert!(sealer.is_none_or(|sealer| sealer.join().is_ok()));
    }

    /// Returns how many files there are: logs, and sealed ones.
    #[cfg(test)]
    pub(in crate::store) fn counts(&self) -> (usize, usize) {
        let held = self.shared.held.load();
        (held.logs.len(), held.sealed.len())
    }

    /// Returns the hours among those wanted of which there is something.
    pub(in crate::store) fn hours(&self, wanted: &RangeInclusive<u32>) -> BTreeSet<u32> {
        if wanted.is_empty() {
            return BTreeSet::new();
        }
        let held = self.shared.held.load();
        let bounds = (*wanted.start(), u8::MIN)..=(*wanted.end(), u8::MAX);
        let mut hours = BTreeSet::new();
        let mut add = |filed: &Filed| hours.extend(filed.range(bounds.clone()).map(|(hour, _)| *hour));
        held.sealed.values().for_each(|it| add(&it.extent.filed));
        held.logs.iter().for_each(|log| add(&log.extent().filed));
        hours
    }

    /// Returns the rows of a site, hour, scope and kind, in the order of time.
    pub(in crate::store) fn rows(&self, prefix: &[u8]) -> io::Result<Vec<Row>> {
        let held = self.shared.held.load_full();
        let mut rows = sealed_rows(&held, prefix, |_| true)?;
        for log in &held.logs {
            for place in log.places(prefix) {
                rows.push(log.row(place)?);
            }
        }
        rows.sort();
        rows.dedup_by(|second, first| second.0 == first.0);
        Ok(rows)
    }

    /// Returns of the rows of a site, hour, scope and kind what `read` makes of those of the last moment for which it makes something. Sealed
    /// files are looked into only where they may have newer ones.
    pub(in crate::store) fn newest<T>(
        &self,
        prefix: &[u8],
        (from, until): (Timestamp, Timestamp),
        mut read: impl FnMut(&[u8], &[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        let held = self.shared.held.load_full();
        let mut places: Vec<(Place, &Arc<Log>)> = Vec::new();
        for log in &held.logs {
            places.extend(log.places(prefix).into_iter().map(|place| (place, log)));
        }
        places.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        let mut newest = Newest { range: (from, until), keys: BTreeSet::new(), time: from, found: Vec::new() };
        let mut moment = None;
        for (place, log) in places {
            if moment.is_some_and(|moment| place.ms < moment) {
                break;
            }
            let (key, value) = log.row(place)?;
            if newest.take(key, &value, &mut read) {
                moment = Some(place.ms);
            }
        }
        let since = newest.time;
        for (key, value) in sealed_rows(&held, prefix, |extent| extent.taken.1 >= since && extent.taken.0 < until)? {
            newest.take(key, &value, &mut read);
        }
        Ok(newest.found)
    }

    /// Returns the values of rows that the record at `position` brought, by their keys; `None` for each that is gone.
    pub(in crate::store) fn find(&self, position: u64, wanted: &[&[u8]]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let held = self.shared.held.load_full();
        let has = |extent: &Extent| (extent.positions.0..=extent.positions.1).contains(&position);
        let mut found = vec![None; wanted.len()];
        for log in held.logs.iter().filter(|log| has(&log.extent())) {
            for (key, found) in wanted.iter().zip(&mut found) {
                let Some((prefix, time)) = keys::samples_prefix(key).zip(keys::taken(key).map(|it| it.0)) else {
                    continue;
                };
                let ms = keys::ms_of_hour(time);
                for place in log.places(prefix).into_iter().filter(|place| place.ms == ms) {
                    let (of, value) = log.row(place)?;
                    if of == **key {
                        *found = Some(value);
                    }
                }
            }
        }
        for segment in held.sealed.values().filter(|it| has(&it.extent)) {
            let Some(mut reader) = named(segment, segment.reader())? else { continue };
            for (key, found) in wanted.iter().zip(&mut found) {
                let mut take = |of: &[u8], value: &[u8]| {
                    if of == *key {
                        *found = Some(value.to_vec());
                    }
                };
                named(segment, reader.rows(key, &mut take))?;
            }
        }
        Ok(found)
    }

    /// Hands over every row, file by file, until `each` fails.
    pub(in crate::store) fn each_row<E>(
        &self,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> io::Result<Result<(), E>> {
        let held = self.shared.held.load_full();
        for segment in held.sealed.values() {
            let Some(mut reader) = named(segment, segment.reader())? else { continue };
            let mut result = Ok(());
            let mut take = |key: &[u8], value: &[u8]| {
                if result.is_ok() {
                    result = each(key, value);
                }
            };
            named(segment, reader.rows(&[], &mut take))?;
            if result.is_err() {
                return Ok(result);
            }
        }
        for log in &held.logs {
            for place in log.prefixes().iter().flat_map(|prefix| log.places(prefix)) {
                let (key, value) = log.row(place)?;
                if let Err(error) = each(&key, &value) {
                    return Ok(Err(error));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Takes away the files whose last record was committed before `before`. Returns how many.
    pub(in crate::store) fn expire(&self, before: Timestamp) -> io::Result<usize> {
        let held = self.shared.held.load_full();
        let sealed: Vec<_> = held.sealed.values().filter(|it| it.extent.told < before).collect();
        self.shared.change(|held| held.sealed.retain(|_, it| it.extent.told >= before));
        sealed.iter().try_for_each(|it| it.remove())?;
        Ok(sealed.len())
    }

    /// Returns the size of all files, in bytes.
    pub(in crate::store) fn size(&self) -> u64 {
        let held = self.shared.held.load();
        held.logs.iter().map(|it| it.len() as u64).sum::<u64>() + held.sealed.values().map(|it| it.len).sum::<u64>()
    }
}

/// What was taken last, of the rows that were looked at.
struct Newest<T> {
    range: (Timestamp, Timestamp),
    /// Of what was found: what is in two files counts once.
    keys: BTreeSet<Vec<u8>>,
    time: Timestamp,
    found: Vec<T>,
}

impl<T> Newest<T> {
    /// Looks at a row; returns whether it is of the last moment so far.
    fn take(&mut self, key: Vec<u8>, value: &[u8], read: &mut impl FnMut(&[u8], &[u8]) -> Option<T>) -> bool {
        let Some((time, _)) = keys::taken(&key) else { return false };
        if time < self.time || !(self.range.0..self.range.1).contains(&time) || self.keys.contains(&key) {
            return false;
        }
        let Some(read) = read(&key, value) else { return false };
        if time > self.time {
            self.time = time;
            self.keys.clear();
            self.found.clear();
        }
        self.keys.insert(key);
        self.found.push(read);
        true
    }
}

impl Shared {
    fn change(&self, mut change: impl FnMut(&mut Held)) {
        self.held.rcu(|held| {
            let mut held = Held::clone(held);
            change(&mut held);
            held
        });
    }

    /// Seals the oldest logs until as many are left as stay open.
    fn seal(&self) {
        loop {
            let held = self.held.load_full();
            let Some(log) = held.logs.first().filter(|_| held.logs.len() > OPEN_LOGS) else { return };
            let segment = match Segment::seal(&self.folder, log) {
                Ok(segment) => Arc::new(segment),
                Err(error) => {
                    tracing::warn!(%error, generation = log.generation, "samples were not sealed; tried again in some minutes");
                    return;
                }
            };
            self.change(|held| {
                held.logs.retain(|it| it.generation != segment.generation);
                held.sealed.insert(segment.generation, Arc::clone(&segment));
            });
            if let Err(error) = log.remove() {
                tracing::warn!(%error, generation = log.generation, "samples that are sealed still lie in their log; it goes with the next start");
            }
        }
    }
}

/// Returns whether frames may be added to a log: it is not of ten minutes before theirs, and not too large. What is imported or restored comes in no
/// order of time.
fn has_room(log: &Log, frames: &Frames) -> bool {
    let of = |time: Timestamp| time.unix_ms().div_euclid(LOG_MS);
    log.len() + frames.len() <= LOG_BYTES_MAX && log.begun().is_none_or(|begun| of(begun) >= of(frames.time()))
}

/// Returns the rows of a site, hour, scope and kind in sealed files; only those are read that have such hours and kinds at all.
fn sealed_rows(held: &Held, prefix: &[u8], of: impl Fn(&Extent) -> bool) -> io::Result<Vec<Row>> {
    let filed = keys::filed_under(prefix);
    let has = |extent: &Extent| filed.is_some_and(|filed| extent.filed.contains(&filed));
    let mut rows = Vec::new();
    for segment in held.sealed.values().filter(|it| of(&it.extent) && has(&it.extent)) {
        if let Some(mut reader) = named(segment, segment.reader())? {
            named(segment, reader.rows(prefix, &mut |key, value| rows.push((key.to_vec(), value.to_vec()))))?;
        }
    }
    Ok(rows)
}

/// Names the file in what went wrong with it.
fn named<T>(segment: &Segment, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", segment.file().display())))
}

/// Returns the generations of the files that end so, in order. What was not sealed to the end is taken away.
fn generations(folder: &Path, ending: &str) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let generation = path.file_stem().and_then(OsStr::to_str).and_then(|name| u64::from_str_radix(name, 16).ok());
        match (generation, path.extension().and_then(OsStr::to_str)) {
            (Some(generation), Some(of)) if of == ending => found.push(generation),
            (Some(_), Some("partial")) => fs::remove_file(&path)?,
            _ => {}
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn set_aside(path: &Path, error: &io::Error) -> io::Result<()> {
    tracing::error!(
        path = %path.display(), %error,
        "a file of samples is damaged: it is set aside, and what was measured then is missing; check the disk, and restore a backup if it is needed"
    );
    fs::rename(path, path.with_extension("damaged"))
}
