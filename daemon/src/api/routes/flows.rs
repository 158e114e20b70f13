//! Flows of a site: who talked to whom, asked of its agents on demand.
//!
//! A question is a GET: it changes nothing, a page of it can be linked, and its reason is meant to be read by whoever is asked
//! about, so that it may stand in an address. What is asked has an entry of its own in the audit trail, and is shown at the site.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use hyper::header;
use onenet_topology::SiteId;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Denied, Gate, View, audit::Outcome},
    api::{App, Params, Problem, body::FlowsBody, flows},
    flows::capture::{CaptureQuestion, fetch, keeper},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_flows)).routes(routes!(capture))
}

/// What flows are asked for. All that is given must hold.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `flows::question` reads them")]
struct FlowParams {
    /// Why you ask, 4 to 200 characters on one line: it is in the audit trail, and shown at the site.
    reason: String,
    /// Flows with this end, whichever side it is: a MAC address, an IP address, a prefix, or the id of an endpoint of the site.
    endpoint: Option<String>,
    /// And with this at the other end.
    peer: Option<String>,
    /// With this port at either end.
    port: Option<u16>,
    /// With this IP protocol: a number, or a name such as tcp, udp or icmp.
    protocol: Option<String>,
    /// Of this application, such as dns, tls or smb.
    application: Option<String>,
    /// Flows that were going on at this time or later, RFC 3339, or a day; an hour before `until` by default.
    from: Option<String>,
    /// Flows that began before this; now by default.
    until: Option<String>,
    /// Flows of a page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Flows of a site, latest first, as its agents keep them.
///
/// The agents are asked over their lines, and answer within ten seconds or are told to be silent; a site may have several, and
/// where some answered, the others are named with the reason. Needs the right to read flows (security-reviewer); to everybody
/// else there is no such thing.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/flows", tag = "flows",
    params(("site" = String, Path, description = "An id or a division code"), FlowParams),
    responses(
        (status = 200, body = FlowsBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json", description = "No agent answered: \
            agent-silent, agent-cut, agent-timed-out or agent-failed, with the agent and since when"),
    ),
)]
async fn list_flows(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
) -> Answer<FlowsBody> {
    let (view, site) = allowed(&gate, &site)?;
    let question = asked(&gate, &view, site, params)?;
    let period = flows::period(&question);
    let named = view.site(site).map(|found| format!("{} {}", found.code(view.now()), found.name(view.now()).zh));
    let answer = crate::flows::put(&app, &gate, question).await;
    let answer = answer.map_err(|error| flows::unanswered_of(&named.unwrap_or_else(|| site.to_string()), error))?;
    Ok(Json(FlowsBody::of(&view, site, period, &answer)))
}

/// The packets around an anomaly, as the agent that found it saved them: a capture file (pcapng).
///
/// `file` is the `capture` of the anomaly's evidence. It is fetched over the site's line, part by part; an agent keeps 64 of
/// them, of at most 1 MiB each and 32 MiB together. When there is no more room, the oldest of the kind of which there are most goes; what was asked for once goes
/// last. The files of open cases the centre asks for at once, fetches slowly by itself and attaches, four of a case at most: see `files` of the case. Needs the right to read flows (security-reviewer); to everybody else there is no such thing.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/captures/{file}", tag = "anomalies",
    params(
        ("site" = String, Path, description = "An id or a division code"),
        ("file" = String, Path, description = "The name of the file, as the anomaly's evidence has it"),
        ("reason" = String, Query, description = "Why you ask, 4 to 200 characters on one line: it is in the audit trail, and shown at the site"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.tcpdump.pcap"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json", description = "The agent did not answer: \
            agent-silent, agent-cut, agent-timed-out or agent-failed, with the agent and since when"),
    ),
)]
async fn capture(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((site, file)): Path<(String, String)>,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let (view, site) = allowed(&gate, &site)?;
    let reason = flows::reason(&mut params).and_then(|reason| params.finish().map(|()| reason));
    let reason = noted(&gate, site, "capture", reason)?;
    let agent = view.inventory(site).and_then(|state| keeper(state, &file));
    let Some(agent) = agent else {
        gate.note(Action::ReadFlows, Some(site), "capture: no anomaly names such a file", Outcome::Refused)?;
        return Err(Problem::not_found());
    };
    let named = view.site(site).map(|found| format!("{} {}", found.code(view.now()), found.name(view.now()).zh));
    let question = CaptureQuestion { site, agent, file, reason };
    let bytes = fetch(&app, &gate, question).await;
    let bytes = bytes.map_err(|error| flows::unanswered_of(&named.unwrap_or_else(|| site.to_string()), error))?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap")], bytes))
}

/// Asks the gate. To whom flows are not shown they do not exist, also at a site that he knows of.
pub(crate) fn allowed(gate: &Gate, site: &str) -> Result<(View, SiteId), Problem> {
    gate.clone().with_own_entry().site(Action::ReadFlows, site).map_err(|denied| match denied {
        Denied::Forbidden(_) => Problem::not_found(),
        other => other.into(),
    })
}

/// Reads the question; one that cannot be put is in the trail too.
pub(crate) fn asked(gate: &Gate, view: &View, site: SiteId, params: Params) -> Result<crate::flows::Question, Problem> {
    noted(gate, site, "flows", flows::question(view, site, params))
}

/// Has what cannot be asked in the trail.
fn noted<T>(gate: &Gate, site: SiteId, of: &str, read: Result<T, Problem>) -> Result<T, Problem> {
    if let Err(problem) = &read {
        let what = problem.parameter.as_deref().unwrap_or("a parameter");
        gate.note(Action::ReadFlows, Some(site), &format!("{of}: {what} cannot be used"), Outcome::Refused)?;
    }
    read
}
