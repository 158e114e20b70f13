//! Questions for flows, put to agents that a test plays.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use hyper::StatusCode;
use onenet_topology::{
    application::Application,
    fact::Scope,
    flow::{
        Flow, FlowCursor, FlowEnd, FlowPage, FlowPageEnd, FlowParty, FlowQuery, FlowsMissing, FlowsMissingReason,
        TcpFlow, TcpState,
    },
};
use onenet_wire::{Asker, FlowsQuery};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{NOW, World, mac},
};

/// A flow of the county's first endpoint that ended so many milliseconds ago.
pub(crate) fn flow(ago_ms: i64) -> Flow {
    let end = |last, port, mac| FlowEnd { ip: [192, 168, 1, last].into(), port, mac };
    Flow {
        protocol: 6,
        originator: end(50, 50_123, Some(mac(1, 1))),
        responder: end(1, 443, Some(mac(1, 2))),
        vlan: Some(10),
        packets_out: 12,
        packets_in: 10,
        bytes_out: 1_800,
        bytes_in: 9_000,
        start: NOW.plus_ms(-ago_ms - 5_000),
        end: NOW.plus_ms(-ago_ms),
        application: Some(Application::Tls),
        by_payload: true,
        name: "mail.example".to_owned(),
        tcp: Some(TcpFlow {
            state: TcpState::Finished,
            history: "ShADadFf".to_owned(),
            retransmissions_out: 1,
            retransmissions_in: 0,
            handshake_us: Some(2_500),
        }),
        interface: Some(Scope::new("eth1")),
    }
}

pub(crate) fn page(flows: Vec<Flow>, next: Option<FlowCursor>) -> FlowPage {
    let missing = FlowsMissing {
        reason: FlowsMissingReason::BeforeTheLog,
        from: NOW.plus_ms(-7_200_000),
        until: NOW.plus_ms(-3_600_000),
        flows: None,
    };
    let ended = if next.is_some() { FlowPageEnd::Limit } else { FlowPageEnd::All };
    FlowPage { flows, next, ended, kept_from: Some(NOW.plus_ms(-3_600_000)), days: 187, missing: vec![missing] }
}

const ASK: &str = "/api/v1/sites/130102/flows?reason=case+2026-17";

/// Entries of the trail about flows, as the county's audit administrator reads them.
async fn trail(world: &World) -> Vec<Value> {
    let auditor = world.token(Role::AuditAdministrator, Some("130102")).await;
    trail_by(world, &auditor).await
}

async fn trail_by(world: &World, auditor: &str) -> Vec<Value> {
    let entries = world.get(auditor, "/api/v1/audit").await.items();
    entries.into_iter().filter(|entry| entry["action"] == "read_flows").collect()
}

#[tokio::test]
async fn security_staff_reads_what_a_terminal_did_and_the_county_reads_who_asked_why() {
    let world = World::new().await;
    let asked: Arc<Mutex<Vec<FlowsQuery>>> = Arc::default();
    let heard = Arc::clone(&asked);
    world.answering(world.agent_of("130102"), move |question| {
        heard.lock().unwrap().push(question);
        Ok(page(vec![flow(1_000), flow(2_000)], None))
    });
    let token = world.token(Role::SecurityReviewer, Some("130000")).await;
    let path = format!(
        "{ASK}&endpoint={}&peer=192.168.1.0/24&port=443&application=TLS&protocol=tcp&from=2027-01-15T07:00:00Z&limit=50",
        mac(1, 1)
    );
    let answer = world.get(&token, &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["items"].as_array().unwrap().len(), 2);
    let first = &body["items"][0];
    assert_eq!((&first["application"], &first["application_by"]), (&json!("tls"), &json!("payload")));
    assert_eq!((&first["name"], &first["end"]), (&json!("mail.example"), &json!("2027-01-15T07:59:59.000Z")));
    assert_eq!(first["tcp"]["state"], "finished");
    assert!(first["originator"]["endpoint"].as_str().unwrap().starts_with("endpoint-"));
    assert_eq!(body["next"], Value::Null);
    let agent = &body["agents"][0];
    assert_eq!((&agent["state"], &agent["days"], &agent["ended"]), (&json!("answered"), &json!(187), &json!("all")));
    assert_eq!(agent["missing"][0]["reason"], "before_the_log");
    let principal = "security-reviewer of 130000";
    let expected = FlowsQuery {
        asker: Asker { principal: principal.to_owned(), reason: "case 2026-17".to_owned() },
        query: FlowQuery {
            from: "2027-01-15T07:00:00Z".parse().unwrap(),
            until: NOW,
            endpoint: Some(FlowParty::Mac(mac(1, 1))),
            peer: Some(FlowParty::Ip("192.168.1.0/24".parse().unwrap())),
            port: Some(443),
            protocol: Some(6),
            application: Some(Application::Tls),
            limit: 50,
        },
        after: None,
    };
    assert_eq!(*asked.lock().unwrap(), [expected]);
    let entries = trail(&world).await;
    assert_eq!(entries.len(), 1, "one entry a question: {entries:?}");
    let entry = &entries[0];
    assert_eq!((&entry["principal"], &entry["reason"]), (&json!(principal), &json!("case 2026-17")));
    assert_eq!((&entry["outcome"], &entry["site"]), (&json!("done"), &json!(world.site("130102").to_string())));
    let subject = entry["subject"].as_str().unwrap();
    for part in ["of 00:1b:21:01:00:01", "with 192.168.1.0/24", "port 443", "application tls", "2 flows told"] {
        assert!(subject.contains(part), "{part} is missing in {subject}");
    }
}

#[tokio::test]
async fn an_endpoint_is_named_by_its_id_too_and_asking_twice_is_two_entries() {
    let world = World::new().await;
    world.answering(world.agent_of("130102"), |question| {
        assert_eq!(question.query.endpoint, Some(FlowParty::Mac(mac(1, 1))));
        Ok(page(Vec::new(), None))
    });
    let token = world.token(Role::SecurityReviewer, None).await;
    let found = world.get(&token, &format!("/api/v1/endpoints?q={}", mac(1, 1))).await.items();
    let path = format!("{ASK}&endpoint={}", found[0]["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(world.get(&token, &path).await.status, StatusCode::OK);
    }
    assert_eq!(trail(&world).await.len(), 2);
}

#[tokio::test]
async fn to_everybody_else_there_are_no_flows() {
    let world = World::new().await;
    world.answering(world.agent_of("130102"), |_| panic!("nobody may ask"));
    for role in Role::ALL {
        let site = if role == Role::SecurityReviewer { Some("320000") } else { None };
        let token = world.token(role, site).await;
        let hidden = world.get(&token, ASK).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{role}");
        let absent = world.get(&token, &ASK.replace("130102", "999999")).await;
        assert_eq!(hidden, absent, "{role}: a site without flows and no site can be told apart");
    }
    let outcomes: Vec<_> = trail(&world).await.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "hidden").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "forbidden").count(), 5, "{outcomes:?}");
}

#[tokio::test]
async fn a_question_that_cannot_be_put_names_what_is_wrong_and_reaches_nobody() {
    let world = World::new().await;
    world.answering(world.agent_of("130102"), |_| panic!("it must not be asked"));
    let token = world.token(Role::SecurityReviewer, None).await;
    let site = "/api/v1/sites/130102/flows?";
    let long = "x".repeat(201);
    for (query, parameter) in [
        ("", "reason"),
        ("reason=abc", "reason"),
        ("reason=a+++b", "reason"),
        ("reason=two%0Alines", "reason"),
        (&format!("reason={long}"), "reason"),
        ("reason=case+17&endpoint=printer", "endpoint"),
        ("reason=case+17&peer=10.0.0.0/33", "peer"),
        ("reason=case+17&port=65536", "port"),
        ("reason=case+17&protocol=tcpx", "protocol"),
        ("reason=case+17&application=toaster", "application"),
        ("reason=case+17&from=2027-01-16", "from"),
        ("reason=case+17&limit=1001", "limit"),
        ("reason=case+17&cursor=zz", "cursor"),
        ("reason=case+17&colour=red", "colour"),
    ] {
        let answer = world.get(&token, &format!("{site}{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["parameter"], parameter, "{query}: {answer:?}");
    }
    let entries = trail(&world).await;
    assert!(entries.iter().all(|entry| entry["outcome"] == "refused"), "{entries:?}");
    // Of the other county's endpoint nothing is known here.
    let other = world.get(&token, &format!("/api/v1/endpoints?q={}", mac(2, 1))).await.items();
    let answer = world.get(&token, &format!("{ASK}&endpoint={}", other[0]["id"].as_str().unwrap())).await;
    assert_eq!(answer.json()["parameter"], "endpoint");
}

#[tokio::test]
async fn a_silent_agent_is_named_with_since_when_it_is_silent() {
    let world = World::new().await;
    let token = world.token(Role::SecurityReviewer, None).await;
    let answer = world.get(&token, ASK).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["type"], "urn:onenet:agent-silent");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains(&world.agent_of("130102").to_string()) && detail.contains("silent since 2027-01-15T"),
        "{detail}"
    );
    let entries = trail(&world).await;
    assert_eq!((entries.len(), &entries[0]["outcome"]), (1, &json!("failed")));
    assert!(entries[0]["subject"].as_str().unwrap().contains("is silent"), "{entries:?}");
    let nobody = world.get(&token, &ASK.replace("130102", "130000")).await;
    assert_eq!((nobody.status, &nobody.json()["type"]), (StatusCode::CONFLICT, &json!("urn:onenet:no-agent")));
    let site = world.site("130102");
    let fresh = world.enrol(site).await;
    let both = world.get(&token, ASK).await.json()["detail"].as_str().unwrap().to_owned();
    assert!(both.contains(&format!("{fresh} was enrolled and never connected")), "{both}");
}

#[tokio::test]
async fn a_line_that_is_cut_while_it_is_asked_is_an_error_at_once() {
    let world = Arc::new(World::new().await);
    let agent = world.agent_of("130102");
    let mut told = world.app.centre.streams().enter_test(agent);
    let token = world.token(Role::SecurityReviewer, None).await;
    let (app, other) = (Arc::clone(&world), token.clone());
    let asking = tokio::spawn(async move { app.get(&other, ASK).await });
    told.recv().await.unwrap().unwrap();
    world.app.centre.streams().leave_test(agent);
    let answer = asking.await.unwrap();
    assert_eq!((answer.status, &answer.json()["type"]), (StatusCode::BAD_GATEWAY, &json!("urn:onenet:agent-cut")));
    world.answering(agent, |_| Err("the flow log cannot be read: look at the disk".to_owned()));
    let failed = world.get(&token, ASK).await;
    assert_eq!(failed.json()["type"], "urn:onenet:agent-failed");
    assert!(failed.json()["detail"].as_str().unwrap().contains("look at the disk"));
}

#[tokio::test]
async fn pages_follow_each_other_through_the_agents_own_cursor() {
    let world = World::new().await;
    let second = FlowCursor { log: 9, end: NOW.plus_ms(-2_000), number: 4 };
    world.answering(world.agent_of("130102"), move |question| {
        assert_eq!(question.query.from, NOW.plus_ms(-3_600_000), "the time asked for does not move");
        Ok(match question.after {
            None => page(vec![flow(1_000), flow(2_000)], Some(second)),
            Some(after) => {
                assert_eq!(after, second);
                page(vec![flow(3_000)], None)
            }
        })
    });
    let token = world.token(Role::SecurityReviewer, None).await;
    let first = world.get(&token, &format!("{ASK}&limit=2")).await.json();
    let next = first["next"].as_str().unwrap();
    let last = world.get(&token, &format!("{ASK}&limit=2&cursor={next}")).await.json();
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));
    let subjects: Vec<_> = trail(&world).await.iter().map(|entry| entry["subject"].to_string()).collect();
    assert!(subjects[1].contains("next page: 1 flows told"), "{subjects:?}");
}

#[tokio::test]
async fn of_several_agents_all_are_asked_and_one_that_is_silent_is_named_beside_what_the_others_say() {
    let world = World::new().await;
    let (site, first) = (world.site("130102"), world.agent_of("130102"));
    let (second, silent) = (world.enrol(site).await, world.enrol(site).await);
    world.heard(second).await;
    world.heard(silent).await;
    world.answering(first, |_| Ok(page(vec![flow(1_000), flow(5_000)], None)));
    world.answering(second, |_| Ok(page(vec![flow(3_000)], None)));
    let token = world.token(Role::SecurityReviewer, None).await;
    let body = world.get(&token, ASK).await.json();
    let told: Vec<_> = body["items"].as_array().unwrap().iter().map(|it| it["agent"].as_str().unwrap()).collect();
    assert_eq!(told, [first, second, first].map(|agent| agent.to_string()), "latest first over both");
    let states: Vec<_> = body["agents"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["answered", "answered", "silent"]);
    let reason = body["agents"][2]["reason"].as_str().unwrap();
    assert!(reason.contains(&silent.to_string()) && reason.contains("is silent since"), "{reason}");
    assert!(trail(&world).await[0]["subject"].as_str().unwrap().contains(&format!("3 flows told; {silent} is silent")));
}

#[tokio::test]
async fn an_agent_and_a_principal_have_few_questions_under_way_at_once() {
    let world = Arc::new(World::new().await);
    let agent = world.agent_of("130102");
    let mut told = world.app.centre.streams().enter_test(agent);
    let token = world.token(Role::SecurityReviewer, None).await;
    let ask = |path: String| {
        let (world, token) = (Arc::clone(&world), token.clone());
        tokio::spawn(async move { world.get(&token, &path).await })
    };
    let waiting = [ask(ASK.to_owned()), ask(ASK.to_owned())];
    for _ in 0..2 {
        told.recv().await.unwrap().unwrap();
    }
    let third = ask(ASK.to_owned()).await.unwrap();
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(third.json()["type"], "urn:onenet:agent-busy");
    // At the other county there is room, until the principal has four of them under way.
    let other = world.agent_of("320102");
    let mut told_other = world.app.centre.streams().enter_test(other);
    let elsewhere = [320_102, 320_102].map(|code| ask(ASK.replace("130102", &code.to_string())));
    for _ in 0..2 {
        told_other.recv().await.unwrap().unwrap();
    }
    let fifth = ask(ASK.replace("130102", "320102")).await.unwrap();
    assert_eq!(fifth.json()["type"], "urn:onenet:too-many-questions");
    world.app.centre.streams().leave_test(agent);
    world.app.centre.streams().leave_test(other);
    for answer in waiting.into_iter().chain(elsewhere) {
        assert_eq!(answer.await.unwrap().json()["type"], "urn:onenet:agent-cut");
    }
    let served = AtomicBool::new(false);
    world.answering(agent, move |_| {
        served.store(true, Ordering::Relaxed);
        Ok(page(Vec::new(), None))
    });
    assert_eq!(ask(ASK.to_owned()).await.unwrap().status, StatusCode::OK, "there is room again");
}

#[tokio::test]
async fn who_goes_away_while_he_waits_is_in_the_trail_all_the_same() {
    let world = World::new().await;
    let agent = world.agent_of("130102");
    let mut told = world.app.centre.streams().enter_test(agent);
    let token = world.token(Role::SecurityReviewer, None).await;
    {
        let asking = world.get(&token, ASK);
        tokio::pin!(asking);
        tokio::select! {
            _ = &mut asking => panic!("nobody answered yet"),
            _ = told.recv() => {}
        }
    }
    world.app.centre.streams().leave_test(agent);
    let auditor = world.token(Role::AuditAdministrator, Some("130102")).await;
    let mut position = world.app.centre.position();
    let entry = loop {
        if let Some(entry) = trail_by(&world, &auditor).await.pop() {
            break entry;
        }
        position.changed().await.unwrap();
    };
    assert_eq!((&entry["outcome"], &entry["reason"]), (&json!("failed"), &json!("case 2026-17")));
}
