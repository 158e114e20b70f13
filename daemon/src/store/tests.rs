//! The store, from the outside: what is committed comes back, whole and once.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    AgentId, Id, MacAddr, SiteId, Timestamp,
    coverage::{Coverage, Day, DayFigures, Terminals, Trend, Units},
    fact::{self, Fact, FactBody, Group, HistoryBody, HistoryItem, Method, Scope},
    picture::{Alteration, Thing},
};

use super::*;
use crate::{
    access::audit,
    case_files::Files,
    estate::{Agent, Estate, Held, SampleBlock},
};

mod facts;
mod queue;
mod samples;

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
const HOUR_MS: i64 = 3_600_000;

fn site() -> SiteId {
    SiteId::from_raw(7)
}

fn block(position: u64, sequence: u64, times: &[i64]) -> Change {
    let item = |ms: &i64| HistoryItem {
        time: NOW.plus_ms(*ms),
        scope: Scope::new("core"),
        body: HistoryBody::Interface(fact::InterfaceSample {
            name: "ge0".into(),
            in_octets: Some(ms.unsigned_abs()),
            ..fact::InterfaceSample::default()
        }),
    };
    Change::Samples(SampleBlock {
        position,
        site: site(),
        agent: AgentId::from_raw(3),
        sequence,
        items: times.iter().map(item).collect(),
        shift_ms: -5,
        uncertain: true,
    })
}

fn all() -> SampleQuery {
    SampleQuery {
        agent: None,
        site: site(),
        scope: Scope::new("core"),
        kind: SampleKind::Interface,
        item: None,
        from: Timestamp::from_unix_ms(i64::MIN),
        until: Timestamp::from_unix_ms(i64::MAX),
        limit: 1_000,
    }
}

#[test]
fn what_was_sampled_last_is_found_across_hours_whatever_came_in_which_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&[block(1, 1, &[-60_000, 0]), block(2, 2, &[-HOUR_MS, -30_000]), block(3, 3, &[0])]).unwrap();
    let latest = |query: &SampleQuery| {
        let found = store.latest_samples(query).unwrap();
        found.iter().map(|sample| sample.item.time.ms_since(NOW)).collect::<Vec<_>>()
    };
    let until = |ms| SampleQuery { from: NOW.plus_ms(-2 * HOUR_MS), until: NOW.plus_ms(ms), ..all() };
    assert_eq!(latest(&until(1)), [0, 0], "two batches told of one moment");
    assert_eq!(latest(&until(0)), [-30_000]);
    assert_eq!(latest(&until(-60_000)), [-HOUR_MS]);
    assert_eq!(latest(&SampleQuery { agent: Some(AgentId::from_raw(4)), ..until(1) }), [0_i64; 0]);
}

fn times(store: &Store, query: &SampleQuery) -> Vec<i64> {
    store.samples(query).unwrap().iter().map(|sample| sample.item.time.ms_since(NOW)).collect()
}

fn with_an_agent() -> Vec<Change> {
    let agent = Arc::new(Agent::new(AgentId::from_raw(3), site(), NOW));
    vec![Change::Agent(agent), Change::Position { position: 9, time: NOW }]
}

/// An agent, and facts of it in several pages.
fn with_facts() -> Vec<Change> {
    let fact = |number: u64| Change::Fact {
        site: site(),
        agent: AgentId::from_raw(3),
        group: Group { method: Method::SnmpForwarding, scope: Scope::new("core") },
        key_hash: number * 1_000,
        held: Some(Arc::new(Held {
            fact: Fact {
                observed: NOW,
                body: FactBody::Forwarding(fact::Forwarding {
                    mac: MacAddr::from_u64(number).unwrap(),
                    vlan: None,
                    interface: Some(format!("ge{number}")),
                    bridge_port: 7,
                    status: fact::ForwardingStatus::Learned,
                }),
            },
            shift_ms: -5,
            uncertain: true,
        })),
    };
    (1..=40).map(fact).chain(with_an_agent()).collect()
}

#[test]
fn samples_come_back_once_in_the_order_of_time_with_how_they_were_corrected() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&[block(1, 1, &[5 * HOUR_MS, 10, -3 * HOUR_MS])]).unwrap();
    store.commit(&[block(2, 2, &[20, -10])]).unwrap();
    store.commit(&[block(2, 2, &[20, -10])]).unwrap();
    assert_eq!(times(&store, &all()), [-3 * HOUR_MS, -10, 10, 20, 5 * HOUR_MS]);
    let first = &store.samples(&all()).unwrap()[0];
    assert_eq!((first.shift_ms, first.uncertain, first.agent), (-5, true, AgentId::from_raw(3)));
    let part = SampleQuery { from: NOW.plus_ms(-10), until: NOW.plus_ms(20), ..all() };
    assert_eq!(times(&store, &part), [-10, 10], "the end is not included");
    assert_eq!(times(&store, &SampleQuery { limit: 2, ..all() }), [-3 * HOUR_MS, -10]);
    assert_eq!(times(&store, &SampleQuery { item: Some("ge1".into()), ..all() }), [0_i64; 0]);
    assert_eq!(times(&store, &SampleQuery { scope: Scope::new("cor"), ..all() }), [0_i64; 0]);
}

#[test]
fn a_store_that_is_in_use_is_named_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let _held = Store::open(directory.path()).unwrap();
    let error = Store::open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("stop the other onenetd"), "{error}");
}

#[test]
fn a_store_of_another_schema_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.tree.insert(keys::meta("schema"), &99_u32.to_be_bytes()).unwrap();
    store.flush().unwrap();
    drop(store);
    let error = Store::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("schema 99") && error.to_string().contains("export"), "{error}");
}

#[test]
fn a_damaged_row_is_named_and_not_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&with_an_agent()).unwrap();
    store.tree.insert(keys::agent(site(), AgentId::from_raw(3)), vec![0xff; 3]).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_backup_restores_the_estate_and_the_samples_up_to_its_position_and_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    store.commit(&with_facts()).unwrap();
    store.commit(&[block(9, 1, &[1, 2])]).unwrap();
    let estate = store.load().unwrap();
    // Committed after the snapshot was taken: the agent will send it again to whoever restores.
    store.commit(&[block(10, 2, &[3])]).unwrap();
    let (file, files) = (directory.path().join("backup"), vec![("pki/authority.key".to_owned(), b"key".to_vec())]);
    let case_files = Files::open(directory.path()).unwrap();
    store.backup(&estate, &files, &case_files, &file).unwrap();

    let target = directory.path().join("restored");
    let restore = || Store::restore(&file, &target, |_, _| Ok(()));
    assert_eq!(restore().unwrap(), files);
    let restored = Store::open(&target).unwrap();
    assert_eq!(restored.load().unwrap(), estate);
    assert_eq!(
        restored.load().unwrap().site(site()).unwrap().facts.values().map(|group| group.len()).sum::<usize>(),
        40
    );
    assert_eq!(times(&restored, &all()), [1, 2]);
    drop(restored);
    assert!(matches!(restore(), Err(BackupError::NotEmpty { .. })));
}

#[test]
fn a_cut_or_changed_backup_is_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    store.commit(&with_an_agent()).unwrap();
    let file = directory.path().join("backup");
    let case_files = Files::open(directory.path()).unwrap();
    store.backup(&store.load().unwrap(), &[], &case_files, &file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let mut changed = whole.clone();
    changed[40] ^= 1;
    for bytes in [&whole[..whole.len() - 1], &whole[..20], &changed[..], b"something else altogether"] {
        std::fs::write(&file, bytes).unwrap();
        let target = directory.path().join("restored");
        let restored = Store::restore(&file, &target, |_, _| Ok(()));
        assert!(matches!(restored, Err(BackupError::NotWhole { .. })), "{} bytes", bytes.len());
        assert!(!target.exists());
    }
}

#[test]
fn an_export_imports_to_the_same_estate_and_samples() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    store.commit(&with_facts()).unwrap();
    store.commit(&[block(9, 1, &[1, 2 * HOUR_MS])]).unwrap();
    let estate = store.load().unwrap();
    let mut text = Vec::new();
    let written = store.export(&estate, &mut text).unwrap();
    let other = Store::open(&directory.path().join("other")).unwrap();
    assert_eq!(other.import(&text[..]).unwrap(), written);
    assert_eq!(other.load().unwrap(), estate);
    assert_eq!(times(&other, &all()), [1, 2 * HOUR_MS]);
    assert!(matches!(other.import(&text[..]), Err(ExportError::NotEmpty)));
    let third = Store::open(&directory.path().join("third")).unwrap();
    let cut = text.len() - 12;
    assert!(matches!(third.import(&text[..cut]), Err(ExportError::CutShort | ExportError::Line { .. })));
}

#[test]
fn the_audit_trail_reads_back_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let entry = |ms: i64| {
        let usage = audit::Usage {
            principal: "zhang".into(),
            token: None,
            source: "192.0.2.1".into(),
            action: crate::access::Action::ReadSites,
            site: None,
            subject: format!("{ms}"),
            outcome: audit::Outcome::Done,
            reason: None,
        };
        audit::Entry::once(NOW.plus_ms(ms), usage)
    };
    store.commit(&[Change::Audited { position: 1, entries: vec![entry(1), entry(1), entry(2)] }]).unwrap();
    store.commit(&[Change::Audited { position: 2, entries: vec![entry(1), entry(3)] }]).unwrap();
    let mut query = AuditQuery { from: NOW, until: NOW.plus_ms(3), after: None, limit: 2 };
    let first = store.audit_entries(&query).unwrap();
    query.after = first.last().map(|(key, _)| *key);
    let second = store.audit_entries(&query).unwrap();
    query.after = second.last().map(|(key, _)| *key);
    assert_eq!(store.audit_entries(&query).unwrap(), []);
    let subjects: Vec<_> = first.iter().chain(&second).map(|(_, entry)| entry.usage.subject.as_str()).collect();
    assert_eq!(subjects, ["1", "1", "1", "2"]);
}

#[test]
fn what_the_operating_system_refuses_is_told_in_its_words() {
    let full = std::io::Error::from_raw_os_error(28);
    let as_sled_clones_it = std::io::Error::new(full.kind(), format!("{full:?}"));
    assert_eq!(plain(sled::Error::Io(as_sled_clones_it)).to_string(), full.to_string());
    let other = std::io::Error::other("something else");
    assert_eq!(plain(sled::Error::Io(other)).to_string(), "something else");
}

#[test]
fn how_coverage_went_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let mut trend = Trend::default();
    for day in 0..100 {
        let terminals =
            Terminals { registered: 9, seen: 7, silent: 1, never_seen: 1, strayed: 2, ..Terminals::default() };
        let terminals = Terminals { unregistered: 3, unregistered_unclassified: 4, ..terminals };
        let units = Units { planned: 1, attached: 1, reachable: 1 };
        trend.add(DayFigures { day: Day(20_000 + day), coverage: Coverage { units, terminals } });
    }
    let change = Change::Covered { site: site(), trend: Arc::new(trend) };
    let mut expected = Estate::default();
    expected.apply(&change);
    let store = Store::open(directory.path()).unwrap();
    store.commit(&[change]).unwrap();
    assert_eq!(store.load().unwrap(), expected);
}

#[test]
fn what_is_kept_beside_the_estate_is_passed_over_and_hides_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mut trend = Trend::default();
    trend.add(DayFigures { day: Day(20_000), coverage: Coverage::default() });
    let alteration = Alteration { time: NOW, thing: Thing::Device(Id::from_raw(1)), before: None, after: None };
    let mut expected = Estate::default();
    let mut changes = with_an_agent();
    // Keys of coverage come behind those of alterations and samples, and those of the next site behind them.
    for number in 6..9 {
        let (site, trend) = (SiteId::from_raw(number), Arc::new(trend.clone()));
        changes.push(Change::Covered { site, trend });
        let alterations = vec![alteration.clone(); 3];
        changes.push(Change::Altered { position: number, ordinal: 0, site, alterations });
    }
    for change in changes.iter().filter(|it| !matches!(it, Change::Altered { .. })) {
        expected.apply(change);
    }
    changes.extend([block(1, 1, &[5 * HOUR_MS, 10]), block(2, 2, &[20])]);
    store.commit(&changes).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.coverage, expected.coverage);
    assert_eq!(loaded, expected);
    let kinds: std::collections::BTreeSet<u8> =
        store.rows_of_the_estate(keys::site_range(0..u64::MAX)).map(|row| row.unwrap().0[8]).collect();
    assert_eq!(kinds, [b'a', b'm', b'v'].into());
}

#[test]
fn a_batch_holds_whole_records_and_ends_once_it_is_large() {
    let record = |changes: usize| {
        let filling = std::iter::repeat_n(Change::Started(Timestamp::EPOCH), changes - 1);
        filling.chain([Change::Position { position: 1, time: Timestamp::EPOCH }])
    };
    let small = BATCH_CHANGES / 2 - 1;
    let group: Vec<Change> = [small, small, 7, 4 * BATCH_CHANGES, 3].into_iter().flat_map(record).collect();
    let (mut rest, mut batches) = (group.as_slice(), Vec::new());
    while !rest.is_empty() {
        let len = batch_len(rest);
        batches.push(len);
        rest = &rest[len..];
    }
    assert_eq!(batches, [2 * small + 7, 4 * BATCH_CHANGES, 3]);
}

#[test]
fn a_damaged_store_is_called_damaged_and_not_a_full_disk() {
    let error = open_error(Path::new("/data/store"), sled::Error::Corruption { at: None, bt: () });
    let said = error.to_string();
    assert!(said.contains("damaged") && said.contains("onenetd restore") && !said.contains("room"), "{said}");
}

#[test]
fn a_hole_in_the_log_is_a_damaged_store_and_no_panic() {
    const SEGMENT_BYTES: usize = 512 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).unwrap();
    for key in 0..40_000_u32 {
        store.tree.insert([&[0xff], key.to_be_bytes().as_slice()].concat(), vec![7; 200]).unwrap();
    }
    drop(store);
    // As a copy that was made while the centre wrote: what one segment says is missing, and no snapshot stands for it.
    for entry in std::fs::read_dir(&path).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("snap") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let log = std::fs::File::options().write(true).open(path.join("db")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&log, &vec![0; SEGMENT_BYTES], 3 * SEGMENT_BYTES as u64).unwrap();
    let error = Store::open(&path).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
