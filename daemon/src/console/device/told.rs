//! What a device tells of itself beside its ports: its VLANs, its own addresses, and what is peculiar about its answers.

use std::collections::BTreeMap;

use maud::{Markup, html};
use onenet_topology::{
    device::Device,
    fact::{OwnAddress, PortVlans, Quirk, Vlan},
};

use crate::{
    api::body::told,
    console::{
        Reader, parts,
        text::{self, fill},
        words,
    },
    estate::SiteState,
};

/// Ports named beside a VLAN.
const PORTS_MAX: usize = 8;
/// What agents call the table of a quirk that is not a table's.
const WHOLE_DEVICE: &str = "device";

/// The ports of a VLAN.
#[derive(Default)]
struct Members<'s> {
    untagged: Vec<&'s str>,
    tagged: Vec<&'s str>,
}

/// The VLANs of a device, each with the ports that carry it.
pub(super) fn vlans(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let vlans = told::vlans(state, device);
    let ports = told::port_vlans(state, device);
    let members = members(super::shown(&vlans), &ports);
    super::section(reader, text::VLANS, vlans.len(), &vlan_table(reader, &vlans, &members))
}

/// A device's own addresses.
pub(super) fn own_addresses(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let own = told::own_addresses(state, device);
    super::section(reader, text::OWN_ADDRESSES, own.len(), &own_address_table(reader, &own))
}

/// Whereto a device's routes lead.
pub(super) fn next_hops(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let hops = told::next_hops(state, device);
    let table = html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::ADDRESS)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::DEFAULT_ROUTE)) }
                    }
                }
                tbody {
                    @for it in super::shown(&hops) {
                        tr {
                            th.mono scope="row" { (it.ip) }
                            td { (parts::or_dash(Some(&it.interface))) }
                            td { (parts::or_dash(it.default_route.then(|| reader.say(text::DEFAULT_ROUTE)))) }
                        }
                    }
                }
            }
        }
        (super::cut(reader, hops.len()))
    };
    super::section(reader, text::NEXT_HOPS, hops.len(), &table)
}

/// What is peculiar about a device's answers.
pub(super) fn quirks(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let quirks = told::quirks(state, device);
    let table = html! {
        p.hint { (reader.say(text::QUIRKS_HINT)) }
        (quirk_table(reader, &quirks))
    };
    super::section(reader, text::QUIRKS, quirks.len(), &table)
}

/// Returns which ports carry each VLAN, in the order in which people count ports.
fn members<'s>(vlans: &[Vlan], ports: &'s BTreeMap<String, PortVlans>) -> BTreeMap<u16, Members<'s>> {
    let mut ports: Vec<_> = ports.iter().collect();
    ports.sort_by_cached_key(|(name, _)| parts::natural(name));
    let mut members: BTreeMap<u16, Members<'s>> = BTreeMap::new();
    for number in vlans.iter().map(|it| it.vlan) {
        let at = members.entry(number).or_default();
        for (name, port) in &ports {
            if port.untagged.contains(number) || (port.untagged.is_empty() && port.native == Some(number)) {
                at.untagged.push(name);
            } else if port.tagged.contains(number) {
                at.tagged.push(name);
            }
        }
    }
    members
}

fn vlan_table(reader: &Reader, vlans: &[Vlan], members: &BTreeMap<u16, Members<'_>>) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::VLAN_NUMBER)) }
                        th scope="col" { (reader.say(text::VLAN_NAME)) }
                        th scope="col" { (reader.say(text::UNTAGGED_PORTS)) }
                        th scope="col" { (reader.say(text::TAGGED_PORTS)) }
                    }
                }
                tbody {
                    @for it in super::shown(vlans) {
                        @let at = members.get(&it.vlan);
                        tr {
                            th scope="row" { (it.vlan) }
                            td { (parts::or_dash(Some(&it.name))) }
                            td.words { (ports(reader, at.map(|it| it.untagged.as_slice()).unwrap_or_default())) }
                            td.words { (ports(reader, at.map(|it| it.tagged.as_slice()).unwrap_or_default())) }
                        }
                    }
                }
            }
        }
        (super::cut(reader, vlans.len()))
    }
}

fn ports(reader: &Reader, names: &[&str]) -> Markup {
    let shown = names.get(..PORTS_MAX).unwrap_or(names);
    html! {
        (parts::or_dash(Some(&shown.join(", "))))
        @if names.len() > shown.len() {
            " " span.hint { (fill(reader.say(text::AND_MORE), names.len() - shown.len())) }
        }
    }
}

fn own_address_table(reader: &Reader, own: &[OwnAddress]) -> Markup {
    let bits = |it: &OwnAddress| it.prefix_bits.map(|bits| format!("/{bits}")).unwrap_or_default();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::ADDRESS)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                    }
                }
                tbody {
                    @for it in super::shown(own) {
                        tr {
                            th.mono scope="row" { (it.ip) (bits(it)) }
                            td { (it.interface) }
                        }
                    }
                }
            }
        }
        (super::cut(reader, own.len()))
    }
}

fn quirk_table(reader: &Reader, quirks: &[Quirk]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::QUIRK)) }
                        th scope="col" { (reader.say(text::QUIRK_TABLE)) }
                        th.number scope="col" { (reader.say(text::QUIRK_COUNT)) }
                    }
                }
                tbody {
                    @for quirk in super::shown(quirks) {
                        tr {
                            th scope="row" {
                                @match words::quirk(&quirk.word) {
                                    Some(words) => (reader.say(words)),
                                    None => span lang="en" { (quirk.word) },
                                }
                            }
                            td {
                                @if quirk.table == WHOLE_DEVICE { (reader.say(text::WHOLE_DEVICE)) }
                                @else { span lang="en" { (quirk.table) } }
                            }
                            td.number { (parts::or_dash(quirk.count.map(|count| count.to_string()).as_deref())) }
                        }
                    }
                }
            }
        }
    }
}
