//! Cases through the API: reviewed at the centre, answered with the county's own credentials, closed; rules, drills and rights.

use hyper::{Method, StatusCode};
use onenet_topology::{
    anomaly::{AnomalyKey, AnomalyReport},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};
use serde_json::{Value, json};

use crate::{
    access::Role,
    ingest::Outcome,
    record::Body,
    testing::{NOW, World},
};

async fn drill(world: &World, token: &str) -> String {
    drill_about(world, token, "10.1.2.3").await
}

async fn drill_about(world: &World, token: &str, subject: &str) -> String {
    let body = json!({
        "site": "130102", "kind": "port_scan", "subject": subject, "grade": "considerable", "text": "autumn drill",
        "at_centre": true,
    });
    let answer = world.send(token, Method::POST, "/api/v1/drills", Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["case"].as_str().unwrap().to_owned()
}

async fn incident_case(world: &World, token: &str) -> String {
    let incidents = world.get(token, "/api/v1/incidents").await.items();
    let body = json!({ "incident": incidents[0]["id"] });
    let answer = world.send(token, Method::POST, "/api/v1/cases", Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn act(world: &World, token: &str, case: &str, body: Value) -> (StatusCode, Value) {
    let answer = world.send(token, Method::POST, &format!("/api/v1/cases/{case}/actions"), Some(body)).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_case_is_reviewed_notified_answered_by_the_county_and_closed_and_the_audit_trail_tells_it() {
    let world = World::with_a_cut().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let case = incident_case(&world, &reviewer).await;
    assert_eq!(world.get(&county, &format!("/api/v1/cases/{case}")).await.status, StatusCode::NOT_FOUND);
    for body in [
        json!({ "action": "acknowledge" }),
        json!({ "action": "review" }),
        json!({ "action": "assign", "to": "李伟" }),
        json!({ "action": "grade", "grade": "considerable", "category": "equipment_failure" }),
        json!({ "action": "attach", "text": "photograph of the cable" }),
        json!({ "action": "notify", "text": "The line is cut: see to it.", "to": "130102" }),
    ] {
        let (status, answer) = act(&world, &reviewer, &case, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let seen = world.get(&county, &format!("/api/v1/cases/{case}")).await.json();
    assert_eq!((&seen["state"], &seen["notice"]["to"]), (&json!("notified"), &json!(world.site("130102").to_string())));
    assert_eq!(
        act(&world, &county, &case, json!({ "action": "close", "verdict": "benign", "text": "x" })).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(act(&world, &county, &case, json!({ "action": "receive" })).await.0, StatusCode::OK);
    let answer = json!({ "action": "answer", "text": "spliced", "rectified": true });
    assert_eq!(act(&world, &county, &case, answer).await.1["state"], json!("rectified"));
    let (_, closed) =
        act(&world, &reviewer, &case, json!({ "action": "close", "verdict": "true", "text": "seen up" })).await;
    assert_eq!((&closed["state"], &closed["verdict"]), (&json!("closed"), &json!("true")));
    let story: Vec<&str> = closed["steps"].as_array().unwrap().iter().map(|it| it["did"].as_str().unwrap()).collect();
    assert_eq!(
        story,
        ["opened", "acknowledge", "review", "assign", "grade", "attach", "notify", "receive", "answer", "close"]
    );
    let auditor = world.token(Role::AuditAdministrator, None).await;
    let trail = world.get(&auditor, "/api/v1/audit?limit=1000").await.items();
    for said in ["notify: The line is cut", "answer: spliced", "close: seen up"] {
        let told = |it: &&Value| {
            it["subject"].as_str().is_some_and(|text| text.contains(said)) && it["outcome"] == json!("done")
        };
        assert_eq!(trail.iter().filter(told).count(), 1, "{said}");
    }
}

#[tokio::test]
async fn who_may_not_read_cases_finds_none_and_changes_none() {
    let world = World::with_a_cut().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let case = incident_case(&world, &reviewer).await;
    let elsewhere = world.token(Role::SecurityReviewer, Some("320000")).await;
    let seen = world.get(&elsewhere, "/api/v1/cases?state=all").await;
    assert!(!seen.items().is_empty() && !seen.text.contains(&case), "only what is his own: {}", seen.text);
    assert_eq!(act(&world, &elsewhere, &case, json!({ "action": "acknowledge" })).await.0, StatusCode::NOT_FOUND);
    let viewer = world.token(Role::Viewer, None).await;
    assert_eq!(world.get(&viewer, "/api/v1/cases").await.status, StatusCode::FORBIDDEN);
    assert_eq!(act(&world, &viewer, &case, json!({ "action": "acknowledge" })).await.0, StatusCode::FORBIDDEN);
    let administrator = world.token(Role::SystemAdministrator, None).await;
    assert_eq!(world.get(&administrator, "/api/v1/cases").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_to_do_instead() {
    let world = World::with_a_cut().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let case = incident_case(&world, &reviewer).await;
    for (body, status, says) in [
        (json!({ "action": "dance" }), StatusCode::BAD_REQUEST, "acknowledge"),
        (json!({ "action": "grade", "grade": "awful", "category": "other" }), StatusCode::BAD_REQUEST, "extraordinary"),
        (json!({ "action": "notify", "text": "x" }), StatusCode::CONFLICT, "cannot be notified"),
        (json!({ "action": "close", "verdict": "true", "text": "x" }), StatusCode::CONFLICT, "confirm grade"),
        (json!({ "action": "comment" }), StatusCode::CONFLICT, "say what"),
        (json!({ "action": "relate", "other": "case-1" }), StatusCode::BAD_REQUEST, "no such case"),
    ] {
        let (got, answer) = act(&world, &reviewer, &case, body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains(says), "{body}: {answer}");
    }
    let again = incident_case(&world, &reviewer).await;
    assert_eq!(again, case, "one open case a subject and kind");
}

#[tokio::test]
async fn a_drill_goes_the_whole_way_and_stays_apart_from_what_is_real() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let figures = async || {
        let page = world.get(&reviewer, "/metrics").await.text;
        page.lines().filter(|line| line.starts_with("onenet_case")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = figures().await;
    assert!(before.contains(&"onenet_cases{grade=\"major\",state=\"new\"} 2".to_owned()), "{before:?}");
    let case = drill(&world, &reviewer).await;
    let real = world.get(&reviewer, "/api/v1/cases?drill=false").await.items();
    assert!(real.iter().all(|it| it["drill"] == json!(false) && it["id"] != json!(case)));
    let listed = world.get(&reviewer, "/api/v1/cases?drill=true").await.items();
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &json!(case)));
    for body in [
        json!({ "action": "acknowledge" }),
        json!({ "action": "grade", "grade": "major", "category": "network_attack" }),
        json!({ "action": "notify", "text": "drill" }),
        json!({ "action": "answer", "text": "drilled", "rectified": true }),
    ] {
        let token = if body["action"] == json!("answer") {
            world.token(Role::Operator, Some("130102")).await
        } else {
            reviewer.clone()
        };
        assert_eq!(act(&world, &token, &case, body).await.0, StatusCode::OK);
    }
    let close = |verdict: &str| json!({ "action": "close", "verdict": verdict, "text": "over" });
    assert_eq!(act(&world, &reviewer, &case, close("benign")).await.0, StatusCode::CONFLICT);
    let (_, closed) = act(&world, &reviewer, &case, close("drill")).await;
    assert_eq!(closed["verdict"], json!("drill"));
    assert!(closed["notice"]["number"].as_str().unwrap().contains("-D0001"), "{closed}");
    assert_eq!(figures().await, before, "a drill is in no figure");
}

#[tokio::test]
async fn a_rule_silences_with_its_name_is_counted_and_ends() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let rule = json!({
        "kind": "port_scan", "site": "130000", "owner": "王芳", "reason": "approved scanner", "until": "2040-01-01",
    });
    let refused = world.send(&reviewer, Method::POST, "/api/v1/suppressions", Some(rule.clone())).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "a rule ends within a year");
    let until = world.app.clock.now().plus_ms(86_400_000).to_string();
    let mut made = rule;
    made["until"] = json!(until);
    let made = world.send(&reviewer, Method::POST, "/api/v1/suppressions", Some(made)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let rule = made.json()["id"].as_str().unwrap().to_owned();
    let silenced = drill(&world, &reviewer).await;
    let case = world.get(&reviewer, &format!("/api/v1/cases/{silenced}")).await.json();
    assert_eq!((&case["state"], &case["silenced_by"]), (&json!("silenced"), &json!(rule)));
    assert_eq!(world.get(&reviewer, "/api/v1/cases?drill=true").await.items().len(), 0);
    let counted = world.get(&reviewer, &format!("/api/v1/cases?state=all&rule={rule}")).await.items();
    assert_eq!(counted.len(), 1);
    assert_eq!(world.get(&reviewer, "/api/v1/suppressions").await.items()[0]["silenced"], json!(0), "no drill counts");
    let county = world.token(Role::SecurityReviewer, Some("130102")).await;
    let path = format!("/api/v1/suppressions/{rule}");
    assert_ne!(world.send(&county, Method::DELETE, &path, None).await.status, StatusCode::OK);
    assert_eq!(world.send(&reviewer, Method::DELETE, &path, None).await.json()["on"], json!(false));
    let case = drill(&world, &reviewer).await;
    assert_ne!(case, silenced, "a drill after the rule is another one");
    assert_eq!(world.get(&reviewer, "/api/v1/cases?state=new&drill=true").await.items().len(), 1);
    let everywhere = json!({ "kind": "beacon", "owner": "x", "reason": "y", "until": until });
    let forbidden = world.send(&county, Method::POST, "/api/v1/suppressions", Some(everywhere)).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "a county silences itself alone");
}

#[tokio::test]
async fn a_rule_for_an_area_silences_who_belongs_to_it_and_nobody_else() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let administrator = world.token(Role::SystemAdministrator, None).await;
    for (name, members) in [("海河流域", json!({"subtrees": ["130000"]})), ("太湖流域", json!({"sites": ["320000"]}))]
    {
        let area = json!({"kind": "river_basin", "name": {"zh": name}, "members": members});
        let made = world.send(&administrator, Method::POST, "/api/v1/areas", Some(area)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    }
    let until = world.app.clock.now().plus_ms(86_400_000).to_string();
    let rule = async |by: &str, area: &str| {
        let rule = json!({ "kind": "port_scan", "area": area, "owner": "王芳", "reason": "scanner", "until": until });
        world.send(by, Method::POST, "/api/v1/suppressions", Some(rule)).await
    };
    assert_eq!(rule(&reviewer, "黄河流域").await.json()["parameter"], json!("area"), "there is no such area");
    let province = world.token(Role::SecurityReviewer, Some("130000")).await;
    assert_eq!(rule(&province, "海河流域").await.status, StatusCode::FORBIDDEN, "an area may reach beyond a province");
    assert_eq!(rule(&reviewer, "太湖流域").await.status, StatusCode::OK);
    let case = drill(&world, &reviewer).await;
    let path = format!("/api/v1/cases/{case}");
    assert_eq!(world.get(&reviewer, &path).await.json()["state"], json!("new"), "its site lies elsewhere");
    let made = rule(&reviewer, "海河流域").await.json();
    let silenced = drill_about(&world, &reviewer, "10.1.2.4").await;
    let shown = world.get(&reviewer, &format!("/api/v1/cases/{silenced}")).await.json();
    assert_eq!((&shown["state"], &shown["silenced_by"]), (&json!("silenced"), &made["id"]));
}

#[tokio::test]
async fn what_nobody_takes_up_goes_up_once_a_level() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let case = drill(&world, &reviewer).await;
    let tick = async || assert_eq!(world.app.centre.intake().submit(Body::Tick).await.unwrap(), Outcome::Accepted);
    tick().await;
    let path = format!("/api/v1/cases/{case}");
    assert_eq!(world.get(&reviewer, &path).await.json()["escalations"], json!(0));
    world.pass(9 * 3_600_000);
    tick().await;
    tick().await;
    let seen = world.get(&reviewer, &path).await.json();
    assert_eq!((&seen["escalations"], &seen["overdue"]), (&json!(1), &json!(true)));
    assert_eq!(seen["escalated"][0]["to"], json!(world.site("130100").to_string()));
    let city = world.token(Role::Operator, Some("130100")).await;
    assert_eq!(
        world.get(&city, "/api/v1/cases?overdue=true&drill=true").await.items().len(),
        1,
        "whom it went up to sees it"
    );
}

#[tokio::test]
async fn what_detectors_found_is_a_case_each_at_its_site_with_what_speaks_for_it() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let cases = world.get(&reviewer, "/api/v1/cases").await.items();
    let told = |field: &str| cases.iter().map(|it| it[field].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(told("kind"), ["rogue_dhcp", "port_scan"], "the newest first");
    assert_eq!(told("subject"), ["10.20.0.66", "10.20.0.7"]);
    assert_eq!(told("state"), ["new", "new"]);
    assert_eq!(told("site"), [world.site("130102").to_string(), world.site("130102").to_string()]);
    let scan = world.get(&reviewer, &format!("/api/v1/cases/{}", told("id")[1])).await.json();
    for (field, value) in [
        ("grade", json!("considerable")),
        ("graded_by", Value::Null),
        ("confidence", json!(90)),
        ("count", json!(64)),
        ("drill", json!(false)),
        ("evidence", json!([{ "is": "ports", "value": "1-64" }])),
    ] {
        assert_eq!(scan[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_flood_of_findings_ends_in_one_case_that_says_there_are_more() {
    let world = World::new().await;
    let site = world.site("130102");
    let item = |n: u32| HistoryItem {
        time: NOW,
        scope: Scope::new(""),
        body: HistoryBody::Anomaly(AnomalyReport {
            key: AnomalyKey { kind: "sweep".into(), subject: format!("10.30.{}.{}", n / 250, n % 250) },
            grade: Severity::General,
            confidence: 50,
            lasted_ms: 0,
            count: 9,
            run: 1,
            evidence: Vec::new(),
            drill: None,
        }),
    };
    for batch in 1..4 {
        world.tell_more(u64::from(batch), (0..400).map(|n| item(batch * 400 + n)).collect()).await;
    }
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let more = world.get(&reviewer, "/api/v1/cases?kind=too_many_cases").await.items();
    assert_eq!(more.len(), 1);
    assert_eq!(world.app.centre.estate().cases.open_at(site).count(), 1_001);
    let kept = world.get(&reviewer, "/api/v1/anomalies?kind=sweep&limit=1000").await.items();
    assert_eq!(kept.len(), 1_000, "what has no case is a page of anomalies all the same");
}

#[tokio::test]
async fn what_is_overdue_is_told_of_who_is_late_and_then_of_whom_it_went_up_to() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let case = drill(&world, &reviewer).await;
    world.pass(9 * 3_600_000);
    assert_eq!(world.app.centre.intake().submit(Body::Tick).await.unwrap(), Outcome::Accepted);
    let seen = world.get(&reviewer, &format!("/api/v1/cases/{case}")).await.json();
    let steps: Vec<&str> = seen["steps"].as_array().unwrap().iter().map(|it| it["did"].as_str().unwrap()).collect();
    assert_eq!(steps, ["opened", "overdue", "escalated"]);
    let outbox = world.app.centre.outbox().unwrap();
    outbox.enter("all", 0).unwrap();
    let told = outbox.waiting("all", 100).unwrap();
    let told: Vec<_> = told.iter().filter(|it| it.about == case).map(|it| (it.what.name(), it.to)).collect();
    let city = Some(world.site("130100"));
    assert_eq!(told, [("case_opened", None), ("case_overdue", None), ("case_escalated", city)]);
}

#[tokio::test]
async fn figures_count_cases_in_groups_and_leave_drills_out() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    drill(&world, &reviewer).await;
    let figures = async |query: &str| {
        let answer = world.get(&reviewer, &format!("/api/v1/cases/statistics{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        answer.json()
    };
    let rows = |told: &Value| -> Vec<(String, u64)> {
        let rows = told["rows"].as_array().unwrap().iter();
        rows.map(|it| (it["key"].as_str().unwrap().to_owned(), it["opened"].as_u64().unwrap())).collect()
    };
    let by_kind = figures("?by=kind&site=130102").await;
    assert_eq!(rows(&by_kind), [("port_scan".into(), 1), ("rogue_dhcp".into(), 1)]);
    assert_eq!((&by_kind["total"]["opened"], &by_kind["total"]["closed_true"]), (&json!(2), &json!(0)));
    let by_grade = figures("?site=130102").await;
    assert_eq!(rows(&by_grade), [("major".into(), 1), ("considerable".into(), 1)], "the gravest first");
    let by_site = figures("?by=site&site=130000").await;
    assert_eq!(by_site["rows"][0]["key"], json!(world.site("130100").to_string()), "parts below the asked one");
    let by_month = figures("?by=month&site=130102").await;
    assert_eq!(rows(&by_month), [("2027-01".into(), 2)]);
    assert_eq!(rows(&figures("?by=area").await).len(), figures("?by=area").await["rows"].as_array().unwrap().len());
    assert_eq!(figures("?from=2027-02-01").await["total"]["opened"], json!(0));
    let listed = world.get(&reviewer, "/api/v1/cases?site=130102&drill=false").await.items();
    for action in [
        json!({ "action": "acknowledge" }),
        json!({ "action": "grade", "grade": "considerable", "category": "network_attack" }),
        json!({ "action": "close", "verdict": "true", "text": "it is unplugged" }),
    ] {
        world.pass(60_000);
        let (status, answer) = act(&world, &reviewer, listed[0]["id"].as_str().unwrap(), action).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let total = figures("?site=130102").await["total"].clone();
    assert_eq!((&total["closed_true"], &total["open"]), (&json!(1), &json!(1)));
    assert!(total["acknowledged_median_s"].as_i64().unwrap() < total["closed_median_s"].as_i64().unwrap());
    let county = world.token(Role::Viewer, Some("320000")).await;
    let seen = world.get(&county, "/api/v1/cases/statistics").await;
    assert!(seen.status == StatusCode::FORBIDDEN || seen.json()["total"]["opened"] == json!(0), "{}", seen.text);
    assert_eq!(world.get(&reviewer, "/api/v1/cases/statistics?by=colour").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_case_about_an_endpoint_has_a_proposal_with_its_port_its_commands_and_their_undoing() {
    let world = World::new().await;
    // Where endpoints are is concluded from tables once these are quiet.
    world.pass(10_000);
    world.app.centre.intake().submit(Body::Tick).await.unwrap();
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let stranger = world.token(Role::SecurityReviewer, Some("320000")).await;
    let of = async |subject: &str| {
        let body = json!({ "site": "130102", "kind": "port_scan", "subject": subject, "text": "autumn drill", "at_centre": true });
        let drill = world.send(&reviewer, Method::POST, "/api/v1/drills", Some(body)).await.json();
        format!("/api/v1/cases/{}/containment", drill["case"].as_str().unwrap())
    };
    let path = of("192.168.1.50").await;
    let answer = world.get(&reviewer, &path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let found = answer.json();
    let it = &found[0];
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(
        (&it["syntax"], &it["endpoint"]["attachment"]["interface_name"]),
        (&json!("Huawei VRP"), &json!("GigabitEthernet0/0/1"))
    );
    let shut = ["system-view", "interface GigabitEthernet0/0/1", "shutdown", "return"];
    assert_eq!(it["commands"], json!(shut), "{it}");
    assert_eq!(it["undo"][2], json!("undo shutdown"));
    assert!(it["cautions"].as_array().unwrap().iter().any(|it| it["is"] == json!("drill")), "{it}");
    assert_eq!(world.get(&stranger, &path).await.status, StatusCode::NOT_FOUND);
    for nobody in ["192.168.1.99", "segment"] {
        let path = of(nobody).await;
        assert_eq!(world.get(&reviewer, &path).await.json(), json!([]), "{nobody}");
    }
}
