//! Everything one device tells, at once: `onenet-agent inspect`.
//!
//! Format: the JSON of [`Inspection`] is a contract. Fields are added, never renamed or removed; a value that the
//! device does not have is null; MAC addresses are lower case with colons; units are in the names. Every row of the
//! tables named in `tables` is in the part of the result that is made of it, or in `dropped` with its reason; but routes
//! are summed up as next hops and connected prefixes, and of ifStackTable only aggregates are told.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contexts::{self, Contexts},
    credentials::Credentials,
    dropped::{DroppedRow, TableError, TableProblem},
    engine::Sockets,
    error::RequestError,
    mib::{
        Polled, TableSize,
        addresses::AddressRow,
        aggregation::LagMember,
        bridge::{Bridge, ForwardingRow},
        entity::Entity,
        identity::Identity,
        interfaces::{Counters, Interface, InterfaceCounters, InterfaceIndex, InterfaceLabel},
        lldp::Neighbour,
        own_addresses::OwnAddress,
        routes::{ConnectedPrefix, NextHop},
        system::System,
        vlans::{PortVlan, Vlan},
    },
    poll::{self, Enterprise, SensorMemory},
    profile::{Identification, PartNames, Profiles, SensorReading, Station},
    quirks::{Quirk, quirks},
    session::{Budget, Session},
    target::Target,
};

/// Everything one device tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The device's address and port.
    pub target: String,
    /// The SNMP version used: `v2c` or `v3`.
    pub version: &'static str,
    /// The system group.
    pub system: System,
    /// What tells the device from another.
    pub identity: Identity,
    /// What the device is.
    pub identification: Identification,
    /// Whose objects the device has; asked for where no vendor's profile knows the device.
    pub enterprises: Vec<Enterprise>,
    /// The interfaces by ifIndex.
    pub interfaces: Vec<Interface>,
    /// The bridge and its spanning tree.
    pub bridge: Option<Bridge>,
    /// The forwarding rows.
    pub forwarding: Vec<ForwardingRow>,
    /// The address resolution rows.
    pub addresses: Vec<AddressRow>,
    /// The neighbours.
    pub neighbours: Vec<Neighbour>,
    /// The VLANs.
    pub vlans: Vec<Vlan>,
    /// The VLAN of each interface's untagged frames.
    pub port_vlans: Vec<PortVlan>,
    /// The interfaces that belong to an aggregate.
    pub lag_members: Vec<LagMember>,
    /// The device's own addresses.
    pub own_addresses: Vec<OwnAddress>,
    /// Where the device sends packets on to.
    pub next_hops: Vec<NextHop>,
    /// The prefixes that the device is connected to.
    pub connected_prefixes: Vec<ConnectedPrefix>,
    /// The physical parts.
    pub entities: Vec<Entity>,
    /// The sensors.
    pub sensors: Vec<SensorReading>,
    /// The wireless stations.
    pub stations: Vec<Station>,
    /// The rows that cannot be used, each with its reason.
    pub dropped: Vec<DroppedRow>,
    /// What could not be read, or only in part.
    pub errors: Vec<TableError>,
    /// What is peculiar about the device: of `errors` and `dropped` what is its doing, by word and table.
    pub quirks: Vec<Quirk>,
    /// The tables asked for and how many rows each has.
    pub tables: Vec<TableSize>,
    /// What the inspection cost.
    pub cost: Cost,
}

/// What an inspection cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Questions sent.
    pub requests: u32,
    /// Questions that stayed unanswered.
    pub timeouts: u32,
    /// Values received.
    pub values: u64,
    /// Time spent waiting for the device, in milliseconds.
    pub waited_ms: u128,
    /// The smoothed round trip, in microseconds.
    pub round_trip_us: Option<u128>,
}

/// Reads everything one device tells.
///
/// # Errors
///
/// The device is silent, or refuses the credentials. What fails later is in [`Inspection::errors`].
pub async fn inspect(
    sockets: &Sockets,
    target: Target,
    credentials: &Credentials,
    budget: Budget,
    profiles: &Profiles,
) -> Result<Inspection, RequestError> {
    let mut session = Session::open(sockets, target.0, credentials).await?;
    session.begin_round(budget);
    inspect_with(&mut session, Some(Contexts { sockets, credentials }), profiles).await
}

/// Reads everything over a session of the caller's, whose sockets and credentials `contexts` has; without them, what is told in
/// a context a VLAN is left out.
///
/// # Errors
///
/// The device is silent, or refuses the credentials.
pub async fn inspect_with(
    session: &mut Session,
    contexts: Option<Contexts<'_>>,
    profiles: &Profiles,
) -> Result<Inspection, RequestError> {
    let from_elsewhere = || contexts.map_or(0, |contexts| contexts.sockets.counts().from_elsewhere);
    let elsewhere_before = from_elsewhere();
    let system = poll::poll_system(session).await?;
    let mut notes = Notes::default();
    let identity = notes.take(poll::poll_identity(session).await).pop().unwrap_or_default();
    let labels = notes.take(poll::poll_interfaces(session).await);
    let counters = notes.take(poll::poll_counters(session).await);
    let index = InterfaceIndex::new(labels.iter().cloned());
    let bridge = notes.take(poll::poll_bridge(session, &index).await).pop();
    let forwarding = notes.take(forwarding(session, contexts, &index).await);
    let addresses = poll::poll_addresses(session).await.resolve(&index);
    let neighbours = notes.take(poll::poll_neighbours(session, &index).await);
    let (vlans, port_vlans) = poll::poll_vlans(session, &index).await;
    let (vlans, port_vlans) = (notes.take(vlans), notes.take(port_vlans));
    let lag_members = notes.take(poll::poll_aggregation(session, &index).await);
    let own_addresses = notes.take(poll::poll_own_addresses(session, &index).await);
    let routes = notes.take(poll::poll_routes(session, &own_addresses, &index).await).pop().unwrap_or_default();
    let entities = notes.take(poll::poll_entities(session).await);
    let known = by_profile(session, profiles, (&system, &index, &entities), addresses, &mut notes).await;
    notes.errors.extend(session.quirks());
    notes.errors.extend(system.text_encoding.map(|_| TableError::of_device(TableProblem::GbkText)));
    let elsewhere = from_elsewhere().saturating_sub(elsewhere_before);
    let answers = usize::try_from(elsewhere).unwrap_or(usize::MAX);
    let told_elsewhere = TableError::of_device(TableProblem::AnswersFromElsewhere);
    notes.errors.extend((answers > 0).then_some(TableError { rows: Some(answers), ..told_elsewhere }));
    let spent = session.spent();
    Ok(Inspection {
        target: session.target().to_string(),
        version: contexts.map_or("v2c", |contexts| contexts.credentials.version()),
        system,
        identity,
        identification: known.identification,
        enterprises: known.enterprises,
        interfaces: merged(labels, counters),
        bridge: bridge.filter(|bridge| *bridge != Bridge::default()),
        forwarding,
        addresses: known.addresses,
        neighbours,
        vlans,
        port_vlans,
        lag_members,
        own_addresses,
        next_hops: routes.next_hops,
        connected_prefixes: routes.connected_prefixes,
        entities,
        sensors: known.sensors,
        stations: known.stations,
        quirks: quirks(&notes.errors, &notes.dropped),
        dropped: notes.dropped,
        errors: notes.errors,
        tables: notes.tables.into_iter().map(|(table, rows)| TableSize { table, rows }).collect(),
        cost: Cost {
            requests: spent.requests,
            timeouts: spent.timeouts,
            values: spent.varbinds,
            waited_ms: spent.waited.as_millis(),
            round_trip_us: session.round_trip().map(|round_trip| round_trip.as_micros()),
        },
    })
}

/// What is read by profiles.
struct ByProfile {
    identification: Identification,
    enterprises: Vec<Enterprise>,
    addresses: Vec<AddressRow>,
    sensors: Vec<SensorReading>,
    stations: Vec<Station>,
}

/// Reads what profiles tell: what the device is, its sensors and stations, and the addresses that `addresses`, the standard
/// tables, leave out.
async fn by_profile(
    session: &mut Session,
    profiles: &Profiles,
    (system, interfaces, entities): (&System, &InterfaceIndex, &[Entity]),
    mut addresses: Polled<AddressRow>,
    notes: &mut Notes,
) -> ByProfile {
    let identified = poll::poll_identification(session, profiles, system, entities).await;
    let identification = notes.take(identified).pop().unwrap_or_default();
    let profile = identification.profile;
    let enterprises = match profile {
        Some(_) => Vec::new(),
        None => notes.take(poll::poll_enterprises(session).await),
    };
    let names = PartNames { interfaces, entities };
    let memory = &mut SensorMemory::default();
    let more = poll::poll_more_addresses(session, profiles, profile, &names, memory, &addresses).await;
    addresses.append(more);
    let memory = &mut SensorMemory::default();
    let sensors = notes.take(poll::poll_sensors(session, profiles, profile, &names, memory, None).await);
    let stations = notes.take(poll::poll_stations(session, profiles, profile, &names).await);
    ByProfile { identification, enterprises, addresses: notes.take(addresses), sensors, stations }
}

/// Reads where addresses are, VLAN by VLAN where the device has a context for each.
async fn forwarding(
    session: &mut Session,
    contexts: Option<Contexts<'_>>,
    interfaces: &InterfaceIndex,
) -> Polled<ForwardingRow> {
    let plain = poll::poll_forwarding(session).await.resolve(interfaces);
    match contexts {
        Some(contexts) if plain.rows.iter().all(|row| row.fdb_id.is_none()) => {
            let of_vlans = contexts::poll_context_forwarding(session, contexts, interfaces).await;
            contexts::with_contexts(plain, of_vlans)
        }
        _ => plain,
    }
}

/// What polls noted, collected.
#[derive(Default)]
struct Notes {
    dropped: Vec<DroppedRow>,
    errors: Vec<TableError>,
    tables: BTreeMap<&'static str, usize>,
}

impl Notes {
    fn take<T>(&mut self, polled: Polled<T>) -> Vec<T> {
        let Polled { rows, dropped, errors, tables } = polled;
        self.dropped.extend(dropped.into_iter().filter(|row| !self.dropped.contains(row)).collect::<Vec<_>>());
        self.errors.extend(errors.into_iter().filter(|error| !self.errors.contains(error)).collect::<Vec<_>>());
        for TableSize { table, rows } in tables {
            let known = self.tables.entry(table).or_default();
            *known = rows.max(*known);
        }
        rows
    }
}

/// Joins labels and counters by ifIndex. An interface that appeared or went between the two reads, or of which the device
/// tells nothing else, lacks one of them.
fn merged(labels: Vec<InterfaceLabel>, counters: Vec<InterfaceCounters>) -> Vec<Interface> {
    let mut by_index: BTreeMap<u32, Counters> = counters.into_iter().map(|row| (row.if_index, row.counters)).collect();
    let join =
        |label: InterfaceLabel| Interface { counters: by_index.remove(&label.if_index).unwrap_or_default(), label };
    let mut interfaces: Vec<Interface> = labels.into_iter().map(join).collect();
    let unlabelled =
        |(if_index, counters)| Interface { label: InterfaceLabel { if_index, ..InterfaceLabel::default() }, counters };
    interfaces.extend(by_index.into_iter().map(unlabelled));
    interfaces.sort_by_key(|interface| interface.label.if_index);
    interfaces
}
