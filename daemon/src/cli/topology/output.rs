//! What `onenetd topology infer --json` prints.
//!
//! Format: a contract. Keys are added, never renamed or removed; entries are in the order of addresses, devices and ports.

use onenet_topology::{
    DeviceId, InterfaceId, MacAddr,
    inference::{DeviceLink, DropReason, End, Place, Rejected, SiteInference, Where},
    inspection::{EvidenceFile, Names},
};
use serde::Serialize;

use crate::console::{Language, words};

/// Everything that is concluded.
#[derive(Debug, Serialize)]
pub(super) struct Output<'a> {
    site: &'a str,
    attachments: Vec<AttachmentOut<'a>>,
    links: Vec<LinkOut<'a>>,
    dropped: Vec<DroppedOut<'a>>,
}

#[derive(Debug, Serialize)]
struct AttachmentOut<'a> {
    mac: MacAddr,
    device: Option<&'a str>,
    interface: Option<&'a str>,
    vlan: Option<u16>,
    also: Vec<PortOut<'a>>,
    confidence: f64,
    reason: &'static str,
    detail: String,
    rejected: Vec<RejectedOut<'a>>,
}

#[derive(Debug, Serialize)]
struct PortOut<'a> {
    device: &'a str,
    interface: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct RejectedOut<'a> {
    device: &'a str,
    interface: Option<&'a str>,
    vlan: Option<u16>,
    reason: &'static str,
    detail: String,
}

#[derive(Debug, Serialize)]
struct LinkOut<'a> {
    a: PortOut<'a>,
    b: PortOut<'a>,
    confidence: f64,
    reason: &'static str,
    detail: String,
}

#[derive(Debug, Serialize)]
struct DroppedOut<'a> {
    mac: MacAddr,
    reason: &'static str,
    device: Option<&'a str>,
}

impl<'a> Output<'a> {
    pub(super) fn of(file: &'a EvidenceFile, found: &SiteInference, names: &'a Names) -> Self {
        let name = |device: DeviceId| names.device(device).to_owned();
        let port = |device: DeviceId, interface: Option<InterfaceId>| PortOut {
            device: names.device(device),
            interface: interface.map(|interface| names.interface(device, interface)),
        };
        let end = |end: &End| port(end.device, end.interface);
        let attachments = found.attachments.iter().map(|(mac, found)| {
            let (reason, detail) = words::reason_named(Language::En, name, found.reason);
            let (at, vlan) = match found.at {
                Where::Port(at) => (Some((at.device, Some(at.interface))), at.vlan.or_else(|| names.vlan(at))),
                Where::Behind { device, vlan } => (Some((device, None)), vlan),
                Where::Nowhere => (None, None),
            };
            let at = at.map(|(device, interface)| port(device, interface));
            let rejected = |row: &Rejected| {
                let (reason, detail) = words::rejection_named(Language::En, name, row.reason);
                let PortOut { device, interface } = port(row.device, row.interface);
                RejectedOut { device, interface, vlan: row.vlan, reason, detail }
            };
            AttachmentOut {
                mac: *mac,
                device: at.as_ref().map(|at| at.device),
                interface: at.as_ref().and_then(|at| at.interface),
                vlan,
                also: found.also.iter().map(|at: &Place| port(at.device, Some(at.interface))).collect(),
                confidence: f64::from(found.confidence) / 100.0,
                reason,
                detail,
                rejected: found.rejected.iter().map(rejected).collect(),
            }
        });
        let link = |link: &DeviceLink| {
            let (reason, detail) = words::link_reason(Language::En, link.reason);
            let confidence = f64::from(link.confidence) / 100.0;
            LinkOut { a: end(&link.a), b: end(&link.b), confidence, reason, detail }
        };
        let dropped = found.dropped.iter().map(|(mac, reason)| {
            let (reason, device) = match reason {
                DropReason::Zero => ("zero", None),
                DropReason::Multicast => ("multicast", None),
                DropReason::VirtualRouter => ("virtual_router", None),
                DropReason::DeviceOwn { device } => ("device_own", device.map(|device| names.device(device))),
            };
            DroppedOut { mac: *mac, reason, device }
        });
        Self {
            site: &file.site,
            attachments: attachments.collect(),
            links: found.links.iter().map(link).collect(),
            dropped: dropped.collect(),
        }
    }
}
