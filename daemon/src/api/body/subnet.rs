//! Subnets of a site.

use onenet_topology::{
    DeviceId,
    subnet::{DeviceAddress, Member, Subnet, subnets},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, told};
use crate::{access::View, estate::SiteState};

/// A network in which devices of a site have addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubnetBody {
    /// The network.
    #[schema(example = "10.13.1.0/24")]
    pub network: String,
    /// Endpoints with a present address in it, each in the narrowest network.
    pub endpoints: usize,
    /// The devices in it, by address.
    pub devices: Vec<SubnetDeviceBody>,
    /// Addresses in it to which routes of the site's devices lead, and that no known device has.
    pub unknown_next_hops: Vec<String>,
}

/// A device in a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubnetDeviceBody {
    /// Its address there.
    pub ip: String,
    /// Its id.
    pub device: String,
    /// Its name.
    pub name: String,
    /// Its interface.
    pub interface: Option<String>,
    /// Whether it leads out: it has addresses in other networks too, or routes lead to this one.
    pub gateway: bool,
}

/// Returns the subnets of a site, by network.
pub(crate) fn of_site(view: &View, state: &SiteState) -> Vec<SubnetBody> {
    let devices = || state.devices.values();
    let addresses = devices().flat_map(|device| {
        let own = told::own_addresses(state, device).into_iter();
        own.filter_map(|it| {
            let address = ipnetwork::IpNetwork::new(it.ip, it.prefix_bits?).ok()?;
            Some(DeviceAddress { device: device.id, interface: it.interface, address })
        })
    });
    let hops = devices().flat_map(|device| told::next_hops(state, device)).map(|hop| hop.ip);
    let hosts = state.visible_endpoints().flat_map(|endpoint| endpoint.current_addresses()).map(|bound| bound.ip);
    let name = |id: DeviceId| view.device(id).map(|(_, device)| device.name().to_owned()).unwrap_or_default();
    subnets(addresses, hops, hosts).iter().map(|subnet| SubnetBody::of(subnet, name)).collect()
}

impl SubnetBody {
    fn of(subnet: &Subnet, name: impl Fn(DeviceId) -> String) -> Self {
        let device = |member: &Member| SubnetDeviceBody {
            ip: member.ip.to_string(),
            device: member.device.to_string(),
            name: name(member.device),
            interface: given(&member.interface),
            gateway: member.is_gateway,
        };
        Self {
            network: subnet.network.to_string(),
            endpoints: subnet.hosts,
            devices: subnet.members.iter().map(device).collect(),
            unknown_next_hops: subnet.unknown_next_hops.iter().map(ToString::to_string).collect(),
        }
    }
}
