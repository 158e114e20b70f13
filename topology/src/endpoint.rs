//! Endpoints: the network presences with a MAC address, and every reason to believe in them.
//!
//! Invariant: an endpoint is the sum of its witnesses. Each fact of each agent is one witness, so that what one agent
//! takes back never removes what another sees (invariant 8). Folding facts in is commutative: the order in which agents'
//! reports arrive does not show in the result. What is remembered of the past is bounded: established and current
//! evidence gives way last.
//!
//! It does not know how facts arrive, where they are kept, nor how an attachment is inferred.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, EndpointId, MacAddr, SpaceId, Timestamp,
    classify::{self, Conclusion, DeviceClass, OsFamily},
    fact::{Group, Host, Method},
    inference::Where,
};

/// Past witnesses that one endpoint, or one of its addresses, remembers: those seen last stay.
pub const PAST_WITNESSES_MAX: usize = 16;
/// Past addresses that one endpoint remembers: those seen last stay. Privacy addresses (RFC 8981) change every day.
pub const PAST_ADDRESSES_MAX: usize = 64;
/// Past conclusions of one agent that an endpoint remembers: the last ones stay.
pub const PAST_CONCLUSIONS_MAX: usize = 8;

/// Who saw something, how, and on what: what a group's facts have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Who.
    pub agent: AgentId,
    /// How, and on what.
    #[serde(flatten)]
    pub group: Group,
}

/// Names one fact of one agent: who saw it, how, on what, and which row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// Of which group of whom. Shared: a country has a million witnesses, and a thousandth of that in origins.
    #[serde(flatten)]
    pub origin: Arc<Origin>,
    /// The hash of the fact's key, which names it within the group.
    pub fact: u64,
}

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
    pub conclusion: Arc<Conclusion>,
    /// Class and system, and since when they are so.
    pub since: Recognition,
    /// What they were before, in order.
    pub past: Vec<Recognition>,
}

/// Class and operating system, and since when they were taken to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Recognition {
    /// Since when.
    pub since: Timestamp,
    /// What kind of machine it is.
    pub class: Option<DeviceClass>,
    /// Its operating system.
    pub os: Option<OsFamily>,
}

/// A network presence with a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its identity.
    pub id: EndpointId,
    /// Its MAC address.
    pub mac: MacAddr,
    /// Who saw the MAC address itself: in a frame, in a forwarding table. Ordered by source.
    pub witnesses: Vec<Witness>,
    /// Its IP addresses, ordered by space and address.
    pub addresses: Vec<BoundAddress>,
    /// What it said of itself, ordered by source.
    pub statements: Vec<HostStatement>,
    /// What agents concluded from what it said, ordered by source.
    pub classified: Vec<Classified>,
    /// Where it is believed to be; `None` when that was never known.
    pub located: Option<Located>,
    /// When it was last seen, once nobody who would see it does any more; `None` while somebody may.
    pub silent_since: Option<Timestamp>,
    /// Since when it is kept for its history only; `None` otherwise. Only silent ones are retired.
    pub retired_since: Option<Timestamp>,
}

/// Where an endpoint is believed to be, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Where.
    pub at: Where,
    /// Since when.
    pub since: Timestamp,
    /// Another place that a walk over the tables found, and when: not believed before another one says so too.
    pub contender: Option<(Where, Timestamp)>,
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
    Class(Arc<Conclusion>),
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

impl Endpoint {
    /// Returns an endpoint that nobody has seen yet.
    pub const fn new(id: EndpointId, mac: MacAddr) -> Self {
        Self {
            id,
            mac,
            witnesses: Vec::new(),
            addresses: Vec::new(),
            statements: Vec::new(),
            classified: Vec::new(),
            located: None,
            silent_since: None,
            retired_since: None,
        }
    }

    /// Folds in that a fact holds.
    pub fn hear(&mut self, testimony: Testimony, witness: Witness) {
        if self.silent_since.is_some_and(|since| witness.last_seen > since) {
            self.silent_since = None;
            self.retired_since = None;
        }
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
    pub fn end(&mut self, testimony: &Testimony, source: &Source, observed: Timestamp) {
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

    /// Returns every witness of whatever kind.
    pub fn all_witnesses(&self) -> impl Iterator<Item = &Witness> {
        self.witnesses
            .iter()
            .chain(self.addresses.iter().flat_map(|address| &address.witnesses))
            .chain(self.statements.iter().map(|statement| &statement.witness))
            .chain(self.classified.iter().map(|it| &it.witness))
    }

    /// Returns when anybody first saw it.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.all_witnesses().map(|witness| witness.first_seen).min()
    }

    /// Returns the agent that first saw it; `None` when nobody has.
    pub fn discoverer(&self) -> Option<AgentId> {
        let first = self.all_witnesses().min_by_key(|witness| (witness.first_seen, witness.source.origin.agent))?;
        Some(first.source.origin.agent)
    }

    /// Returns when anybody last saw it.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.all_witnesses().map(|witness| witness.last_seen).max()
    }

    /// Returns whether some agent still holds a fact about it.
    pub fn is_current(&self) -> bool {
        self.all_witnesses().any(|witness| witness.current)
    }

    /// Returns whether it is there, as far as anybody can tell: some agent holds a fact about it, and it is not silent.
    pub fn is_present(&self) -> bool {
        self.silent_since.is_none() && self.is_current()
    }

    /// Returns the addresses that some agent still holds.
    pub fn current_addresses(&self) -> impl Iterator<Item = &BoundAddress> {
        self.addresses.iter().filter(|address| address.is_current())
    }

    /// Returns what it last said of itself.
    pub fn host(&self) -> Option<&Host> {
        self.statements
            .iter()
            .max_by_key(|statement| (statement.witness.current, statement.witness.last_seen))
            .map(|statement| &statement.host)
    }

    /// Returns what it is, as far as those who hear it now can tell, or those who did; by its maker alone where nobody does.
    pub fn conclusion(&self) -> Arc<Conclusion> {
        match *self.telling() {
            [] => classify::conclude(self.mac, &[]).into(),
            [one] => Arc::clone(&one.conclusion),
            ref several => classify::merge(&several.iter().map(|it| &*it.conclusion).collect::<Vec<_>>()).into(),
        }
    }

    /// Returns what it was taken to be, by whom it is heard now or was, in order of time: the last is what it is now.
    pub fn recognitions(&self) -> Vec<Recognition> {
        let mut all: Vec<Recognition> =
            self.telling().iter().flat_map(|it| it.past.iter().chain([&it.since])).copied().collect();
        all.sort_unstable();
        all.dedup_by_key(|it| (it.class, it.os));
        all
    }

    fn telling(&self) -> Vec<&Classified> {
        let current = self.classified.iter().any(|it| it.witness.current);
        self.classified.iter().filter(|it| it.witness.current == current).collect()
    }

    /// Returns its host name, where it told one.
    pub fn hostname(&self) -> Option<&str> {
        let telling = self.telling();
        let names = telling.iter().filter_map(|it| it.conclusion.names.first());
        // Of equals the first: sources are in order.
        let surest = names.reduce(|best, name| if name.score > best.score { name } else { best });
        if let Some(name) = surest {
            return Some(&name.name);
        }
        self.statements
            .iter()
            .filter(|statement| !statement.host.hostname.is_empty())
            .max_by_key(|statement| (statement.witness.current, statement.witness.last_seen))
            .map(|statement| statement.host.hostname.as_str())
    }

    /// Returns the vendor that the address was assigned to, `None` for local addresses and unknown prefixes.
    pub fn vendor(&self) -> Option<&'static str> {
        crate::vendor::of(self.mac)
    }

    /// Returns the methods by which it is seen now, or was when nobody sees it any more.
    pub fn methods(&self) -> Vec<Method> {
        let current = self.is_current();
        let mut methods: Vec<Method> = self
            .all_witnesses()
            .filter(|witness| witness.current == current)
            .map(|witness| witness.source.origin.group.method)
            .collect();
        methods.sort_unstable();
        methods.dedup();
        methods
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

    fn hear_class(&mut self, conclusion: Arc<Conclusion>, witness: Witness) {
        let since = Recognition {
            since: witness.last_seen,
            class: conclusion.class.map(|class| class.is),
            os: conclusion.os.map(|os| os.is),
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Scope;

    fn witness(agent: u64, first: i64, last: i64) -> Witness {
        Witness {
            source: Source {
                origin: Arc::new(Origin {
                    agent: AgentId::from_raw(agent),
                    group: Group { method: Method::PassiveArp, scope: Scope::new("eth0") },
                }),
                fact: 1,
            },
            first_seen: Timestamp::from_unix_ms(first),
            last_seen: Timestamp::from_unix_ms(last),
            current: true,
            vlan: None,
            interface: None,
        }
    }

    fn endpoint() -> Endpoint {
        Endpoint::new(EndpointId::from_raw(1), MacAddr([0x00, 0x1b, 0x21, 0, 0, 1]))
    }

    #[test]
    fn what_one_agent_takes_back_another_still_sees() {
        let mut it = endpoint();
        it.hear(Testimony::Presence, witness(1, 10, 10));
        it.hear(Testimony::Presence, witness(2, 11, 11));
        it.end(&Testimony::Presence, &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
        assert!(it.is_current());
        it.end(&Testimony::Presence, &witness(2, 0, 0).source, Timestamp::from_unix_ms(20));
        assert!(!it.is_current());
        assert_eq!(it.last_seen(), Some(Timestamp::from_unix_ms(11)));
    }

    #[test]
    fn the_order_of_sights_does_not_show() {
        let ip: IpAddr = "10.0.0.1".parse().unwrap();
        let space = SpaceId::from_raw(1);
        let sights = [witness(1, 10, 10), witness(1, 5, 5), witness(2, 7, 7), witness(1, 30, 30)];
        let fold = |order: &[usize]| {
            let mut it = endpoint();
            for index in order {
                it.hear(Testimony::Address(space, ip), sights[*index].clone());
            }
            it
        };
        assert_eq!(fold(&[0, 1, 2, 3]), fold(&[3, 2, 1, 0]));
        let it = fold(&[2, 0, 3, 1]);
        assert_eq!(it.addresses[0].first_seen(), Some(Timestamp::from_unix_ms(5)));
        assert_eq!(it.addresses[0].last_seen(), Some(Timestamp::from_unix_ms(30)));
    }

    fn concluded(class: DeviceClass, score: u8, name: &str) -> Testimony {
        let names = vec![classify::Name { name: name.to_owned(), score, kinds: Vec::new() }];
        let class = Some(classify::Concluded { is: class, score });
        Testimony::Class(Conclusion { class, names, ..Conclusion::default() }.into())
    }

    #[test]
    fn what_an_endpoint_was_taken_to_be_is_remembered_with_its_time() {
        let mut it = endpoint();
        it.hear(concluded(DeviceClass::Pc, 60, "PC-1"), witness(1, 10, 10));
        it.hear(concluded(DeviceClass::Pc, 80, "PC-1"), witness(1, 20, 20));
        it.hear(concluded(DeviceClass::Printer, 70, "PC-1"), witness(1, 30, 30));
        let told: Vec<_> = it.recognitions().iter().map(|it| (it.since.unix_ms(), it.class)).collect();
        assert_eq!(told, [(10, Some(DeviceClass::Pc)), (30, Some(DeviceClass::Printer))]);
        for n in 0..100 {
            let class = if n % 2 == 0 { DeviceClass::Pc } else { DeviceClass::Printer };
            it.hear(concluded(class, 50, "PC-1"), witness(1, 40 + n, 40 + n));
        }
        assert_eq!(it.recognitions().len(), PAST_CONCLUSIONS_MAX + 1);
    }

    #[test]
    fn agents_that_agree_are_surer_and_those_that_do_not_less_whatever_the_order() {
        let fold = |said: &[(u64, Testimony)]| {
            let mut it = endpoint();
            for (agent, told) in said {
                it.hear(told.clone(), witness(*agent, 10, 10));
            }
            it
        };
        let (pc, also, printer) = (
            concluded(DeviceClass::Pc, 60, "PC-1"),
            concluded(DeviceClass::Pc, 60, "PC-1"),
            concluded(DeviceClass::Printer, 50, "NPI-1"),
        );
        let class = |it: &Endpoint| it.conclusion().class.map(|class| (class.is, class.score)).unwrap();
        let agreed = fold(&[(1, pc.clone()), (2, also)]);
        assert!(class(&agreed).0 == DeviceClass::Pc && class(&agreed).1 > 60);
        let contested = fold(&[(1, pc.clone()), (2, printer.clone())]);
        assert!(class(&contested).0 == DeviceClass::Pc && class(&contested).1 < 60);
        assert_eq!(contested, fold(&[(2, printer), (1, pc)]));
        assert_eq!(contested.hostname(), Some("PC-1"));
        assert_eq!(contested.conclusion().names.len(), 2);
        let mut left = contested.clone();
        left.end(&concluded(DeviceClass::Pc, 1, ""), &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
        assert_eq!(class(&left), (DeviceClass::Printer, 50), "who still hears it tells");
    }

    #[test]
    fn without_anybody_who_heard_it_the_maker_tells_what_it_may_be() {
        let camera = Endpoint::new(EndpointId::from_raw(2), MacAddr([0x44, 0x19, 0xb6, 0, 0, 1]));
        assert_eq!(camera.conclusion().class.map(|class| class.is), Some(DeviceClass::Camera));
        assert!(endpoint().conclusion().class.is_none());
    }

    #[test]
    fn past_addresses_are_bounded_and_current_ones_stay() {
        let mut it = endpoint();
        let space = SpaceId::from_raw(1);
        for n in 0..200_u8 {
            let ip = IpAddr::from([10, 0, 0, n]);
            let seen = witness(1, i64::from(n), i64::from(n));
            it.hear(Testimony::Address(space, ip), seen.clone());
            if n != 3 {
                it.end(&Testimony::Address(space, ip), &seen.source, Timestamp::from_unix_ms(i64::from(n)));
            }
        }
        assert_eq!(it.addresses.len(), PAST_ADDRESSES_MAX + 1);
        assert!(it.addresses.iter().any(|address| address.ip == IpAddr::from([10, 0, 0, 3])));
        assert!(!it.addresses.iter().any(|address| address.ip == IpAddr::from([10, 0, 0, 4])));
    }

    #[test]
    fn an_old_message_does_not_end_a_newer_sight() {
        let mut it = endpoint();
        it.hear(Testimony::Presence, witness(1, 10, 30));
        it.end(&Testimony::Presence, &witness(1, 0, 0).source, Timestamp::from_unix_ms(20));
        assert!(it.is_current());
    }
}
