//! The product in the lab: one daemon, its agents, each a process with a configuration of its own.
//!
//! Invariant: everything goes through the command line, the configuration file and the API that users have; a test that
//! needs more than that has found something that is missing.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use onenet_topology::MacAddr;
use serde_json::Value;

use super::{
    api::Api,
    netns::Node,
    process::{Process, START_WITHIN, product},
};
use crate::clock::{self, Look};

/// Port for agents.
pub const COLLECTORS_PORT: u16 = 7443;
/// Port of the API, on loopback of the centre's namespace, without TLS.
pub const API_PORT: u16 = 8080;
/// The division code of the county whose site the lab is.
pub const COUNTY: &str = "130123";
/// Another county of the same city.
pub const OTHER_COUNTY: &str = "130125";
/// The city above both.
pub const CITY: &str = "130100";
/// Another province.
pub const OTHER_PROVINCE: &str = "320000";

/// A daemon with its data.
#[derive(Debug)]
pub struct Centre {
    node: Node,
    config: PathBuf,
    /// The API as the system administrator sees it.
    pub api: Api,
    process: Option<Process>,
}

/// An agent with its data.
#[derive(Debug)]
pub struct Agent {
    node: Node,
    config: PathBuf,
    data: PathBuf,
    centre: String,
    /// Environment of the process, such as a wrong clock.
    pub environment: Vec<(String, String)>,
    process: Option<Process>,
}

/// What a command line answered.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit status; 128 + signal when it was killed.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Centre {
    /// Configures a daemon on `node` that agents know as `name`, imports the table of divisions and starts it.
    ///
    /// # Errors
    ///
    /// The daemon is not built or does not become ready.
    pub fn start(node: &Node, name: &str) -> Result<Self> {
        Self::start_with(node, name, "")
    }

    /// As [`Centre::start`], with more in its configuration.
    ///
    /// # Errors
    ///
    /// As for [`Centre::start`].
    pub fn start_with(node: &Node, name: &str, rest: &str) -> Result<Self> {
        let data = node.dir().join("onenetd");
        let config = node.file(
            "onenetd.toml",
            &format!(
                "data_dir = \"{}\"\n[collectors]\nlisten = \"0.0.0.0:{COLLECTORS_PORT}\"\nnames = [\"{name}\"]\n\
                 [api]\nlisten = \"127.0.0.1:{API_PORT}\"\nplain_http = true\n[store]\ncache_mib = 16\n{rest}",
                data.display()
            ),
        )?;
        let api = Api::new(node, format!("http://127.0.0.1:{API_PORT}"), None);
        let mut centre = Self { node: node.clone(), config, api, process: None };
        centre.restart()?;
        centre.ok(&["sites", "import", "--divisions"])?;
        let token = centre.token("lab", "system-administrator", None)?;
        centre.api = centre.api.with_token(&token);
        Ok(centre)
    }

    /// Returns where it runs.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Starts the process again and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It still runs, or does not become ready.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "onenetd still runs");
        let mut command = self.node.command(product("onenetd")?);
        command.args(["serve", "--config"]).arg(&self.config);
        self.process = Some(Process::start(&self.node, "onenetd", command)?);
        let ready = || self.api.get("/readyz").map(|answer| answer.status);
        clock::until("onenetd is ready", START_WITHIN, ready, |status| *status == 200).map(drop)
    }

    /// Returns the running process.
    ///
    /// # Errors
    ///
    /// It was killed.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("onenetd does not run")
    }

    /// Kills the process where it stands.
    ///
    /// # Errors
    ///
    /// It had already ended.
    pub fn kill_9(&mut self) -> Result<()> {
        self.process.take().context("onenetd does not run")?.kill_9()
    }

    /// Runs `onenetd ARGS --config …`.
    ///
    /// # Errors
    ///
    /// The daemon is not built.
    pub fn cli(&self, args: &[&str]) -> Result<Said> {
        let mut command = self.node.command(product("onenetd")?);
        command.args(args).arg("--config").arg(&self.config);
        Said::of(command)
    }

    /// Runs `onenetd ARGS --config …` and returns what it prints.
    ///
    /// # Errors
    ///
    /// It ends with another status than 0.
    pub fn ok(&self, args: &[&str]) -> Result<String> {
        let said = self.cli(args)?;
        ensure!(said.status == 0, "onenetd {args:?}: {said:?}");
        Ok(said.out)
    }

    /// Makes an API token for a new principal, for the subtree of `site` or the whole.
    ///
    /// # Errors
    ///
    /// The role or the site is not known.
    pub fn token(&self, name: &str, role: &str, site: Option<&str>) -> Result<String> {
        let mut args = vec!["token", "create", name, "--role", role];
        if let Some(site) = site {
            args.extend(["--site", site]);
        }
        let printed = self.ok(&args)?;
        secret_in(&printed).with_context(|| format!("no token in {printed:?}"))
    }

    /// Issues a one-time token with which an agent of `site` enrols.
    ///
    /// # Errors
    ///
    /// The site is not known.
    pub fn enrolment(&self, site: &str) -> Result<String> {
        let printed = self.ok(&["enrol", site])?;
        secret_in(&printed).with_context(|| format!("no token in {printed:?}"))
    }

    /// Returns the endpoint with this MAC address, if the API has it.
    ///
    /// # Errors
    ///
    /// The API does not answer, or has it twice.
    pub fn endpoint(&self, mac: MacAddr) -> Result<Option<Value>> {
        let page = self.api.json(&format!("/api/v1/endpoints?q={mac}"))?;
        let mut items = page["items"].as_array().context("no items")?.clone();
        ensure!(items.len() <= 1, "{mac} is there more than once: {page}");
        Ok(items.pop())
    }

    /// Waits until the endpoint is there and `condition` holds for it; returns it.
    ///
    /// # Errors
    ///
    /// The deadline passed; the message shows the endpoint as it is.
    pub fn endpoint_becomes(
        &self,
        mac: MacAddr,
        what: &str,
        within: Duration,
        condition: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        clock::eventually(&format!("{mac} {what}"), within, || {
            Ok(match self.endpoint(mac)? {
                Some(found) if condition(&found) => Look::Done(found),
                other => Look::NotYet(other.map(|found| found.to_string())),
            })
        })
    }

    /// Returns the identity of a device's interface, once the API has it.
    ///
    /// # Errors
    ///
    /// The API does not answer, or does not have it (yet).
    pub fn interface(&self, device: &str, interface: &str) -> Result<String> {
        let named = |items: Vec<Value>, name: &str| items.into_iter().find(|one| one["name"] == name);
        let found = named(self.list("/api/v1/devices")?, device).with_context(|| format!("no device {device}"))?;
        let id = found["id"].as_str().context("a device without id")?;
        let interfaces = self.list(&format!("/api/v1/devices/{id}/interfaces"))?;
        let found = named(interfaces, interface).with_context(|| format!("{device} has no {interface}"))?;
        found["id"].as_str().map(str::to_owned).context("an interface without id")
    }

    /// Returns what the centre holds of an interface's incoming octets: time in Unix milliseconds and value, oldest
    /// first. A sample without that counter is an error.
    ///
    /// # Errors
    ///
    /// The API does not answer, or does not have the interface.
    pub fn octets(&self, device: &str, interface: &str) -> Result<Vec<(i64, u64)>> {
        let id = self.interface(device, interface)?;
        let read = |sample: &Value| {
            let time: onenet_topology::Timestamp = sample["time"].as_str().context("no time")?.parse()?;
            Ok((time.unix_ms(), sample["in_octets"].as_u64().with_context(|| format!("no in_octets: {sample}"))?))
        };
        self.list(&format!("/api/v1/interfaces/{id}/samples?limit=1000"))?.iter().map(read).collect()
    }

    /// Returns all entries of a list, page after page.
    ///
    /// # Errors
    ///
    /// The API does not answer.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        const PAGES_MAX: usize = 1000;
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = match &cursor {
                Some(cursor) => self.api.json(&format!("{path}{joint}cursor={cursor}"))?,
                None => self.api.json(path)?,
            };
            all.extend(page["items"].as_array().with_context(|| format!("no items in {page}"))?.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
        bail!("{path} has more than {PAGES_MAX} pages")
    }
}

impl Agent {
    /// Writes an agent's configuration (`rest` is what follows the fixed part) without starting anything.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn configure(node: &Node, centre: &str, rest: &str) -> Result<Self> {
        Self::configure_with_data(node, centre, &node.dir().join("onenet-agent"), rest)
    }

    /// As [`Agent::configure`], with the data kept in `data`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn configure_with_data(node: &Node, centre: &str, data: &Path, rest: &str) -> Result<Self> {
        let centre = format!("{centre}:{COLLECTORS_PORT}");
        // A scenario counts what is on the wire: only one that says so has announcements there.
        let anchor = if rest.contains("[anchor]") { "" } else { "[anchor]\ninterval_s = 0\n" };
        let text = format!(
            "[centre]\naddress = \"{centre}\"\n[data]\ndir = \"{}\"\n[status]\nevery_s = 1\n{rest}\n{anchor}",
            data.display()
        );
        let config = node.file("agent.toml", &text)?;
        let (node, data) = (node.clone(), data.to_owned());
        Ok(Self { node, config, data, centre, environment: Vec::new(), process: None })
    }

    /// Sets the process's wall clock off by `offset`, such as `+3h`, as libfaketime writes it. The monotonic clocks run
    /// as they are: a wrong battery clock does not change how time passes.
    ///
    /// # Errors
    ///
    /// libfaketime is not installed.
    pub fn set_clock_off(&mut self, offset: &str) -> Result<()> {
        let listed = super::netns::run("dpkg", ["-L", "libfaketime"])?;
        let library =
            listed.lines().find(|line| line.ends_with("libfaketimeMT.so.1")).context("no libfaketimeMT.so.1")?;
        let set = [("LD_PRELOAD", library), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        self.environment.extend(set.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.environment.push(("DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()));
        Ok(())
    }

    /// Points the agent at another centre, as somebody does who edits the file; it has to be restarted.
    ///
    /// # Errors
    ///
    /// The file cannot be rewritten.
    pub fn move_to(&self, centre: &str) -> Result<()> {
        let text = fs::read_to_string(&self.config).context("read the agent's configuration")?;
        let address = format!("address = \"{centre}:{COLLECTORS_PORT}\"");
        let moved = text.lines().enumerate().map(|(at, line)| if at == 1 { address.as_str() } else { line });
        fs::write(&self.config, moved.collect::<Vec<_>>().join("\n")).context("rewrite the agent's configuration")
    }

    /// Exchanges an enrolment token for a key and a certificate.
    ///
    /// # Errors
    ///
    /// The agent is not built.
    pub fn enrol(&self, token: &str) -> Result<Said> {
        let data = self.data.to_str().context("the data directory is not UTF-8")?;
        self.cli(&["enrol", &self.centre, token, "--data", data])
    }

    /// Enrols with a token on standard input, where no shell's history keeps it.
    ///
    /// # Errors
    ///
    /// The agent is not built.
    pub fn enrol_by_input(&self, token: &str) -> Result<Said> {
        let file = self.node.file("token", &format!("{token}\n"))?;
        let mut command = self.node.command(product("onenet-agent")?);
        command.args(["enrol", &self.centre, "-", "--data"]).arg(&self.data);
        command.stdin(std::fs::File::open(&file).with_context(|| format!("open {}", file.display()))?);
        Said::of(command)
    }

    /// Enrols, and starts the process.
    ///
    /// # Errors
    ///
    /// The centre refuses, or the process cannot be started.
    pub fn enrol_and_start(&mut self, token: &str) -> Result<()> {
        let said = self.enrol(token)?;
        ensure!(said.status == 0, "onenet-agent enrol: {said:?}");
        self.restart()
    }

    /// Starts the process.
    ///
    /// # Errors
    ///
    /// It still runs, or is not built.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "onenet-agent still runs");
        let mut command = self.node.command(product("onenet-agent")?);
        command.args(["run", "--config"]).arg(&self.config);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.process = Some(Process::start(&self.node, "onenet-agent", command)?);
        Ok(())
    }

    /// Returns the running process.
    ///
    /// # Errors
    ///
    /// It was killed.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("onenet-agent does not run")
    }

    /// Kills the process where it stands.
    ///
    /// # Errors
    ///
    /// It had already ended.
    pub fn kill_9(&mut self) -> Result<()> {
        self.process.take().context("onenet-agent does not run")?.kill_9()
    }

    /// Stops the process as its unit does, and waits until it has said what it knew.
    ///
    /// # Errors
    ///
    /// It does not run, does not end, or ends with an error.
    pub fn stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("onenet-agent does not run")?;
        process.signal("TERM")?;
        let status = process.ends(START_WITHIN)?;
        ensure!(status.success(), "onenet-agent ended with {status}");
        Ok(())
    }

    /// Returns where the agent keeps its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the status document; `null` while there is none.
    ///
    /// # Errors
    ///
    /// The agent is not built.
    pub fn status(&self) -> Result<Value> {
        let said = self.cli(&["status", "--json", "--config", self.config_text()?])?;
        Ok(serde_json::from_str(&said.out).unwrap_or(Value::Null))
    }

    /// Runs `onenet-agent ARGS`.
    ///
    /// # Errors
    ///
    /// The agent is not built.
    pub fn cli(&self, args: &[&str]) -> Result<Said> {
        let mut command = self.node.command(product("onenet-agent")?);
        command.args(args).envs(self.environment.iter().map(|(name, value)| (name, value)));
        Said::of(command)
    }

    /// Returns the path of the configuration as text.
    ///
    /// # Errors
    ///
    /// The path is not UTF-8.
    pub fn config_text(&self) -> Result<&str> {
        self.config.to_str().context("the configuration's path is not UTF-8")
    }
}

impl Said {
    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn of(mut command: std::process::Command) -> Result<Self> {
        let output = command.output().with_context(|| format!("start {command:?}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // A shell's convention for a program that a signal ended.
        let status = output.status.code().unwrap_or(128);
        Ok(Self { status, out: text(&output.stdout), err: text(&output.stderr) })
    }

    /// Checks that a command was refused as people expect it: status 1, nothing on standard output, one clear message
    /// on standard error that contains every word of `words`.
    ///
    /// # Errors
    ///
    /// One of that is not so.
    pub fn refuses(&self, words: &[&str]) -> Result<()> {
        ensure!(self.status == 1, "status {} instead of 1: {self:?}", self.status);
        ensure!(self.out.trim().is_empty(), "an error belongs on standard error: {self:?}");
        is_clear(&self.err, words)
    }
}

/// What no message to a user contains.
const RAW: [&str; 5] = ["panicked", "RUST_BACKTRACE", "stack backtrace", "Os {", "Custom {"];

/// Checks that a text is a message for people: no dump, and with every word of `words`, whatever their case.
///
/// # Errors
///
/// It is not; the error holds the text.
pub fn is_clear(text: &str, words: &[&str]) -> Result<()> {
    for raw in RAW {
        ensure!(!text.contains(raw), "{raw:?} is no word for users: {text}");
    }
    let lower = text.to_lowercase();
    for word in words {
        ensure!(lower.contains(&word.to_lowercase()), "{word:?} is missing in: {text}");
    }
    Ok(())
}

/// Returns the secret in what a command printed: its longest word that looks like one.
pub(super) fn secret_in(printed: &str) -> Option<String> {
    const SHORTEST: usize = 24;
    let is_secret = |word: &&str| {
        word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    printed.split_whitespace().filter(is_secret).max_by_key(|word| word.len()).map(str::to_owned)
}
