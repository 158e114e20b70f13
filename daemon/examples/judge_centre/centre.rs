//! A centre without a store: an estate, and what agents of a province tell it every ten minutes.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport},
    asset::parse_assets_csv,
    division::Tier,
    fact::{Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Scope},
    incident::Severity,
    site::{SiteKind, SiteName, Uplink},
};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, Lane, Position};
use onenetd::{
    estate::Estate,
    ingest::{Outcome, Planned, Policy, plan},
    record::{Body, Command, EnrolmentToken, Greeting, NewSite, Record, Report, TokenHash},
};

/// Seconds in which it is every site's turn once, and between two times that agents tell what stays.
pub const ROUND_S: i64 = 600;
/// The agent's name of the switch.
pub const SWITCH: &str = "sw";

/// What an agent tells of its switch and of its segment, by group.
pub type Told = BTreeMap<(Method, &'static str), Vec<FactBody>>;

/// The centre.
pub struct Centre {
    pub estate: Estate,
    pub now: Timestamp,
    policy: Policy,
    agents: BTreeMap<SiteId, Agent>,
    /// At which second of a round it is some site's turn.
    turns: Vec<i64>,
}

struct Agent {
    id: AgentId,
    started: Timestamp,
    state: u64,
    history: u64,
    /// What it told last, to tell what is gone.
    known: BTreeMap<(Method, &'static str), Vec<FactBody>>,
}

impl Centre {
    pub fn new(now: Timestamp) -> Self {
        // Agents tell every ten minutes here, and send no signs of life between.
        let policy = Policy { silence_ms: 3 * ROUND_S * 1_000, ..Policy::default() };
        Self { estate: Estate::default(), now, policy, agents: BTreeMap::new(), turns: Vec::new() }
    }

    fn submit(&mut self, body: Body) -> Outcome {
        let record = Record { position: self.estate.position + 1, time: self.now, body };
        let Planned { next, outcome, .. } = plan(&self.estate, &record, self.policy).expect("it is accepted");
        self.estate = next;
        outcome
    }

    fn command(&mut self, command: Command) -> Outcome {
        self.submit(Body::Command { by: "judge".into(), command: Arc::new(command) })
    }

    /// Adds a site with an agent.
    pub fn site(&mut self, tier: Tier, code: &str, parent: Option<SiteId>) -> SiteId {
        let site = NewSite {
            tier,
            kind: SiteKind::Division,
            code: code.into(),
            name: SiteName::new(code, code),
            parents: parent.map(|parent| Uplink { parent }).into_iter().collect(),
            from: Timestamp::EPOCH,
        };
        let Outcome::SiteAdded(site) = self.command(Command::AddSite(site)) else { panic!("no site") };
        let hash = TokenHash::of(code.as_bytes());
        let token = EnrolmentToken { site, expires: self.now.plus_ms(1_000), spent: None };
        self.command(Command::IssueEnrolmentToken { hash, token });
        let enrolled = self.command(Command::EnrolAgent { token: hash, key: TokenHash::of(b"key") });
        let Outcome::Enrolled { agent, .. } = enrolled else { panic!("no agent") };
        let started = self.now.plus_ms(-3_600_000);
        let known = BTreeMap::new();
        self.agents.insert(site, Agent { id: agent, started, state: 0, history: 0, known });
        let greeting = Greeting {
            agent,
            version: "1".into(),
            clocks: self.clocks(started),
            received: self.now,
            configuration_revision: 0,
            certificate: None,
        };
        self.submit(Body::Hello(greeting));
        self.turns = self.agents.keys().map(|it| i64::try_from(it.raw() % 600).expect("small")).collect();
        self.turns.sort_unstable();
        self.turns.dedup();
        site
    }

    /// Puts machines on the books of a site, by their MAC addresses.
    pub fn register<'m>(&mut self, code: &str, macs: impl IntoIterator<Item = &'m onenet_topology::MacAddr>) {
        let rows = macs.into_iter().map(|mac| format!("A-{mac},{code},{mac}\n"));
        let rows = parse_assets_csv(&rows.fold("number,site,mac\n".to_owned(), |text, row| text + &row)).expect("rows");
        if !rows.is_empty() {
            self.command(Command::ImportAssets { rows, from: Timestamp::EPOCH, complete: false });
        }
    }

    fn clocks(&self, started: Timestamp) -> Clocks {
        let boot_ms = u64::try_from(self.now.ms_since(started)).expect("later");
        Clocks { boot_id: [1; 16], boot_ms, wall_ms: self.now.unix_ms() }
    }

    fn report(&mut self, site: SiteId, lane: Lane, content: Content) {
        let agent = self.agents.get_mut(&site).expect("an agent");
        let sequence = if lane == Lane::State { &mut agent.state } else { &mut agent.history };
        *sequence += 1;
        let (position, id, started) = (Position { lane, epoch: 7, sequence: *sequence }, agent.id, agent.started);
        let batch = Arc::new(Batch { position, clocks: self.clocks(started), content });
        self.submit(Body::Report(Report { agent: id, site, batch }));
    }

    /// Lets the agent of a site tell what is there; what it told before and does not tell now is gone.
    pub fn tell(&mut self, site: SiteId, told: Told) {
        let (now, agent) = (self.now, self.agents.get_mut(&site).expect("an agent"));
        let groups = told.iter().map(|((method, scope), bodies)| {
            let keys: Vec<_> = bodies.iter().map(FactBody::key).collect();
            let present = bodies.iter().map(|body| FactChange::Present(Fact { observed: now, body: body.clone() }));
            let before = agent.known.get(&(*method, *scope)).into_iter().flatten().map(FactBody::key);
            let gone = before.filter(|key| !keys.contains(key)).map(|key| FactChange::Gone { key, observed: now });
            let changes = present.chain(gone).collect();
            GroupChanges { group: Group { method: *method, scope: Scope::new(scope) }, changes, complete: None }
        });
        let content = Content::State(groups.collect());
        agent.known.extend(told);
        self.report(site, Lane::State, content);
    }

    /// Lets the agent of a site tell of a sweep that its detectors found.
    pub fn sweep(&mut self, site: SiteId, host: &str, port: &str) {
        let report = AnomalyReport {
            key: AnomalyKey { kind: "sweep".into(), subject: host.into() },
            grade: Severity::Considerable,
            confidence: 80,
            lasted_ms: 60_000,
            count: 30,
            run: 1,
            evidence: vec![AnomalyEvidence { is: "port".into(), value: port.into() }],
            drill: None,
        };
        let item = HistoryItem { time: self.now, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
        self.report(site, Lane::History, Content::History(vec![item]));
    }

    /// Lets a round pass: it is every site's turn once.
    pub fn round(&mut self) {
        let begin = self.now;
        for turn in self.turns.clone() {
            self.now = begin.plus_ms(turn * 1_000);
            self.submit(Body::Tick);
        }
        self.now = begin.plus_ms(ROUND_S * 1_000);
    }
}
