//! Texts and identifiers that live as long as the process.
//!
//! Invariant: equal ones are kept once, so that reading the same profiles again takes no more memory. Only the names and
//! objects of profiles are kept here, and profiles are bounded in size and number and read when the program starts: a
//! walk then names columns of a profile as cheaply as those of a MIB that is written in code.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
static ARCS: Mutex<BTreeSet<&'static [u32]>> = Mutex::new(BTreeSet::new());

/// Returns the kept text that is equal to `text`.
pub(super) fn text(text: &str) -> &'static str {
    let mut kept = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.into());
    kept.insert(leaked);
    leaked
}

/// Returns the kept arcs that are equal to `arcs`.
pub(super) fn arcs(arcs: &[u32]) -> &'static [u32] {
    let mut kept = ARCS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(arcs) {
        return known;
    }
    let leaked: &'static [u32] = Box::leak(arcs.into());
    kept.insert(leaked);
    leaked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_is_kept_once() {
        assert!(std::ptr::eq(text(&String::from("hwFan")), text("hwFan")));
        assert!(std::ptr::eq(arcs(&[1, 3, 6]), arcs([1, 3, 6].to_vec().as_slice())));
    }
}
