//! One UDP socket for the questions to all devices of an address family.
//!
//! Tasks: [`Socket`] owns one task, which hands what the socket receives to the table of questions and ends when the
//! `Socket` is dropped. It never ends on bad input; after an error of the system it pauses. Dropping [`Socket::ask`]
//! forgets the question.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{net::UdpSocket, sync::oneshot, task::JoinHandle};

use super::{
    message,
    pending::{DatagramCounts, Device, Pending, Received},
};
use crate::{
    clock,
    exchange::{ExchangeError, Request},
};

/// The receive buffer, in bytes: answers of many devices come at once. The system may grant less.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// The longest datagram that there is.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;

/// How many datagrams are taken before other tasks have their turn.
const AT_ONCE: usize = 64;

/// How long nothing is received after the system failed.
const PAUSE: Duration = Duration::from_millis(20);

/// A socket that asks.
#[derive(Debug)]
pub(super) struct Socket {
    shared: Arc<Shared>,
    receiving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    udp: UdpSocket,
    pending: Mutex<Pending>,
}

/// A question that waits, forgotten when this is dropped.
struct Question<'a> {
    shared: &'a Shared,
    number: i32,
}

impl Socket {
    /// Opens a socket at an address and begins to receive. Must be called within a tokio runtime.
    pub(super) fn open(at: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        // Less room than asked for is no reason not to work.
        if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
            tracing::debug!(%error, "the receive buffer stays as it is");
        }
        let udp = UdpSocket::from_std(socket)?;
        let shared = Arc::new(Shared { udp, pending: Mutex::default() });
        let receiving = tokio::spawn(receive(Arc::clone(&shared)));
        Ok(Self { shared, receiving })
    }

    /// Sends a question and waits for its answer for ever. Returns also when the question was sent.
    pub(super) async fn ask(
        &self,
        device: &Arc<Device>,
        request: &Request,
    ) -> Result<(Instant, Received), ExchangeError> {
        let (question, answer) = self.question(device, request)?;
        let unsendable = |error: message::Unwritable| ExchangeError::Unsendable(error.to_string());
        let datagram = message::question(request, device.community.reveal(), question.number).map_err(unsendable)?;
        let sent = clock::monotonic_now();
        self.shared.udp.send_to(&datagram, device.address).await.map_err(ExchangeError::Network)?;
        drop(datagram);
        // The other side is dropped only when the runtime stops.
        let received = answer.await.map_err(|_| ExchangeError::TimedOut)?;
        Ok((sent, received))
    }

    fn question(
        &self,
        device: &Arc<Device>,
        request: &Request,
    ) -> Result<(Question<'_>, oneshot::Receiver<Received>), ExchangeError> {
        let (Request::Get(names) | Request::GetBulk { after: names, .. }) = request;
        let rows = usize::try_from(request.rows()).unwrap_or(usize::MAX);
        let added = self.shared.pending().add(device, names.len().saturating_mul(rows));
        let (number, answer) =
            added.ok_or_else(|| ExchangeError::Unsendable("too many questions wait for answers".to_owned()))?;
        Ok((Question { shared: &self.shared, number }, answer))
    }

    /// Returns what became of the datagrams received.
    pub(super) fn counts(&self) -> DatagramCounts {
        self.shared.pending().counts
    }

    /// Returns how many questions wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.pending().len()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.shared.pending().forget(self.number);
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives until aborted.
async fn receive(shared: Arc<Shared>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let mut received = shared.udp.recv_from(&mut buffer).await;
        for _ in 0..AT_ONCE {
            match received {
                Ok((length, from)) => {
                    let at = clock::monotonic_now();
                    shared.pending().take(buffer.get(..length).unwrap_or_default(), from, at);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    shared.pending().counts.failures += 1;
                    tracing::debug!(%error, "cannot receive SNMP answers");
                    tokio::time::sleep(PAUSE).await;
                    break;
                }
            }
            received = shared.udp.try_recv_from(&mut buffer);
        }
        tokio::task::yield_now().await;
    }
}
