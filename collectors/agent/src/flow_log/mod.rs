//! The flow log: finished flows of a site on its agent's disk, found again by endpoint, peer, port, application and time.
//!
//! Invariants: writing never holds up capture: what the writer cannot take in is dropped and counted. What was logged is in a file
//! within 2 seconds, where everybody finds it who may read the file, and survives a loss of power after 10. The process may be
//! killed at any instruction: what it had logged up to 2 seconds before is found, and nothing that was written before is harmed;
//! flows that were going on are lost since their last record, which covers 5 minutes at the most. A damaged place costs its block
//! of at most 4,096 flows, is counted, and is told to whoever asks for that time. Bytes and days are bounded: whole segments expire,
//! the oldest first; and the disk is the spool's first (`writer.rs`). Memory: one block that is open, one that is read.
//!
//! Times in the files are those of the agent's timeline, which may be wrong by years. What the centre says of the agent's clock is
//! in the files too, so that questions and answers are in the centre's time, also for flows that were logged before it said so.
//!
//! Format 1 (`frame.rs` has heads and checksums): a folder of its own, readable by the agent's user alone, with
//!
//! - segments, `NUMBER.flows`: frames with blocks of some thousand flows, each with a summary that tells what cannot be in it
//!   (`summary.rs`, `filter.rs`) and a payload by columns (`block.rs`), compressed with zstd; and a frame at the end that tells what
//!   the segment adds up to (`segment.rs`);
//! - one tail, `NUMBER.tail`: frames with small blocks of what has not filled a block yet. When that is full, it is written to the
//!   segment, and then the tail is removed.
//!
//! Flows are numbered from 1 in the order in which they were logged; `NUMBER` is that of a file's first flow, 16 hexadecimal digits.
//! A file belongs to one run of the agent.
//!
//! Threads: [`FlowLog::start`] begins one, which owns the files and ends with [`FlowLog::stop`]. Reading needs no thread and no lock:
//! [`FlowLog::page`] and [`page`] read the files, from whatever process.

mod block;
mod feed;
mod filter;
mod frame;
mod lump;
mod recover;
mod rows;
mod scan;
mod search;
mod segment;
mod summary;
#[cfg(test)]
mod tests;
mod told;
mod writer;

use std::{
    io,
    path::{Path, PathBuf},
};

use onenet_topology::{
    Timestamp,
    flow::{FlowCursor, FlowPage, FlowQuery},
};
use serde::{Deserialize, Serialize};

pub use feed::{FlowLog, FlowSink, LOT_FLOWS, Tell, Told};
pub use writer::Writer;

/// The folder of the log in the agent's data folder.
pub const FOLDER: &str = "flows";

/// Before 2020 there was no agent: a flow that seems older was logged by a clock that was wrong.
const PLAUSIBLE_FROM: Timestamp = Timestamp::from_unix_ms(1_577_836_800_000);

const DAY_MS: i64 = 86_400_000;

/// Where a log is, and what it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowLogConfig {
    /// Its folder.
    pub folder: PathBuf,
    /// The most bytes of its files.
    pub bytes_max: u64,
    /// How old flows may get, in milliseconds.
    pub age_max_ms: i64,
    /// The folder of the spool on the same disk, and the bytes that it may take: it comes first.
    pub spool: Option<(PathBuf, u64)>,
}

/// How a log is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLogStatus {
    /// Flows in it.
    pub flows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// The end of the oldest flow; absent: it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<Timestamp>,
    /// Whole days between the oldest and the latest flow.
    pub days: u32,
    /// How many days it is meant to hold.
    pub days_max: u32,
    /// Whether flows had to leave before that, for want of room, since the agent started.
    pub shortened: bool,
    /// Flows written to segments since the agent started.
    pub logged: u64,
    /// Flows lost since then because the writer was busy.
    pub lost_busy: u64,
    /// Flows lost since then because the disk was full or failed.
    pub lost_disk: u64,
    /// Whether the disk takes no more.
    pub disk_full: bool,
}

/// How far a page may go.
pub struct PageLimits<'a> {
    /// The most flows; the question's own limit counts too.
    pub flows: usize,
    /// Whether a page is small enough to be an answer. One with fewer flows must not be less so.
    pub fits: &'a dyn Fn(&FlowPage) -> bool,
    /// Asked before each block is read.
    pub go: &'a dyn Fn() -> Go,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Yes.
    On,
    /// No: time is up, what was found is a page.
    EndPage,
    /// No: nobody waits for it any more.
    Stop,
}

/// The log cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum FlowLogError {
    /// The folder cannot be opened for writing. Nothing is logged.
    #[error(
        "the flow log in {} cannot be opened: check that the folder belongs to the agent's user and that no other agent runs on it",
        folder.display()
    )]
    Open {
        /// The log's folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder was written by another version.
    #[error(
        "the flow log in {} has format {found}, this agent knows {}: move the folder away, or run the agent that wrote it",
        folder.display(),
        frame::FORMAT
    )]
    Format {
        /// The log's folder.
        folder: PathBuf,
        /// The version found.
        found: u32,
    },
    /// Flows cannot be written. Those of the present block are lost and counted.
    #[error("the flow log in {} cannot be written: check the disk", folder.display())]
    Write {
        /// The log's folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The disk is nearly full, and what is left is the spool's. Flows are lost and counted until there is room again.
    #[error(
        "the disk that holds the flow log {} is full: {free} bytes are free, {needed} must be for the spool and others; delete \
         something there, or move the data to another disk ([data] dir)",
        folder.display()
    )]
    DiskFull {
        /// The log's folder.
        folder: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes that must be free.
        needed: u64,
    },
    /// There is no log.
    #[error(
        "there is no flow log in {}: no agent has captured there yet; set [capture] interfaces and start it, or give its data \
         folder with --data",
        folder.display()
    )]
    NoLog {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The log cannot be read.
    #[error("the flow log in {} cannot be read: use sudo, or the agent's own user", folder.display())]
    Read {
        /// The log's folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The cursor was given by a log that is gone.
    #[error("the flow log was begun anew since the page before was read: ask again from the beginning")]
    AnotherLog,
    /// The question was given up.
    #[error("the question was given up before it was answered")]
    Cancelled,
}

/// Returns a page of the log in a folder, beside whoever writes it.
///
/// # Errors
/// There is no log, it cannot be read, or the question was given up.
pub fn page(
    folder: &Path,
    query: &FlowQuery,
    after: Option<FlowCursor>,
    limits: &PageLimits<'_>,
) -> Result<FlowPage, FlowLogError> {
    search::page(folder, query, after, limits)
}

/// Reads a frame of a segment as any bytes, for fuzzing. Returns how many flows it holds.
#[doc(hidden)]
pub fn read_frame(bytes: &[u8]) -> Option<u32> {
    let lump = lump::Lump::of(bytes)?;
    let query = everything(Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX));
    let mut flows = 0;
    lump.each(&query, &mut |row, _| {
        drop(row.flow());
        flows += 1;
    })
    .ok()?;
    Some(flows)
}

/// Reads a block that is put together of any summary and payload, with checksums that are right, for fuzzing: damage is tried
/// where it hurts. Returns how many flows it holds.
#[doc(hidden)]
pub fn read_parts(summary: &[u8], payload: &[u8]) -> Option<u32> {
    let packed = zstd::bulk::compress(payload, 1).ok()?;
    read_frame(&frame::encode(frame::Kind::Block, summary, &packed))
}

/// Returns the question for everything that went on in a time.
const fn everything(from: Timestamp, until: Timestamp) -> FlowQuery {
    FlowQuery {
        from,
        until,
        endpoint: None,
        peer: None,
        port: None,
        protocol: None,
        application: None,
        limit: u32::MAX,
    }
}

/// Returns the end of the oldest flow, and the whole days between it and the latest.
fn reach<'a>(infos: impl Iterator<Item = &'a segment::Info>) -> (Option<Timestamp>, u32) {
    let span = |span: summary::Span| Some((span.min_end, span.max_end)).filter(|_| !span.is_none());
    let all: Vec<(i64, i64)> = infos.filter_map(|info| span(info.true_span())).collect();
    let plausible = || all.iter().filter(|(_, latest)| *latest >= PLAUSIBLE_FROM.unix_ms());
    let any = plausible().next().is_some();
    let counted = || all.iter().filter(move |(_, latest)| !any || *latest >= PLAUSIBLE_FROM.unix_ms());
    let (first, last) = (counted().map(|it| it.0).min(), counted().map(|it| it.1).max());
    let days = first.zip(last).map_or(0, |(first, last)| last.saturating_sub(first) / DAY_MS);
    (first.map(Timestamp::from_unix_ms), u32::try_from(days).unwrap_or(u32::MAX))
}
