//! Disks that fill up, lose bits, and keep too much.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    sync::atomic::{AtomicU64, Ordering},
};

use onenet_topology::flow::FlowsMissingReason;

use super::*;

#[test]
fn a_damaged_place_costs_its_block_and_is_told() {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    let logged = flows(0..u64::try_from(BLOCK * 5).unwrap());
    writer.append(logged.clone()).unwrap();
    writer.close().unwrap();
    let path = files(&folder, "flows").remove(0);
    let whole = fs::read(&path).unwrap();
    let mut costs = std::collections::BTreeMap::new();
    for place in (48..whole.len()).step_by(29) {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[whole[place] ^ 0x10], u64::try_from(place).unwrap()).unwrap();
        let page = page_of(&folder, &all(), None, 1_000);
        file.write_all_at(&whole[place..=place], u64::try_from(place).unwrap()).unwrap();
        let lost = logged.len() - page.flows.len();
        assert!(page.flows.iter().all(|flow| logged.contains(flow)), "byte {place}");
        let damaged = page.missing.iter().find(|missing| missing.reason == FlowsMissingReason::Damaged);
        assert_eq!(damaged.map_or(Some(0), |it| it.flows), Some(u64::try_from(lost).unwrap()), "byte {place}");
        *costs.entry(lost).or_insert(0) += 1;
    }
    assert!(costs.keys().all(|lost| [0, BLOCK].contains(lost)), "{costs:?}");
    assert!(costs[&BLOCK] > 50, "{costs:?}");
    assert_eq!(found(&folder, &all(), 100), latest_first(&logged, &all()));
}

#[test]
fn the_log_takes_no_more_than_it_may_and_the_oldest_leave_first() {
    let folder = TempDir::new().unwrap();
    let config = FlowLogConfig { bytes_max: 40 << 10, ..config(folder.path()) };
    let mut writer = Writer::open_shaped(config, shape(), [77, 1], at(0)).unwrap();
    for lot in 0..60 {
        writer.append(flows(lot * 100..lot * 100 + 100)).unwrap();
        let on_disk: u64 = files(&folder, "flows").iter().map(|file| file.metadata().unwrap().len()).sum();
        assert!(on_disk <= (40 << 10) + 3_000, "{on_disk} bytes");
    }
    writer.tick(at(5_000)).unwrap();
    let found = found(&folder, &all(), 10_000);
    assert!((300..3_000).contains(&found.len()), "{} flows are left", found.len());
    let all_of_them = flows(0..6_000);
    assert_eq!(found, latest_first(&all_of_them[6_000 - found.len()..], &all()));
    let status = writer.status();
    assert!(status.shortened && status.flows == found.len() as u64 && status.logged >= 5_900, "{status:?}");
}

#[test]
fn age_is_judged_by_a_clock_that_the_centre_confirmed() {
    const DAY_MS: i64 = 86_400_000;
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    // A segment covers a day, so that each of these begins a new one.
    for day in 0..5 {
        let lot: Vec<Flow> = (0..BLOCK).map(|number| flow(number as u64, day * 2 * DAY_MS)).collect();
        writer.append(lot.clone()).unwrap();
        writer.append(lot.iter().map(|it| Flow { end: it.end.plus_ms(DAY_MS), ..it.clone() }).collect()).unwrap();
    }
    let count = || files(&folder, "flows").len();
    assert!(count() >= 5, "{} segments", count());
    let before = count();
    let late = 193 * DAY_MS;
    writer.tick(at(late)).unwrap();
    assert_eq!(count(), before, "the clock may be wrong");
    writer.set_ahead(0);
    writer.tick(at(late + 200_000)).unwrap();
    assert!((1..before).contains(&count()), "{} segments", count());
    let oldest = page_of(&folder, &all(), None, 1).kept_from.unwrap();
    assert!(at(late).ms_since(oldest) <= 192 * DAY_MS && !writer.status().shortened, "{oldest}");
}

static FREE: AtomicU64 = AtomicU64::new(u64::MAX);

#[test]
fn a_full_disk_costs_flows_that_are_counted_and_told_and_the_spool_nothing() {
    let folder = TempDir::new().unwrap();
    let spool = folder.path().join("spool");
    fs::create_dir(&spool).unwrap();
    let config = FlowLogConfig { spool: Some((spool, 1 << 30)), ..config(folder.path()) };
    let shape = Shape { free_bytes: |_| FREE.load(Ordering::Relaxed), ..shape() };
    FREE.store(4 << 30, Ordering::Relaxed);
    let mut writer = Writer::open_shaped(config, shape, [77, 1], at(0)).unwrap();
    writer.append(flows(0..800)).unwrap();
    let segments = files(&folder, "flows").len();
    // What the spool may still take is not there any more: old flows make room, then new ones are not kept.
    FREE.store(1 << 20, Ordering::Relaxed);
    let error = writer.append(flows(800..832)).unwrap_err();
    assert!(matches!(error, FlowLogError::DiskFull { .. }), "{error}");
    assert!(files(&folder, "flows").len() < segments);
    assert!(matches!(writer.tick(at(5_000)), Ok(())), "nothing waits");
    writer.append(flows(832..840)).unwrap();
    assert!(writer.tick(at(10_000)).is_err());
    let status = writer.status();
    assert_eq!((status.lost_disk, status.disk_full, status.shortened), (32, true, true));
    FREE.store(4 << 30, Ordering::Relaxed);
    writer.append(flows(840..900)).unwrap();
    assert!(!writer.status().disk_full);
    let page = page_of(&folder, &FlowQuery { from: at(80_000), ..all() }, None, 1_000);
    let missing = page.missing.iter().find(|missing| missing.reason == FlowsMissingReason::Disk).unwrap();
    assert_eq!(missing.flows, Some(32));
    let found = found(&folder, &FlowQuery { from: at(83_300), ..all() }, 100);
    assert!(found.len() >= 48, "what waited is there: {}", found.len());
}

#[test]
fn flows_that_the_writer_had_no_time_for_are_told() {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    writer.lose(12);
    writer.append(flows(0..40)).unwrap();
    let missing = page_of(&folder, &all(), None, 100).missing;
    let busy = missing.iter().find(|missing| missing.reason == FlowsMissingReason::WriterBusy).unwrap();
    assert_eq!((busy.flows, writer.status().lost_busy), (Some(12), 12));
}

#[test]
fn nobody_else_may_read_the_files() {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    writer.append(flows(0..20)).unwrap();
    writer.tick(at(5_000)).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("flows")), 0o700);
    let files = [files(&folder, "flows"), files(&folder, "tail")].concat();
    assert_eq!(files.iter().map(|file| mode(file)).collect::<Vec<_>>(), [0o600, 0o600]);
}

#[test]
fn a_log_that_is_written_cannot_be_opened_for_writing_again() {
    let folder = TempDir::new().unwrap();
    let _first = open(&folder, 1, 0);
    let error = Writer::open(config(folder.path()), [1, 2], at(0)).err().unwrap();
    assert!(matches!(error, FlowLogError::Open { .. }) && error.to_string().contains("no other agent"), "{error}");
}

#[test]
fn a_segment_whose_head_is_damaged_is_still_read() {
    let folder = TempDir::new().unwrap();
    let mut writer = open(&folder, 1, 0);
    writer.append(flows(0..64)).unwrap();
    drop(writer);
    let path = files(&folder, "flows").remove(0);
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[0; 20], 4).unwrap();
    let _writer = open(&folder, 2, 0);
    assert_eq!(found(&folder, &all(), 100).len(), 64);
}
