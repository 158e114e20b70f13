//! Areas: named sets of sites, and the rules that say who belongs to them.

use onenet_topology::{SiteId, area::Area};
use serde::Serialize;
use utoipa::ToSchema;

use super::{SiteNameBody, time};
use crate::access::View;

/// A named set of sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AreaBody {
    /// Its identity.
    #[schema(example = "area-2a00000")]
    pub id: String,
    /// `division`, `region`, `river_basin`, `sea_area` or `other`.
    pub kind: &'static str,
    /// Its name.
    pub name: SiteNameBody,
    /// The rules that say who belongs to it, as far as the sites that they name may be seen.
    pub members: MembersBody,
    /// The sites of the area that may be seen.
    pub sites: Vec<String>,
    /// Since when there is the area.
    pub since: String,
}

/// The rules that say who belongs to an area. A site that is added, moved or split falls into the right areas by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MembersBody {
    /// Sites that belong to it with everything below them.
    pub subtrees: Vec<String>,
    /// Sites that do not belong to it, with everything below them.
    pub except: Vec<String>,
    /// Single sites that belong to it in any case.
    pub sites: Vec<String>,
}

impl AreaBody {
    /// Returns an area as the view shows it.
    pub fn of(view: &View, area: &Area) -> Self {
        let members = area.members.at(view.now()).unwrap_or(area.members.current());
        let shown = |sites: &std::collections::BTreeSet<SiteId>| {
            sites.iter().filter(|site| view.site(**site).is_some()).map(ToString::to_string).collect()
        };
        Self {
            id: area.id.to_string(),
            kind: area.kind.as_str(),
            name: SiteNameBody::of(area.name(view.now())),
            members: MembersBody {
                subtrees: shown(&members.subtrees),
                except: shown(&members.except),
                sites: shown(&members.sites),
            },
            sites: view.sites_of_area(area).iter().map(|site| site.id.to_string()).collect(),
            since: time(area.names.start()),
        }
    }
}
