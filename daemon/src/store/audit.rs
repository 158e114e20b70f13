//! The audit trail: written by record, read by time, kept apart from everything that expires.

use onenet_topology::Timestamp;

use super::{Store, StoreError, keys, rows};
use crate::access::audit::Entry;

/// Names an entry: its first time, the position of its record, its place therein. In this order.
pub type AuditKey = (Timestamp, u64, u32);

/// Which entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after the last.
    pub until: Timestamp,
    /// Only what comes behind this entry.
    pub after: Option<AuditKey>,
    /// How many at most, the oldest first.
    pub limit: usize,
}

/// Adds the rows of entries.
pub(super) fn write(batch: &mut sled::Batch, position: u64, entries: &[Entry]) {
    for (ordinal, entry) in (0..).zip(entries) {
        batch.insert(keys::audit(entry.time, position, ordinal), rows::to_json(entry));
    }
}

/// Entries that one call of [`Store::expire_audit`] removes, so that commits do not wait for long.
const EXPIRE_ENTRIES_MAX: usize = 20_000;

impl Store {
    /// Removes entries of the audit trail that are older than `before`. Returns the number of removed entries.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn expire_audit(&self, before: Timestamp) -> Result<usize, StoreError> {
        let (from, until) = (keys::audit(Timestamp::from_unix_ms(i64::MIN), 0, 0), keys::audit(before, 0, 0));
        let mut batch = sled::Batch::default();
        let mut removed = 0;
        for row in self.tree.range(from..until).take(EXPIRE_ENTRIES_MAX) {
            let (key, _) = row.map_err(|error| self.read_error(error))?;
            batch.remove(key);
            removed += 1;
        }
        self.apply(batch)?;
        Ok(removed)
    }

    /// Returns entries of the audit trail in the order of time.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn audit_entries(&self, query: &AuditQuery) -> Result<Vec<(AuditKey, Entry)>, StoreError> {
        let from = keys::audit(query.from, 0, 0);
        let after = query.after.map(|(time, position, ordinal)| keys::audit(time, position, ordinal));
        // The least key behind another one is that key with a zero byte.
        let from = after.map_or(from.clone(), |mut after| {
            after.push(0);
            after.max(from)
        });
        let until = keys::audit(query.until, 0, 0);
        let mut found = Vec::new();
        if from >= until {
            return Ok(found);
        }
        for row in self.tree.range(from..until).take(query.limit) {
            let (key, value) = row.map_err(|error| self.read_error(error))?;
            let name = keys::parse_audit(&key).ok_or_else(|| self.damaged(&key, "the key is cut short".into()))?;
            let entry = rows::from_json(&value).map_err(|problem| self.damaged(&key, problem))?;
            found.push((name, entry));
        }
        Ok(found)
    }
}
