//! What a DHCP client identifier tells of the machine that gives it.
//!
//! Invariant: an identifier that is the card's own address tells nothing, however it is dressed.

use std::fmt::Write as _;

use crate::MacAddr;

/// The hardware type of Ethernet (RFC 1700, ARP parameters).
const ETHERNET: u8 = 1;
/// The type of an identifier that carries an IAID and a DUID (RFC 4361, 6.1).
const IAID_AND_DUID: u8 = 255;
/// DUID of an address and a time, and of an address alone (RFC 8415, 11.2 and 11.4).
const DUID_LLT: [u8; 2] = [0, 1];
const DUID_LL: [u8; 2] = [0, 3];
/// A shorter identifier tells machines of a site apart by chance only.
const OCTETS_MIN: usize = 6;

/// What is told by an identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientIdentifier {
    /// The address of another card that it carries.
    pub card: Option<MacAddr>,
    /// What the cards of one machine have in common: the DUID, or all of it.
    common: Vec<u8>,
}

impl ClientIdentifier {
    /// Reads what a card of this address gives (option 61 of RFC 2132, without its code and length).
    pub fn of(octets: &[u8], mac: MacAddr) -> Self {
        let carried = match octets {
            [ETHERNET, address @ ..] if address.len() == 6 => return Self::naming(ethernet(address), mac, &[]),
            [IAID_AND_DUID, _, _, _, _, duid @ ..] => duid,
            _ => octets,
        };
        let card = match carried {
            [a, b, 0, ETHERNET, _, _, _, _, address @ ..] if [*a, *b] == DUID_LLT => ethernet(address),
            [a, b, 0, ETHERNET, address @ ..] if [*a, *b] == DUID_LL => ethernet(address),
            _ => None,
        };
        let is_blank = carried.iter().all(|octet| *octet == 0 || *octet == 255);
        Self::naming(card, mac, if carried.len() < OCTETS_MIN || is_blank { &[] } else { carried })
    }

    fn naming(card: Option<MacAddr>, own: MacAddr, common: &[u8]) -> Self {
        Self { card: card.filter(|card| *card != own && card.is_unicast()), common: common.to_vec() }
    }

    /// Returns what the cards of one machine give alike, in hexadecimal digits.
    pub fn shared(&self) -> Option<String> {
        let digits = self.common.iter().fold(String::new(), |mut digits, octet| {
            // Writing to a string never fails.
            let _ = write!(digits, "{octet:02x}");
            digits
        });
        (!digits.is_empty()).then_some(digits)
    }
}

fn ethernet(address: &[u8]) -> Option<MacAddr> {
    address.try_into().ok().map(MacAddr)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: MacAddr = MacAddr([0, 0xe0, 0xfc, 0, 0, 1]);
    const OTHER: [u8; 6] = [0, 0xe0, 0xfc, 0, 0, 2];

    #[test]
    fn the_cards_own_address_tells_nothing_and_another_ones_names_that_card() {
        let of = |octets: &[u8]| ClientIdentifier::of(octets, OWN);
        assert_eq!(of(&[&[1][..], &OWN.0].concat()), ClientIdentifier::default());
        assert_eq!(of(&[&[1][..], &OTHER].concat()).card, Some(MacAddr(OTHER)));
        let llt = [&[255, 9, 9, 9, 9, 0, 1, 0, 1, 7, 7, 7, 7][..], &OTHER].concat();
        assert_eq!(of(&llt).card, Some(MacAddr(OTHER)));
        assert_eq!(of(&llt).shared().as_deref(), Some("000100010707070700e0fc000002"), "without the IAID of the card");
        assert_eq!(of(&[&[255, 9, 9, 9, 9, 0, 3, 0, 1][..], &OWN.0].concat()).card, None);
        assert_eq!(of(&[0, 4, 1, 2, 3, 4]).shared().as_deref(), Some("000401020304"));
    }

    #[test]
    fn what_is_short_or_blank_is_left_out() {
        for octets in [&[][..], &[255], &[1], &[255, 0, 0, 0, 1], &[0, 0, 0, 0, 0, 0, 0, 0], b"\0abc"] {
            assert_eq!(ClientIdentifier::of(octets, OWN), ClientIdentifier::default(), "{octets:?}");
        }
    }
}
