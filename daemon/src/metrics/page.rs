//! A page in the making, in Prometheus' text format 0.0.4.
//!
//! Invariant: families stand in the order of their names, each with what it means; labels stand in the order of the contract, and
//! whatever stands in them is one value. It is written as it comes: a large site has thousands of series, and a page of the whole
//! country some hundred thousand.

use std::{collections::BTreeMap, fmt::Write as _};

use onenet_topology::Timestamp;

use super::names::{Kind, Metric};

/// Families in the making: what is written of each.
#[derive(Debug, Default)]
pub(super) struct Families(BTreeMap<&'static str, (Metric, String)>);

impl Families {
    /// Adds one value of a metric; the labels' values stand in the order of its labels.
    pub(super) fn add(&mut self, metric: Metric, labels: &[&str], value: impl Into<f64>) {
        self.put(metric, labels, value.into(), None);
    }

    /// Adds a value that was measured at a time of its own.
    pub(super) fn add_at(&mut self, metric: Metric, labels: &[&str], value: f64, at: Timestamp) {
        self.put(metric, labels, value, Some(at));
    }

    fn put(&mut self, metric: Metric, labels: &[&str], value: f64, at: Option<Timestamp>) {
        let (_, text) = self.0.entry(metric.name).or_insert_with(|| (metric, String::new()));
        text.push_str(metric.name);
        let mut opens = '{';
        for (name, value) in metric.labels.iter().zip(labels) {
            text.push(opens);
            text.push_str(name);
            text.push_str("=\"");
            push_escaped(text, value, true);
            text.push('"');
            opens = ',';
        }
        if opens == ',' {
            text.push('}');
        }
        // Writing to a text does not fail.
        let _ = write!(text, " {value}");
        if let Some(at) = at {
            let _ = write!(text, " {}", at.unix_ms());
        }
        text.push('\n');
    }

    /// Returns the whole page.
    pub(super) fn text(self) -> String {
        let bytes =
            self.0.values().map(|(metric, text)| text.len() + metric.help.len() + 2 * metric.name.len() + 32).sum();
        let mut page = String::with_capacity(bytes);
        for (metric, text) in self.0.into_values() {
            page.push_str("# HELP ");
            page.push_str(metric.name);
            page.push(' ');
            push_escaped(&mut page, metric.help, false);
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            let _ = writeln!(page, "\n# TYPE {} {kind}", metric.name);
            page.push_str(&text);
        }
        page
    }
}

/// Writes a text so that it ends where it ends; in labels marks of quotation too.
fn push_escaped(to: &mut String, text: &str, quotes: bool) {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\n', '"']) {
        let (plain, from) = rest.split_at(at);
        to.push_str(plain);
        let mut letters = from.chars();
        match letters.next() {
            Some('\n') => to.push_str("\\n"),
            Some('\\') => to.push_str("\\\\"),
            Some(_) if quotes => to.push_str("\\\""),
            other => to.extend(other),
        }
        rest = letters.as_str();
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use prometheus::{
        TextEncoder,
        proto::{Counter, Gauge, LabelPair, MetricFamily, MetricType},
    };

    use super::*;
    use crate::metrics::names;

    const NASTY: &str = "a\"b\\c\nd\\\\\"\n漢";

    /// Writes the same with the encoder of the crate that others use.
    fn encoded(of: &[(Metric, &[&str], f64, Option<i64>)]) -> String {
        let mut families: BTreeMap<&str, MetricFamily> = BTreeMap::new();
        for (metric, labels, value, at) in of {
            let family = families.entry(metric.name).or_default();
            family.set_name(metric.name.to_owned());
            family.set_help(metric.help.to_owned());
            let pairs = metric.labels.iter().zip(*labels).map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value((*value).to_owned());
                pair
            });
            let mut sample = prometheus::proto::Metric::from_label(pairs.collect());
            if metric.kind == Kind::Counter {
                family.set_field_type(MetricType::COUNTER);
                let mut counter = Counter::default();
                counter.set_value(*value);
                sample.set_counter(counter);
            } else {
                family.set_field_type(MetricType::GAUGE);
                let mut gauge = Gauge::default();
                gauge.set_value(*value);
                sample.set_gauge(gauge);
            }
            if let Some(at) = at {
                sample.set_timestamp_ms(*at);
            }
            family.mut_metric().push(sample);
        }
        let families: Vec<_> = families.into_values().collect();
        TextEncoder::new().encode_to_string(&families).unwrap()
    }

    #[test]
    fn a_page_is_what_the_encoder_of_prometheus_would_write() {
        let port: &[&str] = &["1", "2", NASTY];
        let all: [(Metric, &[&str], f64, Option<i64>); 6] = [
            (names::INTERFACE_RECEIVED, port, 9_007_199_254_740_991.0, Some(1_800_000_000_123)),
            (names::INTERFACE_UP, port, 1.0, None),
            (names::LOG_TIME, &[], 1_800_000_000.25, None),
            (names::DEVICE_OPTICAL_RECEIVE, &["1", "2"], -5.243, None),
            (names::SITES, &["city"], 1e21, None),
            (names::SITES, &["county"], 0.0, None),
        ];
        let mut families = Families::default();
        for (metric, labels, value, at) in all {
            families.put(metric, labels, value, at.map(Timestamp::from_unix_ms));
        }
        assert_eq!(families.text(), encoded(&all));
        assert_eq!(Families::default().text(), "");
    }
}
