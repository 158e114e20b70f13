//! The monitoring requirements of the third grade (GB/T 22239-2019), and what is observed of one, in words that no language is needed for.
//!
//! Invariant: what nobody tells of is blind, and never fulfilled; an observation says what was seen and not whether that suffices.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A monitoring requirement of the third grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Links are monitored centrally.
    Links,
    /// Equipment is monitored centrally.
    Equipment,
    /// Devices that nobody authorised are found.
    Devices,
    /// Inner users who connect to outer networks are found.
    Outward,
    /// Attacks are found.
    Attacks,
    /// Audit records are kept.
    Records,
}

/// What is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// `count` of `of` sites report.
    Sites,
    /// `count` of `of` devices answer.
    DevicesUp,
    /// `count` of `of` sites watch for it.
    Watched,
    /// `count` anomalies of `kind` were found.
    Found,
    /// The first of them began at `time`.
    First,
    /// `count` cases, of which `of` are open.
    Cases,
    /// Records are kept for 190 days at least.
    Kept,
    /// The administrators exclude each other.
    Roles,
    /// Somebody looks since `time`.
    Since,
    /// `count` sites have no agent.
    NoAgent,
    /// `count` sites are silent.
    Silent,
    /// `count` devices do not answer, or nobody can tell.
    DevicesDark,
    /// `count` sites that report have no device that is polled.
    NoDevice,
    /// `count` sites that report do not watch for it.
    NotWatched,
    /// `count` sites do not report, so that nothing is known.
    NotHeard,
    /// The detector of `kind` is off or without input at `count` sites.
    Off,
    /// Records of other systems are not here.
    OtherSystems,
}

/// One thing that is observed of a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What.
    pub is: Observed,
    /// Of which kind of anomaly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

impl Requirement {
    /// Every requirement, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::Links, Self::Equipment, Self::Devices, Self::Outward, Self::Attacks, Self::Records];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Equipment => "equipment",
            Self::Devices => "devices",
            Self::Outward => "outward",
            Self::Attacks => "attacks",
            Self::Records => "records",
        }
    }
}

impl Observed {
    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::DevicesUp => "devices_up",
            Self::Watched => "watched",
            Self::Found => "found",
            Self::First => "first",
            Self::Cases => "cases",
            Self::Kept => "kept",
            Self::Roles => "roles",
            Self::Since => "since",
            Self::NoAgent => "no_agent",
            Self::Silent => "silent",
            Self::DevicesDark => "devices_dark",
            Self::NoDevice => "no_device",
            Self::NotWatched => "not_watched",
            Self::NotHeard => "not_heard",
            Self::Off => "off",
            Self::OtherSystems => "other_systems",
        }
    }

    /// Returns whether that is something that is not seen.
    pub const fn is_blind(self) -> bool {
        matches!(
            self,
            Self::NoAgent
                | Self::Silent
                | Self::DevicesDark
                | Self::NoDevice
                | Self::NotWatched
                | Self::NotHeard
                | Self::Off
                | Self::OtherSystems
        )
    }
}

impl Observation {
    /// Returns an observation that says no more than what it is.
    pub const fn new(is: Observed) -> Self {
        Self { is, kind: None, count: None, of: None, time: None }
    }

    /// Returns an observation of so many.
    pub fn count(is: Observed, count: usize) -> Self {
        Self { count: u64::try_from(count).ok(), ..Self::new(is) }
    }

    /// Returns an observation of a part of something.
    pub fn part(is: Observed, count: usize, of: usize) -> Self {
        Self { of: u64::try_from(of).ok(), ..Self::count(is, count) }
    }

    /// Returns an observation of so many of a kind.
    pub fn of_kind(is: Observed, kind: &str, count: usize) -> Self {
        Self { kind: Some(kind.to_owned()), ..Self::count(is, count) }
    }

    /// Returns an observation of a time.
    pub fn at(is: Observed, time: Timestamp) -> Self {
        Self { time: Some(time), ..Self::new(is) }
    }
}
