//! The owner: order of commit, publication and answer; what happens when the store fails; stopping.

use std::{sync::atomic::Ordering, time::Duration};

use super::*;
use crate::{
    clock::Clock,
    ingest::{Intake, IntakeError, Owner, Published, start},
    store::Store,
};

fn site(code: &str) -> Body {
    let site = NewSite {
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: code.into(),
        name: SiteName::new(code, code),
        parents: Vec::new(),
        from: Timestamp::EPOCH,
    };
    Body::Command { by: "test".into(), command: Arc::new(Command::AddSite(site)) }
}

#[tokio::test]
async fn what_was_answered_is_published_and_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (owner, intake, published) =
        start(store, Estate::default(), Policy::default(), Clock::from_fn(|| NOW), Duration::ZERO).unwrap();
    let answers = futures_util::future::join_all((0..50).map(|n| intake.submit(site(&format!("{n:06}")))));
    let added: Vec<_> = answers.await.into_iter().map(Result::unwrap).collect();
    let estate = published.estate.load_full();
    assert_eq!(estate.tree.len(), 50);
    assert!(added.iter().all(|it| matches!(it, Outcome::SiteAdded(id) if estate.tree.get(*id).is_some())));
    drop((intake, published));
    tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
    let again = Store::open(directory.path()).unwrap().load().unwrap();
    assert_eq!(again, *estate);
}

#[tokio::test]
async fn a_refused_record_changes_nothing_and_the_next_one_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (owner, intake, published) =
        start(store, Estate::default(), Policy::default(), Clock::from_fn(|| NOW), Duration::ZERO).unwrap();
    intake.submit(site("000000")).await.unwrap();
    let before = published.estate.load_full();
    assert!(matches!(intake.submit(site("000000")).await, Err(IntakeError::Refused(Refusal::Sites(_)))));
    assert_eq!(*published.estate.load_full(), *before);
    intake.submit(site("000001")).await.unwrap();
    drop(intake);
    tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
}

#[tokio::test]
async fn after_a_stop_nothing_is_taken_in_and_the_sender_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (owner, intake, _published) =
        start(store, Estate::default(), Policy::default(), Clock::from_fn(|| NOW), Duration::ZERO).unwrap();
    tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
    assert!(matches!(intake.submit(site("000000")).await, Err(IntakeError::Stopped)));
}

#[tokio::test]
async fn the_logs_time_never_goes_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let times = std::sync::atomic::AtomicI64::new(NOW.unix_ms());
    let backwards = Clock::from_fn(move || Timestamp::from_unix_ms(times.fetch_sub(1_000, Ordering::Relaxed)));
    let (owner, intake, published) =
        start(store, Estate::default(), Policy::default(), backwards, Duration::ZERO).unwrap();
    intake.submit(site("000000")).await.unwrap();
    let first = published.estate.load().time;
    intake.submit(site("000001")).await.unwrap();
    assert!(published.estate.load().time >= first);
    drop(intake);
    tokio::task::spawn_blocking(move || owner.stop()).await.unwrap();
}

/// An owner whose store knows a site with an agent, and who waits for so long.
struct Owned {
    _directory: tempfile::TempDir,
    owner: Owner,
    intake: Intake,
    published: Published,
    site: SiteId,
    agent: AgentId,
}

impl Owned {
    fn start(patience: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let (world, site, agent) = World::with_agent(1_000_000);
        store.commit(&world.changes).unwrap();
        let (owner, intake, published) =
            start(store, world.estate, Policy::default(), Clock::from_fn(|| NOW), patience).unwrap();
        Self { _directory: directory, owner, intake, published, site, agent }
    }

    /// What the agent measured: the history lane's next batch.
    fn measured(&self, sequence: u64) -> Body {
        let batch = batch(Lane::History, sequence, 1_000_000, Content::History(vec![sample(1_000_000, sequence)]));
        Body::Report(Report { agent: self.agent, site: self.site, batch: Arc::new(batch) })
    }

    /// Ends the owner; returns how many flushes it took.
    async fn flushes(self) -> u64 {
        let groups = self.published.counters.groups.load(Ordering::Relaxed);
        tokio::task::spawn_blocking(move || self.owner.stop()).await.unwrap();
        groups
    }
}

#[tokio::test]
async fn samples_wait_for_what_shares_their_flush_until_something_comes_that_cannot_wait() {
    let owned = Owned::start(Duration::from_secs(3_600));
    let mut waiting = Vec::new();
    for sequence in 1..=3 {
        waiting.push(owned.intake.enqueue(owned.measured(sequence)).await.unwrap());
    }
    owned.intake.submit(site("000001")).await.unwrap();
    for pending in waiting {
        pending.answer().await.unwrap();
    }
    assert_eq!(owned.flushes().await, 1);
}

#[tokio::test]
async fn samples_that_nothing_follows_are_committed_when_patience_ends() {
    let owned = Owned::start(Duration::from_millis(20));
    for sequence in 1..=3 {
        owned.intake.submit(owned.measured(sequence)).await.unwrap();
    }
    assert_eq!(owned.flushes().await, 3);
}
