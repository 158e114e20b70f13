//! What is remembered of a device between cycles, and what its changes mean.
//!
//! Invariant: ports are remembered by name, never by ifIndex; a restart of the device or a first sight is no change of a
//! port's state or counters. Pure.

use std::collections::BTreeMap;

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
    ports: BTreeMap<String, Port>,
    /// Counts the times that ports were taken.
    round: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    oper: InterfaceStatus,
    octets: Option<(u64, u64)>,
    /// The round in which the port was last seen.
    round: u32,
}

/// What ports did between two cycles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PortChanges {
    pub(super) events: Vec<Event>,
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
        self.ports.clear();
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
        self.round = self.round.wrapping_add(1);
        let round = self.round;
        for row in counters {
            let Some(name) = names.name(row.if_index) else { continue };
            let port = Port { oper: status(&row.counters.oper), octets: wide_octets(&row.counters), round };
            let Some(known) = self.ports.get_mut(name) else {
                self.ports.insert(name.to_owned(), port);
                continue;
            };
            let before = std::mem::replace(known, port);
            changes.events.extend(state_change(name, before.oper, port.oper));
            if went_back(before.octets, port.octets) {
                jumped.push(name.to_owned());
            }
        }
        self.ports.retain(|_, port| port.round == round);
        changes.link_up = changes.events.iter().any(|event| event.kind == EventKind::LinkUp);
        changes.events.extend(jump(&jumped));
        changes
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

/// Returns octets in and out where they are counted in 64 bits; narrower ones wrap, which is no jump.
fn wide_octets(counters: &Counters) -> Option<(u64, u64)> {
    let wide = counters.octets_bits == Some(64);
    counters.in_octets.get().copied().zip(counters.out_octets.get().copied()).filter(|_| wide)
}

fn went_back(before: Option<(u64, u64)>, after: Option<(u64, u64)>) -> bool {
    before.zip(after).is_some_and(|(before, after)| after.0 < before.0 || after.1 < before.1)
}

fn jump(names: &[String]) -> Option<Event> {
    let first = names.first()?;
    let detail = "octet counters went back although the device did not restart".to_owned();
    Some(Event { kind: EventKind::CountersJumpedBack, subject: first.clone(), detail, count: names.len() as u64 })
}

#[cfg(test)]
mod tests;
