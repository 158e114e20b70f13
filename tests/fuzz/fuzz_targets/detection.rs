//! Observations of all sorts through all detectors: any order, any times, addresses of a small network and of the whole world.
//!
//! Input: a byte of settings; then for each observation a byte of its sort, and as many bytes as that takes; what is missing is 0.
//!
//! What must hold: no finding without evidence or out of order in time, no subject twice, never more findings than are kept, and what was
//! told is not told again at once.
#![no_main]

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use libfuzzer_sys::fuzz_target;
use onenet_detection::{
    Detection, FINDINGS_MAX, Settings,
    finding::{FACTS_MAX, SAMPLES_MAX},
    observation::{
        Air, Claim, Disclosed, Disclosure, Equipment, FlowSeen, Measured, NameSeen, Role, Series, Serving, Terminal, Tree,
    },
};
use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    classify::{DeviceClass, OsFamily},
    flow::TcpState,
};

/// Observations of one input: more only repeat themselves.
const OBSERVATIONS_MAX: usize = 4_096;
/// Samples and other facts of one finding.
const EVIDENCE_MAX: usize = SAMPLES_MAX + FACTS_MAX;
const BEGIN_MS: i64 = 1_800_000_000_000;

struct Input<'d> {
    rest: &'d [u8],
    now_ms: i64,
}

impl<'d> Input<'d> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// In hundredths, as inventory concludes.
    fn score(&mut self) -> u8 {
        self.byte() % 101
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() & 1 == 1).then(|| value(self))
    }

    /// Mostly one of the site, seldom anything.
    fn ip(&mut self) -> IpAddr {
        let (kind, number) = (self.byte(), self.word());
        match kind {
            0..=159 => Ipv4Addr::from_bits(0x0a14_0000 | u32::from(number & 0x3ff)).into(),
            160..=207 => Ipv4Addr::from_bits(u32::from(number) << 16 | u32::from(kind)).into(),
            208..=231 => Ipv6Addr::from_bits(0xfd00 << 112 | u128::from(number)).into(),
            _ => Ipv6Addr::from_bits(u128::from(number) << 112 | u128::from(kind)).into(),
        }
    }

    fn mac(&mut self) -> MacAddr {
        let [high, low] = self.word().to_be_bytes();
        MacAddr([self.byte() & 3, 0x1b, 0x21, high, low, 0x0a])
    }

    /// Mostly a little later, seldom long before or after.
    fn time(&mut self) -> Timestamp {
        let step = i64::from(self.word());
        self.now_ms += match self.byte() {
            0..=199 => step,
            200..=239 => step * 60_000,
            240..=251 => -step,
            _ => -step * 60_000,
        };
        Timestamp::from_unix_ms(BEGIN_MS + self.now_ms)
    }

    fn text(&mut self) -> &'d str {
        let length = usize::from(self.byte()).min(self.rest.len());
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(text).unwrap_or("a.example")
    }

    fn flow(&mut self, detection: &mut Detection) {
        let start = self.time();
        let end = start.plus_ms(i64::from(self.word()));
        let tcp = self.byte() & 1 == 0;
        let protocol = if tcp { 6 } else { self.one(&[1, 17, 58, 0]) };
        let counts = [0; 4].map(|_: u64| u64::from(self.word()) << (self.byte() & 31));
        let flow = FlowSeen {
            protocol,
            from: self.ip(),
            from_port: self.word(),
            to: self.ip(),
            to_port: self.one(&[22, 53, 80, 443, 445, 502, 3_389]) ^ (self.word() & 0x3ff),
            packets_out: counts[0],
            packets_in: counts[1],
            bytes_out: counts[2],
            bytes_in: counts[3],
            flags_out: self.byte(),
            state: self.maybe(|it| it.one(&TcpState::ALL)).filter(|_| tcp),
            data: self.byte() & 1 == 1,
            start,
            end,
            application: self.maybe(|it| it.one(Application::ALL)),
            by_payload: self.byte() & 1 == 1,
            name: self.maybe(Self::text),
        };
        detection.flow(&flow);
    }

    fn observe(&mut self, detection: &mut Detection) {
        match self.byte() % 11 {
            0 | 1 => self.flow(detection),
            2 => detection.claim(&Claim {
                time: self.time(),
                ip: self.ip(),
                mac: self.mac(),
                reply: self.byte() & 1 == 1,
                asks: self.maybe(Self::ip),
            }),
            3 => detection.serving(&Serving {
                time: self.time(),
                role: self.one(&[Role::Dhcp, Role::Dhcpv6, Role::Router]),
                ip: self.ip(),
                mac: self.maybe(Self::mac),
            }),
            4 => {
                detection.tree(&Tree { time: self.time(), priority: self.word(), root: self.mac(), bridge: self.mac() })
            }
            5 => {
                let (start, frames) = (self.time(), u64::from(self.word()) << (self.byte() & 31));
                let broadcasts = frames >> (self.byte() & 15);
                let end = start.plus_ms(i64::from(self.word()));
                detection.air(&Air { start, end, frames, broadcasts, senders: u64::from(self.word()) });
            }
            6 => detection.name(&NameSeen {
                time: self.time(),
                client: self.ip(),
                server: self.ip(),
                missing: self.maybe(|it| it.byte() & 1 == 1),
                name: self.text(),
            }),
            7 => {
                let time = self.time();
                let what = match self.byte() % 3 {
                    0 => Disclosure::Login("ftp"),
                    1 => Disclosure::Tls(self.text()),
                    _ => Disclosure::CertificateEnds(time.plus_ms((i64::from(self.word()) - 30_000) * 3_600_000)),
                };
                let disclosed = Disclosed { time, client: self.ip(), server: self.ip(), port: self.word(), what };
                detection.disclosed(&disclosed);
            }
            9 => detection.equipment(&Equipment {
                time: self.time(),
                mac: self.mac(),
                chassis: self.maybe(Self::mac),
                capabilities: self.word(),
                name: self.maybe(Self::text),
            }),
            10 => detection.measured(&Measured {
                time: self.time(),
                series: self.one(&[Series::Errors, Series::RoundTrip]),
                of: self.text(),
                value: f64::from_bits(u64::from(self.word()) << 48 | u64::from(self.word())),
            }),
            _ => detection.terminal(&Terminal {
                time: self.time(),
                mac: self.mac(),
                ip: self.maybe(Self::ip),
                vlan: self.maybe(Self::word),
                class: self.maybe(|it| (it.one(DeviceClass::ALL), it.score())),
                os: self.maybe(|it| (it.one(OsFamily::ALL), it.score())),
                shared: self.maybe(Self::score),
            }),
        }
    }
}

/// Returns settings: each bit is one thing that the site says.
fn settings(bits: u8) -> Settings {
    let mut settings = Settings::new();
    let has = |bit: u8| bits >> bit & 1 == 1;
    if has(0) {
        settings.plan = vec!["10.20.0.0/16".parse().expect("a prefix"), "fd00::/8".parse().expect("a prefix")];
    }
    if has(1) {
        settings.dark = vec!["10.20.3.0/24".parse().expect("a prefix")];
    }
    if has(2) {
        settings.dhcp_servers = vec![Ipv4Addr::new(10, 20, 0, 2).into()];
        settings.routers = vec![Ipv4Addr::new(10, 20, 0, 1).into()];
    }
    if has(3) {
        settings.forbidden_vlans = vec![1];
    }
    settings
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input { rest: data, now_ms: 0 };
    let mut detection = Detection::new(settings(input.byte()));
    for _ in 0..OBSERVATIONS_MAX {
        if input.rest.is_empty() {
            break;
        }
        input.observe(&mut detection);
    }
    let findings: Vec<_> = detection.findings().collect();
    assert!(findings.len() <= FINDINGS_MAX);
    for it in &findings {
        assert!(it.first <= it.last && it.confidence <= 100 && it.count > 0, "{it:?}");
        assert!(!it.evidence.is_empty() && it.evidence.len() <= EVIDENCE_MAX, "{it:?}");
    }
    let subjects: BTreeSet<_> = findings.iter().map(|it| (it.kind, it.subject)).collect();
    assert_eq!(subjects.len(), findings.len(), "one finding a kind and subject");
    let (count, now) = (findings.len(), Timestamp::from_unix_ms(BEGIN_MS));
    assert_eq!(detection.take_due(now, usize::MAX).len(), count, "all are told once");
    assert!(detection.take_due(now, usize::MAX).is_empty(), "and not twice");
});
