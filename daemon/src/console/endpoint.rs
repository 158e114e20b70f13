//! One endpoint: where it is, what it is called, and every reason to believe so.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::endpoint::{Endpoint, Witness};

use super::{
    Reader, layout,
    parts::{self, Mark},
    text,
};
use crate::{
    access::{Action, View},
    api::Problem,
    estate::SiteState,
};

/// The page.
pub(super) async fn page(reader: Reader, Path(id): Path<String>) -> Response {
    reader.answer(made(&reader, &id))
}

fn made(reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let (view, site, id) = reader.gate.thing(Action::ReadInventory, |estate| {
        let id = id.parse().ok()?;
        Some((estate.endpoint(id)?.0, id))
    })?;
    let (state, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let title = endpoint.hostname().map_or_else(|| endpoint.mac.to_string(), str::to_owned);
    let content = html! {
        (parts::trail(reader, &view, site, Some(&title)))
        h1 { (reader.say(text::ENDPOINT)) " " span.mono { (endpoint.mac) } " " (presence(reader, endpoint)) }
        (facts(reader, &view, endpoint))
        h2 { (reader.say(text::ATTACHMENT)) }
        (attachment(reader, state, endpoint))
        h2 { (reader.say(text::BINDINGS)) }
        (bindings(reader, &view, endpoint))
        h2 { (reader.say(text::EVIDENCE)) }
        (evidence(reader, &view, endpoint))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

fn facts(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    let vendor_class = endpoint.host().map(|host| host.vendor_class.as_str());
    parts::facts(&[
        (reader.say(text::HOSTNAME), parts::or_dash(endpoint.hostname())),
        (reader.say(text::VENDOR), vendor(reader, endpoint)),
        (reader.say(text::VENDOR_CLASS), parts::or_dash(vendor_class)),
        (reader.say(text::FIRST_SEEN), parts::ago(reader, view, endpoint.first_seen())),
        (reader.say(text::LAST_SEEN), parts::ago(reader, view, endpoint.last_seen())),
    ])
}

/// Whether an agent sees it now.
pub(super) fn presence(reader: &Reader, endpoint: &Endpoint) -> Markup {
    if endpoint.is_current() {
        parts::mark(reader, Mark::Good, text::PRESENT)
    } else {
        parts::mark(reader, Mark::Unknown, text::PAST)
    }
}

/// Who made it, as far as its address tells.
pub(super) fn vendor(reader: &Reader, endpoint: &Endpoint) -> Markup {
    match endpoint.vendor() {
        None if endpoint.mac.is_local() => html! { span.none { (reader.say(text::RANDOM_MAC)) } },
        vendor => parts::or_dash(vendor),
    }
}

/// Where it is, in a few words.
pub(super) fn place(_: &Reader, _: &SiteState, _: &Endpoint) -> Markup {
    parts::or_dash(None)
}

fn attachment(reader: &Reader, _: &SiteState, _: &Endpoint) -> Markup {
    html! { p.calm { (reader.say(text::ATTACHMENT_UNKNOWN)) } }
}

fn bindings(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    if endpoint.addresses.is_empty() {
        return html! { p.calm { (reader.say(text::NO_BINDINGS)) } };
    }
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::IP)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::FIRST_SEEN)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                        th scope="col" { (reader.say(text::EVIDENCE)) }
                    }
                }
                tbody {
                    @for address in &endpoint.addresses {
                        tr {
                            th.mono scope="row" { (address.ip) }
                            td {
                                @if address.is_current() { (parts::mark(reader, Mark::Good, text::PRESENT)) }
                                @else { (parts::mark(reader, Mark::Unknown, text::PAST)) }
                            }
                            td { (parts::ago(reader, view, address.first_seen())) }
                            td { (parts::ago(reader, view, address.last_seen())) }
                            td {
                                @for (at, witness) in address.witnesses.iter().enumerate() {
                                    @if at > 0 { br; }
                                    (parts::method(reader, witness.source.group.method))
                                    " " code { (witness.source.group.scope) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn evidence(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    let mut witnesses: Vec<&Witness> = endpoint.all_witnesses().collect();
    witnesses.sort_by_key(|witness| (!witness.current, std::cmp::Reverse(witness.last_seen)));
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::METHOD)) }
                        th scope="col" { (reader.say(text::SCOPE)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::VLAN)) }
                        th scope="col" { (reader.say(text::AGENT)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::FIRST_SEEN)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                    }
                }
                tbody {
                    @for witness in witnesses {
                        tr {
                            th scope="row" { (parts::method(reader, witness.source.group.method)) }
                            td { code { (witness.source.group.scope) } }
                            td { (parts::or_dash(witness.interface.as_deref())) }
                            td { (parts::or_dash(witness.vlan.map(|vlan| vlan.to_string()).as_deref())) }
                            td.code { (witness.source.agent) }
                            td {
                                @if witness.current { (parts::mark(reader, Mark::Good, text::PRESENT)) }
                                @else { (parts::mark(reader, Mark::Unknown, text::PAST)) }
                            }
                            td { (parts::ago(reader, view, Some(witness.first_seen))) }
                            td { (parts::ago(reader, view, Some(witness.last_seen))) }
                        }
                    }
                }
            }
        }
    }
}
