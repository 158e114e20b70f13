//! What the devices of a network say: interfaces, forwarding tables, neighbours.

use onenet_topology::{
    DeviceId, InterfaceId, MacAddr,
    inference::{DeviceEvidence, ForwardingEvidence, InterfaceEvidence, NeighbourEvidence, PortLink, SiteEvidence},
};

use super::{
    At, Dice, Lldp, Own, Plan,
    build::{Bridge, Device, Host, MANAGEMENT, Node, Port, Shape},
};

/// A statement about a neighbour: who hears whom, and at which ports.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at: At,
    far: At,
}

/// Returns what the devices of a network say.
pub(super) fn evidence(plan: &Plan, shape: &Shape, dice: &mut Dice) -> SiteEvidence {
    let mut devices = Vec::new();
    for device in switches(shape) {
        devices.push(DeviceEvidence {
            id: device.id,
            own_macs: vec![device.own_mac()],
            interfaces: device.ports.iter().flat_map(interfaces).collect(),
            forwarding: Vec::new(),
            neighbours: Vec::new(),
            facing: Vec::new(),
            stations: Vec::new(),
        });
    }
    let by_member: Vec<bool> = devices.iter().map(|_| dice.happens(20)).collect();
    let blind: Vec<bool> = devices.iter().map(|_| dice.happens(15)).collect();
    tell_tables(plan, shape, &mut devices);
    for (number, device) in devices.iter_mut().enumerate() {
        for row in &mut device.forwarding {
            // BRIDGE-MIB tells no VLAN; some devices name a member instead of its aggregate.
            row.vlan = row.vlan.filter(|_| !blind[number]);
            if by_member[number] {
                row.interface = row.interface.map(|at| a_member(shape, device.id, at, dice));
            }
        }
        device.forwarding.sort_by_key(|row| (row.mac, row.vlan, row.interface));
        device.forwarding.dedup();
        dice.shuffle(&mut device.forwarding);
    }
    tell_neighbours(plan, shape, &mut devices, dice);
    SiteEvidence { devices, anchors: vec![shape.agent.mac] }
}

/// Returns the managed devices in the order of their ids.
fn switches(shape: &Shape) -> impl Iterator<Item = &Device> {
    let devices = shape.bridges.iter().filter_map(|bridge| match bridge {
        Bridge::Switch(devices) => Some(devices),
        Bridge::Hub => None,
    });
    devices.flatten()
}

fn interfaces(port: &Port) -> Vec<InterfaceEvidence> {
    let one = |id: InterfaceId, kind, aggregate| InterfaceEvidence {
        id,
        name: format!("port{}", id.raw() % 10_000),
        if_index: u32::try_from(id.raw() % 10_000).unwrap_or(0),
        mac: None,
        kind,
        up: Some(true),
        aggregate,
        partner: None,
    };
    let kind = if port.members.is_empty() { PortLink::Wired } else { PortLink::Aggregate };
    let whole = InterfaceEvidence { partner: port.partner.map(|mac| mac.to_string()), ..one(port.id, kind, None) };
    let members = port.members.iter().map(|member| one(*member, PortLink::Wired, Some(port.id)));
    std::iter::once(whole).chain(members).collect()
}

fn a_member(shape: &Shape, device: DeviceId, at: InterfaceId, dice: &mut Dice) -> InterfaceId {
    let port = switches(shape).find(|it| it.id == device).and_then(|it| it.ports.iter().find(|port| port.id == at));
    match port {
        Some(port) if !port.members.is_empty() => port.members[dice.place(port.members.len())],
        _ => at,
    }
}

/// Everybody has learned every host; own addresses as the plan says.
fn tell_tables(plan: &Plan, shape: &Shape, devices: &mut [DeviceEvidence]) {
    let agent = shape.ways(shape.agent.node);
    for host in shape.hosts.iter().chain([&shape.agent]) {
        let ways = shape.ways(host.node);
        for node in 0..shape.bridges.len() {
            for (device, port) in learned(shape, node, &ways, &host.ports) {
                let row = |vlan: &u16| row(host.mac, *vlan, port);
                told_by(devices, device).forwarding.extend(host.vlans.iter().map(row));
            }
        }
    }
    for (home, bridge) in shape.bridges.iter().enumerate() {
        let Bridge::Switch(own) = bridge else { continue };
        let ways = shape.ways(home);
        for device in own {
            for node in 0..shape.bridges.len() {
                let on_the_way = is_between(shape, home, node, &agent);
                if plan.own == Own::Nowhere || plan.own == Own::OnTheWay && !on_the_way {
                    continue;
                }
                // Of a pair, the other switch sees it on the cable between them.
                for (other, port) in learned(shape, node, &ways, &peer_port(own, device.id)) {
                    if other != device.id {
                        told_by(devices, other).forwarding.push(row(device.own_mac(), MANAGEMENT, port));
                    }
                }
            }
        }
    }
}

fn told_by(devices: &mut [DeviceEvidence], id: DeviceId) -> &mut DeviceEvidence {
    devices.iter_mut().find(|device| device.id == id).expect("every device is told of")
}

fn row(mac: MacAddr, vlan: u16, port: InterfaceId) -> ForwardingEvidence {
    ForwardingEvidence { mac, vlan: Some(vlan), interface: Some(port), learned: true }
}

/// Returns the port of the other switch of a pair that leads to this one.
fn peer_port(pair: &[Device], device: DeviceId) -> Vec<At> {
    pair.iter().filter(|other| other.id != device).filter_map(|other| Some((other.id, other.peer?))).collect()
}

/// Returns at which ports a bridge has learned what is behind `ways`, or at `here` when it is at the bridge itself.
fn learned(shape: &Shape, node: Node, ways: &[Option<usize>], here: &[At]) -> Vec<At> {
    let Bridge::Switch(devices) = &shape.bridges[node] else { return Vec::new() };
    let ports = match ways[node] {
        Some(cable) => shape.cables[cable].from(node).map(|(ports, _)| ports).unwrap_or_default(),
        None => here,
    };
    if ports.is_empty() {
        return Vec::new();
    }
    let one = |device: &Device| {
        let own = ports.iter().find(|(id, _)| *id == device.id).copied();
        own.or_else(|| Some((device.id, device.peer?)))
    };
    devices.iter().filter_map(one).collect()
}

/// Returns whether `node` is on the way from `from` to the end of `ways`, ends included.
fn is_between(shape: &Shape, from: Node, node: Node, ways: &[Option<usize>]) -> bool {
    let mut at = from;
    loop {
        if at == node {
            return true;
        }
        let Some((_, far)) = ways[at].and_then(|cable| shape.cables[cable].from(at)) else { return false };
        at = far;
    }
}

fn tell_neighbours(plan: &Plan, shape: &Shape, devices: &mut [DeviceEvidence], dice: &mut Dice) {
    let mut heard = neighbours(shape);
    match plan.lldp {
        Lldp::None => heard.clear(),
        Lldp::Half => heard.retain(|_| dice.happens(50)),
        Lldp::Wrong => {
            for it in &mut heard {
                if dice.happens(20) {
                    mislead(shape, it, dice);
                }
            }
        }
        Lldp::Full => {}
    }
    heard.retain(|it| it.at.0 != it.far.0);
    for Heard { at, far } in heard {
        let chassis = switches(shape).find(|it| it.id == far.0).map(Device::own_mac).expect("a device");
        let remote_interface = dice.happens(50).then_some(far.1);
        let chassis_id = chassis.to_string();
        let neighbour = NeighbourEvidence {
            interface: at.1,
            device: None,
            remote_interface,
            chassis_id,
            claims: None,
            phone: None,
        };
        told_by(devices, at.0).neighbours.push(neighbour);
    }
    // Telephones tell of themselves too.
    for Host { mac, ports, .. } in &shape.hosts {
        if let [(device, interface)] = ports[..]
            && plan.lldp != Lldp::None
            && dice.happens(5)
        {
            let chassis_id = mac.to_string();
            let phone = NeighbourEvidence {
                interface,
                device: None,
                remote_interface: None,
                chassis_id,
                claims: None,
                phone: None,
            };
            told_by(devices, device).neighbours.push(phone);
        }
    }
}

/// Returns what everybody hears: along each cable, between the switches of a pair, and through hubs.
fn neighbours(shape: &Shape) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut both = |one: &[At], other: &[At]| {
        for at in one {
            for far in other {
                heard.extend([Heard { at: *at, far: *far }, Heard { at: *far, far: *at }]);
            }
        }
    };
    for cable in &shape.cables {
        let [(_, one), (_, other)] = &cable.ends;
        both(one, other);
    }
    for (node, bridge) in shape.bridges.iter().enumerate() {
        match bridge {
            Bridge::Switch(pair) => {
                if let [one, other] = &pair[..]
                    && let (Some(here), Some(there)) = (one.peer, other.peer)
                {
                    both(&[(one.id, here)], &[(other.id, there)]);
                }
            }
            Bridge::Hub => {
                let around: Vec<At> = shape.around(node).into_iter().collect();
                for (place, at) in around.iter().enumerate() {
                    both(&[*at], &around[place + 1..]);
                }
            }
        }
    }
    heard
}

/// Makes a statement wrong: an old one at a port where a terminal is now, or the name of another device.
fn mislead(shape: &Shape, heard: &mut Heard, dice: &mut Dice) {
    let devices: Vec<&Device> = switches(shape).collect();
    let here = devices.iter().find(|it| it.id == heard.at.0).expect("a device");
    let access: Vec<&Port> = here.ports.iter().filter(|port| !port.uplink).collect();
    if dice.happens(50) && !access.is_empty() {
        heard.at.1 = access[dice.place(access.len())].id;
        return;
    }
    let other = devices[dice.place(devices.len())];
    if !other.ports.is_empty() {
        heard.far = (other.id, other.ports[dice.place(other.ports.len())].id);
    }
}
