//! Incidents, timelines and maintenances through the API.

use hyper::Method as HttpMethod;
use onenet_topology::{
    Probe, ProbeKind, ProbeRole, ProbeState,
    fact::{Fact, FactBody, FactChange, Group, Method, Scope},
};
use onenet_wire::{Batch, Clocks, Content, GroupChanges, Lane, Position};
use serde_json::json;

use crate::{
    access::Role,
    record::{Body, Report},
    testing::{NOW, World},
};

impl World {
    /// The county of Hebei is cut: its city's probe fails, and its agent is lost.
    pub(crate) async fn with_a_cut() -> Self {
        Self::with_a_cut_of("130100", "130102").await
    }

    /// The way of a county to its city is cut.
    pub(crate) async fn with_a_cut_of(city: &str, county: &str) -> Self {
        let world = Self::new().await;
        let (code, city, county) = (county, world.site(city), world.agent_of(county));
        let teller = world.enrol(city).await;
        // Long enough that what it tells of is news.
        let before = NOW.plus_ms(-30_000);
        world.heard_since(teller, before, before).await;
        let probe = Probe {
            name: "changan".into(),
            target: "192.0.2.1".into(),
            kind: ProbeKind::Icmp,
            role: ProbeRole::Child,
            site: code.into(),
            state: ProbeState::Down,
            detail: "no answer".into(),
        };
        let fact = Fact { observed: NOW.plus_ms(-20_000), body: FactBody::Probe(Box::new(probe)) };
        let group = Group { method: Method::Probe, scope: Scope::new("") };
        let changes = vec![FactChange::Present(fact)];
        let content = Content::State(vec![GroupChanges { group, changes, complete: None }]);
        let clocks = Clocks { boot_id: [9; 16], boot_ms: 35_000, wall_ms: NOW.unix_ms() };
        let position = Position { lane: Lane::State, epoch: 7, sequence: 1 };
        let batch = std::sync::Arc::new(Batch { position, clocks, content });
        let intake = world.app.centre.intake();
        intake.submit(Body::Report(Report { agent: teller, site: city, batch })).await.unwrap();
        intake.submit(Body::Disconnected { agent: county }).await.unwrap();
        intake.submit(Body::Tick).await.unwrap();
        world
    }
}

#[tokio::test]
async fn an_incident_is_listed_with_what_follows_from_it_and_why_it_is_believed() {
    let world = World::with_a_cut().await;
    let viewer = world.token(Role::Viewer, None).await;
    let listed = world.get(&viewer, "/api/v1/incidents").await.items();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let incident = &listed[0];
    assert_eq!((&incident["kind"], &incident["state"]), (&json!("link_down"), &json!("open")));
    assert_eq!(incident["possible"], json!(["uplink_cut", "power_cut"]));
    assert_eq!(incident["subject"]["parent"], json!(world.site("130100").to_string()));
    let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
    let detail = world.get(&viewer, &path).await.json();
    assert_eq!(detail["sites"], json!([world.site("130102").to_string()]));
    let clues: Vec<_> = detail["evidence_for"].as_array().unwrap().iter().map(|it| it["clue"].clone()).collect();
    assert_eq!(clues, [json!("probe_fails"), json!("agent_lost")]);
    assert_eq!(detail["versions"].as_array().unwrap().len(), 1);

    for (query, count) in [
        ("?state=closed", 0),
        ("?state=all&kind=link_down&severity=general", 1),
        ("?kind=site_cut", 0),
        ("?site=130000", 1),
        ("?site=320000", 0),
        ("?planned=true", 0),
        ("?from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z", 0),
    ] {
        let found = world.get(&viewer, &format!("/api/v1/incidents{query}")).await.items();
        assert_eq!(found.len(), count, "{query}");
    }
    let wrong = world.get(&viewer, "/api/v1/incidents?kind=flood").await;
    assert!(wrong.text.contains("link_down"), "{}", wrong.text);
}

#[tokio::test]
async fn whoever_sees_a_site_out_of_reach_sees_why_and_nothing_of_what_is_above_it() {
    let world = World::with_a_cut().await;
    let county = world.token(Role::Viewer, Some("130102")).await;
    let listed = world.get(&county, "/api/v1/incidents").await.items();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["subject"]["parent"], json!(null), "the city is not his to see");
    let label = listed[0]["subject"]["label"].as_str().unwrap();
    assert!(label.contains("(130102)") && !label.contains("130100"), "{label}");
    let path = format!("/api/v1/incidents/{}", listed[0]["id"].as_str().unwrap());
    let detail = world.get(&county, &path).await;
    let city = world.site("130100");
    assert!(!detail.text.contains(&format!("\"{city}\"")), "{}", detail.text);
    // Of another province it does not exist.
    let elsewhere = world.token(Role::Viewer, Some("320000")).await;
    assert_eq!(world.get(&elsewhere, "/api/v1/incidents").await.items().len(), 0);
    assert_eq!(world.get(&elsewhere, &path).await.status, 404);
    assert_eq!(world.get(&elsewhere, "/api/v1/incidents/incident-7").await.status, 404);
}

#[tokio::test]
async fn a_site_s_timeline_has_incidents_events_and_changes_in_one_list() {
    let world = World::with_a_cut().await;
    let viewer = world.token(Role::Viewer, None).await;
    let moments = world.get(&viewer, "/api/v1/sites/130102/timeline").await.items();
    let whats: Vec<_> = moments.iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert!(whats.contains(&"incident_began"), "{moments:?}");
    let times: Vec<_> = moments.iter().map(|it| it["time"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    let wrong = world.get(&viewer, "/api/v1/sites/130102/timeline?from=2100-01-01T00:00:00Z").await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_maintenance_is_planned_and_ended_by_whoever_may_and_is_in_the_audit_trail() {
    let world = World::with_a_cut().await;
    let (viewer, operator) = (world.token(Role::Viewer, None).await, world.token(Role::Operator, Some("130000")).await);
    let body =
        json!({"site": "130102", "subtree": true, "end": NOW.plus_ms(3_600_000).to_string(), "reason": "new line"});
    assert_eq!(world.send(&viewer, HttpMethod::POST, "/api/v1/maintenances", Some(body.clone())).await.status, 403);
    let planned = world.send(&operator, HttpMethod::POST, "/api/v1/maintenances", Some(body.clone())).await;
    assert_eq!(planned.status, 200, "{}", planned.text);
    let id = planned.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(planned.json()["state"], json!("on"));
    world.app.centre.intake().submit(Body::Tick).await.unwrap();
    let incident = &world.get(&viewer, "/api/v1/incidents?planned=true").await.items()[0];
    assert_eq!(incident["maintenance"], json!(id));

    let elsewhere = json!({"site": "320102", "end": NOW.plus_ms(1_000).to_string(), "reason": "x"});
    assert_eq!(
        world.send(&operator, HttpMethod::POST, "/api/v1/maintenances", Some(elsewhere.clone())).await.status,
        404
    );
    let both = json!({"site": "130102", "subtree": true, "parent": "130100", "end": NOW.to_string(), "reason": "x"});
    assert_eq!(world.send(&operator, HttpMethod::POST, "/api/v1/maintenances", Some(both.clone())).await.status, 400);

    let ended = world.send(&operator, HttpMethod::DELETE, &format!("/api/v1/maintenances/{id}"), None).await;
    assert_eq!(ended.json()["state"], json!("over"));
    assert_eq!(world.get(&viewer, "/api/v1/maintenances").await.items().len(), 0);
    assert_eq!(world.get(&viewer, "/api/v1/maintenances?over=true").await.items().len(), 1);
    let auditor = world.token(Role::AuditAdministrator, None).await;
    let trail = world.get(&auditor, "/api/v1/audit").await.text;
    assert!(trail.contains("new line") && trail.contains(&format!("{id} ended")), "{trail}");
}
