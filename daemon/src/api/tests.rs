//! The API from the outside: requests in, answers out.

mod acceptance;
mod access;
mod addresses;
mod administration;
mod anomalies;
mod availability;
mod case_files;
mod cases;
mod changes;
mod contacts;
mod contract;
mod coverage;
mod drills;
pub(crate) mod flows;
mod hiding;
mod incidents;
mod inspections;
mod inventory;
mod metrics;
mod notices;
mod path;
mod probes;
mod silenced;
mod usage;
