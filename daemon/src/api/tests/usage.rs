//! What flows add up to, by endpoint and by site.

use hyper::StatusCode;
use serde_json::json;

use crate::{
    access::Role,
    testing::{World, mac},
};

#[tokio::test]
async fn an_endpoint_tells_its_applications_and_no_others() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let found = world.get(&token, &format!("/api/v1/endpoints?q={}", mac(1, 1))).await.items();
    let path = format!("/api/v1/endpoints/{}/applications", found[0]["id"].as_str().unwrap());
    let answer = world.get(&token, &path).await.json();
    let items: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|it| (&it["application"], &it["bytes_in"])).collect();
    assert_eq!(items, [(&json!("tls"), &json!(10_000)), (&json!("dns"), &json!(200))]);
    assert_eq!(answer["total"]["bytes_out"], 3_100);
    assert_eq!(answer["total"]["flows_out"], 6);
    let late = world.get(&token, &format!("{path}?from=2027-01-15T06:50:00Z")).await.json();
    assert_eq!(late["items"][0]["bytes_out"], 1_000, "the sample before it is too old: {late}");
}

#[tokio::test]
async fn a_site_tells_what_crossed_it_and_who_talked_most_with_the_rest_as_one() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, Some("130102")).await;
    let answer = world.get(&token, "/api/v1/sites/130102/applications").await.json();
    let items: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|it| (&it["application"], &it["bytes"])).collect();
    let expected = [(json!("tls"), json!(8_000)), (json!(null), json!(700)), (json!("dns"), json!(100))];
    assert_eq!(items, expected.iter().map(|(application, bytes)| (application, bytes)).collect::<Vec<_>>());
    let talkers = world.get(&token, "/api/v1/sites/130102/talkers?limit=1").await.json();
    let first = &talkers["items"][0];
    assert_eq!(first["mac"], mac(1, 1).to_string());
    assert_eq!(first["hostname"], "PC-1<b>");
    assert_eq!(first["applications"], json!(["tls", "dns"]));
    assert_eq!(first["ips"], json!(["192.168.1.50"]));
    assert_eq!(talkers["others"]["bytes_out"], 5_700, "the second talker and the rest");
    assert_eq!(talkers["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_time_that_is_no_time_or_too_long_is_refused() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    for (query, parameter) in [
        ("from=2027-02-01", "from"),
        ("from=2026-01-01", "from"),
        ("to=soon", "to"),
        ("limit=5", "limit"),
        ("until=2027-01-01", "until"),
    ] {
        let answer = world.get(&token, &format!("/api/v1/sites/130102/applications?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["parameter"], parameter, "{query}: {answer:?}");
    }
    let empty = world.get(&token, "/api/v1/sites/130000/talkers").await.json();
    assert_eq!((&empty["items"], &empty["others"]["bytes_in"]), (&json!([]), &json!(0)), "a province without an agent");
}

#[tokio::test]
async fn an_agent_tells_how_capture_goes_on_each_interface() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, Some("130102")).await;
    let agent = world.get(&token, "/api/v1/agents").await.items().remove(0);
    let capture = agent["capture"].as_array().unwrap();
    assert_eq!(capture.len(), 1, "{agent}");
    let eth1 = &capture[0];
    assert_eq!(
        (&eth1["interface"], &eth1["frames"], &eth1["octets"]),
        (&json!("eth1"), &json!(10_000), &json!(6_000_000))
    );
    assert_eq!((&eth1["frames_dropped"], &eth1["flows_lost"]), (&json!(20), &json!(4)));
    assert_eq!(eth1["undecoded"], json!({"arp_short": 2, "vlan_short": 5}));
    assert_eq!(eth1["loss_ratio"], 0.025);
}
