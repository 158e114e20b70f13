//! The pcap format: a header of 24 bytes, then for each frame 16 bytes and its bytes.

use std::io::Read;

use super::{
    Located, RECORD_MAX,
    buffer::Buffer,
    error::{Broken, Fault},
};
use crate::{FrameMeta, FrameTime, LinkType};

/// The part of the header's last field that is the link type; the rest tells of a checksum behind each frame.
const LINK_TYPE: u32 = 0x03ff_ffff;

/// An open pcap file.
#[derive(Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds in a unit of the fraction of a second.
    ns_per_unit: u32,
    link_type: LinkType,
}

impl Pcap {
    pub(super) fn open<R: Read>(buffer: &mut Buffer<R>, magic: [u8; 4]) -> Result<Self, Broken> {
        let (big_endian, ns_per_unit) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1_000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1_000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            magic => return Err(Fault::NotACapture { magic }.into()),
        };
        let [.., l0, l1, l2, l3] = buffer.take::<24>()?;
        let link = word(big_endian, [l0, l1, l2, l3]) & LINK_TYPE;
        Ok(Self { big_endian, ns_per_unit, link_type: LinkType::from_code(link) })
    }

    pub(super) fn next<R: Read>(&mut self, buffer: &mut Buffer<R>) -> Result<Option<Located>, Broken> {
        let Some(header) = buffer.take_or_end::<16>()? else { return Ok(None) };
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3] = header;
        let word = |bytes| word(self.big_endian, bytes);
        let captured = word([c0, c1, c2, c3]);
        let length = usize::try_from(captured).unwrap_or(usize::MAX);
        if length > RECORD_MAX {
            return Err(Fault::TooLong { stated: captured.into() }.into());
        }
        buffer.advance(length)?;
        let fraction = word([f0, f1, f2, f3]).saturating_mul(self.ns_per_unit);
        Ok(Some(Located {
            time: FrameTime::from_parts(word([s0, s1, s2, s3]).into(), fraction),
            link_type: self.link_type,
            wire_length: word([w0, w1, w2, w3]),
            outgoing: false,
            back: length,
            captured: length,
        }))
    }
}

impl Pcap {
    /// Shows the next frames, as far as they have been read from the file.
    pub(super) fn foresee(&self, mut unread: &[u8], most: usize, mut each: impl FnMut(LinkType, FrameMeta, &[u8])) {
        for _ in 0..most {
            let Some((&[_, _, _, _, _, _, _, _, c0, c1, c2, c3, w0, w1, w2, w3], rest)) = unread.split_first_chunk()
            else {
                return;
            };
            let word = |bytes| word(self.big_endian, bytes);
            let length = usize::try_from(word([c0, c1, c2, c3])).unwrap_or(usize::MAX);
            let Some((bytes, rest)) = rest.split_at_checked(length) else { return };
            each(self.link_type, FrameMeta::whole(word([w0, w1, w2, w3])), bytes);
            unread = rest;
        }
    }
}

pub(super) const fn word(big_endian: bool, bytes: [u8; 4]) -> u32 {
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}
