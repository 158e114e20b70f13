//! How questions travel: an engine of our own for SNMPv2c, the library `async-snmp` for SNMPv3.
//!
//! Invariant: what differs between the two stays below this module; whoever asks sees an [`Engine`]. `ber.rs`,
//! `message.rs`, `pace.rs` and `pending.rs` are pure; `socket.rs` owns the one task that receives, `batch.rs` the system calls.

mod batch;
mod ber;
mod community;
mod discovery;
mod library;
pub mod message;
pub mod notification;
mod pace;
mod pending;
mod socket;
mod usm;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::sync::OnceCell;

pub use discovery::{EngineAt, engine_at};
pub(crate) use library::PreparedKeys;
pub use pending::DatagramCounts;
pub use usm::LocalEngine;

use self::{community::Community, socket::Socket};
use crate::{
    credentials::{Credentials, Kind},
    error::SocketError,
    exchange::Engine,
};

/// The sockets that all devices of a process share: one for IPv4 and one for IPv6, and as many again once a device is
/// asked with SNMPv3.
#[derive(Debug, Clone)]
pub struct Sockets {
    v4: Arc<Socket>,
    v6: Option<Arc<Socket>>,
    library: Arc<OnceCell<library::Sockets>>,
    epoch: u32,
}

impl Sockets {
    /// Opens the sockets. `epoch` makes the salts of DES differ from those of earlier runs (RFC 3414, section
    /// 8.1.1.1): give a number that grows with every start, such as the seconds since 1970.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The IPv4 socket cannot be opened. A machine without IPv6 is not an error.
    #[expect(
        clippy::unused_async,
        reason = "opening sockets is asynchronous for whoever calls, whatever the engine does"
    )]
    pub async fn open(epoch: u32) -> Result<Self, SocketError> {
        let v4 = Socket::open((Ipv4Addr::UNSPECIFIED, 0).into()).map_err(|error| SocketError(Box::new(error)))?;
        let v6 = Socket::open((Ipv6Addr::UNSPECIFIED, 0).into()).ok().map(Arc::new);
        Ok(Self { v4: Arc::new(v4), v6, library: Arc::default(), epoch })
    }

    /// Returns an engine that asks the device at `target` with `credentials`. Sends nothing.
    pub(crate) async fn engine(
        &self,
        target: SocketAddr,
        credentials: &Credentials,
    ) -> Result<Box<dyn Engine>, String> {
        match &credentials.kind {
            Kind::Community(community) => {
                let socket = Arc::clone(self.socket(target)?);
                Ok(Box::new(Community::new(socket, target, community.clone())))
            }
            Kind::User(_) => Ok(Box::new(self.library().await?.engine(target, credentials).await?)),
        }
    }

    /// Returns what became of the datagrams that answered SNMPv2c questions.
    pub fn counts(&self) -> DatagramCounts {
        let v6 = self.v6.as_ref().map(|socket| socket.counts()).unwrap_or_default();
        self.v4.counts().plus(v6)
    }

    /// Returns how many SNMPv2c questions wait for an answer.
    pub fn waiting(&self) -> usize {
        self.v4.waiting() + self.v6.as_ref().map_or(0, |socket| socket.waiting())
    }

    fn socket(&self, target: SocketAddr) -> Result<&Arc<Socket>, String> {
        match (target, &self.v6) {
            (SocketAddr::V4(_), _) => Ok(&self.v4),
            (SocketAddr::V6(_), Some(v6)) => Ok(v6),
            (SocketAddr::V6(_), None) => Err("this machine has no IPv6".to_owned()),
        }
    }

    async fn library(&self) -> Result<&library::Sockets, String> {
        let open = || async {
            library::Sockets::open(self.epoch).await.map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                format!("{error}{}", cause.unwrap_or_default())
            })
        };
        self.library.get_or_try_init(open).await
    }
}

#[cfg(test)]
mod tests;
