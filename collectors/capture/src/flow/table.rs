//! The flows that are going on.
//!
//! Invariants: at most `capacity` flows; every packet that belongs to a flow is in exactly one record. A flow is *passing*
//! until both sides are known to take part: the originator went on after it was answered, of TCP with a number that only
//! the answer could tell it. A packet whose flow is new takes the place of a flow that is over, or of a passing one; flows
//! that are established fill seven eighths of the table at most, and make room only for others of their kind. Before others, flows
//! leave of a source that holds more than its share. So packets with forged sources expel each other.

use std::{collections::VecDeque, time::Duration};

use super::{
    entry::{Entry, Sent},
    fragments::Fragments,
    key::{Key, Place, ports},
    record::{EndReason, FlowRecord},
    sources::{Opener, Sources},
    tcp::{Segment, TcpCounters},
};
use crate::{
    FrameMeta, FrameTime, LinkType,
    application::Assemblies,
    decode::{Content, Ip, Packet, Transport, ip::protocol},
    flow::Introduction,
    listener::AHEAD,
    table::{Ahead, Table},
};

/// Lists of the table: is the flow established, is it TCP; and those that are over.
const PASSING_OTHER: u8 = 0;
const PASSING_TCP: u8 = 1;
const ESTABLISHED_OTHER: u8 = 2;
const ESTABLISHED_TCP: u8 = 3;
const OVER: u8 = 4;
const LISTS: usize = 5;

/// How often a flow's place in its list is brought up to date at most, in nanoseconds. So much later than it should a flow may be
/// found to be silent.
const TOUCH_NS: u64 = 4_000_000_000;
/// How often a packet looks for flows that have been silent for too long, in nanoseconds of the frames' time.
const EXPIRE_NS: u64 = 10_000_000;
/// How many flows one packet may close at most, so that none waits for long.
const EXPIRE_MAX: usize = 256;
/// How many of the flows that have been silent longest are looked at for one of a source that holds more than its share.
const LEAVING_MAX: usize = 16;

/// Sizes and times of the flow table.
#[derive(Debug, Clone)]
pub struct FlowOptions {
    /// The most flows that go on at a time.
    pub capacity: usize,
    /// How long a TCP flow may be silent.
    pub idle_tcp: Duration,
    /// How long a flow of another protocol may be silent.
    pub idle_other: Duration,
    /// How long a TCP flow that is over is kept for stragglers.
    pub linger: Duration,
    /// How long one record may cover; `None` for as long as the flow.
    pub active: Option<Duration>,
    /// The most finished records that wait to be taken. When they are not, the oldest leave, counted.
    pub finished_capacity: usize,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            capacity: 32_768,
            idle_tcp: Duration::from_secs(900),
            idle_other: Duration::from_secs(120),
            linger: Duration::from_secs(30),
            active: Some(Duration::from_secs(1_800)),
            finished_capacity: 8_192,
        }
    }
}

/// What the flow table counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowCounters {
    /// Records that were begun.
    pub flows_opened: u64,
    /// Records that were closed.
    pub flows_finished: u64,
    /// Of those, the ones that had to make room.
    pub flows_evicted: u64,
    /// Of those, the ones that were established.
    pub flows_evicted_established: u64,
    /// Of those that had to make room, the ones whose source held more than its share of the table.
    pub flows_evicted_over_share: u64,
    /// Finished records that nobody took in time.
    pub flows_untaken: u64,
    /// Later fragments whose first was not seen: in no flow.
    pub fragments_unmatched: u64,
    /// IP packets whose transport header could not be read: in no flow.
    pub packets_unread: u64,
    /// What was counted of TCP connections.
    pub tcp: TcpCounters,
}

/// The table of flows.
#[derive(Debug)]
pub struct Flows {
    table: Table<Key, Entry, LISTS>,
    sources: Sources,
    fragments: Fragments,
    assemblies: Assemblies,
    finished: VecDeque<FlowRecord>,
    introductions: VecDeque<Introduction>,
    options: FlowOptions,
    counters: FlowCounters,
    /// When flows were last looked through for silent ones.
    expired: FrameTime,
    /// The flows of the next frames.
    ahead: Ahead<AHEAD>,
    /// The flow that this frame was foreseen to be of, and that of the last packet: packets come in trains.
    near: [u32; 2],
}

impl Flows {
    /// Returns an empty table.
    pub fn new(options: FlowOptions) -> Self {
        let table = Table::new(options.capacity);
        Self {
            sources: Sources::new(table.capacity()),
            table,
            fragments: Fragments::new(),
            assemblies: Assemblies::default(),
            finished: VecDeque::new(),
            introductions: VecDeque::new(),
            options,
            counters: FlowCounters::default(),
            expired: FrameTime::default(),
            ahead: Ahead::new(),
            near: [0; 2],
        }
    }

    /// Counts a packet whose frame had `octets` bytes on the wire into its flow.
    #[inline]
    pub fn packet(&mut self, time: FrameTime, packet: &Packet<'_>, octets: u32) {
        if time.unix_ns().abs_diff(self.expired.unix_ns()) >= EXPIRE_NS {
            self.expired = time;
            self.expire(time, EXPIRE_MAX);
        }
        let Content::Ip(ip) = &packet.content else { return };
        let found = match ports(&ip.transport) {
            Some(found) => {
                if ip.header.fragment.is_some() {
                    self.fragments.first(time, packet, ip, found);
                }
                found
            }
            None if ip.header.is_later_fragment() => {
                let Some(found) = self.fragments.later(time, packet, ip) else {
                    self.counters.fragments_unmatched += 1;
                    return;
                };
                found
            }
            None => {
                self.counters.packets_unread += 1;
                return;
            }
        };
        let (ports, answers) = found;
        let (segment, payload) = said(ip);
        let whole = ip.header.missing == 0 && ip.header.fragment.is_none();
        let sent = Sent { time, mac: packet.source, octets, segment, payload, whole };
        self.count(&Place::new(packet, ip, ports, answers), &sent);
    }

    /// Notes a frame that may come soon: see [`Flows::prepare`].
    #[inline]
    pub fn foresee(&mut self, link_type: LinkType, meta: FrameMeta, bytes: &[u8]) {
        let key = if link_type == LinkType::Ethernet { Key::guess(meta.vlan, bytes) } else { None };
        // Each frame has its place, also where nothing can be said of it.
        self.ahead.note(key.map_or(0, |key| self.table.hash(&key)));
    }

    /// Fetches what the frames that were foreseen will need: most of the time that a packet takes goes by in waiting for memory, and
    /// several can wait together.
    #[inline]
    pub fn prepare(&mut self) {
        self.table.foresee(&mut self.ahead, Entry::foresee);
    }

    /// Tells that the next of the frames that were foreseen is here, before what is in it.
    #[inline]
    pub fn begin(&mut self) {
        self.near[0] = self.ahead.next();
    }

    /// Closes what has been silent for too long at `now`.
    pub fn advance(&mut self, now: FrameTime) {
        self.expire(now, usize::MAX);
    }

    /// Closes every flow.
    pub fn finish(&mut self) {
        // In the order in which they began, so that the same capture gives the same output.
        let mut open: Vec<_> = self.table.iter().map(|(key, flow)| (flow.start, *key)).collect();
        open.sort_by_key(|(start, key)| (*start, key.end(true), key.end(false), key.protocol));
        for (_, key) in open {
            if let Some(at) = self.table.find(&key) {
                self.close(at, EndReason::Finished);
            }
        }
    }

    /// Closes up to `most` flows, those that have been silent longest of each kind first. Returns whether there were any.
    pub fn finish_some(&mut self, most: usize) -> bool {
        let before = self.table.len();
        for list in [OVER, PASSING_OTHER, PASSING_TCP, ESTABLISHED_OTHER, ESTABLISHED_TCP] {
            while let Some(at) = self.table.oldest(list).filter(|_| before - self.table.len() < most) {
                self.close(at, EndReason::Finished);
            }
        }
        before != 0
    }

    /// Returns the number of flows that are going on.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether no flow is going on.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of finished records that wait to be taken.
    pub fn finished_len(&self) -> usize {
        self.finished.len()
    }

    /// Returns and removes the finished records, oldest first.
    pub fn take_finished(&mut self) -> impl Iterator<Item = FlowRecord> {
        self.finished.drain(..)
    }

    /// Returns and removes one thing that payload told of a flow's ends.
    #[inline]
    pub fn take_introduction(&mut self) -> Option<Introduction> {
        self.introductions.pop_front()
    }

    /// Returns what was counted.
    pub fn counters(&self) -> FlowCounters {
        self.counters
    }

    fn count(&mut self, place: &Place, sent: &Sent<'_>) {
        let mut found = self.table.find_near(self.near, &place.key);
        match found.and_then(|at| self.ends_before(at, sent).map(|why| (at, why))) {
            Some((at, EndReason::Active)) => self.cut(at, sent.time),
            Some((at, reason)) => {
                self.close(at, reason);
                found = None;
            }
            None => {}
        }
        let Some(at) = found.or_else(|| self.open(place, sent)) else { return };
        self.near[1] = at;
        let Some(flow) = self.table.get_mut(at) else { return };
        let out = flow.originator_is_low == place.from_low;
        let told = flow.add(out, sent, &mut self.assemblies, &mut self.counters.tcp);
        let list = list(flow, place.key.protocol);
        let stale = sent.time.unix_ns().abs_diff(flow.touched.unix_ns()) >= TOUCH_NS;
        if told {
            self.introduce(at);
        }
        if stale || self.table.list_of(at) != Some(list) {
            self.place(at, list, sent.time);
        }
    }

    /// Puts a flow in front of its list.
    fn place(&mut self, at: u32, list: u8, time: FrameTime) {
        let is_established = |list: u8| matches!(list, ESTABLISHED_OTHER | ESTABLISHED_TCP);
        if is_established(list) && !self.table.list_of(at).is_some_and(is_established) {
            self.make_room_among_established(at);
        }
        if let Some(flow) = self.table.get_mut(at) {
            flow.touched = time;
        }
        self.table.touch(at, list);
    }

    /// Returns why the flow is over before this packet, if it is.
    fn ends_before(&self, at: u32, sent: &Sent<'_>) -> Option<EndReason> {
        let flow = self.table.get(at)?;
        if sent.segment.is_some_and(|segment| segment.opens() && flow.tcp.is_another(segment.sequence)) {
            return Some(EndReason::Reused);
        }
        let idle = if sent.segment.is_some() { self.options.idle_tcp } else { self.options.idle_other };
        if sent.time.is_past(flow.end, idle) {
            return Some(EndReason::Idle);
        }
        let active = self.options.active.is_some_and(|active| sent.time.is_past(flow.start, active));
        active.then_some(EndReason::Active)
    }

    fn open(&mut self, place: &Place, sent: &Sent<'_>) -> Option<u32> {
        let opener = Opener { ip: place.key.ip(place.from_low), mac: sent.mac };
        if self.table.is_full() {
            let over = self.table.oldest(OVER);
            let leaving = over.or_else(|| self.leaving([PASSING_OTHER, PASSING_TCP], &opener));
            self.close(leaving.or_else(|| self.oldest([ESTABLISHED_OTHER, ESTABLISHED_TCP]))?, EndReason::Evicted);
        }
        self.counters.flows_opened += 1;
        self.sources.opened(&opener);
        let list = if sent.segment.is_some() { PASSING_TCP } else { PASSING_OTHER };
        self.table.insert(place.key, Entry::new(sent.time, place), list)
    }

    /// Closes an established flow when there is no room for the one at `at` among them.
    fn make_room_among_established(&mut self, at: u32) {
        let lists = [ESTABLISHED_OTHER, ESTABLISHED_TCP];
        let most = self.table.capacity() - (self.table.capacity() / 8).max(1);
        if lists.iter().map(|list| self.table.list_len(*list)).sum::<usize>() < most.max(1) {
            return;
        }
        let Some((key, flow)) = self.table.key(at).zip(self.table.get(at)) else { return };
        if let Some(leaving) = self.leaving(lists, &flow.opener(key)) {
            self.counters.flows_evicted_established += 1;
            self.close(leaving, EndReason::Evicted);
        }
    }

    /// Returns which flow of these lists makes room for one of `opener`: one from the same address where that holds more than its
    /// share, or else of the same link address, or else of another source that does; or else the one that was silent longest.
    fn leaving(&self, lists: [u8; 2], opener: &Opener) -> Option<u32> {
        let (ip_over, mac_over) = self.sources.over(opener);
        let rank = |owner: &Opener| match self.sources.over(owner) {
            (true, _) if ip_over && owner.ip == opener.ip => 0,
            (_, true) if mac_over && owner.mac == opener.mac => 1,
            (true, _) | (_, true) => 2,
            _ => 3,
        };
        let mut best = None;
        for at in lists.iter().flat_map(|list| self.table.oldest_first(*list).take(LEAVING_MAX)) {
            let Some((key, flow)) = self.table.key(at).zip(self.table.get(at)) else { continue };
            let rank = rank(&flow.opener(key));
            if best.is_none_or(|(found, _)| rank < found) {
                best = Some((rank, at));
            }
            if rank == 0 {
                break;
            }
        }
        best.filter(|(rank, _)| *rank < 3).map(|(_, at)| at).or_else(|| self.oldest(lists))
    }

    /// Returns the flow of these lists that was silent longest.
    fn oldest(&self, lists: [u8; 2]) -> Option<u32> {
        let end = |at: &u32| self.table.get(*at).map(|flow| flow.touched);
        lists.iter().filter_map(|list| self.table.oldest(*list)).min_by_key(end)
    }

    fn expire(&mut self, now: FrameTime, most: usize) {
        let mut left = most;
        for list in [PASSING_OTHER, PASSING_TCP, ESTABLISHED_OTHER, ESTABLISHED_TCP, OVER] {
            let idle = match list {
                OVER => self.options.linger,
                ESTABLISHED_TCP | PASSING_TCP => self.options.idle_tcp,
                _ => self.options.idle_other,
            };
            while left > 0 {
                let Some(at) = self.table.oldest(list) else { break };
                let Some(flow) = self.table.get_mut(at).filter(|flow| now.is_past(flow.touched, idle)) else { break };
                left -= 1;
                if now.is_past(flow.end, idle) {
                    self.close(at, if list == OVER { EndReason::Closed } else { EndReason::Idle });
                } else if flow.end.unix_ns().abs_diff(flow.touched.unix_ns()) < TOUCH_NS {
                    // It went on after its place was last brought up to date, and has its time still; so may those behind it.
                    break;
                } else {
                    flow.touched = flow.end;
                    self.table.touch(at, list);
                }
            }
        }
    }

    /// Hands on what payload told of a flow.
    #[cold]
    fn introduce(&mut self, at: u32) {
        let Some(&key) = self.table.key(at) else { return };
        let Some(flow) = self.table.get_mut(at) else { return };
        if let Some(details) = flow.take_details() {
            let [originator, responder] = flow.ends(&key);
            let (time, application) = (flow.end, flow.application());
            // A TCP segment may be a refusal; a datagram from there is an answer.
            let answered = flow.is_established() || key.protocol != protocol::TCP && responder.mac.is_some();
            let told = Introduction { time, originator, responder, application, answered, details };
            self.introductions.push_back(told);
        }
    }

    fn close(&mut self, at: u32, reason: EndReason) {
        self.introduce(at);
        let Some((key, flow)) = self.table.remove(at) else { return };
        let opener = flow.opener(&key);
        if reason == EndReason::Evicted {
            self.counters.flows_evicted += 1;
            let (by_ip, by_mac) = self.sources.over(&opener);
            self.counters.flows_evicted_over_share += u64::from(by_ip || by_mac);
        }
        self.sources.closed(&opener);
        self.counters.flows_finished += 1;
        let record = flow.finish(&key, reason, &mut self.counters.tcp);
        self.put(record);
    }

    /// Closes a record at `time`, and goes on with the same flow.
    #[cold]
    fn cut(&mut self, at: u32, time: FrameTime) {
        let Some(&key) = self.table.key(at) else { return };
        let Some(flow) = self.table.get_mut(at) else { return };
        let record = flow.cut(&key, time);
        self.counters.flows_finished += 1;
        self.counters.flows_opened += 1;
        self.put(record);
    }

    fn put(&mut self, record: FlowRecord) {
        // At the end, the table itself is the bound.
        if self.finished.len() >= self.options.finished_capacity && record.reason != EndReason::Finished {
            self.counters.flows_untaken += 1;
            if self.finished.pop_front().is_none() {
                return;
            }
        }
        self.finished.push_back(record);
    }
}

/// Returns what a packet says: its segment, if it is TCP, and its payload.
fn said<'a>(ip: &Ip<'a>) -> (Option<Segment>, &'a [u8]) {
    match &ip.transport {
        Transport::Tcp(tcp) => (Some(Segment::new(ip, tcp)), tcp.payload),
        Transport::Udp(udp) => (None, udp.payload),
        _ => (None, &[]),
    }
}

/// Returns the list that a flow belongs in.
fn list(flow: &Entry, protocol: u8) -> u8 {
    let tcp = protocol == protocol::TCP;
    match (tcp && flow.tcp.is_over(), flow.is_established(), tcp) {
        (true, ..) => OVER,
        (_, true, true) => ESTABLISHED_TCP,
        (_, true, false) => ESTABLISHED_OTHER,
        (_, false, true) => PASSING_TCP,
        (_, false, false) => PASSING_OTHER,
    }
}
