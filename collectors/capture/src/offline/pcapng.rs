//! The pcapng format: sections of blocks; interfaces say how frames are to be read, frames name their interface.
//!
//! Blocks of other kinds are skipped. A section may change the byte order and forgets the interfaces before it.

use std::io::Read;

use super::{
    Located, RECORD_MAX,
    buffer::Buffer,
    error::{Broken, Fault},
    pcap::word,
};
use crate::{FrameTime, LinkType};

/// Kind of a section header, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const KIND_SECTION: u32 = 0x0a0d_0d0a;
const KIND_INTERFACE: u32 = 1;
const KIND_PACKET: u32 = 2;
const KIND_SIMPLE: u32 = 3;
const KIND_ENHANCED: u32 = 6;

/// The most interfaces of a section.
const INTERFACES_MAX: usize = 4_096;
const NS_PER_S: i128 = 1_000_000_000;
/// A block's kind, its length, and its length again at its end.
const FRAME_BYTES: usize = 12;

/// An open pcapng file.
#[derive(Debug)]
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Time of the last frame: simple packets have none of their own.
    time: FrameTime,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: LinkType,
    snap_length: u32,
    resolution: Resolution,
    offset_s: i64,
}

/// How many units of a time stamp make a second.
#[derive(Debug, Clone, Copy)]
enum Resolution {
    PowerOfTen(u32),
    PowerOfTwo(u32),
}

impl PcapNg {
    pub(super) fn new() -> Self {
        Self { big_endian: false, interfaces: Vec::new(), time: FrameTime::default() }
    }

    pub(super) fn next<R: Read>(&mut self, buffer: &mut Buffer<R>) -> Result<Option<Located>, Broken> {
        loop {
            let Some(kind) = buffer.take_or_end::<4>()? else { return Ok(None) };
            if kind == SECTION {
                self.open_section(buffer)?;
                continue;
            }
            let kind = word(self.big_endian, kind);
            let stated = word(self.big_endian, buffer.take::<4>()?);
            let length = body_length(kind, stated)?;
            if !matches!(kind, KIND_INTERFACE | KIND_PACKET | KIND_SIMPLE | KIND_ENHANCED) {
                buffer.skip(length as u64)?;
                self.close_block(kind, stated, buffer)?;
                continue;
            }
            buffer.advance(length + 4)?;
            let (body, trailer) =
                buffer.taken(length + 4, length + 4).split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
            if word(self.big_endian, *trailer) != stated {
                return Err(malformed(kind, "the lengths at its two ends differ"));
            }
            if let Some(located) = self.read(kind, body)? {
                self.time = located.time;
                return Ok(Some(located));
            }
        }
    }

    /// Reads an interface, which gives no frame, or a packet.
    fn read(&mut self, kind: u32, body: &[u8]) -> Result<Option<Located>, Broken> {
        let packet = match kind {
            KIND_ENHANCED => self.enhanced(body),
            KIND_PACKET => self.obsolete(body),
            KIND_SIMPLE => self.simple(body),
            _ => {
                let interface = self.interface(body).ok_or_else(|| malformed(kind, "it is too short"))?;
                if self.interfaces.len() >= INTERFACES_MAX {
                    return Err(malformed(kind, "there are more interfaces than any machine has"));
                }
                self.interfaces.push(interface);
                return Ok(None);
            }
        };
        packet.map(Some).ok_or_else(|| malformed(kind, "it names no interface, or is shorter than its frame"))
    }

    /// Reads a section header behind its kind: length, byte order mark, version, length of the section, options.
    fn open_section<R: Read>(&mut self, buffer: &mut Buffer<R>) -> Result<(), Broken> {
        let length = buffer.take::<4>()?;
        self.big_endian = match buffer.take::<4>()? {
            [0x1a, 0x2b, 0x3c, 0x4d] => true,
            [0x4d, 0x3c, 0x2b, 0x1a] => false,
            _ => return Err(malformed(KIND_SECTION, "its byte order mark is unknown")),
        };
        self.interfaces.clear();
        let stated = word(self.big_endian, length);
        let body = body_length(KIND_SECTION, stated)?;
        let rest = body.checked_sub(4).ok_or_else(|| malformed(KIND_SECTION, "it is too short"))?;
        buffer.skip(rest as u64)?;
        self.close_block(KIND_SECTION, stated, buffer)
    }

    fn close_block<R: Read>(&self, kind: u32, stated: u32, buffer: &mut Buffer<R>) -> Result<(), Broken> {
        if word(self.big_endian, buffer.take::<4>()?) == stated {
            Ok(())
        } else {
            Err(malformed(kind, "the lengths at its two ends differ"))
        }
    }

    /// Link type, reserved, snap length, options.
    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let (&[l0, l1, _, _, s0, s1, s2, s3], options) = body.split_first_chunk()?;
        let mut interface = Interface {
            link_type: LinkType::from_code(self.half(l0, l1).into()),
            snap_length: word(self.big_endian, [s0, s1, s2, s3]),
            resolution: Resolution::PowerOfTen(6),
            offset_s: 0,
        };
        self.each_option(options, |code, value| match (code, value) {
            (9, &[resolution]) => interface.resolution = Resolution::from_option(resolution),
            (14, value) => {
                if let Ok(value) = <[u8; 8]>::try_from(value) {
                    interface.offset_s =
                        if self.big_endian { i64::from_be_bytes(value) } else { i64::from_le_bytes(value) };
                }
            }
            _ => {}
        });
        Some(interface)
    }

    /// Interface, time (two words, high first), captured length, wire length, bytes, options.
    fn enhanced(&self, body: &[u8]) -> Option<Located> {
        let (&[i0, i1, i2, i3, fixed @ ..], _) = body.split_first_chunk::<20>()?;
        self.packet(word(self.big_endian, [i0, i1, i2, i3]), &fixed, body)
    }

    /// As an enhanced packet, but for an interface of two bytes and a count of drops (obsolete since 2004).
    fn obsolete(&self, body: &[u8]) -> Option<Located> {
        let (&[i0, i1, _, _, fixed @ ..], _) = body.split_first_chunk::<20>()?;
        self.packet(self.half(i0, i1).into(), &fixed, body)
    }

    fn packet(&self, interface: u32, fixed: &[u8; 16], body: &[u8]) -> Option<Located> {
        let [h0, h1, h2, h3, t0, t1, t2, t3, c0, c1, c2, c3, w0, w1, w2, w3] = *fixed;
        let word = |bytes| word(self.big_endian, bytes);
        let interface = self.interfaces.get(usize::try_from(interface).ok()?)?;
        let captured = usize::try_from(word([c0, c1, c2, c3])).ok()?;
        let rest = body.get(20..)?;
        rest.get(..captured)?;
        let mut outgoing = false;
        let options = rest.get(captured.checked_next_multiple_of(4)?..).unwrap_or_default();
        self.each_option(options, |code, value| {
            // Flags: the two lowest bits are the direction, 2 for outbound.
            if let (2, Ok(flags)) = (code, <[u8; 4]>::try_from(value)) {
                outgoing = word(flags) & 3 == 2;
            }
        });
        let units = u64::from(word([h0, h1, h2, h3])) << 32 | u64::from(word([t0, t1, t2, t3]));
        Some(Located {
            time: interface.time(units),
            link_type: interface.link_type,
            wire_length: word([w0, w1, w2, w3]),
            outgoing,
            back: rest.len() + 4,
            captured,
        })
    }

    /// Wire length and bytes; the interface is the first one, and there is no time.
    fn simple(&self, body: &[u8]) -> Option<Located> {
        let (length, rest) = body.split_first_chunk()?;
        let interface = self.interfaces.first()?;
        let wire_length = word(self.big_endian, *length);
        let limit = if interface.snap_length == 0 { wire_length } else { wire_length.min(interface.snap_length) };
        let captured = usize::try_from(limit).ok()?;
        rest.get(..captured)?;
        let (time, link_type) = (self.time, interface.link_type);
        Some(Located { time, link_type, wire_length, outgoing: false, back: rest.len() + 4, captured })
    }

    /// Calls `each` with the code and value of every option that fits.
    fn each_option(&self, mut options: &[u8], mut each: impl FnMut(u16, &[u8])) {
        while let Some((&[c0, c1, l0, l1], rest)) = options.split_first_chunk() {
            let (code, length) = (self.half(c0, c1), usize::from(self.half(l0, l1)));
            let Some(value) = rest.get(..length).filter(|_| code != 0) else { return };
            each(code, value);
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    const fn half(&self, first: u8, second: u8) -> u16 {
        if self.big_endian { u16::from_be_bytes([first, second]) } else { u16::from_le_bytes([first, second]) }
    }
}

impl Interface {
    fn time(&self, units: u64) -> FrameTime {
        let ns = self.resolution.ns(units).saturating_add(i128::from(self.offset_s).saturating_mul(NS_PER_S));
        FrameTime::from_unix_ns(i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Resolution {
    /// The highest bit says of which number the rest is the power.
    const fn from_option(value: u8) -> Self {
        let power = (value & 0x7f) as u32;
        if value & 0x80 == 0 { Self::PowerOfTen(power) } else { Self::PowerOfTwo(power) }
    }

    fn ns(self, units: u64) -> i128 {
        let ns = i128::from(units).saturating_mul(NS_PER_S);
        match self {
            Self::PowerOfTen(power) => 10_i128.checked_pow(power).map_or(0, |per_second| ns / per_second),
            Self::PowerOfTwo(power) => ns.checked_shr(power).unwrap_or(0),
        }
    }
}

/// Returns the length of what lies between a block's two lengths.
fn body_length(kind: u32, stated: u32) -> Result<usize, Broken> {
    let length = usize::try_from(stated).unwrap_or(usize::MAX);
    if !length.is_multiple_of(4) {
        return Err(malformed(kind, "its length is not a multiple of four"));
    }
    let body = length.checked_sub(FRAME_BYTES).ok_or_else(|| malformed(kind, "it is too short"))?;
    let whole = matches!(kind, KIND_INTERFACE | KIND_PACKET | KIND_SIMPLE | KIND_ENHANCED);
    if whole && body > RECORD_MAX {
        return Err(Fault::TooLong { stated: stated.into() }.into());
    }
    Ok(body)
}

fn malformed(kind: u32, what: &'static str) -> Broken {
    Fault::Block { kind, what }.into()
}
