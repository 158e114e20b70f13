//! What sled keeps in memory of what was read and written.
//!
//! sled notes which leaves are asked for, in 256 lists, and looks at a list when it is 64 long: only then it lets go of what is more than its
//! cache may hold. What stands in lists that are shorter stays: up to 16,384 leaves, of ten kilobytes each where facts lie in them, which
//! would be a third of what a country has. So who reads or writes much makes the lists long enough, by asking for a few leaves again and again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{COLLECTIONS, Store, keys};

/// Leaves that may be asked for before sled is made to look at its lists: half of what stands in them at most.
const UNSEEN_MAX: usize = 8_192;
/// Leaves that are asked for then, each of another site; nine lists of ten have one of them.
const LEAVES: usize = 600;
/// How often: with the way from the root to each of them, that is long enough.
const ROUNDS: usize = 16;

/// How many leaves were asked for, about. Shared by all that use a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Arc<AtomicUsize>);

impl Store {
    /// Counts leaves that were asked for, and lets sled look at its lists once they are many.
    pub(super) fn asked(&self, leaves: usize) {
        let before = self.asked.0.fetch_add(leaves, Ordering::Relaxed);
        if before / UNSEEN_MAX != before.wrapping_add(leaves) / UNSEEN_MAX {
            self.look_at_lists();
        }
    }

    fn look_at_lists(&self) {
        let leaves = self.a_leaf_of_each_site();
        for _ in 0..ROUNDS {
            for key in &leaves {
                // What cannot be read is said to whoever wants it.
                drop(self.tree.get(key));
            }
            for _ in 0..COLLECTIONS {
                crossbeam_epoch::pin().flush();
            }
        }
    }

    /// Returns the first key of each of the first sites that there are.
    fn a_leaf_of_each_site(&self) -> Vec<sled::IVec> {
        let mut next = Some(1);
        let leaf = std::iter::from_fn(|| {
            let (key, _) = self.tree.range(keys::site_range(next?..u64::MAX)).next()?.ok()?;
            next = keys::site_of(&key)?.checked_add(1);
            Some(key)
        });
        leaf.take(LEAVES).collect()
    }
}
