//! Values of managed objects (RFC 3416, section 3), as this crate passes them.
//!
//! Invariant: a number is held as it was sent, never cut to the width of its type.
//!
//! Values come by the thousand with each poll, so that addresses and names of ports are held in place.

use std::{
    cell::RefCell,
    fmt,
    hash::{Hash, Hasher},
    net::Ipv4Addr,
    ops::Deref,
};

use crate::oid::Oid;

/// A value of a managed object, or the exception that stands in for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// INTEGER. Wider than 32 bits when a sloppy agent sent it so.
    Integer(i64),
    /// Counter32, a number that wraps at 2^32.
    Counter32(u64),
    /// Gauge32 or Unsigned32.
    Gauge32(u64),
    /// TimeTicks, hundredths of a second.
    TimeTicks(u64),
    /// Counter64.
    Counter64(u64),
    /// OCTET STRING, and the historic types that carry bytes.
    Octets(Octets),
    /// OBJECT IDENTIFIER.
    ObjectId(Box<Oid>),
    /// IpAddress.
    IpAddress(Ipv4Addr),
    /// NULL, which no readable object has.
    Null,
    /// The agent does not know the object.
    NoSuchObject,
    /// The agent knows the object and has no such instance.
    NoSuchInstance,
    /// There is nothing after the asked name.
    EndOfMibView,
    /// A value that could not be decoded, or that was cut on the way and cannot be told from a good one.
    Malformed,
}

/// The most octets held in place: what fits without making a [`Value`] larger.
const INLINE_OCTETS: usize = 22;

/// The bytes of an octet string.
#[derive(Clone)]
pub struct Octets(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { count: u8, bytes: [u8; INLINE_OCTETS] },
    Boxed(Box<[u8]>),
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { count, bytes } => bytes.get(..usize::from(*count)).unwrap_or(bytes),
            Bytes::Boxed(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        let mut inline = [0; INLINE_OCTETS];
        match (inline.get_mut(..octets.len()), u8::try_from(octets.len())) {
            (Some(places), Ok(count)) => {
                places.copy_from_slice(octets);
                Self(Bytes::Inline { count, bytes: inline })
            }
            _ => Self(Bytes::Boxed(octets.into())),
        }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self::from(&octets[..])
    }
}

impl<const N: usize> From<[u8; N]> for Octets {
    fn from(octets: [u8; N]) -> Self {
        Self::from(&octets[..])
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Octets {}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Value {
    /// Returns whether the agent sent an exception in place of a value.
    pub const fn is_exception(&self) -> bool {
        matches!(self, Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView)
    }

    /// Returns a number of any integer type that is not negative.
    pub fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            Self::Counter32(number) | Self::Gauge32(number) | Self::TimeTicks(number) | Self::Counter64(number) => {
                Some(*number)
            }
            _ => None,
        }
    }

    /// Returns the bytes of an octet string.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    /// Returns the IPv4 address; some agents send its four bytes as a string.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        match self {
            Self::IpAddress(address) => Some(*address),
            Self::Octets(octets) => <[u8; 4]>::try_from(&**octets).ok().map(Ipv4Addr::from),
            _ => None,
        }
    }

    /// Returns the object identifier.
    pub fn object_id(&self) -> Option<&Oid> {
        match self {
            Self::ObjectId(oid) => Some(oid),
            _ => None,
        }
    }

    /// Returns about how many bytes the value takes in a message.
    pub fn wire_bytes(&self) -> usize {
        let number =
            |number: u64| 3 + number.checked_ilog2().map_or(0, |bit| usize::try_from(bit + 1).unwrap_or(64) / 8);
        match self {
            Self::Octets(octets) => octets.len() + 2,
            Self::ObjectId(oid) => oid.arcs().len() + 2,
            Self::Integer(signed) => number(signed.unsigned_abs()),
            Self::Counter32(it) | Self::Gauge32(it) | Self::TimeTicks(it) | Self::Counter64(it) => number(*it),
            _ => 6,
        }
    }
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarBind {
    /// The instance.
    pub oid: Oid,
    /// Its value.
    pub value: Value,
}

impl VarBind {
    /// Returns about how many bytes the pair takes in a message: an upper estimate for arcs below 2^14.
    pub fn wire_bytes(&self) -> usize {
        // Two heads, and the first two arcs as one.
        let arcs: usize = self.oid.arcs().iter().map(|arc| if *arc < 128 { 1 } else { 2 }).sum();
        arcs + 3 + self.value.wire_bytes()
    }
}

/// Names and values in the order in which they were sent, in two flat vectors: those of an answer take no more allocations
/// than one does, and mostly none, since the room of answers that are done with is used again.
#[derive(Debug, Clone, Default)]
pub struct VarBinds {
    /// The names, one behind the other.
    arcs: Vec<u32>,
    pairs: Vec<Pair>,
}

/// A value, and where its name ends.
#[derive(Debug, Clone)]
struct Pair {
    arcs_end: u32,
    bytes: u32,
    value: Value,
}

/// A name and its value, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct VarBindRef<'a> {
    /// The arcs of the instance; none when they could not be read.
    pub name: &'a [u32],
    /// Its value.
    pub value: &'a Value,
    /// About how many bytes the pair took in the message.
    pub wire_bytes: usize,
}

/// How many rooms a thread keeps: as many answers as are in its hands when they gathered.
const ROOMS_KEPT: usize = 32;

thread_local! {
    static ROOMS: RefCell<Vec<VarBinds>> = const { RefCell::new(Vec::new()) };
}

impl VarBinds {
    /// Room that is not larger is kept for later answers, in bytes.
    pub const ROOM_KEPT_BYTES: usize = 1 << 14;

    /// Returns the most that [`room_bytes`](Self::room_bytes) comes to for a message of so many bytes: memory follows the
    /// datagram. A pair takes two bytes of it at the least and an arc mostly one, vectors that grow double, and either may
    /// begin in room that was kept.
    pub const fn room_limit(message_bytes: usize) -> usize {
        Self::ROOM_KEPT_BYTES + 2 * message_bytes * (size_of::<Pair>() / 2 + 2 * size_of::<u32>())
    }

    /// Returns none, with room for so many pairs and arcs.
    pub(crate) fn with_capacity(pairs: usize, arcs: usize) -> Self {
        let kept = ROOMS.try_with(|rooms| rooms.try_borrow_mut().ok()?.pop());
        let mut empty = kept.ok().flatten().unwrap_or_default();
        empty.arcs.reserve(arcs);
        empty.pairs.reserve(pairs);
        empty
    }

    /// Begins a pair: `write` adds the arcs of its name behind those that are there, and says whether it could. Returns that;
    /// a name that cannot be read has no arcs.
    pub(crate) fn name(&mut self, write: impl FnOnce(&mut Vec<u32>) -> bool) -> bool {
        let before = self.arcs.len();
        let written = write(&mut self.arcs);
        if !written {
            self.arcs.truncate(before);
        }
        written
    }

    /// Ends a pair that took so many bytes.
    pub(crate) fn push(&mut self, value: Value, bytes: usize) {
        let arcs_end = u32::try_from(self.arcs.len()).unwrap_or(u32::MAX);
        self.pairs.push(Pair { arcs_end, bytes: u32::try_from(bytes).unwrap_or(u32::MAX), value });
    }

    /// Returns how many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Returns how many bytes the pairs hold room for.
    pub fn room_bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<Pair>() + self.arcs.capacity() * size_of::<u32>()
    }

    /// Returns the pairs.
    pub fn iter(&self) -> impl Iterator<Item = VarBindRef<'_>> {
        let mut begin = 0;
        self.pairs.iter().map(move |pair| {
            let end = usize::try_from(pair.arcs_end).unwrap_or(usize::MAX);
            let name = self.arcs.get(std::mem::replace(&mut begin, end)..end).unwrap_or_default();
            VarBindRef { name, value: &pair.value, wire_bytes: usize::try_from(pair.bytes).unwrap_or(usize::MAX) }
        })
    }

    /// Gives the pairs away: name, value, and about how many bytes they took in the message.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (&[u32], Value, usize)> {
        let (arcs, mut begin) = (&self.arcs, 0);
        self.pairs.drain(..).map(move |pair| {
            let end = usize::try_from(pair.arcs_end).unwrap_or(usize::MAX);
            let name = arcs.get(std::mem::replace(&mut begin, end)..end).unwrap_or_default();
            (name, pair.value, usize::try_from(pair.bytes).unwrap_or(usize::MAX))
        })
    }

    /// Returns the last value.
    pub(crate) fn last(&self) -> Option<&Value> {
        self.pairs.last().map(|pair| &pair.value)
    }

    /// Drops what is behind the first so many pairs.
    pub(crate) fn truncate(&mut self, pairs: usize) {
        self.pairs.truncate(pairs);
    }

    /// Returns the pairs, each for itself.
    pub fn into_vec(mut self) -> Vec<VarBind> {
        self.drain().map(|(name, value, _)| VarBind { oid: Oid::from_arcs(name), value }).collect()
    }
}

impl IntoIterator for VarBinds {
    type Item = VarBind;
    type IntoIter = std::vec::IntoIter<VarBind>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl Drop for VarBinds {
    fn drop(&mut self) {
        if !(1..=Self::ROOM_KEPT_BYTES).contains(&self.room_bytes()) {
            return;
        }
        self.arcs.clear();
        self.pairs.clear();
        let mut room = || Self { arcs: std::mem::take(&mut self.arcs), pairs: std::mem::take(&mut self.pairs) };
        // Where the thread is ending there is nothing to keep it for.
        let _ = ROOMS.try_with(|rooms| {
            if let Ok(mut rooms) = rooms.try_borrow_mut()
                && rooms.len() < ROOMS_KEPT
            {
                rooms.push(room());
            }
        });
    }
}

impl FromIterator<VarBind> for VarBinds {
    fn from_iter<I: IntoIterator<Item = VarBind>>(pairs: I) -> Self {
        let mut all = Self::default();
        for pair in pairs {
            all.arcs.extend_from_slice(pair.oid.arcs());
            let bytes = pair.wire_bytes();
            all.push(pair.value, bytes);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_read_back_in_their_order_whatever_their_names() {
        let pair = |name: &str, number| VarBind { oid: name.parse().unwrap(), value: Value::Integer(number) };
        let pairs =
            vec![pair("1.3.6", 1), VarBind { oid: Oid::default(), value: Value::Malformed }, pair("1.3.6.1", 2)];
        let all: VarBinds = pairs.iter().cloned().collect();
        let read: Vec<VarBind> =
            all.iter().map(|pair| VarBind { oid: Oid::from_arcs(pair.name), value: pair.value.clone() }).collect();
        assert_eq!(read, pairs);
        assert_eq!(all.into_vec(), pairs);
    }

    #[test]
    fn short_and_long_strings_read_back() {
        for count in [0, 1, INLINE_OCTETS - 1, INLINE_OCTETS, INLINE_OCTETS + 1, 300] {
            let octets: Vec<u8> = (0..count).map(|place| u8::try_from(place % 251).unwrap()).collect();
            assert_eq!(*Octets::from(&octets[..]), octets);
            assert_eq!(Octets::from(octets.clone()), Octets::from(&octets[..]));
        }
    }

    #[test]
    fn a_cell_takes_three_words() {
        assert_eq!(size_of::<Option<Value>>(), 24);
    }
}
