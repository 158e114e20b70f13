//! README's first command: what it shows of the network around it, and what it says where it cannot run or see.

use std::{collections::BTreeSet, fs, os::unix::fs::chown, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    dice::Dice,
    lab::{
        api::Api,
        netns::{Lab, Node},
        process::{Process, START_WITHIN, product},
        product::{Said, is_clear},
        switch::Switch,
        vendor::Vendor,
    },
};
use onenet_topology::MacAddr;

/// "Within a minute shows this machine's real neighbours."
const A_MINUTE: Duration = Duration::from_secs(60);

/// Ctrl-C ends it "within seconds", on a busy machine with two cores too.
const SECONDS: Duration = Duration::from_secs(10);

struct Running {
    process: Process,
    api: Api,
}

impl Running {
    /// Presses Ctrl-C and expects a clean end.
    fn ends_on_ctrl_c(mut self) -> Result<()> {
        self.process.signal("INT")?;
        let status = self.process.ends(SECONDS)?;
        ensure!(status.code() == Some(0), "Ctrl-C: {status}:\n{}", self.process.log());
        Ok(())
    }
}

/// Starts quickstart and takes address and token of the console from what it prints.
fn quickstart(node: &Node, more: &[&str]) -> Result<Running> {
    let mut command = node.command(product("onenetd")?);
    command.arg("quickstart").arg("--data").arg(node.dir().join("quickstart")).args(more);
    started(node, command)
}

fn started(node: &Node, mut command: Command) -> Result<Running> {
    // What is looked for is English, whatever language this machine speaks.
    command.env("LC_ALL", "C");
    let mut process = Process::start(node, "quickstart", command)?;
    let said = process.says("http", START_WITHIN)?;
    let base = said.split_whitespace().find(|word| word.starts_with("http")).context("no address")?;
    let base = base.trim_end_matches(['/', ',', '.']).to_owned();
    process.says("oken", START_WITHIN)?;
    let log = process.log();
    let is_token =
        |word: &&str| word.len() >= 24 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let token = log.split_whitespace().find(is_token).with_context(|| format!("no token in:\n{log}"))?;
    let api = Api::new(node, base, Some(token));
    Ok(Running { process, api })
}

/// A command without any capability: root in name only.
fn powerless(node: &Node) -> Result<Command> {
    let mut command = node.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(product("onenetd")?).arg("quickstart");
    Ok(command)
}

/// Quickstart with these arguments, which it must refuse.
fn refused(node: &Node, more: &[&str]) -> Result<Said> {
    let mut command = node.command(product("onenetd")?);
    command.arg("quickstart").args(more);
    Said::of(command)
}

fn macs(api: &Api) -> Result<BTreeSet<String>> {
    let page = api.json("/api/v1/endpoints")?;
    let items = page["items"].as_array().context("no items")?;
    Ok(items.iter().filter_map(|one| one["mac"].as_str()).map(str::to_owned).collect())
}

#[test]
#[ignore = "needs root"]
fn quickstart_shows_exactly_the_three_hosts_on_the_wire_and_ends_cleanly_on_ctrl_c() -> Result<()> {
    let lab = Lab::new()?;
    let mut dice = Dice::new();
    let switch = Switch::new(&lab, "switch", Vendor::H3c.mac(1))?;
    let here = switch.plug_in("ge1", "here", Vendor::Intel.mac(1))?;
    here.add_address("eth0", "10.5.0.1/24")?;
    let mut hosts: Vec<(Node, MacAddr)> = Vec::new();
    for number in 2..5 {
        let mac = dice.random_mac();
        let host = switch.plug_in(&format!("ge{number}"), &format!("host{number}"), mac)?;
        host.add_address("eth0", &format!("10.5.0.{number}/24"))?;
        hosts.push((host, mac));
    }
    let running = quickstart(&here, &[])?;
    let wanted: BTreeSet<_> = hosts.iter().map(|(_, mac)| mac.to_string()).collect();
    let talk_and_look = || {
        for (host, _) in &hosts {
            // A host that asks for an address nobody has: one ARP broadcast, as real hosts send all the time.
            let _ = host.run("ping", ["-c1", "-W1", "10.5.0.99"]);
        }
        macs(&running.api)
    };
    let seen = clock::until("three endpoints are known", A_MINUTE, talk_and_look, |macs| macs.len() >= wanted.len())?;
    ensure!(seen == wanted, "{seen:?} instead of {wanted:?}");
    let look = || macs(&running.api);
    clock::throughout("exactly those three", Duration::from_secs(3), look, |macs| *macs == wanted)?;
    running.ends_on_ctrl_c()
}

/// With IPv6 on, the kernel gives a Linux bridge, and the port that leads here, link-local addresses, which they announce as any
/// host does. What announces an address of its own is a neighbour; the ports behind, whose frames never come here, are not.
#[test]
#[ignore = "needs root"]
fn a_bridge_nearby_is_a_neighbour_when_it_speaks_for_itself() -> Result<()> {
    let lab = Lab::new()?;
    let mut dice = Dice::new();
    let bridge = lab.node("bridge")?;
    bridge.ip(["link", "add", "br0", "type", "bridge"])?;
    bridge.ip(["link", "set", "br0", "up"])?;
    let mut wanted = BTreeSet::new();
    let mut hosts = Vec::new();
    for number in 1..5 {
        let (host, port, mac) = (lab.node(&format!("host{number}"))?, format!("p{number}"), dice.random_mac());
        lab.lay(&bridge, &port, &host, "eth0")?;
        host.set_mac("eth0", mac)?;
        bridge.ip(["link", "set", &port, "master", "br0", "up"])?;
        host.add_address("eth0", &format!("10.5.1.{number}/24"))?;
        host.ip(["link", "set", "eth0", "up"])?;
        // The first one is where quickstart runs.
        if number > 1 {
            wanted.insert(mac.to_string());
        }
        hosts.push(host);
    }
    wanted.insert(bridge.mac("br0")?.to_string());
    let this_port = bridge.mac("p1")?.to_string();
    let running = quickstart(&hosts[0], &[])?;
    let talk_and_look = || {
        for host in &hosts[1..] {
            let _ = host.run("ping", ["-c1", "-W1", "10.5.1.99"]);
        }
        // Any host that speaks; the bridge's own echo request is one more frame of its own.
        let _ = bridge.run("ping", ["-c1", "-W1", "-6", "ff02::1%br0"]);
        macs(&running.api)
    };
    clock::until("the hosts and the bridge are known", A_MINUTE, talk_and_look, |macs| macs.is_superset(&wanted))?;
    wanted.insert(this_port);
    let look = || macs(&running.api);
    clock::throughout("nobody else", Duration::from_secs(3), look, |macs| macs.is_subset(&wanted))?;
    running.ends_on_ctrl_c()
}

#[test]
#[ignore = "needs root"]
fn without_the_right_to_capture_it_says_how_to_get_it_and_still_runs() -> Result<()> {
    let lab = Lab::new()?;
    let here = lab.node("here")?;
    let mut command = powerless(&here)?;
    command.arg("--data").arg(here.dir().join("quickstart"));
    let running = started(&here, command)?;
    let said = running.process.log();
    is_clear(&said, &["Cannot", "capture", "setcap cap_net_raw+ep", "sudo"])?;
    ensure!(said.lines().count() <= 15, "a few lines, not:\n{said}");
    let sites = running.api.json("/api/v1/sites")?;
    ensure!(sites["items"].as_array().is_some_and(|sites| sites.len() == 1), "{sites}");
    running.ends_on_ctrl_c()
}

#[test]
#[ignore = "needs root"]
fn what_is_in_the_way_is_named_with_the_option_that_leads_around_it() -> Result<()> {
    let lab = Lab::new()?;
    let here = lab.node("here")?;
    let running = quickstart(&here, &["--listen", "127.0.0.1:8090"])?;
    let path = |name: &str| here.dir().join(name).display().to_string();

    // Another one on its port, and another one on its data.
    let (used, other) = (path("quickstart"), path("other"));
    refused(&here, &["--data", &other, "--listen", "127.0.0.1:8090"])?.refuses(&[
        "127.0.0.1:8090",
        "in use",
        "--listen",
    ])?;
    refused(&here, &["--data", &used, "--listen", "127.0.0.1:8091"])?.refuses(&[&used, "in use", "--data"])?;
    ensure!(running.api.json("/api/v1/sites").is_ok(), "the first one is not disturbed");
    running.ends_on_ctrl_c()?;

    // A data directory that is a file, and one that belongs to somebody else.
    let file = here.file("file", "")?.display().to_string();
    refused(&here, &["--data", &file])?.refuses(&[&file, "--data"])?;
    let foreign = path("foreign");
    fs::create_dir(&foreign)?;
    chown(&foreign, Some(65534), Some(65534))?;
    let mut command = powerless(&here)?;
    command.args(["--data", &format!("{foreign}/data")]);
    Said::of(command)?.refuses(&[&foreign, "Permission denied", "--data"])?;

    // A disk without room: one message, before it says that anything is watched.
    let disk = lab.small_disk("disk", 1024)?.display().to_string();
    let said = refused(&here, &["--data", &format!("{disk}/data")])?;
    ensure!(!said.out.contains("Token"), "it says that it runs: {}", said.out);
    said.refuses(&["full", &disk, "--data"])?;

    // What is not an address at all is used wrongly: status 2.
    let said = refused(&here, &["--listen", "8080"])?;
    ensure!(said.status == 2 && said.err.contains("127.0.0.1:8090"), "{said:?}");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_second_start_goes_on_with_the_data_and_the_token_of_the_first() -> Result<()> {
    let lab = Lab::new()?;
    let here = lab.node("here")?;
    let site = |running: &Running| -> Result<String> {
        let sites = running.api.json("/api/v1/sites")?;
        Ok(sites["items"][0]["id"].as_str().context("no site")?.to_owned())
    };
    let first = quickstart(&here, &[])?;
    let known = site(&first)?;
    let api = first.api.clone();
    first.ends_on_ctrl_c()?;
    let mut command = here.command(product("onenetd")?);
    command.arg("quickstart").arg("--data").arg(here.dir().join("quickstart"));
    let again = Process::start(&here, "again", command)?;
    let running = Running { process: again, api };
    // The token of the first start opens the second.
    let look = || Ok(site(&running).unwrap_or_default());
    let found = clock::until("the second start answers", START_WITHIN, look, |site| !site.is_empty())?;
    ensure!(found == known, "{found} instead of {known}");
    running.ends_on_ctrl_c()
}
