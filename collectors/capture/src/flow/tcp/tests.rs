use super::*;

const SYN: u8 = flags::SYN;
const ACK: u8 = flags::ACK;
const FIN: u8 = flags::FIN;
const RST: u8 = flags::RST;

/// The originator's numbers begin at 1,000, the responder's at 5,000. A step: milliseconds, whether the originator's, flags,
/// sequence number, acknowledgement, bytes.
type Step = (i64, bool, u8, u32, u32, u32);

fn follow(steps: &[Step]) -> (TcpRecord, TcpCounters) {
    let (mut tracker, mut counters) = (Tracker::default(), TcpCounters::default());
    for &(ms, out, flags, sequence, acknowledgement, length) in steps {
        let segment = Segment { flags, sequence, acknowledgement, window: 500, length, part: false };
        tracker.segment(FrameTime::from_unix_ns(ms * 1_000_000), out, &segment, &mut counters);
    }
    let record = tracker.finish(&mut counters);
    (record, counters)
}

/// SYN, SYN with ACK, ACK: 30 ms.
const OPEN: [Step; 3] =
    [(0, true, SYN, 1_000, 0, 0), (20, false, SYN | ACK, 5_000, 1_001, 0), (30, true, ACK, 1_001, 5_001, 0)];

fn after_opening(steps: &[Step]) -> (TcpRecord, TcpCounters) {
    follow(&[&OPEN[..], steps].concat())
}

#[test]
fn each_way_to_end_has_its_state_and_its_history() {
    let fin_out: Step = (40, true, FIN | ACK, 1_001, 5_001, 0);
    let fin_in: Step = (41, false, FIN | ACK, 5_001, 1_002, 0);
    let reset_out: Step = (50, true, RST, 1_001, 0, 0);
    let reset_in: Step = (50, false, RST | ACK, 5_001, 1_001, 0);
    let open = |rest: &[Step]| [&OPEN[..], rest].concat();
    let cases = [
        (OPEN[..1].to_vec(), TcpState::Attempted, "S"),
        (open(&[]), TcpState::Established, "ShA"),
        (open(&[fin_out, fin_in]), TcpState::Finished, "ShAFf"),
        (vec![OPEN[0], (1, false, RST | ACK, 0, 1_001, 0)], TcpState::Refused, "Sr"),
        (open(&[fin_out]), TcpState::OriginatorClosed, "ShAF"),
        (open(&[(41, false, FIN | ACK, 5_001, 1_001, 0)]), TcpState::ResponderClosed, "ShAf"),
        (open(&[reset_out]), TcpState::OriginatorReset, "ShAR"),
        (open(&[reset_in]), TcpState::ResponderReset, "ShAr"),
        (vec![OPEN[0], (1, true, RST, 1_001, 0, 0)], TcpState::AttemptReset, "SR"),
        (vec![OPEN[1], (50, false, RST, 5_001, 0, 0)], TcpState::AnswerReset, "hr"),
        (vec![OPEN[0], (1, true, FIN, 1_001, 0, 0)], TcpState::HalfOpenOriginator, "SF"),
        (vec![OPEN[1], (1, false, FIN | ACK, 5_001, 1_001, 0)], TcpState::HalfOpenResponder, "hf"),
        (vec![(0, true, ACK, 1_001, 5_001, 10)], TcpState::Midstream, "D"),
        // Both had closed: what follows breaks nothing off.
        (open(&[fin_out, fin_in, (50, true, RST, 1_002, 0, 0)]), TcpState::Finished, "ShAFfR"),
        // The answer was not captured, but what followed shows that there was one.
        (vec![OPEN[0], OPEN[2], (40, false, ACK, 5_001, 1_001, 10)], TcpState::Established, "SAd"),
    ];
    for (steps, state, history) in cases {
        let (record, _) = follow(&steps);
        assert_eq!((record.state, record.history.to_string().as_str()), (state, history), "{steps:?}");
    }
}

#[test]
fn a_handshake_is_timed_from_the_last_syn_before_the_answer() {
    let again: Step = (3_000, true, SYN, 1_000, 0, 0);
    let (record, _) =
        follow(&[OPEN[0], again, (3_020, false, SYN | ACK, 5_000, 1_001, 0), (3_031, true, ACK, 1_001, 5_001, 0)]);
    assert_eq!(record.handshake_us, Some(31_000));
    assert_eq!(follow(&OPEN[..2]).0.handshake_us, None);
    assert_eq!(follow(&[(0, true, ACK, 1, 1, 1), (1, false, ACK, 1, 2, 1)]).0.handshake_us, None);
}

#[test]
fn payload_sent_again_is_told_from_payload_that_was_overtaken() {
    let (record, counters) = after_opening(&[
        (40, true, ACK, 1_001, 5_001, 100),
        (41, true, ACK, 1_201, 5_001, 100), // ahead of 1,101
        (42, true, ACK, 1_101, 5_001, 100), // within the round trip of 30 ms
        (50, true, ACK, 1_301, 5_001, 100),
        (51, true, ACK, 1_501, 5_001, 100),  // ahead of 1,401
        (251, true, ACK, 1_401, 5_001, 100), // long after
        (300, true, ACK, 1_401, 5_001, 200), // and once more
    ]);
    assert_eq!((record.retransmissions_out, record.retransmissions_in), (2, 0));
    assert_eq!((counters.retransmissions, counters.out_of_order, counters.segments), (2, 1, 5));
    assert_eq!((counters.bytes, counters.gaps, counters.bytes_missed), (600, 0, 0));
    assert_eq!(record.history.to_string(), "ShADT");
}

#[test]
fn a_keep_alive_and_a_repeated_fin_are_not_sent_again() {
    let (record, counters) = after_opening(&[
        (40, true, ACK, 1_001, 5_001, 100),
        (90, true, ACK, 1_100, 5_001, 0),
        (91, true, ACK, 1_100, 5_001, 1),
        (92, true, FIN | ACK, 1_101, 5_001, 0),
        (99, true, FIN | ACK, 1_101, 5_001, 0),
    ]);
    assert_eq!((record.retransmissions_out, counters.retransmissions), (0, 0));
    assert_eq!(record.history.to_string(), "ShADAF");
}

#[test]
fn what_was_acknowledged_and_never_captured_is_a_gap() {
    let (record, counters) = after_opening(&[
        (40, false, ACK, 5_001, 1_001, 100),
        (41, false, ACK, 5_301, 1_001, 100), // 200 bytes are missing
        (60, true, ACK, 1_001, 5_401, 0),
        (61, false, ACK, 5_501, 1_001, 100), // 100 more
        (80, true, ACK, 1_001, 5_601, 0),
        (99, true, ACK, 1_001, 5_601, 0),
    ]);
    assert_eq!((counters.gaps, counters.bytes_missed, counters.bytes), (2, 300, 300));
    assert_eq!(record.history.to_string(), "ShAdg");
    // The acknowledgement is all that is left of the end.
    let (record, counters) = after_opening(&[(40, false, ACK, 5_001, 1_001, 100), (41, true, ACK, 1_001, 5_201, 0)]);
    assert_eq!((counters.gaps, counters.bytes_missed), (1, 100));
    assert_eq!(record.history.to_string(), "ShAdg");
}

#[test]
fn an_acknowledgement_that_overtakes_its_payload_is_no_gap() {
    let (record, counters) = after_opening(&[
        (40, true, ACK, 1_001, 5_101, 0),
        (40, false, ACK, 5_001, 1_001, 100),
        (50, true, ACK, 1_001, 5_101, 0),
    ]);
    assert_eq!((counters.gaps, counters.bytes_missed, counters.bytes), (0, 0, 100));
    assert_eq!(record.retransmissions_in, 0);
}

#[test]
fn numbers_that_no_window_allows_change_nothing() {
    let (record, counters) = after_opening(&[
        (40, true, ACK, 1_001, 5_001, 100),
        (41, true, ACK, 2_000_000_000, 5_001, 100),
        (42, false, ACK, 5_001, 3_000_000_000, 0),
        (43, false, RST, 1_500_000_000, 0, 0),
        (44, true, ACK, 1_101, 5_001, 100),
    ]);
    assert_eq!((counters.bytes, counters.bytes_missed, counters.retransmissions), (200, 0, 0));
    assert_eq!(record.state, TcpState::Established);
}

#[test]
fn numbers_may_wrap_around() {
    let start = u32::MAX - 149;
    let (record, counters) = follow(&[
        (0, true, SYN, start.wrapping_sub(1), 0, 0),
        (1, true, ACK, start, 1, 100),
        (2, true, ACK, start.wrapping_add(200), 1, 100),
        (3, true, ACK, start.wrapping_add(100), 1, 100),
        (4, true, ACK, start.wrapping_add(300), 1, 100),
        (900, true, ACK, start.wrapping_add(100), 1, 100),
    ]);
    assert_eq!((counters.bytes, counters.out_of_order, record.retransmissions_out), (400, 1, 1));
}

#[test]
fn of_connections_in_parts_nothing_is_concluded() {
    let (mut tracker, mut counters) = (Tracker::default(), TcpCounters::default());
    let segment = |part, sequence| Segment { flags: ACK, sequence, acknowledgement: 1, window: 1, length: 8, part };
    for (part, sequence) in [(false, 1), (true, 9), (false, 3_000), (false, 3_000)] {
        tracker.segment(FrameTime::default(), true, &segment(part, sequence), &mut counters);
    }
    let answer = Segment { acknowledgement: 9_000, ..segment(false, 1) };
    tracker.segment(FrameTime::default(), false, &answer, &mut counters);
    tracker.segment(FrameTime::default(), false, &answer, &mut counters);
    assert_eq!(counters.gaps, 0);
    assert_eq!(tracker.finish(&mut counters).retransmissions_out, 0);
}

#[test]
fn a_record_that_is_cut_leaves_the_connection_open() {
    let (mut tracker, mut counters) = (Tracker::default(), TcpCounters::default());
    let mut send = |tracker: &mut Tracker, steps: &[Step]| {
        for &(ms, out, flags, sequence, acknowledgement, length) in steps {
            let segment = Segment { flags, sequence, acknowledgement, window: 500, length, part: false };
            tracker.segment(FrameTime::from_unix_ns(ms * 1_000_000), out, &segment, &mut counters);
        }
    };
    send(&mut tracker, &OPEN);
    let first = tracker.cut();
    send(&mut tracker, &[(90, true, ACK, 1_001, 5_001, 10), (91, true, ACK, 1_001, 5_001, 10)]);
    let second = tracker.finish(&mut counters);
    assert_eq!((first.state, first.history.to_string()), (TcpState::Established, "ShA".to_owned()));
    assert_eq!((second.state, second.history.to_string()), (TcpState::Established, "DT".to_owned()));
    assert_eq!((first.retransmissions_out, second.retransmissions_out), (0, 1));
}
