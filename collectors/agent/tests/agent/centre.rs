//! A centre for tests: welcomes one agent over real TLS on loopback, acknowledges and keeps what it is told, and passes on
//! instructions.

use std::{
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    fact::{FactChange, Group, HistoryBody},
};
use onenet_wire::{
    Acknowledgement, AgentMessage, Batch, CentreMessage, Content, Instruction, InstructionBody, InstructionResult,
    Welcome,
    tls::{self, Identity, SERVER_NAME},
    v1::{
        self,
        collector_server::{Collector, CollectorServer},
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

const WHO: Identity = Identity { site: SiteId::from_raw(0x2a0_0001), agent: AgentId::from_raw(0x2a0_0002) };

/// This only ends a test that hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// The certificates of the centre.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
    server_pem: String,
    server_key_pem: String,
}

/// A running centre.
pub(crate) struct Centre {
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Told>>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// What the agent told.
#[derive(Default)]
struct Told {
    changes: Vec<(Group, FactChange)>,
    history: Vec<HistoryBody>,
    results: Vec<InstructionResult>,
    revisions: Vec<u64>,
    line: Option<mpsc::Sender<Result<v1::CentreMessage, Status>>>,
    asked: u64,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        let server_key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = server.signed_by(&server_key, &Issuer::from_params(&params, &key)).unwrap();
        let server_pem = format!("{}{pem}", leaf.pem());
        Self { params, key, pem, server_pem, server_key_pem: server_key.serialize_pem() }
    }

    /// Puts an identity of this authority into the agent's data folder, as enrolment does.
    pub(crate) fn enrol(&self, data: &Path) {
        let folder = data.join("identity");
        std::fs::create_dir_all(&folder).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::URI(WHO.uri().try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("certificate.pem"), leaf.pem()).unwrap();
        std::fs::write(folder.join("authority.pem"), &self.pem).unwrap();
        std::fs::write(folder.join("site.txt"), "清河县").unwrap();
    }
}

impl Centre {
    /// Starts a centre on `port` of loopback, any for 0.
    pub(crate) async fn start(authority: &Authority, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = tls::server(&authority.pem, &authority.server_pem, &authority.server_key_pem);
        let (told, stop) = (Arc::<Mutex<Told>>::default(), CancellationToken::new());
        let service = CollectorServer::new(Service { told: Arc::clone(&told), stop: stop.clone() });
        let router = Server::builder().tls_config(tls).unwrap().add_service(service);
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped).await.unwrap();
        });
        Self { address, told, stop, server }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.told.lock().unwrap().line = None;
        self.server.await.unwrap();
    }

    /// Asks the agent and waits for what comes of it.
    pub(crate) async fn ask(&self, body: InstructionBody) -> Result<onenet_wire::Done, String> {
        let (line, id) = self
            .wait_for("a connection", |told| {
                told.asked += 1;
                told.line.clone().map(|line| (line, told.asked))
            })
            .await;
        let message = CentreMessage::Instruction(Instruction { id, body });
        line.send(Ok(message.into())).await.unwrap();
        let result =
            self.wait_for("an answer", |told| told.results.iter().find(|result| result.id == id).cloned()).await;
        result.outcome
    }

    /// Waits for a change of a fact.
    pub(crate) async fn change<T>(&self, what: &str, find: impl Fn(&Group, &FactChange) -> Option<T>) -> T {
        self.wait_for(what, |told| told.changes.iter().find_map(|(group, change)| find(group, change))).await
    }

    /// Waits for a sample or event.
    pub(crate) async fn history<T>(&self, what: &str, find: impl Fn(&HistoryBody) -> Option<T>) -> T {
        self.wait_for(what, |told| told.history.iter().find_map(&find)).await
    }

    /// Returns what was told of history so far, in its order.
    pub(crate) fn all_history<T>(&self, find: impl Fn(&HistoryBody) -> Option<T>) -> Vec<T> {
        self.told.lock().unwrap().history.iter().filter_map(find).collect()
    }

    /// Waits until the agent said hello with a configuration, and returns its revision.
    pub(crate) async fn revision(&self) -> u64 {
        self.wait_for("a hello", |told| told.revisions.last().copied()).await
    }

    async fn wait_for<T>(&self, what: &str, mut find: impl FnMut(&mut Told) -> Option<T>) -> T {
        super::eventually(DEADLINE, what, || find(&mut self.told.lock().unwrap())).await
    }
}

struct Service {
    told: Arc<Mutex<Told>>,
    stop: CancellationToken,
}

#[tonic::async_trait]
impl Collector for Service {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::CentreMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let mut inbound = request.into_inner();
        let (line, outbound) = mpsc::channel(16);
        let (told, stop) = (Arc::clone(&self.told), self.stop.clone());
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    () = stop.cancelled() => return,
                    message = inbound.message() => message,
                };
                let Ok(Some(message)) = message else { return };
                if let Some(answer) = take(&told, AgentMessage::try_from(message).unwrap(), &line)
                    && line.send(Ok(answer.into())).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(outbound))))
    }
}

fn take(
    told: &Mutex<Told>,
    message: AgentMessage,
    line: &mpsc::Sender<Result<v1::CentreMessage, Status>>,
) -> Option<CentreMessage> {
    let mut told = told.lock().unwrap();
    match message {
        AgentMessage::Hello(hello) => {
            told.revisions.push(hello.configuration_revision);
            told.line = Some(line.clone());
            let centre_time = Timestamp::from_unix_ms(hello.clocks.wall_ms);
            let committed = Vec::new();
            Some(CentreMessage::Welcome(Welcome { centre_time, committed, site_name: "清河县".to_owned() }))
        }
        AgentMessage::Batch(Batch { position, content, .. }) => {
            match content {
                Content::State(groups) => {
                    for group in groups {
                        told.changes.extend(group.changes.into_iter().map(|change| (group.group.clone(), change)));
                    }
                }
                Content::History(items) => told.history.extend(items.into_iter().map(|item| item.body)),
            }
            Some(CentreMessage::Acknowledgement(Acknowledgement { position }))
        }
        AgentMessage::Result(result) => {
            told.results.push(result);
            None
        }
        AgentMessage::Digest(_) | AgentMessage::Heartbeat(_) => None,
    }
}
