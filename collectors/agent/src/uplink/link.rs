//! One connection to the centre without the connection: messages in, messages out, the spool behind.
//!
//! Invariant: whatever is sent is on disk; what is acknowledged is forgotten only after the centre said so. The state lane
//! goes before the history lane. The calls block on the disk.
//!
//! This module knows no socket and reads no clock, so the model in `tests.rs` drives it as the real line does.

use std::sync::Arc;

use onenet_topology::fact::Group;
use onenet_wire::{
    AgentMessage, CentreMessage, Clocks, Digest, Done, Heartbeat, Instruction, InstructionBody, InstructionResult,
    Position, Rejection, Welcome, limits, v1,
};
use prost::Message as _;

use super::{
    UplinkConfig,
    bucket::Bucket,
    lanes::{Action, Lanes, Next},
};
use crate::spool::{Spool, SpoolError};

/// What changes within this many milliseconds goes in one batch.
const COALESCE_MS: u64 = 400;
/// How long an answer may take, in milliseconds, before the connection counts as dead.
const ANSWER_MS: u64 = 60_000;

/// One connection's state.
#[derive(Debug)]
pub(super) struct Link {
    spool: Arc<Spool>,
    config: UplinkConfig,
    lanes: Lanes,
    bucket: Bucket,
    /// Since when state waits to be put into a batch.
    waiting_since_ms: Option<u64>,
    /// When the centre last answered, or something went out while nothing was in flight.
    progress_ms: u64,
    heartbeat_ms: u64,
    digest_ms: Option<u64>,
}

impl Link {
    /// Opens the link with the centre's welcome.
    pub(super) fn open(
        spool: Arc<Spool>,
        config: UplinkConfig,
        welcome: &Welcome,
        now: &Clocks,
    ) -> Result<Self, SpoolError> {
        let (lanes, actions) = Lanes::open(&spool.view(), &welcome.committed);
        let mut link = Self {
            spool,
            lanes,
            bucket: Bucket::new(config.backfill_bytes_per_s, now.boot_ms),
            config,
            waiting_since_ms: None,
            progress_ms: now.boot_ms,
            heartbeat_ms: now.boot_ms,
            digest_ms: None,
        };
        link.apply(actions, now)?;
        link.spool.connected(now)?;
        Ok(link)
    }

    /// Takes in a message. Returns the instruction that is somebody else's to carry out, or the answer to one that was
    /// carried out here.
    pub(super) fn receive(&mut self, message: CentreMessage, now: &Clocks) -> Result<Received, SpoolError> {
        self.progress_ms = now.boot_ms;
        match message {
            CentreMessage::Acknowledgement(it) => self.acknowledged(it.position, now)?,
            CentreMessage::Rejection(it) => self.rejected(&it, now)?,
            CentreMessage::Instruction(Instruction { id, body: InstructionBody::Resync(groups) }) => {
                return self.resync(id, &groups, now).map(Received::Answer);
            }
            CentreMessage::Instruction(it) => return Ok(Received::Instruction(it)),
            // A second welcome changes nothing.
            CentreMessage::Welcome(_) => {}
        }
        Ok(Received::Nothing)
    }

    /// Returns the next message to send, `None` when there is nothing to send now.
    pub(super) fn next(&mut self, now: &Clocks) -> Result<Option<v1::AgentMessage>, SpoolError> {
        if now.boot_ms.saturating_sub(self.heartbeat_ms) >= self.config.heartbeat_ms {
            self.heartbeat_ms = now.boot_ms;
            let history_waiting = self.spool.status().history_batches;
            return Ok(Some(AgentMessage::Heartbeat(Heartbeat { clocks: *now, history_waiting }).into()));
        }
        let view = self.spool.view();
        let settled = self.settled(view.state_waiting, now);
        let was_idle = !self.lanes.in_flight();
        let batch = match self.lanes.next(&view, settled, self.bucket.allows(now.boot_ms)) {
            Next::State => self.state_batch(now)?,
            Next::History { sequence, backfill } => self.history_batch(sequence, backfill, now)?,
            Next::Nothing => None,
        };
        if let Some(batch) = batch {
            if was_idle {
                self.progress_ms = now.boot_ms;
            }
            return Ok(Some(v1::AgentMessage { body: Some(v1::agent_message::Body::Batch(batch)) }));
        }
        Ok(self.digest(now).map(|digest| AgentMessage::Digest(digest).into()))
    }

    /// Returns whether the centre owes an answer for too long.
    pub(super) const fn is_dead(&self, now: &Clocks) -> bool {
        self.lanes.in_flight() && now.boot_ms.saturating_sub(self.progress_ms) > ANSWER_MS
    }

    /// Returns whether state has waited long enough for more of it.
    fn settled(&mut self, waiting: bool, now: &Clocks) -> bool {
        if !waiting {
            self.waiting_since_ms = None;
            return false;
        }
        let since = *self.waiting_since_ms.get_or_insert(now.boot_ms);
        now.boot_ms.saturating_sub(since) >= COALESCE_MS
    }

    fn state_batch(&mut self, now: &Clocks) -> Result<Option<v1::Batch>, SpoolError> {
        if !self.spool.cut_state(now)? {
            return Ok(None);
        }
        let batch = self.spool.outstanding(now)?;
        if batch.is_some() {
            self.lanes.sent_state();
            self.waiting_since_ms = None;
        }
        Ok(batch)
    }

    fn history_batch(&mut self, sequence: u64, backfill: bool, now: &Clocks) -> Result<Option<v1::Batch>, SpoolError> {
        let Some(batch) = self.spool.history_batch(sequence, now)? else {
            // A cap dropped it since the view was taken: what follows stands behind a hole.
            let view = self.spool.view();
            if sequence <= view.history_before_first {
                self.apply(vec![Action::Renew(onenet_wire::Lane::History, "a cap dropped batches")], now)?;
            }
            return Ok(None);
        };
        if backfill {
            self.bucket.take(batch.encoded_len());
        }
        self.lanes.sent_history(sequence);
        Ok(Some(batch))
    }

    fn digest(&mut self, now: &Clocks) -> Option<Digest> {
        let due = self.digest_ms.is_none_or(|at| now.boot_ms.saturating_sub(at) >= self.config.digest_ms);
        let digest = if due { self.spool.digest() } else { None }?;
        self.digest_ms = Some(now.boot_ms);
        if digest.groups.len() > limits::DIGEST_GROUPS
            || v1::Digest::from(&digest).encoded_len() > limits::MESSAGE_BYTES / 2
        {
            tracing::warn!(groups = digest.groups.len(), "too many groups for a digest: drift is not watched");
            return None;
        }
        Some(digest)
    }

    fn acknowledged(&mut self, position: Position, now: &Clocks) -> Result<(), SpoolError> {
        let action = self.lanes.acknowledged(&self.spool.view(), position);
        self.apply(action.into_iter().collect(), now)
    }

    fn rejected(&mut self, rejection: &Rejection, now: &Clocks) -> Result<(), SpoolError> {
        tracing::warn!(
            lane = rejection.position.lane.name(),
            sequence = rejection.position.sequence,
            reason = ?rejection.reason,
            detail = %rejection.detail,
            "the centre refused a batch"
        );
        let actions = self.lanes.rejected(&self.spool.view(), rejection);
        self.apply(actions, now)
    }

    fn resync(&self, id: u64, groups: &[Group], now: &Clocks) -> Result<InstructionResult, SpoolError> {
        tracing::info!(groups = groups.len(), "the centre asks for groups again");
        self.spool.resync(groups, now)?;
        Ok(InstructionResult { id, outcome: Ok(Done::default()) })
    }

    fn apply(&mut self, actions: Vec<Action>, now: &Clocks) -> Result<(), SpoolError> {
        for action in actions {
            match action {
                Action::Acknowledge(position) => self.spool.acknowledge(position, now)?,
                Action::SetAside(position, detail) => self.spool.set_aside(position, &detail, now)?,
                Action::Renew(lane, reason) => {
                    tracing::warn!(lane = lane.name(), reason, "the lane begins a new epoch");
                    self.spool.renew_epoch(lane, now)?;
                    self.lanes.renewed(lane);
                }
            }
        }
        Ok(())
    }
}

/// What a message of the centre leaves to be done.
#[derive(Debug)]
pub(super) enum Received {
    /// Nothing.
    Nothing,
    /// This is the answer to an instruction.
    Answer(InstructionResult),
    /// This instruction is for the handler.
    Instruction(Instruction),
}
