//! Planning: from the estate and a record to what the record changes.
//!
//! Invariant: planning is pure. The same estate and record give the same changes, ids included; no clock, store or
//! randomness is asked (invariants 2, 11). A record that is refused, or has no effect, changes nothing.

mod altering;
mod anomalies;
mod attach;
mod availability;
mod campaigns;
mod caps;
mod cases;
mod command;
mod concluded;
mod contact;
mod coverage;
mod devices;
mod drills;
mod duplicates;
mod evidence;
mod expire;
mod facts;
mod incidents;
mod lane;
mod links;
mod merging;
mod quota;
mod report;
mod tick;
mod time;

use std::sync::Arc;

use onenet_topology::{
    AcceptanceId, AgentId, AreaId, CampaignId, CaseId, DrillId, Id, IncidentId, MaintenanceId, SiteId, SuppressionId,
    Timestamp,
    acceptance::SignError,
    address::PlanError,
    area::AreaError,
    asset::AssetError,
    campaign::{CampaignError, SheetError},
    case::{ActError, Deadlines, SuppressionError},
    contact::ContactError,
    incident::MaintenanceError,
    site::SiteError,
};
use onenet_wire::{Position, limits::SUBJECT_BYTES};

pub use caps::{Cap, caps};
pub use cases::kinds;
pub use concluded::Concluding;
pub(crate) use evidence::evidence_file;
pub use expire::Lifetimes;
pub(crate) use incidents::WATCH_MARK;
pub(crate) use links::links_of;
pub(crate) use merging::{regrouped, space as device_space};

use crate::{
    access,
    estate::{Change, Estate},
    outbox::{Message, MessageId},
    record::{Body, Record},
};

/// What planning is told beside estate and record. The same on every replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// An agent that says nothing for this long, in milliseconds, is silent.
    pub silence_ms: i64,
    /// An agent's wall clock that is off by more than this, in milliseconds, is wrong.
    pub clock_wrong_ms: i64,
    /// How long, in milliseconds, changes of a site's tables are gathered before attachments are inferred again.
    pub settle_after_ms: i64,
    /// Endpoints that one site can hold, and as many retired ones.
    pub endpoints_per_site_max: usize,
    /// Facts that one agent can hold: a ministry's agent has some 100,000, rows of forwarding tables mostly.
    pub facts_per_agent_max: usize,
    /// Devices that one agent can poll.
    pub devices_per_agent_max: usize,
    /// How long endpoints live on when nobody sees them.
    pub lifetimes: Lifetimes,
    /// By when things that are to be done about cases are due.
    pub deadlines: Deadlines,
    /// From what on the centre concludes something itself.
    pub concluding: Concluding,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            silence_ms: 60_000,
            clock_wrong_ms: 30_000,
            settle_after_ms: 3_000,
            endpoints_per_site_max: 20_000,
            facts_per_agent_max: 300_000,
            devices_per_agent_max: 4_096,
            lifetimes: Lifetimes::default(),
            deadlines: Deadlines::default(),
            concluding: Concluding::default(),
        }
    }
}

/// What a record leads to.
#[derive(Debug)]
pub struct Planned {
    /// The estate with the record in it.
    pub next: Estate,
    /// What changed; empty when the record has no effect.
    pub changes: Vec<Change>,
    /// What to answer.
    pub outcome: Outcome,
}

/// What came of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is part of the estate.
    Accepted,
    /// The batch was committed before: acknowledge it up to here.
    Committed(Position),
    /// The tree of sites is in line with an import.
    SitesImported {
        /// Changes that it took.
        changed: usize,
        /// Sites that the import has as the tree had them.
        unchanged: usize,
        /// Sites that exist and that the import does not name: left alone.
        absent: Vec<SiteId>,
    },
    /// A site was added.
    SiteAdded(SiteId),
    /// The address plan is in line with an import.
    PlanImported {
        /// Changes that it took.
        changed: usize,
        /// Prefixes that the import has as the plan had them.
        unchanged: usize,
    },
    /// The asset register is in line with an import.
    AssetsImported {
        /// Assets that came on the books.
        added: usize,
        /// Assets that changed.
        changed: usize,
        /// Assets that the register had as the import has them.
        unchanged: usize,
        /// Assets that a complete import does not name: written off.
        written_off: usize,
        /// Assets of the import's sites that it does not name: left alone.
        absent: usize,
    },
    /// An area was added.
    AreaAdded(AreaId),
    /// A token was created.
    TokenCreated(access::TokenId),
    /// An agent's stream is open: what is said on it names this number.
    Greeted {
        /// The position of the hello's record.
        stream: u64,
    },
    /// An agent was enrolled, or had been with the same token and key.
    Enrolled {
        /// The agent.
        agent: AgentId,
        /// The site it reports for.
        site: SiteId,
    },
    /// An acceptance test was kept.
    AcceptanceRecorded(AcceptanceId),
    /// A maintenance was planned.
    MaintenancePlanned(MaintenanceId),
    /// A case was opened, or was open.
    CaseOpened(CaseId),
    /// A drill was ordered.
    DrillOrdered(DrillId),
    /// An inspection campaign was opened.
    CampaignOpened(CampaignId),
    /// A rule that silences cases was made.
    Suppressed(SuppressionId),
    /// The revision of the configuration that a site's agents are to have now.
    Configured {
        /// The revision.
        revision: u64,
    },
}

/// Why a record is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The batch's sequence is not the next.
    #[error(
        "batches are missing before sequence {got}: send again from behind sequence {} of epoch {:x}",
        committed.sequence, committed.epoch
    )]
    Gap {
        /// The last committed batch.
        committed: Position,
        /// The batch's sequence.
        got: u64,
    },
    /// The batch's epoch was replaced by another.
    #[error("epoch {epoch:x} was replaced by a newer one: begin a new epoch")]
    EpochRetired {
        /// The epoch.
        epoch: u64,
    },
    /// The batch can never be accepted.
    #[error("{0}")]
    Invalid(String),
    /// The agent opened another stream since.
    #[error("a newer stream of {0} took this one's place: what was not acknowledged is to be sent again there")]
    StreamReplaced(AgentId),
    /// The centre does not know the agent.
    #[error("{0} is not known here: enrol the agent again (onenetd enrol SITE, then onenet-agent enrol)")]
    UnknownAgent(AgentId),
    /// A ruling does not name two accounts of devices.
    #[error(
        "these are not two accounts of devices of one site: name two of the `accounts` that the API shows of devices"
    )]
    NoSuchAccounts,
    /// A ruling does not name two endpoints.
    #[error("these are not two endpoints of one site: name two ids that its list of endpoints shows")]
    NoSuchEndpoints,
    /// There are too many rulings.
    #[error("the site has as many rulings as there can be: let evidence decide where it agrees with them")]
    TooManyRulings,
    /// The agent was shut out.
    #[error("{agent} was revoked by {by} at {time} ({reason}): enrol it again if that was a mistake")]
    Revoked {
        /// The agent.
        agent: AgentId,
        /// By whom.
        by: String,
        /// When.
        time: Timestamp,
        /// Why.
        reason: String,
    },
    /// The agent reports for a site that is not its own.
    #[error("{agent} belongs to {own} and may not report for {asked}: enrol it there")]
    OtherSite {
        /// The agent.
        agent: AgentId,
        /// Its site.
        own: SiteId,
        /// The site of the report.
        asked: SiteId,
    },
    /// The token was never issued, or its record was lost.
    #[error("this enrolment token is not known: issue another with onenetd enrol SITE")]
    UnknownToken,
    /// The token is over.
    #[error("this enrolment token expired at {0}: issue another with onenetd enrol SITE")]
    TokenExpired(Timestamp),
    /// The token was used.
    #[error("this enrolment token was used by {0}, and serves once: issue another with onenetd enrol SITE")]
    TokenSpent(AgentId),
    /// The site does not exist.
    #[error("{0} does not exist: see onenetd sites list")]
    UnknownSite(SiteId),
    /// A change of the address plan breaks a rule.
    #[error(transparent)]
    Plan(PlanError),
    /// A change of the asset register breaks a rule.
    #[error(transparent)]
    Assets(AssetError),
    /// Contacts cannot be changed like this.
    #[error(transparent)]
    Contacts(ContactError),
    /// There is no room for more assets.
    #[error("the asset register holds {0} assets, and these would be more than it can: leave out what was written off")]
    TooManyAssets(usize),
    /// Who may do what cannot be changed like this.
    #[error(transparent)]
    Access(access::Refusal),
    /// The area does not exist.
    #[error("{0} does not exist: see onenetd areas list")]
    UnknownArea(AreaId),
    /// The area cannot be like this.
    #[error(transparent)]
    Area(AreaError),
    /// The maintenance does not exist.
    #[error("{0} does not exist: see onenetd maintenance list")]
    UnknownMaintenance(MaintenanceId),
    /// The maintenance is over.
    #[error("{0} is over, nothing is left to end")]
    MaintenanceOver(MaintenanceId),
    /// The maintenance cannot be like this.
    #[error(transparent)]
    Maintenance(MaintenanceError),
    /// What is to be maintained does not exist.
    #[error("there is no such way up or device at {0}: name what exists")]
    NothingToMaintain(SiteId),
    /// There is no room for another maintenance.
    #[error("there are as many maintenances as there can be: export, and import into a new data directory")]
    TooManyMaintenances,
    /// The acceptance test does not exist at that site.
    #[error("{0} does not exist: see onenetd acceptance list")]
    UnknownAcceptance(AcceptanceId),
    /// The acceptance test cannot be signed off.
    #[error(transparent)]
    Signature(SignError),
    /// There is no room for another acceptance test.
    #[error("there are as many acceptance tests as there can be: export, and import into a new data directory")]
    TooManyAcceptances,
    /// The case does not exist.
    #[error("{0} does not exist: see onenetd cases list")]
    UnknownCase(CaseId),
    /// The incident does not exist.
    #[error("{0} does not exist: see onenetd incidents list")]
    UnknownIncident(IncidentId),
    /// It cannot be done with the case.
    #[error(transparent)]
    Case(ActError),
    /// What is to be drilled cannot be like this.
    #[error(
        "a drill has a subject of at most {SUBJECT_BYTES} bytes and a text, has not begun later than now, and lasts at most a week"
    )]
    Drill,
    /// What is to break in a drill is not there.
    #[error("a drill of {kind} is about {wanted}: name one that there is")]
    DrillSubject {
        /// The kind of incident.
        kind: &'static str,
        /// What it is about.
        wanted: &'static str,
    },
    /// The same is being drilled.
    #[error("the same is being drilled there, as {0}: close its case first, or drill something else")]
    DrillUnderWay(DrillId),
    /// There is no room for another drill.
    #[error("there are as many drills as there can be: they go 190 days after they were ordered")]
    TooManyDrills,
    /// Nothing of this kind is ever found.
    #[error("{0:?} is no kind of finding: write one of {known}", known = kinds().collect::<Vec<_>>().join(", "))]
    DrillKind(String),
    /// The rule does not exist.
    #[error("{0} does not exist: see onenetd cases rules")]
    UnknownSuppression(SuppressionId),
    /// The rule is over.
    #[error("{0} is over, nothing is left to end")]
    SuppressionOver(SuppressionId),
    /// The rule cannot be like this.
    #[error(transparent)]
    Suppression(SuppressionError),
    /// There is no room for another rule.
    #[error("there are as many rules as there can be: end those that are no longer needed")]
    TooManySuppressions,
    /// All files together have as many bytes as they can.
    #[error(
        "the files of all cases have as many bytes as there is room for, and go with their cases: attach a text that says where the file lies"
    )]
    FilesFull,
    /// The campaign does not exist.
    #[error("{0} does not exist: see onenetd inspections list")]
    UnknownCampaign(CampaignId),
    /// The campaign cannot be opened like this, or not be closed.
    #[error(transparent)]
    Campaign(CampaignError),
    /// It cannot be done in the campaign.
    #[error(transparent)]
    Sheet(SheetError),
    /// There is no room for another campaign.
    #[error("as many inspections are open as there can be: close those that are over")]
    TooManyCampaigns,
    /// There is no room for another area.
    #[error("there are as many areas as there can be: change one that is no longer needed")]
    TooManyAreas,
    /// A change of the site tree breaks a rule.
    #[error(transparent)]
    Sites(SiteError),
    /// Rows of an import are wrong, one message a row.
    #[error("the import is refused, nothing was changed:\n{}", .0.join("\n"))]
    Import(Vec<String>),
    /// The log is full. Cannot happen in practice: 2^44 records.
    #[error("the log has no position left for new identities: start a new data directory from an export")]
    LogFull,
}

/// A plan in the making.
struct Draft<'r> {
    record: &'r Record,
    policy: Policy,
    next: Estate,
    changes: Vec<Change>,
    ordinal: u32,
    /// Alterations so far.
    altered: u32,
    /// Messages so far.
    told: u32,
}

impl Draft<'_> {
    /// Adds one change, so that what is planned next sees it.
    fn put(&mut self, change: Change) {
        let altered = altering::of(self, &change);
        self.next.apply(&change);
        self.changes.push(change);
        if let Some(altered) = altered {
            self.altered = self.altered.saturating_add(u32::try_from(altering::len(&altered)).unwrap_or(u32::MAX));
            self.next.apply(&altered);
            self.changes.push(altered);
        }
    }

    /// Returns an id that no other record or thing has.
    fn id<K>(&mut self) -> Result<Id<K>, Refusal> {
        let id = Id::from_record(self.record.position, self.ordinal).ok_or(Refusal::LogFull)?;
        self.ordinal += 1;
        Ok(id)
    }

    /// Returns the id of the next message of this record.
    const fn message_id(&self) -> MessageId {
        MessageId { position: self.record.position, ordinal: self.told }
    }

    /// Adds messages, which have the ids from [`Draft::message_id`] on.
    fn tell(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.told = self.told.saturating_add(1);
            self.changes.push(Change::Told(Arc::new(message)));
        }
    }

    fn done(mut self, outcome: Outcome) -> Planned {
        // What is not stored alone needs no place in the log.
        if self.changes.iter().any(|change| !change.is_derived()) {
            self.put(Change::Position { position: self.record.position, time: self.record.time });
        }
        Planned { next: self.next, changes: self.changes, outcome }
    }
}

/// Returns what `record` changes in `estate`.
///
/// # Errors
/// Returns why the record is not accepted; nothing changes then.
pub fn plan(estate: &Estate, record: &Record, policy: Policy) -> Result<Planned, Refusal> {
    let mut draft =
        Draft { record, policy, next: estate.clone(), changes: Vec::new(), ordinal: 0, altered: 0, told: 0 };
    let outcome = planned(&mut draft, &record.body)?;
    Ok(draft.done(outcome))
}

/// Returns what would be kept of a change, for the tests.
#[cfg(test)]
pub(super) fn altered_by(
    estate: &Estate,
    record: &Record,
    change: &Change,
) -> Option<Vec<onenet_topology::picture::Alteration>> {
    let draft = Draft {
        record,
        policy: Policy::default(),
        next: estate.clone(),
        changes: Vec::new(),
        ordinal: 0,
        altered: 0,
        told: 0,
    };
    match altering::of(&draft, change)? {
        Change::Altered { alterations, .. } => Some(alterations),
        _ => None,
    }
}

fn planned(draft: &mut Draft<'_>, body: &Body) -> Result<Outcome, Refusal> {
    Ok(match body {
        Body::OfStream { stream, agent, body } => {
            contact::check_stream(draft, *agent, *stream)?;
            // A stream within a stream is nobody's, so this goes one level down.
            planned(draft, body)?
        }
        Body::Hello(greeting) => contact::hello(draft, greeting)?,
        Body::Heard { agent, clocks, received, history_waiting } => {
            contact::heard(draft, *agent, clocks, *received, *history_waiting)?
        }
        Body::Disconnected { agent } => contact::disconnected(draft, *agent)?,
        Body::Report(report) => report::report(draft, report)?,
        Body::Unacceptable { agent, position } => report::unacceptable(draft, *agent, *position)?,
        Body::Configured { agent, revision } => contact::configured(draft, *agent, *revision)?,
        Body::ConfigurationRefused { agent, revision, reason } => {
            contact::configuration_refused(draft, *agent, *revision, reason)?
        }
        Body::Drilled { agent, drill, refused } => drills::told(draft, *agent, *drill, refused.as_deref()),
        Body::Command { by, command } => command::command(draft, by, command)?,
        Body::Audit(entries) => {
            if !entries.is_empty() {
                draft.put(Change::Audited { position: draft.record.position, entries: entries.clone() });
            }
            Outcome::Accepted
        }
        Body::Started => {
            if draft.next.log.is_some() {
                // From here on this centre goes on alone, and belongs to no log.
                draft.put(Change::Log(None));
            }
            availability::started(draft);
            draft.put(Change::Started(draft.record.time));
            Outcome::Accepted
        }
        Body::Tick => tick::tick(draft),
        Body::Resumed => contact::resumed(draft),
        Body::Passed { channel, message, ended } => {
            draft.put(Change::Passed { channel: Arc::clone(channel), message: *message, ended: ended.clone() });
            Outcome::Accepted
        }
        Body::Relayed { through } => {
            let log = draft.next.log.clone().filter(|log| log.relayed < *through);
            if let Some(mut log) = log {
                Arc::make_mut(&mut log).relayed = *through;
                draft.put(Change::Log(Some(log)));
            }
            Outcome::Accepted
        }
    })
}
