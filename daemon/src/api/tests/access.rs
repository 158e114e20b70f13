//! Tokens and the audit trail.

use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    api::{LOCAL_ROLE_HEADER, Peer},
    testing::{Answer, BODY_MAX, World},
};
use axum::body::Body;
use tower::ServiceExt as _;

async fn create(world: &World, by: &str, body: Value) -> Answer {
    world.send(by, Method::POST, "/api/v1/tokens", Some(body)).await
}

#[tokio::test]
async fn a_created_token_works_until_it_is_revoked_and_its_secret_is_shown_once() {
    let world = World::bare().await;
    let security = world.token(Role::SecurityAdministrator, None).await;
    let made = create(&world, &security, json!({"name": "li", "grants": [{"role": "viewer", "site": "130000"}]})).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let (id, secret) =
        (made.json()["id"].as_str().unwrap().to_owned(), made.json()["token"].as_str().unwrap().to_owned());
    let me = world.get(&secret, "/api/v1/me").await.json();
    assert_eq!(me["name"], "li");
    assert_eq!(me["grants"], json!([{"role": "viewer", "site": world.site("130000").to_string()}]));
    let listed = world.get(&security, "/api/v1/tokens").await;
    assert!(listed.text.contains(&id) && !listed.text.contains(&secret), "{}", listed.text);
    let revoked = world.send(&security, Method::DELETE, "/api/v1/tokens/li", None).await;
    assert_eq!(revoked.status, StatusCode::OK, "{revoked:?}");
    assert_eq!(world.get(&secret, "/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.send(&security, Method::DELETE, "/api/v1/tokens/li", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_with_the_reason() {
    let world = World::bare().await;
    let security = world.token(Role::SecurityAdministrator, None).await;
    let both = json!([{"role": "system-administrator"}, {"role": "audit-administrator"}]);
    for (body, status, words) in [
        (json!({"name": "x", "grants": both}), StatusCode::CONFLICT, "exclude each other"),
        (json!({"name": "x", "grants": []}), StatusCode::CONFLICT, "at least one role"),
        (json!({"name": "", "grants": [{"role": "viewer"}]}), StatusCode::CONFLICT, "name"),
        (json!({"name": "x", "grants": [{"role": "king"}]}), StatusCode::BAD_REQUEST, "viewer, operator"),
        (json!({"name": "x", "grants": [{"role": "viewer", "site": "1"}]}), StatusCode::BAD_REQUEST, "division code"),
        (json!({"name": "x", "grants": [{"role": "viewer"}], "expires": "soon"}), StatusCode::BAD_REQUEST, "RFC 3339"),
        (json!({"name": "x", "colour": 1, "grants": []}), StatusCode::BAD_REQUEST, "colour"),
        (json!({"name": "x".repeat(BODY_MAX)}), StatusCode::PAYLOAD_TOO_LARGE, "body_max_kib"),
    ] {
        let answer = create(&world, &security, body.clone()).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.text.contains(words), "{words}: {}", answer.text);
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
    }
}

#[tokio::test]
async fn nobody_grants_beyond_what_he_manages() {
    let world = World::bare().await;
    let hebei = world.token(Role::SecurityAdministrator, Some("130000")).await;
    let _elsewhere = world.token(Role::Viewer, Some("320000")).await;
    let everywhere = create(&world, &hebei, json!({"name": "x", "grants": [{"role": "viewer"}]})).await;
    assert_eq!(everywhere.status, StatusCode::FORBIDDEN, "{everywhere:?}");
    let above = create(&world, &hebei, json!({"name": "x", "grants": [{"role": "viewer", "site": "000000"}]})).await;
    assert_eq!(above.status, StatusCode::BAD_REQUEST, "the ministry is hidden: {above:?}");
    let below = create(&world, &hebei, json!({"name": "x", "grants": [{"role": "viewer", "site": "130102"}]})).await;
    assert_eq!(below.status, StatusCode::OK, "{below:?}");
    let names: Vec<Value> =
        world.get(&hebei, "/api/v1/tokens").await.items().iter().map(|it| it["name"].clone()).collect();
    assert!(names.contains(&json!("x")) && !names.contains(&json!("viewer of 320000")), "{names:?}");
    let other = world.send(&hebei, Method::DELETE, "/api/v1/tokens/viewer%20of%20320000", None).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    for role in [Role::Viewer, Role::Operator, Role::SystemAdministrator, Role::AuditAdministrator] {
        let token = world.token(role, None).await;
        let answer = create(&world, &token, json!({"name": "y", "grants": [{"role": "viewer"}]})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}: {answer:?}");
    }
}

#[tokio::test]
async fn each_use_is_in_the_trail_and_only_the_audit_administrator_reads_it() {
    let world = World::new().await;
    let viewer = world.token(Role::Viewer, Some("130000")).await;
    for _ in 0..3 {
        world.get(&viewer, "/api/v1/sites/130102").await;
    }
    world.get(&viewer, "/api/v1/sites/320102").await;
    world.get(&viewer, "/api/v1/tokens").await;
    world.get("", "/api/v1/sites").await;
    let audit = world.token(Role::AuditAdministrator, None).await;
    let entries = world.get(&audit, "/api/v1/audit").await.items();
    let find = |outcome: &str, subject: &str| {
        let found =
            entries.iter().find(|it| it["outcome"] == outcome && it["subject"].as_str().unwrap().contains(subject));
        found.unwrap_or_else(|| panic!("no {outcome} {subject}: {entries:#?}")).clone()
    };
    let done = find("done", "/sites/130102");
    assert_eq!(done["principal"], "viewer of 130000");
    assert_eq!(done["source"], "192.0.2.7");
    assert_eq!(done["site"], world.site("130102").to_string());
    find("hidden", "/sites/320102");
    find("forbidden", "/tokens");
    assert_eq!(find("stranger", "")["principal"], Value::Null);
    // Repetitions are counted, not lost: at the end of the window, or of the process.
    world.app.write_audit(true).await;
    let entries = world.get(&audit, "/api/v1/audit").await.items();
    let times: u64 = entries
        .iter()
        .filter(|it| it["subject"] == "GET /api/v1/sites/130102" && it["outcome"] == "done")
        .map(|it| it["count"].as_u64().unwrap())
        .sum();
    assert_eq!(times, 3);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::AuditAdministrator) {
        let token = world.token(role, None).await;
        assert_eq!(world.get(&token, "/api/v1/audit").await.status, StatusCode::FORBIDDEN, "{role}");
    }
}

#[tokio::test]
async fn the_trail_is_read_page_by_page_without_a_gap_or_a_double() {
    let world = World::bare().await;
    let viewer = world.token(Role::Viewer, None).await;
    for n in 0..25 {
        world.get(&viewer, &format!("/api/v1/sites?q={n}")).await;
    }
    let audit = world.token(Role::AuditAdministrator, None).await;
    let mut subjects = Vec::new();
    let mut cursor = String::new();
    loop {
        let page =
            world.get(&audit, &format!("/api/v1/audit?limit=10&principal=viewer%20of%20all{cursor}")).await.json();
        subjects.extend(page["items"].as_array().unwrap().iter().map(|it| it["subject"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..25).map(|n| format!("GET /api/v1/sites?q={n}")).collect();
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn the_local_socket_serves_two_administrators_that_stay_apart() {
    let world = World::bare().await;
    let ask = async |role: Option<&str>, path: &str| {
        let mut request = Request::builder().uri(path);
        if let Some(role) = role {
            request = request.header(LOCAL_ROLE_HEADER, role);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::Local);
        Answer::of(world.router.clone().oneshot(request).await.unwrap()).await.status
    };
    assert_eq!(ask(Some("security-administrator"), "/api/v1/tokens").await, StatusCode::OK);
    assert_eq!(ask(Some("system-administrator"), "/api/v1/tokens").await, StatusCode::FORBIDDEN);
    assert_eq!(ask(Some("system-administrator"), "/api/v1/endpoints").await, StatusCode::OK);
    assert_eq!(ask(Some("security-administrator"), "/api/v1/endpoints").await, StatusCode::FORBIDDEN);
    for role in [None, Some("audit-administrator"), Some("viewer"), Some("root")] {
        assert_eq!(ask(role, "/api/v1/sites").await, StatusCode::FORBIDDEN, "{role:?}");
    }
    // The header means nothing on the network.
    let request = Request::builder().uri("/api/v1/sites").header(LOCAL_ROLE_HEADER, "system-administrator");
    assert_eq!(world.raw(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn backups_are_not_for_the_network() {
    let world = World::bare().await;
    let token = world.token(Role::SystemAdministrator, None).await;
    let answer = world.send(&token, Method::POST, "/api/v1/backup", Some(json!({"path": "/nowhere/backup"}))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("onenetd backup"), "{}", answer.text);
}
