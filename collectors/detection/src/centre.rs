//! What the centre concludes from what its sites tell, in the same words as the detectors of a site.
//!
//! Invariant: every kind stands here with what it is, why it is looked for, and what it cannot see. It does not know how the centre looks.

use crate::finding::Grade;

/// A kind of anomaly that the centre concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtCentre {
    /// Its name: a contract, as those of the detectors are.
    pub name: &'static str,
    /// The grade that is proposed where nothing makes it worse.
    pub grade: Grade,
    /// From what it is concluded.
    pub from: &'static str,
    /// What is looked for.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
    /// What is told as evidence.
    pub evidence: &'static str,
    /// What is not seen.
    pub blind: &'static str,
    /// What decides, by the keys of `[detection]` in the centre's configuration.
    pub thresholds: &'static str,
}

/// One port is swept at several sites.
pub const WORM_SPREAD: AtCentre = AtCentre {
    name: "worm_spread",
    grade: Grade::Major,
    from: "anomalies of sites (sweep, worm)",
    what: "The same port is swept by hosts of three sites or more within a day; it is told of the site above all of them. From ten sites on the proposed grade is extraordinary.",
    why: "What spreads by itself crosses the country before people compare notes.",
    evidence: "port, sites, sweeps",
    blind: "Spread below the threshold of a sweep at each site; sweeps of several ports by turns.",
    thresholds: "`worm_sites` = 3 (2 to 100): sites at which the same port is swept within a day",
};

/// A terminal that is not on the books.
pub const UNREGISTERED: AtCentre = AtCentre {
    name: "unregistered_terminal",
    grade: Grade::General,
    from: "inventory, and the asset register",
    what: "A computer, or what nobody can tell from one, is seen for ten minutes, or comes again later, at a site that has an asset register, and is not on the books. Where there are more than `unregistered_max`, they are told as one: the register is incomplete.",
    why: "Devices that nobody authorised and that join the inner network have to be found (GB/T 22239-2019).",
    evidence: "address, name, vendor, place",
    blind: "Sites without a register; machines that borrow a registered address; cards of a machine of which another one is registered.",
    thresholds: "`unregistered_max` = 20 (1 to 1000): unregistered terminals of a site that are told one by one",
};

/// One MAC address at two sites at a time.
pub const MAC_CLONE: AtCentre = AtCentre {
    name: "mac_at_two_sites",
    grade: Grade::Considerable,
    from: "inventory of all sites",
    what: "One MAC address is seen at several sites at a time, for an hour.",
    why: "A copied address passes every control that trusts addresses; or two sites are joined where they should not be.",
    evidence: "address, number of other sites",
    blind: "Random addresses, which meet by chance; a copy that is seen when the original is off.",
    thresholds: "`clone_min` = 60 (10 to 1440): minutes for which it has to last",
};

/// One IP address with two stations at a time.
pub const IP_CLONE: AtCentre = AtCentre {
    name: "ip_with_two_macs",
    grade: Grade::General,
    from: "inventory of all sites",
    what: "Two stations have one IP address of a space at a time, for an hour.",
    why: "Neither works properly, and one of them does not belong there.",
    evidence: "address, both stations",
    blind: "Stations that no table and no mirror port tells of; clusters whose stations are cards of one device.",
    thresholds: "`clone_min`, as mac_at_two_sites",
};

/// A terminal with the address of a device.
pub const DEVICE_ADDRESS: AtCentre = AtCentre {
    name: "device_address_used",
    grade: Grade::Considerable,
    from: "inventory, and what devices say of their own addresses",
    what: "A terminal uses an address that is a managed device's own, for an hour.",
    why: "Whoever has the address of a router or switch has what is sent to it.",
    evidence: "address, device, station",
    blind: "Devices that are not polled; parts of a device that its tables do not name are found wrongly.",
    thresholds: "`clone_min`, as mac_at_two_sites",
};

/// A MAC address that goes back and forth between ports.
pub const MAC_FLAPS: AtCentre = AtCentre {
    name: "mac_flaps",
    grade: Grade::General,
    from: "forwarding tables of switches",
    what: "A MAC address goes back and forth between two ports in the table of a switch.",
    why: "A loop, or two machines with one address.",
    evidence: "device, ports, times",
    blind: "Wireless stations, which roam; switches whose tables are not read.",
    thresholds: "none",
};

/// A device that became another one.
pub const DEVICE_REPLACED: AtCentre = AtCentre {
    name: "device_replaced",
    grade: Grade::General,
    from: "serial numbers that devices tell (ENTITY-MIB)",
    what: "What answers under the name of a managed device is another machine: none of the serial numbers that it told before is told any more.",
    why: "Equipment that nobody announced stands where trusted equipment stood; or the books are to be mended.",
    evidence: "device, serial numbers before and after",
    blind: "Devices that tell no serial number; a member of a stack, or a module, that is exchanged alone.",
    thresholds: "none",
};

/// Several machines behind one access port.
pub const HUB: AtCentre = AtCentre {
    name: "hub_behind_port",
    grade: Grade::General,
    from: "forwarding tables of switches, and where endpoints are by them",
    what: "At a port without equipment behind it that announces itself, three machines or more have been for an hour: a hub, a switch or an access point that nobody manages. Telephones with what is behind them are two; virtual machines are left out.",
    why: "Who is behind it passes every control of the port.",
    evidence: "device, port, number of machines, their addresses",
    blind: "Switches whose tables are not read; machines behind a router of one's own, which show one address (nat); servers with several cards.",
    thresholds: "`hub_endpoints` = 3 (2 to 100): machines behind one access port",
};

/// Every kind, in order.
pub const ALL: [AtCentre; 8] =
    [WORM_SPREAD, UNREGISTERED, MAC_CLONE, IP_CLONE, DEVICE_ADDRESS, MAC_FLAPS, DEVICE_REPLACED, HUB];
