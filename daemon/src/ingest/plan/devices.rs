//! Accounts of devices from the facts of the agents that poll them.
//!
//! Invariant: an account and its interfaces keep their identity as long as the name by which an agent polls the device;
//! what is no longer reported stays as past, with the time it was last seen. Which accounts are of one device is decided
//! beside ([`super::merging`]).

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    device::{Answering, Device, Handle, Interface},
    fact::{self, FactBody, Method},
};

use super::{
    Draft, Refusal, concluded,
    merging::{Told, is_renamed},
    quota::{Refused, has_room_for_device},
};
use crate::estate::{Change, Held, SiteState};

/// Derives the account behind a handle again. Returns what changed; `None` when nothing did.
pub(super) fn derive(
    draft: &mut Draft<'_>,
    site: SiteId,
    handle: &Handle,
    refused: &mut Refused,
) -> Result<Option<Told>, Refusal> {
    let Some(state) = draft.next.site(site).cloned() else { return Ok(None) };
    let known = state.handles.get(handle).and_then(|id| state.accounts.get(id));
    let mut device = match known {
        Some(known) => Device::clone(known),
        None if !is_told_of(&state, handle) => return Ok(None),
        None if !has_room_for_device(draft, site, handle.agent) => {
            refused.devices = true;
            return Ok(None);
        }
        None => Device {
            id: draft.id()?,
            first_seen: draft.record.time,
            handles: vec![handle.clone()],
            answering: Vec::new(),
            system: None,
            system_observed: Timestamp::EPOCH,
            entities: Vec::new(),
            interfaces: Vec::new(),
        },
    };
    describe(&state, &mut device);
    connect(draft, &state, &mut device)?;
    if known.is_some_and(|known| **known == device) {
        return Ok(None);
    }
    let told = Told { id: device.id, renamed: known.is_none_or(|known| is_renamed(site, known, &device)) };
    let device = Arc::new(device);
    draft.put(Change::Device { site, device: Arc::clone(&device) });
    if let Some(known) = known {
        concluded::replaced(draft, site, handle, (known, &device));
    }
    Ok(Some(told))
}

fn is_told_of(state: &SiteState, handle: &Handle) -> bool {
    [Method::SnmpReach, Method::SnmpSystem, Method::SnmpInterfaces, Method::SnmpEntities]
        .into_iter()
        .any(|method| state.told_under(handle, method).next().is_some())
}

/// Takes over whether the device answers and what it says it is. What nobody reports any more stays as it was.
fn describe(state: &SiteState, device: &mut Device) {
    let mut answering = Vec::new();
    let mut system: Option<(Timestamp, Box<fact::System>)> = None;
    let mut entities = BTreeMap::new();
    for handle in &device.handles {
        for held in state.told_under(handle, Method::SnmpReach) {
            if let FactBody::Reach(reach) = &held.fact.body {
                answering.push(answer(device, handle.agent, held.fact.observed, reach));
            }
        }
        for held in state.told_under(handle, Method::SnmpSystem) {
            if let FactBody::System(it) = held.fact.body {
                system = system.max_by_time((held.fact.observed, it));
            }
        }
        for held in state.told_under(handle, Method::SnmpEntities) {
            if let FactBody::Entity(it) = held.fact.body {
                entities.insert(it.index, *it);
            }
        }
    }
    device.answering = answering;
    if let Some((observed, system)) = system {
        device.system = Some(*system);
        device.system_observed = observed;
    }
    if !entities.is_empty() {
        device.entities = entities.into_values().collect();
    }
}

trait Newest<T> {
    fn max_by_time(self, other: (Timestamp, T)) -> Self;
}

impl<T> Newest<T> for Option<(Timestamp, T)> {
    fn max_by_time(self, other: (Timestamp, T)) -> Self {
        match self {
            Some(known) if known.0 >= other.0 => Some(known),
            _ => Some(other),
        }
    }
}

/// Returns what an agent says about whether the device answers; `since` stays while the verdict does.
fn answer(device: &Device, agent: AgentId, observed: Timestamp, reach: &fact::Reach) -> Answering {
    let known = device.answering.iter().find(|known| known.agent == agent && known.reach.state == reach.state);
    Answering { agent, since: known.map_or(observed, |known| known.since), observed, reach: reach.clone() }
}

/// Takes over the interfaces: known names keep their identity.
fn connect(draft: &mut Draft<'_>, state: &SiteState, device: &mut Device) -> Result<(), Refusal> {
    let mut newest: BTreeMap<&str, (Timestamp, &fact::Interface)> = BTreeMap::new();
    let told: Vec<Held> =
        device.handles.iter().flat_map(|handle| state.told_under(handle, Method::SnmpInterfaces)).collect();
    for held in &told {
        if let FactBody::Interface(it) = &held.fact.body {
            let entry = newest.entry(&it.name).or_insert((held.fact.observed, it));
            if held.fact.observed > entry.0 {
                *entry = (held.fact.observed, it);
            }
        }
    }
    let mut interfaces: BTreeMap<String, Arc<Interface>> =
        device.interfaces.drain(..).map(|interface| (interface.said.name.clone(), interface)).collect();
    for interface in interfaces.values_mut().filter(|interface| !newest.contains_key(interface.said.name.as_str())) {
        if interface.current {
            Arc::make_mut(interface).current = false;
        }
    }
    for (name, (observed, said)) in newest {
        let id = match interfaces.get(name) {
            Some(known) if known.current && known.observed == observed && known.said == *said => continue,
            Some(known) => known.id,
            None => draft.id()?,
        };
        interfaces.insert(name.to_owned(), Arc::new(Interface { id, observed, current: true, said: said.clone() }));
    }
    device.interfaces = interfaces.into_values().collect();
    Ok(())
}
