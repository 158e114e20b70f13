//! A whole agent in this process against a centre of the test's own: what it reports, how it obeys, how it stops.

#![expect(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

mod centre;
mod peculiar;
#[path = "../../../snmp/examples/simulated/mod.rs"]
#[expect(dead_code, reason = "the simulator of the benchmark uses all of it")]
mod simulated;
#[path = "../../../snmp/tests/tables/mod.rs"]
#[expect(dead_code, reason = "the tests of the collector use all of it")]
mod tables;

use std::{path::Path, time::Duration};

use onenet_agent::{
    config::{Config, DeviceConfig, Environment, Intervals},
    run,
    status::{Liveness, Status},
};
use onenet_topology::{
    Timestamp,
    fact::{ConditionKind, EventKind, FactBody, FactChange, HistoryBody, ItemKey, Method, ReachState},
};
use onenet_wire::{InstructionBody, Query};
use tempfile::TempDir;
use tokio::{net::UdpSocket, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use centre::{Authority, Centre};

const DEADLINE: Duration = Duration::from_secs(60);

/// An agent that runs.
struct Running {
    data: TempDir,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

struct NoEnvironment;

impl Environment for NoEnvironment {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

impl Running {
    fn start(authority: &Authority, config: impl FnOnce(&Path) -> Config) -> Self {
        let data = tempfile::tempdir().unwrap();
        authority.enrol(data.path());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run_until(config(data.path()), shutdown.clone()));
        Self { data, shutdown, task }
    }

    /// Waits until the status document says so.
    async fn status<T>(&self, what: &str, find: impl Fn(&Status) -> Option<T>) -> T {
        eventually(DEADLINE, what, || {
            let (status, _) = Status::read(self.data.path(), Timestamp::EPOCH).ok()?;
            find(&status)
        })
        .await
    }

    async fn stop(self) -> TempDir {
        self.shutdown.cancel();
        self.task.await.unwrap();
        self.data
    }
}

async fn run_until(config: Config, shutdown: CancellationToken) {
    run(config, shutdown).await.unwrap();
}

/// Asks again and again until there is an answer; a test that waits for too long fails and says for what.
async fn eventually<T>(within: Duration, what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(within, async {
        loop {
            if let Some(found) = find() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not within {within:?}"))
}

fn config(centre: &Centre, data: &Path) -> Config {
    let mut config = Config::new(&centre.address.to_string(), data.to_owned());
    config.status.every = Duration::from_secs(1);
    config
}

/// A device at a port of loopback that nobody listens on.
fn absent_device(name: &str, port: u16) -> DeviceConfig {
    DeviceConfig {
        name: name.to_owned(),
        target: format!("127.0.0.1:{port}").parse().unwrap(),
        credentials: onenet_snmp::Credentials::community("public").unwrap(),
        intervals: Intervals::default(),
        requests_max: 20_000,
    }
}

/// Returns a port that was free a moment ago.
async fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn site_with(device: &str, port: u16) -> String {
    format!(
        "[anchor]\ninterval_s = 0\n[[devices]]\nname = \"{device}\"\naddress = \"127.0.0.1\"\nport = {port}\ncommunity = \"public\"\n"
    )
}

/// Finds the fact that a device of this name is silent.
async fn silent(centre: &Centre, device: &str) -> String {
    let find = |group: &onenet_topology::fact::Group, change: &FactChange| match change {
        FactChange::Present(fact) => match &fact.body {
            FactBody::Reach(reach) if group.scope.as_str() == device && reach.state == ReachState::Silent => {
                Some(reach.detail.clone())
            }
            _ => None,
        },
        FactChange::Gone { .. } => None,
    };
    centre.change("a silent device", find).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_tells_the_centre_and_whoever_stands_beside_it_what_it_cannot_reach() {
    let authority = Authority::new();
    let centre = Centre::start(&authority, 0).await;
    let port = free_port().await;
    let agent = Running::start(&authority, |data| {
        let mut config = config(&centre, data);
        config.site.devices = vec![absent_device("access-1", port).into()];
        config
    });
    centre
        .history("the start", |body| match body {
            HistoryBody::Event(event) if event.kind == EventKind::AgentStarted => Some(()),
            _ => None,
        })
        .await;
    assert!(silent(&centre, "access-1").await.contains("switch its SNMP agent on"));
    let site = agent
        .status("a connected agent with a silent device", |status| {
            let device = status.devices.first()?;
            let told = status.centre.connected && device.reach == Some(ReachState::Silent);
            told.then(|| status.site_name.clone())
        })
        .await;
    assert_eq!(site.as_deref(), Some("清河县"));
    let answer = centre.ask(InstructionBody::Query(Query::Status)).await.unwrap();
    let asked: Status = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(asked.devices_total, 1);

    let data = agent.stop().await;
    let (last, liveness) = Status::read(data.path(), Timestamp::EPOCH).unwrap();
    assert_eq!((liveness, last.centre.connected), (Liveness::Stopped, false));
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_of_the_centre_is_refused_as_a_whole_or_replaces_the_sites_part() {
    let authority = Authority::new();
    let centre = Centre::start(&authority, 0).await;
    let (before, after) = (free_port().await, free_port().await);
    let agent = Running::start(&authority, |data| {
        let mut config = config(&centre, data);
        config.site.devices = vec![absent_device("old", before).into()];
        config
    });
    silent(&centre, "old").await;

    let bad = "[centre]\naddress = \"elsewhere:1\"\n[[devices]]\nname = \"new\"\n".to_owned();
    let refused = centre.ask(InstructionBody::Configure { revision: 1, toml: bad }).await.unwrap_err();
    assert!(refused.contains("not the centre's to set") && refused.contains("devices[1].address"), "{refused}");
    centre
        .change("the condition that it was refused", |_, change| match change {
            FactChange::Present(fact) => match &fact.body {
                FactBody::Condition(it) if it.kind == ConditionKind::ConfigurationRefused => Some(()),
                _ => None,
            },
            FactChange::Gone { .. } => None,
        })
        .await;

    let good = InstructionBody::Configure { revision: 2, toml: site_with("new", after) };
    assert_eq!(centre.ask(good).await.unwrap().configuration_revision, 2);
    silent(&centre, "new").await;
    centre
        .change("the old device taken back", |group, change| match change {
            FactChange::Gone { key: ItemKey::Reach, .. }
                if group.method == Method::SnmpReach && group.scope.as_str() == "old" =>
            {
                Some(())
            }
            _ => None,
        })
        .await;
    agent.status("revision 2", |status| (status.configuration.revision == 2).then_some(())).await;
    agent.stop().await;
    centre.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_with_which_the_centre_is_lost_is_taken_back_and_not_taken_again() {
    let authority = Authority::new();
    let centre = Centre::start(&authority, 0).await;
    let (address, port) = (centre.address, free_port().await);
    let agent = Running::start(&authority, |data| {
        let mut config = config(&centre, data);
        config.centre.rollback_after = Duration::from_millis(100);
        config
    });
    let configure = || InstructionBody::Configure { revision: 5, toml: site_with("new", port) };
    assert_eq!(centre.ask(configure()).await.unwrap().configuration_revision, 5);
    agent.status("revision 5", |status| (status.configuration.revision == 5).then_some(())).await;
    centre.stop().await;
    agent.status("the configuration before it", |status| (status.configuration.revision == 0).then_some(())).await;

    let centre = Centre::start(&authority, address.port()).await;
    assert_eq!(centre.revision().await, 0);
    let told = centre
        .history("the event of it", |body| match body {
            HistoryBody::Event(event) if event.kind == EventKind::ConfigurationRolledBack => {
                Some(event.subject.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(told, "revision 5");
    let again = centre.ask(configure()).await.unwrap_err();
    assert!(again.contains("under a new revision"), "{again}");
    agent.stop().await;
    centre.stop().await;
}

#[tokio::test]
async fn an_agent_that_is_not_enrolled_says_how_to_enrol() {
    let data = tempfile::tempdir().unwrap();
    let config = Config::parse("", "agent.toml", &NoEnvironment).unwrap();
    let config = Config { data_dir: data.path().to_owned(), ..config };
    let error = run(config, CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("onenet-agent enrol"), "{error}");
}
