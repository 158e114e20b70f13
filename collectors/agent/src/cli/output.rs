//! What commands print.

use std::{
    error::Error,
    io::{self, Write},
};

use serde::Serialize;

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the result to standard output: make room where it goes to")]
pub(super) struct OutputError(#[source] io::Error);

/// Writes the text to standard output. A reader that has gone away, such as `head`, is no error.
pub(super) fn text(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    finished(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes the value as indented JSON and a line end to standard output.
pub(super) fn json(value: &impl Serialize) -> Result<(), OutputError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    finished(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// Says something beside the result, on standard error.
pub(super) fn note(text: &str) {
    // Nowhere else to say it when standard error is gone.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Returns an error's message with those of its causes, each said once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

fn finished(result: io::Result<()>) -> Result<(), OutputError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(OutputError),
    }
}
