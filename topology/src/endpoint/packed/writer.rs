//! Packing: see [`Packed`] for the order.

use std::{net::IpAddr, sync::Arc};

use super::{
    super::{
        Origin, Recognition,
        evidence::{BoundAddress, Classified, Evidence, Witness},
    },
    CURRENT, FLAG_BITS, HAS_INTERFACE, HAS_VLAN, Packed,
};
use crate::{fact::Host, varint};

impl From<&Evidence> for Packed {
    fn from(it: &Evidence) -> Self {
        if *it == Evidence::default() {
            return Self::default();
        }
        let mut writer = Writer::default();
        let addresses = it.addresses.iter().flat_map(|address| &address.witnesses);
        let statements = it.statements.iter().map(|statement| &statement.witness);
        let classified = it.classified.iter().map(|it| &it.witness);
        let all = it.witnesses.iter().chain(addresses).chain(statements).chain(classified);
        all.for_each(|witness| writer.witness(witness));
        let mut bytes = Vec::with_capacity(writer.bytes.len() + 256);
        varint::put(&mut bytes, it.witnesses.len() as u64);
        varint::put_bytes(&mut bytes, &writer.bytes);
        varint::put(&mut bytes, it.addresses.len() as u64);
        it.addresses.iter().for_each(|address| put_address(&mut bytes, address));
        varint::put(&mut bytes, it.statements.len() as u64);
        it.statements.iter().for_each(|statement| varint::put_bytes(&mut bytes, &host_bytes(&statement.host)));
        varint::put(&mut bytes, it.classified.len() as u64);
        it.classified.iter().for_each(|it| put_classified(&mut bytes, it));
        Self { origins: writer.origins.into(), bytes: bytes.into() }
    }
}

#[derive(Default)]
struct Writer {
    origins: Vec<Arc<Origin>>,
    bytes: Vec<u8>,
    /// The time that others are told from: of the first sight, milliseconds.
    base: Option<i64>,
}

impl Writer {
    fn witness(&mut self, it: &Witness) {
        let known = self.origins.iter().position(|origin| *origin == it.source.origin);
        let number = known.unwrap_or_else(|| {
            self.origins.push(Arc::clone(&it.source.origin));
            self.origins.len() - 1
        });
        let mut flags = if it.current { CURRENT } else { 0 };
        flags |= if it.vlan.is_some() { HAS_VLAN } else { 0 };
        flags |= if it.interface.is_some() { HAS_INTERFACE } else { 0 };
        varint::put(&mut self.bytes, (number as u64) << FLAG_BITS | flags);
        self.bytes.extend_from_slice(&it.source.fact.to_le_bytes());
        let (first, last) = (it.first_seen.unix_ms(), it.last_seen.unix_ms());
        varint::put(&mut self.bytes, varint::zigzag(first.wrapping_sub(self.base.unwrap_or_default())));
        varint::put(&mut self.bytes, varint::zigzag(last.wrapping_sub(first)));
        if let Some(vlan) = it.vlan {
            varint::put(&mut self.bytes, vlan.into());
        }
        if let Some(interface) = &it.interface {
            varint::put_bytes(&mut self.bytes, interface.as_bytes());
        }
        self.base.get_or_insert(first);
    }
}

fn put_address(bytes: &mut Vec<u8>, it: &BoundAddress) {
    varint::put(bytes, it.space.raw());
    match it.ip {
        IpAddr::V4(ip) => varint::put_bytes(bytes, &ip.octets()),
        IpAddr::V6(ip) => varint::put_bytes(bytes, &ip.octets()),
    }
    varint::put(bytes, it.witnesses.len() as u64);
}

fn host_bytes(it: &Host) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    // The name first: it is asked for alone.
    varint::put_bytes(&mut bytes, it.hostname.as_bytes());
    varint::put_bytes(&mut bytes, it.vendor_class.as_bytes());
    varint::put_bytes(&mut bytes, &it.parameter_list);
    varint::put_bytes(&mut bytes, &it.client_id);
    varint::put(&mut bytes, it.mac.to_u64());
    bytes
}

fn put_classified(bytes: &mut Vec<u8>, it: &Classified) {
    put_recognition(bytes, it.since);
    varint::put(bytes, it.past.len() as u64);
    it.past.iter().for_each(|past| put_recognition(bytes, *past));
    varint::put_bytes(bytes, it.conclusion.as_bytes());
}

/// Numbers of classes and systems begin with 1.
fn put_recognition(bytes: &mut Vec<u8>, it: Recognition) {
    varint::put(bytes, varint::zigzag(it.since.unix_ms()));
    varint::put(bytes, it.class.map_or(0, |class| class.number().into()));
    varint::put(bytes, it.os.map_or(0, |os| os.number().into()));
}
