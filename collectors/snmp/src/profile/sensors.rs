//! From the rows that a profile reads to readings: what is measured, in the kind's unit, under a name that people know.
//!
//! Invariant: a value that the profile calls invalid, or that is not there, gives no reading, never a zero; one that cannot be
//! understood costs its own reading and is told in `dropped`. Within one kind every name is used once. Pure.

use std::collections::BTreeMap;

use onenet_topology::{SensorKind, SensorState};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{
    expression::Expression,
    table::{Operand, PartNames, Read, Row, TableSpec, number, text},
    template::Template,
};
use crate::dropped::{DropReason, DroppedRow};

/// The most readings that are taken of one device.
pub(super) const READINGS_MAX: usize = 4096;

/// What the value of a sensor may be at most, in thousandths: far above anything measured, far below where numbers lose
/// whole thousandths.
const MILLI_MAX: f64 = 9e15;

/// One measurement. Serialised with its value as a decimal number in the kind's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorReading {
    /// What is measured.
    pub kind: SensorKind,
    /// The part that it is measured at; unique within the kind.
    pub name: String,
    /// The value in thousandths of the kind's unit; `None` for a sensor that has a state alone.
    pub value_milli: Option<i64>,
    /// What the device, or a limit of its own, says of the health.
    pub state: Option<SensorState>,
    /// The limits that the device itself holds for it.
    pub limits: Limits,
    /// The object that was read.
    pub source: &'static str,
    /// The index of its row; `0` for a scalar.
    pub index: String,
}

/// Between which values a device says a sensor should be, in thousandths of the kind's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Below this it has failed or is about to.
    pub low_critical_milli: Option<i64>,
    /// Below this it is noticeable.
    pub low_warning_milli: Option<i64>,
    /// From this on it is noticeable.
    pub high_warning_milli: Option<i64>,
    /// From this on it has failed or is about to.
    pub high_critical_milli: Option<i64>,
}

/// How a profile reads one sensor of each row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sensor {
    pub(super) kind: SensorKind,
    /// The table; `None` where only scalars are read.
    pub(super) table: Option<usize>,
    pub(super) value: Option<Formula>,
    pub(super) state: Option<StateMap>,
    pub(super) names: Vec<Template>,
    pub(super) conditions: Vec<Condition>,
    /// Values of the kind's unit outside which nothing was measured.
    pub(super) range: Option<(f64, f64)>,
    /// Formulas for the limits, in the order of the fields of [`Limits`].
    pub(super) limits: [Option<Formula>; 4],
    pub(super) source: &'static str,
}

/// An expression, where its names lead, and what devices send in place of a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formula {
    pub(super) expression: Expression,
    pub(super) operands: Vec<Operand>,
    pub(super) invalid: Vec<String>,
}

/// What the numbers of an enumeration mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateMap {
    pub(super) operand: Operand,
    pub(super) states: Vec<(String, SensorState)>,
}

/// What a row must, or must not, have in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) operand: Operand,
    pub(super) values: Vec<String>,
    /// Whether one of the values must be there, or none of them may.
    pub(super) one_of: bool,
}

/// What became of a formula.
pub(super) enum Computed {
    /// Something that it needs is not there, or the device says that it is not valid.
    Missing,
    /// Something is there that is not a number, or the numbers give none.
    Malformed,
    /// The value.
    Value(f64),
}

impl Condition {
    pub(super) fn holds(&self, row: &Row<'_>) -> bool {
        let found = row.value(self.operand).and_then(text);
        found.is_some_and(|found| self.values.iter().any(|wanted| fits(wanted, &found))) == self.one_of
    }
}

/// Returns whether what was found is what is wanted, or above or below it for `>5` and `<5`.
fn fits(wanted: &str, found: &str) -> bool {
    let compared = |limit: &str| Some((found.parse::<f64>().ok()?, limit.trim().parse::<f64>().ok()?));
    if let Some((found, limit)) = wanted.strip_prefix('>').and_then(compared) {
        return found > limit;
    }
    if let Some((found, limit)) = wanted.strip_prefix('<').and_then(compared) {
        return found < limit;
    }
    wanted == found
}

impl Formula {
    pub(super) fn compute(&self, row: &Row<'_>) -> Computed {
        let mut numbers = Vec::with_capacity(self.operands.len());
        for operand in &self.operands {
            let Some(value) = row.value(*operand) else { return Computed::Missing };
            let written = text(value);
            if written.is_some_and(|written| written.is_empty() || self.invalid.contains(&written)) {
                return Computed::Missing;
            }
            let Some(number) = number(value) else { return Computed::Malformed };
            numbers.push(number);
        }
        self.expression.value(&numbers).map_or(Computed::Malformed, Computed::Value)
    }
}

impl StateMap {
    /// Returns the state; `Err` when the device sends a number that has no meaning here.
    fn state(&self, row: &Row<'_>) -> Result<Option<SensorState>, ()> {
        let Some(value) = row.value(self.operand) else { return Ok(None) };
        let written = text(value).unwrap_or_default();
        let known = self.states.iter().find(|(word, _)| *word == written);
        known.map(|(_, state)| Some(*state)).ok_or(())
    }
}

impl Limits {
    /// Returns what the limits say of a value; `None` without any.
    fn judge(&self, milli: i64) -> Option<SensorState> {
        if *self == Self::default() {
            return None;
        }
        let below = |limit: Option<i64>| limit.is_some_and(|limit| milli < limit);
        let above = |limit: Option<i64>| limit.is_some_and(|limit| milli >= limit);
        Some(if below(self.low_critical_milli) || above(self.high_critical_milli) {
            SensorState::Critical
        } else if below(self.low_warning_milli) || above(self.high_warning_milli) {
            SensorState::Warning
        } else {
            SensorState::Normal
        })
    }
}

/// Takes the readings of some sensors of a profile from what was read.
pub(super) fn readings<'s>(
    sensors: impl Iterator<Item = &'s Sensor>,
    tables: &[TableSpec],
    read: &Read,
    names: &PartNames<'_>,
) -> (Vec<SensorReading>, Vec<DroppedRow>) {
    let (mut readings, mut dropped) = (Vec::new(), Vec::new());
    for sensor in sensors {
        for row in read.rows(tables, sensor.table) {
            if readings.len() >= READINGS_MAX {
                break;
            }
            match sensor.reading(&row, names) {
                Ok(reading) => readings.extend(reading),
                Err(reason) => {
                    dropped.push(DroppedRow { table: sensor.source, row: row.index_text(), reason });
                }
            }
        }
    }
    (readings, dropped)
}

/// Makes names unique within their kind: those that several readings share are told apart by their indexes.
pub(crate) fn tell_apart(readings: &mut [SensorReading]) {
    let mut uses: BTreeMap<(SensorKind, String), usize> = BTreeMap::new();
    for reading in readings.iter() {
        *uses.entry((reading.kind, reading.name.clone())).or_default() += 1;
    }
    for reading in readings.iter_mut() {
        if uses.get(&(reading.kind, reading.name.clone())).is_some_and(|uses| *uses > 1) {
            reading.name = format!("{} ({})", reading.name, reading.index);
        }
    }
}

impl Sensor {
    /// Returns the row's reading; nothing where there is no sensor.
    fn reading(&self, row: &Row<'_>, names: &PartNames<'_>) -> Result<Option<SensorReading>, DropReason> {
        if !self.conditions.iter().all(|condition| condition.holds(row)) {
            return Ok(None);
        }
        let state = self.state.as_ref().map_or(Ok(None), |map| map.state(row));
        let value_milli = self.value_milli(row)?;
        let state = match (state, value_milli) {
            (Err(()), None) if self.value.is_none() => return Err(DropReason::UnknownState),
            (Ok(None) | Err(()), None) => return Ok(None),
            (state, _) => state.ok().flatten(),
        };
        let limits = self.limits_of(row);
        let judged = || value_milli.and_then(|milli| limits.judge(milli));
        let named = self.names.iter().find_map(|template| template.text(row, names));
        Ok(Some(SensorReading {
            kind: self.kind,
            name: named.unwrap_or_else(|| format!("{} {}", self.source, row.index_text())),
            value_milli,
            state: state.or_else(judged),
            limits,
            source: self.source,
            index: row.index_text(),
        }))
    }

    /// Returns the places of the scalars that the sensor needs.
    pub(super) fn scalars(&self) -> impl Iterator<Item = usize> {
        let formulas = self.value.iter().chain(self.limits.iter().flatten()).flat_map(|formula| &formula.operands);
        let conditions = self.conditions.iter().map(|condition| &condition.operand);
        let states = self.state.iter().map(|state| &state.operand);
        let names = self.names.iter().flat_map(Template::operands);
        formulas.chain(conditions).chain(states).chain(names).filter_map(|operand| match operand {
            Operand::Scalar(place) => Some(*place),
            Operand::Own(_) | Operand::Joined(..) => None,
        })
    }

    fn value_milli(&self, row: &Row<'_>) -> Result<Option<i64>, DropReason> {
        let Some(formula) = &self.value else { return Ok(None) };
        let value = match formula.compute(row) {
            Computed::Missing => return Ok(None),
            Computed::Malformed => return Err(DropReason::NotANumber),
            Computed::Value(value) => value,
        };
        if self.range.is_some_and(|(low, high)| value < low || value > high) {
            return Err(DropReason::OutOfRange);
        }
        milli(value).map(Some).ok_or(DropReason::OutOfRange)
    }

    fn limits_of(&self, row: &Row<'_>) -> Limits {
        let [low_critical, low_warning, high_warning, high_critical] =
            self.limits.each_ref().map(|formula| match formula.as_ref()?.compute(row) {
                Computed::Value(value) => milli(value),
                Computed::Missing | Computed::Malformed => None,
            });
        Limits {
            low_critical_milli: low_critical,
            low_warning_milli: low_warning,
            high_warning_milli: high_warning,
            high_critical_milli: high_critical,
        }
    }
}

/// Returns a value in thousandths, rounded half away from zero.
#[expect(clippy::cast_possible_truncation, reason = "checked to be far inside the range")]
fn milli(value: f64) -> Option<i64> {
    let milli = (value * 1000.0).round();
    (milli.abs() <= MILLI_MAX).then_some(milli as i64)
}

/// Returns thousandths as the decimal number that JSON shows.
#[expect(clippy::cast_precision_loss, reason = "for people to read; the thousandths are what is kept")]
fn decimal(milli: Option<i64>) -> Option<f64> {
    milli.map(|milli| milli as f64 / 1000.0)
}

impl Serialize for SensorReading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("SensorReading", 11)?;
        row.serialize_field("kind", &self.kind)?;
        row.serialize_field("name", &self.name)?;
        row.serialize_field("value", &decimal(self.value_milli))?;
        row.serialize_field("unit", self.kind.unit())?;
        row.serialize_field("state", &self.state)?;
        row.serialize_field("low_critical", &decimal(self.limits.low_critical_milli))?;
        row.serialize_field("low_warning", &decimal(self.limits.low_warning_milli))?;
        row.serialize_field("high_warning", &decimal(self.limits.high_warning_milli))?;
        row.serialize_field("high_critical", &decimal(self.limits.high_critical_milli))?;
        row.serialize_field("source", self.source)?;
        row.serialize_field("index", &self.index)?;
        row.end()
    }
}
