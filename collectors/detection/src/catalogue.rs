//! The detectors: one table from which their names, their documentation and their reports are made.
//!
//! Invariant: every kind of finding stands here with what it is, why it is looked for, and what it cannot see; `DETECTORS.md` is
//! made from this table and held to it by a test.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::{centre, finding::Grade, threshold::Threshold};

/// What a detector is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Flows.
    Flows,
    /// What stations say about addresses (ARP, neighbour discovery).
    Claims,
    /// What servers of addresses and routes say (DHCP, DHCPv6, router advertisements).
    Servers,
    /// What bridges say.
    Trees,
    /// What equipment announces of itself (LLDP).
    Equipment,
    /// Counts of frames.
    Air,
    /// Names asked for, and answers.
    Names,
    /// What connections give away.
    Disclosures,
    /// What is concluded of terminals.
    Terminals,
    /// Numbers that are measured again and again.
    Measurements,
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $input:ident, $grade:ident {
        what: $what:literal, why: $why:literal, evidence: $evidence:literal, blind: $blind:literal,
    })*) => {
        /// What kind of thing was found. Names are a contract: added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the kind's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns what its detector is fed with.
            pub const fn input(self) -> Input {
                match self { $(Self::$variant => Input::$input,)* }
            }

            /// Returns the grade that is proposed where nothing makes it worse.
            pub const fn grade(self) -> Grade {
                match self { $(Self::$variant => Grade::$grade,)* }
            }

            /// Returns what is looked for, why, what is told as evidence, and what is not seen.
            pub const fn texts(self) -> [&'static str; 4] {
                match self { $(Self::$variant => [$what, $why, $evidence, $blind],)* }
            }

            /// Returns the kind's place in [`Kind::ALL`].
            #[expect(clippy::as_conversions, reason = "the number of a field-less variant")]
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

catalogue! {
    /// Many ports of one host.
    PortScan = "port_scan", Flows, Considerable {
        what: "One source tries many ports of one host that do not answer, refuse or say nothing, and that it did not try in the last day.",
        why: "Whoever looks for a way in asks first what is open.",
        evidence: "ports, the host, flows",
        blind: "Scans below the rate of the slow scan; ACK scans, which look like what is left of connections; scans whose source is listed in scanners; scans of networks beyond a line while it is cut (outage_hosts of sweep).",
    }
    /// One port of many hosts.
    Sweep = "sweep", Flows, Considerable {
        what: "One source tries one port, echo, or address resolution at many hosts, most of which are not there, and which it did not try in the last day.",
        why: "Whoever looks for a weakness that he knows looks for it everywhere.",
        evidence: "port, hosts, flows",
        blind: "Sweeps of hosts that all answer; sweeps in other segments that no mirror port sees; sources listed in scanners; sweeps of networks beyond a line while it is cut, where nobody gets an answer, and is heard, from there.",
    }
    /// A scan over hours.
    SlowScan = "slow_scan", Flows, Considerable {
        what: "One source goes on, over hours, to try ports and hosts that it never tried before and that do not answer.",
        why: "Patience is how scans pass below the thresholds of fast ones.",
        evidence: "attempts in the last hours, flows",
        blind: "Less than about seven attempts an hour; many sources that share the work; attempts beyond a line while it is cut (outage_hosts of sweep). A line that fails before anybody was answered beyond it in two days, or in whose place a firewall refuses, still looks like a scan.",
    }
    /// Traffic to addresses that nobody has.
    DarkAddress = "dark_address", Flows, Considerable {
        what: "One source addresses several addresses of prefixes that the plan keeps empty.",
        why: "Nothing lawful is there, so that few attempts say much.",
        evidence: "addresses, flows",
        blind: "Off until dark prefixes are listed.",
    }
    /// Passwords tried out.
    BruteForce = "brute_force", Flows, Major {
        what: "Many short, alike connections from one source to one login service: SSH, Telnet, FTP, RDP, VNC, SMB or a database.",
        why: "A password is tried out.",
        evidence: "connections, service, flows",
        blind: "Few connections with many attempts each; many sources with few each; databases and files that the same client used a day ago.",
    }
    /// Half-open connections in masses.
    SynFlood = "syn_flood", Flows, Major {
        what: "Connections to one port are begun in masses and never completed: from sources that were never seen there, or from one.",
        why: "It takes a service's room for connections.",
        evidence: "rate, sources, flows",
        blind: "Floods whose frames the capture lost; rates below the threshold.",
    }
    /// Datagrams in masses.
    UdpFlood = "udp_flood", Flows, Major {
        what: "Unanswered datagrams of no known application to one host, in masses.",
        why: "It fills lines and hosts.",
        evidence: "rate, sources, flows",
        blind: "Floods dressed as media or another application that is read from payload; telemetry ports.",
    }
    /// Echo requests in masses.
    IcmpFlood = "icmp_flood", Flows, Considerable {
        what: "ICMP to one host in masses.",
        why: "It fills lines and hosts.",
        evidence: "rate, sources, flows",
        blind: "Rates below the threshold.",
    }
    /// Name queries in masses.
    DnsFlood = "dns_flood", Flows, Considerable {
        what: "Name queries to one server in masses, from one client that is no resolver itself or from sources never seen there.",
        why: "It takes name service away, and with it everything.",
        evidence: "rate, sources, flows",
        blind: "Floods that come through a resolver of one's own.",
    }
    /// Answers that nobody asked for.
    Reflection = "reflection", Flows, Major {
        what: "Answers of DNS, NTP, SNMP, SSDP, LDAP or memcached in masses: to one host that did not ask, or from a server of ours to a stranger, many times what was asked.",
        why: "Somebody asks in the victim's name; the server of ours is used, or the victim is ours.",
        evidence: "rate, servers, flows",
        blind: "Where only one direction of the traffic is mirrored, every answer is one that nobody asked for.",
    }
    /// Somebody answers for another's address.
    ArpSpoofing = "arp_spoofing", Claims, Major {
        what: "A station that has an address of its own claims another's again and again without being asked, or claims that of a listed router.",
        why: "Traffic is led through the liar.",
        evidence: "address, both stations",
        blind: "What is not broadcast on the mirrored ports; liars that answer once.",
    }
    /// Two stations with one address.
    AddressConflict = "address_conflict", Claims, General {
        what: "Two stations claim one address in turn.",
        why: "Neither works properly, and one of them does not belong there.",
        evidence: "address, both stations",
        blind: "Virtual routers and cards of one machine are left out; a clone that never speaks at the same time.",
    }
    /// A DHCP server that is not ours.
    RogueDhcp = "rogue_dhcp", Servers, Major {
        what: "A DHCP server that is not listed; where none is listed, one that appears beside those known for ten minutes.",
        why: "Who gives addresses decides where traffic goes.",
        evidence: "server, station, messages",
        blind: "Offers sent to other ports than the mirrored ones; without a list, servers that were there from the beginning.",
    }
    /// A DHCPv6 server that is not ours.
    RogueDhcpv6 = "rogue_dhcpv6", Servers, Major {
        what: "A DHCPv6 server that is not listed; where none is listed, one that appears beside those known for ten minutes.",
        why: "Who gives addresses and name servers decides where traffic goes, also where nobody uses IPv6 on purpose.",
        evidence: "server, station, messages",
        blind: "As rogue_dhcp.",
    }
    /// A router that is not ours.
    RogueRa = "rogue_ra", Servers, Major {
        what: "A router advertises itself that is not listed; where none is listed, one that appears beside those known for ten minutes.",
        why: "Hosts believe it, and send through it what should not leave.",
        evidence: "router, station, messages",
        blind: "Without a list, routers that were there from the beginning; forged withdrawals (lifetime 0) of a true router.",
    }
    /// Station addresses in masses.
    MacFlood = "mac_flood", Air, Major {
        what: "More stations send within ten seconds than a segment has.",
        why: "A switch whose table is full sends everything everywhere.",
        evidence: "stations, frames",
        blind: "Floods that a switch's port security stops, which is well.",
    }
    /// Broadcasts in masses.
    BroadcastStorm = "broadcast_storm", Air, Considerable {
        what: "Broadcasts in masses over ten seconds.",
        why: "A loop, or a broken card, takes the whole segment down.",
        evidence: "rate, share of all frames",
        blind: "Loops in VLANs that are not mirrored.",
    }
    /// A new, better root of a spanning tree.
    RogueRoot = "rogue_root", Trees, Considerable {
        what: "A root of a spanning tree that is not listed; where none is listed, a new one that is preferred to that known for ten minutes.",
        why: "Whoever is the root sees traffic between switches.",
        evidence: "old and new root, who says so",
        blind: "Without a list, what is the root from the beginning; ports at which no bridge speaks.",
    }
    /// Traffic outside the address plan.
    Outreach = "outreach", Flows, Considerable {
        what: "A host of the plan exchanges data with an address outside of it, or tries to again and again.",
        why: "违规外联: the network has no way out but those that were approved.",
        evidence: "peers, bytes, flows",
        blind: "What does not pass the mirror port, as a hotspot's own traffic; tunnels to addresses within the plan. Off until the plan is listed.",
    }
    /// Calls home by the clock.
    Beaconing = "beaconing", Flows, Considerable {
        what: "One host calls one address outside the plan (without a plan: a public one) at even intervals for an hour or more (`beacon_lasts_s`), and hardly any other host does.",
        why: "Implants ask for orders by the clock.",
        evidence: "period, jitter, calls, flows",
        blind: "Calls to addresses within the plan; one lasting connection; jitter above the threshold; periods above six hours or below ten seconds.",
    }
    /// Data in names.
    DnsTunnel = "dns_tunnel", Names, Major {
        what: "One client asks for many different, long names below one domain.",
        why: "Names carry data past every filter.",
        evidence: "domain, names, characters",
        blind: "Tunnels below the threshold of names in ten minutes; encrypted name service; domains listed in name_exceptions.",
    }
    /// Names made by a program.
    Dga = "dga", Names, Considerable {
        what: "One client asks for many domains that do not exist and look like chance.",
        why: "Malware looks for its master under names that change by the day.",
        evidence: "domains",
        blind: "Names made of words; where answers are not seen.",
    }
    /// A login in the clear.
    CleartextLogin = "cleartext_login", Disclosures, General {
        what: "A login by HTTP basic, FTP, Telnet, POP3 or IMAP without encryption.",
        why: "Whoever listens has the password.",
        evidence: "protocol, client",
        blind: "Forms of web pages; protocols that are not listed here.",
    }
    /// TLS that is too old.
    OutdatedTls = "outdated_tls", Disclosures, General {
        what: "A server agrees to SSL 3.0, TLS 1.0 or TLS 1.1.",
        why: "They are broken, and forbidden since RFC 8996.",
        evidence: "version, client",
        blind: "What a server would agree to with another client.",
    }
    /// A certificate whose time is over.
    ExpiredCertificate = "expired_certificate", Disclosures, General {
        what: "A server shows a certificate whose time is over.",
        why: "People learn to click warnings away.",
        evidence: "end, client",
        blind: "TLS 1.3, which hides certificates.",
    }
    /// Machines behind one address.
    Nat = "nat", Terminals, Considerable {
        what: "What one station sends shows several machines behind it.",
        why: "Behind a router or hotspot of one's own nobody is known.",
        evidence: "how sure",
        blind: "A single machine behind the router.",
    }
    /// Another kind of device than before.
    ChangedClass = "changed_class", Terminals, Considerable {
        what: "A station is concluded to be another class of device than before.",
        why: "Printers and cameras that become computers are somebody's computer with a borrowed address.",
        evidence: "before, after",
        blind: "Devices of the same class; addresses that are made up anew each time.",
    }
    /// Another operating system than before.
    ChangedOs = "changed_os", Terminals, General {
        what: "A station is concluded to have another family of operating systems than before.",
        why: "A machine was replaced, or an address borrowed.",
        evidence: "before, after",
        blind: "Another release of the same family; machines with two systems are found once each way.",
    }
    /// A terminal where none may be.
    ForbiddenVlan = "forbidden_vlan", Terminals, Considerable {
        what: "A terminal is heard in a VLAN in which none may be.",
        why: "Management and isolated VLANs are for their devices alone.",
        evidence: "VLAN",
        blind: "Off until forbidden VLANs are listed; VLANs that are not mirrored.",
    }
    /// Equipment that is not ours.
    RogueLldp = "rogue_lldp", Equipment, Considerable {
        what: "A station announces itself by LLDP as a switch, access point or router, and is not listed; where none is listed, one that appears beside those known for ten minutes. Telephones are left out.",
        why: "A switch or access point of somebody's own opens the network to whoever is behind it.",
        evidence: "station, chassis, name, what it says it is",
        blind: "Equipment that does not announce itself; LLDP goes no further than one cable, so that only ports which are mirrored tell; without a list, equipment that was there from the beginning.",
    }
    /// A station with an address of another network.
    OtherNetwork = "other_network", Claims, General {
        what: "A station says on the wire again and again that an address is its own that is not of the plan.",
        why: "It was in another network a moment ago, or is in two: a laptop that comes back from a hotspot, a second way out, a box of somebody's own.",
        evidence: "address, whom it asks for",
        blind: "Off until the plan is listed; stations that ask for a new address without a word about the old one; networks that use addresses of the plan.",
    }
    /// A server that talks to somebody new.
    NewPeer = "new_peer", Flows, General {
        what: "A server of five hosts or more begins to exchange data with a peer that it never had, after it had the same few for a week.",
        why: "Servers do the same each day; one that was taken over looks around.",
        evidence: "peer, known peers, flow",
        blind: "Servers with more than two dozen peers; the first week after the agent started; from the fifth new peer on, the server is learnt anew; sources listed in scanners.",
    }
    /// Much sent to somebody to whom nothing like it was sent.
    LongTransfer = "long_transfer", Flows, Considerable {
        what: "One host sends another one much within a day, more than it takes from it, and did nothing like it in five weeks.",
        why: "Whoever steals data has to carry it away.",
        evidence: "to whom, megabytes, flows",
        blind: "The first week after the agent started; what is fetched from a server instead of sent; calls and video (RTP); what is sent slowly enough over days.",
    }
    /// Much sent at night.
    NightTransfer = "night_transfer", Flows, General {
        what: "One host sends much at night, and did nothing like it in any night of five weeks.",
        why: "Nobody is there to see it.",
        evidence: "to whom, megabytes, flows",
        blind: "The first week after the agent started; hosts that send each night; what is fetched from a server instead of sent; calls and video (RTP).",
    }
    /// A feed that ended.
    SilentFeed = "silent_feed", Flows, Considerable {
        what: "A source of HJ 212 messages, or one that fed a service listed in feeds, was heard for a day and more and sends no data any more, while the segment goes on. All sources of a service together are told as the service.",
        why: "A monitoring station that was switched off, or a business feed that stopped, is missed by nobody until its data are needed.",
        evidence: "service, last data, usual interval",
        blind: "Feeds that are encrypted and not listed; feeds that never came for a day since the agent started; a capture that sees nothing at all, of which the centre tells otherwise.",
    }
    /// A service that nobody approved.
    UnregisteredService = "unregistered_service", Flows, Considerable {
        what: "A host of the published prefixes answers on a port that is not in the register of services.",
        why: "A port is published by approval alone: what nobody approved nobody watches.",
        evidence: "what it speaks, flows",
        blind: "Off until published prefixes are listed; ports that nobody uses, which no mirror port shows, but an approved scan ([[scans]]); UDP services that are asked once; clients listed in scanners.",
    }
    /// A service past its time.
    ExpiredService = "expired_service", Flows, General {
        what: "A registered service is used after its approval ended.",
        why: "An approval is for a time, so that somebody looks again.",
        evidence: "application, approval, owner, end, flows",
        blind: "As unregistered_service.",
    }
    /// A service that others use than may.
    ExposedService = "exposed_service", Flows, Major {
        what: "A registered service answers a client beyond the scope of its approval; without a scope, one outside the address plan.",
        why: "What was approved for a few is open to all.",
        evidence: "application, approval, owner, client, flows",
        blind: "As unregistered_service; clients behind a translation of addresses or a proxy within the scope.",
    }
    /// A service that is gone.
    GoneService = "gone_service", Flows, General {
        what: "A registered service whose approval has not ended was not used for thirty days, while the segment was heard.",
        why: "What is not needed any more is to be closed, and its approval ended.",
        evidence: "application, approval, owner, last use",
        blind: "The first thirty days after the agent started; services that are used past the mirror port.",
    }
    /// Traffic that is not as ever.
    TrafficShift = "traffic_shift", Air, General {
        what: "For four hours or more the segment carries far more or less frames than is usual at this time of this kind of day.",
        why: "What changes the level of traffic changed the network: a failure, a new system, a theft.",
        evidence: "value, expected, direction",
        blind: "The first two days of each kind (working days, days off) after the agent started; changes slower than about a spread a week; a dip within what that time of day varies by.",
    }
    /// Connections that are not as ever.
    FlowShift = "flow_shift", Flows, General {
        what: "For four hours or more far more or fewer flows end than is usual at this time of this kind of day.",
        why: "Programs that multiply, or a service that is away, show in connections before they show in bytes.",
        evidence: "value, expected, direction",
        blind: "As traffic_shift.",
    }
    /// Terminals that are not as ever.
    TerminalShift = "terminal_shift", Flows, General {
        what: "For four hours or more far more or fewer hosts of the site begin connections than is usual at this time of this kind of day.",
        why: "A floor without network, or machines that nobody announced.",
        evidence: "value, expected, direction",
        blind: "As traffic_shift; hosts that begin no connections.",
    }
    /// Errors that are not as ever.
    ErrorShift = "error_shift", Measurements, General {
        what: "For four hours or more the ports of a device count far more errors and discards than is usual.",
        why: "A cable, a connector or a transceiver fails slowly.",
        evidence: "value, expected, direction",
        blind: "Devices that are not polled; as traffic_shift.",
    }
    /// Round trips that are not as ever.
    RoundTripShift = "round_trip_shift", Measurements, General {
        what: "For four hours or more a probe's round trip is far longer or shorter than is usual at this time of this kind of day.",
        why: "A line that is full, or that was led another way.",
        evidence: "value, expected, direction",
        blind: "Ways that no probe measures; as traffic_shift.",
    }
    /// Bytes of an uplink that are not as ever.
    UplinkShift = "uplink_shift", Measurements, General {
        what: "For four hours or more a port that leads out of the site receives or sends far more or less bytes than is usual at this time of this kind of day.",
        why: "What a site takes and gives goes through its uplink, also where no mirror port looks on: data that are carried away, a line that carries what it should not, a system that went silent.",
        evidence: "Mbit/s received and sent, and what was expected of each",
        blind: "Ports of devices that are not polled, or that count no octets, as many VLAN interfaces: name the port below it in uplinks; counters of 32 bits on lines that fill them between two samples; devices without a default route where uplinks is empty; as traffic_shift.",
    }
    /// The same attack from many hosts.
    Worm = "worm", Flows, Extraordinary {
        what: "Several hosts sweep the same port within a day.",
        why: "What spreads by itself makes its victims look for more.",
        evidence: "port, hosts",
        blind: "Ports listed in peer_ports; spread through one server; other sites, which the centre compares; sweeps beyond a line while it is cut (outage_hosts of sweep).",
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Input {
    /// Returns what it is called in documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Claims => "ARP and neighbour discovery",
            Self::Servers => "DHCP, DHCPv6, router advertisements",
            Self::Trees => "spanning tree",
            Self::Equipment => "link layer discovery (LLDP)",
            Self::Air => "counts of frames",
            Self::Names => "DNS",
            Self::Disclosures => "what connections give away",
            Self::Terminals => "inventory",
            Self::Measurements => "what devices count and probes measure",
        }
    }
}

/// Returns the documentation of all detectors, in Markdown.
pub fn documentation() -> String {
    let mut text = String::from(
        "# Detectors\n\nMade from `collectors/detection/src/catalogue.rs` and `threshold.rs`. Thresholds are keys of `[detection]`, for all \
         of a site or for prefixes of it in `[[detection.areas]]`. What is found is found for certain at twice the threshold.\n",
    );
    for kind in Kind::ALL {
        let [what, why, evidence, blind] = kind.texts();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n## {kind}\n\n{what} {why}\n\n- Fed with: {}. Proposed grade: {}. Evidence: {evidence}.\n- Blind spots: {blind}",
            kind.input().name(),
            kind.grade().name(),
        );
        for threshold in Threshold::ALL.iter().filter(|threshold| threshold.kind() == *kind) {
            let (default, (least, most)) = (threshold.default(), threshold.range());
            let _ = writeln!(text, "- `{}` = {default} ({least} to {most}): {}.", threshold.key(), threshold.what());
        }
    }
    text += "\n# At the centre\n\nMade from `collectors/detection/src/centre.rs`. What the centre concludes from what its sites tell is an anomaly \
             as well. Thresholds are keys of `[detection]` in the centre's configuration.\n";
    for it in centre::ALL {
        let _ = writeln!(
            text,
            "\n## {}\n\n{} {}\n\n- From: {}. Proposed grade: {}. Evidence: {}.\n- Blind spots: {}\n- Thresholds: {}.",
            it.name,
            it.what,
            it.why,
            it.from,
            it.grade.name(),
            it.evidence,
            it.blind,
            it.thresholds,
        );
    }
    text
}
