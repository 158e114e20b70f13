//! The shared corpus: what its captures are known to carry is found, with what it tells.

use onenet_capture::application::{Assemblies, Detail};
use onenet_topology::application::Application;

use super::streams::streams;
use crate::corpus::corpus;

/// A capture, the application that one of its flows carries, and a detail that it tells.
type Expected = (&'static str, Application, Option<(Detail, &'static str)>);

const EXPECTED: &[Expected] = &[
    ("zeek/chksums__localhost-bad-chksum.pcap", Application::Http, Some((Detail::ServerName, "osnews.com"))),
    ("zeek/http__curl_http_09.pcap", Application::Http, None),
    ("zeek/http__http-lower-case-nonstandard-port.pcap", Application::Http, None),
    ("zeek/dce-rpc__20-fids.pcap", Application::Smb, Some((Detail::Hostname, "TINKYX390"))),
    ("zeek/krb__smb2_krb.pcap", Application::Smb, Some((Detail::Query, "\\\\phxlabbal821\\lustre"))),
    ("zeek/smb__smb1_transaction2_request.pcap", Application::Smb, Some((Detail::Version, "SMB1"))),
    ("zeek/dhcp__dhcp_inform.pcap", Application::Dhcp, Some((Detail::Method, "inform"))),
    ("zeek/dnp3__dnp3_en_spon.pcap", Application::Dnp3, Some((Detail::Command, "enable unsolicited"))),
    ("zeek/dnp3__dnp3_udp_select_operate.pcap", Application::Dnp3, None),
    ("zeek/dns-caa.pcap", Application::Dns, Some((Detail::QueryType, "CAA"))),
    ("zeek/dns-edns-cookie.pcap", Application::Dns, Some((Detail::Answer, "208.80.154.224"))),
    ("zeek/dns__mdns.pcap", Application::Mdns, Some((Detail::Query, "_ipp._tcp.local"))),
    ("zeek/wikipedia.pcap", Application::Llmnr, Some((Detail::Query, "BRWC0CB383D1F42"))),
    ("zeek/wikipedia.pcap", Application::Netbios, Some((Detail::Query, "BRWC0CB383D1F42"))),
    (
        "tcpdump/eapon1.pcap",
        Application::Ssdp,
        Some((Detail::Query, "urn:schemas-upnp-org:device:InternetGatewayDevice:1")),
    ),
    (
        "zeek/ftp__bruteforce.pcap",
        Application::Ftp,
        Some((Detail::Server, "redmint FTP server (Version 6.4/OpenBSD/Linux-ftpd-0.17) ready.")),
    ),
    ("zeek/krb__auth.pcap", Application::Kerberos, Some((Detail::Query, "krbtgt/VLADG.NET"))),
    ("zeek/ldap__aduser1.pcap", Application::Ldap, Some((Detail::Query, "dc=ADHACKING,dc=LOCAL"))),
    (
        "zeek/modbus__4SICS-GeekLounge-151022-min.pcap",
        Application::Modbus,
        Some((Detail::Command, "read/write multiple registers")),
    ),
    ("zeek/nfs__nfs_base.pcap", Application::Nfs, Some((Detail::Version, "nfs v3"))),
    ("zeek/mysql__plain-amazon-rds.pcap", Application::Mysql, Some((Detail::User, "admin"))),
    ("zeek/postgresql__mysql-on-port-5432.pcap", Application::Mysql, Some((Detail::Server, "8.4.2"))),
    ("zeek/postgresql__http-on-port-5432.pcap", Application::Http, None),
    ("zeek/postgresql__psql-aws-ssl-disable-15432.pcap", Application::Postgresql, Some((Detail::ServerName, "zeek"))),
    ("zeek/ntp__NTP-digest.pcap", Application::Ntp, Some((Detail::Version, "NTPv4"))),
    ("zeek/pop3__pop3.pcap", Application::Pop3, None),
    ("zeek/pop3__redis-50-pings.pcap", Application::Redis, None),
    ("zeek/tls__pop3-starttls.pcap", Application::Pop3, Some((Detail::Upgrade, "tls"))),
    (
        "zeek/quic__quic-multiple-initial-fragmented-crypto.pcap",
        Application::Quic,
        Some((Detail::ServerName, "googleads.g.doubleclick.net")),
    ),
    ("zeek/quic__quicv2-echo-dpd-custom-port-4433.pcap", Application::Quic, Some((Detail::Version, "QUICv2"))),
    ("zeek/radius__radius.pcap", Application::Radius, Some((Detail::User, "John.McGuirk"))),
    ("zeek/rdp__rdp-proprietary-encryption.pcap", Application::Rdp, Some((Detail::User, "FTBCO\\A70"))),
    ("zeek/rfb__vnc-scanner.pcap", Application::Vnc, Some((Detail::Version, "RFB 003.008"))),
    ("zeek/sip__wireshark.pcap", Application::Sip, Some((Detail::ServerName, "sip.cybercity.dk"))),
    ("zeek/smtp__rfc3030-bdat-example1.pcap", Application::Smtp, Some((Detail::ServerName, "example.com"))),
    ("zeek/snmp__snmpv2_get_bulk.pcap", Application::Snmp, Some((Detail::Method, "get-bulk"))),
    ("zeek/socks.pcap", Application::Socks, Some((Detail::ServerName, "www.osnews.com"))),
    ("zeek/socks-auth-10080.pcap", Application::Socks, None),
    ("zeek/ssh__server-pre-banner-data.pcap", Application::Ssh, Some((Detail::Client, "SSH-2.0-OpenSSH_9.7"))),
    ("zeek/tcp-syslog.pcap", Application::Syslog, None),
    ("zeek/mixed-vlan-mpls.pcap", Application::Telnet, None),
    ("zeek/tls__webrtc-stun.pcap", Application::Stun, None),
    ("zeek/pppoe-over-qinq.pcap", Application::Tls, Some((Detail::ServerName, "xp.apple.com"))),
    (
        "zeek/tls__certificate-request-failed.pcap",
        Application::Tls,
        Some((Detail::CertificateSubject, "C=US, ST=Some-State, O=SomeOrg, CN=testing.zeek.org")),
    ),
    ("zeek/tls__dtls1_0.pcap", Application::Tls, Some((Detail::Version, "DTLSv1.0"))),
    ("tcpdump/bgp-bgpsec.pcap", Application::Bgp, Some((Detail::Client, "AS3"))),
    ("tcpdump/dhcpv6-ia-na.pcap", Application::Dhcpv6, Some((Detail::Method, "solicit"))),
    ("tcpdump/isakmp4500.pcap", Application::Ike, Some((Detail::Version, "IKEv1"))),
    ("tcpdump/pptp.pcap", Application::Pptp, Some((Detail::Server, "MoretonBay"))),
    ("tcpdump/sflow-print-v6.pcap", Application::FlowExport, Some((Detail::Version, "sFlow v5"))),
    ("tcpdump/vxlan.pcap", Application::Vxlan, None),
];

#[test]
#[ignore = "needs ../shared/corpus"]
fn captures_carry_what_they_are_known_to_and_tell_what_is_in_them() {
    let corpus = corpus();
    let mut missed = Vec::new();
    for (file, application, expected) in EXPECTED {
        let streams = streams(&corpus.join(file));
        let mut assemblies = Assemblies::default();
        let found = streams.iter().map(|stream| stream.recognise(&mut assemblies)).find(|recogniser| {
            let conclusion = recogniser.conclusion();
            let told = expected
                .is_none_or(|(kind, text)| recogniser.details().is_some_and(|details| details.get(kind) == Some(text)));
            conclusion.application == Some(*application) && conclusion.by_payload && told
        });
        if found.is_none() {
            missed.push(format!("{file}: no {application} that tells {expected:?}"));
        }
    }
    assert_eq!(missed, [""; 0]);
}
