//! Some thousand flows as one lump of bytes: tables of what repeats, then a column for each property.
//!
//! Invariant: what [`encode`] was given, [`Rows`](super::rows::Rows) gives back, in the same order.
//!
//! Format of a payload, before compression: columns in the order of [`Columns`], each as its length and its bytes; all numbers
//! are LEB128, those with a sign as zigzag. Tables first:
//!
//! | column | entries |
//! |---|---|
//! | v4 | IPv4 addresses as numbers, in order, each less the one before |
//! | v6 | IPv6 addresses, 16 bytes each; their places follow those of v4 |
//! | macs | link addresses, 6 bytes each |
//! | names, interfaces | texts: length, bytes |
//! | kinds | number of the TCP state (one byte), then the history as a text |
//! | ends | place of the address, place of the link address from 1 (0: none) |
//! | services | place of the responder's end, its port, protocol, VLAN + 1 (0: none), application (0: none) × 2 + by payload, place of the interface from 1 |
//!
//! then a value a flow: place of the service; place of the originator's end; place of the name from 1; the low byte of the
//! originator's port; its high byte; place of the kind from 1 (0: not TCP); the end in milliseconds, less the last one of the
//! same TCP state, or of the same protocol (the first: less the end of the flow before); end less start; packets out, in;
//! bytes out, in, less 60 a packet; and of TCP flows alone retransmissions out, in, and handshake + 1 (0: none).

use std::net::IpAddr;

use onenet_topology::{
    MacAddr,
    application::Application,
    flow::{Flow, FlowEnd},
    varint::{self, zigzag},
};

use super::told::{Told, went};

/// The least length of a frame on Ethernet without its checksum: most packets are little longer.
pub(super) const FRAME_BYTES: u64 = 60;

/// How many columns a payload has.
pub(super) const COLUMNS: usize = 23;

/// Names of the columns, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Column {
    V4,
    V6,
    Macs,
    Names,
    Interfaces,
    Kinds,
    Ends,
    Services,
    Service,
    Originator,
    Name,
    PortLow,
    PortHigh,
    Kind,
    End,
    Duration,
    PacketsOut,
    PacketsIn,
    BytesOut,
    BytesIn,
    RetransmissionsOut,
    RetransmissionsIn,
    Handshake,
}

/// The columns of a payload.
struct Columns([Vec<u8>; COLUMNS]);

/// What a flow goes to, and as what: flows to the same service share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Service {
    responder: u32,
    port: u16,
    protocol: u8,
    vlan: Option<u16>,
    application: Option<Application>,
    by_payload: bool,
    interface: u32,
}

/// The tables while flows are looked at, and the places of each flow.
struct Tables {
    addresses: Told<IpAddr>,
    macs: Told<MacAddr>,
    names: Told<String>,
    interfaces: Told<String>,
    kinds: Told<(u8, String)>,
    ends: Told<(u32, u32)>,
    services: Told<Service>,
    rows: Vec<Row>,
}

/// Places of one flow.
#[derive(Debug, Clone, Copy)]
struct Row {
    service: u32,
    originator: u32,
    name: u32,
    kind: u32,
}

/// Remembers the ends of flows by class, to tell how far the next is from the one before it.
pub(super) struct Ends {
    by_class: Vec<Option<i64>>,
    last: i64,
}

/// Classes of ends: one a TCP state, one a protocol.
const STATES: usize = 16;

impl Ends {
    pub(super) fn new() -> Self {
        Self { by_class: vec![None; STATES + 256], last: 0 }
    }

    /// Returns what the next end of a class is told from.
    pub(super) fn before(&self, state: Option<u8>, protocol: u8) -> i64 {
        self.by_class.get(class(state, protocol)).copied().flatten().unwrap_or(self.last)
    }

    pub(super) fn set(&mut self, state: Option<u8>, protocol: u8, end: i64) {
        if let Some(slot) = self.by_class.get_mut(class(state, protocol)) {
            *slot = Some(end);
        }
        self.last = end;
    }
}

fn class(state: Option<u8>, protocol: u8) -> usize {
    state.map_or(STATES + usize::from(protocol), |state| usize::from(state) % STATES)
}

/// Returns the flows as a payload, not compressed.
pub(super) fn encode(flows: &[Flow]) -> Vec<u8> {
    let mut tables = Tables::new(flows.len());
    for flow in flows {
        tables.add(flow);
    }
    let mut columns = Columns(std::array::from_fn(|_| Vec::new()));
    let rows = tables.write(&mut columns);
    let mut ends = Ends::new();
    for (flow, row) in flows.iter().zip(&rows) {
        columns.write(flow, *row, &mut ends);
    }
    columns.joined()
}

impl Tables {
    fn new(flows: usize) -> Self {
        Self {
            addresses: Told::new(),
            macs: Told::new(),
            names: Told::new(),
            interfaces: Told::new(),
            kinds: Told::new(),
            ends: Told::new(),
            services: Told::new(),
            rows: Vec::with_capacity(flows),
        }
    }

    fn add(&mut self, flow: &Flow) {
        let (originator, responder) = (self.end(&flow.originator), self.end(&flow.responder));
        let interface = flow.interface.as_ref().map(onenet_topology::fact::Scope::as_str);
        let service = Service {
            responder,
            port: flow.responder.port,
            protocol: flow.protocol,
            vlan: flow.vlan,
            application: flow.application,
            by_payload: flow.by_payload,
            interface: interface.map_or(0, |name| text(&mut self.interfaces, name)),
        };
        let row = Row {
            service: self.services.place(&service),
            originator,
            name: if flow.name.is_empty() { 0 } else { text(&mut self.names, &flow.name) },
            kind: flow
                .tcp
                .as_ref()
                .map_or(0, |tcp| self.kinds.place(&(tcp.state.number(), tcp.history.clone())).saturating_add(1)),
        };
        self.rows.push(row);
    }

    fn end(&mut self, end: &FlowEnd) -> u32 {
        let mac = end.mac.map_or(0, |mac| self.macs.place(&mac).saturating_add(1));
        let address = self.addresses.place(&end.ip);
        self.ends.place(&(address, mac))
    }

    /// Writes the tables. Returns the places of each flow, as they are now.
    fn write(self, columns: &mut Columns) -> Vec<Row> {
        let (addresses, to_address) = self.addresses.sorted();
        let mut before = 0;
        for address in addresses {
            match address {
                IpAddr::V4(ip) => {
                    columns.put(Column::V4, u64::from(ip.to_bits() - before));
                    before = ip.to_bits();
                }
                IpAddr::V6(ip) => columns.get(Column::V6).extend_from_slice(&ip.octets()),
            }
        }
        let (macs, to_mac) = self.macs.sorted();
        for mac in &macs {
            columns.get(Column::Macs).extend_from_slice(&mac.0);
        }
        let (names, to_name) = self.names.ranked();
        for name in &names {
            columns.put_text(Column::Names, name);
        }
        let (interfaces, to_interface) = self.interfaces.ranked();
        for name in &interfaces {
            columns.put_text(Column::Interfaces, name);
        }
        let (kinds, to_kind) = self.kinds.ranked();
        for (state, history) in &kinds {
            columns.get(Column::Kinds).push(*state);
            columns.put_text(Column::Kinds, history);
        }
        let (ends, to_end) = self.ends.ranked();
        for (address, mac) in ends {
            columns.put(Column::Ends, went(&to_address, address).into());
            columns.put(Column::Ends, from_one(&to_mac, mac).into());
        }
        let (services, to_service) = self.services.ranked();
        for service in services {
            let interface = from_one(&to_interface, service.interface);
            columns.put_service(&Service { responder: went(&to_end, service.responder), interface, ..service });
        }
        let row = |row: Row| Row {
            service: went(&to_service, row.service),
            originator: went(&to_end, row.originator),
            name: from_one(&to_name, row.name),
            kind: from_one(&to_kind, row.kind),
        };
        self.rows.into_iter().map(row).collect()
    }
}

impl Columns {
    fn get(&mut self, column: Column) -> &mut Vec<u8> {
        #[expect(clippy::indexing_slicing, reason = "a column is the index of one of them")]
        &mut self.0[column as usize]
    }

    fn put(&mut self, column: Column, number: u64) {
        varint::put(self.get(column), number);
    }

    fn put_text(&mut self, column: Column, text: &str) {
        varint::put_bytes(self.get(column), text.as_bytes());
    }

    fn put_service(&mut self, service: &Service) {
        let application = service.application.map_or(0, Application::number);
        let numbers = [
            u64::from(service.responder),
            u64::from(service.port),
            u64::from(service.protocol),
            service.vlan.map_or(0, |vlan| u64::from(vlan) + 1),
            u64::from(application) << 1 | u64::from(service.by_payload),
            u64::from(service.interface),
        ];
        for number in numbers {
            self.put(Column::Services, number);
        }
    }

    fn write(&mut self, flow: &Flow, row: Row, ends: &mut Ends) {
        let [high, low] = flow.originator.port.to_be_bytes();
        let state = flow.tcp.as_ref().map(|tcp| tcp.state.number());
        let end = flow.end.unix_ms();
        let step = end.wrapping_sub(ends.before(state, flow.protocol));
        ends.set(state, flow.protocol, end);
        self.put(Column::Service, row.service.into());
        self.put(Column::Originator, row.originator.into());
        self.put(Column::Name, row.name.into());
        self.get(Column::PortLow).push(low);
        self.get(Column::PortHigh).push(high);
        self.put(Column::Kind, row.kind.into());
        self.put(Column::End, zigzag(step));
        self.put(Column::Duration, zigzag(end.wrapping_sub(flow.start.unix_ms())));
        self.put(Column::PacketsOut, flow.packets_out);
        self.put(Column::PacketsIn, flow.packets_in);
        self.put(Column::BytesOut, above_least(flow.bytes_out, flow.packets_out));
        self.put(Column::BytesIn, above_least(flow.bytes_in, flow.packets_in));
        if let Some(tcp) = &flow.tcp {
            self.put(Column::RetransmissionsOut, tcp.retransmissions_out);
            self.put(Column::RetransmissionsIn, tcp.retransmissions_in);
            self.put(Column::Handshake, tcp.handshake_us.map_or(0, |us| us.saturating_add(1)));
        }
    }

    fn joined(self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.0.iter().map(|column| column.len() + 4).sum());
        for column in self.0 {
            varint::put(&mut payload, column.len() as u64);
            payload.extend_from_slice(&column);
        }
        payload
    }
}

/// Returns the place of a text, from 1.
fn text(told: &mut Told<String>, it: &str) -> u32 {
    told.place(it).saturating_add(1)
}

/// Returns where a place that counts from 1 went; 0 stays.
fn from_one(to: &[u32], place: u32) -> u32 {
    place.checked_sub(1).map_or(0, |place| went(to, place).saturating_add(1))
}

/// Returns by how much bytes exceed the least that so many packets have.
fn above_least(bytes: u64, packets: u64) -> u64 {
    zigzag(bytes.wrapping_sub(packets.wrapping_mul(FRAME_BYTES)).cast_signed())
}
