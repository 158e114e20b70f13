//! Addresses that several have: each a finding with its evidence, raised and cleared at the site's turn.
//!
//! Invariant: only what was seen lately counts, and what is seen at a time: an address that went from one to another is none.
//! A site has at most [`FINDINGS_MAX`] findings of a kind. What another site has is counted and not named.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use onenet_topology::{
    DeviceId, MacAddr, SiteId, Timestamp,
    endpoint::{Bound, Endpoint, Sight},
    fact::{FactBody, Method},
};

use super::{Draft, tick::is_turn};
use crate::{
    estate::{Change, Estate, RESTS_MS, SiteState},
    findings::{Evidence, Finding, FindingKey, FindingKind, Subject},
};

/// Findings of a kind that a site has at most.
const FINDINGS_MAX: usize = 100;
/// How long ago something counts as lately, in milliseconds: agents tell every ten minutes what stays.
const LATELY_MS: i64 = 1_800_000;
/// A finding that stays is confirmed this often, in milliseconds.
const CONFIRM_MS: i64 = 3_600_000;
/// Addresses that a finding names.
const MACS_MAX: usize = 8;

/// Judges the sites whose turn it is.
pub(super) fn judge(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let due: Vec<SiteId> = draft.next.sites.keys().copied().filter(|site| is_turn(*site, now)).collect();
    for site in due {
        let Some(state) = draft.next.site(site) else { continue };
        let found = duplicates(&draft.next, state, now);
        let known: Vec<Arc<Finding>> =
            state.findings.values().filter(|it| FindingKind::DUPLICATES.contains(&it.key.kind)).cloned().collect();
        for gone in known.iter().filter(|it| !found.contains_key(&it.key)) {
            draft.put(Change::Finding { site, key: gone.key, finding: None });
        }
        for (key, evidence) in found {
            let before = known.iter().find(|it| it.key == key);
            if before.is_some_and(|it| it.evidence == evidence && now.ms_since(it.confirmed) < CONFIRM_MS) {
                continue;
            }
            let since = before.map_or(now, |it| it.since);
            let finding = Some(Arc::new(Finding { key, since, confirmed: now, evidence }));
            draft.put(Change::Finding { site, key, finding });
        }
    }
}

fn duplicates(estate: &Estate, state: &SiteState, now: Timestamp) -> BTreeMap<FindingKey, Evidence> {
    let own = device_addresses(state);
    let mut found = flapping(state, now);
    let mut counts: BTreeMap<FindingKind, usize> = BTreeMap::new();
    let lately = |seen: Option<Timestamp>| seen.is_some_and(|seen| now.ms_since(seen) < LATELY_MS);
    for endpoint in state.visible_endpoints().filter(|it| it.is_current() && lately(it.last_seen())) {
        let mut add = |kind: FindingKind, evidence: Evidence| {
            let count = counts.entry(kind).or_default();
            if *count < FINDINGS_MAX {
                *count += 1;
                found.insert(FindingKey { kind, subject: Subject::Endpoint(endpoint.id) }, evidence);
            }
        };
        let sites = elsewhere(estate, state.id, endpoint, lately);
        if sites > 0 {
            add(FindingKind::MacAtTwoSites, Evidence::MacElsewhere { mac: endpoint.mac, sites });
        }
        let bound = endpoint.current_addresses().filter(|it| lately(Some(it.last_seen)) && is_unique(it.ip));
        for address in bound {
            let macs = sharers(estate, state, endpoint, &address, lately);
            if macs.len() > 1 {
                let macs = macs.into_iter().take(MACS_MAX).collect();
                add(FindingKind::IpWithTwoMacs, Evidence::TwoMacs { ip: address.ip, macs });
            }
            if let Some(device) = own.get(&address.ip) {
                let evidence = Evidence::DeviceAddress { ip: address.ip, device: *device, mac: endpoint.mac };
                add(FindingKind::DeviceAddressUsed, evidence);
            }
        }
    }
    found
}

/// Returns the addresses that go back and forth between ports. Stations roam between access points, which is none. What the
/// tables said before a start of the centre is not known any more: a finding stays until it would have rested.
fn flapping(state: &SiteState, now: Timestamp) -> BTreeMap<FindingKey, Evidence> {
    let kind = FindingKind::MacFlaps;
    let fresh = |it: &&Arc<Finding>| match &it.evidence {
        Evidence::Flapping { changes, .. } => changes.last().is_some_and(|last| now.ms_since(last.at) < RESTS_MS),
        _ => false,
    };
    let known = state.findings.values().filter(fresh).map(|it| (it.key, it.evidence.clone()));
    let mut found: BTreeMap<FindingKey, Evidence> = known.collect();
    for (mac, handle, changing) in state.flaps.get().flapping(now) {
        let Some(endpoint) = state.endpoint_by_mac(mac).filter(|it| !state.is_device_mac(it.mac)) else { continue };
        let roams = |it: Sight<'_>| it.current && it.origin.group.method == Method::SnmpStations;
        let device = state.handles.get(handle).map(|account| state.canonical(*account));
        let key = FindingKey { kind, subject: Subject::Endpoint(endpoint.id) };
        if let Some(device) = device.filter(|_| !endpoint.evidence.own_sights().any(roams))
            && (found.len() < FINDINGS_MAX || found.contains_key(&key))
        {
            let (count, changes) = (changing.count, changing.last.clone());
            found.insert(key, Evidence::Flapping { mac, device, count, changes });
        }
    }
    found
}

/// Returns whether an address means one host in its space.
fn is_unique(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

/// Returns the devices' own addresses. A device that tells no MAC address of its own cannot be told from a terminal.
fn device_addresses(state: &SiteState) -> BTreeMap<IpAddr, DeviceId> {
    let mut own = BTreeMap::new();
    for device in state.devices.values().filter(|device| device.own_macs().next().is_some()) {
        for held in state.told(device, Method::SnmpOwnAddresses) {
            if let FactBody::OwnAddress(address) = &held.fact.body
                && is_unique(address.ip)
            {
                own.insert(address.ip, device.id);
            }
        }
    }
    own
}

/// Returns at how many other sites the endpoint's MAC address is seen too.
fn elsewhere(estate: &Estate, site: SiteId, endpoint: &Endpoint, lately: impl Fn(Option<Timestamp>) -> bool) -> u64 {
    let others = estate.indexes.by_mac(endpoint.mac).filter(|id| *id != endpoint.id);
    let sites: BTreeSet<SiteId> = others
        .filter_map(|id| {
            let of = *estate.indexes.endpoint_sites.get(&id)?;
            let other = estate.site(of)?.endpoints.get(&id)?;
            (of != site && other.is_current() && lately(other.last_seen())).then_some(of)
        })
        .collect();
    u64::try_from(sites.len()).unwrap_or(u64::MAX)
}

/// Returns who has an address while an endpoint has it, in order, itself included; nobody where the site's lowest of them is
/// another endpoint, so that each address is told once.
fn sharers(
    estate: &Estate,
    state: &SiteState,
    endpoint: &Endpoint,
    address: &Bound,
    lately: impl Fn(Option<Timestamp>) -> bool,
) -> BTreeSet<MacAddr> {
    let mut macs = BTreeSet::from([endpoint.mac]);
    for id in estate.indexes.by_address(address.space, address.ip).filter(|id| *id != endpoint.id) {
        let site = estate.indexes.endpoint_sites.get(&id).and_then(|site| estate.site(*site));
        let Some((site, other)) = site.and_then(|site| Some((site, site.endpoints.get(&id)?))) else { continue };
        let theirs = other.current_addresses().find(|it| (it.space, it.ip) == (address.space, address.ip));
        let Some(theirs) = theirs.filter(|it| lately(Some(it.last_seen)) && !site.is_device_mac(other.mac)) else {
            continue;
        };
        // The older one was confirmed after the younger one came: neither took over from the other.
        let at_a_time = theirs.last_seen > address.first_seen && address.last_seen > theirs.first_seen;
        if at_a_time && other.mac != endpoint.mac {
            if site.id == state.id && id < endpoint.id {
                return BTreeSet::new();
            }
            macs.insert(other.mac);
        }
    }
    macs
}
