//! Why a device is silent: whether an SNMPv3 agent answers there, or the system says that nothing listens.
//!
//! Invariant: it sends one datagram and waits for the given time. It knows no credentials.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, time::timeout as within};

use super::usm;
use crate::exchange::Diagnosis;

/// An SNMPv3 message that asks any agent for its engine id (RFC 3414, section 4): no user, no secret, answered with
/// a report by every v3 agent and ignored by others.
pub(super) const DISCOVERY: [u8; 64] = [
    0x30, 0x3e, 0x02, 0x01, 0x03, 0x30, 0x11, 0x02, 0x04, 0x2f, 0x1e, 0x5a, 0x11, 0x02, 0x03, 0x00, 0xff, 0xe3, 0x04,
    0x01, 0x04, 0x02, 0x01, 0x03, 0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00,
    0x04, 0x00, 0x04, 0x00, 0x30, 0x14, 0x04, 0x00, 0x04, 0x00, 0xa0, 0x0e, 0x02, 0x04, 0x2f, 0x1e, 0x5a, 0x12, 0x02,
    0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00,
];

/// What an address answers to the question for its SNMPv3 engine id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAt {
    /// An SNMPv3 engine is there; this is its id, which nobody signed.
    Engine(Vec<u8>),
    /// The address says that nothing listens on the port.
    Closed,
    /// Nothing came.
    Silent,
}

/// Asks an address once for its SNMPv3 engine id. The question carries no secret and names no user.
pub async fn engine_at(target: SocketAddr, timeout: Duration) -> EngineAt {
    match asked(target, timeout).await {
        Some(Ok(answer)) => usm::engine_of(&answer).map_or(EngineAt::Silent, EngineAt::Engine),
        Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => EngineAt::Closed,
        Some(Err(_)) | None => EngineAt::Silent,
    }
}

/// Asks for the engine id from a connected socket, on which the system reports a closed port.
pub(super) async fn discover(target: SocketAddr, timeout: Duration) -> Diagnosis {
    match asked(target, timeout).await {
        Some(Ok(_)) => Diagnosis::AgentAnswers,
        Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Diagnosis::PortClosed,
        Some(Err(_)) | None => Diagnosis::Silent,
    }
}

/// Returns the answer, or what the system said; `None` when nothing came.
async fn asked(target: SocketAddr, timeout: Duration) -> Option<io::Result<Vec<u8>>> {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let asked = async {
        let socket = UdpSocket::bind(any).await?;
        socket.connect(target).await?;
        socket.send(&DISCOVERY).await?;
        let mut answer = vec![0; 512];
        let length = socket.recv(&mut answer).await?;
        answer.truncate(length);
        Ok(answer)
    };
    within(timeout, asked).await.ok()
}
