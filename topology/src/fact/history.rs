//! What happened: samples and events, append-only, each at its own moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Scope;
use crate::{
    MacAddr, ProbeSample, SensorKind, Timestamp,
    anomaly::{AnomalyReport, DetectionSample},
    application::Application,
};

/// One sample or event of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// When it was taken or happened.
    pub time: Timestamp,
    /// What it is about.
    pub scope: Scope,
    /// What it says.
    pub body: HistoryBody,
}

/// A sample or an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryBody {
    /// Counters of a port.
    Interface(InterfaceSample),
    /// How a device answers.
    Device(DeviceSample),
    /// Traffic of an endpoint.
    Traffic(TrafficSample),
    /// How capture goes.
    Capture(CaptureSample),
    /// Something happened.
    Event(Event),
    /// What a sensor measured.
    Sensor(SensorSample),
    /// What an endpoint did with an application.
    Application(ApplicationSample),
    /// What a probe measured.
    Probe(ProbeSample),
    /// What a detector found.
    Anomaly(AnomalyReport),
    /// What detectors did.
    Detection(DetectionSample),
}

/// Counters of a port as the device gives them; what it did not give is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InterfaceSample {
    /// ifName.
    pub name: String,
    /// Octets received.
    pub in_octets: Option<u64>,
    /// Octets sent.
    pub out_octets: Option<u64>,
    /// Packets received with errors.
    pub in_errors: Option<u64>,
    /// Packets that could not be sent because of errors.
    pub out_errors: Option<u64>,
    /// Packets received and discarded without an error.
    pub in_discards: Option<u64>,
    /// Packets to send, discarded without an error.
    pub out_discards: Option<u64>,
    /// Unicast packets received.
    pub in_packets: Option<u64>,
    /// Unicast packets sent.
    pub out_packets: Option<u64>,
}

/// How a device answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceSample {
    /// sysUpTime in milliseconds.
    pub uptime_ms: Option<u64>,
    /// Smoothed round trip in microseconds.
    pub round_trip_us: Option<u64>,
    /// Requests sent in the cycle, repetitions included.
    pub requests: u64,
    /// Requests of the cycle that stayed unanswered.
    pub requests_lost: u64,
}

/// Traffic of one endpoint since its last sample, as the capture interface sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficSample {
    /// The endpoint's address.
    pub mac: MacAddr,
    /// Length of the interval, in milliseconds, that ends at the sample's time.
    pub interval_ms: u64,
    /// Frames it sent.
    pub frames_out: u64,
    /// Bytes it sent, Ethernet header included, frame check sequence not.
    pub bytes_out: u64,
    /// Frames sent to it.
    pub frames_in: u64,
    /// Bytes sent to it.
    pub bytes_in: u64,
}

/// How capture goes, since the agent started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaptureSample {
    /// Frames handed to the pipeline.
    pub frames_seen: u64,
    /// Frames the kernel dropped because the ring was full.
    pub frames_dropped_by_kernel: u64,
    /// Frames whose content could not be decoded.
    pub frames_undecoded: u64,
    /// Endpoints that gave way in a full table.
    pub endpoints_evicted: u64,
    /// Bytes of those frames, as they were on the wire without the frame check sequence.
    pub octets_seen: u64,
    /// Frames of which the last bytes are missing.
    pub frames_cut: u64,
    /// Frames that the card or the kernel had put together of several (LRO, GRO).
    pub frames_merged: u64,
    /// Established flows that gave way in a full table.
    pub flows_evicted: u64,
    /// Bytes of payload that TCP connections carried, retransmissions left out.
    pub tcp_octets: u64,
    /// Bytes of payload that were acknowledged and never captured: what capture loses on its way to the agent.
    pub tcp_octets_missed: u64,
    /// Finished flows that were dropped before they could be kept.
    pub flows_lost: u64,
    /// Frames whose content could not be decoded by reason, in the agent's words; they sum up to `frames_undecoded`.
    pub undecoded: BTreeMap<String, u64>,
}

/// What a sensor of a device measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorSample {
    /// What it measures, and so the unit.
    pub kind: SensorKind,
    /// The device's name of it.
    pub name: String,
    /// The value in thousandths of the kind's unit.
    pub value_milli: i64,
}

/// What one endpoint did with one application since the last sample, as its finished flows tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSample {
    /// The endpoint's address; `None` for the sum of all endpoints that have no sample of their own.
    pub mac: Option<MacAddr>,
    /// The application; `None` for flows that were not recognised.
    pub application: Option<Application>,
    /// Length of the interval, in milliseconds, that ends at the sample's time.
    pub interval_ms: u64,
    /// How much.
    #[serde(flatten)]
    pub totals: FlowTotals,
}

/// What flows add up to, seen from the endpoints. Each byte has one sender, so what all endpoints of a segment sent is what
/// crossed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowTotals {
    /// Flows that it began.
    pub flows_out: u64,
    /// Flows that others began with it.
    pub flows_in: u64,
    /// Packets it sent.
    pub packets_out: u64,
    /// Packets sent to it.
    pub packets_in: u64,
    /// Bytes it sent.
    pub bytes_out: u64,
    /// Bytes sent to it.
    pub bytes_in: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// The interface, endpoint or lane it is about.
    pub subject: String,
    /// In words.
    pub detail: String,
    /// How many things it is about, where it counts any.
    pub count: u64,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A port came up.
    LinkUp,
    /// A port went down.
    LinkDown,
    /// sysUpTime began again.
    DeviceRestarted,
    /// A counter went back without a restart.
    CountersJumpedBack,
    /// A cap of the spool dropped history.
    HistoryLost,
    /// A configuration from the centre is in force.
    ConfigurationApplied,
    /// A configuration was taken back, since the centre was lost by it.
    ConfigurationRolledBack,
    /// The agent started.
    AgentStarted,
    /// Somebody asked a device with credentials that it does not know (authenticationFailure, RFC 3418).
    AuthenticationFailed,
    /// A device says that its neighbours or its spanning tree changed.
    NeighboursChanged,
    /// A device sent another trap.
    TrapReceived,
    /// Discovery added a device.
    DeviceDiscovered,
}

impl FlowTotals {
    /// Returns the bytes of both directions.
    pub const fn bytes(&self) -> u64 {
        self.bytes_out.saturating_add(self.bytes_in)
    }
}

impl std::ops::AddAssign for FlowTotals {
    fn add_assign(&mut self, other: Self) {
        let Self { flows_out, flows_in, packets_out, packets_in, bytes_out, bytes_in } = other;
        for (sum, part) in [
            (&mut self.flows_out, flows_out),
            (&mut self.flows_in, flows_in),
            (&mut self.packets_out, packets_out),
            (&mut self.packets_in, packets_in),
            (&mut self.bytes_out, bytes_out),
            (&mut self.bytes_in, bytes_in),
        ] {
            *sum = sum.saturating_add(part);
        }
    }
}
