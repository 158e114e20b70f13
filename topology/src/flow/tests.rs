use super::*;

fn end(ip: &str, port: u16) -> FlowEnd {
    FlowEnd { ip: ip.parse().unwrap(), port, mac: None }
}

fn flow() -> Flow {
    Flow {
        protocol: 6,
        originator: FlowEnd { mac: Some(MacAddr([2, 0, 0, 0, 0, 1])), ..end("10.1.0.5", 40_000) },
        responder: end("10.2.0.9", 443),
        vlan: None,
        packets_out: 3,
        packets_in: 2,
        bytes_out: 300,
        bytes_in: 200,
        start: Timestamp::from_unix_ms(1_000),
        end: Timestamp::from_unix_ms(2_000),
        application: Some(Application::Tls),
        by_payload: true,
        name: "mail.example".to_owned(),
        tcp: None,
        interface: None,
    }
}

fn any() -> FlowQuery {
    FlowQuery {
        from: Timestamp::from_unix_ms(0),
        until: Timestamp::from_unix_ms(10_000),
        endpoint: None,
        peer: None,
        port: None,
        protocol: None,
        application: None,
        limit: 10,
    }
}

fn ip(prefix: &str) -> FlowParty {
    FlowParty::Ip(prefix.parse().unwrap())
}

#[test]
fn a_flow_is_found_by_either_end_and_not_by_one_end_twice() {
    assert!(FlowQuery { endpoint: Some(ip("10.1.0.5/32")), ..any() }.wants(&flow()));
    assert!(FlowQuery { endpoint: Some(ip("10.2.0.0/16")), peer: Some(ip("10.1.0.0/16")), ..any() }.wants(&flow()));
    assert!(!FlowQuery { endpoint: Some(ip("10.1.0.5/32")), peer: Some(ip("10.1.0.5/32")), ..any() }.wants(&flow()));
    let mac = FlowParty::Mac(MacAddr([2, 0, 0, 0, 0, 1]));
    assert!(FlowQuery { endpoint: Some(mac), ..any() }.wants(&flow()));
    assert!(!FlowQuery { endpoint: Some(FlowParty::Mac(MacAddr([2, 0, 0, 0, 0, 2]))), ..any() }.wants(&flow()));
}

#[test]
fn a_flow_is_found_in_every_interval_that_it_was_going_on_in() {
    let within =
        |from, until| FlowQuery { from: Timestamp::from_unix_ms(from), until: Timestamp::from_unix_ms(until), ..any() };
    assert!(within(2_000, 3_000).wants(&flow()));
    assert!(within(0, 1_001).wants(&flow()));
    assert!(!within(0, 1_000).wants(&flow()));
    assert!(!within(2_001, 3_000).wants(&flow()));
}

#[test]
fn port_protocol_and_application_must_hold() {
    assert!(FlowQuery { port: Some(443), application: Some(Application::Tls), ..any() }.wants(&flow()));
    assert!(!FlowQuery { port: Some(80), ..any() }.wants(&flow()));
    assert!(!FlowQuery { application: Some(Application::Ssh), ..any() }.wants(&flow()));
    assert!(!FlowQuery { protocol: Some(17), ..any() }.wants(&flow()));
}

#[test]
fn a_state_is_found_by_its_number_and_serialised_as_its_name() {
    for state in TcpState::ALL {
        assert_eq!(TcpState::numbered(state.number()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
    assert_eq!(TcpState::numbered(0), None);
}
