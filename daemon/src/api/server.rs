//! Listening for people and programs: TLS or plain TCP, and the local socket.
//!
//! Invariant: connections are bounded, in all and by address, with some for this machine alone, so that whoever administers it
//! always comes in; a handshake and a request's head take bounded time, whoever does not read what he asked for is hung up on,
//! and a failure of one connection never ends the listener.
//!
//! # Tasks
//!
//! [`serve`] and [`serve_local`] each accept in the caller's task and run one task a connection, owned by a tracker. When
//! `shutdown` is cancelled they stop accepting, let requests under way end within [`DRAIN`], then drop the rest; a request
//! that is dropped has either been committed or will be refused when it is sent again.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{App, Peer};
use crate::listening::{Place, Places, Shares, Unstalled};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the head of a request may take; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(60);
/// How long whoever asked for something may read nothing of it.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// How long requests under way may take to end when the daemon stops.
const DRAIN: Duration = Duration::from_secs(5);
/// How long to wait after the system refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// One in so many refusals is logged: whoever attacks does not write the log.
const LOGGED_EACH: u64 = 1_000;

/// Where and how to listen.
pub struct Listening {
    /// The socket.
    pub listener: TcpListener,
    /// TLS; `None` for plain HTTP.
    pub tls: Option<TlsAcceptor>,
}

/// It cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The local socket cannot be made.
    #[error("the local socket {} cannot be made: check that the data directory is the daemon's alone", path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// How many may be connected, and how long they may read nothing.
#[derive(Debug, Clone)]
struct Limits {
    here: Places,
    elsewhere: Places,
    read_within: Duration,
}

impl Limits {
    /// Returns the limits where there are `connections` in all.
    fn new(connections: usize, read_within: Duration) -> Self {
        let here = connections / 4;
        let elsewhere = connections - here;
        // Many people may be behind one address, and a browser keeps six.
        let by_address = (elsewhere / 3).max(6);
        Self { here: Places::new(here, here), elsewhere: Places::new(elsewhere, by_address), read_within }
    }

    fn take(&self, address: SocketAddr) -> Option<Place> {
        let ip = address.ip().to_canonical();
        if ip.is_loopback() { self.here.take(ip) } else { self.elsewhere.take(ip) }
    }
}

/// Serves `router` until `shutdown`.
pub async fn serve(listening: Listening, router: Router, app: Arc<App>, shutdown: CancellationToken) {
    serve_within(Limits::new(Shares::here().people, READ_WITHIN), listening, router, app, shutdown).await;
}

async fn serve_within(
    limits: Limits,
    listening: Listening,
    router: Router,
    app: Arc<App>,
    shutdown: CancellationToken,
) {
    let (tracker, mut refused) = (TaskTracker::new(), 0_u64);
    loop {
        let accepted = tokio::select! {
            accepted = listening.listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                let failures = app.counters.accepts_failed.fetch_add(1, Ordering::Relaxed);
                if failures.is_multiple_of(100) {
                    tracing::warn!(%error, failures, "a connection was not accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = limits.take(address) else {
            if refused.is_multiple_of(LOGGED_EACH) {
                tracing::warn!(%address, refused = refused + 1, "a connection was closed at once: too many are open");
            }
            refused += 1;
            continue;
        };
        let connection = Connection {
            stream: Unstalled::new(stream, limits.read_within),
            peer: peer(address),
            tls: listening.tls.clone(),
            place,
        };
        tracker.spawn(connection.serve(router.clone(), Arc::clone(&app), shutdown.clone()));
    }
    drain(tracker).await;
}

/// A connection that was let in.
struct Connection {
    stream: Unstalled<TcpStream>,
    peer: Peer,
    tls: Option<TlsAcceptor>,
    place: Place,
}

impl Connection {
    async fn serve(self, router: Router, app: Arc<App>, shutdown: CancellationToken) {
        let Self { stream, peer, tls, place } = self;
        app.counters.connections.fetch_add(1, Ordering::Relaxed);
        match tls {
            None => answer(stream, router, peer, shutdown).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(Ok(stream)) => answer(stream, router, peer, shutdown).await,
                Ok(Err(_)) | Err(_) => {
                    app.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                }
            },
        }
        app.counters.connections.fetch_sub(1, Ordering::Relaxed);
        drop(place);
    }
}

/// Makes the local socket `onenetd.sock` in the data directory, for its owner alone.
///
/// # Errors
/// It cannot be made.
pub fn local_socket(data: &Path) -> Result<UnixListener, ServeError> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = socket_path(data);
    let failed = |source| ServeError::Socket { path: path.clone(), source };
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    // Made under another name with the right mode, then moved: nobody can open it in between.
    let partial = path.with_extension("partial");
    let _ = std::fs::remove_file(&partial);
    let listener = UnixListener::bind(&partial).map_err(failed)?;
    std::fs::set_permissions(&partial, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    std::fs::rename(&partial, &path).map_err(failed)?;
    Ok(listener)
}

/// Returns where in a data directory the local socket is.
pub(crate) fn socket_path(data: &Path) -> PathBuf {
    data.join("onenetd.sock")
}

/// Serves `router` on the local socket until `shutdown`.
pub async fn serve_local(listener: UnixListener, router: Router, shutdown: CancellationToken) {
    let tracker = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                tracker.spawn(answer(stream, router.clone(), Peer::Local, shutdown.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drain(tracker).await;
}

async fn drain(tracker: TaskTracker) {
    tracker.close();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        tracing::warn!(connections = tracker.len(), "connections did not end in time and are dropped");
    }
}

/// Returns who is at the other end; an IPv4 address in IPv6 clothes is shown as what it is.
fn peer(address: SocketAddr) -> Peer {
    Peer::Remote(address.ip().to_canonical().to_string().into())
}

/// Serves one connection.
async fn answer<S>(stream: S, router: Router, peer: Peer, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer.clone());
        request.map(axum::body::Body::new)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    // How a connection ends is the peer's affair: nothing of ours depends on it.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{
        centre::{Centre, Options},
        clock::Clock,
    };

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Serves a page of many megabytes on loopback.
    async fn served(limits: Limits) -> (SocketAddr, Arc<App>, CancellationToken, tempfile::TempDir) {
        let data = tempfile::tempdir().unwrap();
        let centre = Centre::open(data.path(), Options::default()).await.unwrap();
        let app = Arc::new(App::new(centre, Clock::system(), 1024, false));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async || vec![0_u8; 64 << 20])).route("/small", get(async || "ok"));
        let listening = Listening { listener, tls: None };
        tokio::spawn(serve_within(limits, listening, router, Arc::clone(&app), shutdown.clone()));
        (address, app, shutdown, data)
    }

    async fn ask(address: SocketAddr, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: onenet\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Returns whether the first line of an answer comes.
    async fn is_answered(stream: &mut TcpStream) -> bool {
        let mut head = [0; 12];
        let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap();
        read.is_ok_and(|_| head == *b"HTTP/1.1 200")
    }

    #[tokio::test]
    async fn whoever_does_not_read_what_he_asked_for_is_hung_up_on_and_the_next_comes_in() {
        let (address, app, shutdown, _data) = served(Limits::new(4, Duration::from_millis(200))).await;
        let mut deaf = ask(address, "/").await;
        // There is one place here, and it is taken: the next is hung up on at once.
        assert!(is_answered(&mut deaf).await);
        assert!(!is_answered(&mut ask(address, "/small").await).await);
        let left = async {
            while app.counters.connections.load(Ordering::Relaxed) > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, left).await.expect("who does not read keeps his place");
        assert!(is_answered(&mut ask(address, "/small").await).await);
        drop(deaf);
        shutdown.cancel();
    }

    #[test]
    fn this_machine_has_places_that_no_other_takes() {
        let limits = Limits::new(16, READ_WITHIN);
        let from = |text: &str| limits.take(SocketAddr::new(text.parse().unwrap(), 1));
        let first: Vec<_> = (0..99).map_while(|_| from("192.0.2.1")).collect();
        let second: Vec<_> = (0..99).map_while(|_| from("192.0.2.2")).collect();
        let third: Vec<_> = (0..99).map_while(|_| from("192.0.2.3")).collect();
        assert_eq!([first.len(), second.len(), third.len()], [6, 6, 0]);
        assert!(from("127.0.0.1").is_some() && from("::1").is_some());
    }
}
