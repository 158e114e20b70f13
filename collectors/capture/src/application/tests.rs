use super::*;

const CLIENT: u16 = 50_000;

/// Gives payloads to a recogniser: a side and bytes each.
fn recognised(protocol: u8, port: u16, payloads: &[(bool, &[u8])]) -> Recogniser {
    let mut recogniser = Recogniser::new(protocol, CLIENT, port);
    let mut assemblies = Assemblies::default();
    for (from_originator, payload) in payloads {
        recogniser.payload(&mut assemblies, *from_originator, payload);
    }
    recogniser
}

fn named(recogniser: &Recogniser) -> Option<Application> {
    let conclusion = recogniser.conclusion();
    conclusion.application.filter(|_| conclusion.by_payload)
}

#[test]
fn a_flow_takes_24_bytes() {
    assert_eq!(size_of::<Recogniser>(), 24);
}

#[test]
fn a_port_suggests_until_payload_contradicts() {
    let guess = |application, by_payload| Conclusion { application, by_payload };
    let silent = Recogniser::new(TCP, CLIENT, 22);
    assert_eq!(silent.conclusion(), guess(Some(Application::Ssh), false));
    let request = recognised(TCP, 22, &[(true, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")]);
    assert_eq!(request.conclusion(), guess(Some(Application::Http), true));
    let nonsense = recognised(TCP, 22, &[(true, b"\x01\x02\x03\x04\x05\x06\x07\x08\x09")]);
    assert_eq!(nonsense.conclusion(), guess(None, false));
}

#[test]
fn payload_with_a_gap_before_it_contradicts_nothing() {
    let mut middle = Recogniser::new(TCP, CLIENT, 22);
    let mut assemblies = Assemblies::default();
    middle.gap(&mut assemblies);
    middle.payload(&mut assemblies, true, b"\x01\x02\x03\x04\x05\x06\x07\x08\x09");
    assert_eq!(middle.conclusion(), Conclusion { application: Some(Application::Ssh), by_payload: false });
}

#[test]
fn what_is_never_recognised_is_given_up() {
    let mut recogniser = Recogniser::new(TCP, CLIENT, 9);
    let mut assemblies = Assemblies::default();
    for _ in 0..SEARCH_MAX {
        assert!(!recogniser.is_done());
        recogniser.payload(&mut assemblies, true, b"\xfe\xdc\xba\x98\x76\x54\x32\x10");
    }
    assert!(recogniser.is_done());
    assert!(recogniser.details().is_none());
}

#[test]
fn a_protocol_without_ports_is_known_at_once() {
    let ping = Recogniser::new(1, 0, 8 << 8);
    assert!(ping.is_done());
    assert_eq!(named(&ping), Some(Application::Icmp));
    assert_eq!(Recogniser::new(47, 0, 0).conclusion(), Conclusion::default());
}

#[test]
fn a_request_in_small_segments_is_read_once_it_is_whole() {
    let request = b"GET /a HTTP/1.1\r\nHost: www.a.example\r\nUser-Agent: curl/8\r\n\r\n";
    let mut recogniser = Recogniser::new(TCP, CLIENT, 8_888);
    let mut assemblies = Assemblies::default();
    for part in request.chunks(7) {
        recogniser.payload(&mut assemblies, true, part);
    }
    assert_eq!(named(&recogniser), Some(Application::Http));
    let details = recogniser.details().unwrap();
    assert_eq!(details.name(), Some("www.a.example"));
    assert_eq!(details.get(Detail::Client), Some("curl/8"));
    assert_eq!(assemblies.octets(), 0);
}
