//! Contacts on the page of their site, and a notice that shows whom it reaches before it leaves.

use hyper::StatusCode;
use serde_json::json;

use super::{inspections::submit, sign_in, visit};
use crate::{access::Role, testing::World};

async fn graded(world: &World, token: &str) -> String {
    let body = json!({ "site": "130102", "kind": "port_scan", "subject": "10.1.2.3", "text": "drill" });
    let drill = world.send(token, hyper::Method::POST, "/api/v1/drills", Some(body)).await.json();
    let case = drill["case"].as_str().unwrap().to_owned();
    for body in [
        json!({ "action": "acknowledge" }),
        json!({ "action": "grade", "grade": "major", "category": "network_attack" }),
    ] {
        let path = format!("/api/v1/cases/{case}/actions");
        assert_eq!(world.send(token, hyper::Method::POST, &path, Some(body)).await.status, StatusCode::OK);
    }
    case
}

#[tokio::test]
async fn a_unit_enters_its_contacts_and_whoever_notifies_it_sees_first_whom_that_reaches() {
    let world = World::bare().await;
    let token = world.token(Role::SecurityReviewer, Some("130000")).await;
    let (case, reviewer) = (graded(&world, &token).await, sign_in(&world, &token).await);
    let notify = format!("/cases/{case}/notify?to=130102&lang=zh");
    let page = visit(&world, &reviewer, &format!("/cases/{case}?lang=zh")).await.text;
    assert!(page.contains(&format!("action=\"/cases/{case}/notify\"")), "{page}");
    let page = visit(&world, &reviewer, &notify).await.text;
    assert!(page.contains("该站点未登记联系人"), "{page}");
    let county = sign_in(&world, &world.token(Role::Operator, Some("130102")).await).await;
    let site = visit(&world, &county, "/sites/130102?lang=zh").await.text;
    assert!(site.contains("未登记联系人") && site.contains("增加联系人"), "{site}");
    let fields = [("name", "李伟"), ("role", "主任"), ("telephone", "0311-86000002"), ("email", "li@county.example")];
    let put = submit(&world, &county, &site, "/sites/130102/contacts", &fields).await;
    assert_eq!(put.status, StatusCode::SEE_OTHER, "{put:?}");
    let seen = visit(&world, &reviewer, "/sites/130102?lang=zh").await.text;
    assert!(seen.contains("li@county.example") && !seen.contains("增加联系人"), "who may not change is not offered to");
    let page = visit(&world, &reviewer, &notify).await.text;
    assert!(page.contains("李伟") && page.contains("未配置邮件通道") && !page.contains("该站点未登记"), "{page}");
    let fields =
        [("action", "notify"), ("to", "130102"), ("text", "查清"), ("issuer", "王芳"), ("telephone", "call me")];
    let refused = submit(&world, &reviewer, &page, &format!("/cases/{case}/act"), &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "that is no number");
    let fields =
        [("action", "notify"), ("to", "130102"), ("text", "查清"), ("issuer", "王芳"), ("telephone", "0311-86000001")];
    let sent = submit(&world, &reviewer, &page, &format!("/cases/{case}/act"), &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:?}");
    // Who is notified reads in whose name, and whom else it reached.
    let notice = visit(&world, &county, &format!("/cases/{case}/notice?lang=zh")).await.text;
    for said in ["河北省 · 王芳 · 0311-86000001", "li@county.example", "反馈期限", "查清"] {
        assert!(notice.contains(said), "{said}: {notice}");
    }
    let site = visit(&world, &county, "/sites/130102").await.text;
    let gone = submit(&world, &county, &site, "/sites/130102/contacts/remove", &[("name", "李伟")]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert!(!visit(&world, &county, "/sites/130102").await.text.contains("li@county.example"));
}
