//! How far the log is that replicas share: which log it is, who wrote into it up to where, and who may act on the outside.
//!
//! Invariant: it follows from the log alone, so that all replicas have the same at the same position; it is kept in the same batch as
//! what the record at that position changed.

use std::collections::BTreeMap;

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use super::Estate;

/// How long, in milliseconds of the log's time, whoever ticked last is the one who may act on the outside.
pub const LEASE_MS: i64 = 5_000;
/// Writers whose marks are kept; more replicas than this are not served.
pub const WRITERS_MAX: usize = 32;

/// How far the shared log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogState {
    /// Its name.
    pub stream: String,
    /// When it was made: another one of the same name is another log.
    pub created: Timestamp,
    /// The position of the last record before the log's first one.
    pub base: u64,
    /// How far each replica's records are, by the replica's name.
    pub writers: BTreeMap<String, WriterMark>,
    /// Who may act on the outside.
    pub lease: Option<Lease>,
    /// By what the last entry is known again: a log that lost its end and grew anew has another one there.
    pub last: Option<u64>,
    /// The position through which whoever keeps series has what was measured.
    #[serde(default)]
    pub relayed: u64,
}

/// How far a replica's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterMark {
    /// Which start of the replica: later ones are greater.
    pub incarnation: u64,
    /// The last record taken from it, from 1 in each incarnation.
    pub number: u64,
}

/// Who may act on the outside, and how long by the log's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The replica.
    pub holder: String,
    /// Which start of it.
    pub incarnation: u64,
    /// Until when.
    pub until: Timestamp,
}

impl LogState {
    /// Returns the state at the beginning of a log.
    pub const fn new(stream: String, created: Timestamp, base: u64) -> Self {
        Self { stream, created, base, writers: BTreeMap::new(), lease: None, last: None, relayed: 0 }
    }

    /// Takes the record `number` of a writer in, if it is that one's next. One that was appended twice, or in front of one that got
    /// lost and will come again, is not: numbers have no gaps.
    pub fn admit(&mut self, writer: &str, incarnation: u64, number: u64) -> bool {
        let next = match self.writers.get(writer) {
            Some(mark) if mark.incarnation == incarnation => mark.number + 1,
            Some(mark) if mark.incarnation > incarnation => return false,
            None if self.writers.len() >= WRITERS_MAX => return false,
            Some(_) | None => 1,
        };
        if number == next {
            self.writers.insert(writer.to_owned(), WriterMark { incarnation, number });
        }
        number == next
    }

    /// Gives, or renews, the lease by a tick that was appended at `time`; who ticks while another has it gets nothing.
    pub fn ticked(&mut self, writer: &str, incarnation: u64, time: Timestamp) {
        let others = self.lease.as_ref().filter(|it| !it.is_of(writer, incarnation) && time < it.until);
        if others.is_none() {
            self.lease = Some(Lease { holder: writer.to_owned(), incarnation, until: time.plus_ms(LEASE_MS) });
        }
    }
}

impl Estate {
    /// Notes from when on agents can be heard here: silence counts from then.
    pub(crate) fn hears_from(&mut self, time: Timestamp) {
        self.started = time;
        self.judging.get_mut().stale = true;
    }

    /// Notes that what is concluded here counts from now on: everything is concluded once more, since what was concluded before may have
    /// been dropped for what another replica said, and that one may be gone before it came to the same.
    pub(crate) fn concludes_from(&mut self, time: Timestamp) {
        self.judging.get_mut().stale = true;
        let inferred = self.sites.values().filter(|state| !state.devices.is_empty()).map(|state| state.id);
        let unsettled = self.unsettled.get_mut();
        for site in inferred {
            if !unsettled.contains_key(&site) {
                unsettled.insert(site, time);
            }
        }
    }
}

impl Lease {
    /// Returns whether it is this replica's.
    pub fn is_of(&self, writer: &str, incarnation: u64) -> bool {
        (self.holder.as_str(), self.incarnation) == (writer, incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> LogState {
        LogState::new("log".into(), Timestamp::EPOCH, 7)
    }

    #[test]
    fn a_writers_records_are_taken_once_and_in_order_whatever_was_appended_twice() {
        let mut log = state();
        let appended = [1, 2, 2, 4, 3, 4, 3, 4, 5];
        let taken: Vec<u64> = appended.into_iter().filter(|number| log.admit("a", 10, *number)).collect();
        assert_eq!(taken, [1, 2, 3, 4, 5]);
        assert!(log.admit("b", 3, 1), "writers do not know of each other");
    }

    #[test]
    fn what_an_earlier_start_of_a_replica_appended_late_is_not_taken() {
        let mut log = state();
        assert!(log.admit("a", 10, 1) && log.admit("a", 11, 1));
        assert!(!log.admit("a", 10, 2));
        assert!(!log.admit("a", 12, 2), "a new start begins with its first record");
        assert!(log.admit("a", 11, 2));
    }

    #[test]
    fn writers_are_bounded() {
        let mut log = state();
        let taken = (0..100).filter(|number| log.admit(&format!("w{number}"), 1, 1)).count();
        assert_eq!(taken, WRITERS_MAX);
    }

    #[test]
    fn the_lease_goes_to_another_only_when_its_holder_did_not_tick_in_time() {
        let mut log = state();
        let at = |ms| Timestamp::EPOCH.plus_ms(ms);
        let holder = |log: &LogState| log.lease.as_ref().map(|it| it.holder.clone());
        log.ticked("a", 1, at(0));
        log.ticked("b", 1, at(LEASE_MS - 1));
        assert_eq!(holder(&log).as_deref(), Some("a"));
        log.ticked("a", 1, at(LEASE_MS - 1));
        log.ticked("b", 1, at(LEASE_MS + 10));
        assert_eq!(holder(&log).as_deref(), Some("a"), "it was renewed");
        log.ticked("b", 1, at(2 * LEASE_MS));
        assert_eq!(holder(&log).as_deref(), Some("b"));
        log.ticked("a", 2, at(2 * LEASE_MS + 1));
        assert_eq!(holder(&log).as_deref(), Some("b"), "a replica that starts again has no claim");
    }
}
