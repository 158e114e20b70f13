//! What became of a TCP connection, and what was measured of it.
//!
//! Invariants: bounded state and no payload; what the sides say is followed as the capture shows it, not as they may have
//! understood it. It does not know addresses, nor when a flow ends for want of packets.

mod history;
mod sequence;
#[cfg(test)]
mod tests;

use std::hint::black_box;

use onenet_topology::flow::{TcpFlow, TcpState};

pub use history::{Event, History};

use self::sequence::{Order, RoundTrip, Seen, Sequence, Span};
use crate::{
    FrameTime,
    decode::{Ip, tcp::Tcp, tcp::flags},
};

/// What was measured of a TCP connection, as a record keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpRecord {
    /// What became of it.
    pub state: TcpState,
    /// What happened, in order.
    pub history: History,
    /// Segments with payload that the originator sent again.
    pub retransmissions_out: u32,
    /// Segments with payload that the responder sent again.
    pub retransmissions_in: u32,
    /// From the SYN to the acknowledgement that ends the handshake, in microseconds, as seen where it was captured.
    pub handshake_us: Option<u32>,
}

/// What was counted of all connections. What was missed, of what was missed and seen, estimates what the capture lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpCounters {
    /// Segments with payload that was not seen before.
    pub segments: u64,
    /// Bytes of their payload.
    pub bytes: u64,
    /// Segments with payload that was sent again.
    pub retransmissions: u64,
    /// Segments that came in another order than they were sent.
    pub out_of_order: u64,
    /// Stretches of payload that were acknowledged and never captured.
    pub gaps: u64,
    /// Bytes of payload in them.
    pub bytes_missed: u64,
}

/// What of a segment is followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    acknowledgement: u32,
    window: u16,
    /// Bytes of payload, captured or not.
    length: u32,
    /// Whether this is but a part of it.
    part: bool,
}

/// What a segment's payload is in the stream of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// None, or payload that was there before, or that comes too late.
    Nothing,
    /// What comes next.
    Next,
    /// What comes later: something is missing before it.
    AfterGap,
}

/// What has happened once.
mod seen {
    /// The originator's SYN.
    pub(super) const ASKED: u16 = 0x01;
    /// The responder's SYN.
    pub(super) const ANSWERED: u16 = 0x02;
    /// Anything of the originator that acknowledges and is no SYN.
    pub(super) const CONFIRMED: u16 = 0x04;
    /// The same of the responder.
    pub(super) const CONFIRMED_BACK: u16 = 0x08;
    /// FIN, of either.
    pub(super) const FIN_OUT: u16 = 0x10;
    pub(super) const FIN_IN: u16 = 0x20;
    /// The first reset, unless both had sent FIN.
    pub(super) const RESET_OUT: u16 = 0x40;
    pub(super) const RESET_IN: u16 = 0x80;
    /// The originator acknowledged about what the responder had sent.
    pub(super) const ESTABLISHED: u16 = 0x100;
}

/// A connection that is going on. The order is that of memory: what every segment looks at fills a cache line.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Tracker {
    out: Sequence,
    back: Sequence,
    history: History,
    seen: u16,
    handshake: RoundTrip,
    /// Sequence number of the originator's SYN.
    opening: u32,
    retransmissions_out: u32,
    retransmissions_in: u32,
    /// When the originator last sent a SYN.
    asked: FrameTime,
}

impl Segment {
    /// Returns what is followed of a segment in an IP packet.
    #[inline]
    pub(super) fn new(ip: &Ip<'_>, tcp: &Tcp<'_>) -> Self {
        let length = tcp.payload.len().saturating_add(ip.header.missing);
        Self {
            flags: tcp.flags,
            sequence: tcp.sequence,
            acknowledgement: tcp.acknowledgement,
            window: tcp.window,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            part: ip.header.fragment.is_some(),
        }
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Returns whether the segment opens a connection.
    pub(super) const fn opens(&self) -> bool {
        self.has(flags::SYN) && !self.has(flags::ACK)
    }
}

impl Tracker {
    /// Fetches what a segment will change.
    #[inline]
    pub(super) fn foresee(&self) {
        black_box(self.seen);
    }

    /// Follows a segment. Returns what its payload is in the stream of its side.
    #[inline]
    pub(super) fn segment(
        &mut self,
        time: FrameTime,
        out: bool,
        segment: &Segment,
        counters: &mut TcpCounters,
    ) -> Stream {
        if segment.flags & (flags::SYN | flags::FIN | flags::RST) != 0 {
            self.turn(time, out, segment);
        } else if segment.has(flags::ACK) {
            self.confirm(time, out, segment);
        }
        if segment.has(flags::RST) {
            return Stream::Nothing;
        }
        let stream = self.payload(time, out, segment, counters);
        if segment.has(flags::ACK) {
            let other = if out { &mut self.back } else { &mut self.out };
            let missed = other.acknowledged(time, segment.acknowledgement);
            if missed != 0 {
                counters.miss(missed);
                self.history.note(Event::Gap, !out);
            }
        }
        if segment.has(flags::FIN) {
            self.history.note(Event::Fin, out);
        } else if segment.window == 0 && !segment.has(flags::SYN) {
            self.history.note(Event::WindowClosed, out);
        }
        stream
    }

    /// Follows what opens and closes a connection.
    fn turn(&mut self, time: FrameTime, out: bool, segment: &Segment) {
        let side = if out { &mut self.out } else { &mut self.back };
        if segment.has(flags::RST) {
            self.history.note(Event::Reset, out);
            let decided = self.seen & (seen::RESET_OUT | seen::RESET_IN) != 0 || self.both_closed();
            let side = if out { &self.out } else { &self.back };
            if !decided && side.may_reset(segment.sequence) {
                self.seen |= if out { seen::RESET_OUT } else { seen::RESET_IN };
            }
        } else if segment.has(flags::SYN) {
            side.begin(segment.sequence);
            self.history.note(if segment.has(flags::ACK) { Event::SynAck } else { Event::Syn }, out);
            match (out, segment.has(flags::ACK)) {
                (true, false) => {
                    if self.seen & seen::ASKED == 0 {
                        self.opening = segment.sequence;
                    }
                    if self.seen & seen::ANSWERED == 0 {
                        self.asked = time;
                    }
                    self.seen |= seen::ASKED;
                }
                (false, _) => self.seen |= seen::ANSWERED,
                (true, true) => {}
            }
        } else {
            self.seen |= if out { seen::FIN_OUT } else { seen::FIN_IN };
            if segment.has(flags::ACK) {
                self.confirm(time, out, segment);
            }
        }
    }

    fn confirm(&mut self, time: FrameTime, out: bool, segment: &Segment) {
        if out && self.seen & seen::ESTABLISHED == 0 && self.back.may_acknowledge(segment.acknowledgement) {
            self.seen |= seen::ESTABLISHED;
        }
        if out && self.seen & (seen::ASKED | seen::ANSWERED | seen::CONFIRMED) == seen::ASKED | seen::ANSWERED {
            let us = time.ns_since(self.asked) / 1_000;
            self.handshake = RoundTrip::of(us);
        }
        self.seen |= if out { seen::CONFIRMED } else { seen::CONFIRMED_BACK };
    }

    fn payload(&mut self, time: FrameTime, out: bool, segment: &Segment, counters: &mut TcpCounters) -> Stream {
        let side = if out { &mut self.out } else { &mut self.back };
        if segment.part {
            side.lose_track();
        }
        let syn = u32::from(segment.has(flags::SYN));
        let span =
            Span { start: segment.sequence.wrapping_add(syn), length: segment.length, fin: segment.has(flags::FIN) };
        let length = u64::from(segment.length);
        match side.segment(time, span, self.handshake) {
            Seen::Nothing => {
                if segment.flags & (flags::SYN | flags::FIN) == 0 {
                    self.history.note(Event::Ack, out);
                }
                Stream::Nothing
            }
            Seen::New(order) => {
                counters.segments += 1;
                counters.bytes += length;
                counters.out_of_order += u64::from(order == Order::Late);
                self.history.note(Event::Data, out);
                match order {
                    Order::Next => Stream::Next,
                    Order::Ahead => Stream::AfterGap,
                    Order::Late => Stream::Nothing,
                }
            }
            Seen::Again { new } => {
                counters.retransmissions += 1;
                counters.bytes += u64::from(new);
                let count = if out { &mut self.retransmissions_out } else { &mut self.retransmissions_in };
                *count = count.saturating_add(1);
                self.history.note(Event::Retransmission, out);
                Stream::Nothing
            }
        }
    }

    fn both_closed(&self) -> bool {
        self.seen & (seen::FIN_OUT | seen::FIN_IN) == seen::FIN_OUT | seen::FIN_IN
    }

    /// Returns whether the connection is over.
    pub(super) fn is_over(&self) -> bool {
        self.both_closed() || self.seen & (seen::RESET_OUT | seen::RESET_IN) != 0
    }

    /// Returns whether both sides are known to take part: the originator, too, knows what the other sent.
    pub(super) fn is_established(&self) -> bool {
        self.seen & seen::ESTABLISHED != 0
    }

    /// Returns whether a SYN of the originator with this sequence number opens another connection than this one.
    pub(super) fn is_another(&self, sequence: u32) -> bool {
        // Where its beginning was not seen, a SYN after it is over cannot be its own.
        if self.seen & seen::ASKED != 0 { self.opening != sequence } else { self.is_over() }
    }

    /// Returns what is known, and begins another record of the same connection.
    pub(super) fn cut(&mut self) -> TcpRecord {
        TcpRecord {
            state: self.state(),
            history: std::mem::take(&mut self.history),
            retransmissions_out: std::mem::take(&mut self.retransmissions_out),
            retransmissions_in: std::mem::take(&mut self.retransmissions_in),
            handshake_us: self.handshake.us(),
        }
    }

    /// Returns what is known: no more will come.
    pub(super) fn finish(mut self, counters: &mut TcpCounters) -> TcpRecord {
        for (missed, by_originator) in [(self.out.finish(), true), (self.back.finish(), false)] {
            if missed != 0 {
                counters.miss(missed);
                self.history.note(Event::Gap, by_originator);
            }
        }
        self.cut()
    }

    fn state(&self) -> TcpState {
        let has = |what: u16| self.seen & what != 0;
        let (asked, answered) = (has(seen::ASKED), has(seen::ANSWERED));
        let reset_by = (has(seen::RESET_OUT), has(seen::RESET_IN));
        let closed = (has(seen::FIN_OUT), has(seen::FIN_IN));
        if (asked && (answered || has(seen::CONFIRMED_BACK))) || (answered && has(seen::CONFIRMED)) {
            return match (reset_by, closed) {
                ((true, _), _) => TcpState::OriginatorReset,
                ((_, true), _) => TcpState::ResponderReset,
                (_, (true, true)) => TcpState::Finished,
                (_, (true, false)) => TcpState::OriginatorClosed,
                (_, (false, true)) => TcpState::ResponderClosed,
                _ => TcpState::Established,
            };
        }
        match (asked, answered, reset_by, closed) {
            (true, _, (_, true), _) => TcpState::Refused,
            (true, _, (true, _), _) => TcpState::AttemptReset,
            (true, _, _, (true, _)) => TcpState::HalfOpenOriginator,
            (true, ..) => TcpState::Attempted,
            (_, true, (_, true), _) => TcpState::AnswerReset,
            (_, true, (true, _), _) => TcpState::OriginatorReset,
            (_, true, _, (_, true)) => TcpState::HalfOpenResponder,
            _ => TcpState::Midstream,
        }
    }
}

impl TcpCounters {
    fn miss(&mut self, bytes: u32) {
        self.gaps += 1;
        self.bytes_missed += u64::from(bytes);
    }
}

impl From<TcpRecord> for TcpFlow {
    fn from(record: TcpRecord) -> Self {
        Self {
            state: record.state,
            history: record.history.to_string(),
            retransmissions_out: record.retransmissions_out.into(),
            retransmissions_in: record.retransmissions_in.into(),
            handshake_us: record.handshake_us.map(Into::into),
        }
    }
}
