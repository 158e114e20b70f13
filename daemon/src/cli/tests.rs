//! The command line over a store and over a running centre.

use std::path::Path;

use clap::Subcommand as _;

use super::{Command, local::Local, serve};
use crate::{
    access::Role,
    config::{ApiConfig, CollectorsConfig, Config, Transport},
};
use axum::body::Body;
use hyper::{Method, Request};
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
    for line in
        ["sites import", "sites import x.csv --divisions", "enrol", "token create x", "enrol x --hours 0", "nonsense"]
    {
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
