//! Reading the estate back: readers take runs of sites from the store, row by row, while one thread puts together what they read.
//!
//! Invariant: the estate is the one that was committed, whoever reads which run: what is the nation's is read before the sites, and the
//! rows of one site are put in by one reader in the order of their keys.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender},
    },
    thread,
};

use super::{
    Store, StoreError, facts, keys, read_change,
    rows::{self, Origins},
};
use crate::{
    estate::{Change, Estate},
    ingest::{links_of, regrouped},
};

/// Changes that a reader hands over at a time.
const BATCH: usize = 512;
/// Rows of one of sled's leaves, about.
const ROWS_OF_LEAF: usize = 10;
/// Batches that wait to be put in, for each reader.
const WAITING: usize = 4;
/// Readers at most: one thread puts in what they read.
const READERS_MAX: usize = 4;
/// Runs of sites for each reader: a few, so that no reader waits long for the last one.
const RUNS: usize = 16;

type Batch = Result<Vec<Change>, StoreError>;

impl Store {
    /// Reads the estate back.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn load(&self) -> Result<Estate, StoreError> {
        let mut estate = Estate::default();
        let mut origins = Origins::default();
        let mut changes = Vec::new();
        for row in self.rows_of_the_estate(keys::site_range(0..1)) {
            self.read_row(row?, &mut origins, &mut changes)?;
            changes.drain(..).for_each(|change| estate.apply(&change));
        }
        self.load_sites(&mut estate)?;
        derive(&mut estate);
        estate.fill_nodes();
        Ok(estate)
    }

    fn load_sites(&self, estate: &mut Estate) -> Result<(), StoreError> {
        let readers = thread::available_parallelism().map_or(1, usize::from).min(READERS_MAX);
        let sites: Vec<u64> = estate.tree.iter().map(|site| site.id.raw()).collect();
        let (runs, next) = (runs_of(sites, readers * RUNS), AtomicUsize::new(0));
        let (sender, batches) = mpsc::sync_channel(readers * WAITING);
        thread::scope(|scope| {
            for _ in 0..readers {
                let (sender, runs, next) = (sender.clone(), &runs, &next);
                scope.spawn(move || {
                    while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.read_run(run.clone(), &sender).is_none() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for batch in batches {
                batch?.iter().for_each(|change| estate.apply(change));
            }
            Ok(())
        })
    }

    /// Hands over what the store holds of a run of sites; `None` where nobody wants more of it, or a row could not be read.
    fn read_run(&self, run: Range<u64>, batches: &SyncSender<Batch>) -> Option<()> {
        let (mut batch, mut origins, mut rows) = (Vec::with_capacity(BATCH), Origins::default(), 0);
        for row in self.rows_of_the_estate(keys::site_range(run)) {
            if let Err(error) = row.and_then(|row| self.read_row(row, &mut origins, &mut batch)) {
                batches.send(Err(error)).ok()?;
                return None;
            }
            rows += 1;
            if rows % ROWS_OF_LEAF == 0 {
                self.asked(1);
            }
            if batch.len() >= BATCH {
                batches.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))).ok()?;
            }
        }
        batches.send(Ok(batch)).ok()
    }

    /// Adds what a row says: a change, a page of facts, or nothing that is of the estate.
    fn read_row(
        &self,
        (key, value): (sled::IVec, sled::IVec),
        origins: &mut Origins,
        changes: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let damaged = |problem| self.damaged(&key, problem);
        let Some(keys::Key::Fact { site, agent, group, .. }) = keys::parse(&key) else {
            changes.extend(read_change(&key, &value, origins).map_err(damaged)?);
            return Ok(());
        };
        for fact in facts::all(&value) {
            let (key_hash, held) = fact.map_err(damaged)?;
            let held = Some(Arc::new(rows::read_held(held).map_err(damaged)?));
            changes.push(Change::Fact { site, agent, group: group.clone(), key_hash, held });
        }
        Ok(())
    }

    /// Returns the rows of the estate between two keys, in order. What is kept beside it, samples, alterations and all that was once told, is
    /// most of what a store of months has: it is passed over kind by kind, without being read.
    pub(super) fn rows_of_the_estate(
        &self,
        keys: Range<Vec<u8>>,
    ) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> + '_ {
        let end = keys.end.clone();
        let mut rows = self.tree.range(keys);
        std::iter::from_fn(move || {
            loop {
                match rows.next()? {
                    Ok((key, _)) if keys::is_beside_the_estate(&key) => {
                        rows = self.tree.range(keys::behind_kind(&key)..end.clone());
                    }
                    row => return Some(row.map_err(|error| self.read_error(error))),
                }
            }
        })
    }
}

/// Returns the ids of sites in `count` runs at most, which together hold every id but the nation's.
fn runs_of(mut sites: Vec<u64>, count: usize) -> Vec<Range<u64>> {
    sites.sort_unstable();
    let each = sites.len().div_ceil(count.max(1)).max(1);
    let mut starts: Vec<u64> = sites.chunks(each).filter_map(|run| run.first().copied()).skip(1).collect();
    starts.insert(0, 1);
    let ends: Vec<u64> = starts.iter().skip(1).copied().chain([u64::MAX]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| start..end).collect()
}

/// Adds what is not stored, since it follows from the rest.
fn derive(estate: &mut Estate) {
    let devices: Vec<_> = estate.sites.values().flat_map(|state| regrouped(state)).collect();
    for change in &devices {
        estate.apply(change);
    }
    let sites: Vec<_> = estate.sites.values().map(|state| (state.id, links_of(state))).collect();
    for (site, links) in sites {
        if !links.is_empty() {
            estate.apply(&Change::Links { site, links });
        }
        if estate.site(site).is_some_and(|state| !state.devices.is_empty()) {
            estate.apply(&Change::Unsettled { site, since: Some(estate.time) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_every_site_once_and_those_that_nobody_named() {
        for (sites, count) in [(vec![], 4), (vec![7], 4), (vec![9, 3, 5, 1], 2), ((1..=100).collect(), 32)] {
            let runs = runs_of(sites, count);
            assert!(runs.len() <= count);
            assert_eq!((runs[0].start, runs[runs.len() - 1].end), (1, u64::MAX));
            assert!(runs.windows(2).all(|two| two[0].end == two[1].start && two[0].start < two[0].end), "{runs:?}");
        }
    }
}
