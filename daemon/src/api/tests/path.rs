//! Paths: what is known of each hop, and what is not.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{World, mac},
};

fn kinds(path: &Value) -> Vec<&str> {
    path["hops"].as_array().unwrap().iter().map(|hop| hop["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_way_between_counties_leads_over_the_tree_where_no_device_tells_more() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, None).await;
    let path = world.get(&viewer, &format!("/api/v1/path?from={}&to={}", mac(1, 1), mac(2, 1))).await.json();
    assert_eq!(path["complete"], false, "{path}");
    let kinds = kinds(&path);
    assert_eq!((kinds.first(), kinds.last()), (Some(&"endpoint"), Some(&"endpoint")), "{path}");
    let sites: Vec<&str> = path["hops"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|hop| hop["kind"] == "site")
        .map(|hop| hop["site"].as_str().unwrap())
        .collect();
    let inner = ["130100", "130000", "000000", "320000", "320100"].map(|code| world.site(code).to_string());
    assert_eq!(sites, inner, "up to where both ways meet, and down: {path}");
    let [from, to] = ["130100", "130102"].map(|code| world.site(code).to_string());
    let up = world.get(&viewer, &format!("/api/v1/path?from={from}&to={to}")).await.json();
    assert_eq!(up["hops"][0]["site"], from);
    assert_eq!(up["hops"].as_array().unwrap().last().unwrap()["site"], to, "{up}");
}

#[tokio::test]
async fn a_site_without_devices_is_left_and_reached_through_the_tree_in_the_order_of_the_way() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, None).await;
    // Where the endpoint is plugged in is not inferred yet: that is a gap in front of its gateway.
    let there = world.get(&viewer, &format!("/api/v1/path?from=320000&to={}", mac(1, 1))).await.json();
    assert_eq!(kinds(&there), ["site", "site", "site", "site", "device", "gap", "endpoint"], "{there}");
    let back = world.get(&viewer, &format!("/api/v1/path?from={}&to=320000", mac(1, 1))).await.json();
    assert_eq!(kinds(&back), ["endpoint", "gap", "device", "site", "site", "site", "site"], "{back}");
    let sites = |path: &Value| {
        let hops = path["hops"].as_array().unwrap().iter().filter(|hop| hop["kind"] == "site");
        hops.map(|hop| hop["site"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let way = ["320000", "000000", "130000", "130100"].map(|code| world.site(code).to_string());
    assert_eq!(sites(&there), way);
    assert_eq!(sites(&back), way.iter().rev().cloned().collect::<Vec<_>>());
}

#[tokio::test]
async fn an_end_that_is_unknown_hidden_or_ambiguous_says_what_to_give() {
    let world = World::new().await;
    let hebei = world.token(Role::Viewer, Some("130000")).await;
    let here = mac(1, 1).to_string();
    for (query, parameter, words) in [
        (format!("from={here}"), "to", "is missing"),
        (format!("from=nobody&to={here}"), "from", "a site, a device, or an endpoint"),
        (format!("from={here}&to=320102"), "to", "there is no"),
        (format!("from={here}&to={}", mac(2, 1)), "to", "there is no"),
    ] {
        let answer = world.get(&hebei, &format!("/api/v1/path?{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["parameter"]),
            (StatusCode::BAD_REQUEST, &json!(parameter)),
            "{query}"
        );
        assert!(answer.text.contains(words), "{answer:?}");
    }
}

#[tokio::test]
async fn subnets_of_a_site_are_told_with_their_gateways_and_endpoints_to_whoever_sees_it() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, None).await;
    let subnets = world.get(&viewer, "/api/v1/sites/130102/subnets").await.items();
    let [subnet] = subnets.as_slice() else { panic!("{subnets:?}") };
    let network = subnet["network"].as_str().unwrap();
    assert!(network.starts_with("192.168.") && network.ends_with(".0/24"), "{network}");
    assert_eq!(subnet["endpoints"], 1, "{subnet}");
    assert_eq!(subnet["devices"][0]["interface"], "Vlanif10", "{subnet}");
    assert!(subnet["unknown_next_hops"][0].as_str().unwrap().ends_with(".254"), "{subnet}");
    assert!(world.get(&viewer, "/api/v1/sites/130100/subnets").await.items().is_empty());
    let elsewhere = world.token(Role::Viewer, Some("320000")).await;
    assert_eq!(world.get(&elsewhere, "/api/v1/sites/130102/subnets").await.status, StatusCode::NOT_FOUND);
}
