//! The audit trail: who did what, where, when, and with what outcome.
//!
//! Invariant: each use of the permission mechanism is in the trail, the refused ones too. What changes state is part of the
//! very batch that changes it ([`crate::ingest`]), so that neither is ever there without the other; reads, and what was
//! refused, are noted here first and written within a second. A question for flows has an entry of its own that names its
//! reason and what came of it ([`crate::flows`]): it is on disk before the answer goes out, and is never counted together. A repetition of the same read within
//! [`WINDOW_MS`] is counted, not written again, so that a scrape every 15 seconds leaves two entries in ten minutes.
//! Strangers share a small quota, so that nobody without a token can fill the trail; what exceeds it is still counted.

use std::{collections::HashMap, sync::Arc};

use onenet_topology::{SiteId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Action, TokenId};

/// How long repetitions of a read are counted together.
pub const WINDOW_MS: i64 = 10 * 60 * 1000;
/// Days that entries are kept at least: six months are the law's demand, with a margin.
pub const MIN_RETENTION_DAYS: u32 = 190;
/// Different reads counted at once; a full window ends early, so nothing is lost.
const MAX_KEYS: usize = 4096;
/// Entries that wait for the store: a second of heavy use. When full, reads are refused rather than left out.
const MAX_PENDING: usize = 8192;
/// Sources of strangers told apart in a window.
const MAX_STRANGERS: usize = 256;
/// Longest text of an entry in bytes.
const MAX_TEXT: usize = 256;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was let pass; what came of it has an entry of its own.
    Allowed,
    /// The principal lacks the role.
    Forbidden,
    /// To the principal it does not exist, or it does not exist at all.
    Hidden,
    /// The request was not acceptable.
    Refused,
    /// The system failed.
    Failed,
    /// Who asked was not known.
    Stranger,
}

impl Outcome {
    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
            Self::Hidden => "hidden",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stranger => "stranger",
        }
    }
}

/// One use, or one use and its repetitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, the first time.
    pub time: Timestamp,
    /// When, the last time.
    pub until: Timestamp,
    /// How many times.
    pub count: u32,
    /// What was done and by whom.
    pub usage: Usage,
}

/// What was done and by whom; equal usages are repetitions of each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// The principal's name; empty for a stranger.
    pub principal: String,
    /// The token used, where there was one.
    pub token: Option<TokenId>,
    /// The address it came from, or "local socket".
    pub source: String,
    /// What was asked for.
    pub action: Action,
    /// At which site; `None` for the system as a whole.
    pub site: Option<SiteId>,
    /// What in particular, such as the path of the request or what was changed.
    pub subject: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in the principal's own words, where he has to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who changes something, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The principal's name.
    pub name: Arc<str>,
    /// The token used, where there was one.
    pub token: Option<TokenId>,
    /// The address it came from, "local socket", or "this process".
    pub source: Arc<str>,
}

/// Too much waits for the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written at present, so nothing may be read: check the disk of the data directory")]
pub struct Overflow;

/// Reads on their way into the trail.
#[derive(Debug, Default)]
pub struct Notebook {
    window_began: Option<Timestamp>,
    /// Repetitions since the entry was written.
    repeated: HashMap<Usage, Repetition>,
    strangers: usize,
    pending: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Repetition {
    first: Timestamp,
    last: Timestamp,
    count: u32,
}

impl Entry {
    /// Returns the entry of one use at `time`.
    pub fn once(time: Timestamp, usage: Usage) -> Self {
        Self { time, until: time, count: 1, usage }
    }
}

impl From<&str> for Author {
    /// Returns the part of this very process that has this name.
    fn from(name: &str) -> Self {
        Self { name: name.into(), token: None, source: "this process".into() }
    }
}

impl Author {
    /// Returns that this author did something.
    pub fn did(&self, action: Action, site: Option<SiteId>, subject: String) -> Usage {
        let (principal, source) = (self.name.to_string(), self.source.to_string());
        let token = self.token;
        Usage { principal, token, source, action, site, subject, outcome: Outcome::Done, reason: None }.bounded()
    }
}

impl Usage {
    /// Cuts texts that a stranger could make long.
    #[must_use]
    fn bounded(mut self) -> Self {
        for text in [&mut self.subject, &mut self.source, &mut self.principal] {
            let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
        self
    }
}

impl Notebook {
    /// Notes one use at `now`.
    ///
    /// # Errors
    /// Fails, and has noted nothing, when too much waits for the store: then the use must not happen.
    pub fn note(&mut self, usage: Usage, now: Timestamp) -> Result<(), Overflow> {
        self.turn_window(now);
        let mut usage = usage.bounded();
        if usage.outcome == Outcome::Stranger {
            usage.subject.clear();
            usage.site = None;
        }
        if let Some(repetition) = self.repeated.get_mut(&usage) {
            repetition.add(now);
            return Ok(());
        }
        if usage.outcome == Outcome::Stranger {
            if self.strangers >= MAX_STRANGERS {
                "elsewhere".clone_into(&mut usage.source);
            }
            self.strangers = self.strangers.saturating_add(1);
            if let Some(repetition) = self.repeated.get_mut(&usage) {
                repetition.add(now);
                return Ok(());
            }
        }
        if self.pending.len() >= MAX_PENDING {
            return Err(Overflow);
        }
        if self.repeated.len() >= MAX_KEYS {
            self.end_window();
        }
        self.pending.push(Entry::once(now, usage.clone()));
        self.repeated.insert(usage, Repetition { first: now, last: now, count: 0 });
        Ok(())
    }

    /// Returns what has to be written now, and forgets it; on failure hand it back to [`Self::put_back`].
    pub fn take(&mut self, now: Timestamp) -> Vec<Entry> {
        self.turn_window(now);
        std::mem::take(&mut self.pending)
    }

    /// Returns how many entries wait to be written.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Returns everything, repetitions of the running window included: for the end of the process.
    pub fn take_all(&mut self) -> Vec<Entry> {
        self.end_window();
        std::mem::take(&mut self.pending)
    }

    /// Takes back entries that could not be written, in front of those noted since.
    pub fn put_back(&mut self, mut entries: Vec<Entry>) {
        entries.append(&mut self.pending);
        self.pending = entries;
    }

    fn turn_window(&mut self, now: Timestamp) {
        let began = *self.window_began.get_or_insert(now);
        // A clock that was set back ends the window too: its entries must not wait for it to come round again.
        if !(0..WINDOW_MS).contains(&now.ms_since(began)) {
            self.end_window();
            self.window_began = Some(now);
        }
    }

    fn end_window(&mut self) {
        let ended = self.repeated.drain().filter(|(_, repetition)| repetition.count > 0);
        let first = self.pending.len();
        self.pending.extend(ended.map(|(usage, repetition)| Entry {
            time: repetition.first,
            until: repetition.last,
            count: repetition.count,
            usage,
        }));
        if let Some(ended) = self.pending.get_mut(first..) {
            ended.sort_by_key(|entry| entry.time);
        }
        self.strangers = 0;
    }
}

impl Repetition {
    fn add(&mut self, now: Timestamp) {
        if self.count == 0 {
            self.first = now;
        }
        self.last = now;
        self.count = self.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(principal: &str, subject: &str, outcome: Outcome) -> Usage {
        Usage {
            principal: principal.to_owned(),
            token: None,
            source: "127.0.0.1".to_owned(),
            action: Action::ReadInventory,
            site: None,
            subject: subject.to_owned(),
            outcome,
            reason: None,
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    #[test]
    fn a_repeated_read_is_counted_until_the_window_ends() {
        let mut notebook = Notebook::default();
        for second in 0..100 {
            notebook.note(usage("prometheus", "/metrics", Outcome::Done), at(second * 15_000)).unwrap();
        }
        let written: Vec<_> = notebook.take_all();
        assert_eq!(written.iter().map(|entry| entry.count).sum::<u32>(), 100);
        assert_eq!(written.len(), 6, "two entries for each of three windows: {written:?}");
        assert_eq!(written.last().map(|entry| entry.until), Some(at(99 * 15_000)));
    }

    #[test]
    fn the_first_use_is_handed_over_at_once() {
        let mut notebook = Notebook::default();
        notebook.note(usage("li", "/a", Outcome::Done), at(5)).unwrap();
        assert_eq!(notebook.take(at(6)), vec![Entry::once(at(5), usage("li", "/a", Outcome::Done))]);
        assert_eq!(notebook.take(at(7)), vec![]);
    }

    #[test]
    fn strangers_cannot_fill_the_trail() {
        let mut notebook = Notebook::default();
        for n in 0..100_000 {
            let mut stranger = usage("", &format!("/{n}"), Outcome::Stranger);
            stranger.source = format!("10.0.{}.{}", n / 256, n % 256);
            notebook.note(stranger, at(n)).unwrap();
        }
        let written = notebook.take_all();
        assert!(written.len() <= 2 * (MAX_STRANGERS + 1), "{}", written.len());
        assert_eq!(written.iter().map(|entry| entry.count).sum::<u32>(), 100_000);
    }

    #[test]
    fn when_the_store_does_not_take_entries_reads_are_refused_rather_than_left_out() {
        let mut notebook = Notebook::default();
        let mut noted = 0;
        let refused = (0..20_000).any(|n| {
            let outcome = notebook.note(usage("li", &format!("/{n}"), Outcome::Done), at(0));
            noted += u32::from(outcome.is_ok());
            outcome.is_err()
        });
        assert!(refused);
        let waiting = notebook.take(at(0));
        notebook.put_back(waiting);
        assert_eq!(notebook.take_all().iter().map(|entry| entry.count).sum::<u32>(), noted);
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let mut notebook = Notebook::default();
        notebook.note(usage("li", &"县".repeat(1000), Outcome::Done), at(0)).unwrap();
        let subject = &notebook.take(at(0))[0].usage.subject;
        assert_eq!(subject.len(), 255);
    }
}
