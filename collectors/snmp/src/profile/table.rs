//! What a profile reads: scalars and the columns of tables, and how a row of one table leads to a row of another.
//!
//! Invariant: an [`Operand`] or a [`Key`] of a profile always names something that the profile declares; what a device does
//! not have is `None`. Pure: rows were read by [`crate::poll`].

use std::borrow::Cow;

use crate::{
    index::mac_of,
    mib::identity::hexadecimal,
    mib::{ReadTable, cell, entity::Entity, interfaces::InterfaceIndex},
    oid::{Oid, dotted},
    text::{looks_like_text, text_of},
    value::Value,
    walk::Column,
};

/// A scalar that a profile reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) name: &'static str,
    /// The instance.
    pub(crate) oid: Oid,
}

/// A table that a profile reads: columns that have the same index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableSpec {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    /// Whether its sensors are read seldom: a dear table of what changes slowly.
    pub(crate) seldom: bool,
    /// Tables that a row leads to, and what in the row is their index.
    pub(super) joins: Vec<Join>,
}

/// How a row leads to a row of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Join {
    pub(super) table: usize,
    pub(super) by: Key,
}

/// A part of a row's index, or what is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The whole index.
    Index,
    /// The arcs of the index from the first to the last of these places, which count from 1.
    Part(usize, usize),
    /// What is in a column of the row's own table.
    Column(usize),
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A scalar, by its place in the profile.
    Scalar(usize),
    /// A column of the row's own table.
    Own(usize),
    /// A column of a table that the row leads to: the place of the join and of the column.
    Joined(usize, usize),
}

/// What was read for a profile: its scalars and tables in its order; what was not asked for is empty.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) scalars: Vec<Option<Value>>,
    pub(crate) tables: Vec<ReadTable>,
}

/// By what names a device's interfaces and parts are called.
#[derive(Debug, Clone, Copy)]
pub struct PartNames<'a> {
    /// The interfaces.
    pub interfaces: &'a InterfaceIndex,
    /// The parts (ENTITY-MIB).
    pub entities: &'a [Entity],
}

/// A row of a table, or, without one, the scalars alone.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    read: &'a Read,
    spec: Option<&'a TableSpec>,
    pub(super) index: &'a [u32],
    cells: &'a [Option<Value>],
}

impl Key {
    /// Returns the key that a text says: `index`, `index.2`, `index.1-6`, or the name of one of `columns`.
    pub(super) fn parse(text: &str, columns: &[Column]) -> Option<Self> {
        let Some(part) = text.strip_prefix("index") else {
            return columns.iter().position(|column| column.name == text).map(Self::Column);
        };
        let Some(part) = part.strip_prefix('.') else { return part.is_empty().then_some(Self::Index) };
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (1 <= first && first <= last && last <= crate::oid::ARCS_MAX).then_some(Self::Part(first, last))
    }
}

impl Read {
    /// Returns the rows of the table at `place`, or the one row without a table.
    pub(super) fn rows<'a>(&'a self, tables: &'a [TableSpec], place: Option<usize>) -> Vec<Row<'a>> {
        let Some(place) = place else {
            return vec![Row { read: self, spec: None, index: &[], cells: &[] }];
        };
        let (spec, Some(table)) = (tables.get(place), self.tables.get(place)) else { return Vec::new() };
        table.rows().map(|(index, cells)| Row { read: self, spec, index, cells }).collect()
    }
}

impl<'a> Row<'a> {
    /// Returns the value of an operand; `None` where the device has none.
    pub(super) fn value(&self, operand: Operand) -> Option<&'a Value> {
        let value = match operand {
            Operand::Scalar(place) => self.read.scalars.get(place).and_then(Option::as_ref),
            Operand::Own(place) => cell(self.cells, place),
            Operand::Joined(join, place) => self.joined(join).and_then(|cells| cell(cells, place)),
        };
        value.filter(|value| !value.is_exception() && **value != Value::Null)
    }

    /// Returns the row's index, or `0`, as scalars have it.
    pub(super) fn index_text(&self) -> String {
        if self.index.is_empty() { "0".to_owned() } else { dotted(self.index) }
    }

    /// Returns the arcs that a key says: of the index, or of what is in a column. A text is written without its length.
    pub(super) fn arcs(&self, key: Key) -> Option<Cow<'a, [u32]>> {
        match key {
            Key::Index => Some(Cow::Borrowed(self.index)),
            Key::Part(first, last) => self.index.get(first.checked_sub(1)?..last).map(Cow::Borrowed),
            Key::Column(place) => match self.value(Operand::Own(place))? {
                Value::ObjectId(oid) => Some(Cow::Owned(oid.arcs().to_vec())),
                Value::Octets(octets) => Some(Cow::Owned(octets.iter().map(|octet| u32::from(*octet)).collect())),
                Value::IpAddress(address) => Some(Cow::Owned(address.octets().map(u32::from).to_vec())),
                number => Some(Cow::Owned(vec![u32::try_from(number.unsigned()?).ok()?])),
            },
        }
    }

    /// Returns the one number that a key says: an ifIndex, an entPhysicalIndex.
    pub(super) fn number(&self, key: Key) -> Option<u32> {
        match *self.arcs(key)? {
            [number] => Some(number),
            _ => None,
        }
    }

    /// Returns the octets that a key says.
    pub(super) fn octets(&self, key: Key) -> Option<Vec<u8>> {
        self.arcs(key)?.iter().map(|arc| u8::try_from(*arc).ok()).collect()
    }

    /// The row that the row leads to. Texts are indexes with or without their length before them (RFC 2578, section 7.7).
    fn joined(&self, place: usize) -> Option<&'a [Option<Value>]> {
        let join = self.spec?.joins.get(place)?;
        let table = self.read.tables.get(join.table)?;
        let arcs = self.arcs(join.by)?;
        let plain = table.row(&arcs);
        if !plain.is_empty() {
            return Some(plain);
        }
        let length = u32::try_from(arcs.len()).ok()?;
        let counted: Vec<u32> = std::iter::once(length).chain(arcs.iter().copied()).collect();
        Some(table.row(&counted)).filter(|cells| !cells.is_empty())
    }
}

/// Returns a value as a text: octets as what they spell, else as a MAC address or hexadecimal digits.
pub(super) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Integer(number) => number.to_string(),
        Value::Octets(octets) if looks_like_text(octets) => text_of(octets),
        Value::Octets(octets) => match mac_of(octets) {
            Some(mac) => mac.to_string(),
            None => hexadecimal(octets),
        },
        Value::ObjectId(oid) => oid.to_string(),
        Value::IpAddress(address) => address.to_string(),
        number => number.unsigned()?.to_string(),
    })
}

/// Returns a value as a number: any integer, or a text that begins with a decimal number, by itself or behind a name, as
/// some agents send (`36.5 C`, `cpu-usage: 1.5%`).
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        // Numbers above 2^53 lose their last bits: no sensor measures that finely.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        Value::Integer(number) => Some(*number as f64),
        Value::Octets(octets) => {
            let text = text_of(octets);
            leading_number(text.rsplit_once(": ").map_or(text.as_str(), |(_, value)| value))
        }
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        other => other.unsigned().map(|number| number as f64),
    }
}

fn leading_number(text: &str) -> Option<f64> {
    let signed = text.strip_prefix(['-', '+']).unwrap_or(text);
    let length = signed.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let end = length + (text.len() - signed.len());
    text.get(..end).filter(|_| signed.starts_with(|c: char| c.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_index_a_part_of_it_or_a_column() {
        let columns = [Column { name: "apId", oid: &[1, 3] }];
        for (text, key) in [
            ("index", Some(Key::Index)),
            ("index.2", Some(Key::Part(2, 2))),
            ("index.1-6", Some(Key::Part(1, 6))),
            ("apId", Some(Key::Column(0))),
            ("index.0", None),
            ("index.3-2", None),
            ("indexes", None),
            ("apName", None),
        ] {
            assert_eq!(Key::parse(text, &columns), key, "{text}");
        }
    }

    #[test]
    fn a_number_may_be_sent_as_a_text() {
        let octets = |text: &str| Value::Octets(text.as_bytes().into());
        for (text, expected) in [
            ("36.5 C", Some(36.5)),
            ("-7", Some(-7.0)),
            ("42%", Some(42.0)),
            ("cpu-usage: 1.5%", Some(1.5)),
            ("N/A", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(number(&octets(text)), expected, "{text}");
        }
        assert_eq!(number(&Value::Integer(-4)), Some(-4.0));
        assert_eq!(number(&Value::NoSuchObject), None);
    }
}
