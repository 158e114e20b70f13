//! Several centres that are one: replicas that build the same state from one shared, ordered log.
//!
//! Invariant: the log decides (invariant 11). Whatever changes state, of agents and operators alike, goes to the log first and comes to
//! the owner of the state from there, at the log's position and time; the code that takes it in is the same with a log and
//! without. Nobody is answered before the record is in the log and on this replica's disk, its position in the same batch. Effects on
//! the outside leave from the replica that has the lease.
//!
//! ```text
//! agents ══ gRPC ══▶ any replica ─▶ Writer ─▶ log (JetStream, 3 copies) ─▶ Follower ─▶ owner: plan ▶ commit ▶ publish ▶ answer
//! people ── API ───▶                                                  └─▶ Follower of each other replica ─▶ …
//! ```
//!
//! What is asked of an agent goes from the replica that a person asks to the one that the agent is connected to ([`questions`]), beside the log.
//!
//! # Tasks
//!
//! [`start`] spawns the writer, the follower and what answers questions, all owned by the tracker that it is given; the token ends them.

mod entry;
mod follower;
mod journal;
mod nats;
mod questions;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use onenet_topology::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    entry::{Content, Entry, EntryError, Seal},
    follower::{Beats, Follower},
    journal::{Journal, JournalError},
    questions::{Answers, Questions},
    writer::{Waiting, Writer},
};
use crate::{
    clock::{Clock, monotonic},
    estate::{Estate, LogState, WRITERS_MAX},
    ingest::{Feed, Intake, Policy},
};
pub(crate) use follower::After;
pub use nats::NatsConfig;
pub(crate) use questions::{Elsewhere, Here};

/// A log on NATS servers that this replica belongs to.
pub(crate) type OnNats = Joined<nats::Nats>;

/// Records that wait to be appended: as many as wait for an owner without a log.
const RECORDS_QUEUED: usize = 4_096;
/// What the follower says: ticks, one after the other, and the parts of what they come to.
const OWN_QUEUED: usize = 64;
/// How long the servers may be away when a replica starts.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// The pause between two attempts.
const CONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How this replica takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationConfig {
    /// The name of this replica: another one for each.
    pub name: String,
    /// The log.
    pub nats: NatsConfig,
}

/// The replica cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log cannot be reached or used.
    #[error("the shared log cannot be used: {0}; check [replication] and that the NATS servers run")]
    Journal(String),
    /// The log is not the one that this data directory belongs to.
    #[error(
        "the log {stream} was made at {found}, the one of this data directory at {expected}: it is another one of the same name. Never use a \
         name again: set another `stream`, let one replica begin it, and give the others a backup of that one"
    )]
    AnotherLog {
        /// Its name.
        stream: String,
        /// When it was made.
        found: Timestamp,
        /// When the one was made that the data directory belongs to.
        expected: Timestamp,
    },
    /// The data directory does not belong to the log.
    #[error(
        "the log {0} was begun by another replica, and this data directory is no copy of that one: restore a backup of a running replica \
         (onenetd backup there, onenetd restore here)"
    )]
    NoCopy(String),
    /// The log does not reach back far enough.
    #[error(
        "the log has entries from {first} on, and this replica needs them from {needed} on: restore a backup of a running replica \
         (onenetd backup there, onenetd restore here)"
    )]
    Removed {
        /// The first that it needs.
        needed: u64,
        /// The first that there is.
        first: u64,
    },
    /// The log ends before what this replica took in.
    #[error(
        "the log ends at {last}, and this replica took in {taken_in}: the NATS servers lost acknowledged entries; docs/replication.md says what \
         to do (keep this data directory, begin a log of another name)"
    )]
    Shortened {
        /// What it took in.
        taken_in: u64,
        /// What there is.
        last: u64,
    },
    /// The first entry of the log does not count.
    #[error(
        "the beginning of the log {stream} cannot be used: {why}; give all replicas the same `pki` directory, by a backup of one of them"
    )]
    Beginning {
        /// Its name.
        stream: String,
        /// Why.
        why: String,
    },
}

/// The log cannot be followed any more.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// What comes next was removed.
    #[error(
        "the log has entries from {first} on, and this replica needs {needed} next: it was away for longer than the log keeps them; \
         restore a backup of a running replica"
    )]
    Removed {
        /// What it needs.
        needed: u64,
        /// What there is.
        first: u64,
    },
    /// The log lost what was read from it.
    #[error(
        "the log ends at {last}, and this replica took in {read}: the NATS servers lost acknowledged entries; keep this data directory, \
         begin a log of another name with the replica that took in most, and give the others a backup of it"
    )]
    Shortened {
        /// What was read.
        read: u64,
        /// What there is.
        last: u64,
    },
    /// The log lost what was read from it, and grew on.
    #[error(
        "entry {0} of the log is not the one that this replica took in: the NATS servers lost acknowledged entries, and others took their place; \
         keep this data directory, and give this replica a backup of one that the log agrees with"
    )]
    Rewritten(u64),
    /// As many replicas as are served wrote into the log already.
    #[error(
        "{WRITERS_MAX} names of replicas are in the log already, and this one is another: take one of theirs, or begin a log of another name"
    )]
    TooMany,
    /// It is another log of the same name.
    #[error("the log {0} was made anew under the same name: never use a name again; set another `stream`")]
    AnotherLog(String),
    /// Another replica has the same name.
    #[error("another onenetd writes into the log as {0:?}: give each replica a `name` of its own")]
    SameName(String),
    /// An entry cannot be read.
    #[error("entry {sequence} of the log cannot be taken in")]
    Entry {
        /// Which.
        sequence: u64,
        /// Why.
        #[source]
        source: EntryProblem,
    },
    /// Nobody said what a tick comes to.
    #[error(
        "too much was appended to the log before any replica said what a tick comes to: check that replicas can write to it"
    )]
    Undecided,
    /// The owner of the state ended.
    #[error("the centre is stopping")]
    Stopped,
}

/// Why an entry cannot be taken in.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EntryProblem(EntryError);

/// What metrics and other parts are told of a replica.
#[derive(Debug)]
pub struct Told {
    sequence: AtomicU64,
    behind: AtomicU64,
    short: AtomicBool,
    /// Entries that were in the log already, or came in front of one that was lost.
    pub repeated: AtomicU64,
    /// Entries without the seal of this centre.
    pub unsealed: AtomicU64,
    /// Times at which the log did not take what this replica said.
    pub append_failures: AtomicU64,
    /// Times at which the log could not be read.
    pub read_failures: AtomicU64,
    lease_until: Mutex<Option<Instant>>,
    ready: watch::Sender<bool>,
    failed: watch::Sender<Option<Arc<str>>>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            short: AtomicBool::new(false),
            repeated: AtomicU64::new(0),
            unsealed: AtomicU64::new(0),
            append_failures: AtomicU64::new(0),
            read_failures: AtomicU64::new(0),
            lease_until: Mutex::new(None),
            ready: watch::Sender::new(false),
            failed: watch::Sender::new(None),
        }
    }
}

impl Told {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn at(&self, sequence: u64) {
        self.sequence.store(sequence, Ordering::Relaxed);
    }

    fn behind(&self, behind: u64) {
        self.behind.store(behind, Ordering::Relaxed);
    }

    fn short(&self, short: bool) {
        self.short.store(short, Ordering::Relaxed);
    }

    fn lease_until(&self, until: Option<Instant>) {
        *self.lease_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    fn ready(&self) {
        self.ready.send_replace(true);
    }

    fn fail(&self, why: &FollowError) {
        self.failed.send_replace(Some(crate::remote_write::with_causes(why).into()));
    }

    /// Returns the number of the last entry that was taken in.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Returns how many entries were behind the last one that was read, when it was sent.
    pub fn entries_behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Returns whether the log is shorter than what was read from it: it lost entries.
    pub fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Returns whether this replica may act on the outside now.
    pub fn has_lease(&self) -> bool {
        let until = *self.lease_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| monotonic() < until)
    }

    /// Waits until this replica knows what there is to know, or cannot follow the log. Cancel safe.
    pub(crate) async fn caught_up(&self) -> Result<(), Arc<str>> {
        let (mut ready, mut failed) = (self.ready.subscribe(), self.failed.subscribe());
        tokio::select! {
            _ = ready.wait_for(|ready| *ready) => Ok(()),
            why = failed.wait_for(Option::is_some) => Err(why.ok().and_then(|why| why.clone()).unwrap_or_default()),
        }
    }

    /// Waits until this replica cannot follow the log any more, and says why. Cancel safe.
    pub(crate) async fn failed(&self) -> Arc<str> {
        let mut failed = self.failed.subscribe();
        let why = failed.wait_for(Option::is_some).await;
        why.ok().and_then(|why| why.clone()).unwrap_or_default()
    }
}

/// What a replica is made of.
pub(crate) struct Parts<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The log's name.
    pub(crate) stream: &'a str,
    /// The private key of the centre's authority.
    pub(crate) authority_key: &'a [u8],
    /// The estate as it was read from the store.
    pub(crate) estate: &'a Estate,
    /// By what it plans.
    pub(crate) policy: &'a Policy,
    /// The clock.
    pub(crate) clock: Clock,
}

/// A log that this replica belongs to, before it is followed.
pub(crate) struct Joined<J> {
    journal: J,
    seal: Seal,
    questions_seal: Seal,
    name: String,
    incarnation: u64,
    rules: u64,
    log: LogState,
    next: u64,
    time: Timestamp,
    clock: Clock,
}

/// Connects to the log on NATS servers and joins it.
pub(crate) async fn connect(config: &ReplicationConfig, parts: Parts<'_>) -> Result<OnNats, StartError> {
    let deadline = monotonic() + CONNECT_WITHIN;
    let journal = loop {
        match nats::Nats::connect(&config.nats, &config.name).await {
            Ok(journal) => break journal,
            Err(error) if monotonic() >= deadline => return Err(StartError::Journal(error.to_string())),
            Err(error) => tracing::warn!(%error, "the shared log cannot be used yet; tried again"),
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    };
    join(journal, parts).await
}

/// Finds out whether the estate belongs to the log, and where it goes on; begins the log where nobody did.
pub(crate) async fn join<J: Journal>(journal: J, parts: Parts<'_>) -> Result<Joined<J>, StartError> {
    let Parts { name, stream, authority_key, estate, policy, clock } = parts;
    let unusable = |error: JournalError| StartError::Journal(error.to_string());
    let seal = Seal::new(authority_key, stream);
    let rules = rules(policy);
    // Counted from here on, by milliseconds: two starts of a replica are further apart. A clock that was set back makes no difference.
    let known = estate.log.as_ref().and_then(|log| log.writers.get(name)).map_or(0, |mark| mark.incarnation + 1);
    let incarnation = u64::try_from(clock.now().unix_ms()).unwrap_or(0).max(known);
    let extent = journal.extent().await.map_err(unusable)?;
    let log = match &estate.log {
        Some(log) if log.stream == stream && log.created != extent.created => {
            let (stream, found, expected) = (stream.to_owned(), extent.created, log.created);
            return Err(StartError::AnotherLog { stream, found, expected });
        }
        Some(log) if log.stream == stream => LogState::clone(log),
        // The estate has no log, or one that was given up: this one begins with it, or began with its like.
        _ => {
            let base = estate.position;
            let (writer, content) = (name.to_owned(), Content::Founded(base));
            let first = Entry { writer, incarnation, number: 0, rules, content };
            let beginning = |why: EntryError| StartError::Beginning { stream: stream.to_owned(), why: why.to_string() };
            let bytes = seal.write(&first).map_err(beginning)?;
            let founded = extent.last == 0 && journal.found(bytes.into()).await.map_err(unusable)?;
            if !founded && base_of(&journal, &seal, stream).await? != Some(base) {
                return Err(StartError::NoCopy(stream.to_owned()));
            }
            LogState::new(stream.to_owned(), extent.created, base)
        }
    };
    let next = estate.position - log.base + 1;
    if next > extent.last.max(1) + 1 {
        return Err(StartError::Shortened { taken_in: next - 1, last: extent.last });
    }
    if extent.first > next {
        return Err(StartError::Removed { needed: next, first: extent.first });
    }
    let questions_seal = Seal::of_questions(authority_key, stream);
    let (name, time) = (name.to_owned(), estate.time);
    Ok(Joined { journal, seal, questions_seal, name, incarnation, rules, log, next, time, clock })
}

/// Returns by what rules a replica plans, as a number: its version and what its configuration says of that. Replicas with others would come
/// to other states.
fn rules(policy: &Policy) -> u64 {
    let text = format!("{} {policy:?}", env!("CARGO_PKG_VERSION"));
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Returns behind which position a log was begun; `None` where its beginning is not there any more.
async fn base_of<J: Journal>(journal: &J, seal: &Seal, stream: &str) -> Result<Option<u64>, StartError> {
    let (to, mut reads) = mpsc::channel(1);
    let first = tokio::select! {
        read = reads.recv() => read,
        error = journal.read(1, to) => return Err(StartError::Journal(error.to_string())),
    };
    let Some(first) = first.filter(|read| read.sequence == 1) else { return Ok(None) };
    match seal.read(&first.bytes) {
        Ok(Entry { content: Content::Founded(base), .. }) => Ok(Some(base)),
        Ok(_) => Ok(None),
        Err(why) => Err(StartError::Beginning { stream: stream.to_owned(), why: why.to_string() }),
    }
}

/// What a replica does with the agents that are connected to it.
pub(crate) struct Own {
    /// What is to be done once a command is part of the state.
    pub(crate) after: After,
    /// Asks one of them.
    pub(crate) here: Here,
}

/// A replica at work.
pub(crate) struct Started {
    /// Where what changes state is handed over from now on.
    pub(crate) intake: Intake,
    /// What is told of it.
    pub(crate) told: Arc<Told>,
    /// Asks agents of other replicas.
    pub(crate) elsewhere: Elsewhere,
}

/// Starts writing, following, and answering what others ask.
pub(crate) fn start<J: Journal>(
    joined: Joined<J>,
    feed: Feed,
    own: Own,
    (tasks, shutdown): (&TaskTracker, &CancellationToken),
) -> Started {
    let told = Arc::new(Told::default());
    let elsewhere = ask_each_other(&joined, own.here, (tasks, shutdown));
    let Joined { journal, seal, name, incarnation, rules, log, next, time, clock, .. } = joined;
    let waiting = Waiting::default();
    let (records_sender, records) = mpsc::channel(RECORDS_QUEUED);
    let (own_sender, own_queue) = mpsc::channel(OWN_QUEUED);
    let writer = Writer {
        journal: journal.clone(),
        seal: seal.clone(),
        name: name.clone(),
        incarnation,
        rules,
        waiting: waiting.clone(),
        records,
        own: own_queue,
        told: Arc::clone(&told),
        shutdown: shutdown.clone(),
    };
    let beats = Beats::new(time, log.last);
    let follower = Follower {
        journal,
        seal,
        name,
        incarnation,
        rules,
        feed,
        waiting,
        own: own_sender,
        clock,
        told: Arc::clone(&told),
        after: own.after,
        shutdown: shutdown.clone(),
        log,
        next,
        beats,
    };
    tasks.spawn(writer.run());
    let failed = Arc::clone(&told);
    tasks.spawn(async move {
        let stopping = follower.shutdown.clone();
        if let Err(error) = follower.run().await
            && !stopping.is_cancelled()
        {
            tracing::error!(%error, "the shared log cannot be followed any more");
            failed.fail(&error);
        }
    });
    Started { intake: Intake::of_log(records_sender), told, elsewhere }
}

/// Starts answering what other replicas ask of the agents here. Returns what asks them.
fn ask_each_other<J: Journal>(
    joined: &Joined<J>,
    here: Here,
    (tasks, shutdown): (&TaskTracker, &CancellationToken),
) -> Elsewhere {
    let Joined { journal, questions_seal, name, incarnation, clock, .. } = joined;
    let answers = Answers {
        journal: journal.clone(),
        seal: questions_seal.clone(),
        clock: clock.clone(),
        here,
        shutdown: shutdown.clone(),
    };
    tasks.spawn(answers.run());
    let questions = Questions {
        journal: journal.clone(),
        seal: questions_seal.clone(),
        name: name.clone(),
        incarnation: *incarnation,
        clock: clock.clone(),
        last: Arc::default(),
    };
    questions.elsewhere()
}
