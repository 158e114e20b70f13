//! From results to a state, with damping.
//!
//! | from | to | when |
//! |---|---|---|
//! | unknown, down | up (or degraded, where something is wrong with the answer) | so many answers in a row |
//! | any | down | so many questions in a row without an answer |
//! | down | down, for another reason | as many in a row that were lost for the same other reason |
//! | up | degraded | of the last dozen, five are lost over some seconds and it came back in between; over a review, too many are lost or more than half come too late; or something is wrong with the answer |
//! | degraded | up | so many good answers in a row that they would be no chance at the former loss; two reviews in a row were good; or nothing is wrong with the answer any more |
//!
//! Invariant: a state holds since its first evidence: the first question that stayed without an answer, the first that was
//! answered again, the beginning of the review. A state never holds since before the one that it replaces.

use onenet_topology::ProbeState;

use crate::recent::{Recent, Unsteady};

/// Results that a review needs: fewer say nothing about a share.
const REVIEW_RESULTS_MIN: u64 = 10;

/// Good reviews in a row after which a way is no longer degraded.
const GOOD_REVIEWS: u32 = 2;

/// Good answers in a row after which a way may no longer be degraded, however bad it was.
const RECOVERY_MIN: u32 = 10;

/// A run of good answers is no chance when it would come about less often than this at the loss that there was.
const CHANCE: f64 = 0.01;

/// What is too bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Questions in a row without an answer that make it down.
    pub down_after: u32,
    /// Answers in a row that make it up.
    pub up_after: u32,
    /// Loss in thousandths from which on it is degraded.
    pub loss_milli: u64,
    /// Round trip in microseconds over which an answer is late.
    pub round_trip_us: u64,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It was answered.
    Answered {
        /// How long that took.
        round_trip_us: u64,
        /// What is wrong with the answer.
        problem: Option<&'a str>,
    },
    /// No answer came in time, or one that says no.
    Lost {
        /// What happened.
        why: &'a str,
    },
}

/// A state, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: ProbeState,
    /// Since when, on the clock of the questions.
    pub since_us: u64,
    /// Why; empty where all is well.
    pub detail: String,
}

/// Judges one target.
#[derive(Debug, Clone)]
pub struct Judge {
    rules: Rules,
    verdict: Verdict,
    lost_in_a_row: Run,
    /// While it is down: for what else the last questions were lost, all of them for the same.
    lost_otherwise: Option<Otherwise>,
    good_in_a_row: Run,
    /// The newest question that was answered: one from before it that is lost says nothing of the way now.
    answered_us: Option<u64>,
    tally: Tally,
    recent: Recent,
    good_reviews: u32,
    /// Answers in a row that came in time.
    timely_in_a_row: Run,
    /// Results that were bad at the last bad review, in thousandths.
    bad_milli: u32,
    /// Whether it is degraded for what is wrong with the answer, rather than for its quality.
    by_problem: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Run {
    length: u32,
    began_us: u64,
}

/// A reason, and how many questions in a row were lost for it.
#[derive(Debug, Clone)]
struct Otherwise {
    why: String,
    length: u32,
}

/// What a review looks at.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    began_us: Option<u64>,
    asked: u64,
    lost: u64,
    late: u64,
}

impl Run {
    fn add(&mut self, at_us: u64) {
        if self.length == 0 {
            self.began_us = at_us;
        }
        self.length = self.length.saturating_add(1);
    }
}

impl Judge {
    /// Returns a judge that knows nothing yet.
    pub fn new(rules: Rules, now_us: u64) -> Self {
        let verdict = Verdict { state: ProbeState::Unknown, since_us: now_us, detail: String::new() };
        Self {
            rules,
            verdict,
            lost_in_a_row: Run::default(),
            lost_otherwise: None,
            good_in_a_row: Run::default(),
            answered_us: None,
            tally: Tally::default(),
            recent: Recent::default(),
            good_reviews: 0,
            timely_in_a_row: Run::default(),
            bad_milli: 0,
            by_problem: false,
        }
    }

    /// Returns what is judged now.
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Takes what came of a question that was sent at this time. Returns whether the verdict changed.
    pub fn take(&mut self, asked_us: u64, outcome: Outcome<'_>) -> bool {
        self.tally.began_us.get_or_insert(asked_us);
        self.tally.asked = self.tally.asked.saturating_add(1);
        self.recent.take(asked_us, matches!(outcome, Outcome::Lost { .. }));
        let turned = match outcome {
            Outcome::Lost { why } => self.lost(asked_us, why),
            Outcome::Answered { round_trip_us, problem } => {
                let late = round_trip_us > self.rules.round_trip_us;
                self.tally.late = self.tally.late.saturating_add(u64::from(late));
                if late {
                    self.timely_in_a_row = Run::default();
                } else {
                    self.timely_in_a_row.add(asked_us);
                }
                self.answered_us = self.answered_us.max(Some(asked_us));
                self.answers_again();
                self.good_in_a_row.add(asked_us);
                self.answered(asked_us, problem)
            }
        };
        // Both, whichever comes first: a line that comes and goes is told of long before its minute is over.
        self.notice_unsteadiness() || turned
    }

    /// Takes what came of a question between two: whether the way comes and goes, and an answer says that it is not down.
    /// Returns whether the verdict changed.
    pub fn glance(&mut self, asked_us: u64, lost: bool) -> bool {
        self.recent.take(asked_us, lost);
        if !lost {
            self.answered_us = self.answered_us.max(Some(asked_us));
            self.answers_again();
        }
        self.notice_unsteadiness()
    }

    fn answers_again(&mut self) {
        self.lost_in_a_row = Run::default();
        self.lost_otherwise = None;
    }

    fn lost(&mut self, asked_us: u64, why: &str) -> bool {
        self.tally.lost = self.tally.lost.saturating_add(1);
        // That it is lost is known later than that the next ones were answered: it breaks their row all the same.
        if asked_us >= self.timely_in_a_row.began_us {
            self.timely_in_a_row = Run::default();
        }
        if self.answered_us.is_some_and(|answered| asked_us < answered) {
            return false;
        }
        self.good_in_a_row = Run::default();
        self.timely_in_a_row = Run::default();
        self.lost_in_a_row.add(asked_us);
        if self.verdict.state == ProbeState::Down {
            return self.lost_while_down(why);
        }
        self.lost_in_a_row.length >= self.rules.down_after
            && self.turn(ProbeState::Down, self.lost_in_a_row.began_us, why)
    }

    /// A server that hangs before it ends is first silent, then refuses: who repairs it wants to know what it does now. Returns
    /// whether the verdict changed.
    fn lost_while_down(&mut self, why: &str) -> bool {
        if self.verdict.detail == why {
            self.lost_otherwise = None;
            return false;
        }
        let before = self.lost_otherwise.take().filter(|otherwise| otherwise.why == why);
        let length = before.map_or(0, |otherwise| otherwise.length).saturating_add(1);
        if length >= self.rules.down_after {
            return self.turn(ProbeState::Down, self.verdict.since_us, why);
        }
        self.lost_otherwise = Some(Otherwise { why: why.to_owned(), length });
        false
    }

    /// Judges the last few results. Returns whether the verdict changed.
    fn notice_unsteadiness(&mut self) -> bool {
        let Some(Unsteady { since_us, lost, asked }) = self.recent.unsteady() else { return false };
        if self.verdict.state != ProbeState::Up {
            return false;
        }
        self.bad_milli = lost.saturating_mul(1_000) / asked.max(1);
        self.turn(ProbeState::Degraded, since_us, &format!("it comes and goes: {lost} of {asked} are lost"))
    }

    fn answered(&mut self, asked_us: u64, problem: Option<&str>) -> bool {
        let (state, since) = match self.verdict.state {
            ProbeState::Down | ProbeState::Unknown if self.good_in_a_row.length < self.rules.up_after => return false,
            ProbeState::Down | ProbeState::Unknown => (ProbeState::Up, self.good_in_a_row.began_us),
            state => (state, asked_us),
        };
        match (state, problem) {
            (_, Some(problem)) if self.by_problem && self.verdict.detail == problem => false,
            (_, Some(problem)) => {
                let changed = self.turn(ProbeState::Degraded, since, problem);
                self.by_problem = true;
                changed
            }
            (ProbeState::Degraded, None) if self.by_problem => self.turn(ProbeState::Up, since, ""),
            (ProbeState::Degraded, None) if self.has_recovered() => {
                self.turn(ProbeState::Up, self.timely_in_a_row.began_us, "")
            }
            (ProbeState::Up, None) if self.verdict.state != ProbeState::Up => self.turn(ProbeState::Up, since, ""),
            _ => false,
        }
    }

    /// Returns whether good answers came in a row for so long that it would be no chance at the loss there was: a line that
    /// flapped is well again within seconds, one that loses a packet now and then is not well for a lucky minute.
    fn has_recovered(&self) -> bool {
        let run = self.timely_in_a_row.length;
        let good = 1.0 - f64::from(self.bad_milli.min(1_000)) / 1_000.0;
        run >= RECOVERY_MIN && good.powi(i32::try_from(run).unwrap_or(i32::MAX)) < CHANCE
    }

    /// Judges the quality since the last review. Returns whether the verdict changed.
    pub fn review(&mut self) -> bool {
        if self.tally.asked < REVIEW_RESULTS_MIN {
            return false;
        }
        let tally = std::mem::take(&mut self.tally);
        let began_us = tally.began_us.unwrap_or(self.verdict.since_us);
        let answered = tally.asked.saturating_sub(tally.lost);
        let lossy = tally.lost.saturating_mul(1_000) >= self.rules.loss_milli.saturating_mul(tally.asked);
        let late = tally.late.saturating_mul(2) > answered;
        self.good_reviews = if lossy || late { 0 } else { self.good_reviews.saturating_add(1) };
        if lossy || late {
            let bad = tally.lost.saturating_add(tally.late).saturating_mul(1_000) / tally.asked;
            self.bad_milli = u32::try_from(bad).unwrap_or(u32::MAX);
        }
        match self.verdict.state {
            ProbeState::Up if lossy => {
                let detail = format!("{} of {} are lost", tally.lost, tally.asked);
                self.turn(ProbeState::Degraded, began_us, &detail)
            }
            ProbeState::Up if late => {
                let detail = format!("more than half of the answers take over {} ms", self.rules.round_trip_us / 1_000);
                self.turn(ProbeState::Degraded, began_us, &detail)
            }
            ProbeState::Degraded if !self.by_problem && self.good_reviews >= GOOD_REVIEWS => {
                self.turn(ProbeState::Up, began_us, "")
            }
            _ => false,
        }
    }

    fn turn(&mut self, state: ProbeState, since_us: u64, detail: &str) -> bool {
        let same = self.verdict.state == state;
        // While a state goes on, only why changes.
        let since_us =
            if same { self.verdict.since_us } else { since_us.max(self.verdict.since_us.saturating_add(1_000)) };
        self.verdict = Verdict { state, since_us, detail: detail.to_owned() };
        self.by_problem = false;
        self.lost_otherwise = None;
        self.good_reviews = 0;
        // What was before says nothing of the quality now.
        self.tally = Tally::default();
        self.recent.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const RULES: Rules = Rules { down_after: 5, up_after: 3, loss_milli: 50, round_trip_us: 200_000 };
    const SECOND: u64 = 1_000_000;
    const GOOD: Outcome<'_> = Outcome::Answered { round_trip_us: 1_000, problem: None };
    const LOST: Outcome<'_> = Outcome::Lost { why: "no answer" };

    #[test]
    fn a_line_that_loses_every_other_packet_is_degraded_within_a_dozen_seconds_until_it_does_not() {
        let mut judge = Judge::new(RULES, 0);
        let answer = |judge: &mut Judge, second: u64| judge.take(second * SECOND, GOOD);
        for second in 1..=30 {
            answer(&mut judge, second);
        }
        // That a question is lost is known two seconds later, when the next one was answered.
        for second in (32..90).step_by(2) {
            answer(&mut judge, second);
            judge.take((second - 1) * SECOND, LOST);
            if second == 60 {
                judge.review();
            }
            assert_eq!(judge.verdict().state == ProbeState::Degraded, second >= 40, "{second}");
        }
        assert_eq!(judge.verdict().since_us, 31 * SECOND);
        assert_eq!(judge.verdict().detail, "it comes and goes: 5 of 12 are lost");
        for second in 90..130 {
            answer(&mut judge, second);
        }
        assert_eq!(judge.verdict().state, ProbeState::Up);
    }

    /// A judge and the seconds that went by.
    struct Told(Judge, u64);

    impl Told {
        fn new() -> Self {
            Self(Judge::new(RULES, 0), 0)
        }

        fn many(&mut self, count: u64, outcome: Outcome<'_>) -> &Verdict {
            for _ in 0..count {
                self.1 += 1;
                self.0.take(self.1 * SECOND, outcome);
            }
            self.0.verdict()
        }
    }

    #[test]
    fn it_is_up_after_three_answers_and_down_after_five_losses_since_the_first_of_each() {
        let mut told = Told::new();
        assert_eq!(told.many(2, GOOD).state, ProbeState::Unknown);
        assert_eq!((told.many(1, GOOD).state, told.0.verdict().since_us), (ProbeState::Up, SECOND));
        assert_eq!(told.many(4, LOST).state, ProbeState::Up);
        assert_eq!((told.many(1, LOST).state, told.0.verdict().since_us), (ProbeState::Down, 4 * SECOND));
        assert_eq!(told.0.verdict().detail, "no answer");
        assert_eq!(told.many(2, GOOD).state, ProbeState::Down);
        assert_eq!((told.many(1, GOOD).state, told.0.verdict().since_us), (ProbeState::Up, 9 * SECOND));
    }

    #[test]
    fn what_is_down_for_another_reason_than_at_first_says_so_after_five_losses_since_the_time_it_was() {
        const REFUSED: Outcome<'_> = Outcome::Lost { why: "the connection is refused" };
        let mut told = Told::new();
        told.many(3, GOOD);
        assert_eq!(told.many(5, LOST).detail, "no answer");
        assert_eq!(told.many(4, REFUSED).detail, "no answer");
        told.many(1, LOST);
        assert_eq!(told.many(4, REFUSED).detail, "no answer", "not in a row");
        told.many(1, GOOD);
        assert_eq!(told.many(4, REFUSED).detail, "no answer", "an answer came between");
        let verdict = told.many(1, REFUSED);
        assert_eq!((verdict.state, verdict.detail.as_str()), (ProbeState::Down, "the connection is refused"));
        assert_eq!(verdict.since_us, 4 * SECOND);
    }

    #[test]
    fn what_never_answered_is_down_and_what_loses_some_now_and_then_is_neither() {
        assert_eq!(Told::new().many(5, LOST).state, ProbeState::Down);
        let mut told = Told::new();
        told.many(3, GOOD);
        for _ in 0..100 {
            told.many(4, LOST);
            assert_eq!(told.many(8, GOOD).state, ProbeState::Up);
        }
        for _ in 0..100 {
            told.many(4, LOST);
            assert_ne!(told.many(1, GOOD).state, ProbeState::Down);
        }
    }

    /// Degraded by a review of 60 results, of which so many in each three or each twenty were bad.
    fn degraded(bad: Outcome<'_>, good_between: u64, bad_each: u64) -> Told {
        let mut told = Told::new();
        told.many(3, GOOD);
        for _ in 0..60 / (good_between + bad_each) {
            told.many(good_between, GOOD);
            told.many(bad_each, bad);
        }
        // What comes and goes is degraded before its minute is over.
        told.0.review();
        assert_eq!(told.0.verdict().state, ProbeState::Degraded, "{bad:?}");
        told
    }

    #[test]
    fn much_loss_and_lateness_degrade_at_a_review_and_ten_good_answers_in_a_row_heal() {
        let late = Outcome::Answered { round_trip_us: 300_000, problem: None };
        for bad in [LOST, late] {
            let mut told = degraded(bad, 1, 2);
            let since = told.0.verdict().clone();
            assert_eq!(told.many(9, GOOD).state, ProbeState::Degraded);
            assert_eq!(told.many(1, bad).state, ProbeState::Degraded);
            assert_eq!(told.many(9, GOOD).state, ProbeState::Degraded, "the run began anew");
            let well = told.many(1, GOOD).clone();
            assert_eq!(well.state, ProbeState::Up);
            assert_eq!(well.since_us, (told.1 - 9) * SECOND, "since the first of the good answers");
            assert!(well.since_us > since.since_us);
        }
    }

    #[test]
    fn a_way_that_loses_a_little_is_not_well_for_a_lucky_minute_and_two_good_reviews_heal_it() {
        let mut told = degraded(LOST, 18, 2);
        told.many(30, GOOD);
        assert!(!told.0.review(), "one good review is not enough");
        assert_eq!(told.many(13, GOOD).state, ProbeState::Degraded);
        assert!(told.0.review() && told.0.verdict().state == ProbeState::Up);
        // Without a review a long run is enough: 44 in a row come about less than once in a hundred at a loss of a tenth.
        let mut told = degraded(LOST, 18, 2);
        assert_eq!(told.many(43, GOOD).state, ProbeState::Degraded);
        assert_eq!(told.many(1, GOOD).state, ProbeState::Up);
    }

    #[test]
    fn after_an_outage_the_losses_of_it_do_not_degrade() {
        let mut told = Told::new();
        told.many(3, GOOD);
        told.many(50, LOST);
        assert_eq!(told.many(3, GOOD).state, ProbeState::Up);
        told.many(20, GOOD);
        assert!(!told.0.review());
    }

    #[test]
    fn a_problem_with_the_answer_degrades_at_once_and_heals_at_once() {
        let mut told = Told::new();
        let expiring = Outcome::Answered { round_trip_us: 9, problem: Some("the certificate ends in 3 days") };
        let verdict = told.many(3, expiring).clone();
        assert_eq!((verdict.state, verdict.detail.as_str()), (ProbeState::Degraded, "the certificate ends in 3 days"));
        assert_eq!(told.many(1, expiring).since_us, verdict.since_us);
        assert_eq!(told.many(1, GOOD).state, ProbeState::Up);
        told.many(1, expiring);
        told.many(5, LOST);
        assert_eq!(told.0.verdict().state, ProbeState::Down);
    }

    proptest! {
        #[test]
        fn no_state_holds_since_before_the_one_that_it_replaced(results in vec(0..4_u8, 0..400)) {
            let mut told = Told::new();
            let mut last = told.0.verdict().clone();
            for result in results {
                match result {
                    0 => { told.many(1, LOST); }
                    1 => { told.many(1, Outcome::Answered { round_trip_us: 1, problem: Some("odd") }); }
                    2 => { told.0.review(); }
                    _ => { told.many(1, GOOD); }
                }
                let now = told.0.verdict();
                prop_assert!(now.state == last.state && now.since_us == last.since_us || now.since_us > last.since_us);
                last = now.clone();
            }
        }
    }
}
