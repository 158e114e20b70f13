//! Backup while running, and restore.
//!
//! Invariant: a backup holds the store as it was at one record: the estate's rows are written from one snapshot, and of
//! commands and samples, which are only ever added, those up to the snapshot's position; of what waits to leave the centre nothing, unless
//! replicas share a log. A restore refuses a file that is not whole, and a directory that is not empty.
//!
//! # Format
//!
//! ```text
//! "onenet backup 1\n" schema:4 position:8
//! then rows       0x01 key_len:4 value_len:4 key value            as `store.rs` tells, but each fact by itself, under its own hash
//! then files      0x03 name_len:4 content_len:4 name content      files of cases, by their SHA-256 in hexadecimal digits; absent where there are none
//! then files      0x02 name_len:4 content_len:4 name content      the keys and certificates beside the store
//! then the end    0x00 sha256:32                                  of everything in front of it
//! ```
//!
//! The file holds private keys: it is made readable by its owner only.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};

use super::{
    Facts, SCHEMA, Store, StoreError, keys, row,
    samples::{self, Frames},
};
use crate::{
    case_files::{Files, hashes},
    estate::Estate,
    pki::PkiError,
};

const MAGIC: &[u8; 16] = b"onenet backup 1\n";
const END: u8 = 0;
const ROW: u8 = 1;
const FILE: u8 = 2;
const CASE_FILE: u8 = 3;
/// Longest key, value or file that a backup may hold, in bytes: above what the wire's limits let grow.
const PIECE_BYTES_MAX: u32 = 256 << 20;
/// Rows that a restore writes at once.
const RESTORE_ROWS: usize = 4_096;

/// A backup or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be written.
    #[error("the backup {} cannot be written: check that the directory exists, is writable and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("the backup {} cannot be read: check its name and permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not a whole backup.
    #[error("{} is not a whole backup of this version ({problem}): take another copy of it", path.display())]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There is something where the backup is to be restored to.
    #[error("{} is not empty: restore into a new directory, then start onenetd with it as --data", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The store itself failed.
    #[error(transparent)]
    Store(StoreError),
    /// The keys and certificates cannot be read or written.
    #[error(transparent)]
    Pki(PkiError),
}

/// Writes and hashes.
struct Sink {
    file: BufWriter<File>,
    hash: Context,
}

impl Sink {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    fn piece(&mut self, tag: u8, name: &[u8], content: &[u8]) -> io::Result<()> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other);
        self.put(&[tag])?;
        self.put(&len(name)?)?;
        self.put(&len(content)?)?;
        self.put(name)?;
        self.put(content)
    }
}

impl Store {
    /// Writes the store, as it was when `estate` was published, the files of its cases, and the named files to `path`. Commits go on
    /// meanwhile. A file of a case whose bytes are lost is left out, and said in the log.
    ///
    /// # Errors
    /// Fails when the file cannot be written or the store cannot be read; `path` is as before then.
    pub(crate) fn backup(
        &self,
        estate: &Estate,
        files: &[(String, Vec<u8>)],
        case_files: &Files,
        path: &Path,
    ) -> Result<(), BackupError> {
        let failed = |source| BackupError::Write { path: path.to_owned(), source };
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(failed)?;
        let mut sink = Sink { file: BufWriter::new(file), hash: Context::new(&SHA256) };
        sink.put(MAGIC).map_err(failed)?;
        sink.put(&SCHEMA.to_be_bytes()).map_err(failed)?;
        sink.put(&estate.position.to_be_bytes()).map_err(failed)?;
        self.backup_rows(estate, &mut sink, path)?;
        backup_case_files(estate, case_files, &mut sink).map_err(failed)?;
        for (name, content) in files {
            sink.piece(FILE, name.as_bytes(), content).map_err(failed)?;
        }
        sink.put(&[END]).map_err(failed)?;
        let Sink { mut file, hash } = sink;
        file.write_all(hash.finish().as_ref()).map_err(failed)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&partial, path).map_err(failed)
    }

    fn backup_rows(&self, estate: &Estate, sink: &mut Sink, path: &Path) -> Result<(), BackupError> {
        let failed = |source| BackupError::Write { path: path.to_owned(), source };
        // What waits to leave is of the log, and whoever takes over has to know it; a centre that is alone, and is set back to what it was,
        // does not tell again what it told since.
        let is_of_log = estate.log.is_some();
        for change in estate.changes() {
            if let Some((key, Some(value))) = row(&change) {
                sink.piece(ROW, &key, &value).map_err(failed)?;
            }
        }
        for row in &self.tree {
            let (key, value) = row.map_err(|error| BackupError::Store(self.read_error(error)))?;
            let position = match keys::parse(&key) {
                Some(keys::Key::Command(position)) => Some(position),
                Some(keys::Key::Altered(_)) => keys::altered_position(&key),
                Some(keys::Key::Audit) => keys::audit_position(&key),
                Some(keys::Key::Message) if is_of_log => keys::message_position(&key),
                Some(keys::Key::Queued) if is_of_log => keys::queued_position(&key),
                // Of what is newer the log tells again.
                Some(keys::Key::Meta(name)) if is_of_log && keys::is_outbox_mark(name) => Some(0),
                _ => None,
            };
            if position.is_some_and(|position| position <= estate.position) {
                sink.piece(ROW, &key, &value).map_err(failed)?;
            }
        }
        let put = |key: &[u8], value: &[u8]| {
            let is_of_estate = samples::position_of(value).is_some_and(|position| position <= estate.position);
            if is_of_estate { sink.piece(ROW, key, value) } else { Ok(()) }
        };
        let written = self.samples.each_row(put).map_err(|error| BackupError::Store(self.samples_error(error)))?;
        written.map_err(failed)
    }

    /// Makes a new store in `directory` from the backup in `path`, hands over the files of cases one by one, and returns the others that
    /// were saved with it.
    ///
    /// # Errors
    /// Fails when the file is not a whole backup of this schema, or the directory is not empty. The directory is then to be
    /// removed.
    pub fn restore(
        path: &Path,
        directory: &Path,
        mut case_file: impl FnMut(&[u8], &[u8]) -> io::Result<()>,
    ) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
        if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(BackupError::NotEmpty { path: directory.to_owned() });
        }
        // Once to see that it is whole, before anything is written; then again.
        read_pieces(path, |_, _, _| Ok(()))?;
        let store = Self::open(directory).map_err(BackupError::Store)?;
        let mut files = Vec::new();
        let mut rows = Rows::default();
        read_pieces(path, |tag, name, content| {
            if tag == FILE {
                files.push((String::from_utf8_lossy(&name).into_owned(), content));
                return Ok(());
            }
            if tag == CASE_FILE {
                let failed = |source| BackupError::Write { path: directory.to_owned(), source };
                return case_file(&name, &content).map_err(failed);
            }
            rows.add(name, content);
            if rows.count == RESTORE_ROWS {
                store.put(std::mem::take(&mut rows)).map_err(BackupError::Store)?;
            }
            Ok(())
        })?;
        store.put(rows).map_err(BackupError::Store)?;
        store.flush().map_err(BackupError::Store)?;
        Ok(files)
    }
}

/// Rows of a backup that are to be written together, sorted by how they lie in a store.
#[derive(Default)]
struct Rows {
    batch: sled::Batch,
    facts: Facts,
    frames: Frames,
    count: usize,
}

impl Rows {
    fn add(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.count += 1;
        if keys::is_sample(&key) {
            samples::again(&mut self.frames, &key, &value);
        } else if keys::is_fact(&key) {
            self.facts.insert(key, Some(value));
        } else {
            self.batch.insert(key, value);
        }
    }
}

impl Store {
    /// Writes rows as they were.
    fn put(&self, mut rows: Rows) -> Result<(), StoreError> {
        if let Some(log) = self.write_samples(&rows.frames)? {
            log.publish(&rows.frames);
        }
        self.write_facts(&mut rows.batch, rows.facts)?;
        self.apply(rows.batch)
    }
}

/// Writes each file that a case names once.
fn backup_case_files(estate: &Estate, files: &Files, sink: &mut Sink) -> io::Result<()> {
    let named: BTreeSet<_> = hashes(estate).collect();
    // Their cases may go meanwhile.
    let _pinned: Vec<_> = named.iter().map(|hash| files.pin(*hash)).collect();
    for hash in named {
        match files.content(hash) {
            Ok(content) => sink.piece(CASE_FILE, hash.to_string().as_bytes(), &content)?,
            Err(error) => tracing::error!(%error, "the backup lacks a file of a case"),
        }
    }
    Ok(())
}

/// Reads a backup from its beginning to its end.
fn read_pieces(
    path: &Path,
    mut each: impl FnMut(u8, Vec<u8>, Vec<u8>) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let unreadable = |source: io::Error| BackupError::Read { path: path.to_owned(), source };
    let broken = |problem: &str| BackupError::NotWhole { path: path.to_owned(), problem: problem.to_owned() };
    let cut = |_| broken("it is cut short");
    let mut source =
        Source { file: BufReader::new(File::open(path).map_err(unreadable)?), hash: Context::new(&SHA256) };
    if source.take::<16>().map_err(cut)? != *MAGIC {
        return Err(broken("it does not begin like one"));
    }
    let schema = u32::from_be_bytes(source.take().map_err(cut)?);
    if schema != SCHEMA {
        return Err(broken(&format!("it has schema {schema}, this onenetd reads {SCHEMA}")));
    }
    source.take::<8>().map_err(cut)?;
    loop {
        let [tag] = source.take().map_err(cut)?;
        match tag {
            END => break,
            ROW | FILE | CASE_FILE => {}
            _ => return Err(broken("it holds a piece of unknown kind")),
        }
        let name_len = u32::from_be_bytes(source.take().map_err(cut)?);
        let content_len = u32::from_be_bytes(source.take().map_err(cut)?);
        if name_len.max(content_len) > PIECE_BYTES_MAX {
            return Err(broken("it holds a piece beyond all limits"));
        }
        let name = source.take_vec(name_len).map_err(cut)?;
        let content = source.take_vec(content_len).map_err(cut)?;
        each(tag, name, content)?;
    }
    let Source { mut file, hash } = source;
    let mut expected = [0; 32];
    file.read_exact(&mut expected).map_err(cut)?;
    if hash.finish().as_ref() != expected {
        return Err(broken("its checksum differs"));
    }
    Ok(())
}

/// Reads and hashes.
struct Source {
    file: BufReader<File>,
    hash: Context,
}

impl Source {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn take_vec(&mut self, len: u32) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // Grows as it reads, so that a false length costs no memory.
        let read = (&mut self.file).take(u64::from(len)).read_to_end(&mut bytes)?;
        if u64::try_from(read).ok() != Some(u64::from(len)) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&bytes);
        Ok(bytes)
    }
}
