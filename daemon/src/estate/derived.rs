//! What follows from the rest of the estate and is kept beside it because it is dear to compute.
//!
//! Invariant: it adds nothing to what an estate says, so two estates are equal whatever they have derived so far.

/// A value that follows from the rest.
#[derive(Debug, Clone, Default)]
pub struct Derived<T>(T);

impl<T> Derived<T> {
    /// Returns the value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// Returns the value, to be changed.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// Replaces the value.
    pub fn set(&mut self, value: T) {
        self.0 = value;
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
