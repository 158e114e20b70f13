//! Runs sweeps: the thread's side of [`super::sweep`].
//!
//! Invariant: it blocks its own thread alone, ends soon after it is told to, and a method that cannot be used is told and
//! leaves the other.

use std::{io, net::IpAddr, thread, time::Duration};

use ipnetwork::Ipv4Network;
use onenet_topology::Timestamp;
use onenet_wire::tls;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    probe::{Arp, Echo, Probe, ProbeSockets, Segment, segments},
    space::Space,
    sweep::{Step, Sweep},
};
use crate::clock::Clock;

/// The longest nap between two looks for answers.
const NAP_MAX: Duration = Duration::from_millis(5);

/// What came of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReport {
    /// When it began.
    pub begun: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Addresses asked by ARP.
    pub asked_arp: u64,
    /// Addresses asked by ICMP echo.
    pub asked_icmp: u64,
    /// Questions that could not be sent.
    pub unsent: u64,
    /// Addresses that answered.
    pub answered: u64,
    /// What could not be done, in words.
    pub errors: Vec<String>,
}

/// Sweeps the prefixes. Returns what came of it, and who answered.
pub(super) fn sweep(
    sockets: &ProbeSockets,
    prefixes: &[Ipv4Network],
    packets_per_s: u32,
    clock: Clock,
    stop: &CancellationToken,
) -> (SweepReport, Vec<IpAddr>) {
    let begun = clock.timestamp();
    let mut report =
        SweepReport { begun, took_ms: 0, asked_arp: 0, asked_icmp: 0, unsent: 0, answered: 0, errors: Vec::new() };
    let mut found = Vec::new();
    let on_link: Vec<(Segment, Vec<Ipv4Network>)> =
        segments().into_iter().map(|segment| (segment.clone(), within(prefixes, segment.prefix))).collect();
    for (segment, parts) in on_link.iter().filter(|(_, parts)| !parts.is_empty()) {
        match Arp::open(sockets, segment) {
            Ok(mut arp) => {
                let swept = Sweep::new(&Space::new(parts), Vec::new(), packets_per_s, seed(), now_us(clock));
                report.asked_arp += run(swept, &mut arp, clock, stop, &mut report.unsent, &mut found);
            }
            Err(error) => report.errors.push(refused("ARP", &error)),
        }
    }
    let skip: Vec<Ipv4Network> = on_link.iter().map(|(segment, _)| segment.prefix).collect();
    let routed = prefixes.iter().any(|prefix| within(&skip, *prefix) != [*prefix]);
    if routed {
        match Echo::open(sockets, seed().to_be_bytes()) {
            Ok(mut echo) => {
                let swept = Sweep::new(&Space::new(prefixes), skip, packets_per_s, seed(), now_us(clock));
                report.asked_icmp += run(swept, &mut echo, clock, stop, &mut report.unsent, &mut found);
            }
            Err(error) => report.errors.push(refused("ICMP", &error)),
        }
    }
    report.answered = found.len() as u64;
    report.took_ms = u64::try_from(clock.timestamp().ms_since(begun)).unwrap_or(0);
    (report, found)
}

/// Runs one sweep to its end. Returns how many addresses were asked.
fn run(
    mut sweep: Sweep,
    probe: &mut dyn Probe,
    clock: Clock,
    stop: &CancellationToken,
    unsent: &mut u64,
    found: &mut Vec<IpAddr>,
) -> u64 {
    while !stop.is_cancelled() {
        let now = now_us(clock);
        match sweep.step(now) {
            Step::Ask(address) => {
                // What the kernel has no room for now is lost, as on the way: the next sweep asks again.
                *unsent += u64::from(probe.ask(address, now).is_err());
                continue;
            }
            Step::WaitUntil(next_us) => {
                let nap = Duration::from_micros(next_us.saturating_sub(now)).min(NAP_MAX);
                thread::sleep(nap);
            }
            Step::Done => break,
        }
        let now = now_us(clock);
        while let Some((address, round_trip_us)) = probe.heard(now) {
            sweep.heard(address, round_trip_us);
        }
    }
    found.extend(sweep.answered().addresses().map(IpAddr::V4));
    sweep.asked()
}

/// Returns the parts of the prefixes that are within another.
fn within(prefixes: &[Ipv4Network], outer: Ipv4Network) -> Vec<Ipv4Network> {
    let part = |prefix: &Ipv4Network| {
        if outer.prefix() <= prefix.prefix() && outer.contains(prefix.network()) {
            Some(*prefix)
        } else if prefix.prefix() <= outer.prefix() && prefix.contains(outer.network()) {
            Some(outer)
        } else {
            None
        }
    };
    prefixes.iter().filter_map(part).collect()
}

fn refused(method: &str, error: &io::Error) -> String {
    format!("cannot sweep by {method}: {error}; give the agent CAP_NET_RAW at its start, as its unit does")
}

fn now_us(clock: Clock) -> u64 {
    clock.now().boot_ms.saturating_mul(1_000)
}

/// Returns a number that nobody can guess, so that answers cannot be forged from afar.
fn seed() -> u64 {
    tls::random().map_or(0x5eed, u64::from_be_bytes)
}
