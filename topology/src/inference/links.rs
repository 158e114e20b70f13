//! Which devices are joined: the ways between devices without those that lead through another device.
//!
//! Invariant: a link names its ends in a fixed order; every statement of a neighbour is in a link, believed or not.

use std::collections::BTreeMap;

use super::{
    DeviceLink, End, LinkReason,
    adjacency::{DERIVED_DEVICES_MAX, Grounds},
    index::{DeviceIndex, Index, PortIndex},
};

/// The most that is said of a link where another port has nearly as much that speaks for it.
const CONTESTED: u8 = 45;

/// Returns the links between the devices of a site.
pub(super) fn links(index: &Index) -> Vec<DeviceLink> {
    let mut found: BTreeMap<(End, End), (u8, LinkReason)> = BTreeMap::new();
    for (device, far, port, here, is_way) in index.adjacency.claims() {
        let (back, there) = other_end(index, device, port, far);
        // The other end is told to be at a port that leads elsewhere.
        let is_way = is_way && back.is_none_or(|back| index.adjacency.leads(far, back, device) != Some(false));
        let (confidence, reason) = if is_way {
            if !here.is_direct() && !there.is_direct() && !is_direct(index, device, far) {
                continue;
            }
            let contested = index.adjacency.is_contested(device, far) || index.adjacency.is_contested(far, device);
            let (confidence, reason) = judge(here, there);
            (if contested { confidence.min(CONTESTED) } else { confidence }, reason)
        } else if here.is_direct() || here.own {
            (15, LinkReason::Contradicted)
        } else {
            continue;
        };
        let ends = [(device, Some(port)), (far, back)].map(|(device, port)| End {
            device: index.device(device),
            interface: port.and_then(|port| index.ports.get(port)).map(|port| port.interface),
        });
        let [a, b] = ends;
        let link = found.entry((a.min(b), a.max(b))).or_insert((confidence, reason));
        *link = (*link).max((confidence, reason));
    }
    let links = found.into_iter().map(|((a, b), (confidence, reason))| DeviceLink { a, b, confidence, reason });
    links.collect()
}

/// Returns the port of `far` at the other end, with what says so: the one that a neighbour names, so that parallel cables
/// are told apart, else the one that leads to `device`.
fn other_end(index: &Index, device: DeviceIndex, port: PortIndex, far: DeviceIndex) -> (Option<PortIndex>, Grounds) {
    let of_far = |port: &PortIndex| index.ports.get(*port).is_some_and(|port| port.device == far);
    let named = index.adjacency.facing(port).find(of_far);
    match named.or_else(|| index.adjacency.way(far, device)) {
        Some(back) => {
            let grounds = index.adjacency.grounds(far, device, back);
            let of_device = |it: &PortIndex| index.ports.get(*it).is_some_and(|it| it.device == device);
            let mut facing = index.adjacency.facing(back).filter(of_device).peekable();
            // What is told of that port may be about another one of ours.
            let is_other = facing.peek().is_some() && facing.all(|it| it != port);
            (Some(back), if is_other { grounds.untold() } else { grounds })
        }
        None => (None, Grounds::default()),
    }
}

/// Returns whether no device is known to be between two.
fn is_direct(index: &Index, one: DeviceIndex, other: DeviceIndex) -> bool {
    if index.adjacency.is_parted(one, other) {
        return false;
    }
    let devices = index.devices.len();
    devices <= DERIVED_DEVICES_MAX && !(0..devices).any(|middle| index.adjacency.is_between(one, middle, other))
}

fn judge(here: Grounds, there: Grounds) -> (u8, LinkReason) {
    if here.is_two_sided() || there.is_two_sided() {
        (98, LinkReason::TwoSided)
    } else if here.is_told() || there.is_told() {
        (85, LinkReason::OneSided)
    } else if here.stp || there.stp {
        (82, LinkReason::SpanningTree)
    } else if here.lacp || there.lacp {
        (80, LinkReason::Lacp)
    } else if here.own || there.own {
        let both = here.own && there.own;
        (if both { 80 } else { 70 }, LinkReason::OwnAddress { both })
    } else if here.hosts.max(there.hosts) > 0 {
        let hosts = here.hosts.max(there.hosts);
        (if hosts >= 3 { 70 } else { 55 }, LinkReason::SharedHosts { hosts })
    } else {
        (50, LinkReason::Derived)
    }
}
