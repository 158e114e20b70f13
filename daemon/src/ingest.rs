//! Taking in what changes state: check, plan, commit, apply, publish, acknowledge (invariant 2).
//!
//! Invariant: one thread owns the state ([`owner`]); whoever reports or commands sends it a message and waits for the
//! answer, which comes only after the change is on disk. Where reports come from is behind [`ReportSource`]. Where replicas share a log,
//! what an [`Intake`] is given goes there first, and comes to the owner from there ([`crate::replication`]).

mod owner;
mod plan;
mod source;

#[cfg(test)]
mod tests;

pub(crate) use owner::{Answer, Feed, Logged};
pub use owner::{IngestCounters, Intake, IntakeError, Owner, OwnerHealth, Pending, Published, start};
pub use plan::{Cap, Concluding, Lifetimes, Outcome, Planned, Policy, Refusal, caps, kinds, plan};
pub(crate) use plan::{WATCH_MARK, device_space, evidence_file, links_of, regrouped};
pub use source::{ReportSource, SourceError};
