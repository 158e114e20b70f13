//! Changing the tree of sites and the areas: by role, by subtree, and from the day on that it says.

use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{Answer, World},
};

async fn change(world: &World, by: &str, site: &str, body: Value) -> Answer {
    world.send(by, Method::POST, &format!("/api/v1/sites/{site}/changes"), Some(body)).await
}

async fn create_area(world: &World, by: &str, members: Value) -> Answer {
    let body = json!({"kind": "river_basin", "name": {"zh": "海河流域", "latin": "Hai River"}, "members": members});
    world.send(by, Method::POST, "/api/v1/areas", Some(body)).await
}

#[tokio::test]
async fn a_site_is_changed_by_who_manages_it_and_by_nobody_else() {
    let world = World::bare().await;
    let rename = || json!({"change": "rename", "name": {"zh": "长安分局"}});
    for role in Role::ALL.into_iter().filter(|role| *role != Role::SystemAdministrator) {
        let token = world.token(role, None).await;
        assert_eq!(change(&world, &token, "130102", rename()).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    let elsewhere = world.token(Role::SystemAdministrator, Some("320000")).await;
    let hidden = change(&world, &elsewhere, "130102", rename()).await;
    assert_eq!(hidden, change(&world, &elsewhere, "999999", rename()).await, "as if it did not exist");
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    let done = change(&world, &hebei, "130102", rename()).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!(done.json()["names"][1]["name"]["zh"], "长安分局");
    assert_eq!(world.get(&hebei, "/api/v1/sites/130102").await.json()["name"]["zh"], "长安分局");
}

#[tokio::test]
async fn where_a_site_stands_is_decided_by_who_manages_what_is_above_it() {
    let world = World::bare().await;
    let under = |code: &str| json!({"change": "move", "parents": [code]});
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    assert_eq!(change(&world, &hebei, "130102", under("320100")).await.json()["parameter"], "parents");
    let own_place = change(&world, &hebei, "130000", under("130100")).await;
    assert_eq!(own_place.status, StatusCode::FORBIDDEN, "{own_place:?}");
    let done = change(&world, &hebei, "130102", under("130000")).await;
    assert_eq!(done.json()["parents"][1]["parents"], json!([world.site("130000").to_string()]), "{done:?}");
    let all = world.token(Role::SystemAdministrator, None).await;
    assert_eq!(change(&world, &all, "130102", under("320100")).await.status, StatusCode::OK);
    assert_eq!(world.get(&hebei, "/api/v1/sites/130102").await.status, StatusCode::NOT_FOUND, "it went elsewhere");
}

#[tokio::test]
async fn a_change_holds_from_its_day_on_and_is_shown_before_it_comes() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    let body = json!({"change": "recode", "code": "130199", "from": "2099-01-01"});
    let done = change(&world, &all, "130102", body).await.json();
    assert_eq!(done["codes"][1], json!({"from": "2098-12-31T16:00:00.000Z", "until": null, "code": "130199"}));
    assert_eq!(done["codes"][0]["until"], "2098-12-31T16:00:00.000Z");
    assert_eq!(world.get(&all, "/api/v1/sites/130199").await.status, StatusCode::NOT_FOUND, "not yet");
    assert_eq!(world.get(&all, "/api/v1/sites/130102/history").await.json(), done);
}

#[tokio::test]
async fn a_merger_ends_the_site_and_hands_over_what_is_below_it() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    let (city, province) = (world.site("130100").to_string(), world.site("130000").to_string());
    let done = change(&world, &all, "130100", json!({"change": "merge", "into": "130000"})).await;
    assert_eq!(done.json()["ended"]["how"], "merged", "{done:?}");
    assert_eq!(done.json()["ended"]["into"], json!([province]));
    assert_eq!(world.get(&all, "/api/v1/sites/130102").await.json()["parents"], json!([province]));
    assert_eq!(world.get(&all, "/api/v1/sites/130100").await.status, StatusCode::NOT_FOUND);
    let reopened = change(&world, &all, &city, json!({"change": "reopen"})).await;
    assert_eq!((reopened.status, &reopened.json()["ended"]), (StatusCode::OK, &Value::Null), "{reopened:?}");
}

#[tokio::test]
async fn what_contradicts_the_tree_is_refused_with_the_remedy_and_names_nothing_hidden() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    for (site, body, status, words) in [
        ("130102", json!({"change": "recode", "code": "320102"}), 409, "recode or end that site first"),
        ("130000", json!({"change": "close"}), 409, "move them first"),
        ("130100", json!({"change": "move", "parents": ["130102"]}), 409, "elsewhere first"),
        ("130102", json!({"change": "recode", "code": "demo-1"}), 400, "simulated"),
        ("130102", json!({"change": "rename", "name": {"zh": "x"}, "from": "soon"}), 400, "2026-01-31"),
        ("130102", json!({"change": "sink"}), 400, "rename"),
        ("130102", json!({"change": "merge", "into": "1"}), 400, "division code"),
    ] {
        let answer = change(&world, &all, site, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {answer:?}");
        assert!(answer.text.contains(words), "{body}: {}", answer.text);
    }
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    let taken = change(&world, &hebei, "130102", json!({"change": "recode", "code": "320102"})).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(!taken.text.contains("玄武") && !taken.text.contains("site-"), "{}", taken.text);
    assert!(taken.text.contains("further up"), "{}", taken.text);
}

#[tokio::test]
async fn an_area_is_created_changed_and_deleted_by_who_manages_all_that_it_names() {
    let world = World::bare().await;
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    for role in Role::ALL.into_iter().filter(|role| *role != Role::SystemAdministrator) {
        let token = world.token(role, None).await;
        let answer = create_area(&world, &token, json!({"subtrees": ["130000"]})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}: {answer:?}");
    }
    let hidden = create_area(&world, &hebei, json!({"subtrees": ["130000", "320000"]})).await;
    assert_eq!((hidden.status, &hidden.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("members.subtrees")));
    let members = json!({"subtrees": ["130000"], "except": ["130102"]});
    let made = create_area(&world, &hebei, members).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let sites = json!(["130000", "130100"].map(|code| world.site(code).to_string()));
    assert_eq!((&made.json()["sites"], &made.json()["kind"]), (&sites, &json!("river_basin")));
    let renamed = json!({"name": {"zh": "海河"}, "members": {"sites": ["130102"]}});
    let changed = world.send(&hebei, Method::PATCH, "/api/v1/areas/Hai%20River", Some(renamed)).await;
    assert_eq!(changed.json()["sites"], json!([world.site("130102").to_string()]), "{changed:?}");
    assert_eq!(world.get(&hebei, "/api/v1/areas").await.items(), [changed.json()]);
    let deleted = world.send(&hebei, Method::DELETE, "/api/v1/areas/海河", None).await;
    assert_eq!(deleted.status, StatusCode::OK, "{deleted:?}");
    assert_eq!(world.get(&hebei, "/api/v1/areas").await.items(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_area_that_reaches_further_is_seen_in_part_and_not_changed() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    let made = create_area(&world, &all, json!({"subtrees": ["130000", "320000"]})).await;
    let path = format!("/api/v1/areas/{}", made.json()["id"].as_str().unwrap());
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    let seen = world.get(&hebei, &path).await;
    assert!(!seen.text.contains(&world.site("320000").to_string()), "{seen:?}");
    assert_eq!(seen.json()["sites"].as_array().unwrap().len(), 3);
    let body = json!({"name": {"zh": "河北"}});
    assert_eq!(world.send(&hebei, Method::PATCH, &path, Some(body)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.send(&hebei, Method::DELETE, &path, None).await.status, StatusCode::FORBIDDEN);
    let only_jiangsu = world.token(Role::SystemAdministrator, Some("320102")).await;
    let other = create_area(&world, &all, json!({"sites": ["130102"]})).await;
    let path = format!("/api/v1/areas/{}", other.json()["id"].as_str().unwrap());
    assert_eq!(world.get(&only_jiangsu, &path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.send(&only_jiangsu, Method::DELETE, &path, None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_area_that_cannot_be_is_refused_with_what_to_do() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    for (body, words) in [
        (json!({"kind": "lake", "name": {"zh": "x"}, "members": {"sites": ["130102"]}}), "river_basin"),
        (json!({"kind": "other", "name": {"zh": ""}, "members": {"sites": ["130102"]}}), "1 to 100 characters"),
        (json!({"kind": "other", "name": {"zh": "x"}, "members": {}}), "at least one site"),
        (json!({"kind": "other", "name": {"zh": "x"}, "members": {"sites": ["1"]}}), "division code"),
    ] {
        let answer = world.send(&all, Method::POST, "/api/v1/areas", Some(body)).await;
        assert!(answer.status.is_client_error() && answer.text.contains(words), "{words}: {answer:?}");
    }
}

/// The agent of a county.
async fn agent_of(world: &World, site: &str) -> String {
    let token = world.token(Role::Viewer, Some(site)).await;
    world.get(&token, "/api/v1/agents").await.items()[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_agent_is_revoked_once_with_a_reason_by_who_looks_after_it() {
    let world = World::new().await;
    let path = format!("/api/v1/agents/{}/revoke", agent_of(&world, "130102").await);
    let revoke = async |token: &str| world.send(token, Method::POST, &path, Some(json!({"reason": "stolen"}))).await;
    for role in [Role::Viewer, Role::SecurityReviewer, Role::SecurityAdministrator, Role::AuditAdministrator] {
        let token = world.token(role, None).await;
        assert_eq!(revoke(&token).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    let elsewhere = world.token(Role::Operator, Some("320000")).await;
    assert_eq!(revoke(&elsewhere).await.status, StatusCode::NOT_FOUND);
    let operator = world.token(Role::Operator, Some("130000")).await;
    for reason in ["", " ", "a\nb", &"x".repeat(201)] {
        let answer = world.send(&operator, Method::POST, &path, Some(json!({"reason": reason}))).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("reason")));
    }
    let done = revoke(&operator).await;
    assert_eq!((done.status, &done.json()["state"]), (StatusCode::OK, &json!("revoked")), "{done:?}");
    assert_eq!(done.json()["revoked"]["by"], "operator of 130000");
    let again = revoke(&operator).await;
    assert!(again.status == StatusCode::CONFLICT && again.text.contains("stolen"), "{again:?}");
}

#[tokio::test]
async fn a_sites_configuration_is_set_and_read_by_who_looks_after_its_agents() {
    let world = World::new().await;
    let path = "/api/v1/sites/130102/configuration";
    let set = async |token: &str, text: &str| {
        let request = Request::builder().method(Method::PUT).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        world.raw(request.body(axum::body::Body::from(text.to_owned())).unwrap()).await
    };
    let text = "[[devices]]\nname = \"core\"\ncommunity = \"secret\"\n";
    for role in [Role::Viewer, Role::SecurityReviewer, Role::SecurityAdministrator, Role::AuditAdministrator] {
        let token = world.token(role, None).await;
        assert_eq!(set(&token, text).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    let elsewhere = world.token(Role::Operator, Some("320000")).await;
    assert_eq!(set(&elsewhere, text).await.status, StatusCode::NOT_FOUND);
    let operator = world.token(Role::Operator, Some("130000")).await;
    assert_eq!(world.get(&operator, path).await.json()["revision"], Value::Null);
    let done = set(&operator, text).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!((&done.json()["toml"], &done.json()["by"]), (&json!(text), &json!("operator of 130000")));
    assert_eq!(done.json()["agents"][0]["state"], "pushed", "its stream is open: {done:?}");
    let viewer = world.token(Role::Viewer, Some("130102")).await;
    let seen = world.get(&viewer, path).await;
    assert_eq!((&seen.json()["toml"], &seen.json()["revision"]), (&Value::Null, &done.json()["revision"]));
    assert!(!seen.text.contains("secret"), "{seen:?}");
    let audit = world.token(Role::AuditAdministrator, Some("000000")).await;
    let trail = world.get(&audit, "/api/v1/audit").await;
    assert!(trail.text.contains("configure_agents") && !trail.text.contains("secret"), "{}", trail.text);
}

#[tokio::test]
async fn some_sections_of_a_configuration_are_changed_and_all_others_stay() {
    let world = World::new().await;
    let operator = world.token(Role::Operator, Some("130000")).await;
    let send = async |method: Method, text: &str| {
        let request = Request::builder().method(method).uri("/api/v1/sites/130102/configuration");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {operator}"));
        world.raw(request.body(axum::body::Body::from(text.to_owned())).unwrap()).await
    };
    let thresholds = "[detection]\nsweep_hosts = 30\n";
    let early = send(Method::PATCH, thresholds).await;
    assert!(early.status == StatusCode::BAD_REQUEST && early.text.contains("set the whole one first"), "{early:?}");
    let whole = "[[devices]]\nname = \"core\"\n\n[detection]\nsweep_arp = 200\n\n[[scans]]\napproval = \"2026-17\"\n";
    assert_eq!(send(Method::PUT, whole).await.status, StatusCode::OK);
    let changed = send(Method::PATCH, thresholds).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let text: toml::Table = changed.json()["toml"].as_str().unwrap().parse().unwrap();
    assert_eq!(text["detection"].to_string(), "{ sweep_hosts = 30 }");
    assert_eq!(
        (text["devices"][0]["name"].as_str(), text["scans"][0]["approval"].as_str()),
        (Some("core"), Some("2026-17"))
    );
    let foreign = send(Method::PATCH, "[credentials.a]\n").await;
    assert!(foreign.status == StatusCode::BAD_REQUEST && foreign.text.contains("agent's own file"), "{foreign:?}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_is_answered_with_its_lines_and_what_to_do() {
    let world = World::bare().await;
    let token = world.token(Role::Operator, None).await;
    for (text, words) in [
        ("[capture]\ninterfaces = eth0\n", vec!["line 2", "not TOML"]),
        ("[capture]\n\n[credentials.a]\n[data]\n", vec!["line 3", "credentials", "line 4", "agent's own file"]),
    ] {
        let request = Request::builder().method(Method::PUT).uri("/api/v1/sites/130102/configuration");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = world.raw(request.body(axum::body::Body::from(text)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(words.iter().all(|word| answer.text.contains(word)), "{words:?}: {}", answer.text);
    }
}
