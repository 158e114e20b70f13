//! Tests over a site's line, carried out on demand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{AgentId, ProbeTest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, read_body};
use crate::{
    access::{Action, Gate},
    api::{App, Problem, body::MeasurementBody},
    measurement::{self, NotMeasured, Wanted},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(measure))
}

/// A test to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMeasurementBody {
    /// The agent's name of the probe whose way is tested; one of kind `stamp`, with a reflector at its other end.
    #[schema(example = "parent")]
    pub probe: String,
    /// `media` or `throughput`.
    #[schema(example = "media")]
    pub test: String,
    /// The agent, where several of the site have a probe of this name.
    #[serde(default)]
    pub agent: Option<String>,
    /// Of throughput: what is sent at most, in kbit/s at the IP layer, within what the site allows; 1000 by default.
    #[serde(default)]
    pub kbit_per_s: Option<u32>,
    /// Of throughput: for how long, 1 to 10; 5 by default.
    #[serde(default)]
    pub seconds: Option<u32>,
}

/// Carries out a test over a line of a site, and waits for it: some twelve seconds.
///
/// `media` sends what a call sends, 50 packets a second for ten seconds, each way, and tells loss, delay, jitter and a mean opinion
/// score. `throughput` sends as much as was allowed, and tells how much of it came through each way. What was measured is among
/// the probe's samples afterwards. An agent carries out one test at a time.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/measurements", tag = "probes",
    params(("site" = String, Path, description = "An id or a division code")),
    request_body = NewMeasurementBody,
    responses(
        (status = 200, body = MeasurementBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json", description = "The agent did not do it: \
            agent-silent, agent-cut, agent-timed-out or agent-failed, with the reason"),
    ),
)]
async fn measure(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    body: JsonBody<NewMeasurementBody>,
) -> Answer<MeasurementBody> {
    let gate = gate.with_own_entry();
    let (_, site) = gate.site(Action::MeasureLines, &site)?;
    let body = read_body(&app, body)?;
    let test = ProbeTest::of(&body.test).filter(|test| *test != ProbeTest::Regular).ok_or_else(|| {
        Problem::parameter("test", format!("{:?} cannot be carried out: write media or throughput", body.test))
    })?;
    let agent = body.agent.as_deref().map(str::parse::<AgentId>).transpose();
    let agent = agent.map_err(|error| Problem::parameter("agent", error.to_string()))?;
    let (kbit_per_s, seconds) = (body.kbit_per_s.unwrap_or(0), body.seconds.unwrap_or(0));
    let wanted = Wanted { site, agent, probe: body.probe.clone(), test, kbit_per_s, seconds };
    let taken = measurement::carry_out(&app, &gate, wanted).await.map_err(|error| problem(&body.probe, error))?;
    Ok(Json(MeasurementBody::of(site, &taken)))
}

fn problem(probe: &str, error: NotMeasured) -> Problem {
    match error {
        NotMeasured::NoProbe => {
            let detail =
                format!("no agent of the site has a probe {probe:?}: GET /api/v1/sites/SITE/probes lists them");
            Problem::parameter("probe", detail)
        }
        NotMeasured::Several(agents) => {
            let agents: Vec<String> = agents.iter().map(ToString::to_string).collect();
            Problem::parameter("agent", format!("is wanted: {} have a probe {probe:?}", agents.join(" and ")))
        }
        NotMeasured::Unanswered(agent, why) => Problem::no_answer(agent, &why),
        NotMeasured::Unaudited(error) => Problem::unavailable(error.to_string()),
        NotMeasured::Internal => Problem::internal(),
    }
}
