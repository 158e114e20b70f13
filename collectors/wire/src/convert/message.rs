//! The messages of the stream and of enrolment.

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    fact::{Group, HistoryItem},
};
use prost::Message as _;

use super::{
    anomaly,
    check::{self, bytes, count, enumerated, name, range, required, text},
    fact, history, probe,
};
use crate::{
    Acknowledgement, AgentMessage, Asker, Batch, CaptureQuery, CentreMessage, Clocks, Content, Digest, Done,
    EnrolRequest, EnrolResponse, FlowsQuery, GroupChanges, GroupDigest, Heartbeat, Hello, Instruction, InstructionBody,
    InstructionResult, Invalid, Lane, Position, Problem, Query, Rejection, Welcome, limits, v1,
};

// ---- parts ----------------------------------------------------------------------------------------------------------

impl From<&Clocks> for v1::Clocks {
    fn from(it: &Clocks) -> Self {
        Self { boot_id: it.boot_id.to_vec(), boot_ms: it.boot_ms, wall_ms: it.wall_ms }
    }
}

impl TryFrom<v1::Clocks> for Clocks {
    type Error = Invalid;

    fn try_from(it: v1::Clocks) -> Result<Self, Invalid> {
        let length = it.boot_id.len();
        let problem = |_| Invalid::new("boot_id", Problem::Length { length, expected: "16" });
        Ok(Self {
            boot_id: it.boot_id.try_into().map_err(problem)?,
            boot_ms: range("boot_ms", it.boot_ms, 0, limits::AGE_MS)?,
            wall_ms: wall("wall_ms", it.wall_ms)?,
        })
    }
}

impl From<&Position> for v1::LanePosition {
    fn from(it: &Position) -> Self {
        Self { lane: v1::Lane::from(it.lane).into(), epoch: it.epoch, sequence: it.sequence }
    }
}

impl TryFrom<v1::LanePosition> for Position {
    type Error = Invalid;

    fn try_from(it: v1::LanePosition) -> Result<Self, Invalid> {
        let lane = enumerated::<v1::Lane, _>("lane", it.lane)?;
        Ok(Self { lane, epoch: it.epoch, sequence: it.sequence })
    }
}

fn wall(field: &str, value: i64) -> Result<i64, Invalid> {
    range(field, value, 0, limits::LAST_WALL_MS)
}

fn clocks(value: Option<v1::Clocks>) -> Result<Clocks, Invalid> {
    Clocks::try_from(required("clocks", value)?).map_err(|e| e.within("clocks"))
}

fn position(field: &str, value: Option<v1::LanePosition>) -> Result<Position, Invalid> {
    Position::try_from(required(field, value)?).map_err(|e| e.within(field))
}

/// Returns the positions, at most one a lane.
fn positions(field: &str, values: Vec<v1::LanePosition>) -> Result<Vec<Position>, Invalid> {
    count(field, values.len(), Lane::ALL.len())?;
    let mut positions: Vec<Position> = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let position = Position::try_from(value).map_err(|e| e.within_element(field, index))?;
        if positions.iter().any(|other| other.lane == position.lane) {
            return Err(Invalid::new("lane", Problem::Duplicate).within_element(field, index));
        }
        positions.push(position);
    }
    Ok(positions)
}

fn groups(values: Vec<v1::GroupName>) -> Result<Vec<Group>, Invalid> {
    count("groups", values.len(), limits::DIGEST_GROUPS)?;
    let group = |(index, it): (usize, v1::GroupName)| {
        fact::group(it.method, it.scope).map_err(|e| e.within_element("groups", index))
    };
    values.into_iter().enumerate().map(group).collect()
}

// ---- opening a stream -----------------------------------------------------------------------------------------------

impl From<&Hello> for v1::Hello {
    fn from(it: &Hello) -> Self {
        Self {
            agent_id: it.agent.raw(),
            site_id: it.site.raw(),
            version: it.version.clone(),
            clocks: Some((&it.clocks).into()),
            lanes: it.lanes.iter().map(Into::into).collect(),
            configuration_revision: it.configuration_revision,
        }
    }
}

impl TryFrom<v1::Hello> for Hello {
    type Error = Invalid;

    fn try_from(it: v1::Hello) -> Result<Self, Invalid> {
        Ok(Self {
            agent: AgentId::from_raw(it.agent_id),
            site: SiteId::from_raw(it.site_id),
            version: text("version", it.version, limits::VERSION_BYTES)?,
            clocks: clocks(it.clocks)?,
            lanes: positions("lanes", it.lanes)?,
            configuration_revision: it.configuration_revision,
        })
    }
}

impl From<&Welcome> for v1::Welcome {
    fn from(it: &Welcome) -> Self {
        Self {
            centre_ms: it.centre_time.unix_ms(),
            committed: it.committed.iter().map(Into::into).collect(),
            site_name: it.site_name.clone(),
        }
    }
}

impl TryFrom<v1::Welcome> for Welcome {
    type Error = Invalid;

    fn try_from(it: v1::Welcome) -> Result<Self, Invalid> {
        Ok(Self {
            centre_time: Timestamp::from_unix_ms(wall("centre_ms", it.centre_ms)?),
            committed: positions("committed", it.committed)?,
            site_name: text("site_name", it.site_name, limits::TEXT_BYTES)?,
        })
    }
}

impl From<&Heartbeat> for v1::Heartbeat {
    fn from(it: &Heartbeat) -> Self {
        Self { clocks: Some((&it.clocks).into()), history_waiting: it.history_waiting }
    }
}

impl TryFrom<v1::Heartbeat> for Heartbeat {
    type Error = Invalid;

    fn try_from(it: v1::Heartbeat) -> Result<Self, Invalid> {
        Ok(Self { clocks: clocks(it.clocks)?, history_waiting: it.history_waiting })
    }
}

// ---- batches --------------------------------------------------------------------------------------------------------

impl From<&Batch> for v1::Batch {
    fn from(it: &Batch) -> Self {
        let closed = it.closed();
        let (groups, history) = match &it.content {
            Content::State(groups) => (groups.iter().map(|group| group_to_wire(group, closed)).collect(), Vec::new()),
            Content::History(items) => (Vec::new(), history_groups(items, closed)),
        };
        Self { position: Some((&it.position).into()), clocks: Some((&it.clocks).into()), groups, history }
    }
}

/// Returns what a batch of these items is as a message, but for its position: they come by the thousand, and stay where they are.
pub fn history_message(items: &[HistoryItem], clocks: &Clocks) -> v1::Batch {
    let history = history_groups(items, Timestamp::from_unix_ms(clocks.wall_ms));
    v1::Batch { position: None, clocks: Some(clocks.into()), groups: Vec::new(), history }
}

fn history_groups(items: &[HistoryItem], closed: Timestamp) -> Vec<v1::HistoryGroup> {
    // What a newer agent tells of kinds that are not known here leaves nothing, and is a batch of its lane all the same.
    if items.is_empty() { vec![v1::HistoryGroup::default()] } else { history::groups_to_wire(items, closed) }
}

fn group_to_wire(it: &GroupChanges, closed: Timestamp) -> v1::FactGroup {
    v1::FactGroup {
        method: v1::Method::from(it.group.method).into(),
        scope: it.group.scope.as_str().to_owned(),
        changes: it.changes.iter().map(|change| fact::change_to_wire(change, closed)).collect(),
        complete: it.complete.map(|range| v1::KeyRange { first: range.first, last: range.last }),
    }
}

impl TryFrom<v1::Batch> for Batch {
    type Error = Invalid;

    fn try_from(it: v1::Batch) -> Result<Self, Invalid> {
        check::length("batch", it.encoded_len(), limits::BATCH_BYTES)?;
        let position = position("position", it.position)?;
        range("position.sequence", position.sequence, 1, u64::MAX)?;
        let clocks = clocks(it.clocks)?;
        let closed = Timestamp::from_unix_ms(clocks.wall_ms);
        let (right, wrong, wrong_is_empty) = match position.lane {
            Lane::State => ("groups", "history", it.history.is_empty()),
            Lane::History => ("history", "groups", it.groups.is_empty()),
        };
        if !wrong_is_empty {
            return Err(Invalid::new(wrong, Problem::Misplaced));
        }
        let content = match position.lane {
            Lane::State if !it.groups.is_empty() => Content::State(state(it.groups, closed)?),
            Lane::History if !it.history.is_empty() => Content::History(items(it.history, closed)?),
            _ => return Err(Invalid::new(right, Problem::Missing)),
        };
        Ok(Self { position, clocks, content })
    }
}

fn state(groups: Vec<v1::FactGroup>, closed: Timestamp) -> Result<Vec<GroupChanges>, Invalid> {
    count("groups", groups.len(), limits::BATCH_GROUPS)?;
    count("changes", groups.iter().map(|group| group.changes.len()).sum(), limits::BATCH_CHANGES)?;
    let group = |(index, group)| group_changes(group, closed).map_err(|e| e.within_element("groups", index));
    groups.into_iter().enumerate().map(group).collect()
}

fn group_changes(it: v1::FactGroup, closed: Timestamp) -> Result<GroupChanges, Invalid> {
    let change = |(index, change)| fact::change(change, closed).map_err(|e| e.within_element("changes", index));
    Ok(GroupChanges {
        group: fact::group(it.method, it.scope)?,
        changes: it.changes.into_iter().enumerate().map(change).collect::<Result<_, _>>()?,
        complete: it.complete.map(fact::key_range).transpose()?,
    })
}

fn items(groups: Vec<v1::HistoryGroup>, closed: Timestamp) -> Result<Vec<onenet_topology::fact::HistoryItem>, Invalid> {
    let total = groups.iter().map(history::group_len).sum();
    count("history", groups.len().max(total), limits::BATCH_ITEMS)?;
    let mut items = Vec::with_capacity(total);
    for (index, group) in groups.into_iter().enumerate() {
        let age = check::age("age_ms", group.age_ms).map_err(|e| e.within_element("history", index))?;
        history::history_items(group, closed.plus_ms(-age), &mut items)
            .map_err(|e| e.within_element("history", index))?;
    }
    Ok(items)
}

impl From<&Acknowledgement> for v1::Acknowledgement {
    fn from(it: &Acknowledgement) -> Self {
        Self { position: Some((&it.position).into()) }
    }
}

impl TryFrom<v1::Acknowledgement> for Acknowledgement {
    type Error = Invalid;

    fn try_from(it: v1::Acknowledgement) -> Result<Self, Invalid> {
        Ok(Self { position: position("position", it.position)? })
    }
}

impl From<&Rejection> for v1::Rejection {
    fn from(it: &Rejection) -> Self {
        Self {
            position: Some((&it.position).into()),
            reason: v1::RejectionReason::from(it.reason).into(),
            detail: cut(&it.detail),
        }
    }
}

impl TryFrom<v1::Rejection> for Rejection {
    type Error = Invalid;

    fn try_from(it: v1::Rejection) -> Result<Self, Invalid> {
        Ok(Self {
            position: position("position", it.position)?,
            reason: enumerated::<v1::RejectionReason, _>("reason", it.reason)?,
            detail: text("detail", it.detail, limits::TEXT_BYTES)?,
        })
    }
}

/// Returns a text for people, cut to what the other side accepts.
fn cut(text: &str) -> String {
    let mut text = text.to_owned();
    limits::cut(&mut text, limits::TEXT_BYTES);
    text
}

// ---- drift ----------------------------------------------------------------------------------------------------------

impl From<&Digest> for v1::Digest {
    fn from(it: &Digest) -> Self {
        let group = |it: &GroupDigest| v1::GroupDigest {
            method: v1::Method::from(it.group.method).into(),
            scope: it.group.scope.as_str().to_owned(),
            count: it.count,
            sum: it.sum,
        };
        Self { state: Some((&it.state).into()), groups: it.groups.iter().map(group).collect() }
    }
}

impl TryFrom<v1::Digest> for Digest {
    type Error = Invalid;

    fn try_from(it: v1::Digest) -> Result<Self, Invalid> {
        count("groups", it.groups.len(), limits::DIGEST_GROUPS)?;
        let group = |(index, it): (usize, v1::GroupDigest)| {
            let group = fact::group(it.method, it.scope).map_err(|e| e.within_element("groups", index))?;
            Ok(GroupDigest { group, count: it.count, sum: it.sum })
        };
        Ok(Self {
            state: position("state", it.state)?,
            groups: it.groups.into_iter().enumerate().map(group).collect::<Result<_, Invalid>>()?,
        })
    }
}

// ---- instructions ---------------------------------------------------------------------------------------------------

impl From<&Instruction> for v1::Instruction {
    fn from(it: &Instruction) -> Self {
        use v1::{instruction::Body, query::Body as QueryBody};
        let body = match &it.body {
            InstructionBody::Configure { revision, toml } => {
                Body::Configure(v1::Configure { revision: *revision, toml: toml.clone() })
            }
            InstructionBody::Resync(groups) => {
                let name = |group: &Group| v1::GroupName {
                    method: v1::Method::from(group.method).into(),
                    scope: group.scope.as_str().to_owned(),
                };
                Body::Resync(v1::Resync { groups: groups.iter().map(name).collect() })
            }
            InstructionBody::Query(query) => {
                let body = match query {
                    Query::Status => QueryBody::Status(v1::StatusQuery {}),
                    Query::Inspect { device } => QueryBody::Inspect(v1::InspectQuery { device: device.clone() }),
                    Query::Flows(query) => QueryBody::Flows(query.into()),
                    Query::Measure(query) => QueryBody::Measure(query.into()),
                    Query::Capture(query) => QueryBody::Capture(v1::CaptureQuery {
                        principal: query.asker.principal.clone(),
                        reason: query.asker.reason.clone(),
                        file: query.file.clone(),
                        offset: query.offset,
                        bytes_max: query.bytes_max,
                    }),
                };
                Body::Query(v1::Query { body: Some(body) })
            }
            InstructionBody::Drill(order) => Body::Drill((&**order).into()),
        };
        Self { id: it.id, body: Some(body) }
    }
}

impl TryFrom<v1::Instruction> for Instruction {
    type Error = Invalid;

    fn try_from(it: v1::Instruction) -> Result<Self, Invalid> {
        use v1::instruction::Body;
        let body = match required("body", it.body)? {
            Body::Configure(it) => InstructionBody::Configure {
                revision: it.revision,
                toml: text("toml", it.toml, limits::CONFIGURATION_BYTES).map_err(|e| e.within("configure"))?,
            },
            Body::Resync(it) => InstructionBody::Resync(groups(it.groups).map_err(|e| e.within("resync"))?),
            Body::Query(it) => InstructionBody::Query(query(it).map_err(|e| e.within("query"))?),
            Body::Drill(it) => InstructionBody::Drill(Box::new(anomaly::drill(it).map_err(|e| e.within("drill"))?)),
        };
        Ok(Self { id: it.id, body })
    }
}

fn query(it: v1::Query) -> Result<Query, Invalid> {
    use v1::query::Body;
    match required("body", it.body)? {
        Body::Status(v1::StatusQuery {}) => Ok(Query::Status),
        Body::Inspect(it) => {
            let device = text("device", it.device, limits::SCOPE_BYTES).map_err(|e| e.within("inspect"))?;
            Ok(Query::Inspect { device })
        }
        Body::Flows(it) => FlowsQuery::try_from(it).map(Query::Flows).map_err(|e| e.within("flows")),
        Body::Measure(it) => probe::measure(it).map(Query::Measure).map_err(|e| e.within("measure")),
        Body::Capture(it) => capture(it).map(Query::Capture).map_err(|e| e.within("capture")),
    }
}

fn capture(it: v1::CaptureQuery) -> Result<CaptureQuery, Invalid> {
    Ok(CaptureQuery {
        asker: Asker {
            principal: text("principal", it.principal, limits::NAME_BYTES)?,
            reason: text("reason", it.reason, limits::TEXT_BYTES)?,
        },
        file: text("file", it.file, limits::FILE_BYTES)?,
        offset: it.offset,
        bytes_max: it.bytes_max,
    })
}

impl From<&InstructionResult> for v1::InstructionResult {
    fn from(it: &InstructionResult) -> Self {
        use v1::instruction_result::Outcome;
        let outcome = match &it.outcome {
            Ok(done) => Outcome::Done(v1::Done {
                body: done.body.clone(),
                configuration_revision: done.configuration_revision,
                flows: done.flows.as_ref().map(|page| Box::new(page.into())),
            }),
            Err(error) => Outcome::Error(cut(error)),
        };
        Self { instruction_id: it.id, outcome: Some(outcome) }
    }
}

impl TryFrom<v1::InstructionResult> for InstructionResult {
    type Error = Invalid;

    fn try_from(it: v1::InstructionResult) -> Result<Self, Invalid> {
        use v1::instruction_result::Outcome;
        let outcome = match required("outcome", it.outcome)? {
            Outcome::Done(it) => Ok(Done {
                body: bytes("body", it.body, limits::RESULT_BYTES).map_err(|e| e.within("done"))?,
                configuration_revision: it.configuration_revision,
                flows: it
                    .flows
                    .map(|page| (*page).try_into().map_err(|e: Invalid| e.within("done.flows")))
                    .transpose()?,
            }),
            Outcome::Error(error) => Err(text("error", error, limits::TEXT_BYTES)?),
        };
        Ok(Self { id: it.instruction_id, outcome })
    }
}

// ---- the stream -----------------------------------------------------------------------------------------------------

impl From<&AgentMessage> for v1::AgentMessage {
    fn from(it: &AgentMessage) -> Self {
        use v1::agent_message::Body;
        let body = match it {
            AgentMessage::Hello(it) => Body::Hello(it.into()),
            AgentMessage::Batch(it) => Body::Batch(it.into()),
            AgentMessage::Digest(it) => Body::Digest(it.into()),
            AgentMessage::Result(it) => Body::Result(it.into()),
            AgentMessage::Heartbeat(it) => Body::Heartbeat(it.into()),
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<v1::AgentMessage> for AgentMessage {
    type Error = Invalid;

    fn try_from(it: v1::AgentMessage) -> Result<Self, Invalid> {
        use v1::agent_message::Body;
        match required("body", it.body)? {
            Body::Hello(it) => it.try_into().map(Self::Hello).map_err(|e: Invalid| e.within("hello")),
            Body::Batch(it) => it.try_into().map(Self::Batch),
            Body::Digest(it) => it.try_into().map(Self::Digest).map_err(|e: Invalid| e.within("digest")),
            Body::Result(it) => it.try_into().map(Self::Result).map_err(|e: Invalid| e.within("result")),
            Body::Heartbeat(it) => it.try_into().map(Self::Heartbeat).map_err(|e: Invalid| e.within("heartbeat")),
        }
    }
}

impl From<&CentreMessage> for v1::CentreMessage {
    fn from(it: &CentreMessage) -> Self {
        use v1::centre_message::Body;
        let body = match it {
            CentreMessage::Welcome(it) => Body::Welcome(it.into()),
            CentreMessage::Acknowledgement(it) => Body::Acknowledgement(it.into()),
            CentreMessage::Rejection(it) => Body::Rejection(it.into()),
            CentreMessage::Instruction(it) => Body::Instruction(it.into()),
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<v1::CentreMessage> for CentreMessage {
    type Error = Invalid;

    fn try_from(it: v1::CentreMessage) -> Result<Self, Invalid> {
        use v1::centre_message::Body;
        match required("body", it.body)? {
            Body::Welcome(it) => it.try_into().map(Self::Welcome).map_err(|e: Invalid| e.within("welcome")),
            Body::Acknowledgement(it) => {
                it.try_into().map(Self::Acknowledgement).map_err(|e: Invalid| e.within("acknowledgement"))
            }
            Body::Rejection(it) => it.try_into().map(Self::Rejection).map_err(|e: Invalid| e.within("rejection")),
            Body::Instruction(it) => it.try_into().map(Self::Instruction).map_err(|e: Invalid| e.within("instruction")),
        }
    }
}

macro_rules! owned {
    ($($message:ident)+) => {$(
        impl From<$message> for v1::$message {
            fn from(it: $message) -> Self {
                (&it).into()
            }
        }
    )+};
}

owned! {
    Hello Welcome Heartbeat Batch Acknowledgement Rejection Digest Instruction InstructionResult AgentMessage
    CentreMessage
}

// ---- enrolment ------------------------------------------------------------------------------------------------------

impl From<EnrolRequest> for v1::EnrolRequest {
    fn from(it: EnrolRequest) -> Self {
        Self { token: it.token, certificate_request: it.certificate_request, version: it.version }
    }
}

impl TryFrom<v1::EnrolRequest> for EnrolRequest {
    type Error = Invalid;

    fn try_from(it: v1::EnrolRequest) -> Result<Self, Invalid> {
        Ok(Self {
            token: text("token", it.token, limits::TOKEN_BYTES)?,
            certificate_request: bytes("certificate_request", it.certificate_request, limits::CERTIFICATE_BYTES)?,
            version: text("version", it.version, limits::VERSION_BYTES)?,
        })
    }
}

impl From<EnrolResponse> for v1::EnrolResponse {
    fn from(it: EnrolResponse) -> Self {
        Self {
            certificate_chain: it.certificate_chain,
            ca_certificate: it.ca_certificate,
            agent_id: it.agent.raw(),
            site_id: it.site.raw(),
            site_name: it.site_name,
        }
    }
}

impl TryFrom<v1::EnrolResponse> for EnrolResponse {
    type Error = Invalid;

    fn try_from(it: v1::EnrolResponse) -> Result<Self, Invalid> {
        count("certificate_chain", it.certificate_chain.len(), limits::CHAIN_CERTIFICATES)?;
        let certificate = |(index, der): (usize, Vec<u8>)| {
            bytes(&format!("certificate_chain[{index}]"), der, limits::CERTIFICATE_BYTES)
        };
        Ok(Self {
            certificate_chain: it
                .certificate_chain
                .into_iter()
                .enumerate()
                .map(certificate)
                .collect::<Result<_, _>>()?,
            ca_certificate: bytes("ca_certificate", it.ca_certificate, limits::CERTIFICATE_BYTES)?,
            agent: AgentId::from_raw(it.agent_id),
            site: SiteId::from_raw(it.site_id),
            site_name: name("site_name", it.site_name)?,
        })
    }
}
