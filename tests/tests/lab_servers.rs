//! The lab's servers, proved with foreign clients: leases, forwarding tables, neighbours, known counters.

use std::time::Duration;

use anyhow::{Context, Result};
use onenet_tests::{
    clock,
    lab::{
        dhcp,
        netns::{Lab, Node},
        prometheus,
        sawtooth::{self, Sawtooth},
        site,
        snmpd::{self, Snmpd},
        switch::Switch,
        vendor::Vendor,
    },
};

const SOON: Duration = Duration::from_secs(15);

fn walk(node: &Node, community: &str, host: &str, oid: &str) -> Result<String> {
    node.run("snmpbulkwalk", ["-v2c", "-c", community, "-t2", "-On", "-Oe", "-OU", host, oid])
}

#[test]
#[ignore = "needs root, dnsmasq and dhclient"]
fn a_host_gets_a_lease_with_its_hostname_and_an_ipv6_address() -> Result<()> {
    let lab = Lab::new()?;
    let switch = Switch::new(&lab, "switch", Vendor::H3c.mac(1))?;
    let gateway = switch.plug_in("port1", "gateway", Vendor::Huawei.mac(1))?;
    gateway.add_address("eth0", "10.9.0.1/24")?;
    gateway.add_address("eth0", "fd00:9::1/64")?;
    let plan = dhcp::Plan { pool: ("10.9.0.100", "10.9.0.120"), ipv6_prefix: Some("fd00:9::") };
    let server = dhcp::Server::start(&gateway, "eth0", plan)?;
    let host = switch.plug_in("port2", "host", Vendor::Dell.mac(7))?;
    let client = dhcp::Client::start(&host, "front-desk-01")?;
    assert_eq!(server.leases()?, [(Vendor::Dell.mac(7).to_string(), client.ip.clone(), "front-desk-01".to_owned())]);
    let v6 =
        clock::until("the host forms an IPv6 address", SOON, || host.addresses("eth0", 6), |list| !list.is_empty())?;
    // Modified EUI-64 (RFC 4291, appendix A): the vendor prefix with its local bit inverted, ff:fe in the middle.
    assert!(v6[0].starts_with("fd00:9::4a4d:7eff:fe5a:"), "{v6:?}");
    Ok(())
}

#[test]
#[ignore = "needs root, snmpd, snmp-bridge-mib and lldpd"]
fn snmpd_tells_the_port_of_each_host_and_the_neighbour_switch() -> Result<()> {
    let lab = Lab::new()?;
    let core = Switch::new(&lab, "core", Vendor::Huawei.mac(1))?;
    let access = Switch::new(&lab, "access", Vendor::H3c.mac(2))?;
    core.manage_at("10.9.0.3/24")?;
    access.manage_at("10.9.0.4/24")?;
    access.uplink("ge24", &core, "ge1")?;
    let host = access.plug_in("ge2", "host", Vendor::Dell.mac(7))?;
    host.add_address("eth0", "10.9.0.10/24")?;
    let agent = core.plug_in("ge2", "agent", Vendor::Intel.mac(9))?;
    agent.add_address("eth0", "10.9.0.2/24")?;
    let _core_agent = Snmpd::start(&core, "core-1")?;
    let _access_agent = Snmpd::start(&access, "access-1")?;
    host.run("ping", ["-c1", "-W2", "10.9.0.2"])?;

    let port_of = |switch: &str, port: &str| -> Result<()> {
        let decimal = Vendor::Dell.mac(7).0.map(|byte| byte.to_string()).join(".");
        let names = walk(&agent, snmpd::COMMUNITY, switch, ".1.3.6.1.2.1.31.1.1.1.1")?;
        let index_line =
            names.lines().find(|line| line.ends_with(&format!("\"{port}\""))).with_context(|| names.clone())?;
        let index = index_line.split_once(" = ").and_then(|(oid, _)| oid.rsplit('.').next()).context("no index")?;
        let bases = walk(&agent, snmpd::COMMUNITY, switch, ".1.3.6.1.2.1.17.1.4.1.2")?;
        let base_line =
            bases.lines().find(|line| line.ends_with(&format!("INTEGER: {index}"))).with_context(|| bases.clone())?;
        let base = base_line.split_once(" = ").and_then(|(oid, _)| oid.rsplit('.').next()).context("no port")?;
        let wanted = format!(".1.3.6.1.2.1.17.4.3.1.2.{decimal} = INTEGER: {base}");
        let rows = || walk(&agent, snmpd::COMMUNITY, switch, ".1.3.6.1.2.1.17.4.3");
        clock::until(&wanted, SOON, rows, |text| text.lines().any(|line| line == wanted)).map(drop)
    };
    port_of("10.9.0.4", "ge2")?;
    port_of("10.9.0.3", "ge1")?;

    // lldpRemSysName (IEEE 802.1AB): the access switch hears the core.
    let neighbours = || walk(&agent, snmpd::COMMUNITY, "10.9.0.4", ".1.0.8802.1.1.2.1.4.1.1.9");
    clock::until("LLDP names the core", SOON, neighbours, |text| text.contains("core-1"))?;

    let v3 = ["-v3", "-lauthPriv", "-u", snmpd::V3_USER, "-aSHA", "-A", snmpd::V3_AUTH, "-xAES", "-X", snmpd::V3_PRIV];
    let name = agent.run("snmpget", v3.into_iter().chain(["-On", "10.9.0.3", ".1.3.6.1.2.1.1.5.0"]))?;
    assert!(name.contains("core-1"), "{name}");
    Ok(())
}

#[test]
#[ignore = "needs root and python3"]
fn the_sawtooth_counts_milliseconds_and_falls_back() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("sawtooth")?;
    let switch = Sawtooth {
        address: "127.0.0.1".to_owned(),
        name: "saw-1".to_owned(),
        mac: Vendor::Huawei.mac(0x100),
        ports: 28,
        forwarding: vec![(Vendor::Dell.mac(1), 5), (Vendor::Hp.mac(2), 6)],
        period_ms: 1500,
    };
    let running = switch.start(&node)?;
    let read = |port: u32| -> Result<(i64, u64, i64)> {
        let before = clock::unix_ms();
        let oid = format!(".1.3.6.1.2.1.31.1.1.1.6.{}", 100 + port);
        let text = node.run("snmpget", ["-v2c", "-c", sawtooth::COMMUNITY, "-Oqv", "127.0.0.1", &oid])?;
        Ok((before, text.trim().parse()?, clock::unix_ms()))
    };
    for _ in 0..5 {
        let (before, octets, after) = read(2)?;
        assert!((before..=after).contains(&running.taken_at_ms(octets)?));
    }
    let mut last = 0;
    let fell = || {
        let (before, octets, after) = read(1)?;
        let now = i64::try_from(octets)?;
        assert!((before..=after).any(|time| running.port_1_at(time) == now), "{now}");
        let fell = now < last;
        last = now;
        Ok(fell)
    };
    clock::until("port 1 falls back", SOON, fell, |fell| *fell)?;

    // The whole tree by a foreign walker: in order, without end, and as many rows as ports.
    let all = walk(&node, sawtooth::COMMUNITY, "127.0.0.1", ".1.3.6.1.2.1")?;
    let count = |prefix: &str| all.lines().filter(|line| line.starts_with(prefix)).count();
    assert_eq!(count(".1.3.6.1.2.1.31.1.1.1.1."), 28);
    assert_eq!(count(".1.3.6.1.2.1.17.4.3.1.2."), 2);
    assert_eq!(count(".1.3.6.1.2.1.17.1.4.1.2."), 28);
    let plain = node.run("snmpwalk", ["-v2c", "-c", sawtooth::COMMUNITY, "-On", "127.0.0.1", ".1.3.6.1.2.1.2"])?;
    assert_eq!(plain.lines().count(), 1 + 28 * 17, "get-next and get-bulk tell the same");
    assert!(node.run("snmpget", ["-v2c", "-c", "wrong", "-t1", "-r0", "127.0.0.1", ".1.3.6.1.2.1.1.5.0"]).is_err());
    Ok(())
}

#[test]
#[ignore = "needs root and prometheus"]
fn prometheus_scrapes_what_it_is_given_and_answers_queries() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("prometheus")?;
    let target = prometheus::Target { address: "127.0.0.1:9090", path: "/metrics", token: Some("unused") };
    let prometheus = prometheus::Prometheus::start(&node, target)?;
    let up = || prometheus.query("up{job=\"onenet\"}");
    clock::until("it has scraped itself", SOON, up, |found| matches!(found[..], [(_, 1.0)]))?;
    Ok(())
}

#[test]
#[ignore = "needs root, snmpd, lldpd, dnsmasq and dhclient"]
fn the_standard_site_leases_addresses_and_learns_where_hosts_are() -> Result<()> {
    let lab = Lab::new()?;
    let site = site::Site::start(&lab)?;
    let host = site.plug_in("ge5", "front-desk", Vendor::Dell.mac(5))?;
    site.collector.run("ping", ["-c1", "-W2", &host.dhcp.ip])?;
    site.collector.run("ping", ["-c1", "-W2", site::CENTRE_IP])?;
    let row = format!(".1.3.6.1.2.1.17.4.3.1.1.{}", host.mac.0.map(|byte| byte.to_string()).join("."));
    let rows = || walk(&site.collector, snmpd::COMMUNITY, site::ACCESS_IP, ".1.3.6.1.2.1.17.4.3.1.1");
    clock::until("the access switch has learned the host", SOON, rows, |text| text.contains(&row)).map(drop)
}
