//! What all agents share: where the centre is, which minute it is at a site, and what is counted.
//!
//! Invariant: a site's minutes begin at a moment of its own, so that 3,000 agents do not report in one second; they go on whether the
//! site is reachable or not. While the world is frozen no minute begins. In a world of long ago none begins either: days pass when it is
//! told so, and agents tell what they saw of them, without counters and signs of life.

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
    /// The time that it is long ago, in milliseconds since 1970: agents tell of what holds then. The least number in the present.
    then_ms: AtomicI64,
    /// How many milliseconds passed at once since it began, so that the agents' clocks are ahead of the machine's.
    ahead_ms: AtomicU64,
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
        Self {
            collectors,
            clock: Clock::start(),
            first_minute,
            past,
            began_ms: boot_ms(),
            frozen: AtomicU64::new(u64::MAX),
            turned: Notify::new(),
            counters: Counters::default(),
            then_ms: AtomicI64::new(i64::MIN),
            ahead_ms: AtomicU64::new(0),
        }
    }

    /// Returns a world in which it is a time of the past.
    pub(crate) fn long_ago(collectors: String, first_minute: u64, then: Timestamp) -> Self {
        let world = Self::new(collectors, first_minute, Past { steps: 0, each: 1 });
        Self { clock: Clock::showing(then), then_ms: AtomicI64::new(then.unix_ms()), ..world }
    }

    /// Returns whether it is long ago.
    pub(crate) fn is_long_ago(&self) -> bool {
        self.then_ms.load(Ordering::Relaxed) != i64::MIN
    }

    /// Lets it be a later time of the past at once.
    pub(crate) fn turn_to(&self, then: Timestamp) {
        let ahead = then.unix_ms().saturating_sub(self.clock.at(self.boot_ms()).unix_ms());
        self.ahead_ms.fetch_add(u64::try_from(ahead).unwrap_or_default(), Ordering::Relaxed);
        self.then_ms.store(then.unix_ms(), Ordering::Relaxed);
    }

    /// Returns the milliseconds since the start of an agent's machine.
    pub(crate) fn boot_ms(&self) -> u64 {
        boot_ms().saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Returns the time at which is seen what agents tell: long ago it stands while they tell of it.
    pub(crate) fn now(&self) -> Timestamp {
        match self.then_ms.load(Ordering::Relaxed) {
            i64::MIN => self.clock.at(boot_ms()),
            then_ms => Timestamp::from_unix_ms(then_ms),
        }
    }

    /// Returns the minute that it is at a site.
    pub(crate) fn minute(&self, site: &Site) -> u64 {
        let frozen = self.frozen.load(Ordering::Relaxed);
        if self.is_long_ago() {
            return self.first_minute;
        }
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
