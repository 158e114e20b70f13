//! What frames say about endpoints: the crate's nouns, without a word on how they were found or where they are kept.

use std::{fmt, net::IpAddr};

use onenet_topology::MacAddr;
use serde::{Serialize, Serializer};

use crate::FrameTime;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// How a fact was learned.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Method { $($(#[$doc])* $variant,)* }

        impl Method {
            /// Every method.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the stable name, in snake_case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

methods! {
    /// It was the source of a frame.
    Frame = "frame",
    /// It was the sender of an ARP packet.
    Arp = "arp",
    /// It spoke IPv6 neighbour discovery.
    NeighbourDiscovery = "nd",
    /// A DHCP server granted it the address.
    DhcpAck = "dhcp_ack",
    /// It asked for the address, or to keep it, by DHCP.
    DhcpRequest = "dhcp_request",
    /// It described itself as a DHCP client.
    DhcpClient = "dhcp_client",
    /// It announced itself by LLDP.
    Lldp = "lldp",
    /// It sent an IP packet from an address of a prefix that is local by configuration.
    IpSource = "ip_source",
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An address belongs to a MAC.
    Binding(Binding),
    /// A client described itself.
    Host(Host),
    /// A server refused a client's request: what was concluded from the request alone no longer holds.
    Refused(MacAddr),
    /// A system announced itself by LLDP.
    Neighbour(Box<Neighbour>),
}

/// An address belongs to a MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Whose.
    pub mac: MacAddr,
    /// Which.
    pub ip: IpAddr,
    /// How that was learned.
    pub method: Method,
}

/// What a DHCP client says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HostFacts {
    /// Host name.
    pub hostname: Option<String>,
    /// Vendor class (option 60).
    pub vendor_class: Option<String>,
    /// Numbers of the options it asks for, in its order (option 55).
    pub parameter_list: Option<Vec<u8>>,
    /// Client identifier (option 61).
    pub client_id: Option<Vec<u8>>,
}

/// Which client says what of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Who.
    pub mac: MacAddr,
    /// What it says.
    pub facts: HostFacts,
}

/// A system that was heard through LLDP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Source address of its frames: the port's own MAC as a rule.
    pub mac: MacAddr,
    /// VLAN of the frame, if tagged.
    pub vlan: Option<u16>,
    /// Chassis id as text; a MAC address lower case with colons.
    pub chassis_id: String,
    /// Port id as text.
    pub port_id: String,
    /// For how many seconds this holds; 0 takes it back.
    pub ttl_s: u16,
    /// Description of the port.
    pub port_description: Option<String>,
    /// Name of the system.
    pub system_name: Option<String>,
    /// Description of the system.
    pub system_description: Option<String>,
    /// Capabilities that are switched on, as bits after IEEE 802.1AB clause 8.5.8 (4 bridge, 16 router …).
    pub capabilities_enabled: Option<u16>,
    /// Addresses to manage it by.
    pub management: Vec<IpAddr>,
    /// Id of the VLAN that the port's untagged frames belong to.
    pub port_vlan: Option<u16>,
}

/// How often, and from when to when, one method spoke for a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The method.
    pub method: Method,
    /// The first time.
    pub first: FrameTime,
    /// The last time.
    pub last: FrameTime,
    /// How many frames.
    pub count: u64,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Evidence {
    /// Returns the evidence of one frame.
    pub(crate) const fn once(method: Method, time: FrameTime) -> Self {
        Self { method, first: time, last: time, count: 1 }
    }

    /// Notes one more frame. Captures may be out of order: both ends are kept.
    pub(crate) fn again(&mut self, time: FrameTime) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.count = self.count.saturating_add(1);
    }
}

impl HostFacts {
    /// Takes over what `newer` says and returns whether anything changed. What it is silent on stays.
    pub(crate) fn merge(&mut self, newer: Self) -> bool {
        fn put<T: PartialEq>(old: &mut Option<T>, new: Option<T>) -> bool {
            let changed = new.is_some() && *old != new;
            if changed {
                *old = new;
            }
            changed
        }
        let hostname = put(&mut self.hostname, newer.hostname);
        let vendor_class = put(&mut self.vendor_class, newer.vendor_class);
        let parameter_list = put(&mut self.parameter_list, newer.parameter_list);
        let client_id = put(&mut self.client_id, newer.client_id);
        hostname | vendor_class | parameter_list | client_id
    }
}
