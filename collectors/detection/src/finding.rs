//! What a detector found: of which kind, about whom, how bad, how sure, since when, and why.
//!
//! Invariant: a finding carries what it was concluded from; a person confirms its grade. It does not know what becomes of it.

use std::{fmt, net::IpAddr};

use onenet_topology::{MacAddr, Timestamp};
use serde::{Serialize, Serializer};

use crate::catalogue::Kind;

/// The most flows that a finding keeps as samples.
pub const SAMPLES_MAX: usize = 5;

/// The most of everything else that it keeps as evidence.
pub const FACTS_MAX: usize = 12;

/// How grave an event is, after GB/T 20986-2023; proposed here, confirmed by a person.
pub use onenet_topology::incident::Severity as Grade;

/// Whom or what a finding is about. One subject has at most one finding of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Whoever has this address.
    Host(IpAddr),
    /// A service of a host.
    Service {
        /// The host.
        host: IpAddr,
        /// Its port.
        port: u16,
    },
    /// A port, whoever has it open.
    Port {
        /// IP protocol number.
        protocol: u8,
        /// Its number.
        port: u16,
    },
    /// A station.
    Station(MacAddr),
    /// The segment that is listened to.
    Segment,
    /// A device or a probe, by the agent's name of it.
    Named(Label),
}

/// A name of at most [`Label::BYTES_MAX`] bytes; what is longer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    bytes: [u8; Self::BYTES_MAX],
    length: u8,
}

impl Label {
    /// The most bytes of a name.
    pub const BYTES_MAX: usize = 63;

    /// Returns the label of a name.
    pub fn new(name: &str) -> Self {
        let ends = name.char_indices().map(|(at, it)| at + it.len_utf8());
        let end = ends.take_while(|end| *end <= Self::BYTES_MAX).last().unwrap_or(0);
        let mut bytes = [0; Self::BYTES_MAX];
        for (to, from) in bytes.iter_mut().zip(name.bytes().take(end)) {
            *to = from;
        }
        Self { bytes, length: u8::try_from(end).unwrap_or(0) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.bytes.get(..self.length.into()).and_then(|bytes| std::str::from_utf8(bytes).ok());
        f.write_str(text.unwrap_or_default())
    }
}

/// One thing that speaks for a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What is told, such as `ports` or `flow`.
    pub is: &'static str,
    /// What it is: numbers, names, addresses, or a word that stands for a choice, and no sentence, so that it can be shown in any language.
    pub value: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// How grave it would be; a proposal.
    pub grade: Grade,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// About whom.
    pub subject: Subject,
    /// Since when, by the data's own time.
    pub first: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// How many observations bore it out: flows, packets, names, as the kind has it.
    pub count: u64,
    /// From what it was concluded.
    pub evidence: Vec<Evidence>,
}

impl Evidence {
    /// Returns evidence that says `value` of what `is`.
    pub fn new(is: &'static str, value: impl fmt::Display) -> Self {
        Self { is, value: value.to_string() }
    }

    /// Returns whether it is one example of several.
    pub fn is_sample(&self) -> bool {
        self.is == "flow"
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(ip) => ip.fmt(f),
            Self::Service { host, port } => std::net::SocketAddr::new(*host, *port).fmt(f),
            Self::Port { protocol: 6, port } => write!(f, "tcp/{port}"),
            Self::Port { protocol: 17, port } => write!(f, "udp/{port}"),
            Self::Port { protocol, port } => write!(f, "{protocol}/{port}"),
            Self::Station(mac) => mac.fmt(f),
            Self::Segment => f.write_str("segment"),
            Self::Named(label) => label.fmt(f),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_between_letters() {
        assert_eq!(Label::new("sw-1").to_string(), "sw-1");
        assert_eq!(Label::new(&"网".repeat(40)).to_string(), "网".repeat(21));
        assert_eq!(Label::new("").to_string(), "");
    }
}
