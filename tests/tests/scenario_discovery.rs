//! One configured switch is enough: the rest of the site is found, strangers are left alone, and a trap is quicker than any
//! interval.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        netns::{Lab, Node},
        product::{Agent, COUNTY, Centre},
        snmpd::{self, Snmpd},
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use serde_json::Value;

const CENTRE_IP: &str = "10.8.0.1";
const COLLECTOR_IP: &str = "10.77.0.2";
const CORE_IP: &str = "10.77.0.3";
const ACCESS_IP: &str = "10.77.0.4";
/// A switch that no LLDP tells of.
const QUIET_IP: &str = "10.77.0.9";
/// A switch of somebody else, plugged into the core.
const STRANGER_IP: &str = "10.99.0.5";
const FOUND_WITHIN: Duration = Duration::from_secs(40);
const TOLD_WITHIN: Duration = Duration::from_secs(25);

/// Ports are read once an hour: whatever is known sooner is known by a trap.
fn watches() -> String {
    format!(
        "[credentials.wrong]\ncommunity = \"not-this-one\"\n[credentials.right]\ncommunity = \"{community}\"\n\
         [traps]\nlisten = \"0.0.0.0:162\"\n\
         [intervals]\ninterfaces_s = 3600\nneighbours_s = 5\n\
         [discovery]\nallow = [\"10.77.0.0/24\"]\nsweep = [\"10.77.0.0/24\"]\ncredentials = [\"wrong\", \"right\"]\n\
         every_s = 60\n\
         [[devices]]\nname = \"core\"\naddress = \"{CORE_IP}\"\ncredentials = \"right\"\n",
        community = snmpd::COMMUNITY
    )
}

fn discovered(agent: &Agent) -> Result<Value> {
    let said = agent.cli(&["discovered", "--json", "--config", agent.config_text()?])?;
    // Until the first round ended there is no file.
    Ok(serde_json::from_str(&said.out).unwrap_or(Value::Null))
}

fn address<'l>(listing: &'l Value, ip: &str) -> Option<&'l Value> {
    listing["addresses"].as_array()?.iter().find(|one| one["address"] == ip)
}

fn oper_of(centre: &Centre, device: &str, port: &str) -> Result<Option<String>> {
    let devices = centre.list("/api/v1/devices")?;
    let Some(found) = devices.iter().find(|one| one["name"] == device) else { return Ok(None) };
    let id = found["id"].as_str().context("a device without id")?;
    let ports = centre.list(&format!("/api/v1/devices/{id}/interfaces"))?;
    let port = ports.iter().find(|one| one["name"] == port);
    Ok(port.and_then(|port| port["oper"].as_str()).map(str::to_owned))
}

struct Network<'lab> {
    access: Switch<'lab>,
    collector: Node,
    centre: Node,
    _others: (Switch<'lab>, Switch<'lab>, Switch<'lab>),
    _agents: Vec<Snmpd>,
    _quiet: onenet_tests::lab::process::Process,
}

fn network(lab: &Lab) -> Result<Network<'_>> {
    let (core, access) =
        (Switch::new(lab, "core", Vendor::Huawei.mac(0x0301))?, Switch::new(lab, "access", Vendor::H3c.mac(0x0401))?);
    let (quiet, stranger) =
        (Switch::new(lab, "quiet", Vendor::H3c.mac(0x0901))?, Switch::new(lab, "stranger", Vendor::H3c.mac(0x0501))?);
    for (switch, at) in [(&core, CORE_IP), (&access, ACCESS_IP), (&quiet, QUIET_IP), (&stranger, STRANGER_IP)] {
        switch.manage_at(&format!("{at}/24"))?;
    }
    access.uplink("ge24", &core, "ge24")?;
    quiet.uplink("ge24", &core, "ge22")?;
    stranger.uplink("ge24", &core, "ge23")?;
    access.plug_in("ge5", "host", Vendor::Dell.mac(0x0a05))?;
    let (centre, collector) = (lab.node("centre")?, lab.node("collector")?);
    core.plug("ge2", &collector, "eth0", Vendor::Intel.mac(0x0201))?;
    collector.add_address("eth0", &format!("{COLLECTOR_IP}/24"))?;
    lab.cable(&collector, "wan0", &centre, "wan0")?;
    collector.add_address("wan0", "10.8.0.2/30")?;
    centre.add_address("wan0", &format!("{CENTRE_IP}/30"))?;
    let agents = vec![
        Snmpd::start(&core, "core-1")?,
        Snmpd::start_with(&access, "access-1", &snmpd::link_down_traps(COLLECTOR_IP))?,
        Snmpd::start(&stranger, "stranger-1")?,
    ];
    let agentx = quiet.node().dir().join("agentx");
    let quiet_agent = snmpd::start_master(quiet.node(), "quiet-1", &agentx)?;
    Ok(Network { access, collector, centre, _others: (core, quiet, stranger), _agents: agents, _quiet: quiet_agent })
}

#[test]
#[ignore = "needs root, snmpd, lldpd"]
fn a_site_with_one_configured_switch_is_found_and_a_trap_tells_of_a_port_within_seconds() -> Result<()> {
    let lab = Lab::new()?;
    let network = network(&lab)?;
    let centre = Centre::start(&network.centre, CENTRE_IP)?;
    let mut agent = Agent::configure(&network.collector, CENTRE_IP, &watches())?;
    let begun = clock::now();
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;

    // By LLDP, by the sweep, and not the stranger, who was asked for nothing.
    let is_found = |listing: &Value| {
        let verdict = |ip| address(listing, ip).and_then(|one| one["verdict"].as_str()).unwrap_or_default().to_owned();
        [ACCESS_IP, QUIET_IP, STRANGER_IP, CORE_IP].map(verdict)
            == ["added", "added", "not_allowed", "already_configured"]
    };
    let listing = clock::until("the site is found", FOUND_WITHIN, || discovered(&agent), is_found)?;
    report::note(format_args!("the site was found after {:?}", begun.elapsed()));
    let access = address(&listing, ACCESS_IP).context("no access switch")?;
    ensure!(access["credentials"] == "right" && access["name"] == "access-1", "{access}");
    let stranger = address(&listing, STRANGER_IP).context("no stranger")?;
    ensure!(stranger["asked"].is_null() && stranger["via"] == "core", "{stranger}");
    ensure!(address(&listing, QUIET_IP).is_some_and(|one| one["source"] == "sweep"), "{listing}");
    ensure!(!listing.to_string().contains(snmpd::COMMUNITY), "a secret is in {listing}");
    let table = agent.cli(&["discovered", "--lang", "zh", "--config", agent.config_text()?])?;
    ensure!(table.out.contains("已加入") && table.out.contains("不在允许范围"), "{}", table.out);

    // The found switch is polled like the configured one: the centre knows its port.
    let port = || oper_of(&centre, "access-1", "ge5");
    clock::until("the port is up", FOUND_WITHIN, port, |oper| oper.as_deref() == Some("up"))?;
    let pulled = clock::now();
    network.access.set_port("ge5", false)?;
    clock::until("the port is down", TOLD_WITHIN, port, |oper| oper.as_deref() == Some("down"))?;
    report::note(format_args!("the centre knew of the port after {:?}", pulled.elapsed()));

    // Whatever is written down or said holds no secret.
    let status = agent.cli(&["status", "--json", "--config", agent.config_text()?])?;
    ensure!(status.out.contains("\"traps\""), "{status:?}");
    for (what, text) in [("status", &status.out), ("log", &agent.process()?.log()), ("table", &table.out)] {
        ensure!(!text.contains(snmpd::COMMUNITY) && !text.contains("not-this-one"), "a secret in the {what}: {text}");
    }

    // A restart finds nothing anew: the same names, at once.
    agent.kill_9()?;
    agent.restart()?;
    let again = clock::until("the site is still known", FOUND_WITHIN, || discovered(&agent), is_found)?;
    let names =
        |listing: &Value| [ACCESS_IP, QUIET_IP].map(|ip| address(listing, ip).map(|one| one["name"].to_string()));
    ensure!(names(&again) == names(&listing), "{again}");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_hundred_thousand_addresses_are_swept_and_each_that_answers_is_heard() -> Result<()> {
    let lab = Lab::new()?;
    let (centre, collector) = (lab.node("centre")?, lab.node("collector")?);
    lab.cable(&collector, "wan0", &centre, "wan0")?;
    collector.add_address("wan0", "10.8.0.2/30")?;
    centre.add_address("wan0", &format!("{CENTRE_IP}/30"))?;
    // The other side answers for every address of a /15 behind a router: the centre's own machine.
    centre.ip(["route", "add", "local", "10.130.0.0/15", "dev", "lo"])?;
    collector.ip(["route", "add", "10.130.0.0/15", "via", CENTRE_IP])?;
    let daemon = Centre::start(&centre, CENTRE_IP)?;
    let rest = "[credentials.right]\ncommunity = \"nobody-uses-it\"\n[discovery]\nallow = [\"10.130.0.0/15\"]\n\
                sweep = [\"10.130.0.0/15\"]\ncredentials = [\"right\"]\npackets_per_s = 10000\n";
    let mut agent = Agent::configure(&collector, CENTRE_IP, rest)?;
    agent.enrol_and_start(&daemon.enrolment(COUNTY)?)?;
    let swept = || Ok(discovered(&agent)?["sweep"].clone());
    let sweep = clock::until("the sweep ended", Duration::from_secs(50), swept, |sweep| !sweep.is_null())?;
    report::note(format_args!("131,070 addresses: {sweep}"));
    ensure!(sweep["asked_icmp"] == 131_070 && sweep["answered"] == 131_070 && sweep["unsent"] == 0, "{sweep}");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_segment_of_a_16_costs_a_question_an_address_and_ends_soon_although_half_of_it_is_empty() -> Result<()> {
    let lab = Lab::new()?;
    let (centre, collector) = (lab.node("centre")?, lab.node("collector")?);
    lab.cable(&collector, "wan0", &centre, "wan0")?;
    collector.add_address("wan0", "10.8.0.2/30")?;
    centre.add_address("wan0", &format!("{CENTRE_IP}/30"))?;
    lab.cable(&collector, "lan0", &centre, "lan0")?;
    collector.add_address("lan0", "10.131.0.1/16")?;
    // The upper half of the segment answers ARP; nobody has the lower half.
    centre.ip(["route", "add", "local", "10.131.128.0/17", "dev", "lo"])?;
    let daemon = Centre::start(&centre, CENTRE_IP)?;
    let rest = "[credentials.right]\ncommunity = \"nobody-uses-it\"\n[discovery]\nallow = [\"10.131.0.0/16\"]\n\
                sweep = [\"10.131.0.0/16\"]\ncredentials = [\"right\"]\npackets_per_s = 5000\n";
    let mut agent = Agent::configure(&collector, CENTRE_IP, rest)?;
    let sent = || -> Result<u64> {
        let stdout = collector.run("cat", ["/sys/class/net/lan0/statistics/tx_packets"])?;
        Ok(stdout.trim().parse()?)
    };
    let before = sent()?;
    agent.enrol_and_start(&daemon.enrolment(COUNTY)?)?;
    let swept = || Ok(discovered(&agent)?["sweep"].clone());
    let sweep = clock::until("the sweep ended", Duration::from_secs(50), swept, |sweep| !sweep.is_null())?;
    let packets = sent()? - before;
    report::note(format_args!("65,534 addresses on the link, {packets} packets: {sweep}"));
    ensure!(sweep["asked_arp"] == 65_534 && sweep["asked_icmp"] == 0 && sweep["unsent"] == 0, "{sweep}");
    // Whoever answered is asked over SNMP already while we look.
    ensure!((65_534..66_534).contains(&packets), "{packets} packets");
    // All from 10.131.128.0 to 10.131.255.254.
    ensure!(sweep["answered"] == 32_767, "{sweep}");
    Ok(())
}
