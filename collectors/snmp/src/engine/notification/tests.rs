use proptest::prelude::*;

use super::*;
use crate::{AuthProtocol, PrivacyProtocol, V3Security, V3User};

/// linkDown as net-snmp's `snmptrap -v2c -c public HOST 4711 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.3 i 3` sends it.
fn link_down(tag: u8) -> Vec<u8> {
    let mut message = Backwards::default();
    let pair = |message: &mut Backwards, name: &[u32], value: &dyn Fn(&mut Backwards)| {
        let end = message.end();
        value(message);
        assert!(message.object_id(&Oid::from_arcs(name)));
        message.close(ber::SEQUENCE, end);
    };
    pair(&mut message, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 3], &|message| message.integer(3));
    pair(&mut message, &TRAP_OID, &|message| assert!(message.object_id(&Oid::joined(&GENERIC_TRAPS, &[3]))));
    pair(&mut message, &SYS_UPTIME, &|message| message.tagged(0x43, &[0x12, 0x67]));
    message.close(ber::SEQUENCE, 0);
    message.integer(0);
    message.integer(0);
    message.integer(77);
    message.close(tag, 0);
    message.octets(b"public");
    message.integer(1);
    message.close(ber::SEQUENCE, 0);
    message.finish()
}

fn receiver() -> Receiver {
    let engine = LocalEngine { id: vec![0x80, 0, 0, 0, 5, 1, 2, 3], boots: 3, started_s: 1_000 };
    Receiver::new(engine).unwrap()
}

fn public() -> Vec<Credentials> {
    vec![Credentials::community("other").unwrap(), Credentials::community("public").unwrap()]
}

#[test]
fn a_trap_is_told_and_not_answered_and_an_inform_is_answered_with_its_own_values() {
    let Taken { said, answer } = receiver().take(&link_down(TRAP_V2), &public(), 1_005);
    let said = said.unwrap();
    assert_eq!((said.version, said.confirmed, said.uptime_ticks), (Version::V2c, false, Some(0x1267)));
    assert_eq!(said.name.to_string(), "1.3.6.1.6.3.1.1.5.3");
    assert_eq!(said.varbinds.len(), 1);
    assert!(answer.is_none());

    let inform = link_down(INFORM);
    let Taken { said, answer } = receiver().take(&inform, &public(), 1_005);
    assert!(said.unwrap().confirmed);
    let mut expected = inform;
    let at = expected.iter().position(|byte| *byte == INFORM).unwrap();
    expected[at] = RESPONSE;
    assert_eq!(answer.unwrap(), expected);
}

#[test]
fn a_wrong_community_is_refused_and_never_answered() {
    let accepted = [Credentials::community("publik").unwrap()];
    for tag in [TRAP_V2, INFORM] {
        let Taken { said, answer } = receiver().take(&link_down(tag), &accepted, 1_005);
        assert_eq!((said.unwrap_err(), answer), (Refused::WrongCommunity, None));
    }
    let question = link_down(0xa0);
    assert_eq!(receiver().take(&question, &public(), 1_005).said.unwrap_err(), Refused::NotANotification);
    assert!(receiver().take(&question, &public(), 1_005).answer.is_none());
}

#[test]
fn the_traps_of_version_1_get_the_names_of_version_2() {
    let enterprise: Oid = "1.3.6.1.4.1.2011.2.23".parse().unwrap();
    for (generic, specific, name) in [
        (0, 0, "1.3.6.1.6.3.1.1.5.1"),
        (2, 9, "1.3.6.1.6.3.1.1.5.3"),
        (5, 0, "1.3.6.1.6.3.1.1.5.6"),
        (6, 17, "1.3.6.1.4.1.2011.2.23.0.17"),
    ] {
        assert_eq!(name_v1(&enterprise, generic, specific).to_string(), name);
    }
}

#[test]
fn an_engine_id_is_told_to_whoever_asks_and_nothing_to_whoever_does_not() {
    // The question by which every SNMPv3 sender begins: no engine id, no user, reportable.
    let question = crate::engine::discovery::DISCOVERY;
    let Taken { said, answer } = receiver().take(&question, &public(), 1_005);
    assert_eq!(said.unwrap_err(), Refused::EngineUnknown);
    let answer = answer.unwrap();
    assert!(answer.windows(8).any(|part| part == [0x80, 0, 0, 0, 5, 1, 2, 3]));
    let mut unreportable = question;
    unreportable[20] = 0;
    assert_eq!(question[20], 4, "the flags are there");
    assert!(receiver().take(&unreportable, &public(), 1_005).answer.is_none());
}

fn users() -> Vec<Credentials> {
    let security = V3Security::Encrypted {
        auth: AuthProtocol::Sha1,
        auth_key: "long enough".into(),
        privacy: PrivacyProtocol::Aes128,
        privacy_key: "long enough".into(),
    };
    let user = V3User { name: "trap".to_owned(), security, context: String::new() };
    let open = V3User { name: "open".to_owned(), security: V3Security::None, context: String::new() };
    [public(), vec![Credentials::user(user).unwrap(), Credentials::user(open).unwrap()]].concat()
}

/// What fuzzing found worth keeping, one datagram a file: `tests/fuzz/run notification` begins with them.
#[test]
fn what_fuzzing_found_is_taken_as_the_invariant_has_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/notification");
    let (mut files, mut believed, mut receiver, users) = (0, 0, receiver(), users());
    for file in std::fs::read_dir(folder).unwrap() {
        let datagram = std::fs::read(file.unwrap().path()).unwrap();
        let Taken { said, answer } = receiver.take(&datagram, &users, 1_005);
        files += 1;
        believed += usize::from(said.is_ok());
        assert!(answer.is_none_or(|answer| answer.len() <= datagram.len() + 128));
    }
    assert!(files >= 10 && believed >= 4, "{believed} of {files}");
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_a_panic(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(receiver().take(&datagram, &users(), 1_005).said.is_err());
    }

    #[test]
    fn a_damaged_inform_is_answered_only_when_it_is_believed(at in 0usize..80, byte in any::<u8>(), cut in 0usize..80) {
        let mut datagram = link_down(INFORM);
        let length = datagram.len();
        if let Some(place) = datagram.get_mut(at) {
            *place = byte;
        }
        datagram.truncate(length.saturating_sub(cut));
        let Taken { said, answer } = receiver().take(&datagram, &public(), 1_005);
        prop_assert!(said.is_ok() || answer.is_none());
    }
}
