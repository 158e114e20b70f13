//! Every limit refuses what breaks it, and names the field.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use onenet_wire::{
    AgentMessage, Batch, CentreMessage, Content, EnrolRequest, EnrolResponse, Invalid, Problem,
    limits::{self, AGE_MS, LAST_WALL_MS},
    v1,
};

type Change = (&'static str, fn(&mut v1::Batch), &'static str);

fn clocks() -> v1::Clocks {
    v1::Clocks { boot_id: vec![1; 16], boot_ms: 5_000, wall_ms: 1_795_420_800_000 }
}

fn position(lane: v1::Lane) -> v1::LanePosition {
    v1::LanePosition { lane: lane.into(), epoch: 7, sequence: 1 }
}

fn state() -> v1::Batch {
    let forwarding = v1::Forwarding {
        mac: vec![2; 6],
        vlan: 10,
        interface: "ge-0/0/1".to_owned(),
        bridge_port: 1,
        status: v1::ForwardingStatus::Learned.into(),
    };
    let change = v1::FactChange { age_ms: 1, gone: false, body: Some(v1::fact_change::Body::Forwarding(forwarding)) };
    let group = v1::FactGroup {
        method: v1::Method::SnmpForwarding.into(),
        scope: "core".to_owned(),
        changes: vec![change; 2],
        complete: None,
    };
    v1::Batch {
        position: Some(position(v1::Lane::State)),
        clocks: Some(clocks()),
        groups: vec![group],
        history: vec![],
    }
}

fn history() -> v1::Batch {
    let event = v1::Event { kind: v1::EventKind::LinkUp.into(), ..Default::default() };
    let group = v1::HistoryGroup { scope: "core".to_owned(), age_ms: 1, events: vec![event], ..Default::default() };
    v1::Batch {
        position: Some(position(v1::Lane::History)),
        clocks: Some(clocks()),
        groups: vec![],
        history: vec![group],
    }
}

fn refused(batch: v1::Batch) -> Invalid {
    let message = v1::AgentMessage { body: Some(v1::agent_message::Body::Batch(batch)) };
    AgentMessage::try_from(message).expect_err("it must be refused")
}

fn forwarding(batch: &mut v1::Batch) -> &mut v1::Forwarding {
    match batch.groups[0].changes[1].body.as_mut() {
        Some(v1::fact_change::Body::Forwarding(forwarding)) => forwarding,
        _ => unreachable!("made above"),
    }
}

fn set(batch: &mut v1::Batch, body: v1::fact_change::Body) {
    batch.groups[0].changes[1].body = Some(body);
}

#[test]
fn the_batches_that_the_other_tests_break_are_good() {
    for batch in [state(), history()] {
        let message = v1::AgentMessage { body: Some(v1::agent_message::Body::Batch(batch)) };
        AgentMessage::try_from(message).unwrap();
    }
}

#[test]
fn every_broken_field_of_a_state_batch_is_named() {
    let cases: Vec<Change> = vec![
        ("position", |b| b.position = None, "is missing"),
        ("position.lane", |b| b.position.as_mut().unwrap().lane = 0, "is missing"),
        ("position.lane", |b| b.position.as_mut().unwrap().lane = 9, "is 9"),
        ("position.sequence", |b| b.position.as_mut().unwrap().sequence = 0, "is 0"),
        ("clocks", |b| b.clocks = None, "is missing"),
        ("clocks.boot_id", |b| b.clocks.as_mut().unwrap().boot_id = vec![1; 15], "is 15 bytes"),
        ("clocks.boot_ms", |b| b.clocks.as_mut().unwrap().boot_ms = AGE_MS + 1, "outside"),
        ("clocks.wall_ms", |b| b.clocks.as_mut().unwrap().wall_ms = -1, "is -1"),
        ("clocks.wall_ms", |b| b.clocks.as_mut().unwrap().wall_ms = LAST_WALL_MS + 1, "outside"),
        ("groups", |b| b.groups.clear(), "is missing"),
        ("groups", |b| b.groups = vec![b.groups[0].clone(); limits::BATCH_GROUPS + 1], "elements"),
        (
            "changes",
            |b| b.groups[0].changes = vec![b.groups[0].changes[0].clone(); limits::BATCH_CHANGES + 1],
            "elements",
        ),
        ("history", |b| b.history = history().history, "does not belong"),
        ("groups[0].method", |b| b.groups[0].method = 0, "is missing"),
        ("groups[0].method", |b| b.groups[0].method = 99, "is 99"),
        ("groups[0].scope", |b| b.groups[0].scope = "x".repeat(limits::SCOPE_BYTES + 1), "129 bytes"),
        ("groups[0].complete.last", |b| b.groups[0].complete = Some(v1::KeyRange { first: 2, last: 1 }), "is 1"),
        ("groups[0].changes[1].age_ms", |b| b.groups[0].changes[1].age_ms = AGE_MS + 1, "outside"),
        ("groups[0].changes[1].body", |b| b.groups[0].changes[1].body = None, "is missing"),
        ("groups[0].changes[1].forwarding.mac", |b| forwarding(b).mac = vec![1; 5], "is 5 bytes"),
        ("groups[0].changes[1].forwarding.vlan", |b| forwarding(b).vlan = 65_536, "is 65536"),
        ("groups[0].changes[1].forwarding.interface", |b| forwarding(b).interface = "x".repeat(256), "256 bytes"),
        ("groups[0].changes[1].forwarding.status", |b| forwarding(b).status = 0, "is missing"),
        ("groups[0].changes[1].forwarding.status", |b| forwarding(b).status = 6, "is 6"),
    ];
    check(state, cases);
}

#[test]
fn every_broken_field_of_a_fact_is_named() {
    use v1::fact_change::Body;
    let cases: Vec<Change> = vec![
        ("reach.state", |b| set(b, Body::Reach(v1::Reach::default())), "is missing"),
        (
            "reach.detail",
            |b| {
                set(
                    b,
                    Body::Reach(v1::Reach {
                        state: 1,
                        detail: "x".repeat(limits::TEXT_BYTES + 1),
                        target: String::new(),
                    }),
                );
            },
            "1025 bytes",
        ),
        (
            "system.bridge_mac",
            |b| set(b, Body::System(v1::System { bridge_mac: vec![1], ..Default::default() })),
            "1 bytes",
        ),
        (
            "system.engine_id",
            |b| {
                set(b, Body::System(v1::System { engine_id: vec![1; 256], ..Default::default() }));
            },
            "256 bytes",
        ),
        ("interface.admin", |b| set(b, Body::Interface(v1::Interface::default())), "is missing"),
        ("address.ip", |b| set(b, Body::Address(v1::Address { ip: vec![1; 5], ..Default::default() })), "4 or 16"),
        ("neighbour.protocol", |b| set(b, Body::Neighbour(v1::Neighbour::default())), "is missing"),
        (
            "neighbour.management_addresses",
            |b| {
                let management_addresses = vec![vec![1; 4]; 17];
                set(b, Body::Neighbour(v1::Neighbour { protocol: 1, management_addresses, ..Default::default() }));
            },
            "17 elements",
        ),
        (
            "neighbour.management_addresses[1]",
            |b| {
                let management_addresses = vec![vec![1; 4], vec![1; 3]];
                set(b, Body::Neighbour(v1::Neighbour { protocol: 1, management_addresses, ..Default::default() }));
            },
            "3 bytes",
        ),
    ];
    check_fact(cases);
}

#[test]
fn every_broken_field_of_a_passive_fact_is_named() {
    use v1::fact_change::Body;
    let cases: Vec<Change> = vec![
        (
            "entity.serial",
            |b| {
                set(b, Body::Entity(v1::Entity { serial: "x".repeat(256), ..Default::default() }));
            },
            "256 bytes",
        ),
        ("sighting.mac", |b| set(b, Body::Sighting(v1::Sighting::default())), "0 bytes"),
        ("binding.ip", |b| set(b, Body::Binding(v1::Binding { mac: vec![1; 6], ip: vec![] })), "0 bytes"),
        (
            "host.client_id",
            |b| {
                set(b, Body::Host(v1::Host { mac: vec![1; 6], client_id: vec![1; 256], ..Default::default() }));
            },
            "256 bytes",
        ),
        ("condition.kind", |b| set(b, Body::Condition(v1::Condition { kind: 77, ..Default::default() })), "is 77"),
    ];
    check_fact(cases);
}

fn check_fact(cases: Vec<Change>) {
    for (field, break_it, problem) in cases {
        let mut batch = state();
        break_it(&mut batch);
        let error = refused(batch);
        assert_eq!(error.field, format!("groups[0].changes[1].{field}"));
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn every_broken_field_of_a_history_batch_is_named() {
    let cases: Vec<Change> = vec![
        ("history", |b| b.history.clear(), "is missing"),
        ("groups", |b| b.groups = state().groups, "does not belong"),
        ("history", |b| b.history = vec![v1::HistoryGroup::default(); limits::BATCH_ITEMS + 1], "elements"),
        (
            "history",
            |b| {
                b.history[0].devices = vec![v1::DeviceSample::default(); limits::BATCH_ITEMS];
            },
            "4097 elements",
        ),
        ("history[0].scope", |b| b.history[0].scope = "x".repeat(129), "129 bytes"),
        ("history[0].age_ms", |b| b.history[0].age_ms = u64::MAX, "outside"),
        ("history[0].traffic[0].mac", |b| b.history[0].traffic = vec![v1::TrafficSample::default()], "0 bytes"),
        (
            "history[0].interfaces[0].name",
            |b| {
                b.history[0].interfaces = vec![v1::InterfaceSample { name: "x".repeat(256), ..Default::default() }];
            },
            "256 bytes",
        ),
        (
            "history[0].applications[0].mac",
            |b| b.history[0].applications = vec![v1::ApplicationSample { mac: vec![1; 5], ..Default::default() }],
            "5 bytes",
        ),
        ("history[0].events[0].kind", |b| b.history[0].events[0].kind = 0, "is missing"),
        ("history[0].events[0].detail", |b| b.history[0].events[0].detail = "x".repeat(1_025), "1025 bytes"),
    ];
    check(history, cases);
}

fn check(good: fn() -> v1::Batch, cases: Vec<Change>) {
    for (field, break_it, problem) in cases {
        let mut batch = good();
        break_it(&mut batch);
        let error = refused(batch);
        assert_eq!(error.field, field);
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn a_batch_over_its_bytes_is_refused_whole_and_does_not_count_as_fitting() {
    let mut batch = state();
    let text = v1::Interface { name: "x".repeat(200), alias: "y".repeat(200), admin: 1, oper: 1, ..Default::default() };
    batch.groups[0].changes =
        vec![v1::FactChange { age_ms: 0, gone: false, body: Some(v1::fact_change::Body::Interface(text)) }; 700];
    assert_eq!(refused(batch.clone()).field, "batch");
    batch.groups[0].changes.truncate(600);
    let message = v1::AgentMessage { body: Some(v1::agent_message::Body::Batch(batch)) };
    let Ok(AgentMessage::Batch(mut batch)) = AgentMessage::try_from(message) else { panic!("it must be accepted") };
    assert!(batch.fits());
    let onenet_wire::Content::State(groups) = &mut batch.content else { panic!("another lane") };
    let more = groups[0].changes.clone();
    groups[0].changes.extend(more);
    assert!(!batch.fits());
}

#[test]
fn every_broken_field_of_the_other_messages_is_named() {
    use v1::{agent_message::Body, centre_message::Body as CentreBody};
    let agent = |body| AgentMessage::try_from(v1::AgentMessage { body: Some(body) }).unwrap_err().field;
    let centre = |body| CentreMessage::try_from(v1::CentreMessage { body: Some(body) }).unwrap_err().field;

    assert_eq!(AgentMessage::try_from(v1::AgentMessage { body: None }).unwrap_err().problem, Problem::Missing);
    let hello = v1::Hello { clocks: Some(clocks()), ..Default::default() };
    let version = v1::Hello { version: "x".repeat(65), ..hello.clone() };
    assert_eq!(agent(Body::Hello(version)), "hello.version");
    let twice = v1::Hello { lanes: vec![position(v1::Lane::State); 2], ..hello.clone() };
    assert_eq!(agent(Body::Hello(twice)), "hello.lanes[1].lane");
    let many = v1::Hello { lanes: vec![position(v1::Lane::State); 3], ..hello };
    assert_eq!(agent(Body::Hello(many)), "hello.lanes");
    let groups = vec![v1::GroupDigest { method: 1, ..Default::default() }; limits::DIGEST_GROUPS + 1];
    assert_eq!(agent(Body::Digest(v1::Digest { state: Some(position(v1::Lane::State)), groups })), "digest.groups");
    let error = Some(v1::instruction_result::Outcome::Error("x".repeat(1_025)));
    assert_eq!(agent(Body::Result(v1::InstructionResult { instruction_id: 1, outcome: error })), "result.error");
    let body = vec![0; limits::RESULT_BYTES + 1];
    let done = Some(v1::instruction_result::Outcome::Done(v1::Done { body, ..Default::default() }));
    assert_eq!(agent(Body::Result(v1::InstructionResult { instruction_id: 1, outcome: done })), "result.done.body");
    assert_eq!(agent(Body::Heartbeat(v1::Heartbeat::default())), "heartbeat.clocks");

    let welcome = v1::Welcome { centre_ms: -1, ..Default::default() };
    assert_eq!(centre(CentreBody::Welcome(welcome)), "welcome.centre_ms");
    let acknowledgement = v1::Acknowledgement { position: None };
    assert_eq!(centre(CentreBody::Acknowledgement(acknowledgement)), "acknowledgement.position");
    let rejection = v1::Rejection { position: Some(position(v1::Lane::State)), ..Default::default() };
    assert_eq!(centre(CentreBody::Rejection(rejection)), "rejection.reason");
    let toml = "x".repeat(limits::CONFIGURATION_BYTES + 1);
    let configure = Some(v1::instruction::Body::Configure(v1::Configure { revision: 1, toml }));
    assert_eq!(
        centre(CentreBody::Instruction(v1::Instruction { id: 1, body: configure })),
        "instruction.configure.toml"
    );
    let inspect = v1::query::Body::Inspect(v1::InspectQuery { device: "x".repeat(129) });
    let query = Some(v1::instruction::Body::Query(v1::Query { body: Some(inspect) }));
    let instruction = v1::Instruction { id: 1, body: query };
    assert_eq!(centre(CentreBody::Instruction(instruction)), "instruction.query.inspect.device");
}

#[test]
fn every_broken_field_of_an_enrolment_is_named() {
    let request = |token: usize, certificate: usize| v1::EnrolRequest {
        token: "x".repeat(token),
        certificate_request: vec![0; certificate],
        version: String::new(),
    };
    let field = |request: v1::EnrolRequest| EnrolRequest::try_from(request).unwrap_err().field;
    assert_eq!(field(request(limits::TOKEN_BYTES + 1, 0)), "token");
    assert_eq!(field(request(0, limits::CERTIFICATE_BYTES + 1)), "certificate_request");
    let response = v1::EnrolResponse { certificate_chain: vec![vec![]; 9], ..Default::default() };
    assert_eq!(EnrolResponse::try_from(response).unwrap_err().field, "certificate_chain");
    let response = v1::EnrolResponse { certificate_chain: vec![vec![0; 16_385]], ..Default::default() };
    assert_eq!(EnrolResponse::try_from(response).unwrap_err().field, "certificate_chain[0]");
}

#[test]
fn a_refused_enrolment_printed_for_debugging_does_not_show_its_token() {
    let request = EnrolRequest { token: "hunter2".to_owned(), certificate_request: vec![], version: "1".to_owned() };
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn a_batch_whose_samples_are_of_kinds_that_are_not_known_here_moves_its_lane_and_says_nothing() {
    let unknown = v1::HistoryGroup { scope: "eth0".into(), age_ms: 9, ..Default::default() };
    let batch = v1::Batch {
        position: Some(position(v1::Lane::History)),
        clocks: Some(clocks()),
        groups: Vec::new(),
        history: vec![unknown],
    };
    let read = Batch::try_from(batch).expect("it is a batch");
    assert_eq!(read.content, Content::History(Vec::new()));
    assert_eq!(Batch::try_from(v1::Batch::from(&read)), Ok(read));
}
