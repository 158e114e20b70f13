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
fn samples_that_expired_while_they_waited_are_told_as_lost() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap().with_queue().unwrap();
    store.commit(&[block(1, 1, &[-50 * HOUR_MS, 0])]).unwrap();
    store.expire_samples(std::iter::once(site()), NOW.plus_ms(-48 * HOUR_MS)).unwrap();
    let front = store.queue().unwrap().front(u64::MAX, usize::MAX).unwrap();
    assert_eq!((front[0].blocks.len(), front[0].lost_rows), (1, 1));
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
