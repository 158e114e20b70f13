//! Flows as they are read back: one block, or a tail of small ones.
//!
//! Invariant: nothing is unpacked beyond what its summary said, which is bounded.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use onenet_topology::flow::FlowQuery;

use super::{
    frame::{FILE_HEAD, FileHead, Head, Kind, NoFileHead},
    rows::{Row, Rows, Undecodable},
    scan::{self, Found, Scan},
    segment,
    summary::{Span, Summary},
};

/// A block that is read.
#[derive(Debug)]
pub(super) struct Lump {
    pub(super) first: u64,
    pub(super) flows: u32,
    pub(super) span: Span,
    raw: usize,
    packed: Vec<u8>,
}

/// What has not filled a block yet.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) head: FileHead,
    pub(super) ahead_ms: Option<i64>,
    pub(super) lumps: Vec<Lump>,
}

impl Lump {
    /// Returns the block of a frame, `None` where it is damaged.
    pub(super) fn read(file: &File, at: u64, head: &Head, summary: &[u8]) -> io::Result<Option<Self>> {
        let Some(summary) = Summary::decode(summary) else { return Ok(None) };
        let Some(packed) = scan::payload(file, at, head)? else { return Ok(None) };
        let Summary { first, flows, span, raw, .. } = summary;
        Ok(Some(Self { first, flows, span, raw, packed }))
    }

    /// Returns the block of a frame in memory, `None` where it is damaged or something stands behind it.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let (head, body) = frame.split_first_chunk()?;
        let head = Head::decode(head).filter(|head| head.kind == Kind::Block)?;
        let (summary, packed) = body.split_at_checked(head.summary)?;
        if !head.is_summary(summary) || !head.is_payload(packed) {
            return None;
        }
        let Summary { first, flows, span, raw, .. } = Summary::decode(summary)?;
        Some(Self { first, flows, span, raw, packed: packed.to_vec() })
    }

    /// Hands over each flow that is wanted, with its number.
    pub(super) fn each(&self, query: &FlowQuery, found: &mut dyn FnMut(&Row<'_, '_>, u64)) -> Result<(), Undecodable> {
        let payload = zstd::bulk::decompress(&self.packed, self.raw).map_err(|_| Undecodable(usize::MAX))?;
        let mut rows = Rows::new(&payload, self.flows, query)?;
        let mut number = self.first;
        while let Some(row) = rows.next() {
            let (row, is_wanted) = row?;
            if is_wanted {
                found(&row, number);
            }
            number = number.saturating_add(1);
        }
        Ok(())
    }
}

impl Tail {
    /// Reads a tail, as far as it is written.
    pub(super) fn read(path: &Path) -> io::Result<Result<Self, NoFileHead>> {
        let file = File::open(path)?;
        let mut bytes = [0; FILE_HEAD];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Err(NoFileHead::Damaged)),
            Err(error) => return Err(error),
        }
        let head = match FileHead::decode(&bytes) {
            Ok(head) => head,
            Err(error) => return Ok(Err(error)),
        };
        let mut tail = Self { head, ahead_ms: None, lumps: Vec::new() };
        let mut scan = Scan::new(&file)?;
        while let Some(found) = scan.next()? {
            let Found::Frame { at, head, summary } = found else { continue };
            match head.kind {
                Kind::Block => tail.lumps.extend(Lump::read(&file, at, &head, &summary)?),
                Kind::Clock => tail.ahead_ms = segment::ahead_of(&summary).or(tail.ahead_ms),
                Kind::End => {}
            }
        }
        Ok(Ok(tail))
    }

    /// Returns the number after its last flow.
    pub(super) fn next(&self) -> u64 {
        self.lumps.iter().map(|lump| lump.first.saturating_add(lump.flows.into())).max().unwrap_or(self.head.first)
    }
}
