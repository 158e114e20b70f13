//! Polls managed devices over SNMP and reads MIB tables into typed rows.
//!
//! Invariant: a row that was read is either returned or in `dropped` with its reason; a value that a device does not
//! have is missing, never a zero; a dead or sloppy device costs little and stops nothing. This crate does not know
//! when to poll, where results go, or what they mean for the topology.
//!
//! Begin with [`inspect`] for one look at a device, or with [`Sockets::open`], [`Session::open`] and the `poll_*`
//! functions for a schedule: one task a device, a [`Session`] kept between rounds, a [`Backoff`] when it is silent.

#![forbid(unsafe_code)]

mod backoff;
mod clock;
mod contexts;
mod credentials;
mod drift;
mod dropped;
pub mod engine;
mod error;
pub mod exchange;
mod index;
mod inspection;
pub mod mib;
mod oid;
mod poll;
mod profile;
mod quirks;
mod repetitions;
mod rtt;
mod secret;
mod session;
mod target;
mod text;
mod value;
mod vendor;
mod walk;

pub use backoff::{Backoff, Silence as BackoffSilence};
pub use contexts::{Contexts, poll_context_forwarding, with_contexts};
pub use credentials::{AuthProtocol, Credentials, InvalidCredentials, PrivacyProtocol, V3Security, V3User};
pub use drift::EngineTime;
pub use dropped::{DropReason, DroppedRow, TableError, TableProblem};
pub use engine::{
    DatagramCounts, EngineAt, LocalEngine, Sockets, engine_at,
    notification::{Notification, Receiver, Refused, Taken, Version as NotificationVersion},
};
pub use error::{Budgeted, RequestError, ResolveError, Silence, SocketError};
pub use index::{IndexReader, ZonedAddress, family_address, inet_address, mac_of};
pub use inspection::{Cost, Inspection, inspect, inspect_with};
pub use mib::{
    Polled, Reading, TableSize,
    addresses::{AddressRow, AddressTables, MappingType},
    aggregation::LagMember,
    bridge::{Bridge, BridgeId, BridgePorts, FdbStatus, ForwardingRow, ForwardingTables, StpPort},
    entity::Entity,
    identity::Identity,
    interfaces::{
        Counters, Interface, InterfaceCounters, InterfaceIndex, InterfaceLabel, InterfaceTables, KnownInterface,
    },
    lldp::{ChassisIdType, Neighbour, PortIdType},
    own_addresses::OwnAddress,
    routes::{ConnectedPrefix, NextHop, ROUTES_MAX, Routes},
    system::System,
    vlans::{PortVlan, Vlan},
};
pub use oid::{ARCS_MAX, InvalidOid, Oid};
pub use poll::{
    Enterprise, SensorMemory, attempt_system, poll_addresses, poll_aggregation, poll_bridge, poll_counters,
    poll_counters_and_uptime, poll_enterprises, poll_entities, poll_forwarding, poll_forwarding_and_addresses,
    poll_identification, poll_identity, poll_interface_tables, poll_interfaces, poll_last_changes, poll_more_addresses,
    poll_neighbours, poll_own_addresses, poll_routes, poll_sensors, poll_stations, poll_system, poll_uptime,
    poll_vlans,
};
pub use profile::{
    Concern, Identification, Limits, Pace, PartNames, Profile, Profiles, ProfilesError, SensorReading, Station,
};
pub use quirks::{Quirk, quirks};
pub use repetitions::Repetitions;
pub use rtt::RttEstimator;
pub use secret::Secret;
pub use session::{Budget, Session, Spent, Table};
pub use target::Target;
pub use text::text_of;
pub use value::{Octets, Value, VarBind, VarBindRef, VarBinds};
pub use vendor::{enterprise_of, name_of as vendor_name};
pub use walk::{Caps, Cells, Column, ColumnEnd, Walk};
