//! Changes of the site tree, as values that a log can keep.
//!
//! Invariant: [`SiteTree::apply`] changes the tree only when [`SiteTree::check`] allows it, and then exactly as the change
//! says, so that replicas that apply the same changes in the same order have the same tree. A change dated back holds
//! until the next change already known of the same attribute.

use serde::{Deserialize, Serialize};

use super::{Ended, Ending, Site, SiteError, SiteKind, SiteLabel, SiteName, SiteTree, Uplink};
use crate::{
    SiteId, Timestamp,
    dated::{History, Period},
    division::Tier,
};

/// One dated change of the site tree. `from` is the first moment at which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteChange {
    /// A site comes to be.
    Add {
        /// Its identity, made by the caller and never used before.
        id: SiteId,
        /// Its level.
        tier: Tier,
        /// What sort of unit it belongs to.
        kind: SiteKind,
        /// Its code.
        code: String,
        /// Its name.
        name: SiteName,
        /// Its ways up, the first one first; none for the division of a ministry.
        parents: Vec<Uplink>,
        /// Since when.
        from: Timestamp,
    },
    /// A site gets another name.
    Rename {
        /// The site.
        site: SiteId,
        /// The new name.
        name: SiteName,
        /// Since when.
        from: Timestamp,
    },
    /// A site gets another code.
    Recode {
        /// The site.
        site: SiteId,
        /// The new code.
        code: String,
        /// Since when.
        from: Timestamp,
    },
    /// A site moves (转隶): these parents take the place of those that it had.
    Move {
        /// The site.
        site: SiteId,
        /// The new ways up, the first one first.
        parents: Vec<Uplink>,
        /// Since when.
        from: Timestamp,
    },
    /// A site gets one more way up.
    AddUplink {
        /// The site.
        site: SiteId,
        /// The way up; it comes last.
        uplink: Uplink,
        /// Since when.
        from: Timestamp,
    },
    /// A site loses a way up.
    RemoveUplink {
        /// The site.
        site: SiteId,
        /// The parent at its end.
        parent: SiteId,
        /// Since when.
        from: Timestamp,
    },
    /// A site becomes part of another one, which takes over the sites below it.
    Merge {
        /// The site that ends.
        site: SiteId,
        /// The site that takes it in.
        into: SiteId,
        /// Since when.
        from: Timestamp,
    },
    /// A site is divided into others, which have been added before; sites below it have been moved before.
    Split {
        /// The site that ends.
        site: SiteId,
        /// The sites that come of it, two or more.
        into: Vec<SiteId>,
        /// Since when.
        from: Timestamp,
    },
    /// A site ceases to be; sites below it have been moved before.
    Close {
        /// The site.
        site: SiteId,
        /// Since when.
        from: Timestamp,
    },
    /// The recorded end of a site was wrong: it goes on as if it had never ended. Sites that a merger took over stay
    /// where they are until they are moved back.
    Reopen {
        /// The site.
        site: SiteId,
    },
}

/// The ways up of `child` in `period`, as a merger rewrites them.
pub(super) struct Rewritten {
    pub(super) child: SiteId,
    pub(super) period: Period,
    pub(super) parents: Vec<Uplink>,
}

impl SiteChange {
    /// Returns the site that changes.
    pub const fn site(&self) -> SiteId {
        match self {
            Self::Add { id: site, .. }
            | Self::Rename { site, .. }
            | Self::Recode { site, .. }
            | Self::Move { site, .. }
            | Self::AddUplink { site, .. }
            | Self::RemoveUplink { site, .. }
            | Self::Merge { site, .. }
            | Self::Split { site, .. }
            | Self::Close { site, .. }
            | Self::Reopen { site } => *site,
        }
    }
}

impl SiteTree {
    /// Makes `change`.
    ///
    /// # Errors
    /// Those of [`SiteTree::check`]; the tree is then as before.
    pub fn apply(&mut self, change: &SiteChange) -> Result<(), SiteError> {
        self.check(change)?;
        match change {
            SiteChange::Add { id, tier, kind, code, name, parents, from } => self.put(Site {
                id: *id,
                tier: *tier,
                kind: *kind,
                codes: History::new(*from, code.clone()),
                names: History::new(*from, name.clone()),
                parents: History::new(*from, parents.clone()),
                ended: None,
                revoked: Vec::new(),
            }),
            SiteChange::Rename { site, name, from } => self.edit(*site, |site| {
                site.names.set(*from, name.clone());
            })?,
            SiteChange::Recode { site, code, from } => self.edit(*site, |site| {
                site.codes.set(*from, code.clone());
            })?,
            SiteChange::Move { site, parents, from } => self.set_parents(*site, parents.clone(), *from)?,
            SiteChange::AddUplink { site, uplink, from } => {
                let parents = self.with_uplink(*site, *uplink, *from)?;
                self.set_parents(*site, parents, *from)?;
            }
            SiteChange::RemoveUplink { site, parent, from } => {
                let parents = self.without_uplink(*site, *parent, *from)?;
                self.set_parents(*site, parents, *from)?;
            }
            SiteChange::Merge { site, into, from } => {
                for Rewritten { child, period, parents } in self.rewritten(*site, *into, *from) {
                    self.set_parents(child, parents, period.from)?;
                }
                self.end(*site, Ended { at: *from, how: Ending::Merged { into: *into } })?;
            }
            SiteChange::Split { site, into, from } => {
                self.end(*site, Ended { at: *from, how: Ending::Split { into: into.clone() } })?;
            }
            SiteChange::Close { site, from } => self.end(*site, Ended { at: *from, how: Ending::Closed })?,
            SiteChange::Reopen { site } => self.edit(*site, |site| {
                let ended = site.ended.take();
                site.revoked.extend(ended);
            })?,
        }
        Ok(())
    }

    fn edit(&mut self, id: SiteId, change: impl FnOnce(&mut Site)) -> Result<(), SiteError> {
        let mut site = self.site(id)?.clone();
        change(&mut site);
        self.put(site);
        Ok(())
    }

    fn set_parents(&mut self, id: SiteId, parents: Vec<Uplink>, from: Timestamp) -> Result<(), SiteError> {
        self.edit(id, |site| {
            site.parents.set(from, parents);
        })
    }

    fn end(&mut self, id: SiteId, ended: Ended) -> Result<(), SiteError> {
        self.edit(id, |site| site.ended = Some(ended))
    }

    pub(super) fn with_uplink(&self, site: SiteId, uplink: Uplink, from: Timestamp) -> Result<Vec<Uplink>, SiteError> {
        let mut parents = self.existing_at(site, from)?.uplinks(from).to_vec();
        parents.push(uplink);
        Ok(parents)
    }

    pub(super) fn without_uplink(
        &self,
        site: SiteId,
        parent: SiteId,
        from: Timestamp,
    ) -> Result<Vec<Uplink>, SiteError> {
        let site = self.existing_at(site, from)?;
        let parents: Vec<_> = site.uplinks(from).iter().copied().filter(|uplink| uplink.parent != parent).collect();
        if parents.len() == site.uplinks(from).len() {
            let parent = SiteLabel::of(self.site(parent)?);
            return Err(SiteError::NotAParent { site: SiteLabel::of(site), parent });
        }
        Ok(parents)
    }

    /// Returns what becomes of the ways up to `site` when `into` takes it in at `from`.
    pub(super) fn rewritten(&self, site: SiteId, into: SiteId, from: Timestamp) -> Vec<Rewritten> {
        let mut rewritten = Vec::new();
        for child in self.ever_children(site) {
            for dated in child.parents.iter() {
                let period = dated.period().and(child.period()).and(Period::since(from));
                if period.is_empty() || dated.value.iter().all(|uplink| uplink.parent != site) {
                    continue;
                }
                let mut parents: Vec<Uplink> = Vec::with_capacity(dated.value.len());
                for uplink in dated.value {
                    let uplink = if uplink.parent == site { Uplink::to(into) } else { *uplink };
                    if !parents.contains(&uplink) {
                        parents.push(uplink);
                    }
                }
                rewritten.push(Rewritten { child: child.id, period, parents });
            }
        }
        rewritten
    }
}
