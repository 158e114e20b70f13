//! The cells of a table as they were read, in a few flat vectors: a table of ten thousand rows takes no more allocations
//! than one of ten.
//!
//! Invariant: rows are in the order of their indexes, each index once, and a row has one place a column.

use super::{Column, ColumnEnd};
use crate::value::Value;

/// The arcs of a usual index: an address, and sometimes what it is in.
const INDEX_ARCS: usize = 6;

/// What was read of a table.
#[derive(Debug, Default)]
pub struct Cells {
    names: Names,
    /// The places of all rows, one after the other.
    values: Vec<Option<Value>>,
    width: usize,
    /// The columns and how each ended, in the order asked.
    pub ends: Vec<(Column, ColumnEnd)>,
    /// Columns whose names came out of order or twice, and how many names did.
    pub disordered: Vec<(Column, usize)>,
}

/// Indexes of rows, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Names {
    arcs: Vec<u32>,
    /// Where each index ends in `arcs`.
    ends: Vec<usize>,
}

impl Cells {
    /// Returns the rows in the order of their indexes: the index, and a place a column in the order asked.
    pub fn rows(&self) -> impl Iterator<Item = (&[u32], &[Option<Value>])> {
        self.names.iter().zip(self.values.chunks(self.width.max(1)))
    }

    /// Returns the row of an index; it has no places when there is no such row.
    pub fn row(&self, index: &[u32]) -> &[Option<Value>] {
        let place = self.names.place(index);
        place.and_then(|place| self.values.chunks(self.width.max(1)).nth(place)).unwrap_or_default()
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.names.ends.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.names.ends.is_empty()
    }

    /// Returns how many rows have no value at a place.
    pub(crate) fn missing(&self, place: usize) -> usize {
        self.rows().filter(|(_, row)| row.get(place).is_none_or(Option::is_none)).count()
    }

    /// Returns the table of columns, each the indexes of its cells, in order, and their values.
    pub(super) fn joined(
        columns: Vec<(Names, Vec<Value>)>,
        ends: Vec<(Column, ColumnEnd)>,
        disordered: Vec<(Column, usize)>,
    ) -> Self {
        let width = columns.len();
        let longest = columns.iter().map(|(names, _)| names.ends.len()).max().unwrap_or(0);
        let mut joined = Self { names: Names::with_capacity(longest), values: Vec::new(), width, ends, disordered };
        joined.values.reserve_exact(longest * width);
        let (names, values): (Vec<Names>, Vec<Vec<Value>>) = columns.into_iter().unzip();
        let values = values.into_iter().map(Vec::into_iter);
        let mut columns: Vec<_> = names.iter().map(|names| names.iter().peekable()).zip(values).collect();
        while let Some(least) = columns.iter_mut().filter_map(|(names, _)| names.peek().copied()).min() {
            joined.names.push(least);
            for (names, values) in &mut columns {
                let here = names.next_if_eq(&least).is_some();
                joined.values.push(if here { values.next() } else { None });
            }
        }
        joined
    }

    #[cfg(test)]
    pub(crate) fn of_rows<'a>(rows: impl IntoIterator<Item = (&'a [u32], Vec<Option<Value>>)>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|one, other| one.0.cmp(other.0));
        let width = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
        let mut cells = Self { width, ..Self::default() };
        for (index, mut row) in rows {
            row.resize(width, None);
            cells.names.push(index);
            cells.values.append(&mut row);
        }
        cells
    }
}

impl Names {
    /// Returns names with room for so many rows of an index as forwarding tables have.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { arcs: Vec::with_capacity(rows.saturating_mul(INDEX_ARCS)), ends: Vec::with_capacity(rows) }
    }

    pub(super) fn push(&mut self, index: &[u32]) {
        self.arcs.extend_from_slice(index);
        self.ends.push(self.arcs.len());
    }

    pub(super) fn get(&self, place: usize) -> Option<&[u32]> {
        let begin = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.arcs.get(begin..*self.ends.get(place)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut begin = 0;
        self.ends.iter().map(move |end| self.arcs.get(std::mem::replace(&mut begin, *end)..*end).unwrap_or_default())
    }

    /// Returns the place of an index, if it is there; the indexes must be in order.
    fn place(&self, index: &[u32]) -> Option<usize> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle)?.cmp(index) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}
