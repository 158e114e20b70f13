//! When to ask a silent device again.
//!
//! Invariant: pure; the due time grows with every silence, is never farther than [`DELAY_MAX_MS`], and one answer
//! ends the back-off. It does not know why the device is silent.

use onenet_topology::Timestamp;

/// The pause after the first silence, in milliseconds: what was restarted is seen again soon, and what is dead for good is asked
/// as seldom after some minutes.
pub(crate) const DELAY_MIN_MS: i64 = 10_000;

/// The longest pause, in milliseconds: a device that was switched on again is noticed within this time, or at once
/// when something else (a trap, an endpoint seen behind it) asks for a poll.
pub(crate) const DELAY_MAX_MS: i64 = 30 * 60_000;

/// The back-off of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    silent: Option<Silence>,
}

/// What is known of a silent device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// When the first question of this silence stayed unanswered.
    pub since: Timestamp,
    /// How many rounds stayed unanswered.
    pub rounds: u32,
    /// When to ask again.
    pub due: Timestamp,
}

impl Backoff {
    /// Returns whether the device may be asked at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.silent.is_none_or(|silence| now >= silence.due)
    }

    /// Notes that the device answered.
    pub fn answered(&mut self) {
        self.silent = None;
    }

    /// Notes that a round stayed unanswered. `spread` (0 to 255, say a byte of a hash of the device's id) moves the
    /// next try by up to a quarter of the pause, so that devices that died together are not asked together.
    pub fn unanswered(&mut self, now: Timestamp, spread: u8) {
        let rounds = self.silent.map_or(0, |silence| silence.rounds).saturating_add(1);
        let doubled = DELAY_MIN_MS.saturating_mul(1 << (rounds - 1).min(16)).min(DELAY_MAX_MS);
        let pause = doubled - doubled / 4 * i64::from(spread) / 255;
        let since = self.silent.map_or(now, |silence| silence.since);
        self.silent = Some(Silence { since, rounds, due: now.plus_ms(pause) });
    }

    /// Makes the device due at once: something showed that it may be back.
    pub fn retry_now(&mut self, now: Timestamp) {
        if let Some(silence) = &mut self.silent {
            silence.due = now;
        }
    }

    /// Returns what is known of the silence, `None` while the device answers.
    pub fn silence(&self) -> Option<Silence> {
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_double_and_one_answer_ends_them() {
        let start = Timestamp::from_unix_ms(1_000_000);
        let mut backoff = Backoff::default();
        assert!(backoff.is_due(start));
        for pause in [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, DELAY_MAX_MS, DELAY_MAX_MS]
        {
            backoff.unanswered(start, 0);
            assert!(!backoff.is_due(start.plus_ms(pause - 1)));
            assert!(backoff.is_due(start.plus_ms(pause)));
        }
        assert_eq!(backoff.silence().map(|silence| (silence.since, silence.rounds)), Some((start, 10)));
        backoff.answered();
        assert!(backoff.is_due(start));
        assert_eq!(backoff.silence(), None);
    }

    #[test]
    fn a_hint_makes_a_silent_device_due() {
        let start = Timestamp::from_unix_ms(0);
        let mut backoff = Backoff::default();
        backoff.unanswered(start, 9);
        backoff.retry_now(start.plus_ms(5));
        assert!(backoff.is_due(start.plus_ms(5)));
        assert_eq!(backoff.silence().map(|silence| silence.rounds), Some(1));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_negative_nor_beyond_its_cap(steps in prop::collection::vec((0i64..1_000_000, any::<u8>()), 1..60)) {
            let mut backoff = Backoff::default();
            let mut now = Timestamp::EPOCH;
            for (passed, spread) in steps {
                now = now.plus_ms(passed);
                backoff.unanswered(now, spread);
                let pause = backoff.silence().map_or(-1, |silence| silence.due.ms_since(now));
                prop_assert!((DELAY_MIN_MS * 3 / 4..=DELAY_MAX_MS).contains(&pause));
            }
        }
    }
}
