//! What is plugged in where at a site, and how that changes from minute to minute.
//!
//! Invariant: pure. A site at a minute is the same in every run with the same seed, in however many steps it came there. Each port of a
//! terminal has exactly one terminal, switched on or off, so that a move is an exchange of two.

use std::net::Ipv4Addr;

use onenet_topology::MacAddr;

use super::{
    chance,
    sites::{PORTS, Site},
};

/// Minutes of a day.
const DAY: u64 = 1_440;
/// Days in which a terminal is replaced once, and in which it moves once: both together are 1 % of them a day.
const REPLACED_DAYS: u64 = 200;
const MOVED_DAYS: u64 = 200;
/// Days in which a terminal says nothing once.
const SILENT_DAYS: u64 = 300;

/// What chance is asked for.
const KIND: u64 = 1;
const HOURS: u64 = 2;
const REPLACED: u64 = 3;
const MOVED: u64 = 4;
const SILENT: u64 = 5;
const PARTNER: u64 = 6;

/// A kind of terminal: start of its MAC addresses and of its host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Used by somebody, in the hours of work.
    Computer,
    /// Always on.
    Printer,
    /// Always on.
    Camera,
}

/// A terminal as it is now: four bytes, since there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The port, counted through the site's access switches from 0.
    pub(crate) port: u16,
    /// How often it was replaced by another machine.
    pub(crate) generation: u8,
    /// Whether it is switched on.
    pub(crate) on: bool,
}

/// What happens to a terminal at a minute. In the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    minute: u64,
    terminal: usize,
    /// Whether it moves; otherwise it is replaced.
    moves: bool,
}

/// What is at a site.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    site: Site,
    slots: Vec<Slot>,
    minute: u64,
    full: bool,
}

impl Network {
    /// Returns the network of a site at a minute, nothing replaced yet.
    pub(crate) fn new(site: Site, minute: u64) -> Self {
        let ports = u16::try_from(site.terminals).unwrap_or(u16::MAX);
        let slots = (0..ports).map(|port| Slot { port, generation: 0, on: false }).collect();
        let mut network = Self { site, slots, minute, full: false };
        network.switch();
        network
    }

    /// Returns it with an agent that also tells what is beside tables and ports, where `full` says so.
    pub(crate) const fn told_in_full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Returns whether its agent also tells what is beside tables and ports.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    /// Returns the site.
    pub(crate) const fn site(&self) -> &Site {
        &self.site
    }

    /// Returns every terminal as it is now.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the minute that it is.
    pub(crate) const fn minute(&self) -> u64 {
        self.minute
    }

    /// Lets time pass until a minute.
    pub(crate) fn advance(&mut self, minute: u64) {
        self.live_through(minute, |_, _| {});
    }

    /// Lets time pass until a minute. `each` is shown the network at each minute at which a terminal was replaced or moved, and at the last
    /// one. Who is switched on changes with the last one alone: nights in between are passed over.
    pub(crate) fn live_through(&mut self, until: u64, mut each: impl FnMut(&Self, u64)) {
        if until <= self.minute {
            return;
        }
        for day in self.minute / DAY..=until / DAY {
            for at_once in self.events(day, until).chunk_by(|one, other| one.minute == other.minute) {
                for event in at_once {
                    self.happen(*event);
                }
                if let Some(event) = at_once.first() {
                    each(self, event.minute);
                }
            }
        }
        self.minute = until;
        self.switch();
        each(self, until);
    }

    /// Returns what happens on a day, later than now and not after `until`.
    fn events(&self, day: u64, until: u64) -> Vec<Event> {
        let seed = self.site.seed;
        let mut events = Vec::new();
        for terminal in 0..self.slots.len() {
            // Two move in one exchange.
            for (moves, what, days) in [(false, REPLACED, REPLACED_DAYS), (true, MOVED, 2 * MOVED_DAYS)] {
                let words = [what, terminal as u64, day];
                if chance::once_in(days, seed, &words) {
                    let minute = day * DAY + chance::below(DAY, chance::of(seed, &words), &[what]);
                    events.push(Event { minute, terminal, moves });
                }
            }
        }
        events.retain(|event| self.minute < event.minute && event.minute <= until);
        events.sort_unstable();
        events
    }

    fn happen(&mut self, event: Event) {
        let at = event.terminal;
        if !event.moves {
            self.slots[at].generation = self.slots[at].generation.wrapping_add(1);
            return;
        }
        let words = [PARTNER, at as u64, event.minute];
        let other = chance::below(self.slots.len() as u64, self.site.seed, &words);
        let other = usize::try_from(other).unwrap_or_default();
        let (one, two) = (self.slots[at].port, self.slots[other].port);
        self.slots[at].port = two;
        self.slots[other].port = one;
    }

    fn switch(&mut self) {
        for at in 0..self.slots.len() {
            self.slots[at].on = self.is_on(at);
        }
    }

    /// Returns whether a terminal is switched on at this minute.
    fn is_on(&self, at: usize) -> bool {
        let (seed, number, day, minute) = (self.site.seed, at as u64, self.minute / DAY, self.minute % DAY);
        if chance::once_in(SILENT_DAYS, seed, &[SILENT, number, day]) {
            return minute < chance::below(DAY, seed, &[SILENT, number, day, 1]);
        }
        if self.kind(at) != Kind::Computer || chance::once_in(10, seed, &[HOURS, number]) {
            return true;
        }
        // People come between half past seven and half past nine, and leave from five to half past seven.
        let comes = 450 + chance::below(120, seed, &[HOURS, number, day]);
        let leaves = 1_020 + chance::below(150, seed, &[HOURS, number, day, 1]);
        (comes..leaves).contains(&minute)
    }

    /// Returns what a terminal is.
    pub(crate) fn kind(&self, at: usize) -> Kind {
        match chance::below(100, self.site.seed, &[KIND, at as u64]) {
            0..80 => Kind::Computer,
            80..88 => Kind::Printer,
            _ => Kind::Camera,
        }
    }

    /// Returns the MAC address of a terminal in a generation: no other of the nation has it.
    pub(crate) fn mac(&self, at: usize, generation: u8) -> MacAddr {
        // Fourteen generations of the largest nation fit in 24 bits; an odd factor only shuffles them.
        let number = (self.site.first_terminal + at as u64) + u64::from(generation % 14) * 1_180_000;
        let prefix = match (self.kind(at), number % 2) {
            (Kind::Computer, 0) => [0x10, 0xc5, 0x95],
            (Kind::Computer, _) => [0x3c, 0x52, 0x82],
            (Kind::Printer, _) => [0x00, 0x1b, 0x78],
            (Kind::Camera, _) => [0x44, 0x19, 0xb6],
        };
        mac(prefix, number.wrapping_mul(0x009e_3779))
    }

    /// Returns the address of a terminal: private, and the same at many sites, as county networks are.
    pub(crate) fn ip(at: usize) -> Ipv4Addr {
        let [.., high, low] = (at + 256).to_be_bytes();
        Ipv4Addr::new(192, 168, high, low)
    }

    /// Returns the host name of a terminal; cameras have none.
    pub(crate) fn hostname(&self, at: usize, generation: u8) -> Option<String> {
        let start = match self.kind(at) {
            Kind::Computer => "PC",
            Kind::Printer => "PRN",
            Kind::Camera => return None,
        };
        Some(format!("{start}-{}-{at:04}-{generation}", self.site.code))
    }

    /// Returns the MAC address of a device: 0 is the router, then come access switches, then aggregation.
    pub(crate) fn device_mac(&self, device: usize) -> MacAddr {
        mac([0x74, 0x25, 0x8a], (self.site.first_device + device as u64).wrapping_mul(0x009e_3779))
    }

    /// Returns the name of a device.
    pub(crate) fn device_name(&self, device: usize) -> String {
        let access = self.site.access();
        match device {
            0 => "R1".to_owned(),
            _ if device <= access => format!("SW{device}"),
            _ => format!("AG{}", device - access),
        }
    }

    /// Returns where a port is: the access switch, counted from 1 as devices are, and the number on it.
    pub(crate) fn place(port: u16) -> (usize, usize) {
        (1 + usize::from(port) / PORTS, 1 + usize::from(port) % PORTS)
    }
}

/// Returns the name of a port.
pub(crate) fn port_name(port: usize) -> String {
    format!("GigabitEthernet1/0/{port}")
}

fn mac(prefix: [u8; 3], number: u64) -> MacAddr {
    let [.., high, middle, low] = number.to_be_bytes();
    let [one, two, three] = prefix;
    MacAddr([one, two, three, high, middle, low])
}
