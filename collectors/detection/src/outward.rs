//! Who reaches outside: traffic past the address plan, and calls by the clock.
//!
//! Invariant: what is outside is told by the settings alone, never by what is heard.

use std::net::IpAddr;

use onenet_topology::{Timestamp, application::Application};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Grade, Subject},
    observation::{Attempt, FlowSeen, is_one_host},
    settings::Settings,
    table::{Distinct, Table, Worth, hash},
    threshold::Threshold,
};

const DAY_MS: i64 = 24 * 3_600_000;
/// Calls that follow within this belong together.
const TOGETHER_MS: i64 = 5_000;
const PERIOD_MS: std::ops::RangeInclusive<i64> = 10_000..=6 * 3_600_000;
/// The most calls that are remembered.
const CALLS_MAX: usize = 33;

#[derive(Debug)]
struct Reach {
    since: Timestamp,
    attempts: u64,
    octets: u64,
    peers: Distinct,
}

#[derive(Debug, Default)]
struct Calls {
    /// When the last ones were.
    at: Vec<i64>,
    /// Since when they have been even, which may be longer ago than the last ones are, and for how long without pauses.
    even: Option<(i64, i64)>,
}

#[derive(Debug, Default)]
struct Callers(Distinct);

/// The detector.
#[derive(Debug)]
pub(crate) struct Outward {
    reach: Table<IpAddr, Reach>,
    calls: Table<(IpAddr, IpAddr, u16), Calls>,
    callers: Table<IpAddr, Callers>,
}

impl Worth for Reach {
    fn worth(&self) -> u64 {
        self.attempts
    }
}

impl Worth for Calls {
    fn worth(&self) -> u64 {
        u64::try_from(self.at.len()).unwrap_or(0)
    }
}

impl Worth for Callers {
    fn worth(&self) -> u64 {
        self.0.count()
    }
}

impl Outward {
    pub(crate) fn new() -> Self {
        Self {
            reach: Table::new(1_024, DAY_MS),
            calls: Table::new(2_048, 2 * DAY_MS),
            callers: Table::new(4_096, 7 * DAY_MS),
        }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.reach.evicted() + self.calls.evicted()
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let out = settings.is_inside(flow.from) && settings.is_outside(flow.to);
        let back = settings.is_inside(flow.to) && settings.is_outside(flow.from);
        if (out || back) && book.is_off(Kind::Outreach).is_none() {
            self.reach(flow, out, settings, book);
        }
        if out && is_one_host(flow.to) {
            self.call(flow, settings, book);
        }
    }

    fn reach(&mut self, flow: &FlowSeen<'_>, out: bool, settings: &Settings, book: &mut Book) {
        let (own, peer) = if out { (flow.from, flow.to) } else { (flow.to, flow.from) };
        let both = match flow.protocol {
            6 => flow.data && flow.packets_in != 0 && flow.packets_out != 0,
            _ => flow.packets_in != 0,
        };
        // Whoever only knocks from outside reached nobody.
        if !both && !out {
            return;
        }
        let fresh = || Reach { since: flow.start, attempts: 0, octets: 0, peers: Distinct::default() };
        let Some(reach) = self.reach.touch(own, flow.start, fresh) else { return };
        if flow.start.ms_since(reach.since) > DAY_MS {
            *reach = fresh();
        }
        reach.attempts += 1;
        reach.peers.add(hash(peer));
        if both {
            reach.octets = reach.octets.saturating_add(flow.bytes_out).saturating_add(flow.bytes_in);
        } else if reach.attempts < settings.at(Threshold::OutreachAttempts, own) {
            return;
        }
        let (grade, confidence) = match (both, reach.octets) {
            (true, 100_000_000..) => (Grade::Major, 95),
            (true, _) => (Grade::Considerable, 95),
            (false, _) => (Grade::General, 70),
        };
        let report = Report::new(Kind::Outreach, Subject::Host(own), confidence, flow.start);
        let report = report.since(reach.since).graded(grade);
        book.report(&report, || {
            let whom = flow.name.map_or_else(|| peer.to_string(), |name| format!("{peer} ({name})"));
            let direction = if out { "outward" } else { "inward" };
            vec![
                Evidence::new("peers", format_args!("≈ {}: {whom}", reach.peers.count())),
                Evidence::new("direction", direction),
                Evidence::new("bytes", reach.octets),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }

    fn call(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let by_design = matches!(
            flow.application,
            Some(Application::Ntp | Application::Dns | Application::Icmp | Application::Snmp | Application::Bgp)
        );
        if flow.attempt().is_none() || by_design || settings.is_scanner(flow.from) {
            return;
        }
        if let Some(callers) = self.callers.touch(flow.to, flow.start, Callers::default) {
            callers.0.add(hash(flow.from));
            if callers.0.count() > settings.thresholds.get(Threshold::BeaconHosts) {
                return;
            }
        }
        let key = (flow.from, flow.to, flow.to_port);
        let Some(calls) = self.calls.touch(key, flow.start, Calls::default) else { return };
        let even = Even {
            calls: settings.at(Threshold::BeaconCalls, flow.from),
            jitter_percent: settings.at(Threshold::BeaconJitter, flow.from),
            lasts_s: settings.at(Threshold::BeaconLasts, flow.from),
        };
        let Some(beat) = calls.note(flow.start.unix_ms(), &even) else { return };
        let confidence = if flow.attempt() == Some(Attempt::Answered) { 80 } else { 65 };
        let report = Report::new(Kind::Beaconing, Subject::Host(flow.from), confidence, flow.start);
        let known = book.last(Kind::Beaconing, Subject::Host(flow.from)).is_some();
        let count = if known { 1 } else { beat.calls };
        book.report(&report.since(Timestamp::from_unix_ms(beat.since)).counting(count), || {
            vec![
                Evidence::new("called", Subject::Service { host: flow.to, port: flow.to_port }),
                Evidence::new("period", format_args!("{} s", beat.period_ms / 1_000)),
                Evidence::new("jitter", format_args!("{} %", beat.jitter_percent)),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }
}

/// What makes calls a beacon.
struct Even {
    calls: u64,
    jitter_percent: u64,
    lasts_s: u64,
}

/// What calls have in common.
struct Beat {
    period_ms: i64,
    jitter_percent: u64,
    calls: u64,
    since: i64,
}

impl Calls {
    /// Notes a call. Returns how even the last ones are where they are enough, and have been for long enough.
    fn note(&mut self, at: i64, even: &Even) -> Option<Beat> {
        let last = self.at.last().copied();
        if last.is_some_and(|last| at - last < TOGETHER_MS) {
            return None;
        }
        if self.at.len() >= CALLS_MAX {
            self.at.remove(0);
        }
        self.at.push(at);
        let Some((period_ms, jitter_percent)) = self.beat(even) else {
            self.even = None;
            return None;
        };
        let counted = |interval: i64| interval.min(2 * period_ms);
        let (since, lasted_ms) = match self.even {
            Some((since, lasted_ms)) => (since, lasted_ms + counted(at - last.unwrap_or(at))),
            None => (*self.at.first()?, intervals(&self.at).map(counted).sum()),
        };
        self.even = Some((since, lasted_ms));
        let calls = u64::try_from(self.at.len()).unwrap_or(0);
        let lasts_ms = i64::try_from(even.lasts_s).unwrap_or(i64::MAX).saturating_mul(1_000);
        (lasted_ms >= lasts_ms).then_some(Beat { period_ms, jitter_percent, calls, since })
    }

    /// Returns the period and the jitter of the last calls where they are enough and even.
    fn beat(&self, even: &Even) -> Option<(i64, u64)> {
        let least = usize::try_from(even.calls).unwrap_or(CALLS_MAX).clamp(4, CALLS_MAX - 1);
        let mut intervals: Vec<i64> = intervals(&self.at).collect();
        if intervals.len() < least {
            return None;
        }
        let period_ms = median(&mut intervals)?;
        let mut departures: Vec<i64> = intervals.iter().map(|interval| (interval - period_ms).abs()).collect();
        let jitter = median(&mut departures)?.saturating_mul(100) / period_ms.max(1);
        let jitter = u64::try_from(jitter).unwrap_or(u64::MAX);
        // Most intervals have to be near: a pause for the night is none of them.
        let far = intervals.iter().filter(|interval| (**interval - period_ms).abs() * 2 > period_ms).count();
        let is_even = far * 8 <= intervals.len() && PERIOD_MS.contains(&period_ms) && jitter <= even.jitter_percent;
        is_even.then_some((period_ms, jitter))
    }
}

fn intervals(times: &[i64]) -> impl Iterator<Item = i64> {
    times.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?))
}

fn median(numbers: &mut [i64]) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}
