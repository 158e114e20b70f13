//! Notification against receivers that a test has in its hand: what arrives, and what becomes of what is refused.

mod contacts;

use std::{path::PathBuf, sync::Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use onenet_topology::{
    CaseId,
    case::{CaseAction, CaseVerdict, Category},
    incident::Severity,
};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::*;
use crate::{
    config::{ChannelConfig, HttpWay, MailWay, Secret, Way},
    console::Language,
    ingest::Outcome,
    outbox::{MessageId, What},
    record::Command,
    testing::{NOW, World},
};

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    headers: HeaderMap,
    query: String,
    body: Value,
}

/// A receiver that answers with what is in `answers`, in turn, and then with "taken".
#[derive(Default)]
struct Hook {
    arrived: Mutex<Vec<Arrived>>,
    answers: Mutex<Vec<(u16, &'static str)>>,
}

impl Hook {
    async fn listen(answers: &[(u16, &'static str)]) -> (Arc<Self>, hyper::Uri) {
        let hook = Arc::new(Self { answers: Mutex::new(answers.to_vec()), ..Self::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?access_token=t0p", listener.local_addr().unwrap()).parse().unwrap();
        let held = Arc::clone(&hook);
        let take = move |headers: HeaderMap, RawQuery(query): RawQuery, body: Bytes| {
            let body = serde_json::from_slice(&body).unwrap();
            held.arrived.lock().unwrap().push(Arrived { headers, query: query.unwrap_or_default(), body });
            let mut answers = held.answers.lock().unwrap();
            let (status, said) = if answers.is_empty() { (200, "{\"errcode\":0}") } else { answers.remove(0) };
            async move { (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")], said) }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await.unwrap() });
        (hook, url)
    }

    fn bodies(&self) -> Vec<Value> {
        self.arrived.lock().unwrap().iter().map(|it| it.body.clone()).collect()
    }
}

fn config(way: Way) -> ChannelConfig {
    ChannelConfig { name: "security".into(), language: Language::Zh, route: Route::default(), way }
}

fn webhook(url: &hyper::Uri) -> Way {
    Way::Webhook(HttpWay { url: Some(url.clone()), ..HttpWay::default() })
}

/// A channel of a world that has dealt with everything so far.
fn line(world: &World, config: &ChannelConfig) -> Line {
    let channel = Channel::new(config).unwrap();
    let mut notifier = Notifier::new(world.app.centre.clone(), vec![channel]).unwrap();
    let line = notifier.lines.remove(0);
    line.outbox.enter(&config.name, world.app.centre.estate().position).unwrap();
    line
}

/// Works until nothing waits.
async fn drained(line: &mut Line) {
    while line.turn().await.unwrap() {}
}

fn counted(line: &Line) -> [u64; 4] {
    let told = &line.told;
    [&told.waiting, &told.taken, &told.refused, &told.failed].map(|it| it.load(Ordering::Relaxed))
}

async fn drill(world: &World, subject: &str, grade: Severity) -> CaseId {
    let (kind, subject, text) = ("port_scan".into(), subject.into(), "autumn drill".into());
    let command = Command::Drill {
        site: world.site("130102"),
        kind,
        subject,
        grade,
        began: NOW,
        text,
        source: None,
        destination: None,
        port: None,
    };
    match world.app.centre.submit(command, "wang").await.unwrap() {
        Outcome::CaseOpened(case) => case,
        other => panic!("{other:?}"),
    }
}

async fn act(world: &World, case: CaseId, action: CaseAction) {
    let command = Command::ActOnCase { site: world.site("130102"), case, action, notice: None };
    world.app.centre.submit(command, "li.wei").await.unwrap();
}

#[tokio::test]
async fn what_happens_to_a_case_is_told_once_and_in_order() {
    let world = World::bare().await;
    let (hook, url) = Hook::listen(&[]).await;
    let mut line = line(&world, &config(webhook(&url)));
    let case = drill(&world, "10.1.2.3", Severity::Major).await;
    let text = || "拔掉网线".to_owned();
    for action in [
        CaseAction::Acknowledge,
        CaseAction::Grade { grade: Severity::Major, category: Category::NetworkAttack },
        CaseAction::Notify { to: world.site("130102"), text: text(), due: None, issuer: None },
        CaseAction::Comment { text: text() },
        CaseAction::Answer { text: text(), rectified: true },
        CaseAction::Close { verdict: CaseVerdict::Drill, text: text() },
    ] {
        act(&world, case, action).await;
    }
    drained(&mut line).await;
    drained(&mut line).await;
    let bodies = hook.bodies();
    let told: Vec<&str> = bodies.iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(told, ["case_opened", "case_notified", "case_answered", "case_closed"]);
    assert_eq!(counted(&line), [0, 4, 0, 0]);
    let notice = &bodies[1];
    for (field, value) in [
        ("about", json!(case.to_string())),
        ("site_code", json!("130102")),
        ("grade", json!("major")),
        ("drill", json!(true)),
        ("by", json!("li.wei")),
        ("text", json!("拔掉网线")),
        ("title", json!("[演练] [重大] 已通报责任单位: 端口扫描 10.1.2.3 · 长安区")),
    ] {
        assert_eq!(notice[field], value, "{field}");
    }
    let arrived = hook.arrived.lock().unwrap().clone();
    let keys: Vec<&str> = arrived.iter().map(|it| it.headers["idempotency-key"].to_str().unwrap()).collect();
    let ids: Vec<&str> = bodies.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(keys, ids);
    let ended = line.outbox.ended(MessageId { position: world.app.centre.estate().position, ordinal: 0 }).unwrap();
    assert_eq!(ended, [("security".to_owned(), Ended { time: NOW, refused: None })], "when it was taken is kept");
}

#[tokio::test]
async fn a_receiver_that_is_away_is_told_again_and_one_that_refuses_is_not() {
    let world = World::bare().await;
    let (hook, url) = Hook::listen(&[(503, ""), (403, ""), (200, ""), (400, "no such channel")]).await;
    let mut line = line(&world, &config(webhook(&url)));
    for subject in ["a", "b", "c"] {
        drill(&world, subject, Severity::General).await;
    }
    drained(&mut line).await;
    let subjects: Vec<Value> = hook.bodies().iter().map(|it| it["subject"].clone()).collect();
    assert_eq!(subjects, ["a", "a", "a", "b", "c"]);
    let ids: std::collections::BTreeSet<String> = hook.bodies().iter().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len(), 3, "what is sent again has the same id");
    assert_eq!(counted(&line), [0, 2, 1, 2]);
}

#[tokio::test]
async fn a_channel_is_told_what_its_route_names_and_nothing_from_before_it_was_there() {
    let world = World::bare().await;
    drill(&world, "before", Severity::Major).await;
    let (hook, url) = Hook::listen(&[]).await;
    let mut config = config(webhook(&url));
    config.route = Route { grades: vec![Severity::Major], areas: vec!["130000".into()], ..Route::default() };
    let mut line = line(&world, &config);
    drill(&world, "grave", Severity::Major).await;
    drill(&world, "not so", Severity::General).await;
    drained(&mut line).await;
    let estate = world.app.centre.estate();
    let message = line.outbox.waiting("another", 10).unwrap();
    assert_eq!(message, [], "a channel that never was there has nothing to wait for");
    assert_eq!(hook.bodies().iter().map(|it| it["subject"].clone()).collect::<Vec<_>>(), ["grave"]);
    line.outbox.enter("all", 0).unwrap();
    let all = line.outbox.waiting("all", 10).unwrap();
    let taken = |route: &Route| all.iter().filter(|it| takes(route, it, &estate)).count();
    assert_eq!(taken(&Route::default()), 3);
    assert_eq!(taken(&Route { areas: vec!["320000".into()], ..Route::default() }), 0);
    assert_eq!(taken(&Route { drills: false, ..Route::default() }), 0);
    assert_eq!(taken(&Route { what: vec![What::CaseClosed], ..Route::default() }), 0);
}

/// A file with a secret, in a directory that goes with it.
fn file(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn robots_are_told_text_with_their_signature_and_their_errors_are_understood() {
    let world = World::bare().await;
    let too_many = "{\"errcode\":310000,\"errmsg\":\"sign not match\"}";
    let (hook, url) = Hook::listen(&[(200, "{\"errcode\":40035,\"errmsg\":\"x\"}"), (200, "{\"errcode\":0}")]).await;
    let dir = tempfile::tempdir().unwrap();
    let way = HttpWay {
        secret_url: Some(Secret::File(file(&dir, "url", &format!("{url}\n")))),
        secret: Some(Secret::File(file(&dir, "secret", "SECxyz\n"))),
        ..HttpWay::default()
    };
    let mut line = line(&world, &config(Way::DingTalk(way)));
    drill(&world, "a", Severity::General).await;
    drill(&world, "b", Severity::General).await;
    drained(&mut line).await;
    assert_eq!(counted(&line), [0, 1, 1, 0]);
    let arrived = hook.arrived.lock().unwrap().clone();
    let text = arrived[1].body["text"]["content"].as_str().unwrap();
    assert!(arrived[1].body["msgtype"] == "text" && text.contains("端口扫描 b") && text.contains("message-"), "{text}");
    let begins = format!("access_token=t0p&timestamp={}&sign=", NOW.unix_ms());
    assert!(arrived[1].query.starts_with(&begins), "{}", arrived[1].query);
    let message = &line.outbox.waiting("none", 1).unwrap();
    assert!(message.is_empty() && matches!(form::robot_answer(too_many), Answer::Later { .. }));
    assert!(!format!("{:?}", line.channel).contains("t0p"), "the address of a robot is a secret");
}

#[tokio::test]
async fn a_webhook_is_signed_and_gets_its_token() {
    let world = World::bare().await;
    let (hook, url) = Hook::listen(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    let way = HttpWay {
        url: Some(url),
        token: Some(Secret::File(file(&dir, "token", "tok"))),
        secret: Some(Secret::File(file(&dir, "secret", "key"))),
        ..HttpWay::default()
    };
    let mut line = line(&world, &config(Way::Webhook(way)));
    drill(&world, "a", Severity::General).await;
    drained(&mut line).await;
    let arrived = hook.arrived.lock().unwrap().clone();
    assert_eq!(arrived[0].headers["authorization"], "Bearer tok");
    let signature = arrived[0].headers["x-onenet-signature"].to_str().unwrap();
    assert!(signature.starts_with("sha256=") && signature.len() == 7 + 64, "{signature}");
}

#[tokio::test]
async fn syslog_is_told_one_line_each_by_udp_and_tcp() {
    let world = World::bare().await;
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = |at: std::io::Result<std::net::SocketAddr>| at.unwrap().to_string();
    let by_udp = Way::Syslog { address: address(udp.local_addr()), tcp: false, cef: false };
    let mut by_udp = line(&world, &config(by_udp));
    let by_tcp = Way::Syslog { address: address(tcp.local_addr()), tcp: true, cef: false };
    let mut by_tcp = line(&world, &ChannelConfig { name: "tcp".into(), ..config(by_tcp) });
    drill(&world, "10.1.2.3\" ]\n", Severity::Major).await;
    let reads = tokio::spawn(async move {
        let mut text = String::new();
        tcp.accept().await.unwrap().0.read_to_string(&mut text).await.unwrap();
        text
    });
    drained(&mut by_udp).await;
    drained(&mut by_tcp).await;
    let mut datagram = [0; 4_096];
    let len = udp.recv(&mut datagram).await.unwrap();
    let line = std::str::from_utf8(&datagram[..len]).unwrap();
    assert!(line.starts_with("<106>1 20") && !line.contains('\n') && line.len() <= 2_048, "{line}");
    assert!(line.contains(" onenetd - case_opened [onenet@32473 id=\"message-"), "{line}");
    assert!(line.contains("subject=\"10.1.2.3\\\" \\]\" site=\"130102\" grade=\"major\""), "{line}");
    let stream = reads.await.unwrap();
    let (octets, rest) = stream.split_once(' ').unwrap();
    assert_eq!((octets.parse::<usize>().unwrap(), rest), (rest.len(), line));
}

#[tokio::test]
async fn a_collection_of_security_events_is_told_records_of_cef() {
    let world = World::bare().await;
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let way = Way::Syslog { address: udp.local_addr().unwrap().to_string(), tcp: false, cef: true };
    let mut line = line(&world, &config(way));
    for subject in ["10.1.2.3", "a=b|c\\d src=10.9.9.9"] {
        drill(&world, subject, Severity::Major).await;
    }
    drained(&mut line).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let mut datagram = [0; 4_096];
        let len = udp.recv(&mut datagram).await.unwrap();
        told.push(std::str::from_utf8(&datagram[..len]).unwrap().to_owned());
    }
    assert!(told[0].starts_with("<106>1 20") && told[0].contains(" onenetd - case_opened - CEF:0|onenet|onenetd|"));
    let record = told[0].split("CEF:0").nth(1).unwrap();
    let head: Vec<_> = record.splitn(8, '|').skip(1).collect();
    assert_eq!((head[3], head[5]), ("case_opened", "8"), "{record}");
    for field in ["cat=port_scan", "src=10.1.2.3", "cs1Label=site cs1=130102", "cs2=major", "cs5=true"] {
        assert!(head[6].contains(field), "{field}: {record}");
    }
    // The name in the head may hold an equals sign, and bars are escaped there; it is the other way round in fields.
    let (head, fields) = told[1].split_once("|8|").unwrap();
    assert!(head.contains("a=b\\|c\\\\d src=10.9.9.9"), "{head}");
    assert!(fields.contains("cs4=a\\=b|c\\\\d src\\=10.9.9.9 ") && !fields.contains(" src="), "{fields}");
}

#[tokio::test]
async fn old_messages_go_once_they_were_told_and_too_many_go_anyhow() {
    let world = World::bare().await;
    let (_, url) = Hook::listen(&[]).await;
    let mut told = line(&world, &config(webhook(&url)));
    let late = line(&world, &ChannelConfig { name: "late".into(), ..config(webhook(&url)) });
    for n in 0..5 {
        drill(&world, &n.to_string(), Severity::General).await;
    }
    drained(&mut told).await;
    let outbox = &told.outbox;
    let both = ["security".to_owned(), "late".to_owned()];
    let later = NOW.plus_ms(1);
    assert_eq!(outbox.trim(100, later, &both).unwrap(), 0, "what somebody waits for stays");
    assert_eq!(late.outbox.waiting("late", 100).unwrap().len(), 5);
    assert_eq!(outbox.trim(2, later, &both).unwrap(), 3, "but for the room there is");
    assert_eq!(outbox.waiting("late", 100).unwrap().len(), 2);
    assert_eq!(outbox.trim(100, later, &both[..1]).unwrap(), 0);
    assert_eq!(outbox.waiting("late", 100).unwrap().len(), 0, "told to all there are, and old");
}

/// A mail program that keeps what it was given, and ends with the status that a file of its folder has.
fn mail_program(dir: &tempfile::TempDir, status: &str) -> MailWay {
    use std::os::unix::fs::PermissionsExt as _;
    let text = "#!/bin/sh\nhere=$(dirname \"$0\")\necho \"$@\" >> \"$here/arguments\"\ncat >> \"$here/mail\"\n\
                echo no such relay >&2\nexit \"$(cat \"$here/status\")\"\n";
    let command = file(dir, "sendmail", text);
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o700)).unwrap();
    file(dir, "status", status);
    MailWay {
        command,
        from: "onenet@centre.example".into(),
        to: vec!["duty@a.example".into(), "b@b.example".into()],
        contacts: true,
    }
}

#[tokio::test]
async fn mail_is_handed_to_the_machines_mail_program_and_a_message_that_it_cannot_read_is_given_up() {
    let world = World::bare().await;
    let dir = tempfile::tempdir().unwrap();
    let mut line = line(&world, &config(Way::Mail(mail_program(&dir, "65"))));
    drill(&world, "a", Severity::General).await;
    drained(&mut line).await;
    assert_eq!(counted(&line), [0, 0, 1, 0]);
    file(&dir, "status", "0");
    std::fs::remove_file(dir.path().join("mail")).unwrap();
    drill(&world, "b\r\nBcc: x@y.example", Severity::General).await;
    drained(&mut line).await;
    assert_eq!(counted(&line), [0, 1, 1, 0]);
    let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("arguments").lines().last(), Some("-t -i -f onenet@centre.example"));
    let mail = read("mail");
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.contains("To: duty@a.example,\n b@b.example\n") && head.contains("Message-ID: <message-"), "{head}");
    assert!(head.starts_with("Date: ") && !head.contains("Bcc"), "{head}");
    let body = body.split_whitespace().collect::<String>();
    let body = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("端口扫描 b") && body.ends_with("\r\n"), "{body}");
}

#[tokio::test]
async fn a_mail_program_that_fails_is_tried_again() {
    let world = World::bare().await;
    let dir = tempfile::tempdir().unwrap();
    let Way::Mail(way) = config(Way::Mail(mail_program(&dir, "75"))).way else { unreachable!("it is mail") };
    let Answer::Later { why, after: None } = mail::send(&way, "Subject: a\n\nb\n").await.unwrap() else {
        panic!("it is not tried again")
    };
    assert!(why.contains("75") && why.contains("no such relay"), "{why}");
    let gone = MailWay { command: dir.path().join("nothing"), ..way };
    assert!(mail::send(&gone, "").await.is_err());
    assert!(Channel::new(&config(Way::Mail(gone))).is_err(), "the daemon says so when it starts");
    drop(world);
}

#[test]
fn a_secret_is_read_from_the_environment_by_its_name() {
    let of = |name: &str| {
        let token = Some(Secret::Environment(name.into()));
        let url = Some("http://127.0.0.1:9/".parse().unwrap());
        Channel::new(&config(Way::Webhook(HttpWay { url, token, ..HttpWay::default() })))
    };
    assert!(of("PATH").is_ok());
    let error = of("ONENET_NO_SUCH_VARIABLE").unwrap_err().to_string();
    assert!(error.contains("ONENET_NO_SUCH_VARIABLE") && error.contains("[notify]"), "{error}");
}
