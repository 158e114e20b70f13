//! The thread of one interface: takes frames from the ring, hands on what is new, and opens the ring again when the
//! interface comes back.
//!
//! Invariant: what was known of endpoints survives the interface's absence; what could not be listened to is a condition, as
//! long as it holds.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use onenet_capture::{
    Changes, Pipeline, PipelineOptions,
    inventory::Traffic,
    ring::{Ring, RingError, RingOptions},
};
use onenet_topology::{
    MacAddr, Timestamp,
    fact::{CaptureSample, ConditionKind, FactChange, Group, HistoryBody, HistoryItem, Scope, TrafficSample},
};

use super::facts::{Moment, Reported};
use crate::{
    board::{Board, Hearing},
    cli::chain,
    clock::Clock,
    conditions::Conditions,
    observations::Observations,
    poll::News,
};

/// How long the ring is waited for, so that the thread sees when it is to stop.
const WAIT: Duration = Duration::from_millis(200);

/// How often what is new is handed on, in milliseconds.
const REPORT_MS: i64 = 500;

/// How long to wait before an interface is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Finished flows that may wait: they are not kept yet, only endpoints and their traffic are.
const FINISHED_FLOWS: usize = 64;

/// Flows that go on at a time.
const FLOWS: usize = 2_048;

/// What the threads of all interfaces share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) observations: Observations,
    pub(super) conditions: Conditions,
    pub(super) board: Board,
    pub(super) news: News,
}

/// What one thread is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) interface: String,
    pub(super) ring_bytes: usize,
    pub(super) endpoints_max: usize,
    pub(super) traffic_interval_ms: i64,
    pub(super) local: Vec<ipnetwork::IpNetwork>,
}

/// Listens on one interface.
pub(super) struct Ear {
    task: Task,
    shared: Shared,
    stop: Arc<AtomicBool>,
    scope: Scope,
    pipeline: Pipeline,
    reported: Reported,
    traffic: BTreeMap<MacAddr, Traffic>,
    /// The last frame's time, and when it was taken.
    frames_at: Option<Moment>,
    /// What earlier rings counted.
    dropped_before: u64,
    dropped: u64,
    sampled: Sampled,
}

/// The state of the counters at the last sample.
struct Sampled {
    at: Timestamp,
    frames_at: Timestamp,
    dropped: u64,
    evicted: u64,
    frames: u64,
}

impl Ear {
    pub(super) fn new(task: Task, shared: Shared, stop: Arc<AtomicBool>) -> Self {
        let mut options = PipelineOptions { local: task.local.clone(), ..PipelineOptions::default() };
        options.inventory.capacity = task.endpoints_max;
        options.flows.capacity = FLOWS;
        options.flows.finished_capacity = FINISHED_FLOWS;
        let at = shared.clock.timestamp();
        Self {
            scope: Scope::new(&task.interface),
            pipeline: Pipeline::new(options),
            reported: Reported::new(&task.interface),
            traffic: BTreeMap::new(),
            frames_at: None,
            dropped_before: 0,
            dropped: 0,
            sampled: Sampled { at, frames_at: Timestamp::default(), dropped: 0, evicted: 0, frames: 0 },
            task,
            shared,
            stop,
        }
    }

    /// Listens until told to stop.
    pub(super) fn run(mut self) {
        while !self.stopped() {
            let options = RingOptions { bytes: self.task.ring_bytes, ..RingOptions::default() };
            match Ring::open(&self.task.interface, &options) {
                Ok(ring) => {
                    self.opened();
                    if let Err(error) = self.listen(ring) {
                        self.failed(&error);
                    }
                    self.dropped_before = self.dropped;
                }
                Err(error) => self.failed(&error),
            }
            if !self.stopped() {
                self.report();
                // Woken early when it is to stop.
                thread::park_timeout(RETRY);
            }
        }
        self.report();
        self.sample(self.shared.clock.timestamp());
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Takes frames until the ring fails or the thread is to stop.
    fn listen(&mut self, mut ring: Ring) -> Result<(), RingError> {
        let mut reported = self.shared.clock.timestamp();
        while !self.stopped() {
            let (pipeline, mut last) = (&mut self.pipeline, None);
            ring.receive(WAIT, |time, link_type, meta, bytes| {
                pipeline.frame(time, link_type, meta, bytes);
                last = Some(time);
            })?;
            let now = self.shared.clock.timestamp();
            if let Some(frames) = last {
                self.frames_at = Some(Moment { frames: frames.into(), agent: now });
            }
            if now.ms_since(reported) >= REPORT_MS {
                reported = now;
                self.dropped = self.dropped_before + ring.counters()?.dropped;
                self.report();
            }
            if now.ms_since(self.sampled.at) >= self.task.traffic_interval_ms {
                self.sample(now);
            }
        }
        Ok(())
    }

    /// Returns where the frames' clock stands now: it is the kernel's, which may be set, so it is never compared with ours.
    fn moment(&self) -> Moment {
        let now = self.shared.clock.timestamp();
        self.frames_at.map_or(Moment { frames: now, agent: now }, |last| Moment {
            frames: last.frames.plus_ms(now.ms_since(last.agent).max(0)),
            agent: now,
        })
    }

    /// Hands on what is new.
    fn report(&mut self) {
        let at = self.moment();
        let changes = self.pipeline.take_changes(at.frames);
        drop(self.pipeline.take_flows());
        if changes.endpoints.iter().any(|endpoint| self.reported.is_new(endpoint)) {
            self.shared.news.tell();
        }
        let facts = self.facts(&changes, at);
        self.shared.observations.changes_blocking(facts);
        for row in &changes.traffic {
            let sum = self.traffic.entry(row.mac).or_default();
            sum.frames_out += row.traffic.frames_out;
            sum.bytes_out += row.traffic.bytes_out;
            sum.frames_in += row.traffic.frames_in;
            sum.bytes_in += row.traffic.bytes_in;
        }
        let statistics = &changes.statistics;
        self.shared.board.hearing(
            &self.task.interface,
            Hearing { frames: statistics.frames, dropped: self.dropped, endpoints: self.reported.len() as u64 },
        );
    }

    fn facts(&mut self, changes: &Changes, at: Moment) -> Vec<(Group, FactChange)> {
        let mut facts = Vec::new();
        for mac in &changes.forgotten {
            facts.extend(self.reported.forgotten(*mac, at));
            self.traffic.remove(mac);
        }
        for endpoint in &changes.endpoints {
            facts.extend(self.reported.endpoint(endpoint, at));
        }
        facts.extend(changes.neighbours.iter().map(|neighbour| self.reported.neighbour(neighbour, at)));
        facts
    }

    /// Samples traffic and the counters of capture, and says again what was heard again since the last time.
    fn sample(&mut self, now: Timestamp) {
        let at = self.moment();
        let interval_ms = u64::try_from(now.ms_since(self.sampled.at)).unwrap_or(0);
        let mut items = Vec::new();
        let mut own = Vec::new();
        let mut heard = Vec::new();
        for endpoint in self.pipeline.endpoints() {
            if endpoint.own {
                own.push(endpoint.mac);
            } else if Timestamp::from(endpoint.last_seen) > self.sampled.frames_at {
                heard.extend(self.reported.heard_again(&endpoint, self.sampled.frames_at, at));
            }
        }
        let outlived: Vec<_> =
            self.pipeline.neighbours().filter(|state| self.reported.holds_neighbour(state)).cloned().collect();
        heard.extend(outlived.iter().map(|neighbour| self.reported.neighbour(neighbour, at)));
        self.shared.observations.changes_blocking(heard);
        let traffic = std::mem::take(&mut self.traffic);
        for (mac, traffic) in traffic.into_iter().filter(|(mac, _)| !own.contains(mac)) {
            let Traffic { frames_out, bytes_out, frames_in, bytes_in } = traffic;
            let sample = TrafficSample { mac, interval_ms, frames_out, bytes_out, frames_in, bytes_in };
            items.push(self.item(now, HistoryBody::Traffic(sample)));
        }
        let statistics = self.pipeline.statistics();
        let sample = CaptureSample {
            frames_seen: statistics.frames,
            frames_dropped_by_kernel: self.dropped,
            frames_undecoded: statistics.undecoded().map(|(_, count)| count).sum(),
            endpoints_evicted: statistics.inventory.endpoints_evicted,
        };
        self.judge(&sample, now);
        self.sampled = Sampled {
            at: now,
            frames_at: at.frames,
            dropped: sample.frames_dropped_by_kernel,
            evicted: sample.endpoints_evicted,
            frames: sample.frames_seen,
        };
        items.push(self.item(now, HistoryBody::Capture(sample)));
        self.shared.observations.history_blocking(items);
    }

    /// Raises or clears what the counters say since the last sample.
    fn judge(&self, sample: &CaptureSample, now: Timestamp) {
        let interface = &self.task.interface;
        let lost = sample.frames_dropped_by_kernel.saturating_sub(self.sampled.dropped);
        let frames = sample.frames_seen.saturating_sub(self.sampled.frames);
        let loss = format!(
            "the kernel dropped frames on {interface} since its ring was full, about {} in a thousand: raise capture.ring_mib, \
             or mirror less to it",
            lost.saturating_mul(1_000) / (lost + frames).max(1)
        );
        let full = format!(
            "more than {} endpoints were heard on {interface}, so that some had to leave the table: raise \
             capture.endpoints_max, or look for forged addresses",
            self.task.endpoints_max
        );
        let evicted = sample.endpoints_evicted > self.sampled.evicted;
        let changes = [
            self.hold(ConditionKind::CaptureLoss, (lost > 0).then_some(loss), now),
            self.hold(ConditionKind::TableFull, evicted.then_some(full), now),
        ];
        self.shared.observations.changes_blocking(changes.into_iter().flatten().collect());
    }

    fn opened(&mut self) {
        let now = self.shared.clock.timestamp();
        tracing::info!(interface = %self.task.interface, "listening");
        self.shared.board.listening(&self.task.interface, None, now);
        let change = self.hold(ConditionKind::CaptureFailed, None, now);
        self.shared.observations.changes_blocking(change.into_iter().collect());
    }

    fn failed(&mut self, error: &RingError) {
        let now = self.shared.clock.timestamp();
        let detail = chain(error);
        self.shared.board.listening(&self.task.interface, Some(&detail), now);
        let change = self.hold(ConditionKind::CaptureFailed, Some(detail), now);
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
