//! The reflector: answers others' test packets where the configuration says so.
//!
//! Tasks: one, which answers as long as the process lives. Stopping needs nothing: it keeps nothing.

use std::net::{SocketAddr, UdpSocket};

use onenet_probe::{Reflector, ReflectorCounts};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::config::ReflectorSettings;

/// The reflector as the status tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReflectorStatus {
    /// Where it answers.
    pub listen: SocketAddr,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Test packets answered since the agent started.
    pub answered: u64,
    /// Those held back for their rate.
    pub held_back: u64,
    /// Those that were none, or not signed with the key.
    pub refused: u64,
}

/// A reflector that was started.
pub(crate) struct Reflecting {
    listen: SocketAddr,
    running: Result<(ReflectorCounts, JoinHandle<()>), String>,
}

/// Starts the reflector where one is configured, at the socket that was opened before or at a new one.
pub(crate) fn start(settings: &ReflectorSettings, opened: Option<UdpSocket>) -> Option<Reflecting> {
    let listen = settings.listen?;
    let socket = opened.map_or_else(|| onenet_probe::open_reflector(listen), |socket| Ok(socket.into()));
    let running = socket.and_then(|socket| Reflector::new(socket, settings.config.clone())).map(|reflector| {
        let counts = reflector.counts();
        let answering = tokio::spawn(async move {
            if let Err(error) = reflector.run().await {
                tracing::error!(%error, "test packets are not answered any more");
            }
        });
        (counts, answering)
    });
    let running = running.map_err(|error| {
        tracing::error!(%listen, %error, "test packets are not answered");
        format!("{error}: give another port in [reflector] listen, or CAP_NET_BIND_SERVICE at the start, and restart")
    });
    Some(Reflecting { listen, running })
}

impl Reflecting {
    /// Returns how it does.
    pub(crate) fn status(&self) -> ReflectorStatus {
        let counts = self.running.as_ref().map(|(counts, _)| counts.get());
        let [answered, held_back, refused] = counts.unwrap_or_default();
        ReflectorStatus {
            listen: self.listen,
            error: self.running.as_ref().err().cloned(),
            answered,
            held_back,
            refused,
        }
    }
}

impl Drop for Reflecting {
    fn drop(&mut self) {
        if let Ok((_, answering)) = &self.running {
            answering.abort();
        }
    }
}
