//! What older versions left on disk, brought into the present format.
//!
//! Invariant: the process may be killed at any instruction; the next opening begins again with what is left. History is not
//! touched, and no fact is lost: a group of which anything waited is sent again, complete.

use onenet_topology::fact::Group;
use onenet_wire::codec;

use super::{
    FORMAT, SpoolError, keys,
    page::{self, Entry, State},
    store::{Purpose, Store, Writes},
};

/// How many records are written or removed at once.
const WRITES: usize = 256;
/// How many facts of a group are made into pages at once.
const FACTS: usize = 4_096;

/// Makes pages of the records that format 1 kept, one a fact.
pub(super) fn from_format_1(store: &Store) -> Result<(), SpoolError> {
    // What an earlier attempt made.
    remove(store, keys::PAGE)?;
    let mut writes = Writes::together();
    let mut lot: Option<(Group, u64, Vec<Entry>)> = None;
    for item in store.scan(&[keys::OLD_FACT]) {
        let (key, value) = item?;
        let Some((group, key_hash)) = keys::parse_item(&key) else { continue };
        let Ok(fact) = codec::decode_fact(&value) else {
            writes.put(keys::group(keys::RESYNC, &group), &0_u64.to_be_bytes());
            continue;
        };
        let message = codec::fact_message(&fact.body).into();
        let entry = Entry { key_hash, observed: fact.observed, state: State::Held, message };
        match &mut lot {
            Some((of, _, entries)) if *of == group && entries.len() < FACTS => entries.push(entry),
            _ => {
                // The first page of a group begins with the least hash.
                let first = if lot.as_ref().is_some_and(|(of, ..)| *of == group) { key_hash } else { 0 };
                put(lot.replace((group, first, vec![entry])), &mut writes);
                apply(store, &mut writes, WRITES)?;
            }
        }
    }
    put(lot, &mut writes);
    for item in store.scan(&[keys::OLD_DIRTY]) {
        if let Some((group, _)) = keys::parse_item(&item?.0) {
            writes.put(keys::group(keys::RESYNC, &group), &0_u64.to_be_bytes());
            apply(store, &mut writes, WRITES)?;
        }
    }
    writes.put(keys::FORMAT, &FORMAT.to_be_bytes());
    apply(store, &mut writes, 0)?;
    store.flush()
}

/// Removes what [`from_format_1`] made pages of.
pub(super) fn remove_format_1(store: &Store) -> Result<(), SpoolError> {
    remove(store, keys::OLD_FACT)?;
    remove(store, keys::OLD_DIRTY)
}

fn put(lot: Option<(Group, u64, Vec<Entry>)>, writes: &mut Writes) {
    let Some((group, first, entries)) = lot else { return };
    for (place, page) in page::encode(&entries) {
        let head = entries.get(place).filter(|_| place > 0);
        writes.put(keys::item(keys::PAGE, &group, head.map_or(first, |entry| entry.key_hash)), page);
    }
}

fn remove(store: &Store, kind: u8) -> Result<(), SpoolError> {
    let mut writes = Writes::together();
    for item in store.scan(&[kind]) {
        writes.remove(item?.0);
        apply(store, &mut writes, WRITES)?;
    }
    apply(store, &mut writes, 0)
}

/// Applies the writes where they are more than `most`.
fn apply(store: &Store, writes: &mut Writes, most: usize) -> Result<(), SpoolError> {
    if writes.len() > most {
        store.apply(std::mem::replace(writes, Writes::together()), Purpose::BookKeeping)
    } else {
        Ok(())
    }
}
