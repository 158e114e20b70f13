//! Attacks, each at a strength: how many times its threshold it does what the threshold counts.

mod flows;
mod segment;

use std::net::IpAddr;

use onenet_detection::{Detection, Kind, Label, Service, Subject};

use super::{ROWS, Row, SERVICE_PORT, Site, Upset, far, ip, mac, machines, moment, public, registered};
use crate::generated::Dice;

/// An attack of a week, and what may rightly be found because of it.
#[derive(Debug)]
pub struct Attack {
    /// Which row it is of.
    pub row: usize,
    pub kind: Kind,
    /// Which form of it.
    form: u32,
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
    pub fn new(row: usize, strength: u32, number: u32, dice: &mut Dice) -> Self {
        let Row { kind, form, .. } = ROWS[row];
        // A station that falls silent while all are silent is part of that: one and all have days of their own.
        let day = match (kind, form, dice.below(5)) {
            (Kind::SilentFeed, 0, day) => day % 3,
            (Kind::SilentFeed, 1, day) => 3 + day % 2,
            // As a dip is not told from what was usual for days after something befell the same series.
            (Kind::UplinkShift, 2, _) => 0,
            (Kind::UplinkShift, _, day) => 2 + day % 2,
            (_, _, day) => day,
        };
        let begins_s = i64::from(day) * 86_400 + 8 * 3_600 + i64::from(dice.below(20_000));
        let expected = (kind, Subject::Segment);
        let mut attack = Self { row, kind, form, strength, begins_s, number, expected, also: Vec::new() };
        attack.expected.1 = attack.subject();
        attack.also = attack.companions();
        attack
    }

    /// About whom it is to be found.
    fn subject(&self) -> Subject {
        match self.kind {
            Kind::SynFlood | Kind::UdpFlood | Kind::IcmpFlood | Kind::DnsFlood | Kind::Reflection => {
                Subject::Host(self.flooded())
            }
            Kind::AddressConflict => Subject::Host(self.victim()),
            Kind::ArpSpoofing
            | Kind::RogueRoot
            | Kind::RogueLldp
            | Kind::OtherNetwork
            | Kind::Nat
            | Kind::ChangedClass
            | Kind::ChangedOs
            | Kind::ForbiddenVlan => Subject::Station(self.station()),
            Kind::RogueDhcpv6 | Kind::RogueRa => Subject::Host(self.link()),
            Kind::MacFlood | Kind::BroadcastStorm | Kind::TrafficShift | Kind::FlowShift | Kind::TerminalShift => {
                Subject::Segment
            }
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService | Kind::GoneService => {
                Subject::Service { host: ip(self.service()), port: SERVICE_PORT }
            }
            Kind::ErrorShift => Subject::Named(Label::new("switch-1")),
            Kind::RoundTripShift => Subject::Named(Label::new("parent")),
            Kind::UplinkShift => Subject::Named(Label::new(machines::UPLINK)),
            Kind::SilentFeed => match self.form {
                0 => Subject::Host(machines::station(self.feed())),
                1 => Subject::Service { host: far(212), port: 9_002 },
                _ => Subject::Host(machines::BUSINESS.0),
            },
            Kind::CleartextLogin | Kind::OutdatedTls | Kind::ExpiredCertificate => {
                Subject::Service { host: self.victim(), port: 2_000 }
            }
            Kind::Worm => Subject::Port { protocol: 6, port: self.port() },
            _ => Subject::Host(self.own(0)),
        }
    }

    /// What is as true as what is expected.
    fn companions(&self) -> Vec<(Kind, Subject)> {
        let of = |host: IpAddr, kinds: &[Kind]| kinds.iter().map(|kind| (*kind, Subject::Host(host))).collect();
        let own = |kinds: &[Kind]| of(self.own(0), kinds);
        match self.kind {
            Kind::PortScan | Kind::SlowScan => own(&[Kind::SlowScan, Kind::Sweep, Kind::PortScan]),
            Kind::Sweep => own(&[Kind::SlowScan]),
            Kind::DarkAddress => own(&[Kind::Sweep, Kind::SlowScan]),
            Kind::Beaconing => own(&[Kind::Outreach]),
            // What goes out is outreach.
            Kind::SynFlood if self.form == 2 => own(&[Kind::Outreach]),
            Kind::UdpFlood | Kind::IcmpFlood if self.form == 1 => own(&[Kind::Outreach]),
            Kind::Reflection if self.form == 1 => of(self.victim(), &[Kind::Outreach]),
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

    /// Which of several ways it goes: numbers of one row are as far apart as there are rows.
    fn turn(&self, of: u32) -> u32 {
        self.number / u32::try_from(ROWS.len()).unwrap_or(1) / 3 % of
    }

    pub fn own(&self, more: u32) -> IpAddr {
        ip(0x4000 + self.place() * 8 + more)
    }

    fn victim(&self) -> IpAddr {
        ip(0x9000 + self.place())
    }

    /// Who is flooded: one of ours, but where the flood goes outward.
    fn flooded(&self) -> IpAddr {
        match (self.kind, self.form) {
            (Kind::SynFlood, 2) | (Kind::UdpFlood | Kind::IcmpFlood, 1) => public(0xa_0000 + self.number),
            _ => self.victim(),
        }
    }

    fn station(&self) -> onenet_topology::MacAddr {
        mac(0x9_0000 + self.number)
    }

    fn link(&self) -> IpAddr {
        format!("fe80::9:{:x}", self.number).parse().expect("an address")
    }

    /// Which feed falls silent; all of them where that is none.
    fn feed(&self) -> u32 {
        match self.form {
            0 => self.turn(machines::STATIONS),
            1 => machines::ALL_STATIONS,
            _ => machines::BUSINESS_FEED,
        }
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

    /// What has to be in the week itself, since it is judged in order, and what the site's configuration has.
    pub fn upset(&self, week: i64, site: &mut Site) {
        self.register(week, site);
        if self.kind == Kind::ArpSpoofing && self.form == 1 {
            site.routers.push(self.victim());
        }
        let begins = self.begins_s / 60;
        let (lasts, times) = match self.kind {
            // Its strength is how long it lasts.
            Kind::SilentFeed => (i64::from(self.times(120)), 0),
            // It falls to what it would have to rise from.
            Kind::TrafficShift if self.form == 1 => (14 * 60, 10_000 / (100 + self.strength)),
            Kind::UplinkShift if self.form == 2 => (14 * 60, 10_000 / (100 + self.strength)),
            Kind::TrafficShift
            | Kind::FlowShift
            | Kind::TerminalShift
            | Kind::ErrorShift
            | Kind::RoundTripShift
            | Kind::UplinkShift => (14 * 60, 100 + self.strength),
            _ => return,
        };
        let number = if self.kind == Kind::UplinkShift { self.form } else { self.feed() };
        site.upsets.push(Upset { kind: self.kind, minutes: (begins, begins + lasts), times, number });
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
            Kind::PortScan | Kind::SlowScan | Kind::DarkAddress | Kind::Worm => self.scan(&at, dice, detection),
            Kind::Sweep => self.sweep(&at, dice, detection),
            Kind::BruteForce => self.guess(&at, dice, detection),
            Kind::SynFlood | Kind::UdpFlood | Kind::IcmpFlood | Kind::DnsFlood | Kind::Reflection => {
                self.flood(at(0), dice, detection);
            }
            Kind::Outreach => self.outreach(&at, dice, detection),
            Kind::Beaconing => self.beacon(&at, dice, detection),
            Kind::DnsTunnel | Kind::Dga => self.names(&at, dice, detection),
            Kind::CleartextLogin | Kind::OutdatedTls | Kind::ExpiredCertificate => self.disclose(at(0), detection),
            Kind::Nat | Kind::ChangedClass | Kind::ChangedOs | Kind::ForbiddenVlan => self.terminal(&at, detection),
            Kind::NewPeer | Kind::LongTransfer | Kind::NightTransfer => self.send(&at, dice, detection),
            Kind::UnregisteredService | Kind::ExpiredService | Kind::ExposedService => {
                self.serve(&at, dice, detection);
            }
            Kind::SilentFeed
            | Kind::GoneService
            | Kind::TrafficShift
            | Kind::FlowShift
            | Kind::TerminalShift
            | Kind::ErrorShift
            | Kind::RoundTripShift
            | Kind::UplinkShift => {}
            _ => self.segment(&at, detection),
        }
    }
}
