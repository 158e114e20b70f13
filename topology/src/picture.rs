//! Pictures of a site: what is there and where, at one moment of the past or now.
//!
//! Invariant: a picture of the past is the present one with everything undone that changed since, the latest change first. What
//! changed is told by what a thing looked like before and after, so that undoing it needs nothing else. When a device or an
//! endpoint first came is part of its own face and no change, nor is what was not known of it before: a picture shows the
//! first that was ever known of a thing, from the moment on at which the thing was first seen.
//!
//! It does not know where changes are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    DeviceId, EndpointId, MacAddr, Timestamp,
    device::Device,
    endpoint::Endpoint,
    inference::Where,
    link::{Link, LinkEnd},
};

/// entPhysicalClass of a chassis (ENTITY-MIB).
const CHASSIS: u32 = 3;
/// Serial numbers of chassis that a face keeps: the members of a stack.
const SERIALS_MAX: usize = 16;
/// What a face keeps of a description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// Something in a picture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A device.
    Device(DeviceId),
    /// An endpoint.
    Endpoint(EndpointId),
    /// A link, by its ends in their order.
    Link {
        /// The end that comes first in order.
        a: LinkEnd,
        /// The other end.
        b: LinkEnd,
    },
}

/// What a thing looks like, as far as pictures show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// A device.
    Device {
        /// When it was first heard of.
        first_seen: Timestamp,
        /// Its name.
        name: String,
        /// sysDescr: make and software.
        description: String,
        /// Serial numbers of its chassis, in order.
        serials: Vec<String>,
    },
    /// An endpoint.
    Endpoint {
        /// When it was first seen.
        first_seen: Timestamp,
        /// Its MAC address.
        mac: MacAddr,
        /// Where it is; `None` where that is not known.
        at: Option<Where>,
    },
    /// A link: that it is there is all there is to see.
    Link,
}

/// A change of what there is to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alteration {
    /// When it happened, as far as the evidence tells.
    pub time: Timestamp,
    /// What changed.
    pub thing: Thing,
    /// What it looked like before; `None` where it was not there.
    pub before: Option<Face>,
    /// What it looks like since; `None` where it is not there any more.
    pub after: Option<Face>,
}

/// What is there, and what it looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    things: BTreeMap<Thing, Face>,
}

impl Face {
    /// Returns the face of a device.
    pub fn of_device(device: &Device) -> Self {
        let description = device.system.as_ref().map(|system| system.description.as_str()).unwrap_or_default();
        let chassis = device.entities.iter().filter(|entity| entity.class == CHASSIS && !entity.serial.is_empty());
        let serials: BTreeSet<&str> = chassis.map(|entity| entity.serial.as_str()).collect();
        Self::Device {
            first_seen: device.first_seen,
            name: device.name().to_owned(),
            description: description.chars().take(DESCRIPTION_CHARS_MAX).collect(),
            serials: serials.into_iter().take(SERIALS_MAX).map(str::to_owned).collect(),
        }
    }

    /// Returns the face of an endpoint; `None` for one that is kept for its history only.
    pub fn of_endpoint(endpoint: &Endpoint) -> Option<Self> {
        let first_seen = endpoint.first_seen().filter(|_| endpoint.retired_since.is_none())?;
        Some(Self::Endpoint { first_seen, mac: endpoint.mac, at: endpoint.located.as_ref().map(|located| located.at) })
    }

    /// Returns whether a thing that looked like `before` was seen to change: to know more of it than before is none.
    fn changed(before: &Self, after: &Self) -> bool {
        let differs = |before: &str, after: &str| !before.is_empty() && before != after;
        match (before, after) {
            (
                Self::Device { name, description, serials, .. },
                Self::Device { name: new_name, description: new_description, serials: new_serials, .. },
            ) => {
                // A device that was never read yet goes by the agent's name of it.
                (differs(name, new_name) && !description.is_empty())
                    || differs(description, new_description)
                    || (!serials.is_empty() && serials != new_serials)
            }
            (Self::Endpoint { at, .. }, Self::Endpoint { at: new_at, .. }) => at.is_some() && at != new_at,
            (one, other) => one != other,
        }
    }

    fn first_seen(&self) -> Option<Timestamp> {
        match self {
            Self::Device { first_seen, .. } | Self::Endpoint { first_seen, .. } => Some(*first_seen),
            Self::Link => None,
        }
    }
}

impl Alteration {
    /// Returns how a device changed at `time`; `None` where nothing is to be seen of it. A new one is no change.
    pub fn of_device(id: DeviceId, time: Timestamp, before: Option<&Device>, after: Option<&Device>) -> Option<Self> {
        let (before, after) = (before.map(Face::of_device), after.map(Face::of_device));
        Self::between(time, Thing::Device(id), before, after)
    }

    /// Returns how an endpoint changed, which is known at `time`; `None` where nothing is to be seen of it. A new one is no
    /// change; a place changed when it is said to have been left.
    pub fn of_endpoint(time: Timestamp, before: &Endpoint, after: Option<&Endpoint>) -> Option<Self> {
        let faces = (Face::of_endpoint(before), after.and_then(Face::of_endpoint));
        let moved = after.and_then(|after| after.located.as_ref()).map(|located| located.since);
        let time = match faces {
            (Some(_), Some(_)) => moved.map_or(time, |moved| moved.min(time)),
            _ => time,
        };
        if let (None, Some(after)) = &faces {
            // Whoever comes back was not there: that it was there before is its own history.
            return Some(Self { time, thing: Thing::Endpoint(before.id), before: None, after: Some(after.clone()) });
        }
        Self::between(time, Thing::Endpoint(before.id), faces.0, faces.1)
    }

    /// Returns how the links of a site changed at `time`.
    pub fn of_links(time: Timestamp, before: &[Link], after: &[Link]) -> Vec<Self> {
        let things = |links: &[Link]| -> BTreeSet<Thing> {
            links.iter().map(|link| Thing::Link { a: link.a.clone(), b: link.b.clone() }).collect()
        };
        let (before, after) = (things(before), things(after));
        let parted = before.difference(&after).map(|thing| (thing, Some(Face::Link), None));
        let joined = after.difference(&before).map(|thing| (thing, None, Some(Face::Link)));
        parted.chain(joined).map(|(thing, before, after)| Self { time, thing: thing.clone(), before, after }).collect()
    }

    fn between(time: Timestamp, thing: Thing, before: Option<Face>, after: Option<Face>) -> Option<Self> {
        let seen = match (&before, &after) {
            (Some(before), Some(after)) => Face::changed(before, after),
            (Some(_), None) => true,
            (None, _) => false,
        };
        seen.then_some(Self { time, thing, before, after })
    }
}

impl Picture {
    /// Returns the picture of what is there.
    pub fn of<'a>(
        devices: impl IntoIterator<Item = &'a Arc<Device>>,
        endpoints: impl IntoIterator<Item = &'a Arc<Endpoint>>,
        links: &[Link],
    ) -> Self {
        let devices = devices.into_iter().map(|it| (Thing::Device(it.id), Face::of_device(it)));
        let endpoints = endpoints.into_iter().filter_map(|it| Some((Thing::Endpoint(it.id), Face::of_endpoint(it)?)));
        let links = links.iter().map(|it| (Thing::Link { a: it.a.clone(), b: it.b.clone() }, Face::Link));
        Self { things: devices.chain(endpoints).chain(links).collect() }
    }

    /// Returns what is there, in order.
    pub fn things(&self) -> impl Iterator<Item = (&Thing, &Face)> {
        self.things.iter()
    }

    /// Returns what a thing looks like; `None` where it is not there.
    pub fn face(&self, thing: &Thing) -> Option<&Face> {
        self.things.get(thing)
    }

    /// Returns the picture as of `at`: with `since` undone, which holds every change after that, in any order.
    #[must_use]
    pub fn as_of(mut self, at: Timestamp, since: &[Alteration]) -> Self {
        let mut undone: Vec<(usize, &Alteration)> = since.iter().enumerate().filter(|(_, it)| it.time > at).collect();
        // Of one moment what was told last is undone first.
        undone.sort_by_key(|(place, it)| std::cmp::Reverse((it.time, *place)));
        for (_, alteration) in undone {
            match &alteration.before {
                Some(face) => self.things.insert(alteration.thing.clone(), face.clone()),
                None => self.things.remove(&alteration.thing),
            };
        }
        self.things.retain(|_, face| face.first_seen().is_none_or(|first| first <= at));
        self
    }

    /// Returns what is different in a later picture: what changed on the way there and back is not. Each with the time of
    /// the later picture.
    pub fn difference(&self, later: &Self, time: Timestamp) -> Vec<Alteration> {
        let things: BTreeSet<&Thing> = self.things.keys().chain(later.things.keys()).collect();
        let pairs = things.into_iter().map(|thing| (thing, self.face(thing).cloned(), later.face(thing).cloned()));
        pairs
            .filter(|(_, before, after)| before != after)
            .map(|(thing, before, after)| Alteration { time, thing: thing.clone(), before, after })
            .collect()
    }
}

#[cfg(test)]
mod tests;
