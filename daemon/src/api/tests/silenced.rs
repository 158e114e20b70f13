//! What a rule silences names the rule in every list: its id, who answers for it and until when.

use hyper::{Method, StatusCode};
use onenet_topology::{
    anomaly::{AnomalyKey, AnomalyReport},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};
use serde_json::json;

use crate::{
    access::Role,
    testing::{NOW, World},
};

#[tokio::test]
async fn what_a_rule_silences_names_it_in_lists_of_cases_and_of_anomalies_and_in_tables() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let until = world.app.clock.now().plus_ms(86_400_000).to_string();
    let rule = json!({ "kind": "sweep", "owner": "王芳", "reason": "approved scanner", "until": until });
    let made = world.send(&reviewer, Method::POST, "/api/v1/suppressions", Some(rule)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let rule = made.json()["id"].as_str().unwrap().to_owned();
    let report = AnomalyReport {
        key: AnomalyKey { kind: "sweep".into(), subject: "10.20.0.9".into() },
        grade: Severity::Considerable,
        confidence: 90,
        lasted_ms: 0,
        count: 40,
        run: 1,
        evidence: Vec::new(),
        drill: None,
    };
    world
        .tell_more(1, vec![HistoryItem { time: NOW, scope: Scope::new(""), body: HistoryBody::Anomaly(report) }])
        .await;
    let told = json!({ "rule": rule, "owner": "王芳", "reason": "approved scanner", "until": until });
    let cases = world.get(&reviewer, "/api/v1/cases?state=silenced").await.items();
    assert_eq!((cases.len(), &cases[0]["silenced_by"], &cases[0]["silenced_rule"]), (1, &json!(rule), &told));
    let found = world.get(&reviewer, "/api/v1/anomalies?kind=sweep").await.items();
    assert_eq!((&found[0]["case_state"], &found[0]["silenced_rule"]), (&json!("silenced"), &told));
    for table in ["/api/v1/cases.csv?state=silenced", "/api/v1/anomalies.csv?kind=sweep"] {
        let table = world.get(&reviewer, table).await.text;
        let [head, line] = table.lines().collect::<Vec<_>>()[..] else { panic!("{table}") };
        assert!(line.contains(&rule) && line.contains("\"王芳\"") && line.contains(&until), "{table}");
        assert_eq!(head.split(',').count(), line.split(',').count(), "{table}");
    }
    let viewer = world.token(Role::Viewer, None).await;
    let found = world.get(&viewer, "/api/v1/anomalies?kind=sweep").await.items();
    assert_eq!(found[0]["silenced_rule"], json!(null), "who reads no cases sees none");
}
