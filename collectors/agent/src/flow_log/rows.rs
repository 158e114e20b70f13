//! The flows of a payload, one after the other, and only those that are wanted.
//!
//! Invariants: whatever the bytes are, reading ends without a panic, with at most as many flows as the caller said; memory is in
//! proportion to the payload. What is asked of addresses, ports and applications is decided once for each entry of the tables and
//! then looked up, so that a flow that is not wanted costs little more than stepping over it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    fact::Scope,
    flow::{Flow, FlowEnd, FlowParty, FlowQuery, TcpFlow, TcpState},
    varint::{self, unzigzag},
};

use super::block::{COLUMNS, Column, Ends, FRAME_BYTES};

/// The payload is not one: it was damaged after its checksum was made, or is of another format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of the flow log cannot be decoded: its column {0} is wrong")]
pub(super) struct Undecodable(pub(super) usize);

/// One end of flows, without its port.
#[derive(Debug, Clone, Copy)]
struct Party {
    ip: IpAddr,
    mac: Option<MacAddr>,
    /// Whether it is what the question calls the endpoint, and the peer.
    is_endpoint: bool,
    is_peer: bool,
}

/// A service as its table has it.
#[derive(Debug, Clone)]
struct Service {
    responder: Party,
    port: u16,
    protocol: u8,
    vlan: Option<u16>,
    application: Option<Application>,
    by_payload: bool,
    interface: Option<Scope>,
    /// Whether protocol and application are wanted, and whether the port is.
    is_wanted: bool,
    has_port: bool,
}

/// A TCP state with its history.
#[derive(Debug, Clone, Copy)]
struct Kind<'a> {
    state: TcpState,
    history: &'a str,
}

/// The tables of a payload.
#[derive(Debug)]
struct Tables<'a> {
    parties: Vec<Party>,
    services: Vec<Service>,
    names: Vec<&'a str>,
    kinds: Vec<Kind<'a>>,
}

/// Reads flows one after the other.
pub(super) struct Rows<'a> {
    tables: Tables<'a>,
    columns: [&'a [u8]; COLUMNS],
    query: &'a FlowQuery,
    ends: Ends,
    left: u32,
}

/// A flow that was stepped onto.
pub(super) struct Row<'r, 'a> {
    pub(super) end: Timestamp,
    start: Timestamp,
    service: &'r Service,
    originator: Party,
    originator_port: u16,
    name: &'a str,
    kind: Option<Kind<'a>>,
    packets: [u64; 2],
    bytes: [u64; 2],
    retransmissions: [u64; 2],
    handshake: u64,
}

impl<'a> Rows<'a> {
    /// Returns the reader of a payload with so many flows, of which those are wanted that the question asks for.
    pub(super) fn new(payload: &'a [u8], flows: u32, query: &'a FlowQuery) -> Result<Self, Undecodable> {
        let mut columns: [&[u8]; COLUMNS] = [&[]; COLUMNS];
        let mut rest = payload;
        for (at, column) in columns.iter_mut().enumerate() {
            *column = varint::take_bytes(&mut rest).ok_or(Undecodable(at))?;
        }
        let tables = Tables::read(&columns, query)?;
        Ok(Self { tables, columns, query, ends: Ends::new(), left: flows })
    }

    /// Steps onto the next flow. Returns it with whether it is wanted; `None` after the last. After an error there is no going on.
    pub(super) fn next(&mut self) -> Option<Result<(Row<'_, 'a>, bool), Undecodable>> {
        self.left = self.left.checked_sub(1)?;
        let query = self.query;
        Some(self.step().map(|row| {
            let wanted = row.is_wanted(query);
            (row, wanted)
        }))
    }

    fn step(&mut self) -> Result<Row<'_, 'a>, Undecodable> {
        let Self { tables, columns, ends, .. } = self;
        let mut number = |column: Column| take(columns, column);
        let service = entry(&tables.services, number(Column::Service)?, Column::Service)?;
        let originator = *entry(&tables.parties, number(Column::Originator)?, Column::Originator)?;
        let name = entry_from_one(&tables.names, number(Column::Name)?, Column::Name)?.copied().unwrap_or_default();
        let kind = entry_from_one(&tables.kinds, number(Column::Kind)?, Column::Kind)?.copied();
        let step = unzigzag(number(Column::End)?);
        let duration = unzigzag(number(Column::Duration)?);
        let packets = [number(Column::PacketsOut)?, number(Column::PacketsIn)?];
        let bytes = [number(Column::BytesOut)?, number(Column::BytesIn)?];
        let (retransmissions, handshake) = match kind {
            None => ([0, 0], 0),
            Some(_) => {
                ([number(Column::RetransmissionsOut)?, number(Column::RetransmissionsIn)?], number(Column::Handshake)?)
            }
        };
        let port = [take_byte(columns, Column::PortHigh)?, take_byte(columns, Column::PortLow)?];
        let state = kind.map(|kind| kind.state.number());
        let end = ends.before(state, service.protocol).wrapping_add(step);
        ends.set(state, service.protocol, end);
        Ok(Row {
            end: Timestamp::from_unix_ms(end),
            start: Timestamp::from_unix_ms(end.wrapping_sub(duration)),
            service,
            originator,
            originator_port: u16::from_be_bytes(port),
            name,
            kind,
            packets,
            bytes,
            retransmissions,
            handshake,
        })
    }
}

impl Row<'_, '_> {
    /// What [`FlowQuery::wants`] says, from what was decided of the tables.
    fn is_wanted(&self, query: &FlowQuery) -> bool {
        let (one, other) = (&self.originator, &self.service.responder);
        self.service.is_wanted
            && self.end >= query.from
            && self.start < query.until
            && ((one.is_endpoint && other.is_peer) || (other.is_endpoint && one.is_peer))
            && (self.service.has_port || query.port == Some(self.originator_port))
    }

    /// Returns the flow.
    pub(super) fn flow(&self) -> Flow {
        let end = |party: &Party, port| FlowEnd { ip: party.ip, port, mac: party.mac };
        let bytes = |at: usize| {
            let (above, packets) = (self.bytes.get(at).copied(), self.packets.get(at).copied());
            let least = packets.unwrap_or_default().wrapping_mul(FRAME_BYTES);
            unzigzag(above.unwrap_or_default()).cast_unsigned().wrapping_add(least)
        };
        let [packets_out, packets_in] = self.packets;
        let [retransmissions_out, retransmissions_in] = self.retransmissions;
        Flow {
            protocol: self.service.protocol,
            originator: end(&self.originator, self.originator_port),
            responder: end(&self.service.responder, self.service.port),
            vlan: self.service.vlan,
            packets_out,
            packets_in,
            bytes_out: bytes(0),
            bytes_in: bytes(1),
            start: self.start,
            end: self.end,
            application: self.service.application,
            by_payload: self.service.by_payload,
            name: self.name.to_owned(),
            tcp: self.kind.map(|kind| TcpFlow {
                state: kind.state,
                history: kind.history.to_owned(),
                retransmissions_out,
                retransmissions_in,
                handshake_us: self.handshake.checked_sub(1),
            }),
            interface: self.service.interface.clone(),
        }
    }
}

impl<'a> Tables<'a> {
    fn read(columns: &[&'a [u8]; COLUMNS], query: &FlowQuery) -> Result<Self, Undecodable> {
        let column = |column: Column| columns.get(column as usize).copied().unwrap_or_default();
        let addresses = addresses(column(Column::V4), column(Column::V6))?;
        let (macs, rest) = column(Column::Macs).as_chunks::<6>();
        if !rest.is_empty() {
            return Err(wrong(Column::Macs));
        }
        let parties = entries(column(Column::Ends), Column::Ends, |rest| {
            let address = *addresses.get(usize::try_from(varint::take(rest)?).ok()?)?;
            let mac = match varint::take(rest)?.checked_sub(1) {
                None => None,
                Some(place) => Some(MacAddr(*macs.get(usize::try_from(place).ok()?)?)),
            };
            Some(party(address, mac, query))
        })?;
        let interfaces =
            entries(column(Column::Interfaces), Column::Interfaces, |rest| varint::take_text(rest).map(Scope::new))?;
        let services =
            entries(column(Column::Services), Column::Services, |rest| service(rest, &parties, &interfaces, query))?;
        let kinds = entries(column(Column::Kinds), Column::Kinds, |rest| {
            let (state, behind) = rest.split_first()?;
            *rest = behind;
            Some(Kind { state: TcpState::numbered(*state)?, history: varint::take_text(rest)? })
        })?;
        Ok(Self { parties, services, names: entries(column(Column::Names), Column::Names, varint::take_text)?, kinds })
    }
}

fn addresses(v4: &[u8], v6: &[u8]) -> Result<Vec<IpAddr>, Undecodable> {
    let mut before: u32 = 0;
    let mut all = entries(v4, Column::V4, |rest| {
        before = before.checked_add(u32::try_from(varint::take(rest)?).ok()?)?;
        Some(IpAddr::V4(Ipv4Addr::from_bits(before)))
    })?;
    let (v6, rest) = v6.as_chunks::<16>();
    all.extend(v6.iter().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))));
    if rest.is_empty() { Ok(all) } else { Err(wrong(Column::V6)) }
}

fn party(ip: IpAddr, mac: Option<MacAddr>, query: &FlowQuery) -> Party {
    let is = |wanted: &Option<FlowParty>| wanted.is_none_or(|wanted| wanted.is(&FlowEnd { ip, port: 0, mac }));
    Party { ip, mac, is_endpoint: is(&query.endpoint), is_peer: is(&query.peer) }
}

fn service(rest: &mut &[u8], parties: &[Party], interfaces: &[Scope], query: &FlowQuery) -> Option<Service> {
    let responder = *parties.get(usize::try_from(varint::take(rest)?).ok()?)?;
    let port = u16::try_from(varint::take(rest)?).ok()?;
    let protocol = u8::try_from(varint::take(rest)?).ok()?;
    let vlan = varint::take(rest)?.checked_sub(1).map(u16::try_from).transpose().ok()?;
    let carried = varint::take(rest)?;
    // An application that a newer agent wrote is not recognised here.
    let application = Application::numbered(u8::try_from(carried >> 1).ok()?);
    let interface = match varint::take(rest)?.checked_sub(1) {
        None => None,
        Some(place) => Some(interfaces.get(usize::try_from(place).ok()?)?.clone()),
    };
    let is_wanted = query.protocol.is_none_or(|wanted| wanted == protocol)
        && query.application.is_none_or(|wanted| application == Some(wanted));
    Some(Service {
        responder,
        port,
        protocol,
        vlan,
        application,
        by_payload: carried & 1 != 0,
        interface,
        is_wanted,
        has_port: query.port.is_none_or(|wanted| wanted == port),
    })
}

/// Returns what a table's column holds. Each entry takes a byte at least.
fn entries<'a, T>(
    mut rest: &'a [u8],
    column: Column,
    mut take: impl FnMut(&mut &'a [u8]) -> Option<T>,
) -> Result<Vec<T>, Undecodable> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        all.push(take(&mut rest).ok_or(wrong(column))?);
    }
    Ok(all)
}

fn entry<T>(table: &[T], place: u64, column: Column) -> Result<&T, Undecodable> {
    usize::try_from(place).ok().and_then(|place| table.get(place)).ok_or(wrong(column))
}

fn entry_from_one<T>(table: &[T], place: u64, column: Column) -> Result<Option<&T>, Undecodable> {
    place.checked_sub(1).map(|place| entry(table, place, column)).transpose()
}

#[inline]
fn take(columns: &mut [&[u8]; COLUMNS], column: Column) -> Result<u64, Undecodable> {
    columns.get_mut(column as usize).and_then(varint::take).ok_or(wrong(column))
}

fn take_byte(columns: &mut [&[u8]; COLUMNS], column: Column) -> Result<u8, Undecodable> {
    let bytes = columns.get_mut(column as usize).ok_or(wrong(column))?;
    let (byte, rest) = bytes.split_first().ok_or(wrong(column))?;
    *bytes = rest;
    Ok(*byte)
}

const fn wrong(column: Column) -> Undecodable {
    Undecodable(column as usize)
}
