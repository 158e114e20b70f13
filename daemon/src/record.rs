//! Records: whatever changes state, numbered and stamped in one order.
//!
//! Invariant: the log decides (invariant 11). Ids, hold-downs and due dates derive from a record's position and commit
//! time, never from a local clock, so that whoever applies the same records gets the same estate.
//!
//! A report's record carries the batch as the agent said it, with the agent's own times; planning corrects them.

use std::{fmt, net::IpAddr, sync::Arc};

use onenet_topology::{
    AcceptanceId, AgentId, AreaId, CampaignId, CaseId, DeviceId, DrillId, EndpointId, IncidentId, MaintenanceId,
    SiteId, SuppressionId, Timestamp,
    acceptance::Tested,
    address::{PlanChange, PlanRow},
    area::{AreaKind, Members},
    asset::{AssetChange, AssetRow},
    campaign::{CampaignPlan, SheetAction},
    case::{CaseAction, NoticeNumber, SuppressionScope},
    contact::ContactChange,
    division::Tier,
    drill::DrillPlan,
    incident::{MaintenanceScope, Severity},
    site::{SiteChange, SiteKind, SiteName, SiteRow, Uplink},
};
use onenet_wire::{Batch, Clocks, Content, Position, tls::sha256};
use serde::{Deserialize, Serialize};

use crate::{
    access::{self, audit},
    estate::Certificate,
    outbox::MessageId,
    store::Ended,
};

mod describe;

/// Something that changes state.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place in the log, from 1.
    pub position: u64,
    /// When it was committed, on the centre's clock; never before the record in front of it.
    pub time: Timestamp,
    /// What it is.
    pub body: Body,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// An agent opened its stream.
    Hello(Greeting),
    /// An agent gave a sign of life.
    Heard {
        /// Who.
        agent: AgentId,
        /// Its clocks as the sign left.
        clocks: Clocks,
        /// When the sign arrived.
        received: Timestamp,
        /// History batches that it has not had acknowledged.
        history_waiting: u64,
    },
    /// Said on a stream: without effect once the agent opened another, so that what was under way on the old stream cannot
    /// get in between or behind what it says on the new one.
    OfStream {
        /// The stream: what its hello was answered with.
        stream: u64,
        /// Who speaks.
        agent: AgentId,
        /// What was said.
        body: Box<Body>,
    },
    /// An agent's stream ended.
    Disconnected {
        /// Who.
        agent: AgentId,
    },
    /// An agent reported.
    Report(Report),
    /// An agent sent a batch that can never be accepted: its lane moves past it.
    Unacceptable {
        /// Who.
        agent: AgentId,
        /// Which batch.
        position: Position,
    },
    /// An agent put a configuration into force.
    Configured {
        /// Who.
        agent: AgentId,
        /// Its revision.
        revision: u64,
    },
    /// An agent did not put a configuration into force, or took it back.
    ConfigurationRefused {
        /// Who.
        agent: AgentId,
        /// Its revision.
        revision: u64,
        /// Why, in the agent's words.
        reason: String,
    },
    /// An agent put a drill in, or did not.
    Drilled {
        /// Who.
        agent: AgentId,
        /// Which.
        drill: DrillId,
        /// Why not, in words.
        refused: Option<String>,
    },
    /// Somebody commanded.
    Command {
        /// Who, and from where: the change and its entry of the audit trail are one batch.
        by: audit::Author,
        /// What.
        command: Arc<Command>,
    },
    /// Somebody used the system: entries of the audit trail.
    Audit(Vec<audit::Entry>),
    /// The centre started: what it could not hear meanwhile is no agent's silence.
    Started,
    /// Time passed.
    Tick,
    /// Nobody was heard for a while, since no replica ran or the log did not take anything: that is no agent's silence.
    Resumed,
    /// A channel dealt with a message, as the replica says that sent it.
    Passed {
        /// The channel's name.
        channel: Arc<str>,
        /// The message.
        message: MessageId,
        /// How that ended.
        ended: Ended,
    },
    /// What was measured was sent to whoever keeps series, as the replica says that sent it.
    Relayed {
        /// The position of the last record of which everything was.
        through: u64,
    },
}

/// An agent opens its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Greeting {
    /// Who.
    pub agent: AgentId,
    /// Version of its program.
    pub version: String,
    /// Its clocks as the hello left.
    pub clocks: Clocks,
    /// When the hello arrived, on the centre's clock.
    pub received: Timestamp,
    /// Revision of the configuration in force there.
    pub configuration_revision: u64,
    /// The certificate that it showed; `None` where it came without a line, such as a simulated one.
    pub certificate: Option<Certificate>,
}

/// A batch, from whom, for which site.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Who reports.
    pub agent: AgentId,
    /// The site it reports for.
    pub site: SiteId,
    /// The batch, with the agent's own times.
    pub batch: Arc<Batch>,
}

/// What a principal can command. Stored and replayed, so variants and fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Bring the tree of sites in line with these rows. Stored in the log as the [`Command::ChangeSites`] that it comes to.
    #[serde(skip)]
    ImportSites {
        /// The rows.
        rows: Vec<SiteRow>,
        /// Since when they hold.
        from: Timestamp,
    },
    /// Add a site. Stored in the log as the [`Command::ChangeSites`] that it comes to.
    #[serde(skip)]
    AddSite(NewSite),
    /// Bring the address plan in line with these rows. Stored in the log as the [`Command::ChangePlan`] that it comes to.
    #[serde(skip)]
    ImportPlan {
        /// The rows.
        rows: Vec<PlanRow>,
        /// Since when those hold that have no date of their own.
        from: Timestamp,
    },
    /// Change the address plan. An added space must have an id that the log gave: see [`Command::ImportPlan`].
    ChangePlan {
        /// All or none of them.
        changes: Vec<PlanChange>,
    },
    /// Bring the asset register in line with these rows. Stored in the log as the [`Command::ChangeAssets`] that it comes to.
    #[serde(skip)]
    ImportAssets {
        /// The rows.
        rows: Vec<AssetRow>,
        /// Since when those hold that are new and have no date of their own.
        from: Timestamp,
        /// Whether the rows are all that their sites have: what they do not name is written off.
        complete: bool,
    },
    /// Change the asset register. An added asset must have an id that the log gave: see [`Command::ImportAssets`].
    ChangeAssets {
        /// All or none of them.
        changes: Vec<AssetChange>,
    },
    /// Change whom to reach at sites.
    ChangeContacts {
        /// All or none of them.
        changes: Vec<ContactChange>,
    },
    /// Add an area. Its id derives from the position of the record.
    AddArea {
        /// What sort of area.
        kind: AreaKind,
        /// Its name.
        name: SiteName,
        /// Who belongs to it.
        members: Members,
        /// Since when.
        from: Timestamp,
    },
    /// Change an area.
    ChangeArea {
        /// Which.
        area: AreaId,
        /// Its new name, if that changes.
        name: Option<SiteName>,
        /// Who belongs to it, if that changes.
        members: Option<Members>,
        /// Since when.
        from: Timestamp,
    },
    /// Let an area be no more. Its past stays.
    RemoveArea {
        /// Which.
        area: AreaId,
        /// Since when.
        from: Timestamp,
    },
    /// Plan a maintenance. Its id derives from the position of the record.
    PlanMaintenance {
        /// What is maintained.
        scope: MaintenanceScope,
        /// From when.
        begin: Timestamp,
        /// Until when.
        end: Timestamp,
        /// Why.
        reason: String,
    },
    /// End a maintenance now, or call it off before it begins.
    EndMaintenance {
        /// Which.
        maintenance: MaintenanceId,
    },
    /// Keep what an acceptance test found. Its id derives from the position of the record.
    RecordAcceptance {
        /// All of it.
        tested: Box<Tested>,
    },
    /// Sign an acceptance test off.
    SignAcceptance {
        /// The site.
        site: SiteId,
        /// Which test.
        acceptance: AcceptanceId,
        /// The name of the person who signs.
        person: String,
        /// What the person adds.
        note: String,
    },
    /// Change who may do what.
    Access(access::Change),
    /// Change the tree of sites. An added site must have an id that the log gave; to add one use [`Command::AddSite`].
    ChangeSites {
        /// All or none of them.
        changes: Vec<SiteChange>,
    },
    /// Let whoever shows the token of this hash enrol an agent.
    IssueEnrolmentToken {
        /// Hash of its secret.
        hash: TokenHash,
        /// What it is good for.
        token: EnrolmentToken,
    },
    /// An agent showed its token. Its id derives from the position of the record.
    EnrolAgent {
        /// Hash of the token's secret, which is spent by this.
        token: TokenHash,
        /// Hash of the agent's public key: whoever lost the answer may ask again with the same key.
        key: TokenHash,
    },
    /// Accept an agent's certificate no more.
    RevokeAgent {
        /// Which.
        agent: AgentId,
        /// Why.
        reason: String,
    },
    /// Say whether two accounts of devices of a site are of one device, whatever evidence says.
    RuleDevices {
        /// The site.
        site: SiteId,
        /// The one account.
        one: DeviceId,
        /// The other.
        two: DeviceId,
        /// What is ruled.
        verdict: RulingVerdict,
        /// Why.
        reason: String,
    },
    /// Say whether two endpoints of a site are of one terminal, whatever evidence says.
    RuleEndpoints {
        /// The site.
        site: SiteId,
        /// The one endpoint.
        one: EndpointId,
        /// The other.
        two: EndpointId,
        /// What is ruled.
        verdict: RulingVerdict,
        /// Why.
        reason: String,
    },
    /// Open a case about an incident. Its id derives from the position of the record, unless there is an open one.
    OpenCase {
        /// The site that the incident is filed under.
        site: SiteId,
        /// The incident.
        incident: IncidentId,
    },
    /// Drill: something is put in at a site where it would be found. Its id derives from the position of the record.
    OrderDrill {
        /// The site.
        site: SiteId,
        /// What is drilled.
        plan: Box<DrillPlan>,
    },
    /// Open a case as if something had been found, marked as a drill: as older versions drilled.
    Drill {
        /// The site.
        site: SiteId,
        /// What would have been found, such as `port_scan`.
        kind: String,
        /// About whom.
        subject: String,
        /// How grave it would be.
        grade: Severity,
        /// Since when it would have been going on.
        began: Timestamp,
        /// What is drilled.
        text: String,
        /// Whose traffic it would be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<IpAddr>,
        /// Where to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<IpAddr>,
        /// To which port.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// Do something with a case.
    ActOnCase {
        /// The site under whose rights: the responsible one where it answers, else that of the case.
        site: SiteId,
        /// The case.
        case: CaseId,
        /// What.
        action: CaseAction,
        /// Which of its notices it is about; where nobody says, the last that it can be about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<NoticeNumber>,
    },
    /// Silence what nobody need look at. Its id derives from the position of the record.
    Suppress {
        /// What.
        scope: SuppressionScope,
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
    /// End a rule now.
    EndSuppression {
        /// Which.
        suppression: SuppressionId,
    },
    /// Open an inspection campaign. Its id derives from the position of the record.
    OpenCampaign {
        /// What is asked of whom.
        plan: Box<CampaignPlan>,
    },
    /// Answer for a unit in a campaign, or say what was found there.
    ActOnCampaign {
        /// The unit.
        site: SiteId,
        /// The campaign.
        campaign: CampaignId,
        /// What.
        action: SheetAction,
    },
    /// Close a campaign.
    CloseCampaign {
        /// The site that inspects.
        site: SiteId,
        /// The campaign.
        campaign: CampaignId,
        /// What there is to say of it.
        text: String,
    },
    /// Give the agents of a site this configuration.
    Configure {
        /// Which site.
        site: SiteId,
        /// The text.
        toml: String,
    },
}

/// What is ruled of two things that may be one: accounts of devices, endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RulingVerdict {
    /// They are one.
    Same,
    /// They are two.
    Different,
    /// Nothing any more: evidence decides, as before.
    ByEvidence,
}

impl RulingVerdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Same, Self::Different, Self::ByEvidence];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::ByEvidence => "by_evidence",
        }
    }

    /// Returns whether they are one; `None` where evidence decides.
    pub const fn same(self) -> Option<bool> {
        match self {
            Self::Same => Some(true),
            Self::Different => Some(false),
            Self::ByEvidence => None,
        }
    }
}

/// A site to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSite {
    /// Its level.
    pub tier: Tier,
    /// What sort of unit it belongs to.
    pub kind: SiteKind,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: SiteName,
    /// Its ways up, the first one first.
    pub parents: Vec<Uplink>,
    /// Since when.
    pub from: Timestamp,
}

/// What an enrolment token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentToken {
    /// The site whose agent may be enrolled with it, once.
    pub site: SiteId,
    /// When it ends to be valid.
    pub expires: Timestamp,
    /// The agent that was enrolled with it, and the hash of that agent's public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<(AgentId, TokenHash)>,
}

/// SHA-256 of an enrolment token's secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl Body {
    /// Returns whether it is a batch of an agent.
    pub fn is_report(&self) -> bool {
        match self {
            Self::Report(_) => true,
            Self::OfStream { body, .. } => body.is_report(),
            _ => false,
        }
    }

    /// Returns whether nobody minds when it is committed a moment later: what was measured, and signs of life.
    pub fn can_wait(&self) -> bool {
        match self {
            Self::Report(report) => matches!(report.batch.content, Content::History(_)),
            Self::OfStream { body, .. } => body.can_wait(),
            Self::Heard { .. } => true,
            _ => false,
        }
    }
}

impl TokenHash {
    /// Returns the hash that somebody computed.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(sha256(secret))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}
