//! What detectors found, as API and metrics say it.

use hyper::StatusCode;
use serde_json::json;

use crate::{access::Role, testing::World};

#[tokio::test]
async fn what_detectors_found_is_listed_the_last_seen_first_and_narrowed_by_what_is_asked() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let list = async |query: &str| {
        let answer = world.get(&token, &format!("/api/v1/anomalies{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        answer.items()
    };
    let all = list("?site=130102").await;
    let kinds: Vec<_> = all.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rogue_dhcp", "port_scan"]);
    let scan = &all[1];
    assert_eq!(scan["site"], world.site("130102").to_string());
    for (field, value) in [
        ("subject", json!("10.20.0.7")),
        ("grade", json!("considerable")),
        ("confidence", json!(90)),
        ("count", json!(64)),
        ("evidence", json!([{"is": "ports", "value": "1-64"}])),
    ] {
        assert_eq!(scan[field], value, "{field}");
    }
    assert_eq!(&list("?site=130102&kind=port_scan").await[..], std::slice::from_ref(scan));
    assert_eq!(list("?site=130102&grade=major").await, [all[0].clone()]);
    assert_eq!(list("?site=130102&subject=10.20.0.7").await.len(), 1);
    assert_eq!(list(&format!("?site=130102&from={}", all[0]["last"].as_str().unwrap())).await.len(), 1);
    let page = world.get(&token, "/api/v1/anomalies?site=130102&limit=1").await;
    let next = page.json()["next"].as_str().unwrap().to_owned();
    let query = format!("?site=130102&limit=1&cursor={}", crate::api::encode(&next));
    assert_eq!(&list(&query).await[..], std::slice::from_ref(scan));
    let wrong = world.get(&token, "/api/v1/anomalies?grade=bad").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text);
}

#[tokio::test]
async fn which_detectors_are_on_is_told_by_site_and_by_metrics() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let detectors = world.get(&token, "/api/v1/sites/130102/detectors").await.items();
    let told: Vec<_> = detectors.iter().map(|it| (it["kind"].as_str().unwrap(), it["on"].as_bool().unwrap())).collect();
    assert_eq!(told, [("port_scan", true), ("dark_address", false)]);
    assert_eq!((&detectors[0]["inputs"], &detectors[1]["off"]), (&json!(4_000), &json!("no dark prefix is listed")));
    let page = world.get(&token, "/metrics/site/130102").await.text;
    let site = world.site("130102");
    for line in [
        format!("onenet_site_anomalies{{site=\"{site}\",kind=\"port_scan\",grade=\"considerable\"}} 1"),
        "kind=\"dark_address\"} 0".to_owned(),
    ] {
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn what_was_found_elsewhere_does_not_exist() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, Some("320000")).await;
    let seen = world.get(&token, "/api/v1/anomalies").await;
    assert!(!seen.items().is_empty() && !seen.text.contains(&world.site("130102").to_string()), "{}", seen.text);
    let detectors = world.get(&token, "/api/v1/sites/130102/detectors").await;
    assert_eq!(detectors.status, StatusCode::NOT_FOUND);
}
