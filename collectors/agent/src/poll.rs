//! Polling: a task a device.
//!
//! Tasks: [`Poller`] owns one task for each configured device. A task sleeps until its schedule says what to ask, or until
//! something new is seen at the site. Cancelling one is safe at any point: its session is its own, and what it had not
//! handed on is read again. A task that fails is begun again with the next [`Poller::revive`].

mod device;
mod facts;
mod handed;
mod holding;
mod memory;
mod names;
mod notices;
mod quirks;
mod recognition;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use onenet_topology::fact::{Group, Method, Scope};
use tokio::{
    sync::{Semaphore, watch},
    task::{self, JoinSet},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::notices::{Notice, Told};

pub(crate) use self::device::Shared;

use self::device::Device;
use crate::config::DeviceConfig;

/// How many devices are asked at the same time. A site has a handful; a province's agent with thousands, each a round trip
/// of 50 ms away and asked 20 questions a minute, needs some 200 at a time.
const AT_A_TIME: usize = 512;

/// What is known of a device by polling it.
pub(crate) const METHODS: [Method; 17] = [
    Method::SnmpReach,
    Method::SnmpSystem,
    Method::SnmpInterfaces,
    Method::SnmpForwarding,
    Method::SnmpAddresses,
    Method::SnmpNeighbours,
    Method::SnmpEntities,
    Method::SnmpSensors,
    Method::SnmpStations,
    Method::SnmpAggregation,
    Method::SnmpVlanForwarding,
    Method::SnmpVlans,
    Method::SnmpOwnAddresses,
    Method::SnmpQuirks,
    Method::SnmpSeldomSensors,
    Method::SnmpSpanningTree,
    Method::SnmpRoutes,
];

/// Tells pollers that something new was seen. Cheap to clone; news of a moment coalesce.
#[derive(Debug, Clone)]
pub(crate) struct News(Arc<watch::Sender<u64>>);

/// Polls the configured devices.
pub(crate) struct Poller {
    shared: Shared,
    news: News,
    told: Told,
    tasks: JoinSet<()>,
    /// Which task polls what.
    devices: HashMap<task::Id, (Arc<DeviceConfig>, CancellationToken)>,
    cancel: CancellationToken,
}

impl News {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Says that something new was seen.
    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Poller {
    /// Returns a poller without devices.
    pub(crate) fn new(shared: Shared, news: News) -> Self {
        let (tasks, cancel) = (JoinSet::new(), CancellationToken::new());
        Self { shared, news, told: Told::default(), tasks, devices: HashMap::new(), cancel }
    }

    /// Returns where devices are told what they say of their own accord.
    pub(crate) fn told(&self) -> Told {
        self.told.clone()
    }

    /// Polls these devices from now on, and no others.
    pub(crate) async fn set_devices(&mut self, devices: &[Arc<DeviceConfig>]) {
        self.stop().await;
        self.cancel = CancellationToken::new();
        self.shared.board.set_devices(devices);
        devices.iter().cloned().for_each(|device| self.begin(device, (devices.len(), devices.len())));
    }

    /// Polls these devices from now on, and no others; those that are the same as before go on undisturbed.
    pub(crate) fn update(&mut self, devices: &[Arc<DeviceConfig>]) {
        let wanted: HashMap<&str, &DeviceConfig> =
            devices.iter().map(|device| (device.name.as_str(), &**device)).collect();
        let stays =
            |device: &DeviceConfig| wanted.get(device.name.as_str()).is_some_and(|other| is_same(other, device));
        let gone: Vec<task::Id> =
            self.devices.iter().filter(|(_, (device, _))| !stays(device)).map(|(id, _)| *id).collect();
        for (device, cancel) in gone.iter().filter_map(|id| self.devices.remove(id)) {
            cancel.cancel();
            self.told.remove(&device);
            self.shared.board.remove_device(&device.name);
        }
        let stay: HashSet<&str> = self.devices.values().map(|(device, _)| device.name.as_str()).collect();
        let new: Vec<_> = devices.iter().filter(|device| !stay.contains(device.name.as_str())).cloned().collect();
        let counts = (new.len(), devices.len());
        for device in new {
            self.shared.board.add_device(&device);
            self.begin(device, counts);
        }
    }

    /// Begins again what failed: a defect that one device brings out must not leave it unwatched in silence.
    pub(crate) fn revive(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = match &ended {
                Ok((id, ())) => *id,
                Err(error) => error.id(),
            };
            let Some((device, _)) = self.devices.remove(&id) else { continue };
            tracing::error!(device = %device.name, error = ?ended.err(), "the task of a device failed and is begun again");
            self.begin(device, (1, self.devices.len() + 1));
        }
    }

    /// Begins with a device: one of so many that begin now, and that there are.
    fn begin(&mut self, device: Arc<DeviceConfig>, counts: (usize, usize)) {
        let polling = Device::new(Arc::clone(&device), self.shared.clone(), self.told.clone(), counts);
        let notices = self.told.add(&device);
        let cancel = self.cancel.child_token();
        let task = self.tasks.spawn(polling.run(cancel.clone(), self.news.0.subscribe(), notices));
        self.devices.insert(task.id(), (device, cancel));
    }

    /// Ends all polling.
    pub(crate) async fn stop(&mut self) {
        self.cancel.cancel();
        self.devices.drain().for_each(|(_, (device, _))| self.told.remove(&device));
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the task of a device failed");
            }
        }
    }
}

/// Returns what lets so many devices be asked at a time and no more.
pub(crate) fn gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_A_TIME))
}

/// Returns whether both are polled in the same way.
fn is_same(a: &DeviceConfig, b: &DeviceConfig) -> bool {
    let asked_alike = a.intervals == b.intervals && a.requests_max == b.requests_max;
    a.name == b.name && a.target == b.target && a.credentials.is_same(&b.credentials) && asked_alike
}

/// Returns the groups of facts about a device of this name.
pub(crate) fn groups_of(device: &str) -> impl Iterator<Item = Group> {
    let scope = Scope::new(device);
    METHODS.into_iter().map(move |method| Group { method, scope: scope.clone() })
}
