//! What openings of TCP connections say of who is behind an address.
//!
//! Invariant: the system behind an address is told only from openings that were not forwarded. One that comes from the
//! endpoint's own address and has passed a router was sent by somebody behind it; one from another address was handed on.
//! Once is chance: it takes [`OFTEN`] of them.

use std::net::IpAddr;

use onenet_topology::classify::SignKind;

use crate::{
    FrameTime,
    facts::{Opening, Value},
};

/// How many openings it takes to believe what is unusual.
const OFTEN: u8 = 3;
/// The most routers behind an endpoint: beyond, a time to live was chosen by hand, as scanners do.
const HIDDEN_HOPS_MAX: u8 = 2;
/// How long a peer is waited for before the clocks of openings to another one are followed.
const PEER_NS: u64 = 600_000_000_000;
/// Ticks a second that systems' timestamp clocks have.
const RATES_HZ: [i64; 3] = [1_000, 250, 100];
/// By how much a clock may be off: two seconds of the fastest, and a tenth of what passed.
const SLACK_TICKS: i64 = 2_000;

/// What is remembered of an endpoint's openings.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Openings from its own address that had passed a router.
    hidden: u8,
    /// Openings from other addresses that had passed a router.
    forwarded: u8,
    clocks: Clocks,
}

/// The timestamp clocks of openings to one peer. A system counts by one clock to each peer (RFC 7323, section 5.4); two
/// that run side by side are two systems.
#[derive(Debug, Default)]
struct Clocks {
    peer: Option<IpAddr>,
    seen: FrameTime,
    lines: [Option<(u32, FrameTime)>; 2],
    last: usize,
    /// How often openings went from one line to the other.
    turns: u8,
}

impl Openings {
    /// Notes an opening from an address that is bound to the endpoint (`own`) or another. Hands what it says to `say`.
    pub(super) fn note(
        &mut self,
        time: FrameTime,
        opening: &Opening,
        own: bool,
        mut say: impl FnMut(SignKind, Value<'_>),
    ) {
        match (own, opening.hops) {
            (true, 0) => say(SignKind::TcpOpening, Value::Traits(opening.traits)),
            (true, 1..=HIDDEN_HOPS_MAX) => {
                self.hidden = self.hidden.saturating_add(1);
                if self.hidden >= OFTEN {
                    say(SignKind::HiddenHop, Value::Text(if opening.hops == 1 { b"1" } else { b"2" }));
                }
            }
            (false, 1..) => {
                self.forwarded = self.forwarded.saturating_add(1);
                if self.forwarded >= OFTEN {
                    say(SignKind::Forwards, Value::Text(b"forwards"));
                }
            }
            _ => {}
        }
        if let (true, Some(clock)) = (own, opening.clock)
            && self.clocks.note(time, opening.peer, clock)
        {
            say(SignKind::TcpClocks, Value::Text(b"2"));
        }
    }
}

impl Clocks {
    /// Notes a clock's value. Returns whether two clocks run side by side.
    fn note(&mut self, time: FrameTime, peer: IpAddr, clock: u32) -> bool {
        if self.peer != Some(peer) {
            if self.peer.is_some() && time.unix_ns().abs_diff(self.seen.unix_ns()) < PEER_NS {
                return false;
            }
            *self = Self { peer: Some(peer), ..Self::default() };
        }
        self.seen = time;
        let fits = |line: &Option<(u32, FrameTime)>| line.is_some_and(|line| continues(line, (clock, time)));
        let Some(at) = self.lines.iter().position(fits) else {
            // A free line, or else the one that was not used last.
            let at = self.lines.iter().position(Option::is_none).unwrap_or(1 - self.last.min(1));
            if let Some(line) = self.lines.get_mut(at) {
                *line = Some((clock, time));
            }
            self.last = at;
            return false;
        };
        if at != self.last {
            self.turns = self.turns.saturating_add(1);
        }
        self.last = at;
        if let Some(line) = self.lines.get_mut(at) {
            *line = Some((clock, time));
        }
        self.turns >= OFTEN
    }
}

/// Returns whether the second value may come from the clock that showed the first.
fn continues(before: (u32, FrameTime), after: (u32, FrameTime)) -> bool {
    let passed_ms = after.1.ns_since(before.1) / 1_000_000;
    let ticks = i64::from(after.0.wrapping_sub(before.0).cast_signed());
    RATES_HZ.iter().any(|rate| {
        let expected = passed_ms.saturating_mul(*rate) / 1_000;
        ticks.abs_diff(expected) <= SLACK_TICKS.saturating_add(expected.abs() / 10).unsigned_abs()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(openings: &[(i64, u32)]) -> bool {
        let mut clocks = Clocks::default();
        let peer = [192, 0, 2, 1].into();
        openings
            .iter()
            .fold(false, |found, (s, clock)| clocks.note(FrameTime::from_parts(*s, 0), peer, *clock) || found)
    }

    #[test]
    fn one_clock_of_whatever_rate_is_one_system_even_when_it_starts_anew() {
        assert!(!run(&[(0, 5_000), (10, 15_000), (20, 25_000), (300, 305_000), (310, 315_000)]));
        assert!(!run(&[(0, 5_000), (10, 7_500), (20, 10_000)]));
        assert!(!run(&[(0, 5_000_000), (60, 5_060_000), (120, 4_000), (180, 64_000), (240, 124_000)]));
        assert!(!run(&[(0, u32::MAX - 500), (1, 500), (2, 1_500)]));
    }

    #[test]
    fn two_clocks_in_turns_are_two_systems() {
        let turns: Vec<_> =
            (0..8_u32).map(|s| (s.into(), if s % 2 == 0 { 5_000 } else { 90_000_000 } + s * 1_000)).collect();
        assert!(run(&turns));
    }

    #[test]
    fn clocks_that_begin_anew_with_each_connection_say_nothing() {
        let mut value = 1_u32;
        let openings: Vec<_> = (0..200)
            .map(|s| {
                value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (s, value)
            })
            .collect();
        assert!(!run(&openings));
    }
}
