//! The system calls of packet sockets, and the memory that a ring shares with the kernel.
//!
//! Invariant: whoever uses this file needs no `unsafe`: a mapping hands out bytes only inside itself, and only blocks of which
//! the status word says that they are ours. It does not know what a block holds.
//!
//! This file is one of the two in the collectors that may hold `unsafe`.

#![expect(
    unsafe_code,
    reason = "a ring shared with the kernel is a raw mapping, and its system calls have no safe wrapper"
)]

use std::{
    ffi::{CString, c_int, c_void},
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Offset of the status word in a block's header (`struct tpacket_block_desc`).
const BLOCK_STATUS: usize = 8;

/// The size of a large page on most machines; where they are of another size, the advice is for a part of the memory.
const LARGE_PAGE: usize = 2 << 20;
/// From how many bytes on memory is worth large pages, of which the last one is resident whole.
const LARGE_FROM: usize = 16 << 20;

/// An instruction of a classic packet filter.
pub(super) type Instruction = libc::sock_filter;

/// Blocks that the kernel fills.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    block_bytes: usize,
    blocks: usize,
}

// SAFETY: the mapping belongs to this value alone and is valid on every thread of the process.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the ring of so many blocks that the socket was set up with.
    pub(super) fn new(socket: &OwnedFd, block_bytes: usize, blocks: usize) -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours; the kernel refuses a length
        // that is not the ring's.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), block_bytes * blocks, protection, flags, socket.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self { start, block_bytes, blocks })
    }

    /// Returns its size.
    pub(super) fn bytes(&self) -> usize {
        self.block_bytes * self.blocks
    }

    /// Returns how many blocks there are.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Returns the block's bytes, if it is ours and not the kernel's.
    pub(super) fn block(&self, number: usize) -> Option<&[u8]> {
        if self.status(number)?.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: `number` is below the number of blocks, or there were no status word; so the range lies in the mapping,
        // which lives as long as `self`. The kernel does not write into a block whose status says that it is ours, and
        // `give_back` needs `self` to be borrowed by nobody.
        Some(unsafe {
            std::slice::from_raw_parts(self.start.as_ptr().add(number * self.block_bytes), self.block_bytes)
        })
    }

    /// Has the kernel fill the block again.
    pub(super) fn give_back(&mut self, number: usize) {
        if let Some(status) = self.status(number) {
            status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    fn status(&self, number: usize) -> Option<&AtomicU32> {
        let word = number * self.block_bytes + BLOCK_STATUS;
        // SAFETY: `number` is below the number of blocks, so the word lies in the mapping, which lives as long as `self`; it is
        // aligned because blocks are aligned to pages; both sides access it as one aligned word.
        (number < self.blocks).then(|| unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(word).cast()) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those that `mmap` returned, and no slice of the mapping outlives its owner.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes()) };
    }
}

/// Asks the kernel to give memory that nothing is in yet in large pages: who looks here and there in a large table waits as long for
/// where its memory is as for what is in it. It may refuse, which costs nothing but time.
pub(crate) fn prefer_large_pages<T>(room: &mut [MaybeUninit<T>]) {
    if size_of_val(room) < LARGE_FROM {
        return;
    }
    let start = room.as_mut_ptr().cast::<c_void>();
    let before = start.align_offset(LARGE_PAGE).min(size_of_val(room));
    let bytes = (size_of_val(room) - before) / LARGE_PAGE * LARGE_PAGE;
    // SAFETY: the range lies within `room`, which is ours alone; the advice changes how memory is backed, never what is in it.
    unsafe { libc::madvise(start.byte_add(before), bytes, libc::MADV_HUGEPAGE) };
}

/// Opens a packet socket. Nothing comes in before it is bound.
pub(super) fn open() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just opened and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Returns the system's number for an interface.
pub(super) fn index(interface: &str) -> Option<c_int> {
    let name = CString::new(interface).ok()?;
    // SAFETY: `name` ends with a zero byte and lives over the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    c_int::try_from(index).ok().filter(|index| *index != 0)
}

/// Binds a packet socket to an interface (0: none in particular) for one protocol, `libc::ETH_P_ALL` for all.
pub(super) fn bind(socket: &OwnedFd, index: c_int, protocol: u16) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).unwrap_or(17),
        sll_protocol: protocol.to_be(),
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

/// Waits until there is something to read, or something is wrong. Returns what `poll` says, 0 when time or a signal came first.
pub(super) fn wait(socket: &OwnedFd, timeout: Duration) -> io::Result<i16> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
    let timeout_ms = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: `poll` is one valid `pollfd`, as the count says, for the time of the call.
    if unsafe { libc::poll(&raw mut poll, 1, timeout_ms) } < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(0) } else { Err(error) };
    }
    Ok(poll.revents)
}

/// Returns, and clears, what went wrong with the socket since it was asked last; 0 for nothing.
pub(super) fn pending_error(socket: &OwnedFd) -> io::Result<c_int> {
    let mut pending: c_int = 0;
    get_option(socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut pending)?;
    Ok(pending)
}

/// Has the kernel run a filter on what comes in: it returns how many bytes are kept, 0 for none.
pub(super) fn attach_filter(socket: &OwnedFd, program: &mut [Instruction]) -> io::Result<()> {
    with_program(program, |program| set_option_at(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program))
}

/// Has the kernel run a program on what comes in for the group that the socket is in: it returns the number of the member.
pub(super) fn set_fanout_program(socket: &OwnedFd, program: &mut [Instruction]) -> io::Result<()> {
    with_program(program, |program| set_option(socket, libc::PACKET_FANOUT_DATA, program))
}

fn with_program<T>(
    program: &mut [Instruction],
    use_it: impl FnOnce(&libc::sock_fprog) -> io::Result<T>,
) -> io::Result<T> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    use_it(&libc::sock_fprog { len: length, filter: program.as_mut_ptr() })
}

/// Sets an option of packet sockets.
pub(super) fn set_option<T: Copy>(socket: &OwnedFd, name: c_int, value: &T) -> io::Result<()> {
    set_option_at(socket, libc::SOL_PACKET, name, value)
}

/// Sets an option.
pub(super) fn set_option_at<T: Copy>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let pointer: *const c_void = ptr::from_ref(value).cast();
    // SAFETY: `value` is valid over the call and as long as is said; the kernel reads no more of it.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, length_of::<T>()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns the value of an option of packet sockets that is one number.
pub(super) fn number_option(socket: &OwnedFd, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    get_option(socket, libc::SOL_PACKET, name, &mut value)?;
    Ok(value)
}

/// Returns what the kernel counted since it was asked last.
pub(super) fn statistics(socket: &OwnedFd) -> io::Result<libc::tpacket_stats_v3> {
    let mut counted = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    get_option(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut counted)?;
    Ok(counted)
}

/// `T` is a structure of plain integers here, of which every bit pattern is a value: this function is private for that.
fn get_option<T: Copy>(socket: &OwnedFd, level: c_int, name: c_int, value: &mut T) -> io::Result<()> {
    let mut length = length_of::<T>();
    let pointer: *mut c_void = ptr::from_mut(value).cast();
    // SAFETY: the kernel writes at most `length` bytes, the size of `value`, a structure of plain integers.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, pointer, &raw mut length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(libc::socklen_t::MAX)
}
