//! Version 1 is frozen: these bytes were written by it, and must be read and written the same way for ever.
//!
//! `ONENET_BLESS=1` writes the files anew. That is right only for a message that was added; a changed file means that
//! agents in the field are no longer understood.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, net::IpAddr, path::PathBuf};

use onenet_topology::{
    AgentId, DrillId, MacAddr, Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest, Role, SensorKind,
    SensorState, SiteId, Timestamp, VlanSet,
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, DetectionSample, DetectorSample},
    application::Application,
    classify::{Claim, Concluded, Conclusion, DeviceClass, Ground, Name, OsFamily, SignKind},
    fact::{
        Address, Aggregation, Anchor, ApplicationSample, Binding, CaptureSample, Classification, Condition,
        ConditionKind, DeviceSample, Entity, Event, EventKind, Fact, FactBody, FactChange, FlowTotals, Forwarding,
        ForwardingStatus, Group, HistoryBody, HistoryItem, Host, Identification, Interface, InterfaceSample,
        InterfaceStatus, Method, Neighbour, NeighbourProtocol, NextHop, OwnAddress, PortVlans, Quirk, Reach,
        ReachState, Scope, Sensor, SensorSample, Sighting, SpanningTree, SpanningTreePort, SpanningTreeState, Station,
        System, TrafficSample, Vlan,
    },
    incident::Severity,
};
use onenet_wire::{
    Acknowledgement, AgentMessage, Asker, Batch, CaptureQuery, CentreMessage, Clocks, Content, Digest, Done,
    DrillOrder, GroupChanges, GroupDigest, Heartbeat, Hello, Instruction, InstructionBody, InstructionResult, KeyRange,
    Lane, MeasureQuery, Position, Query, Rejection, RejectionReason, Welcome, codec, fact_hash, key_hash, tls, v1,
};
use prost::Message as _;

const NOON: i64 = 1_795_420_800_000;

fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("ONENET_BLESS").is_some() {
        fs::write(&path, bytes).unwrap();
    }
    let frozen = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(bytes, frozen, "{name} is written otherwise than version 1 wrote it");
    frozen
}

fn agent(name: &str, message: &AgentMessage) {
    let frozen = golden(name, &v1::AgentMessage::from(message).encode_to_vec());
    let read = AgentMessage::try_from(v1::AgentMessage::decode(&frozen[..]).unwrap()).unwrap();
    assert_eq!(read, *message, "{name} is read otherwise than version 1 meant it");
}

fn centre(name: &str, message: &CentreMessage) {
    let frozen = golden(name, &v1::CentreMessage::from(message).encode_to_vec());
    let read = CentreMessage::try_from(v1::CentreMessage::decode(&frozen[..]).unwrap()).unwrap();
    assert_eq!(read, *message, "{name} is read otherwise than version 1 meant it");
}

fn clocks() -> Clocks {
    Clocks { boot_id: *b"0123456789abcdef", boot_ms: 86_400_000, wall_ms: NOON }
}

fn position(lane: Lane) -> Position {
    Position { lane, epoch: 0x1122_3344_5566_7788, sequence: 42 }
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0x00, 0x1b, 0x21, 0x3c, 0x4d, last])
}

fn ip(last: u8) -> IpAddr {
    [10, 1, 2, last].into()
}

fn time(age_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOON - age_ms)
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// What was added to version 1 after its first release.
fn later_facts() -> Vec<(Method, FactBody)> {
    vec![
        (
            Method::SnmpSystem,
            FactBody::Identification(Box::new(Identification {
                vendor: text("Huawei"),
                model: text("S5720-28X-LI-AC"),
                os: text("VRP"),
                version: text("5.170"),
                serial: text("2102350XYZ"),
                role: Some(Role::Switch),
            })),
        ),
        (
            Method::SnmpSensors,
            FactBody::Sensor(Sensor {
                kind: SensorKind::Temperature,
                name: text("MPU Board 0"),
                state: Some(SensorState::Warning),
            }),
        ),
        (
            Method::SnmpStations,
            FactBody::Station(Station {
                mac: mac(4),
                access_point: text("ap-3f"),
                ssid: text("office"),
                vlan: Some(30),
            }),
        ),
        (
            Method::SnmpAggregation,
            FactBody::Aggregation(Aggregation {
                member: text("GigabitEthernet0/0/1"),
                aggregate: text("Eth-Trunk1"),
                partner_system: None,
                partner_key: None,
            }),
        ),
    ]
}

/// What was added after that.
fn network_facts() -> Vec<(Method, FactBody)> {
    let forwarding = Forwarding {
        mac: mac(3),
        vlan: Some(20),
        interface: Some(text("Gi1/0/3")),
        bridge_port: 3,
        status: ForwardingStatus::Learned,
    };
    let trunk = PortVlans {
        interface: text("Gi1/0/48"),
        native: Some(1),
        tagged: (2..=4094).collect(),
        untagged: VlanSet::from_iter([1]),
    };
    let quirk = Quirk { word: text("bridge_port_unknown"), table: text("dot1dTpFdbTable"), count: Some(213) };
    let address = |last| OwnAddress { ip: ip(last), prefix_bits: Some(24), interface: text("Vlan20") };
    vec![
        (Method::SnmpVlanForwarding, FactBody::Forwarding(forwarding)),
        (Method::SnmpVlans, FactBody::Vlan(Vlan { vlan: 20, name: text("办公") })),
        (Method::SnmpOwnAddresses, FactBody::OwnAddress(address(1))),
        (Method::SnmpQuirks, FactBody::Quirk(quirk)),
        (Method::SnmpVlans, FactBody::PortVlans(trunk)),
    ]
}

/// What was added with the joints of devices: spanning tree, partners of aggregates, next hops, anchors.
fn joining_facts() -> Vec<(&'static str, Method, FactBody)> {
    let port = SpanningTreePort {
        interface: text("GE0/0/24"),
        bridge_port: 24,
        state: Some(SpanningTreeState::Blocking),
        designated_bridge: Some(mac(9)),
        designated_port: Some(0x8018),
    };
    let tree = SpanningTree { root: mac(9), root_priority: 4096, root_cost: Some(20_000), root_port: text("GE0/0/23") };
    let member = Aggregation {
        member: text("GE0/0/1"),
        aggregate: text("Eth-Trunk1"),
        partner_system: Some(mac(9)),
        partner_key: Some(17),
    };
    let hop = NextHop { ip: ip(1), interface: text("Vlanif10"), default_route: true };
    let anchor = Anchor { interface: text("eth0.10"), mac: mac(8), vlan: Some(10) };
    vec![
        ("spanning_tree", Method::SnmpSpanningTree, FactBody::SpanningTree(tree)),
        ("spanning_tree_port", Method::SnmpSpanningTree, FactBody::SpanningTreePort(port)),
        ("partner", Method::SnmpAggregation, FactBody::Aggregation(member)),
        ("next_hop", Method::SnmpRoutes, FactBody::NextHop(hop)),
        ("anchor", Method::Anchor, FactBody::Anchor(anchor)),
    ]
}

/// What an endpoint was concluded to be, which was added after that.
fn classification() -> FactBody {
    let conclusion = Conclusion {
        class: Some(Concluded { is: DeviceClass::Pc, score: 86 }),
        os: Some(Concluded { is: OsFamily::Windows, score: 98 }),
        os_version: text("10 or later"),
        model: text("OptiPlex"),
        shared: Some(70),
        names: vec![Name { name: text("财务-01"), score: 90, kinds: vec![SignKind::DhcpName, SignKind::MdnsName] }],
        grounds: vec![
            Ground {
                kind: SignKind::DhcpVendorClass,
                value: text("MSFT 5.0"),
                claim: Claim::Os(OsFamily::Windows),
                points: 50,
            },
            Ground { kind: SignKind::System, value: text("windows"), claim: Claim::Class(DeviceClass::Pc), points: 24 },
            Ground { kind: SignKind::HiddenHop, value: text("1"), claim: Claim::Shared, points: 45 },
        ],
    };
    FactBody::Classification(Classification { mac: mac(3), conclusion: conclusion.into() })
}

/// A way that is measured, which was added after that.
fn probe() -> FactBody {
    FactBody::Probe(Box::new(Probe {
        name: text("up-1"),
        target: text("10.1.0.1:862"),
        kind: ProbeKind::Stamp,
        role: ProbeRole::Parent,
        site: text("510100"),
        state: ProbeState::Degraded,
        detail: text("3 % lost"),
    }))
}

/// What that measured.
fn probe_item() -> HistoryItem {
    let body = ProbeSample {
        name: text("up-1"),
        test: ProbeTest::Regular,
        interval_ms: 60_000,
        sent: 60,
        lost: 2,
        duplicated: 1,
        reordered: 3,
        round_trip_min_us: Some(9_800),
        round_trip_median_us: Some(10_100),
        round_trip_p95_us: Some(14_000),
        round_trip_max_us: Some(31_000),
        jitter_us: Some(420),
        lost_out: Some(2),
        lost_back: Some(0),
        delay_out_us: None,
        delay_back_us: None,
        jitter_out_us: Some(300),
        jitter_back_us: Some(120),
        path_mtu: Some(1_500),
        mos_centi: Some(438),
        rate_sent_kbit: None,
        rate_out_kbit: None,
        rate_back_kbit: None,
        certificate_ends_ms: Some(NOON),
    };
    HistoryItem { time: time(0), scope: Scope::new(""), body: HistoryBody::Probe(body) }
}

/// One fact of each kind, by the method that observes it.
fn facts() -> Vec<(Method, FactBody)> {
    [device_facts(), table_facts(), passive_facts()].concat()
}

fn device_facts() -> Vec<(Method, FactBody)> {
    vec![
        (
            Method::SnmpReach,
            FactBody::Reach(Reach {
                state: ReachState::Refusing,
                detail: text("v2c: no such user"),
                target: text("10.1.2.1:161"),
            }),
        ),
        (
            Method::SnmpSystem,
            FactBody::System(Box::new(System {
                name: text("core"),
                description: text("Huawei Versatile Routing Platform"),
                object_id: text("1.3.6.1.4.1.2011.2.23.291"),
                contact: text("信息中心"),
                location: text("三楼"),
                bridge_mac: Some(mac(1)),
                engine_id: vec![0x80, 0, 7, 0xdb, 3],
                chassis_id: text("00:1b:21:3c:4d:01"),
            })),
        ),
        (
            Method::SnmpInterfaces,
            FactBody::Interface(Interface {
                name: text("GigabitEthernet0/0/1"),
                if_index: 6,
                alias: text("uplink"),
                if_type: 6,
                mac: Some(mac(2)),
                speed_bps: Some(1_000_000_000),
                full_duplex: Some(true),
                last_change_s: Some(86_400),
                admin: InterfaceStatus::Up,
                oper: InterfaceStatus::LowerLayerDown,
            }),
        ),
    ]
}

fn table_facts() -> Vec<(Method, FactBody)> {
    vec![
        (
            Method::SnmpForwarding,
            FactBody::Forwarding(Forwarding {
                mac: mac(3),
                vlan: Some(10),
                interface: Some(text("GigabitEthernet0/0/1")),
                bridge_port: 1,
                status: ForwardingStatus::Learned,
            }),
        ),
        (Method::SnmpAddresses, FactBody::Address(Address { ip: ip(9), interface: text("Vlanif10"), mac: mac(3) })),
        (
            Method::SnmpNeighbours,
            FactBody::Neighbour(Box::new(Neighbour {
                capabilities: 0,
                protocol: NeighbourProtocol::Cdp,
                local_interface: text("GigabitEthernet0/0/2"),
                chassis_id: text("access-1"),
                port_id: text("Gi1/0/48"),
                port_description: text("to core"),
                system_name: text("access-1"),
                system_description: text("S5720"),
                management_addresses: vec![ip(2), [0xfe80, 0, 0, 0, 0, 0, 0, 1].into()],
            })),
        ),
        (
            Method::SnmpEntities,
            FactBody::Entity(Box::new(Entity {
                index: 67_108_867,
                class: 3,
                name: text("S5720"),
                description: text("chassis"),
                serial: text("2102350XYZ"),
                model: text("S5720-28X"),
                software_revision: text("V200R010"),
            })),
        ),
    ]
}

fn passive_facts() -> Vec<(Method, FactBody)> {
    vec![
        (Method::PassiveFrames, FactBody::Sighting(Sighting { mac: mac(3), vlan: None })),
        (Method::PassiveArp, FactBody::Binding(Binding { mac: mac(3), ip: ip(9) })),
        (
            Method::PassiveDhcp,
            FactBody::Host(Box::new(Host {
                mac: mac(3),
                hostname: text("office-pc"),
                vendor_class: text("MSFT 5.0"),
                parameter_list: vec![1, 3, 6, 15],
                client_id: vec![1, 0, 0x1b],
            })),
        ),
        (
            Method::Agent,
            FactBody::Condition(Condition {
                kind: ConditionKind::CaptureFailed,
                subject: text("eth0"),
                detail: text("no right to capture"),
            }),
        ),
    ]
}

fn group(method: Method) -> Group {
    Group { method, scope: Scope::new("core") }
}

fn state_batch(facts: Vec<(Method, FactBody)>) -> Batch {
    let groups = facts.into_iter().enumerate().map(|(index, (method, body))| {
        let observed = time(1_000 * i64::try_from(index).unwrap());
        let gone = FactChange::Gone { key: body.key(), observed };
        let changes = vec![FactChange::Present(Fact { observed, body }), gone];
        let complete = (index % 3 == 0).then_some(KeyRange { first: 1, last: u64::MAX });
        GroupChanges { group: group(method), changes, complete }
    });
    Batch { position: position(Lane::State), clocks: clocks(), content: Content::State(groups.collect()) }
}

fn history_items() -> Vec<HistoryItem> {
    let item = |age, body| HistoryItem { time: time(age), scope: Scope::new("core"), body };
    vec![
        item(
            60_000,
            HistoryBody::Interface(InterfaceSample {
                name: text("GigabitEthernet0/0/1"),
                in_octets: Some(1 << 40),
                out_octets: Some(0),
                in_errors: None,
                out_errors: Some(1),
                in_discards: Some(2),
                out_discards: None,
                in_packets: Some(3),
                out_packets: Some(4),
            }),
        ),
        item(
            60_000,
            HistoryBody::Device(DeviceSample {
                uptime_ms: Some(123_456_789),
                round_trip_us: Some(2_500),
                requests: 9,
                requests_lost: 1,
            }),
        ),
        item(
            5_000,
            HistoryBody::Traffic(TrafficSample {
                mac: mac(3),
                interval_ms: 60_000,
                frames_out: 1,
                bytes_out: 64,
                frames_in: 2,
                bytes_in: 128,
            }),
        ),
        item(
            5_000,
            HistoryBody::Capture(CaptureSample {
                frames_seen: 1_000,
                frames_dropped_by_kernel: 2,
                frames_undecoded: 3,
                endpoints_evicted: 4,
                flows_lost: 5,
                undecoded: [(text("arp_short"), 1), (text("vlan_short"), 2)].into(),
                ..CaptureSample::default()
            }),
        ),
        item(
            0,
            HistoryBody::Event(Event {
                kind: EventKind::HistoryLost,
                subject: text("history"),
                detail: text("cap"),
                count: 7,
            }),
        ),
    ]
}

fn anomaly_items() -> [HistoryItem; 2] {
    let report = AnomalyReport {
        key: AnomalyKey { kind: "port_scan".into(), subject: "10.20.30.40".into() },
        grade: Severity::Considerable,
        confidence: 90,
        lasted_ms: 20_000,
        count: 64,
        run: 0x0102_0304_0506_0708,
        evidence: vec![AnomalyEvidence { is: "ports".into(), value: "1-64".into() }],
        drill: None,
    };
    let detector = DetectorSample {
        kind: "dark_address".into(),
        off: "no dark prefix is listed".into(),
        last_run_age_ms: Some(1_500),
        inputs: 4_000,
        found: 2,
        evicted: 1,
    };
    let sample = DetectionSample { detectors: vec![detector], dropped: 7 };
    [HistoryBody::Anomaly(report), HistoryBody::Detection(sample)].map(|body| HistoryItem {
        time: time(0),
        scope: Scope::new(""),
        body,
    })
}

fn sensor_item() -> HistoryItem {
    let body = SensorSample { kind: SensorKind::OpticalReceive, name: text("XGE0/0/1"), value_milli: -7_250 };
    HistoryItem { time: time(0), scope: Scope::new("core"), body: HistoryBody::Sensor(body) }
}

/// What an endpoint did with an application, and what the others did that have no sample of their own.
fn application_items() -> Vec<HistoryItem> {
    let totals = FlowTotals {
        flows_out: 3,
        flows_in: 1,
        packets_out: 200,
        packets_in: 300,
        bytes_out: 12_000,
        bytes_in: 400_000,
    };
    let item = |mac, application| HistoryItem {
        time: time(0),
        scope: Scope::new("eth1"),
        body: HistoryBody::Application(ApplicationSample { mac, application, interval_ms: 900_000, totals }),
    };
    vec![item(Some(mac(3)), Some(Application::Tls)), item(None, None)]
}

#[test]
fn what_version_1_agents_say_is_frozen() {
    let lanes = vec![position(Lane::State), position(Lane::History)];
    agent(
        "hello.bin",
        &AgentMessage::Hello(Hello {
            agent: AgentId::from_raw(0x2a0_0001),
            site: SiteId::from_raw(0x2a0_0002),
            version: text("0.1.0"),
            clocks: clocks(),
            lanes,
            configuration_revision: 3,
        }),
    );
    agent("state.bin", &AgentMessage::Batch(state_batch(facts())));
    agent("state_later.bin", &AgentMessage::Batch(state_batch(later_facts())));
    agent("state_network.bin", &AgentMessage::Batch(state_batch(network_facts())));
    let classified = vec![(Method::PassiveClassification, classification())];
    agent("state_classification.bin", &AgentMessage::Batch(state_batch(classified)));
    let joining = joining_facts().into_iter().map(|(_, method, body)| (method, body)).collect();
    agent("state_joining.bin", &AgentMessage::Batch(state_batch(joining)));
    agent("state_probe.bin", &AgentMessage::Batch(state_batch(vec![(Method::Probe, probe())])));
    let content = Content::History(history_items());
    agent("history.bin", &AgentMessage::Batch(Batch { position: position(Lane::History), clocks: clocks(), content }));
    let content = Content::History(application_items());
    let applications = Batch { position: position(Lane::History), clocks: clocks(), content };
    agent("history_applications.bin", &AgentMessage::Batch(applications));
    let content = Content::History(anomaly_items().into());
    let anomalies = Batch { position: position(Lane::History), clocks: clocks(), content };
    agent("history_anomalies.bin", &AgentMessage::Batch(anomalies));
    let content = Content::History(vec![probe_item()]);
    let probes = Batch { position: position(Lane::History), clocks: clocks(), content };
    agent("history_probe.bin", &AgentMessage::Batch(probes));
    let groups = vec![GroupDigest { group: group(Method::PassiveNd), count: 2, sum: 0xdead_beef }];
    agent("digest.bin", &AgentMessage::Digest(Digest { state: position(Lane::State), groups }));
    let outcome = Ok(Done { body: b"{}".to_vec(), configuration_revision: 4, flows: None });
    agent("done.bin", &AgentMessage::Result(InstructionResult { id: 5, outcome }));
    agent("failed.bin", &AgentMessage::Result(InstructionResult { id: 5, outcome: Err(text("no such device")) }));
    agent("heartbeat.bin", &AgentMessage::Heartbeat(Heartbeat { clocks: clocks(), history_waiting: 6 }));
}

#[test]
fn what_the_centre_of_version_1_says_is_frozen() {
    let committed = vec![position(Lane::State), position(Lane::History)];
    centre(
        "welcome.bin",
        &CentreMessage::Welcome(Welcome { centre_time: time(0), committed, site_name: text("某县") }),
    );
    let acknowledgement = Acknowledgement { position: position(Lane::History) };
    centre("acknowledgement.bin", &CentreMessage::Acknowledgement(acknowledgement));
    let reasons = [RejectionReason::Invalid, RejectionReason::EpochRetired, RejectionReason::Gap];
    for (reason, name) in reasons.into_iter().zip(["invalid.bin", "retired.bin", "gap.bin"]) {
        let rejection =
            Rejection { position: position(Lane::State), reason, detail: text("field position.lane: is 9") };
        centre(name, &CentreMessage::Rejection(rejection));
    }
    let instruction = |body| CentreMessage::Instruction(Instruction { id: 5, body });
    let configure = InstructionBody::Configure { revision: 4, toml: text("[snmp]\n") };
    centre("configure.bin", &instruction(configure));
    // The methods of the first release; later ones stand behind them.
    let methods = Method::ALL.into_iter().take(13).map(group).collect();
    centre("resync.bin", &instruction(InstructionBody::Resync(methods)));
    centre("status.bin", &instruction(InstructionBody::Query(Query::Status)));
    let measure = MeasureQuery {
        principal: text("li"),
        probe: text("up-1"),
        test: ProbeTest::Throughput,
        kbit_per_s: 2_000,
        seconds: 5,
    };
    centre("measure.bin", &instruction(InstructionBody::Query(Query::Measure(measure))));
    let asker = Asker { principal: text("li"), reason: text("a case") };
    let file = text("20261129T081200000Z-port_scan-10.20.0.66.pcapng");
    let capture = CaptureQuery { asker, file, offset: 65_536, bytes_max: 0 };
    centre("capture.bin", &instruction(InstructionBody::Query(Query::Capture(capture.clone()))));
    let small = CaptureQuery { bytes_max: 16_384, ..capture };
    centre("capture_small.bin", &instruction(InstructionBody::Query(Query::Capture(small))));
    let report = AnomalyReport {
        key: AnomalyKey { kind: "port_scan".into(), subject: "10.20.30.40".into() },
        grade: Severity::Considerable,
        confidence: 100,
        lasted_ms: 20_000,
        count: 1,
        run: 0x0102_0304_0506_0708,
        evidence: vec![AnomalyEvidence { is: "source".into(), value: "10.20.30.40".into() }],
        drill: Some(DrillId::from_raw(0x0102_0304_0506_0708)),
    };
    let asker = Asker { principal: text("li"), reason: text("autumn drill") };
    centre("drill.bin", &instruction(InstructionBody::Drill(Box::new(DrillOrder { asker, report: report.clone() }))));
    let item = HistoryItem { time: time(0), scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    let content = Content::History(vec![item]);
    agent(
        "history_drill.bin",
        &AgentMessage::Batch(Batch { position: position(Lane::History), clocks: clocks(), content }),
    );
    centre("inspect.bin", &instruction(InstructionBody::Query(Query::Inspect { device: text("core") })));
}

#[test]
fn what_version_1_stores_is_frozen() {
    for (method, body) in facts().into_iter().chain(later_facts().into_iter().skip(1)) {
        let fact = Fact { observed: time(0), body };
        let frozen = golden(&format!("stored_{method}.bin"), &codec::encode_fact(&fact));
        assert_eq!(codec::decode_fact(&frozen).unwrap(), fact);
    }
    for (method, body) in network_facts() {
        let name = if matches!(body, FactBody::PortVlans(_)) { "port_vlans" } else { method.name() };
        let fact = Fact { observed: time(0), body };
        let frozen = golden(&format!("stored_{name}.bin"), &codec::encode_fact(&fact));
        assert_eq!(codec::decode_fact(&frozen).unwrap(), fact);
    }
    for (name, _, body) in joining_facts() {
        let fact = Fact { observed: time(0), body };
        let frozen = golden(&format!("stored_{name}.bin"), &codec::encode_fact(&fact));
        assert_eq!(codec::decode_fact(&frozen).unwrap(), fact);
    }
    let fact = Fact { observed: time(0), body: classification() };
    let frozen = golden("stored_passive_classification.bin", &codec::encode_fact(&fact));
    assert_eq!(codec::decode_fact(&frozen).unwrap(), fact);
    let fact = Fact { observed: time(0), body: probe() };
    let frozen = golden("stored_probe.bin", &codec::encode_fact(&fact));
    assert_eq!(codec::decode_fact(&frozen).unwrap(), fact);
    let frozen = golden("stored_history_probe.bin", &codec::encode_history(&probe_item()));
    assert_eq!(codec::decode_history(&frozen).unwrap(), probe_item());
    let names = ["interface", "device", "traffic", "capture", "event", "sensor", "application"];
    for (item, name) in history_items().into_iter().chain([sensor_item()]).chain(application_items()).zip(names) {
        let frozen = golden(&format!("stored_history_{name}.bin"), &codec::encode_history(&item));
        assert_eq!(codec::decode_history(&frozen).unwrap(), item);
    }
}

#[test]
fn the_hashes_by_which_both_sides_compare_are_frozen() {
    let line = |(method, body): (Method, FactBody)| {
        format!("{method} key {:016x} fact {:016x}\n", key_hash(&body.key()), fact_hash(&group(method), &body))
    };
    let lines: String = facts().into_iter().map(line).collect();
    golden("digest.txt", lines.as_bytes());
    let later: String = later_facts().into_iter().map(line).collect();
    golden("digest_later.txt", later.as_bytes());
    let network: String = network_facts().into_iter().map(line).collect();
    golden("digest_network.txt", network.as_bytes());
    let classified = line((Method::PassiveClassification, classification()));
    golden("digest_classification.txt", classified.as_bytes());
    let joining: String = joining_facts().into_iter().map(|(_, method, body)| line((method, body))).collect();
    golden("digest_joining.txt", joining.as_bytes());
    golden("digest_probe.txt", line((Method::Probe, probe())).as_bytes());
}

#[test]
fn the_schema_is_frozen_to_the_field_number() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("proto/onenet/wire/v1/wire.proto");
    let schema = fs::read_to_string(path).unwrap();
    let statements: Vec<String> = schema
        .lines()
        .map(|line| line.split("//").next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    let hash = tls::sha256(statements.join("\n").as_bytes());
    golden("schema.txt", format!("{}\n", tls::Fingerprint(hash)).as_bytes());
}
