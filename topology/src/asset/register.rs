//! The register: every asset, found by site, number and address.
//!
//! Invariant: the indexes follow from the assets. A MAC address and a number lead to the asset that had it last; whoever asks
//! as of a time looks at its dates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::Asset;
use crate::{AssetId, MacAddr, SiteId, Timestamp};

/// A change of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetChange {
    /// An asset is now like this: new, or in the place of what was said of it before.
    Put(Asset),
    /// An asset is written off.
    WriteOff {
        /// Which.
        asset: AssetId,
        /// From when on.
        from: Timestamp,
    },
}

/// A change that the register refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// There is no such asset.
    #[error("{0} is not in the asset register: look its id up with onenetd assets list")]
    Unknown(AssetId),
    /// It would have ended before it began.
    #[error("{asset} is on the books from {from} on: write it off later than that")]
    BeforeItsTime {
        /// Which.
        asset: AssetId,
        /// Since when it is on the books.
        from: Timestamp,
    },
}

/// Every asset of every site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetRegister {
    assets: BTreeMap<AssetId, Arc<Asset>>,
    sites: BTreeMap<SiteId, BTreeSet<AssetId>>,
    macs: BTreeMap<MacAddr, AssetId>,
    numbers: BTreeMap<(SiteId, String), AssetId>,
}

impl AssetRegister {
    /// Returns the number of assets, written off ones included.
    pub fn len(&self) -> usize {
        self.assets.len()
    }

    /// Returns whether nothing was ever registered.
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// Returns an asset, written off or not.
    pub fn get(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(&id).map(Arc::as_ref)
    }

    /// Returns every asset, written off ones included, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values().map(Arc::as_ref)
    }

    /// Returns the assets of a site that are on the books at `at`, by id.
    pub fn of_site(&self, site: SiteId, at: Timestamp) -> impl Iterator<Item = &Asset> {
        let ids = self.sites.get(&site).into_iter().flatten();
        ids.filter_map(|id| self.get(*id)).filter(move |asset| asset.is_registered(at))
    }

    /// Returns the asset that has this card and is on the books at `at`.
    pub fn by_mac(&self, mac: MacAddr, at: Timestamp) -> Option<&Asset> {
        self.holder(mac).filter(|asset| asset.is_registered(at))
    }

    /// Returns the asset that had this card last.
    pub(super) fn holder(&self, mac: MacAddr) -> Option<&Asset> {
        self.get(*self.macs.get(&mac)?)
    }

    /// Returns the asset that had this number at this site last.
    pub(super) fn numbered(&self, site: SiteId, number: &str) -> Option<&Asset> {
        // The key owns its text; look-ups of an import are no hot path.
        self.get(*self.numbers.get(&(site, number.to_owned()))?)
    }

    /// Makes one change.
    ///
    /// # Errors
    /// The asset does not exist, or would have ended before it began; nothing changes then.
    pub fn apply(&mut self, change: &AssetChange) -> Result<(), AssetError> {
        match change {
            AssetChange::Put(asset) => self.put(asset.clone()),
            AssetChange::WriteOff { asset, from } => {
                let known = self.get(*asset).ok_or(AssetError::Unknown(*asset))?;
                if *from <= known.from {
                    return Err(AssetError::BeforeItsTime { asset: *asset, from: known.from });
                }
                self.put(Asset { until: Some(*from), ..known.clone() });
            }
        }
        Ok(())
    }

    fn put(&mut self, asset: Asset) {
        if let Some(old) = self.assets.remove(&asset.id) {
            self.sites.entry(old.site).or_default().remove(&old.id);
            self.macs.retain_of(&old.macs, old.id);
            self.numbers.retain_of(&[(old.site, old.number.clone())], old.id);
        }
        self.sites.entry(asset.site).or_default().insert(asset.id);
        self.macs.extend(asset.macs.iter().map(|mac| (*mac, asset.id)));
        self.numbers.insert((asset.site, asset.number.clone()), asset.id);
        self.assets.insert(asset.id, Arc::new(asset));
    }
}

/// An index in which a name leads to whoever had it last.
trait LastHolder<K> {
    /// Takes `names` away from `id`, and from nobody else.
    fn retain_of(&mut self, names: &[K], id: AssetId);
}

impl<K: Ord> LastHolder<K> for BTreeMap<K, AssetId> {
    fn retain_of(&mut self, names: &[K], id: AssetId) {
        for name in names {
            if self.get(name) == Some(&id) {
                self.remove(name);
            }
        }
    }
}
