//! Detection from the wire to the centre: a host that scans, calls home by the clock, serves addresses and reaches outside is found for exactly
//! that, its packets can be had from the centre, people close the cases of it and of nothing else, a drill of the same goes through
//! the agent, is found once whoever is killed meanwhile and leaves the figures alone, and a killed agent tells none of it twice.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        api::Api,
        dhcp::{Client, Plan, Server},
        line::Line,
        mirror::mirror,
        netns::{Lab, Node},
        process::Process,
        product::{Agent, COUNTY, Centre},
        site::CENTRE_IP,
        switch::Switch,
    },
    report,
};
use onenet_topology::MacAddr;
use serde_json::{Value, json};

const SUSPECT: &str = "10.20.0.66";
/// Outside the plan; it is the router itself.
const OUTSIDE: &str = "198.51.100.7";
const CONFIG: &str = "[capture]\ninterfaces = [\"cap0\"]\ntraffic_interval_s = 10\n[detection]\nplan = [\"10.20.0.0/16\"]\n\
                      dhcp_servers = [\"10.20.0.2\"]\nrouters = [\"10.20.0.1\"]\n\
                      beacon_calls = 8\nbeacon_lasts_s = 60\n";
const REASON: &str = "case 2026-17";
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// A scan, a lease, a dozen calls ten seconds apart, and the way to the centre.
const FOUND_WITHIN: Duration = Duration::from_secs(240);

fn found(centre: &Centre) -> Result<BTreeSet<(String, String)>> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let listed = centre.list("/api/v1/anomalies?drill=false&limit=1000")?;
    Ok(listed.iter().map(|it| (text(it, "kind"), text(it, "subject"))).collect())
}

/// Returns the ports that the suspect asked for, as tshark reads the capture of the scan that the centre fetched.
fn scanned_ports(centre: &Centre, node: &Node) -> Result<BTreeSet<u16>> {
    let named = || -> Result<Option<String>> {
        let scans = centre.list("/api/v1/anomalies?kind=port_scan&drill=false")?;
        let pieces = scans.first().and_then(|it| it["evidence"].as_array()).into_iter().flatten();
        let mut captures = pieces.filter(|piece| piece["is"] == "capture");
        Ok(captures.next().and_then(|piece| piece["value"].as_str()).map(str::to_owned))
    };
    let file = clock::until("a capture is named", SETTLES_WITHIN, named, Option::is_some)?.context("there is none")?;
    let ports = || -> Result<BTreeSet<u16>> {
        let to = node.dir().join(format!("{}.pcapng", clock::unix_ms()));
        let to_text = to.to_string_lossy().into_owned();
        centre.ok(&["anomalies", "capture", COUNTY, &file, "--reason", REASON, "--to", &to_text])?;
        let filter = format!("ip.src == {SUSPECT} && tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == 10.20.0.2");
        let read = node.run("tshark", ["-n", "-r", &to_text, "-Y", &filter, "-T", "fields", "-e", "tcp.dstport"])?;
        Ok(read.lines().filter_map(|line| line.trim().parse().ok()).collect())
    };
    // What came within seconds after the first packets is added.
    clock::until("the capture has all of the scan", SETTLES_WITHIN, ports, |ports| ports.len() >= 100)
}

/// Those who work on cases, each with credentials of their own.
struct People {
    reviewer: Api,
    county: Api,
    auditor: Api,
}

impl People {
    fn of(centre: &Centre) -> Result<Self> {
        let who = |name: &str, role: &str, site| -> Result<Api> {
            Ok(centre.api.with_token(&centre.token(name, role, site)?))
        };
        Ok(Self {
            reviewer: who("li", "security-reviewer", None)?,
            county: who("wang", "operator", Some(COUNTY))?,
            auditor: who("zhao", "audit-administrator", None)?,
        })
    }

    /// Takes a case from its finding to its end; the county answers with its own credentials.
    fn close(&self, case: &str, verdict: &str) -> Result<()> {
        let path = format!("/api/v1/cases/{case}");
        ensure!(self.county.get(&path)?.status == 404, "the county sees {case} before it was notified of it");
        let actions = [
            (&self.reviewer, json!({ "action": "acknowledge" })),
            (&self.reviewer, json!({ "action": "review" })),
            (&self.reviewer, json!({ "action": "grade", "grade": "considerable", "category": "network_attack" })),
            (&self.reviewer, json!({ "action": "notify", "text": "Find the machine, and unplug it." })),
            (&self.county, json!({ "action": "receive" })),
            (&self.county, json!({ "action": "answer", "text": "It is unplugged.", "rectified": true })),
            (&self.reviewer, json!({ "action": "close", "verdict": verdict, "text": "Nothing more is seen." })),
        ];
        for (who, action) in &actions {
            let answer = who.request("POST", &format!("{path}/actions"), Some(action))?;
            ensure!(answer.status == 200, "{action}: {answer:?}");
        }
        let told: Vec<String> =
            actions.iter().map(|(_, it)| it["action"].as_str().unwrap_or_default().into()).collect();
        let audit = self.auditor.json("/api/v1/audit?limit=1000")?;
        let entries = audit["items"].as_array().context("no items")?;
        let about = |it: &&Value| it["subject"].as_str().is_some_and(|text| text.starts_with(&format!("{case} ")));
        let trail: Vec<&str> = entries.iter().filter(about).filter_map(|it| it["subject"].as_str()).collect();
        ensure!(trail.len() == told.len(), "the audit trail tells {trail:?} of {told:?}");
        ensure!(trail.iter().zip(&told).all(|(entry, action)| entry.contains(action.as_str())), "{trail:?}: {told:?}");
        Ok(())
    }

    /// Orders a drill of a finding of the county.
    fn drill(&self, kind: &str, subject: &str) -> Result<Value> {
        let drill = json!({ "site": COUNTY, "kind": kind, "subject": subject, "text": "the same once more" });
        let answer = self.reviewer.request("POST", "/api/v1/drills", Some(&drill))?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Waits until a drill is so far.
    fn drill_is(&self, drill: &Value, state: &str) -> Result<Value> {
        let path = format!("/api/v1/drills/{}", drill["id"].as_str().unwrap_or_default());
        clock::until("a drill goes on", SETTLES_WITHIN, || self.reviewer.json(&path), |it| it["state"] == state)
    }

    /// The figures of cases, as metrics tell them.
    fn figures(&self) -> Result<Vec<String>> {
        let page = self.reviewer.get("/metrics")?.body;
        Ok(page.lines().filter(|line| line.starts_with("onenet_case")).map(str::to_owned).collect())
    }
}

/// Works on the cases of what was found, which are these and no others, and then on a drill of the same.
fn work_on_cases(people: &People, expected: &BTreeSet<(String, String)>) -> Result<()> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let listed = people.reviewer.json("/api/v1/cases?state=all&limit=1000")?;
    let cases = listed["items"].as_array().context("no items")?;
    let about: Vec<_> = cases.iter().map(|it| (text(it, "kind"), text(it, "subject"))).collect();
    ensure!(about.len() == expected.len() && about.iter().all(|it| expected.contains(it)), "cases of {about:?}");
    for case in cases {
        people.close(&text(case, "id"), "true")?;
    }
    let figures = people.figures()?;
    ensure!(figures.contains(&"onenet_cases_closed{verdict=\"true\"} 4".to_owned()), "{figures:?}");
    for (kind, subject) in expected {
        let ordered = people.drill(kind, subject)?;
        ensure!(ordered["agent"].is_string(), "no agent was asked: {ordered}");
        let found = people.drill_is(&ordered, "found")?;
        people.close(&text(&found, "case"), "drill")?;
        let over = people.drill_is(&ordered, "over")?;
        let times = ["detected_after_s", "acknowledged_after_s", "closed_after_s"];
        ensure!(times.iter().all(|it| over[it].is_i64()), "not all is measured: {over}");
    }
    let after = people.figures()?;
    ensure!(after == figures, "a drill is in the figures: {after:?}, before {figures:?}");
    Ok(())
}

/// Drills while the agent is dead, and kills both sides while drills are on their way: each is found once.
fn drill_over_kills(people: &People, centre: &mut Centre, agent: &mut Agent) -> Result<()> {
    let figures = people.figures()?;
    agent.kill_9()?;
    let waiting = people.drill("sweep", "10.20.0.201")?;
    people.drill_is(&waiting, "waiting")?;
    centre.kill_9()?;
    centre.restart()?;
    let mut ordered = vec![waiting];
    agent.restart()?;
    people.drill_is(&ordered[0], "found")?;
    for (number, agents_turn) in (202..).zip([true, false, true, false]) {
        ordered.push(people.drill("sweep", &format!("10.20.0.{number}"))?);
        // It may be ordered, put in, on its way or found by now.
        if agents_turn {
            agent.kill_9()?;
            agent.restart()?;
        } else {
            centre.kill_9()?;
            centre.restart()?;
        }
    }
    for drill in &ordered {
        people.drill_is(drill, "found")?;
    }
    let drilled = centre.list("/api/v1/anomalies?kind=sweep&limit=1000")?;
    ensure!(drilled.iter().all(|it| it["drill"].is_string() && it["count"] == 1), "{drilled:?}");
    let cases = people.reviewer.json("/api/v1/cases?state=all&kind=sweep&limit=1000")?;
    let cases = cases["items"].as_array().map_or(0, Vec::len);
    ensure!((drilled.len(), cases) == (ordered.len(), ordered.len()), "lost or doubled: {drilled:?}, {cases} cases");
    let after = people.figures()?;
    ensure!(after == figures, "a drill is in the figures: {after:?}, before {figures:?}");
    Ok(())
}

/// Starts a server of web pages.
fn serve(node: &Node, ip: &str) -> Result<Process> {
    let mut command = node.command("python3");
    command.args(["-u", "-m", "http.server", "80", "--bind", ip, "--directory"]).arg(node.dir());
    let mut process = Process::start(node, "pages", command)?;
    process.says("Serving HTTP", SETTLES_WITHIN)?;
    Ok(process)
}

#[test]
#[ignore = "needs root"]
fn a_host_that_scans_calls_home_serves_addresses_and_reaches_outside_is_found_for_that_and_nothing_else() -> Result<()>
{
    let lab = Lab::new()?;
    let mac = |last: u8| MacAddr([0x00, 0x1b, 0x21, last, 0x00, 0x0a]);
    let switch = Switch::new(&lab, "sw", mac(0xfe))?;
    let collector = lab.node("collector")?;
    let nodes = [("router", 1_u8), ("dhcp", 2), ("suspect", 66), ("client", 70)];
    let mut hosts = Vec::new();
    for (name, number) in nodes {
        let node = switch.plug_in(&format!("p{number}"), name, mac(number))?;
        if name != "client" {
            node.add_address("eth0", &format!("10.20.0.{number}/24"))?;
        }
        hosts.push(node);
    }
    let [router, dhcp, suspect, client] = &hosts[..] else { unreachable!("four were plugged in") };
    mirror(&lab, &switch, &collector, "cap0")?;
    router.add_address("lo", &format!("{OUTSIDE}/32"))?;
    suspect.ip(["route", "add", "default", "via", "10.20.0.1"])?;
    let _pages = serve(router, OUTSIDE)?;
    let _dhcp = Server::start(dhcp, "eth0", Plan { pool: ("10.20.0.100", "10.20.0.120"), ipv6_prefix: None })?;

    let centre_node = lab.node("centre")?;
    Line::lay(&lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let mut centre = Centre::start(&centre_node, CENTRE_IP)?;
    let mut agent = Agent::configure(&collector, CENTRE_IP, CONFIG)?;
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    let on = |centre: &Centre| centre.list(&format!("/api/v1/sites/{COUNTY}/detectors"));
    let is_on = |all: &Vec<Value>| all.iter().any(|it| it["kind"] == "port_scan" && it["on"] == true);
    clock::until("the centre knows that detectors look on", SETTLES_WITHIN, || on(&centre), is_on)?;
    ensure!(found(&centre)?.is_empty(), "nothing was done yet");

    let mut calls = suspect.command("sh");
    calls.args(["-c", &format!("while curl -sf -o /dev/null http://{OUTSIDE}/; do sleep 10.5; done")]);
    let _calls = Process::start(suspect, "calls", calls)?;
    suspect.run("nmap", ["-n", "-Pn", "-sT", "-p", "1-100", "10.20.0.2"])?;
    let _rogue = Server::start(suspect, "eth0", Plan { pool: ("10.20.0.200", "10.20.0.220"), ipv6_prefix: None })?;
    let _client = Client::start(client, "desk")?;
    let kinds = ["port_scan", "rogue_dhcp", "outreach", "beaconing"];
    let expected: BTreeSet<(String, String)> =
        kinds.into_iter().map(|kind| (kind.to_owned(), SUSPECT.to_owned())).collect();
    let all =
        clock::until("all four are found", FOUND_WITHIN, || found(&centre), |found| found.is_superset(&expected))?;
    ensure!(all == expected, "more was found than there was: {all:?}");
    let people = People::of(&centre)?;
    work_on_cases(&people, &expected)?;

    let ports = scanned_ports(&centre, &centre_node)?;
    ensure!((1..=100).all(|port| ports.contains(&port)), "of the scan the capture has the ports {ports:?}");
    let is_told = |status: &Value| {
        let asked = &status["captures_asked"][0];
        asked["reason"] == REASON && asked["bytes"].as_u64() > Some(0)
    };
    clock::until("the site's status tells who asked", SETTLES_WITHIN, || agent.status(), is_told)?;

    let scan = || -> Result<u64> {
        let scans = centre.list("/api/v1/anomalies?kind=port_scan&drill=false")?;
        Ok(scans.first().and_then(|it| it["count"].as_u64()).unwrap_or_default())
    };
    let told = || -> Result<String> {
        Ok(on(&centre)?.first().and_then(|it| it["time"].as_str()).unwrap_or_default().to_owned())
    };
    let (before, first_run) = (scan()?, told()?);
    agent.kill_9()?;
    agent.restart()?;
    clock::until("another run of the detectors is told of", SETTLES_WITHIN, told, |time| *time != first_run)?;
    ensure!(scan()? == before && found(&centre)? == expected, "a kill changed what was found");
    drill_over_kills(&people, &mut centre, &mut agent)?;
    report::note(format_args!("four anomalies of {SUSPECT}, the scan with {before} observations"));
    Ok(())
}
