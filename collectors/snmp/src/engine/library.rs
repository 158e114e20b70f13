//! The engine on `async-snmp`, for SNMPv3, and the oracle of the tests of our own: the only file that names that crate.
//!
//! Invariant: none of its types leave this file. Its own retries are off and its own time-out is out of the way, so
//! that `session.rs` alone decides how often and how long. Integers that it cut to 32 bits are put back from its
//! list of anomalies, or marked as malformed when that cannot be done beyond doubt.
//!
//! Tasks: the library runs one receiving task a socket, which ends when the last [`Sockets`] and session are gone.
//! Dropping a pending exchange is safe: it unregisters the question.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_snmp::{
    Auth, Client, DecodeAnomaly, DesSaltState, EngineCache, Error as LibraryError, LocalizedKey, MasterKeys,
    PersistedDesSaltState, Retry, UdpHandle, UdpTransport, UsmConfig,
    v3::{PrivKey, ReportStatus, SaltCounter},
};
use tokio::time::timeout as within;

use super::discovery::discover;
use crate::{
    clock,
    credentials::{AuthProtocol, Credentials, Kind, PrivacyProtocol, V3Security, V3User},
    drift::EngineTime,
    error::SocketError,
    exchange::{Answer, Diagnosis, Engine, ErrorStatus, ExchangeError, Pending, Request, V3Refusal},
    mib::system,
    oid::Oid,
    rtt::TIMEOUT_MAX,
    secret::Secret,
    value::{Value, VarBind},
};

/// The receive buffer of a shared socket, in bytes: answers of many devices may come at once.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// The sockets that all devices of a process share: one for IPv4, one for IPv6.
#[derive(Clone)]
pub(super) struct Sockets {
    v4: UdpTransport,
    v6: Option<UdpTransport>,
    salts: DesSaltState,
}

impl Sockets {
    /// Opens the sockets. `epoch` makes the salts of DES differ from those of earlier runs (RFC 3414, section
    /// 8.1.1.1): give a number that grows with every start, such as the seconds since 1970.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The IPv4 socket cannot be opened. A machine without IPv6 is not an error.
    pub(super) async fn open(epoch: u32) -> Result<Self, SocketError> {
        let bind = async |address: &str| {
            UdpTransport::builder()
                .bind(address)
                .recv_buffer_size(RECEIVE_BUFFER_BYTES)
                .warn_on_source_mismatch(false)
                .build()
                .await
        };
        let v4 = bind("0.0.0.0:0").await.map_err(|error| SocketError(error))?;
        let v6 = bind("[::]:0").await.ok();
        Ok(Self { v4, v6, salts: salts(epoch)? })
    }

    /// Returns an engine that asks the device at `target` with `credentials`. Sends nothing.
    pub(super) async fn engine(&self, target: SocketAddr, credentials: &Credentials) -> Result<Library, String> {
        Ok(Library {
            clients: Mutex::new(self.clients(target, credentials).await?),
            sockets: self.clone(),
            credentials: credentials.clone(),
            target,
        })
    }

    /// Returns clients that know nothing yet of the device's v3 engine.
    async fn clients(&self, target: SocketAddr, credentials: &Credentials) -> Result<Arc<Clients>, String> {
        let engines = Arc::new(EngineCache::new());
        let client = async |reports| {
            let auth = auth(credentials, Level::Configured)?;
            self.client(target, auth, reports, &engines).await
        };
        let strict = client(Reports::Authenticated).await?;
        let frank = match credentials.kind {
            Kind::Community(_) => strict.clone(),
            Kind::User(_) => client(Reports::Any).await?,
        };
        let synchronised = AtomicBool::new(matches!(credentials.kind, Kind::Community(_)));
        Ok(Arc::new(Clients { strict, frank, synchronised, engines }))
    }

    async fn client(
        &self,
        target: SocketAddr,
        auth: Auth,
        reports: Reports,
        engines: &Arc<EngineCache>,
    ) -> Result<Client<UdpHandle>, String> {
        let transport = match (target, &self.v6) {
            (SocketAddr::V4(_), _) => &self.v4,
            (SocketAddr::V6(_), Some(v6)) => v6,
            (SocketAddr::V6(_), None) => return Err("this machine has no IPv6".to_owned()),
        };
        Client::builder(target, auth)
            .request_timeout(TIMEOUT_MAX * 2)
            .retry(Retry::none())
            .max_oids_per_request(usize::MAX)
            .engine_cache(Arc::clone(engines))
            .des_salt_state(self.salts.clone())
            .allow_unauthenticated_v3_time_correction(reports == Reports::Any)
            .build_with(transport)
            .await
            .map_err(|error| error.to_string())
    }
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").field("v4", &self.v4.local_addr()).finish_non_exhaustive()
    }
}

/// The keys derived from the pass phrases of one set of credentials.
#[derive(Default)]
pub(crate) struct PreparedKeys {
    authentication: OnceLock<MasterKeys>,
    both: OnceLock<MasterKeys>,
}

/// An engine on the library, for one device.
pub(crate) struct Library {
    /// Replaced when the device has become another v3 engine.
    clients: Mutex<Arc<Clients>>,
    sockets: Sockets,
    credentials: Credentials,
    target: SocketAddr,
}

/// The clients of one device, which share what was found out about its v3 engine.
struct Clients {
    strict: Client<UdpHandle>,
    /// The same, but it believes reports that nobody signed: that is how an agent says that it does not know the user
    /// or his key. Used until an answer was verified and in a diagnosis; never after, so that forged reports cannot
    /// stop a session that works.
    frank: Client<UdpHandle>,
    /// Whether an answer was verified, so that an exchange is one message each way.
    synchronised: AtomicBool,
    /// What was found out about the device's v3 engine.
    engines: Arc<EngineCache>,
}

impl Engine for Library {
    fn exchange<'a>(&'a self, request: &'a Request, timeout: Duration) -> Pending<'a, Result<Answer, ExchangeError>> {
        Box::pin(async move {
            let clients = self.clients();
            let synchronised = clients.synchronised.load(Ordering::Relaxed);
            let client = if synchronised { &clients.strict } else { &clients.frank };
            let started = clock::monotonic_now();
            let Ok(outcome) = within(timeout, send(client, request)).await else {
                return Err(ExchangeError::TimedOut);
            };
            let varbinds = outcome?;
            clients.synchronised.store(true, Ordering::Relaxed);
            let round_trip = synchronised.then(|| clock::monotonic_now().saturating_duration_since(started));
            Ok(Answer { varbinds: varbinds.into_iter().collect(), round_trip })
        })
    }

    fn diagnose(&self, timeout: Duration) -> Pending<'_, Diagnosis> {
        Box::pin(async move {
            let v3 = matches!(self.credentials.kind, Kind::User(_));
            match if v3 { self.diagnose_user(timeout).await } else { None } {
                Some(diagnosis) => diagnosis,
                None => discover(self.target, timeout).await,
            }
        })
    }

    fn engine_id(&self) -> Option<Vec<u8>> {
        let clients = self.clients();
        // Discovery itself is not signed: an id counts once an answer was verified with the key that it localises.
        let verified = clients.synchronised.load(Ordering::Relaxed);
        let engine = clients.engines.get(&self.target).filter(|_| verified)?;
        Some(engine.engine_id().to_vec())
    }

    fn engine_time(&self) -> Option<EngineTime> {
        let engine = self.clients().engines.get(&self.target)?;
        let time = engine.authenticated_time()?;
        Some(EngineTime { boots: time.boots(), seconds: time.latest_received_time() })
    }
}

impl Library {
    fn clients(&self) -> Arc<Clients> {
        Arc::clone(&self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks as if for the first time: a device that was replaced, or lost the state of its engine, is silent to those
    /// who knew it before (RFC 3414, section 3.2, items 3 and 7).
    async fn diagnose_user(&self, timeout: Duration) -> Option<Diagnosis> {
        let fresh = self.sockets.clients(self.target, &self.credentials).await.ok()?;
        match self.ask_uptime(&fresh.frank, timeout).await {
            Ok(_) | Err(ExchangeError::Status { .. }) => {
                *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                Some(Diagnosis::Renewed)
            }
            Err(ExchangeError::Refused(refusal)) => Some(Diagnosis::Refused(refusal)),
            Err(_) if self.answers_unencrypted(timeout).await => Some(Diagnosis::EncryptedUnanswered),
            Err(_) => None,
        }
    }

    async fn ask_uptime(&self, client: &Client<UdpHandle>, timeout: Duration) -> Result<Vec<VarBind>, ExchangeError> {
        let request = Request::Get(vec![Oid::from_arcs(&system::SYS_UPTIME)]);
        within(timeout, send(client, &request)).await.unwrap_or(Err(ExchangeError::TimedOut))
    }

    /// Returns whether the agent accepts the user's signature when nothing is encrypted: it answers, or it says that
    /// the user may read only encrypted.
    async fn answers_unencrypted(&self, timeout: Duration) -> bool {
        let Kind::User(V3User { security: V3Security::Encrypted { .. }, .. }) = &self.credentials.kind else {
            return false;
        };
        let Ok(auth) = auth(&self.credentials, Level::Authenticated) else { return false };
        let engines = Arc::new(EngineCache::new());
        let Ok(client) = self.sockets.client(self.target, auth, Reports::Any, &engines).await else { return false };
        matches!(
            self.ask_uptime(&client, timeout).await,
            Ok(_) | Err(ExchangeError::Status { .. } | ExchangeError::Refused(V3Refusal::SecurityLevel))
        )
    }
}

async fn send(client: &Client<UdpHandle>, request: &Request) -> Result<Vec<VarBind>, ExchangeError> {
    let (varbinds, anomalies) = match request {
        Request::Get(names) => {
            let names: Vec<_> = names.iter().map(theirs).collect();
            let answer = client.get_many(&names).await.map_err(|error| failure(&error))?;
            (answer.varbinds, answer.metadata.decode_anomalies)
        }
        Request::GetBulk { after, rows } => {
            let names: Vec<_> = after.iter().map(theirs).collect();
            let answer = client.get_bulk_with_metadata(&names, 0, *rows).await.map_err(|error| failure(&error))?;
            (answer.varbinds, answer.metadata.decode_anomalies)
        }
    };
    let mut ours: Vec<VarBind> = varbinds
        .into_iter()
        .map(|varbind| VarBind { oid: Oid::from_arcs(varbind.oid.arcs()), value: value_of(varbind.value) })
        .collect();
    for anomaly in &anomalies {
        restore(&mut ours, anomaly);
    }
    Ok(ours)
}

/// Puts an integer back that the library cut to 32 bits. When several values look like the cut one, none of them can
/// be trusted.
fn restore(varbinds: &mut [VarBind], anomaly: &DecodeAnomaly) {
    let (cut, whole): (i64, i64) = match anomaly {
        DecodeAnomaly::SignedIntegerTruncation { original, canonical, .. } => (i64::from(*canonical), *original),
        DecodeAnomaly::Unsigned32Truncation { original, canonical, .. } => {
            (i64::from(*canonical), i64::try_from(*original).unwrap_or(i64::MAX))
        }
        _ => return,
    };
    let signed = matches!(anomaly, DecodeAnomaly::SignedIntegerTruncation { .. });
    let mut suspects: Vec<&mut Value> =
        varbinds.iter_mut().map(|varbind| &mut varbind.value).filter(|value| looks_cut(value, signed, cut)).collect();
    match suspects.as_mut_slice() {
        [Value::Integer(number)] => *number = whole,
        [Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number)] => {
            *number = u64::try_from(whole).unwrap_or_default();
        }
        several => several.iter_mut().for_each(|value| **value = Value::Malformed),
    }
}

fn looks_cut(value: &Value, signed: bool, cut: i64) -> bool {
    match value {
        Value::Integer(number) => signed && *number == cut,
        Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => {
            !signed && i64::try_from(*number) == Ok(cut)
        }
        _ => false,
    }
}

fn theirs(oid: &Oid) -> async_snmp::Oid {
    async_snmp::Oid::from_slice(oid.arcs())
}

fn value_of(value: async_snmp::Value) -> Value {
    use async_snmp::Value as Theirs;
    match value {
        Theirs::Integer(number) => Value::Integer(number.into()),
        Theirs::OctetString(octets) | Theirs::Opaque(octets) | Theirs::Nsap(octets) => {
            Value::Octets(octets.to_vec().into())
        }
        Theirs::Null => Value::Null,
        Theirs::ObjectIdentifier(oid) => Value::ObjectId(Box::new(Oid::from_arcs(oid.arcs()))),
        Theirs::IpAddress(octets) => Value::IpAddress(octets.into()),
        Theirs::Counter32(number) => Value::Counter32(number.into()),
        Theirs::Gauge32(number) | Theirs::UInteger32(number) => Value::Gauge32(number.into()),
        Theirs::TimeTicks(number) => Value::TimeTicks(number.into()),
        Theirs::Counter64(number) => Value::Counter64(number),
        Theirs::NoSuchObject => Value::NoSuchObject,
        Theirs::NoSuchInstance => Value::NoSuchInstance,
        Theirs::EndOfMibView => Value::EndOfMibView,
        _ => Value::Malformed,
    }
}

fn failure(error: &LibraryError) -> ExchangeError {
    match error.exchange_source() {
        LibraryError::Timeout { .. } => ExchangeError::TimedOut,
        LibraryError::Snmp { status, oid, .. } => ExchangeError::Status {
            status: status_of(*status),
            oid: oid.as_ref().map(|oid| Box::new(Oid::from_arcs(oid.arcs()))),
        },
        LibraryError::Report { status, .. } => ExchangeError::Refused(refusal(status)),
        LibraryError::Auth { .. } => ExchangeError::Unverified,
        LibraryError::Network { source, .. } => {
            ExchangeError::Network(io::Error::new(source.kind(), source.to_string()))
        }
        other => ExchangeError::Unsendable(other.to_string()),
    }
}

fn status_of(status: async_snmp::ErrorStatus) -> ErrorStatus {
    use async_snmp::ErrorStatus as Theirs;
    match status {
        Theirs::TooBig => ErrorStatus::TooBig,
        Theirs::NoSuchName => ErrorStatus::NoSuchName,
        Theirs::GenErr => ErrorStatus::GeneralError,
        Theirs::NoAccess => ErrorStatus::NoAccess,
        Theirs::AuthorizationError => ErrorStatus::AuthorizationError,
        other => ErrorStatus::Other(other.as_i32()),
    }
}

fn refusal(status: &ReportStatus) -> V3Refusal {
    match status {
        ReportStatus::UnknownUserName { .. } => V3Refusal::UnknownUser,
        ReportStatus::WrongDigest { .. } => V3Refusal::WrongDigest,
        ReportStatus::DecryptionError { .. } => V3Refusal::Decryption,
        ReportStatus::UnsupportedSecurityLevel { .. } => V3Refusal::SecurityLevel,
        ReportStatus::NotInTimeWindow { .. } => V3Refusal::TimeWindow,
        ReportStatus::UnknownEngineId { .. } => V3Refusal::UnknownEngine,
        _ => V3Refusal::Other,
    }
}

/// Which reports of a v3 agent to believe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reports {
    Authenticated,
    Any,
}

/// Which of the configured security to use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Configured,
    Authenticated,
}

fn auth(credentials: &Credentials, level: Level) -> Result<Auth, String> {
    let user = match &credentials.kind {
        Kind::Community(community) => return Ok(Auth::v2c(community.reveal().to_vec())),
        Kind::User(user) => user,
    };
    let config = UsmConfig::new(user.name.clone().into_bytes()).context_name(user.context.clone().into_bytes());
    let keys = match (&user.security, level) {
        (V3Security::None, _) => return Ok(config.into()),
        (V3Security::Encrypted { auth, auth_key, privacy, privacy_key }, Level::Configured) => {
            both_keys(credentials, (*auth, auth_key), (*privacy, privacy_key))?
        }
        (V3Security::Authenticated { auth, auth_key } | V3Security::Encrypted { auth, auth_key, .. }, _) => {
            authentication_key(credentials, *auth, auth_key)?
        }
    };
    config.with_master_keys(keys).map(Auth::from).map_err(|error| error.to_string())
}

fn both_keys(
    credentials: &Credentials,
    (auth, auth_key): (AuthProtocol, &Secret),
    (privacy, privacy_key): (PrivacyProtocol, &Secret),
) -> Result<MasterKeys, String> {
    if let Some(keys) = credentials.prepared.both.get() {
        return Ok(keys.clone());
    }
    let keys = authentication_key(credentials, auth, auth_key)?
        .with_privacy(privacy_protocol(privacy), privacy_key.reveal())
        .map_err(|error| error.to_string())?;
    Ok(credentials.prepared.both.get_or_init(|| keys).clone())
}

fn authentication_key(credentials: &Credentials, auth: AuthProtocol, key: &Secret) -> Result<MasterKeys, String> {
    if let Some(keys) = credentials.prepared.authentication.get() {
        return Ok(keys.clone());
    }
    let protocol = match auth {
        AuthProtocol::Md5 => async_snmp::AuthProtocol::Md5,
        AuthProtocol::Sha1 => async_snmp::AuthProtocol::Sha1,
        AuthProtocol::Sha224 => async_snmp::AuthProtocol::Sha224,
        AuthProtocol::Sha256 => async_snmp::AuthProtocol::Sha256,
        AuthProtocol::Sha384 => async_snmp::AuthProtocol::Sha384,
        AuthProtocol::Sha512 => async_snmp::AuthProtocol::Sha512,
    };
    let keys = MasterKeys::new(protocol, key.reveal()).map_err(|error| error.to_string())?;
    Ok(credentials.prepared.authentication.get_or_init(|| keys).clone())
}

fn privacy_protocol(privacy: PrivacyProtocol) -> async_snmp::PrivProtocol {
    use async_snmp::PrivProtocol as Theirs;
    match privacy {
        PrivacyProtocol::Des => Theirs::Des,
        PrivacyProtocol::TripleDes => Theirs::Des3,
        PrivacyProtocol::Aes128 => Theirs::Aes128,
        PrivacyProtocol::Aes192 => Theirs::Aes192Blumenthal,
        PrivacyProtocol::Aes256 => Theirs::Aes256Blumenthal,
        PrivacyProtocol::Aes192Cisco => Theirs::Aes192Reeder,
        PrivacyProtocol::Aes256Cisco => Theirs::Aes256Reeder,
    }
}

/// Returns the salts of this run. The library wants the number of starts in a durable record; a growing `epoch` gives
/// what the record is for, salts that differ from every earlier run.
fn salts(epoch: u32) -> Result<DesSaltState, SocketError> {
    let previous =
        PersistedDesSaltState::new((epoch & 0x7fff_fffe).max(1)).map_err(|error| SocketError(Box::new(error)))?;
    let saved = |_: &PersistedDesSaltState| Ok::<(), io::Error>(());
    DesSaltState::restart(previous, saved).map_err(|error| SocketError(Box::new(error)))
}

/// What encrypted messages of our own differ by.
pub(super) struct Salts {
    des: DesSaltState,
    aes: SaltCounter,
}

/// The keys of a user at one v3 engine.
#[derive(Debug)]
pub(super) struct LocalKeys {
    auth: Option<LocalizedKey>,
    privacy: Option<PrivKey>,
}

impl Salts {
    /// Returns the salts of a run; `epoch` grows with every start.
    pub(super) fn new(epoch: u32) -> Result<Self, String> {
        let des = salts(epoch).map_err(|error| error.to_string())?;
        let aes = SaltCounter::new().map_err(|error| error.to_string())?;
        Ok(Self { des, aes })
    }
}

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Salts").finish_non_exhaustive()
    }
}

impl LocalKeys {
    /// Returns the keys of a v3 user's credentials at an engine; `None` when they cannot be derived.
    pub(super) fn of(credentials: &Credentials, engine_id: &[u8]) -> Option<Self> {
        let Kind::User(user) = &credentials.kind else { return None };
        let master = match &user.security {
            V3Security::None => return Some(Self { auth: None, privacy: None }),
            V3Security::Authenticated { auth, auth_key } => authentication_key(credentials, *auth, auth_key),
            V3Security::Encrypted { auth, auth_key, privacy, privacy_key } => {
                both_keys(credentials, (*auth, auth_key), (*privacy, privacy_key))
            }
        };
        let (auth, privacy) = master.ok()?.localize(engine_id).ok()?;
        Some(Self { auth: Some(auth), privacy })
    }

    /// Returns how long a signature is, in bytes.
    pub(super) fn digest_bytes(&self) -> usize {
        self.auth.as_ref().map_or(0, LocalizedKey::mac_len)
    }

    /// Returns whether the signature at a place of the message is right.
    pub(super) fn is_signed(&self, message: &[u8], at: usize, bytes: usize) -> bool {
        let verify =
            |key: &LocalizedKey| async_snmp::v3::auth::verify_message(key, message, at, bytes).unwrap_or(false);
        self.auth.as_ref().is_some_and(verify)
    }

    /// Signs a message that has zeros where the signature goes. `None` when it cannot be signed.
    pub(super) fn sign(&self, message: &mut [u8], at: usize) -> Option<()> {
        let key = self.auth.as_ref()?;
        async_snmp::v3::auth::authenticate_message(key, message, at, key.mac_len()).ok()
    }

    /// Returns what was encrypted; bytes without meaning when the key is another.
    pub(super) fn decrypt(&self, ciphertext: &[u8], boots: u32, time: u32, salt: &[u8]) -> Option<Vec<u8>> {
        Some(self.privacy.as_ref()?.decrypt(ciphertext, boots, time, salt).ok()?.to_vec())
    }

    /// Returns the ciphertext and its salt.
    pub(super) fn encrypt(&self, plain: &[u8], boots: u32, time: u32, salts: &Salts) -> Option<(Vec<u8>, Vec<u8>)> {
        let key = self.privacy.as_ref()?;
        let des = matches!(key.protocol(), async_snmp::PrivProtocol::Des | async_snmp::PrivProtocol::Des3);
        let encrypted = if des {
            key.encrypt_des_family(plain, &salts.des)
        } else {
            key.encrypt_aes(plain, boots, time, &salts.aes)
        };
        encrypted.ok().map(|(ciphertext, salt)| (ciphertext.to_vec(), salt.to_vec()))
    }
}

/// The library as a second opinion on single messages.
#[cfg(test)]
pub(super) mod oracle {
    use async_snmp::{
        compatibility::DecodeConfig,
        message::{CommunityMessage, CommunityPdu},
        pdu::{Pdu, PduBody, StandardPduType},
    };

    use super::{Oid, Request, Value, VarBind, theirs, value_of};

    /// Returns community, number and question of a message as the library reads it.
    pub(in crate::engine) fn question(message: Vec<u8>) -> Option<(Vec<u8>, i32, Request)> {
        let (community, id, body, varbinds) = parts(message)?;
        let names = varbinds.into_iter().map(|varbind| varbind.oid).collect();
        let request = match body {
            PduBody::Standard { pdu_type: StandardPduType::GetRequest, error_status: 0, error_index: 0 } => {
                Request::Get(names)
            }
            PduBody::GetBulk { non_repeaters: 0, max_repetitions } => {
                Request::GetBulk { after: names, rows: max_repetitions }
            }
            _ => return None,
        };
        Some((community, id, request))
    }

    /// Returns a response as the library writes it.
    pub(in crate::engine) fn write_response(community: &[u8], id: i32, varbinds: &[VarBind]) -> Vec<u8> {
        let body = PduBody::Standard { pdu_type: StandardPduType::Response, error_status: 0, error_index: 0 };
        let varbinds =
            varbinds.iter().map(|varbind| async_snmp::VarBind::new(theirs(&varbind.oid), their(&varbind.value)));
        let pdu = Pdu::from_raw_parts(id, body, varbinds.collect());
        CommunityMessage::v2c(community.to_vec(), pdu).unwrap().encode().unwrap().to_vec()
    }

    /// Returns number and values of a response as the library reads it.
    pub(in crate::engine) fn read_response(message: Vec<u8>) -> Option<(i32, Vec<VarBind>)> {
        let (_, id, body, varbinds) = parts(message)?;
        matches!(body, PduBody::Standard { pdu_type: StandardPduType::Response, .. }).then_some((id, varbinds))
    }

    fn parts(message: Vec<u8>) -> Option<(Vec<u8>, i32, PduBody, Vec<VarBind>)> {
        let (version, community, pdu) =
            CommunityMessage::decode(message.into(), DecodeConfig::default()).ok()?.value.into_parts();
        let (async_snmp::Version::V2c, CommunityPdu::Standard(pdu)) = (version, pdu) else { return None };
        let (id, body, varbinds) = pdu.into_raw_parts();
        let ours = |varbind: async_snmp::VarBind| VarBind {
            oid: Oid::from_arcs(varbind.oid.arcs()),
            value: value_of(varbind.value),
        };
        Some((community.as_bytes().to_vec(), id, body, varbinds.into_iter().map(ours).collect()))
    }

    fn their(value: &Value) -> async_snmp::Value {
        use async_snmp::Value as Theirs;
        let narrow = |number: u64| u32::try_from(number).unwrap();
        match value {
            Value::Integer(number) => Theirs::Integer(i32::try_from(*number).unwrap()),
            Value::Counter32(number) => Theirs::Counter32(narrow(*number)),
            Value::Gauge32(number) => Theirs::Gauge32(narrow(*number)),
            Value::TimeTicks(number) => Theirs::TimeTicks(narrow(*number)),
            Value::Counter64(number) => Theirs::Counter64(*number),
            Value::Octets(octets) => Theirs::OctetString(octets.to_vec().into()),
            Value::ObjectId(oid) => Theirs::ObjectIdentifier(theirs(oid)),
            Value::IpAddress(address) => Theirs::IpAddress(address.octets()),
            Value::NoSuchObject => Theirs::NoSuchObject,
            Value::NoSuchInstance => Theirs::NoSuchInstance,
            Value::EndOfMibView => Theirs::EndOfMibView,
            Value::Null | Value::Malformed => Theirs::Null,
        }
    }
}
