//! A router: a namespace that forwards, with snmpd and lldpd as a real one has, which can lose its power.
//!
//! Invariant: a router without power neither forwards nor answers, and whoever it is plugged into sees the port go down. With power
//! again it has the addresses and routes that it had.

use anyhow::{Context, Result, ensure};

use super::{
    netns::{Lab, Node},
    process::Process,
    snmpd,
};

/// A router.
#[derive(Debug)]
pub struct Router {
    node: Node,
    name: String,
    /// SNMP and LLDP; none without power.
    programs: Vec<Process>,
    /// What it had when it lost its power: interfaces and routes.
    had: Option<(Vec<String>, Vec<String>)>,
}

impl Router {
    /// Sets up a router that calls itself `name`, without interfaces and without programs.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn new(lab: &Lab, name: &str) -> Result<Self> {
        let node = lab.node(name)?;
        node.write_sysctl("net/ipv4/ip_forward", "1")?;
        Ok(Self { node, name: name.to_owned(), programs: Vec::new(), had: None })
    }

    /// Returns its namespace.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Starts snmpd and lldpd: once its interfaces are there.
    ///
    /// # Errors
    ///
    /// One of them is not installed.
    pub fn start(&mut self) -> Result<()> {
        let agentx = self.node.dir().join("agentx");
        self.programs.push(snmpd::start_master(&self.node, &self.name, &agentx)?);
        self.programs.push(snmpd::start_lldpd(&self.node, &self.name, Some(&agentx))?);
        Ok(())
    }

    /// Takes its power away.
    ///
    /// # Errors
    ///
    /// It has none, or a program of it had ended already.
    pub fn power_off(&mut self) -> Result<()> {
        ensure!(self.had.is_none(), "{} has no power", self.name);
        for mut program in self.programs.drain(..) {
            program.kill_9()?;
        }
        // lldpd is two processes.
        let left = self.node.run("ip", ["netns", "pids", self.node.netns()])?;
        for pid in left.split_whitespace() {
            self.node.run("sh", ["-c", &format!("kill -9 {pid} 2>/dev/null || true")])?;
        }
        let listed = self.node.run("ip", ["-j", "link", "show"])?;
        let listed: serde_json::Value = serde_json::from_str(&listed).context("read what ip link shows")?;
        let names = listed.as_array().into_iter().flatten().filter_map(|link| link["ifname"].as_str());
        let interfaces: Vec<String> = names.filter(|name| *name != "lo").map(str::to_owned).collect();
        // What the kernel adds itself comes back with the interface.
        let routes = self.node.run("ip", ["route", "show"])?;
        let routes =
            routes.lines().filter(|route| !route.contains("proto kernel")).map(|route| route.trim().to_owned());
        self.had = Some((interfaces, routes.collect()));
        let Some((interfaces, _)) = &self.had else { return Ok(()) };
        interfaces.iter().try_for_each(|name| self.node.ip(["link", "set", name, "down"]))
    }

    /// Gives it its power back.
    ///
    /// # Errors
    ///
    /// It has power.
    pub fn power_on(&mut self) -> Result<()> {
        let (interfaces, routes) = self.had.take().with_context(|| format!("{} has power", self.name))?;
        for name in &interfaces {
            self.node.ip(["link", "set", name, "up"])?;
        }
        for route in &routes {
            self.node.ip(["route", "replace"]
                .into_iter()
                .chain(route.split_whitespace().filter(|word| *word != "linkdown")))?;
        }
        self.start()
    }
}
