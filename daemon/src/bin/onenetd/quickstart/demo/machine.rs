//! A simulated machine, and what it would be heard saying.
//!
//! Invariant: what it is follows from what it says, by the product's own rules: nothing here states a conclusion.

use std::{net::Ipv4Addr, sync::Arc};

use onenet_topology::{
    MacAddr, Timestamp,
    classify::{Sign, SignKind, conclude},
    fact::{Classification, FactBody, Host},
};

use super::chance::Chance;

/// What Windows asks a DHCP server for (option 55).
const WINDOWS_ASKS: [u8; 14] = [1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252];

/// A kind of machine: start of its MAC addresses, start of its host name, what it says, how many in a hundred.
struct Kind {
    prefix: [u8; 3],
    name: &'static str,
    says: &'static [(SignKind, &'static str)],
    share: u64,
}

const WINDOWS: &[(SignKind, &str)] = &[
    (SignKind::DhcpVendorClass, "MSFT 5.0"),
    (SignKind::DhcpParameters, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
    (SignKind::TcpOpening, "128:64240:1460:8:mnwnns"),
    (SignKind::LlmnrQuery, ""),
];
const PRINTER: &[(SignKind, &str)] =
    &[(SignKind::MdnsService, "_ipp._tcp"), (SignKind::MdnsService, "_pdl-datastream._tcp")];
const CAMERA: &[(SignKind, &str)] = &[(SignKind::WsdType, "NetworkVideoTransmitter")];

const KINDS: [Kind; 7] = [
    Kind { prefix: [0x10, 0xc5, 0x95], name: "PC", says: WINDOWS, share: 38 },
    Kind { prefix: [0x3c, 0x52, 0x82], name: "PC", says: WINDOWS, share: 22 },
    Kind { prefix: [0xd4, 0xbe, 0xd9], name: "PC", says: WINDOWS, share: 14 },
    Kind { prefix: [0x00, 0x1b, 0x78], name: "PRN", says: PRINTER, share: 8 },
    Kind { prefix: [0x44, 0x19, 0xb6], name: "", says: CAMERA, share: 8 },
    Kind { prefix: [0x3c, 0xef, 0x8c], name: "", says: CAMERA, share: 4 },
    Kind { prefix: [0x00, 0xe0, 0x4c], name: "DESKTOP", says: WINDOWS, share: 6 },
];

/// A machine.
pub(super) struct Machine {
    pub(super) mac: MacAddr,
    pub(super) ip: Ipv4Addr,
    name: String,
    kind: &'static Kind,
    /// The card of which this is the dock: it gives that one's address to DHCP servers, as laptops do.
    dock_of: Option<MacAddr>,
    /// The switch and the port that it is plugged into.
    pub(super) switch: usize,
    pub(super) port: usize,
}

impl Machine {
    /// Returns a machine of some kind at a port.
    pub(super) fn some(chance: &mut Chance, ip: Ipv4Addr, switch: usize, port: usize) -> Self {
        let mut share = chance.below(100);
        let mut kind = &KINDS[0];
        for candidate in &KINDS {
            if share < candidate.share {
                kind = candidate;
                break;
            }
            share -= candidate.share;
        }
        let named = |start: &str, number| format!("{start}-{number:04}");
        let name = if kind.name.is_empty() { String::new() } else { named(kind.name, chance.below(10_000)) };
        Self { mac: chance.mac(kind.prefix), ip, name, kind, dock_of: None, switch, port }
    }

    /// Makes this the dock of another computer.
    pub(super) fn dock(&mut self, other: &Self) {
        (self.name, self.kind, self.dock_of) = (other.name.clone(), other.kind, Some(other.mac));
    }

    /// Returns whether it is a second card of another machine.
    pub(super) fn is_dock(&self) -> bool {
        self.dock_of.is_some()
    }

    /// Returns its host name, empty where it has none.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether a unit would have it on its books as a computer.
    pub(super) fn is_computer(&self) -> bool {
        self.said(SignKind::DhcpVendorClass).is_some()
    }

    /// Returns what it tells a DHCP server, if it asks one.
    pub(super) fn host(&self) -> Option<FactBody> {
        let windows = self.said(SignKind::DhcpVendorClass);
        (!self.name.is_empty()).then(|| {
            FactBody::Host(Box::new(Host {
                mac: self.mac,
                hostname: self.name.clone(),
                vendor_class: windows.unwrap_or_default().to_owned(),
                parameter_list: windows.map_or_else(Vec::new, |_| WINDOWS_ASKS.to_vec()),
                // Hardware type 1, Ethernet, and the address (RFC 2132, 9.14).
                client_id: self.dock_of.map_or_else(Vec::new, |mac| [&[1], mac.0.as_slice()].concat()),
            }))
        })
    }

    /// Returns what follows from all that it was heard saying.
    pub(super) fn classification(&self, now: Timestamp) -> FactBody {
        let sign = |kind, value| Sign { kind, value, first: now, last: now, count: 1 };
        let name = (!self.name.is_empty()).then(|| sign(SignKind::DhcpName, self.name.as_str()));
        let said = self.kind.says.iter().map(|(kind, value)| sign(*kind, value));
        let signs: Vec<Sign<'_>> = name.into_iter().chain(said).collect();
        FactBody::Classification(Classification { mac: self.mac, conclusion: Arc::new(conclude(self.mac, &signs)) })
    }

    fn said(&self, kind: SignKind) -> Option<&'static str> {
        self.kind.says.iter().find(|(said, _)| *said == kind).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_vendor_and_is_told_apart_and_shares_add_up() {
        let mut chance = Chance::of("x");
        for kind in &KINDS {
            let mac = chance.mac(kind.prefix);
            assert!(onenet_topology::vendor::of(mac).is_some(), "{mac}");
            let machine =
                Machine { mac, ip: Ipv4Addr::LOCALHOST, name: String::new(), kind, dock_of: None, switch: 0, port: 1 };
            let FactBody::Classification(told) = machine.classification(Timestamp::from_unix_ms(0)) else { panic!() };
            assert!(told.conclusion.class.is_some(), "{:?}", kind.says);
        }
        assert_eq!(KINDS.iter().map(|kind| kind.share).sum::<u64>(), 100);
    }
}
