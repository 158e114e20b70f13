//! `onenetd cases attach` and `file`: files of a case, brought and fetched.

use std::path::Path;

use axum::body::Body;
use hyper::{Method, Request, header};
use onenet_topology::case::{FILE_BYTES_MAX, media_of};
use serde_json::{Value, json};

use super::{
    super::{
        DataArgs,
        commands::{CommandError, ask_as, found, read, say, text, with_json, write_new},
        local::LocalError,
    },
    AttachArgs, path,
};
use crate::{access::Role, api::encode};

/// Attaches the text, then one file after the other, and says of each what became of it.
pub(super) async fn attach(args: AttachArgs) -> Result<(), CommandError> {
    let AttachArgs { case, files, text, notice, data } = args;
    if let Some(text) = text {
        let body = with_json(&json!({ "action": "attach", "text": text }));
        let route = format!("{}/actions", path(&case));
        ask_as(&data, Role::SecurityReviewer, Method::POST, &route, body).await?;
        say(&format!("{case}: the text is attached"))?;
    }
    for file in &files {
        let sent = one(file, (&case, notice.as_deref()), &data).await?;
        say(&sent)?;
    }
    Ok(())
}

async fn one(file: &Path, (case, notice): (&str, Option<&str>), data: &DataArgs) -> Result<String, CommandError> {
    let size = std::fs::metadata(file).map_err(|source| CommandError::Read { path: file.to_owned(), source })?.len();
    if size > FILE_BYTES_MAX {
        let told =
            format!("{} has {size} bytes, and a file may have {FILE_BYTES_MAX}: send a smaller one", file.display());
        return Err(LocalError::Refused(told).into());
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = notice.map(|it| format!("&notice={}", encode(it))).unwrap_or_default();
    let route = format!("{}/evidence?name={}{number}", path(case), encode(&name));
    let role = if notice.is_some() { Role::Operator } else { Role::SecurityReviewer };
    let mut request = Request::new(Body::from(read(file)?));
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_of("", &name)));
    let answer = ask_as(data, role, Method::POST, &route, request).await?;
    let attached = answer.pointer("/files").and_then(Value::as_array).and_then(|files| files.last()).map(line);
    Ok(attached.unwrap_or_else(|| format!("  file      {name}")))
}

/// Fetches a file to where it is wanted.
pub(super) async fn fetch((case, sha256): (&str, &str), to: &Path, data: &DataArgs) -> Result<(), CommandError> {
    let route = format!("{}/evidence/{}", path(case), encode(sha256));
    let centre = found(data, false).await?;
    let fetched = centre.fetch(Role::SecurityReviewer, &route).await;
    centre.close().await;
    write_new(to, &fetched?)
}

/// Returns a file of a case in a line.
pub(super) fn line(file: &Value) -> String {
    let [name, sha256, time, by, notice] = ["/name", "/sha256", "/time", "/by", "/notice"].map(|key| text(file, key));
    let bytes = file.pointer("/bytes").and_then(Value::as_u64).unwrap_or_default();
    let notice = if notice.is_empty() { String::new() } else { format!(", notice {notice}") };
    format!("  file      {name}: {bytes} bytes, SHA-256 {sha256}, {time} {by}{notice}")
}
