//! Writing into the shared log: numbers what this replica says, appends it in order, and appends again what may have got lost.
//!
//! Invariant: entries are numbered without gaps in the order in which they were handed over, and nothing behind an entry is appended
//! for the last time before the entry is in the log. So readers take each once, in order, by [`LogState::admit`], however often
//! it was appended.
//!
//! # Tasks
//!
//! [`Writer::run`], owned by the replication; it ends when nobody hands over any more, or at shutdown: what was not appended then is
//! answered by nobody and sent again by whoever said it.
//!
//! [`LogState::admit`]: crate::estate::LogState::admit

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Told,
    entry::{Content, Entry, Seal},
    journal::Journal,
};
use crate::{
    ingest::{Answer, IntakeError, Refusal},
    record::Body,
};

/// Entries, and bytes, that are appended together.
const TOGETHER_MAX: usize = 256;
const TOGETHER_BYTES_MAX: usize = 2 << 20;
/// The most bytes of one entry: what the servers take.
const ENTRY_BYTES_MAX: usize = 7 << 20;
/// The first and the longest pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Who waits for what this replica wrote, by number. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<HashMap<u64, Answer>>>);

impl Waiting {
    pub(super) fn take(&self, number: u64) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number)
    }

    fn put(&self, number: u64, answer: Answer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, answer);
    }
}

/// The writer of one replica.
pub(super) struct Writer<J> {
    pub(super) journal: J,
    pub(super) seal: Seal,
    pub(super) name: String,
    pub(super) incarnation: u64,
    pub(super) rules: u64,
    pub(super) waiting: Waiting,
    /// What changes state, with whoever waits for it.
    pub(super) records: mpsc::Receiver<(Body, Answer)>,
    /// What the follower says: ticks and what they come to.
    pub(super) own: mpsc::Receiver<Content>,
    pub(super) told: Arc<Told>,
    pub(super) shutdown: CancellationToken,
}

impl<J: Journal> Writer<J> {
    /// Appends what is handed over, until `shutdown` or nobody hands over any more.
    pub(super) async fn run(mut self) {
        let mut number = 0;
        let shutdown = self.shutdown.clone();
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                Some(content) = self.own.recv() => (content, None),
                Some((body, answer)) = self.records.recv() => (Content::Record(body), Some(answer)),
                else => return,
            };
            let together = self.gather(first, &mut number);
            tokio::select! {
                () = self.append(together) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Returns the bytes of what waits, ready to be appended together.
    fn gather(&mut self, first: (Content, Option<Answer>), number: &mut u64) -> Vec<Bytes> {
        let (mut together, mut len) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some((content, answer)) = next.take() {
            if let Some(bytes) = self.ready(content, answer, number) {
                len += bytes.len();
                together.push(bytes);
            }
            if together.len() < TOGETHER_MAX && len < TOGETHER_BYTES_MAX {
                let own = self.own.try_recv().ok().map(|content| (content, None));
                next = own.or_else(|| {
                    self.records.try_recv().ok().map(|(body, answer)| (Content::Record(body), Some(answer)))
                });
            }
        }
        together
    }

    /// Numbers and seals one entry. `None` where it cannot be appended: whoever waits is told.
    fn ready(&self, content: Content, answer: Option<Answer>, number: &mut u64) -> Option<Bytes> {
        let (writer, incarnation, rules) = (self.name.clone(), self.incarnation, self.rules);
        let entry = Entry { writer, incarnation, number: *number + 1, rules, content };
        let why = match self.seal.write(&entry) {
            Ok(bytes) if bytes.len() <= ENTRY_BYTES_MAX => {
                *number += 1;
                if let Some(answer) = answer {
                    self.waiting.put(*number, answer);
                }
                return Some(bytes.into());
            }
            Ok(bytes) => {
                format!("it has {} bytes, more than the log takes at once: do it in smaller parts", bytes.len())
            }
            Err(error) => error.to_string(),
        };
        tracing::error!(why, "a record cannot be appended to the log");
        if let Some(answer) = answer {
            // Whoever does not wait any more will ask again.
            let _ = answer.send(Err(IntakeError::Refused(Refusal::Invalid(why))));
        }
        None
    }

    /// Appends until the log has everything.
    async fn append(&self, together: Vec<Bytes>) {
        if together.is_empty() {
            return;
        }
        let mut pause = PAUSE_MIN;
        while let Err(error) = self.journal.append(together.clone()).await {
            Told::count(&self.told.append_failures);
            tracing::warn!(%error, entries = together.len(), "the log does not take what this replica says; tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}
