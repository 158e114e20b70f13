//! What routes tell of the neighbourhood: next hops and connected prefixes, of inetCidrRouteTable (RFC 4292), else of
//! ipCidrRouteTable, else of ipRouteTable (both deprecated).
//!
//! Invariant: a core router has a million routes, and none of them is kept: they are counted into next hops as far as
//! [`ROUTES_MAX`] of a table, in the order of their destinations, so the default route is always among them. Where that cuts,
//! it is named (`routes_cut`), and no table that was read in part. The device's own addresses tell connected prefixes too, and are never cut.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use ipnetwork::IpNetwork;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, TableError, TableProblem},
    index::{IndexReader, inet_address},
    mib::{
        Polled, ReadTable, cell,
        columns::columns,
        interfaces::InterfaceIndex,
        own_addresses::{OwnAddress, bits_of, mask_bits},
    },
    value::Value,
};

pub(crate) const INET_TABLE: &str = "inetCidrRouteTable";
pub(crate) const CIDR_TABLE: &str = "ipCidrRouteTable";
pub(crate) const OLD_TABLE: &str = "ipRouteTable";

/// The most routes of one table that are read.
pub const ROUTES_MAX: usize = 8_192;

columns!(INET: [1, 3, 6, 1, 2, 1, 4, 24, 7, 1] {
    INET_IF_INDEX = 7 "inetCidrRouteIfIndex",
    INET_TYPE = 8 "inetCidrRouteType",
});

columns!(CIDR: [1, 3, 6, 1, 2, 1, 4, 24, 4, 1] {
    CIDR_IF_INDEX = 5 "ipCidrRouteIfIndex",
    CIDR_TYPE = 6 "ipCidrRouteType",
});

columns!(OLD: [1, 3, 6, 1, 2, 1, 4, 21, 1] {
    OLD_IF_INDEX = 2 "ipRouteIfIndex",
    OLD_NEXT_HOP = 7 "ipRouteNextHop",
    OLD_TYPE = 8 "ipRouteType",
    OLD_MASK = 11 "ipRouteMask",
});

/// Where the device sends packets on to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextHop {
    /// The next hop.
    pub ip: IpAddr,
    /// The interface towards it, where the device tells.
    pub if_index: Option<u32>,
    /// The interface's name.
    pub interface: Option<String>,
    /// How many of the routes read lead there.
    pub routes: usize,
    /// Whether a default route leads there.
    pub default_route: bool,
}

/// A prefix that the device is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectedPrefix {
    /// The prefix.
    pub prefix: IpNetwork,
    /// The interface towards it, where the device tells.
    pub if_index: Option<u32>,
    /// The interface's name.
    pub interface: Option<String>,
    /// The table that told of it.
    pub source: &'static str,
}

/// Next hops and connected prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The next hops, by address.
    pub next_hops: Vec<NextHop>,
    /// The prefixes on the device's own links, by prefix.
    pub connected_prefixes: Vec<ConnectedPrefix>,
}

/// A route.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    prefix: Option<IpNetwork>,
    next_hop: Option<IpAddr>,
    if_index: Option<u32>,
    kind: Option<u64>,
}

/// The types of routes, which have the same numbers in all three tables: local(3), or direct(3), and remote(4), or indirect(4).
const LOCAL: u64 = 3;
const REMOTE: u64 = 4;

/// Returns what the routes of a table and the device's own addresses tell. The one row holds it all.
pub(crate) fn routes(
    table: &'static str,
    read: &ReadTable,
    own: &[OwnAddress],
    interfaces: &InterfaceIndex,
) -> Polled<Routes> {
    let mut polled = Polled::default();
    polled.note(table, read);
    for error in polled.errors.iter_mut().filter(|error| error.error == TableProblem::TooManyRows) {
        *error = TableError { error: TableProblem::RoutesCut, rows: Some(read.len()), ..error.clone() };
    }
    let name = |if_index: Option<u32>| if_index.and_then(|number| interfaces.name(number)).map(str::to_owned);
    let mut next_hops: BTreeMap<(IpAddr, Option<u32>), NextHop> = BTreeMap::new();
    let mut connected: BTreeMap<(IpNetwork, Option<u32>), ConnectedPrefix> = BTreeMap::new();
    let mut connect = |prefix, if_index, source| {
        let new = || ConnectedPrefix { prefix, if_index, interface: name(if_index), source };
        connected.entry((prefix, if_index)).or_insert_with(new);
    };
    for address in own {
        if let Some(prefix) = address.prefix().filter(is_of_a_link) {
            connect(prefix, Some(address.if_index), address.source);
        }
    }
    for (index, row) in read.rows() {
        match decode(table, index, row) {
            Ok(Route { prefix: Some(prefix), if_index, kind: Some(LOCAL), .. }) if is_of_a_link(&prefix) => {
                connect(prefix, if_index, table);
            }
            Ok(Route { prefix, next_hop: Some(ip), if_index, kind: Some(REMOTE) }) if leads_on(ip) => {
                let new = || NextHop { ip, if_index, interface: name(if_index), routes: 0, default_route: false };
                let next_hop = next_hops.entry((ip, if_index)).or_insert_with(new);
                next_hop.routes += 1;
                next_hop.default_route |= prefix.is_some_and(|prefix| prefix.prefix() == 0);
            }
            Ok(_) => {}
            Err(reason) => polled.dropped.push(DroppedRow::new(table, index, reason)),
        }
    }
    polled.rows.push(Routes {
        next_hops: next_hops.into_values().collect(),
        connected_prefixes: connected.into_values().collect(),
    });
    polled
}

/// Returns whether a prefix can be a link's: more than one address, and none that stays in the machine or goes to groups.
fn is_of_a_link(prefix: &IpNetwork) -> bool {
    let ip = prefix.network();
    let ordinary = !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified();
    ordinary && prefix.prefix() > 0 && prefix.prefix() < bits_of(ip)
}

fn leads_on(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast()
}

fn decode(table: &'static str, index: &[u32], row: &[Option<Value>]) -> Result<Route, DropReason> {
    match table {
        INET_TABLE => inet_route(index, row),
        CIDR_TABLE => cidr_route(index, row),
        _ => old_route(index, row),
    }
}

/// Decodes a row of inetCidrRouteTable: its index is a destination with its type and length, the prefix's length, a policy
/// with its length, and a next hop with its type and length.
fn inet_route(index: &[u32], row: &[Option<Value>]) -> Result<Route, DropReason> {
    let mut reader = IndexReader::new(index);
    let destination = reader.inet_address()?.ip;
    let bits = reader.number()?;
    let policy = usize::try_from(reader.number()?).map_err(|_| DropReason::InvalidIndexLength)?;
    for _ in 0..policy {
        reader.number()?;
    }
    let next_hop = inet_next_hop(&mut reader)?;
    reader.end()?;
    let bits = u8::try_from(bits).map_err(|_| DropReason::InvalidAddressLength)?;
    Ok(Route {
        prefix: Some(network(destination, bits).ok_or(DropReason::InvalidAddressLength)?),
        next_hop,
        if_index: if_index(cell(row, INET_IF_INDEX)),
        kind: cell(row, INET_TYPE).and_then(Value::unsigned),
    })
}

/// Reads a next hop; of the type unknown(0) and no length when there is none.
fn inet_next_hop(reader: &mut IndexReader<'_>) -> Result<Option<IpAddr>, DropReason> {
    let kind = reader.number()?;
    let length = usize::try_from(reader.number()?).map_err(|_| DropReason::InvalidIndexLength)?;
    let octets = reader.octets(length)?;
    if kind == 0 && octets.is_empty() {
        return Ok(None);
    }
    inet_address(kind, &octets).map(|address| Some(address.ip))
}

/// Decodes a row of ipCidrRouteTable: its index is a destination, a mask, a type of service and a next hop.
fn cidr_route(index: &[u32], row: &[Option<Value>]) -> Result<Route, DropReason> {
    let mut reader = IndexReader::new(index);
    let (destination, mask) = (reader.ipv4()?, reader.ipv4()?);
    reader.number()?;
    let next_hop = reader.ipv4()?;
    reader.end()?;
    Ok(Route {
        prefix: masked(destination, mask),
        next_hop: Some(next_hop.into()),
        if_index: if_index(cell(row, CIDR_IF_INDEX)),
        kind: cell(row, CIDR_TYPE).and_then(Value::unsigned),
    })
}

/// Decodes a row of ipRouteTable: its index is a destination.
fn old_route(index: &[u32], row: &[Option<Value>]) -> Result<Route, DropReason> {
    let mut reader = IndexReader::new(index);
    let destination = reader.ipv4()?;
    reader.end()?;
    Ok(Route {
        prefix: cell(row, OLD_MASK).and_then(Value::ipv4).and_then(|mask| masked(destination, mask)),
        next_hop: cell(row, OLD_NEXT_HOP).and_then(Value::ipv4).map(IpAddr::from),
        if_index: if_index(cell(row, OLD_IF_INDEX)),
        kind: cell(row, OLD_TYPE).and_then(Value::unsigned),
    })
}

/// Returns the prefix of a mask; only the default route has none of its bits set.
fn masked(destination: Ipv4Addr, mask: Ipv4Addr) -> Option<IpNetwork> {
    if mask.is_unspecified() && !destination.is_unspecified() {
        return None;
    }
    network(destination.into(), if mask.is_unspecified() { 0 } else { mask_bits(mask.into())? })
}

fn network(ip: IpAddr, bits: u8) -> Option<IpNetwork> {
    let network = IpNetwork::new(ip, bits).ok()?;
    IpNetwork::new(network.network(), bits).ok()
}

fn if_index(cell: Option<&Value>) -> Option<u32> {
    cell.and_then(Value::unsigned).and_then(|number| u32::try_from(number).ok()).filter(|number| *number != 0)
}

#[cfg(test)]
mod tests;
