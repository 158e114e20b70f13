//! How the receiver is reached: HTTP/1.1 over one connection, with TLS where its address says so.
//!
//! Invariant: a request ends within [`TIMEOUT`], and an answer is read up to [`ANSWER_MAX`]. The token is read for each
//! connection, so that a new one in the file is used without a restart; it is in no log.

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
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::config::RemoteWriteConfig;

/// How long connection, request and answer may take together.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read: the reason of a refusal.
const ANSWER_MAX: usize = 64 << 10;
/// Characters of a reason that are told.
const REASON_MAX: usize = 300;
/// Whom the system trusts, where no authority is given.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A client of one receiver.
pub struct Client {
    url: Uri,
    token_file: Option<PathBuf>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    connection: Option<Connection>,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    token: Option<HeaderValue>,
}

/// What the receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
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
pub enum ClientError {
    /// A file cannot be used.
    #[error("{} cannot be used as {what}: check [remote_write] and the file's permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it was to be.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its name can stand in no certificate.
    #[error("{0:?} in [remote_write] url can stand in no certificate: write a host name or an IP address")]
    Name(String),
    /// No connection comes about.
    #[error("the receiver cannot be connected to: check that it runs, and [remote_write] url and authority")]
    Connect(#[source] io::Error),
    /// The connection breaks off.
    #[error("the connection to the receiver broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It takes too long.
    #[error("the receiver did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
}

impl Client {
    /// Returns a client; nothing is connected yet.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used.
    pub fn new(config: &RemoteWriteConfig) -> Result<Self, ClientError> {
        let tls = match config.url.scheme_str() {
            Some("https") => Some(tls(config)?),
            _ => None,
        };
        if let Some(path) = &config.token_file {
            token(path)?;
        }
        Ok(Self { url: config.url.clone(), token_file: config.token_file.clone(), tls, connection: None })
    }

    /// Sends a body. After an error the next call connects anew.
    ///
    /// Cancel safe: a request that is not waited for may or may not arrive.
    pub(super) async fn send(&mut self, body: Bytes) -> Result<Answer, ClientError> {
        let kept = self.connection.take().filter(|kept| kept.sender.is_ready());
        let (answer, connection) =
            timeout(TIMEOUT, self.exchange(kept, body)).await.map_err(|_| ClientError::Timeout)??;
        self.connection = connection;
        Ok(answer)
    }

    async fn exchange(
        &self,
        kept: Option<Connection>,
        body: Bytes,
    ) -> Result<(Answer, Option<Connection>), ClientError> {
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let request = self.request(connection.token.as_ref(), body)?;
        let response = connection.sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let said = said(body).await;
        // A body that was not read to its end leaves the connection unusable.
        let answer = judged(head.status, &head.headers, said.as_deref().unwrap_or_default());
        Ok((answer, said.map(|_| connection)))
    }

    fn request(&self, token: Option<&HeaderValue>, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        let path = self.url.path_and_query().map_or("/", |it| it.as_str());
        let host = self.url.authority().map_or("", |it| it.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, concat!("onenetd/", env!("CARGO_PKG_VERSION")))
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::CONTENT_ENCODING, "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        request.body(Full::new(body)).map_err(broken)
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let token = self.token_file.as_deref().map(token).transpose()?;
        let host = self.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let otherwise = if self.tls.is_some() { 443 } else { 80 };
        let address = (host, self.url.port_u16().unwrap_or(otherwise));
        let stream = TcpStream::connect(address).await.map_err(ClientError::Connect)?;
        stream.set_nodelay(true).map_err(ClientError::Connect)?;
        let sender = match &self.tls {
            None => http(stream).await?,
            Some((tls, name)) => http(tls.connect(name.clone(), stream).await.map_err(ClientError::Connect)?).await?,
        };
        Ok(Connection { sender, token })
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the sender; what breaks it is told to whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Reads an answer; `None` where it is too long or breaks off.
async fn said(body: Incoming) -> Option<String> {
    let bytes = Limited::new(body, ANSWER_MAX).collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    Some(text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(REASON_MAX).collect())
}

fn judged(status: StatusCode, headers: &HeaderMap, said: &str) -> Answer {
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

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Broken(error.into())
}

fn token(path: &Path) -> Result<HeaderValue, ClientError> {
    let failed = |source| ClientError::File { path: path.to_owned(), what: "a bearer token", source };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim())).map_err(|error| failed(error.into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn tls(config: &RemoteWriteConfig) -> Result<(TlsConnector, ServerName<'static>), ClientError> {
    let path = config.authority.as_deref().unwrap_or(Path::new(SYSTEM_AUTHORITIES));
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::File {
        path: path.to_owned(),
        what: "certificates of authorities",
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.into()))? {
        let certificate = certificate.map_err(|error| failed(error.into()))?;
        let added = roots.add(certificate);
        // The system's file may hold old ones that nobody can use; one that somebody gave has to serve.
        if config.authority.is_some() {
            added.map_err(|error| failed(error.into()))?;
        }
    }
    if roots.is_empty() {
        return Err(failed("it holds no certificate".into()));
    }
    let host = config.url.host().unwrap_or_default().trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ClientError::Name(host.to_owned()))?;
    let builder = rustls::ClientConfig::builder_with_provider(onenet_wire::tls::provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| failed(error.into()))?;
    let tls = builder.with_root_certificates(roots).with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(tls)), name))
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
