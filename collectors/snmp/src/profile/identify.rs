//! Who made a device, which one it is, what runs on it, and what it is for.
//!
//! Invariant: every conclusion names what it was drawn from. A rule only fills what the rules before it left open. Pure.

use onenet_topology::Role;
use regex::Regex;
use serde::Serialize;

use super::table::text;
use crate::{
    mib::{Reading, entity::Entity, system::System},
    oid::Oid,
    value::Value,
};

/// The longest value that is kept, in bytes.
const VALUE_MAX: usize = 128;

/// What a device is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Identification {
    /// Who made it.
    pub vendor: Option<String>,
    /// Which one it is.
    pub model: Option<String>,
    /// What runs on it.
    pub os: Option<String>,
    /// The version of what runs on it.
    pub version: Option<String>,
    /// The serial number of its chassis.
    pub serial: Option<String>,
    /// What it is for.
    pub role: Option<Role>,
    /// The profile that knows it.
    pub profile: Option<&'static str>,
    /// What each of the above was taken from, such as `model: sysDescr`.
    pub evidence: Vec<String>,
}

/// A rule: where it holds, it fills what is still open.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// sysObjectID is one of these; any where there is none.
    pub(super) object_ids: Vec<ObjectIdPattern>,
    /// sysDescr fits.
    pub(super) description: Option<Regex>,
    /// sysName fits.
    pub(super) name: Option<Regex>,
    /// The device has a value for this object of the profile.
    pub(super) answers: Option<usize>,
    pub(super) role: Option<Role>,
    /// vendor, model, os, version, serial.
    pub(super) fields: [Option<Field>; 5],
}

/// An identifier, or all that begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectIdPattern {
    pub(super) oid: Oid,
    pub(super) and_below: bool,
}

/// Where a rule takes a value from.
#[derive(Debug, Clone)]
pub(super) enum Field {
    /// A text, in which `{group}` stands for a named group of the rule's expressions.
    Text(String),
    /// An object of the profile, by its place; the first group of the expression, or all of it.
    Object { place: usize, pattern: Option<Regex> },
    /// What ENTITY-MIB says of the chassis.
    Entity { of: EntityValue, pattern: Option<Regex> },
}

/// A value of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntityValue {
    Model,
    Serial,
    Software,
    Firmware,
    Hardware,
    Name,
    Description,
    Manufacturer,
}

/// What a device said that identifies it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) system: &'a System,
    pub(super) entities: &'a [Entity],
    /// The profile's objects, in its order.
    pub(super) objects: &'a [(&'static str, Option<Value>)],
}

const FIELDS: [&str; 5] = ["vendor", "model", "os", "version", "serial"];

impl EntityValue {
    /// Every value with its name in profiles and in ENTITY-MIB.
    pub(super) const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Model, "model", "entPhysicalModelName"),
        (Self::Serial, "serial", "entPhysicalSerialNum"),
        (Self::Software, "software", "entPhysicalSoftwareRev"),
        (Self::Firmware, "firmware", "entPhysicalFirmwareRev"),
        (Self::Hardware, "hardware", "entPhysicalHardwareRev"),
        (Self::Name, "name", "entPhysicalName"),
        (Self::Description, "description", "entPhysicalDescr"),
        (Self::Manufacturer, "manufacturer", "entPhysicalMfgName"),
    ];

    fn of(self, entity: &Entity) -> &Reading<String> {
        match self {
            Self::Model => &entity.model,
            Self::Serial => &entity.serial,
            Self::Software => &entity.software_revision,
            Self::Firmware => &entity.firmware_revision,
            Self::Hardware => &entity.hardware_revision,
            Self::Name => &entity.name,
            Self::Description => &entity.description,
            Self::Manufacturer => &entity.manufacturer,
        }
    }

    fn object(self) -> &'static str {
        Self::ALL.iter().find(|(value, ..)| *value == self).map_or("", |(_, _, object)| object)
    }
}

impl ObjectIdPattern {
    pub(super) fn fits(&self, oid: &Oid) -> bool {
        if self.and_below { oid.below(self.oid.arcs()).is_some() } else { *oid == self.oid }
    }
}

impl Said<'_> {
    pub(super) fn object_id(&self) -> Option<Oid> {
        self.system.object_id.get().and_then(|text| text.parse().ok())
    }

    /// Returns what the chassis, else the stack says; what stands in nothing only where there is neither: cards of a chassis
    /// that does not say what they stand in have numbers of their own. The first chassis of several stands for all.
    fn entity(&self, of: EntityValue) -> Option<(String, String)> {
        let is = |entity: &Entity, class| entity.class == Reading::Value(class);
        let framed = self.entities.iter().any(|entity| is(entity, "chassis") || is(entity, "stack"));
        let said = |fits: &dyn Fn(&Entity) -> bool| {
            let mut fitting = self.entities.iter().filter(|entity| fits(entity));
            fitting.find_map(|entity| {
                Some((of.of(entity).filled()?.to_owned(), format!("{}.{}", of.object(), entity.index)))
            })
        };
        said(&|entity| is(entity, "chassis"))
            .or_else(|| said(&|entity| is(entity, "stack")))
            .or_else(|| said(&|entity| !framed && entity.contained_in == Reading::Value(0)))
    }

    fn object(&self, place: usize) -> Option<(String, String)> {
        let (name, value) = self.objects.get(place)?;
        let text = value.as_ref().filter(|value| !value.is_exception()).and_then(text)?;
        Some((text, (*name).to_owned())).filter(|(text, _)| !text.is_empty())
    }
}

impl Rule {
    /// Fills what is open in `found`, if the rule holds.
    pub(super) fn apply(&self, said: &Said<'_>, found: &mut Identification) {
        let Some(groups) = self.holds(said) else { return };
        for (place, field) in self.fields.iter().enumerate() {
            let (Some(field), Some(name)) = (field, FIELDS.get(place)) else { continue };
            let open = match place {
                0 => &mut found.vendor,
                1 => &mut found.model,
                2 => &mut found.os,
                3 => &mut found.version,
                _ => &mut found.serial,
            };
            if open.is_none()
                && let Some((value, source)) = field.value(said, &groups)
            {
                *open = Some(value);
                found.evidence.push(format!("{name}: {source}"));
            }
        }
        if let (None, Some(role)) = (found.role, self.role) {
            found.role = Some(role);
            found.evidence.push(format!("role: {}", self.reason()));
        }
    }

    /// Returns the named groups of the expressions if the rule holds.
    pub(super) fn holds(&self, said: &Said<'_>) -> Option<Vec<(String, String)>> {
        let object_id = said.object_id();
        let fits = |pattern: &ObjectIdPattern| object_id.as_ref().is_some_and(|oid| pattern.fits(oid));
        if !self.object_ids.is_empty() && !self.object_ids.iter().any(fits) {
            return None;
        }
        if self.answers.is_some_and(|place| said.object(place).is_none()) {
            return None;
        }
        let mut groups = Vec::new();
        for (pattern, text) in [(&self.description, &said.system.description), (&self.name, &said.system.name)] {
            let Some(pattern) = pattern else { continue };
            let captures = pattern.captures(text.get()?)?;
            for name in pattern.capture_names().flatten() {
                if let Some(found) = captures.name(name) {
                    groups.push((name.to_owned(), found.as_str().trim().to_owned()));
                }
            }
        }
        Some(groups)
    }

    /// Returns the places of the scalars that the rule needs.
    pub(super) fn objects(&self) -> impl Iterator<Item = usize> {
        let of_field = |field: &Option<Field>| match field {
            Some(Field::Object { place, .. }) => Some(*place),
            _ => None,
        };
        self.answers.into_iter().chain(self.fields.iter().filter_map(of_field))
    }

    /// What makes the rule hold, in words.
    fn reason(&self) -> &'static str {
        match self {
            Self { answers: Some(_), .. } => "an object that the device has",
            Self { description: Some(_), .. } => "sysDescr",
            Self { name: Some(_), .. } => "sysName",
            Self { object_ids, .. } if !object_ids.is_empty() => "sysObjectID",
            _ => "all of this vendor",
        }
    }
}

impl Field {
    /// Returns the value and what it was taken from.
    fn value(&self, said: &Said<'_>, groups: &[(String, String)]) -> Option<(String, String)> {
        let (value, source) = match self {
            Self::Text(template) => {
                let filled = filled(template, groups)?;
                (filled, if template.contains('{') { "sysDescr".to_owned() } else { "the profile's rule".to_owned() })
            }
            Self::Object { place, pattern } => {
                let (text, source) = said.object(*place)?;
                (first_group(pattern.as_ref(), text)?, source)
            }
            Self::Entity { of, pattern } => {
                let (text, source) = said.entity(*of)?;
                (first_group(pattern.as_ref(), text)?, source)
            }
        };
        let value = value.trim();
        (!value.is_empty() && value.len() <= VALUE_MAX).then(|| (value.to_owned(), source))
    }
}

/// Returns a text with its groups filled in; `None` where one of them did not take part or is empty.
fn filled(template: &str, groups: &[(String, String)]) -> Option<String> {
    let mut out = String::new();
    for piece in super::template::split(template).ok()? {
        match piece {
            super::template::Raw::Text(text) => out.push_str(text),
            super::template::Raw::Placeholder(name) => {
                let (_, value) = groups.iter().find(|(known, value)| known == name && !value.is_empty())?;
                out.push_str(value);
            }
        }
    }
    Some(out)
}

fn first_group(pattern: Option<&Regex>, text: String) -> Option<String> {
    let Some(pattern) = pattern else { return Some(text) };
    let captures = pattern.captures(&text)?;
    captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str().to_owned())
}
