//! A window on a file, wide enough for one record.
//!
//! Invariant: never more than [`super::RECORD_MAX`] and one chunk in memory.

use std::io::Read;

use super::{
    RECORD_MAX,
    error::{Broken, Fault},
};

/// What is read from the file at a time.
const CHUNK: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Buffer<R> {
    source: R,
    bytes: Vec<u8>,
    /// Where in `bytes` the unread part begins, and where it ends.
    start: usize,
    end: usize,
    /// Bytes of the file before `start`.
    offset: u64,
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, bytes: vec![0; CHUNK], start: 0, end: 0, offset: 0 }
    }

    /// Returns how far the file has been read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the next `N` bytes without going past them; `None` when the file has no more than fewer.
    pub(super) fn peek<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Broken> {
        self.fill(N)?;
        Ok(self.unread().first_chunk().copied())
    }

    /// Goes past the next `N` bytes and returns them; `None` at the very end of the file.
    pub(super) fn take_or_end<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Broken> {
        self.fill(N)?;
        match self.unread() {
            [] => Ok(None),
            unread => match unread.first_chunk().copied() {
                Some(taken) => {
                    self.consume(N);
                    Ok(Some(taken))
                }
                None => Err(Fault::Truncated { expected: N, found: unread.len() }.into()),
            },
        }
    }

    /// Goes past the next `N` bytes and returns them.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        Ok(self.take_or_end()?.ok_or(Fault::Truncated { expected: N, found: 0 })?)
    }

    /// Goes past the next `length` bytes; [`Buffer::taken`] shows them until the next call.
    pub(super) fn advance(&mut self, length: usize) -> Result<(), Broken> {
        if length > RECORD_MAX + CHUNK {
            return Err(Fault::TooLong { stated: u64::try_from(length).unwrap_or(u64::MAX) }.into());
        }
        self.fill(length)?;
        let found = self.end - self.start;
        if found < length {
            return Err(Fault::Truncated { expected: length, found }.into());
        }
        self.consume(length);
        Ok(())
    }

    /// Goes past `length` bytes without looking at them, however many.
    pub(super) fn skip(&mut self, mut length: u64) -> Result<(), Broken> {
        while length > 0 {
            let step = usize::try_from(length).unwrap_or(CHUNK).min(CHUNK);
            self.advance(step)?;
            length -= step as u64;
        }
        Ok(())
    }

    /// Returns `length` bytes from `back` bytes before here on, of those that [`Buffer::advance`] went past last.
    pub(super) fn taken(&self, back: usize, length: usize) -> &[u8] {
        let past = self.start.checked_sub(back).and_then(|from| self.bytes.get(from..self.start));
        past.and_then(|past| past.get(..length)).unwrap_or_default()
    }

    /// Returns what has been read from the file and not been gone past.
    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Reads until `length` bytes are there, or the file ends.
    fn fill(&mut self, length: usize) -> Result<(), Broken> {
        if self.end - self.start >= length {
            return Ok(());
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
        while self.end < length {
            let Some(room) = self.bytes.get_mut(self.end..) else { break };
            match self.source.read(room) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
