//! What DHCP says: who a client is, and which address it has.
//!
//! Messages that a relay passed on are not local: their client is on another segment, perhaps at another site.

use std::net::Ipv4Addr;

use onenet_topology::MacAddr;

use super::{
    address::binding,
    text::{self, OCTETS_MAX},
};
use crate::{
    decode::{
        Undecoded,
        dhcp::{Dhcp, MessageKind},
    },
    facts::{Fact, Host, HostFacts, Method},
};

pub(super) fn facts(payload: &[u8], mut each: impl FnMut(Fact)) -> Result<(), Undecoded> {
    let message = Dhcp::parse(payload)?;
    let Some(mac) = message.client_mac.filter(|mac| mac.is_unicast() && message.relay_ip.is_unspecified()) else {
        return Ok(());
    };
    if message.from_client {
        host(mac, &message).map(Fact::Host).into_iter().for_each(&mut each);
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

fn bind(mac: MacAddr, ip: Ipv4Addr, method: Method, each: impl FnMut(Fact)) {
    binding(mac, ip.into(), method).map(Fact::Binding).into_iter().for_each(each);
}

fn host(mac: MacAddr, message: &Dhcp<'_>) -> Option<Host> {
    let octets = |value: &[u8]| value.iter().copied().take(OCTETS_MAX).collect::<Vec<_>>();
    let facts = HostFacts {
        hostname: message.hostname.and_then(text::printable),
        vendor_class: message.vendor_class.and_then(text::printable),
        parameter_list: message.parameter_list.map(octets),
        client_id: message.client_id.map(octets),
    };
    (facts != HostFacts::default()).then_some(Host { mac, facts })
}
