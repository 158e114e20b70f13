//! Mailboxes, monitoring, sound, a camera and two databases, used by real programs: each is named by what it says, as tshark names it,
//! and tells what it has to.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        instruments::{self, Instruments},
        netns::{Lab, Node},
        process::{Process, START_WITHIN, product},
        product::Said,
        vendor::Vendor,
    },
    report,
};
use serde_json::Value;

const SERVER_IP: &str = "10.77.0.10";
const CLIENT_IP: &str = "10.77.0.20";
const SETTLES_WITHIN: Duration = Duration::from_secs(40);

/// Application, port of the server, what was asked for, and what tshark calls it.
const EXPECTED: [(&str, u16, Option<&str>, &str); 7] = [
    ("imap", 143, None, "IMAP"),
    ("rtsp", 554, None, "RTSP"),
    ("snmp", 161, None, "SNMP"),
    ("sip", 5_060, None, "SIP"),
    ("rtp", instruments::SOUND_PORT, None, "RTP"),
    ("mssql", 1_433, Some(instruments::DATABASE), "TDS"),
    ("oracle_tns", 1_521, Some(instruments::SERVICE), "TNS"),
];

/// Returns what the agent reads in a capture file; nothing while its end is being written.
fn replay(client: &Node, capture: &Path) -> Result<Value> {
    let mut command = client.command(product("onenet-agent")?);
    command.arg("replay").arg(capture).args(["--local", "10.77.0.0/24", "--json"]);
    let said = Said::of(command)?;
    Ok(if said.status == 0 { serde_json::from_str(&said.out)? } else { Value::Null })
}

/// Returns whether a flow is what is expected of one.
fn is_one(flow: &Value, (application, port, name, _): &(&str, u16, Option<&str>, &str)) -> bool {
    flow["application"] == *application
        && flow["by_payload"] == true
        && flow["originator"]["ip"] == CLIENT_IP
        && flow["responder"]["ip"] == SERVER_IP
        && flow["responder"]["port"] == *port
        && name.is_none_or(|name| flow["name"] == name)
}

fn has_all(read: &Value) -> bool {
    let flows = read["flows"].as_array();
    flows.is_some_and(|flows| EXPECTED.iter().all(|it| flows.iter().any(|flow| is_one(flow, it))))
}

/// Checks that an independent reader names all of it alike.
fn tshark_agrees(client: &Node, capture: &Path) -> Result<()> {
    let file = capture.to_str().context("the lab's directory is not UTF-8")?;
    let read = client.run("tshark", ["-n", "-r", file, "-T", "fields", "-e", "_ws.col.Protocol"])?;
    // Sound is announced by SIP, whose packets that do are told as both.
    let names: BTreeSet<&str> = read.lines().filter_map(|line| line.split('/').next()).collect();
    for (application, _, _, theirs) in EXPECTED {
        ensure!(names.contains(theirs), "tshark has no {theirs}, which was named {application}: {names:?}");
    }
    Ok(())
}

#[test]
#[ignore = "needs root, dovecot, snmpd, sipp, tshark, FreeTDS and python-oracledb"]
fn mailboxes_monitoring_sound_cameras_and_databases_are_named_by_what_real_programs_say() -> Result<()> {
    let lab = Lab::new()?;
    let (server, client) = (lab.node("server")?, lab.node("client")?);
    lab.lay(&server, "eth0", &client, "eth0")?;
    for (node, ip, number) in [(&server, SERVER_IP, 3), (&client, CLIENT_IP, 4)] {
        node.set_mac("eth0", Vendor::Dell.mac(number))?;
        node.ip(["link", "set", "eth0", "up"])?;
        node.add_address("eth0", &format!("{ip}/24"))?;
    }
    let capture = client.dir().join("capture.pcapng");
    let mut recorder = client.command("dumpcap");
    recorder.args(["-q", "-i", "eth0", "-w"]).arg(&capture);
    let mut recorder = Process::start(&client, "recorder", recorder)?;
    recorder.says("File:", START_WITHIN)?;

    Instruments::start(&server, SERVER_IP)?.use_all(&client, CLIENT_IP)?;
    let read = clock::until("all is named", SETTLES_WITHIN, || replay(&client, &capture), has_all)?;
    recorder.signal("INT")?;
    recorder.ends(START_WITHIN)?;
    tshark_agrees(&client, &capture)?;

    let endpoints = read["endpoints"].as_array().context("no endpoints")?;
    let mac = Vendor::Dell.mac(3).to_string();
    let signs = endpoints.iter().find(|it| it["mac"] == mac.as_str()).map(|it| &it["signs"]).context("no server")?;
    let says = |kind: &str, value: &str| {
        signs.as_array().into_iter().flatten().any(|sign| sign["kind"] == kind && sign["value"] == value)
    };
    ensure!(says("rtsp_server", instruments::CAMERA), "{signs}");
    for application in ["imap", "mssql", "oracle_tns"] {
        ensure!(says("serves", application), "that it serves {application} is not among {signs}");
    }
    report::note(format_args!("{} applications of real clients are named as tshark names them", EXPECTED.len()));
    Ok(())
}
