//! How long to wait for an answer: the retransmission timer of RFC 6298, fed with measured round trips.
//!
//! Invariant: the time-out is always within [`TIMEOUT_MIN`] and [`TIMEOUT_MAX`]. Only round trips of first tries are
//! fed (Karn's rule): an answer to a repeated question cannot be told to belong to which try. It knows no clock.

use std::time::Duration;

/// The time-out before anything was measured (RFC 6298, rule 2.1).
pub(crate) const TIMEOUT_INITIAL: Duration = Duration::from_secs(1);

/// The shortest time-out. Above the round trip of a LAN on purpose: an agent that shares its processor with the
/// control plane stalls for hundreds of milliseconds, and asking again would only load it more.
pub(crate) const TIMEOUT_MIN: Duration = Duration::from_millis(500);

/// The longest time-out: a device that needs more is treated as silent for this question.
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(8);

/// An estimate of a device's round trip and the time-out that follows from it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RttEstimator {
    measured: Option<Smoothed>,
    doublings: u32,
}

#[derive(Debug, Clone, Copy)]
struct Smoothed {
    mean: Duration,
    deviation: Duration,
}

impl RttEstimator {
    /// Takes one measured round trip (RFC 6298, rules 2.2 and 2.3) and ends any back-off.
    pub fn measured(&mut self, round_trip: Duration) {
        let round_trip = round_trip.min(TIMEOUT_MAX);
        self.doublings = 0;
        self.measured = Some(match self.measured {
            None => Smoothed { mean: round_trip, deviation: round_trip / 2 },
            Some(Smoothed { mean, deviation }) => Smoothed {
                deviation: (deviation * 3 + mean.abs_diff(round_trip)) / 4,
                mean: (mean * 7 + round_trip) / 8,
            },
        });
    }

    /// Doubles the next time-out after a question stayed unanswered (rule 5.5).
    pub fn timed_out(&mut self) {
        self.doublings = (self.doublings + 1).min(8);
    }

    /// Ends a back-off without a measurement: something was answered, but it cannot be told to which try.
    pub fn answered(&mut self) {
        self.doublings = 0;
    }

    /// Returns how long to wait for the next answer.
    pub fn timeout(&self) -> Duration {
        (self.plain_timeout() * 2u32.pow(self.doublings)).min(TIMEOUT_MAX)
    }

    /// Returns how long an answer may take as measured, without any back-off.
    pub fn plain_timeout(&self) -> Duration {
        let measured = self.measured.map_or(TIMEOUT_INITIAL, |smoothed| smoothed.mean + smoothed.deviation * 4);
        measured.clamp(TIMEOUT_MIN, TIMEOUT_MAX)
    }

    /// Returns the smoothed round trip, `None` before the first answer.
    pub fn round_trip(&self) -> Option<Duration> {
        self.measured.map(|smoothed| smoothed.mean)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_timeout_follows_a_slow_device_and_comes_back() {
        let mut rtt = RttEstimator::default();
        assert_eq!(rtt.timeout(), TIMEOUT_INITIAL);
        for _ in 0..50 {
            rtt.measured(Duration::from_millis(900));
        }
        let slow = rtt.timeout();
        assert!(slow > Duration::from_millis(900) && slow < Duration::from_millis(1_100), "{slow:?}");
        for _ in 0..80 {
            rtt.measured(Duration::from_millis(2));
        }
        assert_eq!(rtt.timeout(), TIMEOUT_MIN);
    }

    #[test]
    fn silence_doubles_the_timeout_until_an_answer_comes() {
        let mut rtt = RttEstimator::default();
        rtt.measured(Duration::from_millis(10));
        rtt.timed_out();
        assert_eq!(rtt.timeout(), TIMEOUT_MIN * 2);
        rtt.timed_out();
        assert_eq!(rtt.timeout(), TIMEOUT_MIN * 4);
        rtt.answered();
        assert_eq!(rtt.timeout(), TIMEOUT_MIN);
    }

    proptest! {
        #[test]
        fn the_timeout_stays_within_its_bounds(samples in prop::collection::vec((0u64..100_000, any::<bool>()), 0..200)) {
            let mut rtt = RttEstimator::default();
            for (ms, silent) in samples {
                if silent { rtt.timed_out() } else { rtt.measured(Duration::from_millis(ms)) }
                prop_assert!((TIMEOUT_MIN..=TIMEOUT_MAX).contains(&rtt.timeout()));
            }
        }
    }
}
