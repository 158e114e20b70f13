//! Capture at the edge: without rights, through interfaces that come and go.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        netns::{Lab, Node},
        product::{Agent, COUNTY, Centre},
        vendor::Vendor,
    },
    report,
};
use serde_json::Value;

const CENTRE_IP: &str = "10.8.0.1";
const COLLECTOR_IP: &str = "10.77.0.2";
const HOST_IP: &str = "10.77.0.5";
/// Behind the host, so that it is asked by ICMP.
const ROUTED_IP: &str = "10.66.0.1";
const SETTLES_WITHIN: Duration = Duration::from_secs(40);
/// A sweep follows another after a minute at the soonest.
const SWEPT_AGAIN_WITHIN: Duration = Duration::from_secs(100);

/// What a process may have no bit in, of each of its threads.
const CAPABILITIES: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

fn field<'t>(status: &'t str, name: &str) -> Result<&'t str> {
    let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
    line.split_whitespace().nth(1).with_context(|| format!("{name} is empty"))
}

/// Checks that no thread of the process has a right or can gain one. Returns how many threads there are.
fn has_no_rights(process: u32) -> Result<usize> {
    let mut threads = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = task?.path();
        let status = fs::read_to_string(path.join("status"))?;
        for set in CAPABILITIES {
            let bits = u64::from_str_radix(field(&status, set)?, 16)?;
            ensure!(bits == 0, "{} of {} ({}) has {set} {bits:x}", path.display(), process, field(&status, "Name")?);
        }
        ensure!(field(&status, "NoNewPrivs")? == "1", "{} may gain rights", path.display());
        threads += 1;
    }
    Ok(threads)
}

fn status(agent: &Agent) -> Result<Value> {
    let said = agent.cli(&["status", "--json", "--config", agent.config_text()?])?;
    Ok(serde_json::from_str(&said.out).unwrap_or(Value::Null))
}

fn is_listening(agent: &Agent, interface: &str) -> Result<Option<bool>> {
    let status = status(agent)?;
    let found = status["interfaces"].as_array().and_then(|all| all.iter().find(|one| one["name"] == interface));
    Ok(found.and_then(|one| one["listening"].as_bool()))
}

fn becomes(agent: &Agent, interface: &str, listening: bool) -> Result<()> {
    let what = format!("{interface} is {}listened on", if listening { "" } else { "not " });
    clock::until(&what, SETTLES_WITHIN, || is_listening(agent, interface), |now| *now == Some(listening)).map(drop)
}

fn sweep(agent: &Agent) -> Result<Value> {
    let said = agent.cli(&["discovered", "--json", "--config", agent.config_text()?])?;
    let listing: Value = serde_json::from_str(&said.out).unwrap_or(Value::Null);
    Ok(listing["sweep"].clone())
}

/// Lays the mirror's cable anew and has a host of this number speak on it.
fn speak(lab: &Lab, collector: &Node, field: &Node, number: u16) -> Result<()> {
    lab.lay(collector, "cap0", field, "eth0")?;
    field.set_mac("eth0", Vendor::Dell.mac(number))?;
    field.add_address("eth0", &format!("10.70.0.{number}/24"))?;
    collector.silence("cap0")?;
    for (node, interface) in [(collector, "cap0"), (field, "eth0")] {
        node.ip(["link", "set", interface, "up"])?;
    }
    Ok(())
}

/// Says something now and then until the centre knows the host.
fn is_heard(centre: &Centre, field: &Node, number: u16) -> Result<()> {
    let mac = Vendor::Dell.mac(number);
    let look = || {
        // Nobody answers, which is the command's failure and not ours.
        let _ = field.run("ping", ["-c1", "-W1", "10.70.0.254"]);
        Ok(centre.endpoint(mac)?.is_some())
    };
    clock::until(&format!("{mac} is known"), SETTLES_WITHIN, look, |known| *known).map(drop)
}

#[test]
#[ignore = "needs root"]
fn an_agent_without_rights_captures_sweeps_and_takes_up_interfaces_that_come_back() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    let (field, host) = (lab.node("field")?, lab.node("host")?);
    lab.cable(&collector, "wan0", &centre_node, "wan0")?;
    collector.add_address("wan0", "10.8.0.2/30")?;
    centre_node.add_address("wan0", &format!("{CENTRE_IP}/30"))?;
    lab.cable(&collector, "lan0", &host, "eth0")?;
    collector.add_address("lan0", &format!("{COLLECTOR_IP}/24"))?;
    host.add_address("eth0", &format!("{HOST_IP}/24"))?;
    host.add_address("lo", &format!("{ROUTED_IP}/32"))?;
    collector.ip(["route", "add", "10.66.0.0/24", "via", HOST_IP])?;
    speak(&lab, &collector, &field, 1)?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let watches = "[capture]\ninterfaces = [\"cap0\"]\ntraffic_interval_s = 10\n[traps]\nlisten = \"0.0.0.0:162\"\n\
                   [credentials.c]\ncommunity = \"c\"\n\
                   [discovery]\nallow = [\"10.0.0.0/8\"]\nsweep = [\"10.77.0.0/28\", \"10.66.0.0/29\"]\n\
                   credentials = [\"c\"]\nevery_s = 60\n";
    let mut agent = Agent::configure(&collector, CENTRE_IP, watches)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;

    becomes(&agent, "cap0", true)?;
    is_heard(&centre, &field, 1)?;
    let has_swept = |sweep: &Value| sweep["answered"] == 2;
    let first = clock::until("the site is swept", SETTLES_WITHIN, || sweep(&agent), has_swept)?;
    ensure!(first["errors"].as_array().is_some_and(Vec::is_empty), "{first}");
    ensure!(first["asked_arp"] == 14 && first["asked_icmp"] == 6, "{first}");
    let process = agent.process()?.id();
    ensure!(Path::new(&format!("/proc/{process}/exe")).read_link()?.ends_with("onenet-agent"), "another process");
    let threads = has_no_rights(process)?;
    report::note(format_args!("{threads} threads without rights"));

    // Deleted and made anew, again and again: more often than sockets were opened for.
    for number in 2..6 {
        collector.ip(["link", "delete", "cap0"])?;
        becomes(&agent, "cap0", false)?;
        speak(&lab, &collector, &field, number)?;
        becomes(&agent, "cap0", true)?;
    }
    is_heard(&centre, &field, 5)?;
    // Switched off and on, and under another name for a while.
    collector.ip(["link", "set", "cap0", "down"])?;
    becomes(&agent, "cap0", false)?;
    collector.ip(["link", "set", "cap0", "name", "other"])?;
    collector.ip(["link", "set", "other", "up"])?;
    collector.ip(["link", "set", "other", "down"])?;
    ensure!(is_listening(&agent, "cap0")? == Some(false), "it listens to a name that is not there");
    collector.ip(["link", "set", "other", "name", "cap0"])?;
    collector.ip(["link", "set", "cap0", "up"])?;
    becomes(&agent, "cap0", true)?;
    field.set_mac("eth0", Vendor::Dell.mac(6))?;
    is_heard(&centre, &field, 6)?;

    // The sockets of the first sweep serve the next.
    let again = |sweep: &Value| has_swept(sweep) && sweep["begun"] != first["begun"];
    let second = clock::until("the site is swept again", SWEPT_AGAIN_WITHIN, || sweep(&agent), again)?;
    ensure!(second["errors"].as_array().is_some_and(Vec::is_empty), "{second}");
    has_no_rights(process)?;
    let status = status(&agent)?;
    ensure!(status["conditions"].as_array().is_some_and(Vec::is_empty), "{status}");
    Ok(())
}
