//! What devices count and probes measure, as numbers for the detectors of levels; and what scans found open.
//!
//! Invariants: errors of a device are those of all its ports since its last sample; where a counter went back, or the ports are not the same,
//! that time says nothing. At most [`WAITING_MAX`] numbers wait, the oldest leave first. It does not know what is usual.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_detection::observation::Series;
use onenet_topology::{
    ProbeTest, Timestamp,
    fact::{HistoryBody, HistoryItem, InterfaceSample, Scope},
};

/// Numbers that wait for the detectors.
const WAITING_MAX: usize = 4_096;
/// Devices whose counters are remembered.
const DEVICES_MAX: usize = 4_096;
/// Samples that are further apart, in milliseconds, say nothing of a rate.
const APART_MAX_MS: i64 = 3_600_000;

/// A number that was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) time: Timestamp,
    pub(crate) series: Series,
    /// Of which device or probe.
    pub(crate) of: String,
    pub(crate) value: f64,
}

/// A port that a scan found open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) time: Timestamp,
    pub(crate) at: SocketAddr,
    /// From which address it was asked.
    pub(crate) client: IpAddr,
    /// By whose leave.
    pub(crate) approval: String,
}

/// Takes samples, and has numbers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Number>,
    open: VecDeque<Open>,
    counted: BTreeMap<Scope, Counted>,
}

/// The errors of a device's ports together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    time: Timestamp,
    ports: u32,
    errors: u64,
}

impl Meter {
    /// Takes samples of one table, or of one probe.
    pub(crate) fn take(&self, items: &[HistoryItem]) {
        let mut inner = self.lock();
        let mut counted: BTreeMap<&Scope, Counted> = BTreeMap::new();
        for item in items {
            match &item.body {
                HistoryBody::Interface(sample) => {
                    let fresh = Counted { time: item.time, ports: 0, errors: 0 };
                    let device = counted.entry(&item.scope).or_insert(fresh);
                    device.ports = device.ports.saturating_add(1);
                    device.errors = device.errors.saturating_add(errors(sample));
                }
                HistoryBody::Probe(sample) if sample.test == ProbeTest::Regular => {
                    let Some(us) = sample.round_trip_median_us else { continue };
                    let value = f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1_000.0;
                    let (series, of) = (Series::RoundTrip, sample.name.clone());
                    inner.tell(Number { time: item.time, series, of, value });
                }
                _ => {}
            }
        }
        for (scope, now) in counted {
            inner.count(scope, now);
        }
    }

    /// Returns what waits.
    pub(crate) fn numbers(&self) -> Vec<Number> {
        self.lock().waiting.drain(..).collect()
    }

    /// Takes what a scan found open.
    pub(crate) fn open(&self, open: Open) {
        let mut inner = self.lock();
        if inner.open.len() >= WAITING_MAX {
            inner.open.pop_front();
        }
        inner.open.push_back(open);
    }

    /// Returns what was found open and waits.
    pub(crate) fn opened(&self) -> Vec<Open> {
        self.lock().open.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, scope: &Scope, now: Counted) {
        if self.counted.len() >= DEVICES_MAX && !self.counted.contains_key(scope) {
            return;
        }
        let Some(before) = self.counted.insert(scope.clone(), now) else { return };
        let lasted_ms = now.time.ms_since(before.time);
        let grew = now.errors.checked_sub(before.errors).filter(|_| now.ports == before.ports);
        let Some(grew) = grew.filter(|_| (1..=APART_MAX_MS).contains(&lasted_ms)) else { return };
        let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let value = number(grew) * 1_000.0 / number(lasted_ms.unsigned_abs());
        self.tell(Number { time: now.time, series: Series::Errors, of: scope.as_str().to_owned(), value });
    }

    fn tell(&mut self, number: Number) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(number);
    }
}

/// Returns the errors and discards of a port, as far as it counts them.
fn errors(sample: &InterfaceSample) -> u64 {
    let counts = [sample.in_errors, sample.out_errors, sample.in_discards, sample.out_discards];
    counts.into_iter().flatten().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use onenet_topology::ProbeSample;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000 + seconds * 1_000)
    }

    fn ports(seconds: i64, errors: &[u64]) -> Vec<HistoryItem> {
        let port = |(number, errors): (usize, &u64)| HistoryItem {
            time: at(seconds),
            scope: Scope::new("sw-1"),
            body: HistoryBody::Interface(InterfaceSample {
                name: format!("GE0/{number}"),
                in_errors: Some(*errors),
                ..InterfaceSample::default()
            }),
        };
        errors.iter().enumerate().map(port).collect()
    }

    #[test]
    fn errors_of_all_ports_become_a_rate_and_a_counter_that_went_back_says_nothing() {
        let meter = Meter::default();
        for (seconds, errors) in
            [(0, &[5, 0][..]), (60, &[65, 60]), (120, &[0, 60]), (180, &[0, 60, 1]), (240, &[6, 60, 1])]
        {
            meter.take(&ports(seconds, errors));
        }
        let rates: Vec<_> = meter.numbers().iter().map(|it| (it.time, it.value)).collect();
        assert_eq!(rates, [(at(60), 2.0), (at(240), 0.1)]);
        assert!(meter.numbers().is_empty(), "they are told once");
    }

    #[test]
    fn the_median_round_trip_of_what_a_probe_asks_all_the_time_is_a_number_and_a_test_is_none() {
        let meter = Meter::default();
        let sample = ProbeSample { name: "parent".into(), round_trip_median_us: Some(8_500), ..ProbeSample::default() };
        let test = ProbeSample { test: ProbeTest::Media, ..sample.clone() };
        let lost = ProbeSample { round_trip_median_us: None, ..sample.clone() };
        for sample in [sample, test, lost] {
            meter.take(&[HistoryItem { time: at(0), scope: Scope::new(""), body: HistoryBody::Probe(sample) }]);
        }
        let number = Number { time: at(0), series: Series::RoundTrip, of: "parent".into(), value: 8.5 };
        assert_eq!(meter.numbers(), [number]);
    }

    #[test]
    fn numbers_that_nobody_takes_take_a_bounded_room() {
        let meter = Meter::default();
        for seconds in 0..10_000 {
            meter.take(&ports(seconds, &[0]));
        }
        assert_eq!(meter.numbers().len(), WAITING_MAX);
    }
}
