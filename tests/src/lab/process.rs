//! Programs of the lab: started in a namespace, watched, killed.
//!
//! Invariant: a process does not outlive its handle; its output is kept in files of the node, so that a failed test
//! can show what it said.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use super::netns::{Node, run};
use crate::{
    clock::{self, Look},
    report,
};

/// How long a program may take to be there at all before a test gives it up, on a busy machine with two cores.
pub const START_WITHIN: Duration = Duration::from_secs(30);
/// The kernel's unit of CPU time in `/proc/PID/stat` (USER_HZ, which Linux fixes at 100 for programs).
const MS_PER_TICK: u64 = 10;

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command made by [`Node::command`], its two outputs appended to one file, `NAME.log` of the node.
    ///
    /// # Errors
    ///
    /// The program is not installed.
    pub fn start(node: &Node, name: &str, mut command: Command) -> Result<Self> {
        let log = node.dir().join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
        let errors = output.try_clone().context("share the log file")?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().with_context(|| format!("start {name}: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Returns what the program has said so far, earlier runs of the same name included.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Returns the file that [`Process::log`] reads.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has said `text`; returns the line.
    ///
    /// # Errors
    ///
    /// It ended first, or the deadline passed; the message holds the end of its log.
    pub fn says(&mut self, text: &str, within: Duration) -> Result<String> {
        let what = format!("{} says {text:?}", self.name);
        let found = clock::eventually(&what, within, || {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return Ok(Look::Done(Some(line.to_owned())));
            }
            Ok(if self.exited()?.is_some() { Look::Done(None) } else { Look::NotYet(tail(&log)) })
        })?;
        found.with_context(|| format!("{} ended without saying {text:?}:\n{}", self.name, tail(&self.log())))
    }

    /// Returns the exit status if the program has ended.
    ///
    /// # Errors
    ///
    /// The kernel lost the child.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("ask for the status of {}", self.name))
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    ///
    /// It still runs when the deadline passes.
    pub fn ends(&mut self, within: Duration) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        clock::eventually(&what, within, || {
            Ok(match self.exited()? {
                Some(status) => Look::Done(status),
                None => Look::NotYet(tail(&self.log())),
            })
        })
    }

    /// Sends a signal by its name, such as `INT`.
    ///
    /// # Errors
    ///
    /// The program has ended.
    pub fn signal(&mut self, name: &str) -> Result<()> {
        ensure!(self.exited()?.is_none(), "{} has already ended:\n{}", self.name, tail(&self.log()));
        run("kill", [format!("-{name}"), self.id().to_string()]).map(drop)
    }

    /// Kills the program where it stands (SIGKILL) and reaps it.
    ///
    /// # Errors
    ///
    /// It had already ended by itself, which a test that kills must know.
    pub fn kill_9(&mut self) -> Result<()> {
        if let Some(status) = self.exited()? {
            bail!("{} had already ended ({status}):\n{}", self.name, tail(&self.log()));
        }
        self.child.kill().with_context(|| format!("kill {}", self.name))?;
        self.child.wait().map(drop).with_context(|| format!("reap {}", self.name))
    }

    /// Returns the resident set in KiB, now and at its highest (VmRSS and VmHWM), and the part of it that is files (RssFile).
    ///
    /// # Errors
    ///
    /// The program has ended.
    pub fn resident_kib(&self) -> Result<Resident> {
        let path = format!("/proc/{}/status", self.id());
        let status = fs::read_to_string(&path).with_context(|| format!("read {path} of {}", self.name))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse().ok());
            number.with_context(|| format!("{path} has no {name}"))
        };
        Ok(Resident { now: field("VmRSS")?, highest: field("VmHWM")?, files: field("RssFile")? })
    }

    /// Returns the CPU time used so far, user and kernel, in milliseconds.
    ///
    /// # Errors
    ///
    /// The program has ended.
    pub fn cpu_ms(&self) -> Result<u64> {
        let path = format!("/proc/{}/stat", self.id());
        let stat = fs::read_to_string(&path).with_context(|| format!("read {path} of {}", self.name))?;
        // The command's name, in parentheses, may hold anything; proc(5) counts utime and stime as fields 14 and 15.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest).context("no name in stat")?;
        let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(ticks * MS_PER_TICK)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if report::has_failed() {
            #[expect(clippy::print_stderr, reason = "a failed test shows what its programs said")]
            {
                eprintln!("---- end of {}'s log ({}):\n{}", self.name, self.log.display(), tail(&self.log()));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The resident set of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// Now.
    pub now: u64,
    /// At its highest since the start.
    pub highest: u64,
    /// What of it is mapped files now, the program itself above all.
    pub files: u64,
}

impl Resident {
    /// Returns what the program keeps now, in KiB: how much of its file is resident is the kernel's matter.
    pub const fn own(self) -> u64 {
        self.now.saturating_sub(self.files)
    }
}

/// Returns the path of a binary of this workspace: the one built beside the running test, or the one that the
/// environment names (`ONENET_AGENT_BINARY`, `ONENETD_BINARY`), such as an agent built as it ships.
///
/// # Errors
///
/// It is not built.
pub fn product(name: &str) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(format!("{}_BINARY", name.to_uppercase().replace('-', "_"))) {
        return fs::canonicalize(&given).with_context(|| format!("{} is not there", given.display()));
    }
    let test = std::env::current_exe().context("find the running test")?;
    let beside = test.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|path| path.is_file());
    beside.with_context(|| format!("{name} is not built: run cargo build --workspace first, as ./tests/run does"))
}

/// Returns the last lines of a log, enough to see why something failed.
fn tail(log: &str) -> String {
    const SHOWN_LINES: usize = 60;
    let lines: Vec<_> = log.lines().collect();
    let from = lines.len().saturating_sub(SHOWN_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}
