//! How much a device is spared that answers more slowly than it used to.
//!
//! Invariants: what is usual follows the device slowly, and next to not at all while it is slow, so that a loaded device is not
//! taken for one that always was; the sparing has a bound, and ends by itself when the device is as quick as before. Pure.

use std::time::Duration;

/// A device is slow when an answer takes so many times the usual, and at least so much longer.
const SLOW_TIMES: u64 = 4;
const SLOW_LEAST_US: u64 = 20_000;

/// It has recovered when an answer takes no more than so many times the usual.
const RECOVERED_TIMES: u64 = 2;

/// How far intervals are stretched at most.
const STRETCH_MAX: u32 = 8;

/// What is usual moves by one part in this many with each cycle, and in as many times that while the device is slow.
const FOLLOW: u64 = 32;
const FOLLOW_SLOW: u64 = 1_024;

/// How quick a device is, and how much it is spared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    usual_us: Option<u64>,
    doublings: u32,
}

impl Pace {
    /// Takes the round trip of a cycle.
    pub(super) fn measured(&mut self, round_trip: Duration) {
        let now_us = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX / 8).min(u64::MAX / 8);
        let usual_us = *self.usual_us.get_or_insert(now_us);
        let slow = now_us > usual_us.saturating_mul(SLOW_TIMES).max(usual_us + SLOW_LEAST_US);
        let recovered = now_us <= usual_us.saturating_mul(RECOVERED_TIMES).max(usual_us + SLOW_LEAST_US);
        if slow {
            self.doublings = (self.doublings + 1).min(STRETCH_MAX.ilog2());
        } else if recovered {
            self.doublings = self.doublings.saturating_sub(1);
        }
        let follow = if slow { FOLLOW_SLOW } else { FOLLOW };
        let moved = usual_us.abs_diff(now_us) / follow;
        self.usual_us = Some(if now_us > usual_us { usual_us + moved } else { usual_us - moved });
    }

    /// Returns how many times as long dear intervals are: 1 when the device is as quick as ever.
    pub(super) fn stretch(self) -> u32 {
        1 << self.doublings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(pace: &mut Pace, trips_ms: &[u64]) -> u32 {
        for ms in trips_ms {
            pace.measured(Duration::from_millis(*ms));
        }
        pace.stretch()
    }

    #[test]
    fn a_device_that_slows_is_spared_more_and_more_and_no_longer_when_it_recovers() {
        let mut pace = Pace::default();
        assert_eq!(after(&mut pace, &[10, 11, 9, 10, 25]), 1, "a little slower is nothing");
        assert_eq!(after(&mut pace, &[200]), 2);
        assert_eq!(after(&mut pace, &[200; 20]), 8);
        assert_eq!(after(&mut pace, &[12]), 4);
        assert_eq!(after(&mut pace, &[12; 3]), 1);
    }

    #[test]
    fn a_distant_device_is_no_slow_one_and_neither_is_a_quick_one_that_doubles() {
        assert_eq!(after(&mut Pace::default(), &[400, 420, 390, 700, 400]), 1);
        assert_eq!(after(&mut Pace::default(), &[1, 1, 8, 1]), 1);
    }

    proptest! {
        #[test]
        fn the_stretch_is_bounded_and_ends(trips_ms in prop::collection::vec(0u64..20_000, 1..200)) {
            let mut pace = Pace::default();
            for ms in &trips_ms {
                pace.measured(Duration::from_millis(*ms));
                prop_assert!((1..=STRETCH_MAX).contains(&pace.stretch()));
            }
            prop_assert_eq!(after(&mut pace, &[0; 4]), 1);
        }
    }
}
