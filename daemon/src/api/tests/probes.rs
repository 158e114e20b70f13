//! What agents measure of the ways that lead away, as API, console and metrics say it.

use hyper::StatusCode;
use serde_json::json;

use crate::{access::Role, testing::World};

#[tokio::test]
async fn a_probe_is_shown_with_its_state_and_what_was_measured_last() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let probes = world.get(&token, "/api/v1/sites/130102/probes").await.items();
    assert_eq!(probes.len(), 1);
    let probe = &probes[0];
    assert_eq!(probe["site"], world.site("130102").to_string());
    for (field, value) in [
        ("name", json!("gateway")),
        ("role", json!("gateway")),
        ("kind", json!("icmp")),
        ("state", json!("degraded")),
        ("detail", json!("3 of 60 are lost")),
        ("leads_to", json!(null)),
    ] {
        assert_eq!(probe[field], value, "{field}");
    }
    let measured = &probe["measured"];
    assert_eq!((&measured["sent"], &measured["lost"], &measured["loss_ratio"]), (&json!(60), &json!(3), &json!(0.05)));
    assert_eq!(measured["round_trip_median_us"], 1_200);
    let samples = format!("/api/v1/agents/{}/probes/gateway/samples", probe["agent"].as_str().unwrap());
    let samples = world.get(&token, &samples).await.items();
    assert_eq!((samples.len(), &samples[0]["sent"], &samples[0]["path_mtu"]), (1, &json!(60), &json!(null)));
    assert!(world.get(&token, "/api/v1/sites/130100/probes").await.items().is_empty());
}

#[tokio::test]
async fn probes_of_a_site_that_one_may_not_see_do_not_exist() {
    let world = World::new().await;
    let whole = world.token(Role::Viewer, None).await;
    let agent = world.get(&whole, "/api/v1/sites/130102/probes").await.items()[0]["agent"].as_str().unwrap().to_owned();
    let token = world.token(Role::Viewer, Some("320000")).await;
    for path in ["/api/v1/sites/130102/probes".to_owned(), format!("/api/v1/agents/{agent}/probes/gateway/samples")] {
        assert_eq!(world.get(&token, &path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
