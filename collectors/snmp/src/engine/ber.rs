//! BER as SNMP uses it (X.690, section 8; RFC 3417, section 8): reading borrowed bytes, writing from the end.
//!
//! Invariant: the reader accepts what the devices of this world send beside the rules (lengths and numbers with
//! leading zeros, the indefinite form, lengths that say more than is there) as long as it has one meaning only; it
//! never panics, never reads what is not there, and never takes more memory than what it returns. It knows no message.

use crate::oid::{ARCS_MAX, Oid};

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The widest number that is read, in bytes; longer ones must begin with bytes that say nothing.
const NUMBER_BYTES: usize = 8;

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

/// How long an element says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Definite(usize),
    /// Until the mark of the end of contents (X.690, section 8.1.3.6), which SNMP forbids and some agents use.
    Indefinite,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// Reads tag and length. `None`, with nothing of use left, when they are cut or are none.
    pub(super) fn header(&mut self) -> Option<(u8, Length)> {
        let tag = self.byte()?;
        let length = match self.byte()? {
            short @ 0..0x80 => Length::Definite(usize::from(short)),
            0x80 => Length::Indefinite,
            long => Length::Definite(self.long_length(usize::from(long & 0x7f))?),
        };
        Some((tag, length))
    }

    fn long_length(&mut self, bytes: usize) -> Option<usize> {
        let (digits, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        // A length beyond what can be held is beyond what is there as well.
        usize::try_from(unsigned(digits).unwrap_or(u64::MAX)).ok()
    }

    /// Reads a header that must be of this tag, and returns the element's length.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Length> {
        let (found, length) = self.header()?;
        (found == tag).then_some(length)
    }

    /// Takes this many bytes; `false` beside them when fewer are there.
    pub(super) fn take(&mut self, length: usize) -> (&'a [u8], bool) {
        match self.0.split_at_checked(length) {
            Some((content, rest)) => {
                self.0 = rest;
                (content, true)
            }
            None => (std::mem::take(&mut self.0), false),
        }
    }

    /// Reads the content of a whole element of this tag that is not made of others.
    pub(super) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        let Length::Definite(length) = self.expect(tag)? else { return None };
        let (content, whole) = self.take(length);
        whole.then_some(content)
    }

    /// Reads an INTEGER.
    pub(super) fn integer(&mut self) -> Option<i64> {
        signed(self.content(INTEGER)?)
    }

    /// Passes the mark of the end of contents. Returns whether it was there.
    pub(super) fn end_of_contents(&mut self) -> bool {
        let rest = self.0.strip_prefix(&[0, 0]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

/// Returns a number in two's complement; `None` when there is none, or it is wider than 64 bits.
pub(super) fn signed(content: &[u8]) -> Option<i64> {
    let (sign, number) = narrowed(content);
    let first = *number.first()?;
    let filling = if first & 0x80 == 0 { 0 } else { -1 };
    let fill = if filling == 0 { 0x00 } else { 0xff };
    sign.iter()
        .all(|byte| *byte == fill)
        .then(|| number.iter().fold(filling, |value: i64, byte| (value << 8) | i64::from(*byte)))
}

/// Returns a number that is never negative: many agents leave out the zero before a high first bit. `None` when there is
/// none, or it is wider than 64 bits.
pub(super) fn unsigned(content: &[u8]) -> Option<u64> {
    let (zeros, number) = narrowed(content);
    let is_number = !number.is_empty() && zeros.iter().all(|byte| *byte == 0);
    is_number.then(|| number.iter().fold(0, |value: u64, byte| (value << 8) | u64::from(*byte)))
}

/// Splits what is beyond the width of a number from its last bytes.
fn narrowed(content: &[u8]) -> (&[u8], &[u8]) {
    content.split_at(content.len().saturating_sub(NUMBER_BYTES))
}

/// Returns the identifier that the bytes stand for; `None` as for [`push_object_id`].
pub(super) fn object_id(content: &[u8]) -> Option<Oid> {
    let mut arcs = Vec::with_capacity(content.len() + 1);
    push_object_id(content, &mut arcs).then(|| Oid::from_arcs(&arcs))
}

/// Adds the arcs of the identifier that the bytes stand for (X.690, section 8.19). Returns whether it could: not when it is
/// cut, has more than [`ARCS_MAX`] arcs, or an arc over 32 bits; what was added is of no use then. Nothing at all stands for
/// the empty identifier.
pub(super) fn push_object_id(content: &[u8], arcs: &mut Vec<u32>) -> bool {
    let mut rest = content;
    if rest.is_empty() {
        return true;
    }
    let end = arcs.len() + ARCS_MAX;
    let Some(first) = next_arc(&mut rest) else { return false };
    let top = (first / 40).min(2);
    arcs.push(top);
    arcs.push(first - top * 40);
    while !rest.is_empty() {
        // Nearly all arcs take one byte, and are taken as many together as follow one another.
        let short = rest.iter().position(|byte| byte & 0x80 != 0).unwrap_or(rest.len());
        let (bytes, left) = rest.split_at(short);
        arcs.extend(bytes.iter().map(|byte| u32::from(*byte)));
        rest = left;
        if !rest.is_empty() {
            let Some(arc) = next_arc(&mut rest) else { return false };
            arcs.push(arc);
        }
    }
    arcs.len() <= end
}

/// Reads one arc; `None` when it is cut or has more than 32 bits.
fn next_arc(rest: &mut &[u8]) -> Option<u32> {
    let mut arc = 0_u32;
    loop {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        arc = arc.checked_mul(0x80)? | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(arc);
        }
    }
}

/// Writes a message from its end to its beginning, so that each length is known when it is written.
#[derive(Debug, Default)]
pub(super) struct Backwards(Vec<u8>);

impl Backwards {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Returns an empty message in room that was used before, for so many bytes.
    pub(super) fn in_room(mut room: Vec<u8>, bytes: usize) -> Self {
        room.clear();
        room.reserve(bytes);
        Self(room)
    }

    /// Returns how much was written: where an element ends that begins later.
    pub(super) fn end(&self) -> usize {
        self.0.len()
    }

    /// Returns what was written, in its right order.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.reverse();
        self.0
    }

    /// Makes what was written since `end` the content of an element.
    pub(super) fn close(&mut self, tag: u8, end: usize) {
        let length = self.0.len() - end;
        let digits = length.to_le_bytes();
        let used = digits.iter().rposition(|digit| *digit != 0).map_or(1, |place| place + 1);
        self.0.extend(digits.iter().take(used));
        if length >= 0x80 {
            // At most eight.
            self.0.push(0x80 | u8::try_from(used).unwrap_or(0));
        }
        self.0.push(tag);
    }

    pub(super) fn null(&mut self) {
        self.close(NULL, self.end());
    }

    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.tagged(OCTET_STRING, octets);
    }

    /// Writes an element of this tag and content.
    pub(super) fn tagged(&mut self, tag: u8, content: &[u8]) {
        let end = self.end();
        self.raw(content);
        self.close(tag, end);
    }

    /// Writes what is encoded already.
    pub(super) fn raw(&mut self, encoded: &[u8]) {
        self.0.extend(encoded.iter().rev());
    }

    pub(super) fn integer(&mut self, number: i32) {
        let end = self.end();
        let mut rest = number;
        loop {
            let [digit, ..] = rest.to_le_bytes();
            self.0.push(digit);
            rest >>= 8;
            let sign = if digit & 0x80 == 0 { 0 } else { -1 };
            if rest == sign {
                break;
            }
        }
        self.close(INTEGER, end);
    }

    /// Writes an identifier. Returns whether it can be written: it must begin with two arcs that X.660 allows.
    pub(super) fn object_id(&mut self, oid: &Oid) -> bool {
        let [first, second, rest @ ..] = oid.arcs() else { return false };
        if *first > 2 || (*first < 2 && *second > 39) {
            return false;
        }
        let end = self.end();
        for arc in rest.iter().rev() {
            self.arc(u64::from(*arc));
        }
        self.arc(u64::from(*first) * 40 + u64::from(*second));
        self.close(OBJECT_ID, end);
        true
    }

    fn arc(&mut self, arc: u64) {
        let mut rest = arc;
        let mut more = 0;
        loop {
            let [digit, ..] = (rest & 0x7f).to_le_bytes();
            self.0.push(digit | more);
            more = 0x80;
            rest >>= 7;
            if rest == 0 {
                return;
            }
        }
    }
}
