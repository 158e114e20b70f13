//! The log of samples: each batch is added at its end, and found by an index in memory.
//!
//! Invariant: a frame counts once the store's position has reached that of its record. What lies behind the position when a log is
//! opened was never acknowledged, and is cut off.
//!
//! # Format
//!
//! ```text
//! file  = "onenet samples\x00\x01" frame*
//! frame = length:4 check:8 position:8 time:8 row*    the length, and XXH3, of all that is behind the check; time of the record in
//!                                                    milliseconds since 1970
//! row   = key_len:2 value_len:4 key value            as `store.rs` tells of samples
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use onenet_topology::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::row;
use crate::store::keys;

const MAGIC: &[u8; 16] = b"onenet samples\x00\x01";
/// Bytes of a frame in front of its rows.
const FRAME_HEAD: usize = 28;
/// Bytes of a frame in front of what its check is of.
const UNCHECKED: usize = 12;

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Milliseconds of its hour at which it was taken; at the ends what is filed under an hour that is not its own. First, so that places
    /// sort by it.
    pub(super) ms: u32,
    /// In the file.
    offset: u32,
}

/// Hours, and numbers of kinds, under which rows are filed.
pub(super) type Filed = BTreeSet<(u32, u8)>;

/// What a file is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// Hours and kinds of which there are rows.
    pub(super) filed: Filed,
    /// Positions of the first and the last record.
    pub(super) positions: (u64, u64),
    /// When the oldest and the newest sample were taken.
    pub(super) taken: (Timestamp, Timestamp),
    /// When the last record was committed.
    pub(super) told: Timestamp,
}

impl Default for Extent {
    fn default() -> Self {
        let (least, most) = (Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX));
        Self { filed: Filed::new(), positions: (u64::MAX, 0), taken: (most, least), told: least }
    }
}

/// Batches that are to be added.
#[derive(Debug, Default)]
pub(in crate::store) struct Frames {
    bytes: Vec<u8>,
    time: Timestamp,
}

#[derive(Debug, Default)]
struct Index {
    /// By site, hour, scope and kind.
    places: BTreeMap<Box<[u8]>, Vec<Place>>,
    extent: Extent,
    /// When the first record was committed.
    begun: Option<Timestamp>,
    end: usize,
}

/// A log.
#[derive(Debug)]
pub(in crate::store) struct Log {
    pub(super) generation: u64,
    path: PathBuf,
    file: File,
    index: RwLock<Index>,
}

impl Frames {
    /// Adds the rows of a record, whose time is `time`.
    pub(in crate::store) fn add<'r>(
        &mut self,
        position: u64,
        time: Timestamp,
        rows: impl IntoIterator<Item = (&'r [u8], &'r [u8])>,
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; UNCHECKED]);
        self.bytes.extend_from_slice(&position.to_be_bytes());
        self.bytes.extend_from_slice(&time.unix_ms().to_be_bytes());
        for (key, value) in rows {
            if !row::put(&mut self.bytes, key, value) {
                tracing::error!(key = keys::readable(key), "a row of samples is too large to be kept");
            }
        }
        let Some((head, body)) = self.bytes.get_mut(start..).and_then(|it| it.split_first_chunk_mut::<UNCHECKED>())
        else {
            return;
        };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        head[..4].copy_from_slice(&length.to_be_bytes());
        head[4..].copy_from_slice(&xxh3_64(body).to_be_bytes());
        self.time = time;
    }

    /// Returns whether there is nothing to add.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns how many bytes there are to add.
    pub(in crate::store) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns when the last record was committed.
    pub(super) fn time(&self) -> Timestamp {
        self.time
    }
}

/// A frame that is whole.
struct Frame<'f> {
    position: u64,
    time: Timestamp,
    rows: &'f [u8],
}

impl<'f> Frame<'f> {
    /// Returns the first frame of `bytes`, and how long it is; `None` where there is no whole one.
    fn first(bytes: &'f [u8]) -> Option<(Self, usize)> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (check, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let body = rest.get(..length)?;
        if xxh3_64(body).to_be_bytes() != *check {
            return None;
        }
        let (position, rest) = body.split_first_chunk::<8>()?;
        let (time, rows) = rest.split_first_chunk::<8>()?;
        let time = Timestamp::from_unix_ms(i64::from_be_bytes(*time));
        Some((Self { position: u64::from_be_bytes(*position), time, rows }, UNCHECKED + length))
    }
}

impl Index {
    /// Adds the frames of `bytes`, which lie at the end of what is known, up to the first that is not whole or of a record behind
    /// `committed`.
    fn add(&mut self, mut bytes: &[u8], committed: u64) {
        while let Some((frame, len)) = Frame::first(bytes) {
            if frame.position > committed {
                return;
            }
            self.add_frame(&frame);
            self.end += len;
            bytes = bytes.get(len..).unwrap_or_default();
        }
    }

    fn add_frame(&mut self, frame: &Frame<'_>) {
        self.begun.get_or_insert(frame.time);
        self.extent.told = self.extent.told.max(frame.time);
        let (first, last) = self.extent.positions;
        self.extent.positions = (first.min(frame.position), last.max(frame.position));
        let mut rows = frame.rows;
        while let Some(split) = row::split(rows) {
            let offset = self.end + FRAME_HEAD + (frame.rows.len() - rows.len());
            rows = split.rest;
            let (Some((time, _)), Some(prefix)) = (keys::taken(split.key), keys::samples_prefix(split.key)) else {
                continue;
            };
            let (oldest, newest) = self.extent.taken;
            self.extent.taken = (oldest.min(time), newest.max(time));
            self.extent.filed.extend(keys::filed_under(prefix));
            let place = Place { ms: keys::ms_of_hour(time), offset: u32::try_from(offset).unwrap_or(u32::MAX) };
            match self.places.get_mut(prefix) {
                Some(places) => places.push(place),
                None => drop(self.places.insert(prefix.into(), vec![place])),
            }
        }
    }
}

impl Log {
    /// Returns what a log of a generation is called.
    pub(super) fn path(folder: &Path, generation: u64) -> PathBuf {
        folder.join(format!("{generation:016x}.log"))
    }

    /// Makes an empty one.
    pub(super) fn create(folder: &Path, generation: u64) -> io::Result<Self> {
        let path = Self::path(folder, generation);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        file.write_all_at(MAGIC, 0)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        let index = Index { end: MAGIC.len(), ..Index::default() };
        Ok(Self { generation, path, file, index: RwLock::new(index) })
    }

    /// Opens one, and cuts off what is behind the position `committed`, or was not wholly written.
    pub(super) fn open(folder: &Path, generation: u64, committed: u64) -> io::Result<Self> {
        let path = Self::path(folder, generation);
        let bytes = std::fs::read(&path)?;
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let mut index = Index { end: MAGIC.len(), ..Index::default() };
        match bytes.strip_prefix(MAGIC) {
            Some(frames) => index.add(frames, committed),
            None => file.write_all_at(MAGIC, 0)?,
        }
        let cut = bytes.len().saturating_sub(index.end);
        if cut > 0 {
            tracing::info!(path = %path.display(), bytes = cut, "the end of a log of samples was cut off: what was not acknowledged is sent again");
        }
        file.set_len(index.end as u64)?;
        file.sync_all()?;
        Ok(Self { generation, path, file, index: RwLock::new(index) })
    }

    fn read<T>(&self, of: impl FnOnce(&Index) -> T) -> T {
        of(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes frames at the end, and returns when they are on disk. Nobody finds them before they are [published](Self::publish).
    pub(super) fn write(&self, frames: &Frames) -> io::Result<()> {
        let end = self.read(|index| index.end);
        self.file.write_all_at(&frames.bytes, end as u64)?;
        self.file.sync_data()
    }

    /// Lets frames be found that were written.
    pub(in crate::store) fn publish(&self, frames: &Frames) {
        self.index.write().unwrap_or_else(PoisonError::into_inner).add(&frames.bytes, u64::MAX);
    }

    /// Returns how long the file is, as far as it counts.
    pub(super) fn len(&self) -> usize {
        self.read(|index| index.end)
    }

    /// Returns when the first record was committed; `None` where there is none.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        self.read(|index| index.begun)
    }

    pub(super) fn extent(&self) -> Extent {
        self.read(|index| index.extent.clone())
    }

    /// Returns by which site, hour, scope and kind there is something, in order.
    pub(super) fn prefixes(&self) -> Vec<Box<[u8]>> {
        self.read(|index| index.places.keys().cloned().collect())
    }

    /// Returns where the rows of a site, hour, scope and kind are.
    pub(super) fn places(&self, prefix: &[u8]) -> Vec<Place> {
        self.read(|index| index.places.get(prefix).cloned().unwrap_or_default())
    }

    /// Reads the row at a place: its key and value.
    pub(super) fn row(&self, place: Place) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut head = [0; row::HEAD_BYTES];
        let at = u64::from(place.offset);
        self.file.read_exact_at(&mut head, at)?;
        let (key_len, value_len) = row::lengths(head);
        let end = at + row::HEAD_BYTES as u64 + key_len as u64 + value_len as u64;
        if end > self.len() as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the row at byte {at} is longer than the file"),
            ));
        }
        let mut key = vec![0; key_len + value_len];
        self.file.read_exact_at(&mut key, at + row::HEAD_BYTES as u64)?;
        let value = key.split_off(key_len);
        Ok((key, value))
    }

    /// Takes the file away. Whoever has it open reads on.
    pub(super) fn remove(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}
