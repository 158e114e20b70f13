//! How much each device may say, and what became of what was said. Pure.
//!
//! Invariant: a device that says the same thing without end costs a bounded share of the agent, and takes nothing from other
//! devices; whatever is not looked at is counted.

use std::{collections::BTreeMap, net::IpAddr};

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

/// How many notifications of one device are taken at once: a stack that restarts tells of each of its ports.
const BURST_MAX: i64 = 64;

/// How long a device has to be quiet to be allowed one more, in milliseconds.
const REFILL_MS: i64 = 500;

/// How many senders are told apart: as many devices as an agent may be given. Unknown senders are not among them.
const SENDERS_MAX: usize = 20_000;

/// What became of datagrams since the agent started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapCounts {
    /// Notifications that were believed and told.
    pub taken: u64,
    /// Of those, informs that were answered.
    pub answered: u64,
    /// Not believed, by reason: `unknown_source`, `wrong_community`, `undecodable` …
    pub refused: BTreeMap<String, u64>,
    /// Not looked at, since the device said too much at a time.
    pub held_back: u64,
}

/// The credit of each sender.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    senders: BTreeMap<IpAddr, Credit>,
}

#[derive(Debug, Clone, Copy)]
struct Credit {
    left: i64,
    at: Timestamp,
}

impl Admission {
    /// Returns whether one more datagram of a sender is looked at.
    pub(crate) fn admits(&mut self, sender: IpAddr, now: Timestamp) -> bool {
        if self.senders.len() >= SENDERS_MAX && !self.senders.contains_key(&sender) {
            self.senders.retain(|_, credit| credit.filled(now).left < BURST_MAX);
        }
        if self.senders.len() >= SENDERS_MAX && !self.senders.contains_key(&sender) {
            return false;
        }
        let credit = self.senders.entry(sender).or_insert(Credit { left: BURST_MAX, at: now });
        *credit = credit.filled(now);
        let admitted = credit.left > 0;
        credit.left -= i64::from(admitted);
        admitted
    }
}

impl Credit {
    fn filled(self, now: Timestamp) -> Self {
        let earned = now.ms_since(self.at).max(0) / REFILL_MS;
        let left = self.left.saturating_add(earned).min(BURST_MAX);
        Self { left, at: self.at.plus_ms(earned.saturating_mul(REFILL_MS)) }
    }
}

impl TrapCounts {
    /// Counts a datagram that was not believed.
    pub(crate) fn refuse(&mut self, reason: &str) {
        // Reasons are a closed set of words.
        let count = self.refused.entry(reason.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_000_000 + ms)
    }

    #[test]
    fn a_flood_of_one_device_is_held_back_and_another_device_is_heard() {
        let mut admission = Admission::default();
        let (loud, quiet) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let taken = (0..10_000).filter(|ms| admission.admits(loud, at(*ms))).count();
        assert_eq!(taken, 64 + 19, "a burst, then two a second");
        assert!(admission.admits(quiet, at(10_000)));
    }

    proptest! {
        #[test]
        fn no_sender_gets_more_than_its_burst_and_its_share(gaps in prop::collection::vec(0i64..2_000, 1..300)) {
            let mut admission = Admission::default();
            let mut now = 0;
            let mut taken = 0;
            for gap in gaps {
                now += gap;
                taken += i64::from(admission.admits([10, 0, 0, 1].into(), at(now)));
                prop_assert!(taken <= BURST_MAX + now / REFILL_MS);
            }
        }
    }
}
