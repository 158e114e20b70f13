//! The pages of the metrics: which sites are listed for Prometheus, and what the page of one has.

use std::net::{IpAddr, SocketAddr};

use hyper::{Method, Request, StatusCode, header};
use onenet_topology::MacAddr;
use serde_json::{Value, json};

use crate::{access::Role, testing::World};

#[tokio::test]
async fn prometheus_is_told_of_the_sites_that_the_caller_may_read_and_where_they_stand() {
    let world = World::new().await;
    let all = world.token(Role::Viewer, None).await;
    let hebei = world.token(Role::Viewer, Some("130000")).await;
    let ask = async |token: &str| {
        let request = Request::builder().method(Method::GET).uri("/sd").header(header::HOST, "centre.example:8443");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        world.raw(request.body(axum::body::Body::empty()).unwrap()).await.json()
    };
    let listed = ask(&all).await;
    let of = |listed: &Value, code: &str| {
        let found = listed.as_array().unwrap().iter().find(|it| it["labels"]["instance"] == code);
        found.cloned()
    };
    let county = of(&listed, "130102").unwrap();
    assert_eq!(county["targets"], json!(["centre.example:8443"]));
    assert_eq!(county["labels"]["__metrics_path__"], "/metrics/site/130102");
    assert_eq!(county["labels"]["tier"], "county");
    assert!(["province", "city", "county"].iter().all(|label| county["labels"][label].is_string()), "{county}");
    assert!(of(&listed, "320102").is_some());
    let seen = ask(&hebei).await;
    assert!(of(&seen, "130102").is_some() && of(&seen, "320102").is_none(), "{seen}");
    let path = county["labels"]["__metrics_path__"].as_str().unwrap();
    assert_eq!(world.get(&hebei, path).await.status, StatusCode::OK);
    assert_eq!(world.get(&hebei, "/metrics/site/320102").await.status, StatusCode::NOT_FOUND);
    let auditor = world.token(Role::SecurityAdministrator, None).await;
    assert_eq!(world.get(&auditor, "/sd").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_page_of_a_site_has_its_trunks_with_the_time_at_which_they_were_read() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let (here, there) = (world.site("130102").to_string(), world.site("320102").to_string());
    let page = world.get(&token, "/metrics/site/130102").await.text;
    assert!(page.contains(&here) && !page.contains(&there), "{page}");
    let port = "interface=\"GigabitEthernet0/0/1\"";
    let line = |name: &str| page.lines().find(|line| line.starts_with(name) && line.contains(port)).unwrap().to_owned();
    assert!(line("onenet_interface_up{").ends_with(" 1"));
    assert!(line("onenet_interface_speed_bits_per_second{").ends_with(" 1000000000"));
    let minute_ago = crate::testing::NOW.plus_ms(-60_000).unix_ms();
    assert!(line("onenet_interface_receive_bytes_total{").ends_with(&format!(" 999 {minute_ago}")), "{page}");
    // What nobody read for long is not told as if it were so now.
    world.pass(20 * 60_000);
    let later = world.get(&token, "/metrics/site/130102").await.text;
    assert!(
        !later.contains("onenet_interface_receive_bytes_total") && later.contains("onenet_interface_up"),
        "{later}"
    );
}

#[tokio::test]
async fn the_centres_page_leaves_out_sites_when_told_to_and_is_packed_for_who_takes_it() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let whole = world.get(&token, "/metrics").await.text;
    let centre = world.get(&token, "/metrics?sites=false").await.text;
    assert!(whole.contains("onenet_site_info") && !centre.contains("onenet_site_info"));
    assert!(centre.contains("onenet_sites{") && centre.contains("onenet_build_info"));
    let request = Request::builder().method(Method::GET).uri("/metrics?sites=false");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = request.header(header::ACCEPT_ENCODING, "br;q=0.5, gzip");
    let packed = world.raw(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(packed.header(header::CONTENT_ENCODING), "gzip");
    assert!(packed.text.contains("onenet_sites{"), "{packed:?}");
}

#[tokio::test]
async fn endpoints_are_new_for_a_day_and_agents_are_counted_by_their_version() {
    let world = World::new().await;
    let token = world.token(Role::Viewer, None).await;
    let county = world.site("130102");
    let value = async |path: &str, series: &str| {
        let page = world.get(&token, path).await.text;
        page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse::<u32>().ok())
    };
    let (page, new) = ("/metrics/site/130102", format!("onenet_site_new_endpoints{{site=\"{county}\"}}"));
    let known = world.app.centre.estate().site(county).unwrap().visible_endpoints().count();
    assert_eq!(value(page, &new).await, u32::try_from(known).ok());
    world.pass(25 * 3_600_000);
    assert_eq!(value(page, &new).await, Some(0));
    let agents = u32::try_from(world.app.centre.estate().agents.len()).unwrap();
    let centre = world.get(&token, "/metrics?sites=false").await.text;
    let counts = centre.lines().filter(|line| line.starts_with("onenet_agents{"));
    let counts: Vec<u32> = counts.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u32>(), agents, "{centre}");
    assert!(centre.contains("onenet_agents{version=\"1.2.3\"}"), "{centre}");
}

#[tokio::test]
async fn nothing_is_labelled_by_mac_or_ip_on_any_page() {
    const POLLED_BY: &str = "192.0.2.77";
    let world = World::new().await;
    world.tell_of_a_nameless_device(POLLED_BY).await;
    let token = world.token(Role::Viewer, None).await;
    let county = world.get(&token, "/metrics/site/130102").await.text;
    let devices = county.lines().filter(|line| line.starts_with("onenet_device_info{"));
    let [named, nameless]: [&str; 2] = devices.collect::<Vec<_>>().try_into().unwrap();
    let label = |line: &str, name: &str| {
        let from = line.split_once(&format!(",{name}=\"")).or_else(|| line.split_once(&format!("{{{name}=\"")));
        from.unwrap().1.split('"').next().unwrap().to_owned()
    };
    assert_eq!(label(named, "name"), "SW1");
    assert_eq!(label(nameless, "name"), label(nameless, "device"), "{nameless}");
    let whole = world.get(&token, "/metrics").await.text;
    for line in [county, whole].iter().flat_map(|page| page.lines()).filter(|line| !line.starts_with('#')) {
        // What stands in labels is what stands between marks of quotation.
        for value in line.split('"').skip(1).step_by(2) {
            let is_mac = value.contains([':', '-', '.']) && value.parse::<MacAddr>().is_ok();
            assert!(!is_mac && value.parse::<IpAddr>().is_err() && value.parse::<SocketAddr>().is_err(), "{line}");
        }
        assert!(!line.contains(POLLED_BY), "{line}");
    }
}
