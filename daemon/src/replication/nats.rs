//! The shared log on NATS JetStream. The only file that names its client.
//!
//! Invariant: a stream is made once, with as many copies as the configuration says, and its messages are removed by age and size
//! alone. We keep our own position: consumers are of this process, acknowledge nothing, and are made anew from the next number
//! whenever one falls silent. Questions between replicas go over a subject beside the stream, `STREAM.questions`, and their inboxes.
//!
//! JetStream acknowledges when a majority of the servers has a message, in general before it is on their disks (`sync_interval`).

use std::{path::PathBuf, time::Duration};

use async_nats::{
    Client, ConnectOptions,
    jetstream::{
        self, Context,
        consumer::{AckPolicy, DeliverPolicy, pull},
        stream,
    },
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use onenet_topology::Timestamp;
use tokio::sync::mpsc;

use super::journal::{Extent, Journal, JournalError, Read};

/// How long one exchange with the servers may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often a consumer that has nothing to say says so: two that are missed, and another one is made.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long one request for messages is good.
const PULL_WITHIN: Duration = Duration::from_secs(10);
/// Messages that are asked for at once.
const PULL_MESSAGES: usize = 512;
/// After which silence of ours the servers forget a consumer.
const CONSUMER_FORGOTTEN: Duration = Duration::from_secs(60);
/// The least that the servers have to take as one message: `max_payload` in their configuration.
const PAYLOAD_BYTES_MIN: usize = 8 << 20;

/// Where the log is and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsConfig {
    /// The servers, as `nats://HOST:PORT` or `tls://HOST:PORT`.
    pub servers: Vec<String>,
    /// The name of the stream, and of its subject.
    pub stream: String,
    /// The JetStream domain of the servers that have the stream, where the way to them leads over a leaf node.
    pub domain: Option<String>,
    /// How many servers have a copy.
    pub copies: usize,
    /// How long messages are kept.
    pub keep: Duration,
    /// The most bytes that are kept.
    pub keep_bytes: i64,
    /// The authority of the servers' certificates, PEM; the system's where none is given.
    pub authority: Option<PathBuf>,
    /// The replica's own certificate chain and its key, PEM, where the servers want one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A user of the servers and the file with the password, where the servers want one.
    pub password: Option<(String, PathBuf)>,
}

/// The log.
#[derive(Debug, Clone)]
pub(crate) struct Nats {
    client: Client,
    context: Context,
    config: NatsConfig,
}

impl Nats {
    /// Connects, and makes the stream where there is none.
    pub(crate) async fn connect(config: &NatsConfig, name: &str) -> Result<Self, JournalError> {
        let mut options = ConnectOptions::new()
            .name(format!("onenetd {name}"))
            .connection_timeout(ANSWER_WITHIN)
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(Duration::from_secs(2));
        if config.servers.iter().any(|server| server.starts_with("tls://")) {
            options = options.require_tls(true);
        }
        if let Some(authority) = &config.authority {
            options = options.add_root_certificates(authority.clone());
        }
        if let Some((chain, key)) = &config.certificate {
            options = options.add_client_certificate(chain.clone(), key.clone());
        }
        if let Some((user, file)) = &config.password {
            let password = tokio::fs::read_to_string(file).await;
            let password = password.map_err(|error| failed("reading password_file", error))?;
            options = options.user_and_password(user.clone(), password.trim_end().to_owned());
        }
        let client = options
            .connect(config.servers.clone())
            .await
            .map_err(|error| failed("connecting to the NATS servers", error))?;
        let payload = client.server_info().max_payload;
        if payload < PAYLOAD_BYTES_MIN {
            let cause =
                format!("max_payload is {payload} bytes there: set `max_payload: 8MB` in the servers' configuration");
            return Err(JournalError { doing: "using the NATS servers", cause });
        }
        let mut context = match &config.domain {
            Some(domain) => jetstream::with_domain(client.clone(), domain),
            None => jetstream::new(client.clone()),
        };
        context.set_timeout(ANSWER_WITHIN);
        let journal = Self { client, context, config: config.clone() };
        journal.make().await?;
        Ok(journal)
    }

    /// Makes the stream where there is none. What is there stays as it is.
    async fn make(&self) -> Result<(), JournalError> {
        let NatsConfig { stream, copies, keep, keep_bytes, .. } = &self.config;
        let wanted = stream::Config {
            name: stream.clone(),
            subjects: vec![stream.clone()],
            retention: stream::RetentionPolicy::Limits,
            storage: stream::StorageType::File,
            num_replicas: *copies,
            max_age: *keep,
            max_bytes: *keep_bytes,
            deny_delete: true,
            deny_purge: true,
            ..stream::Config::default()
        };
        let made = self.context.get_or_create_stream(wanted).await;
        made.map(drop).map_err(|error| failed("making the stream", error))
    }

    async fn consume(&self, from: u64) -> Result<pull::Stream, JournalError> {
        let stream = self.context.get_stream_no_info(&self.config.stream).await;
        let stream = stream.map_err(|error| failed("finding the stream", error))?;
        let wanted = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: CONSUMER_FORGOTTEN,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(wanted).await.map_err(|error| failed("making a consumer", error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES)
            .heartbeat(HEARTBEAT)
            .expires(PULL_WITHIN)
            .messages();
        messages.await.map_err(|error| failed("asking for messages", error))
    }

    async fn hand_over(&self, from: u64, to: &mpsc::Sender<Read>) -> Result<(), JournalError> {
        let mut messages = self.consume(from).await?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(|error| failed("reading the stream", error))?;
            let info = message.info().map_err(|error| failed("reading a message's number", error))?;
            let ms = info.published.unix_timestamp_nanos() / 1_000_000;
            let read = Read {
                sequence: info.stream_sequence,
                time: Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX)),
                behind: info.pending,
                bytes: message.message.payload.clone(),
            };
            if to.send(read).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Nats {
    /// Returns the subject of questions between replicas: none of the stream's.
    fn questions_subject(&self) -> String {
        format!("{}.questions", self.config.stream)
    }

    async fn hand_over_answers(&self, question: Bytes, to: &mpsc::Sender<Bytes>) -> Result<(), JournalError> {
        let back = self.client.new_inbox();
        let heard = self.client.subscribe(back.clone()).await;
        let mut heard = heard.map_err(|error| failed("waiting for answers", error))?;
        let sent = self.client.publish_with_reply(self.questions_subject(), back, question).await;
        sent.map_err(|error| failed("asking the other replicas", error))?;
        while let Some(message) = heard.next().await {
            if to.send(message.payload).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn hand_over_questions(&self, to: &mpsc::Sender<(Bytes, String)>) -> Result<(), JournalError> {
        let heard = self.client.subscribe(self.questions_subject()).await;
        let mut heard = heard.map_err(|error| failed("waiting for questions", error))?;
        while let Some(message) = heard.next().await {
            let Some(back) = message.reply else { continue };
            if to.send((message.payload, back.to_string())).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl Journal for Nats {
    async fn extent(&self) -> Result<Extent, JournalError> {
        let stream = self.context.get_stream(&self.config.stream).await;
        let stream = stream.map_err(|error| failed("asking for the stream", error))?;
        let info = stream.cached_info();
        let created = info.created.unix_timestamp_nanos() / 1_000_000;
        Ok(Extent {
            created: Timestamp::from_unix_ms(i64::try_from(created).unwrap_or(i64::MAX)),
            first: info.state.first_sequence,
            last: info.state.last_sequence,
        })
    }

    async fn found(&self, bytes: Bytes) -> Result<bool, JournalError> {
        let message = jetstream::message::PublishMessage::build().payload(bytes).expected_last_sequence(0);
        let sent = self.context.send_publish(self.config.stream.clone(), message).await;
        let sent = sent.map_err(|error| failed("founding the log", error))?;
        match sent.await {
            Ok(taken) => Ok(taken.sequence == 1),
            Err(error) if error.kind() == jetstream::context::PublishErrorKind::WrongLastSequence => Ok(false),
            Err(error) => Err(failed("founding the log", error)),
        }
    }

    async fn append(&self, entries: Vec<Bytes>) -> Result<(), JournalError> {
        let mut taken = Vec::with_capacity(entries.len());
        for bytes in entries {
            let sent = self.context.publish(self.config.stream.clone(), bytes).await;
            taken.push(sent.map_err(|error| failed("appending to the log", error))?);
        }
        // The messages leave together; each is answered when a majority has it.
        let _ = self.client.flush().await;
        for answer in taken {
            answer.await.map_err(|error| failed("appending to the log", error))?;
        }
        Ok(())
    }

    async fn read(&self, from: u64, to: mpsc::Sender<Read>) -> JournalError {
        match self.hand_over(from, &to).await {
            Ok(()) => failed("reading the stream", "it ended"),
            Err(error) => error,
        }
    }

    async fn ask(&self, question: Bytes, answers: mpsc::Sender<Bytes>) -> JournalError {
        match self.hand_over_answers(question, &answers).await {
            Ok(()) => failed("waiting for answers", "nobody takes them"),
            Err(error) => error,
        }
    }

    async fn questions(&self, to: mpsc::Sender<(Bytes, String)>) -> JournalError {
        match self.hand_over_questions(&to).await {
            Ok(()) => failed("waiting for questions", "they ended"),
            Err(error) => error,
        }
    }

    async fn answer(&self, way: String, answer: Bytes) -> Result<(), JournalError> {
        self.client.publish(way, answer).await.map_err(|error| failed("answering another replica", error))
    }
}

fn failed(doing: &'static str, error: impl std::fmt::Display) -> JournalError {
    JournalError { doing, cause: error.to_string() }
}
