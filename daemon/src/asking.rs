//! One question to one agent through its stream, and why there is no answer.
//!
//! Invariant: a question ends within its time, whatever becomes of the line.

use std::time::Duration;

use onenet_topology::{AgentId, Timestamp};
use onenet_wire::{Done, InstructionBody};

use crate::{centre::Centre, collector::InstructError};

/// Why an agent did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It never connected.
    NeverHeard,
    /// It has no stream open.
    Silent {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Its stream ended before it answered.
    Cut,
    /// It took too long.
    TimedOut {
        /// When it was heard last.
        heard: Option<Timestamp>,
        /// How long it had, in seconds.
        seconds: u64,
    },
    /// It has enough to do.
    Busy,
    /// It could not.
    Failed {
        /// In its own words.
        reason: String,
    },
}

/// Asks an agent, and waits so long for what it did.
///
/// # Errors
/// It did not do it.
pub(crate) async fn ask(
    centre: &Centre,
    agent: AgentId,
    body: InstructionBody,
    within: Duration,
) -> Result<Done, NoAnswer> {
    let contact = || centre.estate().agent(agent).map(|agent| agent.contact).unwrap_or_default();
    if contact().last_heard.is_none() {
        return Err(NoAnswer::NeverHeard);
    }
    let told = centre.instruct_within(agent, body, within).await;
    // What it said last may be newer than what was known before it was asked.
    let contact = contact();
    told.map_err(|error| match error {
        InstructError::NotConnected(_) => NoAnswer::Silent { since: contact.silent_since.or(contact.last_heard) },
        InstructError::Cut(_) => NoAnswer::Cut,
        InstructError::TimedOut { seconds, .. } => NoAnswer::TimedOut { heard: contact.last_heard, seconds },
        InstructError::Busy(_) => NoAnswer::Busy,
        InstructError::Failed { reason, .. } => NoAnswer::Failed { reason },
    })
}

impl NoAnswer {
    /// Returns the name used in the API.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::NeverHeard => "never_heard",
            Self::Silent { .. } => "silent",
            Self::Cut => "cut",
            Self::TimedOut { .. } => "timed_out",
            Self::Busy => "busy",
            Self::Failed { .. } => "failed",
        }
    }

    /// Returns since when nothing was heard, where that is why.
    pub(crate) const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Silent { since } => *since,
            Self::TimedOut { heard, .. } => *heard,
            Self::NeverHeard | Self::Cut | Self::Busy | Self::Failed { .. } => None,
        }
    }

    /// Returns why, and what to do about it: the end of a sentence about an agent.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::NeverHeard => "was enrolled and never connected: start it at the site".to_owned(),
            Self::Silent { since } => {
                let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
                format!("is silent{since}: its line, its power or the agent itself is down; ask again when it is back")
            }
            Self::Cut => "lost its line before it answered: ask again when it is back".to_owned(),
            Self::TimedOut { heard, seconds } => {
                let heard = heard.map(|heard| format!(" (last heard {heard})")).unwrap_or_default();
                format!(
                    "did not answer within {seconds} s{heard}: its line is cut or overloaded; ask again, or for less time"
                )
            }
            Self::Busy => "has enough other questions to answer: ask again in some seconds".to_owned(),
            Self::Failed { reason } => format!("answers: {reason}"),
        }
    }
}
