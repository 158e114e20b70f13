//! What waits to leave the centre, and what became of it.
//!
//! Invariant: a message is there from the moment at which what caused it is committed, in the same atomic batch. Each channel has a
//! mark up to which it has dealt with everything; the mark goes on in one batch with how the channel ended with a message, and is on
//! disk before the next one is sent. So a process that is killed loses nothing, and of what a receiver took it repeats at most the one
//! message whose end it could not write down. One task a channel moves its mark.

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, keys, rows};
use crate::{
    estate::Change,
    outbox::{Message, MessageId},
};

/// Rows that are removed at once, so that commits do not wait for long.
const REMOVED_AT_ONCE: usize = 1_000;

/// The outbox. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Store,
}

/// How a channel ended with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub time: Timestamp,
    /// Why the receiver refuses it, where it does: it is not sent again then.
    pub refused: Option<String>,
}

/// Adds the messages among changes to a batch.
pub(super) fn write(batch: &mut sled::Batch, changes: &[Change]) {
    for change in changes {
        if let Change::Told(message) = change {
            batch.insert(keys::message(message.id), rows::to_json(&**message));
        }
    }
}

impl Store {
    /// Makes the store keep messages that are to leave from now on.
    #[must_use]
    pub const fn with_outbox(mut self) -> Self {
        self.outbox = true;
        self
    }

    /// Returns what waits to leave, where the store keeps it.
    pub fn outbox(&self) -> Option<Outbox> {
        self.outbox.then(|| Outbox { store: self.clone() })
    }
}

impl Outbox {
    /// Lets a channel that was never seen begin behind `position`: it is told what happens from now on.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn enter(&self, channel: &str, position: u64) -> Result<(), StoreError> {
        if self.mark(channel)?.is_some() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        batch.insert(keys::outbox_mark(channel), &keys::message(MessageId { position, ordinal: u32::MAX })[..]);
        self.store.apply(batch)?;
        self.store.flush()
    }

    /// Returns the first messages that a channel has not dealt with, `max` at most.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn waiting(&self, channel: &str, max: usize) -> Result<Vec<Message>, StoreError> {
        let Some(mark) = self.mark(channel)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for row in self.store.tree.range(mark..keys::outbox_end()) {
            let (key, value) = row.map_err(|error| self.store.read_error(error))?;
            if found.len() >= max {
                break;
            }
            if keys::is_message(&key) {
                found.push(rows::from_json(&value).map_err(|problem| self.store.damaged(&key, problem))?);
            }
        }
        Ok(found)
    }

    /// Notes that a channel dealt with a message: how it ended, or (`None`) that the channel does not want it.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn pass(&self, channel: &str, id: MessageId, ended: Option<&Ended>) -> Result<(), StoreError> {
        let key = keys::message(id);
        let mut batch = sled::Batch::default();
        // The first key behind the message and what became of it.
        let mut mark = key.clone();
        mark.push(u8::MAX);
        batch.insert(keys::outbox_mark(channel), mark);
        if let Some(ended) = ended {
            batch.insert(keys::message_ended(id, channel), rows::to_json(ended));
        }
        self.store.apply(batch)?;
        // What nobody wants may be looked at again.
        if ended.is_some() { self.store.flush() } else { Ok(()) }
    }

    /// Returns how channels ended with a message, by channel.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn ended(&self, id: MessageId) -> Result<Vec<(String, Ended)>, StoreError> {
        let prefix = keys::message(id);
        let mut found = Vec::new();
        for row in self.store.tree.scan_prefix(&prefix) {
            let (key, value) = row.map_err(|error| self.store.read_error(error))?;
            let channel = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            if !channel.is_empty() {
                found.push((channel, rows::from_json(&value).map_err(|problem| self.store.damaged(&key, problem))?));
            }
        }
        Ok(found)
    }

    /// Lets messages go that are older than `before`, and the oldest where there are more than `max`. Returns how many of them some of
    /// the `channels` had not dealt with.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn trim(&self, max: usize, before: Timestamp, channels: &[String]) -> Result<usize, StoreError> {
        let count = self.store.tree.range(keys::outbox_begin()..keys::outbox_end()).filter_map(Result::ok);
        let mut over = count.filter(|(key, _)| keys::is_message(key)).count().saturating_sub(max);
        let marks = channels.iter().map(|it| self.mark(it)).collect::<Result<Vec<_>, _>>()?;
        let dealt_with = marks.into_iter().flatten().min().unwrap_or_else(keys::outbox_end);
        let mut lost = 0;
        loop {
            let mut batch = sled::Batch::default();
            let (mut rows_removed, mut goes) = (0, false);
            for row in self.store.tree.range(keys::outbox_begin()..keys::outbox_end()).take(REMOVED_AT_ONCE) {
                let (key, value) = row.map_err(|error| self.store.read_error(error))?;
                if keys::is_message(&key) {
                    let message: Message =
                        rows::from_json(&value).map_err(|problem| self.store.damaged(&key, problem))?;
                    let waits = *key >= *dealt_with;
                    goes = over > 0 || message.time < before && !waits;
                    over = over.saturating_sub(1);
                    lost += usize::from(goes && waits);
                }
                if !goes {
                    break;
                }
                batch.remove(key);
                rows_removed += 1;
            }
            self.store.apply(batch)?;
            if rows_removed < REMOVED_AT_ONCE {
                return Ok(lost);
            }
        }
    }

    fn mark(&self, channel: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mark = self.store.tree.get(keys::outbox_mark(channel)).map_err(|error| self.store.read_error(error))?;
        Ok(mark.map(|mark| mark.to_vec()))
    }
}
