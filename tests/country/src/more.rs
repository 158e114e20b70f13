//! What an agent tells beside tables and ports: probes of its ways, sensors of its devices, how capture goes, what crossed its
//! segments, what its detectors do and find.
//!
//! Invariant: pure, as the network is: everything follows from the site and the minute. Ways are slow and lossy by site and by hour, a
//! few of them much.

use std::f64::consts::TAU;

use onenet_topology::{
    Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest, SensorKind, SensorState, Timestamp,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    application::Application,
    division::Tier,
    fact::{
        ApplicationSample, CaptureSample, FactBody, FlowTotals, Group, HistoryBody, HistoryItem, Method, Scope, Sensor,
        SensorSample,
    },
    incident::Severity,
};

use super::{chance, network::Network, sites::Site};

/// Milliseconds of a window of a probe, which are those of a minute.
const WINDOW_MS: u64 = 60_000;
/// Questions of a window.
const ASKED: u64 = 60;
/// Minutes between two readings of sensors, and between two tellings of what detectors do.
const SENSORS_EACH: u64 = 5;
const DETECTORS_EACH: u64 = 10;
/// One site of so many has a way that loses much, and one a detector that finds something.
const LOSSY: u64 = 60;
const FINDS: u64 = 120;
/// What chance is asked for.
const DELAY: u64 = 21;
const LOSS: u64 = 22;
const LOAD: u64 = 23;
const FOUND: u64 = 24;
const VOLUME: u64 = 25;

/// What crosses a site, and how much of a hundred parts it is.
const APPLICATIONS: [(Option<Application>, u64); 6] = [
    (Some(Application::Tls), 46),
    (Some(Application::Http), 17),
    (Some(Application::Smb), 14),
    (Some(Application::Dns), 3),
    (Some(Application::Ssh), 5),
    (None, 15),
];
const DETECTORS: [&str; 4] = ["port_scan", "rogue_dhcp", "arp_spoofing", "outreach"];

/// Returns the facts: probes, and which sensors there are.
pub(crate) fn facts(network: &Network) -> Vec<(Group, FactBody)> {
    let probes = probes(network.site()).map(|probe| {
        let group = Group { method: Method::Probe, scope: Scope::new("") };
        (group, FactBody::Probe(Box::new(probe)))
    });
    let sensors = (0..network.site().devices()).flat_map(|device| {
        let scope = Scope::new(&network.device_name(device));
        readings(network.site(), device, 0).into_iter().map(move |reading| {
            let group = Group { method: Method::SnmpSensors, scope: scope.clone() };
            let body = Sensor { kind: reading.kind, name: reading.name, state: Some(SensorState::Normal) };
            (group, FactBody::Sensor(body))
        })
    });
    probes.chain(sensors).collect()
}

/// Returns what is told of the minute: windows of probes, capture and applications each minute, the rest less often.
pub(crate) fn samples(network: &Network, time: Timestamp, minute: u64) -> Vec<HistoryItem> {
    let site = network.site();
    let here = |body| HistoryItem { time, scope: Scope::new(""), body };
    let mut items: Vec<HistoryItem> =
        probes(site).map(|probe| here(HistoryBody::Probe(window(site, &probe, minute)))).collect();
    items.push(HistoryItem { scope: Scope::new("eth1"), ..here(HistoryBody::Capture(capture(site, minute))) });
    items.extend(crossed(site, minute).map(|sample| here(HistoryBody::Application(sample))));
    if minute.is_multiple_of(SENSORS_EACH) {
        items.extend((0..site.devices()).flat_map(|device| {
            let scope = Scope::new(&network.device_name(device));
            let read = readings(site, device, minute).into_iter();
            read.map(move |sample| HistoryItem { time, scope: scope.clone(), body: HistoryBody::Sensor(sample) })
        }));
    }
    if minute.is_multiple_of(DETECTORS_EACH) {
        items.push(here(HistoryBody::Detection(detection(minute))));
        items.extend(found(site, minute).map(|report| here(HistoryBody::Anomaly(report))));
    }
    items
}

/// Returns how many items [`samples`] has at most.
pub(crate) const fn sample_count(site: &Site) -> usize {
    3 + 1 + APPLICATIONS.len() + 3 * site.devices() + 2
}

fn probes(site: &Site) -> impl Iterator<Item = Probe> {
    let probe = |name: &str, target: &str, kind, role, far: &str| Probe {
        name: name.to_owned(),
        target: target.to_owned(),
        kind,
        role,
        site: far.to_owned(),
        state: ProbeState::Up,
        detail: String::new(),
    };
    let up = site.parent.as_deref().map(|parent| probe("up", "10.0.0.1", ProbeKind::Icmp, ProbeRole::Parent, parent));
    let others = [
        probe("gateway", "192.168.0.1", ProbeKind::Icmp, ProbeRole::Gateway, ""),
        probe("oa", "https://oa.example", ProbeKind::Https, ProbeRole::Named, ""),
    ];
    up.into_iter().chain(others)
}

fn window(site: &Site, probe: &Probe, minute: u64) -> ProbeSample {
    let way = match (probe.role, site.tier) {
        (ProbeRole::Gateway, _) => 300,
        (_, Tier::Ministry) => 2_000,
        (_, Tier::Province) => 12_000,
        (_, Tier::City) => 6_000,
        (_, Tier::County) => 9_000,
    };
    // A site's own distance, and how busy its line is at this hour.
    let usual = way + chance::below(way, site.seed, &[DELAY]);
    let median = usual + share(usual / 2, busy(minute)) + chance::below(1 + usual / 10, site.seed, &[DELAY, minute]);
    let lost = if probe.role == ProbeRole::Parent { lost(site, minute) } else { 0 };
    ProbeSample {
        name: probe.name.clone(),
        test: ProbeTest::Regular,
        interval_ms: WINDOW_MS,
        sent: ASKED,
        lost,
        round_trip_min_us: Some(usual),
        round_trip_median_us: Some(median),
        round_trip_p95_us: Some(median * 3 / 2),
        round_trip_max_us: Some(median * 2),
        jitter_us: Some(median / 12),
        path_mtu: (probe.role == ProbeRole::Parent).then_some(1_500),
        certificate_ends_ms: (probe.role == ProbeRole::Named).then_some(1_830_297_600_000),
        ..ProbeSample::default()
    }
}

/// Returns how many questions of a window are lost: most ways lose one now and then, a few many while people work.
fn lost(site: &Site, minute: u64) -> u64 {
    let here_and_there = u64::from(chance::once_in(40, site.seed, &[LOSS, minute]));
    if chance::once_in(LOSSY, site.seed, &[LOSS]) {
        here_and_there + share(chance::below(14, site.seed, &[LOSS, minute / 10]), busy(minute))
    } else {
        here_and_there
    }
}

fn capture(site: &Site, minute: u64) -> CaptureSample {
    let frames = minute * (200 + 30 * site.terminals as u64);
    CaptureSample {
        frames_seen: frames,
        octets_seen: frames * 620,
        frames_dropped_by_kernel: frames / 40_000,
        frames_undecoded: frames / 90_000,
        tcp_octets: frames * 410,
        tcp_octets_missed: frames,
        ..CaptureSample::default()
    }
}

fn crossed(site: &Site, minute: u64) -> impl Iterator<Item = ApplicationSample> {
    let usual = 400_000 * site.terminals as u64;
    let much = usual / 10 + share(usual, busy(minute)) + chance::below(usual / 4 + 1, site.seed, &[VOLUME, minute]);
    APPLICATIONS.into_iter().map(move |(application, part)| {
        let bytes = much * part / 100;
        let totals = FlowTotals {
            flows_out: 1 + bytes / 90_000,
            packets_out: 1 + bytes / 700,
            bytes_out: bytes,
            ..FlowTotals::default()
        };
        ApplicationSample { mac: None, application, interval_ms: WINDOW_MS, totals }
    })
}

fn readings(site: &Site, device: usize, minute: u64) -> [SensorSample; 3] {
    let swing = |span: u64| chance::below(span, site.seed, &[LOAD, device as u64, minute / SENSORS_EACH]);
    let busy = share(30, busy(minute));
    let sample = |kind, name: &str, value: u64| SensorSample {
        kind,
        name: name.to_owned(),
        value_milli: i64::try_from(1_000 * value).unwrap_or_default(),
    };
    [
        sample(SensorKind::CpuLoad, "cpu", 6 + busy + swing(20)),
        sample(SensorKind::MemoryUsed, "memory", 35 + swing(8)),
        sample(SensorKind::Temperature, "board", 34 + busy / 3 + swing(9)),
    ]
}

fn detection(minute: u64) -> DetectionSample {
    let detector = |kind: &str| DetectorSample {
        kind: kind.to_owned(),
        last_run_age_ms: Some(1_000),
        inputs: minute * 700,
        ..DetectorSample::default()
    };
    DetectionSample { detectors: DETECTORS.into_iter().map(detector).collect(), dropped: 0 }
}

fn found(site: &Site, minute: u64) -> impl Iterator<Item = AnomalyReport> {
    let finds = chance::once_in(FINDS, site.seed, &[FOUND]);
    let kind = usize::try_from(chance::below(3, site.seed, &[FOUND, 1])).unwrap_or_default();
    let (kind, grade) = match kind {
        0 => ("port_scan", Severity::General),
        1 => ("rogue_dhcp", Severity::Considerable),
        _ => ("arp_spoofing", Severity::Major),
    };
    finds
        .then(|| AnomalyReport {
            key: AnomalyKey { kind: kind.to_owned(), subject: "192.168.1.7".to_owned() },
            grade,
            confidence: 90,
            lasted_ms: 60_000 * DETECTORS_EACH,
            count: minute,
            run: 1,
            evidence: vec![AnomalyEvidence { is: "flow".to_owned(), value: "192.168.1.7".to_owned() }],
            drill: None,
        })
        .into_iter()
}

/// Returns how busy people are at a minute of the day, 0 at night to 1.
pub(crate) fn busy(minute: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a minute of a day")]
    let day = (minute % 1_440) as f64 / 1_440.0;
    // Most at two in the afternoon, nothing at two at night.
    0.5 - 0.5 * (TAU * (day - 2.0 / 24.0)).cos()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a number far below 2^53"
)]
fn share(whole: u64, part: f64) -> u64 {
    (whole as f64 * part) as u64
}
