//! Packet sockets, opened before the process gives up the right to open them.
//!
//! Invariant: a socket that nobody uses receives nothing and holds no memory of the kernel's but its own; it can be bound to
//! any interface later, for which no right is needed. The exception is a socket that was in a group of several
//! (`PACKET_FANOUT`): the kernel never binds it anew, so it is closed after use.

use std::{
    ffi::c_int,
    fmt, io,
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    RingError,
    system::{self, Instruction},
};

/// A protocol that nobody speaks: reserved for experiments (IEEE 802, table of local ethertypes).
const NOBODYS_PROTOCOL: u16 = 0x88b6;

/// The packet sockets of a process. Cheap to clone. One that was never filled opens sockets when they are needed.
#[derive(Debug, Clone, Default)]
pub struct Sockets(Arc<Mutex<Pool>>);

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<OwnedFd>,
    /// No others can be opened.
    sealed: bool,
}

/// A socket in use. Dropped, it goes back to where it came from.
pub(super) struct Lease {
    socket: Option<OwnedFd>,
    from: Sockets,
    /// It was in a group.
    worn: bool,
    /// The interface on which it asked for frames that are for others.
    promiscuous: Option<c_int>,
}

impl Sockets {
    /// Opens sockets until so many are there.
    ///
    /// # Errors
    /// When the process has not the right, or too many files are open. Those that could be opened are there.
    pub fn fill(&self, count: usize) -> io::Result<()> {
        let mut pool = self.pool();
        while pool.idle.len() < count {
            pool.idle.push(system::open()?);
        }
        Ok(())
    }

    /// Notes that the process can open no others from now on, so that those there are must last.
    pub fn seal(&self) {
        self.pool().sealed = true;
    }

    /// Returns how many sockets wait to be used.
    pub fn idle(&self) -> usize {
        self.pool().idle.len()
    }

    pub(super) fn take(&self, interface: &str) -> Result<Lease, RingError> {
        let (waiting, sealed) = {
            let mut pool = self.pool();
            (pool.idle.pop(), pool.sealed)
        };
        let socket = match waiting {
            Some(socket) => socket,
            None if sealed => return Err(RingError::NoSocket { interface: interface.to_owned() }),
            None => system::open().map_err(|source| not_opened(interface, source))?,
        };
        Ok(Lease { socket: Some(socket), from: self.clone(), worn: false, promiscuous: None })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Returns the socket, which is there as long as the lease.
    pub(super) fn socket(&self) -> io::Result<&OwnedFd> {
        self.socket.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))
    }

    /// Asks for frames that are for others too.
    pub(super) fn join_promiscuous(&mut self, index: c_int) -> io::Result<()> {
        system::set_option(self.socket()?, libc::PACKET_ADD_MEMBERSHIP, &promiscuous(index))?;
        self.promiscuous = Some(index);
        Ok(())
    }

    /// Notes that the socket is in a group from now on.
    pub(super) fn wear(&mut self) {
        self.worn = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let mut pool = self.from.pool();
        // Where others can be opened, none is kept.
        if pool.sealed && !self.worn && rest(&socket, self.promiscuous).is_ok() {
            pool.idle.push(socket);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("socket", &self.socket).field("worn", &self.worn).finish_non_exhaustive()
    }
}

/// Has the kernel hand over nothing until [`accept`].
pub(super) fn reject(socket: &OwnedFd) -> io::Result<()> {
    system::attach_filter(socket, &mut [keep(0)])
}

/// Has the kernel hand over every frame, of each at most so many bytes.
pub(super) fn accept(socket: &OwnedFd, length: Option<u32>) -> io::Result<()> {
    match length {
        Some(length) => system::attach_filter(socket, &mut [keep(length.max(1))]),
        None => system::set_option_at(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &(0 as c_int)),
    }
}

/// An instruction that keeps this many bytes of whatever comes in.
fn keep(length: u32) -> Instruction {
    Instruction { code: 0x06, jt: 0, jf: 0, k: length }
}

/// Lets a socket rest: bound to nobody's protocol, without a ring. Its mapping is gone already.
fn rest(socket: &OwnedFd, promiscuous_on: Option<c_int>) -> io::Result<()> {
    reject(socket)?;
    if let Some(index) = promiscuous_on {
        // Refused where the interface is gone, and with it what was asked for.
        let _ = system::set_option(socket, libc::PACKET_DROP_MEMBERSHIP, &promiscuous(index));
    }
    system::bind(socket, 0, NOBODYS_PROTOCOL)?;
    let none = libc::tpacket_req3 {
        tp_block_size: 0,
        tp_block_nr: 0,
        tp_frame_size: 0,
        tp_frame_nr: 0,
        tp_retire_blk_tov: 0,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    system::set_option(socket, libc::PACKET_RX_RING, &none)?;
    // What went wrong, and what was counted, was the last user's.
    system::pending_error(socket)?;
    system::statistics(socket).map(drop)
}

fn promiscuous(index: c_int) -> libc::packet_mreq {
    libc::packet_mreq {
        mr_ifindex: index,
        mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or(1),
        mr_alen: 0,
        mr_address: [0; 8],
    }
}

fn not_opened(interface: &str, source: io::Error) -> RingError {
    let interface = interface.to_owned();
    match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("onenet-agent"));
            RingError::NotPermitted { interface, program }
        }
        _ => RingError::System { interface, operation: "open a packet socket", source },
    }
}
