//! The nouns of the network and the inference over them.
//!
//! Invariant: this crate is pure. It knows no clock, socket, task, log or store; time is always a parameter, and
//! identity is always given by whoever owns the record that created the thing.

#![forbid(unsafe_code)]

pub mod acceptance;
pub mod address;
pub mod alias;
pub mod anomaly;
pub mod application;
pub mod area;
pub mod asset;
pub mod availability;
pub mod campaign;
pub mod case;
pub mod classify;
pub mod contact;
pub mod containment;
pub mod coverage;
pub mod csv;
pub mod dated;
pub mod device;
pub mod differences;
pub mod division;
pub mod drill;
pub mod endpoint;
pub mod fact;
pub mod flow;
pub mod grouping;
pub mod id;
pub mod incident;
pub mod inference;
pub mod inspection;
pub mod link;
pub mod mac;
pub mod merge;
pub mod path;
pub mod picture;
pub mod probe;
pub mod role;
pub mod sensor;
pub mod service;
pub mod site;
pub mod subnet;
pub mod terminal;
pub mod time;
pub mod varint;
pub mod vendor;
pub mod vlan;

pub use application::Application;
pub use id::{
    AcceptanceId, AgentId, AreaId, AssetId, CampaignId, CaseId, DeviceId, DrillId, EndpointId, Id, IncidentId,
    InterfaceId, LinkId, MaintenanceId, SiteId, SpaceId, SuppressionId, TerminalId,
};
pub use mac::MacAddr;
pub use probe::{Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, ProbeTest};
pub use role::Role;
pub use sensor::{SensorKind, SensorState};
pub use time::Timestamp;
pub use vlan::VlanSet;
