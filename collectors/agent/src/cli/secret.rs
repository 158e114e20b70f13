//! Secrets that a command is given: on the command line, in a file, on standard input, or in the environment.
//!
//! Invariant: a secret is in no message. Every user of a machine can read the command lines of its programs, so each
//! secret has ways that do not lead over the command line.

use std::{
    io::{self, BufRead as _},
    path::{Path, PathBuf},
};

use onenet_snmp::Secret;

use crate::config::Environment;

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// A secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    /// The file cannot be read.
    #[error("the file {} for {option} cannot be read: check that it is there and readable for you", path.display())]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds nothing.
    #[error("{place} holds no secret: put it into the first line")]
    Empty {
        /// Where it was looked for.
        place: String,
    },
    /// None was given.
    #[error(
        "{what} needs a pass phrase: put it into the environment variable {variable}, or give {option} FILE (- reads it from standard input)"
    )]
    Missing {
        /// What it is for.
        what: &'static str,
        /// The variable.
        variable: &'static str,
        /// The option.
        option: &'static str,
    },
}

/// A secret from the command line.
#[derive(Debug, Clone)]
pub(super) struct Hidden(pub(super) Secret);

/// The ways to one secret beside the command line.
pub(super) struct Ways {
    /// What it is for, in words.
    pub(super) what: &'static str,
    /// The option that names a file.
    pub(super) option: &'static str,
    /// The environment variable.
    pub(super) variable: &'static str,
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
    }
}

impl Ways {
    /// Returns the secret: as given, else from the file, else from the environment; `None` where none of them has one.
    ///
    /// # Errors
    ///
    /// The file that was named cannot be read or holds nothing.
    pub(super) fn find(
        &self,
        given: Option<Hidden>,
        file: Option<&Path>,
        environment: &impl Environment,
        input: impl FnOnce() -> io::Result<String>,
    ) -> Result<Option<Secret>, SecretError> {
        if let Some(Hidden(secret)) = given {
            return Ok(Some(secret));
        }
        let Some(path) = file else {
            let set = environment.variable(self.variable).filter(|text| !text.is_empty());
            return Ok(set.map(Secret::from));
        };
        let is_input = path == Path::new(STANDARD_INPUT);
        let read = if is_input { input() } else { environment.file(path) };
        let text = read.map_err(|source| SecretError::File { option: self.option, path: path.to_owned(), source })?;
        match text.lines().next().unwrap_or_default() {
            "" => Err(SecretError::Empty {
                place: if is_input { "standard input".to_owned() } else { path.display().to_string() },
            }),
            line => Ok(Some(Secret::from(line))),
        }
    }

    /// Returns the error that none was given, which names the ways.
    pub(super) const fn missing(&self) -> SecretError {
        SecretError::Missing { what: self.what, variable: self.variable, option: self.option }
    }
}

/// Reads one line from standard input.
pub(super) fn standard_input() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAYS: Ways = Ways { what: "authentication", option: "--key-file", variable: "KEY" };

    /// An environment with one variable and one file.
    struct World;

    impl Environment for World {
        fn variable(&self, name: &str) -> Option<String> {
            (name == "KEY").then(|| "of the environment".to_owned())
        }

        fn file(&self, path: &Path) -> io::Result<String> {
            match path.to_str() {
                Some("key") => Ok("of the file\r\nmore\n".to_owned()),
                Some("empty") => Ok("\n".to_owned()),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn length(given: Option<&str>, file: Option<&str>) -> Result<Option<usize>, SecretError> {
        let given = given.map(|text| Hidden::from(text.to_owned()));
        let found = WAYS.find(given, file.map(Path::new), &World, || Ok("of standard input\n".to_owned()))?;
        Ok(found.map(|secret| secret.length()))
    }

    #[test]
    fn the_nearest_way_wins_and_a_line_end_is_no_part_of_a_secret() {
        assert_eq!(length(Some("given"), Some("key")).unwrap(), Some("given".len()));
        assert_eq!(length(None, Some("key")).unwrap(), Some("of the file".len()));
        assert_eq!(length(None, Some("-")).unwrap(), Some("of standard input".len()));
        assert_eq!(length(None, None).unwrap(), Some("of the environment".len()));
    }

    #[test]
    fn what_cannot_be_had_is_told_with_the_way_to_it() {
        assert_eq!(
            length(None, Some("empty")).unwrap_err().to_string(),
            "empty holds no secret: put it into the first line"
        );
        let absent = length(None, Some("absent")).unwrap_err().to_string();
        assert!(absent.contains("absent") && absent.contains("--key-file"), "{absent}");
        let missing = WAYS.missing().to_string();
        assert!(missing.contains("KEY") && missing.contains("--key-file FILE"), "{missing}");
    }
}
