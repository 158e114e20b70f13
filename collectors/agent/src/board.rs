//! What polling and listening say of themselves, for the status document.
//!
//! Invariant: each has one place; a device or interface that is not configured has none. A device's place is small, since there are
//! thousands; it becomes a document's words when it is listed.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_topology::{
    Timestamp,
    fact::{CaptureSample, Reach, ReachState},
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
    devices: BTreeMap<String, Place>,
    interfaces: BTreeMap<String, InterfaceStatus>,
}

/// What is said of a device.
#[derive(Debug)]
struct Place {
    target: SocketAddr,
    reach: Option<ReachState>,
    detail: String,
    since: Option<Timestamp>,
    last_cycle: Option<Timestamp>,
    last_cycle_ms: Option<u64>,
    late_cycles: u64,
    slowed: u32,
    tables: Vec<TableRead>,
}

/// What was read of a table.
#[derive(Debug, Clone, Copy)]
struct TableRead {
    table: Table,
    rows: u32,
    dropped: u32,
    read: Timestamp,
}

/// What one interface heard so far.
#[derive(Debug, Clone)]
pub(crate) struct Hearing {
    pub(crate) sample: CaptureSample,
    /// Told at the site only.
    pub(crate) flows_evicted_over_share: u64,
    pub(crate) endpoints: u64,
}

impl Board {
    /// Gives each device a place, and no others.
    pub(crate) fn set_devices(&self, devices: &[Arc<DeviceConfig>]) {
        let devices = devices.iter().map(|device| (device.name.clone(), Place::new(device))).collect();
        self.lock().devices = devices;
    }

    /// Gives one more device a place.
    pub(crate) fn add_device(&self, device: &DeviceConfig) {
        self.lock().devices.insert(device.name.clone(), Place::new(device));
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
            let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
            let row = TableRead { table, rows: number(rows), dropped: number(dropped), read: now };
            match place.tables.iter_mut().find(|known| known.table == table) {
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
            frames_cut: 0,
            undecoded: BTreeMap::new(),
            octets: 0,
            tcp_octets: 0,
            tcp_octets_missed: 0,
            flows_lost: 0,
            endpoints_evicted: 0,
            flows_evicted: 0,
            flows_evicted_over_share: 0,
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
            let it = heard.sample;
            (place.frames, place.frames_dropped, place.frames_cut) =
                (it.frames_seen, it.frames_dropped_by_kernel, it.frames_cut);
            (place.octets, place.undecoded, place.flows_lost) = (it.octets_seen, it.undecoded, it.flows_lost);
            (place.tcp_octets, place.tcp_octets_missed) = (it.tcp_octets, it.tcp_octets_missed);
            (place.endpoints_evicted, place.flows_evicted) = (it.endpoints_evicted, it.flows_evicted);
            place.flows_evicted_over_share = heard.flows_evicted_over_share;
            place.endpoints = heard.endpoints;
        }
    }

    pub(crate) fn not_listening(&self, interface: &str) {
        self.lock().interfaces.remove(interface);
    }

    /// Returns how many devices there are, and those to be listed: those with trouble first.
    pub(crate) fn devices(&self) -> (u64, Vec<DeviceStatus>) {
        let places = self.lock();
        let answers = |(_, place): &(&String, &Place)| place.reach == Some(ReachState::Answering);
        let (well, trouble): (Vec<_>, Vec<_>) = places.devices.iter().partition(answers);
        let listed = trouble.into_iter().chain(well).take(DEVICES_LISTED_MAX);
        (places.devices.len() as u64, listed.map(|(name, place)| place.status(name)).collect())
    }

    /// Returns the interfaces that are to be listened on.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceStatus> {
        self.lock().interfaces.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn new(device: &DeviceConfig) -> Self {
        Self {
            target: device.target,
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

    /// Returns what it says of the device of this name.
    fn status(&self, name: &str) -> DeviceStatus {
        let table = |row: &TableRead| TableStatus {
            table: row.table.name().to_owned(),
            rows: row.rows.into(),
            dropped: row.dropped.into(),
            read: row.read,
        };
        DeviceStatus {
            name: name.to_owned(),
            target: self.target.to_string(),
            reach: self.reach,
            detail: self.detail.clone(),
            since: self.since,
            last_cycle: self.last_cycle,
            last_cycle_ms: self.last_cycle_ms,
            late_cycles: self.late_cycles,
            slowed: self.slowed,
            tables: self.tables.iter().map(table).collect(),
        }
    }
}
