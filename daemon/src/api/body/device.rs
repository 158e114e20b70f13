//! Devices, their interfaces and parts, and links.

use std::sync::Arc;

use onenet_topology::{
    Role,
    device::{Device, Interface},
    fact::{Entity, InterfaceStatus, PortVlans},
    link::LinkEnd,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{account::AccountBody, given, time, told};
use crate::{
    access::View,
    api::running::Running,
    console::{Language, words},
    estate::SiteState,
    joined::Joined,
};

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceBody {
    /// Its identity.
    #[schema(example = "device-2b00000")]
    pub id: String,
    /// Its site.
    pub site: String,
    /// sysName, else the name under which an agent polls it.
    pub name: String,
    /// `up`, `degraded` (it answers, but not to the credentials), `down`, or `unknown` (nobody who is heard watches it).
    pub state: &'static str,
    /// Since when.
    pub since: Option<String>,
    /// What was tried and what came of it.
    pub detail: Option<String>,
    /// The address asked, with its port.
    pub target: Option<String>,
    /// sysDescr.
    pub description: Option<String>,
    /// sysObjectID.
    pub object_id: Option<String>,
    /// sysLocation.
    pub location: Option<String>,
    /// sysContact.
    pub contact: Option<String>,
    /// Who made it, as far as it was recognised; else the vendor of its bridge address.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// The version of that.
    pub version: Option<String>,
    /// The serial number of its chassis.
    pub serial: Option<String>,
    /// What it is for.
    pub role: Option<&'static str>,
    /// The base address of the bridge.
    pub bridge_mac: Option<String>,
    /// lldpLocChassisId.
    pub chassis_id: Option<String>,
    /// snmpEngineID in hexadecimal digits.
    pub engine_id: Option<String>,
    /// Who polls it, under which name; several where agents see the same device.
    pub accounts: Vec<AccountBody>,
    /// When it was first heard of.
    pub first_seen: String,
    /// Its interfaces, past ones included.
    pub interface_count: usize,
    /// Its physical parts.
    pub entities: Vec<EntityBody>,
}

/// A physical part of a device (ENTITY-MIB).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityBody {
    /// entPhysicalIndex.
    pub index: u32,
    /// entPhysicalClass.
    pub class: u32,
    /// entPhysicalName.
    pub name: Option<String>,
    /// entPhysicalModelName.
    pub model: Option<String>,
    /// entPhysicalSerialNum.
    pub serial: Option<String>,
    /// entPhysicalSoftwareRev.
    pub software_revision: Option<String>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InterfaceBody {
    /// Its identity.
    #[schema(example = "interface-2b00001")]
    pub id: String,
    /// Its device.
    pub device: String,
    /// Its site.
    pub site: String,
    /// ifName.
    pub name: String,
    /// ifAlias.
    pub alias: Option<String>,
    /// ifIndex: a cache, renumbered by some devices at every start.
    pub if_index: u32,
    /// ifType.
    pub if_type: u32,
    /// ifPhysAddress.
    pub mac: Option<String>,
    /// Speed in bits per second.
    pub speed_bps: Option<u64>,
    /// `full` or `half`; `null` where the device does not tell.
    pub duplex: Option<&'static str>,
    /// ifAdminStatus.
    pub admin: &'static str,
    /// ifOperStatus.
    pub oper: &'static str,
    /// When that last changed (ifLastChange); `null` where the device does not tell, or it was before it started.
    pub last_change: Option<String>,
    /// The VLAN that frames without a tag are put into.
    pub native_vlan: Option<u16>,
    /// The VLANs whose frames leave it without a tag.
    #[schema(example = "10")]
    pub untagged_vlans: Option<String>,
    /// The VLANs whose frames leave it with a tag.
    #[schema(example = "2,10-20")]
    pub tagged_vlans: Option<String>,
    /// How many endpoints are plugged in there, as far as tables tell. Several behind an access port are a hub, a switch or an access
    /// point that nobody polls, virtual machines, or a telephone with what is behind it.
    pub endpoints: usize,
    /// Whether the device still has it.
    pub current: bool,
    /// When it was last observed.
    pub observed: String,
}

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkEndBody {
    /// The managed device; `null` where the end is not polled.
    pub device: Option<String>,
    /// Its interface, where it could be told.
    pub interface: Option<String>,
    /// The name of the port.
    pub port: String,
    /// The system name, or the chassis id where there is none.
    pub system: String,
}

/// Why a link is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkEvidenceBody {
    /// Who says so.
    pub agent: String,
    /// By which method.
    pub method: &'static str,
    /// The device that heard its neighbour.
    pub heard_by: Option<String>,
    /// When it was last verified.
    pub observed: String,
}

/// Two joined ends.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LinkBody {
    /// The site.
    pub site: String,
    /// One end.
    pub a: LinkEndBody,
    /// The other end.
    pub b: LinkEndBody,
    /// How sure it is, between 0 and 1; under 0.5 it is a guess, or other evidence speaks against it.
    pub confidence: f64,
    /// Why it is believed: `two_sided`, `one_sided`, `spanning_tree`, `lacp`, `own_address`, `shared_hosts`, `derived`,
    /// `contradicted`, `heard` (of something that is not polled), `unconfirmed`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
    /// Whether only one of the ends tells of it, though both could.
    pub one_sided: bool,
    /// Whether other evidence speaks against it.
    pub contradicted: bool,
    /// The neighbours that speak for it.
    pub evidence: Vec<LinkEvidenceBody>,
}

impl DeviceBody {
    /// Returns a device as the view shows it.
    pub fn of(view: &View, state: &SiteState, device: &Device) -> Self {
        let (standing, since) = view.device_standing(device);
        let answering = device.answering.iter().max_by_key(|it| it.observed);
        let system = device.system.as_ref();
        let bridge_mac = system.and_then(|system| system.bridge_mac);
        let recognised = state.identification(device);
        let recognised = recognised.as_ref();
        Self {
            id: device.id.to_string(),
            site: state.id.to_string(),
            name: device.name().to_owned(),
            state: standing.name(),
            since: since.map(time),
            detail: answering.and_then(|it| given(&it.reach.detail)),
            target: answering.and_then(|it| given(&it.reach.target)),
            description: system.and_then(|it| given(&it.description)),
            object_id: system.and_then(|it| given(&it.object_id)),
            location: system.and_then(|it| given(&it.location)),
            contact: system.and_then(|it| given(&it.contact)),
            vendor: recognised
                .and_then(|it| given(&it.vendor))
                .or_else(|| bridge_mac.and_then(onenet_topology::vendor::of).map(str::to_owned)),
            model: recognised.and_then(|it| given(&it.model)),
            os: recognised.and_then(|it| given(&it.os)),
            version: recognised.and_then(|it| given(&it.version)),
            serial: recognised.and_then(|it| given(&it.serial)),
            role: recognised.and_then(|it| it.role).map(Role::name),
            bridge_mac: bridge_mac.map(|mac| mac.to_string()),
            chassis_id: system.and_then(|it| given(&it.chassis_id)),
            engine_id: system.map(|it| hexadecimal(&it.engine_id)).filter(|digits| !digits.is_empty()),
            accounts: AccountBody::all(state, device),
            first_seen: time(device.first_seen),
            interface_count: device.interfaces.len(),
            entities: device.entities.iter().map(EntityBody::of).collect(),
        }
    }
}

impl EntityBody {
    fn of(entity: &Entity) -> Self {
        Self {
            index: entity.index,
            class: entity.class,
            name: given(&entity.name),
            model: given(&entity.model),
            serial: given(&entity.serial),
            software_revision: given(&entity.software_revision),
        }
    }
}

impl InterfaceBody {
    /// Returns an interface of a device.
    pub(crate) fn of(state: &SiteState, device: &Device, interface: &Interface, running: Option<Running>) -> Self {
        let vlans = told::port_vlans(state, device);
        let vlans = vlans.get(&interface.said.name);
        let endpoints = state.plugged_in(device.id).get(&interface.id).map_or(0, Vec::len);
        Self::with(state, (device, interface), vlans, endpoints, running)
    }

    /// Returns the interfaces of a device, past ones included.
    pub(crate) fn all(state: &SiteState, device: &Device, running: Option<Running>) -> Vec<Self> {
        let vlans = told::port_vlans(state, device);
        let vlans_of = |it: &Interface| vlans.get(&it.said.name);
        let plugged = state.plugged_in(device.id);
        let endpoints = |it: &Interface| plugged.get(&it.id).map_or(0, Vec::len);
        let body = |it: &Arc<Interface>| Self::with(state, (device, it), vlans_of(it), endpoints(it), running);
        device.interfaces.iter().map(body).collect()
    }

    fn with(
        state: &SiteState,
        (device, interface): (&Device, &Interface),
        vlans: Option<&PortVlans>,
        endpoints: usize,
        running: Option<Running>,
    ) -> Self {
        let said = &interface.said;
        Self {
            id: interface.id.to_string(),
            device: device.id.to_string(),
            site: state.id.to_string(),
            name: said.name.clone(),
            alias: given(&said.alias),
            if_index: said.if_index,
            if_type: said.if_type,
            mac: said.mac.map(|mac| mac.to_string()),
            speed_bps: said.speed_bps,
            duplex: said.full_duplex.map(|full| if full { "full" } else { "half" }),
            admin: status_name(said.admin),
            oper: status_name(said.oper),
            last_change: running.and_then(|running| running.last_change(interface)).map(time),
            native_vlan: vlans.and_then(|it| it.native),
            untagged_vlans: vlans.and_then(|it| told::written(&it.untagged)),
            tagged_vlans: vlans.and_then(|it| told::written(&it.tagged)),
            endpoints,
            current: interface.current,
            observed: time(interface.observed),
        }
    }
}

impl LinkBody {
    /// Returns a link of a site.
    pub fn of(state: &SiteState, link: &Joined) -> Self {
        let (reason, detail) = words::joined(Language::En, link.why);
        let evidence = link.evidence.iter().map(|it| LinkEvidenceBody {
            agent: it.agent.to_string(),
            method: it.method.name(),
            heard_by: it.heard_by.map(|device| device.to_string()),
            observed: time(it.observed),
        });
        Self {
            site: state.id.to_string(),
            a: LinkEndBody::of(state, &link.a),
            b: LinkEndBody::of(state, &link.b),
            confidence: f64::from(link.confidence) / 100.0,
            reason,
            detail,
            one_sided: link.is_one_sided(),
            contradicted: link.is_contradicted(),
            evidence: evidence.collect(),
        }
    }
}

/// Returns an end of a link in a few words: whose port it is, and which.
pub(crate) fn link_end_name(state: &SiteState, end: &LinkEnd) -> String {
    let end = LinkEndBody::of(state, end);
    format!("{} {}", end.system, end.port).trim().to_owned()
}

impl LinkEndBody {
    /// Returns an end of a link.
    pub(super) fn of(state: &SiteState, end: &LinkEnd) -> Self {
        match end {
            LinkEnd::Interface { device, interface, name } => Self {
                device: Some(device.to_string()),
                interface: interface.map(|id| id.to_string()),
                port: name.clone(),
                system: state.device(*device).map(|it| it.name().to_owned()).unwrap_or_default(),
            },
            LinkEnd::Agent { agent, interface } => {
                Self { device: None, interface: None, port: interface.clone(), system: agent.to_string() }
            }
            LinkEnd::Unmanaged { chassis_id, port_id, system_name } => Self {
                device: None,
                interface: None,
                port: port_id.clone(),
                system: given(system_name).unwrap_or_else(|| chassis_id.clone()),
            },
        }
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut digits, octet| {
        // Writing to a string never fails.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// Returns the name of a status in the API and in metrics.
const fn status_name(status: InterfaceStatus) -> &'static str {
    match status {
        InterfaceStatus::Up => "up",
        InterfaceStatus::Down => "down",
        InterfaceStatus::Testing => "testing",
        InterfaceStatus::Unknown => "unknown",
        InterfaceStatus::Dormant => "dormant",
        InterfaceStatus::NotPresent => "not_present",
        InterfaceStatus::LowerLayerDown => "lower_layer_down",
    }
}
