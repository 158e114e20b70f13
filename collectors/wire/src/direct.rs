//! Rows of forwarding and address tables as protobuf, written without an allocation: they come by the thousand with each
//! reading of a switch, and each is encoded to be hashed and compared.
//!
//! Invariant: the bytes are those that prost makes of the same [`v1::FactChange`], as a test of
//! `codec` proves on any of them.

use std::net::IpAddr;

use onenet_topology::fact::{Address, FactBody, Forwarding};

use crate::v1;

/// Fields of `FactChange`.
const GONE: u8 = 2;
const FORWARDING: u8 = 6;
const ADDRESS: u8 = 7;

/// How a field is encoded: a number, or bytes behind their length.
const NUMBER: u8 = 0;
const BYTES: u8 = 2;

/// Writes a fact behind what is in `out`. Returns whether it is one of those that are written here.
pub(crate) fn write_fact(body: &FactBody, out: &mut Vec<u8>) -> bool {
    match body {
        FactBody::Forwarding(row) => {
            let interface = row.interface.as_deref().unwrap_or_default();
            let status = u64::try_from(i32::from(v1::ForwardingStatus::from(row.status))).unwrap_or_default();
            let (vlan, port) = (row.vlan.unwrap_or(0).into(), row.bridge_port.into());
            let bytes = bytes_size(6) + number_size(vlan) + bytes_size(interface.len()) + number_size(port);
            head(FORWARDING, bytes + number_size(status), out);
            write_station(row, vlan, out);
            write_bytes(3, interface.as_bytes(), out);
            write_number(4, port, out);
            write_number(5, status, out);
        }
        FactBody::Address(row) => {
            let size = |ip: &[u8]| bytes_size(ip.len()) + bytes_size(row.interface.len()) + bytes_size(6);
            with_octets(row.ip, |ip| {
                head(ADDRESS, size(ip), out);
                write_place(row, ip, out);
                write_bytes(3, &row.mac.0, out);
            });
        }
        _ => return false,
    }
    true
}

/// Writes that a fact is gone, which takes its key alone, behind what is in `out`. Returns whether it is one of those that are
/// written here.
pub(crate) fn write_gone(body: &FactBody, out: &mut Vec<u8>) -> bool {
    match body {
        FactBody::Forwarding(row) => {
            let vlan = row.vlan.unwrap_or(0).into();
            write_number(GONE, 1, out);
            head(FORWARDING, bytes_size(6) + number_size(vlan), out);
            write_station(row, vlan, out);
        }
        FactBody::Address(row) => with_octets(row.ip, |ip| {
            write_number(GONE, 1, out);
            head(ADDRESS, bytes_size(ip.len()) + bytes_size(row.interface.len()), out);
            write_place(row, ip, out);
        }),
        _ => return false,
    }
    true
}

fn write_station(row: &Forwarding, vlan: u64, out: &mut Vec<u8>) {
    write_bytes(1, &row.mac.0, out);
    write_number(2, vlan, out);
}

fn write_place(row: &Address, ip: &[u8], out: &mut Vec<u8>) {
    write_bytes(1, ip, out);
    write_bytes(2, row.interface.as_bytes(), out);
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
