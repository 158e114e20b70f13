//! The gate: the only way from a request to the estate.
//!
//! Invariant: a handler holds a [`Gate`] and never the estate; only an allowed question yields a [`View`], and each
//! question is in the audit trail before it is answered, or is not answered (invariant 13).

use std::sync::{Arc, Mutex, PoisonError};

use onenet_topology::{SiteId, Timestamp};

use super::{
    Action, Decision, Principal, TokenId, View,
    audit::{Author, Notebook, Outcome, Overflow, Usage},
};
use crate::estate::Estate;

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Arc<Principal>,
    /// By which token, where it was one.
    pub token: Option<TokenId>,
    /// From which address, or "local socket".
    pub source: Arc<str>,
}

/// A caller in front of one snapshot of the estate.
#[derive(Clone)]
pub struct Gate {
    estate: Arc<Estate>,
    caller: Caller,
    notebook: Arc<Mutex<Notebook>>,
    now: Timestamp,
    subject: Arc<str>,
    /// What the trail says of a question that is allowed; `None` where whoever asks writes an entry of his own.
    allowed: Option<Outcome>,
}

/// The gate stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// To the caller there is no such thing.
    #[error("there is no such thing")]
    Hidden,
    /// No role of the caller allows it.
    #[error("your roles do not allow {0} here: ask your security administrator for one that does")]
    Forbidden(Action),
    /// The audit trail cannot take the use.
    #[error(transparent)]
    Unaudited(#[from] Overflow),
}

impl Caller {
    /// Returns the caller as the author of a change.
    pub fn author(&self) -> Author {
        Author { name: self.principal.name.as_str().into(), token: self.token, source: Arc::clone(&self.source) }
    }
}

impl Gate {
    /// Returns the gate in front of `estate` for one request about `subject` at `now`.
    pub fn new(
        estate: Arc<Estate>,
        caller: Caller,
        notebook: Arc<Mutex<Notebook>>,
        now: Timestamp,
        subject: &str,
    ) -> Self {
        Self { estate, caller, notebook, now, subject: subject.into(), allowed: Some(Outcome::Done) }
    }

    /// Returns the gate for a request that changes something: whether it is done has an entry of its own, so that the
    /// trail never says of a change that it was done when it was only allowed.
    #[must_use]
    pub fn for_change(self) -> Self {
        Self { allowed: Some(Outcome::Allowed), ..self }
    }

    /// Returns the gate for a question that has an entry of its own in the trail, with what came of it: whoever asks writes
    /// it ([`Self::usage`]) before he answers.
    #[must_use]
    pub fn with_own_entry(self) -> Self {
        Self { allowed: None, ..self }
    }

    /// Returns who asks.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns when he asks.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks for `action` wherever the caller may do it: what he may not see is left out of the view.
    ///
    /// # Errors
    /// He may do it nowhere, or the audit trail is full.
    pub fn anywhere(&self, action: Action) -> Result<View, Denied> {
        let view = self.view();
        let somewhere = !self.is_expired() && self.caller.principal.reaches(action).next().is_some();
        let decision = if somewhere { Decision::Allowed } else { Decision::Forbidden };
        self.answer(decision, action, None)?;
        Ok(view)
    }

    /// Asks for `action` at `site`.
    ///
    /// # Errors
    /// He may not, or the audit trail is full.
    pub fn at(&self, action: Action, site: SiteId) -> Result<View, Denied> {
        let view = self.view();
        self.answer(view.decide(action, Some(site)), action, Some(site))?;
        Ok(view)
    }

    /// Asks for `action` at every one of `sites`, which belong to something that the caller knows of: that he may not at
    /// one of them is therefore never hidden.
    ///
    /// # Errors
    /// He may not at one of them at least, or the audit trail is full.
    pub fn at_each(&self, action: Action, sites: impl IntoIterator<Item = SiteId>) -> Result<(), Denied> {
        let view = self.view();
        match sites.into_iter().find(|site| !view.may(action, *site)) {
            None => Ok(()),
            Some(site) => self.answer(Decision::Forbidden, action, Some(site)),
        }
    }

    /// Asks for `action` on the system as a whole.
    ///
    /// # Errors
    /// He may not, or the audit trail is full.
    pub fn system(&self, action: Action) -> Result<View, Denied> {
        let view = self.view();
        self.answer(view.decide(action, None), action, None)?;
        Ok(view)
    }

    /// Asks for `action` on the thing that `find` looks up: it returns the site and the thing, `None` where there is none.
    ///
    /// # Errors
    /// There is none, he may not, or the audit trail is full; the first two look the same to whom the site is hidden.
    pub fn thing<T>(
        &self,
        action: Action,
        find: impl FnOnce(&Estate) -> Option<(SiteId, T)>,
    ) -> Result<(View, SiteId, T), Denied> {
        let Some((site, thing)) = find(&self.estate) else {
            self.answer(Decision::Hidden, action, None)?;
            return Err(Denied::Hidden);
        };
        Ok((self.at(action, site)?, site, thing))
    }

    /// Asks for `action` at the site of this id or division code.
    ///
    /// # Errors
    /// There is none, he may not, or the audit trail is full; the first two look the same to whom the site is hidden.
    pub fn site(&self, action: Action, id_or_code: &str) -> Result<(View, SiteId), Denied> {
        let now = self.now;
        let (view, site, ()) = self.thing(action, |estate| {
            let by_id = id_or_code.parse().ok().and_then(|id| estate.tree.get(id));
            Some((by_id.or_else(|| estate.tree.by_code(id_or_code, now))?.id, ()))
        })?;
        Ok((view, site))
    }

    /// Returns what the caller sees of a newer snapshot: for the answer to a change that he was allowed to make.
    pub fn view_after(&self, estate: Arc<Estate>) -> View {
        View::new(estate, Arc::clone(&self.caller.principal), self.now)
    }

    /// Returns whether the caller may know of a site; asks nothing on his behalf, so it is not in the trail.
    pub fn shows(&self, site: SiteId) -> bool {
        self.view().may(Action::ReadSites, site)
    }

    /// Notes what came of something that the caller tried and that changed nothing in the store.
    ///
    /// # Errors
    /// The audit trail is full.
    pub fn note(&self, action: Action, site: Option<SiteId>, subject: &str, outcome: Outcome) -> Result<(), Overflow> {
        let usage = self.usage(action, site, subject, outcome);
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner).note(usage, self.now)
    }

    /// Returns how the trail tells of something that the caller did.
    pub fn usage(&self, action: Action, site: Option<SiteId>, subject: &str, outcome: Outcome) -> Usage {
        Usage {
            principal: self.caller.principal.name.clone(),
            token: self.caller.token,
            source: self.caller.source.to_string(),
            action,
            site,
            subject: subject.to_owned(),
            outcome,
            reason: None,
        }
    }

    fn answer(&self, decision: Decision, action: Action, site: Option<SiteId>) -> Result<(), Denied> {
        let (outcome, answer) = match decision {
            Decision::Allowed => (self.allowed, Ok(())),
            Decision::Hidden => (Some(Outcome::Hidden), Err(Denied::Hidden)),
            Decision::Forbidden => (Some(Outcome::Forbidden), Err(Denied::Forbidden(action))),
        };
        if let Some(outcome) = outcome {
            self.note(action, site, &self.subject, outcome)?;
        }
        answer
    }

    fn view(&self) -> View {
        View::new(Arc::clone(&self.estate), Arc::clone(&self.caller.principal), self.now)
    }

    fn is_expired(&self) -> bool {
        self.caller.principal.expires.is_some_and(|expires| expires <= self.now)
    }
}
