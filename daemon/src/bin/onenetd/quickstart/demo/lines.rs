//! How the lines of simulated sites are, and were in the last days: each site's agent probes its way up.
//!
//! Invariant: what a line was like at an hour follows from the site's code and the hour, so that every start tells the same of
//! it. The past is told as an agent tells it that was cut off: late, with its own times.

use onenet_topology::{
    Probe, ProbeKind, ProbeRole, ProbeSample, ProbeState, Timestamp,
    fact::{Fact, FactBody, FactChange, Group, HistoryBody, HistoryItem, Method, Scope},
};

use super::{chance::Chance, province::SimulatedSite};

/// Hours of the past that are told: what the centre still takes in.
const PAST_HOURS: i64 = 8 * 24;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const NAME: &str = "parent";

/// Returns what the site's agent judges of its way up: that it is up.
pub(super) fn facts(site: &SimulatedSite, now: Timestamp) -> Option<(Group, Vec<FactChange>)> {
    site.parent.as_ref()?;
    let probe = Probe {
        name: NAME.into(),
        target: "198.51.100.1:862".into(),
        kind: ProbeKind::Stamp,
        role: ProbeRole::Parent,
        site: String::new(),
        state: ProbeState::Up,
        detail: String::new(),
    };
    let fact = Fact { observed: now.plus_ms(-HOUR_MS), body: FactBody::Probe(Box::new(probe)) };
    let group = Group { method: Method::Probe, scope: Scope::new("") };
    Some((group, vec![FactChange::Present(fact)]))
}

/// Returns what it measured in the minute that ends now.
pub(super) fn minute(site: &SimulatedSite, now: Timestamp) -> Option<HistoryItem> {
    site.parent.as_ref()?;
    Some(window(site, now, MINUTE_MS, false))
}

/// Returns what it measured before, hour by hour.
pub(super) fn past(site: &SimulatedSite, now: Timestamp) -> Vec<HistoryItem> {
    if site.parent.is_none() {
        return Vec::new();
    }
    (0..PAST_HOURS).rev().map(|ago| window(site, now.plus_ms(-ago * HOUR_MS), HOUR_MS, true)).collect()
}

fn window(site: &SimulatedSite, end: Timestamp, interval_ms: i64, may_fail: bool) -> HistoryItem {
    let mut line = Chance::of(&site.code);
    let (base_us, bad_line) = (8_000 + line.below(40_000), line.below(4) == 0);
    let mut hour = Chance::of(&format!("{} {}", site.code, end.unix_ms() / HOUR_MS));
    let sent = interval_ms.unsigned_abs() / 1_000;
    let lost = match (may_fail, hour.below(80), bad_line) {
        (true, 0, true) => sent,
        (true, 0..4, true) => sent / 12,
        (_, 0..20, _) => sent / 300,
        _ => 0,
    };
    let answered = (lost < sent).then_some(base_us + hour.below(3_000));
    let sample = ProbeSample {
        name: NAME.into(),
        interval_ms: interval_ms.unsigned_abs(),
        sent,
        lost,
        round_trip_median_us: answered,
        round_trip_p95_us: answered.map(|us| us + us / 4),
        jitter_us: answered.map(|us| us / 20),
        ..ProbeSample::default()
    };
    HistoryItem { time: end, scope: Scope::new(""), body: HistoryBody::Probe(sample) }
}

#[cfg(test)]
mod tests {
    use super::{super::province, *};

    #[test]
    fn every_site_but_the_first_has_a_line_and_some_of_them_failed() {
        let (sites, now) = (province::sites(), Timestamp::from_unix_ms(1_800_000_000_000));
        let samples: Vec<ProbeSample> = sites
            .iter()
            .flat_map(|site| past(site, now))
            .map(|item| match item.body {
                HistoryBody::Probe(sample) => sample,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(samples.len(), (sites.len() - 1) * 192);
        let failed = samples.iter().filter(|sample| sample.lost == sample.sent).count();
        assert!((1..60).contains(&failed), "{failed}");
        assert_eq!(facts(&sites[0], now), None);
    }
}
