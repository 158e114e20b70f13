//! A drill opened in the console, by who may.

use hyper::{StatusCode, header};

use super::{inspections::submit, sign_in, visit};
use crate::{access::Role, testing::World};

#[tokio::test]
async fn a_reviewer_opens_a_drill_from_its_list_and_nobody_else_is_offered_to() {
    let world = World::bare().await;
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, Some("130000")).await).await;
    let page = visit(&world, &reviewer, "/cases?state=drills&lang=zh").await.text;
    assert!(page.contains("发起演练") && page.contains("value=\"worm_spread\""), "{page}");
    let fields = [
        ("site", "130102"),
        ("kind", "outreach"),
        ("grade", "major"),
        ("source", "10.1.2.3"),
        ("destination", "192.0.2.9"),
        ("port", "443"),
        ("text", "秋季演练"),
    ];
    let opened = submit(&world, &reviewer, &page, "/cases/drills", &fields).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{opened:?}");
    let case = visit(&world, &reviewer, opened.header(header::LOCATION)).await.text;
    for said in ["演练用时", "发现用时", "秋季演练", "10.1.2.3", "192.0.2.9", "443", "演练"] {
        assert!(case.contains(said), "{said}: {case}");
    }
    let mut wrong = fields;
    wrong[5].1 = "many";
    assert_eq!(submit(&world, &reviewer, &page, "/cases/drills", &wrong).await.status, StatusCode::BAD_REQUEST);
    let county = sign_in(&world, &world.token(Role::Operator, Some("130102")).await).await;
    assert!(!visit(&world, &county, "/cases?state=drills&lang=zh").await.text.contains("发起演练"));
}
