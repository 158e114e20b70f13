//! Finds how large packets may be on each way: one after the other, each seldom.
//!
//! Invariant: packets are never cut into pieces, neither here nor on the way; a way is asked with one packet at a time. What is to be
//! looked at waits in a channel; when it is full, a way is looked at another time.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, sync::mpsc, time::timeout};

use super::lines::family;
use crate::{
    EchoSockets,
    echo::{self, Carried, Family, Token},
    net::{Inbox, watched},
    path::{Came, PathMtu, Search},
};

/// Ways that wait to be looked at.
pub(super) const WAITING_MAX: usize = 64;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(1);

/// What was found of a way.
#[derive(Debug)]
pub(super) struct Sized {
    pub(super) place: usize,
    pub(super) found: Option<PathMtu>,
}

/// What looks.
pub(super) struct Sizer {
    sockets: EchoSockets,
    token: Token,
    wanted: mpsc::Receiver<(usize, IpAddr)>,
    found: mpsc::Sender<Sized>,
}

impl Sizer {
    /// Returns what looks at the ways that are `wanted`. Its token differs from that of ordinary questions.
    pub(super) fn new(
        sockets: EchoSockets,
        token: Token,
        wanted: mpsc::Receiver<(usize, IpAddr)>,
        found: mpsc::Sender<Sized>,
    ) -> Self {
        Self { sockets, token: token.map(|byte| !byte), wanted, found }
    }

    /// Looks until nobody wants anything any more. Cancelling it is safe at any point.
    pub(super) async fn run(mut self) {
        let mut sequence = 0_u32;
        while let Some((place, to)) = self.wanted.recv().await {
            let found = match self.look(to, &mut sequence).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(%error, %to, "how large packets may be is not found out");
                    None
                }
            };
            if self.found.send(Sized { place, found }).await.is_err() {
                return;
            }
        }
    }

    async fn look(&self, to: IpAddr, sequence: &mut u32) -> io::Result<Option<PathMtu>> {
        let of = family(to);
        let socket = self.sockets.whole(of, self.token)?;
        // Connected, so that the kernel hands on what routers say of this way.
        socket.connect(&SocketAddr::new(to, 0).into())?;
        let socket = watched(socket)?;
        let mut inbox = Inbox::new(of == Family::V4);
        let mut search = Search::default();
        while let Some(size) = search.next() {
            *sequence = sequence.wrapping_add(1);
            search.take(self.ask(&socket, &mut inbox, of, size, *sequence).await?);
        }
        Ok(search.found())
    }

    /// Asks with a packet of a size.
    async fn ask(
        &self,
        socket: &UdpSocket,
        inbox: &mut Inbox,
        of: Family,
        size: u32,
        sequence: u32,
    ) -> io::Result<Came> {
        // What was said of an earlier packet is not of this one.
        let _ = socket.take_error()?;
        let packet = echo::sized(of, self.token, Carried { probe: 0, sequence }, size);
        match socket.send(&packet).await {
            Ok(_) => {}
            Err(error) if is_too_large(&error) => return Ok(Came::TooLarge),
            Err(error) => return Err(error),
        }
        let waiting = async {
            loop {
                socket.readable().await?;
                let mut answered = false;
                let token = self.token;
                let got = inbox.receive(socket, |datagram| {
                    let carried = echo::answer(of, token, datagram.bytes);
                    answered |= carried.is_some_and(|carried| carried.sequence == sequence);
                });
                match got {
                    Ok(_) if answered => return Ok(Came::Answer),
                    Err(error) if is_too_large(&error) => return Ok(Came::TooLarge),
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Ok(Came::Nothing),
                    _ => {}
                }
            }
        };
        timeout(ANSWER, waiting).await.unwrap_or(Ok(Came::Nothing))
    }
}

/// Returns whether the kernel says that a packet is too large for the way.
fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EMSGSIZE)
}

/// The number of that error on Linux.
const EMSGSIZE: i32 = 90;
