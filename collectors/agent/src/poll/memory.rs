//! What is remembered of a device between cycles, and what its changes mean.
//!
//! Invariant: ports are remembered by name, never by ifIndex; a restart of the device or a first sight is no change of a
//! port's state or counters. Pure.

use std::hash::BuildHasher as _;

use onenet_snmp::{Counters, InterfaceCounters, InterfaceIndex};
use onenet_topology::{
    Timestamp,
    fact::{Event, EventKind, InterfaceStatus},
};

use super::facts::status;

/// sysUpTime wraps here: 2^32 hundredths of a second.
const UPTIME_WRAP_S: u64 = 42_949_672;

/// How far a device's second may differ from ours before its start seems to have moved, in seconds.
const START_TOLERANCE_S: u64 = 30;

/// What is remembered of a device.
#[derive(Debug, Default)]
pub(super) struct Memory {
    uptime: Option<(u64, Timestamp)>,
    /// In the order of what stands for their names.
    ports: Box<[Port]>,
    /// Seeded anew for each device, so that no device can name ports that only seem to be the same.
    hasher: foldhash::quality::RandomState,
}

/// What is remembered of a port: of half a million of them at an agent of a province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    /// Stands for the name.
    name: u64,
    /// Octets in and out; 0 unless they are `wide`.
    octets: (u64, u64),
    /// Whether octets are counted in 64 bits; narrower ones wrap, which is no jump.
    wide: bool,
    oper: InterfaceStatus,
}

/// What ports did between two cycles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PortChanges {
    pub(super) events: Vec<Event>,
    /// The ifIndexes of those whose state changed.
    pub(super) changed: Vec<u32>,
    /// Whether a port came up: somebody may have been plugged in.
    pub(super) link_up: bool,
}

impl Memory {
    /// Takes the device's time since its start, as read at `now`. Returns the event of a restart in between.
    pub(super) fn uptime(&mut self, uptime_s: u64, now: Timestamp) -> Option<Event> {
        let (before_s, then) = self.uptime.replace((uptime_s, now))?;
        let elapsed_s = u64::try_from(now.ms_since(then)).unwrap_or(0) / 1_000;
        let expected_s = before_s.saturating_add(elapsed_s);
        // A hundredth of the time between allows for a crystal that is far off.
        let tolerance_s = START_TOLERANCE_S + elapsed_s / 100;
        let wrapped_s = expected_s.checked_sub(UPTIME_WRAP_S);
        let as_expected = uptime_s.saturating_add(tolerance_s) >= expected_s;
        let as_wrapped = wrapped_s.is_some_and(|wrapped_s| uptime_s.abs_diff(wrapped_s) <= tolerance_s);
        if as_expected || as_wrapped {
            return None;
        }
        self.ports = Box::default();
        let detail = format!("sysUpTime began again {uptime_s} s before this poll");
        Some(Event { kind: EventKind::DeviceRestarted, subject: String::new(), detail, count: 0 })
    }

    /// Returns the time since the device's start as last read, in seconds.
    pub(super) fn uptime_s(&self) -> Option<u64> {
        self.uptime.map(|(uptime_s, _)| uptime_s)
    }

    /// Takes states and counters of the ports. Ports that are not in `counters` are forgotten.
    pub(super) fn ports(&mut self, counters: &[InterfaceCounters], names: &InterfaceIndex) -> PortChanges {
        let mut changes = PortChanges::default();
        let mut jumped = Vec::new();
        let mut ports = Vec::with_capacity(counters.len());
        for row in counters {
            let Some(name) = names.name(row.if_index) else { continue };
            let port = Port::new(self.hasher.hash_one(name), &row.counters);
            ports.push(port);
            let before = self.ports.binary_search_by_key(&port.name, |port| port.name);
            let Some(before) = before.ok().and_then(|place| self.ports.get(place)) else { continue };
            let change = state_change(name, before.oper, port.oper);
            changes.changed.extend(change.as_ref().map(|_| row.if_index));
            changes.events.extend(change);
            if went_back(before, &port) {
                jumped.push(name.to_owned());
            }
        }
        ports.sort_unstable_by_key(|port| port.name);
        self.ports = ports.into_boxed_slice();
        changes.link_up = changes.events.iter().any(|event| event.kind == EventKind::LinkUp);
        changes.events.extend(jump(&jumped));
        changes
    }
}

impl Port {
    fn new(name: u64, counters: &Counters) -> Self {
        let octets = counters.in_octets.get().copied().zip(counters.out_octets.get().copied());
        let wide = octets.filter(|_| counters.octets_bits == Some(64));
        Self { name, octets: wide.unwrap_or_default(), wide: wide.is_some(), oper: status(&counters.oper) }
    }
}

fn state_change(name: &str, before: InterfaceStatus, after: InterfaceStatus) -> Option<Event> {
    let kind = match (before, after) {
        // What the device did not say is no change.
        (InterfaceStatus::Unknown, _) | (_, InterfaceStatus::Unknown) | (InterfaceStatus::Up, InterfaceStatus::Up) => {
            return None;
        }
        (InterfaceStatus::Up, _) => EventKind::LinkDown,
        (_, InterfaceStatus::Up) => EventKind::LinkUp,
        _ => return None,
    };
    Some(Event { kind, subject: name.to_owned(), detail: String::new(), count: 0 })
}

fn went_back(before: &Port, after: &Port) -> bool {
    before.wide && after.wide && (after.octets.0 < before.octets.0 || after.octets.1 < before.octets.1)
}

fn jump(names: &[String]) -> Option<Event> {
    let first = names.first()?;
    let detail = "octet counters went back although the device did not restart".to_owned();
    Some(Event { kind: EventKind::CountersJumpedBack, subject: first.clone(), detail, count: names.len() as u64 })
}

#[cfg(test)]
mod tests;
