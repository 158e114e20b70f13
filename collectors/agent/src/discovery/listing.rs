//! The file in which discovery keeps what it found: its own memory, and what `onenet-agent discovered` lists.
//!
//! Invariant: replaced as a whole; no secret is in it. Format: JSON, described in README.md; fields are added, never renamed
//! or removed.

use std::{
    io,
    path::{Path, PathBuf},
};

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use super::{book::Book, patrol::SweepReport};
use crate::durable::{self, DocumentError};

/// The file within the data folder.
const FILE: &str = "discovered.json";

/// Version of the format.
const FORMAT: u32 = 1;

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listing {
    /// Version of the format.
    pub format: u32,
    /// When this was written, on the agent's clock.
    pub written: Timestamp,
    /// Whether the configuration has devices looked for.
    pub enabled: bool,
    /// The last sweep.
    pub sweep: Option<SweepReport>,
    /// The addresses, and why each was added or not.
    #[serde(flatten)]
    pub(crate) book: Book,
}

/// What was found cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// There is no file.
    #[error(
        "nothing was looked for in {} yet: write [discovery] with allow and credentials into the configuration, or give the \
         agent's data folder with --data",
        data.display()
    )]
    Missing {
        /// The data folder.
        data: PathBuf,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Listing {
    /// Returns what is to be written.
    pub(super) fn new(book: Book, sweep: Option<SweepReport>, enabled: bool, written: Timestamp) -> Self {
        Self { format: FORMAT, written, enabled, sweep, book }
    }

    /// Returns the addresses, those that are polled first.
    pub fn candidates(&self) -> Vec<&super::Candidate> {
        let mut candidates: Vec<_> = self.book.candidates().collect();
        candidates.sort_by_key(|candidate| (candidate.verdict, candidate.address));
        candidates
    }

    /// Writes the file into the data folder.
    pub(super) fn write(&self, data: &Path) -> io::Result<()> {
        durable::replace(&data.join(FILE), &serde_json::to_vec_pretty(self)?, durable::Sync::Yes)
    }

    /// Reads the file in the data folder.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn read(data: &Path) -> Result<Self, ListingError> {
        durable::document(&data.join(FILE))?.ok_or_else(|| ListingError::Missing { data: data.to_owned() })
    }
}
