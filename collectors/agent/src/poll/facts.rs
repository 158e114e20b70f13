//! What was read of a device, as facts and samples.
//!
//! Invariant: a number that the device did not give stays away; a key is given once. Pure.

mod network;

use std::borrow::Cow;

use onenet_snmp::{
    AddressRow, Counters, Entity, FdbStatus, ForwardingRow, Identification, Identity, InterfaceCounters,
    KnownInterface, LagMember, Neighbour, Reading, RequestError, SensorReading, Silence, Spent, Station, System,
};
use onenet_topology::{
    MacAddr, Timestamp,
    fact::{
        self, Aggregation, Binding, DeviceSample, FactBody, ForwardingStatus, HistoryBody, HistoryItem, Interface,
        InterfaceSample, InterfaceStatus, NeighbourProtocol, Reach, ReachState, Scope, Sensor, SensorSample,
    },
};

pub(super) use network::{next_hops, own_addresses, spanning_tree, vlans};

/// Classes of parts that identify equipment even without a serial number (entPhysicalClass of RFC 6933).
const IDENTIFYING: [u32; 3] = [CHASSIS, MODULE, STACK];
const CHASSIS: u32 = 3;
const MODULE: u32 = 9;
const STACK: u32 = 11;

/// Returns the fact that the device answers.
pub(super) fn answering(target: &str, version: &str) -> Reach {
    let detail = format!("answers SNMP{version}");
    Reach { state: ReachState::Answering, detail, target: target.to_owned() }
}

/// Returns the fact that the device gives no answer, or refuses. The same trouble gives the same words, so that it is
/// reported once.
pub(super) fn not_answering(target: &str, error: &RequestError) -> Reach {
    let (state, detail) = match error {
        RequestError::NoAnswer { reason, .. } => {
            let refuses = matches!(reason, Silence::CommunityRejected | Silence::Encrypted);
            (if refuses { ReachState::Refusing } else { ReachState::Silent }, reason.to_string())
        }
        RequestError::Network { source, .. } => (ReachState::Silent, format!("{error}: {source}")),
        RequestError::Unsendable { .. } | RequestError::Gone { .. } | RequestError::BudgetSpent { .. } => {
            (ReachState::Silent, error.to_string())
        }
        RequestError::UnknownUser { .. }
        | RequestError::WrongAuthKey { .. }
        | RequestError::WrongPrivacyKey { .. }
        | RequestError::Refused { .. }
        | RequestError::Unverified { .. }
        | RequestError::Status { .. } => (ReachState::Refusing, error.to_string()),
    };
    Reach { state, detail, target: target.to_owned() }
}

/// Returns what the device says it is.
pub(super) fn system(system: &System, bridge_mac: Option<MacAddr>, identity: &Identity) -> fact::System {
    let text = |reading: &Reading<String>| reading.get().cloned().unwrap_or_default();
    fact::System {
        name: text(&system.name),
        description: text(&system.description),
        object_id: text(&system.object_id),
        contact: text(&system.contact),
        location: text(&system.location),
        bridge_mac,
        engine_id: identity.engine_id.get().map(|digits| octets(digits)).unwrap_or_default(),
        chassis_id: text(&identity.chassis_id),
    }
}

/// Returns the octets that pairs of hexadecimal digits stand for.
fn octets(digits: &str) -> Vec<u8> {
    let pair = |place: usize| digits.get(place..place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).map_while(pair).collect()
}

/// A port: its label and its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Port<'a> {
    label: KnownInterface<'a>,
    admin: InterfaceStatus,
    oper: InterfaceStatus,
}

/// Returns the ports: labels with their states, both in the order of ifIndex. A port whose state was not read has an unknown one.
pub(super) fn interfaces<'a>(
    labels: impl IntoIterator<Item = KnownInterface<'a>>,
    counters: &[InterfaceCounters],
) -> Vec<Port<'a>> {
    let mut rest = counters;
    let port = |label: KnownInterface<'a>| {
        let passed = rest.iter().take_while(|row| row.if_index < label.if_index).count();
        rest = rest.get(passed..).unwrap_or_default();
        let counters = rest.first().filter(|row| row.if_index == label.if_index).map(|row| &row.counters);
        let state = |reading: fn(&Counters) -> &Reading<&'static str>| {
            counters.map_or(InterfaceStatus::Unknown, |counters| status(reading(counters)))
        };
        Port { label, admin: state(|counters| &counters.admin), oper: state(|counters| &counters.oper) }
    };
    labels.into_iter().map(port).collect()
}

impl Port<'_> {
    pub(super) fn to_body(&self) -> FactBody {
        let Self { label, admin, oper } = self;
        FactBody::Interface(Interface {
            name: label.name.unwrap_or_default().to_owned(),
            if_index: label.if_index,
            alias: label.alias.to_owned(),
            if_type: label.type_number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default(),
            mac: label.mac,
            speed_bps: label.speed_bps,
            full_duplex: label.full_duplex,
            last_change_s: label.last_change_s,
            admin: *admin,
            oper: *oper,
        })
    }
}

/// Returns the counters of a port, `None` when the device gave none.
pub(super) fn interface_sample(name: &str, counters: &Counters) -> Option<InterfaceSample> {
    let number = |reading: &Reading<u64>| reading.get().copied();
    let mut sample = InterfaceSample {
        name: String::new(),
        in_octets: number(&counters.in_octets),
        out_octets: number(&counters.out_octets),
        in_errors: number(&counters.in_errors),
        out_errors: number(&counters.out_errors),
        in_discards: number(&counters.in_discards),
        out_discards: number(&counters.out_discards),
        in_packets: number(&counters.in_unicast_packets),
        out_packets: number(&counters.out_unicast_packets),
    };
    if sample == InterfaceSample::default() {
        return None;
    }
    name.clone_into(&mut sample.name);
    Some(sample)
}

/// Returns how the device answered in a cycle.
pub(super) fn device_sample(
    uptime_s: Option<u64>,
    spent: Spent,
    round_trip: Option<std::time::Duration>,
) -> DeviceSample {
    DeviceSample {
        uptime_ms: uptime_s.map(|uptime_s| uptime_s.saturating_mul(1_000)),
        round_trip_us: round_trip.and_then(|round_trip| u64::try_from(round_trip.as_micros()).ok()),
        requests: u64::from(spent.requests),
        requests_lost: u64::from(spent.timeouts),
    }
}

/// Returns the forwarding rows.
pub(super) fn forwarding(rows: Vec<ForwardingRow<&str>>) -> Vec<onenet_wire::ForwardingRow<'_>> {
    let fact = |row: ForwardingRow<_>| {
        let status = row.status.map_or(ForwardingStatus::Other, forwarding_status);
        onenet_wire::ForwardingRow::new((row.mac, row.vlan), row.interface, row.bridge_port, status)
    };
    rows.into_iter().map(fact).collect()
}

/// Returns the address rows.
pub(super) fn addresses(rows: Vec<AddressRow<&str>>) -> Vec<onenet_wire::AddressRow<'_>> {
    let fact = |row: AddressRow<_>| {
        let interface = row.interface.map_or_else(|| format!("#{}", row.if_index).into(), Cow::Borrowed);
        onenet_wire::AddressRow::new(row.ip, interface, row.mac)
    };
    rows.into_iter().map(fact).collect()
}

/// Returns the neighbours.
pub(super) fn neighbours(rows: Vec<Neighbour>) -> Vec<FactBody> {
    let text = |reading: Reading<String>| reading.get().cloned().unwrap_or_default();
    let body = |row: Neighbour| {
        FactBody::Neighbour(Box::new(fact::Neighbour {
            protocol: if row.protocol == "cdp" { NeighbourProtocol::Cdp } else { NeighbourProtocol::Lldp },
            local_interface: row.local_port.unwrap_or_else(|| format!("port {}", row.local_port_number)),
            chassis_id: row.chassis_id,
            port_id: text(row.port_id),
            port_description: text(row.port_description),
            system_name: text(row.system_name),
            system_description: text(row.system_description),
            management_addresses: row.management_addresses,
            capabilities: capabilities(row.capabilities.get()),
        }))
    };
    rows.into_iter().map(body).collect()
}

/// Returns the bits of words.
fn capabilities(words: Option<&Vec<&'static str>>) -> u16 {
    let bit = |word: &&str| fact::Neighbour::CAPABILITIES.iter().position(|known| known == word);
    words.into_iter().flatten().filter_map(bit).fold(0, |bits, place| bits | 1 << place)
}

/// Returns the parts that identify equipment: chassis, modules, stacks, and whatever has a serial number. Fans, ports and
/// sensors without one are many and say nothing about identity.
pub(super) fn entities(rows: Vec<Entity>) -> Vec<FactBody> {
    let text = |reading: Reading<String>| reading.get().cloned().unwrap_or_default();
    let body = |row: Entity| {
        let class = row.class.get().copied().map_or(0, class_number);
        let identifies = row.serial.filled().is_some() || IDENTIFYING.contains(&class);
        identifies.then(|| {
            FactBody::Entity(Box::new(fact::Entity {
                index: row.index,
                class,
                name: text(row.name),
                description: text(row.description),
                serial: text(row.serial),
                model: text(row.model),
                software_revision: text(row.software_revision),
            }))
        })
    };
    rows.into_iter().filter_map(body).collect()
}

/// Returns which port is part of which aggregate; one that is only selected carries nothing yet, and is no part.
pub(super) fn aggregation(rows: Vec<LagMember>) -> Vec<FactBody> {
    let body = |row: LagMember| {
        let (member, aggregate) = (row.interface?, row.aggregate?);
        let partner_system = row.partner_system.get().copied();
        let partner_key = row.partner_key.get().and_then(|key| u16::try_from(*key).ok());
        let body = FactBody::Aggregation(Aggregation { member, aggregate, partner_system, partner_key });
        (row.attached != Some(false)).then_some(body)
    };
    rows.into_iter().filter_map(body).collect()
}

/// Returns what the device was recognised as, `None` when it was not.
pub(super) fn identification(found: &Identification) -> Option<fact::Identification> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let identification = fact::Identification {
        vendor: text(&found.vendor),
        model: text(&found.model),
        os: text(&found.os),
        version: text(&found.version),
        serial: text(&found.serial),
        role: found.role,
    };
    (identification != fact::Identification::default()).then_some(identification)
}

/// Returns the sensors.
pub(super) fn sensors(rows: Vec<SensorReading>) -> Vec<FactBody> {
    let body = |row: SensorReading| FactBody::Sensor(Sensor { kind: row.kind, name: row.name, state: row.state });
    rows.into_iter().map(body).collect()
}

/// Returns what a sensor measured, `None` when it measured nothing.
pub(super) fn sensor_sample(row: &SensorReading) -> Option<SensorSample> {
    let value_milli = row.value_milli?;
    Some(SensorSample { kind: row.kind, name: row.name.clone(), value_milli })
}

/// Returns the stations, and the addresses that the controller knows of them.
pub(super) fn stations(rows: Vec<Station>) -> Vec<FactBody> {
    let bodies = |row: Station| {
        let access_point = row.access_point.or_else(|| row.access_point_mac.map(|mac| mac.to_string()));
        let binding = row.ip.map(|ip| FactBody::Binding(Binding { mac: row.mac, ip }));
        let station = FactBody::Station(fact::Station {
            mac: row.mac,
            access_point: access_point.unwrap_or_default(),
            ssid: row.ssid.unwrap_or_default(),
            vlan: row.vlan,
        });
        [Some(station), binding]
    };
    rows.into_iter().flat_map(bodies).flatten().collect()
}

/// Returns an item of history.
pub(super) fn item(time: Timestamp, scope: &Scope, body: HistoryBody) -> HistoryItem {
    HistoryItem { time, scope: scope.clone(), body }
}

/// Returns a port's state from the word that the collector uses for it.
pub(super) fn status(reading: &Reading<&'static str>) -> InterfaceStatus {
    match reading.get().copied() {
        Some("up") => InterfaceStatus::Up,
        Some("down") => InterfaceStatus::Down,
        Some("testing") => InterfaceStatus::Testing,
        Some("dormant") => InterfaceStatus::Dormant,
        Some("not_present") => InterfaceStatus::NotPresent,
        Some("lower_layer_down") => InterfaceStatus::LowerLayerDown,
        _ => InterfaceStatus::Unknown,
    }
}

const fn forwarding_status(status: FdbStatus) -> ForwardingStatus {
    match status {
        FdbStatus::Other => ForwardingStatus::Other,
        FdbStatus::Learned => ForwardingStatus::Learned,
        FdbStatus::Own => ForwardingStatus::Own,
        FdbStatus::Management => ForwardingStatus::Mgmt,
    }
}

/// Returns the number of an entPhysicalClass from its name in RFC 6933.
fn class_number(word: &'static str) -> u32 {
    match word {
        "other" => 1,
        "unknown" => 2,
        "chassis" => CHASSIS,
        "backplane" => 4,
        "container" => 5,
        "power_supply" => 6,
        "fan" => 7,
        "sensor" => 8,
        "module" => MODULE,
        "port" => 10,
        "stack" => STACK,
        "cpu" => 12,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
