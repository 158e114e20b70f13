//! What observations, and batches that took them, do to the facts of a group.
//!
//! Invariants: many changes of one fact before it is sent leave one. A fact observed later wins over one observed earlier,
//! whatever arrives first. A fact that stays the same changes no page until it is due to be sent again.
//!
//! This module does not know where groups are kept, nor what a batch holds.

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactChange, Group, ItemKey},
};
use onenet_wire::{MessageHasher, codec, key_hash, limits};

use super::{
    SpoolError,
    group::{Editor, GroupTable},
    page::{Entry, State},
    sorted::{SortedFact, SortedFacts},
    stream::{self, Whole},
};

/// How observations become changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// A fact that stays the same is sent again after this many milliseconds, with its newer time.
    pub(super) refresh_ms: i64,
    /// Facts that the table may hold.
    pub(super) max_facts: usize,
}

/// Room for new facts, and how many found none.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) left: usize,
    pub(super) refused: usize,
}

impl Room {
    /// Returns an error where some found none.
    pub(super) fn told(&self, rules: Rules) -> Result<(), SpoolError> {
        let Self { refused, .. } = *self;
        if refused > 0 { Err(SpoolError::TableFull { limit: rules.max_facts, refused }) } else { Ok(()) }
    }
}

/// What is observed of one group: key hashes in order, each once.
pub(super) type Observed = Vec<(u64, FactChange)>;

/// Changes a group by what was observed of it.
pub(super) fn edit(
    table: &GroupTable,
    editor: &mut Editor<'_>,
    observed: Observed,
    rules: Rules,
    room: &mut Room,
) -> Result<(), SpoolError> {
    let mut rest = observed.into_iter().peekable();
    while let Some((first, _)) = rest.peek() {
        let place = table.place(*first);
        let end = table.end(place);
        editor.page(place, |entries, editor| {
            let mut changed = false;
            while let Some((key_hash, change)) = rest.next_if(|(hash, _)| end.is_none_or(|end| *hash < end)) {
                changed |= match change {
                    FactChange::Present(Fact { observed, body }) => {
                        let message = codec::fact_message(&body);
                        let fact = SortedFact { key_hash, observed, message: &message };
                        put(table, entries, editor, fact, rules, room)
                    }
                    FactChange::Gone { key, observed } => {
                        remove(table, entries, editor, key_hash, codec::gone_message(&key), observed)
                    }
                };
            }
            changed
        })?;
    }
    editor.finish()
}

/// Changes a group to what holds of it now: facts observed at `together` or later.
/// A page whose facts add up to the same is not read, but when some of the group are due to be sent again.
pub(super) fn edit_whole(
    (group, table): (&Group, &GroupTable),
    editor: &mut Editor<'_>,
    facts: &SortedFacts,
    (together, now): (Timestamp, Timestamp),
    rules: Rules,
    room: &mut Room,
) -> Result<(), SpoolError> {
    let observed = table.renewed().map_or(together, |renewed| renewed.max(together));
    let due = table.reported_since().is_some_and(|since| observed.ms_since(since) >= rules.refresh_ms);
    let (hasher, mut since) = (MessageHasher::new(group), None);
    let facts: Vec<SortedFact<'_>> = facts.iter().collect();
    let mut rest = &facts[..];
    for place in 0..table.places().end.max(1) {
        let end = table.end(place);
        let here = end.map_or(rest.len(), |end| rest.partition_point(|fact| fact.key_hash < end));
        let (part, behind) = rest.split_at_checked(here).unwrap_or((rest, &[]));
        rest = behind;
        let is_plain = !due && part.iter().all(|fact| fact.observed == together);
        if is_plain {
            let whole = Whole { facts: part, sum: sum(part, hasher), together, now, refresh_ms: rules.refresh_ms };
            if table.holds(place, here, whole.sum) || stream::replace(table, editor, place, &whole, room)? {
                continue;
            }
        }
        editor.page(place, |entries, editor| {
            let mut changed = false;
            for fact in part {
                changed |= put(table, entries, editor, *fact, rules, room);
            }
            changed |= remove_all_but(part, table, entries, editor, now);
            let held = entries.iter().filter(|entry| entry.state == State::Held).map(|entry| entry.observed);
            since = since.into_iter().chain(held).min();
            changed
        })?;
    }
    if due {
        // What waits counts once it is sent.
        editor.read_all(since.unwrap_or(observed));
    }
    editor.finish()
}

/// Returns the sum of the hashes of facts.
fn sum(facts: &[SortedFact<'_>], hasher: MessageHasher) -> u64 {
    facts.iter().fold(0, |sum: u64, fact| sum.wrapping_add(hasher.hash(fact.message)))
}

/// Takes in that of the facts of a page none but these hold. Returns whether the page changed.
fn remove_all_but(
    present: &[SortedFact<'_>],
    table: &GroupTable,
    entries: &mut [Entry],
    editor: &mut Editor<'_>,
    now: Timestamp,
) -> bool {
    let is_present = |key_hash| present.binary_search_by_key(&key_hash, |fact| fact.key_hash).is_ok();
    let absent = |entry: &&Entry| entry.holds() && !is_present(entry.key_hash);
    let gone: Vec<_> =
        entries.iter().filter(absent).filter_map(|entry| gone(entry, now.max(table.observed(entry)))).collect();
    let mut changed = false;
    for (key_hash, key, observed) in gone {
        changed |= remove(table, entries, editor, key_hash, codec::gone_message(&key), observed);
    }
    changed
}

/// Takes in that a fact holds. Returns whether its page changed.
fn put(
    table: &GroupTable,
    entries: &mut Vec<Entry>,
    editor: &mut Editor<'_>,
    SortedFact { key_hash, mut observed, message }: SortedFact<'_>,
    rules: Rules,
    room: &mut Room,
) -> bool {
    let place = entries.binary_search_by_key(&key_hash, |entry| entry.key_hash);
    let known = place.ok().and_then(|place| entries.get_mut(place));
    if let Some(known) = known.as_deref().filter(|known| known.holds()) {
        let before = table.observed(known);
        if *known.message == *message {
            observed = observed.max(before);
            if known.state == State::Dirty || observed.ms_since(known.observed) < rules.refresh_ms {
                if observed > before && !editor.is_together(observed) {
                    editor.later(key_hash, observed);
                }
                return false;
            }
        } else if observed < before {
            return false;
        }
    } else if room.left == 0 {
        room.refused += 1;
        return false;
    } else {
        room.left -= 1;
        if table.renewed().is_some_and(|renewed| observed < renewed) {
            editor.set_apart();
        }
    }
    editor.reported(key_hash, observed, true);
    let entry = Entry { key_hash, observed, state: State::Dirty, message: message.into() };
    match (known, place) {
        (Some(known), _) => *known = entry,
        (None, Ok(place) | Err(place)) => entries.insert(place, entry),
    }
    true
}

/// Takes in that a fact is gone. Returns whether its page changed.
fn remove(
    table: &GroupTable,
    entries: &mut [Entry],
    editor: &mut Editor<'_>,
    key_hash: u64,
    message: Vec<u8>,
    observed: Timestamp,
) -> bool {
    let known = entries.iter_mut().find(|entry| entry.key_hash == key_hash && entry.holds());
    let Some(known) = known.filter(|known| observed >= table.observed(known)) else { return false };
    editor.reported(key_hash, observed, true);
    *known = Entry { key_hash, observed, state: State::Gone, message: message.into() };
    true
}

/// Takes in that entries were sent. Returns whether there were any.
pub(super) fn settle(
    table: &GroupTable,
    entries: &mut Vec<Entry>,
    editor: &mut Editor<'_>,
    is_sent: impl Fn(u64) -> bool,
) -> bool {
    let mut changed = false;
    entries.retain_mut(|entry| {
        if !entry.waits() || !is_sent(entry.key_hash) {
            return true;
        }
        changed = true;
        if entry.holds() {
            (entry.observed, entry.state) = (table.observed(entry), State::Held);
            editor.reported(entry.key_hash, entry.observed, false);
        }
        entry.holds()
    });
    changed
}

/// Returns what an entry says, as it was last observed.
pub(super) fn change(table: &GroupTable, entry: &Entry) -> Option<FactChange> {
    if entry.holds() {
        let body = codec::read_fact_message(&entry.message).ok()?;
        Some(FactChange::Present(Fact { observed: table.observed(entry), body }))
    } else {
        let key = codec::read_gone_message(&entry.message).ok()?;
        Some(FactChange::Gone { key, observed: entry.observed })
    }
}

/// Returns what takes a fact back: its hash, its key, and since when it is gone.
pub(super) fn gone(entry: &Entry, observed: Timestamp) -> Option<(u64, ItemKey, Timestamp)> {
    let key = codec::read_fact_message(&entry.message).ok()?.key();
    Some((entry.key_hash, key, observed))
}

pub(super) fn is_sound(entry: &Entry) -> bool {
    if entry.holds() {
        codec::read_fact_message(&entry.message).is_ok()
    } else {
        codec::read_gone_message(&entry.message).is_ok()
    }
}

/// Returns the last observation of each fact, in the order of their hashes.
pub(super) fn last_of_each(mut observed: Observed) -> Observed {
    // What comes later in a call wins among observations of one time.
    observed.sort_by_key(|(key_hash, change)| (*key_hash, change.observed()));
    observed.reverse();
    observed.dedup_by_key(|(key_hash, _)| *key_hash);
    observed.reverse();
    observed
}

pub(super) fn hashed(mut change: FactChange) -> (u64, FactChange) {
    match &mut change {
        FactChange::Present(fact) => limits::fit_fact(&mut fact.body),
        FactChange::Gone { key, .. } => limits::fit_key(key),
    }
    (key_hash(&change.key()), change)
}
