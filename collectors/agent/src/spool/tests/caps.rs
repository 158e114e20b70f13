//! What the caps drop, and that they say so.

use std::os::unix::fs::MetadataExt as _;

use onenet_topology::fact::{Event, EventKind};

use super::*;

fn events(spool: &Spool, now: &Clocks) -> Vec<Event> {
    let view = spool.view();
    let mut events = Vec::new();
    for sequence in view.history_before_first + 1..=view.history.sequence {
        let Content::History(items) = domain(spool.history_batch(sequence, now).unwrap().unwrap()).content else {
            panic!("another lane")
        };
        events.extend(items.into_iter().filter_map(|item| match item.body {
            HistoryBody::Event(event) => Some(event),
            _ => None,
        }));
    }
    events
}

#[test]
fn history_older_than_the_age_cap_is_dropped_counted_and_reported() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let config = SpoolConfig { age_cap_ms: 3_600_000, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    for number in 0..10 {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        hands.pass(600_000);
        spool.seal(&hands.0).unwrap();
    }
    assert_eq!(counters(&spool, &hands.0), [3, 4, 5, 6, 7, 8, 9]);
    let status = spool.status();
    assert_eq!((status.lost_batches, status.lost_items), (3, 3));
    spool.connected(&hands.0).unwrap();
    let events = events(&spool, &hands.0);
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind, events[0].count), (EventKind::HistoryLost, 3));
    let said = format!("{:?}", drain_state(&spool, &hands.0));
    assert!(said.contains("SpoolLoss"), "{said}");
    // It is over when the centre has everything that was left.
    spool.acknowledge(spool.view().history, &hands.0).unwrap();
    let said = drain_state(&spool, &hands.0);
    assert!(matches!(changes(&said)[..], [FactChange::Gone { .. }]), "{said:?}");
}

#[test]
fn a_loss_is_remembered_when_the_agent_is_started_again() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let config = SpoolConfig { age_cap_ms: 1_000, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    for number in 0..3 {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        spool.seal(&hands.pass(10_000)).unwrap();
    }
    drop(spool);
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    spool.connected(&hands.0).unwrap();
    assert_eq!(events(&spool, &hands.0)[0].count, 2);
}

#[test]
fn a_clock_that_is_put_right_by_fifty_years_costs_no_history() {
    let folder = TempDir::new().unwrap();
    let mut dead = Hands(Clocks { boot_id: [1; 16], boot_ms: 60_000, wall_ms: 60_000 });
    let spool = open(&folder, &dead.0);
    spool.record([sample(1, dead.time())], &dead.0).unwrap();
    spool.seal(&dead.pass(2_000)).unwrap();
    drop(spool);
    let mut right = Hands(Clocks { boot_id: [2; 16], ..Hands::new().0 });
    let spool = open(&folder, &right.0);
    spool.record([sample(2, right.time())], &right.0).unwrap();
    spool.seal(&right.pass(2_000)).unwrap();
    assert_eq!(counters(&spool, &right.0), [1, 2]);
}

#[test]
fn the_folder_never_outgrows_its_byte_cap_and_keeps_the_newest() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let byte_cap = SpoolConfig::LEAST_BYTE_CAP;
    let spool = Spool::open(folder.path(), SpoolConfig { byte_cap, ..SpoolConfig::default() }, &hands.0).unwrap();
    let (mut number, mut largest) = (0, 0);
    // 40 MB of history through a spool of 16 MiB.
    for _ in 0..1_700 {
        let items: Vec<_> = (0..700)
            .map(|_| {
                number += 1;
                // Numbers that do not compress and take their full length.
                HistoryItem { time: hands.time(), ..sample(number | 1 << 60, hands.time()) }
            })
            .collect();
        spool.record(items.clone(), &hands.0).unwrap();
        spool.seal(&hands.pass(2_000)).unwrap();
        largest = largest.max(size(folder.path()));
    }
    assert!(largest <= byte_cap, "{largest} bytes on disk");
    let kept = counters(&spool, &hands.0);
    assert_eq!(kept.last(), Some(&(number | 1 << 60)));
    assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a hole within what is kept");
    let status = spool.status();
    assert_eq!(status.lost_items + kept.len() as u64, number);
    assert!(status.history_bytes > byte_cap / 8, "{} bytes live of {byte_cap}", status.history_bytes);
}

fn size(folder: &std::path::Path) -> u64 {
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    std::fs::read_dir(folder).unwrap().flatten().map(size).sum()
}
