//! One check of a test.

use serde::{Deserialize, Serialize};

/// How a check, or a whole test, ended. In the order of what decides: one failure fails the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Nobody could tell; of a test: some checks could not be told, and none failed.
    NotMeasured,
    /// Not as it should be.
    Failed,
}

/// What is checked. The names are a contract: added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// An agent of the site is connected to the centre.
    AgentConnected,
    /// The way up answers whom the site asks.
    WayFromBelow,
    /// The site answers whom asks from above.
    WayFromAbove,
    /// What is lost over the way.
    Loss,
    /// The mean of the windows' median round trips.
    RoundTrip,
    /// The mean jitter.
    Jitter,
    /// The score of speech and video over the way (ITU-T G.107).
    MediaScore,
    /// The site's name service answers.
    NameService,
    /// The address plan has prefixes of the site.
    Prefixes,
    /// The terminals that are there have addresses of the plan.
    TerminalsInPlan,
    /// The agent's version is the centre's, to the second number.
    AgentVersion,
    /// The agent's clock agrees with the centre's.
    ClockOffset,
    /// History batches wait at the agent.
    HistoryWaiting,
    /// How long ago the agent said something.
    LastHeard,
    /// The agent has the configuration that it is to have.
    Configuration,
    /// Frames that capture loses.
    CaptureLoss,
    /// The site's devices answer over SNMP.
    DevicesAnswer,
}

/// What checks are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckGroup {
    /// Whether packets pass.
    Connectivity,
    /// How well they do.
    Quality,
    /// Whether speech and video do.
    Media,
    /// Whether names are found.
    NameService,
    /// Whether addresses are as planned.
    AddressPlan,
    /// Whether the agent does its work.
    Agent,
}

/// Why a check ended as it did, where its value does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The site has no agent.
    NoAgent,
    /// The agent is not connected, so that nothing it tells is of now.
    NotConnected,
    /// The site has no way up.
    NoUplink,
    /// Nobody measures the way from this end.
    NoProbe,
    /// Nothing is judged of it yet.
    NotJudged,
    /// Too few windows were measured in the time of the test.
    TooFewWindows,
    /// No media test was run in the time of the test.
    NoMediaTest,
    /// No agent of the site probes a name service.
    NoNameProbe,
    /// The address plan has no prefix of the site.
    NoPrefixes,
    /// No terminal with an address is there.
    NoTerminals,
    /// No time was compared with the agent's clock.
    NoClock,
    /// No configuration was set for the site.
    NoConfiguration,
    /// It was not sent or taken yet.
    NotApplied,
    /// The agent did not take it.
    Rejected,
    /// The agent captures nothing, or has told nothing of it lately.
    NoCapture,
    /// No device of the site is polled.
    NoDevices,
    /// It does not answer.
    NoAnswer,
    /// It answers badly.
    AnswersBadly,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part of a hundred.
    Percent,
    /// Thousandths of a second.
    Milliseconds,
    /// Things.
    Count,
    /// A score from 1 to 4.5.
    Score,
    /// It has no number.
    None,
}

/// A check and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub kind: CheckKind,
    /// Of what: the other site's code, an agent, a probe; empty of the site as a whole.
    pub subject: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub value: Option<f64>,
    /// What it was held against: at most this, or at least where [`CheckKind::is_at_least`].
    pub threshold: Option<f64>,
    /// Why, where the value does not say.
    pub reason: Option<Reason>,
    /// What the one that tells says, in its words.
    pub detail: String,
}

impl Verdict {
    /// Every verdict, in order.
    pub const ALL: [Self; 3] = [Self::Passed, Self::NotMeasured, Self::Failed];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::NotMeasured => "not_measured",
            Self::Failed => "failed",
        }
    }
}

impl CheckKind {
    /// Returns what the check is about.
    pub const fn group(self) -> CheckGroup {
        match self {
            Self::AgentConnected | Self::WayFromBelow | Self::WayFromAbove => CheckGroup::Connectivity,
            Self::Loss | Self::RoundTrip | Self::Jitter => CheckGroup::Quality,
            Self::MediaScore => CheckGroup::Media,
            Self::NameService => CheckGroup::NameService,
            Self::Prefixes | Self::TerminalsInPlan => CheckGroup::AddressPlan,
            Self::AgentVersion
            | Self::ClockOffset
            | Self::HistoryWaiting
            | Self::LastHeard
            | Self::Configuration
            | Self::CaptureLoss
            | Self::DevicesAnswer => CheckGroup::Agent,
        }
    }

    /// Returns what its value counts.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Loss | Self::TerminalsInPlan | Self::CaptureLoss | Self::DevicesAnswer => Unit::Percent,
            Self::RoundTrip | Self::Jitter | Self::ClockOffset | Self::LastHeard => Unit::Milliseconds,
            Self::Prefixes | Self::HistoryWaiting => Unit::Count,
            Self::MediaScore => Unit::Score,
            Self::AgentConnected
            | Self::WayFromBelow
            | Self::WayFromAbove
            | Self::NameService
            | Self::AgentVersion
            | Self::Configuration => Unit::None,
        }
    }

    /// Returns whether the value is to be at least the threshold, and not at most.
    pub const fn is_at_least(self) -> bool {
        matches!(self, Self::MediaScore | Self::Prefixes | Self::TerminalsInPlan | Self::DevicesAnswer)
    }
}

impl Check {
    /// Returns a check that ended like this, without a number.
    pub(super) fn judged(kind: CheckKind, subject: &str, verdict: Verdict, reason: Option<Reason>) -> Self {
        let (subject, detail) = (subject.to_owned(), String::new());
        Self { kind, subject, verdict, value: None, threshold: None, reason, detail }
    }

    /// Returns a check that nobody could tell.
    pub(super) fn not_measured(kind: CheckKind, subject: &str, reason: Reason) -> Self {
        Self::judged(kind, subject, Verdict::NotMeasured, Some(reason))
    }

    /// Returns a check of a number.
    pub(super) fn of(kind: CheckKind, subject: &str, value: f64, threshold: f64) -> Self {
        let good = if kind.is_at_least() { value >= threshold } else { value <= threshold };
        let verdict = if good { Verdict::Passed } else { Verdict::Failed };
        Self { value: Some(value), threshold: Some(threshold), ..Self::judged(kind, subject, verdict, None) }
    }

    pub(super) fn saying(self, detail: &str) -> Self {
        Self { detail: detail.to_owned(), ..self }
    }

    pub(super) fn against(self, threshold: f64) -> Self {
        Self { threshold: Some(threshold), ..self }
    }
}
