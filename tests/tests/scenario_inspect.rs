//! `inspect` on real agents: what snmpd, snmp-bridge-mib and lldpd tell is what the kernel knows.

use anyhow::{Context, Result, ensure};
use onenet_tests::{
    clock,
    lab::{
        netns::{Lab, Node},
        process::{START_WITHIN, product},
        product::Said,
        site::{self, Site},
        snmpd,
        switch::BRIDGE,
        vendor::Vendor,
    },
};
use serde_json::Value;

fn inspect(node: &Node, args: &[&str]) -> Result<Value> {
    let mut command = node.command(product("onenet-agent")?);
    command.arg("inspect").args(args).arg("--json");
    let said = Said::of(command)?;
    ensure!(said.status == 0, "{args:?}: {said:?}");
    serde_json::from_str(&said.out).with_context(|| format!("no JSON: {}", said.out))
}

fn rows<'v>(inspection: &'v Value, table: &str) -> Result<&'v Vec<Value>> {
    inspection[table].as_array().with_context(|| format!("no {table} in {inspection}"))
}

/// Returns (MAC, port) of each address that the kernel's bridge has learned.
fn learned(switch: &Node) -> Result<Vec<(String, String)>> {
    let shown: Value = serde_json::from_str(&switch.run("bridge", ["-j", "fdb", "show", "br", BRIDGE])?)?;
    let is_learned = |row: &&Value| row["state"] != "permanent" && row["master"] == BRIDGE;
    let pair = |row: &Value| Some((row["mac"].as_str()?.to_owned(), row["ifname"].as_str()?.to_owned()));
    let mut pairs: Vec<_> = shown.as_array().into_iter().flatten().filter(is_learned).filter_map(pair).collect();
    pairs.sort();
    Ok(pairs)
}

fn told(inspection: &Value) -> Result<Vec<(String, String)>> {
    let is_learned = |row: &&Value| row["status"] == "learned";
    let pair = |row: &Value| Some((row["mac"].as_str()?.to_owned(), row["interface"].as_str()?.to_owned()));
    let mut pairs: Vec<_> = rows(inspection, "forwarding")?.iter().filter(is_learned).filter_map(pair).collect();
    pairs.sort();
    pairs.dedup();
    Ok(pairs)
}

#[test]
#[ignore = "needs root, snmpd, lldpd, dnsmasq and dhclient"]
fn inspect_tells_what_the_kernel_knows_by_v2c_and_by_v3() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::start(&lab)?;
    let host = site.plug_in("ge5", "front-desk", Vendor::Dell.mac(5))?;
    site.collector.run("ping", ["-c1", "-W2", &host.dhcp.ip])?;
    let community = [site::ACCESS_IP, "--community", snmpd::COMMUNITY];

    let same = || {
        let inspection = inspect(&site.collector, &community)?;
        Ok((told(&inspection)?, learned(site.access.node())?, inspection))
    };
    let wanted = (host.mac.to_string(), "ge5".to_owned());
    let is_same = |(told, learned, _): &(Vec<_>, Vec<_>, Value)| told == learned && told.contains(&wanted);
    let (_, _, inspection) = clock::until("inspect tells the kernel's table", START_WITHIN, same, is_same)?;

    ensure!(inspection["system"]["name"] == site::ACCESS_NAME, "{}", inspection["system"]);
    let names: Vec<_> = rows(&inspection, "interfaces")?.iter().filter_map(|row| row["name"].as_str()).collect();
    ensure!(["br0", "ge5", "ge24"].iter().all(|name| names.contains(name)), "{names:?}");
    let heard = rows(&inspection, "neighbours")?;
    let core = heard.iter().find(|row| row["system_name"] == site::CORE_NAME).with_context(|| format!("{heard:?}"))?;
    ensure!(core["local_port"] == "ge24" && core["protocol"] == "lldp", "{core}");
    for row in rows(&inspection, "dropped")? {
        ensure!(row["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "dropped without a reason: {row}");
    }

    let v3 = ["--v3", snmpd::V3_USER, "--auth", "SHA", "--auth-key", snmpd::V3_AUTH];
    let v3 = [&[site::ACCESS_IP][..], &v3, &["--privacy", "AES", "--privacy-key", snmpd::V3_PRIV]].concat();
    let by_v3 = inspect(&site.collector, &v3)?;
    for table in ["forwarding", "neighbours", "addresses"] {
        let (one, other) = (rows(&inspection, table)?.len(), rows(&by_v3, table)?.len());
        ensure!(one == other, "{table}: {one} rows by v2c, {other} by v3");
    }
    ensure!(by_v3["identity"] == inspection["identity"], "{} and {}", by_v3["identity"], inspection["identity"]);
    ensure!(by_v3["identity"]["engine_id"].is_string(), "{}", by_v3["identity"]);
    let by_core = inspect(&site.collector, &[site::CORE_IP, "--community", snmpd::COMMUNITY])?;
    ensure!(by_core["identity"]["chassis_id"] == core["chassis_id"], "{} is heard as {core}", by_core["identity"]);
    Ok(())
}

#[test]
#[ignore = "needs root and snmpd"]
fn each_wrong_credential_is_named_with_its_remedy() -> Result<()> {
    let lab = Lab::new()?;
    let (collector, device) = (lab.node("collector")?, lab.node("device")?);
    lab.cable(&collector, "eth0", &device, "eth0")?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    device.add_address("eth0", "10.77.0.3/24")?;
    let _snmpd = snmpd::start_master(&device, "switch-1", &device.dir().join("agentx"))?;
    let auth = ["--v3", snmpd::V3_USER, "--auth", "SHA", "--auth-key"];
    let privacy = ["--privacy", "AES", "--privacy-key"];
    let right_auth = [&auth[..], &[snmpd::V3_AUTH]].concat();
    for (what, args, words) in [
        ("community", vec!["--community", "wrong"], ["10.77.0.3", "community"]),
        ("user", vec!["--v3", "nobody"], ["10.77.0.3", "user"]),
        ("authentication key", [&auth[..], &["not-the-pass-phrase"]].concat(), ["10.77.0.3", "authentication"]),
        ("privacy key", [&right_auth[..], &privacy, &["not-the-pass-phrase"]].concat(), ["10.77.0.3", "privacy"]),
    ] {
        let mut command = collector.command(product("onenet-agent")?);
        command.args(["inspect", "10.77.0.3"]).args(args);
        let said = Said::of(command)?;
        said.refuses(&words).with_context(|| format!("wrong {what}"))?;
        ensure!(!said.err.contains("not-the-pass-phrase"), "a secret in a message: {}", said.err);
    }
    Ok(())
}

#[test]
#[ignore = "needs root and snmpd"]
fn pass_phrases_need_not_stand_on_the_command_line() -> Result<()> {
    let lab = Lab::new()?;
    let (collector, device) = (lab.node("collector")?, lab.node("device")?);
    lab.cable(&collector, "eth0", &device, "eth0")?;
    collector.add_address("eth0", "10.77.0.2/24")?;
    device.add_address("eth0", "10.77.0.3/24")?;
    let _snmpd = snmpd::start_master(&device, "switch-1", &device.dir().join("agentx"))?;
    let ask = |more: &[&str], environment: &[(&str, &str)]| -> Result<Said> {
        let mut command = collector.command(product("onenet-agent")?);
        command.args(["inspect", "10.77.0.3", "--json"]).args(more).envs(environment.iter().copied());
        Said::of(command)
    };
    let user = ["--v3", snmpd::V3_USER, "--auth", "SHA", "--privacy", "AES"];
    let (auth, privacy) = (("ONENET_AUTH_KEY", snmpd::V3_AUTH), ("ONENET_PRIVACY_KEY", snmpd::V3_PRIV));
    let file = collector.file("privacy-key", &format!("{}\n", snmpd::V3_PRIV))?.display().to_string();
    let community = collector.file("community", &format!("{}\n", snmpd::COMMUNITY))?.display().to_string();
    for (what, said) in [
        ("all from the environment", ask(&user, &[auth, privacy])?),
        ("one from a file", ask(&[&user[..], &["--privacy-key-file", &file]].concat(), &[auth])?),
        ("community from a file", ask(&["--community-file", &community], &[])?),
        ("community from the environment", ask(&[], &[("ONENET_COMMUNITY", snmpd::COMMUNITY)])?),
    ] {
        ensure!(said.status == 0, "{what}: {said:?}");
    }
    // Each is asked for where it is missing, by the ways that nobody can look at.
    ask(&user, &[auth])?.refuses(&["privacy", "ONENET_PRIVACY_KEY", "--privacy-key-file"])?;
    ask(&[&user[..], &["--privacy-key-file", "/nowhere/key"]].concat(), &[auth])?.refuses(&["/nowhere/key", "readable"])
}
