//! What tells a simulated site, and quickstart's own one, from a site of the tree.
//!
//! Invariant: a simulated site's code begins with [`CODE_PREFIX`], and no import from outside may use it; whatever shows a
//! site shows this too: the banner and the tag of the console, `demo` in the API, the label `demo` of the metrics.

/// What the code of each simulated site begins with.
pub const CODE_PREFIX: &str = "demo-";

/// The code of the site that stands for the network of the machine on which quickstart runs.
pub const LOCAL_CODE: &str = "local";

/// Returns whether the code is that of a simulated site.
pub fn is_demo(code: &str) -> bool {
    code.starts_with(CODE_PREFIX)
}
