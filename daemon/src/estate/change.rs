//! What a record changes, piece by piece: the vocabulary between planning, storing and applying.
//!
//! Invariant: every persistent piece of the estate has exactly one kind of change, which holds the whole new value of that
//! piece. Applying a change twice is the same as applying it once.

use std::sync::Arc;

use onenet_topology::{
    AgentId, CampaignId, CaseId, DeviceId, DrillId, EndpointId, IncidentId, MacAddr, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyKey},
    campaign::{Campaign, Sheet},
    case::Case,
    coverage::Trend,
    device::{Device, Handle},
    drill::Drill,
    endpoint::Endpoint,
    fact::{Group, HistoryItem},
    incident::Incident,
    inference::SiteInference,
    link::Link,
    picture::Alteration,
};
use serde::{Deserialize, Serialize};

use super::{Agent, Held, LogState, PortChange, judging::Judging};
use crate::{
    access::audit::Entry,
    availability::{Piece, Watched},
    findings::{Finding, FindingKey},
    outbox::{Message, MessageId},
    record::Command,
    store::Ended,
};

/// One piece of what a record changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A fact of an agent holds, or (`None`) holds no more.
    Fact {
        /// The site.
        site: SiteId,
        /// Whose fact.
        agent: AgentId,
        /// Of which group.
        group: Group,
        /// Which fact of the group.
        key_hash: u64,
        /// The fact.
        held: Option<Arc<Held>>,
    },
    /// An endpoint is now like this.
    Endpoint {
        /// The site.
        site: SiteId,
        /// The endpoint.
        endpoint: Arc<Endpoint>,
    },
    /// An endpoint gave way.
    EndpointForgotten {
        /// The site.
        site: SiteId,
        /// Which.
        id: EndpointId,
    },
    /// What one agent tells of a device under one name is now this.
    Device {
        /// The site.
        site: SiteId,
        /// The account.
        device: Arc<Device>,
    },
    /// A device, by all accounts of it, is now like this (`Some`), or they are of others. Not stored: it follows from the
    /// accounts.
    Merged {
        /// The site.
        site: SiteId,
        /// Which.
        id: DeviceId,
        /// The device.
        device: Option<Arc<Device>>,
    },
    /// The links of a site are now these. Not stored: they follow from the facts.
    Links {
        /// The site.
        site: SiteId,
        /// All of them.
        links: Arc<[Link]>,
    },
    /// A finding holds, or (`None`) holds no more.
    Finding {
        /// The site.
        site: SiteId,
        /// Which.
        key: FindingKey,
        /// The finding.
        finding: Option<Arc<Finding>>,
    },
    /// What detectors of a site found of one kind about one subject is now this, or (`None`) is let go.
    Anomaly {
        /// The site.
        site: SiteId,
        /// Which.
        key: AnomalyKey,
        /// All of it.
        anomaly: Option<Arc<Anomaly>>,
    },
    /// How the coverage of a site went is now this.
    Covered {
        /// The site.
        site: SiteId,
        /// All of it.
        trend: Arc<Trend>,
    },
    /// One piece of what is known of how far a way or a site was available is now this.
    Available {
        /// Of what.
        watched: Watched,
        /// The piece.
        piece: Piece,
    },
    /// An incident is now like this.
    Incident(Arc<Incident>),
    /// An incident was closed long ago, and is let go.
    IncidentForgotten(IncidentId),
    /// A case is now like this.
    Case(Arc<Case>),
    /// A case was closed long ago, and is let go.
    CaseForgotten(CaseId),
    /// A drill is now like this.
    Drill(Arc<Drill>),
    /// A drill was over long ago, and is let go.
    DrillForgotten(DrillId),
    /// An inspection campaign is now like this, or (`None`) was closed long ago and is let go.
    Campaign {
        /// Which.
        id: CampaignId,
        /// The campaign.
        campaign: Option<Arc<Campaign>>,
    },
    /// What a unit answered in a campaign, and what was found there, is now this, or (`None`) is let go with the campaign.
    Sheet {
        /// Of which campaign.
        campaign: CampaignId,
        /// Of which unit.
        site: SiteId,
        /// All of it.
        sheet: Option<Arc<Sheet>>,
    },
    /// This is what was concluded of the country. Not stored.
    #[serde(skip)]
    Judged(Arc<Judging>),
    /// An agent is now like this.
    Agent(Arc<Agent>),
    /// Where the endpoints of a site are, by its tables, is now this. Not stored.
    Inferred {
        /// The site.
        site: SiteId,
        /// All of it.
        inference: Arc<SiteInference>,
    },
    /// The attachments of a site are to be inferred again (`Some`), or are settled (`None`). Not stored.
    Unsettled {
        /// The site.
        site: SiteId,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// A device's table has an address at another port than before. Not stored.
    Relearned {
        /// The site.
        site: SiteId,
        /// The address.
        mac: MacAddr,
        /// The device.
        device: Handle,
        /// From where to where.
        change: PortChange,
    },
    /// The centre started at this time. Not stored.
    Started(Timestamp),
    /// A command was accepted. Stored as it is: reading commands back in order gives what they led to.
    Commanded {
        /// Position of its record.
        position: u64,
        /// Commit time of its record.
        time: Timestamp,
        /// The principal's name.
        by: Arc<str>,
        /// What was commanded.
        command: Arc<Command>,
    },
    /// What there is to see at a site changed. In the store alone.
    Altered {
        /// Position of the record.
        position: u64,
        /// Which alteration of the record the first one is.
        ordinal: u32,
        /// The site.
        site: SiteId,
        /// What changed.
        alterations: Vec<Alteration>,
    },
    /// Somebody used the system. In the store alone.
    Audited {
        /// Position of the record.
        position: u64,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Somebody outside is to be told. In the store alone.
    Told(Arc<Message>),
    /// A channel dealt with a message. In the store alone.
    #[serde(skip)]
    Passed {
        /// The channel's name.
        channel: Arc<str>,
        /// The message.
        message: MessageId,
        /// How that ended.
        ended: Ended,
    },
    /// Samples and events of one batch. In the store alone.
    Samples(SampleBlock),
    /// How far the log is that replicas share, or (`None`) there is none any more. No part of an export.
    Log(Option<Arc<LogState>>),
    /// The estate now includes the record at this position.
    Position {
        /// The position.
        position: u64,
        /// Its commit time.
        time: Timestamp,
    },
}

impl Change {
    /// Returns whether it is not kept, since it follows from the rest or is of this process alone.
    pub(crate) const fn is_derived(&self) -> bool {
        matches!(
            self,
            Self::Inferred { .. }
                | Self::Unsettled { .. }
                | Self::Relearned { .. }
                | Self::Links { .. }
                | Self::Merged { .. }
                | Self::Judged(_)
        )
    }
}

/// The samples and events of one history batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleBlock {
    /// The position of the record.
    pub position: u64,
    /// The site.
    pub site: SiteId,
    /// Who took them.
    pub agent: AgentId,
    /// The sequence of the batch: with agent and time it makes each sample's key unique.
    pub sequence: u64,
    /// The samples, with times corrected by the centre's clock.
    pub items: Vec<HistoryItem>,
    /// Milliseconds that were added to the agent's times.
    pub shift_ms: i64,
    /// Whether the correction is a guess.
    pub uncertain: bool,
}
