//! The door: who may connect to the agents' port, and how long without saying who he is.
//!
//! Invariant: whoever is not known yet takes one of few places, by address and in all, and has a bounded time for handshake,
//! preface and hello together; known agents have places of their own, which strangers cannot take. A connection on which no
//! stream is open is hung up on, so that neither silence nor answered pings hold a place.
//!
//! # Tasks
//!
//! None: [`lines`] accepts in the task of the server that polls it, and each [`Line`] keeps its time when it is polled.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use onenet_wire::alive;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::Sleep,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::listening::{Place, Places, Shares, Unstalled};

/// How long a connection may be without a stream: a handshake over a satellite and a hello need a few seconds of it.
const WITHOUT_STREAM: Duration = Duration::from_secs(30);
/// How long an agent may read nothing of what it is sent.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// How long to wait after the system refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// One in so many refusals is logged: whoever attacks does not write the log.
const LOGGED_EACH: u64 = 1_000;

/// How many may be connected, and how long without saying who they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections in all.
    pub(crate) connections: usize,
    /// Those of them that are not known yet.
    pub(crate) strangers: usize,
    /// Those that are not known yet, of one address.
    pub(crate) strangers_by_address: usize,
    /// How long a connection may be without a stream.
    pub(crate) without_stream: Duration,
}

impl Limits {
    /// Returns the limits for what this process may open.
    pub(crate) fn here() -> Self {
        let connections = Shares::here().agents;
        let strangers = (connections / 4).max(8);
        // All agents of a province may be behind one address, and come back at once.
        let strangers_by_address = (strangers / 32).max(8);
        Self { connections, strangers, strangers_by_address, without_stream: WITHOUT_STREAM }
    }
}

/// Who is at the other end of a connection, as far as that is known.
#[derive(Debug)]
pub(super) struct Standing {
    /// His address.
    pub(super) peer: SocketAddr,
    /// Given back with the first hello that was accepted.
    stranger: Mutex<Option<Place>>,
    /// Streams that are open.
    open: AtomicUsize,
    /// Whether one was open since the last look.
    was_open: AtomicBool,
    _place: Place,
}

/// A stream of a known agent, open until this is dropped.
#[derive(Debug)]
pub(super) struct Open(Arc<Standing>);

impl Standing {
    /// Notes that a stream is open: an agent said hello, and is known.
    pub(super) fn open(self: Arc<Self>) -> Open {
        self.stranger.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.open.fetch_add(1, Ordering::Relaxed);
        self.was_open.store(true, Ordering::Relaxed);
        Open(self)
    }

    fn is_stranger(&self) -> bool {
        self.stranger.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns whether nothing is open, nor was since the last look.
    fn is_idle(&self) -> bool {
        let was_open = self.was_open.swap(false, Ordering::Relaxed);
        self.open.load(Ordering::Relaxed) == 0 && !was_open
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.was_open.store(true, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that ends when no stream is opened on it in time.
#[derive(Debug)]
pub(super) struct Line {
    stream: Unstalled<TcpStream>,
    standing: Arc<Standing>,
    without_stream: Duration,
    look: Pin<Box<Sleep>>,
    /// Whoever is a stranger when the centre stops is not waited for.
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stopped: bool,
}

impl Line {
    /// Returns why the connection is to end, when it is.
    fn poll_end(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.look.as_mut().poll(context).is_ready() {
            if self.standing.is_idle() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no agent said hello in time"));
            }
            let next = self.look.deadline() + self.without_stream;
            self.look.as_mut().reset(next);
        }
        self.stopped = self.stopped || self.stop.as_mut().poll(context).is_ready();
        if self.stopped && self.standing.is_stranger() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the centre is stopping"));
        }
        Ok(())
    }
}

impl Connected for Line {
    type ConnectInfo = Arc<Standing>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Arc::clone(&self.standing)
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_end(context)?;
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_end(context)?;
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_end(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Returns the connections that are let in, without end.
pub(super) fn lines(
    listener: TcpListener,
    limits: Limits,
    shutdown: CancellationToken,
) -> impl Stream<Item = io::Result<Line>> {
    let door = Door {
        listener,
        connections: Places::new(limits.connections, limits.connections),
        strangers: Places::new(limits.strangers, limits.strangers_by_address),
        without_stream: limits.without_stream,
        shutdown,
        refused: 0,
        failed: 0,
    };
    futures_util::stream::unfold(door, |mut door| async move {
        let line = door.next().await;
        Some((Ok(line), door))
    })
}

struct Door {
    listener: TcpListener,
    connections: Places,
    strangers: Places,
    without_stream: Duration,
    shutdown: CancellationToken,
    refused: u64,
    failed: u64,
}

impl Door {
    /// Waits for the next one who is let in.
    async fn next(&mut self) -> Line {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(line) = self.let_in(stream, peer) {
                        return line;
                    }
                    if self.refused.is_multiple_of(LOGGED_EACH) {
                        let refused = self.refused + 1;
                        tracing::warn!(%peer, refused, "a connection to the agents' port was closed at once: too many are open without a hello");
                    }
                    self.refused += 1;
                }
                Err(error) => {
                    if self.failed.is_multiple_of(LOGGED_EACH) {
                        tracing::warn!(%error, failed = self.failed + 1, "a connection of an agent was not accepted");
                    }
                    self.failed += 1;
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr) -> Option<Line> {
        let place = self.connections.take(peer.ip())?;
        let stranger = self.strangers.take(peer.ip())?;
        // An acknowledgement is small and waited for; without this the connection is slower and works all the same.
        let _ = stream.set_nodelay(true);
        // Without it a site that is cut off is found out later, by its silence.
        let _ = alive::watch(&stream, alive::CENTRE);
        let standing = Standing {
            peer,
            stranger: Mutex::new(Some(stranger)),
            open: AtomicUsize::new(0),
            was_open: AtomicBool::new(false),
            _place: place,
        };
        Some(Line {
            stream: Unstalled::new(stream, READ_WITHIN),
            standing: Arc::new(standing),
            without_stream: self.without_stream,
            look: Box::pin(tokio::time::sleep(self.without_stream)),
            stop: Box::pin(self.shutdown.clone().cancelled_owned()),
            stopped: false,
        })
    }
}
