//! What may be tuned: one table of thresholds, with the key that sets each, its default and its range.

use std::net::IpAddr;

use crate::catalogue::Kind;

macro_rules! thresholds {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, $kind:ident, $default:literal in $least:literal..=$most:literal, $what:literal;)*) => {
        /// A number that decides what is found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Threshold { $($(#[$doc])* $variant,)* }

        impl Threshold {
            /// Every threshold, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the key of the configuration that sets it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// Returns the kind of finding that it decides.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Returns its value where nothing else is said.
            pub const fn default(self) -> u64 {
                match self { $(Self::$variant => $default,)* }
            }

            /// Returns the least and the greatest value that it may have.
            pub const fn range(self) -> (u64, u64) {
                match self { $(Self::$variant => ($least, $most),)* }
            }

            /// Returns what it counts.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            #[expect(clippy::as_conversions, reason = "the number of a field-less variant")]
            const fn index(self) -> usize {
                self as usize
            }
        }

        const DEFAULTS: &[u64] = &[$($default,)*];
    };
}

thresholds! {
    /// Ports of a scan.
    PortScanPorts = "port_scan_ports", PortScan, 25 in 5..=10_000, "TCP ports of one host within five minutes, or twice as many of UDP";
    /// Hosts of a sweep.
    SweepHosts = "sweep_hosts", Sweep, 20 in 5..=10_000, "hosts within five minutes";
    /// Requests of a sweep by address resolution.
    SweepArp = "sweep_arp", Sweep, 120 in 20..=65_000, "addresses asked for by ARP within a minute by one station";
    /// Hosts that lose what answered them.
    OutageHosts = "outage_hosts", Sweep, 3 in 2..=100, "hosts that get no answer any more from what answered them, until anything of its network is heard again: what is tried there meanwhile is a line that failed, also of port_scan, slow_scan and worm";
    /// Attempts of a slow scan.
    SlowScanAttempts = "slow_scan_attempts", SlowScan, 40 in 10..=10_000, "attempts, of which half count after four hours";
    /// Dark addresses.
    DarkAddresses = "dark_addresses", DarkAddress, 3 in 1..=1_000, "addresses within a day";
    /// Logins.
    BruteForceLogins = "brute_force_logins", BruteForce, 20 in 5..=10_000, "connections within five minutes; three times as many for databases and file services";
    /// Half-open connections.
    SynFloodPerS = "syn_flood_per_s", SynFlood, 100 in 10..=1_000_000, "half-open connections a second, over ten seconds";
    /// Datagrams.
    UdpFloodPerS = "udp_flood_per_s", UdpFlood, 2_000 in 50..=10_000_000, "datagrams a second, over ten seconds";
    /// Messages.
    IcmpFloodPerS = "icmp_flood_per_s", IcmpFlood, 200 in 20..=1_000_000, "packets a second, over ten seconds";
    /// Queries.
    DnsFloodPerS = "dns_flood_per_s", DnsFlood, 300 in 20..=1_000_000, "queries a second, over ten seconds";
    /// Answers.
    ReflectionPerS = "reflection_per_s", Reflection, 200 in 20..=1_000_000, "answers that were not asked for a second, over ten seconds";
    /// Unasked claims.
    SpoofedClaims = "spoofed_claims", ArpSpoofing, 3 in 2..=100, "claims that nobody asked for, within ten minutes";
    /// Claims of addresses of other networks.
    OtherNetworkClaims = "other_network_claims", OtherNetwork, 3 in 1..=1_000, "times that a station says so within a day";
    /// Turns.
    ConflictTurns = "conflict_turns", AddressConflict, 6 in 2..=100, "changes from one station to the other within ten minutes";
    /// Stations.
    MacFloodStations = "mac_flood_stations", MacFlood, 2_000 in 100..=100_000, "stations within ten seconds";
    /// Broadcasts.
    BroadcastPerS = "broadcast_per_s", BroadcastStorm, 1_000 in 50..=1_000_000, "broadcasts a second, over ten seconds";
    /// Attempts outside.
    OutreachAttempts = "outreach_attempts", Outreach, 5 in 1..=10_000, "attempts without answer within a day; one exchange of data is enough";
    /// Calls.
    BeaconCalls = "beacon_calls", Beaconing, 16 in 8..=32, "calls in a row";
    /// Jitter.
    BeaconJitter = "beacon_jitter_percent", Beaconing, 20 in 1..=40, "median departure from the median interval, in hundredths of that";
    /// How long.
    BeaconLasts = "beacon_lasts_s", Beaconing, 3_600 in 60..=86_400, "seconds that calls go on at even intervals";
    /// Hosts.
    BeaconHosts = "beacon_hosts", Beaconing, 2 in 1..=100, "hosts that call the same address: more is a service";
    /// Names.
    TunnelNames = "tunnel_names", DnsTunnel, 60 in 10..=10_000, "different names below one domain within ten minutes";
    /// Characters.
    TunnelCharacters = "tunnel_characters", DnsTunnel, 28 in 10..=200, "characters of a name before its domain, on average";
    /// Domains.
    DgaDomains = "dga_domains", Dga, 15 in 5..=1_000, "domains that do not exist and look like chance, within an hour";
    /// Confidence.
    NatConfidence = "nat_confidence", Nat, 80 in 50..=100, "how sure inventory has to be, in hundredths";
    /// How long a server had the same peers.
    NewPeerDays = "new_peer_days", NewPeer, 7 in 1..=30, "days for which a server that five hosts or more use had the same peers";
    /// A transfer.
    TransferMegabytes = "transfer_megabytes", LongTransfer, 2_000 in 10..=1_000_000, "megabytes from one host to another within a day";
    /// A transfer at night.
    NightMegabytes = "night_megabytes", NightTransfer, 200 in 1..=1_000_000, "megabytes that one host sends in a night";
    /// When the night begins.
    NightBegins = "night_begins_hour", NightTransfer, 22 in 0..=23, "the hour at which the night begins, in China; the same as its end: there is none";
    /// When the night ends.
    NightEnds = "night_ends_hour", NightTransfer, 6 in 0..=23, "the hour at which it ends";
    /// Silence.
    FeedSilent = "feed_silent_s", SilentFeed, 7_200 in 600..=604_800, "seconds without data, and four times as long as is usual for the feed";
    /// Uses of a service.
    ServiceFlows = "service_flows", UnregisteredService, 3 in 1..=1_000, "answered connections to it within a day";
    /// Days without use.
    ServiceGone = "service_gone_days", GoneService, 30 in 1..=90, "days without an answered connection";
    /// How far an uplink is from what is usual.
    UplinkShift = "uplink_shift_percent", UplinkShift, 30 in 10..=1_000, "departure from what is expected, in hundredths of that; from 101 on, less than usual is never told";
    /// For how long.
    UplinkHours = "uplink_shift_hours", UplinkShift, 4 in 4..=72, "hours that it goes on";
    /// Hosts of a worm.
    WormHosts = "worm_hosts", Worm, 3 in 2..=100, "hosts that sweep the same port within a day";
}

/// A value for every threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds(Vec<u64>);

impl Default for Thresholds {
    fn default() -> Self {
        Self(DEFAULTS.to_vec())
    }
}

impl Thresholds {
    /// Returns the value of a threshold.
    pub fn get(&self, threshold: Threshold) -> u64 {
        self.0.get(threshold.index()).copied().unwrap_or(threshold.default())
    }

    /// Sets the value of a threshold, held in its range.
    pub fn set(&mut self, threshold: Threshold, value: u64) {
        let (least, most) = threshold.range();
        if let Some(place) = self.0.get_mut(threshold.index()) {
            *place = value.clamp(least, most);
        }
    }
}

/// Thresholds of a part of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its prefixes.
    pub prefixes: Vec<ipnetwork::IpNetwork>,
    /// What holds there.
    pub thresholds: Thresholds,
}

impl Area {
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        self.prefixes.iter().any(|prefix| prefix.contains(ip))
    }
}
