//! Processes that are killed between any two writes, played through: each beginning of what an operation writes is opened as a
//! spool of its own.
//!
//! That sled leaves such a beginning, and nothing else, is what the process that is really killed shows (`disk.rs`). Of what is
//! appended to a file beside it any part may be there.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path};

use proptest::{collection::vec, prelude::*};

use super::{
    model::{Model, Step, apply, facts, send_all, step},
    *,
};
use crate::spool::{
    keys,
    store::{Change, FileStep, Purpose, Step as Written, Store, Writes},
};

/// What a spool had on disk, and what was written then, in steps.
struct Writing {
    before: Vec<Change>,
    files_before: Vec<(String, Vec<u8>)>,
    steps: Vec<Written>,
}

impl Writing {
    /// Does something with a spool, of which nothing waits in memory.
    fn of(spool: &Spool, work: impl FnOnce()) -> Self {
        let inner = spool.inner.lock().unwrap();
        let store = inner.store.as_ref().unwrap();
        let before = store.scan(&[]).map(Result::unwrap).map(|(key, value)| (key.into(), Some(value.into()))).collect();
        let files = fs::read_dir(spool.folder.join(JOURNAL)).unwrap().map(Result::unwrap);
        let files_before =
            files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
        store.steps.take();
        drop(inner);
        work();
        let inner = spool.inner.lock().unwrap();
        let steps = inner.store.as_ref().unwrap().steps.take();
        Self { before, files_before, steps }
    }

    /// Returns the spool of a process that was killed after so many steps, for each number of them.
    fn replicas(&self, config: SpoolConfig, now: &Clocks) -> impl Iterator<Item = (TempDir, Arc<Spool>)> {
        (0..=self.steps.len()).map(move |steps| self.replica(steps, config, now))
    }

    fn replica(&self, steps: usize, config: SpoolConfig, now: &Clocks) -> (TempDir, Arc<Spool>) {
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut writes = Writes::together();
        let done = self.steps.iter().take(steps);
        let changes =
            done.clone().filter_map(|step| if let Written::Tree(changes) = step { Some(changes) } else { None });
        for (key, value) in self.before.iter().chain(changes.flatten()).cloned() {
            match value {
                Some(value) => writes.put(key, value),
                None => writes.remove(key),
            }
        }
        store.apply(writes, Purpose::Start).unwrap();
        drop(store);
        let journal = folder.path().join(JOURNAL);
        fs::create_dir_all(&journal).unwrap();
        self.files_before.iter().for_each(|(name, content)| fs::write(journal.join(name), content).unwrap());
        for step in done {
            match step {
                Written::File(FileStep::Append(order, bytes)) => append(&journal, *order, bytes),
                Written::File(FileStep::Remove(order)) => fs::remove_file(file(&journal, *order)).unwrap(),
                Written::Tree(_) => {}
            }
        }
        // What follows was just begun.
        if let Some(Written::File(FileStep::Append(order, bytes))) = self.steps.get(steps) {
            append(&journal, *order, &bytes[..bytes.len() * (steps % 3) / 3]);
        }
        let spool = Spool::open(folder.path(), config, now).unwrap();
        assert_eq!(spool.status().damaged_records, 0, "after {steps} steps");
        (folder, spool)
    }
}

/// Where the journal is in the spool's folder.
const JOURNAL: &str = "history";

fn file(journal: &Path, order: u64) -> std::path::PathBuf {
    journal.join(format!("{order:016x}"))
}

fn append(journal: &Path, order: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().create(true).append(true).open(file(journal, order));
    file.unwrap().write_all(bytes).unwrap();
}

/// So much is recorded that a batch takes several parts, and so much replaced that pages are split and go.
fn lengthened(step: Step) -> Step {
    match step {
        Step::Record(count) => Step::Record(count.saturating_mul(60)),
        Step::Replace { scope, names } => {
            let many = names.iter().flat_map(|(number, name)| (0..10).map(move |lot| (number + lot * 60, *name)));
            Step::Replace { scope, names: many.collect() }
        }
        step => step,
    }
}

/// Returns what happens: what changes many pages more often than elsewhere.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = proptest::collection::btree_map(0..60_u32, any::<u8>(), 0..60);
    let replacing = names.prop_map(|names| Step::Replace { scope: 0, names });
    vec(prop_oneof![2 => step(), 1 => replacing].prop_map(lengthened), 1..12)
}

/// Has each of these steps interrupted.
fn interrupt(steps: Vec<Step>) {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    let mut after = Model::default();
    for step in steps {
        let now = hands.pass(700_000);
        let before = after.clone();
        let writing = Writing::of(&spool, || {
            apply(&step, &mut after, &spool, &now, hands.time());
            spool.flush(&now).unwrap();
        });
        let sent = spool.view().state;
        for steps in 1..writing.steps.len() {
            let killed = || writing.replica(steps, SpoolConfig::default(), &now);
            check(&before, &after, sent, killed, &now);
        }
    }
}

/// Checks what a process finds that was killed on its way from a model to another, at the end of which a batch was cut.
fn check(before: &Model, after: &Model, sent: Position, killed: impl Fn() -> (TempDir, Arc<Spool>), now: &Clocks) {
    let (_folder, spool) = killed();
    check_history(before, after, &counters(&spool, now));
    let (view, arrived) = (spool.view(), after.centre_at.is_some() && after.centre_at != before.centre_at);
    let (is_cut, is_heard) = (view.state == sent, view.state == sent && !view.outstanding);
    if !(arrived && is_heard) {
        check_facts(before, after, before.clone(), &spool, now);
    }
    if arrived && is_cut {
        // It was sent before the process was killed.
        check_facts(before, after, after.clone(), &killed().1, now);
    }
}

/// What is kept is a part of what was recorded, in order, each once, with all that was on disk before and is not acknowledged.
fn check_history(before: &Model, after: &Model, kept: &[u64]) {
    let all: BTreeSet<u64> = before.recorded.iter().chain(&after.recorded).copied().collect();
    let part: Option<Vec<u64>> =
        kept.first().zip(kept.last()).map(|(first, last)| all.range(first..=last).copied().collect());
    assert_eq!(kept, part.unwrap_or_default());
    for number in before.recorded.iter().filter(|number| after.recorded.contains(number)) {
        assert!(kept.contains(number), "{number} is lost");
    }
}

/// Each fact is as before or as after, and the centre learns which.
fn check_facts(before: &Model, after: &Model, mut model: Model, spool: &Spool, now: &Clocks) {
    send_all(&mut model, spool, now);
    assert_eq!(spool.digest().unwrap().groups, model.digests());
    let (before, after) = (facts(before), facts(after));
    for key in before.keys().chain(after.keys()).chain(model.centre.keys()) {
        let held = model.centre.get(key);
        assert!(held == before.get(key) || held == after.get(key), "{key:?} is {held:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_process_killed_between_any_two_writes_loses_and_doubles_nothing(steps in steps()) {
        interrupt(steps);
    }
}

/// Returns how many of the items recorded were dropped, by what is told, and by what is still to be told.
fn told_lost(spool: &Spool, now: &Clocks) -> (u64, u64) {
    let view = spool.view();
    let batches = view.history_before_first + 1..=view.history.sequence;
    let items =
        batches.flat_map(|sequence| match domain(spool.history_batch(sequence, now).unwrap().unwrap()).content {
            Content::History(items) => items,
            Content::State(_) => panic!("another lane"),
        });
    let told = items.filter_map(|item| match item.body {
        HistoryBody::Event(event) => Some(event.count),
        _ => None,
    });
    (told.sum(), spool.inner.lock().unwrap().history.lost().items)
}

#[test]
fn what_a_cap_drops_is_told_once_wherever_the_process_is_killed() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let config = SpoolConfig { age_cap_ms: 60_000, ..SpoolConfig::default() };
    let spool = Spool::open(folder.path(), config, &hands.0).unwrap();
    for round in 0..3 {
        spool.record((0..300).map(|number| sample(round * 300 + number, hands.time())), &hands.0).unwrap();
        spool.flush(&hands.pass(1_500)).unwrap();
    }
    let now = hands.pass(70_000);
    let dropping = Writing::of(&spool, || spool.flush(&now).unwrap());
    assert!(dropping.steps.len() > 2, "{} steps", dropping.steps.len());
    let mut dropped = BTreeSet::new();
    for (_folder, replica) in dropping.replicas(config, &now) {
        let (told, to_tell) = told_lost(&replica, &now);
        assert_eq!((told, counters(&replica, &now).len() as u64 + to_tell), (0, 900));
        dropped.insert(to_tell);
    }
    assert!(dropped.len() > 2 && dropped.contains(&900), "{dropped:?}");
    let telling = Writing::of(&spool, || spool.connected(&now).unwrap());
    let told: Vec<_> = telling.replicas(config, &now).map(|(_folder, replica)| told_lost(&replica, &now)).collect();
    assert_eq!(told, [(0, 900), (900, 0)]);
}

#[test]
fn a_refused_batch_is_in_one_place_or_the_other_wherever_the_process_is_killed() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    for round in 0..3 {
        spool.record((0..300).map(|number| sample(round * 300 + number, hands.time())), &hands.0).unwrap();
        spool.flush(&hands.pass(1_500)).unwrap();
    }
    let view = spool.view().history;
    let oldest = Position { sequence: 1, ..view };
    let refusing = Writing::of(&spool, || spool.set_aside(oldest, "it is too long", &hands.0).unwrap());
    let kept_apart = |spool: &Spool| {
        let inner = spool.inner.lock().unwrap();
        let kept = inner.store.as_ref().unwrap().first_key(keys::ASIDE).unwrap();
        kept.is_some()
    };
    let now = hands.pass(1_500);
    let found: Vec<_> = refusing
        .replicas(SpoolConfig::default(), &now)
        .map(|(_folder, it)| (counters(&it, &now).len() < 900, kept_apart(&it)))
        .collect();
    assert!(found.iter().all(|(forgotten, kept)| *kept || !forgotten), "{found:?}");
    assert_eq!((found.first(), found.last()), (Some(&(false, false)), Some(&(true, true))));
}
