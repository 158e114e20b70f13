//! Warnings that repeat themselves: said at most once a minute, with how many were not said.

use onenet_topology::Timestamp;

use crate::cli::chain;

/// The least time between two warnings, in milliseconds.
const PAUSE_MS: i64 = 60_000;

/// One kind of warning.
#[derive(Debug, Default)]
pub(crate) struct Limited {
    said: Option<Timestamp>,
    unsaid: u64,
}

impl Limited {
    /// Warns with an error and its causes, unless that was done a moment ago.
    pub(crate) fn warn(&mut self, now: Timestamp, message: &'static str, error: &(dyn std::error::Error + 'static)) {
        if self.said.is_some_and(|said| now.ms_since(said) < PAUSE_MS) {
            self.unsaid = self.unsaid.saturating_add(1);
            return;
        }
        tracing::warn!(error = %chain(error), unsaid = self.unsaid, "{message}");
        self.said = Some(now);
        self.unsaid = 0;
    }
}
