//! Generated sites whose truth is known: ordinary weeks of counties and a province, and attacks of every kind in them.
//!
//! The same seed gives the same weeks. Ordinary means with what looks like an attack and is none: pollers with absent devices, our own
//! sweeps, a resolver, backups, calls, a database that is opened for each question, terminals that look for one another, virus scanners
//! that ask by name, a line that fails, clusters that move, addresses that are given anew, roots that take over.

mod attack;
mod dice;
mod machines;
mod normal;
mod rows;
pub mod score;

pub use attack::Attack;
pub use dice::Dice;
pub use rows::{ROWS, Row};

use std::net::{IpAddr, Ipv4Addr};

use onenet_detection::{
    Kind, Service, Settings,
    observation::{FlowSeen, SYN},
};
use onenet_topology::{MacAddr, Timestamp, flow::TcpState};

/// Seconds of a week.
pub const WEEK_S: i64 = 7 * 86_400;

/// 2026-11-02, a Monday, at midnight in China.
const MONDAY_S: i64 = 1_793_548_800;

/// A site: its network is 10.20.0.0/16; others of the plan are elsewhere in 10.0.0.0/8.
#[derive(Debug, Clone)]
pub struct Site {
    pub seed: u64,
    /// Terminals.
    pub pcs: u32,
    pub cameras: u32,
    pub devices: u32,
    /// Whether its configuration lists servers and routers; it learns them otherwise.
    pub listed: bool,
    pub dice: Dice,
    /// What is not as ever in the week that is fed next.
    pub upsets: Vec<Upset>,
    /// What is in its register beside what it uses each week.
    pub services: Vec<Service>,
    /// Routers that its configuration lists beside those that it uses each week.
    pub routers: Vec<IpAddr>,
}

/// Something that is not as ever for a part of a week.
#[derive(Debug, Clone, Copy)]
pub struct Upset {
    /// What it shows in.
    pub kind: Kind,
    /// Minutes of the week.
    pub minutes: (i64, i64),
    /// How many times as much there is, in hundredths; of a feed that is silent, 0.
    pub times: u32,
    /// Which feed, or which direction of the uplink; all of them where that is none.
    pub number: u32,
}

pub fn ip(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a14_0000 + number).into()
}

/// A server of another site.
pub fn far(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a01_0000 + number).into()
}

/// An address of the Internet.
pub fn public(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x2d00_0000 + number % 0x0100_0000).into()
}

pub fn mac(number: u32) -> MacAddr {
    let [_, a, b, c] = number.wrapping_mul(2_654_435_761).to_be_bytes();
    MacAddr([0x00, 0x1b, 0x21, a, b, c])
}

/// Returns a moment of a week, by seconds from its beginning.
pub fn moment(week: i64, seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms((MONDAY_S + week * WEEK_S + seconds) * 1_000)
}

impl Site {
    pub fn county(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (pcs, cameras, devices) = (20 + dice.below(40), dice.below(16), 3 + dice.below(10));
        Self {
            seed,
            pcs,
            cameras,
            devices,
            listed: !seed.is_multiple_of(4),
            dice,
            upsets: Vec::new(),
            services: Vec::new(),
            routers: Vec::new(),
        }
    }

    pub fn province(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let (upsets, services, routers) = Default::default();
        Self { seed, pcs: 600, cameras: 60, devices: 120, listed: true, dice, upsets, services, routers }
    }

    /// Returns how many times as much as ever there is of what shows in `kind`, in hundredths.
    pub fn times(&self, kind: Kind, minute: i64) -> u32 {
        let is = |upset: &&Upset| upset.kind == kind && (upset.minutes.0..upset.minutes.1).contains(&minute);
        self.upsets.iter().filter(is).map(|upset| upset.times).max().unwrap_or(100)
    }

    pub fn pc(&self, number: u32) -> IpAddr {
        ip(1_024 + number % self.pcs)
    }

    pub fn settings(&self) -> Settings {
        let prefix = |text: &str| text.parse().expect("a prefix");
        let mut settings = Settings {
            plan: vec![prefix("10.0.0.0/8")],
            dark: vec![prefix("10.20.200.0/22")],
            allowed: vec![prefix("203.0.113.0/24")],
            scanners: vec![prefix("10.20.0.5/32")],
            forbidden_vlans: vec![999],
            feeds: vec![machines::BUSINESS.1],
            published: vec![prefix("10.20.0.8/29"), prefix("10.20.0.16/30"), prefix("10.20.224.0/19")],
            services: USUAL
                .map(|(host, port)| registered(host, port))
                .into_iter()
                .chain(self.services.clone())
                .collect(),
            ..Settings::new()
        };
        if self.listed {
            settings.dhcp_servers = vec![ip(2), ip(3), "fe80::2".parse().expect("an address")];
            settings.routers = vec![ip(1), "fe80::1".parse().expect("an address")];
            settings.roots = vec![mac(1), mac(2)];
            settings.equipment = vec![mac(1), mac(2), mac(3)];
        }
        settings.routers.extend(&self.routers);
        settings
    }
}

/// The port of a service that an attack is about.
pub const SERVICE_PORT: u16 = 9_443;

/// Returns a service of the register.
pub fn registered(host: u32, port: u16) -> Service {
    Service {
        host: ip(host),
        protocol: 6,
        port,
        application: "business".into(),
        approval: "2026-17".into(),
        owner: "li.wei".into(),
        scope: Vec::new(),
        expires: None,
    }
}

/// The services of an ordinary week.
const USUAL: [(u32, u16); 7] = [(10, 445), (10, 3_389), (10, 22), (11, 22), (17, 443), (18, 3_306), (19, 25)];

/// A flow of a moment between two, about which nothing else is said.
pub fn flow(at: Timestamp, protocol: u8, from: (IpAddr, u16), to: (IpAddr, u16)) -> FlowSeen<'static> {
    FlowSeen {
        protocol,
        from: from.0,
        from_port: from.1,
        to: to.0,
        to_port: to.1,
        packets_out: 1,
        packets_in: 1,
        bytes_out: 90,
        bytes_in: 120,
        flags_out: 0,
        state: None,
        data: false,
        start: at,
        end: at,
        application: None,
        by_payload: false,
        name: None,
    }
}

/// A TCP connection that carried something.
pub fn spoken(
    at: Timestamp,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    out: u64,
    back: u64,
    lasts_ms: i64,
) -> FlowSeen<'static> {
    FlowSeen {
        packets_out: 6 + out / 1_400,
        packets_in: 6 + back / 1_400,
        bytes_out: 400 + out,
        bytes_in: 400 + back,
        flags_out: 0x1b,
        state: Some(TcpState::Finished),
        data: true,
        end: at.plus_ms(lasts_ms),
        ..flow(at, 6, from, to)
    }
}

/// A TCP connection that nobody answered, or that was refused.
pub fn failed(at: Timestamp, from: (IpAddr, u16), to: (IpAddr, u16), refused: bool) -> FlowSeen<'static> {
    FlowSeen {
        packets_out: if refused { 1 } else { 3 },
        packets_in: u64::from(refused),
        flags_out: SYN,
        state: Some(if refused { TcpState::Refused } else { TcpState::Attempted }),
        ..flow(at, 6, from, to)
    }
}

pub fn datagrams(
    at: Timestamp,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    out: u64,
    back: u64,
    lasts_ms: i64,
) -> FlowSeen<'static> {
    FlowSeen {
        packets_out: out,
        packets_in: back,
        bytes_out: out * 200,
        bytes_in: back * 200,
        end: at.plus_ms(lasts_ms),
        ..flow(at, 17, from, to)
    }
}
