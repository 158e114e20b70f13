//! What only whoever may open the data directory can do, through the local socket: backup and export to a file.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter},
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
    let backup = async |path: PathBuf| app.centre.backup(&path).await.map_err(|error| with_causes(&error));
    write(&gate, params, target, "backup", backup).await
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
    write(&gate, params, target, "export", async |path| export_to(&app, path).await).await
}

async fn export_to(app: &App, path: PathBuf) -> Result<(), String> {
    let to = path.clone();
    let opened =
        tokio::task::spawn_blocking(move || OpenOptions::new().write(true).create_new(true).mode(0o600).open(to));
    let failed = |error: io::Error| format!("{} cannot be made: {error}; give the path of a new file", path.display());
    let file = opened.await.map_err(io::Error::from).flatten().map_err(failed)?;
    app.centre.export(BufWriter::new(file)).await.map(drop).map_err(|error| with_causes(&error))
}

/// Has a file written by whoever may, and notes what came of it.
async fn write(
    gate: &Gate,
    params: Params,
    target: TargetBody,
    what: &str,
    written: impl AsyncFnOnce(PathBuf) -> Result<(), String>,
) -> Answer<WrittenBody> {
    allow(gate, &target)?;
    params.finish()?;
    let path = target.path;
    let done = written(path.clone()).await;
    let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
    gate.note(Action::Backup, None, &format!("{what} to {}", path.display()), outcome)?;
    done.map_err(Problem::unavailable)?;
    Ok(Json(WrittenBody { size_bytes: size_of(&path), path }))
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

fn size_of(path: &Path) -> u64 {
    path.metadata().map(|metadata| metadata.len()).unwrap_or_default()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
