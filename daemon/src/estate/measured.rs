//! What the probes of a site's agents measured last, for API, console and metrics.
//!
//! Invariant: it follows from samples and adds nothing to what the estate says; after a start it is empty until agents sample again.
//! An agent has [`SAMPLES_MAX`] samples here at most, of a probe one of each test, the one that was silent longest gives way; a sample never gives way to an
//! older one.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{AgentId, ProbeSample, ProbeTest, Timestamp, fact::HistoryBody};

use super::SampleBlock;

/// As many as an agent may be configured to have probes, the gateway's, and tests of each over the ways between sites.
const SAMPLES_MAX: usize = 1_024;

/// How old a sample may be, in milliseconds, to tell of the present: more than two of the longest windows.
pub(crate) const MEASURED_FRESH_MS: i64 = 2 * 3_600_000;

/// The last samples of a site's probes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Measured(OrdMap<(AgentId, String, ProbeTest), Arc<Taken>>);

/// What a probe measured last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// When the window ended.
    pub time: Timestamp,
    /// What was measured.
    pub sample: ProbeSample,
}

impl Measured {
    /// Returns what a probe of an agent measured last by this test, as far as that is the present.
    pub fn of(&self, agent: AgentId, probe: &str, test: ProbeTest, now: Timestamp) -> Option<&Taken> {
        let held = self.0.get(&(agent, probe.to_owned(), test))?;
        (now.ms_since(held.time) <= MEASURED_FRESH_MS).then_some(held.as_ref())
    }

    /// Takes in the samples of a batch.
    pub(super) fn take(&mut self, block: &SampleBlock) {
        for item in &block.items {
            let HistoryBody::Probe(sample) = &item.body else { continue };
            let key = (block.agent, sample.name.clone(), sample.test);
            let old = self.0.get(&key).map(|held| held.time);
            let newer = old.is_none_or(|old| old <= item.time);
            if newer && (old.is_some() || self.make_room(block.agent, item.time)) {
                self.0.insert(key, Arc::new(Taken { time: item.time, sample: sample.clone() }));
            }
        }
    }

    /// Returns whether one more probe of an agent has room; the one that was silent longest gives way.
    fn make_room(&mut self, agent: AgentId, time: Timestamp) -> bool {
        let of_agent = || {
            let first = (agent, String::new(), ProbeTest::Regular);
            self.0.range(first..).take_while(|((holder, ..), _)| *holder == agent)
        };
        if of_agent().count() < SAMPLES_MAX {
            return true;
        }
        let oldest = of_agent().min_by_key(|(_, held)| held.time).filter(|(_, held)| held.time <= time);
        let oldest = oldest.map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.0.remove(&key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{
        SiteId,
        fact::{HistoryItem, Scope},
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
    const AGENT: AgentId = AgentId::from_raw(7);

    fn block(samples: &[(&str, i64, u64)]) -> SampleBlock {
        let item = |(name, ago_ms, sent): &(&str, i64, u64)| HistoryItem {
            time: NOW.plus_ms(-ago_ms),
            scope: Scope::new(""),
            body: HistoryBody::Probe(ProbeSample { name: (*name).into(), sent: *sent, ..ProbeSample::default() }),
        };
        let items = samples.iter().map(item).collect();
        let (site, uncertain) = (SiteId::from_raw(1), false);
        SampleBlock { position: 1, site, agent: AGENT, sequence: 1, items, shift_ms: 0, uncertain }
    }

    #[test]
    fn the_last_sample_of_each_probe_is_kept_and_the_past_does_not_pass_for_it() {
        let mut measured = Measured::default();
        measured.take(&block(&[("up", 60_000, 5), ("down", 0, 3), ("up", 0, 9)]));
        measured.take(&block(&[("up", 3_600_000, 1), ("old", MEASURED_FRESH_MS + 1, 1)]));
        let sent =
            |measured: &Measured, name: &str, test| measured.of(AGENT, name, test, NOW).map(|taken| taken.sample.sent);
        let last = |name| sent(&measured, name, ProbeTest::Regular);
        assert_eq!((last("up"), last("down"), last("old")), (Some(9), Some(3), None));
        assert_eq!(measured.of(AgentId::from_raw(8), "up", ProbeTest::Regular, NOW), None);
        let mut media = block(&[("up", 0, 500)]);
        let HistoryBody::Probe(sample) = &mut media.items[0].body else { panic!("a probe's") };
        sample.test = ProbeTest::Media;
        measured.take(&media);
        assert_eq!(sent(&measured, "up", ProbeTest::Regular), Some(9), "a test is no window of the probe");
        assert_eq!(sent(&measured, "up", ProbeTest::Media), Some(500));
    }

    #[test]
    fn probes_without_end_take_a_bounded_room() {
        let mut measured = Measured::default();
        for at in 0..2_000_i64 {
            measured.take(&block(&[(&format!("p{at}"), 5_000 - at, 1)]));
        }
        assert_eq!(measured.0.len(), SAMPLES_MAX);
        assert!(measured.of(AGENT, "p1999", ProbeTest::Regular, NOW).is_some());
    }
}
