//! What changed, and what was there: told once, in part to who sees a part.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{World, mac},
};

fn told(items: &[Value]) -> Vec<(String, String, String)> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = items.iter().map(|it| (text(it, "what"), text(it, "kind"), text(it, "name"))).collect();
    told.sort();
    told
}

#[tokio::test]
async fn what_appeared_and_how_sites_changed_is_told_once_the_latest_first() {
    let world = World::new().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    let path = format!("/api/v1/sites/{}/changes", world.site("130102"));
    let rename = json!({"change": "rename", "name": {"zh": "长安新区"}});
    assert_eq!(world.send(&all, Method::POST, &path, Some(rename)).await.status, StatusCode::OK);
    let items = world.get(&all, "/api/v1/changes?site=130102").await.items();
    let appeared = |name: &str, kind: &str| ("appeared".to_owned(), kind.to_owned(), name.to_owned());
    let mut expected: Vec<_> = [1, 2, 3].map(|last| appeared(&mac(1, last).to_string(), "endpoint")).into();
    expected.push(appeared("SW1", "device"));
    expected.push(("site_renamed".to_owned(), "site".to_owned(), "长安新区".to_owned()));
    expected.sort();
    assert_eq!(told(&items), expected, "{items:?}");
    assert!(items.windows(2).all(|pair| pair[0]["time"].as_str() >= pair[1]["time"].as_str()), "{items:?}");
    let renamed = items.iter().find(|it| it["what"] == "site_renamed").unwrap();
    assert_eq!(renamed["before"], "Changan");
    // A page that is cut ends with all of a moment; where it ends, the next one goes on.
    let cut = world.get(&all, "/api/v1/changes?site=130102&limit=1").await.json();
    let next = cut["next"].as_str().unwrap();
    let rest = world.get(&all, &format!("/api/v1/changes?site=130102&until={next}")).await.items();
    let [first, second] = [cut["items"].as_array().unwrap(), &rest];
    assert_eq!([first.as_slice(), second].concat(), items);
    assert_eq!((first.len(), second.len()), (2, 3));
}

#[tokio::test]
async fn a_picture_shows_what_was_there_then_and_nothing_before() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, None).await;
    let now = world.get(&viewer, "/api/v1/sites/130102/picture").await.json();
    let count = |picture: &Value, key: &str| picture[key].as_array().unwrap().len();
    assert_eq!((count(&now, "devices"), count(&now, "endpoints")), (1, 3), "{now}");
    assert_eq!(now["devices"][0]["name"], "SW1");
    let past = world.get(&viewer, "/api/v1/sites/130102/picture?at=2020-01-01").await.json();
    assert_eq!((count(&past, "devices"), count(&past, "endpoints")), (0, 0), "{past}");
    let wrong = world.get(&viewer, "/api/v1/sites/130102/picture?at=soon").await;
    assert_eq!((wrong.status, &wrong.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("at")));
    let wrong = world.get(&viewer, "/api/v1/changes?from=2026-02-01&until=2026-01-01").await;
    assert_eq!((wrong.status, &wrong.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("from")));
}

#[tokio::test]
async fn changes_of_a_hidden_site_do_not_exist() {
    let world = World::new().await;
    let hebei = world.token(Role::Viewer, Some("130000")).await;
    let seen = world.get(&hebei, "/api/v1/changes?from=1960-01-01").await;
    let jiangsu = world.site("320102").to_string();
    assert!(!seen.items().is_empty() && !seen.text.contains(&jiangsu) && !seen.text.contains("SW2"), "{}", seen.text);
    assert_eq!(world.get(&hebei, "/api/v1/sites/320102/picture").await.status, StatusCode::NOT_FOUND);
    let nobody = world.token(Role::AuditAdministrator, None).await;
    assert_eq!(world.get(&nobody, "/api/v1/changes").await.status, StatusCode::FORBIDDEN);
}
