//! The main job: a host is plugged in, and the centre knows what it is and where.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        netns::Lab,
        product::{Agent, COUNTY, Centre},
        prometheus::{Prometheus, Target},
        site::{self, Host, Site},
        snmpd,
        vendor::Vendor,
    },
    report,
};
use onenet_topology::MacAddr;
use serde_json::Value;

const KNOWN_WITHIN: Duration = Duration::from_secs(10);
const ATTACHED_WITHIN: Duration = Duration::from_secs(30);
const SETTLED_WITHIN: Duration = Duration::from_secs(90);

/// What the agent of the standard site is told: one switch by v2c, the other by v3.
fn watches() -> String {
    format!(
        "[capture]\ninterfaces = [\"cap0\"]\ntraffic_interval_s = 10\nlocal_prefixes = [\"10.77.0.0/24\", \"fd00:77::/64\"]\n\
         [[devices]]\nname = \"{}\"\naddress = \"{}\"\ncommunity = \"{}\"\n\
         [[devices]]\nname = \"{}\"\naddress = \"{}\"\n\
         v3 = {{ user = \"{}\", auth = \"SHA\", auth_key = \"{}\", privacy = \"AES\", privacy_key = \"{}\" }}\n",
        site::CORE_NAME,
        site::CORE_IP,
        snmpd::COMMUNITY,
        site::ACCESS_NAME,
        site::ACCESS_IP,
        snmpd::V3_USER,
        snmpd::V3_AUTH,
        snmpd::V3_PRIV,
    )
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn is_fully_known(endpoint: &Value, host: &Host, hostname: &str, vendor: Vendor) -> bool {
    let has_ip = endpoint["ips"].as_array().is_some_and(|ips| ips.iter().any(|ip| *ip == host.dhcp.ip.as_str()));
    let has_vendor = text(endpoint, "vendor").to_lowercase().contains(vendor.word());
    has_ip && has_vendor && text(endpoint, "hostname") == hostname
}

fn is_attached_to(endpoint: &Value, device: &str, interface: &str) -> bool {
    let attachment = &endpoint["attachment"];
    text(attachment, "device_name") == device && text(attachment, "interface_name") == interface
}

fn device_states(centre: &Centre) -> Result<Vec<(String, String)>> {
    let devices = centre.list("/api/v1/devices")?;
    let mut states: Vec<_> =
        devices.iter().map(|one| (text(one, "name").to_owned(), text(one, "state").to_owned())).collect();
    states.sort();
    Ok(states)
}

/// Returns what a device measures of itself and has measured of late, by kind.
fn measured_kinds(centre: &Centre, name: &str) -> Result<Vec<String>> {
    let devices = centre.list("/api/v1/devices")?;
    let device = devices.iter().find(|device| text(device, "name") == name).context("no such device")?;
    let sensors = centre.list(&format!("/api/v1/devices/{}/sensors", text(device, "id")))?;
    Ok(sensors.iter().filter(|it| it["value"].is_number()).map(|it| text(it, "kind").to_owned()).collect())
}

/// Plugs a host in and holds the product to its two deadlines, counted from the moment of plugging in.
fn plug_in_and_expect(site: &Site<'_>, centre: &Centre, port: &str, hostname: &str, vendor: Vendor) -> Result<Host> {
    let mac: MacAddr = vendor.mac(0x0a00 + u16::try_from(port.len())?);
    let plugged = clock::now();
    let host = site.plug_in(port, hostname, mac)?;
    let left = |all: Duration| all.saturating_sub(plugged.elapsed());
    centre.endpoint_becomes(mac, "is known with IP, vendor and hostname", left(KNOWN_WITHIN), |found| {
        is_fully_known(found, &host, hostname, vendor)
    })?;
    let known = plugged.elapsed();
    let what = format!("is attached to {} {port}", site::ACCESS_NAME);
    centre
        .endpoint_becomes(mac, &what, left(ATTACHED_WITHIN), |found| is_attached_to(found, site::ACCESS_NAME, port))?;
    report::note(format_args!("{hostname}: known after {known:?}, attached after {:?}", plugged.elapsed()));
    Ok(host)
}

#[test]
#[ignore = "needs root, snmpd, lldpd, dnsmasq, dhclient and prometheus"]
fn a_host_plugged_in_is_known_within_10_seconds_and_attached_within_30() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::start(&lab)?;
    let centre = Centre::start(&site.centre, site::CENTRE_IP)?;
    let mut agent = Agent::configure(&site.collector, site::CENTRE_IP, &watches())?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;

    let up = |name: &str| (name.to_owned(), "up".to_owned());
    let wanted = vec![up(site::ACCESS_NAME), up(site::CORE_NAME)];
    let states = || device_states(&centre);
    clock::until("both switches answer", SETTLED_WITHIN, states, |states| *states == wanted)?;

    // The switches are this machine's snmpd: its memory is read by HOST-RESOURCES-MIB or UCD-SNMP-MIB.
    for name in [site::CORE_NAME, site::ACCESS_NAME] {
        let kinds = || measured_kinds(&centre, name);
        let known = |kinds: &Vec<String>| kinds.iter().any(|it| it == "memory_used");
        clock::until(&format!("{name} tells how much of its memory is used"), SETTLED_WITHIN, kinds, known)?;
    }

    let desk = plug_in_and_expect(&site, &centre, "ge5", "front-desk", Vendor::Dell)?;
    let camera = plug_in_and_expect(&site, &centre, "ge12", "gate-camera", Vendor::Hikvision)?;

    // IPv6 autoconfiguration is heard too: the address that the kernel formed is among the endpoint's once it is used.
    let v6 = || desk.node.addresses("eth0", 6);
    let v6 = clock::until("the host formed an IPv6 address", KNOWN_WITHIN, v6, |list| !list.is_empty())?;
    desk.node.run("ping", ["-c1", "-W2", site::GATEWAY_IPV6])?;
    centre.endpoint_becomes(desk.mac, "has its IPv6 address", KNOWN_WITHIN, |found| {
        found["ips"].as_array().is_some_and(|ips| ips.iter().any(|ip| *ip == v6[0].as_str()))
    })?;

    // What it sent is counted on the mirror, by its address, for it alone.
    let id = centre.endpoint(desk.mac)?.context("the endpoint is gone")?["id"].as_str().context("no id")?.to_owned();
    let sent = || {
        let samples = centre.list(&format!("/api/v1/endpoints/{id}/traffic"))?;
        Ok(samples.iter().filter_map(|sample| sample["frames_out"].as_u64()).sum::<u64>())
    };
    clock::until("the host's frames are counted", SETTLED_WITHIN, sent, |frames| *frames > 0)?;

    // The joint between the switches is a link, told by LLDP from both sides.
    let ends = |link: &Value, end: &str| (text(&link[end], "system").to_owned(), text(&link[end], "port").to_owned());
    let joint = |link: &Value| {
        let mut both = [ends(link, "a"), ends(link, "b")];
        both.sort();
        both == [(site::ACCESS_NAME, "ge24"), (site::CORE_NAME, "ge24")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    let links = || centre.list("/api/v1/links");
    clock::until("the link between the switches", SETTLED_WITHIN, links, |links| links.iter().any(joint))?;

    // Search by any part of MAC, IP, hostname and vendor finds the camera, and only it.
    for part in [&camera.mac.to_string()[9..], &camera.dhcp.ip, "ate-cam", "hikvis"] {
        let found = centre.list(&format!("/api/v1/endpoints?q={part}"))?;
        ensure!(found.len() == 1 && text(&found[0], "hostname") == "gate-camera", "search for {part:?}: {found:?}");
    }

    let token = centre.token("prometheus", "viewer", None)?;
    let address = format!("127.0.0.1:{}", onenet_tests::lab::product::API_PORT);
    let target = Target { address: &address, path: "/metrics", token: Some(&token) };
    let prometheus = Prometheus::start(&site.centre, target)?;
    let scraped = || prometheus.query("up{job=\"onenet\"}");
    clock::until("Prometheus scrapes the centre", SETTLED_WITHIN, scraped, |found| matches!(found[..], [(_, 1.0)]))?;
    let known = || prometheus.query("sum(onenet_site_endpoints)");
    clock::until(
        "Prometheus counts the endpoints",
        SETTLED_WITHIN,
        known,
        |found| matches!(found[..], [(_, count)] if count >= 2.0),
    )?;
    Ok(())
}
