//! What SSDP, WS-Discovery and makers' own discovery protocols say: kinds of devices, products, models.

use onenet_topology::{MacAddr, classify::SignKind};

use super::brief::Brief;
use crate::{
    decode::{
        elements::elements,
        ssdp::{MessageKind, Ssdp},
    },
    facts::{Said, Speaker, Value},
};

/// Scopes by which ONVIF tells model and name.
const MODEL_SCOPE: &[u8] = b"onvif://www.onvif.org/hardware/";
const NAME_SCOPE: &[u8] = b"onvif://www.onvif.org/name/";
/// What comes before the document in Dahua's protocol.
const DHIP: &[u8] = b"DHIP";
/// Where Dahua's document names the model.
const DHIP_MODEL: &[u8] = b"\"DeviceType\"";
/// Kinds of devices that are announced for every device.
const ROOT_DEVICE: &[u8] = b"upnp:rootdevice";

pub(super) fn ssdp(payload: &[u8], (mac, by): (MacAddr, Speaker), mut each: impl FnMut(Said<'_>)) {
    let Some(message) = Ssdp::parse(payload) else { return };
    let mut say = |kind, value: &[u8]| each(Said { mac, by, kind, value: Value::Text(value) });
    if message.kind == MessageKind::Search {
        message.agent.into_iter().for_each(|agent| say(SignKind::SsdpAgent, agent));
        return;
    }
    message.server.into_iter().for_each(|server| say(SignKind::SsdpServer, server));
    let named = |target: &&[u8]| !target.starts_with(b"uuid:") && *target != ROOT_DEVICE;
    message.target.filter(named).into_iter().for_each(|target| say(SignKind::SsdpDevice, target));
}

/// What a device says of itself stands in a greeting or a match; what somebody looks for stands in a probe.
pub(super) fn ws_discovery(payload: &[u8], (mac, by): (MacAddr, Speaker), mut each: impl FnMut(Said<'_>)) {
    let mut say = |kind, value: &[u8]| each(Said { mac, by, kind, value: Value::Text(value) });
    let mut speaks = false;
    for element in elements(payload) {
        match element.name {
            b"Hello" | b"ProbeMatch" | b"ResolveMatch" => speaks = true,
            b"Types" if speaks => words(element.text).for_each(|name| say(SignKind::WsdType, local(name))),
            b"Scopes" if speaks => words(element.text).for_each(|scope| {
                if let Some(model) = scope.strip_prefix(MODEL_SCOPE) {
                    say(SignKind::WsdModel, unescaped(model).as_bytes());
                } else if let Some(name) = scope.strip_prefix(NAME_SCOPE) {
                    say(SignKind::WsdName, unescaped(name).as_bytes());
                }
            }),
            _ => {}
        }
    }
}

/// Hikvision's SADP: an answer describes the device.
pub(super) fn sadp(payload: &[u8], (mac, by): (MacAddr, Speaker), mut each: impl FnMut(Said<'_>)) {
    let mut answers = false;
    for element in elements(payload) {
        match element.name {
            b"ProbeMatch" => answers = true,
            b"DeviceDescription" if answers && !element.text.is_empty() => {
                each(Said { mac, by, kind: SignKind::MakerModel, value: Value::Text(element.text) });
            }
            _ => {}
        }
    }
}

/// Dahua's DHIP: 32 bytes, and a document whose `DeviceType` is the model.
pub(super) fn dhip(payload: &[u8], (mac, by): (MacAddr, Speaker), mut each: impl FnMut(Said<'_>)) {
    if payload.get(4..8) != Some(DHIP) {
        return;
    }
    let document = payload.get(32..).unwrap_or_default();
    let Some(at) = document.windows(DHIP_MODEL.len()).position(|window| window == DHIP_MODEL) else { return };
    let rest = document.get(at + DHIP_MODEL.len()..).unwrap_or_default().trim_ascii_start();
    let Some(quoted) = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else { return };
    let Some(text) = quoted.strip_prefix(b"\"") else { return };
    let model = text.split(|octet| *octet == b'"').next().unwrap_or_default();
    if !model.is_empty() {
        each(Said { mac, by, kind: SignKind::MakerModel, value: Value::Text(model) });
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Returns a qualified name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|octet| *octet == b':').next().unwrap_or(name)
}

/// Returns the text with the escapes of an address (`%20`) resolved.
fn unescaped(text: &[u8]) -> Brief {
    let mut plain = Brief::default();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escape = after.first_chunk::<2>().filter(|_| first == b'%').and_then(|digits| {
            let digits =
                std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|it| it.is_ascii_hexdigit()))?;
            u8::from_str_radix(digits, 16).ok()
        });
        plain.push(&[escape.unwrap_or(first)]);
        rest = if escape.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    plain
}
