//! The agent's line over real sockets and real TLS on loopback: enrolment, resuming, and who is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use onenet_agent::{
    clock::Clock,
    enrol::{Credentials, CredentialsError, EnrolError, enrol},
    spool::{Spool, SpoolConfig},
    uplink::{ConnectError, Handler, LinkState, Uplink, UplinkConfig},
};
use onenet_topology::{
    AgentId, MacAddr, SiteId, Timestamp,
    fact::{Binding, Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, InterfaceSample, Method, Scope},
    flow::{FlowPage, FlowQuery},
};
use onenet_wire::{
    Acknowledgement, AgentMessage, Asker, CentreMessage, Content, DrillOrder, EnrolRequest, EnrolResponse, FlowsQuery,
    Instruction, InstructionBody, InstructionResult, Position, Query, Welcome,
    tls::{self, Fingerprint, Identity, SERVER_NAME},
    token::Token,
    v1::{
        self,
        collector_server::{Collector, CollectorServer},
        enrolment_server::{Enrolment, EnrolmentServer},
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SanType, date_time_ymd,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

const WHO: Identity = Identity { site: SiteId::from_raw(0x2a0_0001), agent: AgentId::from_raw(0x2a0_0002) };
/// Everything here happens on loopback; this only ends a test that hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// A certificate authority and the centre's certificate.
struct Authority {
    certificate: rcgen::Certificate,
    params: CertificateParams,
    key: KeyPair,
    server_pem: String,
    server_key_pem: String,
}

impl Authority {
    fn new() -> Self {
        Self::with_server_of(|_| {})
    }

    fn with_server_of(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let server_key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut server);
        let issuer = Issuer::from_params(&params, &key);
        let leaf = server.signed_by(&server_key, &issuer).unwrap();
        let server_pem = format!("{}{}", leaf.pem(), certificate.pem());
        Self { certificate, key, server_pem, server_key_pem: server_key.serialize_pem(), params }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.certificate.der())
    }

    fn issue(&self, request: &[u8]) -> Vec<u8> {
        let mut request = CertificateSigningRequestParams::from_der(&request.to_vec().into()).unwrap();
        request.params.subject_alt_names = vec![SanType::URI(WHO.uri().try_into().unwrap())];
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let issuer = Issuer::from_params(&self.params, &self.key);
        request.signed_by(&issuer).unwrap().der().to_vec()
    }
}

/// What the centre keeps when it is killed.
#[derive(Debug, Default)]
struct Kept {
    committed: Vec<Position>,
    counters: Vec<u64>,
    facts: usize,
    results: Vec<InstructionResult>,
    token: Option<[u8; 32]>,
}

#[derive(Clone)]
struct Centre {
    authority: Arc<Authority>,
    kept: Arc<Mutex<Kept>>,
    ask: Option<Instruction>,
}

/// A centre that runs until it is dropped: then it is gone with all its connections, as if killed.
struct Running {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runtime.take().expect("taken once").shutdown_background();
    }
}

impl Centre {
    fn new(authority: Authority) -> Self {
        Self { authority: Arc::new(authority), kept: Arc::default(), ask: None }
    }

    fn token(&self) -> Token {
        let token = Token::generate(self.authority.fingerprint()).unwrap();
        self.kept.lock().unwrap().token = Some(token.secret_hash());
        token
    }

    async fn serve(&self, address: &str) -> Running {
        tls::install();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let listener = runtime.spawn(TcpListener::bind(address)).await.unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let tls =
            tls::server(&self.authority.certificate.pem(), &self.authority.server_pem, &self.authority.server_key_pem);
        let router = Server::builder()
            .tls_config(tls)
            .unwrap()
            .add_service(CollectorServer::new(self.clone()))
            .add_service(EnrolmentServer::new(self.clone()));
        runtime.spawn(async move { router.serve_with_incoming(TcpListenerStream::new(listener)).await });
        Running { address, runtime: Some(runtime) }
    }
}

#[tonic::async_trait]
impl Enrolment for Centre {
    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolResponse>, Status> {
        assert_eq!(Identity::of_peer(request.peer_certs().as_deref().map(Vec::as_slice)).unwrap(), None);
        let request =
            EnrolRequest::try_from(request.into_inner()).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let token: Token = request.token.parse().map_err(|_| Status::invalid_argument("not a token"))?;
        let mut kept = self.kept.lock().unwrap();
        if kept.token.take_if(|hash| *hash == token.secret_hash()).is_none() {
            return Err(Status::permission_denied("the token was used already"));
        }
        let response = EnrolResponse {
            certificate_chain: vec![self.authority.issue(&request.certificate_request)],
            ca_certificate: self.authority.certificate.der().to_vec(),
            agent: WHO.agent,
            site: WHO.site,
            site_name: "某县".to_owned(),
        };
        Ok(Response::new(response.into()))
    }
}

#[tonic::async_trait]
impl Collector for Centre {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::CentreMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let who = Identity::of_peer(request.peer_certs().as_deref().map(Vec::as_slice)).ok().flatten();
        if who != Some(WHO) {
            return Err(Status::unauthenticated("no certificate of an agent"));
        }
        let (answers, stream) = mpsc::channel(8);
        let (centre, mut said) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Ok(Some(message)) = said.message().await {
                for answer in centre.receive(message.try_into().unwrap()) {
                    if answers.send(Ok(answer.into())).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl Centre {
    fn receive(&self, message: AgentMessage) -> Vec<CentreMessage> {
        let mut kept = self.kept.lock().unwrap();
        match message {
            AgentMessage::Hello(hello) => {
                assert_eq!((hello.agent, hello.site), (WHO.agent, WHO.site));
                let committed = kept.committed.clone();
                let centre_time = Timestamp::from_unix_ms(hello.clocks.wall_ms - 5_000);
                let welcome = Welcome { centre_time, committed, site_name: "某县".to_owned() };
                let ask = self.ask.clone().map(CentreMessage::Instruction);
                [CentreMessage::Welcome(welcome)].into_iter().chain(ask).collect()
            }
            AgentMessage::Batch(batch) => {
                let position = batch.position;
                let mark = kept.committed.iter().find(|mark| mark.lane == position.lane).copied();
                if mark.is_none_or(|mark| mark.epoch == position.epoch && mark.sequence + 1 == position.sequence) {
                    kept.committed.retain(|mark| mark.lane != position.lane);
                    kept.committed.push(position);
                    kept.commit(&batch.content);
                }
                vec![CentreMessage::Acknowledgement(Acknowledgement { position })]
            }
            AgentMessage::Result(result) => {
                kept.results.push(result);
                Vec::new()
            }
            AgentMessage::Digest(_) | AgentMessage::Heartbeat(_) => Vec::new(),
        }
    }
}

impl Kept {
    fn commit(&mut self, content: &Content) {
        match content {
            Content::State(groups) => self.facts += groups.iter().map(|group| group.changes.len()).sum::<usize>(),
            Content::History(items) => self.counters.extend(items.iter().filter_map(|item| match &item.body {
                HistoryBody::Interface(sample) => sample.in_octets,
                _ => None,
            })),
        }
    }
}

/// A handler that answers every question with its name.
struct Answers;

impl Handler for Answers {
    fn revision(&self) -> u64 {
        3
    }

    async fn configure(&self, _revision: u64, _toml: String) -> Result<u64, String> {
        Err("line 3: unknown key: remove it".to_owned())
    }

    async fn query(&self, query: Query) -> Result<Vec<u8>, String> {
        Ok(format!("{query:?}").into_bytes())
    }

    async fn flows(&self, asked: FlowsQuery) -> Result<FlowPage, String> {
        Ok(FlowPage { days: asked.query.limit, ..FlowPage::default() })
    }

    async fn drill(&self, order: DrillOrder) -> Result<(), String> {
        Err(format!("no {} here", order.report.key.kind))
    }
}

/// An agent with a running line.
struct Agent {
    spool: Arc<Spool>,
    clock: Clock,
    stop: CancellationToken,
    line: JoinHandle<()>,
    state: tokio::sync::watch::Receiver<LinkState>,
}

impl Agent {
    fn start(data: &TempDir, address: SocketAddr) -> Self {
        let clock = Clock::start([9; 16]);
        let spool = Spool::open(&data.path().join("spool"), SpoolConfig::default(), &clock.now()).unwrap();
        let config = UplinkConfig { least_pause_ms: 50, most_pause_ms: 200, ..UplinkConfig::new(&address.to_string()) };
        let credentials = Credentials::load(data.path()).unwrap();
        let (uplink, state) = Uplink::new(Arc::clone(&spool), credentials, clock, config, Arc::new(Answers));
        let stop = CancellationToken::new();
        let line = tokio::spawn(uplink.run(stop.clone()));
        Self { spool, clock, stop, line, state }
    }

    fn record(&self, number: u64) {
        let sample = InterfaceSample { name: "eth0".into(), in_octets: Some(number), ..InterfaceSample::default() };
        let body = HistoryBody::Interface(sample);
        let item = HistoryItem { time: self.clock.timestamp(), scope: Scope::new("core"), body };
        self.spool.record([item], &self.clock.now()).unwrap();
    }

    fn observe(&self, last: u8) {
        let body = FactBody::Binding(Binding { mac: MacAddr([2, 0, 0, 0, 0, last]), ip: [10, 0, 0, last].into() });
        let fact = Fact { observed: self.clock.timestamp(), body };
        let group = Group { method: Method::PassiveArp, scope: Scope::new("eth0") };
        self.spool.observe(&[(group, FactChange::Present(fact))], &self.clock.now()).unwrap();
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.line).await.expect("it stops").unwrap();
    }
}

/// Waits until the condition holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("it never happened: {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolled_agent_reports_and_goes_on_after_the_centre_was_killed() {
    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    let identity = enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    assert_eq!(identity, WHO);

    let agent = Agent::start(&data, running.address);
    agent.record(1);
    agent.observe(1);
    until("the first report", || {
        let kept = centre.kept.lock().unwrap();
        kept.counters == [1] && kept.facts == 1
    })
    .await;
    let state = agent.state.borrow().clone();
    assert!(state.connected);
    assert!(state.clock_ahead_ms.is_some_and(|ahead| (5_000..15_000).contains(&ahead)), "{state:?}");

    let address = running.address;
    drop(running);
    let mut watched = agent.state.clone();
    tokio::time::timeout(DEADLINE, watched.wait_for(|state| !state.connected))
        .await
        .expect("the loss is seen")
        .unwrap();
    for number in 2..=5 {
        agent.record(number);
    }
    agent.observe(2);
    let _again = centre.serve(&address.to_string()).await;
    until("the rest", || {
        let kept = centre.kept.lock().unwrap();
        kept.counters == [1, 2, 3, 4, 5] && kept.facts == 2
    })
    .await;
    until("nothing waits", || agent.spool.status().history_batches == 0).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_before_the_agent_was_stopped_is_sent_when_it_runs_again() {
    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    let address = running.address;
    drop(running);

    let agent = Agent::start(&data, address);
    agent.record(1);
    agent.stop().await;
    let _running = centre.serve(&address.to_string()).await;
    let agent = Agent::start(&data, address);
    agent.record(2);
    until("both", || centre.kept.lock().unwrap().counters == [1, 2]).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instructions_are_carried_out_and_answered_by_their_number() {
    let mut centre = Centre::new(Authority::new());
    centre.ask = Some(Instruction { id: 7, body: InstructionBody::Query(Query::Inspect { device: "core".into() }) });
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    let agent = Agent::start(&data, running.address);
    until("an answer", || !centre.kept.lock().unwrap().results.is_empty()).await;
    let result = centre.kept.lock().unwrap().results.remove(0);
    assert_eq!(result.id, 7);
    let done = result.outcome.unwrap();
    assert_eq!(done.configuration_revision, 3);
    assert!(String::from_utf8(done.body).unwrap().contains("core"));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_for_flows_is_answered_with_a_page() {
    let mut centre = Centre::new(Authority::new());
    let (from, until_then) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(5));
    let (endpoint, peer, port, protocol, application) = (None, None, Some(53), None, None);
    let query = FlowQuery { from, until: until_then, endpoint, peer, port, protocol, application, limit: 77 };
    let asker = Asker { principal: "li".into(), reason: "a case".into() };
    let flows = Query::Flows(FlowsQuery { asker, query, after: None });
    centre.ask = Some(Instruction { id: 8, body: InstructionBody::Query(flows) });
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    let agent = Agent::start(&data, running.address);
    until("an answer", || !centre.kept.lock().unwrap().results.is_empty()).await;
    let result = centre.kept.lock().unwrap().results.remove(0);
    assert_eq!((result.id, result.outcome.unwrap().flows.unwrap().days), (8, 77));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_clock_is_wrong_by_years_still_accepts_its_centre() {
    // The centre's certificate is over by the clock: to the agent, whose clock nobody keeps, that says nothing.
    let centre = Centre::new(Authority::with_server_of(|server| {
        server.not_before = date_time_ymd(2021, 1, 1);
        server.not_after = date_time_ymd(2022, 1, 1);
    }));
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_the_right_authority_for_another_name_is_no_centre() {
    let centre = Centre::new(Authority::with_server_of(|server| {
        server.subject_alt_names = vec![SanType::DnsName("agent.onenet.internal".try_into().unwrap())];
    }));
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    let error = enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::Connect(ConnectError::Handshake { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_cannot_pose_as_the_centre() {
    let centre = Centre::new(Authority::with_server_of(|server| {
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    }));
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    let error = enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::Connect(ConnectError::Handshake { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_works_once_and_the_refusal_names_the_remedy() {
    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let token = centre.token().reveal();
    enrol(&running.address.to_string(), &token, first.path()).await.unwrap();
    let error = enrol(&running.address.to_string(), &token, second.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::Refused { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("used already") && text.contains("onenetd enrol SITE"), "{text}");
    assert_eq!(std::fs::read_dir(second.path()).unwrap().count(), 0, "half an identity is left");
    // Who is enrolled is not enrolled again by accident.
    let error = enrol(&running.address.to_string(), &centre.token().reveal(), first.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::AlreadyEnrolled { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_authority_is_refused_before_the_token_is_sent() {
    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    let stranger = Token::generate(Authority::new().fingerprint()).unwrap();
    let error = enrol(&running.address.to_string(), &stranger.reveal(), data.path()).await.unwrap_err();
    let EnrolError::Connect(ConnectError::WrongAuthority { source, .. }) = &error else { panic!("{error:?}") };
    assert_eq!((source.expected, source.presented), (stranger.authority(), centre.authority.fingerprint()));
    assert!(error.to_string().contains("enrol with a new token"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolled_agent_tells_a_centre_set_up_anew_from_its_own() {
    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    let data = TempDir::new().unwrap();
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    let other = Centre::new(Authority::new()).serve("127.0.0.1:0").await;
    let agent = Agent::start(&data, other.address);
    let mut watched = agent.state.clone();
    let down = tokio::time::timeout(DEADLINE, watched.wait_for(|state| state.error.is_some())).await;
    let error = down.expect("the refusal is seen").unwrap().error.clone().unwrap();
    assert!(error.contains("is not the centre that this agent was told to trust"), "{error}");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_at_the_address_is_said_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let data = TempDir::new().unwrap();
    let token = Token::generate(Fingerprint([1; 32])).unwrap().reveal();
    let error = enrol(&address, &token, data.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::Connect(ConnectError::Unreachable { .. })), "{error:?}");
    assert!(error.to_string().contains(&address), "{error}");
    let error = enrol("no port here", &token, data.path()).await.unwrap_err();
    assert!(matches!(error, EnrolError::Connect(ConnectError::Unreachable { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_for_its_owner_only_and_an_agent_without_identity_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = TempDir::new().unwrap();
    let error = Credentials::load(data.path()).unwrap_err();
    assert!(matches!(error, CredentialsError::NotEnrolled { .. }), "{error:?}");
    assert!(error.to_string().contains("onenet-agent enrol"), "{error}");

    let centre = Centre::new(Authority::new());
    let running = centre.serve("127.0.0.1:0").await;
    enrol(&running.address.to_string(), &centre.token().reveal(), data.path()).await.unwrap();
    let key = data.path().join("identity/key.pem");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let credentials = Credentials::load(data.path()).unwrap();
    assert_eq!((credentials.identity, credentials.site_name.as_str()), (WHO, "某县"));

    let private = std::fs::read_to_string(&key).unwrap();
    let body: String = private.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(!format!("{credentials:?}").contains(&body[..20]));
    std::fs::write(&key, "no key").unwrap();
    let error = Credentials::load(data.path()).unwrap_err();
    assert!(matches!(error, CredentialsError::Damaged { .. }), "{error:?}");
}
