//! How the receiver of remote write is reached: over one connection, with a token where it wants one.
//!
//! Invariant: a request ends within [`TIMEOUT`].

use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request,
    client::conn::http1::SendRequest,
    header::{self, HeaderValue},
};
use tokio::time::timeout;

use crate::{
    config::RemoteWriteConfig,
    http_client::{Answer, HttpError, Receiver, TIMEOUT, bearer, broken, judged, said},
};

/// The section of the configuration.
const SECTION: &str = "remote_write";

/// A client of one receiver.
pub struct Client {
    receiver: Receiver,
    token_file: Option<PathBuf>,
    connection: Option<Connection>,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    token: Option<HeaderValue>,
}

impl Client {
    /// Returns a client; nothing is connected yet.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used.
    pub fn new(config: &RemoteWriteConfig) -> Result<Self, HttpError> {
        let receiver = Receiver::new(&config.url, config.authority.as_deref(), SECTION)?;
        if let Some(path) = &config.token_file {
            bearer(path, SECTION)?;
        }
        Ok(Self { receiver, token_file: config.token_file.clone(), connection: None })
    }

    /// Sends a body. After an error the next call connects anew.
    ///
    /// Cancel safe: a request that is not waited for may or may not arrive.
    pub(super) async fn send(&mut self, body: Bytes) -> Result<Answer, HttpError> {
        let kept = self.connection.take().filter(|kept| kept.sender.is_ready());
        let (answer, connection) =
            timeout(TIMEOUT, self.exchange(kept, body)).await.map_err(|_| HttpError::Timeout)??;
        self.connection = connection;
        Ok(answer)
    }

    async fn exchange(&self, kept: Option<Connection>, body: Bytes) -> Result<(Answer, Option<Connection>), HttpError> {
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

    fn request(&self, token: Option<&HeaderValue>, body: Bytes) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut request = self
            .receiver
            .post("")
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::CONTENT_ENCODING, "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        request.body(Full::new(body)).map_err(broken)
    }

    async fn connect(&self) -> Result<Connection, HttpError> {
        let token = self.token_file.as_deref().map(|path| bearer(path, SECTION)).transpose()?;
        Ok(Connection { sender: self.receiver.connect().await?, token })
    }
}
