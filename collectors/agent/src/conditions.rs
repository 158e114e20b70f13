//! What keeps the agent from its work, as long as it holds: reported to the centre and shown by `status`.
//!
//! Invariant: one condition a kind and subject. What an earlier run left behind is taken back at the start: only what this one
//! found holds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use onenet_topology::{
    Timestamp,
    fact::{Condition, ConditionKind, Fact, FactBody, FactChange, Group, ItemKey, Method, Scope},
};

/// The most conditions that hold at a time; more of them say nothing new.
const CONDITIONS_MAX: usize = 4_096;

/// What holds. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions(Arc<Mutex<BTreeMap<(ConditionKind, String), Held>>>);

/// A condition that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// What happened and what to do about it.
    pub(crate) detail: String,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl Conditions {
    /// Returns the group in which the agent speaks of itself.
    pub(crate) fn group() -> Group {
        Group { method: Method::Agent, scope: Scope::new("") }
    }

    /// Notes that a condition holds. Returns the change to report, if it is one.
    #[must_use]
    pub(crate) fn raise(
        &self,
        kind: ConditionKind,
        subject: &str,
        detail: &str,
        now: Timestamp,
    ) -> Option<(Group, FactChange)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, subject.to_owned());
        let before = held.get(&key);
        if before.is_some_and(|before| before.detail == detail) || (before.is_none() && held.len() >= CONDITIONS_MAX) {
            return None;
        }
        if before.is_none() {
            tracing::warn!(?kind, subject, detail, "something keeps the agent from its work");
        }
        let since = before.map_or(now, |before| before.since);
        held.insert(key, Held { detail: detail.to_owned(), since });
        let condition = Condition { kind, subject: subject.to_owned(), detail: detail.to_owned() };
        let fact = Fact { observed: now, body: FactBody::Condition(condition) };
        Some((Self::group(), FactChange::Present(fact)))
    }

    /// Notes that a condition holds no longer. Returns the change to report, if it held.
    #[must_use]
    pub(crate) fn clear(&self, kind: ConditionKind, subject: &str, now: Timestamp) -> Option<(Group, FactChange)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&(kind, subject.to_owned()))?;
        tracing::info!(?kind, subject, "the condition is gone");
        let key = ItemKey::Condition { kind, subject: subject.to_owned() };
        Some((Self::group(), FactChange::Gone { key, observed: now }))
    }

    /// Notes that no condition holds whose subject `matches`. Returns the changes to report.
    #[must_use]
    pub(crate) fn clear_where(
        &self,
        matches: impl Fn(ConditionKind, &str) -> bool,
        now: Timestamp,
    ) -> Vec<(Group, FactChange)> {
        let gone: Vec<(ConditionKind, String)> = {
            let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.keys().filter(|(kind, subject)| matches(*kind, subject)).cloned().collect()
        };
        gone.into_iter().filter_map(|(kind, subject)| self.clear(kind, &subject, now)).collect()
    }

    /// Returns everything that holds, as facts observed at `now`.
    pub(crate) fn facts(&self, now: Timestamp) -> Vec<Fact> {
        let fact = |(kind, subject, held): (ConditionKind, String, Held)| Fact {
            observed: now,
            body: FactBody::Condition(Condition { kind, subject, detail: held.detail }),
        };
        self.all().into_iter().map(fact).collect()
    }

    /// Returns everything that holds.
    pub(crate) fn all(&self) -> Vec<(ConditionKind, String, Held)> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().map(|((kind, subject), held)| (*kind, subject.clone(), held.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_reported_when_it_begins_changes_and_ends_and_not_between() {
        let conditions = Conditions::default();
        let now = Timestamp::from_unix_ms(5_000);
        let raise = |detail| conditions.raise(ConditionKind::CaptureFailed, "eth0", detail, now).is_some();
        assert_eq!([raise("down"), raise("down"), raise("gone")], [true, false, true]);
        assert_eq!(conditions.all().len(), 1);
        assert!(conditions.clear(ConditionKind::CaptureFailed, "eth0", now).is_some());
        assert!(conditions.clear(ConditionKind::CaptureFailed, "eth0", now).is_none());
        assert!(conditions.all().is_empty());
    }
}
