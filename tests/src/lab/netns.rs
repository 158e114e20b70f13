//! Namespaces and the cables between them.
//!
//! Invariant: a namespace's name holds the process id of its maker, so that any later run can tell what is left over
//! from a dead one, and runs side by side never meet. Interfaces are made inside namespaces, never in the host's.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use onenet_topology::MacAddr;
use tempfile::TempDir;

/// First part of every namespace's name.
const PREFIX: &str = "onenet-lab";

/// Tells apart the labs of one test process.
static NEXT_LAB: AtomicU32 = AtomicU32::new(0);

/// One lab: its namespaces, its mounts and its directory, all removed when it is dropped.
#[derive(Debug)]
pub struct Lab {
    tag: String,
    dir: TempDir,
    nodes: Mutex<Vec<String>>,
    mounts: Mutex<Vec<PathBuf>>,
}

/// One namespace: a host, a switch, a server.
#[derive(Debug, Clone)]
pub struct Node {
    name: String,
    netns: String,
    dir: PathBuf,
}

impl Lab {
    /// Creates an empty lab and removes what dead runs left behind.
    ///
    /// # Errors
    ///
    /// Not root, or no `ip` command.
    pub fn new() -> Result<Self> {
        remove_leftovers().context("look for namespaces of dead runs (needs root and Debian's iproute2)")?;
        let tag = format!("{PREFIX}-{}-{}", process::id(), NEXT_LAB.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::Builder::new().prefix("onenet-lab-").tempdir().context("make the lab's directory")?;
        Ok(Self { tag, dir, nodes: Mutex::default(), mounts: Mutex::default() })
    }

    /// Returns the lab's own directory, for files that belong to no node.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Creates a namespace with loopback up and IPv6 autoconfiguration as the kernel has it.
    ///
    /// # Errors
    ///
    /// The kernel refuses namespaces.
    pub fn node(&self, name: &str) -> Result<Node> {
        let netns = format!("{}-{name}", self.tag);
        let dir = self.dir.path().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        run("ip", ["netns", "add", &netns])?;
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).push(netns.clone());
        let node = Node { name: name.to_owned(), netns, dir };
        node.ip(["link", "set", "lo", "up"])?;
        Ok(node)
    }

    /// Joins two nodes with a cable, both ends still down.
    ///
    /// # Errors
    ///
    /// An interface name is taken or longer than 15 characters.
    pub fn lay(&self, a: &Node, a_interface: &str, b: &Node, b_interface: &str) -> Result<()> {
        let peer = ["type", "veth", "peer", "name", b_interface, "netns", &b.netns];
        a.ip(["link", "add", a_interface].into_iter().chain(peer))
    }

    /// Joins two nodes with a cable, both ends up.
    ///
    /// # Errors
    ///
    /// As of [`Lab::lay`].
    pub fn cable(&self, a: &Node, a_interface: &str, b: &Node, b_interface: &str) -> Result<()> {
        self.lay(a, a_interface, b, b_interface)?;
        a.ip(["link", "set", a_interface, "up"])?;
        b.ip(["link", "set", b_interface, "up"])
    }

    /// Mounts a RAM disk of `size_kib` for a test of a full disk; returns its directory.
    ///
    /// # Errors
    ///
    /// The mount is refused.
    pub fn small_disk(&self, name: &str, size_kib: u32) -> Result<PathBuf> {
        let dir = self.dir.path().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let options = format!("size={size_kib}k");
        let dir_text = dir.to_str().context("the lab's directory is not UTF-8")?;
        run("mount", ["-t", "tmpfs", "-o", &options, "tmpfs", dir_text])?;
        self.mounts.lock().unwrap_or_else(PoisonError::into_inner).push(dir.clone());
        Ok(dir)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let nodes = std::mem::take(self.nodes.get_mut().unwrap_or_else(PoisonError::into_inner));
        for netns in &nodes {
            remove_namespace(netns);
        }
        for dir in self.mounts.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // Lazy, since a process that was just killed may not be gone yet.
            let _ = Command::new("umount").arg("-l").arg(dir).output();
        }
    }
}

impl Node {
    /// Returns the name given by the test.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the namespace.
    pub fn netns(&self) -> &str {
        &self.netns
    }

    /// Returns the node's own directory, removed with the lab.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns a command that will run inside the namespace. The process keeps the id it is started with.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.netns]).arg(program);
        // net-snmp's programs read hundreds of MIB files unless told otherwise; a lab needs none.
        command.env("MIBS", "").current_dir(&self.dir);
        command
    }

    /// Runs a program inside the namespace and returns its standard output.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ends with another status than 0; the message holds its output.
    pub fn run<A: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = A>) -> Result<String> {
        let mut command = self.command(program);
        command.args(args);
        checked(&mut command)
    }

    /// Runs `ip` on this namespace.
    ///
    /// # Errors
    ///
    /// `ip` refuses.
    pub fn ip<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<()> {
        let mut command = Command::new("ip");
        command.args(["-n", &self.netns]).args(args);
        checked(&mut command).map(drop)
    }

    /// Gives an interface its MAC address.
    ///
    /// # Errors
    ///
    /// No such interface, or a group address.
    pub fn set_mac(&self, interface: &str, mac: MacAddr) -> Result<()> {
        self.ip(["link", "set", interface, "address", &mac.to_string()])
    }

    /// Returns an interface's MAC address.
    ///
    /// # Errors
    ///
    /// No such interface.
    pub fn mac(&self, interface: &str) -> Result<MacAddr> {
        let text = self.run("cat", [format!("/sys/class/net/{interface}/address")])?;
        text.trim().parse().with_context(|| format!("MAC of {interface} in {}", self.name))
    }

    /// Adds an address with its prefix length. IPv6 addresses are usable at once (no duplicate detection).
    ///
    /// # Errors
    ///
    /// No such interface, or the address is there.
    pub fn add_address(&self, interface: &str, address: &str) -> Result<()> {
        let quick: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
        self.ip(["addr", "add", address, "dev", interface].iter().chain(quick))
    }

    /// Returns an interface's global addresses of one family (4 or 6), without prefix length.
    ///
    /// # Errors
    ///
    /// No such interface.
    pub fn addresses(&self, interface: &str, family: u8) -> Result<Vec<String>> {
        let family = format!("-{family}");
        let text = run("ip", ["-n", &self.netns, "-j", &family, "addr", "show", "dev", interface, "scope", "global"])?;
        let shown: serde_json::Value = serde_json::from_str(&text).context("read what ip addr shows")?;
        let found = shown.as_array().into_iter().flatten().filter_map(|link| link["addr_info"].as_array()).flatten();
        Ok(found.filter_map(|info| info["local"].as_str()).map(str::to_owned).collect())
    }

    /// Keeps the kernel from sending anything of its own on an interface, as a capture port must.
    ///
    /// # Errors
    ///
    /// No such interface.
    pub fn silence(&self, interface: &str) -> Result<()> {
        self.write_sysctl(&format!("net/ipv6/conf/{interface}/disable_ipv6"), "1")?;
        self.ip(["link", "set", interface, "arp", "off"])
    }

    /// Writes a kernel setting of this namespace, named by its path under /proc/sys.
    ///
    /// # Errors
    ///
    /// No such setting.
    pub fn write_sysctl(&self, path: &str, value: &str) -> Result<()> {
        self.run("sh", ["-c", &format!("echo {value} > /proc/sys/{path}")]).map(drop)
    }

    /// Writes a file in the node's directory and returns its path.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn file(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

/// Runs a program on the host and returns its standard output.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Result<String> {
    let mut command = Command::new(program);
    command.args(args);
    checked(&mut command)
}

fn checked(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let Output { status, stdout, stderr } = command.output().with_context(|| format!("start {shown}"))?;
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    ensure!(status.success(), "{shown}: {status}: {}{stdout}", String::from_utf8_lossy(&stderr));
    Ok(stdout)
}

fn remove_leftovers() -> Result<()> {
    let listed = run("ip", ["netns", "list"])?;
    let dead = |name: &&str| {
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
        maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    for netns in listed.lines().filter_map(|line| line.split_whitespace().next()).filter(dead) {
        remove_namespace(netns);
    }
    let who = run("id", ["-u"])?;
    if who.trim() != "0" {
        bail!("the lab makes network namespaces: run as root, as ./tests/run does");
    }
    Ok(())
}

/// Ends every process inside, by its id, and deletes the namespace. Never fails: it runs while a test panics.
fn remove_namespace(netns: &str) {
    if let Ok(pids) = run("ip", ["netns", "pids", netns]) {
        for pid in pids.split_whitespace() {
            let _ = Command::new("kill").args(["-9", pid]).output();
        }
    }
    let _ = Command::new("ip").args(["netns", "del", netns]).output();
}
