//! The cells of a table as they were read, in a few flat vectors: a table of ten thousand rows takes no more allocations
//! than one of ten.
//!
//! Invariant: rows are in the order of their indexes, each index once, and a row has one place a column.

use std::{cell::RefCell, collections::BTreeMap};

use super::{Column, ColumnEnd};
use crate::value::Value;

/// The arcs of a usual index: an address, and sometimes what it is in.
const INDEX_ARCS: usize = 6;

/// How many rooms a thread keeps: two tables each of as many devices as are asked side by side. Of 30 KB as a rule, once tables of
/// five hundred rows were in it; who polls few devices never has so many at a time.
const ROOMS_KEPT: usize = 128;

/// Room for more cells is not kept.
const ROOM_KEPT_CELLS: usize = 2_048;

/// Names and values, empty.
type Room = (Names, Vec<Option<Value>>);

thread_local! {
    /// The room of tables that are done with: vectors of this size are what an allocator is slowest with.
    static ROOMS: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) };
}

/// What was read of a table.
#[derive(Debug, Default)]
pub struct Cells {
    rows: Rows,
    /// The columns and how each ended, in the order asked.
    pub ends: Vec<(Column, ColumnEnd)>,
    /// Columns whose names came out of order or twice, and how many names did.
    pub disordered: Vec<(Column, usize)>,
}

/// The rows of a table while it is read: filled by its columns, each from the first row to the last.
#[derive(Debug, Default)]
pub(super) struct Rows {
    names: Names,
    /// The places of all rows, one after the other.
    values: Vec<Option<Value>>,
    width: usize,
}

/// Indexes of rows, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Names {
    arcs: Vec<u32>,
    /// Where each index ends in `arcs`.
    ends: Vec<usize>,
}

impl Cells {
    pub(super) fn new(rows: Rows, ends: Vec<(Column, ColumnEnd)>, disordered: Vec<(Column, usize)>) -> Self {
        Self { rows, ends, disordered }
    }

    /// Returns the rows in the order of their indexes: the index, and a place a column in the order asked.
    pub fn rows(&self) -> impl Iterator<Item = (&[u32], &[Option<Value>])> {
        self.rows.names.iter().zip(self.rows.values.chunks(self.rows.width.max(1)))
    }

    /// Returns the row of an index; it has no places when there is no such row.
    pub fn row(&self, index: &[u32]) -> &[Option<Value>] {
        self.rows.names.place(index).and_then(|place| self.rows.row(place)).unwrap_or_default()
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.rows.names.ends.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.names.ends.is_empty()
    }

    /// Returns for each place how many rows have no value there.
    pub(crate) fn missing(&self) -> Vec<usize> {
        let mut missing = vec![0; self.ends.len()];
        for (_, row) in self.rows() {
            for (count, cell) in missing.iter_mut().zip(row) {
                *count += usize::from(cell.is_none());
            }
        }
        missing
    }

    #[cfg(test)]
    pub(crate) fn of_rows<'a>(rows: impl IntoIterator<Item = (&'a [u32], Vec<Option<Value>>)>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|one, other| one.0.cmp(other.0));
        let width = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
        let mut cells = Self { rows: Rows::with_capacity(0, width), ..Self::default() };
        for (index, mut row) in rows {
            row.resize(width, None);
            cells.rows.names.push(index);
            cells.rows.values.append(&mut row);
        }
        cells
    }
}

impl Rows {
    /// Returns no rows of so many places, with room for so many of an index as forwarding tables have.
    pub(super) fn with_capacity(rows: usize, width: usize) -> Self {
        if rows == 0 {
            return Self { names: Names::default(), values: Vec::new(), width };
        }
        let kept = ROOMS.try_with(|rooms| rooms.try_borrow_mut().ok()?.pop());
        let (names, values) = kept.ok().flatten().unwrap_or_default();
        let mut empty = Self { names, values, width };
        empty.names.arcs.reserve(rows.saturating_mul(INDEX_ARCS));
        empty.names.ends.reserve(rows);
        empty.values.reserve(rows.saturating_mul(width));
        empty
    }

    /// Puts the value of a column that has filled the rows before `passed`, and moves that on. Gives the value back, and
    /// changes nothing but how far it looked, when the index is not above those it had, or there is no row for it and other
    /// rows follow.
    pub(super) fn put(&mut self, passed: &mut usize, place: usize, index: &[u32], value: Value) -> Result<(), Value> {
        // The row that comes next is what mostly comes.
        if self.names.get(*passed) != Some(index) {
            if !self.is_above(*passed, index) {
                return Err(value);
            }
            while self.names.get(*passed).is_some_and(|name| name < index) {
                *passed += 1;
            }
            match self.names.get(*passed) {
                Some(name) if name == index => {}
                Some(_) => return Err(value),
                None => {
                    self.names.push(index);
                    self.values.extend(std::iter::repeat_with(|| None).take(self.width));
                }
            }
        }
        if let Some(cell) = self.values.get_mut(*passed * self.width + place) {
            *cell = Some(value);
        }
        *passed += 1;
        Ok(())
    }

    /// Returns whether an index is above those of the first `passed` rows.
    pub(super) fn is_above(&self, passed: usize, index: &[u32]) -> bool {
        passed.checked_sub(1).and_then(|last| self.names.get(last)).is_none_or(|last| last < index)
    }

    /// Returns whether a column has a value of an index.
    pub(super) fn has(&self, place: usize, index: &[u32]) -> bool {
        let row = self.names.place(index).and_then(|row| self.row(row));
        row.and_then(|row| row.get(place)).is_some_and(Option::is_some)
    }

    /// Takes a column out of the first `passed` rows.
    pub(super) fn take(&mut self, passed: usize, place: usize) -> (Names, Vec<Value>) {
        let (mut names, mut values) = (Names::default(), Vec::new());
        for (index, row) in self.names.iter().zip(self.values.chunks_mut(self.width.max(1))).take(passed) {
            if let Some(value) = row.get_mut(place).and_then(Option::take) {
                names.push(index);
                values.push(value);
            }
        }
        (names, values)
    }

    fn row(&self, place: usize) -> Option<&[Option<Value>]> {
        let begin = place * self.width;
        self.values.get(begin..begin + self.width)
    }

    /// Returns the rows together with those of columns that were read apart: for each its place, its indexes, each once, and
    /// its values.
    pub(super) fn joined(self, apart: Vec<(usize, Names, Vec<Value>)>) -> Self {
        let (width, mut own) = (self.width, self);
        let (names, values) = (std::mem::take(&mut own.names), std::mem::take(&mut own.values));
        let empty = || std::iter::repeat_with(|| None).take(width).collect();
        let mut rows: BTreeMap<&[u32], Vec<Option<Value>>> = BTreeMap::new();
        let mut values = values.into_iter();
        for index in names.iter() {
            let row: Vec<_> = values.by_ref().take(width).collect();
            // A row that only columns made which are read apart by now.
            if row.iter().any(Option::is_some) {
                rows.insert(index, row);
            }
        }
        let (places, columns): (Vec<usize>, Vec<(Names, Vec<Value>)>) =
            apart.into_iter().map(|(place, names, values)| (place, (names, values))).unzip();
        let (indexes, values): (Vec<Names>, Vec<Vec<Value>>) = columns.into_iter().unzip();
        for ((place, indexes), values) in places.into_iter().zip(&indexes).zip(values) {
            for (index, value) in indexes.iter().zip(values) {
                if let Some(cell) = rows.entry(index).or_insert_with(empty).get_mut(place) {
                    *cell = Some(value);
                }
            }
        }
        let mut joined = Self::with_capacity(rows.len(), width);
        for (index, row) in rows {
            joined.names.push(index);
            joined.values.extend(row);
        }
        joined
    }
}

impl Drop for Rows {
    /// Keeps the room for later tables.
    fn drop(&mut self) {
        if !(1..=ROOM_KEPT_CELLS).contains(&self.values.capacity()) || self.names.arcs.capacity() > 4 * ROOM_KEPT_CELLS
        {
            return;
        }
        let (mut names, mut values) = (std::mem::take(&mut self.names), std::mem::take(&mut self.values));
        names.arcs.clear();
        names.ends.clear();
        values.clear();
        let _ = ROOMS.try_with(|rooms| {
            if let Ok(mut rooms) = rooms.try_borrow_mut()
                && rooms.len() < ROOMS_KEPT
            {
                rooms.push((names, values));
            }
        });
    }
}

impl Names {
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
