//! What agents measure of the ways that lead away, as API, console and metrics say it.

use hyper::{Method, StatusCode};
use onenet_topology::{ProbeSample, ProbeTest};
use onenet_wire::{Done, Query};
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
    let told = |at: usize, field: &str| samples[at][field].clone();
    assert_eq!((samples.len(), told(0, "test"), told(0, "mos")), (2, json!("media"), json!(4.27)));
    assert_eq!((told(1, "test"), told(1, "sent"), told(1, "mos")), (json!("regular"), json!(60), json!(null)));
    assert_eq!((&probe["media"]["mos"], &probe["throughput"]), (&json!(4.27), &json!(null)));
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

/// Opens the line of the agent of 130102, which measures what it is asked to; one of throughput fails.
fn measuring(world: &World) {
    world.carrying_out(world.agent_of("130102"), |query| {
        let Query::Measure(asked) = query else { panic!("{query:?}") };
        assert_eq!(asked.principal, "operator of all", "the site knows who asks");
        if asked.test == ProbeTest::Throughput {
            return Err(format!("{} kbit/s cannot be sent", asked.kbit_per_s));
        }
        let (name, test) = (asked.probe, asked.test);
        let sample = ProbeSample { name, test, sent: 500, lost: 5, mos_centi: Some(431), ..ProbeSample::default() };
        Ok(Done { body: serde_json::to_vec(&sample).unwrap(), ..Done::default() })
    });
}

#[tokio::test]
async fn a_test_over_a_line_is_carried_out_on_demand_and_is_in_the_trail() {
    let world = World::new().await;
    let token = world.token(Role::Operator, None).await;
    let path = "/api/v1/sites/130102/measurements";
    let ask = async |body| world.send(&token, Method::POST, path, Some(body)).await;
    let silent = ask(json!({"probe": "gateway", "test": "media"})).await;
    assert_eq!(silent.status, StatusCode::SERVICE_UNAVAILABLE, "no stream is open");
    measuring(&world);
    let told = ask(json!({"probe": "gateway", "test": "media"})).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    let told = told.json();
    assert_eq!((&told["sent"], &told["mos"], &told["test"]), (&json!(500), &json!(4.31), &json!("media")));
    let failed = ask(json!({"probe": "gateway", "test": "throughput", "kbit_per_s": 9000})).await;
    assert_eq!(failed.status, StatusCode::BAD_GATEWAY);
    assert!(failed.text.contains("answers: 9000 kbit/s cannot be sent"), "{}", failed.text);
    for (body, named) in [
        (json!({"probe": "other", "test": "media"}), "other"),
        (json!({"probe": "gateway", "test": "regular"}), "write media or throughput"),
        (json!({"probe": "gateway", "test": "media", "agent": "x"}), "agent"),
    ] {
        let refused = ask(body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains(named), "{}", refused.text);
    }
    let audit = world.token(Role::AuditAdministrator, None).await;
    let entries = world.get(&audit, "/api/v1/audit").await.items();
    let measured = entries.iter().filter(|entry| entry["action"] == "measure_lines");
    let told: Vec<&str> = measured.filter_map(|entry| entry["subject"].as_str()).collect();
    assert!(
        told.iter().any(|it| it.contains("media test over") && it.contains("500 packets sent, 5 lost")),
        "{told:?}"
    );
    assert!(told.iter().any(|it| it.contains("cannot be sent")), "{told:?}");
    let viewer = world.token(Role::Viewer, None).await;
    let refused = world.send(&viewer, Method::POST, path, Some(json!({"probe": "gateway", "test": "media"}))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
