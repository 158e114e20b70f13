//! How soon either end of a line notices that the other is gone without a word.
//!
//! The kernel asks for it (keep-alives, RFC 1122 section 4.2.3.6; user timeout, RFC 5482): a ping of our own costs a record of TLS, four
//! system calls and two wake-ups, which for thousands of agents was most of what the centre did while nothing happened.

use std::{io, os::fd::AsFd, time::Duration};

use socket2::{SockRef, TcpKeepalive};

/// How patient an end of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// After how much silence the other end is asked for a sign of life; also what keeps a firewall's state alive.
    pub ask_after: Duration,
    /// How long it may give none, or leave what was sent without acknowledgement, until it counts as gone; longer than `ask_after`.
    pub gone_after: Duration,
}

/// The centre's: that a site is cut off is worth knowing soon. What it sent right before a cut counts from its first repetition, so that
/// a stream outlives its line by up to ten seconds; causes of incidents are held that long, and told of within fifteen.
pub const CENTRE: Patience = Patience { ask_after: Duration::from_secs(3), gone_after: Duration::from_secs(9) };
/// An agent's, which has other things to do and a narrow line.
pub const AGENT: Patience = Patience { ask_after: Duration::from_secs(10), gone_after: Duration::from_secs(20) };

/// Asks again each second: a line that loses one packet in three is not gone.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Lets the kernel end a TCP connection whose other end is gone.
///
/// # Errors
/// The kernel refuses.
pub fn watch<S: AsFd>(stream: &S, patience: Patience) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(patience.ask_after).with_interval(ASK_AGAIN_AFTER))?;
    socket.set_tcp_user_timeout(Some(patience.gone_after))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_watched_as_patiently_as_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        watch(&stream, CENTRE).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), CENTRE.ask_after);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), ASK_AGAIN_AFTER);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(CENTRE.gone_after));
    }
}
