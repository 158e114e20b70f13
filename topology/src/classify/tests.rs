use proptest::{prelude::*, sample::select};

use super::*;
use crate::{MacAddr, Timestamp};

const INTEL: MacAddr = MacAddr([0x00, 0x1b, 0x21, 0, 0, 1]);
const HIKVISION: MacAddr = MacAddr([0x44, 0x19, 0xb6, 0, 0, 1]);
const RANDOM: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 1]);

fn heard(kind: SignKind, value: &str, first: i64, last: i64, count: u32) -> Sign<'_> {
    Sign { kind, value, first: Timestamp::from_unix_ms(first), last: Timestamp::from_unix_ms(last), count }
}

fn said(kind: SignKind, value: &str) -> Sign<'_> {
    heard(kind, value, 1_000, 9_000, 5)
}

fn class(conclusion: &Conclusion) -> Option<(DeviceClass, u8)> {
    conclusion.class.map(|class| (class.is, class.score))
}

fn os(conclusion: &Conclusion) -> Option<OsFamily> {
    conclusion.os.map(|os| os.is)
}

fn windows() -> Vec<Sign<'static>> {
    vec![
        said(SignKind::DhcpVendorClass, "MSFT 5.0"),
        said(SignKind::DhcpParameters, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
        said(SignKind::DhcpName, "DESKTOP-7K2P1"),
        said(SignKind::TcpOpening, "128:64240:1460:8:mnwnns"),
        said(SignKind::LlmnrName, "DESKTOP-7K2P1"),
        said(SignKind::NetbiosName, "DESKTOP-7K2P1"),
    ]
}

#[test]
fn names_and_numbers_are_each_kinds_own_and_read_back() {
    for kind in SignKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(SignKind::numbered(kind.number()), Some(*kind));
    }
    for class in DeviceClass::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        assert_eq!(DeviceClass::of(class.name()), Some(*class));
    }
    for family in OsFamily::ALL {
        assert_eq!(serde_json::to_value(family).unwrap(), family.name());
        assert_eq!(OsFamily::of(family.name()), Some(*family));
    }
}

#[test]
fn nothing_follows_from_nothing() {
    assert!(conclude(RANDOM, &[]).is_empty());
    assert!(conclude(INTEL, &[]).class.is_none(), "a card's maker alone tells no computer from another thing");
}

#[test]
fn a_desktop_with_windows_is_told_with_its_version_and_name() {
    let conclusion = conclude(INTEL, &windows());
    let (class, score) = class(&conclusion).unwrap();
    assert_eq!((class, os(&conclusion)), (DeviceClass::Pc, Some(OsFamily::Windows)));
    assert!(score >= 75, "{score}");
    assert!(conclusion.os.unwrap().score >= 95, "{conclusion:?}");
    assert_eq!(conclusion.os_text().as_deref(), Some("Windows 10 or later"));
    assert_eq!(conclusion.name(), Some("DESKTOP-7K2P1"));
    assert_eq!(conclusion.names.len(), 1);
    assert_eq!(conclusion.names[0].kinds, [SignKind::DhcpName, SignKind::LlmnrName, SignKind::NetbiosName]);
}

#[test]
fn each_class_is_told_by_what_such_machines_say() {
    use DeviceClass as C;
    use SignKind as K;
    for (mac, signs, expected) in [
        (HIKVISION, vec![said(K::MakerModel, "DS-2CD2142FWD-I"), said(K::TcpService, "554")], C::Camera),
        (HIKVISION, vec![said(K::WsdType, "NetworkVideoTransmitter")], C::Camera),
        (HIKVISION, vec![said(K::MakerModel, "DS-7608NI-K2")], C::Recorder),
        (RANDOM, vec![said(K::MdnsService, "_ipp._tcp"), said(K::TcpService, "9100")], C::Printer),
        (RANDOM, vec![said(K::DhcpVendorClass, "Cisco Systems, Inc. IP Phone CP-7945G")], C::Phone),
        (RANDOM, vec![said(K::MdnsModel, "iPhone12,1")], C::Mobile),
        (RANDOM, vec![said(K::Speaks, "h323"), said(K::TcpService, "1720")], C::VideoTerminal),
        (RANDOM, vec![said(K::Speaks, "hj212")], C::EnvironmentalMonitor),
        (RANDOM, vec![said(K::Serves, "modbus"), said(K::TcpService, "502")], C::Controller),
        (RANDOM, vec![said(K::SpanningTree, "32768.00e0fc000001")], C::NetworkDevice),
        (RANDOM, vec![said(K::LldpSystem, "Huawei Versatile Routing Platform Software")], C::NetworkDevice),
        (RANDOM, vec![said(K::NetbiosService, "domain_controller"), said(K::TcpService, "389")], C::Server),
        (RANDOM, vec![said(K::SsdpServer, "Linux/4.4 UPnP/1.0 Synology/DSM")], C::Storage),
        (RANDOM, vec![said(K::MdnsService, "_googlecast._tcp")], C::Media),
    ] {
        let conclusion = conclude(mac, &signs);
        assert_eq!(class(&conclusion).map(|it| it.0), Some(expected), "{signs:?}: {conclusion:?}");
    }
    let power = MacAddr([0x00, 0xc0, 0xb7, 0, 0, 1]);
    assert_eq!(class(&conclude(power, &[])).map(|it| it.0), Some(C::Power));
}

#[test]
fn one_protocol_that_says_much_is_one_witness() {
    let once = conclude(RANDOM, &[said(SignKind::TcpService, "9100")]);
    let often: Vec<_> = ["9100", "9101", "515", "631"].map(|port| said(SignKind::TcpService, port)).into();
    assert!(conclude(RANDOM, &often).class <= once.class, "{often:?}");
}

#[test]
fn a_branch_of_linux_is_not_contradicted_by_what_speaks_for_linux() {
    let signs =
        [said(SignKind::DhcpVendorClass, "android-dhcp-13"), said(SignKind::TcpOpening, "64:65535:1460:9:mstnw")];
    let conclusion = conclude(RANDOM, &signs);
    assert_eq!(os(&conclusion), Some(OsFamily::Android));
    assert!(conclusion.os.unwrap().score > conclude(RANDOM, &signs[..1]).os.unwrap().score);
}

#[test]
fn what_contradicts_lowers_the_score_and_is_shown() {
    let printer = [said(SignKind::WsdType, "PrintDeviceType")];
    let (_, alone) = class(&conclude(RANDOM, &printer)).unwrap();
    let both = [printer[0], said(SignKind::LldpCapability, "telephone")];
    let conclusion = conclude(RANDOM, &both);
    let (class, score) = class(&conclusion).unwrap();
    assert!(class == DeviceClass::Printer && score < alone, "{conclusion:?}");
    let against: Vec<_> = conclusion.grounds.iter().filter(|ground| conclusion.is_against(ground)).collect();
    assert_eq!(against.len(), 1);
    assert_eq!((against[0].kind, against[0].claim), (SignKind::LldpCapability, Claim::Class(DeviceClass::Phone)));
}

#[test]
fn one_forged_message_neither_takes_a_name_nor_stays_unseen() {
    let known = heard(SignKind::DhcpName, "CAIWU-03", 0, 100_000, 9);
    let forged = heard(SignKind::DhcpName, "EVIL", 110_000, 110_000, 1);
    let conclusion = conclude(INTEL, &[known, forged]);
    let names: Vec<_> = conclusion.names.iter().map(|name| name.name.as_str()).collect();
    assert_eq!(names, ["CAIWU-03", "EVIL"]);
    assert!(conclusion.names[0].score < conclude(INTEL, &[known]).names[0].score);
    assert_eq!(standing(&[known, forged], SignKind::DhcpName), Some("CAIWU-03"));
    // Whoever goes on as long as the other one does not speak is believed, and the other is still there to be seen.
    let insisted = heard(SignKind::DhcpName, "EVIL", 110_000, 120_000, 2);
    assert_eq!(conclude(INTEL, &[known, insisted]).names[0].name, "EVIL");
    assert_eq!(conclude(INTEL, &[known, insisted]).names.len(), 2);
    // The moment that the other speaks again, it is a matter of who was heard more.
    let known = heard(SignKind::DhcpName, "CAIWU-03", 0, 130_000, 10);
    assert_eq!(conclude(INTEL, &[known, insisted]).names[0].name, "CAIWU-03");
}

#[test]
fn names_that_differ_in_case_domain_or_by_what_netbios_cuts_are_one() {
    let signs = [
        said(SignKind::DhcpName, "office-workstation-12"),
        said(SignKind::NetbiosName, "OFFICE-WORKSTAT"),
        said(SignKind::Dhcpv6Name, "office-workstation-12.example.cn"),
    ];
    let conclusion = conclude(RANDOM, &signs);
    assert_eq!(conclusion.names.len(), 1, "{:?}", conclusion.names);
    assert_eq!(conclusion.name(), Some("office-workstation-12"));
}

#[test]
fn several_machines_behind_one_address_are_suspected_by_hops_clocks_and_systems() {
    assert_eq!(conclude(RANDOM, &windows()).shared, None);
    let hop = conclude(RANDOM, &[said(SignKind::HiddenHop, "1")]);
    assert!(hop.shared.is_some_and(|score| score >= 70), "{hop:?}");
    let both = conclude(
        RANDOM,
        &[
            said(SignKind::HiddenHop, "1"),
            said(SignKind::HttpAgent, "Dalvik/2.1 (Linux; Android 9)"),
            said(SignKind::HttpAgent, "Mozilla/5.0 (Windows NT 10.0; Win64)"),
        ],
    );
    assert!(both.shared > hop.shared, "{both:?}");
    let rare = [
        heard(SignKind::TcpOpening, "128:64240:1460:8:mnwnns", 0, 0, 1),
        said(SignKind::TcpOpening, "64:64240:1460:7:mstnw"),
    ];
    assert_eq!(conclude(RANDOM, &rare).shared, None, "once is no second machine");
}

fn values() -> impl Strategy<Value = (SignKind, &'static str)> {
    use SignKind as K;
    select(vec![
        (K::DhcpVendorClass, "MSFT 5.0"),
        (K::DhcpVendorClass, "android-dhcp-13"),
        (K::DhcpVendorClass, "udhcp 1.20"),
        (K::DhcpName, "PC-1"),
        (K::DhcpName, "pc-1.example"),
        (K::DhcpName, "EVIL"),
        (K::MdnsName, "PC-1"),
        (K::MdnsService, "_ipp._tcp"),
        (K::MdnsService, "_workstation._tcp"),
        (K::NetbiosName, "OTHER"),
        (K::TcpOpening, "64:64240:1460:7:mstnw"),
        (K::TcpOpening, "128:64240:1460:8:mnwnns"),
        (K::TcpService, "554"),
        (K::TcpService, "9100"),
        (K::WsdType, "Computer"),
        (K::LldpCapability, "bridge"),
        (K::HiddenHop, "1"),
        (K::HttpAgent, "Mozilla/5.0 (Windows NT 10.0)"),
        (K::HttpAgent, "Dalvik/2.1"),
        (K::ClaimedByOther, "EVIL from 02:00:00:00:00:09"),
    ])
}

fn signs() -> impl Strategy<Value = Vec<Sign<'static>>> {
    let sign = (values(), 0..50_i64, 0..50_i64, 1..6_u32)
        .prop_map(|((kind, value), first, more, count)| heard(kind, value, first, first + more, count));
    proptest::collection::vec(sign, 0..16).prop_map(|mut signs| {
        // A table of signs holds each value once.
        signs.sort_by_key(|sign| (sign.kind, sign.value));
        signs.dedup_by_key(|sign| (sign.kind, sign.value));
        signs
    })
}

proptest! {
    #[test]
    fn the_order_of_signs_does_not_matter(signs in signs().prop_flat_map(|signs| (Just(signs.clone()), Just(signs).prop_shuffle()))) {
        let (one, other) = signs;
        prop_assert_eq!(conclude(INTEL, &one), conclude(INTEL, &other));
    }

    #[test]
    fn conclusions_are_bounded_and_stand_on_something(signs in signs()) {
        let conclusion = conclude(HIKVISION, &signs);
        prop_assert!(conclusion.grounds.len() <= GROUNDS_MAX && conclusion.names.len() <= NAMES_MAX);
        prop_assert!(conclusion.grounds.iter().all(|ground| ground.value.len() <= GROUND_BYTES && ground.points > 0));
        if let Some(class) = conclusion.class {
            prop_assert!((1..=99).contains(&class.score));
            let supports = conclusion.grounds.iter().any(|ground| ground.claim == Claim::Class(class.is));
            prop_assert!(supports, "{:?}", conclusion);
        }
        if let Some(os) = conclusion.os {
            prop_assert!((1..=99).contains(&os.score));
            let supports = |ground: &Ground| matches!(ground.claim, Claim::Os(family) if family.agrees_with(os.is));
            prop_assert!(conclusion.grounds.iter().any(supports), "{:?}", conclusion);
        }
        for name in &conclusion.names {
            prop_assert!((1..=99).contains(&name.score));
        }
        prop_assert_eq!(conclusion.names.is_empty(), !signs.iter().any(|sign| sign.kind.is_name()));
    }

    #[test]
    fn no_text_makes_a_rule_panic(kind in select(SignKind::ALL), value in "\\PC{0,80}") {
        let conclusion = conclude(INTEL, &[said(kind, &value)]);
        prop_assert!(conclusion.grounds.iter().all(|ground| ground.value.len() <= GROUND_BYTES));
    }
}
