//! Floods of forged addresses: the agent's memory stays, and whoever was there before stays known.
//!
//! Tables are small, so that few frames fill them many times over. A host counts as established after a minute, which is why this
//! takes longer than that. Hosts are silent while floods go on: one that was expelled would not come back by itself.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        frames::Frames,
        line::Line,
        mirror,
        netns::{Lab, Node},
        process::Process,
        product::{Agent, COUNTY, Centre},
        services::Services,
        site::CENTRE_IP,
        switch::Switch,
        vendor::Vendor,
    },
    report,
};
use onenet_topology::{MacAddr, Timestamp};
use serde_json::Value;

const SERVER_IP: &str = "10.77.0.10";
/// Room of the tables, and how many times over a round floods them.
const ROOM: u32 = 256;
const FORGED: u32 = 60 * ROOM;
const FLOOD_TAKES: Duration = Duration::from_secs(4);
/// How long a host has to be heard until it is established, and some more.
const ESTABLISHED_AFTER: Duration = Duration::from_secs(66);
const SETTLES_WITHIN: Duration = Duration::from_secs(40);
/// Rounds of both floods that fill what is bounded: tables, queues, the detectors' memories of who asked what (half a MiB each, whose
/// pages are the kernel's until something is noted there), and the spool's cache of 2 MiB, which facts that come and go fill with pages
/// of other sizes for some rounds. Of sixteen floods of link addresses, those behind the second lay within 2.1 MiB.
const FILLING: u32 = 3;
/// Rounds behind those, which find it filled.
const MORE: u32 = 3;
/// By how much the agent may grow while it fills, and by the rounds behind that: the latter is less than a hundred bytes for each
/// forged link address, of which each endpoint that were kept would take several times as many.
const FILLED_MAX_KIB: u64 = 20 * 1024;
const GROWTH_MAX_KIB: u64 = 4 * 1024;
/// What the agent may have in all, whatever comes.
const RESIDENT_MAX_KIB: u64 = 128 * 1024;
const HOSTS: u16 = 3;

fn mac(number: u16) -> MacAddr {
    Vendor::Dell.mac(number)
}

/// A client that fetches what ends long after the test, all the while that floods go on.
fn endless_download(server: &Node, client: &Node) -> Result<Process> {
    server.run("truncate", ["-s", "1G", "long"])?;
    let mut command = client.command("curl");
    command.args(["-sS", "--limit-rate", "100k", "-o", "/dev/null", &format!("http://{SERVER_IP}/long")]);
    Process::start(client, "download", command)
}

/// Has the hosts speak, as terminals do, until they are established.
fn establish(hosts: &[Node]) -> Result<()> {
    let (began, mut talked) = (clock::now(), None::<std::time::Instant>);
    let spoken = || {
        if talked.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
            hosts.iter().try_for_each(|host| host.run("ping", ["-c1", "-W2", SERVER_IP]).map(drop))?;
            talked = Some(clock::now());
        }
        Ok(began.elapsed())
    };
    clock::until("the hosts are established", ESTABLISHED_AFTER * 2, spoken, |past| *past > ESTABLISHED_AFTER).map(drop)
}

/// Returns the identities under which the centre knows the hosts, all of which the agent has to report as being there.
fn identities(centre: &Centre) -> Result<Vec<String>> {
    let known = |number: u16| {
        let found = centre.endpoint(mac(number))?.with_context(|| format!("{} is not known", mac(number)))?;
        ensure!(found["present"] == true, "{found}");
        found["id"].as_str().map(str::to_owned).context("an endpoint without id")
    };
    (20..20 + HOSTS).map(known).collect()
}

/// Returns a number that the agent tells of its interface.
fn number(agent: &Agent, name: &str) -> Result<u64> {
    let status = agent.status()?;
    status["interfaces"][0][name].as_u64().with_context(|| format!("no {name} in {status}"))
}

/// Floods from the addresses of this round. Returns what the agent keeps in memory once it has taken the flood in, in KiB.
fn flood(agent: &mut Agent, forger: &Node, frames: Frames, round: u32) -> Result<u64> {
    let at = number(agent, "frames")?;
    let sent = frames.send(forger, round * FORGED, FORGED, FLOOD_TAKES)?;
    // On a busy machine the kernel drops some between sender and mirror. Half of them fill the tables thirty times over.
    let most = |now: &u64| *now >= at + sent / 2;
    clock::until(&format!("{frames:?} are taken in"), SETTLES_WITHIN, || number(agent, "frames"), most)?;
    let now = agent.process()?.resident_kib()?.own();
    report::note(format_args!("round {round}, {sent} frames of {frames:?}: {now} KiB resident"));
    Ok(now)
}

/// Floods with both in each of the rounds. Returns the agent's memory at the end, in KiB.
fn flood_with_both(agent: &mut Agent, forger: &Node, rounds: std::ops::Range<u32>) -> Result<u64> {
    let mut now = 0;
    for round in rounds {
        flood(agent, forger, Frames::ForgedSources, round)?;
        now = flood(agent, forger, Frames::ForgedMacs, round)?;
    }
    Ok(now)
}

#[test]
#[ignore = "needs root, dnsmasq, openssl, openssh and sipp"]
fn forged_addresses_neither_grow_the_agent_nor_expel_established_hosts_and_flows() -> Result<()> {
    let lab = Lab::new()?;
    let switch = Switch::new(&lab, "access", Vendor::H3c.mac(0x0401))?;
    let (centre_node, collector) = (lab.node("centre")?, lab.node("collector")?);
    mirror::mirror(&lab, &switch, &collector, "cap0")?;
    let _line = Line::lay(&lab, "wan0", (&collector, "10.8.0.2/30"), (&centre_node, &format!("{CENTRE_IP}/30")))?;
    let centre = Centre::start(&centre_node, CENTRE_IP)?;
    let mut agent = start(&centre, &collector)?;

    let server = switch.plug_in_mirrored("ge3", "server", mac(3))?;
    server.add_address("eth0", &format!("{SERVER_IP}/24"))?;
    let _services = Services::start(&server, SERVER_IP.parse()?)?;
    let host = |number: u16| {
        let node = switch.plug_in_mirrored(&format!("ge{number}"), &format!("host{number}"), mac(number))?;
        node.add_address("eth0", &format!("10.77.0.{number}/24"))?;
        Ok(node)
    };
    let hosts = (20..20 + HOSTS).map(host).collect::<Result<Vec<Node>>>()?;
    let forger = switch.plug_in_mirrored("ge9", "forger", mac(9))?;
    let mut download = endless_download(&server, hosts.first().context("no host")?)?;
    establish(&hosts)?;
    let known = identities(&centre)?;
    let before = agent.process()?.resident_kib()?.own();

    flood(&mut agent, &forger, Frames::ForgedSources, 0)?;
    the_source_had_its_share(&agent)?;
    let filled = flood_with_both(&mut agent, &forger, 1..1 + FILLING)?;
    let last = flood_with_both(&mut agent, &forger, 1 + FILLING..1 + FILLING + MORE)?;
    report::note(format_args!("{before} KiB resident before, {filled} filled, {last} at last"));
    ensure!(filled <= before + FILLED_MAX_KIB, "the agent grew from {before} to {filled} KiB");
    ensure!(last <= filled + GROWTH_MAX_KIB, "the agent goes on growing, from {filled} to {last} KiB");

    ensure!(
        agent.process()?.resident_kib()?.highest < RESIDENT_MAX_KIB,
        "the agent had more than {RESIDENT_MAX_KIB} KiB"
    );
    let flooded = |all: &Vec<Value>| !all.is_empty();
    let floods = || centre.list("/api/v1/anomalies?kind=mac_flood");
    clock::until("the centre is told of a flood of stations", SETTLES_WITHIN, floods, flooded)?;

    let full = |all: &Vec<Value>| all.iter().any(|it| it["kind"] == "table_full" && it["subject"] == "cap0");
    let conditions = || centre.list(&format!("/api/v1/conditions?site={COUNTY}"));
    let told = clock::until("the centre is told of the full table", SETTLES_WITHIN, conditions, full)?;
    report::note(format_args!("the centre is told: {told:?}"));
    let evicted = [number(&agent, "flows_evicted")?, number(&agent, "endpoints_evicted")?];
    ensure!(evicted[0] == 0, "{} established flows had to make room", evicted[0]);
    ensure!(evicted[1] > u64::from(FORGED * (FILLING + MORE) / 4), "only {} endpoints had to make room", evicted[1]);
    ensure!(identities(&centre)? == known, "hosts are known under other names: {:?}, {known:?}", identities(&centre)?);
    ensure!(download.exited()?.is_none(), "the download ended before the floods did: {}", download.log());
    download.signal("TERM")?;
    download.ends(SETTLES_WITHIN)?;
    agent.stop()?;
    the_download_is_one_flow(&agent)
}

/// Starts an agent with small tables that listens to the mirror.
fn start(centre: &Centre, collector: &Node) -> Result<Agent> {
    let watches = format!(
        "[capture]\ninterfaces = [\"cap0\"]\nring_mib = 32\nendpoints_max = {ROOM}\nflows_max = {ROOM}\ntraffic_interval_s = 10\n\
         local_prefixes = [\"10.77.0.0/24\"]\n"
    );
    let mut agent = Agent::configure(collector, CENTRE_IP, &watches)?;
    // What is resident is then what the agent holds. With an arena for each thread, each grows to the most that its thread ever held.
    agent.environment.push(("MALLOC_ARENA_MAX".to_owned(), "1".to_owned()));
    agent.enrol_and_start(&centre.enrolment(COUNTY)?)?;
    let listens = |status: &Value| status["interfaces"][0]["listening"] == true;
    clock::until("the agent listens", SETTLES_WITHIN, || agent.status(), listens)?;
    Ok(agent)
}

/// Checks that a flood of forged sources by one link address made room for itself, and nothing else did.
fn the_source_had_its_share(agent: &Agent) -> Result<()> {
    let over_share = number(agent, "flows_evicted_over_share")?;
    report::note(format_args!("{over_share} flows had to make room since their source held more than its share"));
    ensure!(over_share > u64::from(FORGED / 4), "only {over_share} flows of the flood were over their share");
    let others = [number(agent, "flows_evicted")?, number(agent, "endpoints_evicted")?];
    ensure!(others == [0, 0], "established flows and endpoints had to make room: {others:?}");
    Ok(())
}

/// Checks that the log has what went on all the while as one flow from its beginning, and no part of it.
fn the_download_is_one_flow(agent: &Agent) -> Result<()> {
    let args = ["flows", "--application", "http", "--endpoint", "10.77.0.20", "--limit", "1000", "--json", "--config"];
    let said = agent.cli(&args.into_iter().chain([agent.config_text()?]).collect::<Vec<_>>())?;
    let page: Value = serde_json::from_str(&said.out).with_context(|| format!("{said:?}"))?;
    let flows = page["flows"].as_array().context("no flows")?;
    let [flow] = flows.as_slice() else { anyhow::bail!("{} flows: {page}", flows.len()) };
    let history = flow["tcp"]["history"].as_str().unwrap_or_default();
    ensure!(history.starts_with("Sh") && flow["packets_in"].as_u64() > Some(4), "{flow}");
    let time = |field: &str| -> Result<Timestamp> { Ok(flow[field].as_str().context("no time")?.parse()?) };
    let took_ms = time("end")?.ms_since(time("start")?);
    report::note(format_args!("a download of {took_ms} ms is one flow"));
    ensure!(took_ms > i64::try_from(ESTABLISHED_AFTER.as_millis())?, "{flow}");
    Ok(())
}
