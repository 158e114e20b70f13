//! Attacks that show on the segment: what stations, servers, bridges and names say.

use std::net::IpAddr;

use onenet_detection::{
    Detection, Kind,
    observation::{Air, Claim, Disclosed, Disclosure, Equipment, NameSeen, Role, Serving, Terminal, Tree},
};
use onenet_topology::{
    Timestamp,
    classify::{DeviceClass, OsFamily},
};

use super::Attack;
use crate::generated::{Dice, far, ip, mac};

impl Attack {
    pub(super) fn segment(&self, at: &impl Fn(i64) -> Timestamp, detection: &mut Detection) {
        let IpAddr::V4(victim) = self.victim() else { return };
        let claim = |seconds: i64, ip: IpAddr, mac, reply| Claim { time: at(seconds), ip, mac, reply, asks: None };
        let owner = mac(0xa_0000 + self.number);
        match self.kind {
            // Of a listed router, who has no address of his own is a liar too.
            Kind::ArpSpoofing if self.form == 1 => {
                detection.claim(&claim(-60, victim.into(), owner, true));
                for turn in 0..i64::from(self.times(3)) {
                    detection.claim(&claim(turn * 5, victim.into(), self.station(), true));
                }
            }
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

    pub(super) fn names(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
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

    pub(super) fn disclose(&self, time: Timestamp, detection: &mut Detection) {
        let turn =
            |of: &[&'static str]| of[usize::try_from(self.turn(u32::try_from(of.len()).expect("few"))).expect("small")];
        let what = match self.kind {
            Kind::CleartextLogin => Disclosure::Login(turn(&["ftp", "telnet", "http", "pop3", "imap"])),
            Kind::OutdatedTls => Disclosure::Tls(turn(&["TLSv1.0", "TLSv1.1", "SSLv3"])),
            _ => Disclosure::CertificateEnds(time.plus_ms(-1)),
        };
        detection.disclosed(&Disclosed { time, client: far(1), server: self.victim(), port: 2_000, what });
    }

    pub(super) fn terminal(&self, at: &impl Fn(i64) -> Timestamp, detection: &mut Detection) {
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
