//! A switch: a Linux bridge in a namespace of its own.
//!
//! Invariant: each port's name is the name its SNMP agent tells, and the other end of its cable is the only thing
//! behind it, so a test knows the true attachment of everything.

use anyhow::Result;
use onenet_topology::MacAddr;

use super::{
    mirror,
    netns::{Lab, Node},
};

/// Name of the bridge inside the namespace.
pub const BRIDGE: &str = "br0";

/// A bridge with its ports.
#[derive(Debug)]
pub struct Switch<'lab> {
    lab: &'lab Lab,
    node: Node,
}

impl<'lab> Switch<'lab> {
    /// Creates a switch without ports. Its own MAC address is `mac`.
    ///
    /// # Errors
    ///
    /// The kernel has no bridges.
    pub fn new(lab: &'lab Lab, name: &str, mac: MacAddr) -> Result<Self> {
        let node = lab.node(name)?;
        node.ip(["link", "add", BRIDGE, "address", &mac.to_string(), "type", "bridge", "mcast_snooping", "0"])?;
        // A switch without a management address says nothing of its own; the kernel's would form link-local ones.
        node.write_sysctl(&format!("net/ipv6/conf/{BRIDGE}/disable_ipv6"), "1")?;
        node.ip(["link", "set", BRIDGE, "up"])?;
        Ok(Self { lab, node })
    }

    /// Returns the namespace, where the switch's SNMP agent runs.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Gives the switch a management address with prefix length, on the bridge itself.
    ///
    /// # Errors
    ///
    /// The address is there.
    pub fn manage_at(&self, address: &str) -> Result<()> {
        self.node.add_address(BRIDGE, address)
    }

    /// Plugs a new host into `port`: its `eth0` has MAC `mac` and is up.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn plug_in(&self, port: &str, host: &str, mac: MacAddr) -> Result<Node> {
        let node = self.lab.node(host)?;
        self.plug(port, &node, "eth0", mac)?;
        Ok(node)
    }

    /// Plugs a new host into `port` of a switch that is mirrored: the mirror shows the host's very first frame.
    ///
    /// # Errors
    ///
    /// The port is taken, or the switch has no mirror.
    pub fn plug_in_mirrored(&self, port: &str, host: &str, mac: MacAddr) -> Result<Node> {
        let node = self.lab.node(host)?;
        self.lay_port(port, &node, "eth0", mac)?;
        mirror::add_port(self, port)?;
        node.ip(["link", "set", "eth0", "up"])?;
        Ok(node)
    }

    /// Plugs a new interface of an existing node into `port`. The interface comes up last, with its MAC address set:
    /// the first frame on the wire already has it.
    ///
    /// # Errors
    ///
    /// The port or the interface is taken.
    pub fn plug(&self, port: &str, node: &Node, interface: &str, mac: MacAddr) -> Result<()> {
        self.lay_port(port, node, interface, mac)?;
        node.ip(["link", "set", interface, "up"])
    }

    fn lay_port(&self, port: &str, node: &Node, interface: &str, mac: MacAddr) -> Result<()> {
        let peer = ["type", "veth", "peer", "name", interface, "address", &mac.to_string(), "netns", node.netns()];
        self.node.ip(["link", "add", port].into_iter().chain(peer))?;
        self.node.write_sysctl(&format!("net/ipv6/conf/{port}/disable_ipv6"), "1")?;
        self.node.ip(["link", "set", port, "master", BRIDGE, "up"])
    }

    /// Joins two switches, `port` here to `other_port` there.
    ///
    /// # Errors
    ///
    /// A port is taken.
    pub fn uplink(&self, port: &str, other: &Switch<'_>, other_port: &str) -> Result<()> {
        self.lab.lay(&self.node, port, &other.node, other_port)?;
        for (switch, name) in [(self, port), (other, other_port)] {
            switch.node.write_sysctl(&format!("net/ipv6/conf/{name}/disable_ipv6"), "1")?;
            switch.node.ip(["link", "set", name, "master", BRIDGE, "up"])?;
        }
        Ok(())
    }

    /// Pulls the cable out of a port, or puts it back: the link goes down at both ends.
    ///
    /// # Errors
    ///
    /// No such port.
    pub fn set_port(&self, port: &str, up: bool) -> Result<()> {
        self.node.ip(["link", "set", port, if up { "up" } else { "down" }])
    }
}
