//! What is injected: each kind of thing that detection is for, and which detector has to find it.
//!
//! A row is something that people would call by a name of its own; several rows may be one detector's, each in a form of its own.

use onenet_detection::Kind;

/// Something that is injected.
#[derive(Debug)]
pub struct Row {
    /// What it belongs to.
    pub group: &'static str,
    /// What happens.
    pub what: &'static str,
    /// What has to find it.
    pub kind: Kind,
    /// Which form of it.
    pub form: u32,
    /// Whether it has a threshold: what has none is found at any strength.
    pub threshold: bool,
}

const fn row(group: &'static str, what: &'static str, kind: Kind, form: u32) -> Row {
    Row { group, what, kind, form, threshold: true }
}

/// Something without a threshold.
const fn sure(group: &'static str, what: &'static str, kind: Kind, form: u32) -> Row {
    Row { group, what, kind, form, threshold: false }
}

const OUTREACH: &str = "outreach";
const PORTS: &str = "published ports";
const SCANS: &str = "scans and sweeps";
const FLOODS: &str = "floods";
const LAYER_2: &str = "layer 2/3";
const CHANGED: &str = "new and changed";
const COVERT: &str = "covert channels";
const LEVELS: &str = "level shifts";

/// Everything that is injected at a site.
pub const ROWS: &[Row] = &[
    row(OUTREACH, "tries, unanswered", Kind::Outreach, 0),
    sure(OUTREACH, "a VPN outside", Kind::Outreach, 1),
    sure(OUTREACH, "a proxy outside", Kind::Outreach, 2),
    row(OUTREACH, "back from a hotspot", Kind::OtherNetwork, 0),
    row(PORTS, "unregistered, used", Kind::UnregisteredService, 0),
    sure(PORTS, "unregistered, by scan", Kind::UnregisteredService, 1),
    sure(PORTS, "approval over", Kind::ExpiredService, 0),
    sure(PORTS, "beyond its scope", Kind::ExposedService, 0),
    row(PORTS, "registered and gone", Kind::GoneService, 0),
    row(SCANS, "ports of a host, TCP", Kind::PortScan, 0),
    row(SCANS, "ports of a host, UDP", Kind::PortScan, 1),
    row(SCANS, "hosts, one TCP port", Kind::Sweep, 0),
    row(SCANS, "hosts, by echo", Kind::Sweep, 1),
    row(SCANS, "hosts, by ARP", Kind::Sweep, 2),
    row(SCANS, "slow, over hours", Kind::SlowScan, 0),
    row(SCANS, "dark addresses", Kind::DarkAddress, 0),
    row(SCANS, "brute force, SSH", Kind::BruteForce, 0),
    row(SCANS, "brute force, RDP", Kind::BruteForce, 1),
    row(SCANS, "brute force, SMB", Kind::BruteForce, 2),
    row(SCANS, "brute force, SQL", Kind::BruteForce, 3),
    row(SCANS, "brute force, others", Kind::BruteForce, 4),
    row(SCANS, "worm, one site", Kind::Worm, 0),
    row(FLOODS, "SYN, one source", Kind::SynFlood, 0),
    row(FLOODS, "SYN, forged sources", Kind::SynFlood, 1),
    row(FLOODS, "SYN, outward", Kind::SynFlood, 2),
    row(FLOODS, "UDP, inward", Kind::UdpFlood, 0),
    row(FLOODS, "UDP, outward", Kind::UdpFlood, 1),
    row(FLOODS, "ICMP, inward", Kind::IcmpFlood, 0),
    row(FLOODS, "ICMP, outward", Kind::IcmpFlood, 1),
    row(FLOODS, "DNS, one client", Kind::DnsFlood, 0),
    row(FLOODS, "DNS, forged sources", Kind::DnsFlood, 1),
    row(FLOODS, "reflection, at us", Kind::Reflection, 0),
    row(FLOODS, "reflection, off us", Kind::Reflection, 1),
    row(LAYER_2, "ARP spoofing, a host", Kind::ArpSpoofing, 0),
    row(LAYER_2, "ARP spoofing, a router", Kind::ArpSpoofing, 1),
    sure(LAYER_2, "rogue DHCP", Kind::RogueDhcp, 0),
    sure(LAYER_2, "rogue DHCPv6", Kind::RogueDhcpv6, 0),
    sure(LAYER_2, "rogue RA", Kind::RogueRa, 0),
    row(LAYER_2, "MAC flood", Kind::MacFlood, 0),
    row(LAYER_2, "address conflict, IP clone", Kind::AddressConflict, 0),
    row(LAYER_2, "loop, broadcast storm", Kind::BroadcastStorm, 0),
    sure(LAYER_2, "rogue LLDP", Kind::RogueLldp, 0),
    sure(LAYER_2, "rogue STP root", Kind::RogueRoot, 0),
    row(CHANGED, "device class", Kind::ChangedClass, 0),
    row(CHANGED, "operating system", Kind::ChangedOs, 0),
    sure(CHANGED, "forbidden VLAN", Kind::ForbiddenVlan, 0),
    row(CHANGED, "NAT behind a port", Kind::Nat, 0),
    row(COVERT, "beacon, 5 min, jitter", Kind::Beaconing, 0),
    row(COVERT, "beacon, 1 min, refused", Kind::Beaconing, 1),
    row(COVERT, "DNS tunnel", Kind::DnsTunnel, 0),
    row(COVERT, "DGA-like names", Kind::Dga, 0),
    row(COVERT, "long transfer", Kind::LongTransfer, 0),
    row(COVERT, "odd-hour transfer", Kind::NightTransfer, 0),
    row(COVERT, "new peer of a server", Kind::NewPeer, 0),
    sure(COVERT, "cleartext credentials", Kind::CleartextLogin, 0),
    sure(COVERT, "outdated TLS", Kind::OutdatedTls, 0),
    sure(COVERT, "expired certificate", Kind::ExpiredCertificate, 0),
    // A series that was upset knows less of what is usual for days: what befalls the same one stands a week's attacks of a county apart.
    row(LEVELS, "uplink, received", Kind::UplinkShift, 0),
    row(LEVELS, "traffic, more", Kind::TrafficShift, 0),
    row(LEVELS, "traffic, less", Kind::TrafficShift, 1),
    row(LEVELS, "flows", Kind::FlowShift, 0),
    row(LEVELS, "terminals", Kind::TerminalShift, 0),
    row(LEVELS, "errors", Kind::ErrorShift, 0),
    row(LEVELS, "uplink, sent", Kind::UplinkShift, 1),
    row(LEVELS, "round trip", Kind::RoundTripShift, 0),
    row(LEVELS, "HJ 212, a station", Kind::SilentFeed, 0),
    row(LEVELS, "HJ 212, all stations", Kind::SilentFeed, 1),
    row(LEVELS, "a business feed", Kind::SilentFeed, 2),
    row(LEVELS, "uplink, less", Kind::UplinkShift, 2),
];
