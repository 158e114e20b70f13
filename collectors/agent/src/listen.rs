//! Listening: a thread an interface, or several where that is asked for.
//!
//! Threads: [`Listener`] owns one for each interface it listens on. It blocks in the kernel's ring, at most a fifth of a
//! second at a time, and ends when its flag is set. With `auto` a task looks every few seconds which interfaces there are.
//! The task is cancelled with the listener; cancelling it loses nothing.

mod desk;
mod ear;
mod facts;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use onenet_capture::{
    interfaces::{self, HostInterface},
    ring::Sockets,
};
use onenet_detection::Settings;
use onenet_topology::fact::Method;

use self::ear::{Ear, Shared, Task};
use crate::{
    board::Board,
    clock::Clock,
    conditions::Conditions,
    config::{CaptureConfig, Interfaces},
    detectors::Detectors,
    evidence::Evidence,
    flow_log::FlowSink,
    observations::Observations,
    poll::News,
};

/// With `auto`, how many interfaces are listened on: each has a ring of its own.
pub(crate) const AUTO_MAX: usize = 4;

/// What is known by listening.
pub(crate) const METHODS: [Method; 6] = [
    Method::PassiveFrames,
    Method::PassiveArp,
    Method::PassiveNd,
    Method::PassiveDhcp,
    Method::PassiveLldp,
    Method::PassiveClassification,
];

/// Listens on the configured interfaces.
pub(crate) struct Listener {
    shared: Shared,
    config: CaptureConfig,
    ears: BTreeMap<String, Running>,
}

struct Running {
    task: Task,
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Listener {
    /// Returns a listener that listens on nothing.
    pub(crate) fn new(
        sockets: Sockets,
        clock: Clock,
        observations: Observations,
        conditions: Conditions,
        board: Board,
        news: News,
        (flows, evidence, levels): (Option<FlowSink>, Evidence, &Path),
    ) -> Self {
        let detectors = Detectors::new(clock.timestamp(), evidence.clone());
        let detectors = detectors.with(observations.meter().clone(), levels);
        let shared = Shared { sockets, clock, observations, conditions, board, news, flows, detectors, evidence };
        Self { shared, config: CaptureConfig::default(), ears: BTreeMap::new() }
    }

    /// Detects what this says from now on.
    pub(crate) fn set_detection(&self, settings: &Settings) {
        self.shared.detectors.set(settings);
    }

    /// Listens as this says from now on.
    pub(crate) fn set_config(&mut self, config: &CaptureConfig) {
        self.config.clone_from(config);
        self.shared.observations.mirrors().set(&config.mirrors);
        self.look();
    }

    /// Looks which interfaces there are, and listens on those that it should. Blocks for moments. To be called every few
    /// seconds.
    pub(crate) fn look(&mut self) {
        let present = interfaces::list();
        let own = present.iter().flat_map(|interface| &interface.addresses).map(|address| address.ip().into());
        self.shared.detectors.set_own(own.collect());
        let wanted: BTreeMap<String, Task> = chosen(&self.config.interfaces, &present, is_member)
            .into_iter()
            .map(|name| (name.clone(), self.task(name, &present)))
            .collect();
        let unwanted: Vec<String> = self
            .ears
            .iter()
            .filter(|(name, ear)| !ear.serves(wanted.get(*name)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in unwanted {
            if let Some(ear) = self.ears.remove(&name) {
                self.end(&name, ear);
            }
        }
        for (name, task) in wanted {
            if !self.ears.contains_key(&name) {
                self.begin(name, task);
            }
        }
        self.tell_unheard();
    }

    /// Tells what is found where nothing is listened on: devices count and probes measure all the same. Otherwise a thread that listens
    /// tells it, by the frames' clock.
    fn tell_unheard(&self) {
        if self.ears.is_empty() {
            let found = self.shared.detectors.tell(self.shared.clock.timestamp());
            self.shared.observations.history_blocking(found);
        }
    }

    /// Ends all listening. Blocks until the threads have ended.
    pub(crate) fn stop(&mut self) {
        let ears = std::mem::take(&mut self.ears);
        // All at once, then one after the other.
        ears.values().for_each(Running::tell);
        for (name, ear) in ears {
            self.end(&name, ear);
        }
    }

    fn task(&self, interface: String, present: &[HostInterface]) -> Task {
        let own = present.iter().find(|found| found.name == interface).map(HostInterface::local_prefixes);
        let mut local = self.config.local_prefixes.clone();
        local.extend(own.unwrap_or_default());
        local.sort();
        local.dedup();
        Task {
            interface,
            threads: self.config.threads,
            ring_bytes: usize::try_from(self.config.ring_bytes).unwrap_or(usize::MAX),
            endpoints_max: usize::try_from(self.config.endpoints_max).unwrap_or(usize::MAX),
            flows_max: usize::try_from(self.config.flows_max).unwrap_or(usize::MAX),
            evidence_bytes: usize::try_from(self.config.evidence_bytes).unwrap_or(usize::MAX),
            traffic_interval_ms: i64::try_from(self.config.traffic_interval.as_millis()).unwrap_or(i64::MAX),
            local,
        }
    }

    fn begin(&mut self, name: String, task: Task) {
        let stop = Arc::new(AtomicBool::new(false));
        let ear = Ear::new(task.clone(), self.shared.clone(), Arc::clone(&stop));
        // Linux shows the first 15 bytes of a thread's name.
        match thread::Builder::new().name(format!("ear {name}")).spawn(move || ear.run()) {
            Ok(thread) => {
                self.ears.insert(name, Running { task, stop, thread });
            }
            Err(error) => {
                self.shared.evidence.forget(&name);
                tracing::error!(interface = %name, %error, "no thread to listen with");
            }
        }
    }

    fn end(&self, name: &str, ear: Running) {
        ear.tell();
        if ear.thread.join().is_err() {
            tracing::error!(interface = %name, "listening failed");
        }
        self.shared.evidence.forget(name);
        self.shared.board.not_listening(name);
        let now = self.shared.clock.timestamp();
        let gone = self.shared.conditions.clear_where(|_, subject| subject == name, now);
        self.shared.observations.changes_blocking(gone);
    }
}

impl Running {
    fn tell(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }

    /// Returns whether the thread does what is wanted and has not failed.
    fn serves(&self, wanted: Option<&Task>) -> bool {
        wanted == Some(&self.task) && !self.thread.is_finished()
    }
}

/// Returns the names to listen on. With `auto`, those that are up and can be watched, without the members of bridges and
/// bonds, whose frames would be seen twice.
fn chosen(wanted: &Interfaces, present: &[HostInterface], is_member: impl Fn(&str) -> bool) -> Vec<String> {
    match wanted {
        Interfaces::None => Vec::new(),
        Interfaces::Named(names) => names.clone(),
        Interfaces::Auto => {
            let watchable = present.iter().filter(|found| found.is_watchable() && !is_member(&found.name));
            watchable.take(AUTO_MAX).map(|found| found.name.clone()).collect()
        }
    }
}

fn is_member(interface: &str) -> bool {
    Path::new("/sys/class/net").join(interface).join("master").exists()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use onenet_topology::{
        ProbeSample, Timestamp,
        fact::{HistoryBody, HistoryItem, Scope},
    };

    use super::*;
    use crate::{observations::observations, spool::Lineage};

    /// A round trip, ten minutes after the one before; it has its hours, and triples on the last day.
    fn round_trips() -> Vec<HistoryItem> {
        let sample = |turn: i64| {
            let (hour, noise) = (turn / 6 % 24, u64::try_from(turn * 7_919 % 400).unwrap());
            let usual = 8_000 + if (1..10).contains(&hour) { 3_000 } else { 0 } + noise;
            let us = if turn >= 16 * 144 { 3 * usual } else { usual };
            let sample =
                ProbeSample { name: "parent".into(), round_trip_median_us: Some(us), ..ProbeSample::default() };
            // A Monday without holidays after it.
            let time = Timestamp::from_unix_ms(1_772_409_600_000 + turn * 600_000);
            HistoryItem { time, scope: Scope::new(""), body: HistoryBody::Probe(sample) }
        };
        (0..17 * 144).map(sample).collect()
    }

    #[test]
    fn what_probes_measure_is_judged_where_nothing_is_listened_on() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::start([0; 16]);
        let (observations, mut waiting) = observations(clock, Lineage::default());
        let meter = observations.meter().clone();
        let mut listener = Listener::new(
            Sockets::default(),
            clock,
            observations,
            Conditions::default(),
            Board::default(),
            News::new(),
            (None, Evidence::default(), &folder.path().join("levels.json")),
        );
        meter.take(&round_trips());
        let mut told = Vec::new();
        let began = clock.timestamp();
        while told.is_empty() && clock.timestamp().ms_since(began) < 20_000 {
            listener.look();
            told = waiting.history();
            thread::park_timeout(Duration::from_millis(50));
        }
        let [HistoryItem { body: HistoryBody::Anomaly(anomaly), .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!((anomaly.key.kind.as_str(), anomaly.key.subject.as_str()), ("round_trip_shift", "parent"));
    }

    fn interface(name: &str, up: bool, loopback: bool) -> HostInterface {
        HostInterface {
            name: name.to_owned(),
            index: 1,
            mac: Some("02:00:00:00:00:01".parse().unwrap()),
            addresses: Vec::new(),
            up,
            running: up,
            loopback,
            point_to_point: false,
        }
    }

    #[test]
    fn auto_takes_what_is_up_and_no_member_of_a_bridge() {
        let present = [
            interface("lo", true, true),
            interface("eth0", true, false),
            interface("eth1", false, false),
            interface("veth3", true, false),
            interface("br0", true, false),
        ];
        let names = chosen(&Interfaces::Auto, &present, |name| name == "veth3");
        assert_eq!(names, ["eth0", "br0"]);
        assert_eq!(chosen(&Interfaces::Named(vec!["eth9".to_owned()]), &present, |_| false), ["eth9"]);
        assert!(chosen(&Interfaces::None, &present, |_| false).is_empty());
    }
}
