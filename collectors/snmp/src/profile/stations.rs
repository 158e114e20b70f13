//! Wireless stations: which terminal is at which access point, as the controller tells.
//!
//! Invariant: a station has a MAC address that a card can have; a row without one is in `dropped`. What else cannot be
//! understood is missing. Pure.

use std::net::IpAddr;

use onenet_topology::MacAddr;
use serde::Serialize;

use super::{
    addresses::card,
    sensors::{Computed, Condition, Formula},
    table::{Key, Operand, PartNames, Read, Row, TableSpec},
    template::Template,
};
use crate::{dropped::DroppedRow, index::mac_of, value::Value};

/// A wireless station, as its controller or access point tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Station {
    /// The station's address.
    pub mac: MacAddr,
    /// Its IP address.
    pub ip: Option<IpAddr>,
    /// Whoever is signed in with it.
    pub user: Option<String>,
    /// The access point's name, or what the controller calls it by.
    pub access_point: Option<String>,
    /// The access point's own address.
    pub access_point_mac: Option<MacAddr>,
    /// The name of the network.
    pub ssid: Option<String>,
    /// The VLAN that its frames come out in.
    pub vlan: Option<u16>,
    /// The access point's radio.
    pub radio: Option<String>,
    /// How strongly the access point receives it, in dBm.
    pub signal_dbm: Option<i16>,
    /// The rate at which the access point receives from it, in kbit/s.
    pub receive_kbps: Option<u64>,
    /// The rate at which the access point sends to it, in kbit/s.
    pub transmit_kbps: Option<u64>,
    /// The table that tells it.
    pub source: &'static str,
    /// The index of its row.
    pub index: String,
}

/// How a profile reads the stations of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StationSource {
    pub(super) table: usize,
    pub(super) mac: Key,
    pub(super) ip: Option<Key>,
    pub(super) access_point_mac: Option<Reach>,
    /// Templates for access point, SSID, radio and user, each the first that can be filled.
    pub(super) texts: [Vec<Template>; 4],
    pub(super) vlan: Option<Operand>,
    pub(super) signal_dbm: Option<Formula>,
    pub(super) receive_kbps: Option<Formula>,
    pub(super) transmit_kbps: Option<Formula>,
    pub(super) conditions: Vec<Condition>,
}

/// Where octets are: in the row's index or its own column, or where the row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Key(Key),
    Operand(Operand),
}

/// Takes the stations of one source from what was read.
pub(super) fn stations(
    source: &StationSource,
    tables: &[TableSpec],
    read: &Read,
    names: &PartNames<'_>,
) -> (Vec<Station>, Vec<DroppedRow>) {
    let (mut stations, mut dropped) = (Vec::new(), Vec::new());
    let Some(spec) = tables.get(source.table) else { return (stations, dropped) };
    for row in read.rows(tables, Some(source.table)) {
        if !source.conditions.iter().all(|condition| condition.holds(&row)) {
            continue;
        }
        match card(row.octets(source.mac)) {
            Ok(mac) => stations.push(source.station(mac, &row, names, spec.name)),
            Err(reason) => dropped.push(DroppedRow { table: spec.name, row: row.index_text(), reason }),
        }
    }
    (stations, dropped)
}

impl StationSource {
    fn station(&self, mac: MacAddr, row: &Row<'_>, names: &PartNames<'_>, source: &'static str) -> Station {
        let [access_point, ssid, radio, user] =
            self.texts.each_ref().map(|templates| templates.iter().find_map(|template| template.text(row, names)));
        let vlan = self.vlan.and_then(|operand| row.value(operand)).and_then(super::table::number);
        Station {
            mac,
            ip: self.ip.and_then(|key| address(&row.octets(key)?)),
            user,
            access_point,
            access_point_mac: self
                .access_point_mac
                .and_then(|reach| reach.octets(row))
                .and_then(|octets| mac_of_unit(&octets)),
            ssid,
            vlan: vlan
                .and_then(whole)
                .and_then(|vlan| u16::try_from(vlan).ok())
                .filter(|vlan| (1..=4094).contains(vlan)),
            radio,
            signal_dbm: computed(self.signal_dbm.as_ref(), row)
                .and_then(whole)
                .and_then(|dbm| i16::try_from(dbm).ok())
                .filter(|dbm| (-120..=0).contains(dbm)),
            receive_kbps: rate(self.receive_kbps.as_ref(), row),
            transmit_kbps: rate(self.transmit_kbps.as_ref(), row),
            source,
            index: row.index_text(),
        }
    }
}

impl Reach {
    pub(super) fn octets(self, row: &Row<'_>) -> Option<Vec<u8>> {
        match self {
            Self::Key(key) => row.octets(key),
            Self::Operand(operand) => match row.value(operand)? {
                Value::Octets(octets) => Some(octets.to_vec()),
                _ => None,
            },
        }
    }
}

/// Returns the address that octets hold: as they are, behind their length as in an index, or as text.
pub(super) fn mac(octets: &[u8]) -> Option<MacAddr> {
    let counted =
        octets.split_first().filter(|(length, rest)| usize::from(**length) == rest.len() && octets.len() != 6);
    mac_of(counted.map_or(octets, |(_, rest)| rest)).or_else(|| {
        // `001a-2b3c-4d5e`, as the controllers of H3C and Huawei write them.
        let digits: String = std::str::from_utf8(octets).ok()?.chars().filter(char::is_ascii_hexdigit).collect();
        let octets: Option<Vec<u8>> =
            (0..12).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect();
        (digits.len() == 12).then_some(octets?).and_then(|octets| <[u8; 6]>::try_from(octets).ok()).map(MacAddr)
    })
}

fn mac_of_unit(octets: &[u8]) -> Option<MacAddr> {
    mac(octets).filter(|mac| mac.0 != [0; 6])
}

/// Returns the IP address of 4 or 16 octets, or of its text; none for the unspecified ones, which stand for "not known".
pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    let found = match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    };
    found.or_else(|| std::str::from_utf8(octets).ok()?.trim().parse().ok()).filter(|ip| !ip.is_unspecified())
}

fn computed(formula: Option<&Formula>, row: &Row<'_>) -> Option<f64> {
    match formula?.compute(row) {
        Computed::Value(value) => Some(value),
        Computed::Missing | Computed::Malformed => None,
    }
}

fn rate(formula: Option<&Formula>, row: &Row<'_>) -> Option<u64> {
    let kbps = computed(formula, row).and_then(whole)?;
    u64::try_from(kbps).ok().filter(|kbps| *kbps > 0)
}

/// Returns the nearest whole number.
#[expect(clippy::cast_possible_truncation, reason = "checked to be far inside the range")]
fn whole(value: f64) -> Option<i64> {
    (value.abs() < 1e15).then(|| value.round() as i64)
}
