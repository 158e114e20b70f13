//! The site's part of the configuration as the centre sent it: what is in force, what is on trial, what was refused.
//!
//! Invariants: a text is on disk before it is applied. A new one is on trial until the centre was connected for a while
//! with it; when the centre stays away for too long instead, or the agent dies with it again and again, the one before
//! comes back, and the refused revision is not taken a second time.
//!
//! Format: `site.json` holds what is proven, `site.trial.json` what is on trial; both name their revision.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{cli::chain, durable};

const PROVEN: &str = "site.json";
const ON_TRIAL: &str = "site.trial.json";

/// How long the centre has to be connected for a configuration to be proven, in milliseconds.
pub(crate) const PROVEN_AFTER_MS: i64 = 30_000;

/// How often the agent may start with one configuration that is not proven.
const STARTS_MAX: u32 = 3;

/// A text of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SiteText {
    /// The centre's number for it; 0 for the agent's own file.
    pub(crate) revision: u64,
    /// The text; empty for the agent's own file.
    pub(crate) toml: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Proven {
    text: SiteText,
    /// The last revision that was taken back.
    refused: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OnTrial {
    text: SiteText,
    /// How often the agent started with it.
    starts: u32,
}

/// The site's configurations on disk.
#[derive(Debug)]
pub(crate) struct SiteStore {
    data: PathBuf,
    proven: Proven,
    trial: Option<OnTrial>,
}

/// The watch over a configuration on trial. Pure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    allowed_ms: i64,
    /// Since when the centre is continuously connected, or continuously not, from the beginning of the trial on.
    connected: Option<bool>,
    since: Timestamp,
}

/// What the watch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait and see.
    Undecided,
    /// The centre stays with it.
    Proven,
    /// The centre was lost by it.
    RollBack,
}

impl Watch {
    /// Returns the watch over a trial that begins at `now`.
    pub(crate) fn new(rollback_after: Duration, now: Timestamp) -> Self {
        let allowed_ms = i64::try_from(rollback_after.as_millis()).unwrap_or(i64::MAX);
        Self { allowed_ms, connected: None, since: now }
    }

    /// Takes note whether the centre is connected at `now`.
    pub(crate) fn see(&mut self, connected: bool, now: Timestamp) -> Verdict {
        if self.connected != Some(connected) {
            // The first look says how it was all the time; a change begins a new count.
            if self.connected.is_some() {
                self.since = now;
            }
            self.connected = Some(connected);
        }
        let lasted_ms = now.ms_since(self.since);
        match connected {
            true if lasted_ms >= PROVEN_AFTER_MS => Verdict::Proven,
            false if lasted_ms >= self.allowed_ms => Verdict::RollBack,
            _ => Verdict::Undecided,
        }
    }
}

impl SiteStore {
    /// Reads what earlier runs left. A file that cannot be understood counts as absent: the agent's own file is good.
    pub(crate) fn load(data: &Path) -> Self {
        let own = Proven { text: SiteText { revision: 0, toml: String::new() }, refused: None };
        Self {
            proven: read(&data.join(PROVEN)).unwrap_or(own),
            trial: read(&data.join(ON_TRIAL)),
            data: data.to_owned(),
        }
    }

    /// Counts a start of the agent. Returns the revision that was taken back since the agent died with it too often.
    pub(crate) fn started(&mut self) -> io::Result<Option<u64>> {
        let Some(trial) = &mut self.trial else { return Ok(None) };
        trial.starts += 1;
        if trial.starts > STARTS_MAX {
            return self.roll_back();
        }
        write(&self.data.join(ON_TRIAL), trial)?;
        Ok(None)
    }

    /// Returns the text in force.
    pub(crate) fn in_force(&self) -> &SiteText {
        self.trial.as_ref().map_or(&self.proven.text, |trial| &trial.text)
    }

    /// Returns whether the text in force is on trial.
    pub(crate) fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// Returns whether this revision was taken back before.
    pub(crate) fn was_refused(&self, revision: u64) -> bool {
        self.proven.refused == Some(revision)
    }

    /// Puts a text on trial, in the place of one that was.
    pub(crate) fn begin(&mut self, text: SiteText) -> io::Result<()> {
        let trial = OnTrial { text, starts: 0 };
        write(&self.data.join(ON_TRIAL), &trial)?;
        self.trial = Some(trial);
        Ok(())
    }

    /// Ends the trial: the text is good.
    pub(crate) fn prove(&mut self) -> io::Result<()> {
        if let Some(trial) = &self.trial {
            let proven = Proven { text: trial.text.clone(), refused: self.proven.refused };
            write(&self.data.join(PROVEN), &proven)?;
            self.proven = proven;
            self.trial = None;
            durable::remove(&self.data.join(ON_TRIAL))?;
        }
        Ok(())
    }

    /// Ends the trial: the text before it is in force again. Returns the refused revision.
    pub(crate) fn roll_back(&mut self) -> io::Result<Option<u64>> {
        let Some(trial) = self.trial.take() else { return Ok(None) };
        self.proven.refused = Some(trial.text.revision);
        write(&self.data.join(PROVEN), &self.proven)?;
        durable::remove(&self.data.join(ON_TRIAL))?;
        Ok(self.proven.refused)
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    let read = durable::document(file);
    read.inspect_err(|error| tracing::warn!(error = %chain(error), "a site configuration is damaged and ignored"))
        .ok()
        .flatten()
}

fn write(file: &Path, value: &impl Serialize) -> io::Result<()> {
    durable::replace(file, &serde_json::to_vec(value)?, durable::Sync::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_ms(1_000_000);

    fn text(revision: u64) -> SiteText {
        SiteText { revision, toml: format!("# {revision}") }
    }

    #[test]
    fn a_configuration_that_loses_the_centre_is_taken_back_and_one_that_keeps_it_is_proven() {
        let mut watch = Watch::new(Duration::from_secs(300), START);
        assert_eq!(watch.see(false, START.plus_ms(299_999)), Verdict::Undecided);
        assert_eq!(watch.see(false, START.plus_ms(300_000)), Verdict::RollBack);

        let mut watch = Watch::new(Duration::from_secs(300), START);
        assert_eq!(watch.see(true, START.plus_ms(29_999)), Verdict::Undecided);
        assert_eq!(watch.see(true, START.plus_ms(30_000)), Verdict::Proven);
    }

    #[test]
    fn a_line_that_comes_and_goes_decides_nothing_by_its_sum() {
        let mut watch = Watch::new(Duration::from_secs(300), START);
        let mut now = START;
        for round in 0..100 {
            now = now.plus_ms(20_000);
            assert_eq!(watch.see(round % 2 == 0, now), Verdict::Undecided, "{round}");
        }
        let lost = now;
        assert_eq!(watch.see(false, lost.plus_ms(299_000)), Verdict::Undecided);
        assert_eq!(watch.see(false, lost.plus_ms(300_000)), Verdict::RollBack);
    }

    #[test]
    fn a_refused_revision_is_remembered_and_the_one_before_is_in_force_also_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let mut store = SiteStore::load(data.path());
        assert_eq!(store.in_force().revision, 0);
        store.begin(text(7)).unwrap();
        store.prove().unwrap();
        store.begin(text(8)).unwrap();
        assert_eq!(SiteStore::load(data.path()).in_force(), &text(8));
        assert_eq!(store.roll_back().unwrap(), Some(8));
        let again = SiteStore::load(data.path());
        assert_eq!(again.in_force(), &text(7));
        assert!(again.was_refused(8) && !again.was_refused(7) && !again.is_on_trial());
    }

    #[test]
    fn a_configuration_that_the_agent_dies_with_is_taken_back() {
        let data = tempfile::tempdir().unwrap();
        SiteStore::load(data.path()).begin(text(9)).unwrap();
        let starts: Vec<Option<u64>> = (0..5).map(|_| SiteStore::load(data.path()).started().unwrap()).collect();
        assert_eq!(starts, [None, None, None, Some(9), None]);
        assert_eq!(SiteStore::load(data.path()).in_force().revision, 0);
    }
}
