//! The centre as one handle: what the console, the API, the metrics and the command line use.
//!
//! Invariant: reading never waits for writing. [`Centre::estate`] gives a snapshot that never changes; everything that
//! changes it goes through [`Centre::submit`], or comes from agents, and is on disk before it is answered.
//!
//! # How to use it
//!
//! ```no_run
//! # use onenetd::{centre::{Centre, Options}, record::Command};
//! # use tokio_util::sync::CancellationToken;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let centre = Centre::open("data".as_ref(), Options::default()).await?;
//! let shutdown = CancellationToken::new();
//! let listener = tokio::net::TcpListener::bind("[::]:7444").await?;
//! let collectors = tokio::spawn({
//!     let (centre, shutdown) = (centre.clone(), shutdown.clone());
//!     async move { centre.serve_collectors(listener, shutdown).await }
//! });
//! let estate = centre.estate(); // an immutable snapshot
//! println!("{} sites, {} endpoints", estate.tree.len(), estate.indexes.endpoint_sites.len());
//! shutdown.cancel();
//! collectors.await??;
//! centre.stop().await;
//! # Ok(()) }
//! ```
//!
//! # Tasks
//!
//! One task ticks (once a second a [`Body::Tick`], now and then the removal of old samples); [`Centre::stop`] ends it, then
//! the ingest thread, after what is in its queue is on disk. Dropping every handle without `stop` loses nothing that was
//! acknowledged.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};

use onenet_topology::{SiteId, Timestamp, picture::Alteration};
use onenet_wire::{
    tls::{Fingerprint, NoRandomness},
    token::Token,
};
use tokio::{net::TcpListener, sync::watch, task::JoinError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

mod orders;
mod replica;
mod ticking;

pub(crate) use replica::LEASE_LOOK;

use self::{
    replica::Replica,
    ticking::{Ticker, tick},
};

use crate::{
    access::audit,
    case_files::{self, Files},
    clock::Clock,
    collector::{CollectorSource, Limits, Shared, Streams},
    estate::Estate,
    ingest::{
        self, IngestCounters, Intake, IntakeError, Outcome, Owner, OwnerHealth, Policy, ReportSource as _, SourceError,
    },
    pki::{self, Pki, PkiError},
    record::{Body, Command, EnrolmentToken, TokenHash},
    replication::{self, ReplicationConfig, StartError},
    room::Room,
    store::{self, AuditKey, AuditQuery, BackupError, ExportError, Sample, SampleQuery, Store, StoreError},
};

/// What the law demands of the audit trail, with a margin, in milliseconds.
const AUDIT_RETENTION_MIN_MS: i64 = audit::MIN_RETENTION_DAYS as i64 * 86_400_000;

/// How the centre is to be opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Limits of time and number that planning follows.
    pub policy: Policy,
    /// How long samples are kept, in milliseconds. Longer history belongs into Prometheus.
    pub sample_retention_ms: i64,
    /// How long the audit trail is kept, in milliseconds; never less than [`audit::MIN_RETENTION_DAYS`].
    pub audit_retention_ms: i64,
    /// What the store's page cache may hold, in bytes.
    pub cache_bytes: u64,
    /// Whether what is measured is queued for remote write; what waits is forgotten where it is not.
    pub queue: bool,
    /// Whether messages are kept for whoever outside is to be told what happened.
    pub outbox: bool,
    /// Further names and addresses for the centre's certificate; agents do not need them.
    pub certificate_names: Vec<String>,
    /// The log that is shared with replicas; `None` where this centre is the only one.
    pub replication: Option<ReplicationConfig>,
    /// The clock.
    pub clock: Clock,
    /// For how long what agents measured may wait for more that shares its flush; what they find changed never waits.
    pub patience: Duration,
    /// Whether time passes by itself; otherwise whoever opens the centre lets it pass, by [`Body::Tick`], and nothing that is old enough is
    /// let go of: for programs that fill a store with a long past (`examples/past`).
    pub ticks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            sample_retention_ms: 48 * 3_600_000,
            audit_retention_ms: AUDIT_RETENTION_MIN_MS,
            cache_bytes: store::CACHE_BYTES,
            queue: false,
            outbox: false,
            certificate_names: Vec::new(),
            replication: None,
            clock: Clock::system(),
            patience: Duration::ZERO,
            ticks: true,
        }
    }
}

/// The centre. Cheap to clone; all clones are the same centre.
#[derive(Debug, Clone)]
pub struct Centre(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    files: Files,
    shared: Arc<Shared>,
    intake: Intake,
    owner: Mutex<Option<Owner>>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    clock: Clock,
    /// From what on it concludes something itself.
    concluding: ingest::Concluding,
    /// Its part in the shared log; `None` where there is none.
    replica: Option<Replica>,
}

/// The centre cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be made.
    #[error("the data directory {} cannot be made: check the path and its permissions, or give another --data", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(StoreError),
    /// Keys or certificates cannot be opened.
    #[error(transparent)]
    Pki(PkiError),
    /// What reads the data directory ended in a panic.
    #[error("reading the data directory {} failed: restore a backup if it is damaged (onenetd restore)", path.display())]
    Opening {
        /// The directory.
        path: PathBuf,
        /// How it ended.
        #[source]
        source: JoinError,
    },
    /// No thread can be started.
    #[error("the operating system gives no thread for ingest: check the limit on processes")]
    Thread(#[source] io::Error),
    /// The first record was not taken in.
    #[error(transparent)]
    Start(IntakeError),
    /// The shared log cannot be joined.
    #[error(transparent)]
    Join(StartError),
    /// The shared log cannot be followed to its end.
    #[error("{0}")]
    Follow(Arc<str>),
}

/// An enrolment token cannot be issued.
#[derive(Debug, thiserror::Error)]
pub enum EnrolTokenError {
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(NoRandomness),
    /// It was not taken in.
    #[error(transparent)]
    Intake(IntakeError),
}

impl Centre {
    /// Opens the centre in a data directory, or makes a new one there.
    ///
    /// # Errors
    /// The directory cannot be used, is in use, or holds something damaged or of another version; each message says what
    /// to do.
    pub async fn open(data: &Path, options: Options) -> Result<Self, OpenError> {
        let (path, names, now) = (data.to_owned(), options.certificate_names.clone(), options.clock.now());
        let kept = Kept { cache_bytes: options.cache_bytes, queue: options.queue, outbox: options.outbox };
        let opened = tokio::task::spawn_blocking(move || open_files(&path, &names, &kept, now)).await;
        let (store, files, estate, pki) =
            opened.map_err(|source| OpenError::Opening { path: data.to_owned(), source })??;
        let (clock, concluding) = (options.clock.clone(), options.policy.concluding);
        clock.not_before(estate.time);
        let joined = match &options.replication {
            Some(config) => {
                let joined = replica::joined(config, &options.policy, &estate, &pki, &clock).await;
                Some(joined.map_err(OpenError::Join)?)
            }
            None => None,
        };
        let (owner, intake, published) =
            ingest::start(store.clone(), estate, options.policy, clock.clone(), options.patience)
                .map_err(OpenError::Thread)?;
        let shared = Arc::new(Shared {
            published,
            pki: Arc::new(pki),
            streams: Streams::default(),
            room: Room::new(data),
            clock: clock.clone(),
        });
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let whole: Arc<OnceLock<Weak<Inner>>> = Arc::default();
        let (intake, replica) = match (joined, intake.feed()) {
            (Some(joined), Some(feed)) => {
                let started = replication::start(joined, feed, replica::own(&whole), (&tasks, &shutdown));
                (started.intake, Some(Replica { told: started.told, elsewhere: started.elsewhere }))
            }
            _ => (intake, None),
        };
        let owner = Mutex::new(Some(owner));
        let inner = Inner { store, files, shared, intake, owner, shutdown, tasks, clock, concluding, replica };
        let centre = Self(Arc::new(inner));
        // Set once, here.
        let _ = whole.set(Arc::downgrade(&centre.0));
        match &centre.0.replica {
            Some(replica) => replica.told.caught_up().await.map_err(OpenError::Follow)?,
            None => centre.0.intake.submit(Body::Started).await.map(drop).map_err(OpenError::Start)?,
        }
        if options.ticks {
            centre.0.tasks.spawn(tick(centre.ticker(options.sample_retention_ms, options.audit_retention_ms)));
        }
        Ok(centre)
    }

    fn ticker(&self, retention_ms: i64, audit_retention_ms: i64) -> Ticker {
        Ticker {
            store: self.0.store.clone(),
            files: self.0.files.clone(),
            shared: Arc::clone(&self.0.shared),
            intake: self.0.replica.is_none().then(|| self.0.intake.clone()),
            shutdown: self.0.shutdown.clone(),
            retention_ms,
            audit_retention_ms: audit_retention_ms.max(AUDIT_RETENTION_MIN_MS),
        }
    }

    /// Returns from what on the centre concludes something itself.
    pub fn concluding(&self) -> ingest::Concluding {
        self.0.concluding
    }

    /// Returns the present snapshot. It never changes; ask again for a newer one.
    pub fn estate(&self) -> Arc<Estate> {
        self.0.shared.published.estate.load_full()
    }

    /// Returns the position of the present snapshot, which changes whenever a new one is published.
    pub fn position(&self) -> watch::Receiver<u64> {
        self.0.shared.published.position.clone()
    }

    /// Returns whether the store failed, and how: nothing is accepted any more then.
    pub fn health(&self) -> OwnerHealth {
        self.0.shared.published.health.borrow().clone()
    }

    /// Waits until the store failed, or the thread that writes to it ended, and says how.
    pub async fn failed(&self) -> Arc<str> {
        let mut health = self.0.shared.published.health.clone();
        let store = async {
            match health.wait_for(|health| health.store_failure.is_some()).await {
                Ok(health) => health.store_failure.clone().unwrap_or_default(),
                Err(_) => "the ingest thread ended".into(),
            }
        };
        match &self.0.replica {
            Some(replica) => tokio::select! {
                why = store => why,
                why = replica.told.failed() => why,
            },
            None => store.await,
        }
    }

    /// Returns whether the disk is so full that what agents report is not taken in; looks at it.
    pub fn is_short_of_room(&self) -> bool {
        self.0.shared.room.look();
        self.0.shared.room.is_short()
    }

    /// Returns what ingest counted since the start.
    pub fn counters(&self) -> &IngestCounters {
        &self.0.shared.published.counters
    }

    /// Returns the centre's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Returns the agents' open streams.
    pub fn streams(&self) -> &Streams {
        &self.0.shared.streams
    }

    /// Returns the bytes of files of cases.
    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    /// Returns the size of the store on disk, in bytes.
    ///
    /// # Errors
    /// The disk fails.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.0.store.size_on_disk()
    }

    /// Returns what waits to leave the centre; `None` where nobody outside is told.
    pub fn outbox(&self) -> Option<store::Outbox> {
        self.0.store.outbox()
    }

    /// Returns what waits for remote write; `None` where nothing is queued.
    pub fn queue(&self) -> Option<store::Queue> {
        self.0.store.queue()
    }

    /// Returns where further sources of reports hand these over: see [`ingest::ReportSource`].
    pub fn intake(&self) -> Intake {
        self.0.intake.clone()
    }

    /// Commands something in the name of a principal, whose permission was checked before. Returns when it is on disk,
    /// its entry of the audit trail with it.
    ///
    /// # Errors
    /// The command is refused, the store fails, or the centre is stopping; nothing changed then.
    pub async fn submit(&self, command: Command, by: impl Into<audit::Author>) -> Result<Outcome, IntakeError> {
        let command = Arc::new(command);
        let body = Body::Command { by: by.into(), command: Arc::clone(&command) };
        let outcome = self.0.intake.submit(body).await?;
        // With a shared log every replica does it, this one too, when the record comes from there.
        if self.0.replica.is_none() {
            self.follow_up(&command);
        }
        Ok(outcome)
    }

    /// Issues a one-time token with which an agent of `site` enrols within `ttl`. Returns its text, to be shown once.
    ///
    /// # Errors
    /// The site does not exist, or it is not taken in.
    pub async fn enrol_token(
        &self,
        site: SiteId,
        ttl: Duration,
        by: impl Into<audit::Author>,
    ) -> Result<String, EnrolTokenError> {
        let token = Token::generate(self.authority()).map_err(EnrolTokenError::Random)?;
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let command = Command::IssueEnrolmentToken {
            hash: TokenHash::new(token.secret_hash()),
            token: EnrolmentToken { site, expires: self.0.clock.now().plus_ms(ttl_ms), spent: None },
        };
        self.submit(command, by).await.map_err(EnrolTokenError::Intake)?;
        Ok(token.reveal())
    }

    /// Returns the centre's certificate chain and key as PEM, for listeners that people and programs use.
    pub fn chain_and_key(&self) -> (String, String) {
        let (chain, key) = self.0.shared.pki.chain_and_key();
        (chain, key.to_owned())
    }

    /// Returns when the certificate that agents are shown ends, and when the authority's does, by name.
    pub fn certificates_end(&self) -> Vec<(&'static str, Timestamp)> {
        self.0.shared.pki.ends()
    }

    /// Returns the fingerprint of the centre's certificate authority.
    pub fn authority(&self) -> Fingerprint {
        self.0.shared.pki.fingerprint()
    }

    /// Returns what changed at sites from one moment until before another: site by site, each in the order of time, at most
    /// `limit` of each.
    ///
    /// Cancel safe: reading is finished and dropped.
    ///
    /// # Errors
    /// The disk fails, or a row is damaged.
    pub async fn alterations(
        &self,
        sites: Vec<SiteId>,
        period: [Timestamp; 2],
        limit: usize,
    ) -> Result<Vec<(SiteId, Vec<Alteration>)>, StoreError> {
        let (store, path) = (self.0.store.clone(), self.0.store.path().to_owned());
        let of = move |site| Ok((site, store.alterations(site, period, limit)?));
        let found = tokio::task::spawn_blocking(move || sites.into_iter().map(of).collect()).await;
        found.unwrap_or_else(|error| Err(StoreError::Read { path, source: error.into() }))
    }

    /// Returns samples and events in the order of time. Reads the disk: within a task use `spawn_blocking`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn samples(&self, query: &SampleQuery) -> Result<Vec<Sample>, StoreError> {
        self.0.store.samples(query)
    }

    /// Returns what was sampled last: see [`crate::store::Store::latest_samples`].
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn latest_samples(&self, query: &SampleQuery) -> Result<Vec<Sample>, StoreError> {
        self.0.store.latest_samples(query)
    }

    /// Hands samples over in the order of time, all of them whatever the query's limit. Reads the disk: within a task use
    /// `spawn_blocking`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn each_sample(&self, query: &SampleQuery, take: &mut dyn FnMut(Sample)) -> Result<(), StoreError> {
        self.0.store.each_sample(query, take)
    }

    /// Writes entries of the audit trail. Returns when they are on disk.
    ///
    /// # Errors
    /// The store fails, or the centre is stopping; nothing was written then.
    pub async fn audit(&self, entries: Vec<audit::Entry>) -> Result<(), IntakeError> {
        self.0.intake.submit(Body::Audit(entries)).await.map(drop)
    }

    /// Returns entries of the audit trail with their keys, in the order of time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_entries(&self, query: AuditQuery) -> Result<Vec<(AuditKey, audit::Entry)>, StoreError> {
        let (store, path) = (self.0.store.clone(), self.0.store.path().to_owned());
        let found = tokio::task::spawn_blocking(move || store.audit_entries(&query)).await;
        found.unwrap_or_else(|error| Err(StoreError::Read { path, source: error.into() }))
    }

    /// Writes a consistent backup, private keys included, to a file, while everything goes on. Restore it with
    /// [`restore`].
    ///
    /// # Errors
    /// The file cannot be written or the store cannot be read.
    pub async fn backup(&self, path: &Path) -> Result<(), BackupError> {
        let (store, estate, shared) = (self.0.store.clone(), self.estate(), Arc::clone(&self.0.shared));
        let (to, case_files) = (path.to_owned(), self.0.files.clone());
        let done = tokio::task::spawn_blocking(move || {
            let files = shared.pki.files().map_err(BackupError::Pki)?;
            store.backup(&estate, &files, &case_files, &to)
        });
        done.await.unwrap_or_else(|error| Err(BackupError::Write { path: path.to_owned(), source: error.into() }))
    }

    /// Writes the store as text, without private keys. Returns the number of changes written.
    ///
    /// # Errors
    /// The text cannot be written or the store cannot be read.
    pub async fn export(&self, mut to: impl io::Write + Send + 'static) -> Result<usize, ExportError> {
        let (store, estate) = (self.0.store.clone(), self.estate());
        let done = tokio::task::spawn_blocking(move || store.export(&estate, &mut to));
        done.await.unwrap_or_else(|error| Err(ExportError::Write(error.into())))
    }

    /// Serves agents on `listener` until `shutdown`, or until that fails for good.
    ///
    /// # Errors
    /// The certificates cannot be used, or the listener fails.
    pub async fn serve_collectors(
        &self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), SourceError> {
        self.serve_collectors_within(listener, Limits::here(), shutdown).await
    }

    /// As [`Centre::serve_collectors`], with limits of one's own.
    pub(crate) async fn serve_collectors_within(
        &self,
        listener: TcpListener,
        limits: Limits,
        shutdown: CancellationToken,
    ) -> Result<(), SourceError> {
        let source = CollectorSource { listener, limits, shared: Arc::clone(&self.0.shared) };
        source.run(self.0.intake.clone(), shutdown).await
    }

    /// Stops: what was handed over is committed, then the thread and the tasks end. Streams of agents are ended by the
    /// token that [`Centre::serve_collectors`] was given: cancel that first.
    pub async fn stop(&self) {
        self.0.shutdown.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        let owner = self.0.owner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(owner) = owner {
            // Only a panic of `stop` itself could fail this, and it has nothing that panics.
            let _ = tokio::task::spawn_blocking(move || owner.stop()).await;
        }
    }
}

/// Makes a new data directory from a backup.
///
/// # Errors
/// The backup is not whole, the directory is not empty, or cannot be written.
pub fn restore(backup: &Path, data: &Path) -> Result<(), BackupError> {
    let occupied = fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(BackupError::NotEmpty { path: data.to_owned() });
    }
    let files = Store::restore(backup, &store_path(data), |name, content| case_files::restore(data, name, content))?;
    pki::restore_files(data, &files).map_err(BackupError::Pki)
}

/// Makes a new data directory from exported text. Its certificate authority is new: agents enrol again. Returns the number
/// of changes read.
///
/// # Errors
/// The text is not a whole export, or the directory is not empty or cannot be written.
pub fn import(from: impl io::BufRead, data: &Path) -> Result<usize, ExportError> {
    Store::open(&store_path(data)).map_err(ExportError::Store)?.import(from)
}

/// Returns where in a data directory the store is.
fn store_path(data: &Path) -> PathBuf {
    data.join("store")
}

/// What the store is to keep, beside the estate.
struct Kept {
    cache_bytes: u64,
    queue: bool,
    outbox: bool,
}

type Opened = (Store, Files, Estate, Pki);

fn open_files(data: &Path, names: &[String], kept: &Kept, now: Timestamp) -> Result<Opened, OpenError> {
    // Its owner's alone: keys and everything that is known lie in it.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|source| OpenError::Directory { path: data.to_owned(), source })?;
    // The store first: its lock keeps a second centre from touching anything else.
    let store = Store::open_with_cache(&store_path(data), kept.cache_bytes).map_err(OpenError::Store)?;
    let store = if kept.queue {
        store.with_queue().map_err(OpenError::Store)?
    } else {
        let forgotten = store.without_queue().map_err(OpenError::Store)?;
        if forgotten > 0 {
            tracing::warn!(forgotten, "batches that waited for remote write are forgotten, since it is not configured");
        }
        store
    };
    let store = if kept.outbox { store.with_outbox() } else { store };
    let estate = store.load().map_err(OpenError::Store)?;
    let unusable = |source| OpenError::Directory { path: data.join("files"), source };
    let files = Files::open(data).map_err(unusable)?;
    // What a kill left between a file and its case.
    let gone = files.sweep(|| Arc::new(estate.clone())).map_err(unusable)?;
    if gone > 0 {
        tracing::info!(gone, "files that no case names were removed");
    }
    let pki = Pki::open(data, names, now).map_err(OpenError::Pki)?;
    Ok((store, files, estate, pki))
}
