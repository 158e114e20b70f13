//! Moments that devices have in common: what many are asked for falls due at the same moments, so that whoever asks, hands on and
//! writes is woken once for all of them and not for each. Waking costs more than asking does.
//!
//! Invariants: nothing is moved to an earlier moment, nor by more than [`BEAT_MAX_MS`] and a fifth of the device's shortest interval;
//! no more than about [`TOGETHER_MAX`] devices begin at a moment, and where fewer than two would, each keeps its own. The moments of a
//! longer beat are moments of the shorter ones too, so that devices of different intervals meet. Pure.

use onenet_topology::Timestamp;

/// The shortest beat; the others are twice as long, and so on.
const BEAT_LEAST_MS: i64 = 125;

/// The longest.
const BEAT_MAX_MS: i64 = 2_000;

/// By which part of its shortest interval a device is moved at most.
const SHARE: i64 = 5;

/// How many devices are begun with at a moment: their answers, one of each, fit several times into what a socket holds unless
/// the system was told otherwise (212,992 bytes).
const TOGETHER_MAX: i64 = 64;

/// The distance between two moments, in milliseconds; 0 where each device keeps its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Beat(i64);

impl Beat {
    /// Returns the beat of one of so many devices that are asked every so many milliseconds.
    pub(super) fn of(devices: usize, interval_ms: i64) -> Self {
        let devices = i64::try_from(devices).unwrap_or(i64::MAX).max(1);
        let longest = BEAT_MAX_MS.min(interval_ms / SHARE).min(interval_ms.saturating_mul(TOGETHER_MAX) / devices);
        let doubled = |beat: &i64| beat.checked_mul(2);
        let beats = std::iter::successors(Some(BEAT_LEAST_MS), doubled).take_while(|beat| *beat <= longest);
        let meets_others = |beat: &i64| devices.saturating_mul(*beat) >= interval_ms.saturating_mul(2);
        Self(beats.last().filter(meets_others).unwrap_or(0))
    }

    /// Returns the first moment from this time on.
    pub(super) fn from(self, time: Timestamp) -> Timestamp {
        if self.0 == 0 { time } else { time.plus_ms((-time.unix_ms()).rem_euclid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn devices_meet_where_there_are_enough_of_them_and_not_too_many_at_a_time() {
        let beat = |devices, interval_s: i64| Beat::of(devices, interval_s * 1_000).0;
        assert_eq!([beat(1, 60), beat(50, 60)], [0, 0], "who is polled alone, or nearly, waits for nobody");
        assert_eq!([beat(60, 60), beat(300, 60), beat(300, 10)], [2_000; 3]);
        assert_eq!([beat(3_000, 60), beat(10_000, 60), beat(100_000, 60)], [1_000, 250, 0]);
        assert_eq!(beat(1_000, 1), 0, "an interval of a second leaves no time to wait");
    }

    proptest! {
        #[test]
        fn no_moment_is_before_or_far_behind(devices in 0_usize..200_000, interval_ms in 1_i64..90_000_000, ms in any::<u32>()) {
            let (beat, time) = (Beat::of(devices, interval_ms), Timestamp::from_unix_ms(ms.into()));
            let moved = beat.from(time).ms_since(time);
            prop_assert!((0..=BEAT_MAX_MS.min(interval_ms / SHARE)).contains(&moved), "{beat:?}");
            prop_assert_eq!(beat.from(beat.from(time)), beat.from(time));
            let begun = i64::try_from(devices).unwrap() * beat.0;
            prop_assert!(begun <= TOGETHER_MAX * interval_ms, "{beat:?}");
        }
    }
}
