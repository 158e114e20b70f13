//! Files of cases: brought by reviewers, and by units with the notice that they answer; handed out to be saved, never to be shown.
//!
//! Invariant: who may bring a file is known before a byte of it is taken; the command that names it follows when it is on disk, and is
//! carried through whether or not somebody still waits. What is handed out is what was brought, and nothing that a browser runs.

use std::{error::Error, str::FromStr, sync::Arc};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt as _, stream};
use onenet_topology::{
    CaseId, SiteId,
    case::{CaseAction, FILE_NAME_CHARS_MAX, FileHash, NewFile, Notice, NoticeNumber, file_name, media_of},
};
use tokio::io::AsyncReadExt as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer,
    cases::{refuse_several, shown, told},
    submit,
};
use crate::{
    access::{Action, Gate, audit::Outcome},
    api::{App, Params, Problem, body::CaseDetailBody, encode},
    case_files::{FileError, Incoming},
    flows::turnstile::Pass,
    record::Command,
};

/// How much of a file goes out at once.
const PART_BYTES: usize = 64 << 10;
/// Bytes of a refused request that are read to nowhere.
const PASSED_OVER_MAX: usize = 32 << 20;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(attach_file)).routes(routes!(get_file))
}

/// Somebody who may bring a file of a case.
pub(crate) struct Bringing {
    case: CaseId,
    site: SiteId,
    /// With which notice: where a unit does.
    notice: Option<NoticeNumber>,
    _pass: Pass<String>,
}

/// Attaches a file to a case: the body is the file as it is, of at most 8 MiB.
///
/// Whoever reviews the case attaches files that reviewers read; a unit that was notified attaches with its notice, and reads its own alone.
/// A case has at most 100 files of 64 MiB together, a notice 20 of 32 MiB; they are kept as long as the case, at least 190 days after it
/// was closed, and nobody can change or remove them. The content type is kept where it is one of a short list (images, PDF, text, CSV,
/// JSON, archives, captures, documents), else by the ending of the name. Refused where several centres share a log.
#[utoipa::path(
    post, path = "/api/v1/cases/{case}/evidence", tag = "cases",
    params(
        ("case" = String, Path, description = "Its id"),
        ("name" = String, Query, description = "What the file is called, of at most 120 characters; folders in front of it are left out"),
        ("notice" = Option<String>, Query, description = "The number of the notice that it belongs to, such as `2026-0007`: attached as its unit does"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = CaseDetailBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json", description = "The disk is full (507), or too many files come in (503): nothing was attached"),
    ),
)]
async fn attach_file(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(case): Path<String>,
    headers: HeaderMap,
    params: Params,
    body: Body,
) -> Answer<CaseDetailBody> {
    let gate = gate.for_change();
    let mut parts = body.into_data_stream();
    let id = sent(&app, &gate, (&case, &headers, params), &mut parts).await;
    if id.is_err() {
        pass_over(&mut parts).await;
    }
    shown(&app, &gate, id?)
}

async fn sent(
    app: &Arc<App>,
    gate: &Gate,
    (case, headers, mut params): (&str, &HeaderMap, Params),
    parts: &mut BodyDataStream,
) -> Result<CaseId, Problem> {
    // A form of another site can be sent with the cookie of a session, and looks like a file.
    if gate.caller().token.is_some() && !headers.contains_key(header::AUTHORIZATION) {
        return Err(Problem::forbidden("send the token itself; in the console, the page of the case takes files"));
    }
    let name = params.short_text("name", 4 * FILE_NAME_CHARS_MAX)?;
    let notice = params.parsed("notice")?;
    params.finish()?;
    let name = named(name.as_deref().unwrap_or_default())?;
    let told = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media = media_of(told, &name);
    let bringing = may_attach(app, gate, case, notice)?;
    brought(app, gate, bringing, (&name, media), parts).await
}

/// Reads what is still to come of a request that is refused, so that whoever sends it gets to read why; what has no end is hung up on.
pub(crate) async fn pass_over<E>(parts: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let mut bytes = 0;
    while let Some(Ok(part)) = parts.next().await
        && bytes < PASSED_OVER_MAX
    {
        bytes += part.len();
    }
}

/// Returns the name that is kept.
pub(crate) fn named(given: &str) -> Result<String, Problem> {
    file_name(given).ok_or_else(|| Problem::parameter("name", "is missing: say what the file is called"))
}

/// Returns the right to bring a file, before a byte of it is read.
///
/// # Errors
/// The caller may not, or files cannot be kept here.
pub(crate) fn may_attach(
    app: &App,
    gate: &Gate,
    case: &str,
    number: Option<NoticeNumber>,
) -> Result<Bringing, Problem> {
    let id = CaseId::from_str(case).ok();
    let seen = gate.view_after(app.centre.estate());
    let known = id.and_then(|id| seen.case(id));
    let of_unit = number.is_some() || known.is_some_and(|it| !seen.may(Action::ReviewCases, it.key.site));
    if of_unit && number.is_none() {
        refuse_several(&seen, id)?;
    }
    let right = if of_unit { Action::AnswerCases } else { Action::ReviewCases };
    let (_, site, case) = gate.thing(right, |_| {
        let known = known?;
        let told = || told(&seen, known, number).unwrap_or(known.key.site);
        Some((if of_unit { told() } else { known.key.site }, known.id))
    })?;
    let is_own = |it: &&Notice| it.to == site && it.ended.is_none() && number.is_none_or(|number| number == it.number);
    let notice = known.filter(|_| of_unit).and_then(|it| it.notices.iter().rev().find(is_own));
    if of_unit && notice.is_none() {
        let detail =
            "no notice of this case waits for you: it was closed, or has another number; see onenetd cases show";
        return Err(Problem::conflict(detail));
    }
    if app.centre.replication().is_some() {
        let detail = "several centres share a log, which carries no files: keep it where all of you reach it, and attach a text that says \
                      where, with its SHA-256";
        return Err(Problem::conflict(detail));
    }
    if app.centre.is_short_of_room() {
        return Err(problem(&FileError::NoRoom));
    }
    let principal = &gate.caller().principal.name;
    let pass = app.files.enter(principal).ok_or_else(|| problem(&FileError::Busy))?;
    Ok(Bringing { case, site, notice: notice.map(|it| it.number), _pass: pass })
}

/// Takes a file in, and attaches it in the caller's name.
///
/// # Errors
/// It cannot be taken in or attached; nothing of it is left then.
pub(crate) async fn brought<E: Into<Box<dyn Error + Send + Sync>>>(
    app: &Arc<App>,
    gate: &Gate,
    bringing: Bringing,
    (name, media): (&str, &'static str),
    parts: impl Stream<Item = Result<Bytes, E>>,
) -> Result<CaseId, Problem> {
    let mut incoming = app.centre.files().begin().await.map_err(|error| problem(&error))?;
    let mut parts = std::pin::pin!(parts);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| {
            tracing::debug!(error = %error.into(), "a file of a case broke off");
            Problem::body("the file broke off: send it again")
        })?;
        incoming.add(&part).await.map_err(|error| problem(&error))?;
    }
    if incoming.bytes() == 0 {
        return Err(Problem::body("the file is empty: send one that says something"));
    }
    let (case, name, app, gate) = (bringing.case, name.to_owned(), Arc::clone(app), gate.clone());
    // Whoever goes away meanwhile has it attached all the same, or not at all.
    let task = tokio::spawn(async move { attach(&app, &gate, bringing, (name, media), incoming).await });
    task.await.unwrap_or_else(|_| Err(Problem::internal()))?;
    Ok(case)
}

async fn attach(
    app: &App,
    gate: &Gate,
    bringing: Bringing,
    (name, media): (String, &str),
    incoming: Incoming,
) -> Result<(), Problem> {
    let bytes = incoming.bytes();
    // Held until it is decided whether a case names it.
    let (hash, pinned) = incoming.keep().await.map_err(|error| problem(&error))?;
    let file = NewFile { hash, name, bytes, media: media.to_owned(), fetched: false };
    let Bringing { case, site, notice, _pass } = bringing;
    let action = CaseAction::AttachFile { file, of_unit: notice.is_some() };
    let attached = submit(app, gate, Command::ActOnCase { site, case, action, notice }).await;
    drop(pinned);
    if attached.is_err() {
        let centre = app.centre.clone();
        // What is left is swept in some minutes.
        let _ = tokio::task::spawn_blocking(move || centre.files().sweep(|| centre.estate())).await;
    }
    attached.map(drop)
}

/// Returns what a file that cannot be kept or read is to whoever sent or wants it.
fn problem(error: &FileError) -> Problem {
    let detail = error.to_string();
    match error {
        FileError::Busy => Problem::unavailable(detail),
        FileError::TooLarge => Problem::large_file(detail),
        FileError::NoRoom => Problem::no_room(detail),
        FileError::Write { .. } | FileError::Lost { .. } => {
            tracing::error!(error = %crate::remote_write::with_causes(error), "a file of a case cannot be kept or read");
            Problem::unavailable(detail)
        }
    }
}

/// A file of a case, to be saved. Whoever fetches it, and when, is in the audit trail.
#[utoipa::path(
    get, path = "/api/v1/cases/{case}/evidence/{sha256}", tag = "cases",
    params(
        ("case" = String, Path, description = "Its id"),
        ("sha256" = String, Path, description = "SHA-256 of the file, in hexadecimal digits"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "The file, under its content type"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json", description = "Its bytes are not at this centre"),
    ),
)]
async fn get_file(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((case, hash)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let gate = gate.with_own_entry();
    let view = super::cases::anywhere(&gate)?;
    params.finish()?;
    let case = CaseId::from_str(&case).ok().and_then(|id| view.case(id));
    let found = case.zip(FileHash::from_str(&hash).ok());
    let found = found.and_then(|(case, hash)| Some((case, view.files(case).find(|it| it.file.hash == hash)?)));
    let Some((case, file)) = found else {
        gate.note(
            Action::ReadCases,
            case.map(|it| it.key.site),
            "a file of a case that is not shown",
            Outcome::Hidden,
        )?;
        return Err(Problem::not_found());
    };
    let file = &file.file;
    let opened = app.centre.files().read(file.hash).await;
    let outcome = if opened.is_ok() { Outcome::Done } else { Outcome::Failed };
    let subject = format!("{} file {} ({} bytes, SHA-256 {})", case.id, file.name, file.bytes, file.hash);
    let right = if file.fetched { Action::ReadFlows } else { Action::ReadCases };
    gate.note(right, Some(case.key.site), &subject, outcome)?;
    let opened = opened.map_err(|error| problem(&error))?;
    Ok((headers(file), Body::from_stream(parts(opened))).into_response())
}

/// Returns what makes browsers save a file and run nothing of it.
fn headers(file: &NewFile) -> HeaderMap {
    let plain: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", encode(&file.name));
    let given = [
        (header::CONTENT_TYPE, file.media.clone()),
        (header::CONTENT_LENGTH, file.bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?))).collect()
}

fn parts(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file, async |mut file| {
        let mut part = Vec::with_capacity(PART_BYTES);
        (&mut file).take(PART_BYTES as u64).read_to_end(&mut part).await?;
        Ok((!part.is_empty()).then(|| (Bytes::from(part), file)))
    })
}
