//! The journal of the history lane: its batches and what became of them, in files that are only appended to.
//!
//! Invariants: what [`Journal::sync`] returned for is on disk. Of what was appended since, a process that is killed leaves the first so
//! many records and a part of the next, which is cut off when the files are opened again. Each file begins with all that the lane is, so
//! that one of which no batch is kept any more is removed, once what says so is on disk. A record that is damaged costs itself, and
//! none behind it. This module knows no batch, no cap and no free space; after an error it is to be opened again.
//!
//! Format, in the folder `history`: files that are named by their order, in 16 hexadecimal digits, of records. Numbers are
//! little endian.
//!
//! | record | bytes |
//! |---|---|
//! | `ff fe 'h' 'j'` | 4 |
//! | kind: 1 the lane, 2 a batch, 3 a batch that tells what was lost | 4 |
//! | number of the batch; 0 | 8 |
//! | length of what follows the checksum | 8 |
//! | checksum: XXH3 of what follows it, with that of what stands before it as seed | 8 |
//! | the batch: protobuf without its position; or the lane: epoch, base, first and next number, what was lost | |

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::lost::Lost;

/// Name of the folder within the spool's.
const FOLDER: &str = "history";
/// Bytes of a file beyond which the next is begun: what is acknowledged keeps no more than these on disk.
const FILE_BYTES: u64 = 1 << 20;
/// How a record begins: in no text.
const MARKER: [u8; 4] = [0xff, 0xfe, b'h', b'j'];
/// Length of what stands before the payload, and of that before the checksum.
const HEAD: usize = 32;
const CHECKED: usize = 24;
/// Numbers of a lane.
const LANE_NUMBERS: usize = 8;

/// Where the lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) epoch: u64,
    /// The number before the epoch's first batch.
    pub(super) base: u64,
    /// The oldest batch kept; `next` when there is none.
    pub(super) first: u64,
    /// The number that the next batch gets.
    pub(super) next: u64,
    /// What caps cost and was not yet told.
    pub(super) lost: Lost,
}

/// The files.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    /// In order; the last is appended to.
    files: VecDeque<Batches>,
    active: File,
    /// Bytes of the last file.
    length: u64,
    /// Bytes of the batches kept.
    bytes: u64,
    is_synced: bool,
    #[cfg(test)]
    steps: super::store::Steps,
}

/// What was found in the files.
#[derive(Debug)]
pub(super) struct Found {
    folder: PathBuf,
    files: VecDeque<Batches>,
    /// `None` when the files do not tell, or there are none.
    pub(super) lane: Option<Lane>,
    /// How many records are damaged.
    pub(super) damaged: usize,
}

/// The batches in a file that are kept.
#[derive(Debug)]
struct Batches {
    /// The file's name.
    order: u64,
    places: VecDeque<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    offset: u64,
    length: usize,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lane,
    Batch,
    /// A batch, and what was lost is told by it.
    Telling,
}

struct Record<'a> {
    kind: Kind,
    number: u64,
    payload: &'a [u8],
}

impl Found {
    /// Looks through the files in the spool's folder.
    pub(super) fn of(spool: &Path) -> io::Result<Self> {
        let folder = spool.join(FOLDER);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut found = Self { folder, files: VecDeque::new(), lane: None, damaged: 0 };
        for order in orders(&found.folder)? {
            let content = fs::read(file_path(&found.folder, order))?;
            let mut batches = Batches { order, places: VecDeque::new() };
            found.damaged += batches.read(&content, &mut found.lane);
            found.files.push_back(batches);
        }
        Ok(found)
    }

    /// Removes everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        for batches in self.files.drain(..) {
            fs::remove_file(file_path(&self.folder, batches.order))?;
        }
        (self.lane, self.damaged) = (None, 0);
        Ok(())
    }

    /// Returns the oldest batch of the lane that there is.
    pub(super) fn first(&self, lane: &Lane) -> Option<u64> {
        self.files.iter().flat_map(|batches| &batches.places).map(|place| place.number).find(|it| *it >= lane.first)
    }

    /// Goes on from here as this lane, in a file of its own, which is on disk when this returns: behind what was being written when
    /// the process was killed nothing is appended.
    pub(super) fn begin(self, lane: &Lane) -> io::Result<Journal> {
        let Self { folder, mut files, .. } = self;
        let order = files.back().map_or(1, |batches| batches.order + 1);
        let (active, bytes) = (appended(&file_path(&folder, order))?, files.iter().map(Batches::bytes).sum());
        files.push_back(Batches { order, places: VecDeque::new() });
        let mut journal = Journal {
            folder,
            files,
            active,
            length: 0,
            bytes,
            is_synced: false,
            #[cfg(test)]
            steps: super::store::Steps::default(),
        };
        journal.begin_with(lane)?;
        journal.forget(lane.first)?;
        Ok(journal)
    }
}

impl Journal {
    /// Returns the bytes of the batches kept.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends the batch that gets the lane's next number; it may tell what was lost. It is on disk after the next
    /// [`sync`](Self::sync).
    pub(super) fn put(&mut self, lane: &Lane, batch: &[u8], tells: bool) -> io::Result<()> {
        if self.length >= FILE_BYTES {
            self.begin_file(lane)?;
        }
        let place = Place { number: lane.next, offset: self.length + HEAD as u64, length: batch.len() };
        self.append(if tells { Kind::Telling } else { Kind::Batch }, lane.next, batch)?;
        self.bytes += batch.len() as u64;
        if let Some(batches) = self.files.back_mut() {
            batches.places.push_back(place);
        }
        Ok(())
    }

    /// Appends where the lane is from now on, and forgets the batches before its first. It is on disk after the next
    /// [`sync`](Self::sync).
    pub(super) fn note(&mut self, lane: &Lane) -> io::Result<()> {
        self.append(Kind::Lane, 0, &lane.encode())?;
        self.forget(lane.first)
    }

    /// Returns when everything appended so far is on disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if !self.is_synced {
            self.active.sync_data()?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Returns a batch, `None` where it is not kept, or damaged.
    pub(super) fn get(&self, number: u64) -> io::Result<Option<Vec<u8>>> {
        for batches in &self.files {
            let at = batches.places.binary_search_by_key(&number, |place| place.number);
            let Some(place) = at.ok().and_then(|at| batches.places.get(at)) else { continue };
            let mut bytes = vec![0; HEAD + place.length];
            let file = File::open(file_path(&self.folder, batches.order))?;
            file.read_exact_at(&mut bytes, place.offset - HEAD as u64)?;
            let record = Record::read(&bytes).filter(|record| record.number == number);
            return Ok(record.map(|record| record.payload.to_vec()));
        }
        Ok(None)
    }

    #[cfg(test)]
    pub(super) fn with_steps(self, steps: super::store::Steps) -> Self {
        Self { steps, ..self }
    }

    fn append(&mut self, kind: Kind, number: u64, payload: &[u8]) -> io::Result<()> {
        let record = Record { kind, number, payload }.encode();
        self.is_synced = false;
        #[cfg(test)]
        self.did(|order| super::store::FileStep::Append(order, record.clone()));
        self.active.write_all(&record)?;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Begins the next file, which is on disk when this returns.
    fn begin_file(&mut self, lane: &Lane) -> io::Result<()> {
        self.sync()?;
        let order = self.files.back().map_or(1, |batches| batches.order + 1);
        self.active = appended(&file_path(&self.folder, order))?;
        self.length = 0;
        self.files.push_back(Batches { order, places: VecDeque::new() });
        self.begin_with(lane)
    }

    fn begin_with(&mut self, lane: &Lane) -> io::Result<()> {
        self.append(Kind::Lane, 0, &lane.encode())?;
        self.sync()?;
        sync_folder(&self.folder)
    }

    /// Forgets the batches before this one, and removes files of which none is kept.
    fn forget(&mut self, first: u64) -> io::Result<()> {
        for batches in &mut self.files {
            while batches.places.front().is_some_and(|place| place.number < first) {
                let length = batches.places.pop_front().map_or(0, |place| place.length as u64);
                self.bytes = self.bytes.saturating_sub(length);
            }
        }
        let last = self.files.back().map(|batches| batches.order);
        while let Some(at) = self.files.iter().position(|it| it.places.is_empty() && Some(it.order) != last) {
            // What says that they are not kept may not be on disk yet.
            self.sync()?;
            let Some(batches) = self.files.remove(at) else { break };
            #[cfg(test)]
            self.steps.push(super::store::Step::File(super::store::FileStep::Remove(batches.order)));
            fs::remove_file(file_path(&self.folder, batches.order))?;
        }
        Ok(())
    }

    #[cfg(test)]
    fn did(&self, step: impl FnOnce(u64) -> super::store::FileStep) {
        let order = self.files.back().map_or(0, |batches| batches.order);
        self.steps.push(super::store::Step::File(step(order)));
    }
}

impl Batches {
    /// Takes in what a file holds, and what it says of the lane. Returns how many records are damaged: what was being written when the
    /// process was killed is not.
    fn read(&mut self, content: &[u8], lane: &mut Option<Lane>) -> usize {
        let (mut at, mut damaged) = (0, 0);
        while let Some(begin) = next_record(content, at) {
            let Some(record) = content.get(begin..).and_then(Record::read) else { break };
            damaged += usize::from(begin > at);
            at = begin + HEAD + record.payload.len();
            if record.kind == Kind::Lane {
                *lane = Lane::decode(record.payload).or(*lane);
                continue;
            }
            if let Some(lane) = lane {
                lane.next = lane.next.max(record.number.saturating_add(1));
                if record.kind == Kind::Telling {
                    lane.lost = Lost::default();
                }
            }
            let offset = (begin + HEAD) as u64;
            self.places.push_back(Place { number: record.number, offset, length: record.payload.len() });
        }
        damaged
    }

    fn bytes(&self) -> u64 {
        self.places.iter().map(|place| place.length as u64).sum()
    }
}

impl Lane {
    fn encode(&self) -> Vec<u8> {
        let [batches, items, first_ms, last_ms] = self.lost.numbers();
        [self.epoch, self.base, self.first, self.next, batches, items, first_ms, last_ms].map(u64::to_le_bytes).concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (chunks, []) = bytes.as_chunks::<8>() else { return None };
        let numbers: [[u8; 8]; LANE_NUMBERS] = chunks.try_into().ok()?;
        let [epoch, base, first, next, lost @ ..] = numbers.map(u64::from_le_bytes);
        // Batches are numbered from 1.
        (first >= 1 && next >= first).then(|| Self { epoch, base, first, next, lost: Lost::of_numbers(lost) })
    }
}

impl Record<'_> {
    fn encode(&self) -> Vec<u8> {
        let kind: u32 = match self.kind {
            Kind::Lane => 1,
            Kind::Batch => 2,
            Kind::Telling => 3,
        };
        let mut bytes = Vec::with_capacity(HEAD + self.payload.len());
        bytes.extend_from_slice(&MARKER);
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&(self.payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&xxh3_64_with_seed(self.payload, xxh3_64(&bytes)).to_le_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }
}

impl<'a> Record<'a> {
    /// Reads the record that the bytes begin with.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let checked = head.get(..CHECKED)?;
        let rest_of_head = checked.strip_prefix(&MARKER)?;
        let (kind, numbers) = rest_of_head.split_first_chunk::<4>()?;
        let kind = match u32::from_le_bytes(*kind) {
            1 => Kind::Lane,
            2 => Kind::Batch,
            3 => Kind::Telling,
            _ => return None,
        };
        let (numbers, []) = numbers.as_chunks::<8>() else { return None };
        let [number, length] = <[[u8; 8]; 2]>::try_from(numbers).ok()?.map(u64::from_le_bytes);
        let payload = rest.get(..usize::try_from(length).ok()?)?;
        let check = head.get(CHECKED..)?;
        (check == xxh3_64_with_seed(payload, xxh3_64(checked)).to_le_bytes()).then_some(Self { kind, number, payload })
    }
}

/// Returns where the next record begins; where bytes are damaged that is behind them.
fn next_record(content: &[u8], mut at: usize) -> Option<usize> {
    while content.get(at..).is_some_and(|rest| Record::read(rest).is_none()) {
        let behind = content.get(at + 1..)?;
        at += 1 + behind.windows(MARKER.len()).position(|bytes| bytes == MARKER)?;
    }
    Some(at).filter(|at| *at < content.len())
}

/// Returns the names of the files, in order.
fn orders(folder: &Path) -> io::Result<Vec<u64>> {
    let mut orders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let order = name.to_str().filter(|name| name.len() == 16).and_then(|name| u64::from_str_radix(name, 16).ok());
        orders.extend(order);
    }
    orders.sort_unstable();
    Ok(orders)
}

fn file_path(folder: &Path, order: u64) -> PathBuf {
    folder.join(format!("{order:016x}"))
}

fn appended(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
