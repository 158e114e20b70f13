//! Correcting an agent's times by the centre's clock (invariant 4).
//!
//! Invariant: a boot clock that was heard on a stream is tied to the centre's clock, and times of that boot follow exactly,
//! whatever the wall clock showed. Times of a boot that was never heard are guessed from the wall clock, held between
//! what came before them and what came after, and marked as uncertain: a dead clock (1970) shuts no agent out.

use onenet_topology::Timestamp;
use onenet_wire::Clocks;

use crate::estate::{AgentClock, BOOTS_MAX, Boot};

/// A measured tie is moved back only by more than this, so that the jitter of the line does not show: a message that
/// took less time than the first one tells the tie better.
const CLOSER_MS: i64 = 20;
/// A tie is moved forward when the boot clock fell behind by more than this: clocks drift, some seconds a day.
const DRIFT_MS: i64 = 1_000;

/// What to add to the times of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Correction {
    /// Milliseconds.
    pub(super) shift_ms: i64,
    /// When the batch was closed, corrected.
    pub(super) closed: Timestamp,
    /// Whether it is a guess.
    pub(super) uncertain: bool,
}

/// The moments between which a batch was closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Not before this: the batch in front of it on the lane, or the agent's enrolment.
    pub(super) earliest: Timestamp,
    /// Not after this: the commit.
    pub(super) latest: Timestamp,
}

/// Ties a boot to the centre's clock by clocks that left the agent just before `received`.
///
/// Returns whether anything changed.
pub(super) fn measure(clock: &mut AgentClock, clocks: &Clocks, received: Timestamp) -> bool {
    let offset = clocks.wall_ms.saturating_sub(received.unix_ms());
    let zero = received.plus_ms(i64::try_from(clocks.boot_ms).unwrap_or(i64::MAX).saturating_neg());
    let offset_moved = clock.offset_ms.is_none_or(|known| known.abs_diff(offset) > DRIFT_MS.unsigned_abs());
    if offset_moved {
        clock.offset_ms = Some(offset);
    }
    let tie = Boot { id: clocks.boot_id, zero, measured: true };
    let moved = if let Some(boot) = clock.boots.iter_mut().find(|boot| boot.id == clocks.boot_id) {
        let moved = !boot.measured || !(-CLOSER_MS..=DRIFT_MS).contains(&zero.ms_since(boot.zero));
        if moved {
            *boot = tie;
        }
        moved
    } else {
        remember(clock, tie);
        true
    };
    moved || offset_moved
}

/// Returns the correction for a batch, and remembers a guessed tie so that the distances within its boot are kept.
pub(super) fn correct(clock: &mut AgentClock, clocks: &Clocks, bounds: Bounds) -> Correction {
    let boot_ms = i64::try_from(clocks.boot_ms).unwrap_or(i64::MAX);
    let known = clock.boots.iter().find(|boot| boot.id == clocks.boot_id).copied();
    if let Some(boot) = known.filter(|boot| boot.measured) {
        // A batch cannot be closed after it arrived: the tie was measured through a slow line.
        let closed = boot.zero.plus_ms(boot_ms).min(bounds.latest);
        return correction(clocks, closed, false);
    }
    let guess = known.map_or_else(
        || Timestamp::from_unix_ms(clocks.wall_ms.saturating_sub(clock.offset_ms.unwrap_or(0))),
        |boot| boot.zero.plus_ms(boot_ms),
    );
    // Whatever boot is running now began after every other boot that reports late.
    let running = clock.boots.iter().rev().find(|boot| boot.measured && boot.id != clocks.boot_id);
    let latest = running.map_or(bounds.latest, |boot| boot.zero.min(bounds.latest)).max(bounds.earliest);
    let closed = guess.clamp(bounds.earliest, latest);
    if known.is_none() {
        let zero = closed.plus_ms(boot_ms.saturating_neg());
        let tie = Boot { id: clocks.boot_id, zero, measured: false };
        // In front of the running boot, which stays the newest.
        let at = clock.boots.len().saturating_sub(usize::from(running.is_some()));
        clock.boots.insert(at, tie);
        forget(clock);
    }
    correction(clocks, closed, true)
}

const fn correction(clocks: &Clocks, closed: Timestamp, uncertain: bool) -> Correction {
    Correction { shift_ms: closed.unix_ms().saturating_sub(clocks.wall_ms), closed, uncertain }
}

fn remember(clock: &mut AgentClock, boot: Boot) {
    clock.boots.push(boot);
    forget(clock);
}

fn forget(clock: &mut AgentClock) {
    if clock.boots.len() > BOOTS_MAX {
        clock.boots.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
    const HOUR_MS: i64 = 3_600_000;

    fn clocks(boot: u8, boot_ms: u64, wall_ms: i64) -> Clocks {
        Clocks { boot_id: [boot; 16], boot_ms, wall_ms }
    }

    fn bounds() -> Bounds {
        Bounds { earliest: NOW.plus_ms(-24 * HOUR_MS), latest: NOW }
    }

    #[test]
    fn a_clock_three_hours_off_gives_the_right_times() {
        let mut clock = AgentClock::default();
        let wrong = NOW.unix_ms() + 3 * HOUR_MS;
        assert!(measure(&mut clock, &clocks(1, 50_000, wrong), NOW));
        assert_eq!(clock.offset_ms, Some(3 * HOUR_MS));
        let it = correct(&mut clock, &clocks(1, 40_000, wrong - 10_000), bounds());
        assert_eq!(it.closed, NOW.plus_ms(-10_000));
        assert_eq!(it.shift_ms, -3 * HOUR_MS);
        assert!(!it.uncertain);
    }

    #[test]
    fn the_wall_clock_may_jump_within_a_known_boot() {
        let mut clock = AgentClock::default();
        measure(&mut clock, &clocks(1, 50_000, 0), NOW);
        let it = correct(&mut clock, &clocks(1, 49_000, 77), bounds());
        assert_eq!(it.closed, NOW.plus_ms(-1_000));
    }

    #[test]
    fn a_boot_never_heard_is_guessed_by_the_last_offset_and_marked() {
        let mut clock = AgentClock::default();
        measure(&mut clock, &clocks(2, 60_000, NOW.unix_ms() + HOUR_MS), NOW);
        let it = correct(&mut clock, &clocks(1, 5_000, NOW.unix_ms() - HOUR_MS), bounds());
        assert!(it.uncertain);
        assert_eq!(it.closed, NOW.plus_ms(-2 * HOUR_MS));
    }

    #[test]
    fn a_dead_clock_is_held_between_what_came_before_and_the_running_boot() {
        let mut clock = AgentClock::default();
        measure(&mut clock, &clocks(2, 60_000, 60_000), NOW);
        clock.offset_ms = None;
        let first = correct(&mut clock, &clocks(1, 5_000, 5_000), bounds());
        assert_eq!(first.closed, bounds().earliest);
        let second = correct(&mut clock, &clocks(1, 65_000, 65_000), bounds());
        assert_eq!(second.closed.ms_since(first.closed), 60_000, "distances within the boot are kept");
        let late = correct(&mut clock, &clocks(3, 5, NOW.unix_ms() + HOUR_MS), bounds());
        assert_eq!(late.closed, NOW.plus_ms(-60_000), "not after the running boot began");
        assert_eq!(clock.boots.last().map(|boot| boot.id), Some([2; 16]));
    }

    #[test]
    fn a_tie_measured_through_a_slow_line_is_bettered_by_a_faster_message() {
        let mut clock = AgentClock::default();
        measure(&mut clock, &clocks(1, 10_000, 0), NOW.plus_ms(3_000));
        assert!(measure(&mut clock, &clocks(1, 20_000, 0), NOW.plus_ms(10_000)));
        assert_eq!(clock.boots[0].zero, NOW.plus_ms(-10_000));
        assert!(!measure(&mut clock, &clocks(1, 30_000, 10_000), NOW.plus_ms(20_010)), "jitter does not show");
    }

    #[test]
    fn boots_are_bounded() {
        let mut clock = AgentClock::default();
        for boot in 0..100 {
            measure(&mut clock, &clocks(boot, 0, 0), NOW);
        }
        assert_eq!(clock.boots.len(), BOOTS_MAX);
    }
}
