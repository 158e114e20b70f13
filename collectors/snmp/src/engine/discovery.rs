//! Why a device is silent: whether an SNMPv3 agent answers there, or the system says that nothing listens.
//!
//! Invariant: it sends one datagram and waits for the given time. It knows no credentials.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, time::timeout as within};

use crate::exchange::Diagnosis;

/// An SNMPv3 message that asks any agent for its engine id (RFC 3414, section 4): no user, no secret, answered with
/// a report by every v3 agent and ignored by others.
pub(super) const DISCOVERY: [u8; 64] = [
    0x30, 0x3e, 0x02, 0x01, 0x03, 0x30, 0x11, 0x02, 0x04, 0x2f, 0x1e, 0x5a, 0x11, 0x02, 0x03, 0x00, 0xff, 0xe3, 0x04,
    0x01, 0x04, 0x02, 0x01, 0x03, 0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00,
    0x04, 0x00, 0x04, 0x00, 0x30, 0x14, 0x04, 0x00, 0x04, 0x00, 0xa0, 0x0e, 0x02, 0x04, 0x2f, 0x1e, 0x5a, 0x12, 0x02,
    0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00,
];

/// Asks for the engine id from a connected socket, on which the system reports a closed port.
pub(super) async fn discover(target: SocketAddr, timeout: Duration) -> Diagnosis {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let asked = async {
        let socket = UdpSocket::bind(any).await?;
        socket.connect(target).await?;
        socket.send(&DISCOVERY).await?;
        let mut answer = [0; 512];
        socket.recv(&mut answer).await
    };
    match within(timeout, asked).await {
        Ok(Ok(_)) => Diagnosis::AgentAnswers,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Diagnosis::PortClosed,
        Ok(Err(_)) | Err(_) => Diagnosis::Silent,
    }
}
