//! The thread that writes, and readers beside it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::*;
use crate::{
    clock::Clock,
    flow_log::{FlowLog, LOT_FLOWS},
};

fn start(folder: &TempDir) -> Arc<FlowLog> {
    FlowLog::start(config(folder.path()), [1, 2], Clock::start([0; 16]), Box::new(|_| {})).unwrap()
}

#[test]
fn what_is_handed_over_is_found_within_seconds_and_all_of_it_after_a_stop() {
    let folder = TempDir::new().unwrap();
    let log = start(&folder);
    log.sink().offer(flows(0..300));
    let limits = PageLimits { flows: 1_000, fits: &|_| true, go: &|| Go::On };
    let begun = Clock::start([0; 16]);
    let until = begun.timestamp().plus_ms(20_000);
    while log.page(&all(), None, &limits).unwrap().flows.len() < 300 {
        assert!(begun.timestamp() < until, "the flows are not found");
        thread::yield_now();
    }
    log.sink().offer(flows(300..500));
    log.stop();
    log.stop();
    assert_eq!(log.page(&all(), None, &limits).unwrap().flows, latest_first(&flows(0..500), &all()));
    let status = log.status();
    assert_eq!((status.flows, status.logged, status.lost_busy, status.days_max), (500, 500, 0, 190));
    // Nobody takes them any more.
    log.sink().offer(flows(500..510));
    assert_eq!(log.page(&all(), None, &limits).unwrap().flows.len(), 500);
}

#[test]
fn whoever_hands_over_flows_does_not_wait_and_what_finds_no_room_is_counted() {
    let folder = TempDir::new().unwrap();
    let log = start(&folder);
    let sink = log.sink();
    let lots = 2_000;
    for lot in 0..lots {
        let begin = lot * LOT_FLOWS as u64;
        sink.offer(flows(begin..begin + LOT_FLOWS as u64));
    }
    log.stop();
    let status = log.status();
    let offered = lots * LOT_FLOWS as u64;
    assert_eq!(status.logged + status.lost_busy, offered, "{status:?}");
}

#[test]
fn readers_beside_the_writer_find_each_flow_that_was_flushed_once() {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    let (logged, done) = (std::sync::atomic::AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (folder, logged, done) = (&folder, &logged, &done);
        scope.spawn(move || {
            for lot in 0..400_u64 {
                writer.append(flows(lot * 9..lot * 9 + 9)).unwrap();
                writer.tick(at(i64::try_from(lot * 3_000).unwrap())).unwrap();
                logged.store(lot * 9, Ordering::Release);
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let surely = logged.load(Ordering::Acquire);
            let mut numbers: Vec<u64> = found(folder, &all(), 200).iter().map(|flow| flow.bytes_out).collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "a flow was found twice");
            let flushed: Vec<u64> = numbers.into_iter().take_while(|number| *number < surely).collect();
            assert_eq!(flushed, (0..surely).collect::<Vec<_>>());
        }
    });
}
