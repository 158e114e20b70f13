//! What detectors found, as API and metrics say it.

use std::sync::{Arc, Mutex};

use hyper::{StatusCode, header};
use onenet_topology::{
    anomaly::{AnomalyEvidence, AnomalyKey, AnomalyReport, CAPTURE},
    fact::{HistoryBody, HistoryItem, Scope},
    incident::Severity,
};
use onenet_wire::{Asker, CaptureQuery, Done, Query, limits};
use serde_json::json;

use crate::{
    access::Role,
    testing::{NOW, World},
};

#[tokio::test]
async fn what_detectors_found_is_listed_the_last_seen_first_and_narrowed_by_what_is_asked() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let list = async |query: &str| {
        let answer = world.get(&token, &format!("/api/v1/anomalies{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        answer.items()
    };
    let all = list("?site=130102").await;
    let kinds: Vec<_> = all.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rogue_dhcp", "port_scan"]);
    let scan = &all[1];
    assert_eq!(scan["site"], world.site("130102").to_string());
    assert_eq!((&scan["site_code"], &scan["site_name"]), (&json!("130102"), &json!("长安区")));
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let cased = world.get(&reviewer, "/api/v1/anomalies?site=130102&kind=port_scan").await.items();
    let case = world.get(&reviewer, "/api/v1/cases?site=130102&kind=port_scan").await.items();
    assert_eq!(
        (&cased[0]["case"], &scan["case"]),
        (&case[0]["id"], &serde_json::Value::Null),
        "a viewer reads no cases"
    );
    for (field, value) in [
        ("subject", json!("10.20.0.7")),
        ("grade", json!("considerable")),
        ("confidence", json!(90)),
        ("count", json!(64)),
        ("evidence", json!([{"is": "ports", "value": "1-64"}])),
    ] {
        assert_eq!(scan[field], value, "{field}");
    }
    assert_eq!(&list("?site=130102&kind=port_scan").await[..], std::slice::from_ref(scan));
    assert_eq!(list("?site=130102&grade=major").await, [all[0].clone()]);
    assert_eq!(list("?site=130102&subject=10.20.0.7").await.len(), 1);
    assert_eq!(list(&format!("?site=130102&from={}", all[0]["last"].as_str().unwrap())).await.len(), 1);
    let page = world.get(&token, "/api/v1/anomalies?site=130102&limit=1").await;
    let next = page.json()["next"].as_str().unwrap().to_owned();
    let query = format!("?site=130102&limit=1&cursor={}", crate::api::encode(&next));
    assert_eq!(&list(&query).await[..], std::slice::from_ref(scan));
    let wrong = world.get(&token, "/api/v1/anomalies?grade=bad").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text);
}

#[tokio::test]
async fn which_detectors_are_on_is_told_by_site_and_by_metrics() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let detectors = world.get(&token, "/api/v1/sites/130102/detectors").await.items();
    let told: Vec<_> = detectors.iter().map(|it| (it["kind"].as_str().unwrap(), it["on"].as_bool().unwrap())).collect();
    assert_eq!(told, [("port_scan", true), ("dark_address", false)]);
    assert_eq!((&detectors[0]["inputs"], &detectors[1]["off"]), (&json!(4_000), &json!("no dark prefix is listed")));
    let page = world.get(&token, "/metrics/site/130102").await.text;
    let site = world.site("130102");
    let inputs = page.lines().find(|line| line.starts_with("onenet_detection_inputs_total")).unwrap_or_default();
    assert!(inputs.ends_with("} 4000"), "{inputs}");
    for line in [
        format!("onenet_site_anomalies{{site=\"{site}\",kind=\"port_scan\",grade=\"considerable\"}} 1"),
        "state=\"on\"} 1".to_owned(),
        "state=\"off\"} 1".to_owned(),
    ] {
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn what_was_found_elsewhere_does_not_exist() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, Some("320000")).await;
    let seen = world.get(&token, "/api/v1/anomalies").await;
    assert!(!seen.items().is_empty() && !seen.text.contains(&world.site("130102").to_string()), "{}", seen.text);
    let detectors = world.get(&token, "/api/v1/sites/130102/detectors").await;
    assert_eq!(detectors.status, StatusCode::NOT_FOUND);
}

const FILE: &str = "20270115T075900000Z-beacon-10.20.0.9.pcapng";

/// A county whose agent found something and saved packets of it.
async fn world_with_capture() -> World {
    let world = World::new().await;
    let report = AnomalyReport {
        key: AnomalyKey { kind: "beacon".into(), subject: "10.20.0.9".into() },
        grade: Severity::General,
        confidence: 80,
        lasted_ms: 1_000,
        count: 3,
        run: 1,
        evidence: vec![AnomalyEvidence { is: CAPTURE.into(), value: FILE.into() }],
        drill: None,
    };
    let item = HistoryItem { time: NOW.plus_ms(-60_000), scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    world.tell_more(1, vec![item]).await;
    world
}

fn ask(file: &str) -> String {
    format!("/api/v1/sites/130102/captures/{file}?reason=case+2026-17")
}

#[tokio::test]
async fn the_packets_of_an_anomaly_are_fetched_part_by_part_and_the_county_reads_who_asked_why() {
    let world = world_with_capture().await;
    let whole: Vec<u8> = (0..150_000_u32).map(|at| u8::try_from(at % 251 % 100 + 20).unwrap()).collect();
    let asked: Arc<Mutex<Vec<CaptureQuery>>> = Arc::default();
    let (heard, file) = (Arc::clone(&asked), whole.clone());
    world.carrying_out(world.agent_of("130102"), move |query| {
        let Query::Capture(asked) = query else { panic!("{query:?}") };
        let rest = &file[usize::try_from(asked.offset).unwrap()..];
        let body = rest[..rest.len().min(limits::CAPTURE_PART_BYTES)].to_vec();
        heard.lock().unwrap().push(asked);
        Ok(Done { body, ..Done::default() })
    });
    let token = world.token(Role::SecurityReviewer, Some("130000")).await;
    let answer = world.get(&token, &ask(FILE)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.text.as_bytes() == whole, "{} bytes came", answer.text.len());
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/vnd.tcpdump.pcap");
    let asker = Asker { principal: "security-reviewer of 130000".into(), reason: "case 2026-17".into() };
    let part = |offset| CaptureQuery { asker: asker.clone(), file: FILE.into(), offset, bytes_max: 0 };
    assert_eq!(*asked.lock().unwrap(), [part(0), part(65_536), part(131_072)]);
    let auditor = world.token(Role::AuditAdministrator, Some("130102")).await;
    let entries = world.get(&auditor, "/api/v1/audit").await.items();
    let entry = entries.iter().find(|entry| entry["action"] == "read_flows").unwrap();
    assert_eq!((&entry["reason"], &entry["outcome"]), (&json!("case 2026-17"), &json!("done")));
    assert_eq!(entry["subject"], json!(format!("capture {FILE}: 150000 bytes told")));
}

#[tokio::test]
async fn packets_are_only_for_whoever_may_read_flows_and_only_those_that_an_anomaly_names() {
    let world = world_with_capture().await;
    world.carrying_out(world.agent_of("130102"), |query| panic!("nobody may ask: {query:?}"));
    let (viewer, token) = (world.token(Role::Viewer, None).await, world.token(Role::SecurityReviewer, None).await);
    for (by, file) in [(&viewer, FILE), (&token, "other.pcapng")] {
        assert_eq!(world.get(by, &ask(file)).await.status, StatusCode::NOT_FOUND, "{file}");
    }
    let unexplained = world.get(&token, &format!("/api/v1/sites/130102/captures/{FILE}?reason=x")).await;
    assert_eq!(unexplained.json()["parameter"], "reason");
}

#[tokio::test]
async fn an_agent_that_has_the_packets_no_more_or_tells_without_end_is_an_error_with_its_name() {
    let world = world_with_capture().await;
    let agent = world.agent_of("130102");
    let token = world.token(Role::SecurityReviewer, None).await;
    world.carrying_out(agent, |_| Err("there is no capture any more".to_owned()));
    let gone = world.get(&token, &ask(FILE)).await;
    assert_eq!(gone.status, StatusCode::BAD_GATEWAY, "{}", gone.text);
    assert!(gone.text.contains("no capture any more") && gone.text.contains(&agent.to_string()), "{}", gone.text);
    world.carrying_out(agent, |_| Ok(Done { body: vec![0; limits::CAPTURE_PART_BYTES], ..Done::default() }));
    let endless = world.get(&token, &ask(FILE)).await;
    assert!(endless.text.contains("larger than one may be"), "{}", endless.text);
}

#[tokio::test]
async fn what_the_centre_looks_for_itself_is_told_with_why_and_how_much_it_looks_at() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let detectors = world.get(&token, "/api/v1/detectors").await.items();
    let names: Vec<_> = detectors.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(names, onenet_detection::centre::ALL.map(|it| it.name));
    let of = |kind: &str| detectors.iter().find(|it| it["kind"] == kind).unwrap();
    assert_eq!(of("worm_spread")["thresholds"], json!([{"key": "worm_sites", "value": 3}]));
    assert_eq!(of("ip_with_two_macs")["thresholds"], json!([{"key": "clone_min", "value": 60}]));
    assert!(of("ip_with_two_macs")["inputs"].as_u64() > Some(0) && of("device_replaced")["inputs"].as_u64() > Some(0));
    for it in &detectors {
        assert!(["what", "why", "from", "blind", "last_run"].iter().all(|key| it[key].as_str() > Some("")), "{it}");
    }
    // Who does not see a site is not told how much there is.
    let elsewhere = world.token(Role::Viewer, Some("320000")).await;
    let fewer = world.get(&elsewhere, "/api/v1/detectors").await.items();
    let sum = |of: &[serde_json::Value]| of.iter().filter_map(|it| it["inputs"].as_u64()).sum::<u64>();
    assert!(sum(&fewer) < sum(&detectors), "{fewer:?}");
}
