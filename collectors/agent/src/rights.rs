//! The rights of the agent's process: what needs them is opened at the start, and then they are given up.
//!
//! Invariant: after [`Opened::then_give_up`] no thread of the process has a capability, nor can any program that it starts gain
//! one. Sockets that exist go on working, and bind to other interfaces, without them. What needs a new one (more interfaces
//! than sockets were opened for) needs a restart, and says so.
//!
//! Rights belong to threads, which hand them down: it has to be called before the process has a second one.

use std::{io, net::UdpSocket};

use onenet_capture::ring;
use onenet_probe::EchoSockets;
use rustix::thread::{self, CapabilitySet, CapabilitySets};

use crate::{
    cli::chain,
    config::{Config, Interfaces},
    discovery::ProbeSockets,
    listen::AUTO_MAX,
};

/// Packet sockets that are opened in any case, so that a configuration of the centre may name interfaces where there were none.
/// One that waits takes 2 KiB of the kernel's memory.
const SOCKETS_MIN: usize = 16;

/// How often an interface of several threads may come back: its sockets cannot be used twice.
const COMEBACKS: usize = 4;

/// The sockets that the agent needs rights for.
#[derive(Debug, Default)]
pub struct Opened {
    pub(crate) packet: ring::Sockets,
    pub(crate) probes: ProbeSockets,
    pub(crate) traps: Option<UdpSocket>,
    /// Of the probes.
    pub(crate) echo: EchoSockets,
    /// The reflector's.
    pub(crate) reflector: Option<UdpSocket>,
    /// Why the rights are still there although they were to be given up.
    pub(crate) kept: Option<String>,
}

impl Opened {
    /// Opens what is needed when it is needed: for a process that has other things to do with its rights.
    pub fn on_demand() -> Self {
        Self::default()
    }

    /// Opens what the configuration needs, and some more, and gives up every right of the process. What cannot be opened now
    /// is complained of by whoever needs it.
    pub fn then_give_up(config: &Config) -> Self {
        let packet = ring::Sockets::default();
        match packet.fill(sockets(config)) {
            Ok(()) => packet.seal(),
            Err(error) => tracing::debug!(%error, "no packet sockets"),
        }
        let probes = ProbeSockets::open_now().unwrap_or_else(|error| {
            tracing::debug!(%error, "no sockets to sweep with");
            ProbeSockets::default()
        });
        let traps = config.traps.as_ref().and_then(|traps| match UdpSocket::bind(traps.listen) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::debug!(%error, "no socket for traps");
                None
            }
        });
        let reflector = config.reflector.listen.and_then(|listen| match onenet_probe::open_reflector(listen) {
            Ok(socket) => Some(socket.into()),
            Err(error) => {
                tracing::debug!(%error, "no socket for the reflector");
                None
            }
        });
        let echo = EchoSockets::open_now();
        let kept = give_up().err().map(|error| {
            format!(
                "the agent has the rights of its start still ({}): allow it the system call capset (SystemCallFilter= of its \
                 unit, as in deploy/onenet-agent.service), and restart it",
                chain(&error)
            )
        });
        Self { packet, probes, traps, echo, reflector, kept }
    }
}

/// Returns how many packet sockets a configuration may need.
fn sockets(config: &Config) -> usize {
    let capture = &config.site.capture;
    let interfaces = match &capture.interfaces {
        Interfaces::None | Interfaces::Auto => AUTO_MAX,
        Interfaces::Named(names) => names.len(),
    };
    let threads = capture.threads.get();
    let rings = if threads > 1 { interfaces * threads * COMEBACKS } else { interfaces };
    rings.max(SOCKETS_MIN)
}

/// Gives up every right of this thread, and so of all that it starts.
fn give_up() -> io::Result<()> {
    thread::set_no_new_privs(true)?;
    thread::clear_ambient_capability_set()?;
    for bit in 0..u64::BITS {
        // Refused to who may not change it, and for numbers that no capability has. What is empty below stays so, since
        // nothing that is executed gains rights any more.
        let _ = thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit));
    }
    let none = CapabilitySet::empty();
    thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, path::PathBuf};

    use super::*;

    #[test]
    fn there_are_sockets_for_what_is_configured_and_for_what_may_come() {
        let mut config = Config::new("centre.example:7443", PathBuf::from("/nowhere"));
        assert_eq!(sockets(&config), SOCKETS_MIN);
        config.site.capture.interfaces = Interfaces::Named((0..4).map(|number| format!("eth{number}")).collect());
        config.site.capture.threads = NonZeroUsize::new(8).unwrap();
        assert_eq!(sockets(&config), 4 * 8 * COMEBACKS);
    }
}
