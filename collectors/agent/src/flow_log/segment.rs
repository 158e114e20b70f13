//! A file of the flow log as a whole: a segment, or the tail that holds what has not filled a block yet.
//!
//! Invariant: what a segment adds up to is the same whether its end frame tells it or its frames are read one by one; the end
//! frame is written last, so a segment that has one is whole. Numbers of flows go up within a file; where they leap, the flows
//! between were damaged.
//!
//! Format of an end frame's summary, 11 numbers of 8 bytes, little endian: number after the last flow; flows; blocks; earliest
//! start, earliest end, latest end in milliseconds on the agent's timeline; how far that is ahead of the centre's, `i64::MIN` where
//! nobody knows; flows lost since the writer was busy, since the disk was full; the file's log and its run again. A clock frame's
//! summary is one such number: how far the timeline is ahead.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    frame::{FILE_HEAD, FileHead, Head, Kind, NoFileHead, take_u64},
    scan::{self, Found, Scan},
    summary::{Lost, Span, Summary},
};

/// What a segment's file is called: the number of its first flow, and this.
const SEGMENT: &str = "flows";
/// What a tail's file is called.
const TAIL: &str = "tail";
/// Numbers of an end frame.
const END_NUMBERS: usize = 11;
/// Stands for a clock that nobody compared.
const UNKNOWN: i64 = i64::MIN;

/// The files of a log, each in the order in which they were begun.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) segments: Vec<PathBuf>,
    pub(super) tails: Vec<PathBuf>,
}

/// What a file adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) path: PathBuf,
    pub(super) head: FileHead,
    /// Number after the last flow.
    pub(super) next: u64,
    pub(super) flows: u64,
    pub(super) blocks: u64,
    pub(super) span: Span,
    /// How far the agent's timeline was ahead of the centre's.
    pub(super) ahead_ms: Option<i64>,
    pub(super) lost: Lost,
    /// Length of the file.
    pub(super) bytes: u64,
    /// Whether the file has its end frame.
    pub(super) sealed: bool,
}

/// Where the blocks of a file are, and how far it is good.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) info: Info,
    /// Where the last whole frame ends.
    pub(super) good_until: u64,
}

impl Files {
    /// Returns the files of the log in a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match number_of(&path) {
                Some((_, SEGMENT)) => files.segments.push(path),
                Some((_, TAIL)) => files.tails.push(path),
                _ => {}
            }
        }
        files.segments.sort();
        files.tails.sort();
        Ok(files)
    }
}

/// Returns the file of the segment that begins with this flow.
pub(super) fn segment_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:016x}.{SEGMENT}"))
}

/// Returns the file of the tail that begins with this flow.
pub(super) fn tail_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:016x}.{TAIL}"))
}

/// Returns the number in a file's name, and of what kind the file is.
fn number_of(path: &Path) -> Option<(u64, &'static str)> {
    let kind = [SEGMENT, TAIL].into_iter().find(|kind| path.extension().is_some_and(|it| it == *kind))?;
    let digits = path.file_stem()?.to_str().filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok().map(|first| (first, kind))
}

impl Info {
    /// Returns what an empty file adds up to.
    pub(super) fn new(path: PathBuf, head: FileHead) -> Self {
        Self {
            path,
            head,
            next: head.first,
            flows: 0,
            blocks: 0,
            span: Span::NONE,
            ahead_ms: None,
            lost: Lost::default(),
            bytes: 0,
            sealed: false,
        }
    }

    /// Adds a block.
    pub(super) fn add(&mut self, summary: &Summary<'_>) {
        self.next = self.next.max(summary.next());
        self.flows += u64::from(summary.flows);
        self.blocks += 1;
        self.span = self.span.and(summary.span);
        self.lost.busy += summary.lost.busy;
        self.lost.disk += summary.lost.disk;
    }

    /// Returns the summary of the end frame.
    pub(super) fn end(&self) -> Vec<u8> {
        let Span { min_start, min_end, max_end } = self.span;
        let times = [min_start, min_end, max_end, self.ahead_ms.unwrap_or(UNKNOWN)].map(i64::cast_unsigned);
        let [min_start, min_end, max_end, ahead] = times;
        let numbers: [u64; END_NUMBERS] = [
            self.next,
            self.flows,
            self.blocks,
            min_start,
            min_end,
            max_end,
            ahead,
            self.lost.busy,
            self.lost.disk,
            self.head.log,
            self.head.run,
        ];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn ended(path: PathBuf, mut end: &[u8]) -> Option<Self> {
        let mut numbers = [0; END_NUMBERS];
        for number in &mut numbers {
            *number = take_u64(&mut end)?;
        }
        let [next, flows, blocks, min_start, min_end, max_end, ahead, busy, disk, log, run] = numbers;
        let [min_start, min_end, max_end, ahead] = [min_start, min_end, max_end, ahead].map(u64::cast_signed);
        let (first, _) = number_of(&path)?;
        Some(Self {
            path,
            head: FileHead { log, run, first },
            next,
            flows,
            blocks,
            span: Span { min_start, min_end, max_end },
            ahead_ms: Some(ahead).filter(|ahead| *ahead != UNKNOWN),
            lost: Lost { busy, disk },
            bytes: 0,
            sealed: true,
        })
    }

    /// Returns the span of its flows on the centre's timeline, as far as it is known.
    pub(super) fn true_span(&self) -> Span {
        self.span.behind(self.ahead_ms.unwrap_or(0))
    }
}

/// Whether payloads are looked at too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// They are: blocks whose payload is damaged do not count.
    Payloads,
    /// They are not.
    Summaries,
}

/// Returns what a file adds up to, or why it has no head.
pub(super) fn read(path: &Path, file: &File, check: Check) -> io::Result<Result<Read, NoFileHead>> {
    let meta = file.metadata()?;
    let ended = scan::last(file, Kind::End, END_NUMBERS * 8)?.and_then(|end| Info::ended(path.to_owned(), &end));
    if let Some(info) = ended {
        return Ok(Ok(Read { info: Info { bytes: meta.len(), ..info }, good_until: meta.len() }));
    }
    let mut bytes = [0; FILE_HEAD];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Err(NoFileHead::Damaged)),
        Err(error) => return Err(error),
    }
    let head = match FileHead::decode(&bytes) {
        Ok(head) => head,
        // The name tells the number; what run it was of costs no more than its clock.
        Err(NoFileHead::Damaged) => match number_of(path) {
            Some((first, _)) => FileHead { log: 0, run: 0, first },
            None => return Ok(Err(NoFileHead::Damaged)),
        },
        Err(other) => return Ok(Err(other)),
    };
    let mut read = Read { info: Info::new(path.to_owned(), head), good_until: FILE_HEAD as u64 };
    let mut scan = Scan::new(file)?;
    while let Some(found) = scan.next()? {
        let Found::Frame { at, head, summary } = found else { continue };
        if check == Check::Summaries || scan::payload(file, at, &head)?.is_some() {
            read.take(at, &head, &summary);
        }
    }
    read.info.bytes = meta.len();
    Ok(Ok(read))
}

impl Read {
    fn take(&mut self, at: u64, head: &Head, summary: &[u8]) {
        self.good_until = at + frame_bytes(head);
        match head.kind {
            Kind::Block => {
                if let Some(summary) = Summary::decode(summary) {
                    self.info.add(&summary);
                }
            }
            Kind::Clock => self.info.ahead_ms = ahead_of(summary).or(self.info.ahead_ms),
            Kind::End => {}
        }
    }
}

/// Returns the summary of a clock frame.
pub(super) fn clock(ahead_ms: i64) -> [u8; 8] {
    ahead_ms.to_le_bytes()
}

/// Returns what a clock frame tells.
pub(super) fn ahead_of(mut summary: &[u8]) -> Option<i64> {
    take_u64(&mut summary).map(u64::cast_signed)
}

/// Returns how long a frame is.
pub(super) fn frame_bytes(head: &Head) -> u64 {
    (super::frame::HEAD + head.body()) as u64
}

/// Lends what is known of a run's clock to its segments that were closed before it was known: the nearest later one of the same
/// run knows, else the nearest earlier one.
pub(super) fn lend_clocks(infos: &mut [Info]) {
    lend(infos.iter_mut().rev());
    lend(infos.iter_mut());
}

fn lend<'a>(infos: impl Iterator<Item = &'a mut Info>) {
    let mut known: Option<(u64, i64)> = None;
    for info in infos {
        match (info.ahead_ms, known) {
            (Some(ahead), _) => known = Some((info.head.run, ahead)),
            (None, Some((run, ahead))) if run == info.head.run && run != 0 => info.ahead_ms = Some(ahead),
            _ => {}
        }
    }
}
