//! Whether to look closer: to ask more often for a while, because an answer stays out that usually comes at once.
//!
//! Questions at an even pace do not see a line that comes and goes at that very pace: chance decides what is lost. Those
//! in between fall on other moments, and count only for whether a way comes and goes: what is measured over a window is
//! asked at its even pace, bad times as often as good ones (RFC 2330, section 11.1).

/// A closer look asks so many times as often.
pub const CLOSER: u64 = 4;

/// How long it is looked closer after an answer stayed out: as long as such a way needs to show what it does.
const CLOSER_US: u64 = 12_000_000;

/// When answers come, and until when it is looked closer.
#[derive(Debug, Clone, Default)]
pub struct CloserLook {
    /// The round trip of the last answer.
    usual_us: Option<u64>,
    until_us: u64,
}

impl CloserLook {
    /// Takes how long an answer took.
    pub const fn answered(&mut self, round_trip_us: u64) {
        self.usual_us = Some(round_trip_us);
    }

    /// Returns whether to ask once more, `waited_us` after the last question, which is `unanswered` or not.
    pub fn is_wanted(&mut self, now_us: u64, waited_us: u64, unanswered: bool) -> bool {
        // Where an answer takes long anyway, that there is none says nothing yet.
        if unanswered && self.usual_us.is_some_and(|usual| usual <= waited_us / 2) {
            self.until_us = now_us.saturating_add(CLOSER_US);
        }
        now_us < self.until_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: u64 = 250_000;

    #[test]
    fn an_answer_that_stays_out_is_looked_at_closer_for_a_while() {
        let mut look = CloserLook::default();
        look.answered(9_000);
        assert!(!look.is_wanted(QUARTER, QUARTER, false));
        assert!(look.is_wanted(3 * QUARTER, QUARTER, true));
        assert!(look.is_wanted(5 * QUARTER, QUARTER, false), "answered again: does it stay?");
        assert!(!look.is_wanted(3 * QUARTER + CLOSER_US, QUARTER, false), "it did");
    }

    #[test]
    fn slow_answers_and_a_target_that_never_answered_are_asked_at_their_pace() {
        let mut look = CloserLook::default();
        assert!(!look.is_wanted(QUARTER, QUARTER, true));
        look.answered(300_000);
        assert!(!look.is_wanted(3 * QUARTER, QUARTER, true), "by satellite");
    }
}
