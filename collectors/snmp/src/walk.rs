//! The walk of a table's columns, as a state machine without I/O.
//!
//! Invariant: it ends on every input, since every answer must bring each column asked for at least one name that is
//! new, or ends it, and rows and bytes are capped. Some agents answer out of order or name a row twice: such a table
//! is read as far as it brings something new, and noted. Columns are independent: one that ends, fails or is longer
//! than the others does not touch them.

mod cells;
mod shape;

use std::collections::BTreeSet;

use smallvec::SmallVec;

pub use cells::Cells;
pub(crate) use shape::{Shape, Shapes};

use self::cells::{Names, Rows};
use crate::{
    oid::Oid,
    value::{Value, VarBinds},
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

/// How many places a question has at most, as a rule.
const PLACES_USUAL: usize = PROBES_MAX;

/// How many columns are asked at once of which nothing is known.
const UNKNOWN_MAX: usize = 6;

/// How many arcs the name of a row has as a rule, at most.
const ARCS_USUAL: usize = 20;

/// How far columns that are read side by side may be apart.
const ABREAST: usize = 2;

/// What is to be asked next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The places of the columns.
    pub(crate) places: SmallVec<[usize; PLACES_USUAL]>,
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

/// A walk of the columns of one table, or several.
#[derive(Debug)]
pub struct Walk {
    columns: Vec<ColumnWalk>,
    tables: Vec<Rows>,
    caps: Caps,
    bytes: usize,
    last: Option<Last>,
}

/// A scalar that is to be read after everything else, and its value if nothing was read behind it.
#[derive(Debug)]
struct Last {
    instance: &'static [u32],
    value: Option<Value>,
}

#[derive(Debug)]
struct ColumnWalk {
    column: Column,
    /// Which table it is of, and its place there.
    table: usize,
    place: usize,
    /// The name to ask for the successor of.
    cursor: SmallVec<[u32; ARCS_USUAL]>,
    /// How many values were read, and how many before the last answer.
    values: usize,
    values_before: usize,
    /// The rows of the table up to which it was read.
    passed: usize,
    /// What was read of it, when it does not fit the rows of the table as they came.
    apart: Option<Box<Apart>>,
    /// How many names were not above all before them.
    out_of_order: usize,
    end: Option<ColumnEnd>,
    /// What it was like the last time.
    before: Option<Shape>,
    /// What its cells took, as sent.
    bytes: usize,
}

/// The indexes and values of a column, as they came.
#[derive(Debug, Default)]
struct Apart {
    names: Names,
    values: Vec<Value>,
    /// The place of the highest index in `names`.
    highest: Option<usize>,
    /// Every index read, as soon as they do not come in order.
    seen: Option<BTreeSet<Box<[u32]>>>,
}

impl Walk {
    /// Returns the walk of `columns` of one table from their beginning.
    pub fn new(columns: &[Column], caps: Caps) -> Self {
        Self::again(&[columns], caps, &Shapes::default())
    }

    /// Returns the walk of the columns of tables that were like `before`.
    pub(crate) fn again(tables: &[&[Column]], caps: Caps, before: &Shapes) -> Self {
        let tables_read = Vec::with_capacity(tables.len());
        let mut walk = Self { columns: Vec::new(), tables: tables_read, caps, bytes: 0, last: None };
        walk.columns.reserve_exact(tables.iter().map(|columns| columns.len()).sum());
        for (table, columns) in tables.iter().enumerate() {
            let mut rows_most = 0;
            for (place, column) in columns.iter().enumerate() {
                let before = before.get(column);
                let rows = before.and_then(|before| usize::try_from(before.rows).ok()).unwrap_or(0);
                rows_most = rows_most.max(rows.min(caps.rows));
                walk.columns.push(ColumnWalk {
                    column: *column,
                    table,
                    place,
                    cursor: SmallVec::from_slice(column.oid),
                    values: 0,
                    values_before: 0,
                    passed: 0,
                    apart: None,
                    out_of_order: 0,
                    end: None,
                    before,
                    bytes: 0,
                });
            }
            walk.tables.push(Rows::with_capacity(rows_most, columns.len()));
        }
        walk
    }

    /// Has the instance of a scalar read with the last question, where that is expected to bring no more than the ends of columns: it
    /// would come as often as rows do. Its place is behind those of the columns.
    pub(crate) fn read_last(&mut self, instance: &'static [u32]) {
        self.last = Some(Last { instance, value: None });
    }

    /// Returns the value of the scalar [read last](Self::read_last); `None` when it was not read, or something behind it.
    pub(crate) fn last(&mut self) -> Option<Value> {
        self.last.as_mut()?.value.take()
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
        let chosen = || open().filter(|(_, column)| abreast(column)).take(most);
        let sizes = chosen().filter_map(|(_, column)| column.before.map(|before| usize::from(before.cell_bytes)));
        let (sum, known) = sizes.fold((0, 0), |(sum, known), bytes| (sum + bytes, known + 1));
        let places = chosen().map(|(place, _)| place).collect();
        let mut plan = Plan {
            rows: chosen().filter_map(|(_, column)| column.left()).max().map(|left| left + 1),
            places,
            cell_bytes: (known > 0 && sum > 0).then(|| sum.div_ceil(known)),
        };
        if self.last.is_some() && plan.is_probe() && at_most >= UNKNOWN_MAX {
            let is_last = plan.places.len() < PROBES_MAX && open().count() == plan.places.len();
            plan.places.extend(is_last.then_some(self.columns.len()));
        }
        Some(plan)
    }

    /// Takes note in `shapes` of what the columns are like.
    pub(crate) fn learn(&self, shapes: &mut Shapes) {
        for column in &self.columns {
            let rows = column.values;
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
        let mut names = Vec::new();
        self.put_names(places, &mut names);
        names
    }

    /// Puts what [`names`](Self::names) returns in the place of other names.
    pub(crate) fn put_names(&self, places: &[usize], names: &mut Vec<Oid>) {
        let column = |place: &usize| self.columns.get(*place).map(|column| &column.cursor[..]);
        let last = || self.last.as_ref().map(Last::before);
        names.clear();
        names.extend(places.iter().filter_map(|place| column(place).or_else(last)).map(Oid::from_arcs));
    }

    /// Takes the answer to a question for the columns at `places`: the successors come row by row, a place a column
    /// (RFC 3416, section 4.2.3). Returns how many columns it said nothing about.
    pub fn accept(&mut self, places: &[usize], mut varbinds: VarBinds) -> usize {
        let answered = varbinds.len().min(places.len());
        self.columns.iter_mut().for_each(|column| column.values_before = column.values);
        self.last.iter_mut().for_each(|last| last.value = None);
        // How far each got: only the last name of a column is asked on from.
        let mut reached: SmallVec<[&[u32]; PLACES_USUAL]> = SmallVec::from_elem(&[][..], places.len());
        for ((name, value, bytes), at) in varbinds.drain().zip((0..places.len()).cycle()) {
            self.bytes += bytes;
            let place = places.get(at).copied().unwrap_or(usize::MAX);
            if let Some(column) = self.columns.get_mut(place)
                && let Some(rows) = self.tables.get_mut(column.table)
            {
                if column.accept(rows, name, value, bytes, self.caps.rows)
                    && let Some(reached) = reached.get_mut(at)
                {
                    *reached = name;
                }
            } else if let Some(last) = self.last.as_mut().filter(|last| last.instance == name) {
                last.value = Some(value).filter(|value| !value.is_exception());
            }
        }
        for (place, name) in places.iter().zip(reached).filter(|(_, name)| !name.is_empty()) {
            if let Some(column) = self.columns.get_mut(*place) {
                column.cursor.clear();
                column.cursor.extend_from_slice(name);
            }
        }
        for place in places.iter().take(answered) {
            if let Some(column) = self.columns.get_mut(*place).filter(|column| column.values == column.values_before) {
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

    /// Returns what was read of the first table; columns that are still open count as abandoned.
    pub fn finish(self) -> Cells {
        self.finish_tables().into_iter().next().unwrap_or_default()
    }

    /// Returns what was read, by tables.
    pub(crate) fn finish_tables(self) -> Vec<Cells> {
        let Self { mut columns, tables, .. } = self;
        let tables = tables.into_iter().enumerate();
        // Columns stand in the order of their tables.
        let mut rest = &mut columns[..];
        tables
            .map(|(table, rows)| {
                let count = rest.partition_point(|column| column.table <= table);
                let (own, behind) = std::mem::take(&mut rest).split_at_mut(count);
                rest = behind;
                table_of(rows, own)
            })
            .collect()
    }
}

fn table_of(mut rows: Rows, columns: &mut [ColumnWalk]) -> Cells {
    let end = |column: &ColumnWalk| (column.column, column.end.unwrap_or(ColumnEnd::Abandoned));
    let ends = columns.iter().map(end).collect();
    let disordered = columns.iter().filter(|column| column.out_of_order > 0);
    let disordered = disordered.map(|column| (column.column, column.out_of_order)).collect();
    let apart = columns.iter_mut().filter_map(|column| Some((column.place, *column.apart.take()?)));
    let apart: Vec<_> = apart.map(|(place, apart)| (place, apart.names, apart.values)).collect();
    if !apart.is_empty() {
        rows = rows.joined(apart);
    }
    Cells::new(rows, ends, disordered)
}

impl Last {
    /// Returns the name whose successor it is.
    fn before(&self) -> &'static [u32] {
        self.instance.split_last().map_or(self.instance, |(_, before)| before)
    }
}

impl ColumnWalk {
    /// Returns how many rows are expected to come; `None` when there were more already than the last time.
    fn left(&self) -> Option<usize> {
        usize::try_from(self.before?.rows).ok()?.checked_sub(self.values)
    }

    fn finish(&mut self, end: ColumnEnd) {
        self.end.get_or_insert(end);
    }

    /// Takes a value. Returns whether its name is one of the column, which goes on from there.
    fn accept(&mut self, rows: &mut Rows, name: &[u32], value: Value, bytes: usize, rows_max: usize) -> bool {
        if self.end.is_some() {
            return false;
        }
        let Some(index) = name.strip_prefix(self.column.oid).filter(|_| !value.is_exception()) else {
            self.finish(ColumnEnd::Complete);
            return false;
        };
        if index.is_empty() {
            return true;
        }
        if self.values >= rows_max {
            if self.is_new(rows, index) {
                self.finish(ColumnEnd::TooManyRows);
            }
            return true;
        }
        if self.put(rows, index, value) {
            self.values += 1;
            self.bytes += bytes;
        }
        true
    }

    /// Keeps a value. Returns whether it is new: of an index that was named before the first value stays, and whether the
    /// agent goes on from there, the rest of the answer shows.
    fn put(&mut self, rows: &mut Rows, index: &[u32], value: Value) -> bool {
        let Some(apart) = &mut self.apart else {
            let Err(value) = rows.put(&mut self.passed, self.place, index, value) else { return true };
            // It does not fit the rows as they came: it is read apart from here on.
            let (names, values) = rows.take(self.passed, self.place);
            let highest = values.len().checked_sub(1);
            self.apart = Some(Box::new(Apart { names, values, highest, seen: None }));
            return self.put(rows, index, value);
        };
        if !apart.is_new(index, &mut self.out_of_order) {
            return false;
        }
        apart.names.push(index);
        apart.values.push(value);
        true
    }

    /// Returns whether an index, which is not kept, was not read before.
    fn is_new(&mut self, rows: &Rows, index: &[u32]) -> bool {
        match &mut self.apart {
            Some(apart) => apart.is_new(index, &mut self.out_of_order),
            None => {
                rows.is_above(self.passed, index) || {
                    self.out_of_order += 1;
                    !rows.has(self.place, index)
                }
            }
        }
    }
}

impl Apart {
    /// Returns whether an index was not read before, and counts it if it does not come in order.
    fn is_new(&mut self, index: &[u32], out_of_order: &mut usize) -> bool {
        let place = self.values.len();
        let highest = self.highest.and_then(|highest| self.names.get(highest)).unwrap_or_default();
        if index > highest {
            self.highest = Some(place);
            if let Some(seen) = &mut self.seen {
                seen.insert(index.into());
            }
            return true;
        }
        *out_of_order += 1;
        self.seen.get_or_insert_with(|| self.names.iter().map(Box::from).collect()).insert(index.into())
    }
}

#[cfg(test)]
mod tests;
