//! Real Prometheus, real Alertmanager, and whoever is told: the product's own rules and routes, with webhooks for receivers.
//!
//! Invariant: rules, routes and inhibitions are those of `dashboards/`, but for receivers, which no test has, and for waiting
//! times, which are shortened. What was told is what arrived at the webhooks; the dead man's switch is no message to anybody.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    api::Api,
    netns::Node,
    process::{Process, START_WITHIN},
};
use crate::clock;

const READY_WITHIN: Duration = Duration::from_secs(60);
const PROMETHEUS: &str = "127.0.0.1:9090";
const ALERTMANAGER: &str = "127.0.0.1:9093";
const WEBHOOK_PORT: &str = "9094";
/// The receivers that the product's sample names.
const RECEIVERS: [&str; 6] = [WATCHDOG, "duty", "basin", "hebei", "province", "centre"];
/// Who hears for ever that alerts leave.
const WATCHDOG: &str = "watchdog";
/// Waiting times of the sample, and those of a test.
const SHORTENED: [(&str, &str); 2] =
    [("group_wait: 10s", "group_wait: 1s"), ("group_interval: 5m", "group_interval: 2s")];
/// After how many seconds an agent is silent in a test, where the rules say 900 and wait for five minutes more.
const SILENT_S: u32 = 20;
/// The rule for silent agents: what is shortened of it.
const SILENT_RULE: &str = "alert: OnenetAgentSilent";

/// The three programs.
#[derive(Debug)]
pub struct Alerting {
    _processes: [Process; 3],
    told: PathBuf,
    prometheus: Api,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Told {
    /// To whom.
    pub receiver: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// The names of its alerts, and what the first alert's labels are.
    pub alerts: Vec<String>,
    /// The labels that all its alerts have.
    pub labels: Value,
}

impl Alerting {
    /// Starts all on a node whose daemon's API is at `address`; the pages of the sites of these division codes are scraped, found by
    /// discovery.
    ///
    /// # Errors
    ///
    /// A program is not installed, or does not become ready.
    pub fn start(node: &Node, address: &str, token: &str, codes: &[&str]) -> Result<Self> {
        let dashboards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards").canonicalize()?;
        let told = node.dir().join("told");
        fs::write(&told, "").context("make the file of messages")?;
        let mut webhook = node.command("python3");
        webhook
            .arg("-u")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/webhook.py"))
            .arg(WEBHOOK_PORT)
            .arg(&told);
        let mut webhook = Process::start(node, "webhook", webhook)?;
        webhook.says("listening", START_WITHIN)?;
        let routes = node.file("alertmanager.yml", &routes(&dashboards)?)?;
        let mut alertmanager = node.command("prometheus-alertmanager");
        alertmanager.arg(format!("--config.file={}", routes.display()));
        alertmanager.arg(format!("--storage.path={}", node.dir().join("alertmanager").display()));
        alertmanager.args([&format!("--web.listen-address={ALERTMANAGER}"), "--cluster.listen-address="]);
        let alertmanager = Process::start(node, "alertmanager", alertmanager)?;
        ready(node, ALERTMANAGER)?;
        let token = node.file("prometheus.token", token)?;
        let authorization = format!("authorization: {{ type: Bearer, credentials_file: {} }}", token.display());
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: ['{}']\n\
             alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{ALERTMANAGER}'] }}] }}] }}\n\
             scrape_configs:\n  - job_name: onenet\n    params: {{ sites: ['false'] }}\n    \
             {authorization}\n    static_configs: [{{ targets: ['{address}'] }}]\n  \
             - job_name: onenet-sites\n    {authorization}\n    \
             http_sd_configs: [{{ url: 'http://{address}/sd', refresh_interval: 5s, {authorization} }}]\n    \
             relabel_configs: [{{ action: keep, source_labels: [__metrics_path__], regex: '/metrics/site/({})' }}]\n",
            node.file("onenet.rules.yml", &rules(&dashboards)?)?.display(),
            codes.join("|"),
        );
        let mut prometheus = node.command("prometheus");
        prometheus.arg(format!("--config.file={}", node.file("prometheus.yml", &config)?.display()));
        prometheus.arg(format!("--storage.tsdb.path={}", node.dir().join("prometheus-data").display()));
        prometheus.arg(format!("--web.listen-address={PROMETHEUS}"));
        let prometheus = Process::start(node, "prometheus", prometheus)?;
        ready(node, PROMETHEUS)?;
        let prometheus_api = Api::new(node, format!("http://{PROMETHEUS}"), None);
        Ok(Self { _processes: [webhook, alertmanager, prometheus], told, prometheus: prometheus_api })
    }

    /// Returns how many agents are silent for Prometheus, whatever explains it.
    ///
    /// # Errors
    ///
    /// Prometheus does not answer.
    pub fn silent(&self) -> Result<u64> {
        let query = format!("count(time()-onenet_agent_last_heard_timestamp_seconds>{SILENT_S})");
        let answer = self.prometheus.json(&format!("/api/v1/query?query={}", query.replace('>', "%3E")))?;
        let count = answer.pointer("/data/result/0/value/1").and_then(Value::as_str);
        count.map_or(Ok(0), |count| count.parse().context("no count"))
    }

    /// Returns whether the dead man's switch was heard.
    ///
    /// # Errors
    ///
    /// A message is not one of Alertmanager's.
    pub fn is_alive(&self) -> Result<bool> {
        Ok(self.messages()?.iter().any(|it| it.receiver == WATCHDOG && it.alerts == ["OnenetWatchdog"]))
    }

    /// Returns the messages so far, in the order in which they came.
    ///
    /// # Errors
    ///
    /// A message is not one of Alertmanager's.
    pub fn told(&self) -> Result<Vec<Told>> {
        Ok(self.messages()?.into_iter().filter(|it| it.receiver != WATCHDOG).collect())
    }

    fn messages(&self) -> Result<Vec<Told>> {
        let text = fs::read_to_string(&self.told).context("read the messages")?;
        text.lines().map(Told::read).collect()
    }
}

impl Told {
    fn read(line: &str) -> Result<Self> {
        let (path, body) = line.split_once('\t').context("no message")?;
        let body: Value = serde_json::from_str(body)?;
        let alerts = body["alerts"].as_array().context("no alerts")?.iter();
        let name = |alert: &Value| alert["labels"]["alertname"].as_str().map(str::to_owned).context("no alertname");
        Ok(Self {
            receiver: path.trim_start_matches('/').to_owned(),
            status: body["status"].as_str().context("no status")?.to_owned(),
            alerts: alerts.map(name).collect::<Result<_>>()?,
            labels: body["commonLabels"].clone(),
        })
    }
}

/// Returns the product's rules, with an agent silent after a shorter time.
fn rules(dashboards: &Path) -> Result<String> {
    let text = fs::read_to_string(dashboards.join("prometheus/onenet.rules.yml")).context("read the rules")?;
    let (head, tail) = text.split_once(SILENT_RULE).context("the rules have no silent agents any more")?;
    ensure!(tail.contains("> 900)") && tail.contains("for: 5m"), "the rule for silent agents is another");
    let tail =
        tail.replacen("> 900)", &format!("> {SILENT_S})"), 1).replacen("for: 5m", &format!("for: {SILENT_S}s"), 1);
    Ok(format!("{head}{SILENT_RULE}{tail}"))
}

/// Returns the product's routes with webhooks for receivers.
fn routes(dashboards: &Path) -> Result<String> {
    let sample = fs::read_to_string(dashboards.join("alertmanager/alertmanager.yml")).context("read the routes")?;
    let (mut text, _) =
        sample.split_once("\nreceivers:").map(|(head, tail)| (head.to_owned(), tail)).context("no receivers")?;
    for (long, short) in SHORTENED {
        ensure!(text.contains(long), "the sample has no {long:?} any more");
        text = text.replace(long, short);
    }
    text.push_str("\nreceivers:\n");
    for name in RECEIVERS {
        let url = format!("http://127.0.0.1:{WEBHOOK_PORT}/{name}");
        let _ = write!(text, "  - name: {name}\n    webhook_configs: [{{ url: '{url}', send_resolved: true }}]\n");
    }
    Ok(text)
}

fn ready(node: &Node, address: &str) -> Result<()> {
    let api = Api::new(node, format!("http://{address}"), None);
    // Nothing answers until it listens.
    let status = || Ok(api.get("/-/ready").map_or(0, |answer| answer.status));
    clock::until(&format!("{address} is ready"), READY_WITHIN, status, |status| *status == 200).map(drop)
}
