//! Forged ARP, DHCP and LLDP: what a host on the wire can say displaces nothing that is known (invariant 9).

use onenet_topology::{endpoint::Located, inference::Where};

use super::*;

/// A switch `core` with ports ge1 to ge3, endpoint 1 learned at ge1 and heard with 10.0.0.1.
fn known() -> (World, SiteId, AgentId) {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let port = |n: u8| {
        present(
            980_000,
            FactBody::Interface(fact::Interface {
                name: format!("ge{n}"),
                if_index: u32::from(n),
                alias: String::new(),
                if_type: 6,
                mac: Some(mac(0xf0 + n)),
                speed_bps: None,
                full_duplex: None,
                last_change_s: None,
                admin: fact::InterfaceStatus::Up,
                oper: fact::InterfaceStatus::Up,
            }),
        )
    };
    let system = fact::System { name: "core-1".into(), bridge_mac: Some(mac(0xf0)), ..fact::System::default() };
    let groups = vec![
        one(Method::SnmpSystem, "core", vec![present(980_000, FactBody::System(Box::new(system)))]),
        one(Method::SnmpInterfaces, "core", (1..=3).map(port).collect()),
        one(Method::SnmpForwarding, "core", vec![present(980_000, row(1, 1)), present(980_000, row(2, 2))]),
        one(Method::PassiveArp, "eth0", vec![present(980_000, binding(1, 1))]),
    ];
    world.report(agent, site, batch(Lane::State, 1, 981_000, Content::State(groups))).unwrap();
    world.now = world.now.plus_ms(5_000);
    world.submit(Body::Tick).unwrap();
    (world, site, agent)
}

fn one(method: Method, scope: &str, changes: Vec<FactChange>) -> GroupChanges {
    GroupChanges { group: group(method, scope), changes, complete: None }
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

fn neighbour(local: &str, chassis_id: String) -> FactBody {
    FactBody::Neighbour(Box::new(fact::Neighbour {
        capabilities: 0,
        protocol: fact::NeighbourProtocol::Lldp,
        local_interface: local.into(),
        chassis_id,
        port_id: "ge1".into(),
        port_description: String::new(),
        system_name: "core-1".into(),
        system_description: String::new(),
        management_addresses: Vec::new(),
    }))
}

fn forge(world: &mut World, site: SiteId, agent: AgentId, groups: Vec<GroupChanges>) {
    world.report(agent, site, batch(Lane::State, 2, 990_000, Content::State(groups))).unwrap();
    for _ in 0..40 {
        world.now = world.now.plus_ms(5_000);
        world.submit(Body::Tick).unwrap();
    }
}

fn located(world: &World, site: SiteId, last: u8) -> Located {
    world.endpoint(site, last).unwrap().located.clone().unwrap()
}

#[test]
fn a_forged_arp_answer_takes_an_address_from_nobody() {
    let (mut world, site, agent) = known();
    let before = world.endpoint(site, 1).unwrap().clone();
    let claims = (50..250).map(|last| present(985_000, binding(last, 1))).collect();
    forge(&mut world, site, agent, vec![one(Method::PassiveArp, "eth0", claims)]);
    assert_eq!(world.endpoint(site, 1), Some(&before), "identity, addresses and place are what they were");
}

#[test]
fn a_forged_dhcp_request_moves_and_renames_no_other_endpoint() {
    let (mut world, site, agent) = known();
    let (before, at) = (world.endpoint(site, 1).unwrap().id, located(&world, site, 1));
    let host = fact::Host {
        mac: mac(1),
        hostname: "core-1".into(),
        vendor_class: String::new(),
        parameter_list: Vec::new(),
        client_id: Vec::new(),
    };
    forge(
        &mut world,
        site,
        agent,
        vec![one(Method::PassiveDhcp, "eth0", vec![present(985_000, FactBody::Host(Box::new(host)))])],
    );
    assert_eq!((world.endpoint(site, 1).unwrap().id, located(&world, site, 1)), (before, at));
    assert_eq!(world.estate.site(site).unwrap().devices.len(), 1, "a host name makes no device");
}

#[test]
fn frames_in_the_name_of_a_device_make_no_endpoint_and_change_no_device() {
    let (mut world, site, agent) = known();
    let devices = world.estate.site(site).unwrap().devices.clone();
    let shown = world.estate.site(site).unwrap().visible_endpoints().count();
    let seen = FactBody::Sighting(fact::Sighting { mac: mac(0xf0), vlan: None });
    let bound = binding(0xf1, 1);
    let groups = vec![
        one(Method::PassiveFrames, "eth0", vec![present(985_000, seen)]),
        one(Method::PassiveArp, "eth0", vec![present(985_000, bound)]),
        one(Method::PassiveLldp, "eth0", vec![present(985_000, neighbour("eth0", mac(0xf0).to_string()))]),
    ];
    forge(&mut world, site, agent, groups);
    let state = world.estate.site(site).unwrap();
    assert_eq!(state.devices, devices, "what is heard on the wire is no evidence of what a device is");
    assert_eq!(state.visible_endpoints().count(), shown);
    assert!(matches!(located(&world, site, 1).at, Where::Port(_)));
}

/// Endpoint 2 claims by LLDP to be a managed switch of the site.
#[test]
fn forged_lldp_at_a_switchs_port_moves_nobody_until_a_device_bears_it_out() {
    let (mut world, site, agent) = known();
    let other = fact::System { name: "core-2".into(), bridge_mac: Some(mac(0xe0)), ..fact::System::default() };
    let groups = vec![
        one(Method::SnmpSystem, "other", vec![present(985_000, FactBody::System(Box::new(other)))]),
        one(Method::SnmpNeighbours, "core", vec![present(985_000, neighbour("ge2", mac(0xe0).to_string()))]),
    ];
    let at = located(&world, site, 1);
    let own = located(&world, site, 2);
    forge(&mut world, site, agent, groups);
    assert_eq!(located(&world, site, 1), at);
    let Where::Port(before) = own.at else { panic!("{own:?}") };
    let Where::Port(after) = located(&world, site, 2).at else { panic!("{:?}", located(&world, site, 2)) };
    assert_eq!((before.device, before.interface), (after.device, after.interface), "still at the port that learned it");
    assert_eq!(world.estate.site(site).unwrap().devices.len(), 2);
    // The real switch answers for itself: its address is learned at the port.
    let learned = vec![one(Method::SnmpForwarding, "core", vec![present(991_000, row(0xe0, 2))])];
    world.report(agent, site, batch(Lane::State, 3, 992_000, Content::State(learned))).unwrap();
    for _ in 0..40 {
        world.now = world.now.plus_ms(5_000);
        world.submit(Body::Tick).unwrap();
    }
    assert!(matches!(located(&world, site, 2).at, Where::Port(_)), "that is a guess after one walk");
    let again = vec![one(Method::SnmpForwarding, "core", vec![present(1_290_000, row(0xe0, 2))])];
    world.report(agent, site, batch(Lane::State, 4, 1_292_000, Content::State(again))).unwrap();
    for _ in 0..40 {
        world.now = world.now.plus_ms(5_000);
        world.submit(Body::Tick).unwrap();
    }
    assert!(matches!(located(&world, site, 2).at, Where::Behind { .. }), "{:?}", located(&world, site, 2));
    assert_eq!(located(&world, site, 1), at);
}
