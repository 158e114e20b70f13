//! Cases and the rules that silence some, as the estate holds them.
//!
//! Invariant: the newest case of a key is found without looking through the others, and so are those that are open; both follow
//! from the cases alone, in whatever order they are read back.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use onenet_topology::{
    CaseId, SiteId, SuppressionId, Timestamp,
    case::{Case, CaseCause, CaseKey, Suppression},
};

use super::Estate;
use crate::record::Command;

/// Cases, and the rules that silence some.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cases {
    /// Every case, by id.
    pub all: OrdMap<CaseId, Arc<Case>>,
    /// Which of them are open.
    pub open: OrdSet<CaseId>,
    /// The newest case of each key.
    pub newest: OrdMap<CaseKey, CaseId>,
    /// Rules, those that are over too.
    pub suppressions: OrdMap<SuppressionId, Arc<Suppression>>,
    /// Bytes of the files of all cases.
    pub file_bytes: u64,
}

impl Cases {
    /// Returns the open cases, by id.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Case>> {
        self.open.iter().filter_map(|id| self.all.get(id))
    }

    /// Returns the newest case of a key.
    pub fn of_key(&self, key: &CaseKey) -> Option<&Arc<Case>> {
        self.all.get(self.newest.get(key)?)
    }

    /// Returns the open cases of a site that are the newest of their keys.
    pub fn open_at(&self, site: SiteId) -> impl Iterator<Item = CaseId> {
        let first = CaseKey { site, kind: String::new(), subject: String::new(), drill: false };
        let of_site = self.newest.range(first..).take_while(move |(key, _)| key.site == site);
        of_site.map(|(_, id)| *id).filter(|id| self.open.contains(id))
    }

    /// Returns how many cases a rule silences, drills left out.
    pub fn silenced_by(&self, rule: SuppressionId) -> usize {
        self.all.values().filter(|case| case.silenced_by == Some(rule) && !case.key.drill).count()
    }

    pub(super) fn put(&mut self, case: &Arc<Case>) {
        if case.is_open() {
            self.open.insert(case.id);
        } else {
            self.open.remove(&case.id);
        }
        let newest = self.newest.entry(case.key.clone()).or_insert(case.id);
        *newest = (*newest).max(case.id);
        let before = self.all.insert(case.id, Arc::clone(case)).map_or(0, |it| it.file_bytes());
        self.file_bytes = self.file_bytes.saturating_sub(before).saturating_add(case.file_bytes());
    }

    pub(super) fn forget(&mut self, id: CaseId) {
        self.open.remove(&id);
        let Some(case) = self.all.remove(&id) else { return };
        self.file_bytes = self.file_bytes.saturating_sub(case.file_bytes());
        if self.newest.get(&case.key) == Some(&id) {
            self.newest.remove(&case.key);
        }
    }

    pub(super) fn suppress(&mut self, position: u64, time: Timestamp, by: &str, command: &Command) {
        match command {
            Command::Suppress { scope, owner, reason, until } => {
                let Some(id) = SuppressionId::from_record(position, 0) else { return };
                let (scope, owner, reason) = (scope.clone(), owner.clone(), reason.clone());
                let (from, until) = (time, *until);
                let rule = Suppression { id, scope, owner, reason, from, until, by: by.into(), ended_by: None };
                self.suppressions.insert(id, Arc::new(rule));
            }
            Command::EndSuppression { suppression } => {
                if let Some(rule) = self.suppressions.get_mut(suppression) {
                    let rule = Arc::make_mut(rule);
                    rule.until = time.max(rule.from).min(rule.until);
                    rule.ended_by = Some(by.into());
                }
            }
            _ => {}
        }
    }
}

impl Estate {
    /// Returns the rule that silences a cause at `now`: the oldest one that covers it. A rule for an area that is no more silences
    /// nothing.
    pub fn silencing(&self, cause: &CaseCause, now: Timestamp) -> Option<SuppressionId> {
        let is_within = |site, root| self.tree.is_within(site, root, now);
        let is_in = |site, area| self.areas.get(&area).is_some_and(|area| area.contains(&self.tree, site, now));
        let on = self.cases.suppressions.values().filter(|rule| rule.is_on(now));
        on.filter(|rule| rule.scope.covers(cause, is_within, is_in)).map(|rule| rule.id).next()
    }
}
