//! One datagram that somebody sends to the port for traps.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onenet_snmp::{
    AuthProtocol, Credentials, LocalEngine, PrivacyProtocol, Receiver, Taken, V3Security, V3User,
};

/// What is believed of the sender: a community, a user who signs and encrypts, and one who does neither.
static ACCEPTED: LazyLock<Vec<Credentials>> = LazyLock::new(|| {
    let security = V3Security::Encrypted {
        auth: AuthProtocol::Sha1,
        auth_key: "long enough".into(),
        privacy: PrivacyProtocol::Aes128,
        privacy_key: "long enough".into(),
    };
    let user = V3User { name: "trap".to_owned(), security, context: String::new() };
    let open = V3User { name: "open".to_owned(), security: V3Security::None, context: String::new() };
    let community = Credentials::community("public").expect("a community");
    vec![community, Credentials::user(user).expect("a user"), Credentials::user(open).expect("a user")]
});

fuzz_target!(|data: &[u8]| {
    let engine = LocalEngine { id: vec![0x80, 0, 0, 0, 5, 1, 2, 3], boots: 3, started_s: 1_000 };
    let mut receiver = Receiver::new(engine).expect("random numbers");
    let Taken { said, answer } = receiver.take(data, &ACCEPTED, 1_005);
    // What is sent back repeats what came, in an envelope of our own.
    assert!(answer.as_ref().is_none_or(|answer| answer.len() <= data.len() + 128), "{answer:?}");
    if let Ok(said) = said {
        assert!(said.varbinds.len() <= data.len() / 2);
        let octets: usize = said.varbinds.iter().filter_map(|pair| pair.value.octets()).map(<[u8]>::len).sum();
        assert!(octets <= data.len());
    }
});
