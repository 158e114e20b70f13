//! What the centre asked this site's flows for, and for which capture files: who, when and why, for whoever stands beside the box.
//!
//! Invariant: a question is noted, on disk, before it is answered; a restart does not forget it. Of the last [`KEPT_MAX`] it is
//! known; reading on in an answer is the same question. When the disk fails it is known until the agent ends.
//! Format of the files: JSON, the newest question first.

use std::path::Path;

use onenet_topology::{
    Timestamp,
    flow::{FlowPage, FlowQuery},
};
use onenet_wire::{CaptureQuery, FlowsQuery};
use serde::{Deserialize, Serialize};

mod capture;
mod journal;

pub use self::capture::AskedCapture;

use self::journal::Journal;

/// How many questions are remembered: some weeks' worth where questions are rare, and a screen's where they are not.
const KEPT_MAX: usize = 50;
/// The files within the data folder.
const FLOWS_FILE: &str = "flows-asked.json";
const CAPTURES_FILE: &str = "captures-asked.json";

/// A question of the centre for flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFlows {
    /// Who asked, by the name that the centre knows.
    pub principal: String,
    /// Why, in his own words.
    pub reason: String,
    /// When, on the agent's clock.
    pub time: Timestamp,
    /// When he last read on in the answer.
    pub until: Timestamp,
    /// What he asked for.
    pub query: FlowQuery,
    /// How many pages went out.
    pub pages: u64,
    /// How many flows went out.
    pub flows: u64,
    /// Why it was not answered, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The questions. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    flows: Journal<AskedFlows>,
    captures: Journal<AskedCapture>,
}

impl Asked {
    /// Returns what was asked before, as the data folder has it.
    pub(crate) fn load(data: &Path) -> Self {
        Self { flows: Journal::load(data.join(FLOWS_FILE)), captures: Journal::load(data.join(CAPTURES_FILE)) }
    }

    /// Notes a question, or that its answer is read on in. Waits for the disk.
    pub(crate) fn ask(&self, asked: &FlowsQuery, now: Timestamp) {
        self.flows.change(|questions| {
            let known = asked.after.and_then(|_| questions.iter_mut().find(|question| question.is(asked)));
            match known {
                Some(question) => question.until = now,
                None => questions.insert(0, AskedFlows::new(asked, now)),
            }
        });
    }

    /// Notes what came of a question. Waits for the disk.
    pub(crate) fn answered(&self, asked: &FlowsQuery, outcome: &Result<FlowPage, String>) {
        self.flows.change(|questions| {
            let Some(question) = questions.iter_mut().find(|question| question.is(asked)) else { return };
            match outcome {
                Ok(page) => {
                    question.pages += 1;
                    question.flows = question.flows.saturating_add(u64::try_from(page.flows.len()).unwrap_or(u64::MAX));
                    question.error = None;
                }
                Err(error) => question.error = Some(error.clone()),
            }
        });
    }

    /// Notes a question for a capture file, or that it is read on in. Waits for the disk.
    pub(crate) fn ask_capture(&self, asked: &CaptureQuery, now: Timestamp) {
        self.captures.change(|questions| {
            let known = questions.iter().any(|question| question.is(asked));
            if asked.offset == 0 || !known {
                questions.insert(0, AskedCapture::new(asked, now));
            }
        });
    }

    /// Notes what came of a question for a capture file. Waits for the disk.
    pub(crate) fn answered_capture(&self, asked: &CaptureQuery, outcome: &Result<Vec<u8>, String>) {
        self.captures.change(|questions| {
            if let Some(question) = questions.iter_mut().find(|question| question.is(asked)) {
                question.answered(outcome);
            }
        });
    }

    /// Returns what was asked, the newest first.
    pub(crate) fn all(&self) -> Vec<AskedFlows> {
        self.flows.all()
    }

    /// Returns which capture files were asked for, the newest question first.
    pub(crate) fn captures(&self) -> Vec<AskedCapture> {
        self.captures.all()
    }
}

impl AskedFlows {
    fn new(asked: &FlowsQuery, now: Timestamp) -> Self {
        Self {
            principal: asked.asker.principal.clone(),
            reason: asked.asker.reason.clone(),
            time: now,
            until: now,
            query: asked.query.clone(),
            pages: 0,
            flows: 0,
            error: None,
        }
    }

    /// Returns whether this is the question, whatever the size of its pages.
    fn is(&self, asked: &FlowsQuery) -> bool {
        let query = FlowQuery { limit: self.query.limit, ..asked.query.clone() };
        self.principal == asked.asker.principal && self.reason == asked.asker.reason && self.query == query
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::flow::FlowCursor;
    use onenet_wire::Asker;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn question(principal: &str, port: u16, reads_on: bool) -> FlowsQuery {
        let query = FlowQuery {
            from: NOW.plus_ms(-1_000),
            until: NOW,
            endpoint: None,
            peer: None,
            port: Some(port),
            protocol: None,
            application: None,
            limit: if reads_on { 10 } else { 100 },
        };
        let asker = Asker { principal: principal.to_owned(), reason: "通报核查".to_owned() };
        let after = reads_on.then_some(FlowCursor { log: 1, end: NOW, number: 7 });
        FlowsQuery { asker, query, after }
    }

    #[test]
    fn who_asked_and_why_outlives_the_process_and_reading_on_is_the_same_question() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Asked::load(folder.path());
        asked.ask(&question("li", 22, false), NOW);
        asked.answered(&question("li", 22, false), &Ok(FlowPage::default()));
        asked.ask(&question("li", 443, false), NOW.plus_ms(1));
        asked.ask(&question("li", 22, true), NOW.plus_ms(5));
        asked.answered(&question("li", 22, true), &Err("the disk failed".to_owned()));
        let again = Asked::load(folder.path()).all();
        assert_eq!(again, asked.all());
        let told: Vec<_> = again.iter().map(|it| (it.query.port, it.time, it.until, it.pages)).collect();
        assert_eq!(told, [(Some(443), NOW.plus_ms(1), NOW.plus_ms(1), 0), (Some(22), NOW, NOW.plus_ms(5), 1)]);
        assert_eq!(again[1].error.as_deref(), Some("the disk failed"));
    }

    #[test]
    fn the_oldest_questions_give_way_and_the_same_one_asked_anew_is_another() {
        let asked = Asked::default();
        for port in 0..100 {
            asked.ask(&question("li", port, false), NOW);
        }
        asked.ask(&question("li", 99, false), NOW);
        let ports: Vec<_> = asked.all().iter().filter_map(|it| it.query.port).collect();
        assert_eq!(ports.len(), KEPT_MAX);
        assert_eq!(ports[..3], [99, 99, 98]);
    }
}
