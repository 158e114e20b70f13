//! A conversation over a connection: bytes go out, and are read until they are an answer.
//!
//! Invariant: no answer is longer than [`ANSWER_BYTES_MAX`], and whatever is waited for has a name, so that a time-out says what did
//! not come. How long is waited is for whoever asks.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

/// The longest answer that is read.
pub const ANSWER_BYTES_MAX: usize = 16 << 10;

/// The longest text of a server's that is told on, in characters.
const SHOWN_MAX: usize = 80;

/// What a reader of an answer makes of the bytes so far: an answer and how many of them it takes, or that more are needed.
///
/// # Errors
/// They are no answer, in words.
pub type Read<T> = Result<Option<(T, usize)>, String>;

/// What is waited for.
#[derive(Debug)]
pub(crate) struct Stage(Mutex<&'static str>);

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A conversation.
pub(crate) struct Talk<'s> {
    stage: &'s Stage,
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
}

impl Default for Stage {
    fn default() -> Self {
        Self(Mutex::new("answer"))
    }
}

impl Stage {
    /// Notes what is waited for now: "connection", "answer to EHLO".
    pub(crate) fn waits_for(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Says that it did not come in time.
    pub(crate) fn overdue(&self, within: Duration) -> String {
        let what = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let within = match within.subsec_millis() {
            0 => format!("{} s", within.as_secs()),
            _ => format!("{} ms", within.as_millis()),
        };
        format!("no {what} within {within}")
    }
}

impl<'s> Talk<'s> {
    /// Opens a connection.
    ///
    /// # Errors
    /// Nobody takes it.
    pub(crate) async fn open(stage: &'s Stage, host: &str, port: u16) -> Result<(Self, TcpStreamEnds), String> {
        let stream = connect(stage, host, port).await?;
        let ends = TcpStreamEnds { local: stream.local_addr().ok() };
        Ok((Self::over(stage, Box::new(stream)), ends))
    }

    /// Talks over this.
    pub(crate) fn over(stage: &'s Stage, stream: Box<dyn Duplex>) -> Self {
        Self { stage, stream, received: Vec::new() }
    }

    /// Returns what it talks over, so that TLS can begin there.
    ///
    /// # Errors
    /// The other side said something already that TLS would lose.
    pub(crate) fn into_stream(self) -> Result<(&'s Stage, Box<dyn Duplex>), String> {
        if self.received.is_empty() {
            return Ok((self.stage, self.stream));
        }
        Err("more comes in the clear behind the answer that begins TLS".to_owned())
    }

    /// Says something.
    ///
    /// # Errors
    /// The connection is over.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> Result<(), String> {
        let over = |error: io::Error| format!("the connection is over: {error}");
        self.stream.write_all(bytes).await.map_err(over)?;
        self.stream.flush().await.map_err(over)
    }

    /// Waits for an answer; `what` says to what.
    ///
    /// # Errors
    /// What comes is none, or it does not come.
    pub(crate) async fn hear<T>(&mut self, what: &'static str, read: impl Fn(&[u8]) -> Read<T>) -> Result<T, String> {
        self.stage.waits_for(what);
        loop {
            if let Some((answer, used)) = read(&self.received)? {
                self.received.drain(..used.min(self.received.len()));
                return Ok(answer);
            }
            if self.received.len() >= ANSWER_BYTES_MAX {
                return Err(format!("the {what} is longer than {} KiB", ANSWER_BYTES_MAX >> 10));
            }
            let mut room = [0; 2_048];
            let count = self.stream.read(&mut room).await.map_err(|error| ended(what, &error))?;
            if count == 0 {
                return Err(format!("the connection ends before the {what}"));
            }
            self.received.extend_from_slice(room.get(..count).unwrap_or_default());
        }
    }
}

/// What is known of a connection's ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TcpStreamEnds {
    /// Our address.
    pub(crate) local: Option<std::net::SocketAddr>,
}

/// Opens a connection.
///
/// # Errors
/// Nobody takes it.
pub(crate) async fn connect(stage: &Stage, host: &str, port: u16) -> Result<TcpStream, String> {
    stage.waits_for("connection");
    TcpStream::connect((host, port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused".to_owned(),
        _ => format!("no connection: {error}"),
    })
}

fn ended(what: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => format!("the connection is reset before the {what}"),
        io::ErrorKind::UnexpectedEof => format!("the connection ends before the {what}"),
        _ => format!("the connection fails before the {what}: {error}"),
    }
}

/// Returns where the line that begins the bytes ends, and how many bytes it takes with its end.
pub(crate) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end.saturating_add(1)))
}

/// Returns a server's text as it may be told on: short, and without what a terminal obeys.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let plain = text.trim().chars().map(|one| if one.is_control() { ' ' } else { one });
    plain.take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_or_without_a_carriage_return_and_what_is_told_on_is_plain_and_short() {
        assert_eq!(line(b"220 mail\r\nrest"), Some((&b"220 mail"[..], 10)));
        assert_eq!((line(b"a\n"), line(b"a\r"), line(b"")), (Some((&b"a"[..], 2)), None, None));
        assert_eq!(shown(b" \x1b[31mred\xff "), " [31mred\u{fffd}");
        assert_eq!(shown(&[b'x'; 500]).len(), SHOWN_MAX);
    }

    #[test]
    fn a_time_out_says_what_did_not_come() {
        let stage = Stage::default();
        assert_eq!(stage.overdue(Duration::from_millis(400)), "no answer within 400 ms");
        stage.waits_for("answer to EHLO");
        assert_eq!(stage.overdue(Duration::from_secs(10)), "no answer to EHLO within 10 s");
    }
}
