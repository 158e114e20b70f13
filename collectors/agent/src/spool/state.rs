//! The state lane's side of the spool: the table of facts that hold now, what of it waits to be sent, and its digests.
//!
//! Invariants: many changes of one fact before it is sent leave one. The digest of a group is always that of the facts in
//! the table. A fact observed later wins over one observed earlier, whatever arrives first. Memory holds a hash and two
//! times a fact, never its body; the body is on disk.
//!
//! This module does not know the lane's numbers, nor when anything is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactChange, Group},
};
use onenet_wire::{GroupDigest, codec, fact_hash, key_hash, limits};

use super::{
    SpoolError,
    cut::Cut,
    keys,
    store::{Purpose, Store, Writes},
};

/// Bytes of a batch that are not for its groups: position and clocks.
const BATCH_OVERHEAD: usize = 256;

/// The facts that hold now, by group.
#[derive(Debug)]
pub(super) struct StateTable {
    groups: BTreeMap<Group, GroupTable>,
    /// Groups to be sent again, complete, with the first key hash that was not sent yet.
    resync: BTreeMap<Group, u64>,
    facts: usize,
    dirty: usize,
    /// Where the last cut ended, so that a busy group cannot keep the others waiting.
    cursor: Vec<u8>,
}

#[derive(Debug)]
struct GroupTable {
    digest: GroupDigest,
    entries: BTreeMap<u64, Entry>,
    /// Facts that are gone and wait to be sent.
    gone: BTreeSet<u64>,
    /// When all entries were last observed together. One observed later on its own says so itself.
    renewed: Option<Timestamp>,
    /// No entry was reported before this.
    reported_since: Option<Timestamp>,
}

/// What memory keeps of a fact.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    observed: Timestamp,
    /// The observation that was sent, or waits to be.
    reported: Timestamp,
    dirty: bool,
}

/// A change of memory that follows once the disk has it.
#[derive(Debug)]
enum Step {
    Put { group: Group, key_hash: u64, entry: Entry },
    Remove { group: Group, key_hash: u64 },
}

/// How observations become changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// A fact that stays the same is sent again after this many milliseconds, with its newer time.
    pub(super) refresh_ms: i64,
    /// Facts that the table may hold.
    pub(super) max_facts: usize,
}

impl StateTable {
    /// Reads the table back. Times are moved by `shift_ms` and none may be later than `now`. Returns with it how many
    /// damaged records were removed; their groups will be sent again, complete.
    pub(super) fn load(store: &Store, shift_ms: i64, now: Timestamp) -> Result<(Self, usize), SpoolError> {
        let mut table =
            Self { groups: BTreeMap::new(), resync: BTreeMap::new(), facts: 0, dirty: 0, cursor: vec![keys::DIRTY] };
        let (mut damaged, mut writes) = (0, Writes::default());
        for item in store.scan(&[keys::FACT]) {
            let (key, value) = item?;
            match (keys::parse_item(&key), codec::decode_fact(&value)) {
                (Some((group, key_hash)), Ok(fact)) => {
                    let observed = fact.observed.plus_ms(shift_ms).min(now);
                    let hash = fact_hash(&group, &fact.body);
                    table.put(&group, key_hash, Entry { hash, observed, reported: observed, dirty: false });
                    if observed != fact.observed {
                        writes.put(key, codec::encode_fact(&Fact { observed, ..fact }));
                    }
                }
                (parsed, _) => {
                    damaged += 1;
                    writes.remove(key);
                    table.resync.extend(parsed.map(|(group, _)| (group, 0)));
                }
            }
        }
        table.load_marks(store, &mut writes)?;
        for (group, next) in &table.resync {
            writes.put(keys::group(keys::RESYNC, group), &next.to_be_bytes());
        }
        store.apply(writes, Purpose::BookKeeping)?;
        Ok((table, damaged))
    }

    fn load_marks(&mut self, store: &Store, writes: &mut Writes) -> Result<(), SpoolError> {
        for item in store.scan(&[keys::DIRTY]) {
            let (key, value) = item?;
            let Some((group, key_hash)) = keys::parse_item(&key) else {
                writes.remove(key);
                continue;
            };
            let table = self.group(&group);
            match table.entries.get_mut(&key_hash) {
                Some(entry) => entry.dirty = true,
                None if !value.is_empty() => _ = table.gone.insert(key_hash),
                None => {
                    writes.remove(key);
                    continue;
                }
            }
            self.dirty += 1;
        }
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
        let mut last: HashMap<(Group, u64), FactChange> = HashMap::new();
        for (group, mut change) in changes {
            let group = Group { scope: limits::fit_scope(group.scope), ..group };
            fit(&mut change);
            let at = (group, key_hash(&change.key()));
            if last.get(&at).is_none_or(|earlier| earlier.observed() <= change.observed()) {
                last.insert(at, change);
            }
        }
        let (mut writes, mut steps, mut refused) = (Writes::default(), Vec::new(), 0);
        let mut room = rules.max_facts.saturating_sub(self.facts);
        for ((group, key_hash), change) in last {
            let known = self.groups.get(&group).and_then(|table| table.entry(key_hash));
            if known.is_none() && matches!(change, FactChange::Present(_)) {
                if room == 0 {
                    refused += 1;
                    continue;
                }
                room -= 1;
            }
            steps.extend(step(group, key_hash, change, known, rules, &mut writes));
        }
        store.apply(writes, purpose)?;
        let changed = steps.iter().any(Step::waits);
        for step in steps {
            self.take(step);
        }
        if refused > 0 { Err(SpoolError::TableFull { limit: rules.max_facts, refused }) } else { Ok(changed) }
    }

    /// Returns the changes that make a group consist of exactly these facts.
    pub(super) fn difference(
        &self,
        store: &Store,
        group: &Group,
        facts: Vec<Fact>,
        now: Timestamp,
    ) -> Result<Vec<(Group, FactChange)>, SpoolError> {
        let group = Group { scope: limits::fit_scope(group.scope.clone()), ..group.clone() };
        let mut changes: Vec<_> = facts
            .into_iter()
            .map(|fact| {
                let mut change = FactChange::Present(fact);
                fit(&mut change);
                change
            })
            .collect();
        let present: BTreeSet<u64> = changes.iter().map(|change| key_hash(&change.key())).collect();
        if let Some(table) = self.groups.get(&group) {
            for (hash, entry) in table.entries.iter().filter(|(hash, _)| !present.contains(hash)) {
                if let Some(fact) = read_fact(store, &group, *hash, &table.current(*entry))? {
                    changes.push(FactChange::Gone { key: fact.body.key(), observed: now.max(fact.observed) });
                }
            }
        }
        Ok(changes.into_iter().map(|change| (group.clone(), change)).collect())
    }

    /// Returns the changes that take back the facts of a group which were last observed before a time.
    pub(super) fn outdated(
        &self,
        store: &Store,
        group: &Group,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(Group, FactChange)>, SpoolError> {
        let group = Group { scope: limits::fit_scope(group.scope.clone()), ..group.clone() };
        let mut changes = Vec::new();
        let entries = self.groups.get(&group).map(GroupTable::current_entries).into_iter().flatten();
        for (hash, entry) in entries.filter(|(_, entry)| entry.observed < before) {
            if let Some(fact) = read_fact(store, &group, hash, &entry)? {
                changes.push((group.clone(), FactChange::Gone { key: fact.body.key(), observed: now }));
            }
        }
        Ok(changes)
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
        let group = Group { scope: limits::fit_scope(group.scope.clone()), ..group.clone() };
        let Some(table) = self.groups.get_mut(&group) else { return Ok(false) };
        table.renewed = table.renewed.max(Some(observed));
        if table.reported_since.is_none_or(|since| observed.ms_since(since) < rules.refresh_ms) {
            return Ok(false);
        }
        let (mut writes, mut steps) = (Writes::default(), Vec::new());
        for (key_hash, entry) in table.current_entries() {
            if entry.dirty || entry.observed.ms_since(entry.reported) < rules.refresh_ms {
                continue;
            }
            let Some(fact) = read_fact(store, &group, key_hash, &entry)? else { continue };
            writes.put(keys::item(keys::FACT, &group, key_hash), codec::encode_fact(&fact));
            writes.put(keys::item(keys::DIRTY, &group, key_hash), &[]);
            let entry = Entry { reported: entry.observed, dirty: true, ..entry };
            steps.push(Step::Put { group: group.clone(), key_hash, entry });
        }
        store.apply(writes, Purpose::Observation)?;
        let changed = !steps.is_empty();
        for step in steps {
            self.take(step);
        }
        let table = self.group(&group);
        table.reported_since = table.entries.values().map(|entry| entry.reported).min();
        Ok(changed)
    }

    /// Returns whether a group was ever [renewed](Self::renew).
    pub(super) fn was_renewed(&self, group: &Group) -> bool {
        self.groups.get(group).is_some_and(|table| table.renewed.is_some())
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
        self.groups.iter().filter(|(_, table)| !table.digest.is_empty()).map(|(group, _)| group.clone()).collect()
    }

    /// Returns the digests of the groups that hold facts.
    pub(super) fn digests(&self) -> Vec<GroupDigest> {
        self.groups.values().filter(|table| !table.digest.is_empty()).map(|table| table.digest.clone()).collect()
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
        self.cut_resync(store, &mut cut)?;
        Ok(cut)
    }

    fn cut_dirty(&self, store: &Store, cut: &mut Cut, bytes: usize, changes: usize) -> Result<(), SpoolError> {
        let behind = [&self.cursor[..], &[0]].concat();
        let rest = store.keys(behind.clone()..vec![keys::DIRTY + 1]);
        for key in rest.chain(store.keys(vec![keys::DIRTY]..behind)) {
            let key = key?;
            let Some((group, key_hash)) = keys::parse_item(&key) else { continue };
            let change = match self.entry(&group, key_hash) {
                Some(entry) => read_fact(store, &group, key_hash, &entry)?.map(FactChange::Present),
                None => store.get(&key)?.and_then(|value| decode_gone(&value)),
            };
            let Some(change) = change else { continue };
            if !cut.push_change(&group, change, bytes, changes) {
                break;
            }
            cut.sent.push((group, key_hash));
            cut.cursor = key;
        }
        Ok(())
    }

    fn cut_resync(&self, store: &Store, cut: &mut Cut) -> Result<(), SpoolError> {
        for (group, &first) in &self.resync {
            if !cut.open_range(group, first) {
                return Ok(());
            }
            let table = self.groups.get(group);
            let entries =
                table.map(|table| table.entries.range(first..).map(|(hash, entry)| (*hash, table.current(*entry))));
            let mut last = None;
            for (key_hash, entry) in entries.into_iter().flatten() {
                let Some(fact) = read_fact(store, group, key_hash, &entry)? else { continue };
                if !cut.push_change_to_last(FactChange::Present(fact)) {
                    cut.close_range(group, first, last);
                    return Ok(());
                }
                last = Some(key_hash);
            }
            cut.close_range(group, first, Some(u64::MAX));
        }
        Ok(())
    }

    /// Adds to `writes` what a batch of this cut changes on disk.
    pub(super) fn write_sent(&self, cut: &Cut, writes: &mut Writes) {
        for (group, key_hash) in cut.sent.iter().chain(&self.covered(cut)) {
            writes.remove(keys::item(keys::DIRTY, group, *key_hash));
        }
        for (group, next) in &cut.resync {
            let key = keys::group(keys::RESYNC, group);
            match next {
                Some(next) => writes.put(key, &next.to_be_bytes()),
                None => writes.remove(key),
            }
        }
    }

    /// Takes note that the cut is in a batch on disk.
    pub(super) fn sent(&mut self, cut: Cut) {
        for (group, key_hash) in self.covered(&cut).into_iter().chain(cut.sent) {
            let Some(table) = self.groups.get_mut(&group) else { continue };
            let renewed = table.renewed;
            let was_dirty = match table.entries.get_mut(&key_hash) {
                Some(entry) => {
                    entry.reported = renewed.map_or(entry.observed, |renewed| renewed.max(entry.observed));
                    std::mem::take(&mut entry.dirty)
                }
                None => table.gone.remove(&key_hash),
            };
            self.dirty -= usize::from(was_dirty);
        }
        for (group, next) in cut.resync {
            match next {
                Some(next) => _ = self.resync.insert(group, next),
                None => _ = self.resync.remove(&group),
            }
        }
        self.groups.retain(|_, table| !table.entries.is_empty() || !table.gone.is_empty());
        self.cursor = cut.cursor;
    }

    /// Returns what waits to be sent and lies in the complete ranges of the cut.
    fn covered(&self, cut: &Cut) -> Vec<(Group, u64)> {
        let mut covered = Vec::new();
        for part in &cut.groups {
            let (Some(range), Some(table)) = (part.complete, self.groups.get(&part.group)) else { continue };
            let dirty = table.entries.range(range.first..=range.last).filter(|(_, entry)| entry.dirty);
            let gone = table.gone.range(range.first..=range.last);
            covered.extend(dirty.map(|(hash, _)| hash).chain(gone).map(|hash| (part.group.clone(), *hash)));
        }
        covered
    }

    fn entry(&self, group: &Group, key_hash: u64) -> Option<Entry> {
        self.groups.get(group)?.entry(key_hash)
    }

    fn group(&mut self, group: &Group) -> &mut GroupTable {
        self.groups.entry(group.clone()).or_insert_with(|| GroupTable {
            digest: GroupDigest::empty(group.clone()),
            entries: BTreeMap::new(),
            gone: BTreeSet::new(),
            renewed: None,
            reported_since: None,
        })
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Put { group, key_hash, entry } => self.put(&group, key_hash, entry),
            Step::Remove { group, key_hash } => self.remove(&group, key_hash),
        }
    }

    fn put(&mut self, group: &Group, key_hash: u64, entry: Entry) {
        let table = self.group(group);
        table.settle(entry);
        let was_gone = table.gone.remove(&key_hash);
        let before = table.entries.insert(key_hash, entry);
        if let Some(before) = before {
            table.digest.sum = table.digest.sum.wrapping_sub(before.hash);
        } else {
            table.digest.count += 1;
        }
        table.digest.sum = table.digest.sum.wrapping_add(entry.hash);
        self.facts += usize::from(before.is_none());
        self.dirty += usize::from(entry.dirty);
        self.dirty -= usize::from(was_gone) + usize::from(before.is_some_and(|before| before.dirty));
    }

    fn remove(&mut self, group: &Group, key_hash: u64) {
        let table = self.group(group);
        let Some(before) = table.entries.remove(&key_hash) else { return };
        table.digest.count -= 1;
        table.digest.sum = table.digest.sum.wrapping_sub(before.hash);
        table.gone.insert(key_hash);
        self.facts -= 1;
        self.dirty += usize::from(!before.dirty);
    }
}

impl GroupTable {
    /// Returns an entry of this group with the time at which it was last observed.
    fn current(&self, entry: Entry) -> Entry {
        Entry { observed: self.renewed.map_or(entry.observed, |renewed| renewed.max(entry.observed)), ..entry }
    }

    fn entry(&self, key_hash: u64) -> Option<Entry> {
        self.entries.get(&key_hash).map(|entry| self.current(*entry))
    }

    fn current_entries(&self) -> impl Iterator<Item = (u64, Entry)> {
        self.entries.iter().map(|(hash, entry)| (*hash, self.current(*entry)))
    }

    /// Prepares for an entry to be put: when it is older than what was observed together, that is written into each.
    fn settle(&mut self, coming: Entry) {
        if let Some(renewed) = self.renewed.filter(|renewed| coming.observed < *renewed) {
            self.entries.values_mut().for_each(|entry| entry.observed = entry.observed.max(renewed));
            self.renewed = None;
        }
        let since = self.reported_since.map_or(coming.reported, |since| since.min(coming.reported));
        self.reported_since = Some(since);
    }
}

impl Step {
    /// Returns whether it leaves something to be sent.
    const fn waits(&self) -> bool {
        match self {
            Self::Put { entry, .. } => entry.dirty,
            Self::Remove { .. } => true,
        }
    }
}

/// Returns what a change does to a fact of which memory knows `known`, and adds what it does on disk.
fn step(
    group: Group,
    key_hash: u64,
    change: FactChange,
    known: Option<Entry>,
    rules: Rules,
    writes: &mut Writes,
) -> Option<Step> {
    match (change, known) {
        (FactChange::Present(fact), known) => {
            let hash = fact_hash(&group, &fact.body);
            let observed = fact.observed;
            let entry = match known {
                Some(known) if known.hash == hash => {
                    let observed = observed.max(known.observed);
                    if known.dirty || observed.ms_since(known.reported) < rules.refresh_ms {
                        return Some(Step::Put { group, key_hash, entry: Entry { observed, ..known } });
                    }
                    Entry { hash, observed, reported: observed, dirty: true }
                }
                Some(known) if observed < known.observed => return None,
                _ => Entry { hash, observed, reported: observed, dirty: true },
            };
            writes.put(keys::item(keys::FACT, &group, key_hash), codec::encode_fact(&fact));
            writes.put(keys::item(keys::DIRTY, &group, key_hash), &[]);
            Some(Step::Put { group, key_hash, entry })
        }
        (FactChange::Gone { key, observed }, Some(known)) if observed >= known.observed => {
            writes.remove(keys::item(keys::FACT, &group, key_hash));
            writes.put(keys::item(keys::DIRTY, &group, key_hash), codec::encode_gone(&key, observed));
            Some(Step::Remove { group, key_hash })
        }
        (FactChange::Gone { .. }, _) => None,
    }
}

/// Returns a fact as it was last observed: memory has the newer time.
fn read_fact(store: &Store, group: &Group, key_hash: u64, entry: &Entry) -> Result<Option<Fact>, SpoolError> {
    let value = store.get(&keys::item(keys::FACT, group, key_hash))?;
    let fact = value.and_then(|value| codec::decode_fact(&value).ok());
    Ok(fact.map(|fact| Fact { observed: entry.observed, ..fact }))
}

fn decode_gone(value: &[u8]) -> Option<FactChange> {
    codec::decode_gone(value).ok().map(|(key, observed)| FactChange::Gone { key, observed })
}

fn fit(change: &mut FactChange) {
    match change {
        FactChange::Present(fact) => limits::fit_fact(&mut fact.body),
        FactChange::Gone { key, .. } => limits::fit_key(key),
    }
}
