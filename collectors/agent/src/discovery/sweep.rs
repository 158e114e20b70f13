//! A sweep: when which address is asked, and when it is over. Pure.
//!
//! Invariants: each address is asked once, at the pace that was given; a pause of the machine is not made up for by a burst;
//! after the last question it waits a few of the longest round trips that were measured, and no longer.

use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

use super::space::{Answered, Order, Space};

/// How much of the pace may follow at once after a pause, in microseconds, and how many questions in any case: a busy machine
/// wakes late.
const BURST_US: u64 = 50_000;
const BURST: u64 = 32;

/// How long answers are waited for after the last question: so many of the longest round trip, within bounds, in
/// microseconds.
const TRIPS: u64 = 4;
const LAST_MIN_US: u64 = 500_000;
const LAST_MAX_US: u64 = 3_000_000;

/// A running sweep.
#[derive(Debug)]
pub(crate) struct Sweep {
    order: Order,
    answered: Answered,
    /// What is asked in another way.
    skip: Vec<Ipv4Network>,
    gap_us: u64,
    /// When the next question may go out.
    next_us: u64,
    asked: u64,
    longest_us: u64,
    last_us: u64,
    over: bool,
    dice: u64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask this address.
    Ask(Ipv4Addr),
    /// Do nothing before this time.
    WaitUntil(u64),
    /// It is over.
    Done,
}

impl Sweep {
    /// Returns a sweep of `space` without `skip` that begins at `now_us`.
    pub(crate) fn new(space: &Space, skip: Vec<Ipv4Network>, packets_per_s: u32, seed: u64, now_us: u64) -> Self {
        Self {
            order: space.order(seed),
            answered: space.answered(),
            skip,
            gap_us: 1_000_000 / u64::from(packets_per_s.max(1)),
            next_us: now_us,
            asked: 0,
            longest_us: 0,
            last_us: now_us,
            over: false,
            dice: seed | 1,
        }
    }

    /// Decides what to do at `now_us`.
    pub(crate) fn step(&mut self, now_us: u64) -> Step {
        if self.over {
            let end_us = self.last_us + (self.longest_us * TRIPS).clamp(LAST_MIN_US, LAST_MAX_US);
            let nothing_asked = self.asked == 0;
            return if nothing_asked || now_us >= end_us { Step::Done } else { Step::WaitUntil(end_us) };
        }
        self.next_us = self.next_us.max(now_us.saturating_sub(BURST_US.max(BURST * self.gap_us)));
        if self.next_us > now_us {
            return Step::WaitUntil(self.next_us);
        }
        let skip = &self.skip;
        if let Some(address) = self.order.find(|address| !skip.iter().any(|prefix| prefix.contains(*address))) {
            self.next_us += self.jittered_us();
            self.last_us = now_us;
            self.asked += 1;
            Step::Ask(address)
        } else {
            self.over = true;
            self.step(now_us)
        }
    }

    /// Notes that an address answered, and how long it took where that is known.
    pub(crate) fn heard(&mut self, address: Ipv4Addr, round_trip_us: Option<u64>) {
        if self.answered.note(address) {
            self.longest_us = self.longest_us.max(round_trip_us.unwrap_or_default());
        }
    }

    /// Returns how many addresses were asked.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    /// Returns which addresses answered.
    pub(crate) fn answered(&self) -> &Answered {
        &self.answered
    }

    /// Returns a gap from half to one and a half of the mean (xorshift).
    fn jittered_us(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.gap_us / 2 + self.dice % (self.gap_us + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(prefix: &str, packets_per_s: u32) -> Sweep {
        let space = Space::new(&[prefix.parse().unwrap()]);
        Sweep::new(&space, Vec::new(), packets_per_s, 5, 0)
    }

    /// Runs a sweep with a clock that stands still only as long as there is something to do. Returns when it was over.
    fn run(sweep: &mut Sweep, mut on_ask: impl FnMut(&mut Sweep, Ipv4Addr, u64)) -> u64 {
        let mut now_us = 0;
        loop {
            match sweep.step(now_us) {
                Step::Ask(address) => on_ask(sweep, address, now_us),
                Step::WaitUntil(next_us) => now_us = next_us.max(now_us + 1),
                Step::Done => return now_us,
            }
        }
    }

    #[test]
    fn an_empty_16_costs_its_packets_and_takes_minutes() {
        let mut swept = sweep("10.0.0.0/16", 500);
        let over_us = run(&mut swept, |_, _, _| {});
        assert_eq!((swept.asked(), swept.answered().addresses().count()), (65_534, 0));
        assert!((125_000_000..140_000_000).contains(&over_us), "{over_us}");
    }

    #[test]
    fn no_second_has_more_questions_than_its_pace_and_a_burst() {
        let mut swept = sweep("10.0.0.0/18", 1_000);
        let mut times = Vec::new();
        run(&mut swept, |_, _, now_us| times.push(now_us));
        let most =
            times.iter().enumerate().map(|(at, time)| times[at..].partition_point(|other| *other < time + 1_000_000));
        assert!(most.max().unwrap() <= 1_000 + 120, "half a per cent of jitter, and the burst");
    }

    #[test]
    fn a_pause_of_the_machine_is_not_made_up_for() {
        let mut swept = sweep("10.0.0.0/20", 1_000);
        assert!(matches!(swept.step(0), Step::Ask(_)));
        let at_once = std::iter::repeat_with(|| swept.step(60_000_000)).take_while(|step| matches!(step, Step::Ask(_)));
        assert!(at_once.count() <= 100);
    }

    #[test]
    fn the_end_waits_for_the_slowest_and_what_was_not_asked_is_not_counted() {
        let mut swept = sweep("10.0.0.0/30", 1_000);
        let mut last_us = 0;
        let over_us = run(&mut swept, |sweep, address, now_us| {
            last_us = now_us;
            sweep.heard(address, Some(300_000));
            sweep.heard([192, 0, 2, 1].into(), Some(9_000_000));
        });
        assert_eq!(over_us - last_us, 1_200_000);
        assert_eq!(swept.answered().addresses().count(), 2);
    }

    #[test]
    fn what_is_asked_otherwise_is_left_out() {
        let space = Space::new(&["10.0.0.0/23".parse().unwrap()]);
        let mut swept = Sweep::new(&space, vec!["10.0.1.0/24".parse().unwrap()], 1_000, 1, 0);
        run(&mut swept, |_, address, _| assert_eq!(address.octets()[2], 0));
        assert_eq!(swept.asked(), 255);
    }
}
