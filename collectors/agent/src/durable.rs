//! Small files that are replaced as a whole.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

/// A file that the agent wrote for whoever stands beside the box cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("{} cannot be read: use sudo, or the agent's own user", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file was written by another version.
    #[error("{} is of another version of the agent: run the program that belongs to it", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// Whether the content has to survive a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// It does: wait for the disk.
    Yes,
    /// It is written again in a moment anyway.
    No,
}

/// Puts `content` into `file`, readable by its owner and group. A reader sees the old content or the new, never a part.
pub(crate) fn replace(file: &Path, content: &[u8], sync: Sync) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = file.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o640).open(&fresh)?;
    out.write_all(content)?;
    if sync == Sync::Yes {
        out.sync_all()?;
    }
    drop(out);
    fs::rename(&fresh, file)?;
    match (sync, file.parent()) {
        (Sync::Yes, Some(folder)) => fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Returns the JSON document in a file, `None` where there is no file.
pub(crate) fn document<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, DocumentError> {
    let text = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|source| DocumentError::Read { file: file.to_owned(), source })?,
    };
    serde_json::from_slice(&text).map(Some).map_err(|source| DocumentError::Format { file: file.to_owned(), source })
}

/// Removes a file, so that it stays removed; one that is not there is no error.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => file.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all()),
    }
}
