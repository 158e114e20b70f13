//! Series of numbers that left what is usual for hours: frames, flows and terminals of the segment, errors of devices, round trips, bytes
//! of uplinks.
//!
//! Invariants: rows are of five minutes of the data's own time, and in order; what comes later than its row is not counted. It does not
//! know what is usual: that is what [`crate::level`] learns.

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Label, Subject},
    level::{Calendar, Level, Reading, Verdict},
    observation::{Air, FlowSeen, Measured, Series},
    settings::Settings,
    table::{Distinct, hash, real},
    threshold::Threshold,
};

const ROW_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;
/// Things that are measured one by one, at most: 4 KB each.
const MEASURED_MAX: usize = 128;

/// What was counted since the row began.
#[derive(Debug, Default)]
struct Row {
    number: i64,
    frames: u64,
    flows: u64,
    terminals: Distinct,
}

/// What is usual, in a form that can be kept while the program does not run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    frames: Level,
    flows: Level,
    terminals: Level,
    measured: Vec<(Series, String, Level)>,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Levels {
    calendar: Calendar,
    row: Row,
    learnt: Box<Learnt>,
    left_out: u64,
}

impl Levels {
    pub(crate) fn new() -> Self {
        Self { calendar: Calendar::china(), row: Row::default(), learnt: Box::default(), left_out: 0 }
    }

    /// Returns what found no room.
    pub(crate) const fn evicted(&self) -> u64 {
        self.left_out
    }

    pub(crate) fn learnt(&self) -> &Learnt {
        &self.learnt
    }

    /// Takes back what was learnt before the program started.
    pub(crate) fn recall(&mut self, mut learnt: Learnt) {
        learnt.measured.truncate(MEASURED_MAX);
        *self.learnt = learnt;
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings) {
        // What is told long after it ended says nothing of this row.
        if flow.end.unix_ms().div_euclid(ROW_MS) + 12 < self.row.number {
            return;
        }
        self.row.flows += 1;
        if settings.is_inside(flow.from) {
            self.row.terminals.add(hash(flow.from));
        }
    }

    /// Takes what passed in ten seconds: that is the clock by which rows end.
    pub(crate) fn air(&mut self, air: &Air, book: &mut Book) {
        let number = air.end.unix_ms().div_euclid(ROW_MS);
        if number > self.row.number {
            let row = std::mem::replace(&mut self.row, Row { number, ..Row::default() });
            self.end(&row, book);
        }
        if number == self.row.number {
            self.row.frames = self.row.frames.saturating_add(air.frames);
        }
    }

    fn end(&mut self, row: &Row, book: &mut Book) {
        if row.frames == 0 {
            return;
        }
        let time = Timestamp::from_unix_ms(row.number.saturating_mul(ROW_MS));
        let Learnt { frames, flows, terminals, .. } = &mut *self.learnt;
        let counted = [
            (Kind::TrafficShift, frames, row.frames, "frames"),
            (Kind::FlowShift, flows, row.flows, "flows"),
            (Kind::TerminalShift, terminals, row.terminals.count(), "hosts"),
        ];
        for (kind, level, count, unit) in counted {
            let value = real(count);
            if let Ok(reading) = level.observe(&self.calendar, time, value) {
                shifted(kind, Subject::Segment, (time, value), &reading, unit, book);
            }
        }
    }

    /// Takes a number that was measured.
    pub(crate) fn measured(&mut self, measured: &Measured<'_>, settings: &Settings, book: &mut Book) {
        let Measured { time, series, of, value } = *measured;
        let known = &mut self.learnt.measured;
        let place = known.iter().position(|(kind, whose, _)| (*kind, whose.as_str()) == (series, of));
        let Some(place) = place.or_else(|| {
            (known.len() < MEASURED_MAX).then(|| {
                known.push((series, of.to_owned(), Level::new()));
                known.len() - 1
            })
        }) else {
            self.left_out += 1;
            return;
        };
        let Some((_, _, level)) = known.get_mut(place) else { return };
        let Ok(reading) = level.observe(&self.calendar, time, value) else { return };
        let (subject, row) = (Subject::Named(Label::new(of)), (time, value));
        match series {
            // Fewer errors than ever are nobody's case.
            Series::Errors if value <= reading.expected => {}
            Series::Errors => shifted(Kind::ErrorShift, subject, row, &reading, "errors_per_s", book),
            Series::RoundTrip => shifted(Kind::RoundTripShift, subject, row, &reading, "ms", book),
            Series::Received => uplink(["received", "received_expected"], subject, row, &reading, settings, book),
            Series::Sent => uplink(["sent", "sent_expected"], subject, row, &reading, settings, book),
        }
    }
}

/// Tells of a direction of an uplink. Both are of one finding: what befalls a line befalls both.
fn uplink(
    [is, expected_is]: [&'static str; 2],
    subject: Subject,
    (time, value): (Timestamp, f64),
    reading: &Reading,
    settings: &Settings,
    book: &mut Book,
) {
    let Some(since) = reading.since.filter(|_| reading.verdict == Verdict::Shifted) else { return };
    let threshold = |of| settings.thresholds.get(of);
    let hours = i64::try_from(threshold(Threshold::UplinkHours)).unwrap_or(i64::MAX);
    let departs =
        (value - reading.expected).abs() * 100.0 >= reading.expected.abs() * real(threshold(Threshold::UplinkShift));
    if !departs || time.ms_since(since) < hours.saturating_mul(HOUR_MS) {
        return;
    }
    book.report(&Report::new(Kind::UplinkShift, subject, 70, time).since(since), || {
        vec![
            Evidence::new(is, format_args!("{value:.2}")),
            Evidence::new(expected_is, format_args!("{:.2}", reading.expected)),
            Evidence::new("unit", "mbit_per_s"),
            Evidence::new("shifted_since", since),
        ]
    });
}

fn shifted(
    kind: Kind,
    subject: Subject,
    (time, value): (Timestamp, f64),
    reading: &Reading,
    unit: &str,
    book: &mut Book,
) {
    let Some(since) = reading.since.filter(|_| reading.verdict == Verdict::Shifted) else { return };
    book.report(&Report::new(kind, subject, 70, time).since(since), || {
        vec![
            Evidence::new("value", format_args!("{value:.1}")),
            Evidence::new("expected", format_args!("{:.1}", reading.expected)),
            Evidence::new("unit", unit),
            Evidence::new("direction", if value > reading.expected { "above" } else { "below" }),
            Evidence::new("shifted_since", since),
        ]
    });
}
