//! The endpoints that were seen: who, where, since when, by which evidence, and how much they sent and received.
//!
//! Invariants: at most `capacity` endpoints, and bounded detail on each. A newcomer is on probation; it is established
//! once it has been heard for a while. A full table gives up whoever on probation has been silent longest, and
//! established endpoints may fill three quarters of the table only, so that a flood of forged addresses evicts itself.
//! Time is the frames' own. It does not judge: what a binding or a name means is for the centre.

mod endpoint;
mod opening;
mod signs;

pub use endpoint::{BindingState, EndpointState, Traffic, VlanState};
pub use signs::SignState;

use std::time::Duration;

use foldhash::fast::RandomState;
use onenet_topology::{MacAddr, Timestamp, classify::SignKind};

use self::{
    endpoint::{Entry, Keeping, Noted},
    signs::Room,
};
use crate::{
    FrameTime,
    facts::{Binding, Evidence, Method, Opening, Said, Speaker, Value},
    listener::AHEAD,
    table::{Ahead, Table},
};

const PROBATION: u8 = 0;
const ESTABLISHED: u8 = 1;

/// Frames that a newcomer has to send before it is established.
const PROBATION_FRAMES: u64 = 4;
/// How long newcomers on probation go untold after somebody had to leave.
const CROWDED_MS: i64 = 300_000;
/// How often an endpoint's place in its list is brought up to date at most, in nanoseconds.
const TOUCH_NS: u64 = 1_000_000_000;
/// Bytes that signs may take, for each endpoint that the table has room for: honest ones take some 1,500, and few tables
/// are full.
const SIGN_BYTES: usize = 768;

/// Sizes and times of the inventory.
#[derive(Debug, Clone)]
pub struct InventoryOptions {
    /// The most endpoints that are kept; at least 4.
    pub capacity: usize,
    /// How long a newcomer has to be heard before it is established.
    pub probation: Duration,
    /// How long an established endpoint has to be silent before a newcomer may take its place.
    pub retention: Duration,
}

impl Default for InventoryOptions {
    fn default() -> Self {
        Self { capacity: 8_192, probation: Duration::from_secs(60), retention: Duration::from_secs(7 * 24 * 3_600) }
    }
}

/// What the inventory counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InventoryCounters {
    /// Endpoints that had to leave for others.
    pub endpoints_evicted: u64,
    /// Bindings that had to leave for others of the same endpoint.
    pub bindings_evicted: u64,
    /// VLANs of an endpoint that found no room.
    pub vlans_unkept: u64,
    /// Signs of endpoints that found no room.
    pub signs_unkept: u64,
}

/// What an endpoint sent and received since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointTraffic {
    /// Who.
    pub mac: MacAddr,
    /// When it last sent a frame.
    pub last_seen: FrameTime,
    /// How much.
    pub traffic: Traffic,
}

/// The table of endpoints.
#[derive(Debug)]
pub struct Inventory {
    table: Table<MacAddr, Entry, 2>,
    options: InventoryOptions,
    counters: InventoryCounters,
    /// Indexes of entries that changed since the last report. `queued` says which stand in it, each at most once.
    changed: Vec<u32>,
    queued: Vec<bool>,
    /// Reported endpoints that had to leave since. Never more than were reported.
    forgotten: Vec<MacAddr>,
    /// How many evictions there were at the last report, and until when the table counts as crowded for the last of them.
    evicted_before: u64,
    crowded_until: Timestamp,
    /// Traffic of endpoints that left before it was reported.
    orphaned: Traffic,
    hasher: RandomState,
    room: Room,
    /// Who was foreseen to send this frame and to receive it, each with who did the last one: frames come in trains.
    sender: [u32; 2],
    receiver: [u32; 2],
    /// Who sends and who receives the next frames.
    ahead: Ahead<{ 2 * AHEAD }>,
}

impl Inventory {
    /// Returns an empty inventory.
    pub fn new(options: InventoryOptions) -> Self {
        let capacity = options.capacity.max(4);
        Self {
            table: Table::new(capacity),
            options,
            counters: InventoryCounters::default(),
            changed: Vec::new(),
            queued: Vec::new(),
            forgotten: Vec::new(),
            evicted_before: 0,
            crowded_until: Timestamp::EPOCH,
            orphaned: Traffic::default(),
            hasher: RandomState::default(),
            room: Room::new(capacity.saturating_mul(SIGN_BYTES)),
            sender: [0; 2],
            receiver: [0; 2],
            ahead: Ahead::new(),
        }
    }

    /// Notes a frame that may come soon: see [`Inventory::prepare`].
    #[inline]
    pub fn foresee(&mut self, source: MacAddr, destination: MacAddr) {
        for mac in [source, destination] {
            self.ahead.note(self.table.hash(&mac));
        }
    }

    /// Fetches what is known of those that the frames are of which were foreseen.
    #[inline]
    pub fn prepare(&mut self) {
        self.table.foresee(&mut self.ahead, Entry::foresee);
    }

    /// Tells that the next of the frames that were foreseen is here.
    #[inline]
    pub fn begin(&mut self) {
        self.sender[0] = self.ahead.next();
        self.receiver[0] = self.ahead.next();
    }

    /// Notes a frame of `octets` bytes that `mac` sent.
    #[inline]
    pub fn sent(&mut self, time: FrameTime, mac: MacAddr, vlan: Option<u16>, octets: u32, outgoing: bool) {
        if !mac.is_unicast() {
            return;
        }
        let found = self.table.find_near(self.sender, &mac).or_else(|| self.admit(time, mac, vlan, outgoing));
        let Some(at) = found else { return };
        self.sender[1] = at;
        let Some(entry) = self.table.get_mut(at) else { return };
        entry.traffic.frames_out += 1;
        entry.traffic.bytes_out += u64::from(octets);
        entry.first = entry.first.min(time);
        let previous_last = entry.last;
        entry.last = previous_last.max(time);
        let moved = entry.vlan != vlan;
        let turned_out_own = outgoing && !entry.own;
        if time.unix_ns().abs_diff(entry.touched.unix_ns()) >= TOUCH_NS {
            entry.touched = time;
            self.reorder(at, time);
        }
        if turned_out_own {
            self.note(at, |entry, _| entry.turn_out_own());
        }
        if moved {
            self.note(at, |entry, counters| entry.see_vlan(vlan, previous_last, counters));
        }
    }

    /// Notes a frame of `octets` bytes that was sent to `mac`, if that is a known endpoint.
    #[inline]
    pub fn received(&mut self, mac: MacAddr, octets: u32) {
        if mac.is_multicast() {
            return;
        }
        let Some(at) = self.table.find_near(self.receiver, &mac) else { return };
        self.receiver[1] = at;
        if let Some(entry) = self.table.get_mut(at) {
            entry.traffic.frames_in += 1;
            entry.traffic.bytes_in += u64::from(octets);
        }
    }

    /// Notes that an address belongs to a MAC.
    #[inline]
    pub fn bind(&mut self, time: FrameTime, binding: &Binding) {
        if let Some(at) = self.find_or_admit(time, binding.mac) {
            if self.table.get_mut(at).is_some_and(|entry| entry.bind_again(time, binding.ip, binding.method)) {
                return;
            }
            self.note(at, |entry, counters| entry.bind(time, binding.ip, binding.method, counters));
            self.note(at, |entry, _| entry.witness(time, binding.method));
        }
    }

    /// Notes what an endpoint said of itself, or showed, when it can be that it was the endpoint.
    pub fn hear(&mut self, time: FrameTime, said: &Said<'_>) {
        let at = match said.by {
            Speaker::Address(ip) => self.table.find(&said.mac).filter(|at| self.speaks_for(*at, ip)),
            Speaker::Link | Speaker::Station(_) => self.find_or_admit(time, said.mac),
        };
        let Some(at) = at else { return };
        let (kind, value) = match (said.by, said.value) {
            // Some bridges put their own address on the frames of those behind them, whose own is never seen then.
            (Speaker::Station(by), Value::Text(text)) if self.table.get(at).is_some_and(Entry::has_sent) => {
                if said.kind != SignKind::DhcpName {
                    return;
                }
                (SignKind::ClaimedByOther, Value::Claimed(text, by))
            }
            (_, value) => (said.kind, value),
        };
        self.keep(at, |entry, keeping| entry.hear(time, kind, value, keeping));
        self.note(at, |entry, _| entry.witness_once(time, Method::of(kind)));
    }

    /// Notes how an endpoint opened a connection.
    pub fn open(&mut self, time: FrameTime, opening: &Opening) {
        if let Some(at) = self.table.find(&opening.mac) {
            self.keep(at, |entry, keeping| entry.open(time, opening, keeping));
        }
    }

    /// Takes back what was concluded from a client's request alone.
    pub fn refuse(&mut self, mac: MacAddr) {
        if let Some(at) = self.table.find(&mac) {
            self.note(at, |entry, _| entry.refuse());
        }
    }

    /// Notes that `mac` was heard by `method`.
    pub fn witness(&mut self, time: FrameTime, mac: MacAddr, method: Method) {
        if let Some(at) = self.find_or_admit(time, mac) {
            self.note(at, |entry, _| entry.witness(time, method));
        }
    }

    /// Returns the endpoints that are new or said something new since the last call.
    ///
    /// While newcomers push each other out of the table, and for some minutes after that, only those that are established are told
    /// of for the first time: each of a flood's addresses would have to be taken back in a moment, and whoever keeps what is
    /// told would grow by it.
    pub fn take_changed(&mut self, now: Timestamp) -> Vec<EndpointState> {
        let is_crowded = self.is_crowded(now);
        let mut states = Vec::with_capacity(self.changed.len());
        let mut waiting = Vec::new();
        for at in std::mem::take(&mut self.changed) {
            let is_new = self.table.get(at).is_some_and(|entry| !entry.reported);
            if is_crowded && is_new && self.table.list_of(at) == Some(PROBATION) {
                waiting.push(at);
                continue;
            }
            if let Some(queued) = self.queued.get_mut(at as usize) {
                *queued = false;
            }
            let Some(&mac) = self.table.key(at) else { continue };
            if let Some(entry) = self.table.get_mut(at).filter(|entry| entry.changed) {
                entry.changed = false;
                entry.reported = true;
                entry.conclude(mac);
                states.push(entry.state(mac));
            }
        }
        self.changed = waiting;
        states
    }

    /// Returns whether somebody had to leave the table lately.
    fn is_crowded(&mut self, now: Timestamp) -> bool {
        if self.counters.endpoints_evicted > self.evicted_before {
            self.evicted_before = self.counters.endpoints_evicted;
            self.crowded_until = now.plus_ms(CROWDED_MS);
        }
        now < self.crowded_until
    }

    /// Returns the endpoints that were returned by [`Inventory::take_changed`] once and have had to leave since.
    pub fn take_forgotten(&mut self) -> Vec<MacAddr> {
        std::mem::take(&mut self.forgotten)
    }

    /// Returns what each endpoint sent and received since the last call, and the sum of those that have left.
    pub fn take_traffic(&mut self) -> (Vec<EndpointTraffic>, Traffic) {
        let mut rows = Vec::new();
        for (&mac, entry) in self.table.iter_mut() {
            let traffic = entry.traffic.since(&entry.traffic_reported);
            if traffic != Traffic::default() {
                entry.traffic_reported = entry.traffic;
                rows.push(EndpointTraffic { mac, last_seen: entry.last, traffic });
            }
        }
        (rows, std::mem::take(&mut self.orphaned))
    }

    /// Returns every endpoint as it is known now.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointState> {
        self.table.iter().map(|(mac, entry)| entry.state(*mac))
    }

    /// Returns the number of endpoints, and how many of them are established.
    pub fn len(&self) -> (usize, usize) {
        (self.table.len(), self.table.list_len(ESTABLISHED))
    }

    /// Returns what was counted.
    pub fn counters(&self) -> InventoryCounters {
        InventoryCounters { signs_unkept: self.room.unkept, ..self.counters }
    }

    /// Returns the bytes that the signs of all endpoints take.
    pub const fn sign_bytes(&self) -> usize {
        self.room.used()
    }

    fn speaks_for(&self, at: u32, ip: std::net::IpAddr) -> bool {
        self.table.get(at).is_some_and(|entry| entry.speaks_for(ip))
    }

    fn find_or_admit(&mut self, time: FrameTime, mac: MacAddr) -> Option<u32> {
        self.table.find_near(self.sender, &mac).or_else(|| self.admit(time, mac, None, false))
    }

    #[cold]
    fn admit(&mut self, time: FrameTime, mac: MacAddr, vlan: Option<u16>, outgoing: bool) -> Option<u32> {
        if self.table.is_full() {
            let leaving = self.table.oldest(PROBATION).or_else(|| self.table.oldest(ESTABLISHED))?;
            self.evict(leaving);
        }
        let at = self.table.insert(mac, Entry::new(time, vlan, outgoing), PROBATION)?;
        self.note(at, |_, _| Noted::Changed);
        Some(at)
    }

    fn evict(&mut self, at: u32) {
        let Some((mac, entry)) = self.table.remove(at) else { return };
        self.counters.endpoints_evicted += 1;
        entry.leave(&mut self.room);
        self.orphaned.add(&entry.traffic.since(&entry.traffic_reported));
        if entry.reported {
            self.forgotten.push(mac);
        }
    }

    /// Moves an endpoint to the front of its list, or from probation among the established when its time has come.
    fn reorder(&mut self, at: u32, time: FrameTime) {
        let Some(entry) = self.table.get(at) else { return };
        let served = entry.traffic.frames_out >= PROBATION_FRAMES && time.is_past(entry.first, self.options.probation);
        let list = match self.table.list_of(at) {
            Some(PROBATION) if served && self.make_room(time) => ESTABLISHED,
            Some(list) => list,
            None => return,
        };
        self.table.touch(at, list);
    }

    /// Returns whether one more endpoint may be established; one that has been silent for long enough goes back.
    fn make_room(&mut self, time: FrameTime) -> bool {
        let established_max = self.table.capacity() / 4 * 3;
        if self.table.list_len(ESTABLISHED) < established_max {
            return true;
        }
        let Some(oldest) = self.table.oldest(ESTABLISHED) else { return false };
        let silent = self.table.get(oldest).is_some_and(|entry| time.is_past(entry.last, self.options.retention));
        if silent {
            self.table.touch(oldest, PROBATION);
        }
        silent
    }

    /// Applies `change`, and queues the endpoint for the next report when that changed what is known.
    fn note(&mut self, at: u32, change: impl FnOnce(&mut Entry, &mut InventoryCounters) -> Noted) {
        let Some(entry) = self.table.get_mut(at) else { return };
        if change(entry, &mut self.counters) == Noted::Changed {
            entry.changed = true;
            self.queue(at);
        }
    }

    /// Applies `change`, which may keep signs, and queues the endpoint for the next report when that is news.
    fn keep(&mut self, at: u32, change: impl FnOnce(&mut Entry, &mut Keeping<'_>) -> Noted) {
        let Some(entry) = self.table.get_mut(at) else { return };
        let mut keeping = Keeping { hasher: &self.hasher, room: &mut self.room };
        if change(entry, &mut keeping) == Noted::Changed {
            entry.changed = true;
            self.queue(at);
        }
    }

    fn queue(&mut self, at: u32) {
        let place = at as usize;
        if self.queued.len() <= place {
            self.queued.resize(place + 1, false);
        }
        if let Some(queued) = self.queued.get_mut(place).filter(|queued| !**queued) {
            *queued = true;
            self.changed.push(at);
        }
    }
}

impl InventoryCounters {
    pub(crate) fn binding_evicted(&mut self) {
        self.bindings_evicted += 1;
    }

    pub(crate) fn vlan_unkept(&mut self) {
        self.vlans_unkept += 1;
    }
}

/// Notes one more frame in a list of evidence by method. Returns whether the method is new in it.
pub(crate) fn add_evidence(list: &mut Vec<Evidence>, time: FrameTime, method: Method) -> bool {
    if let Some(known) = list.iter_mut().find(|known| known.method == method) {
        known.again(time);
        return false;
    }
    list.push(Evidence::once(method, time));
    true
}
