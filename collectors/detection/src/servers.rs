//! Who gives addresses and offers routes, who is the root of a spanning tree, who announces himself as equipment, and what masses pass.
//!
//! Invariant: where servers are listed, whoever is not on the list is a finding at once; where none are, those of the first ten
//! minutes are believed, and whoever comes later is one with less confidence.

use std::{collections::BTreeMap, net::IpAddr};

use onenet_topology::{MacAddr, Timestamp};

use crate::{
    book::{Book, Report},
    catalogue::Kind,
    finding::{Evidence, Subject},
    observation::{Air, Equipment, Role, Serving, Tree},
    settings::Settings,
    threshold::Threshold,
};

/// How long who is heard is believed where nobody is listed.
const LEARNING_MS: i64 = 600_000;
/// The most that is learnt.
const LEARNT_MAX: usize = 32;
/// The VLAN or instance in a bridge's priority (IEEE 802.1D-2004, 9.2.5).
const VLAN: u16 = 0x0fff;

/// What equipment says it can be (IEEE 802.1AB-2016, table 8-4).
const REPEATER: u16 = 0x0002;
const BRIDGE: u16 = 0x0004;
const ACCESS_POINT: u16 = 0x0008;
const ROUTER: u16 = 0x0010;
const TELEPHONE: u16 = 0x0020;

/// Whom nobody listed and who is believed.
#[derive(Debug)]
struct Learnt<T> {
    since: Option<Timestamp>,
    believed: Vec<T>,
}

/// The detector.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    roles: BTreeMap<Role, Learnt<IpAddr>>,
    trees: BTreeMap<u16, Learnt<(u16, MacAddr)>>,
    equipment: Learnt<MacAddr>,
}

impl<T> Default for Learnt<T> {
    fn default() -> Self {
        Self { since: None, believed: Vec::new() }
    }
}

impl<T: PartialEq + Copy> Learnt<T> {
    /// Returns whether this one is believed, and believes it while learning.
    fn believes(&mut self, one: T, now: Timestamp) -> bool {
        let since = *self.since.get_or_insert(now);
        if self.believed.contains(&one) {
            return true;
        }
        let learning = now.ms_since(since) <= LEARNING_MS && self.believed.len() < LEARNT_MAX;
        if learning {
            self.believed.push(one);
        }
        learning
    }
}

impl Servers {
    pub(crate) fn serving(&mut self, serving: &Serving, settings: &Settings, book: &mut Book) {
        let (kind, listed) = match serving.role {
            Role::Dhcp => (Kind::RogueDhcp, &settings.dhcp_servers),
            Role::Dhcpv6 => (Kind::RogueDhcpv6, &settings.dhcp_servers),
            Role::Router => (Kind::RogueRa, &settings.routers),
        };
        // A list without addresses of this family does not speak of it.
        let of_family = listed.iter().any(|ip| ip.is_ipv4() == serving.ip.is_ipv4());
        let confidence = if of_family {
            if listed.contains(&serving.ip) {
                return;
            }
            90
        } else if self.roles.entry(serving.role).or_default().believes(serving.ip, serving.time) {
            return;
        } else {
            60
        };
        let report = Report::new(kind, Subject::Host(serving.ip), confidence, serving.time);
        book.report(&report, || {
            let known = if of_family { "not_listed" } else { "beside_known" };
            let station = serving.mac.map(|mac| Evidence::new("station", mac));
            station.into_iter().chain([Evidence::new("trust", known)]).collect()
        });
    }

    pub(crate) fn tree(&mut self, tree: &Tree, settings: &Settings, book: &mut Book) {
        let root = (tree.priority, tree.root);
        let confidence = if settings.roots.is_empty() {
            if self.trees.len() >= LEARNT_MAX && !self.trees.contains_key(&(tree.priority & VLAN)) {
                return;
            }
            let learnt = self.trees.entry(tree.priority & VLAN).or_default();
            let best = learnt.believed.iter().min().copied();
            // A root that is worse takes over from one that is gone: that is what spanning trees are for.
            if learnt.believes(root, tree.time) || best.is_some_and(|best| root > best) {
                return;
            }
            60
        } else if settings.roots.contains(&tree.root) {
            return;
        } else {
            90
        };
        book.report(&Report::new(Kind::RogueRoot, Subject::Station(tree.root), confidence, tree.time), || {
            vec![Evidence::new("priority", tree.priority), Evidence::new("told_by", tree.bridge)]
        });
    }
}

impl Servers {
    /// Takes what equipment says of itself. A telephone with a port for a computer is a bridge too.
    pub(crate) fn equipment(&mut self, said: &Equipment<'_>, settings: &Settings, book: &mut Book) {
        let joins = said.capabilities & (REPEATER | BRIDGE | ACCESS_POINT | ROUTER) != 0;
        if !joins || said.capabilities & TELEPHONE != 0 || !said.mac.is_unicast() {
            return;
        }
        let who = said.chassis.unwrap_or(said.mac);
        let confidence = if settings.equipment.is_empty() {
            if self.equipment.believes(who, said.time) {
                return;
            }
            60
        } else if settings.equipment.iter().any(|listed| *listed == who || *listed == said.mac) {
            return;
        } else {
            90
        };
        book.report(&Report::new(Kind::RogueLldp, Subject::Station(who), confidence, said.time), || {
            let names =
                [(REPEATER, "repeater"), (BRIDGE, "switch"), (ACCESS_POINT, "access_point"), (ROUTER, "router")];
            let is: Vec<&str> =
                names.iter().filter(|(bit, _)| said.capabilities & bit != 0).map(|(_, name)| *name).collect();
            let mut evidence = vec![Evidence::new("port", said.mac), Evidence::new("says", is.join(", "))];
            evidence.extend(said.name.map(|name| Evidence::new("name", name)));
            evidence
        });
    }
}

/// Takes what passed in a stretch of about ten seconds.
pub(crate) fn air(air: &Air, settings: &Settings, book: &mut Book) {
    let lasted_ms = u64::try_from(air.end.ms_since(air.start)).unwrap_or(0);
    let thresholds = &settings.thresholds;
    if air.senders >= thresholds.get(Threshold::MacFloodStations) {
        let report = Report::new(Kind::MacFlood, Subject::Segment, 90, air.end).since(air.start);
        book.report(&report.counting(air.senders), || {
            vec![
                Evidence::new("stations", format_args!("≈ {}", air.senders)),
                Evidence::new("seconds", lasted_ms / 1_000),
                Evidence::new("frames", air.frames),
            ]
        });
    }
    let per_s = air.broadcasts.saturating_mul(1_000) / lasted_ms.max(10_000);
    if per_s >= thresholds.get(Threshold::BroadcastPerS) {
        let report = Report::new(Kind::BroadcastStorm, Subject::Segment, 85, air.end).since(air.start);
        book.report(&report.counting(air.broadcasts), || {
            let share = air.broadcasts.saturating_mul(100) / air.frames.max(1);
            vec![Evidence::new("broadcasts_per_s", per_s), Evidence::new("share", format_args!("{share} %"))]
        });
    }
}
