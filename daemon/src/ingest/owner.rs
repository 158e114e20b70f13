//! The one synchronous owner of the state.
//!
//! Invariant: records are numbered, planned, committed, published and answered here and nowhere else, in that order. A
//! group of records shares one flush; nobody is answered before the flush, and readers see nothing that is
//! not on disk. When the store fails nobody of the group is answered otherwise, and nothing more is accepted until a restart; the
//! first records of the group may be on disk then, and count as committed when they are sent again.
//!
//! # Threads
//!
//! One thread, `ingest`, owned by the [`Owner`]. It ends when every [`Intake`] is gone or when it is told to stop; what
//! waits in the queue then is answered with [`IntakeError::Stopped`], and its senders send it again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};

use super::plan::{Outcome, Policy, Refusal, plan};
use crate::{
    clock::Clock,
    estate::{Change, Estate},
    record::{Body, Record},
    store::{Store, StoreError},
};

/// Records that wait for the owner. Each agent has few in flight, so this is reached only when thousands report at once;
/// then senders wait, and with them the agents, which keep what they cannot send.
const QUEUE_RECORDS: usize = 4_096;
/// Records that share one flush: a flush costs milliseconds, and more than this would make the first ones wait.
const GROUP_RECORDS_MAX: usize = 512;
/// Changes after which a group is closed, so that its first records do not wait for long.
const GROUP_CHANGES_MAX: usize = 20_000;

/// Why a record was not taken in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// The record itself is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed, now or before.
    #[error("{0}")]
    Store(Arc<str>),
    /// The centre is stopping.
    #[error("the centre is stopping: send again when it is back")]
    Stopped,
}

/// How the owner is doing.
#[derive(Debug, Clone, Default)]
pub struct OwnerHealth {
    /// Set when the store failed: nothing is accepted any more.
    pub store_failure: Option<Arc<str>>,
}

/// Counters of the owner, for metrics. Since the start of the process.
#[derive(Debug, Default)]
pub struct IngestCounters {
    /// Records with an effect.
    pub committed: AtomicU64,
    /// Batches that were committed before.
    pub duplicates: AtomicU64,
    /// Records refused.
    pub refused: AtomicU64,
    /// Flushes.
    pub groups: AtomicU64,
}

/// Hands records to the owner. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: mpsc::Sender<Message>,
}

/// A record that was handed over.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Outcome, IntakeError>>);

/// The thread that owns the state.
#[derive(Debug)]
pub struct Owner {
    intake: mpsc::Sender<Message>,
    thread: JoinHandle<()>,
}

/// What is shared with readers.
#[derive(Debug, Clone)]
pub struct Published {
    /// The present snapshot.
    pub estate: Arc<ArcSwap<Estate>>,
    /// Its position: changes when a new snapshot is published.
    pub position: watch::Receiver<u64>,
    /// How the owner is doing.
    pub health: watch::Receiver<OwnerHealth>,
    /// What it counted.
    pub counters: Arc<IngestCounters>,
}

type Answer = oneshot::Sender<Result<Outcome, IntakeError>>;

#[derive(Debug)]
enum Message {
    Record(Body, Answer),
    Stop,
}

impl Intake {
    /// Hands a record over and waits until it is on disk.
    ///
    /// Cancel safe in so far as a record once handed over is taken in even when nobody waits for the answer.
    ///
    /// # Errors
    /// Returns why it was not taken in; nothing changed then.
    pub async fn submit(&self, body: Body) -> Result<Outcome, IntakeError> {
        self.enqueue(body).await?.answer().await
    }

    /// Hands a record over; what one caller hands over is taken in in that order. Waits while the queue is full.
    ///
    /// # Errors
    /// The centre is stopping.
    pub async fn enqueue(&self, body: Body) -> Result<Pending, IntakeError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Record(body, answer)).await.map_err(|_| IntakeError::Stopped)?;
        Ok(Pending(answered))
    }
}

impl Pending {
    /// Waits until the record is on disk.
    ///
    /// # Errors
    /// Returns why it was not taken in; nothing changed then.
    pub async fn answer(self) -> Result<Outcome, IntakeError> {
        self.0.await.unwrap_or(Err(IntakeError::Stopped))
    }
}

impl Owner {
    /// Commits what is in the queue by now, and ends the thread. Blocks until it has ended.
    pub fn stop(self) {
        // A failed send means that it has ended already.
        let _ = self.intake.blocking_send(Message::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the ingest thread panicked; what was not acknowledged will be sent again");
        }
    }
}

/// Starts the owner of `estate` as it was read from `store`.
///
/// # Errors
/// Fails when the operating system gives no thread.
pub fn start(
    store: Store,
    estate: Estate,
    policy: Policy,
    clock: Clock,
) -> std::io::Result<(Owner, Intake, Published)> {
    let (sender, queue) = mpsc::channel(QUEUE_RECORDS);
    let (position, position_seen) = watch::channel(estate.position);
    let (health, health_seen) = watch::channel(OwnerHealth::default());
    let shared = Arc::new(ArcSwap::from_pointee(estate.clone()));
    let counters = Arc::new(IngestCounters::default());
    let published = Published {
        estate: Arc::clone(&shared),
        position: position_seen,
        health: health_seen,
        counters: Arc::clone(&counters),
    };
    let state = State { store, estate, shared, position, health, policy, clock, counters, failure: None };
    let thread = std::thread::Builder::new().name("ingest".into()).spawn(move || run(queue, state))?;
    Ok((Owner { intake: sender.clone(), thread }, Intake { queue: sender }, published))
}

struct State {
    store: Store,
    /// The estate with everything that is on disk.
    estate: Estate,
    shared: Arc<ArcSwap<Estate>>,
    position: watch::Sender<u64>,
    health: watch::Sender<OwnerHealth>,
    policy: Policy,
    clock: Clock,
    counters: Arc<IngestCounters>,
    failure: Option<Arc<str>>,
}

/// Records that share a flush.
struct GroupCommit {
    next: Estate,
    changes: Vec<Change>,
    answers: Vec<(Answer, Result<Outcome, IntakeError>)>,
}

fn run(mut queue: mpsc::Receiver<Message>, mut state: State) {
    let mut stop = false;
    while !stop {
        let Some(first) = queue.blocking_recv() else { break };
        let mut group = GroupCommit { next: state.estate.clone(), changes: Vec::new(), answers: Vec::new() };
        let mut message = Some(first);
        while let Some(it) = message.take() {
            match it {
                Message::Stop => stop = true,
                Message::Record(body, answer) => state.add(&mut group, body, answer),
            }
            if !stop && group.answers.len() < GROUP_RECORDS_MAX && group.changes.len() < GROUP_CHANGES_MAX {
                message = queue.try_recv().ok();
            }
        }
        state.commit(group);
    }
    queue.close();
    while let Ok(message) = queue.try_recv() {
        if let Message::Record(_, answer) = message {
            let _ = answer.send(Err(IntakeError::Stopped));
        }
    }
}

impl State {
    /// Plans one record on top of the group.
    fn add(&self, group: &mut GroupCommit, body: Body, answer: Answer) {
        if let Some(failure) = &self.failure {
            let _ = answer.send(Err(IntakeError::Store(Arc::clone(failure))));
            return;
        }
        // The log's time never goes back, whatever the machine's clock does.
        let time = self.clock.now().max(group.next.time);
        let record = Record { position: group.next.position + 1, time, body };
        match plan(&group.next, &record, self.policy) {
            Ok(planned) => {
                let is_report = record.body.is_report();
                let counter = match (planned.changes.is_empty(), is_report) {
                    (false, _) => Some(&self.counters.committed),
                    (true, true) => Some(&self.counters.duplicates),
                    (true, false) => None,
                };
                if let Some(counter) = counter {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                group.next = planned.next;
                group.changes.extend(planned.changes);
                group.answers.push((answer, Ok(planned.outcome)));
            }
            Err(refusal) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                group.answers.push((answer, Err(refusal.into())));
            }
        }
    }

    /// Commits the group, publishes it, and answers.
    fn commit(&mut self, group: GroupCommit) {
        if !group.changes.is_empty() {
            if let Err(error) = self.store.commit(&group.changes) {
                self.fail(&error, group.answers);
                return;
            }
            self.counters.groups.fetch_add(1, Ordering::Relaxed);
            self.estate = group.next;
            self.shared.store(Arc::new(self.estate.clone()));
            self.position.send_replace(self.estate.position);
        }
        for (answer, result) in group.answers {
            // Whoever does not wait any more will ask again.
            let _ = answer.send(result);
        }
    }

    /// Drops the group: nobody hears that it happened, and nothing is accepted any more, since the store may be in pieces.
    fn fail(&mut self, error: &StoreError, answers: Vec<(Answer, Result<Outcome, IntakeError>)>) {
        let message: Arc<str> = with_causes(error).into();
        tracing::error!(error = %message, "the store failed; nothing more is accepted until onenetd is started again");
        self.failure = Some(Arc::clone(&message));
        self.health.send_replace(OwnerHealth { store_failure: Some(Arc::clone(&message)) });
        for (answer, _) in answers {
            let _ = answer.send(Err(IntakeError::Store(Arc::clone(&message))));
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
