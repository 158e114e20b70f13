//! A centre that is killed -9 while drills are ordered, told of by an agent twice over, worked on and ended: whatever was
//! acknowledged is there, each drill was found once, with one case, and nothing real came of any.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

#[path = "support/kill.rs"]
mod kill;

use std::{
    collections::BTreeSet,
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    case::{CaseAction, CaseVerdict},
    division::Tier,
    drill::{Drill, DrillPlan, LASTS_MS},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::{IncidentKind, Severity},
    site::{SiteKind, SiteName},
};
use onenet_wire::{Batch, Clocks, Content, Lane, Position};
use onenetd::{
    centre::{Centre, Options},
    clock::Clock,
    estate::Estate,
    ingest::Outcome,
    record::{Body, Command, EnrolmentToken, Greeting, NewSite, Report, TokenHash},
};

const CHILD: &str = "ONENET_TEST_DRILLS_KILL_NINE_DATA";
const ROUNDS: usize = 24;
/// How often each thing is acknowledged of a drill of an anomaly: ordered, put in, told twice, taken up, closed; and of an incident:
/// ordered, ended by its time, closed.
const STEPS: usize = 9;

#[test]
fn drills_survive_kill_nine_at_every_step_and_each_is_found_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = env::var(CHILD) {
        runtime.block_on(drill_for_ever(Path::new(&data)));
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut states = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut acknowledged = 0_usize;
        let moment = (STEPS + round % STEPS, Duration::from_micros(u64::try_from(round).unwrap() * 170));
        let test = "drills_survive_kill_nine_at_every_step_and_each_is_found_once";
        kill::after(test, (CHILD, data.path()), moment, |said| acknowledged = said.parse().unwrap());
        let estate = runtime.block_on(async {
            let (centre, _) = opened(data.path()).await;
            let estate = centre.estate();
            centre.stop().await;
            estate
        });
        assert!(estate.drills.all.len() >= acknowledged, "{} of {acknowledged} drills", estate.drills.all.len());
        states.extend(estate.drills.all.values().map(|it| check(&estate, it)));
        let found = estate.drills.all.values().filter(|it| it.found.is_some()).count();
        let drilled = estate.cases.all.values().filter(|it| it.key.drill).count();
        assert_eq!(drilled, found, "each has one case");
        // That the agent falls silent while time goes on is real.
        let cut = estate.incidents.values().filter(|it| it.kind == IncidentKind::SiteCut).count();
        assert!(cut == 0 && estate.sites.values().all(|it| it.anomalies.is_empty()), "nothing real");
    }
    assert!(states.len() >= 3, "{states:?}");
}

/// Checks one drill, and returns how far it is.
fn check(estate: &Estate, drill: &Drill) -> &'static str {
    let case = drill.case.and_then(|id| estate.cases.all.get(&id));
    let is_something = drill.anomaly.is_some() || drill.incident.is_some();
    assert_eq!((drill.found.is_some(), drill.found.is_some()), (is_something, case.is_some()), "all of it or nothing");
    if let Some(case) = case {
        let opened = case.steps.iter().filter(|it| it.did == "opened").count();
        assert_eq!((opened, case.count, case.key.drill), (1, 1, true), "{}", case.id);
    }
    if let Some(anomaly) = &drill.anomaly {
        assert_eq!((anomaly.count, anomaly.runs.len()), (1, 1), "told twice it counts once");
    }
    drill.state(case.map(|it| &**it)).name()
}

/// Opens the centre with a clock that stands where the last record was, until it is moved.
async fn opened(data: &Path) -> (Centre, Arc<AtomicI64>) {
    let ms = Arc::new(AtomicI64::new(1_800_000_000_000));
    let read = Arc::clone(&ms);
    let clock = Clock::from_fn(move || Timestamp::from_unix_ms(read.load(Ordering::Relaxed)));
    let centre = Centre::open(data, Options { clock, ..Options::default() }).await.unwrap();
    ms.fetch_max(centre.estate().time.unix_ms(), Ordering::Relaxed);
    (centre, ms)
}

/// The child: goes on with the last drill, wherever it is, and then with the next.
async fn drill_for_ever(data: &Path) {
    let (centre, ms) = opened(data).await;
    let (site, agent) = agent_of(&centre).await;
    loop {
        let estate = centre.estate();
        let last = estate.drills.all.values().next_back().filter(|it| is_going_on(&estate, it)).cloned();
        match last {
            None => order(&centre, site, estate.drills.all.len()).await,
            Some(drill) if drill.found.is_none() => tell(&centre, (site, agent), &drill).await,
            Some(drill) => end(&centre, &ms, &drill).await,
        }
        kill::acknowledge(format_args!("{}", centre.estate().drills.all.len()));
    }
}

fn is_going_on(estate: &Estate, drill: &Drill) -> bool {
    let case = drill.case.and_then(|id| estate.cases.all.get(&id));
    !drill.is_settled() || case.is_some_and(|case| case.is_open())
}

async fn order(centre: &Centre, site: SiteId, number: usize) {
    let incident = number % 3 == 2;
    let plan = DrillPlan {
        kind: if incident { "site_cut" } else { "port_scan" }.into(),
        subject: if incident { String::new() } else { format!("host {number}") },
        grade: Severity::General,
        began: None,
        text: "x".into(),
        source: None,
        destination: None,
        port: None,
        at_centre: false,
        lasts_ms: LASTS_MS,
    };
    let ordered = centre.submit(Command::OrderDrill { site, plan: Box::new(plan) }, "wang").await.unwrap();
    assert!(matches!(ordered, Outcome::DrillOrdered(_)), "{ordered:?}");
}

/// The agent says that it put the drill in, and tells of it twice, as it does where it was asked again.
async fn tell(centre: &Centre, (site, agent): (SiteId, AgentId), drill: &Drill) {
    let intake = centre.intake();
    if drill.injected.is_none() {
        intake.submit(Body::Drilled { agent, drill: drill.id, refused: None }).await.unwrap();
        return;
    }
    for _ in 0..2 {
        let estate = centre.estate();
        let known = estate.agent(agent).unwrap();
        let position = Position { lane: Lane::History, epoch: 7, sequence: known.history.sequence + 1 };
        let body = HistoryBody::Anomaly(drill.report(estate.time));
        let item = HistoryItem { time: estate.time, scope: Scope::new(""), body };
        let batch = Batch { position, clocks: clocks(estate.time), content: Content::History(vec![item]) };
        intake.submit(Body::Report(Report { agent, site, batch: Arc::new(batch) })).await.unwrap();
    }
}

/// What people and time do: an incident ends by itself first.
async fn end(centre: &Centre, ms: &AtomicI64, drill: &Drill) {
    let estate = centre.estate();
    if !drill.is_settled() {
        ms.store(estate.time.plus_ms(LASTS_MS).unix_ms(), Ordering::Relaxed);
        centre.intake().submit(Body::Tick).await.unwrap();
        return;
    }
    let case = &estate.cases.all[&drill.case.unwrap()];
    let action = match case.acknowledged {
        None => CaseAction::Acknowledge,
        Some(_) => CaseAction::Close { verdict: CaseVerdict::Drill, text: "x".into() },
    };
    let command = Command::ActOnCase { site: drill.site, case: case.id, action, notice: None };
    centre.submit(command, "wang").await.unwrap();
}

fn clocks(now: Timestamp) -> Clocks {
    Clocks { boot_id: [1; 16], boot_ms: 1_000_000, wall_ms: now.unix_ms() }
}

async fn agent_of(centre: &Centre) -> (SiteId, AgentId) {
    if let Some(agent) = centre.estate().agents.values().next() {
        return (agent.site, agent.id);
    }
    let site = match centre.estate().tree.iter().next() {
        Some(site) => site.id,
        None => added(centre).await,
    };
    let token = EnrolmentToken { site, expires: centre.clock().now().plus_ms(1_000), spent: None };
    centre.submit(Command::IssueEnrolmentToken { hash: TokenHash::of(b"secret"), token }, "wang").await.unwrap();
    let enrol = Command::EnrolAgent { token: TokenHash::of(b"secret"), key: TokenHash::of(b"key") };
    let Outcome::Enrolled { agent, .. } = centre.submit(enrol, "wang").await.unwrap() else { panic!("not enrolled") };
    let now = centre.clock().now();
    let greeting = Greeting {
        agent,
        version: "1".into(),
        clocks: clocks(now),
        received: now,
        configuration_revision: 0,
        certificate: None,
    };
    centre.intake().submit(Body::Hello(greeting)).await.unwrap();
    (site, agent)
}

async fn added(centre: &Centre) -> SiteId {
    let (kind, name, from) = (SiteKind::Division, SiteName::new("部", ""), Timestamp::EPOCH);
    let site = NewSite { tier: Tier::Ministry, kind, code: "000000".into(), name, parents: Vec::new(), from };
    match centre.submit(Command::AddSite(site), "wang").await.unwrap() {
        Outcome::SiteAdded(site) => site,
        other => panic!("{other:?}"),
    }
}
