//! What is at a simulated site: a router, access switches, and machines plugged into them.
//!
//! Invariant: pure. The same site has the same network at every start; only counters follow the time.

use std::net::Ipv4Addr;

use onenet_topology::{
    MacAddr, Role, SensorKind, Timestamp,
    asset::AssetRow,
    division::Tier,
    fact::{
        Address, Binding, Condition, ConditionKind, Entity, Fact, FactBody, FactChange, Forwarding, ForwardingStatus,
        Group, HistoryBody, HistoryItem, Identification, Interface, InterfaceSample, InterfaceStatus, Method,
        Neighbour, NeighbourProtocol, Reach, ReachState, Scope, Sensor, SensorSample, Sighting, System,
    },
};

use super::{
    books,
    chance::Chance,
    machine::Machine,
    probes,
    province::{Mood, SimulatedSite},
};

/// Ports of an access switch for machines; one more leads to the router.
const PORTS: usize = 24;
/// Machines that are planned for a switch, so that ports stay free.
const PLANNED: usize = 21;
/// Of so many machines one is a laptop with a dock beside it.
const DOCKED: usize = 12;
/// The VLAN of the machines.
const VLAN: u16 = 100;
/// ifType of Ethernet (IANAifType-MIB).
const ETHERNET: u32 = 6;

/// A make of switch: description, sysObjectID, model, maker, software, start of its MAC addresses, name of its ports.
struct Make {
    description: &'static str,
    object_id: &'static str,
    model: &'static str,
    vendor: &'static str,
    os: &'static str,
    version: &'static str,
    prefix: [u8; 3],
    port: &'static str,
}

/// What each switch measures.
const SENSORS: [(SensorKind, &str); 2] = [(SensorKind::CpuLoad, "MPU"), (SensorKind::Temperature, "MPU")];

const MAKES: [Make; 4] = [
    Make {
        description: "S5720-28P-LI-AC Huawei Versatile Routing Platform Software VRP (R) software, Version 5.170",
        object_id: "1.3.6.1.4.1.2011.2.23.509",
        model: "S5720-28P-LI-AC",
        vendor: "Huawei",
        os: "VRP",
        version: "5.170",
        prefix: [0x00, 0xe0, 0xfc],
        port: "GigabitEthernet0/0/",
    },
    Make {
        description: "H3C Comware Platform Software, Software Version 7.1.070, H3C S5130S-28P-EI",
        object_id: "1.3.6.1.4.1.25506.1.1880",
        model: "S5130S-28P-EI",
        vendor: "H3C",
        os: "Comware",
        version: "7.1.070",
        prefix: [0x74, 0x25, 0x8a],
        port: "GigabitEthernet1/0/",
    },
    Make {
        description: "Ruijie Gigabit Intelligent Switch (S2910-24GT4XS-E) By Ruijie Networks",
        object_id: "1.3.6.1.4.1.4881.1.1.10.1.229",
        model: "S2910-24GT4XS-E",
        vendor: "Ruijie",
        os: "RGOS",
        version: "",
        prefix: [0x00, 0xd0, 0xf8],
        port: "GigabitEthernet 0/",
    },
    Make {
        description: "ZXR10 5250-28TC Version Number: V2.05.11",
        object_id: "1.3.6.1.4.1.3902.3.100.110",
        model: "ZXR10 5250-28TC",
        vendor: "ZTE",
        os: "ZXROS",
        version: "2.05.11",
        prefix: [0x00, 0x19, 0xc6],
        port: "gei-0/1/1/",
    },
];

/// A managed device.
struct Device {
    scope: Scope,
    name: String,
    address: Ipv4Addr,
    mac: MacAddr,
    serial: String,
    make: &'static Make,
    answers: bool,
}

/// What is at a simulated site.
pub(super) struct Network {
    site: SimulatedSite,
    router: Device,
    switches: Vec<Device>,
    machines: Vec<Machine>,
}

impl Network {
    /// Returns the network of a site.
    pub(super) fn of(site: &SimulatedSite) -> Self {
        let mut chance = Chance::of(&site.code);
        let count = match site.tier {
            Tier::Ministry => 120,
            Tier::Province => 240,
            Tier::City => 60 + chance.index(41),
            Tier::County => 15 + chance.index(11),
        };
        let make = MAKES.get(chance.index(MAKES.len())).unwrap_or(&MAKES[0]);
        let router = device(&mut chance, make, "R1".to_owned(), host(1), true);
        let switches: Vec<Device> = (0..count.div_ceil(PLANNED))
            .map(|at| {
                let answers = at > 0 || site.mood != Mood::SwitchDown;
                let last = u16::try_from(at + 2).unwrap_or(2);
                device(&mut chance, make, format!("SW{}", at + 1), host(last), answers)
            })
            .collect();
        let mut machines: Vec<Machine> = (0..count)
            .map(|at| {
                let ip = host(u16::try_from(at + 50).unwrap_or(50));
                Machine::some(&mut chance, ip, at / PLANNED, 1 + at % PLANNED)
            })
            .collect();
        for pair in machines.chunks_exact_mut(DOCKED) {
            if let [laptop, dock, ..] = pair
                && laptop.is_computer()
            {
                dock.dock(laptop);
            }
        }
        Self { site: site.clone(), router, switches, machines }
    }

    /// Returns what the unit has on its books.
    pub(super) fn books(&self) -> Vec<AssetRow> {
        books::of(&self.site, &self.machines)
    }

    /// Returns everything an agent there would hold, group by group.
    pub(super) fn facts(&self, now: Timestamp) -> Vec<(Group, Vec<FactChange>)> {
        let present = |bodies: Vec<FactBody>| {
            bodies.into_iter().map(|body| FactChange::Present(Fact { observed: now, body })).collect()
        };
        let mut groups: Vec<(Group, Vec<FactBody>)> = Vec::new();
        for (at, device) in
            std::iter::once((None, &self.router)).chain(self.switches.iter().enumerate().map(|(at, it)| (Some(at), it)))
        {
            let group = |method| Group { method, scope: device.scope.clone() };
            groups.push((group(Method::SnmpReach), vec![device.reach()]));
            if !device.answers {
                continue;
            }
            groups.push((group(Method::SnmpSystem), vec![device.system(&self.site.name), device.identification(at)]));
            groups.push((group(Method::SnmpSensors), SENSORS.map(|(kind, name)| sensor(kind, name)).to_vec()));
            groups.push((group(Method::SnmpEntities), vec![device.entity()]));
            groups.push((group(Method::SnmpInterfaces), self.interfaces(device, at)));
            match at {
                None => groups.push((group(Method::SnmpAddresses), self.addresses())),
                Some(at) => {
                    groups.push((group(Method::SnmpForwarding), self.forwarding(device, at)));
                    groups.push((group(Method::SnmpNeighbours), vec![self.neighbour(device, at)]));
                }
            }
        }
        groups.extend(self.heard(now));
        let told = groups.into_iter().map(|(group, bodies)| (group, present(bodies)));
        told.chain([probes::facts(&self.site, now)]).collect()
    }

    /// What the agent hears, or why it cannot.
    fn heard(&self, now: Timestamp) -> Vec<(Group, Vec<FactBody>)> {
        if self.site.mood == Mood::NoCapture {
            let condition = Condition {
                kind: ConditionKind::CaptureFailed,
                subject: "eth1".to_owned(),
                detail: "the agent may not capture on eth1: give it CAP_NET_RAW".to_owned(),
            };
            let group = Group { method: Method::Agent, scope: Scope::new("") };
            return vec![(group, vec![FactBody::Condition(condition)])];
        }
        let group = |method| Group { method, scope: Scope::new("eth1") };
        let sighting = |machine: &Machine| FactBody::Sighting(Sighting { mac: machine.mac, vlan: None });
        let binding = |machine: &Machine| FactBody::Binding(Binding { mac: machine.mac, ip: machine.ip.into() });
        vec![
            (group(Method::PassiveFrames), self.machines.iter().map(sighting).collect()),
            (group(Method::PassiveArp), self.machines.iter().map(binding).collect()),
            (group(Method::PassiveDhcp), self.machines.iter().filter_map(Machine::host).collect()),
            (group(Method::PassiveClassification), self.machines.iter().map(|it| it.classification(now)).collect()),
        ]
    }

    fn interfaces(&self, device: &Device, switch: Option<usize>) -> Vec<FactBody> {
        let ports = if switch.is_some() { PORTS + 1 } else { self.switches.len() + 1 };
        let up = |port: usize| match switch {
            // The last port leads to the router.
            Some(at) => port == PORTS + 1 || self.machines.iter().any(|it| it.switch == at && it.port == port),
            None => true,
        };
        (1..=ports)
            .map(|port| {
                let oper = if up(port) { InterfaceStatus::Up } else { InterfaceStatus::Down };
                let alias = if switch.is_some() && port == PORTS + 1 { "uplink R1" } else { "" };
                FactBody::Interface(Interface {
                    name: device.port(port),
                    if_index: u32::try_from(port).unwrap_or_default() + 4,
                    alias: alias.to_owned(),
                    if_type: ETHERNET,
                    mac: Some(device.mac),
                    speed_bps: Some(1_000_000_000),
                    full_duplex: Some(true),
                    last_change_s: None,
                    admin: InterfaceStatus::Up,
                    oper,
                })
            })
            .collect()
    }

    fn addresses(&self) -> Vec<FactBody> {
        let rows = self.machines.iter().map(|machine| {
            let interface = self.router.port(machine.switch + 1);
            FactBody::Address(Address { ip: machine.ip.into(), interface, mac: machine.mac })
        });
        rows.collect()
    }

    fn forwarding(&self, device: &Device, switch: usize) -> Vec<FactBody> {
        let rows = self.machines.iter().map(|machine| {
            let port = if machine.switch == switch { machine.port } else { PORTS + 1 };
            FactBody::Forwarding(Forwarding {
                mac: machine.mac,
                vlan: Some(VLAN),
                interface: Some(device.port(port)),
                bridge_port: u32::try_from(port).unwrap_or_default(),
                status: ForwardingStatus::Learned,
            })
        });
        rows.collect()
    }

    fn neighbour(&self, device: &Device, switch: usize) -> FactBody {
        FactBody::Neighbour(Box::new(Neighbour {
            capabilities: 0,
            protocol: NeighbourProtocol::Lldp,
            local_interface: device.port(PORTS + 1),
            chassis_id: self.router.mac.to_string(),
            port_id: self.router.port(switch + 1),
            port_description: String::new(),
            system_name: self.router.name.clone(),
            system_description: self.router.make.description.to_owned(),
            management_addresses: vec![self.router.address.into()],
        }))
    }

    /// Returns samples of the ports that lead to the router.
    pub(super) fn samples(&self, now: Timestamp) -> Vec<HistoryItem> {
        let seconds = now.unix_ms().unsigned_abs() / 1000;
        let answering = self.switches.iter().enumerate().filter(|(_, switch)| switch.answers);
        let measurements = self.switches.iter().filter(|it| it.answers).flat_map(|it| it.measurements(now));
        answering
            .map(|(at, switch)| {
                let machines = u64::try_from(self.machines.iter().filter(|it| it.switch == at).count()).unwrap_or(1);
                let octets = seconds.wrapping_mul(4_000 * machines);
                HistoryItem {
                    time: now,
                    scope: switch.scope.clone(),
                    body: HistoryBody::Interface(InterfaceSample {
                        name: switch.port(PORTS + 1),
                        in_octets: Some(octets),
                        out_octets: Some(octets / 5),
                        in_errors: Some(0),
                        out_errors: Some(0),
                        in_packets: Some(octets / 700),
                        out_packets: Some(octets / 1_200),
                        ..InterfaceSample::default()
                    }),
                }
            })
            .chain(measurements)
            .chain(probes::samples(&self.site, now))
            .collect()
    }
}

impl Device {
    fn port(&self, number: usize) -> String {
        format!("{}{number}", self.make.port)
    }

    fn reach(&self) -> FactBody {
        let (state, detail) = if self.answers {
            (ReachState::Answering, "answers SNMP v2c")
        } else {
            (ReachState::Silent, "no answer to 4 requests in 12 s: check power, cable and address")
        };
        FactBody::Reach(Reach { state, detail: detail.to_owned(), target: format!("{}:161", self.address) })
    }

    fn system(&self, location: &str) -> FactBody {
        FactBody::System(Box::new(System {
            name: self.name.clone(),
            description: self.make.description.to_owned(),
            object_id: self.make.object_id.to_owned(),
            location: location.to_owned(),
            bridge_mac: Some(self.mac),
            chassis_id: self.mac.to_string(),
            ..System::default()
        }))
    }

    fn identification(&self, at: Option<usize>) -> FactBody {
        FactBody::Identification(Box::new(Identification {
            vendor: self.make.vendor.to_owned(),
            model: self.make.model.to_owned(),
            os: self.make.os.to_owned(),
            version: self.make.version.to_owned(),
            serial: self.serial.clone(),
            role: Some(at.map_or(Role::Router, |_| Role::Switch)),
        }))
    }

    /// Returns what the sensors measure: a processor that is busy by day, and a board that follows it.
    fn measurements(&self, now: Timestamp) -> impl Iterator<Item = HistoryItem> {
        let minute = now.unix_ms().unsigned_abs() / 60_000;
        let load = 8_000 + i64::try_from(minute.wrapping_mul(7_919) % 9_000).unwrap_or_default();
        SENSORS.into_iter().zip([load, 38_000 + load / 4]).map(move |((kind, name), value_milli)| HistoryItem {
            time: now,
            scope: self.scope.clone(),
            body: HistoryBody::Sensor(SensorSample { kind, name: name.to_owned(), value_milli }),
        })
    }

    fn entity(&self) -> FactBody {
        FactBody::Entity(Box::new(Entity {
            index: 1,
            class: 3,
            name: self.make.model.to_owned(),
            description: self.make.model.to_owned(),
            serial: self.serial.clone(),
            model: self.make.model.to_owned(),
            software_revision: String::new(),
        }))
    }
}

fn sensor(kind: SensorKind, name: &str) -> FactBody {
    FactBody::Sensor(Sensor { kind, name: name.to_owned(), state: None })
}

/// The address of a number within the site; private, and the same at every site, as county networks are.
fn host(number: u16) -> Ipv4Addr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(192, 168, 1 + high, low)
}

fn device(chance: &mut Chance, make: &'static Make, name: String, address: Ipv4Addr, answers: bool) -> Device {
    let mac = chance.mac(make.prefix);
    let serial = format!("DEMO{:09}", chance.below(1_000_000_000));
    Device { scope: Scope::new(&name), name, address, mac, serial, make, answers }
}

#[cfg(test)]
mod tests {
    use super::{super::province, *};

    #[test]
    fn every_simulated_device_has_a_vendor() {
        let mut chance = Chance::of("x");
        for mac in MAKES.iter().map(|make| chance.mac(make.prefix)) {
            assert!(onenet_topology::vendor::of(mac).is_some(), "{mac}");
        }
    }

    #[test]
    fn a_site_has_the_same_network_at_every_start() {
        let site = &province::sites()[9];
        let now = Timestamp::from_unix_ms(1_000_000);
        assert_eq!(Network::of(site).facts(now), Network::of(site).facts(now));
    }

    #[test]
    fn sizes_follow_the_tier_and_ports_are_never_shared() {
        for site in province::sites() {
            let network = Network::of(&site);
            let expected = match site.tier {
                Tier::County => 15..=25,
                Tier::City => 60..=100,
                Tier::Province | Tier::Ministry => 100..=800,
            };
            assert!(expected.contains(&network.machines.len()), "{}: {}", site.name, network.machines.len());
            let mut ports: Vec<_> = network.machines.iter().map(|it| (it.switch, it.port)).collect();
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), network.machines.len());
            assert!(network.machines.iter().all(|it| it.port <= PORTS && it.switch < network.switches.len()));
        }
    }
}
