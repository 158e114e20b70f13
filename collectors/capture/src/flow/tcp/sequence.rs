//! Which payload of one side was seen, by sequence numbers: in order, ahead of what is missing, again, or never although it
//! was acknowledged.
//!
//! Invariant: a few holes a side and no payload; a number that no window allows changes nothing. What was missing and comes
//! late was out of order when it comes within a round trip, and sent again otherwise: nothing in a packet says which.

use crate::FrameTime;

/// The most holes of a side that are remembered; the lowest is forgotten, uncounted.
const HOLES: usize = 4;
/// How far ahead of what was seen a number may be, in bytes. Windows may reach 1 GiB, and are megabytes.
const AHEAD_MAX: u32 = 1 << 24;
/// Within which time what was missing is out of order, where no round trip is known, in nanoseconds.
const REORDER_NS: i64 = 3_000_000;

/// One side's sequence numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    /// Behind the highest number that was seen.
    next: u32,
    /// Whether anything was seen yet.
    known: bool,
    /// Whether parts of segments went by that cannot be told: nothing is concluded any more.
    lost_track: bool,
    /// What is missing below `next`.
    holes: Option<Box<Holes>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Holes {
    list: [Hole; HOLES],
    len: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hole {
    start: u32,
    end: u32,
    since: FrameTime,
    /// Whether the other side has acknowledged it.
    acknowledged: bool,
}

/// A round trip, if it is known. In four bytes: a tag of its own would be what tells whether the flow is there at all, and lies far
/// from what else a packet needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoundTrip(u32);

/// What a segment was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing that counts: no payload, a keep-alive, or a number that cannot be.
    Nothing,
    /// Payload not seen before.
    New(Order),
    /// Payload that was sent again, of which so many bytes were not seen before.
    Again {
        /// Bytes not seen before.
        new: u32,
    },
}

/// Where new payload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Behind the last.
    Next,
    /// Behind something that is missing, or what was before it is not known.
    Ahead,
    /// Where it was missing: it came in another order than it was sent.
    Late,
}

/// A segment's place, without SYN and FIN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Number of the first byte.
    pub(super) start: u32,
    /// Bytes of payload.
    pub(super) length: u32,
    /// Whether FIN takes a number behind them.
    pub(super) fin: bool,
}

/// Returns how far `number` is ahead of `base`, negative when it is behind.
const fn ahead(number: u32, base: u32) -> i32 {
    number.wrapping_sub(base).cast_signed()
}

impl Default for RoundTrip {
    fn default() -> Self {
        Self(Self::UNKNOWN)
    }
}

impl RoundTrip {
    const UNKNOWN: u32 = u32::MAX;

    /// Returns a round trip of so many microseconds, an unknown one when that cannot be.
    pub(super) fn of(us: i64) -> Self {
        Self(u32::try_from(us).unwrap_or(Self::UNKNOWN))
    }

    pub(super) fn us(self) -> Option<u32> {
        Some(self.0).filter(|us| *us != Self::UNKNOWN)
    }
}

impl Sequence {
    /// Notes a SYN whose number is `number`.
    pub(super) fn begin(&mut self, number: u32) {
        if !self.known {
            *self = Self { next: number.wrapping_add(1), known: true, ..Self::default() };
        }
    }

    /// Concludes nothing of this side any more: its packets come in parts.
    pub(super) fn lose_track(&mut self) {
        *self = Self { lost_track: true, ..Self::default() };
    }

    /// Returns whether a reset with this number may come from who sent the rest.
    pub(super) fn may_reset(&self, number: u32) -> bool {
        !self.known || ahead(number, self.next).unsigned_abs() <= AHEAD_MAX >> 4
    }

    /// Returns whether this acknowledges about what was sent: whoever only forges the other side's address cannot know it.
    pub(super) fn may_acknowledge(&self, number: u32) -> bool {
        self.lost_track || (self.known && ahead(number, self.next).unsigned_abs() <= AHEAD_MAX >> 4)
    }

    /// Notes a segment.
    #[inline]
    pub(super) fn segment(&mut self, time: FrameTime, span: Span, round_trip: RoundTrip) -> Seen {
        let new = |order| if span.length == 0 { Seen::Nothing } else { Seen::New(order) };
        if self.lost_track {
            return new(Order::Ahead);
        }
        let end = span.start.wrapping_add(span.length).wrapping_add(u32::from(span.fin));
        if !self.known {
            (self.known, self.next) = (true, end);
            return new(Order::Ahead);
        }
        let distance = ahead(span.start, self.next);
        if distance == 0 {
            self.next = end;
            return new(Order::Next);
        }
        self.out_of_place(time, span, end, distance, round_trip)
    }

    #[cold]
    fn out_of_place(&mut self, time: FrameTime, span: Span, end: u32, distance: i32, round_trip: RoundTrip) -> Seen {
        if distance.unsigned_abs() > AHEAD_MAX {
            return Seen::Nothing;
        }
        if distance > 0 {
            let hole = Hole { start: self.next, end: span.start, since: time, acknowledged: false };
            self.holes.get_or_insert_default().push(hole);
            self.next = end;
            return if span.length == 0 { Seen::Nothing } else { Seen::New(Order::Ahead) };
        }
        // A keep-alive repeats the last number, with one byte or none (RFC 9293, section 3.8.4).
        if span.length == 0 || (span.length == 1 && distance == -1) {
            return Seen::Nothing;
        }
        let beyond = u32::try_from(ahead(end, self.next)).unwrap_or(0);
        self.next = self.next.wrapping_add(beyond);
        let filled = self.holes.as_mut().and_then(|holes| holes.fill(span.start, end));
        self.drop_empty();
        match filled {
            Some((bytes, since)) => {
                let limit = round_trip.us().map_or(REORDER_NS, |us| i64::from(us) * 1_000);
                let overtaken = time.ns_since(since) <= limit;
                if overtaken { Seen::New(Order::Late) } else { Seen::Again { new: bytes.saturating_add(beyond) } }
            }
            None => Seen::Again { new: beyond },
        }
    }

    /// Notes that the other side acknowledged everything below `number`. Returns the bytes that are found never to have been
    /// captured.
    #[inline]
    pub(super) fn acknowledged(&mut self, time: FrameTime, number: u32) -> u32 {
        let beyond = if self.known { ahead(number, self.next) } else { 0 };
        if beyond <= 0 && self.holes.is_none() { 0 } else { self.acknowledged_missing(time, number, beyond) }
    }

    /// Two acknowledgements make it certain: one may overtake, on its way to the capture, what it acknowledges.
    #[cold]
    fn acknowledged_missing(&mut self, time: FrameTime, number: u32, beyond: i32) -> u32 {
        if beyond.unsigned_abs() > AHEAD_MAX {
            return 0;
        }
        let missed = self.holes.as_mut().map_or(0, |holes| holes.acknowledged(number));
        self.drop_empty();
        if beyond > 0 {
            let hole = Hole { start: self.next, end: number, since: time, acknowledged: true };
            self.holes.get_or_insert_default().push(hole);
            self.next = number;
        }
        missed
    }

    /// Returns the bytes that were acknowledged and not captured until now: nothing more will come.
    pub(super) fn finish(&mut self) -> u32 {
        self.holes.take().map_or(0, |holes| holes.settled())
    }

    fn drop_empty(&mut self) {
        if self.holes.as_ref().is_some_and(|holes| holes.len == 0) {
            self.holes = None;
        }
    }
}

impl Holes {
    fn push(&mut self, hole: Hole) {
        if self.len == HOLES {
            self.list.copy_within(1.., 0);
            self.len -= 1;
        }
        if let Some(place) = self.list.get_mut(self.len) {
            *place = hole;
            self.len += 1;
        }
    }

    /// Takes what is between `start` and `end` out of the holes. Returns its bytes, and since when the first was missing;
    /// `None` when none was.
    fn fill(&mut self, start: u32, end: u32) -> Option<(u32, FrameTime)> {
        let old = *self;
        let mut filled: Option<(u32, FrameTime)> = None;
        self.len = 0;
        for hole in old.list.iter().take(old.len) {
            let from = if ahead(start, hole.start) > 0 { start } else { hole.start };
            let to = if ahead(end, hole.end) < 0 { end } else { hole.end };
            let Ok(bytes @ 1..) = u32::try_from(ahead(to, from)) else {
                self.push(*hole);
                continue;
            };
            let (before, since) = filled.unwrap_or((0, hole.since));
            filled = Some((before.saturating_add(bytes), since));
            for rest in [Hole { end: from, ..*hole }, Hole { start: to, ..*hole }] {
                if rest.start != rest.end {
                    self.push(rest);
                }
            }
        }
        filled
    }

    /// Marks what is below `number` as acknowledged. Returns, and forgets, the bytes that were so before.
    fn acknowledged(&mut self, number: u32) -> u32 {
        let old = *self;
        let mut missed = 0_u32;
        self.len = 0;
        for hole in old.list.iter().take(old.len) {
            if ahead(number, hole.end) < 0 {
                self.push(*hole);
            } else if hole.acknowledged {
                missed = missed.saturating_add(hole.end.wrapping_sub(hole.start));
            } else {
                self.push(Hole { acknowledged: true, ..*hole });
            }
        }
        missed
    }

    fn settled(&self) -> u32 {
        let holes = self.list.iter().take(self.len).filter(|hole| hole.acknowledged);
        holes.fold(0, |sum, hole| sum.saturating_add(hole.end.wrapping_sub(hole.start)))
    }
}
