//! Which applications a payload is tried for, in which order.
//!
//! The application of the flow's port is tried first, then those whose payloads can begin with the byte at hand. An application
//! is tested and read by its family's module; this file alone knows them all.

#[allow(clippy::enum_glob_use, reason = "tables of applications")]
use onenet_topology::application::Application::{self, *};

use super::{
    Look, Notes, Progress, Verdict, calls, database, directory, discovery, dns, files, hj212, industrial, mail,
    management, media, peers, quic, remote, tls, tunnel, web,
};

/// Whom a payload is taken for.
pub(super) enum Choice {
    /// It is this application's.
    Named(Application),
    /// It is nobody's for certain.
    Unknown(Doubt),
}

/// What is known of a payload that is nobody's for certain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubt {
    /// It is not what the port suggests.
    pub(super) contradicts: bool,
    /// More bytes might tell.
    pub(super) short: bool,
    /// An answer with this mark would tell.
    pub(super) suspicion: Option<u32>,
}

/// Chooses between applications. `expected` is the mark by which this payload, as an answer, would tell.
pub(super) fn choose(look: &Look<'_>, expected: Option<u32>) -> Choice {
    let suggested = by_ports(look.tcp, look.ports);
    let mut doubt = Doubt::default();
    if let Some(application) = suggested {
        match test(application, look) {
            Verdict::Yes | Verdict::Weak(_) => return Choice::Named(application),
            Verdict::Short => doubt.short = true,
            Verdict::No => doubt.contradicts = true,
        }
    }
    let first = look.payload.first().copied().unwrap_or_default();
    let (some, others) = if look.tcp { (by_first_tcp(first), TCP_ANY) } else { (by_first_udp(first), UDP_ANY) };
    for &application in some.iter().chain(others).filter(|application| Some(**application) != suggested) {
        match test(application, look) {
            Verdict::Yes => return Choice::Named(application),
            Verdict::Weak(mark) if expected == Some(mark) => return Choice::Named(application),
            Verdict::Weak(mark) => doubt.suspicion = doubt.suspicion.or(Some(mark)),
            Verdict::Short => doubt.short = true,
            Verdict::No => {}
        }
    }
    Choice::Unknown(doubt)
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
        21 => Ftp,
        22 => Ssh,
        23 => Telnet,
        25 | 587 => Smtp,
        49 => Tacacs,
        53 => Dns,
        80 | 8000 | 8080 => Http,
        88 => Kerberos,
        110 => Pop3,
        111 | 2049 => Nfs,
        139 | 445 => Smb,
        143 => Imap,
        179 => Bgp,
        389 | 3268 => Ldap,
        443 | 465 | 636 | 853 | 993 | 995 | 3269 | 5061 | 8443 | 8883 => Tls,
        502 => Modbus,
        514 | 601 => Syslog,
        554 => Rtsp,
        1080 => Socks,
        1194 => Openvpn,
        1433 => Mssql,
        1521 => OracleTns,
        1720 => H323,
        1723 => Pptp,
        1883 => Mqtt,
        2404 => Iec104,
        3306 => Mysql,
        3389 => Rdp,
        3478 => Stun,
        5060 => Sip,
        5432 => Postgresql,
        5900..=5909 => Vnc,
        6379 => Redis,
        6881..=6889 => Bittorrent,
        20_000 => Dnp3,
        _ => return None,
    })
}

const fn by_port_udp(port: u16) -> Option<Application> {
    Some(match port {
        53 => Dns,
        67 | 68 => Dhcp,
        69 => Tftp,
        88 => Kerberos,
        111 | 2049 => Nfs,
        123 => Ntp,
        137 | 138 => Netbios,
        161 | 162 => Snmp,
        389 => Ldap,
        443 => Quic,
        500 | 4500 => Ike,
        514 => Syslog,
        546 | 547 => Dhcpv6,
        1194 => Openvpn,
        1645 | 1646 | 1700 | 1812 | 1813 | 3799 => Radius,
        1701 => L2tp,
        1718 | 1719 => H323,
        1900 => Ssdp,
        2055 | 4739 | 6343 | 9995 | 9996 => FlowExport,
        3478 | 3479 | 19_302 => Stun,
        3702 => WsDiscovery,
        4789 | 8472 => Vxlan,
        5060 => Sip,
        5353 => Mdns,
        5355 => Llmnr,
        6881..=6889 => Bittorrent,
        20_000 => Dnp3,
        51_820 => Wireguard,
        _ => return None,
    })
}

/// What any byte may begin, since a number comes first.
const TCP_ANY: &[Application] = &[Mysql, OracleTns, Dns, Openvpn, Modbus, Pptp];

const fn by_first_tcp(first: u8) -> &'static [Application] {
    match first {
        0x00 => &[Smb, Postgresql, Kerberos, Stun, Socks, Nfs],
        0x01 => &[Mssql, Stun],
        0x03 => &[Rdp, H323],
        0x04 => &[Socks, Mssql],
        0x05 => &[Socks, Dnp3],
        0x10 => &[Mqtt, Mssql],
        0x12 => &[Mssql],
        0x13 => &[Bittorrent],
        0x14..=0x18 => &[Tls],
        0x20 => &[Mqtt],
        0x30 => &[Ldap],
        0x68 => &[Iec104, Rtsp, Sip, Http],
        0x80 => &[Nfs, Tls],
        0x81 | 0x82 => &[Smb],
        0xc0 | 0xc1 => &[Tacacs],
        0xff => &[Bgp, Telnet],
        b'#' => &[Hj212],
        b'$' | b':' => &[Redis],
        b'*' => &[Redis, Imap],
        b'+' | b'-' => &[Pop3, Redis],
        b'<' => &[Syslog],
        b'1'..=b'9' => &[Smtp, Ftp, Syslog, Imap],
        b'A'..=b'Z' | b'a'..=b'z' => &[Http, Ssh, Rtsp, Sip, Vnc, Smtp, Ftp, Pop3, Imap, Redis, Postgresql],
        b'\r' => &[Sip],
        _ => &[],
    }
}

/// What any byte may begin, since a number comes first.
const UDP_ANY: &[Application] = &[Netbios, Dns, Ike, Nfs, Modbus];

const fn by_first_udp(first: u8) -> &'static [Application] {
    match first {
        0x00 => &[Stun, Tftp, FlowExport, H323, Bittorrent, L2tp],
        0x01 => &[Stun, Wireguard, Dhcp, Radius, Dhcpv6, Bittorrent],
        0x02 => &[Dhcp, Wireguard, Radius, Dhcpv6],
        0x03 | 0x04 => &[Wireguard, Radius, Dhcpv6],
        0x05 => &[Dnp3, Radius, Dhcpv6],
        0x09 | 0x0d => &[Quic, Dhcpv6, Ntp, Radius],
        0x06..=0x0c => &[Ntp, Dhcpv6, Radius],
        0x0e => &[Ntp, H323],
        0x10..=0x13 => &[Netbios, Ntp],
        0x14..=0x19 => &[Tls, Netbios, Ntp],
        0x28..=0x2d => &[Radius, Ntp],
        0x30 => &[Snmp, Ldap],
        0x38 | 0x40 => &[Openvpn],
        0x6a..=0x6f | 0x7e => &[Kerberos],
        0x80..=0xbf => &[Rtcp],
        0xc8 => &[L2tp, Quic],
        0xc0..=0xff => &[Quic, Ntp],
        b'#' => &[Hj212, Ntp],
        b'<' => &[Syslog, WsDiscovery],
        b'A'..=b'Z' => &[Sip, Ssdp, Bittorrent],
        b'd' => &[Bittorrent],
        0x1a..=0x27 => &[Ntp],
        _ => &[],
    }
}

/// Returns whether a payload is an application's.
fn test(application: Application, look: &Look<'_>) -> Verdict {
    match application {
        Bgp => management::test_bgp(look),
        Bittorrent => peers::test_bittorrent(look),
        Dhcp => management::test_dhcp(look),
        Dhcpv6 => management::test_dhcpv6(look),
        Dnp3 => industrial::test_dnp3(look),
        Dns | Mdns | Llmnr => dns::test(application, look),
        FlowExport => management::test_flow_export(look),
        Ftp => files::test_ftp(look),
        Gb28181 | Sip => calls::test_sip(look),
        H323 => calls::test_h323(look),
        Hj212 => hj212::test(look),
        Http => web::test(look),
        Iec104 => industrial::test_iec104(look),
        Ike => tunnel::test_ike(look),
        Imap => mail::test_imap(look),
        Kerberos => directory::test_kerberos(look),
        L2tp => tunnel::test_l2tp(look),
        Ldap => directory::test_ldap(look),
        Modbus => industrial::test_modbus(look),
        Mqtt => industrial::test_mqtt(look),
        Mssql => database::test_tds(look),
        Mysql => database::test_mysql(look),
        Netbios => discovery::test_netbios(look),
        Nfs => files::test_nfs(look),
        Ntp => management::test_ntp(look),
        Openvpn => tunnel::test_openvpn(look),
        OracleTns => database::test_tns(look),
        Pop3 => mail::test_pop3(look),
        Postgresql => database::test_postgresql(look),
        Pptp => tunnel::test_pptp(look),
        Quic => quic::test(look),
        Radius => directory::test_radius(look),
        Rdp => remote::test_rdp(look),
        Redis => database::test_redis(look),
        Rtcp => media::test_rtcp(look),
        Rtsp => media::test_rtsp(look),
        Smb => files::test_smb(look),
        Smtp => mail::test_smtp(look),
        Snmp => management::test_snmp(look),
        Socks => tunnel::test_socks(look),
        Ssdp => web::test_ssdp(look),
        Ssh => remote::test_ssh(look),
        Stun => media::test_stun(look),
        Syslog => management::test_syslog(look),
        Tacacs => directory::test_tacacs(look),
        Telnet => remote::test_telnet(look),
        Tftp => files::test_tftp(look),
        Tls => tls::test(look),
        Vnc => remote::test_vnc(look),
        Vxlan => tunnel::test_vxlan(look),
        Wireguard => tunnel::test_wireguard(look),
        WsDiscovery => discovery::test_ws_discovery(look),
        // Of several packets, of no payload, and of the product's own addresses.
        Rtp | Icmp | Onenet => Verdict::No,
    }
}

/// Reads what a payload of an application tells beside.
pub(super) fn read(application: Application, look: &Look<'_>, notes: &mut Notes<'_>) -> Progress {
    match application {
        Bgp => management::read_bgp(look, notes),
        Bittorrent => peers::read_bittorrent(look, notes),
        Dhcp => management::read_dhcp(look, notes),
        Dhcpv6 => management::read_dhcpv6(look, notes),
        Dnp3 => industrial::read_dnp3(look, notes),
        Dns | Mdns | Llmnr => dns::read(look, notes),
        FlowExport => management::read_flow_export(look, notes),
        Ftp => files::read_ftp(look, notes),
        Gb28181 | Sip => calls::read_sip(look, notes),
        H323 => calls::read_h323(look, notes),
        Hj212 => hj212::read(look, notes),
        Http => web::read(look, notes),
        Iec104 => industrial::read_iec104(look, notes),
        Ike => tunnel::read_ike(look, notes),
        Imap => mail::read_imap(look, notes),
        Kerberos => directory::read_kerberos(look, notes),
        L2tp => tunnel::read_l2tp(look, notes),
        Ldap => directory::read_ldap(look, notes),
        Modbus => industrial::read_modbus(look, notes),
        Mqtt => industrial::read_mqtt(look, notes),
        Mssql => database::read_tds(look, notes),
        Mysql => database::read_mysql(look, notes),
        Netbios => discovery::read_netbios(look, notes),
        Nfs => files::read_nfs(look, notes),
        Ntp => management::read_ntp(look, notes),
        OracleTns => database::read_tns(look, notes),
        Pop3 => mail::read_pop3(look, notes),
        Postgresql => database::read_postgresql(look, notes),
        Pptp => tunnel::read_pptp(look, notes),
        Quic => quic::read(look, notes),
        Radius => directory::read_radius(look, notes),
        Rdp => remote::read_rdp(look, notes),
        Redis => database::read_redis(look, notes),
        Rtcp => media::read_rtcp(look),
        Rtsp => media::read_rtsp(look, notes),
        Smb => files::read_smb(look, notes),
        Smtp => mail::read_smtp(look, notes),
        Snmp => management::read_snmp(look, notes),
        Socks => tunnel::read_socks(look, notes),
        Ssdp => web::read_ssdp(look, notes),
        Ssh => remote::read_ssh(look, notes),
        Stun => media::read_stun(look, notes),
        Syslog => management::read_syslog(look, notes),
        Telnet => remote::read_telnet(look, notes),
        Tftp => files::read_tftp(look, notes),
        Tls => tls::read(look, notes),
        Vnc => remote::read_vnc(look, notes),
        WsDiscovery => discovery::read_ws_discovery(look, notes),
        // Their names are all that they tell.
        Icmp | Onenet | Openvpn | Rtp | Tacacs | Vxlan | Wireguard => Progress::Done,
    }
}

/// Returns whether connections of an application may turn to TLS after they began.
pub(super) const fn upgrades(application: Application) -> bool {
    matches!(application, Ftp | Http | Imap | Ldap | Mysql | Pop3 | Postgresql | Rdp | Smtp | Socks)
}
