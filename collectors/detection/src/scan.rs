//! Who looks for what is open: scans of ports, sweeps of hosts, slow scans, dark addresses, and what spreads.
//!
//! Invariant: only attempts count that failed or said nothing, that this source did not make in the last day or two, and that do not fail
//! because a line did: a poller that asks the same absent devices again and again scans nothing, nor does who asks on while nobody is answered.

use std::{collections::BTreeSet, net::IpAddr};

use onenet_topology::Timestamp;

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Grade, Subject},
    observation::{Attempt, FlowSeen},
    outage::Outages,
    settings::{Settings, covers},
    table::{Distinct, Recollection, Table, Worth, hash, real, whole},
    threshold::Threshold,
};

const WINDOW_MS: i64 = 300_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// After this long an attempt of a slow scan counts half.
const HALF_LIFE_MS: i64 = 4 * 3_600_000;
/// Share of the sweep's threshold from which a host counts for a worm.
const WORM_SHARE: u64 = 2;
/// The most numbers and hosts that evidence lists.
const LISTED_MAX: usize = 16;

/// What one source tried at one place.
#[derive(Debug)]
struct Window {
    since: Timestamp,
    failed: Distinct,
    failed_udp: Distinct,
    answered: Distinct,
    /// The first of what was tried, for evidence.
    listed: Vec<u16>,
    hosts: Vec<IpAddr>,
}

/// Attempts that fade.
#[derive(Debug)]
struct Fading {
    at: Timestamp,
    first: Timestamp,
    failed: f64,
    answered: f64,
}

/// Dark addresses that one source tried.
#[derive(Debug)]
struct Dark {
    since: Timestamp,
    addresses: Distinct,
    flows: u64,
}

/// Who swept a port.
#[derive(Debug, Default)]
struct Sweepers {
    hosts: BTreeSet<IpAddr>,
    since: Timestamp,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Scans {
    ports: Table<(IpAddr, IpAddr), Window>,
    hosts: Table<(IpAddr, u8, u16), Window>,
    slow: Table<IpAddr, Fading>,
    dark: Table<IpAddr, Dark>,
    worms: Table<(u8, u16), Sweepers>,
    known: Recollection,
    outages: Outages,
}

impl Worth for Window {
    fn worth(&self) -> u64 {
        self.failed.count() + self.failed_udp.count()
    }
}

impl Worth for Fading {
    fn worth(&self) -> u64 {
        whole(self.failed)
    }
}

impl Worth for Dark {
    fn worth(&self) -> u64 {
        self.addresses.count()
    }
}

impl Worth for Sweepers {
    fn worth(&self) -> u64 {
        u64::try_from(self.hosts.len()).unwrap_or(0)
    }
}

impl Window {
    fn new(since: Timestamp) -> Self {
        let (failed, failed_udp, answered) = Default::default();
        Self { since, failed, failed_udp, answered, listed: Vec::new(), hosts: Vec::new() }
    }

    /// Begins anew where the window is over.
    fn at(&mut self, now: Timestamp) -> &mut Self {
        if now.ms_since(self.since) > WINDOW_MS {
            *self = Self::new(now);
        }
        self
    }

    fn is_mostly_failed(&self) -> bool {
        self.failed.count() + self.failed_udp.count() >= self.answered.count()
    }
}

impl Scans {
    pub(crate) fn new() -> Self {
        Self {
            ports: Table::new(4_096, WINDOW_MS),
            hosts: Table::new(4_096, WINDOW_MS),
            slow: Table::new(4_096, 2 * DAY_MS),
            dark: Table::new(1_024, DAY_MS),
            worms: Table::new(256, DAY_MS),
            known: Recollection::new(1 << 21),
            outages: Outages::new(),
        }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.ports.evicted() + self.hosts.evicted() + self.slow.evicted() + self.dark.evicted() + self.known.hurried()
    }

    /// Takes a flow. Returns whether its source tries its destination's port for the first time in a day.
    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) -> bool {
        let Some(attempt) = flow.attempt() else { return false };
        let pair = hash((flow.from, flow.to, flow.protocol, flow.to_port));
        let new = !self.known.note(pair, flow.start).0;
        if settings.is_scanner(flow.from) {
            return new;
        }
        if covers(&settings.dark, flow.to) {
            self.dark(flow, settings, book);
        }
        let peers = settings.peer_ports.contains(&flow.to_port) && matches!(flow.protocol, 6 | 17);
        let hosts = settings.at(Threshold::OutageHosts, flow.from);
        let cut_off = self.outages.explains(flow, attempt, pair, hosts);
        if !new || cut_off || peers || attempt == Attempt::Idle && flow.protocol != 6 {
            return new;
        }
        self.port(flow, attempt, settings, book);
        self.host(flow, attempt, settings, book);
        self.slow(flow, attempt, settings, book);
        new
    }

    fn port(&mut self, flow: &FlowSeen<'_>, attempt: Attempt, settings: &Settings, book: &mut Book) {
        if !matches!(flow.protocol, 6 | 17) {
            return;
        }
        let Some(window) = self.ports.touch((flow.from, flow.to), flow.start, || Window::new(flow.start)) else {
            return;
        };
        let window = window.at(flow.start);
        match attempt {
            Attempt::Failed if flow.protocol == 17 => window.failed_udp.add(hash(flow.to_port)),
            Attempt::Failed | Attempt::Idle => window.failed.add(hash(flow.to_port)),
            Attempt::Answered => window.answered.add(hash(flow.to_port)),
        };
        if window.listed.len() < LISTED_MAX {
            window.listed.push(flow.to_port);
        }
        let least = settings.at(Threshold::PortScanPorts, flow.from);
        let (tcp, udp) = (window.failed.count(), window.failed_udp.count());
        if attempt == Attempt::Answered || tcp < least && udp < least.saturating_mul(2) || !window.is_mostly_failed() {
            return;
        }
        let subject = Subject::Host(flow.from);
        let known = book.last(Kind::PortScan, subject).is_some();
        let count = if known { 1 } else { tcp + udp };
        let confidence = if tcp >= 2 * least { 95 } else { 80 };
        let report = Report::new(Kind::PortScan, subject, confidence, flow.start).since(window.since).counting(count);
        book.report(&report, || {
            let listed: Vec<_> = window.listed.iter().map(ToString::to_string).collect();
            vec![
                Evidence::new("ports", format_args!("≈ {}: {}", tcp + udp, listed.join(", "))),
                Evidence::new("target", flow.to),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }

    fn host(&mut self, flow: &FlowSeen<'_>, attempt: Attempt, settings: &Settings, book: &mut Book) {
        let key = (flow.from, flow.protocol, flow.to_port);
        let Some(window) = self.hosts.touch(key, flow.start, || Window::new(flow.start)) else { return };
        let window = window.at(flow.start);
        match attempt {
            Attempt::Failed => window.failed.add(hash(flow.to)),
            // An open port that is left again at once: it may be a scan's, or a check's.
            Attempt::Idle => false,
            Attempt::Answered => window.answered.add(hash(flow.to)),
        };
        if window.hosts.len() < LISTED_MAX {
            window.hosts.push(flow.to);
        }
        let least = settings.at(Threshold::SweepHosts, flow.from);
        let tried = window.failed.count();
        if attempt != Attempt::Failed || !window.is_mostly_failed() {
            return;
        }
        let since = window.since;
        if tried >= least {
            let subject = Subject::Host(flow.from);
            let known = book.last(Kind::Sweep, subject).is_some();
            let confidence = if tried >= 2 * least { 95 } else { 80 };
            let report = Report::new(Kind::Sweep, subject, confidence, flow.start).since(since);
            book.report(&report.counting(if known { 1 } else { tried }), || {
                let hosts: Vec<_> = window.hosts.iter().map(ToString::to_string).collect();
                vec![
                    Evidence::new("port", Subject::Port { protocol: flow.protocol, port: flow.to_port }),
                    Evidence::new("hosts", format_args!("≈ {tried}: {}", hosts.join(", "))),
                    Evidence::new("answered", window.answered.count()),
                    Evidence::new("flow", flow.in_words()),
                ]
            });
        }
        if flow.protocol != 1 && flow.protocol != 58 && tried.saturating_mul(WORM_SHARE) >= least {
            self.worm(flow, settings, book);
        }
    }

    fn worm(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let key = (flow.protocol, flow.to_port);
        let fresh = || Sweepers { hosts: BTreeSet::new(), since: flow.start };
        let Some(sweepers) = self.worms.touch(key, flow.start, fresh) else { return };
        if flow.start.ms_since(sweepers.since) > DAY_MS {
            *sweepers = fresh();
        }
        if sweepers.hosts.len() < LISTED_MAX {
            sweepers.hosts.insert(flow.from);
        }
        let count = sweepers.worth();
        if count < settings.thresholds.get(Threshold::WormHosts) {
            return;
        }
        let subject = Subject::Port { protocol: flow.protocol, port: flow.to_port };
        book.report(&Report::new(Kind::Worm, subject, 85, flow.start).since(sweepers.since), || {
            let hosts: Vec<_> = sweepers.hosts.iter().map(ToString::to_string).collect();
            vec![Evidence::new("hosts", hosts.join(", ")), Evidence::new("flow", flow.in_words())]
        });
    }

    fn slow(&mut self, flow: &FlowSeen<'_>, attempt: Attempt, settings: &Settings, book: &mut Book) {
        let fresh = || Fading { at: flow.start, first: flow.start, failed: 0.0, answered: 0.0 };
        let Some(fading) = self.slow.touch(flow.from, flow.start, fresh) else { return };
        let passed_ms = u32::try_from(flow.start.ms_since(fading.at).max(0)).unwrap_or(u32::MAX);
        let share = (-f64::from(passed_ms) / f64::from(u32::try_from(HALF_LIFE_MS).unwrap_or(1))).exp2();
        fading.failed *= share;
        fading.answered *= share;
        fading.at = fading.at.max(flow.start);
        if fading.failed < 1.0 {
            fading.first = flow.start;
        }
        match attempt {
            Attempt::Failed => fading.failed += 1.0,
            Attempt::Idle => {}
            Attempt::Answered => fading.answered += 1.0,
        }
        let least = real(settings.at(Threshold::SlowScanAttempts, flow.from));
        let subject = Subject::Host(flow.from);
        let lasted_ms = flow.start.ms_since(fading.first);
        if attempt != Attempt::Failed
            || fading.failed < least
            || fading.failed < 2.0 * fading.answered
            || lasted_ms < HALF_LIFE_MS / 4
        {
            return;
        }
        let fast = [Kind::PortScan, Kind::Sweep].into_iter().filter_map(|kind| book.last(kind, subject));
        if fast.max().is_some_and(|last| flow.start.ms_since(last) < DAY_MS) {
            return;
        }
        let (failed, hours) = (whole(fading.failed), lasted_ms / 3_600_000);
        book.report(&Report::new(Kind::SlowScan, subject, 80, flow.start).since(fading.first), || {
            vec![
                Evidence::new("attempts", format_args!("≈ {failed}")),
                Evidence::new("hours", hours),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }

    fn dark(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let fresh = || Dark { since: flow.start, addresses: Distinct::default(), flows: 0 };
        let Some(dark) = self.dark.touch(flow.from, flow.start, fresh) else { return };
        if flow.start.ms_since(dark.since) > DAY_MS {
            *dark = fresh();
        }
        dark.flows += 1;
        dark.addresses.add(hash(flow.to));
        let count = dark.addresses.count();
        if count < settings.at(Threshold::DarkAddresses, flow.from) {
            return;
        }
        let subject = Subject::Host(flow.from);
        let grade = if count >= 50 { Grade::Major } else { Kind::DarkAddress.grade() };
        let report = Report::new(Kind::DarkAddress, subject, 90, flow.start).since(dark.since).graded(grade);
        book.report(&report, || {
            vec![
                Evidence::new("addresses", format_args!("≈ {count}")),
                Evidence::new("attempts", dark.flows),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }
}
