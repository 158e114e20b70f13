//! Probes: what agents measure of the ways that lead away from a site, and what they judge of each.

use onenet_topology::{AgentId, Probe, ProbeSample, ProbeState, ProbeTest, SiteId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};
use crate::{access::View, estate::Taken, measurement};

/// A probe of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProbeBody {
    /// The site whose agent measures.
    pub site: String,
    /// The agent.
    pub agent: String,
    /// The agent's name of the probe.
    #[schema(example = "parent")]
    pub name: String,
    /// Whom it asks.
    #[schema(example = "10.1.0.1")]
    pub target: String,
    /// What it asks: `icmp`, `stamp`, `tcp`, `http`, `https`, `dns`, `smtp`, `imap`, `ldap`, `ntp` or `sip`.
    pub kind: &'static str,
    /// Where it leads: `parent`, `gateway`, `child` or `named`.
    pub role: &'static str,
    /// The code of the site that it leads to, as the agent has it.
    pub leads_to: Option<String>,
    /// The id of that site; `null` where none is known, or none that may be seen.
    pub leads_to_site: Option<String>,
    /// `up`, `degraded`, `down` or `unknown`: nobody was judged, or the agent is silent.
    pub state: &'static str,
    /// Since when.
    pub since: String,
    /// Why, in the agent's words.
    pub detail: Option<String>,
    /// What was measured last, as it told in the last two hours.
    pub measured: Option<MeasuredBody>,
    /// What the last media test told, in the last two hours.
    pub media: Option<MeasuredBody>,
    /// What the last test of throughput told, in the last two hours.
    pub throughput: Option<MeasuredBody>,
}

/// What a test over a line of a site told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MeasurementBody {
    /// The site whose agent measured.
    pub site: String,
    /// The agent.
    pub agent: String,
    /// Its name of the probe.
    pub probe: String,
    /// When it was asked for.
    pub time: String,
    /// What it told.
    #[serde(flatten)]
    pub sample: ProbeSampleBody,
}

/// What was measured last, and when.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MeasuredBody {
    /// When the window ended.
    pub time: String,
    /// What.
    #[serde(flatten)]
    pub sample: ProbeSampleBody,
}

/// What a probe measured over a window.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProbeSampleBody {
    /// What it is of: `regular`, what a probe asks all the time; or a test, `media` or `throughput`.
    pub test: &'static str,
    /// Length of the window.
    pub interval_ms: u64,
    /// Questions sent.
    pub sent: u64,
    /// Questions that no answer came to in time.
    pub lost: u64,
    /// Which part of the questions that is, from 0 to 1.
    pub loss_ratio: Option<f64>,
    /// Answers that came again.
    pub duplicated: u64,
    /// Answers behind the answer to a later question.
    pub reordered: u64,
    /// The shortest round trip.
    pub round_trip_min_us: Option<u64>,
    /// The median.
    pub round_trip_median_us: Option<u64>,
    /// What 95 in a hundred kept under.
    pub round_trip_p95_us: Option<u64>,
    /// The longest.
    pub round_trip_max_us: Option<u64>,
    /// Jitter of the round trips after RFC 3550.
    pub jitter_us: Option<u64>,
    /// Questions lost on the way to the target.
    pub lost_out: Option<u64>,
    /// Answers lost on the way back.
    pub lost_back: Option<u64>,
    /// Median delay to the target, where both clocks are known to agree.
    pub delay_out_us: Option<u64>,
    /// Median delay from the target.
    pub delay_back_us: Option<u64>,
    /// Jitter to the target.
    pub jitter_out_us: Option<u64>,
    /// Jitter from the target.
    pub jitter_back_us: Option<u64>,
    /// The largest packet in bytes that passes in one piece.
    pub path_mtu: Option<u32>,
    /// Mean opinion score, 1 to 4.5.
    pub mos: Option<f64>,
    /// What a test sent, in kbit/s at the IP layer.
    pub rate_sent_kbit: Option<u64>,
    /// What of it came to the target.
    pub rate_out_kbit: Option<u64>,
    /// What of the answers came back.
    pub rate_back_kbit: Option<u64>,
    /// When the certificate that the target showed ends.
    pub certificate_ends: Option<String>,
}

/// A probe as a view shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'v> {
    pub(crate) agent: AgentId,
    pub(crate) probe: Probe,
    pub(crate) state: ProbeState,
    pub(crate) since: Timestamp,
    pub(crate) measured: Option<&'v Taken>,
    pub(crate) media: Option<&'v Taken>,
    pub(crate) throughput: Option<&'v Taken>,
}

/// Returns the probes of a site's agents, by agent and name. What a silent agent watches is unknown since it is silent.
pub(crate) fn probes(view: &View, site: SiteId) -> Vec<Shown<'_>> {
    let Some(state) = view.inventory(site) else { return Vec::new() };
    let mut all: Vec<Shown<'_>> = Vec::new();
    for (agent, observed, probe) in state.probes() {
        let Some(known) = view.agent(agent) else { continue };
        let (judged, since) = if known.is_heard() {
            (probe.state, observed)
        } else {
            let silent = known.contact.silent_since.or(known.contact.last_heard);
            (ProbeState::Unknown, silent.unwrap_or(observed).max(observed))
        };
        let last = |test| state.measured.get().of(agent, &probe.name, test, view.now());
        let [measured, media, throughput] = ProbeTest::ALL.map(last);
        all.push(Shown { agent, probe, state: judged, since, measured, media, throughput });
    }
    all.sort_by(|one, other| (one.agent, &one.probe.name).cmp(&(other.agent, &other.probe.name)));
    all
}

impl ProbeBody {
    pub(crate) fn of(view: &View, site: SiteId, shown: &Shown<'_>) -> Self {
        let probe = &shown.probe;
        Self {
            site: site.to_string(),
            agent: shown.agent.to_string(),
            name: probe.name.clone(),
            target: probe.target.clone(),
            kind: probe.kind.name(),
            role: probe.role.name(),
            leads_to: given(&probe.site),
            leads_to_site: given(&probe.site).and_then(|code| Some(view.find_site(&code)?.id.to_string())),
            state: shown.state.name(),
            since: time(shown.since),
            detail: given(&probe.detail),
            measured: shown.measured.map(MeasuredBody::of),
            media: shown.media.map(MeasuredBody::of),
            throughput: shown.throughput.map(MeasuredBody::of),
        }
    }
}

impl MeasuredBody {
    fn of(taken: &Taken) -> Self {
        Self { time: time(taken.time), sample: ProbeSampleBody::of(&taken.sample) }
    }
}

impl MeasurementBody {
    pub(crate) fn of(site: SiteId, taken: &measurement::Taken) -> Self {
        Self {
            site: site.to_string(),
            agent: taken.agent.to_string(),
            probe: taken.sample.name.clone(),
            time: time(taken.time),
            sample: ProbeSampleBody::of(&taken.sample),
        }
    }
}

impl ProbeSampleBody {
    pub(crate) fn of(sample: &ProbeSample) -> Self {
        Self {
            test: sample.test.name(),
            interval_ms: sample.interval_ms,
            sent: sample.sent,
            lost: sample.lost,
            loss_ratio: loss_ratio(sample),
            duplicated: sample.duplicated,
            reordered: sample.reordered,
            round_trip_min_us: sample.round_trip_min_us,
            round_trip_median_us: sample.round_trip_median_us,
            round_trip_p95_us: sample.round_trip_p95_us,
            round_trip_max_us: sample.round_trip_max_us,
            jitter_us: sample.jitter_us,
            lost_out: sample.lost_out,
            lost_back: sample.lost_back,
            delay_out_us: sample.delay_out_us,
            delay_back_us: sample.delay_back_us,
            jitter_out_us: sample.jitter_out_us,
            jitter_back_us: sample.jitter_back_us,
            path_mtu: sample.path_mtu,
            rate_sent_kbit: sample.rate_sent_kbit,
            rate_out_kbit: sample.rate_out_kbit,
            rate_back_kbit: sample.rate_back_kbit,
            mos: sample.mos_centi.map(|centi| f64::from(centi) / 100.0),
            certificate_ends: sample.certificate_ends_ms.map(|ms| time(Timestamp::from_unix_ms(ms))),
        }
    }
}

/// Returns which part of the questions was lost; `None` where none was sent.
#[expect(clippy::cast_precision_loss, reason = "a window has thousands of questions, not 2^53")]
pub(crate) fn loss_ratio(sample: &ProbeSample) -> Option<f64> {
    (sample.sent > 0).then(|| sample.lost as f64 / sample.sent as f64)
}
