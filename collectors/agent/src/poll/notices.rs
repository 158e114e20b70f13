//! What devices say of their own accord, on its way to the tasks that poll them.
//!
//! Invariant: a task that is busy is not waited for: what finds no room is refused and the teller counts it. A device is known by
//! the address that it is polled at, and by those that it calls its own, as long as no other device has or claims one; each
//! has one entry and at most [`OWN_MAX`] more.

use std::{
    collections::{BTreeSet, HashMap, VecDeque, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_snmp::Credentials;
use onenet_topology::{Timestamp, fact::EventKind};
use tokio::sync::Notify;

use crate::{config::DeviceConfig, schedule::Tables};

/// How many notices wait for a device whose tables are being read: each of a switch's ports has its say.
const WAITING_MAX: usize = 64;

/// How many addresses of its own a device is known by: a core router has hundreds, and sends its traps from one.
const OWN_MAX: usize = 256;

/// Something that a device said.
#[derive(Debug)]
pub(crate) struct Notice {
    /// When it came.
    pub(crate) at: Timestamp,
    /// What kind of event it is.
    pub(crate) kind: EventKind,
    /// What has to be read.
    pub(crate) tables: Tables,
    /// The port that it is about.
    pub(crate) if_index: Option<u32>,
    /// In its words.
    pub(crate) words: String,
}

/// Where a device is told what it said.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    /// The device's name.
    pub(crate) name: String,
    /// What it is polled with, and so believed with.
    pub(crate) credentials: Credentials,
    inbox: Arc<Inbox>,
}

/// Where the notices for one device wait. It takes no memory for them before one comes, as a channel would: nearly all
/// devices are silent.
#[derive(Debug, Default)]
struct Inbox {
    waiting: Mutex<VecDeque<Notice>>,
    come: Notify,
}

/// What comes for one device.
#[derive(Debug)]
pub(super) struct Notices(Arc<Inbox>);

/// Who is at which address. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    /// The devices by the address that they are polled at.
    polled: HashMap<IpAddr, Vec<Listening>>,
    /// Who calls an address its own, by name and the address that it is polled at.
    claimed: HashMap<IpAddr, Vec<(String, IpAddr)>>,
    /// What each device claims.
    own: HashMap<String, Vec<IpAddr>>,
}

impl Listening {
    /// Tells the device's task. Returns whether there was room.
    pub(crate) fn tell(&self, notice: Notice) -> bool {
        let mut waiting = self.inbox.lock();
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.push_back(notice);
        drop(waiting);
        self.inbox.come.notify_one();
        true
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notices {
    /// Returns the next notice once there is one. Cancel safe: what is not returned still waits.
    pub(super) async fn next(&mut self) -> Notice {
        loop {
            if let Some(notice) = self.take() {
                return notice;
            }
            self.0.come.notified().await;
        }
    }

    fn take(&self) -> Option<Notice> {
        let mut waiting = self.0.lock();
        let notice = waiting.pop_front();
        if waiting.is_empty() {
            waiting.shrink_to_fit();
        }
        notice
    }
}

impl Told {
    /// Returns the devices at an address: those that are polled there, else the only one that calls it its own.
    pub(crate) fn at(&self, address: IpAddr) -> Vec<Listening> {
        let places = self.places();
        if let Some(here) = places.polled.get(&address) {
            return here.clone();
        }
        match places.claimed.get(&address).map(Vec::as_slice) {
            Some([(name, polled)]) => {
                let there = places.polled.get(polled).into_iter().flatten();
                there.filter(|device| device.name == *name).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Takes note of the addresses that a device calls its own, instead of those before.
    pub(super) fn claims(&self, device: &DeviceConfig, own: impl Iterator<Item = IpAddr>) {
        let polled = device.target.ip().to_canonical();
        let sends = |ip: &IpAddr| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && *ip != polled;
        let own: BTreeSet<IpAddr> = own.map(|ip| ip.to_canonical()).filter(sends).take(OWN_MAX).collect();
        let mut places = self.places();
        places.forget(&device.name);
        if own.is_empty() {
            return;
        }
        for ip in &own {
            places.claimed.entry(*ip).or_default().push((device.name.clone(), polled));
        }
        places.own.insert(device.name.clone(), own.into_iter().collect());
    }

    /// Adds a device. Returns where its notices come.
    pub(super) fn add(&self, device: &DeviceConfig) -> Notices {
        let inbox = Arc::<Inbox>::default();
        let notices = Notices(Arc::clone(&inbox));
        let listening = Listening { name: device.name.clone(), credentials: device.credentials.clone(), inbox };
        let mut places = self.places();
        let here = places.polled.entry(device.target.ip().to_canonical()).or_default();
        here.retain(|other| other.name != device.name);
        here.push(listening);
        notices
    }

    /// Removes a device.
    pub(super) fn remove(&self, device: &DeviceConfig) {
        let mut places = self.places();
        places.forget(&device.name);
        let address = device.target.ip().to_canonical();
        if let Some(here) = places.polled.get_mut(&address) {
            here.retain(|other| other.name != device.name);
            if here.is_empty() {
                places.polled.remove(&address);
            }
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn forget(&mut self, name: &str) {
        for ip in self.own.remove(name).unwrap_or_default() {
            if let Entry::Occupied(mut claimants) = self.claimed.entry(ip) {
                claimants.get_mut().retain(|(claimant, _)| claimant != name);
                if claimants.get().is_empty() {
                    claimants.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
