//! What memory keeps of a group of facts, and how the pages of a group change.
//!
//! Invariants: memory holds 24 bytes a page and nothing a fact, but for those that were observed later on their own than
//! disk knows. A page holds the facts whose key hashes are not below its name and below that of the next; the first holds all
//! below as well. An [`Edit`] changes disk, in a batch, and memory once the disk has it.
//!
//! This module does not know other groups, nor what an observation means.

use std::collections::BTreeMap;

use onenet_topology::{Timestamp, fact::Group};
use onenet_wire::{GroupDigest, MessageHasher};

use super::{
    SpoolError, keys,
    page::{self, Entry},
    store::{Store, Writes},
};

/// What memory keeps of a group.
#[derive(Debug, Default)]
pub(super) struct GroupTable {
    tally: Tally,
    pages: Vec<Page>,
    /// When all facts were last observed together. One observed later on its own is in `later`.
    renewed: Option<Timestamp>,
    /// No fact was reported before this.
    reported_since: Option<Timestamp>,
    /// Facts that were observed later than their page says, by key hash.
    later: BTreeMap<u64, Timestamp>,
}

/// What memory keeps of a page.
#[derive(Debug, Clone, Copy)]
struct Page {
    /// Its name, which is the last part of its key on disk.
    first: u64,
    /// How many of its entries wait to be sent.
    waiting: u32,
    /// How many facts hold.
    facts: u32,
    /// The sum of their hashes.
    sum: u64,
}

/// What facts add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many hold.
    pub(super) facts: usize,
    /// How many wait to be sent, those that are gone among them.
    pub(super) waiting: usize,
    /// The sum of the hashes of those that hold.
    pub(super) sum: u64,
}

/// How a group changes.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) group: Group,
    /// The places of pages, in order, and what comes there.
    pages: Vec<(usize, Vec<Page>)>,
    /// What the pages added up to.
    pub(super) before: Tally,
    /// What they add up to.
    pub(super) after: Tally,
    /// Whether something new waits to be sent.
    pub(super) waits: bool,
    /// When single facts were observed later than their pages say; `None` when pages say it now.
    later: Vec<(u64, Option<Timestamp>)>,
    /// The earliest time in what was written.
    reported: Option<Timestamp>,
    /// The earliest time in all pages, where all were read.
    reported_since: Option<Timestamp>,
    /// Whether what was observed together is in `later` from now on.
    apart: bool,
    /// When all that holds was observed together.
    together: Option<Timestamp>,
}

/// Changes pages of one group.
#[derive(Debug)]
pub(super) struct Editor<'a> {
    store: &'a Store,
    table: &'a GroupTable,
    writes: &'a mut Writes,
    edit: Edit,
}

impl GroupTable {
    /// Adds the next page, as it was read from disk.
    pub(super) fn load(&mut self, group: &Group, first: u64, entries: &[Entry]) -> Tally {
        let tally = Tally::of(group, entries);
        self.tally = self.tally.plus(tally);
        self.pages.push(Page::new(first, tally));
        let reported = entries.iter().map(|entry| entry.observed).min();
        self.reported_since = earliest(self.reported_since, reported);
        tally
    }

    /// Returns memory that is not needed.
    pub(super) fn shrink(&mut self) {
        self.pages.shrink_to_fit();
    }

    /// Returns what the facts add up to.
    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns whether there is nothing on disk.
    pub(super) const fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Returns the digest.
    pub(super) fn digest(&self, group: &Group) -> GroupDigest {
        GroupDigest { group: group.clone(), count: self.tally.facts as u64, sum: self.tally.sum }
    }

    /// Returns when everything was last observed together.
    pub(super) const fn renewed(&self) -> Option<Timestamp> {
        self.renewed
    }

    /// Returns a time before which no fact was reported.
    pub(super) const fn reported_since(&self) -> Option<Timestamp> {
        self.reported_since
    }

    /// Returns when a fact was last observed.
    pub(super) fn observed(&self, entry: &Entry) -> Timestamp {
        self.last_observed(entry.key_hash, entry.observed)
    }

    /// Returns when a fact was last observed, whose page says `observed`.
    pub(super) fn last_observed(&self, key_hash: u64, observed: Timestamp) -> Timestamp {
        let alone = if self.later.is_empty() { None } else { self.later.get(&key_hash).copied() };
        [alone, self.renewed].into_iter().flatten().fold(observed, Timestamp::max)
    }

    /// Takes note that everything was observed again.
    pub(super) fn renew(&mut self, observed: Timestamp) {
        let renewed = self.renewed.map_or(observed, |renewed| renewed.max(observed));
        self.renewed = Some(renewed);
        if !self.later.is_empty() {
            self.later.retain(|_, later| *later > renewed);
        }
    }

    /// Returns the places of all pages.
    pub(super) const fn places(&self) -> std::ops::Range<usize> {
        0..self.pages.len()
    }

    /// Returns the places of the pages that may hold these key hashes and something that waits to be sent.
    pub(super) fn waiting_places(&self, first: u64, last: u64) -> impl Iterator<Item = usize> + '_ {
        let pages = self.pages.iter().enumerate();
        let range = self.place(first)..=self.place(last);
        pages.filter(move |(place, page)| page.waiting > 0 && range.contains(place)).map(|(place, _)| place)
    }

    /// Returns the place of the page that a key hash belongs to.
    pub(super) fn place(&self, key_hash: u64) -> usize {
        self.pages.partition_point(|page| page.first <= key_hash).saturating_sub(1)
    }

    /// Returns whether what holds of the facts of a page is so many facts with this sum of hashes.
    pub(super) fn holds(&self, place: usize, facts: usize, sum: u64) -> bool {
        let page = self.pages.get(place);
        page.is_some_and(|page| (page.tally().facts, page.tally().sum) == (facts, sum))
    }

    /// Returns the first key hash behind a page, `None` when it is the last.
    pub(super) fn end(&self, place: usize) -> Option<u64> {
        self.pages.get(place + 1).map(|page| page.first)
    }

    /// Reads a page; one that is not there is empty.
    pub(super) fn read(&self, store: &Store, group: &Group, place: usize) -> Result<Vec<Entry>, SpoolError> {
        let Some(page) = self.pages.get(place) else { return Ok(Vec::new()) };
        let bytes = store.get(&keys::item(keys::PAGE, group, page.first))?;
        Ok(bytes.and_then(|bytes| page::decode(&bytes)).unwrap_or_default())
    }

    /// Returns those entries of a page that wait to be sent.
    pub(super) fn read_waiting(&self, store: &Store, group: &Group, place: usize) -> Result<Vec<Entry>, SpoolError> {
        let Some(page) = self.pages.get(place) else { return Ok(Vec::new()) };
        let bytes = store.get(&keys::item(keys::PAGE, group, page.first))?;
        Ok(bytes.and_then(|bytes| page::waiting(&bytes)).unwrap_or_default())
    }

    /// Returns whether some facts were observed later on their own.
    pub(super) fn has_later(&self) -> bool {
        !self.later.is_empty()
    }

    /// Takes in what the disk has now.
    pub(super) fn take(&mut self, edit: Edit) {
        self.tally = self.tally.minus(edit.before).plus(edit.after);
        // From behind, so that places before stay what they are.
        for (place, pages) in edit.pages.into_iter().rev() {
            let end = self.pages.len().min(place + 1);
            self.pages.splice(place.min(end)..end, pages);
        }
        if self.pages.capacity() > self.pages.len() * 2 {
            self.pages.shrink_to_fit();
        }
        if edit.apart {
            self.renewed = None;
        }
        for (key_hash, later) in edit.later {
            match later {
                Some(later) => _ = self.later.insert(key_hash, later),
                None => _ = self.later.remove(&key_hash),
            }
        }
        let reported = earliest(self.reported_since, edit.reported);
        self.reported_since = edit.reported_since.or(reported);
        if let Some(together) = edit.together {
            self.renew(together);
        }
    }
}

impl<'a> Editor<'a> {
    /// Returns what changes a group, of which memory knows `table`.
    pub(super) fn new(store: &'a Store, group: Group, table: &'a GroupTable, writes: &'a mut Writes) -> Self {
        let edit = Edit {
            group,
            pages: Vec::new(),
            before: Tally::default(),
            after: Tally::default(),
            waits: false,
            later: Vec::new(),
            reported: None,
            reported_since: None,
            apart: false,
            together: None,
        };
        Self { store, table, writes, edit }
    }

    /// Changes the page at a place, where `work` returns that it changed its entries. Places come in order, each once.
    pub(super) fn page(
        &mut self,
        place: usize,
        work: impl FnOnce(&mut Vec<Entry>, &mut Self) -> bool,
    ) -> Result<(), SpoolError> {
        let mut entries = self.table.read(self.store, &self.edit.group, place)?;
        let known = self.table.pages.get(place).copied();
        if !work(&mut entries, self) {
            return Ok(());
        }
        let before_name = known.map(|page| page.first);
        // The first holds what is below its name too, and is split by the names of what it holds.
        let name = before_name.filter(|_| place > 0).unwrap_or(0);
        let pages = self.put(name, &entries);
        let renamed = before_name.filter(|before_name| *before_name != name);
        // What is moved to another page is in one of them at any time; a page that changes or goes stands for itself.
        if pages.len() > 1 || (renamed.is_some() && !pages.is_empty()) {
            self.writes.bind();
        }
        if let Some(before_name) = renamed.or(before_name.filter(|_| pages.is_empty())) {
            self.writes.remove(keys::item(keys::PAGE, &self.edit.group, before_name));
        }
        self.edit.before = self.edit.before.plus(known.map(|page| page.tally()).unwrap_or_default());
        self.edit.after = pages.iter().fold(self.edit.after, |after, page| after.plus(page.tally()));
        self.edit.pages.push((place, pages));
        Ok(())
    }

    /// Changes the page at a place as [`page`](Self::page) does, where that takes nothing but another value of its key: `work` makes
    /// its bytes and what they add up to of its bytes and what those add up to. Returns whether it did; if not, nothing happened.
    pub(super) fn stream(
        &mut self,
        place: usize,
        work: impl FnOnce(&[u8], Tally, &mut Self) -> Option<(Vec<u8>, Tally)>,
    ) -> Result<bool, SpoolError> {
        // The first holds what is below its name too, and gets another name when it changes.
        let known = self.table.pages.get(place).filter(|page| place > 0 || page.first == 0);
        let Some(page) = known.copied() else { return Ok(false) };
        let key = keys::item(keys::PAGE, &self.edit.group, page.first);
        let Some(bytes) = self.store.get(&key)? else { return Ok(false) };
        let before = page.tally();
        let Some((bytes, after)) = work(&bytes, before, self) else { return Ok(false) };
        self.writes.put(key, bytes);
        (self.edit.before, self.edit.after) = (self.edit.before.plus(before), self.edit.after.plus(after));
        self.edit.pages.push((place, vec![Page::new(page.first, after)]));
        Ok(true)
    }

    fn put(&mut self, name: u64, entries: &[Entry]) -> Vec<Page> {
        let parts = page::encode(entries);
        let ends: Vec<usize> = parts.iter().skip(1).map(|(place, _)| *place).chain([entries.len()]).collect();
        let mut pages = Vec::with_capacity(parts.len());
        for ((start, bytes), end) in parts.into_iter().zip(ends) {
            let Some(part @ [head, ..]) = entries.get(start..end) else { continue };
            let first = if start == 0 { name } else { head.key_hash };
            self.writes.put(keys::item(keys::PAGE, &self.edit.group, first), bytes);
            pages.push(Page::new(first, Tally::of(&self.edit.group, part)));
        }
        pages
    }

    /// Notes that a fact was observed later than its page says.
    pub(super) fn later(&mut self, key_hash: u64, observed: Timestamp) {
        self.edit.later.push((key_hash, Some(observed)));
    }

    /// Notes that a page says when a fact was observed, and whether that is new to the centre.
    pub(super) fn reported(&mut self, key_hash: u64, observed: Timestamp, waits: bool) {
        self.edit.later.push((key_hash, None));
        self.told(observed, waits);
    }

    /// Notes that pages say when facts were observed, of which none was observed later on its own, and whether that is new to the
    /// centre.
    pub(super) fn told(&mut self, earliest_of: Timestamp, waits: bool) {
        self.edit.reported = earliest(self.edit.reported, Some(earliest_of));
        self.edit.waits |= waits;
    }

    /// Notes that everything that holds now was observed together, or later.
    pub(super) fn together(&mut self, observed: Option<Timestamp>) {
        self.edit.together = observed;
    }

    /// Returns whether everything that holds now was observed together at this time, or later.
    pub(super) fn is_together(&self, observed: Timestamp) -> bool {
        self.edit.together.is_some_and(|together| observed <= together)
    }

    /// Notes that all pages were read, and the earliest time in them.
    pub(super) const fn read_all(&mut self, reported_since: Timestamp) {
        self.edit.reported_since = Some(reported_since);
    }

    /// Notes that a new fact is older than what was observed together.
    pub(super) const fn set_apart(&mut self) {
        self.edit.apart = true;
    }

    /// Ends the observation of facts: where one is [apart](Self::set_apart), the time of each other is noted by itself.
    pub(super) fn finish(&mut self) -> Result<(), SpoolError> {
        if !self.edit.apart {
            return Ok(());
        }
        let mut later = Vec::new();
        for place in self.table.places() {
            for entry in self.table.read(self.store, &self.edit.group, place)? {
                let observed = self.table.observed(&entry);
                if entry.holds() && observed > entry.observed {
                    later.push((entry.key_hash, Some(observed)));
                }
            }
        }
        // What was noted of single facts is newer.
        later.append(&mut self.edit.later);
        self.edit.later = later;
        Ok(())
    }

    /// Returns how the group changes.
    pub(super) fn done(self) -> Edit {
        self.edit
    }
}

impl Page {
    fn new(first: u64, tally: Tally) -> Self {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { first, waiting: number(tally.waiting), facts: number(tally.facts), sum: tally.sum }
    }

    fn tally(&self) -> Tally {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Tally { facts: number(self.facts), waiting: number(self.waiting), sum: self.sum }
    }
}

impl Tally {
    /// Returns what entries of a group add up to.
    pub(super) fn of(group: &Group, entries: &[Entry]) -> Self {
        let hasher = MessageHasher::new(group);
        let add = |tally: Self, entry: &Entry| Self {
            facts: tally.facts + usize::from(entry.holds()),
            waiting: tally.waiting + usize::from(entry.waits()),
            sum: if entry.holds() { tally.sum.wrapping_add(hasher.hash(&entry.message)) } else { tally.sum },
        };
        entries.iter().fold(Self::default(), add)
    }

    /// Returns both together.
    pub(super) const fn plus(self, more: Self) -> Self {
        Self {
            facts: self.facts + more.facts,
            waiting: self.waiting + more.waiting,
            sum: self.sum.wrapping_add(more.sum),
        }
    }

    /// Returns the rest without a part.
    pub(super) const fn minus(self, part: Self) -> Self {
        Self {
            facts: self.facts.saturating_sub(part.facts),
            waiting: self.waiting.saturating_sub(part.waiting),
            sum: self.sum.wrapping_sub(part.sum),
        }
    }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
