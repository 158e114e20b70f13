//! A capture file through the very pipeline of live capture, and the result as JSON.
//!
//! The JSON is a contract, kept stable: one object with
//! - `frames`: `seen`, and `undecoded`, the number of frames by the reason why they were not wholly understood;
//! - `endpoints`: `mac`, `ips`, `hostname`, `vendor`, and `evidence`: `method`, `first`, `last`, `count`; ordered by MAC; and
//!   what was concluded of each: `class` and `os` (`is`, `score` of a hundred; null where nothing tells), `os_version`,
//!   `model`, `shared` (how sure it is that several machines share its addresses; null where nothing tells), `names` (`name`,
//!   `score`, `kinds`, the one to use first), `grounds` (`kind` of sign, `value`, `claim`, `points`), and all `signs`: `kind`,
//!   `value`, `first`, `last`, `count`;
//! - `flows`: `protocol`, `community_id` (version 1, seed 0), `originator` and `responder` (`ip`, `port`, `mac` of its first
//!   packet where it had one), `vlan` where tagged, `packets_out`, `packets_in`, `bytes_out`, `bytes_in` (lengths of frames on
//!   the wire), `start`, `end`; `application` where it is known, and with it `by_payload` (read from payload; from a port
//!   otherwise, a guess); `name` where one was asked for; of TCP `tcp`: `state`, `history`, `retransmissions_out`,
//!   `retransmissions_in` (segments), `handshake_us`, null where it was not seen; ordered by start;
//! - only where there is something to say: `flows_omitted`, how many flows found no room; `errors`, the files that could
//!   not be read to their end.
//!
//! MACs are lower case with colons, times RFC 3339 with microseconds.
//!
//! Invariant: memory is bounded by the options, however long the files are.

use std::{collections::BTreeMap, net::IpAddr, path::Path, time::Duration};

use onenet_topology::{
    MacAddr,
    classify::{Concluded, DeviceClass, Ground, Name, OsFamily},
};
use serde::Serialize;

use crate::{
    Pipeline, PipelineOptions, Statistics,
    facts::Evidence,
    flow::FlowRecord,
    inventory::{EndpointState, SignState},
    offline::{CaptureFile, OfflineError},
    sighting::Sighting,
};

/// Finished flows are taken out of the pipeline once this many wait.
const DRAIN_AT: usize = 1_024;

/// How long a flow may be silent in a replay: longer than captures last as a rule.
const WHOLE: Duration = Duration::from_secs(24 * 3_600);

/// What a replay is told.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The pipeline. Flow records are not cut by age unless it says so.
    pub pipeline: PipelineOptions,
    /// The most flows that are returned; a flow is some 300 bytes. The rest are counted.
    pub flows_max: usize,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        let mut pipeline = PipelineOptions::default();
        pipeline.flows.capacity = 131_072;
        // A file's flows are shown whole, as packet analysers show conversations, not cut as a live site's records are.
        pipeline.flows.active = None;
        pipeline.flows.idle_tcp = WHOLE;
        pipeline.flows.idle_other = WHOLE;
        pipeline.flows.linger = WHOLE;
        pipeline.inventory.capacity = 65_536;
        Self { pipeline, flows_max: 1_000_000 }
    }
}

/// What was in the files.
#[derive(Debug, Serialize)]
pub struct Replay {
    /// The frames.
    pub frames: Frames,
    /// The endpoints, ordered by MAC.
    pub endpoints: Vec<Endpoint>,
    /// The flows, ordered by start.
    pub flows: Vec<FlowRecord>,
    /// Flows that found no room in `flows`.
    #[serde(skip_serializing_if = "is_zero")]
    pub flows_omitted: u64,
    /// Files that could not be read to their end, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What the pipeline counted.
    #[serde(skip)]
    pub statistics: Statistics,
}

/// The frames of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frames {
    /// Frames seen.
    pub seen: u64,
    /// Frames that were not wholly understood, by reason.
    pub undecoded: BTreeMap<&'static str, u64>,
}

/// An endpoint of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Its address.
    pub mac: MacAddr,
    /// Its IP addresses, in order.
    pub ips: Vec<IpAddr>,
    /// Its host name.
    pub hostname: Option<String>,
    /// Whose card it is.
    pub vendor: Option<&'static str>,
    /// How it was heard.
    pub evidence: Vec<Evidence>,
    /// What it is.
    pub class: Option<Concluded<DeviceClass>>,
    /// Its operating system.
    pub os: Option<Concluded<OsFamily>>,
    /// The version of that.
    pub os_version: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// How sure it is that several machines share its addresses.
    pub shared: Option<u8>,
    /// Its names, the one to use first.
    pub names: Vec<Name>,
    /// What speaks for that, and against it.
    pub grounds: Vec<Ground>,
    /// All that it said of itself, and showed.
    pub signs: Vec<SignState>,
}

/// Who looks on while files are replayed.
pub trait Watch {
    /// Takes what was seen beside flows, where the pipeline keeps that.
    fn sighted(&mut self, sighting: Sighting);
    /// Takes an endpoint as it is known at the end of a file.
    fn endpoint(&mut self, endpoint: &EndpointState);
}

/// Nobody looks on.
impl Watch for () {
    fn sighted(&mut self, _: Sighting) {}
    fn endpoint(&mut self, _: &EndpointState) {}
}

/// Replays capture files one after the other through one pipeline.
///
/// A file that is broken gives an error in [`Replay::errors`] and counts up to where it breaks.
pub fn replay<P: AsRef<Path>>(files: &[P], options: &ReplayOptions) -> Replay {
    replay_watched(files, options, &mut ())
}

/// Replays capture files as [`replay`] does, while `watch` looks on.
pub fn replay_watched<P: AsRef<Path>>(files: &[P], options: &ReplayOptions, watch: &mut impl Watch) -> Replay {
    let mut replayer = Replayer::new(options);
    let mut errors = Vec::new();
    for file in files {
        let read = CaptureFile::open(file.as_ref()).and_then(|capture| replayer.watched(capture, watch));
        errors.extend(read.err().map(|error| describe(&error)));
        if options.pipeline.sightings {
            replayer.pipeline.endpoints().for_each(|endpoint| watch.endpoint(&endpoint));
        }
    }
    Replay { errors, ..replayer.finished(watch) }
}

/// A replay in progress.
#[derive(Debug)]
pub struct Replayer {
    pipeline: Pipeline,
    flows: Vec<FlowRecord>,
    flows_max: usize,
    flows_omitted: u64,
}

impl Replayer {
    /// Returns a replay of nothing yet.
    pub fn new(options: &ReplayOptions) -> Self {
        let pipeline = Pipeline::new(options.pipeline.clone());
        Self { pipeline, flows: Vec::new(), flows_max: options.flows_max, flows_omitted: 0 }
    }

    /// Replays one file.
    ///
    /// # Errors
    /// When it cannot be read to its end; what came before counts.
    pub fn file(&mut self, path: &Path) -> Result<(), OfflineError> {
        self.capture(CaptureFile::open(path)?)
    }

    /// Replays an open capture.
    ///
    /// # Errors
    /// When it cannot be read to its end; what came before counts.
    pub fn capture<R: std::io::Read>(&mut self, capture: CaptureFile<R>) -> Result<(), OfflineError> {
        self.watched(capture, &mut ())
    }

    fn watched<R: std::io::Read>(
        &mut self,
        mut capture: CaptureFile<R>,
        watch: &mut impl Watch,
    ) -> Result<(), OfflineError> {
        while capture.hand_over(&mut self.pipeline)? != 0 {
            self.pipeline.take_sightings().for_each(|sighting| watch.sighted(sighting));
            if self.pipeline.finished_flows() >= DRAIN_AT {
                self.drain();
            }
        }
        Ok(())
    }

    /// Closes what is open and returns what was found.
    pub fn finish(self) -> Replay {
        self.finished(&mut ())
    }

    fn finished(mut self, watch: &mut impl Watch) -> Replay {
        self.drain();
        self.pipeline.finish();
        self.pipeline.take_sightings().for_each(|sighting| watch.sighted(sighting));
        self.drain();
        self.flows.sort_by_key(|flow| (flow.start, flow.protocol, flow.originator, flow.responder));
        let statistics = self.pipeline.statistics();
        let mut endpoints: Vec<_> = self.pipeline.endpoints().map(Endpoint::from).collect();
        endpoints.sort_by_key(|endpoint| endpoint.mac);
        Replay {
            frames: Frames {
                seen: statistics.frames,
                undecoded: statistics.undecoded().map(|(reason, count)| (reason.name(), count)).collect(),
            },
            endpoints,
            flows: self.flows,
            flows_omitted: self.flows_omitted,
            errors: Vec::new(),
            statistics,
        }
    }

    fn drain(&mut self) {
        for flow in self.pipeline.take_flows() {
            if self.flows.len() < self.flows_max {
                self.flows.push(flow);
            } else {
                self.flows_omitted += 1;
            }
        }
    }
}

impl From<EndpointState> for Endpoint {
    fn from(state: EndpointState) -> Self {
        let concluded = &state.conclusion;
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            mac: state.mac,
            ips: state.bindings.iter().map(|binding| binding.ip).collect(),
            hostname: concluded.name().map(str::to_owned),
            vendor: onenet_topology::vendor::of(state.mac),
            evidence: state.evidence,
            class: concluded.class,
            os: concluded.os,
            os_version: given(&concluded.os_version),
            model: given(&concluded.model),
            shared: concluded.shared,
            names: concluded.names.clone(),
            grounds: concluded.grounds.clone(),
            signs: state.signs,
        }
    }
}

/// Returns an error with what caused it.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
