//! Errors as the API tells them (RFC 9457): what is wrong, with which parameter, and what to do about it.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Denied, audit::Overflow};

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Which sort of problem: stable, to be compared by programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:onenet:invalid-parameter")]
    pub kind: String,
    /// The sort of problem in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, and what to do about it.
    pub detail: String,
    /// The parameter that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:onenet:{kind}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            parameter: None,
        }
    }

    /// There is no such thing, or none for this caller.
    pub fn not_found() -> Self {
        let detail = "there is no such thing, or your roles do not show it: check the id and ask for what is listed";
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// Who asks is not known.
    pub fn unauthorized() -> Self {
        let detail = "send `Authorization: Bearer TOKEN` with a living token; your security administrator makes one \
                      with `onenetd token create`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Who asks is not known", detail)
    }

    /// The caller may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// A parameter is wrong; `detail` says what to write instead.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is wrong", detail);
        Self { parameter: Some(name.to_owned()), ..problem }
    }

    /// The body cannot be used.
    pub fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-body", "The body is wrong", detail)
    }

    /// A JSON body cannot be used.
    pub fn rejected_json(rejection: &JsonRejection, limit: usize) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large(limit);
        }
        Self::body(format!("{}: send JSON as /api/v1/openapi.json describes it", rejection.body_text()))
    }

    /// The disk has no room for what is sent.
    pub fn no_room(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "no-room", "No room", detail)
    }

    /// A file is larger than one may be.
    pub fn large_file(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "file-too-large", "The file is too large", detail)
    }

    /// What is asked contradicts what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It cannot be done as things are", detail)
    }

    /// The thing is there and cannot be asked this way.
    pub fn wrong_method() -> Self {
        let detail = "this path has no such method: /api/v1/openapi.json lists the methods of each path";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "The method is wrong", detail)
    }

    /// The body is too large.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("the body has more than {limit} bytes: send less at a time, or raise api.body_max_kib");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    /// It took too long.
    pub fn timed_out() -> Self {
        let detail = "the request took longer than api.timeout_s: ask for less, such as a smaller limit or one site";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timed-out", "It took too long", detail)
    }

    /// The centre cannot answer at present.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not at present", detail)
    }

    /// Agents of a site could not be asked, or did not answer.
    pub(super) fn agents(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(status, kind, title, detail)
    }

    /// Something of ours failed; the log says what.
    pub fn internal() -> Self {
        let detail = "the centre failed to answer; its log says why: report that to whoever runs it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The centre failed", detail)
    }

    /// Returns which sort of problem, without what is the same for all: `conflict`, say.
    pub fn code(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Hidden => Self::not_found(),
            Denied::Forbidden(_) => Self::forbidden(denied.to_string()),
            Denied::Unaudited(overflow) => overflow.into(),
        }
    }
}

impl From<Overflow> for Problem {
    fn from(overflow: Overflow) -> Self {
        Self::unavailable(overflow.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self)).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
