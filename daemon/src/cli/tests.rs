//! The command line over a store and over a running centre.

use std::{path::Path, sync::Arc};

use clap::Subcommand as _;

use super::{Command, local::Local, serve};
use crate::{
    access::Role,
    config::{ApiConfig, CollectorsConfig, Config, Transport},
};
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;

fn config(data: &Path) -> Config {
    let any = "127.0.0.1:0".parse().unwrap();
    Config {
        data_dir: data.to_owned(),
        collectors: CollectorsConfig { listen: any, names: vec!["centre.example".into()] },
        api: ApiConfig { listen: any, transport: Transport::Plain, ..ApiConfig::default() },
        ..Config::default()
    }
}

async fn ask(data: &Path, role: Role, method: Method, path: &str) -> Result<Value, String> {
    let centre = Local::find(data, true).await.map_err(|error| error.to_string())?;
    let answer = centre.ask(role, method, path, Request::new(Body::empty())).await;
    centre.close().await;
    answer.map_err(|error| error.to_string())
}

/// The commands of a centre, without what the binary adds.
fn command_line() -> clap::Command {
    Command::augment_subcommands(clap::Command::new("onenetd"))
}

#[test]
fn the_command_line_is_consistent() {
    command_line().debug_assert();
}

#[test]
fn what_contradicts_itself_is_refused() {
    for line in [
        "sites import",
        "sites import x.csv --divisions",
        "sites move 130102",
        "sites merge 130102",
        "areas create",
        "areas change a --latin b",
        "addresses lookup",
        "agents revoke agent-1",
        "config push 130102",
        "config push-sections x.toml",
        "config push-sections x.toml --area a --site s",
        "enrol",
        "token create x",
        "enrol x --hours 0",
        "nonsense",
    ] {
        let words = std::iter::once("onenetd").chain(line.split(' '));
        assert!(command_line().try_get_matches_from(words).is_err(), "{line}");
    }
}

#[tokio::test]
async fn the_same_command_works_with_a_daemon_and_without_one() {
    let data = tempfile::tempdir().unwrap();
    let import = "/api/v1/sites/import?divisions=true";
    let imported = ask(data.path(), Role::SystemAdministrator, Method::POST, import).await.unwrap();
    assert_eq!(imported["sites"], 3340);

    let running = serve::start(&config(data.path())).await.unwrap();
    let again = ask(data.path(), Role::SystemAdministrator, Method::POST, import).await.unwrap();
    assert_eq!((&again["sites"], &again["added"]), (&3340.into(), &0.into()), "the daemon answered, over its socket");
    let path = "/api/v1/sites/130102/enrolment-tokens";
    let issued = ask(data.path(), Role::SystemAdministrator, Method::POST, path).await.unwrap();
    let port = running.collectors.port();
    assert_eq!(issued["centre"], format!("centre.example:{port}"));
    let refused = ask(data.path(), Role::SecurityAdministrator, Method::POST, path).await.unwrap_err();
    assert!(refused.contains("enrol_agent"), "{refused}");
    running.stop().await;

    // The socket is left behind; the next command opens the store itself.
    let listed = ask(data.path(), Role::SecurityAdministrator, Method::GET, "/api/v1/tokens").await.unwrap();
    assert_eq!(listed["items"], serde_json::json!([]));
}

#[tokio::test]
async fn the_socket_and_the_data_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let running = serve::start(&config(&data)).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data.join("onenetd.sock")), 0o600);
    assert_eq!(mode(&data), 0o700);
    running.stop().await;
}

#[tokio::test]
async fn a_second_daemon_on_the_same_data_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let running = serve::start(&config(data.path())).await.unwrap();
    let Err(error) = serve::start(&config(data.path())).await else { panic!("two daemons share a store") };
    assert!(error.to_string().contains("in use"), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_key() {
    let data = tempfile::tempdir().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(data.path());
    config.api.listen = taken.local_addr().unwrap();
    let Err(error) = serve::start(&config).await else { panic!("two listeners share a port") };
    let said = error.to_string();
    assert!(said.contains("api.listen") && said.contains(&config.api.listen.to_string()), "{said}");
}

/// One request over TLS as a browser sends it, to whoever has a certificate of `authority` for `name`.
async fn get_over_tls(
    address: std::net::SocketAddr,
    authority: rustls::pki_types::CertificateDer<'static>,
    name: &'static str,
    path: &str,
) -> Result<(StatusCode, String), String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).unwrap();
    let mut tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls));
    let stream = connector.connect(name.try_into().unwrap(), tcp).await.map_err(|error| error.to_string())?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::builder().uri(path).header(header::HOST, name).body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    connection.abort();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn the_api_speaks_tls_with_a_certificate_of_the_centres_own_authority() {
    onenet_wire::tls::install();
    let data = tempfile::tempdir().unwrap();
    let mut config = config(data.path());
    config.api.transport = Transport::OwnAuthority;
    let running = serve::start(&config).await.unwrap();
    let authority = || CertificateDer::from_pem_file(data.path().join("pki/authority.pem")).unwrap();
    let answer = get_over_tls(running.api, authority(), "centre.example", "/healthz").await;
    assert_eq!(answer, Ok((StatusCode::OK, "ok\n".to_owned())));
    let stranger = get_over_tls(running.api, authority(), "centre.example", "/api/v1/sites").await.unwrap();
    assert_eq!(stranger.0, StatusCode::UNAUTHORIZED);
    // Whoever is called otherwise, or trusts another authority, sends nothing.
    let other_name = get_over_tls(running.api, authority(), "elsewhere.example", "/healthz").await.unwrap_err();
    assert!(other_name.contains("not valid for name"), "{other_name}");
    let other = rcgen::generate_simple_self_signed(["centre.example".to_owned()]).unwrap();
    let unknown = get_over_tls(running.api, other.cert.der().clone(), "centre.example", "/healthz").await.unwrap_err();
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let failed = &running.app.counters.handshakes_failed;
    let counted = async {
        while failed.load(std::sync::atomic::Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), counted).await.expect("failed handshakes are not counted");
    // And nothing is answered in clear text.
    let plain = tokio::net::TcpStream::connect(running.api).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(plain)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri("/healthz").body(Body::empty()).unwrap();
    assert!(sender.send_request(request).await.is_err());
    running.stop().await;
}

#[tokio::test]
async fn the_api_speaks_tls_with_a_certificate_from_files_and_names_the_one_that_cannot_be_used() {
    onenet_wire::tls::install();
    let data = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["console.example".to_owned()]).unwrap();
    let (certificate, key) = (data.path().join("console.pem"), data.path().join("console.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut config = config(&data.path().join("data"));
    config.api.transport = Transport::Files { certificate: certificate.clone(), key: key.clone() };
    let running = serve::start(&config).await.unwrap();
    let answer = get_over_tls(running.api, made.cert.der().clone(), "console.example", "/healthz").await;
    assert_eq!(answer, Ok((StatusCode::OK, "ok\n".to_owned())));
    running.stop().await;

    let other = rcgen::generate_simple_self_signed(["console.example".to_owned()]).unwrap();
    for (content, words) in [("", "console.key"), (&other.signing_key.serialize_pem(), "belong to each other")] {
        std::fs::write(&key, content).unwrap();
        let Err(error) = serve::start(&config).await else { panic!("it serves with another key") };
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_story_of_a_case_names_who_acts_on_the_centres_machine() {
    let data = tempfile::tempdir().unwrap();
    let sites = "/api/v1/sites/import?divisions=true";
    ask(data.path(), Role::SystemAdministrator, Method::POST, sites).await.unwrap();
    let as_who = async |person: Option<&str>| {
        let subject = person.unwrap_or("nobody").trim();
        let drill = serde_json::json!({ "site": "130102", "kind": "port_scan", "subject": subject, "text": "drill" });
        let centre = Local::find(data.path(), false).await.unwrap().for_person(person.map(str::to_owned));
        let request = super::commands::with_json(&drill);
        let opened = centre.ask(Role::SecurityReviewer, Method::POST, "/api/v1/drills", request).await;
        let acted = match opened {
            Ok(drill) => {
                let path = format!("/api/v1/cases/{}/actions", drill["case"].as_str().unwrap());
                let action = serde_json::json!({ "action": "comment", "text": "seen" });
                centre.ask(Role::SecurityReviewer, Method::POST, &path, super::commands::with_json(&action)).await
            }
            refused => refused,
        };
        centre.close().await;
        acted.map(|case| case["steps"].as_array().unwrap().last().unwrap()["by"].clone()).map_err(|it| it.to_string())
    };
    assert_eq!(as_who(Some("李伟")).await.unwrap(), "李伟 (local security-reviewer)");
    assert_eq!(as_who(None).await.unwrap(), "local security-reviewer");
    for no_name in ["a\nb", &"x".repeat(101)] {
        assert!(as_who(Some(no_name)).await.unwrap_err().contains("--by"));
    }
    let principal = |person| crate::access::Principal::local(Role::SecurityReviewer, person);
    assert_eq!((principal(Some("李伟")).person(), principal(None).person()), ("李伟", "local security-reviewer"));
}

#[test]
fn who_acts_is_said_by_a_flag_that_takes_no_other_flags_place() {
    let parse =
        |line: &str| command_line().try_get_matches_from(line.split(' ')).map(|_| ()).map_err(|it| it.to_string());
    for line in [
        "onenetd cases acknowledge case-1 --by 李伟",
        "onenetd cases notify case-1 --text x --by 李伟 --issuer 王芳 --telephone 0311-86000001",
        "onenetd cases statistics --by unit_month",
        "onenetd availability --by month",
        "onenetd sites contacts put 130102 李伟 --telephone 110 --by 王芳",
        "onenetd cases drill 130102 --kind port_scan --source 10.1.2.3 --text x",
        "onenetd cases drill 130102 --kind site_cut --minutes 10 --text x",
        "onenetd cases drills --site 130000 --state found --csv",
        "onenetd anomalies list --csv",
    ] {
        assert_eq!(parse(line), Ok(()), "{line}");
    }
    for line in ["onenetd anomalies list --csv --json", "onenetd cases drills --csv --json"] {
        assert!(parse(line).is_err(), "{line}");
    }
}
