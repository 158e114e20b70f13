//! Spanning tree (IEEE 802.1D-2004, clause 9): who is a bridge, and whom it believes to be the root.

use onenet_topology::MacAddr;

use super::{Reason, Undecoded, be16, head, mac};

/// A bridge's identity: its priority, in whose low bits newer bridges write a VLAN or instance, and its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeId {
    /// The priority.
    pub priority: u16,
    /// The address.
    pub mac: MacAddr,
}

/// What a bridge says of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// The root that it believes in.
    pub root: BridgeId,
    /// What the way there costs.
    pub root_cost: u32,
    /// Itself.
    pub bridge: BridgeId,
    /// The port that it speaks from.
    pub port: u16,
}

/// Returns what the bytes, those behind the LLC header, say; `None` for a notification, which names nobody.
///
/// # Errors
/// When they do not fit, or are of no spanning tree.
pub fn parse(bytes: &[u8]) -> Result<Option<Configuration>, Undecoded> {
    let (&[p0, p1, _version, kind], rest) = head::<4>(bytes, Reason::StpShort)?;
    if be16([p0, p1]) != 0 {
        return Err(Undecoded::new(Reason::StpProtocol, 0, 0, be16([p0, p1]).into()));
    }
    match kind {
        // Configuration; rapid and multiple spanning tree.
        0x00 | 0x02 => {}
        0x80 => return Ok(None),
        other => return Err(Undecoded::new(Reason::StpProtocol, 3, 0, other.into())),
    }
    let (fields, _) = head::<23>(rest, Reason::StpShort).map_err(|fault| fault.seen_from(bytes, rest))?;
    let [_flags, root @ .., c0, c1, c2, c3, b0, b1, b2, b3, b4, b5, b6, b7, q0, q1] = *fields;
    let read = |id: [u8; 8]| {
        let [p0, p1, address @ ..] = id;
        mac(&address).map(|mac| BridgeId { priority: be16([p0, p1]), mac })
    };
    let (root, bridge) = (read(root), read([b0, b1, b2, b3, b4, b5, b6, b7]));
    let root_cost = u32::from_be_bytes([c0, c1, c2, c3]);
    Ok(root.zip(bridge).map(|(root, bridge)| Configuration { root, root_cost, bridge, port: be16([q0, q1]) }))
}
