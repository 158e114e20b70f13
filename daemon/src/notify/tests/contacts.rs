//! Contacts of sites are mailed what these are to do, once, whatever else a channel is told of.

use onenet_topology::{
    case::Issuer,
    contact::{Contact, ContactChange},
};

use super::*;
use crate::record::Body;

const HOUR_MS: i64 = 3_600_000;

async fn contact(world: &World, code: &str, name: &str, email: &str) {
    let contact = Contact { name: name.into(), role: String::new(), telephone: "110".into(), email: email.into() };
    let changes = vec![ContactChange::Put { site: world.site(code), contact }];
    world.app.centre.submit(Command::ChangeContacts { changes }, "wang").await.unwrap();
}

/// A drill of a case that was graded.
async fn graded(world: &World, subject: &str) -> CaseId {
    let case = drill(world, subject, Severity::Major).await;
    act(world, case, CaseAction::Acknowledge).await;
    act(world, case, CaseAction::Grade { grade: Severity::Major, category: Category::NetworkAttack }).await;
    case
}

async fn notify(world: &World, case: CaseId) {
    let issuer =
        Issuer { unit: Some(world.site("130000")), person: "王芳".into(), telephone: "0311-86000001".into() };
    let (to, text) = (world.site("130102"), "查清上网途径".to_owned());
    act(world, case, CaseAction::Notify { to, text, due: None, issuer: Some(issuer) }).await;
}

/// The mails that the program was given: to whom, the title, and what they say.
fn mails(dir: &tempfile::TempDir) -> Vec<(String, String)> {
    let read = std::fs::read_to_string(dir.path().join("mail")).unwrap_or_default();
    let mails = read.split("Date: ").skip(1).map(|mail| {
        let (head, body) = mail.split_once("\n\n").unwrap();
        let to = head.split("To: ").nth(1).unwrap().split("\nSubject").next().unwrap().replace(",\n ", " ");
        let body = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            body.split_whitespace().collect::<String>(),
        );
        (to, String::from_utf8(body.unwrap()).unwrap())
    });
    mails.collect()
}

#[tokio::test]
async fn a_notice_and_what_is_overdue_are_mailed_to_the_contacts_of_the_site_once() {
    let world = World::bare().await;
    for (code, name, email) in [
        ("130102", "李伟", "li@county.example"),
        ("130102", "赵敏", "li@county.example"),
        ("130102", "钱进", ""),
        ("130100", "孙立", "sun@city.example"),
    ] {
        contact(&world, code, name, email).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(Way::Mail(mail_program(&dir, "0")));
    // Whoever stands in the configuration is told of what is closed, and of nothing else.
    config.route.what = vec![What::CaseClosed];
    let mut line = line(&world, &config);
    let case = graded(&world, "10.1.2.3").await;
    notify(&world, case).await;
    drained(&mut line).await;
    drained(&mut line).await;
    let sent = mails(&dir);
    let [(to, body)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(to, "li@county.example", "each address once");
    for said in ["演练", "已通报责任单位", "查清上网途径", "签发: 河北省 · 王芳 · 0311-86000001", "办理期限", "签收"]
    {
        assert!(body.contains(said), "{said}: {body}");
    }
    world.pass(49 * HOUR_MS);
    for _ in 0..2 {
        world.app.centre.intake().submit(Body::Tick).await.unwrap();
    }
    drained(&mut line).await;
    let told: Vec<String> = mails(&dir).into_iter().skip(1).map(|(to, _)| to).collect();
    assert_eq!(told, ["li@county.example", "sun@city.example"], "who is late, and the site above");
    act(&world, case, CaseAction::Answer { text: "x".into(), rectified: true }).await;
    act(&world, case, CaseAction::Return { text: "换一个办法".into(), due: None }).await;
    act(&world, case, CaseAction::Close { verdict: CaseVerdict::Drill, text: "x".into() }).await;
    drained(&mut line).await;
    let told = mails(&dir).split_off(3);
    let to: Vec<&str> = told.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["li@county.example", "duty@a.example b@b.example"], "an answer given back, and the end");
    assert!(told[0].1.contains("反馈被退回") && told[0].1.contains("换一个办法"), "{}", told[0].1);
}

#[tokio::test]
async fn a_channel_that_is_not_for_contacts_and_a_site_without_any_are_as_ever() {
    let world = World::bare().await;
    contact(&world, "130102", "李伟", "li@county.example").await;
    let dir = tempfile::tempdir().unwrap();
    let way = MailWay { contacts: false, ..mail_program(&dir, "0") };
    let mut config = config(Way::Mail(way));
    config.route.what = vec![What::CaseNotified];
    let mut without = line(&world, &config);
    let case = graded(&world, "a").await;
    notify(&world, case).await;
    drained(&mut without).await;
    assert_eq!(mails(&dir).iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["duty@a.example b@b.example"]);
    assert!(!without.told.contacts);
    let alone = MailWay { to: Vec::new(), ..mail_program(&dir, "0") };
    let alone = ChannelConfig { name: "alone".into(), way: Way::Mail(alone), ..config.clone() };
    let mut alone = line(&world, &ChannelConfig { route: Route::default(), ..alone });
    notify(&world, graded(&world, "c").await).await;
    drained(&mut alone).await;
    let to: Vec<String> = mails(&dir).into_iter().skip(1).map(|(to, _)| to).collect();
    assert_eq!(to, ["li@county.example"], "whom nobody is told of a new case, there is no mail of it");
    let drills_left_out = Route { drills: false, ..Route::default() };
    let quiet = ChannelConfig {
        name: "quiet".into(),
        route: drills_left_out,
        way: Way::Mail(mail_program(&dir, "0")),
        ..config
    };
    let mut quiet = line(&world, &quiet);
    notify(&world, graded(&world, "b").await).await;
    drained(&mut quiet).await;
    assert_eq!(mails(&dir).len(), 2, "a channel without drills mails nobody of one");
}
