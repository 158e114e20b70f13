//! The acceptance test through the API: run, kept, printed, signed off, and who may.

use hyper::{Method as HttpMethod, Request, StatusCode, header};
use onenet_topology::{
    AgentId, Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, SiteId,
    fact::{
        Binding, CaptureSample, Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Reach, ReachState,
        Scope,
    },
};
use onenet_wire::{Batch, Clocks, Content, Done, GroupChanges, Lane, Position, Query};
use serde_json::{Value, json};

use crate::{
    access::Role,
    ingest::Outcome,
    record::{Body, Command, Greeting, Report},
    testing::{NOW, World, mac},
};

const CITY: &str = "130100";
const PROVINCE: &str = "130000";

fn clocks() -> Clocks {
    Clocks { boot_id: [7; 16], boot_ms: 5_000_000, wall_ms: NOW.unix_ms() }
}

fn probe(name: &str, kind: ProbeKind, role: ProbeRole, site: &str) -> FactBody {
    let (target, state, detail) = ("192.0.2.1".to_owned(), ProbeState::Up, String::new());
    FactBody::Probe(Box::new(Probe { name: name.into(), target, kind, role, site: site.into(), state, detail }))
}

fn group(method: Method, scope: &str, bodies: Vec<FactBody>) -> GroupChanges {
    let changes = bodies.into_iter().map(|body| FactChange::Present(Fact { observed: NOW, body })).collect();
    GroupChanges { group: Group { method, scope: Scope::new(scope) }, changes, complete: None }
}

impl World {
    async fn connected(&self, site: SiteId) -> AgentId {
        let agent = self.enrol(site).await;
        let greeting = Greeting {
            agent,
            version: env!("CARGO_PKG_VERSION").into(),
            clocks: clocks(),
            received: NOW,
            configuration_revision: 0,
            certificate: None,
        };
        self.app.centre.intake().submit(Body::Hello(greeting)).await.unwrap();
        agent
    }

    async fn tells(&self, site: SiteId, agent: AgentId, lane: Lane, content: Content) {
        let position = Position { lane, epoch: 7, sequence: 1 };
        let batch = std::sync::Arc::new(Batch { position, clocks: clocks(), content });
        self.app.centre.intake().submit(Body::Report(Report { agent, site, batch })).await.unwrap();
    }

    /// A city of which everything is as it should be.
    async fn with_a_good_city(&self) -> AgentId {
        let (city, province) = (self.site(CITY), self.site(PROVINCE));
        let above = self.connected(province).await;
        let down = group(Method::Probe, "", vec![probe("city", ProbeKind::Icmp, ProbeRole::Child, CITY)]);
        self.tells(province, above, Lane::State, Content::State(vec![down])).await;
        let agent = self.connected(city).await;
        let toml = "[capture]\n".to_owned();
        let configured = self.app.centre.submit(Command::Configure { site: city, toml }, "test").await.unwrap();
        let Outcome::Configured { revision } = configured else { panic!("{configured:?}") };
        self.app.centre.intake().submit(Body::Configured { agent, revision }).await.unwrap();
        let reach = Reach { state: ReachState::Answering, detail: String::new(), target: "10.13.1.1:161".into() };
        let binding = Binding { mac: mac(7, 1), ip: [10, 13, 1, 50].into() };
        let up = probe("up", ProbeKind::Stamp, ProbeRole::Parent, PROVINCE);
        let facts = vec![
            group(Method::Probe, "", vec![up, probe("dns", ProbeKind::Dns, ProbeRole::Named, "")]),
            group(Method::SnmpReach, "sw", vec![FactBody::Reach(reach)]),
            group(Method::PassiveArp, "eth1", vec![FactBody::Binding(binding)]),
        ];
        self.tells(city, agent, Lane::State, Content::State(facts)).await;
        let window = |ago: i64| HistoryItem {
            time: NOW.plus_ms(-ago * 60_000),
            scope: Scope::new(""),
            body: HistoryBody::Probe(ProbeSample {
                name: "up".into(),
                interval_ms: 60_000,
                sent: 60,
                round_trip_median_us: Some(20_000),
                jitter_us: Some(2_000),
                ..ProbeSample::default()
            }),
        };
        let captured = CaptureSample { frames_seen: 10_000, ..CaptureSample::default() };
        let captured = HistoryItem { time: NOW, scope: Scope::new("eth1"), body: HistoryBody::Capture(captured) };
        let history = (0..10).map(window).chain([captured]).collect();
        self.tells(city, agent, Lane::History, Content::History(history)).await;
        let administrator = self.token(Role::SystemAdministrator, None).await;
        let plan = Request::builder().method(HttpMethod::POST).uri("/api/v1/address-plan/import");
        let plan = plan.header(header::AUTHORIZATION, format!("Bearer {administrator}"));
        let plan = plan.header(header::CONTENT_TYPE, "text/csv");
        let imported = self.raw(plan.body(format!("prefix,site\n10.13.1.0/24,{CITY}\n").into()).unwrap()).await;
        assert_eq!(imported.status, StatusCode::OK, "{imported:?}");
        agent
    }

    /// Opens the line of an agent whose media tests score this.
    fn scoring(&self, agent: AgentId, mos_centi: u32) {
        self.carrying_out(agent, move |query| {
            let Query::Measure(asked) = query else { panic!("{query:?}") };
            let (name, test, mos_centi) = (asked.probe, asked.test, Some(mos_centi));
            let sample = ProbeSample { name, test, sent: 500, mos_centi, ..ProbeSample::default() };
            Ok(Done { body: serde_json::to_vec(&sample).unwrap(), ..Done::default() })
        });
    }
}

fn path(site: &str) -> String {
    format!("/api/v1/sites/{site}/acceptances")
}

fn check<'v>(told: &'v Value, kind: &str) -> &'v Value {
    told["checks"].as_array().unwrap().iter().find(|it| it["check"] == kind).unwrap_or_else(|| panic!("{kind}: {told}"))
}

#[tokio::test]
async fn a_good_site_passes_with_a_media_test_is_printed_and_signed_off_once_by_a_named_person() {
    let world = World::bare().await;
    let agent = world.with_a_good_city().await;
    world.scoring(agent, 431);
    let operator = world.token(Role::Operator, None).await;
    let run = world.send(&operator, HttpMethod::POST, &path(CITY), Some(json!({}))).await;
    assert_eq!(run.status, StatusCode::OK, "{run:?}");
    let told = run.json();
    assert_eq!(told["verdict"], "passed", "{told:#}");
    assert_eq!(
        (&told["failed"], &told["not_measured"], &told["by"]),
        (&json!(0), &json!(0), &json!("operator of all"))
    );
    let media = check(&told, "media_score");
    assert_eq!((&media["value"], &media["threshold"], &media["at_least"]), (&json!(4.31), &json!(3.6), &json!(true)));
    assert_eq!(check(&told, "round_trip")["value"], json!(20.0));
    assert_eq!(check(&told, "way_from_above")["subject"], world.site(PROVINCE).to_string());

    let one = format!("{}/{}", path(CITY), told["id"].as_str().unwrap());
    assert_eq!(world.get(&operator, &one).await.json(), told);
    for (lang, words) in
        [("zh", ["验收测试", "尚未签署", "≤ 100.0 ms"]), ("en", ["Acceptance test", "not signed yet", "passed"])]
    {
        let page = world.get(&operator, &format!("{one}/report?lang={lang}")).await;
        assert!(page.header(header::CONTENT_TYPE).starts_with("text/html"));
        assert!(words.iter().all(|word| page.text.contains(word)), "{}", page.text);
    }
    let sign = async |body| world.send(&operator, HttpMethod::POST, &format!("{one}/signature"), Some(body)).await;
    assert_eq!(sign(json!({"person": " ", "note": "fine"})).await.status, StatusCode::CONFLICT);
    let signed = sign(json!({"person": "王五<b>", "note": "as ordered"})).await;
    assert_eq!(signed.status, StatusCode::OK, "{signed:?}");
    assert_eq!(signed.json()["signed"]["person"], "王五<b>");
    assert_eq!(sign(json!({"person": "李四", "note": "again"})).await.status, StatusCode::CONFLICT);
    let page = world.get(&operator, &format!("{one}/report")).await;
    assert!(page.text.contains("王五&lt;b&gt;") && !page.text.contains("王五<b>"));
    let audit = world.token(Role::AuditAdministrator, None).await;
    let entries = world.get(&audit, "/api/v1/audit").await.items();
    let done: Vec<&str> = entries
        .iter()
        .filter(|entry| entry["action"] == "accept_sites" && entry["outcome"] == "done")
        .filter_map(|entry| entry["subject"].as_str())
        .collect();
    assert!(done.iter().any(|it| it.starts_with("acceptance test run: 17 passed, 0 failed")), "{done:?}");
    assert!(done.iter().any(|it| it.ends_with("signed off by 王五<b>: as ordered")), "{done:?}");
}

#[tokio::test]
async fn what_cannot_be_measured_is_said_with_its_reason_and_a_site_that_fails_is_not_signed_off() {
    let world = World::bare().await;
    let agent = world.with_a_good_city().await;
    let operator = world.token(Role::Operator, None).await;
    // No stream is open, so that no media test can be run.
    let run = world.send(&operator, HttpMethod::POST, &path(CITY), Some(json!({}))).await.json();
    let media = check(&run, "media_score");
    assert_eq!((&run["verdict"], &media["verdict"]), (&json!("not_measured"), &json!("not_measured")), "{run:#}");
    assert_eq!(media["reason"], "no_media_test");
    assert!(media["detail"].as_str().unwrap().contains(&agent.to_string()), "{media}");
    let one = format!("{}/{}/signature", path(CITY), run["id"].as_str().unwrap());
    let note = json!({"person": "王五", "note": "no reflector yet: tested by telephone"});
    assert_eq!(world.send(&operator, HttpMethod::POST, &one, Some(note.clone())).await.status, StatusCode::OK);

    let strict = json!({"round_trip_ms": 19.5, "minutes": 5});
    let run = world.send(&operator, HttpMethod::POST, &path(CITY), Some(strict)).await.json();
    assert_eq!((&run["verdict"], &run["thresholds"]["round_trip_ms"]), (&json!("failed"), &json!(19.5)));
    assert_eq!(check(&run, "round_trip")["verdict"], "failed");
    let one = format!("{}/{}/signature", path(CITY), run["id"].as_str().unwrap());
    let refused = world.send(&operator, HttpMethod::POST, &one, Some(note)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("mend what failed"), "{refused:?}");
    // Of a province where nobody is, nothing passes.
    let run = world.send(&operator, HttpMethod::POST, &path("320000"), Some(json!({}))).await.json();
    assert_eq!((&run["verdict"], &run["passed"]), (&json!("failed"), &json!(0)), "{run:#}");
    assert_eq!(check(&run, "agent_connected")["reason"], "no_agent");
    for (body, parameter) in [(json!({"minutes": 0}), "minutes"), (json!({"loss_percent": -1.0}), "loss_percent")] {
        let answer = world.send(&operator, HttpMethod::POST, &path(CITY), Some(body)).await;
        let found = (answer.status, answer.json()["parameter"].clone());
        assert_eq!(found, (StatusCode::BAD_REQUEST, json!(parameter)), "{answer:?}");
    }
    let listed = world.get(&operator, &path(CITY)).await.items();
    let verdicts: Vec<_> = listed.iter().map(|it| it["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["failed", "not_measured"], "the newest first");
}

#[tokio::test]
async fn a_test_is_run_and_signed_by_whoever_may_accept_sites_and_read_by_whoever_reads_the_inventory() {
    let world = World::bare().await;
    let administrator = world.token(Role::SystemAdministrator, Some("000000")).await;
    let run = world.send(&administrator, HttpMethod::POST, &path(CITY), Some(json!({}))).await.json();
    let one = format!("{}/{}", path(CITY), run["id"].as_str().unwrap());
    for role in Role::ALL {
        let token = world.token(role, None).await;
        let may_read = !matches!(role, Role::SecurityAdministrator | Role::AuditAdministrator);
        let may_run = matches!(role, Role::Operator | Role::SystemAdministrator);
        let expected = |may, good| if may { good } else { StatusCode::FORBIDDEN };
        for path in [path(CITY), one.clone(), format!("{one}/report")] {
            assert_eq!(world.get(&token, &path).await.status, expected(may_read, StatusCode::OK), "{role} {path}");
        }
        let ran = world.send(&token, HttpMethod::POST, &path(CITY), Some(json!({}))).await;
        assert_eq!(ran.status, expected(may_run, StatusCode::OK), "{role}");
        let body = json!({"person": "王五", "note": "x"});
        let signed = world.send(&token, HttpMethod::POST, &format!("{one}/signature"), Some(body)).await;
        assert_eq!(signed.status, expected(may_run, StatusCode::CONFLICT), "{role}: it failed");
    }
    let jiangsu = world.token(Role::Operator, Some("320000")).await;
    for path in [path(CITY), one.clone(), format!("{one}/report")] {
        assert_eq!(world.get(&jiangsu, &path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let elsewhere = one.replace(CITY, "320102");
    assert_eq!(world.get(&jiangsu, &elsewhere).await.status, StatusCode::NOT_FOUND, "it is another site's");
    // Who sees the city alone is not told which site is above it.
    let city = world.token(Role::Viewer, Some(CITY)).await;
    let told = world.get(&city, &one).await;
    assert!(!told.text.contains(&world.site(PROVINCE).to_string()), "{}", told.text);
}
