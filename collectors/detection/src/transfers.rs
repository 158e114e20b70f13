//! Who sends much: to somebody to whom it sent nothing like it, and at night.
//!
//! Invariant: what was done once in five weeks is known and not told again; in the first week everything is learnt and nothing told.

use std::net::IpAddr;

use onenet_topology::{Timestamp, application::Application};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{FlowSeen, is_one_host},
    settings::Settings,
    table::{Table, Worth},
    threshold::Threshold,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const LEARNING_MS: i64 = 7 * DAY_MS;
const KEPT_MS: i64 = 35 * DAY_MS;
const MEGABYTE: u64 = 1_000_000;
/// This share of a threshold is enough to be known for it.
const KNOWN_SHARE: u64 = 4;

/// What was sent in a day or a night.
#[derive(Debug)]
struct Sent {
    since: Timestamp,
    /// Which night; of a day always 0.
    night: i64,
    octets: u64,
    /// When it sent so much before, last.
    known: Option<Timestamp>,
    /// Whether this time was told.
    told: bool,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Transfers {
    pairs: Table<(IpAddr, IpAddr), Sent>,
    nights: Table<IpAddr, Sent>,
    since: Option<Timestamp>,
}

impl Worth for Sent {
    fn worth(&self) -> u64 {
        self.octets + u64::from(self.known.is_some()) * MEGABYTE * 1_000
    }
}

impl Transfers {
    pub(crate) fn new() -> Self {
        Self { pairs: Table::new(4_096, KEPT_MS), nights: Table::new(2_048, KEPT_MS), since: None }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.nights.evicted()
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let since = *self.since.get_or_insert(flow.start);
        let media = matches!(flow.application, Some(Application::Rtp | Application::Rtsp));
        let sends = flow.bytes_out > flow.bytes_in.saturating_mul(2) && is_one_host(flow.to);
        // A table of pairs is for those who send, not for all who talk.
        if media || !sends || flow.bytes_out < MEGABYTE / 100 || !settings.is_inside(flow.from) {
            return;
        }
        let learning = flow.end.ms_since(since) < LEARNING_MS;
        self.by_day(flow, learning, settings, book);
        self.by_night(flow, learning, settings, book);
    }

    fn by_day(&mut self, flow: &FlowSeen<'_>, learning: bool, settings: &Settings, book: &mut Book) {
        let least = settings.at(Threshold::TransferMegabytes, flow.from).saturating_mul(MEGABYTE);
        let Some(sent) = self.pairs.touch((flow.from, flow.to), flow.end, || Sent::new(flow.start, 0)) else { return };
        if flow.end.ms_since(sent.since) > DAY_MS {
            sent.begin(flow.start, 0, least);
        }
        if sent.add(flow, least, learning) {
            report(Kind::LongTransfer, sent, flow, book);
        }
    }

    fn by_night(&mut self, flow: &FlowSeen<'_>, learning: bool, settings: &Settings, book: &mut Book) {
        let hour = |threshold| i64::try_from(settings.at(threshold, flow.from)).unwrap_or(0);
        let Some(night) = night(flow.end, hour(Threshold::NightBegins), hour(Threshold::NightEnds)) else { return };
        let least = settings.at(Threshold::NightMegabytes, flow.from).saturating_mul(MEGABYTE);
        let Some(sent) = self.nights.touch(flow.from, flow.end, || Sent::new(flow.start, night)) else { return };
        if sent.night != night {
            sent.begin(flow.start, night, least);
        }
        if sent.add(flow, least, learning) {
            report(Kind::NightTransfer, sent, flow, book);
        }
    }
}

impl Sent {
    const fn new(since: Timestamp, night: i64) -> Self {
        Self { since, night, octets: 0, known: None, told: false }
    }

    /// Begins another day or night, and remembers whether this one was remarkable.
    fn begin(&mut self, since: Timestamp, night: i64, least: u64) {
        let known = (self.octets >= least / KNOWN_SHARE).then_some(self.since).or(self.known);
        *self = Self { known, ..Self::new(since, night) };
    }

    /// Adds what a flow sent. Returns whether that is to be told.
    fn add(&mut self, flow: &FlowSeen<'_>, least: u64, learning: bool) -> bool {
        self.octets = self.octets.saturating_add(flow.bytes_out);
        let known = self.known.is_some_and(|known| flow.end.ms_since(known) <= KEPT_MS);
        let tells = self.octets >= least && !known && (self.told || !learning);
        self.told |= tells;
        tells
    }
}

fn report(kind: Kind, sent: &Sent, flow: &FlowSeen<'_>, book: &mut Book) {
    let report = Report::new(kind, Subject::Host(flow.from), 65, flow.end).since(sent.since);
    book.report(&report, || {
        let whom = flow.name.map_or_else(|| flow.to.to_string(), |name| format!("{} ({name})", flow.to));
        vec![
            Evidence::new("to", whom),
            Evidence::new("megabytes", sent.octets / MEGABYTE),
            Evidence::new("flow", flow.in_words()),
        ]
    });
}

/// Returns in which night a moment is, by its number; `None` by day.
fn night(at: Timestamp, begins: i64, ends: i64) -> Option<i64> {
    let local = at.china_ms();
    // The night is counted by the day on which it began.
    let (day, hour) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS) / HOUR_MS);
    if begins < ends {
        return (begins..ends).contains(&hour).then_some(day);
    }
    match hour {
        _ if begins == ends => None,
        hour if hour >= begins => Some(day),
        hour if hour < ends => Some(day - 1),
        _ => None,
    }
}
