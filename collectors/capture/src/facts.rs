//! What frames say about endpoints: the crate's nouns, without a word on how they were found or where they are kept.

use std::{fmt, net::IpAddr};

use onenet_topology::{
    MacAddr,
    classify::{Family, SignKind, TcpTraits},
    fact::NeighbourProtocol,
};
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
    /// It described itself as a DHCPv6 client.
    Dhcpv6Client = "dhcpv6_client",
    /// It spoke multicast DNS.
    Mdns = "mdns",
    /// It spoke LLMNR.
    Llmnr = "llmnr",
    /// It spoke of its names by NetBIOS.
    Netbios = "netbios",
    /// It announced itself or searched by SSDP.
    Ssdp = "ssdp",
    /// It announced itself by WS-Discovery.
    WsDiscovery = "ws_discovery",
    /// It announced itself by its maker's own protocol.
    MakerDiscovery = "maker_discovery",
    /// It announced itself by CDP.
    Cdp = "cdp",
    /// It took part in spanning tree.
    SpanningTree = "spanning_tree",
    /// It opened TCP connections, or answered to their opening.
    TcpOpening = "tcp_opening",
    /// It spoke an application of which something is known.
    Application = "application",
    /// Another station spoke in its name.
    Hearsay = "hearsay",
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<'a> {
    /// An address belongs to a MAC.
    Binding(Binding),
    /// An endpoint said something of itself, or showed it.
    Said(Said<'a>),
    /// An endpoint opened a TCP connection.
    Opening(Opening),
    /// A server refused a client's request: what was concluded from the request alone no longer holds.
    Refused(MacAddr),
    /// A system announced itself by LLDP or CDP.
    Neighbour(Box<Neighbour>),
}

/// Something that an endpoint said of itself, or showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    /// Of whom.
    pub mac: MacAddr,
    /// On whose word.
    pub by: Speaker,
    /// What it is.
    pub kind: SignKind,
    /// What was said.
    pub value: Value<'a>,
}

/// On whose word a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The frame's sender: nobody forwarded it.
    Link,
    /// Whoever has this address: the frame's sender only when it is bound to that.
    Address(IpAddr),
    /// Another station, whose frame it was.
    Station(MacAddr),
}

/// What was said, not yet made into text that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text as it was on the wire.
    Text(&'a [u8]),
    /// The traits of an opening.
    Traits(TcpTraits),
    /// Text that another station said.
    Claimed(&'a [u8], MacAddr),
}

/// The opening of a TCP connection, as its sender chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Whose frame it was.
    pub mac: MacAddr,
    /// From which address.
    pub ip: IpAddr,
    /// To which address.
    pub peer: IpAddr,
    /// How many routers it probably passed.
    pub hops: u8,
    /// How it was made.
    pub traits: TcpTraits,
    /// The value of the sender's timestamp clock.
    pub clock: Option<u32>,
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

/// What a DHCP client says of itself, of each what holds.
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

/// A system that was heard through LLDP or CDP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// How it was heard.
    pub protocol: NeighbourProtocol,
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
        self.add(time, 1);
    }

    /// Notes so many more frames, the last of them at `last`, none before the first.
    pub(crate) fn add(&mut self, last: FrameTime, count: u64) {
        self.last = self.last.max(last);
        self.count = self.count.saturating_add(count);
    }
}

impl Neighbour {
    /// Returns the method by which it was heard.
    pub const fn method(&self) -> Method {
        match self.protocol {
            NeighbourProtocol::Lldp => Method::Lldp,
            NeighbourProtocol::Cdp => Method::Cdp,
        }
    }
}

impl Method {
    /// Returns the method by which signs of this kind are heard.
    pub const fn of(kind: SignKind) -> Self {
        match kind.family() {
            Family::Dhcp => Self::DhcpClient,
            Family::Dhcpv6 => Self::Dhcpv6Client,
            Family::Mdns => Self::Mdns,
            Family::Llmnr => Self::Llmnr,
            Family::Netbios => Self::Netbios,
            Family::Ssdp => Self::Ssdp,
            Family::WsDiscovery => Self::WsDiscovery,
            Family::Maker => Self::MakerDiscovery,
            Family::Lldp => Self::Lldp,
            Family::Cdp => Self::Cdp,
            Family::SpanningTree => Self::SpanningTree,
            Family::Routing if matches!(kind, SignKind::RouterAdvertisement) => Self::NeighbourDiscovery,
            Family::TcpOpening | Family::TcpService | Family::Routing => Self::TcpOpening,
            Family::Hearsay => Self::Hearsay,
            _ => Self::Application,
        }
    }
}
