//! The MIB modules that are read, one file each: columns, typed rows, and their assembly from cells.
//!
//! Invariant: assembly is pure; a value that is not there is [`Reading::Missing`], never a zero or an empty text.

pub mod addresses;
pub mod aggregation;
pub mod bridge;
pub mod cdp;
pub mod cisco_vlans;
mod columns;
pub mod entity;
pub mod identity;
pub mod interface_index;
pub mod interfaces;
pub mod lldp;
pub mod lldp_v2;
pub mod own_addresses;
pub mod q_bridge;
pub mod routes;
mod syntax;
pub mod system;
pub mod vlans;

use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use syntax::Syntax;

use crate::{
    dropped::{DroppedRow, TableError, TableProblem},
    error::RequestError,
    quirks::{Quirk, quirks},
    session::{Session, Table},
    text::text_of,
    value::Value,
    walk::{Cells, Column, ColumnEnd},
};

/// Tables whose rows have all of the columns that are read of them.
const LOCKSTEP: [&str; 4] = ["dot1qTpFdbTable", "dot1dTpFdbTable", "ipNetToMediaTable", "ipNetToPhysicalTable"];

/// One value of a row. Serialised as the value, or as null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading<T> {
    /// What was read.
    Value(T),
    /// The device has no such value.
    #[default]
    Missing,
    /// The device sent something else: another type, out of range, undecodable.
    Malformed,
}

impl<T> Reading<T> {
    /// Returns the reading of a cell; `decode` returns `None` for what it cannot take.
    pub fn of(cell: Option<&Value>, decode: impl FnOnce(&Value) -> Option<T>) -> Self {
        match cell {
            None => Self::Missing,
            Some(value) if value.is_exception() || matches!(value, Value::Null) => Self::Missing,
            Some(value) => decode(value).map_or(Self::Malformed, Self::Value),
        }
    }

    /// Returns the value, if one was read.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Malformed => None,
        }
    }

    /// Returns this reading, or the other when this has no value.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Value(_) => self,
            Self::Malformed if matches!(other, Self::Missing) => self,
            Self::Missing | Self::Malformed => other,
        }
    }

    /// Returns the reading with its value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Value(value) => Reading::Value(change(value)),
            Self::Missing => Reading::Missing,
            Self::Malformed => Reading::Malformed,
        }
    }
}

impl Reading<u64> {
    /// Returns the reading of a number that is not negative.
    pub fn number(cell: Option<&Value>) -> Self {
        Self::of(cell, Value::unsigned)
    }
}

impl Reading<String> {
    /// Returns the reading of a text.
    pub fn text(cell: Option<&Value>) -> Self {
        Self::of(cell, |value| value.octets().map(text_of))
    }

    /// Returns the text, if it is not empty.
    pub fn filled(&self) -> Option<&str> {
        self.get().map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl<T: Serialize> Serialize for Reading<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

/// What was read of one or several tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled<T> {
    /// The usable rows.
    pub rows: Vec<T>,
    /// The rows that cannot be used.
    pub dropped: Vec<DroppedRow>,
    /// What could not be read, or only in part.
    pub errors: Vec<TableError>,
    /// The tables asked for and how many rows each has; 0 for one that the device does not have.
    pub tables: Vec<TableSize>,
}

/// How many rows a table has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// The table, by the name its MIB gives it.
    pub table: &'static str,
    /// The rows read, usable or not.
    pub rows: usize,
}

impl<T> Default for Polled<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), dropped: Vec::new(), errors: Vec::new(), tables: Vec::new() }
    }
}

impl<T> Polled<T> {
    /// Returns whether something could not be asked because the device stopped answering or the budget ran out, so
    /// that rows not seen are no evidence that they are gone.
    pub fn is_partial(&self) -> bool {
        self.errors.iter().any(|error| {
            !matches!(
                error.error,
                TableProblem::Missing
                    | TableProblem::Malformed
                    | TableProblem::Disordered
                    | TableProblem::NamedByDescription
                    | TableProblem::PortsAreInterfaces
                    | TableProblem::VlansAreDatabases
                    | TableProblem::VlanPortsUnknown
                    | TableProblem::NoContexts
                    | TableProblem::Truncated
                    | TableProblem::DuplicateNames
                    | TableProblem::NarrowCounters
                    | TableProblem::RoutesCut
                    | TableProblem::GbkText
                    | TableProblem::Renumbered
                    | TableProblem::SmallAnswers
                    | TableProblem::AnswersFromElsewhere
                    | TableProblem::EngineTimeDrift
            )
        })
    }

    /// Returns what is peculiar about the device, of what was noted here.
    pub fn quirks(&self) -> Vec<Quirk> {
        quirks(&self.errors, &self.dropped)
    }

    /// Returns the same with its rows changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Polled<U> {
        let Self { rows, dropped, errors, tables } = self;
        Polled { rows: rows.into_iter().map(change).collect(), dropped, errors, tables }
    }

    /// Returns the same with rows that borrow from these.
    pub fn viewed<'a, U>(&'a self, view: impl Fn(&'a T) -> U) -> Polled<U> {
        Polled {
            rows: self.rows.iter().map(view).collect(),
            dropped: self.dropped.clone(),
            errors: self.errors.clone(),
            tables: self.tables.clone(),
        }
    }

    /// Takes over what was read of other tables.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.dropped.extend(other.dropped);
        self.errors.extend(other.errors);
        self.tables.extend(other.tables);
    }

    /// Takes over what was noted on a table.
    pub(crate) fn note(&mut self, table: &'static str, read: &ReadTable) {
        self.errors.extend(read.errors.iter().cloned());
        self.tables.push(TableSize { table, rows: read.len() });
    }
}

/// The cells of a table and what went wrong while reading them.
#[derive(Debug, Default)]
pub(crate) struct ReadTable {
    pub(crate) cells: Cells,
    pub(crate) errors: Vec<TableError>,
}

impl ReadTable {
    /// Returns the rows in the order of their indexes: the index, and a place a column in the order asked.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u32], &[Option<Value>])> {
        self.cells.rows()
    }

    /// Returns the row of an index; it has no places when there is no such row.
    pub(crate) fn row(&self, index: &[u32]) -> &[Option<Value>] {
        self.cells.row(index)
    }

    /// Returns how many rows were read.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Returns whether no row was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

impl Hash for ReadTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        for (index, row) in self.rows() {
            (index, row).hash(state);
        }
        for error in &self.errors {
            (error.column, error.error.as_str(), error.rows).hash(state);
        }
    }
}

#[cfg(test)]
impl ReadTable {
    /// Returns a table of these rows, read without a fault.
    pub(crate) fn of_rows<'a>(rows: impl IntoIterator<Item = (&'a [u32], Vec<Option<Value>>)>) -> Self {
        Self { cells: Cells::of_rows(rows), errors: Vec::new() }
    }
}

/// Reads a table.
pub(crate) async fn read(session: &mut Session, table: &'static str, columns: &[Column]) -> ReadTable {
    let [read] = read_all(session, [(table, columns)]).await;
    read
}

/// Reads several tables, with as few questions as they take together: for tables that need not be of different moments.
pub(crate) async fn read_all<const N: usize>(
    session: &mut Session,
    tables: [(&'static str, &[Column]); N],
) -> [ReadTable; N] {
    let read = session.walk_tables(&tables.map(|(_, columns)| columns)).await;
    read_tables(tables, read)
}

/// Reads what [`read_all`] does, of as many tables as there are.
pub(crate) async fn read_some(session: &mut Session, tables: &[(&'static str, &[Column])]) -> Vec<ReadTable> {
    let columns: Vec<&[Column]> = tables.iter().map(|(_, columns)| *columns).collect();
    let read = session.walk_tables(&columns).await;
    tables.iter().zip(read).map(|((table, _), read)| read_table(table, read)).collect()
}

/// Reads what [`read_all`] does, and behind all of it the instance of a scalar, where that takes no question more.
pub(crate) async fn read_all_and<const N: usize>(
    session: &mut Session,
    tables: [(&'static str, &[Column]); N],
    last: &'static [u32],
) -> ([ReadTable; N], Option<Value>) {
    let (read, value) = session.walk_tables_and(&tables.map(|(_, columns)| columns), last).await;
    (read_tables(tables, read), value)
}

fn read_tables<const N: usize>(tables: [(&'static str, &[Column]); N], read: Vec<Table>) -> [ReadTable; N] {
    let mut read = read.into_iter();
    tables.map(|(table, _)| read_table(table, read.next().unwrap_or_default()))
}

fn read_table(table: &'static str, Table { cells, failures }: Table) -> ReadTable {
    let mut errors: Vec<TableError> = failures
        .iter()
        .map(|(column, error)| TableError {
            table,
            column: Some(column.name),
            error: problem(error),
            rows: None,
            detail: Some(error.to_string()),
        })
        .collect();
    let plain =
        |column: &Column, error, rows| TableError { table, column: Some(column.name), error, rows, detail: None };
    let missing = cells.missing();
    for (place, ((column, end), without)) in cells.ends.iter().zip(&missing).enumerate() {
        match end {
            ColumnEnd::Complete => {
                let without = *without;
                if without > 0 {
                    let cut = LOCKSTEP.contains(&table) && ends_early(&cells, place, without);
                    let error = if cut { TableProblem::Truncated } else { TableProblem::Missing };
                    errors.push(plain(column, error, Some(without)));
                }
            }
            ColumnEnd::Loop => errors.push(plain(column, TableProblem::Loop, None)),
            ColumnEnd::TooManyRows => errors.push(plain(column, TableProblem::TooManyRows, None)),
            ColumnEnd::TooManyBytes => errors.push(plain(column, TableProblem::TooManyBytes, None)),
            // Why it was abandoned is among the failures.
            ColumnEnd::Abandoned => {}
        }
    }
    for (place, ((column, _), without)) in cells.ends.iter().zip(&missing).enumerate() {
        if *without == cells.len() {
            continue;
        }
        let Some(syntax) = Syntax::of(column.name) else { continue };
        let faults = syntax.faults(cells.rows().filter_map(|(_, row)| cell(row, place)));
        for (error, values) in [(TableProblem::Malformed, faults.malformed), (TableProblem::GbkText, faults.gbk)] {
            if values > 0 {
                errors.push(plain(column, error, Some(values)));
            }
        }
    }
    let disordered = cells.disordered.iter();
    errors.extend(disordered.map(|(column, names)| plain(column, TableProblem::Disordered, Some(*names))));
    ReadTable { cells, errors }
}

/// Returns whether the rows without a value at `place` are the last ones.
fn ends_early(cells: &Cells, place: usize, without: usize) -> bool {
    let with = cells.len().saturating_sub(without);
    with > 0 && cells.rows().skip(with).all(|(_, row)| cell(row, place).is_none())
}

/// Returns the record of a group of objects that could not be read.
pub(crate) fn unread(group: &'static str, error: &RequestError) -> TableError {
    TableError { table: group, column: None, error: problem(error), rows: None, detail: Some(error.to_string()) }
}

fn problem(error: &RequestError) -> TableProblem {
    match error {
        RequestError::NoAnswer { .. } | RequestError::Gone { .. } => TableProblem::NoAnswer,
        RequestError::Status { .. } => TableProblem::ErrorStatus,
        RequestError::BudgetSpent { .. } => TableProblem::BudgetSpent,
        _ => TableProblem::Unread,
    }
}

/// Returns the cell at `place` of a row.
pub(crate) fn cell(row: &[Option<Value>], place: usize) -> Option<&Value> {
    row.get(place).and_then(Option::as_ref)
}

/// Returns the word at a number's place in a list that begins with 1, as enumerations of MIBs do.
pub(crate) fn word_of(words: &[&'static str], value: &Value) -> Option<&'static str> {
    let place = usize::try_from(value.unsigned()?).ok()?.checked_sub(1)?;
    words.get(place).copied()
}
