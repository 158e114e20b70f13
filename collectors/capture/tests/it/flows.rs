//! Which packets make a flow, who began it, and who leaves a full table.

use std::time::Duration;

use onenet_capture::{
    FrameMeta, LinkType, Pipeline, PipelineOptions,
    flow::{EndReason, FlowRecord},
};
use onenet_topology::flow::TcpState;

use crate::frames::*;

fn options() -> PipelineOptions {
    let mut options = PipelineOptions::default();
    options.flows.idle_tcp = Duration::from_secs(300);
    options.flows.idle_other = Duration::from_secs(60);
    options.flows.linger = Duration::from_secs(10);
    options.flows.active = None;
    options
}

/// Returns the flows of these frames, in the order in which they ended.
fn flows(frames: &[(i64, Vec<u8>)]) -> Vec<FlowRecord> {
    let mut pipeline = Pipeline::new(options());
    for (seconds, frame) in frames {
        send(&mut pipeline, *seconds, frame);
    }
    pipeline.finish();
    pipeline.take_flows().collect()
}

#[test]
fn a_connection_is_one_flow_with_both_directions() {
    let flows = flows(&[
        (0, segment(true, 1, SYN, 0)),
        (1, segment(false, 9, SYN | ACK, 0)),
        (2, segment(true, 2, ACK, 100)),
        (3, segment(false, 10, ACK, 1_000)),
    ]);
    let [flow] = &flows[..] else { panic!("{flows:?}") };
    assert_eq!((flow.protocol, flow.originator.port, flow.responder.port), (6, 40_000, 80));
    assert_eq!((flow.originator.ip, flow.responder.ip), (ANNA_IP.into(), BERT_IP.into()));
    assert_eq!((flow.packets_out, flow.packets_in), (2, 2));
    // 54 bytes of headers each.
    assert_eq!((flow.bytes_out, flow.bytes_in), (54 + 154, 54 + 1_054));
    assert_eq!((flow.start, flow.end, flow.reason), (at(0), at(3), EndReason::Finished));
}

#[test]
fn a_record_says_what_a_site_keeps_of_a_flow() {
    let flows = flows(&[
        (0, segment(true, 1, SYN, 0)),
        (1, segment(false, 9, SYN | ACK, 0)),
        (2, segment(true, 2, ACK, 100)),
        (4, segment(true, 2, ACK, 100)),
        (5, segment(false, 10, FIN | ACK, 0)),
    ]);
    let flow = onenet_topology::flow::Flow::from(flows[0].clone());
    assert_eq!((flow.originator.mac, flow.responder.mac), (Some(ANNA), Some(BERT)));
    assert_eq!((flow.packets_out, flow.bytes_in, flow.start), (3, 108, at(0).into()));
    let tcp = flow.tcp.unwrap();
    assert_eq!((tcp.state, tcp.history.as_str()), (TcpState::ResponderClosed, "ShDTf"));
    assert_eq!((tcp.retransmissions_out, tcp.retransmissions_in, tcp.handshake_us), (1, 0, Some(2_000_000)));
    let written = serde_json::to_value(&flows[0]).unwrap();
    assert_eq!(written["originator"]["mac"], ANNA.to_string());
    assert_eq!(written["tcp"]["state"], "responder_closed");
    assert_eq!((written.get("application"), written.get("vlan")), (None, None));
}

#[test]
fn an_answer_seen_first_names_its_receiver_as_originator() {
    let tcp = flows(&[(0, segment(false, 9, SYN | ACK, 0)), (1, segment(true, 2, ACK, 0))]);
    assert_eq!((tcp[0].originator.port, tcp[0].packets_out, tcp[0].packets_in), (40_000, 1, 1));
    let echo = |from, to, kind| {
        let message = [kind, 0, 0, 0, 0x12, 0x34, 0, 1];
        ethernet(ANNA, BERT, IPV4, &ipv4(from, to, 1, &message))
    };
    let ping = flows(&[(0, echo(BERT_IP, ANNA_IP, 0)), (1, echo(ANNA_IP, BERT_IP, 8))]);
    let [ping] = &ping[..] else { panic!("{ping:?}") };
    assert_eq!((ping.originator.ip, ping.originator.port, ping.responder.port), (ANNA_IP.into(), 0x1234, 8 << 8));
    assert_eq!((ping.packets_out, ping.packets_in), (1, 1));
}

#[test]
fn ports_used_again_make_another_flow() {
    let again = flows(&[
        (0, segment(true, 1, SYN, 0)),
        (1, segment(false, 9, SYN | ACK, 0)),
        (1, segment(true, 1, SYN, 0)), // the same SYN once more
        (2, segment(true, 2, RST, 0)),
        (3, segment(true, 777, SYN, 0)),
    ]);
    let shown: Vec<_> = again.iter().map(|flow| (flow.packets_out, flow.packets_in, flow.reason)).collect();
    assert_eq!(shown, [(3, 1, EndReason::Reused), (1, 0, EndReason::Finished)]);
}

#[test]
fn a_closed_connection_is_kept_for_stragglers_and_no_longer() {
    let mut pipeline = Pipeline::new(options());
    let close = [
        (0, segment(true, 1, SYN, 0)),
        (1, segment(false, 9, SYN | ACK, 0)),
        (2, segment(true, 2, FIN | ACK, 0)),
        (3, segment(false, 10, FIN | ACK, 0)),
        (4, segment(true, 3, ACK, 0)),
    ];
    for (seconds, frame) in &close {
        send(&mut pipeline, *seconds, frame);
    }
    pipeline.advance(at(13).into());
    assert_eq!(pipeline.finished_flows(), 0);
    pipeline.advance(at(15).into());
    let flows: Vec<_> = pipeline.take_flows().collect();
    assert_eq!((flows[0].packets_out, flows[0].packets_in, flows[0].reason), (3, 2, EndReason::Closed));
}

#[test]
fn silence_ends_a_flow_after_the_time_of_its_protocol() {
    let datagram = || ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 17, &udp(5_000, 53, b"?")));
    let udp = flows(&[(0, datagram()), (59, datagram()), (130, datagram())]);
    assert_eq!(udp.iter().map(|flow| flow.packets_out).collect::<Vec<_>>(), [2, 1]);
    let tcp = flows(&[(0, segment(true, 1, ACK, 1)), (299, segment(true, 2, ACK, 1)), (600, segment(true, 3, ACK, 1))]);
    assert_eq!(tcp.iter().map(|flow| flow.packets_out).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_long_flow_is_recorded_in_parts_that_keep_its_originator() {
    let mut options = options();
    options.flows.active = Some(Duration::from_secs(100));
    let mut pipeline = Pipeline::new(options);
    send(&mut pipeline, 0, &segment(true, 1, SYN, 0));
    for second in 1..250 {
        send(&mut pipeline, second, &segment(false, 9, ACK, 10));
    }
    pipeline.finish();
    let flows: Vec<_> = pipeline.take_flows().collect();
    assert!(flows.iter().all(|flow| flow.originator.port == 40_000));
    assert_eq!(flows.iter().map(|flow| flow.packets_in).sum::<u64>(), 249);
    assert_eq!(flows.iter().filter(|flow| flow.reason == EndReason::Active).count(), 2);
}

#[test]
fn later_fragments_join_the_flow_of_their_first() {
    let part = |id, position, payload: &[u8]| {
        ethernet(ANNA, BERT, IPV4, &ipv4_part(ANNA_IP, BERT_IP, 17, (id, position), payload))
    };
    let mut pipeline = Pipeline::new(options());
    send(&mut pipeline, 0, &part(7, 0x2000, &udp(5_000, 53, &[0; 16])));
    send(&mut pipeline, 0, &part(7, 0x2003, &[0; 24]));
    send(&mut pipeline, 0, &part(7, 0x0006, &[0; 10]));
    send(&mut pipeline, 0, &part(8, 0x0006, &[0; 10])); // its first part was not seen
    pipeline.finish();
    let flows: Vec<_> = pipeline.take_flows().collect();
    assert_eq!((flows.len(), flows[0].packets_out, flows[0].responder.port), (1, 3, 53));
    assert_eq!(pipeline.statistics().flows.fragments_unmatched, 1);
}

#[test]
fn the_same_addresses_in_two_vlans_are_two_flows() {
    let inside = ipv4(ANNA_IP, BERT_IP, 17, &udp(5_000, 53, b"?"));
    let in_vlan = |vlan| ethernet(ANNA, BERT, 0x8100, &tagged(vlan, IPV4, &inside));
    let flows = flows(&[(0, in_vlan(5)), (0, in_vlan(6)), (0, in_vlan(5))]);
    let shown: Vec<_> = flows.iter().map(|flow| (flow.vlan, flow.packets_out)).collect();
    assert_eq!(shown, [(Some(5), 2), (Some(6), 1)]);
}

/// Frames of one side of a connection to Bert's port 80.
fn to_bert(source: u32, port: u16, flags: u8) -> Vec<u8> {
    let source = source.to_be_bytes().into();
    ethernet(ANNA, BERT, IPV4, &ipv4(source, BERT_IP, 6, &tcp(port, 80, 1, flags, b"")))
}

fn from_bert(target: u32, port: u16, flags: u8) -> Vec<u8> {
    let target = target.to_be_bytes().into();
    ethernet(BERT, ANNA, IPV4, &ipv4(BERT_IP, target, 6, &tcp(80, port, 1, flags, b"")))
}

/// A pipeline with room for 64 flows, of which Anna has 40 that are established.
fn busy() -> Pipeline {
    let mut options = options();
    options.flows.capacity = 64;
    let mut pipeline = Pipeline::new(options);
    for port in 10_000..10_040 {
        send(&mut pipeline, 0, &to_bert(ANNA_IP.into(), port, SYN));
        send(&mut pipeline, 0, &from_bert(ANNA_IP.into(), port, SYN | ACK));
        send(&mut pipeline, 1, &to_bert(ANNA_IP.into(), port, ACK));
    }
    pipeline
}

/// Asserts that the connections of Anna are as they were, after a flood whose flows have left as they came.
fn assert_undisturbed(mut pipeline: Pipeline, what: &str) {
    pipeline.take_flows().for_each(|flow| assert_ne!(flow.originator.ip, ANNA_IP, "{what}: {flow:?}"));
    assert_eq!(pipeline.statistics().flows.flows_evicted_established, 0, "{what}");
    pipeline.finish();
    assert_eq!(pipeline.take_flows().filter(|flow| flow.packets_out == 2).count(), 40, "{what}");
}

#[test]
fn packets_with_forged_sources_expel_each_other_and_no_established_flow() {
    let forged = 0x0b00_0000..0x0b00_c350_u32;
    let mut floods: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("unanswered", forged.clone().map(|source| to_bert(source, 1, SYN)).collect()),
        // Bert answers, but who forged the source does not know with what.
        (
            "answered",
            forged.clone().flat_map(|source| [to_bert(source, 1, SYN), from_bert(source, 1, SYN | ACK)]).collect(),
        ),
    ];
    let question = |source: u32| {
        let source: std::net::Ipv4Addr = source.to_be_bytes().into();
        let asked = ethernet(ANNA, BERT, IPV4, &ipv4(source, BERT_IP, 17, &udp(5_000, 53, b"?")));
        [asked, ethernet(BERT, ANNA, IPV4, &ipv4(BERT_IP, source, 17, &udp(53, 5_000, b"!")))]
    };
    floods.push(("questions", forged.flat_map(question).collect()));
    for (what, frames) in floods {
        let mut pipeline = busy();
        for frame in &frames {
            send(&mut pipeline, 2, frame);
            pipeline.take_flows().for_each(|flow| assert_ne!(flow.originator.ip, ANNA_IP, "{what}: {flow:?}"));
        }
        assert_eq!((pipeline.statistics().flows_open, pipeline.statistics().flows.flows_evicted), (64, 50_000 - 24));
        assert_undisturbed(pipeline, what);
    }
}

#[test]
fn a_source_that_holds_more_than_its_share_makes_room_itself() {
    let mut pipeline = busy();
    let greedy = 0x0a00_00aa;
    (0..20).for_each(|port| send(&mut pipeline, 2, &to_bert(greedy, port, SYN)));
    // Four others come, and stay, however much the greedy one asks for.
    (0..4).for_each(|other| send(&mut pipeline, 3, &to_bert(0x0a00_00b0 + other, 1, SYN)));
    (100..200).for_each(|port| send(&mut pipeline, 4, &to_bert(greedy, port, SYN)));
    let left: Vec<_> = pipeline.take_flows().map(|flow| flow.originator.ip).collect();
    assert_eq!(left, vec![std::net::IpAddr::from(greedy.to_be_bytes()); 100]);
    let counted = pipeline.statistics().flows;
    assert_eq!((counted.flows_evicted, counted.flows_evicted_over_share), (100, 100));
    assert_undisturbed(pipeline, "greedy");
}

#[test]
fn established_flows_leave_room_for_others_and_make_room_among_themselves() {
    let mut options = options();
    options.flows.capacity = 16;
    let mut pipeline = Pipeline::new(options);
    for source in 0..30 {
        let (source, second) = (0x0a00_0100 + source, i64::from(source));
        send(&mut pipeline, second, &to_bert(source, 1, SYN));
        send(&mut pipeline, second, &from_bert(source, 1, SYN | ACK));
        send(&mut pipeline, second, &to_bert(source, 1, ACK));
    }
    let counted = pipeline.statistics();
    assert_eq!((counted.flows_open, counted.flows.flows_evicted_established), (14, 16));
    let left: Vec<_> = pipeline.take_flows().map(|flow| flow.start).collect();
    assert_eq!(left, (0..16).map(at).collect::<Vec<_>>());
}

#[test]
fn a_full_table_still_takes_new_flows() {
    let mut options = options();
    options.flows.capacity = 16;
    let mut pipeline = Pipeline::new(options);
    for port in 0..100_u16 {
        let (there, back) = (tcp(port, 80, 1, ACK, b""), tcp(80, port, 1, ACK, b""));
        send(&mut pipeline, i64::from(port) * 2, &ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 6, &there)));
        send(&mut pipeline, i64::from(port) * 2 + 1, &ethernet(BERT, ANNA, IPV4, &ipv4(BERT_IP, ANNA_IP, 6, &back)));
    }
    assert_eq!(pipeline.statistics().flows_open, 16);
    pipeline.finish();
    assert_eq!(pipeline.take_flows().filter(|flow| (flow.packets_out, flow.packets_in) == (1, 1)).count(), 100);
}

#[test]
fn finished_records_that_nobody_takes_are_counted() {
    let mut options = options();
    options.flows.finished_capacity = 3;
    options.flows.capacity = 1;
    let mut pipeline = Pipeline::new(options);
    for port in 0..10_u16 {
        let datagram = udp(port, 53, b"?");
        send(&mut pipeline, 0, &ethernet(ANNA, BERT, IPV4, &ipv4(ANNA_IP, BERT_IP, 17, &datagram)));
    }
    assert_eq!(pipeline.finished_flows(), 3);
    assert_eq!(pipeline.statistics().flows.flows_untaken, 6);
    assert_eq!(pipeline.take_flows().map(|flow| flow.originator.port).collect::<Vec<_>>(), [6, 7, 8]);
}

#[test]
fn flows_that_are_closed_a_few_at_a_time_are_those_that_are_closed_at_once() {
    let run = |few: bool| {
        let mut pipeline = Pipeline::new(options());
        for port in 0..50 {
            let query = ipv4(ANNA_IP, BERT_IP, 17, &udp(5_000 + port, 53, b"?"));
            let frame = ethernet(ANNA, BERT, IPV4, &query);
            pipeline.foresee(LinkType::Ethernet, FrameMeta::whole(42), &frame);
            send(&mut pipeline, 0, &frame);
        }
        pipeline.prepare();
        let mut flows = Vec::new();
        if few {
            while pipeline.finish_some(7) {
                assert!(pipeline.finished_flows() <= 7);
                flows.extend(pipeline.take_flows());
            }
        } else {
            pipeline.finish();
            flows.extend(pipeline.take_flows());
        }
        flows.sort_by_key(|flow| flow.originator);
        flows
    };
    assert_eq!(run(true), run(false));
    assert_eq!(run(true).len(), 50);
}
