//! Whom servers talk to of their own accord: a server that had the same few peers for a week and has another one.
//!
//! Invariant: who is a server is told by who uses it, never by its name; one that has many peers, or new ones again and again, is
//! never judged.

use std::net::IpAddr;

use onenet_topology::Timestamp;

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{Attempt, FlowSeen},
    settings::Settings,
    table::{Distinct, Table, Worth, hash},
    threshold::Threshold,
};

const DAY_MS: i64 = 24 * 3_600_000;
/// How long a server is remembered that nobody uses and that begins nothing.
const KEPT_MS: i64 = 40 * DAY_MS;
/// Hosts whose server somebody has to be.
const CLIENTS_MIN: u64 = 5;
/// Peers that a server may have.
const PEERS_MAX: usize = 24;
/// New peers that are told before it is taken that the server's work changed.
const TOLD_MAX: u32 = 4;

#[derive(Debug)]
struct Server {
    clients: Distinct,
    /// Hashes of whom it has as peers.
    peers: Vec<u64>,
    /// Since when it has had these.
    settled: Timestamp,
    told: u32,
}

/// The detector.
#[derive(Debug)]
pub(crate) struct Peers {
    servers: Table<IpAddr, Server>,
}

impl Worth for Server {
    fn worth(&self) -> u64 {
        self.clients.count()
    }
}

impl Peers {
    pub(crate) fn new() -> Self {
        Self { servers: Table::new(1_024, KEPT_MS) }
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.servers.evicted()
    }

    pub(crate) fn flow(&mut self, flow: &FlowSeen<'_>, settings: &Settings, book: &mut Book) {
        let looks = settings.peer_ports.contains(&flow.to_port) || settings.is_scanner(flow.from);
        if looks || flow.attempt() != Some(Attempt::Answered) {
            return;
        }
        // Whoever is asked on a high port of UDP may well be a peer and no server.
        let serves = settings.is_inside(flow.to) && (flow.protocol == 6 || flow.to_port < 1_024);
        let fresh = || Server { clients: Distinct::default(), peers: Vec::new(), settled: flow.start, told: 0 };
        if serves && let Some(server) = self.servers.touch(flow.to, flow.start, fresh) {
            server.clients.add(hash(flow.from));
        }
        if !settings.is_inside(flow.from) || self.servers.get(&flow.from, flow.start).is_none() {
            return;
        }
        let days = i64::try_from(settings.at(Threshold::NewPeerDays, flow.from)).unwrap_or(i64::MAX);
        let Some(server) = self.servers.touch(flow.from, flow.start, fresh) else { return };
        let Some(settled_days) = server.meets(hash(flow.to), flow.start, days) else { return };
        let known = server.peers.len().saturating_sub(1);
        let report = Report::new(Kind::NewPeer, Subject::Host(flow.from), 60, flow.start);
        book.report(&report, || {
            vec![
                Evidence::new("peer", Subject::Service { host: flow.to, port: flow.to_port }),
                Evidence::new("known", known),
                Evidence::new("days", settled_days),
                Evidence::new("flow", flow.in_words()),
            ]
        });
    }
}

impl Server {
    /// Takes note of a peer. Returns for how many days there was no other one, where this one is new and the others are not.
    fn meets(&mut self, peer: u64, now: Timestamp, least_days: i64) -> Option<i64> {
        if self.peers.contains(&peer) {
            return None;
        }
        if self.peers.len() >= PEERS_MAX {
            self.settled = now;
            return None;
        }
        self.peers.push(peer);
        let days = now.ms_since(self.settled) / DAY_MS;
        if days >= least_days && self.told < TOLD_MAX && self.clients.count() >= CLIENTS_MIN {
            self.told += 1;
            return Some(days);
        }
        (self.settled, self.told) = (now, 0);
        None
    }
}
