//! The two lanes of an agent: what is under way, what is acknowledged, and where both go on after a new welcome.
//!
//! Invariant: a state batch is kept until it is acknowledged, and is said again as it was; nothing else is. History is not kept at
//! all: which counters the batch of a sequence carries follows from the site and the sequence.
//!
//! It knows neither line nor clock, nor what facts are about.

use std::collections::VecDeque;

use onenet_wire::{Batch, Clocks, Content, GroupChanges, Lane, Position, Rejection, RejectionReason};

/// History batches in flight, as an agent has them.
const WINDOW: u64 = 4;
/// History batches that wait before they are back-fill.
const BACKFILL: u64 = 8;
/// Bytes a second that back-fill may take.
const BACKFILL_BYTES_PER_S: u64 = 32 << 10;

/// Where both lanes are.
#[derive(Debug)]
pub(crate) struct Book {
    epochs: [u64; 2],
    /// The last state batch that was cut, and what stands in it while it is not acknowledged.
    state: u64,
    outstanding: Option<Vec<GroupChanges>>,
    in_flight: bool,
    waiting: VecDeque<Vec<GroupChanges>>,
    /// History batches sent on this connection, and committed by the centre.
    sent: u64,
    committed: u64,
    /// Milliseconds since the machine's start before which back-fill waits.
    backfill_from_ms: u64,
}

/// What a welcome leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Nothing: the centre is where it was.
    Resumed,
    /// Everything is to be said anew.
    Anew,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The state batch.
    State,
    /// The history batch of this sequence.
    History(u64),
    /// Nothing before this moment, if there is one.
    Nothing(Option<u64>),
}

impl Book {
    /// Returns an empty book; the epochs follow from the number.
    pub(crate) fn new(number: u64) -> Self {
        Self {
            epochs: [number | 1, number | 1],
            state: 0,
            outstanding: None,
            in_flight: false,
            waiting: VecDeque::new(),
            sent: 0,
            committed: 0,
            backfill_from_ms: 0,
        }
    }

    /// Returns the last batch of each lane, for a hello. `written` is the number of history batches so far.
    pub(crate) fn lanes(&self, written: u64) -> Vec<Position> {
        vec![self.position(Lane::State, self.state), self.position(Lane::History, written)]
    }

    /// Returns the place of the last state batch.
    pub(crate) const fn last_state(&self) -> Position {
        self.position(Lane::State, self.state)
    }

    /// Returns the place of a history batch.
    pub(crate) const fn history(&self, sequence: u64) -> Position {
        self.position(Lane::History, sequence)
    }

    const fn position(&self, lane: Lane, sequence: u64) -> Position {
        let [state, history] = self.epochs;
        let epoch = match lane {
            Lane::State => state,
            Lane::History => history,
        };
        Position { lane, epoch, sequence }
    }

    /// Goes on behind what the centre has committed.
    pub(crate) fn open(&mut self, committed: &[Position]) -> Opened {
        let of = |lane: Lane| {
            let epoch = self.position(lane, 0).epoch;
            committed.iter().find(|it| it.lane == lane && it.epoch == epoch).map_or(0, |it| it.sequence)
        };
        let (state, history) = (of(Lane::State), of(Lane::History));
        self.in_flight = false;
        self.sent = history;
        self.committed = history;
        if state == self.state {
            self.outstanding = None;
            return if state == 0 && self.waiting.is_empty() { Opened::Anew } else { Opened::Resumed };
        }
        if self.outstanding.is_some() && state + 1 == self.state {
            return Opened::Resumed;
        }
        self.renew();
        Opened::Anew
    }

    /// Begins the state lane anew: everything is to be said again.
    pub(crate) fn renew(&mut self) {
        self.epochs[0] = self.epochs[0].wrapping_add(2);
        self.state = 0;
        self.outstanding = None;
        self.in_flight = false;
        self.waiting.clear();
    }

    /// Puts batches behind what waits.
    pub(crate) fn put(&mut self, batches: impl IntoIterator<Item = Vec<GroupChanges>>) {
        self.waiting.extend(batches);
    }

    /// Returns whether everything of the state lane is acknowledged.
    pub(crate) fn is_told(&self) -> bool {
        self.outstanding.is_none() && self.waiting.is_empty()
    }

    /// Returns whether nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self, written: u64) -> bool {
        self.is_told() && self.committed == written
    }

    /// Returns how many history batches the centre has committed.
    pub(crate) const fn committed(&self) -> u64 {
        self.committed
    }

    /// Returns what is due.
    pub(crate) fn due(&self, written: u64, now_ms: u64) -> Due {
        if !self.in_flight && !self.is_told() {
            return Due::State;
        }
        if self.sent >= written || self.sent - self.committed >= WINDOW {
            return Due::Nothing(None);
        }
        if written - self.sent > BACKFILL && now_ms < self.backfill_from_ms {
            return Due::Nothing(Some(self.backfill_from_ms));
        }
        Due::History(self.sent + 1)
    }

    /// Returns the state batch to be sent; the next one is cut where none is outstanding.
    pub(crate) fn cut(&mut self, clocks: Clocks) -> Option<Batch> {
        if self.outstanding.is_none() {
            self.outstanding = Some(self.waiting.pop_front()?);
            self.state += 1;
        }
        self.in_flight = true;
        let content = Content::State(self.outstanding.clone()?);
        Some(Batch { position: self.last_state(), clocks, content })
    }

    /// Takes note that a history batch of so many bytes is on its way.
    pub(crate) fn sent_history(&mut self, sequence: u64, bytes: usize, written: u64, now_ms: u64) {
        if written - self.sent > BACKFILL {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.backfill_from_ms = self.backfill_from_ms.max(now_ms) + bytes * 1_000 / BACKFILL_BYTES_PER_S;
        }
        self.sent = sequence;
    }

    /// Takes note of an acknowledgement. Returns how many facts it covers that were not acknowledged before.
    pub(crate) fn acknowledged(&mut self, position: Position) -> usize {
        if position.epoch != self.position(position.lane, 0).epoch {
            return 0;
        }
        match position.lane {
            Lane::State if position.sequence >= self.state && self.in_flight => {
                self.in_flight = false;
                self.outstanding.take().map_or(0, |groups| groups.iter().map(|it| it.changes.len()).sum())
            }
            Lane::State => 0,
            Lane::History => {
                self.committed = self.committed.max(position.sequence);
                self.sent = self.sent.max(self.committed);
                0
            }
        }
    }

    /// Takes note of a rejection; a gap sends the lane back. What the centre calls invalid is the simulator's fault, and stays
    /// outstanding, so that a run shows it.
    pub(crate) fn rejected(&mut self, rejection: &Rejection) {
        let position = rejection.position;
        if rejection.reason == RejectionReason::Gap && position.lane == Lane::History {
            self.sent = position.sequence;
        }
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::fact::{Group, Method, Scope};

    use super::*;

    const NOW: Clocks = Clocks { boot_id: [1; 16], boot_ms: 5, wall_ms: 5 };

    fn batch() -> Vec<GroupChanges> {
        let group = Group { method: Method::PassiveArp, scope: Scope::new("eth1") };
        vec![GroupChanges { group, changes: Vec::new(), complete: None }]
    }

    fn told(count: usize) -> Book {
        let mut book = Book::new(8);
        assert_eq!(book.open(&[]), Opened::Anew);
        book.put((0..count).map(|_| batch()));
        book
    }

    #[test]
    fn a_state_batch_is_alone_under_way_and_is_said_again_after_a_break() {
        let mut book = told(2);
        assert_eq!(book.due(0, 0), Due::State);
        let first = book.cut(NOW).unwrap();
        assert_eq!(book.due(0, 0), Due::Nothing(None));
        assert_eq!(book.open(&[]), Opened::Resumed, "the centre does not have it");
        assert_eq!(book.cut(NOW).unwrap().position, first.position);
        assert_eq!(book.open(&[first.position]), Opened::Resumed, "the centre has it, its acknowledgement was lost");
        assert_eq!(book.cut(NOW).unwrap().position.sequence, 2);
        book.acknowledged(Position { sequence: 2, ..first.position });
        assert!(book.is_told());
    }

    #[test]
    fn a_centre_with_another_past_is_told_everything_in_a_new_epoch() {
        let mut book = told(3);
        for _ in 0..2 {
            let position = book.cut(NOW).unwrap().position;
            book.acknowledged(position);
        }
        let before = book.last_state();
        assert_eq!(book.open(&[]), Opened::Anew);
        assert_ne!(book.last_state().epoch, before.epoch);
    }

    #[test]
    fn history_has_a_window_and_back_fill_a_rate() {
        let mut book = told(0);
        for sequence in 1..=4 {
            assert_eq!(book.due(20, 1_000), Due::History(sequence));
            book.sent_history(sequence, 0, 20, 1_000);
        }
        assert_eq!(book.due(20, 1_000), Due::Nothing(None));
        book.sent_history(4, 32 << 10, 20, 1_000);
        book.acknowledged(book.history(4));
        assert_eq!(book.due(20, 1_000), Due::Nothing(Some(2_000)));
        assert_eq!(book.due(20, 2_000), Due::History(5));
        assert!(!book.is_idle(20));
    }
}
