//! What endpoints say of themselves by the protocols of discovery, and by how they open connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use onenet_capture::{Pipeline, PipelineOptions, inventory::EndpointState};
use onenet_topology::{
    MacAddr, Timestamp,
    classify::{DeviceClass, OsFamily, SignKind},
    fact::NeighbourProtocol,
};

use crate::frames::*;

const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const SSDP_GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

/// A pipeline that knows Anna's address.
fn pipeline() -> Pipeline {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    send(&mut pipeline, 0, &ethernet(ANNA, MacAddr::BROADCAST, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)));
    pipeline
}

fn state(pipeline: &Pipeline, mac: MacAddr) -> EndpointState {
    pipeline.endpoints().find(|endpoint| endpoint.mac == mac).unwrap()
}

fn signs(pipeline: &Pipeline, mac: MacAddr) -> Vec<(SignKind, String)> {
    state(pipeline, mac).signs.into_iter().map(|sign| (sign.kind, sign.value)).collect()
}

/// Returns what Anna is known to have said after the frames.
fn said(frames: &[Vec<u8>]) -> Vec<(SignKind, String)> {
    let mut pipeline = pipeline();
    for (second, frame) in (1..).zip(frames) {
        send(&mut pipeline, second, frame);
    }
    let statistics = pipeline.statistics();
    assert_eq!(statistics.undecoded().collect::<Vec<_>>(), []);
    signs(&pipeline, ANNA)
}

fn texts(signs: &[(SignKind, String)]) -> Vec<(SignKind, &str)> {
    signs.iter().map(|(kind, text)| (*kind, text.as_str())).collect()
}

fn datagram(from: Ipv4Addr, to: Ipv4Addr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    ethernet(ANNA, MacAddr::BROADCAST, IPV4, &ipv4(from, to, 17, &udp(ports.0, ports.1, payload)))
}

fn name(labels: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [name, &kind.to_be_bytes(), &[0x80, 1, 0, 0, 0, 120], &length.to_be_bytes(), data].concat()
}

fn question(name: &[u8], kind: u16) -> Vec<u8> {
    [name, &kind.to_be_bytes(), &[0, 1]].concat()
}

/// A message with the entries of each section: questions, answers, authorities, others.
fn message(flags: u16, sections: [&[Vec<u8>]; 4]) -> Vec<u8> {
    let mut bytes = [&[0, 7][..], &flags.to_be_bytes()].concat();
    for section in sections {
        bytes.extend(u16::try_from(section.len()).unwrap().to_be_bytes());
    }
    sections.into_iter().flatten().for_each(|entry| bytes.extend(entry));
    bytes
}

#[test]
fn multicast_dns_tells_names_services_and_models_of_whoever_answers() {
    let host = name(&["macbook", "local"]);
    let (printing, instance) = (name(&["_ipp", "_tcp", "local"]), name(&["HP 1. floor", "_ipp", "_tcp", "local"]));
    let kinds = name(&["_services", "_dns-sd", "_udp", "local"]);
    let service = [&[0, 0, 0, 0, 2, 119][..], &host].concat();
    let model = b"\x0eosxvers=20 x=1\x13model=MacBookPro9,2\0";
    let answers = [
        record(&host, 1, &ANNA_IP.octets()),
        record(&printing, 12, &instance),
        record(&kinds, 12, &name(&["_ssh", "_tcp", "local"])),
        record(&instance, 33, &service),
        record(&name(&["macbook", "_device-info", "_tcp", "local"]), 16, model),
        record(&host, 13, b"\x04i686\x05LINUX"),
    ];
    let frame = datagram(ANNA_IP, MDNS_GROUP, (5_353, 5_353), &message(0x8400, [&[], &answers, &[], &[]]));
    assert_eq!(
        texts(&said(&[frame])),
        [
            (SignKind::MdnsName, "macbook"),
            (SignKind::MdnsService, "_ipp._tcp"),
            (SignKind::MdnsService, "_ssh._tcp"),
            (SignKind::MdnsModel, "MacBookPro9,2"),
            (SignKind::MdnsSystem, "i686 LINUX"),
        ]
    );
}

#[test]
fn of_a_question_only_what_it_is_about_to_claim_counts() {
    let (bert, anna) = (name(&["bert", "local"]), name(&["anna", "local"]));
    let known = [record(&bert, 1, &BERT_IP.octets())];
    let claim = [record(&anna, 1, &ANNA_IP.octets())];
    let asking = message(0, [&[question(&anna, 255)], &known, &claim, &[]]);
    let frame = datagram(ANNA_IP, MDNS_GROUP, (5_353, 5_353), &asking);
    assert_eq!(texts(&said(&[frame])), [(SignKind::MdnsName, "anna")]);
}

#[test]
fn llmnr_tells_who_asks_and_who_answers_to_a_name() {
    let own = name(&["ANNA-PC"]);
    let uniqueness = message(0, [&[question(&own, 255)], &[], &[], &[]]);
    let group = Ipv4Addr::new(224, 0, 0, 252);
    let asks = datagram(ANNA_IP, group, (50_000, 5_355), &uniqueness);
    assert_eq!(texts(&said(&[asks])), [(SignKind::LlmnrName, "ANNA-PC"), (SignKind::LlmnrQuery, "asks")]);
    let looks_up =
        datagram(ANNA_IP, group, (50_000, 5_355), &message(0, [&[question(&name(&["bert"]), 1)], &[], &[], &[]]));
    assert_eq!(texts(&said(&[looks_up])), [(SignKind::LlmnrQuery, "asks")]);
    let answer = message(0x8000, [&[question(&own, 1)], &[record(&own, 1, &ANNA_IP.octets())], &[], &[]]);
    let answers = datagram(ANNA_IP, BERT_IP, (5_355, 50_000), &answer);
    assert_eq!(texts(&said(&[answers])), [(SignKind::LlmnrName, "ANNA-PC")]);
}

/// A NetBIOS name as a label: fifteen characters and the suffix, each half an octet a letter.
fn netbios(text: &str, suffix: u8) -> Vec<u8> {
    let mut octets = [b' '; 16];
    octets[..text.len()].copy_from_slice(text.as_bytes());
    octets[15] = suffix;
    let letters: String = octets.iter().flat_map(|it| [b'A' + (it >> 4), b'A' + (it & 15)]).map(char::from).collect();
    name(&[&letters])
}

#[test]
fn netbios_registrations_tell_names_groups_and_domain_controllers() {
    let owner = |flags: u8| [&[flags, 0][..], &ANNA_IP.octets()].concat();
    let register = |text: &str, suffix: u8, flags: u8| {
        let owned = netbios(text, suffix);
        let claim = [record(&owned, 32, &owner(flags))];
        let sections: [&[Vec<u8>]; 4] = [&[question(&owned, 32)], &[], &[], &claim];
        datagram(ANNA_IP, Ipv4Addr::new(10, 0, 0, 255), (137, 137), &message(0x2910, sections))
    };
    let frames = [
        register("ANNA-PC", 0x00, 0),
        register("ANNA-PC", 0x20, 0),
        register("KESHI", 0x00, 0x80),
        register("KESHI", 0x1c, 0x80),
        register("\u{1}\u{2}__MSBROWSE__", 0x01, 0x80),
    ];
    assert_eq!(
        texts(&said(&frames)),
        [
            (SignKind::NetbiosName, "ANNA-PC"),
            (SignKind::NetbiosGroup, "KESHI"),
            (SignKind::NetbiosService, "domain_controller"),
            (SignKind::NetbiosService, "file_server"),
            (SignKind::NetbiosService, "workstation"),
        ]
    );
}

#[test]
fn the_state_of_a_netbios_node_tells_all_its_names() {
    let row = |text: &str, suffix: u8, flags: u8| {
        let mut row = [b' '; 18];
        row[..text.len()].copy_from_slice(text.as_bytes());
        (row[15], row[16], row[17]) = (suffix, flags, 0);
        row
    };
    let rows = [row("FILES", 0x20, 0x04), row("FILES", 0x00, 0x04), row("WORKGROUP", 0x00, 0x84)];
    let data = [&[3_u8][..], &rows.concat()].concat();
    let answer = record(&netbios("*", 0), 33, &data);
    let frame = datagram(ANNA_IP, BERT_IP, (137, 50_001), &message(0x8400, [&[], &[answer], &[], &[]]));
    let heard = said(&[frame]);
    assert_eq!(texts(&heard)[..2], [(SignKind::NetbiosName, "FILES"), (SignKind::NetbiosGroup, "WORKGROUP")]);
}

#[test]
fn an_announcement_to_the_network_neighbourhood_tells_version_and_roles() {
    let mut announcement = vec![1, 0, 0, 0, 0, 0];
    announcement.extend(b"SRV-1\0\0\0\0\0\0\0\0\0\0\0");
    announcement.extend([6, 1]);
    announcement.extend(0x0000_8003_u32.to_le_bytes());
    announcement.extend([15, 1, 0x55, 0xaa]);
    announcement.extend(b"file server\0");
    let slot = b"\\MAILSLOT\\BROWSE\0";
    let place = u16::try_from(32 + 1 + 34 + 2 + slot.len()).unwrap().to_le_bytes();
    let length = u16::try_from(announcement.len()).unwrap().to_le_bytes();
    let mut parameters = vec![0; 34];
    parameters[22..24].copy_from_slice(&length);
    parameters[24..26].copy_from_slice(&place);
    let mut smb = b"\xffSMB\x25".to_vec();
    smb.resize(32, 0);
    let smb = [&smb[..], &[17], &parameters, &[0, 0], slot, &announcement].concat();
    let head = [0x11, 2, 0, 1, 10, 0, 0, 10, 0, 138, 0, 0, 0, 0];
    let bytes = [&head[..], &netbios("SRV-1", 0), &netbios("KESHI", 0x1d), &smb].concat();
    assert_eq!(
        texts(&said(&[datagram(ANNA_IP, Ipv4Addr::new(10, 0, 0, 255), (138, 138), &bytes)])),
        [
            (SignKind::NetbiosName, "SRV-1"),
            (SignKind::BrowserSystem, "6.1"),
            (SignKind::BrowserRole, "nt_server"),
            (SignKind::BrowserRole, "workstation"),
        ]
    );
}

#[test]
fn ssdp_tells_kinds_and_products() {
    let notify = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:Printer:1\r\n\
        Server: Linux/4.4 UPnP/1.0 Pantum/1\r\nUSN: uuid:1::x\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nST:upnp:rootdevice\r\nSERVER:\tLinux/4.4 UPnP/1.0 Pantum/1\r\n\r\n";
    let search = b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSER-AGENT: Microsoft Edge/130 Windows\r\n\r\n";
    let frames = [
        datagram(ANNA_IP, SSDP_GROUP, (1_900, 1_900), notify),
        datagram(ANNA_IP, BERT_IP, (1_900, 50_000), answer),
        datagram(ANNA_IP, SSDP_GROUP, (50_000, 1_900), search),
        datagram(ANNA_IP, SSDP_GROUP, (50_000, 1_900), b"NOTHING of the kind"),
    ];
    assert_eq!(
        texts(&said(&frames)),
        [
            (SignKind::SsdpServer, "Linux/4.4 UPnP/1.0 Pantum/1"),
            (SignKind::SsdpDevice, "urn:schemas-upnp-org:device:Printer:1"),
            (SignKind::SsdpAgent, "Microsoft Edge/130 Windows"),
        ]
    );
}

#[test]
fn ws_discovery_tells_what_a_device_is_and_not_what_somebody_looks_for() {
    let probe = b"<?xml version=\"1.0\"?><s:Envelope><s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types>\
        </d:Probe></s:Body></s:Envelope>";
    assert_eq!(said(&[datagram(ANNA_IP, SSDP_GROUP, (50_000, 3_702), probe)]), []);
    let answer = b"<s:Envelope><s:Header/><s:Body><d:ProbeMatches><d:ProbeMatch>\
        <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes> onvif://www.onvif.org/type/video_encoder\n\
        onvif://www.onvif.org/hardware/DS-2CD2142 onvif://www.onvif.org/name/Gate%20A%zz </d:Scopes>\
        </d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>";
    assert_eq!(
        texts(&said(&[datagram(ANNA_IP, BERT_IP, (3_702, 50_000), answer)])),
        [
            (SignKind::WsdType, "Device"),
            (SignKind::WsdType, "NetworkVideoTransmitter"),
            (SignKind::WsdModel, "DS-2CD2142"),
            (SignKind::WsdName, "Gate A%zz"),
        ]
    );
}

#[test]
fn makers_own_protocols_tell_models() {
    let sadp = b"<?xml version=\"1.0\" encoding=\"utf-8\"?><ProbeMatch><Types>inquiry</Types>\
        <DeviceDescription>DS-2CD3T46</DeviceDescription><DeviceSN>X</DeviceSN></ProbeMatch>";
    let inquiry = b"<Probe><Types>inquiry</Types><DeviceDescription>none</DeviceDescription></Probe>";
    let group = Ipv4Addr::new(239, 255, 255, 250);
    let frames =
        [datagram(ANNA_IP, group, (37_020, 37_020), sadp), datagram(ANNA_IP, group, (37_020, 37_020), inquiry)];
    assert_eq!(texts(&said(&frames)), [(SignKind::MakerModel, "DS-2CD3T46")]);
    let mut dhip = b"\x20\0\0\0DHIP".to_vec();
    dhip.resize(32, 0);
    dhip.extend(b"{\"params\":{\"deviceInfo\":{\"DeviceClass\":\"IPC\",\"DeviceType\" : \"IPC-HFW1320S\"}}}");
    let frame = datagram(ANNA_IP, BERT_IP, (37_810, 50_000), &dhip);
    assert_eq!(texts(&said(&[frame])), [(SignKind::MakerModel, "IPC-HFW1320S")]);
}

#[test]
fn a_dhcpv6_client_tells_its_name_and_class_and_a_relay_tells_nothing() {
    let option = |code: u16, value: &[u8]| {
        [&code.to_be_bytes()[..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
    };
    let options = [
        option(1, &[0, 1, 0, 1, 9, 9]),
        option(6, &[0, 17, 0, 23, 0, 24]),
        option(16, b"\0\0\x01\x37\0\x08MSFT 5.0"),
        option(39, b"\x01\x07anna-pc\x04kesh"),
    ];
    let solicit = [&[1, 0, 0, 1][..], &options.concat()].concat();
    let anna6: Ipv6Addr = "fe80::a".parse().unwrap();
    let frame = |payload: &[u8]| {
        ethernet(
            ANNA,
            MacAddr([0x33, 0x33, 0, 1, 0, 2]),
            IPV6,
            &ipv6(anna6, "ff02::1:2".parse().unwrap(), 17, 1, &udp(546, 547, payload)),
        )
    };
    assert_eq!(
        texts(&said(&[frame(&solicit)])),
        [
            (SignKind::Dhcpv6Name, "anna-pc.kesh"),
            (SignKind::Dhcpv6VendorClass, "311:MSFT 5.0"),
            (SignKind::Dhcpv6ClientId, "000100010909"),
            (SignKind::Dhcpv6Parameters, "17,23,24"),
        ]
    );
    let relayed = [&[12, 0][..], &[0; 32], &option(9, &solicit)].concat();
    assert_eq!(said(&[frame(&relayed)]), []);
}

fn llc(to: [u8; 6], payload: &[u8]) -> Vec<u8> {
    ethernet(ANNA, MacAddr(to), u16::try_from(payload.len()).unwrap(), payload)
}

#[test]
fn cdp_tells_the_neighbour_and_what_it_is() {
    let element = |kind: u16, value: &[u8]| {
        [&kind.to_be_bytes()[..], &u16::try_from(value.len() + 4).unwrap().to_be_bytes(), value].concat()
    };
    let elements = [
        element(1, b"SEP001122334455"),
        element(2, &[0, 0, 0, 1, 1, 1, 0xcc, 0, 4, 10, 0, 0, 10]),
        element(3, b"Port 1"),
        element(4, &[0, 0, 0, 0x90]),
        element(5, b"SCCP45.9"),
        element(6, b"Cisco IP Phone 7945"),
    ];
    let unit = [&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00, 2, 180, 0, 0][..], &elements.concat()].concat();
    let mut pipeline = pipeline();
    send(&mut pipeline, 1, &llc([1, 0, 0x0c, 0xcc, 0xcc, 0xcc], &unit));
    let neighbour = pipeline.neighbours().next().unwrap().neighbour.clone();
    assert_eq!((neighbour.protocol, neighbour.chassis_id.as_str()), (NeighbourProtocol::Cdp, "SEP001122334455"));
    assert_eq!((neighbour.port_id.as_str(), neighbour.ttl_s), ("Port 1", 180));
    assert_eq!(neighbour.management, [IpAddr::from([10, 0, 0, 10])]);
    assert_eq!(
        texts(&signs(&pipeline, ANNA)),
        [
            (SignKind::CdpPlatform, "Cisco IP Phone 7945"),
            (SignKind::CdpSystem, "SCCP45.9"),
            (SignKind::CdpName, "SEP001122334455"),
            (SignKind::CdpCapability, "host"),
            (SignKind::CdpCapability, "phone"),
        ]
    );
    assert_eq!(state(&pipeline, ANNA).conclusion.class.unwrap().is, DeviceClass::Phone);
}

#[test]
fn whoever_takes_part_in_spanning_tree_is_a_bridge() {
    let bridge = [&[0x80, 0x01][..], &ANNA.0].concat();
    let root = [&[0x10, 0x01][..], &BERT.0].concat();
    let unit =
        [&[0x42, 0x42, 3, 0, 0, 2, 2, 0x3c][..], &root, &[0, 0, 0, 4], &bridge, &[0x80, 1, 0, 0, 20, 0, 2, 0, 15, 0]];
    let notification = [0x42, 0x42, 3, 0, 0, 0, 0x80];
    let group = [1, 0x80, 0xc2, 0, 0, 0];
    let heard = said(&[llc(group, &unit.concat()), llc(group, &notification)]);
    let text = format!("bridge 32769 {ANNA}, root 4097 {BERT}");
    assert_eq!(texts(&heard), [(SignKind::SpanningTree, text.as_str())]);
}

#[test]
fn lldp_med_tells_class_and_model() {
    let med = |subtype: u8, value: &[u8]| lldp_element(127, &[&[0, 0x12, 0xbb, subtype][..], value].concat());
    let parts = [
        lldp_element(1, b"\x05\x01\x0a\0\0\x0a"),
        lldp_element(2, b"\x07p1"),
        lldp_element(3, &[0, 120]),
        lldp_element(5, b"phone-12"),
        lldp_element(7, &[0, 0x24, 0, 0x20]),
        med(1, &[0, 0x33, 3]),
        med(9, b"Yealink"),
        med(10, b"SIP-T46S"),
    ];
    let heard = said(&[ethernet(ANNA, MacAddr([1, 0x80, 0xc2, 0, 0, 0x0e]), LLDP, &parts.concat())]);
    assert_eq!(
        texts(&heard),
        [
            (SignKind::LldpName, "phone-12"),
            (SignKind::LldpCapability, "telephone"),
            (SignKind::LldpMedClass, "3"),
            (SignKind::LldpModel, "Yealink SIP-T46S"),
        ]
    );
}

#[test]
fn a_router_offers_itself_from_its_own_address_only() {
    let advertisement = [&[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0][..], &[1, 1], &ANNA.0].concat();
    let frame = |source: &str, hop_limit| {
        let packet = ipv6(source.parse().unwrap(), "ff02::1".parse().unwrap(), 58, hop_limit, &advertisement);
        ethernet(ANNA, MacAddr([0x33, 0x33, 0, 0, 0, 1]), IPV6, &packet)
    };
    assert_eq!(texts(&said(&[frame("fe80::a", 255)])), [(SignKind::RouterAdvertisement, "offers")]);
    assert_eq!(said(&[frame("fe80::a", 64)]), []);
}

/// A segment that opens a connection as Windows does, or answers to one.
fn opening(from: (MacAddr, Ipv4Addr), ttl: u8, flags: u8, options: &[u8]) -> Vec<u8> {
    let mut segment = tcp(445, 50_000, 1, flags, &[]);
    segment[12] = u8::try_from((20 + options.len()) / 4).unwrap() << 4;
    segment[14..16].copy_from_slice(&64_240_u16.to_be_bytes());
    segment.extend(options);
    let mut packet = ipv4(from.1, FAR, 6, &segment);
    packet[8] = ttl;
    ethernet(from.0, ROUTER, IPV4, &packet)
}

const WINDOWS: [u8; 12] = [2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2];

#[test]
fn an_opening_from_a_bound_address_tells_the_system() {
    let heard =
        said(&[opening((ANNA, ANNA_IP), 128, SYN, &WINDOWS), opening((ANNA, ANNA_IP), 128, SYN | ACK, &WINDOWS)]);
    assert_eq!(texts(&heard), [(SignKind::TcpOpening, "128:64240:1460:8:mnwnns"), (SignKind::TcpService, "445")]);
    let mut pipeline = pipeline();
    send(&mut pipeline, 1, &opening((ANNA, ANNA_IP), 128, SYN, &WINDOWS));
    assert_eq!(state(&pipeline, ANNA).conclusion.os.unwrap().is, OsFamily::Windows);
}

#[test]
fn what_a_router_hands_on_is_the_routers_trade_and_not_its_system() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    send(&mut pipeline, 0, &ethernet(ROUTER, BERT, ARP, &arp(2, ROUTER, [10, 0, 0, 1].into(), BERT_IP)));
    for second in 1..6 {
        let host = Ipv4Addr::new(198, 51, 100, u8::try_from(second).unwrap());
        send(&mut pipeline, second, &opening((ROUTER, host), 127, SYN, &WINDOWS));
    }
    assert_eq!(texts(&signs(&pipeline, ROUTER)), [(SignKind::Forwards, "forwards")]);
    let conclusion = state(&pipeline, ROUTER).conclusion;
    assert_eq!((conclusion.class.unwrap().is, conclusion.os.is_some()), (DeviceClass::NetworkDevice, false));
}

#[test]
fn openings_that_come_a_hop_further_from_a_bound_address_are_of_machines_behind_it() {
    let mut frames: Vec<_> = (0..4).map(|_| opening((ANNA, ANNA_IP), 127, SYN, &WINDOWS)).collect();
    assert_eq!(texts(&said(&frames)), [(SignKind::HiddenHop, "1")]);
    let mut pipeline = pipeline();
    for (second, frame) in (1..).zip(&frames) {
        send(&mut pipeline, second, frame);
    }
    assert!(state(&pipeline, ANNA).conclusion.shared.is_some());
    // Twice is chance, and a scanner's made-up times to live are not a route.
    frames.truncate(2);
    frames.extend((0..9).map(|_| opening((ANNA, ANNA_IP), 49, SYN, &WINDOWS)));
    assert_eq!(said(&frames), []);
}

#[test]
fn what_may_have_come_through_a_router_is_not_believed_of_the_frames_sender() {
    let answer = b"HTTP/1.1 200 OK\r\nST: ssdp:all\r\nSERVER: Linux UPnP/1.0\r\n\r\n";
    assert_eq!(said(&[datagram(FAR, BERT_IP, (1_900, 50_000), answer)]), []);
    // An address that its host only wished for is not bound.
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let request = dhcp(1, ANNA, [0; 4].into(), [0; 4].into(), &[53, 1, 3, 50, 4, 10, 0, 0, 10]);
    send(&mut pipeline, 0, &datagram([0; 4].into(), [255; 4].into(), (68, 67), &request));
    send(&mut pipeline, 1, &datagram(ANNA_IP, BERT_IP, (1_900, 50_000), answer));
    assert_eq!(signs(&pipeline, ANNA), []);
}

fn request(sender: MacAddr, client: MacAddr, hostname: &[u8]) -> Vec<u8> {
    let options = [&[53, 1, 3, 12, u8::try_from(hostname.len()).unwrap()][..], hostname].concat();
    let message = dhcp(1, client, ANNA_IP, [0; 4].into(), &options);
    let packet = ipv4([0; 4].into(), [255; 4].into(), 17, &udp(68, 67, &message));
    ethernet(sender, MacAddr::BROADCAST, IPV4, &packet)
}

#[test]
fn a_forged_request_in_anothers_name_does_not_rename_it_and_is_seen() {
    let mut pipeline = pipeline();
    for second in [1, 2, 40] {
        send(&mut pipeline, second, &request(ANNA, ANNA, b"CAIWU-03"));
    }
    // From another station's card.
    for second in [50, 51, 52] {
        send(&mut pipeline, second, &request(BERT, ANNA, b"EVIL"));
    }
    let anna = state(&pipeline, ANNA);
    assert_eq!(anna.host.hostname.as_deref(), Some("CAIWU-03"));
    assert_eq!(anna.conclusion.names.len(), 1);
    let claimed = anna.signs.iter().find(|sign| sign.kind == SignKind::ClaimedByOther).unwrap();
    assert_eq!(claimed.value, format!("EVIL from {BERT}"));
    // With the victim's own address as the sender, once.
    send(&mut pipeline, 60, &request(ANNA, ANNA, b"EVIL"));
    let anna = state(&pipeline, ANNA);
    assert_eq!(anna.host.hostname.as_deref(), Some("CAIWU-03"));
    let names: Vec<_> = anna.conclusion.names.iter().map(|name| name.name.as_str()).collect();
    assert_eq!(names, ["CAIWU-03", "EVIL"]);
}

#[test]
fn a_host_that_was_renamed_has_its_new_name_once_it_said_so_twice() {
    let mut pipeline = pipeline();
    for (second, name) in [(1, &b"old"[..]), (2, b"old"), (40, b"new"), (41, b"new")] {
        send(&mut pipeline, second, &request(ANNA, ANNA, name));
    }
    assert_eq!(state(&pipeline, ANNA).host.hostname.as_deref(), Some("new"));
}

#[test]
fn a_flood_of_values_neither_grows_nor_drives_out_what_is_known_nor_fills_reports() {
    let mut pipeline = pipeline();
    for second in [1, 2, 3] {
        send(&mut pipeline, second, &request(ANNA, ANNA, b"CAIWU-03"));
    }
    pipeline.take_changes(Timestamp::from(at(3)));
    let mut reports = 0;
    for number in 0..20_000_i64 {
        let second = 10 + number / 100;
        send(&mut pipeline, second, &request(ANNA, ANNA, format!("EVIL-{number}").as_bytes()));
        reports += usize::from(!pipeline.take_changes(Timestamp::from(at(second))).endpoints.is_empty());
    }
    assert!(reports <= 5, "{reports}");
    let anna = state(&pipeline, ANNA);
    assert!(anna.signs.len() <= 4, "{:?}", anna.signs);
    assert_eq!(anna.host.hostname.as_deref(), Some("CAIWU-03"));
    assert!(pipeline.statistics().inventory.signs_unkept >= 19_990);
}

#[test]
fn a_flood_of_stations_that_all_say_much_stays_within_the_room_for_signs() {
    let mut options = PipelineOptions::default();
    options.inventory.capacity = 64;
    let mut pipeline = Pipeline::new(options);
    for number in 0..5_000_u64 {
        let mac = MacAddr::from_u64(0x0200_0000_0000 + number).unwrap();
        let name = vec![b'a' + u8::try_from(number % 26).unwrap(); 200];
        send(&mut pipeline, 0, &request(mac, mac, &name));
    }
    let bytes: usize = pipeline.endpoints().flat_map(|it| it.signs).map(|sign| sign.value.len()).sum();
    assert!(bytes <= 64 * 768, "{bytes}");
    assert!(pipeline.endpoints().any(|it| !it.signs.is_empty()), "those who leave give their room back");
}
