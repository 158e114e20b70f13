//! Contracts: the OpenAPI document and the metrics, held still by golden files.
//!
//! `ONENET_BLESS=1 cargo test -p onenetd` writes the files anew; what changes then shows in the difference.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};

use hyper::{Method, StatusCode, header};
use serde_json::json;

use crate::{access::Role, api, metrics::names, remote_write::Told, testing::World};

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("ONENET_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{name} is not what the code says: ONENET_BLESS=1 cargo test -p onenetd rewrites it");
}

#[test]
fn the_openapi_document_is_the_golden_one() {
    golden("openapi.json", &(api::document().to_pretty_json().unwrap() + "\n"));
}

#[test]
fn the_metrics_contract_is_the_golden_one() {
    golden("METRICS.md", &names::document());
}

#[tokio::test]
async fn the_document_and_health_are_open_to_everybody() {
    let world = World::bare().await;
    let document = world.get("", "/api/v1/openapi.json").await;
    assert!(document.json()["paths"]["/api/v1/endpoints"]["get"].is_object());
    assert_eq!(world.get("", "/healthz").await.text, "ok\n");
    assert_eq!(world.get("", "/readyz").await.status, StatusCode::OK);
}

#[test]
fn every_route_is_documented_with_an_answer_and_a_problem() {
    let document = serde_json::to_value(api::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = &operation["responses"];
            assert!(responses["200"]["content"].is_object(), "{method} {path} has no answer");
            assert!(responses["4XX"].is_object(), "{method} {path} has no problem");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_scrape_holds_what_the_contract_names_and_nothing_else() {
    let mut world = World::with_a_cut_of("320100", "320102").await;
    let administrator = world.token(Role::SystemAdministrator, None).await;
    let area = json!({"kind": "region", "name": {"zh": "华东"}, "members": {"subtrees": ["320000"]}});
    assert_eq!(world.send(&administrator, Method::POST, "/api/v1/areas", Some(area)).await.status, StatusCode::OK);
    let reviewer = world.token(Role::SecurityReviewer, None).await;
    let incident = world.get(&reviewer, "/api/v1/incidents").await.items()[0]["id"].clone();
    let case = world.send(&reviewer, Method::POST, "/api/v1/cases", Some(json!({ "incident": incident }))).await;
    let path = format!("/api/v1/cases/{}/actions", case.json()["id"].as_str().unwrap());
    let taken = world.send(&reviewer, Method::POST, &path, Some(json!({ "action": "acknowledge" }))).await;
    assert_eq!(taken.status, StatusCode::OK);
    // Of ways up more is told than of gateways.
    world.tell_of_a_way_up().await;
    let token = world.token(Role::Viewer, None).await;
    // Some time has to pass for it to be told how it was spent.
    world.pass(1_000);
    let scrape = world.get(&token, "/metrics").await;
    assert!(scrape.header(header::CONTENT_TYPE).starts_with("text/plain; version=0.0.4"), "{scrape:?}");
    let site = world.get(&token, "/metrics/site/130102").await;
    let told = Told { queue: world.app.centre.queue().unwrap(), counters: Arc::default() };
    world.tells_remote_write(told);
    let centre = world.get(&token, "/metrics?sites=false").await;
    let lines = scrape.text.lines().chain(site.text.lines()).chain(centre.text.lines());
    let names_found: BTreeSet<&str> =
        lines.clone().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let contract: BTreeSet<&str> = names::ALL.iter().map(|metric| metric.name).collect();
    assert!(names_found.is_subset(&contract), "{:?}", names_found.difference(&contract));
    // What has something to say in this world says it.
    let missing: Vec<_> = contract.difference(&names_found).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for metric in names::ALL {
        let head = format!("# HELP {} {}", metric.name, metric.help);
        assert!(lines.clone().any(|line| line == head), "{head}");
        for line in lines.clone().filter(|line| line.starts_with(&format!("{}{{", metric.name))) {
            let labels = line.split(['{', '}']).nth(1).unwrap();
            let found: BTreeSet<_> = labels.split("\",").map(|pair| pair.split('=').next().unwrap()).collect();
            assert_eq!(found, metric.labels.iter().copied().collect(), "{line}");
        }
    }
    let county = world.site("130102");
    let switch = *world.app.centre.estate().site(county).unwrap().devices.keys().next().unwrap();
    let agent = world.app.centre.estate().agents_of(county).next().unwrap().id;
    for line in [
        format!("onenet_site_endpoints{{site=\"{county}\",state=\"present\"}} 3"),
        format!("onenet_site_devices{{site=\"{county}\",state=\"up\"}} 1"),
        format!("onenet_site_agents{{site=\"{county}\",state=\"connected\"}} 1"),
        format!("onenet_device_sensors{{site=\"{county}\",device=\"{switch}\",state=\"critical\"}} 1"),
        format!("onenet_device_sensors{{site=\"{county}\",device=\"{switch}\",state=\"unjudged\"}} 13"),
        format!(
            "onenet_capture_frames_lost_total{{site=\"{county}\",agent=\"{agent}\",capture_interface=\"eth1\",reason=\"kernel\"}} 20"
        ),
        format!(
            "onenet_capture_payload_bytes_total{{site=\"{county}\",agent=\"{agent}\",capture_interface=\"eth1\",state=\"missed\"}} 100000"
        ),
        // The board's last value, not its first; the weaker of two lights; the sum of two groups.
        format!("onenet_device_temperature_max_celsius{{site=\"{county}\",device=\"{switch}\"}} 42.5"),
        format!("onenet_device_optical_receive_min_dbm{{site=\"{county}\",device=\"{switch}\"}} -5.243"),
        format!("onenet_device_poe_power_watts{{site=\"{county}\",device=\"{switch}\"}} 40"),
        format!("onenet_device_cpu_load_max_ratio{{site=\"{county}\",device=\"{switch}\"}} 0.12"),
        format!("onenet_device_battery_run_time_min_seconds{{site=\"{county}\",device=\"{switch}\"}} 3600"),
        "onenet_vendor_endpoints{vendor=\"Intel\"} 6".to_owned(),
    ] {
        // What was measured has its time behind it.
        let is = |found: &str| {
            found.strip_prefix(line.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        assert!(lines.clone().any(is), "{line} is missing in\n{}", scrape.text);
    }
}

#[tokio::test]
async fn a_path_asked_with_the_wrong_method_says_so() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let answer = world.send(&token, Method::DELETE, "/api/v1/sites", None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["type"], "urn:onenet:wrong-method");
}
