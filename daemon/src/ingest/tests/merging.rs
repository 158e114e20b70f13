//! Devices that several agents see, or one agent at several addresses.

use onenet_topology::{
    DeviceId, InterfaceId,
    device::Handle,
    fact::Scope,
    inference::{Place, Where},
};
use proptest::prelude::*;

use super::*;
use crate::{
    ingest::plan::regrouped,
    record::{Command, RulingVerdict},
    store::Store,
};

/// What a device tells under one name; 0 is nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    bridge: u8,
    serial: u8,
    engine: u8,
    name: u8,
}

/// A site with agents, each polling devices.
struct Watched {
    world: World,
    site: SiteId,
    agents: Vec<AgentId>,
    sequences: Vec<u64>,
}

impl Watched {
    fn new(agents: u8) -> Self {
        let mut world = World::new();
        let site = world.add_site("000000");
        let agents: Vec<_> = (0..agents).map(|n| world.enrol(site, &[n])).collect();
        for agent in &agents {
            world.hello(*agent, 1_000_000);
        }
        let sequences = vec![0; agents.len()];
        Self { world, site, agents, sequences }
    }

    fn report(&mut self, agent: usize, groups: Vec<GroupChanges>) {
        self.sequences[agent] += 1;
        let batch = batch(Lane::State, self.sequences[agent], 990_000, Content::State(groups));
        self.world.report(self.agents[agent], self.site, batch).unwrap();
    }

    fn tell(&mut self, agent: usize, scope: &str, told: Told) {
        self.report(agent, account(scope, told));
    }

    /// The devices by the handles of their accounts, as agent number and scope.
    fn devices(&self) -> Vec<Vec<(usize, String)>> {
        let state = self.world.estate.site(self.site).unwrap();
        let number = |agent: AgentId| self.agents.iter().position(|it| *it == agent).unwrap();
        let of = |device: &Arc<onenet_topology::device::Device>| {
            let mut handles: Vec<_> =
                device.handles.iter().map(|it| (number(it.agent), it.scope.as_str().to_owned())).collect();
            handles.sort();
            handles
        };
        let mut devices: Vec<_> = state.devices.values().map(of).collect();
        devices.sort();
        devices
    }

    fn id_of(&self, agent: usize, scope: &str) -> DeviceId {
        let state = self.world.estate.site(self.site).unwrap();
        let handle = onenet_topology::device::Handle { agent: self.agents[agent], scope: Scope::new(scope) };
        state.canonical(state.handles[&handle])
    }

    fn port_of(&self, device: DeviceId) -> InterfaceId {
        self.world.estate.site(self.site).unwrap().devices[&device].interfaces[0].id
    }
}

fn account(scope: &str, told: Told) -> Vec<GroupChanges> {
    let engine_id =
        if told.engine == 0 { Vec::new() } else { vec![0x80, 0, 7, 0xdb, 3, 0, 0xe0, 0xfc, 0, 0, told.engine] };
    let system = fact::System {
        name: if told.name == 0 { String::new() } else { format!("core-{}", told.name) },
        bridge_mac: (told.bridge > 0).then(|| mac(0xb0 + told.bridge)),
        engine_id,
        ..fact::System::default()
    };
    let interface = fact::Interface {
        name: "ge1".into(),
        if_index: 1,
        alias: String::new(),
        if_type: 6,
        mac: None,
        speed_bps: None,
        full_duplex: None,
        last_change_s: None,
        admin: fact::InterfaceStatus::Up,
        oper: fact::InterfaceStatus::Up,
    };
    let entity = fact::Entity {
        index: 1,
        class: 3,
        name: String::new(),
        description: String::new(),
        serial: if told.serial == 0 { "N/A".into() } else { format!("2102{}", told.serial) },
        model: String::new(),
        software_revision: String::new(),
    };
    let one = |method, body| GroupChanges {
        group: group(method, scope),
        changes: vec![present(980_000, body)],
        complete: None,
    };
    vec![
        one(Method::SnmpSystem, FactBody::System(Box::new(system))),
        one(Method::SnmpInterfaces, FactBody::Interface(interface)),
        one(Method::SnmpEntities, FactBody::Entity(Box::new(entity))),
    ]
}

const CORE: Told = Told { bridge: 1, serial: 0, engine: 0, name: 1 };

#[test]
fn a_device_that_two_agents_see_is_one_and_keeps_its_first_identity() {
    let mut it = Watched::new(2);
    it.tell(0, "core", CORE);
    let first = it.id_of(0, "core");
    it.tell(1, "sw", CORE);
    it.tell(1, "other", Told { bridge: 2, ..CORE });
    assert_eq!(it.devices(), [vec![(0, "core".into()), (1, "sw".into())], vec![(1, "other".into())]]);
    assert_eq!(it.id_of(1, "sw"), first);
    let state = it.world.estate.site(it.site).unwrap();
    assert_eq!(state.devices[&first].interfaces.len(), 1, "each port once");
    assert_eq!(state.accounts.len(), 3, "what each agent tells is kept apart");
}

#[test]
fn two_addresses_of_one_device_at_one_agent_are_one_device() {
    let mut it = Watched::new(1);
    it.tell(0, "core by vlan 1", CORE);
    it.tell(0, "core by vlan 2", CORE);
    assert_eq!(it.devices().len(), 1);
}

#[test]
fn agents_of_two_sites_never_share_a_device() {
    let mut it = Watched::new(1);
    it.tell(0, "core", CORE);
    let before = it.world.estate.site(it.site).unwrap().clone();
    let other = it.world.add_site("000001");
    let agent = it.world.enrol(other, b"other");
    it.world.hello(agent, 1_000_000);
    let forged = batch(Lane::State, 1, 990_000, Content::State(account("core", CORE)));
    it.world.report(agent, other, forged).unwrap();
    assert_eq!(it.world.estate.site(it.site), Some(&before), "an agent says nothing of another site's devices");
    assert_eq!(it.world.estate.site(other).unwrap().devices.len(), 1);
}

#[test]
fn a_merge_is_taken_back_when_the_evidence_changes_and_each_has_its_old_identity() {
    let mut it = Watched::new(2);
    let same = Told { bridge: 1, serial: 1, ..Told::default() };
    it.tell(0, "core", same);
    it.tell(1, "sw", Told { bridge: 2, serial: 2, ..Told::default() });
    let apart = [it.id_of(0, "core"), it.id_of(1, "sw")];
    let ports = apart.map(|device| it.port_of(device));
    it.tell(1, "sw", same);
    assert_eq!(it.devices().len(), 1);
    let state = it.world.estate.site(it.site).unwrap();
    let by_old_names = state.interface(apart[1], ports[1]).map(|interface| interface.id);
    assert_eq!(by_old_names, Some(ports[0]), "old identities lead to the merged device");
    let place = |n: usize| Where::Port(Place { device: apart[n], interface: ports[n], vlan: None });
    assert_eq!(state.canonical_place(place(1)), place(0));
    it.tell(1, "sw", Told { bridge: 1, serial: 2, ..Told::default() });
    assert_eq!(it.devices().len(), 2, "another serial number is stronger than the bridge's address");
    assert_eq!([it.id_of(0, "core"), it.id_of(1, "sw")], apart);
    assert_eq!(apart.map(|device| it.port_of(device)), ports);
}

#[test]
fn a_ruling_joins_and_parts_survives_a_start_and_is_taken_back_without_loss() {
    let mut it = Watched::new(2);
    it.tell(0, "core", Told { serial: 1, ..Told::default() });
    it.tell(1, "sw", Told { serial: 1, ..Told::default() });
    it.tell(1, "other", Told { serial: 2, ..Told::default() });
    let [core, sw, other] = [(0, "core"), (1, "sw"), (1, "other")].map(|(agent, scope)| {
        let handle = Handle { agent: it.agents[agent], scope: Scope::new(scope) };
        it.world.estate.site(it.site).unwrap().handles[&handle]
    });
    let by_evidence = it.devices();
    assert_eq!(by_evidence.len(), 2);
    let rule = |it: &mut Watched, one, two, verdict| {
        let reason = "seen in the rack".to_owned();
        it.world.command(Command::RuleDevices { site: it.site, one, two, verdict, reason })
    };
    rule(&mut it, core, sw, RulingVerdict::Different).unwrap();
    assert_eq!(it.devices().len(), 3);
    // Whatever is told later.
    it.tell(1, "sw", Told { serial: 1, name: 3, ..Told::default() });
    assert_eq!(it.devices().len(), 3);
    rule(&mut it, other, core, RulingVerdict::Same).unwrap();
    assert_eq!(it.devices().len(), 2);
    assert_eq!(it.id_of(1, "other"), it.id_of(0, "core"));
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.commit(&it.world.changes).unwrap();
    let read = store.load().unwrap();
    assert_eq!(read.sites, it.world.estate.sites);
    for (one, two) in [(core, sw), (core, other)] {
        rule(&mut it, one, two, RulingVerdict::ByEvidence).unwrap();
    }
    assert_eq!(it.devices(), by_evidence);
    assert_eq!([it.id_of(0, "core"), it.id_of(1, "other")], [core, other], "each is what it was");
    assert!(rule(&mut it, core, core, RulingVerdict::Same).is_err());
}

#[test]
fn a_device_that_is_polled_under_a_new_name_keeps_its_identity() {
    let mut it = Watched::new(1);
    it.tell(0, "core", CORE);
    let first = it.id_of(0, "core");
    let gone = [Method::SnmpSystem, Method::SnmpInterfaces, Method::SnmpEntities].map(|method| GroupChanges {
        group: group(method, "core"),
        changes: vec![],
        complete: Some(KeyRange::ALL),
    });
    it.report(0, gone.to_vec());
    it.tell(0, "core-switch", CORE);
    assert_eq!(it.id_of(0, "core-switch"), first);
    assert_eq!(it.devices().len(), 1);
}

#[test]
fn a_site_of_very_many_devices_is_grouped_by_a_tick_and_not_on_a_reports_path() {
    let mut it = Watched::new(2);
    for agent in 0..2 {
        for chunk in (1..=200_u8).collect::<Vec<_>>().chunks(50) {
            let groups = chunk.iter().flat_map(|n| account(&format!("sw{n}"), Told { serial: *n, ..Told::default() }));
            it.report(agent, groups.collect());
        }
    }
    assert!(it.devices().len() > 200, "{}", it.devices().len());
    it.world.now = it.world.now.plus_ms(5_000);
    it.world.submit(Body::Tick).unwrap();
    assert_eq!(it.devices().len(), 200);
    assert!(it.devices().iter().all(|device| device.len() == 2));
}

fn told() -> impl Strategy<Value = Told> {
    let value = || prop::sample::select(vec![0_u8, 0, 1, 2]);
    (value(), value(), value(), value()).prop_map(|(bridge, serial, engine, name)| Told {
        bridge,
        serial,
        engine,
        name,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn which_devices_there_are_does_not_depend_on_the_order_of_reports(
        accounts in prop::collection::vec((0..3_usize, 0..4_u8, told(), told()), 1..9),
        order in prop::collection::vec(any::<u64>(), 9),
    ) {
        // Each account tells something at first, and something else in the end.
        let accounts: BTreeMap<(usize, String), [Told; 2]> =
            accounts.into_iter().map(|(agent, n, first, last)| ((agent, format!("sw{n}")), [first, last])).collect();
        let mut plain = Watched::new(3);
        for ((agent, scope), [_, last]) in &accounts {
            plain.tell(*agent, scope, *last);
        }
        let mut mixed = Watched::new(3);
        for ((agent, scope), [first, _]) in accounts.iter().rev() {
            mixed.tell(*agent, scope, *first);
        }
        let mut again: Vec<_> = accounts.iter().zip(order).collect();
        again.sort_by_key(|(_, key)| *key);
        for (((agent, scope), [_, last]), _) in again {
            mixed.tell(*agent, scope, *last);
        }
        prop_assert_eq!(plain.devices(), mixed.devices());
        let state = mixed.world.estate.site(mixed.site).unwrap();
        prop_assert!(regrouped(state).is_empty(), "what is shown follows from the accounts");

        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.commit(&mixed.world.changes).unwrap();
        prop_assert_eq!(&store.load().unwrap(), &mixed.world.estate);
    }
}
