//! The frames that files of the flow log are made of, and the head of a file.
//!
//! Invariant: whatever is read was written so: each part has a checksum of its own, so that what a block holds is known from its
//! summary without reading it, and a lump that is damaged is stepped over. Pure; it knows no file.
//!
//! Format; numbers are little endian, checksums the low 64 bits of XXH3:
//!
//! | head of a file | bytes |
//! |---|---|
//! | `onetflow` | 8 |
//! | version of the format: 1 | 4 |
//! | zero | 4 |
//! | the log: random, chosen when it was begun | 8 |
//! | the run of the agent that wrote the file: random | 8 |
//! | number of the first flow | 8 |
//! | checksum of the above | 8 |
//!
//! | head of a frame | bytes |
//! |---|---|
//! | `d1 f7 0c b1` | 4 |
//! | kind: 1 block, 2 clock, 3 end of a segment | 1 |
//! | zero | 3 |
//! | length of the summary, of the payload | 4, 4 |
//! | checksum of the summary, of the payload | 8, 8 |
//! | checksum of the above | 8 |
//!
//! then the summary and the payload.

use xxhash_rust::xxh3::xxh3_64;

/// Version of the format on disk.
pub(super) const FORMAT: u32 = 1;
/// How a file begins.
const MAGIC: [u8; 8] = *b"onetflow";
/// How a frame begins: no text, and unlikely in compressed data.
pub(super) const MARKER: [u8; 4] = [0xd1, 0xf7, 0x0c, 0xb1];
/// Length of a file's head.
pub(super) const FILE_HEAD: usize = 48;
/// Length of a frame's head.
pub(super) const HEAD: usize = 40;
/// The most bytes of a summary.
pub(super) const SUMMARY_MAX: usize = 64 << 10;
/// The most bytes of a payload, compressed or not.
pub(super) const PAYLOAD_MAX: usize = 4 << 20;

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileHead {
    pub(super) log: u64,
    pub(super) run: u64,
    pub(super) first: u64,
}

/// The beginning of a file is not a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFileHead {
    /// It is damaged, or was never written whole.
    Damaged,
    /// It is of another version of the format.
    Format(u32),
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Flows.
    Block,
    /// How far the agent's clock is ahead of the centre's.
    Clock,
    /// What a segment adds up to; nothing follows.
    End,
}

/// What a frame says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) summary: usize,
    pub(super) payload: usize,
    summary_check: u64,
    payload_check: u64,
}

impl FileHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FILE_HEAD);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        for number in [self.log, self.run, self.first] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let check = xxh3_64(&bytes);
        bytes.extend_from_slice(&check.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; FILE_HEAD]) -> Result<Self, NoFileHead> {
        let (body, check) = bytes.split_at(FILE_HEAD - 8);
        let mut rest = check;
        if take_u64(&mut rest) != Some(xxh3_64(body)) {
            return Err(NoFileHead::Damaged);
        }
        let mut rest = body.strip_prefix(&MAGIC).ok_or(NoFileHead::Damaged)?;
        match take_u32(&mut rest).zip(take_u32(&mut rest)) {
            Some((FORMAT, _)) => {}
            Some((other, _)) => return Err(NoFileHead::Format(other)),
            None => return Err(NoFileHead::Damaged),
        }
        let numbers = (take_u64(&mut rest), take_u64(&mut rest), take_u64(&mut rest));
        let (Some(log), Some(run), Some(first)) = numbers else { return Err(NoFileHead::Damaged) };
        Ok(Self { log, run, first })
    }
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Block => 1,
            Self::Clock => 2,
            Self::End => 3,
        }
    }
}

impl Head {
    /// Returns the bytes from a frame's head to its end.
    pub(super) const fn body(&self) -> usize {
        self.summary.saturating_add(self.payload)
    }

    pub(super) fn decode(bytes: &[u8; HEAD]) -> Option<Self> {
        let (body, mut check) = bytes.split_at(HEAD - 8);
        if take_u64(&mut check)? != xxh3_64(body) {
            return None;
        }
        let mut rest = body.strip_prefix(&MARKER)?;
        let kind = match take_u32(&mut rest)? {
            1 => Kind::Block,
            2 => Kind::Clock,
            3 => Kind::End,
            _ => return None,
        };
        let summary = usize::try_from(take_u32(&mut rest)?).ok().filter(|length| *length <= SUMMARY_MAX)?;
        let payload = usize::try_from(take_u32(&mut rest)?).ok().filter(|length| *length <= PAYLOAD_MAX)?;
        let (summary_check, payload_check) = (take_u64(&mut rest)?, take_u64(&mut rest)?);
        Some(Self { kind, summary, payload, summary_check, payload_check })
    }

    pub(super) fn is_summary(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.summary && xxh3_64(bytes) == self.summary_check
    }

    pub(super) fn is_payload(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.payload && xxh3_64(bytes) == self.payload_check
    }
}

/// Returns a frame.
pub(super) fn encode(kind: Kind, summary: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD.saturating_add(summary.len()).saturating_add(payload.len()));
    bytes.extend_from_slice(&MARKER);
    bytes.extend_from_slice(&u32::from(kind.number()).to_le_bytes());
    for part in [summary, payload] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    for part in [summary, payload] {
        bytes.extend_from_slice(&xxh3_64(part).to_le_bytes());
    }
    let check = xxh3_64(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes.extend_from_slice(summary);
    bytes.extend_from_slice(payload);
    bytes
}

/// Takes a number from the front.
pub(super) fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_no_bit_of_it_may_change() {
        let frame = encode(Kind::Block, b"summary", b"payload!");
        let head: [u8; HEAD] = *frame.first_chunk().unwrap();
        let read = Head::decode(&head).unwrap();
        assert_eq!((read.kind, read.summary, read.payload, read.body()), (Kind::Block, 7, 8, 15));
        assert!(read.is_summary(b"summary") && read.is_payload(b"payload!"));
        assert!(!read.is_summary(b"Summary") && !read.is_payload(b"payload"));
        for bit in 0..HEAD * 8 {
            let mut damaged = head;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_file_of_another_format_is_told_from_a_damaged_one() {
        let head = FileHead { log: 1, run: 2, first: 3 };
        let bytes: [u8; FILE_HEAD] = head.encode().try_into().unwrap();
        assert_eq!(FileHead::decode(&bytes), Ok(head));
        let mut other = bytes;
        other[8] = 9;
        assert_eq!(FileHead::decode(&other), Err(NoFileHead::Damaged));
        let check = xxh3_64(&other[..FILE_HEAD - 8]);
        other[FILE_HEAD - 8..].copy_from_slice(&check.to_le_bytes());
        assert_eq!(FileHead::decode(&other), Err(NoFileHead::Format(9)));
    }
}
