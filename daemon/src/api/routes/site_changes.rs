//! Changes of the tree of sites: dated, each one recorded with the day from which it holds.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    SiteId,
    site::{Site, SiteChange, Uplink},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, areas::NewNameBody, effective, named_site, named_sites, read_body, submit};
use crate::{
    access::{Action, Gate, View},
    api::{App, Params, Problem, body::SiteHistoryBody},
    demo,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(site_history)).routes(routes!(change_site))
}

/// A change of a site; `change` says which. Other sites are named by id or division code. `from` is the first moment at
/// which the change holds: a day such as 2026-01-31 (from its midnight in China on), or a time after RFC 3339; now by
/// default, and it may lie in the past or in the future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SiteChangeBody {
    /// The site gets another name.
    Rename {
        /// The new name.
        name: NewNameBody,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site gets another code.
    Recode {
        /// The new code.
        code: String,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site moves: these take the place of the sites above it.
    Move {
        /// The sites above, the first uplink first.
        parents: Vec<String>,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site gets one more site above it.
    AddUplink {
        /// The site above.
        parent: String,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site loses one of the sites above it.
    RemoveUplink {
        /// The site above.
        parent: String,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site becomes part of another, which takes over the sites below it.
    Merge {
        /// The site that takes it in.
        into: String,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site is divided into others, which are there already.
    Split {
        /// The sites that come of it.
        into: Vec<String>,
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The site ceases to be.
    Close {
        /// Since when.
        #[serde(default)]
        from: Option<String>,
    },
    /// The recorded end of the site was wrong.
    Reopen {},
}

/// A site through time.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/history", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = SiteHistoryBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn site_history(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<SiteHistoryBody> {
    let (view, site) = gate.site(Action::ReadSites, &site)?;
    params.finish()?;
    shown(&view, site)
}

/// Changes a site: renames, recodes, moves, merges, splits, closes or reopens it.
///
/// Takes the right to manage sites at the site, at each other site that the change names, and for a move at the sites above
/// that it leaves.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/changes", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code; an ended site has its id alone")),
    request_body = SiteChangeBody,
    responses((status = 200, body = SiteHistoryBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn change_site(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
    body: JsonBody<SiteChangeBody>,
) -> Answer<SiteHistoryBody> {
    let (view, site) = gate.site(Action::ManageSites, &site)?;
    params.finish()?;
    let change = read_body(&app, body)?.checked(&gate, &view, site)?;
    // For the decision alone: where a site stands is the affair of whoever manages what is above it, now and then.
    let estate = app.centre.estate();
    gate.at_each(Action::ManageSites, others(&change, estate.tree.get(site)))?;
    submit(&app, &gate, Command::ChangeSites { changes: vec![change] }).await?;
    shown(&gate.view_after(app.centre.estate()), site)
}

fn shown(view: &View, site: SiteId) -> Answer<SiteHistoryBody> {
    Ok(Json(SiteHistoryBody::of(view, view.site(site).ok_or_else(Problem::not_found)?)))
}

/// Returns the sites that a change is about beside the one that changes: those that it names, and those above which the
/// site leaves.
fn others(change: &SiteChange, known: Option<&Site>) -> Vec<SiteId> {
    match change {
        SiteChange::Move { parents, from, .. } => {
            let left = known.into_iter().flat_map(|site| site.uplinks(*from));
            parents.iter().chain(left).map(|uplink| uplink.parent).collect()
        }
        SiteChange::AddUplink { uplink, .. } => vec![uplink.parent],
        SiteChange::RemoveUplink { parent, .. } => vec![*parent],
        SiteChange::Merge { into, .. } => vec![*into],
        SiteChange::Split { into, .. } => into.clone(),
        SiteChange::Add { .. }
        | SiteChange::Rename { .. }
        | SiteChange::Recode { .. }
        | SiteChange::Close { .. }
        | SiteChange::Reopen { .. } => Vec::new(),
    }
}

impl SiteChangeBody {
    fn from(&self) -> Option<&str> {
        match self {
            Self::Rename { from, .. }
            | Self::Recode { from, .. }
            | Self::Move { from, .. }
            | Self::AddUplink { from, .. }
            | Self::RemoveUplink { from, .. }
            | Self::Merge { from, .. }
            | Self::Split { from, .. }
            | Self::Close { from } => from.as_deref(),
            Self::Reopen {} => None,
        }
    }

    fn checked(self, gate: &Gate, view: &View, site: SiteId) -> Result<SiteChange, Problem> {
        let from = effective(gate, self.from())?;
        Ok(match self {
            Self::Rename { name, .. } => SiteChange::Rename { site, name: name.into(), from },
            Self::Recode { code, .. } if demo::is_demo(&code) => {
                let prefix = demo::CODE_PREFIX;
                let detail = format!("{code} begins with {prefix}, which marks simulated sites: choose another");
                return Err(Problem::parameter("code", detail));
            }
            Self::Recode { code, .. } => SiteChange::Recode { site, code, from },
            Self::Move { parents, .. } => {
                let parents: Vec<SiteId> = named_sites(view, "parents", &parents)?;
                SiteChange::Move { site, parents: parents.into_iter().map(Uplink::to).collect(), from }
            }
            Self::AddUplink { parent, .. } => {
                SiteChange::AddUplink { site, uplink: Uplink::to(named_site(view, "parent", &parent)?), from }
            }
            Self::RemoveUplink { parent, .. } => {
                SiteChange::RemoveUplink { site, parent: named_site(view, "parent", &parent)?, from }
            }
            Self::Merge { into, .. } => SiteChange::Merge { site, into: named_site(view, "into", &into)?, from },
            Self::Split { into, .. } => SiteChange::Split { site, into: named_sites(view, "into", &into)?, from },
            Self::Close { .. } => SiteChange::Close { site, from },
            Self::Reopen {} => SiteChange::Reopen { site },
        })
    }
}
