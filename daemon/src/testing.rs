//! A small centre for tests: sites in a tree, an agent with something to tell at some of them, and callers. Everything enters by
//! commands and records, as it does from outside.

mod raw;

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, body::Body as HttpBody, response::Response};
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use hyper::{Method as HttpMethod, Request, StatusCode, header};
use onenet_topology::{
    AgentId, MacAddr, Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest, SensorKind, SensorState, SiteId,
    Timestamp, VlanSet,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    application::Application,
    fact::{
        ApplicationSample, Binding, CaptureSample, Condition, ConditionKind, Fact, FactBody, FactChange, FlowTotals,
        Forwarding, ForwardingStatus, Group, HistoryBody, HistoryItem, Host, Identification, Interface,
        InterfaceSample, InterfaceStatus, Method, NextHop, OwnAddress, PortVlans, Quirk, Reach, ReachState, Scope,
        Sensor, SensorSample, Sighting, SpanningTree, System, TrafficSample, Vlan,
    },
    flow::FlowPage,
    incident::Severity,
    site::parse_sites_csv,
};
use onenet_wire::{
    Batch, CentreMessage, Clocks, Content, Done, FlowsQuery, GroupChanges, Instruction, InstructionBody,
    InstructionResult, Lane, Position,
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{
    access::{Change, Grant, Reach as Sites, Role, random_secret},
    api::{self, App, Peer},
    centre::{Centre, Options},
    clock::Clock,
    ingest::Outcome,
    notify::ChannelTold,
    record::{Body, Command, EnrolmentToken, Greeting, Report, TokenHash},
    remote_write::Told,
};

/// The time in tests, unless one moves it.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
/// Two provinces, each with a city and a county.
const SITES: &str = "code,name,pinyin,tier,parent\n\
    000000,部,Ministry,ministry,\n\
    130000,河北省,Hebei,province,000000\n\
    130100,石家庄市,Shijiazhuang,city,130000\n\
    130102,长安区,Changan,county,130100\n\
    320000,江苏省,Jiangsu,province,000000\n\
    320100,南京市,Nanjing,city,320000\n\
    320102,玄武区,Xuanwu,county,320100\n";
/// What a switch measures beside its board, in thousandths.
const MEASURED: [(SensorKind, &str, i64); 12] = [
    (SensorKind::OpticalReceive, "GigabitEthernet0/0/1", -5_243),
    (SensorKind::OpticalReceive, "GigabitEthernet0/0/2", -3_100),
    (SensorKind::Temperature, "GigabitEthernet0/0/1 transceiver", 28_000),
    (SensorKind::CpuLoad, "cpu", 12_000),
    (SensorKind::MemoryUsed, "memory", 31_369),
    (SensorKind::StorageUsed, "flash", 60_000),
    (SensorKind::PoePower, "group 1", 30_500),
    (SensorKind::PoePower, "group 2", 9_500),
    (SensorKind::Humidity, "room", 45_000),
    (SensorKind::BatteryCharge, "battery", 98_000),
    (SensorKind::BatteryRunTime, "battery", 3_600_000),
    (SensorKind::OutputLoad, "output 1", 8_000),
];
/// The most bytes of a body in tests.
pub(crate) const BODY_MAX: usize = 10_000;

/// A centre with its data, and its API.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    /// Milliseconds that have passed since [`NOW`].
    passed_ms: Arc<AtomicI64>,
    data: tempfile::TempDir,
}

/// An answer, taken in whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let mut text = String::new();
        // As a client does.
        match head.headers.get(header::CONTENT_ENCODING) {
            Some(_) => GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap(),
            None => (&*bytes).read_to_string(&mut text).unwrap(),
        };
        Self { status: head.status, headers: head.headers, text }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The entries of a list.
    pub(crate) fn items(&self) -> Vec<Value> {
        let json = self.json();
        json["items"].as_array().unwrap_or_else(|| panic!("no items: {json}")).clone()
    }

    /// A header's text.
    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl World {
    /// The sites and nothing else.
    pub(crate) async fn bare() -> Self {
        let data = tempfile::tempdir().unwrap();
        let passed_ms = Arc::new(AtomicI64::new(0));
        let passed = Arc::clone(&passed_ms);
        let clock = Clock::from_fn(move || NOW.plus_ms(passed.load(Ordering::Relaxed)));
        let options = Options { clock: clock.clone(), queue: true, outbox: true, ..Options::default() };
        let centre = Centre::open(data.path(), options).await.unwrap();
        let rows = parse_sites_csv(SITES).unwrap();
        centre.submit(Command::ImportSites { rows, from: Timestamp::EPOCH }, "test").await.unwrap();
        let app = Arc::new(App::new(centre, clock, BODY_MAX, false));
        let router = api::router(Arc::clone(&app), std::time::Duration::from_secs(30));
        Self { app, router, passed_ms, data }
    }

    /// Lets time pass: the centre's clock goes on.
    pub(crate) fn pass(&self, ms: i64) {
        self.passed_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Both counties have an agent, a switch, three endpoints, samples and trouble.
    pub(crate) async fn new() -> Self {
        let world = Self::bare().await;
        for (at, code) in [(1, "130102"), (2, "320102")] {
            let site = world.site(code);
            let agent = world.enrol(site).await;
            world.tell(site, agent, at).await;
        }
        world
    }

    /// From now on pages know that remote write tells of what was measured, and a channel of what happens, and of a log that is shared.
    pub(crate) fn tells_remote_write(&mut self, told: Told) {
        let clock = self.app.clock.clone();
        let mut app = App::new(self.app.centre.clone(), clock, BODY_MAX, false);
        (app.remote_write, app.replication) = (Some(told), Some(Arc::default()));
        app.notify = vec![Arc::new(ChannelTold::new("security", true))];
        self.app = Arc::new(app);
        self.router = api::router(Arc::clone(&self.app), std::time::Duration::from_secs(30));
    }

    pub(crate) fn site(&self, code: &str) -> SiteId {
        self.app.centre.estate().tree.by_code(code, NOW).unwrap().id
    }

    /// A token for a principal with one role over a site, or everywhere.
    pub(crate) async fn token(&self, role: Role, site: Option<&str>) -> String {
        let reach = site.map_or(Sites::Everywhere, |code| Sites::Below(self.site(code)));
        let secret = random_secret().unwrap();
        let change = Change::TokenCreated {
            name: format!("{role} of {}", site.unwrap_or("all")),
            grants: vec![Grant { role, reach }],
            hash: secret.hash(),
            expires: None,
        };
        self.app.centre.submit(Command::Access(change), "test").await.unwrap();
        secret.expose().to_owned()
    }

    pub(crate) async fn enrol(&self, site: SiteId) -> AgentId {
        let hash = TokenHash::of(site.to_string().as_bytes());
        let token = EnrolmentToken { site, expires: NOW.plus_ms(1_000), spent: None };
        self.app.centre.submit(Command::IssueEnrolmentToken { hash, token }, "test").await.unwrap();
        let command = Command::EnrolAgent { token: hash, key: TokenHash::of(b"key") };
        match self.app.centre.submit(command, "test").await.unwrap() {
            Outcome::Enrolled { agent, .. } => agent,
            other => panic!("{other:?}"),
        }
    }

    async fn tell(&self, site: SiteId, agent: AgentId, at: u8) {
        let clocks = Clocks { boot_id: [at; 16], boot_ms: 5_000_000, wall_ms: NOW.unix_ms() + 3_600_000 };
        let greeting = Greeting {
            agent,
            version: "1.2.3".into(),
            clocks,
            received: NOW,
            configuration_revision: 0,
            certificate: None,
        };
        let intake = self.app.centre.intake();
        intake.submit(Body::Hello(greeting)).await.unwrap();
        let content = [Content::State(facts(at)), Content::History(samples(at))];
        for (lane, content) in Lane::ALL.into_iter().zip(content) {
            let position = Position { lane, epoch: 7, sequence: 1 };
            let batch = Arc::new(Batch { position, clocks, content });
            intake.submit(Body::Report(Report { agent, site, batch })).await.unwrap();
        }
    }

    /// The agent of a site.
    pub(crate) fn agent_of(&self, code: &str) -> AgentId {
        self.app.centre.estate().agents_of(self.site(code)).next().unwrap().id
    }

    /// Lets the agent of the first county tell more of what it saw, in the batch after `before` others.
    pub(crate) async fn tell_more(&self, before: u64, history: Vec<HistoryItem>) {
        self.tell_on(Lane::History, before, Content::History(history)).await;
    }

    /// Lets it tell of a way up that it measures, in whole, and of traffic of this minute, by its clock, which is an hour ahead.
    pub(crate) async fn tell_of_a_way_up(&self) {
        let up = Probe { name: "up".into(), role: ProbeRole::Parent, state: ProbeState::Up, ..gateway(1) };
        let (time, body) = (NOW.plus_ms(-30_000), FactBody::Probe(Box::new(up)));
        let changes = vec![FactChange::Present(Fact { observed: time, body })];
        let group = Group { method: Method::Probe, scope: Scope::new("") };
        self.tell_on(Lane::State, 1, Content::State(vec![GroupChanges { group, changes, complete: None }])).await;
        let body = HistoryBody::Probe(ProbeSample { name: "up".into(), ..measured_gateway().1 });
        let crossed = applications(1).take(1).map(|it| HistoryItem { time: NOW.plus_ms(3_570_000), ..it });
        self.tell_more(1, crossed.chain([HistoryItem { time, scope: Scope::new(""), body }]).collect()).await;
    }

    /// Lets it tell of one more device, which says no name.
    pub(crate) async fn tell_of_a_nameless_device(&self, polled_by: &str) {
        let system = group(Method::SnmpSystem, polled_by, vec![FactBody::System(Box::default())]);
        self.tell_on(Lane::State, 1, Content::State(vec![system])).await;
    }

    async fn tell_on(&self, lane: Lane, before: u64, content: Content) {
        let (site, agent) = (self.site("130102"), self.agent_of("130102"));
        let clocks = Clocks { boot_id: [1; 16], boot_ms: 5_000_000, wall_ms: NOW.unix_ms() + 3_600_000 };
        let position = Position { lane, epoch: 7, sequence: before + 1 };
        let batch = Arc::new(Batch { position, clocks, content });
        self.app.centre.intake().submit(Body::Report(Report { agent, site, batch })).await.unwrap();
    }

    /// An agent that was heard once and is gone again.
    pub(crate) async fn heard(&self, agent: AgentId) {
        self.heard_since(agent, self.app.clock.now(), NOW).await;
    }

    /// An agent's stream is open since then, when its own clock said `wall`.
    pub(crate) async fn heard_since(&self, agent: AgentId, received: Timestamp, wall: Timestamp) {
        let clocks = Clocks { boot_id: [9; 16], boot_ms: 5_000, wall_ms: wall.unix_ms() };
        let (version, configuration_revision, certificate) = ("1.2.3".into(), 0, None);
        let greeting = Greeting { agent, version, clocks, received, configuration_revision, certificate };
        self.app.centre.intake().submit(Body::Hello(greeting)).await.unwrap();
    }

    /// Opens the line of an agent that answers each question for flows with `answer`.
    pub(crate) fn answering(
        &self,
        agent: AgentId,
        mut answer: impl FnMut(FlowsQuery) -> Result<FlowPage, String> + Send + 'static,
    ) {
        self.carrying_out(agent, move |query| {
            let onenet_wire::Query::Flows(asked) = query else { panic!("{query:?}") };
            answer(asked).map(|page| Done { flows: Some(page), ..Done::default() })
        });
    }

    /// Opens the line of an agent that does with each question what `carry_out` says.
    pub(crate) fn carrying_out(
        &self,
        agent: AgentId,
        mut carry_out: impl FnMut(onenet_wire::Query) -> Result<Done, String> + Send + 'static,
    ) {
        let (mut told, centre) = (self.app.centre.streams().enter_test(agent), self.app.centre.clone());
        tokio::spawn(async move {
            while let Some(Ok(CentreMessage::Instruction(Instruction { id, body }))) = told.recv().await.map(|it| *it) {
                let InstructionBody::Query(query) = body else { panic!("{body:?}") };
                let outcome = carry_out(query);
                centre.streams().answer(agent, InstructionResult { id, outcome });
            }
        });
    }

    /// One request with a token.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(token, HttpMethod::GET, path, None).await
    }

    /// One request with a token and a JSON body.
    pub(crate) async fn send(&self, token: &str, method: HttpMethod, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or(HttpBody::empty(), |body| HttpBody::from(body.to_string()));
        self.raw(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }
}

/// The address of an endpoint at the county `at`.
pub(crate) fn mac(at: u8, last: u8) -> MacAddr {
    MacAddr([0x00, 0x1b, 0x21, at, 0, last])
}

fn group(method: Method, scope: &str, bodies: Vec<FactBody>) -> GroupChanges {
    GroupChanges {
        group: Group { method, scope: Scope::new(scope) },
        changes: bodies.into_iter().map(|body| FactChange::Present(Fact { observed: NOW, body })).collect(),
        complete: None,
    }
}

fn facts(at: u8) -> Vec<GroupChanges> {
    let macs = [1, 2, 3].map(|last| mac(at, last));
    let host = Host {
        mac: macs[0],
        hostname: format!("PC-{at}<b>"),
        vendor_class: "MSFT 5.0".into(),
        parameter_list: vec![1, 3, 6],
        client_id: Vec::new(),
    };
    let interface = Interface {
        name: "GigabitEthernet0/0/1".into(),
        if_index: 5,
        alias: String::new(),
        if_type: 6,
        mac: Some(MacAddr([0x00, 0xe0, 0xfc, at, 0, 1])),
        speed_bps: Some(1_000_000_000),
        full_duplex: Some(false),
        last_change_s: Some(600),
        admin: InterfaceStatus::Up,
        oper: InterfaceStatus::Up,
    };
    let forwarding = |mac| Forwarding {
        mac,
        vlan: Some(10),
        interface: Some("GigabitEthernet0/0/1".into()),
        bridge_port: 1,
        status: ForwardingStatus::Learned,
    };
    let reach = Reach { state: ReachState::Answering, detail: "answers".into(), target: "192.0.2.1:161".into() };
    let system = System { name: format!("SW{at}"), description: "Huawei S5720".into(), ..System::default() };
    let identification = Identification {
        vendor: "Huawei".into(),
        model: "S5720-28X".into(),
        os: "VRP".into(),
        version: "5.170".into(),
        serial: format!("SN{at}"),
        role: Some(onenet_topology::Role::Switch),
    };
    let sensor = |kind, state| Sensor { kind, name: "board 0/1".into(), state };
    let temperature = sensor(SensorKind::Temperature, None);
    let fan = sensor(SensorKind::Fan, Some(SensorState::Critical));
    let others = MEASURED.map(|(kind, name, _)| FactBody::Sensor(Sensor { kind, name: name.into(), state: None }));
    let condition =
        Condition { kind: ConditionKind::CaptureLoss, subject: "eth1".into(), detail: "7 frames were lost".into() };
    let mut groups = vec![
        group(Method::SnmpReach, "sw", vec![FactBody::Reach(reach)]),
        group(
            Method::SnmpSystem,
            "sw",
            vec![FactBody::System(Box::new(system)), FactBody::Identification(Box::new(identification))],
        ),
        group(Method::SnmpSensors, "sw", [temperature, fan].map(FactBody::Sensor).to_vec()),
        group(Method::SnmpSeldomSensors, "sw", others.to_vec()),
        group(Method::SnmpInterfaces, "sw", vec![FactBody::Interface(interface)]),
        group(Method::SnmpForwarding, "sw", vec![FactBody::Forwarding(forwarding(macs[0]))]),
        group(Method::PassiveFrames, "eth1", macs.map(|mac| FactBody::Sighting(Sighting { mac, vlan: None })).to_vec()),
        group(Method::PassiveFrames, "eth2", vec![FactBody::Sighting(Sighting { mac: macs[0], vlan: None })]),
        group(
            Method::PassiveArp,
            "eth1",
            vec![FactBody::Binding(Binding { mac: macs[0], ip: [192, 168, at, 50].into() })],
        ),
        group(Method::PassiveDhcp, "eth1", vec![FactBody::Host(Box::new(host))]),
        group(Method::Agent, "", vec![FactBody::Condition(condition)]),
    ];
    groups.push(group(Method::Probe, "", vec![FactBody::Probe(Box::new(gateway(at)))]));
    groups.extend(network(at));
    groups
}

/// The way out of the site, as its agent measures it.
fn gateway(at: u8) -> Probe {
    Probe {
        name: "gateway".into(),
        target: format!("192.168.{at}.1"),
        kind: ProbeKind::Icmp,
        role: ProbeRole::Gateway,
        site: String::new(),
        state: ProbeState::Degraded,
        detail: "3 of 60 are lost".into(),
    }
}

/// What was measured of it: by the minute, and by a media test a minute before.
fn measured_gateway() -> (ProbeSample, ProbeSample) {
    let regular = ProbeSample {
        name: "gateway".into(),
        interval_ms: 60_000,
        sent: 60,
        lost: 3,
        round_trip_median_us: Some(1_200),
        round_trip_p95_us: Some(4_800),
        jitter_us: Some(310),
        path_mtu: Some(1_400),
        certificate_ends_ms: Some(NOW.plus_ms(9 * 86_400_000).unix_ms()),
        ..ProbeSample::default()
    };
    let (name, test) = ("gateway".into(), ProbeTest::Media);
    let media = ProbeSample { name, test, sent: 500, lost: 4, mos_centi: Some(427), ..ProbeSample::default() };
    (media, regular)
}

fn windows() -> [HistoryItem; 2] {
    let (media, regular) = measured_gateway();
    [(-100_000, media), (-40_000, regular)].map(|(ms, sample)| HistoryItem {
        time: NOW.plus_ms(ms),
        scope: Scope::new(""),
        body: HistoryBody::Probe(sample),
    })
}

/// What the switch tells of its place in the network, and how peculiar it is.
fn network(at: u8) -> Vec<GroupChanges> {
    let own = OwnAddress { ip: [192, 168, at, 1].into(), prefix_bits: Some(24), interface: "Vlanif10".into() };
    let vlan = Vlan { vlan: 10, name: "office".into() };
    let trunk = PortVlans {
        interface: "GigabitEthernet0/0/1".into(),
        native: Some(10),
        tagged: (20..=30).collect(),
        untagged: VlanSet::from_iter([10]),
    };
    let quirk = Quirk { word: "bridge_port_unknown".into(), table: "dot1dTpFdbTable".into(), count: Some(213) };
    vec![
        group(Method::SnmpOwnAddresses, "sw", vec![FactBody::OwnAddress(own)]),
        group(
            Method::SnmpRoutes,
            "sw",
            vec![FactBody::NextHop(NextHop {
                ip: [192, 168, at, 254].into(),
                interface: "Vlanif10".into(),
                default_route: true,
            })],
        ),
        group(
            Method::SnmpSpanningTree,
            "sw",
            vec![FactBody::SpanningTree(SpanningTree {
                root: mac(at, 0xee),
                root_priority: 4_096,
                root_cost: Some(20_000),
                root_port: "GigabitEthernet0/0/1".into(),
            })],
        ),
        group(Method::SnmpVlans, "sw", vec![FactBody::Vlan(vlan), FactBody::PortVlans(trunk)]),
        group(Method::SnmpQuirks, "sw", vec![FactBody::Quirk(quirk)]),
    ]
}

/// What endpoints did with applications: the first most of all, some others too little to be told apart.
fn applications(at: u8) -> impl Iterator<Item = HistoryItem> {
    let totals = |bytes_out, bytes_in| FlowTotals {
        flows_out: 2,
        flows_in: 1,
        packets_out: bytes_out / 100,
        packets_in: bytes_in / 100,
        bytes_out,
        bytes_in,
    };
    let rows = [
        (60_000, Some(mac(at, 1)), Some(Application::Tls), totals(1_000, 9_000)),
        (60_000, Some(mac(at, 1)), Some(Application::Dns), totals(100, 200)),
        (60_000, Some(mac(at, 2)), None, totals(700, 300)),
        (60_000, None, Some(Application::Tls), totals(5_000, 50)),
        (960_000, Some(mac(at, 1)), Some(Application::Tls), totals(2_000, 1_000)),
    ];
    rows.into_iter().map(|(ago_ms, mac, application, totals)| HistoryItem {
        time: NOW.plus_ms(-ago_ms),
        scope: Scope::new("eth1"),
        body: HistoryBody::Application(ApplicationSample { mac, application, interval_ms: 900_000, totals }),
    })
}

fn capture() -> HistoryItem {
    HistoryItem {
        time: NOW.plus_ms(-30_000),
        scope: Scope::new("eth1"),
        body: HistoryBody::Capture(CaptureSample {
            frames_seen: 10_000,
            octets_seen: 6_000_000,
            frames_dropped_by_kernel: 20,
            frames_undecoded: 7,
            undecoded: [("arp_short".to_owned(), 2), ("vlan_short".to_owned(), 5)].into(),
            tcp_octets: 3_900_000,
            tcp_octets_missed: 100_000,
            flows_lost: 4,
            ..CaptureSample::default()
        }),
    }
}

/// What detectors found, the worse of it last, and what they do.
fn detected() -> Vec<HistoryItem> {
    let report = |kind: &str, subject: String, grade, is: &str, value: &str| {
        HistoryBody::Anomaly(AnomalyReport {
            key: AnomalyKey { kind: kind.into(), subject },
            grade,
            confidence: 90,
            lasted_ms: 20_000,
            count: 64,
            run: 1,
            evidence: vec![AnomalyEvidence { is: is.into(), value: value.into() }],
            drill: None,
        })
    };
    let detector = |kind: &str, off: &str, inputs| DetectorSample {
        kind: kind.into(),
        off: off.into(),
        inputs,
        last_run_age_ms: (inputs > 0).then_some(1_000),
        ..DetectorSample::default()
    };
    let detectors = vec![detector("port_scan", "", 4_000), detector("dark_address", "no dark prefix is listed", 0)];
    let bodies = [
        report("port_scan", "10.20.0.7".into(), Severity::Considerable, "ports", "1-64"),
        report("rogue_dhcp", "10.20.0.66".into(), Severity::Major, "trust", "it is not on the list"),
        HistoryBody::Detection(DetectionSample { detectors, dropped: 0 }),
    ];
    let item = |(ago_ms, body): (i64, _)| HistoryItem { time: NOW.plus_ms(-ago_ms), scope: Scope::new(""), body };
    [90_000, 80_000, 70_000].into_iter().zip(bodies).map(item).collect()
}

fn samples(at: u8) -> Vec<HistoryItem> {
    let measured = [(-600_000, 41_000), (-300_000, 42_500)].map(|(ago_ms, value_milli)| HistoryItem {
        time: NOW.plus_ms(ago_ms),
        scope: Scope::new("sw"),
        body: HistoryBody::Sensor(SensorSample {
            kind: SensorKind::Temperature,
            name: "board 0/1".into(),
            value_milli,
        }),
    });
    let others = MEASURED.map(|(kind, name, value_milli)| HistoryItem {
        time: NOW.plus_ms(-600_000),
        scope: Scope::new("sw"),
        body: HistoryBody::Sensor(SensorSample { kind, name: name.into(), value_milli }),
    });
    let traffic =
        [(1, "eth1", 1_000), (2, "eth1", 2_000), (1, "eth2", 3_000)].map(|(last, heard_on, bytes_out)| HistoryItem {
            time: NOW.plus_ms(-30_000),
            scope: Scope::new(heard_on),
            body: HistoryBody::Traffic(TrafficSample {
                mac: mac(at, last),
                interval_ms: 60_000,
                frames_out: 10,
                bytes_out,
                frames_in: 5,
                bytes_in: 400,
            }),
        });
    (1..=3)
        .map(|minutes_ago: u32| HistoryItem {
            // By the agent's clock, which is an hour ahead.
            time: NOW.plus_ms(3_600_000 - 60_000 * i64::from(minutes_ago)),
            scope: Scope::new("sw"),
            body: HistoryBody::Interface(InterfaceSample {
                name: "GigabitEthernet0/0/1".into(),
                in_octets: Some(u64::from(1_000 - minutes_ago)),
                out_octets: Some(70),
                in_errors: Some(1),
                out_errors: Some(0),
                in_discards: Some(2),
                out_discards: Some(3),
                ..InterfaceSample::default()
            }),
        })
        .chain(traffic)
        .chain(applications(at))
        .chain(std::iter::once(capture()))
        .chain(windows())
        .chain(detected())
        .chain(measured)
        .chain(others)
        .collect()
}
