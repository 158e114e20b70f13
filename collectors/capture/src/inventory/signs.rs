//! The signs that one endpoint gives: what was said, since when, how often.
//!
//! Invariants: at most [`SIGNS_MAX`] of an endpoint, a few of each kind, and all endpoints together within one [`Room`] of
//! bytes. What was heard more than once stays; a value that was heard once gives way to another of its kind only after
//! [`YIELD_NS`], so that whoever makes up values can neither drive out what is known nor fill reports with them.
//! Hearing again what is known allocates nothing.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use onenet_topology::classify::{self, Plurality, Sign, SignKind};
use serde::Serialize;

use super::endpoint::Noted;
use crate::{
    FrameTime,
    facts::{Method, Value},
    passive::printable,
};

/// The most signs kept of one endpoint.
pub(super) const SIGNS_MAX: usize = 48;
/// The most values kept of a kind of which an honest endpoint has one at a time.
const ONE_MAX: usize = 4;
/// The most values kept of a kind of which an honest endpoint has several.
const MANY_MAX: usize = 10;
/// The most values kept of a kind that programs say inside of their connections: these are long, and a busy endpoint has them
/// all.
const APPLICATION_MAX: usize = 6;
/// How long a value that was heard once stays before another one of its kind may take its place.
const YIELD_NS: u64 = 600_000_000_000;
/// What a sign takes beside its text, in bytes.
const OVERHEAD_BYTES: usize = size_of::<Kept>();

/// What an endpoint said or showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignState {
    /// What it is.
    pub kind: SignKind,
    /// What was said.
    pub value: String,
    /// When it was first heard.
    pub first: FrameTime,
    /// When it was last heard.
    pub last: FrameTime,
    /// How often.
    pub count: u32,
}

/// The bytes that the signs of all endpoints may take.
#[derive(Debug)]
pub(super) struct Room {
    used: usize,
    max: usize,
    /// Signs that found no room.
    pub(super) unkept: u64,
}

/// The signs of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Signs {
    list: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The hash of what was on the wire.
    hash: u64,
    first: FrameTime,
    last: FrameTime,
    count: u32,
    kind: SignKind,
    text: Box<str>,
}

impl Room {
    pub(super) const fn new(max: usize) -> Self {
        Self { used: 0, max, unkept: 0 }
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.used.saturating_add(bytes) <= self.max;
        if fits {
            self.used += bytes;
        } else {
            self.unkept += 1;
        }
        fits
    }

    fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}

impl Signs {
    /// Notes that something was said.
    pub(super) fn hear(
        &mut self,
        time: FrameTime,
        kind: SignKind,
        value: Value<'_>,
        hasher: &RandomState,
        room: &mut Room,
    ) -> Noted {
        let hash = hashed(value, hasher);
        if let Some(known) = self.list.iter_mut().find(|known| known.hash == hash && known.kind == kind) {
            return known.again(time);
        }
        let Some(text) = text(value) else { return Noted::Known };
        // The same text may stand on the wire in several forms.
        if let Some(known) = self.list.iter_mut().find(|known| known.kind == kind && *known.text == *text) {
            known.hash = hash;
            return known.again(time);
        }
        // Machines name dozens of programs that are on all kinds of machines.
        if kind == SignKind::HttpAgent && !classify::tells(kind, &text) {
            return Noted::Known;
        }
        if !self.make_room(time, kind, room) || !room.take(OVERHEAD_BYTES + text.len()) {
            return Noted::Known;
        }
        self.list.push(Kept { hash, first: time, last: time, count: 1, kind, text: text.into_boxed_str() });
        Noted::Changed
    }

    /// Returns whether one more value of the kind may be kept; one that may yield leaves for it.
    fn make_room(&mut self, time: FrameTime, kind: SignKind, room: &mut Room) -> bool {
        let most = match kind.plurality() {
            Plurality::One => ONE_MAX,
            Plurality::Many if Method::of(kind) == Method::Application => APPLICATION_MAX,
            Plurality::Many => MANY_MAX,
        };
        let of_kind = self.list.iter().filter(|known| known.kind == kind).count();
        if of_kind < most && self.list.len() < SIGNS_MAX {
            return true;
        }
        let yields = |known: &Kept| {
            known.kind == kind && known.count == 1 && time.unix_ns().abs_diff(known.last.unix_ns()) > YIELD_NS
        };
        let oldest =
            self.list.iter().enumerate().filter(|(_, known)| yields(known)).min_by_key(|(_, known)| known.last);
        let Some((at, _)) = oldest else {
            room.unkept += 1;
            return false;
        };
        let gone = self.list.swap_remove(at);
        room.give_back(OVERHEAD_BYTES + gone.text.len());
        true
    }

    /// Gives back the room of all signs: the endpoint leaves.
    pub(super) fn leave(&self, room: &mut Room) {
        room.give_back(self.list.iter().map(|known| OVERHEAD_BYTES + known.text.len()).sum());
    }

    /// Returns the signs as the classifier reads them.
    pub(super) fn read(&self) -> Vec<Sign<'_>> {
        self.list.iter().map(Kept::sign).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns when something was last said.
    pub(super) fn last(&self) -> Option<FrameTime> {
        self.list.iter().map(|known| known.last).max()
    }

    pub(super) fn states(&self) -> Vec<SignState> {
        let state = |known: &Kept| SignState {
            kind: known.kind,
            value: known.text.to_string(),
            first: known.first,
            last: known.last,
            count: known.count,
        };
        let mut states: Vec<_> = self.list.iter().map(state).collect();
        states.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
        states
    }
}

impl Kept {
    fn sign(&self) -> Sign<'_> {
        Sign { kind: self.kind, value: &self.text, first: self.first.into(), last: self.last.into(), count: self.count }
    }

    /// Notes that it was said again. That it was said more than once is news; how often, is not.
    fn again(&mut self, time: FrameTime) -> Noted {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.count = self.count.saturating_add(1);
        if self.count <= 3 { Noted::Changed } else { Noted::Known }
    }
}

fn hashed(value: Value<'_>, hasher: &RandomState) -> u64 {
    match value {
        Value::Text(text) => hasher.hash_one(text),
        Value::Traits(traits) => hasher.hash_one(traits),
        Value::Claimed(text, by) => hasher.hash_one((text, by)),
    }
}

/// Returns the text to be kept, `None` when there is nothing printable in it.
fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => printable(text),
        Value::Traits(traits) => Some(traits.to_string()),
        Value::Claimed(text, by) => printable(text).map(|text| format!("{text} from {by}")),
    }
}
