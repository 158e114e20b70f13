//! Which accounts of devices are of one device, and what the device is by all of them.
//!
//! What one agent tells of a device under one name is an *account*. It has an identity of its own and keeps it; the device
//! that several accounts are of has the identity of the oldest. So a merge can be taken back: when the evidence changes,
//! each account still is what it was.
//!
//! Invariant: both answers are functions of the set of accounts; neither order nor repetition shows ([`crate::grouping`]). No
//! agent can make more than [`CLAIMS_MAX`] accounts share a name: beyond, the name says nothing about that agent's accounts.
//!
//! It does not know which accounts are compared with which (those of one site), nor when.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use crate::{
    DeviceId, SpaceId, Timestamp,
    alias::{Alias, AliasKind, Names},
    device::{Device, Handle, Interface},
    fact, grouping,
};

/// Accounts of one agent that may share a name. A device is polled at one or two addresses; a name that a whole rack has
/// tells nothing apart, and the bound keeps the comparison cheap whatever an agent claims.
pub const CLAIMS_MAX: usize = 8;
/// Accounts that may share a name over all agents.
const SHARED_MAX: usize = 64;
/// Score from which two accounts are of one device: one strong name, or several weak ones.
const SAME_MIN: u8 = 50;

/// Classes of parts whose serial number is that of the device (entPhysicalClass of RFC 6933): chassis and stack.
const WHOLE: [u32; 2] = [3, 11];

/// What operators ruled of two accounts.
pub type Rulings = grouping::Rulings<DeviceId>;

/// An account, as it is compared with others.
#[derive(Debug)]
struct Account<'d> {
    id: DeviceId,
    handle: Option<&'d Handle>,
    names: Names,
}

/// Returns the names of an account; management addresses are in `space`.
pub fn names(account: &Device, space: SpaceId) -> Names {
    let system = account.system.iter().flat_map(|system| {
        let engine = system.engine_id.iter().fold(String::new(), |mut digits, octet| {
            // Writing to a string never fails.
            let _ = write!(digits, "{octet:02x}");
            digits
        });
        let bridge = system.bridge_mac.map(|mac| Alias::new(AliasKind::BridgeMac, mac.to_string()));
        let texts = [
            Alias::new(AliasKind::ChassisId, system.chassis_id.as_str()),
            Alias::new(AliasKind::EngineId, engine),
            Alias::new(AliasKind::SysName, system.name.as_str()),
        ];
        texts.into_iter().chain(bridge)
    });
    let whole = account.entities.iter().filter(|entity| WHOLE.contains(&entity.class));
    let serials = whole.map(|entity| Alias::new(AliasKind::Serial, entity.serial.as_str()));
    let ports = account.interfaces.iter().filter(|interface| interface.current);
    let macs = ports.filter_map(|port| port.said.mac).map(|mac| Alias::new(AliasKind::Mac, mac.to_string()));
    let targets = account.answering.iter().filter_map(|it| {
        let target = it.reach.target.parse().map(|socket: std::net::SocketAddr| socket.ip());
        target.or_else(|_| it.reach.target.parse()).ok()
    });
    let managed = targets.map(|ip| Alias::new(AliasKind::ManagementAddress, Alias::management_address(space, ip)));
    Names::of(system.chain(serials).chain(macs).chain(managed))
}

/// Returns the serial numbers before and after, where an account is of another machine than it was: both tell of some, and share none.
/// A member of a stack that is exchanged leaves the others.
pub fn replaced(before: &Device, after: &Device) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let (before, after) = (serials(before), serials(after));
    (!before.is_empty() && !after.is_empty() && before.is_disjoint(&after)).then_some((before, after))
}

/// Returns the serial numbers that are those of the whole device and say something.
fn serials(account: &Device) -> BTreeSet<String> {
    let whole = account.entities.iter().filter(|entity| WHOLE.contains(&entity.class));
    let named = whole.map(|entity| Alias::new(AliasKind::Serial, entity.serial.as_str()));
    named.filter(|alias| !alias.is_meaningless()).map(|alias| alias.value.trim().to_owned()).collect()
}

/// Returns which of the accounts are of one device: the ids of each device's accounts, in order.
pub fn groups<'d>(
    accounts: impl IntoIterator<Item = &'d Device>,
    space: SpaceId,
    rulings: &Rulings,
) -> Vec<Vec<DeviceId>> {
    let mut accounts: Vec<Account<'_>> = accounts
        .into_iter()
        .map(|it| Account { id: it.id, handle: it.handles.first(), names: names(it, space) })
        .collect();
    // By handle, not by id: ids follow the order in which reports came.
    accounts.sort_by(|one, two| (one.handle, one.id).cmp(&(two.handle, two.id)));
    let shared = shared_names(&mut accounts);
    let matches = candidates(&shared).into_iter().filter_map(|(one, two)| {
        let (score, _) = accounts.get(one)?.names.match_score(&accounts.get(two)?.names);
        (score >= SAME_MIN).then_some((score, one, two))
    });
    let ids: Vec<DeviceId> = accounts.iter().map(|it| it.id).collect();
    let contradicts = |one: usize, two: usize| match (accounts.get(one), accounts.get(two)) {
        (Some(one), Some(two)) => one.names.contradicts(&two.names),
        _ => false,
    };
    grouping::groups(&ids, matches, contradicts, rulings, SHARED_MAX)
}

/// Returns the accounts that share each name, port addresses aside, which alone say too little. Names that too many share
/// are taken out of the comparison.
fn shared_names(accounts: &mut [Account<'_>]) -> Vec<Vec<usize>> {
    let mut by_name: BTreeMap<(AliasKind, String), Vec<usize>> = BTreeMap::new();
    for (index, account) in accounts.iter().enumerate() {
        for (kind, value) in account.names.iter().filter(|(kind, _)| *kind != AliasKind::Mac) {
            by_name.entry((kind, value.to_owned())).or_default().push(index);
        }
    }
    by_name.retain(|(kind, value), sharing| {
        // Accounts are in order of their handles, so those of one agent stand together.
        let agent = |index: &usize| accounts.get(*index).and_then(|it| it.handle).map(|handle| handle.agent);
        let counts = sharing.chunk_by(|one, two| agent(one) == agent(two)).map(<[usize]>::len);
        let crowded: Vec<bool> = counts.flat_map(|count| vec![count > CLAIMS_MAX; count]).collect();
        let all = sharing.len() - crowded.iter().filter(|crowded| **crowded).count() > SHARED_MAX;
        let (out, left) = (0..sharing.len()).partition::<Vec<_>, _>(|place| all || crowded.get(*place) == Some(&true));
        for account in out.into_iter().filter_map(|place| sharing.get(place)) {
            if let Some(account) = accounts.get_mut(*account) {
                account.names.disregard(*kind, value);
            }
        }
        *sharing = left.into_iter().filter_map(|place| sharing.get(place).copied()).collect();
        sharing.len() > 1
    });
    by_name.into_values().collect()
}

fn candidates(shared: &[Vec<usize>]) -> BTreeSet<(usize, usize)> {
    let mut pairs = BTreeSet::new();
    for sharing in shared {
        for (place, one) in sharing.iter().enumerate() {
            pairs.extend(sharing.iter().skip(place + 1).map(|two| (*one, *two)));
        }
    }
    pairs
}

/// Returns the device that all these accounts are of; `None` without an account. What is newest counts; what only one
/// account tells is taken from that one.
pub fn merged(accounts: &[&Arc<Device>]) -> Option<Arc<Device>> {
    let mut accounts = accounts.to_vec();
    accounts.sort_by_key(|account| account.id);
    let oldest = accounts.first()?;
    if accounts.len() == 1 {
        return Some(Arc::clone(oldest));
    }
    let mut handles: Vec<Handle> = accounts.iter().flat_map(|it| it.handles.iter().cloned()).collect();
    handles.sort();
    handles.dedup();
    let mut answering: Vec<_> = accounts.iter().flat_map(|it| it.answering.iter().cloned()).collect();
    answering.sort_by(|one, two| (one.agent, &one.reach.target).cmp(&(two.agent, &two.reach.target)));
    let mut newest = accounts.clone();
    newest.sort_by_key(|account| (std::cmp::Reverse(account.system_observed), account.id));
    let mut entities: BTreeMap<u32, fact::Entity> = BTreeMap::new();
    for entity in newest.iter().flat_map(|account| &account.entities) {
        entities.entry(entity.index).or_insert_with(|| entity.clone());
    }
    Some(Arc::new(Device {
        id: oldest.id,
        first_seen: accounts.iter().map(|account| account.first_seen).min().unwrap_or(oldest.first_seen),
        handles,
        answering,
        system: newest.iter().filter_map(|account| account.system.clone()).reduce(completed),
        system_observed: newest.first().map_or(Timestamp::EPOCH, |account| account.system_observed),
        entities: entities.into_values().collect(),
        interfaces: interfaces(&accounts),
    }))
}

/// Returns what a device says it is; names that this account could not read are taken from another.
fn completed(newest: fact::System, other: fact::System) -> fact::System {
    let either = |one: String, two: String| if one.is_empty() { two } else { one };
    fact::System {
        bridge_mac: newest.bridge_mac.or(other.bridge_mac),
        engine_id: if newest.engine_id.is_empty() { other.engine_id } else { newest.engine_id },
        chassis_id: either(newest.chassis_id, other.chassis_id),
        ..newest
    }
}

/// Returns the interfaces by ifName: each has the identity that the oldest account of it gave it.
fn interfaces(accounts: &[&Arc<Device>]) -> Vec<Arc<Interface>> {
    let mut by_name: BTreeMap<&str, Vec<&Arc<Interface>>> = BTreeMap::new();
    for interface in accounts.iter().flat_map(|account| &account.interfaces) {
        by_name.entry(interface.said.name.as_str()).or_default().push(interface);
    }
    let one = |mut same: Vec<&Arc<Interface>>| {
        let id = same.first()?.id;
        same.sort_by_key(|it| (!it.current, std::cmp::Reverse(it.observed), it.id));
        let newest = *same.first()?;
        Some(if newest.id == id { Arc::clone(newest) } else { Arc::new(Interface { id, ..Interface::clone(newest) }) })
    };
    by_name.into_values().filter_map(one).collect()
}

#[cfg(test)]
mod tests;
