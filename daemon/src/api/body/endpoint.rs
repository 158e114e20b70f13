//! Endpoints: where they are, what they are called, and who says so.

use onenet_topology::endpoint::{BoundAddress, Endpoint, Witness};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};
use crate::{access::View, estate::SiteState};

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EndpointBody {
    /// Its identity.
    #[schema(example = "endpoint-2b00003")]
    pub id: String,
    /// Its site.
    pub site: String,
    /// Its MAC address.
    #[schema(example = "00:1b:21:3c:4d:5e")]
    pub mac: String,
    /// The IP addresses that an agent sees it use now.
    pub ips: Vec<String>,
    /// Its host name, where it told one.
    pub hostname: Option<String>,
    /// The vendor that its address was assigned to; `null` for random addresses and unknown prefixes.
    pub vendor: Option<String>,
    /// Whether the address was made up by the endpoint itself (locally administered).
    pub random_mac: bool,
    /// Whether an agent sees it now.
    pub present: bool,
    /// When anybody first saw it.
    pub first_seen: Option<String>,
    /// When anybody last saw it change or verified it. An agent reports what changes: a present endpoint is not repeated.
    pub last_seen: Option<String>,
    /// By which methods it is seen.
    pub methods: Vec<&'static str>,
    /// Where it is plugged in; `null` where nothing tells.
    pub attachment: Option<AttachmentBody>,
    /// Whether its site is simulated.
    pub demo: bool,
}

/// An endpoint with all evidence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EndpointDetailBody {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointBody,
    /// Its bindings, past ones included.
    pub bindings: Vec<AddressBody>,
    /// Who saw the MAC address itself.
    pub evidence: Vec<WitnessBody>,
    /// Forwarding rows that did not decide where it is, each with the reason.
    pub rejected: Vec<RejectedBody>,
    /// The vendor class that it told by DHCP.
    pub vendor_class: Option<String>,
}

/// A MAC-to-IP fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressBody {
    /// The IP address.
    pub ip: String,
    /// The address space in which it means one thing.
    pub space: String,
    /// Whether an agent holds the binding now.
    pub current: bool,
    /// When it was first seen.
    pub first_seen: Option<String>,
    /// When it was last seen.
    pub last_seen: Option<String>,
    /// Who says so.
    pub evidence: Vec<WitnessBody>,
}

/// Who saw something, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WitnessBody {
    /// The agent.
    pub agent: String,
    /// The method.
    pub method: &'static str,
    /// The device asked or the interface listened on.
    pub scope: String,
    /// The port, where the source tells.
    pub interface: Option<String>,
    /// The VLAN, where the source tells.
    pub vlan: Option<u16>,
    /// When it was first observed.
    pub first_seen: String,
    /// When it was last observed.
    pub last_seen: String,
    /// Whether the agent still holds it.
    pub current: bool,
}

/// Where an endpoint is plugged in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AttachmentBody {
    /// The device.
    pub device: String,
    /// The device's name.
    pub device_name: String,
    /// The interface, where it could be told.
    pub interface: Option<String>,
    /// The interface's name, or what the table calls the port.
    pub interface_name: String,
    /// The VLAN, where the table tells.
    pub vlan: Option<u16>,
    /// How sure it is, between 0 and 1.
    pub confidence: f64,
    /// Why it is believed.
    pub reason: String,
    /// When it was last verified.
    pub verified: Option<String>,
}

/// A row that did not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RejectedBody {
    /// The device whose table has the row.
    pub device: String,
    /// The port.
    pub interface: String,
    /// The VLAN.
    pub vlan: Option<u16>,
    /// Why it did not decide.
    pub reason: String,
}

impl EndpointBody {
    /// Returns an endpoint as the view shows it.
    pub fn of(view: &View, state: &SiteState, endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            site: state.id.to_string(),
            mac: endpoint.mac.to_string(),
            ips: endpoint.current_addresses().map(|address| address.ip.to_string()).collect(),
            hostname: endpoint.hostname().map(str::to_owned),
            vendor: endpoint.vendor().map(str::to_owned),
            random_mac: endpoint.mac.is_local(),
            present: endpoint.is_current(),
            first_seen: endpoint.first_seen().map(time),
            last_seen: endpoint.last_seen().map(time),
            methods: endpoint.methods().into_iter().map(onenet_topology::fact::Method::name).collect(),
            attachment: None,
            demo: view.is_demo(state.id),
        }
    }
}

impl EndpointDetailBody {
    /// Returns an endpoint with all evidence.
    pub fn of(view: &View, state: &SiteState, endpoint: &Endpoint) -> Self {
        Self {
            endpoint: EndpointBody::of(view, state, endpoint),
            bindings: endpoint.addresses.iter().map(AddressBody::of).collect(),
            evidence: endpoint.witnesses.iter().map(WitnessBody::of).collect(),
            rejected: Vec::new(),
            vendor_class: endpoint.host().and_then(|host| given(&host.vendor_class)),
        }
    }
}

impl AddressBody {
    fn of(address: &BoundAddress) -> Self {
        Self {
            ip: address.ip.to_string(),
            space: address.space.to_string(),
            current: address.is_current(),
            first_seen: address.first_seen().map(time),
            last_seen: address.last_seen().map(time),
            evidence: address.witnesses.iter().map(WitnessBody::of).collect(),
        }
    }
}

impl WitnessBody {
    fn of(witness: &Witness) -> Self {
        Self {
            agent: witness.source.agent.to_string(),
            method: witness.source.group.method.name(),
            scope: witness.source.group.scope.to_string(),
            interface: witness.interface.clone(),
            vlan: witness.vlan,
            first_seen: time(witness.first_seen),
            last_seen: time(witness.last_seen),
            current: witness.current,
        }
    }
}
