//! One endpoint: what the table holds of it, and what it shows.
//!
//! Invariant: at most [`BINDINGS_MAX`] bindings and [`VLANS_MAX`] VLANs; the binding that was confirmed longest ago
//! leaves first. Signs are bounded by [`Signs`].

use std::{hint::black_box, net::IpAddr, sync::Arc};

use foldhash::fast::RandomState;
use onenet_topology::{
    MacAddr,
    classify::{self, Conclusion, SignKind},
};
use serde::Serialize;

use super::{
    InventoryCounters, add_evidence,
    opening::Openings,
    signs::{Room, SignState, Signs},
};
use crate::{
    FrameTime,
    facts::{Evidence, HostFacts, Method, Opening, Value},
};

/// The most addresses kept of one endpoint: a host with IPv6 privacy addresses has about ten; a proxy ARP router answers
/// for all the world.
const BINDINGS_MAX: usize = 16;
/// The most VLANs kept of one endpoint: a router's port may carry all of a site's.
const VLANS_MAX: usize = 64;

/// The most IPv4 addresses of an endpoint that speaks for itself alone: who answers for more speaks for others too.
const OWN_ADDRESSES_MAX: usize = 8;

/// Frames and bytes, as lengths on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Traffic {
    /// Frames sent.
    pub frames_out: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Frames received: those addressed to it alone.
    pub frames_in: u64,
    /// Bytes received.
    pub bytes_in: u64,
}

/// An address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BindingState {
    /// The address.
    pub ip: IpAddr,
    /// By which methods it is known, since when and how often.
    pub evidence: Vec<Evidence>,
}

/// A VLAN that an endpoint was heard in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VlanState {
    /// Its id, `None` for untagged frames.
    pub vlan: Option<u16>,
    /// When the endpoint was last heard in it.
    pub last_seen: FrameTime,
}

/// An endpoint as it is known at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointState {
    /// Who.
    pub mac: MacAddr,
    /// When it was first heard.
    pub first_seen: FrameTime,
    /// When it was last heard.
    pub last_seen: FrameTime,
    /// Whether it is the capturing host itself.
    pub own: bool,
    /// The VLANs it was heard in.
    pub vlans: Vec<VlanState>,
    /// Its addresses.
    pub bindings: Vec<BindingState>,
    /// What it says of itself by DHCP, of each what holds.
    pub host: HostFacts,
    /// All that it says of itself, and shows.
    pub signs: Vec<SignState>,
    /// What follows from that.
    pub conclusion: Arc<Conclusion>,
    /// When that became so: the time of what changed it.
    pub concluded: FrameTime,
    /// How it was heard.
    pub evidence: Vec<Evidence>,
    /// All that it sent and received so far.
    pub traffic: Traffic,
}

/// Whether what was noted is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    Changed,
    Known,
}

/// What the table holds of an endpoint. The order is that of memory: what every frame touches comes first; the rest is behind a
/// pointer.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) traffic: Traffic,
    pub(super) last: FrameTime,
    pub(super) first: FrameTime,
    pub(super) touched: FrameTime,
    /// The VLAN of the last frame.
    pub(super) vlan: Option<u16>,
    pub(super) own: bool,
    /// Whether something is new since the last report.
    pub(super) changed: bool,
    /// Whether it has been reported at all.
    pub(super) reported: bool,
    again: Again,
    details: Option<Box<Details>>,
    pub(super) traffic_reported: Traffic,
}

/// The binding that was noted last, which most packets confirm, and how often they did since its evidence was brought up to date.
#[derive(Debug, Clone, Copy, Default)]
struct Again {
    bound: Option<(IpAddr, Method)>,
    count: u32,
    last: FrameTime,
}

#[derive(Debug, Default)]
struct Details {
    bindings: Vec<BindingState>,
    /// Empty while there is one only, which is then the entry's.
    vlans: Vec<VlanState>,
    evidence: Vec<Evidence>,
    signs: Signs,
    openings: Openings,
    /// What follows from the signs, and since when, as far as it was asked for.
    concluded: Option<(Arc<Conclusion>, FrameTime)>,
    /// Whether signs changed since.
    stale: bool,
}

/// What signs are kept with.
pub(super) struct Keeping<'a> {
    pub(super) hasher: &'a RandomState,
    pub(super) room: &'a mut Room,
}

impl Traffic {
    /// Returns what came on top of `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            frames_out: self.frames_out.saturating_sub(earlier.frames_out),
            bytes_out: self.bytes_out.saturating_sub(earlier.bytes_out),
            frames_in: self.frames_in.saturating_sub(earlier.frames_in),
            bytes_in: self.bytes_in.saturating_sub(earlier.bytes_in),
        }
    }

    /// Adds `other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.frames_out += other.frames_out;
        self.bytes_out += other.bytes_out;
        self.frames_in += other.frames_in;
        self.bytes_in += other.bytes_in;
    }
}

impl Entry {
    pub(super) fn new(time: FrameTime, vlan: Option<u16>, own: bool) -> Self {
        Self {
            traffic: Traffic::default(),
            traffic_reported: Traffic::default(),
            first: time,
            last: time,
            touched: time,
            vlan,
            own,
            changed: false,
            reported: false,
            again: Again::default(),
            details: None,
        }
    }

    /// Fetches what a frame will change.
    #[inline]
    pub(super) fn foresee(&self) {
        black_box(self.touched);
        black_box(self.again.count);
    }

    /// Notes that the capturing host itself sent a frame from this address, which others may have spoken of before.
    pub(super) fn turn_out_own(&mut self) -> Noted {
        self.own = true;
        Noted::Changed
    }

    /// Notes a frame in another VLAN than the one before, which was at `previous_last`.
    pub(super) fn see_vlan(
        &mut self,
        vlan: Option<u16>,
        previous_last: FrameTime,
        counters: &mut InventoryCounters,
    ) -> Noted {
        let previous = VlanState { vlan: std::mem::replace(&mut self.vlan, vlan), last_seen: previous_last };
        // An endpoint that so far was only spoken of by others has no VLAN of its own yet.
        let first = self.traffic.frames_out <= 1;
        let vlans = &mut self.details.get_or_insert_default().vlans;
        if vlans.is_empty() && !first {
            vlans.push(previous);
        } else if let Some(known) = vlans.iter_mut().find(|known| known.vlan == previous.vlan) {
            known.last_seen = previous_last;
        }
        if vlans.iter().any(|known| known.vlan == vlan) {
            return Noted::Known;
        }
        if vlans.len() >= VLANS_MAX {
            counters.vlan_unkept();
            return Noted::Known;
        }
        vlans.push(VlanState { vlan, last_seen: self.last });
        Noted::Changed
    }

    /// Notes a binding, and that its method was heard, if it is the one that was noted last: then that is not news. Returns whether
    /// it is.
    #[inline]
    pub(super) fn bind_again(&mut self, time: FrameTime, ip: IpAddr, method: Method) -> bool {
        let again = &mut self.again;
        if again.bound != Some((ip, method)) || time < again.last || again.count == u32::MAX {
            return false;
        }
        again.count += 1;
        again.last = time;
        self.last = self.last.max(time);
        true
    }

    /// Brings the evidence up to date.
    fn settle(&mut self) {
        if let Some(details) = &mut self.details {
            self.again.add_to(&mut details.bindings, &mut details.evidence);
        }
        self.again = Again::default();
    }

    pub(super) fn bind(
        &mut self,
        time: FrameTime,
        ip: IpAddr,
        method: Method,
        counters: &mut InventoryCounters,
    ) -> Noted {
        self.settle();
        self.again = Again { bound: Some((ip, method)), count: 0, last: time };
        let bindings = &mut self.details.get_or_insert_default().bindings;
        if let Some(known) = bindings.iter_mut().find(|known| known.ip == ip) {
            return if add_evidence(&mut known.evidence, time, method) { Noted::Changed } else { Noted::Known };
        }
        if bindings.len() >= BINDINGS_MAX {
            let stalest = bindings.iter().enumerate().min_by_key(|(_, binding)| binding.last()).map(|(at, _)| at);
            stalest.map(|at| bindings.swap_remove(at));
            counters.binding_evicted();
        }
        bindings.push(BindingState { ip, evidence: vec![Evidence::once(method, time)] });
        Noted::Changed
    }

    /// Notes what it said or showed.
    pub(super) fn hear(
        &mut self,
        time: FrameTime,
        kind: SignKind,
        value: Value<'_>,
        keeping: &mut Keeping<'_>,
    ) -> Noted {
        self.details.get_or_insert_default().hear(time, kind, value, keeping)
    }

    /// Notes how it opened a connection.
    pub(super) fn open(&mut self, time: FrameTime, opening: &Opening, keeping: &mut Keeping<'_>) -> Noted {
        let own = self.speaks_for(opening.ip);
        let Some(details) = &mut self.details else { return Noted::Known };
        let mut openings = std::mem::take(&mut details.openings);
        let mut noted = Noted::Known;
        openings.note(time, opening, own, |kind, value| {
            if details.hear(time, kind, value, keeping) == Noted::Changed {
                noted = Noted::Changed;
            }
        });
        details.openings = openings;
        noted
    }

    /// Returns whether what comes from the address comes from this endpoint: the address is bound to it by more than its own
    /// wish, and it does not answer for half the world.
    pub(super) fn speaks_for(&self, ip: IpAddr) -> bool {
        let Some(details) = &self.details else { return false };
        let bound = |known: &BindingState| {
            known.ip == ip && known.evidence.iter().any(|evidence| evidence.method != Method::DhcpRequest)
        };
        details.bindings.iter().any(bound)
            && details.bindings.iter().filter(|known| known.ip.is_ipv4()).count() <= OWN_ADDRESSES_MAX
    }

    /// Returns whether it ever sent a frame.
    pub(super) const fn has_sent(&self) -> bool {
        self.traffic.frames_out > 0
    }

    /// Gives back the room of its signs: it leaves.
    pub(super) fn leave(&self, room: &mut Room) {
        if let Some(details) = &self.details {
            details.signs.leave(room);
        }
    }

    /// Concludes anew what it is, when its signs changed.
    pub(super) fn conclude(&mut self, mac: MacAddr) {
        if let Some(details) =
            self.details.as_deref_mut().filter(|details| details.stale || details.concluded.is_none())
        {
            details.concluded = Some(details.conclude(mac, self.first));
            details.stale = false;
        }
    }

    /// Drops addresses for which a client's own request is the only evidence.
    pub(super) fn refuse(&mut self) -> Noted {
        self.settle();
        let Some(details) = &mut self.details else { return Noted::Known };
        let before = details.bindings.len();
        details.bindings.retain(|binding| binding.evidence.iter().any(|known| known.method != Method::DhcpRequest));
        if details.bindings.len() < before { Noted::Changed } else { Noted::Known }
    }

    pub(super) fn witness(&mut self, time: FrameTime, method: Method) -> Noted {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        let evidence = &mut self.details.get_or_insert_default().evidence;
        if add_evidence(evidence, time, method) { Noted::Changed } else { Noted::Known }
    }

    /// Notes that it was heard by a method of which one frame may say several things.
    pub(super) fn witness_once(&mut self, time: FrameTime, method: Method) -> Noted {
        self.settle();
        let known = |details: &Details| details.evidence.iter().any(|it| it.method == method && it.last == time);
        if self.details.as_deref().is_some_and(known) { Noted::Known } else { self.witness(time, method) }
    }

    pub(super) fn state(&self, mac: MacAddr) -> EndpointState {
        let sent = self.traffic.frames_out;
        let frames = Evidence { method: Method::Frame, first: self.first, last: self.last, count: sent };
        let mut evidence: Vec<_> = (sent != 0).then_some(frames).into_iter().collect();
        let mut state = EndpointState {
            mac,
            first_seen: self.first,
            last_seen: self.last,
            own: self.own,
            vlans: (sent != 0).then_some(VlanState { vlan: self.vlan, last_seen: self.last }).into_iter().collect(),
            bindings: Vec::new(),
            host: HostFacts::default(),
            signs: Vec::new(),
            conclusion: Arc::default(),
            concluded: self.first,
            evidence: Vec::new(),
            traffic: self.traffic,
        };
        if let Some(details) = &self.details {
            evidence.extend_from_slice(&details.evidence);
            state.bindings.clone_from(&details.bindings);
            self.again.add_to(&mut state.bindings, &mut evidence);
            if !details.signs.is_empty() {
                state.host = details.host();
                state.signs = details.signs.states();
            }
            (state.conclusion, state.concluded) = details.conclude(mac, self.first);
            state.vlans.extend(details.vlans.iter().filter(|known| known.vlan != self.vlan));
            state.vlans.sort_by_key(|known| known.vlan);
        }
        if self.details.is_none() {
            state.conclusion = classify::conclude(mac, &[]).into();
        }
        state.bindings.sort_by_key(|binding| binding.ip);
        state.evidence = evidence;
        state
    }
}

impl Again {
    /// Adds what was counted to the evidence of the binding, and of the endpoint.
    fn add_to(&self, bindings: &mut [BindingState], evidence: &mut [Evidence]) {
        let Some((ip, method)) = self.bound.filter(|_| self.count != 0) else { return };
        let of_binding = bindings.iter_mut().find(|known| known.ip == ip).map(|known| &mut known.evidence[..]);
        for list in [of_binding.unwrap_or_default(), evidence] {
            if let Some(known) = list.iter_mut().find(|known| known.method == method) {
                known.add(self.last, self.count.into());
            }
        }
    }
}

impl Details {
    fn hear(&mut self, time: FrameTime, kind: SignKind, value: Value<'_>, keeping: &mut Keeping<'_>) -> Noted {
        let noted = self.signs.hear(time, kind, value, keeping.hasher, keeping.room);
        self.stale |= noted == Noted::Changed;
        noted
    }

    /// Returns what follows from the signs, and since when it does; without signs, since it was first seen.
    fn conclude(&self, mac: MacAddr, first: FrameTime) -> (Arc<Conclusion>, FrameTime) {
        if let Some(known) = self.concluded.as_ref().filter(|_| !self.stale) {
            return known.clone();
        }
        let conclusion = classify::conclude(mac, &self.signs.read());
        match &self.concluded {
            Some((before, since)) if **before == conclusion => (Arc::clone(before), *since),
            _ => (conclusion.into(), self.signs.last().unwrap_or(first)),
        }
    }

    /// Returns what it says of itself by DHCP.
    fn host(&self) -> HostFacts {
        let signs = self.signs.read();
        let held = |kind: SignKind| classify::standing(&signs, kind);
        let text = |kind: SignKind| held(kind).map(str::to_owned);
        let numbers = |list: &str| list.split(',').filter_map(|number| number.parse().ok()).collect();
        HostFacts {
            hostname: text(SignKind::DhcpName),
            vendor_class: text(SignKind::DhcpVendorClass),
            parameter_list: held(SignKind::DhcpParameters).map(numbers),
            client_id: held(SignKind::DhcpClientId).map(octets),
        }
    }
}

/// Returns the octets of hexadecimal digits.
fn octets(digits: &str) -> Vec<u8> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().filter_map(octet).collect()
}

impl BindingState {
    /// Returns when the binding was last confirmed.
    pub fn last(&self) -> FrameTime {
        self.evidence.iter().map(|known| known.last).max().unwrap_or_default()
    }

    /// Returns when the binding was first seen.
    pub fn first(&self) -> FrameTime {
        self.evidence.iter().map(|known| known.first).min().unwrap_or_default()
    }
}
