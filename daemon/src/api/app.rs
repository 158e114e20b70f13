//! What every request shares.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use onenet_topology::{Timestamp, acceptance::Thresholds};

use crate::{
    access::{
        Caller, Gate, Principal, Role, Secret,
        audit::{Notebook, Outcome, Usage},
    },
    centre::Centre,
    clock::Clock,
    console::Sessions,
    coverage::KeptCounts,
    flows::{UnderWay, turnstile::Turnstile},
    notify::ChannelTold,
    remote_write::Told,
    replication,
};

/// Files that one principal sends at once.
const FILES_AT_ONCE: usize = 2;

/// What every request shares.
pub struct App {
    /// The centre.
    pub centre: Centre,
    /// The time.
    pub clock: Clock,
    /// Sessions of the console.
    pub sessions: Sessions,
    /// What is counted for metrics.
    pub counters: Counters,
    /// The most bytes of a request's body.
    pub body_max_bytes: usize,
    /// Whether cookies may only travel over TLS.
    pub secure_cookies: bool,
    /// Where agents connect, as they know the centre; `None` where it does not serve agents.
    pub collectors: Option<String>,
    /// What acceptance tests hold their values against, where nobody says otherwise.
    pub acceptance: Thresholds,
    /// What is told of remote write; `None` where there is none, and pages have what was measured.
    pub remote_write: Option<Told>,
    /// What is told of the log that replicas share.
    pub replication: Option<Arc<replication::Told>>,
    /// What is told of the channels by which others are notified.
    pub notify: Vec<Arc<ChannelTold>>,
    /// When the certificate ends that people and programs are shown; `None` without TLS.
    pub console_ends: Option<Timestamp>,
    /// How many terminals each site had when metrics asked last.
    pub(crate) counted: KeptCounts,
    /// Questions for flows that are under way.
    pub(crate) flows: UnderWay,
    /// Files that come in, by who sends them.
    pub(crate) files: Arc<Turnstile<String>>,
    notebook: Arc<Mutex<Notebook>>,
    /// Whether the audit trail could not be written the last time.
    audit_fails: AtomicBool,
}

/// What is counted for metrics, since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests by class of status: 2xx, 3xx, 4xx, 5xx.
    pub requests: [AtomicU64; 4],
    /// Open connections.
    pub connections: AtomicU64,
    /// TLS handshakes that failed.
    pub handshakes_failed: AtomicU64,
    /// Connections that the system did not hand over.
    pub accepts_failed: AtomicU64,
    /// Entries of the audit trail that are on disk.
    pub audit_written: AtomicU64,
}

impl App {
    /// Returns what requests to `centre` share.
    pub fn new(centre: Centre, clock: Clock, body_max_bytes: usize, secure_cookies: bool) -> Self {
        Self {
            centre,
            clock,
            sessions: Sessions::default(),
            counters: Counters::default(),
            body_max_bytes,
            secure_cookies,
            collectors: None,
            acceptance: Thresholds::default(),
            remote_write: None,
            replication: None,
            notify: Vec::new(),
            console_ends: None,
            counted: KeptCounts::default(),
            flows: UnderWay::default(),
            files: Arc::new(Turnstile::new(FILES_AT_ONCE)),
            notebook: Arc::default(),
            audit_fails: AtomicBool::new(false),
        }
    }

    /// Returns the gate for one request of `caller` about `subject`.
    pub fn gate(&self, caller: Caller, subject: &str) -> Gate {
        Gate::new(self.centre.estate(), caller, Arc::clone(&self.notebook), self.clock.now(), subject)
    }

    /// Returns who presents this secret from `source`; `None` for a stranger, who is noted.
    pub fn caller(&self, secret: &Secret, source: &str) -> Option<Caller> {
        let now = self.clock.now();
        let estate = self.centre.estate();
        let found = estate.register.by_secret(secret.hash(), now).map(|token| Caller {
            principal: Arc::new(token.principal.clone()),
            token: Some(token.id),
            source: source.into(),
        });
        if found.is_none() {
            self.note_stranger(source);
        }
        found
    }

    /// Notes that somebody from `source` asked without being known.
    pub fn note_stranger(&self, source: &str) {
        let usage = Usage {
            principal: String::new(),
            token: None,
            source: source.to_owned(),
            action: crate::access::Action::ReadSites,
            site: None,
            subject: String::new(),
            outcome: Outcome::Stranger,
            reason: None,
        };
        // A stranger is refused in any case: where the trail is full nothing more can be done about him.
        let _ = self.notebook().note(usage, self.clock.now());
    }

    /// Writes what waits for the audit trail; `last` at the end of the process, with the counts of the running window.
    ///
    /// Cancel safe: entries that were not written are put back, unless the process ends.
    pub async fn write_audit(&self, last: bool) {
        let now = self.clock.now();
        let entries = {
            let mut notebook = self.notebook();
            if last { notebook.take_all() } else { notebook.take(now) }
        };
        if entries.is_empty() {
            return;
        }
        let written = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        match self.centre.audit(entries.clone()).await {
            Ok(()) => {
                self.audit_fails.store(false, Ordering::Relaxed);
                self.counters.audit_written.fetch_add(written, Ordering::Relaxed);
            }
            Err(error) => {
                // Tried each second: said once, since the log may be on the same disk.
                if !self.audit_fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, entries = written, "the audit trail cannot be written; it is kept in memory");
                }
                self.notebook().put_back(entries);
            }
        }
    }

    /// Returns how many entries wait for the audit trail.
    pub fn audit_waiting(&self) -> usize {
        self.notebook().waiting()
    }

    fn notebook(&self) -> std::sync::MutexGuard<'_, Notebook> {
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the caller that stands for whoever may open the daemon's local socket, in one of his roles, by the name that he gives.
pub fn local_caller(role: Role, person: Option<&str>) -> Caller {
    Caller { principal: Arc::new(Principal::local(role, person)), token: None, source: "local socket".into() }
}
