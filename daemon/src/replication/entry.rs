//! Records as they stand in the shared log: protobuf, packed, sealed.
//!
//! Invariant: what is read back equals what was written; fields are added with new numbers, never changed or used again. An entry
//! counts only with the seal of this centre's authority: whoever may write into the log of the NATS servers, but does not have the
//! authority's key, changes nothing.
//!
//! # Format
//!
//! ```text
//! entry = version:1 (1), zlib of a protobuf `Message`, seal:32
//! seal  = HMAC-SHA256 of everything in front of it; key = HMAC-SHA256(the authority's private key, "onenet log 1 " + stream)
//! ```

use std::{
    io::{self, Read as _, Write as _},
    sync::Arc,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use onenet_topology::{AgentId, DrillId, SiteId, Timestamp, address::PlanRow, asset::AssetRow, site::SiteRow};
use onenet_wire::{Batch, Clocks, Position, tls::Fingerprint, v1};
use prost::{Message as _, Oneof};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{
    access::audit,
    estate::{Certificate, Change},
    outbox::MessageId,
    record::{Body, Command, Greeting, NewSite, Report},
    store::Ended,
};

const VERSION: u8 = 1;
const SEAL_BYTES: usize = 32;
/// The most that an entry may unpack to, in bytes: far above what the wire, the API and a tick's part let grow.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// What seals and checks entries.
#[derive(Debug, Clone)]
pub(crate) struct Seal(hmac::Key);

/// Why an entry does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    /// It is not sealed by this centre's authority.
    #[error("it is not sealed by this centre's authority")]
    Seal,
    /// It is of a later version.
    #[error("it is of version {0}, and this onenetd reads version {VERSION}: update it")]
    Version(u8),
    /// It cannot be read though it is sealed: a replica of another version wrote it.
    #[error("it cannot be read ({0}): bring all replicas to the same version")]
    Content(String),
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Which replica wrote it.
    pub(crate) writer: String,
    /// Which start of it.
    pub(crate) incarnation: u64,
    /// The how-manieth of that start, from 1.
    pub(crate) number: u64,
    /// By what rules it plans ([`super::rules`]).
    pub(crate) rules: u64,
    /// What it says.
    pub(crate) content: Content,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// The log begins here, behind this position of the centre's own.
    Founded(u64),
    /// A record.
    Record(Body),
    /// What a tick changes for good, or a part of it.
    Concluded(Concluded),
}

/// A part of what a tick changes for good.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Concluded {
    /// The position of the tick.
    pub(crate) of: u64,
    /// Which part, from 0.
    pub(crate) part: u32,
    /// How many there are.
    pub(crate) parts: u32,
    /// The changes.
    pub(crate) changes: Vec<Change>,
}

#[derive(prost::Message)]
struct Message {
    #[prost(string, tag = "1")]
    writer: String,
    #[prost(fixed64, tag = "2")]
    incarnation: u64,
    #[prost(uint64, tag = "3")]
    number: u64,
    /// The stream on which an agent said it.
    #[prost(uint64, optional, tag = "4")]
    stream: Option<u64>,
    #[prost(fixed64, tag = "5")]
    agent: u64,
    #[prost(fixed64, tag = "6")]
    rules: u64,
    #[prost(oneof = "Kind", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26")]
    kind: Option<Kind>,
}

#[derive(Oneof)]
enum Kind {
    #[prost(uint64, tag = "10")]
    Founded(u64),
    #[prost(message, tag = "11")]
    Report(ReportMessage),
    #[prost(message, tag = "12")]
    Hello(HelloMessage),
    #[prost(message, tag = "13")]
    Heard(HeardMessage),
    #[prost(bool, tag = "14")]
    Disconnected(bool),
    #[prost(message, tag = "15")]
    Unacceptable(v1::LanePosition),
    #[prost(uint64, tag = "16")]
    Configured(u64),
    #[prost(message, tag = "17")]
    ConfigurationRefused(RefusedMessage),
    /// JSON.
    #[prost(bytes, tag = "18")]
    Command(Vec<u8>),
    /// JSON.
    #[prost(bytes, tag = "19")]
    Audit(Vec<u8>),
    #[prost(bool, tag = "20")]
    Started(bool),
    #[prost(bool, tag = "21")]
    Tick(bool),
    #[prost(bool, tag = "22")]
    Resumed(bool),
    /// JSON.
    #[prost(bytes, tag = "23")]
    Passed(Vec<u8>),
    #[prost(message, tag = "24")]
    Concluded(ConcludedMessage),
    #[prost(uint64, tag = "25")]
    Relayed(u64),
    #[prost(message, tag = "26")]
    Drilled(DrilledMessage),
}

#[derive(prost::Message)]
struct ReportMessage {
    #[prost(fixed64, tag = "1")]
    site: u64,
    #[prost(message, optional, tag = "2")]
    batch: Option<v1::Batch>,
}

#[derive(prost::Message)]
struct HelloMessage {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(message, optional, tag = "2")]
    clocks: Option<v1::Clocks>,
    #[prost(int64, tag = "3")]
    received_ms: i64,
    #[prost(uint64, tag = "4")]
    configuration_revision: u64,
    /// SHA-256 of the certificate; empty where there was none.
    #[prost(bytes, tag = "5")]
    fingerprint: Vec<u8>,
    #[prost(int64, tag = "6")]
    expires_ms: i64,
}

#[derive(prost::Message)]
struct HeardMessage {
    #[prost(message, optional, tag = "1")]
    clocks: Option<v1::Clocks>,
    #[prost(int64, tag = "2")]
    received_ms: i64,
    #[prost(uint64, tag = "3")]
    history_waiting: u64,
}

#[derive(prost::Message)]
struct RefusedMessage {
    #[prost(uint64, tag = "1")]
    revision: u64,
    #[prost(string, tag = "2")]
    reason: String,
}

#[derive(prost::Message)]
struct DrilledMessage {
    #[prost(fixed64, tag = "1")]
    drill: u64,
    #[prost(string, optional, tag = "2")]
    refused: Option<String>,
}

#[derive(prost::Message)]
struct ConcludedMessage {
    #[prost(uint64, tag = "1")]
    of: u64,
    #[prost(uint32, tag = "2")]
    part: u32,
    #[prost(uint32, tag = "3")]
    parts: u32,
    /// JSON.
    #[prost(bytes, tag = "4")]
    changes: Vec<u8>,
}

/// A command on its way: also those that the store has only as the changes that they came to.
#[derive(Serialize, Deserialize)]
struct Commanded {
    by: audit::Author,
    command: Asked,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Stored(Arc<Command>),
    ImportSites { rows: Vec<SiteRow>, from: Timestamp },
    AddSite(NewSite),
    ImportPlan { rows: Vec<PlanRow>, from: Timestamp },
    ImportAssets { rows: Vec<AssetRow>, from: Timestamp, complete: bool },
}

#[derive(Serialize, Deserialize)]
struct PassedMessage {
    channel: Arc<str>,
    message: MessageId,
    ended: Ended,
}

impl Seal {
    /// Returns the seal of an authority's private key for one log.
    pub(crate) fn new(authority_key: &[u8], stream: &str) -> Self {
        let of_authority = hmac::Key::new(hmac::HMAC_SHA256, authority_key);
        let key = hmac::sign(&of_authority, format!("onenet log 1 {stream}").as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    /// Returns the seal of what replicas ask each other beside the log. No log has a name with a space in it.
    pub(crate) fn of_questions(authority_key: &[u8], stream: &str) -> Self {
        Self::new(authority_key, &format!("{stream} questions"))
    }

    /// Packs and seals.
    pub(crate) fn close(&self, plain: &[u8]) -> Result<Vec<u8>, EntryError> {
        let unwritable = |error: io::Error| EntryError::Content(error.to_string());
        let mut packed = ZlibEncoder::new(vec![VERSION], Compression::fast());
        packed.write_all(plain).map_err(unwritable)?;
        let mut bytes = packed.finish().map_err(unwritable)?;
        let seal = hmac::sign(&self.0, &bytes);
        bytes.extend_from_slice(seal.as_ref());
        Ok(bytes)
    }

    /// Checks the seal and unpacks.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Vec<u8>, EntryError> {
        let sealed_len = bytes.len().checked_sub(SEAL_BYTES).ok_or(EntryError::Seal)?;
        let (sealed, seal) = bytes.split_at_checked(sealed_len).ok_or(EntryError::Seal)?;
        hmac::verify(&self.0, sealed, seal).map_err(|_| EntryError::Seal)?;
        let (version, packed) = sealed.split_first().ok_or(EntryError::Seal)?;
        if *version != VERSION {
            return Err(EntryError::Version(*version));
        }
        let mut plain = Vec::new();
        let mut unpacked = ZlibDecoder::new(packed).take(UNPACKED_BYTES_MAX);
        unpacked.read_to_end(&mut plain).map_err(|error| EntryError::Content(error.to_string()))?;
        Ok(plain)
    }

    /// Returns the bytes of an entry.
    pub(crate) fn write(&self, entry: &Entry) -> Result<Vec<u8>, EntryError> {
        let message = message(entry).map_err(|error| EntryError::Content(error.to_string()))?;
        self.close(&message.encode_to_vec())
    }

    /// Reads an entry and checks its seal.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Entry, EntryError> {
        let plain = self.open(bytes)?;
        let message = Message::decode(&plain[..]).map_err(|error| EntryError::Content(error.to_string()))?;
        entry(message).map_err(EntryError::Content)
    }
}

fn message(entry: &Entry) -> serde_json::Result<Message> {
    let (stream, body_agent, kind) = match &entry.content {
        Content::Founded(base) => (None, None, Kind::Founded(*base)),
        Content::Concluded(it) => {
            let changes = serde_json::to_vec(&it.changes)?;
            (None, None, Kind::Concluded(ConcludedMessage { of: it.of, part: it.part, parts: it.parts, changes }))
        }
        Content::Record(Body::OfStream { stream, agent, body }) => (Some(*stream), Some(*agent), kind(body)?),
        Content::Record(body) => (None, agent_of(body), kind(body)?),
    };
    Ok(Message {
        writer: entry.writer.clone(),
        incarnation: entry.incarnation,
        number: entry.number,
        rules: entry.rules,
        stream,
        agent: body_agent.map_or(0, AgentId::raw),
        kind: Some(kind),
    })
}

const fn agent_of(body: &Body) -> Option<AgentId> {
    match body {
        Body::Hello(Greeting { agent, .. })
        | Body::Heard { agent, .. }
        | Body::OfStream { agent, .. }
        | Body::Disconnected { agent }
        | Body::Report(Report { agent, .. })
        | Body::Unacceptable { agent, .. }
        | Body::Configured { agent, .. }
        | Body::ConfigurationRefused { agent, .. }
        | Body::Drilled { agent, .. } => Some(*agent),
        _ => None,
    }
}

fn kind(body: &Body) -> serde_json::Result<Kind> {
    Ok(match body {
        // A stream within a stream is nobody's: planning refuses it, and it is never written.
        Body::OfStream { .. } => return Err(serde::ser::Error::custom("a stream within a stream")),
        Body::Hello(greeting) => Kind::Hello(hello(greeting)),
        Body::Heard { clocks, received, history_waiting, .. } => Kind::Heard(HeardMessage {
            clocks: Some(clocks.into()),
            received_ms: received.unix_ms(),
            history_waiting: *history_waiting,
        }),
        Body::Disconnected { .. } => Kind::Disconnected(true),
        Body::Report(report) => {
            Kind::Report(ReportMessage { site: report.site.raw(), batch: Some((&*report.batch).into()) })
        }
        Body::Unacceptable { position, .. } => Kind::Unacceptable(position.into()),
        Body::Configured { revision, .. } => Kind::Configured(*revision),
        Body::ConfigurationRefused { revision, reason, .. } => {
            Kind::ConfigurationRefused(RefusedMessage { revision: *revision, reason: reason.clone() })
        }
        Body::Drilled { drill, refused, .. } => {
            Kind::Drilled(DrilledMessage { drill: drill.raw(), refused: refused.clone() })
        }
        Body::Command { by, command } => {
            Kind::Command(serde_json::to_vec(&Commanded { by: by.clone(), command: asked(command) })?)
        }
        Body::Audit(entries) => Kind::Audit(serde_json::to_vec(entries)?),
        Body::Started => Kind::Started(true),
        Body::Tick => Kind::Tick(true),
        Body::Resumed => Kind::Resumed(true),
        Body::Passed { channel, message, ended } => {
            let passed = PassedMessage { channel: Arc::clone(channel), message: *message, ended: ended.clone() };
            Kind::Passed(serde_json::to_vec(&passed)?)
        }
        Body::Relayed { through } => Kind::Relayed(*through),
    })
}

fn hello(greeting: &Greeting) -> HelloMessage {
    HelloMessage {
        version: greeting.version.clone(),
        clocks: Some((&greeting.clocks).into()),
        received_ms: greeting.received.unix_ms(),
        configuration_revision: greeting.configuration_revision,
        fingerprint: greeting.certificate.map(|it| it.fingerprint.bytes().to_vec()).unwrap_or_default(),
        expires_ms: greeting.certificate.map_or(0, |it| it.expires.unix_ms()),
    }
}

fn asked(command: &Arc<Command>) -> Asked {
    match &**command {
        Command::ImportSites { rows, from } => Asked::ImportSites { rows: rows.clone(), from: *from },
        Command::AddSite(site) => Asked::AddSite(site.clone()),
        Command::ImportPlan { rows, from } => Asked::ImportPlan { rows: rows.clone(), from: *from },
        Command::ImportAssets { rows, from, complete } => {
            Asked::ImportAssets { rows: rows.clone(), from: *from, complete: *complete }
        }
        _ => Asked::Stored(Arc::clone(command)),
    }
}

fn command(asked: Asked) -> Arc<Command> {
    Arc::new(match asked {
        Asked::Stored(command) => return command,
        Asked::ImportSites { rows, from } => Command::ImportSites { rows, from },
        Asked::AddSite(site) => Command::AddSite(site),
        Asked::ImportPlan { rows, from } => Command::ImportPlan { rows, from },
        Asked::ImportAssets { rows, from, complete } => Command::ImportAssets { rows, from, complete },
    })
}

fn entry(message: Message) -> Result<Entry, String> {
    let Message { writer, incarnation, number, rules, stream, agent, kind } = message;
    let agent = AgentId::from_raw(agent);
    let content = match kind.ok_or("it says nothing that this version knows")? {
        Kind::Founded(base) => Content::Founded(base),
        Kind::Concluded(it) => {
            let changes = from_json(&it.changes)?;
            Content::Concluded(Concluded { of: it.of, part: it.part, parts: it.parts, changes })
        }
        kind => {
            let body = body(kind, agent)?;
            Content::Record(match stream {
                Some(stream) => Body::OfStream { stream, agent, body: Box::new(body) },
                None => body,
            })
        }
    };
    Ok(Entry { writer, incarnation, number, rules, content })
}

fn body(kind: Kind, agent: AgentId) -> Result<Body, String> {
    Ok(match kind {
        Kind::Founded(_) | Kind::Concluded(_) => return Err("no record".into()),
        Kind::Report(it) => {
            let batch = it.batch.ok_or("a report without a batch")?;
            let batch = Arc::new(Batch::try_from(batch).map_err(|error| error.to_string())?);
            Body::Report(Report { agent, site: SiteId::from_raw(it.site), batch })
        }
        Kind::Hello(it) => Body::Hello(Greeting {
            agent,
            clocks: clocks(it.clocks)?,
            received: Timestamp::from_unix_ms(it.received_ms),
            configuration_revision: it.configuration_revision,
            certificate: <[u8; 32]>::try_from(&it.fingerprint[..]).ok().map(|sha256| Certificate {
                fingerprint: Fingerprint::from_bytes(sha256),
                expires: Timestamp::from_unix_ms(it.expires_ms),
            }),
            version: it.version,
        }),
        Kind::Heard(it) => Body::Heard {
            agent,
            clocks: clocks(it.clocks)?,
            received: Timestamp::from_unix_ms(it.received_ms),
            history_waiting: it.history_waiting,
        },
        Kind::Disconnected(_) => Body::Disconnected { agent },
        Kind::Unacceptable(position) => {
            let position = Position::try_from(position).map_err(|error| error.to_string())?;
            Body::Unacceptable { agent, position }
        }
        Kind::Configured(revision) => Body::Configured { agent, revision },
        Kind::ConfigurationRefused(it) => {
            Body::ConfigurationRefused { agent, revision: it.revision, reason: it.reason }
        }
        Kind::Drilled(it) => Body::Drilled { agent, drill: DrillId::from_raw(it.drill), refused: it.refused },
        Kind::Command(json) => {
            let commanded: Commanded = from_json(&json)?;
            Body::Command { by: commanded.by, command: command(commanded.command) }
        }
        Kind::Audit(json) => Body::Audit(from_json(&json)?),
        Kind::Started(_) => Body::Started,
        Kind::Tick(_) => Body::Tick,
        Kind::Resumed(_) => Body::Resumed,
        Kind::Passed(json) => {
            let PassedMessage { channel, message, ended } = from_json(&json)?;
            Body::Passed { channel, message, ended }
        }
        Kind::Relayed(through) => Body::Relayed { through },
    })
}

fn clocks(clocks: Option<v1::Clocks>) -> Result<Clocks, String> {
    clocks.ok_or("no clocks")?.try_into().map_err(|error: onenet_wire::Invalid| error.to_string())
}

fn from_json<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
