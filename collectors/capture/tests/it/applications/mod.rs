//! What flows carry, told from payloads: of captures that others made, of bytes made here, and of bytes that mean nothing.

mod corpus;
mod instruments;
mod offices;
mod random;
mod streams;
mod tunnels;

use onenet_capture::application::{Assemblies, Detail, Details, Recogniser};
use onenet_topology::application::Application;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
/// Ports that suggest nothing.
pub(crate) const ANY: [u16; 2] = [50_000, 40_404];

/// A payload from the originator.
pub(crate) fn out(payload: impl AsRef<[u8]>) -> (bool, Vec<u8>) {
    (true, payload.as_ref().to_vec())
}

/// A payload from the responder.
pub(crate) fn back(payload: impl AsRef<[u8]>) -> (bool, Vec<u8>) {
    (false, payload.as_ref().to_vec())
}

/// Gives payloads to a recogniser of a flow between these ports.
pub(crate) fn recognise(protocol: u8, ports: [u16; 2], payloads: &[(bool, Vec<u8>)]) -> Recogniser {
    let mut assemblies = Assemblies::default();
    let mut recogniser = Recogniser::new(protocol, ports[0], ports[1]);
    for (from_originator, payload) in payloads {
        if !recogniser.is_done() {
            recogniser.payload(&mut assemblies, *from_originator, payload);
        }
    }
    recogniser
}

/// Returns what payload tells, ports aside.
pub(crate) fn named(recogniser: &Recogniser) -> Option<Application> {
    let conclusion = recogniser.conclusion();
    conclusion.application.filter(|_| conclusion.by_payload)
}

/// Asserts that payloads on ports that suggest nothing are this application's, and returns the recogniser.
#[track_caller]
pub(crate) fn is(application: Application, protocol: u8, payloads: &[(bool, Vec<u8>)]) -> Recogniser {
    let recogniser = recognise(protocol, ANY, payloads);
    assert_eq!(named(&recogniser), Some(application));
    recogniser
}

/// Asserts that these details were told, and nothing else.
#[track_caller]
pub(crate) fn tells(recogniser: &Recogniser, expected: &[(Detail, &str)]) {
    let told: Vec<_> = recogniser.details().into_iter().flat_map(Details::iter).collect();
    assert_eq!(told, expected);
}

/// Returns the bytes of hexadecimal digits, white space aside.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}
