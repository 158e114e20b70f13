//! Availability through the API: who may read it, and what it says.

use hyper::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    record::Body,
    testing::{NOW, World},
};

impl World {
    /// A county of Hebei that is cut for five minutes so far, and one of Jiangsu that is heard.
    async fn with_five_minutes_of_a_cut() -> Self {
        let world = Self::with_a_cut().await;
        let (teller, other) = (world.agent_of("130100"), world.agent_of("320102"));
        for _ in 0..10 {
            world.pass(30_000);
            for agent in [teller, other] {
                world.heard(agent).await;
            }
            world.app.centre.intake().submit(Body::Tick).await.unwrap();
        }
        world
    }
}

/// A number of an answer as it was written.
fn number(value: &Value, key: &str) -> Value {
    assert!(value[key].is_number(), "no {key}: {value}");
    value[key].clone()
}

#[tokio::test]
async fn a_report_tells_sites_layers_periods_parts_and_the_worst_first() {
    let world = World::with_five_minutes_of_a_cut().await;
    let viewer = world.token(Role::Viewer, None).await;
    let report = world.get(&viewer, "/api/v1/availability").await.json();
    assert_eq!((&report["from"], &report["to"]), (&json!("2027-01-01"), &json!("2027-01-15")), "this month");
    let layers = report["layers"].as_array().unwrap();
    let layer = layers.iter().find(|it| it["layer"] == "city_county").unwrap_or_else(|| panic!("{layers:?}"));
    assert_eq!((&layer["count"], number(layer, "down_seconds")), (&json!(2), json!(300.0)), "{layer}");
    assert_eq!(number(layer, "up_seconds"), json!(300.0), "{layer}");
    assert_eq!(number(layer, "availability_ratio"), json!(0.5));
    assert_eq!(report["worst"][0]["site"], world.site("130102").to_string());
    assert_eq!(report["periods"].as_array().unwrap().len(), 1);
    assert_eq!(report["periods"][0]["period"], "2027-01-15");
    let hebei = report["parts"].as_array().unwrap().iter().find(|it| it["code"] == "130000").unwrap().clone();
    assert_eq!(number(&hebei["sites"], "down_seconds"), json!(300.0), "{hebei}");
    let months = world.get(&viewer, "/api/v1/availability?by=month&site=130000&layer=city_county").await.json();
    assert_eq!(months["periods"][0]["period"], "2027-01");
    assert_eq!(number(&months["layers"][0], "down_seconds"), json!(300.0));
    assert_eq!(months["layers"].as_array().unwrap().len(), 1);
    let area = json!({"kind": "region", "name": {"zh": "华东"}, "members": {"subtrees": ["320000"]}});
    let administrator = world.token(Role::SystemAdministrator, None).await;
    let area = world.send(&administrator, Method::POST, "/api/v1/areas", Some(area)).await.json();
    let path = format!("/api/v1/availability?area={}", area["id"].as_str().unwrap());
    let east = world.get(&viewer, &path).await.json();
    assert_eq!(number(&east["sites"], "down_seconds"), json!(0.0), "{east}");
    assert!(number(&east["sites"], "unknown_seconds").as_f64() > Some(0.0), "nobody was heard at the province: {east}");
}

#[tokio::test]
async fn a_site_tells_its_own_days_and_those_of_its_ways_and_the_table_has_a_row_of_each() {
    let world = World::with_five_minutes_of_a_cut().await;
    let viewer = world.token(Role::Viewer, None).await;
    let county = world.get(&viewer, "/api/v1/sites/130102/availability").await.json();
    assert_eq!(
        (number(&county, "down_seconds"), number(&county, "availability_ratio")),
        (json!(300.0), json!(0.0)),
        "{county}"
    );
    assert_eq!(county["ways"][0]["parent"], world.site("130100").to_string());
    assert_eq!(number(&county["ways"][0]["periods"][0], "down_seconds"), json!(300.0));
    assert_eq!(county["ways"][0]["loss_ratio"], Value::Null, "what was not measured is no zero");
    let table = world.get(&viewer, "/api/v1/availability.csv?site=130102").await;
    assert!(table.header(header::CONTENT_TYPE).starts_with("text/csv"));
    let rows: Vec<&str> = table.text.lines().collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows[2].contains(",city_county,0,0,0,0,300,0,0,,,,,,"), "{rows:?}");
}

#[tokio::test]
async fn the_monthly_report_has_availability_and_incidents_beside_those_of_the_month_before() {
    let world = World::with_five_minutes_of_a_cut().await;
    let viewer = world.token(Role::Viewer, None).await;
    let report = world.get(&viewer, "/api/v1/reports/monthly").await.json();
    let (this, before) = (&report["month_figures"], &report["month_figures_before"]);
    let layers = this["layers"].as_array().unwrap();
    let layer = layers.iter().find(|it| it["layer"] == "city_county").unwrap();
    assert_eq!(number(layer, "down_seconds"), json!(300.0));
    assert_eq!(this["incidents"]["number"], 1, "{this}");
    // It began twenty seconds before anybody watched.
    assert_eq!(number(&this["incidents"], "lost_seconds"), json!(320.0));
    assert_eq!(number(this, "incident_longest_seconds"), json!(320.0));
    assert_eq!(this["incidents_by_kind"][0]["kind"], "link_down");
    assert_eq!((&before["incidents"]["number"], &before["sites"]["count"]), (&json!(0), &json!(0)));
    let jiangsu = world.token(Role::Viewer, Some("320000")).await;
    let report = world.get(&jiangsu, "/api/v1/reports/monthly").await.json();
    assert_eq!(report["month_figures"]["incidents"]["number"], 0);
}

#[tokio::test]
async fn whoever_may_not_read_the_inventory_reads_no_figures_and_a_hidden_site_looks_like_none() {
    let world = World::with_five_minutes_of_a_cut().await;
    for role in Role::ALL {
        let token = world.token(role, None).await;
        let may = !matches!(role, Role::SecurityAdministrator | Role::AuditAdministrator);
        let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
        for path in ["", ".csv"].map(|end| format!("/api/v1/availability{end}")) {
            assert_eq!(world.get(&token, &path).await.status, expected, "{role} {path}");
        }
        assert_eq!(world.get(&token, "/api/v1/sites/130102/availability").await.status, expected, "{role}");
    }
    let jiangsu = world.token(Role::Viewer, Some("320000")).await;
    let hidden = world.get(&jiangsu, "/api/v1/sites/130102/availability").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(hidden.text, world.get(&jiangsu, "/api/v1/sites/999999/availability").await.text);
    let report = world.get(&jiangsu, "/api/v1/availability").await;
    assert!(!report.text.contains(&world.site("130102").to_string()), "{}", report.text);
    assert_eq!(number(&report.json()["sites"], "down_seconds"), json!(0.0));
    let own = world.get(&jiangsu, "/api/v1/sites/320000/availability").await.json();
    assert_eq!(own["ways"][0]["parent"], Value::Null, "the ministry may not be seen: {own}");
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_to_write() {
    let world = World::bare().await;
    let viewer = world.token(Role::Viewer, None).await;
    for (query, parameter) in [
        ("by=week", "by"),
        ("layer=top", "layer"),
        ("from=yesterday", "from"),
        ("from=2027-01-14&to=2027-01-13", "from"),
        ("from=2020-01-01", "from"),
        ("site=1", "site"),
    ] {
        let answer = world.get(&viewer, &format!("/api/v1/availability?{query}")).await;
        let found = (answer.status, answer.json()["parameter"].clone());
        assert_eq!(found, (StatusCode::BAD_REQUEST, json!(parameter)), "{query}: {answer:?}");
    }
    let nothing = world.get(&viewer, "/api/v1/availability").await.json();
    assert_eq!(nothing["sites"]["availability_ratio"], Value::Null, "nothing known is not all well");
    assert_eq!(NOW.to_string(), "2027-01-15T08:00:00.000Z");
}
