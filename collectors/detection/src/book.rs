//! The findings of a site: one a subject and kind, each with evidence that stays small, and what every detector did.
//!
//! Invariants: at most [`FINDINGS_MAX`] findings, the oldest leave first and are counted; saying the same again costs no memory.

use std::collections::BTreeMap;

use onenet_topology::Timestamp;
use serde::Serialize;

use crate::{
    catalogue::Kind,
    finding::{Evidence, FACTS_MAX, Finding, Grade, SAMPLES_MAX, Subject},
    settings::Settings,
};

/// The most findings that are kept.
pub const FINDINGS_MAX: usize = 1_024;

/// How often a finding that goes on is told again, in milliseconds.
const TELL_AGAIN_MS: i64 = 10 * 60_000;

/// What a detector did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectorState {
    /// Its kind.
    pub kind: Kind,
    /// Why it is off; `None`: it is on.
    pub off: Option<&'static str>,
    /// The time of the last observation that it saw.
    pub last_run: Option<Timestamp>,
    /// How many observations it saw.
    pub inputs: u64,
    /// How many findings it made.
    pub findings: u64,
    /// How much it had to forget for want of room.
    pub evicted: u64,
}

/// What a detector concluded.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) subject: Subject,
    pub(crate) grade: Grade,
    pub(crate) confidence: u8,
    /// Since when.
    pub(crate) first: Timestamp,
    /// Until when.
    pub(crate) last: Timestamp,
    /// How many observations there were since the last report.
    pub(crate) count: u64,
}

#[derive(Debug)]
struct Entry {
    finding: Finding,
    changed: bool,
    /// The count at which evidence is told anew.
    refresh: u64,
    /// How it was told last.
    told: Option<Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Timestamp,
    count: u64,
    grade: Grade,
    confidence: u8,
}

/// The findings.
#[derive(Debug)]
pub(crate) struct Book {
    entries: BTreeMap<(Kind, Subject), Entry>,
    off: Vec<Option<&'static str>>,
    made: Vec<u64>,
    evicted: u64,
}

impl Report {
    /// Returns a report of one observation at one moment.
    pub(crate) const fn new(kind: Kind, subject: Subject, confidence: u8, at: Timestamp) -> Self {
        Self { kind, subject, grade: kind.grade(), confidence, first: at, last: at, count: 1 }
    }

    pub(crate) fn since(self, first: Timestamp) -> Self {
        Self { first: first.min(self.first), ..self }
    }

    pub(crate) fn graded(self, grade: Grade) -> Self {
        Self { grade, ..self }
    }

    pub(crate) const fn counting(self, count: u64) -> Self {
        Self { count, ..self }
    }
}

impl Book {
    pub(crate) fn new(settings: &Settings) -> Self {
        let off = Kind::ALL.iter().map(|kind| settings.is_off(*kind)).collect();
        Self { entries: BTreeMap::new(), off, made: vec![0; Kind::ALL.len()], evicted: 0 }
    }

    /// Leaves out what is off from now on.
    pub(crate) fn configure(&mut self, settings: &Settings) {
        self.off = Kind::ALL.iter().map(|kind| settings.is_off(*kind)).collect();
    }

    /// Returns why a kind is off.
    pub(crate) fn is_off(&self, kind: Kind) -> Option<&'static str> {
        self.off.get(kind.index()).copied().flatten()
    }

    /// Returns when something of this kind was seen last.
    pub(crate) fn last(&self, kind: Kind, subject: Subject) -> Option<Timestamp> {
        self.entries.get(&(kind, subject)).map(|entry| entry.finding.last)
    }

    /// Notes what a detector concluded. Evidence is asked for where it is new, or has doubled.
    pub(crate) fn report(&mut self, report: &Report, evidence: impl FnOnce() -> Vec<Evidence>) {
        if self.is_off(report.kind).is_some() {
            return;
        }
        let key = (report.kind, report.subject);
        if let Some(entry) = self.entries.get_mut(&key) {
            let finding = &mut entry.finding;
            finding.count = finding.count.saturating_add(report.count);
            finding.first = finding.first.min(report.first);
            finding.last = finding.last.max(report.last);
            finding.grade = finding.grade.max(report.grade);
            finding.confidence = finding.confidence.max(report.confidence);
            entry.changed = true;
            if finding.count >= entry.refresh {
                entry.refresh = finding.count.saturating_mul(2);
                merge(&mut finding.evidence, evidence());
            }
            return;
        }
        if self.entries.len() >= FINDINGS_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.finding.last).map(|(key, _)| *key);
            self.evicted += u64::from(oldest.and_then(|key| self.entries.remove(&key)).is_some());
        }
        if let Some(made) = self.made.get_mut(report.kind.index()) {
            *made += 1;
        }
        let mut kept = Vec::new();
        merge(&mut kept, evidence());
        let finding = Finding {
            kind: report.kind,
            grade: report.grade,
            confidence: report.confidence,
            subject: report.subject,
            first: report.first,
            last: report.last,
            count: report.count,
            evidence: kept,
        };
        let refresh = finding.count.saturating_mul(2);
        self.entries.insert(key, Entry { finding, changed: true, refresh, told: None });
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.entries.values().map(|entry| &entry.finding)
    }

    pub(crate) fn take_changed(&mut self) -> Vec<Finding> {
        let changed = self
            .entries
            .values_mut()
            .filter_map(|entry| std::mem::take(&mut entry.changed).then(|| entry.finding.clone()));
        changed.collect()
    }

    /// Returns at most `most` findings that are to be told at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp, most: usize) -> Vec<Finding> {
        let due = self.entries.values_mut().filter(|entry| entry.changed && entry.is_due(now)).take(most);
        due.map(|entry| {
            let Finding { count, grade, confidence, .. } = entry.finding;
            entry.changed = false;
            entry.told = Some(Told { at: now, count, grade, confidence });
            entry.finding.clone()
        })
        .collect()
    }

    pub(crate) fn made(&self, kind: Kind) -> u64 {
        self.made.get(kind.index()).copied().unwrap_or(0)
    }

    /// Returns how many findings had to leave.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl Entry {
    fn is_due(&self, now: Timestamp) -> bool {
        let Some(told) = self.told else { return true };
        self.finding.count >= told.count.saturating_mul(2)
            || self.finding.grade > told.grade
            || self.finding.confidence > told.confidence
            || now.ms_since(told.at) >= TELL_AGAIN_MS
    }
}

/// Takes new evidence in: facts replace those of the same name, samples are added up to their number.
fn merge(kept: &mut Vec<Evidence>, new: Vec<Evidence>) {
    for evidence in new {
        let samples = kept.iter().filter(|kept| kept.is_sample()).count();
        if evidence.is_sample() {
            if samples < SAMPLES_MAX && !kept.contains(&evidence) {
                kept.push(evidence);
            }
        } else if let Some(old) = kept.iter_mut().find(|kept| kept.is == evidence.is) {
            *old = evidence;
        } else if kept.len() - samples < FACTS_MAX {
            kept.insert(kept.len() - samples, evidence);
        }
    }
}
