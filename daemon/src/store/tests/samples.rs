//! Files of samples: what was acknowledged is there once, whatever was cut off, sealed, damaged or taken away.

use std::{collections::BTreeMap, fs, path::PathBuf};

use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;

/// A batch, and that the store is at its position at a time.
fn record(position: u64, committed_ms: i64, times: &[i64]) -> [Change; 2] {
    [block(position, position, times), Change::Position { position, time: NOW.plus_ms(committed_ms) }]
}

/// A store with a file for each ten minutes of an hour, of which there is a sample each minute.
fn of_an_hour(directory: &Path) -> (Store, Vec<i64>) {
    let store = Store::open(directory).unwrap();
    let minutes: Vec<i64> = (0..60).map(|minute| minute * MINUTE_MS).collect();
    for (position, ms) in (1..).zip(&minutes) {
        store.commit(&record(position, *ms, &[*ms])).unwrap();
    }
    store.samples.settle();
    (store, minutes)
}

fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory.join("samples")).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == ending));
    files.sort();
    files
}

#[test]
fn what_is_sealed_is_found_as_before_and_after_a_restart_and_in_exports() {
    let directory = tempfile::tempdir().unwrap();
    let (store, minutes) = of_an_hour(directory.path());
    assert_eq!(store.samples.counts(), (2, 4));
    assert_eq!(times(&store, &all()), minutes);
    let late = [-30 * HOUR_MS, 90];
    store.commit(&record(61, 59 * MINUTE_MS, &late)).unwrap();
    let mut expected = [&late[..], &minutes].concat();
    expected.sort_unstable();
    assert_eq!(times(&store, &all()), expected);
    let size = store.size_on_disk().unwrap();
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.samples.counts(), (2, 4));
    assert_eq!(times(&store, &all()), expected);
    assert!(store.size_on_disk().unwrap() > 0 && size > 0);
    let (mut text, estate) = (Vec::new(), store.load().unwrap());
    store.export(&estate, &mut text).unwrap();
    let other = Store::open(&directory.path().join("other")).unwrap();
    other.import(&text[..]).unwrap();
    assert_eq!(times(&other, &all()), expected);
}

#[test]
fn the_newest_is_found_in_the_files_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (store, minutes) = of_an_hour(directory.path());
    let latest = |until: i64| {
        let query = SampleQuery { from: NOW.plus_ms(-2 * HOUR_MS), until: NOW.plus_ms(until), ..all() };
        let found = store.latest_samples(&query).unwrap();
        found.iter().map(|sample| sample.item.time.ms_since(NOW)).collect::<Vec<_>>()
    };
    for newest in minutes {
        assert_eq!(latest(newest + 1), [newest]);
    }
    // A sample of before comes late, into a younger file than one of the same moment.
    store.commit(&record(61, 59 * MINUTE_MS, &[5 * MINUTE_MS])).unwrap();
    assert_eq!(latest(5 * MINUTE_MS + 1), [5 * MINUTE_MS; 2]);
    assert_eq!(latest(HOUR_MS), [59 * MINUTE_MS]);
    assert_eq!(latest(-5 * HOUR_MS), [0_i64; 0], "a time that ends before it begins");
}

#[test]
fn what_was_written_and_not_committed_is_cut_off_and_comes_once_when_it_is_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&record(1, 0, &[1])).unwrap();
    // Killed between the files and the tree.
    store.samples.write(&crate::store::samples::frames(&record(2, 0, &[2, 3]))).unwrap();
    assert_eq!(times(&store, &all()), [1], "nobody finds what is not committed");
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(times(&store, &all()), [1]);
    store.commit(&record(2, 0, &[2, 3])).unwrap();
    drop(store);
    assert_eq!(times(&Store::open(directory.path()).unwrap(), &all()), [1, 2, 3]);
}

#[test]
fn a_frame_that_was_written_in_part_is_cut_off_wherever_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&record(1, 0, &[1])).unwrap();
    let log = files(directory.path(), "log").remove(0);
    let first = fs::metadata(&log).unwrap().len();
    store.commit(&record(2, 0, &[2])).unwrap();
    drop(store);
    let whole = fs::read(&log).unwrap();
    for len in [first + 1, first + 12, whole.len() as u64 - 1] {
        fs::write(&log, &whole[..usize::try_from(len).unwrap()]).unwrap();
        assert_eq!(times(&Store::open(directory.path()).unwrap(), &all()), [1]);
        assert_eq!(fs::metadata(&log).unwrap().len(), first);
    }
    fs::write(&log, &whole[..3]).unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&record(3, 0, &[3])).unwrap();
    drop(store);
    assert_eq!(times(&Store::open(directory.path()).unwrap(), &all()), [3]);
}

#[test]
fn a_sealed_file_of_several_parts_gives_each_scope_its_own_rows() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let scope = |number: i64| Scope::new(&format!("switch {number:04}"));
    let Change::Samples(mut told) = block(1, 1, &[]) else { unreachable!() };
    told.items = (0..4_000)
        .map(|number| HistoryItem {
            time: NOW.plus_ms(number),
            scope: scope(number),
            body: HistoryBody::Interface(fact::InterfaceSample { name: "ge".repeat(125), ..Default::default() }),
        })
        .collect();
    store.commit(&[Change::Samples(told), Change::Position { position: 1, time: NOW }]).unwrap();
    for position in 2..5 {
        let ms = i64::try_from(position).unwrap() * 10 * MINUTE_MS;
        store.commit(&record(position, ms, &[ms])).unwrap();
    }
    store.samples.settle();
    assert!(store.samples.counts().1 > 0);
    for number in 0..4_000 {
        assert_eq!(times(&store, &SampleQuery { scope: scope(number), ..all() }), [number]);
    }
    assert_eq!(times(&store, &SampleQuery { scope: Scope::new("switch 4000"), ..all() }), [0_i64; 0]);
}

#[test]
fn what_was_killed_while_it_was_sealed_is_sealed_with_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (store, minutes) = of_an_hour(directory.path());
    drop(store);
    // A log that was sealed and not yet taken away, and one that was half sealed.
    let sealed = files(directory.path(), "samples");
    fs::write(sealed[0].with_extension("log"), b"whatever").unwrap();
    fs::write(sealed[3].with_extension("partial"), b"half").unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.samples.settle();
    assert_eq!(times(&store, &all()), minutes);
    assert_eq!((store.samples.counts(), files(directory.path(), "partial").len()), ((2, 4), 0));
    assert!(!sealed[0].with_extension("log").exists());
}

#[test]
fn files_expire_as_a_whole_once_all_in_them_was_told_too_long_ago() {
    let directory = tempfile::tempdir().unwrap();
    let (store, minutes) = of_an_hour(directory.path());
    // Told now of two days ago, and of a year ahead.
    store.commit(&record(61, 59 * MINUTE_MS, &[-48 * HOUR_MS, 9_000 * HOUR_MS])).unwrap();
    assert_eq!(store.expire_samples(NOW.plus_ms(19 * MINUTE_MS)).unwrap(), 1);
    let left = times(&store, &all());
    assert_eq!((left.len(), left[0], left[1]), (52, -48 * HOUR_MS, minutes[10]));
    assert_eq!(files(directory.path(), "samples").len(), 3);
    assert_eq!(store.expire_samples(NOW.plus_ms(9_000 * HOUR_MS)).unwrap(), 3, "what is written now stays");
}

#[test]
fn a_damaged_block_is_named_and_a_damaged_file_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let (store, minutes) = of_an_hour(directory.path());
    let sealed = files(directory.path(), "samples");
    let whole = fs::read(&sealed[1]).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&sealed[1], bytes).unwrap();
    };
    changed(20);
    let error = store.samples(&all()).unwrap_err();
    let name = sealed[1].file_name().unwrap().to_string_lossy().into_owned();
    assert!(matches!(error, StoreError::Damaged { .. }) && error.to_string().contains(&name), "{error}");
    drop(store);
    changed(whole.len() - 20);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(times(&store, &all()), [&minutes[..10], &minutes[20..]].concat());
    assert_eq!(files(directory.path(), "damaged").len(), 1);
}

#[test]
fn no_change_of_a_file_lets_the_store_panic() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = of_an_hour(directory.path());
    drop(store);
    let paths = [files(directory.path(), "samples").remove(0), files(directory.path(), "log").remove(0)];
    for path in paths {
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] = bytes[at].wrapping_add(1);
            fs::write(&path, &bytes[..whole.len() - at % 5]).unwrap();
            let opened = SampleFiles::open(directory.path().join("samples"), u64::MAX).unwrap();
            let _ = opened.rows(&keys::samples_of_scope(
                site(),
                keys::hour(NOW),
                &Scope::new("core"),
                SampleKind::Interface,
            ));
            drop(opened);
            let _ = fs::remove_file(path.with_extension("damaged"));
            fs::write(&path, &whole).unwrap();
        }
    }
}

/// What a step does to the store.
#[derive(Debug, Clone)]
enum Step {
    Told { minutes: i64, times: Vec<i64> },
    OpenedAgain,
    Sealed,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_i64, prop::collection::vec(-200..200_i64, 1..6))
            .prop_map(|(minutes, times)| Step::Told { minutes, times }),
        1 => Just(Step::OpenedAgain),
        1 => Just(Step::Sealed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against a model: the samples in a map.
    #[test]
    fn whatever_is_told_sealed_and_opened_again_reads_as_it_was_told(steps in prop::collection::vec(step(), 1..24)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let (mut model, mut now, mut position) = (BTreeMap::<i64, usize>::new(), 0, 0);
        for step in steps {
            match step {
                Step::Told { minutes, times } => {
                    (now, position) = (now + minutes * MINUTE_MS, position + 1);
                    let mut times: Vec<i64> = times.iter().map(|minute| now + minute * MINUTE_MS).collect();
                    times.sort_unstable();
                    times.dedup();
                    store.commit(&record(position, now, &times)).unwrap();
                    for time in times {
                        *model.entry(time).or_default() += 1;
                    }
                }
                Step::OpenedAgain => {
                    drop(store);
                    store = Store::open(directory.path()).unwrap();
                }
                Step::Sealed => store.samples.settle(),
            }
            let expected: Vec<i64> = model.iter().flat_map(|(time, count)| std::iter::repeat_n(*time, *count)).collect();
            prop_assert_eq!(times(&store, &all()), expected);
            let newest = model.last_key_value().map(|(time, count)| vec![*time; *count]).unwrap_or_default();
            let found = store.latest_samples(&all()).unwrap();
            let found: Vec<i64> = found.iter().map(|sample| sample.item.time.ms_since(NOW)).collect();
            prop_assert_eq!(found, newest);
        }
    }
}
