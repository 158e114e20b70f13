//! The address plan as a TOML file: one `[[prefixes]]` table a prefix, with the columns of the CSV file as keys.
//!
//! Invariant: as for CSV, nothing is guessed and nothing skipped in silence; everything that is wrong is listed at once, by
//! line.

use std::collections::BTreeMap;

use onenet_topology::{
    address::{PLAN_COLUMNS, PlanRow},
    csv::{ImportError, MAX_ERRORS},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Returns the line of an offset, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Reads the file.
///
/// # Errors
/// Everything that is wrong, in the order of the lines, up to [`MAX_ERRORS`].
pub(super) fn parse_plan_toml(text: &str) -> Result<Vec<PlanRow>, Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let line = |offset| line_of(text, offset);
    let mut problems: Vec<(usize, String)> = errors
        .iter()
        .map(|error| (line(error.span().unwrap_or_default().start), format!("is not TOML: {}", error.message())))
        .collect();
    let mut rows = Vec::new();
    for (key, value) in document.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("prefixes", DeValue::Array(items)) => {
                for item in items {
                    match row(item, line(item.span().start), &line) {
                        Ok(row) => rows.push(row),
                        Err(found) => problems.extend(found),
                    }
                }
            }
            (name, _) => {
                let what = format!("{name} is not known here: begin each prefix with [[prefixes]]");
                problems.push((line(key.span().start), what));
            }
        }
    }
    if rows.is_empty() && problems.is_empty() {
        problems.push((1, "the file holds no prefix: begin each with [[prefixes]]".to_owned()));
    }
    problems.sort();
    problems.truncate(MAX_ERRORS);
    let problems: Vec<String> = problems.into_iter().map(|(line, what)| format!("line {line}: {what}")).collect();
    if problems.is_empty() { Ok(rows) } else { Err(problems) }
}

fn row(
    item: &Spanned<DeValue<'_>>,
    line: usize,
    line_of: &impl Fn(usize) -> usize,
) -> Result<PlanRow, Vec<(usize, String)>> {
    let DeValue::Table(table) = item.get_ref() else {
        return Err(vec![(line, "is not a table: begin each prefix with [[prefixes]]".to_owned())]);
    };
    let mut fields: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (key, value) in table {
        let (name, at) = (key.get_ref().as_ref(), line_of(key.span().start));
        if !PLAN_COLUMNS.contains(&name) {
            problems.push((at, format!("{name} is not known: remove it; known here are {}", PLAN_COLUMNS.join(", "))));
        } else if let Some(text) = as_text(value.get_ref()) {
            fields.insert(name, (at, text));
        } else {
            problems.push((
                at,
                format!("{name} is neither a text, a number, a date nor true or false: write one of these"),
            ));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let read = PlanRow::read(line, |column| fields.get(column).map_or("", |(_, text)| text));
    read.map_err(|(column, problem)| {
        let line = fields.get(column).map_or(line, |(at, _)| *at);
        let error = ImportError { line, column, problem };
        let text = error.to_string();
        let what = text.split_once(": ").map_or(text.clone(), |(_, what)| what.to_owned());
        vec![(line, format!("{column}: {what}"))]
    })
}

fn as_text(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.trim().to_owned(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Float(_) | DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_the_csv_file_says() {
        let toml = "[[prefixes]]\nprefix = \"10.13.1.0/24\"\nsite = \"130102\"\nvlan = 10\npurpose = \"office\"\n\
                    dark = false\nfrom = 2026-01-31\n\n[[prefixes]]\nprefix = \"10.13.2.0/24\"\nsite = \"130102\"\ndark = true\n";
        let csv = "prefix,site,vlan,purpose,dark,from\n10.13.1.0/24,130102,10,office,no,2026-01-31\n10.13.2.0/24,130102,,,yes,\n";
        let without_lines =
            |rows: Vec<PlanRow>| -> Vec<PlanRow> { rows.into_iter().map(|row| PlanRow { line: 0, ..row }).collect() };
        let from_csv = onenet_topology::address::parse_plan_csv(csv).unwrap();
        assert_eq!(without_lines(parse_plan_toml(toml).unwrap()), without_lines(from_csv));
    }

    #[test]
    fn everything_that_is_wrong_is_listed_with_its_line_and_the_remedy() {
        let toml = "colour = 1\n[[prefixes]]\nprefix = \"10.13.1.7/24\"\nsite = \"130102\"\n[[prefixes]]\nprefix = \"10.0.0.0/24\"\n\
                    vlan = 5000\nsite = \"1\"\n[[prefixes]]\nprefix = \"10.0.0.0/24\"\ncolor = 1\n[[prefixes]]\nsite = \"1\"\n";
        let said = parse_plan_toml(toml).unwrap_err();
        let expected = [
            ("line 1", "[[prefixes]]"),
            ("line 3", "10.13.1.0/24"),
            ("line 7", "1 to 4094"),
            ("line 11", "vlan"),
            ("line 12", "fill it in"),
        ];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for ((line, words), said) in expected.into_iter().zip(said) {
            assert!(said.starts_with(&format!("{line}: ")) && said.contains(words), "{said}");
        }
        assert!(parse_plan_toml("").unwrap_err()[0].contains("[[prefixes]]"));
    }
}
