//! Why a device, or a part of what it was asked for, has no result.
//!
//! Invariant: every message tells what was asked of whom and what to do about it; none carries a secret.

use std::{io, net::SocketAddr, time::Duration};

use crate::{
    exchange::{ErrorStatus, V3Refusal},
    oid::Oid,
};

/// A question that has no answer. The session stays usable; [`RequestError::is_fatal`] tells whether the rest of the
/// round is worth asking.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Nothing came back.
    #[error(
        "no answer from {target} to {tries} questions within {waited_ms} ms: {reason}",
        waited_ms = waited.as_millis()
    )]
    NoAnswer {
        /// The device.
        target: SocketAddr,
        /// How many questions were sent.
        tries: u32,
        /// How long was waited in all.
        waited: Duration,
        /// What the silence may mean.
        reason: Silence,
    },
    /// The agent does not know the v3 user.
    #[error("{target} does not know the SNMPv3 user {user:?}: create it on the device, or correct the user name")]
    UnknownUser {
        /// The device.
        target: SocketAddr,
        /// The user that was tried.
        user: String,
    },
    /// The authentication key or protocol is wrong.
    #[error(
        "{target} knows the SNMPv3 user {user:?} but rejects its signature: correct the authentication pass phrase or protocol"
    )]
    WrongAuthKey {
        /// The device.
        target: SocketAddr,
        /// The user that was tried.
        user: String,
    },
    /// The privacy key or protocol is wrong.
    #[error("{target} cannot decrypt messages of SNMPv3 user {user:?}: check the privacy pass phrase and protocol")]
    WrongPrivacyKey {
        /// The device.
        target: SocketAddr,
        /// The user that was tried.
        user: String,
    },
    /// The agent refused the message for another reason of RFC 3414.
    #[error("{target} refuses messages of SNMPv3 user {user:?}: {refusal}")]
    Refused {
        /// The device.
        target: SocketAddr,
        /// The user that was tried.
        user: String,
        /// The reason.
        refusal: V3Refusal,
    },
    /// An answer came that does not verify.
    #[error(
        "{target} answers, but not with a valid signature of SNMPv3 user {user:?}: check the authentication pass phrase and protocol, and that no other agent answers at this address"
    )]
    Unverified {
        /// The device.
        target: SocketAddr,
        /// The user that was tried.
        user: String,
    },
    /// The agent answered with an error status.
    #[error("{target} answered {status}{}: {}", at(oid.as_deref()), remedy(*status))]
    Status {
        /// The device.
        target: SocketAddr,
        /// The error status.
        status: ErrorStatus,
        /// The name it points at.
        oid: Option<Box<Oid>>,
    },
    /// The round has used up its budget.
    #[error("{target} was not asked further: the round's budget of {what} is used up")]
    BudgetSpent {
        /// The device.
        target: SocketAddr,
        /// What ran out.
        what: Budgeted,
    },
    /// The device was found silent earlier in the round.
    #[error("{target} was not asked: it stopped answering earlier in this round")]
    Gone {
        /// The device.
        target: SocketAddr,
    },
    /// The question could not be sent.
    #[error("cannot send to {target}: check the route and the local firewall")]
    Network {
        /// The device.
        target: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The question cannot be asked, or its answer not be taken.
    #[error("the exchange with {target} failed: {reason}")]
    Unsendable {
        /// The device.
        target: SocketAddr,
        /// Why.
        reason: String,
    },
}

/// What a silence may mean, as far as could be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// A v2c device that does not answer at all.
    #[error("it is unreachable, the community is wrong, or its access list does not name this machine")]
    Community,
    /// The agent at the address answers SNMPv3, but not this community.
    #[error(
        "its SNMP agent is alive, so the community is wrong, its access list does not name this machine, or v2c is switched off"
    )]
    CommunityRejected,
    /// A v3 device that does not answer at all.
    #[error("it is unreachable, SNMPv3 is switched off, or its access list does not name this machine")]
    User,
    /// The v3 agent at the address answers the discovery of its engine, but not this user.
    #[error(
        "its SNMPv3 agent is alive but does not answer this user: check the user, his keys and protocols, and the access list"
    )]
    UserUnanswered,
    /// The port is closed.
    #[error("the machine is reachable but nothing listens on this port: switch its SNMP agent on, or correct the port")]
    PortClosed,
    /// Unencrypted messages of the user are accepted.
    #[error("authenticated, but encrypted requests stay unanswered: check the privacy key and protocol")]
    Encrypted,
    /// The device answers other questions.
    #[error("it answers other questions, so it cannot cope with this one")]
    ThisQuestion,
}

/// What a round may use only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Budgeted {
    /// Questions.
    #[error("questions")]
    Requests,
    /// Waiting time.
    #[error("time")]
    Time,
}

impl RequestError {
    /// Returns whether asking the device for anything else in this round is pointless.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::NoAnswer { reason, .. } => *reason != Silence::ThisQuestion,
            Self::Status { .. } => false,
            _ => true,
        }
    }

    /// Returns a stable word for the kind of error, for counters and the JSON of `inspect`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoAnswer { .. } => "no_answer",
            Self::UnknownUser { .. } => "unknown_user",
            Self::WrongAuthKey { .. } => "wrong_auth_key",
            Self::WrongPrivacyKey { .. } => "wrong_privacy_key",
            Self::Refused { .. } => "refused",
            Self::Unverified { .. } => "unverified",
            Self::Status { .. } => "error_status",
            Self::BudgetSpent { .. } => "budget_spent",
            Self::Gone { .. } => "gone",
            Self::Network { .. } => "network",
            Self::Unsendable { .. } => "unsendable",
        }
    }
}

/// The sockets could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open a UDP socket for SNMP: check the limit of open files")]
pub struct SocketError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// A device's address could not be found.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The name service has no answer.
    #[error("cannot find the address of {host:?}: write an IP address, or check the name service")]
    Lookup {
        /// The host as written.
        host: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The name has no address.
    #[error("{host:?} has no IP address: write an IP address")]
    NoAddress {
        /// The host as written.
        host: String,
    },
}

fn at(oid: Option<&Oid>) -> String {
    oid.map(|oid| format!(" at {oid}")).unwrap_or_default()
}

fn remedy(status: ErrorStatus) -> &'static str {
    match status {
        ErrorStatus::TooBig => "it cannot fit even one value in a message",
        ErrorStatus::NoAccess | ErrorStatus::AuthorizationError => {
            "give the community or user a view that includes this part of the MIB"
        }
        _ => "its agent fails on this part of the MIB; look for a firmware update",
    }
}
