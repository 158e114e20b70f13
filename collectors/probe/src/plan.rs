//! What is to be probed, and how.

use std::{fmt, net::IpAddr, time::Duration};

use onenet_topology::{ProbeKind, ProbeRole};

use crate::{Key, Roots, judge::Rules};

/// The port of STAMP (RFC 8762, section 4.1).
const STAMP_PORT: u16 = 862;

/// Over how long samples go, unless somebody says otherwise.
pub const WINDOW: Duration = Duration::from_secs(60);

/// One probe.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name, unique among the agent's.
    pub name: String,
    /// Whom it asks.
    pub target: Target,
    /// What it asks.
    pub kind: ProbeKind,
    /// Where it leads.
    pub role: ProbeRole,
    /// The code of the site that it leads to; empty where none was given.
    pub site: String,
    /// How often.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Over how long samples go.
    pub window: Duration,
    /// What is too bad.
    pub thresholds: Thresholds,
    /// The key of STAMP; `None` where packets are not signed.
    pub key: Option<Key>,
    /// What a service is asked beyond its kind.
    pub service: Service,
}

/// Whom a probe asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// An address, or a name that is looked up, and a port where it is not the kind's own.
    Host {
        /// The address or name.
        host: String,
        /// The port; `None`: the kind's.
        port: Option<u16>,
    },
    /// The router through which this machine sends what it knows no other way for.
    Gateway,
}

/// What is too bad. See [`Rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Questions in a row without an answer that make it down.
    pub down_after: u32,
    /// Answers in a row that make it up.
    pub up_after: u32,
    /// Loss in thousandths from which on it is degraded.
    pub loss_milli: u64,
    /// The round trip over which an answer is late.
    pub round_trip: Duration,
    /// Days before its end from which on a certificate is a problem.
    pub certificate_days: u32,
}

/// What a service is asked beyond its kind.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// HTTP: the path. DNS: the name. SIP: the user. Empty: the kind's own.
    pub path: String,
    /// The name that the server is called by, in HTTP, TLS and SIP; empty: the host.
    pub server_name: String,
    /// HTTP: the status that is expected; `None`: any under 400.
    pub status: Option<u16>,
    /// The issuers that its certificate may come from; `None`: any.
    pub roots: Option<Roots>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            down_after: 5,
            up_after: 3,
            loss_milli: 50,
            round_trip: Duration::from_millis(500),
            certificate_days: 14,
        }
    }
}

impl Thresholds {
    /// Returns the defaults of a kind: services are asked seldom, and say more with one answer.
    pub fn of(kind: ProbeKind) -> Self {
        if kind.is_service() {
            Self { down_after: 3, up_after: 1, loss_milli: 200, round_trip: Duration::from_secs(3), ..Self::default() }
        } else {
            Self::default()
        }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            down_after: self.down_after,
            up_after: self.up_after,
            loss_milli: self.loss_milli,
            round_trip_us: micros(self.round_trip),
        }
    }
}

impl Plan {
    /// Returns how often a kind asks and how long it waits, unless somebody says otherwise.
    pub const fn pace(kind: ProbeKind) -> (Duration, Duration) {
        if kind.is_service() {
            (Duration::from_secs(30), Duration::from_secs(10))
        } else {
            (Duration::from_secs(1), Duration::from_secs(2))
        }
    }

    /// Returns the port that a kind asks, where it has one.
    pub const fn port(kind: ProbeKind) -> Option<u16> {
        match kind {
            ProbeKind::Icmp | ProbeKind::Tcp => None,
            ProbeKind::Stamp => Some(STAMP_PORT),
            ProbeKind::Http => Some(80),
            ProbeKind::Https => Some(443),
            ProbeKind::Dns => Some(53),
            ProbeKind::Smtp => Some(25),
            ProbeKind::Imap => Some(143),
            ProbeKind::Ldap => Some(389),
            ProbeKind::Ntp => Some(123),
            ProbeKind::Sip => Some(5_060),
        }
    }

    /// Returns the target's host and port, 0 where there is none; `None` for the gateway.
    pub fn host_and_port(&self) -> Option<(&str, u16)> {
        let Target::Host { host, port } = &self.target else { return None };
        Some((host, port.or(Self::port(self.kind)).unwrap_or(0)))
    }

    /// Returns whether another plan measures the same in the same way.
    pub fn is_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.target == other.target
            && (self.kind, self.role) == (other.kind, other.role)
            && self.site == other.site
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway => f.write_str("gateway"),
            Self::Host { host, port: None } => f.write_str(host),
            Self::Host { host, port: Some(port) } => match host.parse::<IpAddr>() {
                Ok(IpAddr::V6(address)) => write!(f, "[{address}]:{port}"),
                _ => write!(f, "{host}:{port}"),
            },
        }
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
