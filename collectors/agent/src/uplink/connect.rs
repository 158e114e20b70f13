//! How the agent reaches the centre: one TCP connection, TLS to the pinned authority, HTTP/2 on it.
//!
//! Invariant: nothing is sent before the centre has proved who it is. Every failure says which step failed and what to do.

use std::{io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use onenet_wire::{
    alive,
    tls::{self, WrongAuthority},
};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// HTTP/2 pings while nothing else is said find a centre that hangs; a dead line is found sooner, by the kernel.
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// How long the answer to a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The URI of every request; the address is in the connection.
const ENDPOINT: &str = "http://centre.onenet.internal";

/// The centre was not reached, or is not the centre. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address has no port, or its name is unknown, or nobody listens.
    #[error(
        "the centre at {address} cannot be reached: check the address (HOST:PORT), the line, and that onenetd runs there"
    )]
    Unreachable {
        /// The address.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nothing came back.
    #[error(
        "the centre at {address} did not answer within {seconds} s: check the address, the line and firewalls between"
    )]
    TimedOut {
        /// The address.
        address: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It is another centre, or somebody in between.
    #[error(
        "what answers at {address} is not the centre that this agent was told to trust: check the address; if the centre was \
         set up anew, enrol with a new token of `onenetd enrol SITE`"
    )]
    WrongAuthority {
        /// The address.
        address: String,
        /// Both fingerprints.
        #[source]
        source: WrongAuthority,
    },
    /// TLS failed otherwise.
    #[error(
        "no secure connection to {address}: check that the address and port are those of the centre's agent listener"
    )]
    Handshake {
        /// The address.
        address: String,
        /// What TLS says.
        #[source]
        source: io::Error,
    },
    /// HTTP/2 failed.
    #[error("the centre at {address} does not speak the protocol: check that the port is that of its agent listener")]
    Protocol {
        /// The address.
        address: String,
        /// What the transport says.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Returns a channel on a new connection. It does not connect again by itself.
pub(crate) async fn connect(address: &str, config: ClientConfig, limit: Duration) -> Result<Channel, ConnectError> {
    let tls = timeout(limit, handshake(address, config)).await;
    let timed_out = || ConnectError::TimedOut { address: address.to_owned(), seconds: limit.as_secs() };
    let tls = tls.map_err(|_| timed_out())??;
    let mut once = Some(TokioIo::new(tls));
    let connector = service_fn(move |_| {
        let io = once.take().ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the connection is gone"));
        async move { io }
    });
    let endpoint = Endpoint::from_static(ENDPOINT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    let channel = timeout(limit, endpoint.connect_with_connector(connector)).await.map_err(|_| timed_out())?;
    channel.map_err(|source| ConnectError::Protocol { address: address.to_owned(), source })
}

async fn handshake(address: &str, config: ClientConfig) -> Result<TlsStream<TcpStream>, ConnectError> {
    let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
    let tcp = TcpStream::connect(address).await.map_err(unreachable)?;
    // Batches are written whole: waiting for more to send only delays acknowledgements.
    tcp.set_nodelay(true).map_err(unreachable)?;
    alive::watch(&tcp, alive::AGENT).map_err(unreachable)?;
    let tls = TlsConnector::from(Arc::new(config)).connect(tls::server_name(), tcp).await;
    tls.map_err(|source| {
        let address = address.to_owned();
        match rustls_error(&source).and_then(tls::wrong_authority) {
            Some(source) => ConnectError::WrongAuthority { address, source },
            None => ConnectError::Handshake { address, source },
        }
    })
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
