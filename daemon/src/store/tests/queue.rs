//! What waits for remote write: with its samples, in order, over restarts, and not without end.

use super::*;

fn positions(store: &Store) -> Vec<u64> {
    let waiting = store.queue().unwrap().front(u64::MAX, usize::MAX).unwrap();
    waiting.iter().map(|batch| batch.position).collect()
}

fn committed(store: &Store, positions: impl IntoIterator<Item = u64>) {
    for position in positions {
        let time = NOW.plus_ms(i64::try_from(position).unwrap());
        store.commit(&[block(position, position, &[0]), Change::Position { position, time }]).unwrap();
    }
}

#[test]
fn what_is_measured_waits_in_order_over_a_restart_until_it_is_taken_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    committed(&store, 1..=300);
    drop(store);
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    let queue = store.queue().unwrap();
    assert_eq!((queue.waiting(), queue.oldest().unwrap()), (300, Some(NOW.plus_ms(1))));
    assert_eq!(positions(&store), (1..=300).collect::<Vec<_>>());
    let front = queue.front(u64::MAX, 10).unwrap();
    assert_eq!(front.len(), 10, "as many as have so many samples");
    assert_eq!(front[0].blocks[0].items[0].time, NOW);
    assert_eq!(queue.front(3, usize::MAX).unwrap().len(), 3, "nothing behind the position");
    queue.take_out(299).unwrap();
    assert_eq!((queue.waiting(), positions(&store)), (1, vec![300]));
    assert_eq!(store.load().unwrap().position, 300, "the queue is no part of the estate");
    assert_eq!(times(&store, &all()).len(), 300, "what is taken out is still a sample");
}

#[test]
fn when_more_waits_than_may_the_oldest_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    committed(&store, 1..=20);
    let queue = store.queue().unwrap();
    assert_eq!((queue.trim(20).unwrap(), queue.trim(8).unwrap(), queue.waiting()), (0, 12, 8));
    assert_eq!(positions(&store), (13..=20).collect::<Vec<_>>());
}

#[test]
fn what_waits_is_found_in_sealed_files_and_what_expired_there_is_told_as_lost() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    for minute in 0..5 {
        committed_at(&store, minute, 10 * i64::try_from(minute).unwrap());
    }
    store.samples.settle();
    assert_eq!(store.samples.counts(), (2, 3));
    let waiting = |store: &Store| store.queue().unwrap().front(u64::MAX, usize::MAX).unwrap();
    let found: Vec<_> = waiting(&store).iter().map(|it| (it.position, it.blocks.len(), it.lost_rows)).collect();
    assert_eq!(found, [(0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 1, 0)]);
    assert_eq!(store.expire_samples(NOW.plus_ms(15 * 60_000)).unwrap(), 2);
    let found: Vec<_> = waiting(&store).iter().map(|it| (it.position, it.blocks.len(), it.lost_rows)).collect();
    assert_eq!(found, [(0, 0, 1), (1, 0, 1), (2, 1, 0), (3, 1, 0), (4, 1, 0)]);
}

/// Commits a batch as it is some minutes from now, with one sample of then.
fn committed_at(store: &Store, position: u64, minute: i64) {
    let ms = minute * 60_000;
    let change = Change::Position { position, time: NOW.plus_ms(ms) };
    store.commit(&[block(position, position, &[ms]), change]).unwrap();
}

#[test]
fn without_remote_write_nothing_waits_and_what_did_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    committed(&store, 1..=5);
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert!(store.queue().is_none());
    assert_eq!((store.without_queue().unwrap(), store.without_queue().unwrap()), (5, 0));
    committed(&store, 6..=7);
    drop(store);
    assert_eq!(positions(&Store::open(directory.path()).unwrap().with_queue().unwrap()), [0_u64; 0]);
}
