//! Which measured values become series, and under which names and labels: pages and remote write say the same.
//!
//! Invariant: a port is exported for what it is (an end of a link, a trunk, a port of a router or firewall that is up, or one that is
//! marked), never for what crosses it, so that traffic makes no series; a probe for its agent being configured to have it.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    AgentId, DeviceId, InterfaceId, ProbeRole, ProbeSample, ProbeTest, Role,
    device::{Device, Interface},
    fact::{CaptureSample, HistoryBody, HistoryItem, InterfaceSample, InterfaceStatus, Scope},
    link::LinkEnd,
};

use super::{
    names::{self, Metric},
    render::float,
};
use crate::{
    api::body::{probe_loss_ratio, told},
    estate::SiteState,
    ingest::WATCH_MARK,
    joined::joined,
};

/// Ports of a device that are exported one by one; a chassis has some hundred trunks at most.
const PORTS_MAX: usize = 256;

/// Takes a value of a metric with the values of its labels.
pub(crate) type Put<'p> = &'p mut dyn FnMut(Metric, &[&str], f64);

/// A counter, its labels behind those of the port, and where a sample has it.
type Field = (Metric, &'static [&'static str], fn(&InterfaceSample) -> Option<u64>);

const FIELDS: [Field; 5] = [
    (names::INTERFACE_RECEIVED, &[], |it| it.in_octets),
    (names::INTERFACE_SENT, &[], |it| it.out_octets),
    (names::INTERFACE_ERRORS, &["receive"], |it| it.in_errors),
    (names::INTERFACE_ERRORS, &["transmit"], |it| it.out_errors),
    (names::INTERFACE_DISCARDS, &[], |it| it.out_discards),
];

/// What of a site is exported one by one.
pub(crate) struct Exported<'s> {
    site: String,
    /// Which device an agent means by a scope.
    devices: BTreeMap<(AgentId, &'s Scope), DeviceId>,
    ports: BTreeMap<DeviceId, BTreeSet<&'s str>>,
    /// Where probes lead, by the agents' names of them.
    probes: BTreeMap<AgentId, BTreeMap<String, ProbeRole>>,
}

impl<'s> Exported<'s> {
    /// Looks through a site as it is now.
    pub(crate) fn of(state: &'s SiteState) -> Self {
        let ends: BTreeSet<InterfaceId> =
            joined(state).iter().flat_map(|link| [&link.a, &link.b]).filter_map(port_of).collect();
        let devices = || state.devices.values();
        let handles =
            devices().flat_map(|device| device.handles.iter().map(|handle| ((handle.agent, &handle.scope), device.id)));
        let mut probes: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (agent, _, probe) in state.probes() {
            probes.entry(agent).or_default().insert(probe.name, probe.role);
        }
        Self {
            site: state.id.to_string(),
            devices: handles.collect(),
            ports: devices().map(|device| (device.id, ports(state, device, &ends))).collect(),
            probes,
        }
    }

    /// Returns whether a port is told of by itself.
    pub(crate) fn is_port(&self, device: DeviceId, name: &str) -> bool {
        self.ports.get(&device).is_some_and(|ports| ports.contains(name))
    }

    /// Hands over the values of a sample that have series.
    pub(crate) fn values(&self, agent: AgentId, item: &HistoryItem, put: Put<'_>) {
        match &item.body {
            HistoryBody::Interface(sample) => self.counters(agent, &item.scope, sample, put),
            HistoryBody::Probe(sample) if sample.test == ProbeTest::Regular => {
                let Some(role) = self.probes.get(&agent).and_then(|own| own.get(&sample.name)) else { return };
                let agent = agent.to_string();
                let labels = [self.site.as_str(), &agent, &sample.name, role.name()];
                window(*role, sample, &mut |metric, value| put(metric, &labels, value));
            }
            HistoryBody::Capture(sample) => {
                let agent = agent.to_string();
                capture([&self.site, &agent, item.scope.as_str()], sample, put);
            }
            _ => {}
        }
    }

    fn counters(&self, agent: AgentId, scope: &Scope, sample: &InterfaceSample, put: Put<'_>) {
        let Some(device) = self.devices.get(&(agent, scope)) else { return };
        if !self.is_port(*device, &sample.name) {
            return;
        }
        let device = device.to_string();
        for (metric, more, of) in FIELDS {
            let Some(value) = of(sample) else { continue };
            let port = [self.site.as_str(), &device, &sample.name];
            let labels: Vec<&str> = port.into_iter().chain(more.iter().copied()).collect();
            put(metric, &labels, float(value));
        }
    }
}

/// Hands over what a probe measured over a window. The whole of it only of ways up, which are what is compared with each other;
/// of services and gateways what dashboards and rules ask for.
pub(super) fn window(role: ProbeRole, sample: &ProbeSample, put: &mut dyn FnMut(Metric, f64)) {
    if let Some(loss) = probe_loss_ratio(sample).filter(|_| role != ProbeRole::Named) {
        put(names::PROBE_LOSS, loss);
    }
    let is_way_up = role == ProbeRole::Parent;
    let times = [
        (names::PROBE_ROUND_TRIP, sample.round_trip_median_us),
        (names::PROBE_ROUND_TRIP_P95, sample.round_trip_p95_us.filter(|_| is_way_up)),
        (names::PROBE_JITTER, sample.jitter_us.filter(|_| is_way_up)),
    ];
    for (metric, us) in times {
        if let Some(us) = us {
            put(metric, float(us) / 1e6);
        }
    }
}

/// Hands over how capture goes on an interface: `labels` are its site, its agent and its name there.
pub(super) fn capture(labels: [&str; 3], sample: &CaptureSample, put: Put<'_>) {
    let [site, agent, interface] = labels;
    put(names::CAPTURE_FRAMES, &labels, float(sample.frames_seen));
    put(names::CAPTURE_BYTES, &labels, float(sample.octets_seen));
    let lost = [
        ("kernel", sample.frames_dropped_by_kernel),
        ("cut", sample.frames_cut),
        ("undecoded", sample.frames_undecoded),
    ];
    for (reason, frames) in lost {
        put(names::CAPTURE_FRAMES_LOST, &[site, agent, interface, reason], float(frames));
    }
    for (state, bytes) in [("captured", sample.tcp_octets), ("missed", sample.tcp_octets_missed)] {
        put(names::CAPTURE_PAYLOAD_BYTES, &[site, agent, interface, state], float(bytes));
    }
}

const fn port_of(end: &LinkEnd) -> Option<InterfaceId> {
    match end {
        LinkEnd::Interface { interface, .. } => *interface,
        _ => None,
    }
}

/// Returns the names of the ports of a device that are told of one by one.
fn ports<'d>(state: &SiteState, device: &'d Device, ends: &BTreeSet<InterfaceId>) -> BTreeSet<&'d str> {
    let vlans = told::port_vlans(state, device);
    let role = state.identification(device).and_then(|it| it.role);
    let forwards = matches!(role, Some(Role::Router | Role::Firewall));
    let leads = |port: &Interface| {
        let is_trunk = vlans.get(port.said.name.as_str()).is_some_and(|it| !it.tagged.is_empty());
        let routes = forwards && port.said.oper == InterfaceStatus::Up;
        ends.contains(&port.id) || is_trunk || routes || port.said.alias.contains(WATCH_MARK)
    };
    let ports = device.interfaces.iter().filter(|port| port.current && !port.said.name.is_empty());
    ports.filter(|port| leads(port)).map(|port| port.said.name.as_str()).take(PORTS_MAX).collect()
}
