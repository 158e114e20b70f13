//! What an endpoint is taken to be, in the reader's language, and why.

use maud::{Markup, html};
use onenet_topology::{
    classify::{Claim, Conclusion, DeviceClass, Family, Ground, OsFamily, SignKind},
    endpoint::Endpoint,
};

use super::{
    Reader, parts,
    text::{self, Text},
};
use crate::access::View;

/// Score from which a conclusion is no guess.
const SURE: u8 = 50;

/// Returns the word for a class.
pub(super) const fn class(class: DeviceClass) -> Text {
    match class {
        DeviceClass::Pc => text::CLASS_PC,
        DeviceClass::Server => text::CLASS_SERVER,
        DeviceClass::Printer => text::CLASS_PRINTER,
        DeviceClass::Phone => text::CLASS_PHONE,
        DeviceClass::Mobile => text::CLASS_MOBILE,
        DeviceClass::Camera => text::CLASS_CAMERA,
        DeviceClass::Recorder => text::CLASS_RECORDER,
        DeviceClass::VideoTerminal => text::CLASS_VIDEO_TERMINAL,
        DeviceClass::NetworkDevice => text::CLASS_NETWORK_DEVICE,
        DeviceClass::EnvironmentalMonitor => text::CLASS_ENVIRONMENTAL_MONITOR,
        DeviceClass::Storage => text::CLASS_STORAGE,
        DeviceClass::Controller => text::CLASS_CONTROLLER,
        DeviceClass::Media => text::CLASS_MEDIA,
        DeviceClass::Power => text::CLASS_POWER,
    }
}

/// Returns what a class or a family of operating systems is called, by its name in the API.
pub(super) fn said(reader: &Reader, name: &str) -> Option<&'static str> {
    let os = || OsFamily::ALL.iter().find(|it| it.name() == name).map(|it| it.text());
    DeviceClass::ALL.iter().find(|it| it.name() == name).map(|it| reader.say(class(*it))).or_else(os)
}

/// Returns the word for whoever told a sign: its protocol.
const fn family(family: Family) -> Text {
    match family {
        Family::Vendor => text::VENDOR,
        Family::System => text::SIGN_SYSTEM,
        Family::Naming => text::HOSTNAME,
        Family::Dhcp => text::SIGN_DHCP,
        Family::Dhcpv6 => text::SIGN_DHCPV6,
        Family::Mdns => text::SIGN_MDNS,
        Family::Llmnr => text::SIGN_LLMNR,
        Family::Netbios => text::SIGN_NETBIOS,
        Family::Ssdp => text::SIGN_SSDP,
        Family::WsDiscovery => text::SIGN_WS_DISCOVERY,
        Family::Maker => text::SIGN_MAKER,
        Family::Lldp => text::SIGN_LLDP,
        Family::Cdp => text::SIGN_CDP,
        Family::SpanningTree => text::SIGN_SPANNING_TREE,
        Family::Routing => text::SIGN_ROUTING,
        Family::TcpOpening => text::SIGN_TCP_OPENING,
        Family::TcpService => text::SIGN_TCP_SERVICE,
        Family::Http => text::SIGN_HTTP,
        Family::Tls => text::SIGN_TLS,
        Family::Ssh => text::SIGN_SSH,
        Family::Smb => text::SIGN_SMB,
        Family::Sip => text::SIGN_SIP,
        Family::Rtsp => text::SIGN_RTSP,
        Family::Application => text::SIGN_APPLICATION,
        Family::Hearsay => text::SIGN_HEARSAY,
    }
}

/// What it is taken to be, in a word; with a mark where it is a guess.
pub(super) fn brief(reader: &Reader, endpoint: &Endpoint) -> Markup {
    match endpoint.conclusion().class {
        Some(it) => html! { (reader.say(class(it.is))) @if it.score < SURE { span.none { " ?" } } },
        None => parts::or_dash(None),
    }
}

/// Rows for the list of facts of an endpoint's page.
pub(super) fn facts(reader: &Reader, conclusion: &Conclusion) -> Vec<(&'static str, Markup)> {
    let scored = |word: String, score: u8| html! { (word) " " span.none { (score) " %" } };
    let mut rows = Vec::new();
    let class = conclusion.class.map(|it| scored(reader.say(class(it.is)).to_owned(), it.score));
    rows.push((reader.say(text::CLASS), class.unwrap_or_else(|| parts::or_dash(None))));
    let os = conclusion.os_text().zip(conclusion.os).map(|(words, os)| scored(words, os.score));
    rows.push((reader.say(text::SYSTEM), os.unwrap_or_else(|| parts::or_dash(None))));
    if !conclusion.model.is_empty() {
        rows.push((reader.say(text::MODEL), html! { (conclusion.model) }));
    }
    if let Some(score) = conclusion.shared {
        rows.push((reader.say(text::SHARED), scored(reader.say(text::SHARED_YES).to_owned(), score)));
    }
    rows
}

/// Why it is taken to be that: its names, the signs for and against, and what it was before.
pub(super) fn reasons(reader: &Reader, view: &View, endpoint: &Endpoint, conclusion: &Conclusion) -> Markup {
    if conclusion.grounds.is_empty() && conclusion.names.is_empty() {
        return html! { p.calm { (reader.say(text::CLASS_UNKNOWN)) } };
    }
    html! {
        @if !conclusion.names.is_empty() { (names(reader, conclusion)) }
        @if !conclusion.grounds.is_empty() { (grounds(reader, conclusion)) }
        (history(reader, view, endpoint))
    }
}

fn names(reader: &Reader, conclusion: &Conclusion) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::HOSTNAME)) }
                        th scope="col" { (reader.say(text::CONFIDENCE)) }
                        th scope="col" { (reader.say(text::SIGN)) }
                    }
                }
                tbody {
                    @for name in &conclusion.names {
                        tr {
                            th scope="row" { (name.name) }
                            td { (name.score) " %" }
                            td.words {
                                @for (at, kind) in name.kinds.iter().enumerate() {
                                    @if at > 0 { ", " }
                                    (sign(reader, *kind))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn grounds(reader: &Reader, conclusion: &Conclusion) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::SIGN)) }
                        th scope="col" { (reader.say(text::SIGN_VALUE)) }
                        th scope="col" { (reader.say(text::SPEAKS_FOR)) }
                        th scope="col" { (reader.say(text::POINTS)) }
                    }
                }
                tbody {
                    @for ground in &conclusion.grounds {
                        tr {
                            th scope="row" { (sign(reader, ground.kind)) }
                            td.code { (ground.value) }
                            td {
                                (claim(reader, ground))
                                @if conclusion.is_against(ground) { " " span.none { (reader.say(text::CONTRADICTS)) } }
                            }
                            td { (ground.points) }
                        }
                    }
                }
            }
        }
    }
}

/// The protocol, and the stable word for what was told by it.
fn sign(reader: &Reader, kind: SignKind) -> Markup {
    html! { (reader.say(family(kind.family()))) " " code { (kind.name()) } }
}

fn claim(reader: &Reader, ground: &Ground) -> Markup {
    match ground.claim {
        Claim::Class(it) => html! { (reader.say(class(it))) },
        Claim::Os(family) => html! { (OsFamily::text(family)) },
        Claim::Shared => html! { (reader.say(text::SHARED_YES)) },
    }
}

/// What it was taken to be before, where that changed.
fn history(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    let all = endpoint.recognitions();
    if all.len() < 2 {
        return html! {};
    }
    html! {
        h3 { (reader.say(text::CLASS_HISTORY)) }
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::SINCE)) }
                        th scope="col" { (reader.say(text::CLASS)) }
                        th scope="col" { (reader.say(text::SYSTEM)) }
                    }
                }
                tbody {
                    @for it in all.iter().rev() {
                        tr {
                            th scope="row" { (parts::ago(reader, view, Some(it.since))) }
                            td { (parts::or_dash(it.class.map(|it| reader.say(class(it))))) }
                            td { (parts::or_dash(it.os.map(OsFamily::text))) }
                        }
                    }
                }
            }
        }
    }
}
