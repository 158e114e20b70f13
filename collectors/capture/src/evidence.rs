//! Evidence: recent packets kept in memory, of which a capture file can be saved once something turns out to be worth it.
//!
//! Invariants: memory is what it was given, and no more; keeping a packet is copying its first bytes; whoever saves holds
//! up capture no longer than it takes to copy what is wanted. It does not know what is suspicious.
//!
//! Each thread that takes frames has a [`Memory`] of its own, and holds it for a block of frames at a time
//! ([`Memory::keeper`]). Anybody may save from all of them together ([`save`]).

mod pcapng;
mod store;
mod wanted;

pub use self::{pcapng::CaptureWriter, wanted::Wanted};

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::store::Store;
use crate::{FrameMeta, FrameTime, LinkType, offline::CaptureFile};

/// How many bytes of each packet are kept: every header, and of what most protocols say in the clear the beginning.
pub const SNAP_LENGTH_DEFAULT: usize = 512;

/// What a packet without a note takes in a file beside its bytes, at most: the block, its options, a tag that is put back, padding.
const AROUND_PACKET: usize = 64;

/// Recent packets of one interface, or a share of them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Memory {
    interface: Arc<str>,
    store: Arc<Mutex<Store>>,
}

/// Keeps packets, as long as it is held.
#[derive(Debug)]
pub struct Keeper<'e>(MutexGuard<'e, Store>);

/// What became of a wish for evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saved {
    /// Packets in the file.
    pub packets: usize,
    /// Packets that were wanted and found no room in it.
    pub omitted: usize,
    /// The oldest packet that memory still held of all that were captured; what was wanted of before is lost.
    pub memory_from: Option<FrameTime>,
}

/// A packet on its way from memory to a file.
struct Copied {
    interface: Arc<str>,
    time: FrameTime,
    link_type: LinkType,
    meta: FrameMeta,
    bytes: Vec<u8>,
}

impl Memory {
    /// Returns an empty memory of `bytes` for packets of an interface, of each at most `snap_length` bytes.
    pub fn new(interface: &str, bytes: usize, snap_length: usize) -> Self {
        Self { interface: interface.into(), store: Arc::new(Mutex::new(Store::new(bytes, snap_length))) }
    }

    /// Returns the interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Begins to keep packets. To be held for as short as a block of frames takes.
    pub fn keeper(&self) -> Keeper<'_> {
        Keeper(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what is wanted to `copied`. Returns the oldest packet's time.
    fn copy(&self, wanted: &Wanted, copied: &mut Vec<Copied>) -> Option<FrameTime> {
        let store = self.lock();
        let mut oldest = None;
        for kept in store.iter() {
            oldest = Some(oldest.unwrap_or(kept.time).min(kept.time));
            if wanted.matches_kept(&kept) {
                copied.push(Copied {
                    interface: Arc::clone(&self.interface),
                    time: kept.time,
                    link_type: kept.link_type,
                    meta: kept.meta,
                    bytes: kept.bytes.to_vec(),
                });
            }
        }
        oldest
    }
}

impl Keeper<'_> {
    /// Keeps a packet.
    #[inline]
    pub fn keep(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        self.0.keep(time, link_type, meta, bytes);
    }
}

/// Saves what is wanted of all that is kept as a capture file, in the order of time. `about` says what it is evidence of, and each
/// note is written beside the packet of its time.
///
/// # Errors
/// When it cannot be written.
pub fn save<W: Write>(
    sources: &[Memory],
    wanted: &Wanted,
    (program, about): (&str, &str),
    notes: &[(FrameTime, String)],
    writer: W,
) -> io::Result<Saved> {
    let mut copied = Vec::new();
    // What was captured between two of these times is whole only from the latest of the oldest on.
    let memory_from = sources.iter().filter_map(|source| source.copy(wanted, &mut copied)).max();
    copied.sort_by_key(|packet| packet.time);
    let mut bytes = 0_usize;
    let fits = copied.iter().rev().take(wanted.packets_max).take_while(|packet| {
        bytes = bytes.saturating_add(packet.bytes.len() + AROUND_PACKET);
        bytes <= wanted.bytes_max
    });
    let omitted = copied.len() - fits.count();
    let mut file = CaptureWriter::new(writer, program, about)?;
    for packet in copied.iter().skip(omitted) {
        let note = notes.iter().find(|(time, _)| *time == packet.time).map_or("", |(_, text)| text);
        let head = (packet.time, packet.link_type, packet.meta);
        file.packet(&packet.interface, head, &packet.bytes, note)?;
    }
    file.finish()?;
    Ok(Saved { packets: copied.len() - omitted, omitted, memory_from })
}

/// Saves what is wanted of capture files as one, as far as they can be read, each under its name in place of the interface's. Of too
/// many packets, the first are saved.
///
/// # Errors
/// When it cannot be written.
pub fn extract<P: AsRef<Path>, W: Write>(
    files: &[P],
    wanted: &Wanted,
    (program, about): (&str, &str),
    writer: W,
) -> io::Result<Saved> {
    let mut saved = Saved::default();
    let mut to = CaptureWriter::new(writer, program, about)?;
    for path in files.iter().map(AsRef::as_ref) {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let Ok(mut from) = CaptureFile::open(path) else { continue };
        // A file that breaks off has been complained of by whoever replays it.
        while let Ok(Some(frame)) = from.next_frame() {
            if !wanted.matches(frame.time, frame.link_type, frame.meta, frame.bytes) {
                continue;
            }
            if saved.packets >= wanted.packets_max {
                saved.omitted += 1;
                continue;
            }
            to.packet(&name, (frame.time, frame.link_type, frame.meta), frame.bytes, "")?;
            saved.packets += 1;
        }
    }
    to.finish()?;
    Ok(saved)
}
