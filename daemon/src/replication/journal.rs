//! What the shared log has to be: bytes appended in order, numbered without gaps, read from any number on.
//!
//! Invariant: what [`Journal::append`] returned from is in the log, each at least once and in order; nothing is said of who else
//! appended in between. Beside the log the same servers carry questions between replicas, of which nothing is kept.

use std::future::Future;

use bytes::Bytes;
use onenet_topology::Timestamp;
use tokio::sync::mpsc;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    /// Its number, from 1.
    pub(crate) sequence: u64,
    /// When it was appended, on the clock of the log.
    pub(crate) time: Timestamp,
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// How many are behind it, as far as was known when it was sent.
    pub(crate) behind: u64,
}

/// How the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// When it was made.
    pub(crate) created: Timestamp,
    /// The first number that it still has.
    pub(crate) first: u64,
    /// The last one; 0 where it is empty.
    pub(crate) last: u64,
}

/// The log cannot be used at present.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed: {cause}")]
pub(crate) struct JournalError {
    /// What was to be done.
    pub(crate) doing: &'static str,
    /// Why it could not.
    pub(crate) cause: String,
}

/// A log. Cheap to clone; all clones are the same log.
pub(crate) trait Journal: Clone + Send + Sync + 'static {
    /// Returns how the log is.
    fn extent(&self) -> impl Future<Output = Result<Extent, JournalError>> + Send;

    /// Appends the first entry. Returns whether it is the first: another one may have been faster.
    fn found(&self, bytes: Bytes) -> impl Future<Output = Result<bool, JournalError>> + Send;

    /// Appends in order, and returns when the log has them all.
    ///
    /// After an error some are in the log, perhaps not the first ones: append all of them again.
    fn append(&self, entries: Vec<Bytes>) -> impl Future<Output = Result<(), JournalError>> + Send;

    /// Hands over what is in the log from a number on, and what is appended later, until reading fails or nobody takes it.
    fn read(&self, from: u64, to: mpsc::Sender<Read>) -> impl Future<Output = JournalError> + Send;

    /// Sends a question to all replicas, this one too, and hands over what they answer, until that fails or nobody takes it.
    fn ask(&self, question: Bytes, answers: mpsc::Sender<Bytes>) -> impl Future<Output = JournalError> + Send;

    /// Hands over the questions of all replicas, each with the way back, until that fails or nobody takes them.
    fn questions(&self, to: mpsc::Sender<(Bytes, String)>) -> impl Future<Output = JournalError> + Send;

    /// Answers a question over its way back. Whoever asked may not wait any more.
    fn answer(&self, way: String, answer: Bytes) -> impl Future<Output = Result<(), JournalError>> + Send;
}
