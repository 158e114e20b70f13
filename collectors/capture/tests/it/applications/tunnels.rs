//! Tunnels, proxies and peers, by bytes made after their specifications.

use onenet_capture::application::Detail;
use onenet_topology::application::Application;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::*;

#[test]
fn keys_of_ipsec_are_told_with_and_without_the_mark_of_translation() {
    let message = hex("1122334455667788 0000000000000000 21 20 22 08 00000000 00000024 00000008 00000000");
    tells(&is(Application::Ike, UDP, &[out(&message)]), &[(Detail::Version, "IKEv2")]);
    let marked = [&[0; 4][..], &message].concat();
    assert_eq!(named(&recognise(UDP, [4_500, 4_500], &[out(marked)])), Some(Application::Ike));
    // Encrypted packets neither tell nor contradict.
    let sealed = recognise(UDP, [4_500, 4_500], &[out([&[1, 2, 3, 4][..], &[9; 60]].concat())]).conclusion();
    assert_eq!((sealed.application, sealed.by_payload), (Some(Application::Ike), false));
}

#[test]
fn a_tunnel_is_told_when_the_answer_names_its_session() {
    let reset = hex("38 0102030405060708 00 00000000");
    let answer = hex("40 1112131415161718 01 00000000 0102030405060708 00000000");
    is(Application::Openvpn, UDP, &[out(&reset), back(&answer)]);
    let framed = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    is(Application::Openvpn, TCP, &[out(framed(&reset)), back(framed(&answer))]);
    let other = hex("40 1112131415161718 01 00000000 01020304aaaaaaaa 00000000");
    assert_eq!(named(&recognise(UDP, ANY, &[out(&reset), back(other)])), None);
    is(Application::Wireguard, UDP, &[out([&[1, 0, 0, 0][..], &[7; 144]].concat())]);
}

#[test]
fn dial_in_is_told_by_its_control() {
    let start = [
        &hex("c802 0026 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100")[..],
        &hex("800a 0000 0007"),
        b"lac1",
    ];
    tells(&is(Application::L2tp, UDP, &[out(start.concat())]), &[(Detail::Hostname, "lac1")]);
    let start = [
        &hex("009c 0001 1a2b3c4d 0001 0000 0100 0000 00000003 00000002 0000 0000")[..],
        b"pc-17",
        &[0; 59],
        b"MS",
        &[0; 62],
    ];
    tells(&is(Application::Pptp, TCP, &[out(start.concat())]), &[(Detail::Hostname, "pc-17"), (Detail::Client, "MS")]);
}

#[test]
fn a_proxy_tells_where_it_is_sent() {
    let target = [&hex("05 01 00 03 0c")[..], b"site.example", &hex("01bb")].concat();
    let told = is(Application::Socks, TCP, &[out(hex("05 01 00")), back(hex("05 00")), out(target)]);
    tells(&told, &[(Detail::ServerName, "site.example"), (Detail::Version, "SOCKS5")]);
    let target = [&hex("04 01 0050 00000001 6c6900")[..], b"site.example\0"].concat();
    is(Application::Socks, TCP, &[out(target), back(hex("00 5a 0000 00000000"))]);
}

#[test]
fn peers_are_told_by_what_they_say_first() {
    let hello = [&b"\x13BitTorrent protocol"[..], &[0; 8], &[5; 20], b"-qB4630-abcdefghijkl"].concat();
    tells(&is(Application::Bittorrent, TCP, &[out(hello)]), &[(Detail::Client, "qB4630")]);
    is(Application::Bittorrent, UDP, &[out("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")]);
    is(Application::Stun, UDP, &[out(hex("0001 0000 2112a442 0102030405060708090a0b0c"))]);
}

/// Returns the client's first packet of RFC 9001, appendix A.2: its contents sealed with the keys that the standard gives.
fn first_packet_of_quic() -> Vec<u8> {
    let frame = hex(
        "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00\
         000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00050005010000000000330026002400\
         1d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503060302030804\
         08050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f0883\
         94c8f03e51570806048000ffff",
    );
    let key = UnboundKey::new(&AES_128_GCM, &hex("1f369613dd76d5467730efcbe3b1a22d")).unwrap();
    // The vector of the standard, with packet number 2 in it.
    let nonce = Nonce::assume_unique_for_key(hex("fa044b2f42a3fd3b46fb255e").try_into().unwrap());
    let mut sealed = [frame, vec![0; 1_162]].concat();
    sealed.truncate(1_162);
    let header = hex("c300000001088394c8f03e5157080000449e00000002");
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).unwrap();
    assert!(sealed.starts_with(&hex("d1b1c98dd7689fb8ec11")), "as the standard has it");
    [hex("c000000001088394c8f03e5157080000449e7b9aec34"), sealed].concat()
}

#[test]
fn the_hello_in_the_standards_first_packet_of_quic_is_opened() {
    let told = is(Application::Quic, UDP, &[out(first_packet_of_quic())]);
    let details = told.details().unwrap();
    assert_eq!((details.get(Detail::Version), details.name()), (Some("QUICv1"), Some("example.com")));
    assert_eq!(details.get(Detail::Alpn), Some("alpn"));
    assert!(details.get(Detail::Ja4).unwrap().starts_with("q13d0211an_"), "{details:?}");
}
