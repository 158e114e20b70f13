//! What is wrong with a configuration: everything at once, each with its place and its remedy.

use std::{fmt, io, path::PathBuf};

/// The most problems that are listed; a file with more has one cause.
const LISTED_MAX: usize = 50;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the text, from 1.
    pub line: usize,
    /// Column in the line, in characters, from 1.
    pub column: usize,
    /// Which key, such as `devices[2].community`; places in lists count from 1. Empty for the text as a whole.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it; empty where `what` says so itself.
    pub remedy: String,
}

/// Everything that is wrong with one configuration, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// Where the text came from: a file's name or `the centre's revision 7`.
    pub origin: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// A configuration that cannot be used. Nothing of it was applied.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}: {}", path.display(), remedy(source))]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The text is wrong.
    #[error("{0}")]
    Wrong(Problems),
}

/// Returns what to do when a file cannot be read.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "it belongs to another user: run this with sudo, or as that user",
        io::ErrorKind::InvalidData => {
            "it is not UTF-8 text: save it as UTF-8 (in Notepad: Save as, encoding UTF-8), not as ANSI or GBK"
        }
        _ => "give its path with --config",
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "{}, {one}", self.origin),
            many => {
                write!(f, "{} has {} problems:", self.origin, many.len())?;
                for problem in many.iter().take(LISTED_MAX) {
                    write!(f, "\n  {problem}")?;
                }
                if many.len() > LISTED_MAX {
                    write!(f, "\n  and {} more", many.len() - LISTED_MAX)?;
                }
                Ok(())
            }
        }
    }
}
