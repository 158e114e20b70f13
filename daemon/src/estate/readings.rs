//! What the sensors of a site's devices measured last: what metrics tell of them.
//!
//! Invariant: it follows from samples and adds nothing to what the estate says; after a start it is empty until devices are
//! read again. Only what an agent polls has readings, [`SENSORS_MAX`] a device; a reading never gives way to an older one,
//! so that the past, which comes after an outage, does not pass for the present.
//!
//! It does not know which sensors there are, which facts tell, nor what time it is.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use imbl::OrdMap;
use onenet_topology::{
    SensorKind, Timestamp,
    device::Handle,
    fact::{HistoryBody, SensorSample},
};

use super::SampleBlock;

/// Sensors of a device whose readings are held; a chassis with 300 optical modules has 1,500. Of more, the rest has no part
/// in the metrics, and all of it in the API.
const SENSORS_MAX: usize = 2_048;

/// How old a reading may be, in milliseconds, to be the present one: more than the longest pause between two readings of a
/// device that works.
pub(crate) const FRESH_MS: i64 = 2 * 3_600_000;

/// The last readings of the devices of a site. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    devices: OrdMap<Handle, Arc<Vec<Reading>>>,
}

/// What a sensor measured last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// A hash of kind and name: the names are in the facts.
    sensor: u64,
    /// What it measures.
    pub kind: SensorKind,
    /// When.
    pub time: Timestamp,
    /// What, in thousandths of the kind's unit.
    pub value_milli: i64,
}

impl Readings {
    /// Returns what the sensors of a device measured last, as one agent reads them, as far as that is the present.
    pub fn fresh(&self, handle: &Handle, now: Timestamp) -> impl Iterator<Item = &Reading> {
        let all = self.devices.get(handle).map_or(&[][..], |readings| readings.as_slice());
        all.iter().filter(move |it| now.ms_since(it.time) <= FRESH_MS)
    }

    /// Takes in the readings of a batch, as far as they are of devices that are `known`.
    pub(super) fn take(&mut self, block: &SampleBlock, known: impl Fn(&Handle) -> bool) {
        let mut items = block.items.iter().peekable();
        while let Some(first) = items.peek() {
            let scope = first.scope.clone();
            let mut samples = Vec::new();
            while let Some(item) = items.next_if(|item| item.scope == scope) {
                if let HistoryBody::Sensor(sample) = &item.body {
                    samples.push((item.time, sample));
                }
            }
            let handle = Handle { agent: block.agent, scope };
            if !samples.is_empty() && known(&handle) {
                self.add(handle, &samples);
            }
        }
    }

    fn add(&mut self, handle: Handle, samples: &[(Timestamp, &SensorSample)]) {
        let mut readings = self.devices.get(&handle).map(|held| held.as_ref().clone()).unwrap_or_default();
        for (time, sample) in samples {
            let new = Reading { sensor: hash(sample), kind: sample.kind, time: *time, value_milli: sample.value_milli };
            match readings.binary_search_by_key(&new.sensor, |it| it.sensor) {
                Ok(at) => {
                    if let Some(held) = readings.get_mut(at).filter(|held| held.time <= new.time) {
                        *held = new;
                    }
                }
                Err(_) => insert(&mut readings, new),
            }
        }
        self.devices.insert(handle, Arc::new(readings));
    }
}

/// Puts in the first reading of a sensor, when it is full in the place of those that are old.
fn insert(readings: &mut Vec<Reading>, new: Reading) {
    if readings.len() >= SENSORS_MAX {
        readings.retain(|it| new.time.ms_since(it.time) <= FRESH_MS);
    }
    if readings.len() < SENSORS_MAX {
        let at = readings.partition_point(|it| it.sensor < new.sensor);
        readings.insert(at, new);
    }
}

fn hash(sample: &SensorSample) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sample.kind, &sample.name).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use onenet_topology::{
        AgentId, SiteId,
        fact::{HistoryItem, Scope},
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn block(scope: &str, samples: impl IntoIterator<Item = (i64, String, i64)>) -> SampleBlock {
        let item = |(ago_ms, name, value_milli): (i64, String, i64)| HistoryItem {
            time: NOW.plus_ms(-ago_ms),
            scope: Scope::new(scope),
            body: HistoryBody::Sensor(SensorSample { kind: SensorKind::Temperature, name, value_milli }),
        };
        SampleBlock {
            position: 1,
            site: SiteId::from_raw(1),
            agent: AgentId::from_raw(7),
            sequence: 1,
            items: samples.into_iter().map(item).collect(),
            shift_ms: 0,
            uncertain: false,
        }
    }

    fn values(readings: &Readings, scope: &str) -> Vec<i64> {
        let handle = Handle { agent: AgentId::from_raw(7), scope: Scope::new(scope) };
        let mut values: Vec<_> = readings.fresh(&handle, NOW).map(|it| it.value_milli).collect();
        values.sort_unstable();
        values
    }

    #[test]
    fn the_past_that_comes_late_does_not_pass_for_the_present() {
        let mut readings = Readings::default();
        let board = |ago_ms, value| (ago_ms, "board".to_owned(), value);
        readings.take(&block("sw", [board(60_000, 41), board(0, 42)]), |_| true);
        readings.take(&block("sw", [board(3_600_000, 99)]), |_| true);
        assert_eq!(values(&readings, "sw"), [42]);
        readings.take(&block("old", [board(FRESH_MS + 1, 50), (FRESH_MS, "slot".to_owned(), 51)]), |_| true);
        assert_eq!(values(&readings, "old"), [51]);
    }

    #[test]
    fn names_without_end_take_a_bounded_room_that_what_is_read_now_gets_back() {
        let mut readings = Readings::default();
        let many = |first: usize, ago_ms| (first..first + SENSORS_MAX + 5).map(move |at| (ago_ms, format!("{at}"), 1));
        readings.take(&block("sw", many(0, FRESH_MS + 1)), |_| true);
        readings.take(&block("sw", many(100_000, 0)), |_| true);
        assert_eq!(values(&readings, "sw").len(), SENSORS_MAX);
        readings.take(&block("nobody's", many(0, 0)), |_| false);
        assert_eq!(values(&readings, "nobody's"), [0; 0]);
    }
}
