//! What devices count and probes measure, as numbers for the detectors of levels; and what scans found open.
//!
//! Invariants: errors of a device are those of all its ports since its last sample; where a counter went back, or the ports are not the same,
//! that time says nothing. Bytes are those of ports that lead out of the site: those that are named, else those of default routes. At most [`WAITING_MAX`] numbers wait, the oldest leave first. It does not know what is usual.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_detection::observation::Series;
use onenet_topology::{
    ProbeTest, Timestamp,
    fact::{HistoryBody, HistoryItem, InterfaceSample, NextHop, Scope},
};

/// Numbers that wait for the detectors.
const WAITING_MAX: usize = 4_096;
/// Devices whose counters are remembered.
const DEVICES_MAX: usize = 4_096;
/// Over how long, at least, it is reckoned what an uplink carries, in milliseconds: single samples say little of its level.
const CARRIED_MS: i64 = 290_000;
/// Uplinks of a device that are found by its default routes.
const UPLINKS_MAX: usize = 4;
/// Samples that are further apart, in milliseconds, say nothing of a rate.
const APART_MAX_MS: i64 = 3_600_000;

/// A number that was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) time: Timestamp,
    pub(crate) series: Series,
    /// Of which device, probe or port.
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
    /// Uplinks by name of device and port, where any are named.
    named: Vec<(String, String)>,
    /// Ports that default routes of devices lead through.
    routed: BTreeMap<Scope, Vec<String>>,
    carried: BTreeMap<(Scope, String), Carried>,
}

/// What an uplink's port carried: octets received and sent, as far as they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Carried {
    time: Timestamp,
    octets: [Option<u64>; 2],
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
                    inner.carry(item.time, &item.scope, sample);
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

    /// Judges these uplinks, by device and port; without any, those of default routes.
    pub(crate) fn set_uplinks(&self, named: &[(String, String)]) {
        self.lock().named = named.to_vec();
    }

    /// Takes note of where a device sends packets on to.
    pub(crate) fn routed<'h>(&self, device: &Scope, hops: impl Iterator<Item = &'h NextHop>) {
        let ports = hops.filter(|hop| hop.default_route && !hop.interface.is_empty()).map(|hop| hop.interface.clone());
        let ports: BTreeSet<String> = ports.take(UPLINKS_MAX).collect();
        let mut inner = self.lock();
        if inner.routed.len() < DEVICES_MAX || inner.routed.contains_key(device) {
            inner.routed.insert(device.clone(), ports.into_iter().collect());
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
        let value = real(grew) * 1_000.0 / real(lasted_ms.unsigned_abs());
        self.tell(Number { time: now.time, series: Series::Errors, of: scope.as_str().to_owned(), value });
    }

    /// Takes what a port carried, where it leads out of the site.
    fn carry(&mut self, time: Timestamp, device: &Scope, sample: &InterfaceSample) {
        let port = &sample.name;
        let is_uplink = if self.named.is_empty() {
            self.routed.get(device).is_some_and(|ports| ports.contains(port))
        } else {
            self.named.iter().any(|(of, named)| of == device.as_str() && named == port)
        };
        // Most ports are none, and each is asked about with each poll.
        if !is_uplink {
            return;
        }
        let key = (device.clone(), port.clone());
        if self.carried.len() >= DEVICES_MAX && !self.carried.contains_key(&key) {
            return;
        }
        let now = Carried { time, octets: [sample.in_octets, sample.out_octets] };
        let Some(before) = self.carried.get(&key).copied() else {
            self.carried.insert(key, now);
            return;
        };
        let lasted_ms = time.ms_since(before.time);
        if (0..CARRIED_MS).contains(&lasted_ms) {
            return;
        }
        self.carried.insert(key, now);
        if !(1..=APART_MAX_MS).contains(&lasted_ms) {
            return;
        }
        for (series, way) in [(Series::Received, 0), (Series::Sent, 1)] {
            let octets = |at: &Carried| at.octets.get(way).copied().flatten();
            let grew = octets(&now).zip(octets(&before)).and_then(|(now, before)| now.checked_sub(before));
            let Some(grew) = grew else { continue };
            // Bits in a millisecond are kbit/s.
            let value = real(grew) * 8.0 / real(lasted_ms.unsigned_abs()) / 1_000.0;
            self.tell(Number { time, series, of: format!("{} {port}", device.as_str()), value });
        }
    }

    fn tell(&mut self, number: Number) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(number);
    }
}

/// Returns a count for reckoning.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "octets between two samples are below 2^52")]
const fn real(count: u64) -> f64 {
    count as f64
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

    /// What two ports counted: octets received and sent.
    fn carried(seconds: i64, port: &str, octets: (u64, u64)) -> HistoryItem {
        let (in_octets, out_octets) = (Some(octets.0), Some(octets.1));
        let sample = InterfaceSample { name: port.into(), in_octets, out_octets, ..InterfaceSample::default() };
        HistoryItem { time: at(seconds), scope: Scope::new("r1"), body: HistoryBody::Interface(sample) }
    }

    fn rates(meter: &Meter) -> Vec<(Series, String, f64)> {
        let numbers = meter.numbers().into_iter().filter(|it| it.series != Series::Errors);
        numbers.map(|it| (it.series, it.of, it.value)).collect()
    }

    fn hop(interface: &str, default_route: bool) -> NextHop {
        NextHop { ip: "10.0.0.1".parse().unwrap(), interface: interface.into(), default_route }
    }

    #[test]
    fn bytes_of_the_port_of_a_default_route_are_a_rate_each_way_and_of_other_ports_none() {
        let meter = Meter::default();
        meter.routed(&Scope::new("r1"), [hop("WAN", true), hop("LAN", false), hop("", true)].iter());
        // In five minutes 375 MB and 37.5 MB; then one counter begins again.
        for (seconds, octets) in [
            (0, (5_000, 9_000)),
            (60, (5_500, 9_500)),
            (300, (375_005_000, 37_509_000)),
            (360, (375_006_000, 37_510_000)),
            (600, (100, 75_009_000)),
        ] {
            meter.take(&[carried(seconds, "WAN", octets), carried(seconds, "LAN", octets)]);
        }
        let told = |series, value| (series, "r1 WAN".to_owned(), value);
        assert_eq!(rates(&meter), [told(Series::Received, 10.0), told(Series::Sent, 1.0), told(Series::Sent, 1.0)]);
    }

    #[test]
    fn ports_that_are_named_as_uplinks_are_counted_in_place_of_those_of_default_routes() {
        let meter = Meter::default();
        meter.routed(&Scope::new("r1"), [hop("WAN", true)].iter());
        meter.set_uplinks(&[("r1".into(), "LAN".into()), ("r2".into(), "WAN".into())]);
        for seconds in [0, 300] {
            meter.take(&[carried(seconds, "WAN", (0, 0)), carried(seconds, "LAN", (0, 0))]);
        }
        let told = rates(&meter);
        assert!(told.len() == 2 && told.iter().all(|(_, of, _)| of == "r1 LAN"), "{told:?}");
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
