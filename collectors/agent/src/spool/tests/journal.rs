//! The files of the history lane: what is damaged or foreign in them, and what an older version left elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use onenet_topology::fact::EventKind;
use prost::Message as _;

use super::*;
use crate::spool::{
    keys,
    store::{Purpose, Store, Writes},
};

/// Returns the files of the journal, in order.
fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("history")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Returns where each record of a file begins.
fn records(file: &Path) -> Vec<usize> {
    let content = fs::read(file).unwrap();
    let marked = content.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"\xff\xfehj");
    marked.map(|(place, _)| place).collect()
}

/// Records numbers, each in a batch of its own.
fn record(spool: &Spool, numbers: std::ops::RangeInclusive<u64>, hands: &mut Hands) {
    for number in numbers {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        spool.flush(&hands.pass(1_500)).unwrap();
    }
}

#[test]
fn a_damaged_record_costs_itself_and_is_counted_when_it_is_dropped() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    record(&spool, 1..=5, &mut hands);
    drop(spool);
    let [file] = &files(&folder)[..] else { panic!("{:?}", files(&folder)) };
    // The lane, and five batches.
    let begins = records(file);
    assert_eq!(begins.len(), 6);
    let mut content = fs::read(file).unwrap();
    content[begins[2] + 40] ^= 1;
    fs::write(file, content).unwrap();
    let spool = open(&folder, &hands.0);
    assert_eq!(spool.status().damaged_records, 1);
    let view = spool.view();
    assert_eq!((view.history_before_first, view.history.sequence), (0, 5));
    let kept: Vec<bool> = (1..=5).map(|it| spool.history_batch(it, &hands.0).unwrap().is_some()).collect();
    assert_eq!(kept, [true, false, true, true, true]);
    // Behind what was acknowledged it is the oldest, and goes.
    spool.acknowledge(Position { sequence: 1, ..view.history }, &hands.0).unwrap();
    record(&spool, 6..=6, &mut hands);
    assert_eq!((counters(&spool, &hands.0), spool.status().lost_batches), (vec![3, 4, 5, 6], 1));
}

#[test]
fn a_file_that_was_just_begun_costs_nothing() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    record(&spool, 1..=3, &mut hands);
    let before = spool.view();
    spool.acknowledge(Position { sequence: 1, ..before.history }, &hands.0).unwrap();
    drop(spool);
    let last = files(&folder).pop().unwrap();
    let content = fs::read(&last).unwrap();
    for length in [0, 31, 60] {
        fs::write(last.with_file_name("0000000000000009"), &content[..length]).unwrap();
        let spool = open(&folder, &hands.0);
        assert_eq!(spool.view().history, before.history);
        assert_eq!(counters(&spool, &hands.0), [2, 3]);
    }
    fs::write(last.with_file_name("a note of the administrator"), "x").unwrap();
    let spool = open(&folder, &hands.0);
    assert_eq!(counters(&spool, &hands.0), [2, 3]);
    record(&spool, 4..=4, &mut hands);
    assert_eq!(spool.view().history, Position { sequence: 4, ..before.history });
}

#[test]
fn files_go_with_what_is_acknowledged_and_numbers_are_never_used_again() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let (mut number, mut most) = (0, 0);
    for round in 0..200 {
        let items: Vec<_> = (0..900).map(|it| sample((number + it) | 1 << 60, hands.time())).collect();
        number += 900;
        spool.record(items, &hands.0).unwrap();
        spool.flush(&hands.pass(1_500)).unwrap();
        if round % 100 == 99 {
            most = most.max(files(&folder).len());
            spool.acknowledge(spool.view().history, &hands.0).unwrap();
            assert_eq!(files(&folder).len(), 1);
        }
    }
    assert!(most > 1, "one file was enough");
    let at = spool.view().history;
    drop(spool);
    let spool = open(&folder, &hands.0);
    assert_eq!((spool.view().history, spool.status().history_batches), (at, 0));
    record(&spool, 1..=1, &mut hands);
    assert_eq!(spool.view().history.sequence, at.sequence + 1);
}

/// Makes of a spool's folder what format 2 had: the history lane in the tree, and with it what was being forgotten and written.
fn as_format_2(folder: &TempDir, batches: &[v1::Batch], lost: Option<[u64; 4]>) {
    fs::remove_dir_all(folder.path().join("history")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut writes = Writes::default();
    writes.put(keys::FORMAT, &2_u64.to_be_bytes());
    for (batch, number) in batches.iter().zip(8_u64..) {
        let bytes = v1::Batch { position: None, ..batch.clone() }.encode_to_vec();
        assert!(writes.put_parts(&keys::history(number), &bytes) > 1);
    }
    let next = 8 + batches.len() as u64;
    writes.put(keys::part(&keys::history(7), 1), &[1, 2, 3]);
    writes.put(keys::part(&keys::history(next), 0), &[1, 2, 3]);
    writes.put(keys::HISTORY_LANE, [77, 5, next].map(u64::to_be_bytes).concat());
    if let Some(lost) = lost {
        writes.put(keys::LOST, lost.map(u64::to_be_bytes).concat());
    }
    store.apply(writes, Purpose::Start).unwrap();
    store.flush().unwrap();
}

/// Returns the batches of so many items that a spool makes.
fn batches(count: u64, hands: &mut Hands) -> Vec<v1::Batch> {
    let (folder, spool) = (TempDir::new().unwrap(), hands.0);
    let spool = open(&folder, &spool);
    for batch in 0..count {
        spool.record((0..200).map(|number| sample(batch * 200 + number, hands.time())), &hands.0).unwrap();
        spool.flush(&hands.pass(1_500)).unwrap();
    }
    (1..=count).map(|sequence| spool.history_batch(sequence, &hands.0).unwrap().unwrap()).collect()
}

#[test]
fn what_format_2_kept_is_sent_and_goes_while_new_history_follows_it() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    drop(open(&folder, &hands.0));
    let made = batches(3, &mut hands);
    as_format_2(&folder, &made, Some([1, 30, 1_000, 2_000]));
    for again in 0..3 {
        let spool = open(&folder, &hands.0);
        let view = spool.view();
        let recorded = u64::from(again == 2);
        assert_eq!((view.history.epoch, view.history_before_first, view.history.sequence), (77, 2, 5 + recorded));
        assert_eq!(spool.status().history_batches, 3 + recorded);
        assert_eq!(counters(&spool, &hands.0)[..600], (0..600).collect::<Vec<_>>());
        if again == 1 {
            record(&spool, 600..=600, &mut hands);
        }
    }
    let spool = open(&folder, &hands.0);
    let bytes = spool.status().history_bytes;
    spool.acknowledge(Position { sequence: 3, ..spool.view().history }, &hands.0).unwrap();
    assert_eq!(counters(&spool, &hands.0), (200..=600).collect::<Vec<_>>());
    assert!(spool.status().history_bytes < bytes);
    // What was lost before is told once.
    spool.connected(&hands.0).unwrap();
    let last = domain(spool.history_batch(spool.view().history.sequence, &hands.0).unwrap().unwrap());
    let Content::History(items) = last.content else { panic!("another lane") };
    let HistoryBody::Event(event) = &items[0].body else { panic!("{items:?}") };
    assert_eq!((event.kind, event.count), (EventKind::HistoryLost, 30));
    spool.acknowledge(spool.view().history, &hands.0).unwrap();
    assert_eq!((spool.status().history_batches, spool.status().history_bytes), (0, 0));
    drop(spool);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.first_key(keys::HISTORY).unwrap(), None);
    assert_eq!(store.get(keys::HISTORY_LANE).unwrap(), None);
    drop(store);
    assert_eq!(open(&folder, &hands.0).view().history_before_first, 7);
}

#[test]
fn what_format_2_says_is_believed_until_it_was_taken_over() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    record(&spool, 900..=902, &mut hands);
    drop(spool);
    let kept = fs::read(&files(&folder)[0]).unwrap();
    let made = batches(2, &mut hands);
    as_format_2(&folder, &made, None);
    // A process was killed on its way to the new format.
    fs::create_dir(folder.path().join("history")).unwrap();
    fs::write(folder.path().join("history/0000000000000001"), kept).unwrap();
    let spool = open(&folder, &hands.0);
    assert_eq!(counters(&spool, &hands.0), (0..400).collect::<Vec<_>>());
    assert_eq!(spool.view().history.epoch, 77);
}

#[test]
fn the_caps_drop_what_format_2_kept_first() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    drop(open(&folder, &hands.0));
    let made = batches(2, &mut hands);
    as_format_2(&folder, &made, None);
    let config = SpoolConfig { age_cap_ms: 60_000, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    hands.pass(70_000);
    spool.record([sample(999, hands.time())], &hands.0).unwrap();
    spool.flush(&hands.0).unwrap();
    assert_eq!(counters(&spool, &hands.0), [999]);
    assert_eq!((spool.status().lost_batches, spool.status().lost_items), (2, 400));
}
