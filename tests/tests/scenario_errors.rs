//! Mistakes that people make: each gives one clear message that names the remedy.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        line::Line,
        netns::{Lab, Node},
        process::Process,
        product::{Agent, COLLECTORS_PORT, COUNTY, Centre, OTHER_COUNTY, OTHER_PROVINCE, Said, is_clear},
        site::CENTRE_IP,
        snmpd,
    },
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

fn two_nodes(lab: &Lab) -> Result<(Node, Node, Line)> {
    let (centre, collector) = (lab.node("centre")?, lab.node("collector")?);
    let line = Line::lay(lab, "wan0", (&collector, "10.8.0.2/30"), (&centre, &format!("{CENTRE_IP}/30")))?;
    Ok((centre, collector, line))
}

#[test]
#[ignore = "needs root"]
fn an_upside_down_agent_configuration_is_refused_with_every_line_and_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("collector")?;
    let wrong = "[intervals]\ninterfaces_s = 0\n[[devices]]\nname = \"a\"\naddress = \"not an address\"\n\
                 community = \"s3cret-community\"\n[[devices]]\nname = \"a\"\naddres = \"10.0.0.1\"\n";
    let agent = Agent::configure(&node, CENTRE_IP, wrong)?;
    for command in [vec!["check-config", agent.config_text()?], vec!["run", "--config", agent.config_text()?]] {
        let said = agent.cli(&command)?;
        said.refuses(&["agent.toml", "line 8", "line 11", "line 15", "interfaces_s", "addres"])?;
        ensure!(!said.err.contains("s3cret-community"), "a secret in a message: {}", said.err);
    }
    agent.cli(&["run", "--config", "/nowhere/agent.toml"])?.refuses(&["/nowhere/agent.toml", "--config"])
}

#[test]
#[ignore = "needs root"]
fn an_upside_down_daemon_configuration_is_refused_with_every_line_and_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    let config =
        node.file("onenetd.toml", "data_dir = \"relative\"\n[api]\nlisten = \"nowhere\"\nkey = \"k.pem\"\n")?;
    for command in ["check-config", "serve"] {
        let mut process = node.command(onenet_tests::lab::process::product("onenetd")?);
        process.arg(command).arg("--config").arg(&config);
        Said::of(process)?.refuses(&["onenetd.toml", "line 1", "line 3", "line 4", "certificate"])?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root and snmpd"]
fn a_wrong_community_is_told_by_the_centre() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector, _line) = two_nodes(&lab)?;
    let device = lab.node("device")?;
    lab.cable(&collector, "eth0", &device, "eth0")?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    device.add_address("eth0", "10.77.0.3/24")?;
    let _snmpd = snmpd::start_master(&device, "switch-1", &device.dir().join("agentx"))?;
    let watches = "[[devices]]\nname = \"switch-1\"\naddress = \"10.77.0.3\"\ncommunity = \"wrong\"\n";
    let mut agent = Agent::configure(&collector, CENTRE_IP, watches)?;

    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    let devices = || centre.list("/api/v1/devices");
    let told = |devices: &Vec<Value>| {
        devices.iter().any(|one| one["state"] != "up" && one["detail"].as_str().is_some_and(|text| !text.is_empty()))
    };
    let devices = clock::until("the centre says what is wrong", SOON, devices, told)?;
    is_clear(devices[0]["detail"].as_str().unwrap_or_default(), &["community"])
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_stops_the_agent_at_its_start_with_the_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector, _line) = two_nodes(&lab)?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let disk = lab.small_disk("disk", 4096)?;
    let mut agent = Agent::configure_with_data(&collector, CENTRE_IP, &disk.join("agent"), "")?;
    let said = agent.enrol(&centre.enrolment(COUNTY)?)?;
    ensure!(said.status == 0, "{said:?}");
    fill(&disk)?;
    agent.restart()?;
    let log = ends_or_says(agent.process()?, "is full")?;
    is_clear(&log, &["disk", "is full", disk.to_str().unwrap_or_default(), "[data] dir"])
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_stops_the_daemon_at_its_start_with_the_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    let disk = lab.small_disk("disk", 512)?;
    fill(&disk)?;
    let text = format!("data_dir = \"{}\"\n[api]\nplain_http = true\n", disk.join("onenetd").display());
    let config = node.file("onenetd.toml", &text)?;
    let mut command = node.command(onenet_tests::lab::process::product("onenetd")?);
    command.args(["serve", "--config"]).arg(config);
    let mut process = Process::start(&node, "onenetd", command)?;
    let status = process.ends(SOON)?;
    ensure!(status.code() == Some(1), "{status}: {}", process.log());
    is_clear(&process.log(), &["disk has room", disk.to_str().unwrap_or_default(), "No space left"])
}

#[test]
#[ignore = "needs root"]
fn a_centre_with_another_authority_is_refused_with_the_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector, _line) = two_nodes(&lab)?;
    let other_node = lab.node("other")?;
    let _other_line = Line::lay(&lab, "wan1", (&collector, "10.8.1.2/30"), (&other_node, "10.8.1.1/30"))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let _other = Centre::start(&other_node, "10.8.1.1")?;
    let mut agent = Agent::configure(&collector, CENTRE_IP, "")?;
    let said = agent.enrol(&centre.enrolment(COUNTY)?)?;
    ensure!(said.status == 0, "{said:?}");
    agent.move_to("10.8.1.1")?;
    agent.restart()?;
    let log = ends_or_says(agent.process()?, "certificate")?;
    is_clear(&log, &["certificate", &format!("10.8.1.1:{COLLECTORS_PORT}"), "enrol"])
}

#[test]
#[ignore = "needs root"]
fn an_enrolment_token_works_once_and_a_changed_one_never() -> Result<()> {
    let lab = Lab::new()?;
    let (centre_node, collector, _line) = two_nodes(&lab)?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let token = centre.enrolment(COUNTY)?;
    let agent = Agent::configure(&collector, CENTRE_IP, "")?;
    let (head, last) = token.split_at(token.len() - 1);
    let changed = format!("{head}{}", if last == "x" { "y" } else { "x" });
    agent.enrol(&changed)?.refuses(&["token", "onenetd enrol"])?;
    agent.enrol_by_input(&changed)?.refuses(&["token", "onenetd enrol"])?;
    let said = agent.enrol_by_input(&token)?;
    ensure!(said.status == 0, "{said:?}");
    let second = lab.node("second")?;
    let _second_line = Line::lay(&lab, "wan2", (&second, "10.8.2.2/30"), (&centre_node, "10.8.2.1/30"))?;
    second.ip(["route", "add", "10.8.0.0/30", "via", "10.8.2.1"])?;
    let thief = Agent::configure(&second, CENTRE_IP, "")?;
    thief.enrol(&token)?.refuses(&["token", "onenetd enrol"])
}

#[test]
#[ignore = "needs root"]
fn a_token_of_another_subtree_is_told_as_if_nothing_were_there_and_what_to_ask_for() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    node.ip(["addr", "add", &format!("{CENTRE_IP}/30"), "dev", "lo"])?;
    let centre = Centre::start(&node, CENTRE_IP)?;
    let elsewhere = centre.api.with_token(&centre.token("jiangsu", "operator", Some(OTHER_PROVINCE))?);
    for (existing, invented) in [(COUNTY, "999999"), (OTHER_COUNTY, "999998")] {
        let hidden = elsewhere.get(&format!("/api/v1/sites/{existing}"))?;
        let absent = elsewhere.get(&format!("/api/v1/sites/{invented}"))?;
        ensure!(hidden.status == 404 && absent.status == 404, "{hidden:?} {absent:?}");
        ensure!(
            hidden.body.replace(existing, "…") == absent.body.replace(invented, "…"),
            "the answers differ, so a site's existence shows: {hidden:?} {absent:?}"
        );
        is_clear(&hidden.body, &["your roles", "check the id"])?;
    }
    let list = elsewhere.json("/api/v1/endpoints")?;
    ensure!(list["items"].as_array().is_some_and(Vec::is_empty), "{list}");
    let stranger = centre.api.with_token("not-a-token-of-this-centre").get("/api/v1/sites")?;
    ensure!(stranger.status == 401, "{stranger:?}");
    is_clear(&stranger.body, &["token", "onenetd token"])
}

#[test]
#[ignore = "needs root"]
fn a_command_names_the_site_that_there_is_not_and_says_when_a_list_is_empty() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    node.ip(["addr", "add", &format!("{CENTRE_IP}/30"), "dev", "lo"])?;
    let centre = Centre::start(&node, CENTRE_IP)?;
    centre.cli(&["sites", "move", "999999", "--under", OTHER_PROVINCE])?.refuses(&["check the id", "999999"])?;
    centre.cli(&["sites", "move", COUNTY, "--under", "999998"])?.refuses(&["999998"])?;
    let said = centre.cli(&["terminals", "list", COUNTY])?;
    ensure!(said.status == 0 && said.out.is_empty() && said.err.contains("nothing to list"), "{said:?}");
    Ok(())
}

/// Fills a RAM disk to its last byte.
fn fill(disk: &std::path::Path) -> Result<()> {
    const LARGER_THAN_ANY: usize = 16 << 20;
    let error = fs::write(disk.join("ballast"), vec![0; LARGER_THAN_ANY]).err();
    ensure!(error.is_some(), "the disk is not full");
    Ok(())
}

/// Waits until a process says `word` in its log; it may end with that, with status 1.
fn ends_or_says(process: &mut Process, word: &str) -> Result<String> {
    let log = || Ok(process.log());
    let log = clock::until(&format!("it says {word:?}"), SOON, log, |log| log.to_lowercase().contains(word))?;
    if let Some(status) = process.exited()? {
        ensure!(status.code() == Some(1), "{status}: {log}");
    }
    Ok(log)
}

#[test]
#[ignore = "needs root"]
fn a_port_that_is_taken_is_told_with_the_setting_that_moves_it() -> Result<()> {
    let lab = Lab::new()?;
    let node = lab.node("centre")?;
    node.ip(["addr", "add", &format!("{CENTRE_IP}/30"), "dev", "lo"])?;
    let centre = Centre::start(&node, CENTRE_IP)?;
    let other = node.dir().join("other");
    let text = format!("data_dir = \"{}\"\n[api]\nplain_http = true\n", other.display());
    let config = node.file("other.toml", &text)?;
    let mut command = node.command(onenet_tests::lab::process::product("onenetd")?);
    command.args(["serve", "--config"]).arg(config);
    let said = Said::of(command)?;
    drop(centre);
    said.refuses(&[&COLLECTORS_PORT.to_string(), "listen"])
}
