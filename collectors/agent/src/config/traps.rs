//! `[traps]`: whether traps and informs are listened to, where, and whom they are believed of.

use std::net::SocketAddr;

use onenet_config::Section;
use onenet_snmp::Credentials;

use super::NamedCredentials;

/// Where traps and informs are heard.
#[derive(Debug, Clone)]
pub struct TrapsConfig {
    /// The address and port.
    pub listen: SocketAddr,
    /// What is believed of every polled device, beside what it is polled with.
    pub accepted: Vec<Credentials>,
}

/// Reads the section; without `listen` nothing is listened to.
pub(super) fn checked(mut section: Section<'_>, named: &NamedCredentials) -> Option<TrapsConfig> {
    let listen = section.text("listen");
    let names = section.texts("credentials").unwrap_or_default();
    let accepted = names.into_iter().filter_map(|name| named.credentials(section.log, &name)).collect();
    let listen = listen.and_then(|found| {
        let address = found.value.parse::<SocketAddr>().ok();
        if address.is_none() {
            let what = format!("{:?} is not an address with a port", found.value);
            section.log.note(&found.place, what, "write \"0.0.0.0:162\", or one address of this machine and a port");
        }
        address
    });
    section.finish();
    listen.map(|listen| TrapsConfig { listen, accepted })
}
