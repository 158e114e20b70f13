//! A flow that is going on.
//!
//! Invariants: what a record tells is told once: a record that is cut leaves the connection as it is, and begins to count anew.
//! What each packet changes lies in front, in two cache lines behind the key's; the rest is looked at when a flow begins or ends.

use std::hint::black_box;

use onenet_topology::{MacAddr, application::Application, flow::FlowEnd};

use super::{
    key::{Key, Place},
    record::{EndReason, FlowRecord},
    sources::Opener,
    tcp::{Segment, Stream, TcpCounters, Tracker},
};
use crate::{
    FrameTime,
    application::{Assemblies, Details, Recogniser},
    decode::ip::protocol,
};

/// What one side sent.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    packets: u64,
    bytes: u64,
}

/// What of a packet its flow looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) time: FrameTime,
    pub(super) mac: Option<MacAddr>,
    /// Length of the frame.
    pub(super) octets: u32,
    pub(super) segment: Option<Segment>,
    pub(super) payload: &'a [u8],
    /// Whether all of the payload was captured.
    pub(super) whole: bool,
}

/// A flow that is going on. The order is that of memory.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) start: FrameTime,
    pub(super) end: FrameTime,
    pub(super) touched: FrameTime,
    out: Sum,
    back: Sum,
    tcp_flags_out: u8,
    tcp_flags_in: u8,
    pub(super) originator_is_low: bool,
    /// Whether the originator, or who answers it, sent the first packet.
    opened_by_originator: bool,
    /// Whether the originator went on after it was answered.
    established: bool,
    /// Whether payload may still tell something.
    listening: bool,
    pub(super) tcp: Tracker,
    recogniser: Recogniser,
    name: Option<Box<str>>,
    /// The originator's and the responder's link address in the first packet of each.
    macs: [Option<MacAddr>; 2],
}

impl Entry {
    /// Returns a flow without packets.
    pub(super) fn new(time: FrameTime, place: &Place) -> Self {
        let originator_is_low = place.from_low != place.answers;
        let port = |low| place.key.port(low);
        let recogniser = Recogniser::new(place.key.protocol, port(originator_is_low), port(!originator_is_low));
        Self {
            start: time,
            end: time,
            touched: time,
            out: Sum::default(),
            back: Sum::default(),
            tcp_flags_out: 0,
            tcp_flags_in: 0,
            originator_is_low,
            opened_by_originator: !place.answers,
            established: false,
            listening: !recogniser.is_done(),
            tcp: Tracker::default(),
            recogniser,
            name: None,
            macs: [None; 2],
        }
    }

    /// Fetches what a packet will change.
    #[inline]
    pub(super) fn foresee(&self) {
        black_box(self.end);
        self.tcp.foresee();
    }

    /// Counts a packet. Returns whether payload told all that it will.
    #[inline]
    pub(super) fn add(
        &mut self,
        out: bool,
        sent: &Sent<'_>,
        assemblies: &mut Assemblies,
        counters: &mut TcpCounters,
    ) -> bool {
        let (sum, answers) =
            if out { (&mut self.out, self.back.packets != 0) } else { (&mut self.back, self.out.packets != 0) };
        if sum.packets == 0 {
            let [originator, responder] = &mut self.macs;
            let mac = if out { originator } else { responder };
            *mac = mac.or(sent.mac);
        }
        sum.packets += 1;
        sum.bytes += u64::from(sent.octets);
        self.start = self.start.min(sent.time);
        self.end = self.end.max(sent.time);
        let stream = if let Some(segment) = &sent.segment {
            let flags = if out { &mut self.tcp_flags_out } else { &mut self.tcp_flags_in };
            *flags |= segment.flags;
            let stream = self.tcp.segment(sent.time, out, segment, counters);
            self.established = self.tcp.is_established();
            stream
        } else {
            self.established |= out && answers;
            Stream::Next
        };
        self.listening && self.look(out, sent, stream, assemblies)
    }

    fn look(&mut self, out: bool, sent: &Sent<'_>, stream: Stream, assemblies: &mut Assemblies) -> bool {
        if stream == Stream::Nothing {
            return false;
        }
        if stream == Stream::AfterGap {
            self.recogniser.gap(assemblies);
        }
        self.recogniser.payload(assemblies, out, sent.payload);
        if !sent.whole {
            self.recogniser.gap(assemblies);
        }
        self.listening = !self.recogniser.is_done();
        !self.listening
    }

    /// Returns what payload told of the flow, once: it is not kept here any longer.
    pub(super) fn take_details(&mut self) -> Option<Box<Details>> {
        let details = self.recogniser.take_details()?;
        if self.name.is_none() {
            self.name = details.name().map(Into::into);
        }
        Some(details)
    }

    /// Returns what it carries, where payload told.
    pub(super) fn application(&self) -> Option<Application> {
        let conclusion = self.recogniser.conclusion();
        conclusion.application.filter(|_| conclusion.by_payload)
    }

    /// Returns who sent the first packet.
    pub(super) fn opener(&self, key: &Key) -> Opener {
        let [originator, responder] = self.macs;
        let mac = if self.opened_by_originator { originator } else { responder };
        Opener { ip: key.ip(self.originator_is_low == self.opened_by_originator), mac }
    }

    /// Returns whether both sides are known to take part.
    pub(super) fn is_established(&self) -> bool {
        self.established
    }

    /// Returns originator and responder.
    pub(super) fn ends(&self, key: &Key) -> [FlowEnd; 2] {
        let [originator, responder] = self.macs;
        let end = |low, mac| FlowEnd { mac, ..key.end(low) };
        [end(self.originator_is_low, originator), end(!self.originator_is_low, responder)]
    }

    /// Returns the record of a flow that is over.
    pub(super) fn finish(self, key: &Key, reason: EndReason, counters: &mut TcpCounters) -> FlowRecord {
        let mut record = self.record(key, reason);
        record.tcp = (key.protocol == protocol::TCP).then(|| self.tcp.finish(counters));
        record.name = self.name;
        record
    }

    /// Returns the record up to now, and begins another at `time`.
    pub(super) fn cut(&mut self, key: &Key, time: FrameTime) -> FlowRecord {
        let mut record = self.record(key, EndReason::Active);
        record.tcp = (key.protocol == protocol::TCP).then(|| self.tcp.cut());
        record.name.clone_from(&self.name);
        (self.out, self.back) = (Sum::default(), Sum::default());
        (self.tcp_flags_out, self.tcp_flags_in) = (0, 0);
        (self.start, self.end) = (time, time);
        record
    }

    fn record(&self, key: &Key, reason: EndReason) -> FlowRecord {
        let [originator, responder] = self.ends(key);
        let conclusion = self.recogniser.conclusion();
        FlowRecord {
            protocol: key.protocol,
            originator,
            responder,
            vlan: key.vlan(),
            inner_vlan: key.inner_vlan(),
            packets_out: self.out.packets,
            packets_in: self.back.packets,
            bytes_out: self.out.bytes,
            bytes_in: self.back.bytes,
            tcp_flags_out: self.tcp_flags_out,
            tcp_flags_in: self.tcp_flags_in,
            start: self.start,
            end: self.end,
            reason,
            application: conclusion.application,
            by_payload: conclusion.by_payload,
            name: None,
            tcp: None,
        }
    }
}
