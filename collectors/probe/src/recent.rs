//! The last few questions: whether a way comes and goes, before a whole minute can be reviewed.
//!
//! Invariant: what was lost counts by when it was asked, although it is known later than that later ones were answered. Memory
//! is [`ASKED`] results.

/// Questions that are looked at.
const ASKED: usize = 28;
/// So many lost of so many that were asked last make a way bad. At a loss of one in a hundred any would come about once in
/// some months at a question a second. A line that comes and goes each second has the first after seven questions; the second is
/// for one whose turns fall near the moments when it is asked; the third for a closer look, at which four are asked a second,
/// of which three at least see whether the line is there. Of what was asked at the even pace it says nothing: so much is not
/// asked within its time.
const BAD: [(usize, usize, u64); 3] = [(4, 7, u64::MAX), (5, 12, u64::MAX), (7, ASKED, CLOSER_US)];
/// How long a closer look is looked at, in microseconds: the last two seconds of it have no losses yet.
const CLOSER_US: u64 = 7_000_000;
/// So many times it has to be lost anew: one gap of some seconds, while ways are chosen anew, is over before anybody looks.
const GAPS: usize = 3;
/// From the first loss to the last at least, in microseconds: less is a hiccup, however often was asked meanwhile.
const SPAN_US: u64 = 4_000_000;

/// What came of the last few questions.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// When it was asked, and whether it is lost; by when it was asked.
    results: Vec<(u64, bool)>,
}

/// How much is lost of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsteady {
    /// When the first of them was asked that is lost.
    pub since_us: u64,
    /// How many are lost.
    pub lost: u32,
    /// Of how many.
    pub asked: u32,
}

impl Recent {
    /// Takes what came of a question that was sent at this time.
    pub fn take(&mut self, asked_us: u64, lost: bool) {
        let place = self.results.partition_point(|(at, _)| *at <= asked_us);
        self.results.insert(place, (asked_us, lost));
        if self.results.len() > ASKED {
            self.results.remove(0);
        }
    }

    /// Forgets all of it.
    pub fn clear(&mut self) {
        self.results.clear();
    }

    /// Returns how much is lost, where that is much, and with answers in between.
    pub fn unsteady(&self) -> Option<Unsteady> {
        let (newest_us, _) = self.results.last()?;
        BAD.iter().find_map(|(bad, asked, within_us)| {
            let last = &self.results[self.results.len().saturating_sub(*asked)..];
            let begins = last.partition_point(|(at, _)| at.saturating_add(*within_us) < *newest_us);
            let last = &last[begins..];
            let lost = last.iter().filter(|(_, lost)| *lost).count();
            let (since_us, _) = last.iter().find(|(_, lost)| *lost)?;
            let (until_us, _) = last.iter().rfind(|(_, lost)| *lost)?;
            let lasts = until_us.saturating_sub(*since_us) >= SPAN_US;
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            (lost >= *bad && gaps(last) >= GAPS && lasts).then(|| Unsteady {
                since_us: *since_us,
                lost: count(lost),
                asked: count(last.len()),
            })
        })
    }
}

/// Returns how many times it was lost anew.
fn gaps(results: &[(u64, bool)]) -> usize {
    let begins = results.windows(2).filter(|pair| matches!(pair, [(_, false), (_, true)])).count();
    begins + usize::from(results.first().is_some_and(|(_, lost)| *lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// The results of a line of questions, so long after each other: `.` is an answer, `x` a loss.
    fn paced(line: &str, interval_us: u64) -> Option<Unsteady> {
        let mut recent = Recent::default();
        for (number, result) in (0..).zip(line.chars()) {
            recent.take(100 * SECOND + number * interval_us, result == 'x');
        }
        recent.unsteady()
    }

    /// The results of questions a second.
    fn after(line: &str) -> Option<Unsteady> {
        paced(line, SECOND)
    }

    #[test]
    fn much_loss_with_answers_in_between_is_unsteady_and_one_gap_is_not() {
        assert_eq!(after("....xxxx...."), None, "one gap");
        assert_eq!(after("xxxx..x....."), None, "two gaps");
        assert_eq!(after("x..x..x..x.."), None, "a third is for the review");
        assert_eq!(after("....x.x.x"), None, "three are few");
        assert_eq!(after("....x.x.x.x"), Some(Unsteady { since_us: 104 * SECOND, lost: 4, asked: 7 }));
        assert_eq!(after("x.xx.x"), Some(Unsteady { since_us: 100 * SECOND, lost: 4, asked: 6 }), "as soon as that");
        assert_eq!(after("xx..x..xx"), Some(Unsteady { since_us: 100 * SECOND, lost: 5, asked: 9 }), "slower");
        assert_eq!(after("x..xx..x"), None, "four of eight");
        assert_eq!(after("x.x.x.x.x............"), None, "long ago");
        assert_eq!(paced("x.x.x.x.x", SECOND / 10), None, "a hiccup");
        let closer = Unsteady { since_us: 100 * SECOND, lost: 7, asked: 17 };
        assert_eq!(paced("xxx.....xxx.....x", SECOND / 4), Some(closer), "at a closer look");
    }

    #[test]
    fn the_order_in_which_results_are_known_does_not_matter() {
        let (mut recent, mut sorted) = (Recent::default(), Recent::default());
        for at in [2, 4, 1, 6, 3, 8, 5, 10, 7, 9] {
            recent.take(at * SECOND, at % 2 == 1);
        }
        for at in 1..=10 {
            sorted.take(at * SECOND, at % 2 == 1);
        }
        assert_eq!(recent.unsteady(), sorted.unsteady());
        assert_eq!(recent.unsteady(), Some(Unsteady { since_us: SECOND, lost: 5, asked: 10 }));
    }
}
