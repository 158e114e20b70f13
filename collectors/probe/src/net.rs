//! The sockets of probes: opened early, read many datagrams at a time, with the kernel's time of each.
//!
//! Invariant: none of these calls waits. It knows no packet beyond what the socket filters look at. The one file that names the
//! crate `nix`.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsRawFd, RawFd},
    sync::Arc,
    time::Duration,
};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, setsockopt,
    sockopt,
};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

use crate::{
    clock::{self, Now},
    echo::{Family, Token, identifier, reply_type},
};

/// How many datagrams one call takes at most.
const AT_ONCE: usize = 16;

/// Room for one datagram: what an Ethernet frame carries.
const DATAGRAM_BYTES: usize = 2_048;

/// Answers of hundreds of targets may come at once, in bytes.
const RECEIVE_BUFFER_BYTES: usize = 256 << 10;

/// The sockets of ICMP echo, opened before the process gives up the right to. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct EchoSockets(Option<Arc<Opened>>);

/// Sockets of both families: for ordinary questions, and for those that are never cut into pieces.
#[derive(Debug)]
struct Opened {
    ordinary: [Option<Socket>; 2],
    whole: [Option<Socket>; 2],
}

/// Where datagrams are taken to.
#[derive(Debug)]
pub(crate) struct Inbox {
    is_v4: bool,
    buffer: Vec<u8>,
    came: Vec<Came>,
}

#[derive(Debug)]
struct Came {
    bytes: usize,
    from: Option<SocketAddr>,
    stamp: Option<Duration>,
    hops_left: u8,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) from: SocketAddr,
    pub(crate) at: Now,
    pub(crate) hops_left: u8,
}

impl EchoSockets {
    /// Opens both families, as raw sockets; needs CAP_NET_RAW. One that cannot be opened is not there.
    pub fn open_now() -> Self {
        let both = || [open_raw(Family::V4).ok(), open_raw(Family::V6).ok()];
        Self(Some(Arc::new(Opened { ordinary: both(), whole: both() })))
    }

    /// Returns a socket for echoes with this token: one that was opened, or a ping socket of the kernel's, or a raw one.
    pub(crate) fn socket(&self, family: Family, token: Token) -> io::Result<Socket> {
        open(self.0.as_ref().map(|opened| &opened.ordinary), family, token)
    }

    /// Returns a socket for echoes that are never cut into pieces, whatever the kernel knows of the way. There is one for all.
    pub(crate) fn whole(&self, family: Family, token: Token) -> io::Result<Socket> {
        let socket = open(self.0.as_ref().map(|opened| &opened.whole), family, token)?;
        match family {
            Family::V4 => set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?,
            Family::V6 => set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::PROBE)?,
        }
        Ok(socket)
    }
}

/// Returns one of the sockets that were opened, or a ping socket of the kernel's, or a raw one.
fn open(opened: Option<&[Option<Socket>; 2]>, family: Family, token: Token) -> io::Result<Socket> {
    if let Some([v4, v6]) = opened
        && let Some(kept) = if family == Family::V4 { v4 } else { v6 }
    {
        let socket = kept.try_clone()?;
        socket.attach_filter(&filter(family, identifier(token)))?;
        return Ok(socket);
    }
    let (domain, protocol) = of(family);
    if let Ok(socket) = Socket::new(domain, Type::DGRAM, Some(protocol)) {
        return ready(socket);
    }
    let socket = open_raw(family)?;
    socket.attach_filter(&filter(family, identifier(token)))?;
    Ok(socket)
}

const fn of(family: Family) -> (Domain, Protocol) {
    match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    }
}

/// Opens a raw socket that takes nothing in yet.
fn open_raw(family: Family) -> io::Result<Socket> {
    let (domain, protocol) = of(family);
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])?;
    ready(socket)
}

fn ready(socket: Socket) -> io::Result<Socket> {
    socket.set_nonblocking(true)?;
    // Less room than asked for, or no stamps, are no reasons not to work.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    if let Err(error) = setsockopt(&socket, sockopt::ReceiveTimestampns, &true) {
        tracing::debug!(%error, "arriving datagrams get no time stamps");
    }
    Ok(socket)
}

/// Instructions of the kernel's socket filters (linux/bpf_common.h).
const LOAD_BYTE: u16 = 0x30;
const LOAD_BYTE_BEHIND: u16 = 0x50;
const LOAD_HALF: u16 = 0x28;
const LOAD_HALF_BEHIND: u16 = 0x48;
const LOAD_HEAD_LENGTH: u16 = 0xb1;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Returns the program that keeps answers to an identifier, so that nobody wakes up for others' echoes.
fn filter(family: Family, identifier: u16) -> [SockFilter; 7] {
    let (reply, identifier) = (u32::from(reply_type(family)), u32::from(identifier));
    let (byte, half) = match family {
        Family::V4 => (LOAD_BYTE_BEHIND, LOAD_HALF_BEHIND),
        Family::V6 => (LOAD_BYTE, LOAD_HALF),
    };
    [
        SockFilter::new(LOAD_HEAD_LENGTH, 0, 0, 0),
        SockFilter::new(byte, 0, 0, 0),
        SockFilter::new(JUMP_EQUAL, 0, 3, reply),
        SockFilter::new(half, 0, 0, 4),
        SockFilter::new(JUMP_EQUAL, 0, 1, identifier),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

/// Opens a UDP socket to send test packets from.
pub(crate) fn open_udp(family: Family) -> io::Result<Socket> {
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    bind_udp(SocketAddr::new(any, 0))
}

/// Opens the reflector's socket at an address.
///
/// # Errors
/// The address is not this machine's, or taken, or the port needs a right.
pub fn open_reflector(listen: SocketAddr) -> io::Result<Socket> {
    let socket = bind_udp(listen)?;
    let hops = if listen.is_ipv4() {
        setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)
    } else {
        setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)
    };
    if let Err(error) = hops {
        tracing::debug!(%error, "arriving test packets do not tell their hops");
    }
    Ok(socket)
}

/// Returns the socket as one that can be waited for: a raw one is sent to and received from like any other.
pub(crate) fn watched(socket: Socket) -> io::Result<UdpSocket> {
    UdpSocket::from_std(socket.into())
}

fn bind_udp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // The other family has a socket of its own.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    ready(socket)
}

impl Inbox {
    /// Returns a place for datagrams that come to sockets of a family.
    pub(crate) fn new(is_v4: bool) -> Self {
        Self { is_v4, buffer: vec![0; AT_ONCE * DATAGRAM_BYTES], came: Vec::with_capacity(AT_ONCE) }
    }

    /// Takes what waits, and hands each on. Returns how many.
    ///
    /// # Errors
    /// Nothing waits, or the system fails.
    pub(crate) fn receive(&mut self, socket: &UdpSocket, mut take: impl FnMut(Datagram<'_>)) -> io::Result<usize> {
        let fd = socket.as_raw_fd();
        // Told when nothing waits any more, so that the next one wakes whoever waits.
        socket.try_io(Interest::READABLE, || {
            if self.is_v4 {
                self.fill(fd, |v4: SockaddrIn| (v4.ip(), v4.port()).into())
            } else {
                self.fill(fd, |v6: SockaddrIn6| (v6.ip(), v6.port()).into())
            }
        })?;
        let now = clock::now();
        for (came, buffer) in self.came.iter().zip(self.buffer.chunks_exact(DATAGRAM_BYTES)) {
            if let (Some(from), Some(bytes)) = (came.from, buffer.get(..came.bytes)) {
                take(Datagram { bytes, from, at: now.stamped(came.stamp), hops_left: came.hops_left });
            }
        }
        Ok(self.came.len())
    }

    fn fill<S: SockaddrLike + Copy>(&mut self, socket: RawFd, address: impl Fn(S) -> SocketAddr) -> io::Result<()> {
        self.came.clear();
        let mut slices: Vec<_> =
            self.buffer.chunks_exact_mut(DATAGRAM_BYTES).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        // Not kept: what the kernel writes into them would cut the next addresses and stamps.
        let mut headers = MultiHeaders::preallocate(AT_ONCE, Some(nix::cmsg_space!(nix::sys::time::TimeSpec, i32)));
        let received = recvmmsg(socket, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        self.came.extend(received.map(|one| {
            let (stamp, hops_left) = told(&one);
            Came { bytes: one.bytes, from: one.address.map(&address), stamp, hops_left }
        }));
        Ok(())
    }
}

/// Returns when the kernel took a datagram, and how many hops it had left; 0 where it does not tell.
fn told<S>(message: &RecvMsg<'_, '_, S>) -> (Option<Duration>, u8) {
    let (mut stamp, mut hops) = (None, 0);
    let Ok(parts) = message.cmsgs() else { return (stamp, hops) };
    for part in parts {
        match part {
            ControlMessageOwned::ScmTimestampns(time) => stamp = Some(Duration::from(time)),
            ControlMessageOwned::Ipv4Ttl(left) | ControlMessageOwned::Ipv6HopLimit(left) => {
                hops = u8::try_from(left).unwrap_or(0);
            }
            _ => {}
        }
    }
    (stamp, hops)
}
