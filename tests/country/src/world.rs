//! What all agents share: where the centre is, which minute it is at a site, and what is counted.
//!
//! Invariant: a site's minutes begin at a moment of its own, so that 3,000 agents do not report in one second; they go on whether the
//! site is reachable or not. While the world is frozen no minute begins.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use onenet_topology::Timestamp;
use tokio::sync::Notify;

use crate::{
    chance,
    clock::{Clock, boot_ms},
    sites::Site,
};

/// Milliseconds of a minute.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// What chance is asked for.
const MOMENT: u64 = 11;

/// What all agents share.
#[derive(Debug)]
pub(crate) struct World {
    /// HOST:PORT of the centre's agent listener.
    pub(crate) collectors: String,
    /// The clock.
    pub(crate) clock: Clock,
    /// The minute, counted from some Monday's midnight, at which the run begins.
    pub(crate) first_minute: u64,
    /// How many samples of a past before it each agent has to fill in, and how many minutes lie between them.
    pub(crate) past: Past,
    /// When it began, since the machine's start.
    began_ms: u64,
    /// The minute that it is everywhere while the world is frozen; otherwise the greatest number.
    frozen: AtomicU64,
    /// Told when the world is frozen or goes on.
    pub(crate) turned: Notify,
    /// What is counted.
    pub(crate) counters: Counters,
}

/// A past that is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    /// How many samples of each thing.
    pub(crate) steps: u64,
    /// Minutes between two of them.
    pub(crate) each: u64,
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Agents whose stream is open.
    pub(crate) connected: AtomicI64,
    /// Agents of which the centre has everything that they know.
    pub(crate) idle: AtomicI64,
    /// Agents that the centre knew at all since the run began: everything was acknowledged once.
    pub(crate) known: AtomicU64,
    /// Streams that were opened.
    pub(crate) streams: AtomicU64,
    /// Facts acknowledged.
    pub(crate) facts: AtomicU64,
    /// History batches, and samples in them, sent.
    pub(crate) history: AtomicU64,
    pub(crate) samples: AtomicU64,
    /// Bytes of messages, before TLS.
    pub(crate) bytes: AtomicU64,
    /// Batches refused.
    pub(crate) rejected: AtomicU64,
    /// Groups that the centre asked for again.
    pub(crate) resynced: AtomicU64,
    /// State lanes begun anew.
    pub(crate) renewed: AtomicU64,
}

impl World {
    /// Returns a world that begins now.
    pub(crate) fn new(collectors: String, first_minute: u64, past: Past) -> Self {
        let clock = Clock::start();
        let began_ms = boot_ms();
        let (frozen, turned) = (AtomicU64::new(u64::MAX), Notify::new());
        Self { collectors, clock, first_minute, past, began_ms, frozen, turned, counters: Counters::default() }
    }

    /// Returns the minute that it is at a site.
    pub(crate) fn minute(&self, site: &Site) -> u64 {
        let frozen = self.frozen.load(Ordering::Relaxed);
        if frozen != u64::MAX {
            return frozen;
        }
        self.first_minute + boot_ms().saturating_sub(self.began_ms + moment(site)) / MINUTE_MS
    }

    /// Returns when a minute begins at a site, since the machine's start.
    pub(crate) fn begins(&self, site: &Site, minute: u64) -> u64 {
        self.began_ms + moment(site) + minute.saturating_sub(self.first_minute) * MINUTE_MS
    }

    /// Returns the minute and the time of a step of the past at a site; the last step is just before the run.
    pub(crate) fn step_of_the_past(&self, site: &Site, step: u64) -> (u64, Timestamp) {
        let before = (self.past.steps + 1).saturating_sub(step) * self.past.each;
        let ago_ms = i64::try_from(before * MINUTE_MS).unwrap_or_default();
        let began = self.clock.at(self.began_ms + moment(site));
        (self.first_minute.saturating_sub(before), began.plus_ms(-ago_ms))
    }

    /// Lets the minute that has begun at the first site begin everywhere, and no other; or lets time go on.
    pub(crate) fn freeze(&self, freeze: bool) {
        let ran_ms = boot_ms().saturating_sub(self.began_ms);
        let now = self.first_minute + ran_ms / MINUTE_MS;
        self.frozen.store(if freeze { now } else { u64::MAX }, Ordering::Relaxed);
        self.turned.notify_waiters();
    }
}

fn moment(site: &Site) -> u64 {
    chance::below(MINUTE_MS, site.seed, &[MOMENT])
}

/// Counts up or down by one.
pub(crate) fn step(counter: &AtomicI64, up: bool) {
    counter.fetch_add(if up { 1 } else { -1 }, Ordering::Relaxed);
}
