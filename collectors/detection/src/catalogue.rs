//! The detectors: one table from which their names, their documentation and their reports are made.
//!
//! Invariant: every kind of finding stands here with what it is, why it is looked for, and what it cannot see; `DETECTORS.md` is
//! made from this table and held to it by a test.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::{finding::Grade, threshold::Threshold};

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
    /// Counts of frames.
    Air,
    /// Names asked for, and answers.
    Names,
    /// What connections give away.
    Disclosures,
    /// What is concluded of terminals.
    Terminals,
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
        blind: "Scans below the rate of the slow scan; ACK scans, which look like what is left of connections; scans whose source is listed in scanners.",
    }
    /// One port of many hosts.
    Sweep = "sweep", Flows, Considerable {
        what: "One source tries one port, echo, or address resolution at many hosts, most of which are not there, and which it did not try in the last day.",
        why: "Whoever looks for a weakness that he knows looks for it everywhere.",
        evidence: "port, hosts, flows",
        blind: "Sweeps of hosts that all answer; sweeps in other segments that no mirror port sees; sources listed in scanners.",
    }
    /// A scan over hours.
    SlowScan = "slow_scan", Flows, Considerable {
        what: "One source goes on, over hours, to try ports and hosts that it never tried before and that do not answer.",
        why: "Patience is how scans pass below the thresholds of fast ones.",
        evidence: "attempts in the last hours, flows",
        blind: "Less than about seven attempts an hour; many sources that share the work.",
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
        what: "One host calls one address outside the plan (without a plan: a public one) at even intervals over an hour or more, and hardly any other host does.",
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
    /// The same attack from many hosts.
    Worm = "worm", Flows, Extraordinary {
        what: "Several hosts sweep the same port within a day.",
        why: "What spreads by itself makes its victims look for more.",
        evidence: "port, hosts",
        blind: "Ports listed in peer_ports; spread through one server; other sites, which the centre compares.",
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
            Self::Air => "counts of frames",
            Self::Names => "DNS",
            Self::Disclosures => "what connections give away",
            Self::Terminals => "inventory",
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
    text
}
