//! What is joined at a site: one list of what tables, protocols and neighbours say, each with how sure it is.
//!
//! Invariant: every statement of a neighbour is in the list, believed or not: with the link that it speaks for, or for itself.
//! The order is that of the ends.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    DeviceId, InterfaceId,
    fact::{FactBody, Method},
    grouping::pair,
    inference::{DeviceLink, End, LinkReason},
    link::{Link, LinkEnd, LinkEvidence},
};

use crate::estate::SiteState;

/// Confidence of a neighbour that nothing bears out.
const UNCONFIRMED: u8 = 40;
/// Confidence of what both ends tell.
const TWO_SIDED: u8 = 98;
/// Confidence of what is heard of something that is not polled.
const HEARD: u8 = 85;
/// From this confidence on, a link is no guess.
const SURE: u8 = 50;

/// Why two ends are believed to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It follows from what the devices tell.
    Inferred(LinkReason),
    /// One is heard, and is not polled, so that nobody asks it.
    Heard,
    /// One says that it hears the other, and nothing bears it out.
    Unconfirmed,
}

/// Two ends that are joined, as far as anything tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The end that comes first in order.
    pub a: LinkEnd,
    /// The other end.
    pub b: LinkEnd,
    /// 0 to 100; under 50 means that it is a guess, or that other evidence speaks against it.
    pub confidence: u8,
    /// Why.
    pub why: Why,
    /// The neighbours that speak for it.
    pub evidence: Vec<LinkEvidence>,
}

impl Joined {
    /// Returns whether only one of the ends tells of it, though both could.
    pub const fn is_one_sided(&self) -> bool {
        matches!(
            self.why,
            Why::Inferred(LinkReason::OneSided | LinkReason::OwnAddress { both: false }) | Why::Unconfirmed
        )
    }

    /// Returns whether other evidence speaks against it.
    pub const fn is_contradicted(&self) -> bool {
        match self.why {
            Why::Inferred(LinkReason::Contradicted) => true,
            Why::Inferred(_) => self.confidence < SURE,
            Why::Heard | Why::Unconfirmed => false,
        }
    }

    /// Returns whether one of the ends is a port of this device.
    pub fn is_of(&self, device: DeviceId) -> bool {
        [&self.a, &self.b].into_iter().any(|end| matches!(end, LinkEnd::Interface { device: of, .. } if *of == device))
    }
}

/// Returns what is joined at a site.
pub fn joined(state: &SiteState) -> Vec<Joined> {
    let aggregates = aggregates(state);
    let by_devices = by_devices(&state.links);
    let mut spoken: BTreeSet<usize> = BTreeSet::new();
    let mut all: Vec<Joined> = Vec::new();
    for link in &state.inference.get().links {
        let mut evidence = Vec::new();
        for (place, heard) in by_devices.get(&pair(link.a.device, link.b.device)).into_iter().flatten() {
            if is_same(&aggregates, link, heard) {
                spoken.insert(*place);
                evidence.extend(heard.evidence.iter().cloned());
            }
        }
        let (a, b) = (end(state, link.a), end(state, link.b));
        all.push(Joined { a, b, confidence: link.confidence, why: Why::Inferred(link.reason), evidence });
    }
    for (_, heard) in state.links.iter().enumerate().filter(|(place, _)| !spoken.contains(place)) {
        let managed = |end: &LinkEnd| matches!(end, LinkEnd::Interface { .. });
        let both = managed(&heard.a) && managed(&heard.b);
        let (why, confidence) = match (both, heard.is_two_sided()) {
            (false, _) => (Why::Heard, HEARD),
            // What was just told is not inferred from yet.
            (true, true) => (Why::Inferred(LinkReason::TwoSided), TWO_SIDED),
            (true, false) => (Why::Unconfirmed, UNCONFIRMED),
        };
        let (a, b) = (heard.a.clone(), heard.b.clone());
        all.push(Joined { a, b, confidence, why, evidence: heard.evidence.clone() });
    }
    all.sort_by(|one, other| (&one.a, &one.b, one.why).cmp(&(&other.a, &other.b, other.why)));
    all
}

/// Returns what neighbours say of two managed devices, with its place in the list, by these two: a ministry has some hundred links.
fn by_devices(links: &[Link]) -> BTreeMap<(DeviceId, DeviceId), Vec<(usize, &Link)>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (place, link) in links.iter().enumerate() {
        if let (LinkEnd::Interface { device: a, .. }, LinkEnd::Interface { device: b, .. }) = (&link.a, &link.b) {
            found.entry(pair(*a, *b)).or_default().push((place, link));
        }
    }
    found
}

/// Returns the aggregate of each member.
fn aggregates(state: &SiteState) -> BTreeMap<InterfaceId, InterfaceId> {
    let mut aggregates = BTreeMap::new();
    for device in state.devices.values() {
        for held in state.told(device, Method::SnmpAggregation) {
            if let FactBody::Aggregation(row) = &held.fact.body
                && let (Some(member), Some(whole)) = (device.interface(&row.member), device.interface(&row.aggregate))
            {
                aggregates.insert(member.id, whole.id);
            }
        }
    }
    aggregates
}

fn end(state: &SiteState, end: End) -> LinkEnd {
    let name = |interface| state.interface(end.device, interface).map(|it| it.said.name.clone());
    LinkEnd::Interface {
        device: end.device,
        interface: end.interface,
        name: end.interface.and_then(name).unwrap_or_default(),
    }
}

/// Returns whether a neighbour speaks of a link: it joins the same devices, at the same ports as far as they are told.
fn is_same(aggregates: &BTreeMap<InterfaceId, InterfaceId>, link: &DeviceLink, heard: &Link) -> bool {
    let is_end = |end: End, heard: &LinkEnd| match heard {
        LinkEnd::Interface { device, interface, .. } => {
            let whole = interface.map(|it| aggregates.get(&it).copied().unwrap_or(it));
            *device == end.device && (whole.is_none() || end.interface.is_none() || whole == end.interface)
        }
        LinkEnd::Agent { .. } | LinkEnd::Unmanaged { .. } => false,
    };
    is_end(link.a, &heard.a) && is_end(link.b, &heard.b) || is_end(link.a, &heard.b) && is_end(link.b, &heard.a)
}
