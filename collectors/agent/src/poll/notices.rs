//! What devices say of their own accord, on its way to the tasks that poll them.
//!
//! Invariant: a task that is busy is not waited for: what finds no room is refused and the teller counts it. The table has
//! one entry a polled device.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use onenet_snmp::Credentials;
use onenet_topology::{Timestamp, fact::EventKind};
use tokio::sync::Notify;

use crate::{config::DeviceConfig, schedule::Tables};

/// How many notices wait for a device whose tables are being read: each of a switch's ports has its say.
const WAITING_MAX: usize = 64;

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
pub(crate) struct Told(Arc<Mutex<HashMap<IpAddr, Vec<Listening>>>>);

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
    /// Returns the devices at an address.
    pub(crate) fn at(&self, address: IpAddr) -> Vec<Listening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned().unwrap_or_default()
    }

    /// Adds a device. Returns where its notices come.
    pub(super) fn add(&self, device: &DeviceConfig) -> Notices {
        let inbox = Arc::<Inbox>::default();
        let notices = Notices(Arc::clone(&inbox));
        let listening = Listening { name: device.name.clone(), credentials: device.credentials.clone(), inbox };
        let mut devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = devices.entry(device.target.ip().to_canonical()).or_default();
        here.retain(|other| other.name != device.name);
        here.push(listening);
        notices
    }

    /// Removes a device.
    pub(super) fn remove(&self, device: &DeviceConfig) {
        let mut devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = device.target.ip().to_canonical();
        if let Some(here) = devices.get_mut(&address) {
            here.retain(|other| other.name != device.name);
            if here.is_empty() {
                devices.remove(&address);
            }
        }
    }
}
