//! The evidence of a site as a file, and the walks that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Claims, DeviceTold, lenient, resolve, resolve::PortNames};
use crate::{
    DeviceId, InterfaceId, MacAddr, Timestamp,
    inference::{Place, SiteEvidence, SiteInference, Walks},
};

/// Walks that a file may have.
const WALKS_MAX: usize = 10_000;
/// Devices that a file may have.
const DEVICES_MAX: usize = 1_024;
/// Ports that a device may have.
const PORTS_MAX: usize = 65_536;
/// Comparisons of addresses between each two devices: some seconds of work a walk.
const WORK_MAX: usize = 2_000_000_000;

/// What devices told, and when.
type Timed<'a> = (Option<Timestamp>, Vec<&'a DeviceTold>);

/// What is known of a site, walk by walk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// The site's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub site: String,
    /// An address that all devices have learned: that of the site's agent.
    #[serde(default)]
    pub anchor: Option<MacAddr>,
    /// Further ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::or_default")]
    pub anchors: Vec<MacAddr>,
    /// Whether a neighbour that names a device of the site counts only when a device bears it out.
    #[serde(default)]
    pub neighbours: Claims,
    /// The walks.
    pub walks: Vec<Walk>,
}

/// What devices told at one time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Walk {
    /// When; a file of one walk may leave it out.
    #[serde(default, deserialize_with = "lenient::time")]
    pub time: Option<Timestamp>,
    /// The devices.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub devices: Vec<DeviceTold>,
}

/// More than the inference takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} {what} are too many: {max} at most; write a file for each part of the site")]
pub struct EvidenceTooLarge {
    what: &'static str,
    found: usize,
    max: usize,
}

/// The evidence cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvidence {
    /// A walk has no time, and others do, so that their order is not known.
    #[error("walk {walk}: time: it is missing, and other walks have one: write when each walk was taken")]
    NoTime {
        /// Which, from 1.
        walk: usize,
    },
    /// A device has no id.
    #[error("walk {walk}, device {device}: id: it is empty: give each device an id, such as its name")]
    NoId {
        /// Which walk, from 1.
        walk: usize,
        /// Which of its devices, from 1.
        device: usize,
    },
    /// There is no walk.
    #[error("walks: there is none: put what `onenet-agent inspect --json` prints of each device into a walk")]
    NoWalk,
    /// It is too large.
    #[error(transparent)]
    TooLarge(#[from] EvidenceTooLarge),
}

/// The names of what an inference over a file speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    devices: Vec<String>,
    ports: BTreeMap<(DeviceId, InterfaceId), String>,
    by_name: BTreeMap<(DeviceId, String), InterfaceId>,
    vlans: BTreeMap<(DeviceId, InterfaceId), u16>,
}

impl Names {
    /// Returns the id of a device as the file has it.
    pub fn device(&self, device: DeviceId) -> &str {
        let place = usize::try_from(device.raw()).ok().and_then(|number| number.checked_sub(1));
        place.and_then(|place| self.devices.get(place)).map_or("?", String::as_str)
    }

    /// Returns the name of an interface.
    pub fn interface(&self, device: DeviceId, interface: InterfaceId) -> &str {
        self.ports.get(&(device, interface)).map_or("?", String::as_str)
    }

    /// Returns the VLAN of a port that carries no other, by the last walk that tells of it.
    pub fn vlan(&self, at: Place) -> Option<u16> {
        self.vlans.get(&(at.device, at.interface)).copied()
    }

    fn of(walks: &[Timed<'_>]) -> Result<Self, EvidenceTooLarge> {
        let mut found: BTreeMap<&str, BTreeMap<String, u32>> = BTreeMap::new();
        for told in walks.iter().flat_map(|(_, devices)| devices) {
            let ports = found.entry(told.id.as_str()).or_default();
            PortNames::of(told).each(|name, if_index| {
                let least = ports.entry(name.to_owned()).or_insert(if_index);
                *least = if_index.min(*least);
            });
            within("interfaces of a device", ports.len(), PORTS_MAX)?;
        }
        within("devices", found.len(), DEVICES_MAX)?;
        let mut names = Self::default();
        for (number, (device, ports)) in (1_u64..).zip(found) {
            names.devices.push(device.to_owned());
            let id = DeviceId::from_raw(number);
            // By ifIndex, as devices number them; the name decides between equal ones.
            let mut ports: Vec<(u32, String)> = ports.into_iter().map(|(name, if_index)| (if_index, name)).collect();
            ports.sort_unstable();
            for (place, (_, name)) in (1_u64..).zip(ports) {
                let port = InterfaceId::from_raw((number << 20) | place);
                names.by_name.insert((id, name.clone()), port);
                names.ports.insert((id, port), name);
            }
        }
        for told in walks.iter().flat_map(|(_, devices)| devices) {
            let id = names.device_id(&told.id);
            let only = PortNames::of(told).only_vlans();
            let ports = only.iter().filter_map(|(name, vlan)| Some((*names.by_name.get(&(id, name.clone()))?, *vlan)));
            names.vlans.extend(ports.map(|(port, vlan)| ((id, port), vlan)));
        }
        Ok(names)
    }

    fn device_id(&self, name: &str) -> DeviceId {
        let place = self.devices.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or(0);
        DeviceId::from_raw(u64::try_from(place).unwrap_or(0) + 1)
    }
}

impl EvidenceFile {
    /// Returns what is concluded from all walks, one after the other, with the names of what it speaks of.
    ///
    /// # Errors
    /// The evidence contradicts its format, or is more than the inference takes.
    pub fn infer(&self) -> Result<(SiteInference, Names), InvalidEvidence> {
        let (walks, names) = self.evidence()?;
        let mut believed = Walks::default();
        let found = walks.into_iter().map(|walk| believed.take(walk)).last().unwrap_or_default();
        Ok((found, names))
    }

    /// Returns the walks in the order of their times as evidence, with the names of what it speaks of.
    ///
    /// # Errors
    /// The evidence contradicts its format, or is more than the inference takes.
    pub fn evidence(&self) -> Result<(Vec<SiteEvidence>, Names), InvalidEvidence> {
        let walks = self.ordered()?;
        let names = Names::of(&walks)?;
        let anchors: BTreeSet<MacAddr> = self.anchor.iter().chain(&self.anchors).copied().collect();
        let interface = |device: DeviceId, name: &str| names.by_name.get(&(device, name.to_owned())).copied();
        let mut evidence = Vec::with_capacity(walks.len());
        for (_, devices) in &walks {
            let addresses: BTreeSet<MacAddr> =
                devices.iter().flat_map(|told| &told.forwarding).map(|row| row.mac).collect();
            let work = devices.len().saturating_mul(devices.len()).saturating_mul(addresses.len());
            within("comparisons of addresses", work, WORK_MAX)?;
            let told: Vec<(DeviceId, &DeviceTold)> =
                devices.iter().map(|told| (names.device_id(&told.id), *told)).collect();
            let devices = resolve(&told, interface, self.neighbours);
            evidence.push(SiteEvidence { devices, anchors: anchors.iter().copied().collect() });
        }
        Ok((evidence, names))
    }

    /// Returns the devices by time: walks of one time are one.
    fn ordered(&self) -> Result<Vec<Timed<'_>>, InvalidEvidence> {
        if self.walks.is_empty() {
            return Err(InvalidEvidence::NoWalk);
        }
        within("walks", self.walks.len(), WALKS_MAX)?;
        let timed = self.walks.iter().any(|walk| walk.time.is_some());
        let mut ordered: Vec<Timed<'_>> = Vec::new();
        for (number, walk) in (1..).zip(&self.walks) {
            if timed && walk.time.is_none() {
                return Err(InvalidEvidence::NoTime { walk: number });
            }
            if let Some(place) = walk.devices.iter().position(|told| told.id.trim().is_empty()) {
                return Err(InvalidEvidence::NoId { walk: number, device: place + 1 });
            }
            ordered.push((walk.time, walk.devices.iter().collect()));
        }
        ordered.sort_by_key(|(time, _)| *time);
        let mut walks: Vec<Timed<'_>> = Vec::with_capacity(ordered.len());
        for (time, devices) in ordered {
            match walks.last_mut() {
                Some((last, known)) if timed && *last == time => known.extend(devices),
                _ => walks.push((time, devices)),
            }
        }
        Ok(walks)
    }
}

const fn within(what: &'static str, found: usize, max: usize) -> Result<(), EvidenceTooLarge> {
    if found > max { Err(EvidenceTooLarge { what, found, max }) } else { Ok(()) }
}
