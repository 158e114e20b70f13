//! The state of one site: the facts its agents hold, and what follows from them.
//!
//! Invariant: facts are kept by (agent, method, scope), so that no agent's digest touches another's evidence (invariant
//! 8). Everything is shared: cloning a site costs a few pointers, and changing it copies only what the change touches
//! (invariant 1).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::OrdMap;
use memchr::memmem::Finder;
use onenet_topology::{
    AgentId, DeviceId, EndpointId, InterfaceId, MacAddr, Probe, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyKey},
    device::{Device, Handle, Interface},
    endpoint::Endpoint,
    fact::{Condition, FactBody, Group, Identification, Method},
    inference::{Attachment, Place, SiteInference, Where},
    link::Link,
};

use super::{
    Called, Captures, Change, Crossed, Derived, Detectors, Flaps, Held, HeldGroup, Made, Measured, Readings, Tally,
    Words,
};
use crate::{
    findings::{Finding, FindingKey},
    record::RulingVerdict,
};

/// The state of one site. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteState {
    /// Which site.
    pub id: SiteId,
    /// The facts its agents hold.
    pub facts: OrdMap<(AgentId, Group), Arc<HeldGroup>>,
    /// How many facts each agent holds.
    pub held: OrdMap<AgentId, usize>,
    /// Its endpoints.
    pub endpoints: OrdMap<EndpointId, Arc<Endpoint>>,
    /// How many of them, retired ones aside, each agent was the first to see.
    pub discovered: OrdMap<AgentId, usize>,
    /// How many of them are retired.
    pub retired: usize,
    /// Its endpoints by MAC address.
    pub macs: OrdMap<MacAddr, EndpointId>,
    /// What each agent tells of its devices, name by name: see [`onenet_topology::merge`].
    pub accounts: OrdMap<DeviceId, Arc<Device>>,
    /// What operators ruled of two of its accounts.
    pub rulings: OrdMap<(DeviceId, DeviceId), Arc<Ruling>>,
    /// What operators ruled of two of its endpoints.
    pub terminal_rulings: OrdMap<(EndpointId, EndpointId), Arc<Ruling>>,
    /// Its devices, each by all accounts of it.
    pub devices: OrdMap<DeviceId, Arc<Device>>,
    /// Its accounts by the names under which agents poll devices.
    pub handles: OrdMap<Handle, DeviceId>,
    /// The device of each account that is not the oldest one of its device.
    pub absorbed: OrdMap<DeviceId, DeviceId>,
    /// MAC addresses that are the devices' own, so that they are no endpoints.
    pub own_macs: OrdMap<(MacAddr, DeviceId), ()>,
    /// Its links between devices, in order.
    pub links: Arc<[Link]>,
    /// Where its endpoints are by the tables of its devices, and why; what is believed is [`Endpoint::located`].
    pub inference: Derived<Arc<SiteInference>>,
    /// What the sensors of its devices measured last.
    pub readings: Derived<Readings>,
    /// How much crossed its segments, by application.
    pub crossed: Derived<Crossed>,
    /// How capture goes on the interfaces that its agents listen on.
    pub captures: Derived<Captures>,
    /// What probes measured last.
    pub measured: Derived<Measured>,
    /// What changes ports again and again in its tables.
    pub flaps: Derived<Flaps>,
    /// By what its endpoints are found.
    pub words: Derived<Words>,
    /// How many endpoints of what kinds it has.
    pub tally: Derived<Made<Tally>>,
    /// What detectors of its agents do.
    pub detectors: Derived<Detectors>,
    /// What they found.
    pub anomalies: OrdMap<AnomalyKey, Arc<Anomaly>>,
    /// What is wrong, found by the centre.
    pub findings: OrdMap<FindingKey, Arc<Finding>>,
}

/// What an operator ruled of two things that may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Whether they are one.
    pub same: bool,
    /// Who said so.
    pub by: Arc<str>,
    /// When.
    pub time: Timestamp,
    /// Why.
    pub reason: String,
}

impl Ruling {
    /// Returns what a verdict is to be kept as; `None` where it takes a ruling back.
    pub fn of(verdict: RulingVerdict, (time, by): (Timestamp, &str), reason: &str) -> Option<Self> {
        verdict.same().map(|same| Self { same, by: by.into(), time, reason: reason.to_owned() })
    }
}

impl SiteState {
    /// Returns a site about which nothing is known yet.
    pub fn new(id: SiteId) -> Self {
        Self {
            id,
            facts: OrdMap::new(),
            held: OrdMap::new(),
            endpoints: OrdMap::new(),
            discovered: OrdMap::new(),
            retired: 0,
            macs: OrdMap::new(),
            accounts: OrdMap::new(),
            rulings: OrdMap::new(),
            terminal_rulings: OrdMap::new(),
            devices: OrdMap::new(),
            handles: OrdMap::new(),
            absorbed: OrdMap::new(),
            own_macs: OrdMap::new(),
            links: Arc::new([]),
            inference: Derived::default(),
            readings: Derived::default(),
            crossed: Derived::default(),
            captures: Derived::default(),
            measured: Derived::default(),
            flaps: Derived::default(),
            words: Derived::default(),
            tally: Derived::default(),
            detectors: Derived::default(),
            anomalies: OrdMap::new(),
            findings: OrdMap::new(),
        }
    }

    /// Returns the endpoint of this MAC address.
    pub fn endpoint_by_mac(&self, mac: MacAddr) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(self.macs.get(&mac)?)
    }

    /// Returns whether the address is a managed device's own port, or belongs to no card at all.
    pub fn is_device_mac(&self, mac: MacAddr) -> bool {
        let first = (mac, DeviceId::from_raw(0));
        mac.is_virtual_router() || self.own_macs.range(first..).next().is_some_and(|((next, _), ())| *next == mac)
    }

    /// Returns the number of endpoints that are not retired.
    pub fn live(&self) -> usize {
        self.endpoints.len().saturating_sub(self.retired)
    }

    /// Returns the endpoints that are not a device's own port, nor retired: what lists and counts show.
    pub fn visible_endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.known_endpoints().filter(|endpoint| endpoint.retired_since.is_none())
    }

    /// Returns the endpoints that are not a device's own port, retired ones included.
    pub fn known_endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values().filter(|endpoint| !self.is_device_mac(endpoint.mac))
    }

    /// Returns whether a move of one of its endpoints waits for a second walk over the tables.
    pub fn is_undecided(&self) -> bool {
        let waits = |endpoint: &Arc<Endpoint>| endpoint.located.as_ref().is_some_and(|it| it.contender.is_some());
        self.endpoints.values().any(waits)
    }

    /// Returns the endpoints that may be called by one of these parts, which are in lower case, by their ids; retired ones too where they
    /// are asked for: see [`Words`].
    pub fn may_be_called(&self, parts: &[Finder<'_>], retired: bool) -> Vec<&Arc<Endpoint>> {
        let mut ids = BTreeSet::new();
        for past in [false, true].into_iter().take(1 + usize::from(retired)) {
            let endpoints = || self.endpoints.values().filter(move |it| it.retired_since.is_some() == past);
            match self.words.get().of(past, endpoints).called(parts) {
                Called::These(macs) => ids.extend(macs.iter().filter_map(|mac| self.macs.get(mac).copied())),
                Called::Any => ids.extend(endpoints().map(|it| it.id)),
            }
        }
        let found = ids.iter().filter_map(|id| self.endpoints.get(id));
        found.filter(|endpoint| !self.is_device_mac(endpoint.mac)).collect()
    }

    /// Returns how many endpoints of what kinds it has, as lists and counts show them.
    pub fn tally(&self) -> &Tally {
        self.tally.get().of(|| Tally::of(self.visible_endpoints()))
    }

    /// Returns where an endpoint is by the tables, with the reasons; `None` when no table has it at present.
    pub fn attachment(&self, mac: MacAddr) -> Option<&Attachment> {
        self.inference.get().attachments.get(&mac)
    }

    /// Returns what is plugged into each port of a device, as far as it is known.
    pub fn plugged_in(&self, device: DeviceId) -> BTreeMap<InterfaceId, Vec<&Endpoint>> {
        let mut plugged: BTreeMap<InterfaceId, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in self.visible_endpoints() {
            let at = endpoint.located.as_ref().map(|located| located.at);
            if let Some(Where::Port(Place { device: there, interface, .. })) = at
                && there == device
            {
                plugged.entry(interface).or_default().push(endpoint);
            }
        }
        plugged
    }

    /// Returns the identity of the device that was known under this one, which may have been merged since.
    pub fn canonical(&self, device: DeviceId) -> DeviceId {
        self.absorbed.get(&device).copied().unwrap_or(device)
    }

    /// Returns a device, also by an identity that it had before it was merged.
    pub fn device(&self, device: DeviceId) -> Option<&Arc<Device>> {
        self.devices.get(&self.canonical(device))
    }

    /// Returns a device's interface, also by identities that both had before the device was merged or split.
    pub fn interface(&self, device: DeviceId, interface: InterfaceId) -> Option<&Arc<Interface>> {
        self.port(device, interface).map(|(_, interface)| interface)
    }

    /// Returns the place under the identities that device and interface have now.
    pub fn canonical_place(&self, at: Where) -> Where {
        match at {
            Where::Port(place) => {
                let found = self.port(place.device, place.interface);
                let ids = found.map(|(device, interface)| (device.id, interface.id));
                let (device, interface) = ids.unwrap_or((self.canonical(place.device), place.interface));
                Where::Port(Place { device, interface, vlan: place.vlan })
            }
            Where::Behind { device, vlan } => Where::Behind { device: self.canonical(device), vlan },
            Where::Nowhere => Where::Nowhere,
        }
    }

    fn port(&self, device: DeviceId, interface: InterfaceId) -> Option<(&Arc<Device>, &Arc<Interface>)> {
        let of = |account: &Arc<Device>| account.interfaces.iter().find(|it| it.id == interface).cloned();
        let known = self.device(device)?;
        if let Some(found) = known.interfaces.iter().find(|it| it.id == interface) {
            return Some((known, found));
        }
        // An account keeps the identities that it gave: its ifName leads to the interface of today.
        let mut accounts = self.accounts.get(&device).into_iter().chain(self.accounts.values());
        let (account, old) = accounts.find_map(|account| Some((account, of(account)?)))?;
        let known = self.device(account.id)?;
        Some((known, known.interface(&old.said.name)?))
    }

    /// Returns the facts of one group of one agent.
    pub fn group(&self, agent: AgentId, group: &Group) -> Option<&Arc<HeldGroup>> {
        // The map's key owns its parts; a scope is a shared text, so this clones a pointer.
        self.facts.get(&(agent, group.clone()))
    }

    /// Returns what agents tell of a device by a method, handle by handle.
    pub fn told<'s, 'd>(&'s self, device: &'d Device, method: Method) -> impl Iterator<Item = Held> + use<'s, 'd> {
        device.handles.iter().flat_map(move |handle| self.told_under(handle, method))
    }

    /// Returns what one agent tells, by a method, of the device that it polls under a name.
    pub fn told_under<'s>(&'s self, handle: &Handle, method: Method) -> impl Iterator<Item = Held> + use<'s> {
        let group = Group { method, scope: handle.scope.clone() };
        self.group(handle.agent, &group).into_iter().flat_map(|held| held.iter().map(|(_, held)| held))
    }

    /// Returns what a device was last recognised as.
    pub fn identification(&self, device: &Device) -> Option<Identification> {
        let told = self.told(device, Method::SnmpSystem).filter_map(|held| match held.fact.body {
            FactBody::Identification(it) => Some((held.fact.observed, it)),
            _ => None,
        });
        told.max_by_key(|(observed, _)| *observed).map(|(_, it)| *it)
    }

    /// Puts a fact in or takes it out. Changes in place what no other snapshot shares.
    pub(super) fn set_fact(&mut self, key: (AgentId, Group), key_hash: u64, held: Option<&Held>) {
        let agent = key.0;
        let (before, after) = if let Some(group) = self.facts.get_mut(&key) {
            let group = Arc::make_mut(group);
            let before = group.len();
            group.set(key_hash, held);
            let after = group.len();
            if group.is_empty() {
                self.facts.remove(&key);
            }
            (before, after)
        } else if held.is_some() {
            let mut group = HeldGroup::new(key.1.clone());
            group.set(key_hash, held);
            self.facts.insert(key, Arc::new(group));
            (0, 1)
        } else {
            return;
        };
        count(&mut self.held, agent, before, after);
    }

    /// Counts an endpoint that was like `old` and is like `new`.
    pub(super) fn count_endpoint(&mut self, old: Option<&Endpoint>, new: Option<&Endpoint>) {
        self.retired += usize::from(new.is_some_and(|it| it.retired_since.is_some()));
        self.retired -= usize::from(old.is_some_and(|it| it.retired_since.is_some()));
        let discoverer = |it: &Endpoint| it.retired_since.is_none().then(|| it.discoverer()).flatten();
        let (before, after) = (old.and_then(discoverer), new.and_then(discoverer));
        if before != after {
            if let Some(agent) = before {
                count(&mut self.discovered, agent, 1, 0);
            }
            if let Some(agent) = after {
                count(&mut self.discovered, agent, 0, 1);
            }
        }
    }

    /// Returns every group of one agent.
    pub fn groups_of(&self, agent: AgentId) -> impl Iterator<Item = (&Group, &Arc<HeldGroup>)> {
        let all = self.facts.iter().skip_while(move |((holder, _), _)| *holder < agent);
        all.take_while(move |((holder, _), _)| *holder == agent).map(|((_, group), held)| (group, held))
    }

    /// Returns the changes that make this site from an empty one.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let site = self.id;
        let facts = self.facts.iter().flat_map(move |((agent, group), held)| {
            held.iter().map(move |(key_hash, held)| Change::Fact {
                site,
                agent: *agent,
                group: group.clone(),
                key_hash,
                held: Some(Arc::new(held)),
            })
        });
        let devices = self.accounts.values().map(move |it| Change::Device { site, device: Arc::clone(it) });
        let endpoints = self.endpoints.values().map(move |it| Change::Endpoint { site, endpoint: Arc::clone(it) });
        let findings = self.findings.iter().map(move |(key, it)| Change::Finding {
            site,
            key: *key,
            finding: Some(Arc::clone(it)),
        });
        let anomalies = self.anomalies.iter().map(move |(key, it)| Change::Anomaly {
            site,
            key: key.clone(),
            anomaly: Some(Arc::clone(it)),
        });
        facts.chain(devices).chain(endpoints).chain(findings).chain(anomalies)
    }

    /// Returns what agents measure of the ways that lead away: who does, since when it is so, and what.
    pub fn probes(&self) -> impl Iterator<Item = (AgentId, Timestamp, Probe)> {
        let told = self.facts.iter().filter(|((_, group), _)| group.method == Method::Probe);
        told.flat_map(|((agent, _), held)| held.iter().map(|(_, held)| (*agent, held))).filter_map(|(agent, held)| {
            match held.fact.body {
                FactBody::Probe(probe) => Some((agent, held.fact.observed, *probe)),
                _ => None,
            }
        })
    }

    /// Returns what keeps agents from their work: who says so, since when, and what.
    pub fn conditions(&self) -> impl Iterator<Item = (AgentId, Timestamp, Condition)> {
        self.facts
            .iter()
            .filter(|((_, group), _)| group.method == Method::Agent)
            .flat_map(|((agent, _), held)| held.iter().map(|(_, held)| (*agent, held)))
            .filter_map(|(agent, held)| match held.fact.body {
                FactBody::Condition(condition) => Some((agent, held.fact.observed, condition)),
                _ => None,
            })
    }
}

/// Takes `before` out of an agent's count and puts `after` in; a count of nothing is not kept.
fn count(counts: &mut OrdMap<AgentId, usize>, agent: AgentId, before: usize, after: usize) {
    let counted = counts.get(&agent).copied().unwrap_or_default().saturating_sub(before) + after;
    if counted == 0 {
        counts.remove(&agent)
    } else {
        counts.insert(agent, counted)
    };
}
