//! The only place of this crate that reads a clock, and the only one that waits.
//!
//! Invariant: a test waits for a condition on a value, with a deadline, and says what it last saw when the deadline
//! passes. It never waits for a time to pass and hopes.

use std::{
    fmt::Debug,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, bail};

use crate::report;

/// Pause between two looks at a value. Short against every deadline, long enough to leave the cores to the product.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Returns the monotonic time.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the monotonic clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Returns the wall clock in milliseconds since 1970-01-01T00:00:00Z.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the wall clock")]
pub fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What one look at the awaited value found.
#[derive(Debug)]
pub enum Look<T, S> {
    /// The condition holds; this is the value.
    Done(T),
    /// Not yet; this is what was seen instead, for the message when the deadline passes.
    NotYet(S),
}

/// Looks at a value until the condition holds and returns it, or fails when `within` has passed.
///
/// A look that fails counts as "not yet", since a process that is still starting refuses connections; the last
/// failure is part of the message.
///
/// # Errors
///
/// The deadline passed; the message names `what` and the last thing seen.
pub fn eventually<T, S: Debug>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<Look<T, S>>,
) -> Result<T> {
    let start = now();
    loop {
        let last = match look() {
            Ok(Look::Done(value)) => return Ok(value),
            Ok(Look::NotYet(seen)) => format!("{seen:?}"),
            Err(error) => format!("error: {error:#}"),
        };
        if start.elapsed() >= within {
            report::note_failure();
            bail!("not within {within:?}: {what}; last seen: {last}");
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

/// Looks until `condition` holds for the value, as [`eventually`] does.
///
/// # Errors
///
/// The deadline passed; the message shows the last value.
pub fn until<T: Debug>(
    what: &str,
    within: Duration,
    mut read: impl FnMut() -> Result<T>,
    condition: impl Fn(&T) -> bool,
) -> Result<T> {
    eventually(what, within, || {
        let value = read()?;
        Ok(if condition(&value) { Look::Done(value) } else { Look::NotYet(value) })
    })
}

/// Watches a value for the whole of `span` and fails as soon as `condition` does not hold: "stays so", the other half
/// of "becomes so".
///
/// # Errors
///
/// The condition did not hold, or the value could not be read.
pub fn throughout<T: Debug>(
    what: &str,
    span: Duration,
    mut read: impl FnMut() -> Result<T>,
    condition: impl Fn(&T) -> bool,
) -> Result<()> {
    let start = now();
    while start.elapsed() < span {
        let value = read()?;
        if !condition(&value) {
            report::note_failure();
            bail!("did not stay so for {span:?}: {what}; after {:?} seen: {value:?}", start.elapsed());
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn a_condition_that_never_holds_fails_with_the_last_value() {
        let mut count = 0;
        let read = || {
            count += 1;
            Ok(count)
        };
        let error = until("the count is negative", Duration::from_millis(120), read, |n| *n < 0).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("the count is negative") && text.contains("last seen: "), "{text}");
    }

    #[test]
    fn a_value_that_changes_does_not_stay() {
        let mut count = 0;
        let read = || {
            count += 1;
            Ok(count)
        };
        assert!(throughout("the count stays under 2", Duration::from_secs(5), read, |n| *n < 2).is_err());
    }

    #[test]
    fn a_look_that_fails_is_tried_again() {
        let mut count = 0;
        let value = until(
            "the third look works",
            Duration::from_secs(5),
            || {
                count += 1;
                ensure!(count >= 3, "not ready");
                Ok(count)
            },
            |_| true,
        );
        assert_eq!(value.unwrap(), 3);
    }
}
