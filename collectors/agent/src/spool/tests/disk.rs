//! Disks that fail, fill up, or hold something else, and processes that are killed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use super::*;
use crate::{
    clock::Clock,
    spool::{
        SpoolError, keys,
        store::{Purpose, Store, Writes},
    },
};

/// Set for the process that is to be killed: where its spool is.
const VICTIM: &str = "ONENET_TEST_SPOOL";
/// The test that kills, and that is the victim where [`VICTIM`] is set.
const KILLED: &str = "spool::tests::disk::what_was_on_disk_when_the_process_was_killed_is_there_once_and_in_order";

#[test]
fn a_folder_of_another_format_is_refused_with_the_remedy() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    drop(open(&folder, &hands.0));
    write(&folder, |writes| writes.put(keys::FORMAT, &9_u64.to_be_bytes()));
    let error = Spool::open(folder.path(), SpoolConfig::default(), &hands.0).unwrap_err();
    assert!(matches!(error, SpoolError::Format { found: 9, .. }), "{error}");
    assert!(error.to_string().contains("move the folder away"), "{error}");
}

#[test]
fn a_folder_that_another_agent_uses_is_refused_with_the_remedy() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let _first = open(&folder, &hands.0);
    let error = Spool::open(folder.path(), SpoolConfig::default(), &hands.0).unwrap_err();
    assert!(matches!(error, SpoolError::InUse { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("onenet-agent status") && !said.contains("move"), "{said}");
}

/// Returns the keys and values of the pages on disk.
fn pages(folder: &TempDir) -> Vec<(Vec<u8>, Vec<u8>)> {
    Store::open(folder.path()).unwrap().scan(&[keys::PAGE]).map(Result::unwrap).collect()
}

fn write(folder: &TempDir, write: impl FnOnce(&mut Writes)) {
    let store = Store::open(folder.path()).unwrap();
    let mut writes = Writes::default();
    write(&mut writes);
    store.apply(writes, Purpose::BookKeeping).unwrap();
    store.flush().unwrap();
}

fn many(range: std::ops::Range<u32>, name: &str, observed: Timestamp) -> Vec<Fact> {
    range.map(|number| host(number, &format!("{number} {name}"), observed)).collect()
}

#[test]
fn a_damaged_page_costs_itself_and_its_group_is_sent_again() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    spool.replace_group(&group("lan"), many(0..200, "x", hands.time()), &hands.0).unwrap();
    spool.observe(&[present("other", host(1, "y", hands.time()))], &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    drop(spool);
    let of_lan: Vec<_> =
        pages(&folder).into_iter().filter(|(key, _)| key.windows(3).any(|part| part == b"lan")).collect();
    assert!(of_lan.len() > 5, "{} pages", of_lan.len());
    write(&folder, |writes| writes.put(of_lan[2].0.clone(), &[1, 2, 3]));
    let spool = open(&folder, &hands.0);
    let left = spool.status().facts;
    assert_eq!(spool.status().damaged_records, 1);
    assert!((150..200).contains(&left), "{left} facts of 201 are left");
    let sent = drain_state(&spool, &hands.0);
    assert_eq!(sent.len(), 1, "the other group is not sent again");
    assert_eq!(sent[0].complete, Some(onenet_wire::KeyRange::ALL));
    assert_eq!(sent[0].changes.len(), left - 1);
    // What is observed again is there again.
    spool.replace_group(&group("lan"), many(0..200, "x", hands.time()), &hands.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &hands.0)).len(), 201 - left);
    assert_eq!(spool.digest().unwrap().groups.iter().map(|group| group.count).sum::<u64>(), 201);
}

#[test]
fn a_change_of_one_fact_of_a_large_group_writes_one_page() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let facts = many(0..20_000, "x", hands.time());
    let spool = open(&folder, &hands.0);
    spool.replace_group(&group("lan"), facts.clone(), &hands.0).unwrap();
    drain_state(&spool, &hands.0);
    drop(spool);
    let before = pages(&folder);
    let bytes: usize = before.iter().map(|(_, page)| page.len()).sum();
    assert!(before.len() > 300 && before.iter().all(|(_, page)| page.len() < 1_100), "{} pages", before.len());
    assert!(bytes < 20_000 * 40, "{bytes} bytes for 20,000 facts");
    let spool = open(&folder, &hands.0);
    hands.pass(10);
    let mut facts: Vec<_> = facts.into_iter().map(|fact| Fact { observed: hands.time(), ..fact }).collect();
    facts[7_777] = host(7_777, "another", hands.time());
    spool.replace_group(&group("lan"), facts.clone(), &hands.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &hands.0)), [FactChange::Present(facts[7_777].clone())]);
    drop(spool);
    let changed = pages(&folder).into_iter().filter(|page| !before.contains(page)).count();
    assert!((1..=2).contains(&changed), "{changed} pages were written anew");
}

#[test]
fn a_group_shrinks_and_grows_again_with_its_facts() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    for numbers in [0..2_000, 1_990..2_000, 0..500, 1_000..3_000, 0..0, 5..700] {
        hands.pass(10);
        let facts = many(numbers.clone(), "x", hands.time());
        spool.replace_group(&group("lan"), facts.clone(), &hands.0).unwrap();
        drain_state(&spool, &hands.0);
        assert_eq!(spool.status().facts, facts.len());
        let mut digest = onenet_wire::GroupDigest::empty(group("lan"));
        for fact in &facts {
            digest.add(&fact.body);
        }
        let expected: Vec<_> = Some(digest).filter(|_| !facts.is_empty()).into_iter().collect();
        assert_eq!(spool.digest().unwrap().groups, expected, "{numbers:?}");
    }
    drop(spool);
    let spool = open(&folder, &hands.0);
    assert_eq!((spool.status().facts, spool.status().damaged_records), (695, 0));
    spool.resync(&[group("lan")], &hands.0).unwrap();
    assert_eq!(changes(&drain_state(&spool, &hands.0)).len(), 695);
}

#[test]
fn a_folder_of_format_1_is_taken_over_with_its_history() {
    let (folder, mut hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    spool.record([sample(1, hands.time())], &hands.0).unwrap();
    spool.flush(&hands.pass(2_000)).unwrap();
    drop(spool);
    let facts = |scope: &str| -> Vec<_> { many(0..300, scope, hands.time()) };
    write(&folder, |writes| {
        writes.put(keys::FORMAT, &1_u64.to_be_bytes());
        for scope in ["settled", "waiting"] {
            for fact in facts(scope) {
                let hash = onenet_wire::key_hash(&fact.body.key());
                writes.put(keys::item(keys::OLD_FACT, &group(scope), hash), onenet_wire::codec::encode_fact(&fact));
            }
        }
        let fact = &facts("waiting")[7];
        writes.put(keys::item(keys::OLD_DIRTY, &group("waiting"), onenet_wire::key_hash(&fact.body.key())), &[]);
        // It was gone before it could be said.
        let key = host(900, "", hands.time()).body.key();
        let gone = onenet_wire::codec::encode_gone(&key, hands.time());
        writes.put(keys::item(keys::OLD_DIRTY, &group("gone"), onenet_wire::key_hash(&key)), gone);
        // An attempt that was killed left a page.
        writes.put(keys::item(keys::PAGE, &group("left over"), 0), &[9]);
    });
    let spool = open(&folder, &hands.0);
    assert_eq!((spool.status().facts, spool.status().damaged_records), (600, 0));
    assert_eq!(counters(&spool, &hands.0), [1]);
    let sent = drain_state(&spool, &hands.0);
    let groups: Vec<_> = sent.iter().map(|part| (part.group.scope.as_str(), part.changes.len())).collect();
    assert_eq!(groups, [("gone", 0), ("waiting", 300)]);
    assert!(sent.iter().all(|part| part.complete == Some(onenet_wire::KeyRange::ALL)));
    spool.replace_group(&group("settled"), facts("settled"), &hands.0).unwrap();
    assert_eq!(take_state(&spool, &hands.0), None, "it is known");
    drop(spool);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.first_key(keys::OLD_FACT).unwrap(), None);
    assert_eq!(store.first_key(keys::OLD_DIRTY).unwrap(), None);
}

/// The process that is killed. It records numbers, says each once it is on disk, and never ends by itself.
fn record_until_killed(folder: &Path) -> ! {
    let clock = Clock::start([7; 16]);
    let spool = Spool::open(folder, SpoolConfig::default(), &clock.now()).unwrap();
    let mut number = counters(&spool, &clock.now()).last().map_or(1, |last| last + 1);
    loop {
        let now = clock.now();
        let time = clock.timestamp();
        spool.record([sample(number, time)], &now).unwrap();
        let fact = binding(u32::try_from(number % 64).unwrap(), u8::try_from(number % 251).unwrap(), time);
        spool.replace_group(&group("lan"), vec![fact], &now).unwrap();
        spool.flush(&now).unwrap();
        if number.is_multiple_of(5) && spool.cut_state(&now).unwrap() {
            spool.acknowledge(spool.view().state, &now).unwrap();
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "durable {number}").unwrap();
        out.flush().unwrap();
        number += 1;
    }
}

#[test]
fn what_was_on_disk_when_the_process_was_killed_is_there_once_and_in_order() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        record_until_killed(Path::new(&folder));
    }
    let folder = TempDir::new().unwrap();
    let mut last = 0;
    for round in 0..6_u64 {
        last = kill_after(&folder, last, 3 + round * 7);
        let now = Clock::start([7; 16]).now();
        let spool = Spool::open(folder.path(), SpoolConfig::default(), &now).unwrap();
        let kept = counters(&spool, &now);
        assert!(kept.len() as u64 >= last, "{last} were on disk, {} are there", kept.len());
        // The victim may have got one further than it could say.
        assert!(kept.len() as u64 <= last + 1, "{last} were on disk, {} are there", kept.len());
        assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>());
        assert_eq!(spool.status().damaged_records, 0);
        assert_eq!(spool.status().facts, 1, "the group had one fact at any time");
        drain_state(&spool, &now);
        let digest = spool.digest().unwrap();
        assert_eq!(digest.groups.iter().map(|group| group.count).sum::<u64>(), 1);
        last = kept.len() as u64;
    }
}

/// Runs the victim until it has said `lines` numbers, kills it, and returns the last number that it said.
fn kill_after(folder: &TempDir, before: u64, lines: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", KILLED, "--nocapture"])
        .env(VICTIM, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let numbers = said.map_while(Result::ok).filter_map(|line| line.strip_prefix("durable ")?.parse::<u64>().ok());
    let mut last = before;
    for (count, number) in numbers.enumerate() {
        last = number;
        if count as u64 == lines {
            // SIGKILL: no destructor runs. What it said before is still in the pipe.
            child.kill().unwrap();
        }
    }
    assert!(last > before, "the victim said nothing");
    child.wait().unwrap();
    last
}

#[test]
#[ignore = "needs root: mounts a small tmpfs"]
fn a_full_disk_is_said_once_with_the_remedy_and_the_spool_goes_on_when_there_is_space() {
    let mount = Mount::new("12m");
    let mut hands = Hands::new();
    let folder = mount.0.path().join("spool");
    let spool = Spool::open(&folder, SpoolConfig::default(), &hands.0).unwrap();
    spool.observe(&[present("lan", host(1, "before", hands.time()))], &hands.0).unwrap();
    spool.record([sample(0, hands.time())], &hands.0).unwrap();
    spool.seal(&hands.pass(2_000)).unwrap();

    let ballast = mount.0.path().join("ballast");
    let free = rustix::fs::statvfs(mount.0.path()).unwrap();
    std::fs::write(&ballast, vec![0; usize::try_from(free.f_bavail * free.f_frsize - (3 << 20)).unwrap()]).unwrap();
    let error = spool.observe(&[present("lan", host(2, "during", hands.time()))], &hands.0).unwrap_err();
    assert!(matches!(error, SpoolError::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().contains("delete something there"), "{error}");
    assert!(spool.status().disk_full);
    // History waits in memory; the condition still fits.
    for number in 1..=50 {
        spool.record([sample(number, hands.time())], &hands.0).unwrap();
        assert!(spool.seal(&hands.pass(2_000)).is_err());
    }
    let said = format!("{:?}", drain_state(&spool, &hands.0));
    assert!(said.contains("DiskFull") && !said.contains("during"), "{said}");

    std::fs::remove_file(&ballast).unwrap();
    spool.seal(&hands.pass(2_000)).unwrap();
    spool.observe(&[present("lan", host(2, "after", hands.time()))], &hands.0).unwrap();
    assert!(!spool.status().disk_full);
    assert_eq!(counters(&spool, &hands.0), (0..=50).collect::<Vec<_>>());
    let said = drain_state(&spool, &hands.0);
    assert!(format!("{said:?}").contains("after"), "{said:?}");
    assert!(changes(&said).iter().any(|change| matches!(change, FactChange::Gone { .. })), "the condition is over");
}

#[test]
#[ignore = "needs root: mounts a small tmpfs"]
fn a_spool_never_fills_a_small_disk_by_itself_but_drops_the_oldest_and_says_so() {
    let mount = Mount::new("24m");
    let mut hands = Hands::new();
    let folder = mount.0.path().join("spool");
    let config = SpoolConfig { byte_cap: 1 << 30, ..SpoolConfig::default() };
    let spool = Spool::open(&folder, config, &hands.0).unwrap();
    let mut number = 0;
    // Twice what the disk holds.
    for round in 0..2_000 {
        let items: Vec<_> = (0..700)
            .map(|_| {
                number += 1;
                sample(number | 1 << 60, hands.time())
            })
            .collect();
        mount.told(&format!("recording in round {round}"), spool.record(items.clone(), &hands.0));
        mount.told(&format!("sealing in round {round}"), spool.seal(&hands.pass(2_000)));
    }
    let status = spool.status();
    assert!(status.lost_items > 0 && !status.disk_full, "{status:?}, {}", mount.usage());
    assert_eq!(counters(&spool, &hands.0).last(), Some(&(number | 1 << 60)));
    mount.told("acknowledging", spool.acknowledge(spool.view().history, &hands.0));
    drop(spool);
    let spool = mount.told("opening again", Spool::open(&folder, config, &hands.0));
    mount.told("recording after opening again", spool.record([sample(1, hands.time())], &hands.0));
    mount.told("flushing after opening again", spool.flush(&hands.0));
}

#[test]
#[ignore = "needs root: mounts a small tmpfs"]
fn on_a_disk_that_others_fill_the_oldest_history_makes_room_for_the_newest() {
    let mount = Mount::new("24m");
    let mut hands = Hands::new();
    let folder = mount.0.path().join("spool");
    let spool = Spool::open(&folder, SpoolConfig::default(), &hands.0).unwrap();
    let mut number = 0;
    let mut round = |spool: &Spool| {
        let items: Vec<_> = (0..700)
            .map(|_| {
                number += 1;
                sample(number | 1 << 60, hands.time())
            })
            .collect();
        mount.told("recording", spool.record(items.clone(), &hands.0));
        mount.told("sealing", spool.seal(&hands.pass(2_000)));
        number | 1 << 60
    };
    for _ in 0..300 {
        round(&spool);
    }
    assert_eq!(spool.status().lost_items, 0);
    // Less than observations need is left, and more than the spool's book-keeping does.
    let free = mount.free();
    std::fs::write(mount.0.path().join("ballast"), vec![0; usize::try_from(free - (3 << 20)).unwrap()]).unwrap();
    let last = (0..20).map(|_| round(&spool)).last().unwrap();
    let status = spool.status();
    assert!(status.lost_items > 0 && !status.disk_full, "{status:?}, {}", mount.usage());
    assert_eq!(counters(&spool, &hands.0).last(), Some(&last));
    // Neither does a disk like that keep the agent from starting.
    drop(spool);
    let spool = mount.told("opening again", Spool::open(&folder, SpoolConfig::default(), &hands.0));
    assert_eq!(counters(&spool, &hands.0).last(), Some(&last));
}

#[test]
fn a_spool_is_closed_only_when_nobody_in_this_process_has_its_file_any_more() {
    let (folder, hands) = (TempDir::new().unwrap(), Hands::new());
    let spool = open(&folder, &hands.0);
    // As a thread of sled's that still synchronises it.
    let still_open = std::fs::File::open(folder.path().join("sled/db")).unwrap();
    let (closed, is_closed) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        drop(spool);
        closed.send(()).unwrap();
    });
    assert!(is_closed.recv_timeout(std::time::Duration::from_millis(300)).is_err(), "it did not wait");
    drop(still_open);
    is_closed.recv_timeout(std::time::Duration::from_secs(60)).expect("it waits for ever");
    open(&folder, &hands.0);
}

/// A small tmpfs, unmounted when dropped.
struct Mount(TempDir);

impl Mount {
    fn new(size: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let size = format!("size={size}");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).status();
        assert!(status.unwrap().success(), "run as root");
        Self(folder)
    }

    /// Returns what succeeded, or panics with what was done, why it failed, and how full the disk is.
    fn told<T>(&self, doing: &str, result: Result<T, SpoolError>) -> T {
        result.unwrap_or_else(|error| panic!("{doing}: {error}: {error:?}, {}", self.usage()))
    }

    fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(self.0.path()).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    /// Says how full the disk is, and of what.
    fn usage(&self) -> String {
        let listing = Command::new("ls").arg("-lRs").arg(self.0.path()).output().unwrap();
        format!("{} bytes free:\n{}", self.free(), String::from_utf8_lossy(&listing.stdout))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
