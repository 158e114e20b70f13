//! Bringing into order what a run of the agent left when it was killed.
//!
//! Invariants: what was whole in a file stays found; torn ends are cut off; the flows of a tail become a block, and only then the
//! tail is removed. Nothing is removed for want of room: what cannot be brought into order now is left as it is, where reading finds
//! it too.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use onenet_topology::{Timestamp, flow::Flow};

use super::{
    FlowLogError, block, everything,
    frame::{self, FileHead, Kind, NoFileHead},
    lump::Tail,
    segment::{self, Check, Files, Info},
    summary::{self, Findable, Lost, Summary},
    writer::{append, create, sync_folder},
};

/// What is there.
pub(super) struct Recovered {
    pub(super) log: u64,
    /// In order, none of them written any more.
    pub(super) segments: Vec<Info>,
    /// Number of the next flow.
    pub(super) next: u64,
    /// Tails whose flows found no room in a segment.
    pub(super) left_over: Vec<PathBuf>,
}

/// Brings the files of a folder into order. `new_log` names the log if there is none.
pub(super) fn recover(folder: &Path, new_log: u64) -> Result<Recovered, FlowLogError> {
    let failed = |source| FlowLogError::Open { folder: folder.to_owned(), source };
    let files = Files::of(folder).map_err(failed)?;
    let mut segments = Vec::new();
    for path in files.segments {
        let file = fs::OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        match segment::read(&path, &file, Check::Payloads).map_err(failed)? {
            Ok(read) => segments.push((read.info, file, read.good_until)),
            Err(NoFileHead::Format(found)) => return Err(FlowLogError::Format { folder: folder.to_owned(), found }),
            // It was being made.
            Err(NoFileHead::Damaged) => fs::remove_file(&path).map_err(failed)?,
        }
    }
    for (info, file, good_until) in &mut segments {
        if !info.sealed && info.bytes > *good_until {
            file.set_len(*good_until).map_err(failed)?;
            info.bytes = *good_until;
        }
    }
    let mut left_over = Vec::new();
    let mut next = segments.iter().map(|(info, ..)| info.next).max().unwrap_or(1);
    for path in files.tails {
        let tail = match Tail::read(&path).map_err(failed)? {
            Ok(tail) => tail,
            Err(NoFileHead::Format(found)) => return Err(FlowLogError::Format { folder: folder.to_owned(), found }),
            Err(NoFileHead::Damaged) => {
                fs::remove_file(&path).map_err(failed)?;
                continue;
            }
        };
        let until = tail.next();
        if keep(folder, &tail, next, &mut segments).is_ok() {
            fs::remove_file(&path).map_err(failed)?;
        } else {
            left_over.push(path);
        }
        next = next.max(until);
    }
    for (info, file, _) in &mut segments {
        end(info, file);
    }
    let log = segments.iter().map(|(info, ..)| info.head.log).find(|log| *log != 0);
    let mut segments: Vec<Info> = segments.into_iter().map(|(info, ..)| info).collect();
    segment::lend_clocks(&mut segments);
    Ok(Recovered { log: log.unwrap_or(new_log), segments, next, left_over })
}

/// Writes the flows of a tail, as far as they are not in a segment yet, as a block of its run's segment.
fn keep(folder: &Path, tail: &Tail, next: u64, segments: &mut Vec<(Info, File, u64)>) -> io::Result<()> {
    let flows = flows(tail, next);
    if flows.is_empty() {
        return Ok(());
    }
    let first = next.max(tail.head.first);
    if segments.last().is_none_or(|(info, ..)| info.sealed || info.head.run != tail.head.run) {
        let head = FileHead { first, ..tail.head };
        let path = segment::segment_path(folder, first);
        let (mut file, mut info) = (create(&path)?, Info::new(path, head));
        append(&mut file, &mut info.bytes, &head.encode())?;
        sync_folder(folder)?;
        segments.push((info, file, 0));
    }
    let Some((info, file, _)) = segments.last_mut() else { return Ok(()) };
    let payload = block::encode(&flows);
    let summary = summary::encode(first, &flows, Lost::default(), payload.len(), Findable::Yes);
    let packed = zstd::bulk::compress(&payload, zstd::DEFAULT_COMPRESSION_LEVEL)?;
    append(file, &mut info.bytes, &frame::encode(Kind::Block, &summary, &packed))?;
    if let Some(ahead_ms) = tail.ahead_ms.filter(|ahead| info.ahead_ms != Some(*ahead)) {
        append(file, &mut info.bytes, &frame::encode(Kind::Clock, &segment::clock(ahead_ms), &[]))?;
        info.ahead_ms = Some(ahead_ms);
    }
    file.sync_data()?;
    if let Some(summary) = Summary::decode(&summary) {
        info.add(&summary);
    }
    Ok(())
}

fn flows(tail: &Tail, next: u64) -> Vec<Flow> {
    let query = everything(Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX));
    let mut flows = Vec::new();
    for lump in tail.lumps.iter().filter(|lump| lump.first >= next) {
        // What is damaged in a tail is gone with it.
        let _ = lump.each(&query, &mut |row, _| flows.push(row.flow()));
    }
    flows
}

/// Ends a segment that was being written. Where the disk takes no more it stays as it is, and is read frame by frame.
fn end(info: &mut Info, file: &mut File) {
    if !info.sealed {
        let frame = frame::encode(Kind::End, &info.end(), &[]);
        let ended = append(file, &mut info.bytes, &frame);
        info.sealed = ended.and_then(|()| file.sync_all()).is_ok();
    }
}
