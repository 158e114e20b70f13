//! Inspections, rules that silence and the packets of a case, as a browser has them.

use hyper::{StatusCode, header};
use onenet_topology::{
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, CAPTURE},
    case::{CaseAction, Category},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};

use super::{post, sign_in, visit};
use crate::{
    access::Role,
    api::encode,
    record::Command,
    testing::{Answer, NOW, World},
};

/// Fills in a form of a page that was shown, and sends it.
pub(super) async fn submit(world: &World, cookie: &str, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let secret = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let fields = [("form", secret)].into_iter().chain(fields.iter().copied());
    let pairs: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    post(world, cookie, path, &pairs.join("&"), &[]).await
}

#[tokio::test]
async fn who_may_read_flows_fetches_the_packets_of_a_case_and_nobody_else_is_offered_them() {
    let world = World::new().await;
    let report = AnomalyReport {
        key: AnomalyKey { kind: "sweep".into(), subject: "10.20.0.9".into() },
        grade: Severity::Considerable,
        confidence: 90,
        lasted_ms: 0,
        count: 40,
        run: 1,
        evidence: vec![AnomalyEvidence {
            is: CAPTURE.into(),
            value: "20270115T080000100Z-sweep-10.20.0.9.pcapng".into(),
        }],
        drill: None,
    };
    let item = HistoryItem { time: NOW, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1, vec![item]).await;
    let estate = world.app.centre.estate();
    let case = estate.cases.all.values().find(|it| it.key.kind == "sweep").unwrap().id;
    let site = world.site("130102");
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, None).await).await;
    let page = visit(&world, &reviewer, &format!("/cases/{case}?lang=zh")).await.text;
    let form = format!("/api/v1/sites/{site}/captures/20270115T080000100Z-sweep-10.20.0.9.pcapng");
    assert!(page.contains(&form) && page.contains("下载报文样本"), "{page}");
    let category = Category::NetworkAttack;
    for action in [
        CaseAction::Acknowledge,
        CaseAction::Grade { grade: Severity::General, category },
        CaseAction::Notify { to: site, text: "x".into(), due: None, issuer: None },
    ] {
        world.app.centre.submit(Command::ActOnCase { site, case, action, notice: None }, "li").await.unwrap();
    }
    let county = sign_in(&world, &world.token(Role::Operator, Some("130102")).await).await;
    let page = visit(&world, &county, &format!("/cases/{case}?lang=zh")).await.text;
    assert!(page.contains("通报") && !page.contains("/captures/"), "{page}");
}

#[tokio::test]
async fn an_inspection_is_opened_answered_and_closed_on_pages_in_both_languages() {
    let world = World::new().await;
    let inspector = sign_in(&world, &world.token(Role::SecurityReviewer, Some("130000")).await).await;
    let county = sign_in(&world, &world.token(Role::Operator, Some("130102")).await).await;
    let due = world.app.clock.now().plus_ms(10 * 86_400_000).to_string();
    let fields = [
        ("title", "秋季检查"),
        ("site", "130000"),
        ("due", &due[..10]),
        ("units", "130102"),
        ("standard", "1"),
        ("items", "有无值班表"),
    ];
    let list = visit(&world, &inspector, "/inspections?lang=zh").await.text;
    let opened = submit(&world, &inspector, &list, "/inspections/open", &fields).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{opened:?}");
    let path = opened.header(header::LOCATION).to_owned();
    assert!(visit(&world, &county, "/?lang=zh").await.text.contains("有 1 项安全检查待本单位答复或整改"));
    let site = world.site("130102");
    let sheet = format!("{path}/units/{site}");
    let page = visit(&world, &county, &format!("{sheet}?lang=zh")).await.text;
    for said in ["设备集中监测", "有应答的设备：1，共 1 台", "7. 有无值班表", "待答复", "正在监测的站点：0"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("记录问题"), "a unit does not inspect itself");
    let act = format!("{sheet}/act");
    let answer =
        [("action", "answer"), ("item", "7"), ("verdict", "partly"), ("text", "白班有"), ("evidence", "值班表.pdf")];
    assert_eq!(submit(&world, &county, &page, &act, &answer).await.status, StatusCode::SEE_OTHER);
    let page = visit(&world, &inspector, &format!("{sheet}?lang=en")).await.text;
    for said in ["Partly", "白班有", "值班表.pdf", "Note a finding", "Devices that answer: 1 of 1"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let find = [("action", "find"), ("item", "7"), ("text", "夜间无人"), ("due", &due[..10])];
    assert_eq!(submit(&world, &inspector, &page, &act, &find).await.status, StatusCode::SEE_OTHER);
    let end = format!("{path}/close");
    let close = submit(&world, &inspector, &page, &end, &[("text", "over")]).await;
    assert_eq!(close.status, StatusCode::CONFLICT, "a finding is open");
    let recheck = [("action", "recheck"), ("finding", "1"), ("verdict", "passed"), ("text", "已补")];
    assert_eq!(submit(&world, &inspector, &page, &act, &recheck).await.status, StatusCode::SEE_OTHER);
    let close = submit(&world, &inspector, &page, &end, &[("text", "over")]).await;
    assert_eq!(close.status, StatusCode::SEE_OTHER);
    let list = visit(&world, &inspector, "/inspections?lang=en").await.text;
    assert!(list.contains("Inspections that are over") && list.contains("秋季检查"), "{list}");
    let stranger = sign_in(&world, &world.token(Role::Operator, Some("320000")).await).await;
    assert_eq!(visit(&world, &stranger, &sheet).await.status, StatusCode::NOT_FOUND);
    let viewer = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    assert_eq!(visit(&world, &viewer, "/inspections").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_rule_is_made_counted_and_ended_on_a_page_by_who_reviews() {
    let world = World::new().await;
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, Some("130000")).await).await;
    let page = visit(&world, &reviewer, "/cases/rules?lang=zh").await.text;
    assert!(page.contains("没有生效的规则") && page.contains("设立规则"), "{page}");
    let until = world.app.clock.now().plus_ms(10 * 86_400_000).to_string();
    let said = |site, port| {
        [
            ("kind", "sweep"),
            ("site", site),
            ("source", "10.20.0.0/16"),
            ("port", port),
            ("owner", "王芳"),
            ("reason", "备案的扫描器"),
            ("until", &until[..10]),
        ]
    };
    let wrong = submit(&world, &reviewer, &page, "/cases/rules", &said("130000", "ssh")).await;
    assert!(wrong.status == StatusCode::BAD_REQUEST && wrong.text.contains("65535"), "{wrong:?}");
    let everywhere = submit(&world, &reviewer, &page, "/cases/rules", &said("", "")).await;
    assert_eq!(everywhere.status, StatusCode::FORBIDDEN, "a province silences itself alone");
    let made = submit(&world, &reviewer, &page, "/cases/rules", &said("130000", "")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{made:?}");
    let report = AnomalyReport {
        key: AnomalyKey { kind: "sweep".into(), subject: "10.20.0.9".into() },
        grade: Severity::Considerable,
        confidence: 90,
        lasted_ms: 0,
        count: 40,
        run: 1,
        evidence: Vec::new(),
        drill: None,
    };
    let item = HistoryItem { time: NOW, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1, vec![item]).await;
    let page = visit(&world, &reviewer, "/cases/rules?lang=en").await.text;
    for shown in ["10.20.0.0/16", "备案的扫描器", "王芳", "End it", "<td class=\"number\">1</td>"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let silenced = visit(&world, &reviewer, "/cases?state=silenced&lang=en").await.text;
    let case = silenced.split("/cases/case-").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let case = visit(&world, &reviewer, &format!("/cases/case-{case}?lang=en")).await.text;
    assert!(case.contains("/cases/rules#") && case.contains("备案的扫描器"), "a silenced case names its rule: {case}");
    let county = sign_in(&world, &world.token(Role::SecurityReviewer, Some("130102")).await).await;
    let of_county = visit(&world, &county, "/cases/rules?lang=en").await.text;
    assert!(!of_county.contains("End it"), "{of_county}");
    let end =
        page.split("action=\"").map(|rest| rest.split('"').next().unwrap()).find(|it| it.ends_with("/end")).unwrap();
    assert_eq!(submit(&world, &reviewer, &page, end, &[]).await.status, StatusCode::SEE_OTHER);
    let page = visit(&world, &reviewer, "/cases/rules?lang=en").await.text;
    assert!(page.contains("Rules that are over") && page.contains("No rule is in force"), "{page}");
}
