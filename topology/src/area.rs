//! Areas: named sets of sites that a picture or a report is made of.
//!
//! Invariant: an area holds rules, not a list: who belongs to it follows from the site tree as of a date, so that a site
//! that is added, moved or split falls into the right areas by itself.
//!
//! It does not know any figure about its sites.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    AreaId, SiteId, Timestamp,
    dated::History,
    site::{Site, SiteName, SiteTree},
};

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
}

impl Members {
    /// Returns the rule for everything below `root`, `root` included.
    pub fn subtree(root: SiteId) -> Self {
        Self { subtrees: BTreeSet::from([root]), ..Self::default() }
    }

    /// Returns whether `site`, which exists at `at`, belongs to the area.
    fn contain(&self, tree: &SiteTree, site: SiteId, at: Timestamp) -> bool {
        let within = |roots: &BTreeSet<SiteId>| roots.iter().any(|root| tree.is_within(site, *root, at));
        self.sites.contains(&site) || within(&self.subtrees) && !within(&self.except)
    }
}

impl Area {
    /// Returns whether `site` exists at `at` and belongs to the area then.
    pub fn contains(&self, tree: &SiteTree, site: SiteId, at: Timestamp) -> bool {
        let exists = tree.get(site).is_some_and(|site| site.exists(at));
        exists && self.members.at(at).is_some_and(|members| members.contain(tree, site, at))
    }

    /// Returns the sites that belong to the area at `at`, each once, by id. Costs in proportion to the subtrees named.
    pub fn sites<'a>(&self, tree: &'a SiteTree, at: Timestamp) -> Vec<&'a Site> {
        let Some(members) = self.members.at(at) else { return Vec::new() };
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
