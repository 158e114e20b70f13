//! Drills: a case as if something had been found.

use std::{net::IpAddr, sync::Arc};

use axum::extract::State;
use onenet_topology::{CaseId, Timestamp, incident::Severity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, JsonBody,
    cases::{opened, shown, word},
    effective, read_body, submit,
};
use crate::{
    access::{Action, Gate},
    api::{App, Params, Problem, body::CaseDetailBody},
    ingest,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(drill))
}

/// A drill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillBody {
    /// The site: its id or its division code.
    pub site: String,
    /// What would have been found, such as `port_scan`: a kind that detectors or the centre tell of, or a kind of incident.
    pub kind: String,
    /// About whom or what; the source where nothing is given.
    #[serde(default)]
    pub subject: String,
    /// How grave it would be: `general` by default.
    #[serde(default)]
    pub grade: Option<String>,
    /// Since when it would have been going on, RFC 3339; now by default.
    #[serde(default)]
    pub began: Option<String>,
    /// Whose traffic it would be: an address.
    #[serde(default)]
    pub source: Option<String>,
    /// Where to: an address.
    #[serde(default)]
    pub destination: Option<String>,
    /// To which port.
    #[serde(default)]
    pub port: Option<u16>,
    /// What is drilled.
    pub text: String,
}

/// Opens a case as if something had been found at a site. It goes the whole way of a case, is marked as a drill, and is in no
/// statistics.
#[utoipa::path(
    post, path = "/api/v1/drills", tag = "cases",
    request_body = DrillBody,
    responses((status = 200, body = CaseDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn drill(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<DrillBody>,
) -> Answer<CaseDetailBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    open(&app, &gate, body).await.and_then(|id| shown(&app, &gate, id))
}

/// Opens a drill in the caller's name.
pub(crate) async fn open(app: &App, gate: &Gate, body: DrillBody) -> Result<CaseId, Problem> {
    let (_, site) = gate.site(Action::ReviewCases, &body.site)?;
    let kinds: Vec<&'static str> = ingest::kinds().collect();
    let kind = word("kind", &body.kind, &kinds, |it| *it)?.to_owned();
    let grade = body.grade.as_deref().map(|text| word("grade", text, &Severity::ALL, |it| it.name())).transpose()?;
    let began = match body.began.as_deref() {
        Some(began) => {
            Timestamp::from_day_or_time(began).map_err(|error| Problem::parameter("began", error.to_string()))?
        }
        None => effective(gate, None)?,
    };
    let source = address("source", body.source.as_deref())?;
    let destination = address("destination", body.destination.as_deref())?;
    let subject = match body.subject.trim() {
        "" => source.map(|it| it.to_string()).unwrap_or_default(),
        subject => subject.to_owned(),
    };
    let (text, port, grade) = (body.text, body.port, grade.unwrap_or(Severity::General));
    let command = Command::Drill { site, kind, subject, grade, began, text, source, destination, port };
    opened(&submit(app, gate, command).await?)
}

fn address(name: &str, text: Option<&str>) -> Result<Option<IpAddr>, Problem> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let wrong = |text| Problem::parameter(name, format!("{text:?} is no address: write one such as 10.13.1.7"));
    text.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}
