//! The store: the estate and recent samples on disk. The only module that names sled.
//!
//! Invariant: what [`Store::commit`] returned from is on disk, whole and once: each record within one atomic batch of one tree, in
//! order, then a flush (invariant 2). The estate that [`Store::load`] reads back equals the one that was committed.
//!
//! # Format
//!
//! One tree, keys with a prefix. All numbers in keys are big endian, so that keys sort by site, kind, then by the rest:
//!
//! ```text
//! key    = site:8 kind:1 rest            site 0 is the nation
//! 0 'm' "schema"                         version of this format: 4 bytes (currently 3)
//! 0 'm' "position"                       position:8 time:8 of the last record
//! 0 'm' "log"                            how far the log is that replicas share, JSON; absent where there is none
//! 0 'c' position:8                       a command, JSON: {"time", "by", "command"}
//! 0 'u' time:8 position:8 ordinal:4      an entry of the audit trail (its first time), JSON
//! 0 'i' incident:8                       an incident, JSON
//! 0 'q' position:8                       a batch of samples that waits for remote write: time:8 of its commit, then for each
//!                                        of its rows the length:2 and the key
//! 0 'k' case:8                           a case, JSON
//! 0 'g' campaign:8                       an inspection campaign, JSON
//! 0 'j' campaign:8 site:8                what a unit answered in it, and what was found there, JSON
//! 0 'o' position:8 ordinal:4             a message that is to leave, or left, JSON; behind it, with the name of a channel, how that
//!                                        ended, JSON
//! 0 'm' "outbox " channel                the first key that the channel has yet to look at
//! site 'a' agent:8                       an agent (AgentRow)
//! site 'd' device:8                      an account of a device (DeviceRow)
//! site 'e' endpoint:8                    an endpoint (EndpointRow)
//! site 'f' agent:8 method:1 len:2 scope key_hash:8
//!                                        a page of facts, from this hash on (`facts.rs`), each shift_ms:8 uncertain:1, then the
//!                                        wire codec's fact
//! site 'h' time:8 position:8 ordinal:4     an alteration of what there is to see, JSON
//! site 'n' kind:1 subject:1 id:8         a finding, JSON
//! site 'y' len:1 kind subject            what detectors found, JSON
//! site 'v'                               how the coverage of the site went (TrendRow)
//! site 'w' upper:8 piece:1 day:4         how far the site (upper 0), or its way up, was available: 1 what was concluded
//!                                        (TimelineRow), 2 what was measured on the day (MeasuredRow), 3 the settled days of
//!                                        the month that ends with the day (MonthRow)
//! ```
//!
//! Samples lie in files of the folder `samples` (`samples/files.rs`), as rows like those of the tree:
//!
//! ```text
//! site 's' hour:4 len:2 scope kind:1 time:8 agent:8 sequence:8
//!                                        samples of one kind, scope and time: position:8 shift_ms:8 uncertain:1,
//!                                        then for each the length:4 and the wire codec's history item
//! ```
//!
//! `…Row` are protobuf messages (`rows.rs`): fields are added, never changed. A store of another schema is refused when it
//! is opened. Links, indexes, and which accounts are of one device are not stored: they follow from the rest.

mod alterations;
mod audit;
mod backup;
mod cache;
mod export;
mod facts;
mod keys;
mod load;
mod outbox;
mod queue;
mod rows;
mod samples;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    io,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use onenet_topology::{
    Timestamp,
    campaign::{Campaign, Sheet},
};
use serde::{Deserialize, Serialize};

pub use audit::{AuditKey, AuditQuery};
pub use backup::BackupError;
use cache::Asked;
pub use export::ExportError;
use facts::Facts;
pub use outbox::{Ended, Outbox};
pub use queue::{Queue, Waiting};
use samples::{Frames, Log, files::SampleFiles};
pub use samples::{Sample, SampleKind, SampleQuery, sensor_item};

use crate::{estate::Change, record::Command};

/// Version of the format.
pub const SCHEMA: u32 = 3;
/// What the store's page cache may hold, in bytes. State is in memory anyway; this is for starts and for what is changed. With sixteen times as much the whole
/// country took 170 MB more, and nothing was faster (`tests/country/README.md`).
pub const CACHE_BYTES: u64 = 8 << 20;
/// Changes after which a batch ends with its record. sled lets go of the pages that a batch replaced only when the batch is over: one of
/// 20,000 changes all over the nation holds gigabytes of them, twenty of a thousand hold a tenth of that, and take no longer.
const BATCH_CHANGES: usize = 1_000;
/// How often the collector is asked to free what was replaced, after a batch: each time it frees up to 512 things, and a change leaves a few.
const COLLECTIONS: usize = 16;
/// How often, and at which distance, a store that is in use is tried again.
const OPEN_RETRIES: u32 = 20;
const OPEN_RETRY_AFTER: Duration = Duration::from_millis(100);

/// The estate and recent samples on disk. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// First, so that who owns it last has sealed what there is to seal before another may open the store.
    samples: Arc<SampleFiles>,
    tree: sled::Tree,
    db: sled::Db,
    path: PathBuf,
    /// How many batches wait for remote write; `None` where there is none.
    queued: Option<Arc<AtomicU64>>,
    /// Whether messages that are to leave are kept.
    outbox: bool,
    /// How many leaves were asked for.
    asked: Asked,
}

/// Something about the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "the data directory {} is in use by another process: stop the other onenetd, or give this one another --data",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("the store in {} cannot be opened: check that the directory is writable and the disk has room", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is there is not what was written.
    #[error("the store in {} is damaged and cannot be opened: restore a backup (onenetd restore)", path.display())]
    Corrupt {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was written by another version.
    #[error(
        "the store in {} has schema {found}, this onenetd reads schema {SCHEMA}: run the onenetd that wrote it, \
         `onenetd export` there and `onenetd import` here", path.display()
    )]
    Schema {
        /// The directory.
        path: PathBuf,
        /// What it has.
        found: String,
    },
    /// Reading failed.
    #[error("reading the store in {} failed: check the disk; restore a backup if it is damaged", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Writing failed. What was to be written is not acknowledged to anybody.
    #[error(
        "writing to the store in {} failed: make room on the disk and start onenetd again; agents keep and send again \
         what was not acknowledged", path.display()
    )]
    Write {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Work on it panicked.
    #[error("work on the store ended early: {0}")]
    Panicked(String),
    /// A row cannot be read.
    #[error("the store in {} holds a damaged row under {key}: {problem}; restore a backup", path.display())]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A command as it is stored.
#[derive(Serialize, Deserialize)]
struct CommandRow<'a> {
    time: Timestamp,
    by: Cow<'a, str>,
    command: Cow<'a, Command>,
}

impl Store {
    /// Opens the store in `path`, or makes a new one there. Blocks for up to two seconds while another has it open: whoever
    /// just stopped takes a moment to let go.
    ///
    /// # Errors
    /// Fails when another process has it open, when it cannot be read or written, or has another schema.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with_cache(path, CACHE_BYTES)
    }

    /// Opens the store in `path`, or makes a new one there, with a page cache of `cache_bytes`.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with_cache(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache_bytes)
            // Every commit flushes; a second flusher would only take turns with it.
            .flush_every_ms(None);
        let mut opened = open_tree(&config, path);
        for _ in 0..OPEN_RETRIES {
            if !matches!(opened, Err(StoreError::InUse { .. })) {
                break;
            }
            std::thread::sleep(OPEN_RETRY_AFTER);
            opened = open_tree(&config, path);
        }
        let db = opened?;
        let tree = db.open_tree("onenet").map_err(|error| open_error(path, error))?;
        check_schema(path, &tree)?;
        let samples = Arc::new(open_samples(path, &tree)?);
        Ok(Self { samples, tree, db, path: path.to_owned(), queued: None, outbox: false, asked: Asked::default() })
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes changes and returns when they are on disk. The changes of a record are there together or not at all; of several
    /// records a crash leaves the first ones.
    ///
    /// # Errors
    /// Fails when the disk does. The changes are then not to be acknowledged, and nothing more is to be committed before
    /// the store is opened again.
    pub fn commit(&self, changes: &[Change]) -> Result<(), StoreError> {
        let frames = samples::frames(changes);
        let log = self.write_samples(&frames)?;
        let (mut rest, mut queued) = (changes, 0);
        while !rest.is_empty() {
            let (part, after) = rest.split_at(batch_len(rest));
            let (mut batch, mut facts) = (sled::Batch::default(), Facts::default());
            for change in part {
                write_change(&mut batch, &mut facts, change);
            }
            let others =
                part.iter().filter(|change| !matches!(change, Change::Fact { .. } | Change::Samples(_))).count();
            let pages = self.write_facts(&mut batch, facts)?;
            queued += self.write_queued(&mut batch, part);
            if self.outbox {
                outbox::write(&mut batch, part);
                self.write_passed(&mut batch, part)?;
            }
            self.apply(batch)?;
            self.asked(pages + others);
            rest = after;
        }
        self.flush()?;
        if let Some(log) = log {
            log.publish(&frames);
        }
        if let Some(waiting) = &self.queued {
            waiting.fetch_add(queued, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Applies a batch, and lets go of what it replaced: sled leaves that to a collector that frees a few hundred things with every 128
    /// accesses, however much a batch of many small rows leaves behind, so that memory grows as long as batches come.
    fn apply(&self, batch: sled::Batch) -> Result<(), StoreError> {
        let applied = self.tree.apply_batch(batch).map_err(|error| self.write_error(error));
        for _ in 0..COLLECTIONS {
            crossbeam_epoch::pin().flush();
        }
        applied
    }

    /// Writes samples to their files; what the tree says of them comes after it.
    fn write_samples(&self, frames: &Frames) -> Result<Option<Arc<Log>>, StoreError> {
        if frames.is_empty() {
            return Ok(None);
        }
        let written = self.samples.write(frames);
        written.map(Some).map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    /// Adds the entries of samples in the queue, where there is one. Returns their number.
    fn write_queued(&self, batch: &mut sled::Batch, changes: &[Change]) -> u64 {
        let mut queued = 0;
        for (at, change) in changes.iter().enumerate().filter(|_| self.queued.is_some()) {
            let Change::Samples(block) = change else { continue };
            let measured = samples::measured(block);
            if !measured.is_empty() {
                let time = samples::committed(changes, at).unwrap_or_default();
                queue::write(batch, block.position, time, &measured);
                queued += 1;
            }
        }
        queued
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(|_| ()).map_err(|error| self.write_error(error))
    }

    /// Returns the size of the store on disk, in bytes.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        let tree = self.db.size_on_disk().map_err(|error| self.read_error(error))?;
        Ok(tree + self.samples.size())
    }

    fn damaged(&self, key: &[u8], problem: String) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), key: keys::readable(key), problem }
    }

    fn read_error(&self, error: sled::Error) -> StoreError {
        StoreError::Read { path: self.path.clone(), source: plain(error) }
    }

    fn write_error(&self, error: sled::Error) -> StoreError {
        StoreError::Write { path: self.path.clone(), source: plain(error) }
    }
}

fn check_schema(path: &Path, tree: &sled::Tree) -> Result<(), StoreError> {
    let (key, path) = (keys::meta("schema"), path.to_owned());
    match tree.get(&key).map_err(|error| open_error(&path, error))? {
        Some(found) if *found == SCHEMA.to_be_bytes() => Ok(()),
        Some(found) => {
            let number = <[u8; 4]>::try_from(&*found).map(u32::from_be_bytes);
            let found = number.map_or_else(|_| format!("{found:02x?}"), |number| number.to_string());
            Err(StoreError::Schema { path, found })
        }
        None if tree.is_empty() => {
            let made = tree.insert(&key, &SCHEMA.to_be_bytes()).and_then(|_| tree.flush());
            made.map(drop).map_err(|error| StoreError::Write { path, source: plain(error) })
        }
        None => Err(StoreError::Schema { path, found: "none".into() }),
    }
}

/// Opens the files of samples: of what they hold counts what the tree's position has reached.
fn open_samples(path: &Path, tree: &sled::Tree) -> Result<SampleFiles, StoreError> {
    let row = tree.get(keys::meta("position")).map_err(|error| open_error(path, error))?;
    let committed = row.and_then(|row| rows::read_position(&row).ok()).map_or(0, |(position, _)| position);
    let opened = SampleFiles::open(path.join("samples"), committed);
    opened.map_err(|source| StoreError::Open { path: path.to_owned(), source })
}

/// Returns how many of the changes go into the next batch: whole records, each of which ends with its position.
fn batch_len(changes: &[Change]) -> usize {
    let ends = changes.iter().enumerate().filter(|(_, change)| matches!(change, Change::Position { .. }));
    let mut ends = ends.map(|(at, _)| at + 1);
    ends.find(|len| *len >= BATCH_CHANGES).unwrap_or(changes.len())
}

/// Opens the tree. Files that do not fit together, such as copies of a store in use, let sled panic: that is damage too.
fn open_tree(config: &sled::Config, path: &Path) -> Result<sled::Db, StoreError> {
    let opened = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
    opened.unwrap_or(Err(sled::Error::Corruption { at: None, bt: () })).map_err(|error| open_error(path, error))
}

fn open_error(path: &Path, error: sled::Error) -> StoreError {
    let path = path.to_owned();
    match error {
        // sled reports a lock that another process holds as an I/O error of this text.
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => StoreError::InUse { path },
        error @ sled::Error::Corruption { .. } => StoreError::Corrupt { path, source: plain(error) },
        error => StoreError::Open { path, source: plain(error) },
    }
}

/// Returns the operating system's error: sled hands it on as the text of its debug form, which is no word for people.
fn plain(error: sled::Error) -> io::Error {
    let error = io::Error::from(error);
    let text = error.to_string();
    let code = text.strip_prefix("Os { code: ").and_then(|rest| rest.split(',').next()?.parse().ok());
    code.map_or(error, io::Error::from_raw_os_error)
}

fn write_change(batch: &mut sled::Batch, facts: &mut Facts, change: &Change) {
    match change {
        Change::Altered { position, ordinal, site, alterations } => {
            alterations::write(batch, (*position, *ordinal), *site, alterations);
        }
        Change::Audited { position, entries } => audit::write(batch, *position, entries),
        _ => {}
    }
    match row(change) {
        Some((key, held)) if matches!(change, Change::Fact { .. }) => drop(facts.insert(key, held)),
        Some((key, Some(value))) => batch.insert(key, value),
        Some((key, None)) => batch.remove(key),
        None => {}
    }
}

/// Returns the row that a change writes (`Some`) or removes (`None`). Samples have rows of their own, facts lie in pages, and what follows
/// from the rest has none.
fn row(change: &Change) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    Some(match change {
        Change::Fact { site, agent, group, key_hash, held } => {
            (keys::fact(*site, *agent, group, *key_hash), held.as_ref().map(|held| rows::write_held(held)))
        }
        Change::Endpoint { site, endpoint } => {
            (keys::endpoint(*site, endpoint.id), Some(rows::write_endpoint(endpoint)))
        }
        Change::EndpointForgotten { site, id } => (keys::endpoint(*site, *id), None),
        Change::Device { site, device } => (keys::device(*site, device.id), Some(rows::write_device(device))),
        Change::Finding { site, key, finding } => {
            (keys::finding(*site, *key), finding.as_ref().map(|finding| rows::to_json(&**finding)))
        }
        Change::Anomaly { site, key, anomaly } => {
            (keys::anomaly(*site, key), anomaly.as_ref().map(|anomaly| rows::to_json(&**anomaly)))
        }
        Change::Covered { site, trend } => (keys::covered(*site), Some(rows::write_trend(trend))),
        Change::Available { watched, piece } => rows::write_piece(*watched, piece),
        Change::Incident(incident) => (keys::incident(incident.id), Some(rows::to_json(&**incident))),
        Change::IncidentForgotten(id) => (keys::incident(*id), None),
        Change::Case(case) => (keys::case(case.id), Some(rows::to_json(&**case))),
        Change::CaseForgotten(id) => (keys::case(*id), None),
        Change::Drill(drill) => (keys::drill(drill.id), Some(rows::to_json(&**drill))),
        Change::DrillForgotten(id) => (keys::drill(*id), None),
        Change::Campaign { id, campaign } => (keys::campaign(*id), campaign.as_ref().map(|it| rows::to_json(&**it))),
        Change::Sheet { campaign, site, sheet } => {
            (keys::sheet(*campaign, *site), sheet.as_ref().map(|it| rows::to_json(&**it)))
        }
        Change::Agent(agent) => (keys::agent(agent.site, agent.id), Some(rows::write_agent(agent))),
        Change::Commanded { position, time, by, command } => {
            let row = CommandRow { time: *time, by: Cow::Borrowed(by), command: Cow::Borrowed(command) };
            (keys::command(*position), Some(rows::to_json(&row)))
        }
        Change::Log(state) => (keys::meta("log"), state.as_ref().map(|state| rows::to_json(&**state))),
        Change::Position { position, time } => (keys::meta("position"), Some(rows::write_position(*position, *time))),
        Change::Samples(_)
        | Change::Altered { .. }
        | Change::Audited { .. }
        | Change::Told(_)
        | Change::Passed { .. }
        | Change::Links { .. }
        | Change::Merged { .. }
        | Change::Inferred { .. }
        | Change::Unsettled { .. }
        | Change::Relearned { .. }
        | Change::Judged(_)
        | Change::Started(_) => return None,
    })
}

/// Reads a row of the estate back, but for [facts]. Returns `None` for rows that are not part of it.
fn read_change(key: &[u8], value: &[u8], origins: &mut rows::Origins) -> Result<Option<Change>, String> {
    use keys::Key;
    let change = match keys::parse(key).ok_or("the key is not known to this version")? {
        Key::Meta(name) if name == b"position" => {
            let (position, time) = rows::read_position(value)?;
            Change::Position { position, time }
        }
        Key::Meta(name) if name == b"log" => Change::Log(Some(Arc::new(rows::from_json(value)?))),
        Key::Meta(_) | Key::Audit | Key::Altered(_) | Key::Fact { .. } | Key::Sample | Key::Queued | Key::Message => {
            return Ok(None);
        }
        Key::Command(position) => {
            let row: CommandRow<'_> = rows::from_json(value)?;
            let command = Arc::new(row.command.into_owned());
            Change::Commanded { position, time: row.time, by: row.by.as_ref().into(), command }
        }
        Key::Agent(site, id) => Change::Agent(Arc::new(rows::read_agent(site, id, value)?)),
        Key::Device(site, id) => Change::Device { site, device: Arc::new(rows::read_device(id, value)?) },
        Key::Endpoint(site, id) => {
            Change::Endpoint { site, endpoint: Arc::new(rows::read_endpoint(id, value, origins)?) }
        }
        Key::Covered(site) => Change::Covered { site, trend: Arc::new(rows::read_trend(value)?) },
        Key::Available { watched, piece, day } => {
            Change::Available { watched, piece: rows::read_piece(piece, day, value)? }
        }
        Key::Incident => Change::Incident(Arc::new(rows::from_json(value)?)),
        Key::Anomaly(site) => {
            let anomaly: onenet_topology::anomaly::Anomaly = rows::from_json(value)?;
            Change::Anomaly { site, key: anomaly.key.clone(), anomaly: Some(Arc::new(anomaly)) }
        }
        Key::Case => {
            let case: onenet_topology::case::Case = rows::from_json(value)?;
            Change::Case(Arc::new(case.with_answers_of_its_story()))
        }
        Key::Drill => Change::Drill(Arc::new(rows::from_json(value)?)),
        Key::Campaign => {
            let campaign: Campaign = rows::from_json(value)?;
            Change::Campaign { id: campaign.id, campaign: Some(Arc::new(campaign)) }
        }
        Key::Sheet => {
            let sheet: Sheet = rows::from_json(value)?;
            Change::Sheet { campaign: sheet.campaign, site: sheet.site, sheet: Some(Arc::new(sheet)) }
        }
        Key::Finding(site) => {
            let finding: crate::findings::Finding = rows::from_json(value)?;
            Change::Finding { site, key: finding.key, finding: Some(Arc::new(finding)) }
        }
    };
    Ok(Some(change))
}
