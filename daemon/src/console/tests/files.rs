//! Files of cases in the console: a form without scripts, the list, the notice.

use axum::body::Body;
use hyper::{Method, Request, StatusCode, header};
use onenet_topology::case::{CaseAction, Category};
use onenet_topology::incident::Severity;

use super::{sign_in, visit};
use crate::{
    access::Role,
    record::Command,
    testing::{Answer, World},
};

async fn send(world: &World, cookie: &str, path: &str, form: &str, file: (&str, &str)) -> Answer {
    let body = format!(
        "--b0\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{form}\r\n--b0\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"{}\"\r\nContent-Type: text/plain\r\n\r\n{}\r\n--b0--\r\n",
        file.0, file.1
    );
    let request = Request::builder().method(Method::POST).uri(path).header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=b0");
    world.raw(request.body(Body::from(body)).unwrap()).await
}

/// What the forms of a page carry.
fn secret(page: &str) -> &str {
    page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test]
async fn a_form_brings_a_file_which_the_page_and_the_notice_list() {
    let world = World::with_a_cut().await;
    let estate = world.app.centre.estate();
    let (case, site) = estate.cases.all.values().map(|it| (it.id, it.key.site)).next().unwrap();
    for action in [
        CaseAction::Acknowledge,
        CaseAction::Grade { grade: Severity::Major, category: Category::EquipmentFailure },
        CaseAction::Notify { to: site, text: "请核查".into(), due: None, issuer: None },
    ] {
        world.app.centre.submit(Command::ActOnCase { site, case, action, notice: None }, "li").await.unwrap();
    }
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, None).await).await;
    let (page, path) = (format!("/cases/{case}?lang=zh"), format!("/cases/{case}/evidence"));
    let form = visit(&world, &reviewer, &page).await.text;
    assert!(form.contains("enctype=\"multipart/form-data\"") && !form.contains("<script"), "{form}");
    let stale = send(&world, &reviewer, &path, "another", ("a.txt", "x")).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    let sent = send(&world, &reviewer, &path, secret(&form), ("现场<1>.txt", "as seen")).await;
    assert_eq!((sent.status, sent.header(header::LOCATION)), (StatusCode::SEE_OTHER, &*format!("/cases/{case}#files")));
    let hash = world.app.centre.estate().cases.all[&case].files[0].file.hash.to_string();
    for page in [page.clone(), format!("/cases/{case}/notice?lang=zh")] {
        let text = visit(&world, &reviewer, &page).await.text;
        assert!(text.contains("现场&lt;1&gt;.txt") && text.contains(&hash), "{page}: {text}");
    }
    let fetched = visit(&world, &reviewer, &format!("/api/v1/cases/{case}/evidence/{hash}")).await;
    assert_eq!((fetched.text.as_str(), fetched.header(header::CONTENT_TYPE)), ("as seen", "text/plain"));
    let again = send(&world, &reviewer, &path, secret(&form), ("b.txt", "as seen")).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
    let by_cookie = Request::builder().method(Method::POST).uri(format!("/api/v1/cases/{case}/evidence?name=x"));
    let by_cookie = world.raw(by_cookie.header(header::COOKIE, &reviewer).body(Body::from("x")).unwrap()).await;
    assert_eq!(by_cookie.status, StatusCode::FORBIDDEN, "a cookie alone changes nothing");
    // The unit sees and brings its own.
    let code = estate.tree.get(site).unwrap().code(crate::testing::NOW).to_owned();
    let unit = sign_in(&world, &world.token(Role::Operator, Some(&code)).await).await;
    let page = visit(&world, &unit, &page).await.text;
    assert!(!page.contains("现场") && !page.contains(&hash), "{page}");
    let sent = send(&world, &unit, &path, secret(&page), ("spliced.txt", "mended")).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = visit(&world, &unit, &format!("/cases/{case}/notice?lang=en")).await.text;
    assert!(page.contains("spliced.txt") && !page.contains("现场"), "{page}");
}
