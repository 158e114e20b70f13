//! The shape of a network: bridges, cables, hosts.
//!
//! Invariant: bridges and cables are a tree, so that there is one way between any two.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{DeviceId, InterfaceId, MacAddr};

use super::{At, Dice, Plan};

/// Which bridge.
pub(super) type Node = usize;

/// A bridge.
#[derive(Debug, Clone)]
pub(super) enum Bridge {
    /// A switch, or two that share their ports. The last port of each of two is the cable between them.
    Switch(Vec<Device>),
    /// Unmanaged: it tells nothing.
    Hub,
}

/// A managed switch.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    /// Its ports: plain ones, and aggregates with their members.
    pub(super) ports: Vec<Port>,
    /// The port to the other switch of the pair.
    pub(super) peer: Option<InterfaceId>,
}

/// A port of a switch.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub(super) id: InterfaceId,
    /// Empty where it is no aggregate.
    pub(super) members: Vec<InterfaceId>,
    /// Whether another bridge is behind it.
    pub(super) uplink: bool,
    /// The partner that LACP tells, where there is one.
    pub(super) partner: Option<MacAddr>,
}

impl Device {
    fn plug(&mut self, members: usize, uplink: bool) -> InterfaceId {
        let next = self.ports.iter().map(|port| 1 + port.members.len() as u64).sum::<u64>() + 1;
        let id = InterfaceId::from_raw(self.id.raw() * 10_000 + next);
        let members = (1..=members as u64).map(|member| InterfaceId::from_raw(id.raw() + member)).collect();
        self.ports.push(Port { id, members, uplink, partner: None });
        id
    }

    /// Returns the address of the device itself.
    pub(super) fn own_mac(&self) -> MacAddr {
        MacAddr::from_u64(0x00e0_fc00_0000 + self.id.raw()).expect("below 2^48")
    }
}

/// A cable between two bridges: on each side the ports that it ends at.
#[derive(Debug, Clone)]
pub(super) struct Cable {
    pub(super) ends: [(Node, Vec<At>); 2],
}

impl Cable {
    /// Returns the ports on the side of a bridge, and the bridge on the other side.
    pub(super) fn from(&self, node: Node) -> Option<(&[At], Node)> {
        let [one, other] = &self.ends;
        if one.0 == node {
            Some((&one.1, other.0))
        } else if other.0 == node {
            Some((&other.1, one.0))
        } else {
            None
        }
    }
}

/// A host.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) mac: MacAddr,
    pub(super) node: Node,
    /// Where it is plugged in; nowhere on a hub.
    pub(super) ports: Vec<At>,
    /// Its VLANs: one, or those in which the agent has a foot.
    pub(super) vlans: Vec<u16>,
}

/// A network without what it tells.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) bridges: Vec<Bridge>,
    pub(super) cables: Vec<Cable>,
    pub(super) hosts: Vec<Host>,
    pub(super) agent: Host,
}

/// The VLAN in which devices are managed.
pub(super) const MANAGEMENT: u16 = 1;

/// Returns the shape that a plan describes.
pub(super) fn shape(plan: &Plan, dice: &mut Dice) -> Shape {
    let mut shape =
        Shape { bridges: bridges(plan, dice), cables: Vec::new(), hosts: Vec::new(), agent: agent(plan, dice) };
    let switches = shape.bridges.len();
    for node in 1..switches {
        // Trees of offices are broad; a few are chains.
        let least = if plan.seed.is_multiple_of(5) { node.saturating_sub(2) } else { 0 };
        let parent = least + dice.place(node - least);
        if plan.hubs && dice.happens(8) {
            shape.bridges.push(Bridge::Hub);
            let hub = shape.bridges.len() - 1;
            shape.lay(parent, hub, dice);
            shape.lay(hub, node, dice);
        } else {
            shape.lay(parent, node, dice);
        }
    }
    if plan.hubs {
        for _ in 0..=switches / 4 {
            shape.bridges.push(Bridge::Hub);
            let (hub, at) = (shape.bridges.len() - 1, dice.place(switches));
            shape.lay(at, hub, dice);
        }
    }
    let mut home = shape.agent.clone();
    home.node = dice.place(switches);
    home.ports = shape.plug_host(home.node, home.mac, false);
    shape.agent = home;
    let nodes = shape.bridges.len();
    for number in 0..plan.hosts {
        let mac =
            MacAddr::from_u64(0x001b_2100_0000 + dice.below(1 << 12) * 0x1000 + number as u64).expect("below 2^48");
        let node = dice.place(nodes);
        let both = dice.happens(30);
        let ports = shape.plug_host(node, mac, both);
        let vlans = vec![10 + u16::try_from(dice.below(plan.vlans.into())).unwrap_or(0)];
        shape.hosts.push(Host { mac, node, ports, vlans });
    }
    shape
}

/// Returns the managed bridges: switches, and pairs of them where the plan has some.
fn bridges(plan: &Plan, dice: &mut Dice) -> Vec<Bridge> {
    let mut bridges = Vec::new();
    let mut next = 1;
    let mut device = |peer: bool| {
        let mut device = Device { id: DeviceId::from_raw(next), ports: Vec::new(), peer: None };
        next += 1;
        device.peer = peer.then(|| device.plug(2, true));
        device
    };
    let mut left = plan.switches;
    while left > 0 {
        // The first bridge is a pair, as cores are.
        if plan.pairs && left > 1 && (bridges.is_empty() || dice.happens(10)) {
            bridges.push(Bridge::Switch(vec![device(true), device(true)]));
            left -= 2;
        } else {
            bridges.push(Bridge::Switch(vec![device(false)]));
            left -= 1;
        }
    }
    bridges
}

/// Returns the agent's machine, not plugged in yet: it has a foot in the VLAN of the devices and in half of the others.
fn agent(plan: &Plan, dice: &mut Dice) -> Host {
    let mac = MacAddr::from_u64(0x0050_5600_0001).expect("below 2^48");
    let others = (10..10 + plan.vlans).filter(|_| dice.happens(50));
    Host { mac, node: 0, ports: Vec::new(), vlans: std::iter::once(MANAGEMENT).chain(others).collect() }
}

impl Shape {
    /// Lays a cable between two bridges, an aggregate now and then and always to a pair.
    fn lay(&mut self, one: Node, other: Node, dice: &mut Dice) {
        let hub = [one, other].iter().any(|node| matches!(self.bridges[*node], Bridge::Hub));
        let pair = [one, other]
            .iter()
            .any(|node| matches!(&self.bridges[*node], Bridge::Switch(devices) if devices.len() > 1));
        let members = if !hub && (pair || dice.happens(25)) { 2 } else { 0 };
        let ends = [one, other].map(|node| {
            let uplink = true;
            let at = match &mut self.bridges[node] {
                Bridge::Hub => Vec::new(),
                // A hub knows no aggregates: it is at one switch of a pair.
                Bridge::Switch(devices) if hub => {
                    let which = dice.place(devices.len());
                    vec![(devices[which].id, devices[which].plug(0, uplink))]
                }
                Bridge::Switch(devices) => devices.iter_mut().map(|it| (it.id, it.plug(members, uplink))).collect(),
            };
            (node, at)
        });
        self.cables.push(Cable { ends });
    }

    /// Plugs a host in. Returns the ports: two where the bridge is a pair and the host wants `both`.
    fn plug_host(&mut self, node: Node, mac: MacAddr, both: bool) -> Vec<At> {
        let Bridge::Switch(devices) = &mut self.bridges[node] else { return Vec::new() };
        let which = usize::try_from(mac.to_u64()).unwrap_or(0) % devices.len();
        if devices.len() == 1 || !both {
            return vec![(devices[which].id, devices[which].plug(0, false))];
        }
        let plugged = devices.iter_mut().map(|device| {
            let id = device.plug(1, false);
            if let Some(port) = device.ports.last_mut() {
                port.partner = Some(mac);
            }
            (device.id, id)
        });
        plugged.collect()
    }

    /// Returns where each host is: for hosts on hubs, the ports of switches that lead to the hub.
    pub(super) fn truth(&self) -> BTreeMap<MacAddr, BTreeSet<At>> {
        let places = |host: &Host| match self.bridges[host.node] {
            Bridge::Switch(_) => host.ports.iter().copied().collect(),
            Bridge::Hub => self.around(host.node),
        };
        self.hosts.iter().chain([&self.agent]).map(|host| (host.mac, places(host))).collect()
    }

    /// Returns the ports of switches that lead to a hub. Hubs are next to switches only.
    pub(super) fn around(&self, hub: Node) -> BTreeSet<At> {
        let next: Vec<Node> = self.cables.iter().filter_map(|cable| Some(cable.from(hub)?.1)).collect();
        let facing = |node: Node| {
            let cable = self.cables.iter().find(|cable| cable.from(node).is_some_and(|(_, far)| far == hub));
            cable.and_then(|cable| cable.from(node)).map(|(ports, _)| ports.to_vec()).unwrap_or_default()
        };
        next.into_iter().flat_map(facing).collect()
    }

    /// Returns by bridge the cable that leads to `target`; `None` at the target.
    pub(super) fn ways(&self, target: Node) -> Vec<Option<usize>> {
        let mut ways = vec![None; self.bridges.len()];
        let mut reached = BTreeSet::from([target]);
        let mut at = vec![target];
        while let Some(node) = at.pop() {
            for (number, cable) in self.cables.iter().enumerate() {
                if let Some((_, far)) = cable.from(node)
                    && reached.insert(far)
                {
                    ways[far] = Some(number);
                    at.push(far);
                }
            }
        }
        ways
    }
}
