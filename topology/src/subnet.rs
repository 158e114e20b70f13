//! Subnets: in which networks devices have addresses, who leads out of each, and how many hosts are seen in it.
//!
//! Invariant: pure; the result depends on the set of what is given, never on its order. Whoever has addresses in several networks, or is
//! where somebody's routes lead, is a gateway. An address of its own length, and what is meant for one link only, is in no network.
//!
//! The work grows with the number of addresses and hosts, times the number of prefix lengths in use.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnetwork::IpNetwork;

use crate::DeviceId;

/// An address that a device tells of itself, with the length of its prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceAddress {
    /// The device.
    pub device: DeviceId,
    /// ifName; empty where it is not told.
    pub interface: String,
    /// The address in its network.
    pub address: IpNetwork,
}

/// A device in a subnet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its address there.
    pub ip: IpAddr,
    /// The device.
    pub device: DeviceId,
    /// ifName; empty where it is not told.
    pub interface: String,
    /// Whether it leads out: it has addresses in other networks too, or routes lead to this one.
    pub is_gateway: bool,
}

/// A network in which devices have addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    /// The network.
    pub network: IpNetwork,
    /// The devices in it, by address.
    pub members: BTreeSet<Member>,
    /// Addresses in it to which routes lead, and that no known device has.
    pub unknown_next_hops: BTreeSet<IpAddr>,
    /// Hosts that are seen in it, each in the narrowest network only.
    pub hosts: usize,
}

/// Returns the subnets, by network: of devices' addresses, of where their routes lead, and of hosts that are seen.
pub fn subnets(
    addresses: impl IntoIterator<Item = DeviceAddress>,
    next_hops: impl IntoIterator<Item = IpAddr>,
    hosts: impl IntoIterator<Item = IpAddr>,
) -> Vec<Subnet> {
    let next_hops: BTreeSet<IpAddr> = next_hops.into_iter().collect();
    let mut found: BTreeMap<IpNetwork, Subnet> = BTreeMap::new();
    let mut networks_of: BTreeMap<DeviceId, BTreeSet<IpNetwork>> = BTreeMap::new();
    for own in addresses {
        let Some(network) = network(own.address) else { continue };
        networks_of.entry(own.device).or_default().insert(network);
        let is_gateway = next_hops.contains(&own.address.ip());
        let member = Member { ip: own.address.ip(), device: own.device, interface: own.interface, is_gateway };
        let empty = || Subnet { network, members: BTreeSet::new(), unknown_next_hops: BTreeSet::new(), hosts: 0 };
        found.entry(network).or_insert_with(empty).members.insert(member);
    }
    let several = |device: DeviceId| networks_of.get(&device).is_some_and(|all| all.len() > 1);
    for subnet in found.values_mut() {
        let members = std::mem::take(&mut subnet.members).into_iter();
        subnet.members = members.map(|it| Member { is_gateway: it.is_gateway || several(it.device), ..it }).collect();
    }
    let bits: BTreeSet<u8> = found.keys().map(IpNetwork::prefix).collect();
    for hop in next_hops {
        if let Some(subnet) = narrowest(&mut found, &bits, hop)
            && subnet.members.iter().all(|member| member.ip != hop)
        {
            subnet.unknown_next_hops.insert(hop);
        }
    }
    for host in hosts.into_iter().collect::<BTreeSet<_>>() {
        if let Some(subnet) = narrowest(&mut found, &bits, host) {
            subnet.hosts += 1;
        }
    }
    found.into_values().collect()
}

/// Returns the network of an address, `None` where it is in none: it stands for itself, or for one link only.
fn network(address: IpNetwork) -> Option<IpNetwork> {
    let ip = address.ip();
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let usable =
        address.prefix() > 0 && address.prefix() < whole && !local && !ip.is_loopback() && !ip.is_unspecified();
    usable.then(|| IpNetwork::new(address.network(), address.prefix()).ok()).flatten()
}

fn narrowest<'f>(
    found: &'f mut BTreeMap<IpNetwork, Subnet>,
    bits: &BTreeSet<u8>,
    ip: IpAddr,
) -> Option<&'f mut Subnet> {
    let networks = bits.iter().rev().filter_map(|bits| network(IpNetwork::new(ip, *bits).ok()?));
    let network = networks.into_iter().find(|network| found.contains_key(network))?;
    found.get_mut(&network)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(device: u64, address: &str) -> DeviceAddress {
        let (device, address) = (DeviceId::from_raw(device), address.parse().unwrap());
        DeviceAddress { device, interface: "Vlanif1".to_owned(), address }
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn whoever_leads_out_of_a_network_is_its_gateway_and_hosts_count_in_the_narrowest() {
        let addresses = [
            own(1, "10.1.0.1/24"),
            own(1, "10.255.0.2/30"),
            own(2, "10.1.0.2/24"),
            own(3, "10.1.0.3/24"),
            own(1, "10.1.0.0/16"),
            own(1, "10.9.9.9/32"),
            own(2, "fe80::2/64"),
            own(3, "127.0.0.1/8"),
        ];
        let hops = ips(&["10.1.0.3", "10.255.0.1", "192.0.2.1"]);
        let told = subnets(addresses, hops, ips(&["10.1.0.44", "10.1.0.45", "10.1.7.1", "172.16.0.1"]));
        let networks: Vec<(String, usize)> = told.iter().map(|it| (it.network.to_string(), it.hosts)).collect();
        let expected = [("10.1.0.0/16", 1), ("10.1.0.0/24", 2), ("10.255.0.0/30", 0)];
        assert_eq!(networks, expected.map(|(network, hosts)| (network.to_owned(), hosts)));
        let gateways: Vec<u64> = told[1].members.iter().filter(|it| it.is_gateway).map(|it| it.device.raw()).collect();
        assert_eq!(gateways, [1, 3], "one by its other networks, one by somebody's routes");
        assert_eq!(told[2].unknown_next_hops, ips(&["10.255.0.1"]).into_iter().collect());
        assert!(told[1].unknown_next_hops.is_empty());
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            entries in prop::collection::vec((1..5_u64, any::<[u8; 2]>(), 20..32_u8), 0..12),
            hosts in prop::collection::vec(any::<[u8; 2]>(), 0..12),
        ) {
            let ip = |[a, b]: [u8; 2]| IpAddr::from([10, 0, a % 4, b]);
            let all: Vec<DeviceAddress> = entries
                .iter()
                .map(|(device, at, bits)| own(*device, &format!("{}/{bits}", ip(*at))))
                .collect();
            let hosts: Vec<IpAddr> = hosts.into_iter().map(ip).collect();
            let one = subnets(all.clone(), hosts.iter().take(3).copied(), hosts.clone());
            let again = all.iter().rev().chain(&all).cloned();
            let other = subnets(again, hosts.iter().take(3).rev().copied(), hosts.iter().rev().chain(&hosts).copied());
            prop_assert_eq!(&one, &other);
            let distinct: BTreeSet<IpAddr> = hosts.into_iter().collect();
            prop_assert!(one.iter().map(|it| it.hosts).sum::<usize>() <= distinct.len());
        }
    }
}
