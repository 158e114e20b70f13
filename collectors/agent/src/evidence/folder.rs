//! The folder of capture files.
//!
//! Invariants: as in the module above; a file is there whole or not at all. What the folder has is read each time: it is small.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use onenet_detection::{Grade, Kind};
use onenet_topology::Timestamp;

use super::{AGE_MAX_MS, FILES_MAX, FOLDER_BYTES_MAX};
use crate::{disk, durable};

/// The folder within the data folder.
const FOLDER: &str = "evidence";
const ENDING: &str = ".pcapng";
/// What a file beside one that was asked for ends in; it is empty.
const ASKED: &str = ".asked";
/// The longest name, with its ending.
const NAME_BYTES_MAX: usize = 128;
/// What is left free on the disk, for what matters more.
const LEFT_FREE_BYTES: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

struct Entry {
    name: String,
    bytes: u64,
    /// Whether somebody fetched it.
    asked: bool,
}

impl Folder {
    pub(super) fn new(data: &Path) -> Self {
        Self { path: data.join(FOLDER) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        is_name(name) && self.path.join(name).is_file()
    }

    /// Returns whether a file has fewer bytes.
    pub(super) fn is_shorter(&self, name: &str, bytes: usize) -> bool {
        let has = fs::metadata(self.path.join(name)).map_or(0, |meta| meta.len());
        has < u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Writes a file, and takes away those that there is no more room for.
    ///
    /// # Errors
    /// It cannot be written; in words.
    pub(super) fn put(&self, name: &str, content: &[u8], now: Timestamp) -> Result<(), String> {
        if !is_name(name) {
            return Err(format!("{name:?} is no name of a capture"));
        }
        let failed = |error: io::Error| format!("the capture cannot be written to {}: {error}", self.path.display());
        fs::create_dir_all(&self.path).map_err(failed)?;
        if disk::free_bytes(&self.path) < LEFT_FREE_BYTES {
            return Err("the disk is almost full".to_owned());
        }
        durable::replace(&self.path.join(name), content, durable::Sync::No).map_err(failed)?;
        self.make_room(name, now);
        Ok(())
    }

    pub(super) fn part(&self, name: &str, offset: u64, bytes_max: usize) -> Result<Vec<u8>, String> {
        let absent = || format!("there is no capture {name:?} any more: the newest {FILES_MAX} are kept");
        if !is_name(name) {
            return Err(absent());
        }
        let read = || {
            let mut file = fs::File::open(self.path.join(name))?;
            file.seek(SeekFrom::Start(offset))?;
            let mut part = Vec::new();
            file.take(u64::try_from(bytes_max).unwrap_or(u64::MAX)).read_to_end(&mut part)?;
            Ok(part)
        };
        let part = read().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => absent(),
            _ => format!("the capture {name:?} cannot be read: {error}"),
        })?;
        // What is not marked is told all the same, and gives way like any other.
        if offset == 0
            && let Err(error) = fs::write(self.beside(name), "")
        {
            tracing::warn!(file = name, %error, "a capture that was asked for cannot be marked");
        }
        Ok(part)
    }

    /// Returns the mark of a file that was asked for.
    fn beside(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{ASKED}"))
    }

    /// Takes away what is too old, then what nobody asked for: the oldest of the kind of which there are most, the least grave of several such
    /// kinds; what somebody asked for last of all. Until the rest fits; `newest` stays.
    fn make_room(&self, newest: &str, now: Timestamp) {
        let mut entries = self.entries();
        let limit = stamp(now.plus_ms(-AGE_MAX_MS));
        let (old, mut rest): (Vec<_>, Vec<_>) =
            entries.drain(..).partition(|entry| entry.name != newest && entry.name.as_str() < limit.as_str());
        for entry in &old {
            self.remove(entry);
        }
        while rest.len() > FILES_MAX || rest.iter().map(|entry| entry.bytes).sum::<u64>() > FOLDER_BYTES_MAX {
            let mut counts = BTreeMap::<&str, usize>::new();
            for entry in rest.iter().filter(|entry| !entry.asked) {
                *counts.entry(kind(&entry.name)).or_default() += 1;
            }
            // Entries are in the order of time: of equals the oldest is the first.
            let rank = |entry: &Entry| {
                let count = counts.get(kind(&entry.name)).copied().unwrap_or(0);
                (entry.asked, Reverse(count), grade(&entry.name))
            };
            let others = rest.iter().enumerate().filter(|(_, entry)| entry.name != newest);
            let Some(goes) = others.min_by_key(|(_, entry)| rank(entry)).map(|(place, _)| place) else { return };
            self.remove(&rest.remove(goes));
        }
    }

    /// Returns all files, the oldest first.
    fn entries(&self) -> Vec<Entry> {
        let Ok(found) = fs::read_dir(&self.path) else { return Vec::new() };
        let entry = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
            let asked = self.beside(&name).exists();
            Some(Entry { name, bytes: entry.metadata().ok()?.len(), asked })
        };
        let mut entries: Vec<_> = found.flatten().filter_map(entry).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    fn remove(&self, entry: &Entry) {
        if entry.asked {
            // A mark without a file marks nothing.
            let _ = fs::remove_file(self.beside(&entry.name));
        }
        if let Err(error) = fs::remove_file(self.path.join(&entry.name)) {
            tracing::warn!(file = %entry.name, %error, "a capture cannot be removed");
        }
    }
}

/// Returns the name of a file that is saved at `now`.
pub(super) fn name(now: Timestamp, kind: &str, subject: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "._".contains(letter) { letter } else { '-' })
            .collect()
    };
    let mut name = format!("{}-{}-{}", stamp(now), plain(kind), plain(subject));
    name.truncate(NAME_BYTES_MAX - ENDING.len());
    name + ENDING
}

/// Returns a time as names begin with: the order of names is that of times.
fn stamp(time: Timestamp) -> String {
    time.to_string().chars().filter(char::is_ascii_alphanumeric).collect()
}

fn kind(name: &str) -> &str {
    name.split('-').nth(1).unwrap_or_default()
}

/// Returns how grave a file's kind is as a rule; of a kind that this program does not know, the least.
fn grade(name: &str) -> Option<Grade> {
    Kind::ALL.iter().find(|it| it.name() == kind(name)).map(|it| it.grade())
}

fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.len() <= NAME_BYTES_MAX && name.ends_with(ENDING) && !name.starts_with('.') && name.chars().all(plain)
}
