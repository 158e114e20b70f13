//! A client of HTTP/1.1 for whoever sends something out of the centre: one connection to one receiver, with TLS where its address
//! says so.
//!
//! Invariant: an answer is read up to [`ANSWER_MAX`]; secrets are read for each connection, so that a new one in a file is used
//! without a restart, and are in no error and no log. It does not know what is sent.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{self, HeaderMap, HeaderValue},
    http::request,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// How long connection, request and answer may take together.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read: the reason of a refusal.
const ANSWER_MAX: usize = 64 << 10;
/// Characters of a reason that are told.
const REASON_MAX: usize = 300;
/// Whom the system trusts, where no authority is given.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A receiver of HTTP.
pub(crate) struct Receiver {
    url: Uri,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    section: &'static str,
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took everything.
    Taken,
    /// It refuses what the request carries, and says why.
    Refused(String),
    /// It may take it later.
    Later {
        /// What it says.
        why: String,
        /// How long it wants to be left alone.
        after: Option<Duration>,
    },
}

/// The receiver cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A file cannot be used.
    #[error("{} cannot be used as {what}: check [{section}] and the file's permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The section of the configuration that names it.
        section: &'static str,
        /// What it was to be.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A variable of the environment cannot be used.
    #[error("the environment has no {name} that can be used as {what}: check [{section}] and what starts the daemon")]
    Variable {
        /// Its name.
        name: String,
        /// The section of the configuration that names it.
        section: &'static str,
        /// What it was to be.
        what: &'static str,
    },
    /// Its name can stand in no certificate.
    #[error("{name:?} in [{section}] url can stand in no certificate: write a host name or an IP address")]
    Name {
        /// The name.
        name: String,
        /// The section of the configuration.
        section: &'static str,
    },
    /// No connection comes about.
    #[error("the receiver cannot be connected to: check that it runs, and [{section}] url and authority")]
    Connect {
        /// The section of the configuration.
        section: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection breaks off.
    #[error("the connection to the receiver broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It takes too long.
    #[error("the receiver did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
}

impl Receiver {
    /// Returns the receiver at an address that a section of the configuration gives; nothing is connected yet.
    ///
    /// # Errors
    /// The authorities cannot be used, or no certificate can be of such a name.
    pub(crate) fn new(url: &Uri, authority: Option<&Path>, section: &'static str) -> Result<Self, HttpError> {
        let tls = match url.scheme_str() {
            Some("https") => {
                let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
                let name = ServerName::try_from(host.to_owned());
                let name = name.map_err(|_| HttpError::Name { name: host.to_owned(), section })?;
                Some((connector(authority, section)?, name))
            }
            _ => None,
        };
        Ok(Self { url: url.clone(), tls, section })
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        let failed = |source| HttpError::Connect { section: self.section, source };
        let host = self.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let otherwise = if self.tls.is_some() { 443 } else { 80 };
        let address = (host, self.url.port_u16().unwrap_or(otherwise));
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        match &self.tls {
            None => http(stream).await,
            Some((tls, name)) => http(tls.connect(name.clone(), stream).await.map_err(failed)?).await,
        }
    }

    /// Returns the beginning of a request that posts something; `query` is added to that of the address.
    pub(crate) fn post(&self, query: &str) -> request::Builder {
        let path = self.url.path_and_query().map_or("/", |it| it.as_str());
        let host = self.url.authority().map_or("", |it| it.as_str());
        Request::builder()
            .method(Method::POST)
            .uri(format!("{path}{query}"))
            .header(header::HOST, host)
            .header(header::USER_AGENT, concat!("onenetd/", env!("CARGO_PKG_VERSION")))
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, HttpError> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the sender; what breaks it is told to whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Reads an answer; `None` where it is too long or breaks off.
pub(crate) async fn said(body: Incoming) -> Option<String> {
    let bytes = Limited::new(body, ANSWER_MAX).collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    Some(text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(REASON_MAX).collect())
}

/// Returns what an answer means for what was sent.
pub(crate) fn judged(status: StatusCode, headers: &HeaderMap, said: &str) -> Answer {
    let why = || format!("{status}: {}", said.trim());
    match status {
        _ if status.is_success() => Answer::Taken,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Answer::Refused(why())
        }
        _ => {
            let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Answer::Later { why: why(), after: after.map(Duration::from_secs) }
        }
    }
}

pub(crate) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> HttpError {
    HttpError::Broken(error.into())
}

/// Reads the token of a file as a header that no log shows.
pub(crate) fn bearer(path: &Path, section: &'static str) -> Result<HeaderValue, HttpError> {
    let text = secret(path, "a bearer token", section)?;
    bearer_of(&text).map_err(|source| HttpError::File {
        path: path.to_owned(),
        section,
        what: "a bearer token",
        source,
    })
}

/// Returns a token as a header that no log shows.
pub(crate) fn bearer_of(token: &str) -> Result<HeaderValue, Box<dyn std::error::Error + Send + Sync>> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the secret of a file, without the blanks around it.
pub(crate) fn secret(path: &Path, what: &'static str, section: &'static str) -> Result<String, HttpError> {
    let failed = |source| HttpError::File { path: path.to_owned(), section, what, source };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    let text = text.trim();
    if text.is_empty() { Err(failed("it is empty".into())) } else { Ok(text.to_owned()) }
}

/// Returns what speaks TLS with receivers whose certificates are of these authorities, or of those that the system trusts.
pub(crate) fn connector(authority: Option<&Path>, section: &'static str) -> Result<TlsConnector, HttpError> {
    let path = authority.unwrap_or(Path::new(SYSTEM_AUTHORITIES));
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| HttpError::File {
        path: path.to_owned(),
        section,
        what: "certificates of authorities",
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.into()))? {
        let certificate = certificate.map_err(|error| failed(error.into()))?;
        let added = roots.add(certificate);
        // The system's file may hold old ones that nobody can use; one that somebody gave has to serve.
        if authority.is_some() {
            added.map_err(|error| failed(error.into()))?;
        }
    }
    if roots.is_empty() {
        return Err(failed("it holds no certificate".into()));
    }
    let builder = rustls::ClientConfig::builder_with_provider(onenet_wire::tls::provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| failed(error.into()))?;
    let tls = builder.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(tls)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_about_the_samples_themselves_gives_them_up() {
        let mut headers = HeaderMap::new();
        for taken in [200, 204] {
            assert_eq!(judged(StatusCode::from_u16(taken).unwrap(), &headers, ""), Answer::Taken);
        }
        for refused in [400, 413, 422] {
            let answer = judged(StatusCode::from_u16(refused).unwrap(), &headers, "out of bounds\n");
            assert!(matches!(&answer, Answer::Refused(why) if why.ends_with(": out of bounds")), "{answer:?}");
        }
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        for later in [301, 401, 403, 404, 429, 500, 503] {
            let answer = judged(StatusCode::from_u16(later).unwrap(), &headers, "no");
            let Answer::Later { after, .. } = answer else { panic!("{later}: {answer:?}") };
            assert_eq!(after, Some(Duration::from_secs(7)));
        }
    }
}
