//! The line of one agent: TLS with its own certificate, HTTP/2, the stream; it comes back when it breaks.
//!
//! Invariant: one TCP connection an agent, pings and pauses as `onenet-agent` has them. A site that is cut has no line, and its agent
//! does not try until it is mended.
//!
//! One task an agent, owned by the runtime until the program ends.

use std::{io, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use hyper_util::rt::TokioIo;
use onenet_wire::{AgentMessage, CentreMessage, alive, pieces::Pieces, tls, v1};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use crate::{
    agent::Agent,
    chance,
    clock::boot_ms,
    world::{World, step},
};

/// HTTP/2 pings, and how long an answer may take, as agents have them.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection may take to open, in all.
const CONNECT: Duration = Duration::from_secs(15);
/// The first pause after a break, and the longest one.
const LEAST_PAUSE_MS: u64 = 1_000;
const MOST_PAUSE_MS: u64 = 60_000;
/// Messages that wait for the socket.
const OUTBOX: usize = 8;

/// Returns a channel on a new connection, which does not connect again by itself.
pub(crate) async fn connect(address: &str, config: ClientConfig) -> Result<Channel> {
    let tcp = TcpStream::connect(address).await.with_context(|| format!("reach {address}"))?;
    tcp.set_nodelay(true)?;
    alive::watch(&tcp, alive::AGENT)?;
    let tls = TlsConnector::from(Arc::new(config)).connect(tls::server_name(), tcp).await?;
    let mut once = Some(TokioIo::new(tls));
    let connector = tower::service_fn(move |_| {
        let io = once.take().ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the connection is gone"));
        async move { io }
    });
    let endpoint = Endpoint::from_static("http://centre.onenet.internal")
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// Keeps an agent's line as long as its site is reachable.
pub(crate) async fn keep(agent: Arc<Agent>, world: Arc<World>, mut reachable: watch::Receiver<bool>) {
    let mut pause_ms = LEAST_PAUSE_MS;
    let mut attempt = 0;
    while reachable.wait_for(|it| *it).await.is_ok() {
        attempt += 1;
        let welcomed = tokio::select! {
            welcomed = talk(&agent, &world) => welcomed,
            _ = reachable.wait_for(|it| !*it) => {
                agent.lost(&world);
                pause_ms = LEAST_PAUSE_MS;
                continue;
            }
        };
        agent.lost(&world);
        if welcomed {
            pause_ms = LEAST_PAUSE_MS;
        }
        let jittered = pause_ms / 2 + chance::below(pause_ms / 2 + 1, agent.seed(), &[attempt]);
        tokio::select! {
            () = sleep(Duration::from_millis(jittered)) => {}
            _ = reachable.wait_for(|it| !*it) => {}
        }
        pause_ms = pause_ms.saturating_mul(2).min(MOST_PAUSE_MS);
    }
}

/// Talks until the line breaks. Returns whether the centre welcomed the agent.
async fn talk(agent: &Agent, world: &World) -> bool {
    let opened = timeout(CONNECT, open(agent, world)).await;
    let Ok(Ok((outbox, mut inbound))) = opened else { return false };
    step(&world.counters.connected, true);
    // However it ends, cancelled or broken, the agent takes note of it in `lost`.
    agent.connected();
    let _ = serve(agent, world, &outbox, &mut inbound).await;
    true
}

type Outbox = mpsc::Sender<v1::AgentMessage>;

async fn open(agent: &Agent, world: &World) -> Result<(Outbox, tonic::Streaming<v1::CentreMessage>)> {
    let channel = connect(&world.collectors, agent.papers().client_config()?).await?;
    let (outbox, messages) = mpsc::channel(OUTBOX);
    outbox.send(AgentMessage::Hello(agent.hello(world)).into()).await?;
    let mut client = v1::collector_client::CollectorClient::new(Pieces(channel));
    let mut inbound = client.report(ReceiverStream::new(messages)).await?.into_inner();
    let first = inbound.message().await?.context("the stream ended before a welcome")?;
    let CentreMessage::Welcome(welcome) = first.try_into()? else { bail!("something else than a welcome") };
    agent.welcomed(&welcome.committed, world);
    Ok((outbox, inbound))
}

async fn serve(
    agent: &Agent,
    world: &World,
    outbox: &Outbox,
    inbound: &mut tonic::Streaming<v1::CentreMessage>,
) -> Result<()> {
    loop {
        let turned = world.turned.notified();
        let mut wake_ms = 0;
        while let Ok(permit) = outbox.try_reserve() {
            match agent.next(world) {
                Ok(message) => permit.send(message),
                Err(later_ms) => {
                    wake_ms = later_ms;
                    break;
                }
            }
        }
        let rest = Duration::from_millis(wake_ms.saturating_sub(boot_ms()).max(5));
        tokio::select! {
            message = inbound.message() => {
                let Some(message) = message? else { return Ok(()) };
                if let Some(answer) = agent.receive(message.try_into()?, world) {
                    outbox.send(AgentMessage::Result(answer).into()).await?;
                }
            }
            () = turned => {}
            () = sleep(rest) => {}
        }
    }
}
