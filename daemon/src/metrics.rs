//! Metrics for Prometheus, rendered from what the asking principal sees at the moment of the scrape.
//!
//! | page | has |
//! |---|---|
//! | `/metrics` | everything but ports; with `?sites=false` only the centre itself and what is told of tiers, provinces, cities and areas |
//! | `/metrics/site/{code}` | one site: agents, devices, ports, probes, terminals |
//! | `/sd` | the sites' pages, with tier, province, city and county (HTTP service discovery) |
//!
//! Invariant: nothing is kept between scrapes but the process's own counters, so that what was removed leaves no stale
//! series; names come from [`names`] alone.

mod anomalies;
mod availability;
mod cases;
pub mod design;
mod devices;
pub mod discovery;
mod incidents;
pub(crate) mod measured;
pub mod names;
mod page;
mod ports;
mod probes;
mod render;
mod subtrees;

use std::{io::Write as _, sync::Arc};

use crate::{
    access::{Action, Gate},
    api::{App, Params, Problem},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use render::Page;

/// Answers a scrape of everything that the caller may see, or, with `sites=false`, of what no site's own page has.
///
/// # Errors
/// The caller may not read metrics.
pub async fn scrape(
    State(app): State<Arc<App>>,
    gate: Gate,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let view = gate.anywhere(Action::ReadMetrics)?;
    let sites = params.flag("sites")?.unwrap_or(true);
    params.finish()?;
    rendered(render::Snapshot::new(app, view, if sites { Page::Whole } else { Page::Centre }), &headers).await
}

/// Answers a scrape of one site.
///
/// # Errors
/// There is no such site, or the caller may not read its metrics.
pub async fn scrape_site(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let (view, site) = gate.site(Action::ReadMetrics, &site)?;
    params.finish()?;
    rendered(render::Snapshot::new(app, view, Page::Site(site)), &headers).await
}

async fn rendered(snapshot: render::Snapshot, headers: &HeaderMap) -> Result<Response, Problem> {
    let encodings = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = takes_gzip(encodings);
    let body = tokio::task::spawn_blocking(move || body(&snapshot, gzip));
    let body = body.await.map_err(|_| Problem::internal())?.map_err(|error| {
        tracing::error!(%error, "metrics cannot be packed");
        Problem::internal()
    })?;
    let kind = [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT), (header::VARY, "accept-encoding")];
    Ok(if gzip {
        (kind, [(header::CONTENT_ENCODING, "gzip")], body).into_response()
    } else {
        (kind, body).into_response()
    })
}

/// Returns whether a header `Accept-Encoding` (RFC 9110, 12.5.3) names gzip, and with another weight than none.
fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_gzip && weight.and_then(|weight| weight.parse::<f32>().ok()) != Some(0.0)
    })
}

fn body(snapshot: &render::Snapshot, gzip: bool) -> std::io::Result<Vec<u8>> {
    let text = snapshot.text();
    if !gzip {
        return Ok(text.into_bytes());
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes())?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::takes_gzip;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for taken in ["gzip", "br;q=0.5, GZIP", "gzip;q=0.2", "deflate,gzip ; q=1"] {
            assert!(takes_gzip(taken), "{taken}");
        }
        for refused in ["", "identity", "gzip;q=0", "br, gzip; q=0.000", "x-gzipped"] {
            assert!(!takes_gzip(refused), "{refused}");
        }
    }
}
