//! What DHCPv6 clients say of themselves.
//!
//! A client speaks from its own link-local address; relays' messages are of clients elsewhere and are not read.

use onenet_topology::{MacAddr, classify::SignKind};

use super::brief::Brief;
use crate::{
    decode::{Undecoded, dhcpv6::Dhcpv6},
    facts::{Said, Speaker, Value},
};

pub(super) fn signs(
    payload: &[u8],
    (mac, by): (MacAddr, Speaker),
    mut each: impl FnMut(Said<'_>),
) -> Result<(), Undecoded> {
    let Some(message) = Dhcpv6::parse(payload)?.filter(Dhcpv6::is_from_client) else { return Ok(()) };
    let mut say = |kind, value: &Brief| each(Said { mac, by, kind, value: Value::Text(value.as_bytes()) });
    if let Some(id) = message.client_id {
        say(SignKind::Dhcpv6ClientId, &super::hexadecimal(id));
    }
    if let Some(requested) = message.requested {
        let (numbers, _) = requested.as_chunks::<2>();
        say(SignKind::Dhcpv6Parameters, &super::listed(numbers.iter().map(|number| u16::from_be_bytes(*number))));
    }
    if let Some((enterprise, class)) = message.vendor_class {
        let mut text = Brief::written(format_args!("{enterprise}:"));
        text.push(class);
        say(SignKind::Dhcpv6VendorClass, &text);
    }
    if let Some(name) = message.name {
        let name = Brief::joined(labels(name), b".");
        if !name.as_bytes().is_empty() {
            say(SignKind::Dhcpv6Name, &name);
        }
    }
    Ok(())
}

/// Returns the labels of a name that is written out, as far as they can be read.
fn labels(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        let (label, next) = after.split_at_checked(length.into()).filter(|(label, _)| !label.is_empty())?;
        rest = next;
        Some(label)
    })
}
