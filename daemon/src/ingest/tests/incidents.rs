//! Incidents from reports and ticks to what is stored.

use onenet_topology::{
    MaintenanceId, Probe, ProbeKind, ProbeRole, ProbeState,
    incident::{Closing, Explanation, Incident, IncidentKind, MaintenanceScope, Severity, State, Subject},
    site::Uplink,
};

use super::*;
use crate::store::Store;

pub(super) const MINISTRY: &str = "000000";
pub(super) const PROVINCE: &str = "130000";
pub(super) const CITY: &str = "130100";

/// A ministry, a province and a city, an agent at each, and ticks.
pub(super) struct Country {
    pub(super) world: World,
    pub(super) sites: BTreeMap<&'static str, SiteId>,
    pub(super) agents: BTreeMap<&'static str, AgentId>,
    sequences: BTreeMap<&'static str, u64>,
}

impl Country {
    pub(super) fn new() -> Self {
        let mut country =
            Self { world: World::new(), sites: BTreeMap::new(), agents: BTreeMap::new(), sequences: BTreeMap::new() };
        country.world.submit(Body::Started).unwrap();
        for (code, tier, above) in [
            (MINISTRY, Tier::Ministry, None),
            (PROVINCE, Tier::Province, Some(MINISTRY)),
            (CITY, Tier::City, Some(PROVINCE)),
        ] {
            country.add(code, tier, above);
        }
        country.probe(MINISTRY, PROVINCE, ProbeRole::Child, ProbeState::Up);
        country.probe(PROVINCE, CITY, ProbeRole::Child, ProbeState::Up);
        country.pass(120);
        country
    }

    fn add(&mut self, code: &'static str, tier: Tier, above: Option<&str>) {
        let parents = above.map(|code| vec![Uplink::to(self.sites[code])]).unwrap_or_default();
        let (kind, name, from) = (SiteKind::Division, SiteName::new(code, code), Timestamp::EPOCH);
        let site = NewSite { tier, kind, code: code.into(), name, parents, from };
        let Outcome::SiteAdded(site) = self.world.command(Command::AddSite(site)).unwrap() else { panic!("no site") };
        let agent = self.world.enrol(site, code.as_bytes());
        self.sites.insert(code, site);
        self.agents.insert(code, agent);
        self.hello(code, 1);
    }

    pub(super) fn add_under(&mut self, code: &'static str, above: &str) {
        self.add(code, Tier::Province, Some(above));
    }

    pub(super) fn clocks(&self, boot: u8) -> Clocks {
        let now = self.world.now;
        Clocks { boot_id: [boot; 16], boot_ms: now.ms_since(NOW).cast_unsigned() + 1_000, wall_ms: now.unix_ms() }
    }

    pub(super) fn hello(&mut self, code: &str, boot: u8) {
        let greeting = Greeting {
            agent: self.agents[code],
            version: "1".into(),
            clocks: Clocks { boot_ms: if boot == 1 { self.clocks(1).boot_ms } else { 500 }, ..self.clocks(boot) },
            received: self.world.now,
            configuration_revision: 0,
            certificate: None,
        };
        self.world.submit(Body::Hello(greeting)).unwrap();
    }

    /// The agent of a site finds now that the way to another is as said.
    pub(super) fn probe(&mut self, teller: &'static str, to: &str, role: ProbeRole, state: ProbeState) {
        let probe = Probe {
            name: to.into(),
            target: "192.0.2.1".into(),
            kind: ProbeKind::Icmp,
            role,
            site: to.into(),
            state,
            detail: String::new(),
        };
        let changes =
            vec![FactChange::Present(Fact { observed: self.world.now, body: FactBody::Probe(Box::new(probe)) })];
        let group = GroupChanges { group: group(Method::Probe, ""), changes, complete: None };
        let sequence = self.sequences.entry(teller).or_default();
        *sequence += 1;
        let position = Position { lane: Lane::State, epoch: 7, sequence: *sequence };
        let batch = Batch { position, clocks: self.clocks(1), content: Content::State(vec![group]) };
        self.world.report(self.agents[teller], self.sites[teller], batch).unwrap();
    }

    pub(super) fn lose(&mut self, code: &str) {
        self.world.submit(Body::Disconnected { agent: self.agents[code] }).unwrap();
    }

    /// Lets seconds pass, with a tick each.
    pub(super) fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.world.now = self.world.now.plus_ms(1_000);
            // Whose stream is open is heard.
            let agents: Vec<_> = self.world.estate.agents.values().cloned().collect();
            for agent in agents.iter().filter(|agent| agent.contact.connected_since.is_some()) {
                let boot = agent.clock.boots.last().unwrap().id[0];
                let (agent, clocks) = (agent.id, self.clocks(boot));
                let zero = self.world.estate.agent(agent).unwrap().clock.boots.last().unwrap().zero;
                let clocks = Clocks { boot_ms: self.world.now.ms_since(zero).cast_unsigned(), ..clocks };
                let received = self.world.now;
                self.world.submit(Body::Heard { agent, clocks, received, history_waiting: 0 }).unwrap();
            }
            self.world.submit(Body::Tick).unwrap();
        }
    }

    pub(super) fn cut_province(&mut self) {
        self.probe(MINISTRY, PROVINCE, ProbeRole::Child, ProbeState::Down);
        self.pass(3);
        self.lose(PROVINCE);
        self.lose(CITY);
    }

    fn only(&self) -> Incident {
        let all: Vec<_> = self.world.estate.incidents.values().map(|it| Incident::clone(it)).collect();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    }

    fn state(&self, code: &str) -> State {
        self.world.estate.judging.get().verdicts.as_ref().unwrap().sites[&self.sites[code]]
    }
}

#[test]
fn a_cut_province_is_one_incident_within_15_seconds_that_is_stored_and_heals_within_30() {
    let mut country = Country::new();
    assert_eq!(country.world.estate.incidents.len(), 0);
    let cut = country.world.now;
    country.cut_province();
    country.pass(11);
    let raised = country.only();
    let subject = Subject::Link { child: country.sites[PROVINCE], parent: country.sites[MINISTRY] };
    assert_eq!((raised.kind, &raised.subject, raised.since), (IncidentKind::LinkDown, &subject, cut));
    assert!(raised.raised.ms_since(cut) <= 15_000, "{}", raised.raised.ms_since(cut));
    assert_eq!(raised.affected.sites.len(), 2);
    assert_eq!(raised.severity, Severity::Major);
    assert_eq!(country.state(CITY), State::Down);

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&country.world.changes).unwrap();
    assert_eq!(store.load().unwrap().incidents, country.world.estate.incidents);
    assert_eq!(store.load().unwrap().open, country.world.estate.open);

    // An hour later the line is back, and the agents with it.
    country.pass(3_600);
    country.only();
    let healed = country.world.now;
    country.probe(MINISTRY, PROVINCE, ProbeRole::Child, ProbeState::Up);
    country.pass(20);
    country.hello(PROVINCE, 1);
    country.hello(CITY, 1);
    country.pass(10);
    let closed = country.only();
    assert_eq!(closed.closed, Some((healed, Closing::Healed)));
    country.pass(120);
    country.only();
}

#[test]
fn a_machine_that_started_meanwhile_makes_a_power_cut_of_it() {
    let mut country = Country::new();
    country.probe(PROVINCE, CITY, ProbeRole::Child, ProbeState::Down);
    country.lose(CITY);
    country.pass(30);
    assert!(country.only().possible.contains(&Explanation::UplinkCut));
    country.probe(PROVINCE, CITY, ProbeRole::Child, ProbeState::Up);
    country.hello(CITY, 2);
    country.pass(20);
    assert_eq!(country.only().possible, [Explanation::PowerCut].into());
    assert_eq!(country.only().revisions.len(), 2);
}

#[test]
fn an_agent_that_stops_is_told_of_within_seconds_and_its_site_is_still_there() {
    let mut country = Country::new();
    country.lose(CITY);
    country.pass(10);
    assert_eq!(country.world.estate.incidents.len(), 0, "a restart is no incident");
    country.pass(4);
    assert_eq!(country.only().kind, IncidentKind::AgentSilent);
    assert_eq!(country.only().possible, [Explanation::AgentStopped].into());
    country.hello(CITY, 1);
    country.pass(12);
    assert!(!country.only().is_open());
}

#[test]
fn a_centre_that_starts_again_blames_nobody_and_keeps_what_was_open() {
    let mut country = Country::new();
    country.cut_province();
    country.pass(20);
    country.world.now = country.world.now.plus_ms(3_600_000);
    country.world.submit(Body::Started).unwrap();
    country.pass(5);
    assert!(country.only().is_open(), "nobody can tell yet");
    country.hello(MINISTRY, 1);
    country.pass(120);
    assert!(country.only().is_open());
}

#[test]
fn what_breaks_in_a_maintenance_is_marked_as_planned_until_it_ends() {
    let mut country = Country::new();
    let now = country.world.now;
    let scope = MaintenanceScope::Subtree(country.sites[PROVINCE]);
    let plan = |scope, end| Command::PlanMaintenance { scope, begin: now, end, reason: "new router".into() };
    let Outcome::MaintenancePlanned(id) = country.world.command(plan(scope, now.plus_ms(3_600_000))).unwrap() else {
        panic!("not planned")
    };
    country.cut_province();
    country.pass(15);
    assert_eq!(country.only().planned, Some(id));
    country.world.command(Command::EndMaintenance { maintenance: id }).unwrap();
    country.pass(2);
    assert_eq!(country.only().planned, None, "it is broken still, and not planned any more");
    let again = country.world.command(Command::EndMaintenance { maintenance: id });
    assert_eq!(again, Err(Refusal::MaintenanceOver(id)));
    let unknown = MaintenanceId::from_raw(7);
    let unknown = country.world.command(Command::EndMaintenance { maintenance: unknown });
    assert!(matches!(unknown, Err(Refusal::UnknownMaintenance(_))));

    let (city, ministry) = (country.sites[CITY], country.sites[MINISTRY]);
    let no_such_way = MaintenanceScope::Link { child: city, parent: ministry };
    let refused = country.world.command(plan(no_such_way, now.plus_ms(1)));
    assert_eq!(refused, Err(Refusal::NothingToMaintain(city)));
    let refused = country.world.command(plan(scope, now));
    assert!(matches!(refused, Err(Refusal::Maintenance(_))));

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&country.world.changes).unwrap();
    assert_eq!(store.load().unwrap().maintenances, country.world.estate.maintenances);
}
