//! Inspection campaigns through the API: opened at the centre, answered with each unit's own credentials, found, mended, checked again.

use hyper::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{Answer, World},
};

const DAY_MS: i64 = 86_400_000;

async fn open(world: &World, token: &str, units: &[&str]) -> Answer {
    let due = world.app.clock.now().plus_ms(10 * DAY_MS).to_string();
    let body = json!({
        "title": "秋季检查", "site": "130000", "due": due, "units": units,
        "checklist": [{ "requirement": "equipment" }, { "text": "Is there a duty roster?" }],
    });
    world.send(token, Method::POST, "/api/v1/inspections", Some(body)).await
}

async fn act(world: &World, token: &str, sheet: &str, body: Value) -> Answer {
    world.send(token, Method::POST, &format!("{sheet}/actions"), Some(body)).await
}

/// Opens an inspection of two counties of Hebei, and returns its path and that of the sheet of the first.
async fn opened(world: &World, token: &str) -> (String, String) {
    let answer = open(world, token, &["130102", "130100"]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let path = format!("/api/v1/inspections/{}", answer.json()["id"].as_str().unwrap());
    let sheet = format!("{path}/units/130102");
    (path, sheet)
}

#[tokio::test]
async fn a_unit_answers_what_is_found_is_mended_and_checked_again_and_the_trail_tells_it() {
    let world = World::new().await;
    let inspector = world.token(Role::SecurityReviewer, Some("130000")).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let (path, sheet) = opened(&world, &inspector).await;
    let known = world.get(&county, &sheet).await.json();
    assert_eq!(known["items"][0]["observed"][0]["is"], json!("devices_up"), "filled in from what is known: {known}");
    let answers = [
        json!({ "action": "answer", "item": 1, "verdict": "fulfilled" }),
        json!({ "action": "answer", "item": 2, "verdict": "partly", "text": "by day", "evidence": ["roster, \"2027\""] }),
    ];
    for body in answers {
        let answer = act(&world, &county, &sheet, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let due = world.app.clock.now().plus_ms(DAY_MS).to_string();
    let find = json!({ "action": "find", "item": 2, "text": "nobody at night", "due": due });
    assert_eq!(act(&world, &inspector, &sheet, find).await.json()["findings"][0]["state"], json!("open"));
    let close = json!({ "text": "done" });
    let early = world.send(&inspector, Method::POST, &format!("{path}/close"), Some(close.clone())).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{}", early.text);
    let mend = json!({ "action": "mend", "finding": 1, "text": "nights are staffed" });
    assert_eq!(act(&world, &county, &sheet, mend).await.json()["findings"][0]["state"], json!("mended"));
    let recheck = json!({ "action": "recheck", "finding": 1, "passed": true, "text": "seen on the spot" });
    let checked = act(&world, &inspector, &sheet, recheck).await.json();
    assert_eq!(checked["findings"][0]["state"], json!("closed"));
    let did: Vec<&str> = checked["steps"].as_array().unwrap().iter().map(|it| it["did"].as_str().unwrap()).collect();
    assert_eq!(did, ["answer", "answer", "find", "mend", "recheck"]);
    assert_eq!(checked["items"][0]["answer"]["observed"], known["items"][0]["observed"], "kept with the answer");
    let closed = world.send(&inspector, Method::POST, &format!("{path}/close"), Some(close)).await.json();
    assert_eq!(closed["closed"]["text"], json!("done"));
    let late = json!({ "action": "answer", "item": 2, "verdict": "fulfilled", "text": "x" });
    assert_eq!(act(&world, &county, &sheet, late).await.status, StatusCode::CONFLICT);
    let auditor = world.token(Role::AuditAdministrator, None).await;
    let trail = world.get(&auditor, "/api/v1/audit?limit=1000").await.items();
    for said in ["秋季检查 of 2 units", "answer: partly · by day", "find: nobody", "recheck: passed", "close: done"]
    {
        let told = |it: &&Value| {
            it["subject"].as_str().is_some_and(|text| text.contains(said)) && it["outcome"] == json!("done")
        };
        assert_eq!(trail.iter().filter(told).count(), 1, "{said}: {trail:?}");
    }
}

#[tokio::test]
async fn one_unit_neither_sees_nor_answers_the_sheet_of_another() {
    let world = World::new().await;
    let inspector = world.token(Role::SecurityReviewer, Some("130000")).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let (path, sheet) = opened(&world, &inspector).await;
    let city = format!("{path}/units/130100");
    let body = json!({ "action": "answer", "item": 2, "verdict": "fulfilled", "text": "all is well" });
    assert_eq!(world.get(&county, &city).await.status, StatusCode::NOT_FOUND);
    let refused = act(&world, &county, &city, body.clone()).await.status;
    assert!(matches!(refused, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{refused}");
    let shown = world.get(&county, &path).await.json();
    assert_eq!((shown["asked"].as_array().unwrap().len(), &shown["units"]), (1, &json!(1)), "{shown}");
    // Who inspects does not answer, and who answers does not inspect.
    assert_eq!(act(&world, &inspector, &sheet, body.clone()).await.status, StatusCode::FORBIDDEN);
    let find = json!({ "action": "find", "item": 1, "text": "x", "due": "2030-01-01" });
    assert_eq!(act(&world, &county, &sheet, find).await.status, StatusCode::FORBIDDEN);
    let close = world.send(&county, Method::POST, &format!("{path}/close"), Some(json!({ "text": "x" }))).await;
    assert_ne!(close.status, StatusCode::OK);
    for stranger in [(Role::Operator, "320000"), (Role::SecurityReviewer, "320000")] {
        let token = world.token(stranger.0, Some(stranger.1)).await;
        assert_eq!(world.get(&token, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&token, "/api/v1/inspections").await.items().len(), 0);
        assert_eq!(act(&world, &token, &sheet, body.clone()).await.status, StatusCode::NOT_FOUND);
    }
    let viewer = world.token(Role::Viewer, None).await;
    assert_eq!(world.get(&viewer, "/api/v1/inspections").await.status, StatusCode::FORBIDDEN);
    assert_eq!(open(&world, &county, &["130102"]).await.status, StatusCode::NOT_FOUND);
    let beyond = open(&world, &inspector, &["320102"]).await;
    assert_ne!(beyond.status, StatusCode::OK, "a province asks its own units alone: {}", beyond.text);
}

#[tokio::test]
async fn a_table_has_each_item_of_each_unit_and_says_who_is_late() {
    let world = World::new().await;
    let inspector = world.token(Role::SecurityReviewer, Some("130000")).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let (path, sheet) = opened(&world, &inspector).await;
    for item in [1, 2] {
        let text = json!({ "action": "answer", "item": item, "verdict": "fulfilled", "text": "=1+1, \"x\"" });
        assert_eq!(act(&world, &county, &sheet, text).await.status, StatusCode::OK);
    }
    world.pass(11 * DAY_MS);
    let table = world.get(&inspector, &format!("{path}/answers.csv")).await;
    assert!(table.header(header::CONTENT_TYPE).starts_with("text/csv"));
    let lines: Vec<&str> = table.text.lines().collect();
    assert_eq!(lines.len(), 5, "{}", table.text);
    assert!(lines[0].starts_with("\u{feff}site,code,name,item,"), "{}", lines[0]);
    let answered = lines.iter().find(|it| it.contains(",130102,") && it.contains(",1,equipment,")).unwrap();
    assert!(answered.contains("fulfilled,\"'=1+1, \"\"x\"\"\""), "no formula: {answered}");
    assert!(answered.ends_with(",0,0,false"), "{answered}");
    assert_eq!(lines.iter().filter(|it| it.contains(",130100,") && it.ends_with(",true")).count(), 2, "late");
    let all = world.get(&inspector, &path).await.json();
    assert_eq!((&all["answered"], &all["overdue"]), (&json!(1), &json!(1)));
    let listed = world.get(&inspector, "/api/v1/inspections?open=true").await.items();
    assert_eq!(listed.len(), 1);
    assert_eq!(world.get(&inspector, "/api/v1/inspections?open=false").await.items().len(), 0);
}

#[tokio::test]
async fn inspections_are_narrowed_to_who_inspects_or_is_asked() {
    let world = World::new().await;
    let inspector = world.token(Role::SecurityReviewer, None).await;
    opened(&world, &inspector).await;
    let administrator = world.token(Role::SystemAdministrator, None).await;
    let mut areas = Vec::new();
    for (name, member) in [("海河", "130102"), ("长江", "320102")] {
        let name = json!({ "zh": name, "latin": member });
        let body = json!({ "kind": "river_basin", "name": name, "members": { "sites": [member] } });
        let area = world.send(&administrator, Method::POST, "/api/v1/areas", Some(body)).await;
        areas.push(format!("area={}", area.json()["id"].as_str().unwrap_or_else(|| panic!("{}", area.text))));
    }
    let mut found = Vec::new();
    for filter in ["site=130000", "site=130102", "site=000000", &areas[0], "site=320000", &areas[1]] {
        found.push(world.get(&inspector, &format!("/api/v1/inspections?{filter}")).await.items().len());
    }
    assert_eq!(found, [1, 1, 1, 1, 0, 0]);
}

#[tokio::test]
async fn what_cannot_be_asked_or_said_is_refused_with_what_to_do_instead() {
    let world = World::new().await;
    let inspector = world.token(Role::SecurityReviewer, Some("130000")).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let past = json!({ "title": "x", "site": "130000", "due": "2020-01-01" });
    let word = json!({ "title": "x", "site": "130000", "due": "2030-01-01", "checklist": [{ "requirement": "luck" }] });
    for (body, status, says) in
        [(past, StatusCode::CONFLICT, "still to come"), (word, StatusCode::BAD_REQUEST, "outward")]
    {
        let answer = world.send(&inspector, Method::POST, "/api/v1/inspections", Some(body)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    let (_, sheet) = opened(&world, &inspector).await;
    for (token, body, status, says) in [
        (&county, json!({ "action": "dance" }), StatusCode::FORBIDDEN, "review_cases"),
        (&inspector, json!({ "action": "dance" }), StatusCode::BAD_REQUEST, "recheck"),
        (&county, json!({ "action": "answer", "item": 1, "verdict": "well" }), StatusCode::BAD_REQUEST, "partly"),
        (&county, json!({ "action": "answer", "item": 2, "verdict": "partly" }), StatusCode::CONFLICT, "say what"),
        (
            &county,
            json!({ "action": "answer", "item": 9, "verdict": "partly", "text": "x" }),
            StatusCode::CONFLICT,
            "no item 9",
        ),
        (&county, json!({ "action": "mend", "finding": 1, "text": "x" }), StatusCode::CONFLICT, "no finding 1"),
        (&inspector, json!({ "action": "find", "item": 1, "text": "x" }), StatusCode::BAD_REQUEST, "by when"),
    ] {
        let answer = act(&world, token, &sheet, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.text.contains(says), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn cases_leave_as_a_table_with_no_formula_and_none_of_other_sites() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let drill = json!({
        "site": "130102", "kind": "port_scan", "subject": "=cmd, \"x\"", "text": "drill", "at_centre": true,
    });
    assert_eq!(world.send(&reviewer, Method::POST, "/api/v1/drills", Some(drill)).await.status, StatusCode::OK);
    let table = world.get(&reviewer, "/api/v1/cases.csv?state=all").await;
    assert!(table.header(header::CONTENT_TYPE).starts_with("text/csv"), "{}", table.text);
    let columns = table.text.lines().next().unwrap().split(',').count();
    let listed = world.get(&reviewer, "/api/v1/cases?state=all").await.items();
    assert_eq!(table.text.lines().count(), listed.len() + 1);
    assert!(table.text.contains("\"'=cmd, \"\"x\"\"\""), "{}", table.text);
    assert!(table.text.lines().filter(|it| !it.contains("=cmd")).all(|it| it.split(',').count() == columns));
    let elsewhere = world.token(Role::SecurityReviewer, Some("320000")).await;
    assert!(!world.get(&elsewhere, "/api/v1/cases.csv?state=all").await.text.contains("=cmd"));
}
