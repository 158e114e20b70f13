//! Three NATS servers, two daemons that share a log on them, the simulated sites, and a receiver of notifications: all on the loopback
//! of one namespace. Agents and people reach the daemons through one address, behind which either answers.
//!
//! Invariant: whatever is killed is killed where it stands (SIGKILL), and comes back with its data; nothing is told that it will be.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    api::Api,
    netns::Node,
    process::{Process, START_WITHIN, product},
    product::Said,
    snmpsim::venv,
};
use crate::clock;

/// How many servers and daemons there are.
pub const SERVERS: usize = 3;
/// See [`SERVERS`].
pub const DAEMONS: usize = 2;
/// How long everything together may take to be ready on a busy machine.
pub const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long one command of the simulator may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Where agents and people come.
const COLLECTORS: u16 = 7443;
const API: u16 = 8080;
const WEBHOOK: u16 = 9094;

/// All of it.
#[derive(Debug)]
pub struct Cluster {
    node: Node,
    servers: [Option<Process>; SERVERS],
    daemons: [Option<Process>; DAEMONS],
    /// The API, whichever daemon answers.
    pub api: Api,
    /// The API of each daemon.
    pub apis: Vec<Api>,
    token: PathBuf,
    told: PathBuf,
    _ways: Vec<Process>,
}

/// The simulated sites.
#[derive(Debug)]
pub struct Sites {
    child: Child,
    commands: ChildStdin,
    answers: mpsc::Receiver<String>,
}

fn port(base: u16, at: usize) -> u16 {
    (base..).nth(at).unwrap_or(base)
}

/// Starts what is between: the addresses behind which either daemon answers, and the receiver of messages.
fn ways(node: &Node, told: &Path) -> Result<Vec<Process>> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab");
    let start = |name: &str, script: &str, args: Vec<String>| {
        let mut command = node.command("python3");
        command.arg("-u").arg(lab.join(script)).args(args);
        let mut process = Process::start(node, name, command)?;
        process.says("listening", START_WITHIN)?;
        anyhow::Ok(process)
    };
    let to = |listen: u16, base| {
        std::iter::once(listen).chain((0..DAEMONS).map(|at| port(base, at))).map(|port| port.to_string()).collect()
    };
    Ok(vec![
        start("collectors", "either.py", to(COLLECTORS, 7_441))?,
        start("api", "either.py", to(API, 8_081))?,
        start("webhook", "webhook.py", vec![WEBHOOK.to_string(), told.display().to_string()])?,
    ])
}

impl Cluster {
    /// Starts everything: first one daemon without a log, which imports the sites `within` a code; then that one with a log; then copies
    /// of it, as an installation would move.
    ///
    /// # Errors
    ///
    /// Something is not installed, or does not become ready.
    pub fn start(node: &Node, within: &str) -> Result<Self> {
        let token = node.dir().join("token");
        let told = node.dir().join("told");
        fs::write(&told, "").context("make the file of messages")?;
        let api = Api::new(node, format!("http://127.0.0.1:{API}"), None);
        let apis =
            (0..DAEMONS).map(|at| Api::new(node, format!("http://127.0.0.1:{}", port(8_081, at)), None)).collect();
        let mut it = Self {
            node: node.clone(),
            servers: [const { None }; SERVERS],
            daemons: [const { None }; DAEMONS],
            api,
            apis,
            token,
            _ways: ways(node, &told)?,
            told,
        };
        it.move_to_a_log(within)?;
        Ok(it)
    }

    fn move_to_a_log(&mut self, within: &str) -> Result<()> {
        self.configure(0, false)?;
        self.start_daemon(0)?;
        let mut sites = self.node.command(product("onenet-country")?);
        let sites = Said::of({
            sites.args(["sites", "--within", within]);
            sites
        })?;
        ensure!(sites.status == 0, "no sites: {sites:?}");
        let file = self.node.file("sites.csv", &sites.out)?;
        self.ok(0, &["sites", "import", &file.display().to_string()])?;
        let created = |name: &str, role: &str| {
            let printed = self.ok(0, &["token", "create", name, "--role", role])?;
            super::product::secret_in(&printed).with_context(|| format!("no token in {printed:?}"))
        };
        // One enrols, the other works on cases.
        self.node.file("token", &created("simulator", "system-administrator")?)?;
        let reviewer = created("reviewer", "security-reviewer")?;
        self.api = self.api.with_token(&reviewer);
        self.apis = self.apis.iter().map(|api| api.with_token(&reviewer)).collect();
        self.kill_daemon(0)?;
        for at in 0..SERVERS {
            self.start_server(at)?;
        }
        self.configure(0, true)?;
        self.start_daemon(0)?;
        for at in 1..DAEMONS {
            let backup = self.node.dir().join(format!("backup-{at}")).display().to_string();
            self.ok(0, &["backup", &backup])?;
            self.configure(at, true)?;
            self.ok(at, &["restore", &backup])?;
            self.start_daemon(at)?;
        }
        Ok(())
    }

    fn configure(&self, at: usize, log: bool) -> Result<()> {
        let servers: Vec<String> = (0..SERVERS).map(|at| format!("\"nats://127.0.0.1:{}\"", port(4_221, at))).collect();
        let log = if log {
            format!(
                "[replication]\nname = \"centre-{at}\"\nstream = \"onenet-lab\"\nservers = [{}]\nkeep_mib = 512\n",
                servers.join(", ")
            )
        } else {
            String::new()
        };
        let text = format!(
            "data_dir = \"{}\"\n[collectors]\nlisten = \"127.0.0.1:{}\"\nnames = [\"127.0.0.1\"]\n\
             [api]\nlisten = \"127.0.0.1:{}\"\nplain_http = true\n[store]\ncache_mib = 16\n{log}\
             [[notify]]\nname = \"duty\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{WEBHOOK}/duty\"\ndrills = true\n",
            self.node.dir().join(format!("onenetd-{at}")).display(),
            port(7_441, at),
            port(8_081, at)
        );
        self.node.file(&format!("onenetd-{at}.toml"), &text).map(drop)
    }

    /// Starts a NATS server and waits until it serves its clients.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not become ready.
    pub fn start_server(&mut self, at: usize) -> Result<()> {
        let routes: Vec<String> = (0..SERVERS).map(|at| format!("nats://127.0.0.1:{}", port(6_221, at))).collect();
        let config = format!(
            "server_name: n{at}\nlisten: 127.0.0.1:{}\nhttp: 127.0.0.1:{}\nmax_payload: 8MB\n\
             jetstream {{ store_dir: \"{}\", max_memory_store: 64MB, max_file_store: 2GB }}\n\
             cluster {{ name: onenet, listen: 127.0.0.1:{}, routes: [{}] }}\n",
            port(4_221, at),
            port(8_221, at),
            self.node.dir().join(format!("nats-{at}")).display(),
            port(6_221, at),
            routes.join(", ")
        );
        let config = self.node.file(&format!("nats-{at}.conf"), &config)?;
        let given = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        let mut command = self.node.command(given.unwrap_or_else(|| venv().join("bin/nats-server")));
        command.arg("-c").arg(config);
        let mut process = Process::start(&self.node, &format!("nats-{at}"), command)?;
        process.says("Server is ready", START_WITHIN)?;
        self.servers[at] = Some(process);
        Ok(())
    }

    /// Waits until each server has all that the others have.
    ///
    /// # Errors
    ///
    /// That takes too long.
    pub fn servers_agree(&self) -> Result<()> {
        let api = |at| Api::new(&self.node, format!("http://127.0.0.1:{}", port(8_221, at)), None);
        let healthy = || {
            let status = |at| api(at).get("/healthz").map(|answer| answer.status);
            (0..SERVERS).map(status).collect::<Result<Vec<_>>>()
        };
        clock::until("the NATS servers are well", READY_WITHIN, healthy, |all| all.iter().all(|it| *it == 200))
            .map(drop)
    }

    /// Starts a daemon and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It is not built, or does not become ready.
    pub fn start_daemon(&mut self, at: usize) -> Result<()> {
        let mut command = self.node.command(product("onenetd")?);
        command.args(["serve", "--config"]).arg(self.config(at));
        self.daemons[at] = Some(Process::start(&self.node, &format!("onenetd-{at}"), command)?);
        let ready = || self.apis[at].get("/readyz").map(|answer| answer.status);
        clock::until("onenetd is ready", READY_WITHIN, ready, |status| *status == 200).map(drop)
    }

    /// Kills a server.
    ///
    /// # Errors
    ///
    /// It ended before.
    pub fn kill_server(&mut self, at: usize) -> Result<()> {
        self.servers[at].take().context("it does not run")?.kill_9()
    }

    /// Kills a daemon.
    ///
    /// # Errors
    ///
    /// It ended before.
    pub fn kill_daemon(&mut self, at: usize) -> Result<()> {
        self.daemons[at].take().context("it does not run")?.kill_9()
    }

    fn config(&self, at: usize) -> PathBuf {
        self.node.dir().join(format!("onenetd-{at}.toml"))
    }

    /// Runs `onenetd ARGS` with the configuration of a daemon.
    ///
    /// # Errors
    ///
    /// It ends with another status than 0.
    pub fn ok(&self, at: usize, args: &[&str]) -> Result<String> {
        let mut command = self.node.command(product("onenetd")?);
        command.args(args).arg("--config").arg(self.config(at));
        let said = Said::of(command)?;
        ensure!(said.status == 0, "onenetd {args:?}: {said:?}");
        Ok(said.out)
    }

    /// Exports a daemon into a file and returns it.
    ///
    /// # Errors
    ///
    /// The daemon does not answer.
    pub fn export(&self, at: usize) -> Result<PathBuf> {
        let file = self.node.dir().join(format!("export-{at}"));
        // An export is made into a new file.
        let _ = fs::remove_file(&file);
        self.ok(at, &["export", &file.display().to_string()])?;
        Ok(file)
    }

    /// Returns what the simulator's program says of an export: facts and samples, by count and hash.
    ///
    /// # Errors
    ///
    /// It is no export.
    pub fn digest(&self, export: &Path) -> Result<Value> {
        let mut command = self.node.command(product("onenet-country")?);
        command.arg("digest").arg(export);
        let said = Said::of(command)?;
        ensure!(said.status == 0, "no digest: {said:?}");
        serde_json::from_str(said.out.trim()).context("the digest is no JSON")
    }

    /// Lets a case be drilled, and returns its status.
    ///
    /// # Errors
    ///
    /// Nobody answers.
    pub fn drill(&self, number: usize) -> Result<u16> {
        let body = json!({"site": "000000", "kind": "port_scan", "subject": format!("drill {number}"), "text": "a drill", "at_centre": true});
        Ok(self.api.request("POST", "/api/v1/drills", Some(&body))?.status)
    }

    /// Returns the ids and subjects of the drilled cases that the receiver was told of, in the order in which that came.
    ///
    /// # Errors
    ///
    /// A message is none of ours.
    pub fn told(&self) -> Result<Vec<(String, String)>> {
        let text = fs::read_to_string(&self.told).context("read the messages")?;
        let message = |line: &str| {
            let (_, body) = line.split_once('\t').context("no message")?;
            let body: Value = serde_json::from_str(body)?;
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            Ok((text("what") == "case_opened" && body["drill"] == true).then(|| (text("id"), text("subject"))))
        };
        text.lines().filter_map(|line| message(line).transpose()).collect()
    }

    /// Starts the simulated sites, which have so many minutes of a past to tell of, one batch a minute, beside the present.
    ///
    /// # Errors
    ///
    /// The simulator is not built.
    pub fn sites(&self, within: &str, past: u64) -> Result<Sites> {
        let mut command = self.node.command(product("onenet-country")?);
        command.args(["run", "--within", within, "--terminals", "20", "--past-each", "1", "--past", &past.to_string()]);
        command.args(["--collectors", &format!("127.0.0.1:{COLLECTORS}"), "--api", &format!("127.0.0.1:{API}")]);
        command.arg("--token").arg(&self.token);
        Sites::start(command)
    }
}

impl Sites {
    fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start the simulator")?;
        let commands = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let (said, answers) = mpsc::sync_channel(1);
        let read = move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if said.send(line).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("simulator".into()).spawn(read)?;
        Ok(Self { child, commands, answers })
    }

    /// Gives the simulator a command and returns its answer.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn ask(&mut self, command: &str) -> Result<Value> {
        writeln!(self.commands, "{command}").with_context(|| format!("command {command}"))?;
        let answer = self.answers.recv_timeout(ANSWER_WITHIN).with_context(|| format!("an answer to {command}"))?;
        serde_json::from_str(&answer).with_context(|| answer.clone())
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
