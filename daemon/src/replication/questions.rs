//! Asking agents that are connected to another replica: instructions, and questions for flows, over the servers that carry the log.
//!
//! Invariant: a question is put to the agent by the replica that it is connected to and by no other, once, and ends within its time. It is
//! sealed as entries are, so that whoever may use the servers but is no replica asks no agent for anything. Nothing of it is part of the log
//! or of the state: what an agent has to do with its site's configuration each replica tells its own.
//!
//! # Tasks
//!
//! [`Answers::run`], owned by the replication, with one task for each question under way, which end with it: who asked is told nothing then,
//! and asks again.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use onenet_topology::{AgentId, Timestamp};
use onenet_wire::{Done, Instruction, InstructionBody, InstructionResult, v1};
use prost::{Message as _, Oneof};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{entry::Seal, journal::Journal};
use crate::{clock::Clock, collector::InstructError};

/// How soon the replica that the agent is connected to says so: what the servers take for a new leader does not concern it.
const FOUND_WITHIN: Duration = Duration::from_secs(3);
/// How much longer than the agent has may the answer be under way.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// How long a question may be under way, clocks' differences included, in milliseconds.
const FRESH_MS: i64 = 30_000;
/// Questions of other replicas that are under way at once: beyond it the agent counts as busy.
const AT_ONCE: usize = 64;
/// Questions that are known again when somebody repeats them; later ones are too old by then.
const KNOWN_MAX: usize = 4_096;
/// Questions, and answers to one, that wait to be looked at.
const QUEUED: usize = 16;
/// The pause before questions are listened for again.
const PAUSE: Duration = Duration::from_millis(500);

/// What becomes of a question.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Done, InstructError>> + Send>>;
/// Asks an agent that is connected here; `None` where it is not.
pub(crate) type Here = Arc<dyn Fn(AgentId, InstructionBody, Duration) -> Option<Answering> + Send + Sync>;
/// Asks an agent that is connected to another replica.
pub(crate) type Elsewhere = Arc<dyn Fn(AgentId, InstructionBody, Duration) -> Answering + Send + Sync>;

/// A question, or something of its answer.
#[derive(Clone, PartialEq, prost::Message)]
struct Word {
    /// Which replica asks.
    #[prost(string, tag = "1")]
    asker: String,
    /// Which start of it.
    #[prost(fixed64, tag = "2")]
    incarnation: u64,
    /// The how-manieth question of that start.
    #[prost(uint64, tag = "3")]
    number: u64,
    #[prost(oneof = "Said", tags = "10, 11, 12, 13")]
    said: Option<Said>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Said {
    #[prost(message, tag = "10")]
    Question(Question),
    /// The agent is connected here, and is asked.
    #[prost(bool, tag = "11")]
    Taken(bool),
    #[prost(message, tag = "12")]
    Answer(v1::InstructionResult),
    /// Why the agent said nothing: see [`Silence`].
    #[prost(uint32, tag = "13")]
    Silence(u32),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(fixed64, tag = "1")]
    agent: u64,
    #[prost(int64, tag = "2")]
    asked_ms: i64,
    #[prost(uint64, tag = "3")]
    within_ms: u64,
    #[prost(message, optional, tag = "4")]
    instruction: Option<v1::Instruction>,
}

/// Why an agent said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    Cut,
    Busy,
    TimedOut,
}

/// Who a question is of: known again in its answers.
type Name = (String, u64, u64);

/// Asks.
#[derive(Debug, Clone)]
pub(super) struct Questions<J> {
    pub(super) journal: J,
    pub(super) seal: Seal,
    pub(super) name: String,
    pub(super) incarnation: u64,
    pub(super) clock: Clock,
    pub(super) last: Arc<AtomicU64>,
}

/// Answers what others ask.
pub(super) struct Answers<J> {
    pub(super) journal: J,
    pub(super) seal: Seal,
    pub(super) clock: Clock,
    pub(super) here: Here,
    pub(super) shutdown: CancellationToken,
}

impl Word {
    fn name(&self) -> Name {
        (self.asker.clone(), self.incarnation, self.number)
    }

    fn of((asker, incarnation, number): Name, said: Said) -> Self {
        Self { asker, incarnation, number, said: Some(said) }
    }

    fn close(&self, seal: &Seal) -> Option<Vec<u8>> {
        let closed = seal.close(&self.encode_to_vec());
        closed.inspect_err(|error| tracing::error!(%error, "a question to another replica cannot be written")).ok()
    }

    /// Returns what was said, if a replica of this centre did.
    fn open(seal: &Seal, bytes: &[u8]) -> Option<Self> {
        Self::decode(&seal.open(bytes).ok()?[..]).ok()
    }
}

impl<J: Journal> Questions<J> {
    /// Returns what asks agents that are connected to other replicas.
    pub(super) fn elsewhere(self) -> Elsewhere {
        Arc::new(move |agent, body, within| Box::pin(self.clone().ask(agent, body, within)))
    }

    async fn ask(self, agent: AgentId, body: InstructionBody, within: Duration) -> Result<Done, InstructError> {
        let nobody = InstructError::NotConnected(agent);
        let name = (self.name.clone(), self.incarnation, self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let question = Question {
            agent: agent.raw(),
            asked_ms: self.clock.now().unix_ms(),
            within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
            instruction: Some((&Instruction { id: 0, body }).into()),
        };
        let Some(bytes) = Word::of(name.clone(), Said::Question(question)).close(&self.seal) else {
            return Err(nobody);
        };
        let (to, answers) = mpsc::channel(QUEUED);
        tokio::select! {
            answer = self.answer(&name, agent, within, answers) => answer,
            error = self.journal.ask(bytes.into(), to) => {
                tracing::warn!(%error, %agent, "the other replicas cannot be asked");
                Err(nobody)
            }
        }
    }

    /// Waits for what the replica says that the agent is connected to.
    async fn answer(
        &self,
        name: &Name,
        agent: AgentId,
        within: Duration,
        mut answers: mpsc::Receiver<Bytes>,
    ) -> Result<Done, InstructError> {
        let (cut, seconds) = (InstructError::Cut(agent), within.as_secs());
        let first = timeout(FOUND_WITHIN, self.next(name, &mut answers)).await;
        let mut said = first.map_err(|_| InstructError::NotConnected(agent))?.ok_or(cut.clone())?;
        if matches!(said, Said::Taken(_)) {
            let next = timeout(within + UNDER_WAY, self.next(name, &mut answers)).await;
            said = next.map_err(|_| InstructError::TimedOut { agent, seconds })?.ok_or(cut.clone())?;
        }
        match said {
            Said::Answer(result) => answered(agent, result),
            Said::Silence(why) => Err(silence(agent, seconds, why)),
            Said::Taken(_) | Said::Question(_) => Err(cut),
        }
    }

    /// Returns what a replica of this centre says next of this question.
    async fn next(&self, name: &Name, answers: &mut mpsc::Receiver<Bytes>) -> Option<Said> {
        loop {
            let word = Word::open(&self.seal, &answers.recv().await?);
            if let Some(said) = word.filter(|word| word.name() == *name).and_then(|word| word.said) {
                return Some(said);
            }
        }
    }
}

fn answered(agent: AgentId, result: v1::InstructionResult) -> Result<Done, InstructError> {
    let failed = |reason| InstructError::Failed { agent, reason };
    let result = InstructionResult::try_from(result).map_err(|error| failed(error.to_string()))?;
    result.outcome.map_err(failed)
}

fn silence(agent: AgentId, seconds: u64, why: u32) -> InstructError {
    const BUSY: u32 = Silence::Busy.number();
    const TIMED_OUT: u32 = Silence::TimedOut.number();
    match why {
        BUSY => InstructError::Busy(agent),
        TIMED_OUT => InstructError::TimedOut { agent, seconds },
        _ => InstructError::Cut(agent),
    }
}

impl Silence {
    const fn number(self) -> u32 {
        match self {
            Self::Cut => 1,
            Self::Busy => 2,
            Self::TimedOut => 3,
        }
    }
}

/// Returns what is said of an answer.
fn said(result: Result<Done, InstructError>) -> Said {
    let silence = |why: Silence| Said::Silence(why.number());
    let answer = |outcome| Said::Answer((&InstructionResult { id: 0, outcome }).into());
    match result {
        Ok(done) => answer(Ok(done)),
        Err(InstructError::Failed { reason, .. }) => answer(Err(reason)),
        Err(InstructError::Busy(_)) => silence(Silence::Busy),
        Err(InstructError::TimedOut { .. }) => silence(Silence::TimedOut),
        Err(InstructError::Cut(_) | InstructError::NotConnected(_)) => silence(Silence::Cut),
    }
}

/// Questions that were taken, by the time at which they were asked: nobody who repeats one gets a second answer.
#[derive(Debug, Default)]
struct Known(BTreeSet<(i64, Name)>);

impl Known {
    /// Returns whether a question is asked just now, for the first time.
    fn is_new(&mut self, asked_ms: i64, name: Name, now: Timestamp) -> bool {
        let fresh = now.unix_ms().abs_diff(asked_ms) <= FRESH_MS.unsigned_abs();
        // What is older than all that are known may be one that gave way.
        let is_known = self.0.len() >= KNOWN_MAX && self.0.first().is_some_and(|(oldest, _)| asked_ms < *oldest);
        let new = fresh && !is_known && self.0.insert((asked_ms, name));
        if self.0.len() > KNOWN_MAX {
            self.0.pop_first();
        }
        new
    }
}

impl<J: Journal> Answers<J> {
    /// Answers until `shutdown`.
    pub(super) async fn run(self) {
        let mut known = Known::default();
        loop {
            let (to, mut questions) = mpsc::channel(QUEUED);
            let mut under_way = JoinSet::new();
            let hearing = self.journal.questions(to);
            tokio::pin!(hearing);
            let error = loop {
                tokio::select! {
                    Some((bytes, way)) = questions.recv() => self.take(&bytes, way, &mut known, &mut under_way),
                    Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
                    error = &mut hearing => break error,
                    () = self.shutdown.cancelled() => return,
                }
            };
            tracing::warn!(%error, "questions of other replicas are not heard; tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks the agent, if it is connected here.
    fn take(&self, bytes: &[u8], way: String, known: &mut Known, under_way: &mut JoinSet<()>) {
        let Some(word) = Word::open(&self.seal, bytes) else { return };
        let name = word.name();
        let Some(Said::Question(question)) = word.said else { return };
        let Some(instruction) = question.instruction.and_then(|it| Instruction::try_from(it).ok()) else { return };
        let (agent, within) = (AgentId::from_raw(question.agent), Duration::from_millis(question.within_ms));
        let Some(answering) = (self.here)(agent, instruction.body, within) else { return };
        if !known.is_new(question.asked_ms, name.clone(), self.clock.now()) {
            tracing::warn!(%agent, asker = name.0, "a question of another replica is old or repeated; is its clock right?");
            return;
        }
        let is_full = under_way.len() >= AT_ONCE;
        let (journal, seal) = (self.journal.clone(), self.seal.clone());
        under_way.spawn(async move {
            let say = async |said| {
                let Some(bytes) = Word::of(name.clone(), said).close(&seal) else { return };
                if let Err(error) = journal.answer(way.clone(), bytes.into()).await {
                    tracing::warn!(%error, %agent, "another replica was not answered");
                }
            };
            if is_full {
                return say(Said::Silence(Silence::Busy.number())).await;
            }
            say(Said::Taken(true)).await;
            say(said(answering.await)).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_once_and_only_while_it_is_fresh() {
        let mut known = Known::default();
        let (now, name) = (Timestamp::from_unix_ms(1_000_000), |number| ("a".to_owned(), 1, number));
        assert!(known.is_new(1_000_000, name(1), now));
        assert!(!known.is_new(1_000_000, name(1), now), "repeated");
        assert!(known.is_new(1_000_000, name(2), now));
        assert!(!known.is_new(1_000_000 - FRESH_MS - 1, name(3), now), "old");
        assert!(!known.is_new(1_000_000 + FRESH_MS + 1, name(3), now), "of a clock that is wrong");
        for number in 0..u64::try_from(KNOWN_MAX).unwrap() {
            known.is_new(1_000_001, name(10 + number), now);
        }
        assert_eq!(known.0.len(), KNOWN_MAX);
        assert!(!known.is_new(1_000_000, name(1), now), "repeated after it gave way");
    }

    #[test]
    fn whatever_came_of_a_question_comes_back_as_it_was() {
        let agent = AgentId::from_raw(7);
        let done = Done { body: b"{}".to_vec(), configuration_revision: 3, flows: None };
        for result in [
            Ok(done),
            Err(InstructError::Failed { agent, reason: "no such device".into() }),
            Err(InstructError::Busy(agent)),
            Err(InstructError::Cut(agent)),
            Err(InstructError::TimedOut { agent, seconds: 9 }),
        ] {
            let back = match said(result.clone()) {
                Said::Answer(it) => answered(agent, it),
                Said::Silence(why) => Err(silence(agent, 9, why)),
                other => panic!("{other:?}"),
            };
            assert_eq!(back, result);
        }
    }
}
