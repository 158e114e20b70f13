//! What is on the network, as the API says it.

use hyper::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    access::Role,
    testing::{World, mac},
};

#[tokio::test]
async fn an_endpoint_is_found_by_any_part_and_shown_with_its_evidence() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    for query in ["00-1B-21-01-00-01", "001b.2101.0001", "192.168.1.50", "pc-1", "intel"] {
        let found = world.get(&token, &format!("/api/v1/endpoints?q={query}")).await.items();
        assert!(found.iter().any(|it| it["mac"] == mac(1, 1).to_string()), "{query}: {found:?}");
    }
    let found = world.get(&token, &format!("/api/v1/endpoints?q={}", mac(1, 1))).await.items();
    assert_eq!(found.len(), 1);
    let endpoint = &found[0];
    assert_eq!(endpoint["site"], world.site("130102").to_string());
    assert_eq!(endpoint["ips"], json!(["192.168.1.50"]));
    assert_eq!(endpoint["hostname"], "PC-1<b>");
    assert_eq!(endpoint["vendor"], "Intel");
    assert_eq!(endpoint["present"], true);
    assert_eq!(endpoint["demo"], false);
    let detail = world.get(&token, &format!("/api/v1/endpoints/{}", endpoint["id"].as_str().unwrap())).await.json();
    let methods: Vec<&str> =
        detail["evidence"].as_array().unwrap().iter().map(|it| it["method"].as_str().unwrap()).collect();
    assert!(methods.contains(&"snmp_forwarding") && methods.contains(&"passive_frames"), "{methods:?}");
    assert_eq!(detail["bindings"][0]["evidence"][0]["method"], "passive_arp");
    assert_eq!(detail["vendor_class"], "MSFT 5.0");
}

#[tokio::test]
async fn pages_hold_each_endpoint_once() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let mut macs = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&token, &format!("/api/v1/endpoints?limit=2{cursor}")).await.json();
        assert!(page["items"].as_array().unwrap().len() <= 2);
        macs.extend(page["items"].as_array().unwrap().iter().map(|it| it["mac"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    macs.sort();
    let mut expected: Vec<_> = (1..=2).flat_map(|at| (1..=3).map(move |last| mac(at, last).to_string())).collect();
    expected.sort();
    assert_eq!(macs, expected);
}

#[tokio::test]
async fn a_site_counts_what_it_has_and_the_tree_sums_it_up() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let county = world.get(&token, "/api/v1/sites/130102").await.json();
    let counts = &county["counts"];
    assert_eq!(
        (&counts["agents_connected"], &counts["devices_up"], &counts["endpoints_present"]),
        (&json!(1), &json!(1), &json!(3)),
        "{county}"
    );
    assert_eq!((&counts["conditions"], &counts["findings"]), (&json!(1), &json!(1)), "{county}");
    let tree = world.get(&token, "/api/v1/sites/tree").await.items();
    assert_eq!(tree[0]["counts_below"]["endpoints_present"], 6);
    assert_eq!(tree[0]["counts"]["endpoints_present"], 0);
    let names: Vec<Value> =
        world.get(&token, "/api/v1/sites?q=shijia").await.items().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(names, ["130100"]);
}

#[tokio::test]
async fn an_interface_gives_its_samples_in_order_within_a_period() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let device = world.get(&token, "/api/v1/devices?site=130102").await.items()[0].clone();
    assert_eq!((&device["name"], &device["state"]), (&json!("SW1"), &json!("up")));
    let path = format!("/api/v1/devices/{}/interfaces", device["id"].as_str().unwrap());
    let interface = world.get(&token, &path).await.items()[0].clone();
    assert_eq!(interface["name"], "GigabitEthernet0/0/1");
    let samples = format!("/api/v1/interfaces/{}/samples", interface["id"].as_str().unwrap());
    let octets = async |query: &str| -> (Vec<u64>, Value) {
        let page = world.get(&token, &format!("{samples}{query}")).await.json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        (items.iter().map(|it| it["in_octets"].as_u64().unwrap()).collect(), page["next"].clone())
    };
    assert_eq!(octets("").await.0, [997, 998, 999]);
    let (first, next) = octets("?limit=2").await;
    assert_eq!(first, [997, 998]);
    assert_eq!(octets(&format!("?limit=2&cursor={}", next.as_str().unwrap())).await, (vec![999], Value::Null));
    let problem = world.get(&token, &format!("{samples}?from=2030-01-01T00:00:00Z&to=2020-01-01T00:00:00Z")).await;
    assert_eq!((problem.status, &problem.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("from")));
}

#[tokio::test]
async fn an_endpoint_gives_its_own_traffic() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let endpoint = world.get(&token, "/api/v1/endpoints?site=130102&q=PC-").await.items()[0].clone();
    let path = format!("/api/v1/endpoints/{}/traffic", endpoint["id"].as_str().unwrap());
    let traffic = world.get(&token, &path).await.items();
    assert_eq!(traffic.len(), 2, "{traffic:?}");
    let numbers =
        ["interval_ms", "frames_out", "bytes_out", "frames_in", "bytes_in"].map(|name| traffic[0][name].clone());
    assert_eq!(numbers, [60_000, 10, 1_000, 5, 400].map(Value::from));
    assert_eq!(world.get(&token, &format!("{path}?from=2030-01-01T00:00:00Z")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get(&token, &format!("{path}?cursor=x")).await.json()["parameter"], "cursor");
}

#[tokio::test]
async fn samples_of_one_moment_are_neither_lost_nor_repeated_at_the_edge_of_a_page() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let endpoint = world.get(&token, "/api/v1/endpoints?site=130102&q=PC-").await.items()[0].clone();
    let path = format!("/api/v1/endpoints/{}/traffic?limit=1", endpoint["id"].as_str().unwrap());
    let first = world.get(&token, &path).await.json();
    let cursor = crate::api::encode(first["next"].as_str().unwrap());
    let second = world.get(&token, &format!("{path}&cursor={cursor}")).await.json();
    let scopes = [&first, &second].map(|page| (page["items"][0]["time"].clone(), page["items"][0]["scope"].clone()));
    assert_eq!(scopes[0].0, scopes[1].0);
    assert_eq!([&scopes[0].1, &scopes[1].1], ["eth1", "eth2"]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_device_tells_what_it_is_and_what_it_measures() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let device = world.get(&token, "/api/v1/devices?site=130102").await.items()[0].clone();
    let told = ["vendor", "model", "os", "version", "serial", "role"].map(|name| device[name].clone());
    assert_eq!(told, ["Huawei", "S5720-28X", "VRP", "5.170", "SN1", "switch"].map(Value::from));
    let path = format!("/api/v1/devices/{}", device["id"].as_str().unwrap());
    let told = world.get(&token, &path).await.json();
    assert_eq!(told["id"], device["id"]);
    let [own, vlan, quirk] = ["own_addresses", "vlans", "quirks"].map(|part| &told[part][0]);
    assert_eq!((own["interface"].as_str(), vlan["name"].as_str()), (Some("Vlanif10"), Some("office")));
    let hop = &told["next_hops"][0];
    assert_eq!((&hop["default_route"], &hop["interface"]), (&json!(true), &json!("Vlanif10")), "{told}");
    assert_eq!(told["spanning_tree"]["root_priority"], 4_096);
    assert_eq!(told["accounts"][0]["id"], told["id"]);
    assert!(own["prefix"].as_str().is_some_and(|prefix| prefix.ends_with(".0/24")), "{own}");
    assert_eq!((quirk["quirk"].as_str(), quirk["count"].as_u64()), (Some("bridge_port_unknown"), Some(213)));
    let port = world.get(&token, &format!("{path}/interfaces")).await.items().remove(0);
    assert_eq!(
        (&port["native_vlan"], &port["untagged_vlans"], &port["tagged_vlans"]),
        (&10.into(), &"10".into(), &"20-30".into())
    );
    let endpoints = world.get(&token, "/api/v1/endpoints?site=130102&limit=1000").await.items();
    for port in world.get(&token, &format!("{path}/interfaces")).await.items() {
        let plugged = endpoints.iter().filter(|it| it["attachment"]["interface"] == port["id"]).count();
        assert_eq!(port["endpoints"], plugged, "{port}");
    }
    let path = format!("/api/v1/devices/{}/sensors", device["id"].as_str().unwrap());
    let sensors = world.get(&token, &path).await.items();
    let of_board: Vec<_> = sensors.iter().filter(|it| it["name"] == "board 0/1").collect();
    let shown: Vec<_> = of_board.iter().map(|it| (&it["kind"], &it["name"], &it["state"], &it["value"])).collect();
    let (board, null) = (json!("board 0/1"), Value::Null);
    assert_eq!(
        shown,
        [(&json!("temperature"), &board, &null, &json!(42.5)), (&json!("fan"), &board, &json!("critical"), &null)]
    );
    assert_eq!(of_board[0]["unit"], "°C");
    let samples = world.get(&token, &format!("{path}/temperature/board%200%2F1/samples")).await.items();
    assert_eq!(samples.iter().map(|it| it["value"].clone()).collect::<Vec<_>>(), [41.0, 42.5].map(Value::from));
    assert_eq!(world.get(&token, &format!("{path}/fan/board%200%2F1/samples")).await.items(), Vec::<Value>::new());
    assert_eq!(world.get(&token, &format!("{path}/taste/x/samples")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_wrong_parameter_is_named_with_what_to_write() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    for (path, parameter) in [
        ("/api/v1/endpoints?limit=0", "limit"),
        ("/api/v1/endpoints?limit=1001", "limit"),
        ("/api/v1/endpoints?present=yes", "present"),
        ("/api/v1/endpoints?cursor=x", "cursor"),
        ("/api/v1/endpoints?site=nowhere", "site"),
        ("/api/v1/endpoints?mac=1", "mac"),
        ("/api/v1/devices?cursor=endpoint-1", "cursor"),
        ("/api/v1/sites/tree?depth=1", "depth"),
        ("/metrics?name=x", "name"),
    ] {
        let answer = world.get(&token, path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {answer:?}");
        assert_eq!(answer.json()["parameter"], parameter, "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().len() > 10, "{path}");
    }
    let long = format!("/api/v1/endpoints?q={}", "x".repeat(101));
    assert_eq!(world.get(&token, &long).await.json()["parameter"], "q");
}

#[tokio::test]
async fn sites_are_imported_by_the_system_administrator_and_nobody_else() {
    let world = World::bare().await;
    let import = async |role: Role, body: &str| {
        let token = world.token(role, None).await;
        let request = Request::builder().method(Method::POST).uri("/api/v1/sites/import");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        world.raw(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await
    };
    let file = "code,name,tier,parent\n440000,广东省,province,000000\n";
    assert_eq!(import(Role::Operator, file).await.status, StatusCode::FORBIDDEN);
    let done = import(Role::SystemAdministrator, file).await;
    assert_eq!(done.json(), json!({"sites": 8, "added": 1}), "{done:?}");
}

#[tokio::test]
async fn a_file_that_is_wrong_is_answered_line_by_line_and_none_may_pose_as_simulated() {
    let world = World::bare().await;
    let token = world.token(Role::SystemAdministrator, None).await;
    for (file, words) in [
        (
            "code,name,tier,parent\n440000,,province,000000\n450000,x,castle,000000\n",
            vec!["line 2", "line 3", "castle"],
        ),
        ("code,name,tier,parent\ndemo-44,x,province,000000\n", vec!["line 2", "demo-"]),
        ("", vec!["line 1"]),
    ] {
        let request = Request::builder().method(Method::POST).uri("/api/v1/sites/import");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = world.raw(request.body(axum::body::Body::from(file)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(words.iter().all(|word| answer.text.contains(word)), "{words:?}: {}", answer.text);
    }
    assert_eq!(world.app.centre.estate().tree.len(), 7);
}

#[tokio::test]
async fn an_enrolment_token_is_issued_where_the_role_reaches() {
    let world = World::bare().await;
    let token = world.token(Role::Operator, Some("130000")).await;
    let issue = async |site: &str| {
        world.send(&token, Method::POST, &format!("/api/v1/sites/{site}/enrolment-tokens?hours=2"), None).await
    };
    let issued = issue("130102").await;
    assert_eq!(issued.status, StatusCode::OK, "{issued:?}");
    assert!(issued.json()["token"].as_str().unwrap().starts_with("onenet1-"), "{issued:?}");
    assert_eq!(issue("320102").await.status, StatusCode::NOT_FOUND);
    let viewer = world.token(Role::Viewer, None).await;
    let path = "/api/v1/sites/130102/enrolment-tokens";
    assert_eq!(world.send(&viewer, Method::POST, path, None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_ruling_of_devices_takes_a_right_names_what_is_wrong_and_is_in_the_trail() {
    let world = World::new().await;
    let (viewer, operator) = (world.token(Role::Viewer, None).await, world.token(Role::Operator, None).await);
    let device = world.get(&viewer, "/api/v1/devices?site=130102").await.items()[0]["id"].clone();
    let path = format!("/api/v1/devices/{}/rulings", device.as_str().unwrap());
    let body = |other: &Value, verdict: &str| json!({"other": other, "verdict": verdict, "reason": "seen"});
    let other = world.get(&viewer, "/api/v1/devices?site=320102").await.items()[0]["id"].clone();
    assert_eq!(
        world.send(&viewer, Method::POST, &path, Some(body(&other, "same"))).await.status,
        StatusCode::FORBIDDEN
    );
    for (body, parameter) in
        [(body(&other, "same"), "other"), (body(&device, "same"), "other"), (body(&other, "one"), "verdict")]
    {
        let answer = world.send(&operator, Method::POST, &path, Some(body)).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!(parameter)));
    }
}
