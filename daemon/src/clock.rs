//! The one place of the centre that reads a clock.
//!
//! Invariant: everything else is given `now`. Where state is concerned even this reading is only used to stamp records
//! (invariant 11): whoever applies a record takes the time from it. The centre's clock never goes back, since the log's time does
//! not, and never stands still, or no silence would ever be told of: where the machine's clock was set back, it goes at
//! half the pace until that one has caught up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use onenet_topology::Timestamp;

/// How far the machine's clock may be behind before the log says so: less than that time services do.
const BEHIND_TOLD_MS: i64 = 60_000;

/// A source of the present time. Cheap to clone; all clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Source>);

trait Source: Send + Sync {
    fn now(&self) -> Timestamp;

    fn not_before(&self, _time: Timestamp) {}
}

impl Clock {
    /// Returns the machine's wall clock, kept from going back.
    pub fn system() -> Self {
        Self(Arc::new(System(Mutex::new(None))))
    }

    /// Returns a clock that shows what `read` returns, for tests and simulations.
    pub fn from_fn(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Returns the present time.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Lets the machine's clock go on from this time of the log, if it shows an earlier one.
    pub(crate) fn not_before(&self, time: Timestamp) {
        self.0.not_before(time);
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl<F: Fn() -> Timestamp + Send + Sync> Source for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The machine's clock, and from where it is counted.
struct System(Mutex<Option<Base>>);

/// A time that was told. It stays the same while the machine's clock is behind, so that no part of a millisecond is lost.
#[derive(Debug, Clone, Copy)]
struct Base {
    time: Timestamp,
    at: Instant,
    behind: bool,
}

impl Source for System {
    fn now(&self) -> Timestamp {
        let (wall, at) = (wall(), monotonic());
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let base = held.unwrap_or(Base { time: wall, at, behind: false });
        let time = steady(base.time, at.saturating_duration_since(base.at), wall);
        let behind_ms = time.ms_since(wall);
        let behind = behind_ms >= BEHIND_TOLD_MS || (base.behind && behind_ms > 0);
        if behind && !base.behind {
            tracing::warn!(
                behind_s = behind_ms / 1_000,
                "the machine's clock is behind the time of what is known already: it was set back, or ran fast before; times go at \
                 half the pace until it has caught up, and outages are told of later; check its time service"
            );
        }
        *held = Some(if behind_ms > 0 { Base { behind, ..base } } else { Base { time, at, behind } });
        time
    }

    fn not_before(&self, time: Timestamp) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none_or(|base| base.time < time) {
            *held = Some(Base { time, at: monotonic(), behind: held.is_some_and(|base| base.behind) });
        }
    }
}

/// Returns the time to tell when `told` was told `elapsed` ago and the wall clock shows `wall`.
fn steady(told: Timestamp, elapsed: Duration, wall: Timestamp) -> Timestamp {
    let half_ms = i64::try_from(elapsed.as_millis() / 2).unwrap_or(i64::MAX);
    wall.max(told.plus_ms(half_ms))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Returns the time since some moment, which never goes back: for deadlines of this process, never for state.
#[expect(clippy::disallowed_methods, reason = "the one place that reads a clock")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(second * 1_000)
    }

    #[test]
    fn a_clock_that_is_right_is_followed_and_so_is_one_that_is_set_forward() {
        assert_eq!(steady(at(100), Duration::from_secs(5), at(105)), at(105));
        assert_eq!(steady(at(100), Duration::from_secs(5), at(9_000)), at(9_000));
    }

    #[test]
    fn a_clock_that_is_set_back_is_waited_for_at_half_the_pace_and_then_followed() {
        let ahead = at(3 * 3_600);
        assert_eq!(steady(ahead, HOUR, at(3_600)), at(3 * 3_600 + 1_800), "neither back nor still");
        assert_eq!(steady(ahead, HOUR * 6, at(6 * 3_600)), at(6 * 3_600), "caught up");
    }

    #[test]
    fn the_machines_clock_goes_on_from_the_time_of_the_log() {
        let clock = Clock::system();
        let ahead = clock.now().plus_ms(3_600_000);
        clock.not_before(ahead);
        assert!(clock.now() >= ahead && clock.clone().now() >= ahead);
    }
}
