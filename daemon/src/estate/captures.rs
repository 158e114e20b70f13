//! How capture goes at a site: the last sample of each interface that its agents listen on, for API, console and metrics.
//!
//! Invariant: it follows from samples and adds nothing to what the estate says; after a start it is empty until agents sample again.
//! An agent has [`INTERFACES_MAX`] interfaces here at most, the one that was silent longest gives way; a sample never gives way to
//! an older one.

use onenet_topology::{
    AgentId, Timestamp,
    fact::{CaptureSample, HistoryBody, Scope},
};

use super::SampleBlock;

/// As many as an agent may be configured to listen on.
const INTERFACES_MAX: usize = 16;

/// How old a sample may be, in milliseconds, to tell of the present: more than two of the longest intervals.
pub(crate) const CAPTURE_FRESH_MS: i64 = 2 * 3_600_000;

/// The last samples of a site's interfaces. Cheap to clone while there are few.
#[derive(Debug, Clone, Default)]
pub struct Captures(Vec<Captured>);

/// How capture goes on one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Who listens.
    pub agent: AgentId,
    /// On what.
    pub interface: Scope,
    /// When it was sampled.
    pub time: Timestamp,
    /// What was counted since the agent started.
    pub sample: CaptureSample,
}

impl Captures {
    /// Returns what an agent tells of its interfaces, by their names, as far as that is the present.
    pub fn of(&self, agent: AgentId, now: Timestamp) -> impl Iterator<Item = &Captured> {
        self.0.iter().filter(move |it| it.agent == agent && now.ms_since(it.time) <= CAPTURE_FRESH_MS)
    }

    /// Takes in the samples of a batch.
    pub(super) fn take(&mut self, block: &SampleBlock) {
        for item in &block.items {
            let HistoryBody::Capture(sample) = &item.body else { continue };
            let new =
                Captured { agent: block.agent, interface: item.scope.clone(), time: item.time, sample: sample.clone() };
            self.put(new);
        }
    }

    fn put(&mut self, new: Captured) {
        let place = self.0.binary_search_by(|it| (it.agent, &it.interface).cmp(&(new.agent, &new.interface)));
        if let Ok(at) = place {
            if let Some(held) = self.0.get_mut(at).filter(|held| held.time <= new.time) {
                *held = new;
            }
        } else if self.make_room(&new) {
            let at = self.0.partition_point(|it| (it.agent, &it.interface) < (new.agent, &new.interface));
            self.0.insert(at, new);
        }
    }

    /// Returns whether one more interface of its agent has room; the one that was silent longest gives way.
    fn make_room(&mut self, new: &Captured) -> bool {
        let of_agent = || self.0.iter().enumerate().filter(|(_, it)| it.agent == new.agent);
        if of_agent().count() < INTERFACES_MAX {
            return true;
        }
        let oldest = of_agent().min_by_key(|(_, it)| it.time).filter(|(_, it)| it.time <= new.time).map(|(at, _)| at);
        oldest.map(|at| self.0.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{SiteId, fact::HistoryItem};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
    const AGENT: AgentId = AgentId::from_raw(7);

    fn block(samples: &[(&str, i64, u64)]) -> SampleBlock {
        let item = |(interface, ago_ms, frames_seen): &(&str, i64, u64)| HistoryItem {
            time: NOW.plus_ms(-ago_ms),
            scope: Scope::new(interface),
            body: HistoryBody::Capture(CaptureSample { frames_seen: *frames_seen, ..CaptureSample::default() }),
        };
        SampleBlock {
            position: 1,
            site: SiteId::from_raw(1),
            agent: AGENT,
            sequence: 1,
            items: samples.iter().map(item).collect(),
            shift_ms: 0,
            uncertain: false,
        }
    }

    fn told(captures: &Captures) -> Vec<(String, u64)> {
        captures.of(AGENT, NOW).map(|it| (it.interface.as_str().to_owned(), it.sample.frames_seen)).collect()
    }

    #[test]
    fn the_last_sample_of_each_interface_is_kept_and_the_past_does_not_pass_for_it() {
        let mut captures = Captures::default();
        captures.take(&block(&[("eth1", 60_000, 5), ("eth0", 0, 3), ("eth1", 0, 9)]));
        captures.take(&block(&[("eth1", 3_600_000, 1), ("eth2", CAPTURE_FRESH_MS + 1, 1)]));
        assert_eq!(told(&captures), [("eth0".to_owned(), 3), ("eth1".to_owned(), 9)]);
        assert_eq!(captures.of(AgentId::from_raw(8), NOW).count(), 0);
    }

    #[test]
    fn interfaces_without_end_take_a_bounded_room_and_the_silent_ones_give_way() {
        let mut captures = Captures::default();
        for at in 0..50_i64 {
            captures.take(&block(&[(&format!("eth{at}"), 1_000 - at, 1)]));
        }
        captures.take(&block(&[("late", 2_000, 1)]));
        assert_eq!(told(&captures).len(), INTERFACES_MAX);
        assert!(told(&captures).contains(&("eth49".to_owned(), 1)));
        assert!(!told(&captures).contains(&("late".to_owned(), 1)));
    }
}
