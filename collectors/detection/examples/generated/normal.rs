//! An ordinary week.

use onenet_detection::{
    Detection, Kind,
    observation::{Air, Claim, Disclosed, Disclosure, Equipment, FlowSeen, NameSeen, Role, Serving, Terminal, Tree},
};
use onenet_topology::{
    MacAddr, Timestamp,
    application::Application,
    classify::{DeviceClass, OsFamily},
};

use super::{Dice, Site, datagrams, failed, far, ip, mac, moment, public, spoken};

const MINUTES: i64 = 7 * 24 * 60;

/// How busy a minute is, in hundredths: working days, with a rest at noon.
pub(super) fn busy(minute: i64) -> u32 {
    let (day, hour) = (minute / 1_440, minute / 60 % 24);
    match (day, hour) {
        (5 | 6, 9..=17) => 8,
        (0..=4, 8..=11 | 14..=17) => 100,
        (0..=4, 12 | 13 | 18) => 45,
        (0..=4, 7 | 19..=21) => 20,
        _ => 3,
    }
}

impl Site {
    /// Feeds an ordinary week.
    pub fn week(&mut self, week: i64, detection: &mut Detection) {
        let mut dice = self.dice.clone();
        // Once a week the line fails for half an hour of a working day.
        let cut = i64::from(dice.below(5)) * 1_440 + 9 * 60 + i64::from(dice.below(400));
        for minute in 0..MINUTES {
            let busy = busy(minute);
            let is_cut = (cut..cut + 30).contains(&minute);
            self.people(week, minute, busy, is_cut, &mut dice, detection);
            self.machines(week, minute, busy, is_cut, &mut dice, detection);
            self.more_machines(week, minute, is_cut, &mut dice, detection);
            self.segment(week, minute, busy, &mut dice, detection);
            self.names(week, minute, busy, &mut dice, detection);
        }
        self.dice = dice;
    }

    fn people(&self, week: i64, minute: i64, busy: u32, is_cut: bool, dice: &mut Dice, detection: &mut Detection) {
        let connections = self.pcs * busy / 160 + u32::from(dice.permille(busy * 4));
        // All that there is in such a minute, of people and of machines, so many times more.
        let all = self.pcs * busy / 75 + busy / 12 + 15;
        let more = all * (self.times(Kind::FlowShift, minute) - 100) / 100;
        for _ in 0..connections + more {
            let at = moment(week, minute * 60 + i64::from(dice.below(60)));
            let number = dice.below(self.pcs);
            let from = (self.pc(number), dice.port());
            // Few servers are asked by most, many by few.
            let often = dice.below(180);
            let server = dice.below(1 + often);
            let to = (far(server), if dice.permille(850) { 443 } else { 80 });
            let (out, back) = (300 + u64::from(dice.below(4_000)), u64::from(dice.below(90_000)));
            let lasts = i64::from(dice.below(40_000));
            detection.flow(&match dice.below(1_000) {
                _ if is_cut => failed(at, from, to, false),
                0..=6 => failed(at, from, (to.0, 8_000 + u16::try_from(dice.below(60)).unwrap_or(0)), true),
                7..=10 => failed(at, from, (ip(3_000 + dice.below(60)), 9_100), false),
                11..=30 => spoken(at, from, (ip(10), 445), out * 20, back * 9, 600_000),
                31..=34 => failed(at, from, (self.pc(dice.below(self.pcs)), 7_680), dice.permille(400)),
                35..=38 => FlowSeen { data: false, ..spoken(at, from, to, 0, 0, 100) },
                39..=44 => Self::call(at, from, dice),
                45..=46 => spoken(at, from, (ip(10), 3_389), 9_000, 400_000, 900_000),
                47 => datagrams(at, (far(53), 53), from, 1, 0, 0),
                48..=60 => spoken(at, from, (far(300), 993), out, back, 2_000),
                _ => spoken(at, from, to, out, back, lasts),
            });
        }
        // Delivery optimisation looks for others each morning, also for those who are off.
        if minute % 1_440 == 8 * 60 + 30 && busy == 100 {
            for number in 0..self.pcs.min(40) {
                for _ in 0..8 + dice.below(22) {
                    let at = moment(week, minute * 60 + i64::from(dice.below(240)));
                    let other = self.pc(dice.below(self.pcs));
                    detection.flow(&failed(at, (self.pc(number), dice.port()), (other, 7_680), dice.permille(300)));
                }
            }
        }
        self.administrators(week, minute, busy, dice, detection);
    }

    fn call(at: Timestamp, from: (std::net::IpAddr, u16), dice: &mut Dice) -> FlowSeen<'static> {
        let packets = 3_000 + u64::from(dice.below(90_000));
        let call = datagrams(
            at,
            from,
            (far(400 + dice.below(30)), 16_384 + 2 * u16::try_from(dice.below(900)).unwrap_or(0)),
            packets,
            packets,
            60_000,
        );
        FlowSeen { application: Some(Application::Rtp), by_payload: dice.permille(700), ..call }
    }

    fn administrators(&self, week: i64, minute: i64, busy: u32, dice: &mut Dice, detection: &mut Detection) {
        let at = moment(week, minute * 60);
        if busy == 100 && dice.permille(12) {
            let from = (self.pc(0), dice.port());
            for hop in 0..60_u16 {
                detection.flow(&datagrams(at, from, (far(7), 33_434 + hop), 1, 0, 0));
            }
            let wrong = 1 + dice.below(4);
            for attempt in 0..wrong {
                let at = at.plus_ms(i64::from(attempt) * 4_000);
                detection.flow(&spoken(at, from, (ip(20 + dice.below(self.devices)), 22), 2_000, 2_300, 9_000));
            }
            detection.flow(&spoken(at, from, (ip(20 + dice.below(self.devices)), 22), 20_000, 90_000, 900_000));
        }
        // A script that copies a few files, each in a session of its own.
        if minute % 1_440 == 3 * 60 {
            for file in 0..12 {
                let at = at.plus_ms(file * 9_000);
                let octets = u64::from(dice.below(400_000));
                detection.flow(&spoken(at, (ip(12), dice.port()), (ip(11), 22), octets, 3_500, 4_000));
            }
            detection.flow(&spoken(at, (ip(11), 40_000), (far(12), 873), 9_000_000_000, 90_000_000, 3_600_000));
        }
    }

    fn segment(&self, week: i64, minute: i64, busy: u32, dice: &mut Dice, detection: &mut Detection) {
        let at = moment(week, minute * 60);
        let claim = |time: Timestamp, number: u32, mac: MacAddr, reply: bool| Claim {
            time,
            ip: ip(number),
            mac,
            reply,
            asks: None,
        };
        for _ in 0..2 + self.pcs / 20 {
            let number = 1_024 + dice.below(self.pcs);
            let asks = Some(ip(if dice.permille(700) { 1 } else { 1_024 + dice.below(self.pcs) }));
            let time = at.plus_ms(i64::from(dice.below(50_000)));
            detection.claim(&Claim { asks, ..claim(time, number, mac(number), false) });
            detection.claim(&claim(time.plus_ms(2), 1, mac(1), true));
        }
        // An address is given anew; a cluster moves and announces that; a virtual router speaks beside its master.
        if dice.permille(2) {
            let number = 900 + dice.below(50);
            detection.claim(&claim(at, number, mac(100_000 + dice.below(500)), false));
        }
        if dice.permille(1) {
            for turn in 0..5 {
                detection.claim(&claim(
                    at.plus_ms(turn * 1_000),
                    30,
                    mac(5_000 + u32::try_from(minute % 2).unwrap_or(0)),
                    true,
                ));
            }
        }
        detection.claim(&claim(at, 4, MacAddr([0, 0, 0x5e, 0, 1, 9]), true));
        detection.claim(&claim(at.plus_ms(500), 4, mac(1), true));
        for server in [2, 3] {
            if minute < 3 || dice.permille(busy) {
                detection.serving(&Serving { time: at, role: Role::Dhcp, ip: ip(server), mac: Some(mac(server)) });
            }
        }
        let link = |text: &str| text.parse().expect("an address");
        detection.serving(&Serving { time: at, role: Role::Router, ip: link("fe80::1"), mac: Some(mac(1)) });
        detection.serving(&Serving { time: at, role: Role::Dhcpv6, ip: link("fe80::2"), mac: Some(mac(2)) });
        // For an hour on Wednesday another bridge is the root.
        let other = (2_900..2_960).contains(&minute);
        let (priority, root) = if other { (0x8001, mac(2)) } else { (0x6001, mac(1)) };
        detection.tree(&Tree { time: at, priority, root, bridge: mac(3) });
        // A switch, a router, a telephone with a port for a computer, and a computer.
        for (who, capabilities) in [(1, 0x14), (2, 0x04), (7_000 + dice.below(40), 0x24), (1_030, 0x80)] {
            let said = Equipment { time: at, mac: mac(who), chassis: Some(mac(who)), capabilities, name: None };
            detection.equipment(&said);
        }
        let frames = 1_000 + u64::from(busy) * u64::from(self.pcs) * u64::from(7 + dice.below(5));
        let frames = frames * u64::from(self.times(Kind::TrafficShift, minute)) / 100;
        let morning = u64::from(minute % 1_440 == 510) * 2_500;
        let broadcasts = u64::from(self.pcs) * 2 + u64::from(dice.below(400)) + morning;
        let senders = u64::from(self.pcs + self.cameras + self.devices + 20);
        detection.air(&Air { start: at, end: at.plus_ms(10_000), frames: frames + broadcasts, broadcasts, senders });
        if minute % 360 == 0 {
            self.terminals(at, dice, detection);
        }
    }

    fn terminals(&self, at: Timestamp, dice: &mut Dice, detection: &mut Detection) {
        for number in 0..self.pcs {
            // What is not sure may waver.
            let wavers = (DeviceClass::Server, 30 + u8::try_from(dice.below(35)).unwrap_or(0));
            let class = if dice.permille(30) { wavers } else { (DeviceClass::Pc, 90) };
            let os = if dice.permille(30) { (OsFamily::Linux, 55) } else { (OsFamily::Windows, 92) };
            let number = 1_024 + number;
            let shared = dice.permille(100).then(|| 20 + u8::try_from(dice.below(40)).unwrap_or(0));
            detection.terminal(&Terminal {
                time: at,
                mac: mac(number),
                ip: Some(ip(number)),
                vlan: Some(10),
                class: Some(class),
                os: Some(os),
                shared,
            });
        }
        for (port, what) in [
            (443, Disclosure::Tls("TLSv1.3")),
            (8_443, Disclosure::Tls("TLSv1.2")),
            (443, Disclosure::CertificateEnds(at.plus_ms(86_400_000))),
        ] {
            detection.disclosed(&Disclosed { time: at, client: self.pc(1), server: far(1), port, what });
        }
    }

    fn names(&self, week: i64, minute: i64, busy: u32, dice: &mut Dice, detection: &mut Detection) {
        for _ in 0..=self.pcs * busy / 300 {
            let time = moment(week, minute * 60 + i64::from(dice.below(60)));
            let client = self.pc(dice.below(self.pcs));
            let (number, hash) = (dice.below(300), dice.number());
            let (name, missing) = match dice.below(100) {
                0..=3 => (format!("{}.{}.20.10.in-addr.arpa", number % 256, hash % 256), Some(hash % 2 == 0)),
                4..=6 => (format!("www.site{number}.com.corp.mee.gov.cn"), Some(true)),
                7 => (format!("gongzuo{number}.cn"), Some(true)),
                8 => (format!("{hash:016x}{:016x}.avqs.kaspersky-labs.com", hash.wrapping_mul(3)), None),
                9..=14 => (format!("e{number}.dscd.akamaiedge.net"), None),
                15 => (String::from("wpad"), Some(true)),
                16 => (format!("{:09x}cdn.example.net", hash & 0xf_ffff_ffff), None),
                _ => (format!("app{number}.mee.gov.cn"), None),
            };
            detection.name(&NameSeen { time, client, server: ip(3), name: &name, missing });
            // The resolver asks the same for its client.
            detection.name(&NameSeen { time, client: ip(3), server: far(53), name: &name, missing });
        }
        // Who knocks from the Internet at what the boundary lets through.
        if dice.permille(20) {
            let at = moment(week, minute * 60);
            detection.flow(&failed(at, (public(dice.below(1 << 24)), dice.port()), (ip(10), 443), true));
        }
    }
}
