//! The services, from the outside: an agent of flesh and blood over mTLS on loopback.

mod door;
mod hostile;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use onenet_topology::{
    AgentId, MacAddr, SiteId, Timestamp,
    division::Tier,
    fact::{Binding, Fact, FactBody, FactChange, Group, Method, Scope},
    site::{SiteKind, SiteName},
};
use onenet_wire::{
    AgentMessage, Batch, CentreMessage, Clocks, Content, Digest, Done, EnrolRequest, EnrolResponse, GroupChanges,
    GroupDigest, Hello, InstructionBody, InstructionResult, Lane, Position, Query, RejectionReason, Welcome, tls,
    token::Token, v1,
};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::{
    centre::{Centre, Options},
    estate::Rollout,
    ingest::Outcome,
    record::{Command, NewSite},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A centre that serves agents on loopback.
struct Served {
    centre: Centre,
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    _data: tempfile::TempDir,
}

/// A key and certificate.
struct Papers {
    response: EnrolResponse,
    key: KeyPair,
}

/// An open stream.
struct Wire {
    outgoing: mpsc::Sender<v1::AgentMessage>,
    incoming: Streaming<v1::CentreMessage>,
}

impl Served {
    async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    async fn start_with(options: Options) -> Self {
        Self::start_within(options, super::Limits::here()).await
    }

    async fn start_within(options: Options, limits: super::Limits) -> Self {
        tls::install();
        let data = tempfile::tempdir().unwrap();
        let centre = Centre::open(data.path(), options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let (serving, until) = (centre.clone(), shutdown.clone());
        let serving =
            tokio::spawn(async move { serving.serve_collectors_within(listener, limits, until).await.unwrap() });
        Self { centre, address, shutdown, serving, _data: data }
    }

    /// A centre with one site, at which one agent is enrolled.
    async fn with_an_agent() -> (Self, SiteId, Papers) {
        let served = Self::start().await;
        let site = served.site("000000").await;
        let papers = served.enrol(site).await;
        (served, site, papers)
    }

    async fn site(&self, code: &str) -> SiteId {
        let site = NewSite {
            tier: Tier::Ministry,
            kind: SiteKind::Division,
            code: code.into(),
            name: SiteName::new("部", "Ministry"),
            parents: Vec::new(),
            from: Timestamp::EPOCH,
        };
        match self.centre.submit(Command::AddSite(site), "test").await.unwrap() {
            Outcome::SiteAdded(id) => id,
            other => panic!("{other:?}"),
        }
    }

    async fn channel(&self, config: rustls::ClientConfig) -> Channel {
        let (address, connector) = (self.address, tokio_rustls::TlsConnector::from(Arc::new(config)));
        let connect = tower::service_fn(move |_| {
            let connector = connector.clone();
            async move {
                let tcp = TcpStream::connect(address).await?;
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(tls::server_name(), tcp).await?))
            }
        });
        Endpoint::from_static("http://centre").connect_with_connector(connect).await.unwrap()
    }

    async fn enrol_with(&self, text: &str, key: &KeyPair) -> Result<EnrolResponse, Status> {
        let token: Token = text.parse().unwrap();
        let channel = self.channel(tls::enrolment_client(token.authority()).unwrap()).await;
        let request = CertificateParams::default().serialize_request(key).unwrap();
        let request = EnrolRequest {
            token: text.to_owned(),
            certificate_request: request.der().to_vec(),
            version: "test".into(),
        };
        let mut client = v1::enrolment_client::EnrolmentClient::new(channel);
        let response = client.enrol(v1::EnrolRequest::from(request)).await?;
        Ok(response.into_inner().try_into().unwrap())
    }

    async fn enrol(&self, site: SiteId) -> Papers {
        let token = self.centre.enrol_token(site, Duration::from_secs(60), "test").await.unwrap();
        let key = KeyPair::generate().unwrap();
        Papers { response: self.enrol_with(&token, &key).await.unwrap(), key }
    }

    async fn stream(&self, papers: &Papers) -> Result<Wire, Status> {
        let chain = papers.response.certificate_chain.iter().map(|it| CertificateDer::from(it.clone())).collect();
        let authority = CertificateDer::from(papers.response.ca_certificate.clone());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(papers.key.serialize_der()));
        let channel = self.channel(tls::mutual_client(authority, chain, key).unwrap()).await;
        let (outgoing, messages) = mpsc::channel(64);
        let mut client = v1::collector_client::CollectorClient::new(channel);
        let incoming = client.report(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Wire { outgoing, incoming })
    }

    async fn connect(&self, papers: &Papers) -> (Wire, Welcome) {
        let mut wire = self.stream(papers).await.unwrap();
        wire.say(AgentMessage::Hello(hello(papers))).await;
        let CentreMessage::Welcome(welcome) = wire.hear().await else { panic!("no welcome") };
        (wire, welcome)
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.centre.stop().await;
    }
}

impl Wire {
    async fn say(&self, message: AgentMessage) {
        self.outgoing.send(v1::AgentMessage::from(&message)).await.unwrap();
    }

    async fn hear(&mut self) -> CentreMessage {
        self.listen().await.unwrap().expect("the stream ended")
    }

    async fn listen(&mut self) -> Result<Option<CentreMessage>, Status> {
        let next = tokio::time::timeout(PATIENCE, self.incoming.next()).await.expect("the centre says nothing");
        next.transpose().map(|message| message.map(|message| message.try_into().unwrap()))
    }

    /// Waits for the end of the stream and returns its reason.
    async fn end(&mut self) -> Status {
        loop {
            match self.listen().await {
                Ok(Some(_)) => {}
                Ok(None) => return Status::ok("ended without a reason"),
                Err(status) => return status,
            }
        }
    }
}

fn now_ms() -> i64 {
    crate::clock::Clock::system().now().unix_ms()
}

fn clocks() -> Clocks {
    Clocks { boot_id: [1; 16], boot_ms: 1_000_000, wall_ms: now_ms() }
}

fn hello(papers: &Papers) -> Hello {
    Hello {
        agent: papers.response.agent,
        site: papers.response.site,
        version: "test".into(),
        clocks: clocks(),
        lanes: Vec::new(),
        configuration_revision: 0,
    }
}

fn group() -> Group {
    Group { method: Method::PassiveArp, scope: Scope::new("eth0") }
}

fn body(last: u8) -> FactBody {
    FactBody::Binding(Binding { mac: MacAddr([0, 0x1b, 0x21, 0, 0, last]), ip: [10, 0, 0, last].into() })
}

fn at(sequence: u64) -> Position {
    Position { lane: Lane::State, epoch: 5, sequence }
}

fn batch(sequence: u64, last: u8) -> Batch {
    let observed = Timestamp::from_unix_ms(now_ms() - 1_000);
    let changes = vec![FactChange::Present(Fact { observed, body: body(last) })];
    let content = Content::State(vec![GroupChanges { group: group(), changes, complete: None }]);
    Batch { position: at(sequence), clocks: clocks(), content }
}

fn endpoints(centre: &Centre, site: SiteId) -> usize {
    centre.estate().site(site).map_or(0, |site| site.endpoints.len())
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_estate_and_a_repetition_has_no_effect() {
    let (served, site, papers) = Served::with_an_agent().await;
    let (mut wire, welcome) = served.connect(&papers).await;
    assert_eq!((welcome.site_name.as_str(), welcome.committed), ("部", vec![]));
    // More than the centre lets be in flight: the rest waits, nothing is lost.
    for sequence in 1..=40 {
        wire.say(AgentMessage::Batch(batch(sequence, u8::try_from(sequence).unwrap()))).await;
    }
    for sequence in 1..=40 {
        let CentreMessage::Acknowledgement(it) = wire.hear().await else { panic!() };
        assert_eq!(it.position, at(sequence));
    }
    assert_eq!(endpoints(&served.centre, site), 40);
    wire.say(AgentMessage::Batch(batch(3, 99))).await;
    let CentreMessage::Acknowledgement(it) = wire.hear().await else { panic!() };
    assert_eq!(it.position, at(40));
    assert_eq!(endpoints(&served.centre, site), 40);
    let (_wire, welcome) = served.connect(&papers).await;
    assert_eq!(welcome.committed, [at(40)]);
    served.stop().await;
}

#[tokio::test]
async fn a_gap_and_an_unacceptable_batch_are_rejected_by_name_and_the_lane_goes_on() {
    let (served, _, papers) = Served::with_an_agent().await;
    let (mut wire, _) = served.connect(&papers).await;
    wire.say(AgentMessage::Batch(batch(2, 1))).await;
    let CentreMessage::Rejection(it) = wire.hear().await else { panic!() };
    assert_eq!((it.reason, it.position), (RejectionReason::Gap, at(0)));
    let mut wrong = v1::AgentMessage::from(&AgentMessage::Batch(batch(1, 1)));
    if let Some(v1::agent_message::Body::Batch(batch)) = &mut wrong.body {
        batch.groups[0].method = 999;
    }
    wire.outgoing.send(wrong).await.unwrap();
    let CentreMessage::Rejection(it) = wire.hear().await else { panic!() };
    assert_eq!((it.reason, it.position), (RejectionReason::Invalid, at(1)));
    assert!(it.detail.contains("method"), "{}", it.detail);
    wire.say(AgentMessage::Batch(batch(2, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(it) if it.position == at(2)));
    served.stop().await;
}

#[tokio::test]
async fn a_token_enrols_one_agent_and_a_second_key_is_refused_with_the_remedy() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let token = served.centre.enrol_token(site, Duration::from_secs(60), "test").await.unwrap();
    let key = KeyPair::generate().unwrap();
    let first = served.enrol_with(&token, &key).await.unwrap();
    let again = served.enrol_with(&token, &key).await.unwrap();
    assert_eq!((first.agent, first.site), (again.agent, again.site));
    let other = served.enrol_with(&token, &KeyPair::generate().unwrap()).await.unwrap_err();
    assert_eq!(other.code(), Code::PermissionDenied);
    assert!(other.message().contains("onenetd enrol"), "{}", other.message());
    let unknown = Token::generate(served.centre.authority()).unwrap().reveal();
    let unknown = served.enrol_with(&unknown, &key).await.unwrap_err();
    assert!(unknown.message().contains("not known"), "{}", unknown.message());
    served.stop().await;
}

#[tokio::test]
async fn a_stream_without_a_certificate_is_refused_with_the_remedy() {
    let served = Served::start().await;
    let channel = served.channel(tls::enrolment_client(served.centre.authority()).unwrap()).await;
    let (_outgoing, messages) = mpsc::channel(1);
    let mut client = v1::collector_client::CollectorClient::new(channel);
    let refused = client.report(ReceiverStream::<v1::AgentMessage>::new(messages)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("enrol"), "{}", refused.message());
    served.stop().await;
}

#[tokio::test]
async fn a_hello_for_another_site_or_agent_is_refused() {
    let served = Served::start().await;
    let site = served.site("000000").await;
    let other = served.site("000001").await;
    let papers = served.enrol(site).await;
    for (agent, site) in [(papers.response.agent, other), (AgentId::from_raw(1), site)] {
        let mut wire = served.stream(&papers).await.unwrap();
        wire.say(AgentMessage::Hello(Hello { agent, site, ..hello(&papers) })).await;
        let status = wire.end().await;
        assert_eq!(status.code(), Code::PermissionDenied);
        assert!(status.message().contains("the certificate is that of"), "{}", status.message());
    }
    served.stop().await;
}

#[tokio::test]
async fn a_revoked_agent_is_out_at_once_and_stays_out() {
    let (served, _, papers) = Served::with_an_agent().await;
    let (mut wire, _) = served.connect(&papers).await;
    let command = Command::RevokeAgent { agent: papers.response.agent, reason: "stolen".into() };
    served.centre.submit(command, "wang").await.unwrap();
    let ended = wire.end().await;
    assert_eq!(ended.code(), Code::PermissionDenied);
    assert!(ended.message().contains("revoked by wang") && ended.message().contains("stolen"), "{ended}");
    let refused = served.stream(&papers).await.err().unwrap();
    assert!(refused.message().contains("revoked by wang") && refused.message().contains("stolen"), "{refused}");
    served.stop().await;
}

#[tokio::test]
async fn a_newer_stream_takes_the_older_ones_place() {
    let (served, _, papers) = Served::with_an_agent().await;
    let (mut older, _) = served.connect(&papers).await;
    let (mut newer, _) = served.connect(&papers).await;
    assert_eq!(older.end().await.code(), Code::Aborted);
    newer.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(newer.hear().await, CentreMessage::Acknowledgement(_)));
    let estate = served.centre.estate();
    let agent = estate.agent(papers.response.agent).unwrap();
    assert!(agent.contact.connected_since.is_some(), "the end of the older stream is not the agent's");
    assert_eq!(served.centre.streams().count(), 1);
    served.stop().await;
}

#[tokio::test]
async fn a_digest_that_differs_asks_for_exactly_the_differing_groups() {
    let (served, _, papers) = Served::with_an_agent().await;
    let (mut wire, _) = served.connect(&papers).await;
    wire.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(_)));
    let mut same = GroupDigest::empty(group());
    same.add(&body(1));
    let extra = Group { method: Method::PassiveNd, scope: Scope::new("eth0") };
    let mut unknown = GroupDigest::empty(extra.clone());
    unknown.add(&body(2));
    let stale = Digest { state: at(0), groups: Vec::new() };
    wire.say(AgentMessage::Digest(stale)).await;
    wire.say(AgentMessage::Digest(Digest { state: at(1), groups: vec![same.clone(), unknown] })).await;
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(it.body, InstructionBody::Resync(vec![extra]), "the stale digest asked nothing");
    wire.say(AgentMessage::Result(InstructionResult { id: it.id, outcome: Ok(Done::default()) })).await;
    wire.say(AgentMessage::Digest(Digest { state: at(1), groups: Vec::new() })).await;
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(it.body, InstructionBody::Resync(vec![group()]), "a group that the agent holds no more");
    served.stop().await;
}

#[tokio::test]
async fn a_configuration_is_pushed_when_it_differs_and_its_revision_is_recorded() {
    let (served, site, papers) = Served::with_an_agent().await;
    let set = |toml: &str| served.centre.submit(Command::Configure { site, toml: toml.into() }, "test");
    let Outcome::Configured { revision } = set("# one").await.unwrap() else { panic!() };
    let (mut wire, _) = served.connect(&papers).await;
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(it.body, InstructionBody::Configure { revision, toml: "# one".into() });
    let done = Done { configuration_revision: revision, ..Done::default() };
    wire.say(AgentMessage::Result(InstructionResult { id: it.id, outcome: Ok(done) })).await;
    let mut position = served.centre.position();
    let in_force = position
        .wait_for(|_| served.centre.estate().agent(papers.response.agent).unwrap().configuration_revision == revision);
    tokio::time::timeout(PATIENCE, in_force).await.unwrap().unwrap();
    let Outcome::Configured { revision } = set("# two").await.unwrap() else { panic!() };
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(it.body, InstructionBody::Configure { revision, toml: "# two".into() });
    served.stop().await;
}

#[tokio::test]
async fn a_configuration_that_is_refused_is_known_with_the_agents_reason() {
    let (served, site, papers) = Served::with_an_agent().await;
    let set = |toml: &str| served.centre.submit(Command::Configure { site, toml: toml.into() }, "test");
    let rollout = || {
        let estate = served.centre.estate();
        let agent = estate.agent(papers.response.agent).cloned().unwrap();
        (estate.configurations[&site].rollout(&agent), agent.refused.clone().map(|it| it.reason))
    };
    set("# one").await.unwrap();
    assert_eq!(rollout(), (Rollout::Waiting, None));
    let (mut wire, _) = served.connect(&papers).await;
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(rollout(), (Rollout::Pushed, None));
    wire.say(AgentMessage::Result(InstructionResult { id: it.id, outcome: Err("line 3: no such device".into()) }))
        .await;
    let mut position = served.centre.position();
    let refused = position.wait_for(|_| rollout() == (Rollout::Rejected, Some("line 3: no such device".into())));
    tokio::time::timeout(PATIENCE, refused).await.unwrap().unwrap();
    // Another one begins anew, and one that is in force takes the reason away.
    let Outcome::Configured { revision } = set("# two").await.unwrap() else { panic!() };
    let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
    assert_eq!(rollout().0, Rollout::Pushed);
    let done = Done { configuration_revision: revision, ..Done::default() };
    wire.say(AgentMessage::Result(InstructionResult { id: it.id, outcome: Ok(done) })).await;
    let applied = position.wait_for(|_| rollout() == (Rollout::Applied, None));
    tokio::time::timeout(PATIENCE, applied).await.unwrap().unwrap();
    served.stop().await;
}

#[tokio::test]
async fn the_certificate_of_an_agent_is_known_from_its_first_connection_on() {
    let (served, _, papers) = Served::with_an_agent().await;
    let known = || served.centre.estate().agent(papers.response.agent).unwrap().certificate;
    assert_eq!(known(), None);
    let (_wire, _) = served.connect(&papers).await;
    let certificate = known().unwrap();
    assert_eq!(certificate.fingerprint, tls::Fingerprint::of(&papers.response.certificate_chain[0]));
    assert!(certificate.expires > Timestamp::from_unix_ms(now_ms()));
    served.stop().await;
}

#[tokio::test]
async fn a_question_is_answered_by_the_agent_or_fails_with_a_clear_reason() {
    let (served, _, papers) = Served::with_an_agent().await;
    let agent = papers.response.agent;
    let ask = || served.centre.instruct(agent, InstructionBody::Query(Query::Status));
    assert!(ask().await.unwrap_err().to_string().contains("not connected"));
    let (mut wire, _) = served.connect(&papers).await;
    let answer = async {
        let CentreMessage::Instruction(it) = wire.hear().await else { panic!() };
        let done = Done { body: b"{}".to_vec(), ..Done::default() };
        wire.say(AgentMessage::Result(InstructionResult { id: it.id, outcome: Ok(done) })).await;
    };
    let (answered, ()) = tokio::join!(ask(), answer);
    assert_eq!(answered.unwrap().body, b"{}");
    let cut = async {
        wire.hear().await;
        drop(wire);
    };
    let (answered, ()) = tokio::join!(ask(), cut);
    assert!(answered.unwrap_err().to_string().contains("was cut"));
    served.stop().await;
}

#[tokio::test]
async fn a_centre_that_stops_comes_back_with_everything_that_was_acknowledged() {
    let (served, site, papers) = Served::with_an_agent().await;
    let (mut wire, _) = served.connect(&papers).await;
    wire.say(AgentMessage::Batch(batch(1, 1))).await;
    assert!(matches!(wire.hear().await, CentreMessage::Acknowledgement(_)));
    let Served { centre, shutdown, _data: data, .. } = served;
    shutdown.cancel();
    assert_eq!(wire.end().await.code(), Code::Unavailable);
    centre.stop().await;
    let authority = centre.authority();
    drop(centre);
    let again = Centre::open(data.path(), Options::default()).await.unwrap();
    assert_eq!(endpoints(&again, site), 1);
    assert_eq!(again.authority(), authority);
    let agent = again.estate().agent(papers.response.agent).cloned().unwrap();
    assert_eq!((agent.committed(), agent.contact.connected_since), (vec![at(1)], None));
    again.stop().await;
}
