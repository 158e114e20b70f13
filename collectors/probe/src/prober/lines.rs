//! The sockets through which packets are asked and answered: of each kind and family one, for all probes.
//!
//! Invariant: what cannot be opened says why, once, to whoever wants to send through it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::UdpSocket;

use crate::{
    EchoSockets,
    echo::{Family, Token},
    net::{Datagram, Inbox, open_udp, watched},
};

/// One socket, or why there is none.
type Line = Result<UdpSocket, String>;

/// The sockets.
pub(super) struct Lines {
    echo: [Line; 2],
    udp: [Line; 2],
}

/// What came through which kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    /// ICMP.
    Echo(Family),
    /// UDP.
    Udp(Family),
}

impl Lines {
    /// Opens what is wanted.
    pub(super) fn open(sockets: &EchoSockets, token: Token, echo: bool, udp: bool) -> Self {
        let unwanted = || Err("is not asked for".to_owned());
        let echoes = |family| {
            let socket = sockets.socket(family, token).and_then(watched);
            socket.map_err(|error| {
                format!("ICMP cannot be sent ({error}): give the agent CAP_NET_RAW at its start, as its unit does")
            })
        };
        let datagrams = |family| {
            let socket = open_udp(family).and_then(watched);
            socket.map_err(|error| format!("UDP cannot be sent: {error}"))
        };
        let pair = |wanted: bool, open: &dyn Fn(Family) -> Line| {
            if wanted { [open(Family::V4), open(Family::V6)] } else { [unwanted(), unwanted()] }
        };
        Self { echo: pair(echo, &echoes), udp: pair(udp, &datagrams) }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// There is no such socket, or the system refuses; in words.
    pub(super) fn send(&self, through: Through, packet: &[u8], to: SocketAddr) -> Result<(), Refused> {
        let line = self.line(through).as_ref().map_err(|why| Refused::NoSocket(why.clone()))?;
        line.try_send_to(packet, to).map(|_| ()).map_err(Refused::System)
    }

    /// Waits until something came.
    pub(super) async fn readable(&self) -> Through {
        tokio::select! {
            () = readable(&self.echo[0]) => Through::Echo(Family::V4),
            () = readable(&self.echo[1]) => Through::Echo(Family::V6),
            () = readable(&self.udp[0]) => Through::Udp(Family::V4),
            () = readable(&self.udp[1]) => Through::Udp(Family::V6),
        }
    }

    /// Hands on what came.
    pub(super) fn receive(&self, through: Through, inbox: &mut Inbox, mut take: impl FnMut(Datagram<'_>)) {
        let Ok(line) = self.line(through) else { return };
        // What waits is bounded by the socket's buffer; an error is taken off the socket by being told.
        while inbox.receive(line, &mut take).is_ok() {}
    }

    const fn line(&self, through: Through) -> &Line {
        let (pair, family) = match through {
            Through::Echo(family) => (&self.echo, family),
            Through::Udp(family) => (&self.udp, family),
        };
        let [v4, v6] = pair;
        if matches!(family, Family::V4) { v4 } else { v6 }
    }
}

/// Why a packet was not sent.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is nothing to send through: it says nothing of the target.
    NoSocket(String),
    /// The system knows no way, or has no room.
    System(io::Error),
}

/// Returns the family of an address.
pub(crate) const fn family(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// Waits until a socket has something; for ever where there is none.
async fn readable(line: &Line) {
    let Ok(socket) = line else { return std::future::pending().await };
    if socket.readable().await.is_err() {
        std::future::pending::<()>().await;
    }
}
