//! The logic of the two lanes on one connection, pure: what to send next, and what an answer means.
//!
//! Invariants: at most one state batch and [`HISTORY_WINDOW`] history batches are in flight; a lane goes on exactly behind
//! what the centre says it committed. Where that is not possible, because one side lost data or a cap tore a hole, the lane
//! begins a new epoch: it is never guessed what the other side has.
//!
//! This module knows neither disk nor line nor clock.

use onenet_wire::{Lane, Position, Rejection, RejectionReason};

use crate::spool::View;

/// History batches in flight: enough to fill a slow line over its round trip, few enough that state never waits long.
pub(super) const HISTORY_WINDOW: u64 = 4;
/// History batches that may wait before they count as back-fill and are sent no faster than the configured rate.
pub(super) const BACKFILL_BATCHES: u64 = 8;

/// Where both lanes are on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lanes {
    state_in_flight: bool,
    history_sent: u64,
    history_committed: u64,
    /// The committed sequence to which the last gap sent the lane back: the other batches in flight report the same gap.
    rewound_to: Option<u64>,
}

/// What an answer of the centre does to the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Forget what is committed.
    Acknowledge(Position),
    /// Begin a new epoch, and call [`Lanes::renewed`].
    Renew(Lane, &'static str),
    /// Keep the refused batch apart.
    SetAside(Position, String),
}

/// What to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The outstanding state batch; where there is none, make it first.
    State,
    /// The history batch of this sequence.
    History {
        /// Its sequence in the present epoch.
        sequence: u64,
        /// Whether it is back-fill and must keep the rate.
        backfill: bool,
    },
    /// Nothing now.
    Nothing,
}

impl Lanes {
    /// Returns the lanes as the centre's welcome leaves them, and what follows for the spool.
    pub(super) fn open(view: &View, committed: &[Position]) -> (Self, Vec<Action>) {
        let mut lanes = Self { state_in_flight: false, history_sent: 0, history_committed: 0, rewound_to: None };
        let of = |lane| committed.iter().copied().find(|position| position.lane == lane);
        let mut actions = lanes.resume_state(view, of(Lane::State));
        actions.extend(lanes.resume_history(view, of(Lane::History)));
        (lanes, actions)
    }

    /// Takes note that a lane began a new epoch.
    pub(super) const fn renewed(&mut self, lane: Lane) {
        match lane {
            Lane::State => self.state_in_flight = false,
            Lane::History => {
                self.history_sent = 0;
                self.history_committed = 0;
                self.rewound_to = None;
            }
        }
    }

    /// Returns what an acknowledgement does. Those of other epochs are late, and mean nothing.
    pub(super) fn acknowledged(&mut self, view: &View, position: Position) -> Option<Action> {
        match position.lane {
            Lane::State if position.epoch == view.state.epoch => {
                if position.sequence >= view.state.sequence {
                    self.state_in_flight = false;
                }
            }
            Lane::History if position.epoch == view.history.epoch => {
                self.history_committed = self.history_committed.max(position.sequence);
                self.history_sent = self.history_sent.max(position.sequence);
                self.rewound_to = None;
            }
            _ => return None,
        }
        Some(Action::Acknowledge(position))
    }

    /// Returns what a rejection does. Those of other epochs are late, and mean nothing.
    pub(super) fn rejected(&mut self, view: &View, rejection: &Rejection) -> Vec<Action> {
        let position = rejection.position;
        let ours = match position.lane {
            Lane::State => view.state.epoch,
            Lane::History => view.history.epoch,
        };
        match rejection.reason {
            RejectionReason::Invalid if position.epoch == ours => {
                match position.lane {
                    Lane::State => self.state_in_flight = false,
                    Lane::History => self.history_committed = self.history_committed.max(position.sequence),
                }
                vec![Action::SetAside(position, rejection.detail.clone())]
            }
            RejectionReason::EpochRetired if position.epoch == ours => {
                vec![Action::Renew(position.lane, "the centre retired the epoch")]
            }
            RejectionReason::Gap => match position.lane {
                Lane::State => self.resume_state(view, Some(position)),
                Lane::History if position.epoch == ours && self.rewound_to == Some(position.sequence) => Vec::new(),
                Lane::History => {
                    let actions = self.resume_history(view, Some(position));
                    self.rewound_to = Some(position.sequence);
                    actions
                }
            },
            RejectionReason::Invalid | RejectionReason::EpochRetired => Vec::new(),
        }
    }

    /// Returns what to send next. `settled` says that no more state is expected at once, so that what changes together goes
    /// together; `backfill` that the rate allows back-fill.
    pub(super) const fn next(&self, view: &View, settled: bool, backfill: bool) -> Next {
        if !self.state_in_flight && (view.outstanding || (view.state_waiting && settled)) {
            return Next::State;
        }
        let sequence = self.history_sent + 1;
        if sequence > view.history.sequence || self.history_sent - self.history_committed >= HISTORY_WINDOW {
            return Next::Nothing;
        }
        let is_backfill = view.history.sequence - self.history_sent > BACKFILL_BATCHES;
        if is_backfill && !backfill { Next::Nothing } else { Next::History { sequence, backfill: is_backfill } }
    }

    /// Takes note that the outstanding state batch is on its way.
    pub(super) const fn sent_state(&mut self) {
        self.state_in_flight = true;
    }

    /// Takes note that a history batch is on its way.
    pub(super) const fn sent_history(&mut self, sequence: u64) {
        self.history_sent = sequence;
    }

    /// Returns whether an answer is due.
    pub(super) const fn in_flight(&self) -> bool {
        self.state_in_flight || self.history_sent > self.history_committed
    }

    /// The centre must have everything of our epoch, or everything but the batch that is outstanding.
    fn resume_state(&mut self, view: &View, committed: Option<Position>) -> Vec<Action> {
        self.state_in_flight = false;
        let last = view.state.sequence;
        let has =
            committed.filter(|position| position.epoch == view.state.epoch).map_or(0, |position| position.sequence);
        if has == last {
            return vec![Action::Acknowledge(view.state)];
        }
        if view.outstanding && has + 1 == last {
            return Vec::new();
        }
        vec![Action::Renew(Lane::State, "the centre has another past of the state lane")]
    }

    /// The centre must have everything that we no longer have, and nothing that we never wrote.
    fn resume_history(&mut self, view: &View, committed: Option<Position>) -> Vec<Action> {
        let known = committed.filter(|position| position.epoch == view.history.epoch);
        let has = known.map_or(0, |position| position.sequence);
        if has < view.history_before_first || has > view.history.sequence {
            return vec![Action::Renew(Lane::History, "what the centre needs next is not in the spool")];
        }
        self.history_sent = has;
        self.history_committed = has;
        known.map(Action::Acknowledge).into_iter().collect()
    }
}
