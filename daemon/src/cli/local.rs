//! A request to the centre of a data directory: over its socket, or in this process when no daemon runs.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body};
use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use crate::{
    access::Role,
    api::{self, App, LOCAL_PERSON_HEADER, LOCAL_ROLE_HEADER, Peer},
    centre::{Centre, OpenError, Options},
    clock::Clock,
};

/// The most bytes of an answer: a list of all sites has some megabytes.
const ANSWER_MAX: usize = 64 << 20;
/// The most bytes of a request: a CSV file of all sites has some hundred KiB.
const BODY_MAX: usize = 64 << 20;
/// How long the centre may take: a backup of a large store takes a while.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The centre of a data directory, for whoever asks.
pub(super) struct Local {
    centre: Reached,
    /// The person who asks, as far as anybody says.
    person: Option<String>,
}

/// How the centre is reached.
enum Reached {
    /// A daemon runs.
    Socket(std::path::PathBuf),
    /// None does: the centre is opened here.
    Here {
        /// What serves requests.
        router: Router,
        /// What they share.
        app: Arc<App>,
    },
}

/// The centre did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is no centre there.
    #[error("there is no centre in {}: start it there, or name its directory with --data or --config", .0.display())]
    Nothing(std::path::PathBuf),
    /// The socket cannot be opened.
    #[error("the centre's socket {} cannot be opened: run this as the user that runs onenetd (or as root)", path.display())]
    Socket {
        /// The socket.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The answer broke off.
    #[error("the centre's answer broke off: see its log, and try again")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It refused.
    #[error("{0}")]
    Refused(String),
    /// It knows no such thing; where it looked.
    #[error("{0} (asked for {1})")]
    Absent(String, String),
}

impl Local {
    /// Finds the centre of a data directory; without a daemon it is opened when it exists, or when `make` is set.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub(super) async fn find(data: &Path, make: bool) -> Result<Self, LocalError> {
        let data = &of_quickstart(data);
        let path = api::socket_path(data);
        match UnixStream::connect(&path).await {
            Ok(_) => return Ok(Self::of(Reached::Socket(path))),
            // What a daemon that was killed leaves behind refuses.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {}
            Err(source) => return Err(LocalError::Socket { path, source }),
        }
        if !data.join("store").exists() {
            if !make {
                return Err(LocalError::Nothing(data.to_owned()));
            }
            // A mistyped folder would make a centre that nobody serves.
            let _ = writeln!(io::stderr(), "a new centre begins in {}", data.display());
        }
        let clock = Clock::system();
        let centre = Centre::open(data, Options::default()).await.map_err(LocalError::Open)?;
        let app = Arc::new(App::new(centre, clock, BODY_MAX, false));
        let router = api::router(Arc::clone(&app), TIMEOUT);
        Ok(Self::of(Reached::Here { router, app }))
    }

    const fn of(centre: Reached) -> Self {
        Self { centre, person: None }
    }

    /// Says who asks: the audit trail names him.
    pub(super) fn for_person(self, person: Option<String>) -> Self {
        Self { person, ..self }
    }

    /// Sends one request in the role of a local administrator, and returns the answer.
    ///
    /// # Errors
    /// It is refused, or the centre cannot be reached.
    pub(super) async fn ask(
        &self,
        role: Role,
        method: Method,
        path: &str,
        body: Request<Body>,
    ) -> Result<Value, LocalError> {
        let (status, bytes) = self.send(role, method, path, body).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) if status.is_success() => Ok(value),
            Ok(problem) => Err(refused(status, &problem, path)),
            // Tables and pages are no JSON.
            Err(_) if status.is_success() => Ok(Value::String(String::from_utf8(bytes.to_vec()).map_err(broken)?)),
            Err(error) => Err(broken(error)),
        }
    }

    /// Fetches a file in the role of a local administrator.
    ///
    /// # Errors
    /// It is refused, or the centre cannot be reached.
    pub(super) async fn fetch(&self, role: Role, path: &str) -> Result<Vec<u8>, LocalError> {
        let (status, bytes) = self.send(role, Method::GET, path, Request::new(Body::empty())).await?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        Err(refused(status, &serde_json::from_slice(&bytes).map_err(broken)?, path))
    }

    async fn send(
        &self,
        role: Role,
        method: Method,
        path: &str,
        body: Request<Body>,
    ) -> Result<(StatusCode, hyper::body::Bytes), LocalError> {
        let (mut head, body) = body.into_parts();
        head.method = method;
        head.uri = path.parse().map_err(|error: hyper::http::uri::InvalidUri| LocalError::Broken(error.into()))?;
        let role =
            role.name().parse().map_err(|error: hyper::header::InvalidHeaderValue| LocalError::Broken(error.into()))?;
        head.headers.insert(LOCAL_ROLE_HEADER, role);
        if let Some(person) = &self.person {
            // In percent-encoding: names are written in any letters.
            let person = api::encode(person).parse();
            let person = person.map_err(|error: hyper::header::InvalidHeaderValue| LocalError::Broken(error.into()))?;
            head.headers.insert(LOCAL_PERSON_HEADER, person);
        }
        head.headers.insert(hyper::header::HOST, hyper::header::HeaderValue::from_static("localhost"));
        let mut request = Request::from_parts(head, body);
        match &self.centre {
            Reached::Socket(path) => {
                let failed = |source| LocalError::Socket { path: path.clone(), source };
                let stream = UnixStream::connect(path).await.map_err(failed)?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
                // Ends with the sender.
                let connection = tokio::spawn(connection);
                let response = sender.send_request(request).await.map_err(broken)?;
                let answer = collected(response).await?;
                drop(sender);
                connection.abort();
                Ok(answer)
            }
            Reached::Here { router, .. } => {
                request.extensions_mut().insert(Peer::Local);
                let response = router.clone().oneshot(request).await.map_err(broken)?;
                collected(response).await
            }
        }
    }

    /// Lets go of the centre: what waits for the audit trail is written, and the store closed.
    pub(super) async fn close(self) {
        if let Reached::Here { app, .. } = self.centre {
            app.write_audit(true).await;
            app.centre.stop().await;
        }
    }
}

/// Returns where the centre of a directory is: quickstart, which prints the directory, keeps it in a folder of its own beside the
/// agent's.
fn of_quickstart(data: &Path) -> PathBuf {
    let within = data.join("centre");
    let is_quickstart = !data.join("store").exists() && within.join("store").exists();
    if is_quickstart { within } else { data.to_owned() }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LocalError {
    LocalError::Broken(error.into())
}

async fn collected<B>(response: Response<B>) -> Result<(StatusCode, hyper::body::Bytes), LocalError>
where
    B: hyper::body::Body<Data = hyper::body::Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(LocalError::Broken)?;
    Ok((status, body.to_bytes()))
}

fn refused(status: StatusCode, problem: &Value, path: &str) -> LocalError {
    // Whoever named several things has to learn which of them there is not.
    if status == StatusCode::NOT_FOUND {
        let asked_for = path.split('?').next().unwrap_or(path).to_owned();
        return LocalError::Absent(refusal(problem), asked_for);
    }
    LocalError::Refused(refusal(problem))
}

/// Returns a problem (RFC 9457) as one message.
fn refusal(problem: &Value) -> String {
    let text = |key| problem.get(key).and_then(Value::as_str);
    let detail = text("detail").unwrap_or("the centre gave no reason: see its log");
    text("parameter").map_or_else(|| detail.to_owned(), |parameter| format!("{parameter}: {detail}"))
}
