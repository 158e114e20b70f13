//! The router that this machine sends through: its default route, as the kernel tells it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where Linux tells its IPv4 routes.
const ROUTES_V4: &str = "/proc/net/route";
/// Where Linux tells its IPv6 routes.
const ROUTES_V6: &str = "/proc/net/ipv6_route";

/// RTF_GATEWAY: the route leads through a router.
const GATEWAY: u32 = 2;

/// Returns the router of the default route, IPv4 before IPv6.
pub fn find() -> Option<IpAddr> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    v4(&read(ROUTES_V4)).map(IpAddr::V4).or_else(|| v6(&read(ROUTES_V6)).map(IpAddr::V6))
}

/// Returns the router of the IPv4 default route with the least metric.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let route = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, router, flags) = (fields.next()?, fields.next()?, fields.next()?);
        let metric: u32 = fields.nth(2)?.parse().ok()?;
        let mask = fields.next()?;
        let is_default = destination == "00000000" && mask == "00000000";
        let through = u32::from_str_radix(flags, 16).ok()? & GATEWAY != 0;
        // The kernel prints the bytes of the address as one number of this machine's order.
        let router = u32::from_str_radix(router, 16).ok()?.to_ne_bytes();
        (is_default && through).then_some((metric, Ipv4Addr::from(router)))
    };
    text.lines().skip(1).filter_map(route).min_by_key(|(metric, _)| *metric).map(|(_, router)| router)
}

/// Returns the router of the IPv6 default route with the least metric; link-local ones need an interface, and are left out.
fn v6(text: &str) -> Option<Ipv6Addr> {
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, length, _, _, router, metric, _, _, flags, ..] = fields.as_slice() else { return None };
        let is_default = destination.bytes().all(|byte| byte == b'0') && *length == "00";
        let through = u32::from_str_radix(flags, 16).ok()? & GATEWAY != 0;
        let router = Ipv6Addr::from(u128::from_str_radix(router, 16).ok()?);
        let metric = u32::from_str_radix(metric, 16).ok()?;
        (is_default && through && !router.is_unicast_link_local()).then_some((metric, router))
    };
    text.lines().filter_map(route).min_by_key(|(metric, _)| *metric).map(|(_, router)| router)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_of_the_least_metric_is_taken() {
        let bytes = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let line = |destination: &str, router, flags, metric, mask| {
            format!("eth0\t{destination}\t{}\t{flags}\t0\t0\t{metric}\t{mask}\t0\t0\t0\n", bytes(router))
        };
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n".to_owned();
        let text = head.clone()
            + &line("00000000", [10, 0, 0, 2], "0003", 200, "00000000")
            + &line("00000000", [10, 0, 0, 1], "0003", 100, "00000000")
            + &line("00000000", [0, 0, 0, 0], "0001", 1, "00000000")
            + &line("0000000A", [10, 0, 0, 9], "0003", 0, "000000FF");
        assert_eq!(v4(&text), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!((v4(&head), v4("nonsense\nand more"), v4("")), (None, None, None));
    }

    #[test]
    fn an_ipv6_router_counts_where_it_is_no_link_local_one() {
        let zero = "0".repeat(32);
        let line =
            |router: &str, flags| format!("{zero} 00 {zero} 00 {router} 00000400 00000001 00000000 {flags} eth0\n");
        let far = format!("{:032x}", u128::from("fd00:1::1".parse::<Ipv6Addr>().unwrap()));
        let near = format!("{:032x}", u128::from("fe80::1".parse::<Ipv6Addr>().unwrap()));
        let text = line(&near, "00000003") + &line(&far, "00000003") + &line(&zero, "00200200");
        assert_eq!(v6(&text), Some("fd00:1::1".parse().unwrap()));
        assert_eq!(v6("x"), None);
    }
}
