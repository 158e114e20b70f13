//! The rules that a change of the site tree has to keep.
//!
//! Invariant: a rule holds at every moment of the period that the change is about, not only at its start: what has been
//! entered for later dates counts too.

use super::{
    MAX_PARENTS, Site, SiteChange, SiteError, SiteKind, SiteLabel, SiteName, SiteTree, Uplink, change::Rewritten,
};
use crate::{SiteId, Timestamp, dated::Period, division::Tier};

/// What the rules for parents look at.
struct Child {
    label: SiteLabel,
    tier: Tier,
    kind: SiteKind,
}

impl SiteTree {
    /// Checks that `change` can be made.
    ///
    /// # Errors
    /// The reason why not, with the remedy.
    pub fn check(&self, change: &SiteChange) -> Result<(), SiteError> {
        match change {
            SiteChange::Add { .. } => self.check_add(change),
            SiteChange::Rename { site, name, from } => {
                self.existing_at(*site, *from)?;
                check_name(name)
            }
            SiteChange::Recode { site, code, from } => {
                let site = self.existing_at(*site, *from)?;
                let period = site.codes.period_from(*from).and(site.period());
                self.check_code(site.id, code, period)
            }
            SiteChange::Move { site, parents, from } => self.check_move(*site, parents, *from),
            SiteChange::AddUplink { site, uplink, from } => {
                let parents = self.with_uplink(*site, *uplink, *from)?;
                self.check_move(*site, &parents, *from)
            }
            SiteChange::RemoveUplink { site, parent, from } => {
                let parents = self.without_uplink(*site, *parent, *from)?;
                self.check_move(*site, &parents, *from)
            }
            SiteChange::Merge { site, into, from } => self.check_merge(*site, *into, *from),
            SiteChange::Split { site, into, from } => self.check_split(*site, into, *from),
            SiteChange::Close { site, from } => {
                let site = self.existing_at(*site, *from)?;
                self.check_childless(site, *from)
            }
            SiteChange::Reopen { site } => self.check_reopen(*site),
        }
    }

    fn check_add(&self, change: &SiteChange) -> Result<(), SiteError> {
        let SiteChange::Add { id, tier, kind, code, name, parents, from } = change else { return Ok(()) };
        if let Some(site) = self.get(*id) {
            return Err(SiteError::Exists(SiteLabel::of(site)));
        }
        check_name(name)?;
        self.check_code(*id, code, Period::since(*from))?;
        let label = SiteLabel { id: *id, code: code.as_str().into(), name: name.zh.as_str().into() };
        self.check_parents(&Child { label, tier: *tier, kind: *kind }, parents, Period::since(*from))
    }

    fn check_move(&self, site: SiteId, parents: &[Uplink], from: Timestamp) -> Result<(), SiteError> {
        let site = self.existing_at(site, from)?;
        let period = site.parents.period_from(from).and(site.period());
        self.check_parents(&Child::of(site), parents, period)
    }

    fn check_merge(&self, site: SiteId, into: SiteId, from: Timestamp) -> Result<(), SiteError> {
        let site = self.existing_at(site, from)?;
        let successor = self.successor(site, into, from)?;
        if site.id == into || self.leads_to(into, site.id, Period::since(from)) {
            return Err(SiteError::MergeIntoOwnSubtree { site: SiteLabel::of(site), into: SiteLabel::of(successor) });
        }
        for Rewritten { child, period, parents } in self.rewritten(site.id, into, from) {
            self.check_parents(&Child::of(self.site(child)?), &parents, period)?;
        }
        Ok(())
    }

    fn check_split(&self, site: SiteId, into: &[SiteId], from: Timestamp) -> Result<(), SiteError> {
        let site = self.existing_at(site, from)?;
        let distinct = into.iter().enumerate().all(|(index, part)| !into.iter().take(index).any(|seen| seen == part));
        if into.len() < 2 || !distinct || into.contains(&site.id) {
            return Err(SiteError::TooFewParts(SiteLabel::of(site)));
        }
        for part in into {
            self.successor(site, *part, from)?;
        }
        self.check_childless(site, from)
    }

    fn check_reopen(&self, site: SiteId) -> Result<(), SiteError> {
        let site = self.site(site)?;
        let Some(ended) = &site.ended else { return Err(SiteError::NotEnded(SiteLabel::of(site))) };
        let again = Period::since(ended.at);
        for dated in site.codes.iter().filter(|dated| dated.period().overlaps(again)) {
            self.check_code(site.id, dated.value, dated.period().and(again))?;
        }
        for dated in site.parents.iter().filter(|dated| dated.period().overlaps(again)) {
            self.check_parents(&Child::of(site), dated.value, dated.period().and(again))?;
        }
        Ok(())
    }

    /// Returns the site if it exists at `at`.
    pub(super) fn existing_at(&self, id: SiteId, at: Timestamp) -> Result<&Site, SiteError> {
        let site = self.site(id)?;
        if at < site.founded() {
            return Err(SiteError::BeforeFounding { site: SiteLabel::of(site), founded: site.founded() });
        }
        match &site.ended {
            Some(ended) if ended.at <= at => Err(SiteError::Ended { site: SiteLabel::of(site), ended: ended.at }),
            _ => Ok(site),
        }
    }

    fn successor(&self, site: &Site, successor: SiteId, at: Timestamp) -> Result<&Site, SiteError> {
        let successor = self.site(successor)?;
        if successor.exists(at) {
            return Ok(successor);
        }
        Err(SiteError::SuccessorNotThere { site: SiteLabel::of(site), successor: SiteLabel::of(successor), at })
    }

    fn check_childless(&self, site: &Site, from: Timestamp) -> Result<(), SiteError> {
        let after = Period::since(from);
        let below = |child: &&Site| {
            let lasting = child.parents.iter().filter(|dated| dated.period().and(child.period()).overlaps(after));
            lasting.flat_map(|dated| dated.value).any(|uplink| uplink.parent == site.id)
        };
        let mut children = self.ever_children(site.id).filter(below);
        match children.next() {
            None => Ok(()),
            Some(example) => Err(SiteError::HasChildren {
                site: SiteLabel::of(site),
                count: children.count() + 1,
                example: SiteLabel::of(example),
            }),
        }
    }

    fn check_code(&self, site: SiteId, code: &str, period: Period) -> Result<(), SiteError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if code.is_empty() || code.len() > 32 || !code.chars().all(allowed) {
            return Err(SiteError::InvalidCode(code.to_owned()));
        }
        let holds = |other: &&Site| {
            let named = other.codes.iter().filter(|dated| dated.value == code);
            named.into_iter().any(|dated| dated.period().and(other.period()).overlaps(period))
        };
        match self.ever_with_code(code).filter(|other| other.id != site).find(holds) {
            None => Ok(()),
            Some(other) => Err(SiteError::DuplicateCode { code: code.to_owned(), holder: SiteLabel::of(other) }),
        }
    }

    /// Checks that `child` can have these parents throughout `period`.
    fn check_parents(&self, child: &Child, parents: &[Uplink], period: Period) -> Result<(), SiteError> {
        let is_root = child.tier == Tier::Ministry && child.kind == SiteKind::Division;
        if is_root != parents.is_empty() {
            let label = child.label.clone();
            return Err(if is_root { SiteError::ParentOfRoot(label) } else { SiteError::NoParent(label) });
        }
        if parents.len() > MAX_PARENTS {
            return Err(SiteError::TooManyParents(child.label.clone()));
        }
        for (index, uplink) in parents.iter().enumerate() {
            let parent = self.site(uplink.parent)?;
            let (site, label) = (child.label.clone(), SiteLabel::of(parent));
            if parents.iter().take(index).any(|other| other.parent == uplink.parent) {
                return Err(SiteError::RepeatedParent { site, parent: label });
            }
            if parent.id == site.id || self.leads_to(parent.id, site.id, period) {
                return Err(SiteError::Cycle { site, parent: label });
            }
            if !(parent.tier.is_above(child.tier) || child.kind == SiteKind::Affiliated && parent.tier == child.tier) {
                return Err(SiteError::TierNotAbove {
                    site,
                    tier: child.tier,
                    parent: label,
                    parent_tier: parent.tier,
                });
            }
            if parent.period().and(period) != period {
                return Err(SiteError::ParentNotThere { site, parent: label, from: period.from });
            }
        }
        Ok(())
    }

    /// Returns whether there is a moment in `period` at which the ways up from `start` lead to `target`.
    fn leads_to(&self, start: SiteId, target: SiteId, period: Period) -> bool {
        let mut open = vec![(start, period)];
        while let Some((id, period)) = open.pop() {
            for dated in self.get(id).into_iter().flat_map(|site| site.parents.iter()) {
                let shared = dated.period().and(period);
                if shared.is_empty() {
                    continue;
                }
                if dated.value.iter().any(|uplink| uplink.parent == target) {
                    return true;
                }
                open.extend(dated.value.iter().map(|uplink| (uplink.parent, shared)));
            }
        }
        false
    }
}

impl Child {
    fn of(site: &Site) -> Self {
        Self { label: SiteLabel::of(site), tier: site.tier, kind: site.kind }
    }
}

pub(crate) fn check_name(name: &SiteName) -> Result<(), SiteError> {
    let (zh, latin) = (&name.zh, &name.latin);
    let fits = |text: &str| text.chars().count() <= 100 && !text.chars().any(char::is_control);
    if zh.trim().is_empty() || !fits(zh) {
        return Err(SiteError::InvalidName(zh.clone()));
    }
    if fits(latin) { Ok(()) } else { Err(SiteError::InvalidName(latin.clone())) }
}
