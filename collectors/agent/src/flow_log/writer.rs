//! The one owner of the log's files: gathers flows, writes blocks, removes what is too old or too much.
//!
//! Invariants: what was flushed is in a file before [`Writer::tick`] returns, in the tail first and then, without a moment in
//! neither, in a segment; what is in a segment is never changed, but for a torn end that is cut off when the log is opened; memory
//! is bounded by one block. Flows that cannot be written are counted, and the count is written with the next block. It reads no
//! clock, and knows no thread.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use onenet_topology::{Timestamp, flow::Flow};

use super::{
    FlowLogConfig, FlowLogError, FlowLogStatus, block,
    frame::{self, FileHead, Kind},
    recover,
    segment::{self, Info},
    summary::{self, Findable, Lost, Summary},
};
use crate::disk;

/// Flows of a block: enough that what repeats is told seldom, and few enough that one block is read in a millisecond.
const BLOCK_FLOWS: usize = 4_096;
/// Bytes that the flows of a block may take, about, before compression; blocks of flows with long names are shorter.
const BLOCK_BYTES: usize = 512 << 10;
/// What a flow takes without its name, about.
const FLOW_BYTES: usize = 64;
/// The longest name that is kept, in bytes: that of the domain name system.
const NAME_BYTES: usize = 255;
/// Bytes of a tail beyond which a block is closed although it is not full: each flush has an overhead.
const TAIL_BYTES: u64 = 512 << 10;
/// How large a segment may get, and how large at the least: what expires, expires by segments.
const SEGMENT_BYTES_MAX: u64 = 32 << 20;
const SEGMENT_BYTES_MIN: u64 = 256 << 10;
/// Of how many segments the log consists at the least, once it is full.
const SEGMENTS: u64 = 32;
/// How long the flows of a segment may go on.
const SEGMENT_MS: i64 = 86_400_000;
/// How long a flow may wait before it is in a file, in milliseconds.
const FLUSH_MS: i64 = 2_000;
/// How long what is in the tail may wait for the disk, in milliseconds: what a loss of power costs.
const SYNC_MS: i64 = 10_000;
/// How often room and age are looked at, in milliseconds.
const EXPIRE_MS: i64 = 60_000;
/// By how much the centre's opinion of the agent's clock must change to be noted, in milliseconds.
const CLOCK_STEP_MS: u64 = 500;
/// What must remain free on the disk beside what the spool may still take.
const RESERVE_BYTES: u64 = 32 << 20;
/// How hard to compress: more costs twice the time and gains a fiftieth.
const LEVEL: i32 = 3;

/// Writes a log. What is not closed is where a process that is killed would leave it.
pub struct Writer {
    config: FlowLogConfig,
    shape: Shape,
    /// Locked as long as this lives.
    _lock: File,
    log: u64,
    run: u64,
    closed: VecDeque<Info>,
    active: Option<Active>,
    tail: Option<Tail>,
    /// Tails of earlier runs that found no room in a segment.
    left_over: Vec<PathBuf>,
    open: Vec<Flow>,
    open_bytes: usize,
    /// Number of the first open flow.
    first: u64,
    /// How many of the open flows are in the tail.
    in_tail: usize,
    ahead_ms: Option<i64>,
    /// Lost since the last block.
    lost: Lost,
    status: FlowLogStatus,
    flushed: Timestamp,
    synced: Timestamp,
    expired: Timestamp,
    compressor: zstd::bulk::Compressor<'static>,
}

/// How large things are. Tests have smaller ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) block_flows: usize,
    pub(super) segment_bytes: u64,
    /// Returns what is free on a folder's disk.
    pub(super) free_bytes: fn(&Path) -> u64,
}

/// The segment that is written.
struct Active {
    file: File,
    info: Info,
    /// The latest end in its first block.
    begun: i64,
}

/// The tail that is written.
struct Tail {
    file: File,
    path: PathBuf,
    bytes: u64,
    dirty: bool,
}

impl Writer {
    /// Opens the log, made where there is none; `new_ids` are random, for a log and a run. What an earlier run left is brought
    /// into order.
    ///
    /// # Errors
    /// The folder cannot be opened, is written by somebody else, or is of another format.
    pub fn open(config: FlowLogConfig, new_ids: [u64; 2], now: Timestamp) -> Result<Self, FlowLogError> {
        let shape = Shape::of(&config);
        Self::open_shaped(config, shape, new_ids, now)
    }

    pub(super) fn open_shaped(
        config: FlowLogConfig,
        shape: Shape,
        new_ids: [u64; 2],
        now: Timestamp,
    ) -> Result<Self, FlowLogError> {
        let failed = |source| FlowLogError::Open { folder: config.folder.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.folder).map_err(failed)?;
        let lock = File::open(&config.folder).map_err(failed)?;
        lock.try_lock().map_err(|error| failed(error.into()))?;
        let [new_log, run] = new_ids;
        let recovered = recover::recover(&config.folder, new_log)?;
        let mut writer = Self {
            log: recovered.log,
            run,
            closed: recovered.segments.into(),
            active: None,
            tail: None,
            left_over: recovered.left_over,
            open: Vec::new(),
            open_bytes: 0,
            first: recovered.next,
            in_tail: 0,
            ahead_ms: None,
            lost: Lost::default(),
            status: FlowLogStatus::default(),
            flushed: now,
            synced: now,
            expired: now,
            compressor: zstd::bulk::Compressor::new(LEVEL).map_err(failed)?,
            config,
            shape,
            _lock: lock,
        };
        writer.expire(None);
        Ok(writer)
    }

    /// Takes in flows. What fills a block is written.
    ///
    /// # Errors
    /// A block could not be written; its flows are lost and counted, the others are taken in.
    pub fn append(&mut self, flows: Vec<Flow>) -> Result<(), FlowLogError> {
        let mut result = Ok(());
        for mut flow in flows {
            onenet_wire::limits::cut(&mut flow.name, NAME_BYTES);
            self.open_bytes += FLOW_BYTES + flow.name.len();
            self.open.push(flow);
            if self.open.len() >= self.shape.block_flows || self.open_bytes >= BLOCK_BYTES {
                result = result.and(self.close_block());
            }
        }
        result
    }

    /// Notes that flows were lost before they came here.
    pub fn lose(&mut self, flows: u64) {
        self.lost.busy += flows;
        self.status.lost_busy += flows;
    }

    /// Does what is due: call it every second or so.
    ///
    /// # Errors
    /// The disk is full or fails. What could not be written stays in memory until its block is full.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), FlowLogError> {
        let mut result = Ok(());
        if now.ms_since(self.flushed) >= FLUSH_MS {
            self.flushed = now;
            result = self.flush();
            // The tail grows between blocks.
            if self.excess() > 0 {
                self.expire(None);
            }
        }
        if now.ms_since(self.synced) >= SYNC_MS {
            self.synced = now;
            result = result.and(self.sync());
        }
        if now.ms_since(self.expired) >= EXPIRE_MS {
            self.expired = now;
            self.expire(self.ahead_ms.map(|ahead| now.plus_ms(-ahead)));
        }
        result
    }

    /// Puts everything into segments and ends them.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn close(mut self) -> Result<FlowLogStatus, FlowLogError> {
        let flushed = self.flush().and(self.close_block());
        let closed = self.close_segment();
        flushed.and(closed).map(|()| self.status())
    }

    /// Notes how far the agent's clock is ahead of the centre's.
    pub fn set_ahead(&mut self, ahead_ms: i64) {
        if self.ahead_ms.is_some_and(|known| known.abs_diff(ahead_ms) < CLOCK_STEP_MS) {
            return;
        }
        self.ahead_ms = Some(ahead_ms);
        let frame = frame::encode(Kind::Clock, &segment::clock(ahead_ms), &[]);
        // It is told again with the next file; nothing is lost by one that cannot be written.
        if let Some(active) = &mut self.active
            && active.append(&frame).is_ok()
        {
            active.info.ahead_ms = Some(ahead_ms);
        }
        if let Some(tail) = &mut self.tail {
            let _ = tail.append(&frame);
        }
        let mut infos: Vec<Info> = std::mem::take(&mut self.closed).into();
        for info in infos.iter_mut().filter(|info| info.head.run == self.run && info.ahead_ms.is_none()) {
            info.ahead_ms = Some(ahead_ms);
        }
        self.closed = infos.into();
    }

    /// Returns how the log is doing.
    pub fn status(&self) -> FlowLogStatus {
        let infos = || self.closed.iter().chain(self.active.as_ref().map(|active| &active.info));
        let tail = self.tail.as_ref().map_or(0, |tail| tail.bytes);
        let (kept_from, days) = super::reach(infos());
        FlowLogStatus {
            flows: infos().map(|info| info.flows).sum::<u64>() + self.open.len() as u64,
            bytes: infos().map(|info| info.bytes).sum::<u64>() + tail,
            kept_from,
            days,
            ..self.status.clone()
        }
    }

    /// Puts the open flows into the tail.
    fn flush(&mut self) -> Result<(), FlowLogError> {
        let Some(fresh) = self.open.get(self.in_tail..).filter(|fresh| !fresh.is_empty()) else { return Ok(()) };
        if self.free_bytes() < self.reserve_bytes() {
            // The block decides, when it is full, whether anything can be done about it.
            return Err(self.full());
        }
        let first = self.first + self.in_tail as u64;
        let payload = block::encode(fresh);
        let summary = summary::encode(first, fresh, Lost::default(), payload.len(), Findable::No);
        let packed = self.compressor.compress(&payload).map_err(|source| self.failed(source))?;
        let frame = frame::encode(Kind::Block, &summary, &packed);
        let written = self.tail().and_then(|tail| tail.append(&frame));
        written.map_err(|source| self.failed(source))?;
        self.in_tail = self.open.len();
        if self.tail.as_ref().is_some_and(|tail| tail.bytes >= TAIL_BYTES) { self.close_block() } else { Ok(()) }
    }

    /// Returns the tail, made where there is none.
    fn tail(&mut self) -> io::Result<&mut Tail> {
        if self.tail.is_none() {
            let path = segment::tail_path(&self.config.folder, self.first);
            let mut file = create(&path)?;
            let head = FileHead { log: self.log, run: self.run, first: self.first }.encode();
            let clock = self.ahead_ms.map(|ahead| frame::encode(Kind::Clock, &segment::clock(ahead), &[]));
            let bytes = [head, clock.unwrap_or_default()].concat();
            file.write_all(&bytes)?;
            self.tail = Some(Tail { file, path, bytes: bytes.len() as u64, dirty: true });
        }
        self.tail.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&mut self) -> Result<(), FlowLogError> {
        let Some(tail) = self.tail.as_mut().filter(|tail| tail.dirty) else { return Ok(()) };
        tail.dirty = false;
        let synced = tail.file.sync_data().and_then(|()| sync_folder(&self.config.folder));
        synced.map_err(|source| self.failed(source))
    }

    /// Writes the open flows as a block.
    fn close_block(&mut self) -> Result<(), FlowLogError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let flows = std::mem::take(&mut self.open);
        (self.open_bytes, self.in_tail) = (0, 0);
        let written = self.make_room().and_then(|()| self.write_block(&flows).map_err(|source| self.failed(source)));
        let count = flows.len() as u64;
        if written.is_ok() {
            self.first += count;
            self.lost = Lost::default();
            self.status.logged += count;
        } else {
            self.lost.disk += count;
            self.status.lost_disk += count;
        }
        self.status.disk_full = written.is_err();
        // It is in a segment, or counted as lost.
        if let Some(tail) = self.tail.take() {
            let _ = fs::remove_file(&tail.path);
        }
        written
    }

    fn write_block(&mut self, flows: &[Flow]) -> io::Result<()> {
        let payload = block::encode(flows);
        let summary = summary::encode(self.first, flows, self.lost, payload.len(), Findable::Yes);
        let packed = self.compressor.compress(&payload)?;
        let frame = frame::encode(Kind::Block, &summary, &packed);
        let active = self.active_segment()?;
        active.append(&frame)?;
        active.file.sync_data()?;
        if let Some(summary) = Summary::decode(&summary) {
            if active.info.blocks == 0 {
                active.begun = summary.span.max_end;
            }
            active.info.add(&summary);
        }
        Ok(())
    }

    /// Returns the segment that takes the next block, a new one where the last is full.
    fn active_segment(&mut self) -> io::Result<&mut Active> {
        let full = self.shape.segment_bytes;
        if self.active.as_ref().is_some_and(|active| active.is_full(full)) {
            self.close_segment().map_err(|error| match error {
                FlowLogError::Write { source, .. } => source,
                other => io::Error::other(other),
            })?;
        }
        if self.active.is_none() {
            let path = segment::segment_path(&self.config.folder, self.first);
            let head = FileHead { log: self.log, run: self.run, first: self.first };
            let mut active = Active { file: create(&path)?, info: Info::new(path, head), begun: 0 };
            active.append(&head.encode())?;
            if let Some(ahead_ms) = self.ahead_ms {
                active.append(&frame::encode(Kind::Clock, &segment::clock(ahead_ms), &[]))?;
                active.info.ahead_ms = Some(ahead_ms);
            }
            sync_folder(&self.config.folder)?;
            self.active = Some(active);
        }
        self.active.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Ends the segment that is written.
    fn close_segment(&mut self) -> Result<(), FlowLogError> {
        let Some(mut active) = self.active.take() else { return Ok(()) };
        let ended = active.append(&frame::encode(Kind::End, &active.info.end(), &[]));
        let ended = ended.and_then(|()| active.file.sync_all());
        active.info.sealed = ended.is_ok();
        self.closed.push_back(active.info);
        ended.map_err(|source| self.failed(source))
    }

    /// Makes room for a block, or says that there is none.
    fn make_room(&mut self) -> Result<(), FlowLogError> {
        self.expire(None);
        if self.free_bytes() < self.reserve_bytes() { Err(self.full()) } else { Ok(()) }
    }

    /// Removes the oldest segments as far as the log takes too much, leaves too little to the spool, or is too old; age is judged
    /// only by a clock that the centre has confirmed.
    fn expire(&mut self, true_now: Option<Timestamp>) {
        let mut excess = self.excess();
        while let Some(oldest) = self.closed.front() {
            let is_old = true_now.is_some_and(|now| self.is_too_old(now));
            if !is_old && excess == 0 {
                return;
            }
            if let Err(error) = fs::remove_file(&oldest.path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(file = %oldest.path.display(), %error, "a segment of the flow log cannot be removed");
                return;
            }
            self.status.shortened |= !is_old;
            // The file system may take its time to say that there is more room.
            excess = excess.saturating_sub(oldest.bytes);
            self.closed.pop_front();
        }
        if excess > 0 {
            self.left_over.drain(..).for_each(|path| drop(fs::remove_file(path)));
        }
    }

    /// Returns whether the oldest segment is too old. One whose times cannot be true is as old as the next one whose times can.
    fn is_too_old(&self, true_now: Timestamp) -> bool {
        let ends = self.closed.iter().map(|info| Timestamp::from_unix_ms(info.true_span().max_end));
        let mut plausible = ends.filter(|end| (super::PLAUSIBLE_FROM..=true_now).contains(end));
        plausible.next().is_some_and(|end| true_now.ms_since(end) > self.config.age_max_ms)
    }

    /// Returns by how many bytes the log is too large.
    fn excess(&self) -> u64 {
        let missing = self.reserve_bytes().saturating_sub(self.free_bytes());
        self.bytes().saturating_sub(self.config.bytes_max).max(missing)
    }

    /// Returns the bytes of all files, the tail's among them.
    fn bytes(&self) -> u64 {
        let active = self.active.as_ref().map_or(0, |active| active.info.bytes);
        let tail = self.tail.as_ref().map_or(0, |tail| tail.bytes);
        self.closed.iter().map(|info| info.bytes).sum::<u64>() + active + tail
    }

    fn free_bytes(&self) -> u64 {
        (self.shape.free_bytes)(&self.config.folder)
    }

    /// Returns what must be free on the disk: what the spool may still take, but no more than half of what both could share, and a
    /// little for everybody else.
    fn reserve_bytes(&self) -> u64 {
        let Some((spool, cap)) = &self.config.spool else { return RESERVE_BYTES };
        let wanted = cap.saturating_sub(disk::folder_bytes(spool));
        let half = self.free_bytes().saturating_add(self.bytes()) / 2;
        wanted.min(half).saturating_add(RESERVE_BYTES)
    }

    fn failed(&self, source: io::Error) -> FlowLogError {
        FlowLogError::Write { folder: self.config.folder.clone(), source }
    }

    fn full(&self) -> FlowLogError {
        let folder = self.config.folder.clone();
        FlowLogError::DiskFull { folder, free: self.free_bytes(), needed: self.reserve_bytes() }
    }
}

impl Shape {
    pub(super) fn of(config: &FlowLogConfig) -> Self {
        let segment_bytes = (config.bytes_max / SEGMENTS).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        Self { block_flows: BLOCK_FLOWS, segment_bytes, free_bytes: disk::free_bytes }
    }
}

impl Active {
    fn is_full(&self, segment_bytes: u64) -> bool {
        self.info.bytes >= segment_bytes || self.info.span.max_end.saturating_sub(self.begun) >= SEGMENT_MS
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        append(&mut self.file, &mut self.info.bytes, bytes)
    }
}

impl Tail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.dirty = true;
        append(&mut self.file, &mut self.bytes, bytes)
    }
}

/// Appends to a file that has so many bytes; what was written only in part is taken back.
pub(super) fn append(file: &mut File, length: &mut u64, bytes: &[u8]) -> io::Result<()> {
    match file.write_all(bytes) {
        Ok(()) => {
            *length += bytes.len() as u64;
            Ok(())
        }
        Err(error) => {
            // Where that fails too, the next opening cuts it off.
            let _ = file.set_len(*length);
            Err(error)
        }
    }
}

/// Makes a file that only its owner can read, and that is only appended to.
pub(super) fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
