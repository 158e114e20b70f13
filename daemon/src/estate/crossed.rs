//! How much crossed the segments of a site, by application: what metrics tell of traffic.
//!
//! Invariant: it follows from samples and adds nothing to what the estate says; it counts from the start of the centre, and only
//! up. It holds a number for each application that there is, whatever is reported. What two capture interfaces both saw is in it
//! twice, and what is told late is not: a counter has no time but that at which it is read, and six hours of a line that was cut would
//! be a peak of the minute in which it healed. Metrics are of trends, the API looks closer.

use onenet_topology::{Timestamp, application::Application, fact::HistoryBody};

use super::SampleBlock;

/// One more than there are numbers of applications: the first is for what was not recognised.
const PLACES: usize = 256;

/// How long ago, in milliseconds, what is counted may have been: agents tell each quarter of an hour of the one before.
const LATE_MS: i64 = 1_800_000;

/// Bytes that crossed a site since the centre started. Cheap to clone while nothing did.
#[derive(Debug, Clone, Default)]
pub struct Crossed(Vec<u64>);

impl Crossed {
    /// Returns the bytes by application, those of which there were any.
    pub fn by_application(&self) -> impl Iterator<Item = (Option<Application>, u64)> + '_ {
        let numbered = (0..=u8::MAX).zip(&self.0).filter(|(_, bytes)| **bytes > 0);
        numbered.map(|(number, bytes)| (Application::numbered(number), *bytes))
    }

    /// Takes in what a batch tells of the present, and returns how many bytes that were. What endpoints sent is counted, since each byte
    /// has one sender.
    pub(super) fn take(&mut self, block: &SampleBlock, now: Timestamp) -> u64 {
        let mut taken: u64 = 0;
        for item in &block.items {
            let HistoryBody::Application(sample) = &item.body else { continue };
            if now.ms_since(item.time) > LATE_MS {
                continue;
            }
            if self.0.is_empty() {
                self.0 = vec![0; PLACES];
            }
            let place = sample.application.map_or(0, |application| usize::from(application.number()));
            if let Some(bytes) = self.0.get_mut(place) {
                *bytes = bytes.saturating_add(sample.totals.bytes_out);
                taken = taken.saturating_add(sample.totals.bytes_out);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{
        AgentId, SiteId, Timestamp,
        fact::{ApplicationSample, FlowTotals, HistoryItem, Scope},
    };

    use super::*;

    #[test]
    fn what_was_sent_lately_is_counted_once_by_application() {
        let now = Timestamp::EPOCH.plus_ms(86_400_000);
        let told = |time, application, bytes_out| HistoryItem {
            time,
            scope: Scope::new("eth1"),
            body: HistoryBody::Application(ApplicationSample {
                mac: None,
                application,
                interval_ms: 900_000,
                totals: FlowTotals { bytes_out, bytes_in: 7, ..FlowTotals::default() },
            }),
        };
        let item = |application, bytes_out| told(now.plus_ms(-900_000), application, bytes_out);
        let late = told(now.plus_ms(-LATE_MS - 1), None, 1_000);
        let block = SampleBlock {
            position: 1,
            site: SiteId::from_raw(1),
            agent: AgentId::from_raw(2),
            sequence: 1,
            items: vec![late, item(Some(Application::Tls), 5), item(None, 3), item(Some(Application::Tls), 10)],
            shift_ms: 0,
            uncertain: false,
        };
        let mut crossed = Crossed::default();
        assert_eq!(crossed.by_application().count(), 0);
        assert_eq!(crossed.take(&block, now), 18);
        assert_eq!(crossed.by_application().collect::<Vec<_>>(), [(None, 3), (Some(Application::Tls), 15)]);
    }
}
