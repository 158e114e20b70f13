//! The last count of each site's terminals, for those who ask every half minute: metrics.
//!
//! Grouping the cards of 3,000 endpoints into terminals takes some hundred milliseconds; what is counted goes by 30 days.
//!
//! Invariant: a count that is handed out for a site is at most [`KEPT_MS`] old, and of the books and of as many endpoints as there are now: a
//! stranger shows at once. It does not ask who may see it ([`crate::access::View`] does).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use onenet_topology::{SiteId, Timestamp, asset::AssetRegister, coverage::Terminals};

use super::{DAYS_DEFAULT, since, terminals};
use crate::estate::Estate;

/// How long, in milliseconds, a count is kept at most.
const KEPT_MS: i64 = 5 * 60_000;

/// The last counts, by site.
#[derive(Debug, Default)]
pub struct KeptCounts(Mutex<BTreeMap<SiteId, Counted>>);

#[derive(Debug)]
struct Counted {
    at: Timestamp,
    books: Arc<AssetRegister>,
    /// How many endpoints there were, how many of them retired, and how many rulings on what is one.
    size: (usize, usize, usize),
    terminals: Terminals,
}

impl KeptCounts {
    /// Returns how many terminals a site has of what standing, by the last [`DAYS_DEFAULT`] days.
    pub fn terminals(&self, estate: &Estate, site: SiteId, now: Timestamp) -> Terminals {
        let size = estate.site(site).map_or_else(Default::default, |state| {
            (state.endpoints.len(), state.retired, state.terminal_rulings.len())
        });
        let holds = |it: &Counted| {
            let age = now.ms_since(it.at);
            Arc::ptr_eq(&it.books, &estate.assets) && it.size == size && (0..=KEPT_MS).contains(&age)
        };
        if let Some(kept) = self.all().get(&site).filter(|it| holds(it)) {
            return kept.terminals;
        }
        // Counted without the lock: whoever asks for another site meanwhile does not wait.
        let terminals = terminals(estate, site, now, since(now, DAYS_DEFAULT));
        self.all().insert(site, Counted { at: now, books: Arc::clone(&estate.assets), size, terminals });
        terminals
    }

    /// Returns how many they were when they were counted last, by whomever and however long ago: for a site of which nobody asked
    /// since the start, what was counted at noon.
    pub fn last(&self, estate: &Estate, site: SiteId) -> Option<Terminals> {
        let kept = self.all().get(&site).map(|it| it.terminals);
        let at_noon = || estate.coverage.get(&site)?.last().map(|day| day.coverage.terminals);
        kept.or_else(at_noon)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<SiteId, Counted>> {
        // What a reader that panicked left is whole: entries are put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
