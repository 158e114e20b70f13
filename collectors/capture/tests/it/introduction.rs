//! What programs say inside of connections, as what endpoints are.

use std::net::Ipv4Addr;

use onenet_capture::{
    Pipeline, PipelineOptions,
    inventory::{EndpointState, SignState},
    replay::{ReplayOptions, replay},
};
use onenet_topology::{
    MacAddr,
    classify::{DeviceClass, OsFamily, SignKind},
};

use crate::{applications::TCP, frames::*};

const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";

/// One end of connections: who sends its frames, and its address.
type Host = (MacAddr, Ipv4Addr);

const ANNA_HOST: Host = (ANNA, ANNA_IP);
const BERT_HOST: Host = (BERT, BERT_IP);

/// A pipeline that knows the addresses of Anna and Bert, and the router's own.
fn pipeline() -> Pipeline {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    for (mac, ip) in [ANNA_HOST, BERT_HOST, (ROUTER, Ipv4Addr::new(10, 0, 0, 1))] {
        send(&mut pipeline, 0, &ethernet(mac, MacAddr::BROADCAST, ARP, &arp(1, mac, ip, ANNA_IP)));
    }
    pipeline
}

/// Runs a connection in which each side speaks in turn, the originator first.
fn talk(pipeline: &mut Pipeline, [client, server]: [Host; 2], ports: (u16, u16), said: &[&[u8]]) {
    let mut next = [1_000_u32, 5_000];
    let mut step = |side: usize, flags: u8, payload: &[u8]| {
        let (from, to) = if side == 0 { (client, server) } else { (server, client) };
        let (from_port, to_port) = if side == 0 { ports } else { (ports.1, ports.0) };
        let mut segment = tcp(from_port, to_port, next[side], flags, payload);
        segment[8..12].copy_from_slice(&next[1 - side].to_be_bytes());
        let frame = ethernet(from.0, to.0, IPV4, &ipv4(from.1, to.1, TCP, &segment));
        send(pipeline, 1, &frame);
        let opens = u32::from(flags & (SYN | FIN) != 0);
        next[side] = next[side].wrapping_add(opens + u32::try_from(payload.len()).unwrap());
    };
    step(0, SYN, b"");
    step(1, SYN | ACK, b"");
    step(0, ACK, b"");
    for (at, payload) in said.iter().enumerate() {
        step(at % 2, ACK, payload);
    }
    step(0, FIN | ACK, b"");
    step(1, FIN | ACK, b"");
    step(0, ACK, b"");
    pipeline.finish();
}

fn request(agent: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: portal\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

fn answer(server: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nServer: {server}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn state(pipeline: &Pipeline, mac: MacAddr) -> EndpointState {
    pipeline.endpoints().find(|endpoint| endpoint.mac == mac).unwrap()
}

/// Returns what programs of the endpoint said.
fn signs(pipeline: &Pipeline, mac: MacAddr) -> Vec<(SignKind, String)> {
    let signs = state(pipeline, mac).signs.into_iter();
    signs.filter(|sign| sign.kind >= SignKind::HttpAgent).map(|sign| (sign.kind, sign.value)).collect()
}

#[test]
fn a_client_is_what_its_program_says_and_a_server_what_its_own_says() {
    let mut pipeline = pipeline();
    let ends = [ANNA_HOST, BERT_HOST];
    talk(&mut pipeline, ends, (40_000, 80), &[&request(BROWSER), &answer("Hikvision-Webs")]);
    assert_eq!(signs(&pipeline, ANNA), [(SignKind::HttpAgent, BROWSER.to_owned())]);
    assert_eq!(signs(&pipeline, BERT), [(SignKind::HttpServer, "Hikvision-Webs".to_owned())]);
    let (anna, bert) = (state(&pipeline, ANNA), state(&pipeline, BERT));
    let os = anna.conclusion.os.unwrap();
    assert_eq!((os.is, os.score), (OsFamily::Windows, 75));
    assert_eq!(anna.conclusion.os_version, "10 or later");
    assert!(anna.conclusion.grounds.iter().any(|ground| ground.kind == SignKind::HttpAgent));
    assert_eq!(bert.conclusion.class.map(|class| class.is), Some(DeviceClass::Camera));
}

#[test]
fn banners_of_ssh_tell_both_ends() {
    let mut pipeline = pipeline();
    let said: [&[u8]; 2] = [b"SSH-2.0-PuTTY_Release_0.78\r\n", b"SSH-2.0-Comware-7.1.064\r\n"];
    talk(&mut pipeline, [ANNA_HOST, BERT_HOST], (40_000, 22), &said);
    assert_eq!(signs(&pipeline, ANNA), [(SignKind::SshBanner, "SSH-2.0-PuTTY_Release_0.78".to_owned())]);
    assert_eq!(signs(&pipeline, BERT), [(SignKind::SshBanner, "SSH-2.0-Comware-7.1.064".to_owned())]);
    assert_eq!(state(&pipeline, BERT).conclusion.class.map(|class| class.is), Some(DeviceClass::NetworkDevice));
}

#[test]
fn whoever_is_behind_the_router_does_not_speak_for_it() {
    let mut pipeline = pipeline();
    // From outside to Bert, and from Bert to the outside: both times the frames are the router's.
    talk(&mut pipeline, [(ROUTER, FAR), BERT_HOST], (40_000, 80), &[&request(BROWSER), &answer("nginx/1.24")]);
    talk(
        &mut pipeline,
        [BERT_HOST, (ROUTER, FAR)],
        (40_001, 80),
        &[&request("Dalvik/2.1.0"), &answer("Hikvision-Webs")],
    );
    assert_eq!(signs(&pipeline, ROUTER), []);
    assert_eq!(signs(&pipeline, BERT).len(), 2);
}

#[test]
fn a_monitor_of_the_environment_is_known_by_its_protocol_and_only_who_answers_takes_its_reports() {
    let report = b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80\r\n";
    let mut pipeline = pipeline();
    talk(&mut pipeline, [ANNA_HOST, BERT_HOST], (40_000, 9_003), &[report]);
    assert_eq!(signs(&pipeline, ANNA), [(SignKind::Speaks, "hj212".to_owned())]);
    assert_eq!(signs(&pipeline, BERT), [(SignKind::Serves, "hj212".to_owned())]);
    assert_eq!(state(&pipeline, ANNA).conclusion.class.map(|class| class.is), Some(DeviceClass::EnvironmentalMonitor));

    // Whoever sends it to somebody who refuses makes him nothing.
    let mut refused = self::pipeline();
    let segment = |from_anna: bool, flags: u8, payload: &[u8]| {
        let ((mac, ip), (to, to_ip)) = if from_anna { (ANNA_HOST, BERT_HOST) } else { (BERT_HOST, ANNA_HOST) };
        let ports = if from_anna { (40_000, 9_003) } else { (9_003, 40_000) };
        ethernet(mac, to, IPV4, &ipv4(ip, to_ip, TCP, &tcp(ports.0, ports.1, 1, flags, payload)))
    };
    send(&mut refused, 1, &segment(true, ACK, report));
    send(&mut refused, 1, &segment(false, RST, b""));
    refused.finish();
    assert_eq!(signs(&refused, BERT), []);
}

#[test]
fn programs_that_tell_nothing_are_not_kept_and_others_only_a_few() {
    let mut pipeline = pipeline();
    for at in 0..200_u16 {
        let ends = [ANNA_HOST, BERT_HOST];
        talk(&mut pipeline, ends, (40_000 + at, 80), &[&request(&format!("updater/{at}")), &answer("x")]);
    }
    assert_eq!(signs(&pipeline, ANNA), []);
    for at in 0..200_u16 {
        let ends = [ANNA_HOST, BERT_HOST];
        talk(
            &mut pipeline,
            ends,
            (41_000 + at, 80),
            &[&request(&format!("{BROWSER} {at}")), &answer(&format!("s{at}"))],
        );
    }
    assert_eq!((signs(&pipeline, ANNA).len(), signs(&pipeline, BERT).len()), (6, 6));
    assert!(pipeline.statistics().inventory.signs_unkept > 0);
}

/// A capture, what a program in it says, and what is concluded of whoever said it.
type Expected = (&'static str, SignKind, &'static str, (Option<DeviceClass>, Option<OsFamily>));

const EXPECTED: &[Expected] = &[
    (
        "workshop_2011_browse.pcap",
        SignKind::HttpAgent,
        "Mozilla/5.0 (X11; Linux i686) AppleWebKit/535.2 (KHTML, like Gecko) Chrome/15.0.874.106 Safari/535.2",
        (None, Some(OsFamily::Linux)),
    ),
    (
        "http__byteranges.pcap",
        SignKind::HttpAgent,
        "Microsoft BITS/7.0",
        (Some(DeviceClass::Pc), Some(OsFamily::Windows)),
    ),
    (
        "http__cooper-grill-dvwa.pcapng",
        SignKind::HttpServer,
        "Apache/2.2.8 (Ubuntu) DAV/2",
        (Some(DeviceClass::Server), Some(OsFamily::Linux)),
    ),
    ("smb__smb3.pcap", SignKind::SmbSystem, "10.0", (None, Some(OsFamily::Windows))),
    (
        "ssh__server-pre-banner-data.pcap",
        SignKind::SshBanner,
        "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u5",
        (None, Some(OsFamily::Linux)),
    ),
    (
        "ssh__ssh_version_199.pcap",
        SignKind::SshBanner,
        "SSH-1.99-Cisco-1.25",
        (Some(DeviceClass::NetworkDevice), Some(OsFamily::Embedded)),
    ),
    ("dnp3__dnp3.pcap", SignKind::Serves, "dnp3", (Some(DeviceClass::Controller), None)),
    ("ldap__simpleauth.pcap", SignKind::Serves, "ldap", (Some(DeviceClass::Server), None)),
];

mod corpus {
    use super::*;
    use crate::corpus::corpus;

    #[test]
    #[ignore = "needs ../shared/corpus"]
    fn endpoints_of_captures_that_others_made_are_what_their_programs_say() {
        let mut options = ReplayOptions::default();
        // The captures have no ARP: who has the private addresses is told as an operator would.
        let local = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
        options.pipeline.local = local.map(|prefix| prefix.parse().unwrap()).to_vec();
        let mut missed = Vec::new();
        for (file, kind, value, concluded) in EXPECTED {
            let replay = replay(&[corpus().join("zeek").join(file)], &options);
            let said = |sign: &SignState| sign.kind == *kind && sign.value == *value;
            let found = replay.endpoints.iter().find(|it| it.signs.iter().any(said));
            let is = found.map(|it| (it.class.map(|class| class.is), it.os.map(|os| os.is)));
            let grounds = found.is_some_and(|it| it.grounds.iter().any(|ground| ground.kind == *kind));
            if is != Some(*concluded) || !grounds {
                missed.push(format!("{file}: {value} is {is:?}"));
            }
        }
        assert_eq!(missed, [""; 0]);
    }
}
