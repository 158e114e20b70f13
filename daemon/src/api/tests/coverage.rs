//! The asset register and coverage: imported by who may, counted once, shown in part.

use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{Answer, World, mac},
};

async fn import(world: &World, by: &str, query: &str, csv: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri(format!("/api/v1/assets/import?{query}"));
    let request =
        request.header(header::AUTHORIZATION, format!("Bearer {by}")).header(header::CONTENT_TYPE, "text/csv");
    world.raw(request.body(axum::body::Body::from(csv.to_owned())).unwrap()).await
}

/// Two machines of one county, of which one is seen; one of another county, seen in the first.
fn books() -> String {
    format!(
        "number,site,mac,owner,from\nA-1,130102,{},李四,2026-01-01\nA-2,130102,00:1b:21:99:00:01,,2026-01-01\n\
         B-1,320102,{},,2026-01-01\n",
        mac(1, 1),
        mac(1, 2)
    )
}

#[tokio::test]
async fn what_is_on_the_books_is_held_against_what_is_seen() {
    let world = World::new().await;
    let operator = world.token(Role::Operator, None).await;
    let done = import(&world, &operator, "", &books()).await;
    assert_eq!(done.json(), json!({"added": 3, "changed": 0, "unchanged": 0, "written_off": 0, "absent": 0}));
    let again = import(&world, &operator, "", &books()).await;
    assert_eq!(again.json()["unchanged"], 3);

    let listed = world.get(&operator, "/api/v1/assets?site=130102").await.items();
    let standings: Vec<_> = listed.iter().map(|it| (it["number"].as_str(), it["standing"].as_str())).collect();
    assert_eq!(standings, [(Some("A-1"), Some("seen")), (Some("A-2"), Some("never_seen"))]);
    let strayed = world.get(&operator, "/api/v1/assets?site=320102").await.items();
    assert_eq!(strayed[0]["last_seen_site"], world.site("130102").to_string());
    assert_eq!(world.get(&operator, "/api/v1/assets?standing=never_seen").await.items().len(), 1);

    let endpoint = world.get(&operator, &format!("/api/v1/endpoints?q={}", mac(1, 1))).await.items();
    assert_eq!((&endpoint[0]["asset"]["number"], &endpoint[0]["asset"]["owner"]), (&json!("A-1"), &json!("李四")));
    let strangers = world.get(&operator, "/api/v1/endpoints?registered=false&site=130102").await.items();
    assert_eq!(strangers.iter().map(|it| it["mac"].as_str().unwrap()).collect::<Vec<_>>(), [mac(1, 3).to_string()]);

    let hebei = world.get(&operator, "/api/v1/coverage?site=130000").await.json();
    let whole = &hebei["whole"];
    assert_eq!((&whole["terminals_registered"], &whole["terminals_seen"]), (&json!(2), &json!(1)));
    assert_eq!((&whole["terminals_never_seen"], &whole["seen_ratio"]), (&json!(1), &json!(0.5)));
    assert_eq!((&whole["sites_attached"], &whole["sites_reachable"]), (&json!(1), &json!(1)));
    let all = world.get(&operator, "/api/v1/coverage").await.json();
    assert_eq!(all["whole"]["terminals_registered"], 3);
    assert_eq!(all["whole"]["terminals_strayed"], 1);
    let sum = |key: &str| {
        let parts = all["parts"].as_array().unwrap().iter().chain([&all["own"]]);
        parts.map(|part| part[key].as_u64().unwrap()).sum::<u64>()
    };
    for key in ["sites_planned", "terminals_registered", "terminals_unregistered"] {
        assert_eq!(Some(sum(key)), all["whole"][key].as_u64(), "{key}: the whole is the sum of the parts");
    }
}

#[tokio::test]
async fn the_table_has_a_row_for_each_site_and_no_formula() {
    let world = World::new().await;
    let operator = world.token(Role::Operator, None).await;
    import(&world, &operator, "", &books()).await;
    let table = world.get(&operator, "/api/v1/coverage.csv").await;
    assert!(table.header(header::CONTENT_TYPE).starts_with("text/csv"));
    let sites = world.get(&operator, "/api/v1/sites?limit=1000").await.items().len();
    assert_eq!(table.text.lines().count(), sites + 1);
    let county = table.text.lines().find(|line| line.contains(",130102,")).unwrap();
    assert!(county.contains(",county,1,1,2,1,0,1,0,"), "{county}");
}

#[tokio::test]
async fn the_register_is_changed_by_who_manages_the_sites_of_the_file_and_those_that_an_asset_leaves() {
    let world = World::new().await;
    for role in [Role::Viewer, Role::SecurityReviewer, Role::SecurityAdministrator, Role::AuditAdministrator] {
        let token = world.token(role, None).await;
        assert_eq!(import(&world, &token, "", &books()).await.status, StatusCode::FORBIDDEN, "{role}");
    }
    let hebei = world.token(Role::Operator, Some("130000")).await;
    let hidden = import(&world, &hebei, "", &books()).await;
    assert_eq!(hidden.status, StatusCode::BAD_REQUEST);
    assert!(hidden.text.contains("line 4, column site: there is no site 320102"), "{hidden:?}");
    let all = world.token(Role::SystemAdministrator, None).await;
    assert_eq!(import(&world, &all, "", &books()).await.status, StatusCode::OK);
    // A machine of a hidden site is not taken over, nor is the site named.
    let taken = import(&world, &hebei, "", &format!("number,site,mac\nA-9,130102,{}\n", mac(1, 2))).await;
    assert_eq!(taken.status, StatusCode::BAD_REQUEST);
    assert!(taken.text.contains("line 2, column mac") && !taken.text.contains("320102"), "{taken:?}");
    assert!(!taken.text.contains("site-"), "{taken:?}");
    let seen = world.get(&hebei, "/api/v1/coverage").await.json();
    assert_eq!(seen["whole"]["terminals_registered"], 2, "another province's machine is none of its figures");
}

#[tokio::test]
async fn a_complete_file_writes_off_the_rest_of_its_sites() {
    let world = World::new().await;
    let operator = world.token(Role::Operator, None).await;
    import(&world, &operator, "", &books()).await;
    let one = format!("number,site,mac\nA-1,130102,{}\n", mac(1, 1));
    let done = import(&world, &operator, "complete=true", &one).await.json();
    assert_eq!((&done["changed"], &done["written_off"], &done["absent"]), (&json!(1), &json!(1), &json!(0)), "{done}");
    assert_eq!(world.get(&operator, "/api/v1/assets?site=130102").await.items().len(), 1);
    assert_eq!(world.get(&operator, "/api/v1/assets?site=320102").await.items().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_to_write() {
    let world = World::bare().await;
    let viewer = world.token(Role::Viewer, None).await;
    for (path, parameter, words) in [
        ("/api/v1/assets?standing=lost", "standing", "never_seen"),
        ("/api/v1/assets?days=0", "days", "1 to 400"),
        ("/api/v1/assets?cursor=x", "cursor", "next"),
        ("/api/v1/coverage?area=area-1", "area", "/api/v1/areas"),
        ("/api/v1/coverage?site=9", "site", "division code"),
        ("/api/v1/reports/monthly?month=2026", "month", "2026-01"),
    ] {
        let answer = world.get(&viewer, path).await;
        assert_eq!(
            (answer.status, &answer.json()["parameter"]),
            (StatusCode::BAD_REQUEST, &json!(parameter)),
            "{path}"
        );
        assert!(answer.text.contains(words), "{answer:?}");
    }
    let empty = world.get(&viewer, "/api/v1/coverage").await.json();
    assert_eq!(empty["whole"]["seen_ratio"], Value::Null, "nothing registered is not everything seen");
    let report = world.get(&viewer, "/api/v1/reports/monthly?month=2020-02").await.json();
    assert_eq!(
        (&report["month_before"], &report["whole"], &report["parts"]),
        (&json!("2020-01"), &Value::Null, &json!([]))
    );
    let report = world.get(&viewer, "/api/v1/reports/monthly").await.json();
    assert_eq!((&report["whole"]["sites_planned"], &report["whole_before"]), (&json!(7), &Value::Null));
}

#[tokio::test]
async fn a_card_that_somebody_vouched_for_is_of_a_terminal_on_the_books_until_it_is_taken_back() {
    let world = World::new().await;
    let (viewer, operator) = (world.token(Role::Viewer, None).await, world.token(Role::Operator, None).await);
    import(&world, &operator, "", &books()).await;
    let endpoints = world.get(&operator, "/api/v1/endpoints?site=130102").await.items();
    let id = |last: u8| {
        let found = endpoints.iter().find(|it| it["mac"] == mac(1, last).to_string());
        found.map(|it| it["id"].as_str().unwrap().to_owned()).unwrap()
    };
    let path = format!("/api/v1/endpoints/{}/rulings", id(3));
    let body = |other: &str, verdict: &str| Some(json!({"other": other, "verdict": verdict, "reason": "the dock"}));
    let strangers = async || {
        let whole = world.get(&operator, "/api/v1/coverage?site=130102").await.json()["whole"].clone();
        whole["terminals_unregistered_unclassified"].as_u64().unwrap()
    };
    let several = async || world.get(&viewer, "/api/v1/sites/130102/terminals?several=true").await.items();
    assert_eq!((strangers().await, several().await.len()), (1, 0));
    assert_eq!(world.send(&viewer, Method::POST, &path, body(&id(1), "same")).await.status, StatusCode::FORBIDDEN);

    let ruled = world.send(&operator, Method::POST, &path, body(&id(1), "same")).await.json();
    assert_eq!(ruled["id"], id(1).replace("endpoint", "terminal"), "the oldest card's identity");
    assert_eq!(ruled["joints"][0]["reasons"], json!([{"kind": "ruled"}]));
    assert_eq!((&ruled["rulings"][0]["verdict"], &ruled["rulings"][0]["reason"]), (&json!("same"), &json!("the dock")));
    assert_eq!(several().await, std::slice::from_ref(&ruled));
    assert_eq!(world.get(&viewer, &format!("/api/v1/endpoints/{}/terminal", id(1))).await.json(), ruled);
    assert_eq!(strangers().await, 0);

    world.send(&operator, Method::POST, &path, body(&id(1), "by_evidence")).await;
    assert_eq!((strangers().await, several().await.len()), (1, 0));
    let elsewhere = world.get(&operator, "/api/v1/endpoints?site=320102").await.items()[0]["id"].clone();
    for (other, verdict, parameter) in
        [(elsewhere.as_str().unwrap(), "same", "other"), (&*id(3), "same", "other"), (&*id(1), "one", "verdict")]
    {
        let answer = world.send(&operator, Method::POST, &path, body(other, verdict)).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!(parameter)));
    }
    let one = world.get(&viewer, "/api/v1/sites/130102/terminals?limit=1").await.json();
    let rest = format!("/api/v1/sites/130102/terminals?cursor={}", one["next"].as_str().unwrap());
    assert_eq!(world.get(&viewer, &rest).await.items().len(), 2);
}
