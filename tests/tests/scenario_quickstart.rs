//! README's first command, in a namespace with three hosts of random MACs: it shows exactly those three.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    dice::Dice,
    lab::{
        api::Api,
        netns::{Lab, Node},
        process::{Process, START_WITHIN, product},
        switch::Switch,
        vendor::Vendor,
    },
};
use onenet_topology::MacAddr;

/// "Within a minute shows this machine's real neighbours."
const A_MINUTE: Duration = Duration::from_secs(60);

struct Running {
    process: Process,
    api: Api,
}

/// Starts quickstart and takes address and token of the console from what it prints.
fn quickstart(node: &Node, more: &[&str]) -> Result<Running> {
    let mut command = node.command(product("onenetd")?);
    command.arg("quickstart").arg("--data").arg(node.dir().join("quickstart")).args(more);
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
    let mut running = quickstart(&here, &[])?;
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

    running.process.signal("INT")?;
    let status = running.process.ends(Duration::from_secs(10))?;
    ensure!(status.code() == Some(0), "Ctrl-C: {status}:\n{}", running.process.log());
    Ok(())
}
