//! What is made of a site when somebody asks, and kept until what it is made of changes.
//!
//! Invariant: what is handed out follows from the snapshot that was asked. A reader of an older snapshot fills no newer one.

use std::sync::{Arc, OnceLock};

/// A value that is made when it is first asked for. Cheap to clone: snapshots share it.
#[derive(Debug)]
pub struct Made<T>(Arc<OnceLock<T>>);

impl<T> Made<T> {
    /// Returns the value, which `make` gives where it is not made yet.
    pub fn of(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    /// Lets the value go.
    pub fn forget(&mut self) {
        // A reader of an older snapshot may be about to fill the value that it shares: then this one has to begin anew.
        match Arc::get_mut(&mut self.0) {
            Some(own) => drop(own.take()),
            None => self.0 = Arc::default(),
        }
    }
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
