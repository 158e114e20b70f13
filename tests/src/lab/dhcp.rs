//! Real DHCP: dnsmasq as the site's server and router advertiser, ISC's dhclient on the hosts.
//!
//! Invariant: both are the unmodified Debian programs; only their files live in the lab.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use super::{
    netns::Node,
    process::{Process, START_WITHIN},
};
use crate::clock;

/// How long a host may take to get a lease.
const LEASE_WITHIN: Duration = Duration::from_secs(20);

/// What the server hands out.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// First and last IPv4 address of the pool.
    pub pool: (&'a str, &'a str),
    /// The /64 announced for IPv6 autoconfiguration, without length, such as `fd00:77::`; `None` for IPv4 only.
    pub ipv6_prefix: Option<&'a str>,
}

/// A running dnsmasq.
#[derive(Debug)]
pub struct Server {
    /// The process, to be killed or asked for its log.
    pub process: Process,
    leases: PathBuf,
}

impl Server {
    /// Starts dnsmasq on `interface`, which must have its addresses already.
    ///
    /// # Errors
    ///
    /// dnsmasq is not installed or refuses the plan.
    pub fn start(node: &Node, interface: &str, plan: Plan<'_>) -> Result<Self> {
        let leases = node.dir().join("leases");
        let mut command = node.command("dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--port=0"]);
        command.args(["--bind-interfaces", "--user=root", "--pid-file=", "--log-facility=-", "--no-ping"]);
        command.args(["--dhcp-authoritative", "--log-dhcp"]);
        command.arg(format!("--interface={interface}"));
        command.arg(format!("--dhcp-range={},{},1h", plan.pool.0, plan.pool.1));
        command.arg(format!("--dhcp-leasefile={}", leases.display()));
        if let Some(prefix) = plan.ipv6_prefix {
            command.arg("--enable-ra").arg(format!("--dhcp-range={prefix},ra-only,64"));
        }
        let mut process = Process::start(node, "dnsmasq", command)?;
        process.says("started, version", START_WITHIN)?;
        Ok(Self { process, leases })
    }

    /// Returns the leases as the server wrote them: MAC, IP, hostname.
    ///
    /// # Errors
    ///
    /// The lease file cannot be read.
    pub fn leases(&self) -> Result<Vec<(String, String, String)>> {
        let text = fs::read_to_string(&self.leases).context("read dnsmasq's leases")?;
        let mut leases = Vec::new();
        for line in text.lines() {
            if let [_, mac, ip, name, ..] = line.split_whitespace().collect::<Vec<_>>()[..] {
                leases.push((mac.to_owned(), ip.to_owned(), name.to_owned()));
            }
        }
        Ok(leases)
    }
}

/// What dhclient does with a lease, in place of Debian's script, which would write the machine's resolv.conf.
const LEASE_SCRIPT: &str = r#"#!/bin/sh
case "$reason" in
BOUND | RENEW | REBIND | REBOOT)
	ip -4 addr replace "$new_ip_address/$new_subnet_mask" dev "$interface"
	if [ -n "$new_routers" ]; then ip route replace default via "${new_routers%% *}"; fi
	;;
esac
"#;

/// A host's DHCP client, renewing its lease until dropped.
#[derive(Debug)]
pub struct Client {
    /// The process.
    pub process: Process,
    /// The address that it was given.
    pub ip: String,
}

impl Client {
    /// Asks for a lease on `eth0`, telling `hostname`, and waits for it.
    ///
    /// # Errors
    ///
    /// dhclient is not installed, or no server answers.
    pub fn start(node: &Node, hostname: &str) -> Result<Self> {
        let script = node.file("lease-script", LEASE_SCRIPT)?;
        super::netns::run("chmod", ["+x".as_ref(), script.as_os_str()])?;
        let options = "initial-interval 1;\nbackoff-cutoff 2;\nrequest subnet-mask, routers;\n";
        let config = node.file("dhclient.conf", &format!("send host-name \"{hostname}\";\n{options}"))?;
        let leases = node.file("dhclient.leases", "")?;
        let mut command = node.command("dhclient");
        command.args(["-4", "-d", "-v", "-cf"]).arg(&config).arg("-lf").arg(&leases).arg("-sf").arg(&script);
        command.arg("-pf").arg(node.dir().join("dhclient.pid")).arg("eth0");
        let process = Process::start(node, "dhclient", command)?;
        let what = format!("{hostname} gets a lease");
        let mut addresses = clock::until(&what, LEASE_WITHIN, || node.addresses("eth0", 4), |found| !found.is_empty())?;
        Ok(Self { process, ip: addresses.swap_remove(0) })
    }
}
