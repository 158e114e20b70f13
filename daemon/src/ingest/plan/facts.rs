//! Folding an agent's facts into its site: groups, endpoints, and what else they touch.
//!
//! Invariant: only the groups of this agent change. Facts merge by observation time; a complete range takes away what the
//! same agent and group held there, observed no later than the batch was closed, and nothing else (invariants 3, 8).
//! What is derived is derived again only for the addresses and devices that the batch touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use onenet_topology::{
    AgentId, MacAddr, SiteId, SpaceId, Timestamp,
    classify::Packed,
    device::Handle,
    endpoint::{Hearing, Origin, Source, Testimony, Witness},
    fact::{Fact, FactBody, FactChange, ForwardingStatus, Group, Host, Method},
};
use onenet_wire::{GroupChanges, KeyRange, key_hash};

use super::{
    Draft, Refusal, devices, links, merging,
    quota::{self, Refused},
    time::Correction,
};
use crate::estate::{Agent, Change, Held, PortChange};

/// What a batch touched, to be derived again.
struct Touched {
    site: SiteId,
    endpoints: BTreeMap<MacAddr, Hearing>,
    handles: BTreeSet<Handle>,
    /// Whether neighbours were told of.
    links: bool,
    /// Whether forwarding tables were told of, changed or not.
    tables: bool,
    /// Whether something of which attachments are inferred is other than it was.
    anew: bool,
    /// Endpoints that are new in this batch.
    admitted: usize,
    refused: Refused,
}

/// Where one fact belongs, and how its time came about.
struct Place<'a> {
    agent: &'a Agent,
    group: &'a Group,
    /// Agent and group, as all witnesses from it share them.
    origin: Arc<Origin>,
    correction: Correction,
}

/// Folds the groups of a batch in.
pub(super) fn fold(
    draft: &mut Draft<'_>,
    agent: &Agent,
    groups: &[GroupChanges],
    correction: Correction,
) -> Result<(), Refusal> {
    let site = agent.site;
    let mut touched = Touched {
        site,
        endpoints: BTreeMap::new(),
        handles: BTreeSet::new(),
        links: false,
        tables: false,
        anew: false,
        admitted: 0,
        refused: Refused::default(),
    };
    for it in groups {
        let origin = Arc::new(Origin { agent: agent.id, group: it.group.clone() });
        let place = Place { agent, group: &it.group, origin, correction };
        let (mut named, mut anew) = (BTreeSet::new(), false);
        for change in &it.changes {
            let hash = key_hash(&change.key());
            named.insert(hash);
            anew |= fold_change(draft, &mut touched, &place, hash, change)?;
        }
        if let Some(range) = it.complete {
            anew |= take_away_others(draft, &mut touched, &place, range, &named)?;
        }
        touched.note(&place, anew);
    }
    finish(draft, touched, agent.id)
}

fn finish(draft: &mut Draft<'_>, touched: Touched, agent: AgentId) -> Result<(), Refusal> {
    let (site, mut refused) = (touched.site, touched.refused);
    for endpoint in touched.endpoints.into_values() {
        draft.put(Change::Endpoint { site, endpoint: Arc::new(endpoint.close()) });
    }
    let mut told = Vec::new();
    for handle in &touched.handles {
        told.extend(devices::derive(draft, site, handle, &mut refused)?);
    }
    quota::judge(draft, site, agent, &refused);
    merging::follow(draft, site, &told);
    if touched.links || !touched.handles.is_empty() {
        links::derive(draft, site);
    }
    // That all is as it was is told again each ten minutes: there is nothing to infer from it, unless a move waits for a second walk.
    let unsettled = touched.anew || (touched.tables && draft.next.site(site).is_some_and(|state| state.is_undecided()));
    if unsettled && !draft.next.unsettled.get().contains_key(&site) {
        draft.put(Change::Unsettled { site, since: Some(draft.record.time) });
    }
    Ok(())
}

fn fold_change(
    draft: &mut Draft<'_>,
    touched: &mut Touched,
    place: &Place<'_>,
    hash: u64,
    change: &FactChange,
) -> Result<bool, Refusal> {
    let observed = change.observed().plus_ms(place.correction.shift_ms);
    let old = draft.next.site(touched.site).and_then(|site| site.group(place.agent.id, place.group)?.get(hash));
    // Ties go to the later batch of the lane: within one, batches are in order.
    if old.as_ref().is_some_and(|old| old.fact.observed > observed) {
        return Ok(false);
    }
    let is_new = old.is_none() && matches!(change, FactChange::Present(_));
    if is_new && !quota::has_room_for_fact(draft, touched.site, place.agent.id) {
        touched.refused.facts = true;
        return Ok(false);
    }
    let held = match change {
        FactChange::Present(fact) => Some(Arc::new(Held {
            fact: Fact { observed, body: fact.body.clone() },
            shift_ms: place.correction.shift_ms,
            uncertain: place.correction.uncertain,
        })),
        FactChange::Gone { .. } => None,
    };
    set(draft, touched, place, hash, old.as_ref(), held, observed)
}

/// Takes away what the agent held in the range of a complete group and does not name any more. Returns whether there was any.
fn take_away_others(
    draft: &mut Draft<'_>,
    touched: &mut Touched,
    place: &Place<'_>,
    range: KeyRange,
    named: &BTreeSet<u64>,
) -> Result<bool, Refusal> {
    let closed = place.correction.closed;
    let held = draft.next.site(touched.site).and_then(|site| site.group(place.agent.id, place.group)).cloned();
    let others: Vec<(u64, Held)> = held
        .iter()
        .flat_map(|held| held.range(range.first, range.last))
        .filter(|row| !named.contains(&row.key_hash) && row.observed <= closed)
        .filter_map(|row| Some((row.key_hash, row.held()?)))
        .collect();
    let some = !others.is_empty();
    for (hash, old) in others {
        set(draft, touched, place, hash, Some(&old), None, closed)?;
    }
    Ok(some)
}

/// Replaces one fact, and what it testifies of endpoints. Returns whether it is other than it was, the time apart.
fn set(
    draft: &mut Draft<'_>,
    touched: &mut Touched,
    place: &Place<'_>,
    hash: u64,
    old: Option<&Held>,
    held: Option<Arc<Held>>,
    observed: Timestamp,
) -> Result<bool, Refusal> {
    let space = |ip: IpAddr| draft.next.space_of(touched.site, ip, draft.record.time);
    let said = |held: &Held| testimony(&held.fact.body, space);
    let before = old.and_then(said);
    let after = held.as_deref().and_then(said);
    let source = Source { origin: Arc::clone(&place.origin), fact: hash };
    let ended = before.filter(|before| after.as_ref().is_none_or(|after| !after.is_same_as(before)));
    if let Some(before) = ended
        && let Some(endpoint) = touched.endpoint(draft, place, before.mac, false)?
    {
        endpoint.end(&before.testimony, &source, observed);
    }
    if let Some(after) = after
        && let Some(endpoint) = touched.endpoint(draft, place, after.mac, true)?
    {
        let (vlan, interface) = (after.vlan, after.interface);
        let witness = Witness { source, first_seen: observed, last_seen: observed, current: true, vlan, interface };
        endpoint.hear(after.testimony, witness);
    }
    if let Some(change) =
        old.zip(held.as_deref()).and_then(|(old, held)| port_change(draft, touched.site, place, old, held))
    {
        draft.put(change);
    }
    let anew = old.map(|old| &old.fact.body) != held.as_ref().map(|held| &held.fact.body);
    if old.is_some() || held.is_some() {
        let (agent, group) = (place.agent.id, place.group.clone());
        draft.put(Change::Fact { site: touched.site, agent, group, key_hash: hash, held });
    }
    Ok(anew)
}

/// Returns the change of an address from one port of a device to another; members of one aggregate are one port.
fn port_change(draft: &Draft<'_>, site: SiteId, place: &Place<'_>, old: &Held, new: &Held) -> Option<Change> {
    let (FactBody::Forwarding(old), FactBody::Forwarding(row)) = (&old.fact.body, &new.fact.body) else { return None };
    let (from, to) = (old.interface.as_deref()?, row.interface.as_deref()?);
    let learned = [old, row].iter().all(|row| row.status == ForwardingStatus::Learned);
    if from == to || !learned || !row.mac.is_unicast() || row.mac.is_virtual_router() {
        return None;
    }
    let device = Handle { agent: place.agent.id, scope: place.group.scope.clone() };
    let state = draft.next.site(site)?;
    let whole = |port: &str| {
        let mut members = state.told_under(&device, Method::SnmpAggregation).filter_map(|held| match held.fact.body {
            FactBody::Aggregation(it) if it.member == port => Some(it.aggregate),
            _ => None,
        });
        members.next().unwrap_or_else(|| port.to_owned())
    };
    let (from, to) = (whole(from), whole(to));
    let change = PortChange { at: new.fact.observed, from: from.as_str().into(), to: to.as_str().into() };
    (from != to).then_some(Change::Relearned { site, mac: row.mac, device, change })
}

impl Touched {
    /// Returns the endpoint to be changed; a new one is admitted when `admit` is set and there is room.
    fn endpoint(
        &mut self,
        draft: &mut Draft<'_>,
        place: &Place<'_>,
        mac: MacAddr,
        admit: bool,
    ) -> Result<Option<&mut Hearing>, Refusal> {
        if !self.endpoints.contains_key(&mac) {
            let site = draft.next.site(self.site);
            let known = site.and_then(|site| site.endpoint_by_mac(mac)).map(|known| Hearing::of(known));
            let endpoint = match known {
                Some(known) => known,
                None if !admit => return Ok(None),
                // Established endpoints never give way to new ones.
                None if !quota::has_room_for_endpoint(draft, self.site, place.agent.id, self.admitted) => {
                    self.refused.endpoints = true;
                    return Ok(None);
                }
                None => {
                    self.admitted += 1;
                    Hearing::new(draft.id()?, mac)
                }
            };
            self.endpoints.insert(mac, endpoint);
        }
        Ok(self.endpoints.get_mut(&mac))
    }

    /// Notes which device or links a group is about, and whether anything of it is other than it was.
    fn note(&mut self, place: &Place<'_>, anew: bool) {
        match place.group.method {
            Method::SnmpReach | Method::SnmpSystem | Method::SnmpInterfaces | Method::SnmpEntities => {
                self.handles.insert(Handle { agent: place.agent.id, scope: place.group.scope.clone() });
            }
            Method::SnmpNeighbours | Method::PassiveLldp => self.links = true,
            Method::SnmpForwarding
            | Method::SnmpVlanForwarding
            | Method::SnmpSpanningTree
            | Method::SnmpAggregation
            | Method::SnmpStations
            | Method::Anchor => self.tables = true,
            _ => return,
        }
        self.anew |= anew;
    }
}

/// What a fact says about the endpoint of a MAC address.
struct Said {
    mac: MacAddr,
    testimony: Testimony,
    vlan: Option<u16>,
    interface: Option<Box<str>>,
}

impl Said {
    /// Returns whether both name the same witness of the same endpoint.
    fn is_same_as(&self, other: &Self) -> bool {
        let same = match (&self.testimony, &other.testimony) {
            (Testimony::Address(space, ip), Testimony::Address(other_space, other_ip)) => {
                (space, ip) == (other_space, other_ip)
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        self.mac == other.mac && same
    }
}

/// Returns what a fact says about an endpoint, `None` when it says nothing: about devices, groups, the centre's own.
fn testimony(body: &FactBody, space: impl Fn(IpAddr) -> SpaceId) -> Option<Said> {
    let said = match body {
        // Only learned rows tell where a card is (RFC 4188, dot1dTpFdbStatus).
        FactBody::Forwarding(it) if it.status == ForwardingStatus::Learned => Said {
            mac: it.mac,
            testimony: Testimony::Presence,
            vlan: it.vlan,
            interface: it.interface.as_deref().map(Box::from),
        },
        FactBody::Sighting(it) => Said { mac: it.mac, testimony: Testimony::Presence, vlan: it.vlan, interface: None },
        FactBody::Station(it) => Said { mac: it.mac, testimony: Testimony::Presence, vlan: it.vlan, interface: None },
        FactBody::Binding(it) => address(it.mac, it.ip, space(it.ip), None)?,
        FactBody::Address(it) => address(it.mac, it.ip, space(it.ip), Some(it.interface.as_str().into()))?,
        FactBody::Classification(it) => {
            let testimony = Testimony::Class(Packed::from(&*it.conclusion));
            Said { mac: it.mac, testimony, vlan: None, interface: None }
        }
        FactBody::Host(it) => {
            Said { mac: it.mac, testimony: Testimony::Host(Host::clone(it)), vlan: None, interface: None }
        }
        _ => return None,
    };
    (said.mac.is_unicast() && !said.mac.is_virtual_router()).then_some(said)
}

fn address(mac: MacAddr, ip: IpAddr, space: SpaceId, interface: Option<Box<str>>) -> Option<Said> {
    let one_host = !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback();
    one_host.then_some(Said { mac, testimony: Testimony::Address(space, ip), vlan: None, interface })
}
