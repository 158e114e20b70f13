//! What format 2 kept of the history lane in the tree: read, and removed when it goes, until nothing is left.
//!
//! Invariant: as long as the tree says where the lane is, it alone does; from the moment on at which it says so no more, the journal
//! does, and what of it is in the tree is only read and removed.

use super::{
    SpoolError,
    history::numbers,
    journal::Lane,
    keys,
    lost::Lost,
    store::{Purpose, Store, Writes},
};

/// The batches that are left.
#[derive(Debug, Default)]
pub(super) struct LeftInTree {
    /// From the oldest to before this number.
    first: u64,
    end: u64,
    bytes: u64,
}

impl LeftInTree {
    /// Returns where the lane is, `None` when that is no longer the tree's to say.
    pub(super) fn lane(store: &Store) -> Result<Option<Lane>, SpoolError> {
        let meta = store.get(keys::HISTORY_LANE)?.and_then(|value| numbers::<3>(&value));
        let Some([epoch, base, next]) = meta else { return Ok(None) };
        // An oldest batch without its first part was being forgotten.
        let first = store.keys(keys::history(0)..vec![keys::HISTORY + 1]).find_map(|key| match key {
            Ok(key) => keys::parse_history(&key).filter(|_| keys::is_first_part(&key)).map(Ok),
            Err(error) => Some(Err(error)),
        });
        let first = first.transpose()?.filter(|first| (1..next).contains(first)).unwrap_or(next);
        let lost = store.get(keys::LOST)?.and_then(|value| numbers::<4>(&value)).map(Lost::of_numbers);
        Ok(Some(Lane { epoch, base, first, next, lost: lost.unwrap_or_default() }))
    }

    /// Finds what is left of the lane, and removes what is not of it: what had been forgotten, or was being written.
    pub(super) fn load(store: &Store, lane: &Lane) -> Result<Self, SpoolError> {
        let (mut left, mut writes) = (Self::default(), Writes::default());
        for item in store.scan(&[keys::HISTORY]) {
            let (key, value) = item?;
            match keys::parse_history(&key).filter(|number| (lane.first..lane.next).contains(number)) {
                Some(number) => {
                    left.first = if left.end == 0 { number } else { left.first };
                    left.end = number + 1;
                    left.bytes += value.len() as u64;
                }
                None => writes.remove(key),
            }
        }
        store.apply(writes, Purpose::Start)?;
        Ok(left)
    }

    /// Has the tree say no more where the lane is.
    pub(super) fn take_over(writes: &mut Writes) {
        writes.remove(keys::HISTORY_LANE);
        writes.remove(keys::LOST);
    }

    /// Returns the oldest batch.
    pub(super) fn first(&self) -> Option<u64> {
        (self.first < self.end).then_some(self.first)
    }

    /// Returns the bytes of the batches.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns a batch, `None` where it is not here.
    pub(super) fn get(&self, store: &Store, number: u64) -> Result<Option<Vec<u8>>, SpoolError> {
        if (self.first..self.end).contains(&number) {
            store.get_parts(&keys::history(number)).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Removes the batches before this one.
    pub(super) fn remove(&mut self, store: &Store, before: u64) -> Result<(), SpoolError> {
        while self.first < self.end.min(before) {
            let (mut writes, mut bytes) = (Writes::default(), 0);
            for item in store.scan(&keys::history(self.first)) {
                let (key, value) = item?;
                bytes += value.len() as u64;
                writes.remove(key);
            }
            store.apply(writes, Purpose::BookKeeping)?;
            self.bytes = self.bytes.saturating_sub(bytes);
            self.first += 1;
        }
        Ok(())
    }
}
