//! A real Prometheus that scrapes the product, as its users run it.
//!
//! Invariant: what a scenario believes about metrics is what Prometheus stored, not what the product printed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{api::Api, netns::Node, process::Process};
use crate::clock;

/// Where its own API answers, inside its node.
const ADDRESS: &str = "127.0.0.1:9090";
/// How long it may take to start.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    /// The process.
    pub process: Process,
    api: Api,
}

/// What to scrape.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// `host:port`.
    pub address: &'a str,
    /// Path of the metrics, such as `/metrics`.
    pub path: &'a str,
    /// Bearer token, if the target asks for one.
    pub token: Option<&'a str>,
}

impl Prometheus {
    /// Starts it on a node with one job, `onenet`, scraped every second.
    ///
    /// # Errors
    ///
    /// Prometheus is not installed or refuses its configuration.
    pub fn start(node: &Node, target: Target<'_>) -> Result<Self> {
        let authorization = match target.token {
            Some(token) => {
                let file = node.file("prometheus.token", token)?;
                format!("    authorization: {{ credentials_file: {} }}\n", file.display())
            }
            None => String::new(),
        };
        let config = node.file(
            "prometheus.yml",
            &format!(
                "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n  - job_name: onenet\n    \
                 metrics_path: {}\n{authorization}    static_configs: [{{ targets: [\"{}\"] }}]\n",
                target.path, target.address
            ),
        )?;
        let mut command = node.command("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", node.dir().join("prometheus-data").display()));
        command.arg(format!("--web.listen-address={ADDRESS}"));
        let process = Process::start(node, "prometheus", command)?;
        let api = Api::new(node, format!("http://{ADDRESS}"), None);
        let ready = || api.get("/-/ready").map(|answer| answer.status);
        clock::until("Prometheus is ready", READY_WITHIN, ready, |status| *status == 200)?;
        Ok(Self { process, api })
    }

    /// Returns the values that an instant query gives, with their labels.
    ///
    /// # Errors
    ///
    /// The expression is wrong.
    pub fn query(&self, expression: &str) -> Result<Vec<(Value, f64)>> {
        let answer = self.api.json(&format!("/api/v1/query?query={}", percent(expression)))?;
        ensure!(answer["status"] == "success", "{answer}");
        let result = answer["data"]["result"].as_array().context("no result")?;
        let read = |series: &Value| {
            let value = series["value"][1].as_str().context("no value")?;
            Ok((series["metric"].clone(), value.parse::<f64>().context("value is no number")?))
        };
        result.iter().map(read).collect()
    }
}

/// Encodes all but unreserved characters (RFC 3986, section 2.3).
pub(super) fn percent(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
