//! The centre: takes in what agents report, keeps the estate, judges it, and shows it as metrics, API and console.
//!
//! Invariant: the binary only wires. Each feature is a module here that `main` composes.

#![forbid(unsafe_code)]

mod acceptance;
pub mod access;
pub mod api;
mod asking;
pub mod availability;
mod case_files;
pub mod centre;
pub mod cli;
pub mod clock;
pub mod collector;
pub mod config;
pub mod console;
pub mod containment;
pub mod coverage;
pub mod demo;
pub mod estate;
pub mod findings;
mod flows;
mod http_client;
pub mod ingest;
pub mod joined;
mod listening;
pub mod logging;
mod measurement;
pub mod metrics;
pub mod notify;
mod observed;
pub mod outbox;
mod packets;
mod past;
mod path;
pub mod pki;
pub mod record;
pub mod remote_write;
pub mod replication;
mod room;
pub mod store;
pub mod terminals;
#[cfg(test)]
mod testing;
mod usage;
