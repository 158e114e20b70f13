//! Listening for people and programs: TLS or plain TCP, and the local socket.
//!
//! Invariant: connections are bounded, a handshake and a request's head take bounded time, and a failure of one
//! connection never ends the listener.
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
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{App, Peer};

/// Open connections: a console's browser keeps six, so this serves well over a hundred people.
const CONNECTIONS_MAX: usize = 1024;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the head of a request may take; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(60);
/// How long requests under way may take to end when the daemon stops.
const DRAIN: Duration = Duration::from_secs(5);
/// How long to wait after the system refused a connection, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

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

/// Serves `router` until `shutdown`.
pub async fn serve(listening: Listening, router: Router, app: Arc<App>, shutdown: CancellationToken) {
    let (connections, tracker) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), TaskTracker::new());
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { break };
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
        let (router, app, tls, shutdown) = (router.clone(), Arc::clone(&app), listening.tls.clone(), shutdown.clone());
        tracker.spawn(async move {
            app.counters.connections.fetch_add(1, Ordering::Relaxed);
            let peer = peer(address);
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
            drop(permit);
        });
    }
    drain(tracker).await;
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
