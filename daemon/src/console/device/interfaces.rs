//! The ports of a device: how they stand, which VLANs they carry and what is plugged into them.

use std::cmp::Reverse;

use maud::{Markup, html};
use onenet_topology::{
    device::{Device, Interface},
    endpoint::Endpoint,
    fact::{InterfaceStatus, PortVlans},
};

use crate::{
    access::View,
    api::{body::told, running::Running},
    console::{
        Reader,
        parts::{self, Mark},
        text::{self, fill},
        words,
    },
    estate::SiteState,
};

/// Endpoints named at a port.
const GUESTS_MAX: usize = 3;
/// The ifTypes of sockets and of what bundles them (IANAifType-MIB): ethernetCsmacd, sonet, fibreChannel, ieee80211,
/// ieee8023adLag. All others are made by configuration: VLANs, tunnels, loopbacks; a wireless controller has thousands.
const SOCKETS: [u32; 5] = [6, 39, 56, 71, 161];

/// The ports of a device.
pub(super) fn section(
    reader: &Reader,
    view: &View,
    (state, device): (&SiteState, &Device),
    running: Option<Running>,
) -> Markup {
    let mut interfaces: Vec<&Interface> =
        device.interfaces.iter().map(AsRef::as_ref).filter(|interface: &&Interface| interface.current).collect();
    let is_socket = |it: &Interface| SOCKETS.contains(&it.said.if_type);
    interfaces.sort_by_cached_key(|it| (Reverse(is_socket(it)), parts::natural(&it.said.name)));
    html! {
        h2 {
            (reader.say(text::INTERFACES)) " "
            @if !interfaces.is_empty() {
                span.sub { (parts::interfaces_up(device)) " " (reader.say(text::PORT_UP)) }
            }
        }
        @if interfaces.is_empty() { p.calm { (reader.say(text::NO_INTERFACES)) } }
        @else { (table(reader, view, (state, device), running, &interfaces)) (super::cut(reader, interfaces.len())) }
    }
}

fn table(
    reader: &Reader,
    view: &View,
    (state, device): (&SiteState, &Device),
    running: Option<Running>,
    interfaces: &[&Interface],
) -> Markup {
    let plugged = state.plugged_in(device.id);
    let vlans = told::port_vlans(state, device);
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::OPER)) }
                        th scope="col" { (reader.say(text::ADMIN)) }
                        th.number scope="col" { (reader.say(text::SPEED)) }
                        th scope="col" { (reader.say(text::ALIAS)) }
                        @if !vlans.is_empty() { th scope="col" { (reader.say(text::VLANS)) } }
                        th scope="col" { (reader.say(text::PLUGGED_IN)) }
                        th scope="col" { (reader.say(text::MAC)) }
                    }
                }
                tbody {
                    @for interface in super::shown(interfaces) {
                        @let said = &interface.said;
                        tr {
                            th scope="row" { (said.name) }
                            td {
                                (parts::status(reader, said.oper))
                                @if let Some(changed) = running.and_then(|it| it.last_change(interface)) {
                                    " " span.sub { (parts::ago(reader, view, Some(changed))) }
                                }
                            }
                            td { (reader.say(words::admin(said.admin))) }
                            td.number {
                                (parts::or_dash(parts::speed(said.speed_bps).as_deref()))
                                @if said.full_duplex == Some(false) && said.oper == InterfaceStatus::Up {
                                    " " (parts::mark(reader, Mark::Warn, text::HALF_DUPLEX))
                                }
                            }
                            td { (parts::or_dash(Some(&said.alias))) }
                            @if !vlans.is_empty() {
                                @let carried = vlans.get(said.name.as_str()).and_then(|it| carried(reader, it));
                                td { (parts::or_dash(carried.as_deref())) }
                            }
                            td { (guests(reader, plugged.get(&interface.id).map(Vec::as_slice).unwrap_or_default())) }
                            td.mono { (parts::or_dash(said.mac.map(|mac| mac.to_string()).as_deref())) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns which VLANs a port carries: those without a tag, or the one that frames without a tag are put into, then those with.
fn carried(reader: &Reader, vlans: &PortVlans) -> Option<String> {
    let native = || vlans.native.map(|native| fill(reader.say(text::NATIVE), native));
    let plain = told::written(&vlans.untagged).or_else(native);
    let tagged = told::written(&vlans.tagged).map(|set| fill(reader.say(text::TAGGED), set));
    let parts: Vec<String> = plain.into_iter().chain(tagged).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn guests(reader: &Reader, endpoints: &[&Endpoint]) -> Markup {
    let shown = endpoints.get(..endpoints.len().min(GUESTS_MAX)).unwrap_or_default();
    let name = |endpoint: &Endpoint| endpoint.hostname().map_or_else(|| endpoint.mac.to_string(), String::from);
    html! {
        @for (at, endpoint) in shown.iter().enumerate() {
            @if at > 0 { ", " }
            a href=(format!("/endpoints/{}", endpoint.id)) { (name(endpoint)) }
        }
        @if endpoints.is_empty() { span.none { "–" } }
        @if endpoints.len() > shown.len() {
            " " span.hint { (fill(reader.say(text::AND_MORE), endpoints.len() - shown.len())) }
        }
    }
}
