//! The bytes of files that are attached to cases: beside the store, in the folder `files` of the data directory, each under the SHA-256 of
//! its bytes. What a file is and whose stands in its case.
//!
//! Invariants: a file is there whole, flushed and under its own name before a command names it, so that no case names what is not there,
//! whenever the process is killed. What no case names goes: what was under way at the next start, the rest when it is swept. A file that a
//! command is about to name is pinned until that is decided. What is handed out has the hash that it had. Few files come in at once, none larger than a file may be.
//!
//! It does not know who may read what.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read as _, Seek as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use onenet_topology::case::{FILE_BYTES_MAX, FileHash};
use ring::digest::{Context, SHA256};
use tokio::{
    io::AsyncWriteExt as _,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::estate::Estate;

/// The folder within the data directory.
const FOLDER: &str = "files";
/// What a file ends in that is not whole yet.
const PARTIAL: &str = ".partial";
/// Files that come in at once: together they take no more of the disk than is kept free for the store.
const INCOMING_MAX: usize = 16;
/// How much of a file is read at once.
const READ_BYTES: usize = 64 << 10;

/// The files. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// What must not go, though no case may name it.
    pins: Mutex<BTreeMap<FileHash, usize>>,
    numbers: AtomicU64,
    places: Arc<Semaphore>,
}

/// A file that comes in. Dropped before it is kept it is gone.
pub(crate) struct Incoming {
    files: Files,
    path: PathBuf,
    file: tokio::fs::File,
    hash: Context,
    bytes: u64,
    _place: OwnedSemaphorePermit,
}

/// A file that is on disk, and stays as long as this is held.
#[derive(Debug)]
pub(crate) struct Pinned {
    files: Files,
    hash: FileHash,
}

/// A file cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// As many come in as may at once.
    #[error("as many files are coming in as may at once: send it again in a minute")]
    Busy,
    /// It is too large.
    #[error("the file has more than {} MiB: send a smaller one, or attach a text that says where it lies", FILE_BYTES_MAX >> 20)]
    TooLarge,
    /// The disk is full.
    #[error(
        "the centre's disk is full, and nothing was attached: whoever runs it has to make room; then send it again"
    )]
    NoRoom,
    /// The disk refuses.
    #[error("the centre cannot write the file to {}, and nothing was attached: its disk has to be checked", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not there, or not what it was.
    #[error("the bytes of file {hash} are not at this centre ({why}): a backup has them, an export does not")]
    Lost {
        /// Which.
        hash: FileHash,
        /// Why.
        why: String,
    },
}

impl Files {
    /// Opens the folder, or makes it; what came in when the process ended is removed.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(PARTIAL) {
                fs::remove_file(path)?;
            }
        }
        let places = Arc::new(Semaphore::new(INCOMING_MAX));
        Ok(Self(Arc::new(Inner { folder, pins: Mutex::default(), numbers: AtomicU64::new(0), places })))
    }

    /// Begins to take a file in.
    ///
    /// # Errors
    /// Too many come in, or the disk refuses.
    pub(crate) async fn begin(&self) -> Result<Incoming, FileError> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| FileError::Busy)?;
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join(format!("{number}{PARTIAL}"));
        let opened = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await;
        let file = opened.map_err(|error| self.failed(error))?;
        Ok(Incoming { files: self.clone(), path, file, hash: Context::new(&SHA256), bytes: 0, _place: place })
    }

    /// Opens a file to be read, once it was seen to be what it was.
    ///
    /// # Errors
    /// It is not there, or its bytes are others.
    pub(crate) async fn read(&self, hash: FileHash) -> Result<tokio::fs::File, FileError> {
        let path = self.path(hash);
        let lost = |why: String| FileError::Lost { hash, why };
        let opened = spawn_blocking(move || checked(&path, hash)).await;
        let opened = opened.map_err(io::Error::from).flatten().map_err(|error| lost(error.to_string()))?;
        Ok(tokio::fs::File::from_std(opened))
    }

    /// Returns the whole content of a file. Blocks.
    ///
    /// # Errors
    /// It is not there, or its bytes are others.
    pub(crate) fn content(&self, hash: FileHash) -> Result<Vec<u8>, FileError> {
        let lost = |error: io::Error| FileError::Lost { hash, why: error.to_string() };
        let mut content = Vec::new();
        let mut file = checked(&self.path(hash), hash).map_err(lost)?;
        file.read_to_end(&mut content).map_err(lost)?;
        Ok(content)
    }

    /// Keeps a file from going, whether it is there or not.
    pub(crate) fn pin(&self, hash: FileHash) -> Pinned {
        *self.pins().entry(hash).or_default() += 1;
        Pinned { files: self.clone(), hash }
    }

    /// Removes what no case names and nobody pinned. Returns how many files went. Blocks.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn sweep(&self, estate: impl FnOnce() -> Arc<Estate>) -> io::Result<usize> {
        // As long as this is held nothing is let go that the estate does not have yet: it is let go only afterwards.
        let pins = self.pins();
        let there: Vec<FileHash> =
            fs::read_dir(&self.0.folder)?.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok()).collect();
        if there.is_empty() {
            return Ok(0);
        }
        let estate = estate();
        let named: BTreeSet<FileHash> = hashes(&estate).collect();
        let mut gone = 0;
        for hash in there.iter().filter(|hash| !named.contains(hash) && !pins.contains_key(hash)) {
            fs::remove_file(self.path(*hash))?;
            gone += 1;
        }
        Ok(gone)
    }

    fn path(&self, hash: FileHash) -> PathBuf {
        self.0.folder.join(hash.to_string())
    }

    fn pins(&self) -> MutexGuard<'_, BTreeMap<FileHash, usize>> {
        self.0.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, source: io::Error) -> FileError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileError::NoRoom,
            _ => FileError::Write { path: self.0.folder.clone(), source },
        }
    }
}

impl Incoming {
    /// Adds what came.
    ///
    /// # Errors
    /// The file is too large, or the disk refuses.
    pub(crate) async fn add(&mut self, part: &[u8]) -> Result<(), FileError> {
        self.bytes = self.bytes.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        if self.bytes > FILE_BYTES_MAX {
            return Err(FileError::TooLarge);
        }
        self.hash.update(part);
        self.file.write_all(part).await.map_err(|error| self.files.failed(error))
    }

    /// Returns how many bytes came.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Has all of it on disk under its own name.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) async fn keep(mut self) -> Result<(FileHash, Pinned), FileError> {
        let files = self.files.clone();
        let flushed = async {
            self.file.flush().await?;
            self.file.sync_all().await
        };
        flushed.await.map_err(|error| files.failed(error))?;
        let digest = std::mem::replace(&mut self.hash, Context::new(&SHA256)).finish();
        let hash = FileHash::new(digest.as_ref().try_into().unwrap_or_default());
        let pinned = files.pin(hash);
        let (from, to, folder) = (self.path.clone(), files.path(hash), files.0.folder.clone());
        let moved = spawn_blocking(move || {
            fs::rename(from, to)?;
            fs::File::open(folder)?.sync_all()
        });
        moved.await.map_err(io::Error::from).flatten().map_err(|error| files.failed(error))?;
        Ok((hash, pinned))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What was kept has another name by now.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut pins = self.files.pins();
        if let Some(count) = pins.get_mut(&self.hash) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                pins.remove(&self.hash);
            }
        }
    }
}

/// Returns the hash of each file that a case names.
pub(crate) fn hashes(estate: &Estate) -> impl Iterator<Item = FileHash> {
    estate.cases.all.values().flat_map(|case| case.files.iter().map(|it| it.file.hash))
}

/// Writes a file of a backup into a new data directory. Names that are no hash of what they name lead nowhere.
///
/// # Errors
/// The disk refuses.
pub(crate) fn restore(data: &Path, name: &[u8], content: &[u8]) -> io::Result<()> {
    let folder = data.join(FOLDER);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let hash = FileHash::new(onenet_wire::tls::sha256(content));
    if hash.to_string().as_bytes() != name {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a file of a case is not what its name says"));
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(hash.to_string()))?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()
}

fn checked(path: &Path, hash: FileHash) -> io::Result<fs::File> {
    let mut file = fs::File::open(path)?;
    let (mut context, mut part) = (Context::new(&SHA256), vec![0; READ_BYTES]);
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            break;
        }
        context.update(part.get(..read).unwrap_or_default());
    }
    if context.finish().as_ref().try_into().ok().map(FileHash::new) != Some(hash) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "they are not what they were: the disk damaged them"));
    }
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept(files: &Files, content: &[u8]) -> (FileHash, Pinned) {
        let mut incoming = files.begin().await.unwrap();
        incoming.add(content).await.unwrap();
        incoming.keep().await.unwrap()
    }

    fn there(data: &Path) -> usize {
        fs::read_dir(data.join(FOLDER)).unwrap().count()
    }

    #[tokio::test]
    async fn what_no_case_names_goes_unless_it_is_about_to_be_named() {
        let data = tempfile::tempdir().unwrap();
        let files = Files::open(data.path()).unwrap();
        let (hash, pinned) = kept(&files, b"seen").await;
        assert_eq!(files.sweep(Arc::default).unwrap(), 0);
        assert_eq!(files.content(hash).unwrap(), b"seen");
        drop(pinned);
        assert_eq!(files.sweep(Arc::default).unwrap(), 1);
        assert!(matches!(files.content(hash), Err(FileError::Lost { .. })));
    }

    #[tokio::test]
    async fn what_broke_off_leaves_nothing_neither_now_nor_after_a_kill() {
        let data = tempfile::tempdir().unwrap();
        let files = Files::open(data.path()).unwrap();
        let mut incoming = files.begin().await.unwrap();
        incoming.add(b"half").await.unwrap();
        assert_eq!(there(data.path()), 1);
        drop(incoming);
        assert_eq!(there(data.path()), 0);
        fs::write(data.path().join(FOLDER).join(format!("7{PARTIAL}")), "half").unwrap();
        Files::open(data.path()).unwrap();
        assert_eq!(there(data.path()), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_or_one_too_many_is_refused_and_a_damaged_one_is_told() {
        let data = tempfile::tempdir().unwrap();
        let files = Files::open(data.path()).unwrap();
        let mut large = files.begin().await.unwrap();
        let most = vec![0; usize::try_from(FILE_BYTES_MAX).unwrap()];
        large.add(&most).await.unwrap();
        assert!(matches!(large.add(&[0]).await, Err(FileError::TooLarge)));
        drop(large);
        let mut open = Vec::new();
        for _ in 0..INCOMING_MAX {
            open.push(files.begin().await.unwrap());
        }
        assert!(matches!(files.begin().await, Err(FileError::Busy)));
        drop(open);
        let (hash, _pinned) = kept(&files, b"as it was").await;
        fs::write(files.path(hash), "as it is").unwrap();
        assert!(files.read(hash).await.unwrap_err().to_string().contains("not what they were"));
    }
}
