//! Recent samples and events: written by batch, read by site, scope, kind and time.
//!
//! Invariant: a sample is there once. Its key is made of what it is and of the batch that brought it, and a batch is
//! committed once. Rows lie in [files] beside the tree, filed by the hour.

pub(super) mod files;
mod log;
mod row;
mod segment;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use onenet_topology::{
    AgentId, SensorKind, SiteId, Timestamp,
    fact::{HistoryBody, HistoryItem, Scope},
};
use onenet_wire::codec;
use serde::{Deserialize, Serialize};

pub(super) use self::log::{Frames, Log};
use super::{Store, StoreError, keys};
use crate::estate::{Change, SampleBlock};

/// Bytes in front of the items of a row.
const HEAD_BYTES: usize = 17;

/// What a sample is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// Counters of ports.
    Interface,
    /// How a device answers.
    Device,
    /// Traffic of endpoints.
    Traffic,
    /// How capture goes.
    Capture,
    /// Events.
    Event,
    /// What sensors of devices measured.
    Sensor,
    /// What endpoints did with applications.
    Application,
    /// What probes measured.
    Probe,
    /// What detectors found.
    Anomaly,
    /// What detectors did.
    Detection,
}

/// Which samples are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleQuery {
    /// Of which site.
    pub site: SiteId,
    /// Taken by which agent; `None` for any.
    pub agent: Option<AgentId>,
    /// Of which device, interface listened on, or of the agent itself (empty).
    pub scope: Scope,
    /// About what.
    pub kind: SampleKind,
    /// The ifName, the MAC address, the [sensor's](sensor_item), the probe's name or the event's subject; `None` for all.
    pub item: Option<String>,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after the last.
    pub until: Timestamp,
    /// How many at most, the oldest first.
    pub limit: usize,
}

impl SampleQuery {
    fn takes(&self, sample: &Sample) -> bool {
        (self.from..self.until).contains(&sample.item.time)
            && self.agent.is_none_or(|agent| agent == sample.agent)
            && is_of(self.item.as_deref(), &sample.item)
    }
}

/// A sample or event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Who took it.
    pub agent: AgentId,
    /// Milliseconds that were added to the agent's time.
    pub shift_ms: i64,
    /// Whether that is a guess.
    pub uncertain: bool,
    /// The sample, with the corrected time.
    #[serde(flatten)]
    pub item: HistoryItem,
}

impl SampleKind {
    /// Returns what an item is about.
    pub const fn of(body: &HistoryBody) -> Self {
        match body {
            HistoryBody::Interface(_) => Self::Interface,
            HistoryBody::Device(_) => Self::Device,
            HistoryBody::Traffic(_) => Self::Traffic,
            HistoryBody::Capture(_) => Self::Capture,
            HistoryBody::Event(_) => Self::Event,
            HistoryBody::Sensor(_) => Self::Sensor,
            HistoryBody::Application(_) => Self::Application,
            HistoryBody::Probe(_) => Self::Probe,
            HistoryBody::Anomaly(_) => Self::Anomaly,
            HistoryBody::Detection(_) => Self::Detection,
        }
    }

    /// Returns whether such samples become series one by one: of the others there are sums and counts.
    pub(super) const fn is_measured(self) -> bool {
        matches!(self, Self::Interface | Self::Probe | Self::Capture)
    }

    /// Returns its number in keys. Never changed.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Interface => 1,
            Self::Device => 2,
            Self::Traffic => 3,
            Self::Capture => 4,
            Self::Event => 5,
            Self::Sensor => 6,
            Self::Application => 7,
            Self::Probe => 8,
            Self::Anomaly => 9,
            Self::Detection => 10,
        }
    }
}

/// Returns the rows of one batch, by key.
fn rows(block: &SampleBlock) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for item in &block.items {
        let row = rows.entry(key(block, item)).or_insert_with(|| {
            let mut head = Vec::with_capacity(256);
            head.extend_from_slice(&block.position.to_be_bytes());
            head.extend_from_slice(&block.shift_ms.to_be_bytes());
            head.push(u8::from(block.uncertain));
            head
        });
        let bytes = codec::encode_history(item);
        row.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        row.extend_from_slice(&bytes);
    }
    rows
}

fn key(block: &SampleBlock, item: &HistoryItem) -> Vec<u8> {
    let prefix = keys::samples_of_scope(block.site, keys::hour(item.time), &item.scope, SampleKind::of(&item.body));
    keys::samples_at(prefix, item.time, block.agent, block.sequence)
}

/// Returns the keys of the rows of a batch that have [measured](SampleKind::is_measured) values.
pub(super) fn measured(block: &SampleBlock) -> BTreeSet<Vec<u8>> {
    block.items.iter().filter(|item| SampleKind::of(&item.body).is_measured()).map(|item| key(block, item)).collect()
}

/// Returns the samples among changes, as they are written to files.
pub(super) fn frames(changes: &[Change]) -> Frames {
    let mut frames = Frames::default();
    for (at, change) in changes.iter().enumerate() {
        if let Change::Samples(block) = change {
            let rows = rows(block);
            let rows = rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
            // Of what is imported nobody says when it was committed.
            let newest = || block.items.iter().map(|item| item.time).max().unwrap_or_default();
            frames.add(block.position, committed(changes, at).unwrap_or_else(newest), rows);
        }
    }
    frames
}

/// Adds a row as it was read from a backup.
pub(super) fn again(frames: &mut Frames, key: &[u8], value: &[u8]) {
    let time = keys::taken(key).map(|(time, _)| time).unwrap_or_default();
    frames.add(position_of(value).unwrap_or_default(), time, [(key, value)]);
}

/// Returns when the record of a change is committed: a record ends with its position.
pub(super) fn committed(changes: &[Change], at: usize) -> Option<Timestamp> {
    changes.iter().skip(at).find_map(|change| match change {
        Change::Position { time, .. } => Some(*time),
        _ => None,
    })
}

/// Reads a row back as the part of the block that it was written from.
pub(super) fn block(key: &[u8], row: &[u8]) -> Result<SampleBlock, String> {
    let samples = read(key, row)?;
    let number = |at: usize| key.get(at..).and_then(|rest| rest.first_chunk::<8>()).map(|it| u64::from_be_bytes(*it));
    let short = || "the row of samples is cut short".to_owned();
    let head = samples.first().ok_or_else(short)?;
    Ok(SampleBlock {
        position: position_of(row).ok_or_else(short)?,
        site: SiteId::from_raw(number(0).ok_or_else(short)?),
        agent: head.agent,
        sequence: key.len().checked_sub(8).and_then(number).ok_or_else(short)?,
        shift_ms: head.shift_ms,
        uncertain: head.uncertain,
        items: samples.into_iter().map(|sample| sample.item).collect(),
    })
}

/// Returns the position of the record that brought a row of samples.
pub(super) fn position_of(row: &[u8]) -> Option<u64> {
    row.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Reads a row back.
pub(super) fn read(key: &[u8], row: &[u8]) -> Result<Vec<Sample>, String> {
    let short = || "the row of samples is cut short".to_owned();
    let agent = key.len().checked_sub(16).and_then(|at| key.get(at..)?.first_chunk::<8>()).ok_or_else(short)?;
    let agent = AgentId::from_raw(u64::from_be_bytes(*agent));
    let (head, mut rest) = row.split_at_checked(HEAD_BYTES).ok_or_else(short)?;
    let shift_ms = head.get(8..16).and_then(|it| it.first_chunk::<8>()).ok_or_else(short)?;
    let shift_ms = i64::from_be_bytes(*shift_ms);
    let uncertain = head.last().is_some_and(|it| *it != 0);
    let mut samples = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| short())?;
        let (bytes, after) = after.split_at_checked(len).ok_or_else(short)?;
        let item = codec::decode_history(bytes).map_err(|error| error.to_string())?;
        samples.push(Sample { agent, shift_ms, uncertain, item });
        rest = after;
    }
    Ok(samples)
}

impl Store {
    /// Returns samples in the order of time.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn samples(&self, query: &SampleQuery) -> Result<Vec<Sample>, StoreError> {
        let mut found = Vec::new();
        self.visit(query, &mut |sample| {
            found.push(sample);
            found.len() < query.limit
        })?;
        Ok(found)
    }

    /// Hands samples over in the order of time, all of them whatever the query's limit, without holding them.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn each_sample(&self, query: &SampleQuery, take: &mut dyn FnMut(Sample)) -> Result<(), StoreError> {
        self.visit(query, &mut |sample| {
            take(sample);
            true
        })
    }

    /// Returns what was sampled last: all samples of one moment, found without looking at older ones. Rows of other moments and agents
    /// are told by their keys, and not read.
    ///
    /// # Errors
    /// Fails when the disk does or a row is damaged.
    pub fn latest_samples(&self, query: &SampleQuery) -> Result<Vec<Sample>, StoreError> {
        let mut damaged = None;
        for hour in self.hours(query).rev() {
            let prefix = keys::samples_of_scope(query.site, hour, &query.scope, query.kind);
            let found = self.samples.newest(&prefix, (query.from, query.until), |key, value| {
                let (_, agent) = keys::taken(key)?;
                query.agent.is_none_or(|wanted| wanted == agent).then_some(())?;
                let samples = read(key, value).map_err(|problem| damaged = Some(self.damaged(key, problem))).ok()?;
                let samples: Vec<_> = samples.into_iter().filter(|sample| query.takes(sample)).collect();
                (!samples.is_empty()).then_some(samples)
            });
            let found = found.map_err(|error| self.samples_error(error))?;
            if let Some(damaged) = damaged {
                return Err(damaged);
            }
            if !found.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
        }
        Ok(Vec::new())
    }

    /// Returns the hours of a query of which there are samples, whosever they are.
    fn hours(&self, query: &SampleQuery) -> impl DoubleEndedIterator<Item = u32> + use<> {
        self.samples.hours(&(keys::hour(query.from)..=keys::hour(query.until))).into_iter()
    }

    /// Hands samples over in the order of time as long as `take` wants more.
    fn visit(&self, query: &SampleQuery, take: &mut dyn FnMut(Sample) -> bool) -> Result<(), StoreError> {
        for hour in self.hours(query) {
            let prefix = keys::samples_of_scope(query.site, hour, &query.scope, query.kind);
            for (key, value) in self.samples.rows(&prefix).map_err(|error| self.samples_error(error))? {
                let samples = read(&key, &value).map_err(|problem| self.damaged(&key, problem))?;
                for sample in samples.into_iter().filter(|sample| query.takes(sample)) {
                    if !take(sample) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the files in which all samples were told before `before`. Returns their number.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub fn expire_samples(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.samples.expire(before).map_err(|error| self.samples_error(error))
    }

    /// Returns what reading files of samples failed of.
    pub(super) fn samples_error(&self, source: io::Error) -> StoreError {
        if source.kind() == io::ErrorKind::InvalidData {
            return StoreError::Damaged { path: self.path.clone(), key: "samples".into(), problem: source.to_string() };
        }
        StoreError::Read { path: self.path.clone(), source }
    }
}

/// Returns how a query names a sensor: names are unique among the sensors of one kind only.
pub fn sensor_item(kind: SensorKind, name: &str) -> String {
    format!("{}/{name}", kind.name())
}

fn is_of(wanted: Option<&str>, item: &HistoryItem) -> bool {
    let Some(wanted) = wanted else { return true };
    match &item.body {
        HistoryBody::Interface(it) => it.name == wanted,
        HistoryBody::Traffic(it) => it.mac.to_string() == wanted,
        HistoryBody::Event(it) => it.subject == wanted,
        HistoryBody::Sensor(it) => wanted.split_once('/') == Some((it.kind.name(), &it.name)),
        HistoryBody::Application(it) => it.mac.is_some_and(|mac| mac.to_string() == wanted),
        HistoryBody::Probe(it) => it.name == wanted,
        HistoryBody::Anomaly(it) => it.key.subject == wanted,
        HistoryBody::Device(_) | HistoryBody::Capture(_) | HistoryBody::Detection(_) => true,
    }
}
