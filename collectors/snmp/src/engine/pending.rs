//! The questions that wait for an answer, and which datagram answers which. Pure.
//!
//! Invariant: a datagram answers a question at most once, and only with the number and the community of that question.
//! Numbers are not to be guessed: who cannot see the traffic has one chance in 2^31 for each forged datagram. The table
//! holds at most [`QUESTIONS_MAX`]. An answer that comes from elsewhere than it was asked of is taken and counted: agents
//! with several addresses answer from the one next to the asker. It knows no socket and no clock.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::message::{Opened, Response};
use crate::secret::Secret;

/// How many questions wait at most: more than any machine has in flight, and 4 MB.
pub(super) const QUESTIONS_MAX: usize = 1 << 14;

/// A device as its questions name it.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) address: SocketAddr,
    pub(super) community: Secret,
}

/// An answer and how long it took.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) response: Response,
    pub(super) round_trip: Duration,
}

/// What becomes of a question: an answer, or it could not be sent.
pub(super) type Outcome = io::Result<Received>;

/// What became of the datagrams that a socket received, since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatagramCounts {
    /// Answers that were waited for.
    pub answers: u64,
    /// Of those, answers that came from another address or port than was asked.
    pub from_elsewhere: u64,
    /// Answers that nobody waited for: late, repeated, or forged.
    pub unasked: u64,
    /// Datagrams that are no answers, or damaged before the first value.
    pub unreadable: u64,
    /// Times that the system could not hand over a datagram.
    pub failures: u64,
}

/// The questions that wait.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: HashMap<i32, Waiting>,
    numbers: RandomState,
    asked: u64,
    pub(super) counts: DatagramCounts,
}

#[derive(Debug)]
struct Waiting {
    device: Arc<Device>,
    /// How many values may come.
    expected: usize,
    sent: Instant,
    answer: oneshot::Sender<Outcome>,
}

impl DatagramCounts {
    /// Returns the sums.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            answers: self.answers + other.answers,
            from_elsewhere: self.from_elsewhere + other.from_elsewhere,
            unasked: self.unasked + other.unasked,
            unreadable: self.unreadable + other.unreadable,
            failures: self.failures + other.failures,
        }
    }
}

impl Pending {
    /// Adds a question that is sent at `now`. Returns its number and where its answer comes; `None` when too many wait.
    pub(super) fn add(
        &mut self,
        device: &Arc<Device>,
        expected: usize,
        now: Instant,
    ) -> Option<(i32, oneshot::Receiver<Outcome>)> {
        if self.waiting.len() >= QUESTIONS_MAX {
            return None;
        }
        let number = loop {
            let number = self.number();
            if !self.waiting.contains_key(&number) {
                break number;
            }
        };
        let (answer, coming) = oneshot::channel();
        self.waiting.insert(number, Waiting { device: Arc::clone(device), expected, sent: now, answer });
        Some((number, coming))
    }

    /// Returns a number that follows from nothing that was sent: a keyed hash of a counter. Numbers are positive, for
    /// agents that take the sign for a digit.
    fn number(&mut self) -> i32 {
        self.asked = self.asked.wrapping_add(1);
        let [a, b, c, d, ..] = self.numbers.hash_one(self.asked).to_le_bytes();
        i32::from_le_bytes([a, b, c, d & 0x7f])
    }

    /// Notes that a question is sent only now.
    pub(super) fn sent(&mut self, number: i32, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(&number) {
            waiting.sent = now;
        }
    }

    /// Notes that a question could not be sent.
    pub(super) fn fail(&mut self, number: i32, error: &io::Error) {
        if let Some(waiting) = self.waiting.remove(&number) {
            let again = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            let _ = waiting.answer.send(Err(again));
        }
    }

    /// Forgets a question.
    pub(super) fn forget(&mut self, number: i32) {
        self.waiting.remove(&number);
    }

    /// Returns whether a question waits.
    pub(super) fn waits(&self, number: i32) -> bool {
        self.waiting.contains_key(&number)
    }

    /// Returns how many questions wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a datagram that came from an address at a time.
    pub(super) fn take(&mut self, datagram: &[u8], from: SocketAddr, at: Instant) {
        let Ok(opened) = Opened::read(datagram) else {
            self.counts.unreadable += 1;
            return;
        };
        let asked = self.waiting.get(&opened.request_id);
        let Some(waiting) = asked.filter(|waiting| waiting.device.community.reveal() == opened.community) else {
            self.counts.unasked += 1;
            return;
        };
        let elsewhere = (waiting.device.address.ip(), waiting.device.address.port()) != (from.ip(), from.port());
        let response = opened.response(waiting.expected);
        if response.is_useless() {
            // The question goes on waiting: what was damaged on the way may come whole when it is asked again.
            self.counts.unreadable += 1;
            return;
        }
        if let Some(waiting) = self.waiting.remove(&opened.request_id) {
            self.counts.answers += 1;
            self.counts.from_elsewhere += u64::from(elsewhere);
            // Whoever asked may have given up this very moment.
            let round_trip = at.saturating_duration_since(waiting.sent);
            let _ = waiting.answer.send(Ok(Received { response, round_trip }));
        }
    }
}

#[cfg(test)]
mod tests;
