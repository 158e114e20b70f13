//! One question and its answer: the seam between what is asked and how it travels.
//!
//! Invariant: an [`Engine`] sends each question once and waits at most the given time. It does not retry, walk,
//! measure a budget or know a MIB: that is `session.rs`, so that engines stay small and can be replaced or faked.

use std::{future::Future, io, pin::Pin, time::Duration};

use crate::{drift::EngineTime, oid::Oid, value::VarBinds};

/// A future as an [`Engine`] returns it.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends questions to one device.
pub trait Engine: Send + Sync {
    /// Sends `request` once and waits up to `timeout` for its answer. Dropping the future abandons the question.
    fn exchange<'a>(&'a self, request: &'a Request, timeout: Duration) -> Pending<'a, Result<Answer, ExchangeError>>;

    /// Finds out why questions stay unanswered, sending at most three questions of `timeout` each.
    fn diagnose(&self, timeout: Duration) -> Pending<'_, Diagnosis>;

    /// Returns the v3 engine id with which answers were verified; `None` before the first, and where v3 is not spoken.
    fn engine_id(&self) -> Option<Vec<u8>> {
        None
    }

    /// Returns the v3 engine's clock as the latest authenticated message had it.
    fn engine_time(&self) -> Option<EngineTime> {
        None
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// GetRequest: the values of these instances.
    Get(Vec<Oid>),
    /// GetBulkRequest without non-repeaters: up to `rows` successors of each name.
    GetBulk {
        /// The names whose successors are asked for.
        after: Vec<Oid>,
        /// How many successors of each.
        rows: u32,
    },
}

impl Request {
    /// Returns how many rows are asked for: 1 for a GET.
    pub fn rows(&self) -> u32 {
        match self {
            Self::Get(_) => 1,
            Self::GetBulk { rows, .. } => *rows,
        }
    }

    /// Asks for half as many rows, and for no more than `at_most`, yet for one at least.
    pub(crate) fn lower_rows(&mut self, at_most: u32) {
        if let Self::GetBulk { rows, .. } = self {
            *rows = (*rows / 2).min(at_most).max(1);
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Names and values in the order they were sent.
    pub varbinds: VarBinds,
    /// From sending the question to receiving the answer; `None` when more than one message was needed, as when a
    /// v3 engine had to be discovered first.
    pub round_trip: Option<Duration>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Nothing came within the time.
    #[error("no answer")]
    TimedOut,
    /// The agent reported an error for the question (RFC 3416, section 4.2).
    #[error("the agent answered {status}")]
    Status {
        /// The error status.
        status: ErrorStatus,
        /// The name the agent points at, if it points at one.
        oid: Option<Box<Oid>>,
    },
    /// The v3 agent refused the message (RFC 3414, section 3.2).
    #[error("{0}")]
    Refused(V3Refusal),
    /// An answer came whose authenticity or freshness could not be verified.
    #[error("an answer came that does not carry a valid signature of this user")]
    Unverified,
    /// The question could not be sent.
    #[error("cannot send to the device")]
    Network(#[source] io::Error),
    /// The question cannot be asked with these credentials or in one message.
    #[error("{0}")]
    Unsendable(String),
}

/// Why a v3 agent refused a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum V3Refusal {
    /// usmStatsUnknownUserNames.
    #[error("the agent does not know the user")]
    UnknownUser,
    /// usmStatsWrongDigests.
    #[error("the authentication key or protocol is wrong")]
    WrongDigest,
    /// usmStatsDecryptionErrors.
    #[error("the privacy key or protocol is wrong")]
    Decryption,
    /// usmStatsUnsupportedSecLevels.
    #[error(
        "the device does not offer this security level to the user: give the user a privacy key there, or ask without encryption"
    )]
    SecurityLevel,
    /// usmStatsNotInTimeWindows, after the times were synchronised.
    #[error("the agent's engine time does not hold still")]
    TimeWindow,
    /// usmStatsUnknownEngineIDs, after the engine was discovered.
    #[error("the agent does not accept its own engine id")]
    UnknownEngine,
    /// Any other report.
    #[error("the agent refused the message for a reason of its own")]
    Other,
}

/// What a diagnosis of silence found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnosis {
    /// Nothing at all answers at the address.
    Silent,
    /// The address answers with ICMP that nothing listens on the port.
    PortClosed,
    /// An SNMPv3 agent answers there, so the way is open and the community or the access list is at fault.
    AgentAnswers,
    /// Messages of this user are accepted as long as they are not encrypted.
    EncryptedUnanswered,
    /// The v3 agent says why it refuses the messages.
    Refused(V3Refusal),
    /// The device answers again, as another v3 engine than before: ask once more.
    Renewed,
}

/// The error status of an answer (RFC 3416, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStatus {
    /// The answer would not fit in one message.
    TooBig,
    /// The v1 form of "no such object", which some v2c agents send.
    NoSuchName,
    /// Some failure inside the agent.
    GeneralError,
    /// The object is not in the view of this community or user.
    NoAccess,
    /// The community or user may not read.
    AuthorizationError,
    /// Any other status, by its number.
    Other(i32),
}

impl std::fmt::Display for ErrorStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooBig => f.write_str("tooBig"),
            Self::NoSuchName => f.write_str("noSuchName"),
            Self::GeneralError => f.write_str("genErr"),
            Self::NoAccess => f.write_str("noAccess"),
            Self::AuthorizationError => f.write_str("authorizationError"),
            Self::Other(number) => write!(f, "error status {number}"),
        }
    }
}
