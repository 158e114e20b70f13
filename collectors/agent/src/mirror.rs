//! Holds what is captured on an interface against what the mirrored ports of the switch counted.
//!
//! Invariants: captured and counted bytes are compared over the same time, of at least [`WINDOW_MS`], between readings that both have; a
//! counter that went back begins the time anew. Memory is bounded: [`READINGS_MAX`] readings a port, only of ports that are named.
//! Time is that of the readings.
//!
//! It does not know how a switch mirrors: a port counts whatever it received and sent, and so must the mirror show both.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use onenet_topology::{
    Timestamp,
    fact::{CaptureSample, HistoryBody, HistoryItem},
};

use crate::config::MirrorConfig;

/// The least time that is compared: bursts at its ends weigh little then.
const WINDOW_MS: i64 = 900_000;
/// Readings that are kept of a counter: two windows at the shortest interval.
const READINGS_MAX: usize = 256;
/// The least that has to be counted or captured, in bytes, to be judged.
const JUDGED_FROM_OCTETS: u64 = 10_000_000;
/// By how much of the greater one both may differ, in a hundred: counters are read at other moments than capture is sampled, and
/// switches count frames that they do not mirror (pauses, errors, what they discard).
const DIFFERENCE_MAX_PERCENT: u64 = 20;
/// The checksum at a frame's end: ports count it, capture does not see it.
const CHECKSUM_OCTETS: u64 = 4;

/// The mirrors of an agent. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mirrors(Arc<Mutex<Vec<Mirror>>>);

/// One interface and what is mirrored to it.
#[derive(Debug)]
struct Mirror {
    config: MirrorConfig,
    captured: Readings,
    /// Of each port, in the order of the configuration.
    counted: Vec<Readings>,
    verdict: Option<String>,
}

/// A counter that was read now and then, the oldest reading first.
#[derive(Debug, Default)]
struct Readings(VecDeque<(Timestamp, u64)>);

impl Mirrors {
    /// Compares these from now on; what is the same goes on.
    pub(crate) fn set(&self, configs: &[MirrorConfig]) {
        let mut mirrors = self.lock();
        let mut before = std::mem::take(&mut *mirrors);
        for config in configs {
            let known = before.iter().position(|it| it.config == *config);
            mirrors.push(known.map_or_else(|| Mirror::new(config), |at| before.swap_remove(at)));
        }
    }

    /// Takes what ports of devices counted.
    pub(crate) fn polled(&self, items: &[HistoryItem]) {
        let mut mirrors = self.lock();
        if mirrors.is_empty() {
            return;
        }
        for item in items {
            let HistoryBody::Interface(sample) = &item.body else { continue };
            let Some(octets) = sample.in_octets.zip(sample.out_octets) else { continue };
            for mirror in mirrors.iter_mut().filter(|it| it.config.device == item.scope.as_str()) {
                mirror.counted(&sample.name, item.time, octets.0.saturating_add(octets.1));
            }
        }
    }

    /// Takes what was captured on an interface so far. Returns how it differs from what the mirrored ports counted, as it was judged
    /// last.
    pub(crate) fn captured(&self, interface: &str, time: Timestamp, sample: &CaptureSample) -> Option<String> {
        let mut mirrors = self.lock();
        let mirror = mirrors.iter_mut().find(|it| it.config.interface == interface)?;
        let octets = sample.octets_seen.saturating_add(sample.frames_seen.saturating_mul(CHECKSUM_OCTETS));
        mirror.captured(time, octets);
        mirror.verdict.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Mirror>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mirror {
    fn new(config: &MirrorConfig) -> Self {
        let counted = config.ports.iter().map(|_| Readings::default()).collect();
        Self { config: config.clone(), captured: Readings::default(), counted, verdict: None }
    }

    fn counted(&mut self, port: &str, time: Timestamp, octets: u64) {
        let ports = self.config.ports.iter().zip(&mut self.counted);
        for (_, readings) in ports.filter(|(name, _)| *name == port) {
            readings.add(time, octets);
        }
    }

    fn captured(&mut self, time: Timestamp, octets: u64) {
        self.captured.add(time, octets);
        self.judge();
    }

    /// Compares once a window has passed of which everybody has readings.
    fn judge(&mut self) {
        let all = || std::iter::once(&self.captured).chain(&self.counted);
        let (Some(from), Some(until)) =
            (all().filter_map(Readings::first).max(), all().filter_map(Readings::last).min())
        else {
            return;
        };
        let complete = all().all(|readings| readings.first().is_some());
        if !complete || until.ms_since(from) < WINDOW_MS {
            return;
        }
        let Some(captured) = self.captured.between(from, until) else { return };
        let counted =
            self.counted.iter().filter_map(|readings| readings.between(from, until)).fold(0, u64::saturating_add);
        self.verdict = self.difference(captured, counted, until.ms_since(from));
        self.captured.forget_before(until);
        self.counted.iter_mut().for_each(|readings| readings.forget_before(until));
    }

    /// Returns in words how both differ, where they do.
    fn difference(&self, captured: u64, counted: u64, ms: i64) -> Option<String> {
        let greater = captured.max(counted);
        let percent = captured.abs_diff(counted).saturating_mul(100) / greater.max(1);
        if greater < JUDGED_FROM_OCTETS || percent <= DIFFERENCE_MAX_PERCENT {
            return None;
        }
        let MirrorConfig { interface, device, ports } = &self.config;
        let remedy = if captured < counted {
            "check that both directions of each are mirrored, and that the mirror's port is not slower than they are together"
        } else {
            "check [[capture.mirrors]]: more is mirrored than it says, or the same frames twice"
        };
        Some(format!(
            "in {} minutes {} MB came to {interface}, while {} of {device} counted {} MB: {remedy}",
            ms / 60_000,
            captured / 1_000_000,
            ports.join(", "),
            counted / 1_000_000
        ))
    }
}

impl Readings {
    /// Takes a reading; one from before the last, or the same again, is none.
    fn add(&mut self, time: Timestamp, value: u64) {
        if let Some((last, before)) = self.0.back() {
            if time <= *last {
                return;
            }
            if value < *before {
                // It began anew.
                self.0.clear();
            }
        }
        if self.0.len() >= READINGS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((time, value));
    }

    fn first(&self) -> Option<Timestamp> {
        self.0.front().map(|(time, _)| *time)
    }

    fn last(&self) -> Option<Timestamp> {
        self.0.back().map(|(time, _)| *time)
    }

    /// Returns by how much it grew between two moments that it has readings around.
    fn between(&self, from: Timestamp, until: Timestamp) -> Option<u64> {
        Some(self.at(until)?.saturating_sub(self.at(from)?))
    }

    /// Returns the value at a moment, on the line between the readings around it.
    fn at(&self, time: Timestamp) -> Option<u64> {
        let behind = self.0.partition_point(|(read, _)| *read < time);
        let (after, value_after) = *self.0.get(behind)?;
        if after == time {
            return Some(value_after);
        }
        let (before, value_before) = *self.0.get(behind.checked_sub(1)?)?;
        let span = u128::try_from(after.ms_since(before)).ok().filter(|span| *span > 0)?;
        let passed = u128::try_from(time.ms_since(before)).ok()?;
        let grown = u128::from(value_after.saturating_sub(value_before)).saturating_mul(passed) / span;
        Some(value_before.saturating_add(u64::try_from(grown).unwrap_or(u64::MAX)))
    }

    /// Forgets what is not needed to tell of `time` and later.
    fn forget_before(&mut self, time: Timestamp) {
        while self.0.get(1).is_some_and(|(read, _)| *read <= time) {
            self.0.pop_front();
        }
        // From here on it is compared anew.
        if let Some(value) = self.at(time)
            && let Some(front) = self.0.front_mut()
        {
            *front = (time, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::fact::{InterfaceSample, Scope};

    use super::*;

    const MB: u64 = 1_000_000;

    fn config() -> MirrorConfig {
        MirrorConfig {
            interface: "eth1".to_owned(),
            device: "core".to_owned(),
            ports: vec!["gi1".to_owned(), "gi2".to_owned()],
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000 + second * 1_000)
    }

    /// Plays so many seconds: ports that are polled each 60 s and grow by `port` bytes a second each, and a capture that is sampled each
    /// 70 s and grows by `capture` bytes a second. Returns what was said, sample by sample.
    fn play(mirrors: &Mirrors, seconds: std::ops::Range<i64>, port: u64, capture: u64) -> Vec<Option<String>> {
        let mut said = Vec::new();
        for second in seconds {
            let passed = u64::try_from(second).unwrap();
            if second % 60 == 0 {
                let sample = |name: &str| HistoryItem {
                    time: at(second),
                    scope: Scope::new("core"),
                    body: HistoryBody::Interface(InterfaceSample {
                        name: name.to_owned(),
                        in_octets: Some(passed * port / 4),
                        out_octets: Some(passed * port * 3 / 4),
                        ..InterfaceSample::default()
                    }),
                };
                mirrors.polled(&[sample("gi1"), sample("gi2"), sample("gi3")]);
            }
            if second % 70 == 0 {
                // A thousand bytes a frame, of which capture does not see four.
                let frames_seen = passed * capture / 1_000;
                let octets_seen = frames_seen * 996;
                let sample = CaptureSample { frames_seen, octets_seen, ..CaptureSample::default() };
                said.push(mirrors.captured("eth1", at(second), &sample));
            }
        }
        said
    }

    fn mirrors() -> Mirrors {
        let mirrors = Mirrors::default();
        mirrors.set(&[config()]);
        mirrors
    }

    #[test]
    fn what_both_tell_alike_is_no_matter_and_one_direction_less_is_said_after_a_window() {
        assert!(play(&mirrors(), 0..7_200, 5 * MB, 10 * MB).iter().all(Option::is_none));
        let said = play(&mirrors(), 0..1_800, 5 * MB, 5 * MB);
        let first = said.iter().position(Option::is_some).unwrap();
        assert!((12..=16).contains(&first), "after {first} samples");
        let text = said[first].as_deref().unwrap();
        assert!(text.contains("eth1, while gi1, gi2 of core counted") && text.contains("both directions"), "{text}");
        assert!(said[first..].iter().all(Option::is_some));
        let twice = play(&mirrors(), 0..1_800, 5 * MB, 20 * MB);
        assert!(twice.last().unwrap().as_deref().unwrap().contains("more is mirrored"));
    }

    #[test]
    fn a_difference_that_ends_is_taken_back_and_counters_that_begin_anew_are_none() {
        let mirrors = mirrors();
        assert!(play(&mirrors, 0..1_800, 5 * MB, 5 * MB).last().unwrap().is_some());
        // Both restart: what the first samples say is smaller than before.
        let later = |seconds| play(&mirrors, seconds, MB, 2 * MB);
        let said = later(1_800..4_200);
        assert_eq!(said.last().unwrap(), &None, "{said:?}");
    }

    #[test]
    fn too_little_and_what_was_not_polled_is_not_judged() {
        assert!(play(&mirrors(), 0..3_600, 1_000, 0).iter().all(Option::is_none));
        let mirrors = mirrors();
        for minute in 0..60 {
            let octets_seen = u64::try_from(minute).unwrap() * 100 * MB;
            let sample = CaptureSample { octets_seen, ..CaptureSample::default() };
            assert_eq!(mirrors.captured("eth1", at(minute * 60), &sample), None);
            assert_eq!(mirrors.captured("eth2", at(minute * 60), &sample), None);
        }
    }

    #[test]
    fn readings_are_bounded_and_a_setting_that_stays_keeps_them() {
        let mirrors = mirrors();
        for second in 0..2_000 {
            let sample = CaptureSample { octets_seen: second.try_into().unwrap(), ..CaptureSample::default() };
            mirrors.captured("eth1", at(second), &sample);
        }
        assert_eq!(mirrors.lock()[0].captured.0.len(), READINGS_MAX);
        mirrors.set(&[config()]);
        assert_eq!(mirrors.lock()[0].captured.0.len(), READINGS_MAX);
        mirrors.set(&[]);
        assert!(mirrors.lock().is_empty());
    }
}
