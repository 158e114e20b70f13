//! Reads a TOML text key by key, and reports everything that is wrong with it at once: line, column, key, remedy.
//!
//! Invariant: a value is used only if nothing in the whole text is wrong; whatever is wrong is told, never replaced by a
//! default. It does not know what any key means: a program's configuration and a vendor's profile are read alike.

#![forbid(unsafe_code)]

use std::{io, path::Path};

mod problem;
mod reader;

pub use problem::{ConfigError, Problem, Problems};
pub use reader::{Found, Log, Place, Scalar, Section};

/// Where values kept outside the text come from.
pub trait Environment {
    /// Returns an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Returns the content of a small file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// This process's environment and file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

/// An environment in which there is nothing: for texts that keep nothing elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEnvironment;

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Whoever may write files of this machine.
    File,
    /// The centre. It may not name files or environment variables of the agent's machine: their content would be sent,
    /// as a community, wherever the same text says.
    Centre,
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

impl Environment for NoEnvironment {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, _path: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Reads `text` with `checked`; any problem noted on the way refuses the whole. `name` is what problems call the text.
///
/// # Errors
///
/// Something is wrong; the error lists everything.
pub fn read<T>(
    text: &str,
    name: &str,
    environment: &dyn Environment,
    who: Origin,
    checked: impl FnOnce(&mut Section<'_>) -> T,
) -> Result<T, ConfigError> {
    let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
    let log = Log::new(text, environment, who);
    let mut root = Section::root(&log, document.get_ref());
    let value = checked(&mut root);
    root.finish();
    let broken: Vec<usize> = syntax.iter().map(|error| log.line(error.span().unwrap_or_default().start)).collect();
    for error in &syntax {
        log.note_syntax(error.span().unwrap_or_default().start, error.message());
    }
    let mut problems = log.into_problems();
    if !broken.is_empty() {
        // What a broken line was meant to say is not known: what follows from that is not worth reading.
        problems.retain(|problem| {
            problem.key.is_empty() || (!broken.contains(&problem.line) && !problem.what.contains("missing"))
        });
        problems.dedup_by_key(|problem| problem.line);
    }
    if problems.is_empty() {
        Ok(value)
    } else {
        Err(ConfigError::Wrong(Problems { origin: name.to_owned(), problems }))
    }
}
