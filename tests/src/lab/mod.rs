//! A small site in network namespaces: switches, hosts, servers and lines made of the kernel's own parts.
//!
//! Invariant: a lab never touches the machine's own network. Every interface is created inside a namespace of the lab,
//! names are unique to one run, and everything goes when the [`netns::Lab`] is dropped, after a panic too. What a
//! killed run left behind is removed by the next one.

pub mod alerting;
pub mod api;
pub mod checks;
pub mod cluster;
pub mod country;
pub mod dhcp;
pub mod frames;
pub mod instruments;
pub mod keeper;
pub mod line;
pub mod mirror;
pub mod netns;
pub mod process;
pub mod product;
pub mod prometheus;
pub mod router;
pub mod sawtooth;
pub mod services;
pub mod site;
pub mod snmpd;
pub mod snmpsim;
pub mod switch;
pub mod vendor;
