//! Frames in great numbers: whole connections, and floods from addresses that nobody has.
//!
//! `tests/lab/frames.py` makes and sends them, byte by byte, sharing no code with the product.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use onenet_topology::MacAddr;

use super::netns::Node;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// Whole TCP connections of 8 packets, from 200 addresses of 10.99.0.0/24 to port 8080 of 10.99.1.1.
    Connections,
    /// ARP requests, each of a link address and an IP address of its own.
    ForgedMacs,
    /// Openings of TCP connections to port 80 of 10.77.0.10, each from an IP address of its own.
    ForgedSources,
    /// Openings of TCP connections of 10.77.0.31, behind which two machines are, as their timestamps tell. See [`CLOCKS_MAC`].
    TwoClocks,
}

/// Who sends [`Frames::TwoClocks`].
pub const CLOCKS_MAC: MacAddr = MacAddr([0x00, 0x25, 0x9e, 0x00, 0x00, 0x01]);

impl Frames {
    /// Sends those with the numbers `from` to `from` + `count` on `eth0` of `node`, over so much time at the least. Each number stands
    /// for other addresses or ports. Returns how many frames that were.
    ///
    /// # Errors
    ///
    /// python3 is not installed, or the interface is down.
    pub fn send(self, node: &Node, from: u32, count: u32, over: Duration) -> Result<u64> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/frames.py");
        let kind = match self {
            Self::Connections => "connections",
            Self::ForgedMacs => "macs",
            Self::ForgedSources => "sources",
            Self::TwoClocks => "clocks",
        };
        let (count, over, from) = (count.to_string(), over.as_secs_f64().to_string(), from.to_string());
        let args = [script.as_os_str(), kind.as_ref(), count.as_ref(), over.as_ref(), from.as_ref()];
        let sent = node.run("python3", args)?;
        sent.trim().parse().with_context(|| format!("frames.py says {sent:?}"))
    }
}
