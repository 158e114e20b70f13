//! Probes: what an agent measures of the ways that lead away from it, and what it judges of each.
//!
//! Invariant: a probe is one agent's view of one target. Two agents that probe each other are two probes, and neither speaks for
//! the other. The fact of a probe was *observed* at the moment since which its state holds: the first answer that stayed away,
//! the first that came again. A probe that was never judged is `unknown`, and so is one whose agent is silent; nobody makes
//! it `up`. What was measured is in [`ProbeSample`]s, one a minute.
//!
//! It does not know how probes are sent or when a state is judged, nor which incident follows from it.

use serde::{Deserialize, Serialize};

/// What a probe sends. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// ICMP echo (RFC 792, RFC 4443).
    Icmp,
    /// Test packets to a reflector over UDP (RFC 8762).
    Stamp,
    /// A TCP connection that is opened.
    Tcp,
    /// A page over HTTP.
    Http,
    /// A page over HTTPS, with the certificate.
    Https,
    /// A name that is asked for (RFC 1035).
    Dns,
    /// The greeting of a mail server (RFC 5321).
    Smtp,
    /// The greeting of a mailbox server (RFC 9051).
    Imap,
    /// A search for the root of a directory (RFC 4511).
    Ldap,
    /// The time (RFC 5905).
    Ntp,
    /// OPTIONS to a video or telephone server (RFC 3261).
    Sip,
}

/// Where a probe leads. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeRole {
    /// Up, to an agent or router of the parent site.
    Parent,
    /// To the router that the agent's machine sends through.
    Gateway,
    /// Down, to an agent or router of a child site.
    Child,
    /// To something that somebody wants watched: a business system, a mail server.
    Named,
}

/// What is judged of a probe's target. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// It answers well.
    Up,
    /// It answers, and worse than it may: too late, too seldom, or with something wrong.
    Degraded,
    /// It does not answer.
    Down,
    /// Nothing was judged.
    Unknown,
}

/// A probe of an agent, and what it judges now.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Probe {
    /// The agent's name of it.
    pub name: String,
    /// What it sends to: an address or host, with a port where one was given.
    pub target: String,
    /// What it sends.
    pub kind: ProbeKind,
    /// Where it leads.
    pub role: ProbeRole,
    /// The code of the site that it leads to; empty where none was given.
    pub site: String,
    /// What is judged. The time at which the fact was observed says since when.
    pub state: ProbeState,
    /// Why, in words; empty where all is well.
    pub detail: String,
}

/// What a sample is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeTest {
    /// What a probe asks all the time: one of the windows that follow each other.
    #[default]
    Regular,
    /// A stream as speech makes it, once.
    Media,
    /// As much as was allowed, for some seconds.
    Throughput,
}

/// What a probe measured over an interval, a minute as a rule. What is not known is `None`, never zero.
///
/// An answer counts in the interval in which its question was sent. Every question is answered or lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProbeSample {
    /// The agent's name of the probe.
    pub name: String,
    /// What it is of.
    #[serde(default)]
    pub test: ProbeTest,
    /// Length of the interval, in milliseconds, that ends at the sample's time.
    pub interval_ms: u64,
    /// Questions sent.
    pub sent: u64,
    /// Questions that no answer came to in time.
    pub lost: u64,
    /// Answers that came again.
    pub duplicated: u64,
    /// Answers that came behind the answer to a later question (RFC 4737).
    pub reordered: u64,
    /// The shortest round trip in microseconds.
    pub round_trip_min_us: Option<u64>,
    /// The median round trip.
    pub round_trip_median_us: Option<u64>,
    /// The round trip that 95 in a hundred kept under.
    pub round_trip_p95_us: Option<u64>,
    /// The longest round trip.
    pub round_trip_max_us: Option<u64>,
    /// Interarrival jitter of the round trips (RFC 3550, section 6.4.1) in microseconds.
    pub jitter_us: Option<u64>,
    /// Questions lost on the way to the target, where it counts them.
    pub lost_out: Option<u64>,
    /// Answers lost on the way back, where the target counts what it sends.
    pub lost_back: Option<u64>,
    /// Median delay to the target in microseconds, where both clocks are known to agree.
    pub delay_out_us: Option<u64>,
    /// Median delay from the target.
    pub delay_back_us: Option<u64>,
    /// Jitter to the target, which needs no clocks that agree.
    pub jitter_out_us: Option<u64>,
    /// Jitter from the target.
    pub jitter_back_us: Option<u64>,
    /// The largest packet in bytes that passes in one piece.
    pub path_mtu: Option<u32>,
    /// Mean opinion score in hundredths, 100 to 450, of speech or video over this way (ITU-T G.107).
    pub mos_centi: Option<u32>,
    /// What was sent, in kbit/s at the IP layer (RFC 5136, section 2.3).
    pub rate_sent_kbit: Option<u64>,
    /// What of it came to the target.
    pub rate_out_kbit: Option<u64>,
    /// What of the answers, which are as long, came back.
    pub rate_back_kbit: Option<u64>,
    /// When the certificate that the target showed ends, in milliseconds since 1970-01-01T00:00:00Z.
    pub certificate_ends_ms: Option<i64>,
}

impl ProbeKind {
    /// Every kind, in order.
    pub const ALL: [Self; 11] = [
        Self::Icmp,
        Self::Stamp,
        Self::Tcp,
        Self::Http,
        Self::Https,
        Self::Dns,
        Self::Smtp,
        Self::Imap,
        Self::Ldap,
        Self::Ntp,
        Self::Sip,
    ];

    /// Returns the name used in configurations, the API, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Stamp => "stamp",
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Https => "https",
            Self::Dns => "dns",
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Ldap => "ldap",
            Self::Ntp => "ntp",
            Self::Sip => "sip",
        }
    }

    /// Returns the kind of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns whether it asks a service, and not only whether packets pass.
    pub const fn is_service(self) -> bool {
        !matches!(self, Self::Icmp | Self::Stamp)
    }
}

impl ProbeRole {
    /// Every role, in order.
    pub const ALL: [Self; 4] = [Self::Parent, Self::Gateway, Self::Child, Self::Named];

    /// Returns the name used in configurations, the API, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Gateway => "gateway",
            Self::Child => "child",
            Self::Named => "named",
        }
    }

    /// Returns the role of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Returns whether it measures a link between sites: its state says something of the way, and not of a service.
    pub const fn is_link(self) -> bool {
        !matches!(self, Self::Named)
    }
}

impl ProbeTest {
    /// Every sort, in order.
    pub const ALL: [Self; 3] = [Self::Regular, Self::Media, Self::Throughput];

    /// Returns the name used in the API, on the command line and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Media => "media",
            Self::Throughput => "throughput",
        }
    }

    /// Returns the sort of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|test| test.name() == name)
    }
}

impl ProbeState {
    /// Every state, in order.
    pub const ALL: [Self; 4] = [Self::Up, Self::Degraded, Self::Down, Self::Unknown];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the state of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl ProbeSample {
    /// Returns the questions that were answered.
    pub const fn answered(&self) -> u64 {
        self.sent.saturating_sub(self.lost)
    }

    /// Returns the loss in thousandths of what was sent; `None` where nothing was.
    pub fn loss_milli(&self) -> Option<u64> {
        self.lost.saturating_mul(1_000).checked_div(self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_roles_and_states_are_found_by_their_names_and_serialised_as_them() {
        for kind in ProbeKind::ALL {
            assert_eq!(ProbeKind::of(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for role in ProbeRole::ALL {
            assert_eq!(ProbeRole::of(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        for state in ProbeState::ALL {
            assert_eq!(ProbeState::of(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for test in ProbeTest::ALL {
            assert_eq!(ProbeTest::of(test.name()), Some(test));
            assert_eq!(serde_json::to_value(test).unwrap(), test.name());
        }
        assert_eq!(ProbeKind::of("carrier pigeon"), None);
    }

    #[test]
    fn loss_is_a_share_of_what_was_sent_and_nothing_where_nothing_was() {
        let sample = |sent, lost| ProbeSample { sent, lost, ..ProbeSample::default() };
        assert_eq!(sample(60, 3).loss_milli(), Some(50));
        assert_eq!(sample(60, 3).answered(), 57);
        assert_eq!(sample(0, 0).loss_milli(), None);
    }
}
