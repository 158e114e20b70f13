//! What is known of a frame before its bytes are read: the link type and what the capture adds.

/// The first number of link types that have only a hardware type, beyond the registry's 16 bits.
const FIRST_OF_HARDWARE: u32 = 0x1_0000;

/// How a frame's first bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// Ethernet (1).
    Ethernet,
    /// Linux cooked capture, version 1 (113).
    LinuxCooked,
    /// Linux cooked capture, version 2 (276).
    LinuxCooked2,
    /// An IP packet of either version with nothing in front (12, 14, 101, 228, 229).
    RawIp,
    /// BSD loopback: an address family in the byte order of the capturing host (0), or of the network (108).
    Loopback,
    /// Any other, by its number in the registry of capture file link types.
    Other(u32),
}

/// A VLAN tag that the kernel took off the frame and handed over beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanTag {
    /// Tag protocol identifier, such as `0x8100`.
    pub protocol: u16,
    /// Tag control information: priority, drop eligibility and the 12-bit id.
    pub control: u16,
}

/// What the capture says about a frame beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameMeta {
    /// Length on the wire in bytes; more than the bytes at hand when the capture cut the frame.
    pub wire_length: u32,
    /// The tag that the kernel took off, if any.
    pub vlan: Option<VlanTag>,
    /// Whether this host sent the frame itself; what it forwards for others is not its own.
    pub outgoing: bool,
    /// Of how many frames on the wire the card or the kernel put this one together (LRO, GRO); 1 as a rule.
    pub segments: u16,
    /// Length of the headers that each of those had, where they are several.
    pub headers: u16,
}

impl LinkType {
    /// Returns the link type of a number from a capture file's header.
    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Ethernet,
            113 => Self::LinuxCooked,
            276 => Self::LinuxCooked2,
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            0 | 108 => Self::Loopback,
            other => Self::Other(other),
        }
    }

    /// Returns the number by which a capture file names the link type; `None` where it has none.
    pub const fn code(self) -> Option<u32> {
        match self {
            Self::Ethernet => Some(1),
            Self::LinuxCooked => Some(113),
            Self::LinuxCooked2 => Some(276),
            Self::RawIp => Some(101),
            Self::Loopback => Some(0),
            Self::Other(code) if code < FIRST_OF_HARDWARE => Some(code),
            Self::Other(_) => None,
        }
    }

    /// Returns the link type of an interface's hardware type (`ARPHRD_*` of Linux), as a packet socket delivers it.
    pub const fn from_hardware_type(hardware: u16) -> Self {
        match hardware {
            // Ethernet, and the loopback interface, which frames as Ethernet does.
            1 | 772 => Self::Ethernet,
            // `ARPHRD_NONE` (tun, WireGuard), `ARPHRD_RAWIP`.
            65534 | 519 => Self::RawIp,
            other => Self::Other(FIRST_OF_HARDWARE | other as u32),
        }
    }
}

impl VlanTag {
    /// Returns the VLAN's id, `None` for a tag that carries a priority only.
    pub const fn id(self) -> Option<u16> {
        match self.control & 0x0fff {
            0 => None,
            id => Some(id),
        }
    }
}

impl FrameMeta {
    /// Returns what is known of a whole, untagged frame that came from outside.
    pub const fn whole(length: u32) -> Self {
        Self { wire_length: length, vlan: None, outgoing: false, segments: 1, headers: 0 }
    }

    /// Returns the bytes that were on the wire: of a frame that was put together of several, the headers of each.
    pub const fn octets(&self) -> u32 {
        let more = (self.segments as u32).saturating_sub(1);
        self.wire_length.saturating_add(more.saturating_mul(self.headers as u32))
    }
}
