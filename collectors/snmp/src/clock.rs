//! The one place of this crate that reads a clock: round trips are measured with it.

use std::time::Instant;

/// Returns the monotonic time.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and nowhere else in this crate")]
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}
