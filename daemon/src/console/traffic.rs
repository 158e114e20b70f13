//! What flows add up to, as tables: applications of an endpoint, applications and talkers of a site.

use maud::{Markup, html};
use onenet_topology::{MacAddr, Timestamp, application::Application, fact::FlowTotals};

use super::{
    Reader, parts,
    text::{self, fill},
};
use crate::{
    access::View,
    estate::SiteState,
    usage::{self, ByApplication, Usage},
};

/// How far back the tables go, in milliseconds.
const SPAN_MS: i64 = 24 * 3_600_000;
/// Rows of a table; the API has the others.
const ROWS_MAX: usize = 10;
/// Applications that are named of a talker.
const NAMED_MAX: usize = 3;

/// Returns the time that the tables are of.
pub(super) fn period(now: Timestamp) -> [Timestamp; 2] {
    [now.plus_ms(-SPAN_MS), now.plus_ms(1)]
}

/// Applications and talkers of a site, side by side.
pub(super) fn of_site(reader: &Reader, state: &SiteState, usage: &Usage) -> Markup {
    if usage.endpoints.is_empty() && usage.others.is_empty() {
        return html! { p.calm { (reader.say(text::NO_TRAFFIC)) } };
    }
    html! {
        div.pair {
            section { h3 { (reader.say(text::APPLICATIONS)) } (site_applications(reader, usage)) }
            section { h3 { (reader.say(text::TALKERS)) } (talkers(reader, state, usage)) }
        }
    }
}

fn site_applications(reader: &Reader, usage: &Usage) -> Markup {
    let mut sums: Vec<_> = usage.applications().into_iter().collect();
    // What was sent: each byte has one sender.
    sums.sort_by_key(|(application, totals)| (std::cmp::Reverse(totals.bytes_out), *application));
    let most = sums.first().map_or(0, |(_, totals)| totals.bytes_out);
    let rest = sums.iter().skip(ROWS_MAX).fold(0_u64, |sum, (_, totals)| sum.saturating_add(totals.bytes_out));
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { (reader.say(text::APPLICATION)) }
                    th.number scope="col" { (reader.say(text::FLOW_COUNT)) }
                    th.number scope="col" { (reader.say(text::BYTES)) }
                    th scope="col" { span.hidden { (reader.say(text::SHARE)) } }
                } }
                tbody {
                    @for (application, totals) in sums.iter().take(ROWS_MAX) {
                        tr {
                            th scope="row" { (name(reader, *application)) }
                            td.number { (totals.flows_out) }
                            td.number { (parts::bytes(totals.bytes_out)) }
                            td.bar { (bar(totals.bytes_out, most)) }
                        }
                    }
                    @if rest > 0 {
                        tr { th scope="row" { (reader.say(text::OTHERS)) } td {} td.number { (parts::bytes(rest)) } td {} }
                    }
                }
            }
        }
    }
}

fn talkers(reader: &Reader, state: &SiteState, usage: &Usage) -> Markup {
    let talkers = usage.talkers();
    let most = talkers.first().map_or(0, |(_, totals)| totals.bytes());
    let mut others = usage::whole(&usage.others);
    talkers.iter().skip(ROWS_MAX).for_each(|(_, totals)| others += *totals);
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { (reader.say(text::ENDPOINT)) }
                    th scope="col" { (reader.say(text::APPLICATIONS)) }
                    th.number scope="col" { (reader.say(text::SENT)) }
                    th.number scope="col" { (reader.say(text::RECEIVED)) }
                    th scope="col" { span.hidden { (reader.say(text::SHARE)) } }
                } }
                tbody {
                    @for (mac, totals) in talkers.iter().take(ROWS_MAX) {
                        tr {
                            th scope="row" { (endpoint(state, *mac)) }
                            td { (named(reader, usage.endpoints.get(mac))) }
                            (both(totals))
                            td.bar { (bar(totals.bytes(), most)) }
                        }
                    }
                    @if others.bytes() > 0 {
                        tr { th scope="row" { (reader.say(text::OTHERS)) } td {} (both(&others)) td {} }
                    }
                }
            }
        }
    }
}

/// Applications of an endpoint.
pub(super) fn of_endpoint(reader: &Reader, usage: &Usage, mac: MacAddr) -> Markup {
    let none = ByApplication::new();
    let sums = usage::greatest(usage.endpoints.get(&mac).unwrap_or(&none));
    if sums.is_empty() {
        return html! { p.calm { (reader.say(text::NO_TRAFFIC_OF_ENDPOINT)) } };
    }
    let most = sums.first().map_or(0, |(_, totals)| totals.bytes());
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { (reader.say(text::APPLICATION)) }
                    th.number scope="col" { (reader.say(text::FLOWS_BEGUN)) }
                    th.number scope="col" { (reader.say(text::FLOWS_TAKEN)) }
                    th.number scope="col" { (reader.say(text::SENT)) }
                    th.number scope="col" { (reader.say(text::RECEIVED)) }
                    th scope="col" { span.hidden { (reader.say(text::SHARE)) } }
                } }
                tbody {
                    @for (application, totals) in &sums {
                        tr {
                            th scope="row" { (name(reader, *application)) }
                            td.number { (totals.flows_out) }
                            td.number { (totals.flows_in) }
                            (both(totals))
                            td.bar { (bar(totals.bytes(), most)) }
                        }
                    }
                }
            }
        }
    }
}

fn both(totals: &FlowTotals) -> Markup {
    html! {
        td.number { (parts::bytes(totals.bytes_out)) }
        td.number { (parts::bytes(totals.bytes_in)) }
    }
}

fn bar(value: u64, most: u64) -> Markup {
    html! { meter aria-hidden="true" min="0" max=(most.max(1)) value=(value) {} }
}

fn endpoint(state: &SiteState, mac: MacAddr) -> Markup {
    let endpoint = state.endpoint_by_mac(mac).filter(|_| !state.is_device_mac(mac));
    html! {
        @match endpoint {
            Some(endpoint) => {
                a.mono href=(format!("/endpoints/{}", endpoint.id)) { (mac) }
                @let ip = endpoint.current_addresses().next().map(|address| address.ip.to_string());
                @if let Some(name) = endpoint.hostname().map(String::from).or(ip) { " " span.note { (name) } }
            }
            None => span.mono { (mac) },
        }
    }
}

fn named(reader: &Reader, sums: Option<&ByApplication>) -> Markup {
    let greatest = sums.map(usage::greatest).unwrap_or_default();
    let names: Vec<&str> = greatest.iter().filter_map(|(it, _)| it.map(label)).take(NAMED_MAX).collect();
    let more = greatest.iter().filter(|(it, _)| it.is_some()).count().saturating_sub(names.len());
    html! {
        (parts::or_dash(Some(&names.join(", "))))
        @if more > 0 { " " span.note { (fill(reader.say(text::AND_MORE), more)) } }
    }
}

fn name(reader: &Reader, application: Option<Application>) -> Markup {
    html! {
        @if let Some(application) = application { (label(application)) }
        @else { span.none { (reader.say(text::NOT_RECOGNISED)) } }
    }
}

/// Returns the heading of the tables: what they are of, and of which time.
pub(super) fn heading(reader: &Reader, view: &View, title: text::Text) -> Markup {
    let [from, _] = period(view.now());
    html! {
        h2 { (reader.say(title)) " " span.sub title=(parts::moment(from)) { (reader.say(text::LAST_DAY)) } }
    }
}

/// Returns an application as people write it.
pub(super) const fn label(application: Application) -> &'static str {
    match application {
        Application::Dns => "DNS",
        Application::Mdns => "mDNS",
        Application::Llmnr => "LLMNR",
        Application::Netbios => "NetBIOS",
        Application::Ssdp => "SSDP",
        Application::WsDiscovery => "WS-Discovery",
        Application::Dhcp => "DHCP",
        Application::Dhcpv6 => "DHCPv6",
        Application::Http => "HTTP",
        Application::Tls => "TLS",
        Application::Quic => "QUIC",
        Application::Ssh => "SSH",
        Application::Telnet => "Telnet",
        Application::Ftp => "FTP",
        Application::Tftp => "TFTP",
        Application::Smb => "SMB",
        Application::Nfs => "NFS",
        Application::Rdp => "RDP",
        Application::Vnc => "VNC",
        Application::Smtp => "SMTP",
        Application::Imap => "IMAP",
        Application::Pop3 => "POP3",
        Application::Ldap => "LDAP",
        Application::Kerberos => "Kerberos",
        Application::Radius => "RADIUS",
        Application::Tacacs => "TACACS+",
        Application::Ntp => "NTP",
        Application::Snmp => "SNMP",
        Application::Syslog => "Syslog",
        Application::Sip => "SIP",
        Application::Gb28181 => "GB/T 28181",
        Application::H323 => "H.323",
        Application::Rtp => "RTP",
        Application::Rtcp => "RTCP",
        Application::Rtsp => "RTSP",
        Application::Mysql => "MySQL",
        Application::Postgresql => "PostgreSQL",
        Application::OracleTns => "Oracle TNS",
        Application::Mssql => "SQL Server",
        Application::Redis => "Redis",
        Application::Modbus => "Modbus",
        Application::Dnp3 => "DNP3",
        Application::Iec104 => "IEC 104",
        Application::Hj212 => "HJ 212",
        Application::Bgp => "BGP",
        Application::Mqtt => "MQTT",
        Application::Stun => "STUN",
        Application::Ike => "IKE",
        Application::Openvpn => "OpenVPN",
        Application::Wireguard => "WireGuard",
        Application::L2tp => "L2TP",
        Application::Pptp => "PPTP",
        Application::Socks => "SOCKS",
        Application::Bittorrent => "BitTorrent",
        Application::FlowExport => "NetFlow / sFlow",
        Application::Vxlan => "VXLAN",
        Application::Icmp => "ICMP",
        Application::Onenet => "onenet",
    }
}
