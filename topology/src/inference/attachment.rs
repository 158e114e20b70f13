//! Where each endpoint of a site is attached: the basic rule.
//!
//! The rule: a port with a managed device behind it (heard by LLDP or CDP, or whose own address is learned there) is a
//! port between switches. A row on such a port gives way when a device behind it has the address too, on a port that
//! does not lead back. What is left on a port without a managed device behind it is where the endpoint is. When several
//! such ports are left, the one with the fewest addresses wins, with little confidence. When only ports between switches are left,
//! the endpoint is at something unmanaged on the way there, or at the device behind whose table is missing.
//!
//! Invariant: every address that a table has is either attached, with each rejected row and its reason, or dropped with
//! the reason. The answer does not depend on the order or the repetition of the evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Attachment, Place, Reason, RejectReason, Rejected, SiteEvidence, SiteInference, Where,
    index::{DeviceIndex, Index, Port, PortIndex, Row},
};

/// Returns where every endpoint in the tables of a site is attached.
pub fn infer(evidence: &SiteEvidence) -> SiteInference {
    let index = Index::of(evidence);
    let attachments = index.rows.iter().map(|(mac, rows)| (*mac, attach(&index, rows))).collect();
    let busy = index.ports.iter().filter(|port| !port.behind.is_empty());
    let mut between_switches: Vec<_> = busy
        .map(|port| {
            let behind = port.behind.iter().filter_map(|device| index.devices.get(*device).copied()).collect();
            (index.device(port.device), port.interface, behind)
        })
        .collect();
    between_switches.sort();
    SiteInference { attachments, dropped: index.dropped, between_switches }
}

/// Attaches one address from all its rows: the best of its VLANs.
fn attach(index: &Index, rows: &BTreeSet<Row>) -> Attachment {
    let told: BTreeSet<u16> = rows.iter().filter_map(|row| row.vlan).collect();
    let vlans: Vec<Option<u16>> = if told.is_empty() { vec![None] } else { told.into_iter().map(Some).collect() };
    let mut best: Option<Attachment> = None;
    for vlan in vlans {
        // A table that does not tell the VLAN may mean any.
        let scope: Vec<Row> = rows.iter().copied().filter(|row| row.vlan.is_none() || row.vlan == vlan).collect();
        let found = Decision { index, vlan, rows: &scope, rejected: Vec::new() }.decide();
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
    vlan: Option<u16>,
    rows: &'a [Row],
    rejected: Vec<Rejected>,
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
            return self.on_ports_down(down);
        }
        for port in down {
            self.reject(port, RejectReason::PortDown);
        }
        let (edge, between) = self.deepest(&usable, &unresolved);
        if !edge.is_empty() {
            return self.at_edge(&edge, &between, &unresolved);
        }
        // A device that has the address at an unknown port is deeper than a port that leads to somebody without it.
        match unresolved.iter().next() {
            Some(device) => self.at_unresolved(*device, &unresolved, &between),
            None => self.between(&between),
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

    fn at_edge(mut self, edge: &[PortIndex], between: &[PortIndex], unresolved: &BTreeSet<DeviceIndex>) -> Attachment {
        self.reject_unresolved(unresolved, None);
        self.reject_between(between);
        let mut ranked = self.by_addresses(edge);
        ranked.reverse();
        let Some((macs, winner)) = ranked.pop() else { return self.answer(Where::Nowhere, 0, Reason::NothingUsable) };
        let next = ranked.last().map(|(macs, _)| *macs);
        for (macs, port) in &ranked {
            self.reject(*port, RejectReason::MoreAddresses { macs: *macs });
        }
        let (confidence, reason) = match next {
            // Up to three: a terminal, the telephone that it is plugged into, a virtual machine.
            None if macs <= 3 => (95, Reason::EdgePort { macs }),
            None => (85, Reason::EdgePort { macs }),
            Some(next) if next > macs => (45, Reason::FewestAddresses { macs, next }),
            Some(next) => (30, Reason::FewestAddresses { macs, next }),
        };
        let at = self.at(winner);
        self.answer(at, confidence, reason)
    }

    /// Only ports between switches have it, and no device behind them.
    fn between(mut self, between: &[PortIndex]) -> Attachment {
        let mut ranked = self.by_addresses(between);
        ranked.reverse();
        let Some((_, winner)) = ranked.pop() else { return self.answer(Where::Nowhere, 0, Reason::NothingUsable) };
        let Some(port) = self.index.ports.get(winner) else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        // Ports at both ends of one segment are both right; others lose.
        let (facing, other): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(_, other)| {
            let other = self.index.ports.get(*other);
            other.is_some_and(|other| port.behind.contains(&other.device) && other.behind.contains(&port.device))
        });
        for (macs, port) in other {
            self.reject(port, RejectReason::MoreAddresses { macs });
        }
        let Some(next) = self.nearest_behind(port) else {
            return self.answer(Where::Nowhere, 0, Reason::NothingUsable);
        };
        let device = self.index.device(next);
        if facing.is_empty() && !self.index.has_table.get(next).copied().unwrap_or_default() {
            let vlan = self.vlan;
            self.reject(winner, RejectReason::LeadsTo { device });
            return self.answer(Where::Behind { device, vlan }, 40, Reason::NoTableBehind);
        }
        let at = self.at(winner);
        let also = facing.into_iter().rev().filter_map(|(_, port)| self.place(port)).collect();
        Attachment { also, ..self.answer(at, 45, Reason::UnmanagedBehind { towards: device }) }
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

    fn on_ports_down(mut self, down: BTreeSet<PortIndex>) -> Attachment {
        let ports: Vec<PortIndex> = down.into_iter().collect();
        let mut ranked = self.by_addresses(&ports);
        ranked.reverse();
        let Some((_, winner)) = ranked.pop() else { return self.answer(Where::Nowhere, 0, Reason::NothingUsable) };
        for (_, port) in ranked {
            self.reject(port, RejectReason::PortDown);
        }
        let at = self.at(winner);
        self.answer(at, 10, Reason::PortDown)
    }

    /// Returns the managed device directly behind the port: a neighbour heard there, else the one that has the fewest
    /// devices on its way to us.
    fn nearest_behind(&self, port: &Port) -> Option<DeviceIndex> {
        let on_the_way = |device: DeviceIndex| {
            let towards_us = self.index.towards(device, port.device);
            towards_us.map(|port| port.behind.len()).min().unwrap_or(usize::MAX)
        };
        let candidates = if port.neighbours.is_empty() { &port.behind } else { &port.neighbours };
        candidates.iter().copied().min_by_key(|device| (on_the_way(*device), *device))
    }

    /// Returns the ports with the number of addresses learned on each, fewest first, then in order.
    fn by_addresses(&self, ports: &[PortIndex]) -> Vec<(usize, PortIndex)> {
        let counted = ports.iter().filter_map(|port| self.index.ports.get(*port).map(|it| (it.macs.len(), *port)));
        let mut ranked: Vec<_> = counted.collect();
        ranked.sort_unstable();
        ranked
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
