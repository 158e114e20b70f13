//! Attacks that show in flows.

use std::net::{IpAddr, SocketAddr};

use onenet_detection::{
    Detection, Kind,
    observation::{Claim, FlowSeen, Listening, SYN},
};
use onenet_topology::{Timestamp, application::Application};

use super::Attack;
use crate::generated::{Dice, SERVICE_PORT, datagrams, failed, far, flow, ip, public, spoken};

impl Attack {
    pub(super) fn scan(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let mut attempt = |seconds: i64, own: u32, to: IpAddr, port: u16| {
            let refused = dice.permille(500);
            detection.flow(&failed(at(seconds), (self.own(own), dice.port()), (to, port), refused));
        };
        match self.kind {
            Kind::PortScan if self.form == 0 => {
                let ports = self.times(25);
                for port in 0..ports {
                    let number = u16::try_from(1 + port * 7).expect("a port");
                    attempt(i64::from(port) * 200 / i64::from(ports), 0, self.victim(), number);
                }
            }
            Kind::PortScan => {
                let ports = self.times(50);
                for port in 0..ports {
                    let time = at(i64::from(port) * 200 / i64::from(ports));
                    let number = u16::try_from(1 + port * 7).expect("a port");
                    detection.flow(&datagrams(time, (self.own(0), 40_000), (self.victim(), number), 1, 0, 0));
                }
            }
            // What is left after hours: the rate is what counts, for a working day.
            Kind::SlowScan => {
                let every = 3_600 * 100 / i64::from(self.times(7 * 100) / 100 * 100).max(1);
                for number in 0..(30_000 / every.max(1)) {
                    let host = ip(0x6000 + u32::try_from(number).expect("small") / 2);
                    attempt(number * every, 0, host, 22 + u16::try_from(number % 2).expect("small"));
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

    pub(super) fn sweep(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let hosts = self.times(if self.form == 2 { 120 } else { 20 });
        let lasts = if self.form == 2 { 50 } else { 200 };
        for host in 0..hosts {
            let time = at(i64::from(host) * lasts / i64::from(hosts));
            let to = ip(0x6000 + host);
            match self.form {
                0 => detection.flow(&failed(time, (self.own(0), dice.port()), (to, 445), dice.permille(500))),
                1 => detection.flow(&FlowSeen { packets_in: 0, ..flow(time, 1, (self.own(0), 7), (to, 8 << 8)) }),
                _ => {
                    detection.claim(&Claim {
                        time,
                        ip: self.own(0),
                        mac: self.station(),
                        reply: false,
                        asks: Some(to),
                    });
                }
            }
        }
    }

    pub(super) fn guess(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let turn = |of: &[u16]| of[usize::try_from(self.turn(u32::try_from(of.len()).expect("few"))).expect("small")];
        let (port, threshold) = match self.form {
            0 => (22, 20),
            1 => (3_389, 20),
            2 => (445, 60),
            3 => (turn(&[1_433, 3_306, 1_521, 5_432]), 60),
            _ => (turn(&[23, 21, 5_900]), 20),
        };
        let tries = self.times(threshold);
        for number in 0..tries {
            let seconds = i64::from(number) * 200 / i64::from(tries);
            let back = 2_300 + u64::from(dice.below(160));
            detection.flow(&spoken(at(seconds), (self.own(0), dice.port()), (self.victim(), port), 1_500, back, 2_000));
        }
    }

    /// Stretches of ten seconds do not begin with the attack: it lasts for three of them.
    pub(super) fn flood(&self, begin: Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let victim = self.flooded();
        let spread = |number: u32, of: u32| begin.plus_ms(i64::from(number) * 30_000 / i64::from(of.max(1)));
        match self.kind {
            Kind::SynFlood => {
                let packets = self.times(3_000);
                for number in 0..packets {
                    let from = if self.form == 1 { public(dice.below(1 << 24)) } else { self.own(0) };
                    let syn = failed(spread(number, packets), (from, dice.port()), (victim, 80), false);
                    detection.flow(&FlowSeen { packets_out: 1, flags_out: SYN, ..syn });
                }
            }
            Kind::UdpFlood => {
                for number in 0..60 {
                    let (from, packets) = ((self.own(0), dice.port()), u64::from(self.times(1_000)));
                    detection.flow(&datagrams(spread(number, 60), from, (victim, 9_999), packets, 0, 400));
                }
            }
            Kind::IcmpFlood => {
                let packets = u64::from(self.times(6_000));
                let echo = flow(begin, 1, (self.own(0), 1), (victim, 8 << 8));
                let end = begin.plus_ms(30_000);
                detection.flow(&FlowSeen { packets_out: packets, packets_in: packets, end, ..echo });
            }
            Kind::DnsFlood => {
                let packets = self.times(9_000);
                for number in 0..packets {
                    let (from, back) = if self.form == 1 { (public(dice.below(1 << 24)), 0) } else { (self.own(0), 1) };
                    let time = spread(number, packets);
                    detection.flow(&datagrams(time, (from, dice.port()), (victim, 53), 1, back, 10));
                }
            }
            _ => self.reflect(&spread, victim, detection),
        }
    }

    /// Answers that nobody asked for: to one of ours, or asked of a server of ours in the name of a stranger.
    fn reflect(&self, spread: &impl Fn(u32, u32) -> Timestamp, victim: IpAddr, detection: &mut Detection) {
        let packets = u64::from(self.times(20));
        for number in 0..300 {
            let time = spread(number, 300);
            detection.flow(&if self.form == 0 {
                datagrams(time, (public(number * 77), 53), (victim, 4_444), packets, 0, 200)
            } else {
                let asked =
                    datagrams(time, (public(0xb_0000 + self.number), 4_444), (victim, 123), packets, packets, 200);
                FlowSeen { bytes_out: packets * 60, bytes_in: packets * 900, ..asked }
            });
        }
    }

    pub(super) fn outreach(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let (from, to) = ((self.own(0), dice.port()), public(0x9_0000 + self.number));
        match self.form {
            0 => {
                for attempt in 0..self.times(5) {
                    let from = (self.own(0), dice.port());
                    detection.flow(&failed(at(i64::from(attempt) * 60), from, (to, 443), false));
                }
            }
            1 => {
                let tunnel = datagrams(at(0), from, (to, 51_820), 400, 300, 60_000);
                detection.flow(&FlowSeen { application: Some(Application::Wireguard), by_payload: true, ..tunnel });
            }
            _ => {
                let proxy = spoken(at(0), from, (to, 1_080), 4_000, 40_000, 9_000);
                detection.flow(&FlowSeen { application: Some(Application::Socks), by_payload: true, ..proxy });
            }
        }
    }

    /// A beacon's strength is how long it goes on. The first form's jitter is a quarter of the threshold's either way, and of every twentieth
    /// call nothing is seen; the second is refused each minute.
    pub(super) fn beacon(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let to = (public(0x9_0000 + self.number), 443);
        if self.form == 1 {
            for call in 0..=self.times(62) {
                detection.flow(&failed(at(i64::from(call) * 60), (self.own(0), dice.port()), to, true));
            }
            return;
        }
        let mut seconds = 0;
        for _ in 0..=self.times(18) {
            let jitter = i64::from(dice.below(2 * 60)) - 60;
            seconds += 300 + jitter;
            if !dice.permille(50) {
                detection.flow(&spoken(at(seconds), (self.own(0), dice.port()), to, 500, 300, 400));
            }
        }
    }

    pub(super) fn serve(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
        let to = (ip(self.service()), SERVICE_PORT);
        if self.kind == Kind::UnregisteredService && self.form == 1 {
            let place = SocketAddr::from(to);
            detection.listening(&Listening { time: at(0), at: place, client: ip(5), approval: "2026-4" });
            return;
        }
        let uses = if self.kind == Kind::UnregisteredService { self.times(3) } else { 1 };
        for number in 0..uses {
            detection.flow(&spoken(at(i64::from(number) * 60), (far(9_000), dice.port()), to, 900, 9_000, 900));
        }
    }

    pub(super) fn send(&self, at: &impl Fn(i64) -> Timestamp, dice: &mut Dice, detection: &mut Detection) {
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
}

/// Returns which dark address is tried: each attack tries others.
const fn dice_free(number: u32, host: u32) -> u32 {
    (number * 37 + host * 3) % 1_000
}
