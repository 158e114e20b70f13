//! What hides behind a port: two machines behind a router that translates their addresses, two behind one address that no hop tells of, and
//! three behind a hub. The site's agent hears it, and the centre tells it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        frames::{CLOCKS_MAC, Frames},
        netns::{Lab, Node},
        process::{Process, START_WITHIN},
        product::{Agent, COUNTY, Centre},
        site::{self, Site},
        snmpd,
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use onenet_topology::MacAddr;
use serde_json::Value;

const SERVER_IP: &str = "10.77.0.10";
const ROUTER_IP: &str = "10.77.0.30";
const PLAIN_IP: &str = "10.77.0.40";
const SETTLES_WITHIN: Duration = Duration::from_secs(90);
/// From what was concluded on, it is no guess.
const SURE: f64 = 0.5;
/// Ports of the access switch.
const ROUTER_PORT: &str = "ge5";
const PLAIN_PORT: &str = "ge6";
const HUB_PORT: &str = "ge7";
/// Openings of two clocks.
const CLOCKS: u32 = 20;
/// Machines behind the hub.
const BEHIND_HUB: u16 = 3;

fn mac(number: u16) -> MacAddr {
    Vendor::Dell.mac(number)
}

/// The agent listens to the mirror, and polls the access switch.
fn watches() -> String {
    format!(
        "[capture]\ninterfaces = [\"cap0\"]\ntraffic_interval_s = 10\nlocal_prefixes = [\"10.77.0.0/24\"]\n\
         [intervals]\nforwarding_s = 10\n[[devices]]\nname = \"{}\"\naddress = \"{}\"\ncommunity = \"{}\"\n",
        site::ACCESS_NAME,
        site::ACCESS_IP,
        snmpd::COMMUNITY,
    )
}

/// Two machines, each on a cable of its own, behind a router that puts its own address in place of theirs.
fn translated(lab: &Lab, site: &Site<'_>) -> Result<[Node; 2]> {
    let router = site.access.plug_in_mirrored(ROUTER_PORT, "router", mac(0x30))?;
    router.add_address("eth0", &format!("{ROUTER_IP}/24"))?;
    router.write_sysctl("net/ipv4/ip_forward", "1")?;
    router.run("iptables", ["-w", "-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE"])?;
    let machine = |number: u8| {
        let (inside, net) = (lab.node(&format!("inside{number}"))?, format!("192.168.{number}"));
        let port = format!("in{number}");
        lab.cable(&router, &port, &inside, "eth0")?;
        router.add_address(&port, &format!("{net}.1/24"))?;
        inside.add_address("eth0", &format!("{net}.2/24"))?;
        inside.ip(["route", "add", "default", "via", &format!("{net}.1")])?;
        anyhow::Ok(inside)
    };
    Ok([machine(1)?, machine(2)?])
}

/// Machines on a switch that nobody polls.
fn hub<'lab>(lab: &'lab Lab, site: &Site<'_>) -> Result<(Switch<'lab>, Vec<Node>)> {
    let hub = Switch::new(lab, "hub", Vendor::Hp.mac(0x70))?;
    site.access.uplink(HUB_PORT, &hub, "uplink")?;
    onenet_tests::lab::mirror::add_port(&site.access, HUB_PORT)?;
    let machine = |number: u16| {
        let node = hub.plug_in(&format!("p{number}"), &format!("desk{number}"), mac(0x70 + number))?;
        node.add_address("eth0", &format!("10.77.0.{}/24", 70 + number))?;
        anyhow::Ok(node)
    };
    let machines = (1..=BEHIND_HUB).map(machine).collect::<Result<Vec<_>>>()?;
    Ok((hub, machines))
}

/// A server of pages on the access switch.
fn server(site: &Site<'_>) -> Result<(Node, Process)> {
    let node = site.access.plug_in_mirrored("ge3", "server", mac(3))?;
    node.add_address("eth0", &format!("{SERVER_IP}/24"))?;
    let mut command = node.command("python3");
    command.args(["-u", "-m", "http.server", "80", "--bind", SERVER_IP, "--directory"]).arg(node.dir());
    let mut process = Process::start(&node, "pages", command)?;
    process.says("Serving HTTP", START_WITHIN)?;
    Ok((node, process))
}

/// Has machines fetch a page, one after the other, again and again, until the centre says something.
fn until_told(
    machines: &[&Node],
    what: &str,
    told: impl Fn() -> Result<Value>,
    is: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let look = || {
        for node in machines {
            node.run("curl", ["-sf", "-o", "/dev/null", "--max-time", "10", &format!("http://{SERVER_IP}/")])?;
        }
        told()
    };
    clock::until(what, SETTLES_WITHIN, look, is)
}

/// Returns all that the centre knows of who has this address.
fn known(centre: &Centre, mac: MacAddr) -> Result<Value> {
    let Some(found) = centre.endpoint(mac)? else { return Ok(Value::Null) };
    centre.api.json(&format!("/api/v1/endpoints/{}", found["id"].as_str().context("no id")?))
}

/// Returns the grounds on which it is believed that several machines share an address.
fn grounds(known: &Value) -> Vec<&str> {
    let all = known["classification"]["grounds"].as_array().into_iter().flatten();
    all.filter(|ground| ground["shared"] == true).filter_map(|ground| ground["sign"].as_str()).collect()
}

/// Returns how many endpoints are plugged into a port.
fn plugged(centre: &Centre, port: &str) -> Result<u64> {
    let id = centre.interface(site::ACCESS_NAME, port)?;
    let interface = centre.api.json(&format!("/api/v1/interfaces/{id}"))?;
    interface["endpoints"].as_u64().with_context(|| format!("{interface}"))
}

#[test]
#[ignore = "needs root, snmpd, lldpd, dnsmasq and dhclient"]
fn machines_behind_a_router_that_translates_and_behind_a_hub_are_told_by_the_centre() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::start(&lab)?;
    let centre = Centre::start(&site.centre, site::CENTRE_IP)?;
    let mut agent = Agent::configure(&site.collector, site::CENTRE_IP, &watches())?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    let listens = |status: &Value| status["interfaces"][0]["listening"] == true;
    clock::until("the agent listens", SETTLES_WITHIN, || agent.status(), listens)?;

    let (_server, _pages) = server(&site)?;
    let plain = site.access.plug_in_mirrored(PLAIN_PORT, "plain", mac(0x40))?;
    plain.add_address("eth0", &format!("{PLAIN_IP}/24"))?;
    let [one, other] = translated(&lab, &site)?;
    let is_shared =
        |known: &Value, sign| known["shared_confidence"].as_f64() > Some(SURE) && grounds(known).contains(&sign);
    let router = || known(&centre, mac(0x30));
    let told = until_told(&[&one, &other, &plain], "the centre tells of several machines", router, |it| {
        is_shared(it, "hidden_hop")
    })?;
    ensure!(told["ips"].as_array().is_some_and(|ips| ips.iter().any(|ip| ip == ROUTER_IP)), "{told}");
    report::note(format_args!("shared: {} by {:?}", told["shared_confidence"], grounds(&told)));
    let alone = known(&centre, mac(0x40))?;
    ensure!(alone["mac"].is_string() && alone["shared_confidence"].is_null(), "who is alone: {alone}");

    // A kernel of today starts each connection's clock elsewhere: two that do not are written by hand.
    Frames::TwoClocks.send(&plain, 0, CLOCKS, Duration::ZERO)?;
    let clocks = || known(&centre, CLOCKS_MAC);
    clock::until("clocks tell of two machines", SETTLES_WITHIN, clocks, |it| is_shared(it, "tcp_clocks"))?;

    let (_hub, machines) = hub(&lab, &site)?;
    let machines: Vec<&Node> = machines.iter().collect();
    let counted = || plugged(&centre, HUB_PORT).map(Value::from);
    until_told(&machines, "the port of the hub has three endpoints", counted, |count| *count == u64::from(BEHIND_HUB))?;
    ensure!(plugged(&centre, ROUTER_PORT)? == 1, "at {ROUTER_PORT} is more than the router");
    Ok(())
}
