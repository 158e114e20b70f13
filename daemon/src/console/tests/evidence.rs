//! What evidence says on the page of a case and in its notice (通报), in the reader's language.

use onenet_topology::{
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport},
    case::{CaseAction, Category},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};

use super::{sign_in, visit};
use crate::{
    access::Role,
    record::Command,
    testing::{NOW, World},
};

/// Evidence by name and value, and how it is read in Chinese.
const TOLD: [(&str, &str, &str); 7] = [
    ("direction", "outward", "由内向外"),
    ("trust", "not_listed", "不在名单中"),
    ("says", "switch, router", "交换机, 路由器"),
    ("before", "printer", "打印机"),
    ("possible", "uplink_cut, power_cut", "线路故障"),
    ("no_capture", "forgotten, 2027-01-15T08:00:00Z", "数据包已被覆盖, 2027-01-15T08:00:00Z"),
    // As it was told before words stood for choices.
    ("trust", "it came beside those that were there", "在已知服务器之外新出现"),
];

#[tokio::test]
async fn evidence_is_read_in_the_readers_language_on_the_page_and_in_the_notice() {
    let world = World::new().await;
    let evidence = TOLD.map(|(is, value, _)| AnomalyEvidence { is: is.into(), value: value.into() }).into();
    let report = AnomalyReport {
        key: AnomalyKey { kind: "mac_flood".into(), subject: "segment".into() },
        grade: Severity::Major,
        confidence: 90,
        lasted_ms: 0,
        count: 40,
        run: 1,
        evidence,
        drill: None,
    };
    let item = HistoryItem { time: NOW, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1, vec![item]).await;
    let estate = world.app.centre.estate();
    let case = estate.cases.all.values().find(|it| it.key.kind == "mac_flood").unwrap().id;
    let site = world.site("130102");
    for action in [
        CaseAction::Acknowledge,
        CaseAction::Grade { grade: Severity::Major, category: Category::NetworkAttack },
        CaseAction::Notify { to: site, text: "请核查".into(), due: None, issuer: None },
    ] {
        world.app.centre.submit(Command::ActOnCase { site, case, action, notice: None }, "li").await.unwrap();
    }
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, None).await).await;
    for path in [format!("/cases/{case}?lang=zh"), format!("/cases/{case}/notice?lang=zh")] {
        let page = visit(&world, &reviewer, &path).await.text;
        for (is, value, words) in TOLD {
            assert!(page.contains(words), "{is} {words}: {page}");
            assert!(!page.contains(&format!(">{value}<")), "{is} {value}: {page}");
        }
        assert!(page.contains("所监听的网段"), "{page}");
    }
    let page = visit(&world, &reviewer, &format!("/cases/{case}?lang=en")).await.text;
    assert!(page.contains("begun inside") && page.contains("not on the list"), "{page}");
}
