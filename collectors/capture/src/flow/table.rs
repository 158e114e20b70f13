//! The flows that are going on.
//!
//! Invariants: at most `capacity` flows; every packet that belongs to a flow is in exactly one record. A full table closes,
//! in this order: flows that are over, flows that nobody answered, and only when those fill less than an eighth of it, the
//! flow that was answered and then silent longest. So packets with forged sources expel each other.

use std::{collections::VecDeque, time::Duration};

use onenet_topology::{MacAddr, flow::FlowEnd};

use super::{
    fragments::Fragments,
    key::{Key, Place, ports},
    record::{EndReason, FlowRecord},
    tcp::{Segment, TcpCounters, Tracker},
};
use crate::{
    FrameTime,
    decode::{Content, Packet, Transport, ip::protocol},
    table::Table,
};

/// Lists of the table: is the flow answered, is it TCP; and those that are over.
const UNANSWERED_OTHER: u8 = 0;
const UNANSWERED_TCP: u8 = 1;
const ANSWERED_OTHER: u8 = 2;
const ANSWERED_TCP: u8 = 3;
const OVER: u8 = 4;
const LISTS: usize = 5;

/// How often a flow's place in its list is brought up to date at most, in nanoseconds.
const TOUCH_NS: u64 = 1_000_000_000;
/// How often a packet looks for flows that have been silent for too long, in nanoseconds of the frames' time.
const EXPIRE_NS: u64 = 10_000_000;
/// How many flows one packet may close at most, so that none waits for long.
const EXPIRE_MAX: usize = 256;

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
    /// Flows that were opened.
    pub flows_opened: u64,
    /// Records that were closed.
    pub flows_finished: u64,
    /// Of those, the ones that had to make room.
    pub flows_evicted: u64,
    /// Finished records that nobody took in time.
    pub flows_untaken: u64,
    /// Later fragments whose first was not seen: in no flow.
    pub fragments_unmatched: u64,
    /// IP packets whose transport header could not be read: in no flow.
    pub packets_unread: u64,
    /// What was counted of TCP connections.
    pub tcp: TcpCounters,
}

#[derive(Debug, Clone, Copy, Default)]
struct Direction {
    packets: u64,
    bytes: u64,
    tcp_flags: u8,
    /// The sender's link address in the first packet.
    mac: Option<MacAddr>,
}

#[derive(Debug)]
struct Flow {
    start: FrameTime,
    end: FrameTime,
    touched: FrameTime,
    out: Direction,
    back: Direction,
    tcp: Tracker,
    originator_is_low: bool,
    /// Whether both sides have sent something.
    answered: bool,
}

/// The table of flows.
#[derive(Debug)]
pub struct Flows {
    table: Table<Key, Flow, LISTS>,
    fragments: Fragments,
    finished: VecDeque<FlowRecord>,
    options: FlowOptions,
    counters: FlowCounters,
    /// When flows were last looked through for silent ones.
    expired: FrameTime,
}

/// Who sent a frame, and its length.
type Sent = (Option<MacAddr>, u32);

impl Flows {
    /// Returns an empty table.
    pub fn new(options: FlowOptions) -> Self {
        Self {
            table: Table::new(options.capacity),
            fragments: Fragments::new(),
            finished: VecDeque::new(),
            options,
            counters: FlowCounters::default(),
            expired: FrameTime::default(),
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
        let segment = match &ip.transport {
            Transport::Tcp(tcp) => Some(Segment::new(ip, tcp)),
            _ => None,
        };
        let (ports, answers) = found;
        self.count(time, &Place::new(packet, ip, ports, answers), segment, (packet.source, octets));
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

    /// Returns what was counted.
    pub fn counters(&self) -> FlowCounters {
        self.counters
    }

    fn count(&mut self, time: FrameTime, place: &Place, segment: Option<Segment>, frame: Sent) {
        let mut found = self.table.find(&place.key);
        match found.and_then(|at| self.ends_before(at, time, segment).map(|why| (at, why))) {
            Some((at, EndReason::Active)) => self.cut(at, time),
            Some((at, reason)) => {
                self.close(at, reason);
                found = None;
            }
            None => {}
        }
        let Some(at) = found.or_else(|| self.open(time, place, segment)) else { return };
        let Some(flow) = self.table.get_mut(at) else { return };
        let out = flow.originator_is_low == place.from_low;
        flow.add(time, out, segment, frame, &mut self.counters.tcp);
        let list = flow.list(place.key.protocol);
        let stale = time.unix_ns().abs_diff(flow.touched.unix_ns()) >= TOUCH_NS;
        if stale || self.table.list_of(at) != Some(list) {
            if let Some(flow) = self.table.get_mut(at) {
                flow.touched = time;
            }
            self.table.touch(at, list);
        }
    }

    /// Returns why the flow is over before this packet, if it is.
    fn ends_before(&self, at: u32, time: FrameTime, segment: Option<Segment>) -> Option<EndReason> {
        let flow = self.table.get(at)?;
        if segment.is_some_and(|segment| segment.opens() && flow.tcp.is_another(segment.sequence)) {
            return Some(EndReason::Reused);
        }
        let idle = if segment.is_some() { self.options.idle_tcp } else { self.options.idle_other };
        if time.is_past(flow.end, idle) {
            return Some(EndReason::Idle);
        }
        let active = self.options.active.is_some_and(|active| time.is_past(flow.start, active));
        active.then_some(EndReason::Active)
    }

    fn open(&mut self, time: FrameTime, place: &Place, segment: Option<Segment>) -> Option<u32> {
        if self.table.is_full() {
            let leaving = self.leaving()?;
            self.close(leaving, EndReason::Evicted);
        }
        let flow = Flow {
            start: time,
            end: time,
            touched: time,
            out: Direction::default(),
            back: Direction::default(),
            tcp: Tracker::default(),
            originator_is_low: place.from_low != place.answers,
            answered: false,
        };
        self.counters.flows_opened += 1;
        let list = if segment.is_some() { UNANSWERED_TCP } else { UNANSWERED_OTHER };
        self.table.insert(place.key, flow, list)
    }

    /// Returns the flow that makes room for another.
    fn leaving(&self) -> Option<u32> {
        let older = |one: u8, other: u8| {
            let end = |at: &u32| self.table.get(*at).map(|flow| flow.touched);
            [self.table.oldest(one), self.table.oldest(other)].into_iter().flatten().min_by_key(end)
        };
        let unanswered = self.table.list_len(UNANSWERED_OTHER) + self.table.list_len(UNANSWERED_TCP);
        let answered = || older(ANSWERED_OTHER, ANSWERED_TCP);
        let oldest_unanswered = || older(UNANSWERED_OTHER, UNANSWERED_TCP);
        let over = self.table.oldest(OVER);
        if unanswered >= (self.table.capacity() / 8).max(1) {
            over.or_else(oldest_unanswered)
        } else {
            over.or_else(answered).or_else(oldest_unanswered)
        }
    }

    fn expire(&mut self, now: FrameTime, most: usize) {
        let mut left = most;
        for list in [UNANSWERED_OTHER, UNANSWERED_TCP, ANSWERED_OTHER, ANSWERED_TCP, OVER] {
            let idle = match list {
                OVER => self.options.linger,
                ANSWERED_TCP | UNANSWERED_TCP => self.options.idle_tcp,
                _ => self.options.idle_other,
            };
            while left > 0 {
                let Some(at) = self.table.oldest(list) else { break };
                let Some(flow) = self.table.get_mut(at).filter(|flow| now.is_past(flow.touched, idle)) else { break };
                left -= 1;
                if now.is_past(flow.end, idle) {
                    self.close(at, if list == OVER { EndReason::Closed } else { EndReason::Idle });
                } else {
                    // Its place was not brought up to date since; now it is.
                    flow.touched = flow.end;
                    self.table.touch(at, list);
                }
            }
        }
    }

    fn close(&mut self, at: u32, reason: EndReason) {
        let Some((key, flow)) = self.table.remove(at) else { return };
        self.counters.flows_finished += 1;
        self.counters.flows_evicted += u64::from(reason == EndReason::Evicted);
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

impl Flow {
    fn add(
        &mut self,
        time: FrameTime,
        out: bool,
        segment: Option<Segment>,
        (mac, octets): Sent,
        counters: &mut TcpCounters,
    ) {
        let (direction, other) = if out { (&mut self.out, &self.back) } else { (&mut self.back, &self.out) };
        if direction.packets == 0 {
            direction.mac = mac;
        }
        direction.packets += 1;
        self.answered |= other.packets != 0;
        direction.bytes += u64::from(octets);
        if let Some(segment) = segment {
            direction.tcp_flags |= segment.flags;
            self.tcp.segment(time, out, &segment, counters);
        }
        self.start = self.start.min(time);
        self.end = self.end.max(time);
    }

    fn list(&self, protocol: u8) -> u8 {
        match (self.tcp.is_over(), self.answered, protocol == protocol::TCP) {
            (true, ..) => OVER,
            (_, true, true) => ANSWERED_TCP,
            (_, true, false) => ANSWERED_OTHER,
            (_, false, true) => UNANSWERED_TCP,
            (_, false, false) => UNANSWERED_OTHER,
        }
    }

    /// Returns the record of a flow that is over.
    fn finish(self, key: &Key, reason: EndReason, counters: &mut TcpCounters) -> FlowRecord {
        let record = self.record(key, reason);
        let tcp = (key.protocol == protocol::TCP).then(|| self.tcp.finish(counters));
        FlowRecord { tcp, ..record }
    }

    /// Returns the record up to now, and begins another at `time`.
    fn cut(&mut self, key: &Key, time: FrameTime) -> FlowRecord {
        let record = self.record(key, EndReason::Active);
        let tcp = (key.protocol == protocol::TCP).then(|| self.tcp.cut());
        self.out = Direction { mac: self.out.mac, ..Direction::default() };
        self.back = Direction { mac: self.back.mac, ..Direction::default() };
        (self.start, self.end) = (time, time);
        FlowRecord { tcp, ..record }
    }

    fn record(&self, key: &Key, reason: EndReason) -> FlowRecord {
        FlowRecord {
            protocol: key.protocol,
            originator: FlowEnd { mac: self.out.mac, ..key.end(self.originator_is_low) },
            responder: FlowEnd { mac: self.back.mac, ..key.end(!self.originator_is_low) },
            vlan: key.vlan(),
            inner_vlan: key.inner_vlan(),
            packets_out: self.out.packets,
            packets_in: self.back.packets,
            bytes_out: self.out.bytes,
            bytes_in: self.back.bytes,
            tcp_flags_out: self.out.tcp_flags,
            tcp_flags_in: self.back.tcp_flags,
            start: self.start,
            end: self.end,
            reason,
            application: None,
            by_payload: false,
            name: None,
            tcp: None,
        }
    }
}
