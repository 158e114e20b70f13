//! Rows of forwarding and address tables as protobuf, written without an allocation: they come by the thousand with each
//! reading of a switch, and each is encoded to be hashed and compared.
//!
//! Invariant: the bytes are those that prost makes of the same [`v1::FactChange`], as a test of
//! `codec` proves on any of them.

use std::{borrow::Cow, net::IpAddr};

use onenet_topology::{
    MacAddr,
    fact::{Address, FactBody, Forwarding, ForwardingStatus},
};

use crate::{limits, v1};

/// Fields of `FactChange`.
const GONE: u8 = 2;
const FORWARDING: u8 = 6;
const ADDRESS: u8 = 7;

/// How a field is encoded: a number, or bytes behind their length.
const NUMBER: u8 = 0;
const BYTES: u8 = 2;

/// A row that is a fact and is written as one without ever being a [`FactBody`].
pub trait FactRow {
    /// Writes what [`codec::fact_message`](crate::codec::fact_message) makes of the fact behind what is in `out`.
    fn write_message(&self, out: &mut Vec<u8>);

    /// Writes what [`codec::gone_message`](crate::codec::gone_message) makes of the fact's key behind what is in `out`.
    fn write_gone_message(&self, out: &mut Vec<u8>);

    /// Returns the fact.
    fn to_body(&self) -> FactBody;
}

/// A [`Forwarding`] that borrows the name of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ForwardingRow<'a> {
    mac: MacAddr,
    vlan: Option<u16>,
    /// Empty where there is none.
    interface: &'a str,
    bridge_port: u32,
    status: ForwardingStatus,
}

/// An [`Address`] that borrows the name of its interface.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressRow<'a> {
    ip: IpAddr,
    interface: Cow<'a, str>,
    mac: MacAddr,
}

impl<'a> ForwardingRow<'a> {
    /// Returns a row that breaks no limit: see [`limits::fit_fact`].
    pub fn new(
        (mac, vlan): (MacAddr, Option<u16>),
        interface: Option<&'a str>,
        bridge_port: u32,
        status: ForwardingStatus,
    ) -> Self {
        let interface = limits::beginning(interface.unwrap_or_default(), limits::NAME_BYTES);
        Self { mac, vlan: vlan.filter(|vlan| *vlan != 0), interface, bridge_port, status }
    }

    /// Returns how the row came to be.
    pub const fn status(&self) -> ForwardingStatus {
        self.status
    }

    /// Returns whether it names the interface.
    pub const fn has_interface(&self) -> bool {
        !self.interface.is_empty()
    }

    fn of(row: &'a Forwarding) -> Self {
        let Forwarding { mac, vlan, ref interface, bridge_port, status } = *row;
        Self { mac, vlan, interface: interface.as_deref().unwrap_or_default(), bridge_port, status }
    }

    fn vlan(&self) -> u64 {
        self.vlan.unwrap_or(0).into()
    }

    fn write_station(&self, out: &mut Vec<u8>) {
        write_bytes(1, &self.mac.0, out);
        write_number(2, self.vlan(), out);
    }
}

impl FactRow for ForwardingRow<'_> {
    fn write_message(&self, out: &mut Vec<u8>) {
        let status = u64::try_from(i32::from(v1::ForwardingStatus::from(self.status))).unwrap_or_default();
        let (interface, port) = (self.interface.as_bytes(), self.bridge_port.into());
        let bytes = bytes_size(6) + number_size(self.vlan()) + bytes_size(interface.len()) + number_size(port);
        head(FORWARDING, bytes + number_size(status), out);
        self.write_station(out);
        write_bytes(3, interface, out);
        write_number(4, port, out);
        write_number(5, status, out);
    }

    fn write_gone_message(&self, out: &mut Vec<u8>) {
        write_number(GONE, 1, out);
        head(FORWARDING, bytes_size(6) + number_size(self.vlan()), out);
        self.write_station(out);
    }

    fn to_body(&self) -> FactBody {
        let Self { mac, vlan, interface, bridge_port, status } = *self;
        let interface = Some(interface).filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        FactBody::Forwarding(Forwarding { mac, vlan, interface, bridge_port, status })
    }
}

impl<'a> AddressRow<'a> {
    /// Returns a row that breaks no limit: see [`limits::fit_fact`].
    pub fn new(ip: IpAddr, interface: impl Into<Cow<'a, str>>, mac: MacAddr) -> Self {
        let interface = match interface.into() {
            Cow::Borrowed(name) => limits::beginning(name, limits::NAME_BYTES).into(),
            Cow::Owned(mut name) => {
                limits::cut(&mut name, limits::NAME_BYTES);
                name.into()
            }
        };
        Self { ip, interface, mac }
    }

    fn of(row: &'a Address) -> Self {
        Self { ip: row.ip, interface: row.interface.as_str().into(), mac: row.mac }
    }

    fn write_place(&self, ip: &[u8], out: &mut Vec<u8>) {
        write_bytes(1, ip, out);
        write_bytes(2, self.interface.as_bytes(), out);
    }
}

impl FactRow for AddressRow<'_> {
    fn write_message(&self, out: &mut Vec<u8>) {
        with_octets(self.ip, |ip| {
            head(ADDRESS, bytes_size(ip.len()) + bytes_size(self.interface.len()) + bytes_size(6), out);
            self.write_place(ip, out);
            write_bytes(3, &self.mac.0, out);
        });
    }

    fn write_gone_message(&self, out: &mut Vec<u8>) {
        with_octets(self.ip, |ip| {
            write_number(GONE, 1, out);
            head(ADDRESS, bytes_size(ip.len()) + bytes_size(self.interface.len()), out);
            self.write_place(ip, out);
        });
    }

    fn to_body(&self) -> FactBody {
        FactBody::Address(Address { ip: self.ip, interface: self.interface.clone().into_owned(), mac: self.mac })
    }
}

/// Writes a fact behind what is in `out`. Returns whether it is one of those that are written here.
pub(crate) fn write_fact(body: &FactBody, out: &mut Vec<u8>) -> bool {
    match body {
        FactBody::Forwarding(row) => ForwardingRow::of(row).write_message(out),
        FactBody::Address(row) => AddressRow::of(row).write_message(out),
        _ => return false,
    }
    true
}

/// Writes that a fact is gone, which takes its key alone, behind what is in `out`. Returns whether it is one of those that are
/// written here.
pub(crate) fn write_gone(body: &FactBody, out: &mut Vec<u8>) -> bool {
    match body {
        FactBody::Forwarding(row) => ForwardingRow::of(row).write_gone_message(out),
        FactBody::Address(row) => AddressRow::of(row).write_gone_message(out),
        _ => return false,
    }
    true
}

fn with_octets(ip: IpAddr, work: impl FnOnce(&[u8])) {
    match ip {
        IpAddr::V4(v4) => work(&v4.octets()),
        IpAddr::V6(v6) => work(&v6.octets()),
    }
}

/// Writes what stands before a message of so many bytes.
fn head(field: u8, bytes: usize, out: &mut Vec<u8>) {
    out.push(field << 3 | BYTES);
    varint(bytes as u64, out);
}

/// Writes bytes; none are left out.
fn write_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        head(field, bytes.len(), out);
        out.extend_from_slice(bytes);
    }
}

/// Writes a number; 0 is left out.
fn write_number(field: u8, number: u64, out: &mut Vec<u8>) {
    if number != 0 {
        out.push(field << 3 | NUMBER);
        varint(number, out);
    }
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while let high @ 1.. = number >> 7 {
        out.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number = high;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

/// Returns how many bytes a number takes with its tag, none for 0.
fn number_size(number: u64) -> usize {
    if number == 0 { 0 } else { 1 + varint_size(number) }
}

/// Returns how many bytes so many bytes take with their tag and length, none for none.
fn bytes_size(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { 1 + varint_size(bytes as u64) + bytes }
}

fn varint_size(number: u64) -> usize {
    usize::try_from((number | 1).ilog2() / 7 + 1).unwrap_or(1)
}
