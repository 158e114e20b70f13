//! Export and import: the whole store as text that outlives versions.
//!
//! Invariant: what is exported and imported again gives the same estate and samples.
//!
//! # Format
//!
//! JSON, one value a line. The first line is `{"format": "onenet export", "version": 1, "position": N}`; the last
//! is `{"end": LINES}` with the number of lines between. Each line between is one change, an object with a single key
//! that says which: `commanded` (a command, in order), `agent`, `fact`, `device`, `endpoint`, `finding`, `anomaly`, `covered`,
//! `available`, `incident`, `case`, `position` (the estate), `samples` (recent samples and events of one batch), and `altered` (a change of what
//! there was to see). Times are RFC 3339 in UTC, MAC addresses lower case with colons, ids as everywhere in the API. Numbers
//! of 64 bits are exact: read them as such.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, alterations, keys, read_change, rows, samples};
use crate::estate::{Change, Estate};

const FORMAT: &str = "onenet export";
const VERSION: u32 = 1;
/// Changes that an import writes at once.
const IMPORT_CHANGES: usize = 4_096;

/// An export or import failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The text cannot be written.
    #[error("the export cannot be written: check that there is room")]
    Write(#[source] io::Error),
    /// The text cannot be read.
    #[error("the export cannot be read")]
    Read(#[source] io::Error),
    /// A line is not part of an export.
    #[error("line {line} of the export cannot be understood ({problem}): export again with the onenetd that wrote it")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The export ends early.
    #[error("the export is cut short: export again")]
    CutShort,
    /// There is something in the store already.
    #[error("the store is not empty: import into a new data directory")]
    NotEmpty,
    /// The store itself failed.
    #[error(transparent)]
    Store(StoreError),
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    position: u64,
}

#[derive(Serialize, Deserialize)]
struct End {
    end: usize,
}

impl Store {
    /// Writes the store as it was when `estate` was published as text. Returns the number of changes written.
    ///
    /// # Errors
    /// Fails when the text cannot be written or the store cannot be read.
    pub fn export(&self, estate: &Estate, to: &mut impl Write) -> Result<usize, ExportError> {
        let mut lines = 0;
        let head = Head { format: FORMAT.into(), version: VERSION, position: estate.position };
        write_line(to, &head)?;
        for row in &self.tree {
            let (key, value) = row.map_err(|error| ExportError::Store(self.read_error(error)))?;
            if let Some(change) = self.added(estate, &key, &value).map_err(ExportError::Store)? {
                write_line(to, &change)?;
                lines += 1;
            }
        }
        lines += self.export_samples(estate, to)?;
        // Imported it has another authority, and belongs to no log.
        for change in estate.changes().filter(|change| !matches!(change, Change::Log(_))) {
            write_line(to, &change)?;
            lines += 1;
        }
        write_line(to, &End { end: lines })?;
        to.flush().map_err(ExportError::Write)?;
        Ok(lines)
    }

    fn export_samples(&self, estate: &Estate, to: &mut impl Write) -> Result<usize, ExportError> {
        let mut lines = 0;
        let written = self.samples.each_row(|key, value| {
            let block = samples::block(key, value).map_err(|problem| ExportError::Store(self.damaged(key, problem)))?;
            if block.position <= estate.position {
                write_line(to, &Change::Samples(block))?;
                lines += 1;
            }
            Ok(())
        });
        written.map_err(|error| ExportError::Store(self.samples_error(error)))??;
        Ok(lines)
    }

    /// Returns a row of what is only ever added to the tree, such as commands, if it is not newer than the estate.
    fn added(&self, estate: &Estate, key: &[u8], value: &[u8]) -> Result<Option<Change>, StoreError> {
        let damaged = |problem| self.damaged(key, problem);
        match keys::parse(key) {
            Some(keys::Key::Command(position)) if position <= estate.position => {
                read_change(key, value, &mut rows::Origins::default()).map_err(damaged)
            }
            Some(keys::Key::Altered(site)) => {
                let change = alterations::read(site, key, value).map_err(damaged)?;
                Ok((keys::altered_position(key) <= Some(estate.position)).then_some(change))
            }
            _ => Ok(None),
        }
    }

    /// Fills an empty store from exported text. Returns the number of changes read.
    ///
    /// # Errors
    /// Fails at the first line that is not part of an export. The store is then to be removed.
    pub fn import(&self, from: impl BufRead) -> Result<usize, ExportError> {
        let held = self.load().map_err(ExportError::Store)?;
        if held != Estate::default() {
            return Err(ExportError::NotEmpty);
        }
        let mut lines = from.lines().enumerate();
        let (_, head) = lines.next().ok_or(ExportError::CutShort)?;
        let head: Head = read_line(0, &head.map_err(ExportError::Read)?)?;
        if head.format != FORMAT || head.version != VERSION {
            let problem = format!("it is {:?} version {}, not {FORMAT:?} version {VERSION}", head.format, head.version);
            return Err(ExportError::Line { line: 1, problem });
        }
        let mut changes = Vec::with_capacity(IMPORT_CHANGES);
        for (read, (index, line)) in lines.enumerate() {
            let line = line.map_err(ExportError::Read)?;
            if let Ok(End { end }) = serde_json::from_str(&line) {
                self.commit(&changes).map_err(ExportError::Store)?;
                return if end == read { Ok(read) } else { Err(ExportError::CutShort) };
            }
            changes.push(read_line::<Change>(index, &line)?);
            if changes.len() >= IMPORT_CHANGES {
                self.commit(&changes).map_err(ExportError::Store)?;
                changes.clear();
            }
        }
        Err(ExportError::CutShort)
    }
}

fn write_line(to: &mut impl Write, value: &impl Serialize) -> Result<(), ExportError> {
    serde_json::to_writer(&mut *to, value).map_err(|error| ExportError::Write(error.into()))?;
    to.write_all(b"\n").map_err(ExportError::Write)
}

fn read_line<T: for<'de> Deserialize<'de>>(index: usize, line: &str) -> Result<T, ExportError> {
    serde_json::from_str(line).map_err(|error| ExportError::Line { line: index + 1, problem: error.to_string() })
}
