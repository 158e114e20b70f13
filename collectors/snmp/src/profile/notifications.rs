//! Notifications: what a trap or inform says has changed, by its name.
//!
//! Invariant: a rule for one name goes before rules for everything below another, and of these the longest counts. Pure.

use std::borrow::Cow;

use super::{Profiles, identify::ObjectIdPattern};
use crate::{dropped::stable_words, oid::Oid};

stable_words! {
    /// What a notification concerns, and so what is to be read.
    Concern {
        /// Nothing that is read here.
        Nothing = "nothing",
        /// Somebody who asked with wrong credentials.
        Stranger = "stranger",
        /// Everything: the device started anew.
        Everything = "everything",
        /// Ports that went up or down.
        Ports = "ports",
        /// Neighbours that came or went.
        Neighbours = "neighbours",
        /// Parts that were plugged in, pulled or failed.
        Parts = "parts",
        /// A spanning tree that was built anew: addresses move.
        Tree = "tree",
        /// Addresses that were learned or moved.
        Addresses = "addresses",
    }
}

/// A rule of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotificationRule {
    pub(super) name: String,
    pub(super) object_ids: Vec<ObjectIdPattern>,
    pub(super) concern: Concern,
}

impl Concern {
    /// Returns the concern of a word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|concern| concern.as_str() == word).copied()
    }
}

impl Profiles {
    /// Returns how a notification is called and what it concerns; `None` where no profile knows it. What a rule for all below a name
    /// knows is called by the rule's name and the rest of its own.
    pub fn notification(&self, name: &Oid) -> Option<(Cow<'_, str>, Concern)> {
        let rules = self.by_name.values().flat_map(|profile| &profile.notifications);
        let fitting = rules.flat_map(|rule| rule.object_ids.iter().map(move |pattern| (rule, pattern)));
        let fitting = fitting.filter(|(_, pattern)| pattern.fits(name));
        let best = fitting.max_by_key(|(_, pattern)| (!pattern.and_below, pattern.oid.arcs().len()));
        best.map(|(rule, pattern)| {
            let rest = name.below(pattern.oid.arcs()).filter(|rest| !rest.is_empty());
            let called = rest.map_or(Cow::Borrowed(rule.name.as_str()), |rest| {
                Cow::Owned(format!("{}.{}", rule.name, Oid::from_arcs(rest)))
            });
            (called, rule.concern)
        })
    }
}
