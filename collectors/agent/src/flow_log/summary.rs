//! What is known of a block without decoding it: when its flows ended, what they may be about, and what is missing before it.
//!
//! Invariant: a block that holds what is asked for is never ruled out. Pure.
//!
//! Format, in LEB128 numbers: number of the first flow; how many; how many were lost before it because the writer was busy, and
//! because of the disk; the latest end (zigzag), the earliest end and the earliest start, both less than it by so much; length of
//! the payload before compression; how many protocols and their numbers, how many applications and theirs (0: none), a byte each;
//! the rest is the filter (`filter.rs`).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]

use std::collections::BTreeSet;

use onenet_topology::{
    application::Application,
    flow::{Flow, FlowQuery},
    varint::{self, unzigzag, zigzag},
};

use super::{
    filter::{Asked, Filter, Keys},
    frame::PAYLOAD_MAX,
};

/// Flows that were finished and never got into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lost {
    pub(super) busy: u64,
    pub(super) disk: u64,
}

/// When the flows of a block or segment went on, in milliseconds on the agent's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) min_start: i64,
    pub(super) min_end: i64,
    pub(super) max_end: i64,
}

/// What is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary<'a> {
    pub(super) first: u64,
    pub(super) flows: u32,
    /// Flows that were lost after the block before this one.
    pub(super) lost: Lost,
    pub(super) span: Span,
    /// Length of the payload before compression.
    pub(super) raw: usize,
    protocols: &'a [u8],
    applications: &'a [u8],
    filter: Filter<'a>,
}

/// Whether a block can be found by what it holds. Short-lived ones are not worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Findable {
    Yes,
    No,
}

impl Span {
    /// The span of nothing.
    pub(super) const NONE: Self = Self { min_start: i64::MAX, min_end: i64::MAX, max_end: i64::MIN };

    pub(super) const fn is_none(&self) -> bool {
        self.min_end > self.max_end
    }

    pub(super) fn of(flows: &[Flow]) -> Self {
        let of_one = |flow: &Flow| {
            let (start, end) = (flow.start.unix_ms(), flow.end.unix_ms());
            Self { min_start: start.min(end), min_end: end, max_end: end }
        };
        flows.iter().map(of_one).fold(Self::NONE, Self::and)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            min_start: self.min_start.min(other.min_start),
            min_end: self.min_end.min(other.min_end),
            max_end: self.max_end.max(other.max_end),
        }
    }

    /// Returns the same on a clock that is `ahead_ms` behind.
    pub(super) const fn behind(self, ahead_ms: i64) -> Self {
        if self.is_none() {
            return self;
        }
        Self {
            min_start: self.min_start.saturating_sub(ahead_ms),
            min_end: self.min_end.saturating_sub(ahead_ms),
            max_end: self.max_end.saturating_sub(ahead_ms),
        }
    }

    /// Returns whether a flow in it may have been going on in the time asked for.
    pub(super) const fn meets(&self, query: &FlowQuery) -> bool {
        !self.is_none() && self.max_end >= query.from.unix_ms() && self.min_start < query.until.unix_ms()
    }
}

/// Returns the summary of flows whose payload has `raw` bytes before compression.
pub(super) fn encode(first: u64, flows: &[Flow], lost: Lost, raw: usize, findable: Findable) -> Vec<u8> {
    let span = Span::of(flows);
    let mut keys = Keys::default();
    let (mut protocols, mut applications) = (BTreeSet::new(), BTreeSet::new());
    for flow in flows {
        protocols.insert(flow.protocol);
        applications.insert(flow.application.map_or(0, Application::number));
        if findable == Findable::Yes {
            keys.add(flow);
        }
    }
    let mut bytes = Vec::new();
    let numbers = [
        first,
        flows.len().try_into().unwrap_or(u64::MAX),
        lost.busy,
        lost.disk,
        zigzag(span.max_end),
        span.max_end.wrapping_sub(span.min_end).cast_unsigned(),
        span.max_end.wrapping_sub(span.min_start).cast_unsigned(),
        raw.try_into().unwrap_or(u64::MAX),
    ];
    for number in numbers {
        varint::put(&mut bytes, number);
    }
    for set in [protocols, applications] {
        varint::put(&mut bytes, set.len().try_into().unwrap_or(u64::MAX));
        bytes.extend(set);
    }
    bytes.extend(keys.filter());
    bytes
}

impl<'a> Summary<'a> {
    /// Returns what the bytes tell, `None` for what is no summary.
    pub(super) fn decode(mut bytes: &'a [u8]) -> Option<Self> {
        let rest = &mut bytes;
        let first = varint::take(rest)?;
        let flows = u32::try_from(varint::take(rest)?).ok().filter(|flows| *flows > 0)?;
        let lost = Lost { busy: varint::take(rest)?, disk: varint::take(rest)? };
        let max_end = unzigzag(varint::take(rest)?);
        let min_end = max_end.wrapping_sub_unsigned(varint::take(rest)?);
        let min_start = max_end.wrapping_sub_unsigned(varint::take(rest)?);
        let raw = usize::try_from(varint::take(rest)?).ok().filter(|raw| *raw <= PAYLOAD_MAX)?;
        let mut list = || {
            let length = usize::try_from(varint::take(rest)?).ok()?;
            let (list, behind) = rest.split_at_checked(length)?;
            *rest = behind;
            Some(list)
        };
        let (protocols, applications) = (list()?, list()?);
        let span = Span { min_start, min_end, max_end };
        // The numbers of a block's flows are numbers.
        first.checked_add(u64::from(flows))?;
        Some(Self { first, flows, lost, span, raw, protocols, applications, filter: Filter(bytes) })
    }

    /// Returns the number after its last flow.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(u64::from(self.flows))
    }

    /// Returns whether the block may hold what is asked for, but for the time.
    pub(super) fn may_hold(&self, query: &FlowQuery, asked: &Asked) -> bool {
        query.protocol.is_none_or(|protocol| self.protocols.contains(&protocol))
            && query.application.is_none_or(|application| self.applications.contains(&application.number()))
            && self.filter.may_hold(asked)
    }
}
