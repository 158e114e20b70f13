//! What only whoever may open the data directory can do, through the local socket: backup and export to a file.

use std::{
    fs::OpenOptions,
    io::BufWriter,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Gate, audit::Outcome},
    api::{App, Params, Problem},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(back_up)).routes(routes!(export))
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetBody {
    /// The whole path of a file on the centre's machine, which must not exist.
    #[schema(value_type = String)]
    pub path: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct WrittenBody {
    /// The file.
    #[schema(value_type = String)]
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
}

/// Writes a consistent backup, private keys included, to a file on the centre's machine. Local socket only.
#[utoipa::path(
    post, path = "/api/v1/backup", tag = "system",
    request_body = TargetBody,
    responses((status = 200, body = WrittenBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn back_up(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    Json(target): Json<TargetBody>,
) -> Answer<WrittenBody> {
    allow(&gate, &target)?;
    params.finish()?;
    let done = app.centre.backup(&target.path).await.map_err(|error| with_causes(&error));
    finish(&gate, "backup", target.path, done)
}

/// Writes the store as text, without private keys, to a file on the centre's machine. Local socket only.
#[utoipa::path(
    post, path = "/api/v1/export", tag = "system",
    request_body = TargetBody,
    responses((status = 200, body = WrittenBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn export(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    Json(target): Json<TargetBody>,
) -> Answer<WrittenBody> {
    allow(&gate, &target)?;
    params.finish()?;
    let path = target.path.clone();
    let opened =
        tokio::task::spawn_blocking(move || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
    let opened = opened.await.map_err(|_| Problem::internal())?;
    let done = match opened {
        Ok(file) => app.centre.export(BufWriter::new(file)).await.map(drop).map_err(|error| with_causes(&error)),
        Err(error) => Err(format!("{} cannot be made: {error}; give the path of a new file", target.path.display())),
    };
    finish(&gate, "export", target.path, done)
}

/// Lets local callers pass who may do it: a path on the centre's machine is nothing for the network.
fn allow(gate: &Gate, target: &TargetBody) -> Result<(), Problem> {
    if gate.caller().token.is_some() {
        gate.note(Action::Backup, None, "backup over the network", Outcome::Forbidden)?;
        let detail = "files are written through the local socket alone: run onenetd backup on the centre's machine";
        return Err(Problem::forbidden(detail));
    }
    gate.system(Action::Backup)?;
    if target.path.is_absolute() {
        Ok(())
    } else {
        Err(Problem::parameter(
            "path",
            format!("{} depends on where the centre was started: write the whole path", target.path.display()),
        ))
    }
}

fn finish(gate: &Gate, what: &str, path: PathBuf, done: Result<(), String>) -> Answer<WrittenBody> {
    let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
    gate.note(Action::Backup, None, &format!("{what} to {}", path.display()), outcome)?;
    done.map_err(Problem::unavailable)?;
    Ok(Json(WrittenBody { size_bytes: size_of(&path), path }))
}

fn size_of(path: &Path) -> u64 {
    path.metadata().map(|metadata| metadata.len()).unwrap_or_default()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
