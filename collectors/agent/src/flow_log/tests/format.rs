//! What was written is read back, and what an older agent wrote stays readable.

use onenet_topology::flow::FlowParty;
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::flow_log::{
    block,
    filter::{Asked, Filter, Keys},
    frame::{self, Kind},
    lump::Lump,
    read_frame,
    rows::Rows,
    segment::segment_path,
    summary::{self, Findable, Lost},
};

fn end() -> impl Strategy<Value = FlowEnd> {
    let ip = prop_oneof![
        (0..6_u32).prop_map(|it| std::net::Ipv4Addr::from_bits(0x0a00_0000 + it).into()),
        any::<u32>().prop_map(|it| std::net::Ipv4Addr::from_bits(it).into()),
        any::<u128>().prop_map(|it| std::net::Ipv6Addr::from_bits(it).into()),
    ];
    let mac = option::of(prop_oneof![Just([2, 0, 0, 0, 0, 1]), any::<[u8; 6]>()].prop_map(MacAddr));
    (ip, any::<u16>(), mac).prop_map(|(ip, port, mac)| FlowEnd { ip, port, mac })
}

fn tcp() -> impl Strategy<Value = TcpFlow> {
    let state = (0..13_usize).prop_map(|it| TcpState::ALL[it]);
    (state, "[a-zA-Z]{0,32}", any::<u64>(), 0..3_u64, option::of(0..u64::MAX)).prop_map(
        |(state, history, out, back, handshake_us)| TcpFlow {
            state,
            history,
            retransmissions_out: out,
            retransmissions_in: back,
            handshake_us,
        },
    )
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let numbers = (any::<u64>(), 0..9_u64, any::<u64>(), 0..2_000_u64);
    let times = (prop_oneof![0..5_000_000_000_000_i64, any::<i64>()], prop_oneof![0..100_000_i64, any::<i64>()]);
    let application = option::of((0..Application::ALL.len()).prop_map(|it| Application::ALL[it]));
    let texts = (prop_oneof![Just(String::new()), "\\PC{0,60}"], option::of("[a-z0-9.]{1,15}"));
    (any::<u8>(), end(), end(), option::of(any::<u16>()), numbers, times, application, texts, option::of(tcp()))
        .prop_map(
            |(protocol, originator, responder, vlan, numbers, (end, start), application, (name, interface), tcp)| {
                Flow {
                    protocol,
                    originator,
                    responder,
                    vlan,
                    packets_out: numbers.0,
                    packets_in: numbers.1,
                    bytes_out: numbers.2,
                    bytes_in: numbers.3,
                    start: Timestamp::from_unix_ms(start),
                    end: Timestamp::from_unix_ms(end),
                    application,
                    by_payload: numbers.1 % 2 == 0,
                    name,
                    tcp,
                    interface: interface.map(|it| Scope::new(&it)),
                }
            },
        )
}

fn forever() -> FlowQuery {
    everything(Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX))
}

fn read_back(payload: &[u8], flows: usize, query: &FlowQuery) -> (Vec<Flow>, Vec<bool>) {
    let mut rows = Rows::new(payload, u32::try_from(flows).unwrap(), query).unwrap();
    let (mut read, mut wanted) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next() {
        let (row, is_wanted) = row.unwrap();
        read.push(row.flow());
        wanted.push(is_wanted);
    }
    (read, wanted)
}

fn frame_of(flows: &[Flow]) -> Vec<u8> {
    let payload = block::encode(flows);
    let summary = summary::encode(1, flows, Lost::default(), payload.len(), Findable::Yes);
    frame::encode(Kind::Block, &summary, &zstd::bulk::compress(&payload, 3).unwrap())
}

proptest! {
    #[test]
    fn any_flows_are_read_back_as_they_were(flows in vec(any_flow(), 1..40)) {
        let payload = block::encode(&flows);
        let (read, _) = read_back(&payload, flows.len(), &forever());
        prop_assert_eq!(&read, &flows);
        prop_assert_eq!(read_frame(&frame_of(&flows)), Some(u32::try_from(flows.len()).unwrap()));
    }

    #[test]
    fn tables_decide_as_the_question_does_and_a_filter_denies_nothing_that_is_there(
        flows in vec(any_flow(), 1..30), place in any::<prop::sample::Index>(), bits in 0..=128_u8, which in 0..32_u8,
    ) {
        // A question that fits one of them, more or less narrowly.
        let one = &flows[place.index(flows.len())];
        let (a, b) = if which & 1 == 0 { (one.originator, one.responder) } else { (one.responder, one.originator) };
        let party = |end: FlowEnd, by_mac: bool| match end.mac {
            Some(mac) if by_mac => FlowParty::Mac(mac),
            _ => FlowParty::Ip(ipnetwork::IpNetwork::new(end.ip, bits.min(if end.ip.is_ipv4() { 32 } else { 128 })).unwrap()),
        };
        let query = FlowQuery {
            endpoint: (which & 2 != 0).then(|| party(a, which & 1 != 0)),
            peer: (which & 4 != 0).then(|| party(b, which & 2 != 0)),
            port: (which & 8 != 0).then_some(b.port),
            application: one.application.filter(|_| which & 16 != 0),
            protocol: (which & 16 != 0).then_some(one.protocol),
            ..forever()
        };
        let (_, wanted) = read_back(&block::encode(&flows), flows.len(), &query);
        let expected: Vec<bool> = flows.iter().map(|flow| query.wants(flow)).collect();
        prop_assert_eq!(&wanted, &expected);
        let mut keys = Keys::default();
        for flow in &flows {
            keys.add(flow);
        }
        let filter = keys.filter();
        if expected.contains(&true) {
            prop_assert!(Filter(&filter).may_hold(&Asked::of(&query)));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(flows in vec(any_flow(), 1..6), bytes in vec(any::<(usize, u8)>(), 0..9)) {
        let mut payload = block::encode(&flows);
        for (place, byte) in bytes {
            let place = place % payload.len();
            payload[place] = byte;
        }
        let query = forever();
        if let Ok(mut rows) = Rows::new(&payload, 1_000, &query) {
            let mut count = 0;
            while let Some(Ok((row, _))) = rows.next() {
                drop(row.flow());
                count += 1;
            }
            prop_assert!(count <= 1_000);
        }
        prop_assert_eq!(read_frame(&payload), None);
    }
}

#[test]
fn a_filter_affirms_seldom_what_is_not_there() {
    let mut keys = Keys::default();
    for flow in flows(0..400) {
        keys.add(&flow);
    }
    let filter = keys.filter();
    let other = |number: u32| {
        let ip = std::net::Ipv4Addr::from_bits(0x0b00_0000 + number * 259);
        Asked::of(&FlowQuery { endpoint: Some(FlowParty::Ip(std::net::IpAddr::V4(ip).into())), ..all() })
    };
    let affirmed = (0..10_000).filter(|number| Filter(&filter).may_hold(&other(*number))).count();
    assert!(affirmed < 200, "{affirmed} of 10000");
    assert!(filter.len() < 400, "{} bytes", filter.len());
}

#[test]
fn what_is_cut_off_is_no_frame() {
    let frame = frame_of(&flows(0..30));
    assert_eq!(read_frame(&frame), Some(30));
    assert!((0..frame.len()).all(|length| read_frame(&frame[..length]).is_none()));
    assert!(Lump::of(&[&frame[..], &[0]].concat()).is_none());
}

/// A segment that the first agent with a flow log wrote. It may be rewritten only together with the version of the format.
const GOLDEN: &[u8] = include_bytes!("../../../testdata/flow_log/0000000000000001.flows");

#[test]
fn what_an_older_agent_wrote_stays_readable() {
    let folder = TempDir::new().unwrap();
    let logged = flows(0..40);
    if std::env::var_os("ONENET_BLESS").is_some() {
        let mut writer = open(&folder, 5, 0);
        writer.set_ahead(1_000);
        writer.lose(3);
        writer.append(logged.clone()).unwrap();
        writer.close().unwrap();
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/flow_log/0000000000000001.flows");
        std::fs::copy(&files(&folder, "flows")[0], golden).unwrap();
        return;
    }
    std::fs::create_dir(folder.path().join("flows")).unwrap();
    std::fs::write(segment_path(&folder.path().join("flows"), 1), GOLDEN).unwrap();
    let true_time =
        |flow: &Flow| Flow { start: flow.start.plus_ms(-1_000), end: flow.end.plus_ms(-1_000), ..flow.clone() };
    let expected: Vec<Flow> = logged.iter().map(true_time).collect();
    assert_eq!(found(&folder, &all(), 100), latest_first(&expected, &all()));
    let page = page_of(&folder, &all(), None, 100);
    assert_eq!(page.missing.iter().map(|missing| missing.flows).collect::<Vec<_>>(), [None, Some(3)]);
}
