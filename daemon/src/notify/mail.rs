//! Mail, by this machine's mail program: that one knows the relay, its password, and how to wait for it.
//!
//! Invariant: a message that the program took (status 0) counts as told, one that it calls malformed (`EX_DATAERR`) or addressed to nobody (`EX_NOUSER`,
//! `EX_NOHOST`) as refused; after every
//! other end it is handed over again. Nothing of a message is an argument of the program but its fixed options.
//!
//! Cancel safe: a program that is not waited for is killed, and may or may not have taken the message.

use std::{io, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{
    config::MailWay,
    http_client::{Answer, HttpError},
};

/// `EX_DATAERR`, `EX_NOUSER` and `EX_NOHOST` of sysexits.h: the input was wrong, or nobody has this address. A contact that somebody
/// mistyped must not hold back what others are told.
const WRONG: [i32; 3] = [65, 67, 68];
/// `EX_NOPERM` and others mean that somebody has to mend something: it is tried again this much later.
const MENDED_AFTER: Duration = Duration::from_secs(60);
/// Bytes of what the program says that are kept.
const SAID_MAX: usize = 500;

/// Looks whether there is such a program.
///
/// # Errors
/// There is none.
pub(super) fn check(way: &MailWay) -> Result<(), HttpError> {
    let is_file = std::fs::metadata(&way.command)
        .and_then(|it| if it.is_file() { Ok(()) } else { Err(io::Error::other("it is no file")) });
    is_file.map_err(|source| HttpError::File {
        path: way.command.clone(),
        section: "[notify]",
        what: "a mail program (command)",
        source: source.into(),
    })
}

/// Hands a message over.
///
/// # Errors
/// The program cannot be run.
pub(super) async fn send(way: &MailWay, message: &str) -> io::Result<Answer> {
    let mut command = Command::new(&way.command);
    // -t: receivers are those of the head; -i: a line with a dot ends nothing; -f: to whom it comes back.
    command.args(["-t", "-i", "-f", &way.from]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut program = command.spawn()?;
    if let Some(mut input) = program.stdin.take() {
        // A program that ends before it read all says why by its status.
        let _ = input.write_all(message.as_bytes()).await;
        let _ = input.shutdown().await;
    }
    let output = program.wait_with_output().await?;
    let said: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(SAID_MAX).collect();
    let why = || format!("the mail program ended with {}: {said}", output.status);
    Ok(match output.status.code() {
        Some(0) => Answer::Taken,
        Some(code) if WRONG.contains(&code) => Answer::Refused(why()),
        Some(77 | 78) => Answer::Later { why: why(), after: Some(MENDED_AFTER) },
        _ => Answer::Later { why: why(), after: None },
    })
}
