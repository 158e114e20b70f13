//! A real SNMP agent on a switch: net-snmp's snmpd, with BRIDGE-MIB and Q-BRIDGE-MIB from `snmp-bridge-mib` and
//! LLDP-MIB from lldpd, both through AgentX.
//!
//! Invariant: Debian's programs. `snmp-bridge-mib` alone runs from a corrected copy ([`CORRECTIONS`]), made when the
//! lab starts; a version that no longer holds the corrected text is an error, not a silent difference.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};

use super::{
    netns::Node,
    process::{Process, START_WITHIN},
    switch::{BRIDGE, Switch},
};
use crate::clock;

/// The community that reads.
pub const COMMUNITY: &str = "lab-read";
/// The SNMPv3 user, authPriv with SHA-1 and AES-128.
pub const V3_USER: &str = "lab-v3";
/// Its authentication pass phrase.
pub const V3_AUTH: &str = "auth-pass-of-the-lab";
/// Its privacy pass phrase.
pub const V3_PRIV: &str = "priv-pass-of-the-lab";

/// Where Debian's package `snmp` puts the bridge's sub-agent.
const BRIDGE_SUBAGENT: &str = "/usr/bin/snmp-bridge-mib";

/// What is wrong in `snmp-bridge-mib` of net-snmp 5.9.3, what it has to be, and why.
const CORRECTIONS: [(&str, &str, &str); 5] = [
    ("$cache_timout=60;", "$cache_timout=0;", "the table would be older than the deadlines that scenarios check"),
    ("next if ($local);", "next unless ($local);", "learned and own addresses are mixed up"),
    ("$macs{$mac}{$bridge}=$bridge;", "", "a row without a port ends every walk of the table"),
    (
        "keys %{$interfaces{$bridge}}",
        "sort {$a <=> $b} keys %{$interfaces{$bridge}}",
        "tables come in the order of a hash, another one each time",
    ),
    (
        "{\n\t\tunless(defined($first_baseport)){",
        "{\n\t\t$baseport=$port;\n\t\tunless(defined($first_baseport)){",
        "a port's number is its place in the table, so that all change whenever a port comes, even within a walk",
    ),
];

/// A switch's SNMP agent and its sub-agents.
#[derive(Debug)]
pub struct Snmpd {
    /// The master agent.
    pub master: Process,
    /// Tells the bridge's tables.
    pub bridge: Process,
    /// Speaks LLDP on the switch's ports and tells what it heard.
    pub lldp: Process,
}

impl Snmpd {
    /// Starts all three on a switch and waits until each of them answers through the master.
    ///
    /// # Errors
    ///
    /// A program is not installed or does not answer.
    pub fn start(switch: &Switch<'_>, system_name: &str) -> Result<Self> {
        Self::start_with(switch, system_name, "")
    }

    /// Starts all three as [`Snmpd::start`] does, with more lines of snmpd's configuration.
    ///
    /// # Errors
    ///
    /// As of [`Snmpd::start`].
    pub fn start_with(switch: &Switch<'_>, system_name: &str, more: &str) -> Result<Self> {
        let node = switch.node();
        let agentx = node.dir().join("agentx");
        let master = start_master_with(node, system_name, &agentx, more)?;
        let bridge = start_bridge(node, &agentx)?;
        let lldp = start_lldp(node, system_name, &agentx)?;
        // dot1dBaseNumPorts (RFC 4188) and lldpLocSysName (IEEE 802.1AB).
        for (what, oid) in [("BRIDGE-MIB", ".1.3.6.1.2.1.17.1.2.0"), ("LLDP-MIB", ".1.0.8802.1.1.2.1.3.3.0")] {
            // The sub-agent registers its scalars without the trailing .0, so the branch is walked.
            let branch = oid.trim_end_matches(".0");
            let walk = || node.run("snmpwalk", ["-v2c", "-c", COMMUNITY, "-t1", "-r0", "-On", "127.0.0.1", branch]);
            clock::until(&format!("snmpd answers for {what}"), START_WITHIN, walk, |text| text.starts_with(branch))?;
        }
        Ok(Self { master, bridge, lldp })
    }
}

/// Starts snmpd alone, on a node that is no switch.
///
/// # Errors
///
/// snmpd is not installed.
pub fn start_master(node: &Node, system_name: &str, agentx: &std::path::Path) -> Result<Process> {
    start_master_with(node, system_name, agentx, "")
}

/// Returns the lines that have snmpd send a linkDown trap to `collector` when a port goes down: it looks at its ports every
/// second, with a user of its own.
pub fn link_down_traps(collector: &str) -> String {
    format!(
        "trap2sink {collector} {COMMUNITY}\ncreateUser watch SHA watch-pass-of-the-lab\niquerySecName watch\nrouser watch\n\
         notificationEvent down .1.3.6.1.6.3.1.1.5.3 -i .1.3.6.1.2.1.2.2.1.1 -i .1.3.6.1.2.1.2.2.1.8\n\
         monitor -r 1 -e down \"a port went down\" .1.3.6.1.2.1.2.2.1.8 == 2\n"
    )
}

fn start_master_with(node: &Node, system_name: &str, agentx: &std::path::Path, more: &str) -> Result<Process> {
    let config = node.file(
        "snmpd.conf",
        &format!(
            "agentAddress udp:161,udp6:161\nrocommunity {COMMUNITY}\nrocommunity6 {COMMUNITY}\n\
             master agentx\nagentXSocket {}\nsysName {system_name}\nsysLocation rack 3\nsysContact network centre\n\
             createUser {V3_USER} SHA {V3_AUTH} AES {V3_PRIV}\nrouser {V3_USER} priv\n{more}",
            agentx.display()
        ),
    )?;
    let mut command = node.command("snmpd");
    command.args(["-f", "-Lo", "-C", "-c"]).arg(config).arg("-p").arg(node.dir().join("snmpd.pid"));
    command.env("SNMP_PERSISTENT_DIR", node.dir().join("snmpd-state"));
    let mut master = Process::start(node, "snmpd", command)?;
    master.says("NET-SNMP version", START_WITHIN)?;
    Ok(master)
}

fn start_bridge(node: &Node, agentx: &std::path::Path) -> Result<Process> {
    let shipped = fs::read_to_string(BRIDGE_SUBAGENT)
        .with_context(|| format!("read {BRIDGE_SUBAGENT}: apt-get install snmp libsnmp-perl"))?;
    let mut corrected = shipped;
    for (wrong, right, why) in CORRECTIONS {
        ensure!(corrected.contains(wrong), "{BRIDGE_SUBAGENT} no longer holds {wrong:?} ({why}): correct the lab");
        corrected = corrected.replace(wrong, right);
    }
    let script = node.file("bridge-mib.pl", &corrected)?;
    let config_dir = subagent_config(node, agentx)?;
    let mut command = node.command("perl");
    command.arg(script).arg(BRIDGE).env("SNMPCONFPATH", config_dir);
    command.env("SNMP_PERSISTENT_DIR", node.dir().join("bridge-state"));
    Process::start(node, "bridge-mib", command)
}

/// A sub-agent of net-snmp's library finds the master by a configuration file.
fn subagent_config(node: &Node, agentx: &std::path::Path) -> Result<PathBuf> {
    let dir = node.dir().join("subagent");
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    // Named after the sub-agent, which calls itself so.
    let path = dir.join("dot1qbridge.conf");
    fs::write(&path, format!("agentXSocket {}\n", agentx.display())).with_context(|| path.display().to_string())?;
    Ok(dir)
}

fn start_lldp(node: &Node, system_name: &str, agentx: &std::path::Path) -> Result<Process> {
    start_lldpd(node, system_name, Some(agentx))
}

/// Starts lldpd on a node, as a switch's or a host's own; with `agentx` it tells LLDP-MIB to that master agent.
///
/// # Errors
///
/// lldpd is not installed.
pub fn start_lldpd(node: &Node, system_name: &str, agentx: Option<&std::path::Path>) -> Result<Process> {
    // One-second hellos: a neighbour is known as soon as a test looks for it. The configuration is read by the lldpcli
    // that lldpd starts itself.
    let hellos = "configure lldp tx-interval 1\nconfigure lldp portidsubtype ifname\n";
    let config = node.file("lldpd.conf", &format!("{hellos}configure system hostname {system_name}\n"))?;
    let mut command = node.command("lldpd");
    command.arg("-d").arg("-u").arg(node.dir().join("lldpd.sock")).arg("-O").arg(config);
    if let Some(agentx) = agentx {
        command.arg("-x").arg("-X").arg(agentx);
    }
    Process::start(node, "lldpd", command)
}
