//! Drills through the API: known kinds alone, traffic that would be somebody's, and no figure that changes.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{access::Role, testing::World};

async fn drill(world: &World, token: &str, more: Value) -> (StatusCode, Value) {
    let mut body = json!({ "site": "130102", "kind": "port_scan", "text": "autumn drill" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = world.send(token, Method::POST, "/api/v1/drills", Some(body)).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_drill_says_that_it_is_one_and_whose_traffic_it_would_be() {
    let world = World::bare().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let traffic = json!({ "source": "10.1.2.3", "destination": "192.0.2.9", "port": 4_433 });
    let (status, case) = drill(&world, &reviewer, traffic).await;
    assert_eq!(
        (status, &case["subject"], &case["drill"]),
        (StatusCode::OK, &json!("10.1.2.3"), &json!(true)),
        "{case}"
    );
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
    assert_eq!(silenced["state"], json!("silenced"), "rules see whose traffic it would be");
    for (more, parameter, says) in [
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "port_scan"),
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "worm_spread"),
        (json!({ "kind": "port_scam", "subject": "x" }), json!("kind"), "link_down"),
        (json!({ "source": "host" }), json!("source"), "10.13.1.7"),
        (json!({}), Value::Null, "has a subject"),
    ] {
        let (status, problem) = drill(&world, &reviewer, more.clone()).await;
        assert!(status.is_client_error() && problem["parameter"] == parameter, "{more}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{more}: {problem}");
    }
    let county = world.token(Role::Operator, Some("130102")).await;
    assert_eq!(drill(&world, &county, json!({ "subject": "x" })).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_figure_knows_of_a_drill_that_went_the_whole_way() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let figures = async || {
        let mut told = Vec::new();
        for by in ["grade", "kind", "month", "site", "area", "unit", "unit_month"] {
            told.push(world.get(&reviewer, &format!("/api/v1/cases/statistics?by={by}")).await.text);
        }
        let month = world.get(&reviewer, "/api/v1/reports/monthly?month=2027-01").await.json();
        told.push(month["month_figures"]["cases"].to_string());
        told
    };
    let before = figures().await;
    let (_, case) = drill(&world, &reviewer, json!({ "subject": "10.9.9.9" })).await;
    for (token, body) in [
        (&reviewer, json!({ "action": "acknowledge" })),
        (&reviewer, json!({ "action": "grade", "grade": "major", "category": "network_attack" })),
        (&reviewer, json!({ "action": "notify", "text": "drill" })),
        (&county, json!({ "action": "answer", "text": "drilled", "rectified": true })),
        (&reviewer, json!({ "action": "close", "verdict": "drill", "text": "over" })),
    ] {
        let path = format!("/api/v1/cases/{}/actions", case["id"].as_str().unwrap());
        let answer = world.send(token, Method::POST, &path, Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(figures().await, before, "{}", answer.text);
    }
}
