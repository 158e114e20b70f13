//! The memory of recent packets: one piece, written round and round.
//!
//! Invariants: nothing is allocated after the beginning; a packet is whole or not there; the oldest leave for the newest.
//!
//! Format: records one after the other, each beginning at a multiple of eight with a head of [`HEAD`] bytes, then the packet's
//! bytes. A record never runs over the end: what is left there is skipped.

use crate::{FrameMeta, FrameTime, LinkType, VlanTag};

/// Bytes in front of each packet: length of the record and of the packet's bytes, time, length on the wire, link type, tag, flags.
const HEAD: usize = 32;
const ALIGN: usize = 8;

const TAGGED: u32 = 1;
const OUTGOING: u32 = 2;

/// Recent packets.
#[derive(Debug)]
pub(super) struct Store {
    memory: Box<[u8]>,
    snap_length: usize,
    /// Where the oldest record begins, and the next one will. They are the same when it is empty.
    oldest: usize,
    next: usize,
    /// Where the records end that stand before the memory's own end, while newer ones stand at its beginning.
    wrapped: Option<usize>,
}

/// A packet that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept<'a> {
    pub(super) time: FrameTime,
    pub(super) link_type: LinkType,
    pub(super) meta: FrameMeta,
    pub(super) bytes: &'a [u8],
}

impl Store {
    /// Returns an empty store of about so many bytes, of each packet at most `snap_length`.
    pub(super) fn new(bytes: usize, snap_length: usize) -> Self {
        // Room for a few packets in any case.
        let bytes = bytes.max(4 * (HEAD + snap_length)).next_multiple_of(ALIGN);
        Self { memory: vec![0; bytes].into_boxed_slice(), snap_length, oldest: 0, next: 0, wrapped: None }
    }

    /// Keeps a packet.
    #[inline]
    pub(super) fn keep(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        let Some(code) = link_type.code() else { return };
        let bytes = bytes.get(..self.snap_length).unwrap_or(bytes);
        let length = (HEAD + bytes.len()).next_multiple_of(ALIGN);
        self.make_room(length);
        let Some(record) = self.memory.get_mut(self.next..).and_then(|rest| rest.get_mut(..length)) else { return };
        let (head, body) = record.split_at_mut(HEAD);
        let (tag, tagged) =
            meta.vlan.map_or((0, 0), |tag| (u32::from(tag.protocol) << 16 | u32::from(tag.control), TAGGED));
        let words = [
            small(length),
            small(bytes.len()),
            meta.wire_length,
            code,
            tag,
            tagged | if meta.outgoing { OUTGOING } else { 0 },
        ];
        let (fields, stamp) = head.split_at_mut(HEAD - 8);
        for (to, word) in fields.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        stamp.copy_from_slice(&time.unix_ns().to_ne_bytes());
        if let Some(body) = body.get_mut(..bytes.len()) {
            body.copy_from_slice(bytes);
        }
        self.next += length;
    }

    /// Returns the packets, oldest first as they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = Kept<'_>> {
        let (first, second) = match self.wrapped {
            Some(end) => (self.oldest..end, 0..self.next),
            None => (self.oldest..self.next, 0..0),
        };
        [first, second].into_iter().flat_map(|range| {
            let mut rest = self.memory.get(range).unwrap_or_default();
            std::iter::from_fn(move || {
                let (kept, after) = read(rest)?;
                rest = after;
                Some(kept)
            })
        })
    }

    /// Has the next record begin where `length` bytes are free.
    #[inline]
    fn make_room(&mut self, length: usize) {
        if self.memory.len() - self.next < length {
            // What is still older than the end goes: the newest begin at the front again.
            if self.wrapped.is_some() {
                self.oldest = 0;
            }
            self.wrapped = Some(self.next);
            self.next = 0;
        }
        while let Some(end) = self.wrapped {
            if self.oldest >= end {
                (self.oldest, self.wrapped) = (0, None);
            } else if self.oldest - self.next < length {
                self.oldest += self.length_at(self.oldest).unwrap_or(end - self.oldest);
            } else {
                break;
            }
        }
    }

    fn length_at(&self, at: usize) -> Option<usize> {
        let word = self.memory.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_ne_bytes(*word)).ok().filter(|length| *length >= HEAD)
    }
}

fn read(records: &[u8]) -> Option<(Kept<'_>, &[u8])> {
    let word = |at: usize| records.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word));
    let length = usize::try_from(word(0)?).ok()?;
    let (record, after) = records.split_at_checked(length.max(HEAD))?;
    let bytes = record.get(HEAD..)?.get(..usize::try_from(word(4)?).ok()?)?;
    let (tag, flags) = (word(16)?, word(20)?);
    let half = |value: u32| u16::try_from(value & 0xffff).unwrap_or_default();
    let vlan = (flags & TAGGED != 0).then(|| VlanTag { protocol: half(tag >> 16), control: half(tag) });
    let whole = FrameMeta::whole(word(8)?);
    let time = i64::from_ne_bytes(*record.get(HEAD - 8..)?.first_chunk()?);
    let kept = Kept {
        time: FrameTime::from_unix_ns(time),
        link_type: LinkType::from_code(word(12)?),
        meta: FrameMeta { vlan, outgoing: flags & OUTGOING != 0, ..whole },
        bytes,
    };
    Some((kept, after))
}

fn small(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(number: u32, length: usize) -> (FrameTime, FrameMeta, Vec<u8>) {
        let vlan = number.is_multiple_of(3).then_some(VlanTag { protocol: 0x88a8, control: 0x6123 });
        let meta = FrameMeta { vlan, outgoing: number.is_multiple_of(2), ..FrameMeta::whole(small(length)) };
        (FrameTime::from_unix_ns(i64::from(number) - 3), meta, vec![number.to_le_bytes()[0]; length])
    }

    proptest! {
        #[test]
        fn the_newest_packets_are_there_whole_and_in_order(lengths in prop::collection::vec(0_usize..300, 0..200)) {
            const BYTES: usize = 2_000;
            const SNAP: usize = 200;
            let mut store = Store::new(BYTES, SNAP);
            let mut all = Vec::new();
            for (number, length) in (0..).zip(lengths) {
                let (time, meta, bytes) = packet(number, length);
                store.keep(time, LinkType::Ethernet, meta, &bytes);
                all.push((time, meta, bytes));
                let kept: Vec<_> = store.iter().collect();
                // All of them as long as they fit; then at least half of the memory is used.
                let fits: usize = all.iter().map(|one| (HEAD + one.2.len().min(SNAP)).next_multiple_of(ALIGN)).sum();
                prop_assert!(kept.len() == all.len() || fits > BYTES / 2);
                let held: usize = kept.iter().map(|one| HEAD + one.bytes.len()).sum();
                prop_assert!(kept.len() == all.len() || held > BYTES / 2, "{held} bytes are held");
                for (one, (time, meta, bytes)) in kept.iter().zip(&all[all.len() - kept.len()..]) {
                    prop_assert_eq!(one.time, *time);
                    prop_assert_eq!(one.meta, *meta);
                    prop_assert_eq!(one.bytes, &bytes[..bytes.len().min(SNAP)]);
                }
            }
        }
    }

    #[test]
    fn a_packet_of_a_link_type_that_no_file_can_name_is_not_kept() {
        let mut store = Store::new(0, 100);
        store.keep(FrameTime::default(), LinkType::from_hardware_type(999), FrameMeta::whole(4), &[1; 4]);
        assert_eq!(store.iter().count(), 0);
        store.keep(FrameTime::default(), LinkType::from_hardware_type(65_534), FrameMeta::whole(4), &[0x45; 4]);
        assert_eq!(store.iter().map(|kept| kept.link_type).collect::<Vec<_>>(), [LinkType::RawIp]);
    }
}
