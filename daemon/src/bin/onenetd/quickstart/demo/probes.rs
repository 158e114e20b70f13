//! What a simulated agent measures besides its line: its gateway, and the services of the province.
//!
//! Invariant: pure. States hold since the day began, so that nothing seems to come and go. One certificate ends soon, which all see, and
//! one site cannot reach the mail server, which all others can.

use onenet_topology::{
    Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, Timestamp,
    fact::{Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Scope},
};
use onenetd::demo::CODE_PREFIX;

use super::{
    chance::Chance,
    lines,
    province::{Mood, PROVINCE, SimulatedSite},
};

const DAY_MS: i64 = 86_400_000;
/// How many days the certificate of the portal has left.
const DAYS_LEFT: i64 = 9;

/// How long a check of a service waits, in seconds.
const TIMEOUT_S: u64 = 10;

/// The services: name, target, kind, round trip in microseconds.
const SERVICES: [(&str, &str, ProbeKind, u64); 5] = [
    ("portal", "portal.example", ProbeKind::Https, 21_000),
    ("mail", "mail.example", ProbeKind::Smtp, 34_000),
    ("video", "10.32.0.60", ProbeKind::Sip, 9_000),
    ("names", "10.32.0.53", ProbeKind::Dns, 7_000),
    ("time", "10.32.0.123", ProbeKind::Ntp, 6_000),
];

/// Returns the facts of all probes of a site's agent.
pub(super) fn facts(site: &SimulatedSite, now: Timestamp) -> (Group, Vec<FactChange>) {
    let observed = Timestamp::from_unix_ms(now.unix_ms().div_euclid(DAY_MS).saturating_mul(DAY_MS));
    let fact = |probe| FactChange::Present(Fact { observed, body: FactBody::Probe(Box::new(probe)) });
    // All that an agent probes is one group, its line included.
    let line = lines::facts(site, now).into_iter().flat_map(|(_, changes)| changes);
    let all = all(site).map(|(probe, _)| fact(probe)).chain(line).collect();
    (Group { method: Method::Probe, scope: Scope::new("") }, all)
}

/// Returns what each measured over the last minute.
pub(super) fn samples(site: &SimulatedSite, now: Timestamp) -> Vec<HistoryItem> {
    let minute = now.unix_ms().div_euclid(60_000);
    let mut chance = Chance::of(&format!("{}{minute}", site.code));
    let sample = |(probe, typical_us): (Probe, u64)| {
        let sent = if probe.kind.is_service() { 10 } else { 60 };
        let is_down = probe.state == ProbeState::Down;
        let lost = if is_down { sent } else { u64::from(!probe.kind.is_service() && chance.below(40) == 0) };
        let us = typical_us + chance.below(3_000);
        let answered = |us: u64| (!is_down).then_some(us);
        let ends = now.plus_ms(DAYS_LEFT * DAY_MS + DAY_MS / 2).unix_ms();
        let body = ProbeSample {
            name: probe.name,
            interval_ms: 60_000,
            sent,
            lost,
            round_trip_min_us: answered(us / 2),
            round_trip_median_us: answered(us),
            round_trip_p95_us: answered(us * 2),
            round_trip_max_us: answered(us * 3),
            jitter_us: answered(us / 9),
            path_mtu: (!probe.kind.is_service()).then_some(1_500),
            certificate_ends_ms: (probe.kind == ProbeKind::Https).then_some(ends),
            ..ProbeSample::default()
        };
        HistoryItem { time: now, scope: Scope::new(""), body: HistoryBody::Probe(body) }
    };
    all(site).map(sample).collect()
}

/// Returns all probes of a site, with their typical round trips.
fn all(site: &SimulatedSite) -> impl Iterator<Item = (Probe, u64)> {
    let probe = |name: &str, target: &str, kind, role, at: &str| Probe {
        name: name.to_owned(),
        target: target.to_owned(),
        kind,
        role,
        site: at.to_owned(),
        state: ProbeState::Up,
        detail: String::new(),
    };
    let gateway = (probe("gateway", "gateway", ProbeKind::Icmp, ProbeRole::Gateway, ""), 400);
    let cannot_mail = site.mood == Mood::SwitchDown;
    let services = SERVICES.into_iter().map(move |(name, target, kind, us)| {
        let mut probe = probe(name, target, kind, ProbeRole::Named, &format!("{CODE_PREFIX}{PROVINCE}"));
        if kind == ProbeKind::Https {
            probe.state = ProbeState::Degraded;
            probe.detail = format!("its certificate ends in {DAYS_LEFT} days");
        } else if kind == ProbeKind::Smtp && cannot_mail {
            probe.state = ProbeState::Down;
            probe.detail = format!("no connection within {TIMEOUT_S} s");
        }
        (probe, us)
    });
    std::iter::once(gateway).chain(services)
}
