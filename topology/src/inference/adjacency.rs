//! Which ports of a device lead to which other device.
//!
//! Each kind of evidence gives points to a port, and the port with the most is the way. The order is that of how seldom a
//! kind is wrong: neighbours that hear each other, one that hears, the spanning tree, LACP, an address of the device in a table,
//! hosts that both have learned. A single statement of a neighbour loses against traffic that goes elsewhere: announcements outlive cables.
//! Where nothing tells, a way follows from ways that are known: who is beyond a device is where that device is.
//!
//! A device that two others hear at the very ports that lead from the one to the other stands between them, whether it tells
//! anything itself or not: announcements of neighbours pass no bridge (IEEE 802.1AB, clause 7.1). That much also bears
//! out who it says it is, since a terminal's port leads to no switch.
//!
//! Invariant: no statement is dropped. One that lost stays among the claims, and is told with the links.
//!
//! It does not know VLANs: devices are joined by cables. Where VLANs go different ways (a spanning tree for each), the way
//! of most hosts wins.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FacingSource,
    index::{DeviceIndex, PortIndex},
    shared::{Shared, Sides},
};

/// Points of a port where both devices hear each other there.
const TWO_SIDED: u32 = 120;
/// The same when the other does not say at which port it is heard.
const TWO_SIDED_UNNAMED: u32 = 62;
/// Points of a port where one device is heard, or that the other names.
const ONE_SIDED: u32 = 60;
/// Points of a port that the spanning tree, or LACP, names.
const STP: u32 = 55;
const LACP: u32 = 52;
/// Points of a port at which an address of the device was learned.
const OWN_ADDRESS: u32 = 50;
/// Points for three hosts that only this way explains (Lowekamp 2001), and for fewer.
const HOSTS: (u32, u32) = (65, 40);
/// Points by which a way must lead, or it is contested.
const LEAD_MIN: u32 = 30;
/// Hosts that make a connection simple.
const HOSTS_MIN: usize = 3;
/// Devices among which ways are derived from one another: the work grows with the third power.
pub(super) const DERIVED_DEVICES_MAX: usize = 256;
/// Rounds of derivation; each round reaches twice as far.
const ROUNDS: usize = 4;

/// What says that a port leads to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement that is there or not, in any combination")]
pub(super) struct Grounds {
    /// The device is heard at this port.
    pub(super) hears: bool,
    /// The device says that it hears this port.
    pub(super) is_heard: bool,
    /// The device hears us, and does not say at which port of ours.
    pub(super) is_heard_somewhere: bool,
    /// The spanning tree says so, at either end.
    pub(super) stp: bool,
    /// LACP says so.
    pub(super) lacp: bool,
    /// An address of the device was learned there.
    pub(super) own: bool,
    /// Hosts that both have learned, as far as only this port explains them.
    pub(super) hosts: usize,
    /// It follows from other ways.
    pub(super) derived: bool,
}

impl Grounds {
    /// Returns whether both devices tell of each other.
    pub(super) const fn is_two_sided(self) -> bool {
        self.hears && (self.is_heard || self.is_heard_somewhere)
    }

    /// Returns whether a neighbour says so, at either end.
    pub(super) const fn is_told(self) -> bool {
        self.hears || self.is_heard
    }

    /// Returns what is left without the statements of protocols between devices.
    pub(super) fn untold(self) -> Self {
        Self { own: self.own, hosts: self.hosts, derived: self.derived, ..Self::default() }
    }

    /// Returns whether a protocol between two devices says so, which none in between passes on unseen.
    pub(super) const fn is_direct(self) -> bool {
        self.is_told() || self.stp || self.lacp
    }

    /// Returns whether tables say so.
    pub(super) const fn has_traffic(self) -> bool {
        self.own || self.hosts > 0
    }

    const fn points(self) -> u32 {
        let told = match (self.hears, self.is_heard, self.is_heard_somewhere) {
            (true, true, _) => TWO_SIDED,
            (true, false, true) => TWO_SIDED_UNNAMED,
            (true, false, false) | (false, true, _) => ONE_SIDED,
            (false, false, _) => 0,
        };
        let own = if self.own { OWN_ADDRESS } else { 0 };
        let hosts = match self.hosts {
            0 => 0,
            HOSTS_MIN.. => HOSTS.0,
            _ => HOSTS.1,
        };
        let protocol = match (self.stp, self.lacp) {
            (true, _) => STP,
            (false, true) => LACP,
            (false, false) => 0,
        };
        told + protocol + own + hosts
    }
}

/// A device, its port at which it hears, whom, and at which port of that one.
type Heard = (DeviceIndex, PortIndex, DeviceIndex, Option<PortIndex>);

/// The ways between the devices of a site.
#[derive(Debug, Default)]
pub(super) struct Adjacency {
    devices: usize,
    /// By pair of devices, what is said of which port of the first.
    claims: BTreeMap<(DeviceIndex, DeviceIndex), BTreeMap<PortIndex, Grounds>>,
    /// The pairs of which the first hears the second, and does not say at which of its ports.
    unnamed: BTreeSet<(DeviceIndex, DeviceIndex)>,
    /// Who is heard where, and at which port of its own; those that nothing bore out so far are in it too.
    heard: BTreeSet<Heard>,
    unproven: BTreeSet<Heard>,
    /// The pairs, both ways round, between which somebody is heard by both.
    parted: BTreeSet<(DeviceIndex, DeviceIndex)>,
    /// Ports that are told to face each other, both ways round.
    facing: BTreeSet<(PortIndex, PortIndex)>,
    /// By pair of devices, the port of the first that leads to the second.
    ways: Vec<Option<PortIndex>>,
    /// Further ports of the first, as of parallel cables.
    parallel: BTreeMap<(DeviceIndex, DeviceIndex), BTreeSet<PortIndex>>,
}

impl Adjacency {
    pub(super) fn new(devices: usize) -> Self {
        Self { devices, ways: vec![None; devices * devices], ..Self::default() }
    }

    /// `device` hears `far` at `port`, which is told to be at `far_port` there.
    pub(super) fn hears(
        &mut self,
        device: DeviceIndex,
        port: PortIndex,
        far: DeviceIndex,
        far_port: Option<PortIndex>,
    ) {
        self.heard.insert((device, port, far, far_port));
        self.claim(device, far, port).hears = true;
        match far_port {
            Some(far_port) => {
                self.claim(far, device, far_port).is_heard = true;
                self.facing.extend([(port, far_port), (far_port, port)]);
            }
            None => {
                self.unnamed.insert((device, far));
            }
        }
    }

    /// `device` hears somebody at `port` who says that he is `far`, at `far_port` there, and nothing bears it out.
    pub(super) fn is_told(
        &mut self,
        device: DeviceIndex,
        port: PortIndex,
        far: DeviceIndex,
        far_port: Option<PortIndex>,
    ) {
        self.heard.insert((device, port, far, far_port));
        self.unproven.insert((device, port, far, far_port));
    }

    /// A protocol between switches tells `device` that `far` is at `port`, and at `far_port` there.
    pub(super) fn faces(
        &mut self,
        device: DeviceIndex,
        port: PortIndex,
        far: DeviceIndex,
        far_port: Option<PortIndex>,
        source: FacingSource,
    ) {
        let set = |grounds: &mut Grounds| match source {
            FacingSource::Stp => grounds.stp = true,
            FacingSource::Lacp => grounds.lacp = true,
        };
        set(self.claim(device, far, port));
        if let Some(far_port) = far_port {
            set(self.claim(far, device, far_port));
            self.facing.extend([(port, far_port), (far_port, port)]);
        }
    }

    /// `device` has learned an address of `far` at `port`.
    pub(super) fn has_learned(&mut self, device: DeviceIndex, port: PortIndex, far: DeviceIndex) {
        self.claim(device, far, port).own = true;
    }

    fn claim(&mut self, device: DeviceIndex, far: DeviceIndex, port: PortIndex) -> &mut Grounds {
        self.claims.entry((device, far)).or_default().entry(port).or_default()
    }

    /// Weighs all evidence; what devices in `paired` have learned in common tells nothing, since with ports that are one
    /// they are no tree. Nothing is told after this.
    pub(super) fn decide(&mut self, shared: &Shared, paired: &BTreeSet<(DeviceIndex, DeviceIndex)>) {
        shared.each_pair(|one, other, sides| {
            if !paired.contains(&(one, other)) {
                self.count(one, other, sides);
            }
        });
        self.choose();
        if self.admit() {
            self.choose();
        }
        if self.devices <= DERIVED_DEVICES_MAX {
            for _ in 0..ROUNDS {
                if !self.derive() {
                    break;
                }
            }
        }
    }

    /// Takes the port that most speaks for as the way, for each two devices.
    fn choose(&mut self) {
        for (one, other) in &self.unnamed {
            for grounds in self.claims.get_mut(&(*other, *one)).into_iter().flat_map(BTreeMap::values_mut) {
                grounds.is_heard_somewhere = true;
            }
        }
        for ((device, far), ports) in &self.claims {
            let best = ports.iter().max_by_key(|(port, grounds)| (grounds.points(), std::cmp::Reverse(**port)));
            let Some((best, grounds)) = best else { continue };
            if let Some(way) = self.ways.get_mut(device * self.devices + far) {
                *way = Some(*best);
            }
            // A cable beside the one that carries the traffic is a way too, if both ends name it or no traffic tells: the
            // spanning tree has blocked it.
            let beside = ports.iter().filter(|(port, it)| {
                let heard = it.is_two_sided() && (it.is_heard || !grounds.has_traffic() || it.has_traffic());
                *port != best && (heard || it.stp)
            });
            let beside: BTreeSet<PortIndex> = beside.map(|(port, _)| *port).collect();
            if !beside.is_empty() {
                self.parallel.insert((*device, *far), beside);
            }
        }
    }

    /// Finds who is between two devices that hear it at the ports that lead from the one to the other, and do not hear each
    /// other there. Returns whether that bore somebody out.
    fn admit(&mut self) -> bool {
        let places: BTreeSet<(DeviceIndex, PortIndex, DeviceIndex)> =
            self.heard.iter().map(|(device, port, far, _)| (*device, *port, *far)).collect();
        let mut proven: BTreeSet<Heard> = BTreeSet::new();
        for heard in &self.heard {
            let (device, port, middle, _) = *heard;
            for other in (0..self.devices).filter(|other| *other != device && *other != middle) {
                let (Some(way), Some(back)) = (self.way(device, other), self.way(other, device)) else { continue };
                let hear_each_other =
                    self.grounds(device, other, way).is_told() || self.grounds(other, device, back).is_told();
                if way != port || hear_each_other || !places.contains(&(other, back, middle)) {
                    continue;
                }
                self.parted.extend([(device, other), (other, device)]);
                if self.is_sure(device, other) && self.is_sure(other, device) {
                    proven.extend(self.unproven.get(heard));
                }
            }
        }
        for (device, port, far, far_port) in &proven {
            self.hears(*device, *port, *far, *far_port);
        }
        !proven.is_empty()
    }

    fn count(&mut self, one: DeviceIndex, other: DeviceIndex, sides: Sides) {
        let [here, there] = sides;
        if let Some((port, hosts)) = here {
            self.claim(one, other, port).hosts = hosts;
        }
        if let Some((port, hosts)) = there {
            self.claim(other, one, port).hosts = hosts;
        }
    }

    /// Derives ways that nothing tells. Returns whether there were some.
    fn derive(&mut self) -> bool {
        let mut found: Vec<(DeviceIndex, DeviceIndex, PortIndex)> = Vec::new();
        for device in 0..self.devices {
            for far in (0..self.devices).filter(|far| *far != device) {
                if self.way(device, far).is_some() {
                    continue;
                }
                let mut votes: BTreeMap<PortIndex, usize> = BTreeMap::new();
                for middle in 0..self.devices {
                    if let (Some(port), Some(back), Some(on)) =
                        (self.way(device, middle), self.way(middle, device), self.way(middle, far))
                        && back != on
                    {
                        *votes.entry(port).or_default() += 1;
                    }
                }
                let best = votes.iter().max_by_key(|(port, votes)| (**votes, std::cmp::Reverse(**port)));
                found.extend(best.map(|(port, _)| (device, far, *port)));
            }
        }
        for (device, far, port) in &found {
            self.claim(*device, *far, *port).derived = true;
            if let Some(way) = self.ways.get_mut(device * self.devices + far) {
                *way = Some(*port);
            }
        }
        !found.is_empty()
    }

    /// Returns the port of `device` that leads to `far`.
    pub(super) fn way(&self, device: DeviceIndex, far: DeviceIndex) -> Option<PortIndex> {
        self.ways.get(device * self.devices + far).copied().flatten()
    }

    /// Returns whether `port` of `device` leads to `far`; `None` where no way is known.
    pub(super) fn leads(&self, device: DeviceIndex, port: PortIndex, far: DeviceIndex) -> Option<bool> {
        let way = self.way(device, far)?;
        Some(way == port || self.parallel.get(&(device, far)).is_some_and(|ports| ports.contains(&port)))
    }

    /// Returns whether the way from a device to another is known by more than one statement of a neighbour, and nothing of
    /// weight speaks for another port.
    pub(super) fn is_sure(&self, device: DeviceIndex, far: DeviceIndex) -> bool {
        let (Some(way), Some(claims)) = (self.way(device, far), self.claims.get(&(device, far))) else { return false };
        let grounds = claims.get(&way).copied().unwrap_or_default();
        let contested = self.is_contested(device, far);
        let is_seen = grounds.own
            || grounds.stp
            || grounds.lacp
            || grounds.hosts >= HOSTS_MIN
            || grounds.hosts > 0 && grounds.is_told();
        !contested && (grounds.is_two_sided() || is_seen || grounds.derived)
    }

    /// Returns whether another port has nearly as much that speaks for it as the way from a device to another.
    pub(super) fn is_contested(&self, device: DeviceIndex, far: DeviceIndex) -> bool {
        let (Some(way), Some(claims)) = (self.way(device, far), self.claims.get(&(device, far))) else { return false };
        let others = claims.iter().filter(|(port, _)| self.leads(device, **port, far) == Some(false));
        let next = others.map(|(_, grounds)| grounds.points()).max().unwrap_or(0);
        next > 0 && claims.get(&way).is_some_and(|grounds| grounds.points() < next + LEAD_MIN)
    }

    /// Returns whether a device is known to be on the way between two others.
    pub(super) fn is_between(&self, one: DeviceIndex, middle: DeviceIndex, other: DeviceIndex) -> bool {
        let apart = match (self.way(middle, one), self.way(middle, other)) {
            (Some(back), Some(on)) => back != on,
            _ => false,
        };
        let same = |from, to| matches!((self.way(from, middle), self.way(from, to)), (Some(a), Some(b)) if a == b);
        apart && same(one, other) && (same(other, one) || self.way(other, one).is_none())
    }

    /// Returns whether somebody is between two devices whom both hear at the ports that lead to the other.
    pub(super) fn is_parted(&self, one: DeviceIndex, other: DeviceIndex) -> bool {
        self.parted.contains(&(one, other))
    }

    /// Returns all that is said: the device, the far one, the port of the first, the grounds, and whether it is a way.
    pub(super) fn claims(&self) -> impl Iterator<Item = (DeviceIndex, DeviceIndex, PortIndex, Grounds, bool)> {
        self.claims.iter().flat_map(move |((device, far), ports)| {
            ports.iter().map(move |(port, grounds)| {
                (*device, *far, *port, *grounds, self.leads(*device, *port, *far) == Some(true))
            })
        })
    }

    /// Returns the ports that a neighbour names as facing this one.
    pub(super) fn facing(&self, port: PortIndex) -> impl Iterator<Item = PortIndex> {
        self.facing.range((port, 0)..=(port, PortIndex::MAX)).map(|(_, far)| *far)
    }

    /// Returns what says that a port leads to a device.
    pub(super) fn grounds(&self, device: DeviceIndex, far: DeviceIndex, port: PortIndex) -> Grounds {
        self.claims.get(&(device, far)).and_then(|ports| ports.get(&port)).copied().unwrap_or_default()
    }
}
