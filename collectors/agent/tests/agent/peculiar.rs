//! Devices that do over time what the standard forbids: counters that go back, ports with other numbers after a restart.
//!
//! Each is polled by a whole agent; what the centre is told is judged.

use std::{collections::BTreeMap, time::Duration};

use onenet_agent::config::{DeviceConfig, Intervals};
use onenet_topology::fact::{Event, EventKind, FactBody, FactChange, HistoryBody, InterfaceStatus};

use super::{
    Running,
    centre::{Authority, Centre},
    config,
    simulated::tlv,
    tables::{Agent, Objects},
};

const UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];
const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
const IF_X_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

/// Returns a device that started so long ago and has these ports: ifIndex, name, octets in and out.
fn device(uptime_s: u32, ports: &[(u32, &str, u32)]) -> Objects {
    let system = Objects::default().with(&UPTIME, tlv(0x43, &(uptime_s * 100).to_be_bytes()));
    ports.iter().fold(system, |objects, (if_index, name, octets)| {
        let counter = || tlv(0x46, &octets.to_be_bytes());
        objects
            .number(&[&IF_ENTRY[..], &[8, *if_index]].concat(), 1)
            .text(&[&IF_X_ENTRY[..], &[1, *if_index]].concat(), name.as_bytes())
            .with(&[&IF_X_ENTRY[..], &[6, *if_index]].concat(), counter())
            .with(&[&IF_X_ENTRY[..], &[10, *if_index]].concat(), counter())
    })
}

fn polled_each_second(device: &Agent) -> DeviceConfig {
    let second = Duration::from_secs(1);
    DeviceConfig {
        name: "peculiar".to_owned(),
        target: device.address,
        credentials: onenet_snmp::Credentials::community("public").unwrap(),
        intervals: Intervals { interfaces: second, system: second, ..Intervals::default() },
        requests_max: 20_000,
    }
}

async fn event(centre: &Centre, kind: EventKind) -> Event {
    let find = |body: &HistoryBody| match body {
        HistoryBody::Event(event) if event.kind == kind => Some(event.clone()),
        _ => None,
    };
    centre.history(&format!("{kind:?}"), find).await
}

/// Waits until a sample of each port was told that has these octets.
async fn counted(centre: &Centre, ports: &[(&str, u64)]) {
    for (port, octets) in ports {
        let find = |body: &HistoryBody| match body {
            HistoryBody::Interface(sample) if sample.name == *port && sample.in_octets == Some(*octets) => Some(()),
            _ => None,
        };
        centre.history(&format!("{octets} octets at {port}"), find).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_that_go_back_and_ports_with_other_numbers_are_told_and_mix_no_two_ports() {
    let device_agent = Agent::start([("public", device(500_000, &[(1, "a", 9_000), (2, "b", 8_000)]))]).await;
    let authority = Authority::new();
    let centre = Centre::start(&authority, 0).await;
    let agent = Running::start(&authority, |data| {
        let mut config = config(&centre, data);
        config.site.devices = vec![polled_each_second(&device_agent).into()];
        config
    });
    counted(&centre, &[("a", 9_000), ("b", 8_000)]).await;

    device_agent.becomes([("public", device(500_010, &[(1, "a", 31), (2, "b", 8_500)]))]);
    let jump = event(&centre, EventKind::CountersJumpedBack).await;
    assert_eq!((jump.subject.as_str(), jump.count), ("a", 1), "{jump:?}");

    // It started anew, and the ports have each other's number.
    device_agent.becomes([("public", device(5, &[(2, "a", 77), (1, "b", 55)]))]);
    let restart = event(&centre, EventKind::DeviceRestarted).await;
    assert!(restart.detail.contains("sysUpTime began again 5 s"), "{restart:?}");
    counted(&centre, &[("a", 77), ("b", 55)]).await;
    let renumbered = |_: &_, change: &FactChange| match change {
        FactChange::Present(fact) => match &fact.body {
            FactBody::Quirk(quirk) if quirk.word == "renumbered" => Some((quirk.table.clone(), quirk.count)),
            _ => None,
        },
        FactChange::Gone { .. } => None,
    };
    assert_eq!(centre.change("the quirk", renumbered).await, ("ifTable".to_owned(), Some(2)));

    // No sample of one port was told under the other's name, and what a restart did is no jump.
    let samples = centre.all_history(|body| match body {
        HistoryBody::Interface(sample) => Some((sample.name.clone(), sample.in_octets)),
        _ => None,
    });
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (name, octets) in samples {
        let values = seen.entry(name).or_default();
        values.extend(octets.filter(|octets| !values.contains(octets)));
    }
    assert_eq!(seen["a"], [9_000, 31, 77]);
    assert_eq!(seen["b"], [8_000, 8_500, 55]);
    let jumps = centre.all_history(|body| match body {
        HistoryBody::Event(event) if event.kind == EventKind::CountersJumpedBack => Some(event.clone()),
        _ => None,
    });
    assert_eq!(jumps.len(), 1, "{jumps:?}");
    agent.stop().await;
    centre.stop().await;
}

/// Returns a device with one port in a state (ifOperStatus) since a moment of its own time.
fn port_in_state(uptime_s: u32, oper: u8, since_s: u32) -> Objects {
    Objects::default()
        .with(&UPTIME, tlv(0x43, &(uptime_s * 100).to_be_bytes()))
        .number(&[&IF_ENTRY[..], &[8, 1]].concat(), oper)
        .with(&[&IF_ENTRY[..], &[9, 1]].concat(), tlv(0x43, &(since_s * 100).to_be_bytes()))
        .text(&[&IF_X_ENTRY[..], &[1, 1]].concat(), b"ge1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_whose_state_changes_is_told_with_the_time_of_that_although_names_are_read_seldom() {
    let device_agent = Agent::start([("public", port_in_state(500_000, 1, 100_000))]).await;
    let authority = Authority::new();
    let centre = Centre::start(&authority, 0).await;
    let agent = Running::start(&authority, |data| {
        let mut config = config(&centre, data);
        let mut polled = polled_each_second(&device_agent);
        polled.intervals.system = Duration::from_secs(3_600);
        config.site.devices = vec![polled.into()];
        config
    });
    let since = |oper: InterfaceStatus| {
        move |_: &_, change: &FactChange| match change {
            FactChange::Present(fact) => match &fact.body {
                FactBody::Interface(port) if port.oper == oper => Some(port.last_change_s),
                _ => None,
            },
            FactChange::Gone { .. } => None,
        }
    };
    assert_eq!(centre.change("the port up", since(InterfaceStatus::Up)).await, Some(100_000));
    device_agent.becomes([("public", port_in_state(500_010, 2, 500_005))]);
    assert_eq!(centre.change("the port down", since(InterfaceStatus::Down)).await, Some(500_005));
    agent.stop().await;
    centre.stop().await;
}
