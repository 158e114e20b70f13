//! The agents' open streams, and what was asked over them.
//!
//! Invariant: an agent has one live stream; a newer one takes the older one's place. An instruction is answered once:
//! by the agent, by the end of its stream, or by a time limit.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use onenet_topology::AgentId;
use onenet_wire::{CentreMessage, Done, Instruction, InstructionBody, InstructionResult};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::session::Outbox;

/// How long an agent may take to answer: a device that is inspected may itself be slow.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Instructions that one agent may have open; an agent works them off one after the other.
const OPEN_INSTRUCTIONS_MAX: usize = 16;

/// The agents' open streams.
#[derive(Debug, Default)]
pub struct Streams {
    open: Mutex<BTreeMap<AgentId, Stream>>,
    last_number: AtomicU64,
}

#[derive(Debug)]
struct Stream {
    /// Tells this stream from others of the same agent; newer ones have greater numbers.
    number: u64,
    outbox: Outbox,
    replaced: CancellationToken,
    waiting: BTreeMap<u64, oneshot::Sender<InstructionResult>>,
}

/// A stream that was entered; number and end of it.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) number: u64,
    pub(super) replaced: CancellationToken,
}

/// An instruction had no success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstructError {
    /// The agent has no stream open.
    #[error("{0} is not connected: its line, its power or the agent itself is down; try again when it is back")]
    NotConnected(AgentId),
    /// The stream ended before the answer.
    #[error("the line to {0} was cut before it answered: try again when it is back")]
    Cut(AgentId),
    /// The agent took too long.
    #[error("{agent} did not answer within {seconds} s: try again, or look at its status page")]
    TimedOut {
        /// The agent.
        agent: AgentId,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Too much is asked of the agent at once.
    #[error("{0} has {OPEN_INSTRUCTIONS_MAX} instructions to work off: wait for some of them")]
    Busy(AgentId),
    /// The agent could not do it.
    #[error("{agent} answers: {reason}")]
    Failed {
        /// The agent.
        agent: AgentId,
        /// In its own words.
        reason: String,
    },
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgentId, Stream>> {
        // Whoever panicked held no half-made change: each change is one call on the map.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters the stream of this number; an older one of the same agent is told that it is replaced, and so is this one
    /// when a newer one was faster.
    pub(super) fn enter(&self, agent: AgentId, number: u64, outbox: Outbox) -> Entered {
        let replaced = CancellationToken::new();
        let mut open = self.lock();
        if open.get(&agent).is_some_and(|other| other.number > number) {
            replaced.cancel();
            return Entered { number, replaced };
        }
        let stream = Stream { number, outbox, replaced: replaced.clone(), waiting: BTreeMap::new() };
        if let Some(older) = open.insert(agent, stream) {
            older.replaced.cancel();
        }
        Entered { number, replaced }
    }

    /// Takes a stream out. Returns whether it was still the agent's live one.
    pub(super) fn leave(&self, agent: AgentId, number: u64) -> bool {
        let mut open = self.lock();
        let is_live = open.get(&agent).is_some_and(|stream| stream.number == number);
        if is_live {
            open.remove(&agent);
        }
        is_live
    }

    /// Enters a stream whose other end is a test: what the agent is told comes out here, and what it answers goes to `answer`.
    #[cfg(test)]
    pub(crate) fn enter_test(&self, agent: AgentId) -> tokio::sync::mpsc::Receiver<super::session::Outgoing> {
        let (outbox, told) = tokio::sync::mpsc::channel(8);
        self.enter(agent, u64::MAX, outbox);
        told
    }

    /// Ends a stream that was entered by a test.
    #[cfg(test)]
    pub(crate) fn leave_test(&self, agent: AgentId) {
        self.leave(agent, u64::MAX);
    }

    /// Hands an agent's answer to whoever waits for it; nobody may, any more.
    pub(crate) fn answer(&self, agent: AgentId, result: InstructionResult) {
        let waiting = self.lock().get_mut(&agent).and_then(|stream| stream.waiting.remove(&result.id));
        if let Some(waiting) = waiting {
            let _ = waiting.send(result);
        }
    }

    /// Returns the number of open streams.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Returns whether an agent has a stream open.
    pub fn is_connected(&self, agent: AgentId) -> bool {
        self.lock().contains_key(&agent)
    }

    /// Ends an agent's stream: when it was revoked, say.
    pub fn disconnect(&self, agent: AgentId) {
        if let Some(stream) = self.lock().get(&agent) {
            stream.replaced.cancel();
        }
    }

    /// Asks an agent for something and waits for the answer.
    ///
    /// # Errors
    /// The agent is not connected, is lost meanwhile, takes too long, or cannot do it.
    pub async fn instruct(&self, agent: AgentId, body: InstructionBody) -> Result<Done, InstructError> {
        self.instruct_within(agent, body, ANSWER_TIMEOUT).await
    }

    /// Asks an agent for something and waits so long for the answer.
    ///
    /// # Errors
    /// The agent is not connected, is lost meanwhile, takes longer, or cannot do it.
    pub async fn instruct_within(
        &self,
        agent: AgentId,
        body: InstructionBody,
        limit: Duration,
    ) -> Result<Done, InstructError> {
        let id = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        let (number, outbox) = {
            let mut open = self.lock();
            let stream = open.get_mut(&agent).ok_or(InstructError::NotConnected(agent))?;
            stream.waiting.retain(|_, waiting| !waiting.is_closed());
            if stream.waiting.len() >= OPEN_INSTRUCTIONS_MAX {
                return Err(InstructError::Busy(agent));
            }
            stream.waiting.insert(id, answer);
            (stream.number, stream.outbox.clone())
        };
        let exchange = async {
            let message = CentreMessage::Instruction(Instruction { id, body });
            outbox.send(Box::new(Ok(message))).await.map_err(|_| InstructError::Cut(agent))?;
            answered.await.map_err(|_| InstructError::Cut(agent))
        };
        let result = tokio::time::timeout(limit, exchange).await;
        if let Some(stream) = self.lock().get_mut(&agent).filter(|stream| stream.number == number) {
            stream.waiting.remove(&id);
        }
        let result = result.unwrap_or(Err(InstructError::TimedOut { agent, seconds: limit.as_secs() }))?;
        result.outcome.map_err(|reason| InstructError::Failed { agent, reason })
    }
}
