//! Traps and informs: heard, checked, told, and what they name read at once.
//!
//! Invariants: nothing is listened to unless the configuration says so; a datagram of an address that is no device's is
//! counted and never answered; each device may say so much at a time and no more; a secret never reaches a log.
//!
//! Tasks: one, [`Traps::run`], which owns the socket and the receiver. Cancelling it is safe at any point: an inform that
//! was not answered is sent again by its device. It does not end on bad input or on an error of the socket.

mod admission;
mod engine;
mod meaning;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use onenet_snmp::{Credentials, Profiles, Receiver, Refused, Taken};
use onenet_topology::fact::ConditionKind;
use tokio::{net::UdpSocket, time::sleep};
use tokio_util::sync::CancellationToken;

pub use admission::TrapCounts;

use self::{
    admission::Admission,
    meaning::{Meaning, meaning},
};
use crate::{
    clock::Clock,
    conditions::Conditions,
    config::TrapsConfig,
    limited::Limited,
    observations::Observations,
    poll::{Notice, Told},
};

/// The longest datagram that there is.
const DATAGRAM_BYTES_MAX: usize = 1 << 16;

/// How long until the socket is opened again, or received from again, after it failed.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_RECEIVING: Duration = Duration::from_millis(50);

/// What is counted, shared with the status. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<TrapCounts>>);

/// The listener.
pub(crate) struct Traps {
    pub(crate) config: TrapsConfig,
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) conditions: Conditions,
    pub(crate) observations: Observations,
    /// What is known of notifications.
    pub(crate) profiles: Arc<Profiles>,
    /// Bound before the process gave up the right to.
    pub(crate) bound: Option<std::net::UdpSocket>,
    /// Whom to tell.
    pub(crate) told: Told,
    pub(crate) counts: Counts,
}

/// What is kept while the listener runs.
struct Hearing {
    receiver: Receiver,
    admission: Admission,
    refused: Limited,
}

impl Counts {
    /// Returns the counts as they are now.
    pub(crate) fn get(&self) -> TrapCounts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut TrapCounts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Traps {
    /// Listens until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.listen() => {}
        }
    }

    async fn listen(&self) {
        loop {
            match self.open().await {
                Ok((socket, mut hearing)) => {
                    tracing::info!(listen = %self.config.listen, "listening for traps and informs");
                    self.trouble(None).await;
                    self.hear(&socket, &mut hearing).await;
                }
                Err(reason) => {
                    let detail = format!(
                        "traps and informs are not heard on {}: {reason}; give the agent CAP_NET_BIND_SERVICE at its start \
                         for a port below 1024, or another port in [traps] listen, and restart it",
                        self.config.listen
                    );
                    self.trouble(Some(detail)).await;
                }
            }
            sleep(PAUSE).await;
        }
    }

    async fn open(&self) -> Result<(UdpSocket, Hearing), String> {
        let socket = self.bind().await.map_err(|error| error.to_string())?;
        let (data, now_s) = (self.data.clone(), self.now_s());
        let engine = tokio::task::spawn_blocking(move || engine::begin(&data, now_s)).await;
        let engine = engine.map_err(|error| error.to_string())?.map_err(|error| crate::cli::chain(&error))?;
        let receiver = Receiver::new(engine)?;
        Ok((socket, Hearing { receiver, admission: Admission::default(), refused: Limited::default() }))
    }

    /// Returns the socket that was bound at the start, or binds one.
    async fn bind(&self) -> io::Result<UdpSocket> {
        let Some(bound) = &self.bound else { return UdpSocket::bind(self.config.listen).await };
        let socket = bound.try_clone()?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    }

    async fn hear(&self, socket: &UdpSocket, hearing: &mut Hearing) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((length, from)) => {
                    let answer = self.take(hearing, buffer.get(..length).unwrap_or_default(), from);
                    if let Some(answer) = answer {
                        self.answer(socket, &answer, from).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot receive traps");
                    sleep(PAUSE_RECEIVING).await;
                }
            }
        }
    }

    async fn answer(&self, socket: &UdpSocket, answer: &[u8], to: SocketAddr) {
        match socket.send_to(answer, to).await {
            Ok(_) => self.counts.change(|counts| counts.answered = counts.answered.saturating_add(1)),
            Err(error) => tracing::debug!(%error, %to, "cannot answer an inform"),
        }
    }

    /// Takes a datagram. Returns what is to be sent back.
    fn take(&self, hearing: &mut Hearing, datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
        let now = self.clock.timestamp();
        let sender = from.ip().to_canonical();
        let devices = self.told.at(sender);
        if devices.is_empty() {
            self.counts.change(|counts| counts.refuse("unknown_source"));
            let detail = "it is no device's address, or that of several: set the source address of traps on the device to the one it is polled at";
            self.warn(hearing, sender, detail);
            return None;
        }
        if !hearing.admission.admits(sender, now) {
            self.counts.change(|counts| counts.held_back = counts.held_back.saturating_add(1));
            return None;
        }
        let mut last = None;
        // Several devices may be at one address, on ports of their own; each has its credentials.
        for device in &devices {
            let accepted: Vec<Credentials> =
                std::iter::once(&device.credentials).chain(&self.config.accepted).cloned().collect();
            let Taken { said, answer } = hearing.receiver.take(datagram, &accepted, self.now_s());
            match said {
                Ok(notification) => {
                    self.counts.change(|counts| counts.taken = counts.taken.saturating_add(1));
                    let meant = meaning(&notification, &self.profiles);
                    tracing::debug!(device = %device.name, words = %meant.words, "a device said something");
                    let Meaning { kind, tables, if_index, words } = meant;
                    let notice = Notice { at: now, kind, tables, if_index, words };
                    if !device.tell(notice) {
                        self.counts.change(|counts| counts.held_back = counts.held_back.saturating_add(1));
                    }
                    return answer;
                }
                Err(refused) => last = Some((refused, answer)),
            }
        }
        let (refused, answer) = last?;
        self.refuse(hearing, &refused, sender);
        answer
    }

    fn refuse(&self, hearing: &mut Hearing, refused: &Refused, sender: IpAddr) {
        // That a sender asks for our engine id and time is how an inform begins.
        if *refused == Refused::EngineUnknown {
            return;
        }
        self.counts.change(|counts| counts.refuse(refused.reason()));
        self.warn(hearing, sender, &refused.to_string());
    }

    fn warn(&self, hearing: &mut Hearing, sender: IpAddr, why: &str) {
        let error = io::Error::other(format!("a datagram of {sender} is not believed: {why}"));
        hearing.refused.warn(self.clock.timestamp(), "traps are refused", &error);
    }

    async fn trouble(&self, detail: Option<String>) {
        let (now, subject) = (self.clock.timestamp(), "traps");
        let change = match detail {
            Some(detail) => self.conditions.raise(ConditionKind::CaptureFailed, subject, &detail, now),
            None => self.conditions.clear(ConditionKind::CaptureFailed, subject, now),
        };
        self.observations.changes(change.into_iter().collect()).await;
    }

    fn now_s(&self) -> u64 {
        self.clock.now().boot_ms / 1_000
    }
}
