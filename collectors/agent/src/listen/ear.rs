//! The threads of one interface: each takes frames from a ring of its own and hands on what is new; the first opens the rings
//! again when the interface comes back.
//!
//! Threads: [`Ear::run`] in one of its own, which starts one more for each further ring, and ends them when a ring fails or
//! it is to stop: each looks at least once in [`WAIT`].
//!
//! Invariant: what was known of endpoints survives the interface's absence; what could not be listened to is a condition, as
//! long as it holds.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use onenet_capture::{
    Changes, FrameMeta, FrameTime, LinkType, Listener, Pipeline, PipelineOptions,
    evidence::{Keeper, Memory, SNAP_LENGTH_DEFAULT},
    flow::FlowRecord,
    ring::{Ring, RingCounters, RingError, RingOptions, Sockets},
};
use onenet_topology::{Timestamp, fact::Scope, flow::Flow};

use super::{desk::Desk, facts::Moment};
use crate::{
    board::Board, cli::chain, clock::Clock, conditions::Conditions, detectors::Detectors, evidence::Evidence,
    flow_log::FlowSink, observations::Observations, poll::News,
};

/// How long the ring is waited for, so that the thread sees when it is to stop.
const WAIT: Duration = Duration::from_millis(200);

/// How often what is new is handed on, in milliseconds.
const REPORT_MS: i64 = 500;

/// How long to wait before an interface is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Finished flows that may wait until they are handed on, twice a second.
const FINISHED_FLOWS: usize = 8_192;

/// How long one record of a flow covers: what goes on is told of as often.
const RECORD_COVERS: Duration = Duration::from_secs(300);

/// What the threads of all interfaces share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sockets: Sockets,
    pub(super) clock: Clock,
    pub(super) observations: Observations,
    pub(super) conditions: Conditions,
    pub(super) board: Board,
    pub(super) news: News,
    /// Where finished flows go; `None`: they are not kept.
    pub(super) flows: Option<FlowSink>,
    pub(super) detectors: Detectors,
    /// What saves packets from the memories of all threads.
    pub(super) evidence: Evidence,
}

/// What the threads of one interface are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) interface: String,
    pub(super) threads: NonZeroUsize,
    /// For all threads together, as the following.
    pub(super) ring_bytes: usize,
    pub(super) endpoints_max: usize,
    pub(super) flows_max: usize,
    /// 0: no packets are kept.
    pub(super) evidence_bytes: usize,
    pub(super) traffic_interval_ms: i64,
    pub(super) local: Vec<ipnetwork::IpNetwork>,
}

/// Listens on one interface.
pub(super) struct Ear {
    task: Task,
    shared: Shared,
    stop: Arc<AtomicBool>,
    desk: Mutex<Desk>,
    parts: Vec<Part>,
}

/// One thread's share of the frames.
struct Part {
    number: usize,
    pipeline: Pipeline,
    /// Recent packets.
    memory: Option<Memory>,
    /// The last frame's time, and when it was taken.
    frames_at: Option<Moment>,
    /// What earlier rings counted, and what all of them did.
    rings_before: RingCounters,
    rings: RingCounters,
    /// When what was heard again was told last, on the agent's clock and on the frames'.
    told: Timestamp,
    told_frames: Timestamp,
    /// Where finished flows go, and on which interface they were heard.
    flows: Option<FlowSink>,
    scope: Scope,
    /// Finished flows that nobody took in time, so far.
    untaken: u64,
    detectors: Detectors,
    /// Sightings that nobody took in time, so far.
    sightings_dropped: u64,
}

/// What a thread needs beside its share.
struct Room<'e> {
    clock: Clock,
    interval_ms: i64,
    desk: &'e Mutex<Desk>,
    stop: &'e AtomicBool,
    /// Another thread's ring failed.
    over: &'e AtomicBool,
}

impl Ear {
    pub(super) fn new(task: Task, shared: Shared, stop: Arc<AtomicBool>) -> Self {
        let now = shared.clock.timestamp();
        let parts = (0..task.threads.get()).map(|number| Part::new(number, &task, &shared, now)).collect();
        Self { desk: Mutex::new(Desk::new(&task, shared.clone())), parts, task, shared, stop }
    }

    /// Listens until told to stop.
    pub(super) fn run(mut self) {
        while !self.stopped() {
            let bytes = self.task.ring_bytes / self.task.threads.get();
            let options = RingOptions { bytes, ..RingOptions::default() };
            match Ring::open_group(&self.shared.sockets, &self.task.interface, &options, self.task.threads) {
                Ok(rings) => {
                    tracing::info!(interface = %self.task.interface, threads = self.task.threads, "listening");
                    lock(&self.desk).listening(None);
                    if let Err(error) = self.listen(rings) {
                        lock(&self.desk).listening(Some(chain(&error)));
                    }
                }
                Err(error) => lock(&self.desk).listening(Some(chain(&error))),
            }
            if !self.stopped() {
                self.report();
                // Woken early when it is to stop.
                thread::park_timeout(RETRY);
            }
        }
        // What goes on is recorded as far as it went.
        self.parts.iter_mut().for_each(|part| part.pipeline.finish());
        self.report();
        lock(&self.desk).sample(self.shared.clock.timestamp());
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Takes frames until a ring fails or the thread is to stop.
    fn listen(&mut self, rings: Vec<Ring>) -> Result<(), RingError> {
        let Self { task, shared, stop, desk, parts } = self;
        let over = AtomicBool::new(false);
        let room = Room { clock: shared.clock, interval_ms: task.traffic_interval_ms, desk: &*desk, stop, over: &over };
        let mut shares = parts.iter_mut().zip(rings);
        let first = shares.next();
        thread::scope(|scope| {
            let mut others = Vec::new();
            for (part, ring) in shares {
                // Linux shows the first 15 bytes of a thread's name.
                let builder = thread::Builder::new().name(format!("{} {}", part.number, task.interface));
                match builder.spawn_scoped(scope, || part.listen(ring, &room)) {
                    Ok(other) => others.push(other),
                    Err(error) => {
                        tracing::error!(interface = %task.interface, %error, "no thread to listen with");
                        over.store(true, Ordering::Relaxed);
                    }
                }
            }
            let mut result = first.map_or(Ok(()), |(part, ring)| part.listen(ring, &room));
            for other in others {
                if let Ok(ended) = other.join() {
                    result = result.and(ended);
                } else {
                    tracing::error!(interface = %task.interface, "listening failed");
                }
            }
            result
        })
    }

    /// Hands on what is new in all shares.
    fn report(&mut self) {
        for part in &mut self.parts {
            part.report(&mut lock(&self.desk), self.shared.clock);
        }
    }
}

impl Part {
    fn new(number: usize, task: &Task, shared: &Shared, now: Timestamp) -> Self {
        let mut options = PipelineOptions { local: task.local.clone(), sightings: true, ..PipelineOptions::default() };
        options.inventory.capacity = task.endpoints_max;
        options.flows.capacity = task.flows_max / task.threads.get();
        options.flows.finished_capacity = FINISHED_FLOWS;
        options.flows.active = Some(RECORD_COVERS);
        let bytes = task.evidence_bytes / task.threads.get();
        let memory = (bytes > 0).then(|| Memory::new(&task.interface, bytes, SNAP_LENGTH_DEFAULT));
        if let Some(memory) = &memory {
            shared.evidence.remember(memory.clone());
        }
        Self {
            number,
            pipeline: Pipeline::new(options),
            memory,
            frames_at: None,
            rings_before: RingCounters::default(),
            rings: RingCounters::default(),
            told: now,
            told_frames: Timestamp::default(),
            flows: shared.flows.clone(),
            scope: Scope::new(&task.interface),
            untaken: 0,
            detectors: shared.detectors.clone(),
            sightings_dropped: 0,
        }
    }

    /// Takes frames until the ring fails or the thread is to stop.
    fn listen(&mut self, mut ring: Ring, room: &Room<'_>) -> Result<(), RingError> {
        let taken = self.take(&mut ring, room);
        // One ring without the others would be a part of the truth.
        room.over.store(true, Ordering::Relaxed);
        self.rings_before = self.rings;
        taken
    }

    fn take(&mut self, ring: &mut Ring, room: &Room<'_>) -> Result<(), RingError> {
        let mut reported = room.clock.timestamp();
        while !room.stop.load(Ordering::Relaxed) && !room.over.load(Ordering::Relaxed) {
            let last = {
                let (pipeline, memory) = (&mut self.pipeline, self.memory.as_ref());
                let mut hearing = Hearing { pipeline, memory, keeper: None, last: None };
                ring.hand_over(WAIT, &mut hearing)?;
                hearing.last
            };
            let now = room.clock.timestamp();
            if let Some(frames) = last {
                self.frames_at = Some(Moment { frames: frames.into(), agent: now });
            }
            if now.ms_since(reported) >= REPORT_MS {
                reported = now;
                self.rings = self.rings_before.plus(ring.counters()?);
                ring.check_name()?;
                self.report(&mut lock(room.desk), room.clock);
            }
            if now.ms_since(self.told) >= room.interval_ms {
                self.sample(&mut lock(room.desk), room.clock);
            }
        }
        Ok(())
    }

    /// Returns where the frames' clock stands now: it is the kernel's, which may be set, so it is never compared with ours.
    fn moment(&self, clock: Clock) -> Moment {
        let now = clock.timestamp();
        self.frames_at.map_or(Moment { frames: now, agent: now }, |last| Moment {
            frames: last.frames.plus_ms(now.ms_since(last.agent).max(0)),
            agent: now,
        })
    }

    /// Hands on what is new.
    fn report(&mut self, desk: &mut Desk, clock: Clock) {
        let at = self.moment(clock);
        let changes = self.pipeline.take_changes(at.frames);
        self.hand_on_sightings(at, &changes);
        self.hand_on_flows(at);
        desk.take(self.number, &changes, self.rings, at);
    }

    /// Hands on what detectors look at beside flows.
    fn hand_on_sightings(&mut self, at: Moment, changes: &Changes) {
        let dropped = self.pipeline.sightings_dropped();
        let new = dropped.saturating_sub(self.sightings_dropped);
        self.detectors.see(self.pipeline.take_sightings(), new, at.shift_ms());
        self.sightings_dropped = dropped;
        if !changes.endpoints.is_empty() {
            self.detectors.endpoints(changes.endpoints.iter().cloned(), at.frames, at.shift_ms());
        }
    }

    /// Hands on the flows that are finished.
    fn hand_on_flows(&mut self, at: Moment) {
        let untaken = self.pipeline.statistics().flows.flows_untaken;
        let scope = &self.scope;
        let flow = |record: FlowRecord| {
            let flow = Flow::from(record);
            let (start, end) = (at.agent_time(flow.start), at.agent_time(flow.end));
            Flow { start, end, interface: Some(scope.clone()), ..flow }
        };
        let records: Vec<FlowRecord> = self.pipeline.take_flows().collect();
        self.detectors.flows(records.iter(), at.shift_ms());
        let flows: Vec<Flow> = records.into_iter().map(flow).collect();
        if let Some(sink) = &self.flows {
            sink.lose(untaken.saturating_sub(self.untaken));
            sink.offer(flows);
        }
        self.untaken = untaken;
    }

    /// Says again what was heard again since the last time; the first share has everything sampled.
    fn sample(&mut self, desk: &mut Desk, clock: Clock) {
        let at = self.moment(clock);
        let neighbours = self.pipeline.neighbours();
        desk.heard_again(self.number, self.pipeline.endpoints(), neighbours, (self.told_frames, at));
        let since = self.told_frames;
        let heard = self.pipeline.endpoints().filter(|state| Timestamp::from(state.last_seen) > since);
        self.detectors.endpoints(heard, at.frames, at.shift_ms());
        (self.told, self.told_frames) = (at.agent, at.frames);
        if self.number == 0 {
            desk.sample(at.agent);
        }
    }
}

/// What takes the frames of a block: the evidence's memory, then the pipeline.
struct Hearing<'a> {
    pipeline: &'a mut Pipeline,
    memory: Option<&'a Memory>,
    /// Held from the first frame of a block to its last, and not while there is none.
    keeper: Option<Keeper<'a>>,
    last: Option<FrameTime>,
}

impl Listener for Hearing<'_> {
    #[inline]
    fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        self.pipeline.foresee(link_type, meta, bytes);
    }

    #[inline]
    fn prepare(&mut self) {
        self.pipeline.prepare();
    }

    #[inline]
    fn frame(&mut self, time: FrameTime, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        if let Some(memory) = self.memory {
            self.keeper.get_or_insert_with(|| memory.keeper()).keep(time, link_type, meta, bytes);
        }
        self.pipeline.frame(time, link_type, meta, bytes);
        self.last = Some(time);
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
