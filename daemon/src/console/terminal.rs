//! The other cards of an endpoint's machine, and why they are taken for its own.

use maud::{Markup, html};
use onenet_topology::{
    EndpointId,
    endpoint::Endpoint,
    terminal::{Bond, Joint, Terminal},
};

use super::{
    Reader, endpoint as page, parts,
    text::{self, fill},
};
use crate::{access::View, estate::SiteState};

/// The cards of the terminal of which an endpoint is one.
pub(super) fn cards(reader: &Reader, view: &View, state: &SiteState, endpoint: &Endpoint) -> Markup {
    let known = view.terminals(state);
    let terminal = known.terminals.iter().find(|it| it.endpoints.contains(&endpoint.id));
    let Some(terminal) = terminal.filter(|it| it.endpoints.len() > 1) else {
        return html! { p.hint { (reader.say(text::TERMINAL_ALONE)) } };
    };
    let others = terminal.endpoints.iter().filter(|id| **id != endpoint.id);
    html! {
        div.scroll { table {
            (parts::head(reader, &[text::CARD, text::HOSTNAME, text::STATE, text::REASON], 0))
            tbody {
                @for (_, other) in others.filter_map(|id| view.endpoint(*id)) {
                    tr {
                        td { a.mono href=(format!("/endpoints/{}", other.id)) { (other.mac) } }
                        td { (parts::or_dash(other.hostname())) }
                        td { (page::presence(reader, view, other)) }
                        td { (reasons(reader, terminal, endpoint.id, other.id)) }
                    }
                }
            }
        } }
        p.hint { (reader.say(text::TERMINAL_HINT)) }
    }
}

/// Why two cards are one machine's: what they share, or else over which cards the one leads to the other.
fn reasons(reader: &Reader, terminal: &Terminal, one: EndpointId, other: EndpointId) -> Markup {
    let is = |joint: &&Joint, a, b| (joint.one, joint.other) == (a, b) || (joint.one, joint.other) == (b, a);
    let direct = terminal.joints.iter().find(|joint| is(joint, one, other));
    let of = |joint: &Joint| joint.other == other || joint.one == other;
    let joints = direct.map_or_else(|| terminal.joints.iter().filter(|it| of(it)).collect(), |joint| vec![joint]);
    let said: Vec<String> = joints.iter().flat_map(|joint| &joint.bonds).map(|bond| say(reader, bond)).collect();
    html! { (said.join("; ")) }
}

fn say(reader: &Reader, bond: &Bond) -> String {
    match bond {
        Bond::Ruled => reader.say(text::BOND_RULED).to_owned(),
        Bond::Asset { .. } => reader.say(text::BOND_ASSET).to_owned(),
        Bond::NamesCard => reader.say(text::BOND_NAMES_CARD).to_owned(),
        Bond::ClientIdentifier { value } => fill(reader.say(text::BOND_CLIENT_IDENTIFIER), value),
        Bond::Hostname { value } => fill(reader.say(text::BOND_HOSTNAME), value),
        Bond::CableAndAir => reader.say(text::BOND_CABLE_AND_AIR).to_owned(),
        Bond::SamePort => reader.say(text::BOND_SAME_PORT).to_owned(),
        Bond::InTurn => reader.say(text::BOND_IN_TURN).to_owned(),
        Bond::RandomAddress => reader.say(text::BOND_RANDOM_ADDRESS).to_owned(),
    }
}
