//! Anomalies: what detectors found abnormal, as an agent tells it and as the centre keeps it.
//!
//! Invariants: a site has at most one anomaly of a kind and subject; what is told twice counts once; counts, grades and the time of
//! the last sight only grow. It does not know how anything was detected, nor what people do about it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use crate::{AgentId, DrillId, MacAddr, Timestamp, incident::Severity};

/// Pieces of evidence that an anomaly keeps.
pub const EVIDENCE_MAX: usize = 24;

/// The piece of evidence that names a capture file, which the agent keeps.
pub const CAPTURE: &str = "capture";

/// The most bytes of such a file.
pub const CAPTURE_BYTES_MAX: usize = 1 << 20;

/// Runs of detectors whose counts are told apart; those before are counted together.
const RUNS_MAX: usize = 8;

/// What an agent tells of an anomaly, each time that it is new or says more. All of it as it is since the detectors run: the newest
/// report stands for the ones before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnomalyReport {
    /// What kind of thing, about whom.
    #[serde(flatten)]
    pub key: AnomalyKey,
    /// How grave it would be; a proposal.
    pub grade: Severity,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// How long, in milliseconds, it had been going on when it was seen last, which is the time of the report.
    pub lasted_ms: u64,
    /// How many observations bore it out since the detectors run.
    pub count: u64,
    /// Which run of the detectors it is: an agent that starts again begins another.
    pub run: u64,
    /// From what it was concluded.
    pub evidence: Vec<AnomalyEvidence>,
    /// The drill that it is: it was put in, and not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillId>,
}

/// Names an anomaly within its site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AnomalyKey {
    /// What kind of thing, by the word of the detector: a newer agent knows words that this program does not.
    pub kind: String,
    /// About whom: an address, a service, a port, a station or the segment.
    pub subject: String,
}

/// One thing that speaks for an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnomalyEvidence {
    /// What is told, such as `ports` or `flow`.
    pub is: String,
    /// What it is.
    pub value: String,
}

/// An anomaly, by all that was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What kind of thing, about whom.
    #[serde(flatten)]
    pub key: AnomalyKey,
    /// How grave it would be; a proposal.
    pub grade: Severity,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// Since when.
    pub first: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// How many observations bore it out, by all detectors.
    pub count: u64,
    /// From what it was concluded last.
    pub evidence: Vec<AnomalyEvidence>,
    /// Who told of it last; [`Anomaly::CENTRE`] where the centre concluded it.
    pub agent: AgentId,
    /// How much of the count each run of detectors has.
    pub runs: Vec<Run>,
}

/// What one run of detectors counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whose.
    pub agent: AgentId,
    /// Which.
    pub run: u64,
    /// How many observations.
    pub count: u64,
}

/// What detectors did since they run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DetectionSample {
    /// Each detector that the agent has.
    pub detectors: Vec<DetectorSample>,
    /// Observations that found no room because detectors could not keep pace.
    pub dropped: u64,
}

/// What one detector did since it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DetectorSample {
    /// Its kind.
    pub kind: String,
    /// Why it is off; empty: it is on.
    pub off: String,
    /// How long before the sample, in milliseconds, it saw something last; `None`: never.
    pub last_run_age_ms: Option<u64>,
    /// How many observations it saw.
    pub inputs: u64,
    /// How many anomalies it found.
    pub found: u64,
    /// How much it had to forget for want of room.
    pub evicted: u64,
}

impl AnomalyKey {
    /// Returns whose address it is about, where it is about one.
    pub fn host(&self) -> Option<IpAddr> {
        self.subject.parse().ok().or_else(|| self.service().map(|service| service.ip()))
    }

    /// Returns the port that it is about, where it is about one.
    pub fn port(&self) -> Option<u16> {
        let alone = || self.subject.split_once('/')?.1.parse().ok();
        self.service().map(|service| service.port()).or_else(alone)
    }

    /// Returns the station that it is about, where it is about one.
    pub fn mac(&self) -> Option<MacAddr> {
        self.subject.parse().ok()
    }

    fn service(&self) -> Option<SocketAddr> {
        self.subject.parse().ok()
    }
}

/// Between whom the traffic of an anomaly went, as far as it is one pair of ends: what rules that silence are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// Who began it.
    pub source: Option<IpAddr>,
    /// Where to.
    pub destination: Option<IpAddr>,
    /// To which port.
    pub port: Option<u16>,
}

/// Kinds whose subject is whom the traffic goes to: who is flooded, and services by which something is wrong.
const OF_DESTINATION: [&str; 8] = [
    "syn_flood",
    "udp_flood",
    "icmp_flood",
    "dns_flood",
    "reflection",
    "expired_certificate",
    "outdated_tls",
    "cleartext_login",
];

/// Evidence that names the other end. Not `to`, the last of all to whom a night's transfers went: a rule for it would silence the others.
const OTHER_END: [&str; 6] = ["target", "service", "peer", "peers", "called", "sources"];

impl fmt::Display for AnomalyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind, self.subject)
    }
}

impl Anomaly {
    /// Returns between whom its traffic went: subject and other end, where the evidence names one and no more.
    pub fn ends(&self) -> Ends {
        let host = self.key.host();
        let mut named = self.evidence.iter().filter(|it| OTHER_END.contains(&it.is.as_str()));
        let (other, to_port) = named.find_map(|it| end(&it.value)).map_or((None, None), |(ip, port)| (Some(ip), port));
        let mut ports = self.evidence.iter().filter(|it| it.is == "port");
        let at_port = || ports.find_map(|it| it.value.rsplit('/').next()?.parse().ok());
        let port = self.key.port().or(to_port).or_else(at_port);
        if self.key.service().is_some() || OF_DESTINATION.contains(&self.key.kind.as_str()) {
            Ends { source: other, destination: host, port }
        } else {
            Ends { source: host, destination: other, port }
        }
    }

    /// Who told of what the centre concluded itself: no agent has this identity.
    pub const CENTRE: AgentId = AgentId::from_raw(0);

    /// Returns the anomaly as it is to be now that an agent tells this of it, seen last at `last`; `None` where that is nothing new.
    pub fn told(known: Option<&Self>, report: &AnomalyReport, last: Timestamp, agent: AgentId) -> Option<Self> {
        let lasted = i64::try_from(report.lasted_ms).unwrap_or(i64::MAX);
        let first = Timestamp::from_unix_ms(last.unix_ms().saturating_sub(lasted));
        let mut next = known.cloned().unwrap_or_else(|| Self {
            key: report.key.clone(),
            grade: report.grade,
            confidence: report.confidence,
            first,
            last,
            count: 0,
            evidence: Vec::new(),
            agent,
            runs: Vec::new(),
        });
        next.add_run(Run { agent, run: report.run, count: report.count });
        next.grade = next.grade.max(report.grade);
        next.confidence = next.confidence.max(report.confidence);
        next.first = next.first.min(first);
        if last >= next.last {
            next.last = last;
            next.agent = agent;
            next.evidence = report.evidence.iter().take(EVIDENCE_MAX).cloned().collect();
        }
        (known != Some(&next)).then_some(next)
    }

    /// Counts what a run says: the most that it said so far. A run that is no longer told apart is not counted again.
    fn add_run(&mut self, told: Run) {
        if let Some(run) = self.runs.iter_mut().find(|run| (run.agent, run.run) == (told.agent, told.run)) {
            self.count = self.count.saturating_add(told.count.saturating_sub(run.count));
            run.count = run.count.max(told.count);
            return;
        }
        if self.runs.len() >= RUNS_MAX {
            self.runs.remove(0);
        }
        self.count = self.count.saturating_add(told.count);
        self.runs.push(told);
    }
}

/// Returns the one end that a piece of evidence names: `10.0.0.1`, `ssh 10.0.0.1:22`, `≈ 1: 10.0.0.1 (name)`. Of several only an example
/// is told, which stands for no other.
fn end(value: &str) -> Option<(IpAddr, Option<u16>)> {
    let value = match value.strip_prefix("≈ ") {
        Some(counted) => counted.strip_prefix("1: ")?,
        None => value,
    };
    value.split(' ').find_map(|word| {
        let service = word.parse().map(|service: SocketAddr| (service.ip(), Some(service.port())));
        service.or_else(|_| word.parse().map(|ip| (ip, None))).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: AgentId = AgentId::from_raw(7);

    fn report(run: u64, count: u64) -> AnomalyReport {
        AnomalyReport {
            key: AnomalyKey { kind: "port_scan".into(), subject: "10.20.0.7".into() },
            grade: Severity::Considerable,
            confidence: 80,
            lasted_ms: 60_000,
            count,
            run,
            evidence: vec![AnomalyEvidence { is: "ports".into(), value: count.to_string() }],
            drill: None,
        }
    }

    fn told(known: Option<&Anomaly>, report: &AnomalyReport, at_s: i64) -> Option<Anomaly> {
        Anomaly::told(known, report, Timestamp::from_unix_ms(at_s * 1_000), AGENT)
    }

    #[test]
    fn what_is_told_twice_counts_once_and_runs_add_up() {
        let one = told(None, &report(1, 30), 100).unwrap();
        assert_eq!((one.count, one.first.unix_ms(), one.last.unix_ms()), (30, 40_000, 100_000));
        assert_eq!(told(Some(&one), &report(1, 30), 100), None);
        let more = told(Some(&one), &report(1, 50), 200).unwrap();
        assert_eq!((more.count, more.first.unix_ms(), more.last.unix_ms()), (50, 40_000, 200_000));
        let again = told(Some(&more), &report(2, 5), 300).unwrap();
        assert_eq!((again.count, again.evidence[0].value.as_str()), (55, "5"));
        let late = told(Some(&again), &report(1, 51), 150).unwrap();
        assert_eq!((late.count, late.last.unix_ms(), late.evidence[0].value.as_str()), (56, 300_000, "5"));
    }

    #[test]
    fn runs_without_end_take_a_bounded_room() {
        let mut known = told(None, &report(0, 1), 0).unwrap();
        for run in 1..100 {
            known = told(Some(&known), &report(run, 1), 1).unwrap();
        }
        assert_eq!((known.count, known.runs.len()), (100, RUNS_MAX));
    }

    #[test]
    fn both_ends_are_read_where_the_evidence_names_one_other() {
        let ends = |kind: &str, subject: &str, is: &str, value: &str| {
            let mut report = report(1, 1);
            report.key = AnomalyKey { kind: kind.into(), subject: subject.into() };
            report.evidence.push(AnomalyEvidence { is: is.into(), value: value.into() });
            let Ends { source, destination, port } = told(None, &report, 1).unwrap().ends();
            let text = |ip: Option<IpAddr>| ip.map_or_else(String::new, |ip| ip.to_string());
            (text(source), text(destination), port)
        };
        let pair = |source: &str, destination: &str, port| (source.to_owned(), destination.to_owned(), port);
        assert_eq!(ends("port_scan", "10.0.0.7", "target", "10.0.0.1"), pair("10.0.0.7", "10.0.0.1", None));
        let guessed = ends("brute_force", "10.0.0.7", "service", "ssh 10.0.0.1:22");
        assert_eq!(guessed, pair("10.0.0.7", "10.0.0.1", Some(22)));
        let out = |peers| ends("outreach", "10.0.0.7", "peers", peers);
        assert_eq!(out("≈ 1: 198.51.100.7 (example.net)"), pair("10.0.0.7", "198.51.100.7", None));
        assert_eq!(out("≈ 2: 198.51.100.7 (example.net)"), pair("10.0.0.7", "", None));
        assert_eq!(ends("night_transfer", "10.0.0.7", "to", "198.51.100.7"), pair("10.0.0.7", "", None));
        assert_eq!(ends("sweep", "10.0.0.7", "port", "tcp/445"), pair("10.0.0.7", "", Some(445)));
        assert_eq!(ends("syn_flood", "10.0.0.1", "sources", "≈ 1: 10.0.0.7"), pair("10.0.0.7", "10.0.0.1", None));
        assert_eq!(ends("exposed_service", "10.0.0.1:22", "client", "x"), pair("", "10.0.0.1", Some(22)));
        assert_eq!(ends("rogue_lldp", "02:00:00:00:00:01", "port", "02:00:00:00:00:02"), pair("", "", None));
    }

    #[test]
    fn a_subject_is_read_for_what_it_is() {
        let read = |subject: &str| {
            let key = AnomalyKey { kind: "k".into(), subject: subject.into() };
            (key.host().map(|ip| ip.to_string()), key.port(), key.mac().is_some())
        };
        assert_eq!(read("10.20.0.7"), (Some("10.20.0.7".into()), None, false));
        assert_eq!(read("[fe80::1]:443"), (Some("fe80::1".into()), Some(443), false));
        assert_eq!(read("tcp/445"), (None, Some(445), false));
        assert_eq!(read("00:1b:21:42:00:01"), (None, None, true));
        assert_eq!(read("segment"), (None, None, false));
    }
}
