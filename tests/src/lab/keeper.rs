//! Whoever keeps series for years and takes remote write: a real Prometheus, or a real VictoriaMetrics, as Debian has them.
//!
//! Invariant: what it keeps survives [`Keeper::stop`] and [`Keeper::restart`]; what it is asked for are the stored values
//! themselves, with their times, and no points of a drawing.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    api::Api,
    netns::Node,
    process::{Process, START_WITHIN},
    prometheus::percent,
};
use crate::clock;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With the receiver of remote write, and a window of eight days for what comes late.
    Prometheus,
    /// With equal values of one time kept once, as its documentation advises for senders that repeat themselves.
    VictoriaMetrics,
}

/// A keeper of series.
#[derive(Debug)]
pub struct Keeper {
    kind: Kind,
    node: Node,
    api: Api,
    process: Option<Process>,
}

/// A stored series: its labels, and times in milliseconds with values, in the order of time.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The labels.
    pub labels: Value,
    /// The values.
    pub values: Vec<(i64, f64)>,
}

impl Kind {
    const fn address(self) -> &'static str {
        match self {
            Self::Prometheus => "127.0.0.1:9090",
            Self::VictoriaMetrics => "127.0.0.1:8428",
        }
    }

    /// Returns where it takes remote write, within its node.
    pub fn url(self) -> String {
        format!("http://{}/api/v1/write", self.address())
    }
}

impl Keeper {
    /// Starts it on a node.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not become ready.
    pub fn start(node: &Node, kind: Kind) -> Result<Self> {
        let api = Api::new(node, format!("http://{}", kind.address()), None);
        let mut keeper = Self { kind, node: node.clone(), api, process: None };
        keeper.restart()?;
        Ok(keeper)
    }

    /// Starts it with what it kept.
    ///
    /// # Errors
    ///
    /// It runs, or does not become ready.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "it runs");
        let (name, command, ready) = match self.kind {
            Kind::Prometheus => ("prometheus", self.prometheus()?, "/-/ready"),
            Kind::VictoriaMetrics => ("victoria-metrics", self.victoria_metrics(), "/health"),
        };
        self.process = Some(Process::start(&self.node, name, command)?);
        // Nothing answers until it listens.
        let status = || Ok(self.api.get(ready).map_or(0, |answer| answer.status));
        clock::until("the keeper is ready", READY_WITHIN, status, |status| *status == 200).map(drop)
    }

    fn prometheus(&self) -> Result<Command> {
        let text = "storage: { tsdb: { out_of_order_time_window: 8d } }\n";
        let config = self.node.file("keeper.yml", text)?;
        let mut command = self.node.command("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", self.node.dir().join("keeper").display()));
        command.arg(format!("--web.listen-address={}", self.kind.address()));
        command.arg("--web.enable-remote-write-receiver");
        Ok(command)
    }

    fn victoria_metrics(&self) -> Command {
        let mut command = self.node.command("victoria-metrics");
        command.arg(format!("-storageDataPath={}", self.node.dir().join("keeper").display()));
        command.arg(format!("-httpListenAddr={}", self.kind.address()));
        command.args(["-dedup.minScrapeInterval=1ms", "-search.disableCache", "-search.latencyOffset=0s"]);
        command
    }

    /// Stops it in order, so that it has what it took on disk.
    ///
    /// # Errors
    ///
    /// It does not run, or does not end.
    pub fn stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("it does not run")?;
        process.signal("TERM")?;
        process.ends(START_WITHIN).map(drop)
    }

    /// Returns the stored values of series over the last hours.
    ///
    /// # Errors
    ///
    /// The selector is wrong, or it does not answer.
    pub fn stored(&self, selector: &str, hours: u32) -> Result<Vec<Stored>> {
        let query = percent(&format!("{selector}[{hours}h]"));
        let answer = self.api.json(&format!("/api/v1/query?query={query}"))?;
        ensure!(answer["status"] == "success", "{answer}");
        answer["data"]["result"].as_array().context("no result")?.iter().map(Stored::read).collect()
    }
}

impl Stored {
    fn read(series: &Value) -> Result<Self> {
        let pair = |pair: &Value| {
            // Seconds with up to three decimals: the nearest millisecond is the stored one.
            let seconds = pair[0].as_f64().context("no time")?;
            let value = pair[1].as_str().context("no value")?.parse()?;
            Ok((format!("{:.0}", seconds * 1e3).parse()?, value))
        };
        let values = series["values"].as_array().context("no values")?.iter().map(pair).collect::<Result<_>>()?;
        Ok(Self { labels: series["metric"].clone(), values })
    }
}
