//! What goes over the line, in bytes of messages by kind: whether a county's line bears it is asked of these numbers.
//!
//! Invariant: every message that is sent is counted once, a batch of history by the kinds of its samples and the rest of it as
//! `frame`. What HTTP/2, TLS and TCP add is not counted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use onenet_wire::v1::{self, agent_message::Body};
use prost::Message;

/// The kinds, in the order of their counters.
const KINDS: [&str; 15] = [
    "hello",
    "heartbeat",
    "digest",
    "state",
    "answer",
    "flows",
    "frame",
    "interface",
    "device",
    "traffic",
    "capture",
    "event",
    "sensor",
    "application",
    "probe",
];

/// Bytes sent since the agent started. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Sent(Arc<[AtomicU64; KINDS.len()]>);

impl Sent {
    /// Returns the bytes by kind, those of which there were any.
    pub fn bytes(&self) -> BTreeMap<String, u64> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        KINDS
            .into_iter()
            .zip(counts)
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(kind, bytes)| (kind.to_owned(), bytes))
            .collect()
    }

    /// Counts a message that goes out.
    pub(super) fn count(&self, message: &v1::AgentMessage) {
        let whole = message.encoded_len();
        match &message.body {
            Some(Body::Hello(_)) | None => self.add("hello", whole),
            Some(Body::Heartbeat(_)) => self.add("heartbeat", whole),
            Some(Body::Digest(_)) => self.add("digest", whole),
            Some(Body::Result(result)) => {
                let is_page =
                    matches!(&result.outcome, Some(v1::instruction_result::Outcome::Done(it)) if it.flows.is_some());
                self.add(if is_page { "flows" } else { "answer" }, whole);
            }
            Some(Body::Batch(batch)) if batch.history.is_empty() => self.add("state", whole),
            Some(Body::Batch(batch)) => {
                let items: usize = batch.history.iter().map(|group| self.items(group)).sum();
                self.add("frame", whole.saturating_sub(items));
            }
        }
    }

    /// Counts the items of a group by their kinds. Returns what they take together.
    fn items(&self, group: &v1::HistoryGroup) -> usize {
        let kinds = [
            ("interface", lengths(&group.interfaces)),
            ("device", lengths(&group.devices)),
            ("traffic", lengths(&group.traffic)),
            ("capture", lengths(&group.captures)),
            ("event", lengths(&group.events)),
            ("sensor", lengths(&group.sensors)),
            ("application", lengths(&group.applications)),
            ("probe", lengths(&group.probes)),
        ];
        for (kind, bytes) in &kinds {
            self.add(kind, *bytes);
        }
        kinds.iter().map(|(_, bytes)| bytes).sum()
    }

    fn add(&self, kind: &str, bytes: usize) {
        let counter = KINDS.iter().position(|known| *known == kind).and_then(|at| self.0.get(at));
        if let Some(counter) = counter {
            counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// Returns what items take in their group, each with its tag and its length.
fn lengths<M: Message>(items: &[M]) -> usize {
    let item = |item: &M| {
        let length = item.encoded_len();
        1 + prost::length_delimiter_len(length) + length
    };
    items.iter().map(item).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_batch_is_counted_once_and_by_its_kind() {
        let sample =
            v1::ApplicationSample { mac: vec![1; 6], application: 10, bytes_in: 1 << 20, ..Default::default() };
        let event = v1::Event { kind: 1, detail: "x".repeat(300), ..Default::default() };
        let group = v1::HistoryGroup {
            scope: "eth1".to_owned(),
            applications: vec![sample; 3],
            events: vec![event],
            ..Default::default()
        };
        let batch = v1::Batch { history: vec![group.clone(), group], ..Default::default() };
        let message = v1::AgentMessage { body: Some(Body::Batch(batch)) };
        let sent = Sent::default();
        sent.count(&message);
        let bytes = sent.bytes();
        assert_eq!(bytes.keys().collect::<Vec<_>>(), ["application", "event", "frame"]);
        assert_eq!(bytes.values().sum::<u64>(), message.encoded_len() as u64);
        assert_eq!(bytes["application"], 6 * 16);
        sent.count(&v1::AgentMessage { body: Some(Body::Heartbeat(v1::Heartbeat::default())) });
        assert!(sent.bytes().contains_key("heartbeat"));
    }
}
