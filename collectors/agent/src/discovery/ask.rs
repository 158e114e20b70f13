//! Asks one address what it is.
//!
//! Invariants: first for its SNMPv3 engine id, which carries no secret; credentials go only to an address where an engine
//! answers, or to one in a prefix of managed equipment alone; each of them once, in the stated order, what fitted before
//! first. Whoever calls has checked the allow-list. Dropping the future is safe at any point.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use onenet_snmp::{
    Budget, Credentials, EngineAt, Identity, RequestError, Session, Sockets, System, attempt_system, engine_at,
    poll_identity,
};

use super::book::{Answer, DeviceIdentity, Verdict};
use crate::config::{DiscoveryConfig, covers};

/// The port of SNMP agents (RFC 3417).
const PORT: u16 = 161;

/// How long the answer to the question for an engine id is waited for, and how often it is asked: one packet may be lost.
const ENGINE_WITHIN: Duration = Duration::from_secs(2);
const ENGINE_TRIES: usize = 2;

/// What asking one address may cost.
const BUDGET: Budget = Budget { requests: 32, time: Duration::from_secs(60) };

/// Asks an address; `remembered` are the credentials that fitted before.
pub(super) async fn ask(
    sockets: &Sockets,
    config: &DiscoveryConfig,
    address: IpAddr,
    remembered: Option<&str>,
) -> Answer {
    let target = SocketAddr::new(address, PORT);
    let engine = engine(target).await;
    let managed = covers(&config.management, address);
    let silence = match &engine {
        EngineAt::Engine(_) => None,
        EngineAt::Closed => Some("nothing listens on the port of SNMP"),
        EngineAt::Silent => Some("no SNMPv3 engine answers"),
    };
    if let Some(why) = silence.filter(|_| engine == EngineAt::Closed || !managed) {
        let remedy = "; if it speaks SNMPv2c alone, put its prefix into management of [discovery]";
        let remedy = if engine == EngineAt::Closed { "" } else { remedy };
        return Answer::Nothing(Verdict::NoAnswer, format!("{why}{remedy}"));
    }
    let mut order: Vec<&(String, Credentials)> = config.credentials.iter().collect();
    order.sort_by_key(|(name, _)| Some(name.as_str()) != remembered);
    let mut refusals = Vec::new();
    for (name, credentials) in order {
        if credentials.version() == "v3" && !matches!(engine, EngineAt::Engine(_)) {
            continue;
        }
        match attempt(sockets, target, credentials).await {
            Ok(identity) => {
                return Answer::Device { credentials: name.clone(), identity: with_engine(identity, &engine) };
            }
            Err(error) => refusals.push(format!("{name}: {}", reason(&error))),
        }
    }
    let verdict = if silence.is_some() { Verdict::NoAnswer } else { Verdict::RefusedCredentials };
    Answer::Nothing(verdict, refusals.join("; "))
}

async fn engine(target: SocketAddr) -> EngineAt {
    for _ in 1..ENGINE_TRIES {
        match engine_at(target, ENGINE_WITHIN).await {
            EngineAt::Silent => {}
            other => return other,
        }
    }
    engine_at(target, ENGINE_WITHIN).await
}

async fn attempt(
    sockets: &Sockets,
    target: SocketAddr,
    credentials: &Credentials,
) -> Result<DeviceIdentity, RequestError> {
    let mut session = Session::open(sockets, target, credentials).await?;
    session.begin_round(BUDGET);
    let system = attempt_system(&mut session).await?;
    let identity = poll_identity(&mut session).await.rows.into_iter().next().unwrap_or_default();
    Ok(identity_of(&system, &identity))
}

/// Returns by what a device is known again.
pub(super) fn identity_of(system: &System, identity: &Identity) -> DeviceIdentity {
    let text = |reading: &onenet_snmp::Reading<String>| reading.get().cloned().unwrap_or_default();
    DeviceIdentity {
        system_name: text(&system.name),
        engine_id: text(&identity.engine_id),
        chassis_id: text(&identity.chassis_id),
    }
}

/// A device that does not tell its engine id by community has told it to the first question.
fn with_engine(mut identity: DeviceIdentity, engine: &EngineAt) -> DeviceIdentity {
    if let (true, EngineAt::Engine(id)) = (identity.engine_id.is_empty(), engine) {
        identity.engine_id = id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    }
    identity
}

/// Returns in few words why credentials did not fit.
fn reason(error: &RequestError) -> &'static str {
    match error {
        RequestError::UnknownUser { .. } => "user unknown",
        RequestError::WrongAuthKey { .. } => "wrong authentication key",
        RequestError::WrongPrivacyKey { .. } => "wrong privacy key",
        RequestError::NoAnswer { .. } => "no answer",
        RequestError::Refused { .. } | RequestError::Unverified { .. } | RequestError::Status { .. } => "refused",
        _ => "could not be asked",
    }
}
