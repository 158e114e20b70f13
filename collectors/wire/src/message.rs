//! The messages as the rest of the product knows them.
//!
//! Invariant: times inside a [`Batch`] are points on one timeline, the agent's wall clock as [`Batch::clocks`] shows it,
//! until the centre moves them onto its own with [`Batch::shift_ms`].

use onenet_topology::{
    AgentId, ProbeTest, SiteId, Timestamp,
    anomaly::AnomalyReport,
    fact::{FactChange, Group, HistoryItem},
    flow::{FlowCursor, FlowPage, FlowQuery},
};

/// The agent's clocks, read at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The kernel's boot id: boot clocks compare only within one boot.
    pub boot_id: [u8; 16],
    /// CLOCK_BOOTTIME in milliseconds.
    pub boot_ms: u64,
    /// The wall clock in Unix milliseconds. Not trusted.
    pub wall_ms: i64,
}

/// One of an agent's two streams of batches (invariant 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What is there now: differences, coalesced.
    State,
    /// Samples and events: append-only.
    History,
}

impl Lane {
    /// Both lanes, in order.
    pub const ALL: [Self; 2] = [Self::State, Self::History];

    /// Returns the name used in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::History => "history",
        }
    }
}

/// A place in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which lane.
    pub lane: Lane,
    /// Random, chosen when the agent starts with an empty spool.
    pub epoch: u64,
    /// Number of the batch: from 1, without holes. 0 stands before the first.
    pub sequence: u64,
}

/// What an agent says when it opens its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Who speaks; must agree with the certificate.
    pub agent: AgentId,
    /// For which site; must agree with the certificate.
    pub site: SiteId,
    /// Version of the agent's program.
    pub version: String,
    /// The agent's clocks as the hello leaves.
    pub clocks: Clocks,
    /// The last batch written to each lane.
    pub lanes: Vec<Position>,
    /// Revision of the configuration in force; 0 is the agent's own file.
    pub configuration_revision: u64,
}

/// What the centre answers to a [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The centre's clock.
    pub centre_time: Timestamp,
    /// What is committed of each lane: the agent goes on behind it.
    pub committed: Vec<Position>,
    /// The site's name, for people.
    pub site_name: String,
}

/// A sign of life, and the agent's clocks at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The agent's clocks.
    pub clocks: Clocks,
    /// History batches that are not acknowledged.
    pub history_waiting: u64,
}

/// A numbered report of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its place in its lane.
    pub position: Position,
    /// When it was closed.
    pub clocks: Clocks,
    /// What it says.
    pub content: Content,
}

/// What a batch says, by lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Differences of facts.
    State(Vec<GroupChanges>),
    /// Samples and events.
    History(Vec<HistoryItem>),
}

/// Differences in the facts of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChanges {
    /// Whose facts.
    pub group: Group,
    /// What changed.
    pub changes: Vec<FactChange>,
    /// Where set, the group is complete in this range: whatever the centre holds there of this agent and group, observed
    /// no later than the batch was closed and not among `changes`, is gone.
    pub complete: Option<KeyRange>,
}

/// A range of [key hashes](crate::key_hash), both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange {
    /// The first hash.
    pub first: u64,
    /// The last hash.
    pub last: u64,
}

/// Everything up to here is on the centre's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The last committed batch.
    pub position: Position,
}

/// The centre refuses a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Which batch; for [`RejectionReason::Gap`] the last committed one.
    pub position: Position,
    /// Why.
    pub reason: RejectionReason,
    /// In words; names the field.
    pub detail: String,
}

/// Why the centre refuses a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// It can never be accepted.
    Invalid,
    /// Another epoch replaced its own: the agent begins a new one.
    EpochRetired,
    /// Batches are missing before it: the agent sends again from behind the named position.
    Gap,
}

/// What an agent holds once the centre has committed `state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The last batch of the state lane that the digest includes.
    pub state: Position,
    /// Every group that holds a fact.
    pub groups: Vec<GroupDigest>,
}

/// Number and sum of the facts of one group. Kept by adding and taking away: see [`crate::digest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDigest {
    /// Whose facts.
    pub group: Group,
    /// How many.
    pub count: u64,
    /// Sum modulo 2^64 of their [hashes](crate::fact_hash).
    pub sum: u64,
}

/// Something the centre asks of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Repeated in the result.
    pub id: u64,
    /// What is asked.
    pub body: InstructionBody,
}

/// The closed set of what the centre may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstructionBody {
    /// Put this configuration into force.
    Configure {
        /// Its revision.
        revision: u64,
        /// Its text.
        toml: String,
    },
    /// Send these groups again, complete.
    Resync(Vec<Group>),
    /// Answer a question.
    Query(Query),
    /// Tell of an anomaly as detectors would, marked as a drill.
    Drill(Box<DrillOrder>),
}

/// What an agent is to tell of as if its detectors had found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillOrder {
    /// Who asks.
    pub asker: Asker,
    /// What is to be told, with the number of the drill.
    pub report: AnomalyReport,
}

/// A question to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// What `onenet-agent status --json` prints.
    Status,
    /// What `onenet-agent inspect --json` prints for a configured device.
    Inspect {
        /// The agent's name of the device.
        device: String,
    },
    /// A page of the finished flows in the agent's flow log.
    Flows(FlowsQuery),
    /// A test over a way that the agent probes with test packets; the answer is a [`onenet_topology::ProbeSample`] as JSON.
    Measure(MeasureQuery),
    /// A part of a capture file that is evidence of an anomaly; the answer is its bytes.
    Capture(CaptureQuery),
}

/// A question for a capture file, a part at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureQuery {
    /// Who asks.
    pub asker: Asker,
    /// The file, as the anomaly's evidence names it.
    pub file: String,
    /// From which byte on.
    pub offset: u64,
    /// How many bytes at most; 0: as many as a part may have, which older agents tell in any case.
    pub bytes_max: u32,
}

/// A question for a test over a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureQuery {
    /// Who asks, by the name that the centre knows.
    pub principal: String,
    /// The agent's name of the probe whose way it is.
    pub probe: String,
    /// Which test.
    pub test: ProbeTest,
    /// Of throughput: kbit/s at the IP layer that are sent at most; 0: the agent's own choice.
    pub kbit_per_s: u32,
    /// For how long, in seconds; 0: the agent's own choice.
    pub seconds: u32,
}

/// A question for finished flows, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowsQuery {
    /// Who asks.
    pub asker: Asker,
    /// What for; its times are the centre's, its limit is that of the page.
    pub query: FlowQuery,
    /// Where to read on.
    pub after: Option<FlowCursor>,
}

/// Who asks, and why: shown at the site that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name by which the centre knows him.
    pub principal: String,
    /// In his own words.
    pub reason: String,
}

/// What came of an [`Instruction`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionResult {
    /// Which instruction.
    pub id: u64,
    /// What was done, or in words why not.
    pub outcome: Result<Done, String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// JSON, empty where there is nothing to tell; where a capture file was asked for, at most
    /// [`crate::limits::CAPTURE_PART_BYTES`] of its bytes.
    pub body: Vec<u8>,
    /// The revision of the configuration that is now in force.
    pub configuration_revision: u64,
    /// What was found, where flows were asked for.
    pub flows: Option<FlowPage>,
}

/// An agent asks for its certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolRequest {
    /// The one-time token's text: parse it with [`crate::token::Token`].
    pub token: String,
    /// PKCS #10, DER.
    pub certificate_request: Vec<u8>,
    /// Version of the agent's program.
    pub version: String,
}

/// The centre answers with a certificate and an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolResponse {
    /// DER, leaf first.
    pub certificate_chain: Vec<Vec<u8>>,
    /// DER.
    pub ca_certificate: Vec<u8>,
    /// Who the agent now is.
    pub agent: AgentId,
    /// The site it reports for.
    pub site: SiteId,
    /// The site's name, for people.
    pub site_name: String,
}

/// Whatever an agent can say on its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentMessage {
    /// First, and only first.
    Hello(Hello),
    /// A report.
    Batch(Batch),
    /// What the agent holds.
    Digest(Digest),
    /// What came of an instruction.
    Result(InstructionResult),
    /// A sign of life.
    Heartbeat(Heartbeat),
}

/// Whatever the centre can say on an agent's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CentreMessage {
    /// First, and only first.
    Welcome(Welcome),
    /// A batch is committed.
    Acknowledgement(Acknowledgement),
    /// A batch is refused.
    Rejection(Rejection),
    /// Something is asked.
    Instruction(Instruction),
}

impl Batch {
    /// Moves every time in the batch, its own wall clock included, by `ms` milliseconds: onto the centre's timeline.
    pub fn shift_ms(&mut self, ms: i64) {
        self.clocks.wall_ms = self.clocks.wall_ms.saturating_add(ms);
        match &mut self.content {
            Content::State(groups) => {
                for change in groups.iter_mut().flat_map(|group| &mut group.changes) {
                    let observed = match change {
                        FactChange::Present(fact) => &mut fact.observed,
                        FactChange::Gone { observed, .. } => observed,
                    };
                    *observed = observed.plus_ms(ms);
                }
            }
            Content::History(items) => {
                for item in items {
                    item.time = item.time.plus_ms(ms);
                }
            }
        }
    }

    /// Returns when the batch was closed, on the timeline of its times.
    pub const fn closed(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.clocks.wall_ms)
    }
}

impl KeyRange {
    /// Every key.
    pub const ALL: Self = Self { first: 0, last: u64::MAX };

    /// Returns whether the range includes this key hash.
    pub const fn contains(&self, key_hash: u64) -> bool {
        self.first <= key_hash && key_hash <= self.last
    }
}

impl std::fmt::Debug for EnrolRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolRequest").field("version", &self.version).finish_non_exhaustive()
    }
}
