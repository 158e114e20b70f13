//! Several walks over the devices of a site, one after the other: rows that a walk missed, and moves.
//!
//! A table is read while it changes, answers are lost, rows age out. So a walk is judged together with the four before
//! it: of each row the newest statement counts. An endpoint is believed to have moved when two walks in a row say so, or
//! when its old port went down. What a walk does not know moves nobody.
//!
//! Invariant: what is believed is a function of the walks in their order; within a walk neither order nor repetition
//! shows. Memory is bounded by what [`WALKS`] walks have, and by the endpoints of the last [`FORGOTTEN_AFTER`].

use std::collections::{BTreeMap, VecDeque};

use super::{
    Attachment, DeviceEvidence, FacingEvidence, ForwardingEvidence, NeighbourEvidence, Place, RejectReason, Rejected,
    SiteEvidence, SiteInference, Where, infer,
};
use crate::{DeviceId, InterfaceId, MacAddr};

/// Walks that are judged together.
const WALKS: usize = 5;
/// Walks without any row about an endpoint, after which nothing is known of it any more.
const FORGOTTEN_AFTER: u64 = 100;
/// The most that is said of a place while the last walk found another one.
const CONTENDED: u8 = 60;

/// What is believed about a site, walk after walk.
#[derive(Debug, Clone, Default)]
pub struct Walks {
    window: VecDeque<SiteEvidence>,
    taken: u64,
    believed: BTreeMap<MacAddr, Belief>,
}

/// What is believed of an endpoint.
#[derive(Debug, Clone)]
struct Belief {
    attachment: Attachment,
    /// Where the walk before this one found it, when that is elsewhere.
    contender: Option<Where>,
    /// The walk that had a row about it.
    seen: u64,
}

impl Walks {
    /// Takes the next walk. Returns what is believed after it.
    pub fn take(&mut self, walk: SiteEvidence) -> SiteInference {
        self.window.push_back(walk);
        while self.window.len() > WALKS {
            self.window.pop_front();
        }
        self.taken += 1;
        let mut found = infer(&together(&self.window));
        for (mac, attachment) in &found.attachments {
            if let Some(belief) = self.believed.get_mut(mac) {
                belief.meet(attachment, self.taken);
            } else {
                let belief = Belief { attachment: attachment.clone(), contender: None, seen: self.taken };
                self.believed.insert(*mac, belief);
            }
        }
        let taken = self.taken;
        self.believed.retain(|_, belief| taken - belief.seen < FORGOTTEN_AFTER);
        found.attachments = self.believed.iter().map(|(mac, belief)| (*mac, belief.told())).collect();
        found
    }
}

impl Belief {
    /// Takes what a walk found, which may be elsewhere.
    fn meet(&mut self, found: &Attachment, walk: u64) {
        self.seen = walk;
        if self.is_part(found) {
            self.contender = None;
        } else if is_same_place(&self.attachment, found) || self.is_corrected(found) {
            self.believe(found);
        } else if self.says_nothing(found) {
            self.contender = None;
        } else if self.contender.is_some_and(|contender| is_one_of(contender, found)) {
            self.believe(found);
        } else {
            self.contender = Some(found.at);
        }
    }

    /// Believes what a walk found. Of several ports that are all right, the one that was named stays named.
    fn believe(&mut self, found: &Attachment) {
        let known = self.attachment.at;
        self.attachment = found.clone();
        self.contender = None;
        let (Where::Port(known), Where::Port(at)) = (known, found.at) else { return };
        if let Some(place) = self.attachment.also.iter_mut().find(|place| is_port(**place, known)) {
            self.attachment.at = Where::Port(std::mem::replace(place, at));
            self.attachment.also.sort_unstable();
        }
    }

    /// Returns whether a walk has some of the ports that are believed to be one, and no row of the devices of the others.
    fn is_part(&self, found: &Attachment) -> bool {
        let Where::Port(at) = self.attachment.at else { return false };
        let Where::Port(found_at) = found.at else { return false };
        let found_places: Vec<Place> = found.also.iter().copied().chain([found_at]).collect();
        let places: Vec<Place> = self.attachment.also.iter().copied().chain([at]).collect();
        let has = |places: &[Place], place: Place| places.iter().any(|it| is_port(*it, place));
        let missing: Vec<Place> = places.iter().copied().filter(|place| !has(&found_places, *place)).collect();
        let silent = |place: &Place| !found.rejected.iter().any(|row| row.device == place.device);
        found_places.iter().all(|place| has(&places, *place)) && !missing.is_empty() && missing.iter().all(silent)
    }

    /// Returns whether another place is no move: what was believed was a guess, its port is down, or it turned out to lead
    /// to where the endpoint is.
    fn is_corrected(&self, found: &Attachment) -> bool {
        let Where::Port(old) = self.attachment.at else { return matches!(found.at, Where::Port(_)) };
        found.is_sure() && (!self.attachment.is_sure() || found.overturns(old))
    }

    /// Returns whether a walk only lacks what it would take: it has a guess, or no port, and no row of the device at whose
    /// port the endpoint is.
    fn says_nothing(&self, found: &Attachment) -> bool {
        let Where::Port(old) = self.attachment.at else { return found.at == Where::Nowhere };
        // At one end of the segment, or one of two switches, where it was: that one's row is missing.
        if matches!(found.at, Where::Behind { device, .. } if self.attachment.also.iter().any(|it| it.device == device))
        {
            return true;
        }
        found.lacks(old)
    }

    /// Returns what is believed, with what is not believed yet.
    fn told(&self) -> Attachment {
        let mut told = self.attachment.clone();
        if let Some(Where::Port(Place { device, interface, vlan })) = self.contender {
            told.confidence = told.confidence.min(CONTENDED);
            let reason = RejectReason::MovePending;
            told.rejected.push(Rejected { device, interface: Some(interface), vlan, reason });
            told.rejected.sort_unstable();
        }
        told
    }
}

fn is_port(one: Place, other: Place) -> bool {
    (one.device, one.interface) == (other.device, other.interface)
}

/// Returns whether a place is among those that a walk found.
fn is_one_of(place: Where, found: &Attachment) -> bool {
    match (place, found.at) {
        (Where::Port(place), Where::Port(at)) => {
            is_port(place, at) || found.also.iter().any(|also| is_port(place, *also))
        }
        (Where::Behind { device: one, .. }, Where::Behind { device: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

fn is_same_place(known: &Attachment, found: &Attachment) -> bool {
    is_one_of(known.at, found)
        || matches!(found.at, Where::Port(at) if known.also.iter().any(|also| is_port(*also, at)))
}

/// Puts walks together: of each statement the newest counts, and an older one stays where no newer one says otherwise.
fn together(walks: &VecDeque<SiteEvidence>) -> SiteEvidence {
    let mut devices: BTreeMap<DeviceId, Vec<(usize, &DeviceEvidence)>> = BTreeMap::new();
    // Ages, so that the newest comes first.
    for (age, walk) in walks.iter().rev().enumerate() {
        for device in &walk.devices {
            devices.entry(device.id).or_default().push((age, device));
        }
    }
    let devices = devices.into_iter().map(|(id, told)| device_together(id, &told)).collect();
    let anchors = walks.iter().rev().map(|walk| &walk.anchors).find(|anchors| !anchors.is_empty());
    SiteEvidence { devices, anchors: anchors.cloned().unwrap_or_default() }
}

/// Puts together what a device said; `told` has the age of each, newest first.
fn device_together(id: DeviceId, told: &[(usize, &DeviceEvidence)]) -> DeviceEvidence {
    let newest = |has: fn(&DeviceEvidence) -> bool| told.iter().find(|(_, it)| has(it)).map(|(age, _)| *age);
    let of_age = |age: Option<usize>| told.iter().filter(move |(of, _)| Some(*of) == age).map(|(_, it)| *it);
    let named = newest(|it| !it.own_macs.is_empty());
    let ports = newest(|it| !it.interfaces.is_empty());
    DeviceEvidence {
        id,
        own_macs: of_age(named).flat_map(|it| it.own_macs.iter().copied()).collect(),
        interfaces: of_age(ports).flat_map(|it| it.interfaces.iter().cloned()).collect(),
        forwarding: rows_together(told),
        neighbours: neighbours_together(told),
        facing: facing_together(told),
        stations: of_age(newest(|it| !it.stations.is_empty())).flat_map(|it| it.stations.iter().copied()).collect(),
    }
}

fn rows_together(told: &[(usize, &DeviceEvidence)]) -> Vec<ForwardingEvidence> {
    let mut rows: Vec<(MacAddr, usize, ForwardingEvidence)> =
        told.iter().flat_map(|(age, it)| it.forwarding.iter().map(|row| (row.mac, *age, *row))).collect();
    rows.sort_unstable_by_key(|(mac, age, row)| (*mac, *age, row.vlan, row.interface, row.learned));
    let mut kept: Vec<ForwardingEvidence> = Vec::with_capacity(rows.len());
    for of_mac in rows.chunk_by(|(one, ..), (other, ..)| one == other) {
        let newest = of_mac.first().map(|(_, age, _)| *age);
        let now: Vec<&ForwardingEvidence> =
            of_mac.iter().filter(|(_, age, _)| Some(*age) == newest).map(|(.., row)| row).collect();
        // A host of several VLANs has several rows, and any of them may be missing; a port that is left is no VLAN.
        let stays = |row: &&ForwardingEvidence| now.iter().any(|newer| newer.interface == row.interface);
        let from = kept.len();
        for row in of_mac.iter().map(|(.., row)| row).filter(stays) {
            if !kept.iter().skip(from).any(|known| known == row) {
                kept.push(*row);
            }
        }
    }
    kept
}

fn neighbours_together(told: &[(usize, &DeviceEvidence)]) -> Vec<NeighbourEvidence> {
    let mut newest: BTreeMap<InterfaceId, (usize, Vec<&NeighbourEvidence>)> = BTreeMap::new();
    for (age, device) in told {
        for neighbour in &device.neighbours {
            let (of, heard) = newest.entry(neighbour.interface).or_insert((*age, Vec::new()));
            if of == age {
                heard.push(neighbour);
            }
        }
    }
    newest.into_values().flat_map(|(_, heard)| heard).cloned().collect()
}

fn facing_together(told: &[(usize, &DeviceEvidence)]) -> Vec<FacingEvidence> {
    let mut newest: BTreeMap<(InterfaceId, super::FacingSource), (usize, Vec<FacingEvidence>)> = BTreeMap::new();
    for (age, device) in told {
        for facing in &device.facing {
            let (of, known) = newest.entry((facing.interface, facing.source)).or_insert((*age, Vec::new()));
            if of == age {
                known.push(*facing);
            }
        }
    }
    newest.into_values().flat_map(|(_, known)| known).collect()
}
