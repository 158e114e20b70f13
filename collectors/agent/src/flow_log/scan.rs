//! Reading a file of the flow log frame by frame.
//!
//! Invariants: whatever the file holds, reading ends and takes bounded memory; what is damaged costs itself: a frame whose head
//! is good is stepped over, and after a damaged head the next good one is looked for.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use super::frame::{FILE_HEAD, HEAD, Head, Kind, MARKER};

/// How much is read at a time while a marker is looked for.
const LOOK_BYTES: usize = 64 << 10;

/// What stands at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A frame, with its summary, which is good. The payload was not looked at.
    Frame {
        /// Where its head is.
        at: u64,
        /// The head.
        head: Head,
        /// The summary.
        summary: Vec<u8>,
    },
    /// Bytes that say nothing.
    Damaged {
        /// How many.
        bytes: u64,
    },
    /// The file ends here within a frame: it was being written, or is cut off.
    Torn {
        /// Where the frame begins.
        at: u64,
    },
}

/// Reads from place to place.
pub(super) struct Scan<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl<'f> Scan<'f> {
    /// Returns the scan of a whole file, behind its head.
    pub(super) fn new(file: &'f File) -> io::Result<Self> {
        Ok(Self { file, at: FILE_HEAD as u64, end: file.metadata()?.len() })
    }

    /// Returns the scan of a file from a frame on.
    pub(super) fn from(file: &'f File, at: u64) -> io::Result<Self> {
        Ok(Self { file, at, end: file.metadata()?.len() })
    }

    /// Returns what stands at the next place, `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        let at = self.at;
        if at >= self.end {
            return Ok(None);
        }
        if self.end - at < HEAD as u64 {
            self.at = self.end;
            return Ok(Some(Found::Torn { at }));
        }
        let mut bytes = [0; HEAD];
        self.file.read_exact_at(&mut bytes, at)?;
        let Some(head) = Head::decode(&bytes) else { return self.search().map(Some) };
        let next = at + HEAD as u64 + head.body() as u64;
        if next > self.end {
            self.at = self.end;
            return Ok(Some(Found::Torn { at }));
        }
        self.at = next;
        let mut summary = vec![0; head.summary];
        self.file.read_exact_at(&mut summary, at + HEAD as u64)?;
        if head.is_summary(&summary) {
            Ok(Some(Found::Frame { at, head, summary }))
        } else {
            Ok(Some(Found::Damaged { bytes: next - at }))
        }
    }

    /// Looks for the next good head.
    fn search(&mut self) -> io::Result<Found> {
        let begun = self.at;
        let mut from = begun + 1;
        let mut bytes = Vec::new();
        while from < self.end {
            let length = usize::try_from(self.end - from).unwrap_or(usize::MAX).min(LOOK_BYTES);
            bytes.resize(length, 0);
            self.file.read_exact_at(&mut bytes, from)?;
            if let Some(place) = first_head(&bytes) {
                self.at = from + place as u64;
                return Ok(Found::Damaged { bytes: self.at - begun });
            }
            // A head may begin in the last bytes and end in the next ones.
            from += length.saturating_sub(HEAD - 1).max(1) as u64;
            if length < HEAD {
                break;
            }
        }
        self.at = self.end;
        Ok(Found::Torn { at: begun })
    }
}

fn first_head(bytes: &[u8]) -> Option<usize> {
    let places = bytes.windows(HEAD).enumerate();
    let mut heads = places.filter(|(_, window)| window.starts_with(&MARKER));
    heads.find(|(_, window)| window.first_chunk().is_some_and(|head| Head::decode(head).is_some())).map(|(at, _)| at)
}

/// Returns the payload of a frame at a place, `None` where it is damaged.
pub(super) fn payload(file: &File, at: u64, head: &Head) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; head.payload];
    match file.read_exact_at(&mut bytes, at + HEAD as u64 + head.summary as u64) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => Ok(head.is_payload(&bytes).then_some(bytes)),
    }
}

/// Returns the frame that ends the file if it is of this kind and its summary has this length.
pub(super) fn last(file: &File, kind: Kind, summary: usize) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len();
    let Some(at) = length.checked_sub((HEAD + summary) as u64).filter(|at| *at >= FILE_HEAD as u64) else {
        return Ok(None);
    };
    let mut bytes = vec![0; HEAD + summary];
    file.read_exact_at(&mut bytes, at)?;
    let Some((head, body)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    let head = Head::decode(head).filter(|head| head.kind == kind && head.payload == 0);
    Ok(head.filter(|head| head.is_summary(body)).map(|_| body.to_vec()))
}
