//! What the pipeline saw, handed to the detectors.
//!
//! Invariant: times and addresses go on as they were seen; nothing is judged here. It does not know whether frames came from a file or
//! from a mirror port: a live agent hands over its flows and sightings by the same two calls.

use onenet_capture::{
    FrameTime,
    application::Detail,
    flow::{Event, FlowRecord},
    inventory::EndpointState,
    replay::Watch,
    sighting::{Served, Sighting},
};
use onenet_detection::{
    Detection, Finding,
    observation::{Air, Claim, Disclosed, Disclosure, Equipment, FlowSeen, NameSeen, Role, Serving, Terminal, Tree},
};
use onenet_topology::{Timestamp, application::Application};

/// Detectors that look on.
#[derive(Debug)]
pub struct Detecting {
    pub(crate) detection: Detection,
    /// What has to be added to frames' times, in milliseconds, to have those that the detectors are told.
    pub(crate) shift_ms: i64,
}

impl Detecting {
    /// Hands on to these detectors, with the frames' own times.
    pub const fn new(detection: Detection) -> Self {
        Self { detection, shift_ms: 0 }
    }

    /// Returns the detectors.
    pub const fn detection(&self) -> &Detection {
        &self.detection
    }

    /// Returns at most `most` findings that are to be told at `now`: see [`Detection::take_due`].
    pub fn due(&mut self, now: Timestamp, most: usize) -> Vec<Finding> {
        self.detection.take_due(now, most)
    }

    fn at(&self, time: FrameTime) -> Timestamp {
        Timestamp::from(time).plus_ms(self.shift_ms)
    }

    /// Takes a flow that ended.
    pub fn flow(&mut self, flow: &FlowRecord) {
        let (start, end) = (self.at(flow.start), self.at(flow.end));
        self.detection.flow(&FlowSeen {
            protocol: flow.protocol,
            from: flow.originator.ip,
            from_port: flow.originator.port,
            to: flow.responder.ip,
            to_port: flow.responder.port,
            packets_out: flow.packets_out,
            packets_in: flow.packets_in,
            bytes_out: flow.bytes_out,
            bytes_in: flow.bytes_in,
            flags_out: flow.tcp_flags_out,
            state: flow.tcp.map(|tcp| tcp.state),
            data: flow.tcp.is_some_and(|tcp| tcp.history.has(Event::Data)),
            start,
            end,
            application: flow.application,
            by_payload: flow.by_payload,
            name: flow.name.as_deref(),
        });
    }

    /// Takes what is known of an endpoint; what is concluded of it only where that is settled.
    pub fn terminal(&mut self, endpoint: &EndpointState, settled: bool) {
        let concluded = &endpoint.conclusion;
        let last = endpoint.vlans.iter().max_by_key(|vlan| vlan.last_seen);
        self.detection.terminal(&Terminal {
            time: self.at(endpoint.last_seen),
            mac: endpoint.mac,
            ip: endpoint.bindings.first().map(|binding| binding.ip),
            vlan: last.and_then(|vlan| vlan.vlan),
            class: concluded.class.filter(|_| settled).map(|class| (class.is, class.score)),
            os: concluded.os.filter(|_| settled).map(|os| (os.is, os.score)),
            shared: concluded.shared,
        });
    }

    /// Takes what a connection told of itself.
    fn told(
        &mut self,
        time: FrameTime,
        (client, server, port): Ends,
        application: Option<Application>,
        text: (Detail, &str),
    ) {
        let what = match text {
            (Detail::Login | Detail::Server, _) => Disclosure::Login(application.map_or("unknown", Application::name)),
            (Detail::Version, version) => Disclosure::Tls(version),
            (Detail::CertificateEnd, end) => match end.parse::<Timestamp>() {
                Ok(end) => Disclosure::CertificateEnds(end),
                Err(_) => return,
            },
            _ => return,
        };
        self.detection.disclosed(&Disclosed { time: self.at(time), client, server, port, what });
    }
}

/// Client, server and the server's port.
type Ends = (std::net::IpAddr, std::net::IpAddr, u16);

impl Watch for Detecting {
    fn sighted(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Claim { time, ip, mac, reply, asks } => {
                self.detection.claim(&Claim { time: self.at(time), ip, mac, reply, asks });
            }
            Sighting::Serving { time, served, ip, mac } => {
                let role = match served {
                    Served::Dhcp => Role::Dhcp,
                    Served::Dhcpv6 => Role::Dhcpv6,
                    Served::Router => Role::Router,
                };
                self.detection.serving(&Serving { time: self.at(time), role, ip, mac });
            }
            Sighting::Tree { time, said } => {
                let (priority, root, bridge) = (said.root.priority, said.root.mac, said.bridge.mac);
                self.detection.tree(&Tree { time: self.at(time), priority, root, bridge });
            }
            Sighting::Equipment { time, mac, chassis, capabilities, name } => {
                let (time, name) = (self.at(time), name.as_deref());
                self.detection.equipment(&Equipment { time, mac, chassis, capabilities, name });
            }
            Sighting::Name { time, client, server, name, missing } => {
                let missing = missing.then_some(true);
                self.detection.name(&NameSeen { time: self.at(time), client, server, name: &name, missing });
            }
            Sighting::Told { time, client, server, port, application, detail, text } => {
                self.told(time, (client, server, port), application, (detail, &text));
            }
            Sighting::Air { start, end, frames, broadcasts, senders } => {
                self.detection.air(&Air { start: self.at(start), end: self.at(end), frames, broadcasts, senders });
            }
        }
    }

    fn endpoint(&mut self, endpoint: &EndpointState) {
        self.terminal(endpoint, true);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use onenet_capture::replay::{ReplayOptions, replay_watched};
    use onenet_detection::{Detection, Finding, Kind, Settings};

    use super::Detecting;

    /// Returns what is found in capture files.
    fn findings(files: &[std::path::PathBuf], settings: Settings) -> Vec<Finding> {
        let mut options = ReplayOptions::default();
        options.pipeline.sightings = true;
        let mut detecting = Detecting::new(Detection::new(settings));
        let replay = replay_watched(files, &options, &mut detecting);
        assert!(replay.errors.is_empty(), "{:?}", replay.errors);
        replay.flows.iter().for_each(|flow| detecting.flow(flow));
        detecting.detection.findings().cloned().collect()
    }

    /// Writes frames, a tenth of a second apart, as a capture file.
    fn capture(frames: &[Vec<u8>]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let header: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1];
        for word in header {
            file.write_all(&word.to_le_bytes()).unwrap();
        }
        for (number, frame) in (0_u32..).zip(frames) {
            let length = u32::try_from(frame.len()).unwrap();
            for word in [1_800_000_000 + number / 10, number % 10 * 100_000, length, length] {
                file.write_all(&word.to_le_bytes()).unwrap();
            }
            file.write_all(frame).unwrap();
        }
        file
    }

    fn ethernet(from: u8, ethertype: u16, payload: &[u8]) -> Vec<u8> {
        let stations = [[0x00, 0x1b, 0x21, 9, 9, 9], [0x00, 0x1b, 0x21, from, 0, 1]].concat();
        [&stations[..], &ethertype.to_be_bytes(), payload].concat()
    }

    fn ip(protocol: u8, from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
        [&[0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0][..], &from, &to, payload].concat()
    }

    fn udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(8 + payload.len()).unwrap();
        [&ports[0].to_be_bytes()[..], &ports[1].to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
    }

    fn syn(port: u16) -> Vec<u8> {
        let [high, low] = port.to_be_bytes();
        let tcp = [0xb0, 0x00, high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 4, 0, 0, 0, 0, 0];
        ethernet(7, 0x0800, &ip(6, [10, 20, 0, 7], [10, 20, 0, 9], &tcp))
    }

    fn query(number: u32) -> Vec<u8> {
        let label = format!("{:032x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in [label.as_str(), "t", "example", "com"] {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend(label.as_bytes());
        }
        message.extend([0, 0, 16, 0, 1]);
        ethernet(8, 0x0800, &ip(17, [10, 20, 0, 8], [10, 20, 0, 3], &udp([40_000, 53], &message)))
    }

    /// A DHCP offer of this server.
    fn offer(server: u8) -> Vec<u8> {
        let mut message = vec![0; 236];
        message[..3].copy_from_slice(&[2, 1, 6]);
        message.extend([99, 130, 83, 99, 53, 1, 2, 54, 4, 10, 20, 0, server, 255]);
        ethernet(server, 0x0800, &ip(17, [10, 20, 0, server], [255; 4], &udp([67, 68], &message)))
    }

    fn arp(station: u8, address: u8) -> Vec<u8> {
        let head = [0, 1, 8, 0, 6, 4, 0, 2];
        let (own, other) = ([0x00, 0x1b, 0x21, station, 0, 1], [0x00, 0x1b, 0x21, 9, 9, 9]);
        ethernet(station, 0x0806, &[&head[..], &own, &[10, 20, 0, address], &other, &[10, 20, 0, 9]].concat())
    }

    #[test]
    fn frames_of_a_capture_become_findings_with_their_subjects() {
        let mut frames: Vec<_> = (1..=60).map(syn).collect();
        frames.extend((0..150).map(query));
        frames.extend([offer(2), offer(66)]);
        frames.push(arp(66, 66));
        frames.extend((0..40).map(|turn| if turn % 2 == 0 { arp(1, 1) } else { arp(66, 1) }));
        let file = capture(&frames);
        let settings = Settings { dhcp_servers: vec!["10.20.0.2".parse().unwrap()], ..Settings::new() };
        let found = findings(&[file.path().to_owned()], settings);
        let found: Vec<_> = found.iter().map(|finding| (finding.kind, finding.subject.to_string())).collect();
        let expected = [
            (Kind::PortScan, "10.20.0.7"),
            (Kind::ArpSpoofing, "00:1b:21:42:00:01"),
            (Kind::RogueDhcp, "10.20.0.66"),
            (Kind::DnsTunnel, "10.20.0.8"),
        ];
        assert_eq!(found, expected.map(|(kind, subject)| (kind, subject.to_owned())));
    }

    /// The shared corpus is no part of this repository; `tests/run` leaves these out where it is absent, and says so.
    mod corpus {
        use std::{collections::BTreeMap, path::Path};

        use super::*;

        /// What is found in captures, by file; in all others nothing is but old TLS and logins in the clear.
        const FOUND: [(&str, Kind, &str); 8] = [
            ("ftp__bruteforce.pcap", Kind::BruteForce, "192.168.56.1"),
            ("ftp__bruteforce.pcap", Kind::CleartextLogin, "192.168.56.101:21"),
            ("http__basic-auth-with-colon.pcap", Kind::CleartextLogin, "172.24.133.205:8000"),
            ("nmap-vsn.pcap", Kind::Sweep, "192.168.1.71"),
            ("pop3__pop3.pcap", Kind::CleartextLogin, "212.227.15.166:110"),
            ("tls__tls-expired-cert.pcap", Kind::ExpiredCertificate, "87.98.220.10:443"),
            ("tls__tls-expired-cert.pcap", Kind::OutdatedTls, "87.98.220.10:443"),
            ("tls__tls1_1.pcap", Kind::OutdatedTls, "216.58.192.14:443"),
        ];

        /// What two captures of protocol tests contain, rightly or not: two stations that claim one address in turn 1,568 times, and a
        /// second DHCPv6 server after ten minutes.
        const DOUBTFUL: [&str; 2] = ["arp-oobr.pcap", "dhcpv4v6-rfc5970-rfc8572.pcap"];

        #[test]
        #[ignore = "needs the shared corpus"]
        fn what_is_in_captures_that_nobody_here_made_is_found_and_nothing_else() {
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
            let mut by_file = BTreeMap::new();
            for folder in ["zeek", "tcpdump"] {
                let files = std::fs::read_dir(corpus.join(folder)).unwrap_or_else(|e| panic!("no captures: {e}"));
                for file in files.map(|file| file.unwrap().path()) {
                    let name = file.file_name().unwrap().to_string_lossy().into_owned();
                    let mut options = ReplayOptions::default();
                    options.pipeline.sightings = true;
                    let mut detecting = Detecting::new(Detection::new(Settings::new()));
                    let replay = replay_watched(&[file], &options, &mut detecting);
                    replay.flows.iter().for_each(|flow| detecting.flow(flow));
                    by_file.insert(name, detecting.detection.findings().cloned().collect::<Vec<_>>());
                }
            }
            let is =
                |finding: &Finding, kind, subject: &str| finding.kind == kind && finding.subject.to_string() == subject;
            for (file, kind, subject) in FOUND {
                let found = &by_file[file];
                assert!(found.iter().any(|finding| is(finding, kind, subject)), "{file}: {found:?}");
            }
            for (file, found) in by_file.iter().filter(|(file, _)| !DOUBTFUL.contains(&file.as_str())) {
                let disclosed = [Kind::CleartextLogin, Kind::OutdatedTls];
                let known = |finding: &Finding| {
                    FOUND.iter().any(|(of, kind, subject)| of == file && is(finding, *kind, subject))
                };
                let other: Vec<_> = found.iter().filter(|it| !disclosed.contains(&it.kind) && !known(it)).collect();
                assert!(other.is_empty(), "{file}: {other:?}");
            }
        }
    }
}
