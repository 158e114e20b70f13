//! Checks of services, over the loopback interface, against servers that do one thing wrong each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use onenet_probe::{EchoSockets, Plan, Prober, Said, Service, Target, Thresholds};
use onenet_topology::{ProbeKind, ProbeRole, ProbeState};
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, UdpSocket},
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// What a server says to a line that begins so.
type Replies = &'static [(&'static str, &'static str)];

fn plan(kind: ProbeKind, to: SocketAddr) -> Plan {
    Plan {
        name: "service".into(),
        target: Target::Host { host: to.ip().to_string(), port: Some(to.port()) },
        kind,
        role: ProbeRole::Named,
        site: String::new(),
        interval: Duration::from_millis(50),
        timeout: Duration::from_millis(1_500),
        window: Duration::from_secs(6),
        thresholds: Thresholds { down_after: 2, ..Thresholds::of(kind) },
        key: None,
        service: Service { path: "portal.example".into(), ..Service::default() },
    }
}

/// Returns what is judged first.
async fn judged(plan: Plan) -> (ProbeState, String) {
    let (said, mut saying) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Prober::new(vec![Arc::new(plan)], EchoSockets::default(), *b"a token!").run(said, stop));
    let waiting = async {
        loop {
            if let Said::State { state, detail, .. } = saying.recv().await.unwrap() {
                return (state, detail);
            }
        }
    };
    let told = timeout(Duration::from_secs(30), waiting).await.unwrap();
    running.abort();
    told
}

fn up() -> (ProbeState, String) {
    (ProbeState::Up, String::new())
}

fn bad(state: ProbeState, detail: &str) -> (ProbeState, String) {
    (state, detail.into())
}

/// A certificate that ended in 2025, for this name.
fn ended(name: &str) -> TlsAcceptor {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2024, 1, 1), rcgen::date_time_ymd(2025, 1, 1));
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let config = rustls::ServerConfig::builder_with_provider(onenet_wire::tls::provider());
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()))
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: S, greeting: &str, replies: Replies) -> Option<S> {
    let mut stream = BufReader::new(stream);
    stream.write_all(greeting.as_bytes()).await.ok()?;
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 0 {
        let reply = replies.iter().find(|(asked, _)| line.starts_with(asked));
        stream.write_all(reply.map_or("", |(_, reply)| reply).as_bytes()).await.ok()?;
        if line.contains("STARTTLS") {
            return Some(stream.into_inner());
        }
        line.clear();
    }
    None
}

/// A server of lines; `tls` begins at once, or behind STARTTLS.
async fn serve(greeting: &'static str, replies: Replies, tls: Option<TlsAcceptor>, at_once: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls.filter(|_| at_once) {
                    Some(tls) => drop(answer(tls.accept(stream).await.ok()?, greeting, replies).await),
                    None => drop(answer(stream, greeting, replies).await),
                }
                Some(())
            });
        }
    });
    address
}

/// A mail server that has TLS behind STARTTLS.
async fn serve_starttls(greeting: &'static str, replies: Replies, tls: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Some(stream) = answer(stream, greeting, replies).await {
                let _ = tls.accept(stream).await;
            }
        }
    });
    address
}

const PAGE: Replies = &[("GET / ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")];
const FAILED: Replies = &[("GET / ", "HTTP/1.1 503 Service Unavailable\r\n\r\n")];
const MAIL: Replies = &[
    ("EHLO [127.0.0.1]", "250-mail.example\r\n250 STARTTLS\r\n"),
    ("STARTTLS", "220 go ahead\r\n"),
    ("QUIT", "221 bye\r\n"),
];
const MAILBOX: Replies =
    &[("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\r\na1 OK\r\n"), ("a3 LOGOUT", "* BYE\r\na3 OK\r\n")];

fn page(kind: ProbeKind, to: SocketAddr) -> Plan {
    Plan { service: Service { server_name: "portal.example".into(), ..Service::default() }, ..plan(kind, to) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_judged_by_its_status_and_by_what_its_server_shows() {
    let good = serve("", PAGE, None, false).await;
    assert_eq!(judged(page(ProbeKind::Http, good)).await, up());
    let failed = serve("", FAILED, None, false).await;
    let told = bad(ProbeState::Degraded, "it answers 503 Service Unavailable");
    assert_eq!(judged(page(ProbeKind::Http, failed)).await, told);
    let secure = serve("", PAGE, Some(ended("other.example")), true).await;
    let (state, detail) = judged(page(ProbeKind::Https, secure)).await;
    assert_eq!(state, ProbeState::Degraded);
    let parts: Vec<&str> = detail.split("; ").collect();
    let [end, name] = parts.as_slice() else { panic!("{detail}") };
    assert!(end.starts_with("its certificate ended "), "{end}");
    assert_eq!(*name, "its certificate is for other.example, not for portal.example");
    let (state, detail) = judged(page(ProbeKind::Https, good)).await;
    assert_eq!(state, ProbeState::Down);
    assert!(detail.contains("TLS"), "a server that speaks no TLS: {detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_greeted_and_the_certificate_behind_starttls_is_judged() {
    let mailbox = serve("* OK ready\r\n", MAILBOX, None, false).await;
    assert_eq!(judged(plan(ProbeKind::Imap, mailbox)).await, up());
    let mail = serve_starttls("220 mail.example ESMTP\r\n", MAIL, ended("mail.example")).await;
    let (state, detail) = judged(plan(ProbeKind::Smtp, mail)).await;
    assert!(state == ProbeState::Degraded && detail.starts_with("its certificate ended "), "{state:?} {detail}");
    let full = serve("554 no room\r\n", &[], None, false).await;
    assert_eq!(judged(plan(ProbeKind::Smtp, full)).await, bad(ProbeState::Degraded, "it greets with 554 no room"));
    let silent = serve("", &[], None, false).await;
    assert_eq!(judged(plan(ProbeKind::Imap, silent)).await, bad(ProbeState::Down, "no greeting within 1500 ms"));
    let told = judged(plan(ProbeKind::Smtp, mailbox)).await;
    assert_eq!(told, bad(ProbeState::Down, "the answer is no SMTP: \"* OK ready\""));
}

/// Answers each datagram with what this makes of it.
async fn serve_datagrams(make: fn(&[u8]) -> Vec<u8>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 2_048];
        loop {
            let (length, from) = socket.recv_from(&mut room).await.unwrap();
            let _ = socket.send_to(&make(&room[..length]), from).await;
        }
    });
    address
}

/// A name server's answer without records: with these flags.
fn flagged(question: &[u8], flags: [u8; 2]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2..4].copy_from_slice(&flags);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_name_a_clock_and_a_switchboard_is_said() {
    let unknown = serve_datagrams(|question| flagged(question, [0x81, 0x83])).await;
    let told = bad(ProbeState::Degraded, "it answers NXDOMAIN (there is no such name) for portal.example");
    assert_eq!(judged(plan(ProbeKind::Dns, unknown)).await, told);
    let empty = serve_datagrams(|question| flagged(question, [0x81, 0x80])).await;
    assert_eq!(judged(plan(ProbeKind::Dns, empty)).await, bad(ProbeState::Degraded, "portal.example has no address"));
    let cut = serve_datagrams(|question| flagged(question, [0x83, 0x80])).await;
    let told = "the answer over UDP is cut short, and over TCP: the connection is refused";
    assert_eq!(judged(plan(ProbeKind::Dns, cut)).await, bad(ProbeState::Down, told));
    let clock = serve_datagrams(|question| {
        let mut answer = question.to_vec();
        (answer[0], answer[1]) = (0xe4, 0);
        answer.copy_within(40..48, 24);
        answer[12..16].copy_from_slice(b"INIT");
        answer
    });
    let told = "it sends the kiss-o'-death INIT: its own clock is not set yet";
    assert_eq!(judged(plan(ProbeKind::Ntp, clock.await)).await, bad(ProbeState::Degraded, told));
    let pbx = serve_datagrams(|question| {
        let text = String::from_utf8_lossy(question).replacen(
            "OPTIONS sip:portal.example@127.0.0.1 SIP/2.0",
            "SIP/2.0 500 Oops",
            1,
        );
        text.into_bytes()
    });
    assert_eq!(judged(plan(ProbeKind::Sip, pbx.await)).await, bad(ProbeState::Degraded, "it answers 500 Oops"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_a_datagram_is_fetched_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut room = [0; 2_048];
        loop {
            let (length, from) = socket.recv_from(&mut room).await.unwrap();
            let _ = socket.send_to(&flagged(&room[..length], [0x83, 0x80]), from).await;
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut room = [0; 2_048];
            let length = tokio::io::AsyncReadExt::read(&mut stream, &mut room).await.unwrap();
            let mut answer = flagged(&room[2..length], [0x81, 0x80]);
            answer[7] = 1;
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
            let head = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&head[..], &answer].concat()).await.unwrap();
        }
    });
    assert_eq!(judged(plan(ProbeKind::Dns, address)).await, up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_at_which_nobody_listens_is_down_for_datagrams_and_connections_alike() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(judged(plan(ProbeKind::Ntp, closed)).await, bad(ProbeState::Down, "the port is closed"));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(judged(plan(ProbeKind::Ldap, closed)).await, bad(ProbeState::Down, "the connection is refused"));
}
