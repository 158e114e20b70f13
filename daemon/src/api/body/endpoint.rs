//! Endpoints: where they are, what they are called, and who says so.

use onenet_topology::{
    DeviceId, InterfaceId,
    endpoint::{BoundAddress, Endpoint, Witness},
    fact::{FactBody, Method, Station},
    inference::{Place, Rejected, Where},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AssetEntryBody, ClassBody, ClassificationBody, given, time};
use crate::{
    access::View,
    console::{Language, text, words},
    estate::SiteState,
};

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
    /// What kind of machine it is taken to be.
    #[serde(flatten)]
    pub class: ClassBody,
    /// Whether the address was made up by the endpoint itself (locally administered).
    pub random_mac: bool,
    /// Whether an agent sees it now.
    pub present: bool,
    /// When it was last seen, once nobody sees it any more though whoever would is heard.
    pub silent_since: Option<String>,
    /// Since when it is kept for its history only.
    pub retired_since: Option<String>,
    /// When anybody first saw it.
    pub first_seen: Option<String>,
    /// When anybody last saw it change or verified it. An agent reports what changes: a present endpoint is not repeated.
    pub last_seen: Option<String>,
    /// By which methods it is seen.
    pub methods: Vec<&'static str>,
    /// Where it is plugged in; `null` where nothing tells.
    pub attachment: Option<AttachmentBody>,
    /// The asset that it is, by the register; `null` for who is on nobody's books.
    pub asset: Option<AssetEntryBody>,
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
    /// Why it is taken to be what it is.
    pub classification: ClassificationBody,
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

/// A port in a VLAN, or a device where the port cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceBody {
    /// The device.
    pub device: String,
    /// The device's name.
    pub device_name: String,
    /// The interface; `null` where it cannot be told at which of the device's ports, or behind which.
    pub interface: Option<String>,
    /// The interface's name.
    pub interface_name: Option<String>,
    /// The VLAN, where a table tells.
    pub vlan: Option<u16>,
}

/// Where an endpoint is plugged in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AttachmentBody {
    /// Where.
    #[serde(flatten)]
    pub place: PlaceBody,
    /// Other ports at which it is as well.
    pub also: Vec<PlaceBody>,
    /// The access point of a wireless station, as its controller names it.
    pub access_point: Option<String>,
    /// The network that a wireless station is in.
    pub ssid: Option<String>,
    /// Since when.
    pub since: String,
    /// How sure it is, between 0 and 1; under 0.5 it is a guess. `null` where no table tells at present, so that this is
    /// where it was last.
    pub confidence: Option<f64>,
    /// Why it is believed: `edge_port`, `behind_phone`, `wireless`, `shared_ports`, `most_agree`, `fewest_addresses`, `unmanaged_behind`, `row_missing`,
    /// `no_table_behind`, `port_unresolved`, `port_down`; `last_known` where no table tells at present, `move_pending` where
    /// the tables point elsewhere and that is not believed yet.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
    /// Where it may have moved; believed when that stays so.
    pub contender: Option<PlaceBody>,
}

/// A row of a forwarding table that was not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RejectedBody {
    /// Where the row has the endpoint.
    #[serde(flatten)]
    pub place: PlaceBody,
    /// Why it was not believed: `leads_to`, `may_lead_to`, `between_switches`, `fewer_agree`, `more_addresses`,
    /// `not_learned`, `port_unresolved`, `port_down`, `other_vlan`, `wireless`, `move_pending`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
}

impl EndpointBody {
    /// Returns an endpoint as the view shows it.
    pub fn of(view: &View, state: &SiteState, endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            site: state.id.to_string(),
            mac: endpoint.mac.to_string(),
            ips: endpoint.current_addresses().map(|address| address.ip.to_string()).collect(),
            hostname: endpoint.hostname().map(String::from),
            vendor: endpoint.vendor().map(str::to_owned),
            class: ClassBody::of(&endpoint.conclusion()),
            random_mac: endpoint.mac.is_local(),
            present: endpoint.is_present(),
            silent_since: endpoint.silent_since.map(time),
            retired_since: endpoint.retired_since.map(time),
            first_seen: endpoint.first_seen().map(time),
            last_seen: endpoint.last_seen().map(time),
            methods: endpoint.methods().into_iter().map(onenet_topology::fact::Method::name).collect(),
            attachment: AttachmentBody::of(state, endpoint),
            asset: view.asset_of(state.id, endpoint).map(AssetEntryBody::of),
            demo: view.is_demo(state.id),
        }
    }
}

impl EndpointDetailBody {
    /// Returns an endpoint with all evidence.
    pub fn of(view: &View, state: &SiteState, endpoint: &Endpoint) -> Self {
        let evidence = endpoint.evidence.unpack();
        Self {
            endpoint: EndpointBody::of(view, state, endpoint),
            bindings: evidence.addresses.iter().map(AddressBody::of).collect(),
            evidence: evidence.witnesses.iter().map(WitnessBody::of).collect(),
            rejected: RejectedBody::all(state, endpoint),
            vendor_class: endpoint.host().and_then(|host| given(&host.vendor_class)),
            classification: ClassificationBody::of(endpoint),
        }
    }
}

impl PlaceBody {
    /// Returns a place; `None` where there is none to tell.
    pub(super) fn of(state: &SiteState, at: Where) -> Option<Self> {
        match state.canonical_place(at) {
            Where::Port(Place { device, interface, vlan }) => Some(Self::new(state, device, Some(interface), vlan)),
            Where::Behind { device, vlan } => Some(Self::new(state, device, None, vlan)),
            Where::Nowhere => None,
        }
    }

    fn new(state: &SiteState, device: DeviceId, interface: Option<InterfaceId>, vlan: Option<u16>) -> Self {
        Self {
            device: device.to_string(),
            device_name: words::device_name(state, device),
            interface: interface.map(|id| id.to_string()),
            interface_name: interface.map(|id| words::interface_name(state, device, id)),
            vlan,
        }
    }
}

impl AttachmentBody {
    fn of(state: &SiteState, endpoint: &Endpoint) -> Option<Self> {
        let located = endpoint.located.as_ref()?;
        let place = PlaceBody::of(state, located.at)?;
        let found = state.attachment(endpoint.mac);
        let deciding = found.filter(|found| found.at == located.at);
        let (reason, detail) = match (deciding, &located.contender) {
            (Some(found), _) => words::reason(Language::En, state, found.reason),
            (None, Some(_)) => ("move_pending", text::LOOKS_ELSEWHERE.en.to_owned()),
            (None, None) => ("last_known", text::LAST_KNOWN.en.to_owned()),
        };
        let also = deciding.map(|found| found.also.as_slice()).unwrap_or_default();
        let station = station(state, endpoint);
        Some(Self {
            place,
            also: also.iter().filter_map(|place| PlaceBody::of(state, Where::Port(*place))).collect(),
            access_point: station.as_ref().and_then(|it| given(&it.access_point)),
            ssid: station.and_then(|it| given(&it.ssid)),
            since: time(located.since),
            confidence: deciding.map(|found| f64::from(found.confidence) / 100.0),
            reason,
            detail,
            contender: located.contender.as_deref().and_then(|(at, _)| PlaceBody::of(state, *at)),
        })
    }
}

/// Returns what a wireless controller tells of an endpoint at present: the newest, where several do.
pub(crate) fn station(state: &SiteState, endpoint: &Endpoint) -> Option<Station> {
    let told = endpoint.evidence.own_sights().filter(|it| it.current && it.origin.group.method == Method::SnmpStations);
    let newest = told.max_by_key(|it| it.last_seen)?;
    match state.group(newest.origin.agent, &newest.origin.group)?.get(newest.fact)?.fact.body {
        FactBody::Station(station) => Some(station),
        _ => None,
    }
}

impl RejectedBody {
    fn all(state: &SiteState, endpoint: &Endpoint) -> Vec<Self> {
        let rejected = state.attachment(endpoint.mac).map(|found| found.rejected.as_slice()).unwrap_or_default();
        let body = |row: &Rejected| {
            let (reason, detail) = words::rejection(Language::En, state, row.reason);
            Self { place: PlaceBody::new(state, row.device, row.interface, row.vlan), reason, detail }
        };
        rejected.iter().map(body).collect()
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
            agent: witness.source.origin.agent.to_string(),
            method: witness.source.origin.group.method.name(),
            scope: witness.source.origin.group.scope.to_string(),
            interface: witness.interface.as_deref().map(str::to_owned),
            vlan: witness.vlan,
            first_seen: time(witness.first_seen),
            last_seen: time(witness.last_seen),
            current: witness.current,
        }
    }
}
