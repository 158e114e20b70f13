//! The tree of sites and the questions it answers, each as of a date.
//!
//! Invariant: the indexes follow from the sites. A site is listed as child of every site that was ever its parent, and
//! under every code that it ever had; the dates are looked at when a question is answered.
//!
//! A clone costs one reference count: the daemon publishes a snapshot, and the next change copies the two levels of maps
//! (not the sites) if a snapshot is still held.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Site, SiteError};
use crate::{SiteId, Timestamp};

/// All sites of all ministries. Stored and exported as the list of its sites.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(into = "Vec<Arc<Site>>", from = "Vec<Arc<Site>>")]
pub struct SiteTree {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    sites: BTreeMap<SiteId, Arc<Site>>,
    codes: BTreeMap<String, BTreeSet<SiteId>>,
    children: BTreeMap<SiteId, BTreeSet<SiteId>>,
}

impl SiteTree {
    /// Returns the number of sites, ended ones included.
    pub fn len(&self) -> usize {
        self.inner.sites.len()
    }

    /// Returns whether there is no site.
    pub fn is_empty(&self) -> bool {
        self.inner.sites.is_empty()
    }

    /// Returns the site with this id, ended or not.
    pub fn get(&self, id: SiteId) -> Option<&Site> {
        self.inner.sites.get(&id).map(Arc::as_ref)
    }

    /// Returns the site with this id.
    ///
    /// # Errors
    /// [`SiteError::Unknown`] when there is none.
    pub fn site(&self, id: SiteId) -> Result<&Site, SiteError> {
        self.get(id).ok_or(SiteError::Unknown(id))
    }

    /// Returns every site, ended ones included, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Site> {
        self.inner.sites.values().map(Arc::as_ref)
    }

    /// Returns the sites that exist at `at`, by id.
    pub fn existing(&self, at: Timestamp) -> impl Iterator<Item = &Site> {
        self.iter().filter(move |site| site.exists(at))
    }

    /// Returns the site that has this code at `at`.
    pub fn by_code(&self, code: &str, at: Timestamp) -> Option<&Site> {
        self.ever_with_code(code).find(|site| site.exists(at) && site.code(at) == code)
    }

    /// Returns the sites without a parent that exist at `at`: one for each ministry.
    pub fn roots(&self, at: Timestamp) -> Vec<&Site> {
        let mut roots: Vec<_> = self.existing(at).filter(|site| site.uplinks(at).is_empty()).collect();
        roots.sort_by_key(|site| site.code(at));
        roots
    }

    /// Returns the sites directly above `id` at `at`, the first uplink first.
    pub fn parents(&self, id: SiteId, at: Timestamp) -> impl Iterator<Item = &Site> {
        self.get(id).into_iter().flat_map(move |site| site.uplinks(at)).filter_map(|uplink| self.get(uplink.parent))
    }

    /// Returns the sites that exist directly below `id` at `at`, through any of their parents, by code.
    pub fn children(&self, id: SiteId, at: Timestamp) -> Vec<&Site> {
        let mut children: Vec<_> = self.children_unordered(id, at).collect();
        children.sort_by_key(|site| site.code(at));
        children
    }

    /// Returns `root` and every site that exists below it at `at`, through any parent: each once, a site after the one
    /// through which it is reached, by code among siblings. Empty when `root` is unknown or does not exist then.
    pub fn subtree(&self, root: SiteId, at: Timestamp) -> Vec<&Site> {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<&Site> = self.get(root).filter(|site| site.exists(at)).into_iter().collect();
        let mut found = Vec::new();
        while let Some(site) = stack.pop() {
            if seen.insert(site.id) {
                found.push(site);
                stack.extend(self.children(site.id, at).into_iter().rev());
            }
        }
        found
    }

    /// Returns every site above `id` at `at`, through any parent: each once, nearer ones first.
    pub fn ancestors(&self, id: SiteId, at: Timestamp) -> Vec<&Site> {
        let mut found: Vec<&Site> = Vec::new();
        let mut level: Vec<&Site> = self.parents(id, at).collect();
        while !level.is_empty() {
            let mut next = Vec::new();
            for site in level {
                if site.id != id && found.iter().all(|seen| seen.id != site.id) {
                    found.push(site);
                    next.extend(self.parents(site.id, at));
                }
            }
            level = next;
        }
        found
    }

    /// Returns whether `site` is `root` or below it at `at`, through any parent.
    ///
    /// A site that has ended by then stays where it last was, and is also within whatever took its place, so that its
    /// past can still be read. Costs a few look-ups: it stands in front of every read.
    pub fn is_within(&self, site: SiteId, root: SiteId, at: Timestamp) -> bool {
        if site == root {
            return self.get(site).is_some();
        }
        let mut seen = vec![site];
        let mut next = 0;
        while let Some(site) = seen.get(next).and_then(|id| self.get(*id)) {
            next += 1;
            let ended = site.ended.iter().filter(|ended| ended.at <= at);
            let successors = ended.flat_map(|ended| ended.how.successors().iter().copied());
            for above in site.uplinks(at).iter().map(|uplink| uplink.parent).chain(successors) {
                if above == root {
                    return true;
                }
                if !seen.contains(&above) {
                    seen.push(above);
                }
            }
        }
        false
    }

    /// Returns the way from the root down to `id` at `at`, through first uplinks; `id` is the last.
    pub fn path(&self, id: SiteId, at: Timestamp) -> Vec<&Site> {
        let mut path: Vec<&Site> = Vec::new();
        let mut next = self.get(id);
        while let Some(site) = next.filter(|site| path.iter().all(|seen| seen.id != site.id)) {
            path.push(site);
            next = self.parents(site.id, at).next();
        }
        path.reverse();
        path
    }

    /// Returns the names on the way from the root down to `id`, in Chinese, such as `生态环境部 / 河北省 / 石家庄市`.
    pub fn display_path(&self, id: SiteId, at: Timestamp) -> String {
        let names: Vec<_> = self.path(id, at).into_iter().map(|site| site.name(at).zh.as_str()).collect();
        names.join(" / ")
    }

    pub(super) fn ever_with_code(&self, code: &str) -> impl Iterator<Item = &Site> {
        self.inner.codes.get(code).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// Returns every site that was or will be directly below `id` at some time.
    pub(super) fn ever_children(&self, id: SiteId) -> impl Iterator<Item = &Site> {
        self.inner.children.get(&id).into_iter().flatten().filter_map(|child| self.get(*child))
    }

    /// Puts `site` in, or in the place of its former state.
    pub(super) fn put(&mut self, site: Site) {
        let inner = Arc::make_mut(&mut self.inner);
        for code in site.codes.iter() {
            inner.codes.entry(code.value.clone()).or_default().insert(site.id);
        }
        for uplink in site.parents.iter().flat_map(|dated| dated.value) {
            inner.children.entry(uplink.parent).or_default().insert(site.id);
        }
        inner.sites.insert(site.id, Arc::new(site));
    }

    fn children_unordered(&self, id: SiteId, at: Timestamp) -> impl Iterator<Item = &Site> {
        self.ever_children(id)
            .filter(move |child| child.exists(at) && child.uplinks(at).iter().any(|uplink| uplink.parent == id))
    }
}

impl PartialEq for SiteTree {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.sites == other.inner.sites
    }
}

impl Eq for SiteTree {}

impl From<SiteTree> for Vec<Arc<Site>> {
    fn from(tree: SiteTree) -> Self {
        tree.inner.sites.values().map(Arc::clone).collect()
    }
}

impl From<Vec<Arc<Site>>> for SiteTree {
    fn from(sites: Vec<Arc<Site>>) -> Self {
        let mut tree = Self::default();
        for site in sites {
            tree.put(Arc::unwrap_or_clone(site));
        }
        tree
    }
}
