//! What changed at sites: written by record, read by time.

use onenet_topology::{SiteId, Timestamp, picture::Alteration};

use super::{Store, StoreError, keys, rows};
use crate::estate::Change;

/// Rows that one call of [`Store::expire_alterations`] removes, so that commits do not wait for long.
const EXPIRE_ROWS_MAX: usize = 20_000;

/// Adds the rows of alterations; `first` is the position of the record, and which alteration of it the first one is.
pub(super) fn write(batch: &mut sled::Batch, first: (u64, u32), site: SiteId, alterations: &[Alteration]) {
    let (position, first) = first;
    for (ordinal, alteration) in (first..).zip(alterations) {
        batch.insert(keys::altered(site, alteration.time, position, ordinal), rows::to_json(alteration));
    }
}

/// Reads a row back.
pub(super) fn read(site: SiteId, key: &[u8], value: &[u8]) -> Result<Change, String> {
    let (position, ordinal) =
        keys::altered_position(key).zip(keys::altered_ordinal(key)).ok_or("the key is cut short")?;
    Ok(Change::Altered { position, ordinal, site, alterations: vec![rows::from_json(value)?] })
}

impl Store {
    /// Returns what changed at a site from one moment until before another, in the order of time; the first `limit`.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn alterations(
        &self,
        site: SiteId,
        [from, until]: [Timestamp; 2],
        limit: usize,
    ) -> Result<Vec<Alteration>, StoreError> {
        let (from, until) = (keys::altered(site, from, 0, 0), keys::altered(site, until, 0, 0));
        if from >= until {
            return Ok(Vec::new());
        }
        let rows = self.tree.range(from..until).take(limit);
        rows.map(|row| {
            let (key, value) = row.map_err(|error| self.read_error(error))?;
            rows::from_json(&value).map_err(|problem| self.damaged(&key, problem))
        })
        .collect()
    }

    /// Removes what changed at the sites before `before`. Returns the number of removed rows.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn expire_alterations(
        &self,
        sites: impl Iterator<Item = SiteId>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut removed = 0;
        for site in sites {
            let from = keys::altered(site, Timestamp::from_unix_ms(i64::MIN), 0, 0);
            let mut batch = sled::Batch::default();
            let rows = self.tree.range(from..keys::altered(site, before, 0, 0));
            for row in rows.take(EXPIRE_ROWS_MAX.saturating_sub(removed)) {
                let (key, _) = row.map_err(|error| self.read_error(error))?;
                batch.remove(key);
                removed += 1;
            }
            self.apply(batch)?;
        }
        Ok(removed)
    }
}
