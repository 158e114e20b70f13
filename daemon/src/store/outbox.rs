//! What waits to leave the centre, and what became of it.
//!
//! Invariant: a message is there from the moment at which what caused it is committed, in the same atomic batch. Each channel has a
//! mark up to which it has dealt with everything; the mark goes on in one batch with how the channel ended with a message, and is on
//! disk before the next one is sent. So a process that is killed loses nothing, and of what a receiver took it repeats at most the one
//! message whose end it could not write down. One task a channel moves its mark.

use std::collections::BTreeMap;

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

/// Returns the mark of a channel that dealt with a message: the first key behind the message and what became of it.
fn mark_behind(id: MessageId) -> Vec<u8> {
    let mut mark = keys::message(id);
    mark.push(u8::MAX);
    mark
}

impl Store {
    /// Makes the store keep messages that are to leave from now on.
    #[must_use]
    pub const fn with_outbox(mut self) -> Self {
        self.outbox = true;
        self
    }

    /// Adds to a batch what replicas of the centre told of each other's channels. A mark never goes back: who lost the lease may
    /// say how it ended with a message after whoever has it now went on.
    pub(super) fn write_passed(&self, batch: &mut sled::Batch, changes: &[Change]) -> Result<(), StoreError> {
        let mut marks: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for change in changes {
            let Change::Passed { channel, message, ended } = change else { continue };
            batch.insert(keys::message_ended(*message, channel), rows::to_json(ended));
            let known = match marks.get(&**channel) {
                Some(mark) => mark.clone(),
                None => mark_of(self, channel)?.unwrap_or_default(),
            };
            marks.insert(channel, known.max(mark_behind(*message)));
        }
        for (channel, mark) in marks {
            batch.insert(keys::outbox_mark(channel), mark);
        }
        Ok(())
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
        let mut batch = sled::Batch::default();
        batch.insert(keys::outbox_mark(channel), mark_behind(id));
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
        mark_of(&self.store, channel)
    }
}

fn mark_of(store: &Store, channel: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mark = store.tree.get(keys::outbox_mark(channel)).map_err(|error| store.read_error(error))?;
    Ok(mark.map(|mark| mark.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use onenet_topology::{SiteId, incident::Severity};

    use super::*;
    use crate::{
        estate::{Estate, LogState},
        outbox::What,
    };

    const CHANNEL: &str = "duty";

    const fn id(position: u64) -> MessageId {
        MessageId { position, ordinal: 0 }
    }

    fn told(position: u64) -> Change {
        Change::Told(Arc::new(Message {
            id: id(position),
            what: What::CaseOpened,
            time: Timestamp::EPOCH,
            about: String::new(),
            site: SiteId::from_raw(1),
            kind: String::new(),
            subject: String::new(),
            grade: Severity::General,
            state: String::new(),
            drill: false,
            to: None,
            notice: None,
            issuer: None,
            contacts: Vec::new(),
            due: None,
            by: None,
            text: String::new(),
            concerns: Vec::new(),
        }))
    }

    fn passed(position: u64) -> Change {
        let ended = Ended { time: Timestamp::EPOCH, refused: None };
        Change::Passed { channel: CHANNEL.into(), message: id(position), ended }
    }

    fn waiting(store: &Store) -> Vec<u64> {
        let waiting = store.outbox().unwrap().waiting(CHANNEL, 10).unwrap();
        waiting.iter().map(|message| message.id.position).collect()
    }

    fn store(directory: &std::path::Path) -> Store {
        let store = Store::open(directory).unwrap().with_outbox();
        store.outbox().unwrap().enter(CHANNEL, 0).unwrap();
        store
    }

    #[test]
    fn what_a_replica_says_late_of_a_message_does_not_bring_back_those_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        store.commit(&[told(1), told(2), told(3)]).unwrap();
        store.commit(&[passed(2), passed(1)]).unwrap();
        assert_eq!(waiting(&store), [3]);
        store.commit(&[passed(1)]).unwrap();
        assert_eq!(waiting(&store), [3]);
        assert_eq!(store.outbox().unwrap().ended(id(1)).unwrap().len(), 1);
    }

    #[test]
    fn what_waits_is_part_of_a_backup_where_replicas_share_a_log_and_only_there() {
        for shared in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let from = store(&directory.path().join("from"));
            from.commit(&[told(1), told(2), told(9), passed(1)]).unwrap();
            let log = shared.then(|| Arc::new(LogState::new("log".into(), Timestamp::EPOCH, 0)));
            let estate = Estate { position: 5, log, ..Estate::default() };
            let (file, to) = (directory.path().join("backup"), directory.path().join("to"));
            let case_files = crate::case_files::Files::open(directory.path()).unwrap();
            from.backup(&estate, &[], &case_files, &file).unwrap();
            Store::restore(&file, &to, |_, _| Ok(())).unwrap();
            let expected: &[u64] = if shared { &[2] } else { &[] };
            assert_eq!(waiting(&store(&to)), expected, "what is newer than the backup comes from the log");
        }
    }
}
