//! What multicast DNS and LLMNR say: a host's own name, what it offers, its model.
//!
//! Invariant: of multicast DNS, answers count and what a probe is about to claim; what a question already knows is hearsay.
//! Of LLMNR, an answer's question, and the question for anything by which a host looks for others of its name
//! (RFC 4795, section 4.1).

use onenet_topology::{MacAddr, classify::SignKind};

use super::brief::Brief;
use crate::{
    decode::{
        Undecoded,
        names::{Entry, Message, Name, Section, kind},
    },
    facts::{Said, Speaker, Value},
};

/// Labels of a service's kind before `local`: `_ipp._tcp`.
const TRANSPORTS: [&str; 2] = ["_tcp", "_udp"];
/// Keys of a service's text that name the model, by whom they are used: Apple, printers, media players.
const MODEL_KEYS: [&[u8]; 4] = [b"model=", b"ty=", b"md=", b"am="];
/// The service by which a host lists the kinds of its services (RFC 6763, section 9).
const SERVICES: &str = "_services";

pub(super) fn mdns(
    payload: &[u8],
    (mac, by): (MacAddr, Speaker),
    mut each: impl FnMut(Said<'_>),
) -> Result<(), Undecoded> {
    let message = Message::parse(payload)?;
    let response = message.is_response();
    let mut say = |kind, value: &[u8]| each(Said { mac, by, kind, value: Value::Text(value) });
    message.entries(|entry| {
        let claimed = match entry.section {
            Section::Question => false,
            Section::Authority => true,
            Section::Answer | Section::Additional => response,
        };
        if claimed && entry.name.ends_with(&["local"]) {
            record(&entry, &mut say);
        }
    })
}

fn record(entry: &Entry<'_>, say: &mut impl FnMut(SignKind, &[u8])) {
    match entry.kind {
        kind::A | kind::AAAA => own_name(entry.name, say),
        kind::PTR => {
            // Of the list of kinds the target names one, of a kind itself the name does.
            if entry.name.labels().next().is_some_and(|label| label.eq_ignore_ascii_case(SERVICES.as_bytes())) {
                entry.name_in_data(0).into_iter().for_each(|target| service(target, say));
            } else {
                service(entry.name, say);
            }
        }
        kind::SRV => {
            service(entry.name, say);
            // Priority, weight and port come first.
            entry.name_in_data(6).into_iter().for_each(|target| own_name(target, say));
        }
        kind::TXT => {
            let mut models =
                entry.strings().filter_map(|text| MODEL_KEYS.iter().find_map(|key| text.strip_prefix(*key)));
            if let Some(model) = models.find(|model| !model.is_empty()) {
                say(SignKind::MdnsModel, model);
            }
        }
        kind::HINFO => {
            let text = Brief::joined(entry.strings().take(2), b" ");
            say(SignKind::MdnsSystem, text.as_bytes());
        }
        _ => {}
    }
}

/// Says a host's name: one label before `local`.
fn own_name(name: Name<'_>, say: &mut impl FnMut(SignKind, &[u8])) {
    let mut labels = name.labels();
    if let (Some(host), Some(local), None) = (labels.next(), labels.next(), labels.next())
        && local.eq_ignore_ascii_case(b"local")
        && !host.starts_with(b"_")
    {
        say(SignKind::MdnsName, host);
    }
}

/// Says the kind of a service: the last two labels before `local`, when they are one.
fn service(name: Name<'_>, say: &mut impl FnMut(SignKind, &[u8])) {
    let count = name.labels().count();
    let Some(before) = count.checked_sub(3) else { return };
    let mut labels = name.labels().skip(before);
    if let (Some(service), Some(transport)) = (labels.next(), labels.next())
        && service.starts_with(b"_")
        && TRANSPORTS.iter().any(|known| transport.eq_ignore_ascii_case(known.as_bytes()))
    {
        say(SignKind::MdnsService, Brief::joined([service, transport], b".").as_bytes());
    }
}

pub(super) fn llmnr(
    payload: &[u8],
    (mac, by): (MacAddr, Speaker),
    mut each: impl FnMut(Said<'_>),
) -> Result<(), Undecoded> {
    let message = Message::parse(payload)?;
    let response = message.is_response();
    if message.operation() != 0 || message.code() != 0 {
        return Ok(());
    }
    if !response {
        each(Said { mac, by, kind: SignKind::LlmnrQuery, value: Value::Text(b"asks") });
    }
    message.entries(|entry| {
        let wanted = match entry.section {
            Section::Question => !response && entry.kind == kind::ANY,
            Section::Answer => response && matches!(entry.kind, kind::A | kind::AAAA),
            Section::Authority | Section::Additional => false,
        };
        if wanted {
            let name = Brief::joined(entry.name.labels(), b".");
            if !name.as_bytes().is_empty() {
                each(Said { mac, by, kind: SignKind::LlmnrName, value: Value::Text(name.as_bytes()) });
            }
        }
    })
}
