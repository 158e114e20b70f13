//! The names and values that answer a GETBULK, as they came: a walk reads each straight into the cell that it belongs in, and
//! of a name only what follows the column's.
//!
//! Invariant: all of it was looked through before it is here: each pair is whole and its name can be read. Whatever is less
//! plain is read at once into [`VarBinds`](crate::value::VarBinds), by the rules of `message.rs`. Pure; it takes the memory of
//! the datagram.

use std::cell::RefCell;

use super::{
    ber::{self, Length, Reader},
    message,
};
use crate::{
    oid::{ARCS_MAX, Oid},
    value::Value,
};

/// Rooms that a thread keeps: as many answers as are in its hands when they gathered.
const ROOMS_KEPT: usize = 64;

/// Room for more bytes is not kept.
const ROOM_KEPT_BYTES: usize = 2_048;

/// The bits of the first byte of an arc in five bytes that arcs of 32 bits use.
const FIFTH_BYTE_MAX: u8 = 0x0f;

thread_local! {
    /// The room of answers that are done with: vectors of this size are what an allocator is slowest with.
    static ROOMS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Names and values in the order in which they were sent, not read yet.
#[derive(Debug, Clone)]
pub struct Successors {
    /// The pairs, one behind the other.
    bytes: Vec<u8>,
    count: usize,
}

/// A name and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Successor<'a> {
    /// The name's content.
    name: &'a [u8],
    /// The value with its tag and length.
    value: &'a [u8],
    /// How many bytes both took in the message.
    pub(crate) bytes: usize,
}

/// The name of a column as it begins those of its instances.
#[derive(Debug)]
pub(crate) struct ColumnName {
    arcs: &'static [u32],
    encoded: Vec<u8>,
}

impl Successors {
    /// Returns the pairs of a list, `None` unless all of it is plain.
    pub(super) fn of(list: Reader<'_>) -> Option<Self> {
        let (mut rest, mut count) = (list, 0);
        while !rest.0.is_empty() {
            let next = next(&mut rest)?;
            if !is_plain(next.name) {
                return None;
            }
            count += 1;
        }
        let room = ROOMS.try_with(|rooms| rooms.try_borrow_mut().ok()?.pop());
        let mut bytes = room.ok().flatten().unwrap_or_default();
        bytes.extend_from_slice(list.0);
        Some(Self { bytes, count })
    }

    /// Returns how many pairs there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns how many bytes they took in the message.
    pub fn wire_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the pairs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Successor<'_>> {
        let mut rest = Reader(&self.bytes);
        std::iter::from_fn(move || next(&mut rest))
    }
}

impl Drop for Successors {
    /// Keeps the room for later answers.
    fn drop(&mut self) {
        if !(1..=ROOM_KEPT_BYTES).contains(&self.bytes.capacity()) {
            return;
        }
        let mut room = std::mem::take(&mut self.bytes);
        room.clear();
        // Where the thread is ending there is nothing to keep it for.
        let _ = ROOMS.try_with(|rooms| {
            if let Ok(mut rooms) = rooms.try_borrow_mut()
                && rooms.len() < ROOMS_KEPT
            {
                rooms.push(room);
            }
        });
    }
}

impl Successor<'_> {
    /// Reads what follows the column's name into `index`. Returns whether the name is that of an instance of the column.
    pub(crate) fn index(&self, column: &ColumnName, index: &mut Vec<u32>) -> bool {
        index.clear();
        if let Some(rest) = self.name.strip_prefix(&column.encoded[..]) {
            return ber::push_arcs(rest, index);
        }
        // Nobody writes an arc with zeros before it that mean nothing, but for those who do.
        let mut arcs = Vec::new();
        if ber::push_object_id(self.name, &mut arcs)
            && let Some(rest) = arcs.strip_prefix(column.arcs)
        {
            index.extend_from_slice(rest);
            return true;
        }
        false
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> Oid {
        ber::object_id(self.name).unwrap_or_default()
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> Value {
        message::value(&mut Reader(self.value), true)
    }
}

impl ColumnName {
    pub(crate) fn new(arcs: &'static [u32]) -> Self {
        Self { arcs, encoded: ber::encoded(arcs).unwrap_or_default() }
    }

    /// Returns the name of the instance of an index.
    pub(crate) fn instance(&self, index: &[u32]) -> Oid {
        Oid::joined(self.arcs, index)
    }
}

fn next<'a>(list: &mut Reader<'a>) -> Option<Successor<'a>> {
    let left = list.0.len();
    let Length::Definite(length) = list.expect(ber::SEQUENCE)? else { return None };
    let (content, whole) = list.take(length);
    let mut pair = Reader(content);
    let name = pair.content(ber::OBJECT_ID).filter(|_| whole)?;
    Some(Successor { name, value: pair.0, bytes: left - list.0.len() })
}

/// Returns whether a name is one, and has arcs of 32 bits at most.
fn is_plain(name: &[u8]) -> bool {
    let Some(last) = name.last().filter(|_| name.len() < ARCS_MAX) else { return false };
    // How many bytes of an arc there were so far, and the first of them.
    let (mut before, mut first) = (0, 0);
    for byte in name {
        if byte & 0x80 == 0 {
            before = 0;
            continue;
        }
        if before == 0 {
            first = byte & 0x7f;
        }
        before += 1;
        if before > 4 || (before == 4 && first > FIFTH_BYTE_MAX) {
            return false;
        }
    }
    last & 0x80 == 0
}

#[cfg(test)]
mod tests;
