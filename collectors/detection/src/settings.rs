//! What detectors are told of a site: its address plan, whom it trusts, what may be there, and thresholds.
//!
//! Invariant: whatever is left out has a default with which no detector raises what the site cannot judge.

use std::net::{IpAddr, SocketAddr};

use ipnetwork::IpNetwork;
use onenet_topology::MacAddr;

use crate::{
    catalogue::Kind,
    services::Service,
    threshold::{Area, Threshold, Thresholds},
};

/// What detectors are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The prefixes of the address plan; empty: not known.
    pub plan: Vec<IpNetwork>,
    /// Prefixes of the plan in which nobody is.
    pub dark: Vec<IpNetwork>,
    /// Prefixes outside the plan that may be talked to.
    pub allowed: Vec<IpNetwork>,
    /// Sources that may scan and poll: monitoring, the agent's own addresses, authorised scanners.
    pub scanners: Vec<IpNetwork>,
    /// DHCP servers (also DHCPv6); empty: learnt.
    pub dhcp_servers: Vec<IpAddr>,
    /// Routers, also as they advertise themselves; empty: learnt.
    pub routers: Vec<IpAddr>,
    /// Bridges that may be the root of a spanning tree; empty: learnt.
    pub roots: Vec<MacAddr>,
    /// Switches, access points and routers that may announce themselves, by the address of a chassis or port; empty: learnt.
    pub equipment: Vec<MacAddr>,
    /// Ports that lead out of the site, by the agent's name of the device and the device's name of the port; empty: those through which default
    /// routes of polled devices lead.
    pub uplinks: Vec<(String, String)>,
    /// Services, beside those that speak HJ 212, that are fed all the time.
    pub feeds: Vec<SocketAddr>,
    /// Prefixes whose services have to be registered; empty: nothing is held against the register.
    pub published: Vec<IpNetwork>,
    /// The register of approved services.
    pub services: Vec<Service>,
    /// VLANs in which no terminal may be.
    pub forbidden_vlans: Vec<u16>,
    /// TCP and UDP ports by which terminals look for one another on purpose.
    pub peer_ports: Vec<u16>,
    /// Domains below which long names are usual.
    pub name_exceptions: Vec<String>,
    /// Kinds that are not looked for.
    pub off: Vec<Kind>,
    /// What holds for the site.
    pub thresholds: Thresholds,
    /// What holds for parts of it; the first that has an address counts.
    pub areas: Vec<Area>,
}

/// Ports by which programs look for their like: Windows' delivery optimisation, Syncthing, Spotify.
pub const PEER_PORTS: [u16; 3] = [7_680, 22_000, 57_621];

impl Settings {
    /// Returns the settings of a site of which nothing is known.
    pub fn new() -> Self {
        Self { peer_ports: PEER_PORTS.to_vec(), ..Self::default() }
    }

    /// Returns the threshold that holds for `ip`.
    pub(crate) fn at(&self, threshold: Threshold, ip: IpAddr) -> u64 {
        let area = self.areas.iter().find(|area| area.has(ip));
        area.map_or(&self.thresholds, |area| &area.thresholds).get(threshold)
    }

    /// Returns what the register says of a service.
    pub(crate) fn service(&self, protocol: u8, at: SocketAddr) -> Option<&Service> {
        self.services.iter().find(|it| (it.protocol, it.host, it.port) == (protocol, at.ip(), at.port()))
    }

    pub(crate) fn is_scanner(&self, ip: IpAddr) -> bool {
        covers(&self.scanners, ip)
    }

    /// Returns whether an address is outside: of the plan, where there is one, of private use otherwise.
    pub(crate) fn is_outside(&self, ip: IpAddr) -> bool {
        is_routed(ip)
            && !covers(&self.allowed, ip)
            && if self.plan.is_empty() { !is_private(ip) } else { !covers(&self.plan, ip) }
    }

    /// Returns whether an address is one of the plan's, or of private use where there is none.
    pub(crate) fn is_inside(&self, ip: IpAddr) -> bool {
        if self.plan.is_empty() { is_private(ip) } else { covers(&self.plan, ip) }
    }

    /// Returns why a kind cannot be found, `None` where it can.
    pub fn is_off(&self, kind: Kind) -> Option<&'static str> {
        if self.off.contains(&kind) {
            return Some("switched off");
        }
        match kind {
            Kind::Outreach | Kind::OtherNetwork if self.plan.is_empty() => Some("no address plan is listed (plan)"),
            Kind::DarkAddress if self.dark.is_empty() => Some("no dark prefixes are listed (dark)"),
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService | Kind::GoneService
                if self.published.is_empty() =>
            {
                Some("no prefixes are listed whose services have to be registered (published)")
            }
            Kind::ForbiddenVlan if self.forbidden_vlans.is_empty() => Some("no VLANs are listed (forbidden_vlans)"),
            _ => None,
        }
    }
}

pub(crate) fn covers(prefixes: &[IpNetwork], ip: IpAddr) -> bool {
    prefixes.iter().any(|prefix| prefix.contains(ip))
}

/// Returns whether packets to the address are routed at all.
fn is_routed(ip: IpAddr) -> bool {
    let local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_loopback() || ip.octets()[0] == 0,
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_loopback(),
    };
    !local && crate::observation::is_one_host(ip)
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}
