//! From batches of samples to values of series: pure.
//!
//! Invariant: names and labels are those of the pages ([`Exported`]); of one series there is one value at a time. Values are in the
//! order of time, so that what is too old for a receiver is together.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use onenet_topology::{SiteId, Timestamp};

use super::message::{Label, Sample, TimeSeries, WriteRequest};
use crate::{
    estate::{Estate, SampleBlock},
    metrics::{measured::Exported, names::Metric},
    store::Waiting,
};

/// By how much a time may be ahead of the centre's, in milliseconds: clocks are corrected to less than a second.
const AHEAD_MAX_MS: i64 = 60_000;

/// Values of series.
#[derive(Debug, Default)]
pub(super) struct Points {
    series: Vec<Vec<Label>>,
    all: Vec<Point>,
    /// Values whose time is yet to come, which are not among them.
    pub(super) future: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    series: usize,
    at: Sample,
}

impl Points {
    /// Returns the values of batches that have series, by the estate as it is now.
    pub(super) fn of(estate: &Estate, now: Timestamp, waiting: &[Waiting]) -> Self {
        let mut by_site: BTreeMap<SiteId, Vec<&SampleBlock>> = BTreeMap::new();
        for block in waiting.iter().flat_map(|batch| &batch.blocks) {
            by_site.entry(block.site).or_default().push(block);
        }
        let mut points = Self::default();
        let mut known: BTreeMap<Vec<Label>, usize> = BTreeMap::new();
        for (site, blocks) in by_site {
            let Some(state) = estate.site(site) else { continue };
            let exported = Exported::of(state);
            for (agent, item) in blocks.iter().flat_map(|block| block.items.iter().map(|item| (block.agent, item))) {
                let is_future = item.time > now.plus_ms(AHEAD_MAX_MS);
                exported.values(agent, item, &mut |metric, values, value| {
                    if is_future {
                        points.future += 1;
                    } else {
                        let next = known.len();
                        let series = *known.entry(labels(metric, values)).or_insert(next);
                        points.all.push(Point { series, at: Sample { value, timestamp: item.time.unix_ms() } });
                    }
                });
            }
        }
        let mut series: Vec<_> = known.into_iter().collect();
        series.sort_by_key(|(_, place)| *place);
        points.series = series.into_iter().map(|(labels, _)| labels).collect();
        points.all.sort_by_key(|point| (point.at.timestamp, point.series));
        // Two agents may read one port in the same millisecond.
        points.all.dedup_by_key(|point| (point.at.timestamp, point.series));
        points
    }

    /// Returns how many values there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the series of a value as people write it.
    pub(super) fn name(&self, at: usize) -> String {
        let labels = self.all.get(at).and_then(|point| self.series.get(point.series));
        let labels = labels.into_iter().flatten().map(|label| format!("{}={:?}", label.name, label.value));
        labels.collect::<Vec<_>>().join(",")
    }

    /// Returns some of the values as the body of a request.
    pub(super) fn message(&self, part: Range<usize>) -> Bytes {
        let mut samples: BTreeMap<usize, Vec<Sample>> = BTreeMap::new();
        for point in self.all.get(part).unwrap_or_default() {
            samples.entry(point.series).or_default().push(point.at);
        }
        let series = samples.into_iter().filter_map(|(series, samples)| {
            let labels = self.series.get(series)?.clone();
            Some(TimeSeries { labels, samples })
        });
        WriteRequest { timeseries: series.collect() }.packed()
    }
}

/// Returns the labels of a series, sorted, without empty ones: to a receiver they are the same as none.
fn labels(metric: Metric, values: &[&str]) -> Vec<Label> {
    let named = metric.labels.iter().zip(values).filter(|(_, value)| !value.is_empty());
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let mut labels: Vec<Label> = named.map(|(name, value)| label(name, value)).collect();
    labels.push(label("__name__", metric.name));
    labels.sort();
    labels
}
