//! What DHCP says: who a client is, and which address it has.
//!
//! Messages that a relay passed on are not local: their client is on another segment, perhaps at another site. A message
//! about one station in the frame of another is kept apart from what the station says itself.

use std::net::Ipv4Addr;

use onenet_topology::{MacAddr, classify::SignKind};

use super::{address::binding, brief::Brief};
use crate::{
    decode::{
        Undecoded,
        dhcp::{Dhcp, MessageKind},
    },
    facts::{Fact, Method, Said, Speaker, Value},
};

pub(super) fn facts(payload: &[u8], sender: Option<MacAddr>, mut each: impl FnMut(Fact<'_>)) -> Result<(), Undecoded> {
    let message = Dhcp::parse(payload)?;
    let Some(mac) = message.client_mac.filter(|mac| mac.is_unicast() && message.relay_ip.is_unspecified()) else {
        return Ok(());
    };
    if message.from_client {
        let by = sender.filter(|sender| *sender != mac).map_or(Speaker::Link, Speaker::Station);
        describe(&message, |kind, value| each(Fact::Said(Said { mac, by, kind, value: Value::Text(value) })));
    }
    match message.kind {
        MessageKind::Ack if !message.from_client => {
            // The answer to an INFORM gives no address; the client has one already (RFC 2131, section 3.4).
            let ip = if message.your_ip.is_unspecified() { message.client_ip } else { message.your_ip };
            bind(mac, ip, Method::DhcpAck, each);
        }
        MessageKind::Nak if !message.from_client => each(Fact::Refused(mac)),
        MessageKind::Request if message.from_client => {
            // Renewing, it has the address (ciaddr); before that, it names the one it wants (RFC 2131, section 4.3.2).
            let ip = if message.client_ip.is_unspecified() { message.requested_ip } else { Some(message.client_ip) };
            bind(mac, ip.unwrap_or(Ipv4Addr::UNSPECIFIED), Method::DhcpRequest, each);
        }
        MessageKind::Inform if message.from_client => bind(mac, message.client_ip, Method::DhcpRequest, each),
        _ => {}
    }
    Ok(())
}

fn bind(mac: MacAddr, ip: Ipv4Addr, method: Method, each: impl FnMut(Fact<'_>)) {
    binding(mac, ip.into(), method).map(Fact::Binding).into_iter().for_each(each);
}

fn describe(message: &Dhcp<'_>, mut say: impl FnMut(SignKind, &[u8])) {
    if let Some(name) = message.hostname {
        say(SignKind::DhcpName, name);
    }
    if let Some(class) = message.vendor_class {
        say(SignKind::DhcpVendorClass, class);
    }
    if let Some(options) = message.parameter_list {
        say(SignKind::DhcpParameters, super::listed(options.iter().map(|option| u16::from(*option))).as_bytes());
    }
    if let Some(id) = message.client_id {
        let text: Brief = super::hexadecimal(id);
        say(SignKind::DhcpClientId, text.as_bytes());
    }
}
