//! The evidence of one endpoint laid out, and how what facts testify is folded into it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Endpoint, Recognition, Source};
use crate::{EndpointId, MacAddr, SpaceId, Timestamp, classify, fact::Host};

/// Past witnesses that one endpoint, or one of its addresses, remembers: those seen last stay.
pub const PAST_WITNESSES_MAX: usize = 16;
/// Past addresses that one endpoint remembers: those seen last stay. Privacy addresses (RFC 8981) change every day.
pub const PAST_ADDRESSES_MAX: usize = 64;
/// Past conclusions of one agent that an endpoint remembers: the last ones stay.
pub const PAST_CONCLUSIONS_MAX: usize = 8;

/// What one fact testifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Which fact.
    pub source: Source,
    /// When it was first observed.
    pub first_seen: Timestamp,
    /// When it was last observed.
    pub last_seen: Timestamp,
    /// Whether the agent still holds it: an agent reports what changes, not what stays.
    pub current: bool,
    /// The VLAN, where the source tells.
    pub vlan: Option<u16>,
    /// The ifName of the port, where the source tells.
    pub interface: Option<Box<str>>,
}

/// An IP address of an endpoint, past or present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundAddress {
    /// The space in which the address means one thing.
    pub space: SpaceId,
    /// The address.
    pub ip: IpAddr,
    /// Who saw it bound, ordered by source.
    pub witnesses: Vec<Witness>,
}

/// What a host said of itself, as one agent heard it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatement {
    /// Who heard it.
    pub witness: Witness,
    /// What was said.
    pub host: Host,
}

/// What one agent concluded of an endpoint from what it heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// Who concluded it.
    pub witness: Witness,
    /// What.
    pub conclusion: classify::Packed,
    /// Class and system, and since when they are so.
    pub since: Recognition,
    /// What they were before, in order.
    pub past: Vec<Recognition>,
}

/// What is told of an endpoint: the sum of its witnesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Who saw the MAC address itself: in a frame, in a forwarding table. Ordered by source.
    pub witnesses: Vec<Witness>,
    /// Its IP addresses, ordered by space and address.
    pub addresses: Vec<BoundAddress>,
    /// What it said of itself, ordered by source.
    pub statements: Vec<HostStatement>,
    /// What agents concluded from what it said, ordered by source.
    pub classified: Vec<Classified>,
}

/// An endpoint while facts about it are folded in: its evidence is laid out, once for all of them.
#[derive(Debug, Clone)]
pub struct Hearing {
    endpoint: Endpoint,
    evidence: Evidence,
}

/// What a fact says about an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Testimony {
    /// The MAC address was there.
    Presence,
    /// The MAC address had this IP address.
    Address(SpaceId, IpAddr),
    /// The host described itself.
    Host(Host),
    /// It was concluded to be this.
    Class(classify::Packed),
}

impl Witness {
    /// Takes over a later or earlier sight of the same fact.
    fn renew(&mut self, other: Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        if other.last_seen >= self.last_seen {
            self.last_seen = other.last_seen;
            self.current = other.current;
            self.vlan = other.vlan;
            self.interface = other.interface;
        }
    }
}

impl BoundAddress {
    /// Returns when the address was first seen bound.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.witnesses.iter().map(|witness| witness.first_seen).min()
    }

    /// Returns when the address was last seen bound.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.witnesses.iter().map(|witness| witness.last_seen).max()
    }

    /// Returns whether some agent still holds the binding.
    pub fn is_current(&self) -> bool {
        self.witnesses.iter().any(|witness| witness.current)
    }
}

impl Hearing {
    /// Begins with an endpoint that nobody has seen yet.
    pub fn new(id: EndpointId, mac: MacAddr) -> Self {
        Self { endpoint: Endpoint::new(id, mac), evidence: Evidence::default() }
    }

    /// Begins with an endpoint as it is known.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self { endpoint: endpoint.clone(), evidence: endpoint.evidence.unpack() }
    }

    /// Returns the endpoint by all that was heard.
    pub fn close(self) -> Endpoint {
        Endpoint { evidence: (&self.evidence).into(), ..self.endpoint }
    }

    /// Folds in that a fact holds.
    pub fn hear(&mut self, testimony: Testimony, witness: Witness) {
        let it = &mut self.endpoint;
        if it.silent_since.is_some_and(|since| witness.last_seen > since) {
            it.silent_since = None;
            it.retired_since = None;
        }
        self.evidence.hear(testimony, witness);
    }

    /// Folds in that the fact of `source`, which said `testimony`, was found gone at `observed`.
    pub fn end(&mut self, testimony: &Testimony, source: &Source, observed: Timestamp) {
        self.evidence.end(testimony, source, observed);
    }
}

impl Evidence {
    /// Folds in that a fact holds.
    fn hear(&mut self, testimony: Testimony, witness: Witness) {
        match testimony {
            Testimony::Presence => renew_in(&mut self.witnesses, witness),
            Testimony::Address(space, ip) => {
                self.leave_other_spaces(space, ip, &witness.source);
                renew_in(&mut self.address_mut(space, ip).witnesses, witness);
            }
            Testimony::Host(host) => self.hear_host(host, witness),
            Testimony::Class(conclusion) => self.hear_class(conclusion, witness),
        }
        self.forget();
    }

    /// Folds in that the fact of `source`, which said `testimony`, was found gone at `observed`.
    fn end(&mut self, testimony: &Testimony, source: &Source, observed: Timestamp) {
        let witness = match testimony {
            Testimony::Presence => self.witnesses.iter_mut().find(|witness| witness.source == *source),
            // In whatever space: the address plan may have changed since.
            Testimony::Address(_, ip) => self
                .addresses
                .iter_mut()
                .filter(|address| address.ip == *ip)
                .flat_map(|address| &mut address.witnesses)
                .find(|witness| witness.source == *source),
            Testimony::Host(_) => self
                .statements
                .iter_mut()
                .map(|statement| &mut statement.witness)
                .find(|witness| witness.source == *source),
            Testimony::Class(_) => {
                self.classified.iter_mut().map(|it| &mut it.witness).find(|witness| witness.source == *source)
            }
        };
        // The moment at which it was found gone is not one at which it was seen: `last_seen` stays.
        if let Some(witness) = witness.filter(|witness| witness.last_seen <= observed) {
            witness.current = false;
        }
        self.forget();
    }

    fn address_mut(&mut self, space: SpaceId, ip: IpAddr) -> &mut BoundAddress {
        let index = self.addresses.partition_point(|address| (address.space, address.ip) < (space, ip));
        if self.addresses.get(index).is_none_or(|address| (address.space, address.ip) != (space, ip)) {
            insert(&mut self.addresses, index, BoundAddress { space, ip, witnesses: Vec::new() });
        }
        &mut self.addresses[index]
    }

    /// Takes a source out of the spaces in which the address no longer has its meaning, since the plan changed.
    fn leave_other_spaces(&mut self, space: SpaceId, ip: IpAddr, source: &Source) {
        for address in self.addresses.iter_mut().filter(|address| address.ip == ip && address.space != space) {
            address.witnesses.retain(|witness| witness.source != *source);
        }
        self.addresses.retain(|address| !address.witnesses.is_empty());
    }

    fn hear_host(&mut self, host: Host, witness: Witness) {
        let index = self.statements.partition_point(|statement| statement.witness.source < witness.source);
        match self.statements.get_mut(index).filter(|statement| statement.witness.source == witness.source) {
            Some(statement) => {
                if witness.last_seen >= statement.witness.last_seen {
                    statement.host = host;
                }
                statement.witness.renew(witness);
            }
            None => insert(&mut self.statements, index, HostStatement { witness, host }),
        }
    }

    fn hear_class(&mut self, conclusion: classify::Packed, witness: Witness) {
        let (class, os) = conclusion.kinds();
        let since = Recognition { since: witness.last_seen, class, os };
        let index = self.classified.partition_point(|it| it.witness.source < witness.source);
        match self.classified.get_mut(index).filter(|it| it.witness.source == witness.source) {
            Some(known) => {
                if witness.last_seen >= known.witness.last_seen {
                    known.conclusion = conclusion;
                    if (known.since.class, known.since.os) != (since.class, since.os) {
                        known.past.push(std::mem::replace(&mut known.since, since));
                        let surplus = known.past.len().saturating_sub(PAST_CONCLUSIONS_MAX);
                        known.past.drain(..surplus);
                    }
                }
                known.witness.renew(witness);
            }
            None => insert(&mut self.classified, index, Classified { witness, conclusion, since, past: Vec::new() }),
        }
    }

    /// Lets go of the oldest past evidence beyond the bounds.
    fn forget(&mut self) {
        forget_oldest(&mut self.witnesses, PAST_WITNESSES_MAX, |w| (!w.current).then_some(w.last_seen));
        for address in &mut self.addresses {
            forget_oldest(&mut address.witnesses, PAST_WITNESSES_MAX, |w| (!w.current).then_some(w.last_seen));
        }
        forget_oldest(&mut self.addresses, PAST_ADDRESSES_MAX, |address| {
            if address.is_current() { None } else { Some(address.last_seen().unwrap_or_default()) }
        });
        forget_oldest(&mut self.statements, PAST_WITNESSES_MAX, |statement| {
            (!statement.witness.current).then_some(statement.witness.last_seen)
        });
        forget_oldest(&mut self.classified, PAST_WITNESSES_MAX, |it| {
            (!it.witness.current).then_some(it.witness.last_seen)
        });
    }
}

/// Inserts the witness at its place, or renews the one of the same source.
fn renew_in(witnesses: &mut Vec<Witness>, witness: Witness) {
    let index = witnesses.partition_point(|known| known.source < witness.source);
    match witnesses.get_mut(index).filter(|known| known.source == witness.source) {
        Some(known) => known.renew(witness),
        None => insert(witnesses, index, witness),
    }
}

/// Inserts an item, and makes room for no more than that: of most lists there are a hundred thousand with one item each.
fn insert<T>(items: &mut Vec<T>, index: usize, item: T) {
    items.reserve_exact(1);
    items.insert(index, item);
}

/// Removes the items of the past, oldest first, until at most `max` of them are left. `past` returns `None` for current ones.
fn forget_oldest<T>(items: &mut Vec<T>, max: usize, past: impl Fn(&T) -> Option<Timestamp>) {
    while items.iter().filter(|item| past(item).is_some()).count() > max {
        let oldest = items.iter().enumerate().filter_map(|(index, item)| Some((past(item)?, index))).min();
        let Some((_, index)) = oldest else { return };
        items.remove(index);
    }
}
