//! What the centre concludes itself: each an anomaly, and a case.

use onenet_topology::{
    anomaly::{Anomaly, AnomalyEvidence, AnomalyKey, AnomalyReport},
    site::Uplink,
};

use super::*;
use crate::record::NewSite;

fn round(world: &mut World) {
    for _ in 0..600 {
        world.now = world.now.plus_ms(1_000);
        world.submit(Body::Tick).unwrap();
    }
}

fn anomalies(world: &World, site: SiteId) -> Vec<Arc<Anomaly>> {
    world.estate.site(site).map(|it| it.anomalies.values().cloned().collect()).unwrap_or_default()
}

/// The open cases, but for those of agents, which say nothing while a test lets time pass.
fn cases(world: &World) -> Vec<(SiteId, String, String)> {
    let open = world.estate.cases.open().filter(|it| it.key.kind != "agent_silent");
    open.map(|it| (it.key.site, it.key.kind.clone(), it.key.subject.clone())).collect()
}

/// A sweep of this port by one host.
fn sweep(sequence: u64, host: &str, port: &str) -> Batch {
    let report = AnomalyReport {
        key: AnomalyKey { kind: "sweep".into(), subject: host.into() },
        grade: onenet_topology::incident::Severity::Considerable,
        confidence: 80,
        lasted_ms: 60_000,
        count: 30,
        run: 1,
        evidence: vec![AnomalyEvidence { is: "port".into(), value: port.into() }],
        drill: None,
    };
    let boot_ms = 1_000_000;
    let time = Timestamp::from_unix_ms(wall_at(boot_ms));
    let item = HistoryItem { time, scope: Scope::new(""), body: HistoryBody::Anomaly(report) };
    batch(Lane::History, sequence, boot_ms, Content::History(vec![item]))
}

/// A site above so many others, each with an agent.
fn province(counties: usize) -> (World, SiteId, Vec<(SiteId, AgentId)>) {
    let mut world = World::new();
    let top = world.add_site("130000");
    let mut below = Vec::new();
    for number in 0..counties {
        let site = NewSite {
            tier: Tier::County,
            kind: SiteKind::Division,
            code: format!("{}", 130_102 + number),
            name: SiteName::new(format!("c{number}"), "c"),
            parents: vec![Uplink { parent: top }],
            from: Timestamp::EPOCH,
        };
        let Outcome::SiteAdded(site) = world.command(Command::AddSite(site)).unwrap() else { panic!("no site") };
        let agent = world.enrol(site, format!("secret {number}").as_bytes());
        world.hello(agent, 1_000_000);
        below.push((site, agent));
    }
    (world, top, below)
}

#[test]
fn the_same_port_swept_at_three_sites_is_a_spread_of_the_site_above_them_and_other_ports_are_not() {
    let (mut world, top, below) = province(4);
    for (number, (site, agent)) in below.iter().enumerate() {
        let port = if number == 3 { "tcp/22" } else { "tcp/445" };
        world.report(*agent, *site, sweep(1, "10.0.0.9", port)).unwrap();
        let expected = usize::from(number >= 2);
        assert_eq!(anomalies(&world, top).len(), expected, "after {number}");
    }
    let [spread] = &anomalies(&world, top)[..] else { panic!("{:?}", anomalies(&world, top)) };
    assert_eq!((spread.key.kind.as_str(), spread.key.subject.as_str()), ("worm_spread", "tcp/445"));
    assert_eq!((spread.agent, spread.count), (Anomaly::CENTRE, 3));
    assert!(spread.evidence.iter().any(|it| it.is == "sites" && it.value.starts_with("3: c0、c1、c2")), "{spread:?}");
    assert!(cases(&world).contains(&(top, "worm_spread".into(), "tcp/445".into())));
    assert_eq!(cases(&world).len(), 5);
}

#[test]
fn an_address_that_two_have_is_a_case_after_an_hour_and_not_before() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let seen = |world: &mut World, turn: u64| {
        let at = 900_000 + turn * 600_000;
        let facts = vec![present(at, binding(1, 7)), present(at, binding(2, 7))];
        world.report(agent, site, state(turn + 1, at + 1_000, facts)).unwrap();
        round(world);
    };
    for turn in 0..6 {
        seen(&mut world, turn);
    }
    assert_eq!(cases(&world), []);
    for turn in 6..9 {
        seen(&mut world, turn);
    }
    assert_eq!(cases(&world), [(site, "ip_with_two_macs".into(), "10.0.0.7".into())]);
    let [found] = &anomalies(&world, site)[..] else { panic!("{:?}", anomalies(&world, site)) };
    assert!(found.evidence[0].value.contains(&mac(2).to_string()), "{found:?}");
}

fn import(world: &mut World, macs: &[u8]) {
    let rows = macs.iter().map(|last| format!("A-{last},000000,{}\n", mac(*last)));
    let text = rows.fold("number,site,mac\n".to_owned(), |text, row| text + &row);
    let rows = onenet_topology::asset::parse_assets_csv(&text).unwrap();
    world.command(Command::ImportAssets { rows, from: Timestamp::EPOCH, complete: false }).unwrap();
}

#[test]
fn a_terminal_that_is_not_on_the_books_is_a_case_where_there_are_books() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let facts = |at| vec![present(at, binding(1, 7)), present(at, binding(2, 8))];
    world.report(agent, site, state(1, 901_000, facts(900_000))).unwrap();
    round(&mut world);
    import(&mut world, &[1]);
    round(&mut world);
    assert_eq!(cases(&world), [], "for a moment, as far as anybody told");
    world.report(agent, site, state(2, 1_601_000, facts(1_600_000))).unwrap();
    round(&mut world);
    assert_eq!(cases(&world), [(site, "unregistered_terminal".into(), mac(2).to_string())]);
}

#[test]
fn a_terminal_is_nobodys_case_where_there_are_no_books() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    for (sequence, at) in [(1, 900_000), (2, 1_600_000)] {
        world.report(agent, site, state(sequence, at + 1_000, vec![present(at, binding(2, 8))])).unwrap();
        round(&mut world);
    }
    assert_eq!(cases(&world), []);
}

/// A chassis with this serial number.
fn chassis(serial: &str) -> FactBody {
    FactBody::Entity(Box::new(fact::Entity {
        index: 1,
        class: 3,
        name: String::new(),
        description: String::new(),
        serial: serial.into(),
        model: String::new(),
        software_revision: String::new(),
    }))
}

#[test]
fn a_device_with_another_serial_number_was_replaced_and_one_whose_number_is_read_late_was_not() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    for (sequence, serial) in (1..).zip(["N/A", "21020A", "21020A", "21020B"]) {
        let changes = vec![present(900_000 + sequence, chassis(serial))];
        let groups = vec![GroupChanges { group: group(Method::SnmpEntities, "core"), changes, complete: None }];
        world.report(agent, site, batch(Lane::State, sequence, 900_000 + sequence, Content::State(groups))).unwrap();
        let expected = usize::from(sequence == 4);
        assert_eq!(anomalies(&world, site).len(), expected, "{serial}: {:?}", anomalies(&world, site));
    }
    assert_eq!(cases(&world), [(site, "device_replaced".into(), "core".into())]);
    let told = &anomalies(&world, site)[0].evidence;
    let says = |is: &str, value: &str| told.iter().any(|it| it.is == is && it.value == value);
    assert!(says("serial_before", "21020A") && says("serial_after", "21020B"), "{told:?}");
}

/// A switch with so many machines at one port and one at another, told of for so many rounds.
fn crowded(machines: u8, rounds: u64) -> (World, SiteId) {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    let port = |number: u8| {
        FactBody::Interface(fact::Interface {
            name: format!("ge{number}"),
            if_index: number.into(),
            alias: String::new(),
            if_type: 6,
            mac: None,
            speed_bps: None,
            full_duplex: None,
            last_change_s: None,
            admin: fact::InterfaceStatus::Up,
            oper: fact::InterfaceStatus::Up,
        })
    };
    let row = |last: u8| {
        let number = if last == 0 { 1 } else { 2 };
        FactBody::Forwarding(fact::Forwarding {
            mac: mac(last),
            vlan: Some(10),
            interface: Some(format!("ge{number}")),
            bridge_port: number,
            status: fact::ForwardingStatus::Learned,
        })
    };
    for turn in 0..rounds {
        let at = 1_000_000 + turn * 600_000;
        let rows = (0..=machines).map(|last| present(at, row(last))).collect();
        let ports = [1, 2].map(|number| present(at, port(number))).into();
        let groups = [(Method::SnmpInterfaces, ports), (Method::SnmpForwarding, rows)];
        let groups =
            groups.map(|(method, changes)| GroupChanges { group: group(method, "core"), changes, complete: None });
        let content = Content::State(groups.into());
        world.report(agent, site, batch(Lane::State, turn + 1, at, content)).unwrap();
        round(&mut world);
    }
    (world, site)
}

#[test]
fn several_machines_behind_one_access_port_for_an_hour_are_a_hub_and_two_are_not() {
    assert_eq!(cases(&crowded(2, 9).0), [], "a telephone with a computer behind it");
    assert_eq!(cases(&crowded(4, 4).0), [], "not long enough");
    let (world, site) = crowded(4, 9);
    assert_eq!(cases(&world), [(site, "hub_behind_port".into(), "core ge2".into())]);
    let told = &anomalies(&world, site)[0].evidence;
    assert!(told.iter().any(|it| it.is == "machines" && it.value == "4"), "{told:?}");
}

#[test]
fn a_register_that_lacks_most_is_one_case() {
    let (mut world, site, agent) = World::with_agent(1_000_000);
    world.policy.concluding.unregistered_max = 3;
    import(&mut world, &[1]);
    for (sequence, at) in [(1, 900_000), (2, 1_600_000)] {
        let facts = (1..10).map(|number| present(at, binding(number, number))).collect();
        world.report(agent, site, state(sequence, at + 1_000, facts)).unwrap();
        round(&mut world);
    }
    assert_eq!(cases(&world), [(site, "unregistered_terminal".into(), "asset register".into())]);
    let [found] = &anomalies(&world, site)[..] else { panic!("{:?}", anomalies(&world, site)) };
    assert_eq!((found.count, found.evidence[0].value.as_str()), (8, "8"));
}
