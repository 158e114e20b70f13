//! Physical parts and their serial numbers: ENTITY-MIB (RFC 6933).

use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow},
    mib::{Polled, ReadTable, Reading, cell, columns::columns, word_of},
    value::Value,
};

pub(crate) const PHYSICAL_TABLE: &str = "entPhysicalTable";

columns!(ENTITIES: [1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1] {
    DESCR = 2 "entPhysicalDescr",
    CONTAINED_IN = 4 "entPhysicalContainedIn",
    CLASS = 5 "entPhysicalClass",
    NAME = 7 "entPhysicalName",
    HARDWARE = 8 "entPhysicalHardwareRev",
    FIRMWARE = 9 "entPhysicalFirmwareRev",
    SOFTWARE = 10 "entPhysicalSoftwareRev",
    SERIAL = 11 "entPhysicalSerialNum",
    MAKER = 12 "entPhysicalMfgName",
    MODEL = 13 "entPhysicalModelName",
});

const CLASSES: [&str; 12] = [
    "other",
    "unknown",
    "chassis",
    "backplane",
    "container",
    "power_supply",
    "fan",
    "sensor",
    "module",
    "port",
    "stack",
    "cpu",
];

/// A physical part of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// entPhysicalIndex.
    pub index: u32,
    /// The index of the part this one is in; 0 for none.
    pub contained_in: Reading<u64>,
    /// entPhysicalClass.
    pub class: Reading<&'static str>,
    /// entPhysicalName.
    pub name: Reading<String>,
    /// entPhysicalDescr.
    pub description: Reading<String>,
    /// entPhysicalSerialNum. Often empty: no evidence then.
    pub serial: Reading<String>,
    /// entPhysicalModelName.
    pub model: Reading<String>,
    /// entPhysicalMfgName.
    pub manufacturer: Reading<String>,
    /// entPhysicalHardwareRev.
    pub hardware_revision: Reading<String>,
    /// entPhysicalFirmwareRev.
    pub firmware_revision: Reading<String>,
    /// entPhysicalSoftwareRev.
    pub software_revision: Reading<String>,
}

/// Returns the parts.
pub(crate) fn entities(read: &ReadTable) -> Polled<Entity> {
    let mut polled = Polled::default();
    polled.note(PHYSICAL_TABLE, read);
    for (index, row) in read.rows() {
        match *index {
            [index] => polled.rows.push(entity(index, row)),
            _ => polled.dropped.push(DroppedRow::new(PHYSICAL_TABLE, index, DropReason::InvalidIndexLength)),
        }
    }
    polled
}

fn entity(index: u32, row: &[Option<Value>]) -> Entity {
    let text = |place| Reading::text(cell(row, place));
    Entity {
        index,
        contained_in: Reading::number(cell(row, CONTAINED_IN)),
        class: Reading::of(cell(row, CLASS), |value| word_of(&CLASSES, value)),
        name: text(NAME),
        description: text(DESCR),
        serial: text(SERIAL),
        model: text(MODEL),
        manufacturer: text(MAKER),
        hardware_revision: text(HARDWARE),
        firmware_revision: text(FIRMWARE),
        software_revision: text(SOFTWARE),
    }
}
