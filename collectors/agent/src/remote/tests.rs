use onenet_topology::{
    Timestamp,
    fact::Scope,
    flow::{Flow, FlowEnd},
};
use onenet_wire::Asker;

use super::*;

fn asked(limit: u32) -> FlowsQuery {
    let (from, until) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(1_000_000));
    let query =
        FlowQuery { from, until, endpoint: None, peer: None, port: None, protocol: None, application: None, limit };
    let asker = Asker { principal: "li".to_owned(), reason: "a case".to_owned() };
    FlowsQuery { asker, query, after: None }
}

/// A flow that names what it asked for in `name_bytes` bytes.
fn flow(at: u32, name_bytes: usize) -> Flow {
    let end = |port| FlowEnd { ip: at.to_be_bytes().into(), port, mac: None };
    Flow {
        protocol: 17,
        originator: end(50_000),
        responder: end(53),
        vlan: None,
        packets_out: 1,
        packets_in: 1,
        bytes_out: 70,
        bytes_in: 120,
        start: Timestamp::from_unix_ms(0),
        end: Timestamp::from_unix_ms(0),
        application: None,
        by_payload: false,
        name: format!("{at:0name_bytes$}"),
        tcp: None,
        interface: Some(Scope::new("eth1")),
    }
}

#[test]
fn of_flows_that_say_much_fewer_go_in_a_page() {
    let source = |name_bytes| -> FlowSource {
        Arc::new(move |query, _| {
            Ok(FlowPage { flows: (0..query.limit).map(|at| flow(at, name_bytes)).collect(), ..FlowPage::default() })
        })
    };
    assert_eq!(page(&source(10), &asked(1_000)).unwrap().flows.len(), 1_000);
    let large = page(&source(250), &asked(1_000)).unwrap();
    assert!(limits::page_fits(&large));
    assert_eq!(large.flows.len(), 125);
}

#[test]
fn what_is_too_long_for_the_wire_is_cut_and_what_fails_is_said() {
    let long: FlowSource = Arc::new(|_, _| Ok(FlowPage { flows: vec![flow(1, 5_000)], ..FlowPage::default() }));
    assert_eq!(page(&long, &asked(10)).unwrap().flows[0].name.len(), limits::NAME_BYTES);
    let failing: FlowSource = Arc::new(|_, _| Err("the disk failed".to_owned()));
    assert_eq!(page(&failing, &asked(10)), Err("the disk failed".to_owned()));
}
