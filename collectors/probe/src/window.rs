//! What one window of time, a minute as a rule, adds up to: percentiles, jitter, loss.
//!
//! Invariant: memory is bounded: of more than [`VALUES_MAX`] round trips every second, fourth, … is kept, evenly over the window.

use onenet_topology::ProbeSample;

/// Round trips that a window keeps.
pub const VALUES_MAX: usize = 2_048;

/// Values, of which percentiles are told.
#[derive(Debug, Clone, Default)]
pub struct Values {
    kept: Vec<u64>,
    /// One in `1 << thinned` values is kept.
    thinned: u32,
    seen: u64,
    least: Option<u64>,
    greatest: Option<u64>,
}

/// Interarrival jitter (RFC 3550, section 6.4.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct Jitter {
    last: Option<i64>,
    differences: u64,
    /// In sixteenths, as the RFC's appendix A.8 keeps it.
    sixteenths: i64,
}

/// A window that is open or waits for its last answers.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// When it began, and when it ends.
    pub began_us: u64,
    /// When the next one begins.
    pub ends_us: u64,
    /// Questions sent.
    pub sent: u64,
    /// Questions that no answer came to in time.
    pub lost: u64,
    /// Answers that came again.
    pub duplicated: u64,
    /// Answers behind the answer to a later question.
    pub reordered: u64,
    /// Losses by direction, as far as the target's numbers tell.
    pub lost_out: u64,
    /// Losses on the way back.
    pub lost_back: u64,
    /// Whether the target numbers its answers.
    pub is_numbered: bool,
    /// Round trips in microseconds.
    pub round_trips: Values,
}

impl Values {
    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.least = Some(self.least.map_or(value, |least| least.min(value)));
        self.greatest = Some(self.greatest.map_or(value, |greatest| greatest.max(value)));
        if self.seen & ((1 << self.thinned) - 1) == 0 {
            if self.kept.len() >= VALUES_MAX {
                let mut place = 0_u32;
                self.kept.retain(|_| {
                    place = place.wrapping_add(1);
                    place % 2 == 1
                });
                self.thinned += 1;
            }
            self.kept.push(value);
        }
        self.seen = self.seen.saturating_add(1);
    }

    /// Returns the least value.
    pub const fn least(&self) -> Option<u64> {
        self.least
    }

    /// Returns the greatest value.
    pub const fn greatest(&self) -> Option<u64> {
        self.greatest
    }

    /// Returns the values that so many in a hundred keep under, by the nearest rank, for each of the given percentages.
    pub fn percentiles<const N: usize>(&self, percent: [usize; N]) -> [Option<u64>; N] {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        percent.map(|percent| {
            let rank = sorted.len().saturating_mul(percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        })
    }
}

impl Jitter {
    /// Takes the transit time of what came next; only differences count, so the clocks at both ends need not agree.
    pub fn take(&mut self, transit_us: i64) {
        if let Some(last) = self.last.replace(transit_us) {
            let difference = transit_us.saturating_sub(last).saturating_abs();
            self.sixteenths += difference - ((self.sixteenths + 8) >> 4);
            self.differences = self.differences.saturating_add(1);
        }
    }

    /// Returns the jitter in microseconds; `None` before two times were taken.
    pub fn us(&self) -> Option<u64> {
        (self.differences > 0).then(|| u64::try_from(self.sixteenths >> 4).unwrap_or(0))
    }
}

impl Window {
    /// Returns the window of this time.
    pub fn new(began_us: u64, ends_us: u64) -> Self {
        Self { began_us, ends_us, ..Self::default() }
    }

    /// Returns what the window adds up to.
    pub fn sample(&self, name: &str) -> ProbeSample {
        let [median, p95] = self.round_trips.percentiles([50, 95]);
        let told = self.is_numbered && self.lost_out + self.lost_back == self.lost;
        ProbeSample {
            name: name.to_owned(),
            interval_ms: self.ends_us.saturating_sub(self.began_us) / 1_000,
            sent: self.sent,
            lost: self.lost,
            duplicated: self.duplicated,
            reordered: self.reordered,
            round_trip_min_us: self.round_trips.least(),
            round_trip_median_us: median,
            round_trip_p95_us: p95,
            round_trip_max_us: self.round_trips.greatest(),
            lost_out: told.then_some(self.lost_out),
            lost_back: told.then_some(self.lost_back),
            ..ProbeSample::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        let mut values = Values::default();
        for value in [50, 10, 40, 20, 30] {
            values.add(value);
        }
        assert_eq!(values.percentiles([50, 95, 100, 1]), [Some(30), Some(50), Some(50), Some(10)]);
        assert_eq!(Values::default().percentiles([50]), [None]);
    }

    #[test]
    fn a_flood_of_values_is_thinned_evenly_and_its_ends_are_exact() {
        let mut values = Values::default();
        for value in 0..100_000 {
            values.add(value);
        }
        assert!(values.kept.len() <= VALUES_MAX);
        let [Some(median), Some(p95)] = values.percentiles([50, 95]) else { panic!("no values") };
        assert!(median.abs_diff(50_000) < 500 && p95.abs_diff(95_000) < 500, "{median} {p95}");
        assert_eq!((values.least(), values.greatest()), (Some(0), Some(99_999)));
    }

    #[test]
    fn jitter_goes_towards_the_differences_of_transit_by_a_sixteenth_each() {
        let (mut steady, mut swinging) = (Jitter::default(), Jitter::default());
        for step in 0..1_000_i64 {
            steady.take(20_000);
            swinging.take(if step % 2 == 0 { 20_000 } else { 24_000 });
        }
        assert_eq!(steady.us(), Some(0));
        let us = swinging.us().unwrap();
        assert!(us.abs_diff(4_000) <= 16, "{us}");
        assert_eq!(Jitter::default().us(), None);
    }

    proptest! {
        #[test]
        fn percentiles_rise_and_lie_between_the_ends(them in vec(0_u64..1_000_000, 1..500)) {
            let mut values = Values::default();
            for value in &them {
                values.add(*value);
            }
            let [a, b] = values.percentiles([50, 95]);
            prop_assert!(values.least() <= a && a <= b && b <= values.greatest());
        }
    }
}
