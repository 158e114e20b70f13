//! What a site was called, and where it stood in the tree, from when until when.

use onenet_topology::{
    dated::Dated,
    site::{Ending, Site},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{SiteNameBody, time};
use crate::access::View;

/// A site through time. A value without `until` holds without a known end; one with a `from` in the future is entered already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteHistoryBody {
    /// The site.
    pub id: String,
    /// When it came to be.
    pub founded: String,
    /// Its codes.
    pub codes: Vec<DatedCodeBody>,
    /// Its names.
    pub names: Vec<DatedNameBody>,
    /// The sites above it.
    pub parents: Vec<DatedParentsBody>,
    /// How it ended; `null` while it goes on.
    pub ended: Option<EndedBody>,
}

/// A code and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DatedCodeBody {
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: Option<String>,
    /// The code.
    pub code: String,
}

/// A name and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DatedNameBody {
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: Option<String>,
    /// The name.
    pub name: SiteNameBody,
}

/// The sites above and their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DatedParentsBody {
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: Option<String>,
    /// The sites directly above, the first uplink first, as far as they may be seen.
    pub parents: Vec<String>,
}

/// The end of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndedBody {
    /// The first moment at which it was no more.
    pub at: String,
    /// `merged`, `split` or `closed`.
    pub how: &'static str,
    /// The sites that took its place, as far as they may be seen.
    pub into: Vec<String>,
}

impl SiteHistoryBody {
    /// Returns the history of a site as the view shows it. What was corrected is left out.
    pub fn of(view: &View, site: &Site) -> Self {
        let shown = |id| view.site(id).map(|site| site.id.to_string());
        Self {
            id: site.id.to_string(),
            founded: time(site.founded()),
            codes: held(site.codes.iter(), |from, until, code| DatedCodeBody { from, until, code: code.clone() }),
            names: held(site.names.iter(), |from, until, name| DatedNameBody {
                from,
                until,
                name: SiteNameBody::of(name),
            }),
            parents: held(site.parents.iter(), |from, until, uplinks| DatedParentsBody {
                from,
                until,
                parents: uplinks.iter().filter_map(|uplink| shown(uplink.parent)).collect(),
            }),
            ended: site.ended.as_ref().map(|ended| EndedBody {
                at: time(ended.at),
                how: match ended.how {
                    Ending::Merged { .. } => "merged",
                    Ending::Split { .. } => "split",
                    Ending::Closed => "closed",
                },
                into: ended.how.successors().iter().filter_map(|site| shown(*site)).collect(),
            }),
        }
    }
}

fn held<'v, V: 'v, B>(
    dated: impl Iterator<Item = Dated<&'v V>>,
    body: impl Fn(String, Option<String>, &'v V) -> B,
) -> Vec<B> {
    let held = dated.filter(|dated| !dated.period().is_empty());
    held.map(|dated| body(time(dated.from), dated.until.map(time), dated.value)).collect()
}
