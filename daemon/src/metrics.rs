//! Metrics for Prometheus, rendered from what the asking principal sees at the moment of the scrape.
//!
//! Invariant: nothing is kept between scrapes but the process's own counters, so that what was removed leaves no stale
//! series; names come from [`names`] alone.

mod availability;
mod devices;
mod incidents;
pub mod names;
mod probes;
mod render;

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use prometheus::{Encoder as _, Registry, TextEncoder};

use crate::{
    access::{Action, Gate},
    api::{App, Params, Problem},
};

/// Answers a scrape.
///
/// # Errors
/// The caller may not read metrics.
pub async fn scrape(State(app): State<Arc<App>>, gate: Gate, params: Params) -> Result<Response, Problem> {
    let view = gate.anywhere(Action::ReadMetrics)?;
    params.finish()?;
    let text = tokio::task::spawn_blocking(move || {
        let registry = Registry::new();
        registry.register(Box::new(render::Snapshot::new(app, view)))?;
        let mut text = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut text)?;
        Ok::<_, prometheus::Error>(text)
    });
    let text = text.await.map_err(|_| Problem::internal())?.map_err(|error| {
        tracing::error!(%error, "metrics cannot be rendered");
        Problem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}
