//! What would isolate the endpoint of a case, for people to review.

use maud::{Markup, html};
use onenet_topology::{case::Case, containment::Syntax};

use crate::{
    access::View,
    console::{
        Language, Reader, parts,
        text::{self, Text, fill},
        words,
    },
    containment::{Caution, Proposal, proposals},
};

/// The section on the page of an open case; nothing where it is about no endpoint that is known.
pub(super) fn section(reader: &Reader, view: &View, case: &Case) -> Markup {
    let found = if case.is_open() { proposals(view, case) } else { Vec::new() };
    html! {
        @if !found.is_empty() {
            h2 { (reader.say(text::CONTAINMENT)) }
            p.hint { (reader.say(text::CONTAINMENT_HINT)) }
            @for it in &found { (one(reader, it)) }
        }
    }
}

fn one(reader: &Reader, proposal: &Proposal<'_>) -> Markup {
    let (state, endpoint) = (proposal.state, proposal.endpoint);
    let place = endpoint.located.as_ref().and_then(|it| words::place(reader.language, state, it.at));
    let address = html! { a href=(format!("/endpoints/{}", endpoint.id)) { span.mono { (endpoint.mac) } } };
    let rows = vec![
        (reader.say(text::MAC), address),
        (reader.say(text::HOSTNAME), parts::or_dash(endpoint.hostname())),
        (reader.say(text::CONTAINMENT_PLACE), parts::or_dash(place.as_deref())),
        (reader.say(text::CONTAINMENT_SYNTAX), parts::or_dash(proposal.syntax.map(Syntax::name))),
    ];
    html! {
        (parts::facts(&rows))
        @if !proposal.cautions.is_empty() {
            ul { @for it in &proposal.cautions { li { (caution(reader.language, *it)) } } }
        }
        @if let Some(steps) = &proposal.steps {
            details {
                summary { (reader.say(text::CONTAINMENT_COMMANDS)) }
                h3 { (reader.say(text::CONTAINMENT_ISOLATE)) }
                pre { (steps.commands.join("\n")) }
                h3 { (reader.say(text::CONTAINMENT_UNDO)) }
                pre { (steps.undo.join("\n")) }
            }
        }
    }
}

/// What speaks against a proposal, in words.
pub(crate) fn caution(language: Language, caution: Caution) -> String {
    let say = |text: Text| language.of(text).to_owned();
    match caution {
        Caution::Drill => say(text::CAUTION_DRILL),
        Caution::NoPlace => say(text::CAUTION_NO_PLACE),
        Caution::NoPort => say(text::CAUTION_NO_PORT),
        Caution::LastKnown => say(text::CAUTION_LAST_KNOWN),
        Caution::Unsure => say(text::CAUTION_UNSURE),
        Caution::Wireless => say(text::CAUTION_WIRELESS),
        Caution::Uplink => say(text::CAUTION_UPLINK),
        Caution::Shared(others) => fill(language.of(text::CAUTION_SHARED), others),
        Caution::NoSyntax => say(text::CAUTION_NO_SYNTAX),
    }
}
