//! Which pages Prometheus is to scrape: one a site (HTTP service discovery).
//!
//! Invariant: whoever asks is told of the sites whose metrics he may read, and of no others.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::HeaderMap};
use onenet_topology::{division::Tier, site::Site};
use serde::Serialize;

use crate::{
    access::{Action, Gate, View},
    api::{App, Params, Problem},
};

/// One target, as Prometheus wants it.
#[derive(Debug, Serialize)]
pub struct Target {
    targets: [String; 1],
    labels: BTreeMap<&'static str, String>,
}

/// Lists the pages of the sites.
///
/// # Errors
/// The caller may not read metrics, or did not say whom he asks.
pub async fn targets(
    State(_): State<Arc<App>>,
    gate: Gate,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Vec<Target>>, Problem> {
    let view = gate.anywhere(Action::ReadMetrics)?;
    params.finish()?;
    let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok());
    let host =
        host.ok_or_else(|| Problem::parameter("Host", "is missing: name the centre as Prometheus reaches it"))?;
    let sites = view.sites().filter(|site| view.may(Action::ReadMetrics, site.id));
    Ok(Json(sites.map(|site| target(&view, site, host)).collect()))
}

fn target(view: &View, site: &Site, host: &str) -> Target {
    let code = site.code(view.now());
    let mut labels = BTreeMap::from([
        ("__metrics_path__", format!("/metrics/site/{code}")),
        ("instance", code.to_owned()),
        ("tier", site.tier.to_string()),
    ]);
    for level in view.path(site.id) {
        let label = match level.tier {
            Tier::Ministry => continue,
            Tier::Province => "province",
            Tier::City => "city",
            Tier::County => "county",
        };
        labels.insert(label, level.name(view.now()).zh.clone());
    }
    Target { targets: [host.to_owned()], labels }
}
