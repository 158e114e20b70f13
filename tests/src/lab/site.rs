//! The standard site: two switches, a gateway with DHCP, a collector beside them, and a line to the centre.
//!
//! ```text
//!   centre ──wan0── collector ──eth0── ge2 core ge24 ── ge24 access ge1, ge2 … hosts
//!                       └─────cap0───────────── mirror ─────┘
//!                   gateway (DHCP, RA) ─── ge1 core
//! ```
//!
//! Invariant: every address and every attachment is a constant here or an argument, so scenarios compare with what is
//! true and not with what another program says.

use anyhow::Result;
use onenet_topology::MacAddr;

use super::{
    dhcp,
    line::Line,
    mirror,
    netns::{Lab, Node},
    snmpd::Snmpd,
    switch::Switch,
    vendor::Vendor,
};

/// Address of the centre on the line.
pub const CENTRE_IP: &str = "10.8.0.1";
/// Management address of the core switch.
pub const CORE_IP: &str = "10.77.0.3";
/// Management address of the access switch.
pub const ACCESS_IP: &str = "10.77.0.4";
/// Address of the collector on the site's network.
pub const COLLECTOR_IP: &str = "10.77.0.2";
/// Address of the gateway.
pub const GATEWAY_IP: &str = "10.77.0.1";
/// Its IPv6 address.
pub const GATEWAY_IPV6: &str = "fd00:77::1";
/// What both switches call themselves, and the names that the collector's configuration gives them.
pub const CORE_NAME: &str = "core-1";
/// See [`CORE_NAME`].
pub const ACCESS_NAME: &str = "access-1";

/// A running site.
#[derive(Debug)]
pub struct Site<'lab> {
    /// The switch that the gateway and the collector are plugged into.
    pub core: Switch<'lab>,
    /// The switch that hosts are plugged into.
    pub access: Switch<'lab>,
    /// SNMP and LLDP of the core switch.
    pub core_snmp: Snmpd,
    /// SNMP and LLDP of the access switch.
    pub access_snmp: Snmpd,
    /// The DHCP server.
    pub dhcp: dhcp::Server,
    /// Where the product's agent runs.
    pub collector: Node,
    /// Where the product's daemon runs.
    pub centre: Node,
    /// The line between them.
    pub line: Line,
}

/// A host that has its lease.
#[derive(Debug)]
pub struct Host {
    /// The namespace.
    pub node: Node,
    /// Its MAC address.
    pub mac: MacAddr,
    /// Its DHCP client and with it the address.
    pub dhcp: dhcp::Client,
}

impl<'lab> Site<'lab> {
    /// Builds and starts everything but the product.
    ///
    /// # Errors
    ///
    /// A server is not installed or does not start.
    pub fn start(lab: &'lab Lab) -> Result<Self> {
        let core = Switch::new(lab, "core", Vendor::Huawei.mac(0x0301))?;
        let access = Switch::new(lab, "access", Vendor::H3c.mac(0x0401))?;
        core.manage_at(&format!("{CORE_IP}/24"))?;
        access.manage_at(&format!("{ACCESS_IP}/24"))?;
        access.uplink("ge24", &core, "ge24")?;
        let gateway = core.plug_in("ge1", "gateway", Vendor::Huawei.mac(0x0101))?;
        gateway.add_address("eth0", &format!("{GATEWAY_IP}/24"))?;
        gateway.add_address("eth0", &format!("{GATEWAY_IPV6}/64"))?;
        let plan = dhcp::Plan { pool: ("10.77.0.100", "10.77.0.200"), ipv6_prefix: Some("fd00:77::") };
        let dhcp = dhcp::Server::start(&gateway, "eth0", plan)?;
        let (centre, collector) = (lab.node("centre")?, lab.node("collector")?);
        core.plug("ge2", &collector, "eth0", Vendor::Intel.mac(0x0201))?;
        collector.add_address("eth0", &format!("{COLLECTOR_IP}/24"))?;
        mirror::mirror(lab, &access, &collector, "cap0")?;
        let line = Line::lay(lab, "wan0", (&collector, "10.8.0.2/30"), (&centre, &format!("{CENTRE_IP}/30")))?;
        let core_snmp = Snmpd::start(&core, CORE_NAME)?;
        let access_snmp = Snmpd::start(&access, ACCESS_NAME)?;
        Ok(Self { core, access, core_snmp, access_snmp, dhcp, collector, centre, line })
    }

    /// Plugs a host into a port of the access switch and waits for its lease.
    ///
    /// # Errors
    ///
    /// The port is taken or no lease comes.
    pub fn plug_in(&self, port: &str, hostname: &str, mac: MacAddr) -> Result<Host> {
        let node = self.access.plug_in_mirrored(port, hostname, mac)?;
        let dhcp = dhcp::Client::start(&node, hostname)?;
        Ok(Host { node, mac, dhcp })
    }
}
