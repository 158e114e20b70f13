//! Which applications a payload is tried for, in which order.
//!
//! The application of the flow's port is tried first, then those whose payloads can begin with the byte at hand. An application
//! is tested and read by its family's module; this file alone knows them all.

#[allow(clippy::enum_glob_use, reason = "tables of applications")]
use onenet_topology::application::Application::{self, *};

use super::{Look, Notes, Progress, Verdict, dns, shell, tls, web};

/// Whom a payload is taken for.
pub(super) enum Choice {
    /// It is this application's.
    Named(Application),
    /// It may be, if an answer bears this mark.
    Suspected(Application, u32),
    /// It is nobody's that is known.
    Unknown {
        /// It is not what the port suggests.
        contradicts: bool,
        /// More bytes might tell.
        short: bool,
    },
}

/// Chooses between applications. A suspicion is an application, the side that raised it, and its mark.
pub(super) fn choose(look: &Look<'_>, suspicion: Option<(Application, bool, u32)>) -> Choice {
    let suggested = by_ports(look.tcp, look.ports);
    let (mut short, mut contradicts, mut suspected) = (false, false, None);
    if let Some(application) = suggested {
        match test(application, look) {
            Verdict::Yes | Verdict::Weak(_) => return Choice::Named(application),
            Verdict::Short => short = true,
            Verdict::No => contradicts = true,
        }
    }
    let first = look.payload.first().copied().unwrap_or_default();
    let others = if look.tcp { by_first_tcp(first) } else { by_first_udp(first) };
    for &application in others.iter().filter(|application| Some(**application) != suggested) {
        match test(application, look) {
            Verdict::Yes => return Choice::Named(application),
            Verdict::Weak(mark) if suspicion == Some((application, !look.from_originator, mark)) => {
                return Choice::Named(application);
            }
            Verdict::Weak(mark) => suspected = suspected.or(Some((application, mark))),
            Verdict::Short => short = true,
            Verdict::No => {}
        }
    }
    match suspected {
        Some((application, mark)) => Choice::Suspected(application, mark),
        None => Choice::Unknown { contradicts, short },
    }
}

/// Returns the application that an IP protocol is.
pub(super) const fn by_protocol(protocol: u8) -> Option<Application> {
    match protocol {
        1 | 58 => Some(Icmp),
        _ => None,
    }
}

/// Returns the application that the ports suggest, the responder's before the originator's.
pub(super) fn by_ports(tcp: bool, [originator, responder]: [u16; 2]) -> Option<Application> {
    let by_port = if tcp { by_port_tcp } else { by_port_udp };
    by_port(responder).or_else(|| by_port(originator))
}

const fn by_port_tcp(port: u16) -> Option<Application> {
    Some(match port {
        22 => Ssh,
        53 => Dns,
        80 | 8000 | 8080 => Http,
        443 | 465 | 636 | 853 | 993 | 995 | 5061 | 8443 | 8883 => Tls,
        _ => return None,
    })
}

const fn by_port_udp(port: u16) -> Option<Application> {
    Some(match port {
        53 => Dns,
        5353 => Mdns,
        5355 => Llmnr,
        1900 => Ssdp,
        _ => return None,
    })
}

const fn by_first_tcp(first: u8) -> &'static [Application] {
    match first {
        0x14..=0x17 | 0x80 => &[Tls],
        b'S' => &[Ssh, Http],
        b'A'..=b'Z' | b'a'..=b'z' => &[Http],
        _ => &[Dns],
    }
}

const fn by_first_udp(first: u8) -> &'static [Application] {
    match first {
        b'A'..=b'Z' => &[Ssdp, Dns],
        0x14..=0x17 => &[Tls, Dns],
        _ => &[Dns],
    }
}

/// Returns whether a payload is an application's.
fn test(application: Application, look: &Look<'_>) -> Verdict {
    match application {
        Dns | Mdns | Llmnr => dns::test(application, look),
        Http | Ssdp => web::test(look),
        Tls => tls::test(look),
        Ssh => shell::test_ssh(look),
        _ => Verdict::No,
    }
}

/// Reads what a payload of an application tells beside.
pub(super) fn read(application: Application, look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    match application {
        Dns | Mdns | Llmnr => dns::read(look, notes),
        Http | Ssdp => web::read(look, notes),
        Tls => tls::read(look, notes),
        Ssh => shell::read_ssh(look, notes),
        _ => Progress::Done,
    }
}

/// Returns whether connections of an application may turn to TLS after they began.
pub(super) const fn upgrades(application: Application) -> bool {
    matches!(application, Http)
}
