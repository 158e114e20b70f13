//! Quickstart: the centre and one agent in one process, watching the network of this machine.
//!
//! Invariant: nothing is faked and nothing is special: the agent enrols by the real enrolment with a one-time token,
//! reports over mutual TLS on loopback, and people come in through the same gate as everywhere. A second start on the same
//! data goes on where the first one ended. Of this machine itself only what others are to it is shown: a port that only
//! listens is no endpoint, since an endpoint is a presence on the network that is watched, and this is the watcher.
//!
//! # Tasks
//!
//! The centre's (see [`onenetd::cli`]), the agent's (`onenet_agent::run`), one that asks the neighbours once, and with
//! `--demo` one for each simulated agent. On SIGINT or SIGTERM the agents end first, so that the centre takes in what they
//! still have to say.

mod demo;
mod machine;
mod report;
mod site;

use std::{
    fs,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use onenet_agent::{
    STOP_WITHIN,
    config::{Config as AgentConfig, ProcessEnvironment},
    enrol::EnrolError,
    status::{Liveness, Status},
};
use onenet_topology::Timestamp;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::report::{NoSnmp, Report};
use onenetd::{
    api::App,
    cli::{RunError, Running, StopSignal, start},
    config::{ApiConfig, CollectorsConfig, Config, LogConfig, Transport},
    ingest::IntakeError,
};

/// How long an enrolment token of ours is valid: it is used at once.
const ENROLMENT_TTL: Duration = Duration::from_secs(300);
/// How long the agent may take to tell what it watches, and how often that is looked up.
const AGENT_START: Duration = Duration::from_secs(10);
const AGENT_LOOK: Duration = Duration::from_millis(100);

/// How to start quickly.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Where the console listens: plain HTTP on loopback; elsewhere TLS, with a certificate of its own authority.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = address_and_port)]
    listen: SocketAddr,
    /// Where to keep the data; a second start goes on with it.
    #[arg(long, value_name = "DIR", default_value = "onenet-data")]
    data: PathBuf,
    /// Watch this interface only; can be given several times. By default every Ethernet interface that is up.
    #[arg(long, value_name = "IF")]
    interface: Vec<String>,
    /// Add a small province of simulated sites, marked as such everywhere.
    #[arg(long)]
    demo: bool,
}

/// Quickstart cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuickstartError {
    /// The data directory cannot be used.
    #[error("the data directory {} cannot be used: give another with --data", path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The console's port is taken.
    #[error("cannot listen on {address}: give another address with --listen, such as --listen 127.0.0.1:8090")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The centre does not run.
    #[error(transparent)]
    Run(RunError),
    /// The centre does not take in what it needs.
    #[error(transparent)]
    Intake(IntakeError),
    /// No secret can be made.
    #[error(transparent)]
    Random(onenetd::access::NoRandomness),
    /// No enrolment token can be had.
    #[error(transparent)]
    Token(onenetd::centre::EnrolTokenError),
    /// The agent cannot enrol.
    #[error(transparent)]
    Enrol(EnrolError),
    /// The agent's configuration does not fit the agent: a defect of ours.
    #[error("the agent does not take the configuration that quickstart made")]
    AgentConfig(#[source] onenet_agent::config::ConfigError),
    /// The agent ended.
    #[error("this machine's agent cannot go on; its data is in {}, and --data puts it elsewhere", path.display())]
    Agent {
        /// The agent's data directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: onenet_agent::RunError,
    },
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

/// Watches this machine's network until told to stop.
///
/// # Errors
/// Something it needs cannot be had; each message says what to do.
pub(crate) async fn run(args: Arguments) -> Result<(), QuickstartError> {
    let mut stop = StopSignal::new().map_err(|source| QuickstartError::Run(RunError::Signal(source)))?;
    // Warnings only: what matters to a first look is printed, and in the console.
    onenetd::logging::start(&LogConfig {
        filter: "warn,onenet_agent=error,onenet_capture=error".to_owned(),
        json: false,
    });
    let data = std::path::absolute(&args.data);
    let data = data.map_err(|source| QuickstartError::Data { path: args.data.clone(), source })?;
    make_directory(&data)?;
    let running = start(&centre_config(&args, &data)).await.map_err(run_error)?;
    let (failed, mut failure) = mpsc::channel(1);
    let mut quickstart =
        Quickstart { args, data, running, tasks: TaskTracker::new(), shutdown: CancellationToken::new(), failed };
    let begun = tokio::select! {
        begun = quickstart.begin() => begun.map(|()| true),
        () = stop.wait() => Ok(false),
        // What cannot be watched is not reported as watched.
        Some(source) = failure.recv() => Err(quickstart.agent_ended(source)),
    };
    let ended = match begun {
        Ok(true) => tokio::select! {
            () = stop.wait() => Ok(()),
            error = quickstart.running.failed() => Err(QuickstartError::Run(error)),
            // The sender lives in `quickstart`, so this waits until the agent fails.
            Some(source) = failure.recv() => Err(quickstart.agent_ended(source)),
        },
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    quickstart.end().await;
    ended
}

/// The centre, and what quickstart adds.
struct Quickstart {
    args: Arguments,
    data: PathBuf,
    running: Running,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    failed: mpsc::Sender<onenet_agent::RunError>,
}

impl Quickstart {
    /// Starts the agent and says what it watches.
    async fn begin(&self) -> Result<(), QuickstartError> {
        let app = &self.running.app;
        let site = site::ensure_site(app).await?;
        let token = site::ensure_token(app, &self.data).await?;
        let agent_data = self.agent_data();
        make_directory(&agent_data)?;
        site::ensure_identity(&self.running, site, &agent_data).await?;
        let routes = machine::Routes::read();
        let (devices, no_snmp) = reachable(routes.gateway).await;
        let started = app.clock.now();
        self.start_agent(&agent_data, &devices)?;
        let may_capture = machine::may_capture();
        let (neighbours, too_large) = machine::neighbours(&routes.on_link);
        let demo_sites = if self.args.demo { demo::start(app, &self.tasks, &self.shutdown).await? } else { 0 };
        let status = agent_status(&agent_data, app, started, devices.len()).await;
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("onenetd"));
        let report = Report {
            language: report::language(|name| std::env::var(name).ok()),
            status: status.as_ref(),
            may_capture,
            routes: &routes,
            no_snmp: &no_snmp,
            asked: neighbours.len(),
            too_large: &too_large,
            demo_sites,
            program: &program,
            data: &self.data,
            console: self.running.api,
            tls: app.secure_cookies,
            token: &token,
        };
        say(&report.lines())?;
        if may_capture {
            self.tasks.spawn(machine::ask(neighbours, self.shutdown.clone()));
        }
        Ok(())
    }

    fn start_agent(&self, data: &Path, devices: &[(String, IpAddr)]) -> Result<(), QuickstartError> {
        let text = agent_config(&self.running.collectors.to_string(), data, &self.args.interface, devices);
        let config =
            AgentConfig::parse(&text, "quickstart", &ProcessEnvironment).map_err(QuickstartError::AgentConfig)?;
        let (shutdown, failed) = (self.shutdown.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            if let Err(error) = onenet_agent::run(config, shutdown).await {
                // Somebody always waits for it until the end.
                let _ = failed.send(error).await;
            }
        });
        Ok(())
    }

    fn agent_ended(&self, source: onenet_agent::RunError) -> QuickstartError {
        QuickstartError::Agent { path: self.agent_data(), source }
    }

    fn agent_data(&self) -> PathBuf {
        self.data.join("agent")
    }

    /// Ends the agents, then the centre.
    async fn end(self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the agent did not end in time; what it had acknowledged is on disk");
        }
        self.running.stop().await;
    }
}

fn address_and_port(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write address and port, such as 127.0.0.1:8090 or [::1]:8090".to_owned())
}

fn centre_config(args: &Arguments, data: &Path) -> Config {
    let transport = if args.listen.ip().is_loopback() { Transport::Plain } else { Transport::OwnAuthority };
    Config {
        data_dir: data.join("centre"),
        collectors: CollectorsConfig { listen: (Ipv4Addr::LOCALHOST, 0).into(), names: Vec::new() },
        api: ApiConfig { listen: args.listen, transport, ..ApiConfig::default() },
        ..Config::default()
    }
}

/// Returns the agent's configuration as anybody would write it.
/// Returns the agent's configuration. Who tries it wants to see traffic at once, not at the end of a quarter of an hour.
fn agent_config(centre: &str, data: &Path, interfaces: &[String], devices: &[(String, IpAddr)]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let interfaces: Vec<String> = interfaces.iter().map(|name| quoted(name)).collect();
    let interfaces = if interfaces.is_empty() { "\"auto\"".to_owned() } else { format!("[{}]", interfaces.join(", ")) };
    let mut text = format!(
        "[centre]\naddress = {}\n[data]\ndir = {}\n[status]\nevery_s = 1\n[flow_log]\nroll_up_s = 60\n[capture]\ninterfaces = {interfaces}\n",
        quoted(centre),
        quoted(&data.display().to_string()),
    );
    for (name, address) in devices {
        let device = format!("[[devices]]\nname = {}\naddress = \"{address}\"\ncommunity = \"public\"\n", quoted(name));
        text.push_str(&device);
    }
    text
}

/// Asks this machine's own snmpd and the gateway; returns those that answer, and those that do not.
async fn reachable(gateway: Option<Ipv4Addr>) -> (Vec<(String, IpAddr)>, Vec<NoSnmp>) {
    let own = IpAddr::from(Ipv4Addr::LOCALHOST);
    let own_answers = machine::answers_snmp(own);
    let gateway_answers = async {
        match gateway {
            Some(gateway) => machine::answers_snmp(gateway.into()).await,
            None => false,
        }
    };
    let (own_answers, gateway_answers) = tokio::join!(own_answers, gateway_answers);
    let (mut devices, mut silent) = (Vec::new(), Vec::new());
    if own_answers {
        devices.push((machine::host_name(), own));
    } else {
        silent.push(NoSnmp::Own(own));
    }
    match gateway {
        Some(gateway) if gateway_answers => devices.push(("gateway".to_owned(), gateway.into())),
        Some(gateway) => silent.push(NoSnmp::Gateway(gateway.into())),
        None => {}
    }
    (devices, silent)
}

/// Waits until the agent that started at `started` says what it watches.
async fn agent_status(data: &Path, app: &App, started: Timestamp, devices: usize) -> Option<Status> {
    let told = async {
        loop {
            let read = Status::read(data, app.clock.now());
            if let Ok((status, Liveness::Running)) = read
                && status.started >= started
                && (!status.interfaces.is_empty() || !status.conditions.is_empty())
                && status.devices.iter().filter(|device| device.reach.is_some()).count() >= devices
            {
                return status;
            }
            tokio::time::sleep(AGENT_LOOK).await;
        }
    };
    match tokio::time::timeout(AGENT_START, told).await {
        Ok(status) => Some(status),
        Err(_) => Status::read(data, app.clock.now()).ok().map(|(status, _)| status),
    }
}

fn make_directory(path: &Path) -> Result<(), QuickstartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| QuickstartError::Data { path: path.to_owned(), source })
}

fn run_error(error: RunError) -> QuickstartError {
    match error {
        RunError::Listen { address, key: "api.listen", source } => QuickstartError::Listen { address, source },
        error => QuickstartError::Run(error),
    }
}

fn say(text: &str) -> Result<(), QuickstartError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(QuickstartError::Output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_takes_the_configuration_that_is_made_for_it() {
        let devices = [("a \"quoted\" host".to_owned(), "127.0.0.1".parse().unwrap())];
        for interfaces in [vec![], vec!["eth0".to_owned(), "eth1".to_owned()]] {
            let text = agent_config("127.0.0.1:7443", Path::new("/srv/a b/agent"), &interfaces, &devices);
            let config = AgentConfig::parse(&text, "test", &ProcessEnvironment).unwrap();
            assert_eq!(config.site.devices[0].name, devices[0].0);
            assert_eq!(config.data_dir, Path::new("/srv/a b/agent"));
        }
    }
}
