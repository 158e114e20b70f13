//! The console from the outside: what a browser sends and gets.

mod contacts;
mod drills;
mod evidence;
mod files;
mod inspections;

use axum::body::Body;
use hyper::{Method, Request, StatusCode, header};
use onenet_topology::case::CaseAction;

use crate::{
    access::Role,
    testing::{Answer, World, mac},
};

async fn visit(world: &World, cookie: &str, path: &str) -> Answer {
    world.raw(Request::builder().uri(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

async fn post(world: &World, cookie: &str, path: &str, form: &str, more: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(path);
    for (name, value) in [("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")].iter().chain(more)
    {
        request = request.header(*name, *value);
    }
    world.raw(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// Signs in and returns the session's cookie.
async fn sign_in(world: &World, token: &str) -> String {
    let answer = post(world, "", "/login", &format!("token={token}&next=%2Fendpoints"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    assert_eq!(answer.header(header::LOCATION), "/endpoints");
    let cookie = answer.header(header::SET_COOKIE);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_stranger_is_sent_to_sign_in_and_back_to_where_he_wanted() {
    let world = World::new().await;
    let answer = visit(&world, "", "/sites/130102?lang=en").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header(header::LOCATION), "/login?next=%2Fsites%2F130102%3Flang%3Den");
    let refused = post(&world, "", "/login", "token=onenet_0", &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header(header::SET_COOKIE), "");
    let forged = post(&world, "", "/login", "token=onenet_0", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_page_is_whole_in_both_languages_and_safe() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let estate = world.app.centre.estate();
    let state = estate.site(world.site("130102")).unwrap().clone();
    let (endpoint, device) = (state.endpoint_by_mac(mac(1, 1)).unwrap().id, *state.devices.keys().next().unwrap());
    let pages = [
        "/".to_owned(),
        "/endpoints".into(),
        "/endpoints?q=pc".into(),
        "/find?q=1".into(),
        "/find?q=nothing+is+called+so".into(),
        "/endpoints?site=130102&class=pc&registered=false".into(),
        "/sites/130102".into(),
        "/anomalies".into(),
        "/anomalies?site=130102&kind=port_scan&grade=general&area=&subject=".into(),
        "/coverage".into(),
        "/sites/130102/acceptances".into(),
        "/availability".into(),
        "/availability?site=130102&from=2026-12-01&to=2027-01-10".into(),
        "/coverage?site=130102".into(),
        "/assets".into(),
        "/endpoints?registered=false".into(),
        "/reports/monthly".into(),
        "/reports/inspection".into(),
        "/changes".into(),
        "/path".into(),
        "/path?from=130102&to=320102".into(),
        "/changes?site=130102&from=2020-01-01".into(),
        "/sites/130102/past?at=2027-01-15T16:30".into(),
        format!("/endpoints/{endpoint}"),
        format!("/devices/{device}"),
    ];
    let ideograph = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for page in pages {
        let join = if page.contains('?') { '&' } else { '?' };
        for (language, tag) in [("zh", "lang=\"zh-CN\""), ("en", "lang=\"en\"")] {
            let answer = visit(&world, &cookie, &format!("{page}{join}lang={language}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{page}: {answer:?}");
            assert!(answer.text.contains(tag), "{page}");
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert!(
                !answer.text.contains("<script") && !answer.text.contains(" style=") && !answer.text.contains("<style")
            );
            assert!(!answer.text.contains("PC-1<b>"), "{page}: what a host calls itself is text");
            // The names of sites have Latin letters here, so nothing Chinese is left but the link to the other language.
            let english = answer.text.replace(">中文<", "><");
            assert_eq!(language == "zh", english.chars().any(ideograph), "{page} in {language}: {english}");
        }
    }
}

#[tokio::test]
async fn a_page_shows_what_its_reader_may_see() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, Some("130000")).await).await;
    let home = visit(&world, &cookie, "/").await;
    assert!(home.text.contains("河北省") && !home.text.contains("江苏省"), "{}", home.text);
    let (hidden, absent) =
        (visit(&world, &cookie, "/sites/320102").await, visit(&world, &cookie, "/sites/999999").await);
    // They differ in nothing but the address that was asked for.
    assert_eq!((hidden.status, hidden.text), (StatusCode::NOT_FOUND, absent.text.replace("999999", "320102")));
    let found = visit(&world, &cookie, "/endpoints?q=00:1b:21").await;
    assert!(found.text.contains("00:1b:21:01:00:01") && !found.text.contains("00:1b:21:02"), "{}", found.text);
    let reviewer = sign_in(&world, &world.token(Role::SecurityAdministrator, None).await).await;
    let home = visit(&world, &reviewer, "/?lang=en").await.text;
    assert!(!home.contains("<dd>0</dd>"), "what may not be read is no zero: {home}");
    assert_eq!(visit(&world, &reviewer, "/endpoints?q=x").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_device_page_tells_of_its_vlans_its_addresses_and_its_peculiarities() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let estate = world.app.centre.estate();
    let device = *estate.site(world.site("130102")).unwrap().devices.keys().next().unwrap();
    let common = ["dot1dTpFdbTable", "213", "192.168.1.1/24", "Vlanif10", "office"];
    for (language, words) in [
        ("en", ["rows that point at no bridge port", "10 · tagged 20-30", "Untagged ports", "enabled"]),
        ("zh", ["转发表指向不存在的桥端口", "10 · 带标签 20-30", "不带标签的接口", "启用"]),
    ] {
        let page = visit(&world, &cookie, &format!("/devices/{device}?lang={language}")).await.text;
        for words in common.into_iter().chain(words) {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
}

#[tokio::test]
async fn what_is_bad_stands_before_what_is_well_and_each_optical_module_in_one_row() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let estate = world.app.centre.estate();
    let device = *estate.site(world.site("130102")).unwrap().devices.keys().next().unwrap();
    let page = visit(&world, &cookie, &format!("/devices/{device}?lang=en")).await.text;
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words}: {page}"));
    assert!(at("<td>fan</td>") < at("<td>temperature</td>"), "the fan has failed: {page}");
    assert!(page.contains("42.5 °C"), "{page}");
    let row = page.split("<tr>").find(|row| row.contains("-5.24 dBm")).unwrap_or_else(|| panic!("no light: {page}"));
    assert!(row.contains("GigabitEthernet0/0/1<") && row.contains("28 °C"), "{row}");
    assert!(!page.contains("GigabitEthernet0/0/1 transceiver"), "{page}");
}

#[tokio::test]
async fn the_endpoint_page_gives_the_evidence_in_words() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let estate = world.app.centre.estate();
    let endpoint = estate.site(world.site("130102")).unwrap().endpoint_by_mac(mac(1, 1)).unwrap().id;
    let page = visit(&world, &cookie, &format!("/endpoints/{endpoint}?lang=en")).await.text;
    for words in
        ["192.168.1.50", "PC-1&lt;b&gt;", "Intel", "forwarding table", "ARP heard", "GigabitEthernet0/0/1", "MSFT 5.0"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let site = visit(&world, &cookie, "/sites/130102?lang=zh").await.text;
    for words in ["监听丢帧", "采集器时钟不准", "处理办法", "SW1"] {
        assert!(site.contains(words), "{words}: {site}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_by_its_own_form_alone() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let cookie = sign_in(&world, &token).await;
    let forged = post(&world, &cookie, "/logout", "form=onenet_0", &[]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let page = visit(&world, &cookie, "/").await.text;
    let form = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(post(&world, &cookie, "/logout", &format!("form={form}"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(visit(&world, &cookie, "/").await.status, StatusCode::SEE_OTHER);

    let cookie = sign_in(&world, &token).await;
    let security = world.token(Role::SecurityAdministrator, None).await;
    world.send(&security, Method::DELETE, "/api/v1/tokens/viewer%20of%20all", None).await;
    assert_eq!(visit(&world, &cookie, "/").await.status, StatusCode::SEE_OTHER, "the token was revoked");
}

#[tokio::test]
async fn whoever_was_signed_in_is_told_that_the_session_is_over() {
    let world = World::new().await;
    let stale = visit(&world, "onenet_session=onenet_0", "/endpoints").await;
    assert_eq!(stale.header(header::LOCATION), "/login?next=%2Fendpoints&ended=1");
    let page = visit(&world, "", "/login?next=%2Fendpoints&ended=1&lang=en").await;
    assert!(page.text.contains("Your session has ended"), "{}", page.text);
}

#[tokio::test]
async fn what_a_number_calls_trouble_stands_on_the_page_of_the_site_with_its_remedy() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let site = visit(&world, &cookie, "/sites/130102?lang=en").await.text;
    let state = world.app.centre.estate().site(world.site("130102")).unwrap().clone();
    let wrong = state.conditions().count() + state.findings.len();
    assert!(wrong > 0 && site.matches("What to do").count() == wrong, "{wrong}: {site}");
    let home = visit(&world, &cookie, "/?lang=en").await.text;
    assert!(home.contains(&format!("<strong class=\"attention\">{wrong}</strong>")), "{home}");
}

#[tokio::test]
async fn the_page_of_a_site_tells_how_capture_goes_and_what_it_lost() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let page = visit(&world, &cookie, "/sites/130102?lang=en").await.text;
    let part = page.split("<h2>Capture</h2>").nth(1).expect("a table of capture");
    let part = part.split("<h2>").next().unwrap();
    for told in [
        "eth1",
        "10000",
        "<strong>20</strong>",
        "<strong>2.50 %</strong>",
        "<strong>4</strong>",
        "vlan_short 5, arp_short 2",
    ] {
        assert!(part.contains(told), "{told}: {part}");
    }
}

#[tokio::test]
async fn the_search_of_the_first_version_is_found_where_it_went() {
    let world = World::new().await;
    let answer = visit(&world, "", "/search?q=00%3A1b&lang=en").await;
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::PERMANENT_REDIRECT, "/endpoints?q=00%3A1b&lang=en")
    );
}

#[tokio::test]
async fn the_language_is_remembered_and_can_be_changed_in_place() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let page = visit(&world, &cookie, "/endpoints?q=pc&lang=en").await;
    assert!(page.header(header::SET_COOKIE).starts_with("onenet_lang=en;"), "{page:?}");
    assert!(page.text.contains("href=\"/endpoints?lang=zh&amp;q=pc\""), "{}", page.text);
    let later = visit(&world, &format!("{cookie}; onenet_lang=en"), "/").await;
    assert!(later.text.contains("Overview"));
}

#[tokio::test]
async fn what_went_wrong_is_said_in_the_readers_language() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let chinese = visit(&world, &cookie, "/endpoints?cursor=x&lang=zh").await;
    assert_eq!(chinese.status, StatusCode::BAD_REQUEST, "{chinese:?}");
    assert!(chinese.text.contains("“翻页位置”无法使用"), "{}", chinese.text);
    assert!(chinese.text.contains("href=\"/coverage\"") && chinese.text.contains("name=\"q\""), "{}", chinese.text);
    let english = visit(&world, &cookie, "/endpoints?cursor=x&lang=en").await;
    assert!(english.text.contains("next"), "{}", english.text);
    assert!(!chinese.text.contains("give"), "{}", chinese.text);
}

#[tokio::test]
async fn flows_are_asked_for_with_a_reason_and_told_with_who_did_not_answer() {
    let world = World::new().await;
    let (site, agent) = (world.site("130102"), world.agent_of("130102"));
    let silent = world.enrol(site).await;
    world.heard(silent).await;
    world.answering(agent, |_| Ok(crate::api::tests::flows::page(vec![crate::api::tests::flows::flow(2_000)], None)));
    let cookie = sign_in(&world, &world.token(Role::SecurityReviewer, Some("130102")).await).await;
    let site_page = visit(&world, &cookie, "/sites/130102?lang=en").await.text;
    assert!(site_page.contains("Reason (required)") && site_page.contains("Top talkers"), "{site_page}");
    assert!(site_page.contains("not recognised") && site_page.contains("DNS"), "{site_page}");
    let endpoint = world.app.centre.estate().site(site).unwrap().endpoint_by_mac(mac(1, 1)).unwrap().id;
    let endpoint_page = visit(&world, &cookie, &format!("/endpoints/{endpoint}?lang=en")).await.text;
    assert!(
        endpoint_page.contains("value=\"00:1b:21:01:00:01\"") && endpoint_page.contains("10.0 kB"),
        "{endpoint_page}"
    );
    let asked = "/sites/130102/flows?reason=case+2026-17&endpoint=00:1b:21:01:00:01&period=day";
    for (language, words) in [
        (
            "en",
            [
                "TLS",
                "mail.example",
                "finished",
                "did not answer",
                "keeps flows since",
                "187 days",
                "before its log begins",
            ],
        ),
        ("zh", ["TLS", "mail.example", "正常结束", "未答复", "记录保存自", "共 187 天", "早于记录的起点"]),
    ] {
        let page = visit(&world, &cookie, &format!("{asked}&lang={language}")).await.text;
        for word in words.into_iter().chain([format!("/endpoints/{endpoint}").as_str(), &silent.to_string()]) {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(!page.contains("<script") && !page.contains(" style="), "{page}");
        let wrong =
            visit(&world, &cookie, &format!("/sites/130102/flows?reason=&period=day&lang={language}")).await.text;
        assert!(wrong.contains("role=\"alert\"") && !wrong.contains("mail.example"), "{wrong}");
    }
    let opened = visit(&world, &cookie, "/sites/130102/flows?endpoint=00:1b:21:01:00:01&lang=en").await.text;
    assert!(opened.contains("<form class=\"ask\"") && !opened.contains("role=\"alert\""), "{opened}");
}

#[tokio::test]
async fn who_may_not_read_flows_finds_neither_form_nor_page() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let site_page = visit(&world, &cookie, "/sites/130102?lang=en").await.text;
    assert!(site_page.contains("Top talkers") && !site_page.contains("Reason (required)"), "{site_page}");
    let page = visit(&world, &cookie, "/sites/130102/flows?reason=case+17").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let absent = visit(&world, &cookie, "/sites/999999/flows?reason=case+17").await.text;
    assert_eq!(page.text, absent.replace("999999", "130102"));
}

#[tokio::test]
async fn an_incident_is_on_the_first_page_and_says_what_follows_from_it_and_why_it_is_believed() {
    let world = World::with_a_cut().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let incident = world.app.centre.estate().open_incidents().next().unwrap().id;
    let page = format!("/incidents/{incident}");
    for (path, zh, en) in [
        ("/", "线路中断", "A link is down"),
        ("/incidents", "停电", "a power cut"),
        ("/incidents?state=closed", "没有故障", "No incidents"),
        (page.as_str(), "上级探测失败", "A probe from above fails"),
        ("/sites/130102", "当前故障", "Open incidents"),
        ("/sites/130102/timeline", "线路中断", "A link is down"),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        for (language, words) in [("zh", zh), ("en", en)] {
            let answer = visit(&world, &cookie, &format!("{path}{join}lang={language}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
            assert!(answer.text.contains(words), "{path} does not say {words:?}:\n{}", answer.text);
            assert!(!answer.text.contains(" style="), "{path}");
        }
    }
    // The county sees that it is cut off, and not what stands above it.
    let county = sign_in(&world, &world.token(Role::Viewer, Some("130102")).await).await;
    let answer = visit(&world, &county, &format!("{page}?lang=en")).await;
    assert!(answer.text.contains("beyond what you see"), "{}", answer.text);
    assert!(!answer.text.contains("Shijiazhuang"), "{}", answer.text);
    let elsewhere = sign_in(&world, &world.token(Role::Viewer, Some("320000")).await).await;
    assert_eq!(visit(&world, &elsewhere, &page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_box_finds_whatever_has_a_name_and_goes_to_what_alone_is_meant() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, Some("130000")).await).await;
    let (site, estate) = (world.site("130102"), world.app.centre.estate());
    let endpoint = estate.site(site).unwrap().endpoint_by_mac(mac(1, 1)).unwrap().id;
    let device = *estate.site(site).unwrap().devices.keys().next().unwrap();
    for (asked, place) in [
        ("130102", format!("/sites/{site}")),
        ("长安", format!("/sites/{site}")),
        ("chang+an", format!("/sites/{site}")),
        ("SW1", format!("/devices/{device}")),
        ("00-1b-21-01-00-01", format!("/endpoints/{endpoint}")),
        ("", "/endpoints".to_owned()),
    ] {
        let answer = visit(&world, &cookie, &format!("/find?q={}", crate::api::encode(&asked.replace('+', " ")))).await;
        assert_eq!(
            (answer.status, answer.header(header::LOCATION)),
            (StatusCode::SEE_OTHER, place.as_str()),
            "{asked}"
        );
    }
    // What another sees is not found, by any name.
    for hidden in ["320102", "Xuanwu", "00-1b-21-02-00-01"] {
        let answer = visit(&world, &cookie, &format!("/find?q={hidden}&lang=en")).await;
        assert!(answer.status == StatusCode::OK && answer.text.contains("No site, device, endpoint"), "{answer:?}");
    }
    let several = visit(&world, &cookie, "/find?q=1301&lang=en").await.text;
    assert!(several.contains("Shijiazhuang") && several.contains("Changan"), "{several}");
}

#[tokio::test]
async fn a_site_above_is_not_called_down_for_what_happens_below_it() {
    let world = World::with_a_cut().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let home = visit(&world, &cookie, "/?lang=en").await.text;
    let row = |name: &str| {
        let rows = home.split("<tr>").filter(|row| row.contains("class=\"site depth"));
        rows.into_iter()
            .find(|row| row.contains(&format!(">{name}</a>")))
            .unwrap_or_else(|| panic!("{name}: {home}"))
            .to_owned()
    };
    let mark = |row: &str| row.split("class=\"mark ").nth(1).and_then(|it| it.split('"').next()).unwrap().to_owned();
    assert_eq!(mark(&row("Changan")), "bad");
    let above = row("Hebei");
    assert!(mark(&above) != "bad" && above.contains("Sites below in trouble: "), "{above}");
    // Nobody was ever enrolled there: that is not the same as not knowing.
    assert!(row("Nanjing").contains("not attached"), "{home}");
}

#[tokio::test]
async fn anomalies_lead_to_their_cases_and_cases_to_their_figures() {
    let world = World::new().await;
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, None).await).await;
    let page = visit(&world, &reviewer, "/anomalies?site=130102&kind=port_scan&lang=en").await.text;
    assert!(page.contains("Port scan") && page.contains("10.20.0.7") && !page.contains("10.20.0.66"), "{page}");
    let link = page.split("href=\"/cases/case-").nth(1).map(|rest| rest.split('"').next().unwrap_or_default());
    let case = visit(&world, &reviewer, &format!("/cases/case-{}", link.expect("a case"))).await;
    assert_eq!(case.status, StatusCode::OK);
    for by in ["grade", "kind", "month", "site", "area"] {
        let figures = visit(&world, &reviewer, &format!("/cases/statistics?by={by}&lang=en")).await;
        assert_eq!(figures.status, StatusCode::OK, "{by}");
        assert!(figures.text.contains("Statistics of cases"), "{by}: {}", figures.text);
    }
    let viewer = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let page = visit(&world, &viewer, "/anomalies").await.text;
    assert!(page.contains("10.20.0.7") && !page.contains("/cases/case-"), "who reads no cases sees none");
    assert_eq!(visit(&world, &viewer, "/cases/statistics").await.status, StatusCode::FORBIDDEN);
    assert_eq!(visit(&world, &viewer, "/anomalies?grade=bad").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_inspection_report_says_what_is_seen_and_where_it_is_blind() {
    let world = World::new().await;
    let cookie = sign_in(&world, &world.token(Role::Viewer, None).await).await;
    let page = visit(&world, &cookie, "/reports/inspection?site=130000&lang=en").await.text;
    let (name, sites) =
        ("Ways out", world.app.centre.estate().tree.subtree(world.site("130000"), crate::testing::NOW).len());
    assert!(page.contains(name) && page.contains(&format!("Sites that report at present: 1 of {sites}")), "{page}");
    assert!(page.contains("Devices that answer: 1 of 1") && page.contains("Sites without an agent: "), "{page}");
    // No agent told what its detectors do: nobody watches.
    assert!(page.contains(&format!("Sites that watch for it at present: 0 of {sites}")), "{page}");
}

#[tokio::test]
async fn a_unit_sees_first_what_waits_for_its_answer_drills_among_it_and_in_its_own_words() {
    let world = World::new().await;
    // Where endpoints are is concluded from tables once these are quiet.
    world.pass(10_000);
    world.app.centre.intake().submit(crate::record::Body::Tick).await.unwrap();
    let county = sign_in(&world, &world.token(Role::Operator, Some("130102")).await).await;
    let (site, drill) = (
        world.site("130102"),
        crate::record::Command::Drill {
            site: world.site("130102"),
            kind: "outreach".into(),
            subject: "192.168.1.50".into(),
            grade: onenet_topology::incident::Severity::General,
            began: crate::testing::NOW,
            text: "x".into(),
            source: None,
            destination: None,
            port: None,
        },
    );
    let crate::ingest::Outcome::CaseOpened(case) = world.app.centre.submit(drill, "li").await.unwrap() else {
        panic!()
    };
    assert!(!visit(&world, &county, "/?lang=zh").await.text.contains("待本单位"), "nobody was notified");
    let category = onenet_topology::case::Category::ViolationOfRules;
    for action in [
        CaseAction::Acknowledge,
        CaseAction::Grade { grade: onenet_topology::incident::Severity::General, category },
        CaseAction::Notify { to: site, text: "查清上网途径".into(), due: None, issuer: None },
    ] {
        world
            .app
            .centre
            .submit(crate::record::Command::ActOnCase { site, case, action, notice: None }, "li")
            .await
            .unwrap();
    }
    assert!(visit(&world, &county, "/?lang=zh").await.text.contains("有 1 份网络安全通报待本单位签收或反馈"));
    let list = visit(&world, &county, "/cases?lang=zh").await.text;
    assert!(list.contains("待本单位反馈的通报") && list.contains(&case.to_string()), "{list}");
    let page = visit(&world, &county, &format!("/cases/{case}?lang=zh")).await.text;
    for said in ["属违规外联", "隔离建议", "这是演练：不要执行", "/find?q=192.168.1.50", "undo shutdown"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    // Who reviews is not who answers.
    let reviewer = sign_in(&world, &world.token(Role::SecurityReviewer, None).await).await;
    assert!(!visit(&world, &reviewer, "/?lang=zh").await.text.contains("待本单位"));
}
