//! Pages of facts: what was written is there once, in order, whatever was written before.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::store::facts as pages;

/// Of what hash something is written, in which of three groups, and how many bytes; `None` removes it.
type Write = (u8, u64, Option<usize>);

fn key(group: u8, hash: u64) -> Vec<u8> {
    let scope = ["", "core", "corf"][usize::from(group)];
    keys::fact(site(), AgentId::from_raw(3), &Group { method: Method::SnmpForwarding, scope: Scope::new(scope) }, hash)
}

fn write(store: &Store, writes: &[Write]) {
    let held = |len: usize| vec![u8::try_from(len % 251).unwrap(); len];
    let facts = writes.iter().map(|(group, hash, len)| (key(*group, *hash), len.map(held))).collect();
    let mut batch = sled::Batch::default();
    store.write_facts(&mut batch, facts).unwrap();
    store.apply(batch).unwrap();
}

/// Returns the length of what is held under each key, having looked at every page.
fn read(store: &Store) -> BTreeMap<Vec<u8>, usize> {
    let mut found = BTreeMap::new();
    let mut last = Vec::new();
    for row in &store.tree {
        let (page, value) = row.unwrap();
        if !keys::is_fact(&page) {
            continue;
        }
        let facts: Vec<_> = pages::all(&value).map(Result::unwrap).collect();
        assert!((1..=16).contains(&facts.len()) && (value.len() <= 8 << 10 || facts.len() == 1), "{}", facts.len());
        for (hash, held) in facts {
            let key = [&page[..page.len() - 8], &hash.to_be_bytes()].concat();
            assert!(*key >= *page && key > last, "{} in {}", keys::readable(&key), keys::readable(&page));
            found.insert(key.clone(), held.len());
            last = key;
        }
    }
    found
}

fn hash() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..60, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn writes() -> impl Strategy<Value = Vec<Vec<Write>>> {
    let len = prop_oneof![8 => 0_usize..90, 1 => 2_000_usize..10_000];
    vec(vec((0_u8..3, hash(), option::weighted(0.7, len)), 1..80), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pages_hold_what_was_written_last(batches in writes()) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut expected = BTreeMap::new();
        for batch in &batches {
            write(&store, batch);
            for (group, hash, len) in batch {
                match len {
                    Some(len) => drop(expected.insert(key(*group, *hash), *len)),
                    None => drop(expected.remove(&key(*group, *hash))),
                }
            }
            prop_assert_eq!(&read(&store), &expected);
        }
    }
}

#[test]
fn a_group_takes_few_rows_and_none_once_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let all = |len: Option<usize>| (0..1_000).map(|hash| (0, hash * (u64::MAX / 1_000), len)).collect::<Vec<Write>>();
    write(&store, &all(Some(70)));
    let rows = |store: &Store| store.tree.iter().filter(|row| keys::is_fact(&row.as_ref().unwrap().0)).count();
    assert_eq!(rows(&store), 84, "twelve facts a row");
    write(&store, &all(None));
    assert_eq!(rows(&store), 0);
}

#[test]
fn a_damaged_page_is_named_when_it_is_written_and_when_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&with_an_agent()).unwrap();
    write(&store, &[(0, 5, Some(70))]);
    store.tree.insert(key(0, 5), &[0; 13]).unwrap();
    let written = store.write_facts(&mut sled::Batch::default(), Facts::from([(key(0, 9), None)]));
    assert!(matches!(written, Err(StoreError::Damaged { .. })));
    assert!(matches!(store.load(), Err(StoreError::Damaged { .. })));
}
