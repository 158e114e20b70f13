//! The address plan: by role, by subtree, with what is wrong by line.

use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{Answer, World},
};

async fn import(world: &World, by: &str, kind: &str, text: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri("/api/v1/address-plan/import");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {by}")).header(header::CONTENT_TYPE, kind);
    world.raw(request.body(axum::body::Body::from(text.to_owned())).unwrap()).await
}

const PLAN: &str = "prefix,site,space,vlan,purpose,dark\n\
    10.13.0.0/16,130000,,,province,\n\
    10.13.1.0/24,130102,,10,office,\n\
    10.13.9.0/24,130102,,,,yes\n\
    192.168.1.0/24,130102,site,,lab,\n\
    192.168.1.0/24,320102,site,,lab,\n";

#[tokio::test]
async fn a_plan_is_imported_listed_and_looked_up_by_longest_match_within_its_space() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    let done = import(&world, &all, "text/csv", PLAN).await;
    assert_eq!(done.json(), json!({"changes": 7, "unchanged": 0}), "five prefixes, two spaces: {done:?}");
    let again = import(&world, &all, "text/csv", PLAN).await;
    assert_eq!(again.json(), json!({"changes": 0, "unchanged": 5}));
    let found = async |query: &str| {
        let answer = world.get(&all, &format!("/api/v1/address-plan/lookup?{query}")).await.json();
        answer["planned"]["prefix"].as_str().map(str::to_owned)
    };
    assert_eq!(found("ip=10.13.1.7").await.as_deref(), Some("10.13.1.0/24"));
    assert_eq!(found("ip=10.13.2.7").await.as_deref(), Some("10.13.0.0/16"));
    assert_eq!(found("ip=192.168.1.7").await, None, "private ranges are a site's own");
    assert_eq!(found("ip=192.168.1.7&site=130102").await.as_deref(), Some("192.168.1.0/24"));
    assert_eq!(found("ip=10.13.1.7&site=130102").await.as_deref(), Some("10.13.1.0/24"));
    assert_eq!(found("ip=10.13.1.7&at=2001-01-01").await, None, "before the plan began");
    let office = world.get(&all, "/api/v1/address-plan/lookup?ip=10.13.1.7").await.json();
    assert_eq!((&office["planned"]["vlan"], &office["planned"]["purpose"]), (&json!(10), &json!("office")));
    let mut prefixes = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&all, &format!("/api/v1/address-plan?limit=2{cursor}")).await.json();
        prefixes.extend(page["items"].as_array().unwrap().iter().map(|it| it["prefix"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(prefixes, ["10.13.0.0/16", "10.13.1.0/24", "10.13.9.0/24", "192.168.1.0/24", "192.168.1.0/24"]);
    assert_eq!(world.get(&all, "/api/v1/address-spaces").await.items().len(), 3);
}

#[tokio::test]
async fn a_plan_is_changed_by_who_manages_all_sites_of_the_file_and_seen_in_part() {
    let world = World::bare().await;
    for role in Role::ALL.into_iter().filter(|role| *role != Role::SystemAdministrator) {
        let token = world.token(role, None).await;
        assert_eq!(import(&world, &token, "text/csv", PLAN).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    let hebei = world.token(Role::SystemAdministrator, Some("130000")).await;
    let hidden = import(&world, &hebei, "text/csv", PLAN).await;
    assert_eq!(hidden.status, StatusCode::BAD_REQUEST);
    assert!(hidden.text.contains("line 6, column site: there is no site 320102"), "{hidden:?}");
    assert!(!hidden.text.contains("line 5"), "{hidden:?}");
    let own: String = PLAN.lines().filter(|line| !line.contains("320102")).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(import(&world, &hebei, "text/csv", &own).await.status, StatusCode::OK);
    let all = world.token(Role::SystemAdministrator, None).await;
    let jiangsu_plan = "prefix,site\n10.32.0.0/16,320000\n";
    assert_eq!(import(&world, &all, "text/csv", jiangsu_plan).await.status, StatusCode::OK);
    let jiangsu = world.token(Role::Viewer, Some("320000")).await;
    assert_eq!(world.get(&jiangsu, "/api/v1/address-plan").await.items().len(), 1);
    assert_eq!(world.get(&jiangsu, "/api/v1/address-spaces").await.items().len(), 1);
    let found = world.get(&jiangsu, "/api/v1/address-plan/lookup?ip=10.13.1.7").await.json();
    assert_eq!(found["planned"], Value::Null, "as if it were not planned");
    let there = world.get(&jiangsu, "/api/v1/address-plan/lookup?ip=10.13.1.7&site=130102").await;
    assert_eq!(there.json()["parameter"], "site");
    // What a hidden site stands against is refused without its name.
    let taken = import(&world, &hebei, "text/csv", "prefix,site\n10.32.0.0/16,130000\n").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text.contains("line 2") && !taken.text.contains("site-"), "{}", taken.text);
}

#[tokio::test]
async fn a_file_that_is_wrong_is_answered_line_by_line_with_the_remedy() {
    let world = World::bare().await;
    let all = world.token(Role::SystemAdministrator, None).await;
    for (kind, text, status, words) in [
        (
            "text/csv",
            "prefix,site\n10.13.1.7/24,130102\n10.0.0.0/8,\n",
            400,
            vec!["line 2", "10.13.1.0/24", "line 3", "fill it in"],
        ),
        ("text/csv", "prefix,site\n10.0.0.0/8,999999\n", 400, vec!["line 2, column site", "import it first"]),
        (
            "text/csv",
            "prefix,site\n10.0.0.0/8,130102\n10.0.0.0/8,320102\n",
            409,
            vec!["line 3", "line 2 has 10.0.0.0/8"],
        ),
        (
            "application/toml",
            "[[prefixes]]\nprefix = \"10.0.0.0/33\"\nsite = \"130102\"\n",
            400,
            vec!["line 2: prefix", "such as 10.13.1.0/24"],
        ),
        ("application/toml", "prefix,site\n", 400, vec!["line 1", "not TOML"]),
    ] {
        let answer = import(&world, &all, kind, text).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert!(words.iter().all(|word| answer.text.contains(word)), "{words:?}: {}", answer.text);
    }
    let toml = "[[prefixes]]\nprefix = \"2001:db8:13::/48\"\nsite = \"130102\"\nuntil = 2099-01-01\n";
    assert_eq!(import(&world, &all, "application/toml; charset=utf-8", toml).await.status, StatusCode::OK);
    let listed = world.get(&all, "/api/v1/address-plan?site=130000").await.items();
    assert_eq!(listed[0]["until"], "2098-12-31T16:00:00.000Z", "{listed:?}");
    for (query, parameter) in [("ip=x", "ip"), ("", "ip"), ("ip=10.0.0.1&at=soon", "at")] {
        let answer = world.get(&all, &format!("/api/v1/address-plan/lookup?{query}")).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!(parameter)));
    }
}
