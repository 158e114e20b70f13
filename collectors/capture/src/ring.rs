//! Live capture through an `AF_PACKET` ring (`TPACKET_V3`, packet_mmap): the kernel fills blocks of memory that both sides
//! share, and one system call hands over many frames.
//!
//! Invariants: a block belongs to either the kernel or us, told by its status word alone; we read it only between taking
//! it (acquire) and giving it back (release). What the kernel dropped, and what it cut or put together, is counted. Binding
//! needs no right of the process, only opening a socket does: see [`Sockets`].
//!
//! It spawns nothing: the caller's thread loops over [`Ring::receive`], which returns at least once in every `timeout`, so
//! that the thread can look whether it is to stop. `system` alone holds `unsafe`.

mod block;
mod fanout;
mod sockets;
mod system;

pub use self::sockets::Sockets;
pub(crate) use self::system::prefer_large_pages;

use std::{ffi::c_int, io, num::NonZeroUsize, os::fd::OwnedFd, path::PathBuf, time::Duration};

use self::{block::Reading, sockets::Lease, system::Mapping};
use crate::{FrameMeta, FrameTime, LinkType, Listener, listener::Each};

/// Size of a ring for a county, in bytes.
pub const RING_BYTES_DEFAULT: usize = 4 << 20;
/// The smallest block: it has to hold the largest frame that a card may put together of several.
const BLOCK_BYTES_MIN: usize = 128 << 10;
/// The largest block.
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// Blocks that a ring is divided into when its size allows.
const BLOCKS: usize = 16;
/// How long the kernel keeps a block that is not full, in milliseconds: the delay of a lone frame.
const BLOCK_TIMEOUT_MS: u32 = 50;
/// Has to divide a block; frames are laid out by their own lengths.
const FRAME_SLOT_BYTES: u32 = 2_048;
/// The longest frame that the kernel hands over.
const SNAP_LENGTH_MAX: u32 = 256 << 10;

/// How a ring is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingOptions {
    /// Memory shared with the kernel, in bytes; at least 256 KiB are taken.
    pub bytes: usize,
    /// How many bytes of each frame are wanted.
    pub snap_length: u32,
    /// Whether frames for others are wanted too, as on a mirror port.
    pub promiscuous: bool,
}

impl Default for RingOptions {
    fn default() -> Self {
        Self { bytes: RING_BYTES_DEFAULT, snap_length: SNAP_LENGTH_MAX, promiscuous: true }
    }
}

/// What was counted since the ring was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingCounters {
    /// Frames that were to go into the ring, dropped ones included.
    pub frames: u64,
    /// Of those, the ones that found no room.
    pub dropped: u64,
    /// How often the ring ran full.
    pub freezes: u64,
    /// Frames that were handed over without their last bytes.
    pub cut: u64,
    /// Frames that the card or the kernel had put together of several (LRO, GRO).
    pub merged: u64,
}

impl RingCounters {
    /// Returns what this ring and another counted together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            frames: self.frames.saturating_add(other.frames),
            dropped: self.dropped.saturating_add(other.dropped),
            freezes: self.freezes.saturating_add(other.freezes),
            cut: self.cut.saturating_add(other.cut),
            merged: self.merged.saturating_add(other.merged),
        }
    }
}

/// Live capture could not begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// There is no such interface.
    #[error("no interface {interface}: this host has {known}")]
    NoSuchInterface {
        /// The name asked for.
        interface: String,
        /// The names there are.
        known: String,
    },
    /// The process may not open packet sockets.
    #[error(
        "capturing on {interface} needs the right to open packet sockets: give it to the program once, as root, with \
         `setcap cap_net_raw,cap_net_admin+ep {}`, or run it as root",
        program.display()
    )]
    NotPermitted {
        /// The interface.
        interface: String,
        /// This program.
        program: PathBuf,
    },
    /// The process gave up the right to open packet sockets, and those that it had opened are in use or used up.
    #[error(
        "no packet socket is left for {interface}: they are opened at the start, before the right to open them is given up; \
         restart the agent (systemctl restart onenet-agent)"
    )]
    NoSocket {
        /// The interface.
        interface: String,
    },
    /// The interface was switched off, removed or renamed. The ring gives nothing any more: open another once it is back.
    #[error(
        "interface {interface} was switched off, removed or renamed: capture goes on when it is back and opened again"
    )]
    Gone {
        /// The interface.
        interface: String,
    },
    /// The kernel has no memory for the ring.
    #[error("the kernel has no memory for a ring of {bytes} bytes on {interface}: configure a smaller one")]
    NoMemory {
        /// The interface.
        interface: String,
        /// The size asked for.
        bytes: usize,
    },
    /// A system call failed.
    #[error("cannot {operation} on {interface}")]
    System {
        /// The interface.
        interface: String,
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A ring on one interface.
#[derive(Debug)]
pub struct Ring {
    /// Unmapped before the socket rests: fields drop in this order.
    mapping: Mapping,
    lease: Lease,
    interface: String,
    index: c_int,
    reading: Reading,
    /// The block that comes next.
    next: usize,
    counters: RingCounters,
}

impl Ring {
    /// Opens a ring on an interface, with a socket of its own.
    ///
    /// # Errors
    /// When the interface is not there, the process has not the right, or the kernel refuses.
    pub fn open(interface: &str, options: &RingOptions) -> Result<Self, RingError> {
        let ring = Self::bound(&Sockets::default(), interface, options)?;
        ring.begin(options)?;
        Ok(ring)
    }

    /// Opens so many rings on an interface, among which its frames are divided: both directions of a flow, with all
    /// fragments, in one; in the first whatever hosts say of themselves to all.
    ///
    /// # Errors
    /// When the interface is not there, the process has not the right or no socket left, or the kernel refuses.
    pub fn open_group(
        sockets: &Sockets,
        interface: &str,
        options: &RingOptions,
        count: NonZeroUsize,
    ) -> Result<Vec<Self>, RingError> {
        let rings: Result<Vec<Self>, RingError> =
            (0..count.get()).map(|_| Self::bound(sockets, interface, options)).collect();
        let mut rings = rings?;
        if count.get() > 1 {
            let mut group = None;
            for ring in &mut rings {
                group = Some(ring.join(group)?);
            }
        }
        // Nothing comes in before all are in the group, so that no frame goes astray.
        for ring in &rings {
            ring.begin(options)?;
        }
        Ok(rings)
    }

    /// Returns a ring on an interface into which nothing comes yet.
    fn bound(sockets: &Sockets, interface: &str, options: &RingOptions) -> Result<Self, RingError> {
        let index = index_of(interface)?;
        let mut lease = sockets.take(interface)?;
        let socket = lease.socket().map_err(failing(interface, "use a packet socket"))?;
        sockets::reject(socket).map_err(failing(interface, "filter frames"))?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        system::set_option(socket, libc::PACKET_VERSION, &version)
            .map_err(failing(interface, "choose the ring's version"))?;
        // Without it frames that were put together look like one: nothing to fail for.
        let has_offload_header = system::set_option(socket, libc::PACKET_VNET_HDR, &(1 as c_int)).is_ok();
        let mapping = map_ring(socket, interface, options.bytes)?;
        if options.promiscuous {
            lease.join_promiscuous(index).map_err(failing(interface, "receive what is for others"))?;
        }
        let socket = lease.socket().map_err(failing(interface, "use a packet socket"))?;
        let everything = u16::try_from(libc::ETH_P_ALL).unwrap_or(3);
        let bound = system::bind(socket, index, everything).and_then(|()| match system::pending_error(socket)? {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        });
        bound.map_err(|source| failure(interface, "bind a packet socket", source))?;
        let host = crate::interfaces::list();
        let is_loopback = host.iter().any(|found| found.name == interface && found.loopback);
        let own = host.iter().filter_map(|found| found.mac).collect();
        let reading = Reading { is_loopback, own, has_offload_header };
        let interface = interface.to_owned();
        Ok(Self { mapping, lease, interface, index, reading, next: 0, counters: RingCounters::default() })
    }

    /// Puts the ring into a group, a new one if none is named. Returns its number.
    fn join(&mut self, group: Option<u16>) -> Result<u16, RingError> {
        // Even when joining fails half-way the kernel may not bind it anew.
        self.lease.wear();
        let socket = self.lease.socket().map_err(failing(&self.interface, "use a packet socket"))?;
        let kind = libc::PACKET_FANOUT_CBPF << 16;
        if let Some(group) = group {
            let joined = system::set_option(socket, libc::PACKET_FANOUT, &(kind | u32::from(group)));
            return joined.map(|()| group).map_err(failing(&self.interface, "divide frames among several rings"));
        }
        let made = system::set_option(socket, libc::PACKET_FANOUT, &(kind | libc::PACKET_FANOUT_FLAG_UNIQUEID << 16))
            .and_then(|()| system::set_fanout_program(socket, &mut fanout::program()))
            .and_then(|()| system::number_option(socket, libc::PACKET_FANOUT));
        let group = made.map_err(failing(&self.interface, "divide frames among several rings"))?;
        // The low half is the group's number.
        Ok(u16::try_from(group & 0xffff).unwrap_or_default())
    }

    /// Has frames come in.
    fn begin(&self, options: &RingOptions) -> Result<(), RingError> {
        let length = (options.snap_length < SNAP_LENGTH_MAX).then_some(options.snap_length);
        let accepted = self.lease.socket().and_then(|socket| sockets::accept(socket, length));
        accepted.map_err(failing(&self.interface, "limit the length of frames"))
    }

    /// Returns the interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Returns the memory shared with the kernel, in bytes.
    pub fn bytes(&self) -> usize {
        self.mapping.bytes()
    }

    /// Hands the frames of the next block to `each` and returns their number. Waits for at most `timeout` for one, and
    /// then, or when a signal came in between, returns 0.
    ///
    /// On a loopback interface, where every frame goes out and comes in, only its coming in is handed over. On a bridge's
    /// port, frames that this host merely forwards are not marked as outgoing.
    ///
    /// # Errors
    /// [`RingError::Gone`] once when the interface was switched off or removed, after every frame before that was handed
    /// over; [`RingError::System`] when waiting fails.
    pub fn receive(
        &mut self,
        timeout: Duration,
        each: impl FnMut(FrameTime, LinkType, FrameMeta, &[u8]),
    ) -> Result<usize, RingError> {
        self.hand_over(timeout, &mut Each(each))
    }

    /// As [`Ring::receive`], to a listener.
    ///
    /// # Errors
    /// As [`Ring::receive`].
    pub fn hand_over(&mut self, timeout: Duration, listener: &mut impl Listener) -> Result<usize, RingError> {
        if self.mapping.block(self.next).is_none() {
            self.wait(timeout)?;
        }
        let Some(bytes) = self.mapping.block(self.next) else { return Ok(0) };
        let found = block::read(bytes, &self.reading, listener);
        // The kernel may fill the block again from here on.
        self.mapping.give_back(self.next);
        self.next = (self.next + 1) % self.mapping.blocks();
        self.counters.cut += found.cut;
        self.counters.merged += found.merged;
        Ok(found.frames)
    }

    /// Returns what was counted since the ring was opened.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn counters(&mut self) -> Result<RingCounters, RingError> {
        let counted = self.lease.socket().and_then(system::statistics);
        let now = counted.map_err(failing(&self.interface, "read the kernel's counters"))?;
        // Reading sets the kernel's counters back to zero.
        self.counters.frames += u64::from(now.tp_packets);
        self.counters.dropped += u64::from(now.tp_drops);
        self.counters.freezes += u64::from(now.tp_freeze_q_cnt);
        Ok(self.counters)
    }

    /// Looks whether the name still leads to the interface that the ring is on. To be called now and then: the kernel does
    /// not tell of a new name.
    ///
    /// # Errors
    /// [`RingError::Gone`] when it does not.
    pub fn check_name(&self) -> Result<(), RingError> {
        if system::index(&self.interface) == Some(self.index) { Ok(()) } else { Err(self.gone()) }
    }

    fn wait(&self, timeout: Duration) -> Result<(), RingError> {
        let socket = self.lease.socket().map_err(failing(&self.interface, "use a packet socket"))?;
        let ready = system::wait(socket, timeout).map_err(failing(&self.interface, "wait for frames"))?;
        if ready & libc::POLLERR == 0 || self.mapping.block(self.next).is_some() {
            return Ok(());
        }
        match system::pending_error(socket).map_err(failing(&self.interface, "read the socket's error"))? {
            0 => Ok(()),
            code => Err(failure(&self.interface, "wait for frames", io::Error::from_raw_os_error(code))),
        }
    }

    fn gone(&self) -> RingError {
        RingError::Gone { interface: self.interface.clone() }
    }
}

fn failing(interface: &str, operation: &'static str) -> impl FnOnce(io::Error) -> RingError {
    move |source| RingError::System { interface: interface.to_owned(), operation, source }
}

/// Returns what an error of a socket says of its interface.
fn failure(interface: &str, operation: &'static str, source: io::Error) -> RingError {
    let interface = interface.to_owned();
    match source.raw_os_error() {
        Some(libc::ENETDOWN | libc::ENODEV | libc::ENXIO) => RingError::Gone { interface },
        _ => RingError::System { interface, operation, source },
    }
}

fn index_of(interface: &str) -> Result<c_int, RingError> {
    system::index(interface).ok_or_else(|| {
        let names: Vec<_> = crate::interfaces::list().into_iter().map(|found| found.name).collect();
        RingError::NoSuchInterface { interface: interface.to_owned(), known: names.join(", ") }
    })
}

/// Sets up a ring of about so many bytes and maps it.
fn map_ring(socket: &OwnedFd, interface: &str, bytes: usize) -> Result<Mapping, RingError> {
    let block_bytes = (bytes / BLOCKS).next_power_of_two().clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
    let blocks = (bytes / block_bytes).max(2);
    let no_memory = || RingError::NoMemory { interface: interface.to_owned(), bytes: block_bytes * blocks };
    let (Ok(block_size), Ok(block_count)) = (u32::try_from(block_bytes), u32::try_from(blocks)) else {
        return Err(no_memory());
    };
    let request = libc::tpacket_req3 {
        tp_block_size: block_size,
        tp_block_nr: block_count,
        tp_frame_size: FRAME_SLOT_BYTES,
        tp_frame_nr: (block_size / FRAME_SLOT_BYTES).saturating_mul(block_count),
        tp_retire_blk_tov: BLOCK_TIMEOUT_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    system::set_option(socket, libc::PACKET_RX_RING, &request).map_err(|source| match source.raw_os_error() {
        Some(libc::ENOMEM) => no_memory(),
        _ => failing(interface, "set up a ring")(source),
    })?;
    Mapping::new(socket, block_bytes, blocks).map_err(failing(interface, "map the ring"))
}

#[cfg(test)]
mod tests;
