//! Notices of a case through the API: to several units, answered by each with its own credentials, given back, and all of it kept.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{access::Role, testing::World};

async fn act(world: &World, token: &str, case: &str, body: Value) -> (StatusCode, Value) {
    let answer = world.send(token, Method::POST, &format!("/api/v1/cases/{case}/actions"), Some(body)).await;
    (answer.status, answer.json())
}

/// A case that is no drill and was graded.
async fn graded(world: &World, token: &str) -> String {
    let cases = world.get(token, "/api/v1/cases?kind=port_scan&site=130102").await.items();
    let case = cases[0]["id"].as_str().unwrap().to_owned();
    for body in [
        json!({ "action": "acknowledge" }),
        json!({ "action": "grade", "grade": "major", "category": "network_attack" }),
    ] {
        assert_eq!(act(world, token, &case, body).await.0, StatusCode::OK);
    }
    case
}

#[tokio::test]
async fn every_notice_of_a_case_is_answered_by_its_own_unit_and_kept_with_all_answers() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let case = graded(&world, &reviewer).await;
    let [county, city] = [world.token(Role::Operator, Some("130102")).await, {
        // Of the city alone: who answers for a city answers for its counties too.
        world.token(Role::Operator, Some("130100")).await
    }];
    for (to, text) in [("130102", "拔掉网线"), ("130100", "督促整改")] {
        let body = json!({ "action": "notify", "to": to, "text": text });
        assert_eq!(act(&world, &reviewer, &case, body).await.0, StatusCode::OK);
    }
    let (status, again) =
        act(&world, &reviewer, &case, json!({ "action": "notify", "to": "130102", "text": "x" })).await;
    assert!(status == StatusCode::CONFLICT && again["detail"].as_str().unwrap().contains("still open"), "{again}");
    let seen = world.get(&reviewer, &format!("/api/v1/cases/{case}")).await.json();
    let numbers: Vec<String> =
        seen["notices"].as_array().unwrap().iter().map(|it| it["number"].as_str().unwrap().to_owned()).collect();
    let [first, second] = &numbers[..] else { panic!("{seen}") };
    assert_eq!(&seen["notice"]["number"], second, "the last one");
    let (status, several) = act(&world, &city, &case, json!({ "action": "receive" })).await;
    assert!(status == StatusCode::BAD_REQUEST && several["parameter"] == json!("notice"), "which one? {several}");
    let (_, done) = act(&world, &county, &case, json!({ "action": "answer", "text": "已拔", "rectified": true })).await;
    assert_eq!(done["state"], json!("notified"), "the city has not answered");
    let which = act(&world, &city, &case, json!({ "action": "receive" })).await;
    assert_eq!((which.0, which.1["state"].clone()), (StatusCode::OK, json!("notified")), "one is open: {}", which.1);
    let wrong = json!({ "action": "answer", "text": "x", "notice": second });
    assert_ne!(act(&world, &county, &case, wrong).await.0, StatusCode::OK, "that is the city's");
    let back = json!({ "action": "return", "notice": first, "text": "哪台机器？" });
    assert_eq!(act(&world, &reviewer, &case, back).await.0, StatusCode::OK);
    for (token, notice) in [(&county, first), (&city, second)] {
        let answer = json!({ "action": "answer", "notice": notice, "text": "已整改", "rectified": true });
        assert_eq!(act(&world, token, &case, answer).await.0, StatusCode::OK);
    }
    let seen = world.get(&reviewer, &format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(seen["state"], json!("rectified"));
    let answers = seen["notices"][0]["answers"].as_array().unwrap();
    let told: Vec<(&str, Option<&str>)> =
        answers.iter().map(|it| (it["text"].as_str().unwrap(), it["return_reason"].as_str())).collect();
    assert_eq!(told, [("已拔", Some("哪台机器？")), ("已整改", None)]);
    let about = seen["steps"].as_array().unwrap().iter().filter(|it| it["notice"] == json!(first)).count();
    assert_eq!(about, 4, "sent, answered, given back, answered");
    let document = world.get(&county, &format!("/api/v1/cases/{case}/notices/{first}")).await.json();
    assert_eq!((&document["notice"]["text"], &document["case"]["id"]), (&json!("拔掉网线"), &json!(case)));
    assert_eq!(document["evidence"][0]["is"], json!("ports"));
    for none in ["2026-9999", "x"] {
        let answer = world.get(&county, &format!("/api/v1/cases/{case}/notices/{none}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let table = world.get(&reviewer, "/api/v1/cases.csv?state=all").await.text;
    assert!(table.contains(&format!("{first} {second}")), "{table}");
}

#[tokio::test]
async fn notices_are_counted_by_unit_and_month_and_in_the_monthly_report() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let case = graded(&world, &reviewer).await;
    for to in ["130102", "130100"] {
        let body = json!({ "action": "notify", "to": to, "text": "x" });
        assert_eq!(act(&world, &reviewer, &case, body).await.0, StatusCode::OK);
    }
    assert_eq!(act(&world, &county, &case, json!({ "action": "answer", "text": "x" })).await.0, StatusCode::OK);
    let rows = async |query: &str| {
        let told = world.get(&reviewer, &format!("/api/v1/cases/statistics?{query}")).await.json();
        let row = |it: &Value| {
            let number = |key: &str| it[key].as_u64().unwrap();
            let name = it["name"].as_str().unwrap().to_owned();
            (name, number("opened"), number("notices_sent"), number("notices_in_time"), number("notices_unanswered"))
        };
        told["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let by_unit = rows("by=unit&site=130000").await;
    assert_eq!(by_unit, [("石家庄市".into(), 0, 1, 0, 1), ("长安区".into(), 2, 1, 1, 0)]);
    assert_eq!(rows("by=unit_month&site=130102").await, [("长安区 2027-01".into(), 2, 1, 1, 0)]);
    assert_eq!(rows("by=month&site=130000").await, [("2027-01".into(), 2, 2, 1, 1)]);
    assert_eq!(rows("by=month&site=130000&from=2027-02-01").await, []);
    let viewer = world.token(Role::Viewer, None).await;
    let month = world.get(&viewer, "/api/v1/reports/monthly?site=130000&month=2027-01").await.json();
    let cases = &month["month_figures"]["cases"];
    for (field, value) in
        [("opened", 2), ("closed_true", 0), ("overdue", 0), ("notices_sent", 2), ("notices_in_time", 1)]
    {
        assert_eq!(cases[field], json!(value), "{field}: {month}");
    }
    assert_eq!(month["month_figures_before"]["cases"]["opened"], json!(0));
}
