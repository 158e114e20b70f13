//! The ring on a real (virtual) cable, in a network namespace of its own: this test runs itself again in there.

use std::{
    collections::BTreeMap,
    env,
    io::Read as _,
    net::{IpAddr, TcpListener},
    num::NonZeroUsize,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use onenet_capture::{
    FrameMeta, LinkType, Pipeline, PipelineOptions, interfaces,
    ring::{Ring, RingError, RingOptions, Sockets},
};
use onenet_topology::MacAddr;
use pnet::datalink::{self, Channel, DataLinkSender};

use crate::frames::*;

/// Set in the process inside the namespace.
const INSIDE: &str = "ONENET_CAPTURE_LIVE";
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the test called `name` in a new network namespace, unless this is there already. Returns whether it is.
fn inside(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let test = env::current_exe().unwrap();
    let arguments = ["--net", "--", test.to_str().unwrap(), "--exact", name, "--ignored", "--nocapture"];
    let status = Command::new("unshare").args(arguments).env(INSIDE, "1").status().expect("unshare (util-linux)");
    assert!(status.success(), "{name} failed in its namespace");
    false
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip (iproute2)");
    assert!(status.success(), "ip {arguments}");
}

/// Makes a cable from `left` to `right` on which nobody speaks but the test.
fn cable() {
    ip(&format!("link add left address {ANNA} type veth peer name right"));
    for end in ["left", "right"] {
        ip(&format!("link set {end} addrgenmode none"));
        ip(&format!("link set {end} up"));
    }
}

fn sender(interface: &str) -> Box<dyn DataLinkSender> {
    let found = datalink::interfaces().into_iter().find(|found| found.name == interface).unwrap();
    match datalink::channel(&found, datalink::Config::default()).unwrap() {
        Channel::Ethernet(sender, _) => sender,
        _ => panic!("no Ethernet channel"),
    }
}

type Frame = (LinkType, FrameMeta, Vec<u8>);

/// Receives until `wanted` frames were handed over.
fn receive(ring: &mut Ring, wanted: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let end = deadline();
    while frames.len() < wanted {
        assert!(!is_past(end), "{} of {wanted} frames came", frames.len());
        ring.receive(Duration::from_millis(50), |_, link_type, meta, bytes| {
            frames.push((link_type, meta, bytes.to_vec()));
        })
        .unwrap();
    }
    frames
}

#[expect(clippy::disallowed_methods, reason = "a deadline for a live test")]
fn deadline() -> Instant {
    Instant::now() + DEADLINE
}

#[expect(clippy::disallowed_methods, reason = "a deadline for a live test")]
fn is_past(end: Instant) -> bool {
    Instant::now() > end
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn every_frame_sent_is_seen_with_its_tag_and_length() {
    if !inside("live::every_frame_sent_is_seen_with_its_tag_and_length") {
        return;
    }
    cable();
    let mut near = Ring::open("left", &RingOptions::default()).unwrap();
    let mut far = Ring::open("right", &RingOptions::default()).unwrap();
    let mut short = Ring::open("right", &RingOptions { snap_length: 60, ..RingOptions::default() }).unwrap();
    let mut channel = sender("left");
    let inside = arp(1, ANNA, ANNA_IP, BERT_IP);
    let frames: Vec<_> = (0..1_000_u16)
        .map(|number| match number % 3 {
            0 => ethernet(ANNA, MacAddr::BROADCAST, ARP, &inside),
            1 => ethernet(ANNA, BERT, 0x8100, &tagged(100 + number % 7, ARP, &inside)),
            _ => segment(true, number.into(), ACK, 1_000),
        })
        .collect();
    for frame in &frames {
        channel.send_to(frame, None).unwrap().unwrap();
    }

    let seen = receive(&mut far, frames.len());
    assert_eq!(seen.len(), frames.len());
    // What this host forwards for another is not its own, although it goes out.
    channel.send_to(&ethernet(BERT, ANNA, ARP, &inside), None).unwrap().unwrap();
    receive(&mut far, 1);
    for (number, ((link_type, meta, bytes), sent)) in seen.iter().zip(&frames).enumerate() {
        assert_eq!((*link_type, meta.outgoing), (LinkType::Ethernet, false));
        // The tag's four bytes were on the wire, whether or not they are in the frame.
        assert_eq!(meta.wire_length as usize, sent.len(), "frame {number}");
        let vlan = meta.vlan.map(|tag| (tag.protocol, tag.id()));
        assert_eq!(vlan, (number % 3 == 1).then(|| (0x8100, Some(100 + number as u16 % 7))), "frame {number}");
        if vlan.is_none() {
            assert_eq!(bytes, sent);
        }
    }
    let outgoing: Vec<_> = receive(&mut near, frames.len() + 1).iter().map(|(_, meta, _)| meta.outgoing).collect();
    assert!(outgoing[..1_000].iter().all(|outgoing| *outgoing) && !outgoing[1_000]);
    for ((_, meta, bytes), sent) in receive(&mut short, frames.len() + 1).iter().zip(&frames) {
        assert_eq!((bytes.len().min(60), meta.wire_length as usize), (bytes.len(), sent.len()));
    }
    let counters = far.counters().unwrap();
    assert_eq!((counters.frames, counters.dropped), (1_001, 0));
    assert_eq!(far.receive(Duration::from_millis(1), |_, _, _, _| ()).unwrap(), 0, "a time-out is no error");

    let mut pipeline = Pipeline::new(PipelineOptions::default());
    for frame in frames {
        channel.send_to(&frame, None).unwrap().unwrap();
    }
    let end = deadline();
    while pipeline.statistics().frames < 1_000 && !is_past(end) {
        far.receive(Duration::from_millis(50), |t, l, m, b| pipeline.frame(t, l, m, b)).unwrap();
    }
    let anna = pipeline.endpoints().next().unwrap();
    assert_eq!((anna.mac, anna.vlans.len(), anna.bindings.len(), anna.traffic.frames_out), (ANNA, 8, 1, 1_000));
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn frames_that_find_no_room_are_counted_to_the_last() {
    if !inside("live::frames_that_find_no_room_are_counted_to_the_last") {
        return;
    }
    cable();
    let mut ring = Ring::open("right", &RingOptions { bytes: 0, ..RingOptions::default() }).unwrap();
    let mut channel = sender("left");
    let frame = segment(true, 1, ACK, 1_000);
    for _ in 0..5_000 {
        channel.send_to(&frame, None).unwrap().unwrap();
    }
    let mut seen = 0;
    while ring.receive(Duration::from_millis(200), |_, _, _, _| seen += 1).unwrap() > 0 {}
    let counters = ring.counters().unwrap();
    assert!(counters.dropped > 0, "a ring of {} bytes took all", ring.bytes());
    assert_eq!((counters.frames, seen + counters.dropped), (5_000, 5_000));
    // And it goes on once there is room.
    channel.send_to(&frame, None).unwrap().unwrap();
    assert_eq!(receive(&mut ring, 1).len(), 1);
    assert_eq!(ring.counters().unwrap().frames, 5_001);
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn an_interface_that_vanishes_is_an_error_and_can_be_opened_again() {
    if !inside("live::an_interface_that_vanishes_is_an_error_and_can_be_opened_again") {
        return;
    }
    cable();
    let mut ring = Ring::open("right", &RingOptions::default()).unwrap();
    sender("left").send_to(&segment(true, 1, ACK, 0), None).unwrap().unwrap();
    let remover = thread::spawn(|| ip("link del left"));
    let (mut seen, end) = (0, deadline());
    let error = loop {
        assert!(!is_past(end), "nothing was said");
        match ring.receive(Duration::from_millis(50), |_, _, _, _| seen += 1) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    remover.join().unwrap();
    assert!(matches!(&error, RingError::Gone { interface } if interface == "right"), "{error}");
    assert!(seen <= 1);
    assert!(matches!(Ring::open("right", &RingOptions::default()), Err(RingError::NoSuchInterface { .. })));
    cable();
    let mut ring = Ring::open("right", &RingOptions::default()).unwrap();
    sender("left").send_to(&segment(true, 1, ACK, 0), None).unwrap().unwrap();
    assert_eq!(receive(&mut ring, 1).len(), 1);
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn the_loopback_interface_hands_each_frame_over_once() {
    if !inside("live::the_loopback_interface_hands_each_frame_over_once") {
        return;
    }
    ip("link set lo up");
    let mut ring = Ring::open("lo", &RingOptions::default()).unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..10 {
        socket.send_to(b"hello", socket.local_addr().unwrap()).unwrap();
    }
    let frames = receive(&mut ring, 10);
    assert_eq!(frames.len(), 10);
    assert_eq!(ring.receive(Duration::from_millis(100), |_, _, _, _| ()).unwrap(), 0);
    assert!(interfaces::find("lo").unwrap().loopback);
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn a_process_without_the_right_is_told_how_to_get_it() {
    let name = "live::a_process_without_the_right_is_told_how_to_get_it";
    if env::var_os(INSIDE).is_none() {
        let test = env::current_exe().unwrap();
        let arguments =
            ["--bounding-set=-net_raw,-net_admin", "--", test.to_str().unwrap(), "--exact", name, "--ignored"];
        let status = Command::new("setpriv").args(arguments).env(INSIDE, "1").status().expect("setpriv (util-linux)");
        assert!(status.success(), "{name} failed without the right");
        return;
    }
    let error = Ring::open("lo", &RingOptions::default()).unwrap_err();
    assert!(matches!(error, RingError::NotPermitted { .. }), "{error}");
    assert!(error.to_string().contains("setcap cap_net_raw,cap_net_admin+ep /"), "{error}");
}

/// A second namespace, as long as it lives.
struct Elsewhere(Child);

impl Elsewhere {
    fn new() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "echo there; exec sleep 60"]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("unshare (util-linux)");
        let mut first = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self(child)
    }

    fn run(&self, shell: &str) {
        let target = self.0.id().to_string();
        let arguments = ["--target", &target, "--net", "bash", "-c", shell];
        assert!(Command::new("nsenter").args(arguments).status().expect("nsenter (util-linux)").success(), "{shell}");
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn frames_that_were_put_together_are_whole_and_counted_as_they_were_on_the_wire() {
    const SENT: u64 = 1_000_000;
    if !inside("live::frames_that_were_put_together_are_whole_and_counted_as_they_were_on_the_wire") {
        return;
    }
    let elsewhere = Elsewhere::new();
    cable();
    ip(&format!("link set right netns {}", elsewhere.0.id()));
    ip("addr add 10.9.0.1/24 dev left");
    elsewhere.run("ip addr add 10.9.0.2/24 dev right && ip link set right up");
    let mut ring = Ring::open("left", &RingOptions { bytes: 16 << 20, ..RingOptions::default() }).unwrap();
    let listener = TcpListener::bind("10.9.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reader = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        std::io::copy(&mut connection, &mut std::io::sink()).unwrap()
    });
    elsewhere.run(&format!("head -c {SENT} /dev/zero > /dev/tcp/10.9.0.1/{port}"));
    assert_eq!(reader.join().unwrap(), SENT);

    let (mut payload, mut longest, mut segments) = (0, 0, 0);
    let mut next = None::<u32>;
    let end = deadline();
    while payload < SENT && !is_past(end) {
        ring.receive(Duration::from_millis(50), |_, _, meta, bytes| {
            // TCP to the listener that opens nothing: 66 bytes of headers with the time stamps.
            let is_data =
                bytes.len() > 66 && bytes[23] == 6 && bytes[36..38] == port.to_be_bytes() && bytes[47] & SYN == 0;
            if is_data {
                assert_eq!(bytes.len(), meta.wire_length as usize);
                // A busy machine sends some of it again.
                let sequence = u32::from_be_bytes(bytes[38..42].try_into().unwrap());
                let behind = sequence.wrapping_add(meta.octets() - 66 * u32::from(meta.segments));
                let new = behind.wrapping_sub(next.unwrap_or(sequence)).cast_signed();
                payload += u64::try_from(new).unwrap_or(0);
                next = if new > 0 { Some(behind) } else { next };
                segments += u64::from(meta.segments);
                longest = longest.max(meta.wire_length);
            }
        })
        .unwrap();
    }
    let counters = ring.counters().unwrap();
    assert!(longest > 1_514 && counters.merged > 0, "nothing was put together: {longest} {counters:?}");
    assert_eq!((payload, counters.cut, counters.dropped), (SENT, 0, 0));
    assert!(segments >= SENT / 1_448, "{segments} frames on the wire");
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn several_rings_divide_the_frames_by_flow_and_none_is_seen_twice() {
    const RINGS: usize = 3;
    if !inside("live::several_rings_divide_the_frames_by_flow_and_none_is_seen_twice") {
        return;
    }
    cable();
    let sockets = Sockets::default();
    let rings = NonZeroUsize::new(RINGS).unwrap();
    let mut rings = Ring::open_group(&sockets, "right", &RingOptions::default(), rings).unwrap();
    let mut channel = sender("left");
    // Both directions of 300 pairs, whole and in fragments, with ports of their own; tags are the kernel's matter.
    let mut frames = Vec::new();
    for pair in 0..300_u16 {
        let [high, low] = pair.to_be_bytes();
        let (near, far) = (format!("10.1.{high}.{low}"), format!("10.2.{low}.{high}"));
        let (near, far) = (near.parse().unwrap(), far.parse().unwrap());
        for (from, to, port) in [(near, far, 40_000 + pair), (far, near, 443)] {
            let whole = ipv4(from, to, 17, &udp(port, 443, b"hello"));
            let mut fragment = whole.clone();
            // A later fragment, whose first bytes are no ports.
            fragment[6..8].copy_from_slice(&[0x00, 0x10]);
            frames.push(ethernet(ANNA, BERT, IPV4, &whole));
            frames.push(ethernet(ANNA, BERT, IPV4, &fragment));
        }
    }
    let pairs = frames.len();
    let to_all = [
        ethernet(ANNA, MacAddr::BROADCAST, ARP, &arp(1, ANNA, ANNA_IP, BERT_IP)),
        ethernet(ANNA, BERT, ARP, &arp(2, ANNA, ANNA_IP, BERT_IP)),
        ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 17, &udp(68, 67, &[0; 300]))),
        ethernet(ANNA, MacAddr([1, 0, 94, 0, 0, 251]), IPV4, &ipv4(ANNA_IP, BERT_IP, 17, &udp(5353, 5353, b"mdns"))),
        ethernet(ANNA, BERT, LLDP, &[0; 60]),
    ];
    frames.extend(to_all.clone());
    for frame in &frames {
        channel.send_to(frame, None).unwrap().unwrap();
    }

    let mut home: BTreeMap<[IpAddr; 2], usize> = BTreeMap::new();
    let (mut seen, mut of_hosts, mut by_ring) = (0, 0, [0; RINGS]);
    let end = deadline();
    while seen < frames.len() && !is_past(end) {
        for (number, ring) in rings.iter_mut().enumerate() {
            ring.receive(Duration::from_millis(60), |_, link_type, meta, bytes| {
                seen += 1;
                let packet = onenet_capture::decode::Packet::parse(link_type, meta, bytes).unwrap();
                if to_all.iter().any(|frame| bytes.starts_with(frame)) {
                    assert_eq!(number, 0, "{packet:?} tells of a host");
                    of_hosts += 1;
                    return;
                }
                by_ring[number] += 1;
                let (source, destination) = packet.addresses().unwrap();
                let pair = [source.min(destination), source.max(destination)];
                assert_eq!(*home.entry(pair).or_insert(number), number, "{pair:?} is in two rings");
            })
            .unwrap();
        }
    }
    assert_eq!((of_hosts, by_ring.iter().sum::<usize>(), home.len()), (to_all.len(), pairs, 300));
    assert!(by_ring.iter().all(|frames| *frames > pairs / RINGS / 2), "unevenly divided: {by_ring:?}");
    let counted: u64 = rings.iter_mut().map(|ring| ring.counters().unwrap().frames).sum();
    assert_eq!(counted, frames.len() as u64);
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn sockets_opened_before_serve_other_interfaces_and_those_that_come_back() {
    if !inside("live::sockets_opened_before_serve_other_interfaces_and_those_that_come_back") {
        return;
    }
    cable();
    let (sockets, options, one) = (Sockets::default(), RingOptions::default(), NonZeroUsize::MIN);
    sockets.fill(2).unwrap();
    sockets.seal();
    let open = |interface| Ring::open_group(&sockets, interface, &options, one).map(|mut rings| rings.remove(0));
    for round in 0..5 {
        let (mut near, mut far) = (open("left").unwrap(), open("right").unwrap());
        let error = open("right").unwrap_err();
        assert!(matches!(error, RingError::NoSocket { .. }) && error.to_string().contains("restart"), "{error}");
        sender("left").send_to(&segment(true, round, ACK, 0), None).unwrap().unwrap();
        assert_eq!((receive(&mut near, 1).len(), receive(&mut far, 1).len()), (1, 1));
        // Nothing of what an earlier ring was for is left over.
        assert_eq!((far.counters().unwrap().frames, far.counters().unwrap().dropped), (1, 0));
        drop((near, far));
        assert_eq!(sockets.idle(), 2);
        ip("link del left");
        cable();
    }
    // While a socket rests, an interface is not promiscuous for its sake.
    let shown = Command::new("ip").args(["-details", "link", "show", "right"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("promiscuity 0"), "{shown}");
}

#[test]
#[ignore = "needs CAP_NET_RAW and CAP_NET_ADMIN"]
fn a_ring_follows_neither_a_name_to_another_interface_nor_an_interface_to_another_name() {
    if !inside("live::a_ring_follows_neither_a_name_to_another_interface_nor_an_interface_to_another_name") {
        return;
    }
    cable();
    let ring = Ring::open("right", &RingOptions::default()).unwrap();
    ring.check_name().unwrap();
    ip("link set right down");
    ip("link set right name other");
    assert!(matches!(ring.check_name(), Err(RingError::Gone { .. })));
    ip("link add right type veth peer name left2");
    assert!(matches!(ring.check_name(), Err(RingError::Gone { .. })));
    // An interface that is there, and off, is no place to listen on either.
    assert!(matches!(Ring::open("right", &RingOptions::default()), Err(RingError::Gone { .. })));
}
