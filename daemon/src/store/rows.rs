//! Values of the store: domain types to bytes and back.
//!
//! Invariant: messages are frozen like the wire's: fields are added with new numbers, never changed or used again.

mod agent;
mod availability;
mod classified;
mod coverage;

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use onenet_topology::{
    AgentId, DeviceId, EndpointId, InterfaceId, MacAddr, SpaceId, Timestamp,
    device::{Answering, Device, Handle, Interface},
    endpoint::{BoundAddress, Endpoint, Evidence, HostStatement, Located, Origin, Source, Witness},
    fact::{Entity, Fact, FactBody, Group, Host, Method, Reach, ReachState, Scope, System},
    inference::{Place, Where},
};
use onenet_wire::codec;
use prost::Message;

use super::keys::method_number;
use crate::estate::Held;

pub(super) use agent::{read_agent, write_agent};
pub(super) use availability::{read_piece, write_piece};
pub(super) use coverage::{read_trend, write_trend};

type Problem = String;

#[derive(Message)]
struct WitnessRow {
    /// Place in the row's list of groups.
    #[prost(uint32, tag = "1")]
    group: u32,
    #[prost(fixed64, tag = "2")]
    fact: u64,
    #[prost(int64, tag = "3")]
    first_ms: i64,
    /// Milliseconds after the first.
    #[prost(sint64, tag = "4")]
    last_after_ms: i64,
    #[prost(bool, tag = "5")]
    current: bool,
    #[prost(uint32, optional, tag = "6")]
    vlan: Option<u32>,
    #[prost(string, optional, tag = "7")]
    interface: Option<String>,
}

#[derive(Message)]
struct GroupRow {
    #[prost(fixed64, tag = "1")]
    agent: u64,
    #[prost(uint32, tag = "2")]
    method: u32,
    #[prost(string, tag = "3")]
    scope: String,
}

#[derive(Message)]
struct AddressRow {
    #[prost(fixed64, tag = "1")]
    space: u64,
    #[prost(bytes = "vec", tag = "2")]
    ip: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    witnesses: Vec<WitnessRow>,
}

#[derive(Message)]
struct StatementRow {
    #[prost(message, optional, tag = "1")]
    witness: Option<WitnessRow>,
    #[prost(bytes = "vec", tag = "2")]
    host: Vec<u8>,
}

#[derive(Message)]
struct EndpointRow {
    #[prost(uint64, tag = "1")]
    mac: u64,
    #[prost(message, repeated, tag = "2")]
    groups: Vec<GroupRow>,
    #[prost(message, repeated, tag = "3")]
    witnesses: Vec<WitnessRow>,
    #[prost(message, repeated, tag = "4")]
    addresses: Vec<AddressRow>,
    #[prost(message, repeated, tag = "5")]
    statements: Vec<StatementRow>,
    #[prost(message, optional, tag = "6")]
    located: Option<LocatedRow>,
    #[prost(int64, optional, tag = "7")]
    silent_since_ms: Option<i64>,
    #[prost(int64, optional, tag = "8")]
    retired_since_ms: Option<i64>,
    #[prost(message, repeated, tag = "9")]
    classified: Vec<classified::ClassifiedRow>,
}

#[derive(Message)]
struct WhereRow {
    #[prost(fixed64, tag = "1")]
    device: u64,
    /// Absent where only the device could be told.
    #[prost(fixed64, optional, tag = "2")]
    interface: Option<u64>,
    #[prost(uint32, optional, tag = "3")]
    vlan: Option<u32>,
}

#[derive(Message)]
struct LocatedRow {
    #[prost(message, optional, tag = "1")]
    at: Option<WhereRow>,
    #[prost(int64, tag = "2")]
    since_ms: i64,
    #[prost(message, optional, tag = "3")]
    contender: Option<WhereRow>,
    #[prost(int64, tag = "4")]
    contender_since_ms: i64,
}

#[derive(Message)]
struct HandleRow {
    #[prost(fixed64, tag = "1")]
    agent: u64,
    #[prost(string, tag = "2")]
    scope: String,
}

#[derive(Message)]
struct AnsweringRow {
    #[prost(fixed64, tag = "1")]
    agent: u64,
    #[prost(int64, tag = "2")]
    since_ms: i64,
    #[prost(int64, tag = "3")]
    observed_ms: i64,
    /// 1 answering, 2 silent, 3 refusing.
    #[prost(uint32, tag = "4")]
    state: u32,
    #[prost(string, tag = "5")]
    detail: String,
    #[prost(string, tag = "6")]
    target: String,
}

#[derive(Message)]
struct InterfaceRow {
    #[prost(fixed64, tag = "1")]
    id: u64,
    #[prost(bool, tag = "2")]
    current: bool,
    /// The fact, with the time at which it was observed.
    #[prost(bytes = "vec", tag = "3")]
    said: Vec<u8>,
}

#[derive(Message)]
struct DeviceRow {
    #[prost(int64, tag = "1")]
    first_seen_ms: i64,
    #[prost(message, repeated, tag = "2")]
    handles: Vec<HandleRow>,
    #[prost(message, repeated, tag = "3")]
    answering: Vec<AnsweringRow>,
    #[prost(bytes = "vec", optional, tag = "4")]
    system: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    entities: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    interfaces: Vec<InterfaceRow>,
}

const fn time(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

// ---- small values -------------------------------------------------------------------------------------------------

pub(super) fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    // Our own types with text keys: nothing in them can fail to serialise.
    serde_json::to_vec(value).unwrap_or_default()
}

pub(super) fn from_json<'v, T: serde::Deserialize<'v>>(value: &'v [u8]) -> Result<T, Problem> {
    serde_json::from_slice(value).map_err(|error| error.to_string())
}

pub(super) fn write_position(position: u64, time: Timestamp) -> Vec<u8> {
    [position.to_be_bytes(), time.unix_ms().to_be_bytes()].concat()
}

pub(super) fn read_position(value: &[u8]) -> Result<(u64, Timestamp), Problem> {
    let (position, ms) = value.split_first_chunk::<8>().ok_or("the position is cut short")?;
    let ms = ms.first_chunk::<8>().ok_or("the position is cut short")?;
    Ok((u64::from_be_bytes(*position), time(i64::from_be_bytes(*ms))))
}

pub(super) fn write_held(held: &Held) -> Vec<u8> {
    let fact = codec::encode_fact(&held.fact);
    let mut value = Vec::with_capacity(9 + fact.len());
    value.extend_from_slice(&held.shift_ms.to_be_bytes());
    value.push(u8::from(held.uncertain));
    value.extend_from_slice(&fact);
    value
}

pub(super) fn read_held(value: &[u8]) -> Result<Held, Problem> {
    let (shift_ms, rest) = value.split_first_chunk::<8>().ok_or("the fact is cut short")?;
    let (uncertain, fact) = rest.split_first().ok_or("the fact is cut short")?;
    let fact = codec::decode_fact(fact).map_err(|error| error.to_string())?;
    Ok(Held { fact, shift_ms: i64::from_be_bytes(*shift_ms), uncertain: *uncertain != 0 })
}

fn write_body(observed: Timestamp, body: FactBody) -> Vec<u8> {
    codec::encode_fact(&Fact { observed, body })
}

fn read_body(bytes: &[u8]) -> Result<Fact, Problem> {
    codec::decode_fact(bytes).map_err(|error| error.to_string())
}

/// Reads rows into a list with room for them and no more: the usual one makes room for four, where most have one.
fn exactly<R, T>(rows: Vec<R>, read: impl Fn(R) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(read(row)?);
    }
    Ok(all)
}

// ---- endpoints ----------------------------------------------------------------------------------------------------

/// The groups that a row's witnesses name, each written once.
#[derive(Default)]
struct Groups(Vec<Arc<Origin>>);

impl Groups {
    fn number(&mut self, source: &Source) -> u32 {
        let known = self.0.iter().position(|origin| *origin == source.origin);
        let number = known.unwrap_or_else(|| {
            self.0.push(Arc::clone(&source.origin));
            self.0.len() - 1
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    fn write(&mut self, witness: &Witness) -> WitnessRow {
        WitnessRow {
            group: self.number(&witness.source),
            fact: witness.source.fact,
            first_ms: witness.first_seen.unix_ms(),
            last_after_ms: witness.last_seen.ms_since(witness.first_seen),
            current: witness.current,
            vlan: witness.vlan.map(u32::from),
            interface: witness.interface.as_deref().map(str::to_owned),
        }
    }

    fn write_all(&mut self, witnesses: &[Witness]) -> Vec<WitnessRow> {
        witnesses.iter().map(|witness| self.write(witness)).collect()
    }

    fn read(&self, row: WitnessRow) -> Result<Witness, Problem> {
        let index = usize::try_from(row.group).map_err(|error| error.to_string())?;
        let origin = self.0.get(index).ok_or("a witness names a group that is not listed")?;
        let vlan = row.vlan.map(u16::try_from).transpose().map_err(|error| error.to_string())?;
        Ok(Witness {
            source: Source { origin: Arc::clone(origin), fact: row.fact },
            first_seen: time(row.first_ms),
            last_seen: time(row.first_ms.saturating_add(row.last_after_ms)),
            current: row.current,
            vlan,
            interface: row.interface.map(Into::into),
        })
    }

    fn read_all(&self, rows: Vec<WitnessRow>) -> Result<Vec<Witness>, Problem> {
        exactly(rows, |row| self.read(row))
    }
}

pub(super) fn write_endpoint(endpoint: &Endpoint) -> Vec<u8> {
    let mut groups = Groups::default();
    let evidence = endpoint.evidence.unpack();
    let witnesses = groups.write_all(&evidence.witnesses);
    let addresses = evidence
        .addresses
        .iter()
        .map(|it| AddressRow { space: it.space.raw(), ip: ip_bytes(it.ip), witnesses: groups.write_all(&it.witnesses) })
        .collect();
    let statements = evidence
        .statements
        .into_iter()
        .map(|it| StatementRow {
            witness: Some(groups.write(&it.witness)),
            host: write_body(Timestamp::EPOCH, FactBody::Host(Box::new(it.host))),
        })
        .collect();
    let classified = evidence.classified.iter().map(|it| classified::write(&mut groups, endpoint.mac, it)).collect();
    let groups = groups
        .0
        .into_iter()
        .map(|origin| GroupRow {
            agent: origin.agent.raw(),
            method: u32::from(method_number(origin.group.method)),
            scope: origin.group.scope.as_str().to_owned(),
        })
        .collect();
    EndpointRow {
        mac: endpoint.mac.to_u64(),
        groups,
        witnesses,
        addresses,
        statements,
        located: endpoint.located.as_ref().map(write_located),
        silent_since_ms: endpoint.silent_since.map(Timestamp::unix_ms),
        retired_since_ms: endpoint.retired_since.map(Timestamp::unix_ms),
        classified,
    }
    .encode_to_vec()
}

/// Reads an endpoint; its witnesses share their origins with those that were read before.
pub(super) fn read_endpoint(id: EndpointId, value: &[u8], origins: &mut Origins) -> Result<Endpoint, Problem> {
    let row = EndpointRow::decode(value).map_err(|error| error.to_string())?;
    let groups = row.groups.iter().map(|it| origins.read(it)).collect::<Result<_, _>>().map(Groups)?;
    let mut addresses = Vec::with_capacity(row.addresses.len());
    for it in row.addresses {
        let witnesses = groups.read_all(it.witnesses)?;
        addresses.push(BoundAddress { space: SpaceId::from_raw(it.space), ip: read_ip(&it.ip)?, witnesses });
    }
    let mut statements = Vec::with_capacity(row.statements.len());
    for it in row.statements {
        let witness = groups.read(it.witness.ok_or("a statement without a witness")?)?;
        statements.push(HostStatement { witness, host: read_host(&it.host)? });
    }
    let mac = MacAddr::from_u64(row.mac).ok_or("the MAC address has more than 48 bits")?;
    let evidence = Evidence {
        witnesses: groups.read_all(row.witnesses)?,
        addresses,
        statements,
        classified: exactly(row.classified, |it| classified::read(&groups, it))?,
    };
    Ok(Endpoint {
        id,
        mac,
        evidence: evidence.into(),
        located: row.located.map(read_located).transpose()?,
        silent_since: row.silent_since_ms.map(time),
        retired_since: row.retired_since_ms.map(time),
    })
}

fn write_where(at: Where) -> Option<WhereRow> {
    match at {
        Where::Port(place) => Some(WhereRow {
            device: place.device.raw(),
            interface: Some(place.interface.raw()),
            vlan: place.vlan.map(u32::from),
        }),
        Where::Behind { device, vlan } => {
            Some(WhereRow { device: device.raw(), interface: None, vlan: vlan.map(u32::from) })
        }
        Where::Nowhere => None,
    }
}

fn read_where(row: Option<WhereRow>) -> Result<Where, Problem> {
    let Some(row) = row else { return Ok(Where::Nowhere) };
    let device = DeviceId::from_raw(row.device);
    let vlan = row.vlan.map(u16::try_from).transpose().map_err(|error| error.to_string())?;
    Ok(match row.interface {
        Some(interface) => Where::Port(Place { device, interface: InterfaceId::from_raw(interface), vlan }),
        None => Where::Behind { device, vlan },
    })
}

fn write_located(located: &Located) -> LocatedRow {
    LocatedRow {
        at: write_where(located.at),
        since_ms: located.since.unix_ms(),
        contender: located.contender.as_deref().and_then(|(at, _)| write_where(*at)),
        contender_since_ms: located.contender.as_deref().map_or(0, |(_, since)| since.unix_ms()),
    }
}

fn read_located(row: LocatedRow) -> Result<Located, Problem> {
    let contender = match row.contender {
        Some(contender) => Some(Box::new((read_where(Some(contender))?, time(row.contender_since_ms)))),
        None => None,
    };
    Ok(Located { at: read_where(row.at)?, since: time(row.since_ms), contender })
}

/// Origins of witnesses that were read, each once.
#[derive(Default)]
pub(super) struct Origins(BTreeSet<Arc<Origin>>);

impl Origins {
    fn read(&mut self, row: &GroupRow) -> Result<Arc<Origin>, Problem> {
        let index = usize::try_from(row.method).ok().and_then(|number| number.checked_sub(1));
        let method =
            *index.and_then(|index| Method::ALL.get(index)).ok_or("a method that this version does not know")?;
        let group = Group { method, scope: Scope::new(&row.scope) };
        let origin = Origin { agent: AgentId::from_raw(row.agent), group };
        Ok(self.0.get(&origin).cloned().unwrap_or_else(|| {
            let origin = Arc::new(origin);
            self.0.insert(Arc::clone(&origin));
            origin
        }))
    }
}

fn read_host(bytes: &[u8]) -> Result<Host, Problem> {
    match read_body(bytes)?.body {
        FactBody::Host(host) => Ok(*host),
        _ => Err("a statement that is not a host's".into()),
    }
}

fn ip_bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn read_ip(bytes: &[u8]) -> Result<IpAddr, Problem> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).map_err(|_| "an IP address has 4 or 16 bytes".into())
}

// ---- devices ------------------------------------------------------------------------------------------------------

pub(super) fn write_device(device: &Device) -> Vec<u8> {
    let handle = |it: &Handle| HandleRow { agent: it.agent.raw(), scope: it.scope.as_str().to_owned() };
    let answering = |it: &Answering| AnsweringRow {
        agent: it.agent.raw(),
        since_ms: it.since.unix_ms(),
        observed_ms: it.observed.unix_ms(),
        state: match it.reach.state {
            ReachState::Answering => 1,
            ReachState::Silent => 2,
            ReachState::Refusing => 3,
        },
        detail: it.reach.detail.clone(),
        target: it.reach.target.clone(),
    };
    let interface = |it: &Arc<Interface>| InterfaceRow {
        id: it.id.raw(),
        current: it.current,
        said: write_body(it.observed, FactBody::Interface(it.said.clone())),
    };
    let fact = |body: FactBody| write_body(Timestamp::EPOCH, body);
    DeviceRow {
        first_seen_ms: device.first_seen.unix_ms(),
        handles: device.handles.iter().map(handle).collect(),
        answering: device.answering.iter().map(answering).collect(),
        system: device
            .system
            .clone()
            .map(|system| write_body(device.system_observed, FactBody::System(Box::new(system)))),
        entities: device.entities.iter().map(|entity| fact(FactBody::Entity(Box::new(entity.clone())))).collect(),
        interfaces: device.interfaces.iter().map(interface).collect(),
    }
    .encode_to_vec()
}

pub(super) fn read_device(id: DeviceId, value: &[u8]) -> Result<Device, Problem> {
    let row = DeviceRow::decode(value).map_err(|error| error.to_string())?;
    let handle = |it: HandleRow| Handle { agent: AgentId::from_raw(it.agent), scope: Scope::new(&it.scope) };
    let system = row.system.map(|bytes| read_system(&bytes)).transpose()?;
    let (system_observed, system) = system.map_or((Timestamp::EPOCH, None), |(at, system)| (at, Some(system)));
    Ok(Device {
        id,
        first_seen: time(row.first_seen_ms),
        handles: row.handles.into_iter().map(handle).collect(),
        answering: exactly(row.answering, read_answering)?,
        system,
        system_observed,
        entities: exactly(row.entities, |bytes| read_entity(&bytes))?,
        interfaces: exactly(row.interfaces, |row| read_interface(&row))?,
    })
}

fn read_answering(row: AnsweringRow) -> Result<Answering, Problem> {
    let state = match row.state {
        1 => ReachState::Answering,
        2 => ReachState::Silent,
        3 => ReachState::Refusing,
        other => return Err(format!("reach state {other} is not known to this version")),
    };
    Ok(Answering {
        agent: AgentId::from_raw(row.agent),
        since: time(row.since_ms),
        observed: time(row.observed_ms),
        reach: Reach { state, detail: row.detail, target: row.target },
    })
}

fn read_system(bytes: &[u8]) -> Result<(Timestamp, System), Problem> {
    let fact = read_body(bytes)?;
    match fact.body {
        FactBody::System(system) => Ok((fact.observed, *system)),
        _ => Err("a system that is none".into()),
    }
}

fn read_entity(bytes: &[u8]) -> Result<Entity, Problem> {
    match read_body(bytes)?.body {
        FactBody::Entity(entity) => Ok(*entity),
        _ => Err("an entity that is none".into()),
    }
}

fn read_interface(row: &InterfaceRow) -> Result<Arc<Interface>, Problem> {
    let fact = read_body(&row.said)?;
    let FactBody::Interface(said) = fact.body else { return Err("an interface that is none".into()) };
    let id = InterfaceId::from_raw(row.id);
    Ok(Arc::new(Interface { id, observed: fact.observed, current: row.current, said }))
}
