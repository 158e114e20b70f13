//! Files of cases through the API: who attaches and reads them, what comes back, what is refused, and what is left.

use axum::body::Body;
use hyper::{Method, Request, StatusCode, header};
use onenet_topology::case::FileHash;
use onenet_wire::tls::sha256;
use serde_json::{Value, json};

use crate::{
    access::Role,
    api,
    centre::{self, Centre, Options},
    testing::{Answer, World},
};

const PHOTO: &[u8] = b"\xff\xd8 not really a photograph";

fn digest(content: &[u8]) -> String {
    FileHash::new(sha256(content)).to_string()
}

async fn attach(world: &World, token: &str, path: &str, media: &str, content: impl Into<Body>) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, media);
    world.raw(request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(content.into()).unwrap()).await
}

async fn act(world: &World, token: &str, case: &str, body: Value) -> Value {
    let answer = world.send(token, Method::POST, &format!("/api/v1/cases/{case}/actions"), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// A case of a county's, taken up and graded.
async fn graded(world: &World, reviewer: &str) -> String {
    let body = json!({ "site": "130102", "kind": "port_scan", "subject": "10.1.2.3", "grade": "major", "text": "drill", "at_centre": true });
    let case = world.send(reviewer, Method::POST, "/api/v1/drills", Some(body)).await.json()["case"].clone();
    let case = case.as_str().unwrap().to_owned();
    act(world, reviewer, &case, json!({ "action": "acknowledge" })).await;
    act(world, reviewer, &case, json!({ "action": "grade", "grade": "major", "category": "network_attack" })).await;
    case
}

fn on_disk(world: &World) -> usize {
    std::fs::read_dir(world.data().join("files")).unwrap().count()
}

#[tokio::test]
async fn a_file_is_attached_listed_fetched_as_it_was_and_never_shown_by_a_browser() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, Some("130000")).await;
    let case = graded(&world, &reviewer).await;
    let path = format!("/api/v1/cases/{case}/evidence");
    let name = api::encode("C:\\桌面\\照片 <1>.jpg");
    let attached = attach(&world, &reviewer, &format!("{path}?name={name}"), "text/html", PHOTO).await;
    assert_eq!(attached.status, StatusCode::OK, "{}", attached.text);
    let file = &attached.json()["files"][0];
    assert_eq!(
        [&file["name"], &file["sha256"], &file["bytes"], &file["content_type"], &file["notice"]],
        [&json!("照片 <1>.jpg"), &json!(digest(PHOTO)), &json!(PHOTO.len()), &json!("image/jpeg"), &Value::Null]
    );
    assert!(file["by"].as_str().is_some_and(|by| !by.is_empty()) && file["time"].is_string(), "{file}");
    let request = Request::builder().uri(format!("{path}/{}", digest(PHOTO)));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {reviewer}")).body(Body::empty()).unwrap();
    let (head, body) = world.answer(request).await;
    assert_eq!((head.status, body.as_slice()), (StatusCode::OK, PHOTO));
    let header = |name: &str| head.headers.get(name).map_or("", |it| it.to_str().unwrap());
    assert_eq!(header("content-type"), "image/jpeg");
    assert!(header("content-disposition").starts_with("attachment; filename=\"____1_.jpg\"; filename*=UTF-8''%E7"));
    assert_eq!([header("x-content-type-options"), header("cache-control")], ["nosniff", "no-store"]);
    assert!(header("content-security-policy").contains("sandbox"));
    let auditor = world.token(Role::AuditAdministrator, None).await;
    world.app.write_audit(false).await;
    let trail = world.get(&auditor, "/api/v1/audit?limit=1000").await.items();
    for told in [format!("{case} attach_file: 照片 <1>.jpg"), format!("{case} file 照片 <1>.jpg")] {
        let is = |it: &&Value| {
            it["subject"].as_str().is_some_and(|text| text.starts_with(&told) && text.contains(&digest(PHOTO)))
                && it["outcome"] == json!("done")
        };
        assert_eq!(trail.iter().filter(is).count(), 1, "{told}: {trail:?}");
    }
}

#[tokio::test]
async fn a_unit_attaches_to_its_notice_and_reads_its_own_files_alone() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let [county, city] = ["130102", "320102"];
    let (one, other) = (world.token(Role::Operator, Some(county)).await, world.token(Role::Operator, Some(city)).await);
    let case = graded(&world, &reviewer).await;
    let path = format!("/api/v1/cases/{case}/evidence");
    let early = attach(&world, &one, &format!("{path}?name=a.txt"), "text/plain", "x").await;
    assert_eq!(early.status, StatusCode::NOT_FOUND, "who was not notified knows of no case");
    for to in [county, city] {
        act(&world, &reviewer, &case, json!({ "action": "notify", "text": "look", "to": to })).await;
    }
    let secret = attach(&world, &reviewer, &format!("{path}?name=secret.txt"), "text/plain", "ours").await.json();
    assert_eq!(secret["files"][0]["notice"], Value::Null);
    for (token, name) in [(&one, "one.txt"), (&other, "other.txt")] {
        let answer = attach(&world, token, &format!("{path}?name={name}"), "text/plain", name).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let seen = answer.json();
        let names: Vec<&Value> = seen["files"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, [&json!(name)]);
        let hidden = if name == "one.txt" { "other.txt" } else { "one.txt" };
        assert!(
            !answer.text.contains("secret.txt") && !answer.text.contains(&format!("\"{hidden}")),
            "{}",
            answer.text
        );
        for content in ["ours", hidden] {
            let fetched = world.get(token, &format!("{path}/{}", digest(content.as_bytes()))).await;
            assert_eq!(fetched.status, StatusCode::NOT_FOUND, "{name} reads {content}");
        }
        assert_eq!(world.get(token, &format!("{path}/{}", digest(name.as_bytes()))).await.text, name);
    }
    let whole = world.get(&reviewer, &format!("/api/v1/cases/{case}")).await.json();
    let number = whole["notices"][0]["number"].as_str().unwrap();
    assert_eq!(whole["files"].as_array().unwrap().len(), 3);
    let document = world.get(&reviewer, &format!("/api/v1/cases/{case}/notices/{number}")).await.json();
    let names: Vec<&Value> = document["files"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, [&json!("secret.txt"), &json!("one.txt")], "what another unit sent is in no notice of this one");
    // With another's notice, or after the end, it cannot.
    let theirs = whole["notices"][1]["number"].as_str().unwrap();
    let forged = attach(&world, &one, &format!("{path}?name=f.txt&notice={theirs}"), "text/plain", "f").await;
    assert!(forged.status.is_client_error(), "{}", forged.text);
    act(&world, &reviewer, &case, json!({ "action": "close", "verdict": "drill", "text": "done" })).await;
    let late = attach(&world, &one, &format!("{path}?name=late.txt"), "text/plain", "late").await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    let viewer = world.token(Role::Viewer, None).await;
    assert_eq!(attach(&world, &viewer, &format!("{path}?name=v"), "", "v").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(&viewer, &format!("{path}/{}", digest(b"ours"))).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_cannot_be_attached_is_refused_with_the_reason_and_leaves_nothing() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let case = graded(&world, &reviewer).await;
    let path = format!("/api/v1/cases/{case}/evidence");
    let large = vec![0; (8 << 20) + 1];
    for (query, content, status, says) in [
        ("?name=a.bin", large, StatusCode::PAYLOAD_TOO_LARGE, "8 MiB"),
        ("?name=a.bin", vec![], StatusCode::BAD_REQUEST, "empty"),
        ("", vec![1], StatusCode::BAD_REQUEST, "called"),
        ("?name=..%2F..", vec![1], StatusCode::BAD_REQUEST, "called"),
        ("?name=a&other=1", vec![1], StatusCode::BAD_REQUEST, "other"),
    ] {
        let answer = attach(&world, &reviewer, &format!("{path}{query}"), "", content).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        assert!(answer.text.contains(says), "{query}: {}", answer.text);
    }
    assert_eq!(on_disk(&world), 0);
    for status in [StatusCode::OK, StatusCode::CONFLICT] {
        let answer = attach(&world, &reviewer, &format!("{path}?name=a.bin"), "", "twice").await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    assert_eq!(on_disk(&world), 1, "what is named stays, though it was refused once more");
    std::fs::write(world.data().join("files").join(digest(b"twice")), "other").unwrap();
    let damaged = world.get(&reviewer, &format!("{path}/{}", digest(b"twice"))).await;
    assert_eq!(damaged.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(damaged.text.contains("not what they were"), "{}", damaged.text);
}

#[tokio::test]
async fn a_backup_brings_the_files_back() {
    let world = World::new().await;
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let case = graded(&world, &reviewer).await;
    let path = format!("/api/v1/cases/{case}/evidence");
    assert_eq!(attach(&world, &reviewer, &format!("{path}?name=a.jpg"), "", PHOTO).await.status, StatusCode::OK);
    let elsewhere = tempfile::tempdir().unwrap();
    let (file, data) = (elsewhere.path().join("backup"), elsewhere.path().join("data"));
    world.app.centre.backup(&file).await.unwrap();
    centre::restore(&file, &data).unwrap();
    let restored = Centre::open(&data, Options::default()).await.unwrap();
    let hash = digest(PHOTO).parse().unwrap();
    assert_eq!(restored.files().content(hash).unwrap(), PHOTO);
    assert_eq!(restored.estate().cases.file_bytes, u64::try_from(PHOTO.len()).unwrap());
    restored.stop().await;
}
