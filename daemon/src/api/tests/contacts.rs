//! Contacts through the API: imported, listed, put and removed by who may, and what a notice says of them.

use axum::body::Body;
use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{Answer, World},
};

const FILE: &str = "site,name,role,telephone,email\n\
    130102,李伟,信息中心主任,0311-86000002,li@county.example\n\
    130102,赵敏,,+86 311 8600 0003,\n\
    130000,王芳,处长,0311-86000001,wang@he.example\n";

async fn import(world: &World, token: &str, file: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri("/api/v1/contacts/import");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    world.raw(request.header(header::CONTENT_TYPE, "text/csv").body(Body::from(file.to_owned())).unwrap()).await
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn contacts_are_imported_listed_and_written_as_they_are_read() {
    let world = World::bare().await;
    let administrator = world.token(Role::SystemAdministrator, None).await;
    let done = import(&world, &administrator, FILE).await;
    assert_eq!(done.json(), json!({ "contacts": 3, "changed": 2, "unchanged": 0 }), "{}", done.text);
    let csv = world.get(&administrator, "/api/v1/contacts.csv").await.text;
    let again = import(&world, &administrator, &csv).await;
    assert_eq!(again.json(), json!({ "contacts": 3, "changed": 0, "unchanged": 2 }), "{csv}");
    let mut path = "/api/v1/contacts?limit=2".to_owned();
    let mut all = Vec::new();
    loop {
        let page = world.get(&administrator, &path).await.json();
        all.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/contacts?limit=2&cursor={}", crate::api::encode(next));
    }
    assert_eq!(names(&all), ["王芳", "李伟", "赵敏"], "each once, page by page");
    let county = world.get(&administrator, "/api/v1/contacts?site=130102").await.items();
    assert_eq!((names(&county), &county[1]["telephone"]), (vec!["李伟", "赵敏"], &json!("+86 311 8600 0003")));
}

#[tokio::test]
async fn a_unit_keeps_its_own_contacts_and_nobody_elses_and_the_audit_trail_tells_it() {
    let world = World::bare().await;
    let county = world.token(Role::Operator, Some("130102")).await;
    let put = async |token: &str, site: &str, body: Value| {
        world.send(token, Method::POST, &format!("/api/v1/sites/{site}/contacts"), Some(body)).await
    };
    let li = json!({ "name": "李伟", "telephone": "0311-86000002" });
    assert_eq!(put(&county, "130102", li.clone()).await.status, StatusCode::OK);
    assert_eq!(put(&county, "130100", li.clone()).await.status, StatusCode::NOT_FOUND);
    let viewer = world.token(Role::Viewer, None).await;
    assert_eq!(put(&viewer, "130102", li).await.status, StatusCode::FORBIDDEN);
    let nobody = put(&county, "130102", json!({ "name": "赵敏" })).await;
    assert_eq!((nobody.status, &nobody.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("telephone")));
    let other = world.token(Role::Operator, Some("320000")).await;
    let refused = import(&world, &other, FILE).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text.contains("line 2"), "{}", refused.text);
    let path = format!("/api/v1/sites/130102/contacts/{}", crate::api::encode("李伟"));
    assert_eq!(world.send(&county, Method::DELETE, &path, None).await.json(), json!([]));
    assert_eq!(world.send(&county, Method::DELETE, &path, None).await.status, StatusCode::CONFLICT);
    let auditor = world.token(Role::AuditAdministrator, None).await;
    let trail = world.get(&auditor, "/api/v1/audit?limit=1000").await.items();
    let told = |what: &str| {
        let is =
            |it: &&Value| it["subject"].as_str().is_some_and(|text| text.contains(what) && it["outcome"] == "done");
        trail.iter().filter(is).count()
    };
    assert_eq!((told("contact 李伟 of"), told("removed")), (2, 1), "{trail:?}");
}

#[tokio::test]
async fn a_notice_names_who_issued_it_whom_it_went_to_and_by_when_it_is_to_be_answered() {
    let world = World::bare().await;
    let administrator = world.token(Role::SystemAdministrator, None).await;
    import(&world, &administrator, FILE).await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let body = json!({ "site": "130102", "kind": "port_scan", "subject": "10.1.2.3", "text": "drill" });
    let drill = world.send(&reviewer, Method::POST, "/api/v1/drills", Some(body)).await.json();
    let case = drill["case"].as_str().unwrap();
    let path = format!("/api/v1/cases/{case}/actions");
    let act = async |body: Value| world.send(&reviewer, Method::POST, &path, Some(body)).await;
    act(json!({ "action": "acknowledge" })).await;
    act(json!({ "action": "grade", "grade": "major", "category": "network_attack" })).await;
    let wrong = act(json!({ "action": "notify", "text": "x", "telephone": "call me" })).await;
    assert!(wrong.status == StatusCode::CONFLICT && wrong.text.contains("telephone number"), "{}", wrong.text);
    let notice = act(json!({ "action": "notify", "text": "查", "issuer": "王芳" })).await.json()["notice"].clone();
    let unit = world.site("130000").to_string();
    assert_eq!(
        notice["issuer"],
        json!({ "unit": unit, "unit_name": "河北省", "person": "王芳", "telephone": "0311-86000001" })
    );
    assert_eq!(names(notice["contacts"].as_array().unwrap()), ["李伟", "赵敏"]);
    // Who is notified reads in whose name, though he may not see that site.
    let county = world.token(Role::Operator, Some("130102")).await;
    let seen = world.get(&county, &format!("/api/v1/cases/{case}")).await.json();
    let issuer = &seen["notice"]["issuer"];
    assert_eq!((&issuer["unit"], &issuer["unit_name"]), (&Value::Null, &json!("河北省")));
    // What went out stays as it was.
    let path = format!("/api/v1/sites/130102/contacts/{}", crate::api::encode("李伟"));
    world.send(&administrator, Method::DELETE, &path, None).await;
    let seen = world.get(&county, &format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(names(seen["notice"]["contacts"].as_array().unwrap()), ["李伟", "赵敏"]);
}
