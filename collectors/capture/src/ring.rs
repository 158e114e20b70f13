//! Live capture through an `AF_PACKET` ring (`TPACKET_V3`, packet_mmap): the kernel fills blocks of memory that both sides
//! share, and one system call hands over many frames.
//!
//! Invariants: a block belongs to either the kernel or us, told by its status word alone; we read it only between taking
//! it (acquire) and giving it back (release). Everything inside a block is read as bytes with checked bounds, so that not
//! even a kernel gone wrong can make us read elsewhere.
//!
//! This file is one of the two in the collectors that hold `unsafe`. It spawns nothing: the caller's thread loops over
//! [`Ring::receive`], which returns at least once in every `timeout`, so that the thread can look whether it is to stop.

#![expect(
    unsafe_code,
    reason = "a ring shared with the kernel is a raw mapping, and its system calls have no safe wrapper"
)]

use std::{
    ffi::{CString, c_int, c_void},
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::PathBuf,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use onenet_topology::MacAddr;

use crate::{FrameMeta, FrameTime, LinkType, VlanTag};

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

/// Offsets in a block's header (`struct tpacket_block_desc`).
const BLOCK_STATUS: usize = 8;
const BLOCK_FRAMES: usize = 12;
const BLOCK_FIRST: usize = 16;
/// Length of a frame's header (`struct tpacket3_hdr`); the link-layer address (`struct sockaddr_ll`) follows it.
const FRAME_HEADER: usize = size_of::<libc::tpacket3_hdr>();
const HARDWARE_TYPE: usize = FRAME_HEADER + 8;
const PACKET_TYPE: usize = FRAME_HEADER + 10;

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

/// What the kernel counted since the ring was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelCounters {
    /// Frames that were to go into the ring, dropped ones included.
    pub frames: u64,
    /// Of those, the ones that found no room.
    pub dropped: u64,
    /// How often the ring ran full.
    pub freezes: u64,
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
    /// The interface was switched off or removed. The ring gives nothing any more: open another once it is back.
    #[error("interface {interface} was switched off or removed: capture goes on when it is back and opened again")]
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
    /// Unmapped before the socket closes: fields drop in this order.
    mapping: Mapping,
    socket: OwnedFd,
    interface: String,
    is_loopback: bool,
    /// This host's MAC addresses when the ring was opened: what goes out from another was forwarded, not sent.
    own: Vec<MacAddr>,
    block_bytes: usize,
    blocks: usize,
    /// The block that comes next.
    next: usize,
    counters: KernelCounters,
}

#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value alone and is valid on every thread of the process.
unsafe impl Send for Mapping {}

impl Ring {
    /// Opens a ring on an interface.
    ///
    /// # Errors
    /// When the interface is not there, the process has not the right, or the kernel refuses.
    pub fn open(interface: &str, options: &RingOptions) -> Result<Self, RingError> {
        let index = interface_index(interface)?;
        let socket = open_socket(interface)?;
        let failed = |operation| move |source| RingError::System { interface: interface.to_owned(), operation, source };
        let block_bytes = (options.bytes / BLOCKS).next_power_of_two().clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        let blocks = (options.bytes / block_bytes).max(2);
        set_option(&socket, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))
            .map_err(failed("choose the ring's version"))?;
        request_ring(&socket, block_bytes, blocks).map_err(|source| match source.raw_os_error() {
            Some(libc::ENOMEM) => RingError::NoMemory { interface: interface.to_owned(), bytes: block_bytes * blocks },
            _ => failed("set up a ring")(source),
        })?;
        let mapping = Mapping::new(&socket, block_bytes * blocks).map_err(failed("map the ring"))?;
        if options.snap_length < SNAP_LENGTH_MAX {
            limit_length(&socket, options.snap_length).map_err(failed("limit the length of frames"))?;
        }
        if options.promiscuous {
            join_promiscuous(&socket, index).map_err(failed("receive what is for others"))?;
        }
        // Binding comes last: from here on frames come in.
        bind(&socket, index).map_err(|source| match source.raw_os_error() {
            Some(libc::ENETDOWN) => RingError::Gone { interface: interface.to_owned() },
            _ => failed("bind a packet socket")(source),
        })?;
        let host = crate::interfaces::list();
        Ok(Self {
            mapping,
            socket,
            interface: interface.to_owned(),
            is_loopback: host.iter().any(|found| found.name == interface && found.loopback),
            own: host.iter().filter_map(|found| found.mac).collect(),
            block_bytes,
            blocks,
            next: 0,
            counters: KernelCounters::default(),
        })
    }

    /// Returns the interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Returns the memory shared with the kernel, in bytes.
    pub fn bytes(&self) -> usize {
        self.mapping.bytes
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
        if !self.is_ours() {
            self.wait(timeout)?;
            if !self.is_ours() {
                return Ok(0);
            }
        }
        let frames = read_block(self.block(), self.is_loopback, &self.own, each);
        // The kernel may fill the block again once it sees this.
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        Ok(frames)
    }

    /// Returns what the kernel counted since the ring was opened.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn counters(&mut self) -> Result<KernelCounters, RingError> {
        let mut now = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        get_option(&self.socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut now)
            .map_err(|source| self.failed("read the kernel's counters", source))?;
        // Reading sets the kernel's counters back to zero.
        self.counters.frames += u64::from(now.tp_packets);
        self.counters.dropped += u64::from(now.tp_drops);
        self.counters.freezes += u64::from(now.tp_freeze_q_cnt);
        Ok(self.counters)
    }

    fn is_ours(&self) -> bool {
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn status(&self) -> &AtomicU32 {
        let word = self.next * self.block_bytes + BLOCK_STATUS;
        debug_assert!(word + 4 <= self.mapping.bytes);
        // SAFETY: `next` is below the number of blocks, so the word lies in the mapping, which lives as long as `self`;
        // it is aligned because blocks are aligned to pages; both sides access it as one aligned word.
        unsafe { AtomicU32::from_ptr(self.mapping.start.as_ptr().add(word).cast()) }
    }

    /// Returns the next block's bytes. Only to be called, and kept, while the block is ours.
    fn block(&self) -> &[u8] {
        // SAFETY: `next` is below the number of blocks, so the range lies in the mapping, which lives as long as `self`.
        // The kernel does not write into a block whose status says that it is ours, and `receive` gives it back only
        // after the last use of this slice.
        unsafe {
            std::slice::from_raw_parts(self.mapping.start.as_ptr().add(self.next * self.block_bytes), self.block_bytes)
        }
    }

    fn wait(&self, timeout: Duration) -> Result<(), RingError> {
        let mut poll = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
        let timeout_ms = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: `poll` is one valid `pollfd`, as the count says, for the time of the call.
        if unsafe { libc::poll(&raw mut poll, 1, timeout_ms) } < 0 {
            let error = io::Error::last_os_error();
            let interrupted = error.kind() == io::ErrorKind::Interrupted;
            return if interrupted { Ok(()) } else { Err(self.failed("wait for frames", error)) };
        }
        if poll.revents & libc::POLLERR == 0 || self.is_ours() {
            return Ok(());
        }
        let mut pending: c_int = 0;
        get_option(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut pending)
            .map_err(|source| self.failed("read the socket's error", source))?;
        match pending {
            0 => Ok(()),
            libc::ENETDOWN | libc::ENODEV | libc::ENXIO => Err(RingError::Gone { interface: self.interface.clone() }),
            code => Err(self.failed("wait for frames", io::Error::from_raw_os_error(code))),
        }
    }

    fn failed(&self, operation: &'static str, source: io::Error) -> RingError {
        RingError::System { interface: self.interface.clone(), operation, source }
    }
}

impl Mapping {
    fn new(socket: &OwnedFd, bytes: usize) -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours; length and socket are those
        // that the ring was just set up with.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, socket.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self { start, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those that `mmap` returned, and no slice of the mapping outlives its owner.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// Hands the frames of a block to `each`. Whatever does not fit in the block ends it.
fn read_block(
    block: &[u8],
    skip_outgoing: bool,
    own: &[MacAddr],
    mut each: impl FnMut(FrameTime, LinkType, FrameMeta, &[u8]),
) -> usize {
    let frames = word(block, BLOCK_FRAMES).unwrap_or(0);
    let mut rest = word(block, BLOCK_FIRST).and_then(|first| block.get(first as usize..)).unwrap_or_default();
    let mut handed = 0;
    for _ in 0..frames {
        let Some(mut frame) = RingFrame::read(rest) else { break };
        if !(skip_outgoing && frame.meta.outgoing) {
            frame.meta.outgoing &= frame.link_type != LinkType::Ethernet || frame.is_from(own);
            each(frame.time, frame.link_type, frame.meta, frame.bytes);
            handed += 1;
        }
        match rest.get(frame.next_offset as usize..) {
            Some(next) if frame.next_offset != 0 => rest = next,
            _ => break,
        }
    }
    handed
}

struct RingFrame<'a> {
    next_offset: u32,
    time: FrameTime,
    link_type: LinkType,
    meta: FrameMeta,
    bytes: &'a [u8],
}

impl<'a> RingFrame<'a> {
    /// Reads a frame's header (`struct tpacket3_hdr`, in the host's byte order) and finds its bytes.
    fn read(at: &'a [u8]) -> Option<Self> {
        let status = word(at, 20)?;
        let start = usize::from(half(at, 24)?);
        let bytes = at.get(start..)?.get(..word(at, 12)? as usize)?;
        let tagged = status & libc::TP_STATUS_VLAN_VALID != 0;
        let vlan = if tagged {
            let stated = (status & libc::TP_STATUS_VLAN_TPID_VALID != 0).then(|| half(at, 36)).flatten();
            let control = u16::try_from(word(at, 32)? & 0xffff).ok()?;
            Some(VlanTag { protocol: stated.unwrap_or(0x8100), control })
        } else {
            None
        };
        // The tag was on the wire, and is not in the kernel's length.
        let wire_length = word(at, 16)?.saturating_add(if tagged { 4 } else { 0 });
        Some(Self {
            next_offset: word(at, 0)?,
            time: FrameTime::from_parts(word(at, 4)?.into(), word(at, 8)?),
            link_type: LinkType::from_hardware_type(half(at, HARDWARE_TYPE)?),
            meta: FrameMeta { wire_length, vlan, outgoing: *at.get(PACKET_TYPE)? == libc::PACKET_OUTGOING },
            bytes,
        })
    }
}

impl RingFrame<'_> {
    /// Returns whether an Ethernet frame's source is one of these.
    fn is_from(&self, macs: &[MacAddr]) -> bool {
        let source = self.bytes.get(6..).and_then(|bytes| bytes.first_chunk());
        source.is_some_and(|octets| macs.contains(&MacAddr(*octets)))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|half| u16::from_ne_bytes(*half))
}

fn interface_index(interface: &str) -> Result<c_int, RingError> {
    let no_such = || {
        let names: Vec<_> = crate::interfaces::list().into_iter().map(|found| found.name).collect();
        RingError::NoSuchInterface { interface: interface.to_owned(), known: names.join(", ") }
    };
    let name = CString::new(interface).map_err(|_| no_such())?;
    // SAFETY: `name` ends with a zero byte and lives over the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    c_int::try_from(index).ok().filter(|index| *index != 0).ok_or_else(no_such)
}

fn open_socket(interface: &str) -> Result<OwnedFd, RingError> {
    // Protocol 0: nothing comes in before the socket is bound.
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        let source = io::Error::last_os_error();
        let interface = interface.to_owned();
        return Err(match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("onenet-agent"));
                RingError::NotPermitted { interface, program }
            }
            _ => RingError::System { interface, operation: "open a packet socket", source },
        });
    }
    // SAFETY: the descriptor was just opened and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn request_ring(socket: &OwnedFd, block_bytes: usize, blocks: usize) -> io::Result<()> {
    let too_large = |_| io::Error::from_raw_os_error(libc::ENOMEM);
    let block_size = u32::try_from(block_bytes).map_err(too_large)?;
    let block_count = u32::try_from(blocks).map_err(too_large)?;
    let request = libc::tpacket_req3 {
        tp_block_size: block_size,
        tp_block_nr: block_count,
        tp_frame_size: FRAME_SLOT_BYTES,
        tp_frame_nr: (block_size / FRAME_SLOT_BYTES).saturating_mul(block_count),
        tp_retire_blk_tov: BLOCK_TIMEOUT_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    set_option(socket, libc::PACKET_RX_RING, &request)
}

fn join_promiscuous(socket: &OwnedFd, index: c_int) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or(1),
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_option(socket, libc::PACKET_ADD_MEMBERSHIP, &membership)
}

/// Attaches a filter of one instruction: accept, and keep this many bytes.
fn limit_length(socket: &OwnedFd, length: u32) -> io::Result<()> {
    let mut accept = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: length.max(1) };
    let program = libc::sock_fprog { len: 1, filter: &raw mut accept };
    set_option_at(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn bind(socket: &OwnedFd, index: c_int) -> io::Result<()> {
    let everything = u16::try_from(libc::ETH_P_ALL).unwrap_or(3).to_be();
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).unwrap_or(17),
        sll_protocol: everything,
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = length_of::<libc::sockaddr_ll>();
    // SAFETY: `address` is a valid `sockaddr_ll` of the length given, for the time of the call.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set_option<T>(socket: &OwnedFd, name: c_int, value: &T) -> io::Result<()> {
    set_option_at(socket, libc::SOL_PACKET, name, value)
}

fn set_option_at<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let pointer: *const c_void = ptr::from_ref(value).cast();
    // SAFETY: `value` is a plain structure of the length given that the option's caller chose for it, valid over the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, length_of::<T>()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn get_option<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &mut T) -> io::Result<()> {
    let mut length = length_of::<T>();
    let pointer: *mut c_void = ptr::from_mut(value).cast();
    // SAFETY: the kernel writes at most `length` bytes, the size of `value`, a structure of plain integers.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, pointer, &raw mut length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(libc::socklen_t::MAX)
}

#[cfg(test)]
mod tests;
