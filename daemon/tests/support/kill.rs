//! A test that starts itself as a child process and kills it at some moment.

use std::{
    env, fmt,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Runs `test` of this very program as a child, told by the variable `(name, data)` that it is one, until it has
/// acknowledged `count` times, and kills it `later` than that: what is acknowledged comes in bursts behind each flush, so that
/// a kill at once would never hit the middle of a commit. Hands over each thing that it acknowledged, also after the kill was sent.
pub(crate) fn after(
    test: &str,
    (name, data): (&str, &Path),
    (count, later): (usize, Duration),
    mut acknowledged: impl FnMut(&str),
) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(name, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some(said) = line.strip_prefix("ack ") else { continue };
        acknowledged(said);
        seen += 1;
        if seen == count {
            std::thread::sleep(later);
            child.kill().unwrap();
        }
    }
    assert!(seen >= count, "the child ended by itself");
    child.wait().unwrap();
}

/// Says, as the child, that something was acknowledged.
pub(crate) fn acknowledge(what: fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {what}").unwrap();
    out.flush().unwrap();
}
