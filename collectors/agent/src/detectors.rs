//! The detectors of a live agent: one set for all interfaces, fed twice a second, whose findings go into the history.
//!
//! Invariants: whoever captures waits for the detectors no longer than one share of half a second takes; what was found and not told
//! yet is told again by a later question, so that nothing is lost but by a kill between the two; the machine's own addresses are no
//! suspects; what was learnt of levels is kept in a file each hour, since it takes weeks to be learnt. Times are the agent's own. It does not know what is abnormal.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnetwork::IpNetwork;
use onenet_capture::{flow::FlowRecord, inventory::EndpointState, replay::Watch as _, sighting::Sighting};
use onenet_detection::{
    Detection, DetectorState, Finding, Settings,
    observation::{Listening, Measured},
};
use onenet_topology::{
    Timestamp,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    fact::{HistoryBody, HistoryItem, Scope},
};

use crate::{
    cli::chain,
    detecting::Detecting,
    durable::{self, Sync},
    evidence::{Around, Evidence},
    meter::{Meter, Number, Open},
};

/// How often it is looked for what is to be told, in milliseconds.
const TELL_MS: i64 = 1_000;

/// Findings that are told at once: 32 KB a second of the largest, in a flood of forged sources.
const TOLD_AT_ONCE: usize = 32;

/// How often it is told what the detectors do, in milliseconds.
const SAMPLE_MS: i64 = 10 * 60_000;

/// How often what was learnt of levels is kept, in milliseconds.
const KEEP_MS: i64 = 3_600_000;

/// How long, in milliseconds, what is concluded of an endpoint has to have held to be compared with what was concluded before:
/// a machine that starts is taken for this and that.
const SETTLED_MS: i64 = 10 * 60_000;

/// The detectors. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Detectors {
    inner: Arc<Mutex<Inner>>,
    evidence: Evidence,
    meter: Meter,
    /// Where what was learnt of levels is kept.
    learnt: Option<Arc<Path>>,
}

#[derive(Debug)]
struct Inner {
    detecting: Detecting,
    /// As configured, without the machine's own addresses.
    settings: Settings,
    own: Vec<IpNetwork>,
    run: u64,
    told: Timestamp,
    sampled: Timestamp,
    kept: Timestamp,
    dropped: u64,
}

impl Detectors {
    /// Returns detectors that have seen nothing. `now` names their run; of what is found, packets are saved as `evidence`.
    pub(crate) fn new(now: Timestamp, evidence: Evidence) -> Self {
        let settings = Settings::new();
        let detecting = Detecting::new(Detection::new(settings.clone()));
        let run = now.unix_ms().cast_unsigned();
        let inner = Inner { detecting, settings, own: Vec::new(), run, told: now, sampled: now, kept: now, dropped: 0 };
        Self { inner: Arc::new(Mutex::new(inner)), evidence, meter: Meter::default(), learnt: None }
    }

    /// Takes numbers from `meter`, and what was learnt of levels from the file at `path`, where it is kept from now on.
    pub(crate) fn with(self, meter: Meter, path: &Path) -> Self {
        match durable::document(path) {
            Ok(Some(learnt)) => self.lock().detecting.detection.recall(learnt),
            Ok(None) => {}
            Err(error) => tracing::warn!(error = chain(&error), "what was learnt of levels is learnt anew"),
        }
        Self { meter, learnt: Some(path.into()), ..self }
    }

    /// Looks for what this says from now on. What is known stays.
    pub(crate) fn set(&self, settings: &Settings) {
        let mut inner = self.lock();
        self.meter.set_uplinks(&settings.uplinks);
        inner.settings.clone_from(settings);
        inner.configure();
    }

    /// Takes note of the machine's own addresses.
    pub(crate) fn set_own(&self, own: Vec<IpNetwork>) {
        let mut inner = self.lock();
        if inner.own != own {
            inner.own = own;
            inner.configure();
        }
    }

    /// Takes what a thread saw, and how much of it found no room since the last time. `shift_ms` is what has to be added to frames'
    /// times to have the agent's.
    pub(crate) fn see(&self, sightings: impl Iterator<Item = Sighting>, dropped: u64, shift_ms: i64) {
        let mut inner = self.lock();
        inner.dropped = inner.dropped.saturating_add(dropped);
        inner.detecting.shift_ms = shift_ms;
        sightings.for_each(|sighting| inner.detecting.sighted(sighting));
    }

    /// Takes flows that ended.
    pub(crate) fn flows<'f>(&self, flows: impl Iterator<Item = &'f FlowRecord>, shift_ms: i64) {
        let mut inner = self.lock();
        inner.detecting.shift_ms = shift_ms;
        flows.for_each(|flow| inner.detecting.flow(flow));
    }

    /// Takes what is known of endpoints at `now`, by the frames' clock.
    pub(crate) fn endpoints(&self, endpoints: impl Iterator<Item = EndpointState>, now: Timestamp, shift_ms: i64) {
        let mut inner = self.lock();
        inner.detecting.shift_ms = shift_ms;
        for endpoint in endpoints.filter(|endpoint| !endpoint.own) {
            let settled = now.ms_since(endpoint.concluded.into()) >= SETTLED_MS;
            inner.detecting.terminal(&endpoint, settled);
        }
    }

    /// Returns what is to be told now: what was found, and what the detectors do. Waits for the disk where packets are saved;
    /// meanwhile detectors take what is seen.
    pub(crate) fn tell(&self, now: Timestamp) -> Vec<HistoryItem> {
        let Some((due, sample, run, shift_ms)) = self.due(now) else { return Vec::new() };
        self.keep(now);
        self.evidence.complete(now);
        let item = |time, body| HistoryItem { time, scope: Scope::new(""), body };
        let found = due.iter().map(|it| {
            let around = Around { first: it.first.plus_ms(-shift_ms).into(), now };
            let report = report(it, run, self.evidence.of(it, around));
            item(it.last.min(now), HistoryBody::Anomaly(report))
        });
        let mut items: Vec<_> = found.collect();
        items.extend(sample.map(|sample| item(now, HistoryBody::Detection(sample))));
        items
    }

    /// Returns the findings that are to be told now, what detectors do where that is due, the run, and how far the agent's time is
    /// ahead of the frames'.
    fn due(&self, now: Timestamp) -> Option<(Vec<Finding>, Option<DetectionSample>, u64, i64)> {
        let mut inner = self.lock();
        if now.ms_since(inner.told) < TELL_MS {
            return None;
        }
        inner.told = now;
        for number in self.meter.numbers() {
            let Number { time, series, of, value } = &number;
            let measured = Measured { time: *time, series: *series, of, value: *value };
            inner.detecting.detection.measured(&measured);
        }
        for open in self.meter.opened() {
            let Open { time, at, client, approval } = &open;
            let listening = Listening { time: *time, at: *at, client: *client, approval };
            inner.detecting.detection.listening(&listening);
        }
        let run = inner.run;
        let due = inner.detecting.detection.take_due(now, TOLD_AT_ONCE);
        // The first says soon that detectors look on at all.
        let first = inner.sampled.unix_ms().cast_unsigned() == run && now.ms_since(inner.sampled) >= 10 * TELL_MS;
        let mut sample = None;
        if first || now.ms_since(inner.sampled) >= SAMPLE_MS {
            inner.sampled = now;
            let detectors = inner.detecting.detection.detectors();
            let detectors = detectors.iter().map(|state| detector(state, now)).collect();
            sample = Some(DetectionSample { detectors, dropped: inner.dropped });
        }
        Some((due, sample, run, inner.detecting.shift_ms))
    }

    /// Keeps what was learnt of levels, where it is time.
    fn keep(&self, now: Timestamp) {
        let Some(path) = &self.learnt else { return };
        let learnt = {
            let mut inner = self.lock();
            if now.ms_since(inner.kept) < KEEP_MS {
                return;
            }
            inner.kept = now;
            serde_json::to_vec(inner.detecting.detection.learnt())
        };
        let kept = learnt.map_err(io::Error::from).and_then(|text| durable::replace(path, &text, Sync::No));
        if let Err(error) = kept {
            tracing::warn!(%error, path = %path.display(), "what was learnt of levels could not be kept");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn configure(&mut self) {
        let mut settings = self.settings.clone();
        settings.scanners.extend(&self.own);
        self.detecting.detection.configure(settings);
    }
}

/// Returns what is told of a finding, with what became of its packets.
fn report(finding: &Finding, run: u64, packets: Option<AnomalyEvidence>) -> AnomalyReport {
    let evidence = |it: &onenet_detection::Evidence| AnomalyEvidence { is: it.is.to_owned(), value: it.value.clone() };
    AnomalyReport {
        key: AnomalyKey { kind: finding.kind.name().to_owned(), subject: finding.subject.to_string() },
        grade: finding.grade,
        confidence: finding.confidence,
        lasted_ms: u64::try_from(finding.last.ms_since(finding.first)).unwrap_or(0),
        count: finding.count,
        run,
        evidence: finding.evidence.iter().map(evidence).chain(packets).collect(),
        drill: None,
    }
}

/// Returns what is told of a detector.
fn detector(state: &DetectorState, now: Timestamp) -> DetectorSample {
    DetectorSample {
        kind: state.kind.name().to_owned(),
        off: state.off.unwrap_or_default().to_owned(),
        last_run_age_ms: state.last_run.map(|at| u64::try_from(now.ms_since(at)).unwrap_or(0)),
        inputs: state.inputs,
        found: state.findings,
        evicted: state.evicted,
    }
}

#[cfg(test)]
mod tests {
    use onenet_capture::FrameTime;
    use onenet_detection::Learnt;
    use onenet_topology::ProbeSample;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn told(detectors: &Detectors, at_ms: i64) -> Vec<AnomalyReport> {
        let items = detectors.tell(NOW.plus_ms(at_ms)).into_iter();
        items.filter_map(|item| if let HistoryBody::Anomaly(it) = item.body { Some(it) } else { None }).collect()
    }

    /// A DHCP server answers, by the frames' clock at `at_ms`.
    fn serve(detectors: &Detectors, at_ms: i64) {
        let time = FrameTime::from(NOW.plus_ms(at_ms));
        let served = onenet_capture::sighting::Served::Dhcp;
        let sighting = Sighting::Serving { time, served, ip: "10.20.0.66".parse().unwrap(), mac: None };
        detectors.see([sighting].into_iter(), 0, -5_000);
    }

    #[test]
    fn what_is_found_is_told_once_and_again_when_it_has_doubled_or_goes_on() {
        let detectors = Detectors::new(NOW, Evidence::default());
        detectors.set(&Settings { dhcp_servers: vec!["10.20.0.2".parse().unwrap()], ..Settings::new() });
        serve(&detectors, 5_500);
        let first = told(&detectors, 1_000);
        assert_eq!((first[0].key.kind.as_str(), first[0].key.subject.as_str()), ("rogue_dhcp", "10.20.0.66"));
        assert_eq!((first[0].count, first[0].run), (1, NOW.unix_ms().cast_unsigned()));
        assert!(told(&detectors, 2_000).is_empty());
        serve(&detectors, 7_000);
        assert_eq!(told(&detectors, 3_000)[0].count, 2);
        serve(&detectors, 8_000);
        assert!(told(&detectors, 4_000).is_empty(), "three are not four");
        assert_eq!(told(&detectors, 3_000 + 10 * 60_000)[0].count, 3);
    }

    #[test]
    fn what_was_learnt_of_levels_outlives_the_agent_and_a_damaged_file_is_learnt_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("levels.json");
        let begin = || Detectors::new(NOW, Evidence::default()).with(Meter::default(), &path);
        let detectors = begin();
        let sample = ProbeSample { name: "parent".into(), round_trip_median_us: Some(8_500), ..ProbeSample::default() };
        for minute in 0..90 {
            let (time, body) = (NOW.plus_ms(minute * 60_000), HistoryBody::Probe(sample.clone()));
            detectors.meter.take(&[HistoryItem { time, scope: Scope::new(""), body }]);
            detectors.tell(time.plus_ms(1_000));
        }
        let learnt = |detectors: &Detectors| detectors.lock().detecting.detection.learnt().clone();
        assert_ne!(learnt(&begin()), Learnt::default());
        std::fs::write(&path, "{").unwrap();
        assert_eq!(learnt(&begin()), Learnt::default());
    }

    #[test]
    fn whether_detectors_run_is_told_within_seconds_and_then_now_and_then() {
        let detectors = Detectors::new(NOW, Evidence::default());
        let samples = |at_ms: i64| {
            let items = detectors.tell(NOW.plus_ms(at_ms)).into_iter();
            items.filter(|item| matches!(item.body, HistoryBody::Detection(_))).count()
        };
        assert_eq!((samples(1_000), samples(10_000), samples(20_000), samples(620_000)), (0, 1, 0, 1));
    }
}
