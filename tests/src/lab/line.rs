//! The line between a site and the centre: cut, restored, shaped, and its bytes counted by the kernel.
//!
//! Invariant: what is counted is what crosses the cable, headers of every layer included, by the counters of the
//! interface itself; the programs at its ends are not asked.

use anyhow::{Context, Result};

use super::netns::{Lab, Node};

/// A cable between two nodes.
#[derive(Debug)]
pub struct Line {
    near: Node,
    far: Node,
    interface: String,
}

/// Bytes that crossed the line since the nodes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossed {
    /// Sent by the near end (the site).
    pub sent: u64,
    /// Received by the near end.
    pub received: u64,
}

impl Line {
    /// Lays a line: both nodes get an interface called `name`, with the given addresses (and prefix lengths).
    ///
    /// # Errors
    ///
    /// The name is taken in one of the nodes.
    pub fn lay(lab: &Lab, name: &str, near: (&Node, &str), far: (&Node, &str)) -> Result<Self> {
        lab.lay(near.0, name, far.0, name)?;
        for (node, address) in [near, far] {
            // The kernel's own router solicitations would be counted as the product's.
            node.write_sysctl(&format!("net/ipv6/conf/{name}/disable_ipv6"), "1")?;
            node.add_address(name, address)?;
            node.ip(["link", "set", name, "up"])?;
        }
        Ok(Self { near: near.0.clone(), far: far.0.clone(), interface: name.to_owned() })
    }

    /// Cuts the line as a digger does: the interfaces stay up, nothing arrives, no one is told.
    ///
    /// # Errors
    ///
    /// iptables is not installed.
    pub fn cut(&self) -> Result<()> {
        self.each_end("-I")
    }

    /// Mends a cut line.
    ///
    /// # Errors
    ///
    /// The line is not cut.
    pub fn mend(&self) -> Result<()> {
        self.each_end("-D")
    }

    /// Pulls the cable out of the near end, or puts it back: both interfaces see it.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn set_carrier(&self, up: bool) -> Result<()> {
        self.far.ip(["link", "set", &self.interface, if up { "up" } else { "down" }])
    }

    /// Limits both directions to `kbit_per_s`, with a queue of at most `queue_ms`.
    ///
    /// # Errors
    ///
    /// The kernel lacks the token bucket filter.
    pub fn shape(&self, kbit_per_s: u32, queue_ms: u32) -> Result<()> {
        let (rate, latency) = (format!("{kbit_per_s}kbit"), format!("{queue_ms}ms"));
        let bucket = ["root", "tbf", "rate", &rate, "burst", "16kb", "latency", &latency];
        for node in [&self.near, &self.far] {
            node.run("tc", ["qdisc", "replace", "dev", &self.interface].into_iter().chain(bucket))?;
        }
        Ok(())
    }

    /// Returns the kernel's byte counters of the near end.
    ///
    /// # Errors
    ///
    /// The counters cannot be read.
    pub fn crossed(&self) -> Result<Crossed> {
        let read = |counter: &str| {
            let path = format!("/sys/class/net/{}/statistics/{counter}", self.interface);
            let text = self.near.run("cat", [&path])?;
            text.trim().parse::<u64>().with_context(|| format!("{path} is no number: {text:?}"))
        };
        Ok(Crossed { sent: read("tx_bytes")?, received: read("rx_bytes")? })
    }

    fn each_end(&self, action: &str) -> Result<()> {
        for node in [&self.near, &self.far] {
            // What an end only forwards is cut as well: a site may have others behind it.
            for (chain, direction) in [("INPUT", "-i"), ("OUTPUT", "-o"), ("FORWARD", "-i"), ("FORWARD", "-o")] {
                let rule = ["-w", action, chain, direction, &self.interface, "-j", "DROP"];
                node.run("iptables", rule)?;
            }
        }
        Ok(())
    }
}
