//! Whether answers come so fast that it pays to let them gather. Pure.
//!
//! Invariant: a device that is polled alone never waits for others; whether there are others, the last tenth of a second
//! tells.

use std::time::{Duration, Instant};

/// How long answers gather while so many come that the system hands them over in full lots.
const GATHER: Duration = Duration::from_millis(3);

/// How long they gather while a lot is not filled: a wake-up costs as much as reading an answer, and a walk waits for each of
/// its answers no longer than a device on a slow line lets it wait.
const GATHER_LONGER: Duration = Duration::from_millis(10);

/// Over this time answers are counted.
const WINDOW: Duration = Duration::from_millis(100);

/// With as many answers in a window it begins to pay: one in two milliseconds.
const MANY: usize = 50;

/// With fewer it no longer does.
const FEW: usize = 25;

/// Counts answers.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    answers: usize,
    is_busy: bool,
    /// How many came last.
    last: usize,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, answers: 0, is_busy: false, last: 0 }
    }

    /// Returns how long answers are to gather, where a lot is so many.
    pub(super) const fn gathers_for(&self, lot: usize) -> Duration {
        if self.last < lot { GATHER_LONGER } else { GATHER }
    }

    /// Takes note of answers. Returns whether the next ones may gather.
    pub(super) fn note(&mut self, answers: usize, now: Instant) -> bool {
        self.answers += answers;
        self.last = answers;
        if self.answers >= MANY && !self.is_busy {
            self.is_busy = true;
        } else if now.saturating_duration_since(self.began) < WINDOW {
            return self.is_busy;
        } else if self.answers < FEW {
            self.is_busy = false;
        }
        (self.began, self.answers) = (now, 0);
        self.is_busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn answers_gather_while_many_come_and_not_before_or_after() {
        let begin = clock::monotonic_now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut pace = Pace::new(begin);
        let lone = (0..100).any(|number| pace.note(1, at(number * 10)));
        assert!(!lone, "a hundred a second");
        let many = (0..100).filter(|number| pace.note(1, at(1_000 + number))).count();
        assert!(many > 40, "a thousand a second, from the fiftieth on: {many}");
        assert!(pace.note(0, at(1_100)));
        pace.note(0, at(1_300));
        assert!(!pace.note(0, at(1_500)), "a tenth of a second without any");
    }

    #[test]
    fn answers_that_fill_a_lot_are_taken_sooner() {
        let now = clock::monotonic_now();
        let mut pace = Pace::new(now);
        pace.note(15, now);
        assert_eq!(pace.gathers_for(16), GATHER_LONGER);
        pace.note(16, now);
        assert_eq!(pace.gathers_for(16), GATHER);
    }
}
