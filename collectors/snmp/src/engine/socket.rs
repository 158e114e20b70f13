//! One UDP socket for the questions to all devices of an address family.
//!
//! Whatever is asked before tasks have had their turn is sent together: a system call for many questions, and not for each. While few
//! are asked, an answer is handed on as it comes. While many are, answers gather for a moment as well, and what is asked meanwhile
//! waits with them: a wake-up for many.
//!
//! Tasks: [`Socket`] owns one task, which hands what the socket receives to the table of questions and sends what gathered. It
//! ends when the `Socket` is dropped, never on bad input, and pauses after an error of the system. Dropping [`Socket::ask`]
//! forgets the question.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::Interest,
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::{
    batch::{self, Inbox, Outgoing},
    message,
    pace::Pace,
    pending::{DatagramCounts, Device, Outcome, Pending, Received},
};
use crate::{
    clock,
    exchange::{ExchangeError, Request},
};

/// The receive buffer, in bytes: answers of many devices come at once. The system may grant less.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// How many lots of datagrams are taken before questions are sent.
const ROUNDS: usize = 16;

/// How long nothing is received after the system failed.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a question waits when the system has no room for it.
const NO_ROOM: Duration = Duration::from_millis(1);

/// The room of how many questions is kept for later ones, and how large it may be: of as many as are asked at a moment.
const ROOMS_KEPT: usize = 64;
const ROOM_KEPT_BYTES: usize = 1 << 10;

/// A socket that asks.
#[derive(Debug)]
pub(super) struct Socket {
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    udp: UdpSocket,
    pending: Mutex<Pending>,
    outbox: Mutex<Outbox>,
    /// Told when there is something to send and nobody looks by the clock.
    asked: Notify,
}

/// The questions that are to be sent together: as many as wait for answers, at most.
#[derive(Debug, Default)]
struct Outbox {
    /// Whether somebody looks here by the clock; if not, he is told of the first question.
    gathers: bool,
    questions: Vec<Outgoing>,
    /// Room of questions that were sent, for later ones.
    rooms: Vec<Vec<u8>>,
}

/// A question that waits, forgotten when this is dropped.
struct Question<'a> {
    shared: &'a Shared,
    number: i32,
}

impl Socket {
    /// Opens a socket at an address and begins to receive. Must be called within a tokio runtime.
    pub(super) fn open(at: SocketAddr) -> io::Result<Self> {
        let udp = UdpSocket::bind(at)?;
        udp.set_nonblocking(true)?;
        // Less room than asked for is no reason not to work.
        if let Err(error) = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
            tracing::debug!(%error, "the receive buffer stays as it is");
        }
        batch::stamp_arrivals(&udp);
        let (watched, inbox) = (watched(&udp)?, Inbox::of(&udp)?);
        let shared =
            Arc::new(Shared { udp, pending: Mutex::default(), outbox: Mutex::default(), asked: Notify::new() });
        let serving = tokio::spawn(serve(Arc::clone(&shared), watched, inbox));
        Ok(Self { shared, serving })
    }

    /// Sends a question and waits for its answer for ever.
    pub(super) async fn ask(&self, device: &Arc<Device>, request: &Request) -> Result<Received, ExchangeError> {
        let (question, answer) = self.question(device, request)?;
        let unsendable = |error: message::Unwritable| ExchangeError::Unsendable(error.to_string());
        let number = question.number;
        let room = self.shared.outbox().rooms.pop().unwrap_or_default();
        let datagram = message::question_in(room, request, device.community.reveal(), number).map_err(unsendable)?;
        if self.shared.outbox().put(Outgoing { to: device.address, datagram, number }) {
            self.shared.asked.notify_one();
        }
        // The other side is dropped only when the runtime stops.
        answer.await.map_err(|_| ExchangeError::TimedOut)?.map_err(ExchangeError::Network)
    }

    fn question(
        &self,
        device: &Arc<Device>,
        request: &Request,
    ) -> Result<(Question<'_>, oneshot::Receiver<Outcome>), ExchangeError> {
        let (Request::Get(names) | Request::GetBulk { after: names, .. }) = request;
        let rows = usize::try_from(request.rows()).unwrap_or(usize::MAX);
        let now = clock::monotonic_now();
        let added = self.shared.pending().add(device, names.len().saturating_mul(rows), now);
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
        self.serving.abort();
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.shared.pending().forget(self.number);
    }
}

impl Outbox {
    /// Takes a question. Returns whether somebody has to be told of it.
    fn put(&mut self, question: Outgoing) -> bool {
        self.questions.push(question);
        !self.gathers && self.questions.len() == 1
    }

    /// Takes out the first questions, which were sent.
    fn sent(&mut self, count: usize) {
        let Self { questions, rooms, .. } = self;
        for Outgoing { datagram, .. } in questions.drain(..count) {
            if rooms.len() < ROOMS_KEPT && datagram.capacity() <= ROOM_KEPT_BYTES {
                rooms.push(datagram);
            }
        }
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when there is something to send.
    async fn has_questions(&self) {
        if self.outbox().questions.is_empty() {
            self.asked.notified().await;
        } else {
            tokio::time::sleep(NO_ROOM).await;
        }
    }

    /// Takes a lot of what waits and hands it to the questions. Returns how many datagrams, and whether more may wait.
    fn receive(&self, inbox: &mut Inbox) -> io::Result<(usize, bool)> {
        let mut pending = self.pending();
        match inbox.receive(&self.udp, |datagram, from, at| pending.take(datagram, from, at)) {
            Ok(taken) => Ok((taken, taken == batch::AT_ONCE)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok((0, false)),
            Err(error) => {
                pending.counts.failures += 1;
                Err(error)
            }
        }
    }

    /// Takes what waits, lot by lot: whoever has an answer goes on with it while the processor still has it at hand. Returns how
    /// many datagrams.
    async fn receive_lots(&self, inbox: &mut Inbox) -> io::Result<usize> {
        let mut all = 0;
        for _ in 0..ROUNDS {
            let (taken, more) = self.receive(inbox)?;
            all += taken;
            if !more {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(all)
    }

    /// Sends what was asked, and says whether questions gather from now on. What there is no room for waits for the next time.
    fn send(&self, gathers: bool) {
        let mut outbox = self.outbox();
        let mut sent = 0;
        while let Some(rest) = outbox.questions.get(sent..).filter(|rest| !rest.is_empty()) {
            let now = clock::monotonic_now();
            let mut pending = self.pending();
            rest.iter().take(batch::AT_ONCE).for_each(|question| pending.sent(question.number, now));
            match batch::send(&self.udp, rest) {
                Ok(count) => sent += count.max(1),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Whoever gave up meanwhile is not asked for any more.
                    outbox.sent(sent);
                    outbox.questions.retain(|question| pending.waits(question.number));
                    sent = 0;
                    break;
                }
                Err(error) => {
                    rest.iter().take(1).for_each(|question| pending.fail(question.number, &error));
                    sent += 1;
                }
            }
        }
        outbox.sent(sent);
        outbox.gathers = gathers;
    }
}

/// Returns the same socket, watched by the runtime until it is dropped.
fn watched(udp: &UdpSocket) -> io::Result<tokio::net::UdpSocket> {
    tokio::net::UdpSocket::from_std(udp.try_clone()?)
}

/// Receives and sends until aborted.
async fn serve(shared: Arc<Shared>, watched_at_first: tokio::net::UdpSocket, mut inbox: Inbox) {
    let mut pace = Pace::new(clock::monotonic_now());
    // While answers gather, nobody is to be woken because one came.
    let mut watching = Some(watched_at_first);
    loop {
        let received = if let Some(watched) = &watching {
            tokio::select! {
                received = received_at_once(&shared, &mut inbox, watched) => received,
                () = shared.has_questions() => Ok(0),
            }
        } else {
            tokio::time::sleep(pace.gathers_for(batch::AT_ONCE)).await;
            shared.receive_lots(&mut inbox).await
        };
        if let Err(error) = &received {
            tracing::debug!(%error, "cannot receive SNMP answers");
            tokio::time::sleep(PAUSE).await;
        }
        // Whoever has an answer, or is due, asks before all of it is sent.
        tokio::task::yield_now().await;
        let busy = pace.note(received.unwrap_or(0), clock::monotonic_now());
        if busy {
            watching = None;
        } else if watching.is_none() {
            // When the system has no room to watch it, it goes on to be looked at by the clock.
            watching = watched(&shared.udp).ok();
        }
        shared.send(watching.is_none());
    }
}

/// Waits until something came, and takes a lot of it.
async fn received_at_once(shared: &Shared, inbox: &mut Inbox, watched: &tokio::net::UdpSocket) -> io::Result<usize> {
    watched.readable().await?;
    let mut received = Ok(0);
    // What is told to the runtime is whether to wait for more.
    let _ = watched.try_io(Interest::READABLE, || match shared.receive(inbox) {
        Ok((taken, more)) => {
            received = Ok(taken);
            if more { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
        }
        Err(error) => {
            received = Err(error);
            Ok(())
        }
    });
    received
}
