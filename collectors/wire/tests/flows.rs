//! Flows across the wire: the bytes of version 1, every limit, and what a page costs.
//!
//! `ONENET_BLESS=1` writes the golden files anew: see `golden.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::{fs, path::PathBuf};

use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    fact::Scope,
    flow::{
        Flow, FlowCursor, FlowEnd, FlowPage, FlowPageEnd, FlowParty, FlowQuery, FlowsMissing, FlowsMissingReason,
        TcpFlow, TcpState,
    },
};
use onenet_wire::{
    AgentMessage, Asker, CentreMessage, Done, FlowsQuery, Instruction, InstructionBody, InstructionResult, Query,
    limits::{self, AGE_MS, LAST_WALL_MS},
    v1,
};
use proptest::{prelude::*, strategy::ValueTree as _};
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

fn time(age_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOON - age_ms)
}

fn cursor() -> FlowCursor {
    FlowCursor { log: 0x1122_3344_5566_7788, end: time(64_000), number: 41 }
}

/// A flow that says all that a flow can say.
fn whole() -> Flow {
    let end =
        |last, port, mac| FlowEnd { ip: [10, 1, 2, last].into(), port, mac: Some(MacAddr([0, 27, 33, 60, 77, mac])) };
    Flow {
        protocol: 6,
        originator: end(9, 50_000, 3),
        responder: end(1, 443, 1),
        vlan: Some(10),
        packets_out: 12,
        packets_in: 10,
        bytes_out: 1_800,
        bytes_in: 9_000,
        start: time(65_000),
        end: time(60_000),
        application: Some(Application::Tls),
        by_payload: true,
        name: "mail.example".to_owned(),
        tcp: Some(TcpFlow {
            state: TcpState::Finished,
            history: "ShADadFf".to_owned(),
            retransmissions_out: 1,
            retransmissions_in: 2,
            handshake_us: Some(2_500),
        }),
        interface: Some(Scope::new("eth1")),
    }
}

/// A flow that says as little as one can.
fn bare() -> Flow {
    Flow {
        protocol: 17,
        responder: FlowEnd { ip: [10, 1, 2, 8].into(), port: 12_345, mac: None },
        vlan: None,
        end: time(64_000),
        application: None,
        by_payload: false,
        name: String::new(),
        tcp: None,
        interface: None,
        ..whole()
    }
}

fn page() -> FlowPage {
    let reason = FlowsMissingReason::BeforeTheLog;
    FlowPage {
        flows: vec![whole(), bare()],
        next: Some(cursor()),
        ended: FlowPageEnd::Limit,
        kept_from: Some(time(3_600_000)),
        days: 187,
        missing: vec![FlowsMissing { reason, from: time(7_200_000), until: time(3_600_000), flows: None }],
    }
}

fn question() -> FlowsQuery {
    FlowsQuery {
        asker: Asker { principal: "li".to_owned(), reason: "通报 2026-17 核查".to_owned() },
        query: FlowQuery {
            from: time(86_400_000),
            until: time(0),
            endpoint: Some(FlowParty::Mac(MacAddr([0, 27, 33, 60, 77, 3]))),
            peer: Some(FlowParty::Ip("10.1.2.0/24".parse().unwrap())),
            port: Some(443),
            protocol: Some(6),
            application: Some(Application::Tls),
            limit: 100,
        },
        after: Some(cursor()),
    }
}

#[test]
fn the_bytes_of_version_1_are_frozen() {
    let outcome = Ok(Done { flows: Some(page()), ..Done::default() });
    let answer = AgentMessage::Result(InstructionResult { id: 5, outcome });
    let frozen = golden("flows.bin", &v1::AgentMessage::from(&answer).encode_to_vec());
    assert_eq!(AgentMessage::try_from(v1::AgentMessage::decode(&frozen[..]).unwrap()).unwrap(), answer);
    let body = InstructionBody::Query(Query::Flows(question()));
    let asked = CentreMessage::Instruction(Instruction { id: 5, body });
    let frozen = golden("flows_query.bin", &v1::CentreMessage::from(&asked).encode_to_vec());
    assert_eq!(CentreMessage::try_from(v1::CentreMessage::decode(&frozen[..]).unwrap()).unwrap(), asked);
}

/// A page of two flows, of which the second is TCP.
fn small() -> v1::FlowPage {
    v1::FlowPage {
        parties: vec![v1::FlowEnd { ip: vec![10, 0, 0, 1], mac: vec![2; 6] }],
        texts: vec!["mail.example".to_owned(), "Sh".to_owned()],
        originators: vec![0, 0],
        responders: vec![0, 0],
        protocols: vec![17, 6],
        ends_ms: vec![NOON, -5],
        durations_ms: vec![5, 0],
        names: vec![1, 0],
        tcp_states: vec![0, 1],
        histories: vec![0, 2],
        ended: 1,
        ..Default::default()
    }
}

type PageCase = (&'static str, fn(&mut v1::FlowPage), &'static str);

#[test]
fn every_broken_table_of_flows_is_named() {
    check_pages(&[
        (".page", |p| p.texts = vec!["x".repeat(255); 300], "at most 65536"),
        (".ends_ms", |p| p.ends_ms = vec![0; limits::PAGE_FLOWS + 1], "elements"),
        (".missing", |p| p.missing = vec![v1::FlowsMissing::default(); limits::PAGE_MISSING + 1], "elements"),
        (".parties", |p| p.parties = vec![p.parties[0].clone(); 2 * limits::PAGE_FLOWS + 1], "elements"),
        (".texts", |p| p.texts = vec![String::new(); 3 * limits::PAGE_FLOWS + 1], "elements"),
        (".packets_in", |p| p.packets_in = vec![1], "1 values, the table has 2 rows"),
        (".by_payload", |p| p.by_payload = vec![true; 3], "3 values"),
        (".parties[0].ip", |p| p.parties[0].ip = vec![1; 5], "4 or 16"),
        (".parties[0].mac", |p| p.parties[0].mac = vec![1; 5], "5 bytes"),
        (".ended", |p| p.ended = 0, "is 0"),
        (".kept_from_ms", |p| p.kept_from_ms = Some(LAST_WALL_MS + 1), "outside"),
        (".missing[0].reason", |p| p.missing = vec![v1::FlowsMissing::default()], "is 0"),
        (".next.end_ms", |p| p.next = Some(v1::FlowCursor { log: 1, end_ms: i64::MIN, number: 0 }), "outside"),
    ]);
}

#[test]
fn every_broken_value_of_a_flow_is_named() {
    check_pages(&[
        (".originators[1]", |p| p.originators[1] = 1, "1 is not the place"),
        (".responder_ports[0]", |p| p.responder_ports = vec![65_536, 0], "is 65536"),
        (".vlans[1]", |p| p.vlans = vec![0, 70_000], "is 70000"),
        (".protocols[0]", |p| p.protocols[0] = 256, "is 256"),
        (".ends_ms[1]", |p| p.ends_ms[1] = i64::MAX - NOON, "outside"),
        (".durations_ms[0]", |p| p.durations_ms[0] = AGE_MS + 1, "outside"),
        (".names[0]", |p| p.names[0] = 3, "3 is not the place"),
        (".names[0]", |p| p.texts[0] = "x".repeat(256), "256 bytes"),
        (".histories[1]", |p| p.texts[1] = "x".repeat(33), "33 bytes"),
        (".tcp_states[1]", |p| p.tcp_states[1] = 99, "is 99"),
    ]);
}

fn check_pages(cases: &[PageCase]) {
    let result = |page| {
        let done =
            v1::instruction_result::Outcome::Done(v1::Done { flows: Some(Box::new(page)), ..Default::default() });
        let result = v1::InstructionResult { instruction_id: 1, outcome: Some(done) };
        AgentMessage::try_from(v1::AgentMessage { body: Some(v1::agent_message::Body::Result(result)) })
    };
    assert!(result(small()).is_ok());
    for (field, break_it, problem) in cases {
        let mut page = small();
        break_it(&mut page);
        let error = result(page).unwrap_err();
        assert_eq!(error.field, format!("result.done.flows{field}"));
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn an_application_that_the_centre_does_not_know_is_told_as_not_recognised() {
    let page = FlowPage::try_from(v1::FlowPage { applications: vec![10, 250], ..small() }).unwrap();
    let applications: Vec<_> = page.flows.iter().map(|flow| flow.application).collect();
    assert_eq!(applications, [Some(Application::Tls), None]);
}

fn asked(query: v1::FlowQuery) -> Result<CentreMessage, onenet_wire::Invalid> {
    let query = v1::Query { body: Some(v1::query::Body::Flows(query)) };
    let body = Some(v1::instruction::Body::Query(query));
    let instruction = v1::centre_message::Body::Instruction(v1::Instruction { id: 1, body });
    CentreMessage::try_from(v1::CentreMessage { body: Some(instruction) })
}

fn prefix(ip: &[u8], bits: u32) -> v1::FlowParty {
    let prefix = v1::IpPrefix { ip: ip.to_vec(), bits };
    v1::FlowParty { body: Some(v1::flow_party::Body::Prefix(prefix)) }
}

#[test]
fn every_broken_field_of_a_question_for_flows_is_named() {
    type Case = (&'static str, fn(&mut v1::FlowQuery), &'static str);
    let good =
        || v1::FlowQuery { until_ms: 5, limit: 100, peer: Some(prefix(&[10, 0, 0, 0], 8)), ..Default::default() };
    assert!(asked(good()).is_ok());
    let cases: [Case; 12] = [
        ("principal", |q| q.principal = "x".repeat(256), "256 bytes"),
        ("reason", |q| q.reason = "x".repeat(1_025), "1025 bytes"),
        ("from_ms", |q| q.from_ms = LAST_WALL_MS + 1, "outside"),
        ("endpoint.body", |q| q.endpoint = Some(v1::FlowParty::default()), "is missing"),
        (
            "endpoint.mac",
            |q| q.endpoint = Some(v1::FlowParty { body: Some(v1::flow_party::Body::Mac(vec![1; 7])) }),
            "7 bytes",
        ),
        ("peer.prefix.ip", |q| q.peer = Some(prefix(&[10, 0, 0], 8)), "4 or 16"),
        ("peer.prefix.bits", |q| q.peer = Some(prefix(&[10, 0, 0, 0], 33)), "is 33"),
        ("port", |q| q.port = Some(65_536), "is 65536"),
        ("protocol", |q| q.protocol = Some(256), "is 256"),
        // Any application instead of the one that is asked for would be the answer to another question.
        ("application", |q| q.application = 255, "is 255, which this version does not know"),
        ("limit", |q| q.limit = 0, "is 0"),
        ("limit", |q| q.limit = 1_001, "is 1001"),
    ];
    for (field, break_it, problem) in cases {
        let mut query = good();
        break_it(&mut query);
        let error = asked(query).unwrap_err();
        assert_eq!(error.field, format!("instruction.query.flows.{field}"));
        assert!(error.to_string().contains(problem), "{error}");
    }
}

proptest! {
    #[test]
    fn a_flow_that_was_made_to_fit_arrives_as_it_was(
        mut flow in support::flow::flow(), long in "\\PC{300,600}", late in 0..1_000_i64,
    ) {
        flow.vlan = Some(0);
        flow.interface = Some(Scope::new(&long));
        flow.start = flow.end.plus_ms(late);
        if let Some(tcp) = &mut flow.tcp {
            tcp.history.clone_from(&long);
        }
        flow.name = long;
        limits::fit_flow(&mut flow);
        let page = FlowPage { flows: vec![flow], ..FlowPage::default() };
        prop_assert!(limits::page_fits(&page));
        prop_assert_eq!(FlowPage::try_from(v1::FlowPage::from(&page)).unwrap(), page);
    }
}

/// What a terminal does in a morning: it looks names up and fetches pages, again and again from the same few servers.
fn morning(flows: usize) -> FlowPage {
    let flow = |at: usize| {
        let (number, server) = (u16::try_from(at).unwrap(), u8::try_from(at % 12).unwrap());
        let ms = i64::try_from(at).unwrap() * 1_700;
        let (is_tcp, end, some) = (!at.is_multiple_of(3), time(ms), u64::from(number));
        let tcp = TcpFlow {
            state: TcpState::Finished,
            history: "ShADadFf".to_owned(),
            retransmissions_out: 0,
            retransmissions_in: some % 2,
            handshake_us: Some(4_000 + some),
        };
        Flow {
            protocol: if is_tcp { 6 } else { 17 },
            originator: FlowEnd { port: 49_152 + number, ..whole().originator },
            responder: FlowEnd {
                ip: [10, 1, 2, server].into(),
                port: if is_tcp { 443 } else { 53 },
                ..whole().responder
            },
            packets_out: 9 + some % 60,
            packets_in: 12 + some % 80,
            bytes_out: 1_900 + some * 7,
            bytes_in: 24_000 + some * 131,
            start: end.plus_ms(-700 - ms % 4_000),
            end,
            application: Some(if is_tcp { Application::Tls } else { Application::Dns }),
            name: format!("app{}.mee.example", at % 40),
            tcp: is_tcp.then_some(tcp),
            ..whole()
        }
    };
    FlowPage { flows: (0..flows).map(flow).collect(), ..FlowPage::default() }
}

#[test]
fn a_thousand_flows_of_a_terminal_take_under_forty_bytes_each() {
    let page = morning(limits::PAGE_FLOWS);
    let bytes = v1::FlowPage::from(&page).encoded_len();
    assert!(bytes < 40 * limits::PAGE_FLOWS, "{bytes} bytes");
    assert!(limits::page_fits(&page));
    assert!(!limits::page_fits(&morning(limits::PAGE_FLOWS + 1)));
}

#[test]
fn the_largest_flows_that_there_can_be_still_go_a_hundred_a_page() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let any = support::flow::flow().new_tree(&mut runner).unwrap().current();
    let huge = |at: u8| Flow {
        originator: FlowEnd { ip: [0xfd00, 0, 0, 0, 0, 0, 0, u16::from(at)].into(), ..whole().originator },
        responder: FlowEnd { ip: [0xfd01, 0, 0, 0, 0, 0, 0, u16::from(at)].into(), ..whole().responder },
        name: format!("{at:03}").repeat(85),
        packets_out: u64::MAX,
        packets_in: u64::MAX,
        bytes_out: u64::MAX,
        bytes_in: u64::MAX,
        tcp: Some(TcpFlow {
            history: format!("{at:032}"),
            retransmissions_out: u64::MAX,
            retransmissions_in: u64::MAX,
            handshake_us: Some(u64::MAX - 1),
            state: TcpState::Midstream,
        }),
        interface: Some(Scope::new(&format!("{at:03}").repeat(42))),
        ..any.clone()
    };
    assert!(limits::page_fits(&FlowPage { flows: (0..100).map(huge).collect(), ..FlowPage::default() }));
}
