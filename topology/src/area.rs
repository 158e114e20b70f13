//! Areas: named sets of sites that a picture or a report is made of.
//!
//! Invariant: an area holds rules, not a list: who belongs to it follows from the site tree as of a date, so that a site
//! that is added, moved or split falls into the right areas by itself.
//!
//! It does not know any figure about its sites.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    AreaId, SiteId, Timestamp,
    dated::History,
    site::{Site, SiteError, SiteName, SiteTree, check_name},
};

/// The most sites that the rules of one area may name: a region names provinces or cities, not each county.
pub const MAX_NAMED_SITES: usize = 4_096;

/// What cuts the area out of the country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaKind {
    /// An administrative division: its subtree.
    Division,
    /// A region of special attention (重点区域).
    Region,
    /// A river basin (流域).
    RiverBasin,
    /// A sea area (海区).
    SeaArea,
    /// Anything else that somebody wants to look at as one.
    Other,
}

/// Who belongs to an area: every site in `subtrees`, but for those in `except`, and every one of `sites` in any case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Members {
    /// Sites that belong to it with everything below them, through any parent.
    pub subtrees: BTreeSet<SiteId>,
    /// Sites that do not belong to it, with everything below them.
    pub except: BTreeSet<SiteId>,
    /// Single sites that belong to it, whatever `except` says, without those below them.
    pub sites: BTreeSet<SiteId>,
}

/// A named set of sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Its permanent identity.
    pub id: AreaId,
    /// What sort of area.
    pub kind: AreaKind,
    /// The name.
    pub names: History<SiteName>,
    /// Who belongs to it.
    pub members: History<Members>,
    /// The first moment at which it was no more.
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

/// The text is not a kind of area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of area: write division, region, river_basin, sea_area or other")]
pub struct InvalidAreaKind(pub String);

/// An area that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// Its name cannot be a name.
    #[error(transparent)]
    Name(SiteError),
    /// Nobody belongs to it.
    #[error("an area needs at least one site: name a subtree or a single site")]
    NoSites,
    /// Its rules are too long.
    #[error("the rules name {0} sites, more than {MAX_NAMED_SITES}: name sites further up, with everything below them")]
    TooManySites(usize),
    /// A site does not exist.
    #[error("{0} does not exist then: look its id up by its code")]
    UnknownSite(SiteId),
    /// It is over.
    #[error("the area {0} was deleted from {1} on: create another, or choose an earlier date")]
    Ended(AreaId, Timestamp),
    /// It is not there yet.
    #[error("the area {0} begins at {1}: choose that date or a later one")]
    NotYet(AreaId, Timestamp),
}

impl AreaKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [Self::Division, Self::Region, Self::RiverBasin, Self::SeaArea, Self::Other];

    /// Returns the word for the kind in the API and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Division => "division",
            Self::Region => "region",
            Self::RiverBasin => "river_basin",
            Self::SeaArea => "sea_area",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for AreaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AreaKind {
    type Err = InvalidAreaKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| InvalidAreaKind(text.to_owned()))
    }
}

impl Members {
    /// Returns the rule for everything below `root`, `root` included.
    pub fn subtree(root: SiteId) -> Self {
        Self { subtrees: BTreeSet::from([root]), ..Self::default() }
    }

    /// Returns every site that the rules name.
    pub fn named(&self) -> impl Iterator<Item = SiteId> + '_ {
        self.subtrees.iter().chain(&self.except).chain(&self.sites).copied()
    }

    /// Checks that an area with these members can be at `at`.
    ///
    /// # Errors
    /// The reason why not, with the remedy.
    pub fn check(&self, tree: &SiteTree, at: Timestamp) -> Result<(), AreaError> {
        if self.subtrees.is_empty() && self.sites.is_empty() {
            return Err(AreaError::NoSites);
        }
        let count = self.named().count();
        if count > MAX_NAMED_SITES {
            return Err(AreaError::TooManySites(count));
        }
        let exists = |id: &SiteId| tree.get(*id).is_some_and(|site| site.exists(at));
        self.named().find(|id| !exists(id)).map_or(Ok(()), |id| Err(AreaError::UnknownSite(id)))
    }

    /// Returns whether `site`, which exists at `at`, belongs to the area.
    fn contain(&self, tree: &SiteTree, site: SiteId, at: Timestamp) -> bool {
        let within = |roots: &BTreeSet<SiteId>| roots.iter().any(|root| tree.is_within(site, *root, at));
        self.sites.contains(&site) || within(&self.subtrees) && !within(&self.except)
    }
}

impl Area {
    /// Returns whether the area is there at `at`.
    pub fn exists(&self, at: Timestamp) -> bool {
        self.names.start() <= at && self.ended.is_none_or(|ended| at < ended)
    }

    /// Checks that an area can have this name.
    ///
    /// # Errors
    /// The reason why not, with the remedy.
    pub fn check_name(name: &SiteName) -> Result<(), AreaError> {
        check_name(name).map_err(AreaError::Name)
    }

    /// Checks that the area can be changed from `from` on.
    ///
    /// # Errors
    /// It is not there then.
    pub fn check_at(&self, from: Timestamp) -> Result<(), AreaError> {
        match self.ended {
            Some(ended) if ended <= from => Err(AreaError::Ended(self.id, ended)),
            _ if from < self.names.start() => Err(AreaError::NotYet(self.id, self.names.start())),
            _ => Ok(()),
        }
    }

    /// Returns the name at `at`; before its beginning the first one.
    pub fn name(&self, at: Timestamp) -> &SiteName {
        self.names.at(at.max(self.names.start())).unwrap_or(self.names.current())
    }

    /// Returns whether `site` exists at `at` and belongs to the area then.
    pub fn contains(&self, tree: &SiteTree, site: SiteId, at: Timestamp) -> bool {
        let exists = tree.get(site).is_some_and(|site| site.exists(at));
        exists && self.exists(at) && self.members.at(at).is_some_and(|members| members.contain(tree, site, at))
    }

    /// Returns the sites that belong to the area at `at`, each once, by id. Costs in proportion to the subtrees named.
    pub fn sites<'a>(&self, tree: &'a SiteTree, at: Timestamp) -> Vec<&'a Site> {
        let Some(members) = self.members.at(at).filter(|_| self.exists(at)) else { return Vec::new() };
        let subtree = |root: &SiteId| tree.subtree(*root, at).into_iter().map(|site| site.id);
        let mut ids: BTreeSet<SiteId> = members.subtrees.iter().flat_map(subtree).collect();
        for excepted in members.except.iter().flat_map(subtree) {
            ids.remove(&excepted);
        }
        ids.extend(&members.sites);
        ids.into_iter().filter_map(|id| tree.get(id)).filter(|site| site.exists(at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        division,
        site::{SiteChange, Uplink, parse_sites_csv, plan_import},
    };

    const START: Timestamp = Timestamp::EPOCH;

    fn country() -> SiteTree {
        let mut next = 0;
        let rows = parse_sites_csv(division::csv()).unwrap();
        let plan = plan_import(&SiteTree::default(), &rows, START, || {
            next += 1;
            SiteId::from_raw(next)
        });
        let mut tree = SiteTree::default();
        for change in plan.unwrap().changes {
            tree.apply(&change).unwrap();
        }
        tree
    }

    fn site(tree: &SiteTree, code: &str) -> SiteId {
        tree.by_code(code, START).unwrap().id
    }

    fn area(members: Members) -> Area {
        Area {
            id: AreaId::from_raw(1),
            kind: AreaKind::RiverBasin,
            names: History::new(START, SiteName::new("海河流域", "Hai River basin")),
            members: History::new(START, members),
            ended: None,
        }
    }

    #[test]
    fn an_area_cuts_across_divisions_and_leaves_parts_out() {
        let tree = country();
        let basin = area(Members {
            subtrees: ["120000", "130000"].map(|code| site(&tree, code)).into(),
            except: [site(&tree, "130100")].into(),
            sites: ["130102", "140000"].map(|code| site(&tree, code)).into(),
        });
        let codes: Vec<_> = basin.sites(&tree, START).into_iter().map(|site| site.code(START)).collect();
        let has = |code: &str| codes.contains(&code);
        assert!(has("120000") && has("130000") && has("130200") && has("130102") && has("140000"));
        assert!(!has("130100") && !has("130104") && !has("140100") && !has("110000"));
        for site in tree.iter() {
            assert_eq!(basin.contains(&tree, site.id, START), has(site.code(START)), "{}", site.code(START));
        }
    }

    #[test]
    fn an_area_that_ended_has_no_sites_and_cannot_be_changed_any_more() {
        let tree = country();
        let (site, from) = (site(&tree, "130000"), START.plus_ms(1000));
        let mut basin = area(Members::subtree(site));
        basin.ended = Some(from);
        assert!(basin.contains(&tree, site, START) && !basin.contains(&tree, site, from));
        assert_eq!((basin.sites(&tree, from).len(), basin.check_at(START)), (0, Ok(())));
        assert_eq!(basin.check_at(from), Err(AreaError::Ended(basin.id, from)));
    }

    #[test]
    fn an_area_names_at_least_one_site_and_only_those_that_there_are() {
        let tree = country();
        let province = site(&tree, "130000");
        assert_eq!(Members::subtree(province).check(&tree, START), Ok(()));
        assert_eq!(Members::default().check(&tree, START), Err(AreaError::NoSites));
        let except = Members { except: [province].into(), ..Members::default() };
        assert_eq!(except.check(&tree, START), Err(AreaError::NoSites));
        let unknown = SiteId::from_raw(999_999);
        assert_eq!(Members::subtree(unknown).check(&tree, START), Err(AreaError::UnknownSite(unknown)));
        assert!("river-basin".parse::<AreaKind>().is_ok() && "lake".parse::<AreaKind>().is_err());
    }

    #[test]
    fn a_site_that_moves_falls_into_the_area_by_itself() {
        let mut tree = country();
        let (county, city) = (site(&tree, "110101"), site(&tree, "130100"));
        let hebei = area(Members::subtree(site(&tree, "130000")));
        let from = START.plus_ms(1000);
        tree.apply(&SiteChange::Move { site: county, parents: vec![Uplink::to(city)], from }).unwrap();
        assert!(!hebei.contains(&tree, county, START) && hebei.contains(&tree, county, from));
        tree.apply(&SiteChange::Close { site: county, from: from.plus_ms(1) }).unwrap();
        assert!(!hebei.contains(&tree, county, from.plus_ms(1)));
    }
}
