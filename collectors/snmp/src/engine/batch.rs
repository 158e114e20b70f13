//! Many datagrams with one system call: `sendmmsg` and `recvmmsg`.
//!
//! Invariant: none of these calls waits. It knows no message; what came is borrowed to whoever takes it. The one file that
//! names the crate `nix`.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    time::{Duration, Instant},
};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg,
    setsockopt, sockopt,
};

use crate::clock::Stamps;

/// How many datagrams one call takes or sends at most. What a call needs for so many is small enough for the allocator's
/// fast path.
pub(super) const AT_ONCE: usize = 16;

/// The longest datagram that there is.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;

/// A datagram that is to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) to: SocketAddr,
    pub(super) datagram: Vec<u8>,
    /// The number of its question.
    pub(super) number: i32,
}

/// Where datagrams are taken to. Of its 1 MB those pages are resident that datagrams filled.
#[derive(Debug)]
pub(super) struct Inbox {
    is_v4: bool,
    buffer: Vec<u8>,
    came: Vec<(usize, Option<SocketAddr>, Option<Duration>)>,
}

impl Inbox {
    /// Returns a place for [`AT_ONCE`] datagrams that come to a socket.
    ///
    /// # Errors
    /// The socket has no address.
    pub(super) fn of(socket: &UdpSocket) -> io::Result<Self> {
        let is_v4 = socket.local_addr()?.is_ipv4();
        Ok(Self { is_v4, buffer: vec![0; AT_ONCE * DATAGRAM_BYTES_MAX], came: Vec::with_capacity(AT_ONCE) })
    }

    /// Takes what waits, up to [`AT_ONCE`] datagrams, and hands each on with the address it came from and the time at which
    /// the kernel took it. Returns how many.
    ///
    /// # Errors
    /// Nothing waits, or the system fails.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        mut take: impl FnMut(&[u8], SocketAddr, Instant),
    ) -> io::Result<usize> {
        if self.is_v4 {
            self.fill(socket, |v4: SockaddrIn| (v4.ip(), v4.port()).into())?;
        } else {
            self.fill(socket, |v6: SockaddrIn6| (v6.ip(), v6.port()).into())?;
        }
        let stamps = Stamps::now();
        let buffers = self.buffer.chunks_exact(DATAGRAM_BYTES_MAX);
        for ((bytes, from, stamp), buffer) in self.came.iter().zip(buffers) {
            if let (Some(from), Some(datagram)) = (from, buffer.get(..*bytes)) {
                take(datagram, *from, stamps.time(*stamp));
            }
        }
        Ok(self.came.len())
    }

    fn fill<S: SockaddrLike + Copy>(
        &mut self,
        socket: &UdpSocket,
        address: impl Fn(S) -> SocketAddr,
    ) -> io::Result<()> {
        self.came.clear();
        let mut slices: Vec<_> =
            self.buffer.chunks_exact_mut(DATAGRAM_BYTES_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        // Not kept: what the kernel writes into them would cut the next addresses and stamps.
        let mut headers = MultiHeaders::preallocate(AT_ONCE, Some(nix::cmsg_space!(nix::sys::time::TimeSpec)));
        let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        self.came.extend(received.map(|one| (one.bytes, one.address.map(&address), stamp(&one))));
        Ok(())
    }
}

/// Has the kernel stamp what comes. A kernel that does not is no reason not to work.
pub(super) fn stamp_arrivals(socket: &UdpSocket) {
    if let Err(error) = setsockopt(socket, sockopt::ReceiveTimestampns, &true) {
        tracing::debug!(%error, "arriving datagrams get no time stamps");
    }
}

/// Sends the first datagrams, all to addresses of the socket's family. Returns how many.
///
/// # Errors
/// The first one could not be sent: there is no room now, or the system fails.
pub(super) fn send(socket: &UdpSocket, outgoing: &[Outgoing]) -> io::Result<usize> {
    let outgoing = outgoing.get(..AT_ONCE).unwrap_or(outgoing);
    match outgoing.first().map(|first| first.to) {
        None => Ok(0),
        Some(SocketAddr::V4(_)) => send_as(socket, outgoing, |to| match to {
            SocketAddr::V4(v4) => Some(SockaddrIn::from(v4)),
            SocketAddr::V6(_) => None,
        }),
        Some(SocketAddr::V6(_)) => send_as(socket, outgoing, |to| match to {
            SocketAddr::V6(v6) => Some(SockaddrIn6::from(v6)),
            SocketAddr::V4(_) => None,
        }),
    }
}

fn send_as<S: SockaddrLike + Copy>(
    socket: &UdpSocket,
    outgoing: &[Outgoing],
    address: impl Fn(SocketAddr) -> Option<S>,
) -> io::Result<usize> {
    let slices: Vec<_> = outgoing.iter().map(|one| [IoSlice::new(&one.datagram)]).collect();
    let addresses: Vec<_> = outgoing.iter().map(|one| address(one.to)).collect();
    let mut headers = MultiHeaders::preallocate(outgoing.len(), None);
    let sent = sendmmsg(socket.as_raw_fd(), &mut headers, slices.iter(), addresses, [], MsgFlags::MSG_DONTWAIT)?;
    Ok(sent.count())
}

fn stamp<S>(message: &RecvMsg<'_, '_, S>) -> Option<Duration> {
    message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn as_many_datagrams_as_fit_are_sent_and_taken_at_once_with_their_senders_and_times() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("[::1]:0"));
        let to = UdpSocket::bind("127.0.0.1:0").unwrap();
        stamp_arrivals(&to);
        let before = clock::monotonic_now();
        let one =
            |number: i32| Outgoing { to: to.local_addr().unwrap(), datagram: number.to_be_bytes().to_vec(), number };
        let outgoing: Vec<Outgoing> = (0..24).map(one).collect();
        assert_eq!(send(&a, &outgoing).unwrap(), AT_ONCE);
        assert_eq!(send(&a, &outgoing[AT_ONCE..]).unwrap(), 24 - AT_ONCE);
        let (mut inbox, mut taken) = (Inbox::of(&to).unwrap(), Vec::new());
        let mut take = |datagram: &[u8], from, at| taken.push((datagram.to_vec(), from, at));
        assert_eq!(inbox.receive(&to, &mut take).unwrap(), AT_ONCE);
        assert_eq!(inbox.receive(&to, &mut take).unwrap(), 24 - AT_ONCE);
        assert_eq!(inbox.receive(&to, &mut take).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let now = clock::monotonic_now();
        for ((datagram, from, at), number) in taken.into_iter().zip(0_i32..) {
            assert_eq!((datagram, from), (number.to_be_bytes().to_vec(), a.local_addr().unwrap()));
            assert!(at + Duration::from_millis(1) >= before && at <= now);
        }
        // A machine without IPv6 has nothing to show here.
        if let Ok(b) = b {
            let v6 = Outgoing { to: b.local_addr().unwrap(), datagram: vec![7], number: 0 };
            assert_eq!(send(&b, &[v6]).unwrap(), 1);
            let expected = b.local_addr().unwrap();
            let mut inbox = Inbox::of(&b).unwrap();
            assert_eq!(
                inbox.receive(&b, |datagram, from, _| assert_eq!((datagram, from), (&[7][..], expected))).unwrap(),
                1
            );
        }
    }
}
