//! The walk of a table's columns, as a state machine without I/O.
//!
//! Invariant: it ends on every input, since every answer must bring each column asked for at least one name that is
//! new, or ends it, and rows and bytes are capped. Some agents answer out of order or name a row twice: such a table
//! is read as far as it brings something new, and noted. Columns are independent: one that ends, fails or is longer
//! than the others does not touch them.

use std::collections::BTreeMap;

use crate::{
    oid::Oid,
    value::{Value, VarBind},
};

/// The most rows that one column is read for: twice the forwarding table of a core switch. The rest is reported.
pub(crate) const ROWS_MAX: usize = 131_072;

/// The most bytes, as sent, that one table is read for.
pub(crate) const TABLE_BYTES_MAX: usize = 64 << 20;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The descriptor of the object, such as `ifName`.
    pub name: &'static str,
    /// The object identifier that its instances are below.
    pub oid: &'static [u32],
}

/// How much of a table may be read.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Rows a column.
    pub rows: usize,
    /// Bytes in all.
    pub bytes: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { rows: ROWS_MAX, bytes: TABLE_BYTES_MAX }
    }
}

/// How the walk of a column ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnEnd {
    /// All of it was read.
    Complete,
    /// The agent repeats itself: an answer brought nothing new.
    Loop,
    /// More rows than [`Caps::rows`].
    TooManyRows,
    /// More bytes than [`Caps::bytes`].
    TooManyBytes,
    /// It could not be asked further.
    Abandoned,
}

/// A walk of several columns of one table.
#[derive(Debug)]
pub struct Walk {
    columns: Vec<ColumnWalk>,
    caps: Caps,
    bytes: usize,
}

#[derive(Debug)]
struct ColumnWalk {
    column: Column,
    /// The name to ask for the successor of.
    cursor: Oid,
    /// The highest name seen.
    highest: Oid,
    cells: BTreeMap<Box<[u32]>, Value>,
    /// How many names were not above all before them.
    out_of_order: usize,
    end: Option<ColumnEnd>,
}

/// What was read of a table: the cells by index, column by column.
#[derive(Debug, Default)]
pub struct Cells {
    /// The rows by index; a row has one place a column.
    pub rows: BTreeMap<Box<[u32]>, Vec<Option<Value>>>,
    /// The columns and how each ended, in the order asked.
    pub ends: Vec<(Column, ColumnEnd)>,
    /// Columns whose names came out of order or twice, and how many names did.
    pub disordered: Vec<(Column, usize)>,
}

impl Walk {
    /// Returns the walk of `columns` from their beginning.
    pub fn new(columns: &[Column], caps: Caps) -> Self {
        let start = |column: &Column| ColumnWalk {
            column: *column,
            cursor: Oid::from_arcs(column.oid),
            highest: Oid::from_arcs(column.oid),
            cells: BTreeMap::new(),
            out_of_order: 0,
            end: None,
        };
        Self { columns: columns.iter().map(start).collect(), caps, bytes: 0 }
    }

    /// Returns the places of up to `at_most` columns that are to be asked next; none when the walk has ended.
    pub fn pending(&self, at_most: usize) -> Vec<usize> {
        let open = self.columns.iter().enumerate().filter(|(_, column)| column.end.is_none());
        open.map(|(place, _)| place).take(at_most.max(1)).collect()
    }

    /// Returns the names whose successors are to be asked for the columns at `places`.
    pub fn names(&self, places: &[usize]) -> Vec<Oid> {
        places.iter().filter_map(|place| self.columns.get(*place)).map(|column| column.cursor.clone()).collect()
    }

    /// Takes the answer to a question for the columns at `places`: the successors come row by row, a place a column
    /// (RFC 3416, section 4.2.3). Returns how many columns it said nothing about.
    pub fn accept(&mut self, places: &[usize], varbinds: Vec<VarBind>) -> usize {
        let answered = varbinds.len().min(places.len());
        let rows_before: Vec<usize> = self.columns.iter().map(|column| column.cells.len()).collect();
        for (number, varbind) in varbinds.into_iter().enumerate() {
            self.bytes += varbind.wire_bytes();
            let place = places.get(number % places.len().max(1)).copied();
            if let Some(column) = place.and_then(|place| self.columns.get_mut(place)) {
                column.accept(varbind, self.caps.rows);
            }
        }
        for place in places.iter().take(answered) {
            if let (Some(column), Some(before)) = (self.columns.get_mut(*place), rows_before.get(*place))
                && column.cells.len() == *before
            {
                column.finish(ColumnEnd::Loop);
            }
        }
        if self.bytes > self.caps.bytes {
            self.columns.iter_mut().for_each(|column| column.finish(ColumnEnd::TooManyBytes));
        }
        places.len() - answered
    }

    /// Gives the columns at `places` up.
    pub fn abandon(&mut self, places: &[usize]) {
        for place in places {
            if let Some(column) = self.columns.get_mut(*place) {
                column.finish(ColumnEnd::Abandoned);
            }
        }
    }

    /// Notes that the agent has nothing for the columns at `places`.
    pub fn complete(&mut self, places: &[usize]) {
        for place in places {
            if let Some(column) = self.columns.get_mut(*place) {
                column.finish(ColumnEnd::Complete);
            }
        }
    }

    /// Returns what was read; columns that are still open count as abandoned.
    pub fn finish(self) -> Cells {
        let width = self.columns.len();
        let mut cells = Cells::default();
        for (place, column) in self.columns.into_iter().enumerate() {
            cells.ends.push((column.column, column.end.unwrap_or(ColumnEnd::Abandoned)));
            if column.out_of_order > 0 {
                cells.disordered.push((column.column, column.out_of_order));
            }
            for (index, value) in column.cells {
                let row = cells.rows.entry(index).or_insert_with(|| vec![None; width]);
                if let Some(cell) = row.get_mut(place) {
                    *cell = Some(value);
                }
            }
        }
        cells
    }
}

impl ColumnWalk {
    fn finish(&mut self, end: ColumnEnd) {
        self.end.get_or_insert(end);
    }

    fn accept(&mut self, varbind: VarBind, rows_max: usize) {
        if self.end.is_some() {
            return;
        }
        let Some(index) = varbind.oid.below(self.column.oid).filter(|_| !varbind.value.is_exception()) else {
            return self.finish(ColumnEnd::Complete);
        };
        if varbind.oid > self.highest {
            self.highest = varbind.oid.clone();
        } else {
            self.out_of_order += 1;
        }
        if index.is_empty() || self.cells.contains_key(index) {
            // Named before: the first value stays. Whether it goes on from here, the rest of the answer shows.
            self.cursor = varbind.oid;
            return;
        }
        if self.cells.len() >= rows_max {
            return self.finish(ColumnEnd::TooManyRows);
        }
        self.cells.insert(index.into(), varbind.value);
        self.cursor = varbind.oid;
    }
}

#[cfg(test)]
mod tests;
