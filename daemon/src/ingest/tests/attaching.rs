//! Attachments as the estate believes them.

mod past;

use onenet_topology::{
    inference::{Attachment, Where},
    inspection::EvidenceFile,
};

use super::*;

/// A site with one switch of ports `ge1` to `ge4`, where `ge4` leads to nobody.
struct Switch {
    world: World,
    site: SiteId,
    agent: AgentId,
    sequence: u64,
    boot_ms: u64,
}

impl Switch {
    fn new() -> Self {
        let (world, site, agent) = World::with_agent(1_000_000);
        let mut it = Self { world, site, agent, sequence: 0, boot_ms: 900_000 };
        let ports = (1..=4).map(|n| it.port(n, fact::InterfaceStatus::Up)).collect();
        it.report(Method::SnmpInterfaces, ports);
        it
    }

    fn port(&self, number: u8, oper: fact::InterfaceStatus) -> FactChange {
        let body = FactBody::Interface(fact::Interface {
            name: format!("ge{number}"),
            if_index: u32::from(number),
            alias: String::new(),
            if_type: 6,
            mac: Some(mac(0xf0 + number)),
            speed_bps: None,
            full_duplex: None,
            last_change_s: None,
            admin: fact::InterfaceStatus::Up,
            oper,
        });
        present(self.boot_ms, body)
    }

    fn row(last: u8, port: u8) -> FactBody {
        FactBody::Forwarding(fact::Forwarding {
            mac: mac(last),
            vlan: Some(10),
            interface: Some(format!("ge{port}")),
            bridge_port: u32::from(port),
            status: fact::ForwardingStatus::Learned,
        })
    }

    fn learns(&mut self, rows: &[(u8, u8)]) {
        let changes = rows.iter().map(|(last, port)| present(self.boot_ms, Self::row(*last, *port))).collect();
        self.report(Method::SnmpForwarding, changes);
    }

    /// Two walks say that endpoints are there.
    fn move_to(&mut self, rows: &[(u8, u8)]) {
        for _ in 0..2 {
            self.learns(rows);
            self.settle();
        }
    }

    fn forgets(&mut self, last: u8, port: u8) {
        let change = gone(self.boot_ms, &Self::row(last, port));
        self.report(Method::SnmpForwarding, vec![change]);
    }

    fn report(&mut self, method: Method, changes: Vec<FactChange>) {
        self.report_of("core", method, changes);
    }

    fn report_of(&mut self, switch: &str, method: Method, changes: Vec<FactChange>) {
        self.sequence += 1;
        self.boot_ms += 1_000;
        let groups = vec![GroupChanges { group: group(method, switch), changes, complete: None }];
        let batch = batch(Lane::State, self.sequence, self.boot_ms, Content::State(groups));
        self.world.report(self.agent, self.site, batch).unwrap();
    }

    fn settle(&mut self) {
        self.world.now = self.world.now.plus_ms(5_000);
        self.world.submit(Body::Tick).unwrap();
    }

    /// A second switch `access` is at `ge4`: both hear each other, and it has the address at a port of its own.
    fn access_answers(&mut self, last: u8) {
        for (switch, bridge) in [("core", 0xf0), ("access", 0xe0)] {
            let system = fact::System { name: switch.into(), bridge_mac: Some(mac(bridge)), ..fact::System::default() };
            self.report_of(switch, Method::SnmpSystem, vec![present(self.boot_ms, FactBody::System(Box::new(system)))]);
        }
        let ports = [2, 4].map(|number| self.port(number, fact::InterfaceStatus::Up)).into();
        self.report_of("access", Method::SnmpInterfaces, ports);
        self.report_of("access", Method::SnmpForwarding, vec![present(self.boot_ms, Self::row(last, 2))]);
        for (switch, far) in [("core", 0xe0), ("access", 0xf0)] {
            let neighbour = FactBody::Neighbour(Box::new(fact::Neighbour {
                capabilities: 0,
                protocol: fact::NeighbourProtocol::Lldp,
                local_interface: "ge4".into(),
                chassis_id: mac(far).to_string(),
                port_id: "ge4".into(),
                port_description: String::new(),
                system_name: String::new(),
                system_description: String::new(),
                management_addresses: Vec::new(),
            }));
            self.report_of(switch, Method::SnmpNeighbours, vec![present(self.boot_ms, neighbour)]);
        }
    }

    /// The ifName of the port at which the endpoint is believed to be.
    fn port_of(&self, last: u8) -> Option<String> {
        let state = self.world.estate.site(self.site).unwrap();
        match self.world.endpoint(self.site, last)?.located.as_ref()?.at {
            Where::Port(place) => Some(state.interface(place.device, place.interface)?.said.name.clone()),
            other => Some(format!("{other:?}")),
        }
    }
}

#[test]
fn a_learned_endpoint_is_at_its_port_after_the_next_tick_and_the_reason_is_there() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1), (2, 2)]);
    assert_eq!(switch.port_of(1), None, "not on the report's path");
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge1"));
    assert_eq!(switch.port_of(2).as_deref(), Some("ge2"));
    let attachment = switch.world.estate.site(switch.site).unwrap().attachment(mac(1)).unwrap();
    assert!(attachment.confidence >= 50, "{attachment:?}");
}

#[test]
fn a_move_is_believed_when_two_walks_say_so_and_told_before() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    // The table has one row an address and VLAN: learning it elsewhere replaces the old one.
    switch.learns(&[(1, 3)]);
    for _ in 0..200 {
        switch.settle();
    }
    assert_eq!(switch.port_of(1).as_deref(), Some("ge1"), "one walk, however long ago");
    let located = switch.world.endpoint(switch.site, 1).unwrap().located.clone().unwrap();
    assert!(located.contender.is_some());
    // What waits survives a start of the centre.
    let directory = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(directory.path()).unwrap();
    store.commit(&switch.world.changes).unwrap();
    switch.world.estate = store.load().unwrap();
    // Another walk, of which another row tells.
    switch.learns(&[(2, 2)]);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge3"));
}

#[test]
fn a_move_from_a_port_that_is_down_is_believed_at_once() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    let down = switch.port(1, fact::InterfaceStatus::Down);
    switch.report(Method::SnmpInterfaces, vec![down]);
    switch.learns(&[(1, 3)]);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge3"));
}

#[test]
fn an_address_that_is_back_where_it_was_at_the_next_walk_has_not_moved() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    for at in [3, 1, 3, 1] {
        switch.learns(&[(1, at)]);
        switch.settle();
        assert_eq!(switch.port_of(1).as_deref(), Some("ge1"));
    }
    assert_eq!(switch.world.endpoint(switch.site, 1).unwrap().located.as_ref().unwrap().contender, None);
}

#[test]
fn ports_that_are_numbered_anew_and_hardware_that_is_replaced_move_nobody() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    let before = switch.world.endpoint(switch.site, 1).unwrap().located.clone().unwrap();
    // The same names under other numbers, and another serial number: a new chassis with the old configuration.
    let renumbered = (1..=4).map(|number| match switch.port(number, fact::InterfaceStatus::Up) {
        FactChange::Present(Fact { observed, body: FactBody::Interface(port) }) => {
            let body = FactBody::Interface(fact::Interface { if_index: port.if_index + 100, ..port });
            FactChange::Present(Fact { observed, body })
        }
        other => other,
    });
    let renumbered = renumbered.collect();
    switch.report(Method::SnmpInterfaces, renumbered);
    for serial in ["A1", "B2"] {
        let chassis = fact::Entity {
            index: 1,
            class: 3,
            name: String::new(),
            description: String::new(),
            serial: serial.into(),
            model: String::new(),
            software_revision: String::new(),
        };
        let change = present(switch.boot_ms, FactBody::Entity(Box::new(chassis)));
        switch.report(Method::SnmpEntities, vec![change]);
    }
    switch.learns(&[(1, 1)]);
    switch.settle();
    assert_eq!(
        switch.world.endpoint(switch.site, 1).unwrap().located,
        Some(before),
        "device and port are what they were"
    );
    assert_eq!(switch.world.estate.site(switch.site).unwrap().devices.len(), 1);
}

#[test]
fn a_place_behind_the_first_one_is_no_move_and_waits_for_nothing() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 4)]);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge4"), "all that is known yet");
    switch.access_answers(1);
    switch.settle();
    assert_eq!(
        switch.port_of(1).as_deref(),
        Some("ge2"),
        "the access switch's port, although the core has the address still"
    );
}

#[test]
fn an_endpoint_whose_rows_age_out_stays_where_it_was_last() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    switch.forgets(1, 1);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge1"));
    assert!(switch.world.estate.site(switch.site).unwrap().attachment(mac(1)).is_none());
    assert!(!switch.world.endpoint(switch.site, 1).unwrap().is_current());
}

#[test]
fn a_move_to_a_port_that_does_not_resolve_waits_for_another_walk_too() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    let unresolved = FactBody::Forwarding(fact::Forwarding {
        mac: mac(1),
        vlan: Some(10),
        interface: None,
        bridge_port: 77,
        status: fact::ForwardingStatus::Learned,
    });
    let change = present(switch.boot_ms, unresolved);
    switch.report(Method::SnmpForwarding, vec![change]);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge1"));
    let located = switch.world.endpoint(switch.site, 1).unwrap().located.clone().unwrap();
    assert!(located.contender.is_some());
    switch.learns(&[(2, 2)]);
    switch.settle();
    assert_ne!(switch.port_of(1).as_deref(), Some("ge1"));
}

#[test]
fn what_is_believed_survives_reading_back_and_is_not_new_again() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 1)]);
    switch.settle();
    let directory = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(directory.path()).unwrap();
    store.commit(&switch.world.changes).unwrap();
    let before = switch.world.estate.clone();
    switch.world.estate = store.load().unwrap();
    assert_eq!(switch.world.estate, before);
    switch.settle();
    assert!(switch.world.estate.site(switch.site).unwrap().attachment(mac(1)).is_some(), "inferred again");
    assert_eq!(switch.world.estate.sites, before.sites);
}

#[test]
fn an_endpoint_learned_at_a_member_is_at_its_aggregate() {
    let mut switch = Switch::new();
    let member = part("ge1", "ge3");
    switch.report(Method::SnmpAggregation, vec![present(switch.boot_ms, FactBody::Aggregation(member))]);
    switch.learns(&[(1, 1), (2, 2)]);
    switch.settle();
    assert_eq!(switch.port_of(1).as_deref(), Some("ge3"));
    assert_eq!(switch.port_of(2).as_deref(), Some("ge2"));
}

/// Where an attachment is, by the names that people know.
fn named(state: &crate::estate::SiteState, found: &Attachment) -> String {
    match found.at {
        Where::Port(at) => format!("{} {}", at.device, state.interface(at.device, at.interface).unwrap().said.name),
        Where::Behind { device, .. } => format!("{device} ?"),
        Where::Nowhere => "-".into(),
    }
}

#[test]
fn the_exported_evidence_gives_the_attachments_that_the_centre_shows() {
    let mut switch = Switch::new();
    let member = part("ge1", "ge3");
    switch.report(Method::SnmpAggregation, vec![present(switch.boot_ms, FactBody::Aggregation(member))]);
    switch.learns(&[(1, 4), (2, 2), (3, 1), (5, 4)]);
    switch.access_answers(1);
    let down = switch.port(2, fact::InterfaceStatus::Down);
    switch.report(Method::SnmpInterfaces, vec![down]);
    switch.settle();
    let state = switch.world.estate.site(switch.site).unwrap();
    let written = serde_json::to_string(&crate::ingest::evidence_file(state, "000000", switch.world.now)).unwrap();
    let read: EvidenceFile = serde_json::from_str(&written).unwrap();
    let (found, names) = read.infer().unwrap();
    let shown = state.inference.get();
    let of_centre: Vec<_> = shown.attachments.iter().map(|(mac, it)| (*mac, named(state, it), it.confidence)).collect();
    let of_file = found.attachments.iter().map(|(mac, it)| {
        let at = match it.at {
            Where::Port(at) => format!("{} {}", names.device(at.device), names.interface(at.device, at.interface)),
            Where::Behind { device, .. } => format!("{} ?", names.device(device)),
            Where::Nowhere => "-".into(),
        };
        (*mac, at, it.confidence)
    });
    assert_eq!(of_file.collect::<Vec<_>>(), of_centre);
    assert_eq!(of_centre.len(), 4, "{of_centre:?}");
    assert!(of_centre.iter().any(|(.., confidence)| *confidence < 50), "one is behind the access switch");
    assert_eq!(found.links.len(), shown.links.len());
    assert_eq!(found.links.len(), 1);
}

#[test]
fn what_neighbours_and_tables_say_is_one_list_of_links() {
    let mut switch = Switch::new();
    switch.learns(&[(1, 4)]);
    switch.access_answers(1);
    let forged = FactBody::Neighbour(Box::new(fact::Neighbour {
        capabilities: 0,
        protocol: fact::NeighbourProtocol::Lldp,
        local_interface: "ge1".into(),
        chassis_id: "someone".into(),
        port_id: "eth0".into(),
        port_description: String::new(),
        system_name: "someone".into(),
        system_description: String::new(),
        management_addresses: Vec::new(),
    }));
    let change = present(switch.boot_ms, forged);
    switch.report(Method::SnmpNeighbours, vec![change]);
    switch.settle();
    let links = crate::joined::joined(switch.world.estate.site(switch.site).unwrap());
    let said: Vec<_> = links
        .iter()
        .map(|link| (crate::console::words::joined(crate::console::Language::En, link.why).0, link.evidence.len()))
        .collect();
    assert_eq!(said.len(), 2, "{links:?}");
    assert!(said.contains(&("two_sided", 2)) && said.contains(&("heard", 1)), "{said:?}");
    assert!(links.iter().all(|link| !link.is_contradicted() && !link.is_one_sided()));
}
