//! The mirror port: every frame that enters a switch, copied to a capture interface.
//!
//! Invariant: a frame enters a bridge by exactly one port, so copying what each port receives shows each frame once.
//! Frames that the switch itself sends are not copied; a real mirror port rarely shows those either.

use anyhow::{Context, Result};

use super::{
    netns::{Lab, Node},
    switch::{BRIDGE, Switch},
};

/// Name of the switch's end of the mirror's cable.
const MIRROR_PORT: &str = "mirror0";

/// Copies what every present port of `switch` receives to `interface` of `collector`, which itself stays silent.
///
/// Ports plugged in later are added with [`add_port`].
///
/// # Errors
///
/// The kernel lacks `act_mirred` or `cls_u32`.
pub fn mirror(lab: &Lab, switch: &Switch<'_>, collector: &Node, interface: &str) -> Result<()> {
    let node = switch.node();
    lab.lay(node, MIRROR_PORT, collector, interface)?;
    for (end, name) in [(node, MIRROR_PORT), (collector, interface)] {
        end.silence(name)?;
        end.ip(["link", "set", name, "up"])?;
    }
    let ports = node.run("ls", [format!("/sys/class/net/{BRIDGE}/brif")])?;
    ports.split_whitespace().try_for_each(|port| add_port(switch, port))
}

/// Adds one port to the mirror.
///
/// # Errors
///
/// The port is in the mirror already.
pub fn add_port(switch: &Switch<'_>, port: &str) -> Result<()> {
    let node = switch.node();
    node.run("tc", ["qdisc", "add", "dev", port, "ingress"])?;
    // u32 with an empty mask matches all: kernels for small machines often have no matchall.
    let all = ["parent", "ffff:", "protocol", "all", "prio", "1", "u32", "match", "u32", "0", "0"];
    let copy = ["action", "mirred", "egress", "mirror", "dev", MIRROR_PORT];
    let rule = ["filter", "add", "dev", port].into_iter().chain(all).chain(copy);
    node.run("tc", rule).map(drop).with_context(|| format!("mirror port {port}"))
}
