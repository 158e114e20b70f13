//! The walk of a table's columns, as a state machine without I/O.
//!
//! Invariant: it ends on every input, since every answer must bring each column asked for at least one name that is
//! new, or ends it, and rows and bytes are capped. Some agents answer out of order or name a row twice: such a table
//! is read as far as it brings something new, and noted. Columns are independent: one that ends, fails or is longer
//! than the others does not touch them.

mod cells;
mod shape;

use std::collections::BTreeSet;

pub use cells::Cells;
pub(crate) use shape::{Shape, Shapes};

use self::cells::Names;
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

/// How many columns are asked at once for the little that is expected of them: whether they are still absent, or at an end.
const PROBES_MAX: usize = 16;

/// How many columns are asked at once of which nothing is known.
const UNKNOWN_MAX: usize = 6;

/// How far columns that are read side by side may be apart.
const ABREAST: usize = 2;

/// What is to be asked next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The places of the columns.
    pub(crate) places: Vec<usize>,
    /// How many rows are expected to be left, the first behind the end included; `None` when that is not known.
    pub(crate) rows: Option<usize>,
    /// How many bytes a cell is expected to take.
    pub(crate) cell_bytes: Option<usize>,
}

impl Plan {
    /// Returns whether no more than the end of the columns is expected.
    pub(crate) fn is_probe(&self) -> bool {
        self.rows == Some(1)
    }
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
    /// The indexes read, each with its value at the same place in `values`.
    names: Names,
    values: Vec<Value>,
    /// The place of the highest index in `names`.
    highest: Option<usize>,
    /// Every index read, as soon as they do not come in order.
    seen: Option<BTreeSet<Box<[u32]>>>,
    /// How many names were not above all before them.
    out_of_order: usize,
    end: Option<ColumnEnd>,
    /// What it was like the last time.
    before: Option<Shape>,
    /// What its cells took, as sent.
    bytes: usize,
}

impl Walk {
    /// Returns the walk of `columns` from their beginning.
    pub fn new(columns: &[Column], caps: Caps) -> Self {
        Self::again(columns, caps, &Shapes::default())
    }

    /// Returns the walk of `columns` that were like `before`.
    pub(crate) fn again(columns: &[Column], caps: Caps, before: &Shapes) -> Self {
        let start = |column: &Column| {
            let before = before.get(column);
            let rows = before.and_then(|before| usize::try_from(before.rows).ok()).unwrap_or(0).min(caps.rows);
            ColumnWalk {
                column: *column,
                cursor: Oid::from_arcs(column.oid),
                names: Names::with_capacity(rows),
                values: Vec::with_capacity(rows),
                highest: None,
                seen: None,
                out_of_order: 0,
                end: None,
                before,
                bytes: 0,
            }
        };
        Self { columns: columns.iter().map(start).collect(), caps, bytes: 0 }
    }

    /// Returns the places of up to `at_most` columns that are to be asked next; none when the walk has ended.
    pub fn pending(&self, at_most: usize) -> Vec<usize> {
        let open = self.columns.iter().enumerate().filter(|(_, column)| column.end.is_none());
        open.map(|(place, _)| place).take(at_most.max(1)).collect()
    }

    /// Returns what to ask next, for up to `at_most` columns; `None` when the walk has ended. Columns that are expected to go
    /// on for as many rows are asked for together.
    pub(crate) fn plan(&self, at_most: usize) -> Option<Plan> {
        let open = || self.columns.iter().enumerate().filter(|(_, column)| column.end.is_none());
        let (_, first) = open().next()?;
        let (most, left) = match first.left() {
            Some(0) => (PROBES_MAX, Some(0)),
            None => (at_most.min(UNKNOWN_MAX), None),
            left => (at_most, left),
        };
        let abreast = |column: &ColumnWalk| match (left, column.left()) {
            (Some(0), Some(0)) | (None, None) => true,
            (Some(left), Some(other)) => left > 0 && other > 0 && left.abs_diff(other) <= ABREAST,
            _ => false,
        };
        // Who copes with few columns at a time is asked for few whatever is expected.
        let most = if at_most < UNKNOWN_MAX { at_most.max(1) } else { most };
        let chosen: Vec<_> = open().filter(|(_, column)| abreast(column)).take(most).collect();
        let sizes = chosen.iter().filter_map(|(_, column)| column.before.map(|before| usize::from(before.cell_bytes)));
        let (sum, known) = sizes.fold((0, 0), |(sum, known), bytes| (sum + bytes, known + 1));
        Some(Plan {
            rows: chosen.iter().filter_map(|(_, column)| column.left()).max().map(|left| left + 1),
            places: chosen.into_iter().map(|(place, _)| place).collect(),
            cell_bytes: (known > 0 && sum > 0).then(|| sum.div_ceil(known)),
        })
    }

    /// Takes note in `shapes` of what the columns are like.
    pub(crate) fn learn(&self, shapes: &mut Shapes) {
        for column in &self.columns {
            let rows = column.values.len();
            let whole = column.end == Some(ColumnEnd::Complete) && column.out_of_order == 0;
            let shape = || Shape {
                rows: u32::try_from(rows).unwrap_or(u32::MAX),
                cell_bytes: u16::try_from(column.bytes.div_ceil(rows.max(1))).unwrap_or(u16::MAX),
            };
            shapes.set(&column.column, whole.then(shape));
        }
    }

    /// Returns the names whose successors are to be asked for the columns at `places`.
    pub fn names(&self, places: &[usize]) -> Vec<Oid> {
        places.iter().filter_map(|place| self.columns.get(*place)).map(|column| column.cursor.clone()).collect()
    }

    /// Takes the answer to a question for the columns at `places`: the successors come row by row, a place a column
    /// (RFC 3416, section 4.2.3). Returns how many columns it said nothing about.
    pub fn accept(&mut self, places: &[usize], varbinds: Vec<VarBind>) -> usize {
        let answered = varbinds.len().min(places.len());
        let rows_before: Vec<usize> = self.columns.iter().map(|column| column.values.len()).collect();
        for (number, varbind) in varbinds.into_iter().enumerate() {
            let bytes = varbind.wire_bytes();
            self.bytes += bytes;
            let place = places.get(number % places.len().max(1)).copied();
            if let Some(column) = place.and_then(|place| self.columns.get_mut(place)) {
                column.accept(varbind, bytes, self.caps.rows);
            }
        }
        for place in places.iter().take(answered) {
            if let (Some(column), Some(before)) = (self.columns.get_mut(*place), rows_before.get(*place))
                && column.values.len() == *before
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
        table_of(self.columns)
    }

    /// Returns what was read as tables of so many columns each.
    pub(crate) fn finish_tables(self, widths: impl Iterator<Item = usize>) -> Vec<Cells> {
        let mut columns = self.columns.into_iter();
        widths.map(|width| table_of(columns.by_ref().take(width).collect())).collect()
    }
}

fn table_of(columns: Vec<ColumnWalk>) -> Cells {
    let end = |column: &ColumnWalk| (column.column, column.end.unwrap_or(ColumnEnd::Abandoned));
    let ends = columns.iter().map(end).collect();
    let disordered = columns.iter().filter(|column| column.out_of_order > 0);
    let disordered = disordered.map(|column| (column.column, column.out_of_order)).collect();
    Cells::joined(columns.into_iter().map(ColumnWalk::in_order).collect(), ends, disordered)
}

impl ColumnWalk {
    /// Returns how many rows are expected to come; `None` when there were more already than the last time.
    fn left(&self) -> Option<usize> {
        usize::try_from(self.before?.rows).ok()?.checked_sub(self.values.len())
    }

    fn finish(&mut self, end: ColumnEnd) {
        self.end.get_or_insert(end);
    }

    fn accept(&mut self, varbind: VarBind, bytes: usize, rows_max: usize) {
        if self.end.is_some() {
            return;
        }
        let Some(index) = varbind.oid.below(self.column.oid).filter(|_| !varbind.value.is_exception()) else {
            return self.finish(ColumnEnd::Complete);
        };
        if index.is_empty() || !self.is_new(index) {
            // Named before: the first value stays. Whether it goes on from here, the rest of the answer shows.
            self.cursor = varbind.oid;
            return;
        }
        if self.values.len() >= rows_max {
            return self.finish(ColumnEnd::TooManyRows);
        }
        self.names.push(index);
        self.values.push(varbind.value);
        self.bytes += bytes;
        self.cursor = varbind.oid;
    }

    /// Returns whether an index was not read before, and notes whether it comes in order.
    fn is_new(&mut self, index: &[u32]) -> bool {
        let place = self.values.len();
        let highest = self.highest.and_then(|highest| self.names.get(highest)).unwrap_or_default();
        if index > highest {
            self.highest = Some(place);
            if let Some(seen) = &mut self.seen {
                seen.insert(index.into());
            }
            return true;
        }
        self.out_of_order += 1;
        self.seen.get_or_insert_with(|| self.names.iter().map(Box::from).collect()).insert(index.into())
    }

    /// Returns the indexes and values, in the order of the indexes.
    fn in_order(self) -> (Names, Vec<Value>) {
        if self.out_of_order == 0 {
            return (self.names, self.values);
        }
        let mut rows: Vec<(&[u32], Value)> = self.names.iter().zip(self.values).collect();
        rows.sort_by(|one, other| one.0.cmp(other.0));
        let mut names = Names::default();
        let in_order = |(index, value)| {
            names.push(index);
            value
        };
        let values = rows.into_iter().map(in_order).collect();
        (names, values)
    }
}

#[cfg(test)]
mod tests;
