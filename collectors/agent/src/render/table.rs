//! Text in columns.

use std::fmt::{self, Write};

/// How far columns stand apart.
const GAP: usize = 2;

/// Rows under headings, each column as wide as its widest cell. Chinese characters count as two places, as terminals
/// show them. Control characters are shown as `·`: what a device calls itself must not drive the terminal.
#[derive(Debug, Clone)]
pub(crate) struct TextTable {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// Returns a table without rows.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; cells beyond the headings are left out.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().take(self.headings.len()).map(|cell| plain(&cell)).collect());
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn widths(&self) -> Vec<usize> {
        let column = |place: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(place)).map(|cell| width(cell));
            cells.chain(self.headings.get(place).map(|heading| width(heading))).max().unwrap_or(0)
        };
        (0..self.headings.len()).map(column).collect()
    }
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let headings: Vec<String> = self.headings.iter().map(|heading| (*heading).to_owned()).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = String::from("  ");
            for (cell, column) in row.iter().zip(&widths) {
                let padding = column + GAP - width(cell);
                let _ = write!(line, "{cell}{:padding$}", "");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Returns the text without control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Returns whether terminals give the character two places: CJK, its punctuation, full-width forms (UAX #11).
const fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_chinese_and_without_control_characters() {
        let mut table = TextTable::new(&["name", "alias"]);
        table.row(["Gi0/1".to_owned(), "办公室".to_owned()]);
        table.row(["机房".to_owned(), "a\x1b[2Jb".to_owned()]);
        assert_eq!(table.to_string(), "  name   alias\n  Gi0/1  办公室\n  机房   a·[2Jb\n");
    }
}
