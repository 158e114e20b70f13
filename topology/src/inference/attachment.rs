//! Where each endpoint of a site is attached.
//!
//! The rule: a row says that the endpoint is behind a port. A port that leads to a managed device gives way when a device
//! behind it has the address too, on a port that does not lead back. What is left on a port without a managed device
//! behind it is where the endpoint is; of several such ports the one that most other rows agree with, and with little
//! confidence the one with the fewest addresses. When only ports between switches are left, the endpoint is on something
//! unmanaged between them if all of them have it; if one has not, it is behind that one and the port is unresolved.
//!
//! Invariant: every address that a table has is either attached, with each rejected row and its reason, or dropped with
//! the reason. The answer does not depend on the order or the repetition of the evidence. What may be wrong is under 50.

use std::collections::{BTreeMap, BTreeSet};

use crate::MacAddr;

use super::{
    Attachment, Place, Reason, RejectReason, Rejected, SiteEvidence, SiteInference, Where,
    index::{DeviceIndex, Index, Port, PortIndex, Row},
    links::links,
    pairs::{Pairs, Shared},
};

/// The most that is said of an answer which other evidence may overturn.
const GUESS: u8 = 45;
/// What is said of a station that its controller has.
const WIRELESS: u8 = 92;
/// What is taken off where no anchor tells the ways in a VLAN.
const ADRIFT: u8 = 4;

/// Returns where every endpoint in the tables of a site is attached, and how its devices are joined.
pub fn infer(evidence: &SiteEvidence) -> SiteInference {
    let index = Index::of(evidence);
    let pairs = Pairs::of(&index);
    let mut attachments: BTreeMap<MacAddr, Attachment> =
        index.rows.iter().map(|(mac, rows)| (*mac, behind_phone(&index, *mac, attach(&index, &pairs, rows)))).collect();
    for (mac, (controller, vlan)) in &index.stations {
        let by_cable = attachments.remove(mac);
        attachments.insert(*mac, wireless(&index, *controller, *vlan, by_cable));
    }
    let busy = index.ports.iter().filter(|port| !port.behind.is_empty());
    let mut between_switches: Vec<_> = busy
        .map(|port| {
            let behind = port.behind.iter().filter_map(|device| index.devices.get(*device).copied()).collect();
            (index.device(port.device), port.interface, behind)
        })
        .collect();
    between_switches.sort();
    SiteInference { attachments, between_switches, links: links(&index), dropped: index.dropped }
}

/// Says of an endpoint at a port with a telephone that it is plugged into that.
fn behind_phone(index: &Index, mac: MacAddr, found: Attachment) -> Attachment {
    let Where::Port(at) = found.at else { return found };
    let phone = index.port_of(at).and_then(|port| index.phone_before(port, mac));
    match (found.reason, phone) {
        (Reason::EdgePort { .. }, Some(phone)) => Attachment { reason: Reason::BehindPhone { phone }, ..found },
        _ => found,
    }
}

/// Attaches a station to its controller, which knows it by its radio; tables have it at the port of an access point, or of the
/// controller, and that is no place of its own.
fn wireless(index: &Index, controller: DeviceIndex, vlan: Option<u16>, by_cable: Option<Attachment>) -> Attachment {
    let mut rejected = Vec::new();
    let mut in_table = None;
    if let Some(found) = by_cable {
        if let Where::Port(Place { device, interface, vlan }) = found.at {
            in_table = vlan;
            rejected.push(Rejected { device, interface: Some(interface), vlan, reason: RejectReason::Wireless });
        }
        rejected.extend(found.rejected);
    }
    rejected.sort_unstable();
    rejected.dedup();
    let at = Where::Behind { device: index.device(controller), vlan: vlan.or(in_table) };
    Attachment { at, also: Vec::new(), confidence: WIRELESS, reason: Reason::Wireless, rejected }
}

/// Attaches one address from all its rows: the best of its VLANs.
fn attach(index: &Index, pairs: &Pairs, rows: &BTreeSet<Row>) -> Attachment {
    let told: BTreeSet<u16> = rows.iter().filter_map(|row| row.vlan).collect();
    let vlans: Vec<Option<u16>> = if told.is_empty() { vec![None] } else { told.into_iter().map(Some).collect() };
    let mut best: Option<Attachment> = None;
    for vlan in vlans {
        // A table that does not tell the VLAN may mean any.
        let scope: Vec<Row> = rows.iter().copied().filter(|row| row.vlan.is_none() || row.vlan == vlan).collect();
        let mut found = Decision { index, pairs, vlan, rows: &scope, rejected: Vec::new() }.decide();
        if index.is_adrift(vlan) {
            found.confidence = found.confidence.saturating_sub(ADRIFT);
        }
        best = Some(match best {
            None => found,
            Some(best) if found.confidence > best.confidence => take_over(found, best),
            Some(best) => take_over(best, found),
        });
    }
    let nothing = || Attachment {
        at: Where::Nowhere,
        also: Vec::new(),
        confidence: 0,
        reason: Reason::NothingUsable,
        rejected: Vec::new(),
    };
    let mut best = best.unwrap_or_else(nothing);
    best.rejected.sort();
    best.rejected.dedup();
    best
}

/// Keeps `best`, and of `other` what it says of other places.
fn take_over(mut best: Attachment, other: Attachment) -> Attachment {
    if let Where::Port(place) = other.at
        && !matches!(best.at, Where::Port(chosen) if (chosen.device, chosen.interface) == (place.device, place.interface))
    {
        let Place { device, interface, vlan } = place;
        best.rejected.push(Rejected { device, interface: Some(interface), vlan, reason: RejectReason::OtherVlan });
    }
    best.rejected.extend(other.rejected);
    best
}

/// The rows about one address in one VLAN, on the way to an answer.
struct Decision<'a> {
    index: &'a Index,
    pairs: &'a Pairs,
    vlan: Option<u16>,
    rows: &'a [Row],
    rejected: Vec<Rejected>,
}

/// A port that may be where the endpoint is, with how many devices have a row that leads there, and one that leads
/// elsewhere. In order: the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    differ: usize,
    agree: std::cmp::Reverse<usize>,
    macs: usize,
    port: PortIndex,
}

impl Decision<'_> {
    fn decide(mut self) -> Attachment {
        let mut usable: BTreeSet<PortIndex> = BTreeSet::new();
        let mut down: BTreeSet<PortIndex> = BTreeSet::new();
        let mut unresolved: BTreeSet<DeviceIndex> = BTreeSet::new();
        for row in self.rows {
            match row.port.and_then(|port| self.index.ports.get(port).map(|it| (port, it))) {
                _ if !row.learned => self.reject_row(row, RejectReason::NotLearned),
                None => {
                    unresolved.insert(row.device);
                }
                Some((port, it)) if it.down => {
                    down.insert(port);
                }
                Some((port, _)) => {
                    usable.insert(port);
                }
            }
        }
        if usable.is_empty() && unresolved.is_empty() {
            return self.on_ports_down(&down);
        }
        for port in down {
            self.reject(port, RejectReason::PortDown);
        }
        let (edge, between) = self.deepest(&usable, &unresolved);
        if !edge.is_empty() {
            return self.at_edge(&edge, &between, &usable, &unresolved);
        }
        // A device that has the address at an unknown port is deeper than a port that leads to somebody without it.
        match unresolved.iter().next() {
            Some(device) => self.at_unresolved(*device, &unresolved, &between),
            None => self.between(&between, &usable),
        }
    }

    /// Rejects ports that lead to a device that has the address too. Returns what is left: ports without a managed device
    /// behind, and ports with one.
    fn deepest(
        &mut self,
        usable: &BTreeSet<PortIndex>,
        unresolved: &BTreeSet<DeviceIndex>,
    ) -> (Vec<PortIndex>, Vec<PortIndex>) {
        let mut has: BTreeMap<DeviceIndex, Vec<&Port>> = BTreeMap::new();
        for port in usable.iter().filter_map(|port| self.index.ports.get(*port)) {
            has.entry(port.device).or_default().push(port);
        }
        let (mut edge, mut between) = (Vec::new(), Vec::new());
        for number in usable {
            let Some(port) = self.index.ports.get(*number) else { continue };
            let deeper = port.behind.iter().find(|behind| {
                let ports = has.get(behind).into_iter().flatten();
                unresolved.contains(behind) || ports.into_iter().any(|other| !other.behind.contains(&port.device))
            });
            match deeper {
                Some(device) => self.reject(*number, RejectReason::LeadsTo { device: self.index.device(*device) }),
                None if port.behind.is_empty() => edge.push(*number),
                None => between.push(*number),
            }
        }
        (edge, between)
    }

    /// Returns the ports as candidates, the best first.
    fn ranked(&self, ports: &[PortIndex], usable: &BTreeSet<PortIndex>) -> Vec<Candidate> {
        let candidate = |number: &PortIndex| {
            let port = self.index.ports.get(*number)?;
            let rows = usable.iter().filter(|other| *other != number);
            let (mut agree, mut differ) = (0, 0);
            for (row, it) in rows.filter_map(|row| Some((*row, self.index.ports.get(row.to_owned())?))) {
                let leads = if it.device == port.device {
                    Some(false)
                } else {
                    self.index.adjacency.leads(it.device, row, port.device)
                };
                match leads {
                    Some(true) => agree += 1,
                    Some(false) => differ += 1,
                    None => {}
                }
            }
            Some(Candidate { differ, agree: std::cmp::Reverse(agree), macs: port.macs, port: *number })
        };
        let mut ranked: Vec<Candidate> = ports.iter().filter_map(candidate).collect();
        ranked.sort_unstable();
        ranked
    }

    fn at_edge(
        mut self,
        edge: &[PortIndex],
        between: &[PortIndex],
        usable: &BTreeSet<PortIndex>,
        unresolved: &BTreeSet<DeviceIndex>,
    ) -> Attachment {
        self.reject_unresolved(unresolved, None);
        self.reject_between(between);
        let ranked = self.ranked(edge, usable);
        let Some((best, others)) = ranked.split_first() else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        let mut how = Shared::ByPartner;
        let (one, others): (Vec<Candidate>, Vec<Candidate>) = others.iter().partition(|other| {
            let shared = self.pairs.get(best.port, other.port);
            how = shared.map_or(how, |shared| how.min(shared));
            shared.is_some()
        });
        for other in &others {
            let reason = if other.differ > best.differ {
                RejectReason::FewerAgree { differ: other.differ }
            } else {
                RejectReason::MoreAddresses { macs: other.macs }
            };
            self.reject(other.port, reason);
        }
        let (confidence, reason) = match others.first() {
            Some(next) => against_others(best, next),
            None if one.is_empty() => alone(best),
            None => shared(how, best, one.len()),
        };
        if let Some(device) = self.hidden_behind(std::iter::once(best).chain(&one), usable) {
            return self.behind_hidden(best.port, one.iter().map(|other| other.port), device);
        }
        let at = self.at(best.port);
        let also = one.iter().filter_map(|other| self.place(other.port)).collect();
        Attachment { also, ..self.answer(at, confidence, reason) }
    }

    /// Returns a device that has a table without this address, and may be behind one of these ports: nothing tells for sure
    /// where it is.
    fn hidden_behind<'c>(
        &self,
        candidates: impl Iterator<Item = &'c Candidate>,
        usable: &BTreeSet<PortIndex>,
    ) -> Option<DeviceIndex> {
        let has = |device: DeviceIndex| {
            usable.iter().any(|row| self.index.ports.get(*row).is_some_and(|it| it.device == device))
        };
        let ports = candidates.filter_map(|it| self.index.ports.get(it.port));
        let unplaced = ports.flat_map(|port| self.index.may_be_behind(port.device)).copied();
        unplaced.filter(|device| !has(*device)).min()
    }

    /// A device whose place is not known may be between the endpoint and the port that has it.
    fn behind_hidden(
        mut self,
        best: PortIndex,
        others: impl Iterator<Item = PortIndex>,
        hidden: DeviceIndex,
    ) -> Attachment {
        let towards = self.index.device(hidden);
        for port in std::iter::once(best).chain(others) {
            self.reject(port, RejectReason::MayLeadTo { device: towards });
        }
        let Some(port) = self.index.ports.get(best) else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        let (device, vlan) = (self.index.device(port.device), self.vlan);
        self.answer(Where::Behind { device, vlan }, 35, Reason::RowMissing { towards })
    }

    /// Only ports between switches have it.
    fn between(mut self, between: &[PortIndex], usable: &BTreeSet<PortIndex>) -> Attachment {
        let ranked = self.ranked(between, usable);
        let found = ranked.first().and_then(|best| Some((best, self.index.ports.get(best.port)?)));
        let Some((best, port)) = found else { return self.answer(Where::Nowhere, 0, Reason::NothingUsable) };
        // Ports at both ends of one segment are both right; others lose.
        let (facing, other): (Vec<Candidate>, Vec<Candidate>) = ranked.iter().skip(1).partition(|other| {
            let other = self.index.ports.get(other.port);
            other.is_some_and(|other| port.behind.contains(&other.device) && other.behind.contains(&port.device))
        });
        for other in other {
            self.reject(other.port, RejectReason::MoreAddresses { macs: other.macs });
        }
        if let Some(next) = self.nearest_without(port, usable) {
            let (device, vlan) = (self.index.device(next), self.vlan);
            self.reject(best.port, RejectReason::LeadsTo { device });
            for facing in &facing {
                self.reject(facing.port, RejectReason::LeadsTo { device });
            }
            let has_table = self.index.has_table.get(next) == Some(&true);
            let reason = if has_table { Reason::RowMissing { towards: device } } else { Reason::NoTableBehind };
            return self.answer(Where::Behind { device, vlan }, 40, reason);
        }
        let towards = facing.first().and_then(|facing| self.index.ports.get(facing.port)).map(|facing| facing.device);
        let Some(towards) = towards.or_else(|| port.behind.first().copied()) else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        if let Some(device) = self.hidden_behind(std::iter::once(best).chain(&facing), usable) {
            return self.behind_hidden(best.port, facing.iter().map(|other| other.port), device);
        }
        let sure = !facing.is_empty() && best.differ == 0;
        let (at, towards) = (self.at(best.port), self.index.device(towards));
        let also = facing.iter().filter_map(|facing| self.place(facing.port)).collect();
        let confidence = if sure { 85 } else { GUESS };
        Attachment { also, ..self.answer(at, confidence, Reason::UnmanagedBehind { towards }) }
    }

    /// Returns the nearest managed device behind a port that has no row for the address, though all rows lead to it.
    fn nearest_without(&self, port: &Port, usable: &BTreeSet<PortIndex>) -> Option<DeviceIndex> {
        let rows: Vec<(PortIndex, DeviceIndex)> =
            usable.iter().filter_map(|row| Some((*row, self.index.ports.get(*row)?.device))).collect();
        let missing = |device: &DeviceIndex| {
            rows.iter().all(|(row, of)| of != device && self.index.adjacency.leads(*of, *row, *device) != Some(false))
        };
        let on_the_way = |device: DeviceIndex| {
            let way = self.index.adjacency.way(device, port.device).and_then(|port| self.index.ports.get(port));
            way.map_or(usize::MAX, |port| port.behind.len())
        };
        port.behind.iter().copied().filter(missing).min_by_key(|device| (on_the_way(*device), *device))
    }

    fn at_unresolved(
        mut self,
        device: DeviceIndex,
        unresolved: &BTreeSet<DeviceIndex>,
        between: &[PortIndex],
    ) -> Attachment {
        self.reject_between(between);
        self.reject_unresolved(unresolved, Some(device));
        let (device, vlan) = (self.index.device(device), self.vlan);
        let confidence = if unresolved.len() == 1 { 40 } else { 20 };
        self.answer(Where::Behind { device, vlan }, confidence, Reason::PortUnresolved)
    }

    fn on_ports_down(mut self, down: &BTreeSet<PortIndex>) -> Attachment {
        let ports: Vec<PortIndex> = down.iter().copied().collect();
        let ranked = self.ranked(&ports, &BTreeSet::new());
        let Some((best, others)) = ranked.split_first() else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        for other in others {
            self.reject(other.port, RejectReason::PortDown);
        }
        let at = self.at(best.port);
        self.answer(at, 10, Reason::PortDown)
    }

    fn reject_between(&mut self, between: &[PortIndex]) {
        for port in between {
            let behind = self.index.ports.get(*port).and_then(|it| it.behind.first());
            if let Some(device) = behind.map(|device| self.index.device(*device)) {
                self.reject(*port, RejectReason::BetweenSwitches { device });
            }
        }
    }

    fn reject_unresolved(&mut self, unresolved: &BTreeSet<DeviceIndex>, but: Option<DeviceIndex>) {
        for device in unresolved.iter().filter(|device| Some(**device) != but) {
            let (device, vlan) = (self.index.device(*device), self.vlan);
            self.rejected.push(Rejected { device, interface: None, vlan, reason: RejectReason::PortUnresolved });
        }
    }

    fn reject_row(&mut self, row: &Row, reason: RejectReason) {
        let interface = row.port.and_then(|port| self.index.ports.get(port)).map(|port| port.interface);
        self.rejected.push(Rejected { device: self.index.device(row.device), interface, vlan: self.vlan, reason });
    }

    fn reject(&mut self, port: PortIndex, reason: RejectReason) {
        if let Some(Place { device, interface, vlan }) = self.place(port) {
            self.rejected.push(Rejected { device, interface: Some(interface), vlan, reason });
        }
    }

    fn place(&self, port: PortIndex) -> Option<Place> {
        let port = self.index.ports.get(port)?;
        Some(Place { device: self.index.device(port.device), interface: port.interface, vlan: self.vlan })
    }

    fn at(&self, port: PortIndex) -> Where {
        self.place(port).map_or(Where::Nowhere, Where::Port)
    }

    fn answer(self, at: Where, confidence: u8, reason: Reason) -> Attachment {
        Attachment { at, also: Vec::new(), confidence, reason, rejected: self.rejected }
    }
}

/// Judges the only port without a managed device behind it.
fn alone(best: &Candidate) -> (u8, Reason) {
    let reason = Reason::EdgePort { macs: best.macs };
    match (best.differ, best.agree.0) {
        // Up to three: a terminal, the telephone that it is plugged into, a virtual machine.
        (0, _) if best.macs <= 3 => (95, reason),
        (0, _) => (85, reason),
        (differ, agree) if agree >= 4 * differ => (82, reason),
        (differ, agree) if agree > differ => (60, reason),
        (differ, agree) => (GUESS, Reason::MostAgree { agree, differ }),
    }
}

/// Judges the best of several ports without a managed device behind them.
fn against_others(best: &Candidate, next: &Candidate) -> (u8, Reason) {
    let (agree, differ) = (best.agree.0, best.differ);
    if next.differ > differ {
        return (GUESS, Reason::MostAgree { agree, differ });
    }
    let reason = Reason::FewestAddresses { macs: best.macs, next: next.macs };
    (if next.macs > best.macs { GUESS } else { 30 }, reason)
}

/// Judges ports that are one; the rows of the others differ, as they must.
fn shared(how: Shared, best: &Candidate, others: usize) -> (u8, Reason) {
    let reason = Reason::SharedPorts { ports: others + 1 };
    match how {
        _ if best.differ > others => (GUESS, reason),
        Shared::ByPartner => (92, reason),
        Shared::ByTables => (82, reason),
    }
}
