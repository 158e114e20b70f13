//! Replicas over a log in memory that repeats, loses and delays as the real one may.

mod memory;

use std::sync::Arc;
use std::time::Duration;

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    division::Tier,
    site::{SiteKind, SiteName},
};
use onenet_wire::{Done, InstructionBody};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::memory::Memory;
use super::{
    Elsewhere, Here, Own, Parts, Told,
    entry::{Content, Entry, EntryError, Seal},
    join, start,
};
use crate::{
    access::audit::Author,
    clock::{Clock, monotonic},
    collector::InstructError,
    estate::{Change, Estate},
    ingest::{self, Intake, Outcome, Owner, Policy, Published},
    outbox::MessageId,
    record::{Body, Command, NewSite},
    store::{Ended, Store},
};

const KEY: &[u8] = b"the authority's key";
const WITHIN: Duration = Duration::from_secs(20);

/// A replica in this process.
struct Replica {
    intake: Intake,
    told: Arc<Told>,
    elsewhere: Elsewhere,
    published: Published,
    owner: Owner,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    directory: tempfile::TempDir,
}

/// Agents that are connected to nobody.
fn nobody() -> Here {
    Arc::new(|_, _, _| None)
}

fn own(here: Here) -> Own {
    Own { after: Arc::new(|_| {}), here }
}

impl Replica {
    async fn start(log: &Memory, name: &str, directory: tempfile::TempDir) -> Self {
        Self::start_with(log, name, directory, nobody()).await
    }

    async fn start_with(log: &Memory, name: &str, directory: tempfile::TempDir, here: Here) -> Self {
        let store = Store::open(directory.path()).unwrap();
        let estate = store.load().unwrap();
        let clock = Clock::system();
        let (stream, authority_key, policy) = ("log", KEY, &Policy::default());
        let parts = Parts { name, stream, authority_key, estate: &estate, policy, clock: clock.clone() };
        let joined = join(log.clone(), parts).await.unwrap();
        let (owner, intake, published) =
            ingest::start(store, estate, Policy::default(), clock, Duration::ZERO).unwrap();
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let feed = intake.feed().unwrap();
        let super::Started { intake, told, elsewhere } = start(joined, feed, own(here), (&tasks, &shutdown));
        told.caught_up().await.unwrap();
        Self { intake, told, elsewhere, published, owner, tasks, shutdown, directory }
    }

    async fn new(log: &Memory, name: &str) -> Self {
        Self::start(log, name, tempfile::tempdir().unwrap()).await
    }

    /// Ends it as a kill would, but for what is in the owner's queue.
    async fn end(self) -> tempfile::TempDir {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let owner = self.owner;
        tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
        self.directory
    }

    async fn add(&self, code: u64) -> SiteId {
        let command = Arc::new(Command::AddSite(site(code)));
        match self.intake.submit(Body::Command { by: "somebody".into(), command }).await.unwrap() {
            Outcome::SiteAdded(id) => id,
            other => panic!("{other:?}"),
        }
    }

    async fn reaches(&self, position: u64) -> Arc<Estate> {
        let mut seen = self.published.position.clone();
        let reached = tokio::time::timeout(WITHIN, seen.wait_for(|at| *at >= position)).await;
        reached.expect("the replica gets there").unwrap();
        self.published.estate.load_full()
    }
}

fn site(code: u64) -> NewSite {
    NewSite {
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: format!("{code:012}"),
        name: SiteName { zh: format!("局{code}"), latin: format!("Ju {code}") },
        parents: Vec::new(),
        from: Timestamp::EPOCH,
    }
}

fn entry(content: Content) -> Entry {
    Entry { writer: "a".into(), incarnation: 5, number: 9, rules: 7, content }
}

#[test]
fn an_entry_that_somebody_changed_or_that_another_centre_wrote_does_not_count() {
    let seal = Seal::new(KEY, "log");
    let it = entry(Content::Record(Body::Tick));
    let bytes = seal.write(&it).unwrap();
    assert_eq!(seal.read(&bytes), Ok(it));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(seal.read(&changed), Err(EntryError::Seal), "byte {at}");
    }
    assert_eq!(seal.read(&bytes[..10]), Err(EntryError::Seal));
    assert_eq!(Seal::new(KEY, "another").read(&bytes), Err(EntryError::Seal));
    assert_eq!(Seal::new(b"another key", "log").read(&bytes), Err(EntryError::Seal));
}

#[test]
fn commands_that_the_store_has_only_as_changes_come_back_whole() {
    let seal = Seal::new(KEY, "log");
    let passed = Body::Passed {
        channel: "duty".into(),
        message: MessageId { position: 3, ordinal: 1 },
        ended: Ended { time: Timestamp::EPOCH, refused: Some("no".into()) },
    };
    let add = Body::Command { by: Author::from("somebody"), command: Arc::new(Command::AddSite(site(7))) };
    for body in [passed, add, Body::Resumed, Body::Started, Body::Relayed { through: 8 }] {
        let it = entry(Content::Record(body));
        assert_eq!(seal.read(&seal.write(&it).unwrap()), Ok(it));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_agree_on_everything_whoever_was_commanded_and_whatever_the_log_repeats() {
    let log = Memory::default();
    log.be_unreliable();
    let (one, two) = (Replica::new(&log, "one").await, Replica::new(&log, "two").await);
    let mut ids = Vec::new();
    for code in 0..30 {
        ids.push(if code % 2 == 0 { one.add(code).await } else { two.add(code).await });
    }
    assert!(log.faults() > 5, "the log was unreliable: {}", log.faults());
    let position = one.published.estate.load().position.max(two.published.estate.load().position);
    let (of_one, of_two) = (one.reaches(position).await, two.reaches(position).await);
    assert_eq!(of_one.tree, of_two.tree);
    assert!(ids.iter().all(|id| of_two.tree.get(*id).is_some()), "ids are those that were answered");
    assert_eq!(of_one.tree.len(), 30, "nothing was done twice");
    one.intake.submit(Body::Relayed { through: 8 }).await.unwrap();
    let position = one.published.estate.load().position;
    assert_eq!(two.reaches(position).await.log.as_ref().unwrap().relayed, 8);
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_away_goes_on_behind_what_it_has_and_a_new_one_from_the_beginning() {
    let log = Memory::default();
    let (one, two) = (Replica::new(&log, "one").await, Replica::new(&log, "two").await);
    one.add(1).await;
    let away = two.end().await;
    let last = one.add(2).await;
    let two = Replica::start(&log, "two", away).await;
    let three = Replica::new(&log, "three").await;
    for replica in [&two, &three] {
        assert!(replica.reaches(one.published.estate.load().position).await.tree.get(last).is_some());
    }
    assert!(two.add(3).await != last, "who was away writes again");
    for replica in [one, two, three] {
        replica.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_has_the_lease_and_another_gets_it_when_that_one_is_gone() {
    let log = Memory::default();
    let one = Replica::new(&log, "one").await;
    let has = async |replica: &Replica, held: bool| {
        let deadline = monotonic() + WITHIN;
        while replica.told.has_lease() != held {
            assert!(monotonic() < deadline, "lease: {held}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    has(&one, true).await;
    let two = Replica::new(&log, "two").await;
    assert!(!two.told.has_lease());
    one.end().await;
    has(&two, true).await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_comes_to_is_said_by_one_and_kept_by_all() {
    let log = Memory::default();
    let (one, two) = (Replica::new(&log, "one").await, Replica::new(&log, "two").await);
    one.add(1).await;
    let seal = Seal::new(KEY, "log");
    let said: Vec<u64> = log
        .entries()
        .iter()
        .filter_map(|bytes| seal.read(bytes).ok())
        .filter_map(|it| match it.content {
            Content::Concluded(it) => Some(it.of),
            _ => None,
        })
        .collect();
    let mut once = said.clone();
    once.dedup();
    assert_eq!(said, once, "nobody but the one who ticked says it");
    let position = one.published.estate.load().position;
    let kept = |estate: &Estate| estate.changes().filter(|it| !matches!(it, Change::Position { .. })).count();
    assert_eq!(kept(&*one.reaches(position).await), kept(&*two.reaches(position).await));
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_asked_by_the_replica_that_it_is_connected_to_whoever_was_asked() {
    let log = Memory::default();
    let there: Here = Arc::new(|agent, body, _| {
        let done = Done { body: format!("{body:?}").into_bytes(), configuration_revision: 5, flows: None };
        let failed = InstructError::Failed { agent, reason: "no".into() };
        match agent.raw() {
            7 => Some(Box::pin(async move { Ok(done) })),
            8 => Some(Box::pin(async move { Err(failed) })),
            _ => None,
        }
    });
    let one = Replica::new(&log, "one").await;
    let two = Replica::start_with(&log, "two", tempfile::tempdir().unwrap(), there).await;
    let ask = |agent| (one.elsewhere)(AgentId::from_raw(agent), InstructionBody::Resync(Vec::new()), WITHIN);
    let done = ask(7).await.unwrap();
    assert_eq!((done.body, done.configuration_revision), (b"Resync([])".to_vec(), 5));
    assert_eq!(ask(8).await, Err(InstructError::Failed { agent: AgentId::from_raw(8), reason: "no".into() }));
    assert_eq!(ask(9).await, Err(InstructError::NotConnected(AgentId::from_raw(9))));
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn a_data_directory_that_is_no_copy_of_the_one_that_began_the_log_is_turned_away() {
    let log = Memory::default();
    Replica::new(&log, "one").await.end().await;
    let estate = Estate { position: 77, ..Estate::default() };
    let clock = Clock::system();
    let policy = Policy::default();
    let of = |key: &'static [u8], estate| Parts {
        name: "two",
        stream: "log",
        authority_key: key,
        estate,
        policy: &policy,
        clock: clock.clone(),
    };
    let said = join(log.clone(), of(KEY, &estate)).await.err().unwrap().to_string();
    assert!(said.contains("restore a backup"), "{said}");
    let said = join(log, of(b"another", &Estate::default())).await.err().unwrap().to_string();
    assert!(said.contains("pki"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_took_in_what_the_log_lost_does_not_go_on() {
    let log = Memory::default();
    let one = Replica::new(&log, "one").await;
    one.add(1).await;
    let directory = one.end().await;
    let (store, clock) = (Store::open(directory.path()).unwrap(), Clock::system());
    let estate = store.load().unwrap();
    log.lose_from(estate.position);
    let two = Replica::new(&log, "two").await;
    two.add(2).await;
    two.end().await;
    let (name, stream, authority_key, policy) = ("one", "log", KEY, &Policy::default());
    let parts = Parts { name, stream, authority_key, estate: &estate, policy, clock: clock.clone() };
    let joined = join(log.clone(), parts).await.unwrap();
    let (owner, intake, _published) = ingest::start(store, estate, Policy::default(), clock, Duration::ZERO).unwrap();
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let started = start(joined, intake.feed().unwrap(), own(nobody()), (&tasks, &shutdown));
    let why = started.told.failed().await;
    assert!(why.contains("others took their place"), "{why}");
    shutdown.cancel();
    tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
}
