//! The only reader of clocks in the agent; everything else takes the time as a parameter.
//!
//! Invariant: within one run of the process time never steps, whatever happens to the wall clock. The agent's timeline is
//! an anchor, the wall clock minus the boot clock as they were when the process started, plus CLOCK_BOOTTIME, which also
//! counts while the machine sleeps. The centre measures how far that timeline is off and moves what it receives onto its
//! own (invariant 4).

use onenet_topology::Timestamp;
use onenet_wire::Clocks;
use rustix::time::{ClockId, clock_gettime};

/// Where Linux tells which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The agent's clock. One a process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    boot_id: [u8; 16],
    anchor_ms: i64,
}

impl Clock {
    /// Returns the clock of this run, anchored now.
    ///
    /// Where the kernel does not name its boot, `fallback_boot_id` stands for it: random bytes, so that this run's boot
    /// clock is never compared with another's.
    pub fn start(fallback_boot_id: [u8; 16]) -> Self {
        let boot_id = std::fs::read_to_string(BOOT_ID).ok().and_then(|text| parse_boot_id(&text));
        Self { boot_id: boot_id.unwrap_or(fallback_boot_id), anchor_ms: wall_ms().saturating_sub(boot_ms()).max(0) }
    }

    /// Returns the agent's clocks, read at one moment.
    pub fn now(&self) -> Clocks {
        let boot_ms = boot_ms();
        let wall_ms = self.anchor_ms.saturating_add(boot_ms);
        Clocks { boot_id: self.boot_id, boot_ms: u64::try_from(boot_ms).unwrap_or(0), wall_ms }
    }

    /// Returns the time on the agent's timeline.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.anchor_ms.saturating_add(boot_ms()))
    }
}

fn boot_ms() -> i64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000)
}

#[expect(clippy::disallowed_methods, reason = "this is the file that reads clocks")]
fn wall_ms() -> i64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

fn parse_boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_goes_forward_with_the_boot_clock_and_agrees_with_the_wall_clock_at_the_start() {
        let wall = wall_ms();
        let clock = Clock::start([0; 16]);
        let (first, second) = (clock.now(), clock.now());
        assert!(second.boot_ms >= first.boot_ms);
        assert_eq!(i64::try_from(second.boot_ms - first.boot_ms).unwrap(), second.wall_ms - first.wall_ms);
        assert!((first.wall_ms - wall).abs() < 10_000, "{} and {wall}", first.wall_ms);
    }

    #[test]
    fn a_boot_id_is_read_as_linux_writes_it() {
        let expected = Some(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes());
        assert_eq!(parse_boot_id("01234567-89ab-cdef-0123-456789abcdef\n"), expected);
        assert_eq!(parse_boot_id("01234567-89ab"), None);
        assert_eq!(parse_boot_id("é1234567-89ab-cdef-0123-456789abcde"), None);
    }
}
