//! The clock of a device's v3 engine against ours (RFC 3414, section 2.2): one that runs wrong refuses good messages sooner or
//! later, as outside of its time window.
//!
//! Invariant: pure; only values that an authenticated message brought are given to it. A new start of the engine begins anew.

use std::time::{Duration, Instant};

/// How far the two may be apart before it shows: both are in whole seconds, and answers may be late.
const TOLERANCE: Duration = Duration::from_secs(10);

/// And beyond that a part of the time between, for a crystal that is far off.
const TOLERANCE_PARTS: u32 = 50;

/// A reading of an engine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineTime {
    /// snmpEngineBoots.
    pub boots: u32,
    /// snmpEngineTime, in seconds.
    pub seconds: u32,
}

/// What is known of how an engine's clock runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EngineClock {
    first: Option<(EngineTime, Instant)>,
    /// What the engine's clock has run, and what ours has, when they last differed too much.
    apart: Option<(i64, u64)>,
}

impl EngineClock {
    /// Takes a reading at `now`.
    pub(crate) fn read(&mut self, time: EngineTime, now: Instant) {
        let Some((first, then)) = self.first.filter(|(first, _)| time.boots == first.boots) else {
            // Boots never go back, whatever happens to an engine.
            let back = self.first.is_some_and(|(first, _)| time.boots < first.boots);
            self.apart = back.then_some((i64::from(time.seconds), 0));
            self.first = Some((time, now));
            return;
        };
        let ours = now.saturating_duration_since(then);
        let ran = i64::from(time.seconds) - i64::from(first.seconds);
        let theirs = Duration::from_secs(u64::try_from(ran).unwrap_or(0));
        let apart = theirs.abs_diff(ours) > TOLERANCE + ours / TOLERANCE_PARTS;
        self.apart = (ran < 0 || apart).then_some((ran, ours.as_secs()));
    }

    /// Returns what to tell of the clock; `None` when it runs as it should.
    pub(crate) fn drift(&self) -> Option<String> {
        let (ran, ours) = self.apart?;
        Some(format!(
            "the clock of its SNMPv3 engine ran {ran} s in {ours} s: correct the device's time keeping or firmware"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(readings: &[(u64, u32, u32)]) -> Option<String> {
        let start = crate::clock::monotonic_now();
        let mut clock = EngineClock::default();
        for (at, boots, seconds) in readings {
            clock.read(EngineTime { boots: *boots, seconds: *seconds }, start + Duration::from_secs(*at));
        }
        clock.drift()
    }

    #[test]
    fn a_clock_that_runs_as_ours_is_no_news_and_neither_is_a_restart() {
        assert_eq!(drift(&[(0, 3, 100), (300, 3, 404), (600, 3, 695)]), None);
        assert_eq!(drift(&[(0, 3, 10_000), (300, 4, 20), (600, 4, 321)]), None);
    }

    #[test]
    fn a_clock_that_runs_fast_slow_or_back_is_told_with_numbers() {
        let told = drift(&[(0, 3, 100), (300, 3, 700)]).unwrap();
        assert!(told.contains("ran 600 s in 300 s"), "{told}");
        assert!(drift(&[(0, 3, 100), (300, 3, 130)]).is_some());
        assert!(drift(&[(0, 3, 100), (300, 3, 40)]).is_some());
        assert!(drift(&[(0, 3, 100), (300, 2, 400)]).is_some(), "boots went back");
    }

    #[test]
    fn a_clock_that_is_right_again_is_told_no_longer() {
        assert_eq!(drift(&[(0, 3, 100), (300, 3, 700), (600, 3, 700)]), None);
    }
}
