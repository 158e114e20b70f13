//! Agents as the store keeps them.

use onenet_topology::{AgentId, SiteId, Timestamp};
use onenet_wire::tls::Fingerprint;
use prost::Message;

use super::{Problem, time};
use crate::estate::{Agent, AgentClock, Boot, Certificate, Contact, LaneMark, Refused, Revocation};

#[derive(Message)]
struct RevocationRow {
    #[prost(int64, tag = "1")]
    time_ms: i64,
    #[prost(string, tag = "2")]
    by: String,
    #[prost(string, tag = "3")]
    reason: String,
}

#[derive(Message)]
struct CertificateRow {
    #[prost(bytes = "vec", tag = "1")]
    fingerprint: Vec<u8>,
    #[prost(int64, tag = "2")]
    expires_ms: i64,
}

#[derive(Message)]
struct RefusedRow {
    #[prost(uint64, tag = "1")]
    revision: u64,
    #[prost(int64, tag = "2")]
    time_ms: i64,
    #[prost(string, tag = "3")]
    reason: String,
}

#[derive(Message)]
struct LaneRow {
    #[prost(fixed64, optional, tag = "1")]
    epoch: Option<u64>,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(int64, optional, tag = "3")]
    closed_ms: Option<i64>,
    #[prost(fixed64, repeated, tag = "4")]
    retired: Vec<u64>,
}

#[derive(Message)]
struct BootRow {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(int64, tag = "2")]
    zero_ms: i64,
    #[prost(bool, tag = "3")]
    measured: bool,
}

#[derive(Message)]
struct AgentRow {
    #[prost(int64, tag = "1")]
    enrolled_ms: i64,
    #[prost(message, optional, tag = "2")]
    revoked: Option<RevocationRow>,
    #[prost(string, tag = "3")]
    version: String,
    #[prost(int64, optional, tag = "4")]
    connected_since_ms: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    last_heard_ms: Option<i64>,
    #[prost(int64, optional, tag = "6")]
    silent_since_ms: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    boots: Vec<BootRow>,
    #[prost(sint64, optional, tag = "8")]
    offset_ms: Option<i64>,
    #[prost(message, optional, tag = "9")]
    state: Option<LaneRow>,
    #[prost(message, optional, tag = "10")]
    history: Option<LaneRow>,
    #[prost(uint64, tag = "11")]
    configuration_revision: u64,
    #[prost(uint64, tag = "12")]
    history_waiting: u64,
    #[prost(message, optional, tag = "13")]
    certificate: Option<CertificateRow>,
    #[prost(message, optional, tag = "14")]
    refused: Option<RefusedRow>,
    #[prost(uint64, optional, tag = "15")]
    stream: Option<u64>,
    #[prost(int64, optional, tag = "16")]
    disconnected_since_ms: Option<i64>,
}

pub(in crate::store) fn write_agent(agent: &Agent) -> Vec<u8> {
    let ms = |it: Option<Timestamp>| it.map(Timestamp::unix_ms);
    let lane = |mark: &LaneMark| LaneRow {
        epoch: mark.epoch,
        sequence: mark.sequence,
        closed_ms: ms(mark.closed),
        retired: mark.retired.clone(),
    };
    let boot = |it: &Boot| BootRow { id: it.id.to_vec(), zero_ms: it.zero.unix_ms(), measured: it.measured };
    AgentRow {
        enrolled_ms: agent.enrolled.unix_ms(),
        revoked: agent.revoked.as_ref().map(|it| RevocationRow {
            time_ms: it.time.unix_ms(),
            by: it.by.clone(),
            reason: it.reason.clone(),
        }),
        version: agent.version.clone(),
        connected_since_ms: ms(agent.contact.connected_since),
        last_heard_ms: ms(agent.contact.last_heard),
        silent_since_ms: ms(agent.contact.silent_since),
        boots: agent.clock.boots.iter().map(boot).collect(),
        offset_ms: agent.clock.offset_ms,
        state: Some(lane(&agent.state)),
        history: Some(lane(&agent.history)),
        configuration_revision: agent.configuration_revision,
        history_waiting: agent.history_waiting,
        certificate: agent
            .certificate
            .map(|it| CertificateRow { fingerprint: it.fingerprint.0.to_vec(), expires_ms: it.expires.unix_ms() }),
        refused: agent.refused.as_ref().map(|it| RefusedRow {
            revision: it.revision,
            time_ms: it.time.unix_ms(),
            reason: it.reason.clone(),
        }),
        stream: agent.contact.stream,
        disconnected_since_ms: ms(agent.contact.disconnected_since),
    }
    .encode_to_vec()
}

pub(in crate::store) fn read_agent(site: SiteId, id: AgentId, value: &[u8]) -> Result<Agent, Problem> {
    let row = AgentRow::decode(value).map_err(|error| error.to_string())?;
    let revocation = |it: RevocationRow| Revocation { time: time(it.time_ms), by: it.by, reason: it.reason };
    Ok(Agent {
        id,
        site,
        enrolled: time(row.enrolled_ms),
        revoked: row.revoked.map(revocation),
        version: row.version,
        contact: Contact {
            connected_since: row.connected_since_ms.map(time),
            stream: row.stream,
            disconnected_since: row.disconnected_since_ms.map(time),
            last_heard: row.last_heard_ms.map(time),
            silent_since: row.silent_since_ms.map(time),
        },
        clock: AgentClock {
            boots: row.boots.into_iter().map(read_boot).collect::<Result<_, _>>()?,
            offset_ms: row.offset_ms,
        },
        state: row.state.map(read_lane).unwrap_or_default(),
        history: row.history.map(read_lane).unwrap_or_default(),
        configuration_revision: row.configuration_revision,
        history_waiting: row.history_waiting,
        certificate: row.certificate.map(read_certificate).transpose()?,
        refused: row.refused.map(|it| Refused { revision: it.revision, time: time(it.time_ms), reason: it.reason }),
    })
}

fn read_certificate(row: CertificateRow) -> Result<Certificate, Problem> {
    let fingerprint = row.fingerprint.try_into().map_err(|_| "a fingerprint has 32 bytes")?;
    Ok(Certificate { fingerprint: Fingerprint(fingerprint), expires: time(row.expires_ms) })
}

fn read_lane(row: LaneRow) -> LaneMark {
    LaneMark { epoch: row.epoch, sequence: row.sequence, closed: row.closed_ms.map(time), retired: row.retired }
}

fn read_boot(row: BootRow) -> Result<Boot, Problem> {
    let id = row.id.try_into().map_err(|_| "a boot id has 16 bytes")?;
    Ok(Boot { id, zero: time(row.zero_ms), measured: row.measured })
}
