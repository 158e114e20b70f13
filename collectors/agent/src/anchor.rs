//! The anchor: one broadcast in each VLAN that this machine is in, so that every switch there has learned one common address.
//!
//! Where a switch has learned the anchor is the port that leads to this machine; with it the ways between switches follow from
//! their tables, and without it they are guessed. What is sent is an announcement of the machine's own IPv4 address (RFC 5227,
//! section 2.3): 42 bytes that nobody answers, that change no table of a host which knows the machine, and that any machine sends
//! when it comes up. A gratuitous reply would do the same and is what forgers send; a probe without a sender is answered by others.
//!
//! Invariant: it is sent before the first table is walked, and then more often than half the time after which switches forget
//! (300 s, IEEE 802.1Q clause 8.8.3), with jitter; on interfaces with an IPv4 address alone, so that a port that only listens
//! stays silent. What could not be sent is no anchor.
//!
//! Task: one while it is on. It waits for nothing but time, so it may be ended anywhere.

use std::{collections::BTreeSet, time::Duration};

use onenet_topology::fact::{Anchor, Fact, FactBody, Group, Method, Scope};
use onenet_wire::tls;
use tokio::{task::JoinHandle, time};

use crate::{
    clock::Clock,
    discovery::{self, ProbeSockets, Segment},
    observations::Observations,
};

/// VLAN interfaces that are announced on.
const INTERFACES_MAX: usize = 64;

/// Broadcasts, as long as it is on.
pub(crate) struct Anchoring {
    pub(crate) sockets: ProbeSockets,
    pub(crate) clock: Clock,
    pub(crate) observations: Observations,
    pub(crate) every: Option<Duration>,
    pub(crate) running: Option<JoinHandle<()>>,
}

/// Returns the group of the anchors' facts.
fn group() -> Group {
    Group { method: Method::Anchor, scope: Scope::new("") }
}

impl Anchoring {
    /// Broadcasts so often from now on, at once for the first time; `None`: not at all.
    pub(crate) async fn set(&mut self, every: Option<Duration>) {
        if self.every == every {
            return;
        }
        self.stop().await;
        self.every = every;
        let Some(every) = every else { return };
        let (sockets, clock, observations) = (self.sockets.clone(), self.clock, self.observations.clone());
        tell(&sockets, clock, &observations).await;
        self.running = Some(tokio::spawn(async move {
            loop {
                time::sleep(jittered(every)).await;
                tell(&sockets, clock, &observations).await;
            }
        }));
    }

    /// Ends broadcasting.
    pub(crate) async fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.abort();
        // It was told to end.
        let _ = running.await;
    }
}

/// Broadcasts once, and tells with which addresses.
async fn tell(sockets: &ProbeSockets, clock: Clock, observations: &Observations) {
    let sockets = sockets.clone();
    let sent = match tokio::task::spawn_blocking(move || broadcast(&sockets)).await {
        Ok(sent) => sent,
        Err(error) => return tracing::error!(%error, "announcing failed"),
    };
    let observed = clock.timestamp();
    let facts: Vec<Fact> = sent.into_iter().map(|anchor| Fact { observed, body: FactBody::Anchor(anchor) }).collect();
    observations.complete(group(), facts.into()).await;
}

fn broadcast(sockets: &ProbeSockets) -> Vec<Anchor> {
    let mut seen = BTreeSet::new();
    let mut sent = Vec::new();
    let first = |segment: &Segment| seen.insert(segment.interface().to_owned());
    for segment in discovery::segments().into_iter().filter(first).take(INTERFACES_MAX) {
        match (discovery::announce(sockets, &segment), segment.mac()) {
            (Ok(()), Some(mac)) => {
                let interface = segment.interface().to_owned();
                sent.push(Anchor { vlan: vlan_of(&interface), interface, mac });
            }
            (Ok(()), None) => {}
            (Err(error), _) => tracing::debug!(interface = segment.interface(), %error, "not announced"),
        }
    }
    sent
}

/// Returns the VLAN of a tagged interface, as the kernel tells it.
fn vlan_of(interface: &str) -> Option<u16> {
    let told = std::fs::read_to_string(format!("/proc/net/vlan/{interface}")).ok()?;
    vlan_in(&told)
}

fn vlan_in(told: &str) -> Option<u16> {
    let (_, behind) = told.split_once("VID:")?;
    behind.split_whitespace().next()?.parse().ok().filter(|vlan| *vlan != 0)
}

/// Returns a time from four to six fifths of `every`.
fn jittered(every: Duration) -> Duration {
    let dice = tls::random::<4>().map_or(u32::MAX / 2, u32::from_be_bytes);
    every * 4 / 5 + every.mul_f64(f64::from(dice) / f64::from(u32::MAX)) * 2 / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vlan_is_read_from_what_the_kernel_tells() {
        let told =
            "eth0.10  VID: 10\t REORDER_HDR: 1  dev->priv_flags: 1021\n         total frames received            0\n";
        assert_eq!(vlan_in(told), Some(10));
        assert_eq!(vlan_in("something else"), None);
    }

    #[test]
    fn broadcasts_are_never_further_apart_than_switches_remember() {
        let every = Duration::from_secs(120);
        for _ in 0..1_000 {
            let next = jittered(every);
            assert!(next >= Duration::from_secs(96) && next <= Duration::from_secs(144), "{next:?}");
        }
    }
}
