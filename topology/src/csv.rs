//! Tables that people hand in as CSV (RFC 4180), read with the line and column of everything that is wrong.
//!
//! Invariant: nothing is guessed and nothing skipped in silence. A file is taken whole or refused with what to repair.
//! The first line names the columns, in any order; blank lines and lines that start with `#` are left out; a byte order
//! mark is taken off; blanks around an unquoted field do not count.
//!
//! It does not know encodings: whoever reads the file turns it into text first.

use std::fmt;

/// How many errors a file may report before reading stops: more would hide the first ones.
pub const MAX_ERRORS: usize = 100;

/// What is wrong with one row of an imported file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ImportError<P> {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The name of the column, empty when the row as a whole is meant.
    pub column: &'static str,
    /// What is wrong, and what to do about it.
    pub problem: P,
}

/// The file is not a table of the expected columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// The file holds nothing.
    #[error("the file is empty: its first line must name the columns {expected}")]
    Empty {
        /// The columns that must be there.
        expected: String,
    },
    /// A column that must be there is not.
    #[error("the first line names no column {name:?}: name the columns {expected}")]
    MissingColumn {
        /// The column.
        name: &'static str,
        /// Every column that must be there.
        expected: String,
    },
    /// A column that nobody knows: perhaps misspelt, so it is not skipped.
    #[error("there is no column {name:?}: leave it out, or use one of {known}")]
    UnknownColumn {
        /// The column as written.
        name: String,
        /// Every column that can be there.
        known: String,
    },
    /// A column named twice.
    #[error("the first line names the column {name:?} twice: keep one")]
    RepeatedColumn {
        /// The column.
        name: &'static str,
    },
    /// A row with too few or too many fields.
    #[error("the row has {found} fields, the first line names {expected}: put fields with commas in double quotes")]
    FieldCount {
        /// Fields in the row.
        found: usize,
        /// Columns named.
        expected: usize,
    },
    /// A quote without its closing quote.
    #[error("a double quote is never closed: close it, or write it twice when it belongs to the text")]
    OpenQuote,
}

/// A table with known columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    columns: Vec<&'static str>,
}

/// One row, as long as the first line.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: usize,
    fields: Vec<String>,
}

impl<P: fmt::Display> fmt::Display for ImportError<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            "" => write!(f, "line {}: {}", self.line, self.problem),
            column => write!(f, "line {}, column {column}: {}", self.line, self.problem),
        }
    }
}

impl Table {
    /// Reads `text`, whose first line must name the `required` columns and may name the `optional` ones.
    pub(crate) fn parse<P: From<CsvProblem>>(
        text: &str,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, Vec<ImportError<P>>> {
        let at = |line, problem: CsvProblem| ImportError { line, column: "", problem: problem.into() };
        let mut rows = split(text).map_err(|line| vec![at(line, CsvProblem::OpenQuote)])?.into_iter();
        let Some(header) = rows.next() else {
            return Err(vec![at(1, CsvProblem::Empty { expected: required.join(",") })]);
        };
        let columns = columns(&header.fields, required, optional).map_err(|problem| vec![at(header.line, problem)])?;
        let rows: Vec<Row> = rows.collect();
        let uneven = rows.iter().filter(|row| row.fields.len() != columns.len());
        let errors: Vec<_> = uneven
            .map(|row| at(row.line, CsvProblem::FieldCount { found: row.fields.len(), expected: columns.len() }))
            .take(MAX_ERRORS)
            .collect();
        if errors.is_empty() { Ok(Self { rows, columns }) } else { Err(errors) }
    }

    /// Reads every row: `read` returns what a row says, or the column that is wrong and what is.
    ///
    /// # Errors
    /// Everything that is wrong, up to [`MAX_ERRORS`], with lines and columns.
    pub(crate) fn read_rows<T, P>(
        &self,
        read: impl Fn(&Row) -> Result<T, (&'static str, P)>,
    ) -> Result<Vec<T>, Vec<ImportError<P>>> {
        let (mut rows, mut errors) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for row in &self.rows {
            match read(row) {
                Ok(read) => rows.push(read),
                Err((column, problem)) => errors.push(ImportError { line: row.line, column, problem }),
            }
            if errors.len() >= MAX_ERRORS {
                break;
            }
        }
        if errors.is_empty() { Ok(rows) } else { Err(errors) }
    }

    /// Returns whether the first line names this column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }

    /// Returns the field of `row` in this column; empty when the file has no such column.
    pub(crate) fn field<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let index = self.columns.iter().position(|name| *name == column);
        index.and_then(|index| row.fields.get(index)).map_or("", String::as_str)
    }
}

fn columns(
    header: &[String],
    required: &[&'static str],
    optional: &[&'static str],
) -> Result<Vec<&'static str>, CsvProblem> {
    let known = || required.iter().chain(optional).copied();
    let mut columns = Vec::with_capacity(header.len());
    for written in header {
        let name = known().find(|name| name.eq_ignore_ascii_case(written)).ok_or_else(|| {
            let known = known().collect::<Vec<_>>().join(",");
            CsvProblem::UnknownColumn { name: written.clone(), known }
        })?;
        if columns.contains(&name) {
            return Err(CsvProblem::RepeatedColumn { name });
        }
        columns.push(name);
    }
    match required.iter().find(|name| !columns.contains(name)) {
        Some(name) => Err(CsvProblem::MissingColumn { name, expected: required.join(",") }),
        None => Ok(columns),
    }
}

/// Splits the text into rows. An error is the line of a quote that is never closed.
fn split(text: &str) -> Result<Vec<Row>, usize> {
    let mut rows = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let first = rest.split('\n').next().unwrap_or_default();
        if first.trim().is_empty() || first.starts_with('#') {
            rest = rest.get(first.len() + 1..).unwrap_or_default();
            line += 1;
            continue;
        }
        let mut row = Row { line, fields: Vec::new() };
        loop {
            let (field, lines, end, tail) = field(rest).ok_or(line)?;
            row.fields.push(field);
            rest = tail;
            line += lines;
            if end {
                break;
            }
        }
        line += 1;
        rows.push(row);
    }
    Ok(rows)
}

/// Reads one field. Returns it, the line breaks within, whether it was the last of its row, and what follows.
fn field(text: &str) -> Option<(String, usize, bool, &str)> {
    let trimmed = text.trim_start_matches([' ', '\t']);
    let Some(mut rest) = trimmed.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (field, tail) = text.split_at(end);
        return Some((field.trim().to_owned(), 0, !tail.starts_with(','), tail.get(1..).unwrap_or_default()));
    };
    let mut field = String::new();
    loop {
        let (part, tail) = rest.split_once('"')?;
        field.push_str(part);
        let Some(doubled) = tail.strip_prefix('"') else {
            rest = tail;
            break;
        };
        field.push('"');
        rest = doubled;
    }
    let lines = field.matches('\n').count();
    // Text between the closing quote and the next comma belongs to the field, so that nothing gets lost.
    let end = rest.find([',', '\n']).unwrap_or(rest.len());
    let (more, tail) = rest.split_at(end);
    field.push_str(more.trim_end());
    Some((field, lines, !tail.starts_with(','), tail.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, Vec<ImportError<CsvProblem>>> {
        Table::parse(text, &["code", "name"], &["kind"])
    }

    #[test]
    fn columns_may_stand_in_any_order_and_rows_keep_their_lines() {
        let table =
            table("\u{feff}# exported 2026\r\nName,code\r\n\r\n 长安区 ,130102\r\n\"a \"\"b\"\",\nc\",1\n2,3").unwrap();
        let read: Vec<_> = table
            .rows
            .iter()
            .map(|row| (row.line, table.field(row, "code"), table.field(row, "name"), table.field(row, "kind")))
            .collect();
        assert_eq!(read, [(4, "130102", "长安区", ""), (5, "1", "a \"b\",\nc", ""), (7, "3", "2", "")]);
        assert!(table.has("name") && !table.has("kind"));
    }

    #[test]
    fn a_trailing_comma_is_an_empty_last_field() {
        let table = table("code,name\n1,\n").unwrap();
        assert_eq!(table.field(&table.rows[0], "name"), "");
    }

    #[test]
    fn what_is_wrong_names_its_line_and_the_remedy() {
        for (text, line, remedy) in [
            ("", 1, "code,name"),
            ("code\n", 1, "\"name\""),
            ("code,name,colour\n", 1, "code,name,kind"),
            ("code,name,code\n", 1, "twice"),
            ("code,name\n1,a\n2,b,c\n", 3, "double quotes"),
            ("code,name\n1,\"a\n\n", 2, "close it"),
        ] {
            let errors = table(text).unwrap_err();
            assert_eq!(errors[0].line, line, "{text:?}");
            assert!(errors[0].to_string().contains(remedy), "{}", errors[0]);
        }
    }
}
