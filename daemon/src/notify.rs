//! Notification: those outside who are to know what happened are told, each over a channel of the configuration.
//!
//! Invariant: a message leaves a channel's queue when its receiver took it, or refuses it for what it is; never for a receiver that is
//! away, is busy, or does not know us. Messages of a channel go in order, each under its id. So a receiver that answers is told once;
//! one whose answer did not arrive, or was not yet written down when the process was killed, is told again under the same id.
//!
//! | answer | then |
//! |---|---|
//! | taken (2xx; a robot's `errcode` 0; a datagram or a stream that was written; a mail program's status 0) | the next one |
//! | refused (400, 413, 422; a robot or a mail program that cannot read it) | noted with the reason, counted, and the next one |
//! | anything else, or none | the same again, after a second and up to a minute, or as long as the receiver wants |
//!
//! Where replicas share a log, the one with the lease sends, and what came of it is a record, so that whoever has the lease next goes on
//! behind it.
//!
//! One channel of mail at most tells the contacts of sites what these are to do (`contacts`), whatever else it is told of.
//!
//! # Tasks
//!
//! [`run`] has one task a channel and one that lets old messages go; all end with it. Each may be cancelled at any moment: what it had
//! under way is sent again after the next start.

mod cef;
mod channel;
mod form;
mod mail;
#[cfg(test)]
mod tests;
mod words;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use onenet_topology::{SiteId, Timestamp};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

pub use channel::Channel;

use crate::{
    centre::{Centre, LEASE_LOOK},
    config::Route,
    estate::Estate,
    http_client::{Answer, TIMEOUT},
    outbox::Message,
    remote_write::{blocking, with_causes},
    store::{Ended, Outbox, StoreError},
};

/// Messages that are looked at together.
const AT_ONCE: usize = 1_000;
/// The first and the longest pause after a failure.
const BACK_OFF: Range<Duration> = Duration::from_secs(1)..Duration::from_secs(60);
/// How long what happens together is waited for, before somebody looks again.
const GATHER: Duration = Duration::from_millis(100);
/// Messages that are kept, sent or not.
const MESSAGES_MAX: usize = 100_000;
/// How long messages that were sent are kept, in milliseconds: as long as the audit trail.
const KEPT_MS: i64 = 190 * 86_400_000;
/// How often old ones are let go.
const TRIM: Duration = Duration::from_secs(3_600);

/// What metrics tell of a channel.
#[derive(Debug)]
pub struct ChannelTold {
    /// Its name.
    pub name: String,
    /// Whether it tells the contacts of sites.
    pub contacts: bool,
    /// Messages that wait, as far as it looks ahead.
    pub waiting: AtomicU64,
    /// When the first of them happened, in milliseconds; 0 where none waits.
    pub oldest_ms: AtomicI64,
    /// Messages that were taken, since the start of the process.
    pub taken: AtomicU64,
    /// Messages that were refused for what they are.
    pub refused: AtomicU64,
    /// Attempts that failed, and were or will be made again.
    pub failed: AtomicU64,
    /// Messages that gave way to newer ones before they were sent.
    pub dropped: AtomicU64,
}

/// Everything that the tasks need.
pub struct Notifier {
    centre: Centre,
    outbox: Outbox,
    lines: Vec<Line>,
}

/// A channel at work.
struct Line {
    centre: Centre,
    outbox: Outbox,
    channel: Channel,
    told: Arc<ChannelTold>,
    pause: Duration,
}

impl Notifier {
    /// Returns what tells the channels; `None` where there is none, or the centre keeps no messages.
    pub fn new(centre: Centre, channels: Vec<Channel>) -> Option<Self> {
        let outbox = centre.outbox()?;
        let line = |channel: Channel| Line {
            centre: centre.clone(),
            outbox: outbox.clone(),
            told: Arc::new(ChannelTold::new(channel.name(), channel.tells_contacts())),
            channel,
            pause: BACK_OFF.start,
        };
        let lines: Vec<_> = channels.into_iter().map(line).collect();
        (!lines.is_empty()).then_some(Self { centre, outbox, lines })
    }

    /// Returns what metrics tell of each channel.
    pub fn told(&self) -> Vec<Arc<ChannelTold>> {
        self.lines.iter().map(|line| Arc::clone(&line.told)).collect()
    }
}

impl ChannelTold {
    pub(crate) fn new(name: &str, contacts: bool) -> Self {
        Self {
            name: name.to_owned(),
            contacts,
            waiting: AtomicU64::new(0),
            oldest_ms: AtomicI64::new(0),
            taken: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }
}

/// Tells the channels what happens, until `shutdown`.
pub async fn run(notifier: Notifier, shutdown: CancellationToken) {
    let told = notifier.told();
    let mut tasks = JoinSet::new();
    for line in notifier.lines {
        tasks.spawn(line.work());
    }
    tasks.spawn(keep(notifier.centre, notifier.outbox, told));
    shutdown.cancelled().await;
    tasks.shutdown().await;
}

/// Lets old messages go, now and then.
async fn keep(centre: Centre, outbox: Outbox, told: Vec<Arc<ChannelTold>>) {
    loop {
        let names: Vec<String> = told.iter().map(|it| it.name.clone()).collect();
        let (outbox, before) = (outbox.clone(), centre.clock().now().plus_ms(-KEPT_MS));
        match blocking(move || outbox.trim(MESSAGES_MAX, before, &names)).await {
            Ok(0) => {}
            Ok(lost) => {
                tracing::warn!(
                    lost,
                    max = MESSAGES_MAX,
                    "messages that some channel was not told gave way to newer ones"
                );
                for channel in &told {
                    channel.dropped.fetch_add(count(lost), Ordering::Relaxed);
                }
            }
            Err(error) => tracing::error!(%error, "old messages cannot be let go"),
        }
        tokio::time::sleep(TRIM).await;
    }
}

impl Line {
    async fn work(mut self) {
        let mut position = self.centre.position();
        let (outbox, name, begins) = (self.outbox.clone(), self.told.name.clone(), self.centre.estate().position);
        if let Err(error) = blocking(move || outbox.enter(&name, begins)).await {
            tracing::error!(%error, channel = self.told.name, "the channel cannot be entered; nothing is sent over it");
            return;
        }
        loop {
            position.mark_unchanged();
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => {
                    // The centre ends after this task.
                    let _ = position.changed().await;
                    tokio::time::sleep(GATHER).await;
                }
                Err(error) => {
                    tracing::error!(%error, channel = self.told.name, "the outbox cannot be read or written; tried again");
                    tokio::time::sleep(BACK_OFF.end).await;
                }
            }
        }
    }

    /// Sends the first message that the channel wants. Returns whether there may be more.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        if !self.centre.may_act_outside() {
            // Another replica tells the channels, and says how it ended.
            tokio::time::sleep(LEASE_LOOK).await;
            return Ok(true);
        }
        let (outbox, name) = (self.outbox.clone(), self.told.name.clone());
        let waiting = blocking(move || outbox.waiting(&name, AT_ONCE)).await?;
        let estate = self.centre.estate();
        let wanted: Vec<&Message> = waiting.iter().filter(|it| self.channel.wants(it, &estate)).collect();
        self.told.waiting.store(count(wanted.len()), Ordering::Relaxed);
        self.told.oldest_ms.store(wanted.first().map_or(0, |it| it.time.unix_ms()), Ordering::Relaxed);
        if let Some(first) = wanted.first() {
            self.tell(first, &estate).await?;
            return Ok(true);
        }
        if let Some(last) = waiting.last() {
            self.pass(last, None).await?;
        }
        Ok(waiting.len() == AT_ONCE)
    }

    async fn tell(&mut self, message: &Message, estate: &Estate) -> Result<(), StoreError> {
        let now = self.centre.clock().now();
        let sent = timeout(TIMEOUT, self.channel.send(message, estate, now)).await;
        let (why, after) = match sent {
            Ok(Ok(Answer::Taken)) => {
                self.told.taken.fetch_add(1, Ordering::Relaxed);
                self.pause = BACK_OFF.start;
                return self.pass(message, Some(Ended { time: self.centre.clock().now(), refused: None })).await;
            }
            Ok(Ok(Answer::Refused(why))) => {
                tracing::warn!(channel = self.told.name, message = %message.id, why, "a message was refused");
                self.told.refused.fetch_add(1, Ordering::Relaxed);
                return self.pass(message, Some(Ended { time: now, refused: Some(why) })).await;
            }
            Ok(Ok(Answer::Later { why, after })) => (why, after),
            Ok(Err(error)) => (with_causes(&error), None),
            Err(_) => (format!("no answer within {} seconds", TIMEOUT.as_secs()), None),
        };
        self.told.failed.fetch_add(1, Ordering::Relaxed);
        let wait = after.unwrap_or(self.pause).min(BACK_OFF.end);
        tracing::warn!(channel = self.told.name, message = %message.id, why, wait_s = wait.as_secs(), "not told; sent again");
        self.pause = (self.pause * 2).min(BACK_OFF.end);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn pass(&self, message: &Message, ended: Option<Ended>) -> Result<(), StoreError> {
        if let (Some(_), Some(ended)) = (self.centre.replication(), &ended) {
            // Until all replicas know it, the one that takes over would send the message again.
            while let Err(error) = self.centre.passed(&self.told.name, message.id, ended.clone()).await {
                tracing::warn!(%error, channel = self.told.name, "that a message was sent is not in the log yet");
                if matches!(error, crate::ingest::IntakeError::Stopped) {
                    return Ok(());
                }
                tokio::time::sleep(BACK_OFF.start).await;
            }
            return Ok(());
        }
        let (outbox, name, id) = (self.outbox.clone(), self.told.name.clone(), message.id);
        blocking(move || outbox.pass(&name, id, ended.as_ref())).await
    }
}

/// Returns whether a message is one of those that a channel is told.
fn takes(route: &Route, message: &Message, estate: &Estate) -> bool {
    let is_there = |name: &String| {
        let sites = || std::iter::once(message.site).chain(message.to).chain(message.concerns.iter().copied());
        sites().any(|site| is_within(estate, site, name, message.time))
    };
    route.what.contains(&message.what)
        && route.grades.contains(&message.grade)
        && (route.drills || !message.drill)
        && (route.areas.is_empty() || route.areas.iter().any(is_there))
}

/// Returns whether a site belongs to what is named: a division by its code, or an area.
fn is_within(estate: &Estate, site: SiteId, name: &str, at: Timestamp) -> bool {
    let below = estate.tree.by_code(name, at).is_some_and(|root| estate.tree.is_within(site, root.id, at));
    below
        || estate
            .areas
            .values()
            .filter(|area| area.exists(at) && area.name(at).zh == name)
            .any(|area| area.contains(&estate.tree, site, at))
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
