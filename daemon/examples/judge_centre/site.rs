//! What is at a site of ordinary weeks, and what looks like an attack there and is none.
//!
//! People who come and go, an address that is given anew, a desk that moves, a visitor of five minutes, a laptop that travels to another site, random
//! addresses that meet, a telephone with a computer behind it, virtual machines, a stack of which one member is exchanged, a serial number that is read late,
//! and a site that has no register.

use std::{net::Ipv4Addr, sync::Arc};

use onenet_topology::{
    MacAddr, SiteId, Timestamp,
    classify::{Sign, SignKind, conclude},
    fact::{
        Binding, Classification, Entity, FactBody, Forwarding, ForwardingStatus, Interface, InterfaceStatus, Method,
        OwnAddress, System,
    },
};

use super::{
    Dice,
    centre::{SWITCH, Told},
};

/// Ports of the switch: the last ones are free, for attacks.
pub const PORTS: u16 = 28;
/// Who is there at night too: a server, a printer, two cameras.
const ALWAYS: usize = 4;

/// A machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    pub mac: MacAddr,
    pub ip: Ipv4Addr,
    pub port: u16,
}

/// A site.
pub struct Site {
    pub id: SiteId,
    pub code: String,
    pub number: u8,
    /// Those that are there at night too stand first.
    pub machines: Vec<Machine>,
    /// The serial numbers of the members of its stack.
    pub serials: Vec<String>,
    pub has_register: bool,
    /// When the serial numbers are read first.
    pub read_from: Timestamp,
    /// Telephones, each at the port of a computer.
    phones: usize,
    dice: Dice,
    /// How many weeks there were: each has another visitor.
    weeks: u16,
    /// What is out of the ordinary this week.
    week: Week,
}

/// Things that happen once a week.
#[derive(Debug, Default, Clone)]
struct Week {
    /// A visitor, who is there for a single round.
    visitor: i64,
    /// From which round on who has the address of whom.
    handed_over: i64,
    /// From which round on a desk is at another port.
    moved: i64,
}

pub fn mac(prefix: [u8; 3], site: u8, number: u16) -> MacAddr {
    let [high, low] = number.to_be_bytes();
    MacAddr([prefix[0], prefix[1], prefix[2], site, high, low])
}

/// A random address, which two sites have by chance.
fn random(site: u8) -> MacAddr {
    MacAddr([0x02, 0, 0, 0, site / 10, 1])
}

const PC: [u8; 3] = [0x10, 0xc5, 0x95];
const PRINTER: [u8; 3] = [0x00, 0x1b, 0x78];
const CAMERA: [u8; 3] = [0x44, 0x19, 0xb6];
const PHONE: [u8; 3] = [0x00, 0x04, 0xf2];
const VMWARE: [u8; 3] = [0x00, 0x50, 0x56];

impl Site {
    pub fn new(id: SiteId, code: String, number: u8, now: Timestamp) -> Self {
        let mut dice = Dice::new(u64::from(number) + 17);
        let pcs = 11 + u16::try_from(dice.below(8)).expect("small");
        let ip = |last: u16| Ipv4Addr::new(10, number, 0, u8::try_from(last).expect("an address"));
        let always = [(PC, 10), (PRINTER, 11), (CAMERA, 12), (CAMERA, 13)];
        let always = (1..).zip(always).map(|(port, (prefix, last))| Machine {
            mac: mac(prefix, number, last),
            ip: ip(last),
            port,
        });
        let people = (0..pcs).map(|pc| Machine { mac: mac(PC, number, 100 + pc), ip: ip(100 + pc), port: 5 + pc });
        let serials = (0..=dice.below(2)).map(|member| format!("2102{number:03}{member}")).collect();
        Self {
            id,
            code,
            number,
            machines: always.chain(people).collect(),
            serials,
            has_register: number % 4 != 3,
            read_from: if number % 3 == 1 { now.plus_ms(6 * 3_600_000) } else { now },
            phones: 4,
            dice,
            weeks: 0,
            week: Week::default(),
        }
    }

    /// Who is on the books: computers.
    pub fn booked(&self) -> Vec<MacAddr> {
        let virtual_machines = (0..5).map(|number| mac(VMWARE, self.number, number));
        let others = [mac(PC, self.number, 90), random(self.number)];
        self.machines.iter().map(|it| it.mac).chain(virtual_machines).chain(others).collect()
    }

    /// Begins a week.
    pub fn begin(&mut self) {
        self.weeks += 1;
        let mut work = || i64::from(self.dice.below(5)) * 144 + 60 + i64::from(self.dice.below(30));
        self.week = Week { visitor: work(), handed_over: work(), moved: work() };
        if self.serials.len() > 1 && self.dice.below(8) == 0 {
            let number = self.dice.below(100_000);
            self.serials[1] = format!("2103{number:05}");
        }
    }

    /// What it tells in a round of a week.
    pub fn told(&self, round: i64) -> Vec<Machine> {
        let (day, minute) = (round / 144, round % 144 * 10);
        let at_work = day < 5 && (8 * 60..18 * 60).contains(&minute);
        let mut there: Vec<Machine> = self.machines[..ALWAYS].to_vec();
        let ip = |last: u8| Ipv4Addr::new(10, self.number, 0, last);
        // Virtual machines at the server's port.
        if self.number.is_multiple_of(3) {
            there.extend((0..5).map(|number| Machine {
                mac: mac(VMWARE, self.number, number),
                ip: ip(30 + u8::try_from(number).expect("small")),
                port: 1,
            }));
        }
        there.extend((0..self.phones).map(|phone| {
            let number = u8::try_from(phone).expect("few");
            let port = self.machines[ALWAYS + phone].port;
            Machine { mac: mac(PHONE, self.number, number.into()), ip: ip(40 + number), port }
        }));
        if at_work {
            there
                .extend(self.machines[ALWAYS..].iter().filter(|it| !it.mac.0[5].is_multiple_of(7) || minute >= 9 * 60));
            // For an afternoon another machine has the address of one that left.
            if (self.week.handed_over..self.week.handed_over + 12).contains(&round) {
                let last = there.pop().expect("somebody");
                there.push(Machine { mac: mac(PC, self.number, 90), ..last });
            }
            if (self.week.moved..self.week.moved + 20).contains(&round)
                && let Some(desk) = there.get_mut(ALWAYS + self.phones + 5)
            {
                desk.port = PORTS - 6;
            }
        }
        if round == self.week.visitor {
            there.push(Machine { mac: mac(PC, self.number, 9_000 + self.weeks), ip: ip(250), port: PORTS - 7 });
        }
        // The same random address, by chance at two sites.
        if self.number % 10 < 2 && at_work {
            there.push(Machine { mac: random(self.number), ip: ip(251), port: PORTS - 8 });
        }
        there
    }

    /// Returns the facts of who is there, and of the switch.
    pub fn facts(&self, there: &[Machine], now: Timestamp, first: bool) -> Told {
        let mut told = Told::new();
        let mut add = |method, scope, body| told.entry((method, scope)).or_default().push(body);
        for it in there {
            add(Method::PassiveArp, "eth1", FactBody::Binding(Binding { mac: it.mac, ip: it.ip.into() }));
            add(Method::SnmpForwarding, SWITCH, row(it.mac, it.port));
            if let Some(body) = classified(it.mac, now) {
                add(Method::PassiveClassification, "eth1", body);
            }
        }
        if now >= self.read_from {
            for (index, serial) in (1..).zip(&self.serials) {
                add(Method::SnmpEntities, SWITCH, chassis(index, serial));
            }
        } else {
            add(Method::SnmpEntities, SWITCH, chassis(1, "N/A"));
        }
        if first {
            let system = System { name: self.switch(), bridge_mac: Some(self.bridge()), ..System::default() };
            add(Method::SnmpSystem, SWITCH, FactBody::System(Box::new(system)));
            let own = OwnAddress { ip: self.own().into(), prefix_bits: Some(24), interface: "Vlanif1".into() };
            add(Method::SnmpOwnAddresses, SWITCH, FactBody::OwnAddress(own));
            for port in 1..=PORTS {
                add(Method::SnmpInterfaces, SWITCH, interface(port));
            }
        }
        told
    }

    /// The name of its switch.
    pub fn switch(&self) -> String {
        format!("sw-{}", self.code)
    }

    /// The switch's own address.
    pub fn own(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, 0, 1)
    }

    fn bridge(&self) -> MacAddr {
        mac([0x00, 0xe0, 0xfc], self.number, 1)
    }

    /// An address that attack `number` has there.
    pub fn address(&self, number: u32, more: u32) -> Ipv4Addr {
        let [.., high, low] = (number * 128 + more).to_be_bytes();
        Ipv4Addr::new(10, self.number, 1 + high % 250, low)
    }
}

fn row(mac: MacAddr, port: u16) -> FactBody {
    FactBody::Forwarding(Forwarding {
        mac,
        vlan: Some(10),
        interface: Some(port_name(port)),
        bridge_port: port.into(),
        status: ForwardingStatus::Learned,
    })
}

pub fn port_name(port: u16) -> String {
    format!("GE0/0/{port}")
}

fn interface(port: u16) -> FactBody {
    FactBody::Interface(Interface {
        name: port_name(port),
        if_index: port.into(),
        alias: String::new(),
        if_type: 6,
        mac: None,
        speed_bps: None,
        full_duplex: None,
        last_change_s: None,
        admin: InterfaceStatus::Up,
        oper: InterfaceStatus::Up,
    })
}

fn chassis(index: u32, serial: &str) -> FactBody {
    FactBody::Entity(Box::new(Entity {
        index,
        class: 3,
        name: String::new(),
        description: String::new(),
        serial: serial.into(),
        model: String::new(),
        software_revision: String::new(),
    }))
}

/// What is concluded of printers, cameras and telephones, by what they are heard saying.
fn classified(mac: MacAddr, now: Timestamp) -> Option<FactBody> {
    let says: &[(SignKind, &str)] = match [mac.0[0], mac.0[1], mac.0[2]] {
        PRINTER => &[(SignKind::MdnsService, "_ipp._tcp"), (SignKind::MdnsService, "_pdl-datastream._tcp")],
        CAMERA => &[(SignKind::WsdType, "NetworkVideoTransmitter")],
        PHONE => &[(SignKind::DhcpVendorClass, "Polycom-VVX410"), (SignKind::SipAgent, "PolycomVVX-VVX_410-UA/5.9.5")],
        _ => return None,
    };
    let signs: Vec<Sign<'_>> =
        says.iter().map(|(kind, value)| Sign { kind: *kind, value, first: now, last: now, count: 1 }).collect();
    Some(FactBody::Classification(Classification { mac, conclusion: Arc::new(conclude(mac, &signs)) }))
}
