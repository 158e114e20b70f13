//! What polling and listening say of themselves, for the status document.
//!
//! Invariant: each has one place; a device or interface that is not configured has none.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_topology::{
    Timestamp,
    fact::{Reach, ReachState},
};

use crate::{
    config::DeviceConfig,
    schedule::{DeviceSchedule, Table},
    status::{DEVICES_LISTED_MAX, DeviceStatus, InterfaceStatus, TableStatus},
};

/// The board. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    devices: BTreeMap<String, DeviceStatus>,
    interfaces: BTreeMap<String, InterfaceStatus>,
}

/// What one interface heard so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hearing {
    pub(crate) frames: u64,
    pub(crate) dropped: u64,
    pub(crate) endpoints: u64,
}

impl Board {
    /// Gives each device a place, and no others.
    pub(crate) fn set_devices(&self, devices: &[Arc<DeviceConfig>]) {
        let devices = devices.iter().map(|device| (device.name.clone(), place(device))).collect();
        self.lock().devices = devices;
    }

    /// Gives one more device a place.
    pub(crate) fn add_device(&self, device: &DeviceConfig) {
        self.lock().devices.insert(device.name.clone(), place(device));
    }

    /// Takes a device's place away.
    pub(crate) fn remove_device(&self, name: &str) {
        self.lock().devices.remove(name);
    }

    pub(crate) fn reach(&self, device: &str, reach: &Reach, now: Timestamp) {
        if let Some(place) = self.lock().devices.get_mut(device) {
            if place.reach != Some(reach.state) {
                place.since = Some(now);
            }
            place.reach = Some(reach.state);
            place.detail.clone_from(&reach.detail);
        }
    }

    pub(crate) fn table_read(&self, device: &str, table: Table, rows: usize, dropped: usize, now: Timestamp) {
        if let Some(place) = self.lock().devices.get_mut(device) {
            let row =
                TableStatus { table: table.name().to_owned(), rows: rows as u64, dropped: dropped as u64, read: now };
            match place.tables.iter_mut().find(|known| known.table == row.table) {
                Some(known) => *known = row,
                None => place.tables.push(row),
            }
        }
    }

    pub(crate) fn cycle(&self, device: &str, begun: Timestamp, ended: Timestamp, schedule: &DeviceSchedule) {
        if let Some(place) = self.lock().devices.get_mut(device) {
            place.last_cycle = Some(begun);
            place.last_cycle_ms = u64::try_from(ended.ms_since(begun)).ok();
            place.late_cycles = schedule.late();
            place.slowed = schedule.slowed();
        }
    }

    /// Notes that an interface is listened on, or why not.
    pub(crate) fn listening(&self, interface: &str, error: Option<&str>, now: Timestamp) {
        let mut places = self.lock();
        let place = places.interfaces.entry(interface.to_owned()).or_insert_with(|| InterfaceStatus {
            name: interface.to_owned(),
            listening: false,
            since: now,
            error: None,
            frames: 0,
            frames_dropped: 0,
            endpoints: 0,
        });
        if place.listening != error.is_none() {
            place.since = now;
        }
        place.listening = error.is_none();
        place.error = error.map(ToOwned::to_owned);
    }

    pub(crate) fn hearing(&self, interface: &str, heard: Hearing) {
        if let Some(place) = self.lock().interfaces.get_mut(interface) {
            place.frames = heard.frames;
            place.frames_dropped = heard.dropped;
            place.endpoints = heard.endpoints;
        }
    }

    pub(crate) fn not_listening(&self, interface: &str) {
        self.lock().interfaces.remove(interface);
    }

    /// Returns how many devices there are, and those to be listed: those with trouble first.
    pub(crate) fn devices(&self) -> (u64, Vec<DeviceStatus>) {
        let places = self.lock();
        let answers = |device: &&DeviceStatus| device.reach == Some(ReachState::Answering);
        let (well, trouble): (Vec<_>, Vec<_>) = places.devices.values().partition(answers);
        let listed = trouble.into_iter().chain(well).take(DEVICES_LISTED_MAX).cloned().collect();
        (places.devices.len() as u64, listed)
    }

    /// Returns the interfaces that are to be listened on.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceStatus> {
        self.lock().interfaces.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(device: &DeviceConfig) -> DeviceStatus {
    DeviceStatus {
        name: device.name.clone(),
        target: device.target.to_string(),
        reach: None,
        detail: String::new(),
        since: None,
        last_cycle: None,
        last_cycle_ms: None,
        late_cycles: 0,
        slowed: 1,
        tables: Vec::new(),
    }
}
