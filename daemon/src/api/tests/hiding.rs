//! What is forbidden looks as if it did not exist.

use hyper::StatusCode;
use serde_json::Value;

use crate::{
    access::Role,
    testing::{World, mac},
};

/// Every list of the inventory.
const LISTS: [&str; 9] = [
    "/api/v1/sites",
    "/api/v1/devices",
    "/api/v1/endpoints",
    "/api/v1/endpoints?q=00:1b:21",
    "/api/v1/agents",
    "/api/v1/conditions",
    "/api/v1/findings",
    "/api/v1/anomalies",
    "/api/v1/links",
];

#[tokio::test]
async fn without_a_known_token_nothing_is_answered() {
    let world = World::new().await;
    let device = format!("{}/interfaces", first(&world, "/api/v1/devices").await);
    for path in LISTS.into_iter().chain(["/metrics", "/api/v1/me", "/api/v1/audit", "/api/v1/tokens", &device]) {
        for token in ["", "onenet_0000", "x"] {
            let answer = world.get(token, path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {answer:?}");
            assert_eq!(answer.json()["type"], "urn:onenet:unauthorized");
        }
    }
}

/// Returns the address of the first thing in a list.
async fn first(world: &World, list: &str) -> String {
    let token = world.token(Role::Viewer, None).await;
    let items = world.get(&token, list).await.items();
    let item = items.iter().find(|item| item["site"] != Value::Null).unwrap();
    format!("{list}/{}", item["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_token_of_another_subtree_sees_nothing_of_a_site() {
    let world = World::new().await;
    let (hebei, jiangsu) = (world.site("130000").to_string(), world.site("320102").to_string());
    let all = world.token(Role::Viewer, Some("000000")).await;
    let token = world.token(Role::Viewer, Some("130000")).await;
    for path in LISTS {
        let (seen, everything) = (world.get(&token, path).await, world.get(&all, path).await);
        assert_eq!(seen.status, StatusCode::OK, "{path}: {seen:?}");
        // The lists hold something of both, else this proves nothing. Links need two devices.
        if path != "/api/v1/links" {
            assert!(everything.text.contains(&jiangsu), "{path}: {}", everything.text);
            assert!(!seen.items().is_empty(), "{path}");
        }
        assert!(!seen.text.contains(&jiangsu), "{path}: {}", seen.text);
        assert!(!seen.text.contains("江苏") && !seen.text.contains("SW2"), "{path}: {}", seen.text);
    }
    let tree = world.get(&token, "/api/v1/sites/tree").await;
    assert_eq!(tree.items().len(), 1);
    assert_eq!(tree.items()[0]["id"], hebei.as_str());
    assert_eq!(tree.items()[0]["parents"], serde_json::json!([]), "the site above is hidden");
    assert_eq!(tree.items()[0]["counts_below"]["endpoints_present"], 3, "counts are of what is seen");
    let metrics = world.get(&token, "/metrics").await;
    assert!(metrics.text.contains(&world.site("130102").to_string()) && !metrics.text.contains(&jiangsu));
    assert!(metrics.text.contains("onenet_sites{tier=\"county\"} 1"), "{}", metrics.text);
}

#[tokio::test]
async fn what_is_hidden_is_answered_like_what_does_not_exist() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, None).await;
    let stranger = world.token(Role::Viewer, Some("130000")).await;
    let mut things = vec![
        (format!("/api/v1/sites/{}", world.site("320102")), "/api/v1/sites/site-ffff".to_owned()),
        (format!("/api/v1/sites/{}/children", world.site("320100")), "/api/v1/sites/site-ffff/children".to_owned()),
        ("/api/v1/sites/320102".to_owned(), "/api/v1/sites/999999".to_owned()),
        ("/api/v1/sites/320102/talkers".to_owned(), "/api/v1/sites/999999/talkers".to_owned()),
        ("/api/v1/sites/320102/applications".to_owned(), "/api/v1/sites/999999/applications".to_owned()),
    ];
    for kind in ["devices", "endpoints", "agents"] {
        let list = world.get(&viewer, &format!("/api/v1/{kind}?site=320102")).await.items();
        let id = list[0]["id"].as_str().unwrap().to_owned();
        let prefix = id.split('-').next().unwrap();
        things.push((format!("/api/v1/{kind}/{id}"), format!("/api/v1/{kind}/{prefix}-ffff")));
        if kind == "endpoints" {
            let absent = "/api/v1/endpoints/endpoint-ffff/traffic".to_owned();
            things.push((format!("/api/v1/endpoints/{id}/traffic"), absent));
            let absent = "/api/v1/endpoints/endpoint-ffff/applications".to_owned();
            things.push((format!("/api/v1/endpoints/{id}/applications"), absent));
        }
        if kind == "devices" {
            let path = format!("/api/v1/devices/{id}/interfaces");
            let interface = world.get(&viewer, &path).await.items()[0]["id"].as_str().unwrap().to_owned();
            things.push((path, "/api/v1/devices/device-ffff/interfaces".to_owned()));
            for below in ["sensors", "sensors/temperature/x/samples"] {
                things.push((format!("/api/v1/devices/{id}/{below}"), format!("/api/v1/devices/device-ffff/{below}")));
            }
            things.push((
                format!("/api/v1/interfaces/{interface}/samples"),
                "/api/v1/interfaces/interface-ffff/samples".to_owned(),
            ));
        }
    }
    for (hidden, absent) in things {
        assert_eq!(world.get(&viewer, &hidden).await.status, StatusCode::OK, "{hidden}");
        let (hidden_answer, absent_answer) = (world.get(&stranger, &hidden).await, world.get(&stranger, &absent).await);
        assert_eq!(hidden_answer.status, StatusCode::NOT_FOUND, "{hidden}");
        assert_eq!(hidden_answer, absent_answer, "{hidden} and {absent} can be told apart");
    }
    let (hidden, absent) = ("/api/v1/endpoints?site=320102", "/api/v1/endpoints?site=999999");
    let of = |text: String| text.replace("320102", "CODE").replace("999999", "CODE");
    assert_eq!(of(world.get(&stranger, hidden).await.text), of(world.get(&stranger, absent).await.text));
}

#[tokio::test]
async fn a_search_finds_nothing_of_another_subtree_by_any_part() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, Some("130102")).await;
    let all = world.token(Role::Viewer, None).await;
    for query in [mac(2, 1).to_string(), "001b.2102".into(), "192.168.2.".into(), "pc-2".into()] {
        let path = format!("/api/v1/endpoints?q={query}");
        assert_eq!(world.get(&all, &path).await.items().len().min(1), 1, "{query}");
        assert_eq!(world.get(&token, &path).await.items(), Vec::<Value>::new(), "{query}");
    }
}

#[tokio::test]
async fn an_administrator_of_access_sees_sites_and_nothing_in_them() {
    let world = World::new().await;
    let token = world.token(Role::SecurityAdministrator, None).await;
    let site = world.get(&token, "/api/v1/sites/130102").await;
    assert_eq!(site.json()["counts"], Value::Null);
    assert_eq!(world.get(&token, "/api/v1/endpoints").await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get(&token, "/metrics").await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get(&token, "/api/v1/audit").await.status, StatusCode::FORBIDDEN);
}
