//! A block of frames as the kernel lays it out (`TPACKET_V3`).
//!
//! Invariant: everything is read as bytes with checked bounds, so that not even a kernel gone wrong can make us read elsewhere.
//! Whatever does not fit in the block ends it.
//!
//! Format, in the host's byte order: `struct tpacket_block_desc`, then for each frame `struct tpacket3_hdr`, `struct sockaddr_ll`,
//! and right before the frame's bytes, where it was asked for, `struct virtio_net_hdr`.

use onenet_topology::MacAddr;

use crate::{
    FrameMeta, FrameTime, LinkType, Listener, VlanTag,
    decode::{Content, Packet, Transport},
    listener::AHEAD,
};

/// Offsets in a block's header.
pub(super) const BLOCK_FRAMES: usize = 12;
pub(super) const BLOCK_FIRST: usize = 16;
/// Length of a frame's header; the link-layer address follows it.
const FRAME_HEADER: usize = size_of::<libc::tpacket3_hdr>();
const HARDWARE_TYPE: usize = FRAME_HEADER + 8;
const PACKET_TYPE: usize = FRAME_HEADER + 10;
/// Length of `struct virtio_net_hdr`, and where it has the kind of offload and the size of a segment.
const OFFLOAD_HEADER: usize = 10;
const OFFLOAD_KIND: usize = 1;
const SEGMENT_BYTES: usize = 4;

/// How the frames of one interface are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Frames that this host sent come in a second time.
    pub(super) is_loopback: bool,
    /// This host's MAC addresses: what goes out from another was forwarded, not sent.
    pub(super) own: Vec<MacAddr>,
    /// The kernel says which frames were put together of several.
    pub(super) has_offload_header: bool,
}

/// What was in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Block {
    /// Frames handed over.
    pub(super) frames: usize,
    /// Of those, the ones of which bytes are missing.
    pub(super) cut: u64,
    /// Of those, the ones that were put together of several.
    pub(super) merged: u64,
}

/// Hands the frames of a block to a listener.
#[inline]
pub(super) fn read(block: &[u8], reading: &Reading, listener: &mut impl Listener) -> Block {
    let frames = word(block, BLOCK_FRAMES).unwrap_or(0);
    let mut rest = word(block, BLOCK_FIRST).and_then(|first| block.get(first as usize..)).unwrap_or_default();
    let mut found = Block::default();
    for number in 0..frames as usize {
        if number.is_multiple_of(AHEAD) {
            foresee(rest, reading, listener);
            listener.prepare();
        }
        let Some(mut frame) = RingFrame::read(rest, reading) else { break };
        if !(reading.is_loopback && frame.meta.outgoing) {
            frame.meta.outgoing &= frame.link_type != LinkType::Ethernet || frame.is_from(&reading.own);
            found.frames += 1;
            found.cut += u64::from(frame.is_cut);
            found.merged += u64::from(frame.meta.segments > 1);
            listener.frame(frame.time, frame.link_type, frame.meta, frame.bytes);
        }
        match frame.next(rest) {
            Some(next) => rest = next,
            None => break,
        }
    }
    found
}

/// Tells a listener of the next frames. Behind the last one is what an earlier filling of the block left, which does no harm.
#[inline]
fn foresee(mut rest: &[u8], reading: &Reading, listener: &mut impl Listener) {
    for _ in 0..AHEAD {
        let Some(frame) = RingFrame::read(rest, reading) else { return };
        listener.foresee(frame.link_type, frame.meta, frame.bytes);
        match frame.next(rest) {
            Some(next) => rest = next,
            None => return,
        }
    }
}

struct RingFrame<'a> {
    next_offset: u32,
    time: FrameTime,
    link_type: LinkType,
    meta: FrameMeta,
    is_cut: bool,
    bytes: &'a [u8],
}

impl<'a> RingFrame<'a> {
    /// Reads a frame's header and finds its bytes.
    #[inline]
    fn read(at: &'a [u8], reading: &Reading) -> Option<Self> {
        let (header, _) = at.split_at_checked(FRAME_HEADER + 12)?;
        let status = word(header, 20)?;
        let start = usize::from(half(header, 24)?);
        let captured = word(header, 12)?;
        let bytes = at.get(start..)?.get(..captured as usize)?;
        let tagged = status & libc::TP_STATUS_VLAN_VALID != 0;
        let vlan = if tagged {
            let stated = (status & libc::TP_STATUS_VLAN_TPID_VALID != 0).then(|| half(header, 36)).flatten();
            let control = u16::try_from(word(header, 32)? & 0xffff).ok()?;
            Some(VlanTag { protocol: stated.unwrap_or(0x8100), control })
        } else {
            None
        };
        let length = word(header, 16)?;
        let link_type = LinkType::from_hardware_type(half(header, HARDWARE_TYPE)?);
        // The tag was on the wire, and is not in the kernel's length.
        let wire_length = length.saturating_add(if tagged { 4 } else { 0 });
        let outgoing = *header.get(PACKET_TYPE)? == libc::PACKET_OUTGOING;
        let mut meta = FrameMeta { wire_length, vlan, outgoing, ..FrameMeta::whole(wire_length) };
        if reading.has_offload_header {
            let offload = at.get(start.checked_sub(OFFLOAD_HEADER)?..start)?;
            if *offload.get(OFFLOAD_KIND)? != 0 {
                (meta.segments, meta.headers) = segments(half(offload, SEGMENT_BYTES)?, link_type, meta, bytes);
            }
        }
        Some(Self {
            next_offset: word(header, 0)?,
            time: FrameTime::from_parts(word(header, 4)?.into(), word(header, 8)?),
            link_type,
            meta,
            is_cut: captured < length,
            bytes,
        })
    }

    /// Returns what begins with the next frame, where `rest` begins with this one.
    #[inline]
    fn next<'b>(&self, rest: &'b [u8]) -> Option<&'b [u8]> {
        rest.get(self.next_offset as usize..).filter(|_| self.next_offset != 0)
    }

    /// Returns whether an Ethernet frame's source is one of these.
    fn is_from(&self, macs: &[MacAddr]) -> bool {
        let source = self.bytes.get(6..).and_then(|bytes| bytes.first_chunk());
        source.is_some_and(|octets| macs.contains(&MacAddr(*octets)))
    }
}

/// Returns of how many frames this one was put together, each with so much payload, and how long the headers of each were.
#[cold]
fn segments(segment_bytes: u16, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) -> (u16, u16) {
    let Some(headers) = headers(link_type, meta, bytes) else { return (1, 0) };
    let payload = meta.wire_length.saturating_sub(u32::from(headers));
    let segments = payload.div_ceil(u32::from(segment_bytes).max(1)).max(1);
    (u16::try_from(segments).unwrap_or(u16::MAX), headers)
}

/// Returns the length of everything in front of a segment's payload, as it was on the wire.
fn headers(link_type: LinkType, meta: FrameMeta, bytes: &[u8]) -> Option<u16> {
    let Content::Ip(ip) = Packet::parse(link_type, meta, bytes).ok()?.content else { return None };
    let payload = match ip.transport {
        Transport::Tcp(tcp) => tcp.payload,
        Transport::Udp(udp) => udp.payload,
        _ => return None,
    };
    let tag = if meta.vlan.is_some() { 4 } else { 0 };
    u16::try_from(bytes.len().checked_sub(payload.len())?.checked_add(tag)?).ok()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|half| u16::from_ne_bytes(*half))
}
