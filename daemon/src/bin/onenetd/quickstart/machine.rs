//! What this machine can watch: its links, its gateway, its rights, and who around answers SNMP.
//!
//! Invariant: everything is read from `/proc` and by ordinary sockets; nothing needs a privilege, and what cannot be read
//! counts as not there.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use ipnetwork::Ipv4Network;
use tokio::{net::UdpSocket, time::timeout};
use tokio_util::sync::CancellationToken;

/// The bit of CAP_NET_RAW (linux/capability.h).
const CAP_NET_RAW: u64 = 1 << 13;
/// Where SNMP is asked.
const SNMP_PORT: u16 = 161;
/// How long an answer is waited for, and how often it is asked: the machine itself and its gateway are near.
const ANSWER: Duration = Duration::from_millis(700);
const ATTEMPTS: u32 = 3;
/// Neighbours asked at most: the kernel remembers 1,024.
pub(super) const NEIGHBOURS_MAX: usize = 1022;
/// The pause between two of them: 100 a second disturb nobody.
const ASK_PAUSE: Duration = Duration::from_millis(10);
/// Nobody answers on the discard port (RFC 863); the answer that counts is to the ARP request that comes before.
const DISCARD_PORT: u16 = 9;

/// A prefix that is reached without a router.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OnLink {
    /// Through which interface.
    pub(super) interface: String,
    /// The prefix.
    pub(super) prefix: Ipv4Network,
}

/// What the routing table tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Routes {
    /// The prefixes that are reached without a router.
    pub(super) on_link: BTreeSet<OnLink>,
    /// The default gateway.
    pub(super) gateway: Option<Ipv4Addr>,
}

impl Routes {
    /// Reads the kernel's IPv4 routing table.
    pub(super) fn read() -> Self {
        Self::parse(&fs::read_to_string("/proc/net/route").unwrap_or_default())
    }

    /// Reads the text of `/proc/net/route`: addresses are eight hexadecimal digits in the machine's byte order.
    fn parse(text: &str) -> Self {
        const UP: u16 = 1;
        const GATEWAY: u16 = 2;
        let mut routes = Self::default();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [interface, destination, gateway, flags, _, _, _, mask, ..] = columns.as_slice() else { continue };
            let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|raw| Ipv4Addr::from(raw.to_ne_bytes()));
            let (Some(destination), Some(gateway), Some(mask)) =
                (address(destination), address(gateway), address(mask))
            else {
                continue;
            };
            let flags = u16::from_str_radix(flags, 16).unwrap_or_default();
            if flags & UP == 0 {
                continue;
            }
            if flags & GATEWAY != 0 {
                if destination.is_unspecified() && mask.is_unspecified() {
                    routes.gateway.get_or_insert(gateway);
                }
            } else if let Ok(prefix) = Ipv4Network::with_netmask(destination, mask)
                && !destination.is_link_local()
                && !destination.is_loopback()
                && prefix.prefix() > 0
            {
                routes.on_link.insert(OnLink { interface: (*interface).to_owned(), prefix });
            }
        }
        routes
    }
}

/// Returns whether this process may capture frames.
pub(super) fn may_capture() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|bits| bits & CAP_NET_RAW != 0)
}

/// Returns this machine's name.
pub(super) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Returns whether `address` answers SNMPv2c with the community `public`.
pub(super) async fn answers_snmp(address: IpAddr) -> bool {
    // GetRequest for sysObjectID.0 (RFC 3416), encoded by hand: SEQUENCE { version 1, "public", [0] { request-id, 0, 0,
    // SEQUENCE { SEQUENCE { 1.3.6.1.2.1.1.2.0, NULL } } } }.
    const REQUEST: [u8; 43] = [
        0x30, 0x29, 0x02, 0x01, 0x01, 0x04, 0x06, b'p', b'u', b'b', b'l', b'i', b'c', 0xa0, 0x1c, 0x02, 0x04, 0x6f,
        0x6e, 0x65, 0x74, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0e, 0x30, 0x0c, 0x06, 0x08, 0x2b, 0x06, 0x01,
        0x02, 0x01, 0x01, 0x02, 0x00, 0x05, 0x00,
    ];
    let any: SocketAddr = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { ([0_u16; 8], 0).into() };
    let Ok(socket) = UdpSocket::bind(any).await else { return false };
    if socket.connect((address, SNMP_PORT)).await.is_err() {
        return false;
    }
    let mut answer = [0; 512];
    for _ in 0..ATTEMPTS {
        if socket.send(&REQUEST).await.is_err() {
            return false;
        }
        match timeout(ANSWER, socket.recv(&mut answer)).await {
            // Whatever comes back from that port under our id is an answer; the agent reads it properly.
            Ok(Ok(length)) => return answer.get(..length).is_some_and(|it| it.windows(4).any(|id| id == b"onet")),
            // Refused: nobody listens there.
            Ok(Err(_)) => return false,
            Err(_) => {}
        }
    }
    false
}

/// Returns the neighbours to be asked: every address of the prefixes that are small enough, and the prefixes that are not.
pub(super) fn neighbours(on_link: &BTreeSet<OnLink>) -> (Vec<Ipv4Addr>, Vec<Ipv4Network>) {
    let (mut addresses, mut too_large) = (Vec::new(), Vec::new());
    for link in on_link {
        let prefix = link.prefix;
        let size = usize::try_from(prefix.size()).unwrap_or(usize::MAX);
        if addresses.len().saturating_add(size) > NEIGHBOURS_MAX + 2 {
            too_large.push(prefix);
            continue;
        }
        let ends = [prefix.network(), prefix.broadcast()];
        addresses.extend(prefix.iter().filter(|address| prefix.prefix() >= 31 || !ends.contains(address)));
    }
    (addresses, too_large)
}

/// Sends each neighbour one empty datagram, so that the kernel asks for its MAC address and the silent ones speak too.
///
/// Cancel safe: whoever was not asked yet stays silent.
pub(super) async fn ask(neighbours: Vec<Ipv4Addr>, shutdown: CancellationToken) {
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await else { return };
    for neighbour in neighbours {
        // One that cannot be reached is none.
        let _ = socket.send_to(&[], (neighbour, DISCARD_PORT)).await;
        tokio::select! {
            () = tokio::time::sleep(ASK_PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
        eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
        eth1\t0000FEA9\t00000000\t0001\t0\t0\t1000\t0000FFFF\t0\t0\t0\n\
        eth2\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

    #[test]
    fn the_routing_table_tells_links_and_gateway() {
        let routes = Routes::parse(TABLE);
        assert_eq!(routes.gateway, Some(Ipv4Addr::new(10, 0, 0, 1)));
        let links: Vec<_> = routes.on_link.iter().map(|it| format!("{} {}", it.interface, it.prefix)).collect();
        assert_eq!(links, ["eth0 10.0.0.0/24", "eth2 192.168.0.0/16"]);
    }

    #[test]
    fn only_small_prefixes_are_asked_one_by_one() {
        let (asked, too_large) = neighbours(&Routes::parse(TABLE).on_link);
        assert_eq!(asked.len(), 254);
        assert_eq!((asked[0], asked[253]), (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 254)));
        assert_eq!(too_large, ["192.168.0.0/16".parse().unwrap()]);
    }

    #[test]
    fn a_broken_table_is_an_empty_one() {
        assert_eq!(Routes::parse("head\neth0 zz\n\n"), Routes::default());
    }
}
