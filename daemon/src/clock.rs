//! The one place of the centre that reads a clock.
//!
//! Invariant: everything else is given `now`. Where state is concerned even this reading is only used to stamp records
//! (invariant 11): whoever applies a record takes the time from it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use onenet_topology::Timestamp;

/// A source of the present time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Returns the machine's wall clock.
    pub fn system() -> Self {
        Self(Arc::new(wall))
    }

    /// Returns a clock that shows what `read` returns, for tests and simulations.
    pub fn from_fn(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Returns the present time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
