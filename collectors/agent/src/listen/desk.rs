//! What the threads of one interface found, summed up: facts that any of them holds, traffic, counters and conditions.
//!
//! Invariants: a fact is taken back when the last thread that held it does; each frame counts once, whichever thread took it;
//! counters grow as long as the interface is listened on, whatever becomes of its rings.

use std::collections::{BTreeMap, BTreeSet};

use onenet_capture::{
    Changes, Statistics,
    inventory::{EndpointState, Traffic},
    neighbours::NeighbourState,
    ring::RingCounters,
};
use onenet_topology::{
    MacAddr, Timestamp,
    fact::{CaptureSample, ConditionKind, FactChange, Group, HistoryBody, HistoryItem, Scope, TrafficSample},
};

use super::{
    ear::{Shared, Task},
    facts::{Moment, Reported},
};
use crate::board::Hearing;

/// Gaps are judged where connections carried so much between two samples, and said from this share on.
const JUDGED_FROM_OCTETS: u64 = 1_000_000;
const MISSED_MAX_IN_A_THOUSAND: u64 = 10;

/// Sums up what the threads of one interface found.
pub(super) struct Desk {
    task: Task,
    shared: Shared,
    scope: Scope,
    parts: Vec<Part>,
    traffic: BTreeMap<MacAddr, Traffic>,
    /// Addresses of this machine: an agent watches its site, not itself.
    own: BTreeSet<MacAddr>,
    sampled_at: Timestamp,
    sampled: Totals,
}

/// What one thread found.
struct Part {
    reported: Reported,
    statistics: Option<Statistics>,
    rings: RingCounters,
}

/// What was counted, by all threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Totals {
    frames: u64,
    undecoded: u64,
    dropped: u64,
    cut: u64,
    merged: u64,
    octets: u64,
    endpoints_evicted: u64,
    flows_evicted: u64,
    flows_evicted_over_share: u64,
    tcp_octets: u64,
    tcp_octets_missed: u64,
    flows_lost: u64,
    by_reason: BTreeMap<&'static str, u64>,
}

impl Desk {
    /// Returns a desk for so many threads, none of which found anything yet.
    pub(super) fn new(task: &Task, shared: Shared) -> Self {
        let part =
            || Part { reported: Reported::new(&task.interface), statistics: None, rings: RingCounters::default() };
        Self {
            scope: Scope::new(&task.interface),
            parts: (0..task.threads.get()).map(|_| part()).collect(),
            traffic: BTreeMap::new(),
            own: BTreeSet::new(),
            sampled_at: shared.clock.timestamp(),
            sampled: Totals::default(),
            task: task.clone(),
            shared,
        }
    }

    /// Takes what a thread found since the last time. `rings` is what all of its rings counted.
    pub(super) fn take(&mut self, number: usize, changes: &Changes, rings: RingCounters, at: Moment) {
        let is_new = |endpoint: &EndpointState| self.parts.iter().all(|part| part.reported.is_new(endpoint));
        if changes.endpoints.iter().any(is_new) {
            self.shared.news.tell();
        }
        let facts = self.facts(number, changes, at);
        self.shared.observations.changes_blocking(facts);
        for row in &changes.traffic {
            let sum = self.traffic.entry(row.mac).or_default();
            sum.frames_out += row.traffic.frames_out;
            sum.bytes_out += row.traffic.bytes_out;
            sum.frames_in += row.traffic.frames_in;
            sum.bytes_in += row.traffic.bytes_in;
        }
        if let Some(part) = self.parts.get_mut(number) {
            part.statistics = Some(changes.statistics.clone());
            part.rings = rings;
        }
        self.shared.observations.history_blocking(self.shared.detectors.tell(at.agent));
        let totals = self.totals();
        let hearing = Hearing {
            sample: totals.sample(),
            flows_evicted_over_share: totals.flows_evicted_over_share,
            endpoints: self.endpoints(),
        };
        self.shared.board.hearing(&self.task.interface, hearing);
    }

    /// Takes what a thread still holds that was heard again after `since`.
    pub(super) fn heard_again<'p>(
        &mut self,
        number: usize,
        endpoints: impl Iterator<Item = EndpointState>,
        neighbours: impl Iterator<Item = &'p NeighbourState>,
        (since, at): (Timestamp, Moment),
    ) {
        let Some(Part { reported, .. }) = self.parts.get_mut(number) else { return };
        let mut heard = Vec::new();
        for endpoint in endpoints.filter(|state| !state.own && Timestamp::from(state.last_seen) > since) {
            heard.extend(reported.heard_again(&endpoint, since, at));
        }
        for neighbour in neighbours {
            if reported.holds_neighbour(neighbour) {
                heard.push(reported.neighbour(neighbour, at));
            }
        }
        self.shared.observations.changes_blocking(heard);
    }

    fn facts(&mut self, number: usize, changes: &Changes, at: Moment) -> Vec<(Group, FactChange)> {
        let mut facts = Vec::new();
        for mac in &changes.forgotten {
            let Some(part) = self.parts.get_mut(number) else { continue };
            let gone = part.reported.forgotten(*mac, at);
            let is_known = self.parts.iter().any(|part| part.reported.knows(*mac));
            if !is_known {
                self.traffic.remove(mac);
                self.own.remove(mac);
            }
            facts.extend(self.unless_others_hold(number, *mac, gone));
        }
        for endpoint in &changes.endpoints {
            if endpoint.own {
                self.own.insert(endpoint.mac);
            }
            let Some(part) = self.parts.get_mut(number) else { continue };
            let of_endpoint = part.reported.endpoint(endpoint, at);
            facts.extend(self.unless_others_hold(number, endpoint.mac, of_endpoint));
        }
        if let Some(part) = self.parts.get_mut(number) {
            facts.extend(changes.neighbours.iter().map(|neighbour| part.reported.neighbour(neighbour, at)));
        }
        facts
    }

    /// Leaves out what would be taken back although another thread still holds it.
    fn unless_others_hold(
        &self,
        number: usize,
        mac: MacAddr,
        mut changes: Vec<(Group, FactChange)>,
    ) -> Vec<(Group, FactChange)> {
        let others = || self.parts.iter().enumerate().filter(|(other, _)| *other != number);
        changes.retain(|(group, change)| match change {
            FactChange::Gone { key, .. } => !others().any(|(_, part)| part.reported.holds(mac, group.method, key)),
            FactChange::Present(_) => true,
        });
        changes
    }

    /// Samples traffic and the counters of capture, when that is due or `now` is the last time.
    pub(super) fn sample(&mut self, now: Timestamp) {
        let interval_ms = u64::try_from(now.ms_since(self.sampled_at)).unwrap_or(0);
        let mut items = Vec::new();
        for (mac, traffic) in std::mem::take(&mut self.traffic) {
            if self.own.contains(&mac) {
                continue;
            }
            let Traffic { frames_out, bytes_out, frames_in, bytes_in } = traffic;
            let sample = TrafficSample { mac, interval_ms, frames_out, bytes_out, frames_in, bytes_in };
            items.push(self.item(now, HistoryBody::Traffic(sample)));
        }
        let totals = self.totals();
        let sample = totals.sample();
        let differs = self.shared.observations.mirrors().captured(&self.task.interface, now, &sample);
        let differs = self.hold(ConditionKind::CaptureDiffers, differs, now);
        self.shared.observations.changes_blocking(differs.into_iter().collect());
        self.judge(&totals, now);
        items.push(self.item(now, HistoryBody::Capture(sample)));
        (self.sampled_at, self.sampled) = (now, totals);
        self.shared.observations.history_blocking(items);
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for part in &self.parts {
            totals.dropped += part.rings.dropped;
            totals.cut += part.rings.cut;
            totals.merged += part.rings.merged;
            if let Some(statistics) = &part.statistics {
                totals.frames += statistics.frames;
                for (reason, count) in statistics.undecoded() {
                    totals.undecoded += count;
                    *totals.by_reason.entry(reason.name()).or_default() += count;
                }
                totals.octets += statistics.bytes;
                totals.endpoints_evicted += statistics.inventory.endpoints_evicted;
                totals.flows_evicted += statistics.flows.flows_evicted_established;
                totals.flows_evicted_over_share += statistics.flows.flows_evicted_over_share;
                totals.tcp_octets += statistics.flows.tcp.bytes;
                totals.tcp_octets_missed += statistics.flows.tcp.bytes_missed;
                totals.flows_lost += statistics.flows.flows_untaken;
            }
        }
        totals
    }

    /// Returns how many endpoints are reported.
    fn endpoints(&self) -> u64 {
        match self.parts.as_slice() {
            [part] => part.reported.len() as u64,
            parts => {
                let all: BTreeSet<MacAddr> = parts.iter().flat_map(|part| part.reported.endpoints()).collect();
                all.len() as u64
            }
        }
    }

    /// Raises or clears what the counters say since the last sample.
    fn judge(&self, totals: &Totals, now: Timestamp) {
        let interface = &self.task.interface;
        let lost = totals.dropped.saturating_sub(self.sampled.dropped);
        let frames = totals.frames.saturating_sub(self.sampled.frames);
        let loss = format!(
            "the kernel dropped frames on {interface} since its ring was full, about {} in a thousand: raise capture.ring_mib \
             or capture.threads, or mirror less to it",
            lost.saturating_mul(1_000) / (lost + frames).max(1)
        );
        let changes = [
            self.hold(ConditionKind::CaptureLoss, (lost > 0).then_some(loss), now),
            self.hold(ConditionKind::TableFull, self.full(totals), now),
            self.hold(ConditionKind::CaptureGaps, self.gaps(totals, lost), now),
        ];
        self.shared.observations.changes_blocking(changes.into_iter().flatten().collect());
    }

    /// Returns what is to be said of tables that are full.
    fn full(&self, totals: &Totals) -> Option<String> {
        let interface = &self.task.interface;
        if totals.endpoints_evicted > self.sampled.endpoints_evicted {
            return Some(format!(
                "more than {} endpoints were heard on {interface}, so that some had to leave the table: raise \
                 capture.endpoints_max, or look for forged addresses",
                self.task.endpoints_max
            ));
        }
        (totals.flows_evicted > self.sampled.flows_evicted).then(|| {
            format!(
                "more than {} flows were established at a time on {interface}, so that some were closed to make room: raise \
                 capture.flows_max, or look for a flood",
                self.task.flows_max
            )
        })
    }

    /// Returns what is to be said of payload that was acknowledged and never captured.
    fn gaps(&self, totals: &Totals, lost: u64) -> Option<String> {
        let interface = &self.task.interface;
        let missed = totals.tcp_octets_missed.saturating_sub(self.sampled.tcp_octets_missed);
        let carried = missed.saturating_add(totals.tcp_octets.saturating_sub(self.sampled.tcp_octets));
        let in_a_thousand = missed.saturating_mul(1_000) / carried.max(1);
        // Where our own ring ran full, that says why.
        (lost == 0 && carried >= JUDGED_FROM_OCTETS && in_a_thousand >= MISSED_MAX_IN_A_THOUSAND).then(|| {
            format!(
                "about {in_a_thousand} in a thousand bytes of TCP connections never came to {interface}, although their receivers \
                 had them: the mirror's port is slower than what is mirrored, or a direction is missing"
            )
        })
    }

    /// Notes that the interface is listened on, or why not.
    pub(super) fn listening(&self, error: Option<String>) {
        let now = self.shared.clock.timestamp();
        self.shared.board.listening(&self.task.interface, error.as_deref(), now);
        let change = self.hold(ConditionKind::CaptureFailed, error, now);
        self.shared.observations.changes_blocking(change.into_iter().collect());
    }

    fn hold(&self, kind: ConditionKind, detail: Option<String>, now: Timestamp) -> Option<(Group, FactChange)> {
        let subject = &self.task.interface;
        match detail {
            Some(detail) => self.shared.conditions.raise(kind, subject, &detail, now),
            None => self.shared.conditions.clear(kind, subject, now),
        }
    }

    fn item(&self, time: Timestamp, body: HistoryBody) -> HistoryItem {
        HistoryItem { time, scope: self.scope.clone(), body }
    }
}

impl Totals {
    /// Returns what is told of it.
    fn sample(&self) -> CaptureSample {
        CaptureSample {
            frames_seen: self.frames,
            frames_dropped_by_kernel: self.dropped,
            frames_undecoded: self.undecoded,
            endpoints_evicted: self.endpoints_evicted,
            octets_seen: self.octets,
            frames_cut: self.cut,
            frames_merged: self.merged,
            flows_evicted: self.flows_evicted,
            tcp_octets: self.tcp_octets,
            tcp_octets_missed: self.tcp_octets_missed,
            flows_lost: self.flows_lost,
            undecoded: self.by_reason.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        }
    }
}
