//! A channel: how one receiver is reached with one message.
//!
//! Invariant: secrets are read from their files (or the environment) for each message, so that a new one is used without a restart, and are
//! in no error and no log: neither are addresses, since those of robots are secrets. What a datagram or a stream was written to counts as told: syslog has
//! no answers.

use std::io;

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

use super::{cef, form, mail, takes, words::Words};
use crate::{
    api::encode,
    config::{ChannelConfig, HttpWay, MailWay, Route, Secret, Way},
    estate::Estate,
    http_client::{Answer, HttpError, Receiver, bearer_of, broken, judged, said, secret},
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
    /// By mail.
    #[error("the mail program cannot be run: check [[notify]] command")]
    Mail(#[source] io::Error),
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
            way.token.as_ref().map(bearer).transpose()?;
            way.secret.as_ref().map(signing_secret).transpose()?;
        }
        if let Way::Mail(way) = &config.way {
            mail::check(way)?;
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

    /// Returns whether it tells the contacts of sites what these are to do.
    pub const fn tells_contacts(&self) -> bool {
        matches!(&self.config.way, Way::Mail(way) if way.contacts)
    }

    /// Returns whether it is told of a message: for those who stand in its configuration, or for contacts of a site.
    pub(super) fn wants(&self, message: &Message, estate: &Estate) -> bool {
        match &self.config.way {
            // One that is for contacts may have no receivers of its own.
            Way::Mail(way) => !self.receivers(way, message, estate).is_empty(),
            _ => takes(self.route(), message, estate),
        }
    }

    /// Returns the contacts of a site whom it tells of a message.
    fn contacts<'m>(&self, message: &'m Message) -> &'m [String] {
        let tells = self.tells_contacts() && (self.route().drills || !message.drill);
        if tells { &message.contacts } else { &[] }
    }

    /// Returns to whom a mail goes, each once: whoever stands in the configuration, where he is told of such, and contacts of a site.
    fn receivers<'m>(&'m self, way: &'m MailWay, message: &'m Message, estate: &Estate) -> Vec<&'m str> {
        let told = if takes(self.route(), message, estate) { &way.to[..] } else { &[] };
        let mut receivers: Vec<&str> = Vec::new();
        for address in told.iter().chain(self.contacts(message)) {
            if !receivers.contains(&address.as_str()) {
                receivers.push(address);
            }
        }
        receivers
    }

    /// Sends a message.
    ///
    /// Cancel safe: one that is not waited for may or may not arrive.
    pub(super) async fn send(&self, message: &Message, estate: &Estate, now: Timestamp) -> Result<Answer, SendError> {
        let words = Words::of(self.config.language, message, estate);
        match &self.config.way {
            Way::Webhook(way) => webhook(way, message, &words).await.map_err(SendError::Http),
            Way::DingTalk(way) => {
                let signature = way.secret.as_ref().map(|secret| signed_query(secret, now)).transpose();
                robot(way, &signature.map_err(SendError::Http)?.unwrap_or_default(), &words)
                    .await
                    .map_err(SendError::Http)
            }
            Way::WeCom(way) => robot(way, "", &words).await.map_err(SendError::Http),
            Way::Mail(way) => {
                let to = self.receivers(way, message, estate);
                mail::send(way, &form::mail(message, &words, (&way.from, &to), &self.host))
                    .await
                    .map_err(SendError::Mail)
            }
            Way::Syslog { address, tcp, cef } => {
                let form = if *cef { cef::syslog } else { form::syslog };
                let line = form(message, &words, &self.host);
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
    if let Some(token) = &way.token {
        request = request.header(header::AUTHORIZATION, bearer(token)?);
    }
    if let Some(secret) = &way.secret {
        let signature = hex(signed(&signing_secret(secret)?, body.as_bytes()).as_ref());
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
    const WHAT: &str = "the address of a receiver";
    let Some(from) = &way.secret_url else { return Ok(way.url.clone().unwrap_or_default()) };
    let is_http = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    // The text is a secret.
    read(from, WHAT)?
        .parse()
        .ok()
        .filter(is_http)
        .ok_or_else(|| unusable(from, WHAT, "it holds no address of HTTP".into()))
}

fn bearer(from: &Secret) -> Result<header::HeaderValue, HttpError> {
    const WHAT: &str = "a bearer token";
    bearer_of(&read(from, WHAT)?).map_err(|source| unusable(from, WHAT, source))
}

fn signing_secret(from: &Secret) -> Result<String, HttpError> {
    read(from, "a secret to sign with")
}

/// Reads a secret.
fn read(from: &Secret, what: &'static str) -> Result<String, HttpError> {
    let name = match from {
        Secret::File(path) => return secret(path, what, SECTION),
        Secret::Environment(name) => name,
    };
    let text = std::env::var(name).map(|text| text.trim().to_owned()).ok().filter(|text| !text.is_empty());
    text.ok_or_else(|| HttpError::Variable { name: name.clone(), section: SECTION, what })
}

/// Returns the error that what stands there is not `what` it is to be.
fn unusable(from: &Secret, what: &'static str, source: Box<dyn std::error::Error + Send + Sync>) -> HttpError {
    match from {
        Secret::File(path) => HttpError::File { path: path.clone(), section: SECTION, what, source },
        Secret::Environment(name) => HttpError::Variable { name: name.clone(), section: SECTION, what },
    }
}

fn signed(secret: &str, what: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), what)
}

/// Returns the time and the signature that a robot of DingTalk wants in its address.
fn signed_query(from: &Secret, now: Timestamp) -> Result<String, HttpError> {
    let (secret, ms) = (signing_secret(from)?, now.unix_ms());
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
