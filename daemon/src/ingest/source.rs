//! Where reports come from.
//!
//! Invariant: a source acknowledges a report to its sender only when the [`Intake`] has answered; until then the sender
//! keeps it. The gRPC services are one source; a message log is another, and nothing behind this trait knows which.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use super::Intake;

/// A source of reports.
pub trait ReportSource: Send {
    /// Returns its name, for logs and metrics.
    fn name(&self) -> &'static str;

    /// Feeds the intake until `shutdown`, or until the source fails for good.
    fn run(self, intake: Intake, shutdown: CancellationToken) -> impl Future<Output = Result<(), SourceError>> + Send;
}

/// A source failed for good.
#[derive(Debug, thiserror::Error)]
#[error("{source_name} cannot take in reports any more: {remedy}")]
pub struct SourceError {
    /// Which source.
    pub source_name: &'static str,
    /// What to do about it.
    pub remedy: String,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
