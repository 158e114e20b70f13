//! Attacks, each at a strength: how many times its threshold it does what the threshold counts.

use std::net::IpAddr;

use onenet_detection::{
    Detection, Kind, Label, Service, Subject,
    observation::{
        Air, Claim, Disclosed, Disclosure, Equipment, FlowSeen, NameSeen, Role, SYN, Serving, Terminal, Tree,
    },
};
use onenet_topology::{
    Timestamp,
    classify::{DeviceClass, OsFamily},
};

use super::{
    Dice, SERVICE_PORT, Site, Upset, datagrams, failed, far, flow, ip, mac, machines, moment, public, registered,
    spoken,
};

/// The kinds that are injected: all of them.
pub const ATTACKS: &[Kind] = Kind::ALL;

/// An attack of a week, and what may rightly be found because of it.
#[derive(Debug)]
pub struct Attack {
    pub kind: Kind,
    /// Times the threshold, in hundredths.
    pub strength: u32,
    /// When it begins, in seconds of its week.
    pub begins_s: i64,
    /// Makes attackers and victims its own.
    pub number: u32,
    /// What is to be found.
    pub expected: (Kind, Subject),
    /// What else is true of it.
    pub also: Vec<(Kind, Subject)>,
}

impl Attack {
    pub fn new(kind: Kind, strength: u32, number: u32, dice: &mut Dice) -> Self {
        let begins_s = i64::from(dice.below(5)) * 86_400 + 8 * 3_600 + i64::from(dice.below(20_000));
        let mut attack =
            Self { kind, strength, begins_s, number, expected: (kind, Subject::Segment), also: Vec::new() };
        let (own, victim) = (Subject::Host(attack.own(0)), Subject::Host(attack.victim()));
        let station = Subject::Station(attack.station());
        attack.expected.1 = match kind {
            Kind::SynFlood
            | Kind::UdpFlood
            | Kind::IcmpFlood
            | Kind::DnsFlood
            | Kind::Reflection
            | Kind::AddressConflict => victim,
            Kind::ArpSpoofing
            | Kind::RogueRoot
            | Kind::RogueLldp
            | Kind::OtherNetwork
            | Kind::Nat
            | Kind::ChangedClass
            | Kind::ChangedOs
            | Kind::ForbiddenVlan => station,
            Kind::RogueDhcpv6 | Kind::RogueRa => Subject::Host(attack.link()),
            Kind::MacFlood | Kind::BroadcastStorm | Kind::TrafficShift | Kind::FlowShift | Kind::TerminalShift => {
                Subject::Segment
            }
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService | Kind::GoneService => {
                Subject::Service { host: ip(attack.service()), port: SERVICE_PORT }
            }
            Kind::ErrorShift => Subject::Named(Label::new("switch-1")),
            Kind::RoundTripShift => Subject::Named(Label::new("parent")),
            Kind::SilentFeed if attack.feed() < machines::STATIONS => Subject::Host(machines::station(attack.feed())),
            Kind::SilentFeed => Subject::Service { host: far(212), port: 9_002 },
            Kind::CleartextLogin | Kind::OutdatedTls | Kind::ExpiredCertificate => {
                Subject::Service { host: attack.victim(), port: 2_000 }
            }
            Kind::Worm => Subject::Port { protocol: 6, port: attack.port() },
            _ => own,
        };
        attack.also = attack.companions();
        attack
    }

    /// What is as true as what is expected.
    fn companions(&self) -> Vec<(Kind, Subject)> {
        let own = |kinds: &[Kind]| kinds.iter().map(|kind| (*kind, Subject::Host(self.own(0)))).collect();
        match self.kind {
            Kind::PortScan | Kind::SlowScan => own(&[Kind::SlowScan, Kind::Sweep, Kind::PortScan]),
            Kind::Sweep => own(&[Kind::SlowScan]),
            Kind::DarkAddress => own(&[Kind::Sweep, Kind::SlowScan]),
            Kind::Beaconing => own(&[Kind::Outreach]),
            Kind::Worm => {
                let hosts = (0..8).map(|host| Subject::Host(self.own(host)));
                hosts.flat_map(|host| [(Kind::Sweep, host), (Kind::SlowScan, host)]).collect()
            }
            // Who comes beside those that are there begins connections, and more connections are of more hosts.
            Kind::FlowShift => vec![(Kind::TerminalShift, Subject::Segment)],
            Kind::TerminalShift => vec![(Kind::FlowShift, Subject::Segment)],
            Kind::ArpSpoofing => vec![(Kind::AddressConflict, Subject::Host(self.victim()))],
            Kind::AddressConflict => vec![(Kind::ArpSpoofing, Subject::Station(self.station()))],
            _ => Vec::new(),
        }
    }

    /// Which of the addresses of attackers and victims it has: a site sees fewer attacks than there are.
    const fn place(&self) -> u32 {
        self.number % 512
    }

    /// Which of several forms it has: numbers of one kind are as far apart as there are kinds.
    fn form(&self, of: u32) -> u32 {
        self.number / u32::try_from(ATTACKS.len()).unwrap_or(1) / 3 % of
    }

    pub fn own(&self, more: u32) -> IpAddr {
        ip(0x4000 + self.place() * 8 + more)
    }

    fn victim(&self) -> IpAddr {
        ip(0x9000 + self.place())
    }

    fn station(&self) -> onenet_topology::MacAddr {
        mac(0x9_0000 + self.number)
    }

    fn link(&self) -> IpAddr {
        format!("fe80::9:{:x}", self.number).parse().expect("an address")
    }

    /// Which feed falls silent; all of them where that is none.
    fn feed(&self) -> u32 {
        self.form(machines::STATIONS + 1)
    }

    /// The host of the service that it is about.
    const fn service(&self) -> u32 {
        0xe000 + self.place()
    }

    /// What the register has of that service.
    fn register(&self, week: i64, site: &mut Site) {
        let service = registered(self.service(), SERVICE_PORT);
        site.services.extend(match self.kind {
            Kind::ExpiredService => Some(Service { expires: Some(moment(week, self.begins_s - 60)), ..service }),
            Kind::ExposedService => Some(Service { scope: vec!["10.20.0.0/16".parse().expect("a prefix")], ..service }),
            Kind::GoneService => Some(service),
            _ => None,
        });
    }

    /// What has to be in the week itself, since it is judged in order.
    pub fn upset(&self, week: i64, site: &mut Site) {
        self.register(week, site);
        let begins = self.begins_s / 60;
        let (lasts, times) = match self.kind {
            // Its strength is how long it lasts.
            Kind::SilentFeed => (i64::from(self.times(120)), 0),
            Kind::TrafficShift | Kind::FlowShift | Kind::TerminalShift | Kind::ErrorShift | Kind::RoundTripShift => {
                (14 * 60, 100 + self.strength)
            }
            _ => return,
        };
        site.upsets.push(Upset { kind: self.kind, minutes: (begins, begins + lasts), times, number: self.feed() });
    }

    fn port(&self) -> u16 {
        u16::try_from(3_000 + self.number % 30_000).expect("a port")
    }

    /// Returns so many as the strength makes of a threshold.
    fn times(&self, threshold: u32) -> u32 {
        threshold * self.strength / 100
    }

    pub fn run(&self, week: i64, dice: &mut Dice, detection: &mut Detection) {
        let at = |seconds: i64| moment(week, self.begins_s + seconds);
        match self.kind {
            Kind::PortScan | Kind::Sweep | Kind::SlowScan | Kind::DarkAddress | Kind::Worm => {
                self.scan(&at, dice, detection);
            }
            Kind::BruteForce => self.guess(&at, dice, detection),
            Kind::SynFlood | Kind::UdpFlood | Kind::IcmpFlood | Kind::DnsFlood | Kind::Reflection => {
                self.flood(&at, dice, detection);
            }
            Kind::Outreach | Kind::Beaconing => self.outward(&at, dice, detection),
            Kind::DnsTunnel | Kind::Dga => self.names(&at, dice, detection),
            Kind::CleartextLogin | Kind::OutdatedTls | Kind::ExpiredCertificate => self.disclose(at(0), detection),
            Kind::Nat | Kind::ChangedClass | Kind::ChangedOs | Kind::ForbiddenVlan => self.terminal(&at, detection),
            Kind::NewPeer | Kind::LongTransfer | Kind::NightTransfer => self.send(&at, dice, detection),
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService => {
                let uses = if self.kind == Kind::UnregisteredService { self.times(3) } else { 1 };
                for number in 0..uses {
                    let to = (ip(self.service()), SERVICE_PORT);
                    detection.flow(&spoken(at(i64::from(number) * 60), (far(9_000), dice.port()), to, 900, 9_000, 900));
                }
            }
            Kind::SilentFeed
            | Kind::GoneService
            | Kind::TrafficShift
            | Kind::FlowShift
            | Kind::TerminalShift
            | Kind::ErrorShift
            | Kind::RoundTripShift => {}
            _ => self.segment(&at, detection),
        }
    }

    fn scan(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let mut attempt = |seconds: i64, own: u32, to: IpAddr, port: u16| {
            let refused = dice.permille(500);
            detection.flow(&failed(at(seconds), (self.own(own), dice.port()), (to, port), refused));
        };
        match self.kind {
            Kind::PortScan => {
                for port in 0..self.times(25) {
                    attempt(
                        i64::from(port) * 200 / i64::from(self.times(25)),
                        0,
                        self.victim(),
                        u16::try_from(1 + port * 7).expect("a port"),
                    );
                }
            }
            Kind::Sweep => {
                for host in 0..self.times(20) {
                    attempt(i64::from(host) * 200 / i64::from(self.times(20)), 0, ip(0x6000 + host), 445);
                }
            }
            // What is left after hours: the rate is what counts, for a working day.
            Kind::SlowScan => {
                let every = 3_600 * 100 / i64::from(self.times(7 * 100) / 100 * 100).max(1);
                for number in 0..(30_000 / every.max(1)) {
                    attempt(
                        number * every,
                        0,
                        ip(0x6000 + u32::try_from(number).expect("small") / 2),
                        22 + u16::try_from(number % 2).expect("small"),
                    );
                }
            }
            Kind::DarkAddress => {
                for host in 0..self.times(3).max(1) {
                    attempt(i64::from(host) * 600, 0, ip(0xc800 + dice_free(self.number, host)), 80);
                }
            }
            _ => {
                for own in 0..self.times(3).min(8) {
                    for host in 0..25 {
                        attempt(i64::from(own) * 900 + i64::from(host), own, ip(0x6000 + own * 64 + host), self.port());
                    }
                }
            }
        }
    }

    fn guess(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let (port, threshold) =
            [(22, 20), (3_389, 20), (445, 60), (1_433, 60)][usize::try_from(self.form(4)).expect("small")];
        let tries = self.times(threshold);
        for number in 0..tries {
            let seconds = i64::from(number) * 200 / i64::from(tries);
            let back = 2_300 + u64::from(dice.below(160));
            detection.flow(&spoken(at(seconds), (self.own(0), dice.port()), (self.victim(), port), 1_500, back, 2_000));
        }
    }

    fn flood(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let victim = self.victim();
        // Stretches of ten seconds do not begin with the attack: it lasts for three of them.
        let begin = at(0);
        let spread = |number: u32, of: u32| begin.plus_ms(i64::from(number) * 30_000 / i64::from(of.max(1)));
        match self.kind {
            Kind::SynFlood => {
                let packets = self.times(3_000);
                for number in 0..packets {
                    // Of an odd number sources are forged, else there is one.
                    let from = if self.form(2) == 1 { public(dice.below(1 << 24)) } else { self.own(0) };
                    let syn = failed(spread(number, packets), (from, dice.port()), (victim, 80), false);
                    detection.flow(&FlowSeen { packets_out: 1, flags_out: SYN, ..syn });
                }
            }
            Kind::UdpFlood => {
                for number in 0..60 {
                    let packets = u64::from(self.times(1_000));
                    detection.flow(&datagrams(
                        spread(number, 60),
                        (self.own(0), dice.port()),
                        (victim, 9_999),
                        packets,
                        0,
                        400,
                    ));
                }
            }
            Kind::IcmpFlood => {
                let packets = u64::from(self.times(6_000));
                let echo = flow(begin, 1, (self.own(0), 1), (victim, 8 << 8));
                detection.flow(&FlowSeen {
                    packets_out: packets,
                    packets_in: packets,
                    end: begin.plus_ms(30_000),
                    ..echo
                });
            }
            Kind::DnsFlood => {
                let packets = self.times(9_000);
                for number in 0..packets {
                    detection.flow(&datagrams(
                        spread(number, packets),
                        (self.own(0), dice.port()),
                        (victim, 53),
                        1,
                        1,
                        10,
                    ));
                }
            }
            _ => {
                for number in 0..300 {
                    let packets = u64::from(self.times(20));
                    detection.flow(&datagrams(
                        spread(number, 300),
                        (public(number * 77), 53),
                        (victim, 4_444),
                        packets,
                        0,
                        200,
                    ));
                }
            }
        }
    }

    fn segment(&self, at: &impl Fn(i64) -> Timestamp, detection: &mut Detection) {
        let IpAddr::V4(victim) = self.victim() else { return };
        let claim = |seconds: i64, ip: IpAddr, mac, reply| Claim { time: at(seconds), ip, mac, reply, asks: None };
        let owner = mac(0xa_0000 + self.number);
        match self.kind {
            Kind::ArpSpoofing => {
                detection.claim(&claim(-60, victim.into(), owner, true));
                detection.claim(&claim(-50, self.own(0), self.station(), false));
                for turn in 0..i64::from(self.times(3)) {
                    detection.claim(&claim(turn * 2, victim.into(), self.station(), true));
                    detection.claim(&claim(turn * 2 + 1, victim.into(), owner, false));
                }
            }
            Kind::AddressConflict => {
                for turn in 0..=i64::from(self.times(6)) {
                    let station = if turn % 2 == 0 { owner } else { self.station() };
                    detection.claim(&claim(turn * 20, victim.into(), station, false));
                }
            }
            Kind::OtherNetwork => {
                let elsewhere = IpAddr::from([192, 168, 43, 7]);
                for turn in 0..i64::from(self.times(3)) {
                    detection.claim(&claim(turn * 60, elsewhere, self.station(), false));
                }
            }
            Kind::RogueDhcp => detection.serving(&Serving {
                time: at(0),
                role: Role::Dhcp,
                ip: self.own(0),
                mac: Some(self.station()),
            }),
            Kind::RogueDhcpv6 => detection.serving(&Serving {
                time: at(0),
                role: Role::Dhcpv6,
                ip: self.link(),
                mac: Some(self.station()),
            }),
            Kind::RogueRa => detection.serving(&Serving {
                time: at(0),
                role: Role::Router,
                ip: self.link(),
                mac: Some(self.station()),
            }),
            Kind::RogueRoot => {
                detection.tree(&Tree { time: at(0), priority: 0x1001, root: self.station(), bridge: self.station() });
            }
            Kind::RogueLldp => detection.equipment(&Equipment {
                time: at(0),
                mac: self.station(),
                chassis: None,
                capabilities: 0x0c,
                name: Some("AP-1"),
            }),
            Kind::MacFlood => {
                let senders = u64::from(self.times(2_000));
                detection.air(&Air { start: at(0), end: at(10), frames: 90_000, broadcasts: 100, senders });
            }
            _ => {
                let broadcasts = u64::from(self.times(10_000));
                detection.air(&Air { start: at(0), end: at(10), frames: 2 * broadcasts, broadcasts, senders: 60 });
            }
        }
    }

    fn outward(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let to = (public(0x9_0000 + self.number), 443);
        if self.kind == Kind::Outreach {
            for attempt in 0..self.times(5) {
                detection.flow(&failed(at(i64::from(attempt) * 60), (self.own(0), dice.port()), to, false));
            }
            return;
        }
        // A beacon's strength is how long it goes on; its jitter is a quarter of the threshold's either way, and of every
        // twentieth call nothing is seen.
        let mut seconds = 0;
        for _ in 0..=self.times(18) {
            let jitter = i64::from(dice.below(2 * 60)) - 60;
            seconds += 300 + jitter;
            if !dice.permille(50) {
                detection.flow(&spoken(at(seconds), (self.own(0), dice.port()), to, 500, 300, 400));
            }
        }
    }

    fn send(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let mut say = |at: Timestamp, from: IpAddr, to: (IpAddr, u16), octets: u64| {
            detection.flow(&spoken(at, (from, dice.port()), to, octets, 600, 20_000));
        };
        match self.kind {
            // A server that had its peers for so many days.
            Kind::NewPeer => {
                let days = i64::from(self.times(7));
                for day in -days..0 {
                    for other in 0..6 {
                        say(at(day * 86_400), ip(0x5000 + other), (self.own(0), 443), 700);
                    }
                    for other in 0..3 {
                        say(at(day * 86_400 + 60), self.own(0), (far(950 + other), 5_432), 700);
                    }
                }
                say(at(0), self.own(0), (far(990), 22), 700);
            }
            Kind::LongTransfer => {
                for part in 0..10 {
                    let octets = u64::from(self.times(200)) * 1_000_000;
                    say(at(part * 300), self.own(0), (far(900 + self.place()), 443), octets);
                }
            }
            _ => {
                let half_past_eleven = 84_600 - self.begins_s % 86_400;
                for part in 0..10 {
                    let octets = u64::from(self.times(20)) * 1_000_000;
                    say(at(half_past_eleven + part * 120), self.own(0), (far(900 + self.place()), 443), octets);
                }
            }
        }
    }

    fn names(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let tunnel = self.kind == Kind::DnsTunnel;
        let names = self.times(if tunnel { 60 } else { 15 });
        for number in 0..names {
            let name = if tunnel {
                format!("{:016x}{:016x}{:08x}.t.example.com", dice.number(), dice.number(), dice.below(1 << 31))
            } else {
                let letters: String =
                    (0..12).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).expect("a letter"))).collect();
                format!("{letters}.com")
            };
            let time = at(i64::from(number) * 400 / i64::from(names));
            let missing = (!tunnel).then_some(true);
            for (client, server) in [(self.own(0), ip(3)), (ip(3), far(53))] {
                detection.name(&NameSeen { time, client, server, name: &name, missing });
            }
        }
    }

    fn disclose(&self, time: Timestamp, detection: &mut Detection) {
        let what = match self.kind {
            Kind::CleartextLogin => Disclosure::Login("ftp"),
            Kind::OutdatedTls => Disclosure::Tls("TLSv1.0"),
            _ => Disclosure::CertificateEnds(time.plus_ms(-1)),
        };
        detection.disclosed(&Disclosed { time, client: far(1), server: self.victim(), port: 2_000, what });
    }

    fn terminal(&self, at: &impl Fn(i64) -> Timestamp, detection: &mut Detection) {
        let score = u8::try_from((35 * self.strength / 100).min(95)).expect("a score");
        let before = Terminal {
            time: at(-3_600),
            mac: self.station(),
            ip: Some(self.own(0)),
            vlan: Some(10),
            class: Some((DeviceClass::Printer, 90)),
            os: Some((OsFamily::Linux, 90)),
            shared: None,
        };
        detection.terminal(&before);
        let after = Terminal { time: at(0), ..before };
        detection.terminal(&match self.kind {
            Kind::Nat => Terminal { shared: Some(score + 15), ..after },
            Kind::ChangedClass => Terminal { class: Some((DeviceClass::Pc, score)), ..after },
            Kind::ChangedOs => Terminal { os: Some((OsFamily::Windows, score)), ..after },
            _ => Terminal { vlan: Some(999), ..after },
        });
    }
}

/// Returns which dark address is tried: each attack tries others.
const fn dice_free(number: u32, host: u32) -> u32 {
    (number * 37 + host * 3) % 1_000
}
