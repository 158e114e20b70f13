//! What detectors are told: flows as they end, what stations say about addresses and roles, names, what servers disclose.
//!
//! Invariant: every observation carries its own time. It does not know where an observation came from: a live mirror port, a
//! capture file and a generator are the same.

use std::net::IpAddr;

use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    classify::{DeviceClass, OsFamily},
    flow::TcpState,
};
use serde::{Deserialize, Serialize};

/// TCP's SYN.
pub const SYN: u8 = 0x02;
/// TCP's ACK.
pub const ACK: u8 = 0x10;

/// A flow that ended, or the part of it that a record covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowSeen<'a> {
    /// IP protocol number.
    pub protocol: u8,
    /// Who began it.
    pub from: IpAddr,
    /// From which port; of ICMP the identifier.
    pub from_port: u16,
    /// Whom it went to.
    pub to: IpAddr,
    /// To which port; of ICMP type × 256 + code.
    pub to_port: u16,
    /// Packets from the originator.
    pub packets_out: u64,
    /// Packets from the responder.
    pub packets_in: u64,
    /// Bytes from the originator.
    pub bytes_out: u64,
    /// Bytes from the responder.
    pub bytes_in: u64,
    /// TCP flags that the originator set at least once.
    pub flags_out: u8,
    /// What became of it, of TCP.
    pub state: Option<TcpState>,
    /// Whether payload was seen in a TCP connection.
    pub data: bool,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Time of the last packet.
    pub end: Timestamp,
    /// What it carries.
    pub application: Option<Application>,
    /// Whether that was read from payload.
    pub by_payload: bool,
    /// Whom or what it asked for by name.
    pub name: Option<&'a str>,
}

/// A station says that an address is its own (ARP, neighbour advertisement).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// When.
    pub time: Timestamp,
    /// The address.
    pub ip: IpAddr,
    /// The station.
    pub mac: MacAddr,
    /// Whether it is an answer by its form; whether anybody asked is found out.
    pub reply: bool,
    /// The address whose owner is asked for, of a request.
    pub asks: Option<IpAddr>,
}

/// What a server of addresses or routes says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Gives addresses by DHCP.
    Dhcp,
    /// Gives addresses by DHCPv6.
    Dhcpv6,
    /// Offers itself as a default router (router advertisement).
    Router,
}

/// A station acts as a server for its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serving {
    /// When.
    pub time: Timestamp,
    /// As what.
    pub role: Role,
    /// Its address, as it says itself.
    pub ip: IpAddr,
    /// Its link address in the frame: its own, or that of a relay.
    pub mac: Option<MacAddr>,
}

/// A bridge names the root of a spanning tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// When.
    pub time: Timestamp,
    /// The root's priority, in whose low 12 bits a VLAN may stand.
    pub priority: u16,
    /// The root's address.
    pub root: MacAddr,
    /// Who says so.
    pub bridge: MacAddr,
}

/// Equipment announces itself by LLDP (IEEE 802.1AB-2016).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equipment<'a> {
    /// When.
    pub time: Timestamp,
    /// Its port.
    pub mac: MacAddr,
    /// Its chassis, where that is named by an address.
    pub chassis: Option<MacAddr>,
    /// What of its capabilities is switched on (clause 8.5.8).
    pub capabilities: u16,
    /// What it is called.
    pub name: Option<&'a str>,
}

/// What is measured of one thing again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// Errors and discards of a device's ports a second.
    Errors,
    /// Round trip of a probe in milliseconds.
    RoundTrip,
    /// What an uplink's port received, in Mbit/s.
    Received,
    /// What an uplink's port sent, in Mbit/s.
    Sent,
}

/// A number that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured<'a> {
    /// When.
    pub time: Timestamp,
    /// Of what kind it is.
    pub series: Series,
    /// Of which device, probe or port.
    pub of: &'a str,
    /// The number.
    pub value: f64,
}

/// A scan that was approved found a port of TCP open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening<'a> {
    /// When.
    pub time: Timestamp,
    /// Where.
    pub at: std::net::SocketAddr,
    /// From which address it was asked.
    pub client: IpAddr,
    /// By whose leave.
    pub approval: &'a str,
}

/// What passed on the segment in a stretch of time, without a look at who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Air {
    /// When the stretch began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Frames.
    pub frames: u64,
    /// Of them, to everybody.
    pub broadcasts: u64,
    /// About how many stations sent.
    pub senders: u64,
}

/// A name was asked for, or an answer to that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameSeen<'a> {
    /// When.
    pub time: Timestamp,
    /// Who asks.
    pub client: IpAddr,
    /// Who is asked.
    pub server: IpAddr,
    /// The name.
    pub name: &'a str,
    /// Whether this is an answer that says that there is no such name; `None` for a question.
    pub missing: Option<bool>,
}

/// What a connection gave away before or instead of encrypting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disclosed<'a> {
    /// When.
    pub time: Timestamp,
    /// Who connected.
    pub client: IpAddr,
    /// To whom.
    pub server: IpAddr,
    /// To which port.
    pub port: u16,
    /// What.
    pub what: Disclosure<'a>,
}

/// What was given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclosure<'a> {
    /// A login in the clear, by this protocol. The login itself is never told.
    Login(&'a str),
    /// A version of TLS was agreed upon.
    Tls(&'a str),
    /// The server's certificate ends.
    CertificateEnds(Timestamp),
}

/// What is concluded of a terminal now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// When.
    pub time: Timestamp,
    /// Its link address.
    pub mac: MacAddr,
    /// An address of it.
    pub ip: Option<IpAddr>,
    /// The VLAN that it was heard in.
    pub vlan: Option<u16>,
    /// What it is, and how sure that is in hundredths.
    pub class: Option<(DeviceClass, u8)>,
    /// Its operating system, and how sure that is.
    pub os: Option<(OsFamily, u8)>,
    /// How sure it is that several machines share its addresses.
    pub shared: Option<u8>,
}

/// How an attempt to reach somebody ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Nobody was there, or did not want.
    Failed,
    /// A connection that said nothing.
    Idle,
    /// It came about.
    Answered,
}

impl FlowSeen<'_> {
    /// Returns how long it took, in milliseconds.
    pub(crate) const fn lasted_ms(&self) -> i64 {
        self.end.ms_since(self.start)
    }

    /// Returns how an attempt to reach one host ended; `None` where the flow is no attempt, or who began it is not certain.
    pub(crate) fn attempt(&self) -> Option<Attempt> {
        // Most networks' broadcast address ends so; that of one host does in large ones alone.
        let broadcast = matches!(self.to, IpAddr::V4(ip) if ip.octets()[3] == 255);
        if broadcast || !is_one_host(self.to) {
            return None;
        }
        match self.protocol {
            6 => self.tcp_attempt(),
            17 => self.udp_attempt(),
            1 if matches!(self.to_port >> 8, 8 | 13 | 15 | 17) => Some(self.echo_attempt()),
            58 if self.to_port >> 8 == 128 => Some(self.echo_attempt()),
            _ => None,
        }
    }

    fn tcp_attempt(&self) -> Option<Attempt> {
        use TcpState as S;
        match self.state? {
            S::Attempted | S::Refused | S::AttemptReset | S::HalfOpenOriginator => Some(Attempt::Failed),
            S::Established
            | S::Finished
            | S::OriginatorClosed
            | S::ResponderClosed
            | S::OriginatorReset
            | S::ResponderReset => Some(if self.data { Attempt::Answered } else { Attempt::Idle }),
            // Neither SYN nor ACK is said by nobody but who looks for open ports (FIN, NULL, Xmas).
            S::Midstream if self.flags_out & (SYN | ACK) == 0 && !self.data && self.packets_out <= 3 => {
                Some(Attempt::Failed)
            }
            S::Midstream | S::AnswerReset | S::HalfOpenResponder => None,
        }
    }

    fn udp_attempt(&self) -> Option<Attempt> {
        // A late answer looks like a question of the server's; and traceroute asks each time at another port.
        let late = self.from_port < 1_024 && self.to_port >= 1_024;
        if late || (33_434..=33_634).contains(&self.to_port) {
            return None;
        }
        Some(if self.packets_in == 0 { Attempt::Failed } else { Attempt::Answered })
    }

    const fn echo_attempt(&self) -> Attempt {
        if self.packets_in == 0 { Attempt::Failed } else { Attempt::Answered }
    }

    /// Returns the flow in words, for evidence.
    pub(crate) fn in_words(&self) -> String {
        let ends = |ip: IpAddr, port: u16| std::net::SocketAddr::new(ip, port);
        let (time, out, back) = (self.start, self.packets_out, self.packets_in);
        match self.protocol {
            6 => format!(
                "{time} tcp {} -> {} {out}/{back}",
                ends(self.from, self.from_port),
                ends(self.to, self.to_port)
            ),
            17 => format!(
                "{time} udp {} -> {} {out}/{back}",
                ends(self.from, self.from_port),
                ends(self.to, self.to_port)
            ),
            1 | 58 => format!("{time} icmp {} -> {} type {} {out}/{back}", self.from, self.to, self.to_port >> 8),
            other => format!("{time} protocol {other} {} -> {} {out}/{back}", self.from, self.to),
        }
    }
}

/// Returns whether an address may be that of one host.
pub(crate) fn is_one_host(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_multicast() || ip.is_unspecified()) && ip.octets()[0] < 240,
        IpAddr::V6(ip) => !(ip.is_multicast() || ip.is_unspecified()),
    }
}
