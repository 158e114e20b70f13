//! What is injected at sites of a province, and what the centre has to conclude of it.

use std::net::Ipv4Addr;

use onenet_topology::{MacAddr, SiteId};

use super::site::{Machine, PORTS, Site, port_name};

/// Something that is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Unregistered,
    ManyUnregistered,
    MacClone,
    IpClone,
    DeviceAddress,
    Flaps,
    Replaced,
    Hub,
    WormSpread,
}

/// Each with what it belongs to, what happens, what the centre has to conclude, and whether it has a threshold.
pub const ROWS: [(What, &str, &str, &str, bool); 9] = [
    (What::Unregistered, "new and changed", "unregistered terminal", "unregistered_terminal", true),
    (What::ManyUnregistered, "new and changed", "many of them at once", "unregistered_terminal", true),
    (What::Replaced, "new and changed", "device replaced", "device_replaced", false),
    (What::Hub, "new and changed", "hub behind a port", "hub_behind_port", true),
    (What::MacClone, "layer 2/3", "MAC clone at two sites", "mac_at_two_sites", true),
    (What::IpClone, "layer 2/3", "IP clone", "ip_with_two_macs", true),
    (What::DeviceAddress, "layer 2/3", "a device's address used", "device_address_used", true),
    (What::Flaps, "layer 2/3", "MAC clone or loop, flaps", "mac_flaps", true),
    (What::WormSpread, "scans and sweeps", "worm-like, several sites", "worm_spread", true),
];

/// An attack of a week.
#[derive(Debug, Clone)]
pub struct Attack {
    pub row: usize,
    /// Times the threshold, in hundredths.
    pub strength: u32,
    pub number: u32,
    /// The first round of it, in its week, and the one after the last.
    pub rounds: (i64, i64),
    /// Which sites it is at, by their numbers; the first is where it is found.
    pub sites: Vec<usize>,
    /// What is to be concluded, each at a site about somebody.
    pub expected: Vec<(SiteId, String)>,
    /// What is as true: kind, site, and about whom; about anybody where that is empty.
    pub also: Vec<(&'static str, SiteId, String)>,
}

impl Attack {
    pub fn what(&self) -> What {
        ROWS[self.row].0
    }

    pub fn kind(&self) -> &'static str {
        ROWS[self.row].3
    }

    /// Returns so many as the strength makes of a threshold.
    pub fn times(&self, threshold: u32) -> u32 {
        threshold * self.strength / 100
    }

    /// How many rounds it lasts where minutes are what counts.
    pub fn lasts(what: What, strength: u32) -> i64 {
        let minutes = match what {
            What::Unregistered | What::ManyUnregistered => 10,
            What::MacClone | What::IpClone | What::DeviceAddress => 60,
            What::Flaps => return i64::from(4 * strength / 100) - 1,
            What::Replaced | What::WormSpread => return 40,
            What::Hub => return 13,
        };
        if what == What::ManyUnregistered {
            4
        } else {
            i64::from(minutes * strength / 100 / 10).max(1) + i64::from(strength > 100)
        }
    }

    pub fn mac(&self, more: u16) -> MacAddr {
        let [.., high, middle, low] = self.number.to_be_bytes();
        MacAddr([0x3c, 0x52, 0x80 + high, middle, low, u8::try_from(more).expect("small")])
    }

    /// Which MAC addresses are on the books of its first site.
    pub fn booked(&self) -> Vec<MacAddr> {
        match self.what() {
            What::Unregistered | What::ManyUnregistered => Vec::new(),
            What::Hub => (0..self.times(3)).map(|more| self.mac(u16::try_from(more).expect("small"))).collect(),
            _ => vec![self.mac(0)],
        }
    }

    /// Says what is to be concluded.
    pub fn expect(&mut self, sites: &[Site], province: SiteId) {
        let at = |place: usize| &sites[self.sites[place]];
        let own = self.mac(0).to_string();
        self.expected = match self.what() {
            What::Unregistered => vec![(at(0).id, own)],
            What::ManyUnregistered => vec![(at(0).id, "asset register".into())],
            What::MacClone => vec![(at(0).id, own.clone()), (at(1).id, own)],
            What::IpClone => vec![(at(0).id, at(0).machines[0].ip.to_string())],
            What::DeviceAddress => vec![(at(0).id, at(0).own().to_string())],
            What::Flaps => vec![(at(0).id, at(0).machines[1].mac.to_string())],
            What::Replaced => vec![(at(0).id, super::centre::SWITCH.into())],
            What::Hub => vec![(at(0).id, format!("{} {}", at(0).switch(), port_name(self.port())))],
            What::WormSpread => vec![(province, self.swept())],
        };
        self.also = match self.what() {
            // As soon as some are known, and before all are.
            What::ManyUnregistered => vec![("unregistered_terminal", at(0).id, String::new())],
            What::MacClone => vec![("unregistered_terminal", at(1).id, self.mac(0).to_string())],
            _ => Vec::new(),
        };
    }

    pub fn port(&self) -> u16 {
        PORTS - u16::try_from(self.number % 4).expect("small")
    }

    pub fn swept(&self) -> String {
        format!("tcp/{}", 3_000 + self.number)
    }

    /// Changes what is there in a round at the site that stands at `place` of its sites.
    pub fn during(&self, round: i64, place: usize, site: &Site, there: &mut Vec<Machine>) {
        let machine = |more: u32| Machine {
            mac: self.mac(u16::try_from(more).expect("small")),
            ip: site.address(self.number % 250, more),
            port: self.port(),
        };
        match self.what() {
            What::Unregistered | What::MacClone => there.push(machine(0)),
            What::ManyUnregistered => there.extend(
                (0..self.times(20))
                    .map(|more| Machine { port: 1 + u16::try_from(more).expect("small") % PORTS, ..machine(more) }),
            ),
            What::IpClone => there.push(Machine { ip: site.machines[0].ip, ..machine(0) }),
            What::DeviceAddress => there.push(Machine { ip: site.own(), ..machine(0) }),
            What::Flaps if place == 0 && (round - self.rounds.0) % 2 == 0 => {
                if let Some(it) = there.iter_mut().find(|it| it.mac == site.machines[1].mac) {
                    it.port = self.port();
                }
            }
            What::Hub => there.extend((0..self.times(3)).map(machine)),
            What::Flaps | What::Replaced | What::WormSpread => {}
        }
    }

    /// Who swept at a site.
    pub fn host(&self, site: &Site) -> Ipv4Addr {
        site.address(self.number % 250, 0)
    }
}

/// Returns the serial number of a device that takes another's place.
pub fn serial(attack: &Attack) -> String {
    format!("2109{:06}", attack.number)
}
