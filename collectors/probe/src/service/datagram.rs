//! A question in one datagram, and its answer.
//!
//! Invariant: an answer counts only from whom was asked. What is lost is asked again, as every client of these protocols does, so
//! that a lost packet is a late answer and not a failure; how long this goes on is for whoever asks.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{UdpSocket, lookup_host},
    time::timeout,
};

use super::talk::Stage;
use crate::{
    echo::Family,
    net::{open_udp, watched},
    prober::family,
};

/// How long is waited before asking again.
const AGAIN: Duration = Duration::from_secs(2);

/// The longest answer.
const DATAGRAM_BYTES: usize = 4_096;

/// A line to one address.
pub(super) struct Line<'s> {
    stage: &'s Stage,
    socket: UdpSocket,
}

impl<'s> Line<'s> {
    /// Opens a line.
    ///
    /// # Errors
    /// The name is not known, or there is no way.
    pub(super) async fn open(stage: &'s Stage, host: &str, port: u16) -> Result<Self, String> {
        stage.waits_for("address of the name");
        let cannot = |why: &dyn std::fmt::Display| format!("{host} cannot be looked up: {why}");
        let mut found = lookup_host((host, port)).await.map_err(|error| cannot(&error))?;
        let to = found.next().ok_or_else(|| cannot(&"it has no address"))?;
        let no_way = |error: io::Error| format!("there is no way to {}: {error}", to.ip());
        let of: Family = family(to.ip());
        let socket = open_udp(of).and_then(watched).map_err(no_way)?;
        socket.connect(to).await.map_err(no_way)?;
        Ok(Self { stage, socket })
    }

    /// Returns our end.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Asks until an answer comes that `read` takes for one.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(super) async fn ask<T>(
        &self,
        what: &'static str,
        question: &[u8],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, String> {
        self.stage.waits_for(what);
        let mut room = vec![0; DATAGRAM_BYTES];
        loop {
            self.socket.send(question).await.map_err(|error| refused(&error))?;
            let waiting = async {
                loop {
                    let count = self.socket.recv(&mut room).await.map_err(|error| refused(&error))?;
                    if let Some(answer) = room.get(..count).and_then(&read) {
                        return Ok(answer);
                    }
                }
            };
            if let Ok(came) = timeout(AGAIN, waiting).await {
                return came;
            }
        }
    }
}

fn refused(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the port is closed".to_owned(),
        _ => format!("cannot be asked: {error}"),
    }
}
