//! Services: whether they answer as their protocol says, how fast, and what is wrong with the answer.
//!
//! Invariant: a check sends what any client sends first, and nothing that changes anything or that names a user. How long it may take is for whoever asks.

use std::io;

use onenet_topology::ProbeKind;
use tokio::net::TcpStream;

use crate::Plan;

/// A service answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// What is wrong with the answer.
    pub(crate) problem: Option<String>,
    /// When the certificate that it showed ends.
    pub(crate) certificate_ends_ms: Option<i64>,
}

/// Asks a service once.
///
/// # Errors
/// It does not answer, or not as its protocol says; in words.
pub(crate) async fn ask(plan: &Plan) -> Result<Found, String> {
    let Some((host, port)) = plan.host_and_port() else { return Err("the gateway is no service".to_owned()) };
    match plan.kind {
        ProbeKind::Tcp => connect(host, port).await.map(|_| Found::default()),
        kind => Err(format!("{} is not a service", kind.name())),
    }
}

/// Opens a connection.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    TcpStream::connect((host, port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused".to_owned(),
        _ => format!("no connection: {error}"),
    })
}
