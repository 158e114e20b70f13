//! A sealed file of samples: what a log held, in the order of keys, packed block by block.
//!
//! # Format
//!
//! ```text
//! file  = "onenet samples\x01\x02" block* part* index foot
//! block = zstd of rows                               as in the log, in the order of keys, some 16 KiB of them
//! part  = at:8 entry*                                of the blocks that follow each other from this byte on, some 64 of them
//! index = at:8 entry*                                of the parts
//! entry = length:4 raw:4 check:8 key_len:2 key       its length as it lies, and of its rows; XXH3 of it as it lies; its first key
//! foot  = filed* filed_len:8 index_at:8 index_len:8 index_check:8 first_position:8 last_position:8 oldest:8 newest:8 told:8 check:8
//!                                                    XXH3 of all that is in front
//! filed = hour:4 kind:1                              of which there are rows; the length is of all together
//! ```

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use onenet_topology::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    log::{Extent, Filed, Log},
    row,
};

const MAGIC: &[u8; 16] = b"onenet samples\x01\x02";
/// Rows that are packed together, in bytes: more would pack better, and cost whoever looks for one row.
const BLOCK_BYTES: usize = 16 << 10;
/// Blocks of a part of the index: whoever looks for one row reads one part.
const PART_BLOCKS: usize = 64;
const LEVEL: i32 = 3;
/// Bytes of the foot behind what is filed.
const FOOT_BYTES: usize = 80;
/// Bytes of an index's entry in front of the key.
const ENTRY_HEAD: usize = 18;

/// A sealed file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) generation: u64,
    pub(super) extent: Extent,
    pub(super) len: u64,
    path: PathBuf,
    index: (u64, usize, u64),
}

/// What is said of a block, or of a part of the index.
#[derive(Debug)]
struct Entry {
    at: u64,
    len: usize,
    raw: usize,
    check: u64,
    /// Where among the bytes of the entries its first key is.
    first: Range<usize>,
}

/// The index, or a part of it.
#[derive(Debug)]
struct Entries {
    bytes: Vec<u8>,
    all: Vec<Entry>,
}

/// Reads a sealed file; the last block stays unpacked.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    index: Entries,
    unpacked: Option<(u64, Vec<u8>)>,
}

/// Packs rows that come in the order of their keys.
struct Packer {
    file: BufWriter<File>,
    compressor: zstd::bulk::Compressor<'static>,
    at: u64,
    block: Vec<u8>,
    first: Vec<u8>,
    /// The part of the index that is not complete, its first key, and how many blocks it tells of.
    part: Vec<u8>,
    part_first: Vec<u8>,
    part_blocks: usize,
    /// Parts that are complete, and what is said of them.
    parts: Vec<u8>,
    index: Vec<u8>,
}

impl Packer {
    fn new(file: File) -> io::Result<Self> {
        let mut file = BufWriter::new(file);
        file.write_all(MAGIC)?;
        let compressor = zstd::bulk::Compressor::new(LEVEL)?;
        let at = MAGIC.len() as u64;
        Ok(Self {
            file,
            compressor,
            at,
            block: Vec::with_capacity(2 * BLOCK_BYTES),
            first: Vec::new(),
            part: Vec::new(),
            part_first: Vec::new(),
            part_blocks: 0,
            parts: Vec::new(),
            index: Vec::new(),
        })
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.block.is_empty() {
            key.clone_into(&mut self.first);
        }
        row::put(&mut self.block, key, value);
        if self.block.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = self.compressor.compress(&self.block)?;
        if self.part_blocks == 0 {
            self.part.extend_from_slice(&self.at.to_be_bytes());
            self.first.clone_into(&mut self.part_first);
        }
        put_entry(&mut self.part, &packed, self.block.len(), &self.first)?;
        self.part_blocks += 1;
        self.file.write_all(&packed)?;
        self.at += packed.len() as u64;
        self.block.clear();
        if self.part_blocks == PART_BLOCKS { self.end_part() } else { Ok(()) }
    }

    fn end_part(&mut self) -> io::Result<()> {
        if self.part_blocks > 0 {
            put_entry(&mut self.index, &self.part, self.part.len(), &self.part_first)?;
            self.parts.append(&mut self.part);
            self.part_blocks = 0;
        }
        Ok(())
    }

    fn end(mut self, extent: &Extent) -> io::Result<()> {
        self.end_block()?;
        self.end_part()?;
        self.file.write_all(&self.parts)?;
        let index = [&self.at.to_be_bytes()[..], &self.index].concat();
        self.file.write_all(&index)?;
        let (first, last) = extent.positions;
        let at = self.at + self.parts.len() as u64;
        let filed = extent.filed.iter().flat_map(|(hour, kind)| hour.to_be_bytes().into_iter().chain([*kind]));
        let mut foot: Vec<u8> = filed.collect();
        for number in [foot.len() as u64, at, index.len() as u64, xxh3_64(&index), first, last] {
            foot.extend_from_slice(&number.to_be_bytes());
        }
        for time in [extent.taken.0, extent.taken.1, extent.told] {
            foot.extend_from_slice(&time.unix_ms().to_be_bytes());
        }
        foot.extend_from_slice(&xxh3_64(&foot).to_be_bytes());
        self.file.write_all(&foot)?;
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Segment {
    /// Returns what the sealed file of a generation is called.
    pub(super) fn path(folder: &Path, generation: u64) -> PathBuf {
        folder.join(format!("{generation:016x}.samples"))
    }

    /// Seals a log: makes the file, and returns when it is on disk.
    pub(super) fn seal(folder: &Path, log: &Log) -> io::Result<Self> {
        let path = Self::path(folder, log.generation);
        let partial = path.with_extension("partial");
        let mut packer = Packer::new(File::create(&partial)?)?;
        for prefix in log.prefixes() {
            let rows: io::Result<Vec<_>> = log.places(&prefix).into_iter().map(|place| log.row(place)).collect();
            let mut rows = rows?;
            rows.sort();
            rows.dedup_by(|second, first| second.0 == first.0);
            for (key, value) in &rows {
                packer.put(key, value)?;
            }
        }
        packer.end(&log.extent())?;
        fs::rename(&partial, &path)?;
        File::open(folder)?.sync_all()?;
        Self::open(folder, log.generation)
    }

    /// Opens the sealed file of a generation.
    pub(super) fn open(folder: &Path, generation: u64) -> io::Result<Self> {
        let path = Self::path(folder, generation);
        let file = File::open(&path)?;
        let len = file.metadata()?.len();
        let (filed, numbers) = foot(&file, len)?;
        let mut numbers = numbers.as_chunks::<8>().0.iter().map(|it| u64::from_be_bytes(*it));
        let mut number = || numbers.next().unwrap_or_default();
        let index = (number(), usize::try_from(number()).unwrap_or(usize::MAX), number());
        let positions = (number(), number());
        let mut time = || Timestamp::from_unix_ms(number().cast_signed());
        let extent = Extent { filed, positions, taken: (time(), time()), told: time() };
        if index.0.checked_add(index.1 as u64).is_none_or(|end| end > len) {
            return Err(broken("its index is not where its foot says"));
        }
        Ok(Self { generation, extent, len, path, index })
    }

    /// Begins to read; `None` where the file was taken away since.
    pub(super) fn reader(&self) -> io::Result<Option<Reader>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (at, len, check) = self.index;
        let index = Entries::of(checked(&file, at, len, check)?)?;
        Ok(Some(Reader { file, index, unpacked: None }))
    }

    /// Takes the file away. Whoever has it open reads on.
    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Returns where it is.
    pub(super) fn file(&self) -> &Path {
        &self.path
    }
}

/// Reads the foot of a file of `len` bytes: what is filed, and the numbers behind its length.
fn foot(file: &File, len: u64) -> io::Result<(Filed, Vec<u8>)> {
    let cut = || broken("it is cut short");
    let at = len.checked_sub(FOOT_BYTES as u64).ok_or_else(cut)?;
    let mut filed_len = [0; 8];
    file.read_exact_at(&mut filed_len, at)?;
    let at = at.checked_sub(u64::from_be_bytes(filed_len)).ok_or_else(cut)?;
    let mut foot = vec![0; usize::try_from(len - at).map_err(|_| cut())?];
    file.read_exact_at(&mut foot, at)?;
    let (said, check) = foot.split_last_chunk::<8>().ok_or_else(cut)?;
    if xxh3_64(said).to_be_bytes() != *check {
        return Err(broken("the checksum of its foot differs"));
    }
    let (filed, numbers) = said.split_at_checked(foot.len() - FOOT_BYTES).ok_or_else(cut)?;
    let filed = filed.as_chunks::<5>().0.iter().map(|[a, b, c, d, kind]| (u32::from_be_bytes([*a, *b, *c, *d]), *kind));
    Ok((filed.collect(), numbers.get(8..).unwrap_or_default().to_vec()))
}

/// Adds what is said of `packed`, a block or a part of the index.
fn put_entry(entries: &mut Vec<u8>, packed: &[u8], raw: usize, first: &[u8]) -> io::Result<()> {
    let len = |len: usize| u32::try_from(len).map(u32::to_be_bytes).map_err(io::Error::other);
    entries.extend_from_slice(&len(packed.len())?);
    entries.extend_from_slice(&len(raw)?);
    entries.extend_from_slice(&xxh3_64(packed).to_be_bytes());
    entries.extend_from_slice(&u16::try_from(first.len()).map_err(io::Error::other)?.to_be_bytes());
    entries.extend_from_slice(first);
    Ok(())
}

/// Reads bytes of a file that have this checksum.
fn checked(file: &File, at: u64, len: usize, check: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, at)?;
    if xxh3_64(&bytes) != check {
        return Err(broken(&format!("the checksum of what lies at byte {at} differs")));
    }
    Ok(bytes)
}

impl Entries {
    fn of(bytes: Vec<u8>) -> io::Result<Self> {
        let all = entries(&bytes).ok_or_else(|| broken("its index is cut short"))?;
        Ok(Self { bytes, all })
    }

    fn first(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.first.clone()).unwrap_or_default()
    }

    /// Returns those that may have keys that begin with `prefix`.
    fn with(&self, prefix: &[u8]) -> impl Iterator<Item = &Entry> {
        let from = self.all.partition_point(|entry| self.first(entry) < prefix).saturating_sub(1);
        let rest = self.all.get(from..).unwrap_or_default().iter();
        rest.take_while(move |entry| self.first(entry) <= prefix || self.first(entry).starts_with(prefix))
    }
}

/// Returns what a part of the index, or the index, says.
fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (at, mut rest) = bytes.split_first_chunk::<8>()?;
    let (mut entries, mut at) = (Vec::new(), u64::from_be_bytes(*at));
    while !rest.is_empty() {
        let (head, behind) = rest.split_first_chunk::<ENTRY_HEAD>()?;
        let (len, head) = head.split_first_chunk::<4>()?;
        let (raw, head) = head.split_first_chunk::<4>()?;
        let (check, head) = head.split_first_chunk::<8>()?;
        let (len, raw) = (u32::from_be_bytes(*len), u32::from_be_bytes(*raw));
        let (first, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*head.first_chunk::<2>()?)))?;
        let end = bytes.len() - behind.len();
        let (check, first) = (u64::from_be_bytes(*check), end - first.len()..end);
        entries.push(Entry { at, len: usize::try_from(len).ok()?, raw: usize::try_from(raw).ok()?, check, first });
        at = at.checked_add(u64::from(len))?;
        rest = behind;
    }
    Some(entries)
}

impl Reader {
    /// Hands over the rows whose keys begin with `prefix`, in order.
    pub(super) fn rows(&mut self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        for part in self.index.with(prefix) {
            let part = Entries::of(checked(&self.file, part.at, part.len, part.check)?)?;
            for entry in part.with(prefix) {
                let block = unpacked(&self.file, &mut self.unpacked, entry)?;
                for (key, value) in row::all(block).filter(|(key, _)| key.starts_with(prefix)) {
                    each(key, value);
                }
            }
        }
        Ok(())
    }
}

/// Returns the rows of a block, which stay in `last`.
fn unpacked<'l>(file: &File, last: &'l mut Option<(u64, Vec<u8>)>, entry: &Entry) -> io::Result<&'l [u8]> {
    if last.as_ref().is_none_or(|(at, _)| *at != entry.at) {
        let packed = checked(file, entry.at, entry.len, entry.check)?;
        *last = Some((entry.at, zstd::bulk::decompress(&packed, entry.raw)?));
    }
    Ok(last.as_ref().map_or(&[], |(_, block)| block))
}

fn broken(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
