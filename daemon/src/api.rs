//! The API for people and programs: version 1 under `/api/v1`, metrics, health, and the console beside it.
//!
//! Invariant: every route but health, the API's own description and the page to sign in on stands behind
//! [`auth::require_caller`], and every handler behind its gate (invariant 13). Bodies, connections and time are bounded.

mod app;
mod auth;
pub mod body;
pub(crate) mod flows;
mod params;
mod problem;
mod routes;
pub(crate) mod running;
mod search;
pub(crate) mod sensors;
mod server;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    sync::{Arc, LazyLock, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

pub use app::{App, Counters, local_caller};
pub use auth::{LOCAL_PERSON_HEADER, LOCAL_ROLE_HEADER, Peer, identify};
pub(crate) use body::{CentreDetectorBody, check_subject, station as wireless_station};
pub use params::Params;
pub(crate) use params::{decode, encode};
pub use problem::Problem;
pub(crate) use routes::{
    anomalies::{AnomaliesWanted, Listed as ListedAnomaly},
    assets::parse_standing,
    availability::Asked as AvailabilityAsked,
    case_files::{
        brought as attach_case_file, may_attach as may_attach_case_file, named as named_case_file, pass_over,
    },
    case_statistics::{Group, StatisticsWanted},
    cases::{
        CaseActionBody, act as act_on_case, anywhere as cases_anywhere, issuing as issuing_notice,
        open_about as open_case_about,
    },
    changes::{Span, changes_of, picture_of},
    contacts::{NewContactBody, put as put_contact, remove as remove_contact},
    coverage::{Extent, trend},
    drills::{NewDrillBody, order as order_drill},
    endpoints::{Wanted, find, parse_cursor},
    flows::{allowed as may_ask_flows, asked as flows_question},
    incidents::{MomentBody, timeline},
    inspections::{
        NewInspectionBody, NewItemBody, SheetActionBody, act as act_on_sheet, close as close_inspection,
        open as open_inspection,
    },
    suppressions::{NewSuppressionBody, end as end_suppression, make as make_suppression},
    usage::usage_of,
};
pub(crate) use search::{QUERY_CHARS_MAX, Query};
pub(crate) use server::socket_path;
pub use server::{Listening, ServeError, local_socket, serve, serve_local};

/// How long a file may come in: one of 8 MiB over a line of some 100 kbit/s that is left.
const UPLOAD_WITHIN: Duration = Duration::from_secs(600);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "onenet",
        description = "What is on the network, where, and how it is. Every answer shows what the caller's roles show him \
                       and nothing else; what they hide is answered like what does not exist. Times are RFC 3339 in UTC.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    security(("token" = [])),
    tags(
        (name = "sites", description = "The tree of sites, and its changes"),
        (name = "areas", description = "Named sets of sites"),
        (name = "addresses", description = "Address spaces and the address plan"),
        (name = "devices", description = "Devices, interfaces, samples, links"),
        (name = "endpoints", description = "Endpoints, their bindings, attachment and evidence"),
        (name = "flows", description = "Who talked to whom, asked of a site's agents; and what it adds up to"),
        (name = "agents", description = "Agents, their configuration, conditions, findings, enrolment"),
        (name = "incidents", description = "What is broken, what caused it, what follows from it; planned maintenances; timelines"),
        (name = "anomalies", description = "What detectors found at sites, and what the detectors do"),
        (name = "cases", description = "What deserves a person's time, what people did with it, whom they told, and what is silenced"),
        (name = "inspections", description = "Inspection campaigns: what is asked of units, what they answer and show, what was found and checked again"),
        (name = "access", description = "Tokens and the audit trail"),
        (name = "system", description = "Backup and export"),
    ),
)]
struct Description;

/// Returns the OpenAPI document of version 1.
pub fn document() -> Document {
    documented().1
}

fn documented() -> (Router<Arc<App>>, Document) {
    let (router, mut document) =
        OpenApiRouter::with_openapi(Description::openapi()).merge(routes::router()).split_for_parts();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    (router, document)
}

/// Returns everything that the daemon serves to people and programs.
pub fn router(app: Arc<App>, timeout: Duration) -> Router {
    let (api, _) = documented();
    // Written once, when somebody asks first: it is large, and for everybody. Until then, and unwritten, nobody holds it: that is 12 MB.
    let text = Arc::new(LazyLock::new(|| {
        serde_json::to_vec(&document()).map(Bytes::from).map_err(|error| Problem::unavailable(error.to_string()))
    }));
    let known = middleware::from_fn_with_state(Arc::clone(&app), auth::require_caller);
    let guarded = api
        .route("/metrics", get(crate::metrics::scrape))
        .route("/metrics/site/{site}", get(crate::metrics::scrape_site))
        .route("/sd", get(crate::metrics::discovery::targets))
        .route_layer(known);
    let open = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/openapi.json", get(async move || (**text).clone().map(json)));
    Router::new()
        .merge(guarded)
        .merge(open)
        .merge(crate::console::router(&app))
        .fallback(fallback)
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .layer(DefaultBodyLimit::max(app.body_max_bytes))
        .layer(middleware::from_fn(move |request, next| bound(timeout, request, next)))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), count))
        .with_state(app)
}

fn json(text: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text)
}

/// Returns whether a request brings a file of a case. How many come in at once is bounded (`case_files`).
fn is_upload(request: &Request) -> bool {
    let path = request.uri().path();
    let is_of_case = path.starts_with("/api/v1/cases/") || path.starts_with("/cases/");
    request.method() == Method::POST && is_of_case && path.ends_with("/evidence")
}

/// Ends a request that takes too long.
async fn bound(timeout: Duration, request: Request, next: Next) -> Response {
    // A file comes over a county's line.
    let timeout = if is_upload(&request) { timeout.max(UPLOAD_WITHIN) } else { timeout };
    let mut response = match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out().into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).saturating_sub(2);
    if let Some(counter) = app.counters.requests.get(class) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// Ready: the store takes records.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.centre.health().store_failure {
        None if app.centre.is_short_of_room() => {
            (StatusCode::SERVICE_UNAVAILABLE, "the disk is almost full: what agents report waits at the sites\n")
                .into_response()
        }
        None => "ready\n".into_response(),
        // The reason may name paths: it is in the log and not for everybody.
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store failed: see the log of onenetd\n").into_response(),
    }
}

async fn fallback(State(app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return Problem::not_found().into_response();
    }
    crate::console::not_found(&app, request.headers(), request.uri().query())
}
