//! Files that a command is given by name, `-` for standard input.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

const STANDARD_INPUT: &str = "-";

/// Returns what an error calls the file.
pub(super) fn named(file: &Path) -> String {
    if file == Path::new(STANDARD_INPUT) { "standard input".to_owned() } else { file.display().to_string() }
}

/// Reads a file, up to one byte more than `most`, so that what is too large is seen to be.
///
/// # Errors
/// It cannot be opened or read.
pub(super) fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = most.saturating_add(1);
    if file == Path::new(STANDARD_INPUT) {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
