//! From what is found to checks.

use super::{AgentFound, Check, CheckKind, Configured, Found, Reason, Thresholds, Verdict, WayFound};
use crate::ProbeState;

/// Returns every check of a site, in the order of a report.
pub fn evaluate(found: &Found, thresholds: &Thresholds) -> Vec<Check> {
    let mut checks = connectivity(found);
    checks.extend(quality(found, thresholds));
    checks.extend(media(found, thresholds));
    checks.extend(name_service(found));
    checks.extend(address_plan(found, thresholds));
    for agent in &found.agents {
        checks.extend(of_agent(agent, found, thresholds));
    }
    checks.push(devices(found, thresholds));
    checks
}

fn connectivity(found: &Found) -> Vec<Check> {
    let mut checks = Vec::new();
    if found.agents.is_empty() {
        let reason = Some(Reason::NoAgent);
        checks.push(Check::judged(CheckKind::AgentConnected, "", Verdict::Failed, reason));
    }
    for agent in &found.agents {
        let (verdict, reason) =
            if agent.connected { (Verdict::Passed, None) } else { (Verdict::Failed, Some(Reason::NotConnected)) };
        checks.push(Check::judged(CheckKind::AgentConnected, &agent.name, verdict, reason));
    }
    if found.ways.is_empty() {
        checks.push(Check::not_measured(CheckKind::WayFromBelow, "", Reason::NoUplink));
    }
    for way in &found.ways {
        checks.push(answered(CheckKind::WayFromBelow, &way.parent, way.below.as_ref()));
        checks.push(answered(CheckKind::WayFromAbove, &way.parent, way.above.as_ref()));
    }
    checks
}

/// Returns the check of what a probe judges.
fn answered(kind: CheckKind, subject: &str, probe: Option<&(ProbeState, String)>) -> Check {
    let Some((state, detail)) = probe else { return Check::not_measured(kind, subject, Reason::NoProbe) };
    let check = match state {
        ProbeState::Up => Check::judged(kind, subject, Verdict::Passed, None),
        ProbeState::Degraded => Check::judged(kind, subject, Verdict::Failed, Some(Reason::AnswersBadly)),
        ProbeState::Down => Check::judged(kind, subject, Verdict::Failed, Some(Reason::NoAnswer)),
        ProbeState::Unknown => Check::not_measured(kind, subject, Reason::NotJudged),
    };
    check.saying(detail)
}

fn quality(found: &Found, thresholds: &Thresholds) -> Vec<Check> {
    found.ways.iter().flat_map(|way| of_way(way, thresholds)).collect()
}

fn of_way(way: &WayFound, thresholds: &Thresholds) -> [Check; 3] {
    let milliseconds = |us: Option<u64>| us.map(|us| number(us) / 1_000.0);
    let measured = [
        (CheckKind::Loss, way.quality.loss().map(|loss| loss * 100.0), thresholds.loss_percent),
        (CheckKind::RoundTrip, milliseconds(way.quality.round_trip_us()), thresholds.round_trip_ms),
        (CheckKind::Jitter, milliseconds(way.quality.jitter_us()), thresholds.jitter_ms),
    ];
    measured.map(|(kind, value, threshold)| match value {
        Some(value) if way.windows >= thresholds.windows_min => Check::of(kind, &way.parent, value, threshold),
        _ => Check::not_measured(kind, &way.parent, Reason::TooFewWindows).against(threshold),
    })
}

fn media(found: &Found, thresholds: &Thresholds) -> Vec<Check> {
    let of = |it: &super::MediaFound| {
        Check::of(CheckKind::MediaScore, &it.name, f64::from(it.mos_centi) / 100.0, thresholds.media_score)
    };
    if found.media.is_empty() {
        let check = Check::not_measured(CheckKind::MediaScore, "", Reason::NoMediaTest);
        return vec![check.against(thresholds.media_score).saying(&found.media_missing)];
    }
    found.media.iter().map(of).collect()
}

fn name_service(found: &Found) -> Vec<Check> {
    if found.name_services.is_empty() {
        return vec![Check::not_measured(CheckKind::NameService, "", Reason::NoNameProbe)];
    }
    let of =
        |it: &super::ServiceFound| answered(CheckKind::NameService, &it.name, Some(&(it.state, it.detail.clone())));
    found.name_services.iter().map(of).collect()
}

fn address_plan(found: &Found, thresholds: &Thresholds) -> [Check; 2] {
    let prefixes = Check::of(CheckKind::Prefixes, "", f64::from(found.prefixes), 1.0);
    let threshold = thresholds.terminals_in_plan_percent;
    let in_plan = match (found.prefixes, percent(found.terminals_in_plan, found.terminals)) {
        (0, _) => Check::not_measured(CheckKind::TerminalsInPlan, "", Reason::NoPrefixes).against(threshold),
        (_, None) => Check::not_measured(CheckKind::TerminalsInPlan, "", Reason::NoTerminals).against(threshold),
        (_, Some(percent)) => Check::of(CheckKind::TerminalsInPlan, "", percent, threshold),
    };
    [prefixes, in_plan]
}

fn of_agent(agent: &AgentFound, found: &Found, thresholds: &Thresholds) -> Vec<Check> {
    let name = agent.name.as_str();
    let number_or = |kind, value: Option<f64>, threshold: f64, reason| match value {
        Some(value) => Check::of(kind, name, value, threshold),
        None => Check::not_measured(kind, name, reason).against(threshold),
    };
    let heard = agent.heard_ms_ago.map(|ms| number(ms.unsigned_abs()));
    let lag = number_or(CheckKind::LastHeard, heard, thresholds.last_heard_ms, Reason::NotConnected);
    if !agent.connected {
        // The rest of what is known of it is from before.
        let kinds = [
            CheckKind::AgentVersion,
            CheckKind::ClockOffset,
            CheckKind::HistoryWaiting,
            CheckKind::Configuration,
            CheckKind::CaptureLoss,
        ];
        let stale = kinds.map(|kind| Check::not_measured(kind, name, Reason::NotConnected));
        return stale.into_iter().chain([lag]).collect();
    }
    let offset = agent.clock_offset_ms.map(|ms| number(ms.unsigned_abs()));
    let lost = agent.captured.and_then(|(seen, lost)| share(lost, seen.saturating_add(lost)));
    vec![
        version(agent, &found.version),
        number_or(CheckKind::ClockOffset, offset, thresholds.clock_offset_ms, Reason::NoClock),
        Check::of(CheckKind::HistoryWaiting, name, number(agent.history_waiting), thresholds.history_waiting),
        lag,
        configuration(agent),
        number_or(CheckKind::CaptureLoss, lost, thresholds.capture_loss_percent, Reason::NoCapture),
    ]
}

fn version(agent: &AgentFound, centre: &str) -> Check {
    let release = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let same = release(&agent.version) == release(centre);
    let verdict = if same { Verdict::Passed } else { Verdict::Failed };
    let check = Check::judged(CheckKind::AgentVersion, &agent.name, verdict, None);
    check.saying(&format!("{} ({centre})", agent.version))
}

fn configuration(agent: &AgentFound) -> Check {
    let judged = |verdict, reason| Check::judged(CheckKind::Configuration, &agent.name, verdict, reason);
    match &agent.configured {
        Configured::Applied => judged(Verdict::Passed, None),
        Configured::NotSet => judged(Verdict::NotMeasured, Some(Reason::NoConfiguration)),
        Configured::Waiting => judged(Verdict::Failed, Some(Reason::NotApplied)),
        Configured::Rejected(why) => judged(Verdict::Failed, Some(Reason::Rejected)).saying(why),
    }
}

fn devices(found: &Found, thresholds: &Thresholds) -> Check {
    let threshold = thresholds.devices_answer_percent;
    match percent(found.devices_answering, found.devices) {
        Some(percent) => Check::of(CheckKind::DevicesAnswer, "", percent, threshold),
        None => Check::not_measured(CheckKind::DevicesAnswer, "", Reason::NoDevices).against(threshold),
    }
}

fn percent(part: u32, whole: u32) -> Option<f64> {
    share(u64::from(part), u64::from(whole))
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| number(part) / number(whole) * 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "values of a report are told to a few digits")]
const fn number(value: u64) -> f64 {
    value as f64
}
