//! How many may be in at once, each of whom bears a name.
//!
//! Invariant: of one name no more are in than may be; whoever leaves, by whatever way, makes room. What is empty takes no memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Lets so many of one name in at once.
#[derive(Debug)]
pub(crate) struct Turnstile<K> {
    most: usize,
    inside: Mutex<HashMap<K, usize>>,
}

/// Somebody is in; dropping it lets him out.
#[derive(Debug)]
pub(crate) struct Pass<K: Eq + Hash> {
    turnstile: Arc<Turnstile<K>>,
    name: K,
}

impl<K: Eq + Hash + Clone> Turnstile<K> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, inside: Mutex::default() }
    }

    /// Lets one more in, `None` when there is no room.
    pub(crate) fn enter(self: &Arc<Self>, name: &K) -> Option<Pass<K>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(name.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Pass { turnstile: Arc::clone(self), name: name.clone() })
    }
}

impl<K: Eq + Hash> Drop for Pass<K> {
    fn drop(&mut self) {
        let mut inside = self.turnstile.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.name) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inside.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_makes_room_for_one_of_his_name() {
        let turnstile = Arc::new(Turnstile::new(2));
        let (first, second) = (turnstile.enter(&"li").unwrap(), turnstile.enter(&"li").unwrap());
        assert!(turnstile.enter(&"li").is_none());
        assert!(turnstile.enter(&"wang").is_some(), "another name has room of its own");
        drop(first);
        let third = turnstile.enter(&"li").unwrap();
        drop((second, third));
        assert!(turnstile.inside.lock().unwrap().is_empty());
    }
}
