//! What a flow carries, by name.
//!
//! Invariant: an application is a protocol that two ends speak, not who uses it: TLS to a web server is `tls`, and the name
//! of the server is a property of the flow. It does not know how a protocol is recognised.

use serde::{Deserialize, Serialize};

macro_rules! applications {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// A protocol that two ends speak. Names and numbers are a contract (wire, flow log): added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Application { $($(#[$doc])* #[serde(rename = $name)] $variant = $number,)* }

        impl Application {
            /// Every application, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in flows, the API, metrics and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the number used on the wire and in the flow log.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }
        }
    };
}

applications! {
    /// Domain names (RFC 1035).
    Dns = 1 "dns",
    /// Multicast DNS (RFC 6762).
    Mdns = 2 "mdns",
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr = 3 "llmnr",
    /// NetBIOS name and datagram services (RFC 1002).
    Netbios = 4 "netbios",
    /// Simple service discovery, of UPnP.
    Ssdp = 5 "ssdp",
    /// WS-Discovery, which ONVIF cameras and printers speak.
    WsDiscovery = 6 "ws_discovery",
    /// DHCP (RFC 2131).
    Dhcp = 7 "dhcp",
    /// DHCPv6 (RFC 8415).
    Dhcpv6 = 8 "dhcpv6",
    /// HTTP (RFC 9110), in the clear.
    Http = 9 "http",
    /// TLS (RFC 8446), whatever is inside.
    Tls = 10 "tls",
    /// QUIC (RFC 9000).
    Quic = 11 "quic",
    /// Secure shell (RFC 4253).
    Ssh = 12 "ssh",
    /// Telnet (RFC 854).
    Telnet = 13 "telnet",
    /// File transfer (RFC 959), its control connection.
    Ftp = 14 "ftp",
    /// Trivial file transfer (RFC 1350).
    Tftp = 15 "tftp",
    /// Windows file sharing, all versions, with and without NetBIOS session service.
    Smb = 16 "smb",
    /// Network file system (RFC 7530), and what goes with it over ONC RPC.
    Nfs = 17 "nfs",
    /// Remote desktop (MS-RDPBCGR).
    Rdp = 18 "rdp",
    /// Remote frame buffer (RFC 6143).
    Vnc = 19 "vnc",
    /// Mail transport (RFC 5321).
    Smtp = 20 "smtp",
    /// Mail access (RFC 9051).
    Imap = 21 "imap",
    /// Mail access (RFC 1939).
    Pop3 = 22 "pop3",
    /// Directory access (RFC 4511).
    Ldap = 23 "ldap",
    /// Authentication (RFC 4120).
    Kerberos = 24 "kerberos",
    /// RADIUS (RFC 2865).
    Radius = 25 "radius",
    /// TACACS+ (RFC 8907).
    Tacacs = 26 "tacacs",
    /// Network time (RFC 5905).
    Ntp = 27 "ntp",
    /// SNMP, notifications included (RFC 3411).
    Snmp = 28 "snmp",
    /// Syslog (RFC 5424).
    Syslog = 29 "syslog",
    /// Sessions of voice and video (RFC 3261).
    Sip = 30 "sip",
    /// GB/T 28181: SIP of video surveillance, told by its devices' numbers and its message bodies.
    Gb28181 = 31 "gb28181",
    /// H.323: H.225.0 call signalling and RAS, H.245.
    H323 = 32 "h323",
    /// Media (RFC 3550).
    Rtp = 33 "rtp",
    /// Control of media (RFC 3550).
    Rtcp = 34 "rtcp",
    /// Streaming control (RFC 7826), which cameras serve.
    Rtsp = 35 "rtsp",
    /// MySQL and what speaks its protocol.
    Mysql = 36 "mysql",
    /// PostgreSQL and what speaks its protocol, openGauss and Kingbase among it.
    Postgresql = 37 "postgresql",
    /// Oracle's transparent network substrate.
    OracleTns = 38 "oracle_tns",
    /// Microsoft SQL Server (MS-TDS).
    Mssql = 39 "mssql",
    /// Redis.
    Redis = 40 "redis",
    /// Modbus over TCP.
    Modbus = 41 "modbus",
    /// DNP3 (IEEE 1815).
    Dnp3 = 42 "dnp3",
    /// IEC 60870-5-104.
    Iec104 = 43 "iec104",
    /// HJ 212: what environmental monitors report.
    Hj212 = 44 "hj212",
    /// Border gateways (RFC 4271).
    Bgp = 45 "bgp",
    /// MQTT.
    Mqtt = 46 "mqtt",
    /// Session traversal (RFC 8489).
    Stun = 47 "stun",
    /// Key exchange of IPsec (RFC 7296).
    Ike = 48 "ike",
    /// Tunnels of OpenVPN.
    Openvpn = 49 "openvpn",
    /// Tunnels of WireGuard.
    Wireguard = 50 "wireguard",
    /// L2TP (RFC 2661).
    L2tp = 51 "l2tp",
    /// PPTP's control connection (RFC 2637).
    Pptp = 52 "pptp",
    /// SOCKS proxies (RFC 1928).
    Socks = 53 "socks",
    /// BitTorrent, its peers and its distributed table.
    Bittorrent = 54 "bittorrent",
    /// Flow export: NetFlow, IPFIX (RFC 7011), sFlow.
    FlowExport = 55 "flow_export",
    /// VXLAN (RFC 7348), of which the packets inside were not read.
    Vxlan = 56 "vxlan",
    /// Echo and errors of ICMP and ICMPv6.
    Icmp = 57 "icmp",
    /// Onenet's own: an agent's line to the centre.
    Onenet = 58 "onenet",
}

impl Application {
    /// Returns the application of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|application| application.name() == name)
    }

    /// Returns the application of this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|application| application.number() == number)
    }
}

impl std::fmt::Display for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_found_by_its_name_and_its_number() {
        for &application in Application::ALL {
            assert_eq!(Application::of(application.name()), Some(application));
            assert_eq!(Application::numbered(application.number()), Some(application));
            assert_eq!(serde_json::to_value(application).unwrap(), application.name());
        }
        assert_eq!(Application::of("toaster"), None);
        assert_eq!(Application::numbered(0), None);
    }
}
