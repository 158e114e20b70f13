//! Strangers at the agents' port, more than there are file descriptors: the store goes on writing.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const DESCRIPTORS: usize = 300;
const STRANGERS: usize = 600;

/// A daemon with few descriptors, killed with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a port of loopback that is free at the moment.
fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn token(config: &Path, name: &str) -> std::process::Output {
    let arguments = ["token", "create", name, "--role", "system-administrator", "--config"];
    Command::new(env!("CARGO_BIN_EXE_onenetd")).args(arguments).arg(config).output().unwrap()
}

#[test]
fn more_strangers_than_descriptors_do_not_stop_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let (agents, api) = (free(), free());
    let config = directory.path().join("onenetd.toml");
    let text = format!(
        "data_dir = \"{}\"\n[collectors]\nlisten = \"{agents}\"\n[api]\nlisten = \"{api}\"\nplain_http = true\n",
        directory.path().join("data").display()
    );
    std::fs::write(&config, text).unwrap();
    let start = format!("ulimit -n {DESCRIPTORS}; exec \"$0\" serve --config \"$1\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &start, env!("CARGO_BIN_EXE_onenetd")])
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut daemon = Daemon(command.spawn().unwrap());
    let mut tries = 0;
    while TcpStream::connect(agents).is_err() || !directory.path().join("data/onenetd.sock").exists() {
        assert!(daemon.0.try_wait().unwrap().is_none(), "the daemon ended");
        assert!(tries < 1_200, "the daemon does not listen");
        std::thread::sleep(Duration::from_millis(100));
        tries += 1;
    }
    let mut strangers = Vec::new();
    for number in 0..STRANGERS {
        // Whoever is not let in is hung up on; that he tried is enough.
        strangers.extend(TcpStream::connect_timeout(&agents, Duration::from_secs(5)));
        if number % 150 == 0 {
            let made = token(&config, &format!("t{number}"));
            assert!(made.status.success(), "{number}: {}", String::from_utf8_lossy(&made.stderr));
        }
    }
    assert!(strangers.len() > DESCRIPTORS, "{} connections prove nothing", strangers.len());
    let made = token(&config, "last");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(daemon.0.try_wait().unwrap().is_none(), "the daemon ended");
}
