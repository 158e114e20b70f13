//! A channel: how one receiver is reached with one message.
//!
//! Invariant: secrets are read from their files for each message, so that a new one is used without a restart, and are in no error and
//! no log: neither are addresses, since those of robots are secrets. What a datagram or a stream was written to counts as told: syslog has
//! no answers.

use std::{io, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Uri, header};
use onenet_topology::Timestamp;
use ring::hmac;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket, lookup_host},
};

use super::{form, words::Words};
use crate::{
    api::encode,
    config::{ChannelConfig, HttpWay, Route, Way},
    estate::Estate,
    http_client::{Answer, HttpError, Receiver, bearer, broken, judged, said, secret},
    outbox::Message,
};

/// The section of the configuration.
const SECTION: &str = "[notify]";
/// Where the kernel says how this machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// A channel.
#[derive(Debug)]
pub struct Channel {
    config: ChannelConfig,
    /// How this machine is called, for syslog.
    host: String,
}

/// A message cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// By HTTP.
    #[error(transparent)]
    Http(HttpError),
    /// To a receiver of syslog.
    #[error("the receiver of syslog cannot be reached: check [[notify]] address")]
    Syslog(#[source] io::Error),
}

impl Channel {
    /// Returns a channel; nothing is connected yet.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used.
    pub fn new(config: &ChannelConfig) -> Result<Self, HttpError> {
        if let Way::Webhook(way) | Way::DingTalk(way) | Way::WeCom(way) = &config.way {
            Receiver::new(&address(way)?, way.authority.as_deref(), SECTION)?;
            way.token_file.as_deref().map(|path| bearer(path, SECTION)).transpose()?;
            way.secret_file.as_deref().map(signing_secret).transpose()?;
        }
        let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
        Ok(Self { config: config.clone(), host: form::syslog_name(host.trim()) })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Returns what it is told of.
    pub const fn route(&self) -> &Route {
        &self.config.route
    }

    /// Sends a message.
    ///
    /// Cancel safe: one that is not waited for may or may not arrive.
    pub(super) async fn send(&self, message: &Message, estate: &Estate, now: Timestamp) -> Result<Answer, SendError> {
        let words = Words::of(self.config.language, message, estate);
        match &self.config.way {
            Way::Webhook(way) => webhook(way, message, &words).await.map_err(SendError::Http),
            Way::DingTalk(way) => {
                let signature = way.secret_file.as_deref().map(|path| signed_query(path, now)).transpose();
                robot(way, &signature.map_err(SendError::Http)?.unwrap_or_default(), &words)
                    .await
                    .map_err(SendError::Http)
            }
            Way::WeCom(way) => robot(way, "", &words).await.map_err(SendError::Http),
            Way::Syslog { address, tcp } => {
                let line = form::syslog(message, &words, &self.host);
                syslog(address, *tcp, line.as_bytes()).await.map_err(SendError::Syslog)?;
                Ok(Answer::Taken)
            }
        }
    }
}

async fn webhook(way: &HttpWay, message: &Message, words: &Words) -> Result<Answer, HttpError> {
    let url = address(way)?;
    let receiver = Receiver::new(&url, way.authority.as_deref(), SECTION)?;
    let body = form::webhook(message, words);
    let mut request = receiver
        .post("")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", message.id.to_string());
    if let Some(path) = &way.token_file {
        request = request.header(header::AUTHORIZATION, bearer(path, SECTION)?);
    }
    if let Some(path) = &way.secret_file {
        let signature = hex(signed(&signing_secret(path)?, body.as_bytes()).as_ref());
        request = request.header("x-onenet-signature", format!("sha256={signature}"));
    }
    let (status, headers, said) = exchanged(&receiver, request, body).await?;
    Ok(judged(status, &headers, &said))
}

/// Tells a robot, which answers with an error in the body where there is one.
async fn robot(way: &HttpWay, query: &str, words: &Words) -> Result<Answer, HttpError> {
    let receiver = Receiver::new(&address(way)?, way.authority.as_deref(), SECTION)?;
    let request = receiver.post(query).header(header::CONTENT_TYPE, "application/json");
    let (status, headers, said) = exchanged(&receiver, request, form::robot(words)).await?;
    Ok(match judged(status, &headers, &said) {
        Answer::Taken => form::robot_answer(&said),
        otherwise => otherwise,
    })
}

async fn exchanged(
    receiver: &Receiver,
    request: hyper::http::request::Builder,
    body: String,
) -> Result<(hyper::StatusCode, header::HeaderMap, String), HttpError> {
    let request = request.body(Full::new(Bytes::from(body))).map_err(broken)?;
    let response = receiver.connect().await?.send_request(request).await.map_err(broken)?;
    let (head, body) = response.into_parts();
    Ok((head.status, head.headers, said(body).await.unwrap_or_default()))
}

/// Returns where a receiver of HTTP is.
fn address(way: &HttpWay) -> Result<Uri, HttpError> {
    let Some(path) = &way.url_file else { return Ok(way.url.clone().unwrap_or_default()) };
    let text = secret(path, "the address of a receiver", SECTION)?;
    let is_http = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    text.parse().ok().filter(is_http).ok_or_else(|| HttpError::File {
        path: path.clone(),
        section: SECTION,
        what: "the address of a receiver",
        // The text is a secret.
        source: "it holds no address of HTTP".into(),
    })
}

fn signing_secret(path: &Path) -> Result<String, HttpError> {
    secret(path, "a secret to sign with", SECTION)
}

fn signed(secret: &str, what: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), what)
}

/// Returns the time and the signature that a robot of DingTalk wants in its address.
fn signed_query(path: &Path, now: Timestamp) -> Result<String, HttpError> {
    let (secret, ms) = (signing_secret(path)?, now.unix_ms());
    let signature = BASE64.encode(signed(&secret, format!("{ms}\n{secret}").as_bytes()));
    Ok(format!("&timestamp={ms}&sign={}", encode(&signature)))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn syslog(address: &str, tcp: bool, line: &[u8]) -> io::Result<()> {
    if tcp {
        let mut stream = TcpStream::connect(address).await?;
        // RFC 6587, 3.4.1: octet counting.
        stream.write_all(format!("{} ", line.len()).as_bytes()).await?;
        stream.write_all(line).await?;
        return stream.shutdown().await;
    }
    let to = lookup_host(address).await?.next().ok_or_else(|| io::Error::other("the name has no address"))?;
    let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    UdpSocket::bind(from).await?.send_to(line, to).await.map(|_| ())
}
