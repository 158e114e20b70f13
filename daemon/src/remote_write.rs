//! Remote write: what was measured goes to whoever keeps series (Prometheus, VictoriaMetrics) with the time at which it was
//! measured, so that an outage leaves no gap.
//!
//! Invariant: a batch is taken out of the queue when everything in it was taken by the receiver, or refused for what it is and
//! counted; never for a receiver that is away, says it is busy, or knows us not. What is sent twice says the same.
//!
//! | answer | then |
//! |---|---|
//! | 2xx | taken |
//! | 400, 413, 422 | parts of the request are sent by themselves, until what is refused is found; that is counted as rejected |
//! | anything else, or none | the same again, after a second and up to a minute, or as long as `Retry-After` says |
//!
//! Prometheus takes nothing of a request of which one sample is too old; hence the parts. A time that is yet to come is not sent at
//! all: the receiver would take it for the present, and refuse the true present as too old.
//!
//! Where replicas share a log, the one with the lease sends, and through which position it did is a record: the others take as much out.
//!
//! # Tasks
//!
//! [`run`] is one task. It may be cancelled at any moment: what it had under way is sent again after the next start.

mod client;
mod message;
mod series;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use client::Client;

use crate::{
    centre::Centre,
    http_client::Answer,
    store::{Queue, StoreError},
};
use series::Points;

/// How long samples gather before they are sent: a request of its own for each batch would cost more than it carries.
const GATHER: Duration = Duration::from_secs(2);
/// Samples of batches that are looked at together; most ports are not exported.
const SAMPLES_AT_ONCE: usize = 20_000;
/// Values in one request; Prometheus' own remote write sends two thousand.
const POINTS_MAX: usize = 5_000;
/// Requests that one part of the queue may cost, until what is still refused is given up in whole.
const PARTS_MAX: usize = 256;
/// The first and the longest pause after a failure.
const BACK_OFF: Range<Duration> = Duration::from_secs(1)..Duration::from_secs(60);

/// What is counted for metrics, since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Values that were taken.
    pub sent: AtomicU64,
    /// Values that were refused for what they are.
    pub rejected: AtomicU64,
    /// Values that were not sent, since their time is yet to come.
    pub future: AtomicU64,
    /// Batches dropped since too many waited.
    pub dropped_full: AtomicU64,
    /// Batches of which samples expired before they were sent.
    pub dropped_expired: AtomicU64,
    /// Requests that were taken.
    pub taken: AtomicU64,
    /// Requests that were refused for what they carry.
    pub refused: AtomicU64,
    /// Requests that failed and were sent again.
    pub failed: AtomicU64,
}

/// What metrics tell of remote write.
#[derive(Debug, Clone)]
pub struct Told {
    /// What waits.
    pub queue: Queue,
    /// What was counted.
    pub counters: Arc<Counters>,
}

/// Everything that the task needs.
pub struct Writer {
    /// The centre whose samples are sent.
    pub centre: Centre,
    /// What waits, and the counters.
    pub told: Told,
    /// How the receiver is reached.
    pub client: Client,
    /// How many batches may wait.
    pub queue_batches: u64,
}

/// Sends what waits, as it comes, until `shutdown`.
pub async fn run(mut writer: Writer, shutdown: CancellationToken) {
    let mut position = writer.centre.position();
    loop {
        let turn = async {
            match writer.turn().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::time::sleep(GATHER).await;
                    // The centre ends after this task.
                    let _ = position.changed().await;
                }
                Err(error) => {
                    tracing::error!(%error, "the queue of remote write cannot be read or written; tried again");
                    tokio::time::sleep(BACK_OFF.end).await;
                }
            }
        };
        tokio::select! {
            () = turn => {}
            () = shutdown.cancelled() => return,
        }
    }
}

impl Writer {
    /// Sends what is in front. Returns whether there may be more.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        let centre = self.centre.clone();
        if let Some(log) = &centre.estate().log {
            self.take_out(log.relayed).await?;
        }
        let Some((points, through, more)) = self.front().await? else { return Ok(false) };
        if !centre.may_act_outside() {
            // Another replica sends it, and says so.
            return Ok(false);
        }
        self.told.counters.future.fetch_add(points.future, Ordering::Relaxed);
        tokio::select! {
            () = self.deliver(&points) => {}
            () = centre.loses_lease() => return Ok(false),
        }
        if centre.replication().is_some()
            && let Err(error) = centre.relayed(through).await
        {
            tracing::warn!(%error, "that remote write was done is not in the log; sent again");
            return Ok(false);
        }
        self.take_out(through).await?;
        Ok(more)
    }

    async fn take_out(&self, through: u64) -> Result<(), StoreError> {
        let queue = self.told.queue.clone();
        blocking(move || queue.take_out(through)).await
    }

    /// Returns what is in front as values, up to which position that is, and whether more waits behind it.
    async fn front(&self) -> Result<Option<(Points, u64, bool)>, StoreError> {
        let (queue, max, counters) = (self.told.queue.clone(), self.queue_batches, Arc::clone(&self.told.counters));
        let (estate, now) = (self.centre.estate(), self.centre.clock().now());
        let front = move || {
            let dropped = queue.trim(max)?;
            if dropped > 0 {
                tracing::warn!(dropped, max, "too much waits for remote write; the oldest batches were dropped");
                counters.dropped_full.fetch_add(dropped, Ordering::Relaxed);
            }
            // What the snapshot does not know of yet comes with the next.
            let waiting = queue.front(estate.position, SAMPLES_AT_ONCE)?;
            let Some(last) = waiting.last() else { return Ok(None) };
            let lost = waiting.iter().filter(|batch| batch.lost_rows > 0).count();
            counters.dropped_expired.fetch_add(count(lost), Ordering::Relaxed);
            let (through, more) = (last.position, queue.waiting() > count(waiting.len()));
            Ok(Some((Points::of(&estate, now, &waiting), through, more)))
        };
        blocking(front).await
    }

    /// Sends values until each was taken, or refused for what it is.
    async fn deliver(&mut self, points: &Points) {
        let len = points.len();
        let mut parts: VecDeque<Range<usize>> =
            (0..len).step_by(POINTS_MAX).map(|from| from..(from + POINTS_MAX).min(len)).collect();
        let mut sent = 0;
        while let Some(part) = parts.pop_front() {
            sent += 1;
            let counters = Arc::clone(&self.told.counters);
            let size = count(part.len());
            match self.answer(points, &part).await {
                Ok(()) => {
                    counters.taken.fetch_add(1, Ordering::Relaxed);
                    counters.sent.fetch_add(size, Ordering::Relaxed);
                }
                Err(why) => {
                    counters.refused.fetch_add(1, Ordering::Relaxed);
                    if part.len() == 1 || sent >= PARTS_MAX {
                        tracing::warn!(why, values = size, first = points.name(part.start), "remote write was refused");
                        counters.rejected.fetch_add(size, Ordering::Relaxed);
                    } else {
                        let middle = part.start + part.len() / 2;
                        parts.push_front(middle..part.end);
                        parts.push_front(part.start..middle);
                    }
                }
            }
        }
    }

    /// Sends one part until it is taken, or refused: then it says why.
    async fn answer(&mut self, points: &Points, part: &Range<usize>) -> Result<(), String> {
        let body = points.message(part.clone());
        let mut pause = BACK_OFF.start;
        loop {
            let (why, after) = match self.client.send(body.clone()).await {
                Ok(Answer::Taken) => return Ok(()),
                Ok(Answer::Refused(why)) => return Err(why),
                Ok(Answer::Later { why, after }) => (why, after),
                Err(error) => (with_causes(&error), None),
            };
            self.told.counters.failed.fetch_add(1, Ordering::Relaxed);
            let wait = after.unwrap_or(pause).min(BACK_OFF.end);
            tracing::warn!(why, wait_s = wait.as_secs(), "remote write failed; tried again");
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(BACK_OFF.end);
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Does what reads or writes the disk where that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::Panicked(error.to_string())),
    }
}
