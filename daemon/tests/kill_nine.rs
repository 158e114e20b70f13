//! A centre that is killed -9 while it takes in reports: everything acknowledged is there, nothing twice.
//!
//! The test starts itself as a child process, which reports to a centre of its own as fast as it can and prints what was
//! acknowledged; it kills the child at some moment, opens what is left, and lets the next child go on from there.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{collections::VecDeque, env, path::Path, sync::Arc, time::Duration};

use onenet_topology::{
    AgentId, MacAddr, SiteId, Timestamp,
    division::Tier,
    fact::{Binding, Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, InterfaceSample, Method, Scope},
    site::{SiteKind, SiteName},
};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, Lane, Position};
use onenetd::{
    centre::{Centre, Options},
    estate::Estate,
    ingest::Outcome,
    record::{Body, Command, EnrolmentToken, Greeting, NewSite, Report, TokenHash},
    store::{SampleKind, SampleQuery},
};

const CHILD: &str = "ONENET_TEST_KILL_NINE_DATA";
const ROUNDS: u32 = 12;
const IN_FLIGHT: usize = 12;
/// The centre's clock at all times: the boot clock of the agent stood at 10,000 s then.
const NOW_MS: i64 = 1_800_000_000_000;

#[test]
fn everything_acknowledged_survives_kill_nine_and_nothing_is_there_twice() {
    if let Ok(data) = env::var(CHILD) {
        runtime().block_on(report_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = [0; 2];
    for round in 0..ROUNDS {
        // Some children die while they open the store, some in the middle of the flood.
        let after = [1, 37, 900, 3, 300, 11][round as usize % 6];
        acknowledged = kill_after(data.path(), after, acknowledged);
        let found = runtime().block_on(found_in(data.path()));
        for (lane, (found, acknowledged)) in found.iter().zip(acknowledged).enumerate() {
            assert!(
                *found >= acknowledged,
                "round {round}, lane {lane}: {found} of {acknowledged} acknowledged are there"
            );
        }
    }
    assert!(acknowledged[0] > 100 && acknowledged[1] > 100, "{acknowledged:?}: too little happened to prove anything");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs a child until it has acknowledged `count` more batches, and kills it. Returns the last of each lane.
fn kill_after(data: &Path, count: usize, mut acknowledged: [u64; 2]) -> [u64; 2] {
    let test = "everything_acknowledged_survives_kill_nine_and_nothing_is_there_twice";
    kill::after(test, (CHILD, data), (count, Duration::ZERO), |said| {
        if let Some((lane, sequence)) = said.split_once(' ') {
            acknowledged[lane.parse::<usize>().unwrap()] = sequence.parse().unwrap();
        }
    });
    acknowledged
}

async fn open(data: &Path) -> Centre {
    let clock = onenetd::clock::Clock::from_fn(|| Timestamp::from_unix_ms(NOW_MS));
    Centre::open(data, Options { clock, ..Options::default() }).await.unwrap()
}

/// The child: enrols on the first start, and then reports from where the centre is.
async fn report_for_ever(data: &Path) {
    let centre = open(data).await;
    let (agent, site) = agent_of(&centre).await;
    let committed = centre.estate().agent(agent).unwrap().committed();
    let at = |lane| committed.iter().find(|it| it.lane == lane).map_or(0, |it| it.sequence);
    let (mut state, mut history) = (at(Lane::State), at(Lane::History));
    let intake = centre.intake();
    let mut pending = VecDeque::new();
    loop {
        state += 1;
        history += 1;
        for batch in [state_batch(state), history_batch(history)] {
            let position = batch.position;
            let report = Report { agent, site, batch: Arc::new(batch) };
            pending.push_back((position, intake.enqueue(Body::Report(report)).await.unwrap()));
        }
        while pending.len() > IN_FLIGHT {
            let (position, answer) = pending.pop_front().unwrap();
            assert_eq!(answer.answer().await.unwrap(), Outcome::Committed(position));
            kill::acknowledge(format_args!("{} {}", position.lane as usize, position.sequence));
        }
    }
}

async fn agent_of(centre: &Centre) -> (AgentId, SiteId) {
    if let Some(agent) = centre.estate().agents.values().next() {
        return (agent.id, agent.site);
    }
    let existing = centre.estate().tree.iter().next().map(|site| site.id);
    let site = match existing {
        Some(site) => site,
        None => add_site(centre).await,
    };
    let expires = Timestamp::from_unix_ms(i64::MAX);
    let hash = TokenHash::of(b"secret");
    let token = EnrolmentToken { site, expires, spent: None };
    centre.submit(Command::IssueEnrolmentToken { hash, token }, "test").await.unwrap();
    let command = Command::EnrolAgent { token: hash, key: TokenHash::of(b"key") };
    let Outcome::Enrolled { agent, site } = centre.submit(command, "test").await.unwrap() else { panic!() };
    let greeting = Greeting {
        agent,
        version: "test".into(),
        clocks: clocks(0),
        received: Timestamp::from_unix_ms(NOW_MS),
        configuration_revision: 0,
        certificate: None,
    };
    centre.intake().submit(Body::Hello(greeting)).await.unwrap();
    (agent, site)
}

async fn add_site(centre: &Centre) -> SiteId {
    let site = NewSite {
        tier: Tier::Ministry,
        kind: SiteKind::Division,
        code: "000000".into(),
        name: SiteName::new("部", "Ministry"),
        parents: Vec::new(),
        from: Timestamp::EPOCH,
    };
    let Outcome::SiteAdded(id) = centre.submit(Command::AddSite(site), "test").await.unwrap() else { panic!() };
    id
}

/// Returns the agent's clocks `age_s` seconds before [`NOW_MS`]; the wall clock is an hour behind.
fn clocks(age_s: u64) -> Clocks {
    let wall_ms = true_ms(age_s) - 3_600_000;
    Clocks { boot_id: [1; 16], boot_ms: (10_000_000 - age_s) * 1_000, wall_ms }
}

fn true_ms(age_s: u64) -> i64 {
    NOW_MS - i64::try_from(age_s).unwrap() * 1_000
}

/// The age of a batch: the first one is the oldest.
fn age_s(sequence: u64) -> u64 {
    1_000_000 - sequence
}

fn mac(sequence: u64) -> MacAddr {
    MacAddr::from_u64(0x001b_2100_0000 + sequence).unwrap()
}

fn state_batch(sequence: u64) -> Batch {
    let clocks = clocks(age_s(sequence));
    // Every batch brings one binding and takes away the one of the batch before.
    let observed = Timestamp::from_unix_ms(clocks.wall_ms);
    let binding = |of| FactBody::Binding(Binding { mac: mac(of), ip: [10, 0, 0, 1].into() });
    let changes = vec![
        FactChange::Present(Fact { observed, body: binding(sequence) }),
        FactChange::Gone { key: binding(sequence - 1).key(), observed },
    ];
    let group = Group { method: Method::PassiveArp, scope: Scope::new("eth0") };
    let content = Content::State(vec![GroupChanges { group, changes, complete: None }]);
    Batch { position: Position { lane: Lane::State, epoch: 1, sequence }, clocks, content }
}

fn history_batch(sequence: u64) -> Batch {
    let clocks = clocks(age_s(sequence));
    let body = HistoryBody::Interface(InterfaceSample {
        name: "ge0".into(),
        in_octets: Some(sequence),
        ..InterfaceSample::default()
    });
    let item = HistoryItem { time: Timestamp::from_unix_ms(clocks.wall_ms), scope: Scope::new("core"), body };
    Batch {
        position: Position { lane: Lane::History, epoch: 1, sequence },
        clocks,
        content: Content::History(vec![item]),
    }
}

/// Opens what is left, checks that it is what the marks of the lanes say, and returns these.
async fn found_in(data: &Path) -> [u64; 2] {
    let centre = open(data).await;
    let estate = centre.estate();
    let Some(agent) = estate.agents.values().next() else {
        centre.stop().await;
        return [0; 2];
    };
    let (state, history) = (agent.state.sequence, agent.history.sequence);
    check_state(&estate, agent.site, state);
    let query = SampleQuery {
        agent: None,
        site: agent.site,
        scope: Scope::new("core"),
        kind: SampleKind::Interface,
        item: None,
        from: Timestamp::EPOCH,
        until: Timestamp::from_unix_ms(NOW_MS),
        limit: usize::MAX,
    };
    let samples = centre.samples(&query).unwrap();
    let found: Vec<_> = samples
        .iter()
        .map(|sample| match &sample.item.body {
            HistoryBody::Interface(it) => (sample.item.time.unix_ms(), it.in_octets.unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: Vec<_> = (1..=history).map(|sequence| (true_ms(age_s(sequence)), sequence)).collect();
    assert_eq!(found, expected, "each sample once, at the right time");
    centre.stop().await;
    [state, history]
}

fn check_state(estate: &Estate, site: SiteId, sequence: u64) {
    let Some(site) = estate.site(site).filter(|_| sequence > 0) else { return };
    let current: Vec<_> = site.endpoints.values().filter(|it| it.is_current()).map(|it| it.mac).collect();
    assert_eq!(current, [mac(sequence)]);
    assert_eq!(u64::try_from(site.endpoints.len()).unwrap(), sequence, "every one that was ever there is remembered");
    let seen = site.endpoint_by_mac(mac(sequence)).unwrap().first_seen();
    assert_eq!(seen, Some(Timestamp::from_unix_ms(true_ms(age_s(sequence)))));
}
