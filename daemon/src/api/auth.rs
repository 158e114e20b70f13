//! Who asks: from a request's bearer token, the console's session, or the local socket.
//!
//! Invariant: a request without a known caller reaches no handler of the API; a session's cookie alone never changes
//! anything (see `console`, which demands the form's own secret).

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, Problem, app::local_caller, params::decode};
use crate::access::{Caller, Gate, Role, Secret};

/// The header by which a caller on the local socket says in which role he acts; the roles stay apart there too.
pub const LOCAL_ROLE_HEADER: &str = "onenet-role";

/// The header by which he says who he is, percent-encoded. Whoever may open the socket may say what he likes: it is no proof.
pub const LOCAL_PERSON_HEADER: &str = "onenet-person";
/// Characters of a person's name.
const PERSON_CHARS_MAX: usize = 100;

/// Where a request came from. Set by the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// From the network.
    Remote(Arc<str>),
    /// Through the local socket, or from within the process: whoever may open the data directory.
    Local,
}

/// Lets known callers pass, and nobody else.
pub(super) async fn require_caller(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match identify(&app, request.extensions().get::<Peer>(), request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Returns who asks.
///
/// # Errors
/// Nobody known does.
pub fn identify(app: &App, peer: Option<&Peer>, headers: &HeaderMap) -> Result<Caller, Problem> {
    let source = match peer {
        Some(Peer::Local) => return local(headers),
        Some(Peer::Remote(address)) => address,
        None => "unknown",
    };
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer);
        let caller = token.and_then(|token| app.caller(&Secret::presented(token), source));
        return caller.ok_or_else(Problem::unauthorized);
    }
    let session =
        crate::console::session_cookie(headers).and_then(|secret| app.sessions.token(&secret, app.clock.now()));
    let caller = session.and_then(|token| {
        let estate = app.centre.estate();
        let token = estate.register.get(token).filter(|token| !token.is_expired(app.clock.now()))?;
        Some(Caller { principal: Arc::new(token.principal.clone()), token: Some(token.id), source: source.into() })
    });
    caller.ok_or_else(|| {
        app.note_stranger(source);
        Problem::unauthorized()
    })
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn local(headers: &HeaderMap) -> Result<Caller, Problem> {
    let asked = headers.get(LOCAL_ROLE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match asked.parse() {
        Ok(
            role @ (Role::SystemAdministrator | Role::SecurityAdministrator | Role::SecurityReviewer | Role::Operator),
        ) => person(headers).map(|person| local_caller(role, person.as_deref())),
        _ => Err(Problem::forbidden(format!(
            "the local socket serves four roles: send {LOCAL_ROLE_HEADER}: system-administrator, security-administrator, \
             security-reviewer or operator"
        ))),
    }
}

/// Returns who a local caller says that he is.
fn person(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(LOCAL_PERSON_HEADER) else { return Ok(None) };
    let name = decode(value.to_str().unwrap_or_default()).trim().to_owned();
    let is_name = (1..=PERSON_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_name {
        return Ok(Some(name));
    }
    let detail = format!("{name:?} is no name: give one of at most {PERSON_CHARS_MAX} characters (--by)");
    Err(Problem::forbidden(detail))
}

impl FromRequestParts<Arc<App>> for Gate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::unauthorized)?;
        let subject = parts.uri.path_and_query().map_or("", |it| it.as_str());
        let gate = app.gate(caller, &format!("{} {subject}", parts.method));
        Ok(if parts.method.is_safe() { gate } else { gate.for_change() })
    }
}
