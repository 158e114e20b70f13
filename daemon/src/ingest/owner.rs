//! The one synchronous owner of the state.
//!
//! Invariant: records are numbered, planned, committed, published and answered here and nowhere else, in that order. A
//! group of records shares one flush; nobody is answered before the flush, and readers see nothing that is
//! not on disk. When the store fails nobody of the group is answered otherwise, and nothing more is accepted until a restart; the
//! first records of the group may be on disk then, and count as committed when they are sent again.
//!
//! A group of nothing but what [can wait](Body::can_wait) waits for more, so that the samples of a quiet country, some forty
//! batches a second, do not cost a flush and a snapshot each. Whatever else comes ends the wait.
//!
//! Where replicas share a log ([`crate::replication`]), position and time are the log's: records come numbered and stamped, and what
//! an [`Intake`] is given goes to the log first.
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
    task::{Context, Poll, Wake, Waker},
    thread::{JoinHandle, Thread},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use onenet_topology::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::plan::{Outcome, Planned, Policy, Refusal, plan};
use crate::{
    clock::{Clock, monotonic},
    estate::{Change, Estate, LogState},
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
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// To the owner, who numbers and stamps.
    Owner(mpsc::Sender<Message>),
    /// To the log that replicas share; the owner gets it from there.
    Log(mpsc::Sender<(Body, Answer)>),
}

/// Hands records of the shared log to the owner, in the order of the log.
#[derive(Debug, Clone)]
pub(crate) struct Feed(mpsc::Sender<Message>);

/// A record as the shared log has it.
#[derive(Debug)]
pub(crate) struct Logged {
    /// Its position: the log's.
    pub(crate) position: u64,
    /// When it was appended, on the log's clock.
    pub(crate) time: Timestamp,
    /// What it is.
    pub(crate) body: Body,
    /// How far the log is with it: kept with what it changes.
    pub(crate) state: Arc<LogState>,
    /// Of a tick: what it changes for good, as one replica concluded for all.
    pub(crate) decided: Option<Vec<Change>>,
    /// Who waits for it here.
    pub(crate) answer: Option<Answer>,
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

pub(crate) type Answer = oneshot::Sender<Result<Outcome, IntakeError>>;

#[derive(Debug)]
enum Message {
    Record(Body, Answer),
    Logged(Box<Logged>),
    /// Asks what a tick at this position and time would change for good.
    Conclude(u64, Timestamp, oneshot::Sender<Vec<Change>>),
    /// From this time on agents can be heard.
    Hears(Timestamp),
    /// From this time on what ticks come to is what is concluded here.
    TakesOver(Timestamp),
    Stop,
}

impl Message {
    fn can_wait(&self) -> bool {
        matches!(self, Self::Record(body, _) if body.can_wait())
    }
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
        match &self.way {
            Way::Owner(queue) => {
                queue.send(Message::Record(body, answer)).await.map_err(|_| IntakeError::Stopped)?;
            }
            Way::Log(queue) => queue.send((body, answer)).await.map_err(|_| IntakeError::Stopped)?,
        }
        Ok(Pending(answered))
    }

    /// Returns an intake whose records go to a shared log.
    pub(crate) const fn of_log(queue: mpsc::Sender<(Body, Answer)>) -> Self {
        Self { way: Way::Log(queue) }
    }

    /// Returns the way past the log, for the records that come from it. `None` where this goes to the log itself.
    pub(crate) fn feed(&self) -> Option<Feed> {
        match &self.way {
            Way::Owner(queue) => Some(Feed(queue.clone())),
            Way::Log(_) => None,
        }
    }
}

impl Feed {
    /// Hands over the next record of the log. Waits while the queue is full.
    pub(crate) async fn next(&self, logged: Logged) -> Result<(), IntakeError> {
        self.0.send(Message::Logged(Box::new(logged))).await.map_err(|_| IntakeError::Stopped)
    }

    /// Returns what a tick at this position and time would change for good, after everything that was handed over.
    pub(crate) async fn conclude(&self, position: u64, time: Timestamp) -> Result<Vec<Change>, IntakeError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Message::Conclude(position, time, answer)).await.map_err(|_| IntakeError::Stopped)?;
        answered.await.map_err(|_| IntakeError::Stopped)
    }

    /// Says that from now on what ticks come to is what is concluded here, and no longer what another replica said.
    pub(crate) async fn takes_over(&self, now: Timestamp) -> Result<(), IntakeError> {
        self.0.send(Message::TakesOver(now)).await.map_err(|_| IntakeError::Stopped)
    }

    /// Says from when on agents can be heard here: silence counts from then.
    pub(crate) async fn hears(&self, time: Timestamp) -> Result<(), IntakeError> {
        self.0.send(Message::Hears(time)).await.map_err(|_| IntakeError::Stopped)
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

/// Starts the owner of `estate` as it was read from `store`. What can wait waits for at most `patience` for what shares its flush.
///
/// # Errors
/// Fails when the operating system gives no thread.
pub fn start(
    store: Store,
    estate: Estate,
    policy: Policy,
    clock: Clock,
    patience: Duration,
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
    let thread = std::thread::Builder::new().name("ingest".into()).spawn(move || run(queue, state, patience))?;
    Ok((Owner { intake: sender.clone(), thread }, Intake { way: Way::Owner(sender) }, published))
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
    records: usize,
    /// Whether there is nothing in it but what can wait.
    can_wait: bool,
}

impl GroupCommit {
    fn on(estate: &Estate) -> Self {
        Self { next: estate.clone(), changes: Vec::new(), answers: Vec::new(), records: 0, can_wait: true }
    }

    fn has_room(&self) -> bool {
        self.records < GROUP_RECORDS_MAX && self.changes.len() < GROUP_CHANGES_MAX
    }
}

/// Wakes the owner where it waits with a deadline, which a channel of tokio's does not offer to threads.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns the next message, or nothing when none came until then or none will come.
fn receive_until(queue: &mut mpsc::Receiver<Message>, until: Instant) -> Option<Message> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(message) = queue.poll_recv(&mut context) {
            return message;
        }
        let rest = until.saturating_duration_since(monotonic());
        if rest.is_zero() {
            return None;
        }
        std::thread::park_timeout(rest);
    }
}

fn run(mut queue: mpsc::Receiver<Message>, mut state: State, patience: Duration) {
    let mut stop = false;
    while !stop {
        let Some(first) = queue.blocking_recv() else { break };
        let mut group = GroupCommit::on(&state.estate);
        let until = monotonic() + patience;
        let mut message = Some(first);
        while let Some(it) = message.take() {
            group.can_wait &= it.can_wait();
            match it {
                Message::Stop => stop = true,
                Message::Record(body, answer) => state.add(&mut group, body, answer),
                Message::Logged(logged) => state.add_logged(&mut group, *logged),
                Message::Conclude(position, time, answer) => {
                    // Whoever asked and waits no more asks again.
                    let _ = answer.send(state.conclude(&group, position, time));
                }
                Message::Hears(time) => state.look_anew(&mut group, |estate| estate.hears_from(time)),
                Message::TakesOver(time) => state.look_anew(&mut group, |estate| estate.concludes_from(time)),
            }
            if !stop && group.has_room() {
                message = queue.try_recv().ok();
                if message.is_none() && group.can_wait {
                    message = receive_until(&mut queue, until);
                }
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

/// Returns whether a change is kept: what is not follows from the rest.
fn is_kept(change: &Change) -> bool {
    !change.is_derived()
}

impl State {
    /// Changes what is not kept, in the group and, should that not be committed, in what it stands on.
    fn look_anew(&mut self, group: &mut GroupCommit, change: impl Fn(&mut Estate)) {
        change(&mut group.next);
        change(&mut self.estate);
    }

    /// Plans one record on top of the group.
    fn add(&self, group: &mut GroupCommit, body: Body, answer: Answer) {
        if let Some(failure) = &self.failure {
            let _ = answer.send(Err(IntakeError::Store(Arc::clone(failure))));
            return;
        }
        // The log's time never goes back, whatever the machine's clock does.
        let time = self.clock.now().max(group.next.time);
        let record = Record { position: group.next.position + 1, time, body };
        self.take(group, &record, plan(&group.next, &record, self.policy), Some(answer));
    }

    /// Plans one record of the shared log on top of the group.
    fn add_logged(&self, group: &mut GroupCommit, logged: Logged) {
        let Logged { position, time, body, state, decided, answer } = logged;
        if let Some(failure) = &self.failure {
            if let Some(answer) = answer {
                let _ = answer.send(Err(IntakeError::Store(Arc::clone(failure))));
            }
            return;
        }
        let record = Record { position, time: time.max(group.next.time), body };
        let mut planned = plan(&group.next, &record, self.policy);
        if let (Some(decided), Ok(own)) = (decided, &mut planned) {
            *own = as_decided(&group.next, &record, decided, std::mem::take(&mut own.changes));
        }
        if let Ok(Planned { next, changes, .. }) = &mut planned
            && changes.iter().any(is_kept)
        {
            // In front of the position, with which a batch may end.
            let change = Change::Log(Some(state));
            next.apply(&change);
            changes.insert(changes.len().saturating_sub(1), change);
        }
        self.take(group, &record, planned, answer);
    }

    /// Returns what a tick would change for good after the group.
    fn conclude(&self, group: &GroupCommit, position: u64, time: Timestamp) -> Vec<Change> {
        let record = Record { position, time: time.max(group.next.time), body: Body::Tick };
        let planned = plan(&group.next, &record, self.policy);
        planned.map(|it| it.changes.into_iter().filter(is_kept).collect()).unwrap_or_default()
    }

    /// Adds what was planned to the group.
    fn take(
        &self,
        group: &mut GroupCommit,
        record: &Record,
        planned: Result<Planned, Refusal>,
        answer: Option<Answer>,
    ) {
        let result = match planned {
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
                Ok(planned.outcome)
            }
            Err(refusal) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                Err(refusal.into())
            }
        };
        group.records += 1;
        group.answers.extend(answer.map(|answer| (answer, result)));
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

/// Returns a tick as another replica concluded it: what is kept is that one's, what follows from the rest is this one's own.
fn as_decided(estate: &Estate, record: &Record, decided: Vec<Change>, own: Vec<Change>) -> Planned {
    let mut next = estate.clone();
    let (last, decided): (Vec<_>, Vec<_>) =
        decided.into_iter().partition(|change| matches!(change, Change::Position { .. }));
    let derived = own.into_iter().filter(|change| !is_kept(change));
    let changes: Vec<Change> = decided.into_iter().chain(derived).chain(last).collect();
    for change in &changes {
        next.apply(change);
    }
    debug_assert!(next.position == estate.position || next.position == record.position, "a tick is one record");
    Planned { next, changes, outcome: Outcome::Accepted }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
