//! The bookkeeping of one probe: questions that wait, windows that are open, the judge.
//!
//! Invariant: a question ends once, answered or lost when its time is over, and counts in the window in which it was sent. An
//! answer after its time is none; one that comes again within it is a duplicate. A window is told when it is over and all its
//! questions ended. Questions that wait are bounded by interval and time-out, windows by two.

use std::collections::VecDeque;

use onenet_topology::{ProbeSample, ProbeState};

use crate::{
    closer::CloserLook,
    judge::{Judge, Outcome, Rules, Verdict},
    window::{Jitter, Window},
};

/// How long a window is.
pub const WINDOW_US: u64 = 60_000_000;

/// Why a question is lost when nothing came back.
pub const NO_ANSWER: &str = "no answer";

/// What the target says of an exchange, when it says more than that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reflected {
    /// The number of its answer.
    pub sequence: u32,
    /// Transit to it, in microseconds; clocks may differ by a constant.
    pub out_us: i64,
    /// Transit from it.
    pub back_us: i64,
    /// How long it kept the question.
    pub kept_us: u64,
}

/// A window that is over.
#[derive(Debug, Clone)]
pub struct Closed {
    /// What it adds up to.
    pub sample: ProbeSample,
    /// When it ended.
    pub ended_us: u64,
    /// Whether the verdict changed with it.
    pub changed: bool,
}

/// A question that waits for its time to be over.
#[derive(Debug, Clone, Copy)]
struct Asked {
    sequence: u32,
    sent_us: u64,
    answered: bool,
    /// Whether it was asked between two, at a closer look: no window counts it.
    between: bool,
}

/// Follows one probe.
#[derive(Debug)]
pub struct Track {
    timeout_us: u64,
    next: u32,
    waiting: VecDeque<Asked>,
    windows: VecDeque<Window>,
    window_us: u64,
    highest: Option<u32>,
    /// The last exchange whose numbers were in order at both ends.
    numbered: Option<(u32, u32)>,
    round_trip: Jitter,
    out: Jitter,
    back: Jitter,
    judge: Judge,
    closer: CloserLook,
}

impl Track {
    /// Returns the book of a probe whose questions are lost after `timeout_us`.
    pub fn new(rules: Rules, timeout_us: u64, now_us: u64) -> Self {
        Self {
            timeout_us,
            next: 0,
            waiting: VecDeque::new(),
            windows: VecDeque::new(),
            window_us: WINDOW_US,
            highest: None,
            numbered: None,
            round_trip: Jitter::default(),
            out: Jitter::default(),
            back: Jitter::default(),
            judge: Judge::new(rules, now_us),
            closer: CloserLook::default(),
        }
    }

    /// Makes windows of another length: services are asked seldom.
    #[must_use]
    pub const fn with_window_us(mut self, window_us: u64) -> Self {
        self.window_us = window_us;
        self
    }

    /// Returns what is judged now.
    pub const fn verdict(&self) -> &Verdict {
        self.judge.verdict()
    }

    /// Notes that a question is sent now. Returns its number.
    pub fn ask(&mut self, now_us: u64) -> u32 {
        if self.windows.back().is_none_or(|window| now_us >= window.ends_us) {
            self.windows.push_back(Window::new(now_us, now_us.saturating_add(self.window_us)));
        }
        if let Some(window) = self.windows.back_mut() {
            window.sent += 1;
        }
        self.note(now_us, false)
    }

    /// Notes that a question is sent now between two, if a closer look is wanted, `waited_us` after the last one. Returns its number.
    pub fn ask_between(&mut self, now_us: u64, waited_us: u64) -> Option<u32> {
        let last = self.waiting.iter().rev().find(|asked| !asked.between);
        let unanswered = last.is_some_and(|asked| !asked.answered);
        let wanted = self.closer.is_wanted(now_us, waited_us, unanswered) && self.verdict().state == ProbeState::Up;
        wanted.then(|| self.note(now_us, true))
    }

    fn note(&mut self, now_us: u64, between: bool) -> u32 {
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.push_back(Asked { sequence, sent_us: now_us, answered: false, between });
        sequence
    }

    /// Takes an answer. Returns whether the verdict changed.
    pub fn answer(&mut self, sequence: u32, came_us: u64, said: Option<Reflected>, problem: Option<&str>) -> bool {
        let Some(asked) = self.waiting.iter_mut().find(|asked| asked.sequence == sequence) else { return false };
        let sent_us = asked.sent_us;
        let again = std::mem::replace(&mut asked.answered, true);
        if asked.between {
            return !again && self.judge.glance(sent_us, false);
        }
        let Some(window) = window_of(&mut self.windows, sent_us) else { return false };
        if again {
            window.duplicated += 1;
            return false;
        }
        if self.highest.is_some_and(|highest| is_before(sequence, highest)) {
            window.reordered += 1;
        } else {
            self.highest = Some(sequence);
        }
        let kept_us = said.map_or(0, |said| said.kept_us);
        let round_trip_us = came_us.saturating_sub(sent_us).saturating_sub(kept_us);
        window.round_trips.add(round_trip_us);
        self.closer.answered(round_trip_us);
        self.round_trip.take(i64::try_from(round_trip_us).unwrap_or(i64::MAX));
        if let Some(said) = said {
            self.out.take(said.out_us);
            self.back.take(said.back_us);
            count_directions(window, &mut self.numbered, sequence, said.sequence);
        }
        self.judge.take(sent_us, Outcome::Answered { round_trip_us, problem })
    }

    /// Notes that a question will not be answered, and why. Returns whether the verdict changed.
    pub fn fail(&mut self, sequence: u32, why: &str) -> bool {
        let Some(place) = self.waiting.iter().position(|asked| asked.sequence == sequence && !asked.answered) else {
            return false;
        };
        self.waiting.remove(place).is_some_and(|asked| self.lose(asked, why))
    }

    /// Takes a question back that was not sent: nothing can be judged from it.
    pub fn forget(&mut self, sequence: u32) {
        let Some(place) = self.waiting.iter().position(|asked| asked.sequence == sequence) else { return };
        let Some(asked) = self.waiting.remove(place).filter(|asked| !asked.between) else { return };
        if let Some(window) = window_of(&mut self.windows, asked.sent_us) {
            window.sent = window.sent.saturating_sub(1);
        }
    }

    /// Ends the questions whose time is over. Returns whether the verdict changed.
    pub fn expire(&mut self, now_us: u64) -> bool {
        let mut changed = false;
        while let Some(asked) = self.waiting.front().copied() {
            if asked.sent_us.saturating_add(self.timeout_us) > now_us {
                break;
            }
            self.waiting.pop_front();
            if !asked.answered {
                changed |= self.lose(asked, NO_ANSWER);
            }
        }
        changed
    }

    /// Returns the sample of a window that is over.
    pub fn close(&mut self, name: &str, now_us: u64) -> Option<Closed> {
        let window = self.windows.front()?;
        let ended = window.ends_us <= now_us;
        let settled = self.waiting.front().is_none_or(|asked| asked.answered || asked.sent_us >= window.ends_us)
            || window.ends_us.saturating_add(self.timeout_us) <= now_us;
        if !ended || !settled {
            return None;
        }
        let window = self.windows.pop_front()?;
        let sample = ProbeSample {
            jitter_us: self.round_trip.us(),
            jitter_out_us: self.out.us(),
            jitter_back_us: self.back.us(),
            ..window.sample(name)
        };
        Some(Closed { sample, ended_us: window.ends_us, changed: self.judge.review() })
    }

    /// Returns when a question's time is over or a window has to be closed, whichever is first.
    pub fn next_us(&self) -> Option<u64> {
        let expires = self.waiting.front().map(|asked| asked.sent_us.saturating_add(self.timeout_us));
        let closes = self.windows.front().map(|window| window.ends_us.saturating_add(self.timeout_us));
        expires.into_iter().chain(closes).min()
    }

    fn lose(&mut self, Asked { sent_us, between, .. }: Asked, why: &str) -> bool {
        if between {
            return self.judge.glance(sent_us, true);
        }
        if let Some(window) = window_of(&mut self.windows, sent_us) {
            window.lost += 1;
        }
        self.judge.take(sent_us, Outcome::Lost { why })
    }
}

/// Returns the window in which a question was sent.
fn window_of(windows: &mut VecDeque<Window>, sent_us: u64) -> Option<&mut Window> {
    windows.iter_mut().find(|window| (window.began_us..window.ends_us).contains(&sent_us))
}

/// Returns whether a number is behind another in the circle of numbers (RFC 1982).
const fn is_before(one: u32, other: u32) -> bool {
    other.wrapping_sub(one).cast_signed() > 0
}

/// Tells losses to the target from losses on the way back: questions that it has no number for did not reach it.
fn count_directions(window: &mut Window, numbered: &mut Option<(u32, u32)>, asked: u32, reflected: u32) {
    window.is_numbered = true;
    let Some((last_asked, last_reflected)) = *numbered else {
        *numbered = Some((asked, reflected));
        return;
    };
    // Out of order at one of the ends, or the target began to count anew: this exchange tells nothing.
    if !is_before(last_asked, asked) || !is_before(last_reflected, reflected) {
        if is_before(last_asked, asked) {
            *numbered = Some((asked, reflected));
        }
        return;
    }
    let (asked_since, reflected_since) = (asked.wrapping_sub(last_asked), reflected.wrapping_sub(last_reflected));
    window.lost_out += u64::from(asked_since.saturating_sub(reflected_since));
    window.lost_back += u64::from(reflected_since.saturating_sub(1));
    *numbered = Some((asked, reflected));
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const RULES: Rules = Rules { down_after: 5, up_after: 3, loss_milli: 50, round_trip_us: 200_000 };
    const SECOND: u64 = 1_000_000;
    const TIMEOUT: u64 = 2 * SECOND;

    fn reflected(sequence: u32) -> Reflected {
        Reflected { sequence, out_us: 5_000, back_us: 5_000, kept_us: 100 }
    }

    #[test]
    fn losses_duplicates_and_disorder_of_a_minute_are_counted_as_they_were() {
        let mut track = Track::new(RULES, TIMEOUT, 0);
        for second in 0..60 {
            let at = second * SECOND;
            track.expire(at);
            let sequence = track.ask(at);
            match second {
                10 | 11 | 30 => {}
                20 => {
                    track.answer(sequence, at + 9_000, None, None);
                    track.answer(sequence, at + 9_500, None, None);
                }
                31 => {
                    track.answer(sequence, at + 9_000, None, None);
                    track.answer(sequence - 1, at + 9_100, None, None);
                }
                _ => {
                    track.answer(sequence, at + 10_000 + second * 100, None, None);
                }
            }
        }
        assert!(track.close("up", 60 * SECOND).is_some(), "every question of it ended");
        assert!(track.close("up", 70 * SECOND).is_none());
        let mut track = Track::new(RULES, TIMEOUT, 0);
        for second in 0..60 {
            let sequence = track.ask(second * SECOND);
            if second < 58 {
                track.answer(sequence, second * SECOND + 10_000, None, None);
            }
            track.expire(second * SECOND);
        }
        assert!(track.close("up", 60 * SECOND).is_none(), "two may still be answered");
        track.expire(62 * SECOND);
        let Closed { sample, .. } = track.close("up", 62 * SECOND).unwrap();
        assert_eq!((sample.sent, sample.lost, sample.interval_ms), (60, 2, 60_000));
        assert_eq!(sample.round_trip_median_us, Some(10_000));
        assert_eq!((sample.jitter_us, sample.lost_out), (Some(0), None));
    }

    #[test]
    fn the_sums_of_disorder_are_those_that_happened() {
        let mut track = Track::new(RULES, TIMEOUT, 0);
        for _ in 0..4 {
            track.ask(0);
        }
        for sequence in [0, 2, 1, 3, 3, 0] {
            track.answer(sequence, 10_000, None, None);
        }
        let Closed { sample, .. } = track.close("up", 62 * SECOND).unwrap();
        assert_eq!((sample.sent, sample.lost, sample.reordered, sample.duplicated), (4, 0, 1, 2));
    }

    #[test]
    fn an_answer_after_its_time_is_none() {
        let mut track = Track::new(RULES, TIMEOUT, 0);
        let sequence = track.ask(0);
        track.expire(TIMEOUT);
        track.answer(sequence, TIMEOUT + 1, None, None);
        track.answer(99, TIMEOUT + 1, None, None);
        let Closed { sample, .. } = track.close("up", 62 * SECOND).unwrap();
        assert_eq!((sample.sent, sample.lost, sample.round_trip_min_us), (1, 1, None));
    }

    #[test]
    fn the_targets_numbers_tell_on_which_way_something_was_lost() {
        let mut track = Track::new(RULES, TIMEOUT, 0);
        let mut answered = 0;
        for second in 0..60_u64 {
            let sequence = track.ask(second * SECOND);
            // 3 of the questions do not arrive, and of the answers to what arrived 2 do not.
            if [7, 8, 40].contains(&second) {
                continue;
            }
            answered += 1;
            if ![20, 50].contains(&second) {
                track.answer(sequence, second * SECOND + 10_100, Some(reflected(answered - 1)), None);
            }
        }
        track.expire(62 * SECOND);
        let Closed { sample, .. } = track.close("up", 62 * SECOND).unwrap();
        assert_eq!((sample.lost, sample.lost_out, sample.lost_back), (5, Some(3), Some(2)));
        assert_eq!(sample.round_trip_max_us, Some(10_000), "what the target kept is not the way's");
        assert_eq!((sample.jitter_out_us, sample.jitter_back_us), (Some(0), Some(0)));
    }

    #[test]
    fn a_cut_is_judged_within_seven_seconds_and_what_heals_within_three_answers() {
        let mut track = Track::new(RULES, TIMEOUT, 0);
        let (mut down_at, mut up_at) = (None, None);
        for tenth in 0..400_u64 {
            let now = tenth * SECOND / 10;
            let mut changed = track.expire(now);
            if tenth % 10 == 0 {
                let sequence = track.ask(now);
                if !(100..300).contains(&tenth) {
                    changed |= track.answer(sequence, now + 5_000, None, None);
                }
            }
            match (changed, track.verdict().state) {
                (true, ProbeState::Down) => down_at = Some(now),
                (true, ProbeState::Up) if down_at.is_some() => up_at = Some(now),
                _ => {}
            }
        }
        assert_eq!(down_at, Some(16 * SECOND), "cut at 10 s: questions of 10 to 14 s, the last of which ends at 16 s");
        assert_eq!(up_at, Some(32 * SECOND));
    }

    #[test]
    fn a_line_that_comes_and_goes_at_the_pace_of_the_questions_is_seen_within_nine_seconds() {
        // Each question at the even pace falls on a turn of the line, where chance decides; the first one is lost.
        for answered_of_three in 0..=3 {
            let mut track = Track::new(RULES, TIMEOUT, 0);
            let mut degraded_at = None;
            for quarter in 0..120_u64 {
                let (now, second, even) = (quarter * SECOND / 4, quarter / 4, quarter % 4 == 0);
                track.expire(now);
                let sequence = if even { Some(track.ask(now)) } else { track.ask_between(now, SECOND / 4) };
                let comes_through = second < 10 || second % 2 == 1;
                let by_chance = quarter > 40 && second % 3 < answered_of_three;
                if let Some(sequence) =
                    sequence.filter(|_| if even && quarter >= 40 { by_chance } else { comes_through })
                {
                    track.answer(sequence, now + 5_000, None, None);
                }
                if track.verdict().state == ProbeState::Degraded {
                    degraded_at.get_or_insert(now);
                }
            }
            let degraded_at = degraded_at.expect("it is seen");
            assert!((14 * SECOND..=19 * SECOND).contains(&degraded_at), "cut at 10 s, seen at {degraded_at} us");
            let sent: u64 = track.windows.iter().map(|window| window.sent).sum();
            assert_eq!(sent, 30, "a closer look is not measured");
        }
    }

    proptest! {
        #[test]
        fn every_question_is_answered_or_lost_and_what_waits_is_bounded(
            steps in vec((0_u8..4, 0_u32..8, 0_u64..900_000), 1..600),
        ) {
            let mut track = Track::new(RULES, TIMEOUT, 0);
            let (mut now, mut asked, mut told) = (0, 0_u64, ProbeSample::default());
            let mut sum = |sample: ProbeSample| {
                told.sent += sample.sent;
                told.lost += sample.lost;
                assert!(sample.lost <= sample.sent);
            };
            for (step, back, wait) in steps {
                now += wait;
                match step {
                    0 | 1 => { track.ask(now); asked += 1; }
                    2 => { track.answer(track.next.wrapping_sub(back), now, Some(reflected(back)), None); }
                    _ => { track.fail(track.next.wrapping_sub(back), "refused"); }
                }
                track.expire(now);
                while let Some(closed) = track.close("up", now) { sum(closed.sample) }
                prop_assert!(track.windows.len() <= 2);
            }
            now += 2 * WINDOW_US;
            track.expire(now);
            while let Some(closed) = track.close("up", now) { sum(closed.sample) }
            prop_assert!(track.waiting.is_empty());
            prop_assert_eq!(told.sent, asked);
        }
    }
}
