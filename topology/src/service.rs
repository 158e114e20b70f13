//! The register of approved services, as people keep it in a spreadsheet: read, and written as sections of a site's configuration.
//!
//! | column | holds |
//! |---|---|
//! | `service` | where it is: `10.20.0.9:443`, or `udp 10.20.0.9:53` |
//! | `application` | what it is |
//! | `approval` | the number of its approval |
//! | `owner` | who answers for it |
//! | `scope` | who may use it: prefixes, with blanks or semicolons between them; empty: whoever is of the address plan |
//! | `expires` | the first day on which it may not be used any more, such as `2027-01-31`, or a time after RFC 3339 |
//!
//! Invariant: what is written is read back by the agent as it was meant; no service stands there twice.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr};

use ipnetwork::IpNetwork;

use crate::{
    Timestamp,
    csv::{CsvProblem, ImportError, Table},
    time::InvalidDay,
};

/// The columns of the file; the first must be there.
pub const SERVICE_COLUMNS: [&str; 6] = ["service", "application", "approval", "owner", "scope", "expires"];
/// Characters of what is said of a service.
pub const SERVICE_CHARS_MAX: usize = 100;

/// A service of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// Whether it is one of UDP, and not of TCP.
    pub udp: bool,
    /// Where it is.
    pub at: SocketAddr,
    /// What it is.
    pub application: String,
    /// The number of its approval.
    pub approval: String,
    /// Who answers for it.
    pub owner: String,
    /// Who may use it.
    pub scope: Vec<IpNetwork>,
    /// When its approval ends.
    pub expires: Option<Timestamp>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceProblem {
    /// The file is no such table.
    #[error(transparent)]
    Csv(#[from] CsvProblem),
    /// It is nowhere.
    #[error("{0:?} is no service: write 10.20.0.9:443, or udp 10.20.0.9:53")]
    Service(String),
    /// Two rows have one service.
    #[error("line {first} has the same service: keep one row")]
    Repeated {
        /// The earlier line.
        first: usize,
    },
    /// It is too long.
    #[error("is longer than {SERVICE_CHARS_MAX} characters: shorten it")]
    Long,
    /// It is no prefix.
    #[error("{0:?} is no prefix: write prefixes such as 10.20.0.0/16")]
    Prefix(String),
    /// It is no date.
    #[error(transparent)]
    Date(InvalidDay),
}

type RowError = ImportError<ServiceProblem>;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong, with lines and columns.
pub fn parse_services_csv(text: &str) -> Result<Vec<ServiceRow>, Vec<RowError>> {
    let (required, optional) = SERVICE_COLUMNS.split_at(1);
    let table = Table::parse(text, required, optional)?;
    let rows = table.read_rows(|row| ServiceRow::read(row.line, |column| table.field(row, column)))?;
    let mut known = BTreeMap::new();
    let repeated = rows.iter().filter_map(|row| {
        let first = *known.entry((row.udp, row.at)).or_insert(row.line);
        let problem = ServiceProblem::Repeated { first };
        (first != row.line).then_some(ImportError { line: row.line, column: "service", problem })
    });
    let errors: Vec<RowError> = repeated.collect();
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// Returns the register as sections of a site's configuration.
pub fn services_toml(rows: &[ServiceRow]) -> String {
    rows.iter().fold(String::new(), |mut text, row| {
        let protocol = if row.udp { "udp " } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[[detection.services]]\nservice = \"{protocol}{}\"", row.at);
        let said = [("application", &row.application), ("approval", &row.approval), ("owner", &row.owner)];
        for (key, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
        if !row.scope.is_empty() {
            let scope: Vec<String> = row.scope.iter().map(|prefix| format!("\"{prefix}\"")).collect();
            let _ = writeln!(text, "scope = [{}]", scope.join(", "));
        }
        if let Some(expires) = row.expires {
            let _ = writeln!(text, "expires = \"{expires}\"");
        }
        text.push('\n');
        text
    })
}

/// Returns a text as TOML has it (TOML 1.0, basic strings).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

impl ServiceRow {
    fn read<'f>(line: usize, field: impl Fn(&str) -> &'f str) -> Result<Self, (&'static str, ServiceProblem)> {
        let said = |column: &'static str| {
            let text = field(column);
            let fits = text.chars().count() <= SERVICE_CHARS_MAX;
            if fits { Ok(text.to_owned()) } else { Err((column, ServiceProblem::Long)) }
        };
        let (udp, at) =
            place(field("service")).ok_or_else(|| ("service", ServiceProblem::Service(field("service").to_owned())))?;
        let prefixes = field("scope").split([' ', ';']).filter(|part| !part.is_empty());
        let scope = prefixes.map(|part| part.parse().map_err(|_| ("scope", ServiceProblem::Prefix(part.to_owned()))));
        let expires = Some(field("expires")).filter(|text| !text.is_empty()).map(Timestamp::from_day_or_time);
        Ok(Self {
            line,
            udp,
            at,
            application: said("application")?,
            approval: said("approval")?,
            owner: said("owner")?,
            scope: scope.collect::<Result<_, _>>()?,
            expires: expires.transpose().map_err(|error| ("expires", ServiceProblem::Date(error)))?,
        })
    }
}

/// Reads where a service is.
fn place(text: &str) -> Option<(bool, SocketAddr)> {
    let (udp, at) = match text.split_once(' ') {
        Some(("tcp", at)) => (false, at),
        Some(("udp", at)) => (true, at),
        Some(_) => return None,
        None => (false, text),
    };
    at.trim().parse().ok().filter(|at: &SocketAddr| at.port() > 0).map(|at| (udp, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "service,application,approval,owner,scope,expires\n";

    #[test]
    fn a_table_becomes_sections_of_a_configuration() {
        let rows = parse_services_csv(&format!(
            "{HEAD}10.20.0.9:443,\"reports, \"\"new\"\"\",2026-17,李伟,10.0.0.0/8; 10.30.0.0/16,2027-01-31\nudp [fd00::9]:53,,,,,\n"
        ))
        .unwrap();
        let toml = "[[detection.services]]\nservice = \"10.20.0.9:443\"\napplication = \"reports, \\\"new\\\"\"\n\
                    approval = \"2026-17\"\nowner = \"李伟\"\nscope = [\"10.0.0.0/8\", \"10.30.0.0/16\"]\n\
                    expires = \"2027-01-30T16:00:00.000Z\"\n\n[[detection.services]]\nservice = \"udp [fd00::9]:53\"\n\n";
        assert_eq!(services_toml(&rows), toml);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line_and_column() {
        let wrong = |rows: &str| {
            let errors = parse_services_csv(&format!("{HEAD}{rows}")).unwrap_err();
            errors.iter().map(|it| (it.line, it.column, it.problem.to_string())).collect::<Vec<_>>()
        };
        let [service, scope, expires] = &wrong("10.20.0.9,,,,,\n10.20.0.9:1,,,,x,\n10.20.0.9:2,,,,,soon\n")[..] else {
            panic!("three rows are wrong")
        };
        assert_eq!(
            (service.0, service.1, scope.0, scope.1, expires.0, expires.1),
            (2, "service", 3, "scope", 4, "expires")
        );
        let [repeated] = &wrong("10.20.0.9:1,,,,,\ntcp 10.20.0.9:1,,,,,\n")[..] else { panic!("one row is repeated") };
        assert_eq!((repeated.0, repeated.2.contains("line 2")), (3, true));
        assert!(parse_services_csv("port\n443\n").is_err());
    }
}
