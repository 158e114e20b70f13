//! Damping: what changes too often is flapping, and is told of once instead of at each change.
//!
//! Invariant: a change is counted once, by the time that the evidence gives it, whoever tells of it and however often. Memory
//! is bounded: one entry for each thing that is told of, with the times of its last few changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Answer, Evidence, ProbeState, ProbeTarget, Subject};
use crate::{AgentId, Timestamp};

/// Changes within [`WINDOW_MS`] from which on something is flapping.
const CHANGES_MIN: usize = 4;
/// The window, in milliseconds, in which changes are counted.
const WINDOW_MS: i64 = 60_000;
/// How long, in milliseconds, something stays as it is until it flaps no more.
const CALM_MS: i64 = 15_000;

/// Who tells, and of what.
type Key = (Subject, AgentId);

/// Counts changes. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damper {
    told: Arc<BTreeMap<Key, Told>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    /// The value as it was told last: a number that only has to differ.
    value: u8,
    since: Timestamp,
    /// When it changed, oldest first; the last few times.
    changes: Vec<Timestamp>,
}

impl Damper {
    /// Counts what changed, and returns what is flapping now.
    pub fn observe(&mut self, evidence: &Evidence) -> BTreeSet<Subject> {
        let told = Arc::make_mut(&mut self.told);
        let mut current = BTreeSet::new();
        for (key, value, since) in statements(evidence) {
            match told.get_mut(&key) {
                Some(known) => known.take(value, since),
                None => {
                    told.insert(key.clone(), Told { value, since, changes: Vec::new() });
                }
            }
            current.insert(key);
        }
        told.retain(|key, _| current.contains(key));
        let flapping = told.iter().filter(|(_, told)| told.is_flapping(evidence.now));
        flapping.map(|((subject, _), _)| subject.clone()).collect()
    }
}

impl Told {
    fn take(&mut self, value: u8, since: Timestamp) {
        // Told anew with another beginning, it changed and came back in between.
        if since <= self.since || (value == self.value && since == self.since) {
            return;
        }
        if self.changes.len() >= CHANGES_MIN {
            self.changes.remove(0);
        }
        self.changes.push(since);
        (self.value, self.since) = (value, since);
    }

    fn is_flapping(&self, now: Timestamp) -> bool {
        let recent = self.changes.iter().filter(|at| now.ms_since(**at) <= WINDOW_MS).count();
        recent >= CHANGES_MIN && self.changes.last().is_some_and(|last| now.ms_since(*last) < CALM_MS)
    }
}

/// Returns what is told of everything that can flap.
fn statements(evidence: &Evidence) -> impl Iterator<Item = (Key, u8, Timestamp)> + '_ {
    let state = |state: ProbeState| match state {
        ProbeState::Up => 0,
        ProbeState::Degraded => 1,
        ProbeState::Down => 2,
    };
    let ways = evidence.probes.iter().filter_map(move |probe| {
        let ProbeTarget::Way { child, parent, .. } = probe.target else { return None };
        Some(((Subject::Link { child, parent }, probe.teller), state(probe.state), probe.since))
    });
    let devices = evidence.devices.iter().flat_map(|device| {
        device.answers.iter().map(|(agent, answer, since)| {
            let value = match answer {
                Answer::Answering => 0,
                Answer::Refusing => 1,
                Answer::Silent => 2,
            };
            ((Subject::Device(device.id), *agent), value, *since)
        })
    });
    let interfaces = evidence.interfaces.iter().map(|interface| {
        ((Subject::Interface(interface.id), AgentId::from_raw(0)), u8::from(interface.up), interface.since)
    });
    let services = evidence
        .services
        .iter()
        .map(move |check| ((Subject::Service(Arc::clone(&check.name)), check.teller), state(check.state), check.since));
    ways.chain(devices).chain(interfaces).chain(services)
}
