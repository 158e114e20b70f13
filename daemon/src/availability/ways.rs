//! Which way between sites a probe measures.
//!
//! Invariant: the incidents and the figures of availability go by the same answer.

use onenet_topology::{Probe, ProbeRole, SiteId, Timestamp, incident::Side, site::SiteTree};

/// A way up, and from which end a probe measures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    /// The lower site.
    pub(crate) child: SiteId,
    /// The upper site.
    pub(crate) parent: SiteId,
    /// From which end.
    pub(crate) side: Side,
}

/// Returns the way that a probe of an agent at `site` measures; `None` where it measures none. Probes name the other site by its
/// code; one that leads up may leave it out where there is only one way.
pub(crate) fn way_of(tree: &SiteTree, site: SiteId, probe: &Probe, now: Timestamp) -> Option<Way> {
    let far = tree.by_code(&probe.site, now).map(|site| site.id);
    match probe.role {
        ProbeRole::Parent => {
            let parent = far.or_else(|| only_parent(tree, site, now))?;
            Some(Way { child: site, parent, side: Side::Below })
        }
        ProbeRole::Child => far.map(|child| Way { child, parent: site, side: Side::Above }),
        ProbeRole::Gateway | ProbeRole::Named => None,
    }
}

fn only_parent(tree: &SiteTree, site: SiteId, now: Timestamp) -> Option<SiteId> {
    let mut above = tree.parents(site, now);
    let first = above.next()?.id;
    above.next().is_none().then_some(first)
}
