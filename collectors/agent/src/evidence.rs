//! Packets around what detectors found, saved as capture files in a folder of their own within the data folder.
//!
//! Invariants: the folder has at most [`FILES_MAX`] files of together [`FOLDER_BYTES_MAX`] bytes, none larger than
//! [`CAPTURE_BYTES_MAX`] or older than [`AGE_MAX_MS`]; the kind of which there are most gives way first, so that a flood of one kind
//! leaves the others' files, and what the centre asked for, since somebody works on it, gives way last; a name leads to no file but these. What was not saved is told with the reason. A kill loses nothing that
//! was told of but what came after the first five seconds. It does not know what is abnormal, nor who may ask.
//!
//! Names of files: when it was saved (agent's time), kind, subject, joined by `-`.

mod folder;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_capture::{
    FrameTime,
    evidence::{Memory, Saved, Wanted, save},
};
use onenet_detection::{Finding, Kind, Subject};
use onenet_topology::{
    Timestamp,
    anomaly::{AnomalyEvidence, CAPTURE, CAPTURE_BYTES_MAX},
};

use self::folder::Folder;

/// The files that are kept.
const FILES_MAX: usize = 64;
/// Their bytes: a county's box has a small disk.
const FOLDER_BYTES_MAX: u64 = 32 << 20;
/// How long a file is kept, in milliseconds: as long as the anomaly at the centre.
const AGE_MAX_MS: i64 = 190 * 86_400_000;
/// What a file has beside its packets: its head, and each interface's.
const AROUND_PACKETS: usize = 8 << 10;
/// How long before a finding began its packets are of interest, in milliseconds.
const BEFORE_MS: i64 = 5_000;
/// How long after it was told of they still are.
const AFTER_MS: i64 = 5_000;
/// How long a file stands for what goes on, in milliseconds. Then another one is begun.
const FILE_STANDS_MS: i64 = 10 * 60_000;
/// Files that may be written at once, and one more a second: findings without end must not keep the disk busy.
const AT_ONCE_MAX: u32 = 8;
const ONE_EACH_MS: i64 = 1_000;

/// When a finding was, for whoever looks for its packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around {
    /// When it began, on the frames' clock.
    pub(crate) first: FrameTime,
    /// When it is told, on the agent's.
    pub(crate) now: Timestamp,
}

/// Saves and reads evidence. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// `None`: nothing is saved.
    folder: Option<Arc<Folder>>,
    memories: Arc<Mutex<Vec<Memory>>>,
    book: Arc<Mutex<Book>>,
}

/// What was saved of findings that go on.
#[derive(Debug, Default)]
struct Book {
    kept: BTreeMap<(Kind, Subject), Kept>,
    pace: Pace,
}

/// The newest file of a finding.
#[derive(Debug, Clone)]
struct Kept {
    name: String,
    began: Timestamp,
    wanted: Wanted,
    /// What came since is to be added at this time.
    due: Option<Timestamp>,
}

#[derive(Debug)]
struct Pace {
    left: u32,
    at: Timestamp,
}

/// Why there is no file: a word that whoever shows it has words for, and what belongs to it.
#[derive(Debug, thiserror::Error)]
enum NotSaved {
    /// The agent keeps no packets: see `evidence_mib` in `[capture]` of its configuration.
    #[error("no_memory")]
    NoMemory,
    /// Too much was found at once.
    #[error("too_much")]
    TooMuch,
    /// The memory of recent packets has none of it, and begins at this time.
    #[error("forgotten, {0}")]
    Forgotten(String),
    /// The disk refused.
    #[error("disk, {0}")]
    Disk(String),
}

impl Default for Pace {
    fn default() -> Self {
        Self { left: AT_ONCE_MAX, at: Timestamp::default() }
    }
}

impl Pace {
    fn take(&mut self, now: Timestamp) -> bool {
        let whole = now.ms_since(self.at).max(0) / ONE_EACH_MS;
        if whole > 0 {
            self.left = self.left.saturating_add(u32::try_from(whole).unwrap_or(u32::MAX)).min(AT_ONCE_MAX);
            self.at = now;
        }
        let any = self.left > 0;
        self.left = self.left.saturating_sub(1);
        any
    }
}

impl Evidence {
    /// Keeps evidence within a data folder.
    pub(crate) fn within(data: &Path) -> Self {
        Self { folder: Some(Arc::new(Folder::new(data))), ..Self::default() }
    }

    /// Saves from this memory too.
    pub(crate) fn remember(&self, memory: Memory) {
        lock(&self.memories).push(memory);
    }

    /// Saves no more from the memories of an interface.
    pub(crate) fn forget(&self, interface: &str) {
        lock(&self.memories).retain(|memory| memory.interface() != interface);
    }

    /// Returns what is to be told of a finding's packets: the name of the file that has them, or why there is none. `None` where nothing
    /// is ever saved. Waits for the disk.
    pub(crate) fn of(&self, finding: &Finding, around: Around) -> Option<AnomalyEvidence> {
        let folder = self.folder.as_ref()?;
        let value = match self.keep(folder, finding, around) {
            Ok(name) => return Some(AnomalyEvidence { is: CAPTURE.to_owned(), value: name }),
            Err(error) => error.to_string(),
        };
        Some(AnomalyEvidence { is: "no_capture".to_owned(), value })
    }

    /// Adds to files what came since they were begun, where that is due. Waits for the disk.
    pub(crate) fn complete(&self, now: Timestamp) {
        let Some(folder) = &self.folder else { return };
        let mut book = lock(&self.book);
        let mut left = AT_ONCE_MAX;
        for kept in book.kept.values_mut() {
            if left > 0 && kept.due.is_some_and(|due| due <= now) {
                kept.due = None;
                left -= 1;
                self.renew(folder, kept, now);
            }
        }
    }

    /// Returns at most `bytes_max` bytes of a file, from `offset` on.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read; in words.
    pub(crate) fn part(&self, name: &str, offset: u64, bytes_max: usize) -> Result<Vec<u8>, String> {
        let folder = self.folder.as_ref().ok_or_else(|| "this agent keeps no captures".to_owned())?;
        folder.part(name, offset, bytes_max)
    }

    fn keep(&self, folder: &Folder, finding: &Finding, around: Around) -> Result<String, NotSaved> {
        let key = (finding.kind, finding.subject);
        let mut book = lock(&self.book);
        // What the folder gave up is no evidence any more.
        if book.kept.get(&key).is_some_and(|kept| !folder.has(&kept.name)) {
            book.kept.remove(&key);
        }
        if let Some(kept) = book.kept.get_mut(&key)
            && around.now.ms_since(kept.began) < FILE_STANDS_MS
        {
            kept.due.get_or_insert(around.now.plus_ms(AFTER_MS));
            return Ok(kept.name.clone());
        }
        if !book.pace.take(around.now) {
            return Err(NotSaved::TooMuch);
        }
        let wanted = wanted(finding, around.first);
        let name = folder::name(around.now, finding.kind.name(), &finding.subject.to_string());
        let (saved, bytes) = self.taken(&wanted, &about(finding))?;
        if saved.packets == 0 {
            let from = saved.memory_from.map_or_else(|| "now".to_owned(), |from| Timestamp::from(from).to_string());
            return Err(NotSaved::Forgotten(from));
        }
        folder.put(&name, &bytes, around.now).map_err(NotSaved::Disk)?;
        book.kept.retain(|_, kept| folder.has(&kept.name));
        let due = Some(around.now.plus_ms(AFTER_MS));
        book.kept.insert(key, Kept { name: name.clone(), began: around.now, wanted, due });
        Ok(name)
    }

    /// Writes a file again, with what came since; not where that would cost what it has: its beginning.
    fn renew(&self, folder: &Folder, kept: &Kept, now: Timestamp) {
        let Ok((saved, bytes)) = self.taken(&kept.wanted, &kept.name) else { return };
        let whole = saved.omitted == 0 && saved.memory_from.is_some_and(|from| from <= kept.wanted.from);
        if saved.packets == 0 || !(whole || folder.is_shorter(&kept.name, bytes.len())) {
            return;
        }
        if let Err(error) = folder.put(&kept.name, &bytes, now) {
            tracing::warn!(file = %kept.name, %error, "a capture lacks what came last");
        }
    }

    fn taken(&self, wanted: &Wanted, about: &str) -> Result<(Saved, Vec<u8>), NotSaved> {
        let memories = lock(&self.memories).clone();
        if memories.is_empty() {
            return Err(NotSaved::NoMemory);
        }
        let mut bytes = Vec::new();
        let program = concat!("onenet-agent ", env!("CARGO_PKG_VERSION"));
        let saved = save(&memories, wanted, (program, about), &[], &mut bytes);
        saved.map(|saved| (saved, bytes)).map_err(|error| NotSaved::Disk(error.to_string()))
    }
}

/// Returns whose packets are evidence of a finding.
fn wanted(finding: &Finding, first: FrameTime) -> Wanted {
    let from = FrameTime::from(Timestamp::from(first).plus_ms(-BEFORE_MS));
    let mut wanted = Wanted { from, bytes_max: CAPTURE_BYTES_MAX - AROUND_PACKETS, ..Wanted::default() };
    match finding.subject {
        Subject::Host(ip) => wanted.addresses.push(ip),
        Subject::Service { host, port } => {
            wanted.addresses.push(host);
            wanted.ports.push(port);
        }
        Subject::Port { port, .. } => wanted.ports.push(port),
        Subject::Station(mac) => wanted.macs.push(mac),
        Subject::Segment | Subject::Named(_) => {}
    }
    wanted
}

fn about(finding: &Finding) -> String {
    format!("{} of {}, since {}", finding.kind.name(), finding.subject, finding.first)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
