//! How much of anything a message may hold, and how an agent makes its facts fit.
//!
//! Invariant: every count and length that crosses the wire has its limit here; the conversions enforce each. What passed
//! [`fit_fact`], [`fit_item`], [`fit_flow`] and [`fit_scope`] breaks no limit.

use std::sync::Arc;

use onenet_topology::{
    anomaly::AnomalyReport,
    classify::Conclusion,
    fact::{Event, FactBody, HistoryBody, HistoryItem, ItemKey, Scope},
    flow::{Flow, FlowPage},
};
use prost::Message as _;

use crate::{Batch, v1};

/// Bytes of one message on the stream: set it on both ends of the gRPC connection.
pub const MESSAGE_BYTES: usize = 1 << 20;
/// Bytes of one encoded batch: a second on a 2 Mbit/s line, so that a live batch never waits long behind another.
pub const BATCH_BYTES: usize = 256 << 10;
/// Changes of one batch, over all its groups.
pub const BATCH_CHANGES: usize = 4_096;
/// Groups of one batch.
pub const BATCH_GROUPS: usize = 512;
/// History items of one batch.
pub const BATCH_ITEMS: usize = 4_096;
/// Groups of one digest, or of one resync: ten thousand devices of three tables.
pub const DIGEST_GROUPS: usize = 32_768;
/// Bytes of a scope: a device's name in the configuration, or an interface.
pub const SCOPE_BYTES: usize = 128;
/// Bytes of a name: ifName, sysName, a serial (SnmpAdminString is 255 octets, RFC 3411).
pub const NAME_BYTES: usize = 255;
/// Bytes of a description or detail.
pub const TEXT_BYTES: usize = 1_024;
/// Bytes of an opaque identifier: an engine id, a DHCP option (RFC 2132: 255).
pub const OPAQUE_BYTES: usize = 255;
/// Management addresses of one neighbour.
pub const MANAGEMENT_ADDRESSES: usize = 16;
/// Ranges of one set of VLANs: every second of the 4,094.
pub const VLAN_RANGES: usize = 2_047;
/// Names of a classification.
pub const CLASSIFICATION_NAMES: usize = 16;
/// Kinds of signs that tell one name.
pub const NAME_KINDS: usize = 16;
/// Grounds of a classification.
pub const GROUNDS: usize = 32;
/// Reasons why frames could not be decoded, of one sample.
pub const UNDECODED_REASONS: usize = 64;
/// Bytes of the name of such a reason.
pub const REASON_BYTES: usize = 32;
/// Pieces of evidence of one anomaly.
pub const EVIDENCE: usize = onenet_topology::anomaly::EVIDENCE_MAX;
/// Bytes of the name of a detector, or of a piece of evidence.
pub const WORD_BYTES: usize = 64;
/// Bytes of the subject of an anomaly.
pub const SUBJECT_BYTES: usize = 200;
/// Detectors of one agent.
pub const DETECTORS: usize = 128;
/// Bytes of a program's version.
pub const VERSION_BYTES: usize = 64;
/// Bytes of a pushed configuration.
pub const CONFIGURATION_BYTES: usize = 256 << 10;
/// Bytes of the body of an instruction's result.
pub const RESULT_BYTES: usize = 512 << 10;
/// Bytes of the name of a capture file.
pub const FILE_BYTES: usize = 160;
/// Bytes of a part of a capture file: as much as a page of flows.
pub const CAPTURE_PART_BYTES: usize = PAGE_BYTES;
/// Bytes of one page of flows: a quarter of a second on a 2 Mbit/s line, so that no report waits long behind it.
pub const PAGE_BYTES: usize = 64 << 10;
/// Flows of one page.
pub const PAGE_FLOWS: usize = 1_000;
/// Reasons why flows are missing, of one page.
pub const PAGE_MISSING: usize = 64;
/// Letters of a TCP connection's history.
pub const TCP_HISTORY_BYTES: usize = 32;
/// Bytes of an enrolment token's text.
pub const TOKEN_BYTES: usize = 256;
/// Bytes of a certificate or certificate request.
pub const CERTIFICATE_BYTES: usize = 16 << 10;
/// Certificates of a chain.
pub const CHAIN_CERTIFICATES: usize = 8;
/// Milliseconds of an age or of a boot clock: a hundred years.
pub const AGE_MS: u64 = 100 * 366 * 86_400_000;
/// The last Unix millisecond that RFC 3339 can write.
pub const LAST_WALL_MS: i64 = 253_402_300_799_999;

impl Batch {
    /// Returns whether the batch breaks neither the limit on its bytes nor those on its counts.
    pub fn fits(&self) -> bool {
        let counts = match &self.content {
            crate::Content::State(groups) => {
                groups.len() <= BATCH_GROUPS
                    && groups.iter().map(|group| group.changes.len()).sum::<usize>() <= BATCH_CHANGES
            }
            crate::Content::History(items) => items.len() <= BATCH_ITEMS,
        };
        counts && v1::Batch::from(self).encoded_len() <= BATCH_BYTES
    }
}

/// Returns whether a page of flows breaks neither the limit on its bytes nor those on its counts.
pub fn page_fits(page: &FlowPage) -> bool {
    page.flows.len() <= PAGE_FLOWS
        && page.missing.len() <= PAGE_MISSING
        && v1::FlowPage::from(page).encoded_len() <= PAGE_BYTES
}

/// Cuts `text` to at most `limit` bytes, never inside a character.
pub fn cut(text: &mut String, limit: usize) {
    text.truncate(boundary(text, limit));
}

/// Returns the first `limit` bytes of a text at most, never a part of a character.
pub fn beginning(text: &str, limit: usize) -> &str {
    text.get(..boundary(text, limit)).unwrap_or_default()
}

fn cut_names<const N: usize>(names: [&mut String; N]) {
    for name in names {
        cut(name, NAME_BYTES);
    }
}

/// Returns the last place at or before `limit` where a character begins or the text ends.
fn boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// Returns the scope, cut where it is too long.
#[must_use]
pub fn fit_scope(scope: Scope) -> Scope {
    let text = scope.as_str();
    if text.len() <= SCOPE_BYTES { scope } else { Scope::new(&text[..boundary(text, SCOPE_BYTES)]) }
}

/// Cuts whatever is too long in a fact, and brings what has two spellings into the one that the wire knows: VLAN 0 and
/// an interface without a name are none.
pub fn fit_fact(body: &mut FactBody) {
    match body {
        FactBody::Reach(it) => {
            cut(&mut it.detail, TEXT_BYTES);
            cut(&mut it.target, NAME_BYTES);
        }
        FactBody::System(it) => {
            cut(&mut it.description, TEXT_BYTES);
            cut_names([&mut it.name, &mut it.object_id, &mut it.contact, &mut it.location, &mut it.chassis_id]);
            it.engine_id.truncate(OPAQUE_BYTES);
        }
        FactBody::Interface(it) => cut_names([&mut it.name, &mut it.alias]),
        FactBody::Forwarding(it) => {
            it.vlan = it.vlan.filter(|vlan| *vlan != 0);
            it.interface = it.interface.take().filter(|name| !name.is_empty());
            if let Some(name) = &mut it.interface {
                cut(name, NAME_BYTES);
            }
        }
        FactBody::Address(it) => cut(&mut it.interface, NAME_BYTES),
        FactBody::Neighbour(it) => {
            cut(&mut it.system_description, TEXT_BYTES);
            cut_names([&mut it.local_interface, &mut it.chassis_id, &mut it.port_id]);
            cut_names([&mut it.port_description, &mut it.system_name]);
            it.management_addresses.truncate(MANAGEMENT_ADDRESSES);
        }
        FactBody::Entity(it) => {
            cut(&mut it.description, TEXT_BYTES);
            cut_names([&mut it.name, &mut it.serial, &mut it.model, &mut it.software_revision]);
        }
        FactBody::Sighting(it) => it.vlan = it.vlan.filter(|vlan| *vlan != 0),
        FactBody::Binding(_) => {}
        FactBody::Host(it) => {
            cut_names([&mut it.hostname, &mut it.vendor_class]);
            it.parameter_list.truncate(OPAQUE_BYTES);
            it.client_id.truncate(OPAQUE_BYTES);
        }
        FactBody::Condition(it) => {
            cut(&mut it.subject, NAME_BYTES);
            cut(&mut it.detail, TEXT_BYTES);
        }
        FactBody::Identification(it) => {
            cut_names([&mut it.vendor, &mut it.model, &mut it.os, &mut it.version, &mut it.serial]);
        }
        FactBody::Sensor(it) => cut(&mut it.name, NAME_BYTES),
        FactBody::Station(it) => {
            it.vlan = it.vlan.filter(|vlan| *vlan != 0);
            cut_names([&mut it.access_point, &mut it.ssid]);
        }
        FactBody::Aggregation(it) => cut_names([&mut it.member, &mut it.aggregate]),
        FactBody::Vlan(it) => cut(&mut it.name, NAME_BYTES),
        FactBody::PortVlans(it) => {
            it.native = it.native.filter(|vlan| *vlan != 0);
            cut(&mut it.interface, NAME_BYTES);
        }
        FactBody::OwnAddress(it) => cut(&mut it.interface, NAME_BYTES),
        FactBody::Quirk(it) => cut_names([&mut it.word, &mut it.table]),
        FactBody::Classification(it) => fit_conclusion(&mut it.conclusion),
        FactBody::SpanningTree(it) => cut(&mut it.root_port, NAME_BYTES),
        FactBody::SpanningTreePort(it) => cut(&mut it.interface, NAME_BYTES),
        FactBody::NextHop(it) => cut(&mut it.interface, NAME_BYTES),
        FactBody::Anchor(it) => {
            it.vlan = it.vlan.filter(|vlan| *vlan != 0);
            cut(&mut it.interface, NAME_BYTES);
        }
        FactBody::Probe(it) => {
            cut_names([&mut it.name, &mut it.target, &mut it.site]);
            cut(&mut it.detail, TEXT_BYTES);
        }
    }
}

/// Cuts what is too long in a conclusion; one that fits, as a rule, stays shared.
fn fit_conclusion(conclusion: &mut Arc<Conclusion>) {
    let long = |text: &String| text.len() > NAME_BYTES;
    let fits = conclusion.names.len() <= CLASSIFICATION_NAMES
        && conclusion.grounds.len() <= GROUNDS
        && !long(&conclusion.os_version)
        && !long(&conclusion.model)
        && !conclusion.names.iter().any(|name| long(&name.name) || name.kinds.len() > NAME_KINDS)
        && !conclusion.grounds.iter().any(|ground| long(&ground.value));
    if fits {
        return;
    }
    let it = Arc::make_mut(conclusion);
    it.names.truncate(CLASSIFICATION_NAMES);
    it.grounds.truncate(GROUNDS);
    cut_names([&mut it.os_version, &mut it.model]);
    for name in &mut it.names {
        cut(&mut name.name, NAME_BYTES);
        name.kinds.truncate(NAME_KINDS);
    }
    for ground in &mut it.grounds {
        cut(&mut ground.value, NAME_BYTES);
    }
}

/// Cuts whatever is too long in a fact's key, as [`fit_fact`] does in the fact.
pub fn fit_key(key: &mut ItemKey) {
    match key {
        ItemKey::Forwarding { vlan, .. } | ItemKey::Sighting { vlan, .. } => *vlan = vlan.filter(|vlan| *vlan != 0),
        ItemKey::Interface { name: text }
        | ItemKey::Address { interface: text, .. }
        | ItemKey::Sensor { name: text, .. }
        | ItemKey::Aggregation { member: text }
        | ItemKey::PortVlans { interface: text }
        | ItemKey::Probe { name: text }
        | ItemKey::SpanningTreePort { interface: text }
        | ItemKey::NextHop { interface: text, .. }
        | ItemKey::Anchor { interface: text }
        | ItemKey::OwnAddress { interface: text, .. } => cut(text, NAME_BYTES),
        ItemKey::Quirk { word, table } => cut_names([word, table]),
        ItemKey::Condition { subject, .. } => cut(subject, NAME_BYTES),
        ItemKey::Neighbour { local_interface, chassis_id, port_id, .. } => {
            cut_names([local_interface, chassis_id, port_id]);
        }
        ItemKey::Reach
        | ItemKey::System
        | ItemKey::SpanningTree
        | ItemKey::Entity { .. }
        | ItemKey::Binding { .. }
        | ItemKey::Host { .. }
        | ItemKey::Identification
        | ItemKey::Station { .. }
        | ItemKey::Classification { .. }
        | ItemKey::Vlan { .. } => {}
    }
}

/// Cuts whatever is too long in a sample or event.
pub fn fit_item(item: &mut HistoryItem) {
    if item.scope.as_str().len() > SCOPE_BYTES {
        item.scope = fit_scope(item.scope.clone());
    }
    match &mut item.body {
        HistoryBody::Interface(it) => cut(&mut it.name, NAME_BYTES),
        HistoryBody::Sensor(it) => cut(&mut it.name, NAME_BYTES),
        HistoryBody::Probe(it) => {
            cut(&mut it.name, NAME_BYTES);
            it.lost = it.lost.min(it.sent);
            it.certificate_ends_ms = it.certificate_ends_ms.map(|ms| ms.clamp(0, LAST_WALL_MS));
        }
        HistoryBody::Event(Event { subject, detail, .. }) => {
            cut(subject, NAME_BYTES);
            cut(detail, TEXT_BYTES);
        }
        HistoryBody::Capture(it) => {
            it.undecoded.retain(|reason, _| reason.len() <= REASON_BYTES);
            while it.undecoded.len() > UNDECODED_REASONS {
                it.undecoded.pop_last();
            }
        }
        HistoryBody::Anomaly(it) => fit_anomaly(it),
        HistoryBody::Detection(it) => {
            it.detectors.truncate(DETECTORS);
            for detector in &mut it.detectors {
                cut(&mut detector.kind, WORD_BYTES);
                cut(&mut detector.off, NAME_BYTES);
            }
        }
        HistoryBody::Device(_) | HistoryBody::Traffic(_) | HistoryBody::Application(_) => {}
    }
}

fn fit_anomaly(it: &mut AnomalyReport) {
    cut(&mut it.key.kind, WORD_BYTES);
    cut(&mut it.key.subject, SUBJECT_BYTES);
    it.confidence = it.confidence.min(100);
    it.lasted_ms = it.lasted_ms.min(AGE_MS);
    it.evidence.truncate(EVIDENCE);
    for evidence in &mut it.evidence {
        cut(&mut evidence.is, WORD_BYTES);
        cut(&mut evidence.value, TEXT_BYTES);
    }
}

/// Cuts whatever is too long in a flow, and brings what has two spellings into the one that the wire knows: VLAN 0 is none, and
/// nothing ends before it starts.
pub fn fit_flow(flow: &mut Flow) {
    cut(&mut flow.name, NAME_BYTES);
    flow.vlan = flow.vlan.filter(|vlan| *vlan != 0);
    flow.interface = flow.interface.take().map(fit_scope).filter(|scope| !scope.as_str().is_empty());
    flow.start = flow.start.min(flow.end);
    if let Some(tcp) = &mut flow.tcp {
        cut(&mut tcp.history, TCP_HISTORY_BYTES);
    }
}
