//! Drills through the API: known kinds alone, through the agent of the site or at the centre, measured, and in no figure.

use hyper::{Method, StatusCode};
use onenet_topology::{
    AgentId,
    anomaly::AnomalyReport,
    fact::{HistoryBody, HistoryItem, Scope},
};
use onenet_wire::{CentreMessage, Done, DrillOrder, Instruction, InstructionBody, InstructionResult};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{
    access::Role,
    record::Body,
    testing::{NOW, World},
};

async fn drill(world: &World, token: &str, more: Value) -> (StatusCode, Value) {
    let mut body = json!({ "site": "130102", "kind": "port_scan", "text": "autumn drill" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = world.send(token, Method::POST, "/api/v1/drills", Some(body)).await;
    (answer.status, answer.json())
}

async fn act(world: &World, token: &str, case: &Value, body: Value) {
    let path = format!("/api/v1/cases/{}/actions", case.as_str().unwrap());
    let answer = world.send(token, Method::POST, &path, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn tick(world: &World) {
    world.app.centre.intake().submit(Body::Tick).await.unwrap();
}

/// Opens the line of an agent that answers the next drill with `outcome`. Returns what it was asked for.
fn line(world: &World, agent: AgentId, outcome: Result<(), &str>) -> oneshot::Receiver<DrillOrder> {
    let (mut told, centre) = (world.app.centre.streams().enter_test(agent), world.app.centre.clone());
    let (asked, order) = oneshot::channel();
    let outcome = outcome.map(|()| Done::default()).map_err(str::to_owned);
    tokio::spawn(async move {
        let Some(Ok(CentreMessage::Instruction(Instruction { id, body }))) = told.recv().await.map(|it| *it) else {
            return;
        };
        let InstructionBody::Drill(order) = body else { panic!("{body:?}") };
        asked.send(*order).unwrap();
        centre.streams().answer(agent, InstructionResult { id, outcome });
    });
    order
}

/// Waits until a drill is so far.
async fn until(world: &World, token: &str, drill: &Value, state: &str) -> Value {
    let path = format!("/api/v1/drills/{}", drill["id"].as_str().unwrap());
    let mut position = world.app.centre.position();
    loop {
        position.borrow_and_update();
        let seen = world.get(token, &path).await.json();
        if seen["state"] == json!(state) {
            return seen;
        }
        position.changed().await.unwrap();
    }
}

/// What nothing of a drill may change, but for what counts the time that passes.
async fn figures(world: &World, reviewer: &str) -> Vec<String> {
    let mut told = Vec::new();
    for by in ["grade", "kind", "month", "site", "area", "unit", "unit_month"] {
        told.push(world.get(reviewer, &format!("/api/v1/cases/statistics?by={by}")).await.text);
    }
    let month = world.get(reviewer, "/api/v1/reports/monthly?month=2027-01").await.json();
    for of in ["cases", "incidents", "incidents_by_kind", "incident_longest"] {
        told.push(month["month_figures"][of].to_string());
    }
    let scrape = world.get(reviewer, "/metrics").await.text;
    let counted = ["onenet_case", "onenet_incident", "onenet_anomal", "onenet_link", "onenet_site", "onenet_avail"];
    let is_counted = |line: &&str| counted.iter().any(|name| line.starts_with(name)) && !line.contains("_seconds");
    told.extend(scrape.lines().filter(is_counted).map(str::to_owned));
    told
}

#[tokio::test]
async fn a_drill_says_that_it_is_one_and_whose_traffic_it_would_be() {
    let world = World::bare().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let traffic = json!({ "source": "10.1.2.3", "destination": "192.0.2.9", "port": 4_433 });
    let (status, ordered) = drill(&world, &reviewer, traffic).await;
    assert_eq!((status, &ordered["agent"]), (StatusCode::OK, &Value::Null), "the site has no agent: {ordered}");
    let case = world.get(&reviewer, &format!("/api/v1/cases/{}", ordered["case"].as_str().unwrap())).await.json();
    assert_eq!((&case["subject"], &case["drill"]), (&json!("10.1.2.3"), &json!(true)), "{case}");
    let said: Vec<(&str, &str)> = case["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["is"].as_str().unwrap(), it["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [("drill", "autumn drill"), ("source", "10.1.2.3"), ("destination", "192.0.2.9"), ("port", "4433")]
    );
    let until = world.app.clock.now().plus_ms(86_400_000).to_string();
    let rule =
        json!({ "destination": "198.51.100.0/24", "owner": "王芳", "reason": "x", "until": until, "site": "130000" });
    assert_eq!(world.send(&reviewer, Method::POST, "/api/v1/suppressions", Some(rule)).await.status, StatusCode::OK);
    let (_, silenced) = drill(&world, &reviewer, json!({ "source": "10.1.2.4", "destination": "198.51.100.7" })).await;
    assert_eq!(silenced["case_state"], json!("silenced"), "rules see whose traffic it would be");
    for (more, parameter, says) in [
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "port_scan"),
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "worm_spread"),
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "link_down"),
        (json!({ "source": "host" }), json!("source"), "10.13.1.7"),
        (json!({}), Value::Null, "has a subject"),
        (json!({ "subject": "10.1.2.3" }), Value::Null, "close its case first"),
        (json!({ "kind": "device_down", "subject": "sw9" }), Value::Null, "a device of the site"),
    ] {
        let (status, problem) = drill(&world, &reviewer, more.clone()).await;
        assert!(status.is_client_error() && problem["parameter"] == parameter, "{more}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{more}: {problem}");
    }
    let county = world.token(Role::Operator, Some("130102")).await;
    assert_eq!(drill(&world, &county, json!({ "subject": "x" })).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_figure_knows_of_drills_that_went_the_whole_way() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    tick(&world).await;
    let before = figures(&world, &reviewer).await;
    for more in [json!({ "subject": "10.9.9.9", "at_centre": true }), json!({ "kind": "link_down", "grade": "major" })]
    {
        let (_, ordered) = drill(&world, &reviewer, more).await;
        for (token, body) in [
            (&reviewer, json!({ "action": "acknowledge" })),
            (&reviewer, json!({ "action": "grade", "grade": "major", "category": "network_attack" })),
            (&reviewer, json!({ "action": "notify", "text": "drill" })),
            (&county, json!({ "action": "answer", "text": "drilled", "rectified": true })),
            (&reviewer, json!({ "action": "close", "verdict": "drill", "text": "over" })),
        ] {
            act(&world, token, &ordered["case"], body.clone()).await;
            tick(&world).await;
            assert_eq!(figures(&world, &reviewer).await, before, "{body}");
        }
    }
}

#[tokio::test]
async fn an_anomaly_is_put_in_by_the_agent_found_once_and_its_times_are_measured() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let agent = world.agent_of("130102");
    let before = figures(&world, &reviewer).await;
    let asked = line(&world, agent, Ok(()));
    let (_, ordered) = drill(&world, &reviewer, json!({ "subject": "10.1.2.3", "grade": "major", "port": 22 })).await;
    assert_eq!((&ordered["agent"], &ordered["case"]), (&json!(agent.to_string()), &Value::Null), "{ordered}");
    let order = asked.await.unwrap();
    assert_eq!(order.asker.reason, "autumn drill");
    until(&world, &reviewer, &ordered, "injected").await;
    // The agent tells of it as detectors tell, twice since it was killed in between; what was put in five seconds ago is found now.
    world.pass(5_000);
    let item =
        |report: AnomalyReport| HistoryItem { time: NOW, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1, vec![item(order.report.clone())]).await;
    world.tell_more(2, vec![item(order.report.clone())]).await;
    // Nobody ordered this one: it is nothing, least of all real.
    let stray = onenet_topology::DrillId::from_raw(77);
    world.tell_more(3, vec![item(AnomalyReport { drill: Some(stray), ..order.report })]).await;
    let found = until(&world, &reviewer, &ordered, "found").await;
    assert_eq!(found["detected_after_s"], json!(5), "{found}");
    let marked = world.get(&reviewer, "/api/v1/anomalies?drill=true").await.items();
    assert_eq!((marked.len(), &marked[0]["drill"], &marked[0]["case"]), (1, &found["id"], &found["case"]));
    assert_eq!((&marked[0]["agent"], &marked[0]["count"]), (&json!(agent.to_string()), &json!(1)));
    assert_eq!(world.get(&reviewer, "/api/v1/cases?drill=true").await.items().len(), 1);
    world.pass(60_000);
    act(&world, &reviewer, &found["case"], json!({ "action": "acknowledge" })).await;
    world.pass(120_000);
    act(&world, &reviewer, &found["case"], json!({ "action": "close", "verdict": "drill", "text": "over" })).await;
    let over = until(&world, &reviewer, &ordered, "over").await;
    let took = ["detected_after_s", "acknowledged_after_s", "closed_after_s"].map(|key| over[key].as_i64().unwrap());
    assert_eq!(took, [5, 60, 180], "{over}");
    let case = world.get(&reviewer, &format!("/api/v1/cases/{}", over["case"].as_str().unwrap())).await.json();
    assert_eq!(case["drilled"], over, "its case says the same");
    let table = world.get(&reviewer, "/api/v1/drills.csv").await.text;
    assert!(table.contains(",5,60,180,"), "{table}");
    assert_eq!(figures(&world, &reviewer).await, before);
}

#[tokio::test]
async fn an_agent_that_is_silent_is_waited_for_and_one_that_is_too_old_is_told_of_with_the_remedy() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let agent = world.agent_of("130102");
    let (_, waiting) = drill(&world, &reviewer, json!({ "subject": "10.1.2.3" })).await;
    assert_eq!((&waiting["state"], &waiting["agent"]), (&json!("waiting"), &json!(agent.to_string())), "{waiting}");
    world.pass(86_400_000);
    tick(&world).await;
    assert_eq!(world.get(&reviewer, "/api/v1/drills?state=waiting").await.items().len(), 1);
    world.pass(1_000);
    tick(&world).await;
    let given_up = world.get(&reviewer, "/api/v1/drills").await.items();
    assert_eq!(given_up[0]["state"], json!("failed"));
    assert!(given_up[0]["why"].as_str().unwrap().contains("order the drill again"), "{given_up:?}");
    let old = line(&world, agent, Err("this agent does not understand it (body): bring it up to date"));
    let (_, refused) = drill(&world, &reviewer, json!({ "subject": "10.1.2.3" })).await;
    old.await.unwrap();
    let why = until(&world, &reviewer, &refused, "failed").await["why"].clone();
    assert!(why.as_str().unwrap().contains("bring it up to date"), "{why}");
    assert_eq!(world.get(&reviewer, "/api/v1/cases?drill=true").await.items().len(), 0);
}

#[tokio::test]
async fn an_incident_is_drilled_marked_everywhere_and_ends_by_its_time_or_with_its_case() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let real = world.get(&reviewer, "/api/v1/incidents?state=all").await.items().len();
    let (status, short) = drill(&world, &reviewer, json!({ "kind": "link_down", "minutes": 10 })).await;
    assert_eq!(status, StatusCode::OK, "{short}");
    let (_, long) = drill(&world, &reviewer, json!({ "kind": "site_cut", "grade": "major", "minutes": 600 })).await;
    let listed =
        async |state: &str| world.get(&reviewer, &format!("/api/v1/incidents?drill=true&state={state}")).await.items();
    let open = listed("open").await;
    assert_eq!((open.len(), &open[0]["kind"], &open[0]["drill"]), (2, &json!("site_cut"), &long["id"]), "{open:?}");
    assert_eq!(open[1]["subject"]["parent"], json!(world.site("130100").to_string()));
    assert_eq!(world.get(&reviewer, "/api/v1/incidents?state=all&drill=false").await.items().len(), real);
    let one = world.get(&reviewer, &format!("/api/v1/incidents/{}", long["incident"].as_str().unwrap())).await;
    assert_eq!((one.status, &one.json()["drill"]), (StatusCode::OK, &long["id"]));
    let timeline = world.get(&reviewer, "/api/v1/sites/130102/timeline").await.items();
    assert_eq!(timeline.iter().filter(|it| it["drill"] == json!(true)).count(), 2, "{timeline:?}");
    world.pass(10 * 60_000);
    tick(&world).await;
    assert_eq!(listed("open").await.len(), 1, "its time is over");
    let case = world.get(&reviewer, &format!("/api/v1/cases/{}", short["case"].as_str().unwrap())).await.json();
    assert!(case["state"] == json!("new") && case.to_string().contains("\"over\""), "only a person closes it: {case}");
    act(&world, &reviewer, &long["case"], json!({ "action": "acknowledge" })).await;
    act(&world, &reviewer, &long["case"], json!({ "action": "close", "verdict": "drill", "text": "over" })).await;
    tick(&world).await;
    assert_eq!((listed("open").await.len(), listed("closed").await.len()), (0, 2));
    let outbox = world.app.centre.outbox().unwrap();
    outbox.enter("all", 0).unwrap();
    let told = outbox.waiting("all", 100).unwrap();
    let of = |what: &str| told.iter().filter(|it| it.what.name() == what && it.drill).count();
    assert_eq!((of("incident_opened"), of("incident_closed"), of("case_opened")), (2, 2, 2));
}
