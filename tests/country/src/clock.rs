//! The only reader of clocks here: what an agent's own would show, without ever stepping.
//!
//! It does not know which minute it is at a site: `world` does.

use std::time::{SystemTime, UNIX_EPOCH};

use onenet_topology::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The machine's clock, anchored when the program starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    anchor_ms: i64,
}

impl Clock {
    /// Returns the clock of this run.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads clocks")]
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Self { anchor_ms: wall_ms.saturating_sub_unsigned(boot_ms()) }
    }

    /// Returns a clock that shows `time` now.
    pub(crate) fn showing(time: Timestamp) -> Self {
        Self { anchor_ms: time.unix_ms().saturating_sub_unsigned(boot_ms()) }
    }

    /// Returns the time that belongs to a moment since the machine's start.
    pub(crate) fn at(self, boot_ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(self.anchor_ms.saturating_add_unsigned(boot_ms))
    }
}

/// Returns the milliseconds since the machine's start.
pub(crate) fn boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let ms = time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or_default()
}
