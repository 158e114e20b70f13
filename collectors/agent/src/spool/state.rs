//! The state lane's side of the spool: the table of facts that hold now, what of it waits to be sent, and its digests.
//!
//! Invariants: the digest of a group is always that of the facts in the table. Facts are on disk, in [pages](super::page);
//! memory holds what they add up to and where they are, and changes once the disk has the change. No busy group keeps
//! another waiting.
//!
//! This module does not know the lane's numbers, nor when anything is sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Bound, RangeInclusive},
};

use onenet_topology::{
    Timestamp,
    fact::{FactChange, Group},
};
use onenet_wire::{GroupDigest, KeyRange, limits};

use super::{
    SpoolError,
    change::{Observed, Room, Rules, change, edit, edit_whole, gone, hashed, is_sound, last_of_each, settle},
    cut::Cut,
    group::{Edit, Editor, GroupTable},
    keys,
    page::{self, Entry, State},
    sorted::SortedFacts,
    store::{Purpose, Store, Writes},
    stream,
};

/// Bytes of a batch that are not for its groups: position and clocks.
const BATCH_OVERHEAD: usize = 256;
/// By how much the timeline's anchor may have moved, in milliseconds, before the times of all facts are written anew when the
/// spool is opened: clocks that are disciplined are slewed a little between any two starts.
const SHIFT_LEAST_MS: i64 = 1_000;
/// How many pages are written at once while the table is read back.
const LOAD_WRITES: usize = 256;

/// The facts that hold now, by group.
#[derive(Debug, Default)]
pub(super) struct StateTable {
    groups: BTreeMap<Group, GroupTable>,
    /// Groups of which facts wait to be sent.
    waiting: BTreeSet<Group>,
    /// Groups to be sent again, complete, with the first key hash that was not sent yet.
    resync: BTreeMap<Group, u64>,
    facts: usize,
    dirty: usize,
    /// Where the last cut ended, so that a busy group cannot keep the others waiting.
    cursor: Option<(Group, u64)>,
}

impl StateTable {
    /// Reads the table back. Times are moved by `shift_ms` and none may be later than `now`. Returns with it how many
    /// damaged records were removed; their groups will be sent again, complete.
    pub(super) fn load(store: &Store, shift_ms: i64, now: Timestamp) -> Result<(Self, usize), SpoolError> {
        let shift_ms = if shift_ms.abs() < SHIFT_LEAST_MS { 0 } else { shift_ms };
        let (mut table, mut damaged, mut writes) = (Self::default(), 0, Writes::together());
        for item in store.scan(&[keys::PAGE]) {
            let (key, value) = item?;
            let Some((group, first)) = keys::parse_item(&key) else {
                damaged += 1;
                writes.remove(key);
                continue;
            };
            let entries = page::decode(&value).filter(|entries| entries.iter().all(is_sound));
            let Some(mut entries) = entries.filter(|entries| !entries.is_empty()) else {
                damaged += 1;
                writes.remove(key);
                table.resync.insert(group, 0);
                continue;
            };
            // A crash in between moves some times twice; the next observation puts them right.
            let moved = |entry: &Entry| entry.observed.plus_ms(shift_ms).min(now);
            if entries.iter().any(|entry| moved(entry) != entry.observed) {
                for entry in &mut entries {
                    entry.observed = moved(entry);
                }
                writes.put(key, page::encode_whole(&entries));
            }
            table.load_page(group, first, &entries);
            if writes.len() >= LOAD_WRITES {
                store.apply(std::mem::replace(&mut writes, Writes::together()), Purpose::Start)?;
            }
        }
        table.groups.values_mut().for_each(GroupTable::shrink);
        table.load_marks(store, &mut writes)?;
        for (group, next) in &table.resync {
            writes.put(keys::group(keys::RESYNC, group), &next.to_be_bytes());
        }
        store.apply(writes, Purpose::Start)?;
        Ok((table, damaged))
    }

    fn load_page(&mut self, group: Group, first: u64, entries: &[Entry]) {
        let table = self.groups.entry(group.clone()).or_default();
        let tally = table.load(&group, first, entries);
        self.facts += tally.facts;
        self.dirty += tally.waiting;
        if tally.waiting > 0 {
            self.waiting.insert(group);
        }
    }

    fn load_marks(&mut self, store: &Store, writes: &mut Writes) -> Result<(), SpoolError> {
        for item in store.scan(&[keys::RESYNC]) {
            let (key, value) = item?;
            match (keys::parse_group(&key), <[u8; 8]>::try_from(value)) {
                // A group with a damaged record begins anew.
                (Some((group, [])), Ok(next)) => _ = self.resync.entry(group).or_insert(u64::from_be_bytes(next)),
                _ => writes.remove(key),
            }
        }
        Ok(())
    }

    /// Takes in observations. Returns whether something new waits to be sent.
    pub(super) fn observe(
        &mut self,
        store: &Store,
        changes: impl IntoIterator<Item = (Group, FactChange)>,
        rules: Rules,
        purpose: Purpose,
    ) -> Result<bool, SpoolError> {
        let mut groups: BTreeMap<Group, Observed> = BTreeMap::new();
        for (group, change) in changes {
            groups.entry(fitting(&group)).or_default().push(hashed(change));
        }
        self.take_in(store, groups, rules, purpose)
    }

    /// Takes in everything that holds now in a group. Returns whether something new waits to be sent.
    pub(super) fn replace(
        &mut self,
        store: &Store,
        group: &Group,
        facts: &SortedFacts,
        now: Timestamp,
        rules: Rules,
    ) -> Result<bool, SpoolError> {
        let group = fitting(group);
        let together = facts.iter().map(|fact| fact.observed).min();
        let mut writes = Writes::default();
        let mut room = Room { left: rules.max_facts.saturating_sub(self.facts), refused: 0 };
        let unknown = GroupTable::default();
        let table = self.groups.get(&group).unwrap_or(&unknown);
        let mut editor = Editor::new(store, group.clone(), table, &mut writes);
        editor.together(together);
        let times = (together.unwrap_or(now), now);
        edit_whole((&group, table), &mut editor, facts, times, rules, &mut room)?;
        let edit = editor.done();
        store.apply(writes, Purpose::Observation)?;
        let changed = self.take([edit]);
        room.told(rules).map(|()| changed)
    }

    /// Takes back the facts of a group which were last observed before a time. Returns whether something waits to be sent.
    pub(super) fn forget(
        &mut self,
        store: &Store,
        group: &Group,
        before: Timestamp,
        now: Timestamp,
        rules: Rules,
    ) -> Result<bool, SpoolError> {
        let group = fitting(group);
        let mut changes = Vec::new();
        self.each(store, &group, |table, entry| {
            if table.observed(entry) < before {
                let taken_back = gone(entry, now);
                changes.extend(taken_back.map(|(hash, key, observed)| (hash, FactChange::Gone { key, observed })));
            }
        })?;
        self.take_in(store, BTreeMap::from([(group, changes)]), rules, Purpose::Observation)
    }

    /// Shows all facts of a group that hold.
    fn each(&self, store: &Store, group: &Group, mut look: impl FnMut(&GroupTable, &Entry)) -> Result<(), SpoolError> {
        let Some(table) = self.groups.get(group) else { return Ok(()) };
        for place in table.places() {
            table.read(store, group, place)?.iter().filter(|entry| entry.holds()).for_each(|entry| look(table, entry));
        }
        Ok(())
    }

    /// Takes in what was observed.
    fn take_in(
        &mut self,
        store: &Store,
        groups: BTreeMap<Group, Observed>,
        rules: Rules,
        purpose: Purpose,
    ) -> Result<bool, SpoolError> {
        let (mut writes, mut edits) = (Writes::default(), Vec::with_capacity(groups.len()));
        let mut room = Room { left: rules.max_facts.saturating_sub(self.facts), refused: 0 };
        for (group, observed) in groups {
            let unknown = GroupTable::default();
            let table = self.groups.get(&group).unwrap_or(&unknown);
            let mut editor = Editor::new(store, group, table, &mut writes);
            edit(table, &mut editor, last_of_each(observed), rules, &mut room)?;
            edits.push(editor.done());
        }
        store.apply(writes, purpose)?;
        let changed = self.take(edits);
        room.told(rules).map(|()| changed)
    }

    /// Takes note that everything known of a group was observed again at a time. Returns whether something of it waits to be
    /// sent, with its newer time.
    pub(super) fn renew(
        &mut self,
        store: &Store,
        group: &Group,
        observed: Timestamp,
        rules: Rules,
    ) -> Result<bool, SpoolError> {
        let group = fitting(group);
        let Some(table) = self.groups.get_mut(&group) else { return Ok(false) };
        table.renew(observed);
        if table.reported_since().is_none_or(|since| observed.ms_since(since) < rules.refresh_ms) {
            return Ok(false);
        }
        let table = &*table;
        let (mut writes, mut since) = (Writes::default(), None);
        let mut editor = Editor::new(store, group, table, &mut writes);
        for place in table.places() {
            editor.page(place, |entries, editor| {
                let mut changed = false;
                for entry in entries.iter_mut() {
                    let observed = table.observed(entry);
                    if entry.state == State::Held && observed.ms_since(entry.observed) >= rules.refresh_ms {
                        (entry.observed, entry.state) = (observed, State::Dirty);
                        editor.reported(entry.key_hash, observed, true);
                        changed = true;
                    }
                }
                // What waits counts once it is sent: on a line that is down nothing is read in vain.
                let held = entries.iter().filter(|entry| entry.state == State::Held).map(|entry| entry.observed);
                since = since.into_iter().chain(held).min();
                changed
            })?;
        }
        editor.read_all(since.unwrap_or(observed));
        let edit = editor.done();
        store.apply(writes, Purpose::Observation)?;
        Ok(self.take([edit]))
    }

    /// Returns whether a group was ever [renewed](Self::renew).
    pub(super) fn was_renewed(&self, group: &Group) -> bool {
        self.groups.get(group).is_some_and(|table| table.renewed().is_some())
    }

    /// Marks groups to be sent again, complete.
    pub(super) fn resync(&mut self, store: &Store, groups: &[Group]) -> Result<(), SpoolError> {
        let mut writes = Writes::default();
        for group in groups {
            writes.put(keys::group(keys::RESYNC, group), &0_u64.to_be_bytes());
        }
        store.apply(writes, Purpose::BookKeeping)?;
        self.mark(groups);
        Ok(())
    }

    /// Takes note that groups are marked on disk to be sent again, complete.
    pub(super) fn mark(&mut self, groups: &[Group]) {
        self.resync.extend(groups.iter().map(|group| (group.clone(), 0)));
    }

    /// Returns the groups that hold facts.
    pub(super) fn group_names(&self) -> Vec<Group> {
        self.holding().map(|(group, _)| group.clone()).collect()
    }

    /// Returns the digests of the groups that hold facts.
    pub(super) fn digests(&self) -> Vec<GroupDigest> {
        self.holding().map(|(group, table)| table.digest(group)).collect()
    }

    fn holding(&self) -> impl Iterator<Item = (&Group, &GroupTable)> {
        self.groups.iter().filter(|(_, table)| table.tally().facts > 0)
    }

    /// Returns how many facts the table holds.
    pub(super) const fn facts(&self) -> usize {
        self.facts
    }

    /// Returns how many facts and groups wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.dirty + self.resync.len()
    }

    /// Returns the next batch's content, empty when nothing waits. Nothing changes before [`sent`](Self::sent).
    pub(super) fn cut(&self, store: &Store) -> Result<Cut, SpoolError> {
        let mut cut = Cut { bytes: BATCH_OVERHEAD, cursor: self.cursor.clone(), ..Cut::default() };
        // While groups are sent again, what changes now has half of the batch: neither waits for the other.
        let share = if self.resync.is_empty() { 1 } else { 2 };
        self.cut_dirty(store, &mut cut, limits::BATCH_BYTES / share, limits::BATCH_CHANGES / share)?;
        cut.cursor = cut.sent.last().cloned().or(cut.cursor);
        self.cut_resync(store, &mut cut)?;
        Ok(cut)
    }

    fn cut_dirty(&self, store: &Store, cut: &mut Cut, bytes: usize, changes: usize) -> Result<(), SpoolError> {
        for (group, hashes) in self.round() {
            let Some(table) = self.groups.get(group) else { continue };
            for place in table.waiting_places(*hashes.start(), *hashes.end()) {
                for entry in table.read_waiting(store, group, place)? {
                    if !hashes.contains(&entry.key_hash) {
                        continue;
                    }
                    let Some(change) = change(table, &entry) else { continue };
                    if !cut.push_change(group, (change, entry.message.len()), bytes, changes) {
                        return Ok(());
                    }
                    cut.sent.push((group.clone(), entry.key_hash));
                }
            }
        }
        Ok(())
    }

    /// Returns what may wait, in order, from behind the place where the last cut ended and around to it.
    fn round(&self) -> impl Iterator<Item = (&Group, RangeInclusive<u64>)> {
        let all = |group| (group, 0..=u64::MAX);
        let (group, hash) = self.cursor.as_ref().map_or((None, 0), |(group, hash)| (Some(group), *hash));
        let behind = group.map_or(Bound::Unbounded, Bound::Excluded);
        let before = group.map(|group| self.waiting.range(..group));
        let rest = group.zip(hash.checked_add(1)).map(|(group, next)| (group, next..=u64::MAX));
        rest.into_iter()
            .chain(self.waiting.range((behind, Bound::Unbounded)).map(all))
            .chain(before.into_iter().flatten().map(all))
            .chain(group.map(|group| (group, 0..=hash)))
    }

    fn cut_resync(&self, store: &Store, cut: &mut Cut) -> Result<(), SpoolError> {
        for (group, &first) in &self.resync {
            if !cut.open_range(group, first) {
                return Ok(());
            }
            let unknown = GroupTable::default();
            let table = self.groups.get(group).unwrap_or(&unknown);
            let mut last = None;
            for place in table.place(first)..table.places().end {
                for entry in table.read(store, group, place)? {
                    if entry.key_hash < first || !entry.holds() {
                        continue;
                    }
                    let Some(change) = change(table, &entry) else { continue };
                    if !cut.push_change_to_last((change, entry.message.len())) {
                        cut.close_range(group, first, last);
                        return Ok(());
                    }
                    last = Some(entry.key_hash);
                }
            }
            cut.close_range(group, first, Some(u64::MAX));
        }
        Ok(())
    }

    /// Adds to `writes` what a batch of this cut changes on disk, and to the cut what it changes in memory.
    pub(super) fn write_sent(&self, store: &Store, cut: &mut Cut, writes: &mut Writes) -> Result<(), SpoolError> {
        let mut sent: BTreeMap<&Group, (BTreeSet<u64>, Vec<KeyRange>)> = BTreeMap::new();
        for (group, key_hash) in &cut.sent {
            sent.entry(group).or_default().0.insert(*key_hash);
        }
        for part in &cut.groups {
            sent.entry(&part.group).or_default().1.extend(part.complete);
        }
        let mut edits = Vec::with_capacity(sent.len());
        for (group, (hashes, ranges)) in sent {
            let Some(table) = self.groups.get(group) else { continue };
            let is_sent =
                |key_hash: u64| hashes.contains(&key_hash) || ranges.iter().any(|range| range.contains(key_hash));
            let mut editor = Editor::new(store, group.clone(), table, writes);
            for place in table.waiting_places(0, u64::MAX) {
                if !stream::settle(table, &mut editor, place, is_sent)? {
                    editor.page(place, |entries, editor| settle(table, entries, editor, is_sent))?;
                }
            }
            edits.push(editor.done());
        }
        cut.edits = edits;
        for (group, next) in &cut.resync {
            let key = keys::group(keys::RESYNC, group);
            match next {
                Some(next) => writes.put(key, &next.to_be_bytes()),
                None => writes.remove(key),
            }
        }
        Ok(())
    }

    /// Takes note that the cut is in a batch on disk.
    pub(super) fn sent(&mut self, cut: Cut) {
        self.take(cut.edits);
        for (group, next) in cut.resync {
            match next {
                Some(next) => _ = self.resync.insert(group, next),
                None => _ = self.resync.remove(&group),
            }
        }
        self.cursor = cut.cursor;
    }

    /// Takes in what the disk has now. Returns whether something new waits to be sent.
    fn take(&mut self, edits: impl IntoIterator<Item = Edit>) -> bool {
        let mut waits = false;
        for edit in edits {
            waits |= edit.waits;
            self.facts = (self.facts + edit.after.facts).saturating_sub(edit.before.facts);
            self.dirty = (self.dirty + edit.after.waiting).saturating_sub(edit.before.waiting);
            let group = edit.group.clone();
            let table = self.groups.entry(group.clone()).or_default();
            table.take(edit);
            let (is_waiting, is_empty) = (table.tally().waiting > 0, table.is_empty());
            if is_empty {
                self.groups.remove(&group);
            }
            if is_waiting {
                self.waiting.insert(group)
            } else {
                self.waiting.remove(&group)
            };
        }
        waits
    }
}

fn fitting(group: &Group) -> Group {
    Group { scope: limits::fit_scope(group.scope.clone()), ..group.clone() }
}
