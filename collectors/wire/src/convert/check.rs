//! The checks of single fields.

use std::net::IpAddr;

use onenet_topology::MacAddr;

use crate::{Invalid, Problem, limits};

/// Returns the field's message, or says that it is missing.
pub(super) fn required<T>(field: &str, value: Option<T>) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, Problem::Missing))
}

/// Returns the text where it keeps the limit.
pub(super) fn text(field: &str, value: String, limit: usize) -> Result<String, Invalid> {
    length(field, value.len(), limit)?;
    Ok(value)
}

/// Returns a name: a text of at most [`limits::NAME_BYTES`].
pub(super) fn name(field: &str, value: String) -> Result<String, Invalid> {
    text(field, value, limits::NAME_BYTES)
}

/// Returns the bytes where they keep the limit.
pub(super) fn bytes(field: &str, value: Vec<u8>, limit: usize) -> Result<Vec<u8>, Invalid> {
    length(field, value.len(), limit)?;
    Ok(value)
}

/// Refuses a length over the limit.
pub(super) fn length(field: &str, length: usize, limit: usize) -> Result<(), Invalid> {
    if length > limit { Err(Invalid::new(field, Problem::TooLong { length, limit })) } else { Ok(()) }
}

/// Refuses a count over the limit.
pub(super) fn count(field: &str, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit { Err(Invalid::new(field, Problem::TooMany { count, limit })) } else { Ok(()) }
}

/// Returns the number where it is in the range.
pub(super) fn range<N: Copy + PartialOrd + Into<i128>>(field: &str, value: N, least: N, most: N) -> Result<N, Invalid> {
    if value < least || value > most {
        let problem = Problem::OutOfRange { value: value.into(), least: least.into(), most: most.into() };
        return Err(Invalid::new(field, problem));
    }
    Ok(value)
}

/// Returns an age as milliseconds.
pub(super) fn age(field: &str, value: u64) -> Result<i64, Invalid> {
    let value = range(field, value, 0, limits::AGE_MS)?;
    Ok(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Returns a VLAN; 0 is none.
pub(super) fn vlan(value: u32) -> Result<Option<u16>, Invalid> {
    range("vlan", value, 0, u32::from(u16::MAX))?;
    Ok(u16::try_from(value).ok().filter(|vlan| *vlan != 0))
}

/// Returns a MAC address.
pub(super) fn mac(field: &str, value: &[u8]) -> Result<MacAddr, Invalid> {
    let problem = || Problem::Length { length: value.len(), expected: "6" };
    Ok(MacAddr(value.try_into().map_err(|_| Invalid::new(field, problem()))?))
}

/// Returns a MAC address, or none for the empty string.
pub(super) fn optional_mac(field: &str, value: &[u8]) -> Result<Option<MacAddr>, Invalid> {
    if value.is_empty() { Ok(None) } else { mac(field, value).map(Some) }
}

/// Returns an IP address.
pub(super) fn ip(field: &str, value: &[u8]) -> Result<IpAddr, Invalid> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Ok(octets.into());
    }
    let problem = || Problem::Length { length: value.len(), expected: "4 or 16" };
    <[u8; 16]>::try_from(value).map(IpAddr::from).map_err(|_| Invalid::new(field, problem()))
}

/// Returns an IP address as the wire has it.
pub(super) fn ip_bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Returns an enumeration's value; unspecified counts as missing.
pub(super) fn enumerated<W: TryFrom<i32>, D>(field: &str, value: i32) -> Result<D, Invalid>
where
    D: FromWire<W>,
{
    if value == 0 {
        return Err(Invalid::new(field, Problem::Missing));
    }
    let known = W::try_from(value).ok().and_then(D::from_wire);
    known.ok_or_else(|| Invalid::new(field, Problem::Unknown { value }))
}

/// Returns an enumeration's value; unspecified is none.
pub(super) fn optional_enumerated<W: TryFrom<i32>, D>(field: &str, value: i32) -> Result<Option<D>, Invalid>
where
    D: FromWire<W>,
{
    if value == 0 { Ok(None) } else { enumerated(field, value).map(Some) }
}

/// A domain enumeration that has a twin on the wire.
pub(super) trait FromWire<W>: Sized {
    /// Returns the twin, `None` for the wire's unspecified value.
    fn from_wire(wire: W) -> Option<Self>;
}
